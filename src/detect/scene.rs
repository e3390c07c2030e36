//! The message laid out for detection: every paragraph and table cell tokenised once, with its sentences and the facts
//! in it (classes, years, dates, post codes, streets, adults' full names).

mod facts;

use std::cell::OnceCell;
use std::ops::{Deref, Range};

use hashbrown::HashMap;

use super::layout::{Layout, Spot};
use super::marks::Marks;
use super::vocabulary::{Hit, VOCABULARY};
use super::words::{FOOTERS, GREETINGS, OFFICES, TITLES, is};
use super::work::step;
use crate::limits;
use crate::people::School;
use crate::people::index::Fact;
use crate::text::normalise::Gap;
use crate::text::{Block, Document, Halt, Kind, Text};

use facts::facts;
pub(super) use facts::guardian_facts;

/// A text as it was laid out, however often it stands in the message.
pub(super) struct Laid<'a> {
    pub text: Text<'a>,
    /// Sentence of each token, counted from 0.
    pub sentence: &'a [u32],
    /// What each token may be the beginning of.
    pub marks: &'a [Marks],
    /// What any of them may be.
    pub all_marks: Marks,
    /// The footer that the school's mail system adds.
    pub footer: bool,
    /// What the vocabulary says of it, once it was asked for.
    hits: OnceCell<Vec<Hit>>,
}

impl<'a> Laid<'a> {
    /// Every text of a layout.
    pub(super) fn all(layout: &'a Layout<'_>) -> Vec<Self> {
        let of = |(at, marks): (usize, &Marks)| {
            let (text, tokens) = (layout.texts.get(at), layout.texts.tokens_of(at));
            Self {
                text,
                sentence: &layout.sentences[tokens.clone()],
                marks: &layout.marks[tokens],
                all_marks: *marks,
                footer: marks.has(Marks::FOOTER) && is_footer(&text),
                hits: OnceCell::new(),
            }
        };
        layout.marks_of_texts.iter().enumerate().map(of).collect()
    }
}

/// A paragraph or a table cell.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    laid: &'a Laid<'a>,
    spot: &'a Spot,
}

impl<'a> Deref for Line<'a> {
    type Target = Laid<'a>;

    #[inline]
    fn deref(&self) -> &Laid<'a> {
        self.laid
    }
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
    /// Stretch of `facts` of each line.
    facts_of: Vec<Range<u32>>,
    /// Short lines and first cells that are about a class or a year, in order; filled by [`Scene::gather`].
    pub announcing: Vec<usize>,
    /// Facts that reach over a whole document, by document; filled by [`Scene::add_facts`].
    pub wide: Vec<Wide>,
    /// Once set, no further line is looked at.
    pub halt: &'a Halt,
}

