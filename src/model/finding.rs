//! One flag on one key or one inventory entry.

use super::hex::{Hex, HexError, Parsed, Sha256Hex};
use super::key_id::KeyId;
use super::shared_text::SharedText;
use super::text::{Text, serialize_plain};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How much a finding matters; ordered from the least.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    #[default]
    Info,
    /// To be done some time.
    Low,
    /// To be planned.
    Medium,
    /// To be done soon.
    High,
    /// To be done now.
    Critical,
}

impl Severity {
    /// All, from the greatest.
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

macro_rules! flags {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// What can be said of a key or an entry (contract, section 3).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Flag { $($(#[$doc])* $variant,)* }

        impl Flag {
            /// All, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word used in records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

flags! {
    /// No entry matches on a strong identifier.
    Unknown = "unknown",
    /// The key is known, this current certificate is in no entry.
    UnknownCertificate = "unknown_certificate",
    /// The matched entry names no owner, or one that is not known or gone.
    Unowned = "unowned",
    /// An end of validity has passed.
    Expired = "expired",
    /// An end of validity is near.
    Expiring = "expiring",
    /// A start of validity lies ahead.
    NotYetValid = "not_yet_valid",
    /// The rotation period has passed.
    RotationOverdue = "rotation_overdue",
    /// The entry says rotated, and the same key is older.
    RotationUnproven = "rotation_unproven",
    /// Neither row nor policy gives a rotation period or an end.
    NoCryptoperiod = "no_cryptoperiod",
    /// State and reality contradict.
    StateConflict = "state_conflict",
    /// A private key remains although its last certificate has expired.
    ResidualPrivate = "residual_private",
    /// Known, and at no place that the entry allows.
    Misplaced = "misplaced",
    /// A private key has further copies outside the allowed places.
    StrayCopy = "stray_copy",
    /// Entry and artifact disagree.
    Mismatch = "mismatch",
    /// A lapsed entry's place or names now have a newer certificate or key.
    RenewedUnrecorded = "renewed_unrecorded",
    /// Only weak or contradicting evidence.
    Ambiguous = "ambiguous",
    /// A grant whose private key is neither seen nor registered.
    AccessOrphan = "access_orphan",
    /// A private key without counterpart, or a certificate without its key.
    Unpaired = "unpaired",
    /// One private key on more hosts or under more owners than allowed.
    Shared = "shared",
    /// One private key in environments that differ.
    SharedAcrossEnvironments = "shared_across_environments",
    /// Private material in clear that others can reach and read, or replace.
    Exposed = "exposed",
    /// A trust store or grant file that others may write.
    Tamperable = "tamperable",
    /// A person's private key without passphrase.
    Unprotected = "unprotected",
    /// Below policy.
    Weak = "weak",
    /// Factorable, published or otherwise lost.
    Compromised = "compromised",
    /// Expected, and seen nowhere although its place was completely swept.
    Missing = "missing",
    /// Not seen, and no conclusion can be drawn.
    NotCovered = "not_covered",
    /// No usable identifier in the row.
    Unmatchable = "unmatchable",
    /// Two rows of one source name the same thing at the same place.
    DuplicateEntry = "duplicate_entry",
    /// An exception of the policy that has ended, is broken, or excuses nothing.
    ExceptionInvalid = "exception_invalid",
}

/// What names a finding in every report: `f:` and 16 hexadecimal digits over flag, key or entry, and certificate or place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub Hex<8>);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f:{}", self.0)
    }
}

impl FromStr for FindingId {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        let digits = text.strip_prefix("f:").unwrap_or_default();
        digits.parse().map(Self)
    }
}

impl PartialEq<str> for FindingId {
    fn eq(&self, text: &str) -> bool {
        text.parse::<Self>().as_ref() == Ok(self)
    }
}

impl Serialize for FindingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text: Text<18> = Text::new();
        text.push(b"f:");
        text.push_hex(&self.0.0);
        serialize_plain(text.as_bytes().unwrap_or_default(), serializer)
    }
}

impl<'de> Deserialize<'de> for FindingId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::new())
    }
}

/// One flag on one key or one inventory entry, with severity, reason and evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its stable id.
    pub id: FindingId,
    /// Which flag.
    pub flag: Flag,
    /// How much it matters.
    pub severity: Severity,
    /// Why, in a sentence that a manager understands.
    pub why: SharedText,
    /// The inventory entry that it rests on.
    pub entry: Option<SharedText>,
    /// The certificate that it rests on.
    pub cert_sha256: Option<Sha256Hex>,
    /// The place that it rests on, as `host:path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<SharedText>,
    /// The key, on a flag that is repeated on an entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<Box<KeyId>>,
    /// The exception that excuses it, while that is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Box<Excuse>>,
}

/// The exception of the policy that excuses a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excuse {
    /// Where it was decided.
    pub ticket: String,
    /// Its last day.
    pub until: jiff::civil::Date,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requester: String,
    /// Who agreed.
    pub approver: String,
    /// File and line of the policy.
    pub source: String,
}
