//! Stored sweeps: any bytes are a list of sweeps or an error, and what was read can be written.
#![no_main]

use keymuster::{history, report};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(sweeps) = history::read_sweeps("sweep", data) else {
        return;
    };
    for sweep in sweeps {
        let mut out = Vec::new();
        report::sweep::write(&sweep, &mut out).expect("a vector takes everything");
        let again =
            history::read_sweeps("again", out.as_slice()).expect("what was written is read");
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].sightings.len(), sweep.sightings.len());
    }
});
