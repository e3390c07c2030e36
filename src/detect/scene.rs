//! The message laid out for detection: every paragraph and table cell tokenised once, with its sentences and the facts
//! in it (classes, years, dates, post codes, streets, adults' full names).

use std::ops::Range;

use hashbrown::HashMap;

use super::rows::{self, Piece};
use super::words::{FOOTERS, TITLES, is};
use super::world::PLACES;
use crate::people::School;
use crate::people::index::{Adult, Fact};
use crate::text::normalise::{EMPTY_RUN, Gap, TokenKind, extend, token_hash};
use crate::text::{Block, Document, Kind, Text};

/// Lines shorter than this end where they break; longer ones were wrapped by the mail program.
const SHORT_LINE: usize = 58;

/// A paragraph or a table cell.
pub(super) struct Line<'a> {
    pub text: Text<'a>,
    /// Sentence of each token, counted from 0.
    pub sentence: Vec<u32>,
    /// Place in the documents given.
    pub document: usize,
    /// Paragraph, piece of one, or table: a number within the document.
    pub block: usize,
    /// Row and column, in a table.
    pub cell: Option<(usize, usize)>,
    pub detail: Option<String>,
    /// The footer that the school's mail system adds.
    pub footer: bool,
}

/// A fact at its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct FactAt {
    pub line: usize,
    pub from: usize,
    pub to: usize,
    pub fact: Fact,
}

pub(super) struct Scene<'a> {
    pub documents: &'a [Document],
    pub lines: Vec<Line<'a>>,
    /// Lines of each document, in order.
    pub of_document: Vec<Range<usize>>,
    /// In order of line and token.
    pub facts: Vec<FactAt>,
    facts_of: HashMap<usize, Range<usize>>,
    /// Facts that reach over a whole document, by document; filled by [`Scene::add_facts`].
    pub wide: Vec<Wide>,
}

/// Facts that reach over a whole document.
#[derive(Debug, Default, Clone)]
pub(super) struct Wide {
    /// Of the subject, and of the name of the file that the document is.
    pub named: Vec<FactAt>,
    /// Classes in the last lines of what was written.
    pub signature: Vec<FactAt>,
    /// Guardians named anywhere in the document.
    pub guardians: Vec<FactAt>,
}

/// Octets of the longest piece of a paragraph that is looked at as one.
const LONGEST_PIECE: usize = 4_096;

/// Facts of one kind that are kept for a whole document; a message with more is a list, and lists have rows.
const WIDE_FACTS: usize = 60;
/// Lines from the end in which a signature stands.
const SIGNATURE_LINES: usize = 4;

impl<'a> Scene<'a> {
    pub(super) fn new(documents: &'a [Document], school: &School) -> Self {
        let mut lines = Vec::new();
        let mut of_document = Vec::new();
        for (document, content) in documents.iter().enumerate() {
            let start = lines.len();
            let mut block = 0;
            for piece in &content.blocks {
                block += 1;
                match piece {
                    Block::Paragraph { text, detail } => {
                        for piece in rows::pieces(text) {
                            block += 1;
                            match piece {
                                Piece::Prose(text) => {
                                    for piece in pieces(text) {
                                        lines.push(Line::new(piece, document, block, None, detail.clone()));
                                    }
                                }
                                Piece::Table(table) => {
                                    for (row, cells) in table.iter().enumerate() {
                                        for (column, text) in cells.iter().enumerate().filter(|(_, t)| !t.is_empty()) {
                                            let cell = Some((row, column));
                                            lines.push(Line::new(text, document, block, cell, detail.clone()));
                                        }
                                    }
                                }
                            }
                        }
                    }
                    Block::Table(table) => {
                        for (row, content) in table.rows.iter().enumerate() {
                            let detail = match (&table.detail, &content.detail) {
                                (Some(sheet), Some(row)) => Some(format!("{sheet}, {row}")),
                                (sheet, row) => sheet.clone().or_else(|| row.clone()),
                            };
                            for (column, text) in content.cells.iter().enumerate() {
                                if !text.trim().is_empty() {
                                    lines.push(Line::new(text, document, block, Some((row, column)), detail.clone()));
                                }
                            }
                        }
                    }
                }
            }
            of_document.push(start..lines.len());
        }
        let mut scene =
            Self { documents, lines, of_document, facts: Vec::new(), facts_of: HashMap::new(), wide: Vec::new() };
        for at in 0..scene.lines.len() {
            let from = scene.facts.len();
            let found = facts(&scene.lines[at], at, school);
            scene.facts.extend(found);
            if scene.facts.len() > from {
                scene.facts_of.insert(at, from..scene.facts.len());
            }
        }
        scene
    }

