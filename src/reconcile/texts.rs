//! Texts as numbers: equal ones have the same, so that comparing them is comparing numbers.

use super::few::short;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher as _;

/// Distinct texts, each kept once.
#[derive(Default)]
pub(super) struct Texts {
    /// All behind one another.
    all: String,
    /// Where each ends.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Texts {
    /// The number of a text, which is kept if it is new.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        let Self {
            all,
            ends,
            numbers,
            hasher,
        } = self;
        let same = |&number: &u32| text_of(all, ends, number) == text;
        let hash = |&number: &u32| hasher.hash_one(text_of(all, ends, number));
        let entry = numbers.entry(hasher.hash_one(text), same, hash);
        let number = *entry.or_insert(short(ends.len())).get();
        if number as usize == ends.len() {
            all.push_str(text);
            ends.push(all.len());
        }
        number
    }

    /// The number of a text that is known.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let same = |&number: &u32| self.get(number) == text;
        let found = self.numbers.find(self.hasher.hash_one(text), same);
        found.copied()
    }

    /// A text by number.
    pub(super) fn get(&self, number: u32) -> &str {
        text_of(&self.all, &self.ends, number)
    }
}

fn text_of<'t>(all: &'t str, ends: &[usize], number: u32) -> &'t str {
    let number = number as usize;
    let end_of = |number: usize| ends.get(number).copied();
    let start = number.checked_sub(1).and_then(end_of).unwrap_or(0);
    end_of(number)
        .and_then(|end| all.get(start..end))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number() {
        let mut texts = Texts::default();
        let numbers: Vec<u32> = ["a", "", "bc", "a", "c", ""]
            .map(|text| texts.number(text))
            .to_vec();
        assert_eq!(numbers, [0, 1, 2, 0, 3, 1]);
        assert_eq!(texts.get(2), "bc");
        assert_eq!(texts.find("c"), Some(3));
        assert_eq!(texts.find("b"), None);
        for number in 0..1000 {
            texts.number(&number.to_string());
        }
        assert_eq!(texts.find("bc"), Some(2));
        assert_eq!(texts.find("999").map(|n| texts.get(n)), Some("999"));
    }
}
