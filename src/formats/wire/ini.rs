//! Sections, names and values of configuration text (`[section]`, `name = value`).

/// One line that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// `[name]`.
    Section(&'a [u8]),
    /// `name = value`, without blanks around either; a comment behind the value is not cut off.
    Value {
        /// The name.
        name: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// Blank, or a comment.
    Nothing,
    /// Something else.
    Other,
}

/// A line and its place.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The line.
    pub line: Line<'a>,
    /// Its first byte that is no blank.
    pub start: usize,
    /// Behind its last byte, its end not counted.
    pub end: usize,
    /// Whether it has its end.
    pub ended: bool,
}

/// The lines of a text from a place on.
pub fn lines(text: &[u8], from: usize) -> impl Iterator<Item = Placed<'_>> {
    let mut at = from;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr2(b'\n', b'\r', rest);
        let raw = rest.get(..length.unwrap_or(rest.len()))?;
        let trimmed = raw.trim_ascii_start();
        let placed = Placed {
            start: at + raw.len() - trimmed.len(),
            end: at + raw.len(),
            line: line(trimmed.trim_ascii_end()),
            ended: length.is_some(),
        };
        at += raw.len() + 1;
        Some(placed)
    })
}

fn line(text: &[u8]) -> Line<'_> {
    match text {
        [] | [b'#' | b';', ..] => Line::Nothing,
        [b'[', ..] => {
            let inner = memchr::memchr(b']', text).and_then(|end| text.get(1..end));
            inner.map_or(Line::Other, |name| Line::Section(name.trim_ascii()))
        }
        _ => match memchr::memchr(b'=', text).and_then(|sign| text.split_at_checked(sign)) {
            Some((name, value)) if !name.trim_ascii().is_empty() => Line::Value {
                name: name.trim_ascii(),
                value: value.get(1..).unwrap_or_default().trim_ascii(),
            },
            _ => Line::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let text = b"  # c\r\n [ A b ]\n\tk = v = w \nrest\n[open\n=x\n";
        let told: Vec<Line<'_>> = lines(text, 0)
            .map(|placed| placed.line)
            .filter(|line| *line != Line::Nothing)
            .collect();
        let value = Line::Value {
            name: b"k",
            value: b"v = w",
        };
        assert_eq!(
            told,
            [
                Line::Section(b"A b"),
                value,
                Line::Other,
                Line::Other,
                Line::Other
            ]
        );
        assert_eq!(lines(text, 0).nth(2).map(|p| p.start), Some(8));
    }
}
