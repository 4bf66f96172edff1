//! X.509 certificate revocation lists, as they stand alone and as other formats hold them (RFC 5280, section 5.1).

use super::certificate::{instant, name, signature_algorithm};
use super::der::{self, DerError, Element, Reader};
use super::{names, spki::Algorithm, time};
use crate::model::{Artifact, Certificate, Encoding, KeyMaterial, Kind};

/// The frame of a list: its fields, not yet read.
#[derive(Debug)]
pub struct Frame<'a> {
    version: u64,
    inner_algorithm: Element<'a>,
    issuer: Element<'a>,
    this_update: Element<'a>,
    next_update: Option<Element<'a>>,
    outer_algorithm: Element<'a>,
}

impl<'a> Frame<'a> {
    /// Walks the frame of a CertificateList.
    pub fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut outer = element.enter(der::SEQUENCE)?;
        let mut tbs = outer.enter(der::SEQUENCE)?;
        let outer_algorithm = outer.expect(der::SEQUENCE)?;
        outer.expect(der::BIT_STRING)?;
        outer.finish()?;
        let version = match tbs.optional(der::INTEGER)? {
            Some(version) => version.small()?,
            None => 0,
        };
        let inner_algorithm = tbs.expect(der::SEQUENCE)?;
        let issuer = tbs.expect(der::SEQUENCE)?;
        let this_update = tbs.element()?;
        if !time::is_time(&this_update) {
            return Err(DerError::Tag);
        }
        let next_update = match tbs.peek() {
            Some(time::UTC_TIME | time::GENERALIZED_TIME) => Some(tbs.element()?),
            _ => None,
        };
        // Revoked certificates and extensions, of which only the framing counts.
        while !tbs.is_empty() {
            let field = tbs.element()?;
            if field.tag != der::SEQUENCE && field.tag != der::context(0) {
                return Err(DerError::Tag);
            }
        }
        Ok(Self {
            version,
            inner_algorithm,
            issuer,
            this_update,
            next_update,
            outer_algorithm,
        })
    }

    /// Whether chance bytes can be ruled out.
    pub fn is_plausible(&self) -> bool {
        self.version <= 1
            && Algorithm::read(&self.inner_algorithm).is_ok()
            && Algorithm::read(&self.outer_algorithm).is_ok()
            && names::is_name(&self.issuer)
    }

    /// Reads the fields. What cannot be read is noted.
    pub fn artifact(&self, format: &'static str, encoding: Encoding) -> Artifact {
        let mut artifact = Artifact::new(Kind::Crl, format, encoding, KeyMaterial::None);
        let notes = &mut artifact.notes;
        let facts = Certificate {
            issuer: name(&self.issuer, "issuer", notes).into(),
            signature_algorithm: signature_algorithm(&self.outer_algorithm, notes).into(),
            not_before: instant(&mut Reader::new(self.this_update.raw), "thisUpdate", notes),
            not_after: self
                .next_update
                .and_then(|next| instant(&mut Reader::new(next.raw), "nextUpdate", notes)),
            ..Certificate::default()
        };
        artifact.certificate = Some(Box::new(facts));
        artifact
    }
}
