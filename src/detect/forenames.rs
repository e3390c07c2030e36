//! Forenames: who is meant when no surname stands beside.
//!
//! A forename is a candidate that some fact of its surroundings must narrow to exactly one pupil of the roster, nearest
//! surroundings first (`narrow`); a bare forename of somebody identified elsewhere in the message refers to that pupil.

mod narrow;

use hashbrown::{HashMap, HashSet};

use self::narrow::narrow;
use super::Confidence;
use super::initials::{by_initial, of_a_longer_name};
use super::names::{Mention, Span, Spans, Taken, Writers, titled};
use super::neighbours;
use super::scene::{FactAt, Scene};
use super::words::{ACTS, ANNOUNCES, CHILD, GREETINGS, is};
use super::work::step;
use super::world::PLACES;
use crate::limits;
use crate::people::index::Fact;
use crate::people::names::Wordness;
use crate::people::{PupilIndex, School};
use crate::text::normalise::{Case, Gap, TokenKind};
use crate::text::{Kind, Run, Text};

/// Facts around a token, nearest surroundings first: its sentence, its paragraph or row, the heading above, the subject,
/// file or sheet name, the signature and the greeting.
pub(super) fn scopes<'s>(scene: &'s Scene<'_>, at: usize, token: usize) -> Vec<Vec<&'s FactAt>> {
    let line = &scene.lines[at];
    let mut out: Vec<Vec<&FactAt>> = Vec::new();
    let all = scene.facts_of(at);
    let first = all.partition_point(|fact| fact.from + limits::NAME_REACH < token);
    let own = &all[first..all.partition_point(|fact| fact.from <= token + limits::NAME_REACH).max(first)];
    let sentence = line.sentence.get(token).copied().unwrap_or_default();
    let distance = |fact: &&FactAt| {
        let far = fact.from.abs_diff(token);
        // What follows belongs a little more than what stands before: `Leo (Willow), Molly (Oak)`.
        if fact.from > token { far * 2 } else { far * 2 + 3 }
    };
    let mut near: Vec<&FactAt> =
        own.iter().filter(|fact| line.sentence[fact.from.min(line.sentence.len() - 1)] == sentence).collect();
    near.sort_by_key(distance);
    out.push(near);
    if let Some((row, _)) = line.cell() {
        let range = &scene.of_document[line.document()];
        let same = |&other: &usize| {
            step(1);
            scene.lines[other].cell().map(|c| c.0) == Some(row) && scene.lines[other].block() == line.block()
        };
        let before = (range.start..at).rev().take(limits::NAME_REACH).take_while(same);
        let start = before.last().unwrap_or(at);
        let cells = (start..range.end).take_while(same);
        out.push(cells.take(limits::NAME_REACH * 2).flat_map(|other| scene.facts_of(other)).collect());
    } else {
        let mut rest: Vec<&FactAt> = own.iter().collect();
        rest.sort_by_key(distance);
        out.push(rest);
    }
    // The nearest short line above that names a class or year; a row of the same table may be one.
    let range = &scene.of_document[line.document()];
    let lowest = range.start.max(at.saturating_sub(limits::HEADING_REACH));
    let above = &scene.announcing[..scene.announcing.partition_point(|&other| other < at)];
    let mut above = above.iter().rev().take_while(|&&other| other >= lowest);
    if let Some(&heading) =
        above.find(|&&other| scene.lines[other].cell().is_none() || scene.lines[other].block() == line.block())
    {
        out.push(scene.facts_of(heading).iter().collect());
    }
    // The paragraph before.
    if line.cell().is_none() && at > range.start && scene.lines[at - 1].cell().is_none() {
        let facts = scene.facts_of(at - 1);
        out.push(facts[facts.len().saturating_sub(limits::NAME_REACH)..].iter().collect());
    }
    if let Some(wide) = scene.wide.get(line.document()) {
        out.push(wide.named.iter().collect());
        out.push(wide.signature.iter().chain(&wide.greeting).collect());
        out.push(wide.guardians.iter().collect());
    }
    out
}

