//! Keys of minisign (its documentation, "Public key format" and "Secret key format").

use super::wire::oid;
use super::wire::untrusted_comment::{self as lines, Lines};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Found, Hex, KeyMaterial, Kind, PrivateNumbers, Protection,
    Reading, Secret,
};
use sha2::{Digest as _, Sha256};

/// The reader of `minisign.pub` and `minisign.key`.
pub struct Minisign;

impl Format for Minisign {
    fn name(&self) -> &'static str {
        "minisign"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::at_start(0, lines::LITERAL, Clue::Word)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let file = match Lines::read(candidate, "minisign key", lines::is_minisign) {
            Ok(file) => file,
            Err(reading) => return reading,
        };
        let artifact = match file.body.len() {
            lines::PUBLIC_BYTES if lines::is_minisign(file.comment) => self.public(&file.body),
            lines::MINISIGN_SECRET_BYTES => self.secret(&file.body),
            _ => None,
        };
        let Some(mut artifact) = artifact else {
            return Reading::NotMine;
        };
        artifact.offset = candidate.at;
        Reading::Found(Found {
            artifacts: vec![artifact],
            end: file.end,
            ..Found::default()
        })
    }
}

impl Minisign {
    /// `Ed`, the key id, the key.
    fn public(&self, body: &[u8]) -> Option<Artifact> {
        let (id, key) = body.strip_prefix(b"Ed")?.split_first_chunk::<8>()?;
        let key = KeyMaterial::Raw {
            oid: oid::ED25519.to_vec(),
            public: key.to_vec(),
        };
        let mut artifact = Artifact::new(Kind::PublicKey, self.name(), Encoding::Text, key);
        artifact.notes.push(told(id).into());
        Some(artifact)
    }

    /// `Ed`, the derivation, `B2`, salt (32), operations and memory (8 each); then, encrypted or not, key id, seed,
    /// public key and checksum.
    fn secret(&self, body: &[u8]) -> Option<Artifact> {
        let rest = body.strip_prefix(b"Ed")?;
        let (derivation, rest) = rest.split_first_chunk::<2>()?;
        let rest = rest.strip_prefix(b"B2")?;
        let (_salt, rest) = rest.split_first_chunk::<32>()?;
        let (operations, rest) = rest.split_first_chunk::<8>()?;
        let (memory, rest) = rest.split_first_chunk::<8>()?;
        let of = |key| Artifact::new(Kind::PrivateKey, self.name(), Encoding::Text, key);
        match derivation {
            b"\0\0" => {
                let (id, rest) = rest.split_first_chunk::<8>()?;
                let (seed, _public_and_checksum) = rest.split_first_chunk::<32>()?;
                let mut artifact = of(KeyMaterial::Private(PrivateNumbers::Raw {
                    oid: oid::ED25519.to_vec(),
                    private: Secret::copy_of(seed),
                }));
                artifact.protection = Some(Protection::None);
                artifact.notes.push(told(id).into());
                Some(artifact)
            }
            b"Sc" => {
                let mut artifact = of(KeyMaterial::Opaque(Hex(Sha256::digest(rest).into())));
                artifact.algorithm = Some("Ed25519".into());
                artifact.protection = Some(Protection::Encrypted);
                artifact.cipher = Some(format!(
                    "XOR, scrypt operations={} memory={}",
                    u64::from_le_bytes(*operations),
                    u64::from_le_bytes(*memory)
                ));
                Some(artifact)
            }
            _ => None,
        }
    }
}

/// The key id as minisign writes it.
fn told(id: &[u8; 8]) -> String {
    format!("minisign key id {:016X}", u64::from_le_bytes(*id))
}
