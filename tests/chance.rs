//! Contents of random bytes, as values of databases, members and files may have them: nothing is found, and nothing is told.
//! `benches/chance.rs` does the same with some millions.

#[path = "chance/contents.rs"]
mod contents;

use contents::{Noise, Start, short_starts, told_of};

/// Contents have less bytes.
const MOST: usize = 1024;
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

#[test]
fn random_contents_are_taken_for_nothing() {
    let told = told_of(&mut Noise(SEED), 100_000, MOST, (0, b""));
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn nor_are_those_that_begin_with_a_weak_magic_number() {
    // Three bytes that chance writes declare nothing; longer ones may.
    let mut starts: Vec<Start> = short_starts(3, MOST).collect();
    // gzip, compress, LZMA, loose objects of git, cpio, programs that may hold a zip file.
    let archives: [&'static [u8]; 9] = [
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
    let keys: [&'static [u8]; 8] = [
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
    let mut noise = Noise(SEED);
    for start in starts {
        let told = told_of(&mut noise, 1_000, MOST, start);
        assert!(told.is_empty(), "{start:?}: {told:?}");
    }
}
