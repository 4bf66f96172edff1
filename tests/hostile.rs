//! Bad input, end to end: whatever a tree holds and wherever output goes, the program neither hangs, crashes nor
//! leaves something unsaid. The walk and the readers have tests of their own; these run the binary.

mod borders;
mod bytes;
mod changing;
mod named;
mod targets;
mod trees;

use crate::support::{BINARY, check, err, records};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// The program, which is ended and fails its test if it takes longer than a minute.
fn bounded(args: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60", BINARY]).args(args);
    command
}

/// The sweep of a tree, as records; the scan must end in time with that code, without a panic.
fn swept(code: i32, roots: &[&Path]) -> Vec<Value> {
    let mut args = vec!["scan", "-f", "jsonl"];
    args.extend(roots.iter().copied().map(crate::support::arg));
    let output = bounded(&args).output().unwrap();
    read(&output, code, &format!("{roots:?}"))
}

/// The records of a sweep that must have ended with that code, with nothing to say but what is in it.
fn read(output: &Output, code: i32, what: &str) -> Vec<Value> {
    check(output, code, what);
    assert_eq!(err(output), "", "{what}");
    records(&output.stdout)
}

/// Path, kind and offset of each sighting.
fn places(records: &[Value]) -> Vec<(String, String, u64)> {
    crate::support::of_kind(records, "sighting")
        .iter()
        .map(|sighting| {
            let location = &sighting["location"];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (
                text(&location["path"]),
                text(&sighting["kind"]),
                location["offset"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// The paths of all sightings.
fn paths(records: &[Value]) -> Vec<String> {
    places(records).into_iter().map(|(path, ..)| path).collect()
}

/// A place below a directory, as text.
fn below(dir: &Path, name: &str) -> String {
    dir.join(name).to_str().unwrap().to_owned()
}
