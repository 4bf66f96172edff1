//! What took the place of a row's thing: an unrecorded renewal, or another key at the row's file.

use super::certificate_status::{Age, same_names};
use super::context::{Cert, Row, World};
use super::dates;
use super::join::Join;
use super::names::Name;
use super::strength::security_bits;
use super::weak::AtPlace;
use crate::model::{Flag, Moment, Severity, Sighting};
use std::collections::{BTreeMap, HashMap};

/// Rows whose thing was replaced, and rows at whose file lies something else; made once for all keys.
pub(super) struct Replaced {
    /// Per key: the lapsed rows that it renews.
    pub(super) renewals: BTreeMap<usize, Vec<Renewal>>,
    /// Per key: the rows at whose file it lies instead of what they name, with the sighting there.
    pub(super) strangers: BTreeMap<usize, Vec<(usize, usize)>>,
    /// Rows that were renewed.
    pub(super) renewed_rows: Vec<bool>,
    /// Rows at whose file lies another key.
    pub(super) displaced_rows: Vec<bool>,
}

/// A lapsed row, and what took its place.
pub(super) struct Renewal {
    pub(super) row: usize,
    pub(super) certificate: Option<usize>,
    pub(super) severity: Severity,
    pub(super) why: String,
}

impl Replaced {
    /// Looks at every row that has lapsed, or that was expected and is seen nowhere.
    pub(super) fn find(world: &World<'_>, join: &Join, at_place: &AtPlace) -> Self {
        let mut out = Self {
            renewals: BTreeMap::new(),
            strangers: BTreeMap::new(),
            renewed_rows: vec![false; world.rows.len()],
            displaced_rows: vec![false; world.rows.len()],
        };
        let by_names = by_names(world);
        for (number, row) in world.rows.iter().enumerate() {
            let Some(found) = join.rows.get(number) else {
                continue;
            };
            if !row.is_live() || row.identifiers.is_empty() || !found.weak.is_empty() {
                continue;
            }
            let own = own_certificate(world, join, number);
            let at_file = at_place.candidates(world, row);
            if let Some(lapsed) = lapse(world, row, own) {
                let successor = successor(world, join, number, lapsed, &at_file, own, &by_names);
                if let Some((key, certificate)) = successor {
                    if let Some(slot) = out.renewed_rows.get_mut(number) {
                        *slot = true;
                    }
                    let renewal = describe(world, number, key, certificate, own, lapsed);
                    out.renewals.entry(key).or_default().extend(renewal);
                    continue;
                }
            } else if !found.is_seen()
                && let Some((key, sighting)) = stranger(world, join, &at_file)
            {
                if let Some(slot) = out.displaced_rows.get_mut(number) {
                    *slot = true;
                }
                out.strangers
                    .entry(key)
                    .or_default()
                    .push((number, sighting));
            }
        }
        out
    }
}

/// The newest certificate that the row names and that was seen.
fn own_certificate<'w>(world: &'w World<'_>, join: &Join, row: usize) -> Option<&'w Cert> {
    let keys = &join.rows.get(row)?.keys;
    let links = keys.iter().filter_map(|&k| join.link(k, row));
    links
        .flat_map(|l| &l.named)
        .filter_map(|&c| world.certificates.get(c))
        .max_by_key(|c| world.facts(c).map(Age::of))
}

/// When the row's thing came to its end, if it has: by its certificate, else by its own date.
fn lapse(world: &World<'_>, row: &Row<'_>, own: Option<&Cert>) -> Option<Moment> {
    let seen = own
        .and_then(|c| world.facts(c)?.not_after)
        .map(|at| Moment { at, has_time: true });
    seen.or(row.entry.expires)
        .filter(|&end| dates::passed(end, world.now))
}

type ByNames = HashMap<(String, String), Vec<usize>>;

/// Leaf certificates by subject and issuer, the newest first.
fn by_names(world: &World<'_>) -> ByNames {
    let mut out: ByNames = HashMap::new();
    for (number, certificate) in world.certificates.iter().enumerate() {
        if !certificate.subject.is_empty() && !certificate.judged.is_empty() {
            let key = (certificate.subject.clone(), certificate.issuer.clone());
            out.entry(key).or_default().push(number);
        }
    }
    for list in out.values_mut() {
        let age = |c: &usize| {
            world
                .certificates
                .get(*c)
                .and_then(|c| world.facts(c))
                .map(Age::of)
        };
        list.sort_by_key(|c| std::cmp::Reverse((age(c), *c)));
        list.truncate(8);
    }
    out
}

