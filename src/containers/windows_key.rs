//! Files in which Windows keeps a key: of a CryptoAPI key container (`Crypto\RSA`, `MachineKeys`) and of a CNG key
//! (`Crypto\Keys`). Name and, of CryptoAPI, the public key stand in clear; the private key is a blob of DPAPI (DPAPIck's probes and
//! mimikatz's `kull_m_key.h` as documentation; the public key is RSAPUBKEY of wincrypt.h and the modulus).

use crate::formats::wire::dpapi::{Blob, Words};
use crate::formats::wire::java::Cut;
use crate::formats::wire::spki::RsaPublic;
use crate::formats::wire::unopened;
use crate::formats::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, GapReason, KeyMaterial, Kind, Protection, Reading,
};

/// The container.
pub struct WindowsKey;

const NAME: &str = "windows_key";
const CAPI: &[u8] = b"\x02\0\0\0\0\0\0\0";
const CNG: &[u8] = b"\x01\0\0\0\0\0\0\0";
/// The longest name and the longest other field that are believed.
const NAME_MAX: usize = 4096;
const FIELD_MAX: usize = 256 << 10;

impl Format for WindowsKey {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: &[Signature] = &[
            Signature::at_start(0, CAPI, Clue::Magic),
            Signature::at_start(0, CNG, Clue::Magic),
        ];
        SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let read = if bytes.starts_with(CAPI) {
            capi(bytes)
        } else if bytes.starts_with(CNG) {
            cng(bytes)
        } else {
            return Reading::NotMine;
        };
        match read {
            Ok(file) => told(candidate, file),
            Err(Unread::Other) => Reading::NotMine,
            Err(Unread::Cut) if !candidate.at_end => Reading::NeedMore { from: candidate.at },
            Err(Unread::Cut) => Reading::NotMine,
            Err(Unread::CutWithin(what)) if candidate.at_end => {
                let keystore = unopened::keystore(NAME, vec![what.into()]);
                let detail = "Windows key file: ends within a field";
                let reason = GapReason::Truncated;
                unopened::found(candidate, keystore, reason, detail, bytes.len())
            }
            Err(Unread::CutWithin(_)) => Reading::NeedMore { from: candidate.at },
        }
    }
}

