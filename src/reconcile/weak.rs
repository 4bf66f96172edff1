//! Weak evidence: a row's file, subject or name, for rows that no strong identifier settled.

use super::context::{Key, Row, World, paths};
use super::few::{NONE, long, short};
use super::grouped::Grouped;
use super::join::{Join, Method, RowMatch, WEAK_KEYS, WeakLink};
use super::names::{NameId, folded};
use super::places::{HostRef, Place};
use super::tokens::serials_agree;
use crate::model::{Identifier, KeyId, Kind, Sighting};
use foldhash::{HashMap, HashSet};
use std::collections::{BTreeMap, BTreeSet};

/// A file with more artifacts than this is a list or a store: none of them is what a row means by the file.
const CROWD: usize = 256;

/// A key at the very file that a row names, with a sighting there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    key: u32,
    sighting: u32,
}

impl Found {
    /// The number of the key.
    pub(super) const fn key(&self) -> usize {
        self.key as usize
    }

    /// The number of the sighting.
    pub(super) const fn sighting(&self) -> usize {
        self.sighting as usize
    }
}

/// What lies at the very files that rows name, by row.
pub(super) struct AtPlace(Grouped<Found>);

/// A sighting at a file that a row names: the path by number, the host and the sighting.
type Lying = (u32, u32, u32);

impl AtPlace {
    /// Looks at the sightings at the files that rows name.
    pub(super) fn index(world: &World<'_>) -> Self {
        let mut numbers: HashMap<&str, u32> = HashMap::default();
        for place in world.rows.iter().flat_map(|row| &row.places) {
            if let Place::Exact { path, .. } = place {
                let next = short(numbers.len());
                numbers.entry(path).or_insert(next);
            }
        }
        // One path is a file on each of a thousand hosts.
        let mut lying: Vec<Lying> = Vec::new();
        for (number, sighting) in world.sightings.iter().enumerate() {
            for path in paths(sighting).filter_map(|path| numbers.get(path)) {
                lying.push((*path, short(world.host(number)), short(number)));
            }
        }
        lying.sort_unstable();
        let mut found: Vec<(u32, Found)> = Vec::new();
        for (number, row) in world.rows.iter().enumerate() {
            let places = row.places.iter().filter_map(|place| match place {
                Place::Exact { host, path } => Some(at(&lying, host, *numbers.get(&**path)?)),
                _ => None,
            });
            let keys = candidates(world, row, places);
            found.extend(keys.into_iter().map(|one| (short(number), one)));
        }
        Self(Grouped::new(world.rows.len(), found))
    }

    /// The keys of a row's type at the files that it names, each with a sighting there.
    pub(super) fn of_row(&self, row: usize) -> &[Found] {
        self.0.get(row)
    }
}

/// What lies at a path of the host that a place names; none where that is a crowd.
fn at<'l>(lying: &'l [Lying], host: &HostRef<'_>, path: u32) -> &'l [Lying] {
    let (from, to) = match host {
        HostRef::Swept(host) => ((path, short(*host)), (path, short(*host))),
        HostRef::Any => ((path, 0), (path, NONE)),
        HostRef::Unswept(_) => return &[],
    };
    let start = lying.partition_point(|(path, host, _)| (*path, *host) < from);
    let rest = lying.get(start..).unwrap_or_default();
    let of_place = |(path, host, _): &&Lying| (*path, *host) <= to;
    let count = rest.iter().take(CROWD + 1).take_while(of_place).count();
    if count > CROWD {
        return &[];
    }
    rest.get(..count).unwrap_or_default()
}

/// The keys of a row's type among what lies at the files that it names.
///
/// Files that list keys of many parties (grants, known hosts) say nothing about which is meant, nor
/// does a file with many keys; beside a leaf certificate its issuers are not meant.
fn candidates<'l>(
    world: &World<'_>,
    row: &Row<'_>,
    places: impl Iterator<Item = &'l [Lying]>,
) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (order, &(_, _, sighting)) in places.flatten().enumerate() {
        let number = sighting as usize;
        let key = world.key_of.get(number).copied().unwrap_or(NONE);
        let (Some(s), Some(_)) = (world.sightings.get(number), long(key)) else {
            continue;
        };
        let listed = matches!(s.kind, Kind::AuthorizedKey | Kind::KnownHost | Kind::Crl);
        if row.covers(s.kind) && !listed {
            found.push(Found { key, sighting });
        }
        // A row may name many files.
        if order % CROWD == CROWD - 1 {
            first_of_each(world, &mut found);
        }
    }
    first_of_each(world, &mut found);
    let is_ca = |found: &Found| {
        let facts = world
            .sightings
            .get(found.sighting())
            .and_then(|s| s.certificate.as_deref());
        facts.is_some_and(|c| c.is_ca)
    };
    if found.iter().any(|found| !is_ca(found)) {
        found.retain(|found| !is_ca(found));
    }
    if found.len() > WEAK_KEYS {
        found.clear();
    }
    found
}

/// Of each key the sighting that came first, in the order of the keys' ids.
fn first_of_each(world: &World<'_>, found: &mut Vec<Found>) {
    found.sort_by_key(|found| world.rank(found.key()));
    found.dedup_by_key(|found| found.key);
}

