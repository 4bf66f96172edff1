//! JSON and JSON Lines: what is around the rows, and rows that are right, stay byte by byte.

mod layout;
mod scan;

use super::{REASONS, reason};
use crate::inventory::json as reader;
use crate::inventory::propose::{Edits, Extent};
use crate::inventory::table::Table;
use crate::inventory::text::Text;
use crate::inventory::{InventoryError, ReadOptions, profile};
use layout::Layout;
use scan::{items, members, skip_blanks, skip_value};
use serde_json::{Map, Value};
use std::ops::Range;

/// A document whose rows are in one array.
pub(crate) struct Document<'a> {
    text: Text<'a>,
    /// The array with its brackets.
    array: Range<usize>,
    /// Its items.
    items: Vec<Range<usize>>,
}

impl<'a> Document<'a> {
    /// Finds the rows.
    pub(super) fn read(
        name: &str,
        text: Text<'a>,
        options: &ReadOptions,
    ) -> Result<Self, InventoryError> {
        let no_list = || InventoryError::not_written(name, "JSON whose rows are not in one array");
        let value: Value = serde_json::from_str(&text.text).map_err(|_| no_list())?;
        let path = match &value {
            Value::Array(list) if !are_lists(list) => Some(Vec::new()),
            Value::Object(members) => rows_path(members, options),
            _ => None,
        };
        let mut at = skip_blanks(&text.text, 0);
        for part in path.ok_or_else(no_list)? {
            at = members(&text.text, at)
                .into_iter()
                .find(|(key, _)| *key == part)
                .map(|(_, range)| range.start)
                .ok_or_else(no_list)?;
        }
        let array = at..skip_value(&text.text, at);
        let items = items(&text.text, at);
        Ok(Self { text, array, items })
    }

    /// The rows as values.
    pub(super) fn rows(&self) -> impl Iterator<Item = Value> {
        self.items.iter().filter_map(|item| self.row(item))
    }

    fn row(&self, item: &Range<usize>) -> Option<Value> {
        serde_json::from_str(self.text.text.get(item.clone())?).ok()
    }

    /// The document with the edits.
    pub(super) fn write(&self, table: &Table, edits: &Edits, extent: Extent) -> Vec<u8> {
        let text = &*self.text.text;
        let layout = Layout::of(text, &self.items);
        let template = template(self.rows());
        let mut changed: Vec<(Range<usize>, String)> = Vec::new();
        for change in &edits.changed {
            let index = usize::try_from(change.at)
                .ok()
                .and_then(|n| n.checked_sub(1));
            let Some(item) = index.and_then(|n| self.items.get(n)) else {
                continue;
            };
            let Some(Value::Object(mut row)) = self.row(item) else {
                continue;
            };
            for (column, new) in &change.cells {
                if let Some(header) = table.headers.get(*column) {
                    set(&mut row, header, new, template.as_ref());
                }
            }
            if extent == Extent::RowsWithReasons {
                row.insert(
                    REASONS.to_owned(),
                    reason(false, change.flag, &change.why).into(),
                );
            }
            changed.push((item.clone(), layout.write(&Value::Object(row))));
        }
        let added: Vec<String> = edits
            .added
            .iter()
            .map(|row| {
                let mut value = new_row(table, &row.cells, template.as_ref());
                if extent == Extent::RowsWithReasons {
                    value.insert(REASONS.to_owned(), reason(true, row.flag, &row.why).into());
                }
                layout.write(&Value::Object(value))
            })
            .collect();
        let part = |range: Range<usize>| text.get(range).unwrap_or("");
        let mut out = String::with_capacity(text.len());
        if extent == Extent::Whole {
            let mut from = 0;
            for (range, row) in changed {
                out.push_str(part(from..range.start));
                out.push_str(&row);
                from = range.end;
            }
            let end = self.items.last().map_or(self.array.start + 1, |i| i.end);
            out.push_str(part(from..end.max(from)));
            for row in added {
                out.push_str(&layout.between);
                out.push_str(&row);
            }
            out.push_str(part(end.max(from)..text.len()));
        } else {
            let first = self.items.first().map_or(self.array.end, |i| i.start);
            let last = self.items.last().map_or(self.array.start, |i| i.end);
            out.push_str(part(0..first));
            let rows: Vec<String> = changed
                .into_iter()
                .map(|(_, row)| row)
                .chain(added)
                .collect();
            out.push_str(&rows.join(&layout.between));
            out.push_str(part(last..text.len()));
        }
        self.text.encode(&out)
    }
}

