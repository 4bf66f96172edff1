//! The `keymuster` command.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// What an estate takes in memory is millions of small pieces.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(keymuster::cli::run())
}
