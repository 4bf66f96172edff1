//! SubjectPublicKeyInfo and the public key inside it (RFC 5280, section 4.1.2.7).

use super::curves;
use super::der::{self, DerError, Element, Reader};
use super::{gost, oid};

/// A SubjectPublicKeyInfo taken apart.
#[derive(Debug, Clone, Copy)]
pub struct Spki<'a> {
    /// The whole element.
    pub raw: &'a [u8],
    /// The algorithm.
    pub algorithm: Algorithm<'a>,
    /// The contents of the BIT STRING.
    pub key: &'a [u8],
}

/// An AlgorithmIdentifier taken apart (RFC 5280, section 4.1.1.2).
#[derive(Debug, Clone, Copy)]
pub struct Algorithm<'a> {
    /// The whole element.
    pub raw: &'a [u8],
    /// Contents bytes of the OBJECT IDENTIFIER.
    pub oid: &'a [u8],
    /// Parameters, where there are any.
    pub parameters: Option<Element<'a>>,
}

impl<'a> Algorithm<'a> {
    /// Takes an AlgorithmIdentifier apart.
    pub fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut fields = element.enter(der::SEQUENCE)?;
        let oid = fields.expect(der::OID)?.content;
        let parameters = if fields.is_empty() {
            None
        } else {
            Some(fields.element()?)
        };
        fields.finish()?;
        if oid.is_empty() {
            return Err(DerError::Contents);
        }
        Ok(Self {
            raw: element.raw,
            oid,
            parameters,
        })
    }

    /// The parameters, unless they are NULL.
    pub fn set_parameters(&self) -> Option<Element<'a>> {
        self.parameters.filter(|p| p.tag != der::NULL)
    }
}

impl<'a> Spki<'a> {
    /// Takes a SubjectPublicKeyInfo apart.
    pub fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut fields = element.enter(der::SEQUENCE)?;
        let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE)?)?;
        let key = fields.expect(der::BIT_STRING)?.bits()?;
        fields.finish()?;
        Ok(Self {
            raw: element.raw,
            algorithm,
            key,
        })
    }

    /// Whether chance bytes can be ruled out: the algorithm is known, and the key looks like one of it.
    pub fn is_plausible(&self) -> bool {
        let Algorithm {
            oid: id,
            parameters,
            ..
        } = self.algorithm;
        match id {
            oid::RSA | oid::RSA_PSS | oid::RSA_OAEP | oid::RSA_X500 => {
                Element::read_all(self.key).is_ok_and(|key| RsaPublic::read(&key, true).is_some())
            }
            oid::EC | oid::EC_DH | oid::EC_MQV => parameters
                .and_then(|p| field_bytes(&p))
                .is_some_and(|field| {
                    self.key
                        .first()
                        .is_some_and(|form| curves::is_point(*form, self.key.len(), field))
                }),
            oid::DSA | oid::DSA_OIW | oid::DH | oid::DH_X942 => {
                Element::read_all(self.key).is_ok_and(|y| y.unsigned().is_ok())
            }
            _ if gost::is_key(id) => {
                let length = gost::coordinates(self.key).map(<[u8]>::len);
                parameters.is_some() && matches!(length, Some(64 | 128))
            }
            _ => match raw_public_length(id) {
                Some(length) => self.key.len() == length,
                None => oid::key_algorithm(id).is_some() && self.key.len() >= 16,
            },
        }
    }
}

/// How many bytes the public key of an algorithm has, whose keys are plain bytes
/// (RFC 8410; FIPS 203, table 3; FIPS 204, table 2; FIPS 205, table 2).
pub fn raw_public_length(id: &[u8]) -> Option<usize> {
    let name = oid::key_algorithm(id)?;
    Some(match name {
        "Ed25519" | "X25519" => 32,
        "Ed448" => 57,
        "X448" => 56,
        "ML-KEM-512" => 800,
        "ML-KEM-768" => 1184,
        "ML-KEM-1024" => 1568,
        "ML-DSA-44" | "HASH-ML-DSA-44-WITH-SHA512" => 1312,
        "ML-DSA-65" | "HASH-ML-DSA-65-WITH-SHA512" => 1952,
        "ML-DSA-87" | "HASH-ML-DSA-87-WITH-SHA512" => 2592,
        _ if name.starts_with("SLH-DSA-") => 2 * slh_dsa_n(name)?,
        _ => return None,
    })
}

/// The security parameter n of an SLH-DSA parameter set, in bytes.
pub fn slh_dsa_n(name: &str) -> Option<usize> {
    match name.rsplit('-').next()? {
        "128s" | "128f" => Some(16),
        "192s" | "192f" => Some(24),
        "256s" | "256f" => Some(32),
        _ => None,
    }
}

/// The length of a coordinate on the curve of the given ECParameters: named, or explicit over a prime field.
pub fn field_bytes(parameters: &Element<'_>) -> Option<usize> {
    match parameters.tag {
        der::OID => curves::by_oid(parameters.content)
            .map(curves::Curve::field_bytes)
            .or_else(|| {
                let (_, bits) = curves::binary_by_oid(parameters.content)?;
                usize::try_from(bits.div_ceil(8)).ok()
            }),
        der::SEQUENCE => {
            let mut fields = Reader::new(parameters.content);
            fields.expect(der::INTEGER).ok()?;
            let mut field = fields.enter(der::SEQUENCE).ok()?;
            let kind = field.expect(der::OID).ok()?;
            let prime = field.expect(der::INTEGER).ok()?.unsigned().ok()?;
            let sized = kind.content == oid::PRIME_FIELD && (8..=128).contains(&prime.len());
            sized.then_some(prime.len())
        }
        _ => None,
    }
}

/// An RSA public key (RFC 8017, appendix A.1.1).
#[derive(Debug, Clone, Copy)]
pub struct RsaPublic<'a> {
    /// Modulus, without leading zeros.
    pub n: &'a [u8],
    /// Public exponent, without leading zeros.
    pub e: &'a [u8],
}

impl<'a> RsaPublic<'a> {
    /// Reads an RSAPublicKey; if `strict`, only one of plausible numbers.
    pub fn read(element: &Element<'a>, strict: bool) -> Option<Self> {
        let mut fields = element.enter(der::SEQUENCE).ok()?;
        let n = fields.expect(der::INTEGER).ok()?.unsigned().ok()?;
        let e = fields.expect(der::INTEGER).ok()?.unsigned().ok()?;
        fields.finish().ok()?;
        let key = Self { n, e };
        key.is_acceptable(strict).then_some(key)
    }

    /// Neither number is zero; and if `strict`, the modulus is odd and of 512 to 65,536 bits, and the
    /// exponent odd, at least 3 and below the modulus.
    pub fn is_acceptable(&self, strict: bool) -> bool {
        if !strict {
            return !self.n.is_empty() && !self.e.is_empty();
        }
        let odd = |number: &[u8]| number.last().is_some_and(|b| b & 1 == 1);
        let below =
            self.e.len() < self.n.len() || (self.e.len() == self.n.len() && self.e < self.n);
        (64..=8192).contains(&self.n.len()) && odd(self.n) && odd(self.e) && self.e != [1] && below
    }
}
