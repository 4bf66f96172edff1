//! What Java's keystores have in common: numbers and texts as `java.io.DataOutput` writes them, and passwords as its
//! providers turn them into bytes.

use crate::model::{Artifact, Clue, Encoding, EntryFacts, KeyMaterial, Kind, Nested, Secret};
use jiff::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The bytes end before a field does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ends within a field")]
pub struct Cut {
    /// Where the field would end, counted from the first byte.
    pub needed: usize,
}

/// Reads fields one after the other; big-endian, as `java.io.DataInput` does.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    /// A reader from a place in these bytes.
    pub const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Where the next field begins.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Cut> {
        let needed = self.at.saturating_add(length);
        let taken = self.bytes.get(self.at..needed).ok_or(Cut { needed })?;
        self.at = needed;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Cut> {
        let needed = self.at.saturating_add(N);
        let taken = self.rest().first_chunk::<N>().ok_or(Cut { needed })?;
        self.at = needed;
        Ok(*taken)
    }

    /// An unsigned byte.
    pub fn u8(&mut self) -> Result<u8, Cut> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    /// An unsigned short.
    pub fn u16(&mut self) -> Result<u16, Cut> {
        self.array().map(u16::from_be_bytes)
    }

    /// An int, read as unsigned: lengths and counts are never negative.
    pub fn u32(&mut self) -> Result<u32, Cut> {
        self.array().map(u32::from_be_bytes)
    }

    /// A long.
    pub fn i64(&mut self) -> Result<i64, Cut> {
        self.array().map(i64::from_be_bytes)
    }

    /// Bytes behind their length, which is an int.
    pub fn counted(&mut self) -> Result<&'a [u8], Cut> {
        let length = self.u32()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A text (`writeUTF`): modified UTF-8 behind its length, which is a short.
    pub fn utf(&mut self) -> Result<&'a [u8], Cut> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A date as milliseconds since 1970; nothing if it is beyond what records can hold.
    pub fn date(&mut self) -> Result<Option<Timestamp>, Cut> {
        let milliseconds = self.i64()?;
        Ok(Timestamp::from_millisecond(milliseconds).ok())
    }
}

/// Text in modified UTF-8 (`java.io.DataInput`): U+0000 has two bytes, and what is beyond U+FFFF is a pair of
/// surrogates of three bytes each. What is no text becomes replacement characters.
pub fn text(modified: &[u8]) -> String {
    let mut units = Vec::with_capacity(modified.len());
    let mut rest = modified;
    while let [first, tail @ ..] = rest {
        let continued = |byte: &u8| byte & 0xc0 == 0x80;
        let low = |byte: &u8| u16::from(byte & 0x3f);
        let (unit, after) = match (first, tail) {
            (0..=0x7f, after) => (u16::from(*first), after),
            (0xc0..=0xdf, [second, after @ ..]) if continued(second) => {
                (u16::from(first & 0x1f) << 6 | low(second), after)
            }
            (0xe0..=0xef, [second, third, after @ ..]) if continued(second) && continued(third) => {
                let unit = u16::from(first & 0x0f) << 12 | low(second) << 6 | low(third);
                (unit, after)
            }
            (_, after) => (0xfffd, after),
        };
        units.push(unit);
        rest = after;
    }
    String::from_utf16_lossy(&units)
}

/// A password as UTF-16 in network order, and so many zero bytes behind it; nothing if it is no text.
pub fn utf16(password: &[u8], zeros: usize) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(password).ok()?;
    // Never more than two bytes for one: the memory is not moved, so that none of it stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * password.len() + zeros));
    for unit in text.encode_utf16() {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes.extend(std::iter::repeat_n(0, zeros));
    Some(bytes)
}

/// What a store holds, in words: `2 private keys, 1 trusted certificate`.
pub fn holds(parts: &[(usize, &str)]) -> String {
    let words: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if words.is_empty() {
        return "holds nothing".to_owned();
    }
    format!("holds {}", words.join(", "))
}

/// Whether a certificate's type, as Java's providers name it, is X.509.
pub fn is_x509(kind: &[u8]) -> bool {
    [&b"X.509"[..], b"X509"]
        .iter()
        .any(|name| kind.eq_ignore_ascii_case(name))
}

/// A certificate in an entry of a store.
pub fn certificate(bytes: &[u8], offset: usize, facts: EntryFacts) -> Nested {
    declared("CERTIFICATE", Zeroizing::new(bytes.to_vec()), offset, facts)
}

