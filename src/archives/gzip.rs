//! gzip (RFC 1952), of one member or of several one behind the other.

use super::codec::{Codec, Decoder, LOOK_AHEAD, Opened};
use super::{Archive, Failure, Input, Members};
use crate::model::Member;
use flate2::bufread::GzDecoder;
use std::io::{self, Read as _};

/// The archive.
pub(super) struct Gzip;

/// The part of the header that every member has: ID1, ID2, CM (deflate), flags, of which the upper three are reserved and zero,
/// the time, XFL and OS.
const HEADER: usize = 10;

static CODEC: Codec = Codec {
    name: "gzip",
    begins,
    open,
};

fn begins(start: &[u8]) -> bool {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, effort, system, ..] = start else {
        return false;
    };
    flags & 0xe0 == 0 && (is_usual(*effort, *system) || decodes(start))
}

/// Whether XFL and OS are what compressors write (section 2.3.1). Those three bytes are a weak magic number.
const fn is_usual(effort: u8, system: u8) -> bool {
    matches!(effort, 0 | 2 | 4) && matches!(system, 0..=19 | 255)
}

fn decodes(start: &[u8]) -> bool {
    let start = start.get(..LOOK_AHEAD).unwrap_or(start);
    let mut some = [0; 64];
    let decoded = GzDecoder::new(start).read(&mut some);
    decoded.is_ok_and(|count| count > 0)
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
        let start = GzDecoder::new(input.peek(HEADER)?);
        let header = start.header();
        let name = header.and_then(|header| header.filename());
        let member = Member::named(CODEC.name, name.unwrap_or_default());
        CODEC.decompress(member, input, members)
    }
}
