//! Keys and certificates in XML: `RSAKeyValue` and `DSAKeyValue` (XML Signature, section 4.5.2, and .NET's
//! `ToXmlString`, which adds the private numbers), `ECKeyValue` (XML Signature 1.1, section 4.5.2.3), and the
//! `X509Certificate` of signatures and SAML metadata.

use super::wire::base64_text;
use super::wire::curves::{self, Curve};
use super::wire::der::{self, Element};
use super::wire::oid;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Nested,
    Protection, Reading,
};
use zeroize::Zeroizing;

/// The reader of these elements.
pub struct XmlKey;

const KEY: &[u8] = b"KeyValue";
const CERTIFICATE: &[u8] = b"X509Certificate";

/// How long a name's prefix may be, in bytes.
const PREFIX_MAX: usize = 64;
/// How long the attributes of a tag may be.
const TAG_MAX: usize = 1024;
/// How large an element may be.
const SIZE_MAX: usize = 64 * 1024;

impl Format for XmlKey {
    fn name(&self) -> &'static str {
        "xml_key"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 6] = [
            Signature::anywhere(b"KeyValue>", Clue::Word),
            Signature::anywhere(b"KeyValue xmlns", Clue::Word),
            Signature::anywhere(b"KeyValue&gt;", Clue::Word),
            Signature::anywhere(b"X509Certificate>", Clue::Word),
            Signature::anywhere(b"X509Certificate xmlns", Clue::Word),
            Signature::anywhere(b"X509Certificate&gt;", Clue::Word),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let rest = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let local = match rest {
            _ if rest.starts_with(KEY) => KEY,
            _ if rest.starts_with(CERTIFICATE) => CERTIFICATE,
            _ => return Reading::NotMine,
        };
        let element = match Tag::around(candidate, local) {
            Ok(tag) => tag.element(candidate),
            Err(reading) => return reading,
        };
        let element = match element {
            Ok(element) => element,
            Err(reading) => return reading,
        };
        if local == CERTIFICATE {
            certificate(&element)
        } else {
            self.key(&element)
        }
    }
}

/// The tag that begins an element.
struct Tag<'a> {
    /// Its first byte.
    start: usize,
    /// Name with prefix.
    name: &'a [u8],
    /// Where its contents begin.
    inside: usize,
    /// `&lt;` and `&gt;` instead of the signs.
    escaped: bool,
}

impl<'a> Tag<'a> {
    /// The tag in whose name the candidate's literal stands.
    fn around(candidate: &Candidate<'a>, local: &[u8]) -> Result<Self, Reading> {
        let Candidate { bytes, at, .. } = *candidate;
        let from = at.saturating_sub(PREFIX_MAX);
        let before = bytes.get(from..at).unwrap_or_default();
        let named = before.iter().rev().take_while(|b| is_name(**b)).count();
        let name_start = at - named;
        let lead = bytes.get(..name_start).unwrap_or_default();
        let (start, escaped) = if lead.ends_with(b"<") {
            (name_start - 1, false)
        } else if lead.ends_with(b"&lt;") {
            (name_start - 4, true)
        } else {
            return Err(Reading::NotMine);
        };
        let behind = at + local.len();
        let name = bytes.get(name_start..behind).unwrap_or_default();
        let tail = bytes.get(behind..).unwrap_or_default();
        let near = tail.get(..TAG_MAX).unwrap_or(tail);
        let close: &[u8] = if escaped { b"&gt;" } else { b">" };
        match memchr::memmem::find(near, close) {
            // An element that is empty.
            Some(end) if near.get(..end).is_some_and(|tag| tag.ends_with(b"/")) => {
                Err(Reading::NotMine)
            }
            Some(end) => Ok(Self {
                start,
                name,
                inside: behind + end + close.len(),
                escaped,
            }),
            None if near.len() == tail.len() && !candidate.at_end => {
                Err(Reading::NeedMore { from: start })
            }
            None => Err(Reading::NotMine),
        }
    }

