//! OpenPGP: what fixtures cannot show. Joined identities, large and hostile keyrings, chance bytes.

use keymuster::formats::wire::openpgp::packet::{Packets, tag};
use keymuster::model::{GapReason, Kind, Sighting};
use keymuster::pipeline::examine;
use std::fs;
use std::time::{Duration, Instant};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("fixtures/{name}")).unwrap()
}

fn sightings(name: &str) -> Vec<Sighting> {
    examine(&fixture(name), b"x").0
}

/// A packet of the newer form with a length of four octets.
fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0xc0 | tag, 0xff][..], &length, body].concat()
}

/// The first packet of a file that gpg wrote: a version 4 key with a length of one octet.
fn key() -> Vec<u8> {
    let bytes = fixture("openpgp/every_algorithm.gpg");
    assert_eq!(bytes[0], 0x98);
    bytes[..2 + usize::from(bytes[1])].to_vec()
}

/// Examines, in the time that the contract allows.
fn quickly(bytes: &[u8]) -> (Vec<Sighting>, Vec<GapReason>) {
    let start = Instant::now();
    let (found, gaps) = examine(bytes, b"x");
    // The contract's two seconds are those of a release build.
    assert!(start.elapsed() < Duration::from_secs(10));
    (found, gaps.into_iter().map(|gap| gap.reason).collect())
}

#[test]
fn a_subkey_is_the_ssh_key_that_gpg_exports() {
    let line = sightings("openpgp/ssh_of_auth.pub");
    let keys = sightings("openpgp/every_algorithm.asc");
    let same: Vec<&Sighting> = keys.iter().filter(|s| s.key_id == line[0].key_id).collect();
    assert_eq!(same.len(), 1);
    let uses = &same[0].pgp.as_ref().unwrap().capabilities;
    assert!(uses.iter().any(|word| word == "authenticate"), "{uses:?}");
    assert_eq!(
        same[0].fingerprints.ssh_sha256(),
        line[0].fingerprints.ssh_sha256()
    );
}

#[test]
fn public_secret_and_agents_keys_are_one_key_each() {
    let ids = |name: &str| {
        let mut ids: Vec<_> = sightings(name)
            .into_iter()
            .map(|s| s.key_id.unwrap().to_string())
            .collect();
        ids.sort();
        ids
    };
    let public = ids("openpgp/every_algorithm.asc");
    assert_eq!(public, ids("openpgp/every_algorithm_secret.gpg"));
    assert_eq!(public, ids("openpgp/card.gpg"));
    let public = ids("gnupg_private_key/clear/public.gpg");
    let mut agents = 0;
    for entry in fs::read_dir("fixtures/gnupg_private_key/clear").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "key") {
            let (found, _) = examine(&fs::read(&path).unwrap(), b"x");
            match &found[0].key_id {
                Some(id) => assert!(public.contains(&id.to_string()), "{}", path.display()),
                // The file does not tell the fingerprint, by which alone such a key is known.
                None => assert_eq!(found[0].algorithm.as_deref(), Some("ElGamal")),
            }
            agents += 1;
        }
    }
    assert_eq!(agents, public.len());
}

#[test]
fn a_ring_larger_than_a_window_is_read_whole() {
    let one = fixture("openpgp/every_algorithm.gpg");
    let keys = sightings("openpgp/every_algorithm.gpg").len();
    let (found, gaps) = quickly(&one.repeat(120));
    assert!(one.len() * 120 > 512 << 10);
    assert_eq!((found.len(), gaps.len()), (120 * keys, 0));
    let last = found.last().unwrap().location.offset.get().unwrap();
    assert!(last > 119 * one.len() as u64);
}

#[test]
fn ten_thousand_user_ids() {
    let mut bytes = key();
    for number in 0..10_000 {
        bytes.extend(packet(
            13,
            format!("User {number} <u{number}@fixture.example>").as_bytes(),
        ));
    }
    bytes.extend(packet(13, &vec![b'x'; 1 << 20]));
    let (found, gaps) = quickly(&bytes);
    assert!(gaps.is_empty());
    let told = &found[0].pgp.as_ref().unwrap().user_ids;
    assert_eq!(told.len(), 256);
    assert_eq!(found[0].notes(), ["9745 further user ids are not told"]);
}

#[test]
fn a_million_subkeys_end_at_a_limit() {
    let key = key();
    let mut subkey = key.clone();
    subkey[0] = 0xb8;
    let bytes = [key, subkey.repeat(100_000)].concat();
    let (found, gaps) = quickly(&bytes);
    assert_eq!(found.len(), 20_000);
    assert_eq!(gaps, [GapReason::Limit]);
}

