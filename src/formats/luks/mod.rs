//! Headers of LUKS volumes, versions 1 and 2 ("LUKS1 On-Disk Format Specification" 1.2.3; "LUKS2 On-Disk Format
//! Specification" 1.1.2): the volume key lies in them under passphrases and other means, one a key slot. They are told and
//! not opened. Read from the first byte of a file or device; of LUKS2 the second header stands in for a broken first one.

mod luks1;
mod luks2;

use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading,
};

/// The reader of a header, detached or before its data.
pub struct Luks;

const MAGIC: &[u8] = b"LUKS\xba\xbe";
/// The magic number of the second header of LUKS2.
const MAGIC_2: &[u8] = b"SKUL\xba\xbe";
/// Places of the second header that are searched where the first one is gone: those within the first 64 KiB.
const PLACES: [usize; 2] = [0x4000, 0x8000];

impl Format for Luks {
    fn name(&self) -> &'static str {
        "luks"
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::at_start(0, MAGIC, Clue::Magic),
                Signature::at_start(PLACES[0], MAGIC_2, Clue::Magic),
                Signature::at_start(PLACES[1], MAGIC_2, Clue::Magic),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        if candidate.at != 0 || !candidate.at_start {
            return Reading::NotMine;
        }
        let read = match bytes.strip_prefix(MAGIC) {
            Some([0, 1, ..]) => luks1::read(bytes),
            Some([0, 2, ..]) => luks2::read(bytes, candidate.at_end),
            Some([_, _, ..]) => return Reading::NotMine,
            Some(_) => Err(Stop::Cut),
            None => {
                let begins = |place: &usize| {
                    let there = bytes.get(*place..).unwrap_or_default();
                    there.starts_with(MAGIC_2)
                };
                match PLACES.into_iter().find(begins) {
                    Some(place) => luks2::read_second(bytes, &[place]),
                    None => return Reading::NotMine,
                }
            }
        };
        match read {
            Ok(header) => self.told(header),
            Err(Stop::Other) => Reading::NotMine,
            Err(Stop::Cut) if !candidate.at_end => Reading::NeedMore { from: 0 },
            Err(Stop::Cut) => fault(GapReason::Truncated, "LUKS: the header is cut off"),
            Err(Stop::Broken(what)) => fault(GapReason::Malformed, what),
        }
    }
}

impl Luks {
    fn told(&self, header: Header) -> Reading {
        let mut keystore = Artifact::new(
            Kind::Keystore,
            self.name(),
            Encoding::Binary,
            KeyMaterial::None,
        );
        keystore.protection = Some(Protection::Encrypted);
        keystore.cipher = header.cipher;
        keystore.notes = header.notes.into_iter().map(Into::into).collect();
        let used = header.slots;
        let slots = if used == 1 { "key slot" } else { "key slots" };
        Reading::Found(Found {
            artifacts: vec![keystore],
            faults: vec![Fault {
                reason: GapReason::Encrypted,
                offset: 0,
                detail: format!("LUKS{}: a volume with {used} {slots}", header.version),
            }],
            end: header.end,
            ..Found::default()
        })
    }
}

/// What a header says.
struct Header {
    version: u8,
    cipher: Option<String>,
    /// Key slots in use.
    slots: usize,
    notes: Vec<String>,
    /// Where the search goes on.
    end: usize,
}

/// Why there is no header.
enum Stop {
    /// None of LUKS.
    Other,
    /// It ends too early.
    Cut,
    /// It is not as it should be.
    Broken(&'static str),
}

fn fault(reason: GapReason, detail: &str) -> Reading {
    Reading::Found(Found {
        faults: vec![Fault {
            reason,
            offset: 0,
            detail: detail.to_owned(),
        }],
        // Behind the magic number: other things may follow.
        end: MAGIC.len(),
        ..Found::default()
    })
}

/// A text that ends with a zero octet or fills its field.
fn text(field: &[u8]) -> String {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}
