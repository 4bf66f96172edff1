//! The only place for command-line arguments, standard output, colour and exit codes.

pub mod args;
pub mod fail_on;
pub mod hosts;
pub mod interrupt;
pub mod judge;
pub mod messages;
pub mod output;
pub mod progress;
pub mod scan;
pub mod stored;

use args::{Cli, Command};
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
    };
    outcome.unwrap_or_else(|error| {
        let text = format!("{error:#}");
        let text = crate::report::escape::escape(&text);
        let _ = writeln!(std::io::stderr(), "keymuster: {text}");
        FAILED
    })
}

/// Name and version of the program, as records tell it.
fn tool() -> String {
    concat!("keymuster ", env!("CARGO_PKG_VERSION")).to_owned()
}