#[test]
fn partial_lengths_without_end_and_lengths_past_the_end() {
    for tail in [
        [&[0xcb][..], &[0xe0, b'x'].repeat(1_000_000)].concat(),
        b"\xcb\xff\xff\xff\xff\xffx".to_vec(),
        b"\xb2\xff\xff\xff\xffx".to_vec(),
        b"\x99\xff\xffx".to_vec(),
    ] {
        let (found, gaps) = quickly(&[key(), tail].concat());
        assert_eq!(
            (found.len(), gaps.as_slice()),
            (1, &[GapReason::Truncated][..])
        );
    }
    // A key must not come in parts.
    let in_parts = [&key()[..], b"\xce\xe0\x04\x01\x01"].concat();
    assert_eq!(quickly(&in_parts).1, [GapReason::Malformed]);
}

#[test]
fn a_keybox_whose_blobs_overlap() {
    let keybox = fixture("gnupg_keybox/home/pubring.kbx");
    let honest = examine(&keybox, b"x").0.len();
    // Every blob claims to hold what all of the file holds.
    let mut bytes = keybox.clone();
    let mut at = 32;
    let mut blobs = 0;
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        bytes[at + 8..at + 12].copy_from_slice(&20u32.to_be_bytes());
        bytes[at + 12..at + 16].copy_from_slice(&u32::MAX.to_be_bytes());
        at += length;
        blobs += 1;
    }
    let (found, gaps) = quickly(&bytes);
    assert!(honest > blobs);
    assert_eq!(
        found.iter().map(|s| s.kind).collect::<Vec<_>>(),
        [Kind::Keystore]
    );
    assert_eq!(gaps, vec![GapReason::Malformed; blobs]);
    // A blob of a few bytes, a million times.
    let small = [&keybox[..32], &b"\0\0\0\x05\x02".repeat(1_000_000)].concat();
    assert_eq!(quickly(&small).1.len(), 100);
}

#[test]
fn lists_a_million_deep() {
    for text in [
        [&b"(11:private-key"[..], &b"(".repeat(1_000_000)].concat(),
        [&b"Key: (private-key "[..], &b"(".repeat(1_000_000)].concat(),
    ] {
        assert_eq!(quickly(&text).1, [GapReason::Malformed]);
    }
}

#[test]
fn chance_bytes_are_no_keys() {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for first in [0x94, 0x95, 0x96, 0x98, 0x99, 0x9a, 0xc5, 0xc6] {
        for _ in 0..300 {
            let mut bytes: Vec<u8> = (0..600).map(|_| next()).collect();
            bytes[0] = first;
            // A version at the place where a header of three octets ends.
            bytes[3] = 4;
            let (found, gaps) = examine(&bytes, b"x");
            assert!(found.is_empty() && gaps.is_empty(), "{:?}", &bytes[..16]);
        }
    }
}

#[test]
fn control_characters_stay_data_in_records() {
    let bytes = [
        key(),
        packet(13, b"Mallory \x1b[31m\x07 <m@fixture.example>"),
    ]
    .concat();
    let (found, _) = examine(&bytes, b"x");
    assert_eq!(
        found[0].pgp.as_ref().unwrap().user_ids,
        ["Mallory \u{1b}[31m\u{7} <m@fixture.example>"]
    );
}

#[test]
fn a_primary_key_alone_is_found_and_cut_it_is_told_or_nothing() {
    let mut told = 0;
    for name in [
        "every_algorithm.gpg",
        "every_algorithm_secret.gpg",
        "passphrase.gpg",
        "card.gpg",
        "new_headers.gpg",
        "version3.gpg",
        "sq.pgp",
        "legacy/secring.gpg",
        "legacy/pubring.gpg",
    ] {
        let bytes = fixture(&format!("openpgp/{name}"));
        for packet in Packets::new(&bytes).flatten() {
            if !matches!(packet.tag, tag::PUBLIC_KEY | tag::SECRET_KEY) {
                continue;
            }
            let whole = &bytes[packet.start..packet.end];
            let (found, gaps) = examine(whole, b"x");
            assert_eq!((found.len(), gaps.len()), (1, 0), "{name} {}", packet.start);
            for length in 1..whole.len() {
                let (found, gaps) = examine(&whole[..length], b"x");
                assert!(found.is_empty(), "{name} {length}");
                let truncated = gaps.iter().all(|gap| gap.reason == GapReason::Truncated);
                assert!(gaps.len() <= 1 && truncated, "{name} {gaps:?}");
                told += gaps.len();
            }
            let key = &found[0];
            // Enough of it to know the size of its first number, or its curve, is enough to tell it.
            if key.bits.is_some_and(|bits| bits % 64 == 0) {
                assert_eq!(
                    examine(&whole[..whole.len() - 1], b"x").1.len(),
                    1,
                    "{name}"
                );
            }
        }
    }
    assert!(told > 1000, "{told}");
}
