//! What is said in confidence of members of staff and of parents, and the school's own confidential papers.
//!
//! A name and a word in one sentence are not enough: `Mrs Bell chairs the disciplinary hearing` tells nothing of Mrs Bell. What
//! is said counts where grammar makes it hers: she is its subject, it is hers, it is against or about her, or it stands in
//! her row. Knows nothing of who is written to: whose own matter it is stands beside it. With doubt, nothing is said.

use std::sync::LazyLock;

use hashbrown::HashMap;

use super::Confidence;
use super::Finding;
use super::marks::Marks;
use super::names::{adults_named, titled};
use super::scene::{Line, Scene};
use super::vocabulary::{Hit, Predicate, Vocabulary, VocabularyError};
use super::words::{CHILD, DENIALS, GREETINGS, KIN, TITLES, is};
use crate::limits;
use crate::people::School;
use crate::people::index::Adult;
use crate::text::normalise::{Case, Gap, TokenKind};
use crate::text::{Kind, Run};

/// The file built into the program.
const EMBEDDED: &str = include_str!("../../rules/adults.toml");

/// What is said of adults.
pub(super) static ADULTS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::read(EMBEDDED).unwrap_or_default());

/// The category of papers.
const PAPER: &str = "paper";

/// One confidential matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdultMatter {
    /// Whose it is, where somebody's: all adults of that name. Empty: the school's own.
    pub whose: Vec<Adult>,
}

/// An adult's name at its place, its title included.
struct Named {
    from: usize,
    to: usize,
    whose: Vec<Adult>,
}

/// Words between a subject and what is said of it.
const BETWEEN: &[&str] = &[
    "is",
    "was",
    "are",
    "were",
    "has",
    "had",
    "have",
    "been",
    "being",
    "be",
    "now",
    "also",
    "currently",
    "recently",
    "again",
    "still",
    "just",
    "who",
    "both",
    "already",
    "sadly",
    "unfortunately",
    "formally",
    "since",
    "will",
    "may",
    "today",
    "yesterday",
    "got",
    "hes",
    "shes",
];

/// Between a matter and the one whom it concerns.
const LINKS: &[&str] = &["of", "for", "against", "about", "concerning", "regarding", "re", "involving", "by", "with"];

/// What a matter is dealt with in: `disciplinary hearing for …`.
const DEALT_WITH: &[&str] = &[
    "hearing",
    "meeting",
    "report",
    "referral",
    "procedure",
    "process",
    "notice",
    "letter",
    "outcome",
    "investigation",
    "review",
    "plan",
    "panel",
    "case",
    "form",
    "action",
    "interview",
    "appeal",
    "figures",
    "statement",
    "made",
    "brought",
    "raised",
    "update",
    "minutes",
    "absence",
    "record",
    "details",
    "calculation",
    "assessment",
];

/// A sentence that holds one of these is about everybody.
const GENERAL: &[&str] = &[
    "policy",
    "policies",
    "training",
    "course",
    "courses",
    "workshop",
    "vacancy",
    "vacancies",
    "newsletter",
    "webinar",
    "inset",
    "template",
    "templates",
    "guidance",
    "congratulations",
    "congratulate",
    "delighted",
    "thrilled",
    "applicants",
    "advert",
    "if",
    "toolkit",
    "awareness",
    "conference",
    "session",
];

/// Words of a title that says it is a paper.
const PAPERS: &[&str] = &[
    "minutes",
    "report",
    "paper",
    "papers",
    "notes",
    "decision",
    "decisions",
    "recommendation",
    "recommendations",
    "confidential",
    "outcome",
    "outcomes",
];

/// Reads the list that is built into the program.
pub(super) fn check() -> Result<(), VocabularyError> {
    Vocabulary::read(EMBEDDED).map(|_| ())
}

