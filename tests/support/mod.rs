//! What the end-to-end tests share: running the program, trees to run it on, and reading what it wrote.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The time at which the estate is judged.
pub(crate) const NOW: &str = "2026-11-24T12:00:00Z";

/// The program as cargo built it for the tests.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_keymuster");

/// The program with these arguments.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(args).env_remove("NO_COLOR");
    command
}

/// Runs the program.
pub(crate) fn keymuster(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// Runs the program, which must end with this code, without a panic.
pub(crate) fn expect(code: i32, args: &[&str]) -> Output {
    let output = keymuster(args);
    check(&output, code, &format!("{args:?}"));
    output
}

/// The code that a run must have ended with, without a panic.
pub(crate) fn check(output: &Output, code: i32, what: &str) {
    let said = err(output);
    assert!(!said.contains("panicked"), "{what}: {said}");
    assert_eq!(output.status.code(), Some(code), "{what}: {said}");
}

/// Standard output as text.
pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error as text.
pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every line of a sweep or report in JSON Lines; each must parse.
pub(crate) fn records(lines: &[u8]) -> Vec<Value> {
    assert!(
        lines.is_empty() || lines.ends_with(b"\n"),
        "the last line has no end"
    );
    lines
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| {
            serde_json::from_slice(line)
                .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(line)))
        })
        .collect()
}

/// The records of one kind.
pub(crate) fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let of_kind = |record: &&Value| record["record"] == kind;
    records.iter().filter(of_kind).collect()
}

/// Path and reason of each gap of a sweep.
pub(crate) fn gaps(records: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    of_kind(records, "gap")
        .iter()
        .map(|gap| (text(&gap["path"]), text(&gap["reason"])))
        .collect()
}

/// The estate as its manifest says, with modes, owners, hard links, FIFOs and odd names.
pub(crate) fn lay_out() -> TempDir {
    let dir = open_directory();
    let hosts = dir.path().join("hosts");
    let made = Command::new("fixtures/estate/lay-out.sh")
        .arg(&hosts)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", err(&made));
    set_mode(&hosts, 0o755);
    dir
}

/// An empty directory that others can reach, as on a real machine.
pub(crate) fn open_directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o755);
    dir
}

/// Sets permission bits.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Copies a fixture, mode 0600, making directories as they are needed; gives the place.
pub(crate) fn plant(fixture: &str, dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::copy(Path::new("fixtures").join(fixture), &path).unwrap();
    set_mode(&path, 0o600);
    path
}

/// An armour that begins and does not end.
pub(crate) fn torn() -> String {
    let whole = fs::read_to_string("fixtures/identity/p256/certificate.pem").unwrap();
    whole[..whole.len() / 2].to_owned()
}

/// What openssl and ssh-keygen said of the first thing in a fixture when it was made.
pub(crate) fn told(fixture: &str) -> Value {
    let path = format!("fixtures/{fixture}.expect.json");
    let all: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    all["sightings"][0].clone()
}

/// Runs a shell script in a mount namespace of its own; `$1` is the program, the further arguments follow.
pub(crate) fn in_namespace(script: &str, args: &[&str]) -> Output {
    Command::new("unshare")
        .args(["-m", "--propagation=private", "sh", "-euc", script, "sh"])
        .arg(BINARY)
        .args(args)
        .output()
        .expect("unshare (package util-linux) must be installed, and permitted: run as root")
}

/// A copy of the program where every user can reach it.
pub(crate) fn public_binary(dir: &Path) -> PathBuf {
    let path = dir.join("keymuster");
    // Another process copies it: what this one has open for writing, a child that another test starts just then has too, and what any
    // process has open for writing cannot be run.
    let copied = Command::new("cp").arg(BINARY).arg(&path).status();
    assert!(copied.unwrap().success());
    set_mode(&path, 0o755);
    path
}

/// A program to be run as a user who owns nothing.
pub(crate) fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(program);
    command
}

/// What a run cost.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Processor seconds, of the program and the kernel for it.
    pub(crate) cpu: f64,
    /// Peak resident memory in megabytes.
    pub(crate) memory: f64,
}

/// Runs a program under GNU time and gives what it cost.
pub(crate) fn measured(program: &str, args: &[&str]) -> (Output, Cost) {
    let dir = tempfile::tempdir().unwrap();
    let told = dir.path().join("cost");
    let output = Command::new("/usr/bin/time")
        .args(["-q", "-f", "%U %S %M", "-o"])
        .arg(&told)
        .arg(program)
        .args(args)
        .output()
        .expect("/usr/bin/time (package time) must be installed");
    let text = fs::read_to_string(&told).unwrap();
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    let [user, system, kilobytes] = numbers[..] else {
        panic!("/usr/bin/time said {text:?}");
    };
    let cost = Cost {
        cpu: user + system,
        memory: kilobytes / 1000.0,
    };
    (output, cost)
}

/// Starts the program with its output kept.
pub(crate) fn start(args: &[&str]) -> std::process::Child {
    command(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until something holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What sha256sum says of bytes.
pub(crate) fn sha256sum(bytes: &[u8]) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    out(&output).split(' ').next().unwrap().to_owned()
}
