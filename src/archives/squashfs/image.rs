//! The superblock, and what is read of an image.

use super::metadata::Metadata;
use super::unpack::Compressor;
use crate::archives::held::Held;
use crate::archives::little::{u16_at, u32_at, u64_at};
use crate::archives::{Failure, Source, read_exact_at};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use zeroize::Zeroizing;

const SIZE: usize = 96;
const MAGIC: &[u8] = b"hsqs";
/// That of the other byte order.
const MAGIC_BIG: &[u8] = b"sqsh";
const VERSION: u16 = 4;
/// As many unpacked blocks are kept: small files share one.
const KEPT: usize = 3;
/// A size with this bit is that of a block that is not compressed.
const STORED: u32 = 1 << 24;
/// The table of fragments has entries of this size in blocks of 8 KiB.
const FRAGMENT: u64 = 16;
const FRAGMENTS_PER_BLOCK: u64 = 512;

/// An unpacked block.
pub(super) type Block = Rc<Zeroizing<Vec<u8>>>;

/// An image and what is read of it.
pub(super) struct Image<'s> {
    pub(super) source: &'s dyn Source,
    pub(super) metadata: Metadata<'s>,
    compressor: Compressor,
    pub(super) block: u64,
    size: u64,
    pub(super) root: u64,
    pub(super) inodes: u64,
    pub(super) directories: u64,
    fragments: u64,
    fragment_count: u32,
    /// The blocks used last, by their place.
    kept: RefCell<Vec<(u64, Block)>>,
    _held: Held,
}

/// Whether an image begins here, of this version or another.
pub(super) fn is_likely(start: &[u8]) -> bool {
    if start.len() < SIZE {
        return false;
    }
    let major = start.get(28..30);
    let is_big = start.starts_with(MAGIC_BIG) && matches!(major, Some([0, 1..=4]));
    is_big || start.starts_with(MAGIC) && matches!(major, Some([1..=4, 0]))
}

impl<'s> Image<'s> {
    /// Reads the superblock.
    pub(super) fn open(source: &'s dyn Source) -> Result<Self, Failure> {
        let mut head = [0; SIZE];
        read_exact_at(source, &mut head, 0)?;
        if head.starts_with(MAGIC_BIG) {
            return Err(Failure::unsupported("in big-endian order"));
        }
        if u16_at(&head, 28) != VERSION {
            return Err(Failure::unsupported("an older version than 4.0"));
        }
        let (block, log) = (u32_at(&head, 12), u16_at(&head, 22));
        if !(12..=20).contains(&log) || block != 1 << log {
            return Err(Failure::malformed("a size of blocks that it cannot have"));
        }
        let compressor = Compressor::of(u16_at(&head, 20))?;
        // Those that are kept, one that is packed, and a decoder.
        let held = Held::window(u64::from(block) * (KEPT as u64 + 2))?;
        Ok(Self {
            source,
            metadata: Metadata::new(source, compressor),
            compressor,
            block: block.into(),
            size: u64_at(&head, 40),
            root: u64_at(&head, 32),
            inodes: u64_at(&head, 64),
            directories: u64_at(&head, 72),
            fragments: u64_at(&head, 80),
            fragment_count: u32_at(&head, 16),
            kept: RefCell::default(),
            _held: held,
        })
    }

    /// How many bytes it has, as it says.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Place and size of a fragment, a block that files share.
    pub(super) fn fragment(&self, number: u32) -> Result<(u64, u32), Failure> {
        if number >= self.fragment_count {
            return Err(Failure::malformed("a fragment that it does not have"));
        }
        let number = u64::from(number);
        let mut pointer = [0; 8];
        let place = number / FRAGMENTS_PER_BLOCK * 8;
        read_exact_at(
            self.source,
            &mut pointer,
            self.fragments.saturating_add(place),
        )?;
        let mut position = self.metadata.position(
            u64::from_le_bytes(pointer),
            number % FRAGMENTS_PER_BLOCK * FRAGMENT,
        );
        let entry = position.take(16)?;
        Ok((u64_at(&entry, 0), u32_at(&entry, 8)))
    }

    /// A block of data, of at most so many bytes when it is unpacked.
    ///
    /// # Errors
    /// `UnexpectedEof` if it is cut off, `InvalidData` if it is damaged.
    pub(super) fn data(&self, place: u64, size: u32) -> io::Result<Block> {
        let mut kept = self.kept.borrow_mut();
        if let Some(at) = kept.iter().position(|(at, _)| *at == place) {
            let found = kept.remove(at);
            let block = Rc::clone(&found.1);
            kept.push(found);
            return Ok(block);
        }
        let length = size & (STORED - 1);
        if u64::from(length) > self.block {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let usize_of = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let mut bytes = Zeroizing::new(vec![0; usize_of(length.into())]);
        read_exact_at(self.source, &mut bytes, place)?;
        if size & STORED == 0 {
            let unpacked = self.compressor.unpack(&bytes, usize_of(self.block));
            bytes = unpacked.ok_or(io::ErrorKind::InvalidData)?;
        }
        let block = Rc::new(bytes);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((place, Rc::clone(&block)));
        Ok(block)
    }
}
