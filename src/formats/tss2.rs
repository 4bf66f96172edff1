//! Keys of a TPM 2.0 in the ASN.1 form that OpenSSL's providers and engines share (`TPMKey` of the internet draft
//! draft-bottomley-tpm2-keys). The private half is encrypted by the TPM; the public half (TCG's TPM 2.0 Library, part 2,
//! `TPM2B_PUBLIC`) is in clear.

use super::wire::der::{self, DerError, Element};
use super::wire::{curves, oid};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading,
};

/// The reader of one key.
pub struct Tss2;

const LABEL: &str = "TSS2 PRIVATE KEY";
/// The arc of the types, 2.23.133.10.1; its element as a loadable key has it.
const ARC: &[u8] = oid::oid!(2, 23, 133, 10, 1);
const LOADABLE: &[u8] = b"\x06\x06\x67\x81\x05\x0a\x01\x03";
const IMPORTABLE: &[u8] = b"\x06\x06\x67\x81\x05\x0a\x01\x04";

/// The largest key that is read, in bytes.
const SIZE_MAX: usize = 64 << 10;

const ALG_NULL: u16 = 0x10;

impl Format for Tss2 {
    fn name(&self) -> &'static str {
        "tss2"
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::at_start(4, LOADABLE, Clue::Magic),
                Signature::at_start(3, LOADABLE, Clue::Magic),
                Signature::at_start(2, LOADABLE, Clue::Magic),
                Signature::at_start(4, IMPORTABLE, Clue::Magic),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let labelled = candidate.clue == Clue::PemBody;
        let whole = candidate.at_start && candidate.at == 0;
        if (labelled && candidate.label != Some(LABEL)) || !whole {
            return Reading::NotMine;
        }
        let bytes = candidate.bytes;
        let mut found = Found {
            end: bytes.len(),
            ..Found::default()
        };
        let fault = |mut found: Found, reason, detail: &str| {
            found.faults.push(Fault {
                reason,
                offset: 0,
                detail: format!("{LABEL}: {detail}"),
            });
            Reading::Found(found)
        };
        let element = match Element::read(bytes) {
            Ok((element, _)) => element,
            Err(_) if !labelled && !has_type(bytes) => return Reading::NotMine,
            Err(DerError::Truncated { needed }) if !labelled => {
                return match needed {
                    Some(needed) if needed > SIZE_MAX => Reading::NotMine,
                    _ if candidate.at_end => fault(found, GapReason::Truncated, "cut off"),
                    _ => Reading::NeedMore { from: 0 },
                };
            }
            Err(_) => return fault(found, GapReason::Malformed, "is not DER"),
        };
        if !labelled && !has_type(bytes) {
            return Reading::NotMine;
        }
        found.end = element.raw.len();
        match TpmKey::read(&element) {
            Ok(Some(key)) => {
                let encoding = if labelled {
                    candidate.encoding
                } else {
                    Encoding::Der
                };
                found.artifacts.push(key.artifact(self.name(), encoding));
                Reading::Found(found)
            }
            Ok(None) => fault(
                found,
                GapReason::Unsupported,
                "sealed data, or a key of a type that is not read",
            ),
            Err(_) => fault(found, GapReason::Malformed, "is no TPMKey"),
        }
    }
}

/// Whether bytes that may be cut begin with a type of the arc.
fn has_type(bytes: &[u8]) -> bool {
    let Ok((der::SEQUENCE, header, _)) = der::header(bytes) else {
        return false;
    };
    let content = bytes.get(header..).unwrap_or_default();
    content.starts_with(LOADABLE) || content.starts_with(IMPORTABLE)
}

/// What stands in clear.
struct TpmKey {
    material: KeyMaterial,
    kind: u8,
    parent: Vec<u8>,
    needs_password: bool,
    has_policy: bool,
    description: Option<String>,
}

impl TpmKey {
    /// The key; nothing if it is of another type than RSA and EC.
    fn read(element: &Element<'_>) -> Result<Option<Self>, DerError> {
        let mut fields = element.enter(der::SEQUENCE)?;
        let id = fields.expect(der::OID)?.content;
        let kind = match id.strip_prefix(ARC) {
            Some([kind @ 3..=5]) => *kind,
            _ => return Err(DerError::Contents),
        };
        let empty = fields.optional(der::context(0))?;
        let needs_password = match empty {
            Some(wrapped) => Element::read_all(wrapped.content)?.content == [0],
            None => true,
        };
        let policy = fields.optional(der::context(1))?;
        let _secret = fields.optional(der::context(2))?;
        let authorised = fields.optional(der::context(3))?;
        let description = match fields.optional(der::context(4))? {
            Some(wrapped) => {
                let text = Element::read_all(wrapped.content)?.content;
                std::str::from_utf8(text).ok().map(str::to_owned)
            }
            None => None,
        };
        let _rsa_parent = fields.optional(der::context(5))?;
        let parent = fields.expect(der::INTEGER)?.content.to_vec();
        let public = fields.expect(der::OCTET_STRING)?.content;
        let _private = fields.expect(der::OCTET_STRING)?;
        let read = Tpm { bytes: public }.public();
        let material = match (kind, read) {
            (5, _) => None,
            (_, Some(Public::Key(material))) => Some(material),
            (_, Some(Public::Other)) => None,
            (_, None) => return Err(DerError::Contents),
        };
        Ok(material.map(|material| Self {
            material,
            kind,
            parent,
            needs_password,
            has_policy: policy.is_some() || authorised.is_some(),
            description,
        }))
    }

