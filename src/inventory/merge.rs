//! Several exports on one thing: their rows complement each other, and where they contradict each other the one that was
//! named first counts. Contradictions are told on the later one.
//!
//! Rows belong together by a certificate that both name, or by a key where not both name certificates. Weak identifiers
//! (a serial alone, a subject key identifier, an OpenPGP key id) join nothing.

use super::heading::compact;
use crate::model::{Entry, Identifier, Inventory, KeyId, Moment, RowFault, ShortList, State};
use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;

/// What an identifier names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Level {
    Certificate,
    Key,
}

/// A row by its export and its place in it.
type At = (usize, usize);

/// Two rows of different exports on one thing.
struct Pair {
    later: At,
    earlier: At,
    level: Level,
}

/// Completes the rows of all exports from each other, in the order of precedence.
pub fn merge(inventories: &mut [Inventory]) {
    if inventories.len() > 1 {
        complete_each_other(inventories);
    }
    // A source whose rows all have owners from another one needs no column of its own.
    for inventory in inventories {
        inventory.has_owner_column = inventory.has_owner_column
            || !inventory.entries.is_empty() && inventory.entries.iter().all(|e| e.owner.is_some());
    }
}

fn complete_each_other(inventories: &mut [Inventory]) {
    let mut first: HashMap<(Level, String), At> = HashMap::new();
    // Row to the rows of earlier exports that are on the same thing.
    let mut pairs: Vec<Pair> = Vec::new();
    for (number, inventory) in inventories.iter().enumerate() {
        let mut new = Vec::new();
        for (row, entry) in inventory.entries.iter().enumerate() {
            let keys = keys_of(entry);
            let certified = keys.iter().any(|(level, _)| *level == Level::Certificate);
            let met = keys.iter().find_map(|key| {
                let at = *first.get(key)?;
                let other = inventories.get(at.0)?.entries.get(at.1)?;
                let both = certified && names_certificate(other);
                (key.0 == Level::Certificate || !both).then_some((at, key.0))
            });
            if let Some((at, level)) = met {
                pairs.push(Pair {
                    later: (number, row),
                    earlier: at,
                    level,
                });
            }
            new.extend(keys.into_iter().map(|key| (key, (number, row))));
        }
        for (key, at) in new {
            first.entry(key).or_insert(at);
        }
    }
    for Pair {
        later,
        earlier,
        level,
    } in pairs
    {
        let Some(mut earlier_entry) = take(inventories, earlier) else {
            continue;
        };
        if let Some(mut entry) = take(inventories, later) {
            let conflicts = complete(&mut entry, &mut earlier_entry, level);
            let source = entry.source.clone();
            put(inventories, later, entry);
            if let Some(inventory) = inventories.get_mut(later.0) {
                inventory
                    .faults
                    .extend(conflicts.into_iter().map(|reason| RowFault {
                        source: source.to_string(),
                        column: None,
                        reason,
                        row_lost: false,
                    }));
            }
        }
        put(inventories, earlier, earlier_entry);
    }
}

fn take(inventories: &mut [Inventory], at: At) -> Option<Entry> {
    inventories
        .get_mut(at.0)?
        .entries
        .get_mut(at.1)
        .map(std::mem::take)
}

fn put(inventories: &mut [Inventory], at: At, entry: Entry) {
    if let Some(slot) = inventories
        .get_mut(at.0)
        .and_then(|i| i.entries.get_mut(at.1))
    {
        *slot = entry;
    }
}

fn names_certificate(entry: &Entry) -> bool {
    keys_of(entry)
        .iter()
        .any(|(level, _)| *level == Level::Certificate)
}

