//! Reads delimited text: finds the delimiter and the header row, and keeps the true line of each row.

use super::InventoryError;
use super::heading::{self, compact};
use super::hush::quoted;
use super::record;
use super::table::{Cells, MAX_CELL, MAX_COLUMNS, Origin, Row, Table, is_page_token};
use std::borrow::Cow;
use std::collections::HashSet;

/// Delimiters that are tried, likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Delimiters that are tried where these show no header.
const RARE_DELIMITERS: [u8; 9] = [b'^', b'~', 0x1f, 0x1e, b'!', b'#', b'&', b'@', b':'];
/// How many records are looked at to find delimiter and header.
const LOOK_AHEAD: usize = 60;
/// How much text is looked at for it, in bytes.
const LOOK_AHEAD_BYTES: usize = 256 * 1024;
/// A quoted cell over more lines than this has probably lost its closing quote.
const MAX_LINES: u64 = 1_000;
/// How often reading starts again behind such a row.
const MAX_RESTARTS: usize = 50;

/// Longest private key that is passed over, in lines.
const MAX_KEY_LINES: usize = 300;

/// One record with the line that it starts at.
struct Record<'t> {
    line: u64,
    /// Trimmed.
    cells: Vec<Cow<'t, str>>,
    /// Its quotes do not match, so that it may have swallowed rows.
    unclosed: bool,
    /// A PEM armour may begin in it.
    has_armour: bool,
}

/// Where the header is and how the text is delimited.
struct Shape {
    delimiter: u8,
    header: Vec<String>,
    line: u64,
    known: usize,
}

impl Shape {
    fn origin(&self) -> Origin {
        Origin {
            line: self.line,
            delimiter: self.delimiter,
            sheet: String::new(),
        }
    }

    /// Whether so many names are known that it is no chance.
    fn is_enough(&self, wanted: &[String]) -> bool {
        let identifies =
            |h: &String| heading::understand(h).is_some_and(|h| h.field.is_identifier());
        self.known >= 2
            || !wanted.is_empty()
            || (self.known == 1 && self.header.len() <= 2 && self.header.iter().any(identifies))
    }
}

/// Reads the text; `mapped` are the columns that the user named, which count as known.
pub(super) fn read(name: &str, text: &str, mapped: &[String]) -> Result<Table, InventoryError> {
    let Some(shape) = find_shape(text, mapped) else {
        return Err(InventoryError::not_one(
            name,
            "text without a header row that names known columns",
        ));
    };
    if shape.header.len() > MAX_COLUMNS {
        return Err(InventoryError::TooMany {
            name: name.to_owned(),
            what: "columns",
            limit: MAX_COLUMNS,
        });
    }
    let mut table = Table::default();
    table.headers = header_names(&shape.header);
    table.origin = shape.origin();
    // Trailing columns without a header and without content are no columns.
    let width = shape.header.len();
    let mut start = 0usize;
    let mut line = 1u64;
    let mut restarts = 0usize;
    let mut key_lines = 0usize;
    loop {
        let mut broken = None;
        for record in Records::new(text, start, line, shape.delimiter) {
            if record.line <= shape.line {
                continue;
            }
            if record.unclosed {
                if restarts < MAX_RESTARTS {
                    broken = Some(record.line);
                    break;
                }
                table.lose(name, record.line, "its quotes do not match".to_owned());
                continue;
            }
            // A private key that was pasted in without quotes: none of its lines is a row.
            if key_lines > 0 {
                key_lines = if record.cells.iter().any(|c| c.contains("-----END")) {
                    0
                } else {
                    key_lines - 1
                };
                table.lose(
                    name,
                    record.line,
                    "a line of private material; it was left out".to_owned(),
                );
                continue;
            }
            if record.has_armour && opens_private_key(&record.cells) {
                key_lines = MAX_KEY_LINES;
                table.lose(
                    name,
                    record.line,
                    "private material begins here; it was left out".to_owned(),
                );
                continue;
            }
            take(name, &mut table, &record, width)?;
        }
        let Some(at) = broken else { break };
        restarts += 1;
        table.lose(
            name,
            at,
            "a quote opens in this row and is not closed".to_owned(),
        );
        line = at + 1;
        match offset_of_line(text, at + 1) {
            Some(offset) => start = offset,
            None => break,
        }
    }
    drop_unnamed(&mut table, &shape.header);
    Ok(table)
}

/// How many columns are known in the best header of rows, each with its number.
pub(super) fn known_columns(rows: &[(u64, Vec<String>)], mapped: &[String]) -> usize {
    let wanted: Vec<String> = mapped.iter().map(|m| compact(m)).collect();
    find_header(&head(rows), 0, &wanted).map_or(0, |(shape, _)| shape.known)
}

