//! What an inventory lacks, or says wrongly, and what it should say.

use super::certificate::Certificate;
use super::entry::{EntryKind, State};
use super::finding::Flag;
use super::fingerprint::Fingerprints;
use super::key_id::KeyId;
use super::row_source::RowSource;

/// One row that is lacking, or one that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The row that is to be changed, as [`Entry::source`](super::Entry::source) cites it; none for a new one.
    pub row: Option<RowSource>,
    /// The finding that it answers; of several the first.
    pub flag: Flag,
    /// Why, in the words of the findings.
    pub why: String,
    /// Which of the row's cells are to be written.
    pub parts: Parts,
    /// What was found.
    pub thing: Thing,
}

/// What of a row is to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// What it is recognised by, and with that all that a certificate says.
    pub identity: bool,
    /// The algorithm.
    pub algorithm: bool,
    /// The size.
    pub bits: bool,
    /// The end of validity.
    pub expires: bool,
    /// The subject.
    pub subject: bool,
    /// The serial number.
    pub serial: bool,
    /// The places.
    pub places: bool,
    /// The date of rotation: another key took the place of the row's.
    pub rotated: bool,
}

/// A key or certificate as it was found: public facts alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// The key.
    pub key_id: KeyId,
    /// What a row would call it.
    pub kind: EntryKind,
    /// A name for people: the common name, an SSH comment, or the file's name.
    pub name: Option<String>,
    /// What it can be recognised by.
    pub fingerprints: Fingerprints,
    /// The certificate, where the row is to name one.
    pub certificate: Option<Certificate>,
    /// The key's algorithm.
    pub algorithm: Option<String>,
    /// The key's size in bits.
    pub bits: Option<u32>,
    /// When it was made, where something tells that.
    pub created: Option<jiff::Timestamp>,
    /// Start of its validity.
    pub not_before: Option<jiff::Timestamp>,
    /// End of its validity.
    pub expires: Option<jiff::Timestamp>,
    /// Where it was seen, each place once.
    pub places: Vec<SeenAt>,
    /// Its state: active, unless another took its place.
    pub state: State,
    /// When it was judged.
    pub found: jiff::Timestamp,
}

/// One place where something was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenAt {
    /// The host.
    pub host: String,
    /// The path there, or another store's own address.
    pub path: String,
}
