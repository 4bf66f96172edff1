//! Keys of OpenBSD's signify (`struct pubkey` and `struct enckey` in its `signify.c`).

use super::wire::oid;
use super::wire::untrusted_comment::{self as lines, Lines};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Found, Hex, KeyMaterial, Kind, PrivateNumbers, Protection,
    Reading, Secret,
};
use sha2::{Digest as _, Sha256, Sha512};

/// The reader of signify's `.pub` and `.sec` files.
pub struct Signify;

impl Format for Signify {
    fn name(&self) -> &'static str {
        "signify"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::at_start(0, lines::LITERAL, Clue::Word)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let own = |comment: &[u8]| !lines::is_minisign(comment);
        let file = match Lines::read(candidate, "signify key", own) {
            Ok(file) => file,
            Err(reading) => return reading,
        };
        let artifact = match file.body.len() {
            lines::PUBLIC_BYTES if own(file.comment) => self.public(&file.body),
            lines::SIGNIFY_SECRET_BYTES => self.secret(&file.body),
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

impl Signify {
    /// `Ed`, the key number, the key.
    fn public(&self, body: &[u8]) -> Option<Artifact> {
        let (number, key) = body.strip_prefix(b"Ed")?.split_first_chunk::<8>()?;
        let key = KeyMaterial::Raw {
            oid: oid::ED25519.to_vec(),
            public: key.to_vec(),
        };
        let mut artifact = Artifact::new(Kind::PublicKey, self.name(), Encoding::Text, key);
        artifact.notes.push(told(number).into());
        Some(artifact)
    }

    /// `EdBK`, rounds of bcrypt's PBKDF, salt (16), checksum (8), key number (8), and seed and public key,
    /// encrypted unless there are no rounds.
    fn secret(&self, body: &[u8]) -> Option<Artifact> {
        let rest = body.strip_prefix(b"EdBK")?;
        let (rounds, rest) = rest.split_first_chunk::<4>()?;
        let (_salt, rest) = rest.split_first_chunk::<16>()?;
        let (checksum, rest) = rest.split_first_chunk::<8>()?;
        let (number, key) = rest.split_first_chunk::<8>()?;
        let rounds = u32::from_be_bytes(*rounds);
        let of = |key| Artifact::new(Kind::PrivateKey, self.name(), Encoding::Text, key);
        let mut artifact = if rounds == 0 {
            let mut artifact = of(KeyMaterial::Private(PrivateNumbers::Raw {
                oid: oid::ED25519.to_vec(),
                private: Secret::copy_of(key.get(..32)?),
            }));
            artifact.protection = Some(Protection::None);
            if !Sha512::digest(key).starts_with(checksum) {
                let note = "its checksum does not agree: it was damaged";
                artifact.notes.push(note.into());
            }
            artifact
        } else {
            let mut artifact = of(KeyMaterial::Opaque(Hex(Sha256::digest(key).into())));
            artifact.algorithm = Some("Ed25519".into());
            artifact.protection = Some(Protection::Encrypted);
            artifact.cipher = Some(format!("XOR, bcrypt PBKDF rounds={rounds}"));
            artifact
        };
        artifact.notes.push(told(number).into());
        Some(artifact)
    }
}

/// The key number, which ties key and signature together.
fn told(number: &[u8; 8]) -> String {
    format!("signify key number {:016x}", u64::from_be_bytes(*number))
}
