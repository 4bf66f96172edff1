//! The parts of a mail that are encoded in base64 (RFC 2045, section 6.8), whatever they hold: attachments, S/MIME signatures, texts.
//!
//! A part is known by the field of its header that says so, in a mail by itself, a mailbox (mbox), a log or a backup alike.
//! Parts in quoted-printable or without encoding are read as the texts that they are.

use crate::formats::wire::base64_text;
use crate::formats::{Format, Signature};
use crate::model::{Candidate, Clue, Fault, Found, GapReason, Member, Nested, Reading};

/// The container.
pub struct MailPart;

const NAME: &str = "mail";
/// What begins the literal, and what must stand before it: old programs write small letters.
const LITERALS: [&[u8]; 2] = [b"fer-Encoding:", b"fer-encoding:"];
const BEFORE: &[u8] = b"content-trans";
/// More digits than this are not decoded.
const SIZE_MAX: usize = 24 << 20;
/// A header is looked at so far before and behind the field.
const HEADER_MAX: usize = 8 << 10;
/// Fewer digits hold nothing.
const DIGITS_MIN: usize = 24;
/// A longer name is none.
const FILE_NAME_MAX: usize = 512;

impl Format for MailPart {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::anywhere(LITERALS[0], Clue::Word),
                Signature::anywhere(LITERALS[1], Clue::Word),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Candidate {
            bytes, at, at_end, ..
        } = *candidate;
        let Some(line) = field(bytes, at) else {
            return Reading::NotMine;
        };
        let start = header_start(bytes, line);
        let Some(body) = header_end(bytes, line) else {
            let is_open = bytes.len() - line < HEADER_MAX && !at_end;
            return match is_open {
                true => Reading::NeedMore { from: start },
                false => Reading::NotMine,
            };
        };
        let limit = body.saturating_add(SIZE_MAX).min(bytes.len());
        let run = bytes.get(body..limit).unwrap_or_default();
        let length = length_of(run);
        if length == run.len() && limit == bytes.len() && !at_end {
            return Reading::NeedMore { from: start };
        }
        if length == SIZE_MAX {
            return Reading::Found(Found {
                faults: vec![Fault {
                    reason: GapReason::Limit,
                    offset: body,
                    detail: format!("mail: a part of more than {} MiB of base64", SIZE_MAX >> 20),
                }],
                end: limit,
                ..Found::default()
            });
        }
        let digits = run.get(..length).unwrap_or_default();
        let decoded = base64_text::decode_lines(digits).filter(|_| length >= DIGITS_MIN);
        let Some(decoded) = decoded else {
            return Reading::NotMine;
        };
        let header = bytes.get(start..body).unwrap_or_default();
        let member = Member::named(NAME, &file_name(header).unwrap_or_default());
        Reading::Found(Found {
            nested: vec![Nested::content(member, decoded, body)],
            end: body + length,
            ..Found::default()
        })
    }
}

/// Where the field's line begins, if it is the field and says base64.
fn field(bytes: &[u8], at: usize) -> Option<usize> {
    let tail = bytes.get(at..)?;
    let literal = LITERALS.iter().find(|literal| tail.starts_with(literal))?;
    let line = at.checked_sub(BEFORE.len())?;
    let is_field = bytes.get(line..at)?.eq_ignore_ascii_case(BEFORE);
    let begins = line == 0 || bytes.get(line - 1) == Some(&b'\n');
    let value = tail.get(literal.len()..)?;
    let value = value.get(
        value
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count()..,
    )?;
    let (word, rest) = value.split_at_checked(6)?;
    let ends = rest.first().is_none_or(|b| !b.is_ascii_alphanumeric());
    (is_field && begins && word.eq_ignore_ascii_case(b"base64") && ends).then_some(line)
}

/// Whether a line may stand in a header: a name and a colon, or what continues the one before.
fn is_header(line: &[u8]) -> bool {
    let name = line
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'-')
        .count();
    match line.first() {
        Some(b' ' | b'\t') => !line.trim_ascii().is_empty(),
        _ => name > 0 && line.get(name) == Some(&b':'),
    }
}

/// Where the first line of the header begins, from one of its lines upwards.
fn header_start(bytes: &[u8], line: usize) -> usize {
    let floor = line.saturating_sub(HEADER_MAX);
    let mut start = line;
    while start > floor {
        let before = bytes.get(floor..start - 1).unwrap_or_default();
        let above = memchr::memrchr(b'\n', before).map_or(floor, |newline| floor + newline + 1);
        if !is_header(bytes.get(above..start).unwrap_or_default()) {
            break;
        }
        start = above;
    }
    start
}

/// Where the body begins: behind the first empty line. None if there is none in sight.
fn header_end(bytes: &[u8], line: usize) -> Option<usize> {
    let limit = line.saturating_add(HEADER_MAX).min(bytes.len());
    let mut at = line;
    while let Some(newline) = memchr::memchr(b'\n', bytes.get(at..limit)?) {
        let text = bytes.get(at..at + newline)?;
        at += newline + 1;
        if text.is_empty() || text == b"\r" {
            return Some(at);
        }
        if !is_header(text) {
            return None;
        }
    }
    None
}

/// How many bytes are lines of digits and the breaks between them.
fn length_of(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(rest) = text.get(length..).filter(|rest| !rest.is_empty()) {
        let newline = memchr::memchr(b'\n', rest);
        let line = rest
            .get(..newline.unwrap_or(rest.len()))
            .unwrap_or_default();
        let digits = line.trim_ascii_end();
        let is_body = !digits.is_empty() && !digits.starts_with(b"--");
        if !is_body || !digits.iter().all(|b| base64_text::is_digit(*b)) {
            break;
        }
        length += newline.map_or(line.len(), |newline| newline + 1);
        if digits.ends_with(b"=") {
            break;
        }
    }
    length
}

