//! A line of text with an SSH key on it, found by the start of its base64.
//!
//! Several formats share such lines and are asked about each of them, so the cheap questions come first:
//! does the blob begin with a name, and does that name stand before it.

use super::ssh;
use super::ssh_certificate::artifact_of_blob;
use super::ssh_lead::{FileHint, Lead, Placed, classify, is_blank};
use crate::model::{
    Artifact, Candidate, Encoding, Fault, Found, GapReason, Kind, Reading, SharedText,
};
use std::borrow::Cow;
use std::cell::LazyCell;

/// How far behind its start a line is looked at for a key, in bytes.
const LINE_LIMIT: usize = 64 * 1024;

/// How far back the start of a line is looked for, in bytes: twice what sshd reads of a line. Each key on a line
/// looks back, so this bounds what a hostile line costs.
const LEAD_LIMIT: usize = 16 * 1024;

/// How far behind a key its line is looked at. A line may have any number of keys, and what follows is each one's
/// comment, so this and [`COMMENT_LIMIT`] bound what a hostile line costs, and what is kept of it.
const TAIL_LIMIT: usize = 768;

/// How much of a comment is told, in bytes.
const COMMENT_LIMIT: usize = 512;

/// How far apart the algorithm's name and the blob may stand.
const GAP_LIMIT: usize = 256;

/// How many bytes a cut blob must hold beside its name to be more than a mention.
const CUT_KEY_BYTES: usize = 16;

/// How far back a quote is looked for that the end of a comment must close.
const QUOTE_REACH: usize = 4096;

/// A line with a blob whose name stands before it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    candidate: Candidate<'a>,
    /// The line's first byte.
    start: usize,
    /// First byte of the algorithm's name.
    token: usize,
    /// First byte of the base64.
    encoded: usize,
    /// The algorithm's name, of a plain key or of a certificate.
    algorithm: &'a str,
}

impl<'a> Line<'a> {
    /// The line that a candidate with [`crate::model::Clue::SshLine`] is on, else what to answer.
    pub fn find(candidate: &Candidate<'a>) -> Result<Self, Reading> {
        let Candidate { bytes, at, .. } = *candidate;
        let encoded = at.saturating_add(1);
        let Some(text) = bytes.get(encoded..) else {
            return Err(Reading::NotMine);
        };
        let mut buffer = [0; NAME_BUFFER];
        let name = match name_of_blob(text, &mut buffer) {
            Name::Is(name) => name,
            Name::Not => return Err(Reading::NotMine),
            Name::Cut => {
                let near = last_token_end(bytes, encoded)
                    .and_then(|end| bytes.get(end.checked_sub(1)?))
                    .is_some_and(|b| ssh::is_name_byte(*b));
                return Err(if near && !candidate.at_end {
                    Reading::NeedMore {
                        from: line_start(bytes, at),
                    }
                } else {
                    Reading::NotMine
                });
            }
        };
        let line = || {
            let end = last_token_end(bytes, encoded)?;
            let token = end.checked_sub(name.len())?;
            let algorithm = bytes.get(token..end).filter(|found| *found == name)?;
            stands_alone(bytes.get(..token)?).then_some(Self {
                candidate: *candidate,
                start: line_start(bytes, token),
                token,
                encoded,
                algorithm: std::str::from_utf8(algorithm).ok()?,
            })
        };
        line().ok_or(Reading::NotMine)
    }

    /// Whether the key is a certificate.
    pub fn is_certificate(&self) -> bool {
        ssh::is_certificate_name(self.algorithm)
    }

    /// What the file's name suggests.
    pub fn hint(&self) -> FileHint {
        FileHint::of(self.candidate.file_name)
    }

