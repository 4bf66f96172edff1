//! What an OpenPGP key says of itself.

use super::moment;
use serde::{Deserialize, Serialize};

/// Facts of one OpenPGP key or subkey (RFC 9580; RFC 4880 for the older forms).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pgp {
    /// Version of the key packet: 2 to 6; 0 where it stands in none (a key file of GnuPG's agent).
    pub version: u8,
    /// The primary key's fingerprint, upper-case hexadecimal, of a subkey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// User ids of the primary key, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_ids: Vec<String>,
    /// When the key was made.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub created: Option<jiff::Timestamp>,
    /// When it ends, by its newest self-signature or binding signature.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub expires: Option<jiff::Timestamp>,
    /// Whether it holds a revocation of itself. Signatures are not verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
    /// `certify`, `sign`, `encrypt`, `authenticate`, from the key flags (RFC 9580, section 5.2.3.29).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// The secret half is on a card: its serial number, or empty where none is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
}
