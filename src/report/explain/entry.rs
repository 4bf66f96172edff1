//! A row of an inventory, and findings.

use super::super::advice;
use super::super::escape::escape;
use super::super::words::excused;
use crate::model::{EntryReport, Finding};
use std::io::{self, Write};

/// Writes a row.
pub(super) fn write(entry: &EntryReport, out: &mut impl Write) -> io::Result<()> {
    let name = entry.name.as_deref().unwrap_or_default();
    writeln!(
        out,
        "Row {} {} ({}): {}",
        escape(&entry.id),
        escape(name),
        escape(&entry.source.to_string()),
        entry.status.as_str()
    )?;
    let owner = entry.owner.as_deref().unwrap_or("none");
    let state = entry.state.as_deref().unwrap_or("not told");
    writeln!(out, "  owner {}; state {}", escape(owner), escape(state))?;
    if let Some(by) = &entry.matched_by {
        writeln!(out, "  matched by {}", escape(by))?;
    }
    for key in &entry.keys {
        writeln!(out, "  key {key}")?;
    }
    write_flags(&entry.flags, &[entry], out)?;
    writeln!(out)
}

/// Each finding as an auditor notes it: what, where, by which row and rule, and what to do.
pub(super) fn write_flags(
    flags: &[Finding],
    entries: &[&EntryReport],
    out: &mut impl Write,
) -> io::Result<()> {
    for flag in flags {
        writeln!(
            out,
            "  {} {} ({}): {}",
            flag.severity.as_str(),
            flag.flag.as_str(),
            flag.id,
            escape(&flag.why)
        )?;
        if let Some(excuse) = &flag.exception {
            writeln!(out, "    {}", escape(&excused(excuse)))?;
        }
        if let Some(place) = &flag.place {
            writeln!(out, "    where: {}", escape(place))?;
        }
        if let Some(certificate) = &flag.cert_sha256 {
            writeln!(out, "    certificate: {certificate}")?;
        }
        if let Some(id) = &flag.entry {
            let source = entries.iter().find(|e| e.id == *id);
            let source = source.map(|e| format!(" ({})", e.source));
            let source = source.unwrap_or_default();
            writeln!(out, "    row: {}{}", escape(id), escape(&source))?;
        }
        writeln!(out, "    rule: {}", advice::rule(flag.flag))?;
        writeln!(out, "    to do: {}", advice::remedy(flag.flag))?;
    }
    Ok(())
}
