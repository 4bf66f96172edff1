//! `keymuster inventory check`: what an export says, before anything is judged by it.

use super::args::{CheckArgs, Format};
use super::judge;
use super::output::Target;
use crate::inventory::{self, Owner};
use crate::model::Inventory;
use crate::policy::Standing;
use crate::policy::owners::{self, Owners};
use crate::report::inventory_check::{self, CHECK_SCHEMA, Check, Checks};

/// Checks exports; gives the exit code: 0 nothing doubtful, 1 something in rows or columns, 2 one that is not judged by.
pub fn run(args: &CheckArgs) -> anyhow::Result<u8> {
    let output = Target::open(&args.output)?;
    let owners = args
        .owners
        .as_deref()
        .map(owners::read_owners)
        .transpose()?;
    let now = match &args.now {
        Some(text) => judge::moment("--now", text)?,
        None => jiff::Timestamp::now(),
    };
    let options = judge::read_options(&args.reading, true)?;
    let mut read: Vec<Inventory> = Vec::new();
    // In their order: the exports that were read, and the errors of the others.
    let mut outcomes: Vec<Result<usize, Check>> = Vec::new();
    for path in &args.inventories {
        outcomes.push(match inventory::read(path, &options) {
            Ok(inventory) => {
                read.push(inventory);
                Ok(read.len() - 1)
            }
            Err(error) => Err(Check::failed(inventory::shown(path), error.to_string())),
        });
    }
    // Looked for before the rows complement each other: a fault is of the export that has it.
    let faults: Vec<_> = read
        .iter()
        .map(|inventory| {
            inventory::row_faults(inventory, now, &|name| standing(owners.as_ref(), name))
        })
        .collect();
    inventory::merge(&mut read);
    let mut faults = faults.into_iter();
    let inventories: Vec<Check> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Err(failed) => failed,
            Ok(at) => match read.get(at) {
                Some(inventory) => Check::of(inventory, faults.next().unwrap_or_default()),
                None => Check::failed(String::new(), String::new()),
            },
        })
        .collect();
    let checks = Checks {
        schema: CHECK_SCHEMA,
        usable: inventories.iter().all(|c| c.usable),
        inventories,
    };
    output.commit(|out| {
        let mut out = out;
        match args.format {
            Format::Text => inventory_check::write_text(&checks, args.verbose, &mut out),
            Format::Json => inventory_check::write_json(&checks, &mut out),
            Format::Jsonl => inventory_check::write_lines(&checks, &mut out),
        }
    })?;
    let doubtful = checks.inventories.iter().any(Check::is_doubtful);
    Ok(match (checks.usable, doubtful) {
        (false, _) => super::FAILED,
        (true, true) => super::FINDINGS,
        (true, false) => 0,
    })
}

fn standing(owners: Option<&Owners>, name: &str) -> Owner {
    match owners.map(|list| list.standing(name)) {
        Some(Standing::Gone(word)) => Owner::Gone(word),
        Some(Standing::Unknown) => Owner::Unknown,
        Some(Standing::Present) | None => Owner::Present,
    }
}
