//! Reads exports into entries.
//!
//! ```text
//! source (file | database) → content (which form) → table (headers and rows of text)
//!   → profile (which product's columns) → mapping (which column is which field)
//!   → rows (each cell by its field) → Inventory → merge (several complement each other)
//! ```
//!
//! The form is decided by content, never by the file's name. What cannot be read is told with file, row, column and reason,
//! and the rest is used; a message gives the shape of a cell and never its content, as secrets stand in wrong columns too.

// From bytes to a table, one file a form.
mod content;
mod source;

mod cbom;
mod certbot;
mod database;
mod delimited;
mod json;
mod listed;
mod own;
mod record;
mod records;
mod row;
mod table;
mod text;
mod workbook;
mod yaml;

// From a table to entries.
mod columns;
mod heading;
mod mapping;
mod profile;
mod rows;

// What stands in a cell.
mod carried;
mod cells;
mod dates;
mod fingerprint;
mod hush;
mod issuer_serial;
mod memo;
mod period;
mod place_columns;
mod places;
mod serial;
mod words;

// From entries and proposals to bytes, one file a form.
mod convert;
mod propose;
mod write;

// What is to be said of whole exports.
mod check;
mod error;
mod gate;
mod merge;

// Another list than keys.
mod hosts;

pub use check::{Owner, row_faults};
pub use convert::{Converted, Form, convert};
pub use error::InventoryError;
pub use gate::stop;
pub use hosts::read_hosts;
pub use merge::merge;
pub use profile::Profile;
pub use propose::{Extent, Proposed, propose, propose_bytes};
pub use source::shown;

use crate::model::{Inventory, RowFault};
use columns::Field;
use content::Content;
use database::Select;
use mapping::Use;
use source::Loaded;
use std::path::Path;

/// Largest export that is read, in bytes.
pub const MAX_BYTES: u64 = 512 << 20;

/// How an export is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Columns whose meaning the user gives: field name and header. The field `extra` takes a column out of the guessing.
    pub map: Vec<(String, String)>,
    /// The user's own profiles, which are asked before those that are built in.
    pub profiles: Vec<Profile>,
    /// Its date, where the user tells one.
    pub as_of: Option<jiff::Timestamp>,
    /// Whether to use an export although something about it as a whole says that rows are lacking or unusable.
    pub allow_partial: bool,
}

/// Reads an export: a file, `sqlite:FILE?table=NAME`, or `postgres://…?table=NAME` (or `query=`).
///
/// # Errors
/// If it cannot be read, is no inventory, or is too incomplete to rest judgements on.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Inventory, InventoryError> {
    let loaded = source::load(path)?;
    let mut inventory = match loaded {
        Loaded::Bytes {
            name,
            bytes,
            select,
        } => content::read(&name, bytes, &select, options)
            .and_then(|c| understand(&name, c, options))?,
        Loaded::Table { name, content } => understand(&name, *content, options)?,
    };
    inventory.path = source::shown(path);
    inventory.as_of = inventory.as_of.or_else(|| source::changed(path));
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
    let content = content::read(name, bytes.to_vec(), &Select::Only, options)?;
    understand(name, content, options)
}

/// From a table to entries.
fn understand(
    name: &str,
    content: Content,
    options: &ReadOptions,
) -> Result<Inventory, InventoryError> {
    let Content {
        mut table,
        form,
        notice,
        made,
    } = content;
    let profile = profile::choose(&options.profiles, &table.headers);
    if let Some(profile) = profile {
        profile.apply(&mut table);
    }
    let own_ids = |column: usize| holds_own_ids(&table, column);
    let mapping = mapping::assign(&table.headers, &options.map, profile, own_ids)?;
    if !mapping.uses.iter().any(|u| matches!(u, Use::Field(..))) {
        return Err(InventoryError::not_one(
            name,
            "rows of which no column is known",
        ));
    }
    let suspicions = profile.map_or_else(Vec::new, |p| p.suspicions(&table));
    let rows = std::mem::take(&mut table.rows);
    let count = rows.len() + table.lost;
    let understood = rows::understand(name, &table.headers, &rows, &mapping);
    drop(rows);
    let of_file = |column: Option<String>, reason: String| RowFault {
        source: name.to_owned(),
        column,
        reason,
        row_lost: false,
    };
    let mut faults: Vec<RowFault> = Vec::new();
    faults.extend(notice.map(|notice| of_file(None, notice.to_owned())));
    faults.extend(
        mapping
            .remarks
            .into_iter()
            .map(|(header, reason)| of_file(Some(hush::quoted(&header)), reason)),
    );
    faults.append(&mut table.faults);
    faults.extend(understood.faults);
    let field = |used: &Use| match used {
        Use::Field(field, _) => Some(*field),
        _ => None,
    };
    let mut inventory = Inventory {
        name: name.to_owned(),
        path: name.to_owned(),
        form,
        profile: profile.map(|p| p.name.clone()),
        as_of: options.as_of.or(made),
        rows: count as u64,
        unusable: (table.lost + understood.spoilt) as u64,
        entries: understood.entries,
        faults,
        notes: table.notes,
        doubts: Vec::new(),
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
    };
    inventory.doubts = gate::doubts(&inventory, table.page_token.as_deref(), suspicions);
    if options.allow_partial {
        Ok(inventory)
    } else {
        match gate::stop(&inventory) {
            Some(error) => Err(error),
            None => Ok(inventory),
        }
    }
}

/// Whether a column, which by its name holds the register's own ids, holds key ids of ours instead.
fn holds_own_ids(table: &table::Table, column: usize) -> bool {
    let mut cells = table
        .rows
        .iter()
        .flat_map(|row| row.cells.iter())
        .filter(|(at, cell)| *at == column && !words::is_nothing(cell))
        .peekable();
    cells.peek().is_some() && cells.all(|(_, cell)| fingerprint::own_key_id(cell).is_some())
}
