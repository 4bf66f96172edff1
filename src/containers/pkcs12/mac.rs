//! MacData: HMAC under the key derivation of PKCS#12 (RFC 7292, section 4) or PBMAC1 (RFC 9579).

use crate::formats::wire::der::{self, Element};
use crate::formats::wire::oid;
use crate::formats::wire::pbe::pkcs12::{self, Purpose};
use crate::formats::wire::pbe::{self, Derivation, Hash};
use crate::formats::wire::spki::Algorithm;
use crate::model::{Closed, Effort};

pub(super) struct Mac<'a> {
    scheme: Scheme<'a>,
    digest: &'a [u8],
}

enum Scheme<'a> {
    Pkcs12 {
        hash: Hash,
        salt: &'a [u8],
        iterations: u64,
    },
    Pbmac1 {
        derivation: Derivation<'a>,
        hash: Hash,
    },
    /// Known by its frame alone.
    Unsupported(String),
}

impl<'a> Mac<'a> {
    /// MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }
    pub(super) fn read(element: &Element<'a>) -> Option<Self> {
        let mut fields = element.enter(der::SEQUENCE).ok()?;
        let mut info = fields.enter(der::SEQUENCE).ok()?;
        let algorithm = Algorithm::read(&info.expect(der::SEQUENCE).ok()?).ok()?;
        let digest = info.expect(der::OCTET_STRING).ok()?.content;
        let salt = fields.expect(der::OCTET_STRING).ok()?.content;
        let iterations = match fields.optional(der::INTEGER).ok()? {
            None => 1,
            Some(count) => count.small().unwrap_or(u64::MAX).max(1),
        };
        let scheme = if algorithm.oid == oid::PBMAC1 {
            pbmac1(&algorithm)
        } else if let Some(hash) = Hash::by_digest(algorithm.oid) {
            Scheme::Pkcs12 {
                hash,
                salt,
                iterations,
            }
        } else {
            Scheme::Unsupported(oid::dotted(algorithm.oid))
        };
        Some(Self { scheme, digest })
    }

    /// The scheme and its cost in words.
    pub(super) fn describe(&self) -> String {
        match &self.scheme {
            Scheme::Pkcs12 {
                hash, iterations, ..
            } => format!("HMAC {} of {iterations} iterations", hash.name()),
            Scheme::Pbmac1 { derivation, hash } => {
                format!("PBMAC1 {}, {}", hash.hmac_name(), derivation.describe())
            }
            Scheme::Unsupported(name) => name.clone(),
        }
    }

    /// Whether it is the MAC of these octets under this password.
    pub(super) fn verifies(
        &self,
        password: &[u8],
        content: &[u8],
        effort: &Effort,
    ) -> Result<bool, Closed> {
        // A compression takes at least 64 octets, and half an iteration.
        let units = u64::try_from(content.len() / 128).unwrap_or(u64::MAX);
        match &self.scheme {
            Scheme::Unsupported(name) => Err(Closed::Unsupported(name.clone())),
            Scheme::Pbmac1 { derivation, hash } => {
                pbe::charge(effort, units, || "a MAC over a large store".to_owned())?;
                let length = derivation
                    .key_length()
                    .and_then(|length| usize::try_from(length).ok())
                    .filter(|length| *length <= hash.block())
                    .unwrap_or(hash.length());
                let key = derivation.derive(password, length, effort)?;
                Ok(*hash.hmac(&key, &[content]) == *self.digest)
            }
            Scheme::Pkcs12 {
                hash,
                salt,
                iterations,
            } => {
                for form in pkcs12::forms(password) {
                    pbe::charge(effort, units, || "a MAC over a large store".to_owned())?;
                    let length = hash.length();
                    let key = pkcs12::derive(
                        *hash,
                        Purpose::Mac,
                        &form,
                        salt,
                        *iterations,
                        length,
                        effort,
                    )?;
                    if *hash.hmac(&key, &[content]) == *self.digest {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

fn pbmac1<'a>(algorithm: &Algorithm<'a>) -> Scheme<'a> {
    let read = || {
        let (derivation, mac) = pbe::two_algorithms(algorithm.parameters.as_ref()?)?;
        let hash = Hash::by_hmac(mac.oid)?;
        let derivation = Derivation::read(&derivation).ok()?;
        Some(Scheme::Pbmac1 { derivation, hash })
    };
    read().unwrap_or_else(|| Scheme::Unsupported(pbe::describe(algorithm)))
}
