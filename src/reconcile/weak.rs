//! Weak evidence: a row's file, subject or name, for rows that no strong identifier settled.

use super::context::{Key, Row, World, paths};
use super::join::{Join, Method, RowMatch, WEAK_KEYS, WeakLink};
use super::names::{Name, folded};
use super::places::{HostRef, Place};
use super::tokens::serials_agree;
use crate::model::{Identifier, KeyId, Kind, Sighting};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A file with more artifacts than this is a list or a store: none of them is what a row means by the file.
const CROWD: usize = 256;

/// What lies at the very files that rows name.
pub(super) struct AtPlace {
    /// By path and host: one path is a file on each of a thousand hosts.
    by_path: HashMap<String, BTreeMap<usize, Vec<usize>>>,
    key_of: Vec<Option<usize>>,
}

impl AtPlace {
    /// Indexes the sightings at the files that rows name.
    pub(super) fn index(world: &World<'_>) -> Self {
        let wanted: HashSet<&str> = world
            .rows
            .iter()
            .flat_map(|row| &row.places)
            .filter_map(|place| match place {
                Place::Exact { path, .. } => Some(path.as_str()),
                _ => None,
            })
            .collect();
        let mut by_path: HashMap<String, BTreeMap<usize, Vec<usize>>> = HashMap::new();
        let mut key_of = vec![None; world.sightings.len()];
        for (number, key) in world.keys.iter().enumerate() {
            for &sighting in &key.all {
                if let Some(slot) = key_of.get_mut(sighting) {
                    *slot = Some(number);
                }
            }
        }
        for (number, sighting) in world.sightings.iter().enumerate() {
            for path in paths(sighting).filter(|path| wanted.contains(path)) {
                let host = world.host(number);
                let files = match by_path.get_mut(path) {
                    Some(files) => files,
                    None => by_path.entry(path.to_owned()).or_default(),
                };
                files.entry(host).or_default().push(number);
            }
        }
        Self { by_path, key_of }
    }

    /// The sightings at a path of the host that a place names; none where they are a crowd.
    fn at(&self, host: &HostRef, path: &str) -> Vec<usize> {
        let Some(files) = self.by_path.get(path) else {
            return Vec::new();
        };
        let found = match host {
            HostRef::Swept(host) => files.get(host).cloned().unwrap_or_default(),
            HostRef::Any => files.values().flatten().copied().take(CROWD + 1).collect(),
            HostRef::Unswept(_) => Vec::new(),
        };
        if found.len() > CROWD {
            Vec::new()
        } else {
            found
        }
    }

    /// The keys of a row's type at the files that it names, each with a sighting there.
    ///
    /// Files that list keys of many parties (grants, known hosts) say nothing about which is meant, nor
    /// does a file with many keys; beside a leaf certificate its issuers are not meant.
    pub(super) fn candidates(&self, world: &World<'_>, row: &Row<'_>) -> Vec<(usize, usize)> {
        let mut found: BTreeMap<usize, usize> = BTreeMap::new();
        for place in &row.places {
            let Place::Exact { host, path } = place else {
                continue;
            };
            for number in self.at(host, path) {
                let (Some(s), Some(key)) = (
                    world.sightings.get(number),
                    self.key_of.get(number).copied().flatten(),
                ) else {
                    continue;
                };
                let listed = matches!(s.kind, Kind::AuthorizedKey | Kind::KnownHost | Kind::Crl);
                if row.covers(s.kind) && !listed {
                    found.entry(key).or_insert(number);
                }
            }
        }
        let is_ca = |number: &usize| {
            let facts = world
                .sightings
                .get(*number)
                .and_then(|s| s.certificate.as_deref());
            facts.is_some_and(|c| c.is_ca)
        };
        if found.values().any(|number| !is_ca(number)) {
            found.retain(|_, number| !is_ca(number));
        }
        if found.len() > WEAK_KEYS {
            Vec::new()
        } else {
            found.into_iter().collect()
        }
    }
}

/// Adds weak links for the rows that need them, and tells for each key the rows that point at its place.
pub(super) fn extend(world: &World<'_>, at_place: &AtPlace, join: &mut Join) -> Vec<Vec<usize>> {
    let mut pointing: Vec<Vec<usize>> = vec![Vec::new(); world.keys.len()];
    let names = Names::index(world, join);
    for (number, row) in world.rows.iter().enumerate() {
        let settled = join.rows.get(number).is_none_or(RowMatch::is_seen);
        let mut found: BTreeMap<usize, Method> = BTreeMap::new();
        for (key, _) in at_place.candidates(world, row) {
            if let Some(list) = pointing.get_mut(key) {
                list.push(number);
            }
            found.insert(key, Method::Path);
        }
        if settled {
            // It needs no weak evidence, but a closed key at its file does.
            found.retain(|&key, _| is_closed(world, key) && join.link(key, number).is_none());
            for key in found.into_keys() {
                if let Some(list) = join.weak.get_mut(key) {
                    list.push(WeakLink {
                        other: number,
                        method: Method::Path,
                    });
                }
            }
            continue;
        }
        for (key, method) in names.candidates(world, row) {
            found
                .entry(key)
                .and_modify(|m| *m = (*m).min(method))
                .or_insert(method);
        }
        for (key, method) in found {
            // What can be compared and differs contradicts; it does not match weakly.
            let masks = (join.row_methods.get(number), join.methods.get(key));
            if matches!(masks, (Some(a), Some(b)) if a & b != 0) || other_serial(world, row, key) {
                continue;
            }
            let link = |other| WeakLink { other, method };
            let (Some(of_row), Some(of_key)) = (join.rows.get_mut(number), join.weak.get_mut(key))
            else {
                continue;
            };
            if of_row.weak.iter().all(|l| l.other != key) {
                of_row.weak.push(link(key));
                of_key.push(link(number));
            }
        }
    }
    pointing
}

