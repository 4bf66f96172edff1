//! What the inventory would have to say: a row for each key and certificate that it lacks, and corrected cells where it is wrong.
//!
//! Only own keys that have to be in an inventory count, as in the summary's "Registered". Rows whose thing is nowhere are left
//! to a person, and so is whatever only may be meant (`ambiguous`).

mod thing;

use super::agreement::Algorithm;
use super::dates;
use super::glob::Glob;
use super::names::Name;
use super::tokens::serials_agree;
use crate::model::{
    Class, Entry, EntryPlace, EntryReport, Finding, Flag, Identifier, Inventory, KeyReport, Parts,
    Proposal, Report, RowSource, SeenAt, Sha256Hex, SharedText, State,
};
use arcstr::ArcStr;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use thing::{current, judged, named_by, newest, thing};

/// The proposals of a report: changes in the order of the rows, then new rows in the order of the keys.
pub fn proposals(report: &Report, inventories: &[Inventory]) -> Vec<Proposal> {
    let entries: HashMap<&RowSource, &Entry> = inventories
        .iter()
        .flat_map(|i| &i.entries)
        .map(|e| (&e.source, e))
        .collect();
    let keys: BTreeMap<String, &KeyReport> = report
        .keys
        .iter()
        .map(|k| (k.key_id.to_string(), k))
        .collect();
    let mut work = Work {
        report,
        keys,
        registered: BTreeSet::new(),
        recorded: BTreeSet::new(),
        abandoned: Vec::new(),
        out: Vec::new(),
    };
    for row in &report.entries {
        if let Some(entry) = entries.get(&row.source) {
            work.change(row, entry);
        }
    }
    for key in &report.keys {
        work.add(key);
    }
    work.out
}

struct Work<'r> {
    report: &'r Report,
    keys: BTreeMap<String, &'r KeyReport>,
    /// Keys that no row named, and that a changed row names now.
    registered: BTreeSet<String>,
    /// Certificates that a changed row names now.
    recorded: BTreeSet<Sha256Hex>,
    /// Keys with the row that named them and names another one now.
    abandoned: Vec<(String, SharedText)>,
    out: Vec<Proposal>,
}

