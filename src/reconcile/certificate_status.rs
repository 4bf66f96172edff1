//! Whether a certificate is in force, replaced, or only history.

use super::alternative_names;
use super::context::{Cert, Row, World, directory, file_name, paths};
use super::dates::plus_days;
use super::few::{long, short};
use super::lineage::settled;
use super::names::{NameId, lower_case};
use super::texts::Texts;
use super::tokens::{Method, Token, methods_of, of_sighting};
use crate::model::{Certificate, CertificateStatus, Identifier, KeyId, Sha256Hex, Sighting};
use foldhash::HashMap;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// Containers whose members are kept, not used.
const ARCHIVES: &[&str] = &["tar", "zip", "cpio", "7z", "rar", "ar", "git"];
/// What an image is made of.
const LAYER: &str = "layer";
/// Zip files that a program runs from.
const PROGRAMS: &[&str] = &[
    "jar", "war", "ear", "apk", "aar", "whl", "egg", "nupkg", "jmod", "xpi",
];

/// Sets the status of each certificate and of each of its sightings.
pub(super) fn decide(world: &mut World<'_>) {
    let stays = Stays::find(world);
    let recorded = recorded(world);
    let mut of_sighting: Vec<(u32, CertificateStatus)> = Vec::new();
    let mut statuses = Vec::with_capacity(world.certificates.len());
    let mut all = stays.all.iter().peekable();
    for (number, certificate) in world.certificates.iter().enumerate() {
        let replaced_by_row = recorded.contains(&number);
        let mut whole = None;
        let mut successor = None;
        while let Some(stay) = all.next_if(|stay| stay.certificate == number) {
            let newer = stays.newest(stay).filter(|(best, ..)| *best > stay.age);
            successor = successor.max(newer);
            let status = if stay.is_history || stay.is_announced {
                CertificateStatus::Historic
            } else if newer.is_some() || replaced_by_row {
                CertificateStatus::Superseded
            } else {
                CertificateStatus::Current
            };
            // In force on one host is in force; only what is history everywhere is history.
            let is_judged = |&s: &u32| certificate.judged.contains(s as usize);
            if certificate.judged.is_empty() || stay.sightings.iter().any(is_judged) {
                whole = Some(whole.map_or(status, |w: CertificateStatus| w.min(status)));
            }
            of_sighting.extend(stay.sightings.iter().map(|&s| (s, status)));
        }
        let whole = whole.unwrap_or(CertificateStatus::Current);
        statuses.push((whole, successor.map(|(.., number)| number)));
    }
    for (certificate, (status, successor)) in world.certificates.iter_mut().zip(statuses) {
        certificate.settle(status, successor);
    }
    for (sighting, status) in of_sighting {
        let sighting = long(sighting).and_then(|n| world.sightings.get_mut(n));
        if let Some(facts) = sighting.and_then(|s| s.certificate.as_mut()) {
            facts.status = Some(status);
        }
    }
}

/// A certificate on one host.
struct Stay<'w> {
    certificate: usize,
    /// Its sightings there.
    sightings: &'w [u32],
    age: Age,
    /// All of these are only kept.
    is_history: bool,
    /// It is a precertificate.
    is_announced: bool,
    /// Its groups, by their places in the list of all.
    groups: Range<usize>,
}

/// All certificates on all hosts, in the order of the certificates.
struct Stays<'w> {
    all: Vec<Stay<'w>>,
    /// The groups of each, by number.
    groups: Vec<u32>,
    /// Of each group the newest; of several the last by the id of its key.
    newest: Vec<Option<Newest>>,
}

