//! compress: LZW with codes of 9 to 16 bits, as of 4.3BSD. It has no checksum, no length and no end but that of the file.

use super::Input;
use super::codec::{Codec, Decoder, LOOK_AHEAD, Opened};
use std::io::{self, Read};
use zeroize::Zeroizing;

/// The archive.
pub(super) static COMPRESS: Codec = Codec {
    name: "compress",
    begins,
    open,
};

const MAGIC: &[u8] = &[0x1f, 0x9d];
/// Codes begin with so many bits, and have 16 at most.
const WIDTH_MIN: u32 = 9;
const WIDTH_MAX: u32 = 16;
/// Empties the table, if the header says that there is such a code.
const CLEAR: u16 = 256;

/// Whether the flags are possible, and what follows is decoded without a fault.
fn begins(start: &[u8]) -> bool {
    let Some([flags, data @ ..]) = start.strip_prefix(MAGIC) else {
        return false;
    };
    let Some(mut table) = Table::new(*flags) else {
        return false;
    };
    let mut data = data.get(..LOOK_AHEAD).unwrap_or(data);
    let mut bytes = [0; 512];
    let mut some = false;
    loop {
        match table.read(&mut data, &mut bytes) {
            Ok(0) => return some,
            Ok(_) => some = true,
            Err(_) => return false,
        }
    }
}

fn open<'a, 'b>(input: &'a mut Input<'b>) -> io::Result<Opened<'a, 'b>> {
    let [_, _, flags] = input.take_array()?;
    let table = Table::new(flags).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Box::new(Compress { input, table }))
}

struct Compress<'a, 'b> {
    input: &'a mut Input<'b>,
    table: Table,
}

impl Read for Compress<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.table.read(self.input, buffer)
    }
}

impl<'a, 'b> Decoder<'a, 'b> for Compress<'a, 'b> {
    fn close(self: Box<Self>) -> &'a mut Input<'b> {
        self.input
    }
}

/// The decoder's state.
struct Table {
    width_max: u32,
    has_clear: bool,
    width: u32,
    /// The strings of the codes from 256 on: the code of all but the last byte, and the last byte.
    prefix: Vec<u16>,
    suffix: Zeroizing<Vec<u8>>,
    /// The code before, and the first byte of its string.
    previous: Option<(u16, u8)>,
    /// Eight codes are packed into as many bytes as one has bits; a change of width begins a new such group.
    group: [u8; 16],
    group_end: usize,
    group_at: usize,
    /// What was decoded and not given yet, the last byte first.
    pending: Zeroizing<Vec<u8>>,
    /// Wrong data were met behind what is pending.
    is_damaged: bool,
}

impl Table {
    fn new(flags: u8) -> Option<Self> {
        let width_max = u32::from(flags & 0x1f);
        let possible = flags & 0x60 == 0 && (WIDTH_MIN..=WIDTH_MAX).contains(&width_max);
        let mut table = Self {
            width_max,
            has_clear: flags & 0x80 != 0,
            width: WIDTH_MIN,
            prefix: Vec::new(),
            suffix: Zeroizing::new(Vec::new()),
            previous: None,
            group: [0; 16],
            group_end: 0,
            group_at: 0,
            pending: Zeroizing::new(Vec::new()),
            is_damaged: false,
        };
        table.clear();
        possible.then_some(table)
    }

    fn clear(&mut self) {
        self.width = WIDTH_MIN;
        self.previous = None;
        self.prefix.clear();
        self.suffix.clear();
        if self.has_clear {
            self.prefix.push(0);
            self.suffix.push(0);
        }
        self.group_at = self.group_end;
    }

    fn read(&mut self, input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        for byte in buffer {
            while self.pending.is_empty() {
                if self.is_damaged && count == 0 {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                if self.is_damaged || !self.next(input)? {
                    return Ok(count);
                }
            }
            *byte = self.pending.pop().unwrap_or_default();
            count += 1;
        }
        Ok(count)
    }

    /// Decodes a code; false at the end.
    fn next(&mut self, input: &mut impl Read) -> io::Result<bool> {
        // A code that is free next, and needs one bit more.
        let free = 256 + self.prefix.len();
        if free >= 1 << self.width && self.width < self.width_max {
            self.width += 1;
            self.group_at = self.group_end;
        }
        let Some(code) = self.code(input)? else {
            return Ok(false);
        };
        if code == CLEAR && self.has_clear {
            self.clear();
            return Ok(true);
        }
        let first = match self.previous {
            Some((_, first)) if usize::from(code) == free => {
                // The string of the code before, and its first byte once more.
                self.pending.push(first);
                self.string(self.previous.map_or(0, |(code, _)| code))
            }
            None if code > 255 => None,
            _ if usize::from(code) > free => None,
            _ => self.string(code),
        };
        let Some(first) = first else {
            self.pending.clear();
            self.is_damaged = true;
            return Ok(true);
        };
        if let Some((previous, _)) = self.previous
            && free < 1 << self.width_max
        {
            self.prefix.push(previous);
            self.suffix.push(first);
        }
        self.previous = Some((code, first));
        Ok(true)
    }

    /// Puts a code's string where it waits; gives its first byte.
    fn string(&mut self, mut code: u16) -> Option<u8> {
        loop {
            if let Ok(byte) = u8::try_from(code) {
                self.pending.push(byte);
                return Some(byte);
            }
            let at = usize::from(code - 256);
            self.pending.push(*self.suffix.get(at)?);
            // Each string is made of one with a smaller code, so this ends.
            code = *self.prefix.get(at).filter(|next| **next < code)?;
        }
    }

    /// The next code of the present width.
    fn code(&mut self, input: &mut impl Read) -> io::Result<Option<u16>> {
        let width = self.width as usize;
        if self.group_at + width > self.group_end {
            let mut filled = 0;
            while filled < width {
                let room = self.group.get_mut(filled..width).unwrap_or_default();
                match input.read(room)? {
                    0 => break,
                    count => filled += count,
                }
            }
            self.group_at = 0;
            self.group_end = filled * 8;
            if self.group_end < width {
                self.group_at = self.group_end;
                return Ok(None);
            }
        }
        let at = self.group_at;
        let byte = |at: usize| u32::from(self.group.get(at).copied().unwrap_or_default());
        let bits = byte(at / 8) | byte(at / 8 + 1) << 8 | byte(at / 8 + 2) << 16;
        self.group_at += width;
        let code = (bits >> (at % 8)) & ((1 << width) - 1);
        Ok(u16::try_from(code).ok())
    }
}
