//! `rotation_overdue`, `rotation_unproven` and `no_cryptoperiod`.

use super::context::{Draft, KeyContext, Row, World};
use super::dates::{self, day, day_and_distance};
use super::evidence;
use super::overview::Fact;
use super::renewal::Replaced;
use crate::model::{Flag, Moment};

/// What a row says of its rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rotation {
    /// The period runs.
    InTime,
    /// It has passed.
    Overdue {
        last: Moment,
        days: u32,
        due: jiff::Timestamp,
    },
    /// No period, or no date to count from.
    CannotBeTold,
}

/// The rotation period of a row, by itself or by policy.
fn period(world: &World<'_>, row: &Row<'_>) -> Option<u32> {
    let by_policy = || world.policy.rotation_days.get(&row.entry.kind?).copied();
    row.entry.rotation_period_days.or_else(by_policy)
}

/// Counts from the last rotation, else from creation.
pub(super) fn rotation(world: &World<'_>, row: &Row<'_>) -> Rotation {
    let last = || row.entry.last_rotated.or(row.entry.created);
    let Some((days, last)) = period(world, row).and_then(|days| Some((days, last()?))) else {
        return Rotation::CannotBeTold;
    };
    let due = dates::plus_days(last.at, days);
    if dates::passed(
        Moment {
            at: due,
            has_time: last.has_time,
        },
        world.now,
    ) {
        Rotation::Overdue { last, days, due }
    } else {
        Rotation::InTime
    }
}

/// `rotation_overdue` and `rotation_unproven`, for the rows of a key.
pub(super) fn judge(cx: &KeyContext<'_, '_>, replaced: &Replaced, out: &mut Vec<Draft>) {
    for link in cx.links.iter().filter(|link| !link.by_primary) {
        let holds = |fact| cx.overview.row_is(link.row(), fact);
        if !holds(Fact::Overdue) && !holds(Fact::Rotated) {
            continue;
        }
        // A row whose thing has another key by now was rotated, and says nothing of it.
        if replaced.rekeyed_rows.get(link.row()) == Some(&true) {
            continue;
        }
        if let Some(row) = cx.row(link) {
            let both = [overdue(cx.world, row), unproven(cx, row)];
            out.extend(both.into_iter().flatten().map(|d| d.row(link.row())));
        }
    }
}

/// Whether [`overdue`] has something to say of a row.
pub(super) fn is_overdue(world: &World<'_>, row: &Row<'_>) -> bool {
    row.is_live() && matches!(rotation(world, row), Rotation::Overdue { .. })
}

/// `rotation_overdue`, for a row whose thing is meant to be in use.
pub(super) fn overdue(world: &World<'_>, row: &Row<'_>) -> Option<Draft> {
    let Rotation::Overdue { last, days, due } = rotation(world, row) else {
        return None;
    };
    if !row.is_live() {
        return None;
    }
    let what = if row.entry.last_rotated.is_some() {
        "rotated last"
    } else {
        "created"
    };
    let why = format!(
        "{} was {what} on {} and must be rotated every {days} days: it was due {}",
        row.title(),
        day(last.at),
        day_and_distance(due, world.now)
    );
    Some(Draft::new(
        Flag::RotationOverdue,
        world.policy.severity(Flag::RotationOverdue),
        why,
    ))
}

/// `rotation_unproven`: the row says rotated, and the same key is older.
fn unproven(cx: &KeyContext<'_, '_>, row: &Row<'_>) -> Option<Draft> {
    let rotated = row.entry.last_rotated.filter(|_| row.is_live())?;
    let evidence = evidence::earliest(cx).filter(|evidence| evidence.is_before(rotated))?;
    let why = format!(
        "{} says that it was rotated on {}, yet the same key is older: {}",
        row.title(),
        day(rotated.at),
        evidence.text(cx.world)
    );
    let severity = cx.world.policy.severity(Flag::RotationUnproven);
    Some(Draft::new(Flag::RotationUnproven, severity, why).certificate(evidence.certificate()))
}

/// `no_cryptoperiod`, for a row whose thing is or will be in use.
pub(super) fn no_cryptoperiod(world: &World<'_>, row: &Row<'_>) -> Option<Draft> {
    let in_use = row.is_live() || row.state() == crate::model::State::PreActivation;
    if !in_use || row.entry.expires.is_some() || period(world, row).is_some() {
        return None;
    }
    // Many rows have it.
    let why = |text: &mut String| {
        text.push_str("neither ");
        row.title().add_to(text);
        text.push_str(" nor policy gives a rotation period or an end");
    };
    let severity = world.policy.severity(Flag::NoCryptoperiod);
    Some(Draft::written(Flag::NoCryptoperiod, severity, why))
}
