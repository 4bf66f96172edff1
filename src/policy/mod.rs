//! Thresholds, severities and owners.

use crate::model::{EntryKind, Flag, Severity};
use std::collections::BTreeMap;

/// What the list of owners says of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Listed, and there.
    Present,
    /// Listed as gone, by this word of the list (`left`, `disabled`, …).
    Gone(String),
    /// Not listed.
    Unknown,
}

/// Answers how an owner stands; a row's owner is asked for as it is written there.
pub type AskOwner<'a> = dyn Fn(&str) -> Standing + 'a;

/// What is judged, and how hard.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How many days before its end a thing is `expiring`.
    pub expiring_days: u32,
    /// Smallest RSA modulus that is not `weak`, in bits.
    pub rsa_min_bits: u32,
    /// Smallest elliptic curve that is not `weak`, in bits.
    pub ec_min_bits: u32,
    /// Smallest symmetric key that is not `weak`, in bits.
    pub symmetric_min_bits: u32,
    /// Key algorithms that are `weak` at any size, by the names of the contract.
    pub weak_algorithms: Vec<String>,
    /// Hashes that make a certificate's signature `weak`: lower case, without hyphen.
    pub weak_hashes: Vec<String>,
    /// Rotation period in days by type, for rows that give none.
    pub rotation_days: BTreeMap<EntryKind, u32>,
    /// Severities that replace those of the contract; what the contract holds for info stays so.
    pub severities: BTreeMap<Flag, Severity>,
}

impl Default for Policy {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|&w| w.to_owned()).collect();
        Self {
            expiring_days: 30,
            rsa_min_bits: 2048,
            ec_min_bits: 224,
            symmetric_min_bits: 112,
            weak_algorithms: words(&["DSA", "DES", "RC2", "RC4"]),
            weak_hashes: words(&["md2", "md4", "md5", "sha1"]),
            rotation_days: BTreeMap::new(),
            severities: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// The severity of a flag that has one degree in the contract (section 3).
    pub fn severity(&self, flag: Flag) -> Severity {
        self.graded(flag, default_severity(flag))
    }

    /// The severity of a flag whose degree a rule found; info stays info.
    pub fn graded(&self, flag: Flag, by_contract: Severity) -> Severity {
        match self.severities.get(&flag) {
            Some(&severity) if by_contract != Severity::Info => severity,
            _ => by_contract,
        }
    }
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
        | Flag::Missing => Severity::Medium,
        Flag::NotYetValid
        | Flag::NoCryptoperiod
        | Flag::Ambiguous
        | Flag::Unmatchable
        | Flag::DuplicateEntry => Severity::Low,
        Flag::RenewedUnrecorded | Flag::Unpaired | Flag::NotCovered => Severity::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_replaces_a_degree_but_never_lifts_info() {
        let mut policy = Policy::default();
        assert_eq!(policy.severity(Flag::Expired), Severity::High);
        policy.severities.insert(Flag::Expired, Severity::Critical);
        assert_eq!(policy.severity(Flag::Expired), Severity::Critical);
        assert_eq!(policy.graded(Flag::Expired, Severity::Info), Severity::Info);
    }
}
