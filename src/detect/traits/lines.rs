//! A document's text in the units that the traits look at: lines, and sentences over the line breaks of a mail program.

use crate::limits;
use crate::text::{Block, Document, Kind};

/// A line or a sentence, and the finer place at which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub detail: Option<String>,
    pub text: String,
}

/// Every line of a document with its place: a page, a row, or the number among the lines with something in them.
pub(super) fn of_document(document: &Document) -> Vec<Line> {
    let mut number = 0;
    document.blocks.iter().flat_map(|block| placed(document.kind, block, &mut number)).collect()
}

fn placed(kind: Kind, block: &Block, number: &mut usize) -> Vec<Line> {
    let counts = matches!(kind, Kind::Body | Kind::Quoted | Kind::Attachment);
    let mut own = |text: &str| {
        *number += usize::from(!text.trim().is_empty());
        counts.then(|| format!("line {number}"))
    };
    match block {
        Block::Paragraph { text, detail } => text
            .lines()
            .map(|line| {
                let number = own(line);
                Line { detail: detail.clone().or(number), text: line.to_owned() }
            })
            .collect(),
        Block::Table(table) => table
            .rows()
            .map(|row| {
                let text = row.joined(" ");
                let number = own(&text);
                let fine = table.detail_of(row);
                Line { detail: fine.or(number), text }
            })
            .collect(),
    }
}

/// A block's lines; the cells of a row stand in one.
pub(super) fn of_block(block: &Block) -> Vec<String> {
    match block {
        Block::Paragraph { text, .. } => text.lines().map(str::to_owned).collect(),
        Block::Table(table) => table.rows().map(|row| row.joined(" ")).collect(),
    }
}

/// Typographic apostrophes, blanks and dashes as the keyboard has them; runs of blanks are one.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = match c {
            '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' => '\'',
            '\u{201c}' | '\u{201d}' => '"',
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => continue,
            c if c.is_whitespace() => ' ',
            c => c,
        };
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out.trim().to_owned()
}

/// Sentences: a full line goes on in the next, and so does one before a small letter; a short one else stands by itself.
pub(super) fn sentences(document: &Document) -> Vec<Line> {
    let mut out = Vec::new();
    let mut written = 0;
    for block in &document.blocks {
        let mut open = Open::default();
        let lines = placed(document.kind, block, &mut written);
        for (number, Line { detail, text: line }) in lines.iter().enumerate() {
            let next = lines.get(number + 1).and_then(|next| next.text.split_whitespace().next()).unwrap_or_default();
            // An address or a link on a line of its own begins small too.
            let goes_on = next.starts_with(char::is_lowercase) && !next.contains(['@', ':', '/']);
            let wraps = goes_on || line.chars().count() >= limits::WRAPPED_LINE;
            open.starts.push((open.text.len(), detail.clone()));
            open.text.push_str(&plain(line));
            match wraps && matches!(block, Block::Paragraph { .. }) {
                true => open.text.push(' '),
                false => std::mem::take(&mut open).cut(&mut out),
            }
        }
        open.cut(&mut out);
    }
    out
}

/// Lines that go on into one another.
#[derive(Default)]
struct Open {
    text: String,
    /// The octet at which each line begins, and its place.
    starts: Vec<(usize, Option<String>)>,
}

impl Open {
    fn line(&self, from: usize, to: usize) -> Line {
        let start = self.starts.iter().rfind(|(start, _)| *start <= from);
        Line { detail: start.and_then(|(_, detail)| detail.clone()), text: self.text[from..to].to_owned() }
    }

    /// Cuts at a stop, a mark of exclamation or of question that a blank follows.
    fn cut(&self, out: &mut Vec<Line>) {
        let mut from = 0;
        let mut before = ' ';
        for (at, c) in self.text.char_indices() {
            if c == ' ' && matches!(before, '.' | '!' | '?') {
                out.push(self.line(from, at));
                from = at + 1;
            }
            before = c;
        }
        if !self.text[from..].trim().is_empty() {
            out.push(self.line(from, self.text.len()));
        }
    }
}
