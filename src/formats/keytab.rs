//! Kerberos keytabs (MIT's "The keytab file format"): version 2 in network byte order, version 1 in that of the machine.

use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading, Secret,
};

/// The reader of a whole keytab.
pub struct Keytab;

const VERSION_2: &[u8] = &[5, 2];
const VERSION_1: &[u8] = &[5, 1];

/// The largest keytab that is read, in bytes.
const SIZE_MAX: usize = 16 << 20;
/// The most entries that are told.
const ENTRIES_MAX: usize = 50_000;
/// A principal's component is not longer.
const TEXT_MAX: usize = 4096;

impl Format for Keytab {
    fn name(&self) -> &'static str {
        "keytab"
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::at_start(0, VERSION_2, Clue::Magic),
                Signature::at_start(0, VERSION_1, Clue::Magic),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        if !candidate.at_start || candidate.at != 0 {
            return Reading::NotMine;
        }
        let swapped = match bytes.get(..2) {
            Some(VERSION_2) => false,
            Some(VERSION_1) => true,
            _ => return Reading::NotMine,
        };
        let body = bytes.get(2..).unwrap_or_default();
        // Two bytes prove little: the first record must be one before more is asked for.
        let layouts = if swapped {
            &[true, false][..]
        } else {
            &[false]
        };
        for little in layouts {
            let layout = Layout {
                version_1: swapped,
                little: *little,
            };
            match self.records(candidate, body, layout) {
                Reading::NotMine => {}
                reading => return reading,
            }
        }
        Reading::NotMine
    }
}

impl Keytab {
    fn records(&self, candidate: &Candidate<'_>, body: &[u8], layout: Layout) -> Reading {
        let mut found = Found {
            end: candidate.bytes.len(),
            ..Found::default()
        };
        let mut at = 0;
        let mut fail = None;
        while let Some(size) = layout.int32(body.get(at..).unwrap_or_default()) {
            let start = at + 4;
            // A file may end in zeros; a negative length is a hole that a removed entry left.
            if size == 0 {
                break;
            }
            let length = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
            let Some(end) = start.checked_add(length).filter(|end| *end <= SIZE_MAX) else {
                fail = Some((GapReason::Malformed, "a length beyond the limit"));
                break;
            };
            let Some(record) = body.get(start..end) else {
                let first = found.artifacts.is_empty();
                let here = body.get(start..).unwrap_or_default();
                if first && (size < 0 || !layout.begins(here)) {
                    return Reading::NotMine;
                }
                if !candidate.at_end {
                    return Reading::NeedMore { from: 0 };
                }
                fail = Some((GapReason::Truncated, "ends within an entry"));
                break;
            };
            if size > 0 {
                let Some(entry) = Entry::read(record, layout) else {
                    if found.artifacts.is_empty() {
                        return Reading::NotMine;
                    }
                    fail = Some((GapReason::Malformed, "an entry whose lengths do not fit"));
                    break;
                };
                if found.artifacts.len() >= ENTRIES_MAX {
                    fail = Some((GapReason::Limit, "more than 50000 entries"));
                    break;
                }
                found.artifacts.push(entry.artifact(self.name(), 2 + at));
            }
            at = end;
        }
        if found.artifacts.is_empty() && fail.is_none() {
            return Reading::NotMine;
        }
        if at >= body.len() && !candidate.at_end {
            return Reading::NeedMore { from: 0 };
        }
        if let Some((reason, detail)) = fail {
            if found.artifacts.is_empty() && reason == GapReason::Malformed {
                return Reading::NotMine;
            }
            found.faults.push(Fault {
                reason,
                offset: 2 + at,
                detail: format!("keytab: {detail}"),
            });
        }
        Reading::Found(found)
    }
}

/// Version and byte order.
#[derive(Clone, Copy)]
struct Layout {
    version_1: bool,
    little: bool,
}

