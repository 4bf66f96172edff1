//! Short texts, put together without memory of their own.

use super::hex::digits_of;
use serde::{Serialize, Serializer};

/// The name under which a serializer gets a text that no form of JSON needs to escape: printable ASCII without quotes and backslashes.
///
/// To serializers that are for human readers it is a string like any other. One that knows the name may say that it is for others, and gets
/// the bytes of the text.
pub const PLAIN: &str = "keymuster::Plain";

/// Serializes a text as what [`PLAIN`] says.
#[inline]
pub(super) fn serialize_plain<S: Serializer>(
    text: &[u8],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(PLAIN, &Plain(text))
}

struct Plain<'a>(&'a [u8]);

impl Serialize for Plain<'_> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(std::str::from_utf8(self.0).unwrap_or_default())
        } else {
            serializer.serialize_bytes(self.0)
        }
    }
}

/// A text of at most `N` bytes.
pub(super) struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
    /// Something did not fit.
    is_cut: bool,
}

impl<const N: usize> Text<N> {
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; N],
            length: 0,
            is_cut: false,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, more: &[u8]) {
        match self.room(more.len()) {
            Some(room) => room.copy_from_slice(more),
            None => self.is_cut = true,
        }
    }

    /// Appends lower-case hexadecimal digits.
    #[inline]
    pub(super) fn push_hex(&mut self, bytes: &[u8]) {
        match self.room(2 * bytes.len()) {
            Some(room) => digits_of(bytes, room),
            None => self.is_cut = true,
        }
    }

    /// Appends a decimal number.
    #[inline]
    pub(super) fn push_number(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut start = digits.len();
        for slot in digits.iter_mut().rev() {
            *slot = last_digit(number);
            start -= 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.push(digits.get(start..).unwrap_or_default());
    }

    /// Appends the last `COUNT` digits of a number.
    #[inline]
    pub(super) fn push_digits<const COUNT: usize>(&mut self, mut number: u64) {
        let mut digits = [0; COUNT];
        for slot in digits.iter_mut().rev() {
            *slot = last_digit(number);
            number /= 10;
        }
        self.push(&digits);
    }

    #[inline]
    fn room(&mut self, length: usize) -> Option<&mut [u8]> {
        let start = self.length;
        let room = self.bytes.get_mut(start..start + length)?;
        self.length += length;
        Some(room)
    }

    /// The text; none if it is too long.
    #[inline]
    pub(super) fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    /// The bytes of the text; none if it is too long.
    #[inline]
    pub(super) fn as_bytes(&self) -> Option<&[u8]> {
        if self.is_cut {
            return None;
        }
        self.bytes.get(..self.length)
    }
}

const fn last_digit(number: u64) -> u8 {
    // Less than ten.
    #[allow(clippy::cast_possible_truncation)]
    let digit = (number % 10) as u8;
    b'0' + digit
}
