//! Whether a full name that stands in a text means the pupil of that name: the evidence for and against.
//!
//! What is seen is named and weighed in decibans (`rules/evidence.toml`), and the sum decides. A name of which neither part is a
//! word stands by itself, unless everybody knows its bearer. Of one that could as well be words, a place or a figure of history
//! all is looked at: what is done and said of a child speaks for it, what is said of places and of the famous against it.
//! What belongs to an adult, by a title, a relation or a role beside it, is no pupil, whatever else is seen.

mod weights;

use super::Confidence;
use super::deeds;
use super::forenames::scopes;
use super::names::{Candidate, Span, Writers, titled};
use super::scene::{Line, Scene};
use super::small;
use super::vocabulary::Hit;
use super::whole::Whole;
use super::words::{ACTS, ANNOUNCES, ARTICLES, CHILD, GREETINGS, KIN, LABELS, PREPOSITIONS, ROLES, YOUTH_TITLES, is};
use super::work::step;
use super::world::{LANDSCAPE, MAKERS, MOTION, NAMED_AFTER, PLACE_ENDINGS, PLACES, RENOWN, SITES, WHERE};
use crate::limits;
use crate::people::index::{Adult, Fact};
use crate::people::names::{NAMES, Wordness};
use crate::people::{PupilIndex, School};
use crate::text::normalise::{Case, Gap, TokenKind};
use crate::text::{Kind, Text};

pub use weights::EvidenceError;
pub(super) use weights::{Evidence, Prior, Seen, check};

/// Whether a candidate is judged in the second round, when it is known who else is in the message.
pub(super) fn wants_company(text: &Text<'_>, candidate: &Candidate) -> bool {
    let (forename, surname) = (candidate.forename.part.wordness, candidate.surname.part.wordness);
    forename > Wordness::Name && surname > Wordness::Name
        || forename == Wordness::Common
        || place_like(text, candidate)
        || famous(candidate)
}

/// Everybody knows somebody, or a firm, of this name.
pub(super) fn famous(candidate: &Candidate) -> bool {
    NAMES.famous(candidate.forename.run.then(candidate.surname.run))
}

/// `in Preston Hall`: it stands where places stand and ends as places end.
fn place_like(text: &Text<'_>, candidate: &Candidate) -> bool {
    let last = text.word(candidate.surname.from);
    let before = candidate.from.checked_sub(1).map_or("", |at| text.word(at));
    // `the walk to Hope Church`
    let reached = matches!(before, "to" | "from")
        && (2..=4).any(|back| candidate.from.checked_sub(back).is_some_and(|at| is(MOTION, text.word(at))));
    // `14 Rose Hill`, `the corner of Ivy Lane`
    let number = |at: usize| {
        text.tokens[at].kind == TokenKind::Number && text.tokens[at].sentence_start
            || text.tokens[at].kind != TokenKind::Word && before.len() <= 3
    };
    // `2026-11-02 Rose Hill.pdf` begins with a day.
    let dated = |at: usize| at > 0 && text.tokens[at].gap.only(Gap::HYPHEN);
    let numbered = candidate.from.checked_sub(1).is_some_and(|at| number(at) && !dated(at))
        && text.tokens[candidate.from].gap.only(Gap::SPACE);
    let corner = before == "of"
        && candidate.from.checked_sub(2).is_some_and(|at| {
            matches!(
                text.word(at),
                "corner"
                    | "end"
                    | "top"
                    | "bottom"
                    | "side"
                    | "front"
                    | "north"
                    | "south"
                    | "east"
                    | "west"
                    | "outside"
            )
        });
    candidate.forename.from < candidate.surname.from
        && is(PLACE_ENDINGS, last)
        && (is(WHERE, before) || is(ARTICLES, before) || reached || numbered || corner)
        && text.tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::NEWLINE))
}

