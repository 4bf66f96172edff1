//! The summary for people: what fits a screen, in the order in which it is asked for.

mod findings;

use super::access;
use super::colour::{BOLD, GREEN, RED, colour_of};
use super::escape::escape;
use super::hosts;
use super::words::{count, excused_line, human_bytes, key_words, share};
use super::wrapping::wrap;
use crate::model::{EntryStatus, GapReason, Kind, Report, Scope, Severity, SweepSummary};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// How many of the worst findings the summary names at most and at least.
const WORST: std::ops::RangeInclusive<usize> = 1..=12;
/// Lines around the findings: a blank one, the title, how many more there are, and the prompt after the summary.
const AROUND_FINDINGS: usize = 4;

/// Lines of a terminal from which the summary tells of SSH access too.
const ROOMY: usize = 30;

/// How to write a summary.
#[derive(Debug, Clone, Default)]
pub struct TextOptions {
    /// Whether to colour it.
    pub colour: bool,
    /// Name every finding and gap, not only the worst.
    pub verbose: bool,
    /// Columns of the terminal; long reasons are cut to it. None writes them whole.
    pub width: Option<usize>,
    /// Lines of the terminal; the summary names as many findings as fit.
    pub height: Option<usize>,
    /// The exit code that this report leads to.
    pub exit_code: u8,
    /// One more line of the verdict: what changed since a baseline.
    pub changes: Option<String>,
}

/// Writes the summary of a report.
pub fn write(report: &Report, options: &TextOptions, out: &mut impl Write) -> io::Result<()> {
    let mut before = Vec::new();
    let mut page = Page {
        out: &mut before,
        options,
    };
    page.head(report)?;
    page.coverage(report)?;
    page.verdict(report)?;
    if report.inventories.is_empty() {
        page.kinds(report)?;
    } else {
        page.register(report)?;
    }
    // A low screen is for the findings.
    if options.verbose || options.height.is_none_or(|height| height >= ROOMY) {
        page.access(report)?;
    }
    let mut after = Vec::new();
    let mut page = Page {
        out: &mut after,
        options,
    };
    page.set_aside(report)?;
    if options.verbose {
        let title = page.paint(BOLD, "SSH access");
        access::write_list(report, &title, page.out)?;
        page.gaps(report)?;
    }
    let most = match options.height {
        _ if options.verbose => usize::MAX,
        // A finding has two lines.
        Some(height) => {
            let taken = lines(&before) + lines(&after) + AROUND_FINDINGS;
            (height.saturating_sub(taken) / 2).clamp(*WORST.start(), *WORST.end())
        }
        None => *WORST.end(),
    };
    out.write_all(&before)?;
    Page { out, options }.findings(report, most)?;
    out.write_all(&after)
}

fn lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

struct Page<'a, W> {
    out: &'a mut W,
    options: &'a TextOptions,
}

