//! CycloneDX CBOM 1.6 and 1.7 into a table: components of type `cryptographic-asset` that are certificates or key material.
//!
//! `cryptoProperties` (ECMA-424; the schema `bom-1.7.schema.json`) tells them; algorithms are no keys but what the
//! references of both lead to. A `value` is kept of public keys and certificates alone.

use super::InventoryError;
use super::listed::Listed;
use super::table::Table;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Deepest nesting of components in components.
const MAX_DEPTH: usize = 16;
/// Most components that are looked at.
const MAX_COMPONENTS: usize = 1_000_000;

/// What the names of our own properties begin with.
pub(super) const OWN_PROPERTY: &str = "keymuster:";

/// Whether a document is a bill of materials.
pub(super) fn is_one(document: &Map<String, Value>) -> bool {
    document.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX")
}

/// When the document says that it was made.
pub(super) fn made(document: &Map<String, Value>) -> Option<jiff::Timestamp> {
    document
        .get("metadata")?
        .get("timestamp")?
        .as_str()?
        .parse()
        .ok()
}

/// What its form is called, with its version.
pub(super) fn form(document: &Map<String, Value>) -> String {
    let version = document.get("specVersion").and_then(Value::as_str);
    let known =
        version.filter(|v| v.len() <= 8 && v.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    format!("CycloneDX {}", known.unwrap_or("of no version"))
}

/// Reads the document.
pub(super) fn read(name: &str, document: &Map<String, Value>) -> Result<Table, InventoryError> {
    let mut assets = Vec::new();
    gather(document.get("components"), 0, &mut assets);
    let by_ref: HashMap<&str, &Map<String, Value>> = assets
        .iter()
        .filter_map(|asset| Some((asset.get("bom-ref")?.as_str()?, *asset)))
        .collect();
    let mut rows = Listed::default();
    let (mut algorithms, mut others) = (0usize, 0usize);
    for (asset, at) in assets.iter().zip(1u64..) {
        let properties = asset.get("cryptoProperties");
        let own = own_cells(asset);
        if !own.is_empty() {
            rows.push(name, at, own)?;
            continue;
        }
        match text(properties, "assetType") {
            Some("certificate") => {
                let cells = certificate(asset, &by_ref);
                rows.push(name, at, cells)?;
            }
            Some("related-crypto-material") => match material(asset, &by_ref) {
                Some(cells) => rows.push(name, at, cells)?,
                None => others += 1,
            },
            Some("algorithm") => algorithms += 1,
            _ => others += 1,
        }
    }
    let mut table = rows.finish();
    if table.rows.is_empty() {
        return Err(InventoryError::not_one(
            name,
            "a CycloneDX document without a certificate or key among its cryptographic assets",
        ));
    }
    if algorithms + others > 0 {
        table.note(format!("{algorithms} algorithms and {others} other cryptographic assets are no keys and were passed over"),
        );
    }
    Ok(table)
}

/// What this program wrote (`inventory convert`): every cell is a property, under the name of its column.
fn own_cells(asset: &Map<String, Value>) -> Vec<(String, String)> {
    let properties = asset.get("properties").and_then(Value::as_array);
    properties
        .into_iter()
        .flatten()
        .filter_map(|property| {
            let column = text(Some(property), "name")?.strip_prefix(OWN_PROPERTY)?;
            Some((column.to_owned(), text(Some(property), "value")?.to_owned()))
        })
        .collect()
}

fn gather<'a>(components: Option<&'a Value>, depth: usize, out: &mut Vec<&'a Map<String, Value>>) {
    for component in components.and_then(Value::as_array).into_iter().flatten() {
        let Some(component) = component.as_object() else {
            continue;
        };
        if out.len() >= MAX_COMPONENTS || depth > MAX_DEPTH {
            return;
        }
        if component.contains_key("cryptoProperties") {
            out.push(component);
        }
        gather(component.get("components"), depth + 1, out);
    }
}

