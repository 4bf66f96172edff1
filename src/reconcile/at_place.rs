//! What lies at the very files that rows name.

use super::context::{Row, World, covers, paths};
use super::few::{NONE, long, short};
use super::grouped::Grouped;
use super::join::WEAK_KEYS;
use super::overview::Overview;
use super::places::{HostRef, Place};
use crate::model::ahead::{BATCH, first, look};
use crate::model::{Kind, Sighting};
use foldhash::fast::RandomState;
use std::hash::BuildHasher as _;
use std::ops::Range;

/// A file with more artifacts than this is a list or a store: none of them is what a row means by the file.
const CROWD: usize = 256;

/// A key at the very file that a row names, with a sighting there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) key: u32,
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

/// The files that rows name, and what lies there. First every row is added, and then every sighting.
pub(super) struct Files<'w> {
    /// Every naming in order of rows and places: its path, and the number of its file.
    named: Vec<(&'w str, u32)>,
    /// By host ([`NONE`] for any) and digest of the path.
    by_digest: Vec<Naming>,
    hasher: RandomState,
    /// File, host and sighting.
    lying: Vec<(u32, u32, u32)>,
    /// Sightings whose paths are still to be held against those of namings.
    likely: Vec<Likely<'w>>,
    /// The host of the last sighting, and which of the namings are on it.
    current: (u32, Range<usize>),
    /// Those on any host.
    anywhere: Range<usize>,
}

/// Host, digest of the path, and number of the naming.
type Naming = (u32, u64, u32);

/// A sighting whose path has the digest of a naming's.
struct Likely<'w> {
    /// The first of the namings of its host that have this digest, and where those of the host end.
    namings: Range<usize>,
    path: &'w str,
    host: u32,
    number: u32,
}

impl<'w> Files<'w> {
    pub(super) fn new(world: &World<'_>) -> Self {
        Self {
            named: Vec::with_capacity(world.rows.len()),
            by_digest: Vec::with_capacity(world.rows.len()),
            hasher: RandomState::default(),
            lying: Vec::with_capacity(world.sightings.len()),
            likely: Vec::with_capacity(BATCH),
            current: (NONE, 0..0),
            anywhere: 0..0,
        }
    }

    /// Adds the files that a row names.
    pub(super) fn add_row(&mut self, row: &'w Row<'_>) {
        for place in &row.places {
            let Place::Exact { host, path } = place else {
                continue;
            };
            let host = match host {
                HostRef::Swept(host) => Some(*host),
                HostRef::Any => Some(NONE),
                HostRef::Unswept(_) => None,
            };
            let naming = short(self.named.len());
            if let Some(host) = host {
                let digest = self.hasher.hash_one(&**path);
                self.by_digest.push((host, digest, naming));
            }
            self.named.push((path, NONE));
        }
    }

    /// Gives each file its number, when all rows were added: that of its first naming.
    pub(super) fn number(&mut self) {
        // Rows on one host often follow one another: what is left to sort is small then.
        self.by_digest.sort_by_key(|one| one.0);
        let hosts = self.by_digest.chunk_by_mut(|one, next| one.0 == next.0);
        hosts.for_each(|of_host| of_host.sort_unstable_by_key(|one| (one.1, one.2)));
        for at in 0..self.by_digest.len() {
            let Some(&(host, digest, naming)) = self.by_digest.get(at) else {
                continue;
            };
            let before = self.by_digest.get(..at).unwrap_or_default().iter().rev();
            let before = before.take_while(|one| (one.0, one.1) == (host, digest));
            let path = self.path(naming);
            let known = before.map(|one| one.2).find(|&one| self.path(one) == path);
            let file = known.map_or(naming, |known| self.file(known));
            if let Some((_, slot)) = self.named.get_mut(naming as usize) {
                *slot = file;
            }
        }
        self.anywhere = self.on(NONE);
    }

