//! `key: value` and `key = value`, as in YAML, TOML, HCL, properties, INI and shell.

use super::text;

/// A name and what stands behind it.
pub(super) struct Assignment<'a> {
    pub(super) key: &'a [u8],
    pub(super) separator: Separator,
}

/// What stands between a name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    Colon,
    Equals,
}

/// How many lines of a value are gone back over to the line that names it.
const LINES_MAX: usize = 64;

/// The assignment whose value begins where the line's head ends.
pub(super) fn read(head: &[u8]) -> Option<Assignment<'_>> {
    let before = trim_end(head, |b| {
        matches!(b, b'"' | b'\'' | b'`') || b.is_ascii_whitespace()
    });
    // Of a list of YAML: the value has no name of its own.
    if before.ends_with(b"-") && before.trim_ascii() == b"-" {
        return Some(Assignment {
            key: b"",
            separator: Separator::Colon,
        });
    }
    named(before)
}

/// The line above that names a value standing on lines of its own, and where that line starts.
pub(super) fn opener(before: &[u8], line: usize) -> Option<(Assignment<'_>, usize)> {
    let indent = |line: &[u8]| line.len() - line.trim_ascii_start().len();
    let own = indent(before.get(line..)?);
    let mut end = line.checked_sub(1)?;
    for _ in 0..LINES_MAX {
        let text = before.get(..end)?;
        let start = memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1);
        let above = text.get(start..)?.trim_ascii_end();
        if !above.is_empty() && (indent(above) < own || own == 0) {
            return opens(above).map(|found| (found, start));
        }
        end = start.checked_sub(1)?;
    }
    None
}

/// An assignment whose value is to follow on the next lines: YAML's block scalars, heredocs, TOML's long strings.
fn opens(line: &[u8]) -> Option<Assignment<'_>> {
    let marks = |b: u8| matches!(b, b'|' | b'>' | b'-' | b'+') || b.is_ascii_digit();
    let scalar = trim_end(line, marks);
    if scalar.len() < line.len() && matches!(line.get(scalar.len()..)?.first()?, b'|' | b'>') {
        return named(scalar.trim_ascii_end()).filter(|found| found.separator == Separator::Colon);
    }
    for quotes in [&b"\"\"\""[..], b"'''", b"\"", b"'", b"`"] {
        if let Some(rest) = line.strip_suffix(quotes) {
            return named(rest.trim_ascii_end());
        }
    }
    let heredoc = memchr::memmem::find(line, b"<<")?;
    let found = named(line.get(..heredoc)?.trim_ascii_end())?;
    (found.separator == Separator::Equals).then_some(found)
}

/// The name before a separator at the end of the text.
fn named(text: &[u8]) -> Option<Assignment<'_>> {
    let (separator, rest) = match text {
        [rest @ .., b':'] => (Separator::Colon, rest),
        [rest @ .., b'='] => (Separator::Equals, rest),
        _ => return None,
    };
    let rest = rest.trim_ascii_end();
    let rest = rest
        .strip_suffix(b"\"")
        .or_else(|| rest.strip_suffix(b"'"))
        .unwrap_or(rest);
    let start = rest
        .iter()
        .rposition(|b| !is_name(*b))
        .map_or(0, |at| at + 1);
    let key = rest.get(start..)?;
    // What leads a line is its indentation, a list's dash, a quote, or a word of a shell or a language.
    let lead = rest.get(..start)?.trim_ascii();
    let is_lead = lead.iter().all(|b| {
        matches!(b, b'-' | b'"' | b'\'' | b'{' | b',') || b.is_ascii_alphabetic() || *b == b' '
    });
    let has_letter = key.iter().any(u8::is_ascii_alphabetic);
    (has_letter && is_lead && lead.len() <= 24).then_some(Assignment { key, separator })
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b'$')
}

fn trim_end(text: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let kept = text
        .iter()
        .rposition(|b| !drop(*b))
        .map_or(0, |last| last + 1);
    text.get(..kept).unwrap_or_default()
}

/// The name with that of the section (`[tls.server]`) in which it stands.
pub(super) fn in_section(before: &[u8], key: &[u8]) -> String {
    let section = before.rsplit(|b| *b == b'\n').find_map(|line| {
        let line = line.trim_ascii();
        let inner = line.strip_prefix(b"[")?.strip_suffix(b"]")?;
        let inner = inner
            .strip_prefix(b"[")
            .and_then(|i| i.strip_suffix(b"]"))
            .unwrap_or(inner);
        let plain = inner
            .iter()
            .all(|b| is_name(*b) || matches!(b, b' ' | b'"' | b':'));
        (plain && !inner.is_empty()).then(|| inner.trim_ascii())
    });
    match section {
        Some(section) => format!("{}.{}", text(section), text(key)),
        None => text(key),
    }
}
