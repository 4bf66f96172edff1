//! What the header of a 7z tells: where streams are, how they are packed, and which files are in them.

use super::folder::Folder;
use super::reader::Reader;
use crate::archives::Failure;

pub(super) const HEADER: u8 = 0x01;
pub(super) const ENCODED: u8 = 0x17;
const END: u8 = 0x00;
const ARCHIVE_PROPERTIES: u8 = 0x02;
const ADDITIONAL_STREAMS: u8 = 0x03;
const MAIN_STREAMS: u8 = 0x04;
const FILES: u8 = 0x05;
const PACKED: u8 = 0x06;
const FOLDERS: u8 = 0x07;
const PIECES: u8 = 0x08;
const SIZE: u8 = 0x09;
const CRC: u8 = 0x0a;
const FOLDER: u8 = 0x0b;
const UNPACKED_SIZE: u8 = 0x0c;
const PIECES_OF_FOLDERS: u8 = 0x0d;
const EMPTY: u8 = 0x0e;
const NAMES: u8 = 0x11;

/// More folders, packed streams or files are not read: what is told of them is held in memory.
const FOLDERS_MAX: usize = 100_000;
const FILES_MAX: usize = 1_000_000;

/// All that the header tells.
#[derive(Default)]
pub(super) struct Contents<'h> {
    pub(super) streams: Streams<'h>,
    /// UTF-16, each ended by zero.
    names: &'h [u8],
    /// Whether a file has no stream: it is empty, or a directory.
    empty: Vec<bool>,
    files: usize,
}

/// What is packed, and how.
#[derive(Default)]
pub(super) struct Streams<'h> {
    /// Start, counted from the archive's head, and size of what lies there.
    pub(super) packed: Vec<(u64, u64)>,
    pub(super) folders: Vec<Folder<'h>>,
    /// What stands in the folders, in their order.
    pub(super) pieces: Vec<Piece>,
}

/// A file's part of a folder.
pub(super) struct Piece {
    pub(super) size: u64,
    pub(super) crc: Option<u32>,
}

fn unexpected() -> Failure {
    Failure::malformed("its header has another order")
}

fn expect(reader: &mut Reader<'_>, property: u8) -> Result<(), Failure> {
    if reader.byte()? == property {
        return Ok(());
    }
    Err(unexpected())
}

fn at_most(count: usize, most: usize, what: &str) -> Result<usize, Failure> {
    if count > most {
        return Err(Failure::limit(format!("more than {most} {what}")));
    }
    Ok(count)
}

impl<'h> Contents<'h> {
    /// The header behind its first byte.
    pub(super) fn read(reader: &mut Reader<'h>) -> Result<Self, Failure> {
        let mut contents = Self::default();
        loop {
            match reader.byte()? {
                END => return Ok(contents),
                ARCHIVE_PROPERTIES => {
                    while reader.byte()? != END {
                        let size = reader.number()?;
                        reader.bytes(size)?;
                    }
                }
                ADDITIONAL_STREAMS => drop(Streams::read(reader)?),
                MAIN_STREAMS => contents.streams = Streams::read(reader)?,
                FILES => contents.files(reader)?,
                _ => return Err(unexpected()),
            }
        }
    }

    fn files(&mut self, reader: &mut Reader<'h>) -> Result<(), Failure> {
        self.files = at_most(reader.count()?, FILES_MAX, "files")?;
        loop {
            let property = reader.byte()?;
            if property == END {
                return Ok(());
            }
            let size = reader.number()?;
            let mut field = Reader::new(reader.bytes(size)?);
            match property {
                EMPTY => self.empty = field.bits(self.files)?,
                NAMES if field.byte()? == 0 => self.names = field.rest(),
                NAMES => return Err(Failure::unsupported("names outside of its header")),
                _ => {}
            }
        }
    }

    /// The names of the files that have a stream, in the order of the streams; empty where the header gives none.
    pub(super) fn names_of_files(&self) -> impl Iterator<Item = Vec<u8>> {
        let mut names = self.names.chunks_exact(2);
        (0..self.files).filter_map(move |number| {
            let units = names.by_ref().map(|unit| match unit {
                [low, high] => u16::from_le_bytes([*low, *high]),
                _ => 0,
            });
            let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
            let is_empty = self.empty.get(number).copied().unwrap_or(false);
            (!is_empty).then(|| String::from_utf16_lossy(&units).into_bytes())
        })
    }
}

