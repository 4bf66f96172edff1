//! Keys of Tor onion services, version 3, and of relays (`crypto_write_tagged_contents_to_file` in Tor's sources;
//! rend-spec-v3): 32 bytes that name the kind, then the key. The secret is an expanded one of Ed25519: the scalar
//! and the prefix that its seed gave, and not the seed.

use super::wire::oid;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading,
};
use curve25519_dalek::EdwardsPoint;
use zeroize::Zeroizing;

/// The reader of `hs_ed25519_secret_key` and `hs_ed25519_public_key`.
pub struct TorOnion;

const SECRET: &[u8] = b"== ed25519v1-secret: ";
const PUBLIC: &[u8] = b"== ed25519v1-public: ";

/// How long the tag is, zeros behind it included.
const TAG: usize = 32;

impl Format for TorOnion {
    fn name(&self) -> &'static str {
        "tor_onion"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 2] = [
            Signature::at_start(0, SECRET, Clue::Magic),
            Signature::at_start(0, PUBLIC, Clue::Magic),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let (kind, length) = if bytes.starts_with(SECRET) {
            (Kind::PrivateKey, 64)
        } else if bytes.starts_with(PUBLIC) {
            (Kind::PublicKey, 32)
        } else {
            return Reading::NotMine;
        };
        if !candidate.at_end && bytes.len() <= TAG + length {
            return Reading::NeedMore { from: candidate.at };
        }
        let fail = |reason, detail: &str| {
            Reading::Found(Found {
                faults: vec![Fault {
                    reason,
                    offset: candidate.at,
                    detail: format!("Tor Ed25519 key: {detail}"),
                }],
                end: candidate.bytes.len(),
                ..Found::default()
            })
        };
        let tag = bytes.get(..TAG).unwrap_or(bytes);
        let text = tag.split(|b| *b == 0).next().unwrap_or_default();
        if !text.ends_with(b" ==") {
            return Reading::NotMine;
        }
        let key = bytes.get(TAG..).unwrap_or_default();
        if key.len() < length {
            return fail(GapReason::Truncated, "ends too early");
        }
        if key.len() > length {
            return fail(GapReason::Malformed, "is longer than a key");
        }
        let public = match kind {
            Kind::PrivateKey => {
                let mut scalar = Zeroizing::new([0u8; 32]);
                for (slot, byte) in scalar.iter_mut().zip(key) {
                    *slot = *byte;
                }
                // It is clamped already (RFC 8032, section 5.1.5), so to clamp it again changes nothing.
                let point = EdwardsPoint::mul_base_clamped(*scalar);
                point.compress().as_bytes().to_vec()
            }
            _ => key.to_vec(),
        };
        let material = KeyMaterial::Raw {
            oid: oid::ED25519.to_vec(),
            public,
        };
        let mut artifact = Artifact::new(kind, self.name(), Encoding::Binary, material);
        artifact.offset = candidate.at;
        if kind == Kind::PrivateKey {
            artifact.protection = Some(Protection::None);
        }
        Reading::Found(Found {
            artifacts: vec![artifact],
            end: candidate.bytes.len(),
            ..Found::default()
        })
    }
}
