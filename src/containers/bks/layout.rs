//! The frame of a store: what stands where, without any password.

use crate::formats::wire::java::{self, Cut, Input};
use jiff::Timestamp;

/// Length of the code that ends a store: HMAC-SHA1, or SHA-1 inside an UBER.
pub(super) const DIGEST: usize = 20;

const END: u8 = 0;
const CERTIFICATE: u8 = 1;
const KEY: u8 = 2;
const SECRET: u8 = 3;
const SEALED: u8 = 4;

/// The year 2200, in milliseconds: no entry is younger.
const LATEST: i64 = 7_258_118_400_000;
/// The most iterations that the provider takes.
const ITERATIONS_MAX: u32 = 65_536;

/// What a store begins with.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) version: u32,
    pub(super) salt: &'a [u8],
    pub(super) iterations: u32,
    pub(super) length: usize,
}

impl<'a> Header<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut input = Input::new(bytes, 0);
        let version = input.u32().ok()?;
        let salt = input.counted().ok()?;
        let iterations = input.u32().ok()?;
        (1..=ITERATIONS_MAX).contains(&iterations).then_some(Self {
            version,
            salt,
            iterations,
            length: input.at(),
        })
    }

    /// Whether the salt can be one: few bytes in it are alike.
    pub(super) fn is_random(&self) -> bool {
        2 * distinct(self.salt) > self.salt.len()
    }
}

/// Whether bytes can be a ciphertext: of as many as there are, many are different.
pub(super) fn looks_random(bytes: &[u8]) -> bool {
    let first = bytes.get(..256).unwrap_or(bytes);
    first.len() >= 16 && 3 * distinct(first) > first.len()
}

fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

/// The entries of a store, and what follows them.
#[derive(Debug)]
pub(super) struct Body<'a> {
    /// From the first entry to the byte that ends them.
    pub(super) content: &'a [u8],
    /// What follows, if reading came so far.
    pub(super) digest: Option<&'a [u8]>,
    pub(super) items: Vec<Item<'a>>,
    pub(super) stop: Stop,
    /// Where reading stopped.
    pub(super) end: usize,
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Behind the digest.
    Whole,
    /// With the bytes, within a field.
    Cut {
        /// Where that field would end.
        needed: usize,
    },
    /// At what cannot be.
    Malformed(&'static str),
}

impl From<Cut> for Stop {
    fn from(cut: Cut) -> Self {
        Self::Cut { needed: cut.needed }
    }
}

/// A part of an entry.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) alias: String,
    pub(super) created: Option<Timestamp>,
    pub(super) offset: usize,
    pub(super) what: What<'a>,
}

/// What a part of an entry is.
#[derive(Debug)]
pub(super) enum What<'a> {
    /// A certificate of the chain of the key that follows.
    Chain(Certificate<'a>),
    /// A certificate that the store's owner trusts.
    Trusted(Certificate<'a>),
    /// A key in clear.
    Clear(Encoded<'a>),
    /// A key as its owner handed it over, in whatever form.
    Foreign(&'a [u8]),
    /// A sealed key: salt, iterations and what is encrypted.
    Sealed {
        bytes: &'a [u8],
        /// Private keys have a chain; secret keys have none.
        chained: bool,
    },
}

/// A certificate as the store has it.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    /// Its type: `X.509`.
    pub(super) kind: &'a [u8],
    pub(super) bytes: &'a [u8],
}

impl<'a> Certificate<'a> {
    fn read(input: &mut Input<'a>) -> Result<Self, Cut> {
        let kind = input.utf()?;
        let bytes = input.counted()?;
        Ok(Self { kind, bytes })
    }
}

/// A key as the store encodes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoded<'a> {
    pub(super) kind: KeyKind,
    /// The algorithm, as Java names it.
    pub(super) algorithm: &'a [u8],
    pub(super) bytes: &'a [u8],
    /// Where `bytes` begin.
    pub(super) at: usize,
}

/// What an encoded key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// PKCS#8.
    Private,
    /// SubjectPublicKeyInfo.
    Public,
    /// The bytes alone.
    Secret,
}

