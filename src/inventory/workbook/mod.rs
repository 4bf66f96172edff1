//! Reads workbooks (XLSX, ODS) into a table: the sheet whose header names the most known columns.

mod bounds;
mod ods;
mod xlsx;

use super::InventoryError;
use super::delimited;
use super::hush::quoted;
use super::table::Table;

/// What every ZIP archive with a member begins with.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// Most sheets that are looked at.
const MAX_SHEETS: usize = 200;
/// Most rows of a sheet; both formats allow this many.
const MAX_ROWS: u64 = 1_048_576;
/// Most filled cells of a workbook.
const MAX_CELLS: usize = 20_000_000;
/// Most text of a workbook's cells, in bytes.
const MAX_TEXT: usize = 512 << 20;

/// Why a workbook is not read.
const TOO_MANY_CELLS: &str = "it has more cells than are read";

/// A sheet: its filled rows, each with its number from 1.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    name: String,
    rows: Vec<(u64, Vec<String>)>,
}

/// The sheets of a workbook as they are read, bounded.
#[derive(Debug, Default)]
struct Sheets {
    list: Vec<Sheet>,
    cells: usize,
    text: usize,
}

impl Sheets {
    /// Puts a cell into the last sheet; both numbers from 0.
    fn put(&mut self, row: u64, column: usize, text: &str) -> Result<(), &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        self.cells += 1;
        self.text += text.len();
        if self.cells > MAX_CELLS || self.text > MAX_TEXT {
            return Err(TOO_MANY_CELLS);
        }
        if row >= MAX_ROWS || column >= super::table::MAX_COLUMNS {
            return Err("it has more rows or columns than are read");
        }
        let Some(sheet) = self.list.last_mut() else {
            return Ok(());
        };
        if sheet.rows.last().is_none_or(|(last, _)| *last != row + 1) {
            sheet.rows.push((row + 1, Vec::new()));
        }
        if let Some((_, cells)) = sheet.rows.last_mut() {
            // An empty cell has no memory of its own; columns are bounded above.
            while cells.len() <= column {
                cells.push(String::new());
            }
            if let Some(cell) = cells.get_mut(column) {
                *cell = text.to_owned();
            }
        }
        Ok(())
    }
}

/// Reads a workbook; gives the table and what its form is called.
pub(super) fn read(
    name: &str,
    bytes: &[u8],
    wanted: &[String],
) -> Result<(Table, &'static str), InventoryError> {
    let failed = |form: &'static str| {
        move |reason: &str| InventoryError::Unreadable {
            name: name.to_owned(),
            form,
            reason: reason.to_owned(),
        }
    };
    let kind = bounds::check(bytes).map_err(failed("workbook"))?;
    let (sheets, form) = match kind {
        bounds::Kind::Xlsx => (xlsx::read(bytes).map_err(failed("XLSX"))?, "XLSX"),
        bounds::Kind::Ods => (ods::read(bytes).map_err(failed("ODS"))?, "ODS"),
        bounds::Kind::Other => {
            return Err(InventoryError::not_one(
                name,
                "a ZIP archive that is no workbook",
            ));
        }
    };
    Ok((best_sheet(name, sheets, wanted)?, form))
}

/// The sheet with the most known columns, of equal ones the first. Another one that looks like an inventory too is told.
fn best_sheet(name: &str, sheets: Sheets, wanted: &[String]) -> Result<Table, InventoryError> {
    let mut rated: Vec<(usize, Sheet)> = sheets
        .list
        .into_iter()
        .map(|sheet| (delimited::known_columns(&sheet.rows, wanted), sheet))
        .collect();
    let Some(best) = rated
        .iter()
        .enumerate()
        .max_by_key(|(at, (known, sheet))| (*known, sheet.rows.len().min(2), usize::MAX - at))
        .map(|(at, _)| at)
        .filter(|at| rated.get(*at).is_some_and(|(known, _)| *known > 0))
    else {
        return Err(InventoryError::not_one(
            name,
            "a workbook without a sheet whose header names known columns",
        ));
    };
    let (_, sheet) = rated.remove(best);
    let several = !rated.is_empty();
    let others: Vec<String> = rated
        .iter()
        .filter(|(known, other)| *known >= 2 && other.rows.len() > 1)
        .map(|(_, other)| quoted(&other.name))
        .collect();
    let mut table = delimited::from_rows(name, sheet.rows, wanted)?;
    table.origin.sheet.clone_from(&sheet.name);
    if several {
        let mut told = format!("the sheet {} was read", quoted(&sheet.name));
        if !others.is_empty() {
            told.push_str(&format!(
                ", and not {}, which has known columns too",
                others.join(", ")
            ));
        }
        table.note(told);
    }
    Ok(table)
}

/// A number as a person would have typed it. Spreadsheets keep 15 digits: what is longer is written as they show it, with
/// an exponent, so that its lost digits are told.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    if value.abs() >= 1e15 {
        return format!("{value:.5E}").replace('E', "E+");
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_written_as_typed_or_told_as_rounded() {
        for (value, expected) in [
            (2048.0, "2048"),
            (0.5, "0.5"),
            (-3.0, "-3"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e15, "1.00000E+15"),
            (1.234_567e47, "1.23457E+47"),
            (f64::NAN, ""),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
