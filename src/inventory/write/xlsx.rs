//! XLSX (ISO/IEC 29500, part 1): cells of a sheet are changed and rows put behind its last one; every other byte of the
//! workbook's parts stays. Rows alone come in a small workbook of their own.

mod cell;

pub(in crate::inventory) use cell::{Value, workbook};

use super::{REASONS, reason};
use crate::inventory::InventoryError;
use crate::inventory::propose::{Edits, Extent};
use crate::inventory::table::Table;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read as _, Write as _};
use std::ops::Range;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// How many rows are looked at to see what a column's cells are.
const LOOK_BACK: usize = 50;

/// A workbook and the sheet that has the rows.
pub(crate) struct Workbook {
    name: String,
    bytes: Vec<u8>,
    /// The part of the sheet.
    part: String,
    sheet: Sheet,
}

/// A sheet's XML, and where things stand in it.
struct Sheet {
    xml: String,
    /// What stands before the names of elements, as `x:`.
    prefix: String,
    /// Rows by their number.
    rows: BTreeMap<u64, Range<usize>>,
    /// Where further rows go.
    end: usize,
    /// The reference of its used range.
    dimension: Option<Range<usize>>,
}

/// A cell as it stands in a row.
#[derive(Debug, Clone, Default)]
struct Cell {
    range: Range<usize>,
    style: Option<String>,
    is_number: bool,
    text: bool,
}

impl Workbook {
    /// Finds the sheet's part.
    pub(super) fn read(name: &str, bytes: &[u8], table: &Table) -> Result<Self, InventoryError> {
        let failed = || InventoryError::not_written(name, "a workbook whose sheet was not found");
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| failed())?;
        let mut text = |part: &str| -> Option<String> {
            let mut out = String::new();
            // Counted when the export was read.
            archive.by_name(part).ok()?.read_to_string(&mut out).ok()?;
            Some(out)
        };
        let book = text("xl/workbook.xml").ok_or_else(failed)?;
        let id = sheet_relation(&book, &table.origin.sheet).ok_or_else(failed)?;
        let relations = text("xl/_rels/workbook.xml.rels").ok_or_else(failed)?;
        let target = relation_target(&relations, &id).ok_or_else(failed)?;
        let part = match target.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => format!("xl/{target}"),
        };
        let sheet = Sheet::read(text(&part).ok_or_else(failed)?).ok_or_else(failed)?;
        Ok(Self {
            name: name.to_owned(),
            bytes: bytes.to_vec(),
            part,
            sheet,
        })
    }

    /// The workbook with the edits, or one of the rows alone.
    pub(super) fn write(
        &self,
        table: &Table,
        edits: &Edits,
        extent: Extent,
    ) -> Result<Vec<u8>, InventoryError> {
        let like = self.sheet.columns(table);
        let failed =
            || InventoryError::not_written(&self.name, "a workbook that was not taken apart");
        if extent == Extent::Whole {
            let xml = self.sheet.edited(edits, &like);
            return self.with_sheet(&xml).ok_or_else(failed);
        }
        let with_reasons = extent == Extent::RowsWithReasons;
        let by_number: HashMap<u64, crate::inventory::table::Row<'_>> =
            table.rows.iter().map(|r| (r.at, r)).collect();
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let mut header: Vec<Value> = table
            .headers
            .iter()
            .map(|h| Value::Text(h.clone()))
            .collect();
        if with_reasons {
            header.push(Value::Text(REASONS.to_owned()));
        }
        rows.push(header);
        let line = |cells: BTreeMap<usize, String>, why: String| {
            let cell = |column: usize| {
                let text = cells.get(&column).map_or("", String::as_str);
                let is_number = like.get(&column).is_some_and(|c| c.is_number);
                Value::of(text, is_number)
            };
            let mut row: Vec<Value> = (0..table.headers.len()).map(cell).collect();
            if with_reasons {
                row.push(Value::Text(why));
            }
            row
        };
        for change in &edits.changed {
            let own = by_number.get(&change.at).map(|r| r.cells.iter());
            let mut cells: BTreeMap<usize, String> = own
                .into_iter()
                .flatten()
                .map(|(column, cell)| (column, cell.to_owned()))
                .collect();
            cells.extend(change.cells.iter().cloned());
            rows.push(line(cells, reason(false, change.flag, &change.why)));
        }
        for row in &edits.added {
            let cells = row.cells.iter().cloned().collect();
            rows.push(line(cells, reason(true, row.flag, &row.why)));
        }
        workbook(&rows).ok_or_else(failed)
    }

    /// The archive with another sheet; its other members are copied as they are.
    fn with_sheet(&self, xml: &str) -> Option<Vec<u8>> {
        let mut archive = ZipArchive::new(Cursor::new(&self.bytes)).ok()?;
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        for index in 0..archive.len() {
            let member = archive.by_index_raw(index).ok()?;
            if member.name().is_ok_and(|name| name == self.part) {
                drop(member);
                out.start_file(self.part.as_str(), SimpleFileOptions::default())
                    .ok()?;
                out.write_all(xml.as_bytes()).ok()?;
            } else {
                out.raw_copy_file(member).ok()?;
            }
        }
        Some(out.finish().ok()?.into_inner())
    }
}