impl Layout {
    fn int32(self, bytes: &[u8]) -> Option<i32> {
        let word = *bytes.first_chunk()?;
        Some(if self.little {
            i32::from_le_bytes(word)
        } else {
            i32::from_be_bytes(word)
        })
    }

    fn uint16(self, bytes: &[u8]) -> Option<u16> {
        let word = *bytes.first_chunk()?;
        Some(if self.little {
            u16::from_le_bytes(word)
        } else {
            u16::from_be_bytes(word)
        })
    }

    /// Whether an entry that is not all there begins like one: its realm is text.
    fn begins(self, record: &[u8]) -> bool {
        let mut fields = Fields {
            bytes: record,
            layout: self,
        };
        let count = fields.uint16().is_some_and(|n| (1..=16).contains(&n));
        count && fields.text().is_some()
    }
}

struct Fields<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn uint16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        self.layout.uint16(bytes)
    }

    fn uint32(&mut self) -> Option<u32> {
        let bytes = self.take(4)?;
        self.layout.int32(bytes).map(i32::cast_unsigned)
    }

    fn data(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.uint16()?);
        self.take(length)
    }

    /// A name: printable, not empty.
    fn text(&mut self) -> Option<&'a str> {
        let text = std::str::from_utf8(self.data()?).ok()?;
        let plain = !text.is_empty() && text.len() <= TEXT_MAX;
        (plain && !text.chars().any(char::is_control)).then_some(text)
    }
}

/// One entry.
struct Entry<'a> {
    principal: String,
    created: Option<jiff::Timestamp>,
    version: u32,
    encryption: u16,
    key: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(record: &'a [u8], layout: Layout) -> Option<Self> {
        let mut fields = Fields {
            bytes: record,
            layout,
        };
        // Version 1 counts the realm as well.
        let count = fields.uint16()?;
        let count = if layout.version_1 {
            count.checked_sub(1)?
        } else {
            count
        };
        if !(1..=16).contains(&count) {
            return None;
        }
        let realm = fields.text()?;
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(fields.text()?);
        }
        if !layout.version_1 {
            let _name_type = fields.uint32()?;
        }
        let seconds = fields.uint32()?;
        let short = fields.take(1)?.first().copied()?;
        let encryption = fields.uint16()?;
        let key = fields.data()?;
        // A 32-bit version follows where there is room for it.
        let long = fields.uint32().filter(|version| *version != 0);
        Some(Self {
            principal: format!("{}@{realm}", names.join("/")),
            created: jiff::Timestamp::from_second(i64::from(seconds)).ok(),
            version: long.unwrap_or(u32::from(short)),
            encryption,
            key,
        })
    }

    fn artifact(self, format: &'static str, offset: usize) -> Artifact {
        let key = KeyMaterial::Guessable(Secret::copy_of(self.key));
        let mut artifact = Artifact::new(Kind::SymmetricKey, format, Encoding::Binary, key);
        artifact.algorithm = Some(encryption_name(self.encryption).map_or_else(
            || format!("Kerberos encryption type {}", self.encryption).into(),
            Into::into,
        ));
        artifact.bits = u32::try_from(self.key.len())
            .ok()
            .and_then(|n| n.checked_mul(8));
        artifact.protection = Some(Protection::None);
        artifact.alias = Some(self.principal);
        artifact.created = self.created;
        artifact
            .notes
            .push(format!("key version (kvno) {}", self.version).into());
        artifact.offset = offset;
        artifact
    }
}

/// Names of IANA's registry "Kerberos Encryption Type Numbers".
const fn encryption_name(number: u16) -> Option<&'static str> {
    Some(match number {
        1 => "des-cbc-crc",
        2 => "des-cbc-md4",
        3 => "des-cbc-md5",
        5 => "des3-cbc-md5",
        7 => "des3-cbc-sha1",
        16 => "des3-cbc-sha1-kd",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        25 => "camellia128-cts-cmac",
        26 => "camellia256-cts-cmac",
        _ => return None,
    })
}
