//! The machine that the tests run on, swept as root: what openssl and ssh-keygen can read in /etc and /usr is found
//! with the fingerprint that they tell. Only reads there.

use crate::keytools::run;
use crate::support::{arg, check, err, measured, of_kind, out, records};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// At most so many of a kind are asked about.
const SAMPLE: usize = 150;

/// The release binary if it is as new as every source, as in `tests/all`; else the one that was built for the tests.
fn program() -> PathBuf {
    fn newest(dir: &Path, latest: &mut std::time::SystemTime) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                newest(&path, latest);
            } else {
                *latest = (*latest).max(fs::metadata(&path).unwrap().modified().unwrap());
            }
        }
    }
    let built = Path::new(crate::support::BINARY);
    let target = built.parent().and_then(Path::parent).unwrap();
    let release = target.join("release/keymuster");
    let mut latest = fs::metadata("Cargo.lock").unwrap().modified().unwrap();
    newest(Path::new("src"), &mut latest);
    let fresh = fs::metadata(&release).is_ok_and(|facts| facts.modified().unwrap() > latest);
    if fresh { release } else { built.to_owned() }
}

/// Runs the program on places of this machine within the memory that is promised, and gives what it swept and said.
fn scan(places: &[&str], options: &[&str]) -> (Vec<Value>, String) {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("sweep");
    let program = program();
    let scan = [&["scan"], places, &["--sweep", arg(&kept)], options].concat();
    let (output, cost) = measured(arg(&program), &scan);
    let code = output.status.code().unwrap_or(-1);
    assert!(code == 0 || code == 4, "exit code {code}: {}", err(&output));
    check(&output, code, "this machine");
    let sweep = records(&fs::read(&kept).unwrap());
    let end = of_kind(&sweep, "end")[0];
    assert_eq!(end["complete"], code == 0, "{end}");
    let sightings = f64::from(u32::try_from(of_kind(&sweep, "sighting").len()).unwrap());
    // Archives are opened: each of two threads may hold windows and a kept stream.
    assert!(
        cost.memory < 200.0 + sightings / 1000.0,
        "{cost:?}, {sightings} sightings"
    );
    // Its coverage is told, to people too.
    let said = out(&output);
    assert!(said.contains("Coverage"), "{said}");
    assert_eq!(said.contains("INCOMPLETE"), code == 4, "{said}");
    (sweep, said)
}

/// The sweep of /etc and /usr, once for all tests.
fn sweep() -> &'static [Value] {
    static SWEEP: OnceLock<Vec<Value>> = OnceLock::new();
    SWEEP.get_or_init(|| scan(&["/etc", "/usr"], &[]).0)
}

/// What was found at each path, under every name that it has there: kind and each fingerprint, and the identity.
fn sightings() -> &'static BTreeMap<String, BTreeSet<(String, String)>> {
    static FOUND: OnceLock<BTreeMap<String, BTreeSet<(String, String)>>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        for sighting in of_kind(sweep(), "sighting") {
            let location = &sighting["location"];
            let names = location["hard_links"].as_array();
            let names = names.into_iter().flatten().chain([&location["path"]]);
            let told = sighting["fingerprints"].as_object().into_iter().flatten();
            let told = told
                .map(|(_, print)| print)
                .chain([&sighting["key_id"]])
                .filter_map(Value::as_str);
            let kind = sighting["kind"].as_str().unwrap();
            let told: Vec<_> = told
                .map(|print| (kind.to_owned(), print.to_owned()))
                .collect();
            for name in names.filter_map(Value::as_str) {
                found
                    .entry(name.to_owned())
                    .or_default()
                    .extend(told.clone());
            }
        }
        found
    })
}

