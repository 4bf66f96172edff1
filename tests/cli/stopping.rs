//! What ends a sweep early: signals and the time limit. What was swept until then is a valid sweep.

use super::Case;
use crate::support::{
    arg, check, err, expect, gaps, keymuster, of_kind, out, records, start, wait_until,
};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Child;

/// A tree that takes many seconds: text that looks like the beginning of a key at every line.
fn slow_tree(case: &Case) -> PathBuf {
    let dir = case.at("tree/z");
    fs::create_dir(&dir).unwrap();
    let line = b"-----BEGIN PRIVATE KEY-----\nMIIB\n".repeat(1 << 15);
    for number in 0..4 {
        let mut file = fs::File::create(dir.join(format!("{number}"))).unwrap();
        for _ in 0..200 {
            file.write_all(&line).unwrap();
        }
    }
    case.tree()
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Waits until the program has taken over the signal.
fn wait_for_handler(child: &Child, signal: Signal) {
    let status = format!("/proc/{}/status", child.id());
    let bit = 1u64 << (signal.as_raw() - 1);
    wait_until("the program takes the signal", || {
        let text = fs::read_to_string(&status).unwrap();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & bit != 0
    });
}

#[test]
fn a_signal_ends_a_sweep_with_what_it_has() {
    let case = Case::new();
    let tree = slow_tree(&case);
    for (by, name) in [
        (Signal::INT, "int"),
        (Signal::TERM, "term"),
        (Signal::HUP, "hup"),
    ] {
        let (report, kept) = (case.at(&format!("{name}.json")), case.at(name));
        let options = ["-f", "json", "-o", arg(&report), "--sweep", arg(&kept)];
        let child = start(&[&["scan", arg(&tree)], &options[..]].concat());
        wait_for_handler(&child, by);
        std::thread::sleep(std::time::Duration::from_millis(300));
        signal(&child, by);
        let begun = std::time::Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
        check(&output, 4, name);
        assert!(err(&output).contains("interrupted"), "{}", err(&output));
        let sweep = records(&fs::read(&kept).unwrap());
        let end = of_kind(&sweep, "end")[0];
        assert_eq!(end["complete"], false);
        assert_eq!(end["gaps"]["interrupted"], 1);
        let root = arg(&tree).to_owned();
        assert!(gaps(&sweep).contains(&(root, "interrupted".to_owned())));
        // It can be judged: nothing is concluded to be missing.
        let judged = keymuster(&["reconcile", arg(&kept), "-f", "json"]);
        check(&judged, 4, "reconcile");
        let report: serde_json::Value =
            serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
        assert_eq!(report["summary"]["complete"], false);
    }
}

#[test]
fn a_second_signal_ends_the_program() {
    let case = Case::new();
    // A sweep that does not fit a pipe, and nobody who reads it: the program waits as long as it is let.
    let model = fs::read("fixtures/identity/p256/certificate.pem").unwrap();
    for number in 0..200 {
        fs::write(case.at(&format!("tree/{number}")), &model).unwrap();
    }
    let kept = case.at("kept");
    let tree = case.tree();
    let mut child = start(&["scan", arg(&tree), "-f", "jsonl", "--sweep", arg(&kept)]);
    wait_until("the sweep is kept", || kept.exists());
    signal(&child, Signal::INT);
    let taken = format!("/proc/{}/status", child.id());
    wait_until("the first is taken", || {
        let text = fs::read_to_string(&taken).unwrap();
        let pending = text.lines().filter(|l| l.starts_with("ShdPnd:"));
        pending
            .into_iter()
            .all(|line| line.ends_with("0000000000000000"))
    });
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "the first ended it");
    signal(&child, Signal::INT);
    let status = child.wait().unwrap();
    assert!(
        status.code() == Some(130) || status.signal() == Some(2),
        "{status}"
    );
}

#[test]
fn the_time_limit_ends_a_sweep_likewise() {
    let case = Case::new();
    let tree = slow_tree(&case);
    let begun = std::time::Instant::now();
    let output = expect(
        4,
        &["scan", arg(&tree), "-f", "jsonl", "--time-limit", "1s"],
    );
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    assert!(err(&output).contains("time limit"), "{}", err(&output));
    let sweep = records(&output.stdout);
    let end = of_kind(&sweep, "end")[0];
    assert_eq!(end["complete"], false);
    assert_eq!(end["gaps"]["limit"], 1);
    let gap = of_kind(&sweep, "gap");
    let gap = gap.iter().find(|gap| gap["reason"] == "limit").unwrap();
    assert_eq!(gap["path"], arg(&tree));
    assert_eq!(gap["detail"], "time limit");
    // Hosts that were not reached are incomplete, too.
    fs::create_dir_all(case.at("hosts/b")).unwrap();
    fs::rename(&tree, case.at("hosts/a")).unwrap();
    let hosts = case.at("hosts");
    let args = ["scan", "--hosts-under", arg(&hosts), "-f", "jsonl"];
    let sweep = records(&expect(4, &[&args[..], &["--time-limit", "500ms"]].concat()).stdout);
    let ends = of_kind(&sweep, "end");
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|end| end["complete"] == false));
    // A limit that is not reached changes nothing, but for being told.
    fs::remove_dir_all(case.at("hosts/a/z")).unwrap();
    let said = out(&expect(0, &["scan", arg(&hosts), "--time-limit", "1h"]));
    assert!(said.contains("complete"), "{said}");
}
