//! Points on the named curves over prime fields: reading, checking, and multiplying the base point.

use super::field::{Element, Field, number};
use crate::formats::wire::curves::{Curve, PRIME};
use crate::formats::wire::gost;
use crypto_bigint::{CtAssign as _, U576};
use std::sync::{LazyLock, OnceLock};
use zeroize::{Zeroize as _, Zeroizing};

/// A curve made ready for arithmetic.
struct Group {
    field: Field,
    a: Element,
    b: Element,
    base: Projective,
    order: U576,
}

/// A point `(X/Z, Y/Z)`.
#[derive(Clone, Copy)]
struct Projective {
    x: Element,
    y: Element,
    z: Element,
}

/// Coordinates of a point, big-endian, of the field's length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Affine {
    pub(super) x: Vec<u8>,
    pub(super) y: Vec<u8>,
}

/// Reads a point (SEC 1, section 2.3.4), uncompressed, compressed or hybrid. None if it is not on the curve.
pub(super) fn read_point(curve: &Curve, point: &[u8]) -> Option<Affine> {
    let group = group(curve)?;
    let (form, coordinates) = point.split_first()?;
    let length = group.field.bytes();
    let x = group.field.element(coordinates.get(..length)?)?;
    let y = coordinates.get(length..)?;
    // y² = x³ + ax + b
    let square = (x.square() + group.a) * x + group.b;
    match (form, y.len()) {
        (4 | 6 | 7, stored) if stored == length => {
            let y_element = group.field.element(y)?;
            let parity = *form == 4 || group.field.is_odd(&y_element) == (*form == 7);
            (y_element.square() == square && parity).then(|| Affine {
                x: coordinates.get(..length).unwrap_or_default().to_vec(),
                y: y.to_vec(),
            })
        }
        (2 | 3, 0) => {
            let root = group.field.square_root(&square)?;
            let root = if group.field.is_odd(&root) == (*form == 3) {
                root
            } else {
                -root
            };
            Some(Affine {
                x: coordinates.to_vec(),
                y: group.field.to_bytes(&root),
            })
        }
        _ => None,
    }
}

/// The product of numbers, big-endian and below the order of the base point, modulo that order. None if one is not.
pub(super) fn product(curve: &Curve, numbers: &[&[u8]]) -> Option<Zeroizing<Vec<u8>>> {
    let order = Field::new(&unhex(curve.n))?;
    let mut product = order.one();
    for number in numbers {
        product *= order.element(number)?;
    }
    let bytes = Zeroizing::new(order.to_bytes(&product));
    product.zeroize();
    Some(bytes)
}

/// The public point of a private scalar, big-endian. None if the scalar is zero or not below the order.
pub(super) fn public_point(curve: &Curve, scalar: &[u8]) -> Option<Affine> {
    let group = group(curve)?;
    let mut scalar = number(scalar)?;
    if scalar == U576::ZERO || scalar >= group.order {
        return None;
    }
    // Left to right, always doubling and always adding, so that neither depends on the scalar. The formulas
    // hold for every pair of points whose order is odd, which all multiples of the base point are.
    let zero = group.field.zero();
    let mut sum = Projective {
        x: zero,
        y: group.field.one(),
        z: zero,
    };
    for i in (0..group.order.bit_width_vartime()).rev() {
        sum = group.add(&sum, &sum);
        let added = group.add(&sum, &group.base);
        let bit = scalar.bit(i);
        sum.x.ct_assign(&added.x, bit);
        sum.y.ct_assign(&added.y, bit);
        sum.z.ct_assign(&added.z, bit);
    }
    scalar.zeroize();
    let inverse = sum.z.invert().into_option()?;
    let affine = Affine {
        x: group.field.to_bytes(&(sum.x * inverse)),
        y: group.field.to_bytes(&(sum.y * inverse)),
    };
    sum.x.zeroize();
    sum.y.zeroize();
    sum.z.zeroize();
    Some(affine)
}

