//! Entries in columns of our own: the fields of the README, each in one spelling, so that they are read as the same entries.

use super::InventoryError;
use super::propose::place_cells;
use super::write::{cbom, delimited, xlsx, yaml};
use super::{fingerprint, places, serial};
use crate::model::{Entry, EntryPlace, Identifier, Inventory, Moment};
use base64::Engine as _;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A form that entries are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CSV in UTF-8.
    Csv,
    /// A workbook of one sheet.
    Xlsx,
    /// One JSON array.
    Json,
    /// A JSON object a line.
    JsonLines,
    /// A YAML list.
    Yaml,
    /// CycloneDX 1.6.
    Cbom16,
    /// CycloneDX 1.7.
    Cbom17,
}

/// Entries in another form.
#[derive(Debug)]
pub struct Converted {
    /// The file.
    pub bytes: Vec<u8>,
    /// Headers of columns that stand for no field.
    pub left_out: Vec<String>,
}

/// What the cells of a column hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    /// Several texts.
    List,
    Number,
    Date,
}

/// The columns, in their order.
const COLUMNS: &[(&str, Holds)] = &[
    ("id", Holds::Text),
    ("name", Holds::Text),
    ("type", Holds::Text),
    ("purpose", Holds::Text),
    ("owner", Holds::Text),
    ("custodians", Holds::List),
    ("created", Holds::Date),
    ("last_rotated", Holds::Date),
    ("rotation_period_days", Holds::Number),
    ("not_before", Holds::Date),
    ("expires", Holds::Date),
    ("state", Holds::Text),
    ("criticality", Holds::Text),
    ("environment", Holds::Text),
    ("location", Holds::List),
    ("host", Holds::List),
    ("fingerprint", Holds::List),
    ("keymuster_key_id", Holds::List),
    ("cert_sha256", Holds::List),
    ("cert_sha1", Holds::List),
    ("spki_sha256", Holds::List),
    ("md5", Holds::List),
    ("ssh_fingerprint", Holds::List),
    ("issuer_serial", Holds::List),
    ("serial", Holds::Text),
    ("ski", Holds::List),
    ("jwk_thumbprint", Holds::List),
    ("pgp_fingerprint", Holds::List),
    ("pgp_keyid", Holds::List),
    ("keygrip", Holds::List),
    ("pkcs11_id", Holds::List),
    ("subject", Holds::Text),
    ("issuer", Holds::Text),
    ("sans", Holds::List),
    ("algorithm", Holds::Text),
    ("bits", Holds::Number),
    ("allowed_hosts", Holds::Number),
];

/// Whether the cells of a column hold this.
fn is(column: &str, holds: Holds) -> bool {
    COLUMNS.contains(&(column, holds))
}

