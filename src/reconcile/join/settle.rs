//! What the hits of one row amount to.

use super::super::context::{Row, World};
use super::super::few::{Few, NONE, long, short};
use super::{Hit, Join, Link, Method, WEAK_KEYS, WeakLink};

/// Turns the hits of one row, by key and certificate, into links, or finds that they contradict each other.
pub(super) fn settle(
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
