//! NSS databases in SQLite: `cert9.db` with certificates and trust, `key4.db` with keys (NSS, `softoken/sdb.c` and
//! `sftkpwd.c` as documentation of the format).
//!
//! A row is a PKCS#11 object, a column `a` and the attribute's number in hexadecimal. Sensitive attributes are encrypted,
//! each with a salt of its own; the public half of a private key is in clear.

mod attributes;
mod keys;
mod password;
mod trust;

use crate::formats::wire::sqlite;
use crate::formats::wire::whole::{self, Whole};
use crate::formats::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Closed, Clue, Encoding, EntryFacts, Fault, Found, GapReason, KeyMaterial,
    Kind, Nested, Reading,
};
use attributes::{Object, class};
use password::Gate;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The container.
pub struct Nss;

/// The format's name.
const NAME: &str = "nss";
/// A table of objects: public ones, and those behind the password.
const TABLES: [&[u8]; 2] = [b"nssPublic", b"nssPrivate"];
/// Where the statements that make the tables must occur.
const SCHEMA: usize = 64 << 10;
/// A larger database is not read.
const SIZE_MAX: usize = 32 << 20;
/// More objects than this are not told.
const OBJECTS_MAX: usize = 100_000;

impl Format for Nss {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: &[Signature] = &[Signature::at_start(0, sqlite::MAGIC, Clue::Magic)];
        SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        if !bytes.starts_with(sqlite::MAGIC) {
            return Reading::NotMine;
        }
        let schema = bytes.get(..SCHEMA.min(bytes.len())).unwrap_or_default();
        // A name alone may be in any database.
        let is_made = |name: &&[u8]| {
            let statement = [b"CREATE TABLE ", *name, b" "].concat();
            memchr::memmem::find(schema, &statement).is_some()
        };
        let table = TABLES.into_iter().find(is_made);
        let Some(table) = table else {
            return Reading::NotMine;
        };
        let declared = sqlite::declared_size(bytes).and_then(|size| usize::try_from(size).ok());
        match whole::whole(candidate, declared.unwrap_or(bytes.len()), SIZE_MAX, NAME) {
            Whole::Yes(database) => Reading::Found(read(candidate, database, table)),
            Whole::Other(reading) => reading,
        }
    }
}

fn read(candidate: &Candidate<'_>, database: &[u8], table: &[u8]) -> Found {
    let mut found = Found {
        end: database.len(),
        ..Found::default()
    };
    let objects = objects(database, table);
    if objects.is_none() {
        found.faults.push(fault(
            GapReason::Malformed,
            "a database that cannot be read to its end",
        ));
    }
    let objects = objects.unwrap_or_default();
    let has_keys = objects
        .iter()
        .any(|o| matches!(o.class(), Some(class::PRIVATE_KEY | class::SECRET_KEY)));
    let gate = Gate::read(&database);
    let mut store = Artifact::new(Kind::Keystore, NAME, Encoding::Binary, KeyMaterial::None);
    let kind = match table {
        b"nssPublic" => "certificate database",
        _ => "key database",
    };
    store.notes.push(kind.into());
    let opened = gate.as_ref().filter(|_| has_keys).map(|gate| {
        store.cipher = Some(gate.cipher());
        gate.open(candidate.unlock)
    });
    match &opened {
        Some(Ok((_, by))) => store.notes.push(format!("opened with {by}").into()),
        Some(Err(Closed::Limit(asked))) => found.faults.push(fault(GapReason::Limit, asked)),
        Some(Err(Closed::Unsupported(what))) => {
            found.faults.push(fault(GapReason::Unsupported, what));
        }
        Some(Err(Closed::NoPassword)) | None => {}
    }
    found.artifacts.push(store);
    let opened = opened.and_then(Result::ok);
    let trusts = trust::Trusts::of(&objects);
    for object in &objects {
        match object.class() {
            Some(class::CERTIFICATE) => found.nested.extend(certificate(object, &trusts)),
            Some(class::PUBLIC_KEY | class::PRIVATE_KEY | class::SECRET_KEY) => {
                found
                    .artifacts
                    .extend(keys::artifact(object, opened.as_ref(), candidate.unlock));
            }
            _ => {}
        }
    }
    found
}

/// The objects of a table; nothing at a fault.
fn objects(database: &[u8], table: &[u8]) -> Option<Vec<Object>> {
    let columns = sqlite::columns_of(&database, table)?;
    let mut objects = Vec::new();
    sqlite::rows(&database, table, &mut |row| {
        if objects.len() < OBJECTS_MAX {
            objects.push(Object::of(&columns, row));
        }
    })?;
    Some(objects)
}

fn certificate(object: &Object, trusts: &trust::Trusts) -> Option<Nested> {
    let der = object.bytes(attributes::VALUE)?;
    let facts = EntryFacts {
        alias: object.label(),
        pkcs11_id: object.id(),
        notes: trusts.words(der).map(Into::into).into_iter().collect(),
        ..EntryFacts::default()
    };
    let bytes = Zeroizing::new(der.to_vec());
    Some(Nested {
        entry: Some(Arc::new(facts)),
        declared: true,
        ..Nested::new(Clue::DerObject, bytes, Encoding::Der, 0)
    })
}

fn fault(reason: GapReason, detail: &str) -> Fault {
    Fault {
        reason,
        offset: 0,
        detail: format!("NSS database: {detail}"),
    }
}
