//! Reads exports into entries.
//!
//! ```text
//! bytes → text (encoding) → table (delimited | json: headers and rows of text)
//!   → mapping (which column is which field) → rows (each cell by its field) → Inventory
//! ```
//!
//! The form is decided by content, never by the file's name. What cannot be read is told with file, row, column and reason,
//! and the rest is used; a message gives the shape of a cell and never its content, as secrets stand in wrong columns too.

mod columns;
mod dates;
mod delimited;
mod fingerprint;
mod heading;
mod hush;
mod issuer_serial;
mod json;
mod mapping;
mod period;
mod place_columns;
mod places;
mod rows;
mod serial;
mod table;
mod text;
mod words;

use crate::model::{Inventory, RowFault};
use columns::Field;
use mapping::Use;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Largest export that is read, in bytes.
pub const MAX_BYTES: u64 = 512 << 20;

/// How an export is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Columns whose meaning the user gives: field name and header. The field `extra` takes a column out of the guessing.
    pub map: Vec<(String, String)>,
    /// Whether to use an export that has no usable row, more than a fifth unusable, or a page token left.
    pub allow_partial: bool,
}

/// Why an export cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The path as given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than what is read.
    #[error("{name}: larger than the {limit} bytes that are read")]
    TooLarge {
        /// File name.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// It has more of something than what is read.
    #[error("{name}: more than {limit} {what}")]
    TooMany {
        /// File name.
        name: String,
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It is something else.
    #[error(
        "{name}: no inventory; expected CSV whose header names columns such as ID, Fingerprint, Owner and Expires On, or JSON \
         (an array of objects, an object with one such array, or one object a line), but saw {seen}"
    )]
    NotAnInventory {
        /// File name.
        name: String,
        /// What it looks like.
        seen: String,
    },
    /// It begins like JSON and is none.
    #[error("{name}: JSON {} at line {line}, column {column}", if *.truncated { "that ends too early" } else { "with a fault" })]
    Json {
        /// File name.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// Whether the end is lacking.
        truncated: bool,
    },
    /// It has several arrays that could be the inventory.
    #[error("{name}: one array of objects is expected, but there are {}; keep one of them", .arrays.join(", "))]
    SeveralArrays {
        /// File name.
        name: String,
        /// Their names and sizes.
        arrays: Vec<String>,
    },
    /// A mapped field is not known.
    #[error("no field {field:?}; there are {known}, and extra for none")]
    UnknownField {
        /// The word given.
        field: String,
        /// All names.
        known: String,
    },
    /// A mapped column is not there.
    #[error("no column {column:?}; there are {present}")]
    UnknownColumn {
        /// The word given.
        column: String,
        /// All headers.
        present: String,
    },
    /// A column is mapped to two fields.
    #[error("column {column:?} is mapped twice")]
    MappedTwice {
        /// The column.
        column: String,
    },
    /// It has no rows that could be used.
    #[error("{name}: no usable row")]
    NoRows {
        /// File name.
        name: String,
    },
    /// More than a fifth of its rows could not be used.
    #[error(
        "{name}: {unusable} of {rows} rows cannot be used, more than a fifth; the first: {first}"
    )]
    TooManyUnusable {
        /// File name.
        name: String,
        /// Rows in all.
        rows: u64,
        /// Rows that were left out, or whose identifiers are all unreadable.
        unusable: u64,
        /// Place and reason of the first fault.
        first: String,
    },
    /// It is one page of several.
    #[error("{name}: a page token is left in it ({token}), so rows are lacking")]
    PageToken {
        /// File name.
        name: String,
        /// The member's name.
        token: String,
    },
}

impl InventoryError {
    fn not_one(name: &str, seen: &str) -> Self {
        Self::NotAnInventory {
            name: name.to_owned(),
            seen: seen.to_owned(),
        }
    }
}

/// Reads an export from a file.
///
/// # Errors
/// If it cannot be read, is no inventory, or is too incomplete to rest judgements on.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Inventory, InventoryError> {
    let failed = |source| InventoryError::Io {
        path: path.display().to_string(),
        source,
    };
    let name = path.file_name().map_or_else(
        || path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    );
    let file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    let too_large = || InventoryError::TooLarge {
        name: name.clone(),
        limit: MAX_BYTES,
    };
    if facts.len() > MAX_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large());
    }
    let mut inventory = read_bytes(&name, &bytes, options)?;
    inventory.path = path.display().to_string();
    // A pipe has no date of its content.
    if facts.is_file() {
        inventory.as_of = facts
            .modified()
            .ok()
            .and_then(|t| jiff::Timestamp::try_from(t).ok());
    }
    Ok(inventory)
}

