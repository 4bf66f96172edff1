//! Inflating one object after the other, with one decoder and one buffer.

use super::super::{Failure, Source};
use super::Meter;
use super::entry::Entry;
use flate2::{Decompress, FlushDecompress, Status};
use std::io::{self, Read};
use zeroize::Zeroizing;

/// How much is read at once.
const STEP: usize = 32 << 10;

/// A decoder with its buffer: one for each thread.
pub struct Inflater {
    decoder: Decompress,
    buffer: Zeroizing<Vec<u8>>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self {
            decoder: Decompress::new(true),
            buffer: Zeroizing::new(vec![0; STEP]),
        }
    }
}

impl Inflater {
    /// The `size` bytes that are compressed from this place on.
    ///
    /// # Errors
    /// A limit, that there are more or fewer, or that they are damaged.
    pub(super) fn inflate(
        &mut self,
        source: &dyn Source,
        mut place: u64,
        size: u64,
        meter: &Meter<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        meter.take(size)?;
        self.decoder.reset(true);
        let wrong = || Failure::malformed("git: an object that is not as large as it says");
        let size = usize::try_from(size).map_err(|_| wrong())?;
        let mut bytes = Zeroizing::new(vec![0; size]);
        let mut filled = 0;
        // What is small is read in a small piece; compressed it is hardly longer.
        let mut step = (size + 64).min(STEP);
        let (mut start, mut end) = (0, 0);
        loop {
            if start == end {
                let target = self.buffer.get_mut(..step).unwrap_or_default();
                start = 0;
                end = source.read_at(target, place)?;
                if end == 0 {
                    return Err(Failure::truncated("git: an object that is cut off"));
                }
                place += end as u64;
                step = STEP;
            }
            let input = self.buffer.get(start..end).unwrap_or_default();
            let (read, made) = (self.decoder.total_in(), self.decoder.total_out());
            // The checksum behind the last byte is looked at even if nothing more is to be made.
            let mut more = [0; 1];
            let output = match bytes.get_mut(filled..) {
                Some(rest) if !rest.is_empty() => rest,
                _ => &mut more[..],
            };
            let status = self
                .decoder
                .decompress(input, output, FlushDecompress::None)
                .map_err(|_| {
                    Failure::malformed("git: an object whose compressed bytes are damaged")
                })?;
            let read = usize::try_from(self.decoder.total_in() - read).unwrap_or(0);
            let made = usize::try_from(self.decoder.total_out() - made).unwrap_or(0);
            start += read;
            if filled == size && made > 0 {
                return Err(wrong());
            }
            filled += made;
            match status {
                Status::StreamEnd if filled == size => return Ok(bytes),
                Status::StreamEnd => return Err(wrong()),
                _ if read == 0 && made == 0 && start < end => return Err(wrong()),
                _ => {}
            }
        }
    }
}

/// Goes through compressed bytes, to learn where they end.
pub(super) struct Gauge {
    decoder: Decompress,
    input: Zeroizing<Vec<u8>>,
    output: Zeroizing<Vec<u8>>,
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            decoder: Decompress::new(true),
            input: Zeroizing::new(vec![0; STEP]),
            output: Zeroizing::new(vec![0; STEP]),
        }
    }
}

impl Gauge {
    /// Where the compressed bytes of an object end; what comes out of them is given piece by piece.
    ///
    /// # Errors
    /// A limit, that there are more or fewer than the object says, or that they are damaged.
    pub(super) fn measure(
        &mut self,
        source: &dyn Source,
        entry: &Entry,
        meter: &Meter<'_>,
        mut piece: impl FnMut(&[u8]),
    ) -> Result<u64, Failure> {
        let wrong = || Failure::malformed("git: an object that is not as large as it says");
        let Self {
            decoder,
            input,
            output,
        } = self;
        decoder.reset(true);
        meter.take(0)?;
        let mut step = usize::try_from(entry.size.saturating_add(64)).unwrap_or(STEP);
        loop {
            let target = input.get_mut(..step.min(STEP)).unwrap_or_default();
            step = STEP;
            let place = entry.data.saturating_add(decoder.total_in());
            let count = source.read_at(target, place)?;
            let mut fed = target.get(..count).unwrap_or_default();
            if fed.is_empty() {
                return Err(Failure::truncated("git: an object that is cut off"));
            }
            // What was fed may give more than there is room for at once.
            loop {
                let (read, made) = (decoder.total_in(), decoder.total_out());
                let status = decoder
                    .decompress(fed, output, FlushDecompress::None)
                    .map_err(|_| {
                        Failure::malformed("git: an object whose compressed bytes are damaged")
                    })?;
                let read = usize::try_from(decoder.total_in() - read).unwrap_or(0);
                let made = usize::try_from(decoder.total_out() - made).unwrap_or(0);
                meter.take(made as u64)?;
                if decoder.total_out() > entry.size {
                    return Err(wrong());
                }
                piece(output.get(..made).unwrap_or_default());
                fed = fed.get(read..).unwrap_or_default();
                if status == Status::StreamEnd {
                    let is_whole = decoder.total_out() == entry.size;
                    let end = entry.data.saturating_add(decoder.total_in());
                    return is_whole.then_some(end).ok_or_else(wrong);
                }
                if read == 0 && made == 0 {
                    if fed.is_empty() {
                        break;
                    }
                    return Err(wrong());
                }
            }
        }
    }
}

/// The bytes of a source from a place on, in order.
pub(super) struct Onward<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) place: u64,
}

impl Read for Onward<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(buffer, self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}

/// A stream that is as long as it says, or ends with an error.
pub(super) struct Exactly<'m, R> {
    pub(super) stream: R,
    pub(super) left: u64,
    pub(super) meter: &'m Meter<'m>,
}

impl<R: Read> Read for Exactly<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.stream.read(buffer)?;
        self.left = match self.left.checked_sub(count as u64) {
            Some(left) if count > 0 || left == 0 => left,
            Some(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
            None => return Err(io::ErrorKind::InvalidData.into()),
        };
        // What limit was reached is told by the meter to whoever asks next.
        self.meter
            .take(count as u64)
            .map_err(|_| io::Error::from(io::ErrorKind::QuotaExceeded))?;
        Ok(count)
    }
}
