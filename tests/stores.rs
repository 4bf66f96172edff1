//! Live stores against the tools that drive them: SoftHSM with pkcs11-tool, and real agents.

mod agents;

use crate::support::{arg, check, command, of_kind, open_directory, records};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "73911546";

/// A directory with a SoftHSM of its own.
struct Hsm {
    dir: TempDir,
}

impl Hsm {
    fn new(label: &str) -> Self {
        let hsm = Self {
            dir: open_directory(),
        };
        let tokens = hsm.dir.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        fs::create_dir(hsm.empty()).unwrap();
        let config = format!("directories.tokendir = {}\n", arg(&tokens));
        fs::write(hsm.config(), config).unwrap();
        hsm.run(
            "softhsm2-util",
            &[
                "--init-token",
                "--free",
                "--label",
                label,
                "--pin",
                PIN,
                "--so-pin",
                "4711",
            ],
        );
        hsm
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("softhsm2.conf")
    }

    /// A tree without keys, so that only the token tells.
    fn empty(&self) -> PathBuf {
        self.dir.path().join("empty")
    }

    /// Runs a tool on this SoftHSM.
    fn run(&self, tool: &str, args: &[&str]) -> Vec<u8> {
        let output = Command::new(tool)
            .args(args)
            .env("SOFTHSM2_CONF", self.config())
            .current_dir(self.dir.path())
            .output()
            .unwrap_or_else(|e| panic!("{tool}: {e}: packages softhsm2, opensc, openssl"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{tool} {args:?}: {said}");
        output.stdout
    }

    /// Runs pkcs11-tool as the user.
    fn tool(&self, args: &[&str]) -> Vec<u8> {
        let log_in = ["--module", MODULE, "--login", "--pin", PIN];
        self.run("pkcs11-tool", &[&log_in, args].concat())
    }

    /// The identity of a public key as pkcs11-tool gives it, DER or PEM by its kind, and openssl writes it.
    fn identity(&self, label: &str) -> String {
        let args = [
            "--read-object",
            "--type",
            "pubkey",
            "--output-file",
            "public",
            "--label",
            label,
        ];
        self.tool(&args);
        let openssl = [
            "pkey", "-pubin", "-in", "public", "-pubout", "-outform", "DER",
        ];
        let digest = Sha256::digest(self.run("openssl", &openssl));
        let digest: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        format!("spki-sha256:{digest}")
    }

    fn sweep(&self, code: i32, args: &[&str], pin: Option<&str>) -> Vec<Value> {
        let empty = self.empty();
        let mut program = command(&["scan", arg(&empty), "-q", "-f", "jsonl"]);
        program.args(args).env("SOFTHSM2_CONF", self.config());
        if let Some(pin) = pin {
            program.env("KEYMUSTER_PKCS11_PIN", pin);
        }
        let output = program.output().unwrap();
        check(&output, code, &format!("{args:?}"));
        let said = [&output.stdout[..], &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&said).contains(PIN));
        records(&output.stdout)
    }
}

/// Kind, alias and CKA_ID of the objects, sorted.
fn objects(records: &[Value]) -> Vec<String> {
    let mut found: Vec<String> = of_kind(records, "sighting")
        .iter()
        .map(|s| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let alias = text(&s["location"]["alias"]);
            let id = text(&s["fingerprints"]["pkcs11_id"]);
            format!("{} {alias} {id}", text(&s["kind"]))
        })
        .collect();
    found.sort();
    found
}

fn find<'a>(records: &'a [Value], kind: &str, alias: &str) -> &'a Value {
    let all = of_kind(records, "sighting");
    let found = all
        .into_iter()
        .find(|s| s["kind"] == kind && s["location"]["alias"] == alias);
    found.unwrap_or_else(|| panic!("no {kind} {alias}"))
}

