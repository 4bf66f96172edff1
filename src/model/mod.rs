//! The words of the contract, a file each: no I/O, and nothing imported from the other stages.
//!
//! The records that a sweep and a report consist of are these types; their serde names are the contract.

pub(crate) mod ahead;
pub mod artifact;
pub mod budgets;
pub mod candidate;
pub mod certificate;
pub mod entry;
pub mod finding;
pub mod fingerprint;
pub mod gap;
pub mod hex;
pub mod host;
pub mod image;
pub mod key_id;
pub mod kind;
pub mod location;
mod location_record;
mod moment;
pub mod packed_fingerprints;
pub mod pgp;
pub mod prints;
pub mod proposal;
pub mod report;
pub mod row_source;
pub mod secret;
pub mod shared_text;
pub mod short_list;
pub mod sighting;
mod sighting_record;
pub mod ssh;
mod ssh_access;
pub mod sweep;
pub mod text;
pub mod unlock;

pub use artifact::{Artifact, KeyMaterial, PrivateNumbers};
pub use budgets::Budgets;
pub use candidate::{Candidate, Clue, EntryFacts, Fault, Found, Nested, Reading};
pub use certificate::{Certificate, CertificateStatus};
pub use entry::{
    Doubt, Entry, EntryKind, EntryPlace, Further, Identifier, Inventory, Moment, RowFault, State,
};
pub use finding::{Excuse, Finding, FindingId, Flag, Severity};
pub use fingerprint::Fingerprints;
pub use gap::{Gap, GapReason};
pub use hex::{Hex, Md5Hex, Sha1Hex, Sha256Hex};
pub use host::{HostList, HostReport, HostStatus, ListedHost};
pub use image::{Image, Removed};
pub use key_id::KeyId;
pub use kind::{Class, Encoding, Kind, Protection};
pub use location::{Access, FileFacts, Grantee, Location, Member, Mode, Position, RareLocation};
pub use packed_fingerprints::PackedFingerprints;
pub use pgp::Pgp;
pub use prints::{JwkThumbprint, SshMd5, SshSha256};
pub use proposal::{Parts, Proposal, SeenAt, Thing};
pub use report::{
    EntryReport, EntryStatus, InventorySummary, KeyReport, PolicySummary, Report, Summary,
    SweepSummary,
};
pub use row_source::RowSource;
pub use secret::Secret;
pub use shared_text::SharedText;
pub use short_list::ShortList;
pub use sighting::{Rare, Sighting};
pub use ssh::{Opens, RareSsh, Ssh};
pub use ssh_access::{AccessState, SshAccess, Via};
pub use sweep::{Scope, Sweep, SweepEnd, SweepHeader};
pub use unlock::{Closed, Effort, Opened, PasswordList, Passwords, Unlock};