/// Each matter with its finding; what the `sender` says of oneself is nobody else's.
pub(super) fn find(scene: &Scene<'_>, school: &School, sender: Option<u32>) -> (Vec<AdultMatter>, Vec<Finding>) {
    let mut out = Out { matters: Vec::new(), findings: Vec::new(), sender };
    let paper = ADULTS.id(PAPER);
    let mut headings: HashMap<usize, Option<usize>> = HashMap::new();
    let mut titles = Vec::new();
    for (at, line) in scene.lines() {
        if line.footer {
            continue;
        }
        if line.cell().is_some()
            && let Some(heading) = scene.column_heading(at)
        {
            let category = *headings.entry(heading).or_insert_with(|| ADULTS.heading(&scene.lines[heading].text));
            if let Some(category) = category {
                row(scene, school, at, category, &mut out);
            }
        }
        if !line.all_marks.has(Marks::ADULT) {
            continue;
        }
        let hits = ADULTS.hits_at(&line.text, line.marked(Marks::ADULT));
        if hits.is_empty() {
            continue;
        }
        let names = named(line, school);
        for hit in hits {
            if Some(hit.category) == paper {
                if is_title(scene, at)
                    && (!hit.weak || (0..line.text.tokens.len()).any(|t| is(PAPERS, line.text.word(t))))
                {
                    titles.push((at, hit));
                }
            } else if let Some(owner) = owner(line, &names, &hit) {
                out.add(scene, at, (hit.from, hit.to), hit.category, owner);
            }
        }
    }
    if let Some((at, hit)) = titles.first() {
        papers(scene, school, *at, hit, &mut out);
    }
    (out.matters, out.findings)
}

struct Out {
    matters: Vec<AdultMatter>,
    findings: Vec<Finding>,
    sender: Option<u32>,
}

impl Out {
    fn add(&mut self, scene: &Scene<'_>, at: usize, (from, to): (usize, usize), category: usize, whose: &[Adult]) {
        if self.sender.is_some_and(|sender| whose.contains(&Adult::Staff(sender))) {
            return;
        }
        let matter = AdultMatter { whose: whose.to_vec() };
        if self.matters.contains(&matter) {
            return;
        }
        self.matters.push(matter);
        let line = &scene.lines[at];
        let category = ADULTS.categories.get(category).map_or("", |category| category.id);
        self.findings.push(Finding {
            kind: "adult-matter",
            text: line.text.slice(from, to).to_owned(),
            place: scene.place(at).to_owned(),
            detail: scene.detail(at),
            confidence: Confidence::Medium,
            pupil: None,
            because: match whose {
                [] => "the title of a confidential paper, with a name or a sum of money in it".to_owned(),
                _ => format!("said of a member of staff or a parent ({category})"),
            },
            at: Some((at, line.text.span_of(from, to))),
            excerpt: None,
        });
    }
}

/// The adults whom a line names: by full name, or by title and a surname that one member of staff bears.
fn named(line: &Line<'_>, school: &School) -> Vec<Named> {
    let text = &line.text;
    let mut out: Vec<Named> = adults_named(line, school)
        .into_iter()
        .map(|(from, to, whose)| Named { from: if titled(text, from) { from - 1 } else { from }, to, whose })
        .collect();
    if !line.all_marks.has(Marks::TITLE) {
        return out;
    }
    // `mrs bell`, but not `we miss bell`.
    let hasty = |title: usize| text.tokens[title].case == Case::Lower && text.word(title) != "miss";
    for title in 0..text.tokens.len().saturating_sub(1) {
        let initial = usize::from(text.norm(&text.tokens[title + 1]).chars().count() == 1);
        let from = title + 1 + initial;
        if !is(TITLES, text.word(title))
            || !titled(text, title + 1)
            || out.iter().any(|name| name.from <= title && title < name.to)
            || text.tokens.get(from).is_none_or(|token| token.case == Case::Lower && !hasty(title))
        {
            continue;
        }
        let found = (from + 1..=(from + limits::NAME_PART).min(text.tokens.len())).rev().find_map(|to| {
            let run = text.run(from, to);
            school.index().part_of(run).filter(|part| part.adult_surname)?;
            let whose = bearers(school, text.word(title), run);
            (!whose.is_empty()).then_some((to, whose))
        });
        if let Some((to, whose)) = found {
            out.push(Named { from: title, to, whose });
        }
    }
    out
}

