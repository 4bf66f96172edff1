//! DNSSEC keys: BIND's `K*.private` (`Private-key-format: v1.x`), and KEY, DNSKEY and CDNSKEY records as zone files and
//! `K*.key` hold them (RFC 4034, sections 2.2 and appendix B; keys of RFC 3110, RFC 2536, RFC 6605 and RFC 8080).

use super::wire::dns::{self, Record};
use super::wire::text_lines::Lines;
use super::wire::{base64_text, curves, der, oid};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind,
    PrivateNumbers, Protection, Reading, Secret,
};
use zeroize::Zeroizing;

/// The reader of both halves.
pub struct Dnssec;

const PRIVATE: &[u8] = b"Private-key-format: v1.";
const RECORD: &[u8] = b"DNSKEY";
/// What BIND writes before the record of a `K*.key` file.
const COMMENT: &[u8] = b"; This is a ";

/// The largest private key file that is believed, in bytes.
const PRIVATE_MAX: usize = 64 << 10;
/// The longest value of it: RSA of 16,384 bits in base64.
const VALUE_MAX: usize = 8 << 10;

impl Format for Dnssec {
    fn name(&self) -> &'static str {
        "dnssec"
    }

    fn signatures(&self) -> &'static [Signature] {
        const {
            &[
                Signature::anywhere(PRIVATE, Clue::Word),
                Signature::anywhere(RECORD, Clue::Word),
                Signature::at_start(0, COMMENT, Clue::Word),
            ]
        }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let text = candidate.bytes.get(candidate.at..).unwrap_or_default();
        if text.starts_with(PRIVATE) {
            self.private(candidate)
        } else if text.starts_with(RECORD) {
            self.record(candidate, candidate.at)
        } else if text.starts_with(COMMENT) && candidate.at_start && candidate.at == 0 {
            self.after_comment(candidate)
        } else {
            Reading::NotMine
        }
    }
}

impl Dnssec {
    /// A `K*.key` file with a KEY record, whose word is too common to be searched for.
    fn after_comment(&self, candidate: &Candidate<'_>) -> Reading {
        let near = candidate.bytes.get(..4096).unwrap_or(candidate.bytes);
        let mut lines = Lines::new(near, 0, false);
        while let Some((start, line)) = lines.next() {
            if line.is_empty() || line.starts_with(b";") {
                continue;
            }
            let word = memchr::memmem::find(line, b" KEY ");
            return match word.or_else(|| memchr::memmem::find(line, b"\tKEY ")) {
                Some(at) => self.record(candidate, start + at + 1),
                None => Reading::NotMine,
            };
        }
        Reading::NotMine
    }

    fn record(&self, candidate: &Candidate<'_>, at: usize) -> Reading {
        let record = match dns::record(candidate, at) {
            Ok(record) => record,
            Err(reading) => return reading,
        };
        let fault = |detail: &str| {
            Reading::Found(Found {
                faults: vec![Fault {
                    reason: GapReason::Malformed,
                    offset: record.start,
                    detail: format!("DNSKEY record: {detail}"),
                }],
                end: record.end,
                ..Found::default()
            })
        };
        let Some(key) = base64_text::decode(&record.digits).filter(|key| !key.is_empty()) else {
            return fault("its key is not base64");
        };
        let Some(material) = public(record.algorithm, &key) else {
            return fault("its key is not one of its algorithm");
        };
        let mut artifact = Artifact::new(Kind::PublicKey, self.name(), Encoding::Text, material);
        if matches!(artifact.key, KeyMaterial::Unknown) {
            artifact.algorithm = Some(format!("DNSSEC algorithm {}", record.algorithm).into());
        }
        artifact.alias = Some(alias(&record, &key));
        if record.flags & 1 == 1 {
            artifact.notes.push("key-signing key (SEP)".into());
        }
        if record.flags & 0x80 == 0x80 && record.flags & 0x100 == 0x100 {
            artifact.notes.push("revoked (RFC 5011)".into());
        }
        artifact.offset = record.start;
        Reading::Found(Found {
            artifacts: vec![artifact],
            end: record.end,
            ..Found::default()
        })
    }

