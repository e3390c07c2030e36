//! A text as lines, and lines as paragraphs: the one shape that plain and HTML bodies both take, so that both
//! alternatives of a message give the same documents as nearly as can be.
//!
//! Here too the earlier messages quoted in a body are told from what the sender wrote.

use crate::message::Flowed;
use crate::text::{Block, RowView, Table};

/// One piece of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// A line of words; `depth` counts how deep it is quoted.
    Line { text: String, depth: usize },
    /// The space between two paragraphs.
    Gap,
    /// A table that is more than layout.
    Table { table: Table, depth: usize },
    /// Text that a reader of the mail does not see in its place: alternative texts, comments.
    Aside { text: String, detail: &'static str },
    /// The place where the sender's program says that an earlier message begins.
    Earlier,
}

/// The lines of a plain text, quote marks counted and `format=flowed` undone (RFC 3676).
pub fn of_plain(text: &str, flowed: Option<Flowed>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut joins = false;
    for raw in text.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)) {
        let (depth, line) = unquote(raw);
        let line = if flowed.is_some() { line.strip_prefix(' ').unwrap_or(line) } else { line };
        if line.trim().is_empty() {
            pieces.push(Piece::Gap);
            joins = false;
            continue;
        }
        let soft = flowed.is_some() && line.ends_with(' ') && line != "-- ";
        let shown = if soft && flowed.is_some_and(|f| f.delete_space) { &line[..line.len() - 1] } else { line };
        match pieces.last_mut() {
            Some(Piece::Line { text, depth: before }) if joins && *before == depth => text.push_str(shown),
            _ => pieces.push(Piece::Line { text: shown.to_owned(), depth }),
        }
        joins = soft;
    }
    pieces
}

/// Takes off `>` marks, with or without blanks between them. A line that only starts with an arrow keeps it.
fn unquote(line: &str) -> (usize, &str) {
    let mut depth = 0;
    let mut rest = line;
    loop {
        let inner = if depth == 0 { rest } else { rest.strip_prefix(' ').unwrap_or(rest) };
        match inner.strip_prefix('>') {
            Some(after) => {
                depth += 1;
                rest = after;
            }
            None => return (depth, if depth == 0 { line } else { inner }),
        }
    }
}

/// Splits a body into what the sender wrote and the earlier messages, both as blocks.
pub fn split(pieces: Vec<Piece>) -> (Vec<Block>, Vec<Block>) {
    let mut body = Paragraphs::default();
    let mut quoted = Paragraphs::default();
    let mut earlier = false;
    let mut at = 0;
    while at < pieces.len() {
        if !earlier {
            match start_of_earlier(&pieces, at) {
                Some(Start::Rest) => earlier = true,
                Some(Start::Attribution { lines }) => {
                    quoted.gap();
                    for piece in &pieces[at..at + lines] {
                        quoted.push(piece.clone());
                    }
                    at += lines;
                    // Marked lines are told one by one, so that an answer below them stays the sender's own words;
                    // where nothing is marked, all that follows is the earlier message.
                    let next = pieces[at..].iter().find(|p| !matches!(p, Piece::Gap));
                    let marked = matches!(next, Some(Piece::Line { depth: 1.., .. } | Piece::Table { depth: 1.., .. }));
                    earlier = !marked;
                    continue;
                }
                None => {}
            }
        }
        let piece = pieces[at].clone();
        let is_quoted = earlier
            || match &piece {
                Piece::Line { depth, .. } | Piece::Table { depth, .. } => *depth > 0,
                _ => false,
            };
        match piece {
            // No mark is needed on asides: they do not part the text they stand in.
            Piece::Aside { .. } => {
                if is_quoted {
                    quoted.push(piece)
                } else {
                    body.push(piece)
                }
            }
            Piece::Gap => {
                body.gap();
                quoted.gap();
            }
            Piece::Earlier => {}
            piece if is_quoted => {
                body.gap();
                quoted.push(piece);
            }
            piece => {
                quoted.gap();
                body.push(piece);
            }
        }
        at += 1;
    }
    (body.finish(), quoted.finish())
}

/// The first line with words on it, unless something quoted, or a table, stands above it.
pub fn first_own(pieces: &[Piece]) -> Option<String> {
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            _ if start_of_earlier(pieces, at).is_some() => return None,
            Piece::Line { text, .. } if text.chars().all(is_blank) => {}
            Piece::Line { text, depth: 0 } => return Some(text.trim_matches(is_blank).to_owned()),
            Piece::Gap | Piece::Aside { .. } => {}
            Piece::Line { .. } | Piece::Table { .. } | Piece::Earlier => return None,
        }
    }
    None
}

