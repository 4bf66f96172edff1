//! The `keymuster` command.

use std::process::ExitCode;

/// Records and archives are millions of blocks, made and freed by all threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(keymuster::cli::run())
}
