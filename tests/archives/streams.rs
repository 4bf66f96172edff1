//! Compressed files that are cut, damaged or followed by something, and what only looks like one.

use super::damage::shell;
use super::plants::sweep;
use crate::support::{open_directory, plant};
use std::collections::BTreeSet;
use std::fs;

/// Name in records, and the tool with blocks that are small.
const TOOLS: &[(&str, &str)] = &[
    ("gzip", "gzip -c"),
    ("bzip2", "bzip2 -1 -c"),
    ("xz", "xz -c --block-size=100000"),
    ("lzma", "xz -c --format=lzma"),
    ("zstd", "zstd -q -c --no-check"),
    ("lz4", "lz4 -q -c -B4"),
    ("compress", "compress -c"),
];

/// A key, much that hardly shrinks, and another key: its place is where the damage is.
const CONTENT: &str =
    "seq 1 90000 | sort -R --random-source=1.pem >middle; cat 1.pem middle 2.pem >all";

/// Reasons told of a file, and the depths at which something was found in it.
fn swept(script: &str) -> Vec<(&'static str, BTreeSet<String>, Vec<usize>)> {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    plant("identity/p384/pkcs8.pem", dir.path(), "2.pem");
    shell(dir.path(), CONTENT);
    for (name, tool) in TOOLS {
        shell(dir.path(), &format!("{tool} all >x; {script}; mv y {name}"));
    }
    shell(dir.path(), "rm -f 1.pem 2.pem middle all x");
    let swept = sweep(dir.path(), &[]);
    TOOLS
        .iter()
        .map(|(name, _)| {
            let file = dir.path().join(name);
            let gaps = swept.gaps.iter();
            let gaps = gaps.filter(|gap| gap["path"] == file.to_str().unwrap());
            let reasons = gaps.map(|gap| gap["reason"].as_str().unwrap().to_owned());
            let found = swept.found.get(&file).into_iter().flatten();
            let depths = found.flat_map(|((types, _), told)| vec![types.len(); told.len()]);
            (*name, reasons.collect(), depths.collect())
        })
        .collect()
}

#[test]
fn a_cut_is_told_and_what_stands_before_it_is_found() {
    for (name, reasons, depths) in swept("head -c $(($(stat -c %s x) * 2 / 3)) x >y") {
        assert_eq!(depths, [1], "{name}");
        // A file of compress has no end that could be lacking.
        let expected: &[&str] = match name {
            "compress" => &[],
            _ => &["truncated"],
        };
        assert!(reasons.iter().eq(expected), "{name}: {reasons:?}");
    }
}

#[test]
fn damage_is_told_and_what_stands_before_it_is_found() {
    // The third quarter is overwritten with ones.
    let script = "s=$(stat -c %s x); { head -c $((s / 2)) x; head -c $((s / 4)) /dev/zero | tr '\\0' '\\377'; tail -c +$((s / 2 + s / 4 + 1)) x; } >y";
    for (name, reasons, depths) in swept(script) {
        assert_eq!(depths.first(), Some(&1), "{name}");
        if name != "compress" {
            assert!(reasons.contains("malformed"), "{name}: {reasons:?}");
        }
    }
}

#[test]
fn what_follows_a_stream_is_searched() {
    for (name, reasons, depths) in swept("{ cat x; echo tail; cat 2.pem; } >y") {
        if name == "compress" {
            // It ends where the file does.
            assert!(
                depths.starts_with(&[1]) || depths.starts_with(&[0, 1]),
                "{depths:?}"
            );
            continue;
        }
        assert!(reasons.is_empty(), "{name}: {reasons:?}");
        assert_eq!(depths, [0, 1, 1], "{name}");
    }
}

#[test]
fn streams_of_another_kind_follow() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    let all: Vec<_> = TOOLS
        .iter()
        .filter(|(name, _)| *name != "compress")
        .map(|(_, tool)| format!("{tool} 1.pem; head -c 512 /dev/zero; "))
        .collect();
    shell(dir.path(), &format!("{{ {} }} >x; rm 1.pem", all.concat()));
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let found = &swept.found[&dir.path().join("x")];
    let kinds: Vec<_> = found.keys().map(|(types, _)| types.join(" ")).collect();
    assert_eq!(kinds, ["bzip2", "gzip", "lz4", "lzma", "xz", "zstd"]);
}

#[test]
fn what_only_looks_like_a_stream_is_searched_as_it_is() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    // Weak magic numbers, and whole ones with nothing behind them that could be a stream.
    let starts: [&[u8]; 8] = [
        &[0x1f, 0x9d, 0x90, 0xff, 0xff],
        &[0x1f, 0x9d, 0x10, b'\n'],
        &[
            0x5d, 0, 0, 0x80, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff,
            0xff, 0xff,
        ],
        &[0xc7, 0x71, 0, 0, 0, 0, 0, 0],
        b"070707 is what a cpio begins with\n",
        b"070701 is another\n",
        b"BZh is bzip2\n",
        &[0x04, 0x22, 0x4d, 0x18, 0x40, 0, 0],
    ];
    let key = fs::read(dir.path().join("1.pem")).unwrap();
    for (number, start) in starts.iter().enumerate() {
        fs::write(
            dir.path().join(number.to_string()),
            [start, &key[..]].concat(),
        )
        .unwrap();
    }
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    for (number, start) in starts.iter().enumerate() {
        let found = &swept.found[&dir.path().join(number.to_string())];
        let raw = &found[&(vec![], String::new())];
        assert_eq!(raw[0].2, start.len() as u64, "{number}");
    }
}
