//! Forename and surname as a form asks for them: each behind a label of its own, in lines one below the other or in cells.
//!
//! `Forename: Zoë` and `Surname: Nash` are one full name; the labels say that they are names, so that words are names too.
//! What a form asks of a parent or of staff is no pupil's.

use super::Confidence;
use super::names::{Mention, Span, Spans, Taken, single_out};
use super::scene::Scene;
use super::words::{KIN, ROLES, is};
use super::work::step;
use crate::limits;
use crate::people::School;
use crate::text::Text;
use crate::text::normalise::{Case, Gap};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Forename,
    Surname,
    /// `Name:`, which holds a forename where a surname is asked for beside it.
    Name,
}

/// What stands behind a label.
struct Part {
    label: Label,
    line: usize,
    span: Span,
}

/// Pupils whose forename and surname stand behind labels of their own.
pub(super) fn names(scene: &Scene<'_>, school: &School, spans: &Spans, mentions: &mut Vec<Mention>, taken: &mut Taken) {
    let mut last: Option<Part> = None;
    for part in (0..scene.lines.len()).flat_map(|at| parts(scene, &spans[at], at)) {
        let Some(other) = last.take().filter(|other| belong(scene, other, &part)) else {
            last = Some(part);
            continue;
        };
        let (forename, surname) = if part.label == Label::Surname { (&other, &part) } else { (&part, &other) };
        let free = |part: &Part| taken.leaves(part.line, part.span.from..part.span.to);
        let pupils = school.index().full_name(forename.span.run, surname.span.run);
        if pupils.is_empty() || !free(forename) || !free(surname) {
            last = Some(part);
            continue;
        }
        let pupils = single_out(scene, school, (forename.line, forename.span.from), forename.span.run, &pupils);
        for (part, identifies) in [(forename, true), (surname, false)] {
            taken.take(part.line, part.span.from..part.span.to);
            mentions.push(Mention {
                line: part.line,
                from: part.span.from,
                to: part.span.to,
                pupils: pupils.clone(),
                identifies,
                confidence: Confidence::High,
                because: "forename and surname behind labels of their own".into(),
            });
        }
    }
}

/// Two labels of one form: a surname's and a forename's, few lines apart.
fn belong(scene: &Scene<'_>, one: &Part, other: &Part) -> bool {
    (one.label == Label::Surname) != (other.label == Label::Surname)
        && scene.lines[one.line].document() == scene.lines[other.line].document()
        && other.line - one.line <= limits::NEAR_LINES
}

/// The labelled names of a line, in order; a label may stand in the cell before.
fn parts(scene: &Scene<'_>, spans: &[Span], at: usize) -> Vec<Part> {
    let text = &scene.lines[at].text;
    let mut out: Vec<Part> = Vec::new();
    for span in spans {
        let ends = text.tokens.get(span.to).is_none_or(|next| !next.gap.only(Gap::SPACE.or(Gap::HYPHEN)));
        // Middle names go with a forename.
        let middle = text.tokens.get(span.to).is_some_and(|next| next.gap.only(Gap::SPACE) && next.case != Case::Lower);
        let label = match span.from {
            0 => cell_before(scene, at).and_then(|before| label(&before, before.tokens.len())),
            from if set_off(text, from) => label(text, from),
            _ => None,
        };
        let Some(label) = label else { continue };
        let fits = match label {
            Label::Surname => span.part.pupil_surname && ends,
            Label::Forename => span.part.pupil_forename && (ends || middle),
            Label::Name => span.part.pupil_forename && ends,
        };
        if fits {
            // Of two that begin here the longer is behind.
            step(1);
            if out.last().is_some_and(|part| part.span.from == span.from) {
                out.pop();
            }
            out.push(Part { label, line: at, span: *span });
        }
    }
    out
}

/// Colon, dash, tab or a line of its own between label and name.
fn set_off(text: &Text<'_>, at: usize) -> bool {
    text.tokens[at].gap.has(Gap::COLON.or(Gap::COLUMN).or(Gap::NEWLINE)) || {
        let gap = text.tokens[at].gap;
        gap.has(Gap::HYPHEN) && gap.has(Gap::SPACE)
    }
}

