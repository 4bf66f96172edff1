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
        let is_whole = metadata.version.is_some();
        let (reason, what) = match block.lacks {
            Some(Lack::End) if !is_whole => {
                (GapReason::Truncated, "ends inside its metadata".to_owned())
            }
            _ => {
                let what = format!("encrypted to {}", metadata.told());
                (GapReason::Encrypted, what)
            }
        };
        found.faults.push(fault(reason, &what));
        if metadata.is_more {
            let what = format!("more than {RECIPIENTS_MAX} recipients");
            found.faults.push(fault(GapReason::Limit, &what));
        } else if block.lacks == Some(Lack::Rest) {
            let what = "its metadata is longer than what is read of it";
            found.faults.push(fault(GapReason::Limit, what));
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
    lacks: Option<Lack>,
}

/// What there is not of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// Perhaps its end: the bytes end with it.
    End,
    /// What lies further away than is looked.
    Rest,
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
            Self::Json(quote) => return json_block(candidate, quote),
            Self::Yaml(indent) => Begin::yaml(before, indent),
            Self::Dotenv => Begin::dotenv(before),
            Self::Ini => Begin::ini(before),
        };
        let is_all = first == 0 && candidate.at_start;
        let (start, mut lacks) = match start {
            Begin::At(start) => (first + start, None),
            Begin::Before if is_all && self == Self::Dotenv => (0, None),
            Begin::Before if is_all => return Err(Reading::NotMine),
            Begin::Before => (first, Some(Lack::Rest)),
            Begin::Nowhere => return Err(Reading::NotMine),
        };
        let rest = bytes.get(at..).unwrap_or_default();
        let near = rest.get(..BEHIND_MAX).unwrap_or(rest);
        // The line of the MAC itself belongs to it.
        let lines = near.split_inclusive(|b| *b == b'\n').enumerate();
        // Of one that is not whole nobody knows.
        let is_open = |line: &[u8]| !candidate.at_end && !line.ends_with(b"\n");
        let own =
            lines.take_while(|(number, line)| *number == 0 || is_open(line) || self.goes_on(line));
        let end: usize = own.map(|(_, line)| line.len()).sum();
        if end == near.len() {
            if near.len() < rest.len() {
                lacks = Some(Lack::Rest);
            } else if candidate.at_end {
                lacks = lacks.or(Some(Lack::End));
            } else {
                return Err(Reading::NeedMore { from: start });
            }
        }
        Ok(Block {
            start,
            end: at + end,
            lacks,
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

/// Where the metadata begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// There.
    At(usize),
    /// Before the text.
    Before,
    /// It is none.
    Nowhere,
}

impl Begin {
    /// Goes back to the last line that is no member of the metadata, of which `told` gives the place where that begins.
    /// Nowhere if another MAC stands behind it: that one is the metadata's, and each line is looked at once.
    fn find(
        text: &[u8],
        is_other: impl Fn(&[u8]) -> bool,
        told: impl Fn(usize, &[u8]) -> Option<usize>,
    ) -> Self {
        for (at, line) in lines_backwards(text) {
            if is_other(line) {
                return told(at, line).map_or(Self::Nowhere, Self::At);
            }
            let name = line.trim_ascii_start();
            let name = name.strip_prefix(b"sops_").unwrap_or(name);
            if let Some([b' ' | b'\t' | b':' | b'=', ..]) = name.strip_prefix(b"mac") {
                return Self::Nowhere;
            }
        }
        Self::Before
    }

    /// The line `sops:`, under which lines are indented so far.
    fn yaml(text: &[u8], indent: usize) -> Self {
        let blanks = |line: &[u8]| line.iter().take_while(|b| **b == b' ').count();
        Self::find(
            text,
            |line| blanks(line) < indent && !line.trim_ascii().is_empty(),
            |at, line| {
                let is_sops = matches!(line.trim_ascii(), b"sops:" | b"\"sops\":");
                is_sops.then_some(at + blanks(line))
            },
        )
    }

    /// The first of the lines that begin with `sops_`.
    fn dotenv(text: &[u8]) -> Self {
        let is_other = |line: &[u8]| !line.starts_with(b"sops_");
        Self::find(text, is_other, |at, line| Some(at + line.len() + 1))
    }

    /// The line `[sops]`.
    fn ini(text: &[u8]) -> Self {
        let is_sops = |line: &[u8]| line.trim_ascii() == b"[sops]";
        let is_other = |line: &[u8]| line.starts_with(b"[");
        Self::find(text, is_other, |at, line| is_sops(line).then_some(at))
    }
}

/// The object around the member `mac`, the quote of which stands there.
fn json_block(candidate: &Candidate<'_>, quote: usize) -> Result<Block, Reading> {
    let bytes = candidate.bytes;
    let start = json_span::start(bytes, quote).filter(|start| is_sops(bytes, *start));
    let start = start.ok_or(Reading::NotMine)?;
    let is_open = bytes.len() - start < json_span::SIZE_MAX;
    let (end, lacks) = match json_span::end(bytes, start) {
        End::At(end) => (end, None),
        End::Open if is_open && !candidate.at_end => {
            return Err(Reading::NeedMore { from: start });
        }
        End::Open if is_open => (bytes.len(), Some(Lack::End)),
        End::Open => (start + json_span::SIZE_MAX, Some(Lack::Rest)),
        End::Broken => return Err(Reading::NotMine),
    };
    Ok(Block { start, end, lacks })
}

/// Whether an object is the value of `"sops"`.
fn is_sops(bytes: &[u8], object: usize) -> bool {
    let before = bytes.get(..object).unwrap_or_default().trim_ascii_end();
    before
        .strip_suffix(b":")
        .is_some_and(|name| name.trim_ascii_end().ends_with(b"\"sops\""))
}
