//! Which rows name which keys: a hash join on identifiers, certificate first, then key.

use super::context::{Cert, Row, World};
use super::dates;
use super::few::{Few, NONE, long, short};
use super::grouped::Grouped;
use super::names::NameId;
pub(super) use super::tokens::{Method, Token};
use super::tokens::{Value, have_same_tokens, of_sighting, serial_bits, serial_forms};
use crate::model::{Certificate, Identifier, Sighting};
use foldhash::fast::RandomState;
use foldhash::{HashMap, HashSet};
use hashbrown::HashTable;
use std::hash::BuildHasher as _;

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

/// Sightings of one key that are remembered to tell whether a further one has identifiers of its own.
const FORMS: usize = 8;

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
        row_methods: world
            .rows
            .iter()
            .map(|row| row.strong_methods(true))
            .collect(),
        repeated: vec![false; world.rows.len()],
        ..Join::default()
    };
    let index = Index::of(world, &mut out.repeated);
    let hits = hits(world, &index, &mut out.methods);
    let mut links = Vec::with_capacity(hits.len().min(world.rows.len()));
    // Key by key as they come, and so of each row.
    let hits = Grouped::new(world.rows.len(), hits);
    let mut of_row: Vec<Hit> = Vec::new();
    for row in 0..world.rows.len() {
        of_row.clear();
        of_row.extend_from_slice(hits.get(row));
        of_row.sort_by_key(|hit| (hit.key, hit.certificate));
        settle(world, row, &of_row, &mut out, &mut links);
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
    let serials = index
        .has(Method::SerialAlone)
        .then(|| Serials::count(world));
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
            for row in index.rows(one.slot) {
                let proven = || {
                    let serials = serials.as_ref()?;
                    let certificate = world.certificates.get(long(one.certificate)?)?;
                    Some(serials.prove(world, world.rows.get(row)?, certificate))
                };
                let method = match method {
                    Method::SerialAlone if proven() == Some(true) => Method::Serial,
                    method => method,
                };
                let hit = Hit {
                    key: one.key,
                    certificate: one.certificate,
                    method,
                };
                hits.push((short(row), hit));
            }
        }
    }
    hits
}

/// How many keys or rows are prepared before they are looked up: what is prepared stays in the processor's caches.
const BATCH: usize = 1024;

/// An identifier that was seen on a key.
struct OnKey {
    token: Token,
    key: u32,
    /// The certificate that it names, if it names one.
    certificate: u32,
    hash: u64,
    /// The first slot of the index with it.
    slot: u32,
}

/// Collects the identifiers of keys, of the kinds that rows have.
struct Seen<'w, 'a> {
    world: &'w World<'a>,
    index: &'w Index,
    /// The certificate of each sighting.
    certificate_of: Vec<u32>,
    alone: Alone,
    forms: Vec<&'w Sighting>,
    of_key: Vec<(Token, u32)>,
    all: Vec<OnKey>,
}

impl<'w, 'a> Seen<'w, 'a> {
    fn new(world: &'w World<'a>, index: &'w Index) -> Self {
        Self {
            world,
            index,
            certificate_of: certificates_by_sighting(world),
            alone: Alone::default(),
            forms: Vec::new(),
            of_key: Vec::new(),
            all: Vec::new(),
        }
    }

    /// Adds the identifiers of a key, each once.
    fn add(&mut self, number: usize) {
        let Self {
            world,
            index,
            certificate_of,
            alone,
            forms,
            of_key,
            all,
        } = self;
        let world = *world;
        of_key.clear();
        forms.clear();
        let key = world.keys.get(number);
        for sighting in key.iter().flat_map(|key| key.all.iter()) {
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
            let certificate = certificate_of.get(sighting).copied().unwrap_or(NONE);
            let issuer = || issuer_of(world, s, certificate);
            of_sighting(s, index.methods, issuer, |token| {
                let certificate = match token.method().names_certificate() {
                    true => certificate,
                    false => NONE,
                };
                // A few are looked through sooner than sorted.
                if of_key.len() > FORMS || !of_key.contains(&(token, certificate)) {
                    of_key.push((token, certificate));
                }
                if let Some(issuer) = token.issuer() {
                    let alone = alone.names(world, issuer);
                    of_key.extend(alone.iter().map(|&i| (token.of_issuer(i), certificate)));
                }
            });
        }
        if of_key.len() > FORMS {
            of_key.sort_unstable();
            of_key.dedup();
        }
        all.extend(of_key.iter().map(|&(token, certificate)| OnKey {
            token,
            key: short(number),
            certificate,
            hash: index.hash(&token),
            slot: NONE,
        }));
    }
}

