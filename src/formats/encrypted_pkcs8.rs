//! Closed private keys: EncryptedPrivateKeyInfo (RFC 5958, section 3), with any scheme of PKCS#5 and PKCS#12.
//!
//! One that a password opens is handed on as the PKCS#8 that it is; else it is told as an opaque key.

use super::Format;
use super::wire::der::{self, Element};
use super::wire::spki::Algorithm;
use super::wire::{labels, oid, pbe};
use crate::model::{
    Artifact, Candidate, Closed, Clue, EntryFacts, Fault, Found, GapReason, Hex, KeyMaterial, Kind,
    Nested, Opened, Protection, Reading,
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

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
        let cipher = pbe::describe(&algorithm);
        let closed = match open(candidate, &algorithm, data) {
            Ok((key, opened)) => return opened_key(candidate, key, cipher, opened),
            Err(closed) => closed,
        };
        let key = KeyMaterial::Opaque(Hex(Sha256::digest(data).into()));
        let mut artifact = Artifact::new(Kind::PrivateKey, self.name(), candidate.encoding, key);
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher = Some(cipher);
        let mut reading = labels::found(candidate, LABELS, artifact);
        if let (Reading::Found(found), Closed::Limit(asked)) = (&mut reading, closed) {
            found.faults.push(Fault {
                reason: GapReason::Limit,
                offset: 0,
                detail: format!("encrypted private key: no password was tried to the end: {asked}"),
            });
        }
        reading
    }
}

fn open(
    candidate: &Candidate<'_>,
    algorithm: &Algorithm<'_>,
    data: &[u8],
) -> Result<(Zeroizing<Vec<u8>>, Opened), Closed> {
    candidate.unlock.first(|password, effort| {
        pbe::open(algorithm, data, password, effort, |clear| {
            is_private_key_info(&clear).then_some(clear)
        })
    })
}

fn opened_key(
    candidate: &Candidate<'_>,
    key: Zeroizing<Vec<u8>>,
    cipher: String,
    opened: Opened,
) -> Reading {
    let entry = EntryFacts {
        protection: Some(Protection::Encrypted),
        cipher: Some(cipher),
        opened: Some(opened),
        ..EntryFacts::default()
    };
    Reading::Found(Found {
        nested: vec![Nested {
            label: Some("PRIVATE KEY".to_owned()),
            declared: true,
            entry: Some(Arc::new(entry)),
            ..Nested::new(Clue::PemBody, key, candidate.encoding, 0)
        }],
        end: candidate.bytes.len(),
        ..Found::default()
    })
}

/// Whether these bytes are framed as PrivateKeyInfo: what a wrong password makes is not.
fn is_private_key_info(bytes: &[u8]) -> bool {
    let read = || {
        let mut fields = Element::read_all(bytes).ok()?.enter(der::SEQUENCE).ok()?;
        fields.expect(der::INTEGER).ok()?.small().ok()?;
        Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
        fields.expect(der::OCTET_STRING).ok()
    };
    read().is_some()
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
