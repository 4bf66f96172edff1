//! EC private keys of SEC 1 (RFC 5915).

use super::Format;
use super::wire::labels;
use super::wire::private::EcPrivate;
use crate::model::{Artifact, Candidate, Clue, KeyMaterial, Kind, Protection, Reading};

/// One EC private key.
pub struct Sec1;

const LABELS: &[&str] = &["EC PRIVATE KEY", "SM2 PRIVATE KEY"];

impl Format for Sec1 {
    fn name(&self) -> &'static str {
        "sec1"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(key) = labels::object(candidate).and_then(|element| EcPrivate::read(&element))
        else {
            return Reading::NotMine;
        };
        if candidate.clue == Clue::DerObject && !key.is_plausible() {
            return Reading::NotMine;
        }
        let mut artifact = Artifact::new(
            Kind::PrivateKey,
            self.name(),
            candidate.encoding,
            key.material(),
        );
        artifact.protection = Some(Protection::None);
        if matches!(artifact.key, KeyMaterial::Unknown) {
            artifact.algorithm = Some("EC".into());
            artifact.bits = key.bits();
            artifact.notes.push("names no curve".into());
        }
        labels::found(candidate, LABELS, artifact)
    }
}