/// The files below /etc and /usr whose content matches, sorted; links are not followed.
fn files_with(pattern: &str) -> Vec<String> {
    let output = Command::new("rg")
        .args([
            "-uuu",
            "-a",
            "-l",
            "--no-messages",
            "--no-config",
            "--sort",
            "path",
        ])
        .args(["-e", pattern, "/etc", "/usr"])
        .env("LC_ALL", "C")
        .output()
        .expect("rg (package ripgrep) must be installed");
    // 2 is told of files that vanish or cannot be read, with the others listed.
    assert!(output.status.code().is_some(), "{}", err(&output));
    // A name that is not UTF-8 is nothing that a record could be looked up by as text.
    let text = String::from_utf8_lossy(&output.stdout);
    let paths = text.lines().filter(|path| !path.contains('\u{fffd}'));
    paths.map(str::to_owned).collect()
}

/// The armours in a file whose label ends so, each from its first to its last dash, as openssl wants them.
fn armours(path: &str, label: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut armours = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        let line = line.trim_end();
        let boundary = |word: &str| {
            let name = line.strip_prefix(word)?.strip_suffix("-----")?;
            name.ends_with(label).then(|| name.to_owned())
        };
        if let Some(name) = boundary("-----BEGIN ") {
            open = Some((name, format!("{line}\n")));
        } else if let Some((name, body)) = &mut open {
            *body += line;
            *body += "\n";
            if boundary("-----END ").as_ref() == Some(name) {
                armours.extend(open.take().map(|(name, body)| (name, body.into_bytes())));
            }
        }
    }
    armours
}

/// At most [`SAMPLE`] of them, evenly over all.
fn sample<T>(all: Vec<T>) -> Vec<T> {
    let step = all.len().div_ceil(SAMPLE).max(1);
    all.into_iter().step_by(step).collect()
}

/// What a tool writes when it is given these bytes; none if it cannot read them.
fn ask(program: &str, args: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{program} cannot be run ({e}): install its package"));
    // A tool that has seen enough may have gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    output.status.success().then_some(output.stdout)
}

/// A fingerprint as `openssl x509 -fingerprint` prints it, as our records have it.
fn digits(printed: &[u8]) -> String {
    let text = String::from_utf8_lossy(printed);
    let value = text.trim().rsplit('=').next().unwrap_or_default();
    value.replace(':', "").to_ascii_lowercase()
}

/// The SHA-256 digest of a certificate that openssl can read.
fn certificate(bytes: &[u8], form: &str) -> Option<String> {
    let args = ["x509", "-inform", form, "-noout", "-fingerprint", "-sha256"];
    ask("openssl", &args, bytes).map(|printed| digits(&printed))
}

/// The identity of a key that openssl can read: the digest of its SubjectPublicKeyInfo.
fn key(bytes: &[u8], form: &str, public: bool) -> Option<String> {
    let mut args = vec!["pkey", "-inform", form, "-pubout", "-outform", "DER"];
    if public {
        args.push("-pubin");
    } else {
        args.extend(["-passin", "pass:"]);
    }
    let spki = ask("openssl", &args, bytes)?;
    let digest: [u8; 32] = Sha256::digest(&spki).into();
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The fingerprints of all keys that ssh-keygen lists from a file, read from a copy so that no neighbour helps.
fn ssh(bytes: &[u8]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    fs::write(&copy, bytes).unwrap();
    crate::support::set_mode(&copy, 0o600);
    let listed = ask("ssh-keygen", &["-l", "-f", arg(&copy)], b"").unwrap_or_default();
    let text = String::from_utf8_lossy(&listed).into_owned();
    text.lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|print| print.starts_with("SHA256:"))
        .map(str::to_owned)
        .collect()
}

