//! What is asked most often of sightings, keys and rows, in tables that are small enough to stay in the processor's caches.

use super::context::{Row, World};
use super::dates;
use super::exposure::is_trust_anchor;
use super::few::short;
use super::ownership::is_owned;
use super::places::Place;
use super::rotation::is_overdue;
use crate::model::{EntryKind, Further, Identifier, KeyId, Kind, Protection, Sighting, Ssh, State};

/// Kinds of sightings, keys and rows, by number. First every row and every sighting is added, and then the keys.
pub(super) struct Overview {
    kinds: Vec<Kind>,
    /// Sightings with anything of what few have, in order.
    special: Vec<(u32, u32)>,
    /// A bit for each kind among all sightings of a key, and those below.
    keys: Vec<u32>,
    /// Sightings of private material that tell which key it probably is.
    probable: Vec<u32>,
    rows: Vec<RowBrief>,
}

/// What is asked of a row first: what it can be asked further, and what need not be.
#[derive(Clone, Copy)]
pub(super) struct RowBrief {
    /// What it says that it is.
    pub(super) kind: Option<EntryKind>,
    facts: u16,
    /// How many files it names.
    pub(super) files: u32,
    /// The word for its environment, by number.
    pub(super) environment: Option<u32>,
}

/// Something that holds of a row.
#[derive(Clone, Copy)]
#[repr(u16)]
pub(super) enum Fact {
    /// The thing is meant to be in use.
    Live = 1 << 0,
    /// Its state is active, or it has none.
    Active = 1 << 1,
    /// Anything that a sighting could have identifies it.
    Identified = 1 << 2,
    /// Somebody answers for it.
    Owned = 1 << 3,
    /// A file sweep can look at one of its places.
    Checkable = 1 << 4,
    /// It has a field that a certificate or a key has too.
    Comparable = 1 << 5,
    /// It has a date of expiry.
    Ends = 1 << 6,
    /// That has passed.
    Ended = 1 << 7,
    /// It must have been rotated by now.
    Overdue = 1 << 8,
    /// It says that it was rotated.
    Rotated = 1 << 9,
}

impl RowBrief {
    fn of(world: &World<'_>, row: &Row<'_>) -> Self {
        let entry = row.entry;
        let is_file = |place: &&Place<'_>| matches!(place, Place::Exact { .. });
        let is_serial = |identifier: &Identifier| {
            matches!(
                identifier,
                Identifier::Serial(_) | Identifier::IssuerSerial { .. }
            )
        };
        let further = entry.further.as_deref();
        let is_compared = |further: &Further| {
            further.algorithm.is_some()
                || further.bits.is_some()
                || further.subject.is_some()
                || !further.sans.is_empty()
        };
        let is_comparable = entry.expires.is_some()
            || further.is_some_and(is_compared)
            || entry.identifiers.iter().any(is_serial);
        let is_rotated = |further: &Further| further.last_rotated.is_some();
        let has_ended = |end| dates::passed(end, world.now);
        let facts = [
            (Fact::Live, row.is_live()),
            (Fact::Active, row.state() == State::Active),
            (Fact::Identified, row.has_identifiers()),
            (Fact::Owned, is_owned(world, row)),
            (Fact::Checkable, row.is_checkable()),
            (Fact::Comparable, is_comparable),
            (Fact::Ends, entry.expires.is_some()),
            (Fact::Ended, entry.expires.is_some_and(has_ended)),
            (Fact::Overdue, is_overdue(world, row)),
            (Fact::Rotated, further.is_some_and(is_rotated)),
        ];
        let holding = facts.iter().filter(|(_, holds)| *holds);
        Self {
            kind: entry.kind,
            facts: holding.fold(0, |all, (fact, _)| all | *fact as u16),
            files: short(row.places.iter().filter(is_file).count()),
            environment: row.environment,
        }
    }

    /// Whether something holds of it.
    pub(super) const fn is(self, fact: Fact) -> bool {
        self.facts & fact as u16 != 0
    }
}

/// The key is what stayed closed.
const CLOSED: u32 = 1 << 14;
/// The key has certificates among its judged sightings.
const CERTIFIED: u32 = 1 << 15;
/// Private material of the key stands in clear.
const CLEAR: u32 = 1 << 16;
/// A certificate of the key is where the system takes its trust anchors from.
const STORED: u32 = 1 << 17;
/// OpenSSH or OpenPGP says how long the key is valid.
const DATED: u32 = 1 << 18;
/// A sighting of the key has what few have.
const RARE: u32 = 1 << 19;
/// Anything of the key is private or secret.
const PRIVATE: u32 = 1 << 20;

const fn bit(kind: Kind) -> u32 {
    1 << kind as u32
}

