//! The message as one: what its subject, file names, body and attachments say of each other.
//!
//! A subject or a file name that is a pupil's name speaks of the pupil; whether two words are a name at all is seldom told by
//! such a line itself. The rest of the message tells it: something is said that is said of pupils, somebody is `he` or
//! `she`, the class fits. Or the same two words stand there as words.

use hashbrown::HashSet;

use super::attributes::{general, of_the_writer};
use super::deeds;
use super::evidence::{Evidence, Seen, famous};
use super::marks::Marks;
use super::names::Candidate;
use super::scene::Scene;
use super::small;
use super::words::{ABOUT, ARTICLES, GROUPS, PRONOUNS, is};
use super::work::step;
use crate::limits;
use crate::people::School;
use crate::people::index::Fact;
use crate::text::normalise::{Case, Gap};
use crate::text::{Kind, Text};

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// Documents in which something is said that is said of pupils, in order.
    said: Vec<usize>,
    /// Documents that give a figure, or tell of what children take part in: too little for what is said of pupils.
    told: Vec<usize>,
    /// One person is spoken of.
    person: bool,
    /// Forename and surname of full names that stand somewhere as words, as the index knows them.
    words: HashSet<(u64, u64)>,
}

impl Whole {
    pub(super) fn of(scene: &Scene<'_>, candidates: &[(usize, Vec<Candidate>)]) -> Self {
        let mut out = Self::default();
        for (document, lines) in scene.of_document.iter().enumerate() {
            if !matches!(scene.documents[document].kind, Kind::Body | Kind::Quoted | Kind::Attachment) {
                continue;
            }
            let written = || lines.clone().filter(|&at| !scene.lines[at].footer);
            if written().any(|at| something_said(scene, at)) {
                out.said.push(document);
            }
            if written().any(|at| deeds::pursued(&scene.lines[at].text) || something_measured(scene, at)) {
                out.told.push(document);
            }
            let words = written().flat_map(|at| {
                let text = &scene.lines[at].text;
                text.tokens.iter().map(move |token| text.norm(token))
            });
            out.person |= words.take(limits::SHORT_DOCUMENT).any(|word| is(PRONOUNS, word));
        }
        for (at, found) in candidates {
            for candidate in found.iter().filter(|candidate| stands_as_words(scene, *at, candidate)) {
                out.words.insert((candidate.forename.run.hash, candidate.surname.run.hash));
            }
        }
        out
    }

    /// Adds what the rest of the message says for and against a name.
    pub(super) fn weigh(
        &self,
        scene: &Scene<'_>,
        school: &School,
        at: usize,
        candidate: &Candidate,
        evidence: &mut Evidence,
    ) {
        let mut see = |is: bool, seen: Seen| {
            if is {
                evidence.see(seen);
            }
        };
        see(self.words.contains(&(candidate.forename.run.hash, candidate.surname.run.hash)), Seen::WordsElsewhere);
        let elsewhere = self.said_elsewhere(scene, at);
        let told = !elsewhere && self.told.iter().any(|&document| document != scene.lines[at].document());
        if names_the_message(scene, at, candidate) {
            see(elsewhere, Seen::SaidBelow);
            see(told && !famous(candidate), Seen::ToldBelow);
            see(self.person, Seen::PersonBelow);
            see(class_fits(scene, school, at, candidate), Seen::FactBelow);
        } else {
            see(elsewhere && introduced(scene, at, candidate), Seen::SaidElsewhere);
        }
    }
}

impl Whole {
    /// Another document of the message says what is said of pupils.
    fn said_elsewhere(&self, scene: &Scene<'_>, at: usize) -> bool {
        self.said.iter().any(|&document| document != scene.lines[at].document())
    }

    /// The message says something that is said of pupils.
    pub(super) fn of_pupils(&self) -> bool {
        !self.said.is_empty() || !self.told.is_empty()
    }

    /// `what we have on Skye Bell`, with more of it in another part of the message.
    pub(super) fn tells_of(&self, scene: &Scene<'_>, at: usize, candidate: &Candidate) -> bool {
        const INFORMATION: &[&str] = &[
            "have",
            "has",
            "information",
            "info",
            "letter",
            "report",
            "note",
            "notes",
            "news",
            "update",
            "file",
            "details",
            "record",
            "records",
            "paperwork",
            "query",
            "question",
            "concern",
            "concerns",
            "document",
        ];
        let text = &scene.lines[at].text;
        let before = |back: usize| candidate.from.checked_sub(back).map_or("", |at| text.word(at));
        let about = matches!(before(1), "about" | "regarding" | "concerning" | "re")
            || (matches!(before(1), "on" | "for") && is(INFORMATION, before(2)));
        let other = |&document: &usize| document != scene.lines[at].document();
        about
            && text.tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::COLON).or(Gap::NEWLINE))
            && (self.said.iter().any(other) || self.told.iter().any(other))
    }
}

