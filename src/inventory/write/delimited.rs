//! Delimited text: delimiter, quoting, line ends and whatever stands before the header stay as they are.

use super::{REASONS, defused, reason};
use crate::inventory::propose::{Edits, Extent};
use crate::inventory::table::Table;
use std::collections::HashMap;
use std::ops::Range;

/// How the text is written.
struct Style {
    delimiter: char,
    line_end: &'static str,
    /// Cells that need no quotes have them too.
    quotes_all: bool,
    /// Cells of the header.
    width: usize,
}

/// The text with the edits.
pub(super) fn write(text: &str, table: &Table, edits: &Edits, extent: Extent) -> String {
    let last = table.rows.iter().map(|r| r.at).max().unwrap_or(0);
    let first = table.rows.iter().map(|r| r.at).min().unwrap_or(0);
    let wanted: Vec<u64> = edits
        .changed
        .iter()
        .map(|c| c.at)
        .chain([table.origin.line, first, last])
        .collect();
    let starts = line_starts(text, &wanted);
    let delimiter = char::from(table.origin.delimiter);
    let at = |line: u64| {
        let start = starts.get(&line).copied().unwrap_or(text.len());
        record(text, start, delimiter)
    };
    let header = at(table.origin.line);
    let style = Style {
        delimiter,
        line_end: line_end(text.get(header.end..).unwrap_or("")),
        quotes_all: quotes_all(text, &at(first)),
        width: header.cells.len(),
    };
    let mut changed: Vec<(Range<usize>, String)> = Vec::new();
    for change in &edits.changed {
        let row = at(change.at);
        let mut cells: Vec<String> = row
            .cells
            .iter()
            .map(|cell| text.get(cell.clone()).unwrap_or("").to_owned())
            .collect();
        for (column, new) in &change.cells {
            while cells.len() <= *column {
                cells.push(String::new());
            }
            if let Some(cell) = cells.get_mut(*column) {
                *cell = style.cell(new);
            }
        }
        if extent == Extent::RowsWithReasons {
            cells.resize(style.width.max(cells.len()), String::new());
            cells.push(style.cell(&reason(false, change.flag, &change.why)));
        }
        changed.push((row.start..row.end, cells.join(&style.delimiter.to_string())));
    }
    let added = edits.added.iter().map(|row| {
        let mut cells = vec![String::new(); style.width];
        for (column, new) in &row.cells {
            if let Some(cell) = cells.get_mut(*column) {
                *cell = style.cell(new);
            }
        }
        if style.quotes_all {
            cells
                .iter_mut()
                .filter(|c| c.is_empty())
                .for_each(|c| c.push_str("\"\""));
        }
        if extent == Extent::RowsWithReasons {
            cells.push(style.cell(&reason(true, row.flag, &row.why)));
        }
        cells.join(&style.delimiter.to_string())
    });
    if extent == Extent::Whole {
        let end = at(last).end;
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (range, row) in changed {
            out.push_str(text.get(from..range.start).unwrap_or(""));
            out.push_str(&row);
            from = range.end;
        }
        out.push_str(text.get(from..end.max(from)).unwrap_or(""));
        for row in added {
            out.push_str(style.line_end);
            out.push_str(&row);
        }
        out.push_str(text.get(end.max(from)..).unwrap_or(""));
        return out;
    }
    let mut out = text.get(..header.end).unwrap_or("").to_owned();
    if extent == Extent::RowsWithReasons {
        out.push(style.delimiter);
        out.push_str(&style.cell(REASONS));
    }
    out.push_str(style.line_end);
    for row in changed.into_iter().map(|(_, row)| row).chain(added) {
        out.push_str(&row);
        out.push_str(style.line_end);
    }
    out
}

/// A table in CSV (RFC 4180, with lines as Unix has them).
pub(in crate::inventory) fn table(rows: impl Iterator<Item = Vec<String>>) -> String {
    let style = Style {
        delimiter: ',',
        line_end: "\n",
        quotes_all: false,
        width: 0,
    };
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| style.cell(cell)).collect();
        out.push_str(&cells.join(","));
        out.push_str(style.line_end);
    }
    out
}

impl Style {
    /// One cell: quoted where RFC 4180 asks for it or the others are; never a formula.
    fn cell(&self, text: &str) -> String {
        let text = defused(text);
        let special = |c: char| c == self.delimiter || matches!(c, '"' | '\n' | '\r');
        let quoted = text.contains(special)
            || text.starts_with([' ', '#'])
            || text.ends_with(' ')
            || self.quotes_all;
        if quoted {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    }
}

/// A record as it stands in the text: its cells with their quotes, and its end before the line end.
struct Record {
    start: usize,
    end: usize,
    cells: Vec<Range<usize>>,
}

/// Takes the record apart that starts at a place (RFC 4180, section 2).
fn record(text: &str, start: usize, delimiter: char) -> Record {
    let rest = text.get(start..).unwrap_or("");
    let (mut quoted, mut fresh) = (false, true);
    let mut cells = Vec::new();
    let mut from = start;
    let mut end = text.len();
    for (at, c) in rest.char_indices() {
        let at = start + at;
        match c {
            // A doubled quote closes and opens again.
            '"' if quoted => quoted = false,
            '"' if fresh || text.get(..at).is_some_and(|t| t.ends_with('"')) => quoted = true,
            '\n' | '\r' if !quoted => {
                end = at;
                break;
            }
            c if c == delimiter && !quoted => {
                cells.push(from..at);
                from = at + c.len_utf8();
                fresh = true;
                continue;
            }
            _ => {}
        }
        fresh = false;
    }
    cells.push(from..end);
    Record { start, end, cells }
}

/// Where lines begin, counted from 1; `\r\n`, `\n` and a lone `\r` each end one.
fn line_starts(text: &str, wanted: &[u64]) -> HashMap<u64, usize> {
    let mut out = HashMap::new();
    let wanted: std::collections::BTreeSet<u64> = wanted.iter().copied().collect();
    let bytes = text.as_bytes();
    let mut line = 1u64;
    if wanted.contains(&1) {
        out.insert(1, 0);
    }
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        if bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n') {
            continue;
        }
        line += 1;
        if wanted.contains(&line) {
            out.insert(line, at + 1);
        }
    }
    out
}

fn line_end(tail: &str) -> &'static str {
    if tail.starts_with("\r\n") {
        "\r\n"
    } else if tail.starts_with('\r') {
        "\r"
    } else {
        "\n"
    }
}

/// Whether the cells of a row have quotes although they need none.
fn quotes_all(text: &str, row: &Record) -> bool {
    let cell = |range: &Range<usize>| text.get(range.clone()).unwrap_or("");
    row.cells.len() > 1 && row.cells.iter().map(cell).all(|c| c.starts_with('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_apart_with_their_quotes() {
        let text = "x\n\"a,\"\"b\"\"\",c,\"d\ne\",\nnext";
        let row = record(text, 2, ',');
        let cells: Vec<&str> = row.cells.iter().map(|r| &text[r.clone()]).collect();
        assert_eq!(cells, ["\"a,\"\"b\"\"\"", "c", "\"d\ne\"", ""]);
        assert_eq!(&text[row.end..], "\nnext");
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        let starts = line_starts("a\r\nb\rc\nd", &[1, 2, 3, 4, 5]);
        let mut list: Vec<(u64, usize)> = starts.into_iter().collect();
        list.sort_unstable();
        assert_eq!(list, [(1, 0), (2, 3), (3, 5), (4, 7)]);
    }
}
