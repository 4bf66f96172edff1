//! Disks with partitions, by a GPT (UEFI Specification 2.10, chapter 5) or the older table of a master boot record.
//!
//! Partitions are slices of the disk. What lies between them is searched as it is.

mod gpt;
mod mbr;

use super::{Archive, Failure, Input, Members, Slice, Source};
use crate::model::{GapReason, Member};

/// The archive.
pub(super) struct Partitions;

const NAME: &str = "partition";
/// Bytes of a sector where nothing says otherwise.
const SECTOR: u64 = 512;

/// A partition, in bytes.
struct Partition {
    number: u32,
    label: String,
    start: u64,
    end: u64,
}

/// What a table says.
struct Table {
    partitions: Vec<Partition>,
    /// What is wrong with it.
    faults: Vec<(u64, Failure)>,
}

impl Archive for Partitions {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        gpt::sector(start).is_some() || mbr::is_likely(start)
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let sector = gpt::sector(input.peek(64 << 10)?);
        let end = input.with_random(|source| {
            let table = match sector {
                Some(sector) => gpt::read(source, sector)?,
                None => mbr::read(source)?,
            };
            hand_over(source, table, members)?;
            Ok(source.size())
        });
        let end = end.map_err(|failure| failure.in_archive(NAME))?;
        Ok(input.skip_to(end)?)
    }
}

fn hand_over(
    source: &dyn Source,
    mut table: Table,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    table.partitions.sort_by_key(|partition| partition.start);
    // Nothing begins within the disk: it was chance, or the first sector alone.
    let size = source.size();
    if table
        .partitions
        .first()
        .is_none_or(|first| first.start >= size)
    {
        return Err(Failure::NotMine);
    }
    for (place, failure) in table.faults {
        tell(members, None, place, failure)?;
    }
    let mut done = 0;
    for partition in table.partitions {
        let Partition {
            number,
            label,
            start,
            end,
        } = partition;
        let name = match label.as_str() {
            "" => number.to_string(),
            label => format!("{number} {label}"),
        };
        let member = Member::named(NAME, name.as_bytes()).at(start);
        if start < done {
            let failure = Failure::malformed("overlaps another one, and is not opened");
            tell(members, Some(member), 0, failure)?;
            continue;
        }
        between(source, done, start, members)?;
        if start < size {
            let part = Slice::new(source, start, end - start);
            members.member(member.clone(), &part)?;
        }
        if end > size {
            let at = size.saturating_sub(start);
            tell(members, Some(member), at, Failure::truncated("cut off"))?;
        }
        done = end;
    }
    between(source, done, size, members)
}

/// Searches what no partition has.
fn between(
    source: &dyn Source,
    start: u64,
    end: u64,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    let end = end.min(source.size());
    if start >= end {
        return Ok(());
    }
    members.plain(start, &Slice::new(source, start, end - start))
}

fn tell(
    members: &mut dyn Members,
    member: Option<Member>,
    place: u64,
    failure: Failure,
) -> Result<(), Failure> {
    match failure.in_archive(NAME) {
        Failure::Fault(reason, detail) => {
            members.fault(member, place, reason, detail);
            Ok(())
        }
        other => Err(other),
    }
}

impl Partition {
    /// A partition of sectors; none if no disk could hold it.
    fn of_sectors(number: u32, start: u64, count: u64, sector: u64) -> Option<Self> {
        let end = start.checked_add(count)?.checked_mul(sector)?;
        Some(Self {
            number,
            label: String::new(),
            start: start * sector,
            end,
        })
    }
}

/// A fault of a table.
fn fault(reason: GapReason, detail: &str) -> Failure {
    Failure::Fault(reason, detail.to_owned())
}
