//! Ansible vaults (Ansible's documentation, "Ansible Vault payload format"): whole files, and values inside YAML (`!vault |`),
//! indented or escaped.
//!
//! Behind the header stand hexadecimal digits; they are the digits of a salt, a MAC and a ciphertext, one a line. The
//! password derives keys of cipher and MAC and a counter by PBKDF2. What a password opens is searched like a file.

use crate::formats::wire::pbe::{Hash, charge};
use crate::formats::wire::text_lines::{Ending, Lines};
use crate::formats::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Closed, Clue, Effort, Encoding, EntryFacts, Fault, Found, GapReason,
    KeyMaterial, Kind, Member, Nested, Opened, PasswordList, Protection, Reading, Unlock,
};
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The container.
pub struct AnsibleVault;

const LITERAL: &[u8] = b"$ANSIBLE_VAULT;";
/// The largest vault that is read, in bytes of text.
const SIZE_MAX: usize = 16 << 20;
/// Fewer digits are the beginning of one in a document.
const DIGITS_MIN: usize = 160;
/// The longest header.
const HEADER_MAX: usize = 512;

const ITERATIONS: u64 = 10_000;
/// Octets of each key and of the MAC.
const KEY: usize = 32;
/// Octets of a block.
const BLOCK: usize = 16;

impl Format for AnsibleVault {
    fn name(&self) -> &'static str {
        "ansible_vault"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::anywhere(LITERAL, Clue::Word)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let limit = candidate.at.saturating_add(SIZE_MAX);
        let limit = limit.min(candidate.bytes.len());
        let block = candidate.bytes.get(candidate.at..limit).unwrap_or_default();
        let Some((header, escaped)) = Header::read(block) else {
            let short = block.len() < HEADER_MAX && block.starts_with(LITERAL);
            return if short && !candidate.at_end {
                Reading::NeedMore { from: candidate.at }
            } else {
                Reading::NotMine
            };
        };
        let body = Body::read(block, header.length, escaped);
        let at_limit = limit < candidate.bytes.len();
        if body.is_last && !at_limit && !candidate.at_end {
            return Reading::NeedMore { from: candidate.at };
        }
        if body.digits.len() < DIGITS_MIN || body.is_elided {
            return Reading::NotMine;
        }
        let mut found = Found {
            end: candidate.at + body.end,
            ..Found::default()
        };
        let mut fault = |reason, what: String| {
            found.faults.push(Fault {
                reason,
                offset: candidate.at,
                detail: format!("Ansible vault: {what}"),
            });
        };
        if body.is_last && at_limit {
            fault(
                GapReason::Limit,
                format!("larger than {} MiB", SIZE_MAX >> 20),
            );
            return Reading::Found(found);
        }
        let mut keystore = Artifact::new(
            Kind::Keystore,
            self.name(),
            Encoding::Text,
            KeyMaterial::None,
        );
        keystore.offset = candidate.at;
        keystore.protection = Some(Protection::Encrypted);
        keystore.notes = header.notes();
        if !header.is_aes256 {
            // Version 1.0 had a cipher that was withdrawn.
            keystore.cipher = Some(header.cipher);
            fault(
                GapReason::Encrypted,
                "of a version that is not opened".to_owned(),
            );
            found.artifacts.push(keystore);
            return Reading::Found(found);
        }
        keystore.cipher = Some(format!(
            "AES-256-CTR, PBKDF2 hmacWithSHA256 {ITERATIONS} iterations, HMAC-SHA256"
        ));
        let sealed = match Sealed::read(&body.digits) {
            Ok(sealed) => sealed,
            Err(Unsealed::Cut) if body.is_last => {
                fault(GapReason::Truncated, "ends inside its digits".to_owned());
                return Reading::Found(found);
            }
            Err(_) => {
                let what = "its digits are no salt, MAC and ciphertext";
                fault(GapReason::Malformed, what.to_owned());
                return Reading::Found(found);
            }
        };
        match sealed.first(&candidate.unlock) {
            Ok((clear, opened)) => {
                keystore.opened = Some(opened);
                let facts = EntryFacts {
                    protection: Some(Protection::Encrypted),
                    cipher: keystore.cipher.clone(),
                    opened: Some(opened),
                    ..EntryFacts::default()
                };
                found.nested.push(Nested {
                    entry: Some(Arc::new(facts)),
                    ..Nested::content(Member::named(self.name(), b""), clear, candidate.at)
                });
            }
            Err(Closed::Limit(asked)) => fault(GapReason::Limit, asked),
            Err(_) => fault(
                GapReason::Encrypted,
                "encrypted under an unknown password".to_owned(),
            ),
        }
        found.artifacts.push(keystore);
        Reading::Found(found)
    }
}

/// The first line.
struct Header {
    version: String,
    cipher: String,
    is_aes256: bool,
    /// The vault id, since version 1.2.
    label: Option<String>,
    length: usize,
}

impl Header {
    /// The header, and whether lines end with the characters `\n`.
    fn read(block: &[u8]) -> Option<(Self, bool)> {
        let tail = block.strip_prefix(LITERAL)?;
        let near = tail.get(..HEADER_MAX).unwrap_or(tail);
        let ends = |b: &u8| matches!(b, b'\n' | b'\r' | b'\\' | b'"' | b'\'');
        let length = near.iter().position(ends)?;
        let escaped = match Lines::ending(near.get(length..)?) {
            Ending::Plain => false,
            Ending::Escaped => true,
            Ending::Cut | Ending::None => return None,
        };
        let line = std::str::from_utf8(near.get(..length)?).ok()?.trim_end();
        let mut fields = line.splitn(3, ';');
        let version = fields.next()?.to_owned();
        let cipher = fields.next()?.trim().to_owned();
        let known = version.starts_with("1.") && version.len() < 8 && cipher.starts_with("AES");
        known.then(|| {
            let header = Self {
                is_aes256: cipher == "AES256",
                version,
                cipher,
                label: fields.next().map(str::to_owned),
                length: LITERAL.len() + length,
            };
            (header, escaped)
        })
    }