/// Adds weak links for the rows that need them, and tells for each key the rows that point at its place, and those
/// that may mean it.
pub(super) fn extend(
    world: &World<'_>,
    at_place: &AtPlace,
    join: &mut Join,
) -> (Grouped<u32>, Grouped<WeakLink>) {
    let mut pointing: Vec<(u32, u32)> = Vec::new();
    let names = Names::index(world, join);
    for (number, row) in world.rows.iter().enumerate() {
        let at_file = at_place.of_row(number);
        pointing.extend(at_file.iter().map(|found| (found.key, short(number))));
        if join.rows.get(number).is_none_or(RowMatch::is_seen) {
            // It needs no weak evidence, but a closed key at its file does.
            for found in at_file {
                if is_closed(world, found.key()) && join.link(found.key(), number).is_none() {
                    let link = WeakLink::new(number, Method::Path);
                    join.weak.push((found.key, link));
                }
            }
            continue;
        }
        let by_path = at_file.iter().map(|found| (found.key(), Method::Path));
        // In the order of the ids.
        let mut found: BTreeMap<u32, (usize, Method)> = BTreeMap::new();
        for (key, method) in by_path.chain(names.candidates(world, row)) {
            found
                .entry(world.rank(key))
                .and_modify(|(_, m)| *m = (*m).min(method))
                .or_insert((key, method));
        }
        for (key, method) in found.into_values() {
            // What can be compared and differs contradicts; it does not match weakly.
            let masks = (join.row_methods.get(number), join.methods.get(key));
            if matches!(masks, (Some(a), Some(b)) if a & b != 0) || other_serial(world, row, key) {
                continue;
            }
            let Some(of_row) = join.rows.get_mut(number) else {
                continue;
            };
            if of_row.weak.iter().all(|l| l.other() != key) {
                of_row.weak.push(WeakLink::new(key, method));
                let link = WeakLink::new(number, method);
                join.weak.push((short(key), link));
            }
        }
    }
    let keys = world.keys.len();
    let weak = std::mem::take(&mut join.weak);
    (Grouped::new(keys, pointing), Grouped::new(keys, weak))
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
    let key = world.keys.get(key).into_iter();
    let certificates = key.flat_map(|key| key.certificates.iter());
    let mut facts = certificates
        .filter_map(|c| world.facts(world.certificates.get(c)?))
        .peekable();
    !serials.is_empty()
        && facts.peek().is_some()
        && facts.all(|f| !serials.iter().any(|s| serials_agree(s, &f.serial)))
}

/// Keys by the names that their sightings carry.
#[derive(Default)]
struct Names {
    subjects: HashMap<NameId, BTreeSet<usize>>,
    names: HashMap<String, BTreeSet<usize>>,
}

impl Names {
    fn index(world: &World<'_>, join: &Join) -> Self {
        let mut out = Self::default();
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
        let subjects: HashSet<NameId> = rows()
            .filter_map(|r| r.subject)
            .map(|subject| subject.id)
            .collect();
        let names: HashSet<String> = rows().filter_map(name_of).collect();
        if subjects.is_empty() && names.is_empty() {
            return out;
        }
        for (number, key) in world.keys.iter().enumerate() {
            for certificate in key.certificates.iter() {
                let Some(certificate) = world.certificates.get(certificate) else {
                    continue;
                };
                // Whole, and by each common name.
                let subject = certificate.subject;
                let alone = world.names.common_alone(subject);
                for id in alone.chain([subject]).filter(|id| subjects.contains(id)) {
                    out.subjects.entry(id).or_default().insert(number);
                }
                if names.is_empty() {
                    continue;
                }
                for cn in world.names.common_names(subject) {
                    out.add(&names, cn.to_owned(), number);
                }
            }
            if names.is_empty() {
                continue;
            }
            for s in world.at(&key.judged) {
                short_names(s).for_each(|name| out.add(&names, name, number));
            }
        }
        out
    }

    fn add(&mut self, wanted: &HashSet<String>, name: String, key: usize) {
        if wanted.contains(&name) {
            self.names.entry(name).or_default().insert(key);
        }
    }

    fn candidates(&self, world: &World<'_>, row: &Row<'_>) -> Vec<(usize, Method)> {
        let by_subject = row.subject.and_then(|s| self.subjects.get(&s.id));
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
    let bare = !row.has_identifiers() && row.subject.is_none();
    row.entry
        .name
        .as_deref()
        .filter(|_| bare)
        .map(folded)
        .filter(|n| !n.is_empty())
}

/// The names by which a sighting may be called, beside its subject.
fn short_names(sighting: &Sighting) -> impl Iterator<Item = String> {
    let facts = sighting.certificate.as_deref();
    let facts = facts.filter(|_| sighting.kind == Kind::Certificate);
    let sans = facts.into_iter().flat_map(|facts| &facts.sans);
    let dns = sans.filter_map(|san| san.strip_prefix("DNS:"));
    let comment = sighting.ssh.as_ref().and_then(|ssh| ssh.comment.as_deref());
    let alias = sighting.location.alias.as_deref();
    dns.chain(comment).chain(alias).map(folded)
}