/// JSON Lines with the edits.
pub(super) fn write_lines(text: &str, table: &Table, edits: &Edits, extent: Extent) -> String {
    let template = template(lines(text));
    let layout = Layout::of_line(text);
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let last = table.rows.iter().map(|r| r.at).max().unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    let finish = |mut row: Map<String, Value>, is_new: bool, flag, why: &str| {
        if extent == Extent::RowsWithReasons {
            row.insert(REASONS.to_owned(), reason(is_new, flag, why).into());
        }
        layout.write(&Value::Object(row))
    };
    let add = |out: &mut String| {
        for row in &edits.added {
            let value = new_row(table, &row.cells, template.as_ref());
            out.push_str(&finish(value, true, row.flag, &row.why));
            out.push_str(line_end);
        }
    };
    for (line, at) in text.split_inclusive('\n').zip(1u64..) {
        let change = edits.changed.iter().find(|c| c.at == at);
        let body = line.trim_end_matches(['\r', '\n']);
        let row = change.and_then(|_| serde_json::from_str::<Map<String, Value>>(body).ok());
        if let (Some(change), Some(mut row)) = (change, row) {
            for (column, new) in &change.cells {
                if let Some(header) = table.headers.get(*column) {
                    set(&mut row, header, new, template.as_ref());
                }
            }
            out.push_str(&finish(row, false, change.flag, &change.why));
            out.push_str(line_end);
        } else if extent == Extent::Whole {
            out.push_str(line);
            if at == last && !line.ends_with('\n') {
                out.push_str(line_end);
            }
        }
        if at == last {
            add(&mut out);
        }
    }
    out
}

/// The rows of JSON Lines as values.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

/// Whether what a flat name means is a list in this row.
pub(super) fn is_list(row: &Value, header: &str) -> bool {
    let Value::Object(members) = row else {
        return false;
    };
    at(members, header).is_some_and(Value::is_array)
}

/// The member that a flat name means: names may have dots of their own.
fn at<'v>(members: &'v Map<String, Value>, header: &str) -> Option<&'v Value> {
    if let Some(found) = members.get(header) {
        return Some(found);
    }
    members.iter().find_map(|(key, value)| {
        let rest = header.strip_prefix(key.as_str())?.strip_prefix('.')?;
        at(value.as_object()?, rest)
    })
}

/// The row with the most members: what a new one looks like.
pub(super) fn template(rows: impl Iterator<Item = Value>) -> Option<Map<String, Value>> {
    rows.filter_map(|row| match row {
        Value::Object(members) => Some(members),
        _ => None,
    })
    .take(10_000)
    .reduce(|best, row| if row.len() > best.len() { row } else { best })
}

/// A new row: all members of the template, empty but for those that are known.
pub(super) fn new_row(
    table: &Table,
    cells: &[(usize, String)],
    template: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let mut row = template.map(emptied).unwrap_or_default();
    for (column, text) in cells {
        if let Some(header) = table.headers.get(*column) {
            set(&mut row, header, text, template);
        }
    }
    row
}

fn emptied(members: &Map<String, Value>) -> Map<String, Value> {
    let empty = |value: &Value| match value {
        Value::Object(inner) => Value::Object(emptied(inner)),
        Value::Array(_) => Value::Array(Vec::new()),
        _ => Value::Null,
    };
    members
        .iter()
        .map(|(key, value)| (key.clone(), empty(value)))
        .collect()
}

/// Sets what a flat name means, in the type that it has elsewhere.
pub(super) fn set(
    row: &mut Map<String, Value>,
    header: &str,
    text: &str,
    template: Option<&Map<String, Value>>,
) {
    let like = at(row, header)
        .filter(|v| !v.is_null() && v.as_array().is_none_or(|list| !list.is_empty()))
        .or_else(|| at(template?, header))
        .cloned();
    let value = typed(text, like.as_ref());
    put(row, header, value);
}