/// The name of the attached file, from the parameters of Content-Disposition or Content-Type; also in pieces and with escapes (RFC 2231).
fn file_name(header: &[u8]) -> Option<Vec<u8>> {
    [&b"filename"[..], b"name"]
        .into_iter()
        .find_map(|key| whole(header, key).or_else(|| pieces(header, key)))
        .filter(|name| !name.is_empty() && name.len() <= FILE_NAME_MAX)
}

fn whole(header: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let extended = [key, b"*="].concat();
    let plain = [key, b"="].concat();
    let unescaped = |value: Vec<u8>| unescape(behind_charset(&value));
    parameter(header, &extended)
        .map(unescaped)
        .or_else(|| parameter(header, &plain))
}

fn pieces(header: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    for number in 0..FILE_NAME_MAX {
        let plain = [key, format!("*{number}=").as_bytes()].concat();
        let extended = [key, format!("*{number}*=").as_bytes()].concat();
        if let Some(piece) = parameter(header, &plain) {
            name.extend(piece);
        } else if let Some(piece) = parameter(header, &extended) {
            let piece = if number == 0 {
                behind_charset(&piece)
            } else {
                &piece
            };
            name.extend(unescape(piece));
        } else {
            break;
        }
    }
    Some(name).filter(|name| !name.is_empty())
}

/// The value behind `key=`, without its quotes.
fn parameter(header: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let at = (0..header.len().saturating_sub(key.len())).find(|at| {
        let is_key = header
            .get(*at..at + key.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(key));
        let before = at.checked_sub(1).and_then(|before| header.get(before));
        is_key && before.is_some_and(|b| b.is_ascii_whitespace() || *b == b';')
    })?;
    let value = header.get(at + key.len()..)?;
    let Some(quoted) = value.strip_prefix(b"\"") else {
        let end = value
            .iter()
            .take_while(|b| !b.is_ascii_whitespace() && **b != b';')
            .count();
        return value.get(..end).map(<[u8]>::to_vec);
    };
    let mut text = Vec::new();
    let mut rest = quoted.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => return Some(text),
            b'\\' => text.extend(rest.next()),
            b'\r' | b'\n' => {}
            other => text.push(*other),
        }
    }
    None
}

/// What follows `charset'language'`.
fn behind_charset(value: &[u8]) -> &[u8] {
    let mut parts = value.splitn(3, |b| *b == b'\'');
    parts.nth(2).unwrap_or(value)
}

fn unescape(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, after @ ..] = rest {
        let octet = after.get(..2).filter(|_| *first == b'%');
        let octet =
            octet.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        text.push(octet.unwrap_or(*first));
        rest = after
            .get(if octet.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_attachments() {
        let cases: [(&str, &str); 7] = [
            (
                "Content-Type: a/b; name=k.p12\nContent-Disposition: attachment; filename=\"a \\\"b\\\".p12\"\n\n",
                "a \"b\".p12",
            ),
            ("Content-Type: a/b;\n\tNAME=k.p12\n\n", "k.p12"),
            (
                "Content-Disposition: attachment; filename*=UTF-8''%C3%A4%20b.pem\n\n",
                "\u{e4} b.pem",
            ),
            (
                "X: ;\n filename*0*=utf-8''%C3%A4;\n filename*1=\"b\";\n filename*2*=%20c\n\n",
                "\u{e4}b c",
            ),
            ("X: y; filename=\"a\r\n b\"\n\n", "a b"),
            ("X: y; myname=a\n\n", ""),
            ("X: y; name=\"a\n\n", ""),
        ];
        for (header, expected) in cases {
            let name = file_name(header.as_bytes()).unwrap_or_default();
            assert_eq!(String::from_utf8(name).unwrap(), expected, "{header}");
        }
    }

    #[test]
    fn the_field_and_its_mentions() {
        let is_part = |text: &str| {
            let at = memchr::memmem::find(text.as_bytes(), b"fer-").unwrap();
            field(text.as_bytes(), at).is_some()
        };
        assert!(is_part("Content-Transfer-Encoding: base64\n"));
        assert!(is_part("X: y\ncontent-transfer-encoding:BASE64\r\n"));
        for other in [
            "Content-Transfer-Encoding: base64url\n",
            "Content-Transfer-Encoding: 8bit\n",
            "the Content-Transfer-Encoding: base64\n",
            "Transfer-Encoding: base64\n",
        ] {
            assert!(!is_part(other), "{other}");
        }
    }

    #[test]
    fn a_header_reaches_from_line_to_line() {
        let text = b"text\n--b\nContent-Type: a/b;\n name=c\nContent-Transfer-Encoding: base64\nX: y\r\n\r\nAAAA\n--b--\n";
        let line = memchr::memmem::find(text, b"Content-Tr").unwrap();
        assert!(text[header_start(text, line)..].starts_with(b"Content-Type"));
        let body = header_end(text, line).unwrap();
        assert_eq!(&text[body..][..length_of(&text[body..])], b"AAAA\n");
        assert_eq!(header_end(b"A: b\nno header\n\n", 0), None);
        assert_eq!(length_of(b"QUJD\r\nREU=\r\nAAAA"), 12);
        assert_eq!(length_of(b"QUJD\n\nQUJD\n"), 5);
    }
}
