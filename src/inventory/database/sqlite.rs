//! An SQLite database, read into memory: the engine opens no file, so that nothing is written beside one.
//!
//! A schema may hold triggers, views and functions of its maker. It is not trusted, no other database can be attached, one
//! statement is run that only reads, and it ends after a while.

use super::Select;
use crate::inventory::InventoryError;
use crate::inventory::hush::quoted;
use crate::inventory::listed::Listed;
use crate::inventory::table::{MAX_CELL, Table};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB};
use std::time::{Duration, Instant};

/// What every database begins with ("Database File Format", section 1.3).
pub(in crate::inventory) const MAGIC: &[u8] = b"SQLite format 3\0";
/// Longest time for a statement.
const MAX_TIME: Duration = Duration::from_secs(120);
/// Steps of the engine between two looks at the clock.
const STEPS: i32 = 10_000;

/// Reads what is selected.
pub(in crate::inventory) fn read(
    name: &str,
    mut bytes: Vec<u8>,
    select: &Select,
) -> Result<Table, InventoryError> {
    let failed = |reason: String| InventoryError::Database {
        name: name.to_owned(),
        reason,
    };
    // A database that keeps a write-ahead log (2 at offsets 18 and 19) cannot be opened in memory; as a journalled one it can.
    if let Some(versions) = bytes.get_mut(18..20) {
        versions.fill(1);
    }
    let connection = open(&bytes).map_err(|error| failed(told(&error)))?;
    let statement = match select.statement() {
        Some(statement) => statement,
        None => {
            let tables = tables(&connection).map_err(|error| failed(told(&error)))?;
            match tables.as_slice() {
                [only] => Select::Table(only.clone()).statement().unwrap_or_default(),
                [] => return Err(failed("it has no table".to_owned())),
                many => {
                    let names: Vec<String> = many.iter().take(20).map(|t| quoted(t)).collect();
                    return Err(failed(format!(
                        "it has {} tables: {}; name one as sqlite:FILE?table=NAME",
                        many.len(),
                        names.join(", ")
                    )));
                }
            }
        }
    };
    let mut prepared = connection
        .prepare(&statement)
        .map_err(|error| failed(told(&error)))?;
    if !prepared.readonly() || prepared.column_count() == 0 {
        return Err(failed("the query does not read".to_owned()));
    }
    let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let mut rows = prepared.query([]).map_err(|error| failed(told(&error)))?;
    let mut table = Listed::default();
    let mut at = 0;
    while let Some(row) = rows.next().map_err(|error| failed(told(&error)))? {
        at += 1;
        let cells = columns.iter().enumerate().filter_map(|(index, column)| {
            let text = text(row.get_ref(index).ok()?)?;
            Some((column.as_str(), text))
        });
        table.push(name, at, cells)?;
    }
    Ok(table.finish())
}

fn open(bytes: &[u8]) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 64 << 20)?;
    let started = Instant::now();
    connection.progress_handler(STEPS, Some(move || started.elapsed() > MAX_TIME))?;
    connection.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), true)?;
    connection.execute_batch("PRAGMA query_only=1; PRAGMA cell_size_check=1;")?;
    Ok(connection)
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.take(1_000).collect()
}

/// A value as text; bytes as hexadecimal digits, which is how digests are kept.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) if bytes.len() <= MAX_CELL => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        ValueRef::Blob(bytes) if bytes.len() <= MAX_CELL / 2 => {
            Some(bytes.iter().map(|b| format!("{b:02x}")).collect())
        }
        _ => None,
    }
}

/// What the engine says, without the statement that it repeats.
fn told(error: &rusqlite::Error) -> String {
    let text = match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            message.clone().unwrap_or_else(|| code.to_string())
        }
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::MultipleStatement => "more than one statement".to_owned(),
        other => other.to_string(),
    };
    if text.contains("interrupted") {
        return format!("it took longer than {} s", MAX_TIME.as_secs());
    }
    quoted(&text)
}
