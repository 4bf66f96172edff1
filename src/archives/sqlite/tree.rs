//! Goes through a tree of pages, and hands its values over.

use super::super::{Failure, Members, Memory, Once, Slice};
use super::database::{Database, Encoding, FILE_HEADER, be16, be32, varint};
use super::payload::{self, Payload};
use super::{NAME, schema};
use crate::model::Member;
use std::io::Read;
use zeroize::Zeroizing;

/// Kinds of pages (1.6).
const INTERIOR_INDEX: u8 = 2;
const INTERIOR_TABLE: u8 = 5;
const LEAF_INDEX: u8 = 10;
const LEAF_TABLE: u8 = 13;
/// SQLite's own limit of a tree's depth.
const DEPTH_MAX: usize = 20;
/// Records up to this size are read whole, so that only values worth it are looked into.
const WHOLE: u64 = 256 << 10;
/// A longer list of a record's columns is damage: SQLite's limit are 32,767 columns.
const COLUMNS: u64 = 128 << 10;
/// Shorter values hold nothing.
const VALUE_MIN: u64 = 24;
/// Trees and bytes of their columns' names that are kept; the pages of further ones are searched as they lie.
const TREES_MAX: usize = 1 << 16;
const NAMES_MAX: usize = 4 << 20;

/// What a tree holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The table of tables.
    Schema,
    Table,
    /// Copies of what a table holds.
    Index,
}

/// A tree of pages.
pub(super) struct Tree {
    pub(super) root: u32,
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) kind: Kind,
}

impl Tree {
    /// The table of tables.
    pub(super) fn schema() -> Self {
        let columns = ["type", "name", "tbl_name", "rootpage", "sql"];
        Self {
            root: 1,
            name: "sqlite_schema".to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            kind: Kind::Schema,
        }
    }

    fn size(&self) -> usize {
        self.columns.iter().map(|name| name.len() + 24).sum()
    }

    /// The name of a value. Where rows have no number, columns have another order too.
    fn value(&self, column: usize, row: Option<u64>) -> String {
        let Some(row) = row else {
            return self.name.clone();
        };
        // Numbers of rows have a sign.
        let row = row.cast_signed();
        match self.columns.get(column) {
            Some(column) => format!("{}.{column} {row}", self.name),
            None => format!("{}.{column} {row}", self.name),
        }
    }
}

/// Pages that were read.
pub(super) struct Seen(Vec<u64>, u64);

impl Seen {
    fn new(pages: u64) -> Self {
        let words = usize::try_from(pages.div_ceil(64)).unwrap_or(0);
        Self(vec![0; words], pages)
    }

    fn has(&self, index: u64) -> bool {
        let word = usize::try_from(index / 64)
            .ok()
            .and_then(|at| self.0.get(at));
        word.is_none_or(|word| word >> (index % 64) & 1 == 1)
    }

    /// Whether there is such a page and it was not read yet.
    pub(super) fn is_new(&self, number: u32) -> bool {
        let index = u64::from(number).checked_sub(1);
        index.is_some_and(|index| index < self.1 && !self.has(index))
    }

    pub(super) fn insert(&mut self, number: u32) {
        let index = u64::from(number).saturating_sub(1);
        if let Some(word) = usize::try_from(index / 64)
            .ok()
            .and_then(|at| self.0.get_mut(at))
        {
            *word |= 1 << (index % 64);
        }
    }
}

/// The way through all trees.
pub(super) struct Walk<'w> {
    database: &'w Database<'w>,
    members: &'w mut dyn Members,
    seen: Seen,
    damage: Option<u64>,
    found: Vec<Tree>,
    trees: usize,
    names: usize,
}

/// A cell: its record's length, the row's number, and where the record begins in the page.
struct Cell {
    length: u64,
    row: Option<u64>,
    data: usize,
}

impl<'w> Walk<'w> {
    pub(super) fn new(database: &'w Database<'w>, members: &'w mut dyn Members) -> Self {
        Self {
            database,
            members,
            seen: Seen::new(database.pages()),
            damage: None,
            found: Vec::new(),
            trees: 0,
            names: 0,
        }
    }

    /// The first place that was none of what it should be.
    pub(super) const fn damage(&self) -> Option<u64> {
        self.damage
    }

    /// A page that is named need not be in the file: then its end is the place.
    fn damaged(&mut self, place: u64) {
        let place = place.min(self.database.source().size());
        self.damage.get_or_insert(place);
    }

