//! The records of delimited text, each with the line that it starts at, and whether its quotes match.

use super::record::{Cut, Delimited};

/// A quoted cell over more lines than this has probably lost its closing quote.
const MAX_LINES: u64 = 1_000;

/// The records of a text, one after the other.
pub(super) struct Records<'t> {
    text: &'t str,
    at: usize,
    delimiter: u8,
    lines: Lines<'t>,
    parts: Delimited<'t>,
    /// The cells of the last one.
    pub(super) cut: Cut,
    armour: memchr::memmem::Finder<'static>,
    /// A PEM armour begins somewhere in the text.
    has_armour: bool,
}

/// A record, but for its cells.
pub(super) struct Record {
    /// The line that it starts at.
    pub(super) line: u64,
    /// Its quotes do not match, so that it may have swallowed rows.
    pub(super) unclosed: bool,
    /// A PEM armour may begin in it.
    pub(super) has_armour: bool,
}

impl<'t> Records<'t> {
    pub(super) fn new(text: &'t str, delimiter: u8) -> Self {
        let armour = memchr::memmem::Finder::new("-----BEGIN");
        Self {
            text,
            at: 0,
            delimiter,
            lines: Lines {
                bytes: text.as_bytes(),
                at: 0,
                line: 1,
            },
            parts: Delimited::new(text, delimiter),
            cut: Cut::default(),
            has_armour: armour.find(text.as_bytes()).is_some(),
            armour,
        }
    }

    /// Goes on at an offset, whose line is given.
    pub(super) const fn go_on_at(&mut self, offset: usize, line: u64) {
        self.at = offset;
        self.lines.at = offset;
        self.lines.line = line;
    }

    pub(super) fn next(&mut self) -> Option<Record> {
        self.parts.read(self.at, &mut self.cut)?;
        let (start, end) = (self.cut.start, self.cut.end);
        self.at = end;
        let line = self.lines.line_of(start);
        let raw = self.text.as_bytes().get(start..end).unwrap_or(&[]);
        let mut unclosed = false;
        if !self.cut.is_line {
            let lines = memchr::memchr_iter(b'\n', raw.trim_ascii_end()).count();
            unclosed =
                lines as u64 > MAX_LINES || (lines > 0 && !quotes_match(raw, self.delimiter));
        } else {
            self.lines.at = end;
        }
        Some(Record {
            line,
            unclosed,
            has_armour: self.has_armour && self.armour.find(raw).is_some(),
        })
    }

    /// What cells stand in besides the text, and behind it.
    pub(super) fn unescaped(self) -> String {
        self.parts.unescaped()
    }

    /// The cells of the last record that are not empty, each with its column.
    pub(super) fn filled(&self) -> impl Iterator<Item = (usize, &str)> + Clone {
        let cells = self.cut.cells.iter();
        cells.map(|(column, span)| (*column, self.parts.text(*span)))
    }
}

/// Whether each quoted cell ends with a quote before a delimiter or the record's end (RFC 4180, section 2).
fn quotes_match(raw: &[u8], delimiter: u8) -> bool {
    let mut quoted = false;
    let mut fresh = true;
    let mut rest = raw.iter().peekable();
    while let Some(byte) = rest.next() {
        if quoted {
            if *byte == b'"' {
                match rest.peek() {
                    Some(b'"') => {
                        rest.next();
                    }
                    None | Some(b'\r' | b'\n') => quoted = false,
                    Some(next) if **next == delimiter => quoted = false,
                    Some(_) => return false,
                }
            }
        } else if fresh && *byte == b'"' {
            quoted = true;
            fresh = false;
        } else {
            fresh = *byte == delimiter;
        }
    }
    !quoted
}

/// Counts lines forward; `\r\n`, `\n` and a lone `\r` each end one.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn line_of(&mut self, offset: usize) -> u64 {
        let passed = self.bytes.get(self.at..offset).unwrap_or(&[]);
        self.line += line_ends(passed, self.bytes.get(offset));
        self.at = offset.max(self.at);
        self.line
    }
}

fn line_ends(passed: &[u8], next: Option<&u8>) -> u64 {
    let mut ends = 0;
    let mut rest = passed;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
        let lone = rest.get(at) == Some(&b'\n')
            || rest
                .get(at + 1)
                .or(if at + 1 == rest.len() { next } else { None })
                != Some(&b'\n');
        ends += u64::from(lone);
        rest = rest.get(at + 1..).unwrap_or(&[]);
    }
    ends
}

/// Where a line, counted from 1, begins.
pub(super) fn offset_of_line(text: &str, line: u64) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut counter = Lines {
        bytes,
        at: 0,
        line: 1,
    };
    memchr::memchr2_iter(b'\n', b'\r', bytes)
        .map(|at| at + 1)
        .find(|at| counter.line_of(*at) >= line)
}
