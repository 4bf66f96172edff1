//! Key packets: version, time, algorithm, public numbers, fingerprint (RFC 9580, section 5.5; RFC 4880, section
//! 5.5.2; LibrePGP for version 5).

use super::{curve, keygrip};
use crate::formats::wire::der::trim_zeros;
use crate::formats::wire::oid;
use crate::model::{KeyMaterial, Sha1Hex};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write as _;

/// What a key packet holds but for its secret part.
#[derive(Debug)]
pub struct Key<'a> {
    /// 2 to 6.
    pub version: u8,
    /// Seconds since 1970.
    pub created: u32,
    /// Days until its end, in packets of version 2 and 3; 0 is none.
    pub days: u16,
    /// The algorithm's number (RFC 9580, section 9.1).
    pub algorithm: u8,
    /// What identity comes from.
    pub material: KeyMaterial,
    /// The algorithm, where the material does not tell it.
    pub name: Option<Cow<'static, str>>,
    /// The size in bits, where the material does not tell it.
    pub bits: Option<u32>,
    /// libgcrypt's keygrip, where the material does not tell it.
    pub keygrip: Option<Sha1Hex>,
    /// Upper-case hexadecimal; none for what has numbers of an unknown form and a secret part behind them.
    pub fingerprint: Option<String>,
    /// What follows the public part.
    pub rest: &'a [u8],
    /// Whether every number is written as the standard wants it: no chance bytes are.
    pub is_exact: bool,
}

/// Why a key packet could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Ends before its numbers do.
    #[error("a key packet ends before its numbers do")]
    Short,
    /// A version that nobody defined.
    #[error("a key packet of version {0}")]
    Version(u8),
}

impl<'a> Key<'a> {
    /// Reads the body of a key packet; `secret` tells whether a secret part follows.
    pub fn read(body: &'a [u8], secret: bool) -> Result<Self, KeyError> {
        let mut reader = Reader::new(body);
        let version = reader.octet()?;
        if !(2..=6).contains(&version) {
            return Err(KeyError::Version(version));
        }
        let created = reader.u32()?;
        let days = if version < 4 { reader.u16()? } else { 0 };
        let algorithm = reader.octet()?;
        // The length of the numbers stands only in later versions.
        let counted = match version {
            5 | 6 => {
                let length = usize::try_from(reader.u32()?).map_err(|_| KeyError::Short)?;
                Some(reader.take(length)?)
            }
            _ => None,
        };
        let mut numbers = counted.map_or_else(|| reader.clone(), Reader::new);
        let found = Numbers::read(algorithm, &mut numbers)?;
        let unbounded = matches!(found, Numbers::Unknown) && counted.is_none() && secret;
        if counted.is_none() {
            reader = match found {
                Numbers::Unknown => Reader::new(&[]),
                _ => numbers.clone(),
            };
        }
        let rest = reader.bytes;
        let public = body
            .get(..body.len().saturating_sub(rest.len()))
            .unwrap_or_default();
        let fingerprint = match (&found, version) {
            _ if unbounded => None,
            (Numbers::Rsa { n, e }, 2 | 3) => Some(upper(&digest::<Md5>(&[n, e]))),
            (_, 2 | 3) => None,
            (_, 4) => {
                let length = u16::try_from(public.len()).map_err(|_| KeyError::Short)?;
                let head = [&[0x99][..], &length.to_be_bytes()].concat();
                Some(upper(&digest::<Sha1>(&[&head, public])))
            }
            _ => {
                let length = u32::try_from(public.len()).map_err(|_| KeyError::Short)?;
                let first = if version == 5 { 0x9a } else { 0x9b };
                let head = [&[first][..], &length.to_be_bytes()].concat();
                Some(upper(&digest::<Sha256>(&[&head, public])))
            }
        };
        let left_over = counted.is_some() && !numbers.bytes.is_empty();
        let is_exact = numbers.is_exact && found.is_plausible() && !left_over;
        let (name, bits) = found.told(algorithm);
        let keygrip = match &found {
            Numbers::ElGamal { p, g, y } => {
                Some(keygrip::of_numbers(&[('p', p), ('g', g), ('y', y)]))
            }
            _ => None,
        };
        Ok(Self {
            version,
            created,
            days,
            algorithm,
            material: found.material(fingerprint.as_deref()),
            name,
            bits,
            keygrip,
            fingerprint,
            rest,
            is_exact,
        })
    }

    /// The key id: the last octets of an old fingerprint, the first of a later one; of the modulus before version 4.
    pub fn key_id(&self) -> Option<String> {
        let print = self.fingerprint.as_deref()?;
        match (&self.material, self.version) {
            (KeyMaterial::Rsa { n, .. }, 2 | 3) => Some(upper(n.get(n.len().checked_sub(8)?..)?)),
            (_, 4) => print.get(24..).map(str::to_owned),
            _ => print.get(..16).map(str::to_owned),
        }
    }
}

/// The numbers of a public key, without leading zeros.
enum Numbers<'a> {
    Rsa {
        n: &'a [u8],
        e: &'a [u8],
    },
    Dsa {
        p: &'a [u8],
        q: &'a [u8],
        g: &'a [u8],
        y: &'a [u8],
    },
    ElGamal {
        p: &'a [u8],
        g: &'a [u8],
        y: &'a [u8],
    },
    Point {
        curve: &'a [u8],
        point: &'a [u8],
    },
    Raw {
        oid: &'static [u8],
        key: &'a [u8],
    },
    Unknown,
}

