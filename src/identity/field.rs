//! Arithmetic modulo a prime of up to 576 bits, in Montgomery form, on public and secret numbers.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U576, Uint};

/// An element of a field.
pub(super) type Element = FixedMontyForm<{ U576::LIMBS }>;

const BYTES: usize = 72;

/// A field of integers modulo a prime.
#[derive(Debug)]
pub(super) struct Field {
    parameters: FixedMontyParams<{ U576::LIMBS }>,
    modulus: U576,
    bytes: usize,
}

impl Field {
    /// The field of that prime, big-endian. The caller vouches that it is a prime; an even or too long
    /// number gives none.
    pub(super) fn new(prime: &[u8]) -> Option<Self> {
        let modulus = number(prime)?;
        let odd = Odd::new(modulus).into_option()?;
        Some(Self {
            parameters: FixedMontyParams::new_vartime(odd),
            modulus,
            bytes: usize::try_from(modulus.bit_width_vartime().div_ceil(8)).ok()?,
        })
    }

    /// How many bytes an element has.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The element of that value, big-endian, which must be below the prime.
    pub(super) fn element(&self, bytes: &[u8]) -> Option<Element> {
        let value = number(bytes)?;
        (value < self.modulus).then(|| Element::new(&value, &self.parameters))
    }

    /// The element of a small value.
    pub(super) fn small(&self, value: u64) -> Element {
        Element::new(&U576::from_u64(value), &self.parameters)
    }

    /// Zero.
    pub(super) fn zero(&self) -> Element {
        Element::zero(&self.parameters)
    }

    /// One.
    pub(super) fn one(&self) -> Element {
        Element::one(&self.parameters)
    }

    /// Big-endian bytes of the field's length.
    pub(super) fn to_bytes(&self, element: &Element) -> Vec<u8> {
        let encoded = element.retrieve().to_be_bytes();
        let bytes: &[u8] = encoded.as_ref();
        bytes
            .get(BYTES.saturating_sub(self.bytes)..)
            .unwrap_or_default()
            .to_vec()
    }

    /// Whether the element, as a number, is odd.
    pub(super) fn is_odd(&self, element: &Element) -> bool {
        element.retrieve().bit_vartime(0)
    }

    /// A square root, if there is one (Tonelli and Shanks). For public values only.
    pub(super) fn square_root(&self, square: &Element) -> Option<Element> {
        if *square == self.zero() {
            return Some(*square);
        }
        let one = self.one();
        let minus_one = -one;
        // p - 1 = odd * 2^twos
        let even = self.modulus.wrapping_sub(&Uint::ONE);
        let twos = even.trailing_zeros_vartime();
        let odd = even.wrapping_shr_vartime(twos);
        let half = even.wrapping_shr_vartime(1);
        if square.pow_vartime(&half) != one {
            return None;
        }
        let non_residue = (2..1000)
            .map(|n| self.small(n))
            .find(|n| n.pow_vartime(&half) == minus_one)?;

        let mut generator = non_residue.pow_vartime(&odd);
        let mut order = twos;
        let mut residue = square.pow_vartime(&odd);
        let above = odd.wrapping_add(&Uint::ONE).wrapping_shr_vartime(1);
        let mut root = square.pow_vartime(&above);
        while residue != one {
            // The least i with residue^(2^i) = 1, which is below the order.
            let mut i = 0;
            let mut power = residue;
            while power != one {
                power = power.square();
                i += 1;
                if i >= order {
                    return None;
                }
            }
            let mut factor = generator;
            for _ in 0..order - i - 1 {
                factor = factor.square();
            }
            root *= &factor;
            generator = factor.square();
            residue *= &generator;
            order = i;
        }
        Some(root)
    }
}

/// A big-endian number, if it fits.
pub(super) fn number(bytes: &[u8]) -> Option<U576> {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    let bytes = bytes.get(zeros..)?;
    let mut padded = zeroize::Zeroizing::new([0u8; BYTES]);
    let start = BYTES.checked_sub(bytes.len())?;
    padded.get_mut(start..)?.copy_from_slice(bytes);
    Some(U576::from_be_slice(padded.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_roots_square_back() {
        // 2^224 - 2^96 + 1, where p - 1 has 96 factors of two, and 2^255 - 19, and a prime that is 3 mod 4.
        let p224 = [vec![0xff; 16], vec![0; 11], vec![1]].concat();
        let p25519 = [vec![0x7f], vec![0xff; 30], vec![0xed]].concat();
        for prime in [p224, p25519, vec![0x7f, 0xff, 0xff, 0xff]] {
            let field = Field::new(&prime).unwrap();
            let mut squares = 0;
            for n in 0..40 {
                let element = field.small(n);
                match field.square_root(&element) {
                    Some(root) => {
                        assert_eq!(root.square(), element);
                        squares += 1;
                    }
                    None => assert_ne!(n, 4),
                }
            }
            assert!((10..35).contains(&squares), "{squares}");
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert!(Field::new(&[0x10]).is_none());
        assert!(Field::new(&[0xff; 73]).is_none());
        assert!(Field::new(&[7]).unwrap().element(&[7]).is_none());
    }
}
