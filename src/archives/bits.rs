//! Which blocks or inodes of a file system were seen: a set of numbers that takes memory only near those that are in it.

use super::held::Held;
use std::collections::BTreeMap;

const WORDS: usize = 512;
/// Numbers in one piece.
const PIECE: u64 = WORDS as u64 * 64;
const BYTES: usize = WORDS * 8;

/// A set of numbers.
#[derive(Default)]
pub(super) struct Bits {
    pieces: BTreeMap<u64, (Box<[u64; WORDS]>, Held)>,
    is_full: bool,
}

impl Bits {
    /// Whether numbers were left out, as there was no memory for them.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Puts a number in; whether it was not there.
    pub(super) fn add(&mut self, number: u64) -> bool {
        let Some(word) = self
            .piece_mut(number)
            .and_then(|p| p.get_mut(place(number)))
        else {
            return true;
        };
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Puts numbers in; how many of them were not there.
    pub(super) fn add_all(&mut self, start: u64, end: u64) -> u64 {
        let (mut at, mut new) = (start, 0);
        while at < end {
            let Some(words) = self.piece_mut(at) else {
                return new + (end - at);
            };
            for word in words.iter_mut().skip(place(at)) {
                if at >= end {
                    break;
                }
                let next = (at - at % 64 + 64).min(end);
                let mask = (u64::MAX >> (64 - (next - at))) << (at % 64);
                new += u64::from((mask & !*word).count_ones());
                *word |= mask;
                at = next;
            }
        }
        new
    }

    /// The next run of numbers at or after one and below an end that are not in the set.
    pub(super) fn next_gap(&self, from: u64, end: u64) -> Option<(u64, u64)> {
        let start = self.next(from, end, false);
        (start < end).then(|| (start, self.next(start, end, true)))
    }

    /// The next number at or after one that is in the set or not.
    fn next(&self, from: u64, end: u64, is_in: bool) -> u64 {
        let mut at = from;
        while at < end {
            if !self.pieces.contains_key(&(at / PIECE)) {
                if !is_in {
                    return at;
                }
                // Nothing is before the next piece.
                let next = self.pieces.range(at / PIECE..).next();
                at = next.map_or(end, |(piece, _)| piece * PIECE);
                continue;
            }
            let word = self.word(at);
            let wanted = if is_in { word } else { !word } >> (at % 64);
            if wanted != 0 {
                return (at + u64::from(wanted.trailing_zeros())).min(end);
            }
            at = at - at % 64 + 64;
        }
        end
    }

    fn word(&self, number: u64) -> u64 {
        let piece = self.pieces.get(&(number / PIECE));
        piece.map_or(0, |(words, _)| {
            words.get(place(number)).copied().unwrap_or(0)
        })
    }

    /// The piece of a number; none if there is no memory left.
    fn piece_mut(&mut self, number: u64) -> Option<&mut [u64; WORDS]> {
        let key = number / PIECE;
        if !self.pieces.contains_key(&key) {
            if Held::left() < BYTES {
                self.is_full = true;
                return None;
            }
            let piece = (Box::new([0; WORDS]), Held::take(BYTES));
            self.pieces.insert(key, piece);
        }
        self.pieces.get_mut(&key).map(|(words, _)| &mut **words)
    }
}

/// The word of a number in its piece.
fn place(number: u64) -> usize {
    usize::try_from(number % PIECE / 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_is_not_in_it() {
        let mut bits = Bits::default();
        assert_eq!(bits.next_gap(0, 10), Some((0, 10)));
        assert_eq!(bits.add_all(3, 200), 197);
        assert_eq!(bits.add_all(100, 300), 100);
        assert!(!bits.add(299) && bits.add(1_000_000));
        assert_eq!(bits.add_all(999_000, 1_100_000), 101_000 - 1);
        assert_eq!(bits.add_all(999_000, 1_100_000), 0);
        let mut gaps = Vec::new();
        let mut at = 0;
        while let Some((start, end)) = bits.next_gap(at, 1_100_002) {
            gaps.push((start, end));
            at = end;
        }
        assert_eq!(gaps, [(0, 3), (300, 999_000), (1_100_000, 1_100_002)]);
    }
}
