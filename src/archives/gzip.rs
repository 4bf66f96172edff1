//! gzip (RFC 1952), of one member or of several one behind the other.

use super::{Archive, Failure, Input, Members, Once};
use crate::model::Member;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead as _, Read};

/// The archive.
pub(super) struct Gzip;

/// ID1, ID2 and CM: deflate. The upper three flags are reserved and must be zero.
const MAGIC: &[u8] = &[0x1f, 0x8b, 8];

impl Archive for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn begins(&self, start: &[u8]) -> bool {
        start.starts_with(MAGIC) && start.get(3).is_some_and(|flags| flags & 0xe0 == 0)
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let decoder = GzDecoder::new(input);
        let header = decoder.header();
        let name = header.and_then(|header| header.filename());
        let member = Member::named(self.name(), name.unwrap_or_default());
        let mut stream = Stream {
            decoder: Some(decoder),
        };
        let content = Once::new(&mut stream);
        members.member(member, &content)?;
        Ok(content.finish()?)
    }
}

/// All members as one stream, which ends where nothing that could be a further member follows.
struct Stream<'a, 'b> {
    decoder: Option<GzDecoder<&'a mut Input<'b>>>,
}

impl Read for Stream<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(input) = self.decoder.take().map(GzDecoder::into_inner) else {
                break;
            };
            // Tapes are padded with zeros.
            while let zeros @ 1.. = leading_zeros(input.fill_buf()?) {
                input.consume(zeros);
            }
            if input.peek(MAGIC.len())?.starts_with(MAGIC) {
                self.decoder = Some(GzDecoder::new(input));
            }
        }
        Ok(0)
    }
}

fn leading_zeros(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == 0).count()
}