    /// What stands before the key.
    pub fn lead(&self) -> Placed<'a> {
        let before = self.candidate.bytes.get(self.start..self.token);
        classify(before.unwrap_or_default(), self.hint())
    }

    /// Decodes the key and makes the artifact, with all that the line says beside it.
    pub fn read(&self, placed: Placed<'a>, kind: Kind, format: &'static str) -> Reading {
        let Candidate { bytes, at_end, .. } = self.candidate;
        let limit = self.start.saturating_add(LINE_LIMIT).min(bytes.len());
        let rest = bytes.get(self.encoded..limit).unwrap_or_default();
        let text = base64_run(rest);
        let run_end = self.encoded + text.len();
        let limit = run_end.saturating_add(TAIL_LIMIT).min(bytes.len());
        let open = limit == bytes.len() && !at_end;
        let tail = bytes.get(run_end..limit).unwrap_or_default();
        let tail_end = memchr::memchr3(b'\n', b'\r', 0, tail);
        if open && tail_end.is_none() {
            return Reading::NeedMore { from: self.start };
        }
        let tail = tail.get(..tail_end.unwrap_or(tail.len()));
        let tail = tail.unwrap_or_default();

        let offset = self.start + placed.start;
        let made = ssh::decode_base64(&unescaped(text))
            .ok_or(ssh::SshError::Truncated)
            .and_then(|blob| artifact_of_blob(blob, kind, format, Encoding::Text));
        let mut found = Found {
            end: run_end,
            ..Found::default()
        };
        match made {
            Ok(mut artifact) => {
                artifact.offset = offset;
                self.describe(&mut artifact, placed, tail);
                found.artifacts.push(artifact);
            }
            Err(error) if self.declares_a_key(&placed, text, tail) => found.faults.push(Fault {
                reason: match error {
                    // In a file of such lines the line is whole, and what it holds is no key.
                    ssh::SshError::Truncated if self.hint() == FileHint::Other => {
                        GapReason::Truncated
                    }
                    _ => GapReason::Malformed,
                },
                offset,
                detail: format!("{} key on a line of text: {error}", self.algorithm),
            }),
            Err(_) => return Reading::NotMine,
        }
        Reading::Found(found)
    }

    /// Adds comment, options, hosts and remarks.
    fn describe(&self, artifact: &mut Artifact, placed: Placed<'a>, tail: &[u8]) {
        let mut facts = artifact.ssh.take().unwrap_or_default();
        let before = self.candidate.bytes.get(self.start..self.token);
        let comment = comment(tail, before.unwrap_or_default(), placed.amid);
        facts.comment = (!comment.is_empty()).then(|| shortened(comment).into());
        match placed.lead {
            Lead::Comment => artifact.notes.push("on a commented-out line".into()),
            Lead::Options { written, options } => {
                facts.options = Some(lossy(written).into());
                facts.change(|rare| {
                    if options.cert_authority {
                        rare.marker = Some("cert-authority".to_owned());
                    }
                    if artifact.kind != Kind::SshCertificate {
                        rare.principals = options.principals;
                        rare.valid_before = options.expiry;
                    }
                });
                for (holds, note) in [
                    (
                        options.local_time,
                        "expiry-time is in the host's time zone, taken as UTC",
                    ),
                    (options.bad_time, "an expiry-time is no time"),
                    (options.unknown > 0, "an option is not one of sshd(8)"),
                ] {
                    if holds {
                        artifact.notes.push(note.into());
                    }
                }
            }
            Lead::Hosts { marker, patterns } => {
                facts.change(|rare| rare.marker = marker.map(str::to_owned));
                facts.hosts = patterns
                    .split(|b| *b == b',')
                    .map(|host| lossy(host).into())
                    .collect();
            }
            Lead::Signers(signers) => {
                let signers = *signers;
                facts.options = signers.options.map(SharedText::from);
                facts.change(|rare| {
                    rare.principals = signers.principals;
                    rare.valid_after = signers.valid_after;
                    rare.valid_before = signers.valid_before;
                    if signers.cert_authority {
                        rare.marker = Some("cert-authority".to_owned());
                    }
                });
                for (holds, note) in [
                    (
                        signers.local_time,
                        "a time of validity is in the host's time zone, taken as UTC",
                    ),
                    (signers.bad_time, "a time of validity is no time"),
                ] {
                    if holds {
                        artifact.notes.push(note.into());
                    }
                }
            }
            Lead::Nothing | Lead::Other => {}
        }
        if *facts != crate::model::Ssh::default() {
            artifact.ssh = Some(facts);
        }
    }

    /// Whether an unreadable blob is a key's all the same: it leads its line and is no ellipsis of a document.
    fn declares_a_key(&self, placed: &Placed<'_>, text: &[u8], tail: &[u8]) -> bool {
        let leads = !placed.amid && placed.lead != Lead::Comment;
        if self.hint() != FileHint::Other {
            return leads;
        }
        let ends = tail.first().is_none_or(|b| is_blank(*b));
        let after = tail.trim_ascii_start();
        let elided = after.starts_with(b"..")
            || after.starts_with(b"[")
            || after.starts_with("…".as_bytes());
        let long = text.len() / 4 * 3 >= 4 + self.algorithm.len() + CUT_KEY_BYTES;
        leads && ends && !elided && long
    }
}

