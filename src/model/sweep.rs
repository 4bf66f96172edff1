//! One run of `scan` over given roots on one host.

use super::gap::{Gap, GapReason};
use super::hex::Sha256Hex;
use super::sighting::Sighting;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The schema that this version writes.
pub const SWEEP_SCHEMA: &str = "keymuster.sweep/1";

/// The first line of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepHeader {
    /// `keymuster.sweep/1`.
    pub schema: String,
    /// Name and version of the program.
    pub tool: String,
    /// The host's name.
    pub host: String,
    /// SHA-256 of the host's machine id behind a fixed prefix: the same after a rename.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<Sha256Hex>,
    /// The roots, as the host sees them.
    pub roots: Vec<String>,
    /// When it began.
    pub started: jiff::Timestamp,
    /// The options that shape what is covered.
    pub options: BTreeMap<String, serde_json::Value>,
}

/// Whether everything under the roots was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Nothing was left out by choice.
    #[default]
    Full,
    /// The user left something out.
    Reduced,
}

/// The last line of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepEnd {
    /// When it ended.
    pub finished: jiff::Timestamp,
    /// Directories listed.
    pub directories: u64,
    /// Regular files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Sightings told.
    pub sightings: u64,
    /// Distinct keys told.
    pub keys: u64,
    /// Gaps told, by reason.
    pub gaps: BTreeMap<GapReason, u64>,
    /// Whether nothing in scope stayed unread for want of access, time or budget.
    pub complete: bool,
    /// Whether something was left out by choice.
    pub scope: Scope,
    /// SHA-256 of this sweep's lines before this one, each with its newline; empty in memory.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// A whole sweep in memory, sightings and gaps sorted as the contract says.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Its first line.
    pub header: SweepHeader,
    /// Its sightings.
    pub sightings: Vec<Box<Sighting>>,
    /// Its gaps.
    pub gaps: Vec<Gap>,
    /// Its last line; absent when a stored sweep was cut off.
    pub end: Option<SweepEnd>,
}
