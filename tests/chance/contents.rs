//! Random contents, and what is told of them: for the test and for the experiment with millions of them.

use keymuster::archives::Memory;
use keymuster::detect::Detector;
use keymuster::formats::{self, Place};
use keymuster::model::{Artifact, EntryFacts, GapReason, Member};
use keymuster::parse::Parser;
use keymuster::pipeline::content::{Scanner, Sink};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Numbers that look like chance and are the same every time (xorshift*).
pub(super) struct Noise(pub(super) u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Fills with a content of less than `most` bytes, small ones as often as large ones, in which a literal stands at a place.
    fn content(&mut self, bytes: &mut Vec<u8>, most: usize, (place, literal): Start) {
        let least = 1 << (self.next() % u64::from(most.ilog2()));
        let size = least + self.next() % least;
        let end = place + literal.len();
        let size = usize::try_from(size).unwrap().max(end);
        bytes.clear();
        while bytes.len() < size {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(size);
        bytes[place..end].copy_from_slice(literal);
    }
}

/// A place in a content, and what stands there.
pub(super) type Start = (usize, &'static [u8]);

/// The magic numbers of formats of at most so many bytes, within the first bytes of a content.
pub(super) fn short_starts(longest: usize, within: usize) -> impl Iterator<Item = Start> {
    let all = formats::ALL.iter().flat_map(|format| format.signatures());
    all.filter_map(move |signature| match signature.place {
        Place::Start(at) if at < within && signature.literal.len() <= longest => {
            Some((at, signature.literal))
        }
        _ => None,
    })
}

#[derive(Default)]
struct Told(Vec<String>);

impl Sink for Told {
    fn artifact(&mut self, artifact: Artifact, _: u64, _: Option<u64>) {
        let told = format!("{} {:?}", artifact.format, artifact.kind);
        self.0.push(told);
    }

    fn fault(&mut self, reason: GapReason, _: u64, detail: String) {
        self.0.push(format!("{} gap: {detail}", reason.as_str()));
    }

    fn enter(&mut self, _: Member, _: Option<Arc<EntryFacts>>) {}

    fn leave(&mut self) {}
}

/// What is told of `count` contents of less than `most` bytes that begin so.
pub(super) fn told_of(noise: &mut Noise, count: u64, most: usize, start: Start) -> Vec<String> {
    let detector = Detector::new(formats::ALL);
    let parser = Parser::new(formats::ALL);
    let stop = AtomicBool::new(false);
    let mut scanner = Scanner::new(&detector, &parser, &stop);
    let mut bytes = Vec::new();
    let mut told = Told::default();
    for _ in 0..count {
        noise.content(&mut bytes, most, start);
        let done = scanner.scan(&Memory(&bytes), b"x", &mut told, &mut 0);
        done.expect("memory can be read");
    }
    told.0
}
