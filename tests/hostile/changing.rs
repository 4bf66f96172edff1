//! Trees that change while they are swept: what comes, goes, grows, shrinks or is swapped.

use super::{bounded, paths, read};
use crate::support::{arg, err, gaps, of_kind, open_directory, plant};
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const KEY: &str = "identity/p256/pkcs8.pem";

/// Ends what runs beside a test, also when the test fails.
struct Beside<'a>(&'a AtomicBool);

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sweeps a tree for two seconds while `change` is done to it again and again; each sweep must be complete.
fn swept_while(tree: &Path, change: impl Fn() + Sync) -> Vec<Vec<Value>> {
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let _beside = Beside(&done);
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                change();
            }
        });
        let begun = Instant::now();
        let mut sweeps = Vec::new();
        while begun.elapsed() < Duration::from_secs(2) || sweeps.len() < 3 {
            let output = bounded(&["scan", "-f", "jsonl", arg(tree)])
                .output()
                .unwrap();
            sweeps.push(read(&output, 0, "a changing tree"));
        }
        sweeps
    })
}

#[test]
fn what_vanishes_meanwhile_ends_no_sweep() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let mut stay: Vec<String> = (0..40)
        .map(|n| arg(&plant(KEY, &tree, &format!("d{n}/stay/key"))).to_owned())
        .collect();
    stay.sort();
    let model = fs::read(format!("fixtures/{KEY}")).unwrap();
    let sweeps = swept_while(&tree, || {
        for n in 0..40 {
            let gone = tree.join(format!("d{n}/gone"));
            fs::create_dir(&gone).unwrap();
            fs::write(gone.join("key"), &model).unwrap();
            fs::rename(gone.join("key"), gone.join("moved")).unwrap();
        }
        for n in 0..40 {
            fs::remove_dir_all(tree.join(format!("d{n}/gone"))).unwrap();
        }
    });
    for sweep in sweeps {
        let found = paths(&sweep);
        let mut stayed: Vec<&String> = found.iter().filter(|p| p.contains("/stay/")).collect();
        stayed.sort();
        assert_eq!(stayed, stay.iter().collect::<Vec<_>>());
        assert!(gaps(&sweep).iter().all(|(_, reason)| reason == "vanished"));
        assert_eq!(of_kind(&sweep, "end")[0]["complete"], true);
    }
}

#[test]
fn a_file_swapped_for_a_pipe_neither_holds_the_sweep_up_nor_is_read() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let swap = plant(KEY, &tree, "d/swap");
    for n in 0..200 {
        plant(KEY, &tree, &format!("d/stay{n}"));
    }
    let pipe = tree.join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let sweeps = swept_while(&tree, || {
        renameat_with(CWD, &swap, CWD, &pipe, RenameFlags::EXCHANGE).unwrap();
    });
    for sweep in sweeps {
        let stayed = paths(&sweep);
        let stayed = stayed.iter().filter(|path| path.contains("stay"));
        assert_eq!(stayed.count(), 200);
    }
}

#[test]
fn a_file_that_grows_is_read_to_the_end_that_it_had() {
    let dir = open_directory();
    let path = dir.path().join("log");
    let key = fs::read(format!("fixtures/{KEY}")).unwrap();
    let noise = b"2026-11-24 nothing happened, as so often in this log of ours\n".repeat(1 << 14);
    let mut file = File::create(&path).unwrap();
    for part in [&key, &noise.repeat(8), &key] {
        file.write_all(part).unwrap();
    }
    let before = file.metadata().unwrap().len();
    let mut log = OpenOptions::new().append(true).open(&path).unwrap();
    let mut sweep = bounded(&["scan", "-f", "jsonl", arg(dir.path())])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It grows faster than a reader who runs after its end could read.
    let mut grown = 0u64;
    while sweep.try_wait().unwrap().is_none() {
        if grown < 3 << 30 {
            log.write_all(&noise).unwrap();
            grown += noise.len() as u64;
        }
    }
    let output = sweep.wait_with_output().unwrap();
    assert!(grown < 3 << 30, "it ran after the end: {}", err(&output));
    let records = read(&output, 0, "a growing file");
    let offsets: Vec<u64> = super::places(&records).into_iter().map(|p| p.2).collect();
    assert_eq!(offsets, [0, before - key.len() as u64]);
    let bytes = of_kind(&records, "end")[0]["bytes"].as_u64().unwrap();
    assert!((before..=before + grown).contains(&bytes), "{bytes}");
}

#[test]
fn a_file_that_shrinks_and_is_written_over_ends_no_sweep() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let stay = plant(KEY, &tree, "stay");
    let path = tree.join("log");
    let key = fs::read(format!("fixtures/{KEY}")).unwrap();
    let block = [&key[..], &[b'\n'; 50_000]].concat();
    let sweeps = swept_while(&tree, || {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&path)
            .unwrap();
        for _ in 0..200 {
            file.write_all(&block).unwrap();
        }
        file.set_len(block.len() as u64 / 2 + 20).unwrap();
    });
    for sweep in sweeps {
        assert!(paths(&sweep).contains(&arg(&stay).to_owned()));
    }
}
