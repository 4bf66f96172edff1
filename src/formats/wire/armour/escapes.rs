//! How digits and line breaks of an armour's body are spelled in the text that holds it: escapes of JSON and programs, HTML, URLs, quoted-printable.

/// What a sign or an escape stands for.
pub(super) enum Meaning {
    NewLine,
    Blank,
    Digit(u8),
    Padding,
}

/// What an equals sign stands for behind so many digits, and its length: padding, or in quoted-printable text (RFC 2045, section 6.7)
/// escaped padding, or a line break that is none.
pub(super) fn equals(rest: &[u8], digits: usize) -> (usize, Meaning) {
    if rest.starts_with(b"=3D") {
        return (3, Meaning::Padding);
    }
    let soft = match rest {
        [_, b'\r', b'\n', next, ..] => Some((3, next)),
        [_, b'\n', next, ..] => Some((2, next)),
        _ => None,
    };
    match soft {
        // One sign alone is padding behind three digits of a group.
        Some((length, next)) if next.is_ascii_alphanumeric() && digits % 4 != 3 => {
            (length, Meaning::Blank)
        }
        _ => (1, Meaning::Padding),
    }
}

/// What an escape that starts with a backslash stands for, and its length.
pub(super) fn backslash(rest: &[u8]) -> Option<(usize, Meaning)> {
    let slashes = rest.iter().take(8).take_while(|b| **b == b'\\').count();
    let tail = rest.get(slashes..)?;
    let found = match tail {
        [b'n' | b'r', ..] => (1, Meaning::NewLine),
        [b't', ..] => (1, Meaning::Blank),
        [b'\r', b'\n', ..] => (2, Meaning::NewLine),
        [b'\n', ..] => (1, Meaning::NewLine),
        [b'/', ..] => (1, Meaning::Digit(b'/')),
        [b'u', code @ ..] => (5, hex_meaning(code.get(..4)?)?),
        [b'x', code @ ..] => (3, hex_meaning(code.get(..2)?)?),
        [b'0', b'1', b'2' | b'5', ..] => (3, Meaning::NewLine),
        // TeX and some shells end a line with two backslashes.
        [b' ', ..] => (0, Meaning::Blank),
        _ => return None,
    };
    Some((slashes + found.0, found.1))
}

/// What an HTML entity, a line break element or a percent escape stands for, and its length.
pub(super) fn entity(rest: &[u8]) -> Option<(usize, Meaning)> {
    if let Some(code) = rest.strip_prefix(b"%") {
        return Some((3, hex_meaning(code.get(..2)?)?));
    }
    if let Some(tail) = rest.strip_prefix(b"&#") {
        let end = tail.iter().take(7).position(|b| *b == b';')?;
        let digits = std::str::from_utf8(tail.get(..end)?).ok()?;
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => digits.parse().ok()?,
        };
        return Some((end + 3, meaning_of(code)?));
    }
    if rest.get(..3)?.eq_ignore_ascii_case(b"<br") {
        let end = rest.iter().take(8).position(|b| *b == b'>')?;
        return Some((end + 1, Meaning::NewLine));
    }
    None
}

fn hex_meaning(code: &[u8]) -> Option<Meaning> {
    let text = std::str::from_utf8(code).ok()?;
    meaning_of(u32::from_str_radix(text, 16).ok()?)
}

fn meaning_of(code: u32) -> Option<Meaning> {
    match u8::try_from(code).ok()? {
        b'\n' | b'\r' => Some(Meaning::NewLine),
        b' ' | b'\t' => Some(Meaning::Blank),
        b'=' => Some(Meaning::Padding),
        digit @ (b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/') => {
            Some(Meaning::Digit(digit))
        }
        _ => None,
    }
}
