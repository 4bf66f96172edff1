//! No private number, passphrase or secret of any fixture is in anything that the program writes: every command,
//! form, log, error and kept sweep, over the estate and over all other fixtures.

mod extract;

use self::extract::ByFamily;
use crate::support::{BINARY, NOW, arg, command, keymuster, lay_out, of_kind, plant, records};
use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// As many bytes of a number betray it.
const PIECE: usize = 16;

/// Bytes that stood as text.
type Decoded = Vec<u8>;

/// In how many of its numbers each family of the fixtures is known at least, so that none is left out unseen.
const KNOWN: [(&str, usize); 21] = [
    ("age_key", 3),
    ("bks", 20),
    ("ceph_keyring", 1),
    ("dnssec", 8),
    ("gnupg_private_key", 10),
    ("jceks", 20),
    ("jks", 20),
    ("jwk", 20),
    ("keytab", 5),
    ("kubernetes_encryption", 2),
    ("minisign", 1),
    ("nss", 16),
    ("nss_legacy", 8),
    ("openpgp", 5),
    ("openvpn", 17),
    ("pkcs12", 15),
    ("ppk", 5),
    ("signify", 1),
    ("tor_onion", 2),
    ("tsig", 2),
    ("uber", 10),
];

const INVENTORY: &str = "fixtures/estate/inventory.csv";

/// The files whose names end so.
fn files_ending(dir: &Path, end: &str, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_ending(&path, end, out);
        } else if path.to_str().is_some_and(|p| p.ends_with(end)) {
            out.push(path);
        }
    }
}

/// Every file that may hold a secret.
fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            files(&path, out);
        } else if kind.is_file() && !path.to_str().is_some_and(|p| p.ends_with(".expect.json")) {
            out.push(path);
        }
    }
}

/// The passphrases of the fixtures that openssl and ssh-keygen open.
fn passphrases() -> Vec<String> {
    let lists = [
        "fixtures/passphrases.txt",
        "fixtures/estate/passphrases.txt",
    ];
    let texts = lists.map(|list| fs::read_to_string(list).unwrap());
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.filter(|l| l.len() >= 8).map(str::to_owned).collect()
}

/// These, and those that single fixtures name as their own.
fn all_passwords() -> BTreeSet<String> {
    let mut all: BTreeSet<String> = passphrases().into_iter().collect();
    let mut expectations = Vec::new();
    files_ending(Path::new("fixtures"), ".expect.json", &mut expectations);
    for path in expectations {
        let told: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let own = told["passwords"].as_array().into_iter().flatten();
        let long = own
            .map(|text| text.as_str().unwrap())
            .filter(|text| text.len() >= 8);
        all.extend(long.map(str::to_owned));
    }
    all
}

/// What a tool writes; nothing if it fails.
fn told(program: &str, args: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{program} cannot be run ({e}): install its package"));
    output.stdout
}

/// The private numbers of a key that openssl reads, as it prints them.
fn numbers_of_openssl(path: &Path, passphrases: &[String]) -> Vec<Vec<u8>> {
    const PRIVATE: [&str; 8] = [
        "priv:",
        "privateExponent:",
        "prime1:",
        "prime2:",
        "exponent1:",
        "exponent2:",
        "coefficient:",
        "x:",
    ];
    for passphrase in passphrases {
        let source = format!("pass:{passphrase}");
        let args = [
            "pkey",
            "-in",
            arg(path),
            "-noout",
            "-text",
            "-passin",
            &source,
        ];
        let printed = String::from_utf8_lossy(&told("openssl", &args)).into_owned();
        let mut numbers: Vec<Vec<u8>> = Vec::new();
        let mut private = false;
        for line in printed.lines() {
            if let Some(digits) = line.strip_prefix("    ").filter(|_| private) {
                let bytes = digits.trim().split(':').filter(|pair| !pair.is_empty());
                let bytes = bytes.map(|pair| u8::from_str_radix(pair, 16).unwrap());
                numbers.last_mut().unwrap().extend(bytes);
            } else {
                private = PRIVATE.contains(&line.trim_end());
                if private {
                    numbers.push(Vec::new());
                }
            }
        }
        if !numbers.is_empty() {
            return numbers;
        }
    }
    Vec::new()
}

