//! The rows by their identifiers.

use super::super::context::World;
use super::super::few::{NONE, long, short};
use super::{BATCH, Token};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher as _;

/// Rows by their identifiers.
pub(super) struct Index {
    table: HashTable<u32>,
    hasher: RandomState,
    slots: Vec<Slot>,
    /// The kinds of identifiers that there are.
    pub(super) methods: u32,
}

/// A row that has an identifier.
struct Slot {
    token: Token,
    row: u32,
    /// The next slot with this identifier.
    next: u32,
}

impl Index {
    /// All rows; notes the kinds of their strong identifiers, and those that have an identifier in common with another.
    pub(super) fn of(world: &World<'_>, methods: &mut [u32], repeated: &mut [bool]) -> Self {
        let mut out = Self {
            // Most rows have one identifier.
            table: HashTable::with_capacity(world.rows.len()),
            hasher: RandomState::default(),
            // Some have several; room that is not used takes no memory.
            slots: Vec::with_capacity(2 * world.rows.len()),
            methods: 0,
        };
        // The last comes first: each new one is put before those that have the same identifier.
        let mut end = world.rows.len();
        let mut batch: Vec<(u64, Token, u32)> = Vec::new();
        for rows in world.rows.rchunks(BATCH) {
            batch.clear();
            let start = end - rows.len();
            for (number, row) in (start..).zip(rows) {
                let mut add = |token| batch.push((out.hash(&token), token, short(number)));
                row.tokens(&world.names, &mut add);
                row.decimal_tokens(&world.names).for_each(add);
                if let Some(methods) = methods.get_mut(number) {
                    *methods = row.strong_methods(true);
                }
            }
            end = start;
            for &(hash, token, row) in batch.iter().rev() {
                let other = out.add(hash, token, row);
                for row in other.into_iter().flat_map(|other| [row, other]) {
                    if let Some(slot) = repeated.get_mut(row as usize) {
                        *slot = true;
                    }
                }
            }
        }
        out
    }

    /// The digest by which an identifier is looked up.
    pub(super) fn hash(&self, token: &Token) -> u64 {
        self.hasher.hash_one(token)
    }

    /// Adds a row, and gives another one that has the identifier.
    fn add(&mut self, hash: u64, token: Token, row: u32) -> Option<u32> {
        self.methods |= token.method().bit();
        let Self {
            table,
            hasher,
            slots,
            ..
        } = self;
        let of = |number: &u32| slots.get(*number as usize);
        let same = |number: &u32| of(number).is_some_and(|slot| slot.token == token);
        let rehash = |number: &u32| of(number).map_or(0, |slot| hasher.hash_one(slot.token));
        let number = short(slots.len());
        let mut entry = table.entry(hash, same, rehash).or_insert(number);
        let first = std::mem::replace(entry.get_mut(), number);
        let known = slots.get(first as usize).map(|slot| slot.row);
        if known == Some(row) {
            // Two of its identifiers are the same.
            *entry.get_mut() = first;
            return None;
        }
        let next = if first == number { NONE } else { first };
        slots.push(Slot { token, row, next });
        known
    }

    /// The first slot with an identifier, by its digest.
    pub(super) fn first(&self, hash: u64, token: &Token) -> u32 {
        let slot = |number: u32| self.slots.get(long(number)?);
        let same = |number: &u32| slot(*number).is_some_and(|slot| slot.token == *token);
        self.table.find(hash, same).copied().unwrap_or(NONE)
    }

    /// The rows from a slot on, in their order.
    pub(super) fn rows(&self, first: u32) -> impl Iterator<Item = usize> {
        let slot = |number: u32| self.slots.get(long(number)?);
        std::iter::successors(slot(first), move |one| slot(one.next)).map(|one| one.row as usize)
    }
}
