//! `duplicate_entry`: rows of one source that name the same thing at the same place.

use super::context::{Draft, World};
use super::join::{Join, Token};
use super::sweeps::tidy;
use crate::model::{EntryKind, EntryPlace, Flag};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a row names: an identifier as such, or what it was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Thing {
    Token(Token),
    Certificate(usize),
    Key(usize),
}

type Slot = (usize, Option<EntryKind>, Thing, Option<String>);

/// For each row that has a double, the finding.
pub(super) fn find(world: &World<'_>, join: &Join) -> BTreeMap<usize, Draft> {
    let mut slots: HashMap<Slot, Vec<usize>> = HashMap::new();
    for (number, row) in world.rows.iter().enumerate() {
        let mut things: Vec<Thing> = row
            .identifiers
            .iter()
            .flatten()
            .filter(|t| t.method().is_strong())
            .cloned()
            .map(Thing::Token)
            .collect();
        let keys = join.rows.get(number).map_or(&[][..], |r| &r.keys);
        for link in keys.iter().filter_map(|&k| join.link(k, number)) {
            things.extend(link.named.iter().map(|&c| Thing::Certificate(c)));
        }
        let names_key = |k: &usize| join.link(*k, number).is_some_and(|l| l.named.is_empty());
        things.extend(keys.iter().copied().filter(names_key).map(Thing::Key));
        let places: Vec<Option<String>> = match &*row.entry.places {
            [] => vec![None],
            places => places.iter().map(|p| Some(place_key(p))).collect(),
        };
        for thing in things {
            for place in &places {
                let slot = (row.inventory, row.entry.kind, thing.clone(), place.clone());
                let rows = slots.entry(slot).or_default();
                if rows.last() != Some(&number) {
                    rows.push(number);
                }
            }
        }
    }
    let mut out: BTreeMap<usize, usize> = BTreeMap::new();
    for rows in slots.values().filter(|rows| rows.len() > 1) {
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
