//! All files of a volume, and all that no file has.

use super::super::unread::Unread;
use super::record::{Extra, Record};
use super::{NAME, SECTOR, Volume};
use crate::archives::bits::Bits;
use crate::archives::directories::{Waiting, joined};
use crate::archives::mapped::{Map, Mapped, Run};
use crate::archives::{Failure, Members, Slice, Source, read_exact_at};
use crate::model::{GapReason, Member};

/// As much of directories may be read in any case, for each byte of the image, and at most.
const METER_MIN: u64 = 64 << 20;
const METER_RATIO: u64 = 4;
const METER_MAX: u64 = 1 << 30;
/// As many areas of a record may follow one another.
const AREAS_MAX: usize = 16;
/// As many pieces of a file.
const PIECES_MAX: usize = 1 << 12;

/// Looks into a volume.
pub(super) fn whole(
    source: &dyn Source,
    volume: &Volume,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    let meter = source.size().saturating_mul(METER_RATIO);
    let mut walk = Walk {
        source,
        volume,
        members,
        blocks: Bits::default(),
        directories: Bits::default(),
        waiting: Waiting::new((volume.root.start, volume.root.size)),
        meter: meter.clamp(METER_MIN, METER_MAX),
        unread: Unread::new(NAME, 0),
    };
    if volume.blocks * volume.block > source.size() {
        walk.fault(None, source.size(), GapReason::Truncated, "cut off");
    }
    let outcome = walk.tree();
    walk.told(None, outcome)?;
    walk.rest()
}

/// Whether the names of Rock Ridge are told: the root's first record says so.
pub(super) fn has_names(source: &dyn Source, volume: &Volume) -> Result<bool, Failure> {
    let mut first = [0; 255];
    let place = volume.root.start * volume.block;
    Ok(match read_exact_at(source, &mut first, place) {
        Ok(()) => Record::read(&first).is_some_and(|(_, area)| area.starts_with(b"SP\x07\x01")),
        Err(_) => false,
    })
}

struct Walk<'w> {
    source: &'w dyn Source,
    volume: &'w Volume,
    members: &'w mut dyn Members,
    /// Blocks of files.
    blocks: Bits,
    /// First blocks of directories.
    directories: Bits,
    /// Directories that are to be entered: first block and size.
    waiting: Waiting<(u64, u64)>,
    meter: u64,
    unread: Unread,
}

