//! Base64 in any text (RFC 4648, sections 4 and 5), of what is worth a look: a PEM armour, an SSH key, a DER object, a
//! keystore, a compressed file, or base64 of these once more.
//!
//! Kubernetes Secrets and kubeconfigs, cloud-init, mail, `.env` files and Terraform state hold keys in this way. The search knows
//! how such a beginning is spelled in base64; the digits around it, over as many lines as they stand on, are decoded whole and searched
//! as a file is.

use crate::formats::wire::base64_text;
use crate::formats::wire::der;
use crate::formats::{Format, Signature};
use crate::model::{Candidate, Clue, Fault, Found, GapReason, Member, Nested, Reading};

/// The container.
pub struct Base64Run;

const NAME: &str = "base64";
/// More digits than this are not decoded.
const SIZE_MAX: usize = 24 << 20;
/// How far before the literal the digits are looked for.
const LOOK_BACK: usize = 4 << 10;
/// A shorter line of digits among others ends them.
const LINE_MIN: usize = 16;
/// Fewer digits hold nothing.
const DIGITS_MIN: usize = 24;

/// How a beginning is spelled, and at which digit of a group of four. What stands before it may fill one or two digits.
const SPELLINGS: &[(&[u8], usize)] = &[
    // `-----BEGIN `, at the three places that it can have in a group.
    (b"LS0tLS1CRUdJTi", 0),
    (b"0tLS0tQkVHSU4g", 2),
    (b"tLS0tLUJFR0lOI", 3),
    // `ssh-rsa AAAA` and `ssh-ed25519 `, likewise; `ecdsa-sha2-nistp` at the start.
    (b"c3NoLXJzYSBBQUFB", 0),
    (b"NzaC1yc2EgQUFBQ", 2),
    (b"zc2gtcnNhIEFBQU", 3),
    (b"c3NoLWVkMjU1MTkg", 0),
    (b"NzaC1lZDI1NTE5IEFBQU", 2),
    (b"zc2gtZWQyNTUxOSBBQUFB", 3),
    (b"ZWNkc2Etc2hhMi1uaXN0c", 0),
    // gzip without a name and with one.
    (b"H4sIA", 0),
    (b"H4sIC", 0),
    // zip, JKS, JCEKS.
    (b"UEsDB", 0),
    (b"/u3+7QAAA", 0),
    (b"zs7OzgAAA", 0),
    // PPK, age.
    (b"UHVUVFktVXNlci1LZXkt", 0),
    (b"QUdFLVNFQ1JFVC1LRVkt", 0),
    // Base64 of base64: of a PEM armour and of gzip.
    (b"TFMwdExTMUNSVWRKVG", 0),
    (b"SDRzSU", 0),
];

/// The value of a field that begins as a DER SEQUENCE of more than 255 octets does.
const DER: &[&[u8]] = &[b"\"MII", b" MII", b"=MII", b">MII"];

impl Format for Base64Run {
    fn name(&self) -> &'static str {
        NAME
    }

    #[allow(
        clippy::indexing_slicing,
        reason = "the compiler checks it, in a constant"
    )]
    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; SPELLINGS.len() + DER.len()] = {
            let mut all = [Signature::anywhere(b"", Clue::Base64); SPELLINGS.len() + DER.len()];
            let mut at = 0;
            while at < all.len() {
                let literal = if at < SPELLINGS.len() {
                    SPELLINGS[at].0
                } else {
                    DER[at - SPELLINGS.len()]
                };
                all[at] = Signature::anywhere(literal, Clue::Base64);
                at += 1;
            }
            all
        };
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Base64]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some((first, is_der)) = beginning(candidate) else {
            return Reading::NotMine;
        };
        let limit = first.saturating_add(SIZE_MAX).min(candidate.bytes.len());
        let run = candidate.bytes.get(first..limit).unwrap_or_default();
        let length = length_of(run);
        if length == run.len() && limit == candidate.bytes.len() && !candidate.at_end {
            return Reading::NeedMore { from: first };
        }
        if length == SIZE_MAX {
            return Reading::Found(Found {
                faults: vec![Fault {
                    reason: GapReason::Limit,
                    offset: first,
                    detail: format!("base64: more than {} MiB of digits", SIZE_MAX >> 20),
                }],
                end: limit,
                ..Found::default()
            });
        }
        let digits = run.get(..length).unwrap_or_default();
        let Some(decoded) = base64_text::decode_lines(digits).filter(|_| length >= DIGITS_MIN)
        else {
            return Reading::NotMine;
        };
        // Three letters mean little: the length must be there too.
        if is_der
            && !der::header(&decoded).is_ok_and(|(_, header, length)| {
                header
                    .checked_add(length)
                    .is_some_and(|total| total <= decoded.len())
            })
        {
            return Reading::NotMine;
        }
        let member = Member::named(NAME, b"");
        Reading::Found(Found {
            nested: vec![Nested::content(member, decoded, first)],
            end: first + length,
            ..Found::default()
        })
    }
}

/// The first digit to decode, and whether it is known by a DER object's beginning alone.
fn beginning(candidate: &Candidate<'_>) -> Option<(usize, bool)> {
    let Candidate { bytes, at, .. } = *candidate;
    let tail = bytes.get(at..)?;
    let spelling = SPELLINGS
        .iter()
        .find(|(literal, _)| tail.starts_with(literal));
    let Some((_, place)) = spelling else {
        return Some((at + 1, true));
    };
    let mut first = at;
    let mut before = 0;
    let floor = at.saturating_sub(LOOK_BACK);
    let mut digit = at;
    while digit > floor {
        digit -= 1;
        let byte = *bytes.get(digit)?;
        if base64_text::is_digit(byte) && byte != b'=' {
            before += 1;
            // Whole groups of four only: what is left over belongs to something else.
            if before % 4 == *place {
                first = digit;
            }
        } else if !(byte.is_ascii_whitespace() && line_before_is_digits(bytes.get(floor..digit)?)) {
            break;
        }
    }
    (before >= *place).then_some((first, false))
}

/// Whether the text ends with a line of nothing but digits, whole groups of them, or with white space behind it.
fn line_before_is_digits(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let start = memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1);
    let line = text.get(start..).unwrap_or_default().trim_ascii();
    line.len() >= LINE_MIN
        && line.len().is_multiple_of(4)
        && line.iter().all(|b| base64_text::is_digit(*b) && *b != b'=')
}

/// How many bytes of the text are digits and the breaks between lines of them.
fn length_of(text: &[u8]) -> usize {
    let mut length = 0;
    loop {
        let rest = text.get(length..).unwrap_or_default();
        let digits = rest
            .iter()
            .take_while(|b| base64_text::is_digit(**b) && **b != b'=')
            .count();
        let after = rest.get(digits..).unwrap_or_default();
        let padding = after.iter().take_while(|b| **b == b'=').count();
        length += digits + padding;
        if padding > 0 {
            return length;
        }
        let gap = after.iter().take_while(|b| b.is_ascii_whitespace()).count();
        if gap == after.len() && length + gap == text.len() {
            // Nothing but white space so far: the next line, if there is one, is not in sight.
            return text.len();
        }
        let next = after.get(gap..).unwrap_or_default();
        let line = next
            .iter()
            .take_while(|b| base64_text::is_digit(**b))
            .count();
        let ends = next
            .get(line)
            .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<' | b'`'));
        if digits < LINE_MIN || !digits.is_multiple_of(4) || gap == 0 || line == 0 || !ends {
            return length;
        }
        length += gap;
    }
}