/// Facts that reach over a whole document.
#[derive(Debug, Default, Clone)]
pub(super) struct Wide {
    /// Of the subject, and of the name of the file that the document is.
    pub named: Vec<FactAt>,
    /// Classes in the last lines of what was written.
    pub signature: Vec<FactAt>,
    /// The family greeted in the first line of what was written: `Dear Mrs Harris`.
    pub greeting: Vec<FactAt>,
    /// Guardians named anywhere in the document.
    pub guardians: Vec<FactAt>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        documents: &'a [Document],
        layout: &'a Layout<'_>,
        laid: &'a [Laid<'a>],
        school: &School,
        halt: &'a Halt,
    ) -> Self {
        let lines: Vec<Line<'a>> =
            layout.spots.iter().map(|spot| Line { laid: &laid[spot.text_number()], spot }).collect();
        let of_document = layout.of_document.clone();
        let mut scene = Self {
            documents,
            lines,
            of_document,
            facts: Vec::new(),
            facts_of: Vec::new(),
            announcing: Vec::new(),
            wide: Vec::new(),
            halt,
        };
        // Of each text its line, where its facts are known.
        let mut known: Vec<Option<usize>> = vec![None; laid.len()];
        for at in 0..scene.lines.len() {
            let from = scene.facts.len();
            let number = scene.lines[at].text_number();
            if let Some(first) = known[number] {
                let same = scene.facts_of[first].clone();
                scene.facts.extend_from_within(same.start as usize..same.end as usize);
                scene.facts[from..].iter_mut().for_each(|fact| fact.line = at);
            } else {
                facts(&scene.lines[at], at, school, &mut scene.facts);
                known[number] = Some(at);
            }
            scene.facts_of.push(place(from)..place(scene.facts.len()));
        }
        scene
    }

    /// The lines with their numbers, as long as anybody waits for what is in them.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &Line<'a>)> {
        self.lines.iter().enumerate().take_while(|_| !self.halt.is_set())
    }

    /// The finer place of a line, where there is one.
    pub(super) fn detail(&self, at: usize) -> Option<String> {
        let line = &self.lines[at];
        match self.documents[line.document()].blocks.get(line.spot.piece())? {
            Block::Paragraph { detail, .. } => detail.clone(),
            Block::Table(table) => {
                let row = line.cell().and_then(|(row, _)| table.row(row));
                row.map_or_else(|| table.detail.clone(), |row| table.detail_of(row))
            }
        }
    }

    pub(super) fn facts_of(&self, line: usize) -> &[FactAt] {
        let Range { start, end } = self.facts_of[line];
        &self.facts[start as usize..end as usize]
    }

    /// Facts that begin at a token.
    pub(super) fn facts_from(&self, line: usize, token: usize) -> &[FactAt] {
        let all = self.facts_of(line);
        &all[all.partition_point(|fact| fact.from < token)..all.partition_point(|fact| fact.from <= token)]
    }

    /// Facts of a line that are near enough to what stands from one token to another to speak of it.
    pub(super) fn facts_near(&self, line: usize, from: usize, to: usize) -> &[FactAt] {
        let all = self.facts_of(line);
        let first = all.partition_point(|fact| fact.from + limits::NAME_REACH < from);
        let near = &all[first..all.partition_point(|fact| fact.from <= to + limits::NAME_REACH).max(first)];
        step(near.len());
        near
    }

    pub(super) fn add_facts(&mut self, more: Vec<FactAt>) {
        if more.is_empty() {
            return;
        }
        self.facts.extend(more);
        self.facts.sort_by_key(|fact| (fact.line, fact.from));
        let mut from = 0;
        for (line, range) in self.facts_of.iter_mut().enumerate() {
            let to = from + self.facts[from..].iter().take_while(|fact| fact.line == line).count();
            *range = place(from)..place(to);
            from = to;
        }
    }

    /// Gathers what reaches over whole documents.
    pub(super) fn gather(&mut self, school: &School) {
        let mut subject: Vec<FactAt> = Vec::new();
        let mut files: HashMap<&str, Vec<FactAt>> = HashMap::new();
        let mut signatures: Vec<Vec<FactAt>> = Vec::new();
        for (document, lines) in self.of_document.iter().enumerate() {
            let content = &self.documents[document];
            let all = lines.clone().flat_map(|line| self.facts_of(line)).copied();
            match content.kind {
                Kind::Subject => subject.extend(all.take(limits::WIDE_FACTS)),
                Kind::FileName => files.entry(&content.place).or_default().extend(all.take(limits::WIDE_FACTS)),
                _ => {}
            }
            let mut signature = Vec::new();
            if matches!(content.kind, Kind::Body | Kind::Quoted) {
                for line in lines.end.saturating_sub(limits::SIGNATURE_LINES).max(lines.start)..lines.end {
                    let text = &self.lines[line].text;
                    let length = text.tokens.len();
                    signature.extend(self.facts_of(line).iter().copied().filter(|fact| {
                        // `Class Teacher, Year 6`; a year alone may be anything that is told last.
                        let of_the_writer = match fact.fact {
                            Fact::Class(_) => true,
                            Fact::Year(_) => line_of_office(text, fact),
                            _ => false,
                        };
                        // At the end of a long paragraph, or in a short line of its own.
                        of_the_writer && (length <= 14 || fact.to + 8 >= length)
                    }));
                }
            }
            signatures.push(signature);
        }
        let greetings: Vec<Vec<FactAt>> =
            (0..self.of_document.len()).map(|document| self.greeted(document, school)).collect();
        let greeted: Vec<FactAt> = greetings
            .iter()
            .enumerate()
            .filter(|(document, _)| self.documents[*document].kind == Kind::Body)
            .flat_map(|(_, facts)| facts.clone())
            .collect();
        let of_bodies: Vec<FactAt> = signatures
            .iter()
            .enumerate()
            .filter(|(document, _)| self.documents[*document].kind == Kind::Body)
            .flat_map(|(_, facts)| facts.clone())
            .collect();
        let guardians = |lines: &Range<usize>| {
            let facts = lines.clone().flat_map(|line| self.facts_of(line));
            facts.filter(|fact| matches!(fact.fact, Fact::Guardian(_))).take(limits::WIDE_FACTS).copied()
        };
        // An answer and what it answers are about the same families.
        let written = |kind: Kind| matches!(kind, Kind::Body | Kind::Quoted | Kind::Subject);
        let of_thread: Vec<FactAt> = self
            .of_document
            .iter()
            .enumerate()
            .filter(|(document, _)| written(self.documents[*document].kind))
            .flat_map(|(_, lines)| guardians(lines))
            .take(limits::WIDE_FACTS)
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
                let greeting = match content.kind {
                    Kind::Body | Kind::Subject => greeted.clone(),
                    Kind::Quoted => greetings[document].clone(),
                    _ => Vec::new(),
                };
                let thread = if written(content.kind) { &of_thread[..] } else { &[] };
                let others = thread.iter().filter(|fact| !lines.contains(&fact.line));
                let guardians = guardians(lines).chain(others.copied()).collect();
                Wide { named, signature, greeting, guardians }
            })
            .collect();
        self.wide = wide;
        let announces = |&at: &usize| {
            let line = &self.lines[at];
            let about = |fact: &FactAt| matches!(fact.fact, Fact::Class(_) | Fact::Year(_)) && heading_like(line, fact);
            (line.heading() || line.cell().is_some_and(|(_, column)| column == 0 && line.text.tokens.len() <= 6))
                && self.facts_of(at).iter().any(about)
        };
        self.announcing = (0..self.lines.len()).filter(announces).collect();
    }

    /// The families whom the first lines of a document greet by title and surname; a surname of no adult of the school's is
    /// none.
    fn greeted(&self, document: usize, school: &School) -> Vec<FactAt> {
        let mut out = Vec::new();
        if !matches!(self.documents[document].kind, Kind::Body | Kind::Quoted) {
            return out;
        }
        for at in self.of_document[document].clone().take(limits::GREETING_LINES) {
            let text = &self.lines[at].text;
            if !is(GREETINGS, text.word(0)) {
                continue;
            }
            // `Dear Mr and Mrs Harris`
            let titles = (1..text.tokens.len()).take_while(|&at| is(TITLES, text.word(at)) || text.word(at) == "and");
            let Some(from) = titles.last().map(|last| last + 1) else { continue };
            let surname = (from + 1..=(from + limits::NAME_PART).min(text.tokens.len())).rev().find_map(|to| {
                let run = text.run(from, to);
                school.index().part_of(run).filter(|part| part.adult_surname).map(|_| (to, run))
            });
            if let Some((to, run)) = surname {
                out.push(FactAt { line: at, from, to, fact: Fact::Family(run.hash) });
            }
        }
        out
    }

    /// The cell above in the row of headings, which is the table's first row of more than one cell; nothing for what
    /// stands in that row or above it, or in no table. What is longer than [`limits::HEADING_TOKENS`] is no heading: whoever asks
    /// looks through its words, and asks for every cell below.
    pub(super) fn column_heading(&self, at: usize) -> Option<usize> {
        step(1);
        let heading = self.lines[at].spot.heading_cell()?;
        let length = self.lines[heading].text.tokens.len();
        (length <= limits::HEADING_TOKENS).then(|| {
            step(length);
            heading
        })
    }

    pub(super) fn kind(&self, line: usize) -> Kind {
        self.documents[self.lines[line].document()].kind
    }

    pub(super) fn place(&self, line: usize) -> &str {
        &self.documents[self.lines[line].document()].place
    }
}

