//! How rows of a document are laid out: blanks, line ends, escapes.

use serde_json::Value;
use std::ops::Range;

/// How rows are laid out.
pub(super) struct Layout {
    /// What stands between two of them.
    pub(super) between: String,
    /// Blanks before a row's last bracket, and before its members; none where a row is one line.
    indents: Option<(String, String)>,
    /// `": "` or `":"`, and the same for commas.
    colon: &'static str,
    comma: &'static str,
    /// Whether everything but ASCII is escaped.
    ascii: bool,
}

impl Layout {
    pub(super) fn of(text: &str, items: &[Range<usize>]) -> Self {
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
        let before = items.first().map_or("", |first| {
            let lead = text.get(..first.start).unwrap_or("");
            let start = lead.rfind(['\n', '[', ',']).map_or(0, |at| at + 1);
            text.get(start..first.start).unwrap_or("")
        });
        let base = before.trim_start_matches(['\r', '\n']).to_owned();
        let between = match items {
            [first, second, ..] => part(first.end, second.start).to_owned(),
            [first] => {
                let lead = text.get(..first.start).unwrap_or("");
                let start = lead.rfind('[').map_or(0, |at| at + 1);
                format!(",{}", part(start, first.start))
            }
            [] => ",\n".to_owned(),
        };
        let row = items.last().map_or("", |i| part(i.start, i.end));
        Self::by_row(text, row, base, between)
    }

    pub(super) fn of_line(text: &str) -> Self {
        Self::by_row(
            text,
            text.lines().next().unwrap_or(""),
            String::new(),
            String::new(),
        )
    }

    fn by_row(text: &str, row: &str, base: String, between: String) -> Self {
        let indents = row.find('\n').map(|at| {
            let line = row.get(at + 1..).unwrap_or("");
            let end = line.find(|c: char| !matches!(c, ' ' | '\t')).unwrap_or(0);
            (base, line.get(..end).unwrap_or("").to_owned())
        });
        let spaced = row.contains("\": ");
        Self {
            between,
            colon: if spaced || indents.is_some() {
                ": "
            } else {
                ":"
            },
            comma: if spaced { ", " } else { "," },
            indents,
            ascii: text.is_ascii(),
        }
    }

    pub(super) fn write(&self, value: &Value) -> String {
        let mut out = String::new();
        self.value(value, 0, &mut out);
        if !self.ascii {
            return out;
        }
        let mut ascii = String::with_capacity(out.len());
        for c in out.chars() {
            if c.is_ascii() {
                ascii.push(c);
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        ascii
    }

    fn value(&self, value: &Value, depth: usize, out: &mut String) {
        let (open, close, count) = match value {
            Value::Object(members) => ('{', '}', members.len()),
            Value::Array(items) => ('[', ']', items.len()),
            scalar => {
                out.push_str(&scalar.to_string());
                return;
            }
        };
        out.push(open);
        let mut first = true;
        let mut lead = |out: &mut String| {
            if !first {
                out.push_str(if self.indents.is_some() {
                    ","
                } else {
                    self.comma
                });
            }
            first = false;
            self.line(depth + 1, out);
        };
        match value {
            Value::Object(members) => {
                for (key, inner) in members {
                    lead(out);
                    out.push_str(&Value::String(key.clone()).to_string());
                    out.push_str(self.colon);
                    self.value(inner, depth + 1, out);
                }
            }
            Value::Array(items) => {
                for inner in items {
                    lead(out);
                    self.value(inner, depth + 1, out);
                }
            }
            _ => {}
        }
        if count > 0 {
            self.line(depth, out);
        }
        out.push(close);
    }

    fn line(&self, depth: usize, out: &mut String) {
        let Some((base, member)) = &self.indents else {
            return;
        };
        out.push('\n');
        out.push_str(base);
        let unit = member.strip_prefix(base.as_str()).unwrap_or(" ");
        out.push_str(&unit.repeat(depth));
    }
}
