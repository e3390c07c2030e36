//! Which pupil a forename means: the facts around it, nearest first, until one pupil is left.
//!
//! Knows facts and the roster; whether the forename stands as one is settled before (`super`).

use std::borrow::Cow;

use super::{abstract_subject, calendar, in_a_list_of_forenames, scopes, written_as_name};
use crate::detect::initials::by_initial;
use crate::detect::names::Span;
use crate::detect::scene::{FactAt, Line, Scene};
use crate::detect::words::{CHILD, GOES_ON, SIBLINGS, is};
use crate::detect::work::step;
use crate::limits;
use crate::people::index::Fact;
use crate::people::names::Wordness;
use crate::people::{PupilIndex, School};
use crate::text::normalise::{Case, Gap};
use crate::text::{Kind, Run, Text};

/// The one pupil that the forename with the facts around it leaves, why, and where the mention ends. A `stranger` of that forename
/// stands in full somewhere in the message.
pub(super) fn narrow(
    scene: &Scene<'_>,
    school: &School,
    at: usize,
    span: &Span,
    stranger: bool,
) -> Option<(PupilIndex, Cow<'static, str>, usize)> {
    let line = &scene.lines[at];
    let text = &line.text;
    let index = school.index();
    let common = span.part.wordness == Wordness::Common && !written_as_name(text, span);
    let subject = abstract_subject(text, line.sentence, span) && !in_a_list_of_forenames(school, text, span);
    // A forename that is also a class's name is the class, unless the surname's initial or a class of its own stands right beside it.
    let class_too = index.class(span.run).is_some();
    if let Some(pupil) = of_a_family_beside(line, school, span) {
        return Some((pupil, "forename and the family named beside".into(), span.to));
    }
    if let Some(pupil) = of_the_next_ones_family(text, school, span) {
        return Some((pupil, "forename before the full name of somebody of the same family".into(), span.to));
    }
    let writes = writers_facts_count(scene, at, span);
    let mut left: Option<Vec<PupilIndex>> = None;
    let mut to = span.to;
    if let Some(fits) = by_initial(scene, school, at, span) {
        to = span.to + 1;
        match fits[..] {
            [pupil] => return Some((pupil, "forename and surname's initial".into(), to)),
            [] => return None,
            _ => left = Some(fits),
        }
    }
    for (scope, facts) in scopes(scene, at, span.from).into_iter().enumerate() {
        for fact in facts {
            if fact.line == at && fact.from < span.to && fact.to > span.from {
                continue;
            }
            let counts = writes && of_the_writers(scene, at, fact);
            // Whoever is greeted has colleagues and friends to write of too.
            if matches!(fact.fact, Fact::Family(_)) && !counts {
                continue;
            }
            // A common word as a forename wants its fact in the same sentence, row or heading, or of the writers.
            if common && scope > 2 && !counts {
                continue;
            }
            if subject && !counts && (scope > 0 || fact.line != at) && line.cell().is_none() {
                continue;
            }
            // A forename of staff too wants its fact in the same paragraph, row or heading, and in the text itself.
            let far = scope > 2 || scene.lines[fact.line].document() != line.document();
            if span.part.staff_forename && far && !counts && !matches!(fact.fact, Fact::Guardian(_)) {
                continue;
            }
            if !counts && passing(scene, at, span, scope, fact, writes) {
                continue;
            }
            if class_too && !right_beside(scene, school, at, span, fact) {
                continue;
            }
            let fits = index.forename_with(span.run, fact.fact);
            let fits: Vec<PupilIndex> = match &left {
                Some(left) => fits.into_iter().filter(|pupil| left.contains(pupil)).collect(),
                None => fits,
            };
            match fits[..] {
                [] => {}
                // `timings from Theo`, where a Theo White stands in full and only a Theodore has a parent in the message.
                [pupil]
                    if stranger
                        && matches!(fact.fact, Fact::Guardian(_) | Fact::Family(_))
                        && !called(school, pupil, span) => {}
                [pupil] => {
                    let because = match fact.fact {
                        Fact::Class(_) => "forename and class",
                        Fact::Year(_) => "forename and year group",
                        Fact::Born(_) => "forename and date of birth",
                        Fact::Postcode(_) | Fact::Street(_) => "forename and home address",
                        Fact::Guardian(_) => "forename and a guardian's full name",
                        Fact::Initial(_) => "forename and surname's initial",
                        Fact::Family(_) => "forename and the family greeted",
                    };
                    return Some((pupil, because.into(), to));
                }
                _ => left = Some(fits),
            }
        }
    }
    None
}

