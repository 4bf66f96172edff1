//! Lines of text whatever ends them: line feeds, carriage returns, or escapes in a string of JSON or program text.

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With a control character.
    Plain,
    /// With the characters `\\n` or `\\r`.
    Escaped,
    /// The bytes end first.
    Cut,
    /// It goes on.
    None,
}

/// Lines of the block, without the blanks around them, each with the place of its first byte.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    block: &'a [u8],
    at: usize,
    /// Lines end with the characters `\n`, as in JSON, and not with a line feed.
    escaped: bool,
}

impl<'a> Lines<'a> {
    /// The lines of a block from this place on. If `escaped`, they end with the characters `\n`, as in JSON.
    pub const fn new(block: &'a [u8], at: usize, escaped: bool) -> Self {
        Self { block, at, escaped }
    }

    /// Whether a marker or header, whose last byte stands before `tail`, ends its line there, and how.
    pub fn ending(tail: &[u8]) -> Ending {
        match tail {
            [] | [b'\\'] => Ending::Cut,
            [b'\r' | b'\n', ..] => Ending::Plain,
            [b'\\', b'r' | b'n', ..] => Ending::Escaped,
            _ => Ending::None,
        }
    }

    /// Whether all of the block was given.
    pub const fn is_at_end(&self) -> bool {
        self.at >= self.block.len()
    }

    /// The next line and the place of its first byte. Between a carriage return and its line feed stands an
    /// empty line.
    #[expect(
        clippy::should_implement_trait,
        reason = "callers also look at the state between two lines"
    )]
    pub fn next(&mut self) -> Option<(usize, &'a [u8])> {
        let rest = self.block.get(self.at..).filter(|r| !r.is_empty())?;
        let (length, step) = self.line_end(rest);
        let raw = rest.get(..length)?;
        let line = raw.trim_ascii_start();
        let start = self.at + raw.len() - line.len();
        self.at += length + step;
        Some((start, line.trim_ascii_end()))
    }

    /// How long the line at the start of `rest` is, and its end.
    fn line_end(&self, rest: &[u8]) -> (usize, usize) {
        let end = if self.escaped {
            memchr::memchr2(b'\\', b'"', rest)
        } else {
            memchr::memchr2(b'\n', b'\r', rest)
        };
        let Some(end) = end else {
            return (rest.len(), 0);
        };
        let step = match rest.get(end..) {
            Some([b'\\', _, ..]) if self.escaped => 2,
            _ => 1,
        };
        (end, step)
    }

    /// A header with the lines that continue it (RFC 4716, section 3.3).
    pub fn unfold(&mut self, line: &[u8]) -> Vec<u8> {
        let mut header = line.to_vec();
        while header.last() == Some(&b'\\') {
            header.pop();
            // Between a carriage return and its line feed stands an empty line.
            match self.next().or_else(|| self.next()) {
                Some((_, [])) => match self.next() {
                    Some((_, more)) => header.extend_from_slice(more),
                    None => break,
                },
                Some((_, more)) => header.extend_from_slice(more),
                None => break,
            }
        }
        header
    }
}
