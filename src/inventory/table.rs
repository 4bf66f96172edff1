//! What all forms of export become before they are understood: headers and rows of text.

use super::InventoryError;
pub(super) use super::row::{Cell, Cells, Row, Rows, Span};
use crate::model::RowFault;

/// Most rows that an export may have.
pub(super) const MAX_ROWS: usize = 2_000_000;
/// Most columns (or distinct member names) that an export may have.
pub(super) const MAX_COLUMNS: usize = 1_000;
/// Most filled cells that an export may have; keeps memory bounded.
pub(super) const MAX_CELLS: usize = 20_000_000;
/// Longest cell that is used, in bytes; certificates as text fit.
pub(super) const MAX_CELL: usize = 1 << 20;

/// An export as headers and rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// Headers, in the order of the file.
    pub(super) headers: Vec<String>,
    /// Rows that are not wholly empty.
    pub(super) rows: Rows,
    /// What was done with it that is no fault.
    pub(super) notes: Vec<String>,
    /// What is wrong with its form.
    pub(super) faults: Vec<RowFault>,
    /// How many rows were left out for their form.
    pub(super) lost: usize,
    /// The name of a member that says that there are more pages.
    pub(super) page_token: Option<String>,
    /// Where its header stands in what it was read from.
    pub(super) origin: Origin,
    cells: usize,
}

/// Where a header row stands; of forms that have one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// Its line or row, from 1.
    pub(super) line: u64,
    /// What stands between cells of delimited text.
    pub(super) delimiter: u8,
    /// The sheet of a workbook.
    pub(super) sheet: String,
}

impl Table {
    /// Adds a row; a wholly empty one is passed over.
    pub(super) fn push<'a>(
        &mut self,
        name: &str,
        at: u64,
        cells: impl Iterator<Item = (usize, &'a str)>,
    ) -> Result<(), InventoryError> {
        let mut kept = Vec::new();
        for (column, text) in cells {
            let span = self.rows.keep(text).ok_or_else(|| too_much_text(name))?;
            kept.push((column, span));
        }
        self.push_parts(name, at, kept.into_iter())
    }

    /// Adds a row whose cells are parts of the text that the rows will have.
    pub(super) fn push_parts(
        &mut self,
        name: &str,
        at: u64,
        cells: impl ExactSizeIterator<Item = (usize, Span)>,
    ) -> Result<(), InventoryError> {
        if cells.len() == 0 {
            return Ok(());
        }
        self.cells += cells.len();
        let limit = match self.rows.len() {
            MAX_ROWS.. => MAX_ROWS,
            _ if self.cells > MAX_CELLS => MAX_CELLS,
            _ if self.rows.push(at, cells) => return Ok(()),
            _ => MAX_CELLS,
        };
        Err(InventoryError::TooMany {
            name: name.to_owned(),
            what: "rows or cells",
            limit,
        })
    }

    /// Tells that a row was left out.
    pub(super) fn lose(&mut self, name: &str, at: u64, reason: String) {
        self.lost += 1;
        self.faults.push(RowFault {
            source: format!("{name}:{at}"),
            column: None,
            reason,
            row_lost: true,
        });
    }

    /// Notes something about the export as a whole that is no fault.
    pub(super) fn note(&mut self, reason: String) {
        self.notes.push(reason);
    }

    /// Tells something about a row that is used all the same.
    pub(super) fn tell(&mut self, name: &str, at: u64, reason: String) {
        self.faults.push(RowFault {
            source: format!("{name}:{at}"),
            column: None,
            reason,
            row_lost: false,
        });
    }
}

/// Cells are counted in 32 bits; a file's bounds are below that.
pub(super) fn too_much_text(name: &str) -> InventoryError {
    InventoryError::TooMany {
        name: name.to_owned(),
        what: "bytes of text",
        limit: u32::MAX as usize,
    }
}

/// The member names by which interfaces say that an answer is one page of several, in compact form.
pub(super) fn is_page_token(compact_name: &str) -> bool {
    matches!(
        compact_name,
        "nexttoken"
            | "nextpagetoken"
            | "odatanextlink"
            | "nextlink"
            | "nextmarker"
            | "nextcursor"
            | "nextpage"
            | "continuationtoken"
            | "lastevaluatedkey"
            | "istruncated"
            | "hasmore"
            | "moreresults"
            | "nextkey"
    )
}
