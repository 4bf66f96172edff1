//! All files of a file system, and all that no file has.

use super::super::unread::Unread;
use super::NAME;
use super::directory::Entries;
use super::inode::{Data, Inode, Kind};
use super::volume::{self, Volume};
use crate::archives::bits::Bits;
use crate::archives::directories::{Waiting, joined};
use crate::archives::mapped::{Map, Mapped};
use crate::archives::{Failure, Members, Memory, Slice, read_exact_at};
use crate::model::{GapReason, Member};
use zeroize::Zeroizing;

/// The number of the root.
const ROOT: u64 = 2;
/// As many blocks of one directory may be damaged before it is given up.
const DAMAGED_MAX: u32 = 16;
/// Read at once of a table.
const STEP: usize = 64 << 10;

/// Looks into a file system.
pub(super) fn whole(volume: &Volume<'_>, members: &mut dyn Members) -> Result<(), Failure> {
    let mut walk = Walk {
        volume,
        members,
        blocks: Bits::default(),
        inodes: Bits::default(),
        waiting: Waiting::new(ROOT),
        unread: Unread::new(NAME, volume::PLACE),
        has_tables: true,
    };
    walk.head();
    let outcome = walk.tables();
    walk.has_tables &= outcome.is_ok();
    walk.told(None, volume::PLACE, outcome)?;
    let outcome = walk.tree();
    walk.told(None, volume::PLACE, outcome)?;
    walk.rest()
}

struct Walk<'w, 's> {
    volume: &'w Volume<'s>,
    members: &'w mut dyn Members,
    /// Blocks of files and of tables.
    blocks: Bits,
    /// Inodes that were reached.
    inodes: Bits,
    /// Directories that are to be entered.
    waiting: Waiting<u64>,
    unread: Unread,
    /// Whether the tables of inodes are known, and do not overlap.
    has_tables: bool,
}

impl Walk<'_, '_> {
    /// Tells what holds for all of it.
    fn head(&mut self) {
        if self.volume.layout.needs_recovery {
            let detail =
                "its journal is not replayed: what stands only there is searched as it lies";
            self.fault(None, volume::PLACE, GapReason::Unsupported, detail);
        }
        let size = self.volume.source.size();
        if self.volume.size() > size {
            self.fault(None, size, GapReason::Truncated, "cut off");
        }
    }

    /// Notes where the tables of inodes are.
    fn tables(&mut self) -> Result<(), Failure> {
        let there = self.volume.blocks();
        for group in 0..self.volume.groups() {
            let (start, end) = self.table(group)?;
            let end = end.min(there);
            let count = end.saturating_sub(start);
            if self.blocks.add_all(start, end) < count {
                return Err(Failure::malformed("tables of inodes that overlap"));
            }
        }
        Ok(())
    }

    /// The blocks of a group's table; none if it was never written.
    fn table(&self, group: u64) -> Result<(u64, u64), Failure> {
        let layout = &self.volume.layout;
        let (start, inodes) = self.volume.inode_table(group)?;
        let blocks = (inodes * layout.inode_size).div_ceil(layout.block);
        Ok((start, start + blocks))
    }

    /// Enters every directory.
    fn tree(&mut self) -> Result<(), Failure> {
        if Inode::read(self.volume, ROOT)?.kind() != Kind::Directory {
            return Err(Failure::malformed("its root is no directory"));
        }
        while let Some((number, path)) = self.waiting.pop() {
            let outcome = self.directory(number, &path);
            if self.volume.is_exhausted() {
                return outcome;
            }
            let member = (number != ROOT).then(|| Member::named(NAME, &path));
            self.told(member, 0, outcome)?;
        }
        Ok(())
    }

    fn directory(&mut self, number: u64, path: &[u8]) -> Result<(), Failure> {
        if !self.inodes.add(number) {
            return Err(Failure::malformed("a directory that was entered already"));
        }
        let inode = Inode::read(self.volume, number)?;
        if inode.is_encrypted() {
            let detail = "a directory that is encrypted, names and all".to_owned();
            return Err(Failure::Fault(GapReason::Encrypted, detail));
        }
        let (data, damage) = inode.data(self.volume)?;
        match data {
            Data::Inline(bytes) => {
                // The parent's number, entries to the end of the map's place, and more in the attribute.
                let (first, more) = bytes.split_at_checked(60).unwrap_or((&bytes, &[]));
                for part in [first.get(4..).unwrap_or_default(), more] {
                    self.entries(part, path)?;
                }
            }
            Data::Blocks(map) => self.listing(&map, path)?,
        }
        damage.map_or(Ok(()), Err)
    }

    fn listing(&mut self, map: &Map, path: &[u8]) -> Result<(), Failure> {
        let block = self.volume.layout.block;
        let mut damaged = 0;
        let blocks = map
            .runs
            .iter()
            .flat_map(|run| run.physical..run.physical + run.count);
        for number in blocks {
            let read = self.volume.read(number * block, block);
            let is_sound = match read {
                Ok(bytes) => self.entries(&bytes, path)?,
                Err(Failure::Fault(..)) if !self.volume.is_exhausted() => false,
                Err(failure) => return Err(failure),
            };
            damaged += u32::from(!is_sound);
            if damaged > DAMAGED_MAX {
                break;
            }
        }
        if damaged > 0 {
            return Err(Failure::malformed("a directory with entries that are none"));
        }
        Ok(())
    }

