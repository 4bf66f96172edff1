//! Private keys in clear: PrivateKeyInfo and OneAsymmetricKey (RFC 5958, section 2).
//!
//! What stands inside is the algorithm's own: RFC 8017 for RSA, RFC 5915 for EC, RFC 8410 for the Edwards and
//! Montgomery curves, RFC 9881 for ML-DSA, RFC 9935 for ML-KEM, RFC 9909 for SLH-DSA, RFC 9215 and RFC 9548 for GOST R 34.10.

use super::Format;
use super::wire::der::{self, Element};
use super::wire::post_quantum::Numbers;
use super::wire::private::{self, EcPrivate};
use super::wire::spki::{self, Algorithm};
use super::wire::{gost, labels, oid};
use crate::model::{
    Artifact, Candidate, Clue, KeyMaterial, Kind, PrivateNumbers, Protection, Reading, Secret,
};
use zeroize::Zeroizing;

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
        let mut public = match fields.optional(der::context_primitive(1)).ok()? {
            Some(bits) => bits.content.strip_prefix(&[0]),
            None => None,
        };
        // The ring library, before its version 0.17, wrote the tag as an explicit one.
        if let Some(wrapped) = fields.optional(der::context(1)).ok()? {
            let bits = Element::read_all(wrapped.content).ok()?;
            public = Some(bits.bits().ok()?);
        }
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
            other if gost::is_key(other) => self.gost(strict),
            other => self.post_quantum(oid::key_algorithm(other)?, strict),
        }
    }

    fn post_quantum(&self, name: &str, strict: bool) -> Option<KeyMaterial> {
        let length = spki::raw_public_length(self.algorithm.oid);
        if let Some(public) = self.public.filter(|p| Some(p.len()) == length) {
            return Some(self.raw(public));
        }
        if let Some(numbers) = Numbers::read(name, self.key) {
            let bytes = numbers.bytes();
            let random = !strict || looks_random(&bytes);
            return random.then(|| self.private(Secret::new(bytes)));
        }
        if let Some(public) = slh_dsa_public(name, length, self.key) {
            return Some(self.raw(public));
        }
        // Another algorithm, of which nothing but the name is known.
        length.is_none().then_some(KeyMaterial::Unknown)
    }

    /// A number, least significant byte first, and masks of the same length (RFC 9548, section 4.2); in older keys a plain INTEGER,
    /// or a structure with the public key behind.
    fn gost(&self, strict: bool) -> Option<KeyMaterial> {
        let Some(set) = self
            .algorithm
            .parameters
            .and_then(|p| gost::parameter_set(&p))
        else {
            return (!strict).then_some(KeyMaterial::Unknown);
        };
        let length = set.field_bytes();
        let fits = |bytes: &[u8]| !bytes.is_empty() && bytes.len().is_multiple_of(length);
        let element = || Element::read_all(self.key).ok();
        let private = if fits(self.key) {
            Secret::copy_of(self.key)
        } else {
            match element()? {
                string if string.tag == der::OCTET_STRING => Secret::copy_of(string.content),
                number if number.tag == der::INTEGER => {
                    let mut number = Zeroizing::new(number.unsigned().ok()?.to_vec());
                    number.reverse();
                    let mut padded = vec![0; length];
                    padded.get_mut(..number.len())?.copy_from_slice(&number);
                    Secret::new(padded)
                }
                masked => {
                    let mut fields = masked.enter(der::SEQUENCE).ok()?;
                    Secret::copy_of(fields.expect(der::OCTET_STRING).ok()?.content)
                }
            }
        };
        if !fits(private.expose()) || (strict && !looks_random(private.expose())) {
            return None;
        }
        Some(KeyMaterial::Private(PrivateNumbers::Gost {
            algorithm: self.algorithm.raw.to_vec(),
            private,
        }))
    }

    fn private(&self, private: Secret) -> KeyMaterial {
        KeyMaterial::Private(PrivateNumbers::Raw {
            oid: self.algorithm.oid.to_vec(),
            private,
        })
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
            None => self.private(Secret::copy_of(inner)),
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

/// The public half that a private key of SLH-DSA contains: SK.seed, SK.prf, PK.seed, PK.root (FIPS 205, section 9.1).
fn slh_dsa_public<'a>(name: &str, length: Option<usize>, key: &'a [u8]) -> Option<&'a [u8]> {
    let length = length.filter(|_| name.starts_with("SLH-DSA-"))?;
    let key = match Element::read_all(key) {
        // Drafts wrapped the bytes once more.
        Ok(wrapped) if wrapped.tag == der::OCTET_STRING => wrapped.content,
        _ => key,
    };
    key.get(length..).filter(|half| half.len() == length)
}
