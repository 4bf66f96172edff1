//! Office Open XML, cell by cell. A sheet as a whole would be given as a rectangle, which two cells far apart make
//! larger than any memory.

use super::{MAX_SHEETS, Sheet, Sheets, number};
use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use std::io::Cursor;

/// Reads all sheets.
pub(super) fn read(bytes: &[u8]) -> Result<Sheets, &'static str> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|_| "its workbook cannot be read")?;
    let mut sheets = Sheets::default();
    for name in book.sheet_names().into_iter().take(MAX_SHEETS) {
        // A sheet of charts has no cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else {
            continue;
        };
        sheets.list.push(Sheet {
            name,
            rows: Vec::new(),
        });
        while let Some(cell) = cells.next_cell().map_err(|_| "a sheet cannot be read")? {
            let (row, column) = cell.get_position();
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            let text = match cell.get_value() {
                DataRef::Empty => continue,
                DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                    text.clone()
                }
                DataRef::SharedString(text) => (*text).to_owned(),
                DataRef::Int(value) => value.to_string(),
                DataRef::Float(value) => number(*value),
                DataRef::Bool(value) => value.to_string(),
                DataRef::DateTime(moment) => date(moment),
                // `#N/A` and the like say nothing.
                DataRef::Error(_) => continue,
            };
            sheets.put(u64::from(row), column, &text)?;
        }
    }
    Ok(sheets)
}

/// A cell that is formatted as a date: a day has no time, and a period is days.
fn date(moment: &ExcelDateTime) -> String {
    if moment.is_duration() {
        return number(moment.as_f64());
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    if moment.as_f64().fract().abs() < f64::EPSILON {
        date
    } else {
        format!("{date}T{hour:02}:{minute:02}:{second:02}")
    }
}