/// The issuer of a certificate that was seen.
fn issuer_of(world: &World<'_>, s: &Sighting, certificate: u32) -> Option<NameId> {
    let issuer = &s.certificate.as_deref()?.issuer;
    let certificate = world.certificates.get(long(certificate)?)?;
    if world.facts(certificate)?.issuer == *issuer {
        return Some(certificate.issuer);
    }
    Some(world.names.find(issuer)?.id)
}

/// The common names of issuers, as names of their own: a row may give an issuer's common name alone.
#[derive(Default)]
struct Alone(HashMap<NameId, Vec<NameId>>);

impl Alone {
    fn names(&mut self, world: &World<'_>, issuer: NameId) -> &[NameId] {
        let read = || world.names.common_alone(issuer).collect();
        self.0.entry(issuer).or_insert_with(read)
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

/// Rows by their identifiers.
struct Index {
    table: HashTable<u32>,
    hasher: RandomState,
    slots: Vec<Slot>,
    /// The kinds of identifiers that there are.
    methods: u32,
}

/// A row that has an identifier.
struct Slot {
    token: Token,
    row: u32,
    /// The next slot with this identifier.
    next: u32,
}

impl Index {
    /// All rows; notes those that have an identifier in common with another.
    fn of(world: &World<'_>, repeated: &mut [bool]) -> Self {
        let identifiers = world.rows.iter().map(|row| row.entry.identifiers.len());
        let identifiers = identifiers.sum();
        let mut out = Self {
            table: HashTable::with_capacity(identifiers),
            hasher: RandomState::default(),
            slots: Vec::with_capacity(identifiers),
            methods: 0,
        };
        // The last comes first: each new one is put before those that have the same identifier.
        let mut end = world.rows.len();
        let mut batch: Vec<(u64, Token, u32)> = Vec::new();
        for rows in world.rows.rchunks(BATCH) {
            batch.clear();
            let start = end - rows.len();
            for (number, row) in (start..).zip(rows) {
                let mut add = |token| batch.push((out.hash(&token), token, short(number)));
                row.tokens(&world.names, &mut add);
                row.decimal_tokens(&world.names).for_each(add);
            }
            end = start;
            for &(hash, token, row) in batch.iter().rev() {
                let other = out.add(hash, token, row);
                for row in other.into_iter().flat_map(|other| [row, other]) {
                    if let Some(slot) = repeated.get_mut(row as usize) {
                        *slot = true;
                    }
                }
            }
        }
        out
    }

    /// The digest by which an identifier is looked up.
    fn hash(&self, token: &Token) -> u64 {
        self.hasher.hash_one(token)
    }

    /// Adds a row, and gives another one that has the identifier.
    fn add(&mut self, hash: u64, token: Token, row: u32) -> Option<u32> {
        self.methods |= token.method().bit();
        let Self {
            table,
            hasher,
            slots,
            ..
        } = self;
        let of = |number: &u32| slots.get(*number as usize);
        let same = |number: &u32| of(number).is_some_and(|slot| slot.token == token);
        let rehash = |number: &u32| of(number).map_or(0, |slot| hasher.hash_one(slot.token));
        let number = short(slots.len());
        let mut entry = table.entry(hash, same, rehash).or_insert(number);
        let first = std::mem::replace(entry.get_mut(), number);
        let known = slots.get(first as usize).map(|slot| slot.row);
        if known == Some(row) {
            // Two of its identifiers are the same.
            *entry.get_mut() = first;
            return None;
        }
        let next = if first == number { NONE } else { first };
        slots.push(Slot { token, row, next });
        known
    }

    /// Whether any row has an identifier of this kind.
    const fn has(&self, method: Method) -> bool {
        self.methods & method.bit() != 0
    }

    /// The first slot with an identifier, by its digest.
    fn first(&self, hash: u64, token: &Token) -> u32 {
        let slot = |number: u32| self.slots.get(long(number)?);
        let same = |number: &u32| slot(*number).is_some_and(|slot| slot.token == *token);
        self.table.find(hash, same).copied().unwrap_or(NONE)
    }

    /// The rows from a slot on, in their order.
    fn rows(&self, first: u32) -> impl Iterator<Item = usize> {
        let slot = |number: u32| self.slots.get(long(number)?);
        std::iter::successors(slot(first), move |one| slot(one.next)).map(|one| one.row as usize)
    }
}

/// The certificate of each sighting.
fn certificates_by_sighting(world: &World<'_>) -> Vec<u32> {
    let mut out = vec![NONE; world.sightings.len()];
    for (number, certificate) in world.certificates.iter().enumerate() {
        for sighting in certificate.sightings.iter() {
            if let Some(slot) = out.get_mut(sighting) {
                *slot = short(number);
            }
        }
    }
    out
}

/// Turns the hits of one row, by key and certificate, into links, or finds that they contradict each other.
fn settle(
    world: &World<'_>,
    row: usize,
    hits: &[Hit],
    out: &mut Join,
    links: &mut Vec<(u32, Link)>,
) {
    let (Some(of_row), Some(found)) = (world.rows.get(row), out.rows.get_mut(row)) else {
        return;
    };
    if hits.is_empty() {
        return;
    }
    let row = short(row);
    let strong = || hits.iter().filter(|hit| hit.method.is_strong());
    found.contradictory = contradict(hits);
    if found.contradictory || strong().next().is_none() {
        let own = of_row.strong_methods(false);
        let mut weak: Vec<(u32, Method)> = Vec::new();
        for hit in hits {
            // A row whose strong identifier names another key does not match weakly.
            let of_key = out.methods.get(hit.key as usize);
            let comparable = || of_key.is_some_and(|m| m & own != 0);
            let counts = match found.contradictory {
                true => hit.method.is_strong(),
                false => !(comparable() || disagrees(world, of_row, hit)),
            };
            if counts {
                weak.push((hit.key, hit.method));
            }
        }
        // Of each key the strongest; in the order of the ids.
        weak.sort_unstable();
        weak.dedup_by_key(|(key, _)| *key);
        weak.sort_by_key(|(key, _)| world.rank(*key as usize));
        if weak.len() > WEAK_KEYS && !found.contradictory {
            return;
        }
        let link = |&(other, method): &(u32, Method)| WeakLink { other, method };
        found.weak = weak.iter().map(link).collect();
        let link = |(key, method)| (key, WeakLink { other: row, method });
        out.weak.extend(weak.into_iter().map(link));
        return;
    }
    found.method = strong().map(|hit| hit.method).min();
    let mut keys: Vec<u32> = Vec::new();
    for hits in hits.chunk_by(|one, next| one.key == next.key) {
        let strong = || hits.iter().filter(|hit| hit.method.is_strong());
        let methods = strong().map(|hit| hit.method);
        let (Some(key), Some(method)) = (hits.first().map(|hit| hit.key), methods.min()) else {
            continue;
        };
        let link = Link {
            row,
            method,
            named: Few::sorted(strong().map(|hit| hit.certificate).filter(|&c| c != NONE)),
            by_primary: false,
        };
        keys.push(key);
        links.push((key, link));
    }
    found.keys = Few::from(keys.as_slice());
}

/// Two identifiers of one kind are a row for two things; two kinds that share no key contradict.
fn contradict(hits: &[Hit]) -> bool {
    let strong = || hits.iter().filter(|hit| hit.method.is_strong());
    let first = strong().next().map(|hit| hit.key);
    if strong().all(|hit| Some(hit.key) == first) {
        return false;
    }
    let mut pairs: Vec<(Method, u32)> = strong().map(|hit| (hit.method, hit.key)).collect();
    pairs.sort_unstable();
    let mut kinds = pairs.chunk_by(|(one, _), (next, _)| one == next);
    let first = kinds.next().unwrap_or_default();
    let mut common: Vec<u32> = first.iter().map(|(_, key)| *key).collect();
    for kind in kinds {
        common.retain(|key| kind.binary_search_by_key(key, |(_, key)| *key).is_ok());
    }
    common.is_empty()
}

/// Whether a serial alone was met on a certificate whose subject is not the row's.
fn disagrees(world: &World<'_>, row: &Row<'_>, hit: &Hit) -> bool {
    let certificate = long(hit.certificate).and_then(|c| world.certificates.get(c));
    match (row.subject, certificate) {
        (Some(own), Some(seen)) if !seen.subject.is_blank() => {
            hit.method == Method::SerialAlone && !world.names.agree(own, seen.subject)
        }
        _ => false,
    }
}

/// How often each serial occurs, in the sweep and in the inventory.
#[derive(Default)]
struct Serials {
    certificates: HashMap<Value, usize>,
    /// Those of precertificates: a precertificate has the serial of its certificate.
    announced: HashSet<Value>,
    rows: HashMap<Value, usize>,
    /// How many digits those have that may as well be decimal: a bit for each number.
    decimal: u128,
}

impl Serials {
    fn count(world: &World<'_>) -> Self {
        let mut out = Self {
            certificates: HashMap::with_capacity_and_hasher(
                world.certificates.len(),
                Default::default(),
            ),
            ..Self::default()
        };
        for row in &world.rows {
            let serials = row.entry.identifiers.iter().filter_map(|i| match i {
                Identifier::Serial(serial) | Identifier::IssuerSerial { serial, .. } => {
                    Some(Value::serial(serial))
                }
                _ => None,
            });
            let mut serials: Vec<Value> = serials.collect();
            serials.sort_unstable();
            serials.dedup();
            for serial in serials {
                *out.rows.entry(serial).or_default() += 1;
            }
        }
        for facts in world.certificates.iter().filter_map(|c| world.facts(c)) {
            let serial = Value::serial(&facts.serial);
            if facts.precertificate {
                out.announced.insert(serial);
            } else {
                *out.certificates.entry(serial).or_default() += 1;
            }
        }
        let all = out.certificates.keys().chain(out.rows.keys());
        let decimal = all.chain(&out.announced).filter_map(Value::decimal_digits);
        out.decimal = decimal.fold(0, |all, digits| all | 1 << digits);
        out
    }

    /// Whether another spelling of a serial may be among these: some have as many digits as its decimal one.
    fn may_be_decimal(&self, serial: &Value) -> bool {
        let Some(digits) = serial.hexadecimal_digits() else {
            return true;
        };
        // A hexadecimal digit is 1.2041 decimal ones.
        let (least, most) = ((digits - 1) * 1204 / 1000 + 1, digits * 1205 / 1000 + 1);
        let possible = (least..=most).fold(0, |all, digits| all | 1u128 << digits);
        serial.decimal_digits().is_some()
            || most > u32::from(Value::DIGITS_MAX)
            || self.decimal & possible != 0
    }

    /// How many certificates have a serial that is written like this, in hexadecimal or in decimal.
    fn seen(&self, form: &str) -> usize {
        let values = [Some(Value::serial(form)), Value::of_decimal_serial(form)];
        let values = || values.iter().flatten();
        let real = values().filter_map(|v| self.certificates.get(v)).sum();
        match real {
            0 => usize::from(values().any(|v| self.announced.contains(v))),
            real => real,
        }
    }

    /// Whether the serial of a certificate, which a row gives alone, proves that the row means it.
    fn prove(&self, world: &World<'_>, row: &Row<'_>, certificate: &Cert) -> bool {
        let Some(facts) = world.facts(certificate) else {
            return false;
        };
        let serial = Value::serial(&facts.serial);
        let once = || {
            if !self.may_be_decimal(&serial) {
                let seen = self.certificates.get(&serial).copied();
                let announced = || usize::from(self.announced.contains(&serial));
                return (seen.unwrap_or_else(announced), self.rows.get(&serial)) == (1, Some(&1));
            }
            let forms = serial_forms(&facts.serial);
            let seen = forms.iter().map(|form| self.seen(form)).max();
            let rows = forms.iter().map(|form| Value::serial(form));
            let rows: usize = rows.filter_map(|value| self.rows.get(&value)).sum();
            seen == Some(1) && rows == 1
        };
        serial_bits(&facts.serial) >= 64 && agrees(world, row, certificate, facts) && once()
    }
}

/// Whether a row's end of validity or its subject is the certificate's.
fn agrees(world: &World<'_>, row: &Row<'_>, certificate: &Cert, facts: &Certificate) -> bool {
    let date = match (row.entry.expires, facts.not_after) {
        (Some(expires), Some(not_after)) => dates::agree(expires, not_after),
        _ => false,
    };
    let subject = row.subject.filter(|_| !certificate.subject.is_blank());
    date || subject.is_some_and(|own| world.names.agree(own, certificate.subject))
}
