//! gzip (RFC 1952), of one member or of several one behind the other.

use super::codec::{Codec, Decoder, Opened};
use super::{Archive, Failure, Input, Members};
use crate::model::Member;
use flate2::bufread::GzDecoder;
use std::io;

/// The archive.
pub(super) struct Gzip;

/// ID1, ID2 and CM: deflate. The upper three flags are reserved and must be zero.
const MAGIC: &[u8] = &[0x1f, 0x8b, 8];

static CODEC: Codec = Codec {
    name: "gzip",
    begins,
    open,
};

fn begins(start: &[u8]) -> bool {
    start.starts_with(MAGIC) && start.get(3).is_some_and(|flags| flags & 0xe0 == 0)
}

fn open<'a, 'b>(input: &'a mut Input<'b>) -> io::Result<Opened<'a, 'b>> {
    Ok(Box::new(GzDecoder::new(input)))
}

impl<'a, 'b> Decoder<'a, 'b> for GzDecoder<&'a mut Input<'b>> {
    fn close(self: Box<Self>) -> &'a mut Input<'b> {
        self.into_inner()
    }
}

impl Archive for Gzip {
    fn name(&self) -> &'static str {
        CODEC.name
    }

    fn begins(&self, start: &[u8]) -> bool {
        begins(start)
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let start = GzDecoder::new(input.peek(MAGIC.len())?);
        let header = start.header();
        let name = header.and_then(|header| header.filename());
        let member = Member::named(CODEC.name, name.unwrap_or_default());
        CODEC.decompress(member, input, members)
    }
}