/// The name belongs to an adult here: a title, a relation, a role or the member of staff's own mailbox beside it.
fn adult_meant(line: &Line<'_>, candidate: &Candidate) -> bool {
    let text = &line.text;
    if titled(text, candidate.from) && !(young(text, candidate) && candidate.adults.is_empty()) {
        return true;
    }
    let sentence = line.sentence[candidate.from];
    let before = |back: usize| {
        candidate.from.checked_sub(back).filter(|&at| line.sentence[at] == sentence).map_or("", |at| text.word(at))
    };
    let possessed = candidate.from.checked_sub(1).is_some_and(|at| text.tokens[at].possessive);
    if candidate.adults.iter().any(|adult| matches!(adult, Adult::Guardian(_))) {
        let introduced =
            is(KIN, before(1)) || (matches!(before(1), "is" | "was" | "called" | "named") && is(KIN, before(2)));
        let next = text.word(candidate.to);
        let named = text.tokens.get(candidate.to).is_some_and(|token| {
            (token.gap.has(Gap::OPEN.or(Gap::COMMA).or(Gap::HYPHEN)) && is(KIN, next))
                || (is(KIN, text.word(candidate.to + 1)) && matches!(next, "the" | "his" | "her" | "their"))
        });
        if (introduced && !possessed) || named {
            return true;
        }
    }
    if !candidate.adults.is_empty() && is(GREETINGS, before(1)) && text.tokens[candidate.from].gap.only(Gap::SPACE) {
        return true;
    }
    if young(text, candidate) || candidate.adults.iter().any(|adult| matches!(adult, Adult::Staff(_))) {
        // `Alex Morgan, PE teacher`, `Alex Morgan <a.morgan@school>`, and a sign-off above the writer's role.
        let reach = if candidate.adults.is_empty() { limits::ROLE_OF_THE_TITLED } else { limits::ROLE_OF_STAFF };
        let tokens = &text.tokens[candidate.to..(candidate.to + reach).min(text.tokens.len())];
        let set_off =
            tokens.first().is_some_and(|t| t.gap.has(Gap::COMMA.or(Gap::NEWLINE).or(Gap::HYPHEN).or(Gap::OPEN)));
        let role = tokens.iter().any(|token| is(ROLES, text.norm(token)));
        let mailbox = tokens.first().is_some_and(|t| t.gap.has(Gap::OPEN)) && tokens.iter().any(|t| t.gap.has(Gap::AT));
        if (set_off && role) || mailbox {
            return true;
        }
    }
    false
}

/// `Miss Zara Harris`: a title of girls and boys before a forename, and of adults too.
fn young(text: &Text<'_>, candidate: &Candidate) -> bool {
    let before = candidate.from.checked_sub(1);
    candidate.forename.from == candidate.from
        && before.is_some_and(|at| is(YOUTH_TITLES, text.word(at)) && text.tokens[at].case != Case::Lower)
        && text.tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::NEWLINE))
}

/// What is known of the surroundings of a candidate when it is weighed.
pub(super) struct Around<'a> {
    /// Other pupils are named in the same paragraph or table.
    pub others: bool,
    /// Attributes in the same line.
    pub hits: &'a [Hit],
    /// Where a name needs company: the message as one.
    pub whole: Option<&'a Whole>,
}

/// A full name that was weighed: for measuring, and for fitting what evidence weighs.
#[derive(Debug, Clone)]
pub struct Weighed {
    evidence: Evidence,
    /// Whom it could mean.
    pub pupils: Vec<PupilIndex>,
}

impl Weighed {
    pub(super) fn new(evidence: Evidence, pupils: Vec<PupilIndex>) -> Self {
        Self { evidence, pupils }
    }

    /// The words of `rules/evidence.toml` for what was seen, that of the prior first.
    pub fn words(&self) -> Vec<&'static str> {
        self.evidence.words()
    }

    /// Whether a pupil was taken to be meant.
    pub fn is_meant(&self) -> bool {
        self.evidence.confidence().is_some()
    }
}

/// How sure it is that the pupil is meant, and why; nothing where it is not likely enough.
pub(super) fn verdict(evidence: Evidence) -> Option<(Confidence, String)> {
    evidence.confidence().map(|confidence| (confidence, evidence.because()))
}

