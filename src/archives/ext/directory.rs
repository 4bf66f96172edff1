//! Directories ("Directory Entries" of the kernel's ext4 documentation). The index of a large one stands in entries that are not in use.

use crate::archives::little::{u16_at, u32_at};

const HEAD: usize = 8;

/// A name in a directory.
pub(super) struct Entry<'b> {
    pub(super) inode: u64,
    pub(super) name: &'b [u8],
}

/// The entries of one block of a directory; `false` behind them if they do not fill it.
pub(super) struct Entries<'b> {
    block: &'b [u8],
    at: usize,
    has_file_type: bool,
    pub(super) is_damaged: bool,
}

impl<'b> Entries<'b> {
    pub(super) const fn of(block: &'b [u8], has_file_type: bool) -> Self {
        Self {
            block,
            at: 0,
            has_file_type,
            is_damaged: false,
        }
    }
}

impl<'b> Iterator for Entries<'b> {
    type Item = Entry<'b>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.block.len() && !self.is_damaged {
            let rest = self.block.get(self.at..).unwrap_or_default();
            let length = match u16_at(rest, 4) {
                // Of a block of 64 KiB.
                0 | u16::MAX if self.block.len() == 1 << 16 => self.block.len(),
                length => usize::from(length),
            };
            // Without a type the length has two bytes.
            let name = match u16_at(rest, 6) {
                length if self.has_file_type => usize::from(length & 0xff),
                length => usize::from(length),
            };
            self.is_damaged = length < HEAD || length > rest.len() || HEAD + name > length;
            if self.is_damaged {
                break;
            }
            self.at += length;
            let inode = u64::from(u32_at(rest, 0));
            let name = rest.get(HEAD..HEAD + name).unwrap_or_default();
            if inode != 0 && !matches!(name, b"" | b"." | b"..") {
                return Some(Entry { inode, name });
            }
        }
        None
    }
}
