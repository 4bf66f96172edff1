//! PEM armours in single-byte text and in UTF-16 (RFC 7468, RFC 1421, OpenSSL's labels).

use crate::formats::wire::armour::{self, Armour, BEGIN, END, Stop};
use crate::formats::{Format, Signature};
use crate::model::{
    Candidate, Clue, Encoding, EntryFacts, Fault, Found, GapReason, Nested, Reading,
};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The largest armour that is read; larger ones are told as a `limit` gap.
pub const TEXT_MAX: usize = 32 << 20;
/// How far back on the same line the clothes are learnt from.
const BEFORE_MAX: usize = 512;
/// How many UTF-16 units are followed back to where their text begins.
const RUN_MAX: usize = 1024;
/// How many UTF-16 units are narrowed at first; four times as many whenever they do not suffice.
const UNITS_MIN: usize = 128;
/// How many bytes behind a stop may have a part in it: the value of a header, escapes, a boundary.
const STOP_MAX: usize = 1100;
/// How far behind a foreign byte the closing boundary is looked for.
const CLOSING_MAX: usize = 256 << 10;
/// Fewer digits than this before a stop are an example, not a body that lacks its end.
const TRUNCATED_MIN: usize = 64;

const UTF16_LE: &[u8] = b"-\0-\0-\0-\0-\0B\0E\0G\0I\0N\0 \0";
const UTF16_BE: &[u8] = b"\0-\0-\0-\0-\0-\0B\0E\0G\0I\0N\0 ";

/// Padding is counted by [`armour::undress`]; trailing bits occur in the wild and carry nothing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The container.
pub struct PemArmour;

impl Format for PemArmour {
    fn name(&self) -> &'static str {
        "pem"
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::anywhere(BEGIN, Clue::PemArmour),
                Signature::anywhere(UTF16_LE, Clue::PemArmourUtf16Le),
                Signature::anywhere(UTF16_BE, Clue::PemArmourUtf16Be),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[
            Clue::PemArmour,
            Clue::PemArmourUtf16Le,
            Clue::PemArmourUtf16Be,
        ]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        match candidate.clue {
            Clue::PemArmour => read_text(candidate, candidate.bytes, candidate.at, 1),
            Clue::PemArmourUtf16Le => read_utf16(candidate, 0),
            Clue::PemArmourUtf16Be if is_little_endian(candidate) => read_utf16(
                &Candidate {
                    at: candidate.at + 1,
                    ..*candidate
                },
                0,
            ),
            Clue::PemArmourUtf16Be => read_utf16(candidate, 1),
            _ => Reading::NotMine,
        }
    }
}

/// Whether what looks like big-endian text is little-endian text one byte further: behind an ASCII character,
/// whose high byte is zero, the two look alike. The run of such pairs is followed back to its first byte. A run that
/// is too long for that is a file in UTF-16, whose units begin at even places.
fn is_little_endian(candidate: &Candidate<'_>) -> bool {
    let before = candidate.bytes.get(..candidate.at).unwrap_or_default();
    let is_unit = |pair: &[u8]| matches!(pair, [0, low] if low.is_ascii() && *low != 0);
    let fours = before
        .rchunks_exact(8)
        .take(RUN_MAX / 4)
        .take_while(|units| <[u8; 8]>::try_from(*units).is_ok_and(are_units))
        .count();
    if fours == RUN_MAX / 4 {
        return candidate.at % 2 == 1;
    }
    let rest = before.get(..candidate.at - 8 * fours).unwrap_or_default();
    let pairs = 4 * fours
        + rest
            .rchunks_exact(2)
            .take_while(|pair| is_unit(pair))
            .count();
    let first = candidate.at - 2 * pairs;
    let left = first.checked_sub(1).and_then(|at| candidate.bytes.get(at));
    left.is_some_and(|byte| byte.is_ascii() && *byte != 0)
}

/// Whether these are four ASCII characters but NUL in big-endian UTF-16.
const fn are_units(bytes: [u8; 8]) -> bool {
    let units = u64::from_be_bytes(bytes);
    let ascii = units & 0xff80_ff80_ff80_ff80 == 0;
    // Seven bits and 0x7f reach 0x80 unless they are zero.
    ascii && (units + 0x007f_007f_007f_007f) & 0x0080_0080_0080_0080 == 0x0080_0080_0080_0080
}

