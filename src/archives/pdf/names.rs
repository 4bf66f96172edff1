//! What must be known of a document before its streams: where it ends, whether it is encrypted, and how embedded files are called.

use super::Source;
use super::scan::Scan;
use super::stream::{is_space, reference};
use std::collections::BTreeMap;
use std::io;

/// As many file specifications are looked at, and names of as many bytes.
const NAMES_MAX: usize = 4096;
const NAME_MAX: usize = 512;
/// A file specification is looked for so many bytes around its key.
const SPECIFICATION: usize = 4 << 10;

/// What is known of a document as a whole.
pub(super) struct Outline {
    /// The place behind the last mark of an end; the source's if there is none.
    pub(super) end: u64,
    /// A dictionary refers to encryption.
    pub(super) is_encrypted: bool,
    /// The names of embedded files, by the number of their stream's object.
    pub(super) names: BTreeMap<u32, Vec<u8>>,
}

impl Outline {
    pub(super) fn read(source: &dyn Source) -> io::Result<Self> {
        let mut scan = Scan::new(source, source.size());
        let mut outline = Self {
            end: 0,
            is_encrypted: false,
            names: BTreeMap::new(),
        };
        let mut place = 0;
        let mut looked_at = 0;
        loop {
            let view = scan.view(place)?;
            let look = |word: &[u8]| {
                let finder = memchr::memmem::Finder::new(word).into_owned();
                // What begins before the end of what is looked at may end behind it.
                let last = (view.to + word.len() - 1).min(view.bytes.len());
                let sight = view.bytes.get(view.from..last).unwrap_or_default();
                let found: Vec<usize> = finder.find_iter(sight).map(|at| view.from + at).collect();
                found
            };
            for at in look(b"/Encrypt") {
                let rest = view.bytes.get(at + 8..).unwrap_or_default();
                outline.is_encrypted |= reference(rest).is_some() || is_dictionary(rest);
            }
            for at in look(b"/EF") {
                looked_at += 1;
                if looked_at <= NAMES_MAX
                    && let Some((object, name)) = specification(view.bytes, at)
                {
                    outline.names.entry(object).or_insert(name);
                }
            }
            for at in look(b"%%EOF") {
                let rest = view.bytes.get(at + 5..).unwrap_or_default();
                let line = rest
                    .iter()
                    .take_while(|b| matches!(b, b'\r' | b'\n'))
                    .count();
                outline.end = view.start + (at + 5 + line.min(2)) as u64;
            }
            if view.to == view.bytes.len() {
                break;
            }
            place = view.start + view.to as u64;
        }
        if outline.end == 0 {
            outline.end = scan.end();
        }
        Ok(outline)
    }
}

fn is_dictionary(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"<<")
}

/// The object of an embedded file and its name (7.11.3), from around the key `EF` of its specification.
fn specification(bytes: &[u8], at: usize) -> Option<(u32, Vec<u8>)> {
    let before = bytes.get(at.saturating_sub(SPECIFICATION)..at)?;
    let start = memchr::memmem::rfind(before, b"obj").unwrap_or(0);
    let before = before.get(start..)?;
    let after = bytes.get(at + 3..bytes.len().min(at + SPECIFICATION))?;
    let end = memchr::memmem::find(after, b"endobj").unwrap_or(after.len());
    let after = after.get(..end)?;
    let files = after.trim_ascii_start().strip_prefix(b"<<")?;
    let close = memchr::memmem::find(files, b">>")?;
    let (inner, outer) = files.split_at_checked(close)?;
    let object = value(inner, b"/UF").or_else(|| value(inner, b"/F"));
    let (object, _) = reference(object?)?;
    let text = |key| {
        value(before, key)
            .or_else(|| value(outer, key))
            .and_then(string)
    };
    let name = text(b"/UF").or_else(|| text(b"/F"))?;
    Some((object, name))
}

