//! All about one key or entry: where, matched how, flagged why.

mod entry;
mod find;
mod key;
mod sighting;

use crate::model::{EntryReport, Finding, KeyReport, Sighting, SshAccess};
pub use find::find;
use serde::Serialize;
use std::io::{self, Write};

/// The part of a report that an id names.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Explained<'a> {
    /// The keys that it names.
    pub keys: Vec<&'a KeyReport>,
    /// The sightings without key that it names.
    pub others: Vec<&'a Sighting>,
    /// The entries that it names, and those of the keys.
    pub entries: Vec<&'a EntryReport>,
    /// The findings on exceptions of the policy that it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<&'a Finding>,
    /// What the keys open by SSH.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<&'a SshAccess>,
}

impl Explained<'_> {
    /// Whether the id named nothing.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.entries.is_empty()
            && self.others.is_empty()
            && self.exceptions.is_empty()
    }
}

/// Writes what was found, for people.
pub fn write_text(found: &Explained<'_>, out: &mut impl Write) -> io::Result<()> {
    for key in &found.keys {
        let access = found.access.iter().filter(|a| a.key_id == key.key_id);
        let access = access.copied().collect::<Vec<_>>();
        key::write(key, (&found.entries, &access), out)?;
    }
    for other in &found.others {
        writeln!(out, "{}", other.kind)?;
        sighting::write(other, out)?;
        writeln!(out)?;
    }
    for entry in &found.entries {
        entry::write(entry, out)?;
    }
    for finding in &found.exceptions {
        writeln!(out, "Exception")?;
        entry::write_flags(std::slice::from_ref(*finding), &found.entries, out)?;
    }
    Ok(())
}

/// Writes what was found as one JSON document.
pub fn write_json(found: &Explained<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, found)?;
    out.write_all(b"\n")
}

/// Writes what was found as JSON Lines: a line a key, other sighting, entry and access.
pub fn write_lines(found: &Explained<'_>, out: &mut impl Write) -> io::Result<()> {
    for key in &found.keys {
        line(out, "key", key)?;
    }
    for other in &found.others {
        line(out, "other", other)?;
    }
    for entry in &found.entries {
        line(out, "entry", entry)?;
    }
    for finding in &found.exceptions {
        line(out, "exception", finding)?;
    }
    for access in &found.access {
        line(out, "access", access)?;
    }
    Ok(())
}

fn line<T: Serialize>(out: &mut impl Write, record: &str, value: &T) -> io::Result<()> {
    #[derive(Serialize)]
    struct Record<'a, T> {
        record: &'a str,
        #[serde(flatten)]
        value: &'a T,
    }
    serde_json::to_writer(&mut *out, &Record { record, value })?;
    out.write_all(b"\n")
}
