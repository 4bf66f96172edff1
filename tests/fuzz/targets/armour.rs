//! The PEM armour: whatever clothes it wears, only base64 digits come out, and the walk ends inside the text.
#![no_main]

use keymuster::formats::wire::armour;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let start = data
        .windows(armour::BEGIN.len())
        .position(|window| window == armour::BEGIN);
    let (before, text) = data.split_at(start.unwrap_or_default());
    let body = match armour::label(text) {
        Some((label, length)) => {
            assert!(!label.contains('\n') && label.len() <= armour::LABEL_MAX);
            assert!(length <= text.len());
            &text[length..]
        }
        None => text,
    };
    let found = armour::undress(body, before);
    assert!(found.end <= body.len());
    assert!(found.digits.len() <= body.len());
    let digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    assert!(found.digits.iter().all(digit));
    let headers: usize = found.headers.iter().map(|(name, _)| name.len()).sum();
    assert!(headers <= body.len());
});
