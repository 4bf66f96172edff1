//! Exit codes: 0, 1, 2, 4 and 5, and what moves a run from one to another.

use super::{Case, rows, server};
use crate::support::{arg, as_nobody, check, err, expect, plant, public_binary, set_mode};
use std::process::Output;

#[test]
fn a_scan_without_inventory_fails_on_nothing_unless_it_is_told_to() {
    let case = Case::new();
    plant(
        "x509/date_before_2000.pem",
        case.dir.path(),
        "tree/old/expired.pem",
    );
    let tree = case.tree();
    let tree = arg(&tree);
    expect(0, &["scan", tree]);
    for (fail_on, code) in [
        ("none", 0),
        ("critical", 0),
        ("high", 1),
        ("medium", 1),
        ("info", 1),
        ("expired", 1),
        ("weak,expired", 1),
        ("tamperable", 0),
        ("tamperable,not_yet_valid", 0),
    ] {
        let output = expect(code, &["scan", tree, "--fail-on", fail_on]);
        let said = crate::support::out(&output);
        assert!(said.contains(&format!("exit code {code}")), "{said}");
    }
}

#[test]
fn with_an_inventory_a_high_finding_fails() {
    let case = Case::new();
    let (tree, partial, full) = (case.tree(), case.partial_inventory(), case.full_inventory());
    let scan = |code, inventory, fail_on: &[&str]| {
        let mut args = vec!["scan", arg(&tree), "--inventory", inventory, "-f", "json"];
        args.extend(fail_on);
        let report: serde_json::Value =
            serde_json::from_slice(&expect(code, &args).stdout).unwrap();
        report["summary"]["flags"].clone()
    };
    // The person's key is in no row.
    assert_eq!(scan(1, arg(&partial), &[])["unknown"], 1);
    scan(1, arg(&partial), &["--fail-on", "unknown"]);
    scan(1, arg(&partial), &["--fail-on", "high"]);
    scan(0, arg(&partial), &["--fail-on", "critical"]);
    scan(0, arg(&partial), &["--fail-on", "missing,expired"]);
    scan(0, arg(&partial), &["--fail-on", "none"]);
    assert_eq!(scan(0, arg(&full), &[])["unknown"], serde_json::Value::Null);
}

/// Scans as a user who cannot read all of it.
fn scan_as_nobody(case: &Case, options: &[&str]) -> Output {
    let program = public_binary(case.dir.path());
    as_nobody(&program)
        .args(["scan", arg(&case.tree()), "--host", "web01"])
        .args(options)
        .output()
        .unwrap()
}

#[test]
fn what_could_not_be_read_makes_it_incomplete_unless_it_is_allowed() {
    let case = Case::new();
    let denied = case.at("tree/tls/a.key");
    for name in ["tree/tls/a.crt", "tree/ssh/id"] {
        set_mode(&case.at(name), 0o644);
    }
    let (partial, full) = (case.partial_inventory(), case.full_inventory());
    let glob = format!("{}/tls/*", case.tree().display());
    let elsewhere = format!("{}/ssh/*", case.tree().display());
    for (code, options) in [
        (4, vec![]),
        (0, vec!["--allow-gaps", "permission_denied"]),
        (0, vec!["--allow-gaps", "io_error,permission_denied"]),
        (0, vec!["--allow-gaps", &glob]),
        (4, vec!["--allow-gaps", &elsewhere]),
        (4, vec!["--allow-gaps", "limit"]),
        (4, vec!["-i", arg(&full), "--fail-on", "critical"]),
        (5, vec!["-i", arg(&partial)]),
        (
            1,
            vec!["-i", arg(&partial), "--allow-gaps", "permission_denied"],
        ),
        (2, vec!["--allow-gaps", "permission"]),
    ] {
        let output = scan_as_nobody(&case, &options);
        check(&output, code, &format!("{options:?}"));
    }
    let told = crate::support::out(&scan_as_nobody(&case, &["-v"]));
    assert!(told.contains("INCOMPLETE"), "{told}");
    assert!(told.contains(arg(&denied)), "{told}");
    // And what is allowed is no less incomplete for the reader.
    let told = crate::support::out(&scan_as_nobody(
        &case,
        &["--allow-gaps", "permission_denied"],
    ));
    assert!(told.contains("INCOMPLETE"), "{told}");
    assert!(told.contains("exit code 0"), "{told}");
}

