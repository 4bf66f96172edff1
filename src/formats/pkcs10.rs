//! PKCS#10 certification requests (RFC 2986).

use super::Format;
use super::wire::certificate::{name, signature_algorithm};
use super::wire::der::{self, DerError, Element, Reader};
use super::wire::spki::{Algorithm, Spki};
use super::wire::{extensions, labels, names, oid};
use crate::model::{Artifact, Candidate, Certificate, Clue, Encoding, KeyMaterial, Kind, Reading};

/// One certification request.
pub struct Pkcs10;

struct Frame<'a> {
    subject: Element<'a>,
    spki: Element<'a>,
    attributes: Option<Element<'a>>,
    algorithm: Element<'a>,
}

const LABELS: &[&str] = &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

impl Format for Pkcs10 {
    fn name(&self) -> &'static str {
        "pkcs10"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(element) = labels::object(candidate) else {
            return Reading::NotMine;
        };
        let Ok(frame) = Frame::read(&element) else {
            return Reading::NotMine;
        };
        if !labels::is_labelled(candidate) && !frame.is_plausible() {
            return Reading::NotMine;
        }
        let artifact = frame.artifact(self.name(), candidate.encoding);
        labels::found(candidate, LABELS, artifact)
    }
}

impl<'a> Frame<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut outer = element.enter(der::SEQUENCE)?;
        let mut info = outer.enter(der::SEQUENCE)?;
        let algorithm = outer.expect(der::SEQUENCE)?;
        outer.expect(der::BIT_STRING)?;
        outer.finish()?;
        if info.expect(der::INTEGER)?.small()? > 2 {
            return Err(DerError::Contents);
        }
        let subject = info.expect(der::SEQUENCE)?;
        let spki = info.expect(der::SEQUENCE)?;
        // The key has an algorithm and bits; a certificate or a list has other things here.
        Spki::read(&spki)?;
        // Some writers leave the empty attributes out.
        let attributes = info.optional(der::context(0))?;
        info.finish()?;
        Ok(Self {
            subject,
            spki,
            attributes,
            algorithm,
        })
    }

    fn is_plausible(&self) -> bool {
        names::is_name(&self.subject) && Algorithm::read(&self.algorithm).is_ok()
    }

    fn artifact(&self, format: &'static str, encoding: Encoding) -> Artifact {
        let key = KeyMaterial::Spki(self.spki.raw.to_vec());
        let mut artifact = Artifact::new(Kind::CertificateRequest, format, encoding, key);
        let notes = &mut artifact.notes;
        let mut facts = Certificate {
            subject: name(&self.subject, "subject", notes).into(),
            signature_algorithm: signature_algorithm(&self.algorithm, notes).into(),
            ..Certificate::default()
        };
        if let Some(wanted) = self.attributes.and_then(|a| requested_extensions(&a)) {
            let identifiers = extensions::read(wanted, &mut facts, notes);
            artifact.ski = identifiers.subject.map(<[u8]>::to_vec);
        }
        artifact.certificate = Some(Box::new(facts));
        artifact
    }
}

/// The extensions that the request asks for (RFC 2985, section 5.4.2).
fn requested_extensions<'a>(attributes: &Element<'a>) -> Option<Reader<'a>> {
    let mut attributes = Reader::new(attributes.content);
    while !attributes.is_empty() {
        let mut attribute = attributes.enter(der::SEQUENCE).ok()?;
        let kind = attribute.expect(der::OID).ok()?.content;
        if kind == oid::EXTENSION_REQUEST || kind == oid::MS_EXTENSION_REQUEST {
            return attribute.enter(der::SET).ok()?.enter(der::SEQUENCE).ok();
        }
    }
    None
}