impl<'w> Stays<'w> {
    fn find(world: &'w World<'_>) -> Self {
        let mut out = Self {
            all: Vec::with_capacity(world.certificates.len()),
            groups: Vec::with_capacity(world.certificates.len()),
            newest: Vec::new(),
        };
        let mut groups = Groups::default();
        for (number, certificate) in world.certificates.iter().enumerate() {
            let Some(facts) = world.facts(certificate) else {
                continue;
            };
            let own = (Age::of(facts), world.rank(certificate.key()), number);
            let names = groups.names(&facts.sans);
            for sightings in by_host(world, certificate) {
                let is_history = world.seen(sightings).all(is_history);
                // What is itself only kept does not replace what is in use; and the certificate that a precertificate
                // announces has its dates and its key.
                let own = Some(own).filter(|_| !is_history && !facts.precertificate);
                let start = out.groups.len();
                groups.each(world, number, (facts, names), sightings, |group| {
                    out.groups.push(short(group));
                    match out.newest.get_mut(group) {
                        Some(best) => *best = (*best).max(own),
                        None => out.newest.push(own),
                    }
                });
                out.all.push(Stay {
                    certificate: number,
                    sightings,
                    age: Age::of(facts),
                    is_history,
                    is_announced: facts.precertificate,
                    groups: start..out.groups.len(),
                });
            }
        }
        out
    }

    /// The newest of all groups that one is of.
    fn newest(&self, stay: &Stay<'_>) -> Option<Newest> {
        let groups = self.groups.get(stay.groups.clone()).into_iter().flatten();
        let newest = groups.filter_map(|&group| *self.newest.get(group as usize)?);
        newest.max()
    }
}

/// The sightings of a certificate on each host: those of one host follow one another.
fn by_host<'w>(
    world: &'w World<'_>,
    certificate: &'w Cert,
) -> impl Iterator<Item = &'w [u32]> + use<'w> {
    let host = |number: &u32| world.host(*number as usize);
    let sightings = certificate.sightings.as_slice();
    sightings.chunk_by(move |one, next| host(one) == host(next))
}

/// Start and then end of validity: the greater, the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age(Option<jiff::Timestamp>, Option<jiff::Timestamp>);

impl Age {
    pub(super) fn of(facts: &Certificate) -> Self {
        Self(facts.not_before, facts.not_after)
    }

    /// The start of validity.
    pub(super) const fn start(self) -> Option<jiff::Timestamp> {
        self.0
    }

    /// The end of validity.
    pub(super) const fn end(self) -> Option<jiff::Timestamp> {
        self.1
    }
}

/// What a newer certificate must share to replace one; the host comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Group {
    Key(u32, u32),
    Names(u32, NameId, NameId, u32),
    /// Self-signed ones of different keys have no issuer in common: only in one directory do they follow
    /// one another, or every `CN=localhost` would replace every other.
    SelfSigned(u32, NameId, u32, u32),
    /// Generations of one file, whoever issued them; authorities beside them in a chain are none.
    Generations(u32, u32),
}

/// A certificate with what decides which is the newest: its age, and then the place of its key.
type Newest = (Age, u32, usize);

/// Numbers the groups of certificates as they come.
#[derive(Default)]
struct Groups {
    numbers: HashMap<Group, usize>,
    /// Alternative names, directories and paths.
    texts: Texts,
    /// Memory that is used again.
    listed: String,
}

impl Groups {
    /// The number of a certificate's alternative names.
    fn names(&mut self, names: &[String]) -> u32 {
        if list_in_order(names, &mut self.listed) {
            return self.texts.number(&self.listed);
        }
        self.texts.number(&listed(names))
    }

