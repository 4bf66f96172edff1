//! Compression methods that archives name: each as a stream of what was packed, with a bounded window.

use super::fault::Failure;
use super::held::Held;
use bzip2::bufread::BzDecoder;
use deflate64::Deflate64Decoder;
use flate2::bufread::DeflateDecoder;
use lzma_rust2::{Lzma2Reader, LzmaReader, XzReader};
use std::io::{self, BufRead, Read};

/// What a method gives, or why it does not.
pub(super) type Unpacked<'r> = Result<Box<dyn Read + 'r>, Failure>;

/// Deflate (RFC 1951).
pub(super) fn deflate<'r>(packed: impl BufRead + 'r) -> Box<dyn Read + 'r> {
    Box::new(DeflateDecoder::new(packed))
}

/// Deflate with a window of 64 KiB, as PKWARE's APPNOTE names it in 4.4.5.
pub(super) fn deflate64<'r>(packed: impl BufRead + 'r) -> Box<dyn Read + 'r> {
    Box::new(Deflate64Decoder::with_buffer(packed))
}

/// bzip2, one stream.
pub(super) fn bzip2<'r>(packed: impl BufRead + 'r) -> Box<dyn Read + 'r> {
    Box::new(BzDecoder::new(packed))
}

/// LZMA without a head. `properties` are one byte and the size of the window; `size` is `u64::MAX` if an end mark tells the end.
///
/// # Errors
/// Properties that are none, or a window that is too large.
pub(super) fn lzma<'r>(packed: impl Read + 'r, properties: &[u8], size: u64) -> Unpacked<'r> {
    let (Some(first), Some(window)) = (properties.first(), properties.get(1..5)) else {
        return Err(Failure::malformed("LZMA: properties are lacking"));
    };
    let window = window.first_chunk().map_or(0, |w| u32::from_le_bytes(*w));
    // The decoder takes no larger window than what it is to unpack.
    let held = Held::window(u64::from(window).min(size))?;
    let decoder = LzmaReader::new_with_props(packed, size, *first, window, None)?;
    Ok(with(held, decoder))
}

/// LZMA2. `properties` are one byte: the size of the window, as xz's format says in 5.3.1. `size` is what comes out.
///
/// # Errors
/// Properties that are none, or a window that is too large.
pub(super) fn lzma2<'r>(packed: impl Read + 'r, properties: &[u8], size: u64) -> Unpacked<'r> {
    let bits = match properties {
        [bits @ 0..=39] => u32::from(*bits),
        _ => return Err(Failure::malformed("LZMA2: properties are none")),
    };
    let window = (2 | (bits & 1)) << (bits / 2 + 11);
    // A larger window than its content is never looked back into.
    let window = u64::from(window).min(size.max(4096));
    let held = Held::window(window)?;
    let window = u32::try_from(window).unwrap_or(u32::MAX);
    Ok(with(held, Lzma2Reader::new(packed, window, None)))
}

/// xz, one stream.
pub(super) fn xz<'r>(packed: impl Read + 'r) -> Box<dyn Read + 'r> {
    let (held, window) = Held::largest_window();
    // What the decoder needs beside the window.
    let memory = u32::try_from(window >> 10).unwrap_or(0) + 1024;
    with(held, XzReader::new_mem_limit(packed, false, memory))
}

/// Zstandard (RFC 8878), one frame.
///
/// # Errors
/// What the library says.
pub(super) fn zstd<'r>(packed: impl BufRead + 'r) -> Unpacked<'r> {
    let (held, window) = Held::largest_window();
    let mut decoder = zstd::Decoder::with_buffer(packed)?.single_frame();
    decoder.window_log_max(window.max(1 << 10).ilog2())?;
    Ok(with(held, decoder))
}

/// A decoder with the memory that it takes.
struct Holding<R> {
    decoder: R,
    _held: Held,
}

fn with<'r>(held: Held, decoder: impl Read + 'r) -> Box<dyn Read + 'r> {
    Box::new(Holding {
        decoder,
        _held: held,
    })
}

impl<R: Read> Read for Holding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer)
    }
}
