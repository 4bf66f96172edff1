//! PuTTY's private key files, versions 1 to 3 (PuTTY's manual, appendix C "PPK file format"; version 1 from the
//! comments of its `sshpubk.c`). The public half is in clear, also when the file is encrypted.

use super::wire::base64_text;
use super::wire::ssh::{self, put_string};
use super::wire::ssh_certificate::SshCertificate;
use super::wire::text_lines::{Ending, Lines};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading, Ssh,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The reader of `PuTTY-User-Key-File-N`.
pub struct Ppk;

const LITERAL: &[u8] = b"PuTTY-User-Key-File-";

/// The most bytes that one file is believed to have.
const SIZE_LIMIT: usize = 64 * 1024;

/// The most lines of base64 that one half is believed to have.
const LINES_MAX: usize = 1024;

impl Format for Ppk {
    fn name(&self) -> &'static str {
        "ppk"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::anywhere(LITERAL, Clue::Word)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let limit = candidate.at.saturating_add(SIZE_LIMIT);
        let limit = limit.min(candidate.bytes.len());
        let open = limit == candidate.bytes.len() && !candidate.at_end;
        let block = candidate.bytes.get(candidate.at..limit).unwrap_or_default();
        let fail = |reason, detail: &str, end: usize| {
            Reading::Found(Found {
                faults: vec![Fault {
                    reason,
                    offset: candidate.at,
                    detail: format!("PuTTY private key: {detail}"),
                }],
                end: candidate.at + end,
                ..Found::default()
            })
        };
        let file = match File::read(block, open) {
            Ok(file) => file,
            Err(Stop::Mention) => return Reading::NotMine,
            Err(Stop::Cut { begun: _ }) if open => {
                return Reading::NeedMore { from: candidate.at };
            }
            Err(Stop::Cut { begun: false }) => return Reading::NotMine,
            Err(Stop::Cut { begun: true }) => {
                return fail(GapReason::Truncated, "ends before its MAC", block.len());
            }
            Err(Stop::Broken { at, detail }) => return fail(GapReason::Malformed, detail, at),
        };
        match file.artifact(self.name()) {
            Ok(mut artifact) => {
                artifact.offset = candidate.at;
                Reading::Found(Found {
                    artifacts: vec![artifact],
                    end: candidate.at + file.end,
                    ..Found::default()
                })
            }
            Err(detail) => fail(GapReason::Malformed, detail, file.end),
        }
    }
}

/// Why there is no file.
enum Stop {
    /// Nothing that belongs to a key.
    Mention,
    /// The bytes end before the file does.
    Cut {
        /// Its first lines were seen.
        begun: bool,
    },
    /// It declares itself and is not as it should be.
    Broken { at: usize, detail: &'static str },
}

/// The lines of a file.
struct File<'a> {
    version: u8,
    algorithm: &'a [u8],
    encryption: &'a [u8],
    comment: &'a [u8],
    public: Vec<&'a [u8]>,
    derivation: Vec<(&'a [u8], &'a [u8])>,
    private: Vec<&'a [u8]>,
    mac: &'a [u8],
    end: usize,
}

impl<'a> File<'a> {
    fn read(block: &'a [u8], open: bool) -> Result<Self, Stop> {
        let tail = block.strip_prefix(LITERAL).ok_or(Stop::Mention)?;
        let (version, tail) = match tail {
            [version @ b'1'..=b'3', b':', b' ', tail @ ..] => (version - b'0', tail),
            _ if tail.len() < 3 => return Err(Stop::Cut { begun: false }),
            _ => return Err(Stop::Mention),
        };
        let length = tail.iter().take_while(|b| ssh::is_name_byte(**b)).count();
        let (algorithm, rest) = tail.split_at_checked(length).ok_or(Stop::Mention)?;
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t'));
        let blanks = blanks.count();
        let rest = rest.get(blanks..).unwrap_or_default();
        let escaped = match Lines::ending(rest) {
            Ending::Plain => false,
            Ending::Escaped => true,
            Ending::Cut => return Err(Stop::Cut { begun: false }),
            Ending::None => return Err(Stop::Mention),
        };
        if ssh::algorithm_name(algorithm).is_none() {
            return Err(Stop::Mention);
        }
        let mut file = Self {
            version,
            algorithm,
            encryption: b"",
            comment: b"",
            public: Vec::new(),
            derivation: Vec::new(),
            private: Vec::new(),
            mac: b"",
            end: block.len() - rest.len(),
        };
        let mut lines = Lines::new(block, file.end, escaped);
        let mut begun = false;
        loop {
            let (at, name, value) = match next_line(&mut lines, open) {
                None => return Err(Stop::Cut { begun }),
                Some((at, line)) => {
                    let colon = memchr::memchr(b':', line);
                    match colon.and_then(|colon| line.split_at_checked(colon)) {
                        Some((name, value)) => {
                            let value = value.get(1..).unwrap_or_default();
                            (at, name, value.trim_ascii())
                        }
                        None if !begun => return Err(Stop::Mention),
                        // The last line may be the beginning of anything.
                        None if lines.is_at_end() => return Err(Stop::Cut { begun }),
                        None => {
                            let detail = "a line is no header";
                            return Err(Stop::Broken { at, detail });
                        }
                    }
                }
            };
            if !begun && name != b"Encryption" {
                return Err(Stop::Mention);
            }
            begun = true;
            let count = || {
                let text = std::str::from_utf8(value).ok()?;
                text.parse().ok().filter(|count| *count <= LINES_MAX)
            };
            match name {
                b"Encryption" => file.encryption = value,
                b"Comment" => file.comment = value,
                b"Public-Lines" | b"Private-Lines" => {
                    let detail = "a number of lines is none";
                    let count = count().ok_or(Stop::Broken { at, detail })?;
                    let half = match name {
                        b"Public-Lines" => &mut file.public,
                        _ => &mut file.private,
                    };
                    for _ in 0..count {
                        let line = next_line(&mut lines, open);
                        let (at, line) = line.ok_or(Stop::Cut { begun })?;
                        if !line.iter().all(|b| base64_text::is_digit(*b)) {
                            let detail = "a line is not base64";
                            return Err(Stop::Broken { at, detail });
                        }
                        half.push(line);
                    }
                }
                b"Private-MAC" | b"Private-Hash" => {
                    let length = if version == 3 { 64 } else { 40 };
                    let hex = value.iter().take_while(|b| b.is_ascii_hexdigit()).count();
                    if hex < length && lines.is_at_end() {
                        return Err(Stop::Cut { begun });
                    }
                    file.mac = value.get(..hex.min(length)).unwrap_or_default();
                    // Blanks between name and value, one as a rule, are counted as one.
                    file.end = (at + name.len() + 2 + file.mac.len()).min(block.len());
                    return Ok(file);
                }
                b"Key-Derivation" => file.derivation.push((name, value)),
                _ if name.starts_with(b"Argon2-") => file.derivation.push((name, value)),
                _ => {
                    let detail = "a header is not known";
                    return Err(Stop::Broken { at, detail });
                }
            }
        }
    }

