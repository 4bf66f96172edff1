//! Judges sweeps: inventories, owners and policy are read, reconciliation is run, the exit code worked out.

use super::args::{Format, JudgeArgs, OutputArgs, ReadingArgs};
use super::fail_on::{self, AllowedGaps, Baseline, FailOn};
use super::messages::Messages;
use super::output::Target;
use crate::inventory::{self, Profile, ReadOptions};
use crate::model::{HostList, Inventory, Report, Severity, Sweep};
use crate::policy::Policy;
use crate::policy::owners::{self, Owners};
use crate::reconcile;
use crate::report::json;
use crate::report::text::{self, TextOptions};
use anyhow::{Context as _, bail};
use std::io::IsTerminal as _;

/// How many unusable rows of an inventory are named without `-v`.
const LOST_ROWS_TOLD: usize = 3;

/// Everything that judging needs, read before a long sweep begins.
pub struct Judge {
    inventories: Vec<Inventory>,
    owners: Option<Owners>,
    estate: bool,
    policy: Policy,
    hosts: Option<HostList>,
    max_sweep_age: Option<jiff::SignedDuration>,
    now: Option<jiff::Timestamp>,
    fail_on: FailOn,
    baseline: Option<Baseline>,
    allowed: AllowedGaps,
}

/// A report and what follows from it.
pub struct Judged {
    /// The report.
    pub report: Report,
    /// The exit code.
    pub exit_code: u8,
    /// What changed since the baseline.
    pub changes: Option<String>,
}

impl Judge {
    /// Reads what the arguments name.
    pub fn load(args: &JudgeArgs, messages: &Messages) -> anyhow::Result<Self> {
        let policy = super::policy_show::load(args.policy.as_deref())?;
        // The list that is typed counts before the policy's.
        let by_policy = policy.owners.as_ref().map(|(path, _)| path.as_path());
        let owners = args.owners.as_deref().or(by_policy);
        let hosts = args
            .hosts
            .as_deref()
            .map(inventory::read_hosts)
            .transpose()?;
        for fault in hosts.iter().flat_map(|list| &list.faults) {
            messages.tell(fault);
        }
        let options = read_options(&args.reading, args.allow_partial_inventory)?;
        let mut inventories = args
            .inventories
            .iter()
            .map(|path| Ok(inventory::read(path, &options)?))
            .collect::<anyhow::Result<Vec<_>>>()?;
        inventory::merge(&mut inventories);
        for inventory in &inventories {
            let lost = || inventory.faults.iter().filter(|fault| fault.row_lost);
            for fault in lost().take(LOST_ROWS_TOLD) {
                messages.tell(&format!(
                    "{}: {}; the row counts as unusable",
                    fault.source, fault.reason
                ));
            }
            let more = lost().count().saturating_sub(LOST_ROWS_TOLD);
            if more > 0 {
                messages.tell(&format!(
                    "{}: {more} more rows are unusable; -v names them",
                    inventory.name
                ));
            }
        }
        let fail_on = match &args.fail_on {
            Some(text) => FailOn::parse(text)?,
            None if inventories.is_empty() => FailOn::Never,
            None => FailOn::Severity(Severity::High),
        };
        Ok(Self {
            estate: args.estate,
            owners: owners.map(owners::read_owners).transpose()?,
            policy,
            hosts,
            max_sweep_age: args.max_sweep_age,
            now: args
                .now
                .as_deref()
                .map(|text| moment("--now", text))
                .transpose()?,
            baseline: args.baseline.as_deref().map(read_baseline).transpose()?,
            allowed: AllowedGaps::parse(&args.allow_gaps)?,
            inventories,
            fail_on,
        })
    }

    /// Whether there is an inventory to hold the keys against.
    pub const fn has_inventory(&self) -> bool {
        !self.inventories.is_empty()
    }

    /// The inventories, as they complement each other.
    pub fn inventories(&self) -> &[Inventory] {
        &self.inventories
    }

