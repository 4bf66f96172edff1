//! `keymuster reconcile` and `keymuster explain`: the commands on stored sweeps.

use super::args::{ExplainArgs, Format, ReconcileArgs};
use super::judge::{self, Judge};
use super::messages::Messages;
use super::output::Target;
use crate::history;
use crate::model::{Report, Sweep};
use crate::report::explain;
use anyhow::{Context as _, bail};
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

/// Judges stored sweeps; gives the exit code.
pub fn reconcile(args: &ReconcileArgs) -> anyhow::Result<u8> {
    let messages = Messages::new(&args.output);
    let judge = Judge::load(&args.judge, &messages)?;
    let output = Target::open(&args.output.output)?;
    let judged = judge.judge(read_all(&args.sweeps)?)?;
    judge::write(&judged, &args.output, output)
}

/// Tells all about what an id names; gives the exit code.
pub fn explain(args: &ExplainArgs) -> anyhow::Result<u8> {
    let messages = Messages::new(&args.output);
    let output = Target::open(&args.output.output)?;
    let report = match stored_report(&args.sweeps)? {
        Some(report) => report,
        None => {
            let judge = Judge::load(&args.judge, &messages)?;
            judge.judge(read_all(&args.sweeps)?)?.report
        }
    };
    let found = explain::find(&report, &args.id);
    if found.is_empty() {
        bail!(
            "{}: names no key, place or entry here",
            crate::report::escape::escape(&args.id)
        );
    }
    output.commit(|out| {
        let mut out = out;
        match args.output.format {
            Format::Text => explain::write_text(&found, &mut out),
            Format::Json => explain::write_json(&found, &mut out),
            Format::Jsonl => explain::write_lines(&found, &mut out),
        }
    })?;
    Ok(0)
}

pub(super) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<Sweep>> {
    let mut sweeps = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        if path == Path::new("-") {
            sweeps.extend(history::read_sweeps(
                "standard input",
                std::io::stdin().lock(),
            )?);
        } else {
            let file = File::open(path).with_context(|| name.clone())?;
            sweeps.extend(history::read_sweeps(
                &name,
                BufReader::with_capacity(256 << 10, file),
            )?);
        }
    }
    Ok(sweeps)
}

/// One file that is a report and no sweep.
pub(super) fn stored_report(paths: &[PathBuf]) -> anyhow::Result<Option<Report>> {
    let [path] = paths else {
        return Ok(None);
    };
    if path == Path::new("-") {
        return Ok(None);
    }
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let mut start = [0u8; 64];
    let count = file.read(&mut start)?;
    // A sweep begins with its record on the first line; a report is indented.
    if !start
        .get(..count)
        .is_some_and(|start| start.starts_with(b"{\n"))
    {
        return Ok(None);
    }
    let bytes = std::fs::read(path)?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .with_context(|| format!("{}: neither a sweep nor a report", path.display()))
}
