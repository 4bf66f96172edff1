//! Files that are read as a whole: waiting for all of it, within a limit.

use crate::model::{Candidate, Fault, Found, GapReason, Reading};

/// Whether all of a file is there.
pub enum Whole<'a> {
    /// So much of it as it declares.
    Yes(&'a [u8]),
    /// What to answer instead.
    Other(Reading),
}

/// The first `size` bytes from the clue on, if they are there. More than `most` are a `limit`, fewer than it declares
/// `truncated`; `name` begins the detail.
pub fn whole<'a>(candidate: &Candidate<'a>, size: usize, most: usize, name: &str) -> Whole<'a> {
    let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
    let told = |reason, detail: String| {
        Whole::Other(Reading::Found(Found {
            faults: vec![Fault {
                reason,
                offset: candidate.at,
                detail: format!("{name}: {detail}"),
            }],
            end: candidate.bytes.len(),
            ..Found::default()
        }))
    };
    if size > most {
        return told(GapReason::Limit, format!("larger than {} MiB", most >> 20));
    }
    match bytes.get(..size) {
        Some(whole) => Whole::Yes(whole),
        None if candidate.at_end => told(GapReason::Truncated, "cut off".to_owned()),
        None => Whole::Other(Reading::NeedMore { from: candidate.at }),
    }
}