/// The one member of staff of a title and surname, and the parents of the same, who could be meant as well; nobody where no
/// member of staff or more than one fits.
fn bearers(school: &School, title: &str, surname: Run) -> Vec<Adult> {
    let fits = |theirs: &str, name: &str| {
        let theirs = theirs.trim_end_matches('.').to_lowercase();
        (theirs.is_empty() || theirs == title) && Run::of(name) == surname
    };
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut out: Vec<Adult> = school
        .staff
        .iter()
        .enumerate()
        .filter(|(_, staff)| fits(&staff.title, &staff.surname))
        .map(|(at, _)| Adult::Staff(place(at)))
        .collect();
    if out.len() != 1 {
        return Vec::new();
    }
    let parents = school.guardians.iter().enumerate().filter(|(_, parent)| fits(&parent.title, &parent.surname));
    out.extend(parents.map(|(at, _)| Adult::Guardian(place(at))));
    out
}

/// Whose the hit is, by the grammar of its sentence.
fn owner<'n>(line: &Line<'_>, names: &'n [Named], hit: &Hit) -> Option<&'n [Adult]> {
    let sentence = line.sentence.get(hit.from)?;
    let general = line
        .text
        .tokens
        .iter()
        .zip(line.sentence)
        .any(|(token, s)| s == sentence && is(GENERAL, line.text.norm(token)));
    if names.is_empty() || general {
        return None;
    }
    let words = Words { line, names, sentence: *sentence };
    match hit.predicate {
        Predicate::No => words.possessor(hit.from).or_else(|| words.behind(hit.to)),
        Predicate::Verb | Predicate::State => words.subject(hit.from),
    }
    .map(|name| name.whose.as_slice())
}

/// One sentence of a line, and the names in the line.
struct Words<'w, 'n> {
    line: &'w Line<'w>,
    names: &'n [Named],
    sentence: u32,
}

