//! Where an export comes from: a file, a table in an SQLite file, a PostgreSQL server.

use super::content::Content;
use super::database::{self, Select, postgres};
use super::{InventoryError, MAX_BYTES};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

const SQLITE: &str = "sqlite:";

/// What was loaded.
pub(super) enum Loaded {
    /// A file's bytes.
    Bytes {
        /// What its rows are cited by.
        name: String,
        bytes: Vec<u8>,
        /// What of a database is wanted.
        select: Select,
    },
    /// A server's rows.
    Table {
        /// What its rows are cited by.
        name: String,
        content: Box<Content>,
    },
}

/// Loads what a path or address names.
pub(super) fn load(path: &Path) -> Result<Loaded, InventoryError> {
    let text = path.to_str().unwrap_or("");
    let bad = |reason: &str| InventoryError::Database {
        name: shown(path),
        reason: reason.to_owned(),
    };
    if postgres::is_address(text) {
        let (address, select) = database::split(text).map_err(bad)?;
        let name = format!("{}/{}", database_name(&address), select.name());
        let (table, made) = postgres::read(&name, &address, &select)?;
        let content = Content {
            table,
            form: "PostgreSQL".to_owned(),
            notice: None,
            made,
        };
        return Ok(Loaded::Table {
            name,
            content: Box::new(content),
        });
    }
    let (file, select) = match text.strip_prefix(SQLITE) {
        Some(address) => {
            let (file, select) = database::split(address).map_err(bad)?;
            // `sqlite:///path` is an address too.
            let file = file.strip_prefix("//").unwrap_or(&file).to_owned();
            (PathBuf::from(file), select)
        }
        None => (path.to_owned(), Select::Only),
    };
    let mut name = file.file_name().map_or_else(
        || file.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    );
    let bytes = bytes(&file, &name)?;
    if text.starts_with(SQLITE) && !bytes.starts_with(database::sqlite::MAGIC) {
        return Err(InventoryError::not_one(&name, "no SQLite database"));
    }
    if bytes.starts_with(database::sqlite::MAGIC) {
        refuse_log(&file, &name)?;
    }
    if select != Select::Only {
        name = format!("{name}/{}", select.name());
    }
    Ok(Loaded::Bytes {
        name,
        bytes,
        select,
    })
}

fn bytes(file: &Path, name: &str) -> Result<Vec<u8>, InventoryError> {
    let failed = |source: io::Error| InventoryError::Io {
        path: file.display().to_string(),
        source,
    };
    let too_large = || InventoryError::TooLarge {
        name: name.to_owned(),
        limit: MAX_BYTES,
    };
    let opened = File::open(file).map_err(failed)?;
    let length = opened.metadata().map_err(failed)?.len();
    if length > MAX_BYTES {
        return Err(too_large());
    }
    // One more, for the end to be seen without more room.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    opened
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large());
    }
    Ok(bytes)
}

/// What stands in a write-ahead log is not in the database yet, and would be lacking.
fn refuse_log(file: &Path, name: &str) -> Result<(), InventoryError> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(&log).is_ok_and(|facts| facts.len() > 0) {
        return Err(InventoryError::Database {
            name: name.to_owned(),
            reason: "a write-ahead log lies beside it, whose rows would be lacking; run `PRAGMA wal_checkpoint(TRUNCATE)` on it first"
                .to_owned(),
        });
    }
    Ok(())
}

/// A path or address for people, without the password of an address.
pub fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if !postgres::is_address(&text) {
        return text;
    }
    let text = without_parameter(&text, "password");
    let Some((scheme, rest)) = text.split_once("://") else {
        return text;
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let Some((user, host)) = authority.rsplit_once('@') else {
        return text;
    };
    let user = user.split(':').next().unwrap_or(user);
    format!("{scheme}://{user}@{host}{tail}")
}

fn without_parameter(address: &str, name: &str) -> String {
    let Some((base, parameters)) = address.split_once('?') else {
        return address.to_owned();
    };
    let kept: Vec<&str> = parameters
        .split('&')
        .filter(|p| p.split('=').next() != Some(name))
        .collect();
    if kept.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", kept.join("&"))
    }
}

fn database_name(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, r)| r);
    let path = rest.split('?').next().unwrap_or(rest);
    match path.split_once('/') {
        Some((_, name)) if !name.is_empty() => name.to_owned(),
        _ => "postgres".to_owned(),
    }
}

/// When a file was last changed. A pipe has no date of its content.
pub(super) fn changed(path: &Path) -> Option<jiff::Timestamp> {
    let text = path.to_str().unwrap_or("");
    let file = text.strip_prefix(SQLITE).map_or_else(
        || path.to_owned(),
        |address| {
            let file = address.split('?').next().unwrap_or(address);
            PathBuf::from(file.strip_prefix("//").unwrap_or(file))
        },
    );
    let facts = std::fs::metadata(file)
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    jiff::Timestamp::try_from(facts.modified().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (address, expected) in [
            (
                "postgres://u:secret@h:5432/db?table=k",
                "postgres://u@h:5432/db?table=k",
            ),
            (
                "postgresql://h/db?user=u&password=secret",
                "postgresql://h/db?user=u",
            ),
            ("postgres://u:se@cret@h/db", "postgres://u@h/db"),
            ("keys.csv", "keys.csv"),
        ] {
            assert_eq!(shown(Path::new(address)), expected);
        }
        assert_eq!(database_name("postgres://u@h/cmdb?x=y"), "cmdb");
    }
}
