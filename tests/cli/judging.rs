//! How it is judged: baselines, owners, the time of judgement, columns that are named by hand.

use super::{Case, person_ssh, rows, server};
use crate::support::{arg, check, err, expect, keymuster, out, plant};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

fn report(code: i32, args: &[&str]) -> Value {
    serde_json::from_slice(&expect(code, args).stdout).unwrap()
}

/// The flags of the entry with this id.
fn entry_flags(report: &Value, id: &str) -> Vec<String> {
    let entries = report["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["id"] == id).unwrap();
    let flags = entry["flags"].as_array().into_iter().flatten();
    flags
        .map(|flag| flag["flag"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn against_a_baseline_only_news_count() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.partial_inventory());
    let base = case.at("base.json");
    let common = [
        "scan",
        arg(&tree),
        "-i",
        arg(&inventory),
        "--now",
        "2026-11-24",
    ];
    let run = |code, more: &[&str]| out(&expect(code, &[&common[..], more].concat()));
    run(1, &["-f", "json", "-o", arg(&base)]);
    let kept: Value = serde_json::from_slice(&std::fs::read(&base).unwrap()).unwrap();
    let severities = kept["summary"]["severities"].as_object().unwrap();
    let all: u64 = severities
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert!(all >= 1);
    let against = ["--baseline", arg(&base)];
    let said = run(0, &against);
    let line = format!("0 new · 0 worse · {all} known · 0 resolved");
    assert!(said.contains(&line), "{said}");
    // A further unregistered key is news, and what was known stays known.
    let new = plant("identity/rsa2048/pkcs8.pem", &tree, "new.key");
    let said = run(1, &against);
    assert!(
        said.contains(&format!(" worse · {all} known · 0 resolved")),
        "{said}"
    );
    assert!(!said.contains("0 new"), "{said}");
    // Moving it within its file is none.
    run(1, &["-f", "json", "-o", arg(&base)]);
    let mut text = b"a line before\n".to_vec();
    text.extend(std::fs::read(&new).unwrap());
    std::fs::write(&new, text).unwrap();
    assert!(run(0, &against).contains("0 new · 0 worse"));
    // What is gone is resolved.
    std::fs::remove_file(&new).unwrap();
    let said = run(0, &against);
    assert!(said.contains("0 new · 0 worse"), "{said}");
    assert!(!said.contains("0 resolved"), "{said}");
}

#[test]
fn the_time_of_judgement_can_be_fixed() {
    let case = Case::new();
    let tree = case.tree();
    let generated = |now: &str| {
        let report = report(0, &["scan", arg(&tree), "-f", "json", "--now", now]);
        report["generated"].as_str().unwrap().to_owned()
    };
    assert_eq!(generated("2026-11-24"), "2026-11-24T00:00:00Z");
    assert_eq!(generated("2026-11-24T12:00:00Z"), "2026-11-24T12:00:00Z");
    assert_eq!(
        generated("2026-11-24T14:30:00+02:30"),
        "2026-11-24T12:00:00Z"
    );
    assert_eq!(
        generated("2026-11-23T20:00:00-04:00"),
        "2026-11-24T00:00:00Z"
    );
    // openssl says from when to when the certificate is valid.
    let expires = |now: &str| {
        let report = report(0, &["scan", arg(&tree), "-f", "json", "--now", now]);
        let flags = report["summary"]["flags"].as_object().unwrap();
        ["not_yet_valid", "expiring", "expired"]
            .into_iter()
            .filter(|flag| flags.contains_key(*flag))
            .collect::<Vec<_>>()
    };
    let told = crate::support::told("identity/p256/certificate.pem");
    let moment = |which: &str, hours: i64| {
        let time: jiff::Timestamp = told["certificate"][which]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        (time + jiff::Span::new().hours(hours)).to_string()
    };
    assert_eq!(expires(&moment("not_before", -1)), ["not_yet_valid"]);
    assert_eq!(expires(&moment("not_before", 1)), [""; 0]);
    assert_eq!(expires(&moment("not_after", -24)), ["expiring"]);
    assert_eq!(expires(&moment("not_after", 1)), ["expired"]);
    // Judged again at the same time, a report is the same to the byte.
    let sweep = case.at("kept.sweep");
    expect(0, &["scan", arg(&tree), "--sweep", arg(&sweep)]);
    let again = [
        "reconcile",
        arg(&sweep),
        "-f",
        "json",
        "--now",
        "2026-11-24",
    ];
    assert!(expect(0, &again).stdout == expect(0, &again).stdout);
}

#[test]
fn owners_are_held_against_their_list() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.full_inventory());
    let unowned = |owners: Option<&str>| {
        let list = owners.map(|list| case.write("owners.csv", list));
        let mut args = vec!["scan", arg(&tree), "-i", arg(&inventory), "-f", "json"];
        args.extend(["--fail-on", "none"]);
        if let Some(list) = &list {
            args.extend(["--owners", arg(list)]);
        }
        let report = report(0, &args);
        ["K-1", "K-2"].map(|id| entry_flags(&report, id).contains(&"unowned".to_owned()))
    };
    assert_eq!(unowned(None), [false, false]);
    assert_eq!(unowned(Some("owner\nalice\nbob\n")), [false, false]);
    assert_eq!(
        unowned(Some("Name,Status\nAlice,active\nBob,LEFT\n")),
        [false, true]
    );
    assert_eq!(unowned(Some("email,status\nbob,active\n")), [true, false]);
    for gone in [
        "leaver",
        "gone",
        "inactive",
        "disabled",
        "terminated",
        "departed",
        "former",
    ] {
        let list = format!("owner,status\nalice,\nbob,{gone}\n");
        assert_eq!(unowned(Some(&list)), [false, true], "{gone}");
    }
}

