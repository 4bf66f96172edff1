//! Takes delimited text apart (RFC 4180, section 2): a record's cells are parts of the text, but for those with escaped quotes.

use std::borrow::Cow;
use std::ops::Range;

/// Reads the first record at or behind a place into `cells`, and gives where it stands, without its line end. Empty lines are
/// passed over. A quote opens a cell only as its first character; what stands between its closing quote and the delimiter is
/// part of the cell; one that is not closed goes to the end of the text.
pub(super) fn read<'t>(
    text: &'t str,
    from: usize,
    delimiter: u8,
    cells: &mut Vec<Cow<'t, str>>,
) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let rest = bytes.get(from..)?;
    let start = from + rest.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
    let mut at = start;
    loop {
        let (cell, end) = if bytes.get(at) == Some(&b'"') {
            quoted(text, at + 1, delimiter)
        } else {
            let end = end_of_bare(bytes, at, delimiter);
            (Cow::Borrowed(part(text, at..end)), end)
        };
        cells.push(cell);
        if bytes.get(end) != Some(&delimiter) {
            return Some(start..end);
        }
        at = end + 1;
    }
}

/// A cell behind its opening quote, and where it ends.
fn quoted(text: &str, start: usize, delimiter: u8) -> (Cow<'_, str>, usize) {
    let bytes = text.as_bytes();
    let mut cell = Cow::Borrowed("");
    let mut at = start;
    loop {
        let quote = bytes.get(at..).and_then(|rest| memchr::memchr(b'"', rest));
        let Some(quote) = quote.map(|n| at + n) else {
            append(&mut cell, part(text, at..bytes.len()));
            return (cell, bytes.len());
        };
        if bytes.get(quote + 1) == Some(&b'"') {
            append(&mut cell, part(text, at..quote + 1));
            at = quote + 2;
            continue;
        }
        let end = end_of_bare(bytes, quote + 1, delimiter);
        append(&mut cell, part(text, at..quote));
        append(&mut cell, part(text, quote + 1..end));
        return (cell, end);
    }
}

/// Where a cell ends in which quotes mean nothing.
fn end_of_bare(bytes: &[u8], from: usize, delimiter: u8) -> usize {
    let rest = bytes.get(from..).unwrap_or(&[]);
    memchr::memchr3(delimiter, b'\n', b'\r', rest).map_or(bytes.len(), |n| from + n)
}

fn append<'t>(cell: &mut Cow<'t, str>, more: &'t str) {
    if cell.is_empty() {
        *cell = Cow::Borrowed(more);
    } else if !more.is_empty() {
        cell.to_mut().push_str(more);
    }
}

fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let (mut out, mut at) = (Vec::new(), 0);
        let mut cells = Vec::new();
        while let Some(range) = read(text, at, b',', &mut cells) {
            assert!(at <= range.start && range.start < range.end.max(range.start + 1));
            out.push(cells.drain(..).map(Cow::into_owned).collect());
            at = range.end;
        }
        out
    }

    fn by_another(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let own = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
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
                vec![vec!["a", "b,\"c\"\n", ""], vec!["d"]],
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
