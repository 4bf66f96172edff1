//! Parameters without a key (`DH PARAMETERS` and the like): recognised, and nothing of ours.

use crate::formats::Format;
use crate::model::{Candidate, Clue, Found, Reading};

/// Domain parameters under a label of their own.
pub struct Parameters;

impl Format for Parameters {
    fn name(&self) -> &'static str {
        "parameters"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        match candidate.label {
            Some(label) if label.ends_with(" PARAMETERS") => Reading::Found(Found {
                end: candidate.bytes.len(),
                ..Found::default()
            }),
            _ => Reading::NotMine,
        }
    }
}
