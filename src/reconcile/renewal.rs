//! What took the place of a row's thing: an unrecorded renewal, or another key at the row's file.

use super::at_place::{AtPlace, Found};
use super::certificate_status::{Age, same_names};
use super::context::{Cert, Row, World, directory, paths};
use super::dates;
use super::few::{NONE, short};
use super::join::{Join, RowMatch};
use super::lineage::settled_or_same;
use super::names::{NameId, folded};
use super::overview::{Fact, Overview};
use super::places::Place;
use super::strength::security_bits;
use crate::model::{CertificateStatus, Flag, Kind, Moment, Severity, Sighting};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// Rows whose thing was replaced, and rows at whose file lies something else; made once for all keys.
pub(super) struct Replaced {
    /// Per key: the rows that it renews.
    pub(super) renewals: BTreeMap<usize, Vec<Renewal>>,
    /// Per key: the rows at whose file it lies instead of what they name, with the sighting there.
    pub(super) strangers: BTreeMap<usize, Vec<(usize, usize)>>,
    /// Rows that were renewed.
    pub(super) renewed_rows: Vec<bool>,
    /// Those whose renewal has another key.
    pub(super) rekeyed_rows: Vec<bool>,
    /// Rows at whose file lies another key.
    pub(super) displaced_rows: Vec<bool>,
}

/// A row, and what took the place of its thing.
pub(super) struct Renewal {
    pub(super) row: usize,
    pub(super) certificate: Option<usize>,
    pub(super) severity: Severity,
    pub(super) why: String,
}