#[test]
fn the_objects_of_a_token_are_those_that_pkcs11_tool_made() {
    let hsm = Hsm::new("roll call");
    for (kind, label, id) in [
        ("rsa:2048", "web", "a1"),
        ("EC:prime256v1", "mail", "a2"),
        ("EC:edwards25519", "sign", "a3"),
    ] {
        let args = [
            "--keypairgen",
            "--key-type",
            kind,
            "--label",
            label,
            "--id",
            id,
        ];
        hsm.tool(&args);
    }
    hsm.tool(&[
        "--keygen",
        "--key-type",
        "AES:32",
        "--label",
        "disk",
        "--id",
        "b1",
        "--extractable",
    ]);
    // A certificate of another key, imported with its label.
    let path = hsm.dir.path().join("cert.der");
    fs::copy("fixtures/identity/p384/certificate.der", &path).unwrap();
    let args = [
        "--write-object",
        "cert.der",
        "--type",
        "cert",
        "--label",
        "leaf",
        "--id",
        "c1",
    ];
    hsm.tool(&args);

    // Without a PIN: what is public, and that something is not.
    let seen = hsm.sweep(0, &["--pkcs11-module", MODULE], None);
    let public = [
        "certificate leaf c1",
        "keystore - -",
        "public_key mail a2",
        "public_key sign a3",
        "public_key web a1",
        // pkcs11-tool makes secret keys that need no PIN to be seen.
        "symmetric_key disk b1",
    ];
    assert_eq!(objects(&seen), public);
    let gap = of_kind(&seen, "gap")[0];
    assert_eq!(gap["reason"], "encrypted");

    // With one: everything, and nothing private in it.
    let seen = hsm.sweep(0, &["--pkcs11-module", MODULE], Some(PIN));
    let mut all: Vec<&str> = public.to_vec();
    all.extend([
        "private_key mail a2",
        "private_key sign a3",
        "private_key web a1",
    ]);
    all.sort_unstable();
    assert_eq!(objects(&seen), all);
    assert!(of_kind(&seen, "gap").is_empty());
    for label in ["web", "mail", "sign"] {
        let expected = hsm.identity(label);
        assert_eq!(find(&seen, "public_key", label)["key_id"], expected);
        let private = find(&seen, "private_key", label);
        // A private object of a curve has no point: its public one of the same CKA_ID is evidence.
        let told = match private["key_id"].as_str() {
            Some(id) => id,
            None => private["probable_key"].as_str().unwrap(),
        };
        assert_eq!(told, expected, "{label}");
        assert_eq!(private["protection"], "encrypted");
        let notes = private["notes"].to_string();
        assert!(notes.contains("never extractable"), "{notes}");
    }
    let rsa = find(&seen, "private_key", "web");
    assert_eq!(rsa["key_id"], hsm.identity("web"));
    let disk = find(&seen, "symmetric_key", "disk");
    assert_eq!(
        (&disk["algorithm"], &disk["bits"]),
        (&"AES".into(), &256.into())
    );
    let notes = disk["notes"].to_string();
    assert!(
        notes.contains("extractable") && !notes.contains("never extractable"),
        "{notes}"
    );
    // The key check value of AES is the start of what it makes of a block of zeros.
    fs::write(hsm.dir.path().join("zeros"), [0; 16]).unwrap();
    hsm.tool(&[
        "--encrypt",
        "--mechanism",
        "AES-ECB",
        "--label",
        "disk",
        "--input-file",
        "zeros",
        "--output-file",
        "block",
    ]);
    let block = fs::read(hsm.dir.path().join("block")).unwrap();
    let check: String = block[..3].iter().map(|b| format!("{b:02x}")).collect();
    assert!(
        notes.contains(&format!("key check value {check}")),
        "{notes}"
    );
    let leaf = find(&seen, "certificate", "leaf");
    let whole: Value = serde_json::from_slice(
        &fs::read("fixtures/identity/p384/certificate.der.expect.json").unwrap(),
    )
    .unwrap();
    assert_eq!(leaf["key_id"], whole["sightings"][0]["key_id"]);
    let place = &leaf["location"];
    assert_eq!(place["inside"][0]["type"], "pkcs11");
    assert_eq!(place["inside"][0]["name"], "roll call");
    let canonical = fs::canonicalize(MODULE).unwrap();
    assert_eq!(place["path"], arg(&canonical));
}

#[test]
fn a_wrong_pin_is_told_and_tried_once() {
    let hsm = Hsm::new("roll call");
    let seen = hsm.sweep(0, &["--pkcs11-module", MODULE], Some("00000000"));
    let gap = of_kind(&seen, "gap")[0];
    assert_eq!(gap["reason"], "encrypted");
    assert!(gap["detail"].as_str().unwrap().contains("PIN"), "{gap}");
    // A PIN for another token is not tried.
    let pins = hsm.dir.path().join("pins");
    fs::write(&pins, format!("other={PIN}\n")).unwrap();
    let args = ["--pkcs11-module", MODULE, "--pin-file", arg(&pins)];
    assert_eq!(of_kind(&hsm.sweep(0, &args, None), "gap").len(), 1);
    fs::write(&pins, format!("roll call={PIN}\n")).unwrap();
    assert_eq!(of_kind(&hsm.sweep(0, &args, None), "gap").len(), 0);
}

/// Compiles a module whose entry does this.
fn module(dir: &Path, name: &str, body: &str) -> PathBuf {
    let source = dir.join(format!("{name}.c"));
    let made = dir.join(format!("{name}.so"));
    let text = format!(
        "#include <stdlib.h>\n#include <unistd.h>\nunsigned long C_GetFunctionList(void **list) {{ {body} return 5; }}\n"
    );
    fs::write(&source, text).unwrap();
    let compiled = Command::new("gcc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&made, &source])
        .status()
        .expect("gcc (package gcc) must be installed");
    assert!(compiled.success());
    made
}

#[test]
fn a_module_that_crashes_hangs_or_is_none_is_a_gap_and_not_the_end() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    crate::support::plant("identity/p256/certificate.pem", &tree, "a.pem");
    let crashing = module(dir.path(), "crashing", "abort();");
    let hanging = module(dir.path(), "hanging", "sleep(1000);");
    let refusing = module(dir.path(), "refusing", "");
    let none = dir.path().join("none.so");
    fs::write(&none, "no library").unwrap();
    let mut args = vec!["scan", arg(&tree), "-q", "-f", "jsonl"];
    for module in [&crashing, &hanging, &refusing, &none] {
        args.extend(["--pkcs11-module", arg(module)]);
    }
    let begun = std::time::Instant::now();
    let output = command(&args).output().unwrap();
    check(&output, 4, "broken modules");
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let records = records(&output.stdout);
    assert_eq!(of_kind(&records, "sighting").len(), 1);
    let mut told = crate::support::gaps(&records);
    told.sort();
    let mut expected: Vec<(String, String)> = [
        (&crashing, "io_error"),
        (&hanging, "limit"),
        (&refusing, "io_error"),
        (&none, "io_error"),
    ]
    .map(|(path, reason)| (arg(path).to_owned(), reason.to_owned()))
    .to_vec();
    expected.sort();
    assert_eq!(told, expected);
}
