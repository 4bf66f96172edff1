//! What contents of random bytes are taken for, as values of databases, members and files may have them.
//!
//! `cargo bench --bench chance [-- MILLIONS]`: first so many millions of contents of 1 to 4,095 random bytes (three unless told
//! otherwise), then 200,000 for each short magic number there is, which they begin with: a rate among these, divided by
//! how seldom chance writes the magic number, is one that no plain trial could measure. Nothing should be told at all of the
//! first; of the second the rates are printed, to be read so.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::print_stdout,
    reason = "an experiment may fail loudly"
)]

#[path = "../tests/chance/contents.rs"]
mod contents;

use contents::{Noise, Start, short_starts, told_of};
use std::collections::BTreeMap;

/// Contents have less bytes.
const MOST: usize = 4096;
/// Magic numbers of this many bytes and fewer are tried.
const SHORT: usize = 4;
/// Contents for each of them.
const TRIALS: u64 = 200_000;
/// How archives and compressed files begin, where that is short.
const ARCHIVES: &[&[u8]] = &[
    b"\x1f\x8b\x08",
    b"\x1f\x9d",
    b"\x5d\0\0",
    b"\x78\x01",
    b"\x78\x9c",
    b"\xc7\x71",
    b"\x71\xc7",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x04\x22\x4d\x18",
    b"\x02\x21\x4c\x18",
    b"\x28\xb5\x2f\xfd",
    b"\x50\x2a\x4d\x18",
    b"BZh9",
    b"PACK",
    b"%PDF",
    b"hsqs",
    b"\x7fELF",
    b"MZ",
    b"#!",
];
/// More of what a weak beginning asks for, so that rarer things are met.
const DEEPER: &[&[u8]] = &[
    b"\x94\x60\x04\x50",
    b"\x98\x30\x04\x50",
    b"\x95\x02\x04\x04\x50",
    b"\x99\x01\x0d\x04\x50",
    b"\x99\x01\x0d\x04\x50\0\0\0\x01\x04\0",
    b"\xc5\x40\x04\x50\0\0\0\x1b",
    b"\xc6\x26\x04\x50\0\0\0\x1b",
    b"\xc6\x2a\x06\x50\0\0\0\x1b\0\0\0\x20",
    b"\x05\x02\0\0\0\x30\0\x01\0\x02",
    b"\x05\x01\0\0\0\x30\0\x02\0\x02",
    b"\x05\x01\x30\0\0\0\x02\0\x02\0",
    b"\0\0\0\x02\0\0\0\x14",
    b"\0\0\0\x01\0\0\0\x14",
    b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01",
];

/// What is told of so many contents that begin so, and how often.
fn try_all(count: u64, seed: u64, start: Start) -> BTreeMap<String, u64> {
    let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut told = BTreeMap::new();
    for what in told_of(&mut noise, count, MOST, start) {
        let what = what.chars().filter(|c| !c.is_ascii_digit()).collect();
        *told.entry(what).or_default() += 1;
    }
    told
}

fn main() {
    let millions = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let count: u64 = millions.unwrap_or(3) * 1_000_000;
    let halves = std::thread::scope(|scope| {
        let halves = [1, 2].map(|seed| scope.spawn(move || try_all(count / 2, seed, (0, b""))));
        halves.map(|half| half.join().unwrap())
    });
    println!("{count} random contents:");
    for (what, hits) in halves.iter().flatten() {
        println!("  {hits} × {what}");
    }
    let mut starts: Vec<Start> = short_starts(SHORT, MOST).collect();
    starts.extend(ARCHIVES.iter().map(|start| (0, *start)));
    starts.extend(DEEPER.iter().map(|start| (0, *start)));
    starts.sort_unstable();
    starts.dedup();
    for (index, (place, start)) in starts.iter().enumerate() {
        let told = try_all(TRIALS, index as u64 + 3, (*place, start));
        for (what, hits) in &told {
            let of_start = 256_f64.powi(start.len() as i32);
            let rate = *hits as f64 / TRIALS as f64 / of_start;
            println!(
                "{:>5} + {:<24} {hits:>7} of {TRIALS}, {rate:.1e}: {what}",
                place,
                start.escape_ascii().to_string()
            );
        }
    }
}