impl<'r> Work<'r> {
    /// What a row that is there has to say instead.
    fn change(&mut self, row: &EntryReport, entry: &Entry) {
        let mut parts = Parts::default();
        let mut chosen: Option<(&'r KeyReport, Option<Sha256Hex>)> = None;
        let mut answered: Option<Flag> = None;
        let mut why: Vec<&str> = Vec::new();
        // What takes the place of the row's identity comes first: cells are then those of the new thing.
        let mut flags: Vec<&Finding> = row.flags.iter().collect();
        flags.sort_by_key(|f| f.flag != Flag::RenewedUnrecorded);
        for finding in flags {
            let Some(key) = finding
                .key_id
                .as_ref()
                .and_then(|id| self.keys.get(&id.to_string()).copied())
            else {
                continue;
            };
            if chosen.is_some_and(|(other, _)| other.key_id != key.key_id) {
                continue;
            }
            let certificate = finding.certificate();
            let named = key.entries.contains(&row.id);
            let wrong = match finding.flag {
                Flag::RenewedUnrecorded => Parts {
                    identity: true,
                    rotated: !named && !row.keys.is_empty(),
                    ..Parts::default()
                },
                // Another key at the row's place, which no row names.
                Flag::Mismatch if !named => {
                    let taken = self.registered.contains(&key.key_id.to_string());
                    if !key.entries.is_empty() || taken {
                        continue;
                    }
                    Parts {
                        identity: true,
                        ..Parts::default()
                    }
                }
                Flag::Mismatch => disagreement(entry, key, certificate),
                Flag::Misplaced => Parts {
                    places: true,
                    ..Parts::default()
                },
                _ => continue,
            };
            let certificate = certificate.or_else(|| {
                wrong
                    .identity
                    .then(|| current(key).into_iter().next())
                    .flatten()
            });
            if wrong.identity {
                self.registered.insert(key.key_id.to_string());
                self.recorded.extend(certificate);
            }
            parts = joined(parts, wrong);
            let before = chosen.and_then(|(_, c)| c);
            chosen = Some((key, before.or(certificate)));
            answered.get_or_insert(finding.flag);
            why.push(&finding.why);
        }
        let (Some((key, certificate)), Some(flag)) = (chosen, answered) else {
            return;
        };
        let certificate = certificate.or_else(|| named_by(entry, key));
        let Some(mut thing) = thing(self.report, key, certificate, true) else {
            return;
        };
        // What took the place of the row's thing may lie elsewhere.
        parts.places |= parts.identity && !thing.places.iter().any(|p| allows(entry, p));
        parts.places &= !entry.places.is_empty();
        // A row of a certificate stays one.
        thing.kind = entry.kind.unwrap_or(thing.kind);
        if parts.identity {
            self.abandoned.extend(
                row.keys
                    .iter()
                    .filter(|k| **k != key.key_id)
                    .map(|k| (k.to_string(), row.id.clone())),
            );
        }
        self.out.push(Proposal {
            row: Some(row.source.clone()),
            flag,
            why: why.join("; "),
            parts,
            thing,
        });
    }

    /// The rows that are lacking for a key: one for each certificate in force, or one for the key itself.
    fn add(&mut self, key: &'r KeyReport) {
        if key.class != Class::Own || judged(key).all(|s| s.kind.is_reference()) {
            return;
        }
        let id = key.key_id.to_string();
        let flag = |wanted: &[Flag]| key.flags.iter().find(|f| wanted.contains(&f.flag));
        if self.registered.contains(&id) {
            // Its further certificates: nothing told of them while no row named the key.
            if let Some(finding) = flag(&[Flag::RenewedUnrecorded, Flag::Unknown, Flag::Mismatch])
                && key.entries.is_empty()
            {
                let mut rest = current(key);
                rest.retain(|c| !self.recorded.contains(c));
                for certificate in rest {
                    self.new_row(
                        key,
                        Some(certificate),
                        false,
                        Flag::UnknownCertificate,
                        &finding.why,
                    );
                }
            }
        } else if let Some(finding) = flag(&[Flag::Unknown, Flag::AccessOrphan]) {
            if self.has_own_primary(key) {
                return;
            }
            let certificates = current(key);
            if certificates.is_empty() {
                let newest = newest(key);
                self.new_row(key, newest, true, finding.flag, &finding.why);
            }
            for (number, certificate) in certificates.into_iter().enumerate() {
                self.new_row(
                    key,
                    Some(certificate),
                    number == 0,
                    finding.flag,
                    &finding.why,
                );
            }
            return;
        }
        self.keep(key, &id);
        let lacking = key
            .flags
            .iter()
            .filter(|f| f.flag == Flag::UnknownCertificate);
        for finding in lacking {
            let certificate = finding.certificate();
            if certificate.is_some_and(|c| !self.recorded.contains(&c)) {
                self.new_row(key, certificate, false, finding.flag, &finding.why);
            }
        }
    }

    /// A key that was replaced and is still there needs a row of its own: the one that it had goes on with its successor.
    fn keep(&mut self, key: &'r KeyReport, id: &str) {
        let rows: Vec<&SharedText> = self
            .abandoned
            .iter()
            .filter(|(key, _)| key == id)
            .map(|(_, row)| row)
            .collect();
        let Some(first) = rows.first() else { return };
        if key.entries.iter().any(|e| !rows.contains(&e)) {
            return;
        }
        let why = format!("{first} names what took its place, and this is still there");
        if let Some(mut thing) = thing(self.report, key, newest(key), true) {
            thing.state = State::Deactivated;
            self.out.push(Proposal {
                row: None,
                flag: Flag::RenewedUnrecorded,
                why,
                parts: Parts::default(),
                thing,
            });
        }
    }

    fn new_row(
        &mut self,
        key: &KeyReport,
        certificate: Option<Sha256Hex>,
        with_key: bool,
        flag: Flag,
        why: &str,
    ) {
        if let Some(thing) = thing(self.report, key, certificate, with_key) {
            self.out.push(Proposal {
                row: None,
                flag,
                why: why.to_owned(),
                parts: Parts::default(),
                thing,
            });
        }
    }

    /// A row that names an OpenPGP primary key covers its subkeys.
    fn has_own_primary(&self, key: &KeyReport) -> bool {
        judged(key)
            .filter_map(|s| s.pgp.as_ref()?.primary.as_deref())
            .any(|primary| {
                self.report.keys.iter().any(|other| {
                    other.class == Class::Own
                        && other.key_id != key.key_id
                        && judged(other).any(|s| s.fingerprints.pgp_fingerprint() == Some(primary))
                })
            })
    }
}

/// Which of a row's cells disagree with what was found, by the rules of `mismatch`.
fn disagreement(entry: &Entry, key: &KeyReport, certificate: Option<Sha256Hex>) -> Parts {
    let mut parts = Parts::default();
    let stated = entry.algorithm.as_deref().and_then(Algorithm::read);
    if let (Some(stated), Some(seen)) =
        (&stated, key.algorithm.as_deref().and_then(Algorithm::read))
    {
        parts.algorithm = !stated.agrees(&seen);
    }
    let by_name = stated.as_ref().and_then(|s| s.bits);
    if let (Some(stated), Some(seen)) = (entry.bits.or(by_name), key.bits) {
        parts.bits = stated != seen;
        // The size may stand in the algorithm's name alone.
        parts.algorithm |= by_name.is_some_and(|b| b != seen);
    }
    let facts = certificate.and_then(|wanted| {
        judged(key)
            .find(|s| s.fingerprints.cert_sha256() == Some(wanted))
            .and_then(|s| s.certificate.as_deref())
    });
    let end = match facts {
        Some(facts) => facts.not_after,
        None => judged(key)
            .filter_map(|s| {
                s.ssh
                    .as_ref()
                    .and_then(|ssh| ssh.rare().valid_before)
                    .or_else(|| s.pgp.as_ref()?.expires)
            })
            .max(),
    };
    if let (Some(stated), Some(end)) = (entry.expires, end) {
        parts.expires = !dates::agree(stated, end);
    }
    let Some(facts) = facts else { return parts };
    if let (Some(own), Some(seen)) = (
        entry.subject.as_deref().and_then(Name::read),
        Name::read(&facts.subject),
    ) {
        parts.subject = !own.agrees(&seen);
    }
    let mut serials = entry
        .identifiers
        .iter()
        .filter_map(|i| match i {
            Identifier::Serial(serial) | Identifier::IssuerSerial { serial, .. } => Some(serial),
            _ => None,
        })
        .peekable();
    parts.serial = serials.peek().is_some() && !serials.any(|s| serials_agree(s, &facts.serial));
    parts
}

/// Whether one of a row's places is this one.
fn allows(entry: &Entry, at: &SeenAt) -> bool {
    let on_host = |host: &str| {
        let seen = at.host.to_lowercase();
        Glob::read(host).matches(&seen) || seen.split('.').next() == Some(host)
    };
    let fits = |host: &Option<ArcStr>| host.as_deref().is_none_or(on_host);
    entry.places.iter().any(|place| match place {
        EntryPlace::Exact { host, path } => fits(host) && **path == *at.path,
        EntryPlace::Glob { host, pattern } => fits(host) && Glob::read(pattern).matches(&at.path),
        EntryPlace::Host(host) => on_host(host),
        EntryPlace::Elsewhere(_) => false,
    })
}

const fn joined(a: Parts, b: Parts) -> Parts {
    Parts {
        identity: a.identity || b.identity,
        algorithm: a.algorithm || b.algorithm,
        bits: a.bits || b.bits,
        expires: a.expires || b.expires,
        subject: a.subject || b.subject,
        serial: a.serial || b.serial,
        places: a.places || b.places,
        rotated: a.rotated || b.rotated,
    }
}