/// One entry as cells; a list has several of one column.
pub(super) type Cells = Vec<(&'static str, String)>;

/// Writes the entries of inventories, one after the other.
///
/// # Errors
/// If they have no entry, or the form cannot hold them.
pub fn convert(
    inventories: &[Inventory],
    form: Form,
    tool: &str,
) -> Result<Converted, InventoryError> {
    let name = inventories.first().map_or("", |i| i.name.as_str());
    let rows: Vec<Cells> = inventories
        .iter()
        .flat_map(|i| &i.entries)
        .map(cells)
        .collect();
    if rows.is_empty() {
        return Err(InventoryError::NoRows {
            name: name.to_owned(),
        });
    }
    let has_owners = inventories.iter().any(|i| i.has_owner_column);
    let used: BTreeSet<&str> = rows.iter().flatten().map(|(c, _)| *c).collect();
    let columns: Vec<&'static str> = COLUMNS
        .iter()
        .map(|(column, _)| *column)
        .filter(|c| used.contains(c) || (*c == "owner" && has_owners))
        .collect();
    let as_of = inventories.iter().filter_map(|i| i.as_of).max();
    let objects = || rows.iter().map(|row| object(row, &columns));
    let bytes = match form {
        Form::Csv => {
            let header = columns.iter().map(|c| (*c).to_owned()).collect();
            let lines = rows.iter().map(|row| line(row, &columns));
            delimited::table(std::iter::once(header).chain(lines)).into_bytes()
        }
        Form::Xlsx => sheet(&rows, &columns)
            .ok_or_else(|| InventoryError::not_written(name, "more than a workbook holds"))?,
        Form::Json => {
            let list = Value::Array(objects().collect());
            format!("{list:#}\n").into_bytes()
        }
        Form::JsonLines => objects()
            .map(|o| format!("{o}\n"))
            .collect::<String>()
            .into_bytes(),
        Form::Yaml => yaml::document(&Value::Array(objects().collect())).into_bytes(),
        Form::Cbom16 | Form::Cbom17 => {
            let entries = inventories.iter().flat_map(|i| &i.entries);
            let version = if form == Form::Cbom16 { "1.6" } else { "1.7" };
            let document = cbom::document(entries.zip(&rows), version, as_of, tool);
            format!("{document:#}\n").into_bytes()
        }
    };
    let left_out: BTreeSet<String> = inventories
        .iter()
        .flat_map(|i| &i.columns)
        .filter(|(_, field)| field.is_none())
        .map(|(header, _)| header.clone())
        .collect();
    Ok(Converted {
        bytes,
        left_out: left_out.into_iter().collect(),
    })
}

/// The cells of one entry.
fn cells(entry: &Entry) -> Cells {
    let mut out: Cells = Vec::new();
    let mut put = |column: &'static str, value: Option<String>| {
        out.extend(value.filter(|v| !v.is_empty()).map(|v| (column, v)));
    };
    let text = |value: Option<&str>| value.map(str::to_owned);
    put("id", Some(entry.id.to_string()));
    put("name", text(entry.name.as_deref()));
    put("type", text(entry.type_text.as_deref()));
    put("purpose", text(entry.purpose.as_deref()));
    put("owner", text(entry.owner.as_deref()));
    for custodian in &entry.custodians {
        put("custodians", Some(custodian.to_string()));
    }
    put("created", entry.created.map(moment));
    put("last_rotated", entry.last_rotated.map(moment));
    put(
        "rotation_period_days",
        entry.rotation_period_days.map(|d| d.to_string()),
    );
    put("not_before", entry.not_before.map(moment));
    put("expires", entry.expires.map(moment));
    put("state", entry.state.map(|s| s.as_str().to_owned()));
    put("criticality", text(entry.criticality.as_deref()));
    put("environment", text(entry.environment.as_deref()));
    let only_hosts = entry
        .places
        .iter()
        .all(|p| matches!(p, EntryPlace::Host(_)));
    for place in &entry.places {
        let column = if only_hosts { "host" } else { "location" };
        put(column, place_text(place));
    }
    for (column, value) in identifiers(entry) {
        put(column, Some(value));
    }
    if entry.identifiers.is_empty() && entry.unreadable.is_some() {
        // The row had an identifier, and it was lost: it must not count as one that never had any.
        put("fingerprint", Some("(unreadable)".to_owned()));
    }
    put("subject", text(entry.subject.as_deref()));
    put("issuer", text(entry.issuer.as_deref()));
    for name in &entry.sans {
        put("sans", Some(name.clone()));
    }
    put("algorithm", text(entry.algorithm.as_deref()));
    put("bits", entry.bits.map(|b| b.to_string()));
    put("allowed_hosts", entry.allowed_hosts.map(|n| n.to_string()));
    out
}

/// A day, or a moment in UTC.
fn moment(moment: Moment) -> String {
    if moment.has_time {
        return moment.at.to_string();
    }
    let text = moment.at.to_string();
    text.split('T').next().unwrap_or(&text).to_owned()
}

fn place_text(place: &EntryPlace) -> Option<String> {
    match place {
        EntryPlace::Exact { host, path } => place_cells::text(host.as_deref(), path),
        EntryPlace::Glob { host, pattern } => {
            let text = match host {
                Some(host) => format!("{host}:{pattern}"),
                None => pattern.to_string(),
            };
            let (read, faults) = places::read_cell(&text);
            (faults.is_empty() && read == [place.clone()]).then_some(text)
        }
        EntryPlace::Host(host) => Some(host.to_string()),
        EntryPlace::Elsewhere(text) => Some(text.to_string()),
    }
}

