//! Bytes that nobody meant: noise, and every fixture changed, cut and joined with another.

use super::{paths, read};
use crate::support::{BINARY, arg, gaps, measured, of_kind, open_directory, plant, told};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A sequence of numbers that looks random and is the same in each run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// A number below a bound.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound.max(1) as u64).unwrap()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.roll().to_le_bytes()[0]).collect()
    }

    /// What bad memory, bad tools and bad people do to a file.
    fn spoil(&mut self, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let rest = bytes.len() - at;
            let count = self.below(rest.min(64));
            match self.below(9) {
                0 if rest > 0 => bytes[at] ^= 1 << self.below(8),
                1 if rest > 0 => bytes[at] = [0, 0x7f, 0x80, 0xff, b'-', b'\n'][self.below(6)],
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..at + count)),
                4 => {
                    let noise = self.bytes(count);
                    bytes.splice(at..at, noise);
                }
                5 => {
                    let again = bytes[at..at + count].to_vec();
                    bytes.splice(at..at, again);
                }
                6 => bytes[at..at + count].fill(0),
                7 => {
                    let from = self.below(other.len());
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
                _ => {
                    let from = self.below(other.len());
                    let piece = &other[from..other.len().min(from + 200)];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        bytes
    }
}

/// Every fixture, without what the tools said of it.
fn fixtures(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fixtures(&path, out);
        } else if path.is_file() && !path.to_str().is_some_and(|p| p.ends_with(".expect.json")) {
            out.push(path);
        }
    }
}

/// Sweeps a tree; it must end in this time and within the memory that is promised, without a panic.
fn survived(tree: &Path, limit: Duration) -> Vec<serde_json::Value> {
    let begun = Instant::now();
    let seconds = limit.as_secs().to_string();
    // A spoilt number may ask for more work than is granted, which is told and no fault of the sweep.
    let scan = ["scan", "--allow-gaps", "limit", "-f", "jsonl", arg(tree)];
    let (output, cost) = measured(
        "timeout",
        &[&["-s", "KILL", &seconds, BINARY][..], &scan].concat(),
    );
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    let records = read(&output, 0, "hostile bytes");
    let sightings = of_kind(&records, "sighting").len();
    let allowed = 100.0 + f64::from(u32::try_from(sightings).unwrap()) / 1000.0;
    assert!(cost.memory < allowed, "{sightings} sightings, {cost:?}");
    for (path, kind, offset) in super::places(&records) {
        let size = fs::metadata(&path).unwrap().len();
        assert!(offset < size, "{kind} at {offset} of {size} in {path}");
    }
    records
}

#[test]
fn every_fixture_spoilt_in_many_ways_ends_no_sweep() {
    let dir = open_directory();
    let mut models = Vec::new();
    fixtures(Path::new("fixtures"), &mut models);
    models.sort();
    assert!(models.len() > 1_000);
    let models: Vec<Vec<u8>> = models.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut dice = Dice(0x6b65_796d_7573_7465);
    let (mut files, mut good) = (0, Vec::new());
    for (number, model) in models.iter().enumerate() {
        let folder = dir.path().join(format!("{number:04}"));
        fs::create_dir(&folder).unwrap();
        for variant in 0..4 {
            let other = &models[dice.below(models.len())];
            let name = ["authorized_keys", "known_hosts", "key.pem", "x"][variant];
            let spoilt = dice.spoil(model.clone(), other);
            fs::write(folder.join(name), spoilt).unwrap();
            files += 1;
        }
        // Between them lie good ones, which must not suffer.
        if number % 50 == 0 {
            let path = plant("identity/p256/certificate.pem", &folder, "good");
            good.push(arg(&path).to_owned());
        }
    }
    let records = survived(dir.path(), Duration::from_secs(180));
    let end = of_kind(&records, "end")[0];
    assert_eq!(end["files"], files + good.len());
    let found = paths(&records);
    assert!(good.iter().all(|path| found.contains(path)));
    // Much is still what it was, and much is broken and said to be.
    assert!(found.len() > 1_000, "{}", found.len());
    assert!(gaps(&records).len() > 300, "{}", gaps(&records).len());
}

