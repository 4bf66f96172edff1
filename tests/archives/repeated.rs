//! A member whose content was seen already in this sweep is not opened again, unless it held something.

use crate::support::open_directory;
use keymuster::detect::Detector;
use keymuster::formats;
use keymuster::model::{Artifact, Budgets, EntryFacts, GapReason, Member};
use keymuster::parse::Parser;
use keymuster::pipeline::content::{Scanner, Sink};
use keymuster::pipeline::seen::Seen;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Notes what is entered, and what is told.
#[derive(Default)]
struct Notes {
    entered: Vec<String>,
    found: usize,
    faults: Vec<String>,
}

impl Sink for Notes {
    fn artifact(&mut self, _: Artifact, _: u64, _: Option<u64>) {
        self.found += 1;
    }

    fn fault(&mut self, _: GapReason, _: u64, detail: String) {
        self.faults.push(detail);
    }

    fn enter(&mut self, member: Member, _: Option<Arc<EntryFacts>>) {
        self.entered.push(format!(
            "{} {}",
            member.container,
            member.name.unwrap_or_default()
        ));
    }

    fn leave(&mut self) {}
}

/// Runs a script in an empty directory and scans the files that it made, in order, as one sweep.
fn scan(script: &str, files: &[&str], budgets: Budgets) -> Notes {
    let dir = open_directory();
    let status = Command::new("bash")
        .args(["-euc", script])
        .current_dir(dir.path())
        .env(
            "KEY",
            fs::canonicalize("fixtures/identity/p256/pkcs8.pem").unwrap(),
        )
        .status()
        .unwrap();
    assert!(status.success(), "{script}");
    let (parser, stop, seen) = (
        Parser::new(formats::ALL),
        AtomicBool::new(false),
        Seen::default(),
    );
    let mut scanner = Scanner::new(Detector::shared(), &parser, &stop)
        .with_budgets(budgets)
        .with_seen(&seen);
    let mut notes = Notes::default();
    for file in files {
        let content = fs::read(Path::new(dir.path()).join(file)).unwrap();
        let source = keymuster::archives::Memory(&content);
        scanner
            .scan(&source, file.as_bytes(), &mut notes, &mut 0)
            .unwrap();
    }
    notes
}

/// A zip of noise, twice in an archive; `$1` is packed by the caller.
const TWICE: &str =
    "head -c 90000 /dev/urandom >noise; zip -q a.jar noise; cp a.jar b.jar; rm noise; ";

fn count(notes: &Notes, member: &str) -> usize {
    notes.entered.iter().filter(|m| *m == member).count()
}

#[test]
fn a_member_that_held_nothing_is_opened_once() {
    for (pack, file) in [
        ("tar -cf x a.jar b.jar", "x"),
        ("tar -c a.jar b.jar | zstd -q >x", "x"),
        ("zip -q x.zip a.jar b.jar", "x.zip"),
    ] {
        let notes = scan(&format!("{TWICE}{pack}"), &[file], Budgets::default());
        assert_eq!(count(&notes, "zip noise"), 1, "{pack}: {:?}", notes.entered);
        assert!(notes.entered.iter().any(|m| m.ends_with("b.jar")), "{pack}");
        assert!(notes.faults.is_empty(), "{:?}", notes.faults);
    }
    // In another file of the same sweep too.
    let script = format!("{TWICE}tar -cf x a.jar; tar -cf y b.jar");
    let notes = scan(&script, &["x", "y"], Budgets::default());
    assert_eq!(count(&notes, "zip noise"), 1, "{:?}", notes.entered);
}

#[test]
fn a_member_that_differs_or_held_something_is_opened() {
    let script = format!("{TWICE}printf x >more; zip -q b.jar more; tar -cf x a.jar b.jar");
    let notes = scan(&script, &["x"], Budgets::default());
    assert_eq!(count(&notes, "zip noise"), 2, "{:?}", notes.entered);
    assert_eq!(count(&notes, "zip more"), 1, "{:?}", notes.entered);
    let script = "head -c 90000 /dev/urandom >noise; cp \"$KEY\" key; zip -q a.jar noise key; cp a.jar b.jar; tar -cf x a.jar b.jar";
    let notes = scan(script, &["x"], Budgets::default());
    assert_eq!(notes.found, 2, "{:?}", notes.entered);
    // A gap is something as well.
    let script = "head -c 90000 /dev/urandom >noise; zip -q -P secret a.jar noise; cp a.jar b.jar; tar -cf x a.jar b.jar";
    let notes = scan(script, &["x"], Budgets::default());
    assert_eq!(notes.faults.len(), 2, "{:?}", notes.faults);
}

#[test]
fn budgets_hold_whichever_copy_is_opened() {
    // Two members in each jar, and two jars in two archives.
    let script = format!("{TWICE}tar -cf x a.jar b.jar; tar -cf y a.jar b.jar");
    let with = |members, depth| Budgets {
        members,
        depth,
        ..Budgets::default()
    };
    let notes = scan(&script, &["x", "y"], with(4, 8));
    assert!(notes.faults.is_empty(), "{:?}", notes.faults);
    let notes = scan(&script, &["x", "y"], with(3, 8));
    assert_eq!(
        notes.faults, ["more than 3 members in one file"; 2],
        "of each file"
    );
    // Where less depth is left, that it is too deep is told.
    let script = "head -c 90000 /dev/urandom >noise; zip -q in.zip noise; zip -q a.jar in.zip; tar -cf x a.jar; tar -cf y x";
    let notes = scan(script, &["x", "y"], with(1000, 3));
    assert_eq!(notes.faults, ["zip: nested deeper than 3"]);
}