pub(super) fn forenames(
    scene: &Scene<'_>,
    school: &School,
    writers: &Writers,
    spans: &Spans,
    mentions: &mut Vec<Mention>,
    taken: &Taken,
) {
    let mut bare: Vec<(usize, Span)> = Vec::new();
    // Forenames that stand in the message with a surname of no pupil.
    let strangers: HashSet<u64> = spans
        .lines()
        .flat_map(|(at, found)| found.iter().map(move |span| (at, span)))
        .filter(|(at, span)| span.part.pupil_forename && taken.leaves(*at, span.from..span.to))
        .filter(|(at, span)| neighbours::surname_behind(scene, *at, span.to))
        .map(|(_, span)| span.run.hash)
        .collect();
    let named = Named::of(scene, school, mentions);
    for (at, found) in spans.lines() {
        if scene.lines[at].footer {
            continue;
        }
        let mut last = 0;
        for (place, span) in found.iter().enumerate() {
            // Spans stand in the order of their beginnings, the shorter first.
            let longer = found[place + 1..]
                .iter()
                .take_while(|other| other.from == span.from)
                .inspect(|_| step(1))
                .any(|other| other.to > span.to && other.part.pupil_forename);
            if span.from < last
                || longer
                || !span.part.pupil_forename
                || !taken.leaves(at, span.from..span.to)
                || !may_be_forename(scene, school, writers, at, span)
            {
                continue;
            }
            last = span.to;
            let narrowed = narrow(scene, school, at, span, strangers.contains(&span.run.hash));
            match narrowed.filter(|(pupil, ..)| !named.somebody_else(scene, school, at, span, *pupil)) {
                Some((pupil, because, to)) => mentions.push(Mention {
                    line: at,
                    from: span.from,
                    to,
                    pupils: vec![pupil],
                    identifies: true,
                    confidence: Confidence::Medium,
                    because,
                }),
                None => bare.push((at, *span)),
            }
        }
    }
    refer_back(school, &bare, mentions);
}

/// Pupils of whom a document names one in full, by document, with the line and token where each is first named.
struct Named(HashMap<usize, Vec<(usize, usize, PupilIndex)>>);

impl Named {
    fn of(scene: &Scene<'_>, school: &School, mentions: &[Mention]) -> Self {
        let mut out: HashMap<usize, Vec<_>> = HashMap::new();
        for mention in mentions.iter().filter(|mention| mention.identifies) {
            let [pupil] = mention.pupils[..] else { continue };
            let tokens = mention.to - mention.from;
            if tokens > 1 && school.pupil(pupil).is_some() && scene.lines[mention.line].cell().is_none() {
                let of_document = out.entry(scene.lines[mention.line].document()).or_default();
                if of_document.len() < limits::NAME_REACH {
                    of_document.push((mention.line, mention.to, pupil));
                }
            }
        }
        Self(out)
    }

    /// The text has named another pupil of this forename in full, and nothing right beside the forename says that this one is meant:
    /// `Niamh Emmerson 6S and Aidan Emmerson Finches: Niamh scored …`.
    fn somebody_else(&self, scene: &Scene<'_>, school: &School, at: usize, span: &Span, pupil: PupilIndex) -> bool {
        let line = &scene.lines[at];
        let Some(named) = self.0.get(&line.document()).filter(|_| line.cell().is_none()) else { return false };
        let before = named.iter().inspect(|_| step(1)).filter(|(other, to, _)| (*other, *to) <= (at, span.from));
        let called = |other: PupilIndex| {
            school
                .pupil(other)
                .is_some_and(|p| school.index().full_name(span.run, Run::of(&p.surname)).contains(&other))
        };
        let mut of_this_name = before.map(|(.., other)| *other).filter(|other| called(*other)).peekable();
        let another = of_this_name.peek().is_some() && of_this_name.all(|other| other != pupil);
        let same = |token: usize| line.sentence.get(token) == line.sentence.get(span.from);
        let beside = |fact: &FactAt| {
            let behind = fact.from >= span.to && fact.from - span.to <= 1 && same(fact.from);
            (behind || fact.to == span.from && same(fact.from))
                && school.index().forename_with(span.run, fact.fact).contains(&pupil)
        };
        another && !scene.facts_near(at, span.from, span.to).iter().any(beside)
    }
}

