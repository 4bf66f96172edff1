//! SafeContents and their bags (RFC 7292, section 4.2), each with its attributes.

use super::opener::Opener;
use super::pfx::octets;
use crate::formats::wire::ber;
use crate::formats::wire::der::{self, Element, Reader};
use crate::formats::wire::oid::{self, oid};
use crate::formats::wire::pbe::{self, Hash};
use crate::formats::wire::spki::Algorithm;
use crate::model::{
    Artifact, Clue, Encoding, EntryFacts, Fault, GapReason, Hex, KeyMaterial, Kind, Nested, Opened,
    Protection, Secret,
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

const KEY: &[u8] = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 1);
const SHROUDED_KEY: &[u8] = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 2);
const CERTIFICATE: &[u8] = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 3);
const CRL: &[u8] = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 4);
const SECRET: &[u8] = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 5);
const SAFE_CONTENTS: &[u8] = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 6);
const X509_CERTIFICATE: &[u8] = oid!(1, 2, 840, 113549, 1, 9, 22, 1);
const X509_CRL: &[u8] = oid!(1, 2, 840, 113549, 1, 9, 23, 1);
const FRIENDLY_NAME: &[u8] = oid!(1, 2, 840, 113549, 1, 9, 20);
const LOCAL_KEY_ID: &[u8] = oid!(1, 2, 840, 113549, 1, 9, 21);
/// Oracle's attribute of a certificate that stands for itself, with the uses that it is trusted for.
const TRUSTED_KEY_USAGE: &[u8] = oid!(2, 16, 840, 1, 113894, 746875, 1, 1);

/// How deep bags may hold bags.
const DEPTH_MAX: usize = 8;

/// The cipher that a part was closed with, and how it was opened.
type Closure = (String, Opened);

/// What the parts hold.
pub(super) struct Entries<'a> {
    opener: &'a Opener<'a>,
    encoding: Encoding,
    pub(super) nested: Vec<Nested>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) faults: Vec<Fault>,
    /// The ciphers of shrouded keys, without those of parts.
    pub(super) ciphers: Vec<String>,
    counts: [usize; 5],
}

const NAMES: [(&str, &str); 5] = [
    ("private key", "private keys"),
    ("certificate", "certificates"),
    ("revocation list", "revocation lists"),
    ("secret", "secrets"),
    ("entry of another type", "entries of other types"),
];
const KEYS: usize = 0;
const CERTIFICATES: usize = 1;
const CRLS: usize = 2;
const SECRETS: usize = 3;
const OTHERS: usize = 4;

/// Whether these octets are one BER SEQUENCE: what a wrong password makes is not.
pub(super) fn is_sequence(bytes: &[u8]) -> bool {
    ber::read(bytes).is_ok_and(|(element, rest)| element.tag == der::SEQUENCE && rest.is_empty())
}

impl<'a> Entries<'a> {
    pub(super) const fn new(opener: &'a Opener<'a>, encoding: Encoding) -> Self {
        Self {
            opener,
            encoding,
            nested: Vec::new(),
            artifacts: Vec::new(),
            faults: Vec::new(),
            ciphers: Vec::new(),
            counts: [0; 5],
        }
    }

