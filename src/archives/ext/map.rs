//! Where the blocks of a file lie: by extents, or by the older map of blocks ("The Contents of inode.i_block" of the kernel's
//! ext4 documentation).

use super::volume::Volume;
use crate::archives::Failure;
use crate::archives::little::{u16_at, u32_at};
use crate::archives::mapped::{Map, Run};

/// A file of more pieces is not read whole.
const RUNS_MAX: usize = 1 << 18;
/// What a node of extents begins with, and how deep they stand at most.
const MAGIC: u16 = 0xf30a;
const DEPTH_MAX: u16 = 5;
/// A longer extent has blocks that were never written.
const WRITTEN_MAX: u16 = 32768;
/// No file has more blocks.
const BLOCKS_MAX: u64 = 1 << 32;

/// Puts pieces together.
struct Builder<'v, 's> {
    volume: &'v Volume<'s>,
    runs: Vec<Run>,
    /// Blocks of the file.
    blocks: u64,
    /// The file's blocks before this one are known.
    next: u64,
}

impl<'v, 's> Builder<'v, 's> {
    fn new(volume: &'v Volume<'s>, blocks: u64) -> Self {
        Self {
            volume,
            runs: Vec::new(),
            blocks: blocks.min(BLOCKS_MAX),
            next: 0,
        }
    }

    fn add(&mut self, logical: u64, physical: u64, count: u64) -> Result<(), Failure> {
        // What was reserved behind the end belongs to no file yet.
        let count = count.min(self.blocks.saturating_sub(logical));
        self.next = logical + count;
        if count == 0 {
            return Ok(());
        }
        if physical == 0 || physical.saturating_add(count) > self.volume.layout.blocks {
            return Err(Failure::malformed("a block that it does not have"));
        }
        if let Some(last) = self.runs.last_mut() {
            let follows = last.logical + last.count == logical;
            if follows && last.physical + last.count == physical {
                last.count += count;
                return Ok(());
            }
        }
        if self.runs.len() >= RUNS_MAX {
            return Err(Failure::limit(format!(
                "a file of more than {RUNS_MAX} pieces"
            )));
        }
        self.runs.push(Run {
            logical,
            physical,
            count,
        });
        Ok(())
    }

    fn finish(
        self,
        size: u64,
        outcome: Result<(), Failure>,
    ) -> Result<(Map, Option<Failure>), Failure> {
        let block = self.volume.layout.block;
        let most = BLOCKS_MAX * block;
        let damage = match outcome {
            Ok(()) if size > most => Some(Failure::malformed("a size that no file can have")),
            Ok(()) => None,
            Err(damage @ Failure::Fault(..)) => Some(damage),
            Err(other) => return Err(other),
        };
        let map = Map {
            runs: self.runs,
            block,
            size: size.min(most),
        };
        Ok((map, damage))
    }

    /// The pieces beneath a node of extents.
    fn node(&mut self, node: &[u8], depth: u16) -> Result<(), Failure> {
        let wrong = || Failure::malformed("a node of extents that is none");
        if u16_at(node, 0) != MAGIC || u16_at(node, 6) != depth {
            return Err(wrong());
        }
        let count = usize::from(u16_at(node, 2));
        let entries = node.get(12..).unwrap_or_default().as_chunks::<12>().0;
        for entry in entries.get(..count).ok_or_else(wrong)? {
            let logical = u64::from(u32_at(entry, 0));
            if logical < self.next {
                return Err(Failure::malformed("extents that overlap"));
            }
            if depth > 0 {
                let block = u64::from(u16_at(entry, 8)) << 32 | u64::from(u32_at(entry, 4));
                let node = self.block(block)?;
                self.node(&node, depth - 1)?;
                self.next = self.next.max(logical);
                continue;
            }
            let physical = u64::from(u16_at(entry, 6)) << 32 | u64::from(u32_at(entry, 8));
            let length = u16_at(entry, 4);
            if length <= WRITTEN_MAX {
                self.add(logical, physical, length.into())?;
            } else {
                self.next = logical + u64::from(length - WRITTEN_MAX);
            }
        }
        Ok(())
    }

    /// The pieces beneath a block of a map; gives the next block's number in the file.
    fn indirect(&mut self, block: u64, level: u32, logical: u64) -> Result<u64, Failure> {
        let per_block = self.volume.layout.block / 4;
        let span = per_block.pow(level);
        let end = logical + span;
        if block == 0 || logical >= self.blocks {
            return Ok(end);
        }
        if level == 0 {
            self.add(logical, block, 1)?;
            return Ok(end);
        }
        let pointers = self.block(block)?;
        let mut next = logical;
        for pointer in pointers.as_chunks::<4>().0 {
            if next >= self.blocks {
                break;
            }
            next = self.indirect(u32::from_le_bytes(*pointer).into(), level - 1, next)?;
        }
        Ok(end)
    }

    fn block(&self, number: u64) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
        let layout = &self.volume.layout;
        if number == 0 || number >= layout.blocks {
            return Err(Failure::malformed("a block that it does not have"));
        }
        self.volume.read(number * layout.block, layout.block)
    }
}

/// The pieces by extents, of which the first node stands in the inode; and what is wrong with them.
pub(super) fn of_extents(
    volume: &Volume<'_>,
    root: &[u8],
    blocks: u64,
    size: u64,
) -> Result<(Map, Option<Failure>), Failure> {
    let mut builder = Builder::new(volume, blocks);
    let depth = u16_at(root, 6);
    let outcome = if depth > DEPTH_MAX {
        Err(Failure::malformed("a node of extents that is none"))
    } else {
        builder.node(root, depth)
    };
    builder.finish(size, outcome)
}

/// The pieces by a map of blocks: twelve, and three trees of one to three levels.
pub(super) fn of_blocks(
    volume: &Volume<'_>,
    pointers: &[u8],
    blocks: u64,
    size: u64,
) -> Result<(Map, Option<Failure>), Failure> {
    let mut builder = Builder::new(volume, blocks);
    let mut next = 0;
    let mut outcome = Ok(());
    for (at, pointer) in pointers.as_chunks::<4>().0.iter().enumerate() {
        let level = u32::try_from(at.saturating_sub(11)).unwrap_or(0);
        match builder.indirect(u32::from_le_bytes(*pointer).into(), level, next) {
            Ok(end) => next = end,
            Err(failure) => {
                outcome = Err(failure);
                break;
            }
        }
    }
    builder.finish(size, outcome)
}
