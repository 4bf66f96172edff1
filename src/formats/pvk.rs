//! Microsoft's PVK files of private keys (makecert, `openssl rsa -outform PVK`): a header, and a PRIVATEKEYBLOB that may be
//! encrypted behind its own header (Stephen Norris Henson's "PVK file information"; OpenSSL's `pvkfmt.c`).

use super::wire::capi::{self, Header, Stop};
use super::wire::pbe::{Cipher, Hash};
use super::wire::whole::{Whole, whole};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, Hex, KeyMaterial, Kind, Opened,
    Protection, Reading,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The reader of a PVK file.
pub struct Pvk;

/// 0xb0b5f11e, and a reserved word.
const MAGIC: &[u8] = b"\x1e\xf1\xb5\xb0\0\0\0\0";
/// Magic number, reserved word, use of the key, whether it is encrypted, lengths of salt and of key.
const HEADER: usize = 24;
/// The longest salt and the longest key that are believed (OpenSSL's limits).
const SALT_MAX: usize = 10_240;
const KEY_MAX: usize = 102_400;
/// Octets of the RC4 key.
const KEY: usize = 16;
/// How many of them are not zero where export rules weakened it.
const WEAK: usize = 5;

impl Format for Pvk {
    fn name(&self) -> &'static str {
        "pvk"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::at_start(0, MAGIC, Clue::Magic)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        if candidate.at != 0 || !candidate.at_start || !bytes.starts_with(MAGIC) {
            return Reading::NotMine;
        }
        if bytes.len() < HEADER {
            return match whole(candidate, HEADER, HEADER, "PVK") {
                Whole::Other(reading) => reading,
                Whole::Yes(_) => Reading::NotMine,
            };
        }
        let length = |at| capi::word(bytes, at).and_then(|n| usize::try_from(n).ok());
        let (Some(encrypted), Some(salt), Some(key)) =
            (capi::word(bytes, 12), length(16), length(20))
        else {
            return Reading::NotMine;
        };
        if encrypted > 1 || salt > SALT_MAX || !(capi::HEADER..=KEY_MAX).contains(&key) {
            return told("its lengths are none");
        }
        let size = HEADER + salt + key;
        let file = match whole(candidate, size, HEADER + SALT_MAX + KEY_MAX, "PVK") {
            Whole::Yes(file) => file,
            Whole::Other(reading) => return reading,
        };
        let salt = file.get(HEADER..HEADER + salt).unwrap_or_default();
        let blob = file.get(HEADER + salt.len()..).unwrap_or_default();
        let header = Header::read(blob).filter(|header| header.is_private);
        let Some(header) = header else {
            return told("holds no private key blob");
        };
        // OpenSSL takes the salt, and not the flag, for the sign of encryption.
        let read = if encrypted == 1 || !salt.is_empty() {
            Ok(self.closed(candidate, header, salt, blob))
        } else {
            self.open(blob)
        };
        match read {
            Ok(mut artifact) => {
                let uses = match capi::word(bytes, 8) {
                    Some(1) => Some("for key exchange"),
                    Some(2) => Some("for signatures"),
                    _ => None,
                };
                artifact.notes.extend(uses.map(Into::into));
                Reading::Found(Found {
                    artifacts: vec![artifact],
                    end: size,
                    ..Found::default()
                })
            }
            Err(Stop::Cut) => told("is shorter than its key"),
            Err(_) => told("its numbers are no key"),
        }
    }
}

impl Pvk {
    fn artifact(&self, key: KeyMaterial, protection: Protection) -> Artifact {
        let mut artifact = Artifact::new(Kind::PrivateKey, self.name(), Encoding::Binary, key);
        artifact.protection = Some(protection);
        artifact
    }

    fn open(&self, blob: &[u8]) -> Result<Artifact, Stop> {
        Ok(self.artifact(capi::read(blob)?.key, Protection::None))
    }

    fn closed(
        &self,
        candidate: &Candidate<'_>,
        header: Header,
        salt: &[u8],
        blob: &[u8],
    ) -> Artifact {
        let attempt = candidate
            .unlock
            .first(|password, _| Ok(decrypt(salt, blob, password)));
        if let Ok(((key, weak), opened)) = attempt {
            return self.opened(key, weak, opened);
        }
        let data = blob.get(capi::HEADER..).unwrap_or_default();
        let key = KeyMaterial::Opaque(Hex(Sha256::digest(data).into()));
        let mut artifact = self.artifact(key, Protection::Encrypted);
        // Whether the key was weakened shows when it is opened.
        artifact.cipher = Some("RC4, SHA-1".to_owned());
        artifact.algorithm = Some(if header.is_dss { "DSA" } else { "RSA" }.into());
        artifact.bits = header.bits(blob.len());
        artifact
    }

    fn opened(&self, key: KeyMaterial, weak: bool, opened: Opened) -> Artifact {
        let mut artifact = self.artifact(key, Protection::Encrypted);
        let bits = if weak { 8 * WEAK } else { 8 * KEY };
        artifact.cipher = Some(format!("RC4, SHA-1, {bits} bits"));
        artifact.opened = Some(opened);
        artifact
    }
}

/// The key, and whether the password's was weakened: RC4 under SHA-1 of salt and password.
fn decrypt(salt: &[u8], blob: &[u8], password: &[u8]) -> Option<(KeyMaterial, bool)> {
    let (header, data) = blob.split_at_checked(capi::HEADER)?;
    let digest = Hash::Sha1.digest(&[salt, password]);
    for weak in [false, true] {
        let mut key = Zeroizing::new(digest.get(..KEY)?.to_vec());
        if weak {
            key.get_mut(WEAK..)?.fill(0);
        }
        let clear = Cipher::Rc4(KEY).decrypt(&key, &[], data)?;
        let mut whole = Zeroizing::new(Vec::with_capacity(blob.len()));
        whole.extend_from_slice(header);
        whole.extend_from_slice(&clear);
        if let Ok(blob) = capi::read(&whole) {
            return Some((blob.key, weak));
        }
    }
    None
}

fn told(what: &str) -> Reading {
    Reading::Found(Found {
        faults: vec![Fault {
            reason: GapReason::Malformed,
            offset: 0,
            detail: format!("PVK: {what}"),
        }],
        // Other things may follow.
        end: MAGIC.len(),
        ..Found::default()
    })
}