/// The strings of a key of OpenSSH (PROTOCOL.key) that its public half does not have, after ssh-keygen opened it.
fn numbers_of_ssh_keygen(path: &Path, passphrases: &[String]) -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    for passphrase in passphrases {
        fs::copy(path, &copy).unwrap();
        crate::support::set_mode(&copy, 0o600);
        told(
            "ssh-keygen",
            &["-p", "-P", passphrase, "-N", "", "-f", arg(&copy)],
        );
        let bytes = fs::read(&copy).unwrap();
        let Ok(armour) = pem::parse(&bytes) else {
            continue;
        };
        let body = armour.contents();
        let clear = body.get(15..).and_then(take);
        if clear.is_none_or(|(cipher, _)| cipher != b"none") {
            continue;
        }
        return private_strings(&body[15..]).unwrap_or_default();
    }
    Vec::new()
}

/// One string of the SSH wire format, and what follows it.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// The strings that the private half alone has; behind cipher, key derivation, its options and the number of keys.
fn private_strings(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (_, rest) = take(bytes)?;
    let (_, rest) = take(rest)?;
    let (_, rest) = take(rest)?;
    let (public, rest) = take(rest.get(4..)?)?;
    let (private, _) = take(rest)?;
    let mut rest = private.get(8..)?;
    let mut strings = Vec::new();
    while let Some((string, after)) = take(rest) {
        strings.push(string);
        rest = after;
    }
    // The last is the comment, which is no secret and told; padding follows, which is no string.
    strings.pop()?;
    let is_public = |string: &[u8]| memchr::memmem::find(public, string).is_some();
    let mut numbers = Vec::new();
    for string in strings {
        if string.len() >= 20 && !is_public(string) {
            // Ed25519 repeats the public half behind the private one.
            let (first, second) = string.split_at(string.len() / 2);
            let private = if is_public(second) { first } else { string };
            numbers.push(private.to_vec());
        }
    }
    Some(numbers)
}

/// A piece of a secret in every form in which it could be told.
fn forms(piece: &[u8], out: &mut BTreeSet<Vec<u8>>) {
    out.insert(piece.to_vec());
    let pairs: Vec<String> = piece.iter().map(|byte| format!("{byte:02x}")).collect();
    for separator in ["", ":", " "] {
        let hex = pairs.join(separator);
        out.insert(hex.to_ascii_uppercase().into_bytes());
        out.insert(hex.into_bytes());
    }
    // As `Debug` shows bytes.
    let numbers: Vec<String> = piece.iter().map(u8::to_string).collect();
    out.insert(numbers.join(", ").into_bytes());
    for shift in 0..3 {
        let shifted = [&[0; 2][..shift], piece].concat();
        // Digits that hold bits of a neighbour are not the piece's own.
        let (first, last) = ((shift * 8).div_ceil(6), shifted.len() * 8 / 6);
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            out.insert(engine.encode(&shifted).as_bytes()[first..last].to_vec());
        }
    }
}

/// The lines of the private armours in a text, and base64 that holds such an armour.
fn armoured(bytes: &[u8], out: &mut BTreeSet<Vec<u8>>) {
    let text = String::from_utf8_lossy(bytes);
    let is_digit = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    for (start, _) in text.match_indices("PRIVATE KEY-----") {
        let body = &text[start + 16..];
        let body = &body[..body.find("-----").unwrap_or(body.len())];
        // The first line is an algorithm's name, the same in all keys.
        let runs = body.split(|c| !is_digit(c)).filter(|run| run.len() >= 40);
        out.extend(runs.skip(1).map(|run| run.as_bytes()[..40].to_vec()));
    }
    for run in text.split(|c| !is_digit(c)).filter(|run| run.len() >= 100) {
        let decoded = STANDARD_NO_PAD.decode(run.trim_end_matches('='));
        let is_private =
            |bytes: &Vec<u8>| memchr::memmem::find(bytes, b"PRIVATE KEY-----").is_some();
        if decoded.as_ref().is_ok_and(is_private) {
            out.extend(run.as_bytes().chunks_exact(40).map(<[u8]>::to_vec));
            armoured(&decoded.unwrap(), out);
        }
    }
}

/// The pieces of a number that betray it: its start, middle and end.
fn betray(number: &[u8], pieces: &mut BTreeSet<Vec<u8>>) {
    let number = number.strip_prefix(&[0]).unwrap_or(number);
    let middle = number.len() / 2;
    let ends = [PIECE, middle + PIECE / 2, number.len()];
    for piece in ends
        .iter()
        .filter_map(|end| number.get(end.checked_sub(PIECE)?..*end))
    {
        // Numbers that were made small or round on purpose could be anything.
        if piece.iter().collect::<BTreeSet<_>>().len() > PIECE / 2 {
            pieces.insert(piece.to_vec());
        }
    }
}

