//! The identifiers that were seen on keys.

use super::super::context::World;
use super::super::few::{NONE, long, short};
use super::super::names::NameId;
use super::super::tokens::{have_same_tokens, of_sighting};
use super::Token;
use super::index::Index;
use crate::model::{Sighting, ahead};
use foldhash::HashMap;

/// Sightings of one key that are remembered to tell whether a further one has identifiers of its own.
const FORMS: usize = 8;

/// An identifier that was seen on a key.
pub(super) struct OnKey {
    pub(super) token: Token,
    pub(super) key: u32,
    /// The certificate that it names, if it names one.
    pub(super) certificate: u32,
    pub(super) hash: u64,
    /// The first slot of the index with it.
    pub(super) slot: u32,
}

/// Collects the identifiers of keys, of the kinds that rows have.
pub(super) struct Seen<'w, 'a> {
    world: &'w World<'a>,
    index: &'w Index,
    /// The certificate of each sighting.
    certificate_of: Vec<u32>,
    alone: Alone,
    forms: Vec<&'w Sighting>,
    of_key: Vec<(Token, u32)>,
    pub(super) all: Vec<OnKey>,
}

impl<'w, 'a> Seen<'w, 'a> {
    pub(super) fn new(world: &'w World<'a>, index: &'w Index) -> Self {
        Self {
            world,
            index,
            certificate_of: certificates_by_sighting(world),
            alone: Alone::default(),
            forms: Vec::new(),
            of_key: Vec::new(),
            all: Vec::new(),
        }
    }

    /// Adds the identifiers of a key, each once.
    pub(super) fn add(&mut self, number: usize) {
        let Self {
            world,
            index,
            certificate_of,
            alone,
            forms,
            of_key,
            all,
        } = self;
        let world = *world;
        of_key.clear();
        forms.clear();
        if number.is_multiple_of(ahead::BATCH) {
            let batch = world.keys.iter().skip(number).take(ahead::BATCH);
            ahead::whole_sightings(batch.flat_map(|key| world.at(&key.all)));
        }
        let key = world.keys.get(number);
        for sighting in key.iter().flat_map(|key| key.all.iter()) {
            let Some(s) = world.sightings.get(sighting) else {
                continue;
            };
            // An authority is seen on every host, and has the same identifiers there.
            if forms.iter().any(|known| have_same_tokens(known, s)) {
                continue;
            }
            if forms.len() < FORMS {
                forms.push(s);
            }
            let certificate = certificate_of.get(sighting).copied().unwrap_or(NONE);
            let issuer = || issuer_of(world, s, certificate);
            of_sighting(s, index.methods, issuer, |token| {
                let certificate = match token.method().names_certificate() {
                    true => certificate,
                    false => NONE,
                };
                // A few are looked through sooner than sorted.
                if of_key.len() > FORMS || !of_key.contains(&(token, certificate)) {
                    of_key.push((token, certificate));
                }
                if let Some(issuer) = token.issuer() {
                    let alone = alone.names(world, issuer);
                    of_key.extend(alone.iter().map(|&i| (token.of_issuer(i), certificate)));
                }
            });
        }
        if of_key.len() > FORMS {
            of_key.sort_unstable();
            of_key.dedup();
        }
        all.extend(of_key.iter().map(|&(token, certificate)| OnKey {
            token,
            key: short(number),
            certificate,
            hash: index.hash(&token),
            slot: NONE,
        }));
    }
}

/// The issuer of a certificate that was seen.
fn issuer_of(world: &World<'_>, s: &Sighting, certificate: u32) -> Option<NameId> {
    let issuer = &s.certificate.as_deref()?.issuer;
    let certificate = world.certificates.get(long(certificate)?)?;
    if world.facts(certificate)?.issuer == *issuer {
        return Some(certificate.issuer);
    }
    Some(world.names.find(issuer)?.id)
}

/// The common names of issuers, as names of their own: a row may give an issuer's common name alone.
#[derive(Default)]
struct Alone(HashMap<NameId, Vec<NameId>>);

impl Alone {
    fn names(&mut self, world: &World<'_>, issuer: NameId) -> &[NameId] {
        let read = || world.names.common_alone(issuer).collect();
        self.0.entry(issuer).or_insert_with(read)
    }
}

/// The certificate of each sighting.
fn certificates_by_sighting(world: &World<'_>) -> Vec<u32> {
    let mut out = vec![NONE; world.sightings.len()];
    for (number, certificate) in world.certificates.iter().enumerate() {
        for sighting in certificate.sightings.iter() {
            if let Some(slot) = out.get_mut(sighting) {
                *slot = short(number);
            }
        }
    }
    out
}
