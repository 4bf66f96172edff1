//! The only place for command-line arguments, standard output, colour and exit codes.

pub mod args;
mod config;
pub mod fail_on;
pub mod hosts;
pub mod interrupt;
pub mod inventory_check;
pub mod inventory_convert;
pub mod inventory_propose;
pub mod judge;
pub mod messages;
pub mod output;
mod passwords;
pub mod policy_show;
pub mod progress;
pub mod scan;
pub mod stored;

use args::{Cli, Command, InventoryCommand, PolicyCommand};
use clap::Parser as _;
use std::io::Write as _;

/// Exit code bit: findings at or above `--fail-on`.
pub const FINDINGS: u8 = 1;
/// Exit code: usage, configuration or input error, or an output that could not be written.
pub const FAILED: u8 = 2;
/// Exit code bit: the sweep is incomplete.
pub const INCOMPLETE: u8 = 4;

/// Runs the command that was typed; gives the exit code.
pub fn run() -> u8 {
    let cli = Cli::parse();
    interrupt::survive_size_limit();
    let outcome = match &cli.command {
        Command::Scan(args) => scan::run(args),
        Command::Reconcile(args) => stored::reconcile(args),
        Command::Explain(args) => stored::explain(args),
        Command::Inventory(InventoryCommand::Check(args)) => inventory_check::run(args),
        Command::Inventory(InventoryCommand::Convert(args)) => inventory_convert::run(args),
        Command::Inventory(InventoryCommand::Propose(args)) => inventory_propose::run(args),
        Command::Policy(PolicyCommand::Show(args)) => policy_show::run(args),
        Command::Pkcs11Child => child(),
    };
    outcome.unwrap_or_else(|error| {
        let text = chain(&error);
        let text = crate::report::escape::escape(&text);
        let _ = writeln!(std::io::stderr(), "keymuster: {text}");
        FAILED
    })
}

/// Asks the module that the parent process names on standard input.
fn child() -> anyhow::Result<u8> {
    crate::stores::pkcs11::child::run(std::io::stdin().lock(), &mut std::io::stdout().lock())?;
    Ok(0)
}

/// An error with its causes, each once: some messages tell their cause themselves.
fn chain(error: &anyhow::Error) -> String {
    error
        .chain()
        .skip(1)
        .fold(error.to_string(), |text, cause| {
            let cause = cause.to_string();
            if text.ends_with(&cause) {
                text
            } else {
                format!("{text}: {cause}")
            }
        })
}

/// Name and version of the program, as records tell it.
fn tool() -> String {
    concat!("keymuster ", env!("CARGO_PKG_VERSION")).to_owned()
}
