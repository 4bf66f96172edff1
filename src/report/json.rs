//! A report as one JSON document (`keymuster.report/1`), or as JSON Lines.

use super::{ahead, line};
use crate::model::ahead::each;
use crate::model::report::{EntryReport, KeyReport, Summary};
use crate::model::{
    Gap, HostReport, InventorySummary, PolicySummary, Report, Sighting, SshAccess, SweepSummary,
};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Record<'a> {
    Report(Head<'a>),
    Key(&'a KeyReport),
    Other(&'a Sighting),
    Entry(&'a EntryReport),
    Access(&'a SshAccess),
    Gap(&'a Gap),
}

#[derive(Serialize)]
struct Head<'a> {
    schema: &'a str,
    tool: &'a str,
    generated: jiff::Timestamp,
    sweeps: &'a [SweepSummary],
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a PolicySummary>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    hosts: &'a [HostReport],
    inventories: &'a [InventorySummary],
    summary: &'a Summary,
}

/// Writes the report as one indented document.
pub fn write_document(report: &Report, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// Writes the report as lines: the head first, then a line a key, other sighting, entry, access and gap.
pub fn write_lines(report: &Report, out: &mut impl Write) -> io::Result<()> {
    // A report of a large estate has millions of small pieces: they are put together here, not by the output.
    const BLOCK: usize = 256 << 10;
    let mut text = Vec::with_capacity(2 * BLOCK);
    let mut write = |record: &Record<'_>| -> io::Result<()> {
        line::append(&mut text, record)?;
        text.push(b'\n');
        if text.len() >= BLOCK {
            out.write_all(&text)?;
            text.clear();
        }
        Ok(())
    };
    write(&Record::Report(Head {
        schema: &report.schema,
        tool: &report.tool,
        generated: report.generated,
        sweeps: &report.sweeps,
        policy: report.policy.as_ref(),
        hosts: &report.hosts,
        inventories: &report.inventories,
        summary: &report.summary,
    }))?;
    each(&report.keys, ahead::keys).try_for_each(|key| write(&Record::Key(key)))?;
    report
        .others
        .iter()
        .try_for_each(|other| write(&Record::Other(other)))?;
    each(&report.entries, ahead::entries).try_for_each(|entry| write(&Record::Entry(entry)))?;
    report
        .access
        .iter()
        .try_for_each(|access| write(&Record::Access(access)))?;
    report
        .gaps
        .iter()
        .try_for_each(|gap| write(&Record::Gap(gap)))?;
    out.write_all(&text)
}
