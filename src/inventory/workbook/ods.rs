//! OpenDocument spreadsheets (ISO/IEC 26300, part 1, section 9): `table:table`, its rows and cells. Cells and rows say how
//! often they are repeated; an empty one costs nothing here, and a filled one is put as often as the bounds allow.

use super::{MAX_ROWS, MAX_SHEETS, Sheet, Sheets, TOO_MANY_CELLS, number};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::io::{BufReader, Cursor, Read as _};

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 256;
/// Most cells that are but repetitions of another: a short file can ask for any number of them.
const MAX_COPIES: u64 = 1 << 20;
/// Longest text of a cell that is kept, in bytes.
const MAX_CELL: usize = 1 << 20;

#[derive(Default)]
struct Cell {
    repeated: u64,
    /// What the attributes say it is worth, where that is clearer than the text that is shown.
    value: Option<String>,
    text: String,
    paragraphs: usize,
}

/// Reads all sheets.
pub(super) fn read(bytes: &[u8]) -> Result<Sheets, &'static str> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| "its archive is damaged")?;
    let content = archive
        .by_name("content.xml")
        .map_err(|_| "its content is lacking")?;
    // Bounded by the check before.
    let mut reader = Reader::from_reader(BufReader::new(content.take(1 << 30)));
    let mut sheets = Sheets::default();
    let mut buffer = Vec::new();
    let (mut row, mut row_repeated, mut column) = (0u64, 1u64, 0u64);
    let mut current: Vec<(usize, String)> = Vec::new();
    let mut cell: Option<Cell> = None;
    let mut depth = 0usize;
    let mut note = 0usize;
    let mut copies = 0u64;
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|_| "its content is no XML")?;
        let empty = matches!(event, Event::Empty(_));
        match &event {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => {
                depth += usize::from(!empty);
                if depth > MAX_DEPTH {
                    return Err("its content is nested too deep");
                }
                match element.name().as_ref() {
                    "table:table" if sheets.list.len() < MAX_SHEETS => {
                        sheets.list.push(Sheet {
                            name: attribute(element, "table:name").unwrap_or_default(),
                            rows: Vec::new(),
                        });
                        row = 0;
                    }
                    "table:table-row" => {
                        row_repeated = repeated(element, "table:number-rows-repeated");
                        column = 0;
                        current.clear();
                    }
                    "table:table-cell" | "table:covered-table-cell" => {
                        cell = Some(Cell {
                            repeated: repeated(element, "table:number-columns-repeated"),
                            value: value(element),
                            ..Cell::default()
                        });
                    }
                    // A comment on a cell is no content of it.
                    "office:annotation" => note += usize::from(!empty),
                    "text:p" if note == 0 => {
                        if let Some(cell) = &mut cell {
                            if cell.paragraphs > 0 {
                                cell.text.push('\n');
                            }
                            cell.paragraphs += 1;
                        }
                    }
                    "text:s" | "text:tab" if note == 0 => push(&mut cell, " "),
                    "text:line-break" if note == 0 => push(&mut cell, "\n"),
                    _ => {}
                }
            }
            Event::Text(text) if note == 0 => {
                push(&mut cell, &text.xml10_content());
            }
            Event::CData(text) if note == 0 => {
                push(&mut cell, &text.xml10_content());
            }
            Event::GeneralRef(name) if note == 0 => push(&mut cell, &entity(name)),
            _ => {}
        }
        let ended = match &event {
            Event::End(element) => Some(element.name().as_ref().to_owned()),
            Event::Empty(element) => Some(element.name().as_ref().to_owned()),
            _ => None,
        };
        depth -= usize::from(matches!(event, Event::End(_)) && depth > 0);
        match ended.as_deref() {
            Some("office:annotation") if !empty => note = note.saturating_sub(1),
            Some("table:table-cell" | "table:covered-table-cell") => {
                let Some(done) = cell.take() else { continue };
                let text = done.value.unwrap_or(done.text);
                if !text.trim().is_empty() {
                    copies = copies.saturating_add(done.repeated - 1);
                    if copies > MAX_COPIES {
                        return Err(TOO_MANY_CELLS);
                    }
                    for at in column..column.saturating_add(done.repeated) {
                        let at = usize::try_from(at).unwrap_or(usize::MAX);
                        if at >= super::super::table::MAX_COLUMNS {
                            return Err("it has more rows or columns than are read");
                        }
                        current.push((at, text.clone()));
                    }
                }
                column = column.saturating_add(done.repeated);
            }
            Some("table:table-row") => {
                let end = row.saturating_add(row_repeated);
                if !current.is_empty() {
                    if end > MAX_ROWS {
                        return Err("it has more rows or columns than are read");
                    }
                    let cells = u64::try_from(current.len()).unwrap_or(u64::MAX);
                    copies = copies.saturating_add(cells.saturating_mul(row_repeated - 1));
                    if copies > MAX_COPIES {
                        return Err(TOO_MANY_CELLS);
                    }
                    for at in row..end {
                        for (column, text) in &current {
                            sheets.put(at, *column, text)?;
                        }
                    }
                }
                row = end;
            }
            _ => {}
        }
    }
    Ok(sheets)
}

fn push(cell: &mut Option<Cell>, text: &str) {
    if let Some(cell) = cell
        && cell.paragraphs > 0
        && cell.text.len() < MAX_CELL
    {
        cell.text.push_str(text);
    }
}

/// Section 19.385 and following: the typed values, which do not depend on how a cell is shown.
fn value(element: &BytesStart<'_>) -> Option<String> {
    let of = |name: &str| attribute(element, name);
    match of("office:value-type")?.as_str() {
        "float" | "percentage" | "currency" => of("office:value")?.parse().ok().map(number),
        "date" => of("office:date-value").map(|d| {
            d.strip_suffix("T00:00:00")
                .map_or_else(|| d.clone(), str::to_owned)
        }),
        "boolean" => of("office:boolean-value"),
        "string" => of("office:string-value"),
        _ => None,
    }
}

fn repeated(element: &BytesStart<'_>, name: &str) -> u64 {
    attribute(element, name)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1)
        .max(1)
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

/// The five names of XML and numbers; a document's own entities stay closed.
fn entity(name: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = name.resolve_char_ref() {
        return character.to_string();
    }
    match name.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
    .to_owned()
}