    fn private(&self, candidate: &Candidate<'_>) -> Reading {
        let start = candidate.at;
        let limit = candidate.bytes.len().min(start.saturating_add(PRIVATE_MAX));
        let block = candidate.bytes.get(start..limit).unwrap_or_default();
        let tail = block.get(PRIVATE.len()..).unwrap_or_default();
        let digits = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        let escaped = match Lines::ending(tail.get(digits..).unwrap_or_default()) {
            super::wire::text_lines::Ending::Plain => false,
            super::wire::text_lines::Ending::Escaped => true,
            super::wire::text_lines::Ending::Cut if !candidate.at_end => {
                return Reading::NeedMore { from: start };
            }
            _ => return Reading::NotMine,
        };
        let mut lines = Lines::new(block, 0, escaped);
        lines.next();
        let mut file = PrivateFile::default();
        let mut end = PRIVATE.len() + digits;
        while let Some((at, line)) = lines.next() {
            if line.is_empty() {
                continue;
            }
            let Some((name, value)) = field(line) else {
                break;
            };
            if !file.take(name, value) {
                break;
            }
            end = at + line.len();
        }
        if lines.is_at_end() && !candidate.at_end && limit == candidate.bytes.len() {
            return Reading::NeedMore { from: start };
        }
        let mut found = Found {
            end: start + end,
            ..Found::default()
        };
        match file.artifact(self.name(), candidate) {
            Ok(Some(artifact)) => found.artifacts.push(artifact),
            Ok(None) => return Reading::NotMine,
            Err(detail) => {
                let cut = start + end >= candidate.bytes.trim_ascii_end().len();
                found.faults.push(Fault {
                    reason: if cut && file.fields < file.wanted() {
                        GapReason::Truncated
                    } else {
                        GapReason::Malformed
                    },
                    offset: start,
                    detail: format!("DNSSEC private key: {detail}"),
                });
            }
        }
        Reading::Found(found)
    }
}

/// Owner and key tag, as `example.com. 12345`.
fn alias(record: &Record<'_>, key: &[u8]) -> String {
    let tag = record.key_tag(key);
    match std::str::from_utf8(record.owner) {
        Ok(owner) if !owner.is_empty() => format!("{owner} {tag}"),
        _ => tag.to_string(),
    }
}

/// The same from the name of a file, `Kexample.com.+013+12345.private`.
fn alias_of_file(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?.strip_prefix('K')?;
    let name = name.strip_suffix(".private")?;
    let (rest, tag) = name.rsplit_once('+')?;
    let (owner, algorithm) = rest.rsplit_once('+')?;
    let tag: u16 = tag.parse().ok()?;
    (algorithm.len() == 3).then(|| format!("{owner} {tag}"))
}

/// `Name: value` of a private key file.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().take(32).position(|b| *b == b':')?;
    let name = line.get(..colon)?;
    let value = line.get(colon + 1..)?.trim_ascii();
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'(' | b')');
    (name.iter().all(word) && value.len() <= VALUE_MAX).then_some((name, value))
}

/// What stands in a private key file.
#[derive(Default)]
struct PrivateFile {
    algorithm: Option<u8>,
    created: Option<jiff::Timestamp>,
    /// Values by name, decoded.
    values: Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    on_token: bool,
    broken: bool,
    fields: usize,
}

