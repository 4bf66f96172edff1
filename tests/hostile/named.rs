//! The cases that everybody tries first, by name: each ends with a gap or nothing, in two seconds and 256 MB.

use super::read;
use crate::support::{BINARY, arg, gaps, measured, of_kind, open_directory};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keymuster::formats::wire::der;
use serde_json::Value;
use std::fs;
use std::process::Command;

/// Processor seconds; waiting for other programs of the machine is not counted.
const SECONDS: f64 = 2.0;
const MEGABYTES: f64 = 256.0;
/// What opens the fixtures.
const PASSWORDS: &str = "fixtures/passphrases.txt";

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("fixtures/{name}")).unwrap()
}

/// Sweeps one file that holds these bytes, with passwords to try; gives what was told.
fn told(name: &str, bytes: &[u8]) -> Vec<Value> {
    let dir = open_directory();
    let path = dir.path().join("tree").join("hostile");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    let scan = [
        "scan",
        arg(path.parent().unwrap()),
        "-f",
        "jsonl",
        "--allow-gaps",
        "limit",
    ];
    let bounded = ["-s", "KILL", "60", BINARY];
    let passwords = ["--passwords", PASSWORDS];
    let (output, cost) = measured("timeout", &[&bounded[..], &scan, &passwords].concat());
    let records = read(&output, 0, name);
    println!(
        "{name}: {} bytes, {cost:?}, {:?}",
        bytes.len(),
        gaps(&records)
    );
    assert!(cost.cpu < SECONDS, "{name}: {cost:?}");
    assert!(cost.memory < MEGABYTES, "{name}: {cost:?}");
    for sighting in of_kind(&records, "sighting") {
        let offset = sighting["location"]["offset"].as_u64().unwrap_or_default();
        assert!(offset < bytes.len() as u64, "{name}: {sighting}");
    }
    records
}

/// The reasons of the gaps, each once.
fn reasons(records: &[Value]) -> Vec<String> {
    let mut reasons: Vec<String> = gaps(records)
        .into_iter()
        .map(|(_, reason)| reason)
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons
}