impl<'a> Encoded<'a> {
    /// Reads one; the format must be that of its kind.
    pub(super) fn read(input: &mut Input<'a>) -> Result<Self, Stop> {
        let kind = input.u8()?;
        let format = input.utf()?;
        let algorithm = input.utf()?;
        let bytes = input.counted()?;
        let kind = match (kind, format) {
            (0, b"PKCS#8" | b"PKCS8") => KeyKind::Private,
            (1, b"X.509" | b"X509") => KeyKind::Public,
            (2, b"RAW") => KeyKind::Secret,
            _ => return Err(Stop::Malformed("a key in no known form")),
        };
        Ok(Self {
            kind,
            algorithm,
            bytes,
            at: input.at() - bytes.len(),
        })
    }
}

impl<'a> Body<'a> {
    /// Walks the entries from a place on; nothing if the first cannot be one.
    pub(super) fn read(bytes: &'a [u8], at: usize) -> Option<Self> {
        if !begins(bytes, at) {
            return None;
        }
        let mut input = Input::new(bytes, at);
        let mut body = Self {
            content: bytes.get(at..)?,
            digest: None,
            items: Vec::new(),
            stop: Stop::Whole,
            end: at,
        };
        if let Err(stop) = body.walk(bytes, &mut input) {
            body.stop = stop;
        }
        Some(body)
    }

    fn walk(&mut self, bytes: &'a [u8], input: &mut Input<'a>) -> Result<(), Stop> {
        let start = input.at();
        loop {
            let kind = input.u8()?;
            if kind == END {
                break;
            }
            if kind > SEALED {
                return Err(Stop::Malformed("an entry of no known kind"));
            }
            self.entry(kind, input)?;
            self.end = input.at();
        }
        self.content = bytes.get(start..input.at()).unwrap_or_default();
        self.digest = Some(input.take(DIGEST)?);
        self.end = input.at();
        Ok(())
    }

    fn entry(&mut self, kind: u8, input: &mut Input<'a>) -> Result<(), Stop> {
        let alias = java::text(input.utf()?);
        let created = input.date()?;
        let items = &mut self.items;
        let mut push = |offset, what| {
            items.push(Item {
                alias: alias.clone(),
                created,
                offset,
                what,
            });
        };
        let chain = input.u32()?;
        for _ in 0..chain {
            let certificate = Certificate::read(input)?;
            push(
                input.at() - certificate.bytes.len(),
                What::Chain(certificate),
            );
        }
        match kind {
            CERTIFICATE => {
                let certificate = Certificate::read(input)?;
                push(
                    input.at() - certificate.bytes.len(),
                    What::Trusted(certificate),
                );
            }
            KEY => {
                let key = Encoded::read(input)?;
                push(key.at, What::Clear(key));
            }
            SECRET => {
                let bytes = input.counted()?;
                push(input.at() - bytes.len(), What::Foreign(bytes));
            }
            _ => {
                let bytes = input.counted()?;
                let chained = chain > 0;
                push(input.at() - bytes.len(), What::Sealed { bytes, chained });
            }
        }
        Ok(())
    }
}

/// Whether the first entry can be one: a known kind, text, and a date that is not far off. An empty store ends with its
/// digest.
fn begins(bytes: &[u8], at: usize) -> bool {
    let mut input = Input::new(bytes, at);
    let Ok(kind) = input.u8() else {
        return false;
    };
    if kind == END {
        return input.rest().len() == DIGEST;
    }
    let mut plausible = || {
        let alias = input.utf().ok()?;
        let date = input.i64().ok()?;
        Some(alias.iter().all(|b| *b != 0) && (0..LATEST).contains(&date))
    };
    kind <= SEALED && plausible().unwrap_or(false)
}
