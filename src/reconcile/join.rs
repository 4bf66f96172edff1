//! Which rows name which keys: a hash join on identifiers, certificate first, then key.

use super::context::{Row, World};
use super::dates;
use super::names::Name;
pub(super) use super::tokens::{Method, Token};
use super::tokens::{have_same_tokens, of_sighting, serial_bits, serial_forms};
use crate::model::{Certificate, Sighting};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row that names a key, as a key sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) row: usize,
    /// The strongest identifier that matched.
    pub(super) method: Method,
    /// The certificates that the row names; empty when it names the key alone.
    pub(super) named: Vec<usize>,
    /// The row names the OpenPGP primary key, and so covers this subkey: what it says of algorithm, place, owner and
    /// dates is said of the primary key.
    pub(super) by_primary: bool,
}

/// A row that may mean a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WeakLink {
    pub(super) other: usize,
    pub(super) method: Method,
}

/// What became of a row in the join.
#[derive(Debug, Clone, Default)]
pub(super) struct RowMatch {
    /// The keys that it names.
    pub(super) keys: Vec<usize>,
    /// The strongest identifier that matched.
    pub(super) method: Option<Method>,
    /// It names something that has no key (a certificate whose key cannot be identified).
    pub(super) keyless: bool,
    /// Its identifiers name different keys.
    pub(super) contradictory: bool,
    /// The keys that it may mean, with the identifier.
    pub(super) weak: Vec<WeakLink>,
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

/// Sightings of one key that are remembered to tell whether a further one has identifiers of its own.
const FORMS: usize = 8;

/// The whole join.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// Per key, in order of rows.
    pub(super) links: Vec<Vec<Link>>,
    /// Per key: the rows that may mean it; `other` is the row.
    pub(super) weak: Vec<Vec<WeakLink>>,
    /// Per row.
    pub(super) rows: Vec<RowMatch>,
    /// Per key: the kinds of identifiers that it has.
    pub(super) methods: Vec<u32>,
    /// Per row: the kinds of its strong identifiers.
    pub(super) row_methods: Vec<u32>,
}

impl Join {
    /// The link between a key and a row.
    pub(super) fn link(&self, key: usize, row: usize) -> Option<&Link> {
        let links = self.links.get(key)?;
        links.get(links.binary_search_by_key(&row, |link| link.row).ok()?)
    }
}

/// One identifier of one row that was seen on one key.
struct Hit {
    key: usize,
    method: Method,
    certificate: Option<usize>,
}

/// Joins rows and keys on strong identifiers, and on the weak ones that a sighting carries.
pub(super) fn join(world: &World<'_>) -> Join {
    let index = index_rows(&world.rows);
    let serials = Serials::count(world);
    let mut hits: Vec<Vec<Hit>> = world.rows.iter().map(|_| Vec::new()).collect();
    let mut out = Join {
        links: vec![Vec::new(); world.keys.len()],
        weak: vec![Vec::new(); world.keys.len()],
        rows: vec![RowMatch::default(); world.rows.len()],
        methods: vec![0; world.keys.len()],
        row_methods: world
            .rows
            .iter()
            .map(|row| strong_methods(row, true))
            .collect(),
    };
    let certificate_of = certificates_by_sighting(world);
    let of_rows = index
        .keys()
        .fold(0, |mask, token| mask | token.method().bit());
    for (number, key) in world.keys.iter().enumerate() {
        let mut seen: Vec<(Token, Option<usize>)> = Vec::new();
        let mut forms: Vec<&Sighting> = Vec::new();
        for &sighting in &key.all {
            let Some(s) = world.sightings.get(sighting) else {
                continue;
            };
            // An authority is seen on every host, and has the same identifiers there.
            if forms.iter().any(|known| have_same_tokens(known, s)) {
                continue;
            }
            if forms.len() < FORMS {
                forms.push(s);
            }
            let certificate = certificate_of.get(sighting).copied().flatten();
            seen.extend(of_sighting(s).into_iter().map(|token| {
                let certificate = certificate.filter(|_| token.method().names_certificate());
                (token, certificate)
            }));
        }
        seen.sort_unstable();
        seen.dedup();
        for (token, certificate) in seen {
            if let Some(mask) = out.methods.get_mut(number) {
                *mask |= token.method().bit();
            }
            if of_rows & token.method().bit() == 0 {
                continue;
            }
            let rows = index.get(&token).map_or(&[][..], Vec::as_slice);
            if !token.method().is_strong() && rows.len() > WEAK_ROWS {
                continue;
            }
            for &row in rows {
                let method = match (token.method(), certificate) {
                    (Method::SerialAlone, Some(c)) if serials.prove(world, row, c) => {
                        Method::Serial
                    }
                    (method, _) => method,
                };
                if let Some(list) = hits.get_mut(row) {
                    list.push(Hit {
                        key: number,
                        method,
                        certificate,
                    });
                }
            }
        }
    }
    for (row, hits) in hits.into_iter().enumerate() {
        settle(world, row, &hits, &mut out);
    }
    cover_subkeys(world, &mut out);
    for &sighting in &world.others {
        let Some(s) = world.sightings.get(sighting) else {
            continue;
        };
        for token in of_sighting(s)
            .into_iter()
            .filter(|t| t.method().is_strong())
        {
            for &row in index.get(&token).into_iter().flatten() {
                if let Some(found) = out.rows.get_mut(row) {
                    found.keyless = true;
                    found.method = Some(
                        found
                            .method
                            .map_or(token.method(), |m| m.min(token.method())),
                    );
                }
            }
        }
    }
    out
}

