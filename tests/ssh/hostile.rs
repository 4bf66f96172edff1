//! Bytes that nobody wrote for a reader: no panic, no hang, and neighbours unharmed.

use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const CLUES: [(Clue, Option<&str>); 4] = [
    (Clue::SshLine, None),
    (Clue::Ssh2Armour, None),
    (Clue::OpensshMagic, None),
    (Clue::PemBody, Some("OPENSSH PRIVATE KEY")),
];

/// Asks about every place; what is found must lie within the bytes.
fn ask_everywhere(bytes: &[u8], places: impl Iterator<Item = usize>) {
    for at in places {
        for (clue, label) in CLUES {
            for (at_start, at_end) in [(true, true), (false, false)] {
                let candidate = Candidate {
                    label,
                    at_start,
                    at_end,
                    file_name: b"authorized_keys",
                    ..candidate(clue, bytes, at)
                };
                match ask(&candidate) {
                    Reading::Found(found) => {
                        assert!(found.end <= bytes.len());
                        assert!(found.artifacts.iter().all(|a| a.offset <= bytes.len()));
                        assert!(found.faults.iter().all(|f| f.offset <= bytes.len()));
                    }
                    Reading::NeedMore { from } => assert!(!at_end && from <= at),
                    Reading::NotMine => {}
                }
            }
        }
    }
}

/// Valid material of every form in one text.
fn seeds() -> &'static [Vec<u8>] {
    static SEEDS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    SEEDS.get_or_init(|| {
        let bench = Bench::new();
        bench.key("ca", &["-t", "ed25519"]);
        bench.key("key", &["-t", "ecdsa"]);
        bench.keygen(&["-q", "-s", "ca", "-I", "id", "-n", "a,b", "key.pub"]);
        let line = bench.read("key.pub");
        vec![
            format!("command=\"a \\\"b\\\"\",expiry-time=\"20300102Z\",no-pty {line}").into_bytes(),
            format!("@revoked [a]:22,!b,|1|x|y {line}").into_bytes(),
            bench.read("key-cert.pub").into_bytes(),
            bench.keygen(&["-e", "-f", "key.pub"]).into_bytes(),
            pem::parse(bench.read("key")).unwrap().into_contents(),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        ask_everywhere(&bytes, 0..=bytes.len());
    }

    #[test]
    fn arbitrary_words(words in proptest::collection::vec(
        prop_oneof![
            Just("ssh-ed25519"), Just(" AAAAC3NzaC1lZDI1NTE5AAAAI"), Just("\tAAAA"), Just("\""), Just("\\"),
            Just("from="), Just(","), Just("#"), Just("\n"), Just("@revoked "), Just("|1|"), Just("["), Just("]:"),
            Just("---- BEGIN SSH2 PUBLIC KEY ----"), Just("Comment: \\"), Just("---- END SSH2 PUBLIC KEY"),
            Just("- "), Just("QUJD"), Just("openssh-key-v1\0"), Just("\0\0\0\u{4}none"), Just("é"),
        ], 0..24)) {
        let text = words.concat();
        ask_everywhere(text.as_bytes(), 0..=text.len());
    }

    #[test]
    fn mutated_material(
        seed in 0usize..5,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..6),
    ) {
        let mut bytes = seeds()[seed].clone();
        for (index, value, edit) in edits {
            let at = index.index(bytes.len());
            match edit {
                0 => bytes[at] = value,
                1 => bytes.insert(at, value),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let blanks: Vec<_> = bytes.iter().enumerate().filter(|(_, b)| b.is_ascii_whitespace()).map(|(i, _)| i).collect();
        ask_everywhere(&bytes, blanks.into_iter().chain([0]));
        read_file(&bytes, "authorized_keys");
    }

    #[test]
    fn a_bad_line_never_harms_its_neighbours(
        junk in proptest::collection::vec(any::<u8>().prop_filter("one line", |b| !matches!(b, b'\n' | b'\r' | 0)), 0..120),
    ) {
        let line = &seeds()[0];
        let bytes = [line, &junk[..], b"\n", line].concat();
        let told = read_file(&bytes, "x");
        let whole = read_file(line, "x").only();
        let same = told.artifacts.iter().filter(|a| blob(a) == blob(&whole)).count();
        prop_assert!(same >= 2);
    }
}

#[test]
fn every_cut_of_a_line_asks_for_more_and_the_whole_does_not() {
    let line = &seeds()[0];
    let at = memchr::memmem::find(line, b" AAAA").unwrap();
    for end in at + 5..line.len() {
        let window = Candidate {
            at_end: false,
            ..candidate(Clue::SshLine, &line[..end], at)
        };
        let reading = ask(&window);
        let whole = line[..end].ends_with(b"\n");
        let asks = matches!(reading, Reading::NeedMore { from: 0 });
        assert_eq!(asks, !whole, "{end}: {reading:?}");
    }
}

#[test]
fn many_hits_on_endless_lines_cost_little() {
    let mut unknown = Vec::new();
    put(&mut unknown, b"abc");
    put(&mut unknown, &[7; 16]);
    let key = format!("abc {} ", STANDARD.encode(unknown));
    let quotes = "command=\"".to_owned() + &"\\\"".repeat(16 * 1024);
    for unit in [
        " AAAA".to_owned(),
        "ssh-rsa AAAAB3NzaC1yc2E ".to_owned(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI".to_owned(),
        key.clone(),
        quotes + &key.repeat(800) + "\n",
        "---- BEGIN SSH2 PUBLIC KEY ----\n".to_owned(),
        "---- BEGIN SSH2 PUBLIC KEY ----\nA: \\\n".to_owned(),
        "openssh-key-v1\0\0\0\0\u{4}none".to_owned(),
    ] {
        let text = unit.repeat(2 * 1024 * 1024 / unit.len());
        let start = Instant::now();
        read_file(text.as_bytes(), "x");
        let shown = &unit[..unit.len().min(40)];
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{shown:?}: {:?}",
            start.elapsed()
        );
        println!("{shown:?}: {:?}", start.elapsed());
    }
}
