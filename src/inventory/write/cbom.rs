//! CycloneDX CBOM 1.6 and 1.7 (ECMA-424; `bom-1.6.schema.json`, `bom-1.7.schema.json`).
//!
//! The standard's own members say what they can; every cell is a property too, under the name of its column, by which this
//! program reads it back.

use crate::inventory::cbom::OWN_PROPERTY;
use crate::inventory::convert::Cells;
use crate::model::{Entry, EntryKind, EntryPlace, Identifier, Moment, State};
use serde_json::{Map, Value, json};

/// The document.
pub(in crate::inventory) fn document<'a>(
    rows: impl Iterator<Item = (&'a Entry, &'a Cells)>,
    version: &str,
    as_of: Option<jiff::Timestamp>,
    tool: &str,
) -> Value {
    let (name, number) = tool.split_once(' ').unwrap_or((tool, ""));
    let mut metadata = Map::new();
    if let Some(as_of) = as_of.and_then(|at| jiff::Timestamp::from_second(at.as_second()).ok()) {
        metadata.insert("timestamp".to_owned(), as_of.to_string().into());
    }
    metadata.insert(
        "tools".to_owned(),
        json!({ "components": [{ "type": "application", "name": name, "version": number }] }),
    );
    let components: Vec<Value> = rows
        .zip(1u64..)
        .map(|((entry, cells), at)| component(entry, cells, at, version))
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "version": 1,
        "metadata": metadata,
        "components": components,
    })
}

fn component(entry: &Entry, cells: &Cells, at: u64, version: &str) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("type", "cryptographic-asset".into());
    put("bom-ref", format!("key-{at}").into());
    put("name", entry.name.as_deref().unwrap_or(&entry.id).into());
    if let Some(purpose) = &entry.purpose {
        put("description", (**purpose).into());
    }
    let places: Vec<Value> = entry
        .places
        .iter()
        .map(|place| json!({ "location": location(place) }))
        .collect();
    if !places.is_empty() {
        put("evidence", json!({ "occurrences": places }));
    }
    let properties = if entry.kind == Some(EntryKind::Certificate) {
        json!({ "assetType": "certificate", "certificateProperties": certificate(entry, version) })
    } else {
        json!({ "assetType": "related-crypto-material", "relatedCryptoMaterialProperties": material(entry) })
    };
    put("cryptoProperties", properties);
    let cells: Vec<Value> = cells
        .iter()
        .map(|(column, value)| json!({ "name": format!("{OWN_PROPERTY}{column}"), "value": value }))
        .collect();
    put("properties", cells.into());
    Value::Object(out)
}

fn location(place: &EntryPlace) -> String {
    match place {
        EntryPlace::Exact { host, path }
        | EntryPlace::Glob {
            host,
            pattern: path,
        } => match host {
            Some(host) => format!("{host}:{path}"),
            None => path.to_string(),
        },
        EntryPlace::Host(text) | EntryPlace::Elsewhere(text) => text.to_string(),
    }
}

fn certificate(entry: &Entry, version: &str) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        out.extend(value.map(|v| (name.to_owned(), Value::from(v))));
    };
    put("subjectName", entry.subject.as_deref().map(str::to_owned));
    put("issuerName", entry.issuer.as_deref().map(str::to_owned));
    put("notValidBefore", entry.not_before.map(moment));
    put("notValidAfter", entry.expires.map(moment));
    if version == "1.6" {
        return out;
    }
    let serial = entry.identifiers.iter().find_map(|i| match i {
        Identifier::Serial(serial) | Identifier::IssuerSerial { serial, .. } => {
            Some(serial.to_string())
        }
        _ => None,
    });
    put("serialNumber", serial);
    let digest = entry.identifiers.iter().find_map(|i| match i {
        Identifier::CertSha256(d) => Some(("SHA-256", d.to_string())),
        Identifier::CertSha1(d) => Some(("SHA-1", d.to_string())),
        _ => None,
    });
    if let Some((alg, content)) = digest {
        out.insert(
            "fingerprint".to_owned(),
            json!({ "alg": alg, "content": content }),
        );
    }
    out
}

fn material(entry: &Entry) -> Map<String, Value> {
    let kind = match entry.kind {
        Some(EntryKind::KeyPair) => "private-key",
        Some(EntryKind::Symmetric) => "secret-key",
        Some(EntryKind::PublicKey | EntryKind::Grant) => "public-key",
        _ => "key",
    };
    let mut out = Map::new();
    out.insert("type".to_owned(), kind.into());
    out.insert("id".to_owned(), (*entry.id).into());
    // The standard has no word for a key that was revoked.
    let state = entry.state.filter(|s| *s != State::Revoked);
    let texts = [
        ("state", state.map(|s| s.as_str().to_owned())),
        ("creationDate", entry.created.map(moment)),
        ("activationDate", entry.not_before.map(moment)),
        ("updateDate", entry.last_rotated.map(moment)),
        ("expirationDate", entry.expires.map(moment)),
    ];
    for (name, value) in texts {
        out.extend(value.map(|v| (name.to_owned(), Value::from(v))));
    }
    out.extend(entry.bits.map(|b| ("size".to_owned(), Value::from(b))));
    out
}

fn moment(moment: Moment) -> String {
    moment.at.to_string()
}
