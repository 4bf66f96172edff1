//! The headers of LUKS2 ("LUKS2 On-Disk Format Specification", sections 2 and 3): a binary one of 4,096 octets, whose numbers
//! are big-endian, and an area of JSON; both stand there twice.

use super::{Header, MAGIC, MAGIC_2, Stop, text};
use crate::formats::wire::pbe::Hash;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How long the binary header is.
const BINARY: usize = 4096;
/// Lengths of a header with its JSON that the specification allows.
const SIZE_MIN: usize = 16 << 10;
const SIZE_MAX: usize = 4 << 20;
/// Where the checksum stands, and how long its field is.
const CHECKSUM: usize = 448;
const CHECKSUM_LENGTH: usize = 64;
/// The most key slots that cryptsetup makes, tokens and segments too.
const ITEMS_MAX: usize = 32;

/// The first header, or where it is broken the second, right behind it.
pub(super) fn read(bytes: &[u8], at_end: bool) -> Result<Header, Stop> {
    let (stop, places) = match Binary::read(bytes, 0) {
        Ok(binary) => match binary.verified(bytes) {
            Ok(json) => return told(&binary, json, None),
            Err(stop) => (stop, vec![binary.size]),
        },
        Err(stop) => (stop, places()),
    };
    if matches!(stop, Stop::Cut) {
        return Err(stop);
    }
    match read_second(bytes, &places) {
        Err(Stop::Other) => Err(stop),
        Err(Stop::Cut) if at_end => Err(stop),
        other => other,
    }
}

/// The first of the second headers at these places that is whole.
pub(super) fn read_second(bytes: &[u8], places: &[usize]) -> Result<Header, Stop> {
    let mut last = Stop::Other;
    for place in places {
        if !bytes.get(*place..).is_some_and(|b| b.starts_with(MAGIC_2)) {
            // It may lie in what is still to come.
            if bytes.len() < place.saturating_add(MAGIC_2.len()) && matches!(last, Stop::Other) {
                last = Stop::Cut;
            }
            continue;
        }
        let binary = Binary::read(bytes, *place);
        let whole = binary.and_then(|binary| Ok((binary.verified(bytes)?, binary)));
        match whole {
            Ok((json, binary)) => return told(&binary, json, Some(*place)),
            Err(stop) => last = stop,
        }
    }
    Err(last)
}

/// Where a second header may stand: behind a first one of each length that is allowed.
fn places() -> Vec<usize> {
    let lengths = std::iter::successors(Some(SIZE_MIN), |length| Some(length * 2));
    lengths.take_while(|length| *length <= SIZE_MAX).collect()
}

/// The binary header.
struct Binary {
    at: usize,
    /// With its JSON.
    size: usize,
    sequence: u64,
    label: String,
    subsystem: String,
    uuid: String,
    algorithm: String,
    checksum: Vec<u8>,
}

impl Binary {
    fn read(bytes: &[u8], at: usize) -> Result<Self, Stop> {
        let header = bytes.get(at..).unwrap_or_default();
        let header = header.get(..BINARY).ok_or(Stop::Cut)?;
        let field = |at: usize, length: usize| header.get(at..at + length).unwrap_or_default();
        let number = |at: usize| {
            let number = field(at, 8).first_chunk::<8>();
            number.map_or(0, |number| u64::from_be_bytes(*number))
        };
        let magic = field(0, MAGIC.len());
        if (magic != MAGIC && magic != MAGIC_2) || field(6, 2) != [0, 2] {
            return Err(Stop::Other);
        }
        let size = usize::try_from(number(8)).unwrap_or(usize::MAX);
        let allowed = (SIZE_MIN..=SIZE_MAX).contains(&size) && size.is_multiple_of(BINARY);
        if !allowed {
            return Err(Stop::Broken("LUKS2: the header has a length that none has"));
        }
        if usize::try_from(number(256)) != Ok(at) {
            return Err(Stop::Broken("LUKS2: the header names another place"));
        }
        Ok(Self {
            at,
            size,
            sequence: number(16),
            label: text(field(24, 48)),
            algorithm: text(field(72, 32)),
            uuid: text(field(168, 40)),
            subsystem: text(field(208, 48)),
            checksum: field(CHECKSUM, CHECKSUM_LENGTH).to_vec(),
        })
    }

    /// The JSON, if the checksum over all of the header agrees.
    fn verified<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Stop> {
        let end = self.at.saturating_add(self.size);
        let header = bytes.get(self.at..end).ok_or(Stop::Cut)?;
        let hash = match self.algorithm.as_str() {
            "sha1" => Hash::Sha1,
            "sha256" => Hash::Sha256,
            "sha384" => Hash::Sha384,
            "sha512" => Hash::Sha512,
            _ => return Err(Stop::Broken("LUKS2: a checksum that is not known")),
        };
        let before = header.get(..CHECKSUM).unwrap_or_default();
        let behind = header.get(CHECKSUM + CHECKSUM_LENGTH..).unwrap_or_default();
        let digest = hash.digest(&[before, &[0; CHECKSUM_LENGTH], behind]);
        if self.checksum.get(..digest.len()) != Some(&digest) {
            return Err(Stop::Broken("LUKS2: the checksum does not agree"));
        }
        let json = header.get(BINARY..).unwrap_or_default();
        let length = memchr::memchr(0, json).unwrap_or(json.len());
        Ok(json.get(..length).unwrap_or_default())
    }
}

