//! Looks at what records are made of before they are written.
//!
//! The keys of a report are in the order of their ids, and what they consist of lies scattered in memory in the order in which it was
//! read. To write a record is to wait for its parts one after the other; the parts of many records asked for together come side by
//! side. On a million keys that is a third of the time of writing.

use crate::model::report::{EntryReport, KeyReport};
use crate::model::{Finding, Sighting};
use std::hint::black_box;

/// How many records are looked at together: their parts must stay in a cache of a megabyte or so until they are written.
pub(super) const BATCH: usize = 256;

/// Looks at keys, from the outside inward: each step needs what the one before it has brought.
pub(super) fn keys(keys: &[KeyReport]) {
    let sightings = || keys.iter().flat_map(|key| &key.sightings);
    look(keys.iter().map(lists));
    look(keys.iter().flat_map(|key| &key.flags).map(finding));
    look(keys.iter().flat_map(|key| &key.entries).map(|id| first(id)));
    look(sightings().map(|s| facts(s)));
    look(keys.iter().flat_map(|key| &key.flags).map(why));
    look(sightings().map(|s| parts(s)));
    look(sightings().map(|s| texts(s)));
}

/// Looks at rows.
pub(super) fn entries(entries: &[EntryReport]) {
    let findings = || entries.iter().flat_map(|entry| &entry.flags);
    let id = |entry: &EntryReport| first(&entry.id) + entry.keys.len();
    look(entries.iter().map(id));
    look(findings().map(finding));
    look(findings().map(why));
}

/// Reads all, and keeps the compiler from seeing that nothing comes of it.
fn look(all: impl Iterator<Item = usize>) {
    black_box(all.fold(0, usize::wrapping_add));
}

/// The lists of a key; what their elements point at is not touched.
fn lists(key: &KeyReport) -> usize {
    let sighting = key.sightings.first();
    let sighting = sighting.map_or(0, |s| std::ptr::from_ref::<Sighting>(s).addr());
    sighting
        .wrapping_add(key.entries.len())
        .wrapping_add(key.flags.len())
}

fn first(text: &str) -> usize {
    text.as_bytes().first().map_or(0, |&byte| usize::from(byte))
}

fn finding(finding: &Finding) -> usize {
    usize::from(finding.place.is_some()) + usize::from(finding.entry.is_some())
}

fn why(finding: &Finding) -> usize {
    first(&finding.why) + finding.entry.as_deref().map_or(0, first)
}

/// What stands in the record itself.
fn facts(s: &Sighting) -> usize {
    let location = &s.location;
    let numbers = location.line.get().unwrap_or(0) ^ location.offset.get().unwrap_or(0);
    let there = [
        s.host.is_some(),
        s.algorithm.is_some(),
        s.file.is_some(),
        s.certificate.is_some(),
        s.rare.is_some(),
        location.rare.is_some(),
    ];
    there.iter().filter(|there| **there).count()
        + usize::from(numbers != 0)
        + usize::from(s.key_id.is_some())
}

/// What the record points at.
fn parts(s: &Sighting) -> usize {
    let file = s.file.as_deref().map_or(0, |file| {
        usize::from(file.mode.0) + usize::from(file.access.is_some())
    });
    let certificate = s.certificate.as_deref().map_or(0, |facts| {
        facts.subject.len() + facts.serial.len() + facts.sans.len() + facts.key_usage.len()
    });
    let ssh = s.ssh.as_deref().map_or(0, |ssh| {
        ssh.hosts.len() + ssh.opens.len() + usize::from(ssh.options.is_some())
    });
    first(&s.location.path) + s.fingerprints.lines() + file + certificate + ssh
}

/// The texts of what it points at.
fn texts(s: &Sighting) -> usize {
    let certificate = s.certificate.as_deref().map_or(0, |facts| {
        let names = facts.sans.iter().map(|name| first(name)).sum::<usize>();
        first(&facts.subject) + first(&facts.serial) + names
    });
    let ssh = s.ssh.as_deref().map_or(0, |ssh| {
        let options = [&ssh.comment, &ssh.options].into_iter().flatten();
        let options = options.map(|text| first(text)).sum::<usize>();
        let hosts = ssh.hosts.iter().map(|text| first(text)).sum::<usize>();
        let accounts = ssh.opens.iter().map(|o| first(&o.account)).sum::<usize>();
        options + hosts + accounts
    });
    certificate + ssh
}
