//! Messages to people, on standard error.

use super::args::OutputArgs;
use std::io::Write as _;

/// Tells messages, unless it is to be quiet.
pub struct Messages {
    quiet: bool,
}

impl Messages {
    /// As the arguments say.
    pub const fn new(args: &OutputArgs) -> Self {
        Self { quiet: args.quiet }
    }

    /// Whether nothing is to be told.
    pub const fn quiet(&self) -> bool {
        self.quiet
    }

    /// Tells one line; control characters must be escaped already.
    pub fn tell(&self, message: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "keymuster: {message}");
        }
    }
}
