//! Files of which the pieces lie in a file system, read in place.

use super::source::Source;
use std::io;

/// Blocks that lie one behind the other.
pub(super) struct Run {
    /// The first one's number in the file.
    pub(super) logical: u64,
    /// The first one's number in the file system.
    pub(super) physical: u64,
    pub(super) count: u64,
}

/// The pieces of a file, in order, without its holes.
pub(super) struct Map {
    pub(super) runs: Vec<Run>,
    pub(super) block: u64,
    pub(super) size: u64,
}

impl Map {
    /// Place of the first byte that is stored.
    pub(super) fn first(&self) -> Option<u64> {
        let first = self.runs.first();
        first.map(|run| run.physical.saturating_mul(self.block))
    }

    /// Where what lies behind the last byte in its block begins, and how long it is.
    pub(super) fn slack(&self) -> Option<(u64, u64)> {
        let used = self.size % self.block;
        let last = self.size / self.block;
        let run = self.runs.last().filter(|_| used > 0)?;
        let within = last.checked_sub(run.logical).filter(|w| *w < run.count)?;
        let start = (run.physical + within) * self.block + used;
        Some((start, self.block - used))
    }

    /// How many bytes of pieces lie behind the end of what there is.
    pub(super) fn is_cut(&self, source: &dyn Source) -> bool {
        let size = source.size();
        let used = |run: &Run| {
            let left = self.size.saturating_sub(run.logical * self.block);
            left.min(run.count * self.block)
        };
        let mut ends = self
            .runs
            .iter()
            .map(|run| run.physical * self.block + used(run));
        ends.any(|end| end > size)
    }
}

/// A file in a file system: read in place, piece by piece.
pub(super) struct Mapped<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) map: &'a Map,
}

impl Mapped<'_> {
    /// The piece that holds a byte, or the next one behind it.
    fn run(&self, at: usize) -> Option<(&Run, u64, u64)> {
        let run = self.map.runs.get(at)?;
        let start = run.logical * self.map.block;
        Some((run, start, start + run.count * self.map.block))
    }

    fn find(&self, offset: u64) -> usize {
        let block = offset / self.map.block;
        let runs = &self.map.runs;
        runs.partition_point(|run| run.logical + run.count <= block)
    }
}

impl Source for Mapped<'_> {
    fn size(&self) -> u64 {
        self.map.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let most = |end: u64| {
            let length = end.min(self.map.size).saturating_sub(offset);
            usize::try_from(length)
                .unwrap_or(usize::MAX)
                .min(buffer.len())
        };
        match self.run(self.find(offset)) {
            Some((run, start, end)) if start <= offset => {
                let most = most(end);
                let target = buffer.get_mut(..most).unwrap_or_default();
                let place = run.physical * self.map.block + (offset - start);
                if place < self.source.size() {
                    return self.source.read_at(target, place);
                }
                // Cut off, which is told of the file; the next piece may be there.
                target.fill(0);
                Ok(most)
            }
            next => {
                let most = most(next.map_or(u64::MAX, |(_, start, _)| start));
                buffer.get_mut(..most).unwrap_or_default().fill(0);
                Ok(most)
            }
        }
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        let mut at = self.find(offset);
        while let Some((run, start, end)) = self.run(at) {
            let from = offset.max(start);
            let place = run.physical * self.map.block;
            // The image may have holes of its own, and may be cut off.
            let data = self.source.next_data(place + (from - start))?;
            let data = data.filter(|data| *data < self.source.size());
            let data = data.map(|data| start + data.saturating_sub(place));
            if let Some(data) = data.filter(|data| *data < end) {
                return Ok(Some(data.max(from)).filter(|data| *data < self.map.size));
            }
            at += 1;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archives::{Memory, read_exact_at};

    #[test]
    fn a_piece_that_is_cut_off_hides_none_behind_it() {
        let run = |logical, physical| Run {
            logical,
            physical,
            count: 1,
        };
        let map = Map {
            runs: vec![run(0, 9), run(2, 1)],
            block: 4,
            size: 11,
        };
        let image = Memory(b"....abcd..");
        let file = Mapped {
            source: &image,
            map: &map,
        };
        let mut bytes = [1; 11];
        read_exact_at(&file, &mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"\0\0\0\0\0\0\0\0abc");
        assert_eq!(file.next_data(0).unwrap(), Some(8));
        assert!(map.is_cut(&image));
        assert_eq!(file.read_at(&mut bytes, 11).unwrap(), 0);
    }
}
