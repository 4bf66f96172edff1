//! Which form an export has, by its bytes, and the table that it becomes.

use super::database::{Select, sqlite};
use super::table::Table;
use super::{
    InventoryError, ReadOptions, cbom, certbot, delimited, json, own, profile, text, workbook, yaml,
};
use serde_json::Value;

/// An export as a table, with what its form says of it.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) table: Table,
    /// The form's name.
    pub(super) form: String,
    /// What is to be told about the way it was read.
    pub(super) notice: Option<&'static str>,
    /// When it says that it was made.
    pub(super) made: Option<jiff::Timestamp>,
}

impl Content {
    fn plain(table: Table, form: &str) -> Self {
        Self {
            table,
            form: form.to_owned(),
            notice: None,
            made: None,
        }
    }
}

/// Reads bytes into a table.
pub(super) fn read(
    name: &str,
    bytes: Vec<u8>,
    select: &Select,
    options: &ReadOptions,
) -> Result<Content, InventoryError> {
    // Columns that the user or a profile of theirs names count as known.
    let wanted: Vec<String> = options
        .map
        .iter()
        .map(|(_, column)| column.clone())
        .chain(
            options
                .profiles
                .iter()
                .flat_map(|p| p.columns().map(|(_, column)| column.to_owned())),
        )
        .collect();
    if bytes.starts_with(workbook::MAGIC) {
        let (table, form) = workbook::read(name, &bytes, &wanted)?;
        return Ok(Content::plain(table, form));
    }
    if bytes.starts_with(sqlite::MAGIC) {
        return Ok(Content::plain(sqlite::read(name, bytes, select)?, "SQLite"));
    }
    let (text, notice) =
        text::decode_whole(bytes).map_err(|seen| InventoryError::not_one(name, seen))?;
    let mut content = from_text(name, text, &wanted, options)?;
    content.notice = notice;
    Ok(content)
}

fn from_text(
    name: &str,
    text: String,
    wanted: &[String],
    options: &ReadOptions,
) -> Result<Content, InventoryError> {
    if text.trim_start().starts_with(['{', '[']) {
        if json::first_line(&text).is_some_and(|line| own::begins_sweep(&line)) {
            let (table, made) = own::read_sweep(name, &text)?;
            return Ok(Content {
                made,
                ..Content::plain(table, "a sweep of keymuster")
            });
        }
        return match json::parse(name, &text)? {
            json::Content::Lines(table) => Ok(Content::plain(table, "JSON Lines")),
            json::Content::Document(document) => from_value(name, document, "JSON", options),
        };
    }
    if certbot::looks_like(&text) {
        return Ok(Content::plain(
            certbot::read(name, &text)?,
            "certbot's list",
        ));
    }
    if yaml::looks_like(&text) {
        return from_value(name, yaml::read(name, &text)?, "YAML", options);
    }
    Ok(Content::plain(
        delimited::read(name, text, wanted)?,
        "delimited text",
    ))
}

fn from_value(
    name: &str,
    document: Value,
    form: &str,
    options: &ReadOptions,
) -> Result<Content, InventoryError> {
    if let Value::Object(members) = &document {
        if cbom::is_one(members) {
            return Ok(Content {
                made: cbom::made(members),
                ..Content::plain(cbom::read(name, members)?, &cbom::form(members))
            });
        }
        if own::is_report(members) {
            let (table, made) = own::read_report(name, members)?;
            return Ok(Content {
                made,
                ..Content::plain(table, "a report of keymuster")
            });
        }
    }
    let document = unlisted(document);
    // One record of a product, as a command for one thing prints it.
    let document = match document {
        Value::Object(members)
            if profile::choose(&options.profiles, &json::columns(&members)).is_some() =>
        {
            Value::Array(vec![Value::Object(members)])
        }
        other => other,
    };
    let rows = match &document {
        Value::Object(members) => profile::rows_of(&options.profiles, members),
        _ => None,
    };
    Ok(Content::plain(
        json::read_value(name, document, rows)?,
        form,
    ))
}

/// Lists one after the other, as a command prints that is run for each place, are one list of their items.
fn unlisted(document: Value) -> Value {
    let Value::Array(documents) = document else {
        return document;
    };
    let is_list = |d: &Value| d.get("items").is_some_and(Value::is_array);
    if documents.is_empty() || !documents.iter().all(is_list) {
        return Value::Array(documents);
    }
    let mut items = Vec::new();
    for mut document in documents {
        if let Some(Value::Array(more)) = document.get_mut("items").map(Value::take) {
            items.extend(more);
        }
    }
    Value::Array(items)
}