impl Sheet {
    fn read(xml: String) -> Option<Self> {
        let mut reader = Reader::from_str(&xml);
        let mut rows: BTreeMap<u64, Range<usize>> = BTreeMap::new();
        let (mut prefix, mut end, mut dimension) = (String::new(), None, None);
        let (mut number, mut start) = (0u64, 0usize);
        loop {
            let before = place(&reader)?;
            match reader.read_event().ok()? {
                Event::Eof => break,
                Event::Start(e) if local(&e) == "row" => {
                    number = attribute(&e, "r")
                        .and_then(|r| r.parse().ok())
                        .unwrap_or(number + 1);
                    start = before;
                }
                Event::Empty(e) if local(&e) == "row" => {
                    number = attribute(&e, "r")
                        .and_then(|r| r.parse().ok())
                        .unwrap_or(number + 1);
                    rows.insert(number, before..place(&reader)?);
                }
                Event::End(e) if local_name(e.name().as_ref()) == "row" => {
                    rows.insert(number, start..place(&reader)?);
                }
                Event::Start(e) if local(&e) == "sheetData" => {
                    let name = e.name().as_ref().to_owned();
                    prefix = name.strip_suffix("sheetData").unwrap_or("").to_owned();
                }
                Event::End(e) if local_name(e.name().as_ref()) == "sheetData" => end = Some(before),
                Event::Start(e) | Event::Empty(e) if local(&e) == "dimension" => {
                    dimension = Some(before..place(&reader)?);
                }
                _ => {}
            }
        }
        Some(Self {
            end: end?,
            prefix,
            rows,
            dimension,
            xml,
        })
    }