/// Everything that must never be told.
fn secrets(roots: &[&Path]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    roots.iter().for_each(|root| files(root, &mut all));
    let passphrases = passphrases();
    assert!(passphrases.len() >= 2);
    let mut secrets = BTreeSet::new();
    let mut pieces = BTreeSet::new();
    let mut tried = vec![String::new()];
    tried.extend(passphrases.iter().cloned());
    let (mut by_openssl, mut by_ssh) = (0, 0);
    let mut by_family: ByFamily = extract::of_keystores();
    let mut openpgp = Vec::new();
    for path in &all {
        let bytes = fs::read(path).unwrap();
        armoured(&bytes, &mut secrets);
        secrets.extend(extract::texts(&bytes));
        let folder = path
            .strip_prefix("fixtures")
            .ok()
            .and_then(|p| p.iter().next());
        if let Some(family) = folder.and_then(|name| name.to_str()) {
            let numbers = extract::numbers(family, path, &bytes);
            by_family
                .entry(family.to_owned())
                .or_default()
                .extend(numbers);
            if family == "openpgp" {
                openpgp.push(path.clone());
            }
        }
        let holds = |word: &[u8]| memchr::memmem::find(&bytes, word).is_some();
        let numbers = if holds(b"OPENSSH PRIVATE KEY") {
            let numbers = numbers_of_ssh_keygen(path, &tried);
            by_ssh += usize::from(!numbers.is_empty());
            numbers
        } else if holds(b"PRIVATE KEY") || bytes.first() == Some(&0x30) {
            let numbers = numbers_of_openssl(path, &tried);
            by_openssl += usize::from(!numbers.is_empty());
            numbers
        } else {
            continue;
        };
        numbers
            .iter()
            .for_each(|number| betray(number, &mut pieces));
    }
    by_family.insert("openpgp".to_owned(), extract::of_openpgp(&openpgp));
    for (family, least) in KNOWN {
        let numbers = by_family.get(family).map_or(0, Vec::len);
        assert!(
            numbers >= least,
            "only {numbers} private numbers of {family}"
        );
    }
    for number in by_family.values().flatten() {
        betray(number, &mut pieces);
    }
    assert!(by_openssl >= 200, "openssl opened only {by_openssl}");
    assert!(by_ssh >= 30, "ssh-keygen opened only {by_ssh}");
    pieces.iter().for_each(|piece| forms(piece, &mut secrets));
    for passphrase in &all_passwords() {
        forms(passphrase.as_bytes(), &mut secrets);
    }
    secrets.into_iter().collect()
}

/// What was written, with the command that wrote it.
#[derive(Default)]
struct Written(Vec<(String, Vec<u8>)>);

impl Written {
    /// Runs the program and keeps all that it says.
    fn run(&mut self, args: &[&str]) {
        let output = keymuster(args);
        assert!(output.status.code().is_some(), "{args:?}");
        let shown = args.join(" ");
        self.0.push((format!("stdout of {shown}"), output.stdout));
        self.0.push((format!("stderr of {shown}"), output.stderr));
    }

    fn keep(&mut self, path: &Path) {
        let bytes = fs::read(path).unwrap();
        assert!(!bytes.is_empty());
        self.0.push((path.display().to_string(), bytes));
    }
}

