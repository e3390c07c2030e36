//! One sheet of a workbook, read piece by piece into columns: there is no tree, and no text is made for a cell that shows one of
//! the workbook's.

use std::collections::HashSet;

use super::super::xml::{self, Piece, Tag};
use super::super::{Why, office, records};
use super::formats::{Shown, number};
use super::{Book, Sheet};
use crate::limits;
use crate::text::{Block, RowPlace, TableWriter, TextId};

/// Reads a sheet, and what stands around its cells; up to a fault, where there is one.
pub(super) fn read(book: &Book, sheet: &Sheet, bytes: &[u8], out: &mut Vec<Block>) -> Result<(), Why> {
    let mut reader = Reader {
        book,
        writer: TableWriter::default(),
        shared: vec![None; book.strings.len()],
        open: Vec::new(),
        caught: None,
        row: 0,
        cell: Cell::default(),
        value: String::new(),
        formula: String::new(),
        hidden_columns: Vec::new(),
        of_formulas: Vec::new(),
        said: HashSet::new(),
        other: Vec::new(),
    };
    let read = xml::stream(bytes, |piece| reader.piece(piece));
    if read.is_err() && reader.open.contains(&Inside::Row) {
        // What a fault has cut off ends there.
        if reader.open.contains(&Inside::Cell) {
            reader.end_cell();
        }
        reader.end_row();
    }
    let detail = office::table_place(&office::sheet_place(&sheet.name, sheet.state), &reader.hidden_columns);
    let table = reader.writer.finish(Some(detail.clone()));
    if !table.is_empty() {
        out.push(Block::Table(table));
    }
    let words = reader.other.into_iter().filter(|(text, _)| text.chars().any(char::is_alphanumeric));
    out.extend(words.map(|(text, what)| Block::paragraph_at(text, format!("{detail}, {what}"))));
    read
}

/// Where in the sheet's mark-up the reader is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Inside {
    Sheet,
    Row,
    Cell,
    /// Text of a cell's own, with runs of their own formats.
    Inline,
    Heading,
    Validation,
    /// What is caught as text; what stands inside it is caught with it.
    Caught,
    /// What says nothing.
    Passed,
}

/// What a text is caught for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Caught {
    Value,
    Formula,
    Heading,
    Validation,
}

/// How the value of a cell is meant (ECMA-376 18.18.11).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Type {
    #[default]
    Number,
    Shared,
    Inline,
    Truth,
    Text,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    column: usize,
    kind: Type,
    style: Option<usize>,
}

struct Reader<'b> {
    book: &'b Book,
    writer: TableWriter,
    /// By their place among the workbook's texts, the numbers they have in this table.
    shared: Vec<Option<TextId>>,
    open: Vec<Inside>,
    caught: Option<Caught>,
    /// Of the row that is open, as the sheet numbers it.
    row: u32,
    cell: Cell,
    /// Of the cell that is open.
    value: String,
    /// Of the cell that is open; else whatever else is caught.
    formula: String,
    hidden_columns: Vec<String>,
    /// What each formula of the row says in all, and those of its strings that its own cell does not show.
    of_formulas: Vec<(String, Vec<String>)>,
    /// What formulas say that has been told.
    said: HashSet<String>,
    other: Vec<(String, &'static str)>,
}