    /// Hands over all values of a tree; gives the trees that it names.
    pub(super) fn tree(&mut self, tree: &Tree) -> Result<Vec<Tree>, Failure> {
        self.page(tree, tree.root, 0)?;
        Ok(std::mem::take(&mut self.found))
    }

    /// Searches the pages that no tree has, as they lie.
    pub(super) fn rest(&mut self) -> Result<(), Failure> {
        let source = self.database.source();
        let place = |index: u64| index * (self.database.place(2));
        let pages = self.database.pages();
        let mut index = 0;
        while index < pages {
            if self.seen.has(index) {
                index += 1;
                continue;
            }
            let first = index;
            while index < pages && !self.seen.has(index) {
                index += 1;
            }
            let (start, end) = (place(first), place(index));
            // What is left over at the end is no page.
            let end = if index == pages { source.size() } else { end };
            self.members
                .plain(start, &Slice::new(source, start, end - start))?;
        }
        let end = place(pages);
        if end < source.size() && pages > 0 && self.seen.has(pages - 1) {
            self.members
                .plain(end, &Slice::new(source, end, source.size() - end))?;
        }
        Ok(())
    }

    fn page(&mut self, tree: &Tree, number: u32, depth: usize) -> Result<(), Failure> {
        let place = self.database.place(number);
        if depth >= DEPTH_MAX || !self.seen.is_new(number) {
            self.damaged(place);
            return Ok(());
        }
        let mut page = Zeroizing::new(Vec::new());
        if self.database.read(number, &mut page).is_err() {
            self.damaged(place);
            return Ok(());
        }
        let header = if number == 1 { FILE_HEADER } else { 0 };
        let Some((kind, mut cells)) = cells(&page, header) else {
            self.damaged(place);
            return Ok(());
        };
        let fits = match tree.kind {
            Kind::Schema => matches!(kind, INTERIOR_TABLE | LEAF_TABLE),
            Kind::Index => matches!(kind, INTERIOR_INDEX | LEAF_INDEX),
            Kind::Table => true,
        };
        if !fits {
            self.damaged(place);
            return Ok(());
        }
        self.seen.insert(number);
        let is_interior = matches!(kind, INTERIOR_INDEX | INTERIOR_TABLE);
        // In the order of the file, each byte at most once.
        let children = children(&page, header, &cells, is_interior);
        cells.sort_unstable();
        let mut end = header + if is_interior { 12 } else { 8 } + 2 * cells.len();
        for start in cells {
            let cell = Cell::read(&page, start, kind).filter(|_| start >= end);
            let behind = match &cell {
                Some(cell) => self.cell(tree, &page, place, kind, cell)?,
                None => None,
            };
            let Some(behind) = behind else {
                self.damaged(place + start as u64);
                continue;
            };
            self.gap(&page, place, end, start)?;
            end = behind;
        }
        self.gap(&page, place, end, page.len())?;
        drop(page);
        for child in children {
            self.page(tree, child, depth + 1)?;
        }
        Ok(())
    }

    /// Hands over what a cell holds; gives where it ends in its page.
    fn cell(
        &mut self,
        tree: &Tree,
        page: &[u8],
        place: u64,
        kind: u8,
        cell: &Cell,
    ) -> Result<Option<usize>, Failure> {
        if kind == INTERIOR_TABLE {
            return Ok(Some(cell.data));
        }
        let local = payload::local(self.database.usable, cell.length, kind == LEAF_TABLE);
        let end = cell.data + local;
        let Some(bytes) = page.get(cell.data..end) else {
            return Ok(None);
        };
        let (next, end) = match (local as u64) < cell.length {
            true => match be32(page, end) {
                Some(next) => (next, end + 4),
                None => return Ok(None),
            },
            false => (0, end),
        };
        let start = place + cell.data as u64;
        let mut seen = std::mem::replace(&mut self.seen, Seen(Vec::new(), 0));
        let local = (bytes, start);
        let mut payload = Payload::new(self.database, &mut seen, cell.length, local, next);
        let outcome = self.record(tree, cell, &mut payload);
        let slack = payload.slack();
        let slack = slack
            .filter(|_| next > 0)
            .map(|(bytes, place)| (Zeroizing::new(bytes.to_vec()), place));
        self.seen = seen;
        outcome?;
        if let Some((bytes, place)) = slack {
            self.remnant(&bytes, place)?;
        }
        Ok(Some(end))
    }

