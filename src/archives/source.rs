//! Bytes that can be read: at any place, or once from start to end.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};

/// Bytes that are to be searched.
pub trait Source {
    /// How many bytes there are, at most: what is appended later is not read. `u64::MAX` if nobody knows.
    fn size(&self) -> u64;

    /// Reads at a place; 0 means that the source ends there.
    ///
    /// # Errors
    /// What the system, or the archive that unpacks it, says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The next place at or after `offset` that holds data; `None` if only a hole follows.
    ///
    /// # Errors
    /// What the system says.
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        Ok(Some(offset))
    }

    /// Whether places can be read in any order, and again; else each read must be at or behind the end of the last one.
    fn is_random(&self) -> bool {
        true
    }
}

/// Fills the buffer from a place.
///
/// # Errors
/// `UnexpectedEof` when the source ends before, else what the source says.
pub fn read_exact_at(
    source: &dyn Source,
    mut buffer: &mut [u8],
    mut offset: u64,
) -> io::Result<()> {
    while !buffer.is_empty() {
        let count = source.read_at(buffer, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        offset += count as u64;
        buffer = buffer.get_mut(count..).unwrap_or_default();
    }
    Ok(())
}

/// A part of another source; it must be one that is read at any place.
pub struct Slice<'a> {
    whole: &'a dyn Source,
    start: u64,
    size: u64,
}

impl<'a> Slice<'a> {
    /// The part from `start`, of at most `size` bytes.
    pub fn new(whole: &'a dyn Source, start: u64, size: u64) -> Self {
        let left = whole.size().saturating_sub(start);
        Self {
            whole,
            start,
            size: size.min(left),
        }
    }
}

impl Source for Slice<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        self.whole
            .read_at(buffer, self.start.saturating_add(offset))
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        let next = self.whole.next_data(self.start.saturating_add(offset))?;
        Ok(next
            .map(|place| place.saturating_sub(self.start))
            .filter(|place| *place < self.size))
    }

    fn is_random(&self) -> bool {
        self.whole.is_random()
    }
}

/// Bytes in memory.
pub struct Memory<'a>(pub &'a [u8]);

impl Source for Memory<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.0.get(offset..))
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(target), Some(source)) = (buffer.get_mut(..count), rest.get(..count)) {
            target.copy_from_slice(source);
        }
        Ok(count)
    }
}

impl Source for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Memory(self).read_at(buffer, offset)
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        (**self).next_data(offset)
    }

    fn is_random(&self) -> bool {
        (**self).is_random()
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        (**self).next_data(offset)
    }

    fn is_random(&self) -> bool {
        (**self).is_random()
    }
}

/// A stream, read once from its start to its end.
///
/// An error of the stream ends it for whoever searches it, and stays for whoever made it: what was found before the
/// damage is told, and the damage once, at the place of the archive that has it.
pub struct Once<'a> {
    stream: RefCell<&'a mut dyn Read>,
    at: Cell<u64>,
    error: RefCell<Option<io::Error>>,
}

impl<'a> Once<'a> {
    /// A source of what the stream gives.
    pub fn new(stream: &'a mut dyn Read) -> Self {
        Self {
            stream: RefCell::new(stream),
            at: Cell::new(0),
            error: RefCell::new(None),
        }
    }

    /// How many bytes it gave.
    pub const fn position(&self) -> u64 {
        self.at.get()
    }

    /// Whether the stream is still well.
    ///
    /// # Errors
    /// The error that ended the stream.
    pub fn check(&self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Reads what nobody asked for, so that the stream stands behind it.
    ///
    /// # Errors
    /// The error that ended the stream.
    pub fn finish(&self) -> io::Result<()> {
        let mut waste = [0; 16 << 10];
        while self.read_at(&mut waste, self.at.get())? > 0 {}
        self.check()
    }
}

impl Source for Once<'_> {
    fn size(&self) -> u64 {
        u64::MAX
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let Some(mut ahead) = offset.checked_sub(self.at.get()) else {
            return Err(io::Error::other("a stream is not read twice"));
        };
        let mut stream = self.stream.borrow_mut();
        loop {
            if self.error.borrow().is_some() {
                return Ok(0);
            }
            let most = usize::try_from(ahead).unwrap_or(usize::MAX);
            let target = match most {
                0 => &mut *buffer,
                // What lies between is read over.
                most => buffer.get_mut(..most.min(buffer.len())).unwrap_or_default(),
            };
            let count = match stream.read(target) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    *self.error.borrow_mut() = Some(error);
                    return Ok(0);
                }
            };
            self.at.set(self.at.get() + count as u64);
            if count == 0 || ahead == 0 {
                return Ok(count);
            }
            ahead -= count as u64;
        }
    }

    fn is_random(&self) -> bool {
        false
    }
}