fn kinds(records: &[Value]) -> Vec<&str> {
    let sightings = of_kind(records, "sighting").into_iter();
    let mut kinds: Vec<&str> = sightings.map(|s| s["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds
}

/// A big-endian number of four octets.
fn u32_be(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_be_bytes()
}

#[test]
fn a_jks_that_claims_four_billion_certificates() {
    // As keytool made them but for the counts.
    for name in [
        "jks/four_billion_certificates.jks",
        "jks/four_billion_entries.jks",
    ] {
        let records = told(name, &fixture(name));
        assert!(!reasons(&records).is_empty(), "{name}");
    }
    // Nothing but claims: magic, version, one entry with a chain of 2^32 - 1, and entries that claim the same.
    let claim = [
        &[0, 0, 0, 2, 0, 1][..],
        b"a",
        &[0; 8],
        b"\0\0\0\0",
        &[0xff; 4],
    ]
    .concat();
    for (magic, name) in [(b"\xfe\xed\xfe\xed", "JKS"), (b"\xce\xce\xce\xce", "JCEKS")] {
        let head = [&magic[..], &[0, 0, 0, 2], &[0xff; 4]].concat();
        let endless = [head.clone(), claim.repeat(100_000)].concat();
        for (what, bytes) in [("head", &head), ("claims", &endless)] {
            let records = told(&format!("{name}, {what}"), bytes);
            assert!(!reasons(&records).is_empty(), "{name}, {what}");
            assert!(!kinds(&records).contains(&"private_key"));
        }
    }
}

#[test]
fn a_pkcs12_with_ten_million_iterations() {
    let bytes = fixture("pkcs12/ten_million_iterations.p12");
    let records = told("ten million iterations", &bytes);
    assert_eq!(reasons(&records), ["limit"]);
    let details: String = of_kind(&records, "gap")
        .iter()
        .map(|gap| gap["detail"].to_string())
        .collect();
    assert!(details.contains("10000000 iterations"), "{details}");
    assert!(
        of_kind(&records, "sighting")
            .iter()
            .all(|s| s["opened"].is_null())
    );
    // A thousand of them in one file.
    let records = told("a thousand times ten million", &bytes.repeat(1000));
    assert!(reasons(&records).contains(&"limit".to_owned()));
}

/// A legal store that is dear to open, by openssl: what is granted for a file opens it or not, in bounded time.
#[test]
fn a_pkcs12_that_is_legal_and_slow() {
    let dir = open_directory();
    let password = fs::read_to_string(PASSWORDS).unwrap();
    for (iterations, mac) in [
        ("100000", "sha256"),
        ("300000", "sha256"),
        ("300000", "sha512"),
        ("1500000", "sha256"),
    ] {
        let path = dir.path().join("store");
        let made = Command::new("openssl")
            .args([
                "pkcs12",
                "-export",
                "-inkey",
                "fixtures/identity/p256/pkcs8.pem",
            ])
            .args([
                "-in",
                "fixtures/identity/p256/certificate.pem",
                "-macalg",
                mac,
            ])
            .args(["-iter", iterations, "-passout"])
            .arg(format!("pass:{}", password.trim_end()))
            .arg("-out")
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        let name = format!("{iterations} iterations, {mac}");
        let bytes = fs::read(&path).unwrap();
        let records = slow(&name, &bytes);
        let opened = of_kind(&records, "sighting")
            .iter()
            .any(|s| !s["opened"].is_null());
        // Either it opens, or it is told that it asks for too much.
        assert!(opened || reasons(&records) == ["limit"], "{name}");
        if iterations == "100000" {
            assert!(opened, "{name}");
        }
    }
}

/// The same as `told`, where work is to be done: code that was not optimised takes longer for it.
fn slow(name: &str, bytes: &[u8]) -> Vec<Value> {
    let dir = open_directory();
    let path = dir.path().join("tree").join("hostile");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    let scan = [
        "scan",
        arg(path.parent().unwrap()),
        "-f",
        "jsonl",
        "--allow-gaps",
        "limit",
    ];
    let (output, cost) = measured(BINARY, &[&scan[..], &["--passwords", PASSWORDS]].concat());
    println!("{name}: {cost:?}");
    let factor = if cfg!(debug_assertions) { 2.5 } else { 1.0 };
    assert!(cost.cpu < SECONDS * factor, "{name}: {cost:?}");
    assert!(cost.memory < MEGABYTES, "{name}: {cost:?}");
    read(&output, 0, name)
}

/// An encrypted PKCS#8 key whose key comes from scrypt with these parameters (RFC 7914, section 7).
fn scrypt_key(n: u64, r: u64, p: u64) -> Vec<u8> {
    let number = |number: u64| {
        let bytes = number.to_be_bytes();
        let start = bytes.iter().position(|b| *b != 0).unwrap_or(7);
        let sign: &[u8] = if bytes[start] & 0x80 == 0 { &[] } else { &[0] };
        der::encode(der::INTEGER, &[sign, &bytes[start..]])
    };
    let seq = |parts: &[&[u8]]| der::encode(der::SEQUENCE, parts);
    let oid = |hex: &[u8]| der::encode(der::OID, &[hex]);
    let salt = der::encode(der::OCTET_STRING, &[&[7; 8]]);
    let parameters = seq(&[&salt, &number(n), &number(r), &number(p)]);
    let kdf = seq(&[&oid(b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b"), &parameters]);
    let iv = der::encode(der::OCTET_STRING, &[&[9; 16]]);
    let cipher = seq(&[&oid(b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"), &iv]);
    let pbes2 = seq(&[
        &oid(b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"),
        &seq(&[&kdf, &cipher]),
    ]);
    seq(&[&pbes2, &der::encode(der::OCTET_STRING, &[&[5; 48]])])
}

fn pem(label: &str, body: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(body);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
    .into_bytes()
}

#[test]
fn scrypt_that_wants_64_gib() {
    // N r 128 octets: 2^26 x 8 x 128 is 64 GiB; the others are as large as numbers go, or many small ones.
    for (n, r, p) in [
        (1 << 26, 8, 1),
        (1 << 20, 512, 1),
        (2, 1 << 29, 1),
        (1 << 63, 8, 1),
        (u64::MAX, u64::MAX, u64::MAX),
        (1 << 16, 8, 1 << 24),
    ] {
        let key = scrypt_key(n, r, p);
        for (clothes, bytes) in [
            ("DER", key.clone()),
            ("PEM", pem("ENCRYPTED PRIVATE KEY", &key)),
        ] {
            let name = format!("scrypt {n} {r} {p} in {clothes}");
            let records = told(&name, &bytes);
            assert_eq!(reasons(&records), ["limit"], "{name}");
            assert_eq!(kinds(&records), ["private_key"], "{name}");
        }
    }
    // The same with what is usual is tried, and none of the passwords opens it.
    let records = told("scrypt of 16 MiB", &scrypt_key(1 << 14, 8, 1));
    assert_eq!(kinds(&records), ["private_key"]);
    assert!(
        !reasons(&records).contains(&"limit".to_owned()),
        "{:?}",
        reasons(&records)
    );
}

/// Objects of this tag in one another.
fn nested(tag: u8, depth: usize) -> Vec<u8> {
    // From the inside out, each head stands before all that was.
    let mut heads: Vec<Vec<u8>> = Vec::new();
    let mut length = 0;
    for _ in 0..depth {
        let head = match length {
            0..0x80 => vec![tag, u8::try_from(length).unwrap()],
            0x80..0x1_0000 => [&[tag, 0x82][..], &u32_be(length)[2..]].concat(),
            _ => [&[tag, 0x83][..], &u32_be(length)[1..]].concat(),
        };
        length += head.len();
        heads.push(head);
    }
    heads.reverse();
    heads.concat()
}

#[test]
fn der_nested_ten_thousand_deep() {
    for depth in [10_000, 60_000] {
        for tag in [0x30, 0x31, 0xa0, 0x24] {
            let definite = nested(tag, depth);
            let indefinite = [[tag, 0x80].repeat(depth), vec![0; 2 * depth]].concat();
            let open = [tag, 0x80].repeat(depth);
            for (form, bytes) in [
                ("definite", definite),
                ("indefinite", indefinite),
                ("open", open),
            ] {
                let name = format!("{depth} of {tag:02x}, {form}");
                for (clothes, bytes) in [
                    ("bare", bytes.clone()),
                    ("CERTIFICATE", pem("CERTIFICATE", &bytes)),
                    ("PRIVATE KEY", pem("PRIVATE KEY", &bytes)),
                    ("PKCS7", pem("PKCS7", &bytes)),
                ] {
                    // A debug build reads slowly: the clothes of the deeper ones are like those of the others.
                    if depth > 10_000 && clothes != "bare" {
                        continue;
                    }
                    let records = told(&format!("{name}, {clothes}"), &bytes);
                    assert!(kinds(&records).is_empty(), "{name}, {clothes}");
                    assert_eq!(
                        reasons(&records).is_empty(),
                        clothes == "bare",
                        "{name}, {clothes}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_openssh_key_with_a_length_past_its_end() {
    let text = String::from_utf8(fixture("openssh_private/ed25519")).unwrap();
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let blob = STANDARD.decode(body).unwrap();
    assert!(blob.starts_with(b"openssh-key-v1\0"));
    // Every length in the clear part: cipher, derivation, options, number of keys, public half, private half.
    let mut at = 15;
    let mut places = Vec::new();
    for field in 0..6 {
        places.push(at);
        let length = u32::from_be_bytes(blob[at..at + 4].try_into().unwrap());
        at += 4 + if field == 3 {
            0
        } else {
            usize::try_from(length).unwrap()
        };
    }
    assert_eq!(at, blob.len());
    for place in places {
        for length in [u32::MAX, 0x7fff_ffff, u32::try_from(blob.len()).unwrap()] {
            let mut bytes = blob.clone();
            bytes[place..place + 4].copy_from_slice(&length.to_be_bytes());
            let name = format!("OpenSSH, {length} at {place}");
            // Bare bytes that are no key may be chance; an armour declares itself.
            let clothes = [(pem("OPENSSH PRIVATE KEY", &bytes), true), (bytes, false)];
            for (bytes, armoured) in clothes {
                let records = told(&name, &bytes);
                assert!(!kinds(&records).contains(&"private_key"), "{name}");
                assert!(!(armoured && reasons(&records).is_empty()), "{name}");
            }
        }
    }
}

#[test]
fn a_keybox_whose_blobs_overlap() {
    let records = told("overlapping.kbx", &fixture("gnupg_keybox/overlapping.kbx"));
    assert!(!reasons(&records).is_empty());
    // Many blobs, each of which says that it reaches to the end of the file.
    let head = [&u32_be(32)[..], &[1, 1, 0, 0], b"KBXf", &[0; 20]].concat();
    let count = 100_000;
    let mut bytes = head;
    let size = 32 + count * 32;
    for number in 0..count {
        let length = size - 32 - number * 32;
        // An OpenPGP blob of one key whose parts lie where others lie.
        bytes.extend(
            [
                &u32_be(length)[..],
                &[2, 1, 0, 0],
                &u32_be(8),
                &u32_be(length - 8),
                &[0, 1, 0, 28],
                &[0; 12],
            ]
            .concat(),
        );
    }
    assert_eq!(bytes.len(), size);
    let records = told("a hundred thousand blobs in one another", &bytes);
    assert!(of_kind(&records, "gap").len() < 1000);
}

#[test]
fn an_sqlite_file_with_a_page_that_loops() {
    let records = told("looping_page.db", &fixture("nss/looping_page.db"));
    assert_eq!(reasons(&records), ["malformed"]);
    // Every page is an interior one, of tables or of indices, and all point to each other.
    let good = fixture("nss/cert9.db");
    let size = usize::from(u16::from_be_bytes([good[16], good[17]]));
    let pages = 512;
    for kind in [5, 2] {
        for spread in [0, 1, 7] {
            let mut bytes = good.clone();
            bytes.resize(pages * size, 0);
            bytes[28..32].copy_from_slice(&u32_be(pages));
            for page in 1..pages {
                let start = page * size;
                let child = |n: usize| 1 + (page + n * spread) % pages;
                let cells = (size - 12) / (2 + 5) - 1;
                let mut head = vec![kind, 0, 0];
                head.extend(u16::try_from(cells).unwrap().to_be_bytes());
                head.extend([0, 0, 0]);
                head.extend(u32_be(child(cells)));
                bytes[start..start + 12].copy_from_slice(&head);
                for cell in 0..cells {
                    let place = size - 5 * (cell + 1);
                    let pointer = start + 12 + 2 * cell;
                    bytes[pointer..pointer + 2]
                        .copy_from_slice(&u16::try_from(place).unwrap().to_be_bytes());
                    bytes[start + place..start + place + 4].copy_from_slice(&u32_be(child(cell)));
                    bytes[start + place + 4] = 1;
                }
            }
            let name = format!("pages of kind {kind}, spread by {spread}");
            let records = told(&name, &bytes);
            assert!(!reasons(&records).is_empty(), "{name}");
        }
    }
}

#[test]
fn an_sqlite_record_whose_overflow_pages_loop() {
    // Every page but the first of a database with large rows says that the next page is itself.
    let good = fixture("nss/key4_opened.db");
    let size = usize::from(u16::from_be_bytes([good[16], good[17]]));
    let mut told_any = false;
    for page in 1..good.len() / size {
        let mut bytes = good.clone();
        bytes[page * size..page * size + 4].copy_from_slice(&u32_be(page + 1));
        let records = told(&format!("page {} leads to itself", page + 1), &bytes);
        told_any |= !reasons(&records).is_empty();
    }
    assert!(told_any);
}
