//! The outer frame: PFX, MacData and AuthenticatedSafe (RFC 7292, section 4).

use super::mac::Mac;
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::oid;
use crate::formats::wire::spki::Algorithm;
use zeroize::Zeroizing;

const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const ENVELOPED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
const ENCRYPTED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";

/// How many parts an authenticated safe is believed to have; writers make two.
const PARTS_MAX: usize = 1000;

/// Whether the first octets are those of a PFX: a SEQUENCE of any length, INTEGER 3, SEQUENCE.
pub(super) fn starts_like_one(bytes: &[u8]) -> bool {
    let header = match bytes {
        [der::SEQUENCE, long @ 0x81..=0x84, ..] => usize::from(long & 0x7f) + 2,
        [der::SEQUENCE, ..] => 2,
        _ => return false,
    };
    bytes
        .get(header..)
        .is_some_and(|inside| inside.starts_with(&[der::INTEGER, 1, 3, der::SEQUENCE]))
}

/// What vouches for the contents.
pub(super) enum Integrity<'a> {
    None,
    Mac(Mac<'a>),
    /// A MAC whose fields are not as they should be.
    Unreadable,
    /// Public-key integrity mode.
    Signature,
}

pub(super) struct Pfx<'a> {
    /// The contents octets of the authenticated safe: what the MAC is computed over.
    pub(super) content: &'a [u8],
    pub(super) integrity: Integrity<'a>,
}

impl<'a> Pfx<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut fields = Element::read_all(der).ok()?.enter(der::SEQUENCE).ok()?;
        fields.expect(der::INTEGER).ok()?;
        let mut info = fields.enter(der::SEQUENCE).ok()?;
        let kind = info.expect(der::OID).ok()?.content;
        let content = info.expect(der::context(0)).ok()?;
        if kind == oid::SIGNED_DATA {
            // SignedData: version, digestAlgorithms, encapContentInfo { type, [0] OCTET STRING }.
            let mut signed = Element::read_all(content.content)
                .ok()?
                .enter(der::SEQUENCE)
                .ok()?;
            signed.expect(der::INTEGER).ok()?;
            signed.expect(der::SET).ok()?;
            let mut inner = signed.enter(der::SEQUENCE).ok()?;
            inner.expect(der::OID).ok()?;
            let content = octets(&inner.expect(der::context(0)).ok()?)?;
            return Some(Self {
                content,
                integrity: Integrity::Signature,
            });
        }
        if kind != DATA {
            return None;
        }
        let integrity = match fields.optional(der::SEQUENCE).ok()? {
            None => Integrity::None,
            Some(data) => Mac::read(&data).map_or(Integrity::Unreadable, Integrity::Mac),
        };
        Some(Self {
            content: octets(&content)?,
            integrity,
        })
    }
}

/// The contents of an OCTET STRING that fills an explicit tag.
pub(super) fn octets<'a>(explicit: &Element<'a>) -> Option<&'a [u8]> {
    let inner = Element::read_all(explicit.content).ok()?;
    (inner.tag == der::OCTET_STRING).then_some(inner.content)
}

/// One ContentInfo of the authenticated safe.
pub(super) enum Part<'a> {
    Clear(&'a [u8]),
    Encrypted {
        algorithm: Algorithm<'a>,
        data: Zeroizing<Vec<u8>>,
    },
    /// Public-key privacy mode.
    Enveloped,
    Unknown,
}

/// AuthenticatedSafe ::= SEQUENCE OF ContentInfo
pub(super) fn parts(safe: &[u8]) -> Option<Vec<Part<'_>>> {
    let mut infos = Element::read_all(safe).ok()?.enter(der::SEQUENCE).ok()?;
    let mut parts = Vec::new();
    while !infos.is_empty() && parts.len() < PARTS_MAX {
        let mut info = infos.enter(der::SEQUENCE).ok()?;
        let kind = info.expect(der::OID).ok()?.content;
        let content = info.expect(der::context(0)).ok();
        parts.push(match (kind, content) {
            (DATA, Some(content)) => Part::Clear(octets(&content)?),
            (ENCRYPTED_DATA, Some(content)) => encrypted(&content)?,
            (ENVELOPED_DATA, _) => Part::Enveloped,
            _ => Part::Unknown,
        });
    }
    Some(parts)
}

/// EncryptedData { version, EncryptedContentInfo { type, algorithm, [0] IMPLICIT OCTET STRING } }
fn encrypted<'a>(content: &Element<'a>) -> Option<Part<'a>> {
    let mut fields = Element::read_all(content.content)
        .ok()?
        .enter(der::SEQUENCE)
        .ok()?;
    fields.expect(der::INTEGER).ok()?;
    let mut info = fields.enter(der::SEQUENCE).ok()?;
    info.expect(der::OID).ok()?;
    let algorithm = Algorithm::read(&info.expect(der::SEQUENCE).ok()?).ok()?;
    let data = info.element().ok()?;
    let mut whole = Zeroizing::new(Vec::with_capacity(data.content.len()));
    if data.tag == der::context_primitive(0) {
        whole.extend_from_slice(data.content);
    } else {
        // In pieces, which BER allows: what is inside an implicit tag, nothing else tells.
        let mut pieces = data.enter(der::context(0)).ok()?;
        while !pieces.is_empty() {
            whole.extend_from_slice(pieces.expect(der::OCTET_STRING).ok()?.content);
        }
    }
    Some(Part::Encrypted {
        algorithm,
        data: whole,
    })
}
