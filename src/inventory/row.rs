//! The rows of an export, in little room and few pieces: there may be millions.

/// Where a cell's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// None where the text is too long to be counted.
    pub(super) fn new(start: usize, end: usize) -> Option<Self> {
        Some(Self {
            start: start.try_into().ok()?,
            end: end.try_into().ok()?,
        })
    }

    pub(super) const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Where it is in what stands behind a text of that length; none if it is in the text.
    pub(super) fn behind(self, length: usize) -> Option<Self> {
        let length = u32::try_from(length).ok()?;
        Some(Self {
            start: self.start.checked_sub(length)?,
            end: self.end.checked_sub(length)?,
        })
    }

    /// So many bytes of it, from one on.
    pub(super) fn part(self, from: usize, length: usize) -> Self {
        let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let start = self.start.saturating_add(short(from));
        Self {
            start,
            end: start.saturating_add(short(length)).min(self.end),
        }
    }

    /// The text that stands there.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }
}

/// A cell: the index of its header, and where its text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    start: u32,
    /// The index behind the length, which needs [`LENGTH`] bits.
    size: u32,
}

/// Bits of a length: cells have a megabyte at most, and a table a thousand columns and a few that a profile adds.
const LENGTH: u32 = 21;

impl Cell {
    /// None where there is no room for its index or its length.
    pub(super) fn new(column: usize, span: Span) -> Option<Self> {
        let column = u32::try_from(column).ok()?;
        let length = u32::try_from(span.len()).ok()?;
        (length >> LENGTH == 0 && column >> (u32::BITS - LENGTH) == 0).then_some(Self {
            start: span.start,
            size: column << LENGTH | length,
        })
    }

    pub(super) const fn column(self) -> usize {
        (self.size >> LENGTH) as usize
    }

    pub(super) const fn span(self) -> Span {
        Span {
            start: self.start,
            end: self.start + (self.size & ((1 << LENGTH) - 1)),
        }
    }
}

/// A row: its cells are a part of all.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: u64,
    start: u32,
    end: u32,
}

/// All rows of an export.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    text: String,
    cells: Vec<Cell>,
    places: Vec<Place>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Physical line (CSV, JSON lines) or index (JSON), from 1.
    pub(super) at: u64,
    pub(super) cells: Cells<'a>,
}

/// Cells that are not empty, trimmed, each with the index of its header, ascending.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'a> {
    text: &'a str,
    cells: &'a [Cell],
}

impl Rows {
    pub(super) const fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Makes room for so many rows and cells.
    pub(super) fn reserve(&mut self, rows: usize, cells: usize) {
        self.places.reserve_exact(rows);
        self.cells.reserve_exact(cells);
    }

    /// Adds a row whose cells are parts of the text that [`Rows::set_text`] will give; whether there was room for it.
    pub(super) fn push(&mut self, at: u64, cells: impl Iterator<Item = (usize, Span)>) -> bool {
        let start = self.cells.len();
        for (column, span) in cells {
            let Some(cell) = Cell::new(column, span) else {
                return false;
            };
            self.cells.push(cell);
        }
        self.end_row(at, start)
    }

    fn end_row(&mut self, at: u64, start: usize) -> bool {
        let range = Span::new(start, self.cells.len());
        self.places.extend(range.map(|range| Place {
            at,
            start: range.start,
            end: range.end,
        }));
        range.is_some()
    }

    /// The text of which all cells are parts.
    pub(super) fn set_text(&mut self, text: String) {
        self.text = text;
    }

    /// Keeps a text that is to stand in cells.
    pub(super) fn keep(&mut self, text: &str) -> Option<Span> {
        let span = Span::new(self.text.len(), self.text.len() + text.len())?;
        self.text.push_str(text);
        Some(span)
    }

