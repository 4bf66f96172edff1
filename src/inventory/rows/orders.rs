//! The order of day and month in each date column, settled over the whole of it.

use crate::inventory::dates::Evidence;
use crate::inventory::heading::Order;
use crate::inventory::hush::quoted;
use crate::inventory::mapping::{Mapping, Use};
use crate::inventory::table::Rows;
use crate::model::RowFault;
use std::collections::{HashMap, HashSet};

/// What is known of the order.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub(super) by_column: HashMap<usize, Order>,
    pub(super) undecided: HashSet<usize>,
}

impl Orders {
    /// Looks at all dates; tells the columns in which they cannot be used.
    pub(super) fn of(
        name: &str,
        headers: &[String],
        rows: &Rows,
        mapping: &Mapping,
        faults: &mut Vec<RowFault>,
    ) -> Self {
        let mut orders = Self::default();
        let mut evidence: Vec<Option<Evidence>> = Vec::new();
        for (column, used) in mapping.uses.iter().enumerate() {
            let open = match used {
                Use::Field(field, hints) if field.is_date() => {
                    orders.by_column.extend(hints.order.map(|o| (column, o)));
                    hints.order.is_none()
                }
                _ => false,
            };
            evidence.push(open.then(Evidence::default));
        }
        if evidence.iter().any(Option::is_some) {
            look_at_all(rows, &mut evidence);
        }
        for (column, evidence) in evidence.into_iter().enumerate() {
            let Some(evidence) = evidence else { continue };
            if let Some(order) = evidence.order() {
                orders.by_column.insert(column, order);
            } else if evidence.is_unsettled() {
                orders.undecided.insert(column);
                faults.push(RowFault {
                    source: name.to_owned(),
                    column: headers.get(column).map(|h| quoted(h)),
                    reason: "day and month cannot be told apart in this column; its dates of that form are not used \
                             (write them as 2026-12-31, or name the column with (DD/MM/YYYY))"
                        .to_owned(),
                    row_lost: false,
                });
            }
        }
        orders
    }
}

fn look_at_all(rows: &Rows, evidence: &mut [Option<Evidence>]) {
    // Rows that follow each other are often alike.
    let mut last: Vec<&str> = vec![""; evidence.len()];
    for cells in rows.iter().map(|row| row.cells) {
        for cell in cells.kept() {
            if let Some(Some(evidence)) = evidence.get_mut(cell.column())
                && let Some(last) = last.get_mut(cell.column())
                && let text = cells.text(*cell)
                && *last != text
            {
                evidence.add(text);
                *last = text;
            }
        }
    }
}
