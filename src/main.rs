//! The `keymuster` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(keymuster::cli::run())
}
