//! The ASN.1 of a store, as far as it goes without a password and behind one (Bouncy Castle, `org.bouncycastle.asn1.bc` as
//! documentation).

use crate::formats::wire::der::{self, DerError, Element};
use crate::formats::wire::oid;
use crate::formats::wire::spki::Algorithm;
use crate::formats::wire::time;
use jiff::Timestamp;

const UTF8_STRING: u8 = 0x0c;
/// How many entries a store is believed to have.
const ENTRIES_MAX: usize = 20_000;
/// How many certificates a chain is believed to have.
const CHAIN_MAX: usize = 100;

/// ObjectStore ::= SEQUENCE { CHOICE { EncryptedObjectStoreData, ObjectStoreData }, ObjectStoreIntegrityCheck }
pub(super) struct ObjectStore<'a> {
    pub(super) data: StoreData<'a>,
    /// What the integrity check is computed over.
    pub(super) checked: &'a [u8],
    pub(super) integrity: Integrity<'a>,
}

/// The contents of a store.
pub(super) enum StoreData<'a> {
    Encrypted(Encrypted<'a>),
    Clear(Contents<'a>),
}

/// An algorithm and what it encrypts: EncryptedObjectStoreData, EncryptedPrivateKeyInfo and EncryptedSecretKeyData alike.
pub(super) struct Encrypted<'a> {
    pub(super) raw: &'a [u8],
    pub(super) algorithm: Algorithm<'a>,
    pub(super) data: &'a [u8],
}

impl<'a> Encrypted<'a> {
    pub(super) fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut fields = element.enter(der::SEQUENCE)?;
        let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE)?)?;
        let data = fields.expect(der::OCTET_STRING)?.content;
        fields.finish()?;
        if data.is_empty() {
            return Err(DerError::Contents);
        }
        let raw = element.raw;
        Ok(Self {
            raw,
            algorithm,
            data,
        })
    }
}

/// ObjectStoreIntegrityCheck ::= CHOICE { PbkdMacIntegrityCheck, [0] EXPLICIT SignatureCheck }
pub(super) enum Integrity<'a> {
    /// PbkdMacIntegrityCheck ::= SEQUENCE { macAlgorithm, pbkdAlgorithm, mac OCTET STRING }
    Mac {
        algorithm: Algorithm<'a>,
        derivation: Algorithm<'a>,
        mac: &'a [u8],
    },
    /// SignatureCheck ::= SEQUENCE { signatureAlgorithm, [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL, BIT STRING }
    Signature {
        algorithm: Algorithm<'a>,
        certificates: Vec<&'a [u8]>,
    },
}

impl<'a> Integrity<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DerError> {
        if element.tag == der::context(0) {
            let signature = Element::read_all(element.content)?;
            let mut fields = signature.enter(der::SEQUENCE)?;
            let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE)?)?;
            let certificates = match fields.optional(der::context(0))? {
                Some(explicit) => certificates(&Element::read_all(explicit.content)?)?,
                None => Vec::new(),
            };
            fields.expect(der::BIT_STRING)?;
            fields.finish()?;
            return Ok(Self::Signature {
                algorithm,
                certificates,
            });
        }
        let mut fields = element.enter(der::SEQUENCE)?;
        let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE)?)?;
        let derivation = Algorithm::read(&fields.expect(der::SEQUENCE)?)?;
        let mac = fields.expect(der::OCTET_STRING)?.content;
        fields.finish()?;
        Ok(Self::Mac {
            algorithm,
            derivation,
            mac,
        })
    }
}

impl<'a> ObjectStore<'a> {
    /// Walks the frame; an error is what has another.
    pub(super) fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut fields = element.enter(der::SEQUENCE)?;
        let data = fields.expect(der::SEQUENCE)?;
        let integrity = Integrity::read(&fields.element()?)?;
        fields.finish()?;
        let clear = data.enter(der::SEQUENCE)?.peek() == Some(der::INTEGER);
        let data_read = if clear {
            StoreData::Clear(Contents::read(&data)?)
        } else {
            let encrypted = Encrypted::read(&data)?;
            if encrypted.algorithm.oid != oid::PBES2 {
                return Err(DerError::Contents);
            }
            StoreData::Encrypted(encrypted)
        };
        Ok(Self {
            data: data_read,
            checked: data.raw,
            integrity,
        })
    }
}

