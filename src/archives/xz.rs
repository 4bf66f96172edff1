//! xz ("The .xz File Format", version 1.2.1), of one stream or of several one behind the other.

use super::Input;
use super::codec::{Codec, Decoder, Opened};
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
/// The largest window (64 MiB) with what the decoder needs beside it, in KiB.
pub(super) const MEMORY_MAX: u32 = (64 << 10) + 1024;

fn begins(start: &[u8]) -> bool {
    // The first byte of the flags is reserved, and the upper half of the second.
    let flags = start.strip_prefix(b"\xfd7zXZ\0");
    flags.is_some_and(|flags| matches!(flags, [0, 0..=15, ..]))
}

fn open<'a, 'b>(input: &'a mut Input<'b>) -> io::Result<Opened<'a, 'b>> {
    Ok(Box::new(Xz(XzReader::new_mem_limit(
        input, false, MEMORY_MAX,
    ))))
}

struct Xz<'a, 'b>(XzReader<&'a mut Input<'b>>);

impl Read for Xz<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(STEP);
        let target = buffer.get_mut(..most).unwrap_or_default();
        self.0.read(target).map_err(damage)
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
        self.0.into_inner()
    }
}
