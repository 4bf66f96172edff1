//! Private keys in clear: PrivateKeyInfo and OneAsymmetricKey (RFC 5958, section 2).
//!
//! What stands inside is the algorithm's own: RFC 8017 for RSA, RFC 5915 for EC, RFC 8410 for the Edwards and
//! Montgomery curves, RFC 9881 for ML-DSA, RFC 9935 for ML-KEM, RFC 9909 for SLH-DSA.

use super::Format;
use super::wire::der::{self, Element};
use super::wire::private::{self, EcPrivate};
use super::wire::spki::{self, Algorithm};
use super::wire::{labels, oid};
use crate::model::{
    Artifact, Candidate, Clue, KeyMaterial, Kind, PrivateNumbers, Protection, Reading, Secret,
};

/// One private key.
pub struct Pkcs8;

const LABELS: &[&str] = &["PRIVATE KEY", "ANY PRIVATE KEY"];

impl Format for Pkcs8 {
    fn name(&self) -> &'static str {
        "pkcs8"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(info) = labels::object(candidate).and_then(|element| Info::read(&element)) else {
            return Reading::NotMine;
        };
        let strict = !labels::is_labelled(candidate);
        let material = info.material(strict);
        let known = oid::key_algorithm(info.algorithm.oid);
        // Of an unknown algorithm the frame is all there is; of a known one the key must be readable.
        if material.is_none() && (strict || known.is_some()) {
            return Reading::NotMine;
        }
        let mut artifact = Artifact::new(
            Kind::PrivateKey,
            self.name(),
            candidate.encoding,
            material.unwrap_or(KeyMaterial::Unknown),
        );
        artifact.protection = Some(Protection::None);
        // The restriction to one scheme stands only here; the key itself is plain RSA.
        let restricted = matches!(info.algorithm.oid, oid::RSA_PSS | oid::RSA_OAEP);
        if restricted || matches!(artifact.key, KeyMaterial::Unknown) {
            artifact.algorithm = Some(oid::named(known, info.algorithm.oid));
        }
        labels::found(candidate, LABELS, artifact)
    }
}