/// One candidate's evidence, for and against.
pub(super) fn weigh(
    scene: &Scene<'_>,
    school: &School,
    writers: &Writers,
    at: usize,
    candidate: &Candidate,
    around: &Around<'_>,
) -> Evidence {
    let line = &scene.lines[at];
    let text = &line.text;
    let tokens = &text.tokens;
    let (forename, surname) = (candidate.forename.part.wordness, candidate.surname.part.wordness);
    let both = forename > Wordness::Name && surname > Wordness::Name;
    let (famous, place) = (famous(candidate), place_like(text, candidate));
    let surname_word = text.word(candidate.surname.from);
    let scenery = is(PLACES, surname_word) || is(LANDSCAPE, surname_word);
    let plain = forename == Wordness::Name && surname == Wordness::Name && !famous && !place;
    let common = forename == Wordness::Common || surname == Wordness::Common;
    let mut evidence = Evidence::new(match (famous, place, both) {
        (true, ..) => Prior::Famous,
        (_, true, _) => Prior::Place,
        (.., true) if common => Prior::CommonWords,
        (.., true) => Prior::Words,
        _ if plain => Prior::Plain,
        _ if forename == Wordness::Common => Prior::CommonForename,
        _ => Prior::OneWord,
    });
    if let Some(against) = ruled_out(scene, school, at, candidate) {
        return evidence.with(against);
    }
    if particle(text, candidate) {
        return evidence.with(Seen::Particle);
    }
    let next = text.word(candidate.to);
    let next_token = tokens.get(candidate.to);
    let follows = next_token.is_some_and(|t| t.gap.blank() && !t.gap.has(Gap::NEWLINE));
    let possessive = tokens[candidate.to - 1].possessive;
    // `Preston Hall car park`, `Heather Moor nature reserve`
    let site = is(PLACES, next) || (is(SITES, next) && is(PLACES, text.word(candidate.to + 1)));
    let place_behind = follows && site && !possessive;
    if place_behind && is(PLACE_ENDINGS, surname_word) {
        return evidence.with(Seen::PlaceBehind);
    }
    if singles_nobody_out(school, candidate) && !spoken_of(scene, school, writers, at, candidate, around) {
        return evidence.with(Seen::NobodySingledOut);
    }
    if plain {
        return evidence;
    }
    let previous = candidate.from.checked_sub(1).map_or("", |before| text.word(before));
    let directly = tokens.get(candidate.from).is_some_and(|t| t.gap.only(Gap::SPACE.or(Gap::STOP).or(Gap::NEWLINE)));
    let told_of = around.whole.is_some_and(|whole| whole.tells_of(scene, at, candidate));
    let pointed = directly && (is(ARTICLES, previous) || (scenery && is(PREPOSITIONS, previous) && !told_of));
    let sentence = line.sentence[candidate.from];
    let fits = fits(scene, school, at, candidate);
    if place_behind {
        return evidence.with(Seen::PlaceBehind);
    }
    if both && pointed && !fits {
        return evidence.with(Seen::PointedAt);
    }
    // `de Souza`: the last word of a part tells how it is written.
    let case = |span: &Span| tokens[span.to - 1].case;
    let capitals = case(&candidate.forename) != Case::Lower && case(&candidate.surname) != Case::Lower;
    // File names are written in small letters as often as not.
    let file_name = matches!(scene.kind(at), Kind::FileName);
    let written = capitals || small::dictated(scene, at);
    let one_word = !both && forename != Wordness::Common && !famous && !place;
    if one_word && (written || file_name) {
        return evidence;
    }
    if !written && !file_name {
        // In small letters a name must be nothing else.
        let rare = (forename == Wordness::Name && surname != Wordness::Common)
            || (surname == Wordness::Name && forename == Wordness::Word);
        if famous || place || case(&candidate.forename) != case(&candidate.surname) {
            return evidence.with(Seen::SmallPlace);
        }
        if rare && !both {
            return Evidence::new(Prior::SmallRare);
        }
        return small::weigh(scene, school, at, candidate, around);
    }
    let mut see = |is: bool, seen: Seen| {
        if is {
            evidence.see(seen);
        }
    };
    see(scenery && both && !famous && !place && !common, Seen::Scenery);
    see(possessive, Seen::Possessive);
    see(young(text, candidate), Seen::YoungTitle);
    see(candidate.middle, Seen::MiddleName);
    see(candidate.comma, Seen::Comma);
    let age = deeds::behind_age(text, candidate.to);
    see((follows && is(ACTS, next)) || age.is_some_and(|behind| is(ACTS, text.word(behind))), Seen::Acts);
    // Whoever is famous wins cups as well.
    see(!famous && deeds::done(line, candidate.to), Seen::Deed);
    see(!famous && told_of, Seen::ToldOf);
    see(candidate.surname.to - candidate.surname.from > 1, Seen::LongSurname);
    see(!both && !famous && !place && follows && finite(next), Seen::Verb);
    // `RE:` before a subject is an answer to any subject.
    let answer = matches!(scene.kind(at), Kind::Subject) && previous == "re";
    let introduced = tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::COLON));
    see(is(ANNOUNCES, previous) && !answer && introduced, Seen::Announced);
    see(line.cell().is_some(), Seen::InTable);
    let correspondence = matches!(scene.kind(at), Kind::Body | Kind::Quoted | Kind::Attachment);
    let whole = candidate.from == 0 && candidate.to == tokens.len();
    let by_itself = whole && written && line.cell().is_none() && !matches!(scene.kind(at), Kind::Subject);
    see(by_itself || (correspondence && reference(text, candidate)), Seen::Alone);
    let heads = !famous && deeds::heads(line, candidate.from, candidate.to);
    see(heads, if is(PLACE_ENDINGS, surname_word) { Seen::HeadsPlaceItem } else { Seen::HeadsItem });
    let of_sentence = line.sentence.iter().filter(|&&s| s == sentence).count();
    see(!whole && of_sentence == candidate.to - candidate.from, Seen::AloneOnLine);
    see(around.others, Seen::Others);
    see(candidate.listed, Seen::Listed);
    see(candidate.pupils.iter().any(|pupil| writers.children.contains(pupil)), Seen::ToTheParent);
    see(writers.titled.contains(&text.hash(&tokens[candidate.surname.from])), Seen::Family);
    let near = |at: usize| line.sentence[at].abs_diff(sentence) <= limits::NEAR_SENTENCES;
    let apart = |at: usize| at < candidate.from || at >= candidate.to;
    see(age.is_some() || (0..tokens.len()).any(|at| near(at) && is(CHILD, text.word(at))), Seen::Child);
    let last = line.sentence[candidate.to - 1];
    let said = around.hits.iter().any(|hit| {
        let here = line.sentence[hit.from] == sentence || line.sentence[hit.from] == last;
        !hit.weak && here && (hit.to <= candidate.from || hit.from >= candidate.to)
    });
    see(said || (!famous && deeds::figure(line, last, candidate.to)), Seen::Attribute);
    let perhaps = |hit: &Hit| hit.weak && line.sentence[hit.from] == sentence && hit.from >= candidate.to;
    see(!place && around.hits.iter().any(perhaps), Seen::WeakAttribute);
    see(fits, Seen::Fact);
    see(!fits && fits_beside(scene, school, at, candidate), Seen::FactBeside);
    see(is(LABELS, previous) && tokens[candidate.from].gap.has(Gap::COLON), Seen::Labelled);
    let longer = follows
        && !file_name
        && next_token.is_some_and(|t| t.kind == TokenKind::Word && t.case == Case::Capitalised)
        && next.chars().count() > 3
        && !is(ACTS, next)
        && !tokens.get(candidate.to + 1).is_some_and(|t| t.gap.has(Gap::COLON));
    see(longer, Seen::LongerName);
    if famous {
        see((0..tokens.len()).any(|at| near(at) && apart(at) && is(RENOWN, text.word(at))), Seen::Renown);
        let year = |at: usize| text.word(at).parse::<u32>().is_ok_and(|n| (1000..limits::HISTORY_BEFORE).contains(&n));
        let dated = |at: usize| near(at) && tokens[at].kind == TokenKind::Number && year(at);
        see((0..tokens.len()).any(dated), Seen::HistoryYear);
        see(directly && previous == "by", Seen::Maker);
    }
    if let Some(whole) = around.whole {
        whole.weigh(scene, school, at, candidate, &mut evidence);
    }
    evidence
}