/// An opened private key (PKCS#8) in an entry of a store.
pub fn private_key(open: Zeroizing<Vec<u8>>, offset: usize, facts: EntryFacts) -> Nested {
    declared("PRIVATE KEY", open, offset, facts)
}

/// A public key (SubjectPublicKeyInfo) in an entry of a store.
pub fn public_key(bytes: Zeroizing<Vec<u8>>, offset: usize, facts: EntryFacts) -> Nested {
    declared("PUBLIC KEY", bytes, offset, facts)
}

/// A closed private key (EncryptedPrivateKeyInfo) in an entry of a store.
pub fn encrypted_key(bytes: Zeroizing<Vec<u8>>, offset: usize, facts: EntryFacts) -> Nested {
    declared("ENCRYPTED PRIVATE KEY", bytes, offset, facts)
}

/// A secret key in clear, named as Java names its algorithm.
pub fn secret_key(format: &'static str, name: &str, key: &[u8]) -> Artifact {
    let (algorithm, bits, random) = secret_algorithm(name, key.len());
    let secret = Secret::copy_of(key);
    let material = if random {
        KeyMaterial::Symmetric(secret)
    } else {
        KeyMaterial::Guessable(secret)
    };
    let mut artifact = Artifact::new(Kind::SymmetricKey, format, Encoding::Binary, material);
    artifact.algorithm = Some(algorithm);
    artifact.bits = bits;
    artifact
}

/// DER that the store says to be something: if it is not, that is told.
fn declared(label: &str, bytes: Zeroizing<Vec<u8>>, offset: usize, facts: EntryFacts) -> Nested {
    Nested {
        label: Some(label.to_owned()),
        declared: true,
        entry: Some(Arc::new(facts)),
        ..Nested::new(Clue::PemBody, bytes, Encoding::Der, offset)
    }
}

/// What Java's name of a secret key's algorithm means: our name, the size in bits, and whether the key is random (one
/// that is made of a password can be guessed).
fn secret_algorithm(name: &str, length: usize) -> (Cow<'static, str>, Option<u32>, bool) {
    let bits = u32::try_from(length).ok().and_then(|n| n.checked_mul(8));
    let upper = name.to_ascii_uppercase();
    if let Some(hash) = upper
        .strip_prefix("HMACSHA")
        .or(upper.strip_prefix("HMAC-SHA"))
    {
        let hash = hash.trim_start_matches('-');
        // A digit, then a digit: the third version of the hash, as in HmacSHA3-256.
        return (format!("HMAC-SHA{hash}").into(), bits, true);
    }
    match upper.as_str() {
        "AES" => ("AES".into(), bits, true),
        "HMACMD5" => ("HMAC-MD5".into(), bits, true),
        "DESEDE" | "TRIPLEDES" => ("3DES".into(), bits, true),
        "DES" => ("DES".into(), bits, true),
        "ARCFOUR" | "RC4" => ("RC4".into(), bits, true),
        "CHACHA20" => ("ChaCha20".into(), bits, true),
        _ => {
            let from_password = upper.starts_with("PBE") || upper.starts_with("PBKDF");
            (name.to_owned().into(), bits, !from_password)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf8_is_read_as_java_writes_it() {
        // new DataOutputStream(System.out).writeUTF("a\0ü€😀")
        let java = b"a\xc0\x80\xc3\xbc\xe2\x82\xac\xed\xa0\xbd\xed\xb8\x80";
        assert_eq!(text(java), "a\0ü€😀");
        assert_eq!(text(b"\xff\xc3"), "\u{fffd}\u{fffd}");
        assert_eq!(text(b"\xed\xa0\xbd"), "\u{fffd}");
    }

    #[test]
    fn fields_end_with_the_bytes() {
        let mut input = Input::new(b"\xff\xff\xff\xffabc", 0);
        let needed = 0xffff_ffff + 4;
        assert_eq!(input.counted(), Err(Cut { needed }));
        assert_eq!(
            input.utf(),
            Err(Cut {
                needed: 4 + 2 + 0x6162
            })
        );
        assert_eq!(Input::new(b"\0\x02ab", 0).utf(), Ok(&b"ab"[..]));
        assert_eq!(Input::new(b"ab", 2).u8(), Err(Cut { needed: 3 }));
    }

    #[test]
    fn passwords_are_utf16() {
        assert_eq!(
            utf16("aü".as_bytes(), 2).unwrap().as_slice(),
            b"\0a\0\xfc\0\0"
        );
        assert!(utf16(b"\xff", 0).is_none());
    }
}
