//! The command line as its contract (section 5) has it: options, outputs, exit codes, signals.

mod exit_codes;
mod explain;
mod judging;
mod outputs;
mod passwords;
mod policy;
mod records;
mod renewals;
mod scope;
mod stopping;
mod terminal;

use crate::support::{arg, err, keymuster, open_directory, plant, records, told};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A server's key and certificate, which an inventory knows, and a person's SSH key, which it does not.
struct Case {
    dir: TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Self {
            dir: open_directory(),
        };
        plant("identity/p256/pkcs8.pem", case.dir.path(), "tree/tls/a.key");
        plant(
            "identity/p256/certificate.pem",
            case.dir.path(),
            "tree/tls/a.crt",
        );
        plant(
            "identity/ed25519/openssh_private",
            case.dir.path(),
            "tree/ssh/id",
        );
        case
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn tree(&self) -> PathBuf {
        self.at("tree")
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.at(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// An inventory of the server's certificate and key alone.
    fn partial_inventory(&self) -> PathBuf {
        self.write("partial.csv", &rows(&[server()]))
    }

    /// An inventory of all keys.
    fn full_inventory(&self) -> PathBuf {
        self.write("full.csv", &rows(&[server(), person()]))
    }
}

/// An inventory of these rows.
fn rows(rows: &[String]) -> String {
    let mut text = "ID,Type,Owner,State,Fingerprint,Rotation Period (days),Created\n".to_owned();
    rows.iter().for_each(|row| text += row);
    text
}

fn server() -> String {
    format!(
        "K-1,TLS certificate,alice,Active,{},36500,2026-01-01\n",
        server_certificate()
    )
}

fn person() -> String {
    format!("K-2,SSH key,bob,Active,{},36500,2026-01-01\n", person_ssh())
}

/// The SHA-256 digest of the server's certificate as openssl told it.
fn server_certificate() -> String {
    let told = told("identity/p256/certificate.pem");
    told["fingerprints"]["cert_sha256"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The fingerprint of the person's SSH key as ssh-keygen told it.
fn person_ssh() -> String {
    let told = told("identity/ed25519/openssh_private");
    told["fingerprints"]["ssh_sha256"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The sweep of a tree, as records; the scan must end with that code.
fn sweep(code: i32, tree: &Path, options: &[&str]) -> Vec<Value> {
    let mut args = vec!["scan", arg(tree), "-f", "jsonl"];
    args.extend(options);
    let output = keymuster(&args);
    crate::support::check(&output, code, &format!("{args:?}"));
    let records = records(&output.stdout);
    assert!(!records.is_empty(), "{}", err(&output));
    records
}

/// The paths of a sweep's sightings below a directory.
fn paths_below(records: &[Value], dir: &Path) -> Vec<String> {
    crate::support::of_kind(records, "sighting")
        .iter()
        .map(|sighting| {
            let path = Path::new(sighting["location"]["path"].as_str().unwrap());
            path.strip_prefix(dir).unwrap().display().to_string()
        })
        .collect()
}
