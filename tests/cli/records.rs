//! What a sweep's lines are: their order, their digest, the same again, names to the byte.

use super::{Case, paths_below, sweep};
use crate::support::{
    arg, expect, lay_out, of_kind, open_directory, out, plant, records, sha256sum, torn,
};
use base64::Engine as _;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

#[test]
fn the_digest_of_each_sweep_is_that_of_its_lines() {
    let dir = lay_out();
    let hosts = dir.path().join("hosts");
    let output = expect(0, &["scan", "--hosts-under", arg(&hosts), "-f", "jsonl"]);
    let text = out(&output);
    let mut sweeps = 0;
    let mut lines = String::new();
    for line in text.split_inclusive('\n') {
        let record: Value = serde_json::from_str(line).unwrap();
        if record["record"] == "sweep" {
            lines.clear();
        }
        if record["record"] == "end" {
            assert_eq!(record["sha256"], sha256sum(lines.as_bytes()));
            sweeps += 1;
        }
        lines += line;
    }
    assert_eq!(sweeps, 3);
}

/// The exact bytes of a record's path.
fn exact(place: &Value) -> Vec<u8> {
    match place["path_bytes"].as_str() {
        Some(text) => base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap(),
        None => place["path"].as_str().unwrap().as_bytes().to_vec(),
    }
}

#[test]
fn records_are_in_the_order_of_the_contract_and_counted() {
    let dir = lay_out();
    let tree = dir.path().join("hosts");
    // Gaps before the first sighting, between and behind the last one.
    for name in ["0first.pem", "zlast.pem", "web01/etc/nginx/ssl/a-torn.pem"] {
        fs::write(tree.join(name), torn()).unwrap();
    }
    let records = sweep(0, &tree, &[]);
    assert_eq!(records[0]["record"], "sweep");
    assert_eq!(records[0]["schema"], "keymuster.sweep/1");
    let end = records.last().unwrap();
    assert_eq!(end["record"], "end");
    let body = &records[1..records.len() - 1];
    assert!(body.iter().any(|record| record["record"] == "gap"));
    let order: Vec<(Vec<u8>, bool, u64, &str)> = body
        .iter()
        .map(|record| match record["record"].as_str() {
            Some("sighting") => {
                let location = &record["location"];
                let kind = record["kind"].as_str().unwrap();
                let offset = location["offset"].as_u64().unwrap_or(0);
                (exact(location), false, offset, kind)
            }
            Some("gap") => (exact(record), true, 0, ""),
            other => panic!("{other:?}"),
        })
        .collect();
    let mut sorted = order.clone();
    sorted.sort_by(|a, b| (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2)));
    let shown = |order: &[(Vec<u8>, bool, u64, &str)]| -> Vec<String> {
        let paths = order.iter();
        paths
            .map(|o| format!("{} {} {}", String::from_utf8_lossy(&o.0), o.1, o.2))
            .collect()
    };
    assert_eq!(shown(&order), shown(&sorted));
    // The end counts what stands before it, and find counts the tree.
    assert_eq!(end["sightings"], of_kind(&records, "sighting").len());
    let keys: std::collections::BTreeSet<String> = of_kind(&records, "sighting")
        .iter()
        .filter_map(|sighting| Some(sighting["key_id"].as_str()?.to_owned()))
        .collect();
    assert_eq!(end["keys"], keys.len());
    let gaps: u64 = end["gaps"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(gaps, of_kind(&records, "gap").len() as u64);
    let found = Command::new("find")
        .arg(&tree)
        .args(["-type", "f", "-printf", "%D:%i %s\n"])
        .output()
        .unwrap();
    let mut files: Vec<String> = out(&found).lines().map(str::to_owned).collect();
    files.sort();
    files.dedup();
    assert_eq!(end["files"], files.len());
    let bytes: u64 = files
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(end["bytes"], bytes);
    let found = Command::new("find")
        .arg(&tree)
        .args(["-type", "d"])
        .output();
    assert_eq!(end["directories"], out(&found.unwrap()).lines().count());
}

#[test]
fn two_sweeps_of_one_tree_differ_in_three_members_alone() {
    let case = Case::new();
    let text = || out(&expect(0, &["scan", arg(&case.tree()), "-f", "jsonl"]));
    let (first, second) = (text(), text());
    let differing: Vec<(Value, Value)> = first
        .lines()
        .zip(second.lines())
        .filter(|(a, b)| a != b)
        .map(|(a, b)| {
            (
                serde_json::from_str(a).unwrap(),
                serde_json::from_str(b).unwrap(),
            )
        })
        .collect();
    assert_eq!(first.lines().count(), second.lines().count());
    assert!(differing.len() <= 2);
    for (a, b) in differing {
        for (member, value) in a.as_object().unwrap() {
            let may = ["started", "finished", "sha256"].contains(&member.as_str());
            assert!(may || *value == b[member], "{member}");
        }
    }
}

