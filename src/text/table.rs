//! Tables by columns: every distinct text once, in one buffer, and cells that say which text stands where.
//!
//! A sheet of thirty thousand cells is four allocations, and a long text that stands in thousands of cells is kept once. Whoever
//! looks at a cell can tell by its [`TextId`] whether the same text was looked at before.
//!
//! Invariants: cells stand in order of row and column; no cell is blank (a column without a cell is an empty one) and no row is without
//! a cell; an id is good for the table that gave it.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use hashbrown::HashTable;

use crate::limits;

/// A distinct text of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(pub(crate) u32);

impl TextId {
    /// Its place among the texts of its table, counted from 0.
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

/// Where a text stands in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Counted from 0.
    pub column: u32,
    /// What stands there.
    pub text: TextId,
}

/// What a row is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowPlace {
    /// By nothing.
    #[default]
    Unnamed,
    /// By the number that its program shows beside it, and whether it is hidden there.
    Numbered { number: u32, hidden: bool },
    /// By a text.
    Named(TextId),
}

#[derive(Debug, Clone, Copy)]
struct Line {
    place: RowPlace,
    /// One past its last cell.
    end: u32,
}

/// A table. Whether the first row is a heading is for detection to judge.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// "Sheet 'Data', hidden", or nothing.
    pub detail: Option<String>,
    buffer: String,
    /// One past the last octet of each text.
    ends: Vec<u32>,
    cells: Vec<Cell>,
    lines: Vec<Line>,
}

/// One row as a small table has it before it is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Cells by column; an empty cell is an empty string, so that columns stay aligned.
    pub cells: Vec<String>,
    /// "row 14, hidden", or nothing.
    pub detail: Option<String>,
}

impl Row {
    /// A row without a finer place.
    pub fn of(cells: Vec<String>) -> Self {
        Self { cells, detail: None }
    }

    /// Whether any cell holds more than white space.
    pub fn is_filled(&self) -> bool {
        self.cells.iter().any(|cell| !cell.trim().is_empty())
    }
}

/// A row of a table, to look at.
#[derive(Debug, Clone, Copy)]
pub struct RowView<'t> {
    table: &'t Table,
    place: RowPlace,
    cells: &'t [Cell],
}

impl<'t> RowView<'t> {
    /// Its cells that hold something, in order of their columns.
    pub fn cells(self) -> impl ExactSizeIterator<Item = (usize, &'t str)> {
        self.cells.iter().map(move |cell| (cell.column as usize, self.table.text(cell.text)))
    }

    /// As [`Self::cells`], with the number of each text.
    pub fn ids(self) -> &'t [Cell] {
        self.cells
    }

    /// What stands in its cells, without the empty ones.
    pub fn texts(self) -> impl ExactSizeIterator<Item = &'t str> {
        self.cells().map(|(_, text)| text)
    }

    /// What stands in its cells, an empty text for each empty one before the last.
    pub fn aligned(self) -> Vec<&'t str> {
        let mut out = Vec::new();
        for (column, text) in self.cells() {
            out.resize(column, "");
            out.push(text);
        }
        out
    }

    /// What stands in its cells, parted.
    pub fn joined(self, between: &str) -> String {
        let mut out = String::new();
        for text in self.texts() {
            if !out.is_empty() {
                out.push_str(between);
            }
            out.push_str(text);
        }
        out
    }

    /// "row 14, hidden", or nothing.
    pub fn detail(self) -> Option<Cow<'t, str>> {
        match self.place {
            RowPlace::Unnamed => None,
            RowPlace::Numbered { number, hidden: false } => Some(format!("row {number}").into()),
            RowPlace::Numbered { number, hidden: true } => Some(format!("row {number}, hidden").into()),
            RowPlace::Named(text) => Some(self.table.text(text).into()),
        }
    }
}

impl PartialEq for RowView<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.detail() == other.detail() && self.cells().eq(other.cells())
    }
}

/// Tables are the same that show the same.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.detail == other.detail && self.rows().eq(other.rows())
    }
}

impl Eq for Table {}

