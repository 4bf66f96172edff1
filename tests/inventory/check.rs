//! `keymuster inventory check` and what stops a reconciliation.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const PRODUCTS: &str = "fixtures/inventory/products";

fn keymuster(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keymuster"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_sound_export_is_told_as_a_table() {
    let file = format!("{PRODUCTS}/keyfactor.json");
    let done = keymuster(&["inventory", "check", &file, "--now", "2026-11-25"]);
    let text = text(&done);
    assert_eq!(done.status.code(), Some(0), "{text}");
    for line in [
        "  Form      JSON",
        "  Profile   keyfactor-command",
        "  Rows      2: 2 usable, 0 not",
        "  Verdict   can be judged by",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let column = |name: &str| {
        let line = text
            .lines()
            .find(|l| l.trim_start().starts_with(name))
            .unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(column("Thumbprint"), "cert_sha1");
    assert_eq!(column("Metadata.Owner"), "owner");
    assert_eq!(column("RequesterName"), "-");
}

#[test]
fn faults_are_told_by_row_and_exit_with_1() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("r.csv");
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let rows = format!(
        "id,owner,thumbprint,expires,state\n1,anna,{sha1},2027-01-01,active\n2,carl,{sha1},2025-01-01,active\n\
         3,dora,{}b,2027-13-45,active\n4,anna,{}c,2027-01-01,active\n5,anna,{}d,2027-01-01,active\n6,anna,{},2027-01-01,active\n",
        &sha1[1..],
        &sha1[1..],
        &sha1[1..],
        &sha1[2..]
    );
    std::fs::write(&file, rows).unwrap();
    let owners = dir.path().join("o.csv");
    std::fs::write(&owners, "owner,status\nanna,\ncarl,left\n").unwrap();
    let (file, owners) = (file.to_str().unwrap(), owners.to_str().unwrap());
    let arguments = [
        "inventory",
        "check",
        file,
        "--owners",
        owners,
        "--now",
        "2026-11-25",
    ];
    let done = keymuster(&arguments);
    let told = text(&done);
    assert_eq!(done.status.code(), Some(1), "{told}");
    for line in [
        "r.csv:3  its state is active, and it expired 2025-01-01",
        "r.csv:3  its owner is gone (left)",
        "r.csv:3  names the same certificate as 1 (r.csv:2)",
        "r.csv:4  expires: there is no such day or time",
        "r.csv:4  its owner is not in the list of owners",
        "r.csv:7  thumbprint: 38 hexadecimal digits",
        "(the row is lost)",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let done = keymuster(&[&arguments[..], &["-f", "json"]].concat());
    let document: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(document["schema"], "keymuster.inventory-check/1");
    let check = &document["inventories"][0];
    assert_eq!(
        (check["rows"].as_u64(), check["usable_rows"].as_u64()),
        (Some(6), Some(5))
    );
    assert_eq!(check["columns"][2]["field"], "cert_fingerprint");
    assert_eq!(check["usable"], true);
    assert!(check["faults"].as_array().unwrap().len() >= 6);
}

#[test]
fn what_stops_a_reconciliation_exits_with_2_in_both() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy("fixtures/identity/p256/pkcs8.pem", dir.path().join("a.key")).unwrap();
    let tree = dir.path().to_str().unwrap();
    for (file, word) in [
        ("aws-acm-paged.json", "NextToken"),
        ("aws-acm-one-sided.json", "RSA of 2048 bits or less"),
    ] {
        let file = format!("{PRODUCTS}/{file}");
        let check = keymuster(&["inventory", "check", &file]);
        assert_eq!(check.status.code(), Some(2));
        assert!(
            text(&check).contains(word) && text(&check).contains("stops"),
            "{}",
            text(&check)
        );
        let scan = keymuster(&["scan", tree, "-q", "-i", &file]);
        assert_eq!(scan.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&scan.stderr).contains(word));
        let allowed = keymuster(&[
            "scan",
            tree,
            "-q",
            "--fail-on",
            "none",
            "-i",
            &file,
            "--allow-partial-inventory",
        ]);
        assert_eq!(allowed.status.code(), Some(0), "{allowed:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_does_not_hide_the_others() {
    let good = format!("{PRODUCTS}/venafi.json");
    let done = keymuster(&["inventory", "check", "/nowhere/x.csv", &good, "-f", "jsonl"]);
    assert_eq!(done.status.code(), Some(2));
    let lines: Vec<Value> = text(&done)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0]["error"]
            .as_str()
            .unwrap()
            .contains("/nowhere/x.csv")
    );
    assert_eq!(lines[1]["profile"], "venafi");
}

#[test]
fn the_date_of_an_export_is_in_the_report() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy("fixtures/identity/p256/pkcs8.pem", dir.path().join("a.key")).unwrap();
    let tree = dir.path().to_str().unwrap();
    let as_of = |file: &str, more: &[&str]| {
        let arguments = [
            &[
                "scan",
                tree,
                "-q",
                "--fail-on",
                "none",
                "-f",
                "json",
                "-i",
                file,
            ],
            more,
        ]
        .concat();
        let report: Value = serde_json::from_slice(&keymuster(&arguments).stdout).unwrap();
        report["inventories"][0]["as_of"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let cbom = "fixtures/inventory/forms/cbom-1.6.json";
    assert_eq!(as_of(cbom, &[]), "2026-11-02T08:00:00Z");
    assert_eq!(
        as_of(cbom, &["--inventory-as-of", "2026-10-01"]),
        "2026-10-01T00:00:00Z"
    );
    let csv = "fixtures/inventory/forms/register.csv";
    let changed = std::fs::metadata(Path::new(csv))
        .unwrap()
        .modified()
        .unwrap();
    let changed = jiff::Timestamp::try_from(changed).unwrap();
    assert!(as_of(csv, &[]).starts_with(&changed.to_string()[..19]));
    let wrong = keymuster(&[
        "scan",
        tree,
        "-q",
        "-i",
        csv,
        "--inventory-as-of",
        "yesterday",
    ]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--inventory-as-of yesterday"));
}

#[test]
fn several_exports_with_conflicts_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("other.csv");
    let register = std::fs::read_to_string("fixtures/inventory/forms/register.csv").unwrap();
    std::fs::write(&other, register.replace("Carl", "Emil").replace("K-", "X-")).unwrap();
    let register = "fixtures/inventory/forms/register.csv";
    let other = other.to_str().unwrap();
    let conflicts = |first: &str, second: &str| {
        let done = keymuster(&[
            "inventory",
            "check",
            first,
            second,
            "--now",
            "2026-11-25",
            "-f",
            "json",
        ]);
        let document: Value = serde_json::from_slice(&done.stdout).unwrap();
        let faults = |n: usize| {
            document["inventories"][n]["faults"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| f["reason"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert!(faults(0).is_empty(), "{:?}", faults(0));
        faults(1)
    };
    let told = conflicts(register, other);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        told[0],
        "owner is Emil here and Carl in register.csv:3, which counts"
    );
    assert_eq!(
        conflicts(other, register)[0],
        "owner is Carl here and Emil in other.csv:3, which counts"
    );
}
