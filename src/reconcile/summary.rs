//! The numbers of a report; never a rate without what it counts.

use super::context::{Row, World};
use super::listed;
use super::ownership::owner_of;
use super::rotation::{Rotation, rotation};
use crate::model::{
    Class, EntryReport, EntryStatus, Finding, Flag, KeyId, KeyReport, Report, Scope, Severity,
    Summary,
};
use crate::policy::Standing;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Flags, severities and the plain counts, each finding once though its row repeats it.
pub(super) fn count(report: &Report, metrics: BTreeMap<String, Value>) -> Summary {
    let mut out = Summary {
        keys: number(report.keys.len()),
        sightings: number(
            report.keys.iter().map(|k| k.sightings.len()).sum::<usize>() + report.others.len(),
        ),
        entries: number(report.entries.len()),
        complete: report
            .sweeps
            .iter()
            .all(|s| s.end.as_ref().is_some_and(|e| e.complete))
            && !report.hosts.iter().any(|host| host.status.is_lacking()),
        metrics,
        ..Summary::default()
    };
    let reduced =
        |s: &crate::model::SweepSummary| s.end.as_ref().is_some_and(|e| e.scope == Scope::Reduced);
    if report.sweeps.iter().any(reduced) {
        out.scope = Scope::Reduced;
    }
    out.severities = Severity::ALL.iter().map(|&s| (s, 0)).collect();
    let of_keys = report.keys.iter().flat_map(|k| &k.flags);
    // What a row repeats has the key's id; the rest is its own.
    let of_rows = report
        .entries
        .iter()
        .flat_map(|e| &e.flags)
        .filter(|f| f.key_id.is_none());
    let of_sources = report.inventories.iter().flat_map(|i| &i.flags);
    let of_policy = report.policy.iter().flat_map(|p| &p.flags);
    let mut count = |finding: &Finding| {
        *out.flags.entry(finding.flag).or_default() += 1;
        *out.severities.entry(finding.severity).or_default() += 1;
    };
    of_keys
        .chain(of_rows)
        .chain(of_sources)
        .chain(of_policy)
        .for_each(&mut count);
    out
}

/// Further counts: `own_keys`, `rows`, `owners`, `rotation` and `set_aside`, each an object of numbers.
pub(super) fn metrics(
    world: &World<'_>,
    keys: &[KeyReport],
    entries: &[EntryReport],
) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    if !world.rows.is_empty() {
        out.insert("own_keys".to_owned(), own_keys(world, keys));
        out.insert("rows".to_owned(), rows(entries));
        out.insert("owners".to_owned(), owners(world));
        out.insert("rotation".to_owned(), rotations(world, entries));
    }
    out.insert("set_aside".to_owned(), set_aside(world));
    let hosts = listed::metrics(&world.listed.reports);
    out.extend(hosts.map(|numbers| ("hosts".to_owned(), numbers)));
    out
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Own keys that the inventory should have (references carry no duty to register), and those that it has.
fn own_keys(world: &World<'_>, keys: &[KeyReport]) -> Value {
    let duty = world
        .keys
        .iter()
        .zip(keys)
        .filter(|(k, _)| k.class == Class::Own && !k.reference_only);
    let (mut total, mut registered) = (0u64, 0u64);
    for (_, report) in duty {
        total += 1;
        registered += u64::from(!report.entries.is_empty());
    }
    json!({ "registered": registered, "total": total })
}

fn rows(entries: &[EntryReport]) -> Value {
    let count = |status| number(entries.iter().filter(|e| e.status == status).count());
    let gone = count(EntryStatus::AbsentAsExpected);
    let seen = count(EntryStatus::Matched);
    json!({
        "total": number(entries.len()),
        "confirmed": seen + gone,
        "seen": seen,
        "gone_as_expected": gone,
        "missing": count(EntryStatus::Missing),
        "no_conclusion": count(EntryStatus::NotCovered),
        "unlocated": count(EntryStatus::Unlocated),
        "ambiguous": count(EntryStatus::Ambiguous),
        "unmatchable": count(EntryStatus::Unmatchable),
    })
}

/// Rows by what is known of their owner; without an owners list a named owner counts as present.
fn owners(world: &World<'_>) -> Value {
    let (mut present, mut none, mut left, mut unknown) = (0u64, 0u64, 0u64, 0u64);
    for row in &world.rows {
        let slot = match owner_of(row) {
            None => &mut none,
            Some(owner) => match world.owners.map(|list| list.standing(owner)) {
                None | Some(Standing::Present) => &mut present,
                Some(Standing::Gone(_)) => &mut left,
                Some(Standing::Unknown) => &mut unknown,
            },
        };
        *slot += 1;
    }
    json!({ "present": present, "none": none, "left": left, "unknown": unknown, "listed": world.owners.is_some() })
}

/// Rows whose thing is meant to be in use and is not known to be gone, by their rotation.
fn rotations(world: &World<'_>, entries: &[EntryReport]) -> Value {
    let (mut in_time, mut overdue, mut open, mut unproven) = (0u64, 0u64, 0u64, 0u64);
    let counts = |(row, entry): &(&Row<'_>, &EntryReport)| {
        row.is_live() && entry.status != EntryStatus::AbsentAsExpected
    };
    for (row, entry) in world.rows.iter().zip(entries).filter(counts) {
        // A rotation that the key's age contradicts says nothing of when the last one was.
        if entry.flags.iter().any(|f| f.flag == Flag::RotationUnproven) {
            open += 1;
            unproven += 1;
            continue;
        }
        // Nor does a row whose thing has another key by now.
        let others = |f: &Finding| {
            let own = |id: &KeyId| entry.keys.contains(id);
            f.flag == Flag::RenewedUnrecorded && !f.key_id.as_deref().is_some_and(own)
        };
        if entry.flags.iter().any(others) {
            open += 1;
            continue;
        }
        match rotation(world, row) {
            Rotation::InTime => in_time += 1,
            Rotation::Overdue { .. } => overdue += 1,
            Rotation::CannotBeTold => open += 1,
        }
    }
    json!({ "in_time": in_time, "overdue": overdue, "cannot_be_told": open, "unproven": unproven })
}

/// Keys of classes that are not the host's own, with the packages that they belong to.
fn set_aside(world: &World<'_>) -> Value {
    let mut out = serde_json::Map::new();
    for class in [Class::Vendor, Class::Dependency, Class::TrustAnchor] {
        let keys = world.keys.iter().filter(|k| k.class == class);
        let (mut count, mut private, mut seen) = (0u64, 0u64, 0u64);
        let mut packages: BTreeSet<&str> = BTreeSet::new();
        for key in keys {
            count += 1;
            seen += number(key.judged.len());
            private += u64::from(world.at(&key.judged).any(|s| s.kind.is_private()));
            packages.extend(
                world
                    .at(&key.judged)
                    .filter_map(|s| s.file.as_ref()?.package.as_deref()),
            );
        }
        out.insert(
            class.as_str().to_owned(),
            json!({ "keys": count, "with_private": private, "sightings": seen, "packages": number(packages.len()) }),
        );
    }
    Value::Object(out)
}
