//! Closed private keys: EncryptedPrivateKeyInfo (RFC 5958, section 3), with any scheme of PKCS#5 and PKCS#12.

use super::Format;
use super::wire::der::{self, Element};
use super::wire::spki::Algorithm;
use super::wire::{labels, oid};
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
        artifact.cipher = Some(scheme(&algorithm));
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

/// The scheme in words: `PBES2 aes-256-cbc, PBKDF2 hmacWithSHA256`.
fn scheme(algorithm: &Algorithm<'_>) -> String {
    let name = oid::named(oid::encryption(algorithm.oid), algorithm.oid);
    if algorithm.oid != oid::PBES2 {
        return name.into_owned();
    }
    let parts = algorithm.parameters.as_ref().and_then(pbes2);
    match parts {
        Some((cipher, derivation)) => format!("{name} {cipher}, {derivation}"),
        None => name.into_owned(),
    }
}

/// Cipher, and key derivation with its pseudo-random function (RFC 8018, appendix A.4).
fn pbes2(parameters: &Element<'_>) -> Option<(String, String)> {
    let mut fields = parameters.enter(der::SEQUENCE).ok()?;
    let derivation = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
    let cipher = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
    let cipher = oid::named(oid::encryption(cipher.oid), cipher.oid).into_owned();
    let mut words = oid::named(oid::encryption(derivation.oid), derivation.oid).into_owned();
    if derivation.oid == oid::PBKDF2 {
        // The function is optional; hmacWithSHA1 is the default (RFC 8018, appendix A.2).
        let function = derivation
            .parameters
            .as_ref()
            .and_then(pseudo_random_function);
        words.push(' ');
        words.push_str(function.as_deref().unwrap_or("hmacWithSHA1"));
    }
    Some((cipher, words))
}

fn pseudo_random_function(parameters: &Element<'_>) -> Option<String> {
    let mut fields = parameters.enter(der::SEQUENCE).ok()?;
    while !fields.is_empty() {
        let field = fields.element().ok()?;
        // The salt may be a SEQUENCE too, but it comes first and is an OCTET STRING in practice.
        if let Ok(function) = Algorithm::read(&field) {
            return Some(oid::named(oid::encryption(function.oid), function.oid).into_owned());
        }
    }
    None
}
