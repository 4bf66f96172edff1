//! lzma alone: the older format of LZMA Utils ("The .lzma File Format" of XZ Utils). It has no magic number.

use super::Input;
use super::codec::{Codec, Decoder, LOOK_AHEAD, Opened};
use super::held::Held;
use super::xz::{BESIDE, damage};
use lzma_rust2::{Action, LzmaReader, LzmaStream};
use std::io::{self, Read};

/// The archive.
pub(super) static LZMA: Codec = Codec {
    name: "lzma",
    begins,
    open,
};

/// Size of the header, and of what the range coder begins with.
const HEADER: usize = 13;
const CODER: usize = 5;
/// Larger files than 256 GiB are not told in a header.
const SIZE_MAX: u64 = 1 << 38;

/// Whether the header is one that encoders write, and what follows is decoded without a fault.
fn begins(start: &[u8]) -> bool {
    let header = start.split_first_chunk::<HEADER>();
    let Some(([properties, d0, d1, d2, d3, size @ ..], data)) = header else {
        return false;
    };
    let dictionary = u32::from_le_bytes([*d0, *d1, *d2, *d3]);
    let size = u64::from_le_bytes(*size);
    let likely = *properties < 9 * 5 * 5
        && is_dictionary(dictionary)
        && (size == u64::MAX || size < SIZE_MAX)
        && data.len() > CODER
        // The range coder's first byte is always zero.
        && data.first() == Some(&0);
    likely && decodes(start.get(..LOOK_AHEAD).unwrap_or(start))
}

/// Encoders write 2^n, or 2^n + 2^(n-1), of at least 4 KiB.
fn is_dictionary(size: u32) -> bool {
    size >= 4 << 10
        && (size.is_power_of_two() || (size / 3 * 3 == size && (size / 3).is_power_of_two()))
}

fn decodes(start: &[u8]) -> bool {
    // No memory is taken for the window before there are bytes to fill it.
    let mut decoder = LzmaStream::new_mem_limit(u32::MAX, None);
    let mut output = [0; 16 << 10];
    let decoded = decoder.process(start, &mut output, Action::Run);
    decoded.is_ok_and(|decoded| decoded.bytes_produced > 0)
}

fn open<'a, 'b>(input: &'a mut Input<'b>) -> io::Result<Opened<'a, 'b>> {
    let header = input.peek(HEADER)?;
    let dictionary = header.get(1..5).and_then(|bytes| bytes.first_chunk());
    let dictionary = dictionary.map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let held = Held::for_decoder(u64::from(dictionary))?;
    let memory = (dictionary >> 10) + BESIDE;
    let mut decoder = LzmaReader::new_mem_limit(input, memory, None)?;
    // What stands before damage is wanted.
    decoder.set_defer_errors(true);
    Ok(Box::new(Lzma {
        decoder,
        _held: held,
    }))
}

struct Lzma<'a, 'b> {
    decoder: LzmaReader<&'a mut Input<'b>>,
    _held: Held,
}

impl Read for Lzma<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(damage)
    }
}

impl<'a, 'b> Decoder<'a, 'b> for Lzma<'a, 'b> {
    fn close(self: Box<Self>) -> &'a mut Input<'b> {
        let (input, unused) = self.decoder.into_parts();
        input.unread(&unused);
        input
    }
}
