//! Large files: keys across the borders of what is read at once, and files that are mostly hole.

use super::{places, read, swept};
use crate::support::{BINARY, arg, measured, of_kind, open_directory, told};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt as _;

/// As much is read at once.
const WINDOW: usize = 256 << 10;

/// One of each clothing, with the fingerprint that tells it.
const CASES: [(&str, &str); 9] = [
    ("identity/p256/certificate.pem", "cert_sha256"),
    ("identity/p256/certificate.der", "cert_sha256"),
    ("identity/rsa2048/certificate.der", "cert_sha256"),
    ("identity/p256/pkcs8.pem", "spki_sha256"),
    ("identity/rsa2048/pkcs8.der", "spki_sha256"),
    ("identity/p256/sec1.pem", "spki_sha256"),
    ("identity/ed25519/openssh_private", "ssh_sha256"),
    ("identity/rsa2048/openssh_public.pub", "ssh_sha256"),
    ("identity/rsa2048/rfc4716.txt", "ssh_sha256"),
];

/// Text in which there is nothing, of this length, the last byte of which ends a line.
fn filler(length: usize) -> Vec<u8> {
    let line = b"there is no key in here, line after line\n";
    let mut text = line.repeat(length / line.len() + 1);
    text.drain(..text.len() - length);
    text
}

/// Where the sightings with the fingerprint that the tools told lie, for each file.
fn found(records: &[Value], fixture: &str, fingerprint: &str) -> BTreeMap<String, Vec<u64>> {
    let wanted = told(fixture)["fingerprints"][fingerprint].clone();
    assert!(wanted.is_string(), "{fixture}");
    let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (sighting, (path, _, offset)) in of_kind(records, "sighting").iter().zip(places(records)) {
        assert_eq!(
            sighting["fingerprints"][fingerprint], wanted,
            "{path} {offset}"
        );
        found.entry(path).or_default().push(offset);
    }
    found
}

#[test]
fn a_key_across_the_first_border_is_found_wherever_the_border_cuts_it() {
    for (fixture, fingerprint) in CASES {
        let dir = open_directory();
        let key = fs::read(format!("fixtures/{fixture}")).unwrap();
        // Every cut through the beginning, which declares it, and through the end; some through the body.
        let cuts = (0..=40)
            .chain((40..key.len()).step_by(37))
            .chain(key.len() - 30..=key.len() + 1);
        let mut expected = BTreeMap::new();
        for cut in cuts {
            let path = dir.path().join(format!("cut-{cut:05}"));
            let at = WINDOW - cut;
            let text = [&filler(at)[..], &key, b"\n", &filler(5_000)].concat();
            fs::write(&path, text).unwrap();
            expected.insert(arg(&path).to_owned(), vec![at as u64]);
        }
        let sweep = swept(0, &[dir.path()]);
        assert!(found(&sweep, fixture, fingerprint) == expected, "{fixture}");
        assert!(of_kind(&sweep, "gap").is_empty(), "{fixture}");
    }
}

#[test]
fn keys_at_all_borders_of_a_large_file_are_found() {
    let dir = open_directory();
    for (number, (fixture, fingerprint)) in CASES.into_iter().enumerate() {
        let path = dir.path().join(format!("{number}"));
        let key = fs::read(format!("fixtures/{fixture}")).unwrap();
        // Sparse at the beginning, then around each multiple of the window, then one beside the other.
        let (mut text, mut expected) = (Vec::new(), Vec::new());
        for border in 1..=6 {
            let room = border * WINDOW - key.len() / 2 - text.len();
            text.extend(filler(room));
            expected.push(text.len() as u64);
            text.extend_from_slice(&key);
            text.push(b'\n');
        }
        while text.len() < 9 * WINDOW {
            expected.push(text.len() as u64);
            text.extend_from_slice(&key);
            text.push(b'\n');
        }
        fs::write(&path, text).unwrap();
        let sweep = swept(0, &[&path]);
        let found = found(&sweep, fixture, fingerprint);
        assert!(found[arg(&path)] == expected, "{fixture}");
    }
}

#[test]
fn ten_gigabytes_of_hole_cost_neither_memory_nor_time() {
    let dir = open_directory();
    let path = dir.path().join("sparse");
    let file = fs::File::create(&path).unwrap();
    file.set_len(10 << 30).unwrap();
    let fixture = "identity/rsa2048/certificate.pem";
    let key = fs::read(format!("fixtures/{fixture}")).unwrap();
    // In its middle, across a page; and the last bytes of all.
    let middle = (5 << 30) - 100;
    let last = (10 << 30) - key.len() as u64;
    for at in [middle, last] {
        file.write_all_at(&key, at).unwrap();
    }
    let begun = std::time::Instant::now();
    let (output, cost) = measured(BINARY, &["scan", "-f", "jsonl", arg(&path)]);
    let records = read(&output, 0, "a sparse file");
    let found = found(&records, fixture, "cert_sha256");
    assert_eq!(found[arg(&path)], [middle, last]);
    assert!(cost.memory < 100.0, "{cost:?}");
    assert!(cost.cpu < 2.0, "{cost:?}");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    // And it is told how much was read.
    let bytes = of_kind(&records, "end")[0]["bytes"].as_u64().unwrap();
    assert!(bytes < 16 << 20, "{bytes}");
}