/// Reads an export from its bytes; `name` is what its rows are cited by.
///
/// # Errors
/// If it is no inventory, or is too incomplete to rest judgements on.
pub fn read_bytes(
    name: &str,
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<Inventory, InventoryError> {
    let text = text::decode(bytes).map_err(|seen| InventoryError::not_one(name, seen))?;
    let mapped: Vec<String> = options
        .map
        .iter()
        .map(|(_, column)| column.clone())
        .collect();
    let mut table = if text.text.trim_start().starts_with(['{', '[']) {
        json::read(name, &text.text)?
    } else {
        delimited::read(name, &text.text, &mapped)?
    };
    let own_ids = |column: usize| holds_own_ids(&table, column);
    let mapping = mapping::assign(&table.headers, &options.map, own_ids)?;
    if !mapping.uses.iter().any(|u| matches!(u, Use::Field(..))) {
        return Err(InventoryError::not_one(
            name,
            "rows of which no column is known",
        ));
    }
    let understood = rows::understand(name, &table, &mapping);
    let of_file = |column: Option<String>, reason: String| RowFault {
        source: name.to_owned(),
        column,
        reason,
        row_lost: false,
    };
    let mut faults: Vec<RowFault> = Vec::new();
    faults.extend(text.notice.map(|notice| of_file(None, notice.to_owned())));
    faults.extend(
        mapping
            .remarks
            .into_iter()
            .map(|(header, reason)| of_file(Some(hush::quoted(&header)), reason)),
    );
    faults.append(&mut table.faults);
    faults.extend(understood.faults);
    let rows = (table.rows.len() + table.lost) as u64;
    let unusable = (table.lost + understood.spoilt) as u64;
    if !options.allow_partial {
        if let Some(token) = table.page_token {
            return Err(InventoryError::PageToken {
                name: name.to_owned(),
                token,
            });
        }
        if rows > unusable && unusable * 5 > rows {
            return Err(too_many_unusable(name, rows, unusable, &faults));
        }
        if rows <= unusable {
            return Err(if rows == 0 {
                InventoryError::NoRows {
                    name: name.to_owned(),
                }
            } else {
                too_many_unusable(name, rows, unusable, &faults)
            });
        }
    } else if let Some(token) = table.page_token {
        faults.push(of_file(
            None,
            format!("a page token is left in it ({token}), so rows are lacking"),
        ));
    }
    let field = |used: &Use| match used {
        Use::Field(field, _) => Some(*field),
        _ => None,
    };
    Ok(Inventory {
        name: name.to_owned(),
        path: name.to_owned(),
        as_of: None,
        rows,
        unusable,
        entries: understood.entries,
        faults,
        has_owner_column: mapping
            .uses
            .iter()
            .filter_map(field)
            .any(|f| f == Field::Owner),
        columns: table
            .headers
            .into_iter()
            .zip(
                mapping
                    .uses
                    .iter()
                    .map(|u| field(u).map(|f| f.name().to_owned())),
            )
            .collect(),
    })
}

/// Whether a column, which by its name holds the register's own ids, holds key ids of ours instead.
fn holds_own_ids(table: &table::Table, column: usize) -> bool {
    let mut cells = table
        .rows
        .iter()
        .flat_map(|row| &row.cells)
        .filter(|(at, cell)| *at == column && !words::is_nothing(cell))
        .peekable();
    cells.peek().is_some() && cells.all(|(_, cell)| fingerprint::own_key_id(cell).is_some())
}

fn too_many_unusable(name: &str, rows: u64, unusable: u64, faults: &[RowFault]) -> InventoryError {
    let first = faults
        .iter()
        .find(|f| f.row_lost)
        .or_else(|| faults.iter().find(|f| f.source != name))
        .map_or_else(String::new, |f| format!("{}: {}", f.source, f.reason));
    InventoryError::TooManyUnusable {
        name: name.to_owned(),
        rows,
        unusable,
        first,
    }
}
