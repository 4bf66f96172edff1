//! A stream object (7.3.8): its dictionary, and where its data begin and end.

use super::Coding;
use super::scan::{MARGIN, Scan};
use std::io;

/// More filters one behind the other are not undone.
const CODINGS_MAX: usize = 8;

/// A stream as it stands in the document.
pub(super) struct Stream {
    pub(super) object: u32,
    pub(super) generation: u32,
    /// Where its data begin and end.
    pub(super) data: u64,
    pub(super) end: u64,
    /// Nothing says where it ends.
    pub(super) is_cut: bool,
    pub(super) is_embedded_file: bool,
    pub(super) codings: Codings,
}

/// What was done to its data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Codings {
    /// These are to be undone, in this order; then it is content, or an image.
    Known(Vec<Coding>),
    /// Something else.
    Unknown,
}

/// The first stream whose data begin at or after a place.
pub(super) fn next(scan: &mut Scan<'_>, mut place: u64) -> io::Result<Option<Stream>> {
    // No object begins before it that could be this stream's: so each byte is looked back at once.
    let mut floor = place;
    loop {
        let Some(word) = scan.find(b"stream", place)? else {
            return Ok(None);
        };
        place = word + 6;
        let view = scan.view(word)?;
        let Some(data) = Head::data(view.bytes, view.from) else {
            continue;
        };
        let floored = usize::try_from(floor.saturating_sub(view.start)).unwrap_or(view.from);
        let before = view.bytes.get(floored..view.from).unwrap_or_default();
        let Some(head) = Head::read(before) else {
            floor = word;
            continue;
        };
        let data = view.start + data as u64;
        let (end, is_cut) = end(scan, data, head.length)?;
        return Ok(Some(Stream {
            object: head.object,
            generation: head.generation,
            data,
            end,
            is_cut,
            is_embedded_file: head.is_embedded_file,
            codings: head.codings,
        }));
    }
}

/// Where the data end, and whether nothing says so. A length that does not lead to the word is none.
fn end(scan: &mut Scan<'_>, data: u64, length: Option<u64>) -> io::Result<(u64, bool)> {
    if let Some(length) = length
        && let Some(end) = data.checked_add(length).filter(|end| *end <= scan.end())
    {
        // By itself: what is in sight is still needed where the length is wrong.
        let mut rest = [0; 16];
        let count = scan.glance(&mut rest, end)?;
        let rest = rest.get(..count).unwrap_or_default();
        if rest.trim_ascii_start().starts_with(b"endstream") {
            return Ok((end, false));
        }
    }
    let Some(word) = scan.find(b"endstream", data)? else {
        return Ok((scan.end(), true));
    };
    let view = scan.view(word)?;
    let before = view.bytes.get(..view.from).unwrap_or_default();
    let line = match before {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    };
    Ok((word.saturating_sub(line).max(data), false))
}

/// What stands before the data.
struct Head {
    object: u32,
    generation: u32,
    length: Option<u64>,
    is_embedded_file: bool,
    codings: Codings,
}

impl Head {
    /// Where the data begin, if the word `stream` at this place means them.
    fn data(bytes: &[u8], at: usize) -> Option<usize> {
        let before = bytes.get(at.saturating_sub(MARGIN)..at)?;
        let line = match bytes.get(at + 6..)? {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return None,
        };
        before
            .trim_ascii_end()
            .ends_with(b">>")
            .then_some(at + 6 + line)
    }

    /// Reads the object's beginning from the end of what stands before the word.
    fn read(before: &[u8]) -> Option<Self> {
        let near = before.get(before.len().saturating_sub(MARGIN)..)?;
        let before = near.trim_ascii_end();
        let before = before.strip_suffix(b">>")?;
        let object = memchr::memmem::rfind(before, b"obj")?;
        let (numbers, dictionary) = before.split_at_checked(object)?;
        let dictionary = dictionary
            .get(3..)?
            .trim_ascii_start()
            .strip_prefix(b"<<")?;
        let mut words = numbers
            .rsplit(|b| is_space(*b))
            .filter(|word| !word.is_empty());
        let (generation, object) = (words.next()?, words.next()?);
        let first_digit = object
            .iter()
            .rposition(|b| !b.is_ascii_digit())
            .map_or(0, |at| at + 1);
        let (generation, _) = number(generation)?;
        let (object, _) = number(object.get(first_digit..)?)?;
        let length = key(dictionary, b"/Length").filter(|rest| reference(rest).is_none());
        Some(Self {
            object,
            generation,
            length: length.and_then(number).map(|(length, _)| length.into()),
            is_embedded_file: key(dictionary, b"/Type")
                .is_some_and(|name| name.starts_with(b"/EmbeddedFile")),
            codings: Codings::read(dictionary),
        })
    }
}

