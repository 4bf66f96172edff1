//! Whole contents, through windows of every kind.

use super::*;
use crate::formats::{self, Format, Signature};
use crate::model::{Found, Reading};

struct Memory(Vec<u8>);

impl Source for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = self
            .0
            .get(usize::try_from(offset).unwrap()..)
            .unwrap_or_default();
        let count = rest.len().min(buffer.len()).min(100_000);
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        Ok(Some(offset))
    }
}

#[derive(Default)]
struct Faults(Vec<(GapReason, u64)>);

impl Sink for Faults {
    fn artifact(&mut self, _: Artifact, _: u64, _: Option<u64>) {}

    fn fault(&mut self, reason: GapReason, offset: u64, _: String) {
        self.0.push((reason, offset));
    }

    fn enter(&mut self, _: Member, _: Option<Arc<EntryFacts>>) {}

    fn leave(&mut self) {}
}

fn faults(bytes: Vec<u8>) -> Vec<(GapReason, u64)> {
    faults_of(formats::ALL, bytes)
}

fn faults_of(formats: &'static [&'static dyn Format], bytes: Vec<u8>) -> Vec<(GapReason, u64)> {
    let detector = Detector::new(formats);
    let parser = Parser::new(formats);
    let stop = AtomicBool::new(false);
    let mut scanner = Scanner::new(&detector, &parser, &stop);
    let mut sink = Faults::default();
    let mut read = 0;
    let size = bytes.len() as u64;
    scanner
        .scan(&Memory(bytes), b"x", &mut sink, &mut read)
        .unwrap();
    assert_eq!(read, size);
    sink.0
}

#[test]
fn an_armour_is_found_once_wherever_a_window_ends() {
    let armour = format!("-----BEGIN CERTIFICATE-----\n{}\n", "QUJD".repeat(40));
    for before in [
        0,
        1,
        WINDOW - 20,
        WINDOW - 5,
        WINDOW,
        2 * WINDOW - 90,
        5 * WINDOW + 3,
    ] {
        let mut bytes = vec![b'.'; before];
        bytes.extend_from_slice(armour.as_bytes());
        assert_eq!(
            faults(bytes.clone()),
            [(GapReason::Truncated, before as u64)],
            "{before}"
        );
        bytes.extend_from_slice(&vec![b'!'; WINDOW]);
        assert_eq!(faults(bytes).len(), 1, "{before}");
    }
}

#[test]
fn a_boundary_that_a_window_cuts_is_read_whole() {
    let armour = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        "QUJD".repeat(40)
    );
    let whole = |before: usize| {
        let mut bytes = vec![b'.'; before];
        bytes.extend_from_slice(armour.as_bytes());
        bytes.extend_from_slice(&vec![b'\n'; WINDOW]);
        faults(bytes)
    };
    for cut in 1..=armour.len() {
        let before = WINDOW - cut;
        assert_eq!(
            whole(before),
            [(GapReason::Malformed, before as u64)],
            "{cut}"
        );
    }
}

#[test]
fn objects_that_nobody_knows_are_looked_into_to_a_depth() {
    // INTEGER 0, SEQUENCE of nothing, OCTET STRING of the next.
    let nest = |depth: usize| {
        (0..depth).fold(vec![7; 300], |inner, _| {
            let content = u16::try_from(inner.len()).unwrap().to_be_bytes();
            let total = u16::try_from(inner.len() + 9).unwrap().to_be_bytes();
            let head = [
                &[0x30, 0x82][..],
                &total,
                &[2, 1, 0, 0x30, 0, 4, 0x82],
                &content,
            ];
            [&head.concat()[..], &inner].concat()
        })
    };
    assert_eq!(faults(nest(CHANCE_MAX)), []);
    let limits: Vec<_> = faults([nest(2 * CHANCE_MAX), nest(3 * CHANCE_MAX)].concat());
    assert_eq!(limits.len(), 2);
    assert!(limits.iter().all(|(reason, _)| *reason == GapReason::Limit));
}