/// Narrows UTF-16 to bytes around the candidate and reads it as text. `low` is the index of the low byte.
///
/// Only as much is narrowed as the armour needs, or many of them in one window would cost its square.
fn read_utf16(candidate: &Candidate<'_>, low: usize) -> Reading {
    let mut most = UNITS_MIN;
    loop {
        match read_units(candidate, low, most) {
            Some(reading) => return reading,
            None => most = most.saturating_mul(4),
        }
    }
}

/// Reads with at most so many units behind the candidate; `None` if they do not suffice and there are more.
fn read_units(candidate: &Candidate<'_>, low: usize, most: usize) -> Option<Reading> {
    let mut before = BEFORE_MAX.min(candidate.at);
    before -= before % 2;
    let start = candidate.at - before;
    let all = candidate.bytes.get(start..).unwrap_or_default();
    let most = before.saturating_add(most.saturating_mul(2));
    let units = all.get(..most).unwrap_or(all);
    let mut text = Zeroizing::new(Vec::with_capacity(units.len().min(64 << 10) / 2));
    for pair in units.chunks_exact(2) {
        let (byte, other) = match (pair.get(low), pair.get(1 - low)) {
            (Some(byte), Some(other)) => (*byte, *other),
            _ => break,
        };
        // What is not ASCII becomes a byte that no body has; far behind a header it ends the text.
        let narrow = if other == 0 && byte < 0x80 {
            byte
        } else {
            0xff
        };
        text.push(narrow);
        if narrow == 0xff && text.len() > before / 2 + 128 || text.len() > TEXT_MAX {
            break;
        }
    }
    let whole = text.len() * 2 >= units.len().saturating_sub(1);
    let cut = whole && units.len() < all.len();
    let narrowed = Candidate {
        bytes: &text,
        at: before / 2,
        at_end: !cut && (candidate.at_end || !whole),
        ..*candidate
    };
    let reading = match read_text(&narrowed, &text, before / 2, 2) {
        Reading::NeedMore { .. } if cut => return None,
        Reading::NotMine => Reading::NotMine,
        Reading::NeedMore { from } => Reading::NeedMore {
            from: start + from * 2,
        },
        Reading::Found(mut found) => {
            let place = |offset: usize| start + offset * 2;
            found.end = place(found.end);
            for nested in &mut found.nested {
                nested.offset = place(nested.offset);
            }
            for fault in &mut found.faults {
                fault.offset = place(fault.offset);
            }
            Reading::Found(found)
        }
    };
    Some(reading)
}

