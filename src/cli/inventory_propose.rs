//! `keymuster inventory propose`: the rows that an export lacks or has wrong, ready for a person to complete.

use super::args::{Format, JudgeArgs, OutputArgs, ProposeArgs};
use super::judge::{self, Judge};
use super::messages::Messages;
use super::output::Target;
use super::stored;
use crate::inventory::{self, Extent, Proposed};
use crate::reconcile::propose;
use crate::report::escape::escape;
use anyhow::bail;

/// Writes proposals; gives the exit code, which is 0 whether there are any or none.
pub fn run(args: &ProposeArgs) -> anyhow::Result<u8> {
    let messages = Messages::new(&OutputArgs {
        format: Format::Text,
        output: args.output.clone(),
        quiet: args.quiet,
        verbose: args.verbose,
    });
    let target = Target::open(&args.output)?;
    let Some(first) = args.inventories.first() else {
        bail!("no inventory is named");
    };
    let judge = Judge::load(
        &JudgeArgs {
            inventories: args.inventories.clone(),
            reading: args.reading.clone(),
            owners: None,
            policy: None,
            hosts: None,
            max_sweep_age: None,
            estate: false,
            allow_partial_inventory: args.allow_partial_inventory,
            now: args.now.clone(),
            fail_on: None,
            baseline: None,
            allow_gaps: Vec::new(),
        },
        &messages,
    )?;
    let report = match stored::stored_report(&args.sweeps)? {
        Some(report) => report,
        None => judge.judge(stored::read_all(&args.sweeps)?)?.report,
    };
    let proposals = propose::proposals(&report, judge.inventories());
    let extent = match (args.whole, args.reasons) {
        (true, _) => Extent::Whole,
        (false, true) => Extent::RowsWithReasons,
        (false, false) => Extent::Rows,
    };
    let options = judge::read_options(&args.reading, args.allow_partial_inventory)?;
    let proposed = inventory::propose(first, &options, &proposals, extent)?;
    tell(&proposed, args.verbose, &messages);
    target.commit(|out| out.write_all(&proposed.bytes))?;
    Ok(0)
}

fn tell(proposed: &Proposed, verbose: bool, messages: &Messages) {
    let tell = |text: &str| messages.tell(&escape(text));
    if verbose {
        for (row, flag, why) in &proposed.changed {
            tell(&format!("row {row} changed: {}: {why}", flag.as_str()));
        }
        for (flag, why) in &proposed.added {
            tell(&format!("new row: {}: {why}", flag.as_str()));
        }
    }
    let rows = |n: usize| format!("{n} {}", if n == 1 { "row" } else { "rows" });
    tell(&format!(
        "{} new, {} changed; a new row needs an owner, and what else only people know",
        rows(proposed.added.len()),
        proposed.changed.len()
    ));
    if proposed.unnamed > 0 {
        tell(&format!(
            "{} can be told by no column of this export: a column for fingerprints is lacking",
            rows(proposed.unnamed)
        ));
    }
    if !proposed.elsewhere.is_empty() {
        tell(&format!(
            "{} of other exports would have to be changed too ({}); name that export first",
            rows(proposed.elsewhere.len()),
            proposed.elsewhere.join(", ")
        ));
    }
}