    pub(super) fn facts_of(&self, line: usize) -> &[FactAt] {
        self.facts_of.get(&line).map_or(&[], |range| &self.facts[range.clone()])
    }

    pub(super) fn add_facts(&mut self, more: Vec<FactAt>) {
        self.facts.extend(more);
        self.facts.sort_by_key(|fact| (fact.line, fact.from));
        self.facts_of.clear();
        let mut from = 0;
        for at in 0..=self.facts.len() {
            if at == self.facts.len() || self.facts[at].line != self.facts[from].line {
                if at > from {
                    self.facts_of.insert(self.facts[from].line, from..at);
                }
                from = at;
            }
        }
    }

    /// Gathers what reaches over whole documents.
    pub(super) fn gather(&mut self) {
        let mut subject: Vec<FactAt> = Vec::new();
        let mut files: HashMap<&str, Vec<FactAt>> = HashMap::new();
        let mut signatures: Vec<Vec<FactAt>> = Vec::new();
        for (document, lines) in self.of_document.iter().enumerate() {
            let content = &self.documents[document];
            let all = lines.clone().flat_map(|line| self.facts_of(line)).copied();
            match content.kind {
                Kind::Subject => subject.extend(all.take(WIDE_FACTS)),
                Kind::FileName => files.entry(&content.place).or_default().extend(all.take(WIDE_FACTS)),
                _ => {}
            }
            let mut signature = Vec::new();
            if matches!(content.kind, Kind::Body | Kind::Quoted) {
                for line in lines.end.saturating_sub(SIGNATURE_LINES).max(lines.start)..lines.end {
                    let length = self.lines[line].text.tokens.len();
                    signature.extend(self.facts_of(line).iter().copied().filter(|fact| {
                        // At the end of a long paragraph, or in a short line of its own.
                        matches!(fact.fact, Fact::Class(_)) && (length <= 14 || fact.to + 8 >= length)
                    }));
                }
            }
            signatures.push(signature);
        }
        let of_bodies: Vec<FactAt> = signatures
            .iter()
            .enumerate()
            .filter(|(document, _)| self.documents[*document].kind == Kind::Body)
            .flat_map(|(_, facts)| facts.clone())
            .collect();
        let wide = self
            .of_document
            .iter()
            .enumerate()
            .map(|(document, lines)| {
                let content = &self.documents[document];
                let mut named = files.get(content.place.as_str()).cloned().unwrap_or_default();
                named.extend(&subject);
                let signature = match content.kind {
                    Kind::Body | Kind::Subject => of_bodies.clone(),
                    Kind::Quoted => signatures[document].iter().chain(&of_bodies).copied().collect(),
                    _ => Vec::new(),
                };
                let guardians = lines
                    .clone()
                    .flat_map(|line| self.facts_of(line))
                    .filter(|fact| matches!(fact.fact, Fact::Guardian(_)))
                    .take(WIDE_FACTS)
                    .copied()
                    .collect();
                Wide { named, signature, guardians }
            })
            .collect();
        self.wide = wide;
    }

    /// The cell above in the row of headings, which is the table's first row of more than one cell; nothing for what
    /// stands in that row or above it, or in no table.
    pub(super) fn column_heading(&self, at: usize) -> Option<usize> {
        let line = &self.lines[at];
        let (row, column) = line.cell?;
        let lines = &self.of_document[line.document];
        let first = lines.start + self.lines[lines.clone()].partition_point(|other| other.block < line.block);
        let row_of = |at: usize| {
            let other = self.lines.get(at)?;
            (other.document == line.document && other.block == line.block).then_some(other.cell?.0)
        };
        let first = (first..at).find(|&at| row_of(at) == row_of(at + 1))?;
        let top = row_of(first)?;
        (top < row).then_some(())?;
        (first..at)
            .take_while(|&other| self.lines[other].cell.is_some_and(|cell| cell.0 == top))
            .find(|&other| self.lines[other].cell.is_some_and(|cell| cell.1 == column))
    }

