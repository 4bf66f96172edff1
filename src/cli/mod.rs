//! The only place for command-line arguments, standard output, colour and exit codes.

pub mod args;
pub mod fail_on;
pub mod hosts;
pub mod interrupt;
pub mod output;
pub mod progress;
