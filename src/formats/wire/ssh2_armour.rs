//! The armour that ssh.com's programs put around keys, public (RFC 4716) and private.

use super::ssh::{self, SshError};
use super::text_lines::{Ending, Lines};
use crate::model::{Artifact, Candidate, Fault, Found, GapReason, Reading};
use zeroize::Zeroizing;

/// The most bytes that one block is believed to have.
pub const SIZE_LIMIT: usize = 64 * 1024;

/// What one kind of block begins and ends with.
#[derive(Debug)]
pub struct Marker {
    /// The beginning, as far as its words go.
    pub begin: &'static [u8],
    /// The same without the blank that RFC 4716, section 3.2 has before it.
    pub tight: &'static [u8],
    /// What stands between the dashes of the last line.
    pub end: &'static [u8],
    /// What it holds, for people.
    pub what: &'static str,
}

/// Reads the block at the candidate's place; `make` makes an artifact of its decoded body.
pub fn read(
    candidate: &Candidate<'_>,
    marker: &Marker,
    make: impl FnOnce(Zeroizing<Vec<u8>>) -> Result<Artifact, SshError>,
) -> Reading {
    let bytes = candidate.bytes;
    let limit = candidate.at.saturating_add(SIZE_LIMIT).min(bytes.len());
    let open = limit == bytes.len() && !candidate.at_end;
    let block = bytes.get(candidate.at..limit).unwrap_or_default();
    // Where another one begins this one is over, whatever lacks; so many of them cost no more than their bytes.
    let next = next_marker(block, marker);
    let open = open && next.is_none();
    let block = block.get(..next.unwrap_or(block.len())).unwrap_or(block);
    // The literal may stand inside a longer row of dashes.
    let before = bytes.get(..candidate.at).unwrap_or_default();
    let dashes = before.iter().rev().take(16).take_while(|b| **b == b'-');
    let offset = candidate.at.saturating_sub(dashes.count());

    let mut found = Found::default();
    let mut fail = |reason, detail: &dyn std::fmt::Display| {
        found.faults.push(Fault {
            reason,
            offset,
            detail: format!("{}: {detail}", marker.what),
        });
    };
    let end = match Block::read(block, marker) {
        Block::Cut { .. } if open => return Reading::NeedMore { from: offset },
        Block::Mention | Block::Cut { begun: false } => return Reading::NotMine,
        Block::Cut { begun: true } => {
            fail(GapReason::Truncated, &"no END line");
            block.len()
        }
        Block::Broken { end } => {
            fail(GapReason::Truncated, &"no END line");
            end
        }
        Block::Whole {
            base64,
            comment,
            end,
        } => {
            let body = ssh::decode_base64(&base64).map(Zeroizing::new);
            match body.ok_or(SshError::Contents).and_then(make) {
                Ok(mut artifact) => {
                    artifact.offset = offset;
                    if let Some(comment) = comment {
                        artifact.ssh.get_or_insert_default().comment = Some(comment.into());
                    }
                    found.artifacts.push(artifact);
                }
                Err(SshError::Unsupported) => fail(GapReason::Unsupported, &SshError::Unsupported),
                Err(error) => fail(GapReason::Malformed, &error),
            }
            end
        }
    };
    found.end = candidate.at + end;
    Reading::Found(found)
}

/// Where behind its own marker another one begins, its dashes included.
fn next_marker(block: &[u8], marker: &Marker) -> Option<usize> {
    let common = marker.tight.trim_ascii_start();
    let common = common
        .iter()
        .position(|b| *b != b'-')
        .and_then(|at| common.get(at..))?;
    let own = marker.begin.len();
    let found = own + memchr::memmem::find(block.get(own..)?, common)?;
    let before = block.get(own..found)?.iter().rev();
    Some(found - before.take_while(|b| matches!(b, b' ' | b'-')).count())
}

/// What stands at a BEGIN marker; places count from the marker.
enum Block {
    /// Nothing that belongs to a key.
    Mention,
    /// The bytes end before the block does.
    Cut {
        /// Base64 was seen.
        begun: bool,
    },
    /// Base64, and then something else than the END line.
    Broken { end: usize },
    /// All of it.
    Whole {
        base64: Zeroizing<Vec<u8>>,
        comment: Option<String>,
        end: usize,
    },
}

impl Block {
    fn read(block: &[u8], marker: &Marker) -> Self {
        let begin = [marker.begin, marker.tight];
        let opening = begin.into_iter().find(|m| block.starts_with(m));
        let Some(opening) = opening.map(<[u8]>::len) else {
            return Self::Mention;
        };
        let tail = block.get(opening..).unwrap_or_default();
        let dashes = tail
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t' | b'-'))
            .count();
        let escaped = match Lines::ending(tail.get(dashes..).unwrap_or_default()) {
            Ending::Cut => return Self::Cut { begun: false },
            Ending::Plain => false,
            Ending::Escaped => true,
            Ending::None => return Self::Mention,
        };
        let mut lines = Lines::new(block, opening + dashes, escaped);
        let mut base64 = Zeroizing::new(Vec::new());
        let mut comment = None;
        while let Some((start, line)) = lines.next() {
            if let Some(end) = end_marker(line, marker.end) {
                return match base64.is_empty() {
                    true => Self::Mention,
                    false => Self::Whole {
                        base64,
                        comment,
                        end: start + end,
                    },
                };
            }
            if base64.is_empty() && is_header(line) {
                let header = lines.unfold(line);
                comment = comment.or_else(|| comment_of(&header));
            } else if line.iter().all(|b| is_body_byte(*b)) {
                if base64.is_empty() {
                    // As much as the body can be: growing would leave copies behind.
                    let rest = block.get(start..).unwrap_or_default();
                    base64.reserve_exact(memchr::memchr(b'-', rest).unwrap_or(rest.len()));
                }
                base64.extend_from_slice(line);
            } else if lines.is_at_end() {
                // The last line may be the beginning of anything.
                break;
            } else if base64.is_empty() {
                return Self::Mention;
            } else {
                return Self::Broken { end: start };
            }
        }
        Self::Cut {
            begun: !base64.is_empty(),
        }
    }
}

/// Where the END marker ends on this line.
fn end_marker(line: &[u8], end: &[u8]) -> Option<usize> {
    let marker = line.strip_prefix(b"----")?;
    let marker = marker.trim_ascii_start();
    let tail = marker.strip_prefix(end)?;
    let closing = tail.iter().take_while(|b| matches!(b, b' ' | b'-')).count();
    Some(line.len() - tail.len() + closing)
}

/// Whether a line before the body is a header: a tag without blanks and a colon.
fn is_header(line: &[u8]) -> bool {
    let colon = line.iter().take(65).position(|b| *b == b':');
    colon
        .and_then(|colon| line.get(..colon))
        .is_some_and(|tag| !tag.is_empty() && tag.iter().all(u8::is_ascii_graphic))
}

const fn is_body_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The comment, without the quotes that it may stand in (RFC 4716, section 3.3.2).
fn comment_of(header: &[u8]) -> Option<String> {
    let (tag, value) = header.split_at_checked(8)?;
    if !tag.eq_ignore_ascii_case(b"comment:") {
        return None;
    }
    let value = value.trim_ascii();
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""))
        .unwrap_or(value);
    (!inner.is_empty()).then(|| String::from_utf8_lossy(inner).into_owned())
}