impl Table {
    /// A table of rows; those with nothing in them are left out.
    pub fn of(detail: Option<String>, rows: impl IntoIterator<Item = Row>) -> Self {
        let mut writer = TableWriter::default();
        for row in rows {
            let place = row.detail.map_or(RowPlace::Unnamed, |detail| RowPlace::Named(writer.text(&detail)));
            writer.row(place);
            row.cells.iter().enumerate().for_each(|(column, cell)| writer.cell(column, cell));
        }
        writer.finish(detail)
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many cells hold something.
    pub fn filled(&self) -> usize {
        self.cells.len()
    }

    /// Its rows, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = RowView<'_>> {
        (0..self.lines.len()).map(|at| self.view(at))
    }

    /// A row by its number among those that are filled, counted from 0.
    pub fn row(&self, at: usize) -> Option<RowView<'_>> {
        (at < self.lines.len()).then(|| self.view(at))
    }

    /// The finer place of a row: "Sheet 'Data', row 14".
    pub fn detail_of(&self, row: RowView<'_>) -> Option<String> {
        match (&self.detail, row.detail()) {
            (Some(table), Some(row)) => Some(format!("{table}, {row}")),
            (table, row) => table.clone().or_else(|| row.map(Cow::into_owned)),
        }
    }

    fn view(&self, at: usize) -> RowView<'_> {
        let start = at.checked_sub(1).map_or(0, |before| self.lines[before].end);
        let Line { place, end } = self.lines[at];
        RowView { table: self, place, cells: &self.cells[start as usize..end as usize] }
    }

    /// A text by its number; nothing for the number of another table.
    pub fn text(&self, id: TextId) -> &str {
        self.range(id.place()).and_then(|range| self.buffer.get(range)).unwrap_or_default()
    }

    /// Every distinct text once, in the order of its first cell; the names of rows are among them.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|at| self.text(TextId(at as u32)))
    }

    fn range(&self, at: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(start..end)
    }

    /// Octets of all that it shows: a text counts as often as it stands in a cell.
    pub fn octets(&self) -> usize {
        self.cells.iter().map(|cell| self.text(cell.text).len()).sum()
    }

    /// Octets of all that is kept: every text once.
    pub fn kept_octets(&self) -> usize {
        self.buffer.len()
    }

    /// Puts another text in the place of each for which `change` has one.
    pub fn change_texts(&mut self, mut change: impl FnMut(&str) -> Option<String>) {
        let changed: Vec<Option<String>> = self.texts().map(&mut change).collect();
        if changed.iter().all(Option::is_none) {
            return;
        }
        let mut writer = TableWriter::default();
        let new = |id: TextId| changed.get(id.place()).and_then(Option::as_deref).unwrap_or_else(|| self.text(id));
        for row in self.rows() {
            let place = match row.place {
                RowPlace::Named(id) => RowPlace::Named(writer.text(new(id))),
                place => place,
            };
            writer.row(place);
            row.cells.iter().for_each(|cell| writer.cell(cell.column as usize, new(cell.text)));
        }
        *self = writer.finish(self.detail.take());
    }
}

/// Writes a table cell by cell.
#[derive(Default)]
pub struct TableWriter {
    table: Table,
    known: HashTable<TextId>,
    hasher: RandomState,
}

impl TableWriter {
    /// The number of a text, which is kept if it is new.
    pub fn text(&mut self, text: &str) -> TextId {
        let hash = self.hasher.hash_one(text);
        let Self { table, known, hasher } = self;
        if let Some(&id) = known.find(hash, |id| table.text(*id) == text) {
            return id;
        }
        let id = TextId(u32::try_from(table.ends.len()).unwrap_or(u32::MAX));
        table.buffer.push_str(text);
        table.ends.push(u32::try_from(table.buffer.len()).unwrap_or(u32::MAX));
        known.insert_unique(hash, id, |id| hasher.hash_one(table.text(*id)));
        id
    }

    /// The number of a text, if it has one.
    pub fn find(&self, text: &str) -> Option<TextId> {
        self.known.find(self.hasher.hash_one(text), |id| self.table.text(*id) == text).copied()
    }

    /// Begins a row; the one before is dropped if nothing stands in it.
    pub fn row(&mut self, place: RowPlace) {
        self.end_row();
        self.table.lines.push(Line { place, end: 0 });
    }

    /// Whether something stands in the row that is open.
    pub fn is_row_filled(&self) -> bool {
        !self.open_row().is_empty()
    }