impl<'n> Words<'_, 'n> {
    fn word(&self, at: usize) -> &str {
        self.line.text.word(at)
    }

    fn gap(&self, at: usize) -> Gap {
        self.line.text.tokens[at].gap
    }

    fn inside(&self, at: usize) -> bool {
        self.line.sentence.get(at) == Some(&self.sentence)
    }

    fn name_at(&self, at: usize) -> Option<&'n Named> {
        self.names.iter().find(|name| name.from <= at && at < name.to)
    }

    /// `Mrs Bell has been suspended`, `Mr Bell, our caretaker, was …`, `She has been …`, `Mrs Bell came back and has been …`.
    fn subject(&self, from: usize) -> Option<&'n Named> {
        let mut at = from.checked_sub(1)?;
        let mut joined = false;
        while self.inside(at) && (is(BETWEEN, self.word(at)) || self.word(at) == "and") && self.name_at(at).is_none() {
            joined |= self.word(at) == "and";
            at = at.checked_sub(1)?;
        }
        if !self.inside(at) {
            return None;
        }
        let ends = self.gap(at + 1);
        if ends.has(Gap::COMMA.or(Gap::CLOSE))
            && let Some(name) = self.apposition(at)
        {
            return Some(name);
        }
        if ends.has(Gap::COLON.or(Gap::SEMICOLON).or(Gap::BULLET)) {
            return None;
        }
        if let Some(name) = self.name_at(at) {
            return (!self.line.text.tokens[at].possessive).then_some(name);
        }
        match self.word(at) {
            "he" | "she" | "they" | "hes" | "shes" => self.before(self.word(at)),
            word if joined && !is(DENIALS, word) => self.opens(at),
            _ => None,
        }
    }

    /// Of `Mr Bell, our caretaker, was …` the name, from the end of what stands between the commas.
    fn apposition(&self, end: usize) -> Option<&'n Named> {
        let name = self.names.iter().rfind(|name| name.to <= end && self.inside(name.from))?;
        let short = end - name.to < limits::APPOSITION;
        (short && self.gap(name.to).has(Gap::COMMA.or(Gap::OPEN))).then_some(name)
    }

    /// The subject with which the sentence opens, where its second verb has none of its own.
    fn opens(&self, to: usize) -> Option<&'n Named> {
        let start = self.line.sentence.iter().position(|&s| s == self.sentence)?;
        let name = self.name_at(start).filter(|name| !self.line.text.tokens[name.to - 1].possessive)?;
        let alone = self.names.iter().filter(|name| self.inside(name.from)).count() == 1;
        let other = (name.to..=to).any(|at| {
            let token = &self.line.text.tokens[at];
            is(&["who", "which", "that", "whose", "said", "says", "told"], self.word(at))
                || is(KIN, self.word(at))
                || is(CHILD, self.word(at))
                || (token.kind == TokenKind::Word
                    && token.case == Case::Capitalised
                    && self.line.marks[at].has(Marks::KNOWN))
        });
        (alone && !other).then_some(name)
    }

    /// The only one whom the sentence before names, where the pronoun fits the title and no child or relative is spoken of.
    fn before(&self, pronoun: &str) -> Option<&'n Named> {
        let earlier = self.sentence.checked_sub(1)?;
        let of = |at: usize| self.line.sentence.get(at) == Some(&earlier);
        let mut there = self.names.iter().filter(|name| of(name.from));
        let (name, None) = (there.next()?, there.next()) else { return None };
        let other_sex = match pronoun {
            "he" | "hes" | "his" => is(&["mrs", "miss", "ms"], self.word(name.from)),
            "she" | "shes" | "her" => self.word(name.from) == "mr",
            _ => false,
        };
        if other_sex {
            return None;
        }
        let other =
            (0..self.line.text.tokens.len()).filter(|&at| of(at) && !(name.from..name.to).contains(&at)).any(|at| {
                let token = &self.line.text.tokens[at];
                is(KIN, self.word(at))
                    || is(CHILD, self.word(at))
                    || is(&["son", "daughter", "sons", "daughters", "brother", "sister"], self.word(at))
                    || (token.case == Case::Capitalised
                        && self.line.marks[at].has(Marks::KNOWN)
                        && !token.sentence_start)
            });
        (!other).then_some(name)
    }

    /// `Mrs Bell's current salary`, `Jean Bell: occupational health referral`, `Her salary …` after a sentence about her.
    fn possessor(&self, from: usize) -> Option<&'n Named> {
        for back in 1..=limits::APPOSITION / 2 {
            let at = from.checked_sub(back).filter(|&at| self.inside(at))?;
            let token = &self.line.text.tokens[at];
            if let Some(name) = self.name_at(at) {
                let label = back == 1 && self.gap(from).has(Gap::COLON.or(Gap::HYPHEN)) && !self.gap(from).joined();
                return (token.possessive || label).then_some(name);
            }
            if is(&["his", "her", "their"], self.word(at)) {
                let opens = at == 0 || !self.inside(at - 1);
                return if opens { self.before(self.word(at)) } else { None };
            }
            if token.kind == TokenKind::Word && (token.case != Case::Lower && back > 1 || is(LINKS, self.word(at))) {
                return None;
            }
            if is(&["to", "in", "on", "and", "the", "a", "no", "not", "without", "at", "from", "or"], self.word(at)) {
                return None;
            }
        }
        None
    }

    /// `allegation against Mr Bell`, `disciplinary hearing for Pat Bell`, `Redundancy: Pat Bell`.
    fn behind(&self, to: usize) -> Option<&'n Named> {
        let denied = to.checked_sub(2).is_some_and(|_| {
            (1..=limits::APPOSITION).any(|back| {
                to.checked_sub(back + 1)
                    .is_some_and(|at| self.inside(at) && is(&["no", "without", "any", "never"], self.word(at)))
            })
        });
        if denied {
            return None;
        }
        let mut at = to;
        while at < self.line.text.tokens.len() && at - to < 2 && is(DEALT_WITH, self.word(at)) {
            at += 1;
        }
        if at >= self.line.text.tokens.len() || !self.inside(at) {
            return None;
        }
        if self.gap(at).has(Gap::COLON.or(Gap::HYPHEN).or(Gap::OPEN)) {
            return self.names.iter().find(|name| name.from == at);
        }
        if !is(LINKS, self.word(at)) || self.gap(at).has(Gap::COMMA) {
            return None;
        }
        let name = self.names.iter().find(|name| name.from == at + 1)?;
        // `a grievance about Mrs Bell's class` is about the class.
        (!self.line.text.tokens[name.to - 1].possessive).then_some(name)
    }
}

