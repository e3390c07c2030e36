//! A document's text in the units that the traits look at: lines, and sentences over the line breaks of a mail program.

use crate::limits;
use crate::text::{Block, Document};

/// A block's lines; the cells of a row stand in one.
pub(super) fn of_block(block: &Block) -> Vec<String> {
    match block {
        Block::Paragraph { text, .. } => text.lines().map(str::to_owned).collect(),
        Block::Table(table) => table.rows.iter().map(|row| row.cells.join(" ")).collect(),
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
pub(super) fn sentences(document: &Document) -> Vec<String> {
    let mut out = Vec::new();
    for block in &document.blocks {
        let mut open = String::new();
        let lines = of_block(block);
        for (number, line) in lines.iter().enumerate() {
            let next = lines.get(number + 1).and_then(|next| next.split_whitespace().next()).unwrap_or_default();
            // An address or a link on a line of its own begins small too.
            let goes_on = next.starts_with(char::is_lowercase) && !next.contains(['@', ':', '/']);
            let wraps = goes_on || line.chars().count() >= limits::WRAPPED_LINE;
            open.push_str(&plain(line));
            match wraps && matches!(block, Block::Paragraph { .. }) {
                true => open.push(' '),
                false => cut(&std::mem::take(&mut open), &mut out),
            }
        }
        cut(&open, &mut out);
    }
    out
}

/// Cuts at a stop, a mark of exclamation or of question that a blank follows.
fn cut(text: &str, out: &mut Vec<String>) {
    let mut from = 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == ' ' && matches!(before, '.' | '!' | '?') {
            out.push(text[from..at].to_owned());
            from = at + 1;
        }
        before = c;
    }
    if !text[from..].trim().is_empty() {
        out.push(text[from..].to_owned());
    }
}
