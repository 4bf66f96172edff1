//! The one identity of a key, whatever its encoding.

use super::hex::{Hex, Parsed, Sha256Hex};
use super::text::{Text, serialize_plain};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The identity of a key (contract, section 2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyId {
    /// SHA-256 of the canonical DER SubjectPublicKeyInfo.
    Spki(Sha256Hex),
    /// SHA-256 of the SSH blob, for keys that have no SPKI form.
    Ssh(Sha256Hex),
    /// An OpenPGP fingerprint, upper-case hexadecimal, for keys that have no SPKI form.
    Pgp(String),
    /// First 16 bytes of a domain-separated SHA-256 over a random symmetric key.
    Secret(Hex<16>),
    /// SHA-256 of the ciphertext of encrypted material whose public half is not in clear.
    Opaque(Sha256Hex),
}

/// The text is no key identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a key id (spki-sha256:, ssh-sha256:, pgp:, secret: or opaque-sha256: and hexadecimal digits)"
)]
pub struct KeyIdError;

impl KeyId {
    /// The names of the kinds, as they stand before the digits.
    pub const SCHEMES: [&'static str; 5] = [
        "spki-sha256",
        "ssh-sha256",
        "pgp",
        "secret",
        "opaque-sha256",
    ];

    /// The identity that a scheme and its digits name.
    pub fn of_scheme(scheme: &str, digits: &str) -> Option<Self> {
        match scheme {
            "spki-sha256" => digits.parse().map(Self::Spki).ok(),
            "ssh-sha256" => digits.parse().map(Self::Ssh).ok(),
            "secret" => digits.parse().map(Self::Secret).ok(),
            "opaque-sha256" => digits.parse().map(Self::Opaque).ok(),
            "pgp" if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Some(Self::Pgp(digits.to_ascii_uppercase()))
            }
            _ => None,
        }
    }

    /// The order of the texts, without making them.
    pub fn by_text(&self, other: &Self) -> Ordering {
        // Of one scheme the digits are in order as the bytes are.
        let lead = |id: &Self| id.parts().0;
        lead(self).cmp(lead(other)).then_with(|| self.cmp(other))
    }
}

impl KeyId {
    /// The name of the kind with its colon, and what stands behind it: bytes, or the text of an OpenPGP fingerprint.
    fn parts(&self) -> (&'static str, Result<&[u8], &str>) {
        match self {
            Self::Spki(digest) => ("spki-sha256:", Ok(&digest.0)),
            Self::Ssh(digest) => ("ssh-sha256:", Ok(&digest.0)),
            Self::Pgp(fingerprint) => ("pgp:", Err(fingerprint)),
            Self::Secret(digest) => ("secret:", Ok(&digest.0)),
            Self::Opaque(digest) => ("opaque-sha256:", Ok(&digest.0)),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lead, rest) = self.parts();
        f.write_str(lead)?;
        match rest {
            Ok(bytes) => {
                let mut text: Text<64> = Text::new();
                text.push_hex(bytes);
                f.write_str(text.as_str().unwrap_or_default())
            }
            Err(fingerprint) => f.write_str(fingerprint),
        }
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let (scheme, rest) = text.split_once(':').ok_or(KeyIdError)?;
        Self::of_scheme(scheme, rest).ok_or(KeyIdError)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (lead, Ok(bytes)) = self.parts() else {
            return serializer.collect_str(self);
        };
        let mut text: Text<96> = Text::new();
        text.push(lead.as_bytes());
        text.push_hex(bytes);
        serialize_plain(text.as_bytes().unwrap_or_default(), serializer)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_reads_its_own_text() {
        let digest = "ab".repeat(32);
        for text in [
            format!("spki-sha256:{digest}"),
            format!("ssh-sha256:{digest}"),
            format!("opaque-sha256:{digest}"),
            format!("secret:{}", "cd".repeat(16)),
            "pgp:0123456789ABCDEF0123456789ABCDEF01234567".to_owned(),
        ] {
            assert_eq!(text.parse::<KeyId>().unwrap().to_string(), text);
        }
        let mut ids: Vec<KeyId> = [
            KeyId::Spki(Hex([2; 32])),
            KeyId::Spki(Hex([0xa1; 32])),
            KeyId::Ssh(Hex([1; 32])),
            KeyId::Pgp("0A".to_owned()),
            KeyId::Pgp("A0".to_owned()),
            KeyId::Secret(Hex([3; 16])),
            KeyId::Opaque(Hex([9; 32])),
        ]
        .into();
        ids.sort_by(KeyId::by_text);
        assert!(ids.iter().map(KeyId::to_string).is_sorted());
        let long = KeyId::Pgp("AB".repeat(100));
        assert_eq!(long.to_string(), format!("pgp:{}", "AB".repeat(100)));
        assert!("spki-sha256:12".parse::<KeyId>().is_err());
        assert!("other:12".parse::<KeyId>().is_err());
    }
}
