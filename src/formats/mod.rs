//! One file per format behind one trait and one static list; none imports a sibling.
//!
//! Adding a format is one new file, one line in [`ALL`], one fixture folder and one row in the README's table.

pub mod authorized_keys;
pub mod crl;
pub mod dsa;
pub mod encrypted_pkcs8;
pub mod known_hosts;
pub mod openssh_private;
pub mod openssh_public;
pub mod parameters;
pub mod pkcs1;
pub mod pkcs10;
pub mod pkcs7;
pub mod pkcs8;
pub mod rfc4716;
pub mod sec1;
pub mod spki;
pub mod ssh_certificate;
pub mod traditional_encrypted;
pub mod unread_der;
pub mod wire;
pub mod x509;

use crate::containers::bks::{Bks, Uber};
use crate::containers::der_run::DerRun;
use crate::containers::jks::{Jceks, Jks};
use crate::containers::pem_armour::PemArmour;
use crate::model::{Candidate, Clue, Reading};

/// A reader of one format, or of one kind of container.
///
/// A reader never fails: what it recognises and cannot read is a [`crate::model::Fault`], what is not
/// its own is [`Reading::NotMine`]. It does no I/O and keeps no state.
pub trait Format: Sync {
    /// The format's name in records, lower snake case.
    fn name(&self) -> &'static str;

    /// The literals that, found where they may stand in a file, make a candidate with the given clue.
    fn signatures(&self) -> &'static [Signature] {
        &[]
    }

    /// The clues of the candidates that this reader is asked about.
    fn clues(&self) -> &'static [Clue];

    /// Looks at one candidate.
    fn read(&self, candidate: &Candidate<'_>) -> Reading;
}

/// A literal worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// The exact bytes.
    pub literal: &'static [u8],
    /// What finding them suggests.
    pub clue: Clue,
    /// Where they mean that.
    pub place: Place,
}

/// Where a literal may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Anywhere: it is searched in every byte, so each further one that begins unlike the others costs time.
    Anywhere,
    /// So many bytes behind the first of a file or member, and nowhere else: compared once a file, which is free.
    Start(usize),
}

impl Signature {
    /// A literal of at least three bytes that may stand anywhere; the candidate's `at` is its first byte.
    pub const fn anywhere(literal: &'static [u8], clue: Clue) -> Self {
        Self {
            literal,
            clue,
            place: Place::Anywhere,
        }
    }

    /// A literal (a magic number) that counts only `offset` bytes behind the first byte of a file or member;
    /// the candidate's `at` is that first byte, 0. It must lie within the first 64 KiB.
    pub const fn at_start(offset: usize, literal: &'static [u8], clue: Clue) -> Self {
        Self {
            literal,
            clue,
            place: Place::Start(offset),
        }
    }
}

/// Every format, in the order in which they are asked.
pub static ALL: &[&dyn Format] = &[
    &PemArmour,
    &DerRun,
    &Jks,
    &Jceks,
    &Bks,
    &Uber,
    &openssh_private::OpensshPrivate,
    &rfc4716::Rfc4716,
    &ssh_certificate::SshCertificate,
    &known_hosts::KnownHosts,
    &authorized_keys::AuthorizedKeys,
    &openssh_public::OpensshPublic,
    &traditional_encrypted::TraditionalEncrypted,
    &parameters::Parameters,
    &x509::X509,
    &pkcs8::Pkcs8,
    &encrypted_pkcs8::EncryptedPkcs8,
    &pkcs1::Pkcs1,
    &sec1::Sec1,
    &dsa::Dsa,
    &spki::SubjectPublicKeyInfo,
    &pkcs10::Pkcs10,
    &crl::Crl,
    &pkcs7::Pkcs7,
    &unread_der::UnreadDer,
];