/// What decides against a name whatever else is seen: an adult's, a part of another name, or of something that is named so.
fn ruled_out(scene: &Scene<'_>, school: &School, at: usize, candidate: &Candidate) -> Option<Seen> {
    let line = &scene.lines[at];
    let text = &line.text;
    if adult_meant(line, candidate) {
        return Some(Seen::Adult);
    }
    if part_of_a_longer_name(scene, at, candidate) {
        return Some(Seen::WithinLonger);
    }
    if candidate.comma && in_comma_list(line, candidate) {
        return Some(Seen::CommaList);
    }
    let class = |span: &Span| school.index().class(span.run).is_some();
    if candidate.comma && class(&candidate.forename) && class(&candidate.surname) && line.cell().is_none() {
        return Some(Seen::TwoClasses);
    }
    let makers = scene.column_heading(at).is_some_and(|head| {
        let text = &scene.lines[head].text;
        text.tokens.iter().any(|token| is(MAKERS, text.norm(token)))
    });
    if makers {
        return Some(Seen::MadeBy);
    }
    let next = text.tokens.get(candidate.to)?;
    let named_after = next.gap.blank()
        && !next.gap.has(Gap::NEWLINE)
        && next.case != Case::Lower
        && !text.tokens[candidate.to - 1].possessive
        && is(NAMED_AFTER, text.norm(next))
        && line.cell().is_none();
    named_after.then_some(Seen::NamedAfter)
}

