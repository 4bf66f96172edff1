//! Whole files: search, carving and every format, through the windows that real files are read in.
//!
//! The first byte chooses the file's name, and how many bytes a read gives at most.
#![no_main]

use keymuster::archives::Source;
use keymuster::detect::Detector;
use keymuster::formats;
use keymuster::model::{Artifact, EntryFacts, GapReason, Member};
use keymuster::parse::Parser;
use keymuster::pipeline::content::{Scanner, Sink};
use libfuzzer_sys::fuzz_target;
use std::io;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| Detector::new(formats::ALL));
static PARSER: LazyLock<Parser> = LazyLock::new(|| Parser::new(formats::ALL));
static STOP: AtomicBool = AtomicBool::new(false);

const NAMES: &[&[u8]] = &[
    b"x",
    b"authorized_keys",
    b"known_hosts",
    b"id_rsa.pub",
    b"\xff\n",
];

struct Memory<'a> {
    bytes: &'a [u8],
    most: usize,
}

impl Source for Memory<'_> {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = &self.bytes[self.bytes.len().min(offset as usize)..];
        let count = rest.len().min(buffer.len()).min(self.most);
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        Ok((offset < self.size()).then_some(offset))
    }
}

/// Everything told must stand inside the file.
struct Places {
    size: u64,
    count: usize,
    depth: usize,
}

impl Sink for Places {
    fn artifact(&mut self, _: Artifact, offset: u64, line: Option<u64>) {
        assert!(offset < self.size || self.depth > 0);
        assert!(self.depth > 0 || line.is_none_or(|line| (1..=self.size + 1).contains(&line)));
        self.count += 1;
    }

    fn fault(&mut self, _: GapReason, offset: u64, _: String) {
        assert!(offset <= self.size || self.depth > 0);
        self.count += 1;
    }

    fn enter(&mut self, _: Member, _: Option<Arc<EntryFacts>>) {
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let name = NAMES[usize::from(*first & 0x7f) % NAMES.len()];
    let source = Memory {
        bytes,
        most: if *first >= 0x80 { 1000 } else { usize::MAX },
    };
    let mut sink = Places {
        size: source.size(),
        count: 0,
        depth: 0,
    };
    let mut read = 0;
    let done = Scanner::new(&DETECTOR, &PARSER, &STOP).scan(&source, name, &mut sink, &mut read);
    done.expect("memory can be read");
    assert_eq!(sink.depth, 0);
});
