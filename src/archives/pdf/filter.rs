//! Undoes the filters of a stream (7.4). Predictors are left alone: pictures and tables of references have them.

use super::Source;
use super::lzw::Lzw;
use flate2::bufread::ZlibDecoder;
use std::io::{self, BufRead, BufReader, Read};
use zeroize::Zeroizing;

/// How data were encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// zlib (RFC 1950).
    Flate,
    /// Pairs of hexadecimal digits to a `>`.
    Hexadecimal,
    /// Five characters for four bytes, to `~>`.
    Ascii85,
    /// LZW with codes of 9 to 12 bits.
    Lzw {
        /// Codes become longer one before they must.
        is_early: bool,
    },
    /// Runs of one byte.
    RunLength,
}

/// A source, read in order.
pub(super) struct SourceReader<'a> {
    source: &'a dyn Source,
    at: u64,
}

impl<'a> SourceReader<'a> {
    pub(super) const fn new(source: &'a dyn Source) -> Self {
        Self { source, at: 0 }
    }
}

impl Read for SourceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// What the data were before all of these were applied.
pub(super) fn open<'r>(codings: &[Coding], data: impl Read + 'r) -> Box<dyn Read + 'r> {
    let mut data: Box<dyn Read + 'r> = Box::new(data);
    for coding in codings {
        let inner = BufReader::new(data);
        data = match *coding {
            Coding::Flate => Box::new(Flate {
                stream: ZlibDecoder::new(inner),
                is_begun: false,
            }),
            Coding::Hexadecimal => Box::new(Digits::new(inner, hexadecimal)),
            Coding::Ascii85 => Box::new(Digits::new(inner, ascii85)),
            Coding::Lzw { is_early } => Box::new(Lzw::new(inner, is_early)),
            Coding::RunLength => Box::new(Digits::new(inner, run_length)),
        };
    }
    data
}

/// zlib; of no data, which some programs say are of this filter, comes nothing.
struct Flate<R> {
    stream: ZlibDecoder<R>,
    is_begun: bool,
}

impl<R: BufRead> Read for Flate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_begun && self.stream.get_mut().fill_buf()?.is_empty() {
            return Ok(0);
        }
        self.is_begun = true;
        self.stream.read(buffer)
    }
}

/// Bytes that are made a few at a time.
struct Digits<R> {
    input: R,
    step: fn(&mut dyn BufRead, &mut Vec<u8>) -> io::Result<bool>,
    made: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl<R: BufRead> Digits<R> {
    /// `step` appends what the next bytes of the input stand for; false at the end.
    fn new(input: R, step: fn(&mut dyn BufRead, &mut Vec<u8>) -> io::Result<bool>) -> Self {
        Self {
            input,
            step,
            made: Zeroizing::new(Vec::new()),
            at: 0,
            ended: false,
        }
    }
}

/// As much is made at once.
const MADE: usize = 16 << 10;

impl<R: BufRead> Read for Digits<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.made.len() {
            self.made.clear();
            self.at = 0;
            while !self.ended && self.made.len() < MADE {
                self.ended = !(self.step)(&mut self.input, &mut self.made)?;
            }
        }
        let mut ready = self.made.get(self.at..).unwrap_or_default();
        let count = ready.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

fn byte(input: &mut dyn BufRead) -> io::Result<Option<u8>> {
    let byte = input.fill_buf()?.first().copied();
    if byte.is_some() {
        input.consume(1);
    }
    Ok(byte)
}

/// The next byte that is no white space.
fn letter(input: &mut dyn BufRead) -> io::Result<Option<u8>> {
    loop {
        match byte(input)? {
            Some(space) if super::stream::is_space(space) => {}
            other => return Ok(other),
        }
    }
}

fn hexadecimal(input: &mut dyn BufRead, made: &mut Vec<u8>) -> io::Result<bool> {
    let digit = |byte: Option<u8>| match byte {
        None | Some(b'>') => Ok(None),
        Some(byte) => match char::from(byte).to_digit(16).map(u8::try_from) {
            Some(Ok(digit)) => Ok(Some(digit)),
            _ => Err(io::Error::from(io::ErrorKind::InvalidData)),
        },
    };
    let Some(high) = digit(letter(input)?)? else {
        return Ok(false);
    };
    let low = digit(letter(input)?)?;
    made.push(high << 4 | low.unwrap_or(0));
    Ok(low.is_some())
}

fn ascii85(input: &mut dyn BufRead, made: &mut Vec<u8>) -> io::Result<bool> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let mut value = 0u32;
    let mut count = 0;
    while count < 5 {
        match letter(input)? {
            Some(b'z') if count == 0 => {
                made.extend([0; 4]);
                return Ok(true);
            }
            Some(digit @ b'!'..=b'u') => {
                let next = value
                    .checked_mul(85)
                    .and_then(|v| v.checked_add(u32::from(digit - b'!')));
                value = next.ok_or_else(wrong)?;
                count += 1;
            }
            Some(b'~') | None => break,
            Some(_) => return Err(wrong()),
        }
    }
    if count == 5 {
        made.extend(value.to_be_bytes());
        return Ok(true);
    }
    // Of what is left over, n characters stand for n - 1 bytes, as if the rest were `u`.
    if count > 1 {
        for _ in count..5 {
            value = value.wrapping_mul(85).wrapping_add(84);
        }
        made.extend(value.to_be_bytes().iter().take(count - 1));
    }
    Ok(false)
}

fn run_length(input: &mut dyn BufRead, made: &mut Vec<u8>) -> io::Result<bool> {
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    match byte(input)? {
        None | Some(128) => return Ok(false),
        Some(length @ 0..=127) => {
            for _ in 0..=length {
                made.push(byte(input)?.ok_or_else(cut)?);
            }
        }
        Some(length) => {
            let repeated = byte(input)?.ok_or_else(cut)?;
            made.extend(std::iter::repeat_n(repeated, 257 - usize::from(length)));
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(codings: &[Coding], data: &[u8]) -> Result<Vec<u8>, io::ErrorKind> {
        let mut all = Vec::new();
        match open(codings, data).read_to_end(&mut all) {
            Ok(_) => Ok(all),
            Err(error) => Err(error.kind()),
        }
    }

    /// The examples of ISO 32000 and of Python's base64.a85encode.
    #[test]
    fn small_filters() {
        let wrong = Err(io::ErrorKind::InvalidData);
        assert_eq!(
            decoded(&[Coding::Hexadecimal], b"4b 65\n79 7>"),
            Ok(b"Keyp".to_vec())
        );
        assert_eq!(decoded(&[Coding::Hexadecimal], b"4x>"), wrong);
        assert_eq!(
            decoded(&[Coding::Ascii85], b"87cUR\nD]i,\"Ebo80z~>"),
            Ok(b"Hello World!\0\0\0\0".to_vec())
        );
        assert_eq!(
            decoded(&[Coding::Ascii85], b"87cURDZ~>"),
            Ok(b"Hello".to_vec())
        );
        assert_eq!(decoded(&[Coding::Ascii85], b"uuuuu~>"), wrong);
        assert_eq!(
            decoded(&[Coding::RunLength], b"\x02abc\xfed\x80x"),
            Ok(b"abcddd".to_vec())
        );
        assert_eq!(
            decoded(&[Coding::RunLength], b"\x02ab"),
            Err(io::ErrorKind::UnexpectedEof)
        );
        assert_eq!(
            decoded(&[Coding::Hexadecimal, Coding::RunLength], b"00 78 80>"),
            Ok(b"x".to_vec())
        );
        assert_eq!(decoded(&[], b"x"), Ok(b"x".to_vec()));
    }
}
