//! bzip2, of one stream or of several one behind the other.

use super::Input;
use super::codec::{Codec, Decoder, Opened};
use bzip2::bufread::BzDecoder;
use std::io;

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
    Ok(Box::new(BzDecoder::new(input)))
}

impl<'a, 'b> Decoder<'a, 'b> for BzDecoder<&'a mut Input<'b>> {
    fn close(self: Box<Self>) -> &'a mut Input<'b> {
        self.into_inner()
    }
}
