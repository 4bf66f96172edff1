//! PKCS#12 keystores (RFC 7292; RFC 9579 for PBMAC1), in DER or BER.
//!
//! The store is one artifact; keys, certificates, revocation lists and secrets in it are candidates and artifacts with
//! the facts of their bags. Where there is a MAC, it selects the password; the parts are then tried with the others too,
//! as keys may have passwords of their own.

mod bags;
mod mac;
mod opener;
mod pfx;

use self::bags::Entries;
use self::mac::Mac;
use self::opener::Opener;
use self::pfx::{Integrity, Part, Pfx};
use crate::formats::Format;
use crate::formats::wire::ber;
use crate::formats::wire::pbe;
use crate::model::{
    Artifact, Candidate, Closed, Clue, Fault, Found, GapReason, KeyMaterial, Kind, Opened, Reading,
};

/// The container.
pub struct Pkcs12;

/// The largest store that is read; those with all trust anchors of the world have a quarter of a megabyte.
const SIZE_MAX: usize = 8 << 20;

impl Format for Pkcs12 {
    fn name(&self) -> &'static str {
        "pkcs12"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        if !pfx::starts_like_one(bytes) {
            return Reading::NotMine;
        }
        if bytes.len() > SIZE_MAX {
            let detail = format!("PKCS#12: larger than {} MiB", SIZE_MAX >> 20);
            return failed(candidate, GapReason::Limit, detail);
        }
        let broken = |what: &str| {
            let detail = format!("PKCS#12: {what}");
            failed(candidate, GapReason::Malformed, detail)
        };
        let Ok((der, _)) = ber::to_der(bytes) else {
            return broken("neither DER nor BER");
        };
        let Some(pfx) = Pfx::read(&der) else {
            return broken("no authenticated safe");
        };
        let Ok((safe, _)) = ber::to_der(pfx.content) else {
            return broken("the authenticated safe is neither DER nor BER");
        };
        let Some(parts) = pfx::parts(&safe) else {
            return broken("the authenticated safe is no sequence of parts");
        };
        Reading::Found(store(candidate, &pfx, &parts))
    }
}

fn failed(candidate: &Candidate<'_>, reason: GapReason, detail: String) -> Reading {
    Reading::Found(Found {
        faults: vec![Fault {
            reason,
            offset: 0,
            detail,
        }],
        end: candidate.bytes.len(),
        ..Found::default()
    })
}

fn store(candidate: &Candidate<'_>, pfx: &Pfx<'_>, parts: &[Part<'_>]) -> Found {
    let mut notes = Vec::new();
    let mut selected = None;
    match &pfx.integrity {
        Integrity::None => notes.push("no MAC".into()),
        Integrity::Signature => notes.push("signed instead of a MAC".into()),
        Integrity::Unreadable => notes.push("a MAC that cannot be read".into()),
        Integrity::Mac(mac) => {
            notes.push(format!("MAC {}", mac.describe()).into());
            match select(candidate, mac, pfx.content) {
                Ok(opened) => selected = Some(opened),
                Err(Closed::Limit(asked)) => {
                    notes.push(format!("MAC not checked: {asked}").into());
                }
                Err(Closed::Unsupported(what)) => {
                    notes.push(format!("MAC not checked: {what}").into());
                }
                Err(Closed::NoPassword) => {}
            }
        }
    }
    let opener = Opener {
        unlock: candidate.unlock,
        selected,
    };
    let mut entries = Entries::new(&opener, candidate.encoding);
    let mut ciphers: Vec<String> = Vec::new();
    let mut opened = selected;
    let mut closed = Closures::default();
    for part in parts {
        match part {
            Part::Clear(contents) => entries.read(contents, None),
            Part::Enveloped => closed.enveloped += 1,
            Part::Unknown => closed.unknown += 1,
            Part::Encrypted { algorithm, data } => {
                let cipher = pbe::describe(algorithm);
                if !ciphers.contains(&cipher) {
                    ciphers.push(cipher.clone());
                }
                match opener.open(algorithm, data, bags::is_sequence) {
                    Ok((contents, by)) => {
                        opened = opened.or(Some(by));
                        entries.read(&contents, Some((cipher, by)));
                    }
                    Err(reason) => closed.encrypted.push(reason),
                }
            }
        }
    }
    ciphers.extend(entries.ciphers.iter().cloned());
    ciphers.dedup();
    notes.push(entries.tally().into());

    let mut artifact = Artifact::new(
        Kind::Keystore,
        Pkcs12.name(),
        candidate.encoding,
        KeyMaterial::None,
    );
    artifact.cipher = (!ciphers.is_empty()).then(|| ciphers.join("; "));
    artifact.opened = opened;
    artifact.notes = notes;
    let mut found = Found {
        artifacts: vec![artifact],
        end: candidate.bytes.len(),
        ..Found::default()
    };
    found.artifacts.append(&mut entries.artifacts);
    found.nested = entries.nested;
    found.faults = entries.faults;
    closed.tell(&mut found.faults);
    found
}

/// The password whose MAC is right.
fn select(candidate: &Candidate<'_>, mac: &Mac<'_>, content: &[u8]) -> Result<Opened, Closed> {
    let verified = candidate.unlock.first(|password, effort| {
        let right = mac.verifies(password, content, effort)?;
        Ok(right.then_some(()))
    });
    verified.map(|((), opened)| opened)
}

/// The parts that stayed closed.
#[derive(Default)]
struct Closures {
    encrypted: Vec<Closed>,
    enveloped: usize,
    unknown: usize,
}

impl Closures {
    fn tell(&self, faults: &mut Vec<Fault>) {
        let mut tell = |reason, detail: String| {
            faults.push(Fault {
                reason,
                offset: 0,
                detail: format!("PKCS#12: {detail}"),
            });
        };
        // One for all of a kind, with the first one's words.
        let mut told = [false; 3];
        for closed in &self.encrypted {
            let (kind, reason, detail) = match closed {
                Closed::NoPassword => {
                    let count = self.encrypted.len();
                    let parts = if count == 1 { "part" } else { "parts" };
                    let detail = format!("{count} {parts} encrypted under an unknown password");
                    (0, GapReason::Encrypted, detail)
                }
                Closed::Unsupported(what) => {
                    let detail = format!("a part encrypted with {what}");
                    (1, GapReason::Unsupported, detail)
                }
                Closed::Limit(asked) => (2, GapReason::Limit, format!("a closed part: {asked}")),
            };
            if let Some(told) = told.get_mut(kind).filter(|told| !**told) {
                *told = true;
                tell(reason, detail);
            }
        }
        if self.enveloped > 0 {
            let detail = "a part encrypted for the holder of a private key".to_owned();
            tell(GapReason::Encrypted, detail);
        }
        if self.unknown > 0 {
            tell(
                GapReason::Unsupported,
                "a part of an unknown type".to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests;
