//! Files that SOPS encrypted, in YAML, JSON, dotenv or INI (SOPS' documentation, "Encryption Protocol"; its `stores`): for
//! whom, never what. The values are closed each by itself, and the metadata names the keys that open them.
//!
//! The metadata is known by its `mac`, of which a file has one; what stands around it is read name by name.

mod metadata;

use self::metadata::{Metadata, RECIPIENTS_MAX};
use super::wire::json_span::{self, End};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading,
};

/// The reader of the metadata of a file.
pub struct Sops;

const LITERAL: &[u8] = b"ENC[AES256_GCM,data:";
/// How far the metadata reaches before and behind its MAC, in bytes.
const BEFORE_MAX: usize = 256 << 10;
const BEHIND_MAX: usize = 256 << 10;
/// How far a value is followed to its end, in bytes: a binary file is one value.
const VALUE_MAX: usize = 8 << 20;

impl Format for Sops {
    fn name(&self) -> &'static str {
        "sops"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::anywhere(LITERAL, Clue::Word)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Candidate { bytes, at, .. } = *candidate;
        let text = bytes.get(at..).unwrap_or_default();
        if !text.starts_with(LITERAL) {
            return Reading::NotMine;
        }
        let fault = |reason, what: &str| Fault {
            reason,
            offset: at,
            detail: format!("SOPS: {what}"),
        };
        if let Some(reading) = cut_value(candidate, text, &fault) {
            return reading;
        }
        let Some(form) = Form::of_mac(bytes, at) else {
            return Reading::NotMine;
        };
        let block = match form.block(candidate) {
            Ok(block) => block,
            Err(reading) => return reading,
        };
        let mut found = Found {
            // What else stands in the metadata speaks for itself: an armour for each age key.
            end: at + LITERAL.len(),
            ..Found::default()
        };
        let text = bytes.get(block.start..block.end).unwrap_or_default();
        let metadata = Metadata::read(matches!(form, Form::Dotenv | Form::Ini), text);
        if !metadata.is_one() {
            return Reading::NotMine;
        }
        let mut keystore = Artifact::new(
            Kind::Keystore,
            self.name(),
            Encoding::Text,
            KeyMaterial::None,
        );
        keystore.offset = block.start;
        keystore.protection = Some(Protection::Encrypted);
        keystore.cipher = Some("AES-256-GCM".to_owned());
        keystore.notes = metadata.notes();
        found.artifacts.push(keystore);
        for item in &metadata.items {
            found.artifacts.extend(item.key(self.name(), block.start));
        }
        if block.is_cut && metadata.version.is_none() {
            found
                .faults
                .push(fault(GapReason::Truncated, "ends inside its metadata"));
        } else {
            let what = format!("encrypted to {}", metadata.told());
            found.faults.push(fault(GapReason::Encrypted, &what));
        }
        if metadata.is_more {
            let what = format!("more than {RECIPIENTS_MAX} recipients");
            found.faults.push(fault(GapReason::Limit, &what));
        }
        Reading::Found(found)
    }
}

/// The reading of a value that does not end in the bytes.
fn cut_value(
    candidate: &Candidate<'_>,
    text: &[u8],
    fault: &impl Fn(GapReason, &str) -> Fault,
) -> Option<Reading> {
    let tail = text.get(LITERAL.len()..).unwrap_or_default();
    let signs = b"+/=,:-_";
    let length = tail
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || signs.contains(b))
        .count();
    if length < tail.len() {
        return None;
    }
    if !candidate.at_end {
        let wait = length < VALUE_MAX;
        return wait.then_some(Reading::NeedMore { from: candidate.at });
    }
    // Shorter ones are mentions of the beginning.
    (length >= 16).then(|| {
        Reading::Found(Found {
            faults: vec![fault(GapReason::Truncated, "ends inside a value")],
            end: candidate.bytes.len(),
            ..Found::default()
        })
    })
}

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// How far the members of `sops:` are indented.
    Yaml(usize),
    /// Where the quote before `mac` stands.
    Json(usize),
    Dotenv,
    Ini,
}

/// The metadata.
struct Block {
    start: usize,
    end: usize,
    /// The bytes end with it.
    is_cut: bool,
}

impl Form {
    /// The form of the file in which the value at `at` is the MAC; none if it is another value.
    fn of_mac(bytes: &[u8], at: usize) -> Option<Self> {
        let first = at.saturating_sub(256);
        let before = bytes.get(first..at)?;
        let blank = |b: &u8| matches!(b, b' ' | b'\t');
        let trimmed = |text: &[u8]| {
            let end = text.iter().rposition(|b| !blank(b)).map_or(0, |i| i + 1);
            text.get(..end).map(<[u8]>::to_vec)
        };
        let lead = before.strip_suffix(b"\"").unwrap_or(before);
        let lead = trimmed(lead)?;
        if let Some(name) = lead.strip_suffix(b":") {
            let name = trimmed(name)?;
            if name.ends_with(b"\"mac\"") {
                return Some(Self::Json(first + name.len() - b"\"mac\"".len()));
            }
            let line = last_line(&name);
            let indent = line.iter().take_while(|b| **b == b' ').count();
            return (indent > 0 && line.get(indent..) == Some(b"mac"))
                .then_some(Self::Yaml(indent));
        }
        let name = trimmed(lead.strip_suffix(b"=")?)?;
        match last_line(&name) {
            b"sops_mac" => Some(Self::Dotenv),
            b"mac" => Some(Self::Ini),
            _ => None,
        }
    }