impl Reader<'_> {
    fn piece(&mut self, piece: Piece<'_>) -> Result<(), Why> {
        match piece {
            Piece::Start(tag) => {
                if self.open.len() >= limits::XML_DEPTH {
                    return Err(Why::BeyondLimit);
                }
                let inside = self.start(&tag);
                self.open.push(inside);
            }
            Piece::Text(text) => match self.caught {
                Some(Caught::Value) => self.value.push_str(text),
                Some(_) => self.formula.push_str(text),
                None => {}
            },
            Piece::End => {
                let ended = self.open.pop();
                match ended {
                    Some(Inside::Caught) if self.open.last() != Some(&Inside::Caught) => self.end_caught(),
                    Some(Inside::Cell) => self.end_cell(),
                    Some(Inside::Row) => self.end_row(),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'_>) -> Inside {
        let inside = self.open.last().copied().unwrap_or(Inside::Sheet);
        match (inside, tag.name()) {
            (Inside::Sheet, "row") => {
                self.begin_row(tag);
                Inside::Row
            }
            (Inside::Sheet, "col") => {
                self.hidden_columns.extend(hidden_columns(tag));
                Inside::Passed
            }
            (Inside::Sheet, "headerFooter") => Inside::Heading,
            (Inside::Sheet, "dataValidation") => {
                self.attributes(tag, &["promptTitle", "prompt", "errorTitle", "error"], "hint at a cell");
                Inside::Validation
            }
            (Inside::Sheet, "hyperlink") => {
                self.attributes(tag, &["display", "tooltip"], "hint at a link");
                Inside::Passed
            }
            (Inside::Sheet, _) => Inside::Sheet,
            (Inside::Row, "c") => {
                self.begin_cell(tag);
                Inside::Cell
            }
            (Inside::Cell, "is") => Inside::Inline,
            (Inside::Inline, "r") => Inside::Inline,
            (Inside::Cell, "v") | (Inside::Inline, "t") => self.catch(Caught::Value),
            (Inside::Cell, "f") => self.catch(Caught::Formula),
            (Inside::Heading, _) => self.catch(Caught::Heading),
            (Inside::Validation, _) => self.catch(Caught::Validation),
            (Inside::Caught, _) => Inside::Caught,
            _ => Inside::Passed,
        }
    }

    fn catch(&mut self, what: Caught) -> Inside {
        self.caught = Some(what);
        Inside::Caught
    }

    fn attributes(&mut self, tag: &Tag<'_>, names: &[&str], what: &'static str) {
        let said = tag.attributes().filter(|(name, _)| names.contains(name));
        self.other.extend(said.map(|(_, text)| (text.into_owned(), what)));
    }

    fn end_caught(&mut self) {
        let of_list = |text: &str| text.starts_with('"');
        match self.caught.take() {
            Some(Caught::Heading) => {
                self.other.push((records::codes_undone(&self.formula), "header or footer"));
                self.formula.clear();
            }
            Some(Caught::Validation) if of_list(&self.formula) => {
                self.other.push((std::mem::take(&mut self.formula), "list of allowed values"));
            }
            Some(Caught::Validation) => self.formula.clear(),
            Some(Caught::Value | Caught::Formula) | None => {}
        }
    }

    fn begin_row(&mut self, tag: &Tag<'_>) {
        self.row = self.row.saturating_add(1);
        let mut hidden = false;
        for (name, value) in tag.attributes() {
            match name {
                "r" => self.row = value.parse().unwrap_or(self.row),
                "hidden" | "ht" => hidden |= hides(name, &value, "ht"),
                _ => {}
            }
        }
        self.writer.row(RowPlace::Numbered { number: self.row, hidden });
        self.cell.column = 0;
        self.of_formulas.clear();
    }

    fn begin_cell(&mut self, tag: &Tag<'_>) {
        self.value.clear();
        self.formula.clear();
        let mut cell = Cell { column: self.cell.column, ..Cell::default() };
        for (name, value) in tag.attributes() {
            match name {
                "r" => cell.column = column_of(&value).unwrap_or(cell.column),
                "s" => cell.style = value.parse().ok(),
                "t" => {
                    cell.kind = match &*value {
                        "s" => Type::Shared,
                        "inlineStr" => Type::Inline,
                        "b" => Type::Truth,
                        "str" | "e" | "d" => Type::Text,
                        _ => Type::Number,
                    };
                }
                _ => {}
            }
        }
        self.cell = cell;
    }

    fn end_cell(&mut self) {
        let Cell { column, kind, style } = self.cell;
        self.cell.column = column.saturating_add(1);
        let strings = if self.formula.is_empty() { Vec::new() } else { strings_of(&self.formula) };
        if self.value.is_empty() {
            // No program has reckoned yet: what the formula says itself is what will be shown.
            return self.writer.cell(column, &strings.concat());
        }
        match kind {
            Type::Shared => {
                let place = self.value.trim().parse::<usize>().ok().filter(|place| *place < self.shared.len());
                if let Some(text) = place.and_then(|place| self.shared_text(place)) {
                    self.writer.cell_of(column, text);
                }
            }
            Type::Inline | Type::Text => self.writer.cell(column, &self.value),
            Type::Truth => self.writer.cell(column, if self.value.trim() == "1" { "TRUE" } else { "FALSE" }),
            Type::Number => {
                let shown = style.and_then(|style| self.book.styles.get(style)).copied().unwrap_or(Shown::Plain);
                self.writer.cell(column, &number(&self.value, shown, self.book.from_1904));
            }
        }
        self.keep_strings(strings);
    }

    /// Keeps the strings of a formula that its own cell does not show.
    fn keep_strings(&mut self, strings: Vec<String>) {
        let joined = strings.concat();
        let words = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count() > 1;
        let shown = self.writer.open_row().last().map_or("", |cell| self.writer.text_of(cell.text));
        if !words(&joined) || self.said.contains(&joined) || shown.contains(&joined) {
            return;
        }
        let together = Some(joined.clone()).filter(|text| strings.len() > 1 && text.contains(' '));
        // Looking for each of many strings in a long text would cost the product of both.
        let hidden = |(at, text): (usize, String)| {
            (words(&text) && (at >= limits::FORMULA_STRINGS || !shown.contains(&text))).then_some(text)
        };
        let each = strings.into_iter().enumerate().filter_map(hidden);
        let kept = together.into_iter().chain(each).collect();
        self.of_formulas.push((joined, kept));
    }

    /// The number in this table of one of the workbook's texts; nothing for a blank one.
    fn shared_text(&mut self, place: usize) -> Option<TextId> {
        if self.shared[place].is_none() {
            let text = self.book.strings.get(place);
            self.shared[place] = (!text.trim().is_empty()).then(|| self.writer.text(text));
        }
        self.shared[place]
    }

    /// Strings of formulas that no cell of the row shows now, each once.
    fn end_row(&mut self) {
        if self.of_formulas.is_empty() {
            return;
        }
        let shown: HashSet<TextId> = self.writer.open_row().iter().map(|cell| cell.text).collect();
        let is_shown = |text: &str| self.writer.find(text).is_some_and(|id| shown.contains(&id));
        for (joined, strings) in self.of_formulas.drain(..) {
            if is_shown(&joined) || self.said.contains(&joined) {
                continue;
            }
            for text in strings.into_iter().filter(|text| !is_shown(text)) {
                if self.said.insert(text.clone()) {
                    self.other.push((text, "formula"));
                }
            }
            self.said.insert(joined);
        }
    }
}

/// A row or column that is hidden, or of no size.
fn hides(name: &str, value: &str, size: &str) -> bool {
    name == "hidden" && matches!(value, "1" | "true")
        || name == size && value.parse::<f64>().is_ok_and(|size| size == 0.0)
}

/// The letters of the columns that an element hides.
fn hidden_columns(tag: &Tag<'_>) -> Option<String> {
    let (mut first, mut last, mut hidden) = (1, 1, false);
    for (name, value) in tag.attributes() {
        match name {
            "min" => first = value.parse().unwrap_or(1usize).max(1),
            "max" => last = value.parse().unwrap_or(1usize).max(1),
            _ => hidden |= hides(name, &value, "width"),
        }
    }
    let (first, last) = (letters(first - 1), letters(last - 1));
    hidden.then(|| if first == last { first } else { format!("{first}-{last}") })
}

/// The strings that stand in a formula; a doubled quote is one.
fn strings_of(formula: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = formula.chars().peekable();
    while chars.any(|c| c == '"') {
        let mut text = String::new();
        while let Some(c) = chars.next() {
            if c == '"' && chars.next_if_eq(&'"').is_none() {
                break;
            }
            text.push(c);
        }
        found.push(text);
    }
    found
}

fn letters(mut index: usize) -> String {
    let mut out = String::new();
    loop {
        out.insert(0, (b'A' + (index % 26) as u8) as char);
        if index < 26 {
            return out;
        }
        index = index / 26 - 1;
    }
}

/// The column of a cell reference, `C7` as 2.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.take(4).fold(0usize, |n, b| n * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1);
    number.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_formulas() {
        assert_eq!(strings_of("A&\"say \"\"x\"\"\"&\"\""), ["say \"x\"", ""]);
        assert_eq!(
            (letters(0), letters(25), letters(26), letters(16383)),
            ("A".into(), "Z".into(), "AA".into(), "XFD".into())
        );
        assert_eq!((column_of("A1"), column_of("XFD9"), column_of("7")), (Some(0), Some(16383), None));
    }
}
