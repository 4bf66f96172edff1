//! The outcome of a reconciliation, in memory and as one JSON document.

use super::finding::{Finding, Flag, Severity};
use super::gap::Gap;
use super::host::HostReport;
use super::key_id::KeyId;
use super::kind::Class;
use super::row_source::RowSource;
use super::shared_text::SharedText;
use super::short_list::ShortList;
use super::sighting::Sighting;
use super::ssh_access::SshAccess;
use super::sweep::{Scope, SweepEnd, SweepHeader};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The schema that this version writes.
pub const REPORT_SCHEMA: &str = "keymuster.report/1";

/// A whole report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `keymuster.report/1`.
    pub schema: String,
    /// Name and version of the program.
    pub tool: String,
    /// The time of judgement.
    pub generated: jiff::Timestamp,
    /// The sweeps that it rests on.
    pub sweeps: Vec<SweepSummary>,
    /// The policy that it was judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySummary>,
    /// The hosts that should have been swept, and those that were, where a list or an age was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostReport>,
    /// The inventories that it rests on.
    pub inventories: Vec<InventorySummary>,
    /// The numbers.
    pub summary: Summary,
    /// The keys, sorted by id.
    pub keys: Vec<KeyReport>,
    /// Sightings that have no key.
    pub others: Vec<Box<Sighting>>,
    /// The entries, in the order of their sources.
    pub entries: Vec<EntryReport>,
    /// Which key opens which account on which host, sorted by host, account and key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<SshAccess>,
    /// The gaps of all sweeps.
    pub gaps: Vec<Gap>,
}

/// One sweep, without its sightings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepSummary {
    /// Its first line.
    #[serde(flatten)]
    pub header: SweepHeader,
    /// Its last line, without digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<SweepEnd>,
}

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySummary {
    /// Its file name, or `built in`.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Name and SHA-256 of the lists of exceptions that it includes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included: Vec<IncludedSummary>,
    /// Flags on its exceptions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Finding>,
}

/// A file that a policy includes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncludedSummary {
    /// Its file name.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// One inventory, without its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InventorySummary {
    /// Its file name.
    pub name: String,
    /// Its date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<jiff::Timestamp>,
    /// Rows, usable or not.
    pub rows: u64,
    /// Rows that could be used.
    pub usable: u64,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// Flags that hold for the source as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Finding>,
}

/// The numbers of a report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Distinct keys.
    pub keys: u64,
    /// Sightings.
    pub sightings: u64,
    /// Inventory entries.
    pub entries: u64,
    /// Whether every sweep is complete, and every host that should be swept was.
    pub complete: bool,
    /// Whether something was left out by choice.
    pub scope: Scope,
    /// Findings by flag, each counted once.
    pub flags: BTreeMap<Flag, u64>,
    /// Findings by severity, each counted once.
    pub severities: BTreeMap<Severity, u64>,
    /// Further counts, each named with its unit.
    pub metrics: BTreeMap<String, serde_json::Value>,
}

/// One key with its flags and sightings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyReport {
    /// Its identity.
    pub key_id: KeyId,
    /// Its strongest class.
    pub class: Class,
    /// Its algorithm.
    pub algorithm: Option<SharedText>,
    /// Its size in bits.
    pub bits: Option<u32>,
    /// Where its private half is published, if it is known to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_public: Option<SharedText>,
    /// The entries that match it.
    pub entries: ShortList<SharedText>,
    /// The strongest identifier that matched.
    pub matched_by: Option<SharedText>,
    /// What is to be said of it.
    pub flags: Vec<Finding>,
    /// Where it was seen.
    pub sightings: ShortList<Box<Sighting>>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryStatus {
    /// Seen, by a strong identifier.
    Matched,
    /// Expected and not seen where it must be.
    Missing,
    /// Not seen; no conclusion.
    NotCovered,
    /// Not seen; the row names no place.
    Unlocated,
    /// Cannot be recognised.
    Unmatchable,
    /// Only weak or contradicting evidence.
    Ambiguous,
    /// Gone, as the row says.
    AbsentAsExpected,
}

impl EntryStatus {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Missing => "missing",
            Self::NotCovered => "not_covered",
            Self::Unlocated => "unlocated",
            Self::Unmatchable => "unmatchable",
            Self::Ambiguous => "ambiguous",
            Self::AbsentAsExpected => "absent_as_expected",
        }
    }
}

/// One entry with its status and flags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryReport {
    /// The row's id.
    pub id: SharedText,
    /// Where it stands.
    pub source: RowSource,
    /// The row's name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SharedText>,
    /// The row's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<SharedText>,
    /// The row's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SharedText>,
    /// What became of it.
    pub status: EntryStatus,
    /// The identifier that matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_by: Option<SharedText>,
    /// The keys that it matches.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub keys: ShortList<KeyId>,
    /// What is to be said of it.
    pub flags: Vec<Finding>,
}
