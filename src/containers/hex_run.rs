//! Hexadecimal digits in any text, of what is worth a look: a PEM armour, or a DER object with a key's algorithm in it.

use crate::formats::{Format, Signature};
use crate::model::{Candidate, Clue, Found, Member, Nested, Reading};
use zeroize::Zeroizing;

/// The container.
pub struct HexRun;

const NAME: &str = "hex";
/// More digits than this are not decoded.
const SIZE_MAX: usize = 8 << 20;
/// How far before the literal the digits are looked for: a DER object's algorithm stands near its start.
const LOOK_BACK: usize = 4 << 10;
/// Fewer digits hold nothing.
const DIGITS_MIN: usize = 64;

impl Format for HexRun {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                // `--BEGIN `: the dashes before it are among the digits.
                Signature::anywhere(b"424547494e20", Clue::Hexadecimal),
                Signature::anywhere(b"424547494E20", Clue::Hexadecimal),
                // The arcs of PKCS#1 and of X9.62's public keys.
                Signature::anywhere(b"06092a864886f70d0101", Clue::Hexadecimal),
                Signature::anywhere(b"06092A864886F70D0101", Clue::Hexadecimal),
                Signature::anywhere(b"06072a8648ce3d0201", Clue::Hexadecimal),
                Signature::anywhere(b"06072A8648CE3D0201", Clue::Hexadecimal),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Hexadecimal]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Candidate { bytes, at, .. } = *candidate;
        let floor = at.saturating_sub(LOOK_BACK);
        let before = bytes.get(floor..at).unwrap_or_default();
        let digits = before
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_hexdigit())
            .count();
        // Whole octets, counted from the literal; `0x` before them is a digit and a letter.
        let first = at - digits / 2 * 2;
        let limit = first.saturating_add(SIZE_MAX).min(bytes.len());
        let run = bytes.get(first..limit).unwrap_or_default();
        let length = run.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if length == run.len() && limit == bytes.len() && !candidate.at_end {
            return Reading::NeedMore { from: first };
        }
        if length < DIGITS_MIN {
            return Reading::NotMine;
        }
        let digits = run.get(..length).unwrap_or_default();
        let mut decoded = Zeroizing::new(Vec::with_capacity(length / 2));
        decoded.extend(
            digits
                .as_chunks()
                .0
                .iter()
                .map(|[high, low]| value(*high) << 4 | value(*low)),
        );
        Reading::Found(Found {
            nested: vec![Nested::content(Member::named(NAME, b""), decoded, first)],
            end: first + length,
            ..Found::default()
        })
    }
}

const fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}
