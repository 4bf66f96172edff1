//! What is judged and how hard: thresholds, severities, approved algorithms, places, exceptions, owners.
//!
//! A policy is one TOML file; what it does not say is as built in. [`show()`] writes the one in force with the origin of
//! each value, in a form that reads back as the same policy.

pub mod approval;
mod document;
mod exception;
pub mod owners;
mod place;
mod read;
mod show;
#[cfg(test)]
mod tests;

pub use approval::{Approvals, Demand};
pub use exception::Exception;
pub use owners::{Owners, Standing};
pub use place::PlaceRule;
pub use read::read_policy;
pub use show::show;

use crate::model::{Class, EntryKind, Flag, Hex, Kind, Severity};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// What is judged, and how hard.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The file that it is from, or `built in`.
    pub name: String,
    /// SHA-256 of that file, in hexadecimal; of what is built in, of the text that shows it.
    pub sha256: String,
    /// Names and digests of the lists of exceptions that it includes.
    pub included: Vec<(String, String)>,
    /// The owners list: its path, and as it is written.
    pub owners: Option<(PathBuf, String)>,
    /// How many days before its end a thing is `expiring`.
    pub expiring_days: u32,
    /// The share of its lifetime, in percent: while more of it remains, `expiring` is only worth knowing.
    pub expiring_early_percent: u32,
    /// How many days an exception may run.
    pub exception_max_days: u32,
    /// Algorithms, sizes, curves and hashes by date.
    pub approvals: Approvals,
    /// Rotation period in days by type, for rows that give none.
    pub rotation_days: BTreeMap<EntryKind, u32>,
    /// Severities that replace those of the contract; what the contract holds for info in a case stays so.
    pub severities: BTreeMap<Flag, Severity>,
    /// The same for keys of one class, also where the contract softens what is not the host's own.
    pub class_severities: BTreeMap<(Class, Flag), Severity>,
    /// Where keys may be.
    pub places: Vec<PlaceRule>,
    /// What is excused.
    pub exceptions: Vec<Exception>,
    /// Where each value comes from, by its path in the file; what is not here is built in.
    origins: BTreeMap<String, String>,
}

/// The name of the policy without a file.
pub const BUILT_IN: &str = "built in";

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: BUILT_IN.to_owned(),
            sha256: String::new(),
            included: Vec::new(),
            owners: None,
            expiring_days: 30,
            expiring_early_percent: 25,
            exception_max_days: 366,
            approvals: Approvals::default(),
            rotation_days: BTreeMap::new(),
            severities: BTreeMap::new(),
            class_severities: BTreeMap::new(),
            places: Vec::new(),
            exceptions: Vec::new(),
            origins: BTreeMap::new(),
        }
    }
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The path as given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than what is read.
    #[error("{path}: larger than what is read of a policy")]
    TooLarge {
        /// The path as given.
        path: String,
    },
    /// It is no text.
    #[error("{path}: is not UTF-8")]
    NotText {
        /// The path as given.
        path: String,
    },
    /// Something in it is not known, of a wrong type or impossible.
    #[error("{file}:{line}: {reason}")]
    Value {
        /// File name.
        file: String,
        /// 1-based line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Policy {
    /// The policy without a file, with the digest of the text that shows it.
    pub fn built_in() -> Self {
        let policy = Self::default();
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = show(&policy, &mut text);
        Self {
            sha256: Hex::<32>(Sha256::digest(&text).into()).to_string(),
            ..policy
        }
    }

    /// The severity of a flag that has one degree in the contract (section 3).
    pub fn severity(&self, flag: Flag) -> Severity {
        self.severities
            .get(&flag)
            .copied()
            .unwrap_or_else(|| default_severity(flag))
    }

    /// The severity of a flag whose degree a rule found; info stays info.
    pub fn graded(&self, flag: Flag, by_contract: Severity) -> Severity {
        match self.severities.get(&flag) {
            Some(&severity) if by_contract != Severity::Info => severity,
            _ => by_contract,
        }
    }

    /// The severity on a key of a class, where policy gives that class one of its own.
    pub fn of_class(&self, class: Class, flag: Flag) -> Option<Severity> {
        self.class_severities.get(&(class, flag)).copied()
    }

    /// Where a value comes from, for people: `built in`, or file and line.
    pub fn origin(&self, path: &str) -> String {
        self.origins
            .get(path)
            .cloned()
            .unwrap_or_else(|| BUILT_IN.to_owned())
    }

    fn note(&mut self, path: &str, document: &document::Document<'_>, line: usize) {
        self.origins
            .insert(path.to_owned(), format!("{}:{line}", document.name));
    }
}

fn severity_words() -> Vec<(&'static str, Severity)> {
    Severity::ALL.iter().map(|s| (s.as_str(), *s)).collect()
}

fn flag_words() -> Vec<(&'static str, Flag)> {
    Flag::ALL.iter().map(|f| (f.as_str(), *f)).collect()
}

fn class_words() -> Vec<(&'static str, Class)> {
    Class::ALL.iter().map(|c| (c.as_str(), *c)).collect()
}

fn kind_words() -> Vec<(&'static str, Kind)> {
    Kind::ALL.iter().map(|k| (k.as_str(), *k)).collect()
}

fn type_words() -> Vec<(&'static str, EntryKind)> {
    EntryKind::ALL.iter().map(|k| (k.as_str(), *k)).collect()
}

/// The default severities of the contract, section 3; of a flag with degrees the usual one.
pub const fn default_severity(flag: Flag) -> Severity {
    match flag {
        Flag::Compromised => Severity::Critical,
        Flag::Unknown
        | Flag::Unowned
        | Flag::Expired
        | Flag::RotationUnproven
        | Flag::StateConflict
        | Flag::Shared
        | Flag::SharedAcrossEnvironments
        | Flag::Exposed
        | Flag::Tamperable
        | Flag::Weak => Severity::High,
        Flag::UnknownCertificate
        | Flag::Expiring
        | Flag::RotationOverdue
        | Flag::ResidualPrivate
        | Flag::Misplaced
        | Flag::StrayCopy
        | Flag::Mismatch
        | Flag::AccessOrphan
        | Flag::Unprotected
        | Flag::Missing
        | Flag::ExceptionInvalid => Severity::Medium,
        Flag::NotYetValid
        | Flag::NoCryptoperiod
        | Flag::Ambiguous
        | Flag::Unmatchable
        | Flag::DuplicateEntry => Severity::Low,
        Flag::RenewedUnrecorded | Flag::Unpaired | Flag::NotCovered => Severity::Info,
    }
}
