//! Looks at what keys are judged by before they are judged: their rows stand in another order than they do.

use super::context::{Key, World};
use super::join::Join;
use crate::model::ahead::{first, look, whole_sightings};
use std::ops::Range;

/// Looks at the sightings of keys, and at the rows that name them.
pub(super) fn keys(world: &World<'_>, join: &Join, numbers: Range<usize>) {
    let keys: &[Key] = world.keys.get(numbers.clone()).unwrap_or_default();
    whole_sightings(keys.iter().flat_map(|key| world.at(&key.all)));
    let links = numbers.flat_map(|key| join.links.get(key));
    let rows = links.filter_map(|link| world.rows.get(link.row()));
    look(
        rows.clone()
            .map(|row| row.places.len() + row.inventory as usize),
    );
    let entries = rows.map(|row| row.entry);
    look(entries.clone().map(|entry| {
        let dates = [entry.created, entry.expires];
        entry.id.len() + entry.identifiers.len() + dates.iter().flatten().count()
    }));
    look(entries.map(|entry| first(&entry.id) + entry.name.as_deref().map_or(0, first)));
}
