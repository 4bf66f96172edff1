//! Looks at what records are made of before they are used.
//!
//! A large estate is far more than the processor's caches hold, and what a record consists of lies scattered in memory. To use one is to
//! wait for its parts one after the other; the parts of many that are asked for together come side by side. Nothing here changes a result.

use super::{Certificate, Sighting, Ssh};
use std::hint::black_box;

/// How many records are looked at together. Their parts must stay in the nearest caches, of some tens of kilobytes, until they are used:
/// measured on a million records, where writing with 16 at once took a tenth more, and with 256 at once a fifth.
pub(crate) const BATCH: usize = 48;

/// All of a list; each batch of it is looked at before the first of the batch is given.
pub(crate) fn each<'l, T>(
    list: &'l [T],
    look_at: impl Fn(&'l [T]) + 'l,
) -> impl Iterator<Item = &'l T> + 'l {
    list.chunks(BATCH).flat_map(move |batch| {
        look_at(batch);
        batch
    })
}

/// Reads all, and keeps the compiler from seeing that nothing comes of it.
pub(crate) fn look(all: impl Iterator<Item = usize>) {
    black_box(all.fold(0, usize::wrapping_add));
}

/// The first byte of a text, which brings its beginning.
pub(crate) fn first(text: &str) -> usize {
    text.as_bytes().first().map_or(0, |&byte| usize::from(byte))
}

/// How many of the parts of a record are there: to say so is to look at all of it.
pub(crate) fn count(there: &[bool]) -> usize {
    there.iter().filter(|there| **there).count()
}

/// What stands in the record of a sighting itself.
pub(crate) fn facts(s: &Sighting) -> usize {
    let location = &s.location;
    let numbers = location.line.get().unwrap_or(0) ^ location.offset.get().unwrap_or(0);
    count(&[
        s.host.is_some(),
        s.key_id.is_some(),
        s.algorithm.is_some(),
        s.file.is_some(),
        s.certificate.is_some(),
        s.rare.is_some(),
        location.rare.is_some(),
        numbers != 0,
    ])
}

/// What the record of a sighting points at, but for its fingerprints. [`facts`] comes before it.
pub(crate) fn parts(s: &Sighting) -> usize {
    let file = s.file.as_deref().map_or(0, |file| {
        usize::from(file.mode.0) + usize::from(file.access.is_some())
    });
    let of_certificate = |facts: &Certificate| {
        facts.subject.len() + facts.serial.len() + facts.sans.len() + facts.key_usage.len()
    };
    let of_ssh = |ssh: &Ssh| ssh.hosts.len() + ssh.opens.len() + usize::from(ssh.options.is_some());
    let certificate = s.certificate.as_deref().map_or(0, of_certificate);
    let ssh = s.ssh.as_deref().map_or(0, of_ssh);
    first(&s.location.path) + file + certificate + ssh
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn each_batch_is_looked_at_before_it_is_given() {
        let list: Vec<usize> = (0..2 * BATCH + 1).collect();
        let seen: RefCell<Vec<usize>> = RefCell::default();
        let all = each(&list, |batch| seen.borrow_mut().extend(batch));
        let given: Vec<usize> = all
            .inspect(|number| {
                let batches = **number / BATCH + 1;
                assert_eq!(seen.borrow().len(), (batches * BATCH).min(list.len()));
            })
            .copied()
            .collect();
        assert_eq!(given, list);
    }
}