fn put(members: &mut Map<String, Value>, header: &str, value: Value) {
    if let Some(slot) = members.get_mut(header) {
        *slot = value;
        return;
    }
    let nested = members.iter_mut().find_map(|(key, inner)| {
        let rest = header.strip_prefix(key.as_str())?.strip_prefix('.')?;
        Some((rest.to_owned(), inner.as_object_mut()?))
    });
    match nested {
        Some((rest, inner)) => put(inner, &rest, value),
        None => {
            let Some((outer, rest)) = header.split_once('.') else {
                members.insert(header.to_owned(), value);
                return;
            };
            let mut inner = Map::new();
            put(&mut inner, rest, value);
            members.insert(outer.to_owned(), Value::Object(inner));
        }
    }
}

/// Text as a value of the type that its neighbours have.
fn typed(text: &str, like: Option<&Value>) -> Value {
    if text.is_empty() {
        return match like {
            Some(Value::Array(_)) => Value::Array(Vec::new()),
            _ => Value::Null,
        };
    }
    match like {
        Some(Value::Number(_)) => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
        Some(Value::Bool(_)) => match text {
            "true" => true.into(),
            "false" => false.into(),
            _ => text.into(),
        },
        Some(Value::Array(items)) => text
            .split('\n')
            .map(|part| place(part, items.first()).unwrap_or_else(|| part.into()))
            .collect(),
        _ => text.into(),
    }
}

/// `host:/path` as the objects of two members that the neighbours have.
fn place(text: &str, like: Option<&Value>) -> Option<Value> {
    let like = like?.as_object()?;
    let name = |names: &[&'static str]| names.iter().copied().find(|n| like.contains_key(*n));
    let host = name(&["host", "hostname", "server"])?;
    let path = name(&["path", "file"])?;
    let (at, rest) = text.split_once(":/")?;
    let mut members = Map::new();
    members.insert(host.to_owned(), at.into());
    members.insert(path.to_owned(), format!("/{rest}").into());
    Some(Value::Object(members))
}

/// Whether items are lists themselves, as a command prints that is run for each place.
pub(super) fn are_lists(items: &[Value]) -> bool {
    items
        .iter()
        .all(|i| i.get("items").is_some_and(Value::is_array))
}

/// The path of the one array of objects, as the reader finds it.
pub(super) fn rows_path(
    members: &Map<String, Value>,
    options: &ReadOptions,
) -> Option<Vec<String>> {
    if profile::choose(&options.profiles, &reader::columns(members)).is_some() {
        return None; // one record
    }
    if let Some(path) = profile::rows_of(&options.profiles, members) {
        return Some(path.split('.').map(str::to_owned).collect());
    }
    let has_rows = |value: &Value| {
        value
            .as_array()
            .is_some_and(|items| items.iter().any(Value::is_object))
    };
    let mut found: Vec<Vec<String>> = Vec::new();
    for (key, value) in members {
        if has_rows(value) {
            found.push(vec![key.clone()]);
        }
        for (inner, value) in value.as_object().into_iter().flatten() {
            if has_rows(value) {
                found.push(vec![key.clone(), inner.clone()]);
            }
        }
    }
    (found.len() == 1).then(|| found.remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_stand() {
        let text = r#" {"a": {"]": "\"}"}, "b" : [ {"x":1}, 2 ,"s,",[]] , "c":null}"#;
        let members = members(text, 1);
        let of = |n: usize| &text[members[n].1.clone()];
        assert_eq!((of(0), of(2)), (r#"{"]": "\"}"}"#, "null"));
        let items: Vec<&str> = items(text, members[1].1.start)
            .into_iter()
            .map(|r| &text[r])
            .collect();
        assert_eq!(items, [r#"{"x":1}"#, "2", "\"s,\"", "[]"]);
    }

    #[test]
    fn values_take_the_type_of_their_neighbours() {
        let row = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let like =
            row(r#"{"n":1,"b":true,"l":["x"],"p":[{"host":"h","path":"/x"}],"o":{"i.j":"s"}}"#);
        let mut new = emptied(&like);
        for (header, text) in [
            ("n", "2048"),
            ("b", "true"),
            ("l", "a\nb"),
            ("p", "w:/a"),
            ("o.i.j", "t"),
            ("q.r", "u"),
        ] {
            set(&mut new, header, text, Some(&like));
        }
        assert_eq!(
            Value::Object(new).to_string(),
            r#"{"n":2048,"b":true,"l":["a","b"],"p":[{"host":"w","path":"/a"}],"o":{"i.j":"t"},"q":{"r":"u"}}"#
        );
    }
}
