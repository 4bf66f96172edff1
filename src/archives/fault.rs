//! Why an archive was not read to its end.

use crate::model::GapReason;
use std::io;

/// Why an archive was not read to its end.
#[derive(Debug)]
pub enum Failure {
    /// Nothing more is wanted: a budget is used up, or the sweep was stopped. Whoever stopped it tells so.
    Stop,
    /// It only looked like this archive.
    NotMine,
    /// It is recognised and not understood: why, and what was expected.
    Fault(GapReason, String),
    /// Reading failed.
    Io(io::Error),
}

impl Failure {
    /// It declares itself to be something that it is not.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::Fault(GapReason::Malformed, detail.into())
    }

    /// It begins and does not end.
    pub fn truncated(detail: impl Into<String>) -> Self {
        Self::Fault(GapReason::Truncated, detail.into())
    }

    /// A version or method that is not read.
    pub fn unsupported(detail: impl Into<String>) -> Self {
        Self::Fault(GapReason::Unsupported, detail.into())
    }

    /// A limit of this reader.
    pub fn limit(detail: impl Into<String>) -> Self {
        Self::Fault(GapReason::Limit, detail.into())
    }
}

impl Failure {
    /// The same, told of an archive of this name.
    pub(super) fn in_archive(self, name: &str) -> Self {
        match self {
            Self::Fault(reason, detail) => Self::Fault(reason, format!("{name}: {detail}")),
            other => other,
        }
    }

    /// Why reading an archive of this name failed.
    pub fn reading(name: &str, error: io::Error) -> Self {
        let detail = |text| format!("{name}: {text}");
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::truncated(detail("cut off")),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::malformed(detail("damaged data"))
            }
            io::ErrorKind::OutOfMemory => Self::limit(detail("needs too much memory")),
            io::ErrorKind::Unsupported => Self::unsupported(detail("a method that is not read")),
            _ => Self::Io(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::truncated("cut off"),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::malformed("damaged data")
            }
            io::ErrorKind::OutOfMemory => Self::limit("needs too much memory"),
            // Some decoders tell damage so; what the system says has its number.
            io::ErrorKind::Other if error.raw_os_error().is_none() => {
                Self::malformed("damaged data")
            }
            _ => Self::Io(error),
        }
    }
}
