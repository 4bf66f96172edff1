//! Large files are read in windows: wherever one ends, the same is found.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

use keymuster::pipeline::content::WINDOW;
use keymuster::pipeline::examine;
use std::fs;

/// Lets the first window end behind each byte of `object`, which stands behind a filler that ends as given.
fn cut_everywhere(what: &str, object: &[u8], filler: u8, last: &[u8], step: usize) {
    let sought = |bytes: &[u8]| {
        let (sightings, gaps) = examine(bytes, b"x");
        assert!(gaps.is_empty(), "{what}: {gaps:?}");
        sightings
            .into_iter()
            .map(|s| (s.kind, s.format, s.key_id, s.fingerprints))
            .collect::<Vec<_>>()
    };
    let expected = sought(object);
    assert!(!expected.is_empty(), "{what}");
    for cut in (1..=object.len()).step_by(step) {
        let mut bytes = vec![filler; WINDOW - cut - last.len()];
        bytes.extend_from_slice(last);
        bytes.extend_from_slice(object);
        bytes.extend_from_slice(&[filler; 40]);
        assert_eq!(sought(&bytes), expected, "{what} cut behind {cut} bytes");
    }
}

fn fixture(path: &str) -> Vec<u8> {
    fs::read(format!("fixtures/{path}")).unwrap()
}

#[test]
fn armours_are_found_wherever_a_window_ends() {
    let pem = fixture("identity/ed25519/pkcs8.pem");
    cut_everywhere("PEM", &pem, b'.', b"\n", 1);
    let text = String::from_utf8(pem.clone()).unwrap();
    let json = serde_json::to_vec(&text).unwrap();
    cut_everywhere("PEM in JSON", &json, b'.', b"\n", 1);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    cut_everywhere("PEM in UTF-16", &utf16, 0, b"\n\0", 1);
    let closed = fixture("traditional_encrypted/dsa2048_aes-128-cbc.pem");
    cut_everywhere("encrypted PEM", &closed, b'.', b"\n", 5);
    let ssh = fixture("identity/ed25519/rfc4716.txt");
    cut_everywhere("RFC 4716", &ssh, b'.', b"\n", 1);
    let spkac = fixture("spkac/p256.txt");
    cut_everywhere("SPKAC", &spkac, b'.', b"\n", 3);
}

#[test]
fn der_is_found_wherever_a_window_ends() {
    for (path, step) in [
        ("identity/p256/spki.der", 1),
        ("identity/p256/spki_explicit.der", 3),
        ("identity/ed25519/pkcs8.der", 1),
        ("identity/ed25519/certificate.der", 5),
        ("identity/dsa2048/spki.der", 29),
        ("pkcs7/one.der", 7),
        ("spkac/p256.der", 3),
        ("pki_path/chain.der", 43),
    ] {
        cut_everywhere(path, &fixture(path), 0xee, b"", step);
    }
}

#[test]
fn closed_things_are_told_wherever_a_window_ends() {
    let told = |bytes: &[u8]| {
        let (sightings, gaps) = examine(bytes, b"x");
        let sightings: Vec<_> = sightings
            .into_iter()
            .map(|s| (s.kind, s.format, s.key_id, s.fingerprints, s.rare))
            .collect();
        let gaps: Vec<_> = gaps.into_iter().map(|g| (g.reason, g.detail)).collect();
        (sightings, gaps)
    };
    for (path, step) in [
        ("sops/both.yaml", 61),
        ("sops/both.json", 67),
        ("sops/both.env", 71),
        ("sops/both.ini", 73),
        ("ansible_vault/labelled.yml", 7),
    ] {
        let object = fixture(path);
        let expected = told(&object);
        assert!(!expected.0.is_empty() && !expected.1.is_empty(), "{path}");
        for cut in (1..=object.len()).step_by(step) {
            let mut bytes = vec![b'.'; WINDOW - cut - 1];
            bytes.push(b'\n');
            bytes.extend_from_slice(&object);
            bytes.extend_from_slice(b"\n[other]\n");
            assert_eq!(told(&bytes), expected, "{path} cut behind {cut} bytes");
        }
    }
}