    pub(super) fn get(&self, number: usize) -> Option<Row<'_>> {
        self.places.get(number).map(|place| self.row(place))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        self.places.iter().map(|place| self.row(place))
    }

    fn row(&self, place: &Place) -> Row<'_> {
        let cells = self.cells.get(place.start as usize..place.end as usize);
        Row {
            at: place.at,
            cells: Cells {
                text: &self.text,
                cells: cells.unwrap_or(&[]),
            },
        }
    }

    /// Takes the rows away that are not wanted.
    pub(super) fn retain(&mut self, mut is_wanted: impl FnMut(Row<'_>) -> bool) {
        let mut places = std::mem::take(&mut self.places);
        places.retain(|place| is_wanted(self.row(place)));
        self.places = places;
    }

    /// Changes the cells of each row.
    pub(super) fn change(&mut self, mut change: impl FnMut(Row<'_>, &mut Vec<Cell>)) {
        let mut changed = Self::default();
        changed.reserve(self.len(), self.cells.len() + self.len());
        let mut cells = Vec::new();
        for row in self.iter() {
            cells.clear();
            cells.extend_from_slice(row.cells.cells);
            change(row, &mut cells);
            let start = changed.cells.len();
            changed.cells.extend_from_slice(&cells);
            changed.end_row(row.at, start);
        }
        self.cells = changed.cells;
        self.places = changed.places;
    }

    /// The last column that has a cell.
    pub(super) fn last_column(&self) -> Option<usize> {
        let last = |row: Row<'_>| row.cells.cells.last().map(|cell| cell.column());
        self.iter().filter_map(last).max()
    }
}

impl<'a> Cells<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = (usize, &'a str)> + Clone {
        let text = self.text;
        let cells = self.cells.iter();
        cells.map(move |cell| (cell.column(), cell.span().of(text)))
    }

    /// The cell of a column.
    pub(super) fn get(self, column: usize) -> Option<&'a str> {
        let cell = self.cells.iter().find(|cell| cell.column() == column)?;
        Some(self.text(*cell))
    }

    /// The text of a cell of the same export.
    pub(super) fn text(self, cell: Cell) -> &'a str {
        cell.span().of(self.text)
    }

    /// The cells as they are kept.
    pub(super) const fn kept(self) -> &'a [Cell] {
        self.cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(rows: &Rows) -> Vec<(u64, Vec<(usize, &str)>)> {
        rows.iter()
            .map(|row| (row.at, row.cells.iter().collect()))
            .collect()
    }

    #[test]
    fn cells_come_back_as_they_were_put_in() {
        let mut rows = Rows::default();
        for (at, cells) in [(3, vec![(0, "ä"), (7, "bc")]), (5, vec![(1, "x")])] {
            let cells: Vec<(usize, Span)> = cells
                .into_iter()
                .map(|(column, text)| (column, rows.keep(text).unwrap()))
                .collect();
            assert!(rows.push(at, cells.into_iter()));
        }
        assert_eq!(
            all(&rows),
            [(3, vec![(0, "ä"), (7, "bc")]), (5, vec![(1, "x")])]
        );
        let first = rows.get(0).unwrap().cells;
        assert_eq!((first.get(7), first.get(1)), (Some("bc"), None));
        assert_eq!((first.kept().len(), rows.last_column()), (2, Some(7)));
        let word = Cell::new(9, rows.keep("d").unwrap()).unwrap();
        rows.change(|row, cells| {
            if row.at == 3 {
                cells.remove(0);
                cells.push(word);
            }
        });
        assert_eq!(
            all(&rows),
            [(3, vec![(7, "bc"), (9, "d")]), (5, vec![(1, "x")])]
        );
        let long = Span::new(0, 1 << LENGTH).unwrap();
        assert_eq!(
            (Cell::new(0, long), Cell::new(1 << 11, word.span())),
            (None, None)
        );
        rows.retain(|row| row.at > 3);
        assert_eq!((all(&rows), rows.len()), (vec![(5, vec![(1, "x")])], 1));
    }
}
