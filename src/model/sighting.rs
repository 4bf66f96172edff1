//! One artifact at one location.

use super::certificate::{Certificate, Ssh};
use super::fingerprint::Fingerprints;
use super::image::Image;
use super::key_id::KeyId;
use super::kind::{Class, Encoding, Kind, Protection};
use super::location::{FileFacts, Location};
use super::pgp::Pgp;
use super::shared_text::SharedText;
use super::unlock::Opened;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One artifact at one location: the `sighting` record of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The host, only in reports (a sweep names it once).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<SharedText>,
    /// The key that it belongs to, where one can be derived.
    pub key_id: Option<KeyId>,
    /// The key that an opaque one probably is: evidence, never proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probable_key: Option<Box<KeyId>>,
    /// What it is.
    pub kind: Kind,
    /// The format's name, as in the README's table.
    pub format: SharedText,
    /// The clothes that it wears.
    pub encoding: Encoding,
    /// The key's algorithm as NIST and the RFCs write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<SharedText>,
    /// Key size in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// Named curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<SharedText>,
    /// Whether private material stands in clear; absent for public things.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
    /// Cipher and key derivation of encrypted material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<SharedText>,
    /// How it was opened, if it was closed: by the place in a list of passwords, never by its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
    /// When a keystore says that the entry was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<jiff::Timestamp>,
    /// Why anyone can compute the private half of this key, where that shows in the public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factorable: Option<SharedText>,
    /// The modulus of an RSA key, big-endian; only until the sweep was searched for primes in common.
    #[serde(skip)]
    pub modulus: Option<Box<[u8]>>,
    /// Whose it is.
    pub class: Class,
    /// All fingerprint forms that exist for it.
    pub fingerprints: Fingerprints,
    /// Where it was seen.
    pub location: Location,
    /// The file that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<FileFacts>>,
    /// The container images of which the layer that holds it is part; those in which it is still there come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<Arc<[Image]>>,
    /// X.509 facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Box<Certificate>>,
    /// OpenSSH facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Box<Ssh>>,
    /// OpenPGP facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pgp: Option<Box<Pgp>>,
    /// Remarks for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<SharedText>,
}

impl Sighting {
    /// Whether a later layer removes it in every image that holds it.
    pub fn is_removed_from_images(&self) -> bool {
        let mut images = self.images.iter().flat_map(|images| images.iter());
        images.next().is_some_and(|first| first.removed.is_some())
            && images.all(|image| image.removed.is_some())
    }
}
