//! From sightings to keys and certificates.

use super::context::{Cert, Key};
use super::few::{Few, NONE, short};
use super::grouped::{ends, order};
use super::names::NameReader;
use super::trust::is_disabled;
use crate::model::{Certificate, Class, KeyId, Kind, Sha256Hex, Sighting};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::cmp::Ordering;
use std::hash::BuildHasher as _;

/// What the sightings are of.
pub(super) struct Gathered {
    /// Keys, in the order in which each is seen first: to walk them is to walk the sightings as they are kept.
    pub(super) keys: Vec<Key>,
    /// The numbers of the keys in the order of their ids, which is the order of all that is told.
    pub(super) by_id: Vec<u32>,
    /// Certificates, those of one key behind one another.
    pub(super) certificates: Vec<Cert>,
    /// The number of the key of each sighting.
    pub(super) key_of: Vec<u32>,
    /// Sightings that have no key.
    pub(super) others: Few,
}

/// What decides over which sightings a key is judged.
#[derive(Clone, Copy)]
struct Standing {
    class: Class,
    /// It only refers to the key, or lets nobody in.
    refers: bool,
    /// It is a certificate.
    certifies: bool,
}

/// Numbers keys as they come.
#[derive(Default)]
pub(super) struct Numbering {
    /// The id of each.
    ids: Vec<KeyId>,
    /// The number of each sighting's.
    key_of: Vec<u32>,
    /// And what decides whether that is judged over it.
    standings: Vec<Standing>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Numbering {
    /// For so many sightings.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            ids: Vec::with_capacity(count),
            key_of: Vec::with_capacity(count),
            standings: Vec::with_capacity(count),
            numbers: HashTable::with_capacity(count),
            ..Self::default()
        }
    }

    /// Adds the next sighting.
    pub(super) fn add(&mut self, sighting: &Sighting) {
        self.standings.push(Standing {
            class: sighting.class,
            refers: sighting.kind.is_reference() || is_disabled(sighting),
            certifies: sighting.kind == Kind::Certificate,
        });
        let Some(id) = &sighting.key_id else {
            self.key_of.push(NONE);
            return;
        };
        let Self {
            ids,
            key_of,
            numbers,
            hasher,
            ..
        } = self;
        let same = |&number: &u32| ids.get(number as usize) == Some(id);
        let hash = |&number: &u32| ids.get(number as usize).map_or(0, |id| hasher.hash_one(id));
        let next = short(ids.len());
        let number = *numbers
            .entry(hasher.hash_one(id), same, hash)
            .or_insert(next)
            .get();
        if number == next {
            ids.push(id.clone());
        }
        key_of.push(number);
    }
}

/// Finds the keys and certificates of sightings, which were numbered before.
pub(super) fn gather<'s>(
    sightings: &'s [Box<Sighting>],
    numbering: Numbering,
    names: &mut NameReader<'_, 's>,
) -> Gathered {
    let Numbering {
        ids,
        key_of,
        standings,
        ..
    } = numbering;
    let by_id = in_order(&ids);
    let ends = ends(ids.len(), key_of.iter().copied());
    let of_keys = order(&ends, key_of.iter().copied());
    let mut keys = Vec::with_capacity(ids.len());
    // At most; room that is not used takes no memory.
    let of_certificates = standings.iter().filter(|s| s.certifies);
    let mut certificates = Vec::with_capacity(of_certificates.count());
    let mut numbers: Vec<u32> = Vec::new();
    let mut seen: Vec<Seen<'_>> = Vec::new();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    for ((id, start), &end) in ids.into_iter().zip(starts).zip(&ends) {
        let range = start as usize..end as usize;
        let all = Few::from(of_keys.get(range).unwrap_or_default());
        let standing = |number: &u32| standings.get(*number as usize);
        let classes = all.as_slice().iter().filter_map(standing).map(|s| s.class);
        let class = classes.min().unwrap_or_default();
        let is_judged = |number: &&u32| standing(number).is_some_and(|s| s.class == class);
        numbers.clear();
        numbers.extend(all.as_slice().iter().filter(is_judged));
        let mut of_judged = numbers.iter().filter_map(standing);
        let reference_only = of_judged.all(|s| s.refers);
        let judged = Few::from(numbers.as_slice());
        numbers.clear();
        let of_certificate = |number: &&u32| standing(number).is_some_and(|s| s.certifies);
        seen.clear();
        for &number in all.as_slice().iter().filter(of_certificate) {
            let sighting = sightings.get(number as usize);
            seen.extend(sighting.and_then(|s| see(number, s)));
        }
        let key = short(keys.len());
        certificates_of(key, &judged, &mut seen, names, |cert| {
            if !cert.judged.is_empty() {
                numbers.push(short(certificates.len()));
            }
            certificates.push(cert);
        });
        keys.push(Key {
            id,
            class,
            all,
            judged,
            reference_only,
            certificates: Few::from(numbers.as_slice()),
        });
    }
    certificates.shrink_to_fit();
    let others = (0..).zip(&key_of).filter(|(_, key)| **key == NONE);
    let others: Vec<u32> = others.map(|(number, _)| number).collect();
    Gathered {
        by_id,
        keys,
        certificates,
        key_of,
        others: Few::from(others.as_slice()),
    }
}