#[test]
fn a_key_behind_a_spoilt_one_is_found() {
    let dir = open_directory();
    let mut models = Vec::new();
    fixtures(Path::new("fixtures"), &mut models);
    models.sort();
    let certificate = fs::read("fixtures/identity/p256/certificate.pem").unwrap();
    let mut dice = Dice(0x686f_7374_696c_6521);
    let mut expected = Vec::new();
    for (number, model) in models.iter().enumerate() {
        let model = fs::read(model).unwrap();
        // Text alone: what stands in other bytes may be a part of them.
        if model.contains(&0) || !model.is_ascii() || model.len() > 100_000 {
            continue;
        }
        let mut spoilt = dice.spoil(model.clone(), b"\n-----BEGIN X-----\nMIIB\n");
        if spoilt.contains(&0) || !spoilt.is_ascii() {
            continue;
        }
        spoilt.push(b'\n');
        let at = spoilt.len() as u64;
        spoilt.extend_from_slice(&certificate);
        let path = dir.path().join(format!("{number:04}"));
        fs::write(&path, spoilt).unwrap();
        expected.push((arg(&path).to_owned(), at));
    }
    assert!(expected.len() > 400, "{}", expected.len());
    let records = survived(dir.path(), Duration::from_secs(180));
    let wanted = told("identity/p256/certificate.pem")["fingerprints"]["cert_sha256"].clone();
    let found: Vec<(String, u64)> = of_kind(&records, "sighting")
        .iter()
        .zip(super::places(&records))
        .filter(|(sighting, _)| sighting["fingerprints"]["cert_sha256"] == wanted)
        .map(|(_, (path, _, offset))| (path, offset))
        .collect();
    let lost: Vec<_> = expected.iter().filter(|p| !found.contains(p)).collect();
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:?}",
        lost.len(),
        expected.len()
    );
}

#[test]
fn noise_of_every_size_and_alphabet_ends_no_sweep() {
    const WORDS: [&[u8]; 14] = [
        b"-----BEGIN ",
        b"-----END ",
        b"PRIVATE KEY-----",
        b"CERTIFICATE-----",
        b"---- BEGIN SSH2 PUBLIC KEY ----",
        b"openssh-key-v1\0",
        b"ssh-rsa AAAAB3NzaC1yc2E",
        b"ecdsa-sha2-nistp256 ",
        b"\x30\x82",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x80",
        b"\x02\x01\x00\x30\x0d\x06\x09",
        b"MIIE",
        b"Proc-Type: 4,ENCRYPTED\nDEK-Info: ",
    ];
    let dir = open_directory();
    let mut dice = Dice(0x6e6f_6973_6521_2121);
    let mut bytes = 0;
    for number in 0..600 {
        let size = 1 << dice.below(18);
        let noise = match number % 4 {
            0 => dice.bytes(size),
            1 => (0..size)
                .map(|_| b"ABCDEFGHabcdefgh0189+/=\n"[dice.below(24)])
                .collect(),
            2 => (0..size / 8)
                .flat_map(|_| WORDS[dice.below(WORDS.len())].to_vec())
                .collect(),
            _ => (0..size / 12)
                .flat_map(|_| {
                    let count = dice.below(12);
                    [WORDS[dice.below(WORDS.len())], &dice.bytes(count)].concat()
                })
                .collect(),
        };
        bytes += noise.len();
        fs::write(dir.path().join(format!("{number:03}")), noise).unwrap();
    }
    assert!(bytes > 8 << 20, "{bytes}");
    let records = survived(dir.path(), Duration::from_secs(180));
    assert_eq!(of_kind(&records, "end")[0]["files"], 600);
}
