//! Texts as numbers: equal ones have the same, so that comparing them is comparing numbers.

use super::few::short;
use foldhash::HashMap;
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

/// Counts texts as they come again. Nearly all come once, and cost a digest each.
pub(super) struct Repeated<'t> {
    /// Digests that occur several times, in order.
    digests: Vec<u64>,
    seen: HashMap<&'t str, usize>,
    hasher: RandomState,
}

impl<'t> Repeated<'t> {
    /// Looks at all that will come.
    pub(super) fn among(texts: impl Iterator<Item = &'t str>) -> Self {
        let hasher = RandomState::default();
        let mut all: Vec<u64> = texts.map(|text| hasher.hash_one(text)).collect();
        all.sort_unstable();
        let groups = all.chunk_by(|one, next| one == next);
        let several = groups.filter(|group| group.len() > 1);
        Self {
            digests: several.filter_map(|group| group.first()).copied().collect(),
            seen: HashMap::default(),
            hasher,
        }
    }

    /// How often a text has come, with this time.
    pub(super) fn nth(&mut self, text: &'t str) -> usize {
        let is_repeated = |digest: u64| self.digests.binary_search(&digest).is_ok();
        if self.digests.is_empty() || !is_repeated(self.hasher.hash_one(text)) {
            return 1;
        }
        let count = self.seen.entry(text).or_default();
        *count += 1;
        *count
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
    fn texts_are_counted_as_they_come_again() {
        let texts = ["a", "b", "a", "c", "b", "a"];
        let mut repeated = Repeated::among(texts.iter().copied());
        let counts = texts.map(|text| repeated.nth(text));
        assert_eq!(counts, [1, 1, 2, 1, 2, 3]);
    }

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
