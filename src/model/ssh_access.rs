//! Who may log in where by SSH: the edges of the graph of keys, accounts and hosts.

use super::key_id::KeyId;
use super::shared_text::SharedText;
use serde::{Deserialize, Serialize};

/// What became of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessState {
    /// It opens the account: a shell, or whatever command is wanted.
    Open,
    /// It runs one command only.
    Command,
    /// Its time has not come or has passed.
    Expired,
    /// sshd refuses it: by its configuration, or as a revoked key.
    Refused,
    /// It stands in a file that sshd does not read.
    NotRead,
    /// It lets nobody in: its command only says so and ends.
    Disabled,
}

impl AccessState {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Command => "command",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::NotRead => "not_read",
            Self::Disabled => "disabled",
        }
    }

    /// Whether somebody who holds the key gets in.
    pub const fn lets_in(self) -> bool {
        matches!(self, Self::Open | Self::Command)
    }
}

/// How a key opens an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// It is listed.
    Grant,
    /// It signs certificates that are accepted.
    Authority,
    /// It has a certificate of an authority that is accepted.
    Certificate,
}

impl Via {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Authority => "authority",
            Self::Certificate => "certificate",
        }
    }
}

/// One key, and one account on one host that it opens or would open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshAccess {
    /// The key.
    pub key_id: KeyId,
    /// The host.
    pub host: SharedText,
    /// The account; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<SharedText>,
    /// Its number by the host's own `/etc/passwd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Its shell lets nobody in; forwarding may be possible all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_shell: bool,
    /// What became of it.
    pub state: AccessState,
    /// How.
    pub via: Via,
    /// Where the grant stands, on the host.
    pub path: SharedText,
    /// On which line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The one command that it may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The addresses and names from which alone it is accepted, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Further options that take something away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<jiff::Timestamp>,
    /// The directive by which sshd refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<SharedText>,
    /// Of an authority: the names of which its certificates must have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<String>,
    /// Of a certificate: the key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<KeyId>,
    /// Of a certificate: its key identity string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Where the private key was seen, as `host:path`, the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_at: Vec<String>,
    /// The rows that name the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<SharedText>,
    /// The private key is neither seen nor registered; absent where that cannot be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphan: Option<bool>,
}