/// The value of a column that is somebody's in confidence, where the row names an adult in one cell or in two.
fn row(scene: &Scene<'_>, school: &School, at: usize, category: usize, out: &mut Out) {
    let line = &scene.lines[at];
    let Some((row, _)) = line.cell() else { return };
    let value = line.text.folded().trim();
    if line.text.tokens.is_empty() || matches!(value, "-" | "x" | "n/a" | "N/A") || is(DENIALS, &value.to_lowercase()) {
        return;
    }
    let same = |other: &Line<'_>| {
        (other.document(), other.block(), other.cell().map(|c| c.0)) == (line.document(), line.block(), Some(row))
    };
    let back = (0..at).rev().take_while(|&i| same(&scene.lines[i])).take(limits::CELLS_OF_A_PERSON);
    let start = back.last().unwrap_or(at);
    let cells: Vec<&Line<'_>> =
        scene.lines[start..].iter().take_while(|other| same(other)).take(limits::CELLS_OF_A_PERSON * 2).collect();
    let whole = |cell: &Line<'_>| cell.text.run(0, cell.text.tokens.len());
    let named_in = |cell: &&Line<'_>| named(cell, school).into_iter().next().map(|name| name.whose);
    let in_two = || {
        cells.windows(2).find_map(|pair| {
            let (a, b) = (whole(pair[0]), whole(pair[1]));
            let no_pupil = school.index().full_name(a, b).is_empty() && school.index().full_name(b, a).is_empty();
            let mut found = school.index().adults(a, b);
            found.extend(school.index().adults(b, a));
            (no_pupil && !found.is_empty()).then_some(found)
        })
    };
    if let Some(whose) = cells.iter().find_map(named_in).or_else(in_two) {
        out.add(scene, at, (0, line.text.tokens.len()), category, &whose);
    }
}

/// A subject, a file's name, or a heading with which an attachment opens.
fn is_title(scene: &Scene<'_>, at: usize) -> bool {
    match scene.kind(at) {
        Kind::Subject | Kind::FileName => true,
        Kind::Attachment => {
            let start = scene.of_document[scene.lines[at].document()].start;
            at < start + limits::GREETING_LINES && scene.lines[at].heading()
        }
        _ => false,
    }
}

/// A paper that names somebody or a sum of money in its text; one that names a single adult is that one's matter.
fn papers(scene: &Scene<'_>, school: &School, title: usize, hit: &Hit, out: &mut Out) {
    let mut who: Vec<Vec<Adult>> = Vec::new();
    let mut money = false;
    for (at, line) in scene.lines() {
        let body = match scene.kind(at) {
            Kind::Body => true,
            Kind::Attachment => false,
            _ => continue,
        };
        let end = scene.of_document[line.document()].end;
        let signature = body && at + limits::SIGNATURE_LINES >= end && line.heading();
        if line.footer || signature || (body && is(GREETINGS, line.text.word(0))) {
            continue;
        }
        let folded = line.text.folded();
        money |= folded
            .match_indices('£')
            .any(|(p, sign)| folded[p + sign.len()..].trim_start().starts_with(|c: char| c.is_ascii_digit()));
        for name in named(line, school) {
            let own = out.sender.is_some_and(|sender| name.whose.contains(&Adult::Staff(sender)));
            if !own && !who.contains(&name.whose) {
                who.push(name.whose);
            }
        }
    }
    let place = (hit.from, hit.to);
    match who.as_slice() {
        [one] => out.add(scene, title, place, hit.category, one),
        [_, ..] => out.add(scene, title, place, hit.category, &[]),
        [] if money => out.add(scene, title, place, hit.category, &[]),
        [] => {}
    }
}

#[cfg(test)]
mod tests;
