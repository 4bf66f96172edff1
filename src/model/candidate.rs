//! Bytes that are worth a parser, and what a parser says of them.

use super::artifact::Artifact;
use super::gap::GapReason;
use super::kind::{Encoding, Protection};
use super::location::Member;
use super::unlock::{Opened, Unlock};
use std::borrow::Cow;
use std::sync::Arc;

/// What drew attention to a candidate, and so which formats are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clue {
    /// `-----BEGIN ` in single-byte text: a PEM armour, or its mention.
    PemArmour,
    /// `-----BEGIN ` in UTF-16, little-endian.
    PemArmourUtf16Le,
    /// `-----BEGIN ` in UTF-16, big-endian.
    PemArmourUtf16Be,
    /// `---- BEGIN SSH2 PUBLIC KEY` (RFC 4716).
    Ssh2Armour,
    /// Blank and `AAAA`: the base64 of an SSH wire blob on a line of text.
    SshLine,
    /// Bytes that stand inside or at the start of a DER object (`30 82`, an OID).
    DerRun,
    /// The magic number of `openssh-key-v1`, without armour.
    OpensshMagic,
    /// A magic number at the start of a file or member.
    Magic,
    /// The start of something worth a look, as it is spelled in base64.
    Base64,
    /// The start of something worth a look, as it is spelled in hexadecimal digits.
    Hexadecimal,
    /// A PEM boundary in which blanks are escaped as in URLs.
    UrlEscape,
    /// A word by which the text of a key file is known.
    Word,
    /// The decoded body of a PEM armour; the candidate has its label.
    PemBody,
    /// Exactly one complete DER element, carved out of other bytes.
    DerObject,
    /// Decoded bytes that are to be searched as if they were a file; the candidate names its [`Nested::member`].
    Content,
}

/// Bytes that are worth a parser.
///
/// For a clue found by search, `bytes` is the whole window and `at` the place of the literal, so that a
/// reader can look back. For a nested candidate `bytes` is the object alone and `at` is 0.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// What drew attention.
    pub clue: Clue,
    /// The bytes to look at.
    pub bytes: &'a [u8],
    /// Where in `bytes` the clue stands.
    pub at: usize,
    /// Whether `bytes` reaches to the end of the file or member.
    pub at_end: bool,
    /// Whether `bytes[0]` is the first byte of the file or member.
    pub at_start: bool,
    /// What an artifact read from it wears.
    pub encoding: Encoding,
    /// The PEM label, for [`Clue::PemBody`].
    pub label: Option<&'a str>,
    /// PEM headers (RFC 1421 `Proc-Type`, `DEK-Info`), for [`Clue::PemBody`].
    pub headers: &'a [(String, String)],
    /// Last component of the path, which may name what was found but never decides whether it is found.
    pub file_name: &'a [u8],
    /// What may be tried if it is closed.
    pub unlock: Unlock<'a>,
}

/// What a reader says of a candidate.
#[derive(Debug)]
pub enum Reading {
    /// Not this reader's.
    NotMine,
    /// It is, and more bytes than the window has are needed, from this place on.
    NeedMore {
        /// Where in `bytes` the object starts.
        from: usize,
    },
    /// It is.
    Found(Found),
}

/// What was read from a candidate.
#[derive(Debug, Default)]
pub struct Found {
    /// Things that were understood; their offsets count from `Candidate::bytes[0]`.
    pub artifacts: Vec<Artifact>,
    /// Things that another reader must look at.
    pub nested: Vec<Nested>,
    /// What was recognised and not understood.
    pub faults: Vec<Fault>,
    /// The end of what was consumed, in `Candidate::bytes`; the search goes on from there.
    pub end: usize,
}

/// A nested candidate with bytes of its own.
#[derive(Debug)]
pub struct Nested {
    /// What it is.
    pub clue: Clue,
    /// Its bytes, wiped on drop, as they may be a private key's.
    pub bytes: zeroize::Zeroizing<Vec<u8>>,
    /// What an artifact read from it wears.
    pub encoding: Encoding,
    /// The PEM label.
    pub label: Option<String>,
    /// PEM headers.
    pub headers: Vec<(String, String)>,
    /// Where it stands, counted from the start of the outer candidate's bytes.
    pub offset: usize,
    /// Declares itself (an armour, a magic number): if no reader takes it, it is malformed or unsupported.
    pub declared: bool,
    /// What the container says of it; whatever is read from it inherits that.
    pub entry: Option<Arc<EntryFacts>>,
    /// For [`Clue::Content`]: the step that leads to it, in the chain of members.
    pub member: Option<Member>,
}

impl Nested {
    /// A nested candidate without label, headers or entry, that nothing declares.
    pub fn new(
        clue: Clue,
        bytes: zeroize::Zeroizing<Vec<u8>>,
        encoding: Encoding,
        offset: usize,
    ) -> Self {
        Self {
            clue,
            bytes,
            encoding,
            label: None,
            headers: Vec::new(),
            offset,
            declared: false,
            entry: None,
            member: None,
        }
    }

    /// Decoded bytes that are to be searched as if they were a file, and the step that leads to them.
    pub fn content(member: Member, bytes: zeroize::Zeroizing<Vec<u8>>, offset: usize) -> Self {
        Self {
            member: Some(member),
            declared: true,
            ..Self::new(Clue::Content, bytes, Encoding::Binary, offset)
        }
    }
}

/// What a keystore says of one of its entries, beside the entry's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFacts {
    /// Alias, friendly name, label or nickname.
    pub alias: Option<String>,
    /// The store's date of the entry.
    pub created: Option<jiff::Timestamp>,
    /// How the store protects it; private material that was opened is still told as encrypted.
    pub protection: Option<Protection>,
    /// Cipher and key derivation of that protection.
    pub cipher: Option<String>,
    /// How it was opened.
    pub opened: Option<Opened>,
    /// CKA_ID or localKeyID, lower-case hexadecimal: what belongs together has the same.
    pub pkcs11_id: Option<String>,
    /// Remarks for people.
    pub notes: Vec<Cow<'static, str>>,
}

impl EntryFacts {
    /// The same, with what an outer container says where this one says nothing.
    #[must_use]
    pub fn within(&self, outer: &Self) -> Self {
        let mut facts = self.clone();
        facts.alias = facts.alias.or_else(|| outer.alias.clone());
        facts.created = facts.created.or(outer.created);
        if facts.protection.is_none() {
            facts.protection = outer.protection;
            facts.cipher.clone_from(&outer.cipher);
        }
        facts.opened = facts.opened.or(outer.opened);
        facts.pkcs11_id = facts.pkcs11_id.or_else(|| outer.pkcs11_id.clone());
        facts.notes.extend(outer.notes.iter().cloned());
        facts
    }
}

/// What was recognised and not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub reason: GapReason,
    /// Where, counted from the start of the candidate's bytes.
    pub offset: usize,
    /// What was expected; never a byte of the content.
    pub detail: String,
}