/// Reads rows that were taken apart already, each with its number, as those of a workbook's sheet.
pub(super) fn from_rows(
    name: &str,
    rows: Vec<(u64, Vec<String>)>,
    mapped: &[String],
) -> Result<Table, InventoryError> {
    let wanted: Vec<String> = mapped.iter().map(|m| compact(m)).collect();
    let Some((shape, _)) =
        find_header(&head(&rows), 0, &wanted).filter(|(s, _)| s.is_enough(&wanted))
    else {
        return Err(InventoryError::not_one(
            name,
            "a sheet without a header row that names known columns",
        ));
    };
    let mut table = Table::default();
    table.headers = header_names(&shape.header);
    table.origin = shape.origin();
    let width = shape.header.len();
    for (line, mut cells) in rows {
        if line <= shape.line {
            continue;
        }
        // Empty cells at the end of a row are not in the file. A lone cell in the first column is a footer, as in delimited text.
        if cells.len() > 1 {
            cells.resize(cells.len().max(width), String::new());
        }
        let cells = cells.into_iter().map(Cow::Owned).collect();
        take(name, &mut table, &taken_apart(line, cells), width)?;
    }
    drop_unnamed(&mut table, &shape.header);
    Ok(table)
}

fn head(rows: &[(u64, Vec<String>)]) -> Vec<Record<'_>> {
    let rows = rows.iter().take(LOOK_AHEAD);
    rows.map(|(line, cells)| {
        let cells = cells.iter().map(|c| Cow::Borrowed(c.as_str()));
        taken_apart(*line, cells.collect())
    })
    .collect()
}

