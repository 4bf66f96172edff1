//! Whether a certificate is in force, replaced, or only history.

use super::alternative_names;
use super::context::{Cert, Row, World, directory, file_name, paths};
use super::dates::plus_days;
use super::lineage::settled;
use super::tokens::{Token, of_sighting};
use crate::model::{Certificate, CertificateStatus, KeyId, Sha256Hex, Sighting};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Containers whose members are kept, not used.
const ARCHIVES: &[&str] = &["tar", "zip", "cpio", "7z", "rar", "ar", "git"];
/// What an image is made of.
const LAYER: &str = "layer";
/// Zip files that a program runs from.
const PROGRAMS: &[&str] = &[
    "jar", "war", "ear", "apk", "aar", "whl", "egg", "nupkg", "jmod", "xpi",
];

/// Sets the status of each certificate and of each of its sightings.
pub(super) fn decide(world: &mut World<'_>) {
    let newest = newest_by_group(world);
    let recorded = recorded(world);
    let mut of_sighting: Vec<(usize, CertificateStatus)> = Vec::new();
    let mut statuses = Vec::with_capacity(world.certificates.len());
    for (number, certificate) in world.certificates.iter().enumerate() {
        let Some(facts) = world.facts(certificate) else {
            statuses.push((CertificateStatus::Current, None));
            continue;
        };
        let replaced_by_row = recorded.contains(&number);
        let mut whole = None;
        let mut successor = None;
        for (host, sightings) in by_host(world, certificate) {
            let age = Age::of(facts);
            let of_groups = groups(world, number, host, &sightings);
            let best = of_groups.iter().filter_map(|group| newest.get(group)).max();
            let newer = best.filter(|(best, _)| *best > age);
            successor = successor.max(newer);
            let newer_there = newer.is_some();
            let history = facts.precertificate || world.at(&sightings).all(is_history);
            let status = if history {
                CertificateStatus::Historic
            } else if newer_there || replaced_by_row {
                CertificateStatus::Superseded
            } else {
                CertificateStatus::Current
            };
            // In force on one host is in force; only what is history everywhere is history.
            let judged = sightings
                .iter()
                .any(|s| certificate.judged.binary_search(s).is_ok());
            if judged || certificate.judged.is_empty() {
                whole = Some(whole.map_or(status, |w: CertificateStatus| w.min(status)));
            }
            of_sighting.extend(sightings.into_iter().map(|s| (s, status)));
        }
        let whole = whole.unwrap_or(CertificateStatus::Current);
        statuses.push((whole, successor.map(|(_, number)| *number)));
    }
    for (certificate, (status, successor)) in world.certificates.iter_mut().zip(statuses) {
        certificate.status = status;
        certificate.successor = successor;
    }
    for (sighting, status) in of_sighting {
        if let Some(facts) = world
            .sightings
            .get_mut(sighting)
            .and_then(|s| s.certificate.as_mut())
        {
            facts.status = Some(status);
        }
    }
}

/// The sightings of a certificate on each host.
fn by_host(world: &World<'_>, certificate: &Cert) -> BTreeMap<usize, Vec<usize>> {
    let mut by_host: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &sighting in &certificate.sightings {
        by_host
            .entry(world.host(sighting))
            .or_default()
            .push(sighting);
    }
    by_host
}

/// Start and then end of validity: the greater, the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age(Option<jiff::Timestamp>, Option<jiff::Timestamp>);

impl Age {
    pub(super) fn of(facts: &Certificate) -> Self {
        Self(facts.not_before, facts.not_after)
    }
}

/// What a newer certificate must share to replace one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Group {
    Key(usize, usize),
    Names(usize, String, String, Vec<String>),
    /// Self-signed ones of different keys have no issuer in common: only in one directory do they follow
    /// one another, or every `CN=localhost` would replace every other.
    SelfSigned(usize, String, Vec<String>, String),
    /// Generations of one file, whoever issued them; authorities beside them in a chain are none.
    Generations(usize, String),
}

/// The groups of a certificate on one host, with its sightings there.
fn groups(world: &World<'_>, number: usize, host: usize, here: &[usize]) -> Vec<Group> {
    let Some(certificate) = world.certificates.get(number) else {
        return Vec::new();
    };
    let mut out = vec![Group::Key(host, certificate.key)];
    let leaf = world.facts(certificate).is_some_and(|facts| !facts.is_ca);
    let generations: BTreeSet<String> = world
        .at(if leaf { here } else { &[] })
        .flat_map(paths)
        .filter_map(settled)
        .collect();
    out.extend(
        generations
            .into_iter()
            .map(|path| Group::Generations(host, path)),
    );
    let names = certificate.names.clone();
    if certificate.subject == certificate.issuer {
        let directories: BTreeSet<&str> = world
            .at(here)
            .map(|s| directory(&s.location.path))
            .collect();
        out.extend(directories.into_iter().map(|directory| {
            Group::SelfSigned(
                host,
                certificate.subject.clone(),
                names.clone(),
                directory.to_owned(),
            )
        }));
    } else {
        out.push(Group::Names(
            host,
            certificate.subject.clone(),
            certificate.issuer.clone(),
            names,
        ));
    }
    out
}

