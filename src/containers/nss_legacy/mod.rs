//! NSS's older databases, `cert8.db` and `key3.db`: Berkeley DB 1.85 hash files (NSS, `softoken/legacydb/pcertt.h` and
//! `keydb.c` as documentation of the records).

mod hash_file;

use crate::formats::wire::certificate;
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::nss::{self, Closing};
use crate::formats::wire::spki::{RsaPublic, Spki};
use crate::formats::wire::whole::{self, Whole};
use crate::formats::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, EntryFacts, Fault, Found, GapReason, Hex, KeyMaterial,
    Kind, Nested, Protection, Reading, Unlock,
};
use hash_file::HashFile;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The container.
pub struct NssLegacy;

/// The format's name.
const NAME: &str = "nss_legacy";
/// A larger file is not read.
const SIZE_MAX: usize = 32 << 20;
/// Records of a certificate database that hold a certificate.
const CERTIFICATE: u8 = 1;
/// Version, type and flags; trust of three uses; lengths of certificate and nickname, two octets each.
const CERTIFICATE_HEADER: usize = 13;
/// Records of a key database that hold no key.
const NO_KEYS: [&[u8]; 4] = [
    b"Version",
    b"global-salt",
    b"password-check",
    b"fake-password-check",
];

impl Format for NssLegacy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signatures(&self) -> &'static [Signature] {
        // Header and version are in network order, whatever the pages are in.
        const SIGNATURES: &[Signature] = &[Signature::at_start(
            0,
            b"\x00\x06\x15\x61\x00\x00\x00\x02",
            Clue::Magic,
        )];
        SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(file) = HashFile::open(candidate.bytes) else {
            return Reading::NotMine;
        };
        // It does not tell its size: all there is belongs to it.
        let size = candidate.bytes.len() + usize::from(!candidate.at_end);
        match whole::whole(candidate, size, SIZE_MAX, NAME) {
            Whole::Yes(_) => read(&file, candidate),
            Whole::Other(reading) => reading,
        }
    }
}

/// Other programs use such files too: one that holds nothing of NSS's is not ours.
fn read(file: &HashFile<'_>, candidate: &Candidate<'_>) -> Reading {
    let mut found = Found {
        end: candidate.bytes.len(),
        ..Found::default()
    };
    let mut salt = None;
    let mut keys = Vec::new();
    let whole = file.records(&mut |key, value| {
        if key == b"global-salt" {
            salt = Some(value.to_vec());
        } else if let Some(nested) = certificate_record(key, value) {
            found.nested.push(nested);
        } else if !NO_KEYS.contains(&key) {
            // Private bytes are encrypted here.
            keys.push((key.to_vec(), value.to_vec()));
        }
    });
    if salt.is_none() && found.nested.is_empty() {
        return Reading::NotMine;
    }
    let mut store = Artifact::new(Kind::Keystore, NAME, Encoding::Binary, KeyMaterial::None);
    let kind = if salt.is_some() {
        "key database"
    } else {
        "certificate database"
    };
    store.notes.push(kind.into());
    if let Some(salt) = salt {
        let records = keys
            .iter()
            .filter_map(|(key, value)| KeyRecord::read(key, value));
        for record in records {
            store.cipher = Some(record.closing.describe());
            record.tell(&salt, candidate.unlock, &mut found);
        }
    }
    found.artifacts.insert(0, store);
    if whole.is_none() {
        found.faults.push(Fault {
            reason: GapReason::Malformed,
            offset: 0,
            detail: "NSS database: a hash file that cannot be read to its end".to_owned(),
        });
    }
    Reading::Found(found)
}

/// A certificate with its nickname.
fn certificate_record(key: &[u8], value: &[u8]) -> Option<Nested> {
    let (&kind, _) = key.split_first()?;
    if kind != CERTIFICATE || value.get(1) != Some(&CERTIFICATE) {
        return None;
    }
    let length = |at: usize| {
        let pair = value.get(at..at + 2)?;
        Some(usize::from(u16::from_be_bytes(pair.try_into().ok()?)))
    };
    let (der_length, name_length) = (length(9)?, length(11)?);
    let (der, rest) = value
        .get(CERTIFICATE_HEADER..)?
        .split_at_checked(der_length)?;
    Element::read_all(der).ok()?;
    let nickname = rest.get(..name_length)?.strip_suffix(b"\0");
    let facts = EntryFacts {
        alias: nickname.and_then(text),
        pkcs11_id: key_digest(der),
        ..EntryFacts::default()
    };
    Some(Nested {
        entry: Some(Arc::new(facts)),
        declared: true,
        ..Nested::new(
            Clue::DerObject,
            Zeroizing::new(der.to_vec()),
            Encoding::Der,
            0,
        )
    })
}

/// What NSS takes as CKA_ID: SHA-1 of the modulus or the point.
fn key_digest(der: &[u8]) -> Option<String> {
    let frame = certificate::Frame::read(&Element::read_all(der).ok()?).ok()?;
    let info = Spki::read(&frame.spki).ok()?;
    let rsa = Element::read_all(info.key).ok();
    let rsa = rsa.and_then(|element| RsaPublic::read(&element, false));
    Some(sha1_hex(rsa.map_or(info.key, |public| public.n)))
}

/// A private key: version, lengths of salt and nickname, both, then AlgorithmIdentifier and ciphertext. The record's own
/// key is the modulus or the point.
struct KeyRecord<'a> {
    facts: EntryFacts,
    closing: Closing<'a>,
}

impl<'a> KeyRecord<'a> {
    fn read(key: &[u8], value: &'a [u8]) -> Option<Self> {
        let [3, salt_length, name_length, rest @ ..] = value else {
            return None;
        };
        let rest = rest.get(usize::from(*salt_length)..)?;
        let (nickname, rest) = rest.split_at_checked(usize::from(*name_length))?;
        let closing = Closing::read(rest)?;
        Some(Self {
            facts: EntryFacts {
                alias: text(nickname.strip_suffix(b"\0").unwrap_or(nickname)),
                protection: Some(Protection::Encrypted),
                cipher: Some(closing.describe()),
                pkcs11_id: Some(sha1_hex(der::trim_zeros(key))),
                ..EntryFacts::default()
            },
            closing,
        })
    }

    /// As PKCS#8, if a password opens it, else by the digest of its ciphertext.
    fn tell(self, salt: &[u8], unlock: Unlock<'_>, found: &mut Found) {
        let opened = unlock.first(|password, effort| {
            let clear = self.closing.open(&nss::hashed(salt, password), effort)?;
            Ok(clear.filter(|clear| Element::read_all(clear).is_ok()))
        });
        let mut facts = self.facts;
        if let Ok((clear, by)) = opened {
            facts.opened = Some(by);
            found.nested.push(Nested {
                entry: Some(Arc::new(facts)),
                declared: true,
                ..Nested::new(Clue::DerObject, clear, Encoding::Der, 0)
            });
            return;
        }
        let material = KeyMaterial::Opaque(Hex(Sha256::digest(self.closing.data).into()));
        let mut artifact = Artifact::new(Kind::PrivateKey, NAME, Encoding::Binary, material);
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher.clone_from(&facts.cipher);
        artifact.inherit(&facts);
        found.artifacts.push(artifact);
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    Some(text).filter(|text| !text.is_empty())
}

fn sha1_hex(bytes: &[u8]) -> String {
    Sha1::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}
