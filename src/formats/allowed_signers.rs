//! Who may sign: a line of principals and a key (ssh-keygen(1), "ALLOWED SIGNERS").

use super::Format;
use super::wire::ssh_lead::{FileHint, Lead};
use super::wire::ssh_line::{Line, no_key};
use crate::model::{Candidate, Clue, Kind, Reading};

/// The reader of keys with principals before them.
pub struct AllowedSigners;

impl Format for AllowedSigners {
    fn name(&self) -> &'static str {
        "allowed_signers"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::SshLine]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let line = match Line::find(candidate) {
            Ok(line) if !line.is_certificate() => line,
            Ok(_) => return Reading::NotMine,
            Err(Reading::NotMine) => return no_key(candidate, FileHint::Signers),
            Err(reading) => return reading,
        };
        let placed = line.lead();
        match placed.lead {
            Lead::Signers(_) => line.read(placed, Kind::PublicKey, self.name()),
            _ => Reading::NotMine,
        }
    }
}
