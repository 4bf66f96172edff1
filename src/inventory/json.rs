//! Reads JSON and JSON lines into a table: members are columns, nested ones with dots between.

use super::InventoryError;
use super::heading::{self, compact};
use super::hush::quoted;
use super::table::{MAX_CELL, MAX_COLUMNS, Table, is_page_token};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Largest JSON document that is read; parsed values take many times their text.
pub(super) const MAX_DOCUMENT: usize = 128 << 20;
/// Deepest nesting of members that become columns.
const MAX_DEPTH: usize = 16;

/// What text that begins with `[` or `{` holds.
pub(super) enum Content {
    /// One document.
    Document(Value),
    /// Objects on lines of their own.
    Lines(Table),
}

/// The first object of text whose first line is one.
pub(super) fn first_line(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim_start();
    let first = text.lines().next()?;
    (text.starts_with('{') && text.trim().contains(['\n', '\r']))
        .then(|| serde_json::from_str(first).ok())
        .flatten()
}

/// Reads text that begins with `[` or `{`.
pub(super) fn parse(name: &str, text: &str) -> Result<Content, InventoryError> {
    if first_line(text).is_some() {
        return read_lines(name, text).map(Content::Lines);
    }
    if text.len() > MAX_DOCUMENT {
        return Err(InventoryError::TooLarge {
            name: name.to_owned(),
            limit: MAX_DOCUMENT as u64,
        });
    }
    // serde_json refuses nesting beyond 128 levels. Documents one after the other, as a loop over a command prints, are a list.
    let mut documents: Vec<Value> = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        documents.push(document.map_err(|error| InventoryError::Json {
            name: name.to_owned(),
            line: error.line(),
            column: error.column(),
            truncated: error.is_eof(),
        })?);
    }
    Ok(Content::Document(if documents.len() == 1 {
        documents.remove(0)
    } else {
        Value::Array(documents)
    }))
}

/// Reads a document: its rows are in one array, or at `rows` where that is said.
pub(super) fn read_value(
    name: &str,
    document: Value,
    rows: Option<&str>,
) -> Result<Table, InventoryError> {
    match document {
        Value::Array(items) => read_items(name, Builder::default(), items),
        Value::Object(mut document) => match rows.and_then(|path| at_path(&mut document, path)) {
            Some(items) => {
                let mut builder = Builder::default();
                builder.table.page_token = page_token(&document);
                read_items(name, builder, items)
            }
            None => read_document(name, document),
        },
        _ => Err(InventoryError::not_one(name, "a single value")),
    }
}

/// The columns that one object would have as a row.
pub(super) fn columns(row: &Map<String, Value>) -> Vec<String> {
    let mut flat = Flat::default();
    flat.object("", row, 0);
    flat.members.into_iter().map(|(name, _)| name).collect()
}

/// The array at a path with dots between its members.
fn at_path(document: &mut Map<String, Value>, path: &str) -> Option<Vec<Value>> {
    match path.split_once('.') {
        Some((outer, inner)) => at_path(document.get_mut(outer)?.as_object_mut()?, inner),
        None => document.get_mut(path)?.as_array_mut().map(std::mem::take),
    }
}

fn read_lines(name: &str, text: &str) -> Result<Table, InventoryError> {
    let mut builder = Builder::default();
    for (line, at) in text.lines().zip(1u64..) {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(row)) => match sole_token(&row) {
                Some(token) => builder.table.page_token = Some(token),
                None => builder.row(name, at, &row)?,
            },
            Ok(_) => builder.table.lose(name, at, "not an object".to_owned()),
            Err(error) => builder.table.lose(
                name,
                at,
                format!("no JSON from its column {} on", error.column()),
            ),
        }
    }
    Ok(builder.table)
}

