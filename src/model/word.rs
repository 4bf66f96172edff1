//! Words that stand in nearly every sighting: read back, they take no memory of their own.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// Sorted. What is not among them is read all the same.
const WORDS: &[&str] = &[
    "AES",
    "DSA",
    "EC",
    "Ed25519",
    "P-256",
    "P-384",
    "P-521",
    "RSA",
    "X25519",
    "authorized_keys",
    "encrypted_pkcs8",
    "known_hosts",
    "openssh_private",
    "openssh_public",
    "pkcs1",
    "pkcs8",
    "sec1",
    "x509",
];

/// A word.
pub(super) struct Word(Cow<'static, str>);

/// Reads a word.
pub(super) fn one<'de, D: Deserializer<'de>>(d: D) -> Result<Cow<'static, str>, D::Error> {
    Ok(Word::deserialize(d)?.0)
}

/// Reads a word that may be absent.
pub(super) fn maybe<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<Cow<'static, str>>, D::Error> {
    Ok(Option::<Word>::deserialize(d)?.map(|word| word.0))
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Known;
        impl Visitor<'_> for Known {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Word, E> {
                let known = WORDS.binary_search(&text).ok();
                let known = known.and_then(|number| WORDS.get(number).copied());
                Ok(Word(known.map_or_else(
                    || Cow::Owned(text.to_owned()),
                    Cow::Borrowed,
                )))
            }
        }
        deserializer.deserialize_str(Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_others_are_kept() {
        assert!(WORDS.is_sorted());
        for word in WORDS {
            let read: Word = serde_json::from_value((*word).into()).unwrap();
            assert!(matches!(read.0, Cow::Borrowed(w) if w == *word), "{word}");
        }
        let read: Word = serde_json::from_str("\"brainpoolP256r1\"").unwrap();
        assert_eq!(read.0, "brainpoolP256r1");
        assert!(serde_json::from_str::<Word>("1").is_err());
    }
}
