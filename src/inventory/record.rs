//! Takes delimited text apart (RFC 4180, section 2): a record's cells are parts of the text, but for those with escaped quotes.

use super::row::Span;
use std::ops::Range;

/// A text that is taken apart.
#[derive(Debug)]
pub(super) struct Delimited<'t> {
    text: &'t str,
    delimiter: u8,
    /// Cells that are no parts of the text, one behind the other; they count as standing behind it.
    unescaped: String,
}

/// One record.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// Where it stands, without its line end.
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many cells it has.
    pub(super) count: usize,
    /// Those that are not empty, trimmed.
    pub(super) cells: Vec<(usize, Span)>,
    /// Whether no line ends within it.
    pub(super) is_line: bool,
}

impl<'t> Delimited<'t> {
    pub(super) const fn new(text: &'t str, delimiter: u8) -> Self {
        Self {
            text,
            delimiter,
            unescaped: String::new(),
        }
    }

    /// What its cells stand in besides the text, and behind it.
    pub(super) fn unescaped(self) -> String {
        self.unescaped
    }

    /// The text of a cell.
    pub(super) fn text(&self, span: Span) -> &str {
        match span.behind(self.text.len()) {
            Some(span) => span.of(&self.unescaped),
            None => span.of(self.text),
        }
    }

    /// Reads the first record at or behind a place. Empty lines are passed over. A quote opens a cell only as its first character;
    /// what stands between its closing quote and the delimiter is part of the cell; one that is not closed goes to the end of the text.
    pub(super) fn read(&mut self, from: usize, record: &mut Cut) -> Option<()> {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(from..)?;
        let start = from + rest.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
        record.cells.clear();
        record.start = start;
        record.count = 0;
        let line_end = end_of_line(bytes, start);
        let mut line = line_end;
        let mut at = start;
        loop {
            let first = bytes.get(at);
            let (span, end) = if first == Some(&b'"') {
                let (span, end) = self.quoted(at + 1, &mut line);
                (self.trimmed(span?), end)
            } else {
                if at > line {
                    line = end_of_line(bytes, at);
                }
                let end = end_of_bare(bytes, at..line, self.delimiter);
                let span = Span::new(at, end)?;
                // Most cells have nothing to trim, which two bytes show.
                let is_trim = is_dark(first) && is_dark(bytes.get(end.saturating_sub(1)));
                (if is_trim { span } else { self.trimmed(span) }, end)
            };
            if span.len() > 0 {
                record.cells.push((record.count, span));
            }
            record.count += 1;
            if bytes.get(end) != Some(&self.delimiter) {
                record.end = end;
                record.is_line = end == line_end;
                return Some(());
            }
            at = end + 1;
        }
    }

    /// A cell behind its opening quote, and where it ends; `line` is where the line ends that was looked at last.
    fn quoted(&mut self, start: usize, line: &mut usize) -> (Option<Span>, usize) {
        let text = self.text;
        let bytes = text.as_bytes();
        let before = self.unescaped.len();
        // While there is nothing but one part of the text, it is that.
        let mut part = start..start;
        let mut at = start;
        loop {
            let quote = bytes.get(at..).and_then(|rest| memchr::memchr(b'"', rest));
            let quote = quote.map_or(bytes.len(), |n| at + n);
            let is_doubled = bytes.get(quote + 1) == Some(&b'"');
            self.append(before, &mut part, at..quote + usize::from(is_doubled));
            if is_doubled {
                at = quote + 2;
                continue;
            }
            let behind = (quote + 1).min(bytes.len());
            if behind > *line {
                *line = end_of_line(bytes, behind);
            }
            let end = end_of_bare(bytes, behind..*line, self.delimiter);
            self.append(before, &mut part, behind..end);
            if self.unescaped.len() > before {
                part = text.len() + before..text.len() + self.unescaped.len();
            }
            return (Span::new(part.start, part.end), end);
        }
    }

    /// Appends a part of the text to a quoted cell.
    fn append(&mut self, before: usize, part: &mut Range<usize>, more: Range<usize>) {
        if part.start == part.end {
            *part = more;
        } else if !more.is_empty() {
            if self.unescaped.len() == before {
                self.unescaped.push_str(slice(self.text, part.clone()));
            }
            self.unescaped.push_str(slice(self.text, more));
        }
    }

    fn trimmed(&self, span: Span) -> Span {
        let text = self.text(span);
        let front = text.len() - text.trim_start().len();
        span.part(front, text.trim().len())
    }
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or(&[]);
    memchr::memchr2(b'\n', b'\r', rest).map_or(bytes.len(), |n| from + n)
}

/// Where a cell ends in which quotes mean nothing, within a line. Cells are short: eight bytes at a time are faster than a search
/// that is made for long texts.
fn end_of_bare(bytes: &[u8], line: Range<usize>, delimiter: u8) -> usize {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let wanted = u64::from_le_bytes([delimiter; 8]);
    let (mut at, end) = (line.start, line.end);
    while let Some(word) = bytes.get(at..at + 8).and_then(|part| part.try_into().ok()) {
        // The bytes that are the delimiter become zero, and of these alone the highest bit is set then.
        let rest = u64::from_le_bytes(word) ^ wanted;
        let found = !(((rest & LOW) + LOW) | rest | LOW);
        if found != 0 {
            return end.min(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
        if at >= end {
            return end;
        }
    }
    let rest = bytes.get(at..end).unwrap_or(&[]);
    rest.iter()
        .position(|b| *b == delimiter)
        .map_or(end, |n| at + n)
}

fn is_dark(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| (b'!'..=b'~').contains(b))
}

fn slice(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let (mut out, mut at) = (Vec::new(), 0);
        let mut delimited = Delimited::new(text, b',');
        let mut record = Cut::default();
        while delimited.read(at, &mut record).is_some() {
            assert!(at <= record.start && record.start <= record.end);
            let mut cells = vec![String::new(); record.count];
            for (column, span) in &record.cells {
                delimited.text(*span).clone_into(&mut cells[*column]);
            }
            out.push(cells);
            at = record.end;
        }
        out
    }

    fn by_another(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let own =
            |record: csv::StringRecord| record.iter().map(|cell| cell.trim().to_owned()).collect();
        reader
            .records()
            .map(|record| own(record.unwrap()))
            .collect()
    }

    #[test]
    fn cells_with_quotes() {
        for (text, expected) in [
            (
                "a,\"b,\"\"c\"\"\n\",\r\n\r\nd",
                vec![vec!["a", "b,\"c\"", ""], vec!["d"]],
            ),
            ("\"a\"b\"c,d\n", vec![vec!["ab\"c", "d"]]),
            ("a\"b,\"c", vec![vec!["a\"b", "c"]]),
            ("\n\r,\"\"", vec![vec!["", ""]]),
        ] {
            assert_eq!(all(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn another_reader_takes_it_apart_alike(text in "[aä\",\r\n ]{0,24}") {
            prop_assert_eq!(all(&text), by_another(&text));
        }
    }
}