fn newest_by_group(world: &World<'_>) -> HashMap<Group, (Age, usize)> {
    let mut newest: HashMap<Group, (Age, usize)> = HashMap::new();
    for (number, certificate) in world.certificates.iter().enumerate() {
        // The certificate that a precertificate announces has its dates and its key.
        let Some(facts) = world.facts(certificate).filter(|f| !f.precertificate) else {
            continue;
        };
        for (host, here) in by_host(world, certificate) {
            // What is itself only kept does not replace what is in use.
            if world.at(&here).all(is_history) {
                continue;
            }
            for group in groups(world, number, host, &here) {
                let best = newest.entry(group).or_insert((Age::of(facts), number));
                *best = (*best).max((Age::of(facts), number));
            }
        }
    }
    newest
}

/// The certificates that a row replaces: it names another one that ends later, of the same key, or of the
/// same subject, names and issuer.
fn recorded(world: &World<'_>) -> BTreeSet<usize> {
    let mut by_names: HashMap<(String, String), Vec<usize>> = HashMap::new();
    let mut by_key: HashMap<Sha256Hex, Vec<usize>> = HashMap::new();
    for (number, row) in world.rows.iter().enumerate() {
        if row.entry.expires.is_none() || !certificate_tokens(&row.identifiers).any(|_| true) {
            continue;
        }
        if let (Some(subject), Some(issuer)) = (&row.subject, &row.issuer) {
            let key = (subject.key(), issuer.key());
            by_names.entry(key).or_default().push(number);
        }
        for tokens in &row.identifiers {
            if let [Token::Spki(digest)] = tokens.as_slice() {
                by_key.entry(*digest).or_default().push(number);
            }
        }
    }
    for rows in by_names.values_mut().chain(by_key.values_mut()) {
        // Only the last to end matter, and some more in case these name the certificate itself.
        rows.sort_by_key(|&r| {
            std::cmp::Reverse(world.rows.get(r).and_then(|row| row.entry.expires))
        });
        rows.truncate(8);
    }
    let mut out = BTreeSet::new();
    for (number, certificate) in world.certificates.iter().enumerate() {
        let Some(end) = world.facts(certificate).and_then(|f| f.not_after) else {
            continue;
        };
        let Some(first) = world.at(&certificate.sightings).next() else {
            continue;
        };
        let of_id = match &first.key_id {
            Some(KeyId::Spki(digest)) => Some(*digest),
            _ => None,
        };
        let of_names = by_names.get(&(certificate.subject.clone(), certificate.issuer.clone()));
        let spki = [first.fingerprints.spki_sha256, of_id];
        let of_key: Vec<usize> = spki
            .iter()
            .flatten()
            .filter_map(|digest| by_key.get(digest))
            .flatten()
            .copied()
            .collect();
        if of_names.is_none() && of_key.is_empty() {
            continue;
        }
        let own: BTreeSet<Token> = of_sighting(first).into_iter().collect();
        let replaces = |row: &Row<'_>| {
            let later = row.entry.expires.is_some_and(|e| e.at > plus_days(end, 1));
            later && !certificate_tokens(&row.identifiers).any(|t| own.contains(t))
        };
        let names_fit = |row: &Row<'_>| {
            let names: Vec<String> = row.entry.sans.iter().map(|n| n.to_lowercase()).collect();
            names.is_empty() || same_names(&names, &certificate.names)
        };
        let mut named = of_names.into_iter().flatten();
        let row = |number: &usize| world.rows.get(*number);
        if named.any(|n| row(n).is_some_and(|row| replaces(row) && names_fit(row)))
            || of_key.iter().any(|n| row(n).is_some_and(replaces))
        {
            out.insert(number);
        }
    }
    out
}

/// The identifiers that name a certificate beyond doubt.
fn certificate_tokens(identifiers: &[Vec<Token>]) -> impl Iterator<Item = &Token> {
    identifiers
        .iter()
        .flatten()
        .filter(|t| t.method().is_strong() && t.method().names_certificate())
}

/// Names with or without their type (`DNS:`), in any spelling.
pub(super) fn same_names(row: &[String], certificate: &[String]) -> bool {
    alternative_names::normal(row) == alternative_names::normal(certificate)
}

/// Whether a sighting is in history, in an archive that is no program, or in a layer whose images have it no more.
fn is_history(sighting: &Sighting) -> bool {
    if sighting.is_removed_from_images() {
        return true;
    }
    let mut holder = file_name(&sighting.location.path);
    // A layer is what a program runs from: the archive that it is stored as keeps nothing else.
    let mut is_layer = false;
    sighting.location.inside.iter().any(|member| {
        let extension = holder.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
        let program = extension.is_some_and(|e| PROGRAMS.contains(&e.as_str()));
        holder = member.name.as_deref().map_or("", file_name);
        is_layer |= member.container == LAYER;
        let is_archive = ARCHIVES.contains(&member.container.as_str());
        is_archive && !program && !std::mem::take(&mut is_layer)
    })
}
