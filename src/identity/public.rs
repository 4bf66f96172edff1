//! A public key free of its encoding, and the canonical SubjectPublicKeyInfo of it.

use super::weierstrass::{self, Affine};
use crate::formats::wire::curves::{self, Curve};
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::oid;
use std::borrow::Cow;

/// A public key free of its encoding. Integers are big-endian, without leading zeros.
#[derive(Debug)]
pub(super) enum Public<'a> {
    /// RSA modulus and exponent.
    Rsa { n: Cow<'a, [u8]>, e: Cow<'a, [u8]> },
    /// DSA parameters and public value.
    Dsa {
        p: Cow<'a, [u8]>,
        q: Cow<'a, [u8]>,
        g: Cow<'a, [u8]>,
        y: Cow<'a, [u8]>,
    },
    /// A point on a named curve.
    Ec {
        curve: &'static Curve,
        point: Affine,
    },
    /// A point that was not looked at: on a curve that nobody names or that has a binary field, or no
    /// point of its curve at all. `parameters` is a whole element.
    OtherEc {
        parameters: Cow<'a, [u8]>,
        point: Cow<'a, [u8]>,
    },
    /// GOST R 34.10: the AlgorithmIdentifier, a whole element, and both coordinates, least significant byte first.
    Gost {
        algorithm: Cow<'a, [u8]>,
        oid: &'a [u8],
        set: &'static Curve,
        key: Cow<'a, [u8]>,
    },
    /// An algorithm without parameters whose keys are plain bytes.
    Raw { oid: &'a [u8], key: Cow<'a, [u8]> },
    /// A SubjectPublicKeyInfo of an algorithm that this module does not take apart.
    Opaque { spki: &'a [u8], oid: &'a [u8] },
}

impl Public<'_> {
    /// The canonical SubjectPublicKeyInfo.
    pub(super) fn spki(&self) -> Vec<u8> {
        match self {
            Self::Rsa { n, e } => {
                let key = der::encode(
                    der::SEQUENCE,
                    &[&der::encode_unsigned(n), &der::encode_unsigned(e)],
                );
                info(oid::RSA, &[der::NULL, 0], &key)
            }
            Self::Dsa { p, q, g, y } => {
                let parameters = der::encode(
                    der::SEQUENCE,
                    &[
                        &der::encode_unsigned(p),
                        &der::encode_unsigned(q),
                        &der::encode_unsigned(g),
                    ],
                );
                info(oid::DSA, &parameters, &der::encode_unsigned(y))
            }
            Self::Ec { curve, point } => {
                let parameters = der::encode(der::OID, &[curve.oid]);
                info(oid::EC, &parameters, &uncompressed(point))
            }
            Self::OtherEc { parameters, point } => info(oid::EC, parameters, point),
            Self::Gost { algorithm, key, .. } => {
                let key = der::encode(der::OCTET_STRING, &[key]);
                let key = der::encode(der::BIT_STRING, &[&[0], &key]);
                der::encode(der::SEQUENCE, &[algorithm, &key])
            }
            Self::Raw { oid, key } => info(oid, &[], key),
            Self::Opaque { spki, .. } => spki.to_vec(),
        }
    }

    /// The algorithm as NIST and the RFCs write it.
    pub(super) fn algorithm(&self) -> Cow<'static, str> {
        match self {
            Self::Rsa { .. } => "RSA".into(),
            Self::Dsa { .. } => "DSA".into(),
            Self::Ec { .. } | Self::OtherEc { .. } => "EC".into(),
            Self::Gost { oid, .. } | Self::Raw { oid, .. } | Self::Opaque { oid, .. } => {
                oid::named(oid::key_algorithm(oid), oid)
            }
        }
    }

    /// Size in bits: of the modulus, of the field, or of an RFC 8410 key as RFC 8032 and RFC 7748 count it.
    pub(super) fn bits(&self) -> Option<u32> {
        match self {
            Self::Rsa { n, .. } => Some(bit_length(n)),
            Self::Dsa { p, .. } => Some(bit_length(p)),
            Self::Ec { curve, .. } | Self::Gost { set: curve, .. } => Some(curve.bits),
            Self::OtherEc { parameters, .. } => {
                let parameters = Element::read_all(parameters).ok()?;
                match parameters.tag {
                    der::OID => curves::by_oid(parameters.content)
                        .map(|curve| curve.bits)
                        .or_else(|| Some(curves::binary_by_oid(parameters.content)?.1)),
                    _ => Some(bit_length(Explicit::read(&parameters)?.p)),
                }
            }
            Self::Raw { oid, .. } => match *oid {
                oid::ED25519 | oid::X25519 => Some(256),
                oid::ED448 => Some(456),
                oid::X448 => Some(448),
                _ => None,
            },
            Self::Opaque { .. } => None,
        }
    }

    /// The curve's usual name.
    pub(super) fn curve(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Ec { curve, .. } | Self::Gost { set: curve, .. } => Some(curve.name.into()),
            Self::OtherEc { parameters, .. } => {
                let parameters = Element::read_all(parameters).ok()?;
                if parameters.tag != der::OID {
                    return None;
                }
                let id = parameters.content;
                let known = curves::by_oid(id)
                    .map(|curve| curve.name)
                    .or_else(|| Some(curves::binary_by_oid(id)?.0));
                Some(oid::named(known, id))
            }
            _ => None,
        }
    }
}

