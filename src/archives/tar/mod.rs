//! tar: that of Version 7, ustar (POSIX.1-1988), pax (POSIX.1-2001) and GNU, with their sparse files.

mod header;
mod pax;
mod sparse;

use super::{Archive, Failure, Input, Members, Once, Slice, Source};
use crate::model::{GapReason, Member};
use header::Header;
use pax::Extended;
use sparse::{Map, Spread};
use std::io::{self, Read as _};

/// The archive.
pub(super) struct Tar;

const NAME: &str = "tar";
/// Everything stands in blocks of this size.
const BLOCK: u64 = 512;
/// A longer name or extended header is not read.
const TEXT_MAX: u64 = 1 << 20;
/// As many empty bytes behind the end are taken for padding.
const PADDING_MAX: u64 = 1 << 20;

impl Archive for Tar {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        start.first_chunk().and_then(Header::read).is_some()
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let mut extended = Extended::default();
        while let Some(header) = next_header(input)? {
            let data = input.position();
            match header.kind {
                header::EXTENDED => extended.add(&text(input, header.size)?)?,
                header::GLOBAL => extended.add_global(&text(input, header.size)?)?,
                header::LONG_NAME => extended.long_name(text(input, header.size)?),
                header::LONG_LINK => {}
                _ => entry(&header, &extended.take(), input, members)?,
            }
            if header.kind == header::LONG_LINK || is_text(header.kind) {
                input.skip_to(padded(data, header.size)?)?;
            }
        }
        Ok(())
    }
}

const fn is_text(kind: u8) -> bool {
    matches!(kind, header::EXTENDED | header::GLOBAL | header::LONG_NAME)
}

/// The place behind so much data and what fills its last block.
fn padded(data: u64, size: u64) -> Result<u64, Failure> {
    let end = size.checked_next_multiple_of(BLOCK);
    end.and_then(|size| data.checked_add(size))
        .ok_or_else(|| Failure::malformed("tar: a size that no file can have"))
}

/// The next header; none at the end of the archive.
fn next_header(input: &mut Input<'_>) -> Result<Option<Header>, Failure> {
    let mut padding = 0;
    loop {
        let start = input.peek(header::SIZE)?;
        if start.is_empty() {
            // Some programs leave out the two empty blocks at the end.
            return Ok(None);
        }
        let Some(block) = start.first_chunk::<{ header::SIZE }>() else {
            if start.iter().all(|byte| *byte == 0) {
                let rest = start.len() as u64;
                input.skip_to(input.position() + rest)?;
                return Ok(None);
            }
            return Err(match padding {
                0 => Failure::truncated("tar: cut off in a header"),
                _ => return Ok(None),
            });
        };
        if block.iter().all(|byte| *byte == 0) {
            padding += BLOCK;
            if padding > PADDING_MAX {
                return Ok(None);
            }
        } else if let Some(header) = Header::read(block) {
            input.skip_to(input.position() + BLOCK)?;
            return Ok(Some(header));
        } else if padding > 0 {
            return Ok(None);
        } else {
            return Err(Failure::malformed("tar: a header's checksum is wrong"));
        }
        input.skip_to(input.position() + BLOCK)?;
    }
}

/// The text that stands as data behind a header.
fn text(input: &mut Input<'_>, size: u64) -> Result<Vec<u8>, Failure> {
    if size > TEXT_MAX {
        return Err(Failure::limit(format!(
            "tar: a name or extended header of more than {} MiB",
            TEXT_MAX >> 20
        )));
    }
    let mut text = Vec::new();
    input.take(size).read_to_end(&mut text)?;
    if (text.len() as u64) < size {
        return Err(Failure::truncated("tar: cut off in an extended header"));
    }
    Ok(text)
}

/// Hands over the file behind a header, and goes on behind its data.
fn entry(
    header: &Header,
    extended: &pax::Fields,
    input: &mut Input<'_>,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    let mut stored = extended.size.unwrap_or(header.size);
    if !header.has_data() || header.kind == header::HARD_LINK && !holds_data(input, stored)? {
        stored = 0;
    }
    let head = input.position();
    let next = padded(head, stored)?;
    let map = match Map::of(header, extended, input, stored) {
        Ok(map) => map,
        Err(Failure::Fault(reason, detail)) => {
            let member = Member::named(NAME, extended.name_or(header)).at(head);
            members.fault(Some(member), 0, reason, detail);
            return Ok(input.skip_to(next)?);
        }
        Err(other) => return Err(other),
    };
    // A sparse file's map may stand before its data.
    let data = input.position();
    let size = stored.saturating_sub(data.saturating_sub(head));
    let member = Member::named(NAME, extended.name_or(header)).at(data);
    if header.is_file() {
        let cut = input.size() < data.saturating_add(size);
        if let Some(source) = input.random() {
            hand_over(
                member.clone(),
                &Slice::new(source, data, size),
                map,
                members,
            )?;
        } else {
            let mut stream = input.take(size);
            let content = Once::new(&mut stream);
            hand_over(member.clone(), &content, map, members)?;
            content.check()?;
        }
        if cut {
            members.fault(
                Some(member),
                0,
                GapReason::Truncated,
                "tar: cut off in this file".to_owned(),
            );
        }
    } else if !header.has_data() {
        let mut name = extended.name_or(header).to_vec();
        if header.kind == header::DIRECTORY && !name.ends_with(b"/") {
            name.push(b'/');
        }
        members.bare(&name);
    }
    let end = head.saturating_add(stored);
    skip_data(input, end, next)
}

/// Goes behind data, and behind what fills their last block; umoci leaves that out at the end of an archive.
fn skip_data(input: &mut Input<'_>, end: u64, next: u64) -> Result<(), Failure> {
    input.skip_to(end)?;
    match input.skip_to(next) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            if input.random().is_some() {
                input.skip_to(input.size())?;
            }
            Ok(())
        }
        outcome => Ok(outcome?),
    }
}

fn hand_over(
    member: Member,
    content: &dyn Source,
    map: Option<Map>,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    match map {
        Some(map) => members.member(member, &Spread::new(content, map)),
        None => members.member(member, content),
    }
}

/// Whether a hard link's header is followed by data: POSIX permits it, and some programs give the size of the file without it.
fn holds_data(input: &mut Input<'_>, size: u64) -> Result<bool, Failure> {
    if size == 0 {
        return Ok(false);
    }
    let next = input.peek(header::SIZE)?.first_chunk::<{ header::SIZE }>();
    Ok(next.is_some_and(|block| Header::read(block).is_none() && block.iter().any(|b| *b != 0)))
}