    /// How many of each there are, in words.
    pub(super) fn tally(&self) -> String {
        let told: Vec<String> = self
            .counts
            .iter()
            .zip(NAMES)
            .filter(|(count, _)| **count > 0)
            .map(|(count, (one, many))| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        if told.is_empty() {
            "nothing seen in it".to_owned()
        } else {
            format!("seen in it: {}", told.join(", "))
        }
    }

    /// Reads the contents of one part.
    pub(super) fn read(&mut self, contents: &[u8], closure: Option<Closure>) {
        let Ok((safe, _)) = ber::to_der(contents) else {
            return self.fault("the contents of a part are neither DER nor BER");
        };
        if self.bags(&safe, closure.as_ref(), DEPTH_MAX).is_none() {
            self.fault("a bag that cannot be read");
        }
    }

    fn fault(&mut self, what: &str) {
        self.faults.push(Fault {
            reason: GapReason::Malformed,
            offset: 0,
            detail: format!("PKCS#12: {what}"),
        });
    }

    fn count(&mut self, what: usize) {
        if let Some(count) = self.counts.get_mut(what) {
            *count += 1;
        }
    }

    /// SafeContents ::= SEQUENCE OF SafeBag; SafeBag ::= SEQUENCE { bagId, [0] bagValue, bagAttributes SET OPTIONAL }
    fn bags(&mut self, safe: &[u8], closure: Option<&Closure>, depth: usize) -> Option<()> {
        let mut bags = Element::read_all(safe).ok()?.enter(der::SEQUENCE).ok()?;
        while !bags.is_empty() {
            let mut bag = bags.enter(der::SEQUENCE).ok()?;
            let kind = bag.expect(der::OID).ok()?.content;
            let value = bag.expect(der::context(0)).ok()?.content;
            if kind == SAFE_CONTENTS {
                self.bags(value, closure, depth.checked_sub(1)?)?;
                continue;
            }
            let mut entry = bag
                .optional(der::SET)
                .ok()?
                .map_or_else(EntryFacts::default, |set| attributes(&set));
            if let Some((cipher, opened)) = closure {
                entry.protection = Some(Protection::Encrypted);
                entry.cipher = Some(cipher.clone());
                entry.opened = Some(*opened);
            }
            match kind {
                KEY => {
                    self.count(KEYS);
                    self.push("PRIVATE KEY", value, entry);
                }
                SHROUDED_KEY => {
                    self.count(KEYS);
                    self.shrouded(value, entry);
                }
                CERTIFICATE | CRL => self.public(value, entry),
                SECRET => {
                    self.count(SECRETS);
                    if self.secret(value, entry).is_none() {
                        self.fault("a secret that cannot be read");
                    }
                }
                _ => self.count(OTHERS),
            }
        }
        Some(())
    }

    /// Hands an object on, under the label that says what it is.
    fn push(&mut self, label: &str, object: &[u8], entry: EntryFacts) {
        self.nested.push(Nested {
            label: Some(label.to_owned()),
            declared: true,
            entry: Some(Arc::new(entry)),
            ..Nested::new(
                Clue::PemBody,
                Zeroizing::new(object.to_vec()),
                self.encoding,
                0,
            )
        });
    }

    /// A closed key: opened with the store's password, else handed on, so that the others are tried.
    fn shrouded(&mut self, value: &[u8], entry: EntryFacts) {
        if let Some((algorithm, data)) = shroud(value) {
            let cipher = pbe::describe(&algorithm);
            if !self.ciphers.contains(&cipher) {
                self.ciphers.push(cipher.clone());
            }
            let opened = self
                .opener
                .open_with_selected(&algorithm, data, is_sequence);
            if let Ok(Some((key, opened))) = opened {
                let entry = EntryFacts {
                    protection: Some(Protection::Encrypted),
                    cipher: Some(cipher),
                    opened: Some(opened),
                    ..entry
                };
                return self.push("PRIVATE KEY", &key, entry);
            }
        }
        self.push("ENCRYPTED PRIVATE KEY", value, entry);
    }

    /// CertBag and CRLBag: SEQUENCE { type, [0] EXPLICIT OCTET STRING }
    fn public(&mut self, value: &[u8], entry: EntryFacts) {
        let read = || {
            let mut fields = Element::read_all(value).ok()?.enter(der::SEQUENCE).ok()?;
            let kind = fields.expect(der::OID).ok()?.content;
            Some((kind, octets(&fields.expect(der::context(0)).ok()?)))
        };
        match read() {
            Some((X509_CERTIFICATE, Some(object))) => {
                self.count(CERTIFICATES);
                self.push("CERTIFICATE", object, entry);
            }
            Some((X509_CRL, Some(object))) => {
                self.count(CRLS);
                self.push("X509 CRL", object, entry);
            }
            Some(_) => self.count(OTHERS),
            None => self.fault("a certificate that cannot be read"),
        }
    }

    /// SecretBag: SEQUENCE { type, [0] EXPLICIT value }. Java puts an EncryptedPrivateKeyInfo into an OCTET STRING.
    fn secret(&mut self, value: &[u8], mut entry: EntryFacts) -> Option<()> {
        let mut fields = Element::read_all(value).ok()?.enter(der::SEQUENCE).ok()?;
        let kind = fields.expect(der::OID).ok()?.content;
        let inner = Element::read_all(fields.expect(der::context(0)).ok()?.content).ok()?;
        let content = if inner.tag == der::OCTET_STRING {
            inner.content
        } else {
            inner.raw
        };
        let mut clear = None;
        if kind == KEY {
            clear = Some(Zeroizing::new(content.to_vec()));
        } else if let Some((algorithm, data)) = shroud(content) {
            entry.cipher = Some(pbe::describe(&algorithm));
            entry.protection = Some(Protection::Encrypted);
            if let Ok((key, opened)) = self.opener.open(&algorithm, data, is_sequence) {
                entry.opened = Some(opened);
                clear = Some(key);
            } else {
                entry.opened = None;
                let digest = KeyMaterial::Opaque(Hex(Sha256::digest(data).into()));
                self.artifact(digest, None, None, &entry);
                return Some(());
            }
        }
        match clear.as_ref().and_then(|clear| secret_key(clear)) {
            Some((algorithm, key)) => {
                let bits = u32::try_from(key.len()).ok()?.checked_mul(8);
                let random = algorithm_is_random(algorithm) && key.len() >= 16;
                let secret = Secret::copy_of(key);
                let key = if random {
                    KeyMaterial::Symmetric(secret)
                } else {
                    KeyMaterial::Guessable(secret)
                };
                self.artifact(key, Some(secret_algorithm(algorithm)), bits, &entry);
            }
            None => {
                // Of another type than keys: whatever it is, it may be guessed.
                let key = KeyMaterial::Guessable(Secret::copy_of(content));
                self.artifact(key, Some(oid::dotted(kind)), None, &entry);
            }
        }
        Some(())
    }

    fn artifact(
        &mut self,
        key: KeyMaterial,
        algorithm: Option<String>,
        bits: Option<u32>,
        entry: &EntryFacts,
    ) {
        let mut artifact = Artifact::new(Kind::SymmetricKey, "pkcs12", self.encoding, key);
        artifact.algorithm = algorithm.map(Into::into);
        artifact.bits = bits;
        artifact.protection = Some(Protection::None);
        artifact.inherit(entry);
        self.artifacts.push(artifact);
    }
}

/// Algorithm and ciphertext of an EncryptedPrivateKeyInfo.
fn shroud(value: &[u8]) -> Option<(Algorithm<'_>, &[u8])> {
    let mut fields = Element::read_all(value).ok()?.enter(der::SEQUENCE).ok()?;
    let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
    let data = fields.expect(der::OCTET_STRING).ok()?.content;
    (!data.is_empty()).then_some((algorithm, data))
}

/// Algorithm and key of a PrivateKeyInfo that holds a symmetric key as it is.
fn secret_key(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = Element::read_all(info).ok()?.enter(der::SEQUENCE).ok()?;
    fields.expect(der::INTEGER).ok()?;
    let algorithm = Algorithm::read(&fields.expect(der::SEQUENCE).ok()?).ok()?;
    Some((
        algorithm.oid,
        fields.expect(der::OCTET_STRING).ok()?.content,
    ))
}

const AES: &[u8] = oid!(2, 16, 840, 1, 101, 3, 4, 1);

/// Identifiers that Java writes for symmetric keys.
static SECRET_ALGORITHMS: &[(&[u8], &str)] = &[
    (AES, "AES"),
    (oid!(1, 2, 840, 113549, 3, 7), "DESede"),
    (oid!(1, 3, 14, 3, 2, 7), "DES"),
    (oid!(1, 2, 840, 113549, 3, 2), "RC2"),
    (oid!(1, 2, 840, 113549, 3, 4), "RC4"),
    (oid!(1, 3, 6, 1, 4, 1, 3029, 1, 1, 2), "Blowfish"),
    (
        oid!(1, 2, 840, 113549, 1, 9, 16, 3, 18),
        "ChaCha20-Poly1305",
    ),
];

fn secret_algorithm(id: &[u8]) -> String {
    let known = SECRET_ALGORITHMS.iter().find(|(known, _)| *known == id);
    match (known, Hash::by_hmac(id)) {
        (Some((_, name)), _) => (*name).to_owned(),
        (None, Some(hash)) => format!("HMAC-{}", hash.name().replace("SHA-", "SHA")),
        // An identifier below AES names a mode too.
        (None, None) if id.starts_with(AES) => "AES".to_owned(),
        (None, None) => oid::named(oid::encryption(id), id).into_owned(),
    }
}

/// Whether keys of this algorithm are drawn at random: not what is called by a password-based scheme, and not what is
/// unknown.
fn algorithm_is_random(id: &[u8]) -> bool {
    id.starts_with(AES)
        || Hash::by_hmac(id).is_some()
        || SECRET_ALGORITHMS.iter().any(|(known, _)| *known == id)
}

/// PKCS12Attribute ::= SEQUENCE { attrId, SET OF value }
fn attributes(set: &Element<'_>) -> EntryFacts {
    let mut entry = EntryFacts::default();
    let mut items = Reader::new(set.content);
    while let Ok(mut attribute) = items.enter(der::SEQUENCE) {
        let (Ok(kind), Ok(mut values)) = (attribute.expect(der::OID), attribute.enter(der::SET))
        else {
            break;
        };
        let value = values.element().ok();
        match (kind.content, value) {
            (FRIENDLY_NAME, Some(value)) => entry.alias = text(&value),
            (LOCAL_KEY_ID, Some(value)) => {
                entry.created = java_time(value.content);
                entry.pkcs11_id = Some(hexadecimal(value.content));
            }
            (TRUSTED_KEY_USAGE, _) => entry.notes.push("trusted entry".into()),
            _ => {}
        }
    }
    entry
}

/// A BMPString, which is what the standard wants, or a UTF8String.
fn text(value: &Element<'_>) -> Option<String> {
    const BMP_STRING: u8 = 0x1e;
    const UTF8_STRING: u8 = 0x0c;
    match value.tag {
        BMP_STRING => {
            let units = value
                .content
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |n, b| n << 8 | u16::from(*b)));
            Some(
                char::decode_utf16(units)
                    .map(|c| c.unwrap_or('\u{fffd}'))
                    .collect(),
            )
        }
        UTF8_STRING => Some(String::from_utf8_lossy(value.content).into_owned()),
        _ => None,
    }
}

/// Java's local key id is the word `Time` and the milliseconds at which the entry was made.
fn java_time(id: &[u8]) -> Option<jiff::Timestamp> {
    let digits = std::str::from_utf8(id).ok()?.strip_prefix("Time ")?;
    jiff::Timestamp::from_millisecond(digits.parse().ok()?).ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
