//! The public half of a private number that stands alone.

use super::curve448;
use super::derive::Note;
use super::public::curve_of;
use super::weierstrass::{self, Affine};
use crate::formats::wire::curves::Curve;
use crate::formats::wire::der::{Element, trim_zeros};
use crate::formats::wire::oid;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, Resize as _};
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize as _, Zeroizing};

/// The longest DSA modulus that is computed with, in bytes.
const MAX_DSA_MODULUS: usize = 16_384 / 8;
/// The longest DSA subgroup order that is computed with, in bytes; FIPS 186-4 has 32 at most.
const MAX_DSA_ORDER: usize = 64;

/// The point of an EC scalar, and the curve that the ECParameters name.
pub(super) fn ec(parameters: &[u8], scalar: &[u8]) -> Result<(&'static Curve, Affine), Note> {
    let curve = Element::read_all(parameters)
        .ok()
        .and_then(|element| curve_of(&element))
        .ok_or(Note::NoArithmetic)?;
    let point = weierstrass::public_point(curve, scalar).ok_or(Note::OutOfRange)?;
    Ok((curve, point))
}

/// The public bytes of an RFC 8410 private key.
pub(super) fn raw(id: &[u8], private: &[u8]) -> Result<Vec<u8>, Note> {
    match id {
        oid::ED25519 => {
            let seed: &[u8; 32] = private.try_into().map_err(|_| Note::OutOfRange)?;
            // RFC 8032, section 5.1.5: the first half of the digest, clamped, times the base point.
            let mut digest: [u8; 64] = Sha512::digest(seed).into();
            let mut scalar = Zeroizing::new([0u8; 32]);
            for (slot, byte) in scalar.iter_mut().zip(&digest) {
                *slot = *byte;
            }
            digest.zeroize();
            Ok(EdwardsPoint::mul_base_clamped(*scalar)
                .compress()
                .as_bytes()
                .to_vec())
        }
        oid::X25519 => {
            let scalar: &[u8; 32] = private.try_into().map_err(|_| Note::OutOfRange)?;
            Ok(MontgomeryPoint::mul_base_clamped(*scalar)
                .as_bytes()
                .to_vec())
        }
        oid::ED448 => {
            let seed: &[u8; 57] = private.try_into().map_err(|_| Note::OutOfRange)?;
            let public = curve448::ed448_public(seed).ok_or(Note::NoArithmetic)?;
            Ok(public.to_vec())
        }
        oid::X448 => {
            let scalar: &[u8; 56] = private.try_into().map_err(|_| Note::OutOfRange)?;
            let public = curve448::x448_public(scalar).ok_or(Note::NoArithmetic)?;
            Ok(public.to_vec())
        }
        _ => Err(Note::NoArithmetic),
    }
}

/// y = g^x mod p, without leading zeros (FIPS 186-4, section 4.1).
pub(super) fn dsa(p: &[u8], q: &[u8], g: &[u8], x: &[u8]) -> Result<Vec<u8>, Note> {
    let (p, q, g, x) = (trim_zeros(p), trim_zeros(q), trim_zeros(g), trim_zeros(x));
    if p.len() > MAX_DSA_MODULUS || q.len() > MAX_DSA_ORDER || p.len() < 16 {
        return Err(Note::NoArithmetic);
    }
    if x.is_empty() || !below(x, q) || !below(g, p) || g.is_empty() {
        return Err(Note::OutOfRange);
    }
    let modulus = BoxedUint::from_be_slice_vartime(p);
    let precision = modulus.bits_precision();
    let odd = Odd::new(modulus).into_option().ok_or(Note::NoArithmetic)?;
    let parameters = BoxedMontyParams::new_vartime(odd);
    let base = BoxedMontyForm::new(
        BoxedUint::from_be_slice_vartime(g).resize(precision),
        &parameters,
    );
    let mut exponent = BoxedUint::from_be_slice_vartime(x);
    let bits = u32::try_from(q.len())
        .map_err(|_| Note::NoArithmetic)?
        .saturating_mul(8)
        .min(exponent.bits_precision());
    let power = base.pow_bounded_exp(&exponent, bits);
    exponent.zeroize();
    Ok(trim_zeros(&power.retrieve().to_be_bytes()).to_vec())
}

fn below(left: &[u8], right: &[u8]) -> bool {
    left.len() < right.len() || (left.len() == right.len() && left < right)
}

#[cfg(test)]
mod tests {
    use super::super::weierstrass::unhex;
    use super::*;

    /// RFC 8032, section 7.1, tests 1 and 2.
    #[test]
    fn ed25519_vectors_of_rfc_8032() {
        for (private, public) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            ),
        ] {
            assert_eq!(raw(oid::ED25519, &unhex(private)).unwrap(), unhex(public));
        }
    }

    /// RFC 7748, section 6.1.
    #[test]
    fn x25519_vectors_of_rfc_7748() {
        for (private, public) in [
            (
                "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            ),
            (
                "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
            ),
        ] {
            assert_eq!(raw(oid::X25519, &unhex(private)).unwrap(), unhex(public));
        }
    }

    #[test]
    fn hostile_sizes_are_refused() {
        let long = vec![0xff; MAX_DSA_MODULUS + 1];
        assert_eq!(dsa(&long, &[7], &[2], &[1]), Err(Note::NoArithmetic));
        assert_eq!(
            dsa(&[0xff; 64], &[0xff; 65], &[2], &[1]),
            Err(Note::NoArithmetic)
        );
        assert_eq!(
            dsa(&[0xff; 64], &[0xff; 20], &[2], &[0xff; 20]),
            Err(Note::OutOfRange)
        );
        assert_eq!(raw(oid::ED25519, &[0; 31]), Err(Note::OutOfRange));
    }
}
