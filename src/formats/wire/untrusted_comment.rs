//! The files of signify(1) and minisign: a line `untrusted comment: …`, and a line of base64.

use super::base64_text;
use crate::model::{Candidate, Fault, Found, GapReason, Reading};
use zeroize::Zeroizing;

/// What such a file begins with.
pub const LITERAL: &[u8] = b"untrusted comment: ";

/// The longest comment that is believed, in bytes.
const COMMENT_MAX: usize = 1024;
/// The longest second line that is believed, in bytes.
const BODY_MAX: usize = 1024;

/// The length of a public key: algorithm, key number, Ed25519 key.
pub const PUBLIC_BYTES: usize = 42;
/// The length of signify's secret key.
pub const SIGNIFY_SECRET_BYTES: usize = 104;
/// The length of minisign's secret key.
pub const MINISIGN_SECRET_BYTES: usize = 158;

/// The two lines.
#[derive(Debug)]
pub struct Lines<'a> {
    /// The comment.
    pub comment: &'a [u8],
    /// The decoded second line.
    pub body: Zeroizing<Vec<u8>>,
    /// The end of the second line.
    pub end: usize,
}

impl<'a> Lines<'a> {
    /// Whether the comment has this word.
    pub fn says(&self, word: &[u8]) -> bool {
        memchr::memmem::find(self.comment, word).is_some()
    }

    /// The two lines at the candidate's place, else what to answer. `own` tells whether a comment is that of
    /// a key of the asking format, so that what is broken is told once.
    pub fn read(
        candidate: &Candidate<'a>,
        what: &str,
        own: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, Reading> {
        let text = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let tail = text.strip_prefix(LITERAL).ok_or(Reading::NotMine)?;
        let near = tail.get(..COMMENT_MAX).unwrap_or(tail);
        let ends = |b: &u8| matches!(b, b'\n' | b'\r');
        let more = |held: &[u8], most: usize| held.len() < most && !candidate.at_end;
        let Some(length) = near.iter().position(ends) else {
            return Err(if more(tail, COMMENT_MAX) {
                Reading::NeedMore { from: candidate.at }
            } else {
                Reading::NotMine
            });
        };
        let (comment, rest) = tail.split_at_checked(length).ok_or(Reading::NotMine)?;
        let blanks = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let rest = rest.get(blanks..).unwrap_or_default();
        let near = rest.get(..BODY_MAX).unwrap_or(rest);
        let Some(length) = near
            .iter()
            .position(ends)
            .or_else(|| (candidate.at_end && near.len() == rest.len()).then_some(rest.len()))
        else {
            return Err(if more(rest, BODY_MAX) {
                Reading::NeedMore { from: candidate.at }
            } else {
                Reading::NotMine
            });
        };
        let digits = rest.get(..length).unwrap_or_default().trim_ascii_end();
        let end = candidate.bytes.len() - rest.len() + length;
        let fail = |reason, detail: &str| {
            let declared = own(comment) && (comment.ends_with(b" key") || has(comment, b" key "));
            if !declared || comment.starts_with(b"signature") || comment.starts_with(b"verify") {
                return Reading::NotMine;
            }
            Reading::Found(Found {
                faults: vec![Fault {
                    reason,
                    offset: candidate.at,
                    detail: format!("{what}: {detail}"),
                }],
                end,
                ..Found::default()
            })
        };
        let at_end = candidate.at_end && end == candidate.bytes.len();
        let cut = if at_end {
            (GapReason::Truncated, "ends too early")
        } else {
            (GapReason::Malformed, "has no length of a key")
        };
        match base64_text::decode(digits) {
            _ if digits.is_empty() => Err(Reading::NotMine),
            Some(body) => match body.len() {
                PUBLIC_BYTES | SIGNIFY_SECRET_BYTES | MINISIGN_SECRET_BYTES => {
                    Ok(Self { comment, body, end })
                }
                // A signature.
                74 => Err(Reading::NotMine),
                _ => Err(fail(cut.0, cut.1)),
            },
            None if digits.iter().all(|b| base64_text::is_digit(*b)) => Err(fail(cut.0, cut.1)),
            None => Err(fail(GapReason::Malformed, "is not base64")),
        }
    }
}

/// Whether the comment is one that minisign writes.
pub fn is_minisign(comment: &[u8]) -> bool {
    has(comment, b"minisign") || has(comment, b"rsign")
}

fn has(comment: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(comment, word).is_some()
}
