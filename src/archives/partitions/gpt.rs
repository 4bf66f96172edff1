//! The table of GPT (UEFI Specification 2.10, 5.3): at the start of the disk, and once more at its end.

use super::{Partition, SECTOR, Table, fault};
use crate::archives::little::{u16_at, u32_at, u64_at};
use crate::archives::{Failure, Source, read_exact_at};
use crate::model::GapReason;
use flate2::Crc;

const MAGIC: &[u8] = b"EFI PART";
/// Sizes of sectors that disks have.
const SECTORS: [u64; 2] = [512, 4096];
const HEADER_MIN: u32 = 92;
/// The table is 16 KiB as a rule; a larger one than this is none.
const TABLE_MAX: u64 = 1 << 20;

/// The size of a sector, if there is a table in the second one.
pub(super) fn sector(start: &[u8]) -> Option<u64> {
    SECTORS.into_iter().find(|sector| {
        let place = usize::try_from(*sector).unwrap_or(usize::MAX);
        let header = start.get(place..).unwrap_or_default();
        let size = u32_at(header, 12);
        header.starts_with(MAGIC) && u32_at(header, 8) >> 16 == 1 && u64::from(size) <= *sector
    })
}

/// Reads the table, or its copy where it is damaged.
pub(super) fn read(source: &dyn Source, sector: u64) -> Result<Table, Failure> {
    let detail = match partitions(source, sector, sector) {
        Ok(partitions) => {
            return Ok(Table {
                partitions,
                faults: Vec::new(),
            });
        }
        Err(Failure::Fault(_, detail)) => detail,
        Err(failure) => return Err(failure),
    };
    let last = (source.size() / sector).saturating_sub(1) * sector;
    let copy = partitions(source, last, sector);
    let copy = copy.map_err(|_| fault(GapReason::Malformed, &detail))?;
    let detail = format!("{detail}; its copy is read");
    Ok(Table {
        partitions: copy,
        faults: vec![(sector, Failure::malformed(detail))],
    })
}

fn partitions(source: &dyn Source, place: u64, sector: u64) -> Result<Vec<Partition>, Failure> {
    let mut header = vec![0; usize::try_from(sector).unwrap_or(0)];
    read_exact_at(source, &mut header, place)?;
    let size = u32_at(&header, 12);
    let is_sound = header.starts_with(MAGIC) && (HEADER_MIN..=512).contains(&size);
    let checksum = u32_at(&header, 16);
    if let Some(field) = header.get_mut(16..20) {
        field.fill(0);
    }
    let used = header.get(..usize::try_from(size).unwrap_or(0));
    if !is_sound || crc_of(used.unwrap_or_default()) != checksum {
        return Err(Failure::malformed(
            "the checksum of the table's header is wrong",
        ));
    }
    let (count, entry) = (u32_at(&header, 80), u64::from(u32_at(&header, 84)));
    let length = entry * u64::from(count);
    if entry < 128 || length > TABLE_MAX {
        return Err(Failure::limit("a table of more than 1 MiB"));
    }
    let start = u64_at(&header, 72).saturating_mul(sector);
    let mut entries = vec![0; usize::try_from(length).unwrap_or(0)];
    read_exact_at(source, &mut entries, start)?;
    if crc_of(&entries) != u32_at(&header, 88) {
        return Err(Failure::malformed("the checksum of the table is wrong"));
    }
    let chunks = entries.chunks_exact(usize::try_from(entry).unwrap_or(usize::MAX));
    let partitions = (1u32..).zip(chunks).filter_map(|(number, entry)| {
        let is_used = entry.iter().take(16).any(|byte| *byte != 0);
        let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
        let count = last
            .checked_sub(first)?
            .checked_add(1)
            .filter(|_| is_used)?;
        let partition = Partition::of_sectors(number, first, count, sector)?;
        let label = label(entry.get(56..128).unwrap_or_default());
        Some(Partition { label, ..partition })
    });
    Ok(partitions.collect())
}

/// The name of a partition, in UTF-16.
fn label(bytes: &[u8]) -> String {
    let units = (0..bytes.len() / 2).map(|at| u16_at(bytes, at * 2));
    let used: Vec<_> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&used)
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

const _: () = assert!(SECTORS[0] == SECTOR);
