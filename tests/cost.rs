//! What hostile bytes cost: each hit has a bounded share, however many stand in one line, armour or object.

use keymuster::formats::wire::der;
use keymuster::model::{GapReason, Passwords};
use keymuster::pipeline::place::{examine, examine_with};
use std::fs;
use std::time::Duration;

/// How many bytes each text has.
const SIZE: usize = 256 << 10;
/// What they may take in a debug build, on a slow machine that others use.
const MOST: Duration = Duration::from_secs(5);

/// A text of `SIZE` bytes: the head, and then the unit again and again.
fn repeated(head: &[u8], unit: &[u8]) -> Vec<u8> {
    let mut bytes = head.to_vec();
    while bytes.len() < SIZE {
        bytes.extend_from_slice(unit);
    }
    bytes
}

fn wide(text: &str, high_first: bool) -> Vec<u8> {
    let pair = |byte| if high_first { [0, byte] } else { [byte, 0] };
    text.bytes().flat_map(pair).collect()
}

/// A key line of an algorithm that nobody knows, which is a key all the same.
const KEY: &str = "abc AAAAA2FiYwAAABAHBwcHBwcHBwcHBwcHBwcH ";

/// What this thread took of a processor so far, which does not depend on what else the machine does. The unit of the kernel is
/// a hundredth of a second (proc(5), `/proc/pid/stat`, fields 14 and 15).
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2);
    Duration::from_millis(ticks.map(|t| t.parse::<u64>().unwrap() * 10).sum())
}

fn cost_little(name: &str, cases: Vec<(&str, Vec<u8>)>) {
    for (case, bytes) in cases {
        let start = processor_time();
        let (sightings, gaps) = examine(&bytes, b"x");
        let took = processor_time() - start;
        println!(
            "{name}, {case}: {took:?}, {} sightings, {} gaps",
            sightings.len(),
            gaps.len()
        );
        assert!(took < MOST, "{name}, {case}: {took:?}");
    }
}

#[test]
fn many_keys_on_lines_of_any_length() {
    let line = |lead: &str, keys: usize| format!("{lead}{}\n", KEY.repeat(keys)).into_bytes();
    let a = "a".repeat(8 << 10);
    cost_little(
        "lines",
        vec![
            ("endless", repeated(b"", KEY.as_bytes())),
            ("endless comment", repeated(b"# ", KEY.as_bytes())),
            ("comment", repeated(b"", &line("# ", 250))),
            ("blanks", repeated(b"", &line(&" ".repeat(8 << 10), 250))),
            ("list", repeated(b"", &line(&"- ".repeat(4 << 10), 250))),
            ("word", repeated(b"", &line(&a, 250))),
            (
                "quoted",
                repeated(b"", &line(&format!("command=\"{a}"), 250)),
            ),
            (
                "escapes",
                repeated(
                    b"",
                    &line(&format!("command=\"{}", "\\\"".repeat(4 << 10)), 250),
                ),
            ),
            (
                "options",
                repeated(b"", &line(&"no-pty,".repeat(1 << 10), 250)),
            ),
            ("hosts", repeated(b"", &line(&"a.b,".repeat(2 << 10), 250))),
            (
                "grants amid",
                repeated(b"", format!("from=\"{KEY}\" {KEY}\n").as_bytes()),
            ),
            ("bare hits", repeated(b"", b" AAAA")),
            ("tabs", repeated(b"", b"\tAAAA")),
        ],
    );
}

#[test]
fn many_armours() {
    let digits = "QUJD".repeat(20);
    let open = "-----BEGIN CERTIFICATE-----\n";
    let all = [
        ("open", open.to_owned()),
        ("cut", format!("{open}{digits}\n")),
        ("broken", format!("{open}{digits}!\n")),
        (
            "ended",
            format!("{open}{digits}\n-----END CERTIFICATE-----\n"),
        ),
        ("mentioned", "-----BEGIN ".to_owned()),
        ("quoted", format!("\"{open}{digits}\"")),
    ];
    let mut cases = Vec::new();
    for (case, text) in &all {
        cases.push((*case, repeated(b"", text.as_bytes())));
        cases.push((*case, repeated(b"", &wide(text, false))));
        cases.push((*case, repeated(b"", &wide(text, true))));
    }
    cases.push((
        "SSH2",
        repeated(b"", b"---- BEGIN SSH2 PUBLIC KEY ----\nA: b\nQUJD\n"),
    ));
    cost_little("armours", cases);
}

#[test]
fn many_objects_in_one_another() {
    let signed: &[u8] = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80";
    assert_eq!(signed.len(), 15);
    // Each object reaches over many others, which stand in octet strings of the first.
    let hidden = [&[0x04, 15], signed].concat();
    let ended = [&[0x04, 5][..], b"\x30\x83\x03\xff\xf0\x02\x01\x00\x30\x00"].concat();
    let mut nested = Vec::new();
    let step = 15;
    for number in 0..SIZE / step {
        let left = SIZE - number * step;
        let length = |bytes: usize| bytes.to_be_bytes()[5..].to_vec();
        nested.extend(
            [
                &[0x30, 0x83][..],
                &length(left - 5),
                b"\x02\x01\x00\x30\x00",
                &[0x04, 0x83],
                &length(left - step),
            ]
            .concat(),
        );
    }
    let nested = [nested, vec![0; SIZE % step]].concat();
    cost_little(
        "objects",
        vec![
            ("lengths alone", repeated(b"", b"\x30\x82\xff\xff")),
            (
                "versions",
                repeated(b"", b"\x30\x83\x0f\xff\xff\x02\x01\x00\x30"),
            ),
            (
                "short versions",
                repeated(b"", b"\x30\x82\x10\x00\x02\x01\x00\x30\x00"),
            ),
            (
                "keys",
                repeated(b"", b"\x30\x82\x10\x00\x02\x01\x00\x02\x82\x01\x01"),
            ),
            (
                "public keys",
                repeated(b"", b"\x30\x82\x10\x00\x02\x82\x01\x01\x00"),
            ),
            (
                "certificates",
                repeated(
                    b"",
                    b"\x30\x83\x01\x00\x00\x30\x82\x10\x00\xa0\x03\x02\x01\x02\x02\x01\x01",
                ),
            ),
            ("hidden", repeated(b"", &ended)),
            ("nested", nested),
            ("signed data", repeated(b"", signed)),
            ("signed data in strings", repeated(b"", &hidden)),
            (
                "OpenSSH",
                repeated(b"", b"openssh-key-v1\0\0\0\0\x04none\0\x0f\xff\xff"),
            ),
        ],
    );
}

