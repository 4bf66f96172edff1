//! A column as its header and all its cells make it, and what its cells say by themselves.

use super::orders::Orders;
use crate::inventory::cells::{allowed_hosts, leading_number, without_label};
use crate::inventory::columns::Field;
use crate::inventory::dates;
use crate::inventory::heading::{Hints, Order};
use crate::inventory::hush::holds_private_material;
use crate::inventory::mapping::{Mapping, Use};
use crate::inventory::memo::Memo;
use crate::inventory::{fingerprint, period, words};
use crate::model::{EntryKind, Moment, Sha256Hex, State};
use arcstr::ArcStr;

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) header: ArcStr,
    pub(super) used: Use,
    /// Whether day and month cannot be told apart in it, which was told once.
    pub(super) is_undecided: bool,
    order: Option<Order>,
    known: Memo<Said>,
}

/// What a cell says, as far as its column tells.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// Nothing that is kept.
    Nothing,
    /// Private material, which is not kept.
    Private,
    /// What no field is.
    Extra,
    /// What must be read with the rest of its row.
    Open,
    /// The same, which is 64 digits.
    Digest(Sha256Hex),
    /// Text that repeats over the column.
    Text(ArcStr),
    /// The same, which is passed on to the report or to identifiers.
    Shared(ArcStr),
    /// A type, the kind that it means, and whether it names an algorithm.
    Type(ArcStr, Option<EntryKind>, bool),
    /// A state, where it is one.
    State(Option<State>),
    /// A date, or that there is none.
    Date(Result<Option<Moment>, dates::Fault>),
    /// Days of a period, or that there is none.
    Days(Result<Option<u32>, &'static str>),
    /// A key size.
    Bits(Option<u32>),
    /// A number of hosts, or that there is no limit.
    Hosts(Option<Option<u32>>),
}

/// The columns of a table, by their index.
pub(super) fn columns(headers: &[String], mapping: &Mapping, orders: &Orders) -> Vec<Column> {
    let column = |(index, header): (usize, &String)| Column {
        header: header.as_str().into(),
        used: mapping.uses.get(index).copied().unwrap_or(Use::Extra),
        is_undecided: orders.undecided.contains(&index),
        order: orders.by_column.get(&index).copied(),
        known: Memo::default(),
    };
    headers.iter().enumerate().map(column).collect()
}

impl Column {
    /// What a cell says.
    pub(super) fn says(&mut self, cell: &str) -> Said {
        let (field, hints) = match self.used {
            Use::Secret => return Said::Nothing,
            Use::Field(field, hints) => (field, hints),
            Use::Extra if holds_private_material(cell) => return Said::Private,
            Use::Extra => return Said::Extra,
        };
        if !repeats(field) {
            // Nothing but a digest, as in most cells of identifiers, is no private material.
            if cell.len() == 64
                && fingerprint::may_be_sha256(field)
                && !cell.starts_with("30")
                && let Ok(digest) = cell.parse()
            {
                return Said::Digest(digest);
            }
            return if holds_private_material(cell) {
                Said::Private
            } else {
                Said::Open
            };
        }
        let order = self.order;
        self.known.get(cell, |cell| read(cell, field, hints, order))
    }
}

/// Whether the field's cells can be read without the rest of the row, and are alike in many rows.
const fn repeats(field: Field) -> bool {
    field.is_date()
        || matches!(
            field,
            Field::Type
                | Field::Purpose
                | Field::Owner
                | Field::RotationPeriod
                | Field::State
                | Field::Criticality
                | Field::Environment
                | Field::Issuer
                | Field::Algorithm
                | Field::Bits
                | Field::AllowedHosts
        )
}

fn read(cell: &str, field: Field, hints: Hints, order: Option<Order>) -> Said {
    if holds_private_material(cell) {
        return Said::Private;
    }
    if words::is_nothing(cell) {
        return Said::Nothing;
    }
    match field {
        _ if field.is_date() => Said::Date(dates::read(cell, order)),
        Field::Type => Said::Type(cell.into(), words::kind(cell), words::is_algorithm(cell)),
        Field::Issuer => Said::Shared(without_label(cell, "issuer").into()),
        Field::Owner => Said::Shared(cell.into()),
        Field::State => Said::State(words::state(cell)),
        Field::RotationPeriod => Said::Days(period::days(cell, hints.unit)),
        Field::Bits => Said::Bits(leading_number(cell).filter(|bits| (1..=65_536).contains(bits))),
        Field::AllowedHosts => Said::Hosts(allowed_hosts(cell)),
        _ => Said::Text(cell.into()),
    }
}