    /// The element, with its entities resolved.
    fn element(&self, candidate: &Candidate<'a>) -> Result<Whole<'a>, Reading> {
        let bytes = candidate.bytes;
        let limit = self.inside.saturating_add(SIZE_MAX).min(bytes.len());
        let contents = bytes.get(self.inside..limit).unwrap_or_default();
        let opening: &[u8] = if self.escaped { b"&lt;/" } else { b"</" };
        let closing = [opening, self.name].concat();
        let Some(length) = memchr::memmem::find(contents, &closing) else {
            if limit == bytes.len() && !candidate.at_end {
                return Err(Reading::NeedMore { from: self.start });
            }
            let begun = contents
                .split(|b| !base64_text::is_digit(*b))
                .any(|run| run.len() >= 40);
            return Err(if begun && limit == bytes.len() {
                // What follows the opening is searched, as it may be anything.
                self.fault(GapReason::Truncated, "has no end", self.inside)
            } else {
                Reading::NotMine
            });
        };
        let raw = contents.get(..length).unwrap_or_default();
        Ok(Whole {
            start: self.start,
            name: local_name(self.name),
            text: resolve(raw, self.escaped),
            end: self.inside + length + closing.len(),
        })
    }

    fn fault(&self, reason: GapReason, detail: &str, end: usize) -> Reading {
        fault(self.name, self.start, reason, detail, end)
    }
}

/// An element with its end.
struct Whole<'a> {
    start: usize,
    name: &'a [u8],
    text: Zeroizing<Vec<u8>>,
    end: usize,
}

fn fault(name: &[u8], offset: usize, reason: GapReason, detail: &str, end: usize) -> Reading {
    let name = String::from_utf8_lossy(local_name(name)).into_owned();
    Reading::Found(Found {
        faults: vec![Fault {
            reason,
            offset,
            detail: format!("XML {name}: {detail}"),
        }],
        end,
        ..Found::default()
    })
}

fn certificate(element: &Whole<'_>) -> Reading {
    // A template, or a document's example.
    let Some(der) = base64_text::decode(&element.text).filter(|der| !der.is_empty()) else {
        return Reading::NotMine;
    };
    if Element::read_all(&der).is_err() {
        return if der.len() < 48 {
            Reading::NotMine
        } else {
            let detail = "is no DER";
            let reason = GapReason::Malformed;
            fault(element.name, element.start, reason, detail, element.end)
        };
    }
    Reading::Found(Found {
        nested: vec![Nested::new(
            Clue::DerObject,
            der,
            Encoding::Text,
            element.start,
        )],
        end: element.end,
        ..Found::default()
    })
}

impl XmlKey {
    fn key(&self, element: &Whole<'_>) -> Reading {
        let read = match element.name {
            b"RSAKeyValue" => rsa(&element.text),
            b"DSAKeyValue" => dsa(&element.text),
            b"ECKeyValue" => ec(&element.text),
            _ => return Reading::NotMine,
        };
        match read {
            None => Reading::NotMine,
            Some(Err(detail)) => {
                let reason = GapReason::Malformed;
                fault(element.name, element.start, reason, detail, element.end)
            }
            Some(Ok((kind, key))) => {
                let mut artifact = Artifact::new(kind, self.name(), Encoding::Text, key);
                artifact.offset = element.start;
                if kind == Kind::PrivateKey {
                    artifact.protection = Some(Protection::None);
                }
                if matches!(artifact.key, KeyMaterial::Unknown) {
                    artifact.algorithm = Some("EC".into());
                    artifact.notes.push("on a curve that is not known".into());
                }
                Reading::Found(Found {
                    artifacts: vec![artifact],
                    end: element.end,
                    ..Found::default()
                })
            }
        }
    }
}

/// A key, or what is wrong with it; none if it is a mention.
type Read = Option<Result<(Kind, KeyMaterial), &'static str>>;

fn rsa(text: &[u8]) -> Read {
    let (n, e) = (number(text, b"Modulus")?, number(text, b"Exponent")?);
    if n.len() < 32 || n.len() > 8192 || e.len() > n.len() {
        return Some(Err("its numbers are no RSA key"));
    }
    let key = KeyMaterial::Rsa {
        n: n.to_vec(),
        e: e.to_vec(),
    };
    Some(Ok((kind(text, b"D"), key)))
}

fn dsa(text: &[u8]) -> Read {
    let of = |name| number(text, name).map(|number| number.to_vec());
    let (p, q, g, y) = (of(b"P")?, of(b"Q")?, of(b"G")?, of(b"Y")?);
    if !(64..=2048).contains(&p.len()) || q.len() > 64 || y.len() > p.len() || g.len() > p.len() {
        return Some(Err("its numbers are no DSA key"));
    }
    Some(Ok((kind(text, b"X"), KeyMaterial::Dsa { p, q, g, y })))
}

