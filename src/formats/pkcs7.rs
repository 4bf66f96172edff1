//! Certificates and revocation lists inside PKCS#7 and CMS signed data (RFC 2315; RFC 5652, section 5.1), in
//! DER or BER. Signatures are not looked at, and other content types hold none in clear.

use super::Format;
use super::wire::ber;
use super::wire::der::{self, DerError, Element};
use super::wire::{certificate, crl, oid};
use crate::model::{Artifact, Candidate, Clue, Fault, Found, GapReason, Reading};

/// Signed data, also the degenerate form that only carries certificates.
pub struct Pkcs7;

impl Format for Pkcs7 {
    fn name(&self) -> &'static str {
        "pkcs7"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Ok((element, rest)) = ber::read(candidate.bytes) else {
            return Reading::NotMine;
        };
        let strict = candidate.clue == Clue::DerObject;
        let Ok((kind, content)) = content_info(&element) else {
            return Reading::NotMine;
        };
        if strict && !rest.is_empty() {
            return Reading::NotMine;
        }
        let mut found = Found {
            end: candidate.bytes.len(),
            ..Found::default()
        };
        if kind == oid::SIGNED_DATA
            && let Some(content) = content
            && self.signed_data(candidate, &content, &mut found).is_err()
        {
            if strict && found.artifacts.is_empty() {
                return Reading::NotMine;
            }
            found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset: 0,
                detail: "signed data that cannot be walked to its end".to_owned(),
            });
        }
        Reading::Found(found)
    }
}

impl Pkcs7 {
    fn signed_data(
        &self,
        candidate: &Candidate<'_>,
        content: &Element<'_>,
        found: &mut Found,
    ) -> Result<(), DerError> {
        let mut fields = ber::Reader::new(content.content).enter(der::SEQUENCE)?;
        fields.expect(der::INTEGER)?;
        fields.expect(der::SET)?;
        fields.expect(der::SEQUENCE)?;
        while let Some(tag) = fields.peek() {
            let field = fields.element()?;
            // [0] certificates, [1] revocation lists; then the signers.
            if tag != der::context(0) && tag != der::context(1) {
                continue;
            }
            let mut items = ber::Reader::new(field.content);
            while !items.is_empty() {
                let item = items.element()?;
                // Other tags are attribute certificates and revocation information of other kinds.
                if item.tag == der::SEQUENCE {
                    self.item(candidate, &item, found);
                }
            }
        }
        Ok(())
    }

    fn item(&self, candidate: &Candidate<'_>, item: &Element<'_>, found: &mut Found) {
        let place = offset_in(candidate.bytes, item.raw);
        match self.artifact(candidate, item) {
            Some(mut artifact) => {
                // Inside an armour the armour is the place.
                artifact.offset = if candidate.clue == Clue::PemBody {
                    0
                } else {
                    place
                };
                found.artifacts.push(artifact);
            }
            None => found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset: place,
                detail: "neither a certificate nor a revocation list in signed data".to_owned(),
            }),
        }
    }

    fn artifact(&self, candidate: &Candidate<'_>, item: &Element<'_>) -> Option<Artifact> {
        if let Ok(frame) = certificate::Frame::read(item) {
            return Some(frame.artifact(self.name(), candidate.encoding));
        }
        let frame = crl::Frame::read(item).ok()?;
        Some(frame.artifact(self.name(), candidate.encoding))
    }
}

/// Type and content of a ContentInfo of one of the PKCS#7 types.
fn content_info<'a>(element: &Element<'a>) -> Result<(&'a [u8], Option<Element<'a>>), DerError> {
    if element.tag != der::SEQUENCE {
        return Err(DerError::Tag);
    }
    let mut fields = ber::Reader::new(element.content);
    let kind = fields.expect(der::OID)?.content;
    if !kind.starts_with(oid::PKCS7) || kind.len() != oid::PKCS7.len() + 1 {
        return Err(DerError::Contents);
    }
    let content = if fields.is_empty() {
        None
    } else {
        Some(fields.expect(der::context(0))?)
    };
    if fields.is_empty() {
        Ok((kind, content))
    } else {
        Err(DerError::Trailing)
    }
}

/// Where `inner`, a part of `outer`, starts in it.
fn offset_in(outer: &[u8], inner: &[u8]) -> usize {
    let distance = inner.as_ptr().addr().wrapping_sub(outer.as_ptr().addr());
    distance.min(outer.len())
}