#[test]
fn usage_and_input_errors_are_2_with_a_reason_and_no_output() {
    let case = Case::new();
    let tree = case.tree();
    let tree = arg(&tree);
    let full = case.full_inventory();
    let full = arg(&full);
    let empty = case.write("empty.csv", "");
    let text = case.write("letter.txt", "Dear Sir,\nthe keys are under the mat.\n");
    let torn = case.write("torn.json", "[{\"id\":\"K-1\",\"fingerprint\":");
    let token = case.write(
        "page.json",
        "{\"nextPageToken\":\"x\",\"keys\":[{\"id\":\"K-1\",\"owner\":\"alice\"}]}",
    );
    let host = format!("a={tree}");
    for (args, reason) in [
        (vec![], "Usage"),
        (vec!["sweep"], "sweep"),
        (vec!["scan", tree, "--colour"], "--colour"),
        (vec!["scan", tree, "-f", "xml"], "xml"),
        (vec!["scan", tree, "-q", "-v"], "cannot be used with"),
        (vec!["scan", "/no/such/place"], "/no/such/place"),
        (vec!["scan", tree, "--now", "tomorrow"], "expected RFC 3339"),
        (vec!["scan", tree, "--time-limit", "soon"], "soon"),
        (vec!["scan", tree, "--max-depth", "-1"], "-1"),
        (vec!["scan", tree, "--exclude", "a[b"], "a[b"),
        (vec!["scan", tree, "--fail-on", "serious"], "serious"),
        (
            vec!["scan", tree, "--baseline", arg(&text)],
            "expected a report",
        ),
        (vec!["scan", tree, "-i", "/no/such.csv"], "/no/such.csv"),
        (vec!["scan", tree, "-i", arg(&empty)], "empty.csv"),
        (
            vec!["scan", tree, "-i", arg(&text)],
            "expected CSV whose header",
        ),
        (vec!["scan", tree, "-i", arg(&torn)], "torn.json"),
        (vec!["scan", tree, "-i", arg(&token)], "nextPageToken"),
        (
            vec!["scan", tree, "-i", "/dev/null"],
            "expected CSV whose header",
        ),
        (
            vec!["scan", tree, "-i", full, "--map", "owner"],
            "FIELD=COLUMN",
        ),
        (
            vec!["scan", tree, "-i", full, "--map", "colour=ID"],
            "colour",
        ),
        (
            vec!["scan", tree, "-i", full, "--map", "owner=Chief"],
            "Chief",
        ),
        (vec!["scan", tree, "--owners", arg(&text)], "expected CSV"),
        (vec!["scan", "--host-root", "web01"], "NAME=DIR"),
        (
            vec!["scan", "--host-root", "a=/no/such/dir"],
            "/no/such/dir",
        ),
        (
            vec!["scan", "--host-root", &host, "--host-root", &host],
            "twice",
        ),
        (
            vec!["scan", "--host-root", &host, "--host", "b"],
            "cannot be used with",
        ),
        (
            vec!["scan", "--hosts-under", "/no/such/dir"],
            "/no/such/dir",
        ),
        (vec!["scan", "--dry-run", "-i", full], "cannot be used with"),
        (vec!["reconcile", "-i", full], "SWEEP"),
        (
            vec!["reconcile", "/no/such.sweep", "-i", full],
            "/no/such.sweep",
        ),
        (vec!["reconcile", full, "-i", full], "expected a sweep"),
        (vec!["reconcile", "/dev/null", "-i", full], "no sweep in it"),
        (vec!["explain", "K-1"], "SWEEP"),
    ] {
        let output = expect(2, &args);
        assert!(err(&output).contains(reason), "{args:?}: {}", err(&output));
        assert!(output.stdout.is_empty(), "{args:?}");
        // Nothing of a secret-bearing input may be quoted: a letter is no inventory, and stays private.
        assert!(!err(&output).contains("under the mat"), "{}", err(&output));
    }
}

#[test]
fn more_than_a_fifth_unusable_is_an_error_unless_it_is_allowed() {
    let case = Case::new();
    let tree = case.tree();
    let bad = |id: u32| format!("K-9{id},SSH key,carol,Active,not-a-fingerprint,,\n");
    let four: Vec<String> = (0..4).map(|_| server()).collect();
    let scan = |name: &str, rows: &str, options: &[&str], code| {
        let inventory = case.write(name, rows);
        let mut args = vec![
            "scan",
            arg(&tree),
            "-i",
            arg(&inventory),
            "--fail-on",
            "none",
        ];
        args.extend(options);
        expect(code, &args)
    };
    // One of five is a fifth, two of six are more.
    let one = rows(&[four.clone(), vec![bad(1)]].concat());
    let two = rows(&[four, vec![bad(1), bad(2)]].concat());
    let said = crate::support::out(&scan("one.csv", &one, &["-v"], 0));
    assert!(said.contains("one.csv:6"), "{said}");
    let refused = scan("two.csv", &two, &[], 2);
    assert!(err(&refused).contains("2 of 6 rows"), "{}", err(&refused));
    assert!(refused.stdout.is_empty());
    scan("two.csv", &two, &["--allow-partial-inventory"], 0);
    // The same switch takes a page of an export.
    let page = "{\"nextPageToken\":\"x\",\"keys\":[{\"id\":\"K-1\",\"owner\":\"alice\"}]}";
    scan("page.json", page, &["--allow-partial-inventory"], 0);
}
