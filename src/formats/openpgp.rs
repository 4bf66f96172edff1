//! OpenPGP keys: what an armour of keys holds, and binary keys from a file's first byte on, as `gpg --export` and
//! the older `pubring.gpg` and `secring.gpg` have them (RFC 9580, section 10.1).

use super::wire::openpgp::key::Key;
use super::wire::openpgp::keyring;
use super::wire::openpgp::packet::{PacketError, Packets, tag};
use super::wire::openpgp::protection::SecretPart;
use super::{Format, Signature};
use crate::model::{Candidate, Clue, Fault, Found, GapReason, Reading};

/// Keys in a row.
pub struct Openpgp;

/// The largest file of binary packets that is read whole; what is behind that is told as a `limit` gap.
const SIZE_MAX: usize = 32 << 20;
/// The largest first packet: keys of the largest known algorithms have some 50 KiB.
const FIRST_MAX: usize = 256 << 10;
/// 1991: nobody made a key earlier.
const TIME_MIN: u32 = 662_688_000;

macro_rules! first_octets {
    ($($literal:expr),* $(,)?) => {
        const { &[$(Signature::at_start(0, $literal, Clue::Magic),)*] }
    };
}

impl Format for Openpgp {
    fn name(&self) -> &'static str {
        keyring::FORMAT
    }

    fn signatures(&self) -> &'static [Signature] {
        // Secret and public key packets, with lengths of one, two and four octets, and in the newer form.
        first_octets![
            b"\x94", b"\x95", b"\x96", b"\x98", b"\x99", b"\x9a", b"\xc5", b"\xc6",
        ]
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        match candidate.label {
            Some(label) => read_armour(candidate, label),
            None if candidate.clue == Clue::Magic && candidate.at == 0 && candidate.at_start => {
                read_binary(candidate)
            }
            None => Reading::NotMine,
        }
    }
}

fn read_armour(candidate: &Candidate<'_>, label: &str) -> Reading {
    if !label.starts_with("PGP ") || !label.contains("KEY") {
        return Reading::NotMine;
    }
    let mut found = Found {
        end: candidate.bytes.len(),
        ..Found::default()
    };
    keyring::read(candidate.bytes, 0, candidate.encoding, &mut found);
    Reading::Found(found)
}

fn read_binary(candidate: &Candidate<'_>) -> Reading {
    let bytes = candidate.bytes;
    match First::look(bytes) {
        First::Key => {}
        First::Cut if !candidate.at_end && bytes.len() < FIRST_MAX => {
            return Reading::NeedMore { from: 0 };
        }
        First::Cut if candidate.at_end => {
            return Reading::Found(Found {
                faults: vec![Fault {
                    reason: GapReason::Truncated,
                    offset: 0,
                    detail: format!("OpenPGP: {}", PacketError::Truncated),
                }],
                end: bytes.len(),
                ..Found::default()
            });
        }
        First::Cut | First::Other => return Reading::NotMine,
    }
    if !candidate.at_end && bytes.len() < SIZE_MAX {
        return Reading::NeedMore { from: 0 };
    }
    let mut found = Found {
        end: bytes.len(),
        ..Found::default()
    };
    keyring::read(bytes, 0, candidate.encoding, &mut found);
    if !candidate.at_end {
        // The last packet is cut by the window, not in the file.
        found
            .faults
            .retain(|fault| fault.reason != GapReason::Truncated);
        found.faults.push(Fault {
            reason: GapReason::Limit,
            offset: bytes.len(),
            detail: format!("OpenPGP: larger than {} MiB", SIZE_MAX >> 20),
        });
    }
    Reading::Found(found)
}

/// What the first packet of a file is.
#[derive(Debug, PartialEq, Eq)]
enum First {
    /// A key, beyond doubt.
    Key,
    /// What there is of it is that of a key.
    Cut,
    /// Chance bytes.
    Other,
}

impl First {
    fn look(bytes: &[u8]) -> Self {
        let mut packets = Packets::new(bytes);
        let packet = match packets.next() {
            Some(Ok(packet)) => packet,
            Some(Err(PacketError::Truncated)) => return Self::look_at_cut(bytes),
            _ => return Self::Other,
        };
        let secret = packet.tag == tag::SECRET_KEY;
        if !(secret || packet.tag == tag::PUBLIC_KEY) || packet.in_parts {
            return Self::Other;
        }
        let Ok(key) = Key::read(packet.body, secret) else {
            return Self::Other;
        };
        let whole = if secret {
            SecretPart::is_plausible(key.version, key.algorithm, key.rest)
        } else {
            key.rest.is_empty()
        };
        // Numbers without a count prove little.
        let proven = !matches!(key.algorithm, 25..=28);
        let next = bytes
            .get(packet.end)
            .is_none_or(|first| may_follow(*first) || proven && first & 0x80 != 0);
        let in_time = key.created >= TIME_MIN;
        if key.is_exact && whole && next && in_time {
            Self::Key
        } else {
            Self::Other
        }
    }