/// A row that names an OpenPGP primary key covers its subkeys.
fn cover_subkeys(world: &World<'_>, out: &mut Join) {
    for (row, found) in out.rows.iter().enumerate() {
        for &key in &found.keys {
            let primaries: BTreeSet<&str> = world
                .keys
                .get(key)
                .into_iter()
                .flat_map(|key| world.at(&key.all))
                .filter(|s| s.pgp.as_ref().is_some_and(|pgp| pgp.primary.is_none()))
                .filter_map(|s| s.fingerprints.pgp_fingerprint.as_deref())
                .collect();
            let subkeys = primaries.iter().flat_map(|p| world.families.subkeys(p));
            for subkey in subkeys {
                let Some(links) = out.links.get_mut(subkey) else {
                    continue;
                };
                let method = found.method.unwrap_or(Method::PgpFingerprint);
                if let Err(place) = links.binary_search_by_key(&row, |link| link.row) {
                    links.insert(
                        place,
                        Link {
                            row,
                            method,
                            named: Vec::new(),
                            by_primary: true,
                        },
                    );
                }
            }
        }
    }
}

fn index_rows(rows: &[Row<'_>]) -> HashMap<Token, Vec<usize>> {
    let mut index: HashMap<Token, Vec<usize>> = HashMap::new();
    for (number, row) in rows.iter().enumerate() {
        for token in row.identifiers.iter().flatten() {
            let list = index.entry(token.clone()).or_default();
            if list.last() != Some(&number) {
                list.push(number);
            }
        }
    }
    index
}

/// The kinds of a row's strong identifiers; without `mixed` those that may as well be weak (40 digits that
/// can be a subject key identifier) do not count.
fn strong_methods(row: &Row<'_>, mixed: bool) -> u32 {
    let sure = |tokens: &&Vec<Token>| mixed || tokens.iter().all(|t| t.method().is_strong());
    let methods = row
        .identifiers
        .iter()
        .filter(sure)
        .flatten()
        .map(Token::method);
    methods
        .filter(|m| m.is_strong())
        .fold(0, |mask, m| mask | m.bit())
}

/// The certificate of each sighting.
fn certificates_by_sighting(world: &World<'_>) -> Vec<Option<usize>> {
    let mut out = vec![None; world.sightings.len()];
    for (number, certificate) in world.certificates.iter().enumerate() {
        for &sighting in &certificate.sightings {
            if let Some(slot) = out.get_mut(sighting) {
                *slot = Some(number);
            }
        }
    }
    out
}

/// Turns the hits of one row into links, or finds that they contradict each other.
fn settle(world: &World<'_>, row: usize, hits: &[Hit], out: &mut Join) {
    let strong: Vec<&Hit> = hits.iter().filter(|h| h.method.is_strong()).collect();
    let mut by_kind: BTreeMap<Method, BTreeSet<usize>> = BTreeMap::new();
    for hit in &strong {
        by_kind.entry(hit.method).or_default().insert(hit.key);
    }
    // Two identifiers of one kind are a row for two things; two kinds that share no key contradict.
    let common = by_kind
        .values()
        .skip(1)
        .fold(by_kind.values().next().cloned(), |common, keys| {
            common.map(|c| c.intersection(keys).copied().collect())
        });
    let contradictory = common.is_some_and(|c| c.is_empty());
    let Some(found) = out.rows.get_mut(row) else {
        return;
    };
    found.contradictory = contradictory;
    let mut links: BTreeMap<usize, Link> = BTreeMap::new();
    for hit in &strong {
        let link = links.entry(hit.key).or_insert_with(|| Link {
            row,
            method: hit.method,
            named: Vec::new(),
            by_primary: false,
        });
        link.method = link.method.min(hit.method);
        link.named.extend(hit.certificate);
    }
    if contradictory || strong.is_empty() {
        let hits = hits
            .iter()
            .filter(|h| contradictory == h.method.is_strong());
        let mut weak: BTreeMap<usize, Method> = BTreeMap::new();
        for hit in hits {
            // A row whose strong identifier names another key does not match weakly.
            let own = world.rows.get(row).map_or(0, |r| strong_methods(r, false));
            let comparable = out.methods.get(hit.key).is_some_and(|m| m & own != 0);
            if contradictory || !(comparable || disagrees(world, row, hit)) {
                weak.entry(hit.key)
                    .and_modify(|m| *m = (*m).min(hit.method))
                    .or_insert(hit.method);
            }
        }
        if weak.len() > WEAK_KEYS && !contradictory {
            return;
        }
        found.weak = weak
            .iter()
            .map(|(&other, &method)| WeakLink { other, method })
            .collect();
        for (key, method) in weak {
            if let Some(list) = out.weak.get_mut(key) {
                list.push(WeakLink { other: row, method });
            }
        }
        return;
    }
    found.method = links.values().map(|l| l.method).min();
    found.keys = links.keys().copied().collect();
    for (key, mut link) in links {
        link.named.sort_unstable();
        link.named.dedup();
        if let Some(list) = out.links.get_mut(key) {
            list.push(link);
        }
    }
}

/// Whether a serial alone was met on a certificate whose subject is not the row's.
fn disagrees(world: &World<'_>, row: usize, hit: &Hit) -> bool {
    let own = world.rows.get(row).and_then(|r| r.subject.as_ref());
    let facts = hit
        .certificate
        .and_then(|c| world.facts(world.certificates.get(c)?));
    match (own, facts.and_then(|f| Name::read(&f.subject))) {
        (Some(own), Some(seen)) => hit.method == Method::SerialAlone && !own.agrees(&seen),
        _ => false,
    }
}

/// How often each serial occurs, in the sweep and in the inventory.
struct Serials {
    certificates: HashMap<String, usize>,
    rows: HashMap<String, usize>,
}

impl Serials {
    fn count(world: &World<'_>) -> Self {
        let mut out = Self {
            certificates: HashMap::new(),
            rows: HashMap::new(),
        };
        for row in &world.rows {
            let serials = row.identifiers.iter().flatten().filter_map(|t| match t {
                Token::Serial(serial) | Token::IssuerSerial(_, serial) => Some(serial),
                _ => None,
            });
            for serial in serials.collect::<BTreeSet<_>>() {
                *out.rows.entry(serial.clone()).or_default() += 1;
            }
        }
        let (announced, real): (Vec<_>, Vec<_>) = world
            .certificates
            .iter()
            .filter_map(|certificate| world.facts(certificate))
            .partition(|facts| facts.precertificate);
        for serial in real.into_iter().flat_map(|f| serial_forms(&f.serial)) {
            *out.certificates.entry(serial).or_default() += 1;
        }
        // A precertificate has the serial of its certificate.
        for serial in announced.into_iter().flat_map(|f| serial_forms(&f.serial)) {
            out.certificates.entry(serial).or_insert(1);
        }
        out
    }

    /// Whether the serial of a certificate, which a row gives alone, proves that the row means it.
    fn prove(&self, world: &World<'_>, row: usize, certificate: usize) -> bool {
        let facts = world
            .certificates
            .get(certificate)
            .and_then(|c| world.facts(c));
        let (Some(row), Some(facts)) = (world.rows.get(row), facts) else {
            return false;
        };
        let forms = serial_forms(&facts.serial);
        let total = |counts: &HashMap<String, usize>| -> usize {
            forms
                .iter()
                .filter_map(|f| counts.get(f))
                .max()
                .copied()
                .unwrap_or(0)
        };
        let in_rows: usize = forms.iter().filter_map(|f| self.rows.get(f)).sum();
        serial_bits(&facts.serial) >= 64
            && total(&self.certificates) == 1
            && in_rows == 1
            && agrees(row, facts)
    }
}

/// Whether a row's end of validity or its subject is the certificate's.
fn agrees(row: &Row<'_>, facts: &Certificate) -> bool {
    let date = match (row.entry.expires, facts.not_after) {
        (Some(expires), Some(not_after)) => dates::agree(expires, not_after),
        _ => false,
    };
    let subject = match (&row.subject, Name::read(&facts.subject)) {
        (Some(own), Some(subject)) => own.agrees(&subject),
        _ => false,
    };
    date || subject
}