/// A point on the curve of these ECParameters, a whole element. The flag tells that a curve is known and
/// the point is not on it.
pub(super) fn ec<'a>(parameters: Cow<'a, [u8]>, point: Cow<'a, [u8]>) -> (Public<'a>, bool) {
    let curve = Element::read_all(&parameters)
        .ok()
        .and_then(|element| curve_of(&element));
    let affine = curve.map(|curve| weierstrass::read_point(curve, &point));
    match (curve, affine) {
        (Some(curve), Some(Some(point))) => (Public::Ec { curve, point }, false),
        (found, _) => (Public::OtherEc { parameters, point }, found.is_some()),
    }
}

/// The named curve that ECParameters name, or whose parameters they write out.
pub(super) fn curve_of(parameters: &Element<'_>) -> Option<&'static Curve> {
    match parameters.tag {
        der::OID => curves::by_oid(parameters.content),
        der::SEQUENCE => {
            let explicit = Explicit::read(parameters)?;
            curves::PRIME.iter().find(|curve| explicit.is(curve))
        }
        _ => None,
    }
}

/// ECParameters written out, over a prime field (RFC 3279, section 2.3.5; SEC 1, appendix C.2).
struct Explicit<'a> {
    p: &'a [u8],
    a: &'a [u8],
    b: &'a [u8],
    base: &'a [u8],
    n: &'a [u8],
}

impl<'a> Explicit<'a> {
    fn read(parameters: &Element<'a>) -> Option<Self> {
        let mut fields = parameters.enter(der::SEQUENCE).ok()?;
        fields.expect(der::INTEGER).ok()?;
        let mut field = fields.enter(der::SEQUENCE).ok()?;
        if field.expect(der::OID).ok()?.content != oid::PRIME_FIELD {
            return None;
        }
        let p = field.expect(der::INTEGER).ok()?.unsigned().ok()?;
        let mut coefficients = fields.enter(der::SEQUENCE).ok()?;
        let a = coefficients.expect(der::OCTET_STRING).ok()?.content;
        let b = coefficients.expect(der::OCTET_STRING).ok()?.content;
        let base = fields.expect(der::OCTET_STRING).ok()?.content;
        let n = fields.expect(der::INTEGER).ok()?.unsigned().ok()?;
        Some(Self { p, a, b, base, n })
    }

    fn is(&self, curve: &Curve) -> bool {
        let equal = |bytes: &[u8], digits: &str| {
            let known = weierstrass::unhex(digits);
            der::trim_zeros(bytes) == der::trim_zeros(&known)
        };
        self.p.len() == curve.field_bytes()
            && equal(self.p, curve.p)
            && equal(self.a, curve.a)
            && equal(self.b, curve.b)
            && equal(self.n, curve.n)
            && self.base_is(curve)
    }

    fn base_is(&self, curve: &Curve) -> bool {
        let (x, y) = (weierstrass::unhex(curve.gx), weierstrass::unhex(curve.gy));
        let odd = y.last().is_some_and(|b| b & 1 == 1);
        match self.base.split_first() {
            Some((4 | 6 | 7, rest)) => {
                rest.len() == x.len() + y.len() && rest.starts_with(&x) && rest.ends_with(&y)
            }
            Some((form @ (2 | 3), rest)) => rest == x && odd == (*form == 3),
            _ => false,
        }
    }
}

/// SEC 1, section 2.3.3, without compression.
pub(super) fn uncompressed(point: &Affine) -> Vec<u8> {
    [&[4][..], &point.x, &point.y].concat()
}

/// A SubjectPublicKeyInfo from the contents of its parts.
fn info(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let id = der::encode(der::OID, &[algorithm]);
    let algorithm = der::encode(der::SEQUENCE, &[&id, parameters]);
    let key = der::encode(der::BIT_STRING, &[&[0], key]);
    der::encode(der::SEQUENCE, &[&algorithm, &key])
}

fn bit_length(number: &[u8]) -> u32 {
    let number = der::trim_zeros(number);
    let Some(first) = number.first() else {
        return 0;
    };
    let bits = u32::try_from(number.len()).map_or(u32::MAX, |length| length.saturating_mul(8));
    bits.saturating_sub(first.leading_zeros())
}
