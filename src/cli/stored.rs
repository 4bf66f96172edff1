//! `keymuster reconcile` and `keymuster explain`: the commands on stored sweeps.

use super::args::{ExplainArgs, Format, ReconcileArgs};
use super::judge::{self, Judge};
use super::messages::Messages;
use super::output::Target;
use crate::history;
use crate::model::{Report, Sweep};
use crate::report::explain;
use anyhow::{Context as _, bail};
use rayon::prelude::*;
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

/// Judges stored sweeps; gives the exit code.
pub fn reconcile(args: &ReconcileArgs) -> anyhow::Result<u8> {
    let messages = Messages::new(&args.output);
    // The program ends behind this: what an estate takes in memory is not taken apart piece by piece before.
    let judge = ManuallyDrop::new(Judge::load(&args.judge, &messages)?);
    let output = Target::open(&args.output.output)?;
    let judged = ManuallyDrop::new(judge.judge(read_all(&args.sweeps)?)?);
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
    let read: Vec<anyhow::Result<Vec<Sweep>>> =
        paths.par_iter().map(|path| read_file(path)).collect();
    let mut sweeps = Vec::new();
    // The first fault in the order of the arguments is told.
    for one in read {
        sweeps.extend(one?);
    }
    Ok(sweeps)
}

/// Lets the heap of this thread grow at once by about what the sweep in a file will take. The C library's allocator asks the system for
/// every further page of a heap that is not the first thread's: two hundred times for a sweep of a megabyte.
fn grow_heap(file_size: u64) {
    /// More stays page by page: a heap of a thread has 64 MiB.
    const MOST: u64 = 16 << 20;
    let size = usize::try_from(file_size.min(MOST)).unwrap_or(0);
    // It is given back untouched, and stays the heap's.
    drop(black_box(Vec::<u8>::with_capacity(size)));
}

fn read_file(path: &Path) -> anyhow::Result<Vec<Sweep>> {
    if path == Path::new("-") {
        let input = std::io::stdin().lock();
        return Ok(history::read_sweeps("standard input", input)?);
    }
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| name.clone())?;
    grow_heap(file.metadata().map_or(0, |facts| facts.len()));
    Ok(history::read_sweeps(&name, file)?)
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
