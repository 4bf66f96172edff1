//! An export in columns of our own says what it said before, in every form.

use crate::support::{NOW, arg, check, err, keymuster, lay_out};
use keymuster::inventory::{Form, ReadOptions, convert, read, read_bytes};
use keymuster::model::{Entry, Inventory, RowSource};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FORMS: &[(Form, &str)] = &[
    (Form::Csv, "delimited text"),
    (Form::Xlsx, "XLSX"),
    (Form::Json, "JSON"),
    (Form::JsonLines, "JSON Lines"),
    (Form::Yaml, "YAML"),
    (Form::Cbom16, "CycloneDX 1.6"),
    (Form::Cbom17, "CycloneDX 1.7"),
];

fn exports() -> Vec<PathBuf> {
    let mut out = vec![
        PathBuf::from("fixtures/estate/inventory.csv"),
        PathBuf::from("fixtures/estate/inventory.json"),
    ];
    for dir in ["fixtures/inventory/forms", "fixtures/inventory/products"] {
        out.extend(fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()));
    }
    out.retain(|p| !p.ends_with("two-tables.sqlite"));
    out.sort();
    assert!(out.len() > 35, "{}", out.len());
    out
}

fn options() -> ReadOptions {
    ReadOptions {
        allow_partial: true,
        ..ReadOptions::default()
    }
}

/// What an entry says, without where it stood and what no field has.
fn said(entry: &Entry) -> Entry {
    let mut entry = entry.clone();
    entry.source = RowSource::default();
    entry.extra = Box::default();
    entry.identifiers.sort();
    entry.places.sort();
    entry.sans.sort();
    // The reason is another one; that there is one is what counts.
    entry.unreadable = entry.unreadable.take().map(|_| Box::default());
    entry.tidy();
    entry
}

fn entries(inventory: &Inventory) -> Vec<Entry> {
    inventory.entries.iter().map(said).collect()
}

#[test]
fn every_export_says_the_same_in_every_form() {
    for path in exports() {
        let before = read(&path, &options()).unwrap_or_else(|e| panic!("{e}"));
        for (form, name) in FORMS {
            let converted = convert(std::slice::from_ref(&before), *form, "keymuster 0").unwrap();
            let after = read_bytes("converted", &converted.bytes, &options())
                .unwrap_or_else(|e| panic!("{} as {name}: {e}", path.display()));
            // One line is a document.
            let lone = *form == Form::JsonLines && before.entries.len() == 1;
            let expected = if lone { "JSON" } else { *name };
            assert_eq!(after.form, expected, "{}", path.display());
            let (a, b) = (entries(&before), entries(&after));
            assert_eq!(a.len(), b.len(), "{} as {name}", path.display());
            for (a, b) in a.iter().zip(&b) {
                assert_eq!(a, b, "{} as {name}", path.display());
            }
            assert_eq!(
                before.unusable - (before.rows - a.len() as u64),
                after.unusable,
                "{} as {name}",
                path.display()
            );
            let owners = (before.has_owner_column, after.has_owner_column);
            assert!(
                owners.0 == owners.1 || (form_drops_owners(*form) && owners.0),
                "{}",
                path.display()
            );
        }
    }
}

/// Where a column is only there if a cell is.
fn form_drops_owners(form: Form) -> bool {
    !matches!(form, Form::Csv | Form::Xlsx)
}

#[test]
fn the_estate_is_judged_the_same_by_its_converted_export() {
    let dir = lay_out();
    let hosts = dir.path().join("hosts");
    let judged = |inventory: &str| -> BTreeMap<String, Value> {
        let output = keymuster(&[
            "scan",
            "--hosts-under",
            arg(&hosts),
            "-i",
            inventory,
            "--now",
            NOW,
            "-q",
            "-f",
            "json",
        ]);
        assert!(output.status.code().unwrap() < 2, "{}", err(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = report["entries"].as_array().unwrap().iter();
        let flags = |e: &Value| -> Vec<Value> {
            e["flags"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| f["flag"].clone())
                .collect()
        };
        rows.map(|e| {
            (
                e["id"].as_str().unwrap().to_owned(),
                (serde_json::json!([e["status"], flags(e)])),
            )
        })
        .collect()
    };
    let before = judged("fixtures/estate/inventory.csv");
    assert_eq!(before.len(), 67);
    for form in ["csv", "xlsx", "json", "jsonl", "yaml", "cbom-1.6", "cbom"] {
        let out = dir.path().join("converted");
        let output = keymuster(&[
            "inventory",
            "convert",
            "fixtures/estate/inventory.csv",
            "--to",
            form,
            "-o",
            arg(&out),
        ]);
        check(&output, 0, form);
        assert!(err(&output).contains("CMDB Ref"), "{}", err(&output));
        assert_eq!(judged(arg(&out)), before, "{form}");
    }
}

#[test]
fn bills_of_materials_have_the_standards_own_members() {
    let before = read(Path::new("fixtures/estate/inventory.csv"), &options()).unwrap();
    let converted = convert(&[before], Form::Cbom17, "keymuster 0").unwrap();
    let document: Value = serde_json::from_slice(&converted.bytes).unwrap();
    let component = &document["components"][6];
    assert_eq!(component["name"], "Legacy gateway");
    assert_eq!(component["cryptoProperties"]["assetType"], "certificate");
    let facts = &component["cryptoProperties"]["certificateProperties"];
    assert_eq!(facts["notValidAfter"], "2027-05-01T00:00:00Z");
    assert_eq!(
        component["evidence"]["occurrences"][0]["location"],
        "web01:/etc/nginx/ssl/legacy.crt"
    );
    assert_eq!(
        document["components"][2]["cryptoProperties"]["assetType"],
        "related-crypto-material"
    );
}

#[test]
fn an_export_that_nothing_is_judged_by_is_not_made_to_look_whole() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    for file in ["aws-acm-paged.json", "aws-acm-one-sided.json"] {
        let export = format!("fixtures/inventory/products/{file}");
        let args = [
            "inventory",
            "convert",
            &export,
            "--to",
            "csv",
            "-o",
            arg(&out),
        ];
        check(&keymuster(&args), 2, file);
        assert!(!out.exists());
        let allowed = [&args[..], &["--allow-partial-inventory"]].concat();
        check(&keymuster(&allowed), 0, file);
        fs::remove_file(&out).unwrap();
    }
}
