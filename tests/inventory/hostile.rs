//! Hostile files of every form: an answer, soon, in little memory.

use keymuster::inventory::{ReadOptions, read, read_bytes};
use std::io::{Read as _, Write as _};
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

/// One member of an archive with some bytes changed; the others as they are.
fn with_changes(archive: &[u8], member: &str, seed: u64) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut new = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for index in 0..old.len() {
        let mut file = old.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        if name == member {
            change(&mut content, seed);
        }
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        new.start_file(name, stored).unwrap();
        new.write_all(&content).unwrap();
    }
    new.finish().unwrap().into_inner()
}

/// A few bytes, at places that the seed chooses (Knuth's multiplier).
fn change(bytes: &mut [u8], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..=seed % 4 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let at = usize::try_from(state >> 33).unwrap() % bytes.len();
        bytes[at] = b"<>\"/&;=9-\0\xffaT"[usize::try_from(state >> 20).unwrap() % 13];
    }
}

#[test]
fn changed_bytes_of_every_form_give_an_answer() {
    let read = |name: &str| std::fs::read(format!("fixtures/inventory/forms/{name}")).unwrap();
    let options = ReadOptions {
        allow_partial: true,
        ..ReadOptions::default()
    };
    let mut understood = 0;
    let mut ask = |bytes: &[u8]| {
        understood += usize::from(read_bytes("x", bytes, &options).is_ok());
    };
    for seed in 0..150 {
        for (book, member) in [
            ("register.xlsx", "xl/worksheets/sheet2.xml"),
            ("register.xlsx", "xl/sharedStrings.xml"),
            ("register.xlsx", "xl/styles.xml"),
            ("register.xlsx", "xl/workbook.xml"),
            ("register.ods", "content.xml"),
        ] {
            ask(&with_changes(&read(book), member, seed));
        }
        for file in [
            "register.sqlite",
            "register.yaml",
            "cbom-1.7-members.json",
            "register.xlsx",
        ] {
            let mut bytes = read(file);
            change(&mut bytes, seed);
            ask(&bytes);
        }
    }
    assert!(understood > 300, "{understood}");
}