/// An object that holds the rows: in one array, its own or one level down; or that is the one row itself.
fn read_document(name: &str, document: Map<String, Value>) -> Result<Table, InventoryError> {
    let mut builder = Builder::default();
    builder.table.page_token = page_token(&document);
    let mut arrays: Vec<(String, usize)> = Vec::new();
    let mut empty = false;
    let mut look = |path: String, value: &Value| {
        if let Value::Array(items) = value {
            let objects = items.iter().filter(|i| i.is_object()).count();
            empty |= items.is_empty();
            if objects > 0 {
                arrays.push((path, objects));
            }
        }
    };
    for (key, value) in &document {
        look(key.clone(), value);
    }
    for (key, value) in &document {
        if let Value::Object(inner) = value {
            for (inner_key, inner_value) in inner {
                look(format!("{key}.{inner_key}"), inner_value);
            }
        }
    }
    match arrays.as_slice() {
        [(path, _)] => {
            let items = take_array(document, path);
            read_items(name, builder, items)
        }
        [] => {
            let known = document
                .keys()
                .filter(|k| heading::understand(k).is_some())
                .count();
            if known >= 2 {
                builder.row(name, 1, &document)?;
                Ok(builder.table)
            } else if empty {
                Err(InventoryError::NoRows {
                    name: name.to_owned(),
                })
            } else {
                Err(InventoryError::not_one(
                    name,
                    "a JSON object without an array of objects",
                ))
            }
        }
        many => Err(InventoryError::SeveralArrays {
            name: name.to_owned(),
            arrays: many
                .iter()
                .take(20)
                .map(|(path, n)| format!("{} ({n} objects)", quoted(path)))
                .collect(),
        }),
    }
}

fn take_array(mut document: Map<String, Value>, path: &str) -> Vec<Value> {
    if let Some(Value::Array(items)) = document.get_mut(path) {
        return std::mem::take(items);
    }
    for (key, value) in &mut document {
        if let Value::Object(inner) = value
            && let Some(rest) = path
                .strip_prefix(key.as_str())
                .and_then(|r| r.strip_prefix('.'))
            && let Some(Value::Array(items)) = inner.get_mut(rest)
        {
            return std::mem::take(items);
        }
    }
    Vec::new()
}

fn read_items(
    name: &str,
    mut builder: Builder,
    items: Vec<Value>,
) -> Result<Table, InventoryError> {
    if items.is_empty() {
        return Err(InventoryError::NoRows {
            name: name.to_owned(),
        });
    }
    if !items.iter().any(Value::is_object) {
        return Err(InventoryError::not_one(
            name,
            "a JSON array without objects",
        ));
    }
    for (item, at) in items.iter().zip(1u64..) {
        match item {
            Value::Object(row) => builder.row(name, at, row)?,
            Value::Null => {}
            _ => builder.table.lose(name, at, "not an object".to_owned()),
        }
    }
    Ok(builder.table)
}

/// A member beside the rows, or one level down, that says that this is one page of several.
fn page_token(document: &Map<String, Value>) -> Option<String> {
    let mut found = token_in(document, "");
    // `next` beside the rows is the address or the number of the next page.
    if found.is_none() && document.get("next").is_some_and(says_more) {
        found = Some(quoted("next"));
    }
    for (key, value) in document {
        if let Value::Object(inner) = value
            && found.is_none()
        {
            found = token_in(inner, &format!("{key}."));
            // Kubernetes lists: `metadata.continue`; hypermedia: `links.next`.
            for (outer, member) in [
                ("metadata", "continue"),
                ("links", "next"),
                ("_links", "next"),
                ("paging", "next"),
                ("pagination", "next"),
            ] {
                if key == outer && inner.get(member).is_some_and(says_more) {
                    found.get_or_insert(format!("{outer}.{member}"));
                }
            }
        }
    }
    found
}

fn token_in(members: &Map<String, Value>, before: &str) -> Option<String> {
    members
        .iter()
        .find(|(key, value)| is_page_token(&compact(key)) && says_more(value))
        .map(|(key, _)| quoted(&format!("{before}{key}")))
        .or_else(|| {
            // Venafi: `"_links": [{"Next": "…"}]` beside the rows.
            let links = members.get("_links")?.as_array()?;
            let next = links.iter().any(|l| l.get("Next").is_some_and(says_more));
            next.then(|| format!("{before}_links.Next"))
        })
}

fn says_more(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(more) => *more,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Number(_) => true,
    }
}

/// A line that holds a page token and nothing else.
fn sole_token(row: &Map<String, Value>) -> Option<String> {
    (row.len() == 1).then(|| token_in(row, "")).flatten()
}

#[derive(Default)]
struct Builder {
    table: Table,
    columns: HashMap<String, usize>,
}

