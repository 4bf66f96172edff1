//! The numbers of a report; never a rate without what it counts.

use super::context::{Key, Row, World};
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

/// How many findings there are.
pub(super) struct Findings {
    /// By the place of the flag among all.
    flags: [u64; Flag::ALL.len()],
    severities: [u64; Severity::ALL.len()],
}

impl Findings {
    /// Counts a finding.
    pub(super) fn add(&mut self, finding: &Finding) {
        let counts = [
            self.flags.get_mut(finding.flag as usize),
            self.severities.get_mut(finding.severity as usize),
        ];
        for count in counts.into_iter().flatten() {
            *count += 1;
        }
    }
}

/// What is counted of keys and rows while each is judged.
pub(super) struct Tally<'w> {
    /// All findings on keys and rows, each once though its row repeats it.
    pub(super) findings: Findings,
    /// Own keys that the inventory should have (references carry no duty to register), and those that it has.
    own_keys: (u64, u64),
    /// Rows by the place of their status.
    rows: [u64; 7],
    owners: Owned,
    rotations: Rotations,
    /// By class: vendor, dependency, trust anchor.
    set_aside: [SetAside<'w>; 3],
}

/// Rows by what is known of their owner; without an owners list a named owner counts as present.
#[derive(Default)]
struct Owned {
    present: u64,
    none: u64,
    left: u64,
    unknown: u64,
}

/// Rows whose thing is meant to be in use and is not known to be gone, by their rotation.
#[derive(Default)]
struct Rotations {
    in_time: u64,
    overdue: u64,
    open: u64,
    unproven: u64,
}

/// Keys of a class that is not the host's own, with the packages that they belong to.
#[derive(Default)]
struct SetAside<'w> {
    keys: u64,
    private: u64,
    seen: u64,
    packages: BTreeSet<&'w str>,
}

const SET_ASIDE: [Class; 3] = [Class::Vendor, Class::Dependency, Class::TrustAnchor];

impl<'w> Tally<'w> {
    pub(super) fn new() -> Self {
        Self {
            findings: Findings {
                flags: [0; Flag::ALL.len()],
                severities: [0; Severity::ALL.len()],
            },
            own_keys: (0, 0),
            rows: [0; 7],
            owners: Owned::default(),
            rotations: Rotations::default(),
            set_aside: Default::default(),
        }
    }

    /// Counts a key that was judged.
    pub(super) fn key(&mut self, world: &'w World<'_>, key: &'w Key, report: &KeyReport) {
        report.flags.iter().for_each(|flag| self.findings.add(flag));
        if key.class == Class::Own {
            if !key.reference_only {
                self.own_keys.0 += 1;
                self.own_keys.1 += u64::from(!report.entries.is_empty());
            }
            return;
        }
        let class = SET_ASIDE.iter().position(|class| *class == key.class);
        let Some(of_class) = class.and_then(|class| self.set_aside.get_mut(class)) else {
            return;
        };
        let seen = || world.at(&key.judged);
        of_class.keys += 1;
        of_class.seen += number(key.judged.len());
        of_class.private += u64::from(seen().any(|s| s.kind.is_private()));
        let packages = seen().filter_map(|s| s.file.as_ref()?.package.as_deref());
        of_class.packages.extend(packages);
    }

    /// Counts a row that was judged.
    pub(super) fn row(&mut self, world: &World<'_>, row: &Row<'_>, report: &EntryReport) {
        // What a row repeats has the key's id; the rest is its own.
        let own = report.flags.iter().filter(|f| f.key_id.is_none());
        own.for_each(|flag| self.findings.add(flag));
        if let Some(count) = self.rows.get_mut(report.status as usize) {
            *count += 1;
        }
        self.owners.add(world, row);
        if row.is_live() && report.status != EntryStatus::AbsentAsExpected {
            self.rotations.add(world, row, report);
        }
    }
}

