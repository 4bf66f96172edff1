//! How fast each stage is by itself: search, reading of what was found, the walk, and all of them on a tree.
//!
//! `cargo bench --bench stages`. Against other programs: `benches/compare.sh`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark may fail loudly"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use keymuster::archives::{Memory, Source};
use keymuster::detect::Detector;
use keymuster::formats;
use keymuster::model::{Artifact, EntryFacts, Gap, GapReason, Member};
use keymuster::parse::Parser;
use keymuster::pipeline::content::{Scanner, Sink};
use keymuster::walk::{self, HostRoot, OpenFile, Progress, Visitor, WalkOptions};
use std::fs;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Files of the tree that is walked.
const FILES: usize = 5_000;
/// Bytes that the detector is given.
const BUFFER: usize = 8 << 20;

/// Numbers that look like chance and are the same every time (xorshift).
struct Noise(u64);

impl Iterator for Noise {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some(self.0.to_le_bytes()[3])
    }
}

/// Text, base64 and bytes without a pattern in turn, as a file system has them.
fn mixed(size: usize) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = "The quick brown fox: jumps(over, the_lazy_dog) = 42; // ---- and -- again\n";
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(size + (256 << 10));
    while bytes.len() < size {
        bytes.extend(text.bytes().cycle().take(64 << 10));
        bytes.extend(noise.by_ref().take(64 << 10));
        let digits = noise.by_ref().take(64 << 10);
        bytes.extend(digits.map(|byte| DIGITS[usize::from(byte % 64)]));
    }
    bytes.truncate(size);
    bytes
}

/// A hundred certificates with a line of text before each, made of the fixtures.
fn bundle() -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/x509");
    let mut files: Vec<_> = fs::read_dir(fixtures)
        .expect("fixtures/x509 is part of the repository")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "pem"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no certificate among the fixtures");
    let mut bytes = Vec::new();
    for (number, file) in files.iter().cycle().take(100).enumerate() {
        bytes.extend_from_slice(format!("# Certificate {number}\n").as_bytes());
        bytes.extend(fs::read(file).unwrap());
    }
    bytes
}

#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn artifact(&mut self, artifact: Artifact, _: u64, _: Option<u64>) {
        black_box(artifact);
        self.0 += 1;
    }

    fn fault(&mut self, _: GapReason, _: u64, _: String) {}

    fn enter(&mut self, _: Member, _: Option<Arc<EntryFacts>>) {}

    fn leave(&mut self) {}
}

struct OnDisk<'a>(&'a OpenFile<'a>);

impl Source for OnDisk<'_> {
    fn size(&self) -> u64 {
        self.0.facts().size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.0.next_data(offset)
    }
}

/// Detection alone: every place that a parser would be asked about.
fn detect(criterion: &mut Criterion) {
    let detector = Detector::new(formats::ALL);
    let mut group = criterion.benchmark_group("detect");
    group.sample_size(20);
    for (name, bytes) in [("mixed", mixed(BUFFER)), ("zeros", vec![0; BUFFER])] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut from = 0;
                let mut hits = 0;
                while let Some(hit) = detector.find(&bytes, from) {
                    from = hit.at + 1;
                    hits += 1;
                }
                hits
            });
        });
    }
    group.finish();
}

/// Windows, detection and reading together, from memory.
fn parse(criterion: &mut Criterion) {
    let detector = Detector::new(formats::ALL);
    let parser = Parser::new(formats::ALL);
    let stop = AtomicBool::new(false);
    let mut group = criterion.benchmark_group("parse");
    group.sample_size(20);
    for (name, bytes) in [("100 certificates", bundle()), ("mixed", mixed(BUFFER))] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            let mut scanner = Scanner::new(&detector, &parser, &stop);
            bencher.iter(|| {
                let mut count = Count::default();
                let source = Memory(&bytes);
                scanner.scan(&source, b"x", &mut count, &mut 0).unwrap();
                count.0
            });
        });
    }
    group.finish();
}

/// Small files in directories of a hundred: text, every fiftieth with a certificate.
fn make_tree() -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    let text = mixed(16 << 10);
    let certificates = bundle();
    for number in 0..FILES {
        let directory = tree.path().join(format!("d{}", number / 100));
        if number % 100 == 0 {
            fs::create_dir(&directory).unwrap();
        }
        let content = if number % 50 == 0 {
            &certificates[..certificates.len().min(4 << 10)]
        } else {
            &text[..number * 7 % text.len()]
        };
        fs::write(directory.join(format!("f{number}")), content).unwrap();
    }
    tree
}

/// Takes the files and reads none.
struct Opened;

impl Visitor for Opened {
    fn file(&mut self, file: &OpenFile<'_>) {
        black_box(file.facts());
    }

    fn gap(&mut self, gap: Gap) {
        unreachable!("{gap:?}");
    }
}

/// Reads the files to their end.
struct Swept<'a> {
    scanner: Scanner<'a>,
    count: Count,
}

impl Visitor for Swept<'_> {
    fn file(&mut self, file: &OpenFile<'_>) {
        let name = file.file_name();
        let scanned = self
            .scanner
            .scan(&OnDisk(file), name, &mut self.count, &mut 0);
        scanned.unwrap();
    }

    fn gap(&mut self, gap: Gap) {
        unreachable!("{gap:?}");
    }
}

/// A tree of small files: opened only, and read with every format; with one thread and with two.
fn tree(criterion: &mut Criterion) {
    let tree = make_tree();
    let host = HostRoot::open(Path::new("/")).unwrap();
    let root = fs::canonicalize(tree.path()).unwrap();
    let roots = [root.into_os_string().into_encoded_bytes()];
    let detector = Detector::new(formats::ALL);
    let parser = Parser::new(formats::ALL);
    let stop = AtomicBool::new(false);
    let mut group = criterion.benchmark_group("tree");
    group.sample_size(10);
    group.throughput(Throughput::Elements(FILES as u64));
    for jobs in [1, 2] {
        let options = WalkOptions {
            jobs,
            ..WalkOptions::default()
        };
        group.bench_function(format!("walk, {jobs} threads"), |bencher| {
            bencher.iter_batched(
                Progress::default,
                |progress| {
                    let done = walk::walk(&host, &roots, &options, &progress, || Opened).unwrap();
                    assert_eq!(done.files, FILES as u64);
                },
                BatchSize::PerIteration,
            );
        });
        group.bench_function(
            format!("all stages to reading, {jobs} threads"),
            |bencher| {
                bencher.iter_batched(
                    Progress::default,
                    |progress| {
                        let make = || Swept {
                            scanner: Scanner::new(&detector, &parser, &stop),
                            count: Count::default(),
                        };
                        let done = walk::walk(&host, &roots, &options, &progress, make).unwrap();
                        let found: usize = done.visitors.iter().map(|v| v.count.0).sum();
                        assert!(found >= FILES / 50);
                        progress.bytes.load(Ordering::Relaxed)
                    },
                    BatchSize::PerIteration,
                );
            },
        );
    }
    group.finish();
}

criterion_group!(stages, detect, parse, tree);
criterion_main!(stages);
