//! What a cell holds (1.6): the beginning in its page, the rest in a chain of pages of its own.

use super::database::{Database, be32};
use super::tree::Seen;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// A cell's record, read once from its start to its end.
pub(super) struct Payload<'p> {
    database: &'p Database<'p>,
    seen: &'p mut Seen,
    /// How much is still to come.
    left: u64,
    /// What stands in the cell itself.
    local: &'p [u8],
    /// The page of the chain that is read now; empty before the first.
    page: Zeroizing<Vec<u8>>,
    /// The next byte of either, and the place of its first one in the file.
    at: usize,
    place: u64,
    /// The next page of the chain.
    next: u32,
    /// Where each piece began: its first byte in the record, and its place in the file.
    pub(super) pieces: Vec<(u64, u64)>,
    given: u64,
}

/// How much of a record of this length stands in the page itself.
pub(super) fn local(usable: usize, length: u64, is_table: bool) -> usize {
    let least = (usable - 12) * 32 / 255 - 23;
    let most = match is_table {
        true => usable - 35,
        false => (usable - 12) * 64 / 255 - 23,
    };
    match usize::try_from(length) {
        Ok(length) if length <= most => length,
        _ => {
            let over = (length - least as u64) % (usable as u64 - 4);
            let local = least + usize::try_from(over).unwrap_or(0);
            if local <= most { local } else { least }
        }
    }
}

impl<'p> Payload<'p> {
    /// A record of this length that begins with these bytes at this place; `next` is the first page of what overflows.
    pub(super) fn new(
        database: &'p Database<'p>,
        seen: &'p mut Seen,
        length: u64,
        (local, place): (&'p [u8], u64),
        next: u32,
    ) -> Self {
        Self {
            database,
            seen,
            left: length - local.len() as u64,
            local,
            page: Zeroizing::new(Vec::new()),
            at: 0,
            place,
            next,
            pieces: vec![(0, place)],
            given: 0,
        }
    }

    /// The place of the next byte in the file.
    pub(super) fn place(&self) -> u64 {
        self.place + self.at as u64
    }

    /// The bytes behind the record in its last page, and their place.
    pub(super) fn slack(&self) -> Option<(&[u8], u64)> {
        let rest = self.page.get(self.at..).filter(|_| self.left == 0)?;
        Some((rest, self.place()))
    }

    /// The next page of the chain, as much of it as belongs to the record.
    fn turn(&mut self) -> io::Result<()> {
        let wrong = || io::Error::from(io::ErrorKind::InvalidData);
        if !self.seen.is_new(self.next) {
            return Err(wrong());
        }
        self.database.read(self.next, &mut self.page)?;
        self.seen.insert(self.next);
        self.place = self.database.place(self.next);
        self.next = be32(&self.page, 0).ok_or_else(wrong)?;
        self.at = 4;
        self.pieces.push((self.given, self.place()));
        Ok(())
    }
}

impl Payload<'_> {
    /// What is read now, as much of it as belongs to the record.
    fn ready(&self) -> &[u8] {
        if self.page.is_empty() {
            return self.local.get(self.at..).unwrap_or_default();
        }
        let rest = self.page.get(self.at..).unwrap_or_default();
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        rest.get(..left).unwrap_or(rest)
    }
}

impl Read for Payload<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ready().is_empty() {
            if self.left == 0 {
                return Ok(0);
            }
            self.turn()?;
        }
        let count = self.ready().read(buffer)?;
        self.at += count;
        self.given += count as u64;
        if !self.page.is_empty() {
            self.left -= count as u64;
        }
        Ok(count)
    }
}
