//! Looks at keys and their rows before they are judged.

use super::context::{Key, World};
use super::join::Join;
use crate::model::Entry;
use crate::model::ahead::{count, facts, first, look, parts};

/// Keys with their judged sightings.
pub(super) fn keys(world: &World<'_>, keys: &[Key]) {
    let sightings = || keys.iter().flat_map(|key| world.at(&key.judged));
    look(sightings().map(facts));
    look(sightings().map(parts));
}

/// The rows of keys, which are numbered from one on.
pub(super) fn linked(world: &World<'_>, join: &Join, start: usize, count: usize) {
    let links = (start..start + count).flat_map(|key| join.links.get(key));
    let entries = || {
        links
            .clone()
            .filter_map(|l| Some(world.rows.get(l.row())?.entry))
    };
    look(entries().map(fields));
    look(entries().map(texts));
}

/// What stands in the record of a row itself.
fn fields(entry: &Entry) -> usize {
    let there = count(&[
        entry.owner.is_some(),
        entry.expires.is_some(),
        entry.further.is_some(),
        entry.state.is_some(),
        entry.name.is_some(),
        entry.issuer.is_some(),
    ]);
    there + entry.identifiers.len() + entry.places.len()
}

/// The texts of a row.
fn texts(entry: &Entry) -> usize {
    let optional = [&entry.name, &entry.owner].into_iter().flatten();
    first(&entry.id) + optional.map(|text| first(text)).sum::<usize>()
}
