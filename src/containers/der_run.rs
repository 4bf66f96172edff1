//! DER objects that stand anywhere in other bytes, or are the whole file.
//!
//! The literals are octets that such objects must have near their start: version fields and algorithm
//! identifiers. From a hit the reader looks back for the outermost SEQUENCE whose first tags have the shape
//! of a known object. Whether it is one, and whether its numbers are plausible, the formats decide.

use crate::formats::wire::ber;
use crate::formats::wire::certificate;
use crate::formats::wire::der::{self, DerError, Element};
use crate::formats::{Format, Signature};
use crate::model::{Candidate, Clue, Encoding, Fault, Found, GapReason, Nested, Reading};
use zeroize::Zeroizing;

/// How far before a hit an object may start: two headers, a serial number of 20 octets and an OID.
const LOOK_BACK: usize = 48;
/// How many bytes behind a hit must be there before its shape is judged: an algorithm identifier with the parameters
/// of a DSA key of 3,072 bits has 850.
const LOOK_AHEAD: usize = 2 << 10;
/// The largest object carved out of other bytes; the first object of a file may be larger.
const CARVED_MAX: usize = 1 << 20;
/// The most elements that an object has; RSAPrivateKey with its otherPrimeInfos has 10.
const MEMBERS_MAX: usize = 16;
/// The largest object that a file may start with (revocation lists grow large).
const WHOLE_MAX: usize = 32 << 20;

/// The content type of signed data (RFC 5652, section 5.1), with which a ContentInfo begins.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// The container.
pub struct DerRun;

macro_rules! der_signatures {
    ($($literal:expr),* $(,)?) => {
        const { &[$(Signature::anywhere($literal, Clue::DerRun),)*] }
    };
}

impl Format for DerRun {
    fn name(&self) -> &'static str {
        "der"
    }

    fn signatures(&self) -> &'static [Signature] {
        der_signatures![
            // [0] { INTEGER 2 } INTEGER: version 3 and serial number of a certificate.
            b"\xa0\x03\x02\x01\x02\x02",
            // INTEGER 0, SEQUENCE: PKCS#8, certification request.
            b"\x02\x01\x00\x30",
            // INTEGER 1, SEQUENCE: PKCS#8 version 2, version 2 revocation list.
            b"\x02\x01\x01\x30",
            // INTEGER 3, SEQUENCE: PKCS#12.
            b"\x02\x01\x03\x30",
            // INTEGER 0, INTEGER of 64 to 127 octets, or longer: PKCS#1 and traditional DSA private keys.
            b"\x02\x01\x00\x02\x40",
            b"\x02\x01\x00\x02\x41",
            b"\x02\x01\x00\x02\x60",
            b"\x02\x01\x00\x02\x61",
            b"\x02\x01\x00\x02\x81",
            b"\x02\x01\x00\x02\x82",
            // INTEGER 1, OCTET STRING: SEC 1 private key.
            b"\x02\x01\x01\x04",
            // INTEGER of 128, 256, 384 or 512 octets with its sign octet: PKCS#1 public keys.
            b"\x02\x81\x81\x00",
            b"\x02\x82\x01\x01\x00",
            b"\x02\x82\x01\x81\x00",
            b"\x02\x82\x02\x01\x00",
            // Algorithm identifiers: PKCS#1, PKCS#5, PKCS#7 signed data, PKCS#12 PBE.
            b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01",
            b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05",
            b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
            b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01",
            // RSAPublicKey of 512 bits.
            b"\x30\x48\x02\x41\x00",
            // ecdsa-with-SHA2, as the signature algorithm near the start of a version 1 certificate.
            b"\x06\x08\x2a\x86\x48\xce\x3d\x04",
            // id-ecPublicKey, id-dsa, the RFC 8410 arc, NIST's signature and KEM arcs.
            b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
            b"\x06\x07\x2a\x86\x48\xce\x38\x04\x01",
            b"\x06\x03\x2b\x65",
            b"\x60\x86\x48\x01\x65\x03\x04\x03",
            b"\x60\x86\x48\x01\x65\x03\x04\x04",
            // GOST R 34.10 of 2012, and the parameter sets of 2001. They begin as literals above do, which costs nothing.
            b"\x06\x08\x2a\x85\x03\x07\x01\x01\x01",
            b"\x06\x07\x2a\x85\x03\x02\x02",
        ]
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::DerRun]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        let first = candidate.at.saturating_sub(LOOK_BACK);
        if !candidate.at_end && bytes.len().saturating_sub(candidate.at) < LOOK_AHEAD {
            return Reading::NeedMore { from: first };
        }
        if let Some(reading) = read_ber(candidate) {
            return reading;
        }
        for start in first..=candidate.at {
            let Some(object) = bytes.get(start..) else {
                break;
            };
            if object.first() != Some(&der::SEQUENCE) {
                continue;
            }
            let Ok((_, header, length)) = der::header(object) else {
                continue;
            };
            let total = header + length;
            if start + total <= candidate.at || !has_shape(object) {
                continue;
            }
            let opens_file = start == 0 && candidate.at_start;
            if let Some(raw) = object.get(..total) {
                // Other things than a path begin with a certificate too, which then stands for itself.
                let is_chain = inner(raw).is_some_and(is_certificate_shape);
                if !is_framed(raw) || (is_chain && !certificate::is_path(raw)) {
                    continue;
                }
                return Reading::Found(carved(raw, start));
            }
            let most = if opens_file { WHOLE_MAX } else { CARVED_MAX };
            if !candidate.at_end && total <= most {
                return Reading::NeedMore { from: start };
            }
            if let Some(what) = declared(object).filter(|_| opens_file) {
                let (reason, detail) = if candidate.at_end {
                    (GapReason::Truncated, format!("{what}: cut off"))
                } else {
                    let detail = format!("{what}: larger than {} MiB", most >> 20);
                    (GapReason::Limit, detail)
                };
                let mut reading = broken(candidate, reason, detail);
                if let Reading::Found(found) = &mut reading {
                    // Those that are whole are told all the same.
                    let mut parts = certificates(object);
                    parts.pop();
                    found.nested = parts
                        .into_iter()
                        .map(|(offset, raw)| {
                            let bytes = Zeroizing::new(raw.to_vec());
                            Nested::new(Clue::DerObject, bytes, Encoding::Der, start + offset)
                        })
                        .collect();
                }
                return reading;
            }
        }
        Reading::NotMine
    }
}

