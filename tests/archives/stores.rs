//! Keystores in archives and encodings are opened as they are elsewhere, and what they hold is told by the whole chain.

use super::kinds::KINDS;
use super::plants::pack;
use crate::support::{arg, keymuster, of_kind, open_directory, records};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Stores with certificates, of which some are opened by a built-in password.
const STORES: &[&str] = &[
    "jks/default_password.jks",
    "jceks/closed.jceks",
    "bks/closed.bks",
    "bcfks/default_password.bcfks",
    "pkcs12/default_password.p12",
    "gnupg_keybox/mixed/pubring.kbx",
    "nss/cert9.db",
    "nss/key4_empty_password.db",
];

/// Kind, identity and alias.
type Thing = (String, String, String);

/// Kind, identity and alias of everything found at each chain of types.
fn found(file: &Path) -> Vec<(Vec<String>, Vec<Thing>)> {
    let output = keymuster(&["scan", "-q", "-f", "jsonl", arg(file)]);
    let all = records(&output.stdout);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut chains: Vec<(Vec<String>, Vec<_>)> = Vec::new();
    for sighting in of_kind(&all, "sighting") {
        let location = &sighting["location"];
        let members = location["inside"].as_array().cloned().unwrap_or_default();
        let types: Vec<String> = members
            .iter()
            .map(|m| text(&m["type"]))
            .filter(|t| t != "field")
            .collect();
        let thing = (
            text(&sighting["kind"]),
            text(&sighting["key_id"]),
            text(&location["alias"]),
        );
        match chains.iter_mut().find(|(chain, _)| *chain == types) {
            Some((_, things)) => things.push(thing),
            None => chains.push((types, vec![thing])),
        }
    }
    for (_, things) in &mut chains {
        things.sort();
    }
    chains
}

#[test]
fn keystores_in_archives_and_encodings_are_opened() {
    let mut stores = 0;
    for name in STORES {
        let fixture = Path::new("fixtures").join(name);
        let keys = open_directory();
        fs::copy(&fixture, keys.path().join("store")).unwrap_or_else(|e| panic!("{name}: {e}"));
        // What is told of the store by itself is compared with the tools' words elsewhere.
        let [(_, plain)] = &found(&keys.path().join("store"))[..] else {
            panic!("{name}")
        };
        assert!(!plain.is_empty(), "{name}");
        let work = open_directory();
        for ending in ["tar.gz", "zip", "tar.xz", "solid.7z"] {
            let kind = KINDS.iter().find(|kind| kind.ending == ending).unwrap();
            let file = work.path().join(ending);
            pack(kind, keys.path(), &file);
            let chain: Vec<String> = kind.chain.iter().map(|t| (*t).to_owned()).collect();
            assert_eq!(found(&file), [(chain, plain.clone())], "{name} in {ending}");
            stores += 1;
        }
        let secret = work.path().join("secret.yaml");
        let script = "printf 'data:\\n  store: %s\\n' $(base64 -w0 $1) >$2";
        let status = Command::new("bash")
            .args(["-euc", script, "bash", arg(&fixture), arg(&secret)])
            .status()
            .unwrap();
        assert!(status.success());
        let in_base64 = found(&secret);
        // Of a binary file only what begins in a known way is worth decoding.
        if !name.starts_with("bks") && !name.starts_with("gnupg") && !name.starts_with("nss") {
            assert_eq!(
                in_base64,
                [(vec!["base64".to_owned()], plain.clone())],
                "{name} in base64"
            );
        }
    }
    assert_eq!(stores, 4 * STORES.len());
}
