//! xz ("The .xz File Format", version 1.2.1), of one stream or of several one behind the other.

use super::Input;
use super::codec::{Codec, Decoder, Opened};
use super::held::{Held, WINDOW_MAX};
use lzma_rust2::XzReader;
use std::io::{self, Read};

/// The archive.
pub(super) static XZ: Codec = Codec {
    name: "xz",
    begins,
    open,
};

/// Decoded at once: what stands before damage is lost if it was decoded in the same step.
const STEP: usize = 8 << 10;
/// What the decoder needs beside the window, in KiB.
pub(super) const BESIDE: u32 = 1024;
/// The header of a stream, and behind it the first block's at its longest.
const HEADERS: usize = 12 + 1024;
/// The filter that has the window: LZMA2.
const LZMA2: u8 = 0x21;

fn begins(start: &[u8]) -> bool {
    // The first byte of the flags is reserved, and the upper half of the second.
    let flags = start.strip_prefix(b"\xfd7zXZ\0");
    flags.is_some_and(|flags| matches!(flags, [0, 0..=15, ..]))
}

fn open<'a, 'b>(input: &'a mut Input<'b>) -> io::Result<Opened<'a, 'b>> {
    let window = window_of(input.peek(HEADERS)?);
    // A header that is not understood is the decoder's to refuse.
    let window = window.unwrap_or(WINDOW_MAX as u64);
    let held = Held::for_decoder(window)?;
    // No block of the stream may need more than the first one said; encoders give all the same.
    let memory = u32::try_from(window >> 10).unwrap_or(u32::MAX - BESIDE) + BESIDE;
    Ok(Box::new(Xz {
        decoder: XzReader::new_mem_limit(input, false, memory),
        _held: held,
    }))
}

/// The window of the first block, in bytes (sections 3.1 and 5.3.1); none if there is no block, or it says nothing that is known.
fn window_of(start: &[u8]) -> Option<u64> {
    let block = start.get(12..)?;
    let size = usize::from(*block.first()?) * 4 + 4;
    let flags = *block.get(1)?;
    let mut at = 2;
    // The sizes of the block, where they are told.
    for told in [0x40, 0x80] {
        if flags & told != 0 {
            at += number(block.get(at..)?)?.1;
        }
    }
    for _ in 0..=flags & 3 {
        let (filter, length) = number(block.get(at..size)?)?;
        at += length;
        let (count, length) = number(block.get(at..size)?)?;
        at += length;
        let count = usize::try_from(count).ok()?;
        let properties = block.get(at..at.checked_add(count)?)?;
        if filter == u64::from(LZMA2) {
            let [bits @ 0..=39] = properties else {
                return None;
            };
            return Some((2 | u64::from(bits & 1)) << (bits / 2 + 11));
        }
        at += count;
    }
    None
}

/// A number of at most nine bytes with seven bits each (section 1.2), and how many they are.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let length = bytes.iter().take(9).position(|byte| byte & 0x80 == 0)? + 1;
    let digits = bytes.get(..length)?.iter().rev();
    let value = digits.fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
    Some((value, length))
}

struct Xz<'a, 'b> {
    decoder: XzReader<&'a mut Input<'b>>,
    _held: Held,
}

impl Read for Xz<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(STEP);
        let target = buffer.get_mut(..most).unwrap_or_default();
        self.decoder.read(target).map_err(damage)
    }
}

/// Some of the library's errors for wrong data are of no kind; those of the system have a number.
pub(super) fn damage(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Other if error.raw_os_error().is_none() => {
            io::Error::new(io::ErrorKind::InvalidData, error)
        }
        _ => error,
    }
}

impl<'a, 'b> Decoder<'a, 'b> for Xz<'a, 'b> {
    fn close(self: Box<Self>) -> &'a mut Input<'b> {
        self.decoder.into_inner()
    }
}
