//! What was in scope and was not read or not understood.

use super::location::Member;
use serde::{Deserialize, Serialize};

/// Why something in scope was not read or not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The kernel refused.
    PermissionDenied,
    /// Reading failed.
    IoError,
    /// The sweep was stopped.
    Interrupted,
    /// A budget (depth, ratio, size, count, time) cut it off; the detail says which.
    Limit,
    /// It went away while the sweep ran.
    Vanished,
    /// It declares itself to be something that it is not.
    Malformed,
    /// It begins and does not end.
    Truncated,
    /// It is recognised, and this version does not read it.
    Unsupported,
    /// It is a closed container.
    Encrypted,
    /// Left out by choice of the user, or a file system that is not entered.
    NotSwept,
}

impl GapReason {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PermissionDenied => "permission_denied",
            Self::IoError => "io_error",
            Self::Interrupted => "interrupted",
            Self::Limit => "limit",
            Self::Vanished => "vanished",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::Unsupported => "unsupported",
            Self::Encrypted => "encrypted",
            Self::NotSwept => "not_swept",
        }
    }

    /// Whether one such gap makes a sweep incomplete.
    pub const fn makes_incomplete(self) -> bool {
        matches!(
            self,
            Self::PermissionDenied | Self::IoError | Self::Interrupted | Self::Limit
        )
    }
}

/// One place that was not read or not understood: the `gap` record of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The host, only in reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Absolute path on its host; bytes that are not UTF-8 are shown as U+FFFD.
    pub path: String,
    /// The exact path as base64, when `path` could not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// The chain of members inside the file, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Member>,
    /// Where in the innermost bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Why.
    pub reason: GapReason,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Left out by choice of the user: it makes the scope `reduced`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_choice: bool,
}

impl Gap {
    /// A gap at a path given as exact bytes.
    pub fn at(path: &[u8], reason: GapReason, detail: impl Into<String>) -> Self {
        let (path, path_bytes) = super::location::name_parts(path);
        Self {
            host: None,
            path,
            path_bytes,
            inside: Vec::new(),
            offset: None,
            reason,
            detail: detail.into(),
            by_choice: false,
        }
    }

    /// The exact bytes of the path.
    pub fn exact_path(&self) -> Vec<u8> {
        super::location::exact(&self.path, self.path_bytes.as_deref())
    }
}
