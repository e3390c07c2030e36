//! The message laid out: every paragraph and table cell folded and cut once, with the sentences and marks of its tokens.
//!
//! Owns what a [`super::scene::Scene`] looks at. A paragraph that is a table in plain text is cut into cells here, and a
//! very long one into pieces, as is a very long cell, so that looking around a name costs the same in a long text as in a short one.

use std::ops::Range;

use hashbrown::HashMap;

use super::marks::{Marks, mark, mark_words};
use super::rows::{self, Piece};
use super::words::{TITLES, is};
use crate::limits;
use crate::people::School;
use crate::text::normalise::{Gap, TokenKind};
use crate::text::{Block, Document, Halt, Text, Texts};

/// What [`Spot`] has in place of a number that there is none of.
const NONE: u32 = u32::MAX;

/// Where a text of the layout stands: thirty-two octets, for a sheet has one a cell.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    document: u32,
    block: u32,
    piece: u32,
    row: u32,
    column: u32,
    top: u32,
    heading: u32,
    text: u32,
}

#[inline]
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}

#[inline]
fn wide(number: u32) -> Option<usize> {
    (number != NONE).then_some(number as usize)
}

impl Spot {
    fn of(document: usize, block: usize, piece: usize, cell: Option<(usize, usize)>) -> Self {
        let [row, column] = cell.map_or([NONE; 2], |(row, column)| [narrow(row), narrow(column)]);
        let [document, block, piece] = [document, block, piece].map(narrow);
        Self { document, block, piece, row, column, top: NONE, heading: NONE, text: 0 }
    }

    /// Place in the documents given.
    #[inline]
    pub(super) fn document(&self) -> usize {
        self.document as usize
    }

    /// Paragraph, piece of one, or table: a number within the document.
    #[inline]
    pub(super) fn block(&self) -> usize {
        self.block as usize
    }

    /// Place among the blocks of the document.
    pub(super) fn piece(&self) -> usize {
        self.piece as usize
    }

    /// Row and column, in a table.
    #[inline]
    pub(super) fn cell(&self) -> Option<(usize, usize)> {
        wide(self.row).map(|row| (row, self.column as usize))
    }

    /// In a table the first filled cell of the column, by its spot.
    pub(super) fn top(&self) -> Option<usize> {
        wide(self.top)
    }

    /// In a table below its row of headings, which is its first row of more than one cell: the column's cell in that row.
    pub(super) fn heading_cell(&self) -> Option<usize> {
        wide(self.heading)
    }

    /// The number of its text; paragraphs and cells that say the same have the same, wherever they stand.
    #[inline]
    pub(super) fn text_number(&self) -> usize {
        self.text as usize
    }
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Layout<'a> {
    /// Each once, however many cells it stands in, and whether a message says it as text and as a page.
    pub texts: Texts<'a>,
    /// In order of place.
    pub spots: Vec<Spot>,
    /// By text.
    pub marks_of_texts: Vec<Marks>,
    /// By what they say.
    known: HashMap<&'a str, u32>,
    /// By token, those of all texts one behind the other.
    pub sentences: Vec<u32>,
    /// By token as well.
    pub marks: Vec<Marks>,
    /// By word.
    of_words: Vec<Marks>,
    /// Spots of each document, in order.
    pub of_document: Vec<Range<usize>>,
    /// Of the table that is just laid out.
    columns: Columns,
    /// Once set, no further text is laid out.
    halt: Halt,
}

/// The columns of one table, as its cells come in.
#[derive(Default)]
struct Columns {
    /// The first text of each.
    tops: Vec<Option<usize>>,
    /// The row of headings.
    row: Option<usize>,
    /// Each column's text in that row.
    headings: Vec<Option<usize>>,
}

impl Columns {
    /// The top and the heading of the column of the text `at`; `before` is the cell before it in the same table.
    fn take(&mut self, at: usize, cell: (usize, usize), before: Option<(usize, usize)>) -> [Option<usize>; 2] {
        let (row, column) = cell;
        let Some(before) = before else {
            *self = Self::default();
            first(&mut self.tops, column, at);
            return [Some(at), None];
        };
        if self.row.is_none() && before.0 == row && before.1 != column {
            self.row = Some(row);
            first(&mut self.headings, before.1, at - 1);
        }
        let heading = match self.row {
            Some(headings) if headings == row => {
                first(&mut self.headings, column, at);
                None
            }
            _ => self.headings.get(column).copied().flatten(),
        };
        [Some(first(&mut self.tops, column, at)), heading]
    }
}

/// How many paragraphs and cells documents hold, and how many octets that are laid out: a text of many cells counts once.
pub(super) fn size(documents: &[Document]) -> (usize, usize) {
    let blocks = documents.iter().flat_map(|document| &document.blocks);
    blocks.fold((0, 0), |(texts, octets), block| match block {
        Block::Paragraph { text, .. } => (texts + 1, octets + text.len()),
        Block::Table(table) => (texts + table.filled(), octets + table.kept_octets()),
    })
}

/// The first text of a column, which is this one if there was none.
fn first(columns: &mut Vec<Option<usize>>, column: usize, at: usize) -> usize {
    if column >= columns.len() {
        columns.resize(column + 1, None);
    }
    *columns[column].get_or_insert(at)
}

