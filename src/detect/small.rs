//! Names in small letters: hasty and dictated mail. A name that is nothing else stands by itself; what is also a word wants
//! somebody who acts, a fact or something said, and two words want two of these.

use super::deeds;
use super::evidence::{Around, Evidence, Prior, Seen};
use super::names::Candidate;
use super::scene::Scene;
use super::whole::{self, Whole};
use super::words::{ACTS, ARTICLES, PREPOSITIONS, is};
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

/// What is seen of a full name in small letters, of which a part is a word.
pub(super) fn weigh(
    scene: &Scene<'_>,
    school: &School,
    at: usize,
    candidate: &Candidate,
    around: &Around<'_>,
) -> Evidence {
    let line = &scene.lines[at];
    let text = &line.text;
    let (forename, surname) = (candidate.forename.part.wordness, candidate.surname.part.wordness);
    let both = forename > Wordness::Name && surname > Wordness::Name;
    let mut evidence = Evidence::new(if both { Prior::SmallWords } else { Prior::Small });
    let previous = candidate.from.checked_sub(1).map_or("", |before| text.word(before));
    let together = text.tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::NEWLINE));
    if together && (is(ARTICLES, previous) || is(PREPOSITIONS, previous)) {
        return evidence.with(Seen::SmallPointedAt);
    }
    let mut see = |is: bool, seen: Seen| {
        if is {
            evidence.see(seen);
        }
    };
    let next = text.word(candidate.to);
    let follows = text.tokens.get(candidate.to).is_some_and(|token| token.gap.blank());
    see(is(ACTS, next) && follows, Seen::SmallActs);
    see(deeds::done(line, candidate.to), Seen::SmallDeed);
    let last = line.sentence[candidate.to - 1];
    let said = around.hits.iter().any(|hit| !hit.weak && line.sentence[hit.from] == last && hit.from >= candidate.to);
    see(said || deeds::figure(line, last, candidate.to), Seen::SmallSaid);
    let fact = scene.facts_near(at, candidate.from, candidate.to).iter().any(|fact| {
        (fact.to <= candidate.from || fact.from >= candidate.to)
            && school
                .index()
                .forename_with(candidate.forename.run, fact.fact)
                .iter()
                .any(|pupil| candidate.pupils.contains(pupil))
    });
    see(fact, Seen::SmallFact);
    let subject = subject_alone(scene, at, candidate);
    see(subject && around.whole.is_some_and(Whole::of_pupils), Seen::SmallSubject);
    // Of two parts one of which is a name and nothing else, a subject is enough.
    see(subject && (forename == Wordness::Name || surname == Wordness::Name), Seen::SmallNamed);
    // `will` and `may` are no surnames where a verb follows that they carry.
    let verb = is(ACTS, text.word(candidate.surname.from)) || is(ACTS, text.word(candidate.forename.from));
    see(verb, Seen::SmallVerb);
    evidence
}

fn subject_alone(scene: &Scene<'_>, at: usize, candidate: &Candidate) -> bool {
    matches!(scene.kind(at), Kind::Subject) && whole::names_the_message(scene, at, candidate)
}
