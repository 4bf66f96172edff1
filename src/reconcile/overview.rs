//! What is asked most often of sightings, keys and rows, in tables that are small enough to stay in the processor's caches.

use super::context::{Row, World};
use super::dates;
use super::few::short;
use super::places::Place;
use crate::model::{EntryKind, KeyId, Kind, Sighting};

/// Kinds of sightings, keys and rows, by number. First every row and every sighting is added, and then the keys.
pub(super) struct Overview {
    kinds: Vec<Kind>,
    /// A bit for each kind among all sightings of a key, and the two below.
    keys: Vec<u16>,
    /// Sightings of private material that tell which key it probably is.
    probable: Vec<u32>,
    rows: Vec<RowBrief>,
}

/// What is asked of a row first.
#[derive(Clone, Copy)]
pub(super) struct RowBrief {
    /// What it says that it is.
    pub(super) kind: Option<EntryKind>,
    /// The thing is meant to be in use.
    pub(super) is_live: bool,
    /// Anything that a sighting could have identifies it.
    pub(super) has_identifiers: bool,
    /// Its own date of expiry has passed.
    pub(super) has_expired: bool,
    /// How many files it names.
    pub(super) files: u32,
}

/// The key is what stayed closed.
const CLOSED: u16 = 1 << 14;
/// The key has certificates among its judged sightings.
const CERTIFIED: u16 = 1 << 15;

const fn bit(kind: Kind) -> u16 {
    1 << kind as u16
}

impl Overview {
    pub(super) fn new(world: &World<'_>) -> Self {
        Self {
            kinds: Vec::with_capacity(world.sightings.len()),
            keys: Vec::with_capacity(world.keys.len()),
            probable: Vec::new(),
            rows: Vec::with_capacity(world.rows.len()),
        }
    }

    /// Adds the next row.
    pub(super) fn add_row(&mut self, world: &World<'_>, row: &Row<'_>) {
        let is_file = |place: &&Place<'_>| matches!(place, Place::Exact { .. });
        let expires = row.entry.expires;
        self.rows.push(RowBrief {
            kind: row.entry.kind,
            is_live: row.is_live(),
            has_identifiers: row.has_identifiers(),
            has_expired: expires.is_some_and(|expires| dates::passed(expires, world.now)),
            files: short(row.places.iter().filter(is_file).count()),
        });
    }

    /// Adds the next sighting.
    pub(super) fn add_sighting(&mut self, s: &Sighting) {
        if s.kind.is_private() && s.probable_key.is_some() {
            self.probable.push(short(self.kinds.len()));
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
                bits |= self.kind(sighting).map_or(0, bit);
            }
            self.keys.push(bits);
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

    fn is(&self, key: usize, bits: u16) -> bool {
        self.keys.get(key).is_some_and(|key| key & bits != 0)
    }

    /// The keys that were seen as one of this kind, in order.
    pub(super) fn keys_with(&self, kind: Kind) -> impl Iterator<Item = usize> {
        let keys = self.keys.iter().enumerate();
        keys.filter(move |(_, bits)| **bits & bit(kind) != 0)
            .map(|(key, _)| key)
    }
}
