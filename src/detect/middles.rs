//! Forename and middle name without the surname, where the two leave one pupil: `Zoë Grace`.
//!
//! Middle names are surnames too: what is a surname of anybody the school knows wants more beside it, as do two words.

use super::Confidence;
use super::deeds;
use super::marks::Marks;
use super::names::{Mention, Span, Spans, Taken, titled};
use super::scene::Scene;
use super::words::{ACTS, is};
use crate::people::School;
use crate::people::names::{NAMES, Wordness};
use crate::text::normalise::{Case, Gap, TokenKind};

/// Pupils who are named by forename and middle name.
pub(super) fn names(scene: &Scene<'_>, school: &School, spans: &Spans, mentions: &mut Vec<Mention>, taken: &mut Taken) {
    for (at, found) in spans.lines().filter(|(at, _)| !scene.lines[*at].footer) {
        for span in found.iter().filter(|span| span.part.pupil_forename) {
            let to = span.to + 1;
            if !taken.leaves(at, span.from..to) || !stand_together(scene, at, span) {
                continue;
            }
            let text = &scene.lines[at].text;
            let fits = school.index().forename_with_middle(span.run, text.hash(&text.tokens[span.to]));
            let [pupil] = fits[..] else { continue };
            if !enough(scene, school, at, span) {
                continue;
            }
            taken.take(at, span.from..to);
            mentions.push(Mention {
                line: at,
                from: span.from,
                to,
                pupils: vec![pupil],
                identifies: true,
                confidence: Confidence::Medium,
                because: "forename and middle name".into(),
            });
        }
    }
}

/// Two names with nothing before or behind that makes them longer.
fn stand_together(scene: &Scene<'_>, at: usize, span: &Span) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    let Some(middle) = text.tokens.get(span.to) else { return false };
    let name = |at: usize| text.tokens[at].kind == TokenKind::Word && text.tokens[at].case != Case::Lower;
    let written = name(span.from) && name(span.to) && middle.gap.only(Gap::SPACE);
    let longer = text.tokens.get(span.to + 1).is_some_and(|next| {
        let capital =
            next.kind == TokenKind::Word && next.case != Case::Lower && scene.facts_from(at, span.to + 1).is_empty();
        !middle.possessive && (next.gap.only(Gap::HYPHEN) || (next.gap.only(Gap::SPACE) && capital))
    });
    // A name before: `Amy Zoë Grace`, `Nash, Zoë Grace`.
    let before = span.from.checked_sub(1).is_some_and(|before| {
        let gap = text.tokens[span.from].gap;
        gap.only(Gap::HYPHEN)
            || (gap.only(Gap::SPACE.or(Gap::COMMA)) && name(before) && line.marks[before].has(Marks::KNOWN))
    });
    written && !longer && !before && text.length(middle) > 1 && !titled(text, span.from)
}

/// Names by themselves are enough; words, and surnames of others, want something said of a pupil in the same sentence.
fn enough(scene: &Scene<'_>, school: &School, at: usize, span: &Span) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    let middle = &text.tokens[span.to];
    let surname =
        school.index().part_of(text.run_of(middle)).is_some_and(|part| part.pupil_surname || part.adult_surname);
    let words = span.part.wordness > Wordness::Name && NAMES.wordness(text.hash(middle)) > Wordness::Name;
    if !surname && !words {
        return true;
    }
    let to = span.to + 1;
    let acts = text.tokens.get(to).is_some_and(|next| next.gap.blank() && is(ACTS, text.norm(next)));
    let said = line.hits_near(span.from, span.to).iter().any(|hit| {
        !hit.weak && line.sentence[hit.from] == line.sentence[span.from] && (hit.from >= to || hit.to <= span.from)
    });
    let done = deeds::done(line, to);
    if surname { (acts && said) || done || fact_fits(scene, school, at, span) } else { acts || said || done }
}

/// The class, the birth date or the address of the one who is meant stands beside.
fn fact_fits(scene: &Scene<'_>, school: &School, at: usize, span: &Span) -> bool {
    scene
        .facts_near(at, span.from, span.to)
        .iter()
        .any(|fact| !school.index().forename_with(span.run, fact.fact).is_empty())
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, detect};
    use crate::people::{Pupil, School};
    use crate::text::{Document, Halt, Kind};

    #[test]
    fn forename_and_middle_name_leave_one_pupil() {
        let pupil = |id: &str, forename: &str, middle: &str, surname: &str| Pupil {
            id: id.into(),
            forename: forename.into(),
            middle_names: middle.into(),
            surname: surname.into(),
            ..Pupil::default()
        };
        let pupils = vec![
            pupil("Z", "Zoë", "Grace", "Nash"),
            pupil("Y", "Zoë", "Louise", "Okafor"),
            pupil("S", "Summer", "Rose", "Adeyemi"),
            pupil("A", "Anna", "Louise", "Nowak"),
            pupil("B", "Anna", "Louise", "Iqbal"),
            pupil("T", "Tom", "James", "Doyle"),
            pupil("J", "Ravi", "", "James"),
        ];
        let school = School { pupils, ..School::default() }.indexed();
        for (text, want) in [
            ("Zoë Grace has asthma.", "Z"),
            ("Zoë Louise has asthma.", "Y"),
            ("I rang home about Zoë Grace's inhaler.", "Z"),
            ("Just to let you know: ZOË GRACE was away.", "Z"),
            ("Summer Rose has asthma.", "S"),
            ("Tom James has asthma.", "T"),
            ("The Summer Rose exhibition opens on Monday.", ""),
            ("A prize for the Summer Rose.", ""),
            ("Tom James rang about the boiler.", ""),
            ("Anna Louise has asthma.", ""),
            ("Zoë Grace Whitcombe has asthma.", ""),
            ("Zoë Grace-Whitcombe has asthma.", ""),
            ("Ms Zoë Grace has asthma.", ""),
            ("Zoë, Grace and Amy have asthma.", ""),
        ] {
            let documents = [Document::of_text(Kind::Body, "body", text)];
            let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
            let ids: String = found.pupils.iter().map(|p| school.pupil(p.pupil).unwrap().id.as_str()).collect();
            assert_eq!(ids, want, "{text}");
        }
    }
}
