//! cpio: the new format with and without checksums, the portable one of POSIX.1-1988, and the old binary one in either byte order.
//!
//! The image of an initial RAM disk is one or several of them, each maybe compressed; what follows one is looked at anew.

use super::{Archive, Failure, Input, Members, stored};
use crate::model::Member;

/// The archive.
pub(super) struct Cpio;

const NAME: &str = "cpio";
/// The name of the entry that ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";
/// Names of more bytes, with the zero at their end, are not read.
const NAME_MAX: u64 = 64 << 10;
/// The upper bits of the mode tell the type of a file.
const TYPE: u64 = 0o170_000;
const REGULAR: u64 = 0o100_000;
/// The files' sizes stand in the header of the package alone (RPM's manual, "Payload").
const STRIPPED: &[u8] = b"07070X";

impl Archive for Cpio {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        if start.starts_with(STRIPPED) {
            return start.get(6..14).and_then(|index| number(index, 16)) == Some(0);
        }
        let Some(header) = Header::read(start) else {
            return false;
        };
        let name = start.get(header.length..).unwrap_or_default();
        let size = usize::try_from(header.name_size).unwrap_or(usize::MAX);
        // A name in the first 64 KiB ends there.
        let is_name = |name: &[u8]| {
            name.split_last()
                .is_some_and(|(zero, name)| *zero == 0 && !name.is_empty() && !name.contains(&0))
        };
        name.get(..size).is_some_and(is_name) && header.is_likely()
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        loop {
            let start = input.peek(Header::LONGEST)?;
            if start.starts_with(STRIPPED) {
                return Err(Failure::unsupported(
                    "cpio: a package's payload without the sizes of its files",
                ));
            }
            let Some(header) = Header::read(start) else {
                return Err(match start.len() < Header::LONGEST {
                    true => Failure::truncated("cpio: cut off before its end"),
                    false => Failure::malformed("cpio: what follows an entry is none"),
                });
            };
            if header.name_size > NAME_MAX {
                return Err(Failure::limit("cpio: a name of more than 64 KiB"));
            }
            let failed = |error| Failure::reading(NAME, error);
            let name_size = usize::try_from(header.name_size).unwrap_or(usize::MAX);
            let name_end = header.length.saturating_add(name_size);
            let name = input.peek(name_end)?.get(header.length..name_end);
            let Some(name) = name.map(|name| name.strip_suffix(b"\0").unwrap_or(name).to_vec())
            else {
                return Err(Failure::truncated("cpio: cut off in a name"));
            };
            let name_end = input.position() + name_end as u64;
            input.skip_to(header.padded(name_end)).map_err(failed)?;
            if name == TRAILER && header.size == 0 {
                // Up to a whole block, and up to where a loader of the system finds the next one.
                return Ok(input.skip_zeros()?);
            }
            let end = input.position().saturating_add(header.size);
            if header.mode & TYPE == REGULAR && header.size > 0 {
                stored::hand_over(Member::named(NAME, &name), header.size, input, members)?;
                if input.position() < end {
                    return Ok(());
                }
            }
            let next = header.padded(end);
            if input.peek(1)?.is_empty() && next > input.position() {
                return Err(Failure::truncated("cpio: cut off before its end"));
            }
            input.skip_to(next).map_err(failed)?;
        }
    }
}

/// What stands before a file.
struct Header {
    mode: u64,
    /// With the zero at its end.
    name_size: u64,
    size: u64,
    /// Bytes of the header itself.
    length: usize,
    /// Names and files are filled up to a multiple of this.
    align: u64,
}

impl Header {
    const LONGEST: usize = 110;

    /// `None` if it is none.
    fn read(start: &[u8]) -> Option<Self> {
        match start {
            [b'0', b'7', b'0', b'7', b'0', b'1' | b'2', ..] => Self::new_format(start),
            [b'0', b'7', b'0', b'7', b'0', b'7', ..] => Self::portable(start),
            [0xc7, 0x71, ..] => Self::binary(start, u16::from_le_bytes),
            [0x71, 0xc7, ..] => Self::binary(start, u16::from_be_bytes),
            _ => None,
        }
    }

    /// Thirteen fields of eight hexadecimal digits.
    fn new_format(start: &[u8]) -> Option<Self> {
        let fields = start.get(6..110)?;
        let field = |at: usize| number(fields.get(at * 8..at * 8 + 8)?, 16);
        for at in 0..13 {
            field(at)?;
        }
        Some(Self {
            mode: field(1)?,
            name_size: field(11)?,
            size: field(6)?,
            length: 110,
            align: 4,
        })
    }

    /// Octal digits: eight fields of six, the time of eleven, the name's size of six and the file's of eleven.
    fn portable(start: &[u8]) -> Option<Self> {
        let field = |from: usize, to: usize| number(start.get(from..to)?, 8);
        for at in 1..8 {
            field(at * 6, at * 6 + 6)?;
        }
        Some(Self {
            mode: field(18, 24)?,
            name_size: field(59, 65)?,
            size: field(65, 76)?,
            length: 76,
            align: 1,
        })
    }

    /// Thirteen numbers of 16 bits; those of 32 have their upper half first, whatever the order of the bytes.
    fn binary(start: &[u8], order: fn([u8; 2]) -> u16) -> Option<Self> {
        let field = |at: usize| start.get(at * 2..)?.first_chunk().copied().map(order);
        let field = |at: usize| field(at).map(u64::from);
        let header = Self {
            mode: field(3)?,
            name_size: field(10)?,
            size: field(11)? << 16 | field(12)?,
            length: 26,
            align: 2,
        };
        // Two bytes are a weak magic number.
        header.is_likely().then_some(header)
    }

    /// Whether the mode has a type that files have; the entry at the end has none.
    const fn is_likely(&self) -> bool {
        match self.mode >> 12 {
            1 | 2 | 4 | 6 | 8 | 10 | 12 => true,
            0 => self.name_size == TRAILER.len() as u64 + 1,
            _ => false,
        }
    }

    /// The next place where something may begin. Places count from the start of the archive, and so does what fills.
    const fn padded(&self, place: u64) -> u64 {
        let past = place % self.align;
        match past {
            0 => place,
            past => place.saturating_add(self.align - past),
        }
    }
}

/// A number of digits only.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u64::from_str_radix(digits, radix).ok().filter(|_| plain)
}
