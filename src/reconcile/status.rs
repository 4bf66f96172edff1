//! What became of each row: its one status, and the flags that rest on no key.

use super::context::{Draft, Row, World};
use super::join::{Join, RowMatch};
use super::ownership::weak_reason;
use super::places::{Coverage, Place};
use super::renewal::Replaced;
use super::rotation;
use super::validity;
use crate::model::{EntryStatus, Flag, Severity};

/// A row's status; adds its flags that rest on no key.
pub(super) fn judge(
    world: &World<'_>,
    number: usize,
    row: &Row<'_>,
    join: &Join,
    replaced: &Replaced,
    coverage: &Coverage<'_, '_>,
    out: &mut Vec<Draft>,
) -> EntryStatus {
    let empty = RowMatch::default();
    let found = join.rows.get(number).unwrap_or(&empty);
    let status = status(world, number, row, found, replaced, coverage, out);
    if status == EntryStatus::Ambiguous {
        weak_to_known_keys(world, row, found, join, replaced, out);
    }
    let gone = status == EntryStatus::AbsentAsExpected;
    if !gone {
        out.extend(rotation::no_cryptoperiod(world, row));
        // What has a key was judged with it.
        if found.contradictory || found.keys.is_empty() {
            let renewed = replaced.renewed_rows.get(number) == Some(&true);
            out.extend(rotation::overdue(world, row).filter(|_| !renewed));
            out.extend(validity::by_row(world, row).filter(|_| !renewed));
        }
    }
    status
}

fn status(
    world: &World<'_>,
    number: usize,
    row: &Row<'_>,
    found: &RowMatch,
    replaced: &Replaced,
    coverage: &Coverage<'_, '_>,
    out: &mut Vec<Draft>,
) -> EntryStatus {
    if found.is_matched() {
        return EntryStatus::Matched;
    }
    let displaced = replaced.displaced_rows.get(number) == Some(&true);
    if found.contradictory || !found.weak.is_empty() || displaced {
        return EntryStatus::Ambiguous;
    }
    if !is_usable(row) {
        let reason = row.entry.unreadable.as_ref();
        let why = format!(
            "{} has nothing by which a key could be recognised{}",
            row.title(),
            reason.map_or_else(String::new, |reason| format!(": {reason}"))
        );
        out.push(Draft::new(
            Flag::Unmatchable,
            world.policy.severity(Flag::Unmatchable),
            why,
        ));
        return EntryStatus::Unmatchable;
    }
    if row.places.is_empty() {
        return EntryStatus::Unlocated;
    }
    if replaced.renewed_rows.get(number) == Some(&true) {
        return EntryStatus::AbsentAsExpected;
    }
    if let Some(doubt) = coverage.doubt(row) {
        out.push(Draft::new(
            Flag::NotCovered,
            world.policy.severity(Flag::NotCovered),
            format_args!(
                "{} was not seen, which proves nothing: {doubt}",
                row.title()
            ),
        ));
        return EntryStatus::NotCovered;
    }
    let expired = row
        .entry
        .expires
        .is_some_and(|e| super::dates::passed(e, world.now));
    if !row.is_live() || expired {
        return EntryStatus::AbsentAsExpected;
    }
    out.push(Draft::new(
        Flag::Missing,
        world.policy.severity(Flag::Missing),
        format_args!(
            "{} is {} and was seen nowhere, although {} was completely swept",
            row.title(),
            row.state().as_str(),
            row.places_text()
        ),
    ));
    EntryStatus::Missing
}

/// Whether a row has an identifier, even a weak one: a name alone finds nothing that could be missed.
fn is_usable(row: &Row<'_>) -> bool {
    let file = |p: &Place<'_>| matches!(p, Place::Exact { .. } | Place::Glob { .. });
    row.has_identifiers() || row.subject.is_some() || row.places.iter().any(file)
}

/// Weak evidence for keys that other rows name or renew: the key is accounted for, this row is not.
fn weak_to_known_keys(
    world: &World<'_>,
    row: &Row<'_>,
    found: &RowMatch,
    join: &Join,
    replaced: &Replaced,
    out: &mut Vec<Draft>,
) {
    let told_with_key = |key: usize| !join.is_known(key) && !replaced.renewals.contains_key(&key);
    if found.weak.iter().any(|link| told_with_key(link.other())) {
        return;
    }
    let Some(link) = found.weak.first() else {
        return;
    };
    let private = world
        .keys
        .get(link.other())
        .is_some_and(|key| world.at(&key.judged).any(|s| s.kind.is_private()));
    let by_contract = if private {
        Severity::Medium
    } else {
        Severity::Low
    };
    let severity = world.policy.graded(Flag::Ambiguous, by_contract);
    let reason = weak_reason(row, link.method, found.contradictory);
    let why = format!("{reason}; that key is accounted for by another row");
    out.push(Draft::new(Flag::Ambiguous, severity, why));
}
