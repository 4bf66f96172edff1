//! X.509 certificates, as they stand alone and as other formats hold them (RFC 5280, section 4.1).
//!
//! The frame is walked here and every field is read by itself, so that a field which nobody can read (an
//! odd date, a broken extension) costs that field and not the certificate.

use super::der::{self, DerError, Element, Reader};
use super::extensions::{self, KeyIdentifiers};
use super::spki::{Algorithm, Spki};
use super::{names, oid, time};
use crate::model::{Artifact, Certificate, Encoding, KeyMaterial, Kind};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The certificates of a PkiPath (RFC 6066, section 8): `SEQUENCE OF Certificate`, of which none is chance bytes.
pub fn path<'a>(element: &Element<'a>) -> Option<Vec<Element<'a>>> {
    /// The most that are believed.
    const MAX: usize = 1000;
    let mut items = element.enter(der::SEQUENCE).ok()?;
    let mut path = Vec::new();
    while !items.is_empty() {
        let item = items.element().ok()?;
        let is_one = Frame::read(&item).is_ok_and(|frame| frame.is_plausible());
        if !is_one || path.len() >= MAX {
            return None;
        }
        path.push(item);
    }
    (!path.is_empty()).then_some(path)
}

/// Whether these bytes are a PkiPath and nothing else.
pub fn is_path(bytes: &[u8]) -> bool {
    Element::read_all(bytes).is_ok_and(|element| path(&element).is_some())
}

/// The frame of a certificate: its fields, not yet read.
#[derive(Debug)]
pub struct Frame<'a> {
    raw: &'a [u8],
    version: u64,
    serial: &'a [u8],
    inner_algorithm: Element<'a>,
    issuer: Element<'a>,
    validity: Element<'a>,
    subject: Element<'a>,
    /// SubjectPublicKeyInfo.
    pub spki: Element<'a>,
    extensions: Option<Element<'a>>,
    outer_algorithm: Element<'a>,
}

impl<'a> Frame<'a> {
    /// Walks the frame of a Certificate.
    pub fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut outer = element.enter(der::SEQUENCE)?;
        let mut tbs = outer.enter(der::SEQUENCE)?;
        let outer_algorithm = outer.expect(der::SEQUENCE)?;
        outer.expect(der::BIT_STRING)?;
        outer.finish()?;
        let version = match tbs.optional(der::context(0))? {
            Some(wrapped) => Element::read_all(wrapped.content)?.small()?,
            None => 0,
        };
        let serial = tbs.expect(der::INTEGER)?.content;
        let inner_algorithm = tbs.expect(der::SEQUENCE)?;
        let issuer = tbs.expect(der::SEQUENCE)?;
        let validity = tbs.expect(der::SEQUENCE)?;
        let subject = tbs.expect(der::SEQUENCE)?;
        let spki = tbs.expect(der::SEQUENCE)?;
        let mut extensions = None;
        while !tbs.is_empty() {
            let field = tbs.element()?;
            if field.tag == der::context(3) {
                extensions = Some(field);
            }
        }
        Ok(Self {
            raw: element.raw,
            version,
            serial,
            inner_algorithm,
            issuer,
            validity,
            subject,
            spki,
            extensions,
            outer_algorithm,
        })
    }

    /// Whether chance bytes can be ruled out: version, algorithms, validity and key have the form that they must.
    pub fn is_plausible(&self) -> bool {
        let mut times = Reader::new(self.validity.content);
        let two_times = (0..2).all(|_| times.element().is_ok_and(|t| time::is_time(&t)));
        self.version <= 2
            && !self.serial.is_empty()
            && two_times
            && times.is_empty()
            && Algorithm::read(&self.inner_algorithm).is_ok()
            && Algorithm::read(&self.outer_algorithm).is_ok()
            && names::is_name(&self.issuer)
            && names::is_name(&self.subject)
            && Spki::read(&self.spki).is_ok()
    }

    /// Reads the fields. What cannot be read is noted.
    pub fn artifact(&self, format: &'static str, encoding: Encoding) -> Artifact {
        let mut notes: Vec<Cow<'static, str>> = Vec::new();
        let mut facts = Certificate {
            serial: serial(self.serial).into(),
            subject: name(&self.subject, "subject", &mut notes).into(),
            issuer: name(&self.issuer, "issuer", &mut notes).into(),
            signature_algorithm: signature_algorithm(&self.outer_algorithm, &mut notes).into(),
            ..Certificate::default()
        };
        let mut times = Reader::new(self.validity.content);
        facts.not_before = instant(&mut times, "notBefore", &mut notes);
        facts.not_after = instant(&mut times, "notAfter", &mut notes);
        if self.inner_algorithm.raw != self.outer_algorithm.raw {
            notes.push("names two different signature algorithms".into());
        }

        let identifiers = match &self.extensions {
            None => KeyIdentifiers::default(),
            Some(wrapped) => {
                match Element::read_all(wrapped.content).and_then(|e| e.enter(der::SEQUENCE)) {
                    Ok(list) => extensions::read(list, &mut facts, &mut notes),
                    Err(_) => {
                        notes.push("its extensions cannot be read".into());
                        KeyIdentifiers::default()
                    }
                }
            }
        };
        facts.self_signed =
            self.subject.raw == self.issuer.raw && !identifiers.contradict_self_signed(self.serial);
        // Version 1 has no basic constraints: such a root is one by being trusted.

        let mut artifact = Artifact::new(
            Kind::Certificate,
            format,
            encoding,
            KeyMaterial::Spki(self.spki.raw.to_vec()),
        );
        artifact.certificate_der = Some(self.raw.to_vec());
        artifact.ski = identifiers.subject.map(<[u8]>::to_vec);
        artifact.certificate = Some(Box::new(facts));
        artifact.notes = notes;
        artifact
    }
}

