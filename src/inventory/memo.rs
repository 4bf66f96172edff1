//! Remembers what cells say: most columns have few distinct ones, and reading is dearer than looking up.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::Arc;

/// Longest text that is remembered, in bytes.
const MAX_TEXT: usize = 80;
/// Most texts that are remembered; with more of them the column is none of few, and memory stays bounded.
const MAX_TEXTS: usize = 4_096;

/// What was read in texts.
#[derive(Debug)]
pub(super) struct Memo<T> {
    texts: Vec<(Arc<str>, T)>,
    /// Where a text is among them.
    places: HashMap<Arc<str>, usize, RandomState>,
    /// Where the text is that was asked for last: rows that follow each other are often alike.
    last: usize,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self {
            texts: Vec::new(),
            places: HashMap::default(),
            last: 0,
        }
    }
}

impl<T: Clone> Memo<T> {
    /// What a text says, which is read where it is not known yet.
    pub(super) fn get(&mut self, text: &str, read: impl FnOnce(&str) -> T) -> T {
        if text.len() > MAX_TEXT {
            return read(text);
        }
        if let Some((last, said)) = self.texts.get(self.last)
            && **last == *text
        {
            return said.clone();
        }
        if let Some(at) = self.places.get(text) {
            self.last = *at;
            if let Some((_, said)) = self.texts.get(*at) {
                return said.clone();
            }
        }
        let said = read(text);
        if self.texts.len() >= MAX_TEXTS {
            self.texts.clear();
            self.places.clear();
        }
        let text: Arc<str> = text.into();
        self.last = self.texts.len();
        self.places.insert(Arc::clone(&text), self.last);
        self.texts.push((text, said.clone()));
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_once_and_many_are_forgotten() {
        let mut memo = Memo::default();
        assert_eq!(memo.get("a", str::len), 1);
        assert_eq!(memo.get("a", |_| 7), 1);
        for number in 0..MAX_TEXTS {
            memo.get(&number.to_string(), str::len);
        }
        assert!(memo.texts.len() <= MAX_TEXTS && memo.places.len() <= MAX_TEXTS);
        assert_eq!(memo.get("a", |_| 7), 7);
        let long = "x".repeat(MAX_TEXT + 1);
        assert_eq!(memo.get(&long, |_| 1), 1);
        assert_eq!(memo.get(&long, |_| 2), 2);
    }
}
