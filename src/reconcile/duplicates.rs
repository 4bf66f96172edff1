//! `duplicate_entry`: rows of one source that name the same thing at the same place.

use super::context::{Draft, World};
use super::join::{Join, Link, Token};
use super::overview::Overview;
use super::sweeps::tidy;
use crate::model::{EntryKind, EntryPlace, Flag};
use arcstr::ArcStr;
use foldhash::HashMap;
use std::collections::BTreeMap;

/// What a row names: an identifier as such, or what it was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Token(Token),
    Certificate(usize),
    Key(usize),
}

/// A thing in one inventory, as one type of row.
type Slot = (u32, Option<EntryKind>, Thing);

/// More rows than this of one key are not compared with each other here.
const COMPARED_MAX: usize = 8;

/// The rows that have an identifier, or a key and a type, in common with another: no others name the same thing.
fn in_common(world: &World<'_>, overview: &Overview, join: &Join) -> Vec<bool> {
    let mut out = join.repeated.clone();
    let inventory = |link: &Link| world.rows.get(link.row()).map(|row| row.inventory);
    let same = |one: &Link, other: &Link| {
        one.row() != other.row()
            && overview.kind_of_row(one.row()) == overview.kind_of_row(other.row())
            && inventory(one) == inventory(other)
    };
    for links in (0..world.keys.len()).map(|key| join.links.get(key)) {
        if links.len() < 2 {
            continue;
        }
        for link in links {
            let crowd = links.len() > COMPARED_MAX;
            if (crowd || links.iter().any(|other| same(link, other)))
                && let Some(slot) = out.get_mut(link.row())
            {
                *slot = true;
            }
        }
    }
    out
}

/// For each row that has a double, the finding.
pub(super) fn find(world: &World<'_>, overview: &Overview, join: &Join) -> BTreeMap<usize, Draft> {
    let mut slots: Vec<(Slot, usize)> = Vec::new();
    let in_common = in_common(world, overview, join);
    let rows = world.rows.iter().zip(in_common).enumerate();
    for (number, (row, _)) in rows.filter(|(_, (_, in_common))| *in_common) {
        let mut add = |thing| slots.push(((row.inventory, row.entry.kind, thing), number));
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
    slots.sort_unstable();
    slots.dedup();
    let mut out: BTreeMap<usize, usize> = BTreeMap::new();
    let of_one_slot = slots.chunk_by(|(one, _), (next, _)| one == next);
    for slots in of_one_slot.filter(|slots| slots.len() > 1) {
        for rows in at_one_place(world, slots).filter(|rows| rows.len() > 1) {
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
fn at_one_place(
    world: &World<'_>,
    rows: &[(Slot, usize)],
) -> impl Iterator<Item = Vec<usize>> + use<> {
    let mut places: HashMap<Option<String>, Vec<usize>> = HashMap::default();
    for &(_, number) in rows {
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
    let any = |host: &Option<ArcStr>| host.as_deref().unwrap_or("*").to_lowercase();
    match place {
        EntryPlace::Exact { host, path } => format!("{}:{}", any(host), tidy(path)),
        EntryPlace::Glob { host, pattern } => format!("{}:{pattern}", any(host)),
        EntryPlace::Host(host) => host.to_lowercase(),
        EntryPlace::Elsewhere(text) => format!("elsewhere {}", text.to_lowercase()),
    }
}