/// What is expected at a path: a kind (or any) and a fingerprint.
type Expected = (String, &'static str, String);

/// All that is expected and not in the sweep, though it is still there.
fn lost(expected: &[Expected]) -> Vec<&Expected> {
    let none = BTreeSet::new();
    let is_lost = |(path, kind, print): &&Expected| {
        let found = sightings().get(path).unwrap_or(&none);
        let is_it = |(its_kind, its_print): &(String, String)| {
            let same = its_print == print || its_print.strip_prefix("spki-sha256:") == Some(print);
            same && (kind.is_empty() || its_kind == kind)
        };
        !found.iter().any(is_it) && Path::new(path).exists()
    };
    expected.iter().filter(is_lost).collect()
}

#[test]
fn every_certificate_that_openssl_reads_in_etc_and_usr_is_found() {
    let files = files_with("-----BEGIN ([A-Z0-9]+ )?CERTIFICATE-----");
    let all: Vec<_> = files
        .iter()
        .flat_map(|path| {
            let armours = armours(path, "CERTIFICATE");
            armours.into_iter().map(move |(_, text)| (path, text))
        })
        .collect();
    let mut expected: Vec<Expected> = Vec::new();
    for (path, text) in sample(all) {
        let print = certificate(&text, "PEM");
        expected.extend(print.map(|print| (path.clone(), "certificate", print)));
    }
    assert!(
        expected.len() > 50,
        "{}: install ca-certificates",
        expected.len()
    );
    for (path, bytes) in sample(binaries()) {
        let print = certificate(&bytes, "DER");
        expected.extend(print.map(|print| (path.clone(), "certificate", print)));
        let print = key(&bytes, "DER", false);
        expected.extend(print.map(|print| (path.clone(), "private_key", print)));
        let print = key(&bytes, "DER", true);
        expected.extend(print.map(|print| (path, "public_key", print)));
    }
    let lost = lost(&expected);
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:#?}",
        lost.len(),
        expected.len()
    );
}

/// Files that by their names may be DER, with their content.
fn binaries() -> Vec<(String, Vec<u8>)> {
    let mut args = vec!["/etc", "/usr", "-xdev", "-type", "f", "-size", "-64k", "("];
    for (number, name) in ["*.der", "*.crt", "*.cer", "*.key", "*.p8", "*.pk8"]
        .into_iter()
        .enumerate()
    {
        args.extend(if number == 0 {
            vec!["-iname", name]
        } else {
            vec!["-o", "-iname", name]
        });
    }
    args.push(")");
    let listed = run(Path::new("/"), "find", &args, b"");
    let mut paths: Vec<String> = String::from_utf8_lossy(&listed)
        .lines()
        .map(str::to_owned)
        .collect();
    paths.sort();
    let begins = |bytes: &[u8]| bytes.first() == Some(&0x30);
    let read = paths
        .into_iter()
        .filter_map(|path| fs::read(&path).ok().map(|bytes| (path, bytes)));
    read.filter(|(_, bytes)| begins(bytes)).collect()
}

#[test]
fn the_bundle_of_the_certificate_authorities_is_found_whole() {
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    let text = fs::read(bundle).expect("package ca-certificates must be installed");
    // What openssl itself finds in it.
    let printed = run(
        Path::new("/"),
        "openssl",
        &["storeutl", "-noout", "-certs", bundle],
        &[],
    );
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let count = printed
        .lines()
        .find_map(|line| line.strip_prefix("Total found: "));
    let count: usize = count.unwrap().trim().parse().unwrap();
    assert!(count > 50 && !text.is_empty(), "{count}");
    let at = |sighting: &&&Value| {
        sighting["location"]["path"] == bundle && sighting["kind"] == "certificate"
    };
    let found = of_kind(sweep(), "sighting");
    assert_eq!(found.iter().filter(at).count(), count);
}

#[test]
fn every_key_that_openssl_reads_in_etc_and_usr_is_found() {
    let files = files_with("-----BEGIN ([A-Z0-9]+ )*(PRIVATE|PUBLIC) KEY-----");
    let mut expected: Vec<Expected> = Vec::new();
    for (label, kind) in [("PRIVATE KEY", "private_key"), ("PUBLIC KEY", "public_key")] {
        let all: Vec<_> = files
            .iter()
            .flat_map(|path| {
                let armours = armours(path, label);
                armours.into_iter().map(move |armour| (path, armour))
            })
            .filter(|(_, (label, _))| !label.starts_with("PGP") && !label.starts_with("OPENSSH"))
            .collect();
        for (path, (_, text)) in sample(all) {
            let print = key(&text, "PEM", kind == "public_key");
            expected.extend(print.map(|print| (path.clone(), kind, print)));
        }
    }
    let lost = lost(&expected);
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:#?}",
        lost.len(),
        expected.len()
    );
}