#[test]
fn names_are_told_to_the_byte() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let names: [&[u8]; 5] = [
        b"plain",
        "uml\u{e4}ut \u{202e}lmx".as_bytes(),
        b"escape\x1b[31m",
        b"line\nbreak\ttab\r",
        b"latin\xe4\xff1",
    ];
    plant("identity/p256/certificate.pem", &tree, "model");
    for name in names {
        fs::copy(tree.join("model"), tree.join(OsStr::from_bytes(name))).unwrap();
    }
    // A gap has a name, too.
    let name = OsStr::from_bytes(b"torn\x07\xfe");
    fs::write(tree.join(name), torn()).unwrap();
    fs::remove_file(tree.join("model")).unwrap();
    let records = sweep(0, &tree, &[]);
    let root = format!("{}/", arg(&tree)).into_bytes();
    let found: Vec<Vec<u8>> = of_kind(&records, "sighting")
        .iter()
        .map(|sighting| {
            let location = &sighting["location"];
            let path = exact(location);
            // The bytes are told only where the text cannot hold them.
            let is_text = std::str::from_utf8(&path).is_ok();
            assert_eq!(is_text, location["path_bytes"].is_null());
            assert_eq!(
                location["path"].as_str().unwrap(),
                String::from_utf8_lossy(&path)
            );
            path.strip_prefix(root.as_slice()).unwrap().to_vec()
        })
        .collect();
    let mut expected = names.map(<[u8]>::to_vec).to_vec();
    expected.sort();
    assert_eq!(found, expected);
    let gap = of_kind(&records, "gap")[0];
    assert!(exact(gap).ends_with(b"/torn\x07\xfe"));
    assert_eq!(gap["reason"], "truncated");
}

#[test]
fn what_a_sighting_says_of_its_file_is_what_stat_says() {
    let case = Case::new();
    let file = case.at("tree/tls/a.key");
    crate::support::set_mode(&file, 0o640);
    std::os::unix::fs::chown(&file, Some(65534), Some(1)).unwrap();
    let links = case.at("tree/tls/link");
    std::os::unix::fs::symlink("a.key", &links).unwrap();
    fs::hard_link(&file, case.at("tree/tls/b.key")).unwrap();
    let records = sweep(0, &case.tree(), &[]);
    let found = paths_below(&records, &case.tree());
    assert_eq!(found, ["ssh/id", "tls/a.crt", "tls/a.key"]);
    let sighting = of_kind(&records, "sighting")[2];
    let stat = Command::new("stat")
        .args(["-c", "%s 0%a %u %g %U %G"])
        .arg(&file)
        .output()
        .unwrap();
    let facts = &sighting["file"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = format!(
        "{} {} {} {} {} {}",
        facts["size"],
        text(&facts["mode"]),
        facts["uid"],
        facts["gid"],
        text(&facts["owner"]),
        text(&facts["group"])
    );
    assert_eq!(told, out(&stat).trim());
    let location = &sighting["location"];
    assert_eq!(location["links"], serde_json::json!([arg(&links)]));
    let hard = case.at("tree/tls/b.key");
    assert_eq!(location["hard_links"], serde_json::json!([arg(&hard)]));
    assert_eq!(location["offset"], 0);
}

#[test]
fn every_form_of_the_output_parses() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.partial_inventory());
    let scan = ["scan", arg(&tree), "-i", arg(&inventory), "-f"];
    let document: Value =
        serde_json::from_slice(&expect(1, &[&scan[..], &["json"]].concat()).stdout).unwrap();
    assert_eq!(document["schema"], "keymuster.report/1");
    let lines = records(&expect(1, &[&scan[..], &["jsonl"]].concat()).stdout);
    assert_eq!(lines[0]["record"], "report");
    for (kind, list) in [
        ("key", "keys"),
        ("other", "others"),
        ("entry", "entries"),
        ("gap", "gaps"),
    ] {
        let count = document[list].as_array().unwrap().len();
        assert_eq!(of_kind(&lines, kind).len(), count, "{kind}");
    }
    // Without inventory, the report has no entries.
    let document: Value =
        serde_json::from_slice(&expect(0, &["scan", arg(&tree), "-f", "json"]).stdout).unwrap();
    assert_eq!(document["entries"], serde_json::json!([]));
    assert_eq!(document["keys"].as_array().unwrap().len(), 2);
    for key in document["keys"].as_array().unwrap() {
        for sighting in key["sightings"].as_array().unwrap() {
            assert!(sighting["host"].is_string());
            assert!(Path::new(sighting["location"]["path"].as_str().unwrap()).exists());
        }
    }
}