impl Replaced {
    /// Looks at every row that has lapsed, that was expected and is seen nowhere, or whose certificate was replaced.
    pub(super) fn find(
        world: &World<'_>,
        overview: &Overview,
        join: &Join,
        at_place: &AtPlace,
    ) -> Self {
        let mut out = Self {
            renewals: BTreeMap::new(),
            strangers: BTreeMap::new(),
            renewed_rows: vec![false; world.rows.len()],
            rekeyed_rows: vec![false; world.rows.len()],
            displaced_rows: vec![false; world.rows.len()],
        };
        let by_names = OnceCell::new();
        let by_names = || by_names.get_or_init(|| ByNames::index(world));
        let terms = Terms::of(world);
        for (number, row) in world.rows.iter().enumerate() {
            let (Some(found), Some(brief)) = (join.rows.get(number), overview.row(number)) else {
                continue;
            };
            let may_be_old = brief.is(Fact::Live) && brief.is(Fact::Identified);
            if !may_be_old || !found.weak.is_empty() {
                continue;
            }
            let own = own_certificate(world, overview, &terms, join, number);
            let at_file = at_place.of_row(number);
            let mut keys_there = at_file.iter().map(Found::key);
            let certified = keys_there.any(|key| overview.is_certified(key));
            if own.is_none() && !certified && !brief.is(Fact::Ended) && found.is_seen() {
                continue; // nothing is newer, and it is seen itself
            }
            let old = Old {
                world,
                join,
                number,
                row,
                own,
                at_file,
                overview,
                terms: &terms,
            };
            let end = old.end();
            let lapsed = end.filter(|&end| dates::passed(end, world.now));
            let successor = match lapsed {
                Some(lapsed) => old.after_its_end(lapsed, &by_names),
                None => old.before_its_end(end, &by_names),
            };
            if let Some((key, certificate)) = successor {
                if let Some(slot) = out.renewed_rows.get_mut(number) {
                    *slot = true;
                }
                if let Some(slot) = out.rekeyed_rows.get_mut(number) {
                    *slot = !found.keys.contains(key);
                }
                let renewal = describe(world, number, key, certificate, old.own(), lapsed);
                out.renewals.entry(key).or_default().extend(renewal);
            } else if lapsed.is_none()
                && !found.is_seen()
                && let Some((key, sighting)) = stranger(world, join, old.at_file)
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

/// What is asked of certificates most often, by number, without a look at their sightings.
struct Terms(Vec<Term>);

struct Term {
    age: Option<Age>,
    /// The place of its key.
    rank: u32,
    precertificate: bool,
}

impl Terms {
    fn of(world: &World<'_>) -> Self {
        let term = |certificate: &Cert| {
            let facts = world.facts(certificate);
            Term {
                age: facts.map(Age::of),
                rank: world.rank(certificate.key()),
                precertificate: facts.is_some_and(|facts| facts.precertificate),
            }
        };
        Self(world.certificates.iter().map(term).collect())
    }

    fn age(&self, certificate: usize) -> Option<Age> {
        self.0.get(certificate)?.age
    }

    /// The age of what may be in force.
    fn real(&self, certificate: usize) -> Option<Age> {
        let term = self.0.get(certificate)?;
        term.age.filter(|_| !term.precertificate)
    }

    /// The greater, the newer; of one age by the ids of their keys.
    fn newness(&self, certificate: usize) -> Option<(Option<Age>, u32, usize)> {
        let term = self.0.get(certificate)?;
        Some((term.age, term.rank, certificate))
    }
}

/// The newest certificate that the row names and that was seen.
fn own_certificate<'w>(
    world: &'w World<'_>,
    overview: &Overview,
    terms: &Terms,
    join: &Join,
    row: usize,
) -> Option<(usize, &'w Cert)> {
    let keys = join.rows.get(row)?.keys.iter();
    let certified = keys.filter(|key| overview.has(*key, Kind::Certificate));
    let links = certified.filter_map(|k| join.link(k, row));
    let newest = links
        .flat_map(|l| l.named.iter())
        .max_by_key(|&c| terms.newness(c))?;
    Some((newest, world.certificates.get(newest)?))
}

/// Leaf certificates by subject and issuer: on each host, and over all.
struct ByNames(Vec<Seen>);

/// A certificate on a host, or on any: subject, issuer, host, certificate.
type Seen = (NameId, NameId, u32, u32);

impl ByNames {
    /// No more of one name are looked at.
    const EACH: usize = 8;

    fn index(world: &World<'_>) -> Self {
        let mut out: Vec<Seen> = Vec::with_capacity(2 * world.certificates.len());
        for (number, certificate) in world.certificates.iter().enumerate() {
            if certificate.subject.is_blank() {
                continue;
            }
            let names = (certificate.subject, certificate.issuer);
            let mut add = |host| out.push((names.0, names.1, host, short(number)));
            let mut last = None;
            // Those of one host follow one another.
            for host in certificate.judged.iter().map(|s| world.host(s)) {
                if last.replace(host) != Some(host) {
                    add(short(host));
                }
            }
            if last.is_some() {
                add(ANY);
            }
        }
        out.sort_unstable();
        Self(out)
    }

    /// The newest first.
    fn get(
        &self,
        terms: &Terms,
        host: u32,
        subject: NameId,
        issuer: NameId,
    ) -> impl Iterator<Item = usize> + use<> {
        let wanted = (subject, issuer, host, 0);
        let start = self.0.partition_point(|seen| *seen < wanted);
        let rest = self.0.get(start..).unwrap_or_default().iter();
        let same = rest.take_while(|seen| (seen.0, seen.1, seen.2) == (subject, issuer, host));
        let mut list: Vec<usize> = same.map(|seen| seen.3 as usize).collect();
        list.sort_by_key(|&c| std::cmp::Reverse(terms.newness(c)));
        list.truncate(Self::EACH);
        list.into_iter()
    }
}

/// Stands for any host.
const ANY: u32 = NONE - 1;

/// A row whose thing may have been replaced.
struct Old<'w, 'a> {
    world: &'w World<'a>,
    join: &'w Join,
    number: usize,
    row: &'w Row<'a>,
    /// The newest certificate that it names and that was seen, with its number.
    own: Option<(usize, &'w Cert)>,
    /// What lies at its files: keys, each with a sighting there.
    at_file: &'w [Found],
    overview: &'w Overview,
    terms: &'w Terms,
}

impl<'w> Old<'w, '_> {
    /// The end of the row's thing: by its certificate, else by its own date.
    fn end(&self) -> Option<Moment> {
        let seen = self.own.and_then(|(c, _)| self.terms.age(c)?.end());
        let seen = seen.map(|at| Moment { at, has_time: true });
        seen.or(self.row.entry.expires)
    }

    /// The certificate that it names.
    fn own(&self) -> Option<&'w Cert> {
        self.own.map(|(_, certificate)| certificate)
    }

    /// Whether its own certificate is at a place that it allows.
    fn is_in_place(&self, own: &Cert) -> bool {
        let at_file =
            |found: &Found| found.key() == own.key() && own.judged.contains(found.sighting());
        self.at_file.iter().any(at_file)
            || own.judged.iter().any(|s| self.row.allows(self.world, s))
    }

    /// Whether no other row names a certificate, nor this one.
    fn is_unrecorded(&self, certificate: usize) -> bool {
        let Some(key) = self.world.certificates.get(certificate).map(Cert::key) else {
            return false;
        };
        let links = self.join.links.get(key);
        links
            .iter()
            .all(|l| l.row() == self.number && !l.named.contains(certificate))
    }

    /// The certificates of what lies at the row's files.
    fn certificates_at_file(&self) -> impl Iterator<Item = usize> {
        let keys = self.at_file.iter().map(Found::key);
        let certified = keys.filter(|key| self.overview.is_certified(*key));
        certified
            .filter_map(|key| self.world.keys.get(key))
            .flat_map(|key| key.certificates.iter())
    }

    fn newest(&self, certificates: impl Iterator<Item = usize>) -> Option<usize> {
        certificates.max_by_key(|&c| self.terms.newness(c))
    }

    /// The certificates of the row's names and issuer: on the hosts of its places, else on any.
    fn of_names(
        &self,
        by_names: &dyn Fn() -> &'w ByNames,
        fits: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        let own = self.own();
        let of_row = |name: Option<super::names::Named>| name.map(|name| name.id);
        let subject = own
            .map(|c| c.subject)
            .or_else(|| of_row(self.row.subject))?;
        let issuer = own.map(|c| c.issuer).or_else(|| of_row(self.row.issuer))?;
        let names = own.map_or(&self.row.entry.sans[..], |c| sans(self.world, c));
        let same = |c: usize| {
            let seen = self.world.certificates.get(c);
            let seen = seen.map_or(&[][..], |c| sans(self.world, c));
            names.is_empty() || same_names(names, seen)
        };
        let by_names = by_names();
        let hosts = self.row.places.iter().filter_map(Place::swept_host);
        hosts.map(short).chain([ANY]).find_map(|host| {
            let list = by_names.get(self.terms, host, subject, issuer);
            list.filter(|&c| same(c)).find(|&c| fits(c))
        })
    }

    /// What took the place of a row that has lapsed: at its file, or of its names and issuer; in no row itself.
    fn after_its_end(
        &self,
        lapsed: Moment,
        by_names: &dyn Fn() -> &'w ByNames,
    ) -> Option<(usize, Option<usize>)> {
        let world = self.world;
        let fits = |c: usize| {
            let end = self.terms.real(c).and_then(Age::end);
            end.is_some_and(|end| end > lapsed.at) && self.is_unrecorded(c)
        };
        let next = self.own().and_then(Cert::successor);
        let near = self.certificates_at_file().chain(next);
        let best = self
            .newest(near.filter(|&c| fits(c)))
            .or_else(|| self.of_names(by_names, &fits));
        if let Some(c) = best {
            return Some((world.certificates.get(c)?.key(), Some(c)));
        }
        // A key without certificates: whatever else lies at the file of a row that lapsed and is not there.
        let found = self.join.rows.get(self.number);
        let seen_itself = found.is_some_and(|r| !r.keys.is_empty());
        self.at_file
            .iter()
            .find(|found| {
                let bare = !self.overview.is_certified(found.key());
                !seen_itself && bare && !self.join.is_known(found.key())
            })
            .map(|found| (found.key(), None))
    }

    /// What took the place of a row before its end, as renewals do: a newer certificate of its names at its place; or
    /// of its names and issuer where the row's own is at no place of the row any more. A second certificate of one name
    /// beside the first is none.
    fn before_its_end(
        &self,
        end: Option<Moment>,
        by_names: &dyn Fn() -> &'w ByNames,
    ) -> Option<(usize, Option<usize>)> {
        let world = self.world;
        let own_age = self.own.and_then(|(c, _)| self.terms.age(c));
        let start = || {
            let entry = self.row.entry;
            let recorded = [entry.not_before, entry.last_rotated, entry.created];
            recorded.into_iter().flatten().max()
        };
        let is_newer = |age: Age| match (own_age, end, age.end()) {
            (Some(own), _, _) => age > own,
            (None, Some(end), Some(until)) => until > dates::plus_days(end.at, 1),
            (None, None, _) => matches!((start(), age.start()),
                (Some(start), Some(from)) if from > dates::plus_days(start.at, 2)),
            _ => false,
        };
        let fits = |c: usize| {
            if !self.terms.real(c).is_some_and(is_newer) {
                return false;
            }
            let Some(certificate) = world.certificates.get(c) else {
                return false;
            };
            let in_force = certificate.status == CertificateStatus::Current;
            // A second certificate of the row's key, beside the first, is a certificate that no row names.
            let second = self
                .own()
                .is_some_and(|own| own.key() == certificate.key() && !is_kept(world, own));
            in_force && !second && self.is_unrecorded(c)
        };
        let next = self.own().and_then(Cert::successor);
        let here = |c: &usize| {
            let certificate = world.certificates.get(*c);
            certificate.is_some_and(|c| c.judged.iter().any(|s| self.row.allows(world, s)))
        };
        let at_place = self
            .certificates_at_file()
            .filter(|&c| fits(c) && self.has_its_names(c))
            .chain(next.filter(|c| fits(*c) && here(c)));
        let best = self.newest(at_place);
        let best = best.or_else(|| {
            let moved = match self.own() {
                // Without a place nothing says which of the two the row means.
                Some(own) => !self.is_in_place(own) && !self.row.places.is_empty(),
                // What may still lie on a host that was not swept was not replaced.
                None => {
                    !self
                        .join
                        .rows
                        .get(self.number)
                        .is_some_and(RowMatch::is_seen)
                        && self.row.places.iter().all(|p| p.swept_host().is_some())
                }
            };
            moved.then(|| self.of_names(by_names, &fits))?
        });
        let c = best?;
        Some((world.certificates.get(c)?.key(), Some(c)))
    }

    /// Whether a certificate has the names of the row's own, or those that the row gives.
    fn has_its_names(&self, certificate: usize) -> bool {
        let world = self.world;
        let Some(seen) = world.certificates.get(certificate) else {
            return false;
        };
        if let Some(own) = self.own() {
            return own.subject == seen.subject && same_names(sans(world, own), sans(world, seen));
        }
        let Some(facts) = world.facts(seen) else {
            return false;
        };
        let by_subject = self
            .row
            .subject
            .map(|own| !seen.subject.is_blank() && world.names.agree(own, seen.subject));
        let sans = &self.row.entry.sans;
        let by_sans = (!sans.is_empty()).then(|| same_names(sans, &facts.sans));
        let name = self.row.entry.name.as_deref().map(folded);
        let by_name = || {
            let name = name.filter(|name| !name.is_empty())?;
            let common = world.names.common_names(seen.subject).any(|cn| *cn == name);
            let dns = format!("dns:{name}");
            Some(common || facts.sans.iter().any(|san| san.to_lowercase() == dns))
        };
        match (by_subject, by_sans) {
            (None, None) => by_name() == Some(true),
            (subject, sans) => subject != Some(false) && sans != Some(false),
        }
    }
}

/// Whether a certificate is an older generation, by the name under which it is kept.
fn is_kept(world: &World<'_>, certificate: &Cert) -> bool {
    world
        .at(&certificate.judged)
        .flat_map(paths)
        .any(|path| settled_or_same(path) != path)
}

/// Whether two certificates were seen in one directory of one host.
pub(super) fn lie_together(world: &World<'_>, one: &Cert, other: &Cert) -> bool {
    let homes = |certificate: &Cert| -> BTreeSet<(usize, String)> {
        let seen = certificate
            .sightings
            .iter()
            .filter_map(|n| Some((world.host(n), world.sightings.get(n)?)));
        seen.flat_map(|(host, s)| {
            paths(s).map(move |p| (host, directory(&settled_or_same(p)).to_owned()))
        })
        .collect()
    };
    !homes(one).is_disjoint(&homes(other))
}

/// The alternative names of a certificate.
fn sans<'w>(world: &'w World<'_>, certificate: &Cert) -> &'w [String] {
    let facts = world.facts(certificate);
    facts.map_or(&[], |facts| &facts.sans)
}

fn describe(
    world: &World<'_>,
    number: usize,
    key: usize,
    certificate: Option<usize>,
    own: Option<&Cert>,
    lapsed: Option<Moment>,
) -> Option<Renewal> {
    let row = world.rows.get(number)?;
    let new = certificate.and_then(|c| world.certificates.get(c));
    let issuer = own
        .map(|c| c.issuer)
        .or_else(|| row.issuer.map(|issuer| issuer.id));
    let other_issuer = match (issuer, new) {
        (Some(old), Some(new)) => old != new.issuer,
        _ => false,
    };
    let strength = |s: &Sighting| security_bits(s.algorithm.as_deref()?, s.bits);
    let after = world.at(&world.keys.get(key)?.judged).find_map(strength);
    let before = own
        .and_then(|c| world.at(&c.sightings).find_map(strength))
        .or_else(|| security_bits(row.entry.algorithm.as_deref()?, row.entry.bits));
    let weaker = matches!((before, after), (Some(before), Some(after)) if after < before);
    let mut why = match lapsed {
        Some(lapsed) => format!("{} lapsed on {}, and ", row.title(), dates::day(lapsed.at)),
        None => format!("what {} names was renewed: ", row.title()),
    };
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
fn stranger(world: &World<'_>, join: &Join, at_file: &[Found]) -> Option<(usize, usize)> {
    let both = |found: &Found| (found.key(), found.sighting());
    if let [only] = at_file {
        return Some(both(only));
    }
    let private = |found: &Found| {
        let s = world.sightings.get(found.sighting());
        s.is_some_and(|s| s.kind.is_private())
    };
    at_file
        .iter()
        .filter(|found| !join.is_known(found.key()))
        .max_by_key(|found| {
            let place = (world.rank(found.key()), found.sighting());
            (private(found), std::cmp::Reverse(place))
        })
        .map(both)
}
