//! A surname behind a child's title, with the class or the date of birth that says whose it is: `Miss Nash (born 20.12.2011)`.
//!
//! `Miss Nash, 7R` may be the teacher of 7R: where a member of staff is called so, or a role stands beside, the class says
//! nothing.

use super::Confidence;
use super::marks::Marks;
use super::names::{Mention, Span, Spans, Taken};
use super::scene::{FactAt, Scene};
use super::words::{ROLES, YOUTH_TITLES, is};
use crate::limits;
use crate::people::index::Fact;
use crate::people::{PupilIndex, School};
use crate::text::normalise::{Case, Gap};

/// Pupils who are named by title and surname, told apart by a fact directly behind.
pub(super) fn names(scene: &Scene<'_>, school: &School, spans: &Spans, mentions: &mut Vec<Mention>, taken: &mut Taken) {
    for (at, found) in spans.lines() {
        let line = &scene.lines[at];
        if line.footer || !line.all_marks.has(Marks::CLASS.or(Marks::DIGIT)) {
            continue;
        }
        for span in found.iter().filter(|span| span.part.pupil_surname) {
            if !taken.leaves(at, span.from..span.to) || !titled(scene, at, span) {
                continue;
            }
            let facts = scene.facts_near(at, span.from, span.to).iter().filter(|fact| behind(scene, at, span, fact));
            let [pupil] = facts
                .map(|fact| fitting(school, span, fact.fact))
                .find(|fits| !fits.is_empty())
                .unwrap_or_default()[..]
            else {
                continue;
            };
            taken.take(at, span.from..span.to);
            mentions.push(Mention {
                line: at,
                from: span.from,
                to: span.to,
                pupils: vec![pupil],
                identifies: true,
                confidence: Confidence::Medium,
                because: "surname behind a child's title, with class or date of birth".into(),
            });
        }
    }
}

/// `Miss` or `Master` directly before, and no longer name behind.
fn titled(scene: &Scene<'_>, at: usize, span: &Span) -> bool {
    let text = &scene.lines[at].text;
    let Some(before) = span.from.checked_sub(1) else { return false };
    let longer = text.tokens.get(span.to).is_some_and(|next| {
        let name = scene.lines[at].marks[span.to].has(Marks::KNOWN) && next.case != Case::Lower;
        next.gap.only(Gap::HYPHEN) || (next.gap.only(Gap::SPACE) && name)
    });
    is(YOUTH_TITLES, text.word(before))
        && text.tokens[before].case != Case::Lower
        && text.tokens[span.from].gap.only(Gap::SPACE.or(Gap::STOP))
        && !text.tokens[span.to - 1].possessive
        && !longer
}

/// In the same sentence, and near; a class directly behind.
fn behind(scene: &Scene<'_>, at: usize, span: &Span, fact: &FactAt) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    let near = fact.from >= span.to
        && fact.from - span.to <= limits::FORM_LINE
        && line.sentence[fact.from] == line.sentence[span.from];
    match fact.fact {
        Fact::Born(_) => near,
        Fact::Class(_) => {
            let role =
                text.tokens[fact.to..].iter().take(limits::ROLE_OF_THE_TITLED).any(|token| is(ROLES, text.norm(token)));
            near && fact.from == span.to && !role && text.tokens[fact.from].gap.has(Gap::COMMA.or(Gap::OPEN))
        }
        _ => false,
    }
}

/// The pupils of a surname whom the fact fits; of a class none, where a member of staff bears the surname.
fn fitting(school: &School, span: &Span, fact: Fact) -> Vec<PupilIndex> {
    let staff = span.part.staff_surname;
    if staff && matches!(fact, Fact::Class(_)) { Vec::new() } else { school.index().surname_with(span.run, fact) }
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, detect};
    use crate::people::{Pupil, School, Staff};
    use crate::text::{Document, Halt, Kind};

    #[test]
    fn a_childs_title_and_surname_with_a_class_or_a_birth_date() {
        let pupil = |id: &str, forename: &str, surname: &str, form: &str, born| Pupil {
            id: id.into(),
            forename: forename.into(),
            surname: surname.into(),
            form: form.into(),
            date_of_birth: Some(born),
            ..Pupil::default()
        };
        let born = jiff::civil::date(2011, 12, 20);
        let pupils = vec![
            pupil("N", "Zoë", "Nash", "7R", born),
            pupil("O", "Oscar", "Nash", "9K", jiff::civil::date(2009, 3, 4)),
            pupil("D", "Bonnie", "Day", "7R", born),
            pupil("F", "Finn", "Field", "7R", jiff::civil::date(2012, 1, 31)),
            pupil("A", "Ann", "Twin", "7R", born),
            pupil("B", "Ben", "Twin", "7R", born),
        ];
        let staff = vec![Staff { forename: "Jo".into(), surname: "Field".into(), ..Staff::default() }];
        let school = School { pupils, staff, ..School::default() }.indexed();
        for (text, want) in [
            ("Miss Nash (born 20.12.2011) has asthma.", "N"),
            ("Master Nash, 9K, has asthma.", "O"),
            ("Miss Nash (7R) has asthma.", "N"),
            ("Miss Day (DOB 20/12/2011) was away.", "D"),
            ("MISS NASH, date of birth 20 December 2011", "N"),
            ("Master Field (born 31.1.2012) was away.", "F"),
            ("Miss Field, 7R, was away.", ""),
            ("Miss Nash (born 4.3.2012) has asthma.", ""),
            ("Miss Nash has asthma.", ""),
            ("Miss Nash, 8K, has asthma.", ""),
            ("Miss Nash, 7R tutor, is away.", ""),
            ("Miss Nash took 7R to the hall.", ""),
            ("Miss Nash-Whitcombe (born 20.12.2011) has asthma.", ""),
            ("Mrs Nash (born 20.12.2011) has asthma.", ""),
            ("Miss Twin (7R) has asthma.", ""),
        ] {
            let documents = [Document::of_text(Kind::Body, "body", text)];
            let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
            let ids: String = found.pupils.iter().map(|p| school.pupil(p.pupil).unwrap().id.as_str()).collect();
            assert_eq!(ids, want, "{text}");
        }
    }
}