impl PrivateFile {
    /// Takes one field; false if it is none of such a file.
    fn take(&mut self, name: &[u8], value: &[u8]) -> bool {
        match name {
            b"Algorithm" => {
                let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
                let number = value
                    .get(..digits)
                    .and_then(|d| std::str::from_utf8(d).ok());
                self.algorithm = number.and_then(|text| text.parse().ok());
                self.broken |= self.algorithm.is_none();
            }
            b"Created" => {
                let text = std::str::from_utf8(value).unwrap_or_default();
                let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", text);
                let utc = |time| jiff::tz::Offset::UTC.to_timestamp(time).ok();
                self.created = time.ok().and_then(utc);
            }
            b"Engine" | b"Label" => self.on_token = true,
            b"Publish" | b"Activate" | b"Revoke" | b"Inactive" | b"Delete" | b"DSPublish"
            | b"SyncPublish" | b"SyncDelete" | b"DNSKEYChange" | b"ZRRSIGChange"
            | b"KRRSIGChange" | b"DSChange" | b"DSRemoved" => {}
            b"Modulus" | b"PublicExponent" | b"PrivateExponent" | b"Prime1" | b"Prime2"
            | b"Exponent1" | b"Exponent2" | b"Coefficient" | b"PrivateKey" | b"Key" | b"Bits"
            | b"Prime(p)" | b"Subprime(q)" | b"Base(g)" | b"Private_value(x)"
            | b"Public_value(y)" => {
                self.fields += 1;
                match base64_text::decode(value) {
                    Some(decoded) if !decoded.is_empty() => {
                        self.values.push((name.to_vec(), decoded));
                    }
                    _ => self.broken = true,
                }
            }
            _ => return false,
        }
        true
    }

    fn value(&self, wanted: &[u8]) -> Option<&[u8]> {
        let found = self.values.iter().find(|(name, _)| name == wanted)?;
        Some(found.1.as_slice())
    }

    /// How many values a whole file of the algorithm has.
    const fn wanted(&self) -> usize {
        match self.algorithm {
            None => usize::MAX,
            Some(1 | 5 | 7 | 8 | 10) => 8,
            Some(3 | 6) => 5,
            Some(_) => 1,
        }
    }

    /// The key, nothing if it is a mention, or what was expected.
    fn artifact(
        &self,
        format: &'static str,
        candidate: &Candidate<'_>,
    ) -> Result<Option<Artifact>, &'static str> {
        let Some(algorithm) = self.algorithm else {
            return if self.fields == 0 && !self.broken {
                Ok(None)
            } else {
                Err("no number of an algorithm")
            };
        };
        if self.broken {
            return Err("a value is not base64");
        }
        let value = |name: &[u8]| self.value(name).ok_or("a value is missing");
        let number = |name: &[u8]| value(name).map(|bytes| der::trim_zeros(bytes).to_vec());
        if self.fields < self.wanted() && !self.on_token {
            return Err("a value is missing");
        }
        let mut kind = Kind::PrivateKey;
        let mut name = None;
        let mut bits = None;
        let key = match algorithm {
            1 | 5 | 7 | 8 | 10 => KeyMaterial::Rsa {
                n: number(b"Modulus")?,
                e: number(b"PublicExponent")?,
            },
            3 | 6 => KeyMaterial::Dsa {
                p: number(b"Prime(p)")?,
                q: number(b"Subprime(q)")?,
                g: number(b"Base(g)")?,
                y: number(b"Public_value(y)")?,
            },
            _ if self.on_token => KeyMaterial::Unknown,
            13 | 14 => {
                let (curve, length) = curve(algorithm).ok_or("an unknown curve")?;
                let scalar = value(b"PrivateKey")?;
                if scalar.len() > length {
                    return Err("a number of another length");
                }
                KeyMaterial::Private(PrivateNumbers::Ec {
                    parameters: der::encode(der::OID, &[curve]),
                    scalar: Secret::copy_of(scalar),
                })
            }
            15 | 16 => {
                let (oid, length) = edwards(algorithm).ok_or("an unknown curve")?;
                let private = value(b"PrivateKey")?;
                if private.len() != length {
                    return Err("a number of another length");
                }
                KeyMaterial::Private(PrivateNumbers::Raw {
                    oid: oid.to_vec(),
                    private: Secret::copy_of(private),
                })
            }
            // BIND's own numbers of HMAC keys (dst.h).
            157 | 161..=165 => {
                let key = value(b"Key")?;
                kind = Kind::SymmetricKey;
                name = Some(hmac_name(algorithm).into());
                bits = u32::try_from(key.len()).ok().and_then(|n| n.checked_mul(8));
                KeyMaterial::Symmetric(Secret::copy_of(key))
            }
            other => {
                name = Some(format!("DNSSEC algorithm {other}").into());
                KeyMaterial::Unknown
            }
        };
        let mut artifact = Artifact::new(kind, format, Encoding::Text, key);
        artifact.algorithm = name;
        artifact.bits = bits;
        artifact.protection = Some(Protection::None);
        artifact.created = self.created;
        artifact.alias = alias_of_file(candidate.file_name);
        artifact.offset = candidate.at;
        if self.on_token {
            artifact
                .notes
                .push("the private number is on a token".into());
        }
        Ok(Some(artifact))
    }
}

