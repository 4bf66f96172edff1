//! A stream, line by line, from one buffer that a thread keeps.

use memchr::memchr;
use std::cell::Cell;
use std::io::{self, ErrorKind, Read};

/// So much is read at once.
const BLOCK: usize = 256 << 10;
/// The longest line that is given whole: a sighting has a few kilobytes.
const LINE_MAX: usize = 64 << 20;

thread_local! {
    /// Memory that was touched once costs less than fresh one: an estate has thousands of small files.
    static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The lines of a stream, with their line breaks.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer was read and not given.
    start: usize,
    end: usize,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        let mut buffer = KEPT.take();
        buffer.resize(buffer.len().max(BLOCK), 0);
        Self {
            input,
            buffer,
            start: 0,
            end: 0,
        }
    }

    /// The next line; none at the end. Only the last one may lack its line break, and parts of one that is too long.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let mut searched = 0;
        let length = loop {
            let held = self.buffer.get(self.start..self.end).unwrap_or_default();
            let fresh = held.get(searched..).unwrap_or_default();
            if let Some(place) = memchr(b'\n', fresh) {
                break searched + place + 1;
            }
            searched = held.len();
            if searched >= LINE_MAX || !self.fill()? {
                break searched;
            }
        };
        let start = self.start;
        self.start += length;
        Ok(self.buffer.get(start..self.start).filter(|l| !l.is_empty()))
    }

    /// Reads more behind what is held; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize((2 * self.end).min(LINE_MAX), 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.input.read(room) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R> Drop for Lines<R> {
    fn drop(&mut self) {
        if self.buffer.len() <= 4 * BLOCK {
            KEPT.set(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(out.len());
            let (mut now, later) = self.0.split_at(self.0.len().min(count));
            self.0 = later;
            now.read(out)
        }
    }

    #[test]
    fn lines_are_those_of_the_text_however_it_comes() {
        let long = "x".repeat(2 * BLOCK + 7);
        let text = format!("one\n\n{long}\n{long}two\nlast");
        let wanted: Vec<&[u8]> = text.as_bytes().split_inclusive(|b| *b == b'\n').collect();
        for pace in [1 << 10, BLOCK - 1, BLOCK, 1 << 30] {
            let mut lines = Lines::new(Slowly(text.as_bytes(), pace));
            for line in &wanted {
                assert_eq!(lines.next().unwrap(), Some(*line));
            }
            assert_eq!(lines.next().unwrap(), None);
            assert_eq!(lines.next().unwrap(), None);
        }
        assert_eq!(Lines::new(&b""[..]).next().unwrap(), None);
    }
}
