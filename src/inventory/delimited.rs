//! Reads delimited text: finds the delimiter and the header row, and keeps the true line of each row.

use super::InventoryError;
use super::heading::{self, compact};
use super::hush::quoted;
use super::records::{Records, offset_of_line};
use super::table::{
    MAX_CELL, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Origin, Table, is_page_token, too_much_text,
};
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
/// How often reading starts again behind such a row.
const MAX_RESTARTS: usize = 50;

/// Longest text that is read, in bytes: of both it and what is unescaped the offsets have 32 bits.
const MAX_TEXT: usize = u32::MAX as usize / 2;
/// Longest private key that is passed over, in lines.
const MAX_KEY_LINES: usize = 300;

/// A record that may be the header.
struct Head<'t> {
    line: u64,
    /// Trimmed.
    cells: Vec<Cow<'t, str>>,
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
pub(super) fn read(
    name: &str,
    mut text: String,
    mapped: &[String],
) -> Result<Table, InventoryError> {
    // Unescaped cells stand behind the text.
    if text.len() > MAX_TEXT {
        return Err(too_much_text(name));
    }
    let Some(shape) = find_shape(&text, mapped) else {
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
    let unescaped = read_rows(name, &text, &shape, &mut table)?;
    if !unescaped.is_empty() {
        text.reserve_exact(unescaped.len());
        text.push_str(&unescaped);
    }
    table.rows.set_text(text);
    drop_unnamed(&mut table, &shape.header);
    Ok(table)
}

/// Reads the rows below the header; gives what their cells stand in besides the text.
fn read_rows(
    name: &str,
    text: &str,
    shape: &Shape,
    table: &mut Table,
) -> Result<String, InventoryError> {
    // Trailing columns without a header and without content are no columns.
    let width = shape.header.len();
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let cells = lines.saturating_mul(width).min(text.len() / 2);
    table
        .rows
        .reserve(lines.min(MAX_ROWS), cells.min(MAX_CELLS));
    let mut restarts = 0usize;
    let mut key_lines = 0usize;
    let mut records = Records::new(text, shape.delimiter);
    while let Some(record) = records.next() {
        let line = record.line;
        if line <= shape.line {
            continue;
        }
        if record.unclosed {
            if restarts == MAX_RESTARTS {
                table.lose(name, line, "its quotes do not match".to_owned());
                continue;
            }
            restarts += 1;
            table.lose(
                name,
                line,
                "a quote opens in this row and is not closed".to_owned(),
            );
            match offset_of_line(text, line + 1) {
                Some(offset) => records.go_on_at(offset, line + 1),
                None => break,
            }
            continue;
        }
        // A private key that was pasted in without quotes: none of its lines is a row.
        if key_lines > 0 {
            key_lines = if records.filled().any(|(_, c)| c.contains("-----END")) {
                0
            } else {
                key_lines - 1
            };
            table.lose(
                name,
                line,
                "a line of private material; it was left out".to_owned(),
            );
            continue;
        }
        if record.has_armour && opens_private_key(records.filled()) {
            key_lines = MAX_KEY_LINES;
            table.lose(
                name,
                line,
                "private material begins here; it was left out".to_owned(),
            );
            continue;
        }
        if is_row(
            name,
            table,
            line,
            records.cut.count,
            width,
            records.filled(),
        ) {
            let cells = &mut records.cut.cells;
            cells.retain(|(_, span)| span.len() <= MAX_CELL);
            table.push_parts(name, line, cells.iter().copied())?;
        }
    }
    Ok(records.unescaped())
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
        let cells = cells.iter().map(|cell| cell.trim()).enumerate();
        let filled = cells.clone().filter(|(_, cell)| !cell.is_empty());
        if is_row(name, &mut table, line, cells.len(), width, filled.clone()) {
            table.push(name, line, filled.filter(|(_, c)| c.len() <= MAX_CELL))?;
        }
    }
    drop_unnamed(&mut table, &shape.header);
    Ok(table)
}

fn head(rows: &[(u64, Vec<String>)]) -> Vec<Head<'_>> {
    let rows = rows.iter().take(LOOK_AHEAD);
    rows.map(|(line, cells)| Head {
        line: *line,
        cells: cells.iter().map(|c| Cow::Borrowed(c.as_str())).collect(),
    })
    .collect()
}

/// An armour that begins in this record and does not end in it.
fn opens_private_key<'a>(mut cells: impl Iterator<Item = (usize, &'a str)> + Clone) -> bool {
    cells
        .clone()
        .any(|(_, c)| c.contains("-----BEGIN") && c.contains("PRIVATE KEY"))
        && !cells.any(|(_, c)| c.contains("-----END"))
}

/// Whether a record of so many cells is a row; `filled_cells` are those that are not empty. Tells what is wrong with it.
fn is_row<'a>(
    name: &str,
    table: &mut Table,
    line: u64,
    count: usize,
    width: usize,
    filled_cells: impl Iterator<Item = (usize, &'a str)> + Clone,
) -> bool {
    let Some((at, first)) = filled_cells.clone().next() else {
        return false;
    };
    let (mut filled, mut end, mut longest) = (0usize, 0usize, 0usize);
    for (index, cell) in filled_cells.clone() {
        filled += 1;
        end = index + 1;
        longest = longest.max(cell.len());
    }
    // What certutil says behind its rows.
    if filled == 1 && (first.starts_with("CertUtil:") || first.starts_with("Maximum Row Index:")) {
        return false;
    }
    if filled <= 2 && is_page_token(&compact(first)) {
        if filled == 2 {
            table.page_token = Some(quoted(first));
        }
        return false;
    }
    if first.starts_with('#') && at == 0 {
        if filled == 1 {
            return false;
        }
        if first.starts_with("# ") {
            table.tell(
                name,
                line,
                "a row behind `#` was taken as a comment".to_owned(),
            );
            return false;
        }
    }
    if end > width {
        table.lose(
            name,
            line,
            format!("{} cells, but the header has {width}: they cannot be told apart (a delimiter in a cell without quotes?)", count),
        );
        return false;
    }
    if filled == 1 && count < width {
        table.lose(
            name,
            line,
            format!("only one of {width} cells (a footer, or a row that was broken off)"),
        );
        return false;
    }
    if count < width {
        table.tell(
            name,
            line,
            format!("{count} cells, but the header has {width}; the others count as empty"),
        );
    }
    if longest <= MAX_CELL {
        return true;
    }
    for (index, _) in filled_cells.filter(|(_, c)| c.len() > MAX_CELL) {
        table.tell(
            name,
            line,
            format!(
                "cell {} is longer than {MAX_CELL} bytes and was left out",
                index + 1
            ),
        );
    }
    true
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
    let used = table.rows.last_column().map_or(0, |last| last + 1);
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
        let records = heads(Records::new(head, delimiter), LOOK_AHEAD);
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

/// The first records.
fn heads(mut records: Records<'_>, count: usize) -> Vec<Head<'static>> {
    let mut heads = Vec::new();
    while heads.len() < count
        && let Some(record) = records.next()
    {
        let mut cells = vec![Cow::Borrowed(""); records.cut.count];
        for (column, text) in records.filled() {
            if let Some(cell) = cells.get_mut(column) {
                *cell = Cow::Owned(text.to_owned());
            }
        }
        heads.push(Head {
            line: record.line,
            cells,
        });
    }
    heads
}

/// The record with the most names that are known; of equal ones the first.
fn find_header(records: &[Head<'_>], delimiter: u8, wanted: &[String]) -> Option<(Shape, usize)> {
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

#[cfg(test)]
#[path = "delimited_tests.rs"]
mod tests;
