//! The header of a database, and its pages.

use super::super::{Failure, Source, read_exact_at};
use std::io;

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Size of the header, which stands before that of the first page.
pub(super) const FILE_HEADER: usize = 100;

/// A database whose pages can be read at any place.
pub(super) struct Database<'a> {
    source: &'a dyn Source,
    page_size: usize,
    /// Bytes of a page that hold content; the rest is reserved for extensions.
    pub(super) usable: usize,
    pub(super) encoding: Encoding,
    /// Pages that it says it has, if that can be believed.
    declared: u64,
}

/// How its texts are encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl<'a> Database<'a> {
    /// Whether bytes that begin with these are one.
    pub(super) fn begins(start: &[u8]) -> bool {
        start.starts_with(MAGIC) && sizes(start).is_some()
    }

    pub(super) fn open(source: &'a dyn Source) -> Result<Self, Failure> {
        let mut header = [0; FILE_HEADER];
        read_exact_at(source, &mut header, 0)?;
        let (page_size, usable) = sizes(&header).ok_or(Failure::NotMine)?;
        // Writers before 3.7.0 did not keep it; then the counters differ (1.3.8).
        let is_kept = header.get(24..28) == header.get(92..96);
        let declared = be32(&header, 28).filter(|_| is_kept).unwrap_or(0);
        Ok(Self {
            source,
            page_size,
            usable,
            encoding: match be32(&header, 56) {
                Some(2) => Encoding::Utf16Le,
                Some(3) => Encoding::Utf16Be,
                _ => Encoding::Utf8,
            },
            declared: declared.into(),
        })
    }

    pub(super) const fn source(&self) -> &'a dyn Source {
        self.source
    }

    /// How many whole pages the file has.
    pub(super) fn pages(&self) -> u64 {
        self.source.size() / self.page_size as u64
    }

    /// Whether pages are lacking at its end.
    pub(super) fn is_cut(&self) -> bool {
        self.declared > self.pages()
    }

    /// The place of a page; its number begins with 1.
    pub(super) fn place(&self, number: u32) -> u64 {
        u64::from(number).saturating_sub(1) * self.page_size as u64
    }

    /// Reads a page's content.
    pub(super) fn read(&self, number: u32, page: &mut Vec<u8>) -> io::Result<()> {
        page.resize(self.usable, 0);
        read_exact_at(self.source, page, self.place(number))
    }
}

/// The size of a page, and how many bytes of it can be used.
fn sizes(header: &[u8]) -> Option<(usize, usize)> {
    let page_size = match be16(header, 16)? {
        1 => 65_536,
        size => size,
    };
    let usable = page_size.checked_sub(usize::from(*header.get(20)?))?;
    (page_size >= 512 && page_size.is_power_of_two() && usable >= 480)
        .then_some((page_size, usable))
}

pub(super) fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A number of one to nine bytes, and what follows it (1.6): seven bits a byte, the ninth has eight.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(9).enumerate() {
        let rest = bytes.get(at + 1..)?;
        if at == 8 {
            return Some((value << 8 | u64::from(byte), rest));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}
