//! Every fixture against what the independent tools said of it when it was made.
//!
//! Only the members that an expectation has are compared, but the numbers of sightings and gaps must agree.

use crate::support::{BINARY, arg, err, out, set_mode};
use keymuster::model::{Kind, Passwords, Secret};
use keymuster::pipeline;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn expectations(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("estate") && !path.ends_with("generate") {
                found.extend(expectations(&path));
            }
        } else if path.to_str().is_some_and(|p| p.ends_with(".expect.json")) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether `actual` has everything that `expected` has.
fn lacks(expected: &Value, actual: &Value, at: &str, out: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(members), _) => {
            for (name, value) in members {
                if let Some(cipher) = name.strip_suffix("_contains") {
                    let text = actual
                        .get(cipher)
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    for part in value.as_array().into_iter().flatten() {
                        let part = part.as_str().unwrap();
                        if !text.to_lowercase().contains(&part.to_lowercase()) {
                            out.push(format!("{at}.{cipher}: {text:?} lacks {part:?}"));
                        }
                    }
                    continue;
                }
                let found = actual.get(name).unwrap_or(&Value::Null);
                // A cipher may be told with its key derivation.
                if name == "cipher" && !value.is_null() {
                    let text = found.as_str().unwrap_or_default();
                    if !text.starts_with(value.as_str().unwrap()) {
                        out.push(format!("{at}.cipher: {text:?} is not {value}"));
                    }
                    continue;
                }
                // An empty list or text, and false, may be left out of a record.
                let nothing = value.as_array().is_some_and(Vec::is_empty)
                    || value == &Value::Bool(false)
                    || value == "";
                if !(nothing && found.is_null()) {
                    lacks(value, found, &format!("{at}.{name}"), out);
                }
            }
        }
        // The chain of members.
        (Value::Array(all), Value::Array(found))
            if all.len() == found.len() && all.iter().all(Value::is_object) =>
        {
            for (index, (value, found)) in all.iter().zip(found).enumerate() {
                lacks(value, found, &format!("{at}[{index}]"), out);
            }
        }
        _ if expected == actual => {}
        _ => out.push(format!("{at}: expected {expected}, found {actual}")),
    }
}