/// The place of a fact.
#[inline]
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Line<'_> {
    /// See [`Spot::document`].
    #[inline]
    pub(super) fn document(&self) -> usize {
        self.spot.document()
    }

    /// See [`Spot::block`].
    #[inline]
    pub(super) fn block(&self) -> usize {
        self.spot.block()
    }

    /// See [`Spot::cell`].
    #[inline]
    pub(super) fn cell(&self) -> Option<(usize, usize)> {
        self.spot.cell()
    }

    /// See [`Spot::top`], by its line.
    pub(super) fn top(&self) -> Option<usize> {
        self.spot.top()
    }

    /// See [`Spot::text_number`].
    #[inline]
    pub(super) fn text_number(&self) -> usize {
        self.spot.text_number()
    }

    /// The tokens that have one of these marks.
    pub(super) fn marked(&self, marks: Marks) -> impl Iterator<Item = usize> {
        let tokens = if self.all_marks.has(marks) { self.marks } else { &[] };
        tokens.iter().enumerate().filter(move |(_, own)| own.has(marks)).map(|(at, _)| at)
    }

    /// What the vocabulary says of the line, in order; looked up once.
    pub(super) fn hits(&self) -> &[Hit] {
        self.hits.get_or_init(|| {
            step(self.text.tokens.len());
            VOCABULARY.hits_at(&self.text, self.marked(Marks::PHRASE))
        })
    }

    /// As [`Line::hits`], near enough to what stands from one token to another to speak of it.
    pub(super) fn hits_near(&self, from: usize, to: usize) -> &[Hit] {
        let all = self.hits();
        let first = all.partition_point(|hit| hit.from + limits::NAME_REACH < from);
        let near = &all[first..all.partition_point(|hit| hit.from <= to + limits::NAME_REACH).max(first)];
        step(near.len());
        near
    }

    /// Tokens near enough to what stands from one token to another to speak of it.
    pub(super) fn near(&self, from: usize, to: usize) -> Range<usize> {
        let near = from.saturating_sub(limits::NAME_REACH)..(to + limits::NAME_REACH).min(self.text.tokens.len());
        step(near.len());
        near
    }

    /// Few words and no full stop: a heading, or a label.
    pub(super) fn heading(&self) -> bool {
        self.cell().is_none()
            && self.text.tokens.len() <= 10
            && !self.text.folded().trim_end().ends_with(['.', '!', '?'])
    }
}

/// A heading that is about the class: it takes up a good part of the line.
fn heading_like(line: &Line<'_>, fact: &FactAt) -> bool {
    let length = line.text.tokens.len();
    length <= 6 || (fact.to - fact.from) * 3 >= length
}

fn is_footer(text: &Text<'_>) -> bool {
    let lower = text.folded().to_lowercase();
    FOOTERS.iter().any(|phrase| lower.contains(phrase))
}

/// What somebody is stands right beside the year: `Class Teacher, Year 6`, `Head of Year 9`.
fn line_of_office(text: &Text<'_>, fact: &FactAt) -> bool {
    let line = |at: &usize| !text.tokens[*at].gap.has(Gap::NEWLINE);
    let before = (1..=fact.from).rev().take_while(line).map(|at| at - 1);
    let behind = (fact.to..text.tokens.len()).take_while(line);
    before.take(limits::NAME_PART).chain(behind.take(limits::NAME_PART)).any(|at| is(OFFICES, text.word(at)))
}
