//! Why an export cannot be used.

use std::io;

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
        "{name}: no inventory; expected CSV whose header names columns such as ID, Fingerprint, Owner and Expires On (or the same as XLSX, ODS \
         or SQLite), or JSON or YAML (an array of objects, an object with one such array, or one object a line), but saw {seen}"
    )]
    NotAnInventory {
        /// File name.
        name: String,
        /// What it looks like.
        seen: String,
    },
    /// It has a form that is known, and cannot be read.
    #[error("{name}: {form} that cannot be read: {reason}")]
    Unreadable {
        /// File name.
        name: String,
        /// The form.
        form: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Rows cannot be written in its form.
    #[error(
        "{name}: {what}; rows are written into delimited text, XLSX, JSON, JSON Lines and YAML. `keymuster inventory convert` makes one of these of it"
    )]
    NotWritten {
        /// File name.
        name: String,
        /// What it is.
        what: String,
    },
    /// A database did not give its rows.
    #[error("{name}: {reason}")]
    Database {
        /// What is cited for it; no password.
        name: String,
        /// What it said.
        reason: String,
    },
    /// A profile cannot be used.
    #[error("{path}: no profile: {reason}")]
    Profile {
        /// The path as given.
        path: String,
        /// What is wrong.
        reason: String,
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
    /// Something else about it as a whole says that rows are lacking.
    #[error("{name}: {reason}")]
    Doubtful {
        /// File name.
        name: String,
        /// What is doubtful.
        reason: String,
    },
}

impl InventoryError {
    pub(super) fn not_written(name: &str, what: &str) -> Self {
        Self::NotWritten {
            name: name.to_owned(),
            what: what.to_owned(),
        }
    }

    pub(super) fn not_one(name: &str, seen: &str) -> Self {
        Self::NotAnInventory {
            name: name.to_owned(),
            seen: seen.to_owned(),
        }
    }
}
