//! An OpenSSH certificate on a line of text, of whatever file (PROTOCOL.certkeys).

use super::Format;
use super::wire::ssh_line::Line;
use crate::model::{Candidate, Clue, Kind, Reading};

/// The reader of certificates of users and hosts.
pub struct SshCertificate;

impl Format for SshCertificate {
    fn name(&self) -> &'static str {
        "ssh_certificate"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::SshLine]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        match Line::find(candidate) {
            Ok(line) if line.is_certificate() => {
                line.read(line.lead(), Kind::SshCertificate, self.name())
            }
            Ok(_) => Reading::NotMine,
            Err(reading) => reading,
        }
    }
}
