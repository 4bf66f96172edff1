//! What a signature says of a key: its kind, time and issuer, and the subpackets that matter (RFC 9580, section 5.2).

use super::key::{KeyError, Reader, upper};

/// Signature types (RFC 9580, section 5.2.1).
pub mod kind {
    /// Certifications of a user id, from generic to positive.
    pub const CERTIFICATIONS: std::ops::RangeInclusive<u8> = 0x10..=0x13;
    /// Binding of a subkey.
    pub const SUBKEY_BINDING: u8 = 0x18;
    /// Directly on a key.
    pub const DIRECT: u8 = 0x1f;
    /// Revocation of a key.
    pub const KEY_REVOCATION: u8 = 0x20;
    /// Revocation of a subkey.
    pub const SUBKEY_REVOCATION: u8 = 0x28;
    /// Revocation of a certification.
    pub const CERTIFICATION_REVOCATION: u8 = 0x30;
}

/// What matters of one signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// Its type.
    pub kind: u8,
    /// Seconds since 1970.
    pub created: u32,
    /// Who made it: key id, upper-case hexadecimal.
    pub issuer: Option<String>,
    /// Who made it: fingerprint, upper-case hexadecimal.
    pub issuer_fingerprint: Option<String>,
    /// When the key ends, in seconds from its creation; 0 is never.
    pub key_expires: Option<u32>,
    /// What the key may do (first octet of the key flags).
    pub flags: Option<u8>,
    /// Whether the user id is the main one.
    pub primary_user_id: bool,
}

impl Signature {
    /// Reads the body of a signature packet.
    pub fn read(body: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::new(body);
        let version = reader.octet()?;
        let mut out = Self::default();
        match version {
            2 | 3 => {
                reader.octet()?;
                out.kind = reader.octet()?;
                out.created = reader.u32()?;
                out.issuer = Some(upper(reader.take(8)?));
            }
            4..=6 => {
                out.kind = reader.octet()?;
                // Algorithms of key and digest.
                reader.take(2)?;
                for hashed in [true, false] {
                    let length = match version {
                        6 => usize::try_from(reader.u32()?).map_err(|_| KeyError::Short)?,
                        _ => usize::from(reader.u16()?),
                    };
                    out.subpackets(reader.take(length)?, hashed);
                }
            }
            other => return Err(KeyError::Version(other)),
        }
        Ok(out)
    }

    /// Whether the key with this id and fingerprint says that it made it.
    pub fn is_by(&self, key_id: &str, fingerprint: &str) -> bool {
        match (&self.issuer_fingerprint, &self.issuer) {
            (Some(issuer), _) => issuer == fingerprint,
            (None, Some(issuer)) => issuer == key_id,
            (None, None) => true,
        }
    }

    /// Only what is hashed was signed; who signed may be told elsewhere.
    fn subpackets(&mut self, area: &[u8], hashed: bool) {
        let mut reader = Reader::new(area);
        while let Some((kind, body)) = subpacket(&mut reader) {
            let number = || body.first_chunk().map(|b| u32::from_be_bytes(*b));
            match kind {
                2 if hashed => self.created = number().unwrap_or(self.created),
                9 if hashed => self.key_expires = number(),
                16 if body.len() == 8 => self.issuer = Some(upper(body)),
                25 if hashed => self.primary_user_id = body.first().is_some_and(|b| *b != 0),
                27 if hashed => self.flags = Some(body.first().copied().unwrap_or(0)),
                33 => self.issuer_fingerprint = body.get(1..).map(upper),
                _ => {}
            }
        }
    }
}

/// RFC 9580, section 5.2.3.7.
fn subpacket<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let first = usize::from(reader.octet().ok()?);
    let length = match first {
        0..=191 => first,
        192..=254 => ((first - 192) << 8) + usize::from(reader.octet().ok()?) + 192,
        _ => usize::try_from(reader.u32().ok()?).ok()?,
    };
    let (kind, body) = reader.take(length).ok()?.split_first()?;
    Some((kind & 0x7f, body))
}

/// The words for key flags (RFC 9580, section 5.2.3.29).
pub fn capabilities(flags: u8) -> Vec<String> {
    [
        (0x01, "certify"),
        (0x02, "sign"),
        (0x0c, "encrypt"),
        (0x20, "authenticate"),
    ]
    .iter()
    .filter(|(mask, _)| flags & mask != 0)
    .map(|(_, word)| (*word).to_owned())
    .collect()
}