/// The lines and tables that are its writer's own, up to the first earlier message.
pub fn own(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            _ if start_of_earlier(pieces, at).is_some() => break,
            Piece::Earlier => break,
            Piece::Line { text, depth: 0 } if !text.chars().all(is_blank) => {
                out.push_str(text.trim_matches(is_blank));
                out.push('\n');
            }
            Piece::Table { table, depth: 0 } => {
                for cell in table.rows().flat_map(RowView::texts) {
                    out.push_str(cell);
                    out.push('\n');
                }
            }
            Piece::Line { .. } | Piece::Table { .. } | Piece::Gap | Piece::Aside { .. } => {}
        }
    }
    out
}

/// All lines, asides too, and the cells of tables, each on a line of its own.
pub fn shown(pieces: &[Piece]) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    for piece in pieces {
        match piece {
            Piece::Line { text, .. } | Piece::Aside { text, .. } => line(text),
            Piece::Table { table, .. } => table.rows().flat_map(RowView::texts).for_each(&mut line),
            Piece::Gap | Piece::Earlier => {}
        }
    }
    out
}

/// What is not seen on a line of its own: blanks, and marks without a width.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// All pieces as blocks, for a file that is no body.
pub fn blocks(pieces: Vec<Piece>) -> Vec<Block> {
    let mut paragraphs = Paragraphs::default();
    for piece in pieces {
        match piece {
            Piece::Gap => paragraphs.gap(),
            Piece::Earlier => {}
            piece => paragraphs.push(piece),
        }
    }
    paragraphs.finish()
}

#[derive(Default)]
struct Paragraphs {
    blocks: Vec<Block>,
    asides: Vec<Block>,
    open: String,
}

impl Paragraphs {
    fn gap(&mut self) {
        let text = std::mem::take(&mut self.open);
        if !text.trim().is_empty() {
            self.blocks.push(Block::Paragraph { text, detail: None });
        }
    }

    fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Line { text, .. } => {
                if !self.open.is_empty() {
                    self.open.push('\n');
                }
                self.open.push_str(text.trim_end());
            }
            Piece::Table { table, .. } => {
                self.gap();
                self.blocks.push(Block::Table(table));
            }
            Piece::Aside { text, detail } => {
                self.asides.push(Block::Paragraph { text, detail: Some(detail.to_owned()) });
            }
            Piece::Gap => self.gap(),
            Piece::Earlier => {}
        }
    }

    fn finish(mut self) -> Vec<Block> {
        self.gap();
        self.blocks.append(&mut self.asides);
        self.blocks
    }
}

enum Start {
    /// From here to the end.
    Rest,
    /// The line that introduces a quotation ("On … Amy wrote:"), over so many pieces.
    Attribution { lines: usize },
}

fn start_of_earlier(pieces: &[Piece], at: usize) -> Option<Start> {
    let line = match &pieces[at] {
        Piece::Earlier => return Some(Start::Rest),
        Piece::Line { text, depth: 0 } => text.trim(),
        _ => return None,
    };
    if is_rule_line(line) || is_header_block(pieces, at) || is_rule_before_headers(line, pieces, at) {
        return Some(Start::Rest);
    }
    attribution(pieces, at).map(|lines| Start::Attribution { lines })
}

/// `-----Original Message-----`, `---------- Forwarded message ---------`, `Begin forwarded message:`.
fn is_rule_line(line: &str) -> bool {
    let lower = line.to_lowercase();
    if lower == "begin forwarded message:" {
        return true;
    }
    let words = lower.trim_matches(['-', '_', '*', ' ', '=']);
    let ruled = lower.starts_with("--") || lower.starts_with("__") || lower.starts_with("**");
    ruled
        && matches!(
            words.trim_end_matches(':'),
            "original message" | "original appointment" | "forwarded message" | "forwarded by" | "reply message"
        )
}

/// A line drawn of underscores or dashes, with the fields of an earlier message next.
fn is_rule_before_headers(line: &str, pieces: &[Piece], at: usize) -> bool {
    let drawn = line.len() >= 5 && line.chars().all(|c| matches!(c, '_' | '-' | '=' | '*' | '\u{2013}' | '\u{2014}'));
    let next = pieces[at + 1..].iter().position(|p| !matches!(p, Piece::Gap));
    drawn && next.is_some_and(|n| is_header_block(pieces, at + 1 + n))
}

/// The block with which Outlook and others begin an earlier message: From, then two more of its fields close by.
fn is_header_block(pieces: &[Piece], at: usize) -> bool {
    let Piece::Line { text, .. } = &pieces[at] else { return false };
    if field(text) != Some("from") {
        return false;
    }
    let mut others = 0;
    for piece in pieces[at..].iter().take(9) {
        let Piece::Line { text, .. } = piece else { continue };
        // One line may hold several fields where a program has dropped the line breaks.
        for line in text.split('\n') {
            others += usize::from(matches!(field(line), Some("sent" | "date" | "to" | "cc" | "subject")));
        }
    }
    others >= 2
}

