//! From rows of text to entries: each cell is read as its column's field says.

mod column;
mod ids;
mod orders;
mod reader;

use super::mapping::Mapping;
use super::table::Rows;
use crate::model::{Entry, RowFault};
use orders::Orders;
use reader::Reader;

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

/// Understands all rows.
pub(super) fn understand(
    name: &str,
    headers: &[String],
    rows: &Rows,
    mapping: &Mapping,
) -> Understood {
    let mut out = Understood::default();
    let orders = Orders::of(name, headers, rows, mapping, &mut out.faults);
    let mut reader = Reader::new(name, column::columns(headers, mapping, &orders));
    out.entries.reserve_exact(rows.len());
    let mut faults = Faults::default();
    for (number, row) in rows.iter().enumerate() {
        let mut read = reader.read(row);
        let entry = &mut read.entry;
        if entry.id.is_empty() {
            entry.id = format!("row-{}", row.at).into();
        }
        if entry.identifiers.is_empty()
            && let Some(fault) = read.lost_identifier.and_then(|at| read.faults.get_mut(at))
        {
            fault.row_lost = true;
            entry.unreadable = Some(fault.reason.as_str().into());
            out.spoilt += 1;
        }
        faults.of_cells.add(number, read.faults);
        out.entries.push(read.entry);
    }
    ids::tell_apart(&mut out.entries, &mut faults.of_ids);
    faults.tell(name, &mut out.faults);
    out
}

/// What is wrong with rows.
#[derive(Default)]
struct Faults {
    of_cells: ByRow,
    /// Told behind those of the row's cells.
    of_ids: ByRow,
}

/// Faults with the number of their row, in its order.
#[derive(Default)]
struct ByRow {
    first: Vec<(usize, RowFault)>,
    /// How many came when there were enough of them.
    further: usize,
}

impl ByRow {
    fn add(&mut self, row: usize, faults: impl IntoIterator<Item = RowFault>) {
        for fault in faults {
            if self.first.len() < MAX_FAULTS {
                self.first.push((row, fault));
            } else {
                self.further += 1;
            }
        }
    }
}

impl Faults {
    /// Tells them in the order of the rows, as far as there is room.
    fn tell(self, name: &str, out: &mut Vec<RowFault>) {
        let further = self.of_cells.further + self.of_ids.further;
        let mut all = self.of_cells.first;
        all.extend(self.of_ids.first);
        all.sort_by_key(|(row, _)| *row);
        let room = MAX_FAULTS.saturating_sub(out.len());
        let untold = further + all.len().saturating_sub(room);
        out.extend(all.into_iter().take(room).map(|(_, fault)| fault));
        if untold > 0 {
            out.push(RowFault {
                source: name.to_owned(),
                column: None,
                reason: format!("{untold} further faults are not told one by one"),
                row_lost: false,
            });
        }
    }
}