/// Identifiers, each in the column where it is read as what it was.
fn identifiers(entry: &Entry) -> Cells {
    let mut out: Cells = Vec::new();
    let serials: Vec<&str> = entry
        .identifiers
        .iter()
        .filter_map(|i| match i {
            Identifier::Serial(serial) => Some(&**serial),
            _ => None,
        })
        .collect();
    if let Some(serial) = marked(&serials) {
        out.push(("serial", serial));
    }
    let mut pairs: Vec<(&str, Vec<&str>)> = Vec::new();
    for identifier in &entry.identifiers {
        let cell = match identifier {
            Identifier::KeyId(id) => ("keymuster_key_id", id.to_string()),
            Identifier::CertOrSpkiSha256(d) => ("fingerprint", d.to_string()),
            Identifier::SpkiSha256(d) => ("spki_sha256", d.to_string()),
            Identifier::CertSha256(d) => ("cert_sha256", d.to_string()),
            Identifier::CertSha1(d) => ("cert_sha1", d.to_string()),
            Identifier::Md5(d) => ("md5", d.to_string()),
            Identifier::Sha1OrPgp(d) => ("fingerprint", d.to_string()),
            Identifier::SshSha256(d) => {
                let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(d.0);
                ("ssh_fingerprint", format!("SHA256:{text}"))
            }
            Identifier::SshMd5(d) => ("ssh_fingerprint", format!("MD5:{d}")),
            Identifier::IssuerSerial { issuer, serial } => {
                // A serial beside the row's issuer makes one by itself.
                let alone = Identifier::Serial(serial.clone());
                if entry.issuer.as_deref() == Some(issuer) && entry.identifiers.contains(&alone) {
                    continue;
                }
                match pairs.iter_mut().find(|(i, _)| **i == **issuer) {
                    Some((_, serials)) => serials.push(serial),
                    None => pairs.push((issuer, vec![serial])),
                }
                continue;
            }
            Identifier::Serial(_) => continue,
            Identifier::Ski(text) => ("ski", text.to_string()),
            Identifier::JwkThumbprint(text) => ("jwk_thumbprint", text.to_string()),
            Identifier::PgpFingerprint(text) => ("pgp_fingerprint", text.to_string()),
            Identifier::PgpKeyId(text) => ("pgp_keyid", text.to_string()),
            Identifier::Keygrip(d) => ("keygrip", d.to_string()),
            Identifier::Pkcs11Id(text) => ("pkcs11_id", text.to_string()),
        };
        out.push(cell);
    }
    for (issuer, serials) in pairs {
        if let Some(serial) = marked(&serials) {
            out.push(("issuer_serial", format!("serial={serial};issuer={issuer}")));
        }
    }
    // What an SSH row adds to bare digits need not be said twice.
    let digits: Vec<Identifier> = out
        .iter()
        .filter(|(column, _)| *column == "fingerprint")
        .flat_map(|(_, text)| {
            fingerprint::read_cell(text, super::columns::Field::Fingerprint, entry.kind).identifiers
        })
        .collect();
    out.retain(|(column, text)| {
        *column != "ssh_fingerprint" || {
            let own =
                fingerprint::read_cell(text, super::columns::Field::SshFingerprint, entry.kind);
            !own.identifiers.iter().all(|i| digits.contains(i))
        }
    });
    out
}

/// A serial number as text that has the same readings again: digits alone may be decimal or hexadecimal.
fn marked(serials: &[&str]) -> Option<String> {
    let first = *serials.first()?;
    let again = serial::readings(first, None).ok()?;
    let same = again.len() == serials.len() && again.iter().all(|r| serials.contains(&r.as_str()));
    Some(if same {
        first.to_owned()
    } else {
        match first.strip_prefix('-') {
            Some(digits) => format!("-0x{digits}"),
            None => format!("0x{first}"),
        }
    })
}

/// One row of a table: several in a cell are separated by what stands in none of them.
fn line(row: &Cells, columns: &[&'static str]) -> Vec<String> {
    let cell = |column: &&'static str| {
        let parts: Vec<&str> = row
            .iter()
            .filter(|(c, _)| c == column)
            .map(|(_, value)| value.as_str())
            .collect();
        let between = if parts.iter().any(|p| p.contains([';', ',', '|'])) {
            "\n"
        } else {
            "; "
        };
        parts.join(between)
    };
    columns.iter().map(cell).collect()
}

fn object(row: &Cells, columns: &[&'static str]) -> Value {
    let mut out = Map::new();
    for column in columns {
        let mut values = row
            .iter()
            .filter(|(c, _)| c == column)
            .map(|(_, value)| value.as_str());
        let value = if is(column, Holds::List) {
            let list: Vec<Value> = values.map(Value::from).collect();
            if list.is_empty() {
                continue;
            }
            Value::Array(list)
        } else {
            match values.next() {
                Some(text) if is(column, Holds::Number) => text
                    .parse::<u64>()
                    .map_or_else(|_| text.into(), Value::from),
                Some(text) => text.into(),
                None => continue,
            }
        };
        out.insert((*column).to_owned(), value);
    }
    Value::Object(out)
}

fn sheet(rows: &[Cells], columns: &[&'static str]) -> Option<Vec<u8>> {
    let header = columns
        .iter()
        .map(|c| xlsx::Value::Text((*c).to_owned()))
        .collect();
    let mut lines: Vec<Vec<xlsx::Value>> = vec![header];
    for row in rows {
        let cells = line(row, columns);
        let values = cells.iter().zip(columns);
        lines.push(
            values
                .map(|(cell, column)| {
                    // A day's number of a workbook holds no part of a second.
                    let is_day = is(column, Holds::Date) && !cell.contains('.');
                    let typed = is(column, Holds::Number) || is_day;
                    xlsx::Value::of(cell, typed)
                })
                .collect(),
        );
    }
    xlsx::workbook(&lines)
}
