//! From rows of text to entries: each cell is read as its column's field says.

mod column;
mod orders;
mod reader;

use super::hush::quoted;
use super::mapping::Mapping;
use super::table::Row;
use crate::model::{Entry, RowFault};
use foldhash::fast::RandomState;
use orders::Orders;
use reader::Reader;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Most faults of cells that are told one by one.
const MAX_FAULTS: usize = 10_000;

/// What a table's rows say.
#[derive(Debug, Default)]
pub(super) struct Understood {
    pub(super) entries: Vec<Entry>,
    pub(super) faults: Vec<RowFault>,
    /// Entries whose row has identifiers of which none could be read.
    pub(super) spoilt: usize,
}

/// Understands all rows, and frees each once it is read: text and entries are not held as a whole at one time.
pub(super) fn understand(
    name: &str,
    headers: &[String],
    rows: Vec<Row>,
    mapping: &Mapping,
) -> Understood {
    let mut out = Understood::default();
    let orders = Orders::of(name, headers, &rows, mapping, &mut out.faults);
    let mut reader = Reader::new(name, column::columns(headers, mapping, &orders));
    let mut ids = Ids::default();
    let mut untold = 0usize;
    out.entries.reserve_exact(rows.len());
    ids.seen.reserve(rows.len());
    for row in rows {
        let mut read = reader.read(&row);
        let entry = &mut read.entry;
        if entry.id.is_empty() {
            entry.id = format!("row-{}", row.at).into();
        }
        if let Some(unique) = ids.unlike(&entry.id) {
            read.faults.push(RowFault {
                source: entry.source.to_string(),
                column: None,
                reason: format!(
                    "its id was seen before in this file; it is told as {}",
                    quoted(&unique)
                ),
                row_lost: false,
            });
            entry.id = unique;
        }
        if entry.identifiers.is_empty()
            && let Some(fault) = read.lost_identifier.and_then(|at| read.faults.get_mut(at))
        {
            fault.row_lost = true;
            entry.unreadable = Some(fault.reason.as_str().into());
            out.spoilt += 1;
        }
        let room = MAX_FAULTS.saturating_sub(out.faults.len());
        untold += read.faults.len().saturating_sub(room);
        out.faults.extend(read.faults.into_iter().take(room));
        out.entries.push(read.entry);
    }
    if untold > 0 {
        out.faults.push(RowFault {
            source: name.to_owned(),
            column: None,
            reason: format!("{untold} further faults are not told one by one"),
            row_lost: false,
        });
    }
    out
}

/// The ids of a file, none of which is there twice.
#[derive(Default)]
struct Ids {
    seen: HashSet<Arc<str>, RandomState>,
    repeats: HashMap<Arc<str>, usize>,
}

impl Ids {
    /// Notes an id; where it was there before, gives another one for it, which is noted too.
    fn unlike(&mut self, id: &Arc<str>) -> Option<Arc<str>> {
        if self.seen.insert(Arc::clone(id)) {
            return None;
        }
        let count = self.repeats.entry(Arc::clone(id)).or_insert(1);
        loop {
            *count += 1;
            let candidate: Arc<str> = format!("{id}#{count}").into();
            if self.seen.insert(Arc::clone(&candidate)) {
                return Some(candidate);
            }
        }
    }
}
