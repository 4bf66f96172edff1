//! An earlier report or sweep of this program as an inventory: what was there then is what is known now.
//!
//! A certificate is a row, and a key without one is a row. Places are those where it was seen; owner, state and name come
//! from the rows that a report matched.

use super::InventoryError;
use super::listed::Listed;
use super::table::Table;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const REPORT: &str = "keymuster.report/";
const SWEEP: &str = "keymuster.sweep/";

/// Whether a document is a report.
pub(super) fn is_report(document: &Map<String, Value>) -> bool {
    schema(document).is_some_and(|s| s.starts_with(REPORT))
}

/// Whether an object is the first line of a sweep.
pub(super) fn begins_sweep(line: &Map<String, Value>) -> bool {
    schema(line).is_some_and(|s| s.starts_with(SWEEP))
}

fn schema(document: &Map<String, Value>) -> Option<&str> {
    document.get("schema")?.as_str()
}

/// A table and the date of what it was read from.
type Dated = (Table, Option<jiff::Timestamp>);

/// Reads a report.
pub(super) fn read_report(
    name: &str,
    document: &Map<String, Value>,
) -> Result<Dated, InventoryError> {
    let entries: BTreeMap<&str, &Value> = array(document, "entries")
        .filter_map(|e| Some((e.get("id")?.as_str()?, e)))
        .collect();
    let mut things = Things::default();
    for key in array(document, "keys") {
        let matched: Vec<&Value> = key
            .get("entries")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|id| entries.get(id.as_str()?).copied())
            .collect();
        let sightings = key.get("sightings").and_then(Value::as_array);
        for sighting in sightings.into_iter().flatten() {
            things.see(sighting, None, &matched);
        }
    }
    let made = document.get("generated").and_then(Value::as_str);
    Ok((things.table(name)?, made.and_then(|d| d.parse().ok())))
}

/// Reads the lines of one or several sweeps.
pub(super) fn read_sweep(name: &str, text: &str) -> Result<Dated, InventoryError> {
    let mut things = Things::default();
    let mut host = None;
    let mut finished: Option<jiff::Timestamp> = None;
    let mut broken = Vec::new();
    for (line, at) in text.lines().zip(1u64..) {
        if line.trim().is_empty() {
            continue;
        }
        let Ok(Value::Object(record)) = serde_json::from_str::<Value>(line) else {
            broken.push(at);
            continue;
        };
        let member = |name: &str| record.get(name).and_then(Value::as_str);
        match member("record") {
            Some("sweep") => host = member("host").map(str::to_owned),
            Some("sighting") => things.see(&Value::Object(record), host.as_deref(), &[]),
            Some("end") => {
                let end = member("finished").and_then(|d| d.parse().ok());
                finished = finished.max(end);
            }
            _ => {}
        }
    }
    let mut table = things.table(name)?;
    for at in broken {
        table.lose(name, at, "no record of a sweep".to_owned());
    }
    Ok((table, finished))
}

/// What was seen, by certificate and key.
#[derive(Default)]
struct Things {
    by_id: BTreeMap<String, Thing>,
}

#[derive(Default)]
struct Thing {
    is_certificate: bool,
    key_id: String,
    cells: Vec<(&'static str, String)>,
}

impl Things {
    fn see(&mut self, sighting: &Value, host: Option<&str>, matched: &[&Value]) {
        let member = |name: &str| sighting.get(name).and_then(Value::as_str);
        let Some(key_id) = member("key_id") else {
            return;
        };
        let print = |name: &str| sighting.get("fingerprints")?.get(name)?.as_str();
        let certificate = print("cert_sha256");
        let id = certificate.map_or_else(|| key_id.to_owned(), |c| format!("cert-sha256:{c}"));
        let thing = self.by_id.entry(id.clone()).or_default();
        thing.is_certificate |= certificate.is_some();
        thing.key_id = key_id.to_owned();
        let mut put = |column: &'static str, value: Option<&str>| {
            if let Some(value) = value
                && !thing.cells.iter().any(|(c, v)| *c == column && v == value)
            {
                // Of several the first stands, but for places.
                if column == "location" || !thing.cells.iter().any(|(c, _)| *c == column) {
                    thing.cells.push((column, value.to_owned()));
                }
            }
        };
        put("id", Some(&id));
        if certificate.is_none() {
            put("keymuster key id", Some(key_id));
        }
        put("type", member("kind").map(kind));
        put("cert sha256", certificate);
        put("algorithm", member("algorithm"));
        let bits = sighting
            .get("bits")
            .and_then(Value::as_u64)
            .map(|b| b.to_string());
        put("bits", bits.as_deref());
        if certificate.is_some() {
            let of = |name: &str| sighting.get("certificate")?.get(name)?.as_str();
            put("subject", of("subject"));
            put("issuer", of("issuer"));
            put("not before", of("not_before"));
            put("expires", of("not_after"));
        }
        for entry in matched {
            for column in ["owner", "state", "name"] {
                put(column, entry.get(column).and_then(Value::as_str));
            }
        }
        let path = sighting
            .get("location")
            .and_then(|l| l.get("path"))
            .and_then(Value::as_str);
        let host = member("host").or(host);
        if let (Some(host), Some(path)) = (host, path.filter(|p| p.starts_with('/'))) {
            put("location", Some(&format!("{host}:{path}")));
        }
    }

    /// Keys that have a certificate are named by it; the others are rows of their own.
    fn table(self, name: &str) -> Result<Table, InventoryError> {
        let mut places: BTreeMap<String, Vec<(&'static str, String)>> = BTreeMap::new();
        let certified: std::collections::BTreeSet<String> = self
            .by_id
            .values()
            .filter(|t| t.is_certificate)
            .map(|t| t.key_id.clone())
            .collect();
        // The private key beside a certificate is at a place that its row must allow.
        for thing in self.by_id.values().filter(|t| !t.is_certificate) {
            let of = places.entry(thing.key_id.clone()).or_default();
            of.extend(
                thing
                    .cells
                    .iter()
                    .filter(|(c, _)| *c == "location")
                    .cloned(),
            );
        }
        let mut rows = Listed::default();
        for (thing, at) in self.by_id.into_values().zip(1u64..) {
            if !thing.is_certificate && certified.contains(&thing.key_id) {
                continue;
            }
            let further = thing
                .is_certificate
                .then(|| places.get(&thing.key_id).cloned());
            let cells = thing
                .cells
                .into_iter()
                .chain(further.flatten().unwrap_or_default());
            rows.push(name, at, cells)?;
        }
        Ok(rows.finish())
    }
}

/// The word of a type column for a kind of artifact.
fn kind(word: &str) -> &str {
    match word {
        "private_key" => "private key",
        "public_key" => "public key",
        "ssh_certificate" | "known_host" => "SSH key",
        "authorized_key" => "authorized key",
        "symmetric_key" => "symmetric key",
        "pgp_public_key" | "pgp_secret_key" => "OpenPGP key",
        other => other,
    }
}

fn array<'a>(
    document: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a Value> + use<'a> {
    document
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
