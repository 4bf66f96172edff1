//! Which rows name which keys: a hash join on identifiers, certificate first, then key.

mod index;
mod seen;
mod serials;
mod settle;

use super::context::World;
use super::few::{Few, long, short};
use super::grouped::Grouped;
use super::tokens::of_sighting;
pub(super) use super::tokens::{Method, Token};
use index::Index;
use seen::{OnKey, Seen};
use serials::Serials;
use std::cell::LazyCell;

/// How many keys or rows are prepared before they are looked up: what is prepared stays in the processor's caches.
const BATCH: usize = 1024;

/// A row that names a key, as a key sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    row: u32,
    /// The strongest identifier that matched.
    pub(super) method: Method,
    /// The row names the OpenPGP primary key, and so covers this subkey: what it says of algorithm, place, owner and
    /// dates is said of the primary key.
    pub(super) by_primary: bool,
    /// The certificates that the row names; empty when it names the key alone.
    pub(super) named: Few,
}

impl Link {
    /// The number of the row.
    pub(super) const fn row(&self) -> usize {
        self.row as usize
    }
}

/// A row that may mean a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WeakLink {
    other: u32,
    pub(super) method: Method,
}

impl WeakLink {
    pub(super) fn new(other: usize, method: Method) -> Self {
        let other = short(other);
        Self { other, method }
    }

    /// The number of the row, or of the key.
    pub(super) const fn other(&self) -> usize {
        self.other as usize
    }
}

/// What became of a row in the join.
#[derive(Debug, Clone, Default)]
pub(super) struct RowMatch {
    /// The keys that it names.
    pub(super) keys: Few,
    /// The keys that it may mean, with the identifier.
    pub(super) weak: Vec<WeakLink>,
    /// The strongest identifier that matched.
    pub(super) method: Option<Method>,
    /// It names something that has no key (a certificate whose key cannot be identified).
    pub(super) keyless: bool,
    /// Its identifiers name different keys.
    pub(super) contradictory: bool,
}

impl RowMatch {
    /// Whether a strong identifier of the row was seen, without contradiction.
    pub(super) fn is_matched(&self) -> bool {
        !self.contradictory && (!self.keys.is_empty() || self.keyless)
    }

    /// Whether any strong identifier of the row was seen.
    pub(super) fn is_seen(&self) -> bool {
        self.contradictory || self.is_matched()
    }
}

/// A weak identifier that more rows than this have in common is no evidence for any of them.
const WEAK_ROWS: usize = 64;
/// Nor is one that more keys than this have in common.
pub(super) const WEAK_KEYS: usize = 16;

/// The whole join.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// Per key, in order of rows.
    pub(super) links: Grouped<Link>,
    /// Keys, each with a row that may mean it.
    pub(super) weak: Vec<(u32, WeakLink)>,
    /// Per row.
    pub(super) rows: Vec<RowMatch>,
    /// Per key: the kinds of identifiers that it has, of those that any row has.
    pub(super) methods: Vec<u32>,
    /// Per row: the kinds of its strong identifiers.
    pub(super) row_methods: Vec<u32>,
    /// Per row: whether another one has an identifier of it.
    pub(super) repeated: Vec<bool>,
}

impl Join {
    /// The link between a key and a row.
    pub(super) fn link(&self, key: usize, row: usize) -> Option<&Link> {
        let links = self.links.get(key);
        links.get(links.binary_search_by_key(&row, Link::row).ok()?)
    }

    /// Whether a row names the key.
    pub(super) fn is_known(&self, key: usize) -> bool {
        !self.links.get(key).is_empty()
    }
}

/// One identifier of one row that was seen on one key.
#[derive(Clone, Copy)]
struct Hit {
    key: u32,
    certificate: u32,
    method: Method,
}

