//! Where values stand in the text of a document. It was parsed before, and is whole.

use std::ops::Range;

/// Where the value that starts at a place ends. The text was parsed before: it is whole.
pub(super) fn skip_value(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at, mut quoted) = (0usize, start, false);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => {
                quoted = !quoted;
                if !quoted && depth == 0 {
                    return at;
                }
            }
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at - 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at - 1,
            _ => {}
        }
    }
    at.min(text.len())
}

pub(super) fn skip_blanks(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or("");
    start
        + rest
            .find(|c: char| !c.is_ascii_whitespace())
            .unwrap_or(rest.len())
}

/// The items of the array that starts at a place.
pub(super) fn items(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = skip_blanks(text, start + 1);
    while text.as_bytes().get(at).is_some_and(|b| *b != b']') {
        let end = skip_value(text, at);
        out.push(at..end);
        at = skip_blanks(text, end);
        if text.as_bytes().get(at) == Some(&b',') {
            at = skip_blanks(text, at + 1);
        }
    }
    out
}

/// The members of the object that starts at a place, with the places of their values.
pub(super) fn members(text: &str, start: usize) -> Vec<(String, Range<usize>)> {
    let mut out = Vec::new();
    let mut at = skip_blanks(text, start + 1);
    while text.as_bytes().get(at) == Some(&b'"') {
        let end = skip_value(text, at);
        let key = text.get(at..end).and_then(|k| serde_json::from_str(k).ok());
        let colon = skip_blanks(text, end);
        let value = skip_blanks(text, colon + 1);
        let value_end = skip_value(text, value);
        out.extend(key.map(|key| (key, value..value_end)));
        at = skip_blanks(text, value_end);
        if text.as_bytes().get(at) == Some(&b',') {
            at = skip_blanks(text, at + 1);
        }
    }
    out
}
