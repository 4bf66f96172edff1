//! Closed private keys: EncryptedPrivateKeyInfo (RFC 5958, section 3), with any scheme of PKCS#5 and PKCS#12.

use super::Format;
use super::wire::der::{self, Element};
use super::wire::spki::Algorithm;
use super::wire::{labels, oid, pbe};
use crate::model::{Artifact, Candidate, Clue, Hex, KeyMaterial, Kind, Protection, Reading};
use sha2::{Digest as _, Sha256};

/// One closed private key.
pub struct EncryptedPkcs8;

const LABELS: &[&str] = &["ENCRYPTED PRIVATE KEY"];

impl Format for EncryptedPkcs8 {
    fn name(&self) -> &'static str {
        "encrypted_pkcs8"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some((algorithm, data)) =
            labels::object(candidate).and_then(|element| fields(&element))
        else {
            return Reading::NotMine;
        };
        let known = oid::encryption(algorithm.oid)
            .is_some_and(|name| name == "PBES2" || name.starts_with("pbe"));
        if candidate.clue == Clue::DerObject && !(known && data.len() >= 16) {
            return Reading::NotMine;
        }
        let key = KeyMaterial::Opaque(Hex(Sha256::digest(data).into()));
        let mut artifact = Artifact::new(Kind::PrivateKey, self.name(), candidate.encoding, key);
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher = Some(pbe::describe(&algorithm));
        labels::found(candidate, LABELS, artifact)
    }
}

/// Encryption algorithm and encrypted data.
fn fields<'a>(element: &Element<'a>) -> Option<(Algorithm<'a>, &'a [u8])> {
    let mut fields = element.enter(der::SEQUENCE).ok()?;
    let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
    let data = fields.expect(der::OCTET_STRING).ok()?.content;
    fields.finish().ok()?;
    // A digest of nothing would make one key of all empty ones.
    (!data.is_empty()).then_some((algorithm, data))
}
