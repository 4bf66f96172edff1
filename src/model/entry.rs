//! One row of the authoritative export.

use super::hex::{Hex, Md5Hex, Sha1Hex, Sha256Hex};
use super::key_id::KeyId;
use super::kind::Kind;
use super::row_source::RowSource;
use super::short_list::ShortList;
use arcstr::ArcStr;
use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

/// One row of the authoritative export, understood.
///
/// There may be millions, so nothing has room to spare, and what repeats over a column (or goes into the report) is shared.
/// What few rows say is read as if it stood here ([`Further`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The row's own id, or `row-N` where it has none.
    pub id: ArcStr,
    /// Where it stands.
    pub source: RowSource,
    /// What it can be recognised by.
    pub identifiers: ShortList<Identifier>,
    /// Where it is allowed to be.
    pub places: ShortList<EntryPlace>,
    /// Name for people.
    pub name: Option<ArcStr>,
    /// What it is by the row's word, as written.
    pub type_text: Option<ArcStr>,
    /// Who answers for it.
    pub owner: Option<ArcStr>,
    /// Environment, as written.
    pub environment: Option<ArcStr>,
    /// Issuer distinguished name, as written.
    pub issuer: Option<ArcStr>,
    /// When it was made.
    pub created: Option<Moment>,
    /// End of its validity.
    pub expires: Option<Moment>,
    /// What it is, where the word is understood.
    pub kind: Option<EntryKind>,
    /// Lifecycle state; absent when the row has none (then it counts as active).
    pub state: Option<State>,
    /// What few rows say.
    pub further: Option<Box<Further>>,
}

/// What a row says beyond what most do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Further {
    /// What it is for.
    pub purpose: Option<ArcStr>,
    /// Further people who hold it.
    pub custodians: Box<[Box<str>]>,
    /// When it was last rotated.
    pub last_rotated: Option<Moment>,
    /// How often it must be rotated, in days.
    pub rotation_period_days: Option<u32>,
    /// Start of its validity.
    pub not_before: Option<Moment>,
    /// How much depends on it, as written.
    pub criticality: Option<ArcStr>,
    /// Algorithm, as written.
    pub algorithm: Option<ArcStr>,
    /// Key size in bits.
    pub bits: Option<u32>,
    /// Subject distinguished name, as written.
    pub subject: Option<ArcStr>,
    /// Subject alternative names.
    pub sans: Box<[String]>,
    /// On how many hosts it may be, where the row says so.
    pub allowed_hosts: Option<u32>,
    /// Columns that are not known, as they are: header and cell, in the order of the headers' names.
    pub extra: Box<[(ArcStr, Box<str>)]>,
    /// Why the row has no identifier although it has a cell for one.
    pub unreadable: Option<Box<str>>,
}

impl Entry {
    /// A row that says nothing yet.
    pub const fn new(id: ArcStr, source: RowSource) -> Self {
        Self {
            id,
            source,
            identifiers: ShortList::Empty,
            places: ShortList::Empty,
            name: None,
            type_text: None,
            owner: None,
            environment: None,
            issuer: None,
            created: None,
            expires: None,
            kind: None,
            state: None,
            further: None,
        }
    }
}

impl Entry {
    /// Frees what has nothing in it.
    pub fn tidy(&mut self) {
        self.further
            .take_if(|further| **further == *NOTHING_FURTHER);
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self::new(ArcStr::default(), RowSource::default())
    }
}

/// What a row says that has nothing of it.
static NOTHING_FURTHER: LazyLock<Further> = LazyLock::new(Further::default);

impl Deref for Entry {
    type Target = Further;

    fn deref(&self) -> &Further {
        self.further.as_deref().unwrap_or_else(|| &NOTHING_FURTHER)
    }
}

impl DerefMut for Entry {
    fn deref_mut(&mut self) -> &mut Further {
        self.further.get_or_insert_default()
    }
}

/// What a row says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// An X.509 certificate (with or without its key).
    Certificate,
    /// An SSH key of a person, a service or a host.
    SshKey,
    /// An SSH host key.
    SshHostKey,
    /// A grant: an authorized key.
    Grant,
    /// A private or key pair of no special protocol.
    KeyPair,
    /// A public key alone.
    PublicKey,
    /// A symmetric key.
    Symmetric,
    /// An OpenPGP key.
    Pgp,
}

impl EntryKind {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::Certificate,
        Self::SshKey,
        Self::SshHostKey,
        Self::Grant,
        Self::KeyPair,
        Self::PublicKey,
        Self::Symmetric,
        Self::Pgp,
    ];

    /// The word that a policy uses for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::SshKey => "ssh_key",
            Self::SshHostKey => "ssh_host_key",
            Self::Grant => "grant",
            Self::KeyPair => "key_pair",
            Self::PublicKey => "public_key",
            Self::Symmetric => "symmetric",
            Self::Pgp => "pgp",
        }
    }

    /// Whether a sighting of this kind can be what the row means.
    pub const fn covers(self, kind: Kind) -> bool {
        match self {
            Self::Certificate => matches!(
                kind,
                Kind::Certificate | Kind::PrivateKey | Kind::CertificateRequest | Kind::PublicKey
            ),
            Self::SshKey | Self::SshHostKey | Self::Grant => matches!(
                kind,
                Kind::PrivateKey
                    | Kind::PublicKey
                    | Kind::AuthorizedKey
                    | Kind::KnownHost
                    | Kind::SshCertificate
            ),
            Self::KeyPair | Self::PublicKey => !matches!(kind, Kind::SymmetricKey | Kind::Crl),
            Self::Symmetric => matches!(kind, Kind::SymmetricKey),
            Self::Pgp => matches!(kind, Kind::PgpPublicKey | Kind::PgpSecretKey),
        }
    }
}

