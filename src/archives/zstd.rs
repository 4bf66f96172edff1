//! Zstandard (RFC 8878), of frames and skippable frames one behind the other.

use super::Input;
use super::codec::{Codec, Decoder, Opened, continues};
use super::held::{Held, WINDOW_MAX};
use std::io::{self, BufRead as _, Read};
use zstd::stream::raw::{DParameter, Decoder as Context, Operation as _};

/// The archive.
pub(super) static ZSTD: Codec = Codec {
    name: "zstd",
    begins,
    open,
};

const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The smallest part of a header that tells how large it is.
const HEADER_MIN: usize = 5;
/// The longest header.
const HEADER_MAX: usize = 18;

/// Whether a frame begins here, or skippable frames do, and then one.
fn begins(start: &[u8]) -> bool {
    behind_skippable(start).starts_with(MAGIC)
}

/// What stands behind skippable frames (section 3.1.2), which LZ4 has too.
pub(super) fn behind_skippable(mut start: &[u8]) -> &[u8] {
    while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, rest @ ..] = start {
        let size = u32::from_le_bytes([*a, *b, *c, *d]);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        start = rest.get(size..).unwrap_or_default();
    }
    start
}

fn open<'a, 'b>(input: &'a mut Input<'b>) -> io::Result<Opened<'a, 'b>> {
    let mut context = Context::new()?;
    context.set_parameter(DParameter::WindowLogMax(WINDOW_MAX.ilog2()))?;
    Ok(Box::new(Zstd {
        input,
        context,
        held: None,
        wanted: 0,
        at_end: false,
    }))
}

/// All frames, with one context: a frame can be so small that a new one would cost far more.
struct Zstd<'a, 'b> {
    input: &'a mut Input<'b>,
    context: Context<'static>,
    /// The largest window so far, which the context keeps.
    held: Option<(u64, Held)>,
    /// How much the decoder asks for: the rest of a block and the next one's header. 0 between frames.
    wanted: usize,
    at_end: bool,
}

impl Read for Zstd<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.at_end {
            if self.wanted == 0 {
                let window = window_of(self.input.peek(HEADER_MAX)?)?;
                if self.held.as_ref().is_none_or(|(most, _)| window > *most) {
                    self.held = None;
                    self.held = Some((window, Held::for_decoder(window)?));
                }
                self.wanted = HEADER_MIN;
            }
            let input = self.input.fill_buf()?;
            if input.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // Not more, so that what was decoded before a damaged block is had.
            let input = input.get(..self.wanted).unwrap_or(input);
            let step = self
                .context
                .run_on_buffers(input, buffer)
                .map_err(|_| io::ErrorKind::InvalidData)?;
            self.input.consume(step.bytes_read);
            self.wanted = step.remaining;
            if self.wanted == 0 {
                self.at_end = !continues(self.input, begins)?;
            } else if step.bytes_read == 0 && step.bytes_written == 0 && !buffer.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if step.bytes_written > 0 || buffer.is_empty() {
                return Ok(step.bytes_written);
            }
        }
        Ok(0)
    }
}

impl<'a, 'b> Decoder<'a, 'b> for Zstd<'a, 'b> {
    fn close(self: Box<Self>) -> &'a mut Input<'b> {
        self.input
    }
}

/// The window of a frame with this header (section 3.1.1.1), in bytes, if it needs no dictionary.
fn window_of(header: &[u8]) -> io::Result<u64> {
    let Some([descriptor, fields @ ..]) = header.strip_prefix(MAGIC) else {
        return Ok(0);
    };
    let is_single = descriptor & 0x20 != 0;
    let dictionary = match descriptor & 3 {
        3 => 4,
        size => usize::from(size),
    };
    let (window, fields) = match (is_single, fields) {
        (false, [window, fields @ ..]) => {
            let base = 1u64 << (10 + (window >> 3));
            (base + base / 8 * u64::from(window & 7), fields)
        }
        (false, []) => return Ok(0),
        (true, fields) => {
            let size = fields.get(dictionary..).unwrap_or_default();
            let size = size.get(..1 << (descriptor >> 6)).unwrap_or_default();
            // Two bytes count from 256 on, which is no matter here.
            let value = size.iter().rev();
            (
                value.fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
                fields,
            )
        }
    };
    let id = fields.get(..dictionary).unwrap_or_default();
    if id.iter().any(|byte| *byte != 0) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(window)
}