    pub(super) fn kind(&self, line: usize) -> Kind {
        self.documents[self.lines[line].document].kind
    }

    pub(super) fn place(&self, line: usize) -> &str {
        &self.documents[self.lines[line].document].place
    }
}

/// A paragraph in pieces of bounded length, so that looking around a name costs the same in a long text as in a short
/// one; cut at a line's end, else a sentence's, else between words.
fn pieces(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while rest.len() > LONGEST_PIECE {
        let mut end = LONGEST_PIECE;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let window = &rest[..end];
        let cut = [window.rfind('\n'), window.rfind(". "), window.rfind(' ')]
            .into_iter()
            .flatten()
            .find(|&at| at > LONGEST_PIECE / 2)
            .map_or(end, |at| at + 1);
        let (head, tail) = rest.split_at(cut);
        out.push(head);
        rest = tail;
    }
    out.push(rest);
    out
}

impl<'a> Line<'a> {
    fn new(
        source: &'a str,
        document: usize,
        block: usize,
        cell: Option<(usize, usize)>,
        detail: Option<String>,
    ) -> Self {
        let text = Text::new(source);
        let lower = text.folded().to_lowercase();
        let footer = FOOTERS.iter().any(|phrase| lower.contains(phrase));
        let mut sentence = Vec::with_capacity(text.tokens.len());
        let (mut count, mut line_start) = (0u32, 0usize);
        for (at, token) in text.tokens.iter().enumerate() {
            if at > 0 {
                let previous = &text.tokens[at - 1];
                let word = text.norm(previous);
                let abbreviation = (word.chars().count() == 1 && previous.kind == TokenKind::Word) || is(TITLES, word);
                let broken = token.gap.has(Gap::NEWLINE);
                let length = previous.folded.end - line_start;
                let stop =
                    token.gap.has(Gap::STOP) && token.gap.has(Gap::SPACE.or(Gap::CLOSE)) && (!abbreviation || broken);
                if stop
                    || token.gap.has(Gap::BULLET)
                    || (broken && (token.gap.has(Gap::WIDE.or(Gap::STOP)) || length < SHORT_LINE))
                {
                    count += 1;
                }
                if broken {
                    line_start = token.folded.start;
                }
            }
            sentence.push(count);
        }
        Self { text, sentence, document, block, cell, detail, footer }
    }

    /// Few words and no full stop: a heading, or a label.
    pub(super) fn heading(&self) -> bool {
        self.cell.is_none() && self.text.tokens.len() <= 10 && !self.text.folded().trim_end().ends_with(['.', '!', '?'])
    }
}

fn facts(line: &Line<'_>, at: usize, school: &School) -> Vec<FactAt> {
    let text = &line.text;
    let tokens = &text.tokens;
    let mut out: Vec<FactAt> = Vec::new();
    let mut add = |from: usize, to: usize, fact: Fact| out.push(FactAt { line: at, from, to, fact });
    for from in 0..tokens.len() {
        let word = text.word(from);
        // Classes: up to four tokens; a class that is a word must be written as a name.
        let mut run = EMPTY_RUN;
        for to in from + 1..=(from + 4).min(tokens.len()) {
            run = extend(run, tokens[to - 1].hash);
            let Some(class) = school.index().class(run) else { continue };
            let word_like = tokens[from].kind == TokenKind::Word;
            let lower = tokens[from].case == crate::text::normalise::Case::Lower;
            let next = text.word(to);
            let said = matches!(
                next,
                "class" | "form" | "set" | "group" | "pupils" | "children" | "parents" | "tutor" | "teacher"
            ) || (from > 0
                && matches!(text.word(from - 1), "class" | "form" | "klasa" | "klasy" | "klasie" | "set" | "tutor"));
            // The class's own room is named for the class as well.
            let place = is(PLACES, next) && !said && next != "room" && tokens.get(to).is_some_and(|t| t.gap.blank());
            if (!word_like || !lower || said) && !place {
                add(from, to, Fact::Class(class));
            }
        }
        if let Some((year, length)) = year(text, from)
            && !of_staff(text, from, from + length)
        {
            add(from, from + length, Fact::Year(year));
        }
        if word.len() <= 4 {
            let second = text.word(from + 1);
            let two = if second.len() == 3 { format!("{word}{second}") } else { String::new() };
            if !two.is_empty()
                && (crate::text::checks::postcode(&two) || school.index().postcode(token_hash(&two)))
                && tokens.get(from + 1).is_some_and(|t| t.gap.only(Gap::SPACE) || t.gap.joined())
            {
                add(from, from + 2, Fact::Postcode(token_hash(&two)));
            }
        }
        if tokens[from].kind == TokenKind::Mixed
            && (crate::text::checks::postcode(word) || school.index().postcode(tokens[from].hash))
        {
            add(from, from + 1, Fact::Postcode(token_hash(word)));
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) && from + 2 < tokens.len() + 1 {
            for length in [2, 3] {
                if from + length <= tokens.len()
                    && tokens[from + 1..from + length].iter().all(|t| t.gap.only(Gap::SPACE))
                {
                    let run = tokens[from..from + length].iter().fold(EMPTY_RUN, |run, token| extend(run, token.hash));
                    add(from, from + length, Fact::Street(run));
                }
            }
        }
    }
    for (range, date) in super::dates::dates(text.folded()) {
        let from = text.token_at(range.start);
        let to = text.token_at(range.end.saturating_sub(1)) + 1;
        add(from, to.max(from + 1), Fact::Born(date));
    }
    out
}