impl Owned {
    fn add(&mut self, world: &World<'_>, row: &Row<'_>) {
        let slot = match owner_of(row) {
            None => &mut self.none,
            Some(owner) => match world.owners.map(|list| list.standing(owner)) {
                None | Some(Standing::Present) => &mut self.present,
                Some(Standing::Gone(_)) => &mut self.left,
                Some(Standing::Unknown) => &mut self.unknown,
            },
        };
        *slot += 1;
    }
}

impl Rotations {
    fn add(&mut self, world: &World<'_>, row: &Row<'_>, report: &EntryReport) {
        // A rotation that the key's age contradicts says nothing of when the last one was.
        let flags = &report.flags;
        if flags.iter().any(|f| f.flag == Flag::RotationUnproven) {
            self.open += 1;
            self.unproven += 1;
            return;
        }
        // Nor does a row whose thing has another key by now.
        let others = |f: &Finding| {
            let own = |id: &KeyId| report.keys.contains(id);
            f.flag == Flag::RenewedUnrecorded && !f.key_id.as_deref().is_some_and(own)
        };
        if flags.iter().any(others) {
            self.open += 1;
            return;
        }
        match rotation(world, row) {
            Rotation::InTime => self.in_time += 1,
            Rotation::Overdue { .. } => self.overdue += 1,
            Rotation::CannotBeTold => self.open += 1,
        }
    }
}

/// Flags, severities and the plain counts.
pub(super) fn count(
    report: &Report,
    sightings: usize,
    mut findings: Findings,
    metrics: BTreeMap<String, Value>,
) -> Summary {
    let mut out = Summary {
        keys: number(report.keys.len()),
        sightings: number(sightings),
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
    let of_sources = report.inventories.iter().flat_map(|i| &i.flags);
    let of_policy = report.policy.iter().flat_map(|p| &p.flags);
    of_sources
        .chain(of_policy)
        .for_each(|finding| findings.add(finding));
    let count = |severity: Severity| findings.severities.get(severity as usize).copied();
    let severities = Severity::ALL.iter();
    out.severities = severities
        .map(|&s| (s, count(s).unwrap_or_default()))
        .collect();
    let flags = Flag::ALL.iter().copied().zip(findings.flags);
    out.flags = flags.filter(|(_, count)| *count > 0).collect();
    out
}

/// Further counts: `own_keys`, `rows`, `owners`, `rotation` and `set_aside`, each an object of numbers.
pub(super) fn metrics(world: &World<'_>, tally: &Tally<'_>) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    if !world.rows.is_empty() {
        let (total, registered) = tally.own_keys;
        let own_keys = json!({ "registered": registered, "total": total });
        out.insert("own_keys".to_owned(), own_keys);
        out.insert("rows".to_owned(), rows(tally));
        let Owned {
            present,
            none,
            left,
            unknown,
        } = tally.owners;
        let listed = world.owners.is_some();
        let owners = json!({ "present": present, "none": none, "left": left, "unknown": unknown, "listed": listed });
        out.insert("owners".to_owned(), owners);
        let Rotations {
            in_time,
            overdue,
            open,
            unproven,
        } = tally.rotations;
        let rotation = json!({ "in_time": in_time, "overdue": overdue, "cannot_be_told": open, "unproven": unproven });
        out.insert("rotation".to_owned(), rotation);
    }
    let set_aside = SET_ASIDE.iter().zip(&tally.set_aside).map(|(class, of_class)| {
        let packages = number(of_class.packages.len());
        let counts = json!({ "keys": of_class.keys, "with_private": of_class.private, "sightings": of_class.seen, "packages": packages });
        (class.as_str().to_owned(), counts)
    });
    out.insert("set_aside".to_owned(), Value::Object(set_aside.collect()));
    let hosts = listed::metrics(&world.listed.reports);
    out.extend(hosts.map(|numbers| ("hosts".to_owned(), numbers)));
    out
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn rows(tally: &Tally<'_>) -> Value {
    let count = |status: EntryStatus| tally.rows.get(status as usize).copied().unwrap_or_default();
    let gone = count(EntryStatus::AbsentAsExpected);
    let seen = count(EntryStatus::Matched);
    json!({
        "total": tally.rows.iter().sum::<u64>(),
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