fn read_text(candidate: &Candidate<'_>, bytes: &[u8], at: usize, width: usize) -> Reading {
    let text = bytes.get(at..).unwrap_or_default();
    let Some((label, header)) = armour::label(text) else {
        let cut = text.len() < BEGIN.len() + armour::LABEL_MAX + 6;
        return if cut && !candidate.at_end {
            Reading::NeedMore { from: at }
        } else {
            Reading::NotMine
        };
    };
    let line_start = bytes
        .get(at.saturating_sub(BEFORE_MAX)..at)
        .map_or(at, |before| {
            before
                .iter()
                .rposition(|b| matches!(b, b'\n' | b'\r' | 0))
                .map_or(at - before.len(), |i| at - before.len() + i + 1)
        });
    let before = bytes.get(line_start..at).unwrap_or_default();
    let body = text.get(header..).unwrap_or_default();
    let openpgp = label.starts_with("PGP ");
    let found = match openpgp {
        true => armour::undress_openpgp(body, before),
        false => armour::undress(body, before),
    };
    let end = at + header + found.end;
    let fault = |reason, detail: String| {
        Reading::Found(Found {
            faults: vec![Fault {
                reason,
                offset: at,
                detail,
            }],
            end,
            ..Found::default()
        })
    };
    // What looks foreign may be the first half of what the next window completes: a boundary, an escape, a header.
    let undecided =
        found.stop != Stop::Closed && body.len().saturating_sub(found.end) < armour::LOOK_AHEAD;
    if undecided && !candidate.at_end {
        return if text.len() * width > TEXT_MAX {
            fault(
                GapReason::Limit,
                format!("PEM {label}: larger than {} MiB", TEXT_MAX >> 20),
            )
        } else {
            Reading::NeedMore { from: at }
        };
    }
    // The window's end may have cut what stopped the walk.
    let near_end = body.len().saturating_sub(found.end) < STOP_MAX;
    if near_end && found.stop != Stop::Open && !candidate.at_end {
        return Reading::NeedMore { from: at };
    }
    if found.is_mention() {
        return Reading::NotMine;
    }
    // Messages and signatures of OpenPGP hold no keys.
    if openpgp && !label.contains("KEY") {
        return Reading::NotMine;
    }
    match found.stop {
        Stop::Closed => match decode(&found) {
            Some(decoded) => Reading::Found(Found {
                nested: vec![Nested {
                    label: Some(label.to_owned()),
                    entry: wrong_checksum(&found, &decoded),
                    headers: found.headers,
                    declared: true,
                    ..Nested::new(Clue::PemBody, decoded, Encoding::Pem, at)
                }],
                end,
                ..Found::default()
            }),
            None => fault(
                GapReason::Malformed,
                format!("PEM {label}: the body is not base64"),
            ),
        },
        _ if found.digits.len() < TRUNCATED_MIN => Reading::NotMine,
        Stop::Open => fault(
            GapReason::Truncated,
            format!("PEM {label}: a body without its end"),
        ),
        Stop::Foreign => {
            let rest = body.get(found.end..).unwrap_or_default();
            if is_elision(rest) {
                return Reading::NotMine;
            }
            match has_closing(rest) {
                Some(true) => fault(
                    GapReason::Malformed,
                    format!("PEM {label}: the body is not base64"),
                ),
                None if rest.len() < CLOSING_MAX && !candidate.at_end => {
                    Reading::NeedMore { from: at }
                }
                Some(false) | None => fault(
                    GapReason::Truncated,
                    format!("PEM {label}: a body without its end"),
                ),
            }
        }
    }
}

fn decode(armour: &Armour) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(armour.digits.len() / 4 * 3 + 3));
    LENIENT
        .decode_vec(armour.digits.as_slice(), &mut decoded)
        .ok()?;
    Some(decoded)
}

/// What is to be said of an OpenPGP armour whose checksum is not that of its body. A missing one is fine (RFC 9580,
/// section 6.1).
fn wrong_checksum(armour: &Armour, body: &[u8]) -> Option<Arc<EntryFacts>> {
    let told = LENIENT.decode(armour.checksum?).ok();
    let right = crc24(body).to_be_bytes();
    let agrees = told.is_some_and(|told| right.ends_with(&told) && told.len() == 3);
    (!agrees).then(|| {
        Arc::new(EntryFacts {
            notes: vec!["the checksum of its armour does not fit".into()],
            ..EntryFacts::default()
        })
    })
}

/// RFC 9580, section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 16, |crc: u32, _| {
            let shifted = crc << 1;
            let carried = if shifted & 0x0100_0000 == 0 {
                0
            } else {
                0x0186_4cfb
            };
            (shifted ^ carried) & 0x00ff_ffff
        })
    })
}

/// Documentation cuts an example short with dots or brackets: that is no key that is broken.
fn is_elision(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    [&b".."[..], b"\xe2\x80\xa6", b"[", b"<", b"*", b"{", b"$"]
        .iter()
        .any(|sign| rest.starts_with(sign))
}

/// Whether the next boundary is a closing one; `None` if there is none near.
fn has_closing(rest: &[u8]) -> Option<bool> {
    let near = rest.get(..CLOSING_MAX).unwrap_or(rest);
    let opening = memchr::memmem::find(near, BEGIN);
    // Only up to the next opening boundary: that is another candidate, which looks from there.
    let before = near.get(..opening.unwrap_or(near.len()))?;
    match memchr::memmem::find(before, END) {
        Some(_) => Some(true),
        None => opening.map(|_| false),
    }
}