    /// The cells of the row that is open.
    pub fn open_row(&self) -> &[Cell] {
        let closed = self.table.lines.len().checked_sub(2).map_or(0, |before| self.table.lines[before].end);
        &self.table.cells[closed as usize..]
    }

    /// What a text's number stands for.
    pub fn text_of(&self, id: TextId) -> &str {
        self.table.text(id)
    }

    /// A cell of the row that is open. A blank one is none. What stands far off to the right is kept, and its column is the last one
    /// that is counted; what comes out of order stands behind what was there.
    pub fn cell(&mut self, column: usize, text: &str) {
        if !text.trim().is_empty() {
            let id = self.text(text);
            self.cell_of(column, id);
        }
    }

    /// As [`Self::cell`], of a text that is not blank and has a number.
    pub fn cell_of(&mut self, column: usize, text: TextId) {
        let after = self.open_row().last().map_or(0, |last| last.column + 1);
        let column = u32::try_from(column.min(limits::TABLE_COLUMNS)).unwrap_or(u32::MAX).max(after);
        self.table.cells.push(Cell { column, text });
    }

    fn end_row(&mut self) {
        let filled = self.is_row_filled();
        let end = u32::try_from(self.table.cells.len()).unwrap_or(u32::MAX);
        match self.table.lines.last_mut() {
            Some(line) if filled => line.end = end,
            Some(_) => {
                self.table.lines.pop();
            }
            None => {}
        }
    }

    /// The table.
    pub fn finish(mut self, detail: Option<String>) -> Table {
        self.end_row();
        Table { detail, ..self.table }
    }
}

/// A table as numbers and one text, as it comes to the gateway from a worker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub detail: Option<String>,
    pub buffer: String,
    /// One past the last octet of each text.
    pub ends: Vec<u32>,
    /// Column and text of each cell.
    pub cells: Vec<u32>,
    /// One past the last cell of each row, the kind of its place, and the number of that.
    pub lines: Vec<u32>,
}

/// A table as numbers and one text, as it goes from a worker to the gateway; [`Parts`] own, these borrow.
pub(crate) struct PartsView<'t> {
    pub buffer: &'t str,
    pub ends: &'t [u32],
    pub cells: Vec<u32>,
    pub lines: Vec<u32>,
}

impl Table {
    /// All but the detail, as numbers and one text.
    pub(crate) fn parts(&self) -> PartsView<'_> {
        let line = |line: &Line| match line.place {
            RowPlace::Unnamed => [line.end, 0, 0],
            RowPlace::Numbered { number, hidden } => [line.end, 1 + u32::from(hidden), number],
            RowPlace::Named(text) => [line.end, 3, text.0],
        };
        PartsView {
            buffer: &self.buffer,
            ends: &self.ends,
            cells: self.cells.iter().flat_map(|cell| [cell.column, cell.text.0]).collect(),
            lines: self.lines.iter().flat_map(line).collect(),
        }
    }
}

