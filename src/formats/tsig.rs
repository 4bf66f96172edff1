//! TSIG keys (RFC 8945): `key "name" { algorithm …; secret "…"; };` as named.conf, rndc.conf and rndc.key hold them (BIND's
//! reference manual, "key Block Definition"), the same fields in Knot's and NSD's files, and nsupdate's
//! `hmac-sha256:name:secret`.

use super::wire::base64_text;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading, Secret,
};

/// The reader of one key.
pub struct Tsig;

const LITERALS: [&[u8]; 2] = [b"hmac-", b"HMAC-"];

/// Names (RFC 8945, section 6) without `hmac-`, and what they are called here; longer ones first.
const ALGORITHMS: [(&[u8], &str); 7] = [
    (b"md5.sig-alg.reg.int", "HMAC-MD5"),
    (b"md5", "HMAC-MD5"),
    (b"sha1", "HMAC-SHA1"),
    (b"sha224", "HMAC-SHA224"),
    (b"sha256", "HMAC-SHA256"),
    (b"sha384", "HMAC-SHA384"),
    (b"sha512", "HMAC-SHA512"),
];

/// How far the name stands before the algorithm, and the secret before or behind it.
const NEAR: usize = 512;
/// The longest secret in base64.
const SECRET_MAX: usize = 512;

impl Format for Tsig {
    fn name(&self) -> &'static str {
        "tsig"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 2] = {
            let [lower, upper] = LITERALS;
            [
                Signature::anywhere(lower, Clue::Word),
                Signature::anywhere(upper, Clue::Word),
            ]
        };
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let (bytes, at) = (candidate.bytes, candidate.at);
        let text = bytes.get(at..).unwrap_or_default();
        let Some(tail) = LITERALS.iter().find_map(|l| text.strip_prefix(*l)) else {
            return Reading::NotMine;
        };
        let word = tail.get(..32).unwrap_or(tail).to_ascii_lowercase();
        let known = ALGORITHMS.iter().find(|(name, _)| word.starts_with(name));
        let Some((spelt, algorithm)) = known else {
            return Reading::NotMine;
        };
        let mut behind = tail.get(spelt.len()..).unwrap_or_default();
        // RFC 2104 truncation, as BIND writes it: `hmac-sha256-128`.
        if let [b'-', rest @ ..] = behind {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits > 0 {
                behind = rest.get(digits..).unwrap_or_default();
            }
        }
        behind = behind.strip_prefix(b".").unwrap_or(behind);
        let behind = behind.get(..NEAR).unwrap_or(behind);
        let before = bytes.get(at.saturating_sub(NEAR)..at).unwrap_or_default();
        let cut = behind.len() < NEAR && !candidate.at_end;
        let read = match behind.first() {
            Some(b':') => one_line(before, behind),
            Some(_) if is_value(before) => in_block(before, behind),
            None if cut => return Reading::NeedMore { from: at },
            _ => return Reading::NotMine,
        };
        match read {
            Key::None if cut && is_value(before) => Reading::NeedMore { from: at },
            Key::None => Reading::NotMine,
            Key::Broken => Reading::Found(Found {
                faults: vec![Fault {
                    reason: GapReason::Malformed,
                    offset: at,
                    detail: "TSIG key: its secret is not base64".to_owned(),
                }],
                end: at + 5,
                ..Found::default()
            }),
            Key::Cut if cut => Reading::NeedMore { from: at },
            Key::Cut => Reading::Found(Found {
                faults: vec![Fault {
                    reason: GapReason::Truncated,
                    offset: at,
                    detail: "TSIG key: its secret has no end".to_owned(),
                }],
                end: at + 5,
                ..Found::default()
            }),
            Key::Whole { name, secret } => {
                let bits = u32::try_from(secret.len())
                    .ok()
                    .and_then(|n| n.checked_mul(8));
                let key = KeyMaterial::Symmetric(Secret::copy_of(&secret));
                let mut artifact =
                    Artifact::new(Kind::SymmetricKey, self.name(), Encoding::Text, key);
                artifact.algorithm = Some((*algorithm).into());
                artifact.bits = bits;
                artifact.protection = Some(Protection::None);
                artifact.alias = name;
                artifact.offset = at;
                Reading::Found(Found {
                    artifacts: vec![artifact],
                    end: at + 5,
                    ..Found::default()
                })
            }
        }
    }
}

/// What stands around a name of an algorithm.
enum Key {
    None,
    Broken,
    Cut,
    Whole {
        name: Option<String>,
        secret: zeroize::Zeroizing<Vec<u8>>,
    },
}

