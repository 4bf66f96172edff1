//! From proposals to cells, by the columns as they were understood.

mod values;

use super::place_cells::{self, Style};
use super::spelling;
use super::{Added, Changed, Edits, identifiers};
use crate::inventory::columns::Field;
use crate::inventory::dates::Evidence;
use crate::inventory::heading::{Hints, Order, compact};
use crate::inventory::hush::holds_private_material;
use crate::inventory::mapping::{Mapping, Use};
use crate::inventory::table::{Row, Table};
use crate::inventory::words::is_nothing;
use crate::inventory::{cells as cell_words, fingerprint};
use crate::model::{Proposal, Thing};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// An export as it was read, and as a profile changed it.
pub(super) struct Export<'a> {
    /// As it stands in the file.
    pub(super) raw: &'a Table,
    /// With what a profile translated.
    pub(super) meant: &'a Table,
    /// What the columns are.
    pub(super) mapping: &'a Mapping,
    /// Columns whose values are lists in the file.
    pub(super) lists: &'a HashSet<usize>,
    /// Words that a row must have in a column to be one.
    pub(super) fixed: Vec<(usize, String)>,
}

/// One column that stands for a field.
struct Column<'a> {
    index: usize,
    field: Field,
    hints: Hints,
    order: Option<Order>,
    /// Its cells that say something, as they stand in the file.
    cells: Vec<&'a str>,
    /// The same with what they mean.
    pairs: Vec<(&'a str, &'a str)>,
}

/// The edits that take the proposals over.
pub(super) fn edits(export: &Export<'_>, name: &str, proposals: &[Proposal]) -> Edits {
    let columns = columns(export);
    let style = style(&columns);
    let discovery = discovery_columns(export);
    let rows: HashMap<u64, Row<'_>> = export.raw.rows.iter().map(|r| (r.at, r)).collect();
    let mut out = Edits::default();
    let filler = Filler {
        export,
        columns,
        style,
        discovery,
        rows_for_places: false,
    };
    let filler = Filler {
        rows_for_places: filler.has_a_row_for_each_place(),
        ..filler
    };
    for proposal in proposals {
        match &proposal.row {
            None => out.added.extend(filler.added(proposal)),
            Some(source) => {
                let own = (*source.file == *name).then_some(source.at);
                match own.and_then(|at| rows.get(&at)) {
                    Some(row) => out.changed.push(filler.changed(proposal, *row)),
                    None => out.elsewhere.push(source.to_string()),
                }
            }
        }
    }
    out.changed.sort_by_key(|c| c.at);
    out.changed.retain(|c| !c.cells.is_empty());
    out
}

struct Filler<'a> {
    export: &'a Export<'a>,
    columns: Vec<Column<'a>>,
    style: Style,
    /// Columns of the date when something was found.
    discovery: Vec<(usize, Vec<&'a str>)>,
    rows_for_places: bool,
}

fn columns<'a>(export: &Export<'a>) -> Vec<Column<'a>> {
    let meant: HashMap<u64, Row<'_>> = export.meant.rows.iter().map(|r| (r.at, r)).collect();
    let mut out: Vec<Column<'a>> = Vec::new();
    let mut by_index: HashMap<usize, usize> = HashMap::new();
    for index in 0..export.raw.headers.len() {
        if let Some(Use::Field(field, hints)) = export.mapping.uses.get(index) {
            by_index.insert(index, out.len());
            out.push(Column {
                index,
                field: *field,
                hints: *hints,
                order: hints.order,
                cells: Vec::new(),
                pairs: Vec::new(),
            });
        }
    }
    for row in export.raw.rows.iter() {
        let translated = meant.get(&row.at);
        for (index, cell) in row.cells.iter() {
            let Some(column) = by_index.get(&index).and_then(|at| out.get_mut(*at)) else {
                continue;
            };
            if is_nothing(cell) || holds_private_material(cell) {
                continue;
            }
            let meaning = translated.and_then(|r| r.cells.get(index)).unwrap_or(cell);
            column.cells.push(cell);
            column.pairs.push((cell, meaning));
        }
    }
    for column in out
        .iter_mut()
        .filter(|c| c.field.is_date() && c.order.is_none())
    {
        let mut evidence = Evidence::default();
        column.cells.iter().for_each(|c| evidence.add(c));
        column.order = evidence.order();
    }
    out
}