    /// Goes through the entries of a block; whether they are sound.
    fn entries(&mut self, block: &[u8], path: &[u8]) -> Result<bool, Failure> {
        let mut entries = Entries::of(block, self.volume.layout.has_file_type);
        for entry in entries.by_ref() {
            let name = joined(path, entry.name);
            let outcome = self.entry(entry.inode, &name);
            if self.volume.is_exhausted() {
                outcome?;
                continue;
            }
            self.told(Some(Member::named(NAME, &name)), 0, outcome)?;
        }
        Ok(!entries.is_damaged)
    }

    fn entry(&mut self, number: u64, name: &[u8]) -> Result<(), Failure> {
        let inode = Inode::read(self.volume, number)?;
        match inode.kind() {
            Kind::Directory => self.waiting.push(number, name),
            // Another name of it was met before.
            Kind::File if !self.inodes.add(number) => Ok(()),
            Kind::File => self.file(&inode, name),
            Kind::Other => {
                self.inodes.add(number);
                Ok(())
            }
        }
    }

    fn file(&mut self, inode: &Inode, name: &[u8]) -> Result<(), Failure> {
        if inode.is_encrypted() {
            let detail = "an encrypted file".to_owned();
            return Err(Failure::Fault(GapReason::Encrypted, detail));
        }
        if inode.is_compressed() {
            return Err(Failure::unsupported("a compressed file"));
        }
        let member = Member::named(NAME, name);
        let (map, damage) = match inode.data(self.volume)? {
            (Data::Inline(bytes), _) => {
                let member = member.at(inode.place());
                return self.members.member(member, &Memory(&bytes));
            }
            (Data::Blocks(map), damage) => (map, damage),
        };
        for run in &map.runs {
            self.blocks.add_all(run.physical, run.physical + run.count);
        }
        let source = self.volume.source;
        let member = match map.first() {
            Some(place) => member.at(place),
            None => member,
        };
        self.members.member(member, &Mapped { source, map: &map })?;
        self.slack(&map)?;
        if map.is_cut(source) {
            return Err(Failure::truncated("cut off in this file"));
        }
        damage.map_or(Ok(()), Err)
    }

    /// Searches what stands behind the end of a file in its last block, which is hardly ever anything.
    fn slack(&mut self, map: &Map) -> Result<(), Failure> {
        let Some((place, length)) = map.slack() else {
            return Ok(());
        };
        let length = length.min(self.volume.source.size().saturating_sub(place));
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or(0)]);
        read_exact_at(self.volume.source, &mut bytes, place)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        self.members.plain(place, &Memory(&bytes))
    }

    /// Searches what no file has: free blocks, the journal, directories, inodes that were not reached.
    fn rest(&mut self) -> Result<(), Failure> {
        if self.blocks.is_full() || self.inodes.is_full() {
            let detail = "too large for what no file has to be searched";
            self.fault(None, volume::PLACE, GapReason::Limit, detail);
            return Ok(());
        }
        let there = self.volume.blocks();
        let mut at = 0;
        while let Some((start, end)) = self.blocks.next_gap(at, there) {
            let block = self.volume.layout.block;
            let place = start * block;
            let part = Slice::new(self.volume.source, place, (end - start) * block);
            self.members.plain(place, &part)?;
            at = end;
        }
        if self.has_tables {
            for group in 0..self.volume.groups() {
                self.unreached(group)?;
            }
        }
        Ok(())
    }

    /// Searches the inodes of a group that were not reached: small files stand in them.
    fn unreached(&mut self, group: u64) -> Result<(), Failure> {
        let layout = &self.volume.layout;
        let (size, block) = (layout.inode_size, layout.block);
        let first = group * layout.inodes_per_group;
        let Ok((table, inodes)) = self.volume.inode_table(group) else {
            return Ok(());
        };
        let mut at = first;
        while let Some((start, end)) = self.inodes.next_gap(at + 1, first + inodes + 1) {
            at = end;
            let place = table * block + (start - 1 - first) * size;
            self.written(place, (end - start) * size)?;
        }
        Ok(())
    }

    /// Searches a part of a table unless it is empty, as most are.
    fn written(&mut self, place: u64, length: u64) -> Result<(), Failure> {
        let source = self.volume.source;
        let end = place.saturating_add(length).min(source.size());
        let mut bytes = Zeroizing::new(vec![0; STEP]);
        let mut at = place;
        while at < end {
            at = match source.next_data(at)? {
                Some(data) if data < end => data.max(at),
                _ => break,
            };
            let most = usize::try_from(end - at).unwrap_or(STEP).min(STEP);
            let piece = bytes.get_mut(..most).unwrap_or_default();
            read_exact_at(source, piece, at)?;
            if let Some(first) = piece.iter().position(|byte| *byte != 0) {
                let start = at + first as u64;
                let part = Slice::new(source, start, end - start);
                return self.members.plain(start, &part);
            }
            at += most as u64;
        }
        Ok(())
    }

    /// Tells a fault, and gives back what is none.
    fn told(
        &mut self,
        member: Option<Member>,
        place: u64,
        outcome: Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.unread.settle(self.members, member, place, outcome)
    }

    fn fault(&mut self, member: Option<Member>, place: u64, reason: GapReason, detail: &str) {
        self.unread
            .tell(self.members, member, place, (reason, detail));
    }
}
