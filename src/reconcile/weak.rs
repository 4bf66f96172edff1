//! Weak evidence: a row's file, subject or name, for rows that no strong identifier settled.

use super::at_place::AtPlace;
use super::context::{Key, Row, World};
use super::few::short;
use super::grouped::Grouped;
use super::join::{Join, Method, RowMatch, WEAK_KEYS, WeakLink};
use super::names::{NameId, fold_into};
use super::overview::Overview;
use super::texts::Texts;
use super::tokens::serials_agree;
use crate::model::{Identifier, Kind, SharedText, Sighting};
use foldhash::HashMap;

/// Adds weak links for the rows that need them, and tells for each key the rows that point at its place, and those
/// that may mean it.
pub(super) fn extend(
    world: &World<'_>,
    overview: &Overview,
    at_place: &AtPlace,
    mut names: Names,
    join: &mut Join,
) -> (Grouped<u32>, Grouped<WeakLink>) {
    let mut pointing: Vec<(u32, u32)> = Vec::with_capacity(world.rows.len());
    names.settle(world);
    let mut found: Vec<(usize, Method)> = Vec::new();
    for (number, row) in world.rows.iter().enumerate() {
        let at_file = at_place.of_row(number);
        pointing.extend(at_file.iter().map(|found| (found.key, short(number))));
        if join.rows.get(number).is_none_or(RowMatch::is_seen) {
            // It needs no weak evidence, but a closed key at its file does.
            for found in at_file {
                if overview.is_closed(found.key()) && join.link(found.key(), number).is_none() {
                    let link = WeakLink::new(number, Method::Path);
                    join.weak.push((found.key, link));
                }
            }
            continue;
        }
        found.clear();
        found.extend(at_file.iter().map(|found| (found.key(), Method::Path)));
        names.candidates(world, overview, (short(number), row), &mut found);
        // Of each key the strongest; in the order of the ids.
        found.sort_unstable_by_key(|(key, method)| (world.rank(*key), *method));
        found.dedup_by_key(|(key, _)| *key);
        for &(key, method) in &found {
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

/// Whether the row gives a serial alone and the key has certificates, none of which has it.
fn other_serial(world: &World<'_>, row: &Row<'_>, key: usize) -> bool {
    let identifiers = row.entry.identifiers.iter();
    let serials = identifiers.filter_map(|i| match i {
        Identifier::Serial(serial) => Some(&**serial),
        _ => None,
    });
    if serials.clone().next().is_none() {
        return false;
    }
    let key = world.keys.get(key).into_iter();
    let certificates = key.flat_map(|key| key.certificates.iter());
    let mut facts = certificates
        .filter_map(|c| world.facts(world.certificates.get(c)?))
        .peekable();
    facts.peek().is_some() && facts.all(|f| !serials.clone().any(|s| serials_agree(s, &f.serial)))
}

/// Keys by the names that their sightings carry; only names of rows that need them. First every row is added, and then
/// every sighting.
#[derive(Default)]
pub(super) struct Names {
    subjects: HashMap<NameId, Vec<u32>>,
    names: Texts,
    /// By the number of the name: first the sightings and then the keys.
    by_name: Vec<Vec<u32>>,
    /// The row and the number of its name, in order of the rows.
    of_rows: Vec<(u32, u32)>,
    text: String,
}

impl Names {
    /// Adds the names of a row, if nothing strong settled it.
    pub(super) fn add_row(&mut self, number: u32, row: &Row<'_>, found: &RowMatch) {
        if found.is_seen() {
            return;
        }
        if let Some(subject) = row.subject {
            self.subjects.entry(subject.id).or_default();
        } else if name_of(row, &mut self.text) {
            let name = self.names.number(&self.text);
            self.of_rows.push((number, name));
            if name as usize == self.by_name.len() {
                self.by_name.push(Vec::new());
            }
        }
    }

    /// Notes a sighting under those of its names that rows have.
    pub(super) fn add_sighting(&mut self, number: u32, sighting: &Sighting) {
        if self.by_name.is_empty() {
            return;
        }
        for name in short_names(sighting) {
            self.text.clear();
            fold_into(name, &mut self.text);
            add(named(&self.names, &mut self.by_name, &self.text), number);
        }
    }

    /// Turns sightings into keys, over whose judged sightings alone they are named.
    fn settle(&mut self, world: &World<'_>) {
        for list in self.by_name.iter_mut().filter(|list| !list.is_empty()) {
            let of_judged = |number: u32| {
                let index = world.key(number as usize)?;
                let judged = &world.keys.get(index)?.judged;
                judged.contains(number as usize).then_some(short(index))
            };
            *list = list.iter().copied().filter_map(of_judged).collect();
        }
        if self.by_name.is_empty() && self.subjects.is_empty() {
            return;
        }
        for certificate in world.certificates.iter().filter(|c| !c.judged.is_empty()) {
            let (subject, key) = (certificate.subject, short(certificate.key()));
            for cn in world.names.common_names(subject) {
                add(named(&self.names, &mut self.by_name, cn), key);
            }
            if self.subjects.is_empty() {
                continue;
            }
            // Whole, and by each common name.
            for id in world.names.common_alone(subject).chain([subject]) {
                add(self.subjects.get_mut(&id), key);
            }
        }
        for list in self.by_name.iter_mut().chain(self.subjects.values_mut()) {
            list.sort_unstable();
            list.dedup();
        }
    }

    /// Adds the keys that a row may mean by its subject or its name.
    fn candidates(
        &self,
        world: &World<'_>,
        overview: &Overview,
        (number, row): (u32, &Row<'_>),
        out: &mut Vec<(usize, Method)>,
    ) {
        let by_subject = row.subject.and_then(|s| self.subjects.get(&s.id));
        let own = self.of_rows.binary_search_by_key(&number, |(row, _)| *row);
        let own = own.ok().and_then(|place| self.of_rows.get(place));
        let by_name = own.and_then(|(_, name)| self.by_name.get(*name as usize));
        let groups = [(by_subject, Method::Subject), (by_name, Method::Name)];
        for (keys, method) in groups {
            let Some(keys) = keys.filter(|k| k.len() <= WEAK_KEYS) else {
                continue;
            };
            let covers = |n: usize| overview.kind(n).is_some_and(|kind| row.covers(kind));
            let meant = |key: &Key| key.judged.iter().any(covers);
            let keys = keys.iter().map(|&key| key as usize);
            let keys = keys.filter(|&k| world.keys.get(k).is_some_and(meant));
            out.extend(keys.map(|key| (key, method)));
        }
    }
}

/// Adds a number to a list, once if it comes again at once.
fn add(list: Option<&mut Vec<u32>>, number: u32) {
    if let Some(list) = list
        && list.last() != Some(&number)
    {
        list.push(number);
    }
}

/// The list of a name, if a row has it.
fn named<'l>(names: &Texts, lists: &'l mut [Vec<u32>], name: &str) -> Option<&'l mut Vec<u32>> {
    lists.get_mut(names.find(name)? as usize)
}

/// Leaves the name by which a row may mean something, when it has nothing better; tells whether there is one.
fn name_of(row: &Row<'_>, text: &mut String) -> bool {
    text.clear();
    let bare = !row.has_identifiers() && row.subject.is_none();
    if let Some(name) = row.entry.name.as_deref().filter(|_| bare) {
        fold_into(name, text);
    }
    !text.is_empty()
}

/// The names by which a sighting may be called, beside its subject.
fn short_names(sighting: &Sighting) -> impl Iterator<Item = &str> {
    let facts = sighting.certificate.as_deref();
    let facts = facts.filter(|_| sighting.kind == Kind::Certificate);
    let sans = facts.into_iter().flat_map(|facts| &facts.sans);
    let dns = sans.filter_map(|san| san.strip_prefix("DNS:"));
    let comment = sighting.ssh.as_ref().and_then(|ssh| ssh.comment.as_deref());
    let alias = sighting.location.alias().map(SharedText::as_str);
    dns.chain(comment).chain(alias)
}
