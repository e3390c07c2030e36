//! The message laid out for detection: every paragraph and table cell tokenised once, with its sentences and the facts
//! in it (classes, years, dates, post codes, streets, adults' full names).

use std::cell::OnceCell;
use std::ops::{Deref, Range};

use hashbrown::HashMap;

use super::layout::{Layout, Spot};
use super::marks::Marks;
use super::vocabulary::{Hit, VOCABULARY};
use super::words::{FOOTERS, GREETINGS, TITLES, is};
use super::work::step;
use super::world::PLACES;
use crate::limits;
use crate::people::School;
use crate::people::index::{Adult, Fact};
use crate::text::normalise::{Gap, TokenKind};
use crate::text::{Block, Document, Halt, Kind, Run, Text};

/// A text as it was laid out, however many cells it stands in.
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
                    let length = self.lines[line].text.tokens.len();
                    signature.extend(self.facts_of(line).iter().copied().filter(|fact| {
                        // At the end of a long paragraph, or in a short line of its own.
                        matches!(fact.fact, Fact::Class(_)) && (length <= 14 || fact.to + 8 >= length)
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
                let guardians = lines
                    .clone()
                    .flat_map(|line| self.facts_of(line))
                    .filter(|fact| matches!(fact.fact, Fact::Guardian(_)))
                    .take(limits::WIDE_FACTS)
                    .copied()
                    .collect();
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

/// Letters and digits of the first half of a post code at most.
const OUTWARD: usize = 4;
/// Letters and digits of its second half.
const INWARD: usize = 3;

/// The facts of a line, onto the end of `out`.
fn facts(line: &Line<'_>, at: usize, school: &School, out: &mut Vec<FactAt>) {
    if !line.all_marks.has(Marks::CLASS.or(Marks::YEAR).or(Marks::DIGIT)) {
        return;
    }
    let text = &line.text;
    let tokens = text.tokens;
    let mut add = |from: usize, to: usize, fact: Fact| out.push(FactAt { line: at, from, to, fact });
    for from in 0..tokens.len() {
        let marks = line.marks[from];
        if marks.has(Marks::CLASS) {
            classes(line, from, school, &mut add);
        }
        if marks.has(Marks::YEAR)
            && let Some((year, length)) = year(text, from)
            && !of_staff(text, from, from + length)
        {
            add(from, from + length, Fact::Year(year));
        }
        if !line.all_marks.has(Marks::DIGIT) {
            continue;
        }
        let word = text.word(from);
        if word.len() <= OUTWARD
            && tokens.get(from + 1).is_some_and(|next| {
                next.kind == TokenKind::Mixed
                    && text.length(next) == INWARD
                    && (next.gap.only(Gap::SPACE) || next.gap.joined())
            })
        {
            let run = text.run(from, from + 2).hash;
            if school.index().postcode(run) || crate::text::checks::postcode(&format!("{word}{}", text.word(from + 1)))
            {
                add(from, from + 2, Fact::Postcode(run));
            }
        }
        if tokens[from].kind == TokenKind::Mixed
            && (school.index().postcode(text.hash(&tokens[from])) || crate::text::checks::postcode(word))
        {
            add(from, from + 1, Fact::Postcode(text.hash(&tokens[from])));
        }
        if marks.has(Marks::DIGIT) && word.starts_with(|c: char| c.is_ascii_digit()) {
            for length in [2, 3] {
                if from + length <= tokens.len()
                    && tokens[from + 1..from + length].iter().all(|t| t.gap.only(Gap::SPACE))
                {
                    add(from, from + length, Fact::Street(text.run(from, from + length).hash));
                }
            }
        }
    }
    if line.all_marks.has(Marks::DIGIT) {
        super::dates::dates(text, |from, to, date| add(from, to, Fact::Born(date)));
    }
}

/// Classes: up to four tokens; a class that is a word must be written as a name.
fn classes(line: &Line<'_>, from: usize, school: &School, add: &mut impl FnMut(usize, usize, Fact)) {
    let text = &line.text;
    let tokens = text.tokens;
    let mut run = Run::EMPTY;
    for to in from + 1..=(from + limits::CLASS_TOKENS).min(tokens.len()) {
        run = run.then(text.run_of(&tokens[to - 1]));
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
            let near = next.gap.only(Gap::SPACE.or(Gap::STOP).or(Gap::HYPHEN)) && !of_time(text, at);
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

/// `6 years 4 months`, `Year 2 of the contract`: time that is counted, and no year group.
fn of_time(text: &Text<'_>, at: usize) -> bool {
    let counted = at > 0
        && text.tokens[at].gap.only(Gap::SPACE.or(Gap::HYPHEN))
        && (text.tokens[at - 1].kind == TokenKind::Number || matches!(text.word(at), "years" | "yrs"))
        && matches!(text.word(at + 2), "month" | "months" | "mth" | "mths" | "m" | "mo" | "weeks" | "days");
    let of = text.word(at + 2) == "of" && (3..=6).any(|far| is(UNDERTAKINGS, text.word(at + far)));
    counted || of
}

/// What runs for years of its own.
const UNDERTAKINGS: &[&str] = &[
    "contract",
    "plan",
    "project",
    "programme",
    "lease",
    "licence",
    "agreement",
    "subscription",
    "scheme",
    "strategy",
    "war",
    "reign",
    "research",
    "study",
    "funding",
    "grant",
    "warranty",
    "partnership",
    "pilot",
    "cycle",
    "apprenticeship",
    "degree",
    "course",
    "loan",
    "budget",
    "framework",
    "term",
];

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