/// A date or time of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The instant; midnight UTC where the row has only a date.
    pub at: jiff::Timestamp,
    /// Whether the row gave a time of day.
    pub has_time: bool,
}

/// Lifecycle state (NIST SP 800-57 part 1, section 7, with suspended and revoked as certificates use them).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Made, not yet in use.
    PreActivation,
    /// In use.
    Active,
    /// Temporarily out of use.
    Suspended,
    /// Out of use for protecting; may still process what was protected.
    Deactivated,
    /// Declared invalid before its time.
    Revoked,
    /// Known or suspected to be in wrong hands.
    Compromised,
    /// Gone by decree.
    Destroyed,
}

impl State {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreActivation => "pre-activation",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deactivated => "deactivated",
            Self::Revoked => "revoked",
            Self::Compromised => "compromised",
            Self::Destroyed => "destroyed",
        }
    }
}

/// A place that a row allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryPlace {
    /// One path on one host (or on any host, where none is named).
    Exact {
        /// Host, lower case; may be a pattern with `*` or `?`.
        host: Option<ArcStr>,
        /// Absolute path.
        path: Box<str>,
    },
    /// A path pattern on one host or any.
    Glob {
        /// Host, lower case; may be a pattern with `*` or `?`.
        host: Option<ArcStr>,
        /// Absolute path with `*`, `?`, `**` or `[…]`.
        pattern: Box<str>,
    },
    /// A whole host.
    Host(ArcStr),
    /// Somewhere that a file sweep cannot see (a token, a cloud, a vault), as written.
    Elsewhere(ArcStr),
}

/// Something that a row can be recognised by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// A key id of ours.
    KeyId(KeyId),
    /// SHA-256 of a certificate or of a SubjectPublicKeyInfo: 64 digits do not tell which.
    CertOrSpkiSha256(Sha256Hex),
    /// SHA-256 of a SubjectPublicKeyInfo, by the column's name.
    SpkiSha256(Sha256Hex),
    /// SHA-256 of a certificate, by the column's name.
    CertSha256(Sha256Hex),
    /// SHA-1 of a certificate.
    CertSha1(Sha1Hex),
    /// MD5 of a certificate, or of an SSH blob: 32 digits do not tell which.
    Md5(Md5Hex),
    /// 40 digits that may be a certificate's SHA-1, an OpenPGP fingerprint, a keygrip or a subject key identifier.
    Sha1OrPgp(Hex<20>),
    /// SHA-256 of an SSH blob.
    SshSha256(Sha256Hex),
    /// MD5 of an SSH blob.
    SshMd5(Md5Hex),
    /// Issuer and serial together.
    IssuerSerial {
        /// Issuer distinguished name, as written.
        issuer: ArcStr,
        /// Serial, lower-case hexadecimal without leading zeros, or as written where only decimal is plausible.
        serial: Box<str>,
    },
    /// A serial alone (weak below 64 bits).
    Serial(Box<str>),
    /// Subject key identifier, lower-case hexadecimal (weak).
    Ski(Box<str>),
    /// RFC 7638 thumbprint, base64url without padding.
    JwkThumbprint(Box<str>),
    /// OpenPGP fingerprint, upper-case hexadecimal.
    PgpFingerprint(Box<str>),
    /// OpenPGP key id, 16 upper-case hexadecimal digits (weak).
    PgpKeyId(Box<str>),
    /// libgcrypt keygrip.
    Keygrip(Hex<20>),
    /// CKA_ID, lower-case hexadecimal (weak).
    Pkcs11Id(Box<str>),
}

/// A row that could not be used, or only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// File name and line or index, as `inventory.csv:18`.
    pub source: String,
    /// The column that is at fault, as its header says.
    pub column: Option<String>,
    /// What is wrong, in words.
    pub reason: String,
    /// Whether the row cannot be used: it was left out, or has identifiers of which none could be read.
    pub row_lost: bool,
}

/// What casts doubt on an export as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Whether nothing may be judged by it, unless the user wants that all the same.
    pub stops: bool,
    /// What is doubtful, in words.
    pub reason: String,
}

/// One export, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    /// File name (last component) by which rows are cited.
    pub name: String,
    /// Where it was read from, as given; without the password of a database.
    pub path: String,
    /// The form it has, in words.
    pub form: String,
    /// The profile by which its columns were understood.
    pub profile: Option<String>,
    /// Its date: the user's word, else its own, else when the file was last changed.
    pub as_of: Option<jiff::Timestamp>,
    /// How many rows it has, usable or not.
    pub rows: u64,
    /// How many of them cannot be used.
    pub unusable: u64,
    /// The rows that were understood, at least in part.
    pub entries: Vec<Entry>,
    /// What is wrong with it, by row.
    pub faults: Vec<RowFault>,
    /// What was done with it that is no fault: which sheet was read, which rows are of another sort.
    pub notes: Vec<String>,
    /// Why it should not be judged by, as a whole.
    pub doubts: Vec<Doubt>,
    /// Whether it has a column for owners at all.
    pub has_owner_column: bool,
    /// How each column was understood: header and field name (or none).
    pub columns: Vec<(String, Option<String>)>,
}
