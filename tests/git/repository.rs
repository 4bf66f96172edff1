//! Repositories made by git, and what a sweep tells of them.

use crate::support::{BINARY, arg, err, measured, open_directory, out, records, told};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Keys of the fixtures: any of them is found by its `key_id`.
pub(crate) const RSA: &str = "identity/rsa2048/pkcs8.pem";
pub(crate) const P256: &str = "identity/p256/pkcs8.pem";
pub(crate) const ED25519: &str = "identity/ed25519/openssh_private";
pub(crate) const DER: &str = "identity/rsa2048/certificate.der";

/// A directory in which repositories are made.
pub(crate) struct Yard {
    dir: TempDir,
}

impl Yard {
    pub(crate) fn new() -> Self {
        Self {
            dir: open_directory(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a shell script in the yard, with git as on a machine without any configuration. The clock of its commits stands at
    /// noon of a day in 2024 and goes on by a minute with each `tick`.
    pub(crate) fn run(&self, script: &str) -> String {
        let output = self.command(script);
        assert!(output.status.success(), "{script}: {}", err(&output));
        out(&output).trim_end().to_owned()
    }

    fn command(&self, script: &str) -> Output {
        let before = "now=1717243200; tick() { now=$((now + 60)); export GIT_AUTHOR_DATE=\"$now +0000\" GIT_COMMITTER_DATE=\"$now +0000\"; }; tick; commit() { tick; git commit -qm \"$@\"; }\n";
        Command::new("bash")
            .args(["-euc", &format!("{before}{script}")])
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Ann Author")
            .env("GIT_AUTHOR_EMAIL", "ann@example.org")
            .env("GIT_COMMITTER_NAME", "Cole Committer")
            .env("GIT_COMMITTER_EMAIL", "cole@example.org")
            .env("fixtures", fs::canonicalize("fixtures").unwrap())
            .env_remove("GIT_DIR")
            .output()
            .unwrap()
    }

    pub(crate) fn sweep(&self) -> Swept {
        sweep(self.path(), &[])
    }
}

/// What a sweep told.
pub(crate) struct Swept {
    pub(crate) sightings: Vec<Value>,
    pub(crate) gaps: Vec<Value>,
    pub(crate) end: Value,
}

/// Sweeps; it must end within the memory that is promised.
pub(crate) fn sweep(directory: &Path, arguments: &[&str]) -> Swept {
    let scan = [&["scan", "-q", "-f", "jsonl"], arguments, &[arg(directory)]].concat();
    let (output, cost) = measured(BINARY, &scan);
    let said = err(&output);
    assert!(!said.contains("panicked"), "{said}");
    assert!(cost.memory < 200.0, "{} MB", cost.memory);
    let all = records(&output.stdout);
    let of = |kind: &str| {
        all.iter()
            .filter(|r| r["record"] == kind)
            .cloned()
            .collect()
    };
    Swept {
        sightings: of("sighting"),
        gaps: of("gap"),
        end: all.last().unwrap().clone(),
    }
}

impl Swept {
    /// The places of a fixture's key: path, and the members as `type:name`.
    pub(crate) fn places(&self, fixture: &str) -> Vec<(PathBuf, Vec<String>)> {
        self.of(fixture).into_iter().map(place).collect()
    }

    fn of(&self, fixture: &str) -> Vec<&Value> {
        let told = told(fixture);
        let is_it = |s: &&Value| s["key_id"] == told["key_id"] && s["kind"] == told["kind"];
        self.sightings.iter().filter(is_it).collect()
    }

    /// The notes of a key that is seen once.
    pub(crate) fn notes(&self, fixture: &str) -> Vec<String> {
        let all = self.of(fixture);
        assert_eq!(all.len(), 1, "{:?}", self.places(fixture));
        let notes = all[0]["notes"].as_array().cloned().unwrap_or_default();
        notes
            .iter()
            .map(|n| n.as_str().unwrap().to_owned())
            .collect()
    }

    /// The one place of a key, in this repository: the members.
    pub(crate) fn only(&self, fixture: &str, repository: &Path) -> Vec<String> {
        let mut places = self.places(fixture);
        assert_eq!(places.len(), 1, "{fixture}: {places:?}; {:?}", self.gaps);
        let (path, members) = places.remove(0);
        assert_eq!(path, repository, "{fixture}");
        members
    }
}

fn place(sighting: &Value) -> (PathBuf, Vec<String>) {
    let location = &sighting["location"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let inside = location["inside"].as_array().cloned().unwrap_or_default();
    let members = inside
        .iter()
        .map(|m| format!("{}:{}", text(&m["type"]), text(&m["name"])));
    (text(&location["path"]).into(), members.collect())
}
