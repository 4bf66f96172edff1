//! Public keys of Ed448 (RFC 8032, section 5.2) and X448 (RFC 7748, section 5).

use super::field::{Element, Field};
use crypto_bigint::CtAssign as _;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput as _, Update as _, XofReader as _};
use std::sync::LazyLock;
use zeroize::{Zeroize as _, Zeroizing};

/// 2^448 - 2^224 - 1.
const PRIME: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe\
                     ffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
/// The base point of edwards448 (RFC 8032, section 5.2).
const BASE_X: &str = "4f1970c66bed0ded221d15a622bf36da9e146570470f1767ea6de324\
                      a3d3a46412ae1af72ab66511433b80e18b00938e2626a82bc70cc05e";
const BASE_Y: &str = "693f46716eb6bc248876203756c9c7624bea73736ca3984087789c1e\
                      05a0c2d73ad3ff1ce67c39c4fdbd132c4ed7c8ad9808795bf230fa14";
/// d = -39081, and (156326 - 2) / 4 of the Montgomery form.
const CONSTANT: u64 = 39_081;

static FIELD: LazyLock<Option<Field>> =
    LazyLock::new(|| Field::new(&super::weierstrass::unhex(PRIME)));

#[derive(Clone, Copy)]
struct Projective {
    x: Element,
    y: Element,
    z: Element,
}

/// The public key of an Ed448 private key.
pub(super) fn ed448_public(private: &[u8; 57]) -> Option<[u8; 57]> {
    let field = FIELD.as_ref()?;
    let mut hash = Shake256::default();
    hash.update(private);
    let mut scalar = Zeroizing::new([0u8; 57]);
    hash.finalize_xof().read(scalar.as_mut_slice());
    let [first, .., high, last] = &mut *scalar;
    *first &= 0xfc;
    *high |= 0x80;
    *last = 0;

    let base = Projective {
        x: field.element(&super::weierstrass::unhex(BASE_X))?,
        y: field.element(&super::weierstrass::unhex(BASE_Y))?,
        z: field.one(),
    };
    let mut sum = Projective {
        x: field.zero(),
        y: field.one(),
        z: field.one(),
    };
    for byte in scalar.iter().rev() {
        for bit in (0..8).rev() {
            sum = add(field, &sum, &sum);
            let added = add(field, &sum, &base);
            let choice = crypto_bigint::Choice::from_u8_lsb(byte >> bit & 1);
            sum.x.ct_assign(&added.x, choice);
            sum.y.ct_assign(&added.y, choice);
            sum.z.ct_assign(&added.z, choice);
        }
    }
    let inverse = sum.z.invert().into_option()?;
    let x = sum.x * inverse;
    let y = field.to_bytes(&(sum.y * inverse));
    sum.x.zeroize();
    sum.y.zeroize();
    sum.z.zeroize();

    let mut public = [0u8; 57];
    for (slot, byte) in public.iter_mut().zip(y.iter().rev()) {
        *slot = *byte;
    }
    let [.., last] = &mut public;
    *last = u8::from(field.is_odd(&x)) << 7;
    Some(public)
}

/// RFC 8032, section 5.2.4; complete, so it doubles too.
fn add(field: &Field, left: &Projective, right: &Projective) -> Projective {
    let a = left.z * right.z;
    let b = a.square();
    let c = left.x * right.x;
    let d = left.y * right.y;
    let e = -(field.small(CONSTANT) * c * d);
    let f = b - e;
    let g = b + e;
    let h = (left.x + left.y) * (right.x + right.y);
    Projective {
        x: a * f * (h - c - d),
        y: a * g * (d - c),
        z: f * g,
    }
}

/// The public key of an X448 private key: the ladder of RFC 7748, section 5, on the point 5.
pub(super) fn x448_public(private: &[u8; 56]) -> Option<[u8; 56]> {
    multiply(private, 5)
}

fn multiply(scalar: &[u8; 56], abscissa: u64) -> Option<[u8; 56]> {
    let field = FIELD.as_ref()?;
    let mut scalar = Zeroizing::new(*scalar);
    let [first, .., last] = &mut *scalar;
    *first &= 252;
    *last |= 128;

    let a24 = field.small(CONSTANT);
    let u = field.small(abscissa);
    let (mut x2, mut z2, mut x3, mut z3) = (field.one(), field.zero(), u, field.one());
    for byte in scalar.iter().rev() {
        for bit in (0..8).rev() {
            let choice = crypto_bigint::Choice::from_u8_lsb(byte >> bit & 1);
            swap(&mut x2, &mut x3, choice);
            swap(&mut z2, &mut z3, choice);
            let (a, b) = (x2 + z2, x2 - z2);
            let (aa, bb) = (a.square(), b.square());
            let e = aa - bb;
            let (da, cb) = ((x3 - z3) * a, (x3 + z3) * b);
            x3 = (da + cb).square();
            z3 = u * (da - cb).square();
            x2 = aa * bb;
            z2 = e * (aa + a24 * e);
            swap(&mut x2, &mut x3, choice);
            swap(&mut z2, &mut z3, choice);
        }
    }
    let result = field.to_bytes(&(x2 * z2.invert().into_option()?));
    for secret in [&mut x2, &mut z2, &mut x3, &mut z3] {
        secret.zeroize();
    }
    let mut public = [0u8; 56];
    for (slot, byte) in public.iter_mut().zip(result.iter().rev()) {
        *slot = *byte;
    }
    Some(public)
}

fn swap(left: &mut Element, right: &mut Element, choice: crypto_bigint::Choice) {
    let before = *left;
    left.ct_assign(right, choice);
    right.ct_assign(&before, choice);
}

#[cfg(test)]
mod tests {
    use super::super::weierstrass::unhex;
    use super::*;

    /// RFC 8032, section 7.4: "Blank" and "1 octet".
    #[test]
    fn ed448_vectors_of_rfc_8032() {
        for (private, public) in [
            (
                "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
                "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180",
            ),
            (
                "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
                "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
            ),
        ] {
            let private: [u8; 57] = unhex(private).try_into().unwrap();
            assert_eq!(ed448_public(&private).unwrap().to_vec(), unhex(public));
        }
    }

    /// RFC 7748, section 6.2.
    #[test]
    fn x448_vectors_of_rfc_7748() {
        for (private, public) in [
            (
                "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
                "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
            ),
            (
                "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
                "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
            ),
        ] {
            let private: [u8; 56] = unhex(private).try_into().unwrap();
            assert_eq!(x448_public(&private).unwrap().to_vec(), unhex(public));
        }
    }
}
