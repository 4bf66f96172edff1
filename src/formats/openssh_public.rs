//! A lone OpenSSH public key: a `.pub` file, or one amid other text (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").

use super::wire::ssh_lead::{FileHint, Lead};
use super::wire::ssh_line::{LITERALS, Line};
use super::{Format, Signature};
use crate::model::{Candidate, Clue, Kind, Reading};

/// The reader of lone public keys. It also declares what finds the lines of the other formats of lines.
pub struct OpensshPublic;

const SIGNATURES: [Signature; 2] = {
    let [space, tab] = LITERALS;
    [
        Signature::anywhere(space, Clue::SshLine),
        Signature::anywhere(tab, Clue::SshLine),
    ]
};

impl Format for OpensshPublic {
    fn name(&self) -> &'static str {
        "openssh_public"
    }

    fn signatures(&self) -> &'static [Signature] {
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::SshLine]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let line = match Line::find(candidate) {
            Ok(line) if !line.is_certificate() => line,
            Ok(_) => return Reading::NotMine,
            Err(reading) => return reading,
        };
        let placed = line.lead();
        match placed.lead {
            Lead::Nothing if line.hint() == FileHint::Grants => Reading::NotMine,
            Lead::Nothing | Lead::Comment | Lead::Other => {
                line.read(placed, Kind::PublicKey, self.name())
            }
            Lead::Options { .. } | Lead::Hosts { .. } | Lead::Signers(_) => Reading::NotMine,
        }
    }
}
