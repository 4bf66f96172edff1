//! Fixed-size digests with one text form: lower-case hexadecimal.

use super::text::{Text, serialize_plain};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// `N` bytes, written as `2 * N` lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex<const N: usize>(pub [u8; N]);

/// A SHA-256 digest.
pub type Sha256Hex = Hex<32>;
/// A SHA-1 digest.
pub type Sha1Hex = Hex<20>;
/// An MD5 digest.
pub type Md5Hex = Hex<16>;

/// The text is not exactly `2 * N` hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} hexadecimal digits")]
pub struct HexError {
    /// How many digits were expected.
    pub expected: usize,
}

impl<const N: usize> Hex<N> {
    /// Takes the bytes of a slice of exactly `N` bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// At most `2 * N` digits from the left, and zeros behind them; none for what is no digit.
    pub fn from_digits(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut out = [0u8; N];
        if digits.len() > 2 * N || !read_digits(digits, &mut out) {
            return None;
        }
        if let (_, &[single]) = digits.as_chunks::<2>()
            && let Some(slot) = out.get_mut(digits.len() / 2)
            && !read_digits(&[single, b'0'], std::slice::from_mut(slot))
        {
            return None;
        }
        Some(Self(out))
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.chunks(32) {
            let mut text: Text<64> = Text::new();
            text.push_hex(part);
            f.write_str(text.as_str().unwrap_or_default())?;
        }
        Ok(())
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> FromStr for Hex<N> {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        let error = HexError { expected: 2 * N };
        if text.len() != 2 * N {
            return Err(error);
        }
        let mut out = [0u8; N];
        if read_digits(text.as_bytes(), &mut out) {
            Ok(Self(out))
        } else {
            Err(error)
        }
    }
}

/// Reads two digits for each byte; false if one of them is none.
#[inline]
pub(super) fn read_digits(digits: &[u8], out: &mut [u8]) -> bool {
    let mut wrong = 0;
    let (pairs, _) = digits.as_chunks::<2>();
    for (out, pair) in out.iter_mut().zip(pairs) {
        let [high, low] = pair.map(value);
        wrong |= high | low;
        *out = high << 4 | low & 15;
    }
    wrong < 16
}

/// Writes two digits for each byte.
#[inline]
pub(super) fn digits_of(bytes: &[u8], digits: &mut [u8]) {
    let (pairs, _) = digits.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = [letter(byte >> 4), letter(byte & 15)];
    }
}

const fn letter(digit: u8) -> u8 {
    // Ten and more are letters: 39 places behind the digits.
    b'0' + digit + 39 * (digit > 9) as u8
}

/// The value of a hexadecimal digit; 16 or more if it is none. Without a table, so that many are read together.
const fn value(byte: u8) -> u8 {
    if byte > b'9' {
        (byte | 0x20).wrapping_sub(b'a').saturating_add(10)
    } else {
        byte.wrapping_sub(b'0')
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text: Text<64> = Text::new();
        text.push_hex(&self.0);
        match text.as_bytes() {
            Some(digits) => serialize_plain(digits, serializer),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::new())
    }
}

/// Reads what has a text form, without a copy of the text.
pub(super) struct Parsed<T>(PhantomData<T>);

impl<T> Parsed<T> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_from_the_left() {
        let read = Hex::<2>::from_digits;
        assert_eq!(read("aBc"), Some(Hex([0xab, 0xc0])));
        assert_eq!(read("0102"), Some(Hex([1, 2])));
        assert_eq!(read(""), Some(Hex([0, 0])));
        assert!(
            ["abcde", "g", "0g", "12g"]
                .iter()
                .all(|text| read(text).is_none())
        );
    }

    #[test]
    fn text_form_round_trips_and_refuses_other_lengths() {
        let hex: Hex<4> = "00Ff10a0".parse().unwrap();
        assert_eq!(hex.to_string(), "00ff10a0");
        assert!("00ff10".parse::<Hex<4>>().is_err());
        assert!("00ff10g0".parse::<Hex<4>>().is_err());
        assert_eq!(Hex([0xa5; 40]).to_string(), "a5".repeat(40));
        for byte in 0..=0xff {
            let digit = char::from(byte).to_digit(16);
            let read = Some(u32::from(value(byte))).filter(|value| *value < 16);
            assert_eq!(read, digit, "{byte}");
        }
        let read: Hex<4> = serde_json::from_str("\"00\\u0066f10a0\"").unwrap();
        assert_eq!(read, hex);
        assert!(serde_json::from_str::<Hex<4>>("\"00\"").is_err());
    }
}
