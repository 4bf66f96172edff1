//! GnuPG's keybox, `pubring.kbx`: blobs one after the other, each with one OpenPGP key or one certificate (GnuPG's
//! `kbx/keybox-blob.c`, which describes the layout).

use crate::formats::wire::der::Element;
use crate::formats::wire::openpgp::keyring;
use crate::formats::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Nested,
    Reading,
};
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

/// The container.
pub struct GnupgKeybox;

const NAME: &str = "gnupg_keybox";
/// The largest keybox that is read.
const SIZE_MAX: usize = 32 << 20;
/// The magic number, and where in the first blob it stands.
const MAGIC: &[u8] = b"KBXf";
const MAGIC_AT: usize = 8;
/// Length of the first blob.
const HEADER: usize = 32;
/// The fields that come before a blob's list of keys, and the shortest blob.
const FIXED: usize = 20;
/// Digest at the end of a blob.
const CHECKSUM: usize = 20;
/// How many faults are told of one keybox.
const FAULTS_MAX: usize = 100;

impl Format for GnupgKeybox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::at_start(MAGIC_AT, MAGIC, Clue::Magic)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        let magic = bytes.get(MAGIC_AT..MAGIC_AT + MAGIC.len());
        // Length 32, type 1, version 1.
        let header = bytes.starts_with(&[0, 0, 0, 32, 1, 1]);
        if candidate.at != 0 || !candidate.at_start || magic != Some(MAGIC) || !header {
            return Reading::NotMine;
        }
        if !candidate.at_end && bytes.len() < SIZE_MAX {
            return Reading::NeedMore { from: 0 };
        }
        let mut keybox = Keybox::default();
        keybox.read(bytes, candidate.at_end);
        Reading::Found(keybox.finish(bytes.len()))
    }
}

#[derive(Default)]
struct Keybox {
    found: Found,
    keys: usize,
    certificates: usize,
    faults: usize,
}

impl Keybox {
    fn read(&mut self, bytes: &[u8], at_end: bool) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let length = u32_at(rest, 0).unwrap_or(0);
            let Some(blob) = rest.get(..length).filter(|_| length >= 5) else {
                let (reason, detail) = if !at_end && length >= 5 {
                    let detail = format!("larger than {} MiB", SIZE_MAX >> 20);
                    (GapReason::Limit, detail)
                } else if length >= 5 || rest.len() < 5 {
                    let detail = "a blob reaches past the end".to_owned();
                    (GapReason::Truncated, detail)
                } else {
                    let detail = "a blob is shorter than its own header".to_owned();
                    (GapReason::Malformed, detail)
                };
                self.fault(reason, at, &detail);
                return;
            };
            let read = match blob.get(4) {
                // Deleted; the first blob.
                Some(0) => Ok(()),
                Some(1) if at == 0 && length == HEADER => Ok(()),
                Some(2) => self.key(blob, at),
                Some(3) => self.certificate(blob, at),
                _ => Err("a blob of unknown type"),
            };
            if let Err(detail) = read {
                self.fault(GapReason::Malformed, at, detail);
            }
            at += length;
        }
    }

    fn key(&mut self, blob: &[u8], at: usize) -> Result<(), &'static str> {
        let (place, contents) = contents(blob)?;
        let before = self.found.artifacts.len();
        let tally = keyring::read(contents, at + place, Encoding::Binary, &mut self.found);
        self.keys += tally.keys;
        if tally.keys == 0 {
            return Err("a blob of an OpenPGP key without one");
        }
        if !is_intact(blob) {
            for artifact in self.found.artifacts.iter_mut().skip(before) {
                artifact
                    .notes
                    .push("the checksum of its blob does not fit".into());
            }
        }
        Ok(())
    }

    fn certificate(&mut self, blob: &[u8], at: usize) -> Result<(), &'static str> {
        let (place, contents) = contents(blob)?;
        if Element::read(contents).is_err() {
            return Err("a blob of a certificate without one");
        }
        self.certificates += 1;
        self.found.nested.push(Nested {
            declared: true,
            ..Nested::new(
                Clue::DerObject,
                Zeroizing::new(contents.to_vec()),
                Encoding::Der,
                at + place,
            )
        });
        Ok(())
    }

    fn fault(&mut self, reason: GapReason, offset: usize, detail: &str) {
        self.faults += 1;
        if self.faults <= FAULTS_MAX {
            self.found.faults.push(Fault {
                reason,
                offset,
                detail: format!("GnuPG keybox: {detail}"),
            });
        }
    }

    fn finish(mut self, end: usize) -> Found {
        let mut keybox = Artifact::new(Kind::Keystore, NAME, Encoding::Binary, KeyMaterial::None);
        let number = |number: usize, one: &str, many: &str| {
            format!("{number} {}", if number == 1 { one } else { many })
        };
        keybox.notes.push(
            format!(
                "holds {} and {}",
                number(self.keys, "OpenPGP key", "OpenPGP keys"),
                number(self.certificates, "certificate", "certificates")
            )
            .into(),
        );
        self.found.artifacts.insert(0, keybox);
        self.found.end = end;
        self.found
    }
}

/// What a blob is there for, and where in it that stands: never outside, where it would be another blob's.
fn contents(blob: &[u8]) -> Result<(usize, &[u8]), &'static str> {
    let fields = (u32_at(blob, 8), u32_at(blob, 12));
    let (Some(place), Some(length)) = fields else {
        return Err("a blob is shorter than its own header");
    };
    if place < FIXED {
        return Err("the contents of a blob overlap its own header");
    }
    place
        .checked_add(length)
        .and_then(|end| blob.get(place..end))
        .map(|contents| (place, contents))
        .ok_or("the contents of a blob reach outside of it")
}

/// SHA-1 over everything before it ends a blob.
fn is_intact(blob: &[u8]) -> bool {
    blob.len()
        .checked_sub(CHECKSUM)
        .and_then(|end| blob.split_at_checked(end))
        .is_some_and(|(data, checksum)| Sha1::digest(data).as_slice() == checksum)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let (number, _) = bytes.get(at..)?.split_first_chunk()?;
    usize::try_from(u32::from_be_bytes(*number)).ok()
}