/// `the Harris boys, Adam and Luke`, `Adam and Luke, the Harris twins`: a family whose children are spoken of in the same
/// sentence, and the one of this forename.
fn of_a_family_beside(line: &Line<'_>, school: &School, span: &Span) -> Option<PupilIndex> {
    let text = &line.text;
    let index = school.index();
    let sentence = line.sentence[span.from];
    let nearby = line.near(span.from, span.to).filter(|&at| line.sentence[at] == sentence && at != span.from);
    // `Harris Brothers Ltd` is a firm.
    let siblings = |&at: &usize| {
        let token = &text.tokens[at];
        is(SIBLINGS, text.norm(token)) && token.case == Case::Lower && token.gap.only(Gap::SPACE)
    };
    for siblings in nearby.filter(siblings) {
        step(1);
        let surname = (siblings.saturating_sub(limits::NAME_PART)..siblings).find(|&from| {
            let run = text.run(from, siblings);
            (from >= span.to || siblings <= span.from)
                && text.tokens[from].case != Case::Lower
                && index.part_of(run).is_some_and(|part| part.pupil_surname)
        });
        let Some(from) = surname else { continue };
        if let [pupil] = index.forename_with(span.run, Fact::Family(text.run(from, siblings).hash))[..] {
            return Some(pupil);
        }
    }
    None
}

/// `Leon and Tia Dixon`, `Leon, Sam and Tia Dixon`: forenames joined to the full name of a pupil, of whose family there is one of this
/// forename.
fn of_the_next_ones_family(text: &Text<'_>, school: &School, span: &Span) -> Option<PupilIndex> {
    const COMMA: Gap = Gap::COMMA.or(Gap::SPACE).or(Gap::NEWLINE);
    let index = school.index();
    let mut at = span.to;
    for _ in 0..limits::SIBLINGS {
        step(1);
        let gap = text.tokens.get(at)?.gap;
        let joins = text.word(at) == "and" && gap.blank();
        if !(joins || gap.only(COMMA.or(Gap::OTHER)) && gap.has(Gap::COMMA.or(Gap::OTHER))) {
            return None;
        }
        at += usize::from(joins);
        let ends = (1..=limits::NAME_PART).map(|length| at + length);
        let to = ends.rev().find(|&to| {
            to <= text.tokens.len() && index.part_of(text.run(at, to)).is_some_and(|part| part.pupil_forename)
        })?;
        let surname = (to + 1..=to + limits::NAME_PART).rev().find(|&end| {
            end <= text.tokens.len()
                && text.tokens[to].gap.blank()
                && text.tokens[end - 1].case != Case::Lower
                && !index.full_name(text.run(at, to), text.run(to, end)).is_empty()
        });
        if let Some(end) = surname {
            let family = index.forename_with(span.run, Fact::Family(text.run(to, end).hash));
            return if let [pupil] = family[..] { Some(pupil) } else { None };
        }
        at = to;
    }
    None
}

/// The roster itself calls the pupil so.
fn called(school: &School, pupil: PupilIndex, span: &Span) -> bool {
    school.pupil(pupil).is_some_and(|pupil| school.index().full_name_is_exact(span.run, Run::of(&pupil.surname)))
}

