//! Files that are a key blob of Microsoft's Cryptography API: Next Generation: BCRYPT_RSAKEY_BLOB and BCRYPT_ECCKEY_BLOB of
//! `bcrypt.h`. Lengths are little-endian, numbers big-endian. A magic number of four letters proves little, so the file
//! must be the blob and nothing else.

use super::wire::capi::word;
use super::wire::curves;
use super::wire::der;
use super::wire::private::is_product;
use super::wire::spki::RsaPublic;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading,
};

/// The reader of such a file.
pub struct CngBlob;

/// The largest modulus that is believed, in octets.
const MODULUS_MAX: usize = 8192;

/// Curves by their magic numbers: of an ECDH and an ECDSA public key; the private ones follow.
const CURVES: [(&[u8; 4], &[u8; 4], &str); 3] = [
    (b"ECK1", b"ECS1", "P-256"),
    (b"ECK3", b"ECS3", "P-384"),
    (b"ECK5", b"ECS5", "P-521"),
];

impl Format for CngBlob {
    fn name(&self) -> &'static str {
        "cng_blob"
    }

    fn signatures(&self) -> &'static [Signature] {
        macro_rules! magic {
            ($($literal:literal),*) => {
                const { &[$(Signature::at_start(0, $literal, Clue::Magic)),*] }
            };
        }
        magic![
            b"RSA1", b"RSA2", b"RSA3", b"ECK1", b"ECK2", b"ECK3", b"ECK4", b"ECK5", b"ECK6",
            b"ECS1", b"ECS2", b"ECS3", b"ECS4", b"ECS5", b"ECS6"
        ]
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        if candidate.at != 0 || !candidate.at_start {
            return Reading::NotMine;
        }
        let Some(frame) = Frame::read(bytes) else {
            return Reading::NotMine;
        };
        if bytes.len() > frame.size {
            return Reading::NotMine;
        }
        if !candidate.at_end {
            return Reading::NeedMore { from: 0 };
        }
        let mut found = Found {
            end: bytes.len(),
            ..Found::default()
        };
        let mut fault = |reason, what: &str| {
            found.faults.push(Fault {
                reason,
                offset: 0,
                detail: format!("CNG key blob: {what}"),
            });
        };
        if bytes.len() < frame.size {
            fault(GapReason::Truncated, "cut off");
        } else if let Some(key) = frame.key(bytes) {
            let mut artifact = Artifact::new(frame.kind, self.name(), Encoding::Binary, key);
            artifact.protection = (frame.kind == Kind::PrivateKey).then_some(Protection::None);
            found.artifacts.push(artifact);
        } else {
            fault(GapReason::Malformed, "its numbers are no key");
        }
        Reading::Found(found)
    }
}

/// What the first bytes say, where their lengths belong together.
struct Frame {
    kind: Kind,
    parts: Parts,
    /// How long the blob is.
    size: usize,
}

enum Parts {
    /// Octets of exponent, modulus and the two primes; the primes may be none.
    Rsa([usize; 4]),
    /// A curve and octets of a coordinate.
    Ec(&'static str, usize),
}

const RSA_HEADER: usize = 24;
const EC_HEADER: usize = 8;

impl Frame {
    fn read(bytes: &[u8]) -> Option<Self> {
        let magic = bytes.first_chunk::<4>()?;
        let length = |at| usize::try_from(word(bytes, at)?).ok();
        if let [b'R', b'S', b'A', sort @ b'1'..=b'3'] = magic {
            let (bits, lengths) = (
                length(4)?,
                [length(8)?, length(12)?, length(16)?, length(20)?],
            );
            let [exponent, modulus, p, q] = lengths;
            let fits = (1..=8).contains(&exponent)
                && (64..=MODULUS_MAX).contains(&modulus)
                && bits.div_ceil(8) == modulus;
            let half = modulus / 2..modulus;
            let (primes, more) = match sort {
                b'1' => (p == 0 && q == 0, 0),
                b'2' => (half.contains(&p) && half.contains(&q), p + q),
                _ => (
                    half.contains(&p) && half.contains(&q),
                    p.checked_mul(3)? + q.checked_mul(2)? + modulus,
                ),
            };
            return (fits && primes).then(|| Self {
                kind: if *sort == b'1' {
                    Kind::PublicKey
                } else {
                    Kind::PrivateKey
                },
                parts: Parts::Rsa(lengths),
                size: RSA_HEADER + exponent + modulus + more,
            });
        }
        let (curve, is_private) = CURVES.iter().find_map(|(agree, sign, name)| {
            [agree, sign].into_iter().find_map(|public| {
                let [a, b, c, number] = **public;
                let private = [a, b, c, number + 1];
                match magic {
                    _ if magic == *public => Some((*name, false)),
                    _ if *magic == private => Some((*name, true)),
                    _ => None,
                }
            })
        })?;
        let octets = curves::PRIME
            .iter()
            .find(|known| known.name == curve)?
            .field_bytes();
        (length(4)? == octets).then(|| Self {
            kind: if is_private {
                Kind::PrivateKey
            } else {
                Kind::PublicKey
            },
            parts: Parts::Ec(curve, octets),
            size: EC_HEADER + octets * if is_private { 3 } else { 2 },
        })
    }

    fn key(&self, bytes: &[u8]) -> Option<KeyMaterial> {
        match self.parts {
            Parts::Rsa([exponent, modulus, p, q]) => {
                let (e, rest) = bytes.get(RSA_HEADER..)?.split_at_checked(exponent)?;
                let (n, rest) = rest.split_at_checked(modulus)?;
                let (e, n) = (der::trim_zeros(e), der::trim_zeros(n));
                if self.kind == Kind::PrivateKey {
                    let (p, rest) = rest.split_at_checked(p)?;
                    if !is_product(n, p, rest.get(..q)?) {
                        return None;
                    }
                }
                RsaPublic { n, e }
                    .is_acceptable(true)
                    .then(|| KeyMaterial::Rsa {
                        n: n.to_vec(),
                        e: e.to_vec(),
                    })
            }
            Parts::Ec(name, octets) => {
                let curve = curves::PRIME.iter().find(|known| known.name == name)?;
                let coordinates = bytes.get(EC_HEADER..EC_HEADER + 2 * octets)?;
                let point = [&[4], coordinates].concat();
                coordinates
                    .iter()
                    .any(|octet| *octet != 0)
                    .then(|| KeyMaterial::Ec {
                        parameters: der::encode(der::OID, &[curve.oid]),
                        point,
                    })
            }
        }
    }
}
