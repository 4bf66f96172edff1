//! The entries of a store, with the passwords that there are.

use super::layout::{Certificate, Encoded, Item, KeyKind, What};
use super::sealed::Sealed;
use crate::formats::wire::attempts::Attempts;
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::java::{self, Input};
use crate::model::{
    Artifact, Closed, Encoding, EntryFacts, Fault, Found, GapReason, Hex, KeyMaterial, Kind,
    Protection,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Tells all items; gives the cipher of the keys. `base` has what holds for every entry; if the store was encrypted as a
/// whole, all of it stands at `place`.
pub(super) fn read(
    format: &'static str,
    items: &[Item<'_>],
    base: &EntryFacts,
    place: Option<usize>,
    attempts: &mut Attempts<'_>,
    found: &mut Found,
) -> Option<String> {
    let mut cipher = None;
    for item in items {
        let mut entry = Entry {
            format,
            offset: place.unwrap_or(item.offset),
            facts: EntryFacts {
                alias: Some(item.alias.clone()),
                created: item.created,
                ..base.clone()
            },
        };
        match &item.what {
            What::Chain(certificate) | What::Trusted(certificate) => {
                entry.certificate(certificate, found);
            }
            What::Clear(key) => entry.key(key, found),
            What::Foreign(bytes) => entry.foreign(bytes, found),
            What::Sealed { bytes, chained } => {
                entry.sealed(bytes, *chained, attempts, found);
                if cipher.is_none() {
                    cipher.clone_from(&entry.facts.cipher);
                }
            }
        }
    }
    cipher
}

struct Entry {
    format: &'static str,
    offset: usize,
    facts: EntryFacts,
}

impl Entry {
    fn certificate(self, certificate: &Certificate<'_>, found: &mut Found) {
        if java::is_x509(certificate.kind) {
            let nested = java::certificate(certificate.bytes, self.offset, self.facts);
            found.nested.push(nested);
        } else {
            let detail = "a certificate that is not X.509";
            self.fault(GapReason::Unsupported, detail, found);
        }
    }

    fn fault(&self, reason: GapReason, detail: &str, found: &mut Found) {
        found.faults.push(Fault {
            reason,
            offset: self.offset,
            detail: format!("{}: {detail}", self.format.to_uppercase()),
        });
    }

    /// A key in clear, or one that was opened.
    fn key(&self, key: &Encoded<'_>, found: &mut Found) {
        let bytes = || Zeroizing::new(key.bytes.to_vec());
        let facts = self.facts.clone();
        match key.kind {
            KeyKind::Private => {
                found
                    .nested
                    .push(java::private_key(bytes(), self.offset, facts));
            }
            KeyKind::Public => {
                found
                    .nested
                    .push(java::public_key(bytes(), self.offset, facts));
            }
            KeyKind::Secret => {
                let name = java::text(key.algorithm);
                let mut artifact = java::secret_key(self.format, &name, key.bytes);
                artifact.offset = self.offset;
                artifact.protection = Some(Protection::None);
                if facts.protection.is_some() {
                    artifact.protection = facts.protection;
                    artifact.cipher.clone_from(&facts.cipher);
                }
                artifact.inherit(&facts);
                found.artifacts.push(artifact);
            }
        }
    }

    /// A key that its owner handed over already protected: an EncryptedPrivateKeyInfo, or who knows what.
    fn foreign(self, bytes: &[u8], found: &mut Found) {
        let is_der = Element::read_all(bytes).is_ok_and(|e| e.tag == der::SEQUENCE);
        if is_der {
            let closed = Zeroizing::new(bytes.to_vec());
            let nested = java::encrypted_key(closed, self.offset, self.facts);
            found.nested.push(nested);
            return;
        }
        let mut artifact = Artifact::new(
            Kind::SymmetricKey,
            self.format,
            Encoding::Binary,
            KeyMaterial::Unknown,
        );
        artifact.offset = self.offset;
        artifact.inherit(&self.facts);
        artifact
            .notes
            .push("a key in a form that only its owner knows".into());
        found.artifacts.push(artifact);
    }

    fn sealed(
        &mut self,
        bytes: &[u8],
        chained: bool,
        attempts: &mut Attempts<'_>,
        found: &mut Found,
    ) {
        let Some(sealed) = Sealed::read(bytes) else {
            self.fault(GapReason::Malformed, "a sealed key without its salt", found);
            return;
        };
        self.facts.protection = Some(Protection::Encrypted);
        self.facts.cipher = Some(format!(
            "pbeWithSHA1And3-KeyTripleDES-CBC, {} iterations",
            sealed.iterations
        ));
        // Inside an UBER, `opened` tells how that was opened, and the key may have a password of its own.
        self.facts.opened = None;
        match attempts.first(|password, effort| sealed.open(password, effort)) {
            Ok((open, opened)) => {
                self.facts.opened = Some(opened);
                if let Ok(key) = Encoded::read(&mut Input::new(&open, 0)) {
                    self.key(&key, found);
                }
            }
            Err(closed) => {
                if let Closed::Unsupported(why) = closed {
                    self.facts.notes.push(why.into());
                }
                found.artifacts.push(self.closed(&sealed, chained));
            }
        }
    }

    fn closed(&self, sealed: &Sealed<'_>, chained: bool) -> Artifact {
        let kind = if chained {
            Kind::PrivateKey
        } else {
            Kind::SymmetricKey
        };
        let digest = Hex(Sha256::digest(sealed.data).into());
        let mut artifact = Artifact::new(
            kind,
            self.format,
            Encoding::Binary,
            KeyMaterial::Opaque(digest),
        );
        artifact.offset = self.offset;
        artifact.inherit(&self.facts);
        artifact
    }
}
