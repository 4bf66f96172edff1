//! Hosts that should be swept, and what became of them.

use super::hex::{Hex, Sha256Hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a machine id is hashed behind, so that the digest is of use nowhere else.
const MACHINE_ID_DOMAIN: &[u8] = b"keymuster machine-id 1\0";

/// The digest of a machine's id (machine-id(5): 32 hexadecimal digits, newline or not). The id itself is confidential and
/// goes nowhere. None for what is no such id, or the same on many machines (`uninitialized`, all zeros).
pub fn machine_id_digest(text: &str) -> Option<Sha256Hex> {
    let id = text.trim().replace('-', "").to_ascii_lowercase();
    let is_one = id.len() == 32
        && id.bytes().all(|b| b.is_ascii_hexdigit())
        && id.bytes().any(|b| b != b'0');
    is_one.then(|| {
        let digest = Sha256::new()
            .chain_update(MACHINE_ID_DOMAIN)
            .chain_update(id.as_bytes());
        Hex(digest.finalize().into())
    })
}

/// One host of an asset list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedHost {
    /// Its name.
    pub name: String,
    /// Further names.
    pub aliases: Vec<String>,
    /// Environment, as written.
    pub environment: Option<String>,
    /// Whether it must be swept.
    pub in_scope: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The digest of its machine id.
    pub machine_id: Option<Sha256Hex>,
    /// File and row.
    pub source: String,
}

/// An asset list, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostList {
    /// Its file name.
    pub name: String,
    /// The hosts.
    pub hosts: Vec<ListedHost>,
    /// What is doubtful in it, with file and row.
    pub faults: Vec<String>,
}

/// What became of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostStatus {
    /// There is a sweep of it that counts.
    Reported,
    /// Its latest sweep is older than is accepted.
    TooOld,
    /// It is listed, and no sweep is of it.
    NotReported,
    /// It is listed, and need not be swept.
    OutOfScope,
    /// It was swept and is not on the list.
    Unlisted,
}

impl HostStatus {
    /// Whether it leaves a report incomplete.
    pub const fn is_lacking(self) -> bool {
        matches!(self, Self::TooOld | Self::NotReported)
    }
}

/// One host of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostReport {
    /// Its name, by the list where that has it.
    pub name: String,
    /// What became of it.
    pub status: HostStatus,
    /// The name that its latest sweep tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept_as: Option<String>,
    /// Earlier names of the same machine, by its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<String>,
    /// When its latest sweep began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sweep: Option<jiff::Timestamp>,
    /// Environment by the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Owner by the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// File and row of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_id_is_told_by_its_digest_alone() {
        // printf 'keymuster machine-id 1\0%s' 0123456789abcdef0123456789abcdef | sha256sum
        let digest = machine_id_digest("0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(digest.to_string(), DIGEST);
        let same = machine_id_digest("01234567-89AB-CDEF-0123-456789ABCDEF");
        assert_eq!(same, Some(digest));
    }

    const DIGEST: &str = "64a373dd074019f48e67566d3f933e56455f7827535b16c278a2c54993ae82bb";

    #[test]
    fn what_is_no_machine_id_has_no_digest() {
        for text in [
            "",
            "uninitialized\n",
            "00000000000000000000000000000000",
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdeg",
        ] {
            assert_eq!(machine_id_digest(text), None, "{text}");
        }
    }
}