impl<'a> Layout<'a> {
    pub(super) fn new(documents: &'a [Document], school: &School, halt: &Halt) -> Self {
        let mut out = Self { halt: halt.clone(), ..Self::default() };
        out.reserve(documents);
        for (document, content) in documents.iter().enumerate() {
            let start = out.spots.len();
            let mut block = 0;
            for (piece, of_content) in content.blocks.iter().enumerate() {
                block += 1;
                let spot = |block: usize, cell| Spot::of(document, block, piece, cell);
                let mut add = |text: &'a str, block: usize, cell: Option<(usize, usize)>| {
                    out.push(text, spot(block, cell), school);
                };
                match of_content {
                    Block::Paragraph { text, .. } => {
                        for part in rows::pieces(text) {
                            block += 1;
                            match part {
                                Piece::Prose(text) => pieces(text, |text| add(text, block, None)),
                                Piece::Table(rows) => {
                                    for (row, cells) in rows.iter().enumerate() {
                                        for (column, text) in cells.iter().enumerate().filter(|(_, t)| !t.is_empty()) {
                                            pieces(text, |text| add(text, block, Some((row, column))));
                                        }
                                    }
                                }
                            }
                        }
                    }
                    Block::Table(table) => {
                        // By text, where its pieces are that were laid out for its first cell.
                        let mut laid: Vec<Range<usize>> = vec![0..0; table.texts().len()];
                        for (row, content) in table.rows().enumerate() {
                            for cell in content.ids() {
                                let place = Some((row, cell.column as usize));
                                let known = laid[cell.text.place()].clone();
                                if known.is_empty() {
                                    let start = out.spots.len();
                                    pieces(table.text(cell.text), |text| out.push(text, spot(block, place), school));
                                    laid[cell.text.place()] = start..out.spots.len();
                                } else {
                                    known.for_each(|at| out.push_again(at, spot(block, place)));
                                }
                            }
                        }
                    }
                }
            }
            out.of_document.push(start..out.spots.len());
        }
        out.known = HashMap::new();
        out
    }

    /// Room for what the documents hold, about.
    fn reserve(&mut self, documents: &[Document]) {
        let (texts, octets) = size(documents);
        // A cell has a token however short it is.
        let tokens = texts + octets / limits::OCTETS_A_TOKEN;
        self.texts.reserve(texts, tokens);
        self.spots.reserve(texts);
        self.sentences.reserve(tokens);
        self.marks.reserve(tokens);
    }

    fn push(&mut self, source: &'a str, spot: Spot, school: &School) {
        if self.halt.is_set() {
            return;
        }
        let number = narrow(self.texts.len());
        if let Some(&text) = self.known.get(source) {
            return self.place(Spot { text, ..spot });
        }
        self.texts.push(source);
        mark_words(self.texts.words(), school, &mut self.of_words);
        let text = self.texts.get(self.texts.len() - 1);
        let marks = mark(&text, &self.of_words, &mut self.marks);
        sentences(&text, &self.marks[self.sentences.len()..], &mut self.sentences);
        self.marks_of_texts.push(marks);
        self.known.insert(source, number);
        self.place(Spot { text: number, ..spot });
    }

    /// The text of another spot, at this one.
    fn push_again(&mut self, at: usize, spot: Spot) {
        if self.halt.is_set() {
            return;
        }
        let text = self.spots[at].text;
        self.place(Spot { text, ..spot });
    }

    fn place(&mut self, spot: Spot) {
        let same = |last: &&Spot| (last.document, last.block) == (spot.document, spot.block);
        let before = self.spots.last().filter(same).and_then(Spot::cell);
        let taken = spot.cell().map_or([None; 2], |cell| self.columns.take(self.spots.len(), cell, before));
        let [top, heading] = taken.map(|at| at.map_or(NONE, narrow));
        self.spots.push(Spot { top, heading, ..spot });
    }
}

/// A paragraph or a cell in pieces of bounded length; cut at a line's end, else a sentence's, else between words.
fn pieces<'a>(text: &'a str, mut each: impl FnMut(&'a str)) {
    let mut rest = text;
    while rest.len() > limits::PARAGRAPH_PIECE {
        let mut end = limits::PARAGRAPH_PIECE;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let window = &rest[..end];
        let cut = [window.rfind('\n'), window.rfind(". "), window.rfind(' ')]
            .into_iter()
            .flatten()
            .find(|&at| at > limits::PARAGRAPH_PIECE / 2)
            .map_or(end, |at| at + 1);
        let (head, tail) = rest.split_at(cut);
        each(head);
        rest = tail;
    }
    each(rest);
}

/// The sentence of each token, counted from 0, onto the end of `out`.
pub(super) fn sentences(text: &Text<'_>, marks: &[Marks], out: &mut Vec<u32>) {
    const ENDS: Gap = Gap::STOP.or(Gap::BULLET).or(Gap::NEWLINE);
    let (mut count, mut line_start) = (0u32, 0usize);
    for (at, token) in text.tokens.iter().enumerate() {
        if at > 0 && token.gap.has(ENDS) {
            let previous = &text.tokens[at - 1];
            let broken = token.gap.has(Gap::NEWLINE);
            let abbreviation = || {
                let word = text.norm(previous);
                (previous.kind == TokenKind::Word && word.chars().nth(1).is_none())
                    || (marks[at - 1].has(Marks::TITLE) && is(TITLES, word))
            };
            let length = previous.end() - line_start.min(previous.end());
            let stop =
                token.gap.has(Gap::STOP) && token.gap.has(Gap::SPACE.or(Gap::CLOSE)) && (broken || !abbreviation());
            if stop
                || token.gap.has(Gap::BULLET)
                || (broken && (token.gap.has(Gap::WIDE.or(Gap::STOP)) || length < limits::WRAPPED_LINE))
            {
                count += 1;
            }
            if broken {
                line_start = token.start();
            }
        }
        out.push(count);
    }
}
