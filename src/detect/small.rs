//! Names in small letters: hasty and dictated mail. A name that is nothing else stands by itself; what is also a word wants
//! somebody who acts, a fact or something said, and two words want two of these.

use super::evidence::Around;
use super::names::Candidate;
use super::scene::Scene;
use super::words::{ACTS, ARTICLES, PREPOSITIONS, is};
use super::{deeds, whole};
use crate::limits;
use crate::people::School;
use crate::people::names::Wordness;
use crate::text::Kind;
use crate::text::normalise::{Case, Gap};

/// The whole document has no capital, as dictated text has none: small letters are then no evidence against a name.
pub(super) fn dictated(scene: &Scene<'_>, at: usize) -> bool {
    if !matches!(scene.kind(at), Kind::Body | Kind::Quoted | Kind::Attachment) {
        return false;
    }
    let lines = scene.of_document[scene.lines[at].document()].clone();
    let tokens = || lines.clone().flat_map(|line| scene.lines[line].text.tokens).take(limits::SHORT_DOCUMENT);
    tokens().all(|token| matches!(token.case, Case::Lower | Case::None))
}

/// Whether a full name in small letters, of which a part is a word, is a name all the same, and why.
pub(super) fn named(
    scene: &Scene<'_>,
    school: &School,
    at: usize,
    candidate: &Candidate,
    around: &Around<'_>,
) -> Option<&'static str> {
    let line = &scene.lines[at];
    let text = &line.text;
    let (forename, surname) = (candidate.forename.part.wordness, candidate.surname.part.wordness);
    let previous = candidate.from.checked_sub(1).map_or("", |before| text.word(before));
    let together = text.tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::NEWLINE));
    if together && (is(ARTICLES, previous) || is(PREPOSITIONS, previous)) {
        return None;
    }
    let next = text.word(candidate.to);
    let acts = is(ACTS, next) && text.tokens.get(candidate.to).is_some_and(|token| token.gap.blank());
    let done = deeds::done(line, candidate.to);
    let said =
        around.hits.iter().any(|hit| {
            !hit.weak && line.sentence[hit.from] == line.sentence[candidate.to - 1] && hit.from >= candidate.to
        }) || deeds::figure(line, line.sentence[candidate.to - 1], candidate.to);
    let fact = scene.facts_near(at, candidate.from, candidate.to).iter().any(|fact| {
        (fact.to <= candidate.from || fact.from >= candidate.to)
            && school
                .index()
                .forename_with(candidate.forename.run, fact.fact)
                .iter()
                .any(|pupil| candidate.pupils.contains(pupil))
    });
    let subject = subject_alone(scene, at, candidate) && around.whole.is_some_and(|whole| whole.of_pupils());
    // Of two parts one of which is a name and nothing else, a subject is enough.
    let named = subject_alone(scene, at, candidate) && (forename == Wordness::Name || surname == Wordness::Name);
    let evidence = [acts, said, fact, done, done, subject, subject, named, named].into_iter().filter(|&is| is).count();
    // `will` and `may` are no surnames where a verb follows that they carry.
    let verb = is(ACTS, text.word(candidate.surname.from)) || is(ACTS, text.word(candidate.forename.from));
    let wanted = 1 + usize::from(forename > Wordness::Name && surname > Wordness::Name) + usize::from(verb);
    (evidence >= wanted).then_some("full name in small letters, of whom something is said")
}

fn subject_alone(scene: &Scene<'_>, at: usize, candidate: &Candidate) -> bool {
    matches!(scene.kind(at), Kind::Subject) && whole::names_the_message(scene, at, candidate)
}
