//! A sheet or table of an OpenDocument while it is open, written into columns cell by cell.

use std::collections::HashSet;

use super::super::office;
use super::super::xml::Tag;
use crate::limits;
use crate::text::{Block, RowPlace, TableWriter};

/// A table whose end has not come.
#[derive(Default)]
pub(super) struct OpenTable {
    pub name: String,
    hidden: bool,
    writer: TableWriter,
    /// How many columns there were so far, and those that are hidden, counted from 1.
    columns: usize,
    hidden_columns: Vec<String>,
    /// Of the row that is open, counted from 1, and how many it stands for.
    row: usize,
    rows: usize,
    cell: Cell,
    /// What stands in cells and is no text of theirs.
    asides: Vec<Block>,
}

/// The cell that is open.
#[derive(Default)]
struct Cell {
    column: usize,
    /// How many it stands for.
    columns: usize,
    date: Option<String>,
}

impl OpenTable {
    /// A table begins; `hidden` are the styles of those that are not shown.
    pub(super) fn begin(tag: &Tag<'_>, hidden: &HashSet<String>) -> Self {
        let [name, style] = tag.values(["name", "style-name"]);
        Self {
            name: name.unwrap_or_default().into_owned(),
            hidden: style.is_some_and(|style| hidden.contains(&*style)),
            row: 1,
            ..Self::default()
        }
    }

    /// A column, or several that are alike.
    pub(super) fn column(&mut self, tag: &Tag<'_>) {
        let [visibility, times] = tag.values(["visibility", "number-columns-repeated"]);
        let (at, times) = (self.columns, repeated(times.as_deref()));
        if is_hidden(visibility.as_deref()) {
            let name = if times == 1 { (at + 1).to_string() } else { format!("{}-{}", at + 1, at + times) };
            self.hidden_columns.push(name);
        }
        self.columns = at.saturating_add(times);
    }

    /// A row begins.
    pub(super) fn begin_row(&mut self, tag: &Tag<'_>) {
        let [visibility, times] = tag.values(["visibility", "number-rows-repeated"]);
        let number = u32::try_from(self.row).unwrap_or(u32::MAX);
        self.writer.row(RowPlace::Numbered { number, hidden: is_hidden(visibility.as_deref()) });
        self.rows = repeated(times.as_deref());
        self.cell = Cell::default();
    }

    /// A row ends.
    pub(super) fn end_row(&mut self) {
        self.row = self.row.saturating_add(self.rows);
    }

    /// A cell begins, or several that are alike.
    pub(super) fn begin_cell(&mut self, tag: &Tag<'_>) {
        let [times, date] = tag.values(["number-columns-repeated", "date-value"]);
        self.cell.columns = repeated(times.as_deref());
        self.cell.date = date.map(|date| date.trim_end_matches("T00:00:00").to_owned());
    }

    /// A cell ends in which this stands.
    pub(super) fn end_cell(&mut self, said: Vec<Block>) {
        let mut lines: Option<String> = None;
        for block in said {
            match block {
                Block::Paragraph { text: line, detail: None } => match &mut lines {
                    Some(lines) => {
                        lines.push('\n');
                        lines.push_str(&line);
                    }
                    None => lines = Some(line),
                },
                other => self.asides.push(other),
            }
        }
        let Cell { column, columns, date } = &mut self.cell;
        let value = match date.take() {
            Some(date) => dated(&date, &lines.unwrap_or_default()),
            None => lines.unwrap_or_default(),
        };
        if !value.trim().is_empty() {
            let text = self.writer.text(&value);
            let times = (*columns).min(limits::TABLE_COLUMNS.saturating_sub(*column)).max(1);
            (*column..*column + times).for_each(|column| self.writer.cell_of(column, text));
        }
        *column = column.saturating_add(*columns);
    }

    /// What lies on the sheet and in no cell.
    pub(super) fn beside(&mut self, said: Vec<Block>) {
        self.asides.extend(said);
    }

    /// The place that it is where it is a sheet.
    pub(super) fn place(&self) -> String {
        office::sheet_place(&self.name, if self.hidden { ", hidden" } else { "" })
    }

    /// The table ends; `detail` is the finer place that it stands at.
    pub(super) fn finish(self, detail: Option<&str>, out: &mut Vec<Block>) {
        let named = match detail {
            Some(detail) => detail.to_owned(),
            None if self.name.is_empty() => String::new(),
            None => self.place(),
        };
        let detail = office::table_place(&named, &self.hidden_columns);
        let table = self.writer.finish((!detail.is_empty()).then_some(detail));
        if table.rows().all(|row| row.ids().len() <= 1) {
            out.extend(
                table.texts().map(|cell| Block::Paragraph { text: cell.to_owned(), detail: table.detail.clone() }),
            );
        } else {
            out.push(Block::Table(table));
        }
        out.extend(self.asides);
    }
}

fn is_hidden(visibility: Option<&str>) -> bool {
    matches!(visibility, Some("collapse" | "filter"))
}

/// How many an element stands for.
pub(super) fn repeated(times: Option<&str>) -> usize {
    times.and_then(|times| times.parse().ok()).unwrap_or(1usize).clamp(1, 1 << 24)
}

/// What a cell of this date says that shows these lines: the date by itself where they show nothing else, as they are where they show
/// all of it in words, and both otherwise.
fn dated(date: &str, lines: &str) -> String {
    let parts: Vec<&str> = date.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let numbers: Vec<u32> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    let more: Vec<&str> = lines.split('\n').filter(|line| says_more(line, &numbers)).collect();
    match more[..] {
        [line] if is_whole(line, &numbers) => line.to_owned(),
        _ => [date].into_iter().chain(more).collect::<Vec<_>>().join(" "),
    }
}

/// Whether a line has words, or numbers that are none of the date's.
fn says_more(line: &str, date: &[u32]) -> bool {
    const OF_NUMBERS: &[&str] = &["am", "pm", "st", "nd", "rd", "th"];
    let known =
        |number: u32| date.iter().any(|part| number == *part || number == part % 100 || number == (part + 11) % 12 + 1);
    let word = |word: &str| word.chars().nth(1).is_some() && !OF_NUMBERS.contains(&word.to_lowercase().as_str());
    line.split(|c: char| !c.is_alphabetic()).any(word)
        || line.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).any(|n| !n.parse().is_ok_and(known))
}

/// Whether a line has the day, the name of the month and the year, in this order.
fn is_whole(line: &str, date: &[u32]) -> bool {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let [year, month, day, ..] = *date else { return false };
    let words: Vec<String> =
        line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let name = (month as usize).checked_sub(1).and_then(|at| MONTHS.get(at));
    words.windows(3).any(|three| {
        three[0].parse() == Ok(day)
            && name.is_some_and(|name| three[1].starts_with(name))
            && three[2].parse() == Ok(year)
    })
}
