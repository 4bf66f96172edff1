//! Metadata: inodes, directories and tables, in compressed blocks of 8 KiB that are read as if they were one.

use super::unpack::Compressor;
use crate::archives::{Failure, Source, read_exact_at};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// What a block holds.
const BLOCK: usize = 8 << 10;
/// A length with this bit is that of a block that is not compressed.
const STORED: u16 = 1 << 15;
/// As many blocks are kept.
const KEPT: usize = 64;
/// So much may be unpacked and taken in any case, for each byte of the image, and at most.
const METER_MIN: u64 = 64 << 20;
const METER_RATIO: u64 = 64;
const METER_MAX: u64 = 4 << 30;

struct Block {
    bytes: Vec<u8>,
    /// Place of the block behind it.
    next: u64,
}

/// All metadata of an image.
pub(super) struct Metadata<'s> {
    source: &'s dyn Source,
    compressor: Compressor,
    kept: RefCell<VecDeque<(u64, Rc<Block>)>>,
    meter: Cell<u64>,
}

impl<'s> Metadata<'s> {
    pub(super) fn new(source: &'s dyn Source, compressor: Compressor) -> Self {
        let meter = source.size().saturating_mul(METER_RATIO);
        Self {
            source,
            compressor,
            kept: RefCell::default(),
            meter: Cell::new(meter.clamp(METER_MIN, METER_MAX)),
        }
    }

    /// A place in the metadata: that of a block, and of a byte in it.
    pub(super) const fn position(&self, block: u64, offset: u64) -> Position<'_, 's> {
        Position {
            metadata: self,
            block,
            offset,
        }
    }

    /// Whether so much was unpacked that nothing more is.
    pub(super) fn is_exhausted(&self) -> bool {
        self.meter.get() == 0
    }

    fn count(&self, bytes: usize) -> Result<(), Failure> {
        let left = self.meter.get().saturating_sub(bytes as u64);
        self.meter.set(left);
        match left {
            0 => Err(Failure::malformed("its tables refer to more than it holds")),
            _ => Ok(()),
        }
    }

    fn block(&self, place: u64) -> Result<Rc<Block>, Failure> {
        let mut kept = self.kept.borrow_mut();
        if let Some((_, block)) = kept.iter().find(|(at, _)| *at == place) {
            return Ok(Rc::clone(block));
        }
        self.count(BLOCK)?;
        let mut head = [0; 2];
        read_exact_at(self.source, &mut head, place)?;
        let head = u16::from_le_bytes(head);
        let length = head & (STORED - 1);
        let mut bytes = vec![0; length.into()];
        let start = place.saturating_add(2);
        read_exact_at(self.source, &mut bytes, start)?;
        if head & STORED == 0 {
            let unpacked = self.compressor.unpack(&bytes, BLOCK);
            let unpacked = unpacked.ok_or_else(|| Failure::malformed("damaged metadata"))?;
            bytes = unpacked.to_vec();
        }
        if bytes.is_empty() || bytes.len() > BLOCK {
            return Err(Failure::malformed("damaged metadata"));
        }
        let next = start.saturating_add(length.into());
        let block = Rc::new(Block { bytes, next });
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((place, Rc::clone(&block)));
        Ok(block)
    }
}

/// A place in the metadata, from which on it is read.
pub(super) struct Position<'m, 's> {
    metadata: &'m Metadata<'s>,
    block: u64,
    offset: u64,
}

impl Position<'_, '_> {
    /// The next bytes; a number that the caller bounds.
    pub(super) fn take(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        self.metadata.count(count)?;
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let block = self.metadata.block(self.block)?;
            let length = block.bytes.len() as u64;
            if self.offset >= length {
                self.offset -= length;
                self.block = block.next;
                continue;
            }
            let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
            let rest = block.bytes.get(start..).unwrap_or_default();
            let part = rest.get(..count - taken.len()).unwrap_or(rest);
            taken.extend_from_slice(part);
            self.offset += part.len() as u64;
        }
        Ok(taken)
    }
}
