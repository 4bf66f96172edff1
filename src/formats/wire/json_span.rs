//! Where the JSON object around a member begins and ends, amid any text (RFC 8259), without parsing the rest.

/// How far before the member the object may begin, in bytes.
const BACK_MAX: usize = 64 * 1024;
/// How large an object may be, in bytes.
pub const SIZE_MAX: usize = 256 * 1024;
/// How deep arrays and objects may nest in it. Together with the names that may not occur twice, this bounds how
/// often a byte is looked at.
const DEPTH_MAX: usize = 12;

/// The end of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It ends before this place.
    At(usize),
    /// The bytes end first, or it is larger than [`SIZE_MAX`].
    Open,
    /// It is no JSON.
    Broken,
}

/// The first byte of the object of which a member's name begins with the quote at `at`. None if the name stands
/// before it in the same object already.
pub fn start(bytes: &[u8], at: usize) -> Option<usize> {
    let name = string_end(bytes, at)?;
    let name = bytes.get(at..name)?;
    let least = at.saturating_sub(BACK_MAX);
    let mut depth = 0usize;
    let mut place = at;
    while place > least {
        place -= 1;
        match bytes.get(place)? {
            b'"' => {
                let opening = string_start(bytes, place, least)?;
                if depth == 0 && bytes.get(opening..=place) == Some(name) {
                    return None;
                }
                place = opening;
            }
            b'}' | b']' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return None;
                }
            }
            b'{' if depth == 0 => return Some(place),
            b'[' if depth == 0 => return None,
            b'{' | b'[' => depth -= 1,
            byte if is_plain(*byte) => {}
            _ => return None,
        }
    }
    None
}

/// The end of the object that begins at `start`.
pub fn end(bytes: &[u8], start: usize) -> End {
    let limit = start.saturating_add(SIZE_MAX).min(bytes.len());
    let Some(text) = bytes.get(..limit) else {
        return End::Broken;
    };
    let mut depth = 0usize;
    let mut place = start;
    loop {
        match text.get(place) {
            None => return End::Open,
            Some(b'"') => match string_end(text, place) {
                Some(end) => {
                    place = end;
                    continue;
                }
                None if has_control(text.get(place..).unwrap_or_default()) => return End::Broken,
                None => return End::Open,
            },
            Some(b'{' | b'[') => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return End::Broken;
                }
            }
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return End::At(place + 1);
                }
            }
            Some(byte) if is_plain(*byte) => {}
            Some(_) => return End::Broken,
        }
        place += 1;
    }
}

/// Whether a byte may stand outside strings and brackets.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'+' | b'-' | b'.'
        )
}

fn has_control(text: &[u8]) -> bool {
    text.iter().any(|b| *b < 0x20)
}

/// Behind the closing quote of the string whose opening quote is at `at`.
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut from = at.checked_add(1)?;
    loop {
        let place = from + memchr::memchr3(b'"', b'\\', b'\n', text.get(from..)?)?;
        match text.get(place)? {
            b'"' => return Some(place + 1),
            b'\\' => from = place + 2,
            _ => return None,
        }
    }
}

/// The opening quote of the string whose closing quote is at `end`.
fn string_start(text: &[u8], end: usize, least: usize) -> Option<usize> {
    let mut to = end;
    loop {
        let before = text.get(least..to)?;
        let place = least + memchr::memrchr2(b'"', b'\n', before)?;
        if text.get(place) == Some(&b'\n') {
            return None;
        }
        let escapes = text
            .get(least..place)?
            .iter()
            .rev()
            .take_while(|b| **b == b'\\');
        if escapes.count() % 2 == 0 {
            return Some(place);
        }
        to = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Option<&str> {
        let at = text.find("\"kty\"").unwrap();
        let start = start(text.as_bytes(), at)?;
        match end(text.as_bytes(), start) {
            End::At(end) => Some(&text[start..end]),
            _ => None,
        }
    }

    #[test]
    fn the_object_around_a_member_is_found() {
        for (text, expected) in [
            (r#"{"kty":"RSA"}"#, r#"{"kty":"RSA"}"#),
            (
                r#"x = '{ "a": "}\"{", "b": [{}, 1.5e+3], "kty": "RSA" }';"#,
                r#"{ "a": "}\"{", "b": [{}, 1.5e+3], "kty": "RSA" }"#,
            ),
            (
                r#"{"keys":[{"o":{"a":1},"kty":"EC","p":{"q":[]}},{}]}"#,
                r#"{"o":{"a":1},"kty":"EC","p":{"q":[]}}"#,
            ),
        ] {
            assert_eq!(span(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_has_none() {
        for text in [
            r#"the "kty" member"#,
            r#"required: ["kty"]"#,
            r#"{"kty":"RSA""#,
            r#"{ // comment
                "kty": "RSA"}"#,
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_that_occurs_twice_is_looked_at_once() {
        let text = br#"{"kty":"RSA","kty":"RSA"}"#;
        assert_eq!(start(text, 1), Some(0));
        assert_eq!(start(text, 13), None);
    }
}