/// A class or a year that is spoken of beside the forename, and not as its own: one of many in a sentence, one that is taught,
/// or one in another sentence where nothing is said of a pupil.
fn passing(scene: &Scene<'_>, at: usize, span: &Span, scope: usize, fact: &FactAt, said: bool) -> bool {
    let line = &scene.lines[at];
    // `our Year 7s`, and in small letters no class 7S
    let year = match fact.fact {
        Fact::Year(_) => true,
        Fact::Class(_) => {
            fact.line == at
                && line.text.tokens[fact.to - 1].case != Case::Upper
                && fact.to.checked_sub(2).is_some_and(|before| matches!(line.text.word(before), "year" | "yr"))
        }
        _ => false,
    };
    let many = fact.line == at
        && year
        && line.text.word(fact.to - 1).strip_suffix('s').is_some_and(|n| n.parse::<u8>().is_ok());
    if many && line.cell().is_none() && !said && !some_of(&line.text, fact) {
        return true;
    }
    let group = |fact: &Fact| matches!(fact, Fact::Class(_) | Fact::Year(_));
    if line.cell().is_some()
        || fact.line != at
        || !group(&fact.fact)
        || !matches!(scene.kind(at), Kind::Body | Kind::Quoted)
    {
        return false;
    }
    if scope > 0 {
        // `Arlo is coming too. He is in Holly.`
        let sentence = line.sentence[fact.from];
        let first = line.sentence.partition_point(|&other| other < sentence);
        let goes_on = sentence.checked_sub(1) == Some(line.sentence[span.from]) && is(GOES_ON, line.text.word(first));
        return !said && !goes_on;
    }
    let beside = fact.from.abs_diff(span.to).min(span.from.abs_diff(fact.to)) <= limits::BESIDE;
    let taught = fact.from.checked_sub(1).is_some_and(|before| line.text.word(before) == "with");
    let sentence = line.sentence[span.from];
    let mut all: Vec<Fact> = Vec::new();
    for other in scene.facts_near(at, span.from, span.to).iter().filter(|other| line.sentence[other.from] == sentence) {
        if group(&other.fact) && !all.contains(&other.fact) {
            all.push(other.fact);
        }
    }
    taught || (!beside && all.len() >= limits::MANY_GROUPS)
}

/// `a handful of Year 5s`, `two of our Year 5s`: who they are is told beside.
fn some_of(text: &Text<'_>, fact: &FactAt) -> bool {
    let year = matches!(text.word(fact.from), "year" | "yr" | "years");
    let from = if year { fact.from } else { fact.from.saturating_sub(1) };
    let before = |back: usize| from.checked_sub(back).map_or("", |at| text.word(at));
    before(1) == "of" || (matches!(before(1), "our" | "my" | "the" | "these" | "your") && before(2) == "of")
}

/// A class in the signature, or the family that is greeted.
fn of_the_writers(scene: &Scene<'_>, at: usize, fact: &FactAt) -> bool {
    let of = |facts: &[FactAt]| facts.iter().any(|other| (other.line, other.from) == (fact.line, fact.from));
    scene.wide.get(scene.lines[at].document()).is_some_and(|wide| of(&wide.signature) || of(&wide.greeting))
}

/// Whether a forename that a colleague bears too, or that is a word, may be told by who writes to whom, and any by who is
/// greeted: a child is spoken of, or something is said that is said of pupils; and it is no month.
fn writers_facts_count(scene: &Scene<'_>, at: usize, span: &Span) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    if calendar(text.norm(&text.tokens[span.from])) {
        return false;
    }
    let near = |at: usize| line.sentence[at].abs_diff(line.sentence[span.from]) <= limits::NEAR_SENTENCES;
    let child = line.near(span.from, span.to).any(|at| near(at) && is(CHILD, text.word(at)));
    child
        || line
            .hits_near(span.from, span.to)
            .iter()
            .any(|hit| !hit.weak && near(hit.from) && (hit.to <= span.from || hit.from >= span.to))
}

