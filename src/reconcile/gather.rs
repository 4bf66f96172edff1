//! From sightings to keys and certificates.

use super::context::{Cert, Key};
use super::names::name_key;
use super::trust::is_disabled;
use crate::model::{CertificateStatus, KeyId, Kind, Sighting};
use std::collections::{BTreeMap, HashMap};

/// Keys in order of their ids, their certificates, and the sightings that have no key.
pub(super) fn gather(sightings: &[Sighting]) -> (Vec<Key>, Vec<Cert>, Vec<usize>) {
    let mut by_key: HashMap<&KeyId, Vec<usize>> = HashMap::new();
    let mut others = Vec::new();
    for (number, sighting) in sightings.iter().enumerate() {
        match &sighting.key_id {
            Some(id) => by_key.entry(id).or_default().push(number),
            None => others.push(number),
        }
    }
    let mut groups: Vec<(&KeyId, Vec<usize>)> = by_key.into_iter().collect();
    groups.sort_unstable_by(|(one, _), (other, _)| one.by_text(other));
    let mut keys = Vec::with_capacity(groups.len());
    let mut certificates = Vec::new();
    for (id, all) in groups {
        let class = all
            .iter()
            .filter_map(|&i| sightings.get(i))
            .map(|s| s.class)
            .min()
            .unwrap_or_default();
        let judged: Vec<usize> = all
            .iter()
            .copied()
            .filter(|&i| sightings.get(i).is_some_and(|s| s.class == class))
            .collect();
        let reference_only = judged
            .iter()
            .filter_map(|&i| sightings.get(i))
            .all(|s| s.kind.is_reference() || is_disabled(s));
        let own = certificates_of(keys.len(), sightings, &all, &judged);
        let first = certificates.len();
        certificates.extend(own);
        let numbers = (first..certificates.len())
            .filter(|&c| {
                certificates
                    .get(c)
                    .is_some_and(|c: &Cert| !c.judged.is_empty())
            })
            .collect();
        let key = Key {
            id: id.clone(),
            class,
            all,
            judged,
            reference_only,
            certificates: numbers,
        };
        keys.push(key);
    }
    (keys, certificates, others)
}

fn certificates_of(
    key: usize,
    sightings: &[Sighting],
    all: &[usize],
    judged: &[usize],
) -> Vec<Cert> {
    let mut groups: BTreeMap<String, Cert> = BTreeMap::new();
    for &number in all {
        let Some(sighting) = sightings.get(number) else {
            continue;
        };
        let Some(facts) = sighting.certificate.as_deref() else {
            continue;
        };
        if sighting.kind != Kind::Certificate {
            continue;
        }
        let sha256 = sighting.fingerprints.cert_sha256;
        let id = match sha256 {
            Some(digest) => digest.to_string(),
            // A sweep of another tool may lack digests; issuer and serial tell certificates apart too.
            None => format!("{} {}", facts.issuer, facts.serial),
        };
        let cert = groups.entry(id).or_insert_with(|| {
            let mut names: Vec<String> = facts.sans.iter().map(|n| n.to_lowercase()).collect();
            names.sort();
            names.dedup();
            Cert {
                key,
                sha256,
                sightings: Vec::new(),
                judged: Vec::new(),
                subject: name_key(&facts.subject),
                issuer: name_key(&facts.issuer),
                names,
                status: CertificateStatus::Current,
                successor: None,
            }
        });
        cert.sightings.push(number);
        if judged.binary_search(&number).is_ok() {
            cert.judged.push(number);
        }
    }
    groups.into_values().collect()
}