/// The numbers of ids in the order of their texts.
fn in_order(ids: &[KeyId]) -> Vec<u32> {
    let beginnings = (0..).zip(ids).map(|(number, id)| {
        // In the order of the schemes' texts.
        let (scheme, bytes) = match id {
            KeyId::Opaque(digest) => (0u8, &digest.0[..]),
            KeyId::Pgp(text) => (1, text.as_bytes()),
            KeyId::Secret(digest) => (2, &digest.0[..]),
            KeyId::Spki(digest) => (3, &digest.0[..]),
            KeyId::Ssh(digest) => (4, &digest.0[..]),
        };
        let bytes = bytes.iter().copied().chain(std::iter::repeat(0));
        let beginning = bytes
            .take(8)
            .fold(0, |all, byte| all << 8 | u64::from(byte));
        (beginning, scheme, number)
    });
    // What begins the id is beside its number, so that sorting rarely looks further.
    let mut order: Vec<(u64, u8, u32)> = beginnings.collect();
    let id = |number: u32| ids.get(number as usize);
    order.sort_unstable_by(|one, other| {
        let beginning = |of: &(u64, u8, u32)| (of.1, of.0);
        let order = beginning(one).cmp(&beginning(other));
        order.then_with(|| match (id(one.2), id(other.2)) {
            (Some(one), Some(other)) => one.by_text(other),
            _ => Ordering::Equal,
        })
    });
    order.into_iter().map(|(_, _, number)| number).collect()
}

/// What tells a certificate from the others of its key.
#[derive(Clone, Copy)]
enum Mark<'s> {
    Digest(Sha256Hex),
    /// A sweep of another tool may lack digests; issuer and serial tell certificates apart too.
    Facts(&'s Certificate),
}

impl Mark<'_> {
    fn order(&self, other: &Self) -> Ordering {
        let text = |mark: &Self| match mark {
            Self::Digest(digest) => digest.to_string(),
            Self::Facts(facts) => format!("{} {}", facts.issuer, facts.serial),
        };
        match (self, other) {
            (Self::Digest(one), Self::Digest(other)) => one.cmp(other),
            _ => text(self).cmp(&text(other)),
        }
    }
}

/// One sighting of a certificate.
type Seen<'s> = (Mark<'s>, u32, &'s Certificate);

/// A sighting of a certificate, if it says what stands in it.
fn see(number: u32, sighting: &Sighting) -> Option<Seen<'_>> {
    let facts = sighting.certificate.as_deref()?;
    let digest = sighting.fingerprints.cert_sha256().map(Mark::Digest);
    Some((digest.unwrap_or(Mark::Facts(facts)), number, facts))
}

/// The certificates of a key that were seen, in the order of their marks.
fn certificates_of<'s>(
    key: u32,
    judged: &Few,
    seen: &mut [Seen<'s>],
    names: &mut NameReader<'_, 's>,
    mut each: impl FnMut(Cert),
) {
    seen.sort_by(|(one, ..), (other, ..)| one.order(other));
    let mut numbers: Vec<u32> = Vec::new();
    for group in seen.chunk_by(|(one, ..), (next, ..)| one.order(next).is_eq()) {
        let Some((mark, _, facts)) = group.first() else {
            continue;
        };
        numbers.clear();
        numbers.extend(group.iter().map(|(_, number, _)| *number));
        let of_group = Few::from(numbers.as_slice());
        numbers.retain(|&number| judged.contains(number as usize));
        let sha256 = match mark {
            Mark::Digest(digest) => Some(*digest),
            Mark::Facts(_) => None,
        };
        let subject = names.read_id(&facts.subject);
        let issuer = names.read_id(&facts.issuer);
        let lists = (of_group, Few::from(numbers.as_slice()));
        each(Cert::new(key, sha256, lists, (subject, issuer)));
    }
}
