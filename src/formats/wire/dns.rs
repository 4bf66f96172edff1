//! KEY, DNSKEY and CDNSKEY records in the presentation format of RFC 1035, section 5.1 and RFC 4034, section 2.2.

use crate::model::{Candidate, Reading};

/// The longest record that is believed, in bytes of text.
const RECORD_MAX: usize = 16 << 10;
/// How far before its type a record's line may begin.
const LEAD_MAX: usize = 1024;

/// One record.
#[derive(Debug)]
pub struct Record<'a> {
    /// Its owner as written; empty where it is that of the record before it.
    pub owner: &'a [u8],
    /// Flags.
    pub flags: u16,
    /// Protocol.
    pub protocol: u8,
    /// Algorithm.
    pub algorithm: u8,
    /// The key in base64.
    pub digits: Vec<u8>,
    /// Its first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
}

impl Record<'_> {
    /// The key tag (RFC 4034, appendix B) for a key of these bytes.
    pub fn key_tag(&self, key: &[u8]) -> u16 {
        if self.algorithm == 1 {
            // Appendix B.1: the most significant 16 of the least significant 24 bits of the modulus.
            return match key {
                [.., high, low, _] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            };
        }
        let [high, low] = self.flags.to_be_bytes();
        let head = [high, low, self.protocol, self.algorithm];
        let sum = head
            .iter()
            .chain(key)
            .enumerate()
            .fold(0u32, |sum, (i, b)| {
                let word = u32::from(*b);
                sum.wrapping_add(if i & 1 == 1 { word } else { word << 8 })
            });
        let folded = sum.wrapping_add(sum >> 16) & 0xffff;
        u16::try_from(folded).unwrap_or_default()
    }
}

/// The record whose type's word stands at `at`; else what to answer.
pub fn record<'a>(candidate: &Candidate<'a>, at: usize) -> Result<Record<'a>, Reading> {
    let bytes = candidate.bytes;
    let limit = bytes.len().min(at.saturating_add(RECORD_MAX));
    let text = bytes.get(at..limit).unwrap_or_default();
    let ends = text
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let mut words = Words {
        text,
        at: ends,
        depth: 0,
    };
    let number = |word: Option<&[u8]>| {
        let word = std::str::from_utf8(word?).ok()?;
        word.parse::<u16>().ok()
    };
    let flags = number(words.next());
    let protocol = number(words.next()).and_then(|n| u8::try_from(n).ok());
    let algorithm = number(words.next()).and_then(|n| u8::try_from(n).ok());
    let open = limit == bytes.len() && !candidate.at_end;
    let (Some(flags), Some(protocol), Some(algorithm)) = (flags, protocol, algorithm) else {
        let cut = open && words.at >= text.len() && text.len() < 64;
        return Err(if cut {
            Reading::NeedMore { from: at }
        } else {
            Reading::NotMine
        });
    };
    // Every key of DNSSEC has protocol 3; a signature over such records has its labels there.
    if protocol != 3 || algorithm == 0 {
        return Err(Reading::NotMine);
    }
    let mut digits = Vec::new();
    let mut end = words.at;
    while let Some(word) = words.next() {
        let text = word.iter().all(|b| super::base64_text::is_digit(*b));
        if !text {
            break;
        }
        digits.extend_from_slice(word);
        end = words.at;
    }
    if words.at >= text.len() && open {
        return Err(Reading::NeedMore { from: at });
    }
    // What a document shows instead of a key.
    if digits.len() < 16 {
        return Err(Reading::NotMine);
    }
    let before = bytes
        .get(at.saturating_sub(LEAD_MAX)..at)
        .unwrap_or_default();
    let line = before.iter().rposition(|b| matches!(b, b'\n' | b'\r' | 0));
    let lead = before.get(line.map_or(0, |i| i + 1)..).unwrap_or_default();
    let indented = lead.first().is_some_and(u8::is_ascii_whitespace);
    let owner = lead
        .split(u8::is_ascii_whitespace)
        .next()
        .filter(|owner| !indented && owner.iter().all(u8::is_ascii_graphic))
        .unwrap_or_default();
    let blanks = lead.iter().take_while(|b| b.is_ascii_whitespace()).count();
    Ok(Record {
        owner,
        flags,
        protocol,
        algorithm,
        digits,
        start: at - lead.len() + blanks,
        end: at + end,
    })
}

/// The words of a record; in parentheses it goes over several lines.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.text.get(self.at..)?;
            match rest.first()? {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' if self.depth > 0 => self.at += 1,
                b'(' => {
                    self.depth += 1;
                    self.at += 1;
                }
                b')' if self.depth > 0 => {
                    self.depth -= 1;
                    self.at += 1;
                }
                b';' if self.depth > 0 => {
                    let line = memchr::memchr2(b'\n', b'\r', rest);
                    self.at += line.unwrap_or(rest.len());
                }
                first if !first.is_ascii_graphic() || matches!(first, b')' | b';') => return None,
                _ => {
                    let stop = |b: &u8| !b.is_ascii_graphic() || matches!(b, b'(' | b')' | b';');
                    let length = rest.iter().position(stop).unwrap_or(rest.len());
                    self.at += length;
                    return rest.get(..length);
                }
            }
        }
    }
}