impl Group {
    fn new(curve: &Curve) -> Option<Self> {
        let field = Field::new(&unhex(curve.p))?;
        let base = Projective {
            x: field.element(&unhex(curve.gx))?,
            y: field.element(&unhex(curve.gy))?,
            z: field.one(),
        };
        Some(Self {
            a: field.element(&unhex(curve.a))?,
            b: field.element(&unhex(curve.b))?,
            base,
            order: number(&unhex(curve.n))?,
            field,
        })
    }

    /// Complete addition for any coefficients (Renes, Costello, Batina: "Complete addition formulas for prime
    /// order elliptic curves", 2016, section 3, equation 1).
    fn add(&self, left: &Projective, right: &Projective) -> Projective {
        let xx = left.x * right.x;
        let yy = left.y * right.y;
        let zz = left.z * right.z;
        let xy = left.x * right.y + right.x * left.y;
        let xz = left.x * right.z + right.x * left.z;
        let yz = left.y * right.z + right.y * left.z;
        let triple = |e: &Element| e.double() + *e;

        let b_zz = triple(&(self.b * zz));
        let shift = self.a * xz + b_zz;
        let minus = yy - shift;
        let plus = yy + shift;
        let a_zz = self.a * zz;
        let slope = triple(&xx) + a_zz;
        let mixed = self.a * (xx - a_zz) + triple(&(self.b * xz));
        Projective {
            x: xy * minus - yz * mixed,
            y: slope * mixed + plus * minus,
            z: yz * plus + xy * slope,
        }
    }
}

/// Every curve that is computed on.
fn known() -> impl Iterator<Item = &'static Curve> {
    PRIME.iter().chain(gost::SETS)
}

/// The curve made ready, once.
fn group(curve: &Curve) -> Option<&'static Group> {
    static GROUPS: LazyLock<Vec<OnceLock<Option<Group>>>> =
        LazyLock::new(|| known().map(|_| OnceLock::new()).collect());
    let place = known().position(|known| known.oid == curve.oid)?;
    GROUPS
        .get(place)?
        .get_or_init(|| Group::new(curve))
        .as_ref()
}

/// The bytes of the table's hexadecimal digits.
pub(super) fn unhex(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &str) -> &'static Curve {
        PRIME.iter().find(|c| c.name == name).unwrap()
    }

    #[test]
    fn every_base_point_is_on_its_curve_and_has_its_order() {
        for curve in known() {
            let base = Affine {
                x: unhex(curve.gx),
                y: unhex(curve.gy),
            };
            let point = [&[4][..], &base.x, &base.y].concat();
            assert_eq!(
                read_point(curve, &point).as_ref(),
                Some(&base),
                "{}",
                curve.name
            );
            let form = 2 | base.y.last().unwrap() & 1;
            let compressed = [&[form][..], &base.x].concat();
            assert_eq!(
                read_point(curve, &compressed).as_ref(),
                Some(&base),
                "{}",
                curve.name
            );

            assert_eq!(
                public_point(curve, &[1]).as_ref(),
                Some(&base),
                "{}",
                curve.name
            );
            // (n - 1)G = -G has the same abscissa.
            let mut last = unhex(curve.n);
            *last.last_mut().unwrap() -= 1;
            assert_eq!(
                public_point(curve, &last).unwrap().x,
                base.x,
                "{}",
                curve.name
            );
            assert_eq!(public_point(curve, &unhex(curve.n)), None);
            assert_eq!(public_point(curve, &[0; 8]), None);
        }
    }

    /// RFC 6979, appendix A.2.5: the key of the ECDSA vectors on P-256.
    #[test]
    fn multiplies_as_rfc_6979_says() {
        let scalar = unhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let public = public_point(curve("P-256"), &scalar).unwrap();
        assert_eq!(
            public.x,
            unhex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6")
        );
        assert_eq!(
            public.y,
            unhex("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299")
        );
    }

    #[test]
    fn a_point_off_the_curve_is_none() {
        let curve = curve("P-256");
        let mut point = [&[4][..], &unhex(curve.gx), &unhex(curve.gy)].concat();
        point[64] ^= 1;
        assert_eq!(read_point(curve, &point), None);
        assert_eq!(read_point(curve, &point[..64]), None);
        assert_eq!(read_point(curve, &[]), None);
        assert_eq!(read_point(curve, &[0]), None);
    }
}
