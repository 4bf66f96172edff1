//! The entries of a store, with the passwords that there are.

use super::NAME;
use super::layout::{self, Contents, Encrypted, Entry, Rest, Type};
use super::sealed::{Purpose, Sealed};
use crate::formats::wire::attempts::Attempts;
use crate::formats::wire::oid::{self, oid};
use crate::formats::wire::pbe::{self, Hash};
use crate::formats::wire::{der, java};
use crate::model::{
    Artifact, Closed, Encoding, EntryFacts, Fault, Found, GapReason, Hex, KeyMaterial, Kind,
    Opened, Protection,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Tells all entries; `place` gives where one of their parts stands.
pub(super) fn read(
    contents: &Contents<'_>,
    base: &EntryFacts,
    place: &dyn Fn(&[u8]) -> usize,
    attempts: &mut Attempts<'_>,
    found: &mut Found,
) {
    for entry in &contents.entries {
        let told = Teller {
            facts: EntryFacts {
                alias: Some(entry.alias.clone()),
                created: entry.created,
                ..base.clone()
            },
            place,
        };
        told.entry(entry, attempts, found);
    }
    let (reason, detail) = match contents.rest {
        Rest::Nothing => return,
        Rest::Unreadable => (GapReason::Malformed, "BCFKS: an entry that cannot be read"),
        Rest::TooMany => (
            GapReason::Limit,
            "BCFKS: more entries than a store is believed to have",
        ),
    };
    found.faults.push(Fault {
        reason,
        offset: place(&[]),
        detail: detail.to_owned(),
    });
}

/// What a store holds, in words.
pub(super) fn holds(contents: &Contents<'_>) -> String {
    let count = |kind| contents.entries.iter().filter(|e| e.kind == kind).count();
    java::holds(&[
        (count(Type::PrivateKey), "private key"),
        (count(Type::SecretKey), "secret key"),
        (count(Type::Certificate), "trusted certificate"),
        (count(Type::Unknown), "entry of another kind"),
    ])
}

struct Teller<'p> {
    facts: EntryFacts,
    place: &'p dyn Fn(&[u8]) -> usize,
}

impl Teller<'_> {
    fn entry(&self, entry: &Entry<'_>, attempts: &mut Attempts<'_>, found: &mut Found) {
        match entry.kind {
            Type::Certificate => self.certificate(entry.data, found),
            Type::PrivateKey => match layout::private_key(entry.data) {
                Ok((key, chain)) => {
                    for certificate in chain {
                        self.certificate(certificate, found);
                    }
                    self.private_key(&key, attempts, found);
                }
                Err(_) => self.malformed(entry, found),
            },
            Type::SecretKey => {
                let read = der::Element::read_all(entry.data).and_then(|e| Encrypted::read(&e));
                match read {
                    Ok(key) => self.secret_key(&key, attempts, found),
                    Err(_) => self.malformed(entry, found),
                }
            }
            Type::Unknown => {}
        }
    }

    fn malformed(&self, entry: &Entry<'_>, found: &mut Found) {
        found.faults.push(Fault {
            reason: GapReason::Malformed,
            offset: (self.place)(entry.data),
            detail: "BCFKS: a key that cannot be read".to_owned(),
        });
    }

    fn certificate(&self, bytes: &[u8], found: &mut Found) {
        let nested = java::certificate(bytes, (self.place)(bytes), self.facts.clone());
        found.nested.push(nested);
    }

    /// The facts of what is closed by itself. In an opened store, `opened` tells how that was opened, and a key may have a
    /// password of its own.
    fn sealed(&self, key: &Encrypted<'_>, opened: Option<Opened>) -> EntryFacts {
        EntryFacts {
            protection: Some(Protection::Encrypted),
            cipher: Some(pbe::describe(&key.algorithm)),
            opened,
            ..self.facts.clone()
        }
    }

    fn private_key(&self, key: &Encrypted<'_>, attempts: &mut Attempts<'_>, found: &mut Found) {
        let place = (self.place)(key.raw);
        if let Ok((open, opened)) = try_all(key, Purpose::PrivateKey, attempts) {
            let facts = self.sealed(key, Some(opened));
            found.nested.push(java::private_key(open, place, facts));
            return;
        }
        // One that its owner closed may open as any other EncryptedPrivateKeyInfo does.
        let facts = self.sealed(key, None);
        let closed = Zeroizing::new(key.raw.to_vec());
        found.nested.push(java::encrypted_key(closed, place, facts));
    }

    fn secret_key(&self, key: &Encrypted<'_>, attempts: &mut Attempts<'_>, found: &mut Found) {
        let mut facts = self.sealed(key, None);
        let mut artifact = match try_all(key, Purpose::SecretKey, attempts) {
            Ok((open, opened)) => {
                facts.opened = Some(opened);
                if let Ok((algorithm, bytes)) = layout::secret_key(&open) {
                    let mut artifact = java::secret_key(NAME, &java_name(algorithm), bytes);
                    artifact.protection = Some(Protection::Encrypted);
                    artifact.cipher.clone_from(&facts.cipher);
                    artifact
                } else {
                    facts.notes.push("opens to no secret key".into());
                    opaque(key.data)
                }
            }
            Err(closed) => {
                if let Closed::Unsupported(why) = closed {
                    facts.notes.push(format!("closed with {why}").into());
                }
                opaque(key.data)
            }
        };
        artifact.offset = (self.place)(key.raw);
        artifact.inherit(&facts);
        found.artifacts.push(artifact);
    }
}

