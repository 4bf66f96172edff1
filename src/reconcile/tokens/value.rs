//! What an identifier consists of.

use super::serial::{hexadecimal, serial_digits};
use crate::model::Hex;
use sha2::{Digest as _, Sha256};
use std::hash::{Hash, Hasher};

/// What an identifier consists of, in a fixed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Value {
    form: u8,
    bytes: [u8; 32],
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(self.form);
        state.write(&self.bytes);
    }
}

impl Value {
    /// A digest of any size up to 32 bytes.
    const DIGEST: u8 = 0;
    /// Up to 64 hexadecimal digits: the form is their number.
    pub(in super::super) const DIGITS_MAX: u8 = 64;
    /// In addition: digits with a sign.
    const NEGATIVE: u8 = 0x80;
    /// Whatever else, by its SHA-256.
    const OTHER: u8 = 0x7f;

    pub(super) fn digest(bytes: &[u8]) -> Self {
        Self::padded(Self::DIGEST, bytes)
    }

    pub(super) fn padded(form: u8, from: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes
            .iter_mut()
            .zip(from)
            .for_each(|(to, from)| *to = *from);
        Self { form, bytes }
    }

    /// Hexadecimal digits of any case; what is none counts without its case.
    pub(super) fn digits(text: impl Iterator<Item = u8> + Clone, negative: bool) -> Self {
        let mut bytes = [0; 32];
        let mut count = 0;
        for letter in text.clone() {
            let digit = char::from(letter).to_digit(16);
            let (Some(digit), Some(slot)) = (digit, bytes.get_mut(count / 2)) else {
                let sign = negative.then_some(b'-').into_iter();
                let lower = text.map(|b| b.to_ascii_lowercase());
                let all: Vec<u8> = sign.chain(lower).collect();
                return Self::other(&all);
            };
            let digit = u8::try_from(digit).unwrap_or(0);
            *slot |= if count % 2 == 0 { digit << 4 } else { digit };
            count += 1;
        }
        let count = u8::try_from(count).unwrap_or(Self::DIGITS_MAX);
        let sign = if negative { Self::NEGATIVE } else { 0 };
        // No digit at all is no digest either.
        let form = if count == 0 { Self::NEGATIVE } else { count };
        let form = form | sign;
        Self { form, bytes }
    }

    pub(super) fn other(text: &[u8]) -> Self {
        Self {
            form: Self::OTHER,
            bytes: Sha256::digest(text).into(),
        }
    }

    /// How many hexadecimal digits it has; none where it is something else.
    pub(in super::super) fn hexadecimal_digits(&self) -> Option<u32> {
        let count = self.form & !Self::NEGATIVE;
        (1..=Self::DIGITS_MAX)
            .contains(&count)
            .then_some(u32::from(count))
    }

    /// The same, if the digits may as well be decimal.
    pub(in super::super) fn decimal_digits(&self) -> Option<u32> {
        let is_decimal = |byte: &u8| byte >> 4 <= 9 && byte & 15 <= 9;
        let count = self.hexadecimal_digits();
        count.filter(|_| self.bytes.iter().all(is_decimal))
    }

    /// A serial in hexadecimal, or as a row writes it.
    pub(in super::super) fn serial(text: &str) -> Self {
        Self::bare_digits(text).unwrap_or_else(|| {
            let (negative, digits) = serial_digits(text);
            Self::digits(digits.clone(), negative)
        })
    }

    /// A serial that is nothing but its digits, as nearly all are.
    fn bare_digits(text: &str) -> Option<Self> {
        let count = u8::try_from(text.len()).ok();
        let form = count.filter(|count| (1..=Self::DIGITS_MAX).contains(count))?;
        if text.starts_with('0') {
            return None;
        }
        let bytes = Hex::from_digits(text)?.0;
        Some(Self { form, bytes })
    }

    /// The hexadecimal of a serial whose digits are all decimal, if they differ.
    pub(in super::super) fn of_decimal_serial(text: &str) -> Option<Self> {
        let (negative, digits) = serial_digits(text);
        let hexadecimal = hexadecimal(digits)?;
        let value = Self::digits(hexadecimal.iter().copied(), negative);
        (value != Self::serial(text)).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_serials_are_read_as_others() {
        for digits in ["1", "ab", "1F2", "1f2e3d4c5b6a7988", &"9".repeat(64)] {
            let bare = Value::bare_digits(digits);
            assert_eq!(bare, Some(Value::serial(&format!(" 0{digits}"))));
        }
        for odd in ["", "0", "-1", "1:2", "1g", "é", &"9".repeat(65)] {
            assert_eq!(Value::bare_digits(odd), None);
        }
    }
}
