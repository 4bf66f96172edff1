//! Netscape's SignedPublicKeyAndChallenge ("Netscape Extensions for User Key Generation"; `openssl spkac`): a request for a
//! certificate without a name, as DER, as its bare base64, or behind `SPKAC=` in the lines that `openssl ca -spkac` takes.
//!
//! ```asn1
//! SignedPublicKeyAndChallenge ::= SEQUENCE {
//!   publicKeyAndChallenge PublicKeyAndChallenge, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
//! PublicKeyAndChallenge ::= SEQUENCE { spki SubjectPublicKeyInfo, challenge IA5String }
//! ```

use super::wire::base64_text;
use super::wire::certificate::signature_algorithm;
use super::wire::der::{self, DerError, Element};
use super::wire::labels;
use super::wire::spki::{Algorithm, Spki};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Certificate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind,
    Reading,
};

/// The reader of a SignedPublicKeyAndChallenge.
pub struct Spkac;

const LITERAL: &[u8] = b"SPKAC=";
/// The longest base64 that is believed, in bytes.
const TEXT_MAX: usize = 64 * 1024;
/// A shorter text is the placeholder of a document.
const TEXT_MIN: usize = 64;

impl Format for Spkac {
    fn name(&self) -> &'static str {
        "spkac"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::anywhere(LITERAL, Clue::Word)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word, Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        if candidate.clue == Clue::Word {
            return self.line(candidate);
        }
        let Some(element) = labels::object(candidate) else {
            return Reading::NotMine;
        };
        match Frame::read(&element) {
            Ok(frame) => {
                let artifact = frame.artifact(self.name(), candidate.encoding);
                labels::found(candidate, &["SPKAC"], artifact)
            }
            Err(_) => Reading::NotMine,
        }
    }
}

impl Spkac {
    /// `SPKAC=` and base64 up to the end of the line.
    fn line(&self, candidate: &Candidate<'_>) -> Reading {
        let text = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let Some(tail) = text.strip_prefix(LITERAL) else {
            return Reading::NotMine;
        };
        let before = candidate.bytes.get(..candidate.at).unwrap_or_default();
        if before
            .last()
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        {
            return Reading::NotMine;
        }
        let near = tail.get(..TEXT_MAX).unwrap_or(tail);
        let blanks = near.iter().take_while(|b| **b == b' ').count();
        let near = near.get(blanks..).unwrap_or_default();
        let length = near
            .iter()
            .take_while(|b| base64_text::is_digit(**b))
            .count();
        let is_last = length == near.len();
        if is_last && !candidate.at_end && near.len() + blanks < TEXT_MAX {
            return Reading::NeedMore { from: candidate.at };
        }
        let digits = near.get(..length).unwrap_or_default();
        if digits.len() < TEXT_MIN || !digits.starts_with(b"M") {
            return Reading::NotMine;
        }
        let mut found = Found {
            end: candidate.at + LITERAL.len() + blanks + length,
            ..Found::default()
        };
        let decoded = base64_text::decode(digits);
        let frame = decoded
            .as_deref()
            .map(|der| Element::read(der).and_then(|(element, _)| Frame::read(&element)));
        match frame {
            Some(Ok(frame)) => {
                let mut artifact = frame.artifact(self.name(), Encoding::Text);
                artifact.offset = candidate.at;
                found.artifacts.push(artifact);
            }
            other => {
                let cut = matches!(other, None | Some(Err(DerError::Truncated { .. })));
                found.faults.push(Fault {
                    reason: if cut && is_last {
                        GapReason::Truncated
                    } else {
                        GapReason::Malformed
                    },
                    offset: candidate.at,
                    detail: "SPKAC: no signed public key and challenge".to_owned(),
                });
            }
        }
        Reading::Found(found)
    }
}

struct Frame<'a> {
    spki: Element<'a>,
    has_challenge: bool,
    algorithm: Element<'a>,
}

impl<'a> Frame<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut outer = element.enter(der::SEQUENCE)?;
        let mut inner = outer.enter(der::SEQUENCE)?;
        let algorithm = outer.expect(der::SEQUENCE)?;
        outer.expect(der::BIT_STRING)?;
        outer.finish()?;
        let spki = inner.expect(der::SEQUENCE)?;
        let challenge = inner.expect(der::IA5_STRING)?;
        inner.finish()?;
        Spki::read(&spki)?;
        Algorithm::read(&algorithm)?;
        Ok(Self {
            spki,
            has_challenge: !challenge.content.is_empty(),
            algorithm,
        })
    }

    fn artifact(&self, format: &'static str, encoding: Encoding) -> Artifact {
        let key = KeyMaterial::Spki(self.spki.raw.to_vec());
        let mut artifact = Artifact::new(Kind::CertificateRequest, format, encoding, key);
        let facts = Certificate {
            signature_algorithm: signature_algorithm(&self.algorithm, &mut artifact.notes).into(),
            ..Certificate::default()
        };
        // The challenge may be a password for revocation: that there is one is enough.
        artifact.notes.push(if self.has_challenge {
            "has a challenge".into()
        } else {
            "has no challenge".into()
        });
        artifact.certificate = Some(Box::new(facts));
        artifact
    }
}
