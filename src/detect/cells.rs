//! Names in the cells of a table: forename and surname in two cells of one row, and what the headings say about them.
//!
//! A row of adults (a title before, a full name that is exactly an adult's) names no pupil; two words that are also names
//! need a heading that says so.

use super::Confidence;
use super::deeds;
use super::names::{Mention, Span, Spans, Taken, single_out};
use super::scene::Scene;
use super::words::{ACTS, TITLES, YOUTH_TITLES, is};
use super::work::step;
use crate::limits;
use crate::people::names::Wordness;
use crate::people::{PupilIndex, School};
use crate::text::Text;
use crate::text::normalise::{Case, Gap, TokenKind};

/// Rows in which forename and surname stand in cells of their own.
pub(super) fn names(scene: &Scene<'_>, school: &School, spans: &Spans, mentions: &mut Vec<Mention>, taken: &mut Taken) {
    let mut row: Vec<usize> = Vec::new();
    for at in 0..=scene.lines.len() {
        let key = |line: usize| {
            let line = &scene.lines[line];
            line.cell().map(|(row, _)| (line.document(), line.block(), row))
        };
        let same = at < scene.lines.len() && row.last().is_some_and(|&last| key(last) == key(at) && key(at).is_some());
        if !same {
            split_name(scene, school, spans, &row, mentions, taken);
            row.clear();
        }
        if at < scene.lines.len() && scene.lines[at].cell().is_some() {
            row.push(at);
        }
    }
}

fn take(taken: &mut Taken, scene: &Scene<'_>, cells: &[usize]) {
    for &at in cells {
        taken.take(at, 0..scene.lines[at].text.tokens.len());
    }
}

fn split_name(
    scene: &Scene<'_>,
    school: &School,
    spans: &Spans,
    row: &[usize],
    mentions: &mut Vec<Mention>,
    taken: &mut Taken,
) {
    // A cell that is one whole name part; trailing middle names are allowed after a forename.
    let whole = |at: usize| {
        let length = scene.lines[at].text.tokens.len();
        let written = |from: usize| {
            scene.lines[at].text.tokens[from..].iter().all(|t| t.kind == TokenKind::Word && t.case != Case::Lower)
        };
        spans[at]
            .iter()
            .filter(move |span| span.from == 0 && (span.to == length || (length <= 4 && written(0))))
            .max_by_key(|span| span.to)
    };
    let column = |at: usize| scene.lines[at].cell().map_or(0, |(_, column)| column);
    for (position, &a) in row.iter().enumerate() {
        let Some(first) = whole(a) else { continue };
        for &b in &row[position + 1..] {
            if column(b) - column(a) > 4 {
                break;
            }
            let Some(second) = whole(b) else { continue };
            let taken_here = |at: usize| !taken.leaves(at, 0..scene.lines[at].text.tokens.len());
            if taken_here(a) || taken_here(b) {
                continue;
            }
            // `Mrs | Rose | Tully`: a row of adults.
            let before = position.checked_sub(1).map(|before| &scene.lines[row[before]].text);
            if before.is_some_and(|text| {
                text.tokens.len() == 1 && !is(YOUTH_TITLES, text.word(0)) && is(TITLES, text.word(0))
            }) {
                take(taken, scene, &[a, b]);
                continue;
            }
            // The heading says which is which; without one, the forename first.
            let headed = |at: usize, words: &[&str]| {
                scene
                    .column_heading(at)
                    .map(|head| &scene.lines[head].text)
                    .is_some_and(|text| text.tokens.iter().any(|token| is(words, text.norm(token))))
            };
            let names_headed = headed_as_names(scene, [a, b]);
            let surname_first = headed(a, &["surname", "last", "family"]) || headed(b, &["forename", "first", "given"]);
            let orders =
                if surname_first { [(second, first), (first, second)] } else { [(first, second), (second, first)] };
            for (forename, surname) in orders {
                let pupils = school.index().full_name(forename.run, surname.run);
                let words = forename.part.wordness > Wordness::Name && surname.part.wordness > Wordness::Name;
                // An adult's full name, and only the short form of a pupil's.
                let adult = !school.index().full_name_is_exact(forename.run, surname.run)
                    && !school.index().adults(forename.run, surname.run).is_empty();
                if adult {
                    take(taken, scene, &[a, b]);
                }
                let named = || names_headed || row_says(scene, school, row, [a, b], forename, &pupils);
                if adult || pupils.is_empty() || (words && !named()) {
                    continue;
                }
                // What follows the part in its cell is a middle name, or the cell holds somebody or something else.
                let (of_forename, of_surname) = if std::ptr::eq(forename, first) { (a, b) } else { (b, a) };
                let own = |text: &Text<'_>, from: usize| {
                    text.tokens[from..].iter().all(|token| {
                        let middle = |&pupil: &PupilIndex| school.index().is_middle_name(pupil, text.hash(token));
                        token.gap.only(Gap::SPACE.or(Gap::STOP).or(Gap::HYPHEN))
                            && (names_headed || text.norm(token).chars().nth(1).is_none() || pupils.iter().any(middle))
                    })
                };
                let rest_of_surname = &scene.lines[of_surname].text.tokens[surname.to..];
                if !own(&scene.lines[of_forename].text, forename.to) || !(rest_of_surname.is_empty() || names_headed) {
                    continue;
                }
                let pupils = single_out(scene, school, (a, forename.from), forename.run, &pupils);
                take(taken, scene, &[a, b]);
                let because = "forename and surname in two cells of one row";
                mentions.push(Mention {
                    line: b,
                    from: 0,
                    to: scene.lines[b].text.tokens.len(),
                    pupils: pupils.clone(),
                    identifies: false,
                    confidence: Confidence::High,
                    because: because.into(),
                });
                mentions.push(Mention {
                    line: a,
                    from: 0,
                    to: scene.lines[a].text.tokens.len(),
                    pupils,
                    identifies: true,
                    confidence: Confidence::High,
                    because: because.into(),
                });
                return;
            }
        }
    }
}

/// Another cell of the row says something of a pupil, or of somebody: `Hill | Scarlett | has an EHCP`.
fn row_says(
    scene: &Scene<'_>,
    school: &School,
    row: &[usize],
    name: [usize; 2],
    forename: &Span,
    pupils: &[PupilIndex],
) -> bool {
    row.iter().filter(|at| !name.contains(at)).take(limits::NAME_REACH).any(|&at| {
        let line = &scene.lines[at];
        let text = &line.text;
        step(1);
        let fits = scene.facts_of(at).iter().take(limits::NAME_REACH).any(|fact| {
            school.index().forename_with(forename.run, fact.fact).iter().any(|pupil| pupils.contains(pupil))
        });
        let acts = text.tokens.first().is_some_and(|first| first.case == Case::Lower) && is(ACTS, text.word(0));
        fits || acts || deeds::done(line, 0) || line.hits().iter().take(limits::NAME_REACH).any(|hit| !hit.weak)
    })
}

/// The headings say that these columns are names.
fn headed_as_names(scene: &Scene<'_>, cells: [usize; 2]) -> bool {
    const HEADINGS: [&str; 12] = [
        "surname",
        "forename",
        "first",
        "last",
        "family",
        "given",
        "name",
        "names",
        "pupil",
        "student",
        "candidate",
        "preferred",
    ];
    cells.into_iter().any(|at| {
        scene
            .column_heading(at)
            .map(|head| &scene.lines[head].text)
            .is_some_and(|text| text.tokens.iter().any(|token| HEADINGS.contains(&text.norm(token))))
    })
}