impl<'a> Numbers<'a> {
    /// RFC 9580, section 5.5.5.
    fn read(algorithm: u8, reader: &mut Reader<'a>) -> Result<Self, KeyError> {
        Ok(match algorithm {
            1..=3 => Self::Rsa {
                n: reader.mpi(true)?,
                e: reader.mpi(true)?,
            },
            17 => Self::Dsa {
                p: reader.mpi(true)?,
                q: reader.mpi(true)?,
                g: reader.mpi(true)?,
                y: reader.mpi(true)?,
            },
            16 | 20 => Self::ElGamal {
                p: reader.mpi(true)?,
                g: reader.mpi(true)?,
                y: reader.mpi(true)?,
            },
            18 | 19 | 22 => {
                let curve = reader.counted()?;
                let point = reader.mpi(!curve::is_bare(curve))?;
                if algorithm == 18 {
                    // The key derivation function and the cipher for the session key.
                    let derivation = reader.counted()?;
                    reader.is_exact &= derivation.first() == Some(&1);
                }
                Self::Point { curve, point }
            }
            25 => Self::raw(oid::X25519, 32, reader)?,
            26 => Self::raw(oid::X448, 56, reader)?,
            27 => Self::raw(oid::ED25519, 32, reader)?,
            28 => Self::raw(oid::ED448, 57, reader)?,
            _ => {
                reader.take(reader.bytes.len())?;
                Self::Unknown
            }
        })
    }

    fn raw(oid: &'static [u8], length: usize, reader: &mut Reader<'a>) -> Result<Self, KeyError> {
        Ok(Self::Raw {
            oid,
            key: reader.take(length)?,
        })
    }

    /// Whether chance bytes are ruled out.
    fn is_plausible(&self) -> bool {
        let odd = |number: &[u8]| number.last().is_some_and(|b| b & 1 == 1);
        match self {
            Self::Rsa { n, e } => n.len() >= 64 && odd(n) && odd(e) && e.len() <= 32,
            Self::Dsa { p, q, g, y } => {
                p.len() >= 64
                    && odd(p)
                    && odd(q)
                    && q.len() >= 20
                    && q.len() < p.len()
                    && g.len() <= p.len()
                    && y.len() <= p.len()
            }
            Self::ElGamal { p, g, y } => {
                p.len() >= 64 && odd(p) && g.len() <= p.len() && y.len() <= p.len()
            }
            Self::Point { curve, point } => {
                curve::is_known(curve)
                    && (curve::is_bare(curve) || matches!(point.first(), Some(4 | 0x40)))
            }
            Self::Raw { .. } => true,
            Self::Unknown => false,
        }
    }

    fn told(&self, algorithm: u8) -> (Option<Cow<'static, str>>, Option<u32>) {
        match self {
            Self::ElGamal { p, .. } => (Some("ElGamal".into()), Some(bit_length(p))),
            Self::Unknown => (Some(format!("OpenPGP algorithm {algorithm}").into()), None),
            _ => (None, None),
        }
    }

    fn material(&self, fingerprint: Option<&str>) -> KeyMaterial {
        match self {
            Self::Rsa { n, e } => KeyMaterial::Rsa {
                n: n.to_vec(),
                e: e.to_vec(),
            },
            Self::Dsa { p, q, g, y } => KeyMaterial::Dsa {
                p: p.to_vec(),
                q: q.to_vec(),
                g: g.to_vec(),
                y: y.to_vec(),
            },
            Self::Point { curve, point } => curve::point(curve, point),
            Self::Raw { oid, key } => KeyMaterial::Raw {
                oid: oid.to_vec(),
                public: key.to_vec(),
            },
            Self::ElGamal { .. } | Self::Unknown => fingerprint
                .map_or(KeyMaterial::Unknown, |print| {
                    KeyMaterial::Pgp(print.to_owned())
                }),
        }
    }
}

/// Reads fields from the front.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    /// What is left.
    pub(super) bytes: &'a [u8],
    /// Whether every number so far has the length that it says.
    is_exact: bool,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            is_exact: true,
        }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], KeyError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(KeyError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn octet(&mut self) -> Result<u8, KeyError> {
        let (first, rest) = self.bytes.split_first().ok_or(KeyError::Short)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(super) fn u16(&mut self) -> Result<u16, KeyError> {
        let (first, rest) = self.bytes.split_first_chunk().ok_or(KeyError::Short)?;
        self.bytes = rest;
        Ok(u16::from_be_bytes(*first))
    }

    pub(super) fn u32(&mut self) -> Result<u32, KeyError> {
        let (first, rest) = self.bytes.split_first_chunk().ok_or(KeyError::Short)?;
        self.bytes = rest;
        Ok(u32::from_be_bytes(*first))
    }

    /// Octets behind their count in one octet.
    pub(super) fn counted(&mut self) -> Result<&'a [u8], KeyError> {
        let length = self.octet()?;
        self.take(usize::from(length))
    }

    /// A multiprecision integer (RFC 9580, section 3.2), without leading zeros.
    fn mpi(&mut self, exact: bool) -> Result<&'a [u8], KeyError> {
        let bits = self.u16()?;
        let bytes = self.take(usize::from(bits).div_ceil(8))?;
        self.is_exact &= !exact || (bits > 0 && bit_length(bytes) == u32::from(bits));
        Ok(trim_zeros(bytes))
    }
}

fn bit_length(number: &[u8]) -> u32 {
    let Some(first) = number.first() else {
        return 0;
    };
    let bits = u32::try_from(number.len()).map_or(u32::MAX, |n| n.saturating_mul(8));
    bits.saturating_sub(first.leading_zeros())
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().to_vec()
}

/// Upper-case hexadecimal.
pub fn upper(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}
