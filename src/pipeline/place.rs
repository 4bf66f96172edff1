//! Makes sightings of artifacts: identity, and the place in the source.

use super::content::{Scanner, Sink};
use super::inside::Chain;
use super::shared_primes;
use crate::archives::Memory;
use crate::detect::Detector;
use crate::formats;
use crate::identity;
use crate::model::{
    Artifact, Class, EntryFacts, Gap, GapReason, Location, Member, Passwords, Rare, RareLocation,
    Secret, SharedText, Sighting, Unlock,
};
use crate::parse::Parser;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A sighting of an artifact in a chain of members.
pub(super) fn sighting_inside(
    mut artifact: Artifact,
    offset: u64,
    line: Option<u64>,
    chain: &Chain,
    secret_id_key: Option<&Secret>,
) -> Sighting {
    for entry in chain.entries() {
        artifact.inherit(entry);
    }
    let mut sighting = sighting(artifact, offset, line, secret_id_key);
    let inside = chain.shared_members();
    if !inside.is_empty() {
        sighting.location.change(|rare| rare.inside = inside);
    }
    sighting
}

/// A sighting of an artifact; its path, file facts and class are still to be set.
pub fn sighting(
    artifact: Artifact,
    offset: u64,
    line: Option<u64>,
    secret_id_key: Option<&Secret>,
) -> Sighting {
    let identity = identity::identify_with(&artifact, secret_id_key);
    let mut notes = artifact.notes;
    notes.extend(identity.notes);
    let rare = Rare {
        cipher: artifact.cipher.map(SharedText::from),
        opened: artifact.opened,
        created: artifact.created,
        factorable: identity.factorable.map(SharedText::from),
        modulus: identity.modulus,
        images: None,
        notes: notes.into_iter().map(SharedText::from).collect(),
    };
    Sighting {
        host: None,
        key_id: identity.key_id,
        probable_key: None,
        kind: artifact.kind,
        format: artifact.format.into(),
        encoding: artifact.encoding,
        algorithm: identity.algorithm.map(SharedText::from),
        bits: identity.bits,
        curve: identity.curve.map(SharedText::from),
        protection: artifact.protection,
        class: Class::Own,
        fingerprints: identity.fingerprints.into(),
        location: Location {
            line: line.into(),
            offset: offset.into(),
            rare: RareLocation {
                alias: artifact.alias.map(SharedText::from),
                ..RareLocation::default()
            }
            .boxed(),
            ..Location::default()
        },
        file: None,
        certificate: artifact.certificate,
        ssh: artifact.ssh,
        pgp: artifact.pgp,
        rare: rare.boxed(),
    }
}

/// Examines bytes in memory as if they were a file of this name: sightings and gaps in the order of their places.
pub fn examine(bytes: &[u8], file_name: &[u8]) -> (Vec<Sighting>, Vec<Gap>) {
    examine_with(bytes, file_name, Unlock::NONE.passwords)
}

/// The same, with passwords to try on what is closed.
pub fn examine_with(
    bytes: &[u8],
    file_name: &[u8],
    passwords: &Passwords,
) -> (Vec<Sighting>, Vec<Gap>) {
    let detector = Detector::shared();
    let parser = Parser::new(formats::ALL);
    let stop = AtomicBool::new(false);
    let mut found = Found {
        file_name,
        chain: Chain::default(),
        sightings: Vec::new(),
        gaps: Vec::new(),
    };
    let mut read = 0;
    // Memory cannot fail to be read.
    let _ = Scanner::new(detector, &parser, &stop).scan_with(
        &Memory(bytes),
        file_name,
        passwords,
        &mut found,
        &mut read,
    );
    identity::fill_probable_keys(&mut found.sightings);
    shared_primes::tell(&mut found.sightings);
    found.sightings.sort_by(|a, b| {
        let key = |s: &Sighting| (s.location.offset, s.kind);
        a.location
            .inside()
            .cmp(b.location.inside())
            .then(key(a).cmp(&key(b)))
    });
    (found.sightings, found.gaps)
}

struct Found<'a> {
    file_name: &'a [u8],
    chain: Chain,
    sightings: Vec<Sighting>,
    gaps: Vec<Gap>,
}

impl Sink for Found<'_> {
    fn artifact(&mut self, artifact: Artifact, offset: u64, line: Option<u64>) {
        let sighting = sighting_inside(artifact, offset, line, &self.chain, None);
        self.sightings.push(sighting);
    }

    fn fault(&mut self, reason: GapReason, offset: u64, detail: String) {
        let mut gap = Gap::at(self.file_name, reason, detail);
        gap.offset = Some(offset);
        gap.inside = self.chain.members().to_vec();
        self.gaps.push(gap);
    }

    fn enter(&mut self, member: Member, entry: Option<Arc<EntryFacts>>) {
        self.chain.enter(member, entry);
    }

    fn leave(&mut self) {
        self.chain.leave();
    }
}