/// Joins rows and keys on strong identifiers, and on the weak ones that a sighting carries.
pub(super) fn join(world: &World<'_>) -> Join {
    let mut out = Join {
        rows: vec![RowMatch::default(); world.rows.len()],
        methods: vec![0; world.keys.len()],
        row_methods: vec![0; world.rows.len()],
        repeated: vec![false; world.rows.len()],
        ..Join::default()
    };
    let index = Index::of(world, &mut out.row_methods, &mut out.repeated);
    let hits = hits(world, &index, &mut out.methods);
    let mut links = Vec::with_capacity(hits.len().min(world.rows.len()));
    // Key by key as they come, and so of each row.
    let hits = Grouped::new(world.rows.len(), hits);
    let mut of_row: Vec<Hit> = Vec::new();
    let serials = LazyCell::new(|| Serials::count(world));
    for row in 0..world.rows.len() {
        of_row.clear();
        of_row.extend_from_slice(hits.get(row));
        of_row.sort_by_key(|hit| (hit.key, hit.certificate));
        prove(world, row, &mut of_row, &serials);
        settle::settle(world, row, &of_row, &mut out, &mut links);
    }
    drop(hits);
    cover_subkeys(world, &out, &mut links);
    out.links = Grouped::new(world.keys.len(), links);
    for s in world.at(&world.others) {
        let issuer = || {
            let facts = s.certificate.as_deref()?;
            Some(world.names.find(&facts.issuer)?.id)
        };
        let mut found = |token: Token| {
            for row in index.rows(index.first(index.hash(&token), &token)) {
                if let Some(found) = out.rows.get_mut(row) {
                    found.keyless = true;
                    let method = token.method();
                    found.method = Some(found.method.map_or(method, |m| m.min(method)));
                }
            }
        };
        of_sighting(s, index.methods & STRONG, issuer, |token| {
            found(token);
            let issuer = token.issuer().into_iter();
            let alone = issuer.flat_map(|issuer| world.names.common_alone(issuer));
            alone.for_each(|issuer| found(token.of_issuer(issuer)));
        });
    }
    out
}

/// The methods that are strong of themselves.
const STRONG: u32 = Method::SerialAlone.bit() - 1;

/// Rows with where an identifier of theirs was seen, key by key; tells the kinds of identifiers of each key.
fn hits(world: &World<'_>, index: &Index, methods: &mut [u32]) -> Vec<(u32, Hit)> {
    let mut seen = Seen::new(world, index);
    let mut hits: Vec<(u32, Hit)> = Vec::with_capacity(world.rows.len());
    let keys: Vec<usize> = (0..world.keys.len()).collect();
    for keys in keys.chunks(BATCH) {
        seen.all.clear();
        keys.iter().for_each(|&key| seen.add(key));
        // Close together, so that the processor waits for many of them at once.
        let first = |one: &mut OnKey| one.slot = index.first(one.hash, &one.token);
        seen.all.iter_mut().for_each(first);
        for one in &seen.all {
            let method = one.token.method();
            if let Some(mask) = methods.get_mut(one.key as usize) {
                *mask |= method.bit();
            }
            let is_crowd = || index.rows(one.slot).nth(WEAK_ROWS).is_some();
            if !method.is_strong() && is_crowd() {
                continue;
            }
            let hit = Hit {
                key: one.key,
                certificate: one.certificate,
                method,
            };
            hits.extend(index.rows(one.slot).map(|row| (short(row), hit)));
        }
    }
    hits
}

/// A serial that a row gives without its issuer, or whose issuer is another, may prove that the row means the certificate.
fn prove(
    world: &World<'_>,
    row: usize,
    hits: &mut [Hit],
    serials: &LazyCell<Serials, impl FnOnce() -> Serials>,
) {
    for at in 0..hits.len() {
        let Some(&hit) = hits.get(at).filter(|h| h.method == Method::SerialAlone) else {
            continue;
        };
        let with_issuer = |other: &Hit| {
            let same = (other.key, other.certificate) == (hit.key, hit.certificate);
            same && other.method == Method::IssuerSerial
        };
        if hits.iter().any(with_issuer) {
            continue;
        }
        let certificate = long(hit.certificate).and_then(|c| world.certificates.get(c));
        let (Some(row), Some(certificate)) = (world.rows.get(row), certificate) else {
            continue;
        };
        if serials.prove(world, row, certificate)
            && let Some(hit) = hits.get_mut(at)
        {
            hit.method = Method::Serial;
        }
    }
}

/// A row that names an OpenPGP primary key covers its subkeys.
fn cover_subkeys(world: &World<'_>, out: &Join, links: &mut Vec<(u32, Link)>) {
    if world.families.is_empty() {
        return;
    }
    let mut more: Vec<(u32, Link)> = Vec::new();
    for (row, found) in out.rows.iter().enumerate() {
        for key in found.keys.iter() {
            let seen = world.keys.get(key).into_iter();
            let primaries = seen
                .flat_map(|key| world.at(&key.all))
                .filter(|s| s.pgp.as_ref().is_some_and(|pgp| pgp.primary.is_none()))
                .filter_map(|s| s.fingerprints.pgp_fingerprint());
            for subkey in primaries.flat_map(|p| world.families.subkeys(p)) {
                let link = Link {
                    row: short(row),
                    method: found.method.unwrap_or(Method::PgpFingerprint),
                    named: Few::default(),
                    by_primary: true,
                };
                more.push((short(subkey), link));
            }
        }
    }
    // What a row names by itself stays as it is.
    links.append(&mut more);
    links.sort_by_key(|(key, link)| (*key, link.row));
    links.dedup_by_key(|(key, link)| (*key, link.row));
}