/// ObjectStoreData ::= SEQUENCE { version INTEGER, integrityAlgorithm, creationDate, lastModifiedDate GeneralizedTime,
/// objectDataSequence SEQUENCE OF ObjectData, comment UTF8String OPTIONAL }
pub(super) struct Contents<'a> {
    pub(super) created: Option<Timestamp>,
    pub(super) modified: Option<Timestamp>,
    pub(super) entries: Vec<Entry<'a>>,
    /// Whether more entries follow, or one that cannot be read.
    pub(super) rest: Rest,
}

/// What follows the entries that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    Unreadable,
    TooMany,
}

impl<'a> Contents<'a> {
    pub(super) fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut fields = element.enter(der::SEQUENCE)?;
        fields.expect(der::INTEGER)?.small()?;
        Algorithm::read(&fields.expect(der::SEQUENCE)?)?;
        let created = time::instant(&fields.expect(time::GENERALIZED_TIME)?);
        let modified = time::instant(&fields.expect(time::GENERALIZED_TIME)?);
        let mut objects = fields.enter(der::SEQUENCE)?;
        fields.optional(UTF8_STRING)?;
        fields.finish()?;
        let mut entries = Vec::new();
        let mut rest = Rest::Nothing;
        while !objects.is_empty() {
            if entries.len() == ENTRIES_MAX {
                rest = Rest::TooMany;
                break;
            }
            match objects.element().and_then(|object| Entry::read(&object)) {
                Ok(entry) => entries.push(entry),
                Err(_) => {
                    rest = Rest::Unreadable;
                    break;
                }
            }
        }
        Ok(Self {
            created,
            modified,
            entries,
            rest,
        })
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Certificate,
    /// A private key that the store closed, or its owner before.
    PrivateKey,
    /// A secret key that the store closed, or its owner before.
    SecretKey,
    Unknown,
}

/// ObjectData ::= SEQUENCE { type INTEGER, identifier UTF8String, creationDate, lastModifiedDate GeneralizedTime, data OCTET
/// STRING, comment UTF8String OPTIONAL }
pub(super) struct Entry<'a> {
    pub(super) kind: Type,
    pub(super) alias: String,
    pub(super) created: Option<Timestamp>,
    pub(super) data: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut fields = element.enter(der::SEQUENCE)?;
        let kind = match fields.expect(der::INTEGER)?.small()? {
            0 => Type::Certificate,
            1 | 3 => Type::PrivateKey,
            2 | 4 => Type::SecretKey,
            _ => Type::Unknown,
        };
        let alias = fields.expect(UTF8_STRING)?.content;
        let created = time::instant(&fields.expect(time::GENERALIZED_TIME)?);
        fields.expect(time::GENERALIZED_TIME)?;
        let data = fields.expect(der::OCTET_STRING)?.content;
        fields.optional(UTF8_STRING)?;
        fields.finish()?;
        Ok(Self {
            kind,
            alias: String::from_utf8_lossy(alias).into_owned(),
            created,
            data,
        })
    }
}

/// EncryptedPrivateKeyData ::= SEQUENCE { EncryptedPrivateKeyInfo, SEQUENCE OF Certificate }
pub(super) fn private_key(data: &[u8]) -> Result<(Encrypted<'_>, Vec<&[u8]>), DerError> {
    let mut fields = Element::read_all(data)?.enter(der::SEQUENCE)?;
    let key = Encrypted::read(&fields.expect(der::SEQUENCE)?)?;
    let chain = certificates(&fields.expect(der::SEQUENCE)?)?;
    fields.finish()?;
    Ok((key, chain))
}

/// SecretKeyData ::= SEQUENCE { keyAlgorithm OBJECT IDENTIFIER, keyBytes OCTET STRING }
pub(super) fn secret_key(data: &[u8]) -> Result<(&[u8], &[u8]), DerError> {
    let mut fields = Element::read_all(data)?.enter(der::SEQUENCE)?;
    let algorithm = fields.expect(der::OID)?.content;
    let key = fields.expect(der::OCTET_STRING)?.content;
    fields.finish()?;
    Ok((algorithm, key))
}

fn certificates<'a>(list: &Element<'a>) -> Result<Vec<&'a [u8]>, DerError> {
    let mut members = list.enter(der::SEQUENCE)?;
    let mut certificates = Vec::new();
    while !members.is_empty() {
        if certificates.len() == CHAIN_MAX {
            return Err(DerError::Contents);
        }
        certificates.push(members.expect(der::SEQUENCE)?.raw);
    }
    Ok(certificates)
}

/// Where a part of these bytes stands in them.
pub(super) fn place(bytes: &[u8], part: &[u8]) -> usize {
    let place = part.as_ptr().addr().checked_sub(bytes.as_ptr().addr());
    place.filter(|at| *at <= bytes.len()).unwrap_or(0)
}