/// What to answer in a file of keys where no key's name begins the base64: a line that names an algorithm
/// declares a key all the same.
pub fn no_key(candidate: &Candidate<'_>, file: FileHint) -> Reading {
    let Candidate { bytes, at, .. } = *candidate;
    if FileHint::of(candidate.file_name) != file {
        return Reading::NotMine;
    }
    let encoded = at.saturating_add(1);
    let named = || {
        let end = last_token_end(bytes, encoded)?;
        let before = bytes.get(end.saturating_sub(ssh::NAME_LIMIT + 1)..end)?;
        let length = before
            .iter()
            .rev()
            .take_while(|b| !is_blank(**b) && !ends_line(**b));
        let token = end.checked_sub(length.count())?;
        let algorithm = std::str::from_utf8(bytes.get(token..end)?).ok()?;
        ssh::field_count(algorithm)?;
        let start = line_start(bytes, token);
        let commented = bytes
            .get(start..token)?
            .trim_ascii_start()
            .starts_with(b"#");
        (!commented).then_some((start, algorithm))
    };
    match named() {
        Some((offset, algorithm)) => Reading::Found(Found {
            faults: vec![Fault {
                reason: GapReason::Malformed,
                offset,
                detail: format!("{algorithm} key on a line of text: not the base64 of a key"),
            }],
            end: encoded,
            ..Found::default()
        }),
        None => Reading::NotMine,
    }
}

/// The literals that begin an SSH line's base64.
pub const LITERALS: [&[u8]; 2] = [b" AAAA", b"\tAAAA"];

/// Room for the longest name with its length, as whole groups of three bytes.
const NAME_BUFFER: usize = 72;

enum Name<'b> {
    Is(&'b [u8]),
    Not,
    Cut,
}

/// The name at the start of a blob's base64, decoded without an allocation.
fn name_of_blob<'b>(text: &[u8], buffer: &'b mut [u8; NAME_BUFFER]) -> Name<'b> {
    let cut = |text: &[u8]| {
        if text.iter().all(|b| is_base64(*b)) {
            Name::Cut
        } else {
            Name::Not
        }
    };
    // Two groups have the length, which is that of no name unless three of its bytes are zero.
    let Some(head) = text.get(..8) else {
        return cut(text);
    };
    if ssh::decode_base64_into(head, buffer).is_none() {
        return Name::Not;
    }
    let [0, 0, 0, length, ..] = *buffer else {
        return Name::Not;
    };
    let length = usize::from(length);
    if !(3..=ssh::NAME_LIMIT).contains(&length) {
        return Name::Not;
    }
    let Some(groups) = text.get(..(4 + length).div_ceil(3) * 4) else {
        return cut(text);
    };
    if ssh::decode_base64_into(groups, buffer).is_none() {
        return Name::Not;
    }
    match buffer.get(4..4 + length) {
        Some(name) if ssh::algorithm_name(name).is_some() => Name::Is(name),
        _ => Name::Not,
    }
}

