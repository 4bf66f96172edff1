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

use keymuster::archives::Memory;
use keymuster::detect::Detector;
use keymuster::formats::{self, Place};
use keymuster::model::{Artifact, EntryFacts, GapReason, Member};
use keymuster::parse::Parser;
use keymuster::pipeline::content::{Scanner, Sink};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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

/// Numbers that look like chance and are the same every time (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }

    /// From 1 to 4,095, small ones as often as large ones.
    fn size(&mut self) -> usize {
        let least = 1 << (self.next() % 12);
        (least + self.next() % least) as usize
    }
}

#[derive(Default)]
struct Told(BTreeMap<String, u64>);

impl Told {
    fn count(&mut self, what: String) {
        *self.0.entry(what).or_default() += 1;
    }
}

impl Sink for Told {
    fn artifact(&mut self, artifact: Artifact, _: u64, _: Option<u64>) {
        self.count(format!("{} {:?}", artifact.format, artifact.kind));
    }

    fn fault(&mut self, reason: GapReason, _: u64, detail: String) {
        let detail: String = detail.chars().filter(|c| !c.is_ascii_digit()).collect();
        self.count(format!("{} gap: {detail}", reason.as_str()));
    }

    fn enter(&mut self, _: Member, _: Option<Arc<EntryFacts>>) {}

    fn leave(&mut self) {}
}

/// Searches so many contents that begin with these bytes, at this place.
fn try_all(count: u64, seed: u64, place: usize, start: &[u8]) -> Told {
    let detector = Detector::new(formats::ALL);
    let parser = Parser::new(formats::ALL);
    let stop = AtomicBool::new(false);
    let mut scanner = Scanner::new(&detector, &parser, &stop);
    let mut noise = Noise(seed);
    let mut buffer = [0; 4096];
    let mut told = Told::default();
    for _ in 0..count {
        let size = noise.size().max((place + start.len()).min(buffer.len()));
        let bytes = &mut buffer[..size];
        noise.fill(bytes);
        if let Some(there) = bytes.get_mut(place..place + start.len()) {
            there.copy_from_slice(start);
        }
        let mut read = 0;
        let done = scanner.scan(&Memory(bytes), b"x", &mut told, &mut read);
        done.expect("memory can be read");
    }
    told
}

fn main() {
    let millions = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let count: u64 = millions.unwrap_or(3) * 1_000_000;
    let halves = std::thread::scope(|scope| {
        let halves = [1_u64, 2].map(|seed| {
            let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            scope.spawn(move || try_all(count / 2, seed, 0, b""))
        });
        halves.map(|half| half.join().unwrap().0)
    });
    println!("{count} random contents:");
    for (what, hits) in halves.iter().flatten() {
        println!("  {hits} × {what}");
    }
    let short = |at: usize, literal: &'static [u8]| {
        (at < 4096 && literal.len() <= SHORT).then_some((at, literal))
    };
    let mut starts: Vec<(usize, &[u8])> = formats::ALL
        .iter()
        .flat_map(|format| format.signatures())
        .filter_map(|signature| match signature.place {
            Place::Start(at) => short(at, signature.literal),
            Place::Anywhere => None,
        })
        .collect();
    starts.extend(ARCHIVES.iter().map(|start| (0, *start)));
    starts.extend(DEEPER.iter().map(|start| (0, *start)));
    starts.sort_unstable();
    starts.dedup();
    for (index, (place, start)) in starts.iter().enumerate() {
        let seed = (index as u64 + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let told = try_all(TRIALS, seed, *place, start);
        for (what, hits) in &told.0 {
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
