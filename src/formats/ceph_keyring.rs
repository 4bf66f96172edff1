//! Keys of Ceph (`CryptoKey::encode` in its `src/auth/Crypto.cc`): type, date, length and secret in base64, in keyrings
//! (`[client.admin]`, `key = …`) and alone in a secret file.

use super::wire::base64_text;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Found, KeyMaterial, Kind, Protection, Reading, Secret,
};

/// The reader of one key.
pub struct CephKeyring;

/// A type of 1 in little endian begins so in base64.
const VALUE: &[u8] = b"= AQ";
const ALONE: &[u8] = b"AQ";

/// Type, seconds, nanoseconds, length, secret of 16 bytes.
const BYTES: usize = 28;
/// The same in base64, with its padding.
const LETTERS: usize = 40;
/// How far before a key its section is looked for.
const SECTION_MAX: usize = 4096;

impl Format for CephKeyring {
    fn name(&self) -> &'static str {
        "ceph_keyring"
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::anywhere(VALUE, Clue::Word),
                Signature::at_start(0, ALONE, Clue::Word),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        let text = bytes.get(candidate.at..).unwrap_or_default();
        let alone = candidate.at_start && candidate.at == 0 && text.starts_with(ALONE);
        let start = match text {
            _ if alone => candidate.at,
            _ if text.starts_with(VALUE) => candidate.at + 2,
            _ => return Reading::NotMine,
        };
        let value = bytes.get(start..).unwrap_or_default();
        let length = value
            .iter()
            .take(LETTERS + 1)
            .take_while(|b| base64_text::is_digit(**b));
        let letters = value.get(..length.count()).unwrap_or_default();
        if letters.len() == value.len() && letters.len() <= LETTERS && !candidate.at_end {
            return Reading::NeedMore { from: candidate.at };
        }
        let before = bytes.get(candidate.at.saturating_sub(SECTION_MAX)..candidate.at);
        let before = before.unwrap_or_default();
        let named = alone || before.trim_ascii_end().ends_with(b"key");
        let rest = value.get(letters.len()..).unwrap_or_default();
        // A secret file has nothing else; the framing inside is what makes it a key of Ceph.
        if !named || (alone && !rest.trim_ascii().is_empty()) {
            return Reading::NotMine;
        }
        let Some(key) = base64_text::decode(letters).and_then(|raw| Key::read(&raw)) else {
            return Reading::NotMine;
        };
        let mut artifact = Artifact::new(
            Kind::SymmetricKey,
            self.name(),
            Encoding::Text,
            KeyMaterial::Symmetric(key.secret),
        );
        artifact.algorithm = Some("AES".into());
        artifact.bits = Some(128);
        artifact.protection = Some(Protection::None);
        artifact.created = key.created;
        artifact.alias = section(before);
        artifact.offset = start;
        Reading::Found(Found {
            artifacts: vec![artifact],
            end: start + letters.len(),
            ..Found::default()
        })
    }
}

struct Key {
    created: Option<jiff::Timestamp>,
    secret: Secret,
}

impl Key {
    fn read(raw: &[u8]) -> Option<Self> {
        let (head, secret) = raw.split_at_checked(BYTES - 16)?;
        let ([1, 0], rest) = head.split_first_chunk()? else {
            return None;
        };
        let (seconds, rest) = rest.split_first_chunk()?;
        let (nanos, rest) = rest.split_first_chunk()?;
        if rest != [16, 0] || secret.len() != 16 {
            return None;
        }
        let nanos = i32::try_from(u32::from_le_bytes(*nanos)).ok()?;
        let seconds = i64::from(u32::from_le_bytes(*seconds));
        // Nanoseconds of a second: a bound that chance letters hardly meet.
        let created = jiff::Timestamp::new(seconds, nanos).ok()?;
        (0..1_000_000_000).contains(&nanos).then(|| Self {
            created: (seconds != 0).then_some(created),
            secret: Secret::copy_of(secret),
        })
    }
}

/// The name of the section that a place stands in.
fn section(before: &[u8]) -> Option<String> {
    let mut lines = before.rsplit(|b| matches!(b, b'\n' | b'\r'));
    let header = lines.find_map(|line| line.trim_ascii().strip_prefix(b"["))?;
    let end = memchr::memchr(b']', header)?;
    let name = std::str::from_utf8(header.get(..end)?).ok()?.trim();
    (!name.is_empty() && !name.contains(char::is_control)).then(|| name.to_owned())
}