impl Parts {
    /// The table, if these are the parts of one.
    pub(crate) fn table(self) -> Option<Table> {
        let Self { detail, buffer, ends, cells, lines } = self;
        let known = |text: u32| ((text as usize) < ends.len()).then_some(TextId(text));
        let cuts = ends.windows(2).all(|pair| pair[0] <= pair[1]);
        let whole = ends.last().copied().unwrap_or(0) as usize == buffer.len();
        if !cuts || !whole || !ends.iter().all(|&end| buffer.is_char_boundary(end as usize)) {
            return None;
        }
        let pairs = cells.chunks_exact(2);
        let cells = pairs.map(|c| Some(Cell { column: c[0], text: known(c[1])? })).collect::<Option<Vec<_>>>()?;
        let rows = lines.chunks_exact(3);
        let place = |kind: u32, number: u32| match kind {
            0 => Some(RowPlace::Unnamed),
            1 | 2 => Some(RowPlace::Numbered { number, hidden: kind == 2 }),
            3 => known(number).map(RowPlace::Named),
            _ => None,
        };
        let lines = rows.map(|l| Some(Line { end: l[0], place: place(l[1], l[2])? })).collect::<Option<Vec<_>>>()?;
        let rising = lines.windows(2).all(|pair| pair[0].end < pair[1].end);
        let all = lines.last().map_or(0, |last| last.end) as usize == cells.len();
        let first = lines.first().is_none_or(|first| first.end > 0);
        (rising && all && first).then_some(Table { detail, buffer, ends, cells, lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> Table {
        Table::of(None, rows.iter().map(|row| Row::of(row.iter().map(|&cell| cell.to_owned()).collect())))
    }

    #[test]
    fn a_text_is_kept_once_and_blank_cells_are_none() {
        let table = table(&[&["Name", "", "Form"], &["Amy", " ", "Oak"], &["", " "], &["Ben", "x", "Oak"]]);
        assert_eq!((table.len(), table.filled(), table.texts().count()), (3, 7, 6));
        assert_eq!(
            table.rows().map(|row| row.aligned()).collect::<Vec<_>>()[1..],
            [vec!["Amy", "", "Oak"], vec!["Ben", "x", "Oak"]]
        );
        assert_eq!(table.row(1).map(|row| row.joined("|")), Some("Amy|Oak".to_owned()));
        assert_eq!(table.octets(), 4 + 4 + 3 + 3 + 3 + 1 + 3);
        assert!(table.row(3).is_none());
    }

    #[test]
    fn columns_rise_and_rows_have_their_places() {
        let mut writer = TableWriter::default();
        writer.row(RowPlace::Numbered { number: 3, hidden: false });
        writer.row(RowPlace::Numbered { number: 14, hidden: true });
        let far = limits::TABLE_COLUMNS * 2;
        for (column, text) in [(2, "c"), (1, "b"), (far, "far"), (far, "further")] {
            writer.cell(column, text);
        }
        let table = writer.finish(Some("Sheet".into()));
        let row = table.row(0).expect("one row");
        let last = limits::TABLE_COLUMNS;
        assert_eq!(row.cells().collect::<Vec<_>>(), [(2, "c"), (3, "b"), (last, "far"), (last + 1, "further")]);
        assert_eq!((table.len(), row.detail().as_deref()), (1, Some("row 14, hidden")));
        let cells = row.aligned().iter().map(|&cell| cell.to_owned()).collect();
        let named = Table::of(Some("Sheet".into()), [Row { cells, detail: Some("row 14, hidden".into()) }]);
        assert_eq!(named, table, "what shows the same is the same");
    }

    #[test]
    fn texts_can_be_changed() {
        let mut changed = table(&[&["a", "b"], &["c", "a"]]);
        changed.change_texts(|text| (text == "a").then(|| "b".to_owned()));
        assert_eq!(changed, table(&[&["b", "b"], &["c", "b"]]));
        assert_eq!(changed.texts().count(), 2);
    }

    #[test]
    fn parts_that_are_none_of_a_table_are_refused() {
        let table = Table::of(
            Some("x".into()),
            [
                Row { cells: vec!["Zoë".into(), "b".into()], detail: Some("row 1".into()) },
                Row::of(vec![String::new(), "b".into()]),
            ],
        );
        let parts = || {
            let PartsView { buffer, ends, cells, lines } = table.parts();
            Parts { detail: table.detail.clone(), buffer: buffer.to_owned(), ends: ends.to_vec(), cells, lines }
        };
        assert_eq!(parts().table().as_ref(), Some(&table));
        assert_eq!(Parts::default().table(), Some(Table::default()));
        type Change = fn(&mut Parts);
        let broken: [(&str, Change); 10] = [
            ("a text cut within a letter", |p| p.ends[1] -= 1),
            ("texts that fall", |p| p.ends.swap(0, 1)),
            ("a text beyond the end", |p| p.ends.push(u32::MAX)),
            ("texts not told of", |p| p.ends.truncate(2)),
            ("a cell of no text", |p| p.cells[1] = 99),
            ("a cell of no row", |p| p.cells.extend([0, 0])),
            ("a row beyond the cells", |p| p.lines[3] = 99),
            ("rows that fall", |p| p.lines[0] = 4),
            ("an empty row", |p| p.lines[0] = 0),
            ("a place that is none", |p| p.lines[1] = 4),
        ];
        for (what, change) in broken {
            let mut parts = parts();
            change(&mut parts);
            assert_eq!(parts.table(), None, "{what}");
        }
    }
}
