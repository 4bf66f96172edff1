//! A grant: a line of an `authorized_keys` file (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").

use super::Format;
use super::wire::ssh_lead::{FileHint, Lead};
use super::wire::ssh_line::{Line, no_key};
use crate::model::{Candidate, Clue, Kind, Reading};

/// The reader of grants: keys with options before them, or alone on a line of a file of that name.
pub struct AuthorizedKeys;

impl Format for AuthorizedKeys {
    fn name(&self) -> &'static str {
        "authorized_keys"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::SshLine]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let line = match Line::find(candidate) {
            Ok(line) if !line.is_certificate() => line,
            Ok(_) => return Reading::NotMine,
            Err(Reading::NotMine) => return no_key(candidate, FileHint::Grants),
            Err(reading) => return reading,
        };
        let placed = line.lead();
        let grants = match placed.lead {
            Lead::Options { .. } => true,
            Lead::Nothing => line.hint() == FileHint::Grants,
            Lead::Comment | Lead::Hosts { .. } | Lead::Signers(_) | Lead::Other => false,
        };
        if grants {
            line.read(placed, Kind::AuthorizedKey, self.name())
        } else {
            Reading::NotMine
        }
    }
}
