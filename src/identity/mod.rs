//! One canonical identity of a key from any encoding, and every fingerprint form (contract, section 2).
//!
//! The way is always the same: the material that a format handed over becomes the key free of its encoding
//! (`derive`), and that becomes the canonical SubjectPublicKeyInfo, whose digest is the identity. Private
//! numbers that stand alone are multiplied out first and wiped.

mod by_keygrip;
mod curve448;
mod derive;
mod factorable;
mod field;
mod fingerprints;
mod gost;
mod known_public;
mod lattice;
mod private;
mod probable;
mod public;
mod secret;
mod spki;
mod ssh;
mod weierstrass;

pub use by_keygrip::{fill_from_keygrips, has_keygrip_alone};
pub use factorable::sharing_primes;
pub use known_public::known_public;
pub use probable::{fill_probable_keys, fill_probable_keys_of_host};

use crate::model::{Artifact, Fingerprints, KeyId, KeyMaterial, Secret};
use std::borrow::Cow;

/// Who a key is, whatever its encoding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The one identity, where one can be derived.
    pub key_id: Option<KeyId>,
    /// Its algorithm as NIST and the RFCs write it; OpenSSH's name for one that only OpenSSH has.
    pub algorithm: Option<Cow<'static, str>>,
    /// Its size in bits.
    pub bits: Option<u32>,
    /// Its curve by its usual name.
    pub curve: Option<Cow<'static, str>>,
    /// All fingerprints that exist for it.
    pub fingerprints: Fingerprints,
    /// Why anyone can compute its private half, where that shows.
    pub factorable: Option<Cow<'static, str>>,
    /// The modulus of an RSA key, big-endian: it may share a prime with others.
    pub modulus: Option<Box<[u8]>>,
    /// What is odd about it, for people.
    pub notes: Vec<Cow<'static, str>>,
}

/// Derives the identity and the fingerprints of an artifact. Never fails: what has no identity has none, and
/// a note says why where that is not plain.
pub fn identify(artifact: &Artifact) -> Identity {
    identify_with(artifact, None)
}

/// The same; secrets that could be guessed get an HMAC under the user's key.
pub fn identify_with(artifact: &Artifact, secret_id_key: Option<&Secret>) -> Identity {
    let derived = derive::derive(&artifact.key);
    let key = derived.public.as_ref();
    let blob: Option<Cow<'_, [u8]>> = match &artifact.key {
        KeyMaterial::SshBlob(blob) => {
            Some(ssh::plain_fido_blob(blob).map_or_else(|| blob.as_slice().into(), Cow::Owned))
        }
        _ => None,
    };

    let mut fingerprints = Fingerprints::default();
    let mut key_id = None;
    if let Some(key) = key {
        let canonical = key.spki();
        let digest = fingerprints::sha256(&canonical);
        fingerprints.spki_sha256 = Some(match &artifact.key {
            KeyMaterial::Spki(raw) if *raw != canonical => fingerprints::sha256(raw),
            _ => digest,
        });
        fingerprints.jwk_thumbprint = fingerprints::jwk_thumbprint(key);
        fingerprints.keygrip = fingerprints::keygrip(key);
        key_id = Some(KeyId::Spki(digest));
    } else if let KeyMaterial::Opaque(digest) = &artifact.key {
        key_id = Some(KeyId::Opaque(*digest));
    } else if let KeyMaterial::Pgp(fingerprint) = &artifact.key {
        key_id = Some(KeyId::Pgp(fingerprint.clone()));
    } else if let KeyMaterial::Symmetric(key) | KeyMaterial::Guessable(key) = &artifact.key {
        let random = matches!(artifact.key, KeyMaterial::Symmetric(_));
        let algorithm = artifact.algorithm.as_deref().unwrap_or_default();
        key_id = secret::key_id(algorithm, key, random, secret_id_key);
    } else if let Some(blob) = &blob {
        key_id = Some(KeyId::Ssh(fingerprints::sha256(blob)));
    } else if let KeyMaterial::Spki(raw) = &artifact.key {
        fingerprints.spki_sha256 = Some(fingerprints::sha256(raw));
    }
    if let Some(blob) = fingerprints::ssh_blob(key, blob.as_deref()) {
        let (sha256, md5) = fingerprints::ssh(&blob);
        fingerprints.ssh_sha256 = Some(sha256);
        fingerprints.ssh_md5 = Some(md5);
    }
    if let Some(der) = &artifact.certificate_der {
        fingerprints.cert_sha256 = Some(fingerprints::sha256(der));
        fingerprints.cert_sha1 = Some(fingerprints::sha1(der));
        fingerprints.cert_md5 = Some(fingerprints::md5(der));
    }
    fingerprints.ski = artifact.ski.as_deref().map(|id| hex(id).into());
    fingerprints.keygrip = fingerprints.keygrip.or(artifact.keygrip);
    fingerprints.pkcs11_id = artifact.pkcs11_id.as_deref().map(Box::from);
    if let Some(fingerprint) = &artifact.pgp_fingerprint {
        fingerprints.pgp_keyid = fingerprints::pgp_keyid(fingerprint, key).map(Box::from);
        fingerprints.pgp_fingerprint = Some(fingerprint.as_str().into());
    }

    let told = key.or(derived.shape.as_ref());
    Identity {
        key_id,
        algorithm: artifact
            .algorithm
            .clone()
            .or(derived.algorithm.clone())
            .or_else(|| told.map(public::Public::algorithm)),
        bits: told.and_then(public::Public::bits).or(artifact.bits),
        curve: told.and_then(public::Public::curve),
        fingerprints,
        factorable: key.and_then(factorable::reason),
        modulus: match key {
            Some(public::Public::Rsa { n, .. }) => Some(n.as_ref().into()),
            _ => None,
        },
        notes: derived
            .note
            .map(|note| note.text().into())
            .into_iter()
            .collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
