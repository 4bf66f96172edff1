//! Archives in archives in archives.

use super::kinds::KINDS;
use super::plants::{Kind, compare, pack, plant_few, sweep};
use crate::support::open_directory;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// How deep members may stand in one another unless another budget is set.
const DEPTH: usize = 8;

/// mke2fs loses zeros at the end of a file where files may stand in their inode.
fn end_with_something(holder: &Kind, kind: &Kind, file: &Path) {
    if holder.ending == "inline.ext4" && fs::read(file).unwrap().ends_with(&[0]) {
        // An ar has only members: an empty one.
        let end = match kind.chain[0] {
            "ar" => format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "x/", 0, 0, 0, 0, 0),
            _ => "\n".to_owned(),
        };
        let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
        file.write_all(end.as_bytes()).unwrap();
    }
}

#[test]
fn every_key_is_found_in_chains_of_three() {
    let archives = open_directory();
    let mut expected = Vec::new();
    for (number, outer) in KINDS.iter().enumerate() {
        // Each kind outermost with several others, which differ from kind to kind.
        for step in (0..KINDS.len()).step_by(5) {
            let middle = &KINDS[(number + step) % KINDS.len()];
            let inner = &KINDS[(number * 2 + step * 3 + 1) % KINDS.len()];
            let chain = [outer.chain, middle.chain, inner.chain].concat();
            if chain.len() > DEPTH {
                continue;
            }
            let work = open_directory();
            let (first, second) = (work.path().join("1"), work.path().join("2"));
            fs::create_dir(&first).unwrap();
            fs::create_dir(&second).unwrap();
            let keys = open_directory();
            let planted = plant_few(keys.path());
            pack(inner, keys.path(), &first.join("inner"));
            end_with_something(middle, inner, &first.join("inner"));
            pack(middle, &first, &second.join("middle"));
            end_with_something(outer, middle, &second.join("middle"));
            let file = archives.path().join(format!("{number}.{step}"));
            pack(outer, &second, &file);
            expected.push((file, chain, planted));
        }
    }
    let swept = sweep(archives.path(), &[]);
    for (file, chain, planted) in &expected {
        compare(&swept, file, chain, planted);
    }
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps.first());
}