/// A name as text, or empty with a note.
pub fn name(element: &Element<'_>, field: &str, notes: &mut Vec<Cow<'static, str>>) -> String {
    names::rfc4514(element).unwrap_or_else(|_| {
        notes.push(format!("its {field} cannot be read").into());
        String::new()
    })
}

/// The usual name of a signature algorithm, or empty with a note.
pub fn signature_algorithm(element: &Element<'_>, notes: &mut Vec<Cow<'static, str>>) -> String {
    match Algorithm::read(element) {
        Ok(algorithm) => {
            oid::named(oid::signature_algorithm(algorithm.oid), algorithm.oid).into_owned()
        }
        Err(_) => {
            notes.push("its signature algorithm cannot be read".into());
            String::new()
        }
    }
}

/// The next time as an instant, or none with a note.
pub fn instant(
    times: &mut Reader<'_>,
    field: &str,
    notes: &mut Vec<Cow<'static, str>>,
) -> Option<jiff::Timestamp> {
    let instant = times.element().ok().and_then(|e| time::instant(&e));
    if instant.is_none() {
        notes.push(format!("its {field} cannot be read").into());
    }
    instant
}

/// A serial number, from the contents bytes of its INTEGER, in lower-case hexadecimal of whole bytes
/// without leading zero bytes, as openssl prints it, with `-` before a negative one.
pub fn serial(content: &[u8]) -> String {
    let negative = content.first().is_some_and(|b| b & 0x80 != 0);
    let magnitude: Cow<'_, [u8]> = if negative {
        // Two's complement: invert and add one.
        let mut bytes: Vec<u8> = content.iter().map(|b| !b).collect();
        for byte in bytes.iter_mut().rev() {
            let (sum, carry) = byte.overflowing_add(1);
            *byte = sum;
            if !carry {
                break;
            }
        }
        bytes.into()
    } else {
        content.into()
    };
    let magnitude = der::trim_zeros(&magnitude);
    let mut text = String::with_capacity(2 * magnitude.len() + 1);
    if negative {
        text.push('-');
    }
    for byte in if magnitude.is_empty() {
        &[0]
    } else {
        magnitude
    } {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::serial;

    #[test]
    fn serials_are_written_as_numbers() {
        assert_eq!(serial(&[0x00, 0xf1, 0x02]), "f102");
        assert_eq!(serial(&[0x05]), "05");
        assert_eq!(serial(&[0x00]), "00");
        assert_eq!(serial(&[]), "00");
        assert_eq!(serial(&[0xed, 0xcc]), "-1234");
        assert_eq!(serial(&[0xff]), "-01");
        assert_eq!(serial(&[0x80]), "-80");
    }
}
