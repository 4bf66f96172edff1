//! The private keys that several formats hold: RSA (RFC 8017, appendix A.1.2) and EC (RFC 5915).

use super::curves;
use super::der::{self, Element};
use super::spki::{self, RsaPublic};
use crate::model::{KeyMaterial, PrivateNumbers, Secret};

/// Reads an RSAPrivateKey and gives its public half; if `strict`, only one of plausible numbers.
pub fn rsa<'a>(element: &Element<'a>, strict: bool) -> Option<RsaPublic<'a>> {
    let mut fields = element.enter(der::SEQUENCE).ok()?;
    let version = fields.expect(der::INTEGER).ok()?.small().ok()?;
    let mut number = || fields.expect(der::INTEGER).ok()?.unsigned().ok();
    let public = RsaPublic {
        n: number()?,
        e: number()?,
    };
    let _private_exponent = number()?;
    let (p, q) = (number()?, number()?);
    for _exponent_or_coefficient in 0..3 {
        number()?;
    }
    // Version 1 has further primes in one more SEQUENCE.
    let framed = match version {
        0 => {
            let product = is_product(public.n, p, q);
            fields.is_empty() && (product || !strict)
        }
        1 => fields.expect(der::SEQUENCE).is_ok() && fields.is_empty(),
        _ => false,
    };
    (framed && public.is_acceptable(strict)).then_some(public)
}

/// Whether n may be p times q: as far as they go modulo 2⁶⁴.
pub fn is_product(n: &[u8], p: &[u8], q: &[u8]) -> bool {
    low_word(p).wrapping_mul(low_word(q)) == low_word(n)
}

/// The number modulo 2⁶⁴.
fn low_word(number: &[u8]) -> u64 {
    number
        .iter()
        .skip(number.len().saturating_sub(8))
        .fold(0, |n, b| n << 8 | u64::from(*b))
}

/// An ECPrivateKey taken apart (RFC 5915, section 3).
#[derive(Clone, Copy)]
pub struct EcPrivate<'a> {
    scalar: &'a [u8],
    parameters: Option<Element<'a>>,
    public: Option<&'a [u8]>,
}

impl<'a> EcPrivate<'a> {
    /// Takes an ECPrivateKey apart.
    pub fn read(element: &Element<'a>) -> Option<Self> {
        let mut fields = element.enter(der::SEQUENCE).ok()?;
        if fields.expect(der::INTEGER).ok()?.small().ok()? != 1 {
            return None;
        }
        let scalar = fields.expect(der::OCTET_STRING).ok()?.content;
        let parameters = match fields.optional(der::context(0)).ok()? {
            Some(wrapped) => Some(Element::read_all(wrapped.content).ok()?),
            None => None,
        };
        let public = match fields.optional(der::context(1)).ok()? {
            Some(wrapped) => Some(Element::read_all(wrapped.content).ok()?.bits().ok()?),
            None => None,
        };
        fields.finish().ok()?;
        // Nought is a key on no curve.
        let zero = scalar.iter().all(|byte| *byte == 0);
        (!zero).then_some(Self {
            scalar,
            parameters,
            public,
        })
    }

    /// The same key on the curve that an outer AlgorithmIdentifier names.
    pub fn on(self, parameters: Option<Element<'a>>) -> Self {
        Self {
            parameters: parameters.or(self.parameters),
            ..self
        }
    }

    /// The same key with a public half that stands elsewhere, if it has none itself.
    pub fn or_public(self, public: Option<&'a [u8]>) -> Self {
        Self {
            public: self.public.or(public),
            ..self
        }
    }

    /// Whether chance bytes can be ruled out: the curve is known, and scalar and point have its length.
    pub fn is_plausible(&self) -> bool {
        let field = self.parameters.map(|p| spki::field_bytes(&p));
        match (field, self.public) {
            // An order may be a bit longer than the field.
            (Some(Some(field)), public) => {
                self.scalar.len() <= field + 1 && public.is_none_or(|p| has_length(p, field))
            }
            (Some(None), _) => false,
            (None, Some(public)) => has_length(public, self.scalar.len()),
            (None, None) => matches!(self.scalar.len(), 20 | 24 | 28 | 32 | 40 | 48 | 64 | 66),
        }
    }

    /// Size in bits as the scalar's length tells it, for a key whose curve is unknown.
    pub fn bits(&self) -> Option<u32> {
        match self.scalar.len() {
            66 => Some(521),
            length => u32::try_from(length).ok()?.checked_mul(8),
        }
    }

    /// What identity is derived from: the stored point, else the scalar. [`KeyMaterial::Unknown`] without
    /// a curve.
    pub fn material(&self) -> KeyMaterial {
        let Some(parameters) = self.parameters.filter(|p| p.tag != der::NULL) else {
            return KeyMaterial::Unknown;
        };
        let stored = self.public.filter(|point| {
            spki::field_bytes(&parameters).is_none_or(|field| has_length(point, field))
        });
        let parameters = parameters.raw.to_vec();
        match stored {
            Some(point) => KeyMaterial::Ec {
                parameters,
                point: point.to_vec(),
            },
            None => KeyMaterial::Private(PrivateNumbers::Ec {
                parameters,
                scalar: Secret::copy_of(self.scalar),
            }),
        }
    }
}

fn has_length(point: &[u8], field: usize) -> bool {
    point
        .first()
        .is_some_and(|form| curves::is_point(*form, point.len(), field))
}
