//! A host key as a client remembers it: a line of a `known_hosts` file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").

use super::Format;
use super::wire::ssh_lead::{FileHint, Lead};
use super::wire::ssh_line::{Line, no_key};
use crate::model::{Candidate, Clue, Kind, Reading};

/// The reader of keys with host patterns, plain or hashed, before them.
pub struct KnownHosts;

impl Format for KnownHosts {
    fn name(&self) -> &'static str {
        "known_hosts"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::SshLine]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let line = match Line::find(candidate) {
            Ok(line) if !line.is_certificate() => line,
            Ok(_) => return Reading::NotMine,
            Err(Reading::NotMine) => return no_key(candidate, FileHint::Hosts),
            Err(reading) => return reading,
        };
        let placed = line.lead();
        match placed.lead {
            Lead::Hosts { .. } => line.read(placed, Kind::KnownHost, self.name()),
            _ => Reading::NotMine,
        }
    }
}