    fn path(&self, naming: u32) -> &'w str {
        self.named.get(naming as usize).map_or("", |(path, _)| path)
    }

    /// The file of a naming; [`NONE`] if it is on no host that was swept.
    fn file(&self, naming: u32) -> u32 {
        let named = self.named.get(naming as usize);
        named.map_or(NONE, |(_, file)| *file)
    }

    /// The namings on a host.
    fn on(&self, host: u32) -> Range<usize> {
        let start = self.by_digest.partition_point(|one| one.0 < host);
        let rest = self.by_digest.get(start..).unwrap_or_default();
        start..start + rest.partition_point(|one| one.0 == host)
    }

    /// The namings of a host from the first of this digest on, if there is one.
    fn with_digest(&self, of_host: &Range<usize>, digest: u64) -> Option<Range<usize>> {
        let namings = self.by_digest.get(of_host.clone())?;
        let start = namings.partition_point(|one| one.1 < digest);
        let first = namings.get(start).filter(|one| one.1 == digest);
        first.map(|_| of_host.start + start..of_host.end)
    }

    /// Notes where a sighting lies. Those of one host follow one another.
    pub(super) fn add_sighting(&mut self, host: u32, number: u32, sighting: &'w Sighting) {
        if host != self.current.0 {
            let on = if host == NONE { 0..0 } else { self.on(host) };
            self.current = (host, on);
        }
        if self.current.1.is_empty() && self.anywhere.is_empty() {
            return;
        }
        for path in paths(sighting) {
            let digest = self.hasher.hash_one(path);
            for of_host in [&self.current.1, &self.anywhere] {
                let likely = self.with_digest(of_host, digest).map(|namings| Likely {
                    namings,
                    path,
                    host,
                    number,
                });
                self.likely.extend(likely);
            }
        }
        if self.likely.len() >= BATCH {
            self.compare();
        }
    }

    /// Holds the paths of sightings against those of the namings. These are anywhere in memory: all are looked at first.
    fn compare(&mut self) {
        let naming = |at: usize| self.by_digest.get(at);
        let path = |likely: &Likely<'_>| {
            let naming = naming(likely.namings.start);
            naming.map_or(0, |naming| first(self.path(naming.2)))
        };
        look(self.likely.iter().map(path));
        for likely in self.likely.drain(..) {
            let of_host = self.by_digest.get(likely.namings).unwrap_or_default();
            let digest = of_host.first().map(|one| one.1);
            let mut same = of_host.iter().take_while(|one| Some(one.1) == digest);
            let path = |naming: u32| self.named.get(naming as usize);
            let file = same.find_map(|one| path(one.2).filter(|named| named.0 == likely.path));
            let lying = file.map(|&(_, file)| (file, likely.host, likely.number));
            self.lying.extend(lying);
        }
    }
}

/// What lies at the very files that rows name, by row.
pub(super) struct AtPlace(Grouped<Found>);

impl AtPlace {
    /// The keys of each row's type at the files that it names.
    pub(super) fn of(mut files: Files<'_>, world: &World<'_>, overview: &Overview) -> Self {
        files.compare();
        // One path is a file on each of a thousand hosts. Mostly all come in their order.
        if !files.lying.is_sorted_by_key(|one| (one.1, one.2)) {
            files.lying.sort_unstable_by_key(|one| (one.1, one.2));
        }
        let lying = files.lying.iter().map(|&(file, _, number)| (file, number));
        let lying = Grouped::new(files.named.len(), lying.collect());
        let mut named = files.named.iter();
        let mut all: Vec<(u32, Found)> = Vec::with_capacity(files.lying.len());
        let mut found: Vec<Found> = Vec::new();
        for row in 0..world.rows.len() {
            let count = overview.row(row).map_or(0, |row| row.files) as usize;
            let at = named.by_ref().take(count).map(|(_, file)| {
                let here = long(*file).map_or(&[][..], |file| lying.get(file));
                if here.len() > CROWD { &[] } else { here }
            });
            candidates(world, overview, row, at, &mut found);
            all.extend(found.iter().map(|one| (short(row), *one)));
        }
        Self(Grouped::new(world.rows.len(), all))
    }

    /// The keys of a row's type at the files that it names, each with a sighting there.
    pub(super) fn of_row(&self, row: usize) -> &[Found] {
        self.0.get(row)
    }
}

/// The keys of a row's type among what lies at the files that it names.
///
/// Files that list keys of many parties (grants, known hosts) say nothing about which is meant, nor
/// does a file with many keys; beside a leaf certificate its issuers are not meant.
fn candidates<'l>(
    world: &World<'_>,
    overview: &Overview,
    row: usize,
    places: impl Iterator<Item = &'l [u32]>,
    found: &mut Vec<Found>,
) {
    found.clear();
    let of_row = overview.kind_of_row(row);
    for (order, &sighting) in places.flatten().enumerate() {
        let number = sighting as usize;
        let (Some(kind), Some(key)) = (overview.kind(number), world.key(number)) else {
            continue;
        };
        let listed = matches!(kind, Kind::AuthorizedKey | Kind::KnownHost | Kind::Crl);
        if !listed && covers(of_row, kind) {
            let key = short(key);
            found.push(Found { key, sighting });
        }
        // A row may name many files.
        if order % CROWD == CROWD - 1 {
            first_of_each(world, found);
        }
    }
    if found.len() < 2 {
        return;
    }
    first_of_each(world, found);
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
}

/// Of each key the sighting that came first, in the order of the keys' ids.
fn first_of_each(world: &World<'_>, found: &mut Vec<Found>) {
    found.sort_by_key(|found| world.rank(found.key()));
    found.dedup_by_key(|found| found.key);
}
