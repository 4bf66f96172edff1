//! The superblock and the groups of blocks ("Super Block" and "Block Group Descriptors" of the kernel's ext4 documentation).

use crate::archives::little::{u16_at, u32_at};
use crate::archives::{Failure, Source};
use std::cell::{Cell, RefCell};
use zeroize::Zeroizing;

/// Place and size of the superblock.
pub(super) const PLACE: u64 = 1024;
const SIZE: usize = 1024;
const MAGIC: u16 = 0xef53;

/// Features without which a file system cannot be read.
mod incompatible {
    pub(super) const COMPRESSION: u32 = 0x1;
    pub(super) const FILE_TYPE: u32 = 0x2;
    pub(super) const RECOVER: u32 = 0x4;
    pub(super) const JOURNAL_DEVICE: u32 = 0x8;
    pub(super) const META_BG: u32 = 0x10;
    pub(super) const EXTENTS: u32 = 0x40;
    pub(super) const BITS_64: u32 = 0x80;
    pub(super) const MMP: u32 = 0x100;
    pub(super) const FLEX_BG: u32 = 0x200;
    pub(super) const EA_INODE: u32 = 0x400;
    pub(super) const CHECKSUM_SEED: u32 = 0x2000;
    pub(super) const LARGE_DIRECTORIES: u32 = 0x4000;
    pub(super) const INLINE_DATA: u32 = 0x8000;
    pub(super) const ENCRYPT: u32 = 0x1_0000;
    pub(super) const CASE_FOLD: u32 = 0x2_0000;
    /// Those that are read.
    pub(super) const READ: u32 = FILE_TYPE
        | RECOVER
        | META_BG
        | EXTENTS
        | BITS_64
        | MMP
        | FLEX_BG
        | EA_INODE
        | CHECKSUM_SEED
        | LARGE_DIRECTORIES
        | INLINE_DATA
        | ENCRYPT
        | CASE_FOLD;
}

/// Superblock copies stand in few groups only.
const SPARSE_SUPER: u32 = 0x1;
const SPARSE_SUPER_2: u32 = 0x200;
/// The table of a group's inodes was never written.
const INODES_UNUSED: u16 = 1;
/// So much of tables, directories and maps may be read in any case, for each byte of the file system, and at most.
const METER_MIN: u64 = 64 << 20;
const METER_MAX: u64 = 4 << 30;
const METER_RATIO: u64 = 4;
/// Read at once of tables and maps.
const STEP: u64 = 4096;

/// What the superblock says.
#[derive(Clone)]
pub(super) struct Layout {
    pub(super) block: u64,
    pub(super) blocks: u64,
    pub(super) inodes: u64,
    pub(super) inode_size: u64,
    pub(super) has_file_type: bool,
    pub(super) has_large_directories: bool,
    pub(super) needs_recovery: bool,
    first_block: u64,
    blocks_per_group: u64,
    pub(super) inodes_per_group: u64,
    descriptor: u64,
    first_meta: Option<u64>,
    sparse: Sparse,
}

/// Which groups have a copy of the superblock.
#[derive(Clone)]
enum Sparse {
    All,
    Powers,
    Two([u64; 2]),
}

/// Whether a file system begins with these bytes, by the fields that the kernel checks too.
pub(super) fn is_likely(start: &[u8]) -> bool {
    let place = usize::try_from(PLACE).unwrap_or(0);
    let superblock = start.get(place..).and_then(|rest| rest.get(..SIZE));
    superblock.is_some_and(|bytes| u16_at(bytes, 0x38) == MAGIC && fields(bytes).is_some())
}

