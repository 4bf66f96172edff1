//! Brings what lies scattered in memory into the processor's caches before it is worked on.
//!
//! To go through large records is to wait for their parts one after the other, each for as long as a few hundred instructions take. The
//! parts of many records asked for together come side by side. In a report on a million keys that is a third of the time.

use super::sighting::Sighting;
use std::hint::black_box;

/// How many records are looked at together: their parts must stay in a cache of a megabyte or so until they are worked on.
pub const BATCH: usize = 256;

/// Reads all, and keeps the compiler from seeing that nothing comes of it.
pub fn look(all: impl Iterator<Item = usize>) {
    black_box(all.fold(0, usize::wrapping_add));
}

/// The first byte of a text.
pub fn first(text: &str) -> usize {
    text.as_bytes().first().map_or(0, |&byte| usize::from(byte))
}

/// Looks at what stands in sightings themselves.
pub fn sightings<'s>(all: impl Iterator<Item = &'s Sighting>) {
    look(all.map(facts));
}

/// Looks at sightings and what they point at, from the outside inward: each step needs what the one before it has brought.
pub fn whole_sightings<'s>(all: impl Iterator<Item = &'s Sighting> + Clone) {
    // One key may have been seen everywhere.
    let all = all.take(4 * BATCH);
    sightings(all.clone());
    look(all.clone().map(parts));
    look(all.map(texts));
}

/// What stands in the record itself.
fn facts(s: &Sighting) -> usize {
    let location = &s.location;
    let lengths = location.path.len() + usize::from(location.rare.is_some());
    let numbers = location.line.get().unwrap_or(0) ^ location.offset.get().unwrap_or(0);
    let there = [s.file.is_some(), s.certificate.is_some(), s.rare.is_some()];
    lengths
        + s.format.len()
        + there.iter().filter(|there| **there).count()
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
        let hosts = ssh.hosts.iter().map(|text| first(text)).sum::<usize>();
        let options = [&ssh.comment, &ssh.options].into_iter().flatten();
        let options = options.map(|text| first(text)).sum::<usize>();
        hosts + options + ssh.opens.iter().map(|o| first(&o.account)).sum::<usize>()
    });
    certificate + ssh
}
