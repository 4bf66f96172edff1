//! Writes exports: what was there with edits, or entries in columns of our own. One file a form.
//!
//! Text that begins as a formula does is defused in what a spreadsheet opens: a found name may be anybody's.

pub(super) mod cbom;
pub(super) mod delimited;
mod json;
pub(super) mod xlsx;
pub(super) mod yaml;

use super::propose::{Edits, Extent};
use super::table::Table;
use super::text::{self, Text};
use super::{InventoryError, ReadOptions};
use std::collections::HashSet;

/// The header of the column that says why.
const REASONS: &str = "Proposal";

/// An export as it came in.
pub(super) enum Original<'a> {
    /// CSV and its like.
    Delimited(Text<'a>),
    /// A JSON document.
    Json(json::Document<'a>),
    /// JSON, an object a line.
    Lines(Text<'a>),
    /// YAML.
    Yaml(yaml::Document<'a>),
    /// XLSX.
    Xlsx(xlsx::Workbook),
}

impl<'a> Original<'a> {
    /// Takes an export apart as far as writing needs it.
    pub(super) fn read(
        name: &str,
        bytes: &'a [u8],
        form: &str,
        table: &Table,
        options: &ReadOptions,
    ) -> Result<Self, InventoryError> {
        let decoded = || text::decode(bytes).map_err(|seen| InventoryError::not_one(name, seen));
        Ok(match form {
            "delimited text" => Self::Delimited(decoded()?),
            "JSON Lines" => Self::Lines(decoded()?),
            "JSON" => Self::Json(json::Document::read(name, decoded()?, options)?),
            "YAML" => Self::Yaml(yaml::Document::read(name, decoded()?, options)?),
            "XLSX" => Self::Xlsx(xlsx::Workbook::read(name, bytes, table)?),
            other => return Err(InventoryError::not_written(name, other)),
        })
    }

    /// The columns whose values are lists in the file.
    pub(super) fn list_columns(&self, table: &Table) -> HashSet<usize> {
        let is_list = |index: &usize| {
            let header = table.headers.get(*index).map_or("", String::as_str);
            match self {
                Self::Json(document) => document.rows().any(|row| json::is_list(&row, header)),
                Self::Yaml(document) => document.rows().any(|row| json::is_list(row, header)),
                Self::Lines(text) => json::lines(&text.text).any(|row| json::is_list(&row, header)),
                Self::Delimited(_) | Self::Xlsx(_) => false,
            }
        };
        (0..table.headers.len()).filter(is_list).collect()
    }

    /// The export with the edits.
    pub(super) fn write(
        &self,
        table: &Table,
        edits: &Edits,
        extent: Extent,
    ) -> Result<Vec<u8>, InventoryError> {
        match self {
            Self::Delimited(text) => {
                Ok(text.encode(&delimited::write(&text.text, table, edits, extent)))
            }
            Self::Json(document) => Ok(document.write(table, edits, extent)),
            Self::Lines(text) => {
                Ok(text.encode(&json::write_lines(&text.text, table, edits, extent)))
            }
            Self::Yaml(document) => Ok(document.write(table, edits, extent)),
            Self::Xlsx(workbook) => workbook.write(table, edits, extent),
        }
    }
}

/// Text that no spreadsheet takes for a formula: what begins like one has an apostrophe before it.
fn defused(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// What the column of reasons says.
fn reason(is_new: bool, flag: crate::model::Flag, why: &str) -> String {
    let what = if is_new { "new" } else { "changed" };
    let owner = if is_new {
        "; the owner is to be named"
    } else {
        ""
    };
    format!("{what}: {}: {why}{owner}", flag.as_str())
}

#[cfg(test)]
mod tests {
    use super::defused;

    #[test]
    fn formulas_are_defused_and_nothing_else() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("CN=a", "CN=a"),
            ("", ""),
        ] {
            assert_eq!(defused(text), expected);
        }
    }
}
