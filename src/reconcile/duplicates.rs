//! `duplicate_entry`: rows of one source that name the same thing at the same place.

use super::context::{Draft, World};
use super::join::{Join, Token};
use super::sweeps::tidy;
use crate::model::{EntryKind, EntryPlace, Flag};
use foldhash::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a row names: an identifier as such, or what it was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Thing {
    Token(Token),
    Certificate(usize),
    Key(usize),
}

/// A thing in one inventory, as one type of row.
type Slot = (usize, Option<EntryKind>, Thing);

/// The rows that have an identifier or a key in common with another: no others name the same thing.
fn in_common(world: &World<'_>, join: &Join) -> Vec<bool> {
    let mut out = join.repeated.clone();
    for links in (0..world.keys.len()).map(|key| join.links.get(key)) {
        for link in links.iter().filter(|_| links.len() > 1) {
            if let Some(slot) = out.get_mut(link.row()) {
                *slot = true;
            }
        }
    }
    out
}

/// For each row that has a double, the finding.
pub(super) fn find(world: &World<'_>, join: &Join) -> BTreeMap<usize, Draft> {
    let mut slots: HashMap<Slot, Vec<usize>> = HashMap::default();
    let in_common = in_common(world, join);
    let rows = world.rows.iter().zip(in_common).enumerate();
    for (number, (row, _)) in rows.filter(|(_, (_, in_common))| *in_common) {
        let mut add = |thing| {
            let slot = (row.inventory, row.entry.kind, thing);
            let rows = slots.entry(slot).or_default();
            if rows.last() != Some(&number) {
                rows.push(number);
            }
        };
        row.tokens(&world.names, |token| {
            if token.method().is_strong() {
                add(Thing::Token(token));
            }
        });
        let keys = join.rows.get(number).into_iter();
        for key in keys.flat_map(|r| r.keys.iter()) {
            let Some(link) = join.link(key, number) else {
                continue;
            };
            link.named.iter().map(Thing::Certificate).for_each(&mut add);
            if link.named.is_empty() {
                add(Thing::Key(key));
            }
        }
    }
    let mut out: BTreeMap<usize, usize> = BTreeMap::new();
    for rows in slots.values().filter(|rows| rows.len() > 1) {
        for rows in at_one_place(world, rows).filter(|rows| rows.len() > 1) {
            for (at, &row) in rows.iter().enumerate() {
                // The first names the second, every further one the first.
                let Some(&other) = rows.get(usize::from(at == 0)) else {
                    continue;
                };
                out.entry(row)
                    .and_modify(|o| *o = (*o).min(other))
                    .or_insert(other);
            }
        }
    }
    let draft = |(row, other): (usize, usize)| {
        let (own, double) = (world.rows.get(row)?, world.rows.get(other)?);
        let why = format!(
            "{} ({}) and {} ({}) name the same thing at the same place",
            own.title(),
            own.entry.source,
            double.title(),
            double.entry.source
        );
        Some((
            row,
            Draft::new(
                Flag::DuplicateEntry,
                world.policy.severity(Flag::DuplicateEntry),
                why,
            ),
        ))
    };
    out.into_iter().filter_map(draft).collect()
}

/// Rows by the places that they name.
fn at_one_place(world: &World<'_>, rows: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let mut places: HashMap<Option<String>, Vec<usize>> = HashMap::default();
    for &number in rows {
        let Some(row) = world.rows.get(number) else {
            continue;
        };
        let of_row = row.entry.places.iter().map(|place| Some(place_key(place)));
        let none = row.entry.places.is_empty().then_some(None);
        for place in of_row.chain(none) {
            let rows = places.entry(place).or_default();
            if rows.last() != Some(&number) {
                rows.push(number);
            }
        }
    }
    places.into_values()
}

/// One text for one place; two spellings of a path are one place.
fn place_key(place: &EntryPlace) -> String {
    let any = |host: &Option<Arc<str>>| host.as_deref().unwrap_or("*").to_lowercase();
    match place {
        EntryPlace::Exact { host, path } => format!("{}:{}", any(host), tidy(path)),
        EntryPlace::Glob { host, pattern } => format!("{}:{pattern}", any(host)),
        EntryPlace::Host(host) => host.to_lowercase(),
        EntryPlace::Elsewhere(text) => format!("elsewhere {}", text.to_lowercase()),
    }
}
