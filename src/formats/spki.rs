//! Public keys as SubjectPublicKeyInfo, of any algorithm (RFC 5280, section 4.1.2.7; RFC 7468, section 13).

use super::Format;
use super::wire::labels;
use super::wire::spki::Spki;
use crate::model::{Artifact, Candidate, Clue, KeyMaterial, Kind, Reading};

/// One public key.
pub struct SubjectPublicKeyInfo;

const LABELS: &[&str] = &["PUBLIC KEY"];

impl Format for SubjectPublicKeyInfo {
    fn name(&self) -> &'static str {
        "spki"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(spki) = labels::object(candidate).and_then(|element| Spki::read(&element).ok())
        else {
            return Reading::NotMine;
        };
        if candidate.clue == Clue::DerObject && !spki.is_plausible() {
            return Reading::NotMine;
        }
        let artifact = Artifact::new(
            Kind::PublicKey,
            self.name(),
            candidate.encoding,
            KeyMaterial::Spki(spki.raw.to_vec()),
        );
        labels::found(candidate, LABELS, artifact)
    }
}
