//! Contents of random bytes, as values of databases, members and files may have them: nothing is found, and nothing is told.
//! `benches/chance.rs` does the same with some millions.

use keymuster::archives::Memory;
use keymuster::detect::Detector;
use keymuster::formats::{self, Place};
use keymuster::model::{Artifact, EntryFacts, GapReason, Member};
use keymuster::parse::Parser;
use keymuster::pipeline::content::{Scanner, Sink};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Numbers that look like chance and are the same every time (xorshift*).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 1 to 1,023 bytes, small ones as often as large ones.
    fn content(&mut self) -> Vec<u8> {
        let least = 1 << (self.next() % 10);
        let size = least + self.next() % least;
        let words = size.div_ceil(8);
        let mut bytes: Vec<u8> = (0..words).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(usize::try_from(size).unwrap());
        bytes
    }
}

#[derive(Default)]
struct Told(Vec<String>);

impl Sink for Told {
    fn artifact(&mut self, artifact: Artifact, _: u64, _: Option<u64>) {
        self.0
            .push(format!("{} {:?}", artifact.format, artifact.kind));
    }

    fn fault(&mut self, reason: GapReason, _: u64, detail: String) {
        self.0.push(format!("{}: {detail}", reason.as_str()));
    }

    fn enter(&mut self, _: Member, _: Option<Arc<EntryFacts>>) {}

    fn leave(&mut self) {}
}

/// What is told of contents that begin with these bytes at this place, of `count` for each.
fn told_of(starts: &[(usize, &[u8])], count: usize) -> Vec<String> {
    let detector = Detector::new(formats::ALL);
    let parser = Parser::new(formats::ALL);
    let stop = AtomicBool::new(false);
    let mut scanner = Scanner::new(&detector, &parser, &stop);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut all = Vec::new();
    for (place, start) in starts {
        for _ in 0..count {
            let mut bytes = noise.content();
            let end = place + start.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*place..end].copy_from_slice(start);
            let mut told = Told::default();
            let done = scanner.scan(&Memory(&bytes), b"x", &mut told, &mut 0);
            done.unwrap();
            let start = start.escape_ascii();
            all.extend(told.0.iter().map(|told| format!("{start}: {told}")));
        }
    }
    all
}

#[test]
fn random_contents_are_taken_for_nothing() {
    let told = told_of(&[(0, b"")], 100_000);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn nor_are_those_that_begin_with_a_weak_magic_number() {
    let of_formats = formats::ALL.iter().flat_map(|format| format.signatures());
    let mut starts: Vec<(usize, &[u8])> = of_formats
        .filter_map(|signature| match signature.place {
            Place::Start(at) => Some((at, signature.literal)),
            Place::Anywhere => None,
        })
        // Three bytes that chance writes declare nothing; longer ones may.
        .filter(|(at, literal)| *at < 1024 && literal.len() <= 3)
        .collect();
    // gzip, compress, LZMA, loose objects of git, cpio, programs that may hold a zip file.
    let archives: [&[u8]; 9] = [
        b"\x1f\x8b\x08",
        b"\x1f\x9d",
        b"\x5d\0\0",
        b"\x78\x01",
        b"\x78\x9c",
        b"\xc7\x71",
        b"\x71\xc7",
        b"MZ",
        b"#!",
    ];
    starts.extend(archives.map(|start| (0, start)));
    // Of OpenPGP keys with the packet's length, a version and a likely time too.
    let keys: [&[u8]; 8] = [
        b"\x94\x60\x04\x50",
        b"\x98\x30\x04\x50",
        b"\x95\x02\x04\x04\x50",
        b"\x99\x01\x0d\x04\x50",
        b"\x95\xff\x04\x04\x50",
        b"\x99\xff\x0d\x04\x50",
        b"\xc5\x60\x04\x50",
        b"\xc6\x26\x04\x50",
    ];
    starts.extend(keys.map(|start| (0, start)));
    assert!(starts.len() > 40, "{}", starts.len());
    let told = told_of(&starts, 1_000);
    assert!(told.is_empty(), "{told:?}");
}