/// The cell before in the same row.
fn cell_before<'s>(scene: &'s Scene<'_>, at: usize) -> Option<Text<'s>> {
    let before = &scene.lines[at.checked_sub(1)?];
    let here = &scene.lines[at];
    let row = |cell: Option<(usize, usize)>| cell.map(|cell| cell.0);
    let beside = (before.document(), before.block()) == (here.document(), here.block())
        && here.cell().is_some()
        && row(before.cell()) == row(here.cell());
    beside.then_some(before.text)
}

/// The label that ends before a token.
fn label(text: &Text<'_>, end: usize) -> Option<Label> {
    // `Forename(s):`
    let plural = end > 1 && text.word(end - 1) == "s" && text.tokens[end - 1].gap.only(Gap::OPEN);
    let end = end - usize::from(plural);
    let before = |back: usize| end.checked_sub(back).map_or("", |at| text.word(at));
    // `Name: Zoë`, and not what a sentence says before a colon.
    let whose = || end == 1 || matches!(before(2), "pupil" | "pupils" | "child" | "childs" | "student" | "students");
    let label = match (before(1), before(2)) {
        ("forename" | "forenames" | "firstname", _) => Label::Forename,
        ("name" | "names", "first" | "given" | "christian" | "preferred" | "chosen") => Label::Forename,
        ("surname" | "lastname", _) => Label::Surname,
        ("name", "last" | "family") => Label::Surname,
        ("name", _) if whose() => Label::Name,
        _ => return None,
    };
    let of_adult = (2..=3).any(|back| is(KIN, before(back)) || is(ROLES, before(back)) || before(back) == "staff");
    (!of_adult).then_some(label)
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, detect};
    use crate::people::{Pupil, School};
    use crate::text::{Block, Document, Halt, Kind};

    #[test]
    fn labels_of_their_own_join_forename_and_surname() {
        let pupil = |id: &str, forename: &str, surname: &str| Pupil {
            id: id.into(),
            forename: forename.into(),
            surname: surname.into(),
            ..Pupil::default()
        };
        let pupils = vec![
            pupil("Z", "Zoë", "Nash"),
            pupil("I", "Iris", "Wall"),
            pupil("L", "Lily", "de Souza"),
            pupil("M", "Mary Anne", "Gardner-Sharpe"),
        ];
        let school = School { pupils, ..School::default() }.indexed();
        for (text, want) in [
            ("Forename: Zoë\nSurname: Nash", "Z"),
            ("Surname: Nash\nForename: Zoë", "Z"),
            ("Forename: Iris\nSurname: Wall", "I"),
            ("Forename: Iris\n\nSurname: Wall", "I"),
            ("Forename(s): Iris May\nSurname: Wall\nClass: 7K", "I"),
            ("First name: Iris\nLast name: Wall", "I"),
            ("Legal forename: Iris\nLegal surname: Wall", "I"),
            ("Pupil name: Iris\nSurname: Wall", "I"),
            ("Family name - Wall\nGiven name - Iris", "I"),
            ("Forename\tIris\nSurname\tWall", "I"),
            ("Forename:\tIris\nSurname:\tWall", "I"),
            ("Forename: Iris, Surname: Wall", "I"),
            ("Forename: Lily\nSurname: de Souza", "L"),
            ("FORENAME: MARY ANNE\nSURNAME: GARDNER-SHARPE", "M"),
            ("Forename: Iris\nSurname: Whitcombe", ""),
            ("Forename: Iris\nSurname: Wall-Whitcombe", ""),
            ("Forename: Judith\nSurname: Wall", ""),
            ("Parent forename: Iris\nParent surname: Wall", ""),
            ("Colour: Iris\nMaterial: Wall", ""),
            ("Surname: Wall\nSurname: Iris", ""),
            ("Please give forename and surname. Iris is on the wall.", ""),
        ] {
            let blocks = text.split("\n\n").map(Block::paragraph).collect();
            let documents = [Document { kind: Kind::Body, place: "body".into(), blocks }];
            let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
            let ids: String = found.pupils.iter().map(|p| school.pupil(p.pupil).unwrap().id.as_str()).collect();
            assert_eq!(ids, want, "{text}");
        }
    }
}
