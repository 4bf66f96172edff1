//! A document's bytes around a place, read in pieces.

use super::Source;
use std::io;
use zeroize::Zeroizing;

/// How much is looked at around a place: a dictionary or a name that is further away is not found.
pub(super) const MARGIN: usize = 8 << 10;
/// How much is read at once.
const STEP: usize = 64 << 10;

/// Reads a document from front to back, with [`MARGIN`] on both sides of what is looked at.
pub(super) struct Scan<'a> {
    source: &'a dyn Source,
    end: u64,
    buffer: Zeroizing<Vec<u8>>,
    /// The place of the buffer's first byte.
    start: u64,
}

/// What is in sight.
pub(super) struct View<'b> {
    pub(super) bytes: &'b [u8],
    /// The place of the first of them.
    pub(super) start: u64,
    /// What is looked at, in these bytes; the rest is its surroundings.
    pub(super) from: usize,
    pub(super) to: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(source: &'a dyn Source, end: u64) -> Self {
        Self {
            source,
            end,
            buffer: Zeroizing::new(Vec::new()),
            start: 0,
        }
    }

    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// What stands at a place and after it; nothing is looked at behind the end.
    pub(super) fn view(&mut self, place: u64) -> io::Result<View<'_>> {
        let held = self.start + self.buffer.len() as u64;
        let before = place.saturating_sub(MARGIN as u64);
        let has_all =
            before >= self.start && (place + 2 * MARGIN as u64 <= held || held >= self.end);
        if !has_all {
            self.fill(before)?;
        }
        let length = self.buffer.len();
        let from = usize::try_from(place - self.start).map_or(length, |from| from.min(length));
        let is_last = self.start + length as u64 >= self.end;
        let to = if is_last { length } else { length - MARGIN };
        Ok(View {
            bytes: &self.buffer,
            start: self.start,
            from,
            to: to.max(from),
        })
    }

    /// Reads a few bytes elsewhere; gives how many there were.
    pub(super) fn glance(&self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        self.source.read_at(buffer, place)
    }

    fn fill(&mut self, start: u64) -> io::Result<()> {
        let left = usize::try_from(self.end.saturating_sub(start)).unwrap_or(usize::MAX);
        self.buffer.resize(left.min(STEP + 3 * MARGIN), 0);
        self.start = start;
        let mut filled = 0;
        while let Some(rest) = self
            .buffer
            .get_mut(filled..)
            .filter(|rest| !rest.is_empty())
        {
            match self.source.read_at(rest, start + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        if filled < self.buffer.len() {
            self.buffer.truncate(filled);
            // The file became shorter.
            self.end = start + filled as u64;
        }
        Ok(())
    }

    /// The first place of a word at or after a place.
    pub(super) fn find(&mut self, word: &[u8], mut place: u64) -> io::Result<Option<u64>> {
        loop {
            let view = self.view(place)?;
            let sight = view.bytes.get(view.from..).unwrap_or_default();
            if let Some(at) = memchr::memmem::find(sight, word) {
                return Ok(Some(place + at as u64));
            }
            if view.to == view.bytes.len() {
                return Ok(None);
            }
            place = view.start + view.to as u64;
        }
    }
}
