//! Writes proposals as rows of an export, in the form and columns that it came in.
//!
//! ```text
//! export → content → table → mapping (as it is read)
//! proposals → fill (cells, in the spelling of their column) → write (a file a form) → read again, to be sure
//! ```

mod fill;
mod identifiers;
pub(super) mod place_cells;
mod spelling;

use super::content::{self, Content};
use super::database::Select;
use super::profile;
use super::source::{self, Loaded};
use super::write::Original;
use super::{InventoryError, ReadOptions, mapping, read_bytes};
use crate::model::{Flag, Proposal};
use std::path::Path;

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Only rows that are new or changed.
    Rows,
    /// The same, with a last column that says of each whether it is new or changed, and why.
    RowsWithReasons,
    /// The whole export with the proposals taken over; rows that were right stay as they are.
    Whole,
}

/// An export with proposals.
#[derive(Debug)]
pub struct Proposed {
    /// The file.
    pub bytes: Vec<u8>,
    /// Rows that are new, with the finding that each answers, and why.
    pub added: Vec<(Flag, String)>,
    /// Rows that are changed: line or row, finding, reason.
    pub changed: Vec<(u64, Flag, String)>,
    /// New rows that no column of this export can name strongly.
    pub unnamed: usize,
    /// Rows of other exports, which were left as they are.
    pub elsewhere: Vec<String>,
}

/// The cells that are to be written.
#[derive(Debug, Default)]
pub(super) struct Edits {
    pub(super) changed: Vec<Changed>,
    pub(super) added: Vec<Added>,
    elsewhere: Vec<String>,
}

/// A row with new cells.
#[derive(Debug)]
pub(super) struct Changed {
    /// Its line or row.
    pub(super) at: u64,
    /// Column and new text; an empty one empties the cell.
    pub(super) cells: Vec<(usize, String)>,
    pub(super) flag: Flag,
    pub(super) why: String,
}

/// A new row.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) cells: Vec<(usize, String)>,
    pub(super) flag: Flag,
    pub(super) why: String,
    is_recognised: bool,
}

/// Writes proposals in the form of an export.
///
/// # Errors
/// If the export cannot be read, is of a form that is not written, or could not be read again with the proposals in it.
pub fn propose(
    path: &Path,
    options: &ReadOptions,
    proposals: &[Proposal],
    extent: Extent,
) -> Result<Proposed, InventoryError> {
    match source::load(path)? {
        Loaded::Bytes {
            name,
            bytes,
            select: Select::Only,
        } => propose_bytes(&name, bytes, options, proposals, extent),
        Loaded::Bytes { name, .. } | Loaded::Table { name, .. } => {
            Err(InventoryError::not_written(&name, "a database"))
        }
    }
}

/// The same with the bytes of an export; `name` is what its rows are cited by.
///
/// # Errors
/// As [`propose`].
pub fn propose_bytes(
    name: &str,
    bytes: Vec<u8>,
    options: &ReadOptions,
    proposals: &[Proposal],
    extent: Extent,
) -> Result<Proposed, InventoryError> {
    let content = content::read(name, bytes.clone(), &Select::Only, options)?;
    let Content { table, form, .. } = content;
    let original = Original::read(name, &bytes, &form, &table, options)?;
    let lists = original.list_columns(&table);
    let mut meant = table.clone();
    let chosen = profile::choose(&options.profiles, &table.headers);
    if let Some(chosen) = chosen {
        chosen.apply(&mut meant);
    }
    let own_ids = |column: usize| super::holds_own_ids(&meant, column);
    let mapping = mapping::assign(&meant.headers, &options.map, chosen, own_ids)?;
    let fixed = chosen.map_or_else(Vec::new, |p| p.demanded(&table.headers));
    let export = fill::Export {
        raw: &table,
        meant: &meant,
        mapping: &mapping,
        lists: &lists,
        fixed,
    };
    let edits = fill::edits(&export, name, proposals);
    let written = original.write(&table, &edits, extent)?;
    verify(name, &written, &table, &edits, options, extent)?;
    Ok(Proposed {
        bytes: written,
        unnamed: edits.added.iter().filter(|a| !a.is_recognised).count(),
        added: edits.added.into_iter().map(|a| (a.flag, a.why)).collect(),
        changed: edits
            .changed
            .into_iter()
            .map(|c| (c.at, c.flag, c.why))
            .collect(),
        elsewhere: edits.elsewhere,
    })
}

/// Nothing is given out that is not read again as it was meant.
fn verify(
    name: &str,
    written: &[u8],
    table: &super::table::Table,
    edits: &Edits,
    options: &ReadOptions,
    extent: Extent,
) -> Result<(), InventoryError> {
    let (added, changed) = (edits.added.len(), edits.changed.len());
    let expected = match extent {
        Extent::Whole => table.rows.len() + added,
        Extent::Rows | Extent::RowsWithReasons => added + changed,
    };
    if expected == 0 {
        return Ok(());
    }
    let options = ReadOptions {
        allow_partial: true,
        ..options.clone()
    };
    let content = content::read(name, written.to_vec(), &Select::Only, &options);
    let rows = content.map(|c| c.table.rows.len());
    let usable = read_bytes(name, written, &options).is_ok();
    if usable && rows.is_ok_and(|rows| rows == expected) {
        return Ok(());
    }
    Err(InventoryError::not_written(
        name,
        "an export in which further rows would not be read as rows",
    ))
}
