//! What an archive reads from: bytes in order, with a place, and at any place where that can be had.

use super::fault::Failure;
use super::held::Held;
use super::source::{Memory, Source};
use std::io::{self, BufRead, Read};
use zeroize::Zeroizing;

/// How much is read at once.
const STEP: usize = 64 << 10;
/// As much of a stream is kept in memory for an archive that must be read at any place.
pub(super) const KEPT_MAX: usize = 64 << 20;

/// The bytes of an archive, from its first one on.
pub struct Input<'a> {
    source: &'a dyn Source,
    /// Bytes read ahead.
    buffer: Zeroizing<Vec<u8>>,
    /// The next byte in the buffer.
    at: usize,
    /// The place of the buffer's end in the source.
    read_to: u64,
    /// What the buffer takes when a whole stream is kept in it.
    kept: Option<Held>,
}

impl<'a> Input<'a> {
    /// The source from its start, of which the first bytes were already read.
    pub fn new(source: &'a dyn Source, start: Zeroizing<Vec<u8>>) -> Self {
        Self {
            source,
            read_to: start.len() as u64,
            buffer: start,
            at: 0,
            kept: None,
        }
    }

    /// Place of the next byte, counted from the first byte of the source.
    pub fn position(&self) -> u64 {
        self.read_to - (self.buffer.len() - self.at) as u64
    }

    /// The source, if it can be read at any place.
    pub fn random(&self) -> Option<&'a dyn Source> {
        self.source.is_random().then_some(self.source)
    }

    /// How many bytes the source has, from its first one on, as far as that is known.
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// Gives back what was read ahead, with the place of its first byte.
    pub fn into_rest(mut self) -> (Zeroizing<Vec<u8>>, u64) {
        let position = self.position();
        self.buffer.drain(..self.at);
        (std::mem::take(&mut self.buffer), position)
    }

    /// Puts back bytes that a decoder took and did not need: the last ones before the next byte.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        self.buffer.splice(self.at..self.at, bytes.iter().copied());
    }

    /// Goes on behind zero bytes: padding of tapes, streams and images.
    ///
    /// # Errors
    /// What the source says.
    pub(super) fn skip_zeros(&mut self) -> io::Result<()> {
        while let zeros @ 1.. = self.fill_buf()?.iter().take_while(|b| **b == 0).count() {
            self.consume(zeros);
        }
        Ok(())
    }

    /// The next bytes without moving: at least `count`, or all there are.
    ///
    /// # Errors
    /// What the source says.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.at < count {
            if self.more(count)? == 0 {
                break;
            }
        }
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    /// Reads on; gives how much there was.
    fn more(&mut self, wanted: usize) -> io::Result<usize> {
        if self.at == self.buffer.len() && self.kept.is_some() {
            self.buffer = Zeroizing::new(Vec::new());
            self.at = 0;
            self.kept = None;
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let filled = self.buffer.len();
        // No more at once than was there already: most streams are shorter than what they could be.
        let step = wanted.saturating_sub(filled).min(filled).max(STEP);
        // Exactly: a stream that is kept may not take twice its size.
        self.buffer.reserve_exact(step);
        self.buffer.resize(filled + step, 0);
        let target = self.buffer.get_mut(filled..).unwrap_or_default();
        let outcome = self.source.read_at(target, self.read_to);
        let count = *outcome.as_ref().unwrap_or(&0);
        self.buffer.truncate(filled + count);
        self.read_to += count as u64;
        outcome
    }

    /// Goes on to a place at or behind the next byte. What lies between is not read where the source permits it.
    ///
    /// # Errors
    /// `UnexpectedEof` if the source ends before that place, else what it says.
    pub fn skip_to(&mut self, place: u64) -> io::Result<()> {
        let ahead = place
            .checked_sub(self.position())
            .ok_or(io::ErrorKind::InvalidInput)?;
        let buffered = (self.buffer.len() - self.at) as u64;
        if ahead <= buffered {
            self.at += usize::try_from(ahead).unwrap_or(usize::MAX);
            return Ok(());
        }
        if self.source.is_random() {
            if place > self.source.size() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.buffer.clear();
            self.at = 0;
            self.read_to = place;
            return Ok(());
        }
        while self.position() < place {
            let left = usize::try_from(place - self.position()).unwrap_or(usize::MAX);
            let count = self.fill_buf()?.len().min(left);
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.consume(count);
        }
        Ok(())
    }

    /// Goes to any place of a source that permits it.
    ///
    /// # Errors
    /// `UnexpectedEof` if the source ends before that place, `InvalidInput` if it stands before the next byte of a stream.
    pub fn go_to(&mut self, place: u64) -> io::Result<()> {
        let start = self.read_to - self.buffer.len() as u64;
        if let Some(at) = place.checked_sub(start).filter(|_| place <= self.read_to) {
            self.at = usize::try_from(at).unwrap_or(usize::MAX);
            return Ok(());
        }
        if place < start && self.source.is_random() {
            self.buffer.clear();
            self.at = 0;
            self.read_to = place;
            return Ok(());
        }
        self.skip_to(place)
    }

    /// Reads exactly so many bytes.
    ///
    /// # Errors
    /// `UnexpectedEof` if there are fewer, else what the source says.
    pub fn take_array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut array = [0; N];
        self.read_exact(&mut array)?;
        Ok(array)
    }

    /// Gives all bytes, from the first one on, to a reader that needs them at any place; a stream is kept in memory for that,
    /// if it has not more than `KEPT_MAX`, the archives around it leave as much, and nothing was consumed yet.
    ///
    /// # Errors
    /// A limit if there are more, else what the source or the reader says. The input can be read in order afterwards.
    pub fn with_random<T>(
        &mut self,
        read: impl FnOnce(&dyn Source) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some(source) = self.random() {
            return read(source);
        }
        if self.position() > 0 {
            return Err(Failure::malformed("read before its place was known"));
        }
        // What an earlier call kept is still there.
        self.kept = None;
        let most = KEPT_MAX.min(Held::left());
        let length = self.peek(most + 1)?.len();
        self.kept = Some(Held::take(length));
        if length > most {
            return Err(Failure::limit(format!(
                "must be read at any place, and is larger than {} MiB in a stream",
                most >> 20
            )));
        }
        read(&Memory(self.buffer.get(self.at..).unwrap_or_default()))
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        if let (Some(target), Some(source)) = (buffer.get_mut(..count), available.get(..count)) {
            target.copy_from_slice(source);
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.buffer.len() {
            self.more(STEP)?;
        }
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.buffer.len());
    }
}
