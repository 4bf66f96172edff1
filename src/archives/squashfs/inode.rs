//! Inodes and directories.

use super::image::Image;
use super::metadata::Position;
use crate::archives::Failure;
use crate::archives::little::{u16_at, u32_at, u64_at};

/// Size of what all inodes begin with.
const HEAD: usize = 16;
/// No fragment.
const NONE: u32 = u32::MAX;
/// A listing's size counts what stands in no listing: `.` and `..`.
const NOT_LISTED: u64 = 3;
/// As many entries have one head.
const ENTRIES_MAX: u32 = 256;

/// What an inode is.
pub(super) enum Inode<'i, 's> {
    Directory(Listing<'i, 's>),
    File(Stored<'i, 's>),
    /// A link, a device, a pipe or a socket.
    Other,
}

/// A file as its inode tells it.
pub(super) struct Stored<'i, 's> {
    /// Place of its first block.
    pub(super) start: u64,
    pub(super) size: u64,
    /// The number of the fragment with what fills no block, and the place in it.
    pub(super) fragment: Option<(u32, u32)>,
    /// Where the sizes of its blocks stand.
    pub(super) sizes: Position<'i, 's>,
    /// Whether it has other names.
    pub(super) is_linked: bool,
}

/// What is left of a directory.
pub(super) struct Listing<'i, 's> {
    position: Position<'i, 's>,
    left: u64,
    /// Entries with the same head, and the block of their inodes.
    entries: u32,
    block: u64,
}

/// A name in a directory, and where its inode stands.
pub(super) struct Entry {
    pub(super) inode: u64,
    pub(super) name: Vec<u8>,
}

impl<'i, 's> Inode<'i, 's> {
    /// Reads the inode at a place: that of a block from the start of the table, and of a byte in it.
    pub(super) fn read(image: &'i Image<'s>, place: u64) -> Result<Self, Failure> {
        let block = image.inodes.saturating_add(place >> 16);
        let mut position = image.metadata.position(block, place & 0xffff);
        let head = position.take(HEAD)?;
        let listing = |start: u32, offset: u16, size: u64| {
            let block = image.directories.saturating_add(start.into());
            Inode::Directory(Listing {
                position: image.metadata.position(block, offset.into()),
                left: size.saturating_sub(NOT_LISTED),
                entries: 0,
                block: 0,
            })
        };
        let fragment = |number: u32, offset: u32| (number != NONE).then_some((number, offset));
        Ok(match u16_at(&head, 0) {
            1 => {
                let rest = position.take(16)?;
                let size = u16_at(&rest, 8).into();
                listing(u32_at(&rest, 0), u16_at(&rest, 10), size)
            }
            8 => {
                let rest = position.take(24)?;
                let size = u32_at(&rest, 4).into();
                listing(u32_at(&rest, 8), u16_at(&rest, 18), size)
            }
            2 => {
                let rest = position.take(16)?;
                Self::File(Stored {
                    start: u32_at(&rest, 0).into(),
                    size: u32_at(&rest, 12).into(),
                    fragment: fragment(u32_at(&rest, 4), u32_at(&rest, 8)),
                    sizes: position,
                    is_linked: false,
                })
            }
            9 => {
                let rest = position.take(40)?;
                Self::File(Stored {
                    start: u64_at(&rest, 0),
                    size: u64_at(&rest, 8),
                    fragment: fragment(u32_at(&rest, 28), u32_at(&rest, 32)),
                    sizes: position,
                    is_linked: u32_at(&rest, 24) > 1,
                })
            }
            3..=7 | 10..=14 => Self::Other,
            _ => return Err(Failure::malformed("an inode of no kind")),
        })
    }
}

impl Listing<'_, '_> {
    /// The next entry; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Failure> {
        if self.entries == 0 {
            if self.left == 0 {
                return Ok(None);
            }
            let head = self.take(12)?;
            self.entries = u32_at(&head, 0).saturating_add(1);
            self.block = u32_at(&head, 4).into();
            if self.entries > ENTRIES_MAX {
                return Err(Failure::malformed("a directory with entries that are none"));
            }
        }
        self.entries -= 1;
        let entry = self.take(8)?;
        let name = self.take(usize::from(u16_at(&entry, 6)) + 1)?;
        Ok(Some(Entry {
            inode: self.block << 16 | u64::from(u16_at(&entry, 0)),
            name,
        }))
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| Failure::malformed("a directory that ends too soon"))?;
        self.position.take(count)
    }
}
