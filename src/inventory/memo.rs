//! Remembers what cells say: most columns have few distinct ones, and reading is dearer than looking up.

use arcstr::ArcStr;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Longest text that is remembered, in bytes.
const MAX_TEXT: usize = 80;
/// Most texts that are remembered; with more of them the column is none of few, and memory stays bounded.
const MAX_TEXTS: usize = 4_096;

/// What was read in texts.
#[derive(Debug)]
pub(super) struct Memo<T> {
    texts: Vec<Known<T>>,
    /// Where a text is among them.
    places: HashMap<ArcStr, usize, RandomState>,
    /// Where the text is that was asked for last.
    last: usize,
}

/// A text that was read.
#[derive(Debug)]
struct Known<T> {
    text: ArcStr,
    said: T,
    /// Where the text is that was asked for next, last time: rows that follow each other are often alike, or take turns.
    next: usize,
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
        let next = self.texts.get(self.last).map_or(0, |last| last.next);
        if let Some(known) = self.texts.get(next)
            && *known.text == *text
        {
            self.last = next;
            return known.said.clone();
        }
        if let Some(at) = self.places.get(text).copied() {
            self.follow(at);
            if let Some(known) = self.texts.get(at) {
                return known.said.clone();
            }
        }
        let said = read(text);
        if self.texts.len() >= MAX_TEXTS {
            self.texts.clear();
            self.places.clear();
        }
        let text: ArcStr = text.into();
        let at = self.texts.len();
        self.follow(at);
        self.places.insert(ArcStr::clone(&text), at);
        self.texts.push(Known {
            text,
            said: said.clone(),
            next: at,
        });
        said
    }

    /// Notes which text is asked for.
    fn follow(&mut self, at: usize) {
        if let Some(last) = self.texts.get_mut(self.last) {
            last.next = at;
        }
        self.last = at;
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