/// Bare forenames of pupils who are identified elsewhere in the message.
fn refer_back(school: &School, bare: &[(usize, Span)], mentions: &mut Vec<Mention>) {
    let known: Vec<PupilIndex> = {
        let mut all: Vec<_> = mentions.iter().filter(|m| m.pupils.len() == 1).map(|m| m.pupils[0]).collect();
        all.sort();
        all.dedup();
        all
    };
    let theirs = |run: Run| -> Vec<PupilIndex> {
        let bearers = school.index().bearers(run).filter(|pupil| {
            step(1);
            known.binary_search(pupil).is_ok()
        });
        let meant = |pupil: &PupilIndex| {
            school.pupil(*pupil).is_some_and(|p| school.index().full_name(run, Run::of(&p.surname)).contains(pupil))
        };
        let mut out: Vec<PupilIndex> = bearers.filter(meant).collect();
        out.sort();
        out.dedup();
        out
    };
    let mut by_forename: HashMap<Run, Vec<PupilIndex>> = HashMap::new();
    for &(_, span) in bare {
        by_forename.entry(span.run).or_insert_with(|| theirs(span.run));
    }
    for &(at, span) in bare {
        if let Some([pupil]) = by_forename.get(&span.run).map(Vec::as_slice) {
            mentions.push(Mention {
                line: at,
                from: span.from,
                to: span.to,
                pupils: vec![*pupil],
                identifies: false,
                confidence: Confidence::Low,
                because: "forename of a pupil identified elsewhere in the message".into(),
            });
        }
    }
}