    fn record(
        &mut self,
        tree: &Tree,
        cell: &Cell,
        payload: &mut Payload<'_>,
    ) -> Result<(), Failure> {
        if cell.length > WHOLE && tree.kind != Kind::Index {
            return self.stream(tree, cell, payload);
        }
        let mut record = Zeroizing::new(Vec::new());
        if tree.kind == Kind::Index {
            // Its pages are known by that.
            if std::io::copy(payload, &mut std::io::sink()).is_err() {
                self.damaged(payload.place());
            }
            return Ok(());
        }
        if payload.read_to_end(&mut record).is_err() {
            self.damaged(payload.place());
        }
        let columns = columns(&record);
        if columns.is_none() {
            self.damaged(payload.place());
        }
        let mut texts = Vec::new();
        for (number, column) in columns.into_iter().flatten().enumerate() {
            let start = column.start as u64;
            let Some(bytes) =
                record.get(column.start.min(record.len())..column.end.min(record.len()))
            else {
                break;
            };
            let decoded = self.text(bytes, column.is_text);
            let value: &[u8] = decoded.as_deref().map_or(bytes, Vec::as_slice);
            if value.len() as u64 >= VALUE_MIN && self.members.is_worth(value)? {
                let piece = payload
                    .pieces
                    .iter()
                    .rev()
                    .find(|(first, _)| *first <= start);
                let place = piece.map_or(0, |(first, place)| place + (start - first));
                let member = Member::named(NAME, tree.value(number, cell.row).as_bytes());
                self.members.member(member.at(place), &Memory(value))?;
            }
            if tree.kind == Kind::Schema {
                texts.push(decoded.unwrap_or_else(|| Zeroizing::new(bytes.to_vec())));
            }
        }
        self.note(&texts);
        Ok(())
    }

    /// A row of the table of tables.
    fn note(&mut self, row: &[Zeroizing<Vec<u8>>]) {
        let [kind, name, _, root, statement, ..] = row else {
            return;
        };
        let root = root.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        let root = u32::try_from(root).unwrap_or(0);
        let Some(mut tree) = schema::tree(kind, name, root, statement) else {
            return;
        };
        self.names += tree.size();
        if self.names > NAMES_MAX {
            tree.columns.clear();
        }
        self.trees += 1;
        if self.trees <= TREES_MAX {
            self.found.push(tree);
        }
    }

    /// A record that is not kept whole: each of its values as a stream.
    fn stream(
        &mut self,
        tree: &Tree,
        cell: &Cell,
        payload: &mut Payload<'_>,
    ) -> Result<(), Failure> {
        let Some(serials) = serials(payload) else {
            self.damaged(payload.place());
            return Ok(());
        };
        for (number, serial) in serials.into_iter().enumerate() {
            let length = size(serial).unwrap_or(0);
            let place = payload.place();
            let mut value = payload.by_ref().take(length);
            let content = Once::new(&mut value);
            if serial >= 12 && length >= VALUE_MIN {
                let name = tree.value(number, cell.row);
                let member = Member::named(NAME, name.as_bytes()).at(place);
                self.members.member(member, &content)?;
            }
            if content.finish().is_err() {
                self.damaged(payload.place());
                return Ok(());
            }
        }
        Ok(())
    }

    /// A text in UTF-8, where the database has another encoding.
    fn text(&self, bytes: &[u8], is_text: bool) -> Option<Zeroizing<Vec<u8>>> {
        let unit = match self.database.encoding {
            Encoding::Utf16Le if is_text => u16::from_le_bytes,
            Encoding::Utf16Be if is_text => u16::from_be_bytes,
            _ => return None,
        };
        let units = bytes.as_chunks().0.iter().map(|pair| unit(*pair));
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        let mut decoded = Zeroizing::new(Vec::with_capacity(bytes.len() / 2 * 3));
        let mut spelled = [0; 4];
        for character in text {
            decoded.extend_from_slice(character.encode_utf8(&mut spelled).as_bytes());
        }
        Some(decoded)
    }

    /// Searches what stands between two cells.
    fn gap(&mut self, page: &[u8], place: u64, start: usize, end: usize) -> Result<(), Failure> {
        match page.get(start..end) {
            Some(bytes) => self.remnant(bytes, place + start as u64),
            None => Ok(()),
        }
    }

    fn remnant(&mut self, bytes: &[u8], place: u64) -> Result<(), Failure> {
        if bytes.len() as u64 >= VALUE_MIN && self.members.is_worth(bytes)? {
            self.members.plain(place, &Memory(bytes))?;
        }
        Ok(())
    }
}