#[test]
fn a_large_source_does_not_make_a_large_buffer() {
    let detector = Detector::new(formats::ALL);
    let parser = Parser::new(formats::ALL);
    let stop = AtomicBool::new(false);
    let mut scanner = Scanner::new(&detector, &parser, &stop);
    let source = Memory(vec![b'.'; 20 * WINDOW]);
    let scanned = scanner.scan(&source, b"x", &mut Faults::default(), &mut 0);
    scanned.unwrap();
    assert_eq!(scanner.buffers[0].len(), WINDOW);
}

#[test]
fn an_armour_larger_than_a_window_is_read_whole() {
    let mut bytes = vec![b'.'; 1000];
    bytes.extend_from_slice(b"-----BEGIN CERTIFICATE-----\n");
    bytes.extend_from_slice(
        &b"QUJDREVGQUJDREVGQUJDREVGQUJDREVGQUJDREVGQUJDREVGQUJDREVGQUJDREVG\n".repeat(20_000),
    );
    bytes.extend_from_slice(b"!!");
    assert_eq!(faults(bytes), [(GapReason::Truncated, 1000)]);
}

/// A format that is known by its first bytes, four of which are a mark, and as long as the digit behind it says.
struct Marked;

impl Format for Marked {
    fn name(&self) -> &'static str {
        "marked"
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::at_start(4, b"mark", Clue::OpensshMagic),
                Signature::at_start(0, b"file", Clue::PemBody),
                Signature::anywhere(b"filemark", Clue::SshLine),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::OpensshMagic, Clue::PemBody, Clue::SshLine]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let (reason, end) = match candidate.clue {
            Clue::PemBody => return Reading::NotMine,
            Clue::SshLine => (GapReason::Limit, candidate.at + 8),
            _ => match candidate.bytes.get(8) {
                Some(b'n') => return Reading::NotMine,
                Some(b'l') if candidate.bytes.len() < 3 * WINDOW && !candidate.at_end => {
                    return Reading::NeedMore { from: 0 };
                }
                Some(b'l') => (GapReason::Encrypted, candidate.bytes.len()),
                _ => (GapReason::Malformed, 0),
            },
        };
        assert!(candidate.clue == Clue::SshLine || candidate.at_start);
        let faults = vec![Fault {
            reason,
            offset: candidate.at,
            detail: String::new(),
        }];
        Reading::Found(Found {
            faults,
            end,
            ..Found::default()
        })
    }
}

#[test]
fn the_start_of_a_source_is_asked_once_and_then_searched() {
    const FORMATS: &[&dyn Format] = &[&Marked];
    let ask = |text: &[u8], size: usize| {
        let mut bytes = text.to_vec();
        bytes.resize(size.max(text.len()), b'.');
        faults_of(FORMATS, bytes)
    };
    use GapReason::{Encrypted, Limit, Malformed};
    // Nobody takes the start: what may stand anywhere is still found there.
    assert_eq!(ask(b"filemarkn", 0), [(Limit, 0)]);
    // The reader says where to go on: at the first byte, or behind all that it read, in a window that grew.
    assert_eq!(ask(b"filemark", 0), [(Malformed, 0), (Limit, 0)]);
    assert_eq!(ask(b"????mark filemark", 0), [(Malformed, 0), (Limit, 9)]);
    assert_eq!(ask(b"filemarkl filemark", 0), [(Encrypted, 0)]);
    assert_eq!(ask(b"filemarkl", 20 * WINDOW), [(Encrypted, 0)]);
    // Elsewhere, the first window included, it is no start.
    assert_eq!(ask(b".????mark", 3 * WINDOW), []);
    let later = [vec![b'.'; 2 * WINDOW], b"????mark".to_vec()].concat();
    assert_eq!(ask(&later, 3 * WINDOW), []);
}
