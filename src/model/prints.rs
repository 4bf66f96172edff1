//! Digests in the text forms that OpenSSH and JOSE give them.

use super::hex::{Parsed, digits_of, read_digits};
use super::text::{Text, serialize_plain};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// SHA-256 of an SSH blob: `SHA256:` and base64 without padding, as `ssh-keygen -l` writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SshSha256(pub [u8; 32]);

/// MD5 of an SSH blob: `MD5:` and lower-case hexadecimal with colons, as `ssh-keygen -l -E md5` writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SshMd5(pub [u8; 16]);

/// Thumbprint of a JWK with SHA-256 (RFC 7638): base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JwkThumbprint(pub [u8; 32]);

/// The text is not of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct PrintError(&'static str);

/// The longest of the texts.
const LONGEST: usize = 64;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD_VALUES: [u8; 256] = values(STANDARD);
const URL_SAFE_VALUES: [u8; 256] = values(URL_SAFE);

/// The value of each byte in an alphabet; more than 63 if it has none.
#[allow(clippy::indexing_slicing)] // Worked out when it is compiled.
const fn values(alphabet: &[u8; 64]) -> [u8; 256] {
    let mut values = [0x80; 256];
    let mut value = 0;
    while value < 64 {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values
}

/// Appends the base64 of 32 bytes, without padding (RFC 4648).
fn push_base64(text: &mut Text<LONGEST>, digest: &[u8; 32], alphabet: &[u8; 64]) {
    let letter = |value: u8| alphabet.get(usize::from(value & 63)).copied().unwrap_or(0);
    let (parts, rest) = digest.as_chunks::<3>();
    let mut letters = [0; 43];
    let (fours, last) = letters.as_chunks_mut::<4>();
    for (four, [a, b, c]) in fours.iter_mut().zip(parts) {
        *four = [
            letter(a >> 2),
            letter(a << 4 | b >> 4),
            letter(b << 2 | c >> 6),
            letter(*c),
        ];
    }
    if let ([a, b], [x, y, z]) = (rest, last) {
        (*x, *y, *z) = (letter(a >> 2), letter(a << 4 | b >> 4), letter(b << 2));
    }
    text.push(&letters);
}

/// Reads the base64 of 32 bytes, without padding; none if the text is another one.
fn read_base64(text: &[u8], values: &[u8; 256]) -> Option<[u8; 32]> {
    let text: &[u8; 43] = text.try_into().ok()?;
    let value = |byte: &u8| values.get(usize::from(*byte)).copied().unwrap_or(0x80);
    let mut digest = [0; 32];
    let mut wrong = 0;
    let (fours, rest) = text.as_chunks::<4>();
    let (parts, last) = digest.as_chunks_mut::<3>();
    for (part, four) in parts.iter_mut().zip(fours) {
        let [a, b, c, d] = four.each_ref().map(value);
        wrong |= a | b | c | d;
        *part = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
    }
    if let ([a, b, c], [x, y]) = (rest, last) {
        let (a, b, c) = (value(a), value(b), value(c));
        // Two bits are left over, and are zero in the one right text.
        wrong |= a | b | c | c << 6;
        (*x, *y) = (a << 2 | b >> 4, b << 4 | c >> 2);
    }
    (wrong < 64).then_some(digest)
}

impl SshSha256 {
    fn text(&self) -> Text<LONGEST> {
        let mut text = Text::new();
        text.push(b"SHA256:");
        push_base64(&mut text, &self.0, STANDARD);
        text
    }
}

impl SshMd5 {
    fn text(&self) -> Text<LONGEST> {
        let mut text = Text::new();
        text.push(b"MD5");
        let mut pairs = [[b':', 0, 0]; 16];
        for ([_, digits @ ..], byte) in pairs.iter_mut().zip(&self.0) {
            digits_of(&[*byte], digits);
        }
        text.push(pairs.as_flattened());
        text
    }
}

impl JwkThumbprint {
    fn text(&self) -> Text<LONGEST> {
        let mut text = Text::new();
        push_base64(&mut text, &self.0, URL_SAFE);
        text
    }
}

impl FromStr for SshSha256 {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        let error = PrintError("SHA256: and 43 characters of base64");
        let body = text.strip_prefix("SHA256:").ok_or(error)?;
        let body = body.trim_end_matches('=').as_bytes();
        let digest = read_base64(body, &STANDARD_VALUES);
        digest.map(Self).ok_or(error)
    }
}

impl FromStr for SshMd5 {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        let error = PrintError("MD5: and 16 pairs of hexadecimal digits with colons");
        let body = text.strip_prefix("MD5").ok_or(error)?;
        let (pairs, rest) = body.as_bytes().as_chunks::<3>();
        let pairs: &[[u8; 3]; 16] = pairs.try_into().map_err(|_| error)?;
        let mut digits = [[0; 2]; 16];
        let mut is_right = rest.is_empty();
        for (digits, [colon, pair @ ..]) in digits.iter_mut().zip(pairs) {
            is_right &= *colon == b':';
            *digits = *pair;
        }
        let mut digest = [0; 16];
        is_right &= read_digits(digits.as_flattened(), &mut digest);
        is_right.then_some(Self(digest)).ok_or(error)
    }
}

impl FromStr for JwkThumbprint {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        let digest = read_base64(text.as_bytes(), &URL_SAFE_VALUES);
        digest
            .map(Self)
            .ok_or(PrintError("43 characters of base64url"))
    }
}

macro_rules! text_form {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text().as_str().unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize_plain(self.text().as_bytes().unwrap_or_default(), serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Parsed::new())
            }
        }
    )*};
}

text_form!(SshSha256 SshMd5 JwkThumbprint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_round_trip_and_others_are_refused() {
        // ssh-keygen -l of the key of RFC 8032, section 7.1, test 1; RFC 7638, section 3.1.
        let sha256 = "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8";
        let md5 = "MD5:cf:07:be:9d:68:ae:65:54:6d:a0:93:c3:6f:bd:0d:82";
        let jwk = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        let read: SshSha256 = serde_json::from_str(&format!("\"{sha256}\"")).unwrap();
        assert_eq!(read.to_string(), sha256);
        let padded: SshSha256 = format!("{sha256}=").parse().unwrap();
        assert_eq!(padded, read);
        assert_eq!(md5.parse::<SshMd5>().unwrap().to_string(), md5);
        assert_eq!(
            serde_json::to_string(&md5.parse::<SshMd5>().unwrap()).unwrap(),
            format!("\"{md5}\"")
        );
        assert_eq!(jwk.parse::<JwkThumbprint>().unwrap().to_string(), jwk);
        for text in [
            "",
            "SHA256:",
            &sha256[7..],
            &sha256[..49],
            "SHA256:*bXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8",
        ] {
            assert!(text.parse::<SshSha256>().is_err(), "{text}");
        }
        for text in [
            "",
            "MD5",
            &md5[..47],
            &md5[4..],
            &format!("{md5}:"),
            &format!("{md5}:00"),
            &md5.replace("9d", "9g"),
        ] {
            assert!(text.parse::<SshMd5>().is_err(), "{text}");
        }
        assert!(jwk[1..].parse::<JwkThumbprint>().is_err());
        assert!(format!("{jwk}=").parse::<JwkThumbprint>().is_err());
    }
}
