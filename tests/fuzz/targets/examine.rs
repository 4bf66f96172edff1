//! Whole files to sightings: reading, then identity. Deterministic, and every sighting can be written and read.
//!
//! The first byte chooses the file's name.
#![no_main]

use keymuster::model::Sighting;
use keymuster::pipeline::examine;
use libfuzzer_sys::fuzz_target;

const NAMES: &[&[u8]] = &[
    b"x",
    b"authorized_keys",
    b"known_hosts",
    b"id_rsa.pub",
    b"\xff\n",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let (sightings, _) = examine(bytes, name);
    for sighting in &sightings {
        let text = serde_json::to_string(sighting).expect("a sighting can be written");
        let again: Sighting = serde_json::from_str(&text).expect("what was written is read");
        assert_eq!(serde_json::to_string(&again).expect("and written"), text);
    }
});