/// What took the place of a lapsed row: at its file, or of its names and issuer; in no row itself.
fn successor(
    world: &World<'_>,
    join: &Join,
    row: usize,
    lapsed: Moment,
    at_file: &[(usize, usize)],
    own: Option<&Cert>,
    by_names: &ByNames,
) -> Option<(usize, Option<usize>)> {
    let newer = |c: &usize| {
        let facts = world.certificates.get(*c).and_then(|c| world.facts(c));
        facts
            .filter(|f| !f.precertificate)
            .and_then(|f| f.not_after)
            .is_some_and(|end| end > lapsed.at)
    };
    let unrecorded = |c: &usize| {
        let Some(certificate) = world.certificates.get(*c) else {
            return false;
        };
        let links = join
            .links
            .get(certificate.key)
            .map_or(&[][..], Vec::as_slice);
        links.iter().all(|l| l.row == row && !l.named.contains(c))
    };
    let age = |c: &usize| {
        world
            .certificates
            .get(*c)
            .and_then(|c| world.facts(c))
            .map(Age::of)
    };
    let mut best: Option<usize> = None;
    for &(key, _) in at_file {
        let certificates = world.keys.get(key).map_or(&[][..], |k| &k.certificates);
        let fresh = certificates
            .iter()
            .copied()
            .filter(|c| newer(c) && unrecorded(c));
        best = best.into_iter().chain(fresh).max_by_key(|c| (age(c), *c));
    }
    let entry = world.rows.get(row)?;
    if best.is_none() {
        let subject = own
            .map(|c| c.subject.clone())
            .or_else(|| entry.subject.as_ref().map(Name::key));
        let issuer = own
            .map(|c| c.issuer.clone())
            .or_else(|| entry.issuer.as_ref().map(Name::key));
        let names = own
            .map(|c| c.names.clone())
            .unwrap_or_else(|| lower(&entry.entry.sans));
        if let (Some(subject), Some(issuer)) = (subject, issuer) {
            let list = by_names.get(&(subject, issuer)).into_iter().flatten();
            let same = |c: &&usize| {
                let seen = world
                    .certificates
                    .get(**c)
                    .map(|c| c.names.as_slice())
                    .unwrap_or_default();
                names.is_empty() || same_names(&names, seen)
            };
            best = list
                .filter(same)
                .copied()
                .find(|c| newer(c) && unrecorded(c));
        }
    }
    if let Some(c) = best {
        return Some((world.certificates.get(c)?.key, Some(c)));
    }
    // A key without certificates: whatever else lies at the file of a row that lapsed and is not there.
    let seen_itself = join.rows.get(row).is_some_and(|r| !r.keys.is_empty());
    at_file
        .iter()
        .find(|(key, _)| {
            let bare = world
                .keys
                .get(*key)
                .is_some_and(|k| k.certificates.is_empty());
            !seen_itself && bare && join.links.get(*key).is_some_and(Vec::is_empty)
        })
        .map(|&(key, _)| (key, None))
}

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|n| n.to_lowercase()).collect()
}

fn describe(
    world: &World<'_>,
    number: usize,
    key: usize,
    certificate: Option<usize>,
    own: Option<&Cert>,
    lapsed: Moment,
) -> Option<Renewal> {
    let row = world.rows.get(number)?;
    let new = certificate.and_then(|c| world.certificates.get(c));
    let issuer = own
        .map(|c| c.issuer.clone())
        .or_else(|| row.issuer.as_ref().map(Name::key));
    let other_issuer = match (&issuer, new) {
        (Some(old), Some(new)) => *old != new.issuer,
        _ => false,
    };
    let strength = |s: &Sighting| security_bits(s.algorithm.as_deref()?, s.bits);
    let after = world.at(&world.keys.get(key)?.judged).find_map(strength);
    let before = own
        .and_then(|c| world.at(&c.sightings).find_map(strength))
        .or_else(|| security_bits(row.entry.algorithm.as_deref()?, row.entry.bits));
    let weaker = matches!((before, after), (Some(before), Some(after)) if after < before);
    let mut why = format!("{} lapsed on {}, and ", row.title(), dates::day(lapsed.at));
    match new.and_then(|c| Some((c, world.facts(c)?))) {
        Some((c, facts)) => {
            let end = facts.not_after.map(dates::day).unwrap_or_default();
            why.push_str(&format!(
                "the newer {} valid until {end} took its place",
                c.title(facts)
            ));
        }
        None => why.push_str("another key took its place"),
    }
    why.push_str(" without being recorded");
    if other_issuer {
        why.push_str("; its issuer differs");
    }
    if weaker {
        why.push_str("; its key is weaker");
    }
    let by_contract = if other_issuer || weaker {
        Severity::Medium
    } else {
        Severity::Info
    };
    let severity = world.policy.graded(Flag::RenewedUnrecorded, by_contract);
    Some(Renewal {
        row: number,
        certificate,
        severity,
        why,
    })
}

/// The key that lies at a row's file instead of what the row names. What other rows account for is none
/// when the file holds several.
fn stranger(world: &World<'_>, join: &Join, at_file: &[(usize, usize)]) -> Option<(usize, usize)> {
    if let [only] = at_file {
        return Some(*only);
    }
    let unregistered = |(key, _): &&(usize, usize)| join.links.get(*key).is_some_and(Vec::is_empty);
    let private =
        |(_, s): &(usize, usize)| world.sightings.get(*s).is_some_and(|s| s.kind.is_private());
    at_file
        .iter()
        .filter(unregistered)
        .max_by_key(|c| (private(c), std::cmp::Reverse(**c)))
        .copied()
}