fn carved(raw: &[u8], start: usize) -> Found {
    Found {
        nested: vec![Nested::new(
            Clue::DerObject,
            Zeroizing::new(raw.to_vec()),
            Encoding::Der,
            start,
        )],
        end: start + raw.len(),
        ..Found::default()
    }
}

/// What a file is that starts with this, if nothing else starts so.
fn declared(object: &[u8]) -> Option<&'static str> {
    if is_certificate_shape(object) {
        Some("DER certificate")
    } else if certificates(object)
        .last()
        .is_some_and(|(_, rest)| begins_like_certificate(rest))
    {
        Some("PkiPath")
    } else if is_pkcs12_shape(inner_of_either(object)?) {
        Some("PKCS#12")
    } else if is_bcfks_shape(object) {
        Some("BCFKS")
    } else if inner_of_either(object)?.starts_with(SIGNED_DATA) {
        Some("signed data")
    } else {
        None
    }
}

/// SEQUENCE { SEQUENCE { SEQUENCE { OBJECT IDENTIFIER of PBES2 …: an EncryptedObjectStoreData and what follows it.
fn is_bcfks_shape(object: &[u8]) -> bool {
    const PBES2: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
    let sequence = |bytes: &'_ [u8]| bytes.first() == Some(&der::SEQUENCE);
    inner(object)
        .filter(|data| sequence(data))
        .and_then(inner)
        .filter(|algorithm| sequence(algorithm))
        .and_then(inner)
        .is_some_and(|identifier| identifier.starts_with(PBES2))
}

/// What stands in a chain of certificates that is cut off, each with its place; the last reaches to the end.
fn certificates(chain: &[u8]) -> Vec<(usize, &[u8])> {
    let mut found = Vec::new();
    let Some(mut rest) = inner(chain).filter(|first| is_certificate_shape(first)) else {
        return found;
    };
    while let Ok((element, after)) = Element::read(rest) {
        found.push((chain.len() - rest.len(), element.raw));
        rest = after;
    }
    found.push((chain.len() - rest.len(), rest));
    found
}

/// A file that starts as something that it does not hold whole. The certificates in signed data may be whole all the same, so
/// there the search goes on.
fn broken(candidate: &Candidate<'_>, reason: GapReason, detail: String) -> Reading {
    let rest = candidate.bytes.get(candidate.at..).unwrap_or_default();
    let end = if rest.starts_with(SIGNED_DATA) {
        candidate.at + SIGNED_DATA.len()
    } else {
        candidate.bytes.len()
    };
    Reading::Found(Found {
        faults: vec![Fault {
            reason,
            offset: 0,
            detail,
        }],
        end,
        ..Found::default()
    })
}

/// Signed data and PKCS#12 in BER with an indefinite length, as streaming writers produce them: the identifier of the
/// content type, or the version, stands right behind the header.
fn read_ber(candidate: &Candidate<'_>) -> Option<Reading> {
    let start = candidate.at.checked_sub(2)?;
    let object = candidate.bytes.get(start..)?;
    let inside = object.strip_prefix(&[der::SEQUENCE, 0x80])?;
    let pkcs12 = is_pkcs12_shape(inside);
    if !pkcs12 && inside.first() != Some(&der::OID) {
        return None;
    }
    let opens_file = start == 0 && candidate.at_start;
    let most = if opens_file { WHOLE_MAX } else { CARVED_MAX };
    match ber::read_sparse(object) {
        Ok((element, _)) => Some(Reading::Found(carved(element.raw, start))),
        Err(DerError::Truncated { .. }) if !candidate.at_end && object.len() < most => {
            Some(Reading::NeedMore { from: start })
        }
        Err(DerError::Truncated { .. }) if opens_file => {
            let detail = format!("{}: cut off", declared(object)?);
            Some(broken(candidate, GapReason::Truncated, detail))
        }
        Err(_) => None,
    }
}

