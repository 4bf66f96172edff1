//! LZW as TIFF and PDF have it (ISO 32000-2, 7.4.4): codes of 9 to 12 bits, the highest bit first.
//!
//! compress has the same idea with the bits in the other order and other rules for their number.

use std::io::{self, BufRead, Read};
use zeroize::Zeroizing;

/// Begins a new table; ends the data.
const CLEAR: u16 = 256;
const END: u16 = 257;
const TABLE: usize = 4096;

/// Decodes one stream.
pub(super) struct Lzw<R> {
    input: R,
    /// Bits that were read and not used, the lowest ones of it.
    bits: u32,
    count: u32,
    width: u32,
    /// 1 if codes become longer one before they must.
    early: usize,
    /// Each entry is another one and a byte behind it.
    entries: Vec<(u16, u8)>,
    previous: Option<u16>,
    made: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl<R: BufRead> Lzw<R> {
    pub(super) fn new(input: R, is_early: bool) -> Self {
        Self {
            input,
            bits: 0,
            count: 0,
            width: 9,
            early: is_early.into(),
            entries: Vec::new(),
            previous: None,
            made: Zeroizing::new(Vec::new()),
            at: 0,
            ended: false,
        }
    }

    /// The next code; none at the end of the input.
    fn code(&mut self) -> io::Result<Option<u16>> {
        while self.count < self.width {
            let Some(byte) = self.input.fill_buf()?.first().copied() else {
                return Ok(None);
            };
            self.input.consume(1);
            self.bits = self.bits << 8 | u32::from(byte);
            self.count += 8;
        }
        self.count -= self.width;
        let code = self.bits >> self.count & ((1 << self.width) - 1);
        Ok(u16::try_from(code).ok())
    }

    /// Appends what a code stands for; gives its first byte.
    fn spell(&mut self, mut code: u16) -> Option<u8> {
        let start = self.made.len();
        // Each entry refers to one before it, so that this ends.
        while code > END {
            let (before, last) = *self.entries.get(usize::from(code - END - 1))?;
            self.made.push(last);
            code = before;
        }
        let first = u8::try_from(code).ok()?;
        self.made.push(first);
        self.made.get_mut(start..)?.reverse();
        Some(first)
    }

    fn step(&mut self) -> io::Result<()> {
        let wrong = || io::Error::from(io::ErrorKind::InvalidData);
        let code = match self.code()? {
            // Some writers leave the end out.
            None | Some(END) => {
                self.ended = true;
                return Ok(());
            }
            Some(CLEAR) => {
                self.entries.clear();
                self.previous = None;
                self.width = 9;
                return Ok(());
            }
            Some(code) => code,
        };
        let next = usize::from(END) + 1 + self.entries.len();
        if let Some(previous) = self.previous {
            // The code that is being made right now is the last one and its own first byte.
            let is_new = usize::from(code) == next;
            let start = self.made.len();
            let first = self.spell(if is_new { previous } else { code });
            let first = first.ok_or_else(wrong)?;
            debug_assert!(start < self.made.len());
            if is_new {
                self.made.push(first);
            }
            if next < TABLE {
                self.entries.push((previous, first));
            }
        } else {
            self.spell(code).ok_or_else(wrong)?;
        }
        self.previous = Some(code);
        let next = usize::from(END) + 1 + self.entries.len() + self.early;
        self.width = match next {
            ..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        Ok(())
    }
}

impl<R: BufRead> Read for Lzw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.made.len() {
            self.made.clear();
            self.at = 0;
            while !self.ended && self.made.len() < TABLE {
                self.step()?;
            }
        }
        let mut ready = self.made.get(self.at..).unwrap_or_default();
        let count = ready.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(data: &[u8]) -> Result<Vec<u8>, io::ErrorKind> {
        let mut all = Vec::new();
        match Lzw::new(data, true).read_to_end(&mut all) {
            Ok(_) => Ok(all),
            Err(error) => Err(error.kind()),
        }
    }

    /// The example of ISO 32000-2, 7.4.4.2.
    #[test]
    fn the_example_of_the_standard() {
        let data = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        let expected = [45, 45, 45, 45, 45, 65, 45, 45, 45, 66];
        assert_eq!(decoded(&data), Ok(expected.to_vec()));
        // Without its end.
        assert!(decoded(&data[..7]).is_ok());
    }

    #[test]
    fn a_code_that_is_not_there_yet_is_damage() {
        assert_eq!(
            decoded(&[0xff, 0xff, 0xff]),
            Err(io::ErrorKind::InvalidData)
        );
    }
}