fn style(columns: &[Column<'_>]) -> Style {
    let first = |field: Field| {
        columns
            .iter()
            .filter(|c| c.field == field)
            .max_by_key(|c| (c.cells.len(), std::cmp::Reverse(c.index)))
    };
    Style::of(
        first(Field::Location).map(|c| (c.index, c.cells.as_slice())),
        first(Field::Host).map(|c| c.index),
        first(Field::Path).map(|c| c.index),
    )
}

/// `Discovered`, `First seen`: no field of an entry, but the day when a key was found belongs there.
fn discovery_columns<'a>(export: &Export<'a>) -> Vec<(usize, Vec<&'a str>)> {
    const NAMES: &[&str] = &[
        "discovered",
        "discoveredat",
        "discoveredon",
        "discoverydate",
        "datediscovered",
        "found",
        "foundon",
        "founddate",
        "datefound",
        "firstseen",
        "firstseenon",
        "firstseenat",
        "lastseen",
        "lastseenon",
        "lastseenat",
        "firstdiscovered",
        "lastdiscovered",
    ];
    let is_one = |(index, header): &(usize, &String)| {
        export.mapping.uses.get(*index) == Some(&Use::Extra)
            && NAMES.contains(&compact(header).as_str())
    };
    let headers = export.raw.headers.iter().enumerate().filter(is_one);
    headers
        .map(|(index, _)| {
            let rows = export.raw.rows.iter();
            let cells = rows.filter_map(|r| r.cells.get(index));
            (index, cells.take(2_000).collect())
        })
        .collect()
}