/// Whether few elements inside the outer SEQUENCE fill it exactly.
fn is_framed(raw: &[u8]) -> bool {
    let Ok(outer) = Element::read_all(raw) else {
        return false;
    };
    let mut rest = outer.content;
    for _ in 0..MEMBERS_MAX {
        // Inside an element of definite length others may have none.
        match ber::read_sparse(rest) {
            _ if rest.is_empty() => break,
            Ok((_, after)) => rest = after,
            Err(_) => return false,
        }
    }
    rest.is_empty()
}

/// SEQUENCE { SEQUENCE { [0] { INTEGER … } INTEGER …
fn is_certificate_shape(object: &[u8]) -> bool {
    inner(object)
        .and_then(inner)
        .is_some_and(|tbs| tbs.starts_with(&[0xa0, 3, 2, 1]))
}

/// The same, or of version 1: SEQUENCE { SEQUENCE { INTEGER …
fn begins_like_certificate(object: &[u8]) -> bool {
    inner(object)
        .and_then(inner)
        .is_some_and(|tbs| tbs.starts_with(&[0xa0, 3, 2, 1]) || tbs.first() == Some(&der::INTEGER))
}

/// INTEGER 3, SEQUENCE { OBJECT IDENTIFIER of a PKCS#7 content type …, as far as it is there.
fn is_pkcs12_shape(content: &[u8]) -> bool {
    const CONTENT_TYPE: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
    let Some(info) = content.strip_prefix(&[der::INTEGER, 1, 3, der::SEQUENCE]) else {
        return false;
    };
    let length = match info.first() {
        Some(long @ 0x81..=0x84) => usize::from(long & 0x7f) + 1,
        _ => 1,
    };
    let inside = info.get(length..).unwrap_or_default();
    let there = inside.len().min(CONTENT_TYPE.len());
    inside.get(..there) == CONTENT_TYPE.get(..there)
}

/// What stands behind the header of the first element, of definite length or not.
fn inner_of_either(bytes: &[u8]) -> Option<&[u8]> {
    bytes
        .strip_prefix(&[der::SEQUENCE, 0x80])
        .or_else(|| inner(bytes))
}

/// Whether the first tags are those of an object that a format reads.
fn has_shape(object: &[u8]) -> bool {
    let Some(content) = inner(object) else {
        return false;
    };
    match content {
        // PKCS#8, PKCS#1, traditional DSA, SEC 1.
        [der::INTEGER, 1, 0 | 1, next, ..] => {
            matches!(*next, der::SEQUENCE | der::INTEGER | der::OCTET_STRING)
        }
        [der::INTEGER, 1, 3, der::SEQUENCE, ..] => is_pkcs12_shape(content),
        // PKCS#1 public key: a modulus, then an exponent.
        [der::INTEGER, ..] => after_element(content)
            .is_none_or(|exponent| matches!(exponent, [der::INTEGER, 1..=8, ..])),
        [der::SEQUENCE, ..] => inner(content).is_some_and(|inside| match inside {
            [0xa0, 3, 2, 1, ..] => true,
            // Serial number or version, then an algorithm or a name.
            [der::INTEGER, 1..=24, ..] => {
                after_element(inside).is_some_and(|next| next.first() == Some(&der::SEQUENCE))
            }
            // AlgorithmIdentifier, then a key or a ciphertext; the second element may lie beyond the window.
            [der::OID, ..] => after_element(content)
                .is_some_and(|next| matches!(next, [der::BIT_STRING | der::OCTET_STRING, ..])),
            [der::SEQUENCE, ..] => inner(inside).is_some_and(|deeper| match deeper {
                // Version 1 revocation list: AlgorithmIdentifier, then a name.
                [der::OID, ..] => true,
                // A chain of certificates, each with its version.
                [0xa0, 3, 2, 1, ..] => true,
                // SPKAC: a SubjectPublicKeyInfo, then a challenge.
                [der::SEQUENCE, ..] => {
                    inner(deeper).is_some_and(|algorithm| algorithm.first() == Some(&der::OID))
                        && after_element(inside)
                            .is_some_and(|next| next.first() == Some(&der::IA5_STRING))
                }
                _ => false,
            }),
            _ => false,
        }),
        // ContentInfo of signed data.
        [der::OID, ..] => content
            .strip_prefix(SIGNED_DATA)
            .is_some_and(|rest| rest.starts_with(&[0xa0])),
        _ => false,
    }
}

/// What stands behind the header of the first element.
fn inner(bytes: &[u8]) -> Option<&[u8]> {
    let (_, header, _) = der::header(bytes).ok()?;
    bytes.get(header..)
}

/// What stands behind the first element, as far as it is there.
fn after_element(bytes: &[u8]) -> Option<&[u8]> {
    let (_, header, length) = der::header(bytes).ok()?;
    bytes.get(header.checked_add(length)?..)
}
