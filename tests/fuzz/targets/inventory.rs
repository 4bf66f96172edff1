//! Inventory exports: any bytes are an inventory or an error, the same each time.
//!
//! The first byte chooses whether incomplete exports are taken.
#![no_main]

use keymuster::inventory::{ReadOptions, read_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let options = ReadOptions {
        allow_partial: *first >= 0x80,
        ..ReadOptions::default()
    };
    let read = read_bytes("inventory", bytes, &options);
    if let Ok(inventory) = &read {
        let again = read_bytes("inventory", bytes, &options).expect("the same bytes again");
        assert_eq!(format!("{inventory:?}"), format!("{again:?}"));
    }
});