impl<W: Write> Page<'_, W> {
    /// One row; what is too wide for the terminal goes on below itself.
    fn row(&mut self, name: &str, text: &str) -> io::Result<()> {
        let room = match self.options.width {
            Some(width) => width.saturating_sub(INDENT).max(20),
            None => usize::MAX,
        };
        let mut name = name;
        for line in wrap(text, room) {
            let label = self.paint(BOLD, &format!("{name:<INDENT$}"));
            writeln!(self.out, "{label}{line}")?;
            name = "";
        }
        Ok(())
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.options.colour {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn head(&mut self, report: &Report) -> io::Result<()> {
        let hosts: BTreeSet<&str> = report
            .sweeps
            .iter()
            .map(|s| s.header.host.as_str())
            .collect();
        let shown: Vec<&str> = hosts.iter().copied().take(4).collect();
        let more = if hosts.len() > shown.len() {
            ", …"
        } else {
            ""
        };
        let judged = report.generated.strftime("%Y-%m-%d %H:%M UTC");
        let line = format!(
            "{} · {} ({}{more}) · judged as of {judged}",
            report.tool,
            count(hosts.len() as u64, "host", "hosts"),
            escape(&shown.join(", ")),
        );
        for line in wrap(&line, self.options.width.unwrap_or(usize::MAX)) {
            writeln!(self.out, "{}", self.paint(BOLD, &line))?;
        }
        self.hosts(report)?;
        if let Some(policy) = report.policy.as_ref().filter(|p| p.name != BUILT_IN) {
            let digest: String = policy.sha256.chars().take(12).collect();
            self.row(
                "Policy",
                &format!("{} (sha256 {digest}…)", escape(&policy.name)),
            )?;
        }
        for inventory in &report.inventories {
            let date = inventory
                .as_of
                .map(|date| format!(" of {}", date.strftime("%Y-%m-%d")))
                .unwrap_or_default();
            let unusable = inventory.rows.saturating_sub(inventory.usable);
            let doubts = if inventory.faults.is_empty() {
                String::new()
            } else {
                format!(
                    ", {} in its rows (-v names them)",
                    count(inventory.faults.len() as u64, "doubt", "doubts")
                )
            };
            self.row(
                "Inventory",
                &format!(
                    "{}{date}: {}, {unusable} unusable{doubts}",
                    escape(&inventory.name),
                    count(inventory.rows, "row", "rows"),
                ),
            )?;
            if self.options.verbose {
                for fault in &inventory.faults {
                    writeln!(self.out, "            {}", escape(fault))?;
                }
            }
            for flag in &inventory.flags {
                self.row("", &escape(&flag.why))?;
            }
        }
        Ok(())
    }

    /// How many of the hosts that should have been swept were, and which were not.
    fn hosts(&mut self, report: &Report) -> io::Result<()> {
        let Some(hosts) = hosts::lines(report, self.options.verbose) else {
            return Ok(());
        };
        let colour = if hosts.complete { GREEN } else { RED };
        let share = self.paint(colour, &hosts.share);
        self.row("Hosts", &share)?;
        hosts.more.iter().try_for_each(|line| self.row("", line))
    }

    fn coverage(&mut self, report: &Report) -> io::Result<()> {
        let (mut directories, mut files, mut bytes) = (0, 0, 0);
        for end in report.sweeps.iter().filter_map(|sweep| sweep.end.as_ref()) {
            directories += end.directories;
            files += end.files;
            bytes += end.bytes;
        }
        let ended = |sweep: &SweepSummary| sweep.end.as_ref().is_some_and(|end| end.complete);
        let complete = if report.summary.complete {
            self.paint(GREEN, "complete")
        } else if report.sweeps.iter().all(ended) {
            self.paint(RED, "INCOMPLETE for want of hosts")
        } else {
            self.paint(RED, "INCOMPLETE")
        };
        let scope = match report.summary.scope {
            Scope::Full => "",
            Scope::Reduced => ", scope reduced by choice",
        };
        self.row(
            "Coverage",
            &format!(
                "{complete}{scope}; {}, {}, {}; {} of {}",
                count(directories, "directory", "directories"),
                count(files, "file", "files"),
                human_bytes(bytes),
                count(report.summary.sightings, "sighting", "sightings"),
                count(report.summary.keys, "key", "keys"),
            ),
        )?;
        let mut reasons: BTreeMap<GapReason, u64> = BTreeMap::new();
        for gap in &report.gaps {
            *reasons.entry(gap.reason).or_default() += 1;
        }
        let total: u64 = reasons.values().sum();
        if total > 0 {
            let parts: Vec<String> = reasons
                .iter()
                .map(|(reason, number)| format!("{number} {}", reason.as_str()))
                .collect();
            self.row(
                "",
                &format!("{}: {}", count(total, "gap", "gaps"), parts.join(", ")),
            )?;
        }
        if !report.inventories.is_empty() {
            let judged = report
                .entries
                .iter()
                .filter(|entry| {
                    !matches!(
                        entry.status,
                        EntryStatus::NotCovered | EntryStatus::Unlocated | EntryStatus::Unmatchable
                    )
                })
                .count();
            self.row(
                "",
                &format!(
                    "presence or absence can be judged for {judged} of {}",
                    count(report.summary.entries, "row", "rows")
                ),
            )?;
        }
        Ok(())
    }

    fn verdict(&mut self, report: &Report) -> io::Result<()> {
        let parts: Vec<String> = Severity::ALL
            .iter()
            .map(|severity| {
                let number = report
                    .summary
                    .severities
                    .get(severity)
                    .copied()
                    .unwrap_or(0);
                let text = format!("{number} {}", severity.as_str());
                if number > 0 {
                    self.paint(colour_of(*severity), &text)
                } else {
                    text
                }
            })
            .collect();
        self.row(
            "Verdict",
            &format!(
                "{}; exit code {}",
                parts.join(" · "),
                self.options.exit_code
            ),
        )?;
        if let Some(line) = excused_line(report) {
            self.row("", &line)?;
        }
        match &self.options.changes {
            Some(changes) => self.row("", &changes.clone()),
            None => Ok(()),
        }
    }

    /// The shares that a register is judged by, each with its numbers.
    fn register(&mut self, report: &Report) -> io::Result<()> {
        let metric = |group: &str, name: &str| {
            let groups = &report.summary.metrics;
            groups
                .get(group)
                .and_then(|group| group.get(name))
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0)
        };
        let (registered, own) = (
            metric("own_keys", "registered"),
            metric("own_keys", "total"),
        );
        self.row(
            "Registered",
            &format!("{} own keys", share(registered, own)),
        )?;
        let status = |status: EntryStatus| {
            report
                .entries
                .iter()
                .filter(|entry| entry.status == status)
                .count()
        };
        let open = status(EntryStatus::NotCovered)
            + status(EntryStatus::Unlocated)
            + status(EntryStatus::Unmatchable)
            + status(EntryStatus::Ambiguous);
        self.row(
            "Rows",
            &format!(
                "{} confirmed · {} missing · {open} without conclusion · {} gone as expected",
                status(EntryStatus::Matched),
                status(EntryStatus::Missing),
                status(EntryStatus::AbsentAsExpected),
            ),
        )?;
        let unlocated = metric("rows", "unlocated");
        if unlocated > 0 {
            self.row(
                "",
                &format!(
                    "{} rows name no place: their absence can never be told",
                    share(unlocated, report.summary.entries)
                ),
            )?;
        }
        self.row(
            "Owners",
            &format!(
                "{} present · {} none · {} left · {} not on the owners list",
                metric("owners", "present"),
                metric("owners", "none"),
                metric("owners", "left"),
                metric("owners", "unknown"),
            ),
        )?;
        let unproven = match metric("rotation", "unproven") {
            0 => String::new(),
            n => format!(", {n} of them said and not proven"),
        };
        self.row(
            "Rotation",
            &format!(
                "{} in time · {} overdue · {} cannot be told{unproven}",
                metric("rotation", "in_time"),
                metric("rotation", "overdue"),
                metric("rotation", "cannot_be_told"),
            ),
        )
    }

    /// Who gets in by SSH.
    fn access(&mut self, report: &Report) -> io::Result<()> {
        let mut name = "SSH access";
        let brief = self.options.height.is_some() && !self.options.verbose;
        for line in access::lines(report, brief) {
            self.row(name, &escape(&line))?;
            name = "";
        }
        Ok(())
    }

    /// Without inventory: what there is, by kind and algorithm.
    fn kinds(&mut self, report: &Report) -> io::Result<()> {
        let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
        let mut algorithms: BTreeMap<String, u64> = BTreeMap::new();
        for sighting in report
            .keys
            .iter()
            .flat_map(|key| &key.sightings)
            .chain(&report.others)
        {
            *kinds.entry(sighting.kind).or_default() += 1;
        }
        for key in &report.keys {
            *algorithms
                .entry(key_words(key.algorithm.as_deref(), key.bits))
                .or_default() += 1;
        }
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(kind, number)| format!("{number} {}", kind.as_str()))
            .collect();
        self.wrapped("Found", &kinds)?;
        let mut algorithms: Vec<(String, u64)> = algorithms.into_iter().collect();
        algorithms.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let words: Vec<String> = algorithms
            .iter()
            .map(|(name, number)| format!("{number} {}", escape(name)))
            .collect();
        self.wrapped("Keys", &words)
    }

    /// A row of words that goes on below itself.
    fn wrapped(&mut self, name: &str, words: &[String]) -> io::Result<()> {
        let width = self.options.width.unwrap_or(100).max(40) - 14;
        let mut name = name;
        let mut line = String::new();
        for word in words {
            if !line.is_empty() && line.chars().count() + word.chars().count() + 3 > width {
                self.row(name, &line)?;
                name = "";
                line.clear();
            }
            if !line.is_empty() {
                line.push_str(" · ");
            }
            line.push_str(word);
        }
        if line.is_empty() {
            Ok(())
        } else {
            self.row(name, &line)
        }
    }
}

/// The name of the policy without a file, which need not be told.
const BUILT_IN: &str = "built in";

/// Columns of a row's name.
const INDENT: usize = 12;