/// `hmac-sha256:name:secret`; `behind` starts with the first colon.
fn one_line(before: &[u8], behind: &[u8]) -> Key {
    let starts = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'=');
    if !before.last().is_none_or(starts) {
        return Key::None;
    }
    let mut parts = behind.splitn(3, |b| *b == b':').skip(1);
    let (Some(name), Some(rest)) = (parts.next(), parts.next()) else {
        return Key::None;
    };
    let length = rest
        .iter()
        .take_while(|b| base64_text::is_digit(**b))
        .count();
    let digits = rest.get(..length).unwrap_or_default();
    if !is_name(name) || digits.len() < 16 {
        return Key::None;
    }
    match base64_text::decode(digits) {
        Some(secret) => whole(name, secret),
        None => Key::None,
    }
}

/// Whether `algorithm` and nothing else stands before its value.
fn is_value(before: &[u8]) -> bool {
    let sign = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b':' | b'=');
    let end = before.iter().rposition(|b| !sign(b)).map_or(0, |i| i + 1);
    let word = before.get(..end).unwrap_or_default();
    end < before.len() && ends_with(word, b"algorithm")
}

fn ends_with(text: &[u8], word: &[u8]) -> bool {
    let start = text.len().checked_sub(word.len());
    start
        .and_then(|start| text.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// The fields of a block around the algorithm.
fn in_block(before: &[u8], behind: &[u8]) -> Key {
    // The block ends at its brace, or where the next key begins.
    let ends = |text: &[u8]| {
        let brace = memchr::memchr(b'}', text);
        let next = memchr::memmem::find(text, b"algorithm");
        brace.unwrap_or(text.len()).min(next.unwrap_or(text.len()))
    };
    let after = behind.get(..ends(behind)).unwrap_or_default();
    let opened = before.iter().rposition(|b| *b == b'{');
    let inside = opened.map_or(before, |open| before.get(open..).unwrap_or_default());
    let secret = value_of(after, b"secret").or_else(|| value_of(inside, b"secret"));
    let Some((value, closed)) = secret else {
        return Key::None;
    };
    let name = match opened {
        // key "name" {
        Some(open) => block_name(before.get(..open).unwrap_or_default()),
        None => [&b"name"[..], b"id"]
            .iter()
            .find_map(|word| last_value(before, word))
            .or_else(|| value_of(after, b"name").map(|(name, _)| name)),
    };
    let name = name.filter(|name| is_name(name)).unwrap_or_default();
    if value.len() > SECRET_MAX {
        return Key::None;
    }
    let digits = value
        .iter()
        .all(|b| base64_text::is_digit(*b) || b.is_ascii_whitespace());
    match base64_text::decode(value) {
        // A placeholder of a document has other signs or hardly any.
        _ if value.len() < 12 => Key::None,
        _ if digits && !closed => Key::Cut,
        Some(secret) if secret.len() >= 8 => whole(name, secret),
        _ if digits => Key::Broken,
        _ => Key::None,
    }
}

fn whole(name: &[u8], secret: zeroize::Zeroizing<Vec<u8>>) -> Key {
    let name = std::str::from_utf8(name)
        .ok()
        .filter(|name| !name.is_empty());
    Key::Whole {
        name: name.map(str::to_owned),
        secret,
    }
}

fn is_name(name: &[u8]) -> bool {
    let letter =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*' | b'/');
    !name.is_empty() && name.len() <= 255 && name.iter().all(letter)
}

/// The name before a block's brace: `key "name" ` or `key name `.
fn block_name(before: &[u8]) -> Option<&[u8]> {
    let before = before.trim_ascii_end();
    let bare = before.strip_suffix(b"\"").unwrap_or(before);
    let stop = |b: &u8| b.is_ascii_whitespace() || *b == b'"';
    let start = bare.iter().rposition(stop).map_or(0, |i| i + 1);
    bare.get(start..)
}

/// The value behind a word, and whether it has its end.
fn value_of<'a>(text: &'a [u8], word: &[u8]) -> Option<(&'a [u8], bool)> {
    memchr::memmem::find_iter(text, word).find_map(|at| value_at(text, at, word.len()))
}

fn last_value<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let places: Vec<usize> = memchr::memmem::find_iter(text, word).collect();
    let mut values = places
        .iter()
        .rev()
        .filter_map(|at| value_at(text, *at, word.len()));
    values.next().map(|(value, _)| value)
}

fn value_at(text: &[u8], at: usize, length: usize) -> Option<(&[u8], bool)> {
    let left = at.checked_sub(1).and_then(|i| text.get(i));
    if left.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return None;
    }
    let tail = text.get(at + length..)?;
    let sign = |b: &u8| matches!(b, b' ' | b'\t' | b':' | b'=' | b'"' | b'\'');
    let blanks = tail.iter().take_while(|b| sign(b)).count();
    let lead = tail.get(..blanks)?;
    let value = tail.get(blanks..)?;
    if lead.is_empty() {
        return None;
    }
    let quote = lead.last().filter(|b| matches!(b, b'"' | b'\''));
    let end = match quote {
        Some(quote) => value.iter().position(|b| b == quote),
        None => value
            .iter()
            .position(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'}')),
    };
    let closed = end.is_some() || quote.is_none();
    Some((value.get(..end.unwrap_or(value.len()))?, closed))
}
