//! `explain`: one thing by any of its names.

use super::Case;
use crate::support::{arg, err, expect, out, told};
use serde_json::Value;

#[test]
fn a_key_is_found_by_any_of_its_names() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.full_inventory());
    let (kept, report) = (case.at("kept"), case.at("report.json"));
    let options = [
        "--host",
        "web01",
        "--sweep",
        arg(&kept),
        "-f",
        "json",
        "-o",
        arg(&report),
    ];
    let scan = [&["scan", arg(&tree), "-i", arg(&inventory)], &options[..]].concat();
    expect(0, &scan);
    let document: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let explain = |code: i32, id: &str| {
        let args = [
            "explain",
            id,
            arg(&kept),
            "-i",
            arg(&inventory),
            "-f",
            "json",
        ];
        let output = expect(code, &args);
        let from_report = expect(code, &["explain", id, arg(&report), "-f", "json"]);
        if code != 0 {
            assert!(err(&output).contains("names no key"), "{}", err(&output));
            return Vec::new();
        }
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let again: Value = serde_json::from_slice(&from_report.stdout).unwrap();
        let ids = |found: &Value| -> Vec<String> {
            let keys = found["keys"].as_array().unwrap().iter();
            keys.map(|key| key["key_id"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(ids(&found), ids(&again), "{id}");
        ids(&found)
    };
    // As openssl and ssh-keygen told the fingerprints.
    let server = told("identity/p256/certificate.pem");
    let person = told("identity/ed25519/openssh_private");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let server_id = text(&server["key_id"]);
    let prints = &server["fingerprints"];
    let colons = |hex: &str| {
        let pairs: Vec<&str> = (0..hex.len() / 2).map(|i| &hex[2 * i..2 * i + 2]).collect();
        pairs.join(":")
    };
    let (sha256, sha1) = (text(&prints["cert_sha256"]), text(&prints["cert_sha1"]));
    let spki = text(&prints["spki_sha256"]);
    for id in [
        server_id.clone(),
        spki.clone(),
        sha256.clone(),
        sha256.to_uppercase(),
        colons(&sha256),
        colons(&sha256).to_uppercase(),
        // As openssl prints it.
        format!("sha256 Fingerprint={}", colons(&sha256).to_uppercase()),
        format!("SHA256:{sha256}"),
        sha1.clone(),
        colons(&sha1).to_uppercase(),
        colons(&sha1).replace(':', " "),
        text(&prints["cert_md5"]),
        sha256[..16].to_owned(),
        text(&server["certificate"]["serial"]),
        format!("{}/tls/a.crt", arg(&tree)),
        format!("{}/tls/a.key", arg(&tree)),
        format!("web01:{}/tls/a.key", arg(&tree)),
        "K-1".to_owned(),
        "full.csv:2".to_owned(),
    ] {
        assert_eq!(explain(0, &id), std::slice::from_ref(&server_id), "{id}");
    }
    let person_id = text(&person["key_id"]);
    let ssh = text(&person["fingerprints"]["ssh_sha256"]);
    let md5 = text(&person["fingerprints"]["ssh_md5"]);
    for id in [
        person_id.clone(),
        ssh.clone(),
        ssh.trim_start_matches("SHA256:").to_owned(),
        format!("{ssh}="),
        md5.clone(),
        md5.trim_start_matches("MD5:").to_owned(),
        "K-2".to_owned(),
        format!("web01:{}/ssh/id", arg(&tree)),
    ] {
        assert_eq!(explain(0, &id), std::slice::from_ref(&person_id), "{id}");
    }
    // A host names all that is there.
    assert_eq!(explain(0, "web01").len(), 2);
    // Every finding can be asked about.
    let mut findings = 0;
    for key in document["keys"].as_array().unwrap() {
        for flag in key["flags"].as_array().unwrap() {
            findings += 1;
            assert_eq!(
                explain(0, flag["id"].as_str().unwrap()),
                [text(&key["key_id"])]
            );
        }
    }
    assert!(findings > 0);
    for id in [
        "K-3",
        "",
        "web02",
        "/tls/a.key",
        &format!("web02:{}/tls/a.key", arg(&tree)),
        &"0".repeat(64),
        "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "f:0000000000000000",
    ] {
        explain(2, id);
    }
}

#[test]
fn it_says_where_how_matched_and_why() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.partial_inventory());
    let kept = case.at("kept");
    expect(
        0,
        &["scan", arg(&tree), "--host", "web01", "--sweep", arg(&kept)],
    );
    let explain = |id: &str| {
        let args = ["explain", id, arg(&kept), "-i", arg(&inventory)];
        out(&expect(0, &args))
    };
    let said = explain("K-1");
    for word in [
        "matched by cert_sha256",
        "owner alice",
        "subject CN=identity.example",
        &super::server_certificate(),
        &format!("web01:{}/tls/a.key", arg(&tree)),
        "mode 0600 root:root",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let said = explain(&super::person_ssh());
    for word in [
        "in no row of the inventory",
        "high unknown (f:",
        "rule: Every key of a host is in the inventory",
        "to do: Find out who put it there.",
        "exists since ",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // Lines and documents tell the same.
    for format in ["json", "jsonl"] {
        let args = [
            "explain",
            "K-1",
            arg(&kept),
            "-i",
            arg(&inventory),
            "-f",
            format,
        ];
        let text = out(&expect(0, &args));
        assert!(text.contains("spki-sha256:"), "{text}");
    }
}
