//! One artifact at one location.

use super::certificate::Certificate;
use super::image::Image;
use super::key_id::KeyId;
use super::kind::{Class, Encoding, Kind, Protection};
use super::location::{FileFacts, Location};
use super::packed_fingerprints::PackedFingerprints;
use super::pgp::Pgp;
use super::shared_text::SharedText;
use super::ssh::Ssh;
use super::unlock::Opened;
use std::sync::Arc;

/// One artifact at one location: the `sighting` record of a sweep.
///
/// There may be millions: what few of them have is in memory of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// The host, only in reports (a sweep names it once).
    pub host: Option<SharedText>,
    /// The key that it belongs to, where one can be derived.
    pub key_id: Option<KeyId>,
    /// The key that an opaque one probably is: evidence, never proof.
    pub probable_key: Option<Box<KeyId>>,
    /// What it is.
    pub kind: Kind,
    /// The format's name, as in the README's table.
    pub format: SharedText,
    /// The clothes that it wears.
    pub encoding: Encoding,
    /// The key's algorithm as NIST and the RFCs write it.
    pub algorithm: Option<SharedText>,
    /// Key size in bits.
    pub bits: Option<u32>,
    /// Named curve.
    pub curve: Option<SharedText>,
    /// Whether private material stands in clear; absent for public things.
    pub protection: Option<Protection>,
    /// Whose it is.
    pub class: Class,
    /// All fingerprint forms that exist for it.
    pub fingerprints: PackedFingerprints,
    /// Where it was seen.
    pub location: Location,
    /// The file that holds it.
    pub file: Option<Arc<FileFacts>>,
    /// X.509 facts.
    pub certificate: Option<Box<Certificate>>,
    /// OpenSSH facts.
    pub ssh: Option<Box<Ssh>>,
    /// OpenPGP facts.
    pub pgp: Option<Box<Pgp>>,
    /// What few have; absent if this has none of it.
    pub rare: Option<Box<Rare>>,
}

/// What few sightings have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rare {
    /// Cipher and key derivation of encrypted material.
    pub cipher: Option<SharedText>,
    /// How it was opened, if it was closed: by the place in a list of passwords, never by its text.
    pub opened: Option<Opened>,
    /// When a keystore says that the entry was made.
    pub created: Option<jiff::Timestamp>,
    /// Why anyone can compute the private half of this key, where that shows in the public one.
    pub factorable: Option<SharedText>,
    /// The modulus of an RSA key, big-endian; only until the sweep was searched for primes in common, and never written.
    pub modulus: Option<Box<[u8]>>,
    /// The container images of which the layer that holds it is part; those in which it is still there come first.
    pub images: Option<Arc<[Image]>>,
    /// Remarks for people.
    pub notes: Vec<SharedText>,
}

impl Rare {
    /// As a sighting has it: in memory of its own if there is anything.
    pub fn boxed(self) -> Option<Box<Self>> {
        let is_anything = self.cipher.is_some()
            || self.opened.is_some()
            || self.created.is_some()
            || self.factorable.is_some()
            || self.modulus.is_some()
            || self.images.is_some()
            || !self.notes.is_empty();
        is_anything.then(|| Box::new(self))
    }
}

impl Sighting {
    /// Cipher and key derivation of encrypted material.
    pub fn cipher(&self) -> Option<&SharedText> {
        self.rare.as_ref()?.cipher.as_ref()
    }

    /// How it was opened, if it was closed.
    pub fn opened(&self) -> Option<Opened> {
        self.rare.as_ref()?.opened
    }

    /// When a keystore says that the entry was made.
    pub fn created(&self) -> Option<jiff::Timestamp> {
        self.rare.as_ref()?.created
    }

    /// Why anyone can compute the private half of this key, where that shows in the public one.
    pub fn factorable(&self) -> Option<&SharedText> {
        self.rare.as_ref()?.factorable.as_ref()
    }

    /// The container images of which the layer that holds it is part.
    pub fn images(&self) -> &[Image] {
        let images = self.rare.as_ref().and_then(|rare| rare.images.as_deref());
        images.unwrap_or_default()
    }

    /// Remarks for people.
    pub fn notes(&self) -> &[SharedText] {
        self.rare.as_ref().map_or(&[], |rare| &rare.notes)
    }

    /// What few have, to be changed.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Takes the modulus away.
    pub fn take_modulus(&mut self) -> Option<Box<[u8]>> {
        let mut rare = *self.rare.take_if(|rare| rare.modulus.is_some())?;
        let modulus = rare.modulus.take();
        self.rare = rare.boxed();
        modulus
    }

    /// Whether a later layer removes it in every image that holds it.
    pub fn is_removed_from_images(&self) -> bool {
        let mut images = self.images().iter();
        images.next().is_some_and(|first| first.removed.is_some())
            && images.all(|image| image.removed.is_some())
    }
}
