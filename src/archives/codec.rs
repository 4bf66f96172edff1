//! Compressed files: what all of them share.

use super::ahead::{self, Ahead};
use super::{Archive, Failure, Input, Members, Once};
use crate::model::Member;
use std::io::{self, Read};

/// A way to compress.
pub(super) struct Codec {
    /// The type of its member in records.
    pub(super) name: &'static str,
    /// Whether a stream begins with these bytes: at least the first [`LOOK_AHEAD`], or all there is.
    pub(super) begins: fn(&[u8]) -> bool,
    /// Starts to read a stream.
    pub(super) open: for<'a, 'b> fn(&'a mut Input<'b>) -> io::Result<Opened<'a, 'b>>,
}

/// As many bytes tell whether a further stream follows.
pub(super) const LOOK_AHEAD: usize = 4 << 10;

/// A decoder of one stream.
pub(super) type Opened<'a, 'b> = Box<dyn Decoder<'a, 'b> + 'a>;

/// Gives what one stream holds, and 0 at its end.
pub(super) trait Decoder<'a, 'b>: Read {
    /// Gives the input back, which stands behind the stream.
    fn close(self: Box<Self>) -> &'a mut Input<'b>;
}

impl Archive for Codec {
    fn name(&self) -> &'static str {
        self.name
    }

    fn begins(&self, start: &[u8]) -> bool {
        (self.begins)(start)
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        self.decompress(Member::named(self.name, b""), input, members)
    }
}

impl Codec {
    /// Hands over what all streams hold together.
    pub(super) fn decompress(
        &self,
        member: Member,
        input: &mut Input<'_>,
        members: &mut dyn Members,
    ) -> Result<(), Failure> {
        if !ahead::is_worth(input) {
            let mut stream = Streams::open(self, input).map_err(|e| self.failure(e))?;
            return self.hand_over(member, &mut stream, members);
        }
        std::thread::scope(|scope| match Ahead::start(self, input, scope) {
            Ok(mut stream) => {
                let outcome = self.hand_over(member, &mut stream, members);
                stream.stop();
                outcome
            }
            Err(input) => {
                let mut stream = Streams::open(self, input).map_err(|e| self.failure(e))?;
                self.hand_over(member, &mut stream, members)
            }
        })
    }

    fn hand_over(
        &self,
        member: Member,
        stream: &mut dyn Read,
        members: &mut dyn Members,
    ) -> Result<(), Failure> {
        let content = Once::new(stream);
        members.member(member, &content)?;
        content.finish().map_err(|error| self.failure(error))
    }

    fn failure(&self, error: io::Error) -> Failure {
        Failure::reading(self.name, error)
    }
}

/// All streams that follow one another, as one; it ends where nothing that could be a further one follows.
pub(super) struct Streams<'c, 'a, 'b> {
    codec: &'c Codec,
    decoder: Option<Opened<'a, 'b>>,
}

impl<'c, 'a, 'b> Streams<'c, 'a, 'b> {
    pub(super) fn open(codec: &'c Codec, input: &'a mut Input<'b>) -> io::Result<Self> {
        let decoder = Some((codec.open)(input)?);
        Ok(Self { codec, decoder })
    }
}

impl<'a, 'b: 'a> Read for Streams<'_, 'a, 'b> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(decoder) = self.decoder.take() else {
                break;
            };
            let input: &'a mut Input<'b> = decoder.close();
            if continues(input, self.codec.begins)? {
                self.decoder = Some((self.codec.open)(input)?);
            }
        }
        Ok(0)
    }
}

/// Whether a further stream follows, behind zeros or at once.
pub(super) fn continues(input: &mut Input<'_>, begins: fn(&[u8]) -> bool) -> io::Result<bool> {
    // Tapes are padded with zeros, and xz does it too.
    input.skip_zeros()?;
    Ok(begins(input.peek(LOOK_AHEAD)?))
}
