//! Dropbear's private keys, of hosts and of users (its `gensignkey.c`, `rsa.c`, `dss.c`, `ecdsa.c`, `ed25519.c`).
//!
//! The file is the public blob of RFC 4253 with the private numbers behind it, without a magic number of its own:
//! it must be the algorithm's name, all numbers, and nothing else.

use super::wire::curves;
use super::wire::der;
use super::wire::private::is_product;
use super::wire::spki::RsaPublic;
use super::wire::ssh::{self, Reader, SshError};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind,
    PrivateNumbers, Protection, Reading, Secret,
};

/// The reader of `dropbear_*_host_key` and `id_dropbear`.
pub struct Dropbear;

/// The most bytes that one file is believed to have.
const SIZE_LIMIT: usize = 64 * 1024;

impl Format for Dropbear {
    fn name(&self) -> &'static str {
        "dropbear"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 4] = [
            Signature::at_start(0, b"\0\0\0\x07ssh-rsa\0\0\0", Clue::Magic),
            Signature::at_start(0, b"\0\0\0\x07ssh-dss\0\0\0", Clue::Magic),
            Signature::at_start(0, b"\0\0\0\x13ecdsa-sha2-nistp", Clue::Magic),
            Signature::at_start(0, b"\0\0\0\x0bssh-ed25519\0\0\0\x40", Clue::Magic),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        let begins = |s: &Signature| bytes.starts_with(s.literal);
        if candidate.at != 0 || !candidate.at_start || !self.signatures().iter().any(begins) {
            return Reading::NotMine;
        }
        if !candidate.at_end {
            return if bytes.len() < SIZE_LIMIT {
                Reading::NeedMore { from: 0 }
            } else {
                Reading::NotMine
            };
        }
        let mut found = Found {
            end: bytes.len(),
            ..Found::default()
        };
        match Numbers::read(bytes) {
            Ok(key) => {
                let mut artifact =
                    Artifact::new(Kind::PrivateKey, self.name(), Encoding::Binary, key);
                artifact.protection = Some(Protection::None);
                found.artifacts.push(artifact);
            }
            // A public blob ends where the private numbers begin, and others' files begin like one.
            Err(Stop::Other) => return Reading::NotMine,
            Err(Stop::Cut) => found.faults.push(Fault {
                reason: GapReason::Truncated,
                offset: 0,
                detail: "Dropbear private key: ends inside a number".to_owned(),
            }),
            Err(Stop::Bad) => found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset: 0,
                detail: "Dropbear private key: its numbers do not belong together".to_owned(),
            }),
        }
        Reading::Found(found)
    }
}

enum Stop {
    /// Not such a file.
    Other,
    /// One that ends too early.
    Cut,
    /// One whose numbers are no key.
    Bad,
}

impl From<SshError> for Stop {
    fn from(error: SshError) -> Self {
        match error {
            SshError::Truncated => Self::Cut,
            _ => Self::Other,
        }
    }
}

struct Numbers;

impl Numbers {
    fn read(bytes: &[u8]) -> Result<KeyMaterial, Stop> {
        let mut fields = Reader::new(bytes);
        let key = match ssh::algorithm_name(fields.string()?).ok_or(Stop::Other)? {
            "ssh-rsa" => {
                let e = fields.positive()?;
                if e.len() > 8 {
                    return Err(Stop::Other);
                }
                let n = fields.positive()?;
                if fields.is_empty() {
                    return Err(Stop::Other);
                }
                let _private_exponent = fields.positive()?;
                // Versions before 0.33 wrote no primes.
                let product = fields.is_empty() || {
                    let (p, q) = (fields.positive()?, fields.positive()?);
                    is_product(n, p, q)
                };
                if !product || !(RsaPublic { n, e }).is_acceptable(true) {
                    return Err(Stop::Bad);
                }
                KeyMaterial::Rsa {
                    n: n.to_vec(),
                    e: e.to_vec(),
                }
            }
            "ssh-dss" => {
                let mut next = || fields.positive().map(<[u8]>::to_vec);
                let (p, q, g, y) = (next()?, next()?, next()?, next()?);
                if fields.is_empty() {
                    return Err(Stop::Other);
                }
                let x = fields.positive()?;
                if !(64..=2048).contains(&p.len()) || x.len() > q.len() || q.len() > 64 {
                    return Err(Stop::Bad);
                }
                KeyMaterial::Dsa { p, q, g, y }
            }
            name @ ("ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521") => {
                let curve = fields.string()?;
                if !name.as_bytes().ends_with(curve) || curve.len() != 8 {
                    return Err(Stop::Other);
                }
                let point = fields.string()?;
                if fields.is_empty() {
                    return Err(Stop::Other);
                }
                let scalar = fields.positive()?;
                let usual = match curve {
                    b"nistp256" => "P-256",
                    b"nistp384" => "P-384",
                    _ => "P-521",
                };
                let curve = curves::PRIME.iter().find(|c| c.name == usual);
                let curve = curve.ok_or(Stop::Other)?;
                let field = curve.field_bytes();
                let form = point.first().copied().unwrap_or(0);
                if !curves::is_point(form, point.len(), field) || scalar.len() > field {
                    return Err(Stop::Bad);
                }
                KeyMaterial::Ec {
                    parameters: der::encode(der::OID, &[curve.oid]),
                    point: point.to_vec(),
                }
            }
            "ssh-ed25519" => {
                let both = fields.string()?;
                let seed = both.get(..32).ok_or(Stop::Other)?;
                KeyMaterial::Private(PrivateNumbers::Raw {
                    oid: super::wire::oid::ED25519.to_vec(),
                    private: Secret::copy_of(seed),
                })
            }
            _ => return Err(Stop::Other),
        };
        if fields.is_empty() {
            Ok(key)
        } else {
            Err(Stop::Other)
        }
    }
}
