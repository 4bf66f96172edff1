//! RSA keys of PKCS#1, private and public (RFC 8017, appendix A.1).

use super::Format;
use super::wire::der::Element;
use super::wire::spki::RsaPublic;
use super::wire::{labels, private};
use crate::model::{Artifact, Candidate, Clue, Found, KeyMaterial, Kind, Protection, Reading};

/// One RSA key.
pub struct Pkcs1;

const PRIVATE_LABELS: &[&str] = &["RSA PRIVATE KEY"];
const PUBLIC_LABELS: &[&str] = &["RSA PUBLIC KEY"];

impl Format for Pkcs1 {
    fn name(&self) -> &'static str {
        "pkcs1"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Ok(element) = Element::read_all(candidate.bytes) else {
            return Reading::NotMine;
        };
        let artifact = if let Some(key) = private::rsa(&element) {
            let mut artifact = self.artifact(candidate, Kind::PrivateKey, &key);
            artifact.protection = Some(Protection::None);
            labels::note_other_label(candidate, PRIVATE_LABELS, &mut artifact);
            artifact
        } else if let Some(key) = RsaPublic::read(&element)
            && (candidate.clue == Clue::PemBody || is_distinct(&key))
        {
            let mut artifact = self.artifact(candidate, Kind::PublicKey, &key);
            labels::note_other_label(candidate, PUBLIC_LABELS, &mut artifact);
            artifact
        } else {
            return Reading::NotMine;
        };
        Reading::Found(Found {
            artifacts: vec![artifact],
            end: candidate.bytes.len(),
            ..Found::default()
        })
    }
}

impl Pkcs1 {
    fn artifact(&self, candidate: &Candidate<'_>, kind: Kind, key: &RsaPublic<'_>) -> Artifact {
        let key = KeyMaterial::Rsa {
            n: key.n.to_vec(),
            e: key.e.to_vec(),
        };
        Artifact::new(kind, self.name(), candidate.encoding, key)
    }
}

/// Two bare integers are also an ECDSA signature on P-521, whose second one is long, or Diffie-Hellman
/// parameters (PKCS#3), whose generator is 2, which is even, or 5.
fn is_distinct(key: &RsaPublic<'_>) -> bool {
    key.e.len() <= 8 && key.e != [5]
}