impl Codings {
    fn read(dictionary: &[u8]) -> Self {
        let Some(filter) = key(dictionary, b"/Filter").or_else(|| key(dictionary, b"/F")) else {
            return Self::Known(Vec::new());
        };
        let list = match filter {
            [b'[', rest @ ..] => rest.split(|b| *b == b']').next().unwrap_or_default(),
            [b'/', rest @ ..] => {
                let length = rest
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric())
                    .count();
                filter.get(..=length).unwrap_or_default()
            }
            // Where the data are in a file of their own.
            _ if key(dictionary, b"/Filter").is_none() => return Self::Known(Vec::new()),
            _ => return Self::Unknown,
        };
        let names = list.split(|b| *b == b'/').skip(1).map(<[u8]>::trim_ascii);
        // From 0 to 1: whether a code grows one before it must.
        let early = key(dictionary, b"/EarlyChange").and_then(number);
        let mut codings = Vec::new();
        for name in names {
            codings.push(match name {
                b"FlateDecode" | b"Fl" => Coding::Flate,
                b"ASCIIHexDecode" | b"AHx" => Coding::Hexadecimal,
                b"ASCII85Decode" | b"A85" => Coding::Ascii85,
                b"LZWDecode" | b"LZW" => Coding::Lzw {
                    is_early: early.is_none_or(|(n, _)| n != 0),
                },
                b"RunLengthDecode" | b"RL" => Coding::RunLength,
                // Pixels: what was found before them is searched.
                b"DCTDecode" | b"DCT" | b"JPXDecode" | b"JBIG2Decode" | b"CCITTFaxDecode"
                | b"CCF" => break,
                _ => return Self::Unknown,
            });
            if codings.len() > CODINGS_MAX {
                return Self::Unknown;
            }
        }
        Self::Known(codings)
    }
}

/// What stands behind a key of a dictionary.
fn key<'a>(dictionary: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find_iter(dictionary, key)
        .filter_map(|at| dictionary.get(at + key.len()..))
        .find(|rest| !rest.first().is_some_and(|b| b.is_ascii_alphanumeric()))
        .map(|rest| {
            rest.get(rest.iter().take_while(|b| is_space(**b)).count()..)
                .unwrap_or_default()
        })
}

/// White space (7.2.3).
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

/// A number without a sign, and what follows it.
pub(super) fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// An indirect reference: `12 0 R`.
pub(super) fn reference(text: &[u8]) -> Option<(u32, u32)> {
    let (object, rest) = number(text.trim_ascii_start())?;
    let (generation, rest) = number(rest.trim_ascii_start())?;
    let is_whole = rest.trim_ascii_start().starts_with(b"R");
    is_whole.then_some((object, generation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archives::Memory;

    fn first(text: &[u8]) -> Option<(u32, Vec<u8>, bool, Codings)> {
        let memory = Memory(text);
        let stream = next(&mut Scan::new(&memory, text.len() as u64), 0).unwrap()?;
        let range = usize::try_from(stream.data).unwrap()..usize::try_from(stream.end).unwrap();
        Some((
            stream.object,
            text[range].to_vec(),
            stream.is_cut,
            stream.codings,
        ))
    }

    #[test]
    fn streams_and_their_ends() {
        let none = || Codings::Known(vec![]);
        let cases: [(&[u8], &str, bool); 6] = [
            (
                b"7 0 obj\n<</Length 5>>\nstream\nabcde\nendstream",
                "abcde",
                false,
            ),
            (
                b"7 0 obj<</Length 5 0 R>>stream\r\nab\nde\r\nendstream",
                "ab\nde",
                false,
            ),
            (
                b"7 0 obj<</Length 999>>stream\nabc\nendstream",
                "abc",
                false,
            ),
            (b"7 0 obj<</Length 1>>stream\nabc\nendstream", "abc", false),
            (b"7 0 obj<</Length 3>>stream\nabc", "abc", true),
            (
                b"a stream\nof 7 0 obj << /Length 9 >> stream\nendstream endstream",
                "endstream",
                false,
            ),
        ];
        for (text, data, is_cut) in cases {
            let data = data.as_bytes().to_vec();
            assert_eq!(first(text), Some((7, data, is_cut, none())));
        }
        for no_stream in [
            &b"stream\nabc\nendstream"[..],
            b"<< >>stream\n",
            b"1 0 obj << >> streams\n",
        ] {
            assert!(first(no_stream).is_none());
        }
    }

    #[test]
    fn filters() {
        let codings = |dictionary: &[u8]| Codings::read(dictionary);
        let flate = || Codings::Known(vec![Coding::Flate]);
        assert_eq!(codings(b"/Filter /FlateDecode /Length 1"), flate());
        assert_eq!(codings(b"/Filter/Fl/Length 1"), flate());
        assert_eq!(codings(b"/Filter [/FlateDecode/DCTDecode]"), flate());
        assert_eq!(
            codings(b"/DecodeParms << /EarlyChange 0 >> /Filter [ /ASCII85Decode /LZWDecode ]"),
            Codings::Known(vec![Coding::Ascii85, Coding::Lzw { is_early: false }])
        );
        assert_eq!(codings(b"/Filter 5 0 R"), Codings::Unknown);
        assert_eq!(codings(b"/Filter /Secret"), Codings::Unknown);
        assert_eq!(
            codings(b"/FilterX /Secret /F (file)"),
            Codings::Known(vec![])
        );
        let many = b"/Filter ["
            .iter()
            .chain(b"/Fl".repeat(9).iter())
            .copied()
            .collect::<Vec<_>>();
        assert_eq!(codings(&many), Codings::Unknown);
    }
}
