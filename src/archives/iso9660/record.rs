//! Directory records (ECMA-119, 9.1), and what Rock Ridge adds to them (SUSP, IEEE P1281, and RRIP, IEEE P1282).

use crate::archives::little::u32_at;

const HEAD: usize = 33;
const DIRECTORY: u8 = 2;
const CONTINUED: u8 = 0x80;

/// A record.
pub(super) struct Record {
    /// The first block, behind what stands before the data.
    pub(super) start: u64,
    pub(super) size: u64,
    flags: u8,
    pub(super) is_interleaved: bool,
    name: Vec<u8>,
}

/// What Rock Ridge says of a record.
#[derive(Default)]
pub(super) struct Extra {
    pub(super) name: Vec<u8>,
    /// Block of a directory that was moved away from here.
    pub(super) child: Option<u64>,
    /// It is compressed block by block (zisofs).
    pub(super) is_compressed: bool,
    /// It is a directory that was moved here.
    pub(super) is_moved: bool,
    /// Block, place in it and length of what follows.
    pub(super) more: Option<(u64, u64, u64)>,
}

impl Record {
    /// The record that begins here, and its system use area; none if there is none.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let bytes = bytes.get(..usize::from(*bytes.first()?))?;
        let length = usize::from(*bytes.get(32)?);
        let name = bytes.get(HEAD..HEAD + length)?;
        // A name of an even length is followed by a byte.
        let area = bytes.get(HEAD + length + usize::from(length.is_multiple_of(2))..);
        let record = Self {
            start: u64::from(u32_at(bytes, 2)) + u64::from(*bytes.get(1)?),
            size: u32_at(bytes, 10).into(),
            flags: *bytes.get(25)?,
            is_interleaved: *bytes.get(26)? != 0,
            name: name.to_vec(),
        };
        Some((record, area.unwrap_or_default()))
    }

    pub(super) const fn is_directory(&self) -> bool {
        self.flags & DIRECTORY != 0
    }

    /// Whether the next record goes on with this file.
    pub(super) const fn is_continued(&self) -> bool {
        self.flags & CONTINUED != 0
    }

    /// Whether it is that of the directory itself, or of the one above it.
    pub(super) fn is_dot(&self) -> bool {
        matches!(self.name[..], [0 | 1])
    }

    /// The name where no other is told, without its version.
    pub(super) fn name(&self, is_joliet: bool) -> Vec<u8> {
        let name = if is_joliet {
            let units = self.name.as_chunks::<2>().0.iter();
            let units: Vec<_> = units.map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16_lossy(&units).into_bytes()
        } else {
            self.name.clone()
        };
        let name = name.strip_suffix(b";1").unwrap_or(&name);
        name.strip_suffix(b".").unwrap_or(name).to_vec()
    }
}

impl Extra {
    /// Reads the fields of an area.
    pub(super) fn read(&mut self, area: &[u8]) {
        self.more = None;
        let mut rest = area;
        while let [a, b, length, _, ..] = rest {
            let Some((field, next)) = rest.split_at_checked(usize::from(*length).max(4)) else {
                break;
            };
            let number = |at| u64::from(u32_at(field, at));
            match &[*a, *b] {
                b"NM" => self
                    .name
                    .extend_from_slice(field.get(5..).unwrap_or_default()),
                b"CL" => self.child = Some(number(4)),
                b"RE" => self.is_moved = true,
                b"ZF" => self.is_compressed = true,
                b"CE" => self.more = Some((number(4), number(12), number(20))),
                b"ST" => break,
                _ => {}
            }
            rest = next;
        }
    }
}