fn is_closed(world: &World<'_>, key: usize) -> bool {
    let key = world.keys.get(key);
    key.is_some_and(|k| matches!(k.id, KeyId::Opaque(_)))
}

/// Whether the row gives a serial alone and the key has certificates, none of which has it.
fn other_serial(world: &World<'_>, row: &Row<'_>, key: usize) -> bool {
    let serials: Vec<&str> = row
        .entry
        .identifiers
        .iter()
        .filter_map(|i| match i {
            Identifier::Serial(serial) => Some(&**serial),
            _ => None,
        })
        .collect();
    let certificates = world.keys.get(key).map_or(&[][..], |k| &k.certificates);
    let mut facts = certificates
        .iter()
        .filter_map(|&c| world.facts(world.certificates.get(c)?))
        .peekable();
    !serials.is_empty()
        && facts.peek().is_some()
        && facts.all(|f| !serials.iter().any(|s| serials_agree(s, &f.serial)))
}

/// Keys by the names that their sightings carry.
struct Names {
    subjects: HashMap<String, BTreeSet<usize>>,
    names: HashMap<String, BTreeSet<usize>>,
}

impl Names {
    fn index(world: &World<'_>, join: &Join) -> Self {
        let mut out = Self {
            subjects: HashMap::new(),
            names: HashMap::new(),
        };
        let open =
            |(number, _): &(usize, &Row<'_>)| !join.rows.get(*number).is_none_or(RowMatch::is_seen);
        let rows = || {
            world
                .rows
                .iter()
                .enumerate()
                .filter(open)
                .map(|(_, row)| row)
        };
        let subjects: HashSet<String> = rows()
            .filter_map(|r| r.subject.as_ref())
            .map(Name::key)
            .collect();
        let names: HashSet<String> = rows().filter_map(name_of).collect();
        if subjects.is_empty() && names.is_empty() {
            return out;
        }
        for (number, key) in world.keys.iter().enumerate() {
            for sighting in world.at(&key.judged) {
                let (subject_keys, short) = names_of(sighting);
                for text in subject_keys.into_iter().filter(|t| subjects.contains(t)) {
                    out.subjects.entry(text).or_default().insert(number);
                }
                for text in short.into_iter().filter(|t| names.contains(t)) {
                    out.names.entry(text).or_default().insert(number);
                }
            }
        }
        out
    }

    fn candidates(&self, world: &World<'_>, row: &Row<'_>) -> Vec<(usize, Method)> {
        let by_subject = row
            .subject
            .as_ref()
            .and_then(|s| self.subjects.get(&s.key()));
        let by_name = name_of(row).and_then(|n| self.names.get(&n));
        let groups = [(by_subject, Method::Subject), (by_name, Method::Name)];
        let mut out = Vec::new();
        for (keys, method) in groups {
            let Some(keys) = keys.filter(|k| k.len() <= WEAK_KEYS) else {
                continue;
            };
            let meant = |key: &Key| world.at(&key.judged).any(|s| row.covers(s.kind));
            let keys = keys
                .iter()
                .filter(|&&k| world.keys.get(k).is_some_and(meant));
            out.extend(keys.map(|&key| (key, method)));
        }
        out
    }
}

/// The name by which a row may mean something, when it has nothing better.
fn name_of(row: &Row<'_>) -> Option<String> {
    let bare = row.identifiers.is_empty() && row.subject.is_none();
    row.entry
        .name
        .as_deref()
        .filter(|_| bare)
        .map(folded)
        .filter(|n| !n.is_empty())
}

/// Subject keys (whole, and by each common name), and short names.
fn names_of(sighting: &Sighting) -> (Vec<String>, Vec<String>) {
    let mut subjects = Vec::new();
    let mut short: Vec<String> = Vec::new();
    if let Some(facts) = sighting
        .certificate
        .as_deref()
        .filter(|_| sighting.kind == Kind::Certificate)
    {
        if let Some(name) = Name::read(&facts.subject) {
            subjects.push(name.key());
            for cn in name.common_names() {
                subjects.extend(Name::read(cn).map(|bare| bare.key()));
                short.push(cn.to_owned());
            }
        }
        short.extend(
            facts
                .sans
                .iter()
                .filter_map(|san| san.strip_prefix("DNS:"))
                .map(folded),
        );
    }
    let comment = sighting.ssh.as_ref().and_then(|ssh| ssh.comment.as_deref());
    short.extend(comment.map(folded));
    short.extend(sighting.location.alias.as_deref().map(folded));
    (subjects, short)
}
