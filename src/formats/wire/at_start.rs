//! Formats that stand at the start of a file or member alone, and are known by a magic number there.

use crate::formats::{Format, Signature};
use crate::model::{Candidate, Clue, Reading};

/// Such a format.
pub struct AtStart {
    /// Its name in records, lower snake case.
    pub name: &'static str,
    /// Its magic numbers.
    pub signatures: &'static [Signature],
    /// Looks at one candidate.
    pub read: fn(&Candidate<'_>) -> Reading,
}

impl Format for AtStart {
    fn name(&self) -> &'static str {
        self.name
    }

    fn signatures(&self) -> &'static [Signature] {
        self.signatures
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        (self.read)(candidate)
    }
}