impl Walk<'_> {
    fn count(&mut self, bytes: u64) -> Result<(), Failure> {
        self.meter = self.meter.saturating_sub(bytes);
        if self.is_exhausted() {
            return Err(Failure::malformed(
                "its directories refer to more than it holds",
            ));
        }
        Ok(())
    }

    /// Whether so much was read that nothing more is.
    const fn is_exhausted(&self) -> bool {
        self.meter == 0
    }

    /// Enters every directory.
    fn tree(&mut self) -> Result<(), Failure> {
        while let Some((extent, path)) = self.waiting.pop() {
            let outcome = self.directory(extent, &path);
            if self.is_exhausted() {
                return outcome;
            }
            let member = (!path.is_empty()).then(|| Member::named(NAME, &path));
            self.told(member, outcome)?;
        }
        Ok(())
    }

    fn directory(&mut self, (first, size): (u64, u64), path: &[u8]) -> Result<(), Failure> {
        if !self.directories.add(first) {
            return Err(Failure::malformed("a directory that was entered already"));
        }
        let start = first * self.volume.block;
        let mut pieces: Vec<Record> = Vec::new();
        for sector in 0..size.div_ceil(SECTOR) {
            self.count(SECTOR)?;
            let mut bytes = [0; 2048];
            let used = (size - sector * SECTOR).min(SECTOR);
            let used = bytes
                .get_mut(..usize::try_from(used).unwrap_or(0))
                .unwrap_or_default();
            read_exact_at(self.source, used, start + sector * SECTOR)?;
            let mut rest = &*used;
            // A record does not go on in the next sector.
            while let Some(length) = rest
                .first()
                .map(|length| usize::from(*length))
                .filter(|l| *l > 0)
            {
                let Some((record, area)) = Record::read(rest) else {
                    return Err(Failure::malformed("a directory with records that are none"));
                };
                if !record.is_dot() {
                    let is_continued = record.is_continued();
                    pieces.push(record);
                    if is_continued && pieces.len() < PIECES_MAX {
                        rest = rest.get(length..).unwrap_or_default();
                        continue;
                    }
                    let taken = std::mem::take(&mut pieces);
                    self.entry(&taken, area, path)?;
                }
                rest = rest.get(length..).unwrap_or_default();
            }
        }
        if pieces.is_empty() {
            return Ok(());
        }
        self.entry(&pieces, &[], path)?;
        Err(Failure::malformed("a file whose last piece is not there"))
    }

    /// Looks into what the records of one file say.
    fn entry(&mut self, pieces: &[Record], area: &[u8], path: &[u8]) -> Result<(), Failure> {
        let Some(first) = pieces.first() else {
            return Ok(());
        };
        let extra = self.extra(area)?;
        let name = match &extra.name[..] {
            [] => joined(path, &first.name(self.volume.is_joliet)),
            told => joined(path, told),
        };
        let member = Member::named(NAME, &name);
        let outcome = if let Some(child) = extra.child {
            let child = self.child(child);
            child.and_then(|record| self.wait(&record, &name))
        } else if extra.is_moved {
            Ok(())
        } else if first.is_directory() {
            self.wait(first, &name)
        } else if extra.is_compressed {
            Err(Failure::unsupported("a compressed file (zisofs)"))
        } else {
            self.file(pieces, member.clone())
        };
        if self.is_exhausted() {
            return outcome;
        }
        self.told(Some(member), outcome)
    }

    /// What Rock Ridge says, with all that follows elsewhere.
    fn extra(&mut self, area: &[u8]) -> Result<Extra, Failure> {
        let mut extra = Extra::default();
        if self.volume.is_joliet {
            return Ok(extra);
        }
        extra.read(area);
        for _ in 0..AREAS_MAX {
            let Some((block, within, length)) = extra.more else {
                break;
            };
            let length = length.min(SECTOR);
            self.count(length)?;
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
            let place = block * self.volume.block + within;
            if read_exact_at(self.source, &mut bytes, place).is_err() {
                break;
            }
            extra.read(&bytes);
        }
        Ok(extra)
    }

    /// A directory that stands elsewhere, by its first record.
    fn child(&mut self, block: u64) -> Result<Record, Failure> {
        self.count(SECTOR)?;
        let mut bytes = [0; 255];
        read_exact_at(self.source, &mut bytes, block * self.volume.block)?;
        let record = Record::read(&bytes).map(|(record, _)| record);
        record.ok_or_else(|| Failure::malformed("a directory that is not there"))
    }

    fn wait(&mut self, record: &Record, name: &[u8]) -> Result<(), Failure> {
        self.waiting.push((record.start, record.size), name)
    }

    fn file(&mut self, pieces: &[Record], member: Member) -> Result<(), Failure> {
        if pieces.iter().any(|piece| piece.is_interleaved) {
            return Err(Failure::unsupported("an interleaved file"));
        }
        let block = self.volume.block;
        let there = self.source.size().div_ceil(block);
        let mut runs = Vec::new();
        let (mut size, mut new) = (0, 0);
        for piece in pieces.iter().filter(|piece| piece.size > 0) {
            let count = piece.size.div_ceil(block);
            runs.push(Run {
                logical: size / block,
                physical: piece.start,
                count,
            });
            // Only the last piece ends within a block.
            size = size.next_multiple_of(block) + piece.size;
            // What is not there is not noted, and what is noted costs: many records may refer to the same blocks.
            let end = (piece.start + count).min(there);
            self.count(end.saturating_sub(piece.start) / 8)?;
            new += self.blocks.add_all(piece.start, end);
        }
        let map = Map { runs, block, size };
        let source = self.source;
        // Else another name of it was met before, or nothing of it is there.
        if new > 0 {
            let member = match map.first() {
                Some(place) => member.at(place),
                None => member,
            };
            self.members.member(member, &Mapped { source, map: &map })?;
        }
        if map.is_cut(source) {
            return Err(Failure::truncated("cut off in this file"));
        }
        Ok(())
    }

    /// Searches what no file has.
    fn rest(&mut self) -> Result<(), Failure> {
        if self.blocks.is_full() {
            let detail = "too large for what no file has to be searched";
            self.fault(None, 0, GapReason::Limit, detail);
            return Ok(());
        }
        let block = self.volume.block;
        let there = self.volume.blocks.min(self.source.size().div_ceil(block));
        let mut at = 0;
        while let Some((start, end)) = self.blocks.next_gap(at, there) {
            let place = start * block;
            let part = Slice::new(self.source, place, (end - start) * block);
            self.members.plain(place, &part)?;
            at = end;
        }
        Ok(())
    }

    /// Tells a fault, and gives back what is none.
    fn told(
        &mut self,
        member: Option<Member>,
        outcome: Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.unread.settle(self.members, member, 0, outcome)
    }

    fn fault(&mut self, member: Option<Member>, place: u64, reason: GapReason, detail: &str) {
        self.unread
            .tell(self.members, member, place, (reason, detail));
    }
}
