//! YAML (1.2.2), written anew from its values: comments, anchors and the layout of the document are not kept.

use super::{REASONS, json, reason};
use crate::inventory::propose::{Edits, Extent};
use crate::inventory::table::Table;
use crate::inventory::text::Text;
use crate::inventory::{InventoryError, ReadOptions, yaml as reader};
use serde_json::{Map, Value};

/// A document whose rows are in one list, or each a document of its own.
pub(crate) struct Document<'a> {
    text: Text<'a>,
    value: Value,
    path: Vec<String>,
    is_stream: bool,
}

impl<'a> Document<'a> {
    /// Finds the rows.
    pub(super) fn read(
        name: &str,
        text: Text<'a>,
        options: &ReadOptions,
    ) -> Result<Self, InventoryError> {
        let no_list = || InventoryError::not_written(name, "YAML whose rows are not in one list");
        let value = reader::read(name, &text.text)?;
        let path = match &value {
            Value::Array(list) if !json::are_lists(list) => Some(Vec::new()),
            Value::Object(members) => json::rows_path(members, options),
            _ => None,
        };
        let starts = text.text.lines().filter(|l| l.trim_end() == "---").count();
        Ok(Self {
            is_stream: starts > 1,
            path: path.ok_or_else(no_list)?,
            text,
            value,
        })
    }

    /// The rows as values.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Value> {
        let mut at = Some(&self.value);
        for part in &self.path {
            at = at.and_then(|v| v.get(part));
        }
        at.and_then(Value::as_array).into_iter().flatten()
    }

    /// The document with the edits.
    pub(super) fn write(&self, table: &Table, edits: &Edits, extent: Extent) -> Vec<u8> {
        let template = json::template(self.rows().cloned());
        let with_reason = |row: &mut Map<String, Value>, is_new, flag, why: &str| {
            if extent == Extent::RowsWithReasons {
                row.insert(REASONS.to_owned(), reason(is_new, flag, why).into());
            }
        };
        let mut rows: Vec<Value> = Vec::new();
        for (row, at) in self.rows().zip(1u64..) {
            let change = edits.changed.iter().find(|c| c.at == at);
            match (row, change) {
                (Value::Object(members), Some(change)) => {
                    let mut members = members.clone();
                    for (column, new) in &change.cells {
                        if let Some(header) = table.headers.get(*column) {
                            json::set(&mut members, header, new, template.as_ref());
                        }
                    }
                    with_reason(&mut members, false, change.flag, &change.why);
                    rows.push(Value::Object(members));
                }
                (row, _) if extent == Extent::Whole => rows.push(row.clone()),
                _ => {}
            }
        }
        for row in &edits.added {
            let mut members = json::new_row(table, &row.cells, template.as_ref());
            with_reason(&mut members, true, row.flag, &row.why);
            rows.push(Value::Object(members));
        }
        if self.is_stream {
            let mut out = String::new();
            for row in &rows {
                out.push_str("---\n");
                node(row, 0, &mut out);
            }
            return self.text.encode(&out);
        }
        let mut value = self.value.clone();
        let mut slot = Some(&mut value);
        for part in &self.path {
            slot = slot.and_then(|v| v.get_mut(part));
        }
        if let Some(slot) = slot {
            *slot = Value::Array(rows);
        }
        self.text.encode(&document(&value))
    }
}

/// One document.
pub(in crate::inventory) fn document(value: &Value) -> String {
    // Without its start a short list could be taken for delimited text.
    let mut out = "---\n".to_owned();
    node(value, 0, &mut out);
    out
}

/// A block collection at an indentation, or a scalar on a line of its own.
fn node(value: &Value, indent: usize, out: &mut String) {
    let lead = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, inner) in members {
                out.push_str(&lead);
                out.push_str(&scalar(&Value::String(key.clone())));
                out.push(':');
                below(inner, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for inner in items {
                match inner {
                    // The first member stands behind the dash.
                    Value::Object(members) if !members.is_empty() => {
                        let mut block = String::new();
                        node(inner, indent + 2, &mut block);
                        out.push_str(&lead);
                        out.push_str("- ");
                        out.push_str(block.get(indent + 2..).unwrap_or(""));
                    }
                    _ => {
                        out.push_str(&lead);
                        out.push('-');
                        below(inner, indent + 2, out);
                    }
                }
            }
        }
        other => {
            out.push_str(&lead);
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
}

fn below(value: &Value, indent: usize, out: &mut String) {
    let is_block = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        out.push('\n');
        node(value, indent, out);
    } else {
        out.push(' ');
        out.push_str(&scalar(value));
        out.push('\n');
    }
}

/// A scalar: text that could be anything else is in double quotes, whose escapes are those of JSON (section 7.3.1).
fn scalar(value: &Value) -> String {
    let Value::String(text) = value else {
        return value.to_string();
    };
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ' | '/' | '.');
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(word)
        // Words that mean something else in one version of YAML or the other, and numbers.
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "true" | "false" | "on" | "off" | "null" | "nan" | "inf"
        );
    if plain {
        text.clone()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for text in [
            r#"{"keys":[{"id":"K-1","a b":"x: y","n":1,"t":true,"z":null,"l":["a","- b"],"o":{"p":{"q":"yes"}}},{"id":"007","e":[],"f":{}}],"v":"1.0"}"#,
            r#"["a",["b",{"c":"\u001b\n\"'"}],{"d":[{"e":1}]}]"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            let written = document(&value);
            assert_eq!(reader::read("t", &written).unwrap(), value, "{written}");
        }
    }
}