    fn block(self, candidate: &Candidate<'_>) -> Result<Block, Reading> {
        let Candidate { bytes, at, .. } = *candidate;
        let first = at.saturating_sub(BEFORE_MAX);
        let before = bytes.get(first..at).unwrap_or_default();
        let start = match self {
            Self::Json(quote) => {
                let start = json_span::start(bytes, quote).filter(|s| is_sops(bytes, *s));
                let start = start.ok_or(Reading::NotMine)?;
                return match json_span::end(bytes, start) {
                    End::At(end) => Ok(Block {
                        start,
                        end,
                        is_cut: false,
                    }),
                    End::Open if !candidate.at_end && bytes.len() - start < json_span::SIZE_MAX => {
                        Err(Reading::NeedMore { from: at })
                    }
                    End::Open => Ok(Block {
                        start,
                        end: bytes.len().min(start + json_span::SIZE_MAX),
                        is_cut: true,
                    }),
                    End::Broken => Err(Reading::NotMine),
                };
            }
            Self::Yaml(indent) => outer_line(before, indent),
            Self::Dotenv => last_such_line(before, &|line| !line.starts_with(b"sops_"))
                .map(|other| other.map_or(0, |(at, line)| at + line.len() + 1)),
            Self::Ini => last_such_line(before, &|line| line.starts_with(b"["))
                .flatten()
                .filter(|(_, line)| line.trim_ascii() == b"[sops]")
                .map(|(at, _)| at),
        };
        let start = first + start.ok_or(Reading::NotMine)?;
        let rest = bytes.get(at..).unwrap_or_default();
        let near = rest.get(..BEHIND_MAX).unwrap_or(rest);
        let mut end = 0;
        let mut is_cut = true;
        // The line of the MAC itself belongs to it.
        for (number, line) in near.split_inclusive(|b| *b == b'\n').enumerate() {
            if number > 0 && !self.goes_on(line) {
                is_cut = false;
                break;
            }
            end += line.len();
        }
        if is_cut && near.len() == rest.len() && !candidate.at_end {
            return Err(Reading::NeedMore { from: at });
        }
        Ok(Block {
            start,
            end: at + end,
            is_cut,
        })
    }

    /// Whether a line behind the MAC belongs to the metadata.
    fn goes_on(self, line: &[u8]) -> bool {
        match self {
            Self::Yaml(indent) => {
                let blanks = line.iter().take_while(|b| **b == b' ').count();
                blanks >= indent || line.trim_ascii().is_empty()
            }
            Self::Dotenv => line.starts_with(b"sops_"),
            Self::Ini => !line.starts_with(b"["),
            Self::Json(_) => false,
        }
    }
}

fn last_line(text: &[u8]) -> &[u8] {
    let end = memchr::memrchr2(b'\n', b'\r', text).map_or(0, |i| i + 1);
    text.get(end..).unwrap_or_default()
}

/// Lines before the last, which is not whole, from the last to the first, with their places.
fn lines_backwards(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut end = memchr::memrchr(b'\n', text);
    std::iter::from_fn(move || {
        let stop = end?;
        let before = text.get(..stop)?;
        let next = memchr::memrchr(b'\n', before);
        let at = next.map_or(0, |i| i + 1);
        end = next;
        before.get(at..).map(|line| (at, line))
    })
}

/// The last line that is such a one. None if a MAC stands behind it: that one is the metadata's, and each line is looked
/// at once.
fn last_such_line<'a>(
    text: &'a [u8],
    is_such: &dyn Fn(&[u8]) -> bool,
) -> Option<Option<(usize, &'a [u8])>> {
    for (at, line) in lines_backwards(text) {
        if is_such(line) {
            return Some(Some((at, line)));
        }
        let name = line.trim_ascii_start();
        let name = name.strip_prefix(b"sops_").unwrap_or(name);
        if let Some([b' ' | b'\t' | b':' | b'=', ..]) = name.strip_prefix(b"mac") {
            return None;
        }
    }
    Some(None)
}

/// Where the line `sops:` stands under which lines are indented so far.
fn outer_line(text: &[u8], indent: usize) -> Option<usize> {
    let is_outer = |line: &[u8]| {
        let blanks = line.iter().take_while(|b| **b == b' ').count();
        blanks < indent && !line.trim_ascii().is_empty()
    };
    let (at, line) = last_such_line(text, &is_outer)??;
    let name = line.trim_ascii();
    matches!(name, b"sops:" | b"\"sops\":").then(|| at + line.len() - line.trim_ascii_start().len())
}

/// Whether an object is the value of `"sops"`.
fn is_sops(bytes: &[u8], object: usize) -> bool {
    let before = bytes.get(..object).unwrap_or_default().trim_ascii_end();
    before
        .strip_suffix(b":")
        .is_some_and(|name| name.trim_ascii_end().ends_with(b"\"sops\""))
}