/// `The attendance this term is 82%`, said of no group.
fn something_measured(scene: &Scene<'_>, at: usize) -> bool {
    let line = &scene.lines[at];
    (0..line.text.tokens.len()).any(|from| {
        line.text.tokens[from].sentence_start
            && deeds::figure(line, line.sentence[from], from)
            && !general(line, line.sentence[from])
            && !of_a_group(&line.text, line.sentence, line.sentence[from])
    })
}

/// An attribute that is neither the writer's nor everybody's, nor asked of whomever it may concern.
fn something_said(scene: &Scene<'_>, at: usize) -> bool {
    let line = &scene.lines[at];
    line.hits().iter().any(|hit| {
        !hit.weak
            && !general(line, line.sentence[hit.from])
            && !of_the_writer(&line.text, hit.from)
            && !of_a_group(&line.text, line.sentence, line.sentence[hit.from])
    })
}

/// `Please tell us of any allergies`, `children who have an inhaler`.
pub(super) fn of_a_group(text: &Text<'_>, sentences: &[u32], sentence: u32) -> bool {
    let first = sentences.partition_point(|&other| other < sentence);
    let own = text.tokens[first..].iter().zip(&sentences[first..]).take_while(|(_, other)| **other == sentence);
    own.inspect(|_| step(1)).any(|(token, _)| is(GROUPS, text.norm(token)))
}

/// `the summer reading`: in small letters, or pointed at.
fn stands_as_words(scene: &Scene<'_>, at: usize, candidate: &Candidate) -> bool {
    if !matches!(scene.kind(at), Kind::Body | Kind::Quoted | Kind::Attachment | Kind::Subject) {
        return false;
    }
    let text = &scene.lines[at].text;
    let small = |from: usize| text.tokens[from].case == Case::Lower;
    let address = scene.lines[at].marks[candidate.to - 1].has(Marks::ADDRESS);
    let pointed = candidate.from.checked_sub(1).is_some_and(|before| is(ARTICLES, text.word(before)));
    let together =
        text.tokens[candidate.surname.from.max(candidate.forename.from)].gap.only(Gap::SPACE.or(Gap::NEWLINE));
    !address
        && together
        && (pointed || (small(candidate.surname.from) && !small::dictated(scene, at)))
        && text.tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::NEWLINE))
}

/// In a file name; or in the subject, with nothing around it but what is set off.
pub(super) fn names_the_message(scene: &Scene<'_>, at: usize, candidate: &Candidate) -> bool {
    const SET_OFF: Gap = Gap::COLON.or(Gap::HYPHEN).or(Gap::OPEN).or(Gap::CLOSE).or(Gap::COMMA).or(Gap::SLASH);
    let tokens = scene.lines[at].text.tokens;
    let bounded = |at: usize| tokens.get(at).is_none_or(|token| token.gap.has(SET_OFF) && !token.gap.only(Gap::HYPHEN));
    match scene.kind(at) {
        Kind::FileName => true,
        Kind::Subject => (candidate.from == 0 || bounded(candidate.from)) && bounded(candidate.to),
        _ => false,
    }
}

/// `the letter about Ruby Stone`, `Re: Ruby Stone`.
fn introduced(scene: &Scene<'_>, at: usize, candidate: &Candidate) -> bool {
    let text = &scene.lines[at].text;
    candidate.from.checked_sub(1).is_some_and(|before| is(ABOUT, text.word(before)))
        && text.tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::COLON).or(Gap::NEWLINE))
}

/// A class or birth date somewhere else in the message is that of a pupil of this name.
fn class_fits(scene: &Scene<'_>, school: &School, at: usize, candidate: &Candidate) -> bool {
    scene.facts.iter().take(limits::WIDE_FACTS).any(|fact| {
        fact.line != at && matches!(fact.fact, Fact::Class(_) | Fact::Born(_)) && {
            let fits = school.index().forename_with(candidate.forename.run, fact.fact);
            fits.iter().any(|pupil| candidate.pupils.contains(pupil))
        }
    })
}
