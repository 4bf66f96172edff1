//! RSA keys of PKCS#1, private and public (RFC 8017, appendix A.1).

use super::Format;
use super::wire::spki::RsaPublic;
use super::wire::{labels, private};
use crate::model::{Artifact, Candidate, Clue, KeyMaterial, Kind, Protection, Reading};

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
        let Some(element) = labels::object(candidate) else {
            return Reading::NotMine;
        };
        // Two integers are many things, so the label must at least speak of a key.
        let labelled = labels::is_labelled(candidate)
            && candidate.label.is_some_and(|label| label.ends_with("KEY"));
        if let Some(key) = private::rsa(&element, !labelled) {
            let mut artifact = self.artifact(candidate, Kind::PrivateKey, &key);
            artifact.protection = Some(Protection::None);
            return labels::found(candidate, PRIVATE_LABELS, artifact);
        }
        match RsaPublic::read(&element, !labelled) {
            Some(key) if labelled || is_distinct(&key) => {
                let artifact = self.artifact(candidate, Kind::PublicKey, &key);
                labels::found(candidate, PUBLIC_LABELS, artifact)
            }
            _ => Reading::NotMine,
        }
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
