//! pax extended headers (POSIX.1-2001 "pax Header Block"): lines of length, keyword and value.

use super::header::{Header, until_zero};
use crate::archives::Failure;

/// What extended headers say of files.
#[derive(Default)]
pub(super) struct Extended {
    next: Fields,
    global: Fields,
}

/// What they say of one file.
#[derive(Default, Clone)]
pub(super) struct Fields {
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// GNU's sparse files, versions 0.0 and 0.1: pieces as offset and size.
    pub(super) pieces: Vec<u64>,
    /// Version 1.0: the pieces stand before the data.
    pub(super) pieces_in_data: bool,
    /// A sparse file's size with its holes.
    pub(super) real_size: Option<u64>,
}

impl Extended {
    /// What is said of the next file, and no longer of those behind it.
    pub(super) fn take(&mut self) -> Fields {
        let mut fields = std::mem::take(&mut self.next);
        fields.name = fields.name.or_else(|| self.global.name.clone());
        fields.size = fields.size.or(self.global.size);
        fields
    }

    pub(super) fn add(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.next.add(text)
    }

    pub(super) fn add_global(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.global.add(text)
    }

    /// GNU's way to say a long name. The keyword of an extended header, which some write beside it, goes before it.
    pub(super) fn long_name(&mut self, text: Vec<u8>) {
        let name = until_zero(&text).to_vec();
        self.next.name.get_or_insert(name);
    }
}

impl Fields {
    /// The name that holds.
    pub(super) fn name_or<'a>(&'a self, header: &'a Header) -> &'a [u8] {
        self.name.as_deref().unwrap_or(&header.name)
    }

    fn add(&mut self, text: &[u8]) -> Result<(), Failure> {
        let mut rest = text;
        while !rest.is_empty() {
            let (keyword, value, after) = record(rest)
                .ok_or_else(|| Failure::malformed("tar: a line of a pax header is none"))?;
            self.set(keyword, value)?;
            rest = after;
        }
        Ok(())
    }

    fn set(&mut self, keyword: &[u8], value: &[u8]) -> Result<(), Failure> {
        match keyword {
            b"path" if !self.pieces_in_data => self.name = Some(value.to_vec()),
            b"GNU.sparse.name" => self.name = Some(value.to_vec()),
            b"size" => self.size = Some(decimal(value)?),
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => self.real_size = Some(decimal(value)?),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.pieces.push(decimal(value)?),
            b"GNU.sparse.map" => {
                for number in value.split(|byte| *byte == b',').filter(|n| !n.is_empty()) {
                    self.pieces.push(decimal(number)?);
                }
            }
            b"GNU.sparse.major" => self.pieces_in_data = value == b"1",
            _ => {}
        }
        Ok(())
    }
}

/// Keyword, value and what follows of a record: decimal length of all of it, blank, keyword, `=`, value, newline.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(text.get(..blank)?).ok()?).ok()?;
    let (record, rest) = text.split_at_checked(length)?;
    let line = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = memchr::memchr(b'=', line)?;
    Some((line.get(..equals)?, line.get(equals + 1..)?, rest))
}

pub(super) fn decimal(text: &[u8]) -> Result<u64, Failure> {
    let number = std::str::from_utf8(text).ok();
    let number = number.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    number
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Failure::malformed("tar: a number of a pax header is none"))
}
