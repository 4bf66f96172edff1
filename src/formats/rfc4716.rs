//! The SSH public key file of RFC 4716, as ssh.com, PuTTY and `ssh-keygen -e` write it.

use super::wire::ssh_certificate::artifact_of_blob;
use super::wire::ssh2_armour::{self, Marker};
use super::{Format, Signature};
use crate::model::{Candidate, Clue, Encoding, Kind, Reading};

/// The reader of `---- BEGIN SSH2 PUBLIC KEY ----`.
pub struct Rfc4716;

const MARKER: Marker = Marker {
    begin: b"---- BEGIN SSH2 PUBLIC KEY",
    tight: b"----BEGIN SSH2 PUBLIC KEY",
    end: b"END SSH2 PUBLIC KEY",
    what: "SSH2 public key",
};

impl Format for Rfc4716 {
    fn name(&self) -> &'static str {
        "rfc4716"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 2] = [
            Signature::anywhere(MARKER.begin, Clue::Ssh2Armour),
            Signature::anywhere(MARKER.tight, Clue::Ssh2Armour),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Ssh2Armour]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        ssh2_armour::read(candidate, &MARKER, |blob| {
            let blob = blob.to_vec();
            artifact_of_blob(blob, Kind::PublicKey, self.name(), Encoding::Text)
        })
    }
}