/// Whether a forename stands as one: written as a name, of no other full name, no greeting, no sign-off, no place.
fn may_be_forename(scene: &Scene<'_>, school: &School, writers: &Writers, at: usize, span: &Span) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    let tokens = &text.tokens;
    let token = &tokens[span.from];
    let common = span.part.wordness == Wordness::Common;
    if token.case == Case::Lower
        && (span.part.wordness > Wordness::Name || tokens[span.from..span.to].iter().all(|t| text.norm(t).len() < 4))
    {
        return false;
    }
    if token.kind != TokenKind::Word || text.norm(token).chars().count() < 2 {
        return false;
    }
    if of_a_longer_name(scene, at, span) || (line.cell().is_some() && surname_in_its_own_cell(scene, at)) {
        return false;
    }
    let previous = span.from.checked_sub(1).map_or("", |before| text.word(before));
    let directly = token.gap.only(Gap::SPACE.or(Gap::STOP));
    if titled(text, span.from)
        || (directly && is(GREETINGS, previous) && matches!(scene.kind(at), Kind::Body | Kind::Quoted))
    {
        return false;
    }
    // `Hi both` is no greeting of a pupil, `Hi Sam and Jo` greets two.
    if previous == "and" && span.from >= 3 && is(GREETINGS, text.word(span.from - 3)) {
        return false;
    }
    let next = tokens.get(span.to);
    let next_word = text.word(span.to);
    // `in June`, `the first of May`, `early April`
    let dated = matches!(
        previous,
        "in" | "of"
            | "by"
            | "until"
            | "till"
            | "since"
            | "early"
            | "late"
            | "mid"
            | "during"
            | "before"
            | "after"
            | "every"
            | "last"
            | "next"
            | "this"
            | "to"
            | "end"
            | "through"
            | "and"
            | "or"
            | "from"
            | "for"
            | "on"
            | "th"
            | "st"
            | "nd"
            | "rd"
    ) || span.from.checked_sub(1).is_some_and(|at| tokens[at].kind != TokenKind::Word);
    let fact_beside = !scene.facts_from(at, span.to).is_empty()
        || by_initial(scene, school, at, span).is_some_and(|fits| !fits.is_empty());
    let year_beside = next.is_some_and(|next| next.gap.only(Gap::SPACE) && next.kind == TokenKind::Number);
    if calendar(text.norm(token))
        && !token.possessive
        && line.cell().is_none()
        && ((dated && !fact_beside && !in_a_list_of_forenames(school, text, span)) || year_beside)
    {
        return false;
    }
    // `Henry VIII`, `Max. 30`, `Art. 9`
    if next.is_some_and(|next| {
        (next.gap.only(Gap::SPACE) && next.case == Case::Upper && is(REGNAL, next_word))
            || (next.gap.has(Gap::STOP) && next.kind == TokenKind::Number && text.norm(token).len() <= 4)
    }) {
        return false;
    }
    if neighbours::surname_behind(scene, at, span.to) {
        return false;
    }
    if let Some(next) = next
        && next.gap.only(Gap::SPACE)
        && !tokens[span.to - 1].possessive
        && !(token.case != Case::Lower && introduces_fact(scene, school, at, span))
    {
        if is(PLACES, next_word)
            && (next.case != Case::Lower || span.part.wordness > Wordness::Name)
            && next_word != "group"
        {
            return false;
        }
        // Another capitalised word: somebody else's full name, unless it is a class, a year or an initial.
        let initial = next_word.chars().count() <= 3 && next.case == Case::Upper;
        let fact = !scene.facts_from(at, span.to).is_empty();
        if next.case != Case::Lower
            && next.kind == TokenKind::Word
            && !initial
            && !fact
            && token.case == Case::Capitalised
            && next.case == Case::Capitalised
            && !is(ACTS, next_word)
            && !calendar(next_word)
        {
            return false;
        }
        // `Daisy chains optional`: a capital that only the sentence gave, and no verb behind it.
        let joins = is(ACTS, next_word)
            || matches!(
                next_word,
                "and"
                    | "in"
                    | "from"
                    | "with"
                    | "for"
                    | "or"
                    | "both"
                    | "at"
                    | "to"
                    | "as"
                    | "seems"
                    | "really"
                    | "just"
                    | "x"
            );
        if span.part.wordness > Wordness::Name
            && token.sentence_start
            && next.case == Case::Lower
            && !joins
            && next.kind == TokenKind::Word
        {
            return false;
        }
        if common
            && next.case == Case::Lower
            && !written_as_name(text, span)
            && !in_a_list_of_forenames(school, text, span)
        {
            return false;
        }
    }
    if next.is_some_and(|n| {
        n.gap.only(Gap::HYPHEN) && !n.gap.joined() && n.kind == TokenKind::Word && n.case != Case::Lower
    }) {
        return false;
    }
    // Part of somebody's full name: a capitalised forename just before.
    if let Some(before) = span.from.checked_sub(1)
        && token.gap.only(Gap::SPACE)
        && tokens[before].case == Case::Capitalised
        && !tokens[before].sentence_start
        && !tokens[before].possessive
        && span.part.wordness > Wordness::Name
        && !is(ANNOUNCES, previous)
        && !is(GREETINGS, previous)
        && !scene.facts_near(at, span.from, span.to).iter().any(|fact| fact.to == span.from)
    {
        return false;
    }
    if span.part.pupil_surname && neighbours::forename_before(scene, school, at, span.from) {
        return false;
    }
    // The class of that name: `Holly class`.
    if school.index().class(span.run).is_some()
        && scene.facts_from(at, span.from).iter().any(|fact| matches!(fact.fact, Fact::Class(_)))
    {
        let said = matches!(
            next_word,
            "class" | "classes" | "teacher" | "children" | "pupils" | "parents" | "team" | "form" | "room"
        );
        let within = matches!(previous, "in" | "from" | "class" | "of" | "all" | "to") && token.gap.only(Gap::SPACE);
        if said || within {
            return false;
        }
    }
    // Alone on its line: a sign-off or a salutation of somebody the school knows as an adult, or of the writers.
    let sentence = line.sentence[span.from];
    let (first, end) = (|s: &u32| *s < sentence, |s: &u32| *s <= sentence);
    let words = line.sentence.partition_point(end) - line.sentence.partition_point(first);
    let alone = words == span.to - span.from;
    let correspondence = matches!(scene.kind(at), Kind::Body | Kind::Quoted);
    // `Ravi, 10B, absent again`: what follows the comma is a fact, so nobody is addressed.
    let with_fact = !scene.facts_from(at, span.to).is_empty();
    if alone && correspondence && line.cell().is_none() {
        let writer = writers.sender.contains(&span.run) || writers.recipient.contains(&span.run);
        let first = span.from == 0
            && scene.of_document[line.document()].start == at
            && !with_fact
            && next.is_some_and(|n| n.gap.has(Gap::COMMA));
        let last =
            span.to == tokens.len() && (span.from == 0 || token.gap.has(Gap::NEWLINE)) && span.part.adult_forename;
        if writer || first || last {
            return false;
        }
    }
    // `Jan, can we …`: a salutation at the very start.
    if correspondence
        && span.from == 0
        && scene.of_document[line.document()].start == at
        && next.is_some_and(|n| n.gap.has(Gap::COMMA.or(Gap::HYPHEN)))
        && line.cell().is_none()
        && !with_fact
    {
        return !(writers.recipient.contains(&span.run) || span.part.adult_forename);
    }
    true
}

/// `Grant in 10B`, `Bonnie of 83 Mill Lane`: a class, an address or a birth date of somebody so called follows, which no word
/// has.
fn introduces_fact(scene: &Scene<'_>, school: &School, at: usize, span: &Span) -> bool {
    let text = &scene.lines[at].text;
    matches!(text.word(span.to), "in" | "of" | "from" | "at")
        && scene.facts_from(at, span.to + 1).iter().any(|fact| {
            !matches!(fact.fact, Fact::Guardian(_))
                // `Grant in Year 9` may be money, unless it does something.
                && (!matches!(fact.fact, Fact::Year(_)) || is(ACTS, text.word(fact.to)))
                && !school.index().forename_with(span.run, fact.fact).is_empty()
        })
}