#[test]
fn every_key_that_ssh_keygen_reads_in_etc_and_usr_is_found() {
    let lines =
        "(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp[0-9]+|sk-[a-z0-9-]+@openssh.com)[ \\t]+AAAA";
    let mut expected: Vec<Expected> = Vec::new();
    for path in files_with(lines) {
        let prints = ssh(&fs::read(&path).unwrap_or_default());
        expected.extend(prints.into_iter().map(|print| (path.clone(), "", print)));
    }
    for path in files_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
        for (_, text) in armours(&path, "OPENSSH PRIVATE KEY") {
            let prints = ssh(&text);
            expected.extend(
                prints
                    .into_iter()
                    .map(|print| (path.clone(), "private_key", print)),
            );
        }
    }
    let lost = lost(&expected);
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:#?}",
        lost.len(),
        expected.len()
    );
}

#[test]
fn the_host_keys_that_ssh_keygen_makes_for_a_system_are_found() {
    // Few machines that run tests have host keys: these are made as the package openssh-server does, below a root of their own.
    let dir = crate::support::open_directory();
    fs::create_dir_all(dir.path().join("etc/ssh")).unwrap();
    run(
        Path::new("/"),
        "ssh-keygen",
        &["-A", "-f", arg(dir.path())],
        b"",
    );
    let kept = dir.path().join("sweep");
    let root = format!("debian={}", arg(dir.path()));
    let scan = ["scan", "--host-root", &root, "/etc", "--sweep", arg(&kept)];
    crate::support::expect(0, &scan);
    let sweep = records(&fs::read(&kept).unwrap());
    let found: BTreeSet<(String, String)> = of_kind(&sweep, "sighting")
        .iter()
        .map(|sighting| {
            let path = sighting["location"]["path"].as_str().unwrap();
            let print = sighting["fingerprints"]["ssh_sha256"].as_str().unwrap();
            (path.to_owned(), print.to_owned())
        })
        .collect();
    let mut expected = BTreeSet::new();
    for entry in fs::read_dir(dir.path().join("etc/ssh")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let prints = ssh(&fs::read(entry.path()).unwrap());
        assert_eq!(prints.len(), 1, "{name}");
        expected.extend(
            prints
                .into_iter()
                .map(|print| (format!("/etc/ssh/{name}"), print)),
        );
    }
    assert!(expected.len() >= 6, "{expected:?}");
    assert_eq!(found, expected);
}

#[test]
fn the_whole_root_is_swept_with_its_coverage_told() {
    // A root may hold far more than a distribution, so the time is bounded; what was not reached is told then. Other tests make bombs meanwhile.
    let others = format!("{}/**", std::env::temp_dir().display());
    let options = ["--time-limit", "60s", "--exclude", &others];
    let (sweep, said) = scan(&["/"], &options);
    let end = of_kind(&sweep, "end")[0];
    assert!(end["directories"].as_u64().unwrap() > 100, "{end}");
    assert!(end["files"].as_u64().unwrap() > 1_000, "{end}");
    let gaps = crate::support::gaps(&sweep);
    let is_not_entered = gaps.contains(&("/proc".to_owned(), "not_swept".to_owned()));
    assert!(is_not_entered, "/proc is told");
    // If it is incomplete, each reason for that is in the sweep, and people are told.
    let incomplete = ["permission_denied", "io_error", "interrupted", "limit"];
    let reasons: BTreeSet<&str> = gaps.iter().map(|(_, reason)| reason.as_str()).collect();
    let because: Vec<&&str> = incomplete.iter().filter(|r| reasons.contains(*r)).collect();
    assert_eq!(end["complete"], because.is_empty(), "{because:?}");
    assert!(
        said.contains("directories") && said.contains("files"),
        "{said}"
    );
}