/// A BCFKS store that is closed with scrypt of that salt and these numbers; what stands in it is noise.
fn bcfks(salt: &[u8], n: u8, r: u8, p: u8) -> Vec<u8> {
    const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
    const SCRYPT: &[u8] = b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b";
    const KEY_WRAP: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x30";
    const HMAC: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x0b";
    let sequence = |parts: &[&[u8]]| der::encode(der::SEQUENCE, parts);
    let octets = |bytes: &[u8]| der::encode(der::OCTET_STRING, &[bytes]);
    let id = |oid: &[u8]| der::encode(der::OID, &[oid]);
    let [n, r, p, length] = [n, r, p, 32].map(|number| der::encode_unsigned(&[number]));
    let function = sequence(&[
        &id(SCRYPT),
        &sequence(&[&octets(salt), &n, &r, &p, &length]),
    ]);
    let cipher = sequence(&[&id(KEY_WRAP)]);
    let algorithm = sequence(&[&id(PBES2), &sequence(&[&function, &cipher])]);
    let noise: Vec<u8> = (0..=255).collect();
    sequence(&[
        &sequence(&[&algorithm, &octets(&noise)]),
        &sequence(&[&sequence(&[&id(HMAC)]), &function, &octets(&noise[..64])]),
    ])
}

#[test]
fn stores_that_ask_for_more_work_than_is_granted() {
    let fixture = |name: &str| fs::read(format!("fixtures/{name}")).unwrap();
    let cases = [
        (
            "ten million iterations",
            fixture("bcfks/ten_million_iterations.bcfks"),
        ),
        (
            "four billion iterations",
            fixture("bcfks/four_billion_iterations.bcfks"),
        ),
        ("64 GiB", fixture("bcfks/scrypt_64_gib.bcfks")),
        (
            "PKCS#12, ten million",
            fixture("pkcs12/ten_million_iterations.p12"),
        ),
        // 1,024 blocks that each begin with the whole salt.
        ("a salt of 2 MiB", bcfks(&vec![7; 2 << 20], 2, 16, 16)),
    ];
    let passwords = Passwords::new([], true);
    for (case, bytes) in cases {
        let start = processor_time();
        let (sightings, gaps) = examine_with(&bytes, b"x", &passwords);
        let took = processor_time() - start;
        let limits = gaps.iter().filter(|gap| gap.reason == GapReason::Limit);
        assert!(limits.count() >= 1, "{case}: {gaps:?}");
        assert!(!sightings.is_empty(), "{case}");
        assert!(took < MOST, "{case}: {took:?}");
    }
    // The same with little salt is tried to the end.
    let (_, gaps) = examine_with(&bcfks(b"salt", 2, 16, 16), b"x", &passwords);
    let reasons: Vec<GapReason> = gaps.iter().map(|gap| gap.reason).collect();
    assert_eq!(reasons, [GapReason::Encrypted]);
}

#[test]
fn many_closed_things() {
    let digits = "61".repeat(40);
    let value = "ENC[AES256_GCM,data:aaaaaaaaaaaaaaaaaaaaaaaa,iv:a=,tag:a=,type:str]\n";
    let vault = format!("$ANSIBLE_VAULT;1.1;AES256\n{digits}\n{digits}\n{digits}\n");
    let unit = |text: String| repeated(b"", text.as_bytes());
    cost_little(
        "closed things",
        vec![
            ("vaults", unit(vault.clone())),
            (
                "vaults, headers alone",
                unit("$ANSIBLE_VAULT;1.1;AES256\n".to_owned()),
            ),
            ("SPKAC", unit(format!("SPKAC={}\n", "M".repeat(100)))),
            ("SPKAC, endless", unit("SPKAC=MMMM".to_owned())),
            ("SOPS, values", unit(format!("a: {value}"))),
            ("SOPS, cut values", unit("ENC[AES256_GCM,data:".to_owned())),
            (
                "SOPS, YAML",
                repeated(b"sops:\n", format!("  mac: {value}").as_bytes()),
            ),
            (
                "SOPS, YAML, each its own",
                unit(format!("sops:\n  mac: {value}  version: 1\n")),
            ),
            (
                "SOPS, JSON",
                unit(format!("{{\"sops\":{{\"mac\":\"{}\"", value.trim_end())),
            ),
            ("SOPS, dotenv", unit(format!("sops_mac={value}"))),
            (
                "SOPS, INI",
                repeated(b"[sops]\n", format!("mac = {value}").as_bytes()),
            ),
        ],
    );
}