    /// The groups of a certificate on one host, with what it says and its sightings there; a new one has the next number.
    fn each(
        &mut self,
        world: &World<'_>,
        number: usize,
        (facts, names): (&Certificate, u32),
        here: &[u32],
        mut each: impl FnMut(usize),
    ) {
        let (Some(certificate), Some(&first)) = (world.certificates.get(number), here.first())
        else {
            return;
        };
        let Self { numbers, texts, .. } = self;
        let mut add = |group: Group| {
            let next = numbers.len();
            each(*numbers.entry(group).or_insert(next));
        };
        let host = short(world.host(first as usize));
        let of_same_key = |other: Option<usize>| {
            let other = other.and_then(|other| world.certificates.get(other));
            other.is_some_and(|other| other.key() == certificate.key())
        };
        // Those of one key follow one another; one alone follows none.
        if of_same_key(number.checked_sub(1)) || of_same_key(number.checked_add(1)) {
            add(Group::Key(host, short(certificate.key())));
        }
        let generations = world.seen(if facts.is_ca { &[] } else { here });
        for path in generations.flat_map(paths).filter_map(settled) {
            add(Group::Generations(host, texts.number(&path)));
        }
        let (subject, issuer) = (certificate.subject, certificate.issuer);
        if subject == issuer {
            for s in world.seen(here) {
                let directory = texts.number(directory(&s.location.path));
                add(Group::SelfSigned(host, subject, names, directory));
            }
        } else {
            add(Group::Names(host, subject, issuer, names));
        }
    }
}

/// Leaves what [`listed`] gives, if the names are plain and in order, as most are.
fn list_in_order(names: &[String], out: &mut String) -> bool {
    out.clear();
    let mut before = 0;
    for (number, name) in names.iter().enumerate() {
        if !name.bytes().all(|b| b.is_ascii() && b != b'\n') {
            return false;
        }
        if number > 0 {
            out.push('\n');
        }
        let start = out.len();
        out.push_str(name);
        if let Some(name) = out.get_mut(start..) {
            name.make_ascii_lowercase();
        }
        let (earlier, own) = out.split_at(start);
        let other = earlier.get(before..).and_then(|o| o.strip_suffix('\n'));
        if number > 0 && other.is_none_or(|other| other >= own) {
            return false;
        }
        before = start;
    }
    true
}

/// Names in lower case and in order, as one text.
fn listed(names: &[String]) -> String {
    let mut lower: Vec<Cow<'_, str>> = names.iter().map(|name| lower_case(name)).collect();
    lower.sort_unstable();
    lower.dedup();
    if lower.iter().any(|name| name.contains('\n')) {
        return format!("\n{lower:?}");
    }
    lower.join("\n")
}

/// The certificates that a row replaces: it names another one that ends later, of the same key, or of the
/// same subject, names and issuer.
fn recorded(world: &World<'_>) -> BTreeSet<usize> {
    let mut by_names: HashMap<(NameId, NameId), Vec<usize>> = HashMap::default();
    let mut by_key: HashMap<Sha256Hex, Vec<usize>> = HashMap::default();
    for (number, row) in world.rows.iter().enumerate() {
        if row.entry.expires.is_none() || !names_certificate(row) {
            continue;
        }
        if let (Some(subject), Some(issuer)) = (&row.subject, &row.issuer) {
            let key = (subject.id, issuer.id);
            by_names.entry(key).or_default().push(number);
        }
        for identifier in &row.entry.identifiers {
            if let Identifier::SpkiSha256(digest) | Identifier::KeyId(KeyId::Spki(digest)) =
                identifier
            {
                by_key.entry(*digest).or_default().push(number);
            }
        }
    }
    let mut out = BTreeSet::new();
    if by_names.is_empty() && by_key.is_empty() {
        return out;
    }
    for rows in by_names.values_mut().chain(by_key.values_mut()) {
        // Only the last to end matter, and some more in case these name the certificate itself.
        rows.sort_by_key(|&r| {
            std::cmp::Reverse(world.rows.get(r).and_then(|row| row.entry.expires))
        });
        rows.truncate(8);
    }
    for (number, certificate) in world.certificates.iter().enumerate() {
        let Some(facts) = world.facts(certificate) else {
            continue;
        };
        let Some(end) = facts.not_after else {
            continue;
        };
        let Some(first) = world.at(&certificate.sightings).next() else {
            continue;
        };
        let of_id = match &first.key_id {
            Some(KeyId::Spki(digest)) => Some(*digest),
            _ => None,
        };
        let of_names = by_names.get(&(certificate.subject, certificate.issuer));
        let spki = [first.fingerprints.spki_sha256(), of_id];
        let of_key: Vec<usize> = spki
            .iter()
            .flatten()
            .filter_map(|digest| by_key.get(digest))
            .flatten()
            .copied()
            .collect();
        if of_names.is_none() && of_key.is_empty() {
            continue;
        }
        let own = certificate_tokens(world, certificate, first);
        let replaces = |row: &Row<'_>| {
            let later = row.entry.expires.is_some_and(|e| e.at > plus_days(end, 1));
            let mut named = false;
            let mut compare = |token: Token| named |= own.contains(&token);
            row.tokens(&world.names, &mut compare);
            row.decimal_tokens(&world.names).for_each(compare);
            later && !named
        };
        let names_fit = |row: &Row<'_>| {
            let names = &row.entry.sans;
            names.is_empty() || same_names(names, &facts.sans)
        };
        let mut named = of_names.into_iter().flatten();
        let row = |number: &usize| world.rows.get(*number);
        if named.any(|n| row(n).is_some_and(|row| replaces(row) && names_fit(row)))
            || of_key.iter().any(|n| row(n).is_some_and(replaces))
        {
            out.insert(number);
        }
    }
    out
}