fn ec(text: &[u8]) -> Read {
    let point = base64_text::decode(leaf(text, b"PublicKey")?.1).filter(|p| !p.is_empty())?;
    let tag = leaf(text, b"NamedCurve").map_or(&b""[..], |(tag, _)| tag);
    let urn = memchr::memmem::find(tag, b"urn:oid:").and_then(|at| tag.get(at + 8..));
    let urn = urn.unwrap_or_default();
    let digits = urn.iter().take_while(|b| b.is_ascii_digit() || **b == b'.');
    let dotted = urn.get(..digits.count()).unwrap_or_default();
    let is_named = |curve: &&Curve| oid::dotted(curve.oid).as_bytes() == dotted;
    let Some(curve) = curves::PRIME.iter().find(is_named) else {
        return Some(Ok((Kind::PublicKey, KeyMaterial::Unknown)));
    };
    let form = point.first().copied().unwrap_or(0);
    if !curves::is_point(form, point.len(), curve.field_bytes()) {
        return Some(Err("its point is none of its curve"));
    }
    let key = KeyMaterial::Ec {
        parameters: der::encode(der::OID, &[curve.oid]),
        point: point.to_vec(),
    };
    Some(Ok((Kind::PublicKey, key)))
}

fn kind(text: &[u8], private: &[u8]) -> Kind {
    match number(text, private) {
        Some(_) => Kind::PrivateKey,
        None => Kind::PublicKey,
    }
}

/// The number in an element of this name, without leading zeros; none if it holds anything but base64.
fn number(text: &[u8], name: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let decoded = base64_text::decode(leaf(text, name)?.1)?;
    let digits = der::trim_zeros(&decoded);
    (!digits.is_empty()).then(|| Zeroizing::new(digits.to_vec()))
}

/// The tag of the first element of this name, and its text.
fn leaf<'a>(text: &'a [u8], name: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(b'<', text.get(from..)?)? + 1;
        let rest = text.get(at..)?;
        let close = memchr::memchr(b'>', rest)?;
        let tag = rest.get(..close)?;
        let length = tag.iter().take_while(|b| is_name(**b)).count();
        if tag.get(..length).map(local_name) == Some(name) {
            let inside = rest.get(close + 1..)?;
            let end = memchr::memchr(b'<', inside).unwrap_or(inside.len());
            return Some((tag, inside.get(..end)?));
        }
        from = at + close;
    }
}

/// The text with its entities and escapes resolved, as far as they stand for signs and white space.
fn resolve(raw: &[u8], escaped: bool) -> Zeroizing<Vec<u8>> {
    const SIGNS: [(&[u8], u8); 3] = [(b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"')];
    let mut text = Zeroizing::new(Vec::with_capacity(raw.len()));
    let mut rest = raw;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'&' => {
                let whole = [&[*first][..], tail.get(..8).unwrap_or(tail)].concat();
                let sign = SIGNS.iter().find(|(name, _)| whole.starts_with(name));
                if let Some((name, sign)) = sign.filter(|_| escaped) {
                    text.push(*sign);
                    rest = tail.get(name.len() - 1..).unwrap_or_default();
                } else if let Some(length) = white_space(&whole) {
                    text.push(b' ');
                    rest = tail.get(length - 1..).unwrap_or_default();
                } else {
                    text.push(b'&');
                }
            }
            b'\\' if matches!(tail.first(), Some(b'n' | b'r' | b't')) => {
                text.push(b' ');
                rest = tail.get(1..).unwrap_or_default();
            }
            // A slash in JSON.
            b'\\' if tail.first() == Some(&b'/') => {}
            byte => text.push(*byte),
        }
    }
    text
}

/// How long the entity of a line end or a blank is.
fn white_space(text: &[u8]) -> Option<usize> {
    let names: [&[u8]; 7] = [
        b"&#13;", b"&#10;", b"&#9;", b"&#xD;", b"&#xd;", b"&#xA;", b"&#xa;",
    ];
    names
        .iter()
        .find(|name| text.starts_with(name))
        .map(|name| name.len())
}

fn local_name(name: &[u8]) -> &[u8] {
    name.rsplit(|b| *b == b':').next().unwrap_or(name)
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.')
}