fn opaque(data: &[u8]) -> Artifact {
    let digest = Hex(Sha256::digest(data).into());
    let key = KeyMaterial::Opaque(digest);
    Artifact::new(Kind::SymmetricKey, NAME, Encoding::Binary, key)
}

/// What the passwords make of a closed key, of which DER must come out.
fn try_all(
    key: &Encrypted<'_>,
    purpose: Purpose,
    attempts: &mut Attempts<'_>,
) -> Result<(Zeroizing<Vec<u8>>, Opened), Closed> {
    let sealed = Sealed::read(key)?;
    attempts.first(|password, effort| {
        let open = sealed.open(purpose, password, effort)?;
        let is_sequence = |open: &Zeroizing<Vec<u8>>| {
            der::Element::read_all(open).is_ok_and(|e| e.tag == der::SEQUENCE)
        };
        Ok(open.filter(is_sequence))
    })
}

/// Identifiers that the provider writes for secret keys, by Java's names; those of an HMAC are the hash's.
static SECRET_ALGORITHMS: &[(&[u8], &str)] = &[
    (oid!(2, 16, 840, 1, 101, 3, 4, 1), "AES"),
    (oid!(1, 3, 14, 3, 2, 17), "DESede"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 2, 19), "KMAC128"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 2, 20), "KMAC256"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 2, 21), "KMAC128"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 2, 22), "KMAC256"),
    (oid!(1, 2, 410, 200004, 1, 4), "SEED"),
    (oid!(1, 2, 392, 200011, 61, 1, 1, 1, 2), "Camellia"),
    (oid!(1, 2, 392, 200011, 61, 1, 1, 1, 3), "Camellia"),
    (oid!(1, 2, 392, 200011, 61, 1, 1, 1, 4), "Camellia"),
    (oid!(1, 2, 410, 200046, 1, 1, 2), "ARIA"),
    (oid!(1, 2, 410, 200046, 1, 1, 7), "ARIA"),
    (oid!(1, 2, 410, 200046, 1, 1, 12), "ARIA"),
];

fn java_name(id: &[u8]) -> String {
    let known = SECRET_ALGORITHMS.iter().find(|(known, _)| *known == id);
    match (known, Hash::by_hmac(id)) {
        (Some((_, name)), _) => (*name).to_owned(),
        (None, Some(hash)) => format!("Hmac{}", hash.name().replace("SHA-", "SHA")),
        (None, None) => oid::dotted(id),
    }
}
