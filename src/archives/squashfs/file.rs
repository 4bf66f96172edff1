//! The bytes of a file: blocks one behind the other, and what is left in a fragment.

use super::image::Image;
use super::inode::Stored;
use crate::archives::held::Held;
use crate::archives::little::u32_at;
use crate::archives::{Failure, Source};
use std::cell::Cell;
use std::io;

/// A file of more blocks that are no holes is not read.
const BLOCKS_MAX: usize = 1 << 20;
/// Sizes that are read at once.
const STEP: usize = 1 << 10;

/// A block of a file.
struct Piece {
    number: u64,
    place: u64,
    size: u32,
}

/// Where the bytes of a file are.
pub(super) struct Content<'i, 's> {
    image: &'i Image<'s>,
    size: u64,
    /// Blocks that are no holes.
    pieces: Vec<Piece>,
    /// How many blocks it has.
    blocks: u64,
    /// Place, size of the fragment, and the place in it.
    tail: Option<(u64, u32, u32)>,
    /// The first place that could not be read.
    damage: Cell<Option<(u64, io::ErrorKind)>>,
    _held: Held,
}

impl<'i, 's> Content<'i, 's> {
    pub(super) fn of(image: &'i Image<'s>, stored: &mut Stored<'_, '_>) -> Result<Self, Failure> {
        let blocks = match stored.fragment {
            Some(_) => stored.size / image.block,
            None => stored.size.div_ceil(image.block),
        };
        let mut pieces = Vec::new();
        let mut place = stored.start;
        let mut number = 0;
        while number < blocks {
            let count = usize::try_from(blocks - number).unwrap_or(STEP).min(STEP);
            for bytes in stored.sizes.take(count * 4)?.chunks_exact(4) {
                let size = u32_at(bytes, 0);
                if size > 0 {
                    let piece = Piece {
                        number,
                        place,
                        size,
                    };
                    pieces.push(piece);
                }
                place = place.saturating_add(u64::from(size & 0xff_ffff));
                number += 1;
            }
            if pieces.len() > BLOCKS_MAX {
                return Err(Failure::limit(format!(
                    "a file of more than {BLOCKS_MAX} blocks"
                )));
            }
        }
        let tail = match stored.fragment {
            Some((number, offset)) if !stored.size.is_multiple_of(image.block) => {
                let (place, size) = image.fragment(number)?;
                Some((place, size, offset))
            }
            _ => None,
        };
        let held = Held::window((pieces.len() * size_of::<Piece>()) as u64)?;
        Ok(Self {
            image,
            size: stored.size,
            pieces,
            blocks,
            tail,
            damage: Cell::new(None),
            _held: held,
        })
    }

    /// Place of what is stored first.
    pub(super) fn place(&self) -> Option<u64> {
        let first = self.pieces.first().map(|piece| piece.place);
        first.or(self.tail.map(|(place, ..)| place))
    }

    /// What could not be read, and where.
    pub(super) fn damage(&self) -> Option<(u64, Failure)> {
        self.damage.get().map(|(place, kind)| match kind {
            io::ErrorKind::UnexpectedEof => (place, Failure::truncated("cut off")),
            _ => (place, Failure::malformed("a damaged block")),
        })
    }

    /// The piece of a block, or the next one.
    fn find(&self, number: u64) -> Option<&Piece> {
        let at = self.pieces.partition_point(|piece| piece.number < number);
        self.pieces.get(at)
    }

    /// Copies from a block; one that cannot be read counts as empty, so that what follows is searched.
    fn copy(
        &self,
        (place, size): (u64, u32),
        within: u64,
        target: &mut [u8],
        offset: u64,
    ) -> io::Result<()> {
        target.fill(0);
        match self.image.data(place, size) {
            Ok(block) => {
                let start = usize::try_from(within).unwrap_or(usize::MAX);
                let bytes = block.get(start..).unwrap_or_default();
                let count = bytes.len().min(target.len());
                if let (Some(target), Some(bytes)) = (target.get_mut(..count), bytes.get(..count)) {
                    target.copy_from_slice(bytes);
                }
                if count < target.len() {
                    self.damaged(offset + count as u64, io::ErrorKind::InvalidData);
                }
            }
            Err(error) if error.raw_os_error().is_none() => self.damaged(offset, error.kind()),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn damaged(&self, place: u64, kind: io::ErrorKind) {
        if self.damage.get().is_none() {
            self.damage.set(Some((place, kind)));
        }
    }
}

impl Source for Content<'_, '_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let block = self.image.block;
        let (number, within) = (offset / block, offset % block);
        let piece = self.find(number);
        let end = match piece {
            _ if number >= self.blocks => self.size,
            Some(piece) if piece.number == number => (number + 1) * block,
            Some(piece) => piece.number * block,
            None => self.blocks * block,
        };
        let most = usize::try_from(end.min(self.size).saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = most.min(buffer.len());
        let target = buffer.get_mut(..most).unwrap_or_default();
        match (piece, self.tail) {
            _ if most == 0 => {}
            (_, Some((place, size, start))) if number >= self.blocks => {
                self.copy((place, size), u64::from(start) + within, target, offset)?;
            }
            (Some(piece), _) if piece.number == number => {
                self.copy((piece.place, piece.size), within, target, offset)?;
            }
            _ => target.fill(0),
        }
        Ok(most)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        let piece = self.find(offset / self.image.block);
        let place = piece.map(|piece| piece.number * self.image.block);
        let tail = self.tail.map(|_| self.blocks * self.image.block);
        let next = place.or(tail).map(|place| place.max(offset));
        Ok(next.filter(|place| *place < self.size))
    }
}