fn fields(bytes: &[u8]) -> Option<Layout> {
    let incompatible = u32_at(bytes, 0x60);
    let has = |feature| incompatible & feature != 0;
    let log = u32_at(bytes, 0x18);
    let block = (log <= 6).then(|| 1024u64 << log)?;
    let high = if has(incompatible::BITS_64) {
        u64::from(u32_at(bytes, 0x150)) << 32
    } else {
        0
    };
    let blocks = high | u64::from(u32_at(bytes, 4));
    let is_old = u32_at(bytes, 0x4c) == 0;
    let inode_size = if is_old {
        128
    } else {
        u64::from(u16_at(bytes, 0x58))
    };
    let descriptor = match u64::from(u16_at(bytes, 0xfe)) {
        size if has(incompatible::BITS_64) => size,
        _ => 32,
    };
    let layout = Layout {
        block,
        blocks,
        inodes: u32_at(bytes, 0).into(),
        inode_size,
        has_file_type: has(incompatible::FILE_TYPE),
        has_large_directories: has(incompatible::LARGE_DIRECTORIES),
        needs_recovery: has(incompatible::RECOVER),
        first_block: u32_at(bytes, 0x14).into(),
        blocks_per_group: u32_at(bytes, 0x20).into(),
        inodes_per_group: u32_at(bytes, 0x28).into(),
        descriptor,
        first_meta: has(incompatible::META_BG).then(|| u32_at(bytes, 0x104).into()),
        sparse: if u32_at(bytes, 0x5c) & SPARSE_SUPER_2 != 0 {
            Sparse::Two([u32_at(bytes, 0x24c).into(), u32_at(bytes, 0x250).into()])
        } else if u32_at(bytes, 0x64) & SPARSE_SUPER != 0 {
            Sparse::Powers
        } else {
            Sparse::All
        },
    };
    let is_sound = layout.first_block <= u64::from(log == 0)
        && blocks > layout.first_block
        && blocks <= 1 << 48
        && layout.inodes > 0
        && layout.blocks_per_group >= 256
        && (1..=block * 8).contains(&layout.inodes_per_group)
        && inode_size.is_power_of_two()
        && (128..=block).contains(&inode_size)
        && descriptor.is_power_of_two()
        && (32..=block).contains(&descriptor);
    is_sound.then_some(layout)
}

/// Why a file system with these features cannot be read.
fn unreadable(bytes: &[u8]) -> Option<&'static str> {
    let features = u32_at(bytes, 0x60);
    if features & incompatible::JOURNAL_DEVICE != 0 {
        Some("the journal of another file system")
    } else if features & incompatible::COMPRESSION != 0 {
        Some("compressed files")
    } else if features & !incompatible::READ != 0 {
        Some("features that are not known")
    } else {
        None
    }
}

/// A file system and what is read of it.
pub(super) struct Volume<'s> {
    pub(super) layout: Layout,
    pub(super) source: &'s dyn Source,
    /// How much of tables, directories and maps may still be read.
    meter: Cell<u64>,
    is_exhausted: Cell<bool>,
    last: RefCell<(u64, Zeroizing<Vec<u8>>)>,
    /// The last group that was asked for, and what its table is.
    group: Cell<Option<(u64, (u64, u64))>>,
}

impl<'s> Volume<'s> {
    /// Reads the superblock.
    pub(super) fn open(source: &'s dyn Source) -> Result<Self, Failure> {
        let mut superblock = [0; SIZE];
        crate::archives::read_exact_at(source, &mut superblock, PLACE)?;
        let layout = fields(&superblock).ok_or(Failure::NotMine)?;
        if let Some(what) = unreadable(&superblock) {
            return Err(Failure::unsupported(what));
        }
        let meter = source.size().saturating_mul(METER_RATIO);
        Ok(Self {
            layout,
            source,
            meter: Cell::new(meter.clamp(METER_MIN, METER_MAX)),
            is_exhausted: Cell::new(false),
            last: RefCell::default(),
            group: Cell::new(None),
        })
    }

    /// How many bytes the file system has, as it says.
    pub(super) const fn size(&self) -> u64 {
        self.layout.blocks.saturating_mul(self.layout.block)
    }

    /// How many blocks are there.
    pub(super) fn blocks(&self) -> u64 {
        self.layout
            .blocks
            .min(self.source.size().div_ceil(self.layout.block))
    }

    /// Counts what is read of tables, directories and maps: there cannot be more of it than the file system is large.
    pub(super) fn count(&self, bytes: u64) -> Result<(), Failure> {
        if let Some(left) = self.meter.get().checked_sub(bytes) {
            self.meter.set(left);
            return Ok(());
        }
        self.is_exhausted.set(true);
        Err(Failure::malformed("its tables refer to more than it holds"))
    }

