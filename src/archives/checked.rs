//! Content whose checksum is computed while it is searched.

use super::source::Source;
use flate2::Crc;
use std::cell::{Cell, RefCell};
use std::io;

/// A content that is held against the CRC-32 that an archive tells of it, if it happens to be read whole and in order.
pub(super) struct Checked<'a> {
    content: &'a dyn Source,
    crc: RefCell<Crc>,
    /// Everything before was read in order.
    next: Cell<u64>,
    in_order: Cell<bool>,
    ended: Cell<bool>,
}

impl<'a> Checked<'a> {
    pub(super) fn new(content: &'a dyn Source) -> Self {
        Self {
            content,
            crc: RefCell::new(Crc::new()),
            next: Cell::new(0),
            in_order: Cell::new(true),
            ended: Cell::new(false),
        }
    }

    /// How far it was read in order.
    pub(super) fn position(&self) -> u64 {
        self.next.get()
    }

    /// Whether it is not what the checksum says; false too where nobody read all of it.
    pub(super) fn is_wrong(&self, crc: u32) -> bool {
        let whole = self.ended.get() || self.next.get() == self.content.size();
        self.in_order.get() && whole && self.crc.borrow().sum() != crc
    }
}

impl Source for Checked<'_> {
    fn size(&self) -> u64 {
        self.content.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.content.read_at(buffer, offset)?;
        let end = offset.saturating_add(count as u64);
        if offset > self.next.get() {
            self.in_order.set(false);
        } else if count == 0 {
            self.ended
                .set(!buffer.is_empty() && offset == self.next.get());
        } else if end > self.next.get() {
            // What is read again does not count twice.
            let seen = usize::try_from(self.next.get() - offset).unwrap_or(count);
            let new = buffer.get(seen..count).unwrap_or_default();
            self.crc.borrow_mut().update(new);
            self.next.set(end);
        }
        Ok(count)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.content.next_data(offset)
    }

    fn is_random(&self) -> bool {
        self.content.is_random()
    }
}
