//! The sightings of all hosts in one list, host by host: while those of one are in the processor's caches, all is done that needs no others.
//! A large estate has more of them than the caches hold, and each walk over all is a walk through the memory.

use super::few::short;
use super::gather::Numbering;
use super::sweeps::{Hosts, OfHost};
use crate::identity::{fill_from_keygrips, fill_probable_keys_of_host, has_keygrip_alone};
use crate::model::ahead::{BATCH, facts, first, look};
use crate::model::{SharedText, Sighting};
use std::cmp::Ordering;
use std::ops::Range;

/// All sightings, each with its host and its key.
pub(super) struct Arranged {
    /// With host, in the order of the contract.
    pub(super) sightings: Vec<Box<Sighting>>,
    /// The number of the host of each.
    pub(super) host_of: Vec<u32>,
    /// Which keys there are.
    pub(super) numbering: Numbering,
    /// Those that OpenPGP says something of, by number.
    pub(super) pgp: Vec<u32>,
}

/// Puts what was seen in order. The lists of one host follow one another.
pub(super) fn arrange(mut lists: Vec<OfHost>, hosts: &Hosts) -> Arranged {
    let count = lists.iter().map(|list| list.sightings.len()).sum();
    let mut out = Arranged {
        sightings: Vec::with_capacity(count),
        host_of: Vec::with_capacity(count),
        numbering: Numbering::with_capacity(count),
        pgp: Vec::new(),
    };
    let name = |list: &OfHost| hosts.get(list.host).map(|host| host.name.as_str());
    lists.sort_by(|one, other| name(one).cmp(&name(other)));
    let mut lists = lists.into_iter().peekable();
    // Hosts with keys that only a keygrip names: those may be told anywhere.
    let mut waiting: Vec<Range<usize>> = Vec::new();
    while let Some(list) = lists.next() {
        let start = out.sightings.len();
        let (host, name) = (list.host, name(&list).map(SharedText::from));
        out.sightings.extend(list.sightings);
        while let Some(more) = lists.next_if(|next| next.host == host) {
            out.sightings.extend(more.sightings);
        }
        let end = out.sightings.len();
        let here = out.sightings.get_mut(start..).unwrap_or_default();
        for batch in here.chunks(BATCH) {
            look(batch.iter().map(|s| facts(s)));
            look(batch.iter().map(|s| first(&s.location.path)));
        }
        here.iter_mut().for_each(|s| s.host.clone_from(&name));
        // A sweep has them in order already.
        here.sort_by(|one, other| order(one, other));
        if here.iter().any(|s| has_keygrip_alone(s)) {
            waiting.push(start..end);
        } else {
            fill_probable_keys_of_host(here);
        }
        if waiting.is_empty() {
            here.iter().for_each(|s| out.numbering.add(s));
        }
        let numbers = (short(start)..).zip(here.iter());
        let pgp = numbers.filter(|(_, s)| s.pgp.is_some());
        out.pgp.extend(pgp.map(|(number, _)| number));
        out.host_of.resize(end, short(host));
    }
    if let Some(first) = waiting.first() {
        let unnumbered = first.start..;
        fill_from_keygrips(&mut out.sightings);
        for host in waiting {
            fill_probable_keys_of_host(out.sightings.get_mut(host).unwrap_or_default());
        }
        let rest = out.sightings.get(unnumbered).unwrap_or_default();
        rest.iter().for_each(|s| out.numbering.add(s));
    }
    out
}

/// Path bytes, inside, offset, kind (contract, section 4), and then whatever tells two of one host apart.
fn order(one: &Sighting, other: &Sighting) -> Ordering {
    let (a, b) = (&one.location, &other.location);
    let digest = |s: &Sighting| s.fingerprints.cert_sha256();
    a.path
        .cmp(&b.path)
        .then_with(|| (a.path_bytes(), a.inside()).cmp(&(b.path_bytes(), b.inside())))
        .then_with(|| (a.offset, a.line).cmp(&(b.offset, b.line)))
        .then_with(|| (a.alias(), one.kind).cmp(&(b.alias(), other.kind)))
        .then_with(|| one.key_id.cmp(&other.key_id))
        .then_with(|| digest(one).cmp(&digest(other)))
        .then_with(|| (&one.format, one.class).cmp(&(&other.format, other.class)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::model::*;

    #[test]
    fn a_keygrip_may_be_told_on_any_host() {
        let grip = |mut s: Sighting| {
            s.fingerprints.change(|f| f.keygrip = Some(Hex([9; 20])));
            s
        };
        let nameless = || {
            let s = grip(private(1, "/root/.gnupg/private-keys-v1.d/09.key"));
            Sighting { key_id: None, ..s }
        };
        let closed = |n: u8| Sighting {
            key_id: Some(KeyId::Opaque(digest(n))),
            ..private(n, "/etc/ssl/shop.key")
        };
        let public = |n: u8| sighting(Kind::PublicKey, n, "/etc/ssl/shop.pub");
        // Hosts before and behind the one that waits; the last one tells the key.
        let report = case(vec![closed(5), nameless(), public(2)], vec![])
            .and("app01", vec![closed(6), public(3)])
            .and("web02", vec![closed(7), public(4)])
            .and("zone01", vec![grip(public(8))])
            .run();
        let key = |id: &KeyId| report.keys.iter().find(|k| k.key_id == *id).unwrap();
        let hosts = |id: &KeyId| -> Vec<String> {
            let sightings = key(id).sightings.iter();
            sightings
                .map(|s| s.host.as_deref().unwrap_or("").to_owned())
                .collect()
        };
        assert_eq!(hosts(&key_id(8)), ["web01", "zone01"]);
        assert!(report.others.is_empty());
        for (n, public, host) in [(5, 2, "web01"), (6, 3, "app01"), (7, 4, "web02")] {
            let id = KeyId::Opaque(digest(n));
            assert_eq!(hosts(&id), [host]);
            let probable = key(&id).sightings.iter().map(|s| s.probable_key.as_deref());
            assert!(probable.eq([Some(&key_id(public))]), "{n}");
            assert_eq!(hosts(&key_id(public)), [host]);
        }
    }

    #[test]
    fn sweeps_of_one_host_are_one_list_in_order() {
        let mut c = case(vec![private(1, "/srv/b"), private(1, "/etc/a")], vec![]);
        c.sweeps[0].header.roots = vec!["/etc".to_owned(), "/srv".to_owned()];
        let other = vec![private(1, "/opt/c"), private(1, "/opt/a")];
        c.sweeps.push(sweep("WEB01", &["/opt"], other, vec![]));
        c.sweeps
            .push(sweep("App01", &["/"], vec![private(1, "/x")], vec![]));
        let report = c.run();
        let places = report.keys[0].sightings.iter().map(|s| {
            let host = s.host.as_deref().unwrap_or("");
            format!("{}:{}", host.to_lowercase(), s.location.path)
        });
        let places: Vec<String> = places.collect();
        assert_eq!(
            places,
            [
                "app01:/x",
                "web01:/etc/a",
                "web01:/opt/a",
                "web01:/opt/c",
                "web01:/srv/b"
            ]
        );
    }
}
