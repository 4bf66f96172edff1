//! OpenSSH's wire form of public keys: reading it, and writing it for the keys that OpenSSH knows (RFC 4253,
//! section 6.6; RFC 5656, section 3.1; RFC 8709, section 4; OpenSSH's PROTOCOL.certkeys and PROTOCOL.u2f).

use super::derive::Derived;
use super::public::{self, Public};
use super::spki;
use crate::formats::wire::der::{self, trim_zeros};
use crate::formats::wire::{curves, oid};
use std::borrow::Cow;

const CERTIFICATE: &str = "-cert-v01@openssh.com";
/// The curves that OpenSSH names (RFC 5656, section 10.1), and what FIPS 186 calls them.
const NISTP: [(&str, &str); 3] = [
    ("nistp256", "P-256"),
    ("nistp384", "P-384"),
    ("nistp521", "P-521"),
];

/// Reads a blob. A key without SubjectPublicKeyInfo form has only its algorithm's name.
pub(super) fn read(blob: &[u8]) -> Derived<'_> {
    let mut fields = Fields(blob);
    let name = fields
        .string()
        .and_then(|name| std::str::from_utf8(name).ok());
    let Some(name) = name else {
        return unknown(None);
    };
    let plain = name.strip_suffix(CERTIFICATE);
    if plain.is_some() {
        // The nonce comes before the key's own fields.
        fields.string();
    }
    let plain = plain.unwrap_or(name);
    known(plain, fields).unwrap_or_else(|| unknown(Some(name)))
}

/// The blob of the plain key in a certificate of a FIDO key (PROTOCOL.u2f), which has no other form.
pub(super) fn plain_fido_blob(blob: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Fields(blob);
    let name = std::str::from_utf8(fields.string()?).ok()?;
    let stem = name.strip_suffix(CERTIFICATE)?;
    let own_fields = match stem {
        "sk-ssh-ed25519" => 2,
        "sk-ecdsa-sha2-nistp256" => 3,
        _ => return None,
    };
    fields.string()?;
    let mut out = Vec::new();
    push(&mut out, format!("{stem}@openssh.com").as_bytes());
    for _ in 0..own_fields {
        push(&mut out, fields.string()?);
    }
    Some(out)
}

fn unknown<'a>(name: Option<&str>) -> Derived<'a> {
    Derived {
        public: None,
        shape: None,
        note: None,
        algorithm: name.map(|name| Cow::Owned(name.to_owned())),
    }
}

fn known<'a>(name: &str, mut fields: Fields<'a>) -> Option<Derived<'a>> {
    Some(match name {
        "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" => {
            let (e, n) = (fields.number()?, fields.number()?);
            Derived::of(Public::Rsa {
                n: n.into(),
                e: e.into(),
            })
        }
        "ssh-dss" => {
            let (p, q) = (fields.number()?, fields.number()?);
            let (g, y) = (fields.number()?, fields.number()?);
            Derived::of(Public::Dsa {
                p: p.into(),
                q: q.into(),
                g: g.into(),
                y: y.into(),
            })
        }
        "ssh-ed25519" => exact(oid::ED25519, fields.string()?, 32)?,
        "ssh-ed448" => exact(oid::ED448, fields.string()?, 57)?,
        _ => {
            let curve = name.strip_prefix("ecdsa-sha2-")?;
            let repeated = fields.string()?;
            let point = fields.string()?;
            let curve = match NISTP.iter().find(|(ssh, _)| *ssh == curve) {
                Some((ssh, fips)) => {
                    if repeated != ssh.as_bytes() {
                        return None;
                    }
                    curves::PRIME.iter().find(|known| known.name == *fips)?
                }
                // Any other curve goes by its identifier in dotted decimal (RFC 5656, section 6.1).
                None => curves::PRIME
                    .iter()
                    .find(|known| oid::dotted(known.oid) == curve)?,
            };
            let parameters = der::encode(der::OID, &[curve.oid]);
            spki::ec(parameters.into(), point.into())
        }
    })
}

fn exact<'a>(oid: &'static [u8], key: &'a [u8], length: usize) -> Option<Derived<'a>> {
    (key.len() == length).then(|| spki::raw(oid, key.into()))
}

/// The blob of a key that OpenSSH could hold.
pub(super) fn write(key: &Public<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match key {
        Public::Rsa { n, e } => {
            push(&mut out, b"ssh-rsa");
            push_number(&mut out, e);
            push_number(&mut out, n);
        }
        Public::Dsa { p, q, g, y } => {
            push(&mut out, b"ssh-dss");
            for number in [p, q, g, y] {
                push_number(&mut out, number);
            }
        }
        Public::Ec { curve, point } => {
            let (ssh, _) = NISTP.iter().find(|(_, fips)| *fips == curve.name)?;
            push(&mut out, format!("ecdsa-sha2-{ssh}").as_bytes());
            push(&mut out, ssh.as_bytes());
            push(&mut out, &public::uncompressed(point));
        }
        Public::Raw { oid, key } if *oid == oid::ED25519 && key.len() == 32 => {
            push(&mut out, b"ssh-ed25519");
            push(&mut out, key);
        }
        _ => return None,
    }
    Some(out)
}

fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    // No key is longer than what its file's length fits into.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// RFC 4251, section 5: `mpint`.
fn push_number(out: &mut Vec<u8>, number: &[u8]) {
    let number = trim_zeros(number);
    let sign = number.first().is_some_and(|b| b & 0x80 != 0);
    let length = number.len() + usize::from(sign);
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    if sign {
        out.push(0);
    }
    out.extend_from_slice(number);
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// RFC 4251, section 5: `string`.
    fn string(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (string, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }

    /// A non-negative `mpint` that is not zero, without leading zeros.
    fn number(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        let negative = bytes.first().is_some_and(|b| b & 0x80 != 0);
        let number = trim_zeros(bytes);
        (!negative && !number.is_empty()).then_some(number)
    }
}
