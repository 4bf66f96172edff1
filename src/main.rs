//! The `keymuster` command.

fn main() {}