impl<'h> Streams<'h> {
    pub(super) fn read(reader: &mut Reader<'h>) -> Result<Self, Failure> {
        let mut streams = Self::default();
        let mut has_pieces = false;
        loop {
            match reader.byte()? {
                END => break,
                PACKED => streams.packed(reader)?,
                FOLDERS => streams.folders(reader)?,
                PIECES => {
                    streams.pieces(reader)?;
                    has_pieces = true;
                }
                _ => return Err(unexpected()),
            }
        }
        if !has_pieces {
            let pieces = streams.folders.iter().map(|folder| Piece {
                size: folder.size(),
                crc: folder.crc,
            });
            streams.pieces = pieces.collect();
        }
        Ok(streams)
    }

    fn packed(&mut self, reader: &mut Reader<'h>) -> Result<(), Failure> {
        let mut place = reader.number()?;
        let count = at_most(reader.count()?, 4 * FOLDERS_MAX, "packed streams")?;
        loop {
            match reader.byte()? {
                END => return Ok(()),
                SIZE => {
                    for _ in 0..count {
                        let size = reader.number()?;
                        self.packed.push((place, size));
                        place = place.saturating_add(size);
                    }
                }
                CRC => drop(reader.digests(count)?),
                _ => return Err(unexpected()),
            }
        }
    }

    fn folders(&mut self, reader: &mut Reader<'h>) -> Result<(), Failure> {
        expect(reader, FOLDER)?;
        let count = at_most(reader.count()?, FOLDERS_MAX, "folders")?;
        if reader.byte()? != 0 {
            return Err(Failure::unsupported("folders outside of its header"));
        }
        let mut first_packed = 0;
        for _ in 0..count {
            let mut folder = Folder::read(reader)?;
            folder.first_packed = first_packed;
            first_packed += folder.packed_count();
            self.folders.push(folder);
        }
        expect(reader, UNPACKED_SIZE)?;
        for folder in &mut self.folders {
            for _ in 0..folder.coders.len() {
                folder.sizes.push(reader.number()?);
            }
        }
        loop {
            match reader.byte()? {
                END => return Ok(()),
                CRC => {
                    let digests = reader.digests(count)?;
                    for (folder, crc) in self.folders.iter_mut().zip(digests) {
                        folder.crc = crc;
                    }
                }
                _ => return Err(unexpected()),
            }
        }
    }

    fn pieces(&mut self, reader: &mut Reader<'h>) -> Result<(), Failure> {
        let mut property = reader.byte()?;
        if property == PIECES_OF_FOLDERS {
            for folder in &mut self.folders {
                folder.pieces = at_most(reader.count()?, FILES_MAX, "files")?;
            }
            property = reader.byte()?;
        }
        for folder in &self.folders {
            let mut left = folder.size();
            for number in 1..=folder.pieces {
                let is_told = number < folder.pieces && property == SIZE;
                let size = if is_told { reader.number()? } else { left };
                left = left
                    .checked_sub(size)
                    .ok_or_else(|| Failure::malformed("files larger than what holds them"))?;
                at_most(self.pieces.len(), FILES_MAX, "files")?;
                self.pieces.push(Piece { size, crc: None });
            }
        }
        if property == SIZE {
            property = reader.byte()?;
        }
        if property == CRC {
            self.digests(reader)?;
            property = reader.byte()?;
        }
        match property {
            END => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Checksums of the files; that of a folder with one file is told there.
    fn digests(&mut self, reader: &mut Reader<'h>) -> Result<(), Failure> {
        let is_told = |folder: &&Folder<'_>| folder.pieces == 1 && folder.crc.is_some();
        let told = self.folders.iter().filter(is_told).count();
        let mut digests = reader
            .digests(self.pieces.len().saturating_sub(told))?
            .into_iter();
        let mut pieces = self.pieces.iter_mut();
        for folder in &self.folders {
            let own = is_told(&folder).then_some(folder.crc).flatten();
            for piece in pieces.by_ref().take(folder.pieces) {
                piece.crc = own.or_else(|| digests.next().flatten());
            }
        }
        Ok(())
    }
}