/// Where the token before the blanks before `end` ends.
fn last_token_end(bytes: &[u8], end: usize) -> Option<usize> {
    let from = end.saturating_sub(GAP_LIMIT);
    let last = bytes.get(from..end)?.iter().rposition(|b| !is_blank(*b))?;
    Some(from + last + 1)
}

/// Whether a name that follows `before` is a token of its own there.
fn stands_alone(before: &[u8]) -> bool {
    match before {
        [] => true,
        // `\n` and the like of an escaped text.
        [.., b'\\', b'n' | b'r' | b't'] => true,
        // A list or the minus of a patch.
        [b'-'] => true,
        [.., other, b'-'] => other.is_ascii_whitespace(),
        [.., last] => !(last.is_ascii_alphanumeric() || matches!(last, b'_' | b'.' | b'@')),
    }
}

/// The first byte of the line that has `at`, as far as the window and the limit let it be seen.
fn line_start(bytes: &[u8], at: usize) -> usize {
    let from = at.saturating_sub(LEAD_LIMIT);
    bytes
        .get(from..at)
        .and_then(|line| memchr::memrchr3(b'\n', b'\r', 0, line))
        .map_or(from, |end| from + end + 1)
}

const fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

const fn is_base64(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/')
}

/// The base64 that `text` starts with, up to two signs of padding included; `\/` is a slash in JSON.
fn base64_run(text: &[u8]) -> &[u8] {
    let mut end = 0;
    loop {
        match text.get(end..) {
            Some([b'\\', b'/', ..]) => end += 2,
            Some([byte, ..]) if is_base64(*byte) => end += 1,
            _ => break,
        }
    }
    let rest = text.get(end..).unwrap_or_default();
    let padding = rest.iter().take(2).take_while(|b| **b == b'=').count();
    text.get(..end + padding).unwrap_or_default()
}

fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', text).is_some() {
        text.iter().copied().filter(|b| *b != b'\\').collect()
    } else {
        Cow::Borrowed(text)
    }
}

/// The comment in what follows the key on its line.
///
/// Amid other text it ends where that text's own quote, tag or escape does.
fn comment<'t>(tail: &'t [u8], before: &[u8], amid: bool) -> &'t [u8] {
    if !tail.first().is_some_and(|b| is_blank(*b)) {
        return b"";
    }
    if !amid {
        return tail.trim_ascii();
    }
    let near = before.get(before.len().saturating_sub(QUOTE_REACH)..);
    let near = near.unwrap_or_default();
    let open = |quote: u8| memchr::memchr_iter(quote, near).count() % 2 == 1;
    // Asked only where such a sign follows: most comments have none.
    let double = LazyCell::new(|| open(b'"'));
    let single = LazyCell::new(|| open(b'\''));
    let tick = LazyCell::new(|| open(b'`'));
    let tag = before.trim_ascii_end().ends_with(b">");
    let end = tail
        .iter()
        .enumerate()
        .position(|(index, byte)| match byte {
            b'"' => *double,
            b'\'' => *single && !*double,
            b'`' => *tick,
            b'<' => tag,
            b'\\' => matches!(tail.get(index + 1), Some(b'n' | b'r' | b'"')),
            b'>' | b'|' => tail.get(index.saturating_sub(1)) == Some(&b' ') && !*double && !*single,
            _ => false,
        });
    tail.get(..end.unwrap_or(tail.len()))
        .unwrap_or_default()
        .trim_ascii()
}

/// A comment as text, of at most [`COMMENT_LIMIT`] bytes of the file.
fn shortened(comment: &[u8]) -> String {
    match comment.get(..COMMENT_LIMIT) {
        Some(start) if start.len() < comment.len() => lossy(start) + "…",
        _ => lossy(comment),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
