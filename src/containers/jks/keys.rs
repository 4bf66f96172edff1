//! The entries of a store, with the passwords that there are.

use super::layout::{Certificate, Item, Store, What};
use super::protect::{Sealed, is_digest};
use crate::formats::wire::attempts::Attempts;
use crate::formats::wire::java;
use crate::formats::wire::java_object::{self, Object};
use crate::model::{
    Artifact, Closed, Encoding, EntryFacts, Fault, Found, GapReason, Hex, KeyMaterial, Kind,
    Protection, Unlock,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Tells entries.
pub(super) struct Keys<'u> {
    format: &'static str,
    attempts: Attempts<'u>,
    cipher: Option<String>,
}

impl<'u> Keys<'u> {
    pub(super) fn new(format: &'static str, unlock: &Unlock<'u>) -> Self {
        Self {
            format,
            attempts: Attempts::new(unlock),
            cipher: None,
        }
    }

    /// Holds the store's digest against the passwords.
    pub(super) fn verify(&mut self, store: &Store<'_>, keystore: &mut Artifact) {
        let Some(digest) = store.digest else {
            return;
        };
        keystore
            .notes
            .push("integrity: SHA-1 of password and content".into());
        if self.attempts.is_empty() {
            return;
        }
        match self.attempts.first(|password, effort| {
            let matches = is_digest(digest, store.content, password, effort)?;
            Ok(matches.then_some(()))
        }) {
            Ok(((), opened)) => keystore.opened = Some(opened),
            Err(Closed::Limit(_)) => {}
            Err(_) => keystore.notes.push(
                "the integrity digest agrees with none of the passwords: the store's is another one, or it was changed".into(),
            ),
        }
    }

    /// Tells all items; gives the cipher of the keys.
    pub(super) fn read(mut self, items: &[Item<'_>], found: &mut Found) -> Option<String> {
        for item in items {
            let facts = EntryFacts {
                alias: Some(item.alias.clone()),
                created: item.created,
                ..EntryFacts::default()
            };
            match &item.what {
                What::Key(bytes) => self.private(item, bytes, facts, found),
                What::Secret(object) => self.secret(item, object, facts, found),
                What::Chain(certificate) => {
                    tell_certificate(item, certificate, facts, self.format, found);
                }
                What::Trusted(certificate) => {
                    tell_certificate(item, certificate, facts, self.format, found);
                }
            }
        }
        if let Some(detail) = self.attempts.limit() {
            found.faults.push(Fault {
                reason: GapReason::Limit,
                offset: 0,
                detail: format!("{}: {detail}", self.format.to_uppercase()),
            });
        }
        self.cipher
    }

    fn private(&mut self, item: &Item<'_>, bytes: &[u8], mut facts: EntryFacts, found: &mut Found) {
        let Some(sealed) = Sealed::private(bytes) else {
            found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset: item.offset,
                detail: format!(
                    "{}: an entry's key is no EncryptedPrivateKeyInfo",
                    self.format.to_uppercase()
                ),
            });
            return;
        };
        match self.open(&sealed, &mut facts) {
            Some(open) => found
                .nested
                .push(java::private_key(open, item.offset, facts)),
            None => found
                .artifacts
                .push(self.closed(Kind::PrivateKey, item, &sealed, &facts)),
        }
    }

    fn secret(
        &mut self,
        item: &Item<'_>,
        object: &Object<'_>,
        mut facts: EntryFacts,
        found: &mut Found,
    ) {
        let sealed = object.bytes("encryptedContent").and_then(|data| {
            let name = object
                .text("paramsAlg")
                .or_else(|| object.text("sealAlg"))?;
            Sealed::secret(
                name,
                object.bytes("encodedParams").unwrap_or_default(),
                data,
            )
        });
        let Some(sealed) = sealed else {
            found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset: item.offset,
                detail: format!(
                    "{}: an entry's secret key is no SealedObject",
                    self.format.to_uppercase()
                ),
            });
            return;
        };
        let Some(open) = self.open(&sealed, &mut facts) else {
            found
                .artifacts
                .push(self.closed(Kind::SymmetricKey, item, &sealed, &facts));
            return;
        };
        let mut artifact = secret_key(&open, self.format);
        artifact.offset = item.offset;
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher.clone_from(&facts.cipher);
        artifact.inherit(&facts);
        found.artifacts.push(artifact);
    }

    /// Opens a key and says so in the facts.
    fn open(&mut self, sealed: &Sealed<'_>, facts: &mut EntryFacts) -> Option<Zeroizing<Vec<u8>>> {
        facts.protection = Some(Protection::Encrypted);
        facts.cipher = sealed.cipher();
        if self.cipher.is_none() {
            self.cipher.clone_from(&facts.cipher);
        }
        if self.attempts.is_empty() {
            return None;
        }
        match self
            .attempts
            .first(|password, effort| sealed.open(password, effort))
        {
            Ok((open, opened)) => {
                facts.opened = Some(opened);
                Some(open)
            }
            Err(Closed::Unsupported(why)) => {
                facts.notes.push(why.into());
                None
            }
            Err(Closed::NoPassword | Closed::Limit(_)) => None,
        }
    }

    fn closed(
        &self,
        kind: Kind,
        item: &Item<'_>,
        sealed: &Sealed<'_>,
        facts: &EntryFacts,
    ) -> Artifact {
        let digest = Hex(Sha256::digest(sealed.data).into());
        let mut artifact = Artifact::new(
            kind,
            self.format,
            if kind == Kind::PrivateKey {
                Encoding::Der
            } else {
                Encoding::Binary
            },
            KeyMaterial::Opaque(digest),
        );
        artifact.offset = item.offset;
        artifact.inherit(facts);
        artifact
    }
}

fn tell_certificate(
    item: &Item<'_>,
    certificate: &Certificate<'_>,
    facts: EntryFacts,
    format: &str,
    found: &mut Found,
) {
    if java::is_x509(certificate.kind) {
        let nested = java::certificate(certificate.bytes, item.offset, facts);
        found.nested.push(nested);
        return;
    }
    found.faults.push(Fault {
        reason: GapReason::Unsupported,
        offset: item.offset,
        detail: format!("{}: a certificate that is not X.509", format.to_uppercase()),
    });
}

/// The key in an opened `SealedObject`: a `SecretKeySpec`, or the `KeyRep` that the providers' own keys become.
fn secret_key(open: &[u8], format: &'static str) -> Artifact {
    let unknown = |note: &'static str| {
        let mut artifact = Artifact::new(
            Kind::SymmetricKey,
            format,
            Encoding::Binary,
            KeyMaterial::Unknown,
        );
        artifact.notes.push(note.into());
        artifact
    };
    if !open.starts_with(java_object::STREAM) {
        return unknown("the sealed object is no object stream");
    }
    let Ok((object, _)) = Object::read(open, 0) else {
        return unknown("the sealed object is none that a keystore would hold");
    };
    let class = java::text(object.class());
    let key = match class.as_str() {
        "javax.crypto.spec.SecretKeySpec" => object.bytes("key"),
        "java.security.KeyRep" => object.bytes("encoded"),
        _ => None,
    };
    let (Some(key), Some(name)) = (key, object.text("algorithm")) else {
        return unknown("the sealed key is of a class that is not read");
    };
    java::secret_key(format, &java::text(name), key)
}