/// A class, year or birth date in the same sentence, or a class or birth date near it, is that of a pupil of this name.
fn fits(scene: &Scene<'_>, school: &School, at: usize, candidate: &Candidate) -> bool {
    let line = &scene.lines[at];
    let sentence = line.sentence[candidate.from];
    scene.facts_near(at, candidate.from, candidate.to).iter().any(|fact| {
        (fact.to <= candidate.from || fact.from >= candidate.to)
            && line.sentence.get(fact.from).is_some_and(|&other| {
                // A year group is named in many a sentence; a class or a birth date stands below its pupil's name.
                other == sentence
                    || (!matches!(fact.fact, Fact::Year(_)) && other.abs_diff(sentence) <= limits::NEAR_SENTENCES)
            })
            && !matches!(fact.fact, Fact::Guardian(_))
            && school
                .index()
                .forename_with(candidate.forename.run, fact.fact)
                .iter()
                .any(|p| candidate.pupils.contains(p))
    })
}

/// `screams`, `tried`: ends as verbs do behind one name.
fn finite(word: &str) -> bool {
    word.len() > 3 && (word.ends_with("ed") || word.ends_with('s') && !word.ends_with("ss"))
}

/// `Glen de Buitléir`: a small word before the capital of a surname is in names alone.
fn particle(text: &Text<'_>, candidate: &Candidate) -> bool {
    let surname = &text.tokens[candidate.surname.from..candidate.surname.to];
    let forename = &text.tokens[candidate.forename.from];
    let [particles @ .., last] = surname else { return false };
    !particles.is_empty()
        && forename.case != Case::Lower
        && particles[0].case == Case::Lower
        && last.case != Case::Lower
        && surname[1..].iter().all(|token| token.gap.only(Gap::SPACE.or(Gap::NEWLINE)))
}

/// `Re: Sue Wise`, and nothing else in the line.
fn reference(text: &Text<'_>, candidate: &Candidate) -> bool {
    candidate.from == 1
        && candidate.to == text.tokens.len()
        && matches!(text.word(0), "re" | "ref" | "reference" | "regarding" | "concerning" | "subject")
}

