//! zip (PKWARE APPNOTE 6.3.10), which jar, war, apk, docx, wheels and many more are.
//!
//! Read by its central directory where its bytes can be had at any place, else in order by the local headers. What the directory does not
//! account for is looked into as well: members that only have a local header, a program before the archive, comments.

mod directory;
mod header;
mod member;
mod name;
mod walk;

use super::{Archive, Failure, Input, Members, Memory, Source};
use crate::archives::little::u16_at;
use directory::Directory;
use walk::Walk;

/// The archive.
pub(super) struct Zip;

const NAME: &str = "zip";
/// What a program begins with that may have an archive behind it: ELF, PE, a script.
const PROGRAMS: &[&[u8]] = &[b"\x7fELF", b"MZ", b"#!"];
/// What the first volume of a split archive begins with, and one that was to be split.
const SPLIT: &[&[u8]] = &[header::DESCRIPTOR, b"PK00"];
/// No version that is needed to unpack is higher (APPNOTE 4.4.3.2), by a margin.
const VERSION_MAX: u16 = 100;

impl Archive for Zip {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        let split = SPLIT.iter().find_map(|magic| start.strip_prefix(*magic));
        let start = split.unwrap_or(start);
        let version = u16_at(start, 4) & 0xff;
        start.starts_with(header::LOCAL) && version <= VERSION_MAX && u16_at(start, 26) > 0
            || split.is_none() && start.starts_with(directory::END) && start.len() >= 22
    }

    fn needs_any_place(&self) -> bool {
        true
    }

    fn may_stand_behind(&self, start: &[u8]) -> bool {
        PROGRAMS.iter().any(|magic| start.starts_with(magic))
    }

    fn stands_behind(&self, input: &mut Input<'_>) -> Result<bool, Failure> {
        let size = input.size();
        let start = input.peek(1)?;
        // Most are small scripts, of which everything is there.
        let directory = if start.len() as u64 == size {
            Directory::find(&Memory(start))?
        } else {
            input.with_random(|source| Ok(Directory::find(source)?))?
        };
        Ok(directory.is_some_and(|directory| !directory.is_empty()))
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let listed = input.with_random(|source| Ok(by_directory(source, members)));
        match listed {
            Ok(Ok(Some(end))) => Ok(input.skip_to(end)?),
            Ok(Err(failure)) => Err(failure),
            // It has no directory, or is too large a stream to have it first.
            Ok(Ok(None)) | Err(Failure::Fault(..)) => Walk::new(input, 0, members).in_order(),
            Err(failure) => Err(failure),
        }
    }
}

/// Reads an archive by its directory; gives where it ends, or nothing if it has none.
fn by_directory(source: &dyn Source, members: &mut dyn Members) -> Result<Option<u64>, Failure> {
    let Some(directory) = Directory::find(source)? else {
        return Ok(None);
    };
    walk::listed(source, &directory, members)?;
    Ok(Some(directory.archive_end))
}