struct Info<'a> {
    algorithm: Algorithm<'a>,
    key: &'a [u8],
    public: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    fn read(element: &Element<'a>) -> Option<Self> {
        let mut fields = element.enter(der::SEQUENCE).ok()?;
        if fields.expect(der::INTEGER).ok()?.small().ok()? > 1 {
            return None;
        }
        let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
        let key = fields.expect(der::OCTET_STRING).ok()?.content;
        fields.optional(der::context(0)).ok()?;
        // [1] IMPLICIT BIT STRING: no unused bits, then the public key.
        let public = match fields.optional(der::context_primitive(1)).ok()? {
            Some(bits) => bits.content.strip_prefix(&[0]),
            None => None,
        };
        fields.finish().ok()?;
        Some(Self {
            algorithm,
            key,
            public,
        })
    }

    /// What identity is derived from; nothing if the contents are not those of the algorithm.
    fn material(&self, strict: bool) -> Option<KeyMaterial> {
        match self.algorithm.oid {
            oid::RSA | oid::RSA_PSS | oid::RSA_OAEP | oid::RSA_X500 => {
                let key = private::rsa(&Element::read_all(self.key).ok()?, strict)?;
                Some(KeyMaterial::Rsa {
                    n: key.n.to_vec(),
                    e: key.e.to_vec(),
                })
            }
            oid::EC | oid::EC_DH | oid::EC_MQV => {
                let key = EcPrivate::read(&Element::read_all(self.key).ok()?)?
                    .on(self.algorithm.set_parameters())
                    .or_public(self.public);
                Some(key.material())
            }
            oid::DSA | oid::DSA_OIW => self.dsa(),
            oid::DH | oid::DH_X942 => {
                Element::read_all(self.key).ok()?.unsigned().ok()?;
                Some(KeyMaterial::Unknown)
            }
            oid::ED25519 | oid::X25519 => self.curve(32, strict),
            oid::ED448 => self.curve(57, strict),
            oid::X448 => self.curve(56, strict),
            other => {
                let name = oid::key_algorithm(other)?;
                let public = self
                    .public
                    .or_else(|| embedded_public(name, other, self.key));
                Some(match public {
                    Some(public) => self.raw(public),
                    None => KeyMaterial::Unknown,
                })
            }
        }
    }

    fn raw(&self, public: &[u8]) -> KeyMaterial {
        KeyMaterial::Raw {
            oid: self.algorithm.oid.to_vec(),
            public: public.to_vec(),
        }
    }

    /// RFC 8410, section 7: an OCTET STRING in the OCTET STRING. These keys are any bytes, and programs hold the
    /// frame as a template: if `strict`, what stands in it must look random.
    fn curve(&self, length: usize, strict: bool) -> Option<KeyMaterial> {
        let inner = Element::read_all(self.key)
            .ok()
            .filter(|e| e.tag == der::OCTET_STRING)
            .map_or(self.key, |e| e.content);
        if inner.len() != length || (strict && self.public.is_none() && !looks_random(inner)) {
            return None;
        }
        Some(match self.public.filter(|p| p.len() == length) {
            Some(public) => self.raw(public),
            None => KeyMaterial::Private(PrivateNumbers::Raw {
                oid: self.algorithm.oid.to_vec(),
                private: Secret::copy_of(inner),
            }),
        })
    }

    fn dsa(&self) -> Option<KeyMaterial> {
        let mut parameters = self.algorithm.parameters?.enter(der::SEQUENCE).ok()?;
        let mut number = || {
            Some(
                parameters
                    .expect(der::INTEGER)
                    .ok()?
                    .unsigned()
                    .ok()?
                    .to_vec(),
            )
        };
        let (p, q, g) = (number()?, number()?, number()?);
        let x = Element::read_all(self.key).ok()?.unsigned().ok()?;
        let y = self
            .public
            .and_then(|public| Element::read_all(public).ok()?.unsigned().ok());
        Some(match y {
            Some(y) => KeyMaterial::Dsa {
                p,
                q,
                g,
                y: y.to_vec(),
            },
            None => KeyMaterial::Private(PrivateNumbers::Dsa {
                p,
                q,
                g,
                x: Secret::copy_of(x),
            }),
        })
    }
}

/// Whether enough bytes differ from one another. Of 32 random ones 30 do on average, and fewer than 18 in less than one
/// of 10^12 cases; code and text repeat themselves.
fn looks_random(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() >= 18
}

/// The public half where a private key of FIPS 203 to 205 contains it as it is.
fn embedded_public<'a>(name: &str, id: &[u8], key: &'a [u8]) -> Option<&'a [u8]> {
    let public = spki::raw_public_length(id)?;
    if name.starts_with("SLH-DSA-") {
        // SK.seed, SK.prf, PK.seed, PK.root (FIPS 205, section 9.1).
        return key.get(public..).filter(|half| half.len() == public);
    }
    if !name.starts_with("ML-KEM-") {
        return None;
    }
    // ML-KEM: dk_PKE, ek, H(ek), z (FIPS 203, algorithm 16), where ek is 32 bytes longer than dk_PKE.
    let secret = public.checked_sub(32)?;
    let expanded = expanded_key(key)?;
    let whole = expanded.len() == secret + public + 64;
    expanded.get(secret..secret + public).filter(|_| whole)
}

/// The expanded form out of the choice of seed, expanded key, or both (RFC 9935, section 6).
fn expanded_key(key: &[u8]) -> Option<&[u8]> {
    let Ok(choice) = Element::read_all(key) else {
        // Earlier drafts had the bytes alone.
        return Some(key);
    };
    match choice.tag {
        der::OCTET_STRING => Some(choice.content),
        der::SEQUENCE => {
            let mut both = choice.enter(der::SEQUENCE).ok()?;
            both.expect(der::OCTET_STRING).ok()?;
            Some(both.expect(der::OCTET_STRING).ok()?.content)
        }
        _ => None,
    }
}
