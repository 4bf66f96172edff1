//! Names and values of YAML and JSON in the order of the text, without their structure: enough for a reader that knows
//! which names it wants, and that no broken document stops.

/// A name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedValue<'a> {
    /// The name, without quotes.
    pub name: &'a [u8],
    /// The scalar behind it on the same line, without quotes; nothing where a mapping or a list follows.
    pub value: Option<&'a [u8]>,
    /// Where the name stands.
    pub at: usize,
    /// An element of a list, or a mapping in braces, begins with it.
    pub opens_item: bool,
}

/// All names with their values.
pub fn named_values(text: &[u8]) -> impl Iterator<Item = NamedValue<'_>> {
    let mut walk = Walk {
        text,
        at: 0,
        opens_item: false,
    };
    std::iter::from_fn(move || walk.next())
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    opens_item: bool,
}

impl<'a> Walk<'a> {
    fn next(&mut self) -> Option<NamedValue<'a>> {
        loop {
            self.skip_signs();
            let at = self.at;
            let name = self.scalar(true)?;
            let rest = self.text.get(self.at..).unwrap_or_default();
            let blanks = blanks(rest);
            if rest.get(blanks) != Some(&b':') || name.is_empty() {
                // No name: the end of a line, an element of a list.
                self.at = (at + 1).max(self.at);
                continue;
            }
            self.at += blanks + 1;
            let value = self.value();
            return Some(NamedValue {
                name,
                value,
                at,
                opens_item: std::mem::take(&mut self.opens_item),
            });
        }
    }

    /// Blanks, ends of lines, brackets, comments, and the dash of a list.
    fn skip_signs(&mut self) {
        while let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            match rest {
                [b'{', ..] => {
                    self.opens_item = true;
                    self.at += 1;
                }
                [b'-', b' ' | b'\t' | b'\n' | b'\r', ..] => {
                    self.opens_item = true;
                    self.at += 2;
                }
                [b'#', ..] => {
                    let line = memchr::memchr2(b'\n', b'\r', rest);
                    self.at += line.unwrap_or(rest.len());
                }
                [b'[' | b']' | b'}' | b',' | b'\\', ..] => self.at += 1,
                [first, ..] if first.is_ascii_whitespace() => self.at += 1,
                _ => return,
            }
        }
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        let rest = self.text.get(self.at..)?;
        self.at += blanks(rest);
        match self.text.get(self.at)? {
            b'{' | b'[' | b'\n' | b'\r' | b'#' => None,
            _ => self.scalar(false),
        }
    }

    /// A scalar in quotes or bare; a bare name ends at a colon, a bare value with its line.
    fn scalar(&mut self, name: bool) -> Option<&'a [u8]> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (quote, inner) = match rest {
            [quote @ (b'"' | b'\''), inner @ ..] => (Some(*quote), inner),
            _ => (None, rest),
        };
        if let Some(quote) = quote {
            let stop = memchr::memchr3(quote, b'\n', b'\r', inner);
            let length = stop.unwrap_or(inner.len());
            let closed = inner.get(length) == Some(&quote);
            self.at += 1 + length + usize::from(closed);
            let text = inner.get(..length)?;
            return Some(text.strip_suffix(b"\\").unwrap_or(text));
        }
        let ends = |b: &u8| match b {
            b'\n' | b'\r' | b',' | b'}' | b']' => true,
            b':' | b'"' | b'{' | b'[' => name,
            _ => false,
        };
        let length = inner.iter().position(ends).unwrap_or(inner.len());
        let text = inner.get(..length)?;
        self.at += length;
        // A comment needs a blank before it.
        let comment = memchr::memmem::find(text, b" #").unwrap_or(text.len());
        text.get(..comment).map(<[u8]>::trim_ascii)
    }
}

fn blanks(text: &[u8]) -> usize {
    let blank = |b: &&u8| matches!(b, b' ' | b'\t');
    text.iter().take_while(blank).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(String, Option<String>, bool)> {
        let text_of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        named_values(text.as_bytes())
            .map(|pair| (text_of(pair.name), pair.value.map(text_of), pair.opens_item))
            .collect()
    }

    #[test]
    fn yaml_and_json_tell_the_same() {
        let expected: Vec<_> = [
            ("keys", None, false),
            ("name", Some("a b"), true),
            ("secret", Some("QQ=="), false),
            ("name", Some("c"), true),
        ]
        .map(|(name, value, opens): (&str, Option<&str>, bool)| {
            (name.to_owned(), value.map(str::to_owned), opens)
        })
        .into();
        let yaml = "keys: # all\n  - name: a b\r\n    secret: QQ==  # old\n  - name: 'c'\n";
        let flow = "keys: [{name: a b, secret: QQ==}, {name: c}]";
        let json = "\"keys\":[{\"name\":\"a b\",\"secret\":\"QQ==\"},\n{\"name\" : \"c\"}]";
        for text in [yaml, flow, json] {
            assert_eq!(told(text), expected, "{text}");
        }
        assert_eq!(told("\"unclosed\nx"), []);
    }
}
