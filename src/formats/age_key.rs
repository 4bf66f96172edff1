//! Identities and recipients of age (C2SP, age.md, "The X25519 recipient type").
//!
//! Identities are found anywhere; recipients where they stand as such: on lines of their own in a file that begins
//! with comments and recipients, and behind `# public key:`.

use super::wire::age::{self, TEXT_MAX};
use super::wire::bech32::{self, Bech32};
use super::wire::oid;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind,
    PrivateNumbers, Protection, Reading, Secret,
};

/// The reader of `AGE-SECRET-KEY-1…` and `age1…`.
pub struct AgeKey;

const SECRET: &[u8] = b"AGE-SECRET-KEY-";
const RECIPIENT: &[u8] = b"age1";
const REMARK: &[u8] = b"# public key:";

/// How long an identity of X25519 is.
const IDENTITY: usize = 74;
/// How many bytes a file of recipients is believed to have.
const FILE_MAX: usize = 1 << 20;
/// How much of a file is looked at for the first recipient.
const LEAD_MAX: usize = 16 * 1024;

impl Format for AgeKey {
    fn name(&self) -> &'static str {
        "age_key"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 3] = [
            Signature::anywhere(SECRET, Clue::Word),
            Signature::at_start(0, RECIPIENT, Clue::Word),
            Signature::at_start(0, b"#", Clue::Word),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let text = candidate.bytes.get(candidate.at..).unwrap_or_default();
        if text.starts_with(SECRET) {
            self.identity(candidate, text)
        } else if candidate.at_start && candidate.at == 0 {
            self.recipients(candidate)
        } else {
            Reading::NotMine
        }
    }
}

impl AgeKey {
    fn identity(&self, candidate: &Candidate<'_>, text: &[u8]) -> Reading {
        let near = text.get(..TEXT_MAX).unwrap_or(text);
        let is_text = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'-';
        let length = near.iter().take_while(|b| is_text(b)).count();
        if length == text.len() && !candidate.at_end && length < TEXT_MAX {
            return Reading::NeedMore { from: candidate.at };
        }
        let word = near.get(..length).unwrap_or_default();
        let mut found = Found {
            end: candidate.at + length,
            ..Found::default()
        };
        if let Some(Bech32 { word, data }) = bech32::decode(word)
            && data.len() == 32
        {
            let key = match word.as_str() {
                "age-secret-key-" => KeyMaterial::Private(PrivateNumbers::Raw {
                    oid: oid::X25519.to_vec(),
                    private: Secret::copy_of(&data),
                }),
                "age-secret-key-pq-" => KeyMaterial::Unknown,
                _ => return Reading::NotMine,
            };
            let mut artifact = Artifact::new(Kind::PrivateKey, self.name(), Encoding::Text, key);
            artifact.protection = Some(Protection::None);
            artifact.offset = candidate.at;
            if matches!(artifact.key, KeyMaterial::Unknown) {
                artifact.algorithm = Some("MLKEM768-X25519".into());
            }
            found.artifacts.push(artifact);
            return Reading::Found(found);
        }
        // Documents cut such a text short or fill it with one letter.
        let digits = word.get(SECRET.len() + 1..).unwrap_or_default();
        if !digits.iter().all(|b| bech32::is_digit(*b)) || distinct(digits) < 12 {
            return Reading::NotMine;
        }
        let cut = candidate.at_end && length == text.len() && length < IDENTITY;
        if !cut && length != IDENTITY {
            return Reading::NotMine;
        }
        found.faults.push(Fault {
            reason: if cut {
                GapReason::Truncated
            } else {
                GapReason::Malformed
            },
            offset: candidate.at,
            detail: if cut {
                "age identity: ends too early".to_owned()
            } else {
                "age identity: its checksum does not agree".to_owned()
            },
        });
        Reading::Found(found)
    }

    /// A file of comments, recipients and SSH keys, which another format reads.
    fn recipients(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        let mut found = Found::default();
        let mut at = 0;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = memchr::memchr2(b'\n', b'\r', rest);
            let line = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
            let limit = if found.artifacts.is_empty() {
                LEAD_MAX
            } else {
                FILE_MAX
            };
            if at > limit {
                break;
            }
            // The line may go on, and so may a list that is one.
            if length.is_none() && !candidate.at_end {
                if found.artifacts.is_empty() && !line.starts_with(RECIPIENT) {
                    break;
                }
                return Reading::NeedMore { from: 0 };
            }
            let (skip, word) = match line.strip_prefix(REMARK) {
                Some(remark) => (REMARK.len(), remark),
                None => (0, line),
            };
            let word = word.trim_ascii_start();
            let start = at + skip + line.len().saturating_sub(skip + word.len());
            if word.starts_with(RECIPIENT) {
                let end = word.iter().position(u8::is_ascii_whitespace);
                let word = word.get(..end.unwrap_or(word.len())).unwrap_or_default();
                match age::recipient(word, self.name()) {
                    Some(mut artifact) => {
                        artifact.offset = start;
                        found.artifacts.push(artifact);
                    }
                    None if skip == 0 => break,
                    None => {}
                }
            } else if !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"ssh-") {
                break;
            }
            at += line.len() + 1;
        }
        if found.artifacts.is_empty() {
            Reading::NotMine
        } else {
            // Other formats look at the same lines.
            Reading::Found(found)
        }
    }
}

/// How many different bytes there are.
fn distinct(bytes: &[u8]) -> usize {
    let mut seen = bytes.to_vec();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}
