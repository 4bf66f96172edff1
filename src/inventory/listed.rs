//! Builds a table from rows whose columns are named one by one.

use super::InventoryError;
use super::table::{MAX_CELL, MAX_COLUMNS, Table};
use std::collections::HashMap;

/// A table that is being built.
#[derive(Debug, Default)]
pub(super) struct Listed {
    table: Table,
    columns: HashMap<String, usize>,
}

impl Listed {
    /// Adds a row; what stands several times under one name is joined by new lines.
    pub(super) fn push<N: AsRef<str>>(
        &mut self,
        name: &str,
        at: u64,
        cells: impl IntoIterator<Item = (N, String)>,
    ) -> Result<(), InventoryError> {
        let mut row: Vec<(usize, String)> = Vec::new();
        for (header, text) in cells {
            let text = text.trim();
            if text.is_empty() || text.len() > MAX_CELL {
                continue;
            }
            let column = self.column(name, header.as_ref())?;
            match row.iter_mut().find(|(at, _)| *at == column) {
                Some((_, before)) if before.len() + text.len() < MAX_CELL => {
                    if !before.lines().any(|line| line == text) {
                        before.push('\n');
                        before.push_str(text);
                    }
                }
                Some(_) => {}
                None => row.push((column, text.to_owned())),
            }
        }
        row.sort_by_key(|(column, _)| *column);
        let cells = row.iter().map(|(column, text)| (*column, text.as_str()));
        self.table.push(name, at, cells)
    }

    /// The table.
    pub(super) fn finish(self) -> Table {
        self.table
    }

    fn column(&mut self, name: &str, header: &str) -> Result<usize, InventoryError> {
        if let Some(column) = self.columns.get(header) {
            return Ok(*column);
        }
        let column = self.table.headers.len();
        if column >= MAX_COLUMNS {
            return Err(InventoryError::TooMany {
                name: name.to_owned(),
                what: "columns",
                limit: MAX_COLUMNS,
            });
        }
        self.table.headers.push(header.to_owned());
        self.columns.insert(header.to_owned(), column);
        Ok(column)
    }
}
