//! Looks at what records are made of before they are written.
//!
//! The keys of a report are in the order of their ids, and what they consist of lies in memory in the order in which it was read.

use crate::model::ahead::{first, look, whole_sightings};
use crate::model::report::{EntryReport, KeyReport};
use crate::model::{Finding, Sighting};

/// Looks at keys, from the outside inward: each step needs what the one before it has brought.
pub(super) fn keys(keys: &[KeyReport]) {
    look(keys.iter().map(lists));
    look(keys.iter().flat_map(|key| &key.flags).map(finding));
    look(keys.iter().flat_map(|key| &key.entries).map(|id| first(id)));
    look(keys.iter().flat_map(|key| &key.flags).map(why));
    whole_sightings(
        keys.iter()
            .flat_map(|key| &key.sightings)
            .map(AsRef::as_ref),
    );
}

/// Looks at rows.
pub(super) fn entries(entries: &[EntryReport]) {
    let findings = || entries.iter().flat_map(|entry| &entry.flags);
    look(
        entries
            .iter()
            .map(|entry| first(&entry.id) + entry.keys.len()),
    );
    look(findings().map(finding));
    look(findings().map(why));
}

/// The lists of a key; what their elements point at is not touched.
fn lists(key: &KeyReport) -> usize {
    let sighting = key.sightings.first();
    let sighting = sighting.map_or(0, |s| std::ptr::from_ref::<Sighting>(s).addr());
    let entry = key.entries.first().map_or(0, |id| id.len());
    sighting.wrapping_add(entry) + usize::from(key.flags.first().is_some_and(|f| f.place.is_some()))
}

fn finding(finding: &Finding) -> usize {
    finding.why.len() + usize::from(finding.entry.is_some())
}

fn why(finding: &Finding) -> usize {
    first(&finding.why) + finding.entry.as_deref().map_or(0, first)
}