    fn notes(&self) -> Vec<std::borrow::Cow<'static, str>> {
        let version = format!("format {}", self.version);
        let label = self.label.as_ref().map(|label| format!("vault id {label}"));
        std::iter::once(version)
            .chain(label)
            .map(Into::into)
            .collect()
    }
}

/// The lines of digits behind the header.
struct Body {
    digits: Vec<u8>,
    /// Where it ends in the block.
    end: usize,
    /// The bytes end with it.
    is_last: bool,
    /// Dots follow, as in a document.
    is_elided: bool,
}

impl Body {
    fn read(block: &[u8], at: usize, escaped: bool) -> Self {
        let mut lines = Lines::new(block, at, escaped);
        let mut body = Self {
            digits: Vec::new(),
            end: at,
            is_last: true,
            is_elided: false,
        };
        while let Some((start, line)) = lines.next() {
            if line.is_empty() && body.digits.is_empty() {
                continue;
            }
            // Between a carriage return and its line feed stands an empty line.
            let between = block.get(start.saturating_sub(1)..=start) == Some(b"\r\n");
            if line.is_empty() && between {
                continue;
            }
            if line.is_empty() || !line.iter().all(u8::is_ascii_hexdigit) {
                let begins = line.get(..3).unwrap_or(line);
                body.is_elided = begins == b"..." || begins == "…".as_bytes();
                body.is_last = false;
                break;
            }
            body.digits.extend_from_slice(line);
            body.end = start + line.len();
            // The closing quote of a string.
            if escaped && block.get(body.end) == Some(&b'"') {
                body.is_last = false;
                break;
            }
        }
        body
    }
}

/// What the digits hold.
struct Sealed {
    salt: Vec<u8>,
    mac: Vec<u8>,
    data: Vec<u8>,
}

/// Why digits hold nothing.
enum Unsealed {
    /// They end too early.
    Cut,
    /// They are others.
    Bad,
}

impl Sealed {
    fn read(digits: &[u8]) -> Result<Self, Unsealed> {
        // A digit is lacking at the end of what is cut.
        let whole = digits.len() / 2 * 2;
        let inner = digits
            .get(..whole)
            .and_then(from_hex)
            .ok_or(Unsealed::Bad)?;
        let mut fields = inner.splitn(3, |b| *b == b'\n');
        let mut next = || fields.next().ok_or(Unsealed::Cut);
        let (salt, mac, data) = (next()?, next()?, next()?);
        let of = |field| from_hex(field).ok_or(Unsealed::Bad);
        let (salt, mac) = (of(salt)?, of(mac)?);
        if mac.len() != KEY || salt.is_empty() {
            return Err(Unsealed::Bad);
        }
        if whole < digits.len() || data.len() % 2 == 1 {
            return Err(Unsealed::Cut);
        }
        let data = of(data)?;
        if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
            return Err(Unsealed::Cut);
        }
        Ok(Self { salt, mac, data })
    }

    /// The content, and what opened it. A file of many values costs more than is granted: that defaults were then not
    /// tried on the last of them is no reason to call the sweep incomplete.
    fn first(&self, unlock: &Unlock<'_>) -> Result<(Zeroizing<Vec<u8>>, Opened), Closed> {
        for password in unlock.passwords {
            match self.open(password.text.expose(), unlock.effort) {
                Ok(None) => {}
                Ok(Some(clear)) => return Ok((clear, password.opened)),
                Err(_) if password.opened.list == PasswordList::BuiltIn => break,
                Err(closed) => return Err(closed),
            }
        }
        Err(Closed::NoPassword)
    }

    /// The content; nothing if the password is another one.
    fn open(&self, password: &[u8], effort: &Effort) -> Result<Option<Zeroizing<Vec<u8>>>, Closed> {
        let derived = |length, effort: &Effort| {
            Hash::Sha256.pbkdf2(password, &self.salt, ITERATIONS, length, effort)
        };
        // The MAC's key is the second part; what comes behind is needed for the right password alone.
        let keys = derived(2 * KEY, effort)?;
        let blocks = u64::try_from(self.data.len() / 128).unwrap_or(u64::MAX);
        charge(effort, blocks, || {
            format!("{} bytes of ciphertext", self.data.len())
        })?;
        let mac_key = keys.get(KEY..).unwrap_or_default();
        if *Hash::Sha256.hmac(mac_key, &[&self.data]) != self.mac {
            return Ok(None);
        }
        let all = derived(2 * KEY + BLOCK, effort)?;
        let decrypt = || {
            let (key, counter) = (all.get(..KEY)?, all.get(2 * KEY..)?);
            let mut stream = ctr::Ctr128BE::<aes::Aes256>::new_from_slices(key, counter).ok()?;
            let mut clear = Zeroizing::new(self.data.clone());
            stream.apply_keystream(&mut clear);
            // The padding of RFC 5652, section 6.3.
            let padding = usize::from(*clear.last()?);
            let length = clear.len().checked_sub(padding)?;
            (1..=BLOCK).contains(&padding).then(|| {
                clear.truncate(length);
                clear
            })
        };
        Ok(decrypt())
    }
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let value = |digit: u8| char::from(digit).to_digit(16);
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(value(*high)? << 4 | value(*low)?).ok())
        .collect()
}