impl Builder {
    fn row(&mut self, name: &str, at: u64, row: &Map<String, Value>) -> Result<(), InventoryError> {
        let mut flat = Flat::default();
        flat.object("", row, 0);
        if flat.secret {
            self.table.tell(
                name,
                at,
                "holds private members of a JWK, which were left out".to_owned(),
            );
        }
        if flat.deep {
            self.table
                .tell(name, at, "members nested too deep were left out".to_owned());
        }
        let mut cells = Vec::with_capacity(flat.members.len());
        for (key, text) in flat.members {
            let text = text.trim();
            if text.len() > MAX_CELL {
                self.table.tell(
                    name,
                    at,
                    format!(
                        "{} is longer than {MAX_CELL} bytes and was left out",
                        quoted(&key)
                    ),
                );
                continue;
            }
            if text.is_empty() {
                continue;
            }
            let column = match self.columns.get(&key) {
                Some(column) => *column,
                None if self.table.headers.len() >= MAX_COLUMNS => {
                    return Err(InventoryError::TooMany {
                        name: name.to_owned(),
                        what: "member names",
                        limit: MAX_COLUMNS,
                    });
                }
                None => {
                    self.table.headers.push(key.clone());
                    self.columns.insert(key, self.table.headers.len() - 1);
                    self.table.headers.len() - 1
                }
            };
            cells.push((column, text.to_owned()));
        }
        cells.sort_by_key(|(column, _)| *column);
        cells.dedup_by_key(|(column, _)| *column);
        let cells = cells.iter().map(|(column, text)| (*column, text.as_str()));
        self.table.push(name, at, cells)
    }
}

/// The members of one row, flat; what stands several times under one name is joined by new lines.
#[derive(Default)]
struct Flat {
    members: Vec<(String, String)>,
    places: HashMap<String, usize>,
    secret: bool,
    deep: bool,
}

impl Flat {
    fn object(&mut self, before: &str, members: &Map<String, Value>, depth: usize) {
        if depth > MAX_DEPTH {
            self.deep = true;
            return;
        }
        // RFC 7517: with `kty`, these are the private members (RFC 7518, section 6).
        let jwk = members.contains_key("kty");
        for (key, value) in members {
            if jwk
                && matches!(
                    key.as_str(),
                    "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth" | "k"
                )
            {
                self.secret = true;
                continue;
            }
            let path = if before.is_empty() {
                key.clone()
            } else {
                format!("{before}.{key}")
            };
            self.value(path, value, depth);
        }
    }

    fn value(&mut self, path: String, value: &Value, depth: usize) {
        match value {
            Value::Null => {}
            Value::Bool(b) => self.add(path, &b.to_string()),
            Value::Number(n) => self.add(path, &n.to_string()),
            Value::String(text) => self.add(path, text),
            Value::Object(members) => match place(members) {
                Some(place) if depth > 0 || members.len() == 2 => self.add(path, &place),
                _ => self.object(&path, members, depth + 1),
            },
            Value::Array(items) => {
                if depth > MAX_DEPTH {
                    self.deep = true;
                    return;
                }
                for item in items {
                    self.value(path.clone(), item, depth + 1);
                }
            }
        }
    }

    fn add(&mut self, path: String, text: &str) {
        if let Some((_, joined)) = self
            .places
            .get(&path)
            .and_then(|i| self.members.get_mut(*i))
        {
            // Longer ones are left out by the caller; no need to hold more of them.
            if joined.len() <= MAX_CELL {
                joined.push('\n');
                joined.push_str(text);
            }
        } else {
            self.places.insert(path.clone(), self.members.len());
            self.members.push((path, text.to_owned()));
        }
    }
}