#[test]
fn no_output_has_a_private_byte() {
    let dir = lay_out();
    let hosts = dir.path().join("hosts");
    let secrets = secrets(&[&hosts, Path::new("fixtures")]);
    assert!(secrets.len() > 5_000, "{}", secrets.len());
    let (kept, root) = (dir.path().join("kept.jsonl"), arg(&hosts));
    let others = fs::canonicalize("fixtures").unwrap();
    let list = dir.path().join("passwords");
    let passwords: Vec<String> = all_passwords().into_iter().collect();
    fs::write(&list, passwords.join("\n")).unwrap();
    let opening = ["--passwords", arg(&list), "--use-found-passwords"];
    let mut written = Written::default();
    for format in ["text", "json", "jsonl"] {
        let form = ["-v", "-f", format, "--now", NOW];
        for scan in [
            vec!["scan", "--hosts-under", root],
            vec![
                "scan",
                "--hosts-under",
                root,
                "-i",
                INVENTORY,
                "--sweep",
                arg(&kept),
            ],
            vec!["scan", arg(&others)],
            vec!["scan", arg(&others), "-i", INVENTORY],
            [&["scan", arg(&others)][..], &opening].concat(),
            vec!["scan", "--hosts-under", root, "--dry-run"],
            vec!["reconcile", arg(&kept), "-i", INVENTORY],
            vec![
                "reconcile",
                arg(&kept),
                "-i",
                "fixtures/estate/inventory.json",
            ],
        ] {
            written.run(&[&scan[..], &form].concat());
        }
        written.keep(&kept);
        for id in ["web01", "app01", "db01"] {
            written.run(&[&["explain", id, arg(&kept), "-i", INVENTORY][..], &form].concat());
        }
    }
    // All about every private key, and about every tenth of the rest.
    let sweep = records(&fs::read(&kept).unwrap());
    let sightings = of_kind(&sweep, "sighting");
    let is_private = |sighting: &serde_json::Value| sighting["kind"] == "private_key";
    let ids: BTreeSet<&str> = sightings
        .iter()
        .enumerate()
        .filter(|(n, sighting)| is_private(sighting) || n % 10 == 0)
        .filter_map(|(_, sighting)| sighting["key_id"].as_str())
        .collect();
    assert!(ids.len() > 40, "{}", ids.len());
    for id in ids {
        written.run(&[
            "explain",
            id,
            arg(&kept),
            "-v",
            "-i",
            INVENTORY,
            "--now",
            NOW,
        ]);
    }
    errors(&mut written, dir.path(), &kept);
    let total: usize = written.0.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(total > 1_000_000, "{total}");
    check(&secrets, &written);
}

/// A key where each kind of input is expected: what is wrong with it is said without a byte of it.
fn errors(written: &mut Written, dir: &Path, kept: &Path) {
    for fixture in [
        "identity/rsa2048/pkcs8.pem",
        "identity/p256/sec1.der",
        "identity/ed25519/openssh_private",
        "passphrases.txt",
    ] {
        let key = plant(fixture, dir, "input");
        let key = arg(&key);
        let tree = "fixtures/decoys";
        for args in [
            vec!["scan", tree, "-i", key],
            vec!["scan", tree, "-i", key, "--allow-partial-inventory"],
            vec!["scan", tree, "-i", INVENTORY, "--owners", key],
            vec!["scan", tree, "--baseline", key],
            vec!["scan", "--hosts-under", key],
            vec!["reconcile", key],
            vec!["reconcile", key, arg(kept), "-i", INVENTORY],
            vec!["explain", "web01", key],
        ] {
            written.run(&args);
        }
        let mut child = command(&["reconcile", "-"])
            .stdin(fs::File::open(key).unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.wait().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        written.0.push(("reconcile -".to_owned(), said));
    }
    // A row in whose cells somebody pasted the key itself.
    let text = fs::read_to_string("fixtures/identity/rsa2048/pkcs8.pem").unwrap();
    let row = |column: &str| format!("ID,Owner,Fingerprint,Expires\n{column}\n");
    for (number, line) in [
        row(&format!("K-1,alice,\"{text}\",2030-01-01")),
        row(&format!("K-1,alice,{},\"{text}\"", "00".repeat(32))),
    ]
    .iter()
    .enumerate()
    {
        let path = dir.join(format!("rows{number}.csv"));
        fs::write(&path, line).unwrap();
        let scan = [
            "scan",
            "fixtures/decoys",
            "-v",
            "--allow-partial-inventory",
            "-i",
        ];
        for format in ["text", "json", "jsonl"] {
            written.run(&[&scan[..], &[arg(&path), "-f", format]].concat());
        }
    }
    // What a terminal gets while it runs.
    let line = format!("'{BINARY}' scan fixtures -v");
    let shown = told("script", &["-qec", &line, "/dev/null"]);
    assert!(!shown.is_empty());
    written.0.push((line, shown));
}

/// No secret in anything that was written.
fn check(secrets: &[Vec<u8>], written: &Written) {
    let search = AhoCorasick::new(secrets).unwrap();
    // The search itself finds what it should, wherever it stands.
    let sample = &secrets[secrets.len() / 2];
    assert!(search.is_match(&[b"x", &sample[..], b"y"].concat()));
    let told: Vec<String> = written
        .0
        .iter()
        .filter_map(|(what, bytes)| search.find(bytes).map(|hit| (what, hit)))
        .map(|(what, hit)| format!("{what}: at byte {}", hit.start()))
        .collect();
    assert!(told.is_empty(), "a secret is told: {told:#?}");
}