impl Filler<'_> {
    /// Whether several rows name one thing at different places, each with one place.
    fn has_a_row_for_each_place(&self) -> bool {
        let places: HashSet<usize> = self.style.columns().into_iter().collect();
        let mut seen: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        for row in self.export.raw.rows.iter() {
            let of = |wanted: &dyn Fn(&Column<'_>) -> bool| {
                let columns = self.columns.iter().filter(|c| wanted(c));
                columns
                    .filter_map(|c| row.cells.get(c.index))
                    .find(|c| !is_nothing(c))
            };
            let identifier = of(&|c| c.field.is_identifier());
            let place = of(&|c| places.contains(&c.index));
            if let (Some(identifier), Some(place)) = (identifier, place) {
                if spelling::separator(&[place]).is_some() {
                    return false;
                }
                seen.entry(identifier).or_default().insert(place);
            }
        }
        seen.values().any(|places| places.len() > 1)
    }

    /// The new rows for a thing.
    fn added(&self, proposal: &Proposal) -> Vec<Added> {
        let thing = &proposal.thing;
        let (type_cell, kind) = self.type_cell(thing);
        let mut cells: BTreeMap<usize, String> = BTreeMap::new();
        cells.extend(self.export.fixed.iter().cloned());
        for column in &self.columns {
            let value = match column.field {
                Field::Type => type_cell.clone(),
                Field::Created => thing
                    .created
                    .or_else(|| self.stands_for_start(thing))
                    .map(|at| self.date(at, column)),
                field if field.is_place() => None,
                field if field.is_identifier() && field != Field::Serial => {
                    identifiers::cell(thing, field, kind, None, &column.cells)
                }
                _ => self.value(thing, column),
            };
            if let Some(value) = value {
                cells.insert(column.index, value);
            }
        }
        for (index, like) in &self.discovery {
            cells.insert(*index, spelling::date(thing.found, like, None));
        }
        self.place_cells(thing)
            .into_iter()
            .map(|places| {
                let mut row = cells.clone();
                row.extend(places);
                row.retain(|_, cell| !cell.is_empty() && !holds_private_material(cell));
                Added {
                    cells: row.into_iter().collect(),
                    flag: proposal.flag,
                    why: proposal.why.clone(),
                    is_recognised: self.is_recognised(&cells),
                }
            })
            .collect()
    }

    /// The cells of a row that are wrong.
    fn changed(&self, proposal: &Proposal, row: Row<'_>) -> Changed {
        let (thing, parts) = (&proposal.thing, proposal.parts);
        let own = |column: &Column<'_>| row.cells.get(column.index).filter(|c| !is_nothing(c));
        let mut cells: BTreeMap<usize, String> = BTreeMap::new();
        for column in &self.columns {
            let has = own(column);
            let field = column.field;
            let value = || self.value(thing, column);
            let new = match field {
                // What names the old thing must not stay: where there is no such identifier of the new one, the cell is emptied.
                _ if field.is_identifier() && parts.identity => has.map(|own| {
                    match field {
                        Field::Serial => value(),
                        _ => identifiers::cell(
                            thing,
                            field,
                            Some(thing.kind),
                            Some(own),
                            &column.cells,
                        ),
                    }
                    .unwrap_or_default()
                }),
                // A serial number may stand in a cell with its issuer.
                _ if field.is_identifier() && field != Field::Serial && parts.serial => has
                    .filter(|own| crate::inventory::issuer_serial::split(own).is_some())
                    .and_then(|own| {
                        identifiers::cell(thing, field, Some(thing.kind), Some(own), &column.cells)
                    }),
                Field::Serial if parts.serial => value(),
                Field::Expires if parts.identity || parts.expires => value(),
                Field::NotBefore if parts.identity => value(),
                Field::LastRotated if parts.rotated && has.is_some() => {
                    let start = thing.created.or(thing.not_before);
                    start.map(|at| self.date(at, column))
                }
                Field::Algorithm if parts.algorithm || parts.identity && has.is_some() => value(),
                Field::Bits if parts.bits || parts.identity && has.is_some() => value(),
                Field::Subject if parts.subject || parts.identity && has.is_some() => value(),
                Field::Issuer | Field::Sans if parts.identity && has.is_some() => value(),
                _ => None,
            };
            let Some(new) = new else { continue };
            if !has.is_some_and(|own| self.says_the_same(column, own, &new)) {
                cells.insert(column.index, new);
            }
        }
        if parts.identity {
            self.complete_identity(thing, row, &mut cells);
        }
        if parts.places {
            // One row stays one row.
            let place_columns = self.columns.iter().filter(|c| c.field.is_place());
            for column in place_columns.filter(|c| own(c).is_some()) {
                cells.insert(column.index, String::new());
            }
            cells.extend(
                self.place_cells(thing)
                    .into_iter()
                    .next()
                    .unwrap_or_default(),
            );
        }
        Changed {
            at: row.at,
            cells: cells.into_iter().collect(),
            flag: proposal.flag,
            why: proposal.why.clone(),
        }
    }

    /// A row whose identifier went needs another one.
    fn complete_identity(&self, thing: &Thing, row: Row<'_>, cells: &mut BTreeMap<usize, String>) {
        let mut row_cells: BTreeMap<usize, String> = row
            .cells
            .iter()
            .map(|(column, cell)| (column, cell.to_owned()))
            .collect();
        row_cells.extend(cells.clone());
        if self.is_recognised(&row_cells) {
            return;
        }
        for column in self.columns.iter().filter(|c| c.field.is_identifier()) {
            let cell = match column.field {
                Field::Serial => self.value(thing, column),
                field => identifiers::cell(thing, field, Some(thing.kind), None, &column.cells),
            };
            if let Some(cell) = cell {
                cells.insert(column.index, cell);
            }
        }
        for column in self.columns.iter().filter(|c| c.field == Field::Issuer) {
            if let Some(issuer) = self.value(thing, column) {
                cells.insert(column.index, issuer);
            }
        }
    }

    /// Whether a row of these cells names something strongly.
    fn is_recognised(&self, cells: &BTreeMap<usize, String>) -> bool {
        let filled = |wanted: &dyn Fn(Field) -> bool| {
            let has = |c: &&Column<'_>| cells.get(&c.index).is_some_and(|cell| !is_nothing(cell));
            self.columns
                .iter()
                .filter(|c| wanted(c.field))
                .any(|c| has(&c))
        };
        let weak = |f| {
            matches!(
                f,
                Field::Ski | Field::PgpKeyId | Field::Pkcs11Id | Field::Serial
            )
        };
        filled(&|f| f.is_identifier() && !weak(f))
            || (filled(&|f| f == Field::Serial) && filled(&|f| f == Field::Issuer))
    }

    /// Whether a cell that is there says what the new one would.
    fn says_the_same(&self, column: &Column<'_>, own: &str, new: &str) -> bool {
        if own == new || compact(own) == compact(new) {
            return true;
        }
        match column.field {
            Field::Bits => cell_words::leading_number(own) == cell_words::leading_number(new),
            Field::Sans => {
                let names = |cell: &str| -> BTreeSet<String> {
                    let parts = cell_words::list(cell, true);
                    parts
                        .iter()
                        .filter_map(|p| cell_words::alternative_name(p))
                        .collect()
                };
                names(own) == names(new)
            }
            field if field.is_identifier() && field != Field::Serial => {
                let read = |cell| fingerprint::read_cell(cell, field, None).identifiers;
                let (own, new) = (read(own), read(new));
                !new.is_empty() && own == new
            }
            _ => false,
        }
    }

    fn place_cells(&self, thing: &Thing) -> Vec<Vec<(usize, String)>> {
        let first = self.style.columns().first().copied();
        let last = self.style.columns().last().copied();
        let like = self.columns.iter().find(|c| Some(c.index) == last);
        let lists = first.is_some_and(|c| self.export.lists.contains(&c));
        place_cells::cells(
            self.style,
            &thing.places,
            like.map_or(&[][..], |c| &c.cells),
            self.rows_for_places,
            lists,
        )
    }
}
