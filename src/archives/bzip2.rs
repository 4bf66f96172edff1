//! bzip2, of one stream or of several one behind the other.

use super::Input;
use super::codec::{Codec, Decoder, Opened};
use bzip2::{Decompress, Status};
use std::io::{self, BufRead as _, Read};

/// The archive.
pub(super) static BZIP2: Codec = Codec {
    name: "bzip2",
    begins,
    open,
};

/// What a block begins with, and the end of a stream that has none: digits of pi and of its square root.
const BLOCKS: [&[u8]; 2] = [
    &[0x31, 0x41, 0x59, 0x26, 0x53, 0x59],
    &[0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
];

fn begins(start: &[u8]) -> bool {
    // The digit is the size of a block in units of 100,000 bytes.
    let Some((digit, block)) = start.strip_prefix(b"BZh").and_then(<[u8]>::split_first) else {
        return false;
    };
    matches!(digit, b'1'..=b'9') && BLOCKS.iter().any(|magic| block.starts_with(magic))
}

fn open<'a, 'b>(input: &'a mut Input<'b>) -> io::Result<Opened<'a, 'b>> {
    Ok(Box::new(Bzip2 {
        input,
        stream: Decompress::new(false),
        ended: None,
    }))
}

/// The crate's own reader loses what was decoded in the step that met the damage.
struct Bzip2<'a, 'b> {
    input: &'a mut Input<'b>,
    stream: Decompress,
    /// Set at the end, and where the data are damaged.
    ended: Option<Result<(), io::ErrorKind>>,
}

impl Read for Bzip2<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ended.is_none() {
            let input = self.input.fill_buf()?;
            let at_end = input.is_empty();
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let outcome = self.stream.decompress(input, buffer);
            let taken = usize::try_from(self.stream.total_in() - taken).unwrap_or(0);
            let given = usize::try_from(self.stream.total_out() - given).unwrap_or(0);
            self.input.consume(taken);
            self.ended = match outcome {
                Ok(Status::StreamEnd) => Some(Ok(())),
                Ok(Status::MemNeeded) => Some(Err(io::ErrorKind::OutOfMemory)),
                Ok(_) if at_end && given == 0 => Some(Err(io::ErrorKind::UnexpectedEof)),
                Ok(_) => None,
                Err(_) => Some(Err(io::ErrorKind::InvalidData)),
            };
            if given > 0 || buffer.is_empty() {
                return Ok(given);
            }
        }
        match self.ended {
            Some(Err(kind)) => Err(kind.into()),
            _ => Ok(0),
        }
    }
}

impl<'a, 'b> Decoder<'a, 'b> for Bzip2<'a, 'b> {
    fn close(self: Box<Self>) -> &'a mut Input<'b> {
        self.input
    }
}