/// The row has a surname in a column of its own: with the forename it made a full name of the roster, or it is a stranger's.
fn surname_in_its_own_cell(scene: &Scene<'_>, at: usize) -> bool {
    let line = &scene.lines[at];
    let key = |at: usize| {
        let other = &scene.lines[at];
        (other.document(), other.block(), other.cell().map(|cell| cell.0))
    };
    let lines = &scene.of_document[line.document()];
    let same = |&other: &usize| key(other) == key(at);
    let before = (lines.start..at).rev().take(limits::NAME_REACH).take_while(same);
    let after = (at + 1..lines.end).take(limits::NAME_REACH).take_while(same);
    before.chain(after).any(|other| {
        step(1);
        let heading = scene.column_heading(other).map(|heading| &scene.lines[heading].text);
        let surnames = heading.is_some_and(|text| {
            text.tokens.iter().any(|token| matches!(text.norm(token), "surname" | "last" | "family" | "lastname"))
        });
        let text = &scene.lines[other].text;
        surnames && text.tokens.first().is_some_and(|token| text.norm(token).chars().count() > 2)
    })
}

/// What follows the names of kings; a single letter may be a surname's initial.
const REGNAL: &[&str] = &["ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii", "xiii", "xiv", "xv", "xvi"];

/// Behind a word these carry any sentence along: `Justice will be done`, `May was dry`.
const COPULAS: &[&str] = &["is", "was", "will", "can", "may", "must", "should", "would", "could", "has", "had"];

/// A word as forename, with no more to say that it is one than the start of a sentence and a verb that anything takes.
fn abstract_subject(text: &Text<'_>, sentences: &[u32], span: &Span) -> bool {
    let token = &text.tokens[span.from];
    if span.part.wordness == Wordness::Name || !token.sentence_start || token.possessive {
        return false;
    }
    let next = text.tokens.get(span.to).filter(|next| next.gap.blank());
    let set_off = text.tokens.get(span.to).is_some_and(|next| next.gap.has(Gap::COMMA));
    let near = |at: usize| sentences[at].abs_diff(sentences[span.from]) <= 1;
    let reach = span.from.saturating_sub(limits::NAME_REACH)..(span.to + limits::NAME_REACH).min(text.tokens.len());
    let child = reach.inspect(|_| step(1)).any(|at| near(at) && is(CHILD, text.word(at)));
    !child && (set_off || next.is_some_and(|next| is(COPULAS, text.norm(next))))
}

/// A day, a month, a season or a feast: written with a capital, and no name by that.
pub(super) fn calendar(word: &str) -> bool {
    const MONTHS_AND_DAYS: [&str; 25] = [
        "summer",
        "autumn",
        "winter",
        "spring",
        "easter",
        "christmas",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    MONTHS_AND_DAYS.contains(&word)
}

/// A capital inside a sentence, a possessive or a verb behind: no modal verb, no month.
fn written_as_name(text: &Text<'_>, span: &Span) -> bool {
    let token = &text.tokens[span.from];
    let next = text.tokens.get(span.to);
    let acts = next.is_some_and(|n| n.gap.only(Gap::SPACE) && is(ACTS, text.norm(n)));
    let month = calendar(text.norm(token));
    let acts = acts && !(month && next.is_some_and(|n| is(COPULAS, text.norm(n))));
    token.case != Case::Lower && ((token.possessive && !month) || acts || (!token.sentence_start && !month))
}

/// `Rowan, Finlay and Dominik`: the next or the one before in a list is a forename and no class.
fn in_a_list_of_forenames(school: &School, text: &Text<'_>, span: &Span) -> bool {
    let index = school.index();
    let forename = |at: usize| {
        let run = text.tokens.get(at).map(|token| text.run_of(token));
        run.is_some_and(|run| index.class(run).is_none() && index.part_of(run).is_some_and(|part| part.pupil_forename))
    };
    let listed = |gap: Gap| gap.has(Gap::COMMA) && gap.only(Gap::COMMA.or(Gap::SPACE));
    let after = match text.tokens.get(span.to) {
        Some(next) if listed(next.gap) => forename(span.to),
        Some(next) if next.gap.only(Gap::SPACE) && matches!(text.norm(next), "and" | "or") => forename(span.to + 1),
        _ => false,
    };
    let token = &text.tokens[span.from];
    let before = span.from.checked_sub(1).is_some_and(|at| {
        if listed(token.gap) {
            forename(at)
        } else {
            matches!(text.word(at), "and" | "or") && at > 0 && forename(at - 1)
        }
    });
    after || before
}