/// What stands behind a key.
fn value<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let is_end = |byte: &u8| is_space(*byte) || matches!(byte, b'(' | b'<' | b'/' | b'[');
    memchr::memmem::find_iter(text, key)
        .filter_map(|at| text.get(at + key.len()..))
        .find(|rest| rest.first().is_some_and(is_end))
        .map(<[u8]>::trim_ascii_start)
}

/// A string (7.3.4), literal or hexadecimal, as UTF-8: it is UTF-16 by its mark, UTF-8, or PDFDocEncoding, which is nearly Latin-1.
fn string(text: &[u8]) -> Option<Vec<u8>> {
    let bytes = match text {
        [b'(', rest @ ..] => literal(rest),
        [b'<', rest @ ..] => hexadecimal(rest),
        _ => None,
    }?;
    let Some(utf16) = bytes.strip_prefix(b"\xfe\xff") else {
        let is_utf8 = std::str::from_utf8(&bytes).is_ok();
        let latin = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect::<String>();
        return Some(match is_utf8 {
            true => bytes
                .strip_prefix(b"\xef\xbb\xbf")
                .map_or(bytes.clone(), <[u8]>::to_vec),
            false => latin(&bytes).into_bytes(),
        });
    };
    let units = utf16
        .as_chunks()
        .0
        .iter()
        .map(|pair| u16::from_be_bytes(*pair));
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Some(text.into_bytes())
}

fn literal(text: &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    let mut open = 0;
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        let byte = match byte {
            b'\\' => match *rest.next()? {
                // Three octal digits: a control character or a letter of an encoding of its own.
                high @ b'0'..=b'7' => {
                    let digits = rest.as_slice();
                    let more = digits
                        .iter()
                        .take(2)
                        .take_while(|b| matches!(b, b'0'..=b'7'));
                    let value = more.clone().fold(u32::from(high - b'0'), |sum, digit| {
                        sum * 8 + u32::from(digit - b'0')
                    });
                    let count = more.count();
                    rest = digits.get(count..)?.iter();
                    u8::try_from(value & 0xff).ok()?
                }
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                // A line that goes on.
                b'\n' => continue,
                other => other,
            },
            b')' if open == 0 => return Some(name),
            b')' => {
                open -= 1;
                byte
            }
            b'(' => {
                open += 1;
                byte
            }
            other => other,
        };
        if name.len() == NAME_MAX {
            return None;
        }
        name.push(byte);
    }
    None
}

fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memchr(b'>', text).filter(|end| *end <= 2 * NAME_MAX)?;
    let digits = text.get(..end)?;
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_embedded_files() {
        let named = |text: &[u8]| {
            let at = memchr::memmem::find(text, b"/EF").unwrap();
            specification(text, at)
        };
        let cases: [(&[u8], &str); 6] = [
            (
                b"9 0 obj << /F (a\\nb\\t\\\nc\\q) /EF << /F 12 0 R >> >> endobj",
                "a\nb\tcq",
            ),
            (
                b"9 0 obj << /Type /Filespec /F (a.key) /EF << /F 12 0 R >> >> endobj",
                "a.key",
            ),
            (
                b"9 0 obj<</EF<</F 12 0 R/UF 12 0 R>>/F(old)/UF(a \\(1\\)\\056key)>>endobj",
                "a (1).key",
            ),
            (
                b"obj << /UF <FEFF00E400620063> /EF << /UF 12 0 R >> >>",
                "\u{e4}bc",
            ),
            (b"obj << /F (\xe4) /EF << /F 12 0 R >> >>", "\u{e4}"),
            (
                b"8 0 obj (F) endobj 9 0 obj << /F (a(b)c)/EF << /F 12 0 R >> >>",
                "a(b)c",
            ),
        ];
        for (text, expected) in cases {
            let (object, name) = named(text).unwrap();
            assert_eq!((object, name.as_slice()), (12, expected.as_bytes()));
        }
        for none in [
            &b"/EF 12 0 R"[..],
            b"/EF << /F 12 0 R >>",
            b"/F (a /EF << /F 12 0 R >>",
            b"/F (a) /EF << /F x >>",
        ] {
            assert_eq!(named(none), None);
        }
    }
}