const fn hmac_name(algorithm: u8) -> &'static str {
    match algorithm {
        157 => "HMAC-MD5",
        161 => "HMAC-SHA1",
        162 => "HMAC-SHA224",
        163 => "HMAC-SHA256",
        164 => "HMAC-SHA384",
        _ => "HMAC-SHA512",
    }
}

/// Curve and length of a number (RFC 6605, section 4).
fn curve(algorithm: u8) -> Option<(&'static [u8], usize)> {
    let name = if algorithm == 13 { "P-256" } else { "P-384" };
    let curve = curves::PRIME.iter().find(|curve| curve.name == name)?;
    Some((curve.oid, curve.field_bytes()))
}

/// Algorithm and length of a key (RFC 8080, section 3).
const fn edwards(algorithm: u8) -> Option<(&'static [u8], usize)> {
    match algorithm {
        15 => Some((oid::ED25519, 32)),
        16 => Some((oid::ED448, 57)),
        _ => None,
    }
}

/// The key of a record.
fn public(algorithm: u8, key: &[u8]) -> Option<KeyMaterial> {
    match algorithm {
        1 | 5 | 7 | 8 | 10 => {
            // RFC 3110, section 2: the exponent's length, in one octet or, behind a zero, in two.
            let (length, rest) = match key {
                [0, high, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
                [length, rest @ ..] => (usize::from(*length), rest),
                [] => return None,
            };
            let (e, n) = rest.split_at_checked(length)?;
            let (e, n) = (der::trim_zeros(e), der::trim_zeros(n));
            (!e.is_empty() && n.len() >= 64 && n.len() <= 2048).then(|| KeyMaterial::Rsa {
                n: n.to_vec(),
                e: e.to_vec(),
            })
        }
        3 | 6 => {
            // RFC 2536, section 2.
            let (t, rest) = key.split_first()?;
            let length = 64 + 8 * usize::from(*t).min(8);
            let (q, rest) = rest.split_at_checked(20)?;
            let (p, rest) = rest.split_at_checked(length)?;
            let (g, y) = rest.split_at_checked(length)?;
            (y.len() == length).then(|| KeyMaterial::Dsa {
                p: p.to_vec(),
                q: q.to_vec(),
                g: g.to_vec(),
                y: y.to_vec(),
            })
        }
        13 | 14 => {
            let (oid, length) = curve(algorithm)?;
            (key.len() == 2 * length).then(|| KeyMaterial::Ec {
                parameters: der::encode(der::OID, &[oid]),
                point: [&[4], key].concat(),
            })
        }
        15 | 16 => {
            let (oid, length) = edwards(algorithm)?;
            (key.len() == length).then(|| KeyMaterial::Raw {
                oid: oid.to_vec(),
                public: key.to_vec(),
            })
        }
        _ => Some(KeyMaterial::Unknown),
    }
}