impl Cell {
    fn read(page: &[u8], start: usize, kind: u8) -> Option<Self> {
        let whole = page.get(start..)?;
        let rest = match kind {
            INTERIOR_INDEX | INTERIOR_TABLE => whole.get(4..)?,
            _ => whole,
        };
        let (length, rest) = match kind {
            INTERIOR_TABLE => (0, rest),
            _ => varint(rest)?,
        };
        let (row, rest) = match kind {
            INTERIOR_TABLE | LEAF_TABLE => {
                let (row, rest) = varint(rest)?;
                (Some(row), rest)
            }
            _ => (None, rest),
        };
        Some(Self {
            length,
            row,
            data: start + whole.len() - rest.len(),
        })
    }
}

/// The kind of a page, and where its cells begin.
fn cells(page: &[u8], header: usize) -> Option<(u8, Vec<usize>)> {
    let kind = *page.get(header)?;
    let array = match kind {
        INTERIOR_INDEX | INTERIOR_TABLE => header + 12,
        LEAF_INDEX | LEAF_TABLE => header + 8,
        _ => return None,
    };
    let count = be16(page, header + 3)?;
    let pointers = page.get(array..array + 2 * count)?;
    let pointers = pointers.as_chunks().0.iter();
    let cells = pointers.map(|pair| usize::from(u16::from_be_bytes(*pair)));
    Some((kind, cells.collect()))
}

/// The pages below an interior page, in the order of their keys.
fn children(page: &[u8], header: usize, cells: &[usize], is_interior: bool) -> Vec<u32> {
    let last = be32(page, header + 8);
    let children = cells.iter().map(|cell| be32(page, *cell)).chain([last]);
    children.flatten().filter(|_| is_interior).collect()
}

/// A value of a record.
struct Column {
    start: usize,
    end: usize,
    is_text: bool,
}

/// The values of a whole record (2.1).
fn columns(record: &[u8]) -> Option<Vec<Column>> {
    let (header, rest) = varint(record)?;
    let header = usize::try_from(header).ok()?;
    let mut types = record.get(record.len() - rest.len()..header)?;
    let mut start = header;
    let mut columns = Vec::new();
    while !types.is_empty() {
        let (serial, rest) = varint(types)?;
        types = rest;
        let end = start.checked_add(usize::try_from(size(serial)?).ok()?)?;
        columns.push(Column {
            start,
            end,
            is_text: serial >= 13 && serial % 2 == 1,
        });
        start = end;
    }
    Some(columns)
}

/// How many bytes a value of this type has.
const fn size(serial: u64) -> Option<u64> {
    Some(match serial {
        0 | 8 | 9 => 0,
        1..=4 => serial,
        5 => 6,
        6 | 7 => 8,
        10 | 11 => return None,
        _ => (serial - 12) / 2,
    })
}

/// The types of the values of a record, from its start.
fn serials(payload: &mut Payload<'_>) -> Option<Vec<u64>> {
    let number = |payload: &mut Payload<'_>| {
        let mut bytes = Vec::new();
        while bytes.len() < 9 && bytes.last().is_none_or(|last| last & 0x80 != 0) {
            let mut byte = [0];
            payload.read_exact(&mut byte).ok()?;
            bytes.extend(byte);
        }
        Some((varint(&bytes)?.0, bytes.len() as u64))
    };
    let (header, mut at) = number(payload)?;
    let mut serials = Vec::new();
    while at < header.min(COLUMNS) {
        let (serial, length) = number(payload)?;
        size(serial)?;
        serials.push(serial);
        at += length;
    }
    (at == header).then_some(serials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_records() {
        // 1, NULL, "ab", x'01', from `INSERT` and sqlite3's own bytes.
        let record = [5, 1, 0, 17, 14, 1, b'a', b'b', 1];
        let found: Vec<_> = columns(&record)
            .unwrap()
            .iter()
            .map(|c| (c.start, c.end, c.is_text))
            .collect();
        assert_eq!(
            found,
            [(5, 6, false), (6, 6, false), (6, 8, true), (8, 9, false)]
        );
        for wrong in [&[][..], &[9, 1], &[3, 10, 0], &[1 << 7], &[0]] {
            assert!(columns(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn numbers_of_variable_length() {
        assert_eq!(varint(&[0x81, 0x00, 7]), Some((128, &[7][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0xff; 8]), None);
    }

    #[test]
    fn pages_are_read_once() {
        let mut seen = Seen::new(65);
        assert!(seen.is_new(1) && seen.is_new(65) && !seen.is_new(66) && !seen.is_new(0));
        seen.insert(65);
        assert!(!seen.is_new(65) && seen.is_new(64));
    }
}