/// Whether a row has an identifier that may name a certificate beyond doubt.
fn names_certificate(row: &Row<'_>) -> bool {
    let methods = row.entry.identifiers.iter().flat_map(methods_of);
    methods.into_iter().any(|m| CERTIFICATE & m.bit() != 0)
}

/// The methods that name a certificate beyond doubt.
const CERTIFICATE: u32 = (Method::Serial.bit() << 1) - 1;

/// The identifiers of a certificate that name it beyond doubt.
fn certificate_tokens(world: &World<'_>, certificate: &Cert, seen: &Sighting) -> BTreeSet<Token> {
    let mut own = BTreeSet::new();
    let issuer = || Some(certificate.issuer);
    of_sighting(seen, CERTIFICATE, issuer, |token| {
        own.insert(token);
        let alone = token.issuer().into_iter();
        let alone = alone.flat_map(|issuer| world.names.common_alone(issuer));
        own.extend(alone.map(|issuer| token.of_issuer(issuer)));
    });
    own
}

/// Names with or without their type (`DNS:`), in any spelling.
pub(super) fn same_names(row: &[String], certificate: &[String]) -> bool {
    alternative_names::normal(row) == alternative_names::normal(certificate)
}

/// Whether a sighting is in history, in an archive that is no program, or in a layer whose images have it no more.
fn is_history(sighting: &Sighting) -> bool {
    if sighting.is_removed_from_images() {
        return true;
    }
    let mut holder = file_name(&sighting.location.path);
    // A layer is what a program runs from: the archive that it is stored as keeps nothing else.
    let mut is_layer = false;
    sighting.location.inside().iter().any(|member| {
        let extension = holder.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
        let program = extension.is_some_and(|e| PROGRAMS.contains(&e.as_str()));
        holder = member.name.as_deref().map_or("", file_name);
        is_layer |= member.container == LAYER;
        let is_archive = ARCHIVES.contains(&member.container.as_str());
        is_archive && !program && !std::mem::take(&mut is_layer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_order_are_listed_alike() {
        for names in [
            &[][..],
            &["DNS:b.example"],
            &["DNS:a.example", "DNS:b.example"],
            &["DNS:a", "DNS:ab", "IP:1"],
            &["DNS:b", "DNS:a"],
            &["DNS:a", "dns:A"],
            &["DNS:\u{c4}"],
            &["a\nb", "c"],
        ] {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let mut out = "before".to_owned();
            if list_in_order(&names, &mut out) {
                assert_eq!(out, listed(&names), "{names:?}");
            }
        }
        let mut out = String::new();
        let plain = ["DNS:A".to_owned(), "DNS:b".to_owned()];
        assert!(list_in_order(&plain, &mut out));
        assert_eq!(out, "dns:a\ndns:b");
    }
}