/// A short form or another spelling, or a part of the surname, where more than one pupil bears the surname or the pupil is
/// known by another name.
fn singles_nobody_out(school: &School, candidate: &Candidate) -> bool {
    let index = school.index();
    !candidate.exact
        && (index.surname_bearers(candidate.surname.run) >= limits::SHARED_SURNAME
            || candidate.pupils.iter().all(|&pupil| school.pupil(pupil).is_some_and(|p| p.known_as.is_some())))
}

/// It stands as a pupil does: does something, has something said of it, or a fact or other pupils beside it.
fn spoken_of(
    scene: &Scene<'_>,
    school: &School,
    writers: &Writers,
    at: usize,
    candidate: &Candidate,
    around: &Around<'_>,
) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    let sentence = line.sentence[candidate.from];
    let apart = |at: usize| at < candidate.from || at >= candidate.to;
    let near = |at: usize| line.sentence[at].abs_diff(sentence) <= limits::NEAR_SENTENCES;
    let said = |other: usize| {
        scene.lines.get(other).filter(|beside| beside.document() == line.document()).is_some_and(|beside| {
            let hits = if other == at { beside.hits_near(candidate.from, candidate.to) } else { beside.hits() };
            let mut hits = hits.iter().take(limits::NAME_REACH).inspect(|_| step(1));
            hits.any(|hit| !hit.weak && (other != at || apart(hit.from) && near(hit.from)))
        })
    };
    let alone = candidate.from == 0 && candidate.to == text.tokens.len();
    let labelled = candidate.from.checked_sub(1).is_some_and(|before| is(LABELS, text.word(before)));
    let fits = scopes(scene, at, candidate.from).into_iter().take(2).flatten().any(|fact| {
        !matches!(fact.fact, Fact::Family(_) | Fact::Initial(_))
            && school
                .index()
                .forename_with(candidate.forename.run, fact.fact)
                .iter()
                .any(|p| candidate.pupils.contains(p))
    });
    let child = line.near(candidate.from, candidate.to).any(|at| near(at) && apart(at) && is(CHILD, text.word(at)));
    subject(line, candidate)
        || text.tokens[candidate.to - 1].possessive
        || candidate.middle
        || candidate.listed && around.others
        || labelled
        || fits
        || child
        || fits_beside(scene, school, at, candidate)
        || said(at)
        || row(scene, at).any(said)
        || (alone && said(at + 1))
        || matches!(scene.kind(at), Kind::FileName)
        || young(text, candidate)
        || candidate.pupils.iter().any(|pupil| writers.children.contains(pupil))
}

/// It begins a clause: a verb in small letters behind it, and before it nothing that would make it an object.
fn subject(line: &Line<'_>, candidate: &Candidate) -> bool {
    let text = &line.text;
    let word = text.word(candidate.to);
    let joins =
        |word: &str| matches!(word, "and" | "or" | "of" | "by" | "to" | "from" | "with" | "for" | "as" | "than");
    let verb = text.tokens.get(candidate.to).is_some_and(|next| {
        next.gap.blank()
            && next.kind == TokenKind::Word
            && next.case == Case::Lower
            && !joins(word)
            && !is(ARTICLES, word)
            && !is(PREPOSITIONS, word)
    });
    let object =
        candidate.from.checked_sub(1).filter(|_| !text.tokens[candidate.from].sentence_start).is_some_and(|at| {
            let word = text.word(at);
            text.tokens[candidate.from].gap.blank()
                && word != "that"
                && (joins(word) || is(ANNOUNCES, word) || is(PREPOSITIONS, word))
        });
    verb && !object
}

/// The other cells of the row.
fn row<'s>(scene: &'s Scene<'_>, at: usize) -> impl Iterator<Item = usize> + 's {
    let key = |at: usize| {
        let line = &scene.lines[at];
        (line.document(), line.block(), line.cell().map(|cell| cell.0))
    };
    let lines = if scene.lines[at].cell().is_some() {
        at.saturating_sub(limits::NAME_REACH)..(at + limits::NAME_REACH).min(scene.lines.len())
    } else {
        at..at
    };
    lines.filter(move |&other| other != at && key(other) == key(at))
}