/// What few sightings have, as bits.
fn special(s: &Sighting) -> u32 {
    let mut bits = 0;
    if s.protection == Some(Protection::None) && s.kind.is_private() {
        bits |= CLEAR;
    }
    if s.kind == Kind::Certificate && is_trust_anchor(s) {
        bits |= STORED;
    }
    let dated = |ssh: &Ssh| {
        let rare = ssh.rare();
        rare.valid_after.is_some() || rare.valid_before.is_some()
    };
    if s.pgp.is_some() || s.ssh.as_deref().is_some_and(dated) {
        bits |= DATED;
    }
    if s.rare.is_some() {
        bits |= RARE;
    }
    bits
}

impl Overview {
    pub(super) fn new(world: &World<'_>) -> Self {
        Self {
            kinds: Vec::with_capacity(world.sightings.len()),
            special: Vec::new(),
            keys: Vec::with_capacity(world.keys.len()),
            probable: Vec::new(),
            rows: Vec::with_capacity(world.rows.len()),
        }
    }

    /// Adds the next row.
    pub(super) fn add_row(&mut self, world: &World<'_>, row: &Row<'_>) {
        self.rows.push(RowBrief::of(world, row));
    }

    /// Adds the next sighting.
    pub(super) fn add_sighting(&mut self, s: &Sighting) {
        if s.kind.is_private() && s.probable_key.is_some() {
            self.probable.push(short(self.kinds.len()));
        }
        let special = special(s);
        if special != 0 {
            self.special.push((short(self.kinds.len()), special));
        }
        self.kinds.push(s.kind);
    }

    /// Adds all keys, when every sighting was added.
    pub(super) fn add_keys(&mut self, world: &World<'_>) {
        for key in &world.keys {
            let mut bits = match key.id {
                KeyId::Opaque(_) => CLOSED,
                _ => 0,
            };
            if !key.certificates.is_empty() {
                bits |= CERTIFIED;
            }
            for sighting in key.all.iter() {
                let Some(kind) = self.kind(sighting) else {
                    continue;
                };
                bits |= bit(kind);
                if kind.is_private() {
                    bits |= PRIVATE;
                }
            }
            self.keys.push(bits);
        }
        for &(sighting, bits) in &self.special {
            let key = world.key(sighting as usize);
            if let Some(key) = key.and_then(|key| self.keys.get_mut(key)) {
                *key |= bits;
            }
        }
    }

    /// The kind of a sighting.
    pub(super) fn kind(&self, sighting: usize) -> Option<Kind> {
        self.kinds.get(sighting).copied()
    }

    /// The kinds of all sightings, in their order.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (usize, Kind)> {
        self.kinds.iter().copied().enumerate()
    }

    /// Sightings of private material that tell which key it probably is.
    pub(super) fn probable(&self) -> &[u32] {
        &self.probable
    }

    /// What is asked of a row first.
    pub(super) fn row(&self, row: usize) -> Option<RowBrief> {
        self.rows.get(row).copied()
    }

    /// Whether something holds of a row.
    pub(super) fn row_is(&self, row: usize, fact: Fact) -> bool {
        self.rows.get(row).is_some_and(|row| row.is(fact))
    }

    /// What a row says that it is.
    pub(super) fn kind_of_row(&self, row: usize) -> Option<EntryKind> {
        self.row(row).and_then(|row| row.kind)
    }

    /// Whether a key was seen as one of this kind.
    pub(super) fn has(&self, key: usize, kind: Kind) -> bool {
        self.is(key, bit(kind))
    }

    /// Whether a key is what stayed closed.
    pub(super) fn is_closed(&self, key: usize) -> bool {
        self.is(key, CLOSED)
    }

    /// Whether a key has certificates among its judged sightings.
    pub(super) fn is_certified(&self, key: usize) -> bool {
        self.is(key, CERTIFIED)
    }

    /// Whether anything of a key is private or secret.
    pub(super) fn is_private(&self, key: usize) -> bool {
        self.is(key, PRIVATE)
    }

    /// Whether private material of a key stands in clear.
    pub(super) fn is_in_clear(&self, key: usize) -> bool {
        self.is(key, CLEAR)
    }

    /// Whether a certificate of a key is where the system takes its trust anchors from.
    pub(super) fn is_trusted(&self, key: usize) -> bool {
        self.is(key, STORED)
    }

    /// Whether OpenSSH or OpenPGP says how long a key is valid.
    pub(super) fn is_dated(&self, key: usize) -> bool {
        self.is(key, DATED)
    }

    /// Whether a sighting of a key has what few have.
    pub(super) fn is_rare(&self, key: usize) -> bool {
        self.is(key, RARE)
    }

    fn is(&self, key: usize, bits: u32) -> bool {
        self.keys.get(key).is_some_and(|key| key & bits != 0)
    }

    /// The keys that were seen as one of this kind, in order.
    pub(super) fn keys_with(&self, kind: Kind) -> impl Iterator<Item = usize> {
        let keys = self.keys.iter().enumerate();
        keys.filter(move |(_, bits)| **bits & bit(kind) != 0)
            .map(|(key, _)| key)
    }
}
