//! The keystores of Sun's providers: JKS (`sun.security.provider.JavaKeyStore`) and JCEKS
//! (`com.sun.crypto.provider.JceKeyStore`), as OpenJDK's sources describe them.
//!
//! Aliases, dates and certificates stand in clear; keys are closed one by one, each under a password of its own. A digest
//! under the store's password ends the file.

mod keys;
mod layout;
mod protect;
#[cfg(test)]
mod tests;

use crate::formats::wire::java;
use crate::formats::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Reading,
};
use keys::Keys;
use layout::{Item, Stop, Store, What};

/// The largest store that is read.
const STORE_MAX: usize = 32 << 20;

/// JKS: certificates and private keys.
pub struct Jks;

/// JCEKS: secret keys too, and a better protection.
pub struct Jceks;

impl Format for Jks {
    fn name(&self) -> &'static str {
        "jks"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::at_start(0, b"\xfe\xed\xfe\xed", Clue::Magic)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        read(candidate, b"\xfe\xed\xfe\xed", self.name(), "JKS")
    }
}

impl Format for Jceks {
    fn name(&self) -> &'static str {
        "jceks"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::at_start(0, b"\xce\xce\xce\xce", Clue::Magic)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        read(candidate, b"\xce\xce\xce\xce", self.name(), "JCEKS")
    }
}

fn read(candidate: &Candidate<'_>, magic: &[u8], name: &'static str, title: &str) -> Reading {
    let at = candidate.at;
    let bytes = candidate.bytes.get(at..).unwrap_or_default();
    let whole = candidate.at_end && bytes.len() <= STORE_MAX;
    let bytes = bytes.get(..STORE_MAX).unwrap_or(bytes);
    if !bytes.starts_with(magic) {
        return Reading::NotMine;
    }
    let Some(store) = Store::read(bytes) else {
        return Reading::NotMine;
    };
    if let Stop::Cut { needed } = store.stop
        && !candidate.at_end
        && bytes.len() < STORE_MAX
        && needed <= STORE_MAX
    {
        return Reading::NeedMore { from: at };
    }
    let mut found = Found {
        end: bytes.len(),
        ..Found::default()
    };
    let mut keystore = Artifact::new(Kind::Keystore, name, Encoding::Binary, KeyMaterial::None);
    keystore
        .notes
        .push(format!("version {}", store.version).into());
    keystore.notes.push(holds(&store.items).into());
    let mut keys = Keys::new(name, &candidate.unlock);
    keys.verify(&store, &mut keystore);
    keystore.cipher = keys.read(&store.items, &mut found);
    match store.stop {
        // What follows is looked at like any other bytes.
        Stop::Whole => found.end = store.end,
        Stop::Malformed(what) => {
            found.end = store.end;
            found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset: store.end,
                detail: format!("{title}: {what}"),
            });
        }
        Stop::Cut { .. } if whole => found.faults.push(Fault {
            reason: GapReason::Truncated,
            offset: store.end,
            detail: format!("{title}: ends within an entry, or before the number that it declares"),
        }),
        Stop::Cut { .. } => found.faults.push(Fault {
            reason: GapReason::Limit,
            offset: store.end,
            detail: format!("{title}: larger than {} MiB", STORE_MAX >> 20),
        }),
    }
    found.artifacts.insert(0, keystore);
    for artifact in &mut found.artifacts {
        artifact.offset += at;
    }
    for nested in &mut found.nested {
        nested.offset += at;
    }
    for fault in &mut found.faults {
        fault.offset += at;
    }
    found.end += at;
    Reading::Found(found)
}

/// What stands in a store, in words.
fn holds(items: &[Item<'_>]) -> String {
    let count = |is: fn(&What<'_>) -> bool| items.iter().filter(|item| is(&item.what)).count();
    let parts = [
        (count(|w| matches!(w, What::Key(_))), "private key"),
        (
            count(|w| matches!(w, What::Trusted(_))),
            "trusted certificate",
        ),
        (count(|w| matches!(w, What::Secret(_))), "secret key"),
    ];
    java::holds(&parts)
}