#[test]
fn every_fixture_is_read_as_the_independent_tools_read_it() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    let mut sightings = 0;
    for expectation in expectations(Path::new("fixtures")) {
        let name = expectation
            .to_str()
            .unwrap()
            .trim_end_matches(".expect.json")
            .to_owned();
        let expected: Value = serde_json::from_slice(&fs::read(&expectation).unwrap()).unwrap();
        let bytes = fs::read(&name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let file_name = Path::new(&name).file_name().unwrap().to_str().unwrap();
        let given = expected["passwords"].as_array().into_iter().flatten();
        let given = given.map(|text| Secret::copy_of(text.as_str().unwrap().as_bytes()));
        let built_in = expected["default_passwords"] == true;
        let passwords = Passwords::new(given, built_in);
        let (mut found, gaps) = pipeline::examine_with(&bytes, file_name.as_bytes(), &passwords);
        cases += 1;
        let mut faults = Vec::new();
        let mut wanted = expected["sightings"].as_array().unwrap().clone();
        sightings += wanted.len();
        // The members of one armour share its place: they are told apart by their digests, and entries of a closed
        // store by their aliases.
        found.sort_by_cached_key(|s| {
            let digest = s
                .fingerprints
                .cert_sha256()
                .map(|digest| digest.to_string());
            let id = s
                .fingerprints
                .pkcs11_id()
                .map(str::to_owned)
                .unwrap_or_default();
            let alias = s.location.alias().cloned().unwrap_or_default();
            (s.location.offset, digest.unwrap_or_default(), alias, id)
        });
        wanted.sort_by_cached_key(|want| {
            let digest = want["fingerprints"]["cert_sha256"]
                .as_str()
                .unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let id = text(&want["fingerprints"]["pkcs11_id"]);
            let alias = text(&want["alias"]);
            (want["offset"].as_u64(), digest.to_owned(), alias, id)
        });
        if wanted.len() == found.len() {
            for (index, (want, have)) in wanted.iter().zip(&found).enumerate() {
                let have = serde_json::to_value(have).unwrap();
                // The place is told flat in expectations and inside `location` in records.
                let mut want = want.clone();
                let mut place = serde_json::Map::new();
                for member in ["line", "offset", "alias", "inside"] {
                    if let Some(value) = want.as_object_mut().unwrap().remove(member) {
                        place.insert(member.to_owned(), value);
                    }
                }
                want["location"] = Value::Object(place);
                lacks(&want, &have, &format!("[{index}]"), &mut faults);
            }
        } else {
            faults.push(format!(
                "{} sightings expected, {} found",
                wanted.len(),
                found.len()
            ));
        }
        let wanted = expected["gaps"].as_array().unwrap();
        // A gap without a reason only counts: any will do.
        let agree = wanted.len() == gaps.len()
            && wanted.iter().zip(&gaps).all(|(want, have)| {
                want["reason"]
                    .as_str()
                    .is_none_or(|reason| reason == have.reason.as_str())
            });
        if !agree {
            faults.push(format!("gaps {wanted:?} expected, {gaps:?} found"));
        }
        if !faults.is_empty() {
            wrong.push(format!("{name}: {}", faults.join("; ")));
        }
    }
    assert!(cases >= 300, "only {cases} cases");
    assert!(sightings >= 300, "only {sightings} sightings");
    assert!(
        wrong.is_empty(),
        "{} of {cases} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The folders that tell with `key_id.txt` that all below them is one key.
fn folders_of_one_key(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.join("key_id.txt").is_file() {
            found.push(path);
        } else if path.is_dir() {
            found.extend(folders_of_one_key(&path));
        }
    }
    found
}

#[test]
fn the_counts_by_kind_are_those_of_the_tools() {
    let count = |program: &str| {
        let output = Command::new("tests/count").arg(program).output();
        output.expect("tests/count needs python3")
    };
    let output = count(BINARY);
    let said = out(&output);
    assert!(output.status.success(), "{said}{}", err(&output));
    // A row for each kind, and more than a few of all.
    for kind in [
        "certificate",
        "private_key",
        "keystore",
        "pgp_secret_key",
        "symmetric_key",
    ] {
        assert!(said.lines().any(|line| line.starts_with(kind)), "{said}");
    }
    let all = said.lines().find(|line| line.starts_with("all ")).unwrap();
    let numbers: Vec<u64> = all
        .split_whitespace()
        .skip(1)
        .map(|n| n.parse().unwrap())
        .collect();
    assert!(numbers[0] > 2_000 && numbers[0] == numbers[1], "{all}");
    // A program that finds nothing differs in all of it.
    let dir = tempfile::tempdir().unwrap();
    let blind = dir.path().join("blind");
    fs::write(&blind, "#!/bin/sh\necho '{\"record\":\"end\"}'\n").unwrap();
    set_mode(&blind, 0o755);
    let output = count(arg(&blind));
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("differs"));
}

#[test]
fn one_key_has_one_identity_in_every_encoding() {
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    for dir in folders_of_one_key(Path::new("fixtures")) {
        let text = fs::read_to_string(dir.join("key_id.txt")).unwrap();
        let family = dir.components().nth(1).unwrap().as_os_str();
        *families
            .entry(family.to_str().unwrap().to_owned())
            .or_default() += 1;
        let mut encodings = 0;
        for expectation in expectations(&dir) {
            let name = expectation
                .to_str()
                .unwrap()
                .trim_end_matches(".expect.json")
                .to_owned();
            let expected: Value = serde_json::from_slice(&fs::read(&expectation).unwrap()).unwrap();
            let given = expected["passwords"].as_array().into_iter().flatten();
            let given = given.map(|text| Secret::copy_of(text.as_str().unwrap().as_bytes()));
            let passwords = Passwords::new(given, false);
            let bytes = fs::read(&name).unwrap();
            let (found, _) = pipeline::examine_with(&bytes, b"key", &passwords);
            for sighting in found.iter().filter(|s| s.kind != Kind::Keystore) {
                let key_id = sighting.key_id.as_ref().unwrap().to_string();
                if !key_id.starts_with("opaque") {
                    assert_eq!(key_id, text.trim(), "{name}");
                    encodings += 1;
                }
            }
        }
        // Of each GOST parameter set and each one of SLH-DSA there are at least the private and the public key.
        let least = if family == "identity" { 3 } else { 2 };
        assert!(
            encodings >= least,
            "{}: only {encodings} encodings",
            dir.display()
        );
    }
    for (family, least) in [
        ("identity", 19),
        ("sm2", 1),
        ("gost", 14),
        ("post_quantum_openssl", 18),
        ("pkcs8_v2", 5),
    ] {
        assert!(
            families.get(family) >= Some(&least),
            "{family}: {families:?}"
        );
    }
}
