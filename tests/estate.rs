//! The main job on the estate: every flag on every key and entry, none lacking and none too many.

use crate::support::{NOW, keymuster, lay_out};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;

fn scan(hosts: &Path, inventory: &str, format: &str) -> Output {
    keymuster(&[
        "scan",
        "--hosts-under",
        hosts.to_str().unwrap(),
        "--inventory",
        inventory,
        "--owners",
        "fixtures/estate/owners.csv",
        "--now",
        NOW,
        "-f",
        format,
    ])
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read("fixtures/estate/expect.json").unwrap()).unwrap()
}

type Flags = BTreeSet<(String, String, String, String)>;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

fn flags(holder: &Value, with_certificate: bool) -> Flags {
    holder["flags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|flag| {
            let certificate = if with_certificate {
                text(&flag["cert_sha256"])
            } else {
                "-".to_owned()
            };
            let entry = if with_certificate {
                text(&flag["entry"])
            } else {
                "-".to_owned()
            };
            (
                text(&flag["flag"]),
                text(&flag["severity"]),
                entry,
                certificate,
            )
        })
        .collect()
}

fn compare(report: &Value) -> Vec<String> {
    let expected = expected();
    let mut wrong = Vec::new();
    let found: BTreeMap<&str, &Value> = report["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (key["key_id"].as_str().unwrap(), key))
        .collect();
    let wanted = expected["keys"].as_object().unwrap();
    for (id, key) in &found {
        if !wanted.contains_key(*id) {
            wrong.push(format!(
                "key {id} is too many: {:?}",
                key["sightings"][0]["location"]["path"]
            ));
        }
    }
    for (id, want) in wanted {
        let name = want["name"].as_str().unwrap_or(id);
        let Some(have) = found.get(id.as_str()) else {
            wrong.push(format!("{name}: key is lacking"));
            continue;
        };
        let mut differ = |what: &str, want: String, have: String| {
            if want != have {
                wrong.push(format!(
                    "{name}: {what}\n    expected {want}\n    found    {have}"
                ));
            }
        };
        differ(
            "class",
            want["class"].to_string(),
            have["class"].to_string(),
        );
        let sorted = |list: &Value| {
            let mut list: Vec<String> = list.as_array().into_iter().flatten().map(text).collect();
            list.sort();
            format!("{list:?}")
        };
        differ(
            "entries",
            sorted(&want["entries"]),
            sorted(&have["entries"]),
        );
        let (lacking, many): (Vec<_>, Vec<_>) = {
            let (w, h) = (flags(want, true), flags(have, true));
            (
                w.difference(&h).cloned().collect(),
                h.difference(&w).cloned().collect(),
            )
        };
        differ("flags", format!("{lacking:?}"), format!("{many:?}"));
        let places = |value: &Value, reported: bool| -> BTreeSet<String> {
            value["sightings"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|s| {
                    let path = if reported {
                        &s["location"]["path"]
                    } else {
                        &s["path"]
                    };
                    format!("{} {} {}", text(&s["host"]), text(path), text(&s["kind"]))
                })
                .collect()
        };
        let (w, h) = (places(want, false), places(have, true));
        let lacking: Vec<_> = w.difference(&h).collect();
        let many: Vec<_> = h.difference(&w).collect();
        differ("sightings", format!("{lacking:?}"), format!("{many:?}"));
    }
    let entries: BTreeMap<&str, &Value> = report["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["id"].as_str().unwrap(), entry))
        .collect();
    let wanted = expected["entries"].as_object().unwrap();
    assert_eq!(entries.len(), wanted.len());
    for (id, want) in wanted {
        let have = entries[id.as_str()];
        if want["status"] != have["status"] {
            wrong.push(format!(
                "{id}: status {} expected, {} found",
                want["status"], have["status"]
            ));
        }
        let (w, h) = (flags(want, false), flags(have, false));
        if w != h {
            wrong.push(format!(
                "{id}: flags\n    expected {w:?}\n    found    {h:?}"
            ));
        }
    }
    let gaps = |list: &Value| -> BTreeSet<(String, String, String)> {
        list.as_array()
            .into_iter()
            .flatten()
            .map(|gap| (text(&gap["host"]), text(&gap["path"]), text(&gap["reason"])))
            .collect()
    };
    let (w, h) = (gaps(&expected["gaps"]), gaps(&report["gaps"]));
    if w != h {
        wrong.push(format!("gaps\n    expected {w:?}\n    found    {h:?}"));
    }
    wrong
}

#[test]
fn every_flag_of_the_estate_is_as_the_contract_says() {
    let dir = lay_out();
    for inventory in [
        "fixtures/estate/inventory.csv",
        "fixtures/estate/inventory.json",
    ] {
        let output = scan(&dir.path().join("hosts"), inventory, "json");
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
        let wrong = compare(&report);
        assert!(
            wrong.is_empty(),
            "{inventory}: {} differences\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        assert_eq!(
            i64::from(output.status.code().unwrap()),
            expected()["summary"]["exit_code"].as_i64().unwrap()
        );
    }
}

#[test]
fn a_stored_sweep_is_judged_as_the_scan_that_wrote_it() {
    let dir = lay_out();
    let sweep = dir.path().join("sweep.jsonl");
    let stored = sweep.to_str().unwrap();
    let hosts = dir.path().join("hosts");
    let first = keymuster(&[
        "scan",
        "--hosts-under",
        hosts.to_str().unwrap(),
        "--inventory",
        "fixtures/estate/inventory.csv",
        "--now",
        NOW,
        "-f",
        "json",
        "--sweep",
        stored,
    ]);
    let again = keymuster(&[
        "reconcile",
        stored,
        "--inventory",
        "fixtures/estate/inventory.csv",
        "--now",
        NOW,
        "-f",
        "json",
    ]);
    assert_eq!(first.status.code(), again.status.code());
    assert!(first.stdout == again.stdout, "the two reports differ");
}

#[test]
fn two_sweeps_of_an_unchanged_tree_are_equal() {
    let dir = lay_out();
    let hosts = dir.path().join("hosts");
    let sweep = |jobs: &str| -> Vec<String> {
        let output = keymuster(&[
            "scan",
            "--hosts-under",
            hosts.to_str().unwrap(),
            "-f",
            "jsonl",
            "-j",
            jobs,
        ]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| {
                let mut record: Value = serde_json::from_str(line).unwrap();
                for member in ["started", "finished", "sha256"] {
                    record.as_object_mut().unwrap().remove(member);
                }
                record.to_string()
            })
            .collect()
    };
    let first = sweep("1");
    assert!(first.len() > 150);
    assert_eq!(first, sweep("4"));
}
