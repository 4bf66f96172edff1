//! What is planted, and what must be told of it.

use crate::support::{BINARY, arg, err, measured, records};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A kind of archive, and how its own tool makes it.
pub(crate) struct Kind {
    /// Its row in the tests, and the ending of the file.
    pub(crate) ending: &'static str,
    /// A shell script run in the directory whose files are packed (never itself); `$1` is the archive to be made.
    pub(crate) script: &'static str,
    /// The types of the members that lead to a file, outermost first; the last of them has the file's name.
    pub(crate) chain: &'static [&'static str],
}

/// Runs the kind's script on a directory.
pub(crate) fn pack(kind: &Kind, directory: &Path, target: &Path) {
    let script = format!("set -o pipefail; {}", kind.script);
    let output = Command::new("bash")
        .args(["-euc", &script, "bash", arg(target)])
        .current_dir(directory)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", kind.ending, err(&output));
}

/// What an independent tool said of one thing in a file: kind, `key_id`, offset.
pub(crate) type Told = (String, String, u64);

/// The keys that are planted, by the name of their file beneath the directory.
pub(crate) type Planted = BTreeMap<String, Vec<Told>>;

fn told(file: &Path) -> Option<Vec<Told>> {
    let expectation = PathBuf::from(format!("{}.expect.json", file.display()));
    let all: Value = serde_json::from_slice(&fs::read(expectation).ok()?).unwrap();
    let sightings = all["sightings"].as_array().unwrap().iter().map(|s| {
        (
            s["kind"].as_str().unwrap().to_owned(),
            s["key_id"].as_str().unwrap_or_default().to_owned(),
            s["offset"].as_u64().unwrap_or(0),
        )
    });
    Some(sightings.collect()).filter(|all: &Vec<Told>| !all.is_empty())
}

/// Plants every file of one key of each algorithm in all its encodings, and names that are hard to keep.
pub(crate) fn plant_all(directory: &Path) -> Planted {
    let mut planted = Planted::new();
    for algorithm in fs::read_dir("fixtures/identity").unwrap() {
        let algorithm = algorithm.unwrap().path();
        for file in fs::read_dir(&algorithm).unwrap() {
            let file = file.unwrap().path();
            let Some(told) = told(&file) else { continue };
            let name = file.strip_prefix("fixtures/identity").unwrap();
            let target = directory.join(name);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(&file, target).unwrap();
            planted.insert(arg(name).to_owned(), told);
        }
    }
    assert!(planted.len() > 200, "{}", planted.len());
    let long = format!("{}/{}.pem", "long".repeat(22), "name".repeat(22));
    for name in [long.as_str(), "with blanks/ä ö.pem"] {
        plant_one(directory, name, &mut planted);
    }
    planted
}

/// Plants a few: one file of each of these algorithms.
pub(crate) fn plant_few(directory: &Path) -> Planted {
    let mut planted = Planted::new();
    for name in [
        "p256/pkcs8.pem",
        "ed25519/openssh_private",
        "rsa2048/certificate.der",
    ] {
        let file = Path::new("fixtures/identity").join(name);
        let target = directory.join(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
        planted.insert(name.to_owned(), told(&file).unwrap());
    }
    planted
}

fn plant_one(directory: &Path, name: &str, planted: &mut Planted) {
    let file = Path::new("fixtures/identity/p384/pkcs8.pem");
    let target = directory.join(name);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::copy(file, target).unwrap();
    planted.insert(name.to_owned(), told(file).unwrap());
}

/// The types of the chain, the name of its last member, and what was told there.
type Found = BTreeMap<(Vec<String>, String), Vec<Told>>;

/// What a sweep tells of each file of the file system.
pub(crate) struct Swept {
    pub(crate) found: BTreeMap<PathBuf, Found>,
    pub(crate) gaps: Vec<Value>,
}

/// Sweeps a directory, with these arguments too; it must end within the memory that is promised.
pub(crate) fn sweep(directory: &Path, arguments: &[&str]) -> Swept {
    let scan = [&["scan", "-q", "-f", "jsonl"], arguments, &[arg(directory)]].concat();
    let (output, cost) = measured(BINARY, &scan);
    let said = err(&output);
    assert!(!said.contains("panicked"), "{said}");
    let all = records(&output.stdout);
    assert!(!all.is_empty(), "{said}");
    let mut found: BTreeMap<PathBuf, Found> = BTreeMap::new();
    for sighting in all.iter().filter(|r| r["record"] == "sighting") {
        let location = &sighting["location"];
        let chain = location["inside"].as_array().cloned().unwrap_or_default();
        let types = chain.iter().map(|m| m["type"].as_str().unwrap().to_owned());
        let name = chain.last().and_then(|m| m["name"].as_str()).unwrap_or("");
        let told = (
            sighting["kind"].as_str().unwrap().to_owned(),
            sighting["key_id"].as_str().unwrap_or_default().to_owned(),
            location["offset"].as_u64().unwrap(),
        );
        found
            .entry(location["path"].as_str().unwrap().into())
            .or_default()
            .entry((types.collect(), name.to_owned()))
            .or_default()
            .push(told);
    }
    assert!(cost.memory < 200.0, "{} MB", cost.memory);
    Swept {
        found,
        gaps: all.into_iter().filter(|r| r["record"] == "gap").collect(),
    }
}

/// Everything planted, and nothing else, was found in this file beneath this chain.
pub(crate) fn compare(swept: &Swept, file: &Path, chain: &[&str], planted: &Planted) {
    let empty = Found::new();
    let found = swept.found.get(file).unwrap_or(&empty);
    let mut expected = Found::new();
    for (name, told) in planted {
        let types = chain.iter().map(|t| (*t).to_owned()).collect();
        let mut told = told.clone();
        told.sort();
        expected.insert((types, name.clone()), told);
    }
    let mut found = found.clone();
    // Some tools lead every name with `./`.
    found = found
        .into_iter()
        .map(|((types, name), mut told)| {
            told.sort();
            (
                (types, name.strip_prefix("./").unwrap_or(&name).to_owned()),
                told,
            )
        })
        .collect();
    let lost: Vec<_> = expected
        .iter()
        .filter(|(k, v)| found.get(*k) != Some(v))
        .collect();
    let more: Vec<_> = found
        .iter()
        .filter(|(k, _)| !expected.contains_key(*k))
        .collect();
    let about: Vec<_> = swept
        .gaps
        .iter()
        .filter(|g| g["path"] == arg(file))
        .take(5)
        .collect();
    assert!(
        lost.is_empty() && more.is_empty(),
        "{}: lost {} of {}: {:?}; too many {}: {:?}; {about:?}",
        file.display(),
        lost.len(),
        expected.len(),
        lost.first(),
        more.len(),
        more.first(),
    );
}
