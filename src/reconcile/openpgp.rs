//! What belongs together in OpenPGP: primary keys and their subkeys.

use super::few::long;
use crate::model::{Pgp, Sighting};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How many subkeys of one primary key are compared with each other.
const COMPARED_MAX: usize = 64;

/// The subkeys of each primary key, by its fingerprint.
#[derive(Debug, Default)]
pub(super) struct Families {
    subkeys: BTreeMap<String, BTreeMap<usize, Uses>>,
}

/// What a subkey may be used for, by its sighting that says it may be used the longest.
#[derive(Debug)]
struct Uses {
    capabilities: BTreeSet<String>,
    /// None is never.
    until: Option<Timestamp>,
    revoked: bool,
}

impl Families {
    /// Finds them among the sightings that OpenPGP says something of; `key_of` is the key of each of all.
    pub(super) fn find(pgp: &[u32], key_of: &[u32], sightings: &[Box<Sighting>]) -> Self {
        let mut out = Self::default();
        for &number in pgp {
            let of_key = key_of.get(number as usize).and_then(|&key| long(key));
            let seen = sightings.get(number as usize);
            let (Some(number), Some(pgp)) = (of_key, seen.and_then(|s| s.pgp.as_deref())) else {
                continue;
            };
            let Some(primary) = &pgp.primary else {
                continue;
            };
            let family = out.subkeys.entry(primary.clone()).or_default();
            let uses = family.entry(number).or_insert_with(|| Uses::of(pgp));
            uses.revoked |= pgp.revoked;
            if is_later(pgp.expires, uses.until) {
                uses.until = pgp.expires;
            }
        }
        out
    }

    /// Whether there is no subkey at all.
    pub(super) fn is_empty(&self) -> bool {
        self.subkeys.is_empty()
    }

    /// The keys that are subkeys of the primary key with this fingerprint.
    pub(super) fn subkeys(&self, primary: &str) -> impl Iterator<Item = usize> {
        let family = self.subkeys.get(primary).into_iter();
        family.flat_map(|family| family.keys().copied())
    }

    /// Whether another subkey of the same key does all that this one did, and for longer.
    pub(super) fn is_replaced(&self, key: usize, pgp: &Pgp) -> bool {
        let family = pgp.primary.as_ref().and_then(|p| self.subkeys.get(p));
        let others = family.into_iter().flatten().take(COMPARED_MAX);
        let does_all = |uses: &Uses| {
            pgp.capabilities
                .iter()
                .all(|c| uses.capabilities.contains(c))
        };
        !pgp.capabilities.is_empty()
            && others.filter(|(other, _)| **other != key).any(|(_, uses)| {
                !uses.revoked && does_all(uses) && is_later(uses.until, pgp.expires)
            })
    }
}

impl Uses {
    fn of(pgp: &Pgp) -> Self {
        Self {
            capabilities: pgp.capabilities.iter().cloned().collect(),
            until: pgp.expires,
            revoked: pgp.revoked,
        }
    }
}

/// Whether the first end is later than the second; none is never.
fn is_later(first: Option<Timestamp>, second: Option<Timestamp>) -> bool {
    match (first, second) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(first), Some(second)) => first > second,
    }
}

/// `OpenPGP key 6374A56455060F88 (Ada <ada@example.org>)`, for a sentence.
pub(super) fn title(sighting: &Sighting, pgp: &Pgp) -> String {
    let prints = &sighting.fingerprints;
    let id = prints.pgp_keyid().or(prints.pgp_fingerprint());
    let what = if pgp.primary.is_some() {
        "subkey"
    } else {
        "key"
    };
    let name = pgp.user_ids.first().map(|name| format!(" ({name})"));
    format!(
        "OpenPGP {what} {}{}",
        id.unwrap_or("without fingerprint"),
        name.unwrap_or_default()
    )
}
