//! The end of a zip, which says where its central directory is (APPNOTE 4.3.14 to 4.3.16).

use super::header::{CENTRAL, Listed};
use crate::archives::held::Held;
use crate::archives::little::{u16_at, u32_at, u64_at};
use crate::archives::{Failure, Input, Slice, Source, read_exact_at};
use memchr::memmem;
use std::io;
use zeroize::Zeroizing;

pub(super) const END: &[u8] = b"PK\x05\x06";
pub(super) const END64: &[u8] = b"PK\x06\x06";
pub(super) const LOCATOR: &[u8] = b"PK\x06\x07";

const END_SIZE: usize = 22;
const END64_SIZE: usize = 56;
const LOCATOR_SIZE: usize = 20;
/// A comment of up to 64 KiB may follow the end.
const TAIL: usize = END_SIZE + 0xffff;
/// As many places that look like an end are tried, from the last one on.
const TRIES: usize = 16;
/// Records beyond these are not held in memory; what they list is found by its local headers.
const RECORDS_MAX: usize = 2_000_000;

/// Where a central directory is.
pub(super) struct Directory {
    start: u64,
    /// Behind its last record.
    end: u64,
    /// How many bytes stand before what the archive thinks is its start.
    prefix: u64,
    /// Behind the archive with its comment.
    pub(super) archive_end: u64,
}

/// A member's place, and that of its record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) local: u64,
    pub(super) record: u64,
}

impl Directory {
    /// Looks for the end of a zip among the last bytes.
    pub(super) fn find(source: &dyn Source) -> io::Result<Option<Self>> {
        let size = source.size();
        let length = TAIL.min(usize::try_from(size).unwrap_or(usize::MAX));
        let Some(start) = size.checked_sub(length as u64).filter(|_| size < u64::MAX) else {
            return Ok(None);
        };
        let mut tail = Zeroizing::new(vec![0; length]);
        match read_exact_at(source, &mut tail, start) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            outcome => outcome?,
        }
        for at in memmem::rfind_iter(&tail, END).take(TRIES) {
            let record = tail.get(at..).unwrap_or_default();
            let length = END_SIZE + usize::from(u16_at(record, 20));
            if record.len() < length {
                continue;
            }
            let place = start + at as u64;
            if let Some(mut found) = Self::told(source, record, place)? {
                found.archive_end = place + length as u64;
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The directory that the end at this place tells of.
    fn told(source: &dyn Source, record: &[u8], place: u64) -> io::Result<Option<Self>> {
        let mut disk = u32::from(u16_at(record, 4));
        let mut size = u64::from(u32_at(record, 12));
        let mut offset = u64::from(u32_at(record, 16));
        let mut end = place;
        let saturated = [
            (disk == 0xffff),
            u16_at(record, 10) == 0xffff,
            size == 0xffff_ffff,
            offset == 0xffff_ffff,
        ];
        if let Some((place64, record64)) = end64(source, place)?
            && (saturated.contains(&true) || u64_at(&record64, 40) == size)
        {
            disk = u32_at(&record64, 16);
            size = u64_at(&record64, 40);
            offset = u64_at(&record64, 48);
            end = place64;
        }
        if disk != 0 {
            return Ok(None);
        }
        // What the end tells is counted from where the archive thinks that it begins; the directory stands right before the end.
        if let Some(start) = end.checked_sub(size)
            && let Some(prefix) = start.checked_sub(offset)
            && (size == 0 || begins_with(source, start, CENTRAL)?)
        {
            return Ok(Some(Self {
                start,
                end,
                prefix,
                archive_end: end,
            }));
        }
        // Something may stand between them.
        let between = offset.checked_add(size).is_some_and(|told| told <= end);
        let found = size > 0 && between && begins_with(source, offset, CENTRAL)?;
        Ok(found.then(|| Self {
            start: offset,
            end: offset + size,
            prefix: 0,
            archive_end: end,
        }))
    }

    /// Whether it lists nothing.
    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Where members are, in the order in which they lie; and the place of the first record that is none, with why. What it takes
    /// in memory counts as held.
    pub(super) fn places(&self, source: &dyn Source) -> Result<Places, Failure> {
        let directory = Slice::new(source, 0, self.end);
        let mut input = Input::new(&directory, Zeroizing::new(Vec::new()));
        input.skip_to(self.start)?;
        let most = RECORDS_MAX.min(Held::left() / size_of::<Place>());
        let mut places = Vec::new();
        let mut damage = None;
        while input.position() < self.end {
            let record = input.position();
            if places.len() >= most {
                let limit = format!("only the first {most} records of the directory are read");
                damage = Some((record, Failure::limit(limit)));
                break;
            }
            match Listed::read(&mut input) {
                Ok(listed) => places.push(Place {
                    local: self.prefix.saturating_add(listed.offset),
                    record,
                }),
                Err(failure @ Failure::Io(_)) => return Err(failure),
                Err(failure) => {
                    damage = Some((record, failure));
                    break;
                }
            }
        }
        places.sort_unstable();
        let held = Held::take(places.len() * size_of::<Place>());
        Ok(Places {
            places,
            damage,
            _held: held,
        })
    }
}

/// What a directory lists.
pub(super) struct Places {
    pub(super) places: Vec<Place>,
    pub(super) damage: Option<(u64, Failure)>,
    _held: Held,
}

/// The zip64 end that belongs to an end at this place, and where it is.
fn end64(source: &dyn Source, place: u64) -> io::Result<Option<(u64, [u8; END64_SIZE])>> {
    let mut locator = [0; LOCATOR_SIZE];
    let Some(at) = place.checked_sub(LOCATOR_SIZE as u64) else {
        return Ok(None);
    };
    read_exact_at(source, &mut locator, at)?;
    if !locator.starts_with(LOCATOR) {
        return Ok(None);
    }
    // Something before the archive may have moved it.
    let near = at.checked_sub(END64_SIZE as u64);
    for place in [Some(u64_at(&locator, 8)), near].into_iter().flatten() {
        let mut record = [0; END64_SIZE];
        if place <= at && begins_with(source, place, END64)? {
            match read_exact_at(source, &mut record, place) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                outcome => return outcome.map(|()| Some((place, record))),
            }
        }
    }
    Ok(None)
}

fn begins_with(source: &dyn Source, place: u64, magic: &[u8]) -> io::Result<bool> {
    let mut start = [0; 4];
    match read_exact_at(source, &mut start, place) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        outcome => outcome.map(|()| start == magic),
    }
}