    /// Judges the sweeps.
    pub fn judge(&self, sweeps: Vec<Sweep>) -> anyhow::Result<Judged> {
        let report = reconcile::reconcile(reconcile::Input {
            sweeps,
            inventories: &self.inventories,
            policy: &self.policy,
            owners: self.owners.as_ref(),
            hosts: self.hosts.as_ref(),
            max_sweep_age: self.max_sweep_age,
            estate: self.estate,
            now: self.now.unwrap_or_else(jiff::Timestamp::now),
            tool: super::tool(),
        });
        let counts = |finding: &&crate::model::Finding| {
            self.fail_on.counts(finding)
                && finding.exception.is_none()
                && self
                    .baseline
                    .as_ref()
                    .is_none_or(|baseline| baseline.is_news(finding))
        };
        let failed = fail_on::findings(&report).any(|finding| counts(&finding));
        let cut_off = report.sweeps.iter().any(|sweep| sweep.end.is_none());
        let lacking = report.hosts.iter().any(|host| host.status.is_lacking());
        let incomplete = cut_off
            || lacking
            || report
                .gaps
                .iter()
                .any(|gap| self.allowed.leaves_incomplete(gap));
        let changes = self.baseline.as_ref().map(|baseline| {
            let changes = baseline.changes(&report);
            format!(
                "against the baseline: {} new · {} worse · {} known · {} resolved",
                changes.new, changes.worse, changes.known, changes.resolved
            )
        });
        Ok(Judged {
            exit_code: if failed { super::FINDINGS } else { 0 }
                | if incomplete { super::INCOMPLETE } else { 0 },
            changes,
            report,
        })
    }
}

/// Writes a report as the arguments say; gives the exit code.
pub fn write(judged: &Judged, args: &OutputArgs, target: Target) -> anyhow::Result<u8> {
    let terminal = matches!(target, Target::Standard) && std::io::stdout().is_terminal();
    let size = terminal.then(terminal_size).flatten();
    let options = TextOptions {
        colour: terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        verbose: args.verbose,
        width: size.map(|size| usize::from(size.ws_col)),
        height: size.map(|size| usize::from(size.ws_row)),
        exit_code: judged.exit_code,
        changes: judged.changes.clone(),
    };
    target.commit(|out| {
        let mut out = out;
        match args.format {
            Format::Text => text::write(&judged.report, &options, &mut out),
            Format::Json => json::write_document(&judged.report, &mut out),
            Format::Jsonl => json::write_lines(&judged.report, &mut out),
        }
    })?;
    Ok(judged.exit_code)
}

/// The terminal's size, where it has one.
fn terminal_size() -> Option<rustix::termios::Winsize> {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .filter(|size| size.ws_col > 0 && size.ws_row > 0)
}

/// How exports are to be read.
pub fn read_options(args: &ReadingArgs, allow_partial: bool) -> anyhow::Result<ReadOptions> {
    Ok(ReadOptions {
        map: args
            .map
            .iter()
            .map(|text| mapping(text))
            .collect::<Result<_, _>>()?,
        profiles: args
            .profiles
            .iter()
            .map(|path| Profile::read(path))
            .collect::<Result<_, _>>()?,
        as_of: args
            .inventory_as_of
            .as_deref()
            .map(|text| moment("--inventory-as-of", text))
            .transpose()?,
        allow_partial,
    })
}

fn mapping(text: &str) -> anyhow::Result<(String, String)> {
    let (field, column) = text
        .split_once('=')
        .with_context(|| format!("--map {text}: expected FIELD=COLUMN"))?;
    Ok((field.trim().to_owned(), column.to_owned()))
}

/// RFC 3339 with any offset, or a date (its first moment, UTC).
pub fn moment(option: &str, text: &str) -> anyhow::Result<jiff::Timestamp> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(moment);
    }
    let date: jiff::civil::Date = text
        .parse()
        .ok()
        .filter(|_| text.len() == 10)
        .with_context(|| format!("{option} {text}: expected RFC 3339 or a date"))?;
    Ok(jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0))?)
}

fn read_baseline(path: &std::path::Path) -> anyhow::Result<Baseline> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("--baseline {name}"))?;
    let report: Report = serde_json::from_slice(&bytes)
        .with_context(|| format!("--baseline {name}: expected a report written with `-f json`"))?;
    if report.schema != crate::model::report::REPORT_SCHEMA {
        bail!("--baseline {name}: schema {} is not known", report.schema);
    }
    Ok(Baseline::of(&report))
}
