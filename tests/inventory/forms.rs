//! One register in every form gives the same rows.

use keymuster::inventory::{ReadOptions, merge, read};
use keymuster::model::{Entry, EntryPlace, Identifier, Inventory, KeyId};
use serde_json::Value;
use std::path::Path;

const FORMS: &str = "fixtures/inventory/forms";

pub(super) fn expected() -> Value {
    serde_json::from_slice(&std::fs::read("fixtures/inventory/expected.json").unwrap()).unwrap()
}

pub(super) fn open(name: &str) -> Inventory {
    let path = if name.contains(':') {
        name.to_owned()
    } else {
        format!("{FORMS}/{name}")
    };
    read(Path::new(&path), &ReadOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// The identifiers of a row, as expectations name them.
pub(super) fn has(entry: &Entry, name: &str, value: &str) -> bool {
    entry.identifiers.iter().any(|identifier| match identifier {
        Identifier::CertSha256(d) | Identifier::CertOrSpkiSha256(d) => {
            name == "cert_sha256" && d.to_string() == value
        }
        Identifier::CertSha1(d) => name == "cert_sha1" && d.to_string() == value,
        Identifier::Sha1OrPgp(d) => name == "cert_sha1" && d.to_string() == value,
        Identifier::SpkiSha256(d) => name == "spki" && d.to_string() == value,
        Identifier::SshSha256(d) => {
            use base64::Engine as _;
            let digest = base64::engine::general_purpose::STANDARD_NO_PAD.encode(d.0);
            name == "ssh_sha256" && format!("SHA256:{digest}") == value
        }
        Identifier::Serial(serial) | Identifier::IssuerSerial { serial, .. } => {
            name == "serial" && **serial == *value
        }
        _ => false,
    })
}

/// Holds the rows against the register; gives what differs.
pub(super) fn differences(inventory: &Inventory) -> Vec<String> {
    let expected = expected();
    let register = expected["register"].as_array().unwrap();
    let mut out = Vec::new();
    if inventory.entries.len() != register.len() {
        out.push(format!("{} rows", inventory.entries.len()));
    }
    for (entry, row) in inventory.entries.iter().zip(register) {
        let mut hold = |what: &str, same: bool| {
            if !same {
                out.push(format!("{} {what}: {entry:?}", row["id"]));
            }
        };
        let day = |moment: Option<keymuster::model::Moment>| {
            moment.map_or(Value::Null, |m| m.at.to_string()[..10].into())
        };
        hold("id", Some(&*entry.id) == row["id"].as_str());
        hold("owner", entry.owner.as_deref() == row["owner"].as_str());
        hold(
            "state",
            entry.state.map(|s| s.as_str()) == row["state"].as_str(),
        );
        hold("expires", day(entry.expires) == row["expires"]);
        hold("created", day(entry.created) == row["created"]);
        hold("has a time", !entry.created.unwrap().has_time);
        hold(
            "rotation",
            entry.rotation_period_days.map(u64::from) == row["rotation"].as_u64(),
        );
        hold("bits", entry.bits.map(u64::from) == row["bits"].as_u64());
        hold(
            "place",
            matches!(entry.places[..], [EntryPlace::Exact { .. }]),
        );
        for name in ["cert_sha256", "cert_sha1", "ssh_sha256"] {
            if let Some(value) = row[name].as_str() {
                hold(name, has(entry, name, value));
            }
        }
    }
    out
}

#[test]
fn every_form_gives_the_same_rows() {
    for (file, form) in [
        ("register.csv", "delimited text"),
        ("register-bom.csv", "delimited text"),
        ("register-utf16le.tsv", "delimited text"),
        ("register-utf16be.csv", "delimited text"),
        ("register-latin1.csv", "delimited text"),
        ("register-caret.txt", "delimited text"),
        ("register.xlsx", "XLSX"),
        ("register.ods", "ODS"),
        ("register.json", "JSON"),
        ("register.jsonl", "JSON Lines"),
        ("register.yaml", "YAML"),
        ("register-stream.yaml", "YAML"),
        ("register.sqlite", "SQLite"),
    ] {
        let inventory = open(file);
        assert_eq!(inventory.form, form, "{file}");
        assert_eq!(differences(&inventory), Vec::<String>::new(), "{file}");
        assert_eq!(
            inventory.entries[0].name.as_deref(),
            Some("Käsefrische shop"),
            "{file}"
        );
        assert_eq!(inventory.profile, None, "{file}");
    }
}

#[test]
fn rows_are_cited_by_the_number_that_the_form_has() {
    for (file, source) in [
        ("register.csv", "register.csv:2"),
        ("register.xlsx", "register.xlsx:4"),
        ("register.ods", "register.ods:2"),
        ("register.jsonl", "register.jsonl:1"),
        ("register.sqlite", "register.sqlite:1"),
    ] {
        assert_eq!(open(file).entries[0].source.to_string(), source);
    }
    // The sheet that was taken, and the footer that is no row, are told.
    let book = open("register.xlsx");
    assert_eq!(book.notes, ["the sheet Keys was read"]);
    assert_eq!(book.faults.len(), 1, "{:?}", book.faults);
}

#[test]
fn a_table_or_query_of_sqlite_is_named() {
    let path = format!("sqlite:{FORMS}/two-tables.sqlite");
    let whole = read(Path::new(&path), &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(whole.contains("2 tables: assets, people"), "{whole}");
    let table = open(&format!("{path}?table=assets"));
    assert_eq!(
        table.entries[0].source.to_string(),
        "two-tables.sqlite/assets:1"
    );
    assert!(!table.has_owner_column);
    let query = open(&format!(
        "{path}?query=SELECT asset_id AS id, thumbprint, name AS owner, valid_to FROM assets JOIN people ON people.id %3D person"
    ));
    let owners: Vec<_> = query.entries.iter().map(|e| e.owner.as_deref()).collect();
    assert_eq!(owners, [Some("Anna Berg"), Some("Carl")]);
    let sha1 = expected()["register"][1]["cert_sha1"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(has(&query.entries[1], "cert_sha1", &sha1));
    for (wrong, word) in [
        ("?table=nowhere", "no such table"),
        ("?query=DELETE FROM assets", "does not read"),
        ("?query=ATTACH 'x.db' AS x", "does not read"),
        ("?query=SELECT 1; SELECT 2", "statement"),
        (
            "?query=WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a FROM t) SELECT load_extension('x')",
            "",
        ),
    ] {
        let error = read(
            Path::new(&format!("{path}{wrong}")),
            &ReadOptions::default(),
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains(word), "{wrong}: {error}");
    }
    assert!(!Path::new("x.db").exists());
}

#[test]
fn nothing_is_written_beside_a_database_and_a_log_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.db");
    std::fs::copy(format!("{FORMS}/register.sqlite"), &file).unwrap();
    assert_eq!(
        read(&file, &ReadOptions::default()).unwrap().entries.len(),
        4
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    std::fs::write(dir.path().join("keys.db-wal"), "").unwrap();
    assert!(read(&file, &ReadOptions::default()).is_ok());
    std::fs::write(dir.path().join("keys.db-wal"), "rows").unwrap();
    let error = read(&file, &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("write-ahead log"), "{error}");
}

#[test]
fn bills_of_materials_of_another_tool() {
    let expected = expected();
    let of = |name: &str, member: &str| {
        expected["certificates"][name][member]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for (file, form, keyed) in [
        ("cbom-1.6.json", "CycloneDX 1.6", true),
        ("cbom-1.7.json", "CycloneDX 1.7", true),
        ("cbom-1.7-members.json", "CycloneDX 1.7", true),
    ] {
        let inventory = open(file);
        assert_eq!(inventory.form, form);
        assert_eq!(
            inventory.as_of.unwrap().to_string(),
            "2026-11-02T08:00:00Z",
            "{file}"
        );
        assert_eq!(
            inventory.entries.len(),
            3,
            "{file}: the token and the algorithm are no keys"
        );
        let entry = |id: &str| inventory.entries.iter().find(|e| *e.id == *id).unwrap();
        for id in ["cert-shop", "cert-mail"] {
            assert!(
                has(entry(id), "cert_sha256", &of(id, "sha256")),
                "{file} {id}"
            );
            assert_eq!(
                entry(id).expires.unwrap().at.to_string(),
                "2027-01-15T10:00:00Z"
            );
            assert!(
                entry(id)
                    .issuer
                    .as_deref()
                    .unwrap()
                    .contains("Fixture Issuing CA")
            );
        }
        let mail = entry("cert-mail");
        assert_eq!(mail.bits, keyed.then_some(2048), "{file}");
        assert_eq!(mail.algorithm.as_deref(), Some("RSA-2048"));
        assert!(
            has(entry("key-mail"), "spki", &of("cert-mail", "spki")),
            "{file}"
        );
        assert!(!format!("{inventory:?}").contains("not-a-real-token"));
    }
    let newer = open("cbom-1.7-members.json");
    let mail = newer
        .entries
        .iter()
        .find(|e| &*e.id == "cert-mail")
        .unwrap();
    assert!(has(mail, "serial", &of("cert-mail", "serial")));
    assert_eq!(mail.state.unwrap().as_str(), "revoked");
    assert_eq!(mail.sans.len(), 2);
}

#[test]
fn an_earlier_sweep_and_report_are_inventories() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    for (from, to) in [
        ("identity/p256/pkcs8.pem", "a.key"),
        ("identity/p256/certificate.pem", "a.crt"),
        ("identity/ed25519/openssh_private", "id"),
    ] {
        std::fs::copy(format!("fixtures/{from}"), tree.join(to)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_keymuster"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.code().unwrap() < 2, "{done:?}");
    };
    let (tree, sweep, report) = (
        tree.to_str().unwrap(),
        dir.path().join("s.jsonl"),
        dir.path().join("r.json"),
    );
    let (sweep, report) = (sweep.to_str().unwrap(), report.to_str().unwrap());
    run(&[
        "scan", tree, "--host", "web01", "-q", "-f", "jsonl", "-o", sweep,
    ]);
    run(&[
        "scan", tree, "--host", "web01", "-q", "-f", "json", "-o", report,
    ]);
    for (file, form) in [
        (sweep, "a sweep of keymuster"),
        (report, "a report of keymuster"),
    ] {
        let inventory = read(Path::new(file), &ReadOptions::default()).unwrap();
        assert_eq!(inventory.form, form);
        assert!(inventory.as_of.is_some());
        // The certificate stands for its key; the SSH key for itself.
        assert_eq!(inventory.entries.len(), 2, "{inventory:?}");
        let cert = inventory
            .entries
            .iter()
            .find(|e| e.id.starts_with("cert-"))
            .unwrap();
        let key = inventory
            .entries
            .iter()
            .find(|e| !e.id.starts_with("cert-"))
            .unwrap();
        assert_eq!(cert.places.len(), 2, "the key's place is allowed too");
        assert!(matches!(
            &key.identifiers[..],
            [Identifier::KeyId(KeyId::Spki(_))]
        ));
    }
    // What was swept is known to its own sweep.
    let again = dir.path().join("again.json");
    run(&[
        "reconcile",
        sweep,
        "-i",
        sweep,
        "-q",
        "-f",
        "json",
        "-o",
        again.to_str().unwrap(),
    ]);
    let again: Value = serde_json::from_slice(&std::fs::read(again).unwrap()).unwrap();
    assert_eq!(
        again["summary"]["flags"].get("unknown"),
        None,
        "{}",
        again["summary"]
    );
    assert!(
        again["entries"]
            .as_array()
            .unwrap()
            .iter()
            .all(|e| e["status"] == "matched")
    );
}

#[test]
fn several_exports_complement_each_other_in_their_order() {
    let mut both = [
        open("register.csv"),
        open(&format!("sqlite:{FORMS}/two-tables.sqlite?table=assets")),
    ];
    assert!(both[1].entries.iter().all(|e| e.owner.is_none()));
    merge(&mut both);
    // The second names the mail certificate by SHA-1, as the register does; the shop's by a digest that the register lacks.
    let owner = |row: usize| both[1].entries[row].owner.as_deref();
    assert_eq!((owner(0), owner(1)), (None, Some("Carl")));
}
