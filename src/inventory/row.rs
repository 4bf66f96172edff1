//! One row of text, in little room: exports have millions.

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Physical line (CSV, JSON lines) or index (JSON), from 1.
    pub(super) at: u64,
    pub(super) cells: Cells,
}

/// Cells that are not empty, trimmed, each with the index of its header, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cells {
    /// One behind the other.
    text: Box<str>,
    /// The header's index, and where the cell ends in the text.
    ends: Box<[(u32, u32)]>,
}

impl Cells {
    /// Takes cells over; what a row cannot hold (4 GiB, which no cells within the bounds of a table have) is left out.
    pub(super) fn new<'a>(cells: impl Iterator<Item = (usize, &'a str)> + Clone) -> Self {
        let length = cells.clone().map(|(_, cell)| cell.len()).sum();
        let mut text = String::with_capacity(length);
        let mut ends = Vec::with_capacity(cells.clone().count());
        for (column, cell) in cells {
            let end = u32::try_from(text.len() + cell.len());
            let (Ok(column), Ok(end)) = (u32::try_from(column), end) else {
                continue;
            };
            text.push_str(cell);
            ends.push((column, end));
        }
        Self {
            text: text.into(),
            ends: ends.into(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> Iter<'_> {
        Iter {
            text: &self.text,
            at: 0,
            ends: self.ends.iter(),
        }
    }

    /// The last column that has a cell.
    pub(super) fn last_column(&self) -> Option<usize> {
        usize::try_from(self.ends.last()?.0).ok()
    }

    /// The cell of a column.
    pub(super) fn get(&self, column: usize) -> Option<&str> {
        self.iter()
            .find(|(at, _)| *at == column)
            .map(|(_, cell)| cell)
    }

    /// Changes cells.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut Vec<(usize, String)>)) {
        let mut cells: Vec<(usize, String)> = self
            .iter()
            .map(|(column, cell)| (column, cell.to_owned()))
            .collect();
        change(&mut cells);
        *self = cells.into();
    }
}

impl From<Vec<(usize, String)>> for Cells {
    fn from(cells: Vec<(usize, String)>) -> Self {
        Self::new(cells.iter().map(|(column, cell)| (*column, cell.as_str())))
    }
}

impl<'a> IntoIterator for &'a Cells {
    type Item = (usize, &'a str);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The cells of a row, each with the index of its header.
#[derive(Debug, Clone)]
pub(super) struct Iter<'a> {
    text: &'a str,
    at: usize,
    ends: std::slice::Iter<'a, (u32, u32)>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (column, end) = self.ends.next()?;
        let end = usize::try_from(*end).ok()?;
        let cell = self.text.get(self.at..end)?;
        self.at = end;
        Some((usize::try_from(*column).ok()?, cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_as_they_were_put_in() {
        let mut cells: Cells = vec![(0, "ä".to_owned()), (7, "bc".to_owned())].into();
        assert_eq!(cells.iter().collect::<Vec<_>>(), [(0, "ä"), (7, "bc")]);
        assert_eq!((cells.get(7), cells.get(1)), (Some("bc"), None));
        cells.edit(|cells| {
            cells.remove(0);
            cells.push((9, "d".to_owned()));
        });
        assert_eq!(cells.iter().collect::<Vec<_>>(), [(7, "bc"), (9, "d")]);
        assert_eq!((cells.len(), Cells::default().is_empty()), (2, true));
    }
}
