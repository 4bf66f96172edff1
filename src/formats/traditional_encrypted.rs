//! Private keys closed by OpenSSL's older PEM encryption: `Proc-Type: 4,ENCRYPTED` and `DEK-Info` (RFC 1421,
//! sections 4.6.1.1 and 4.6.1.3).

use super::Format;
use super::wire::der::{self, Element};
use super::wire::pbe;
use crate::model::{
    Artifact, Candidate, Closed, Clue, EntryFacts, Fault, Found, GapReason, Hex, KeyMaterial, Kind,
    Nested, Opened, Protection, Reading,
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// One closed private key. One that a password opens is handed on as what its label says; of others the label is all
/// that is known.
pub struct TraditionalEncrypted;

impl Format for TraditionalEncrypted {
    fn name(&self) -> &'static str {
        "traditional_encrypted"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let header = |wanted: &str| {
            candidate.headers.iter().find_map(|(name, value)| {
                name.eq_ignore_ascii_case(wanted).then_some(value.as_str())
            })
        };
        let procedure = header("Proc-Type").is_some_and(|v| v.trim_end().ends_with("ENCRYPTED"));
        let info = header("DEK-Info");
        let cipher = info.map(|v| v.split(',').next().unwrap_or(v).trim());
        if !procedure && cipher.is_none() {
            return Reading::NotMine;
        }
        let mut found = Found {
            end: candidate.bytes.len(),
            ..Found::default()
        };
        let label = candidate.label.unwrap_or_default();
        if !label.ends_with("PRIVATE KEY") || candidate.bytes.is_empty() {
            found.faults.push(Fault {
                reason: GapReason::Encrypted,
                offset: 0,
                detail: "an encrypted body that is no private key by its label".to_owned(),
            });
            return Reading::Found(found);
        }
        let attempt = info.map_or(Err(Closed::NoPassword), |info| open(candidate, info));
        if let Err(Closed::Limit(asked)) = &attempt {
            found.faults.push(Fault {
                reason: GapReason::Limit,
                offset: 0,
                detail: format!("encrypted private key: no password was tried to the end: {asked}"),
            });
        }
        if let Ok((key, opened)) = attempt {
            found.nested.push(Nested {
                label: candidate.label.map(str::to_owned),
                declared: true,
                entry: Some(Arc::new(EntryFacts {
                    protection: Some(Protection::Encrypted),
                    cipher: cipher.map(str::to_owned),
                    opened: Some(opened),
                    ..EntryFacts::default()
                })),
                ..Nested::new(Clue::PemBody, key, candidate.encoding, 0)
            });
            return Reading::Found(found);
        }
        let key = KeyMaterial::Opaque(Hex(Sha256::digest(candidate.bytes).into()));
        let mut artifact = Artifact::new(Kind::PrivateKey, self.name(), candidate.encoding, key);
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher = cipher.map(str::to_owned);
        artifact.algorithm = match label {
            "RSA PRIVATE KEY" => Some("RSA".into()),
            "DSA PRIVATE KEY" => Some("DSA".into()),
            "EC PRIVATE KEY" | "SM2 PRIVATE KEY" => Some("EC".into()),
            _ => None,
        };
        found.artifacts.push(artifact);
        Reading::Found(found)
    }
}

/// The body, if one of the passwords makes a key of it: a version and numbers that fill it exactly.
fn open(candidate: &Candidate<'_>, info: &str) -> Result<(Zeroizing<Vec<u8>>, Opened), Closed> {
    candidate.unlock.first(|password, effort| {
        let clear = pbe::pem::open(info, candidate.bytes, password, effort)?;
        Ok(clear.filter(|clear| is_key(clear)))
    })
}

fn is_key(bytes: &[u8]) -> bool {
    let read = || {
        let mut fields = Element::read_all(bytes).ok()?.enter(der::SEQUENCE).ok()?;
        fields.expect(der::INTEGER).ok()?.small().ok()?;
        while !fields.is_empty() {
            fields.element().ok()?;
        }
        Some(())
    };
    read().is_some()
}
