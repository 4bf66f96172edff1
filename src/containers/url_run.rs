//! A PEM armour that is escaped as in URLs (RFC 3986, section 2.1; `application/x-www-form-urlencoded`), as proxies write certificates into
//! headers and logs.

use crate::formats::{Format, Signature};
use crate::model::{Candidate, Clue, Found, Member, Nested, Reading};
use zeroize::Zeroizing;

/// The container.
pub struct UrlRun;

const NAME: &str = "url";
/// The dashes and the word, and what a blank becomes.
const BOUNDARIES: [&[u8]; 2] = [b"-----BEGIN%20", b"-----BEGIN+"];
/// More text than this is not decoded.
const SIZE_MAX: usize = 8 << 20;

impl Format for UrlRun {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::anywhere(BOUNDARIES[0], Clue::UrlEscape),
                Signature::anywhere(BOUNDARIES[1], Clue::UrlEscape),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::UrlEscape]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Candidate { bytes, at, .. } = *candidate;
        let limit = at.saturating_add(SIZE_MAX).min(bytes.len());
        let run = bytes.get(at..limit).unwrap_or_default();
        let length = run.iter().take_while(|b| is_of_url(**b)).count();
        if length == run.len() && limit == bytes.len() && !candidate.at_end {
            return Reading::NeedMore { from: at };
        }
        let text = run.get(..length).unwrap_or_default();
        // Without an escaped line break it is a mention.
        if !text.contains(&b'%') {
            return Reading::NotMine;
        }
        // In a form a blank is a plus sign, and a plus sign of base64 is escaped; else it stands for itself.
        let is_form = text.starts_with(BOUNDARIES[1]);
        let mut decoded = Zeroizing::new(Vec::with_capacity(length));
        let mut rest = text;
        while let [first, after @ ..] = rest {
            let escaped = after
                .first_chunk::<2>()
                .filter(|_| *first == b'%')
                .and_then(octet);
            rest = match escaped {
                Some(octet) => {
                    decoded.push(octet);
                    after.get(2..).unwrap_or_default()
                }
                None => {
                    decoded.push(if *first == b'+' && is_form {
                        b' '
                    } else {
                        *first
                    });
                    after
                }
            };
        }
        Reading::Found(Found {
            nested: vec![Nested::content(Member::named(NAME, b""), decoded, at)],
            end: at + length,
            ..Found::default()
        })
    }
}

fn octet(digits: &[u8; 2]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 16).ok()
}

/// What of a URL may stand in the value of a parameter.
const fn is_of_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'%' | b'+' | b'/' | b'=' | b'*' | b':' | b','
        )
}
