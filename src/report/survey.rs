//! What a sweep would cover: the outcome of a dry run.

use super::escape::escape;
use super::words::human_bytes;
use crate::model::Gap;
use serde::Serialize;
use std::io::{self, Write};

/// What a sweep of one host would cover.
#[derive(Debug, Serialize)]
pub struct Survey<'a> {
    /// The host's name.
    pub host: &'a str,
    /// Directories that would be listed.
    pub directories: u64,
    /// Regular files that would be read.
    pub files: u64,
    /// Their sizes together, in bytes.
    pub bytes: u64,
    /// It was stopped before its end.
    pub stopped: bool,
    /// What would be left out, with the reason.
    pub gaps: &'a [Gap],
    /// How many more of these there are.
    pub more_gaps: usize,
}

/// Writes it: for people, or as one line of JSON.
pub fn write(survey: &Survey<'_>, for_people: bool, out: &mut impl Write) -> io::Result<()> {
    if !for_people {
        serde_json::to_writer(&mut *out, survey)?;
        return out.write_all(b"\n");
    }
    let stopped = if survey.stopped {
        " (stopped early)"
    } else {
        ""
    };
    writeln!(
        out,
        "{}: {} directories, {} files, {}{stopped}",
        escape(survey.host),
        survey.directories,
        survey.files,
        human_bytes(survey.bytes)
    )?;
    for gap in survey.gaps {
        writeln!(
            out,
            "  left out: {}  {}",
            escape(&gap.path),
            escape(&gap.detail)
        )?;
    }
    if survey.more_gaps > 0 {
        writeln!(out, "  and {} more: -v names them", survey.more_gaps)?;
    }
    Ok(())
}