fn field(line: &str) -> Option<&'static str> {
    let plain = line.trim_start_matches([' ', '*', '\u{a0}', '\t']);
    let (name, _) = plain.split_once(':')?;
    let name = name.trim_matches(['*', ' ']).to_lowercase();
    ["from", "sent", "date", "to", "cc", "subject"].into_iter().find(|known| *known == name)
}

/// "On Mon, 2 Nov 2026 at 10:04, Amy Smith <a@b> wrote:", broken over up to three lines.
fn attribution(pieces: &[Piece], at: usize) -> Option<usize> {
    let mut joined = String::new();
    for (number, piece) in pieces[at..].iter().take(3).enumerate() {
        let Piece::Line { text, depth: 0 } = piece else { return None };
        if number > 0 {
            joined.push(' ');
        }
        joined.push_str(text.trim());
        let lower = joined.to_lowercase();
        let begins = lower.starts_with("on ") || lower.starts_with("le ") || lower.starts_with("am ");
        let ends = ["wrote:", "a écrit :", "a écrit:", "schrieb:", "wrote :"].iter().any(|end| lower.ends_with(end));
        let named = lower.ends_with("wrote:") && (lower.contains('@') || lower.contains("20"));
        if joined.chars().count() > 300 {
            return None;
        }
        if ends && (begins && lower.contains(|c: char| c.is_ascii_digit()) || named) {
            return Some(number + 1);
        }
        if !begins {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(blocks: &[Block]) -> Vec<&str> {
        blocks
            .iter()
            .map(|b| match b {
                Block::Paragraph { text, .. } => text.as_str(),
                Block::Table(_) => "table",
            })
            .collect()
    }

    #[test]
    fn bodies_and_earlier_messages() {
        for (text, body, quoted) in [
            ("Hi\n\nAmy is well.\nBye\n", vec!["Hi", "Amy is well.\nBye"], vec![]),
            (
                "Thanks.\n\nOn Mon, 2 Nov 2026 at 10:04, J Smith <j@x.example> wrote:\n> Amy was ill.\n>\n> Bye\n",
                vec!["Thanks."],
                vec!["On Mon, 2 Nov 2026 at 10:04, J Smith <j@x.example> wrote:\nAmy was ill.", "Bye"],
            ),
            (
                "Top\n\nOn Mon, 2 Nov 2026,\nJ Smith <j@x> wrote:\n\n> asked\n\nMy answer\n> more\n",
                vec!["Top", "My answer"],
                vec!["On Mon, 2 Nov 2026,\nJ Smith <j@x> wrote:", "asked", "more"],
            ),
            (
                "Top\n\nOn 2 November 2026 J Smith wrote:\n\nNot marked at all.\n\nEnd\n",
                vec!["Top"],
                vec!["On 2 November 2026 J Smith wrote:", "Not marked at all.", "End"],
            ),
            (
                "Fine\n\n-----Original Message-----\nFrom: A\nSent: B\n\nold\n",
                vec!["Fine"],
                vec!["-----Original Message-----\nFrom: A\nSent: B", "old"],
            ),
            (
                "Fine\n\n________________________________\nFrom: A\nSent: 1 May\nTo: C\nSubject: D\n\nold\n",
                vec!["Fine"],
                vec!["________________________________\nFrom: A\nSent: 1 May\nTo: C\nSubject: D", "old"],
            ),
            (
                "See\n\n---------- Forwarded message ---------\nFrom: A <a@b>\nDate: x\n\nold\n",
                vec!["See"],
                vec!["---------- Forwarded message ---------\nFrom: A <a@b>\nDate: x", "old"],
            ),
            ("From: the heart\nwe thank you\n", vec!["From: the heart\nwe thank you"], vec![]),
            ("On Monday she wrote:\na poem\n", vec!["On Monday she wrote:\na poem"], vec![]),
            ("a -> b\n>> deep\n", vec!["a -> b"], vec!["deep"]),
        ] {
            let (b, q) = split(of_plain(text, None));
            assert_eq!((texts(&b), texts(&q)), (body, quoted), "{text}");
        }
    }

    #[test]
    fn flowed_lines_are_joined() {
        let flowed = Some(Flowed { delete_space: false });
        let (body, quoted) = split(of_plain("Amy \nSmith is \nill.\n-- \nT Bright\n> a \n> b\n", flowed));
        assert_eq!(texts(&body), ["Amy Smith is ill.\n--\nT Bright"]);
        assert_eq!(texts(&quoted), ["a b"]);
        let deleted = Some(Flowed { delete_space: true });
        assert_eq!(texts(&split(of_plain("Smi \nth\n", deleted)).0), ["Smith"]);
    }
}
