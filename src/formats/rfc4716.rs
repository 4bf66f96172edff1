//! The SSH public key file of RFC 4716, as ssh.com, PuTTY and `ssh-keygen -e` write it.

use super::wire::ssh;
use super::wire::ssh_certificate::artifact_of_blob;
use super::{Format, Signature};
use crate::model::{Candidate, Clue, Encoding, Fault, Found, GapReason, Kind, Reading};

/// The reader of `---- BEGIN SSH2 PUBLIC KEY ----`.
pub struct Rfc4716;

const LITERAL: &[u8] = b"---- BEGIN SSH2 PUBLIC KEY";

/// The same without the blank that RFC 4716, section 3.2 has before it.
const TIGHT: &[u8] = b"----BEGIN SSH2 PUBLIC KEY";

/// What stands between the dashes of the last line.
const END: &[u8] = b"END SSH2 PUBLIC KEY";

/// The most bytes that one block is believed to have.
const SIZE_LIMIT: usize = 64 * 1024;

impl Format for Rfc4716 {
    fn name(&self) -> &'static str {
        "rfc4716"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 2] = [
            Signature::anywhere(LITERAL, Clue::Ssh2Armour),
            Signature::anywhere(TIGHT, Clue::Ssh2Armour),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Ssh2Armour]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        let limit = candidate.at.saturating_add(SIZE_LIMIT).min(bytes.len());
        let open = limit == bytes.len() && !candidate.at_end;
        let block = bytes.get(candidate.at..limit).unwrap_or_default();
        // Where another one begins this one is over, whatever lacks; so many of them cost no more than their bytes.
        let next = next_marker(block);
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
                detail: format!("SSH2 public key: {detail}"),
            });
        };
        let end = match Block::read(block) {
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
                let blob = ssh::decode_base64(&base64);
                let artifact = blob.ok_or(ssh::SshError::Contents).and_then(|blob| {
                    artifact_of_blob(blob, Kind::PublicKey, self.name(), Encoding::Text)
                });
                match artifact {
                    Ok(mut artifact) => {
                        artifact.offset = offset;
                        if comment.is_some() {
                            artifact.ssh.get_or_insert_default().comment = comment;
                        }
                        found.artifacts.push(artifact);
                    }
                    Err(error) => fail(GapReason::Malformed, &error),
                }
                end
            }
        };
        found.end = candidate.at + end;
        Reading::Found(found)
    }
}

/// Where behind its own marker another one begins, its dashes included.
fn next_marker(block: &[u8]) -> Option<usize> {
    const COMMON: &[u8] = b"BEGIN SSH2 PUBLIC KEY";
    let own = LITERAL.len();
    let found = own + memchr::memmem::find(block.get(own..)?, COMMON)?;
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
        base64: Vec<u8>,
        comment: Option<String>,
        end: usize,
    },
}

impl Block {
    fn read(block: &[u8]) -> Self {
        let marker = [LITERAL, TIGHT].into_iter().find(|m| block.starts_with(m));
        let Some(marker) = marker.map(<[u8]>::len) else {
            return Self::Mention;
        };
        let tail = block.get(marker..).unwrap_or_default();
        let dashes = tail
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t' | b'-'))
            .count();
        let escaped = match tail.get(dashes..) {
            None | Some([]) => return Self::Cut { begun: false },
            Some([b'\r' | b'\n', ..]) => false,
            Some([b'\\', b'r' | b'n', ..]) => true,
            Some([b'\\']) => return Self::Cut { begun: false },
            _ => return Self::Mention,
        };
        let mut lines = Lines {
            block,
            at: marker + dashes,
            escaped,
        };
        let mut base64 = Vec::new();
        let mut comment = None;
        while let Some((start, line)) = lines.next() {
            if let Some(end) = end_marker(line) {
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
                base64.extend_from_slice(line);
            } else if lines.at >= block.len() {
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
fn end_marker(line: &[u8]) -> Option<usize> {
    let marker = line.strip_prefix(b"----")?;
    let marker = marker.trim_ascii_start();
    let tail = marker.strip_prefix(END)?;
    let closing = tail.iter().take_while(|b| matches!(b, b' ' | b'-')).count();
    Some(line.len() - tail.len() + closing)
}

/// Lines of the block, without the blanks around them, each with the place of its first byte.
struct Lines<'a> {
    block: &'a [u8],
    at: usize,
    /// Lines end with the characters `\n`, as in JSON, and not with a line feed.
    escaped: bool,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        let rest = self.block.get(self.at..).filter(|r| !r.is_empty())?;
        let (length, step) = self.line_end(rest);
        let raw = rest.get(..length)?;
        let line = raw.trim_ascii_start();
        let start = self.at + raw.len() - line.len();
        self.at += length + step;
        Some((start, line.trim_ascii_end()))
    }

    /// How long the line at the start of `rest` is, and its end.
    fn line_end(&self, rest: &[u8]) -> (usize, usize) {
        let end = if self.escaped {
            memchr::memchr2(b'\\', b'"', rest)
        } else {
            memchr::memchr2(b'\n', b'\r', rest)
        };
        let Some(end) = end else {
            return (rest.len(), 0);
        };
        let step = match rest.get(end..) {
            Some([b'\\', _, ..]) if self.escaped => 2,
            _ => 1,
        };
        (end, step)
    }

    /// A header with the lines that continue it (RFC 4716, section 3.3).
    fn unfold(&mut self, line: &[u8]) -> Vec<u8> {
        let mut header = line.to_vec();
        while header.last() == Some(&b'\\') {
            header.pop();
            // Between a carriage return and its line feed stands an empty line.
            match self.next().or_else(|| self.next()) {
                Some((_, [])) => match self.next() {
                    Some((_, more)) => header.extend_from_slice(more),
                    None => break,
                },
                Some((_, more)) => header.extend_from_slice(more),
                None => break,
            }
        }
        header
    }
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
