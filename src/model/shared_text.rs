//! Texts that many records repeat: names of owners and groups, algorithms, issuers.

use arcstr::ArcStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::{Borrow, Cow};
use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;

/// How many groups of texts a thread remembers; a power of two.
const GROUPS: usize = 256;
/// Longer texts are not looked for among them.
const LONGEST: usize = 256;

thread_local! {
    static RECENT: RefCell<Vec<Group>> = const { RefCell::new(Vec::new()) };
}

/// Texts whose digests meet, each with its digest; what comes often is first.
#[derive(Clone, Default)]
struct Group([Option<(u32, SharedText)>; 4]);

impl Group {
    /// The text if it is here, else a new one in the last place. What comes again goes before the one before it: so texts that come once,
    /// as paths do, put out each other, and not what every record has.
    fn get(&mut self, text: &str, digest: u32) -> SharedText {
        let is_it = |(of, known): &(u32, SharedText)| *of == digest && **known == *text;
        let here = self
            .0
            .iter()
            .position(|one| one.as_ref().is_some_and(is_it));
        if let Some(at) = here {
            let before = at.saturating_sub(1);
            self.0.swap(at, before);
            if let Some(Some((_, known))) = self.0.get(before) {
                return known.clone();
            }
        }
        let new = SharedText::of_its_own(text);
        if let Some(last) = self.0.last_mut() {
            *last = Some((digest, new.clone()));
        }
        new
    }
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
            return Self::of_its_own(text);
        }
        let (group, digest) = place(text);
        RECENT.with_borrow_mut(|recent| {
            if recent.is_empty() {
                recent.resize(GROUPS, Group::default());
            }
            match recent.get_mut(group) {
                Some(group) => group.get(text, digest),
                None => Self::of_its_own(text),
            }
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// In which group a text is remembered, and its digest there. Texts that were made to meet there only put out each other.
fn place(text: &str) -> (usize, u32) {
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
    let high = (hash >> 32) as u32;
    (high as usize % GROUPS, high)
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
    fn what_comes_often_stays_among_what_comes_once() {
        let often = ["root", "pem", "EC", "0600"].map(SharedText::new);
        for number in 0..20 * GROUPS {
            let text = format!("text {number}");
            assert_eq!(SharedText::new(&text), text);
            // A record has all of them.
            if number % 4 == 0 {
                for text in &often {
                    assert!(ArcStr::ptr_eq(&SharedText::new(text).0, &text.0));
                }
            }
        }
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(SharedText::new(&long), long);
    }
}