fn told(binary: &Binary, json: &[u8], second: Option<usize>) -> Result<Header, Stop> {
    let metadata: Metadata = serde_json::from_slice(json)
        .map_err(|_| Stop::Broken("LUKS2: the metadata is not the JSON that it should be"))?;
    let mut notes = vec![format!("LUKS2, UUID {}", binary.uuid)];
    let mut add = |before: &str, value: &str| {
        if !value.is_empty() {
            notes.push(format!("{before} {value}"));
        }
    };
    add("label", &binary.label);
    add("subsystem", &binary.subsystem);
    add("epoch", &binary.sequence.to_string());
    let mut bits = None;
    for (number, slot) in metadata.keyslots.iter().take(ITEMS_MAX) {
        bits = bits.or(slot.key_size);
        add(&format!("key slot {number}:"), &slot.told());
    }
    for (number, token) in metadata.tokens.iter().take(ITEMS_MAX) {
        add(&format!("token {number}:"), &token.kind);
    }
    if let Some(place) = second {
        notes.push(format!(
            "told by the second header, at {place}: the first is broken"
        ));
    }
    let segment = metadata.segments.values().next();
    let cipher = segment.and_then(|segment| segment.encryption.clone());
    let cipher = cipher.map(|cipher| match bits {
        Some(octets) => format!("{cipher}, key of {} bits", octets.saturating_mul(8)),
        None => cipher,
    });
    let end = match second {
        Some(place) => place.saturating_add(binary.size),
        // The second one says the same.
        None => binary.size.saturating_mul(2),
    };
    Ok(Header {
        version: 2,
        cipher,
        slots: metadata.keyslots.len(),
        notes,
        end,
    })
}

/// The JSON, as far as it is told.
#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    keyslots: BTreeMap<u32, Keyslot>,
    #[serde(default)]
    tokens: BTreeMap<u32, Token>,
    #[serde(default)]
    segments: BTreeMap<u32, Segment>,
}

#[derive(Deserialize)]
struct Keyslot {
    #[serde(rename = "type", default)]
    kind: String,
    /// Octets of the volume key.
    key_size: Option<u64>,
    kdf: Option<Kdf>,
}

#[derive(Deserialize)]
struct Kdf {
    #[serde(rename = "type", default)]
    kind: String,
    hash: Option<String>,
    iterations: Option<u64>,
    time: Option<u64>,
    /// KiB.
    memory: Option<u64>,
    cpus: Option<u64>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Segment {
    encryption: Option<String>,
}

impl Keyslot {
    /// `argon2id, time 4, memory 1048576 KiB, 4 threads`.
    fn told(&self) -> String {
        let Some(kdf) = &self.kdf else {
            return self.kind.clone();
        };
        let mut text = match kdf.kind.as_str() {
            "pbkdf2" => "PBKDF2".to_owned(),
            other => other.to_owned(),
        };
        if let Some(hash) = &kdf.hash {
            text.push_str(&format!(" {hash}"));
        }
        let mut add = |value: Option<u64>, before: &str, behind: &str| {
            if let Some(value) = value {
                text.push_str(&format!(", {before}{value}{behind}"));
            }
        };
        add(kdf.iterations, "", " iterations");
        add(kdf.time, "time ", "");
        add(kdf.memory, "memory ", " KiB");
        add(kdf.cpus, "", " threads");
        if self.kind != "luks2" && !self.kind.is_empty() {
            text = format!("{}: {text}", self.kind);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A first header with this JSON, whose checksum agrees.
    fn header(size: usize, json: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; size];
        bytes[..6].copy_from_slice(MAGIC);
        bytes[7] = 2;
        bytes[8..16].copy_from_slice(&(size as u64).to_be_bytes());
        bytes[72..78].copy_from_slice(b"sha256");
        bytes[BINARY..BINARY + json.len()].copy_from_slice(json);
        let digest = Hash::Sha256.digest(&[&bytes]);
        bytes[CHECKSUM..CHECKSUM + digest.len()].copy_from_slice(&digest);
        bytes
    }

    fn slots(json: &str) -> Option<usize> {
        read(&header(SIZE_MIN, json.as_bytes()), true)
            .ok()
            .map(|header| header.slots)
    }

    #[test]
    fn hostile_metadata_is_refused_or_told_in_part() {
        assert_eq!(slots("{}"), Some(0));
        assert_eq!(
            slots(r#"{"keyslots":{"0":{},"7":{"kdf":{"type":"x"}}}}"#),
            Some(2)
        );
        assert_eq!(slots(&format!("{{\"config\":{}", "[".repeat(10_000))), None);
        assert_eq!(slots(r#"{"keyslots":{"-1":{}}}"#), None);
        assert_eq!(slots(r#"{"keyslots":{"0":{"key_size":1e400}}}"#), None);
        assert_eq!(slots(""), None);
    }

    #[test]
    fn what_lists_more_key_slots_than_there_can_be_is_told_in_part() {
        let slots: Vec<String> = (0..150_000).map(|n| format!("\"{n}\":{{}}")).collect();
        let json = format!("{{\"keyslots\":{{{}}}}}", slots.join(","));
        let told = read(&header(SIZE_MAX, json.as_bytes()), true);
        let notes = told.map(|header| header.notes.len()).unwrap_or_default();
        assert!((1..100).contains(&notes), "{notes}");
    }
}