/// `{"host": "web01", "path": "/etc/a"}` in a list of places belongs together.
fn place(members: &Map<String, Value>) -> Option<String> {
    let text = |names: &[&str]| names.iter().find_map(|n| members.get(*n)?.as_str());
    let host = text(&["host", "hostname", "server"])?;
    let path = text(&["path", "file"])?;
    path.starts_with('/').then(|| format!("{host}:{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Table, InventoryError> {
        match parse(name, text)? {
            Content::Lines(table) => Ok(table),
            Content::Document(document) => read_value(name, document, None),
        }
    }

    fn rows(text: &str) -> Vec<(u64, Vec<(String, String)>)> {
        let table = read("t.json", text).unwrap();
        let headers = table.headers.clone();
        table
            .rows
            .iter()
            .map(|r| {
                (
                    r.at,
                    r.cells
                        .iter()
                        .map(|(i, c)| (headers[i].clone(), c.to_owned()))
                        .collect(),
                )
            })
            .collect()
    }

    fn cell(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn all_shapes_give_the_same_rows() {
        let expected = [
            (1, vec![cell("id", "1"), cell("owner.mail", "a@b")]),
            (2, vec![cell("id", "2")]),
        ];
        for text in [
            r#"[{"id":1,"owner":{"mail":"a@b"}},{"id":"2","x":null,"y":""}]"#,
            r#"{"version":3,"keys":[{"id":1,"owner":{"mail":"a@b"}},{"id":"2"}]}"#,
            r#"{"data":{"total":2,"items":[{"id":1,"owner":{"mail":"a@b"}},{"id":"2"}]},"tags":["x"]}"#,
            "{\"id\":1,\"owner\":{\"mail\":\"a@b\"}}\n{\"id\":\"2\"}\n",
            "{\n\"id\":1,\"owner\":{\"mail\":\"a@b\"}}\n{\n\"id\":\"2\"\n}\n",
        ] {
            assert_eq!(rows(text), expected, "{text}");
        }
    }

    #[test]
    fn lists_and_places_are_joined() {
        let text = r#"[{"id":"1","sans":["a","b"],"locations":[{"host":"w1","path":"/a"},{"host":"w2","path":"/b","mode":"0600"}]}]"#;
        assert_eq!(
            rows(text)[0].1,
            [
                cell("id", "1"),
                cell("sans", "a\nb"),
                cell("locations", "w1:/a\nw2:/b")
            ]
        );
    }

    #[test]
    fn several_arrays_are_named() {
        let error = read(
            "t.json",
            r#"{"keys":[{"id":1}],"data":{"users":[{"id":1},{"id":2}]}}"#,
        )
        .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("keys (1 objects), data.users (2 objects)"),
            "{error}"
        );
    }

    #[test]
    fn page_tokens_are_seen_unless_empty() {
        for (text, expected) in [
            (r#"{"Keys":[{"id":1}],"NextToken":"x"}"#, Some("NextToken")),
            (
                r#"{"value":[{"id":1}],"@odata.nextLink":"https://x"}"#,
                Some("@odata.nextLink"),
            ),
            (
                r#"{"count":2,"next":"https://x/?page=2","results":[{"id":1}]}"#,
                Some("next"),
            ),
            (r#"{"count":1,"next":null,"results":[{"id":1}]}"#, None),
            (r#"{"items":[{"id":1}],"nextPageToken":""}"#, None),
            (r#"{"items":[{"id":1}],"NextToken":null}"#, None),
            (
                r#"{"items":[{"id":1}],"metadata":{"continue":"abc"}}"#,
                Some("metadata.continue"),
            ),
            (
                r#"{"items":[{"id":1}],"IsTruncated":true}"#,
                Some("IsTruncated"),
            ),
            (
                "{\"id\":1,\"owner\":\"a\"}\n{\"nextToken\":\"x\"}\n",
                Some("nextToken"),
            ),
        ] {
            assert_eq!(
                read("t", text).unwrap().page_token.as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn bad_lines_are_told_by_line() {
        let table = read(
            "t.jsonl",
            "{\"id\":1,\"owner\":\"a\"}\n\n{\"id\":\n[1]\n{\"id\":2}",
        )
        .unwrap();
        assert_eq!(table.rows.iter().map(|r| r.at).collect::<Vec<_>>(), [1, 5]);
        assert_eq!(
            table
                .faults
                .iter()
                .map(|f| f.source.as_str())
                .collect::<Vec<_>>(),
            ["t.jsonl:3", "t.jsonl:4"]
        );
    }

    #[test]
    fn private_members_of_a_jwk_are_left_out() {
        let table = read(
            "t",
            r#"[{"id":"1","jwk":{"kty":"oct","k":"c2VjcmV0","kid":"a"}}]"#,
        )
        .unwrap();
        assert!(!format!("{table:?}").contains("c2VjcmV0"));
        assert_eq!(table.faults.len(), 1);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for text in [
            "[]",
            "[1,2]",
            "{}",
            r#"{"a":1}"#,
            "[{\"id\":1}",
            "{\"keys\":[]}",
            &"[".repeat(100_000),
        ] {
            assert!(read("t", text).is_err());
        }
    }
}