    fn artifact(&self, format: &'static str) -> Result<Artifact, &'static str> {
        let blob = decode(&self.public).ok_or("the public half is not base64")?;
        const BAD: &str = "the public half is no key of its algorithm";
        let name = ssh::Reader::new(&blob).string().map_err(|_| BAD)?;
        if name != self.algorithm {
            return Err(BAD);
        }
        let certified = std::str::from_utf8(name).is_ok_and(ssh::is_certificate_name);
        let plain = if certified {
            SshCertificate::read(&blob).map_err(|_| BAD)?.public
        } else {
            ssh::plain_key(&blob).map_err(|_| BAD)?;
            blob.to_vec()
        };
        let key = KeyMaterial::SshBlob(plain);
        let mut artifact = Artifact::new(Kind::PrivateKey, format, Encoding::Text, key);
        if certified {
            artifact.notes.push("holds a certificate of its key".into());
        }
        if self.encryption == b"none" {
            artifact.protection = Some(Protection::None);
            let private = decode(&self.private).ok_or("the private half is not base64")?;
            if self
                .mac_of(&blob, &private)
                .is_some_and(|mac| !self.is_mac(&mac))
            {
                let note = "its MAC does not agree: it was damaged or changed";
                artifact.notes.push(note.into());
            }
        } else {
            artifact.protection = Some(Protection::Encrypted);
            artifact.cipher = Some(self.cipher());
        }
        artifact.ssh = (!self.comment.is_empty()).then(|| {
            Box::new(Ssh {
                comment: Some(lossy(self.comment).into()),
                ..Ssh::default()
            })
        });
        Ok(artifact)
    }

    /// As `aes256-cbc, Argon2id memory=8192 passes=34 parallelism=1`.
    fn cipher(&self) -> String {
        let mut text = lossy(self.encryption);
        if self.version < 3 {
            text.push_str(", SHA-1");
        }
        for (name, value) in &self.derivation {
            match *name {
                b"Key-Derivation" => text.push_str(&format!(", {}", lossy(value))),
                // The salt tells nobody anything.
                b"Argon2-Salt" => {}
                name => {
                    let name = name.strip_prefix(b"Argon2-").unwrap_or(name);
                    let told = format!(" {}={}", lossy(name).to_ascii_lowercase(), lossy(value));
                    text.push_str(&told);
                }
            }
        }
        text
    }

    /// The MAC of an unencrypted file, whose key is known to all (appendix C.3, C.4).
    fn mac_of(&self, public: &[u8], private: &[u8]) -> Option<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::with_capacity(
            public.len() + private.len() + self.comment.len() + 256,
        ));
        for part in [
            self.algorithm,
            self.encryption,
            self.comment,
            public,
            private,
        ] {
            put_string(&mut text, part);
        }
        match self.version {
            2 => {
                let key = Sha1::digest(b"putty-private-key-file-mac-key");
                let mut mac = Hmac::<Sha1>::new_from_slice(&key).ok()?;
                mac.update(&text);
                Some(mac.finalize().into_bytes().to_vec())
            }
            3 => {
                let mut mac = Hmac::<Sha256>::new_from_slice(b"").ok()?;
                mac.update(&text);
                Some(mac.finalize().into_bytes().to_vec())
            }
            _ => None,
        }
    }

    fn is_mac(&self, mac: &[u8]) -> bool {
        let digits = mac.iter().map(|byte| format!("{byte:02x}"));
        let text: String = digits.collect();
        self.mac.eq_ignore_ascii_case(text.as_bytes())
    }
}

/// The next line that is not empty; none if the bytes end in it and more may follow.
fn next_line<'a>(lines: &mut Lines<'a>, open: bool) -> Option<(usize, &'a [u8])> {
    loop {
        let (at, line) = lines.next()?;
        if open && lines.is_at_end() {
            return None;
        }
        if !line.is_empty() {
            return Some((at, line));
        }
    }
}

fn decode(lines: &[&[u8]]) -> Option<Zeroizing<Vec<u8>>> {
    let length = lines.iter().map(|line| line.len()).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    for line in lines {
        text.extend_from_slice(line);
    }
    base64_text::decode(&text)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