/// What a row names strongly, in one spelling.
pub(super) fn keys_of(entry: &Entry) -> Vec<(Level, String)> {
    use Level::{Certificate, Key};
    let mut keys: Vec<(Level, String)> = entry
        .identifiers
        .iter()
        .flat_map(|identifier| match identifier {
            Identifier::CertSha256(d) => vec![(Certificate, format!("sha256:{d}"))],
            Identifier::CertSha1(d) => vec![(Certificate, format!("sha1:{d}"))],
            Identifier::IssuerSerial { issuer, serial } => {
                vec![(Certificate, format!("serial:{serial}:{}", parts(issuer)))]
            }
            // Either may be meant, so it meets both.
            Identifier::CertOrSpkiSha256(d) => vec![
                (Certificate, format!("sha256:{d}")),
                (Key, format!("spki:{d}")),
            ],
            Identifier::SpkiSha256(d) => vec![(Key, format!("spki:{d}"))],
            Identifier::KeyId(KeyId::Spki(d)) => vec![(Key, format!("spki:{d}"))],
            Identifier::KeyId(KeyId::Ssh(d)) => vec![(Key, format!("ssh:{d}"))],
            Identifier::KeyId(KeyId::Pgp(f)) => vec![(Key, format!("pgp:{f}"))],
            Identifier::KeyId(id) => vec![(Key, id.to_string())],
            Identifier::SshSha256(d) => vec![(Key, format!("ssh:{d}"))],
            Identifier::SshMd5(d) => vec![(Key, format!("ssh-md5:{d}"))],
            Identifier::PgpFingerprint(f) => vec![(Key, format!("pgp:{f}"))],
            Identifier::JwkThumbprint(t) => vec![(Key, format!("jwk:{t}"))],
            Identifier::Keygrip(g) => vec![(Key, format!("keygrip:{g}"))],
            Identifier::Md5(_)
            | Identifier::Sha1OrPgp(_)
            | Identifier::Serial(_)
            | Identifier::Ski(_)
            | Identifier::PgpKeyId(_)
            | Identifier::Pkcs11Id(_) => Vec::new(),
        })
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// A name's parts in one order, without case and blanks: registers write them forwards and backwards.
fn parts(name: &str) -> String {
    let mut parts: Vec<String> = name
        .split([',', '/', '+'])
        .map(compact)
        .filter(|p| !p.is_empty())
        .collect();
    parts.sort();
    parts.join(",")
}

/// Completes two rows from each other; gives where they contradict each other.
fn complete(later: &mut Entry, earlier: &mut Entry, level: Level) -> Vec<String> {
    let mut conflicts = Vec::new();
    let source = earlier.source.clone();
    let mut told = |field: &str, own: &str, other: &str| {
        conflicts.push(format!(
            "{field} is {own} here and {other} in {source}, which counts"
        ));
    };
    words("owner", &mut later.owner, &mut earlier.owner, &mut told);
    words(
        "environment",
        &mut later.environment,
        &mut earlier.environment,
        &mut told,
    );
    words(
        "criticality",
        &mut later.criticality,
        &mut earlier.criticality,
        &mut told,
    );
    both(
        "state",
        &mut later.state,
        &mut earlier.state,
        |a, b| a == b,
        |s: &State| s.as_str().to_owned(),
        &mut told,
    );
    both(
        "rotation period",
        &mut later.rotation_period_days,
        &mut earlier.rotation_period_days,
        |a, b| a == b,
        |days| format!("{days} days"),
        &mut told,
    );
    dates(
        "last rotated",
        &mut later.last_rotated,
        &mut earlier.last_rotated,
        &mut told,
    );
    if level == Level::Certificate {
        dates(
            "expires",
            &mut later.expires,
            &mut earlier.expires,
            &mut told,
        );
        dates(
            "not before",
            &mut later.not_before,
            &mut earlier.not_before,
            &mut told,
        );
        both(
            "key size",
            &mut later.bits,
            &mut earlier.bits,
            |a, b| a == b,
            |bits| bits.to_string(),
            &mut told,
        );
        fill(&mut later.subject, &mut earlier.subject);
        fill(&mut later.issuer, &mut earlier.issuer);
        fill(&mut later.algorithm, &mut earlier.algorithm);
        fill_list(&mut later.sans, &mut earlier.sans);
        unite(&mut later.identifiers, &mut earlier.identifiers);
    }
    fill(&mut later.name, &mut earlier.name);
    fill(&mut later.purpose, &mut earlier.purpose);
    fill(&mut later.created, &mut earlier.created);
    fill(&mut later.kind, &mut earlier.kind);
    fill(&mut later.allowed_hosts, &mut earlier.allowed_hosts);
    fill_list(&mut later.custodians, &mut earlier.custodians);
    // Where one export says nothing of places, the other's are meant; where both do, each allows its own.
    unite(&mut later.places, &mut earlier.places);
    later.tidy();
    earlier.tidy();
    conflicts
}

type Tell<'a> = dyn FnMut(&str, &str, &str) + 'a;

fn words<T: Clone + Deref<Target = str>>(
    field: &str,
    later: &mut Option<T>,
    earlier: &mut Option<T>,
    told: &mut Tell<'_>,
) {
    let same = |a: &T, b: &T| compact(a) == compact(b);
    let shown = |word: &T| super::hush::quoted(word);
    both(field, later, earlier, same, shown, told);
}

fn dates(
    field: &str,
    later: &mut Option<Moment>,
    earlier: &mut Option<Moment>,
    told: &mut Tell<'_>,
) {
    let day = |m: &Moment| m.at.to_string().chars().take(10).collect::<String>();
    // A date is a day in some zone.
    let same = |a: &Moment, b: &Moment| {
        let apart = a.at.as_second().abs_diff(b.at.as_second());
        apart <= if a.has_time && b.has_time { 60 } else { 86_400 }
    };
    both(field, later, earlier, same, day, told);
}

fn both<T: Clone>(
    field: &str,
    later: &mut Option<T>,
    earlier: &mut Option<T>,
    same: impl Fn(&T, &T) -> bool,
    shown: impl Fn(&T) -> String,
    told: &mut Tell<'_>,
) {
    if let (Some(own), Some(other)) = (&later, &earlier)
        && !same(own, other)
    {
        told(field, &shown(own), &shown(other));
        later.clone_from(earlier);
    }
    fill(later, earlier);
}

fn fill<T: Clone>(later: &mut Option<T>, earlier: &mut Option<T>) {
    match (&later, &earlier) {
        (None, Some(_)) => later.clone_from(earlier),
        (Some(_), None) => earlier.clone_from(later),
        _ => {}
    }
}

fn fill_list<T: Clone>(later: &mut Box<[T]>, earlier: &mut Box<[T]>) {
    match (later.is_empty(), earlier.is_empty()) {
        (true, false) => later.clone_from(earlier),
        (false, true) => earlier.clone_from(later),
        _ => {}
    }
}

fn unite<T: Clone + Ord>(later: &mut ShortList<T>, earlier: &mut ShortList<T>) {
    let mut seen: BTreeMap<T, ()> = BTreeMap::new();
    let mut all: Vec<T> = Vec::new();
    for thing in earlier.iter().chain(later.iter()) {
        if seen.insert(thing.clone(), ()).is_none() {
            all.push(thing.clone());
        }
    }
    *later = all.iter().cloned().collect();
    *earlier = all.into();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{ReadOptions, read_bytes};

    const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

    fn read(name: &str, text: &str) -> Inventory {
        read_bytes(name, text.as_bytes(), &ReadOptions::default()).unwrap()
    }

    fn conflicts(inventory: &Inventory) -> Vec<&str> {
        inventory.faults.iter().map(|f| f.reason.as_str()).collect()
    }

    #[test]
    fn rows_complement_each_other_and_the_first_counts() {
        let mut both = [
            read(
                "cmdb.csv",
                &format!("id,thumbprint,owner,environment,expires\nC-1,{SHA1},Anna,,2026-12-31\n"),
            ),
            read(
                "ca.csv",
                &format!(
                    "id,thumbprint,owner,environment,expires,location,serial,issuer\n\
                     77,{SHA1},carl,prod,2026-11-30,web01:/etc/a.pem,0A1B,CN=X\n"
                ),
            ),
        ];
        merge(&mut both);
        let (cmdb, ca) = (&both[0].entries[0], &both[1].entries[0]);
        assert_eq!(cmdb.environment.as_deref(), Some("prod"));
        assert_eq!(cmdb.places, ca.places);
        assert_eq!(cmdb.identifiers.len(), 3);
        assert_eq!(
            (cmdb.owner.as_deref(), ca.owner.as_deref()),
            (Some("Anna"), Some("Anna"))
        );
        assert_eq!(ca.expires, cmdb.expires);
        assert_eq!(&*cmdb.id, "C-1");
        assert_eq!(&*ca.id, "77");
        assert!(conflicts(&both[0]).is_empty());
        assert_eq!(
            conflicts(&both[1]),
            [
                "owner is carl here and Anna in cmdb.csv:2, which counts",
                "expires is 2026-11-30 here and 2026-12-31 in cmdb.csv:2, which counts",
            ]
        );
    }

    #[test]
    fn spelling_order_and_a_day_are_no_conflict() {
        let mut both = [
            read(
                "a.csv",
                "id,serial,issuer,owner,expires\n1,0A1B2C,\"CN=CA, O=Ex\",anna berg,2026-12-31\n",
            ),
            read(
                "b.csv",
                "id,serial,issuer,owner,expires\n2,0x0a1b2c,\"O=Ex,CN=CA\",Anna Berg,2026-12-31T22:00:00Z\n",
            ),
        ];
        merge(&mut both);
        assert!(conflicts(&both[1]).is_empty(), "{:?}", conflicts(&both[1]));
        assert_eq!(
            both[0].entries[0].expires.unwrap().at.to_string(),
            "2026-12-31T00:00:00Z"
        );
    }

    #[test]
    fn certificates_of_one_key_are_not_one_thing() {
        let spki = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let other = "0".repeat(40);
        let mut both = [
            read(
                "a.csv",
                &format!(
                    "id,spki sha256,thumbprint,owner,expires\n1,{spki},{SHA1},anna,2026-01-01\n"
                ),
            ),
            read(
                "b.csv",
                &format!(
                    "id,spki sha256,thumbprint,owner,expires\n2,{spki},{other},carl,2027-01-01\n"
                ),
            ),
        ];
        merge(&mut both);
        assert!(conflicts(&both[1]).is_empty());
        assert_eq!(both[1].entries[0].owner.as_deref(), Some("carl"));
        let mut both = [
            read(
                "a.csv",
                &format!("id,spki sha256,owner,expires\n1,{spki},anna,2026-01-01\n"),
            ),
            read(
                "b.csv",
                &format!(
                    "id,spki sha256,thumbprint,owner,expires\n2,{spki},{other},carl,2027-01-01\n"
                ),
            ),
        ];
        merge(&mut both);
        // The key's owner counts; its certificate's end is its own.
        assert_eq!(conflicts(&both[1]).len(), 1);
        assert_ne!(both[0].entries[0].expires, both[1].entries[0].expires);
    }
}
