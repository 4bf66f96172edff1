//! A whole file that is the base64 of one DER object, or of signed data in BER, without armour, as Java programs write keys with
//! `Base64.getEncoder()`: on one line or several, in either alphabet.

use crate::formats::wire::base64_text;
use crate::formats::wire::ber;
use crate::formats::wire::der::{self, Element};
use crate::formats::{Format, Signature};
use crate::model::{Candidate, Clue, Encoding, Found, Nested, Reading};

/// The container.
pub struct BareBase64;

/// The largest file that is looked at.
const SIZE_MAX: usize = 64 * 1024;

/// The tag of a SEQUENCE and the first bits of its length: 32 to 127 octets, or in one octet or two.
const BEGINNINGS: [&[u8]; 7] = [b"MC", b"MD", b"ME", b"MF", b"MG", b"MH", b"MI"];

impl Format for BareBase64 {
    fn name(&self) -> &'static str {
        "bare_base64"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 7] = {
            let [c, d, e, f, g, h, i] = BEGINNINGS;
            [
                Signature::at_start(0, c, Clue::Word),
                Signature::at_start(0, d, Clue::Word),
                Signature::at_start(0, e, Clue::Word),
                Signature::at_start(0, f, Clue::Word),
                Signature::at_start(0, g, Clue::Word),
                Signature::at_start(0, h, Clue::Word),
                Signature::at_start(0, i, Clue::Word),
            ]
        };
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Candidate { bytes, at_end, .. } = *candidate;
        let opens = candidate.at_start && candidate.at == 0;
        let begins = BEGINNINGS.iter().any(|b| bytes.starts_with(b));
        if !opens || !begins || bytes.len() > SIZE_MAX {
            return Reading::NotMine;
        }
        let is_body = |b: &u8| base64_text::is_digit(*b) || b.is_ascii_whitespace();
        if !bytes.iter().all(is_body) {
            return Reading::NotMine;
        }
        if !at_end {
            return Reading::NeedMore { from: 0 };
        }
        let Some(decoded) = base64_text::decode(bytes) else {
            return Reading::NotMine;
        };
        // Streaming writers of signed data leave lengths open.
        let whole = Element::read_all(&decoded).is_ok_and(|element| element.tag == der::SEQUENCE)
            || ber::read(&decoded).is_ok_and(|(_, rest)| rest.is_empty());
        if !whole {
            return Reading::NotMine;
        }
        // Whether it is a key or a certificate, the formats say.
        Reading::Found(Found {
            nested: vec![Nested::new(Clue::DerObject, decoded, Encoding::Text, 0)],
            end: bytes.len(),
            ..Found::default()
        })
    }
}
