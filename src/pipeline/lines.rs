//! The line of a place, for people: counted only as far as somebody asks.

use crate::archives::Source;
use zeroize::Zeroizing;

/// How far lines are counted; behind that only the offset is told.
const LINES_MAX: u64 = 256 << 20;

/// Counts lines, only as far as somebody asks.
#[derive(Default)]
pub(super) struct Lines {
    counted_to: u64,
    newlines: u64,
}

impl Lines {
    /// Whether a line was asked for, and lines are still told here.
    pub(super) const fn is_counting(&self) -> bool {
        self.counted_to > 0 && self.counted_to <= LINES_MAX
    }

    /// Counts as far as `end` in the window, as what stands before is not to be had again.
    pub(super) fn pass(&mut self, bytes: &[u8], start: u64, end: usize) {
        let target = start + end as u64;
        let from = self.counted_to.saturating_sub(start);
        if self.counted_to < target && self.counted_to >= start {
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            self.newlines += newlines(bytes.get(from..end).unwrap_or_default());
            self.counted_to = target;
        }
    }

    /// The 1-based line of a place in the window.
    pub(super) fn at(
        &mut self,
        source: &dyn Source,
        bytes: &[u8],
        start: u64,
        offset: usize,
    ) -> Option<u64> {
        let target = start + offset as u64;
        if target > LINES_MAX {
            return None;
        }
        if target < self.counted_to {
            // What is told of a line may stand before what was told last; counting anew would read the file again.
            let back = |place: u64| usize::try_from(place.checked_sub(start)?).ok();
            let between = bytes.get(offset..back(self.counted_to)?)?;
            self.newlines -= newlines(between);
            self.counted_to = target;
            return Some(self.newlines + 1);
        }
        let mut chunk = Zeroizing::new(Vec::new());
        while self.counted_to < start {
            chunk.resize(64 << 10, 0);
            let left = usize::try_from(start - self.counted_to).unwrap_or(usize::MAX);
            let target = chunk.get_mut(..left.min(64 << 10))?;
            let count = source.read_at(target, self.counted_to).ok()?;
            if count == 0 {
                return None;
            }
            self.newlines += newlines(target.get(..count)?);
            self.counted_to += count as u64;
        }
        let from = usize::try_from(self.counted_to - start).ok()?;
        self.newlines += newlines(bytes.get(from..offset)?);
        self.counted_to = target;
        Some(self.newlines + 1)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archives::Memory;

    #[test]
    fn lines_are_counted_back_without_reading_again() {
        let bytes = b"1\n2\n3\n4\n5";
        let source = Memory(&[]);
        let mut lines = Lines::default();
        let mut at = |offset| lines.at(&source, bytes, 0, offset);
        assert_eq!(
            [at(8), at(4), at(0), at(6)],
            [Some(5), Some(3), Some(1), Some(4)]
        );
    }
}