/// Why bytes are not told as a key file.
enum Unread {
    /// They are something else.
    Other,
    /// They end before it is certain.
    Cut,
    /// They end within what is one.
    CutWithin(&'static str),
}

impl From<Cut> for Unread {
    fn from(_: Cut) -> Self {
        Self::Cut
    }
}

/// What a key file says in clear.
struct KeyFile {
    what: &'static str,
    name: String,
    keys: Vec<Key>,
    length: usize,
}

/// One key in it: what it is for, its public half, and what closes it.
struct Key {
    purpose: &'static str,
    public: Option<(Vec<u8>, Vec<u8>)>,
    /// Where the public half begins.
    at: usize,
    blob: Blob,
}

fn told(candidate: &Candidate<'_>, file: KeyFile) -> Reading {
    let mut notes = vec![file.what.into()];
    let master_keys = file.keys.iter().map(|key| &key.blob.master_key);
    notes.extend(
        master_keys.map(|id| format!("private key closed under the master key {id}").into()),
    );
    let mut keystore = unopened::keystore(NAME, notes);
    keystore.alias = Some(file.name.clone()).filter(|name| !name.is_empty());
    keystore.cipher = file.keys.first().map(|key| key.blob.cipher.clone());
    let (alias, cipher) = (keystore.alias.clone(), keystore.cipher.clone());
    let reason = GapReason::Unsupported;
    let detail = "Windows key file: the private key in it is not opened";
    let mut reading = unopened::found(candidate, keystore, reason, detail, file.length);
    if let Reading::Found(found) = &mut reading {
        for key in file.keys {
            let Some((n, e)) = key.public else {
                continue;
            };
            let material = KeyMaterial::Rsa { n, e };
            let mut private = Artifact::new(Kind::PrivateKey, NAME, Encoding::Binary, material);
            private.alias.clone_from(&alias);
            private.protection = Some(Protection::Encrypted);
            private.cipher.clone_from(&cipher);
            private.notes.push(key.purpose.into());
            private.offset = candidate.at.saturating_add(key.at);
            found.artifacts.push(private);
        }
    }
    reading
}

/// Lengths that are believed.
fn lengths<const N: usize>(input: &mut Words<'_>, order: [usize; N]) -> Result<[usize; N], Unread> {
    let mut lengths = order;
    for length in &mut lengths {
        *length = input.length()?;
        if *length > FIELD_MAX {
            return Err(Unread::Other);
        }
    }
    Ok(lengths)
}

/// Version 2, 0, the lengths of name, public and private key for signatures and for key exchange, digest, and export flags of
/// both; then these fields, the digest behind the name.
fn capi(bytes: &[u8]) -> Result<KeyFile, Unread> {
    const WHAT: &str = "of a CryptoAPI key container";
    let mut input = Words::new(bytes, CAPI.len());
    let [
        name,
        sign_public,
        sign_private,
        exchange_public,
        exchange_private,
        digest,
        sign_flags,
        exchange_flags,
    ] = lengths(&mut input, [0; 8])?;
    if !(1..=NAME_MAX).contains(&name) || digest > 64 {
        return Err(Unread::Other);
    }
    let name = input.take(name)?;
    // A container is named by text that ends with a zero.
    let text = name.strip_suffix(&[0]).ok_or(Unread::Other)?;
    if text.iter().any(u8::is_ascii_control) {
        return Err(Unread::Other);
    }
    input.take(digest)?;
    let mut keys = Vec::new();
    let pairs = [
        ("for signatures", sign_public, sign_private, sign_flags),
        (
            "for key exchange",
            exchange_public,
            exchange_private,
            exchange_flags,
        ),
    ];
    for (purpose, public, private, flags) in pairs {
        let within = |_: Cut| {
            if keys_follow(bytes) {
                Unread::CutWithin(WHAT)
            } else {
                Unread::Cut
            }
        };
        let at = input.at();
        let public = input.take(public).map_err(within)?;
        let private = input.take(private).map_err(within)?;
        input.take(flags).map_err(within)?;
        if private.is_empty() {
            continue;
        }
        keys.push(Key {
            purpose,
            public: rsa_public(public),
            at,
            blob: blob(private)?,
        });
    }
    if keys.is_empty() {
        return Err(Unread::Other);
    }
    Ok(KeyFile {
        what: WHAT,
        name: String::from_utf8_lossy(text).into_owned(),
        keys,
        length: input.at(),
    })
}

/// Version 1, 0, the length of the name, a type, the lengths of public and private properties and of the private key, 16 bytes;
/// then name (UTF-16), and these fields.
fn cng(bytes: &[u8]) -> Result<KeyFile, Unread> {
    const WHAT: &str = "of a CNG key";
    let mut input = Words::new(bytes, CNG.len());
    let [name, _type, public, properties, private] = lengths(&mut input, [0; 5])?;
    if name > NAME_MAX || name % 2 != 0 || private == 0 {
        return Err(Unread::Other);
    }
    input.take(16)?;
    let units = input.take(name)?.as_chunks::<2>().0.iter();
    let units: Vec<u16> = units.map(|pair| u16::from_le_bytes(*pair)).collect();
    let name = String::from_utf16(&units).map_err(|_| Unread::Other)?;
    let name = name.trim_end_matches('\0');
    if name.chars().any(char::is_control) {
        return Err(Unread::Other);
    }
    let within = |_: Cut| {
        if keys_follow(bytes) {
            Unread::CutWithin(WHAT)
        } else {
            Unread::Cut
        }
    };
    input.take(public).map_err(within)?;
    input.take(properties).map_err(within)?;
    let private = input.take(private).map_err(within)?;
    Ok(KeyFile {
        what: WHAT,
        name: name.to_owned(),
        keys: vec![Key {
            purpose: "",
            public: None,
            at: 0,
            blob: blob(private)?,
        }],
        length: input.at(),
    })
}

/// Whether a blob of DPAPI begins in these bytes: then they are a key file, though they are cut.
fn keys_follow(bytes: &[u8]) -> bool {
    use crate::formats::wire::dpapi::MAGIC;
    bytes.windows(MAGIC.len()).any(|window| window == MAGIC)
}

/// A blob that fills these bytes.
fn blob(bytes: &[u8]) -> Result<Blob, Unread> {
    match Blob::read(bytes) {
        Some(Ok(blob)) if blob.length == bytes.len() => Ok(blob),
        _ => Err(Unread::Other),
    }
}

/// Modulus and exponent of RSAPUBKEY with the length of the modulus, which may be filled up with zeros: `RSA1`, that length, bits,
/// octets that can be encrypted, exponent; all little-endian.
fn rsa_public(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut input = Words::new(bytes.strip_prefix(b"RSA1")?, 0);
    let length = input.length().ok()?;
    input.take(8).ok()?;
    let exponent = input.u32().ok()?;
    let mut n = input.take(length).ok()?.to_vec();
    while n.last() == Some(&0) {
        n.pop();
    }
    n.reverse();
    let e = exponent.to_be_bytes();
    let zeros = e.iter().take_while(|byte| **byte == 0).count();
    let e = e.get(zeros..)?.to_vec();
    let key = RsaPublic { n: &n, e: &e };
    key.is_acceptable(true).then_some(())?;
    Some((n, e))
}
