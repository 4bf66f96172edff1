//! Hostile files of every form: an answer, soon, in little memory.

use keymuster::inventory::{ReadOptions, read};
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn bombs_and_broken_files_are_refused_with_the_reason() {
    for (file, word) in [
        ("bomb.xlsx", "unpacks to more"),
        ("corners.xlsx", "more rows or columns"),
        ("repeated.ods", "than are read"),
        ("truncated.xlsx", "damaged"),
        ("corrupted.sqlite", "malformed"),
        ("aliases.yaml", "more aliases"),
    ] {
        let started = Instant::now();
        let path = format!("fixtures/inventory/hostile/{file}");
        let error = read(Path::new(&path), &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{file}: {error}");
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{file}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn a_number_that_a_spreadsheet_rounded_is_unmatchable() {
    let read = read(
        Path::new("fixtures/inventory/hostile/rounded.xlsx"),
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!((read.rows, read.unusable), (11, 1));
    let first = &read.entries[0];
    assert!(first.identifiers.is_empty(), "{first:?}");
    assert!(first.unreadable.as_deref().unwrap().contains("rounded"));
    // Nothing tells whether day or month comes first: told once, and no date is used.
    assert!(read.entries.iter().all(|e| e.expires.is_none()));
    let told: Vec<_> = read
        .faults
        .iter()
        .filter(|f| f.reason.contains("day and month"))
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].column.as_deref(), Some("Valid To"));
}