type Refs<'a> = HashMap<&'a str, &'a Map<String, Value>>;
type Cells = Vec<(&'static str, String)>;

fn certificate(asset: &Map<String, Value>, refs: &Refs<'_>) -> Cells {
    let mut cells = common(asset);
    cells.push(("type", "certificate".to_owned()));
    let own = asset
        .get("cryptoProperties")
        .and_then(|p| p.get("certificateProperties"));
    for (column, member) in [
        ("serial", "serialNumber"),
        ("subject", "subjectName"),
        ("issuer", "issuerName"),
        ("not before", "notValidBefore"),
        ("expires", "notValidAfter"),
        ("created", "creationDate"),
    ] {
        put(&mut cells, column, text(own, member));
    }
    let column = fingerprint(own, "cert sha1", "cert sha256", "cert fingerprint");
    cells.extend(column);
    cells.extend(hashes(asset));
    put(&mut cells, "state", certificate_state(own));
    for extension in list(own, "certificateExtensions") {
        let named =
            text(Some(extension), "commonExtensionName").or(text(Some(extension), "extension"));
        let value =
            text(Some(extension), "commonExtensionValue").or(text(Some(extension), "value"));
        match named {
            Some("subjectAlternativeName") => put(&mut cells, "sans", value),
            Some("subjectKeyIdentifier") => put(&mut cells, "ski", value),
            _ => {}
        }
    }
    // 1.6 names its key by reference, 1.7 among the related assets.
    let related = list(own, "relatedCryptographicAssets")
        .find(|r| text(Some(r), "type") == Some("publicKey"))
        .and_then(|r| text(Some(r), "ref"));
    if let Some(key) = text(own, "subjectPublicKeyRef")
        .or(related)
        .and_then(|r| refs.get(r))
    {
        let own = key
            .get("cryptoProperties")
            .and_then(|p| p.get("relatedCryptoMaterialProperties"));
        cells.extend(
            algorithm_of(own, refs)
                .into_iter()
                .map(|a| ("algorithm", a)),
        );
        put(&mut cells, "bits", number(own, "size").as_deref());
        // The key's own digest, where it is told as one, is not the certificate's.
        cells.extend(fingerprint(own, "", "spki sha256", ""));
    }
    cells
}

/// `None` for what is no key: passwords, seeds, signatures, digests, nonces, tokens.
fn material(asset: &Map<String, Value>, refs: &Refs<'_>) -> Option<Cells> {
    let own = asset
        .get("cryptoProperties")
        .and_then(|p| p.get("relatedCryptoMaterialProperties"));
    let kind = text(own, "type")?;
    let word = match kind {
        "private-key" => "private key",
        "public-key" => "public key",
        "secret-key" | "shared-secret" => "symmetric key",
        "key" => "key",
        _ => return None,
    };
    let mut cells = common(asset);
    cells.push(("type", word.to_owned()));
    for (column, member) in [
        ("state", "state"),
        ("created", "creationDate"),
        ("not before", "activationDate"),
        ("last rotated", "updateDate"),
        ("expires", "expirationDate"),
    ] {
        put(&mut cells, column, text(own, member));
    }
    put(&mut cells, "register id", text(own, "id"));
    put(&mut cells, "bits", number(own, "size").as_deref());
    cells.extend(
        algorithm_of(own, refs)
            .into_iter()
            .map(|a| ("algorithm", a)),
    );
    cells.extend(fingerprint(own, "", "fingerprint", "fingerprint"));
    cells.extend(hashes(asset));
    if kind == "public-key" {
        put(&mut cells, "public key", text(own, "value"));
    }
    Some(cells)
}

/// What every component may have: name, reference, places, owner.
fn common(asset: &Map<String, Value>) -> Cells {
    let mut cells: Cells = Vec::new();
    let member = |name: &str| asset.get(name).and_then(Value::as_str);
    put(&mut cells, "id", member("bom-ref").or(member("name")));
    put(&mut cells, "name", member("name"));
    put(&mut cells, "purpose", member("description"));
    let places: Vec<&str> = list(asset.get("evidence"), "occurrences")
        .filter_map(|o| text(Some(o), "location"))
        .collect();
    put(&mut cells, "location", Some(places.join("\n").as_str()));
    for property in asset
        .get("properties")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let value = text(Some(property), "value");
        let Some(name) = text(Some(property), "name") else {
            continue;
        };
        // `com.example:owner`; what a property means is told by its last word.
        match name.rsplit([':', '.', '/']).next().unwrap_or(name) {
            "owner" => put(&mut cells, "owner", value),
            "host" | "hostname" => put(&mut cells, "host", value),
            "path" | "filePath" => put(&mut cells, "path", value),
            "environment" | "env" => put(&mut cells, "environment", value),
            "spki_sha256" | "spkiSha256" => put(&mut cells, "spki sha256", value),
            "ssh_sha256" | "sshSha256" => put(&mut cells, "ssh fingerprint", value),
            "key_id" | "keyId" => put(&mut cells, "keymuster key id", value),
            _ => {}
        }
    }
    cells
}

/// `hashes` of a component is over its file, which for a certificate in DER is its fingerprint.
fn hashes(asset: &Map<String, Value>) -> Option<(&'static str, String)> {
    let hash = asset
        .get("hashes")
        .and_then(Value::as_array)?
        .iter()
        .find(|h| text(Some(h), "alg") == Some("SHA-256"))?;
    Some(("fingerprint", text(Some(hash), "content")?.to_owned()))
}

fn fingerprint(
    own: Option<&Value>,
    sha1: &'static str,
    sha256: &'static str,
    other: &'static str,
) -> Option<(&'static str, String)> {
    let print = own?.get("fingerprint")?;
    let content = text(Some(print), "content")?;
    let column = match text(Some(print), "alg") {
        Some("SHA-1") => sha1,
        Some("SHA-256") => sha256,
        _ => other,
    };
    (!column.is_empty()).then(|| (column, content.to_owned()))
}

/// The first state of the list that a register knows; own states have a name instead.
fn certificate_state(own: Option<&Value>) -> Option<&str> {
    let order = [
        "revoked",
        "destroyed",
        "deactivated",
        "suspended",
        "active",
        "pre-activation",
    ];
    let states: Vec<&str> = list(own, "certificateState")
        .filter_map(|s| text(Some(s), "state"))
        .collect();
    order.into_iter().find(|word| states.contains(word))
}

/// An algorithm's name with its curve or size, behind the reference of 1.6 or the related assets of 1.7.
fn algorithm_of(own: Option<&Value>, refs: &Refs<'_>) -> Option<String> {
    let related = list(own, "relatedCryptographicAssets")
        .find(|r| text(Some(r), "type") == Some("algorithm"))
        .and_then(|r| text(Some(r), "ref"));
    let asset = refs.get(text(own, "algorithmRef").or(related)?)?;
    asset.get("name")?.as_str().map(str::to_owned)
}

fn list<'a>(value: Option<&'a Value>, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value
        .and_then(|v| v.get(member))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: Option<&'a Value>, member: &str) -> Option<&'a str> {
    value?.get(member)?.as_str()
}

fn number(value: Option<&Value>, member: &str) -> Option<String> {
    let member = value?.get(member)?;
    member.as_u64().map(|n| n.to_string())
}

fn put(cells: &mut Cells, column: &'static str, value: Option<&str>) {
    if let Some(value) = value.filter(|v| !v.trim().is_empty()) {
        cells.push((column, value.trim().to_owned()));
    }
}