#[test]
fn a_column_can_be_named_by_hand() {
    let case = Case::new();
    let tree = case.tree();
    let text = format!("Ref;Wer;Kennung\nK-2;bob;{}\n", person_ssh());
    let inventory = case.write("eigen.csv", &text);
    let common = ["scan", arg(&tree), "-i", arg(&inventory), "-f", "json"];
    let common = [&common[..], &["--fail-on", "none"]].concat();
    let maps = [
        "--map",
        "fingerprint=Kennung",
        "--map",
        "owner=Wer",
        "--map",
        "id=Ref",
    ];
    let report = report(0, &[&common[..], &maps].concat());
    let entry = &report["entries"][0];
    assert_eq!(entry["id"], "K-2");
    assert_eq!(entry["status"], "matched");
    assert_eq!(entry["owner"], "bob");
    let unmapped = keymuster(&common);
    check(&unmapped, 2, "no column is known");
    assert!(err(&unmapped).contains("expected CSV whose header"));
}

#[test]
fn sweeps_come_from_files_and_from_standard_input() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.partial_inventory());
    let sweep = case.at("kept.sweep");
    expect(0, &["scan", arg(&tree), "-f", "jsonl", "-o", arg(&sweep)]);
    let judge = ["-i", arg(&inventory), "--now", "2026-11-24", "-f", "json"];
    let from_file = expect(1, &[&["reconcile", arg(&sweep)], &judge[..]].concat());
    let from_input = piped(&[&["reconcile", "-"], &judge[..]].concat(), &sweep);
    check(&from_input, 1, "standard input");
    assert!(from_file.stdout == from_input.stdout);
    let explained = piped(&["explain", arg(&case.at("tree/ssh/id")), "-"], &sweep);
    check(&explained, 0, "explain from standard input");
    assert!(out(&explained).contains(&person_ssh()));
    // An inventory alone tells its rows although a sweep says nothing of them.
    let nothing = piped(
        &["reconcile", "-", "-i", arg(&inventory)],
        Path::new("/dev/null"),
    );
    check(&nothing, 2, "empty standard input");
}

/// Runs the program with a file as its standard input, through a pipe.
fn piped(args: &[&str], input: &Path) -> std::process::Output {
    let mut child = crate::support::command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes = std::fs::read(input).unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || pipe.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    output
}

#[test]
fn a_stored_sweep_that_was_changed_is_refused_and_one_cut_off_is_incomplete() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.full_inventory());
    let sweep = case.at("kept.sweep");
    expect(0, &["scan", arg(&tree), "--sweep", arg(&sweep), "-q"]);
    let text = std::fs::read_to_string(&sweep).unwrap();
    let reconcile = |text: &str, code| {
        let path = case.write("other.sweep", text);
        expect(code, &["reconcile", arg(&path), "-i", arg(&inventory)])
    };
    reconcile(&text, 0);
    for (from, to) in [
        ("\"0600\"", "\"0644\""),
        ("a.key", "b.key"),
        ("\n{", "\n {"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let refused = reconcile(&changed, 2);
        assert!(
            err(&refused).contains("has been changed"),
            "{}",
            err(&refused)
        );
    }
    // A line less.
    let second = text.find('\n').unwrap() + 1;
    let third = second + text[second..].find('\n').unwrap() + 1;
    reconcile(&format!("{}{}", &text[..second], &text[third..]), 2);
    // The rest lacks: from a place that was not read no absence is concluded, and it is incomplete.
    let end = text.trim_end().rfind('\n').unwrap() + 1;
    let cut = reconcile(&text[..end], 4);
    assert!(out(&cut).contains("INCOMPLETE"), "{}", out(&cut));
    reconcile(&text[..end - 100], 4);
}

#[test]
fn several_inventories_are_one() {
    let case = Case::new();
    let tree = case.tree();
    let one = case.write("one.csv", &rows(&[server()]));
    let other = case.write("other.csv", &rows(&[super::person()]));
    let args = [
        "scan",
        arg(&tree),
        "-i",
        arg(&one),
        "-i",
        arg(&other),
        "-f",
        "json",
    ];
    let report = report(0, &args);
    assert_eq!(report["inventories"].as_array().unwrap().len(), 2);
    let sources: Vec<&str> = report["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["source"].as_str().unwrap())
        .collect();
    assert_eq!(sources, ["one.csv:2", "other.csv:2"]);
}
