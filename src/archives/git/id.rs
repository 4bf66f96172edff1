//! Names of objects.

use std::fmt::{self, Display, Write as _};

/// The name of an object: SHA-1, or SHA-256, of its header and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    bytes: [u8; 32],
    is_long: bool,
}

impl ObjectId {
    /// From 20 or 32 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut whole = [0; 32];
        whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
        matches!(bytes.len(), 20 | 32).then_some(Self {
            bytes: whole,
            is_long: bytes.len() == 32,
        })
    }

    /// From 40 or 64 hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        if !matches!(hex.len(), 40 | 64) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Self::new(bytes.get(..hex.len() / 2)?)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        let length = if self.is_long { 32 } else { 20 };
        self.bytes.get(..length).unwrap_or_default()
    }
}

impl Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(64);
        for byte in self.as_bytes() {
            write!(text, "{byte:02x}")?;
        }
        f.write_str(&text)
    }
}
