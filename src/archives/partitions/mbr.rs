//! The table of a master boot record: four entries, one of which may be a chain of further ones with a logical partition each.

use super::{Partition, SECTOR, Table};
use crate::archives::little::u32_at;
use crate::archives::{Failure, Source, read_exact_at};

const ENTRIES: usize = 446;
/// Types of a partition that holds others: by cylinders, by sectors, and Linux' own.
const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
/// What says that a GPT stands behind it.
const PROTECTIVE: u8 = 0xee;
/// As many logical partitions are looked for.
const LOGICAL_MAX: u32 = 256;

/// An entry of a table; start and length in sectors.
struct Entry {
    status: u8,
    kind: u8,
    start: u64,
    count: u64,
}

/// The entries of a sector, if it ends as a table does.
fn entries(sector: &[u8]) -> Option<[Entry; 4]> {
    if sector.get(510..512) != Some(b"\x55\xaa") {
        return None;
    }
    Some([0, 1, 2, 3].map(|number| {
        let bytes = sector.get(ENTRIES + 16 * number..).unwrap_or_default();
        Entry {
            status: bytes.first().copied().unwrap_or(0),
            kind: bytes.get(4).copied().unwrap_or(0),
            start: u32_at(bytes, 8).into(),
            count: u32_at(bytes, 12).into(),
        }
    }))
}

/// Whether a table stands here: a boot sector alone, and that of a FAT volume, end in the same two bytes.
pub(super) fn is_likely(start: &[u8]) -> bool {
    let Some(entries) = entries(start) else {
        return false;
    };
    let is_sound = |entry: &Entry| match entry.kind {
        0 => entry.status == 0 && entry.start == 0 && entry.count == 0,
        PROTECTIVE => false,
        _ => matches!(entry.status, 0 | 0x80) && entry.start > 0 && entry.count > 0,
    };
    let mut used: Vec<_> = entries.iter().filter(|entry| entry.kind != 0).collect();
    used.sort_by_key(|entry| entry.start);
    let mut pairs = used.iter().zip(used.iter().skip(1));
    entries.iter().all(is_sound)
        && !used.is_empty()
        && pairs.all(|(one, next)| one.start + one.count <= next.start)
}

/// Reads the table, with the logical partitions.
pub(super) fn read(source: &dyn Source) -> Result<Table, Failure> {
    let mut table = Table {
        partitions: Vec::new(),
        faults: Vec::new(),
    };
    let entries = entries(&sector_at(source, 0)?).ok_or(Failure::NotMine)?;
    for (number, entry) in (1..).zip(&entries) {
        if EXTENDED.contains(&entry.kind) {
            logical(source, entry.start, &mut table)?;
        } else if entry.kind != 0 {
            table.partitions.extend(Partition::of_sectors(
                number,
                entry.start,
                entry.count,
                SECTOR,
            ));
        }
    }
    Ok(table)
}

/// Follows the chain of an extended partition: each link tells one partition, from itself, and the next link, from the first one.
fn logical(source: &dyn Source, first: u64, table: &mut Table) -> Result<(), Failure> {
    let mut place = first;
    let numbers =
        5 + u32::try_from(table.partitions.iter().filter(|p| p.number > 4).count()).unwrap_or(0);
    for number in numbers.. {
        let entries = match sector_at(source, place) {
            Ok(sector) => entries(&sector),
            Err(Failure::Fault(..)) => None,
            Err(failure) => return Err(failure),
        };
        let Some([partition, next, ..]) = entries else {
            let failure = Failure::malformed("a chain of partitions that breaks off");
            table.faults.push((place * SECTOR, failure));
            return Ok(());
        };
        if partition.kind != 0 && partition.count > 0 {
            let start = place + partition.start;
            table.partitions.extend(Partition::of_sectors(
                number,
                start,
                partition.count,
                SECTOR,
            ));
        }
        if next.kind == 0 || next.start == 0 {
            return Ok(());
        }
        place = first + next.start;
        if number >= LOGICAL_MAX {
            let failure = Failure::limit(format!("a chain of more than {LOGICAL_MAX} partitions"));
            table.faults.push((place * SECTOR, failure));
            return Ok(());
        }
    }
    Ok(())
}

fn sector_at(source: &dyn Source, number: u64) -> Result<[u8; 512], Failure> {
    let mut sector = [0; 512];
    read_exact_at(source, &mut sector, number.saturating_mul(SECTOR))?;
    Ok(sector)
}
