//! Where keys may be, whatever their rows say.

use crate::model::{EntryKind, Kind};

/// One rule about places. Every rule that applies to a sighting must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceRule {
    /// The kinds of artifacts that it is about; none: all.
    pub kinds: Vec<Kind>,
    /// The types of rows that it is about, for keys that a row names; none: all keys.
    pub types: Vec<EntryKind>,
    /// The environment of the hosts that it is about; absent: all.
    pub environment: Option<String>,
    /// Where they may be: `host:/glob`, `/glob`, a host; none: anywhere but for `deny`.
    pub allow: Vec<String>,
    /// Where they must not be.
    pub deny: Vec<String>,
    /// File and line.
    pub source: String,
}
