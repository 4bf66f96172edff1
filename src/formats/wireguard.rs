//! WireGuard's configurations: wg(8) "CONFIGURATION FILE FORMAT" and wg-quick(8), systemd.netdev(5) "\[WIREGUARD\]",
//! and NetworkManager's key files (nm-settings-keyfile(5)).

use super::wire::base64_text;
use super::wire::ini::{self, Line};
use super::wire::oid;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind,
    PrivateNumbers, Protection, Reading, Secret,
};

/// The reader of `[Interface]` with its `[Peer]`s, and of their forms in other programs.
pub struct Wireguard;

const INTERFACE: &[u8] = b"[Interface]";

/// Where a file begins with a section that is no rare word, or with a comment, it is looked at from its start.
const STARTS: [&[u8]; 7] = [
    b"[Peer]",
    b"[NetDev]",
    b"[WireGuard]",
    b"[connection]",
    b"[wireguard]",
    b"[interface]",
    b"#",
];

/// The largest configuration that is believed, in bytes; one with 10,000 peers is of this size.
const SIZE_MAX: usize = 4 << 20;

/// How much may stand before the first section.
const LEAD_MAX: usize = 16 * 1024;

/// How many letters a key has in base64.
const LETTERS: usize = 44;

impl Format for Wireguard {
    fn name(&self) -> &'static str {
        "wireguard"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 8] = {
            let [a, b, c, d, e, f, g] = STARTS;
            [
                Signature::anywhere(INTERFACE, Clue::Word),
                Signature::at_start(0, a, Clue::Word),
                Signature::at_start(0, b, Clue::Word),
                Signature::at_start(0, c, Clue::Word),
                Signature::at_start(0, d, Clue::Word),
                Signature::at_start(0, e, Clue::Word),
                Signature::at_start(0, f, Clue::Word),
                Signature::at_start(0, g, Clue::Word),
            ]
        };
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let text = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let starts = candidate.at_start && candidate.at == 0;
        let begins = |word: &[u8]| text.starts_with(word);
        let ours = begins(INTERFACE) || starts && STARTS.iter().any(|word| begins(word));
        if !ours {
            return Reading::NotMine;
        }
        let mut found = Found::default();
        let mut part = Part::Other;
        let mut sections = 0usize;
        for placed in ini::lines(candidate.bytes, candidate.at) {
            let far = placed.start.saturating_sub(candidate.at);
            if sections == 0 && far > LEAD_MAX {
                break;
            }
            if far > SIZE_MAX {
                found.faults.push(Fault {
                    reason: GapReason::Limit,
                    offset: candidate.at,
                    detail: format!(
                        "WireGuard configuration: larger than {} MiB",
                        SIZE_MAX >> 20
                    ),
                });
                break;
            }
            if !placed.ended && !candidate.at_end {
                let worth = !found.artifacts.is_empty() || begins(INTERFACE);
                if worth {
                    return Reading::NeedMore { from: candidate.at };
                }
                break;
            }
            match placed.line {
                Line::Section(name) => {
                    sections += 1;
                    part = Part::named(name);
                    // NetworkManager names a peer by its key.
                    if let Part::NamedPeer(key) = part {
                        self.take(Field::Public, key, placed.start, &mut found);
                    }
                }
                Line::Value { name, value } if sections > 0 => {
                    if let Some(field) = Field::named(part, name) {
                        self.take(field, value, placed.start, &mut found);
                    }
                }
                Line::Nothing => {}
                Line::Value { .. } | Line::Other => break,
            }
            found.end = placed.end;
        }
        if found.artifacts.is_empty() && found.faults.is_empty() {
            Reading::NotMine
        } else {
            Reading::Found(found)
        }
    }
}

impl Wireguard {
    fn take(&self, field: Field, value: &[u8], offset: usize, found: &mut Found) {
        let length = value.iter().take_while(|b| base64_text::is_digit(**b));
        let text = value.get(..length.count()).unwrap_or_default();
        let tail = value.get(text.len()..).unwrap_or_default();
        // A value may be followed by a comment; anything else is a placeholder of a document.
        let alone = tail.trim_ascii_start().first().is_none_or(|b| *b == b'#');
        if !alone || text.len() + 4 < LETTERS {
            return;
        }
        let decoded = base64_text::decode(text).filter(|key| key.len() == 32);
        let Some(key) = decoded else {
            found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset,
                detail: format!("WireGuard {}: not 32 bytes in base64", field.word()),
            });
            return;
        };
        // Zeros mean that there is none.
        if key.iter().all(|byte| *byte == 0) {
            return;
        }
        let (kind, material) = match field {
            Field::Private => {
                let numbers = PrivateNumbers::Raw {
                    oid: oid::X25519.to_vec(),
                    private: Secret::copy_of(&key),
                };
                (Kind::PrivateKey, KeyMaterial::Private(numbers))
            }
            Field::Public => {
                let material = KeyMaterial::Raw {
                    oid: oid::X25519.to_vec(),
                    public: key.to_vec(),
                };
                (Kind::PublicKey, material)
            }
            Field::Preshared => (
                Kind::SymmetricKey,
                KeyMaterial::Symmetric(Secret::copy_of(&key)),
            ),
        };
        let mut artifact = Artifact::new(kind, self.name(), Encoding::Text, material);
        artifact.offset = offset;
        if kind.is_private() {
            artifact.protection = Some(Protection::None);
        }
        if kind == Kind::SymmetricKey {
            artifact.algorithm = Some("WireGuard-PSK".into());
            artifact.bits = Some(256);
        }
        found.artifacts.push(artifact);
    }
}

/// What a section is.
#[derive(Clone, Copy)]
enum Part<'a> {
    Interface,
    Peer,
    NamedPeer(&'a [u8]),
    Other,
}

impl<'a> Part<'a> {
    fn named(name: &'a [u8]) -> Self {
        const NAMED: &[u8] = b"wireguard-peer.";
        match name.to_ascii_lowercase().as_slice() {
            b"interface" | b"wireguard" => Self::Interface,
            b"peer" | b"wireguardpeer" => Self::Peer,
            lower if lower.starts_with(NAMED) => {
                Self::NamedPeer(name.get(NAMED.len()..).unwrap_or_default())
            }
            _ => Self::Other,
        }
    }
}

/// What a value is.
#[derive(Clone, Copy)]
enum Field {
    Private,
    Public,
    Preshared,
}

impl Field {
    fn named(part: Part<'_>, name: &[u8]) -> Option<Self> {
        let name: Vec<u8> = name.iter().filter(|b| **b != b'-').copied().collect();
        match (part, name.to_ascii_lowercase().as_slice()) {
            (Part::Interface, b"privatekey") => Some(Self::Private),
            (Part::Peer, b"publickey") => Some(Self::Public),
            (Part::Peer | Part::NamedPeer(_), b"presharedkey") => Some(Self::Preshared),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Private => "private key",
            Self::Public => "public key",
            Self::Preshared => "pre-shared key",
        }
    }
}
