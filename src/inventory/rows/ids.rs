//! The ids of a file's rows, none of which may be there twice.

use super::ByRow;
use crate::inventory::hush::quoted;
use crate::model::{Entry, RowFault};
use arcstr::ArcStr;
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

/// Gives another id to each row whose id was there before, and tells so.
pub(super) fn tell_apart(entries: &mut [Entry], faults: &mut ByRow) {
    if are_distinct(entries) {
        return;
    }
    let mut ids = Ids::default();
    for (number, entry) in entries.iter_mut().enumerate() {
        if let Some(unique) = ids.unlike(&entry.id) {
            let fault = RowFault {
                source: entry.source.to_string(),
                column: None,
                reason: format!(
                    "its id was seen before in this file; it is told as {}",
                    quoted(&unique)
                ),
                row_lost: false,
            };
            faults.add(number, [fault]);
            entry.id = unique;
        }
    }
}

/// Whether it is certain that no two ids are equal: their hashes are not. Sorting numbers is cheaper than a table of texts.
fn are_distinct(entries: &[Entry]) -> bool {
    let hasher = RandomState::default();
    let mut hashes: Vec<u64> = entries
        .iter()
        .map(|entry| hasher.hash_one(&*entry.id))
        .collect();
    hashes.sort_unstable();
    hashes.windows(2).all(|pair| pair.first() != pair.last())
}

/// The ids that were seen.
#[derive(Default)]
struct Ids {
    seen: HashSet<ArcStr, RandomState>,
    repeats: HashMap<ArcStr, usize>,
}

impl Ids {
    /// Notes an id; where it was there before, gives another one for it, which is noted too.
    fn unlike(&mut self, id: &ArcStr) -> Option<ArcStr> {
        if self.seen.insert(ArcStr::clone(id)) {
            return None;
        }
        let count = self.repeats.entry(ArcStr::clone(id)).or_insert(1);
        loop {
            *count += 1;
            let candidate: ArcStr = format!("{id}#{count}").into();
            if self.seen.insert(ArcStr::clone(&candidate)) {
                return Some(candidate);
            }
        }
    }
}
