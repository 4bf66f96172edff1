//! The frame of a store: what stands where, without any password.

use crate::formats::wire::java::{self, Cut, Input};
use crate::formats::wire::java_object::{Object, ObjectError};
use jiff::Timestamp;

/// Length of the digest that ends a store: SHA-1.
pub(super) const DIGEST: usize = 20;

const KEY: u32 = 1;
const TRUSTED: u32 = 2;
const SECRET: u32 = 3;

/// The frame of a store.
#[derive(Debug)]
pub(super) struct Store<'a> {
    pub(super) version: u32,
    /// Everything before the digest.
    pub(super) content: &'a [u8],
    /// The digest, if reading came so far.
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
    /// A closed private key: EncryptedPrivateKeyInfo.
    Key(&'a [u8]),
    /// A certificate of the chain of the key before it.
    Chain(Certificate<'a>),
    /// A certificate that the store's owner trusts.
    Trusted(Certificate<'a>),
    /// A closed secret key: a serialised `SealedObject`.
    Secret(Object<'a>),
}

/// A certificate as the store has it.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    /// Its type, for people: `X.509`.
    pub(super) kind: &'a [u8],
    pub(super) bytes: &'a [u8],
}

impl From<Cut> for Stop {
    fn from(cut: Cut) -> Self {
        Self::Cut { needed: cut.needed }
    }
}

impl<'a> Store<'a> {
    /// Walks a store behind its magic number; nothing if there is no version that a store has.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut input = Input::new(bytes, 4);
        let version = input.u32().ok()?;
        let count = input.u32().ok()?;
        let first = Input::new(bytes, input.at()).u32();
        // Versions beyond 2 do not exist; a small number behind the magic is a store all the same.
        if version > 16 || count > 0 && first.is_ok_and(|tag| tag > 16) {
            return None;
        }
        let mut store = Self {
            version,
            content: bytes,
            digest: None,
            items: Vec::new(),
            stop: Stop::Whole,
            end: input.at(),
        };
        if let Err(stop) = store.walk(&mut input, count) {
            store.stop = stop;
        }
        Some(store)
    }

    fn walk(&mut self, input: &mut Input<'a>, count: u32) -> Result<(), Stop> {
        if !matches!(self.version, 1 | 2) {
            return Err(Stop::Malformed("neither version 1 nor 2"));
        }
        // Only as many turns as there are bytes: each entry has at least 14.
        for _ in 0..count {
            let tag = input.u32()?;
            if !matches!(tag, KEY | TRUSTED | SECRET) {
                return Err(Stop::Malformed("an entry of no known kind"));
            }
            let alias = java::text(input.utf()?);
            let created = input.date()?;
            let mut push = |offset, what| {
                self.items.push(Item {
                    alias: alias.clone(),
                    created,
                    offset,
                    what,
                });
            };
            match tag {
                KEY => {
                    let key = input.counted()?;
                    push(input.at() - key.len(), What::Key(key));
                    for _ in 0..input.u32()? {
                        let certificate = Certificate::read(input, self.version)?;
                        let offset = input.at() - certificate.bytes.len();
                        push(offset, What::Chain(certificate));
                    }
                }
                TRUSTED => {
                    let certificate = Certificate::read(input, self.version)?;
                    let offset = input.at() - certificate.bytes.len();
                    push(offset, What::Trusted(certificate));
                }
                _ => {
                    let offset = input.at();
                    let (object, end) =
                        Object::read(self.content, offset).map_err(|e| match e {
                            ObjectError::Cut(cut) => cut.into(),
                            ObjectError::Malformed => {
                                Stop::Malformed("a secret key is not sealed as Java does")
                            }
                        })?;
                    *input = Input::new(self.content, end);
                    push(offset, What::Secret(object));
                }
            }
            self.end = input.at();
        }
        let content = self.content.get(..input.at()).unwrap_or_default();
        self.digest = Some(input.take(DIGEST)?);
        self.content = content;
        self.end = input.at();
        Ok(())
    }
}

impl<'a> Certificate<'a> {
    fn read(input: &mut Input<'a>, version: u32) -> Result<Self, Stop> {
        // Version 1 knew X.509 alone.
        let kind = if version == 1 {
            &b"X.509"[..]
        } else {
            input.utf()?
        };
        let bytes = input.counted()?;
        Ok(Self { kind, bytes })
    }
}
