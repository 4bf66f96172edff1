//! Private keys closed by OpenSSL's older PEM encryption: `Proc-Type: 4,ENCRYPTED` and `DEK-Info` (RFC 1421,
//! sections 4.6.1.1 and 4.6.1.3).

use crate::formats::Format;
use crate::model::{
    Artifact, Candidate, Clue, Fault, Found, GapReason, Hex, KeyMaterial, Kind, Protection, Reading,
};
use sha2::{Digest as _, Sha256};

/// One closed private key; its label is all that is known of it.
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
        let cipher = header("DEK-Info").map(|v| v.split(',').next().unwrap_or(v).trim());
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
        let key = KeyMaterial::Opaque(Hex(Sha256::digest(candidate.bytes).into()));
        let mut artifact = Artifact::new(Kind::PrivateKey, self.name(), candidate.encoding, key);
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher = cipher.map(str::to_owned);
        artifact.algorithm = match label {
            "RSA PRIVATE KEY" => Some("RSA".into()),
            "DSA PRIVATE KEY" => Some("DSA".into()),
            "EC PRIVATE KEY" => Some("EC".into()),
            _ => None,
        };
        found.artifacts.push(artifact);
        Reading::Found(found)
    }
}