    /// Whether so much was read that nothing more is.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.is_exhausted.get()
    }

    /// Reads some bytes of a table or map, which may not reach over a block.
    pub(super) fn read(&self, place: u64, length: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut last = self.last.borrow_mut();
        let step = place - place % STEP;
        let length_of = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        self.count(length)?;
        if length >= STEP || length > STEP - place % STEP {
            let mut bytes = Zeroizing::new(vec![0; length_of(length)]);
            crate::archives::read_exact_at(self.source, &mut bytes, place)?;
            return Ok(bytes);
        }
        if last.1.is_empty() || last.0 != step {
            self.count(STEP)?;
            let there = self.source.size().saturating_sub(step).min(STEP);
            last.1.clear();
            last.1.resize(length_of(there), 0);
            last.0 = step;
            let read = crate::archives::read_exact_at(self.source, &mut last.1, step);
            if let Err(error) = read {
                last.1.clear();
                return Err(error.into());
            }
        }
        let start = length_of(place - step);
        let bytes = last.1.get(start..start + length_of(length));
        let bytes = bytes.ok_or_else(|| Failure::truncated("cut off"))?;
        Ok(Zeroizing::new(bytes.to_vec()))
    }

    /// How many groups there are.
    pub(super) fn groups(&self) -> u64 {
        let layout = &self.layout;
        let blocks = self.blocks().saturating_sub(layout.first_block);
        let by_blocks = blocks.div_ceil(layout.blocks_per_group);
        by_blocks.min(layout.inodes.div_ceil(layout.inodes_per_group))
    }

    /// The first block of a group's table of inodes, and how many of its inodes were ever used.
    pub(super) fn inode_table(&self, group: u64) -> Result<(u64, u64), Failure> {
        if let Some((_, table)) = self.group.get().filter(|last| last.0 == group) {
            return Ok(table);
        }
        let layout = &self.layout;
        let per_block = layout.block / layout.descriptor;
        let number = group / per_block;
        let block = match layout.first_meta {
            Some(first) if number >= first => {
                let group = number * per_block;
                let start = layout.first_block + group * layout.blocks_per_group;
                // With clusters a group can begin before the first superblock's block.
                let before = PLACE / layout.block - layout.first_block.min(PLACE / layout.block);
                let before = if group == 0 { before } else { 0 };
                start + before + u64::from(self.has_superblock(group))
            }
            _ => PLACE / layout.block + 1 + number,
        };
        let place = block
            .saturating_mul(layout.block)
            .saturating_add(group % per_block * layout.descriptor);
        let bytes = self.read(place, layout.descriptor)?;
        let high = |at| {
            if layout.descriptor >= 64 {
                u64::from(u32_at(&bytes, at)) << 32
            } else {
                0
            }
        };
        let used = if u16_at(&bytes, 0x12) & INODES_UNUSED != 0 {
            0
        } else {
            layout.inodes_per_group
        };
        let table = (high(0x28) | u64::from(u32_at(&bytes, 8)), used);
        if table.0 == 0 || table.0 >= layout.blocks {
            return Err(Failure::malformed("a table of inodes that is not there"));
        }
        self.group.set(Some((group, table)));
        Ok(table)
    }

    fn has_superblock(&self, group: u64) -> bool {
        let is_power = |base: u64| {
            let mut power = base;
            while power < group {
                power = power.saturating_mul(base);
            }
            power == group
        };
        match &self.layout.sparse {
            Sparse::All => true,
            Sparse::Powers => group <= 1 || [3, 5, 7].into_iter().any(is_power),
            Sparse::Two(groups) => group == 0 || groups.contains(&group),
        }
    }

    /// Place of an inode.
    pub(super) fn inode_place(&self, number: u64) -> Result<u64, Failure> {
        let layout = &self.layout;
        let index = number
            .checked_sub(1)
            .filter(|index| *index < layout.inodes)
            .ok_or_else(|| Failure::malformed("a number that no inode has"))?;
        let (table, _) = self.inode_table(index / layout.inodes_per_group)?;
        let within = index % layout.inodes_per_group * layout.inode_size;
        Ok(table.saturating_mul(layout.block).saturating_add(within))
    }
}
