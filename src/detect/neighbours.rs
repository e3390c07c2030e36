//! Whose a part of a name is by what stands directly beside it: a surname with a forename of its own before it, or a
//! forename with a surname of its own behind it, is not free to join any other name, class, year or family.
//!
//! Neighbours are parted by a space, or by the break that a mail program makes where its line is full.

use super::initials::{opens_something_else, so_called};
use super::marks::Marks;
use super::scene::{Line, Scene};
use super::vocabulary::VOCABULARY;
use crate::limits;
use crate::people::School;
use crate::text::normalise::{Case, Gap, TokenKind};
use crate::text::{Kind, Text};

/// Whether the word at a place goes on directly from the one before it.
pub(super) fn directly(text: &Text<'_>, at: usize) -> bool {
    let Some(token) = text.tokens.get(at).filter(|_| at > 0) else { return false };
    !token.gap.joined() && (token.gap.only(Gap::SPACE) || wrapped(text, at))
}

/// A line break that only the width of the line made.
fn wrapped(text: &Text<'_>, at: usize) -> bool {
    let gap = text.tokens[at].gap;
    if !(gap.has(Gap::NEWLINE) && gap.only(Gap::NEWLINE.or(Gap::SPACE))) {
        return false;
    }
    let above = &text.tokens[..at];
    let begins = above.iter().rposition(|token| token.gap.has(Gap::NEWLINE)).unwrap_or(0);
    above.last().is_some_and(|last| last.end() - above[begins].start() >= limits::WRAPPED_LINE)
}

/// The surname at a place has a forename or an initial of its own: `Alex` before `Ward` in `Alex Ward, Ellie McLean`.
pub(super) fn forename_before(scene: &Scene<'_>, school: &School, at: usize, surname: usize) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    let Some(before) = surname.checked_sub(1).filter(|_| directly(text, surname)) else { return false };
    let token = &text.tokens[before];
    if token.kind != TokenKind::Word || token.possessive || of_a_fact(scene, at, before) {
        return false;
    }
    let known =
        school.index().part_of(text.run_of(token)).is_some_and(|part| part.pupil_forename || part.adult_forename);
    let letter = text.norm(token).chars().nth(1).is_none();
    if letter {
        // Both are words too: `A` where a sentence opens, `I` anywhere.
        let word = match text.norm(token) {
            "a" => token.sentence_start,
            letter => letter == "i",
        };
        return token.case != Case::Lower && !word;
    }
    let alike = token.case == text.tokens[surname].case;
    if known {
        return alike;
    }
    // A heading writes its words as names are written, and so does a sentence its first.
    let running = matches!(scene.kind(at), Kind::Body | Kind::Quoted) || line.cell().is_some();
    let opens = token.sentence_start && !wrapped(text, before);
    alike && token.case != Case::Lower && running && !opens && may_be_name(line, before)
}

/// The forename that ends before a place has a surname of its own there: `Cromwell` behind `Oliver`.
pub(super) fn surname_behind(scene: &Scene<'_>, at: usize, surname: usize) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    if !directly(text, surname) || text.tokens[surname - 1].possessive {
        return false;
    }
    // `Carwyn ap Gwilym`
    let particle =
        matches!(text.norm(&text.tokens[surname]), "ap" | "ab" | "van" | "von" | "de" | "bin" | "ibn" | "bint");
    let forename = &text.tokens[surname - 1];
    let surname = if particle && directly(text, surname + 1) { surname + 1 } else { surname };
    let token = &text.tokens[surname];
    token.kind == TokenKind::Word
        && token.case == Case::Capitalised
        && forename.case == Case::Capitalised
        && !of_a_fact(scene, at, surname)
        && may_be_name(line, surname)
}

/// A word written as a name before a surname, and one behind the forename that follows it.
pub(super) fn stands_between(scene: &Scene<'_>, at: usize, from: usize, to: usize) -> bool {
    let text = &scene.lines[at].text;
    let before = from.checked_sub(1).filter(|_| directly(text, from));
    let name = |at: usize| {
        text.tokens[at].case == Case::Capitalised
            && text.tokens[at].kind == TokenKind::Word
            && !text.tokens[at].possessive
    };
    before.is_some_and(|before| name(before) && may_be_name(&scene.lines[at], before)) && surname_behind(scene, at, to)
}

fn of_a_fact(scene: &Scene<'_>, at: usize, token: usize) -> bool {
    scene.facts_near(at, token, token).iter().any(|fact| fact.from <= token && token < fact.to)
}

/// A capitalised word that begins no sentence, heading or phrase of its own.
pub(super) fn may_be_name(line: &Line<'_>, at: usize) -> bool {
    so_called(&line.text, at) || !opens_something_else(&line.text, at) && !said_there(line, at)
}

/// Something that is said of people begins at this word.
fn said_there(line: &Line<'_>, at: usize) -> bool {
    line.marks[at].has(Marks::PHRASE) && !VOCABULARY.hits_at(&line.text, std::iter::once(at)).is_empty()
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, detect};
    use crate::people::{Pupil, School};
    use crate::text::{Document, Halt, Kind};

    #[test]
    fn a_part_of_somebody_elses_name_joins_nothing() {
        let pupil = |id: &str, forename: &str, surname: &str, form: &str| Pupil {
            id: id.into(),
            forename: forename.into(),
            surname: surname.into(),
            year_group: "7".into(),
            form: form.into(),
            ..Pupil::default()
        };
        let pupils = vec![
            pupil("J", "Amelia", "Jones", "7K"),
            pupil("E", "Elizabeth", "Jones", "7K"),
            pupil("O", "Oliver", "Nowak", "7R"),
            pupil("Z", "Zofia", "Lis", "8M"),
        ];
        let school = School { pupils, ..School::default() }.indexed();
        let long = "In the second half of this term the whole of 7R compares Oliver\nCromwell with Elizabeth Fry.";
        for (text, want) in [
            ("Jones, Amelia has a detention.", "J"),
            ("Friday: Jones, Amelia", "J"),
            ("The winners were Ann Jones, Amelia Cole and Idris Musa.", ""),
            ("The winners were A Jones, Amelia Cole and Idris Musa.", ""),
            ("Present: Ann Jones, Amelia Cole", ""),
            ("Myfanwy waits with Amelia\nJones Minibus Hire brings the tape.", ""),
            ("I spoke to Amelia\nJones about the detention.", "J"),
            (long, ""),
            ("7R: Oliver has a detention.", "O"),
            ("We thank Oliver Cromwell, and 7R has a detention.", ""),
            ("7R moves to the hut. I have told Oliver at the sports centre.", ""),
            ("7R moves to the hut. Oliver has a detention.", "O"),
            ("7K, 7R and 8M move to the hut, as the builder whom we call Oliver told us.", ""),
            ("Oliver (7R), Amelia (7K) and Sam (8M) are away.", "JO"),
            ("Our caterer Oliver struggled with 7R.", ""),
            ("Beth Jones has a detention.", "E"),
            ("The piano was tuned by Beth Jones on Monday.", ""),
            ("The piano was tuned by Elizabeth Jones on Monday.", "E"),
            ("| Jones | Amelia Cole |", ""),
        ] {
            let documents = [Document::of_text(Kind::Body, "body", text)];
            let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
            let ids: String = found.pupils.iter().map(|p| school.pupil(p.pupil).unwrap().id.as_str()).collect();
            assert_eq!(ids, want, "{text}");
        }
    }
}
