//! From sightings to keys and certificates.

use super::context::{Cert, Key};
use super::few::{Few, short};
use super::names::NameReader;
use super::trust::is_disabled;
use crate::model::{Certificate, KeyId, Kind, Sha256Hex, Sighting};
use std::cmp::Ordering;

/// Keys in order of their ids, their certificates, and the sightings that have no key.
pub(super) fn gather<'s>(
    sightings: &'s [Box<Sighting>],
    names: &mut NameReader<'_, 's>,
) -> (Vec<Key>, Vec<Cert>, Few) {
    let mut keyed: Vec<Keyed<'_>> = Vec::with_capacity(sightings.len());
    let mut others = Vec::new();
    for (number, sighting) in sightings.iter().enumerate() {
        match &sighting.key_id {
            Some(id) => keyed.push(Keyed::new(id, short(number))),
            None => others.push(short(number)),
        }
    }
    keyed.sort_unstable_by(Keyed::order);
    let groups = || keyed.chunk_by(|one, next| one.id == next.id);
    let mut keys = Vec::with_capacity(groups().count());
    let mut certificates = Vec::new();
    let mut all: Vec<u32> = Vec::new();
    let mut numbers: Vec<u32> = Vec::new();
    for group in groups() {
        let Some(id) = group.first().map(|one| one.id) else {
            continue;
        };
        all.clear();
        all.extend(group.iter().map(|one| one.number));
        let seen = |number: &u32| sightings.get(*number as usize);
        let class = all.iter().filter_map(seen).map(|s| s.class).min();
        let class = class.unwrap_or_default();
        let is_judged = |number: &&u32| seen(number).is_some_and(|s| s.class == class);
        numbers.clear();
        numbers.extend(all.iter().filter(is_judged));
        let reference_only = numbers
            .iter()
            .filter_map(seen)
            .all(|s| s.kind.is_reference() || is_disabled(s));
        let judged = Few::from(numbers.as_slice());
        let all = Few::from(all.as_slice());
        numbers.clear();
        certificates_of(
            short(keys.len()),
            sightings,
            (&all, &judged),
            names,
            |cert| {
                if !cert.judged.is_empty() {
                    numbers.push(short(certificates.len()));
                }
                certificates.push(cert);
            },
        );
        keys.push(Key {
            id: id.clone(),
            class,
            all,
            judged,
            reference_only,
            certificates: Few::from(numbers.as_slice()),
        });
    }
    certificates.shrink_to_fit();
    (keys, certificates, Few::from(others.as_slice()))
}

/// A sighting with its key; what begins the id is beside it, so that sorting rarely looks further.
struct Keyed<'s> {
    scheme: u8,
    number: u32,
    beginning: u64,
    id: &'s KeyId,
}

impl<'s> Keyed<'s> {
    fn new(id: &'s KeyId, number: u32) -> Self {
        // In the order of the schemes' texts.
        let (scheme, bytes) = match id {
            KeyId::Opaque(digest) => (0, &digest.0[..]),
            KeyId::Pgp(text) => (1, text.as_bytes()),
            KeyId::Secret(digest) => (2, &digest.0[..]),
            KeyId::Spki(digest) => (3, &digest.0[..]),
            KeyId::Ssh(digest) => (4, &digest.0[..]),
        };
        let beginning = bytes.iter().copied().chain(std::iter::repeat(0));
        Self {
            scheme,
            number,
            beginning: beginning
                .take(8)
                .fold(0, |all, byte| all << 8 | u64::from(byte)),
            id,
        }
    }

    /// By key, then as the sightings were.
    fn order(&self, other: &Self) -> Ordering {
        let beginning = |one: &Self| (one.scheme, one.beginning);
        let order = beginning(self).cmp(&beginning(other));
        order
            .then_with(|| self.id.by_text(other.id))
            .then(self.number.cmp(&other.number))
    }
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

/// The certificates of a key, in the order of their marks.
fn certificates_of<'s>(
    key: u32,
    sightings: &'s [Box<Sighting>],
    (all, judged): (&Few, &Few),
    names: &mut NameReader<'_, 's>,
    mut each: impl FnMut(Cert),
) {
    let mut seen: Vec<(Mark<'s>, u32, &'s Certificate)> = Vec::new();
    for number in all.iter() {
        let Some(sighting) = sightings.get(number) else {
            continue;
        };
        let facts = sighting.certificate.as_deref();
        let Some(facts) = facts.filter(|_| sighting.kind == Kind::Certificate) else {
            continue;
        };
        let digest = sighting.fingerprints.cert_sha256.map(Mark::Digest);
        let mark = digest.unwrap_or(Mark::Facts(facts));
        seen.push((mark, short(number), facts));
    }
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