    /// A packet whose header says more than there is: version, time, algorithm and the start of its numbers must fit, and
    /// these the length.
    fn look_at_cut(bytes: &[u8]) -> Self {
        let (header, length) = match bytes {
            [0x94 | 0x98, length, ..] | [0xc5 | 0xc6, length @ 0..=191, ..] => {
                (2, usize::from(*length))
            }
            [0x95 | 0x99, high, low, ..] => (3, usize::from(u16::from_be_bytes([*high, *low]))),
            [0x96 | 0x9a, 0, b, c, d, ..] => {
                let length = u32::from_be_bytes([0, *b, *c, *d]);
                (5, usize::try_from(length).unwrap_or(usize::MAX))
            }
            [0xc5 | 0xc6, first @ 192..=223, second, ..] => {
                let length = ((usize::from(*first) - 192) << 8) + usize::from(*second) + 192;
                (3, length)
            }
            _ => return Self::Other,
        };
        let secret = matches!(bytes, [0x94..=0x96 | 0xc5, ..]);
        let body = bytes.get(header..).unwrap_or_default();
        let [version, a, b, c, d, rest @ ..] = body else {
            return Self::Other;
        };
        let in_time = u32::from_be_bytes([*a, *b, *c, *d]) >= TIME_MIN;
        let rest = match version {
            3 => rest.get(2..),
            4..=6 => Some(rest),
            _ => None,
        };
        let (Some([algorithm, numbers @ ..]), true) = (rest, in_time) else {
            return Self::Other;
        };
        let numbers = match version {
            5 | 6 => numbers.get(4..).unwrap_or_default(),
            _ => numbers,
        };
        let before = body.len() - numbers.len();
        let plausible = match (algorithm, numbers) {
            (1..=3 | 17 | 20, [high, low, first, ..]) => {
                let bits = usize::from(u16::from_be_bytes([*high, *low]));
                // Of the sizes that are made the first octet has its first bit set.
                let is_size = (512..=16_384).contains(&bits) && bits.is_multiple_of(64);
                let left = length.checked_sub(before + 2 + bits / 8);
                is_size
                    && first & 0x80 != 0
                    && left.is_some_and(|left| is_left(*algorithm, secret, bits / 8, left))
            }
            (18 | 19 | 22, [length, id @ ..]) => id
                .get(..usize::from(*length))
                .is_some_and(super::wire::openpgp::curve::is_known),
            _ => false,
        };
        if plausible { Self::Cut } else { Self::Other }
    }
}

/// Whether so many octets may follow the first number, of `size` octets, in a key's packet.
fn is_left(algorithm: u8, secret: bool, size: usize, left: usize) -> bool {
    /// The longest public exponent, with its count.
    const EXPONENT: usize = 2 + 32;
    /// What protects a secret part, and ends it.
    const BESIDE: usize = 100;
    match (algorithm, secret) {
        (1..=3, false) => (3..=EXPONENT).contains(&left),
        // The secret part is elsewhere, or it is an exponent, two primes and a coefficient.
        (1..=3, true) => {
            (4..=EXPONENT + BESIDE).contains(&left)
                || (2 * size..=3 * size + EXPONENT + BESIDE).contains(&left)
        }
        // A generator and the public number are as long; those of a smaller group are not much longer.
        _ => (size..=2 * size + 3 * BESIDE).contains(&left),
    }
}

/// Whether a packet behind a key may begin with this octet: a user id, an attribute, a subkey, a signature, the next key, what
/// a program notes of its trust, a marker, padding or something private; or there is padding of the file.
const fn may_follow(first: u8) -> bool {
    let tag = match first {
        0 | b'\n' | b'\r' => return true,
        0..=0x7f => return false,
        0x80..=0xbf => (first >> 2) & 0x0f,
        _ => first & 0x3f,
    };
    matches!(tag, 2 | 5..=7 | 10 | 12..=14 | 17 | 21 | 60..=63)
}
