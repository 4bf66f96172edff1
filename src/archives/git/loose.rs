//! Objects that have a file of their own: `kind SP size NUL content`, compressed.

use super::super::{Failure, Once, Slice, Source};
use super::inflate::{Exactly, Onward};
use super::{Kind, Meter};
use flate2::bufread::ZlibDecoder;
use std::io::{BufReader, Read};

/// The longest header: a word, a blank, 20 digits and a zero byte.
pub(super) const HEADER_MAX: usize = 6 + 1 + 20 + 1;

/// Reads an object from its file; `take` is given its kind, its size and its content, a stream.
///
/// # Errors
/// [`Failure::NotMine`] if the file does not begin as an object does, else what is wrong with it.
pub fn loose<T>(
    source: &dyn Source,
    meter: &Meter<'_>,
    take: impl FnOnce(Kind, u64, &dyn Source) -> Result<T, Failure>,
) -> Result<T, Failure> {
    meter.take(0)?;
    let capacity = usize::try_from(source.size()).unwrap_or(usize::MAX);
    let file = BufReader::with_capacity(capacity.clamp(64, 32 << 10), Onward { source, place: 0 });
    let mut stream = ZlibDecoder::new(file);
    let (kind, size) = header(&mut stream)?;
    let mut stream = Exactly {
        stream,
        left: size,
        meter,
    };
    let content = Once::new(&mut stream);
    let taken = take(kind, size, &Slice::new(&content, 0, size))?;
    content.finish()?;
    Ok(taken)
}

/// The kind and size that an object begins with.
///
/// # Errors
/// [`Failure::NotMine`] if it does not.
pub(super) fn header(stream: &mut dyn Read) -> Result<(Kind, u64), Failure> {
    let mut header = [0; HEADER_MAX];
    let mut length = 0;
    while let Some(byte) = header.get_mut(length..=length) {
        match stream.read(byte) {
            Ok(1) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Other => return Err(error.into()),
            Ok(_) | Err(_) => return Err(Failure::NotMine),
        }
        if byte == [0] {
            break;
        }
        length += 1;
    }
    let header = header.get(..length).unwrap_or_default();
    let blank = memchr::memchr(b' ', header).ok_or(Failure::NotMine)?;
    let (word, size) = header.split_at(blank);
    let kind = Kind::from_word(word).ok_or(Failure::NotMine)?;
    let size = std::str::from_utf8(size.get(1..).unwrap_or_default()).ok();
    let size = size.and_then(|size| size.parse().ok());
    Ok((kind, size.ok_or(Failure::NotMine)?))
}
