//! Digests in the text forms that OpenSSH and JOSE give them.

use super::hex::Parsed;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
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

/// A text of one of them.
struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Text {
    fn new() -> Self {
        Self {
            bytes: [0; LONGEST],
            length: 0,
        }
    }

    fn push(&mut self, more: &[u8]) {
        for byte in more {
            if let Some(slot) = self.bytes.get_mut(self.length) {
                *slot = *byte;
                self.length += 1;
            }
        }
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl SshSha256 {
    fn text(&self) -> Text {
        let mut text = Text::new();
        text.push(b"SHA256:");
        let rest = text.bytes.get_mut(7..).unwrap_or_default();
        text.length += STANDARD_NO_PAD.encode_slice(self.0, rest).unwrap_or(0);
        text
    }
}

impl SshMd5 {
    fn text(&self) -> Text {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = Text::new();
        text.push(b"MD5");
        for byte in self.0 {
            let digit = |four: u8| DIGITS.get(usize::from(four)).copied().unwrap_or_default();
            text.push(&[b':', digit(byte >> 4), digit(byte & 15)]);
        }
        text
    }
}

impl JwkThumbprint {
    fn text(&self) -> Text {
        let mut text = Text::new();
        text.length = URL_SAFE_NO_PAD
            .encode_slice(self.0, &mut text.bytes)
            .unwrap_or(0);
        text
    }
}

impl FromStr for SshSha256 {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        let error = PrintError("SHA256: and 43 characters of base64");
        let body = text.strip_prefix("SHA256:").ok_or(error)?;
        let body = body.trim_end_matches('=');
        let mut digest = [0; 32];
        let count = STANDARD_NO_PAD.decode_slice(body, &mut digest);
        (count == Ok(32)).then_some(Self(digest)).ok_or(error)
    }
}

impl FromStr for SshMd5 {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        let error = PrintError("MD5: and 16 pairs of hexadecimal digits with colons");
        let body = text.strip_prefix("MD5:").ok_or(error)?;
        let mut digest = [0; 16];
        let mut pairs = body.as_bytes().chunks(3);
        for (number, slot) in digest.iter_mut().enumerate() {
            let (high, low) = match (number, pairs.next()) {
                (0..15, Some([high, low, b':'])) | (15, Some([high, low])) => (high, low),
                _ => return Err(error),
            };
            let value = |digit: &u8| char::from(*digit).to_digit(16);
            let value = value(high)
                .zip(value(low))
                .map(|(high, low)| high << 4 | low);
            *slot = value
                .and_then(|byte| u8::try_from(byte).ok())
                .ok_or(error)?;
        }
        pairs.next().is_none().then_some(Self(digest)).ok_or(error)
    }
}

impl FromStr for JwkThumbprint {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        let mut digest = [0; 32];
        let count = URL_SAFE_NO_PAD.decode_slice(text, &mut digest);
        (count == Ok(32))
            .then_some(Self(digest))
            .ok_or(PrintError("43 characters of base64url"))
    }
}

macro_rules! text_form {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text().as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.text().as_str())
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
