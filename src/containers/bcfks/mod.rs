//! BCFKS, the keystore of Bouncy Castle's FIPS provider, which its other provider writes too (`BcFKSKeyStoreSpi` as
//! documentation): DER, encrypted as a whole, and inside it each key once more.

mod entries;
mod layout;
mod sealed;

use self::layout::{Contents, Integrity, ObjectStore, StoreData};
use self::sealed::{Mac, Purpose, Sealed};
use crate::formats::Format;
use crate::formats::wire::attempts::Attempts;
use crate::formats::wire::der::Element;
use crate::formats::wire::java;
use crate::formats::wire::labels;
use crate::formats::wire::oid;
use crate::formats::wire::pbe;
use crate::model::{
    Artifact, Candidate, Closed, Clue, EntryFacts, Fault, Found, GapReason, KeyMaterial, Kind,
    Opened, Protection, Reading,
};

/// The container.
pub struct Bcfks;

const NAME: &str = "bcfks";
/// The largest store that is read.
const STORE_MAX: usize = 8 << 20;

impl Format for Bcfks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let store = labels::object(candidate)
            .and_then(|element| ObjectStore::read(&element).ok().map(|s| (element, s)));
        let Some((element, store)) = store else {
            return Reading::NotMine;
        };
        let mut found = Found {
            end: candidate.bytes.len(),
            ..Found::default()
        };
        if element.raw.len() > STORE_MAX {
            let detail = format!("larger than {} MiB", STORE_MAX >> 20);
            tell(&mut found, GapReason::Limit, &detail);
            return Reading::Found(found);
        }
        let mut keystore =
            Artifact::new(Kind::Keystore, NAME, candidate.encoding, KeyMaterial::None);
        let mut attempts = Attempts::new(&candidate.unlock);
        let opened = read_data(candidate, &store, &mut attempts, &mut keystore, &mut found);
        integrity(
            candidate,
            &store,
            opened,
            &mut attempts,
            &mut keystore,
            &mut found,
        );
        if let Some(asked) = attempts.limit() {
            tell(&mut found, GapReason::Limit, &asked);
        }
        found.artifacts.insert(0, keystore);
        Reading::Found(found)
    }
}

fn tell(found: &mut Found, reason: GapReason, detail: &str) {
    found.faults.push(Fault {
        reason,
        offset: 0,
        detail: format!("BCFKS: {detail}"),
    });
}

/// Tells what the store holds, if it is in clear or a password opens it; gives which one did.
fn read_data(
    candidate: &Candidate<'_>,
    store: &ObjectStore<'_>,
    attempts: &mut Attempts<'_>,
    keystore: &mut Artifact,
    found: &mut Found,
) -> Option<Opened> {
    let encrypted = match &store.data {
        StoreData::Clear(contents) => {
            keystore.notes.push("its contents stand in clear".into());
            let place = |part: &[u8]| layout::place(candidate.bytes, part);
            describe(contents, keystore);
            entries::read(contents, &EntryFacts::default(), &place, attempts, found);
            return None;
        }
        StoreData::Encrypted(encrypted) => encrypted,
    };
    let cipher = pbe::describe(&encrypted.algorithm);
    keystore.protection = Some(Protection::Encrypted);
    keystore.cipher = Some(cipher.clone());
    // What was encrypted stands where its ciphertext does.
    let at = layout::place(candidate.bytes, encrypted.data);
    let closed = Sealed::read(encrypted).and_then(|sealed| {
        let derivation = sealed.describe_derivation();
        keystore
            .notes
            .push(format!("closed with {derivation}").into());
        attempts.first(|password, effort| {
            let open = sealed.open(Purpose::Store, password, effort)?;
            // A tag may be short: what comes out must be a store too.
            let is_store = |open: &zeroize::Zeroizing<Vec<u8>>| {
                Element::read_all(open).is_ok_and(|e| Contents::read(&e).is_ok())
            };
            Ok(open.filter(is_store))
        })
    });
    let (open, opened) = match closed {
        Ok(opened) => opened,
        Err(Closed::Unsupported(what)) => {
            let detail = format!("closed with {what}");
            tell(found, GapReason::Unsupported, &detail);
            return None;
        }
        Err(Closed::NoPassword) => {
            let detail = "the whole store is encrypted under a password";
            tell(found, GapReason::Encrypted, detail);
            return None;
        }
        // Told when all attempts are over.
        Err(Closed::Limit(_)) => return None,
    };
    keystore.opened = Some(opened);
    let contents = Element::read_all(&open).and_then(|element| Contents::read(&element));
    if let Ok(contents) = contents {
        describe(&contents, keystore);
        let facts = EntryFacts {
            protection: Some(Protection::Encrypted),
            cipher: Some(cipher),
            opened: Some(opened),
            ..EntryFacts::default()
        };
        entries::read(&contents, &facts, &|_| at, attempts, found);
    }
    Some(opened)
}

fn describe(contents: &Contents<'_>, keystore: &mut Artifact) {
    keystore.created = contents.created;
    keystore.notes.push(entries::holds(contents).into());
    if let Some(modified) = contents.modified {
        keystore
            .notes
            .push(format!("last modified {modified}").into());
    }
}

/// Says what vouches for the store, and holds a MAC against the password that opened it. It comes last: the keys are worth
/// more of what may be spent.
fn integrity(
    candidate: &Candidate<'_>,
    store: &ObjectStore<'_>,
    opened: Option<Opened>,
    attempts: &mut Attempts<'_>,
    keystore: &mut Artifact,
    found: &mut Found,
) {
    let (algorithm, derivation, mac) = match &store.integrity {
        Integrity::Signature {
            algorithm,
            certificates,
        } => {
            let name = oid::named(oid::signature_algorithm(algorithm.oid), algorithm.oid);
            keystore
                .notes
                .push(format!("integrity: signature, {name}").into());
            for certificate in certificates {
                let facts = EntryFacts {
                    notes: vec!["of the signature over a keystore".into()],
                    ..EntryFacts::default()
                };
                let place = layout::place(candidate.bytes, certificate);
                found
                    .nested
                    .push(java::certificate(certificate, place, facts));
            }
            return;
        }
        Integrity::Mac {
            algorithm,
            derivation,
            mac,
        } => (algorithm, derivation, mac),
    };
    let mac = match Mac::read(algorithm, derivation, mac) {
        Ok(mac) => mac,
        Err(closed) => {
            if let Closed::Unsupported(what) = closed {
                keystore
                    .notes
                    .push(format!("integrity: {what}, not checked").into());
            }
            return;
        }
    };
    keystore
        .notes
        .push(format!("integrity: {}", mac.describe()).into());
    // A store that stayed closed was tried with every password; one in clear has nothing but this to tell its own.
    let in_clear = matches!(store.data, StoreData::Clear(_));
    if attempts.is_empty() || opened.is_none() && !in_clear {
        return;
    }
    let mut tried = candidate.unlock.passwords.iter();
    let verified = candidate.unlock.first(|password, effort| {
        let place = tried.next().map(|password| password.opened);
        if !in_clear && place != opened {
            return Ok(None);
        }
        let right = mac.verifies(store.checked, password, effort)?;
        Ok(right.then_some(()))
    });
    match verified {
        Ok(((), by)) => keystore.opened = Some(by),
        Err(Closed::NoPassword) => keystore.notes.push(
            "the integrity code agrees with none of the passwords: the store was changed, or its password is another one".into(),
        ),
        Err(Closed::Limit(asked) | Closed::Unsupported(asked)) => {
            keystore.notes.push(format!("integrity code not checked: {asked}").into());
        }
    }
}