/// A form filled in line by line: the birth date, the address or, on a line of its own, the class of a pupil of this name
/// stands a few lines above or below.
fn fits_beside(scene: &Scene<'_>, school: &School, at: usize, candidate: &Candidate) -> bool {
    let document = scene.lines[at].document();
    (at.saturating_sub(limits::NEAR_LINES)..=at + limits::NEAR_LINES).filter(|&beside| beside != at).any(|beside| {
        let Some(line) = scene.lines.get(beside).filter(|l| l.document() == document && l.cell().is_none()) else {
            return false;
        };
        scene.facts_of(beside).iter().take(limits::NAME_REACH).any(|fact| {
            step(1);
            let telling = match fact.fact {
                Fact::Born(_) | Fact::Postcode(_) | Fact::Street(_) => true,
                Fact::Class(_) => line.text.tokens.len() <= limits::FORM_LINE,
                Fact::Year(_) | Fact::Initial(_) | Fact::Guardian(_) | Fact::Family(_) => false,
            };
            telling
                && school
                    .index()
                    .forename_with(candidate.forename.run, fact.fact)
                    .iter()
                    .any(|pupil| candidate.pupils.contains(pupil))
        })
    })
}

/// `Amy Smith` inside `Amy Smith-Jones` or `Mary-Amy Smith` is neither.
fn part_of_a_longer_name(scene: &Scene<'_>, at: usize, candidate: &Candidate) -> bool {
    if matches!(scene.kind(at), Kind::FileName) {
        return false;
    }
    let tokens = &scene.lines[at].text.tokens;
    let hyphened = |index: usize| tokens.get(index).is_some_and(|t| t.gap.only(Gap::HYPHEN) && !t.gap.joined());
    let small = tokens[candidate.to - 1].case == Case::Lower;
    let capital = |index: usize| tokens[index].kind == TokenKind::Word && (small || tokens[index].case != Case::Lower);
    hyphened(candidate.to) && capital(candidate.to)
        || (candidate.from > 0 && hyphened(candidate.from) && tokens[candidate.from - 1].kind == TokenKind::Word)
}

/// `James, Oliver, Thomas`: forenames in a row, not a surname before a forename.
fn in_comma_list(line: &Line<'_>, candidate: &Candidate) -> bool {
    let tokens = &line.text.tokens;
    if tokens[candidate.surname.from].case == Case::Upper && tokens[candidate.forename.from].case != Case::Upper {
        return false;
    }
    let before = candidate.from > 0 && tokens[candidate.from].gap.has(Gap::COMMA);
    let after = tokens.get(candidate.to).is_some_and(|t| t.gap.has(Gap::COMMA) && !t.gap.has(Gap::NEWLINE));
    before || (after && line.cell().is_none() && candidate.surname.part.pupil_forename)
}

/// The sender's own name, by itself or with what the sender is, is a sign-off.
pub(super) fn own_signature(scene: &Scene<'_>, at: usize, candidate: &Candidate, writers: &Writers) -> bool {
    let line = &scene.lines[at];
    let tokens = &line.text.tokens;
    let run = line.text.run(candidate.from, candidate.to);
    if !matches!(scene.kind(at), Kind::Body) || !writers.sender.contains(&run) {
        return false;
    }
    let sentence = line.sentence[candidate.from];
    let closing = candidate.from.checked_sub(1).is_none_or(|before| {
        line.sentence[before] != sentence
            || is(GREETINGS, line.text.word(before))
            || tokens[candidate.from].gap.has(Gap::NEWLINE)
    });
    let rest: Vec<usize> = (candidate.to..tokens.len()).take_while(|&at| line.sentence[at] == sentence).collect();
    let set_off = tokens.get(candidate.to).is_none_or(|next| !next.gap.only(Gap::SPACE));
    closing
        && (rest.is_empty()
            || (set_off && rest.len() <= limits::ROLE_TOKENS && !rest.iter().any(|&at| is(ACTS, line.text.word(at)))))
}
