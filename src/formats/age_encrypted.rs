//! Files that age encrypted (C2SP, age.md): a header that lists for whom, and a body. Nothing in them is a key that
//! could be told, so they are told as closed.

use super::{Format, Signature};
use crate::model::{Candidate, Clue, Fault, Found, GapReason, Reading};
use std::collections::BTreeSet;

/// The reader of the header of an encrypted file, binary or in its armour.
pub struct AgeEncrypted;

const VERSION: &[u8] = b"age-encryption.org/v1";
const LABEL: &str = "AGE ENCRYPTED FILE";

/// The largest header that is believed, in bytes.
const HEADER_MAX: usize = 1 << 20;

/// The types of stanzas that are told by name; the argument that bounds the work is told too.
const TYPES: [&str; 8] = [
    "X25519",
    "scrypt",
    "ssh-ed25519",
    "ssh-rsa",
    "mlkem768x25519",
    "piv-p256",
    "p256tag",
    "mlkem768p256tag",
];

impl Format for AgeEncrypted {
    fn name(&self) -> &'static str {
        "age_encrypted"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::at_start(0, VERSION, Clue::Magic)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic, Clue::PemBody]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let armoured = match candidate.clue {
            Clue::PemBody if candidate.label == Some(LABEL) => true,
            Clue::Magic => false,
            _ => return Reading::NotMine,
        };
        let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let near = bytes.get(..HEADER_MAX).unwrap_or(bytes);
        let fault = |reason, detail: String| {
            Reading::Found(Found {
                faults: vec![Fault {
                    reason,
                    offset: candidate.at,
                    detail: format!("age file: {detail}"),
                }],
                // What is no header may be anything: all of it is searched.
                end: if reason == GapReason::Encrypted {
                    candidate.bytes.len()
                } else {
                    candidate.at + VERSION.len().min(bytes.len())
                },
                ..Found::default()
            })
        };
        match Header::read(near) {
            Ok(header) => fault(GapReason::Encrypted, header.told()),
            Err(Stop::Mention) if !armoured => Reading::NotMine,
            Err(Stop::Cut) if !candidate.at_end && near.len() < HEADER_MAX => {
                Reading::NeedMore { from: candidate.at }
            }
            Err(Stop::Cut) => fault(GapReason::Truncated, "ends inside its header".to_owned()),
            Err(Stop::Mention | Stop::Broken) => {
                fault(GapReason::Malformed, "its header is none".to_owned())
            }
        }
    }
}

enum Stop {
    Mention,
    Cut,
    Broken,
}

/// Whom the file is for.
#[derive(Default)]
struct Header {
    types: BTreeSet<&'static str>,
    others: bool,
    stanzas: usize,
    /// log₂ of scrypt's N.
    work: Option<u8>,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Stop> {
        let rest = bytes.strip_prefix(VERSION).ok_or(Stop::Mention)?;
        let rest = match rest {
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => rest,
            [] => return Err(Stop::Mention),
            _ => return Err(Stop::Mention),
        };
        let mut header = Self::default();
        let mut lines = rest.split(|b| *b == b'\n').peekable();
        while let Some(line) = lines.next() {
            // What no line feed follows is not whole.
            let whole = lines.peek().is_some();
            if !whole {
                break;
            }
            if let Some(arguments) = line.strip_prefix(b"-> ") {
                header.take(arguments);
            } else if line.starts_with(b"--- ") {
                return if header.stanzas > 0 {
                    Ok(header)
                } else {
                    Err(Stop::Broken)
                };
            } else {
                let digits = line.iter().all(|b| super::wire::base64_text::is_digit(*b));
                if line.len() > 64 || !digits || header.stanzas == 0 {
                    return Err(if header.stanzas == 0 {
                        Stop::Mention
                    } else {
                        Stop::Broken
                    });
                }
            }
        }
        Err(Stop::Cut)
    }

    fn take(&mut self, arguments: &[u8]) {
        self.stanzas += 1;
        let mut words = arguments.split(|b| *b == b' ');
        let name = words.next().unwrap_or_default();
        match TYPES.iter().find(|t| t.as_bytes() == name) {
            Some(known) => {
                self.types.insert(known);
            }
            // age adds stanzas of made-up names.
            None if name.ends_with(b"-grease") => self.stanzas -= 1,
            None => self.others = true,
        }
        if name == b"scrypt" {
            let factor = words.nth(1).unwrap_or_default();
            let text = std::str::from_utf8(factor).ok();
            self.work = text.and_then(|text| text.parse().ok());
        }
    }

    fn told(&self) -> String {
        let mut types: Vec<&str> = self.types.iter().copied().collect();
        if self.others {
            types.push("other kinds");
        }
        let types = types.join(", ");
        match (self.work, self.stanzas) {
            (Some(work), _) => format!("encrypted with a passphrase ({types}, work factor {work})"),
            (None, 1) => format!("encrypted to one recipient ({types})"),
            (None, count) => format!("encrypted to {count} recipients ({types})"),
        }
    }
}