/// `Rowan (Oak)`, `Rowan in Oak`, or the two in cells of one row.
fn right_beside(scene: &Scene<'_>, school: &School, at: usize, span: &Span, fact: &FactAt) -> bool {
    if scene.lines[at].cell().is_some() {
        let whole = scene.lines[at].text.tokens.len() == span.to - span.from;
        return whole
            && fact.line != at
            && scene.lines[fact.line].cell().map(|c| c.0) == scene.lines[at].cell().map(|c| c.0)
            && scene.lines[fact.line].document() == scene.lines[at].document();
    }
    let text = &scene.lines[at].text;
    let sentences = &scene.lines[at].sentence;
    // `Oak: Robin and Rowan`
    let labelled = fact.line == at
        && fact.to <= span.from
        && sentences[fact.from] == sentences[span.from]
        && text.tokens[fact.to].gap.has(Gap::COLON);
    labelled
        || in_a_list_of_forenames(school, text, span)
        || fact.line == at
            && match fact.from.checked_sub(span.to) {
                Some(0) => {
                    text.tokens[fact.from].gap.has(Gap::OPEN.or(Gap::HYPHEN)) || matches!(fact.fact, Fact::Year(_))
                }
                Some(1) => {
                    matches!(text.word(span.to), "in" | "from" | "of") && text.tokens[span.to].gap.only(Gap::SPACE)
                }
                _ => matches!(fact.fact, Fact::Born(_) | Fact::Guardian(_) | Fact::Postcode(_) | Fact::Street(_)),
            }
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, detect};
    use crate::people::{Pupil, School};
    use crate::text::{Document, Halt, Kind};

    fn pupil(id: &str, forename: &str, surname: &str) -> Pupil {
        Pupil { id: id.into(), forename: forename.into(), surname: surname.into(), ..Pupil::default() }
    }

    /// The letters of those whom a text names.
    fn named(school: &School, text: &str) -> String {
        let documents = [Document::of_text(Kind::Body, "body", text)];
        let found = detect(&documents, &[], school, &Correspondence::default(), &Halt::default());
        found.pupils.iter().map(|p| school.pupil(p.pupil).unwrap().id.as_str()).collect()
    }

    #[test]
    fn children_joined_to_one_of_their_family() {
        let pupils = vec![
            pupil("L", "Leon", "Dixon"),
            pupil("T", "Tia", "Dixon"),
            pupil("S", "Sam", "Dixon"),
            pupil("O", "Leon", "Osei"),
            pupil("P", "Priya", "Van Dijk"),
            pupil("B", "Bea", "Van Dijk"),
        ];
        let school = School { pupils, ..School::default() }.indexed();
        for (text, want) in [
            ("It would be the mum of Leon and Tia Dixon that I had in mind.", "LT"),
            ("Leon & Tia Dixon are moving.", "LT"),
            ("Leon, Sam and Tia Dixon were out again.", "LTS"),
            ("Bea and Priya van Dijk came.", "PB"),
            // Nobody of that forename in the family; the family of no pupil; another sentence; no name behind.
            ("Priya and Tia Dixon came.", "T"),
            ("Leon and Tia Fletcher came.", ""),
            ("We miss Leon. And Tia Dixon left.", "T"),
            ("Leon and Tia came with Sam.", ""),
        ] {
            assert_eq!(named(&school, text), want, "{text}");
        }
    }

    #[test]
    fn children_of_a_family_that_is_named_beside_them() {
        let pupils = vec![
            pupil("A", "Adam", "Novotny"),
            pupil("L", "Luke", "Novotny"),
            pupil("M", "Adam", "Sharma"),
            pupil("P", "Priya", "Van Dijk"),
            pupil("B", "Beth", "Wood"),
        ];
        let school = School { pupils, ..School::default() }.indexed();
        for (text, want) in [
            ("The Novotny boys, Adam and Luke, sleep on a friend's floor.", "AL"),
            ("Adam and Luke, the Novotny twins, have left.", "AL"),
            ("I saw Adam with the other Novotny children.", "A"),
            ("The van Dijk sisters: Priya is the elder.", "P"),
            ("The Wood girls, Beth above all, were late.", "B"),
            // Of that family there is none of that name, or the family is not its children.
            ("The Novotny boys, Beth and Priya, sleep on a floor.", ""),
            ("The Novotny farm, where Adam and Luke work, is shut.", ""),
            // A firm.
            ("Adam from Novotny Brothers Ltd brings props.", ""),
            // Another sentence; no surname of a pupil; no capital.
            ("The Novotny boys have left. We saw Adam again.", ""),
            ("The Kowalski boys, Adam and Luke, have left.", ""),
            ("The wood girls carry, and Beth saws.", ""),
        ] {
            assert_eq!(named(&school, text), want, "{text}");
        }
    }
}
