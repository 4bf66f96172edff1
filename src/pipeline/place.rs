//! Makes sightings of artifacts: identity, and the place in the source.

use super::content::{Scanner, Sink, Source};
use crate::detect::Detector;
use crate::formats;
use crate::identity;
use crate::model::{
    Artifact, Class, Gap, GapReason, Location, Passwords, Secret, Sighting, Unlock,
};
use crate::parse::Parser;
use std::io;
use std::sync::atomic::AtomicBool;

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
    Sighting {
        host: None,
        key_id: identity.key_id,
        probable_key: None,
        kind: artifact.kind,
        format: artifact.format.into(),
        encoding: artifact.encoding,
        algorithm: identity.algorithm,
        bits: identity.bits,
        curve: identity.curve,
        protection: artifact.protection,
        cipher: artifact.cipher,
        opened: artifact.opened,
        created: artifact.created,
        class: Class::Own,
        fingerprints: identity.fingerprints,
        location: Location {
            alias: artifact.alias,
            line,
            offset: Some(offset),
            ..Location::default()
        },
        file: None,
        certificate: artifact.certificate,
        ssh: artifact.ssh,
        pgp: artifact.pgp,
        notes,
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
    found.sightings.sort_by_key(|s| (s.location.offset, s.kind));
    (found.sightings, found.gaps)
}

struct Found<'a> {
    file_name: &'a [u8],
    sightings: Vec<Sighting>,
    gaps: Vec<Gap>,
}

impl Sink for Found<'_> {
    fn artifact(&mut self, artifact: Artifact, offset: u64, line: Option<u64>) {
        self.sightings.push(sighting(artifact, offset, line, None));
    }

    fn fault(&mut self, reason: GapReason, offset: u64, detail: String) {
        let mut gap = Gap::at(self.file_name, reason, detail);
        gap.offset = Some(offset);
        self.gaps.push(gap);
    }
}

struct Memory<'a>(&'a [u8]);

impl Source for Memory<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.0.get(offset..))
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(target), Some(source)) = (buffer.get_mut(..count), rest.get(..count)) {
            target.copy_from_slice(source);
        }
        Ok(count)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        Ok(Some(offset))
    }
}