    /// The cells of a row by their column, from 0.
    fn cells(&self, row: u64) -> BTreeMap<usize, Cell> {
        let mut out = BTreeMap::new();
        let Some(range) = self.rows.get(&row) else {
            return out;
        };
        let text = self.xml.get(range.clone()).unwrap_or("");
        let mut reader = Reader::from_str(text);
        let mut column = 0usize;
        let mut open: Option<(usize, Cell)> = None;
        while let Some(before) = place(&reader) {
            let Ok(event) = reader.read_event() else {
                break;
            };
            let after = place(&reader).unwrap_or(before);
            match event {
                Event::Eof => break,
                Event::Start(ref e) | Event::Empty(ref e) if local(e) == "c" => {
                    column = attribute(e, "r")
                        .and_then(|r| column_of(&r))
                        .unwrap_or(column);
                    let sort = attribute(e, "t");
                    let cell = Cell {
                        range: range.start + before..range.start + after,
                        style: attribute(e, "s"),
                        is_number: matches!(sort.as_deref(), None | Some("n")),
                        text: false,
                    };
                    if matches!(event, Event::Empty(_)) {
                        out.insert(column, cell);
                        column += 1;
                    } else {
                        open = Some((column, cell));
                    }
                }
                Event::Start(ref e) | Event::Empty(ref e)
                    if matches!(local(e), "v" | "t" | "is") =>
                {
                    if let Some((_, cell)) = &mut open {
                        cell.text = true;
                    }
                }
                Event::End(ref e) if local_name(e.name().as_ref()) == "c" => {
                    if let Some((at, mut cell)) = open.take() {
                        cell.range.end = range.start + after;
                        out.insert(at, cell);
                        column = at + 1;
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// What the cells of each column are: the style and type of the last one that is filled.
    fn columns(&self, table: &Table) -> HashMap<usize, Cell> {
        let mut out: HashMap<usize, Cell> = HashMap::new();
        let mut numbers: Vec<u64> = table.rows.iter().map(|r| r.at).collect();
        numbers.sort_unstable();
        for row in numbers.into_iter().rev().take(LOOK_BACK) {
            for (column, cell) in self.cells(row) {
                if cell.text {
                    out.entry(column).or_insert(cell);
                }
            }
        }
        out
    }

    /// The sheet with the edits.
    fn edited(&self, edits: &Edits, like: &HashMap<usize, Cell>) -> String {
        let mut splices: Vec<(Range<usize>, String)> = Vec::new();
        for change in &edits.changed {
            let Some(row) = self.rows.get(&change.at) else {
                continue;
            };
            let own = self.cells(change.at);
            for (column, text) in &change.cells {
                let style = own.get(column).or_else(|| like.get(column));
                let new = self.cell(change.at, *column, text, style);
                let range = match own.get(column) {
                    Some(cell) => cell.range.clone(),
                    None => {
                        // Behind the last cell before it.
                        let before = own.range(..column).next_back().map(|(_, c)| c.range.end);
                        let tag = self.xml.get(row.clone()).and_then(|r| r.find('>'));
                        let at = before.or(tag.map(|t| row.start + t + 1)).unwrap_or(row.end);
                        at..at
                    }
                };
                splices.push((range, new));
            }
        }
        let last = self.rows.keys().next_back().copied().unwrap_or(0);
        let mut rows = String::new();
        for (row, number) in edits.added.iter().zip(last + 1..) {
            rows.push_str(&format!("<{}row r=\"{number}\">", self.prefix));
            for (column, text) in &row.cells {
                rows.push_str(&self.cell(number, *column, text, like.get(column)));
            }
            rows.push_str(&format!("</{}row>", self.prefix));
        }
        splices.push((self.end..self.end, rows));
        let added = u64::try_from(edits.added.len()).unwrap_or(0);
        if let Some(range) = self.dimension.clone().filter(|_| added > 0)
            && let Some(new) = self
                .xml
                .get(range.clone())
                .and_then(|d| extended(d, last + added))
        {
            splices.push((range, new));
        }
        splices.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(self.xml.len() + 4096);
        let mut from = 0;
        for (range, text) in splices {
            out.push_str(self.xml.get(from..range.start).unwrap_or(""));
            out.push_str(&text);
            from = range.end.max(from);
        }
        out.push_str(self.xml.get(from..).unwrap_or(""));
        out
    }

    fn cell(&self, row: u64, column: usize, text: &str, like: Option<&Cell>) -> String {
        let style = like.and_then(|c| c.style.as_deref());
        let value = Value::of(text, like.is_some_and(|c| c.is_number));
        value.cell(&self.prefix, row, column, style, false)
    }
}

/// The dimension's element with its last row moved down.
fn extended(element: &str, last: u64) -> Option<String> {
    let start = element.find("ref=\"")? + 5;
    let end = start + element.get(start..)?.find('"')?;
    let reference = element.get(start..end)?;
    let digits = reference
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .len();
    let (front, row) = reference.split_at(digits);
    let row = row.parse::<u64>().ok()?.max(last);
    Some(format!(
        "{}{front}{row}{}",
        element.get(..start)?,
        element.get(end..)?
    ))
}

fn sheet_relation(book: &str, sheet: &str) -> Option<String> {
    let mut reader = Reader::from_str(book);
    let mut first = None;
    loop {
        match reader.read_event().ok()? {
            Event::Eof => return first,
            Event::Start(e) | Event::Empty(e) if local(&e) == "sheet" => {
                let id = e
                    .attributes()
                    .flatten()
                    .find(|a| local_name(a.key.as_ref()) == "id")
                    .map(|a| a.value.clone().into_owned());
                if attribute(&e, "name").as_deref() == Some(sheet) {
                    return id;
                }
                if sheet.is_empty() {
                    first = first.or(id);
                }
            }
            _ => {}
        }
    }
}

fn relation_target(relations: &str, id: &str) -> Option<String> {
    let mut reader = Reader::from_str(relations);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => return None,
            Event::Start(e) | Event::Empty(e)
                if local(&e) == "Relationship" && attribute(&e, "Id").as_deref() == Some(id) =>
            {
                return attribute(&e, "Target");
            }
            _ => {}
        }
    }
}

fn place(reader: &Reader<&[u8]>) -> Option<usize> {
    usize::try_from(reader.buffer_position()).ok()
}

fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn local<'e>(element: &'e BytesStart<'_>) -> &'e str {
    let name = element.name();
    let length = local_name(name.as_ref()).len();
    let whole: &'e str = element_name(element);
    whole.get(whole.len() - length..).unwrap_or(whole)
}

fn element_name<'e>(element: &'e BytesStart<'_>) -> &'e str {
    let text: &'e str = element;
    text.split([' ', '\t', '\r', '\n', '/'])
        .next()
        .unwrap_or(text)
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element
        .attributes()
        .flatten()
        .find(|a| a.key.as_ref() == name)?;
    let raw = found.value.clone().into_owned();
    Some(match quick_xml::escape::unescape(&raw) {
        Ok(text) => text.into_owned(),
        Err(_) => raw,
    })
}

/// `AB12`: the column, from 0.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase);
    letters
        .take(4)
        .map(|b| usize::from(b - b'A') + 1)
        .reduce(|all, one| all * 26 + one)
        .map(|n| n - 1)
}

#[cfg(test)]
mod tests {
    use super::cell::letters;
    use super::*;

    #[test]
    fn columns_have_letters() {
        for (column, name) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")] {
            assert_eq!(letters(column), name);
            assert_eq!(column_of(&format!("{name}7")), Some(column));
        }
    }

    #[test]
    fn dates_are_days_where_the_column_has_numbers() {
        // 46037 is 2026-01-15 in the fixture, as openpyxl wrote it.
        assert_eq!(Value::of("2026-01-15", true), Value::Date("46037".into()));
        assert_eq!(
            Value::of("2026-01-15T12:00:00Z", true),
            Value::Date("46037.5000000000".into())
        );
        assert_eq!(
            Value::of("2026-01-15", false),
            Value::Text("2026-01-15".into())
        );
        assert_eq!(Value::of("2048", true), Value::Number("2048".into()));
        assert_eq!(Value::of("0815", true), Value::Text("0815".into()));
    }

    #[test]
    fn the_used_range_grows() {
        assert_eq!(
            extended("<dimension ref=\"A1:K9\" />", 12).as_deref(),
            Some("<dimension ref=\"A1:K12\" />")
        );
    }
}
