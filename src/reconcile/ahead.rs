//! Looks at keys and rows before they are judged, and at what each leads to.

use super::context::{Key, World};
use super::join::Join;
use crate::model::ahead::{count, facts, first, look, parts};
use crate::model::{Entry, KeyId};

/// Keys with their judged sightings.
pub(super) fn keys(world: &World<'_>, keys: &[Key]) {
    let sightings = || keys.iter().flat_map(|key| world.at(&key.judged));
    look(sightings().map(facts));
    look(sightings().map(parts));
}

/// The ids of the keys that rows name; the rows are numbered from one on.
pub(super) fn ids_of_keys(world: &World<'_>, join: &Join, start: usize, count: usize) {
    let found = join
        .rows
        .get(start..)
        .unwrap_or_default()
        .iter()
        .take(count);
    let numbers = found.flat_map(|found| found.keys.iter());
    let id = |key: &Key| usize::from(matches!(key.id, KeyId::Spki(_)));
    look(numbers.filter_map(|key| world.keys.get(key)).map(id));
}

/// The ids of the rows of keys.
pub(super) fn ids_of_rows(world: &World<'_>, join: &Join, keys: impl Iterator<Item = usize>) {
    look(entries(world, join, keys).map(|entry| entry.id.len()));
}

/// The rows of keys, which are numbered from one on.
pub(super) fn linked(world: &World<'_>, join: &Join, start: usize, count: usize) {
    let entries = || entries(world, join, start..start + count);
    look(entries().map(fields));
    look(entries().map(texts));
}

fn entries<'w>(
    world: &'w World<'_>,
    join: &'w Join,
    keys: impl Iterator<Item = usize>,
) -> impl Iterator<Item = &'w Entry> {
    let links = keys.flat_map(|key| join.links.get(key));
    links.filter_map(|link| Some(world.rows.get(link.row())?.entry))
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