const fn taken_apart(line: u64, cells: Vec<Cow<'_, str>>) -> Record<'_> {
    Record {
        line,
        cells,
        unclosed: false,
        has_armour: false,
    }
}

/// An armour that begins in this record and does not end in it.
fn opens_private_key(cells: &[Cow<'_, str>]) -> bool {
    cells
        .iter()
        .any(|c| c.contains("-----BEGIN") && c.contains("PRIVATE KEY"))
        && !cells.iter().any(|c| c.contains("-----END"))
}

fn take(
    name: &str,
    table: &mut Table,
    record: &Record<'_>,
    width: usize,
) -> Result<(), InventoryError> {
    let line = record.line;
    let filled_cells = || {
        let cells = record.cells.iter().map(|c| &**c).enumerate();
        cells.filter(|(_, cell)| !cell.is_empty())
    };
    let count = record.cells.len();
    let filled = filled_cells().count();
    let Some((at, first)) = filled_cells().next() else {
        return Ok(());
    };
    // What certutil says behind its rows.
    if filled == 1 && (first.starts_with("CertUtil:") || first.starts_with("Maximum Row Index:")) {
        return Ok(());
    }
    if filled <= 2 && is_page_token(&compact(first)) {
        if filled == 2 {
            table.page_token = Some(quoted(first));
        }
        return Ok(());
    }
    if first.starts_with('#') && at == 0 {
        if filled == 1 {
            return Ok(());
        }
        if first.starts_with("# ") {
            table.tell(
                name,
                line,
                "a row behind `#` was taken as a comment".to_owned(),
            );
            return Ok(());
        }
    }
    if filled_cells().any(|(index, _)| index >= width) {
        table.lose(
            name,
            line,
            format!("{} cells, but the header has {width}: they cannot be told apart (a delimiter in a cell without quotes?)", count),
        );
        return Ok(());
    }
    if filled == 1 && count < width {
        table.lose(
            name,
            line,
            format!("only one of {width} cells (a footer, or a row that was broken off)"),
        );
        return Ok(());
    }
    if count < width {
        table.tell(
            name,
            line,
            format!("{count} cells, but the header has {width}; the others count as empty"),
        );
    }
    for (index, _) in filled_cells().filter(|(_, c)| c.len() > MAX_CELL) {
        table.tell(
            name,
            line,
            format!(
                "cell {} is longer than {MAX_CELL} bytes and was left out",
                index + 1
            ),
        );
    }
    let kept = filled_cells().filter(|(_, c)| c.len() <= MAX_CELL);
    table.push(
        name,
        Row {
            at: line,
            cells: Cells::new(kept),
        },
    )
}

/// Headers, with a name for those that have none and a number behind those that stand twice.
fn header_names(header: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    header
        .iter()
        .enumerate()
        .map(|(i, h)| {
            let base = if h.is_empty() {
                format!("column {}", i + 1)
            } else {
                h.clone()
            };
            let mut unique = base.clone();
            let mut n = 1;
            while !seen.insert(unique.clone()) {
                n += 1;
                unique = format!("{base} ({n})");
            }
            unique
        })
        .collect()
}

/// Takes the trailing columns away that have neither name nor content.
fn drop_unnamed(table: &mut Table, header: &[String]) {
    let used = table
        .rows
        .iter()
        .filter_map(|r| r.cells.last_column())
        .map(|i| i + 1)
        .max()
        .unwrap_or(0);
    let named = header
        .iter()
        .rposition(|h| !h.is_empty())
        .map_or(0, |i| i + 1);
    table.headers.truncate(used.max(named));
}

fn find_shape(text: &str, mapped: &[String]) -> Option<Shape> {
    let mut head = text.len().min(LOOK_AHEAD_BYTES);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let head = text.get(..head).unwrap_or(text);
    let told = head
        .lines()
        .take(3)
        .find_map(|l| l.trim().trim_matches('"').strip_prefix("sep="))
        .and_then(|d| d.bytes().next());
    let wanted: Vec<String> = mapped.iter().map(|m| compact(m)).collect();
    if let Some(told) = told {
        return best_shape(head, &[told], &wanted);
    }
    // Rarer ones only where the usual ones show no header: a colon stands in every fingerprint.
    best_shape(head, &DELIMITERS, &wanted).or_else(|| best_shape(head, &RARE_DELIMITERS, &wanted))
}

fn best_shape(head: &str, candidates: &[u8], wanted: &[String]) -> Option<Shape> {
    let mut best: Option<((usize, usize), Shape)> = None;
    for &delimiter in candidates {
        let records: Vec<Record<'_>> = Records::new(head, 0, 1, delimiter)
            .take(LOOK_AHEAD)
            .collect();
        let Some((shape, at)) = find_header(&records, delimiter, wanted) else {
            continue;
        };
        let width = shape.header.len();
        let fitting = records
            .iter()
            .skip(at + 1)
            .filter(|r| r.cells.len() == width)
            .count();
        let score = (shape.known, fitting);
        if best.as_ref().is_none_or(|(b, _)| score > *b) {
            best = Some((score, shape));
        }
    }
    let (_, shape) = best?;
    shape.is_enough(wanted).then_some(shape)
}

/// The record with the most names that are known; of equal ones the first.
fn find_header(records: &[Record<'_>], delimiter: u8, wanted: &[String]) -> Option<(Shape, usize)> {
    let mut best: Option<(usize, usize)> = None;
    for (index, record) in records.iter().enumerate().take(LOOK_AHEAD / 2) {
        let mut fields = HashSet::new();
        let known = record
            .cells
            .iter()
            .filter(|c| !c.is_empty() && c.len() <= 200)
            .filter(|c| {
                wanted.contains(&compact(c))
                    || heading::understand(c)
                        .is_some_and(|h| fields.insert(h.field) || h.field.adds_up())
            })
            .count();
        if known > 0 && best.is_none_or(|(b, _)| known > b) {
            best = Some((known, index));
        }
    }
    let (known, index) = best?;
    let record = records.get(index)?;
    let mut header: Vec<String> = record.cells.iter().map(|c| c.to_string()).collect();
    // `#id,name`: a comment sign before a header.
    if let Some(first) = header.first_mut()
        && first.len() > 1
        && let Some(bare) = first.strip_prefix('#')
    {
        *first = bare.trim().to_owned();
    }
    Some((
        Shape {
            delimiter,
            header,
            line: record.line,
            known,
        },
        index,
    ))
}

/// The records of a text, one after the other.
struct Records<'t> {
    text: &'t str,
    at: usize,
    delimiter: u8,
    lines: Lines<'t>,
    /// How many cells the last record had.
    width: usize,
    armour: memchr::memmem::Finder<'static>,
}

impl<'t> Records<'t> {
    /// The records from an offset on, whose line is given.
    fn new(text: &'t str, start: usize, line: u64, delimiter: u8) -> Self {
        let text = text.get(start..).unwrap_or("");
        Self {
            text,
            at: 0,
            delimiter,
            lines: Lines {
                bytes: text.as_bytes(),
                at: 0,
                line,
            },
            width: 0,
            armour: memchr::memmem::Finder::new("-----BEGIN"),
        }
    }
}

impl<'t> Iterator for Records<'t> {
    type Item = Record<'t>;

    fn next(&mut self) -> Option<Record<'t>> {
        let mut cells = Vec::with_capacity(self.width);
        let range = record::read(self.text, self.at, self.delimiter, &mut cells)?;
        self.at = range.end;
        self.width = cells.len();
        cells.iter_mut().for_each(trim);
        let line = self.lines.line_of(range.start);
        let raw = self.text.as_bytes().get(range).unwrap_or(&[]);
        let lines = memchr::memchr_iter(b'\n', raw.trim_ascii_end()).count();
        let unclosed =
            lines as u64 > MAX_LINES || (lines > 0 && !quotes_match(raw, self.delimiter));
        Some(Record {
            line,
            cells,
            unclosed,
            has_armour: self.armour.find(raw).is_some(),
        })
    }
}

/// Most cells have nothing to trim, which two bytes show.
fn trim(cell: &mut Cow<'_, str>) {
    let is_dark = |byte: Option<&u8>| byte.is_none_or(|b| (b'!'..=b'~').contains(b));
    let bytes = cell.as_bytes();
    if is_dark(bytes.first()) && is_dark(bytes.last()) {
        return;
    }
    match cell {
        Cow::Borrowed(text) => *text = text.trim(),
        Cow::Owned(text) => *text = text.trim().to_owned(),
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
fn offset_of_line(text: &str, line: u64) -> Option<usize> {
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

#[cfg(test)]
#[path = "delimited_tests.rs"]
mod tests;