    fn artifact(self, format: &'static str, encoding: Encoding) -> Artifact {
        let mut artifact = Artifact::new(Kind::PrivateKey, format, encoding, self.material);
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher = Some("TPM 2.0".to_owned());
        artifact.alias = self.description;
        let skip = usize::from(self.parent.len() == 5 && self.parent.first() == Some(&0));
        let handle = self.parent.iter().skip(skip);
        let text: String = handle.map(|byte| format!("{byte:02x}")).collect();
        artifact
            .notes
            .push(format!("parent handle 0x{text}").into());
        if self.kind == 4 {
            artifact.notes.push("importable".into());
        }
        if self.needs_password {
            artifact.notes.push("its use needs a password".into());
        }
        if self.has_policy {
            artifact.notes.push("its use is bound to a policy".into());
        }
        artifact
    }
}

enum Public {
    Key(KeyMaterial),
    Other,
}

/// Structures of the TPM: big-endian, lengths of 16 bits.
struct Tpm<'a> {
    bytes: &'a [u8],
}

impl<'a> Tpm<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn uint16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.uint16()?);
        self.take(length)
    }

    /// `TPM2B_PUBLIC`.
    fn public(mut self) -> Option<Public> {
        let mut inner = Tpm {
            bytes: self.sized()?,
        };
        let kind = inner.uint16()?;
        let _name_algorithm = inner.uint16()?;
        let _attributes = inner.take(4)?;
        let _policy = inner.sized()?;
        match kind {
            1 => inner.rsa(),
            0x23 => inner.ecc(),
            _ => Some(Public::Other),
        }
    }

    /// `TPMT_SYM_DEF_OBJECT`, then a scheme: `details` are those that name a hash.
    fn skip_schemes(&mut self, details: &[u16]) -> Option<()> {
        if self.uint16()? != ALG_NULL {
            self.take(4)?;
        }
        self.skip_scheme(details)
    }

    fn skip_scheme(&mut self, details: &[u16]) -> Option<()> {
        let scheme = self.uint16()?;
        if details.contains(&scheme) {
            self.take(2)?;
            // ECDAA counts as well.
            if scheme == 0x1a {
                self.take(2)?;
            }
        }
        Some(())
    }

    fn rsa(&mut self) -> Option<Public> {
        // RSASSA, RSAPSS, OAEP; RSAES has no hash.
        self.skip_schemes(&[0x14, 0x16, 0x17])?;
        let bits = self.uint16()?;
        let exponent = der::trim_zeros(self.take(4)?);
        let n = self.sized()?;
        let e = if exponent.is_empty() {
            &[1, 0, 1][..]
        } else {
            exponent
        };
        (n.len() * 8 == usize::from(bits)).then(|| {
            Public::Key(KeyMaterial::Rsa {
                n: n.to_vec(),
                e: e.to_vec(),
            })
        })
    }

    fn ecc(&mut self) -> Option<Public> {
        // ECDSA, ECDH, ECDAA, SM2, EC Schnorr, ECMQV.
        self.skip_schemes(&[0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d])?;
        let number = self.uint16()?;
        // MGF1, KDF1 of SP 800-56A and SP 800-108, KDF2.
        self.skip_scheme(&[0x07, 0x20, 0x21, 0x22])?;
        let (x, y) = (self.sized()?, self.sized()?);
        let name = match number {
            1 => "P-192",
            2 => "P-224",
            3 => "P-256",
            4 => "P-384",
            5 => "P-521",
            0x20 => "curveSM2",
            _ => return Some(Public::Other),
        };
        let Some(curve) = curves::PRIME
            .iter()
            .find(|c| c.name.eq_ignore_ascii_case(name))
        else {
            return Some(Public::Other);
        };
        let length = curve.field_bytes();
        let mut point = vec![4];
        for number in [x, y] {
            let number = der::trim_zeros(number);
            point.resize(point.len() + length.checked_sub(number.len())?, 0);
            point.extend_from_slice(number);
        }
        Some(Public::Key(KeyMaterial::Ec {
            parameters: der::encode(der::OID, &[curve.oid]),
            point,
        }))
    }
}