/// `Head of Year 10`, `the Year 10 office`: a year group that names a post or a place.
fn of_staff(text: &Text<'_>, from: usize, to: usize) -> bool {
    let before = |back: usize| from.checked_sub(back).map_or("", |at| text.word(at));
    let post = matches!(before(2), "head" | "leader" | "director" | "heads" | "lead" | "manager" | "head's")
        && matches!(before(1), "of" | "for");
    let after = text.tokens.get(to).is_some_and(|next| next.gap.only(Gap::SPACE))
        && matches!(
            text.word(to),
            "tutor"
                | "tutors"
                | "leader"
                | "lead"
                | "teacher"
                | "teachers"
                | "coordinator"
                | "office"
                | "team"
                | "staff"
                | "manager"
        );
    post || after
}

/// A year group at a token, with the number of tokens it takes.
fn year(text: &Text<'_>, at: usize) -> Option<(i8, usize)> {
    const WORDS: [&str; 14] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen",
    ];
    let word = text.word(at);
    let number = |word: &str| -> Option<i8> {
        let digits = word.trim_end_matches('s');
        digits
            .parse()
            .ok()
            .filter(|n| (1..=13).contains(n))
            .or_else(|| WORDS.iter().position(|w| *w == word).and_then(|n| i8::try_from(n).ok()).filter(|&n| n > 0))
    };
    match word {
        "year" | "yr" | "y" | "years" | "yrs" => {
            let next = text.tokens.get(at + 1)?;
            let near = next.gap.only(Gap::SPACE.or(Gap::STOP).or(Gap::HYPHEN));
            near.then(|| number(text.norm(next))).flatten().map(|n| (n, 2))
        }
        "reception" | "nursery" => {
            let written = text.tokens[at].case != crate::text::normalise::Case::Lower
                || (at > 0
                    && (text.tokens[at].gap.has(Gap::OPEN) || matches!(text.word(at - 1), "our" | "from" | "in"))
                    && text.word(at + 1) != "area");
            written.then_some((if word == "reception" { 0 } else { -1 }, 1))
        }
        _ => {
            let rest = word.strip_prefix("yr").or_else(|| word.strip_prefix('y'))?;
            rest.chars().all(|c| c.is_ascii_digit()).then(|| number(rest)).flatten().map(|n| (n, 1))
        }
    }
}

/// Full names of adults, as facts: a guardian's name beside a forename tells whose child is meant.
pub(super) fn guardian_facts(line: usize, from: usize, to: usize, adults: &[Adult]) -> Vec<FactAt> {
    adults
        .iter()
        .filter_map(|adult| match adult {
            Adult::Guardian(at) => Some(FactAt { line, from, to, fact: Fact::Guardian(*at) }),
            Adult::Staff(_) => None,
        })
        .collect()
}
