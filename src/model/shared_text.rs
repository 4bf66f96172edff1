//! Texts that many records repeat: names of owners and groups, algorithms, issuers.

use arcstr::ArcStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::{Borrow, Cow};
use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;

/// How many texts a thread remembers; a power of two.
const REMEMBERED: usize = 512;
/// Longer texts are not looked for among them.
const LONGEST: usize = 256;

thread_local! {
    /// Each text has one place, by its digest; what comes later to the same place takes it.
    static RECENT: RefCell<Vec<Option<SharedText>>> = const { RefCell::new(Vec::new()) };
}

/// A text in memory that equal ones share, as far as the thread that makes them remembers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedText(ArcStr);

impl SharedText {
    /// A text that none is equal to, as far as is known; its copies share its memory.
    pub fn of_its_own(text: &str) -> Self {
        Self(text.into())
    }

    /// Shares the memory of an equal text, if there is one.
    pub fn new(text: &str) -> Self {
        if text.len() > LONGEST {
            return Self(text.into());
        }
        RECENT.with_borrow_mut(|recent| {
            if recent.is_empty() {
                recent.resize(REMEMBERED, None);
            }
            match recent.get_mut(place(text)) {
                Some(Some(known)) if **known == *text => known.clone(),
                Some(slot) => slot.insert(Self(text.into())).clone(),
                None => Self(text.into()),
            }
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a text is remembered. Texts that were made to meet there only take the place from each other.
fn place(text: &str) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = 0u64;
    let mut add = |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let bytes = text.as_bytes();
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        add(u64::from_le_bytes(*word));
    }
    // What is left of a longer text is taken with bytes before it, so that it is a whole word too.
    if let Some(last) = bytes.last_chunk::<8>() {
        add(u64::from_le_bytes(*last));
    } else {
        let word = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
        add(rest.iter().fold(rest.len() as u64, word));
    }
    usize::try_from(hash >> 32).unwrap_or(0) % REMEMBERED
}

impl Default for SharedText {
    fn default() -> Self {
        Self::new("")
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SharedText {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for SharedText {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Cow<'_, str>> for SharedText {
    fn from(text: Cow<'_, str>) -> Self {
        Self::new(&text)
    }
}

impl From<&String> for SharedText {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl From<ArcStr> for SharedText {
    fn from(text: ArcStr) -> Self {
        Self(text)
    }
}

impl PartialEq<str> for SharedText {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for SharedText {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialEq<String> for SharedText {
    fn eq(&self, other: &String) -> bool {
        **self == **other
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Serialize for SharedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for SharedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = SharedText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SharedText, E> {
                Ok(SharedText::new(text))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_their_memory() {
        let one: SharedText = serde_json::from_str("\"web-team\"").unwrap();
        let other: SharedText = serde_json::from_str("\"web\\u002dteam\"").unwrap();
        assert!(ArcStr::ptr_eq(&one.0, &other.0));
        assert_eq!(one, "web-team");
        assert_eq!(serde_json::to_string(&one).unwrap(), "\"web-team\"");
        assert!(serde_json::from_str::<SharedText>("1").is_err());
    }

    #[test]
    fn more_texts_than_are_remembered_stay_what_they_are() {
        let texts: Vec<String> = (0..3 * REMEMBERED).map(|n| format!("text {n}")).collect();
        let shared: Vec<SharedText> = texts.iter().map(|text| SharedText::new(text)).collect();
        assert!(shared.iter().zip(&texts).all(|(one, text)| one == text));
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(SharedText::new(&long), long);
    }
}
