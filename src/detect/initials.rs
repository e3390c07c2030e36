//! A forename with the surname's initial behind it: whose it is, and when the letter is no surname's initial at all.
//!
//! `Sophie S` is the pupil Sophie Smith; `Sophie S. Ollerenshaw` is somebody else, whose middle name is shortened.

use super::deeds::ADVERBS;
use super::forenames::calendar;
use super::marks::Marks;
use super::names::Span;
use super::neighbours;
use super::scene::Scene;
use super::words::{
    ACTS, ANNOUNCES, ARTICLES, CHILD, GREETINGS, KIN, LABELS, OPENERS, PREPOSITIONS, ROLES, TITLES, is,
};
use super::world::PLACES;
use crate::people::index::Fact;
use crate::people::names::{NAMES, Wordness};
use crate::people::{PupilIndex, School};
use crate::text::Text;
use crate::text::normalise::{Case, Gap, Token, TokenKind, token_hash};

/// The pupils whom the surname's initial directly behind the forename leaves; nothing when none stands there.
pub(super) fn by_initial(scene: &Scene<'_>, school: &School, at: usize, span: &Span) -> Option<Vec<PupilIndex>> {
    let text = &scene.lines[at].text;
    let next = text.tokens.get(span.to)?;
    let letters = text.norm(next).chars().count();
    let stands = next.kind == TokenKind::Word
        && next.gap.only(Gap::SPACE.or(Gap::UNDERSCORE))
        && text.tokens[span.from].case != Case::Lower
        && (next.case == Case::Upper || (next.case == Case::Capitalised && letters <= 2))
        && letters <= 3
        && initial_stands(text, span.to)
        && !of_a_longer_name(scene, at, span);
    stands.then(|| school.index().forename_with(span.run, Fact::Initial(token_hash(text.norm(next)))))
}

/// Behind the initial, or several, stands a capitalised word that is no known beginning of anything else: the surname of a
/// longer name, of which the initial is a middle name's.
pub(super) fn of_a_longer_name(scene: &Scene<'_>, at: usize, span: &Span) -> bool {
    let line = &scene.lines[at];
    let text = &line.text;
    let letter = |token: &Token| token.case == Case::Upper && text.norm(token).chars().nth(1).is_none();
    let letters = text.tokens[span.to..].iter().take_while(|token| letter(token) && near(token.gap)).count();
    let surname = span.to + letters;
    let goes_on = |token: &&Token| letters > 0 && (near(token.gap) || neighbours::directly(text, surname));
    let Some(token) = text.tokens.get(surname).filter(goes_on) else { return false };
    // A name again, with an initial of its own: the next in a list without commas.
    let next = text.tokens.get(surname + 1);
    let listed = line.marks[surname].has(Marks::KNOWN) && next.is_some_and(|next| letter(next) && near(next.gap));
    token.kind == TokenKind::Word
        && token.case != Case::Lower
        && (token.case != Case::Upper || text.tokens[span.from].case == Case::Upper)
        && !text.tokens[surname - 1].possessive
        && !listed
        && neighbours::may_be_name(line, surname)
        && scene.facts_from(at, surname).is_empty()
}

fn near(gap: Gap) -> bool {
    gap.only(Gap::SPACE.or(Gap::STOP)) && !gap.joined()
}

/// A sentence, a heading or another name goes on with such a word; a surname is none of them.
pub(super) fn opens_something_else(text: &Text<'_>, at: usize) -> bool {
    const LISTS: [&[&str]; 8] = [ACTS, ANNOUNCES, ARTICLES, GREETINGS, LABELS, OPENERS, PREPOSITIONS, ROLES];
    let token = &text.tokens[at];
    let word = text.norm(token);
    if is(CHILD, word) || is(KIN, word) {
        return true;
    }
    if so_called(text, at) {
        return false;
    }
    let next = text.tokens.get(at + 1);
    // `Mr Bell`, and a lord without a name is none.
    let titles = || {
        is(TITLES, word)
            && (matches!(word, "miss" | "sir")
                || next.is_some_and(|next| next.kind == TokenKind::Word && next.case != Case::Lower))
    };
    LISTS.iter().any(|list| is(list, word))
        || titles()
        || (is(PLACES, word) && NAMES.wordness(text.hash(token)) == Wordness::Name)
        // `Carys R. March of the council`
        || (calendar(word) && text.word(at + 1) != "of")
}

/// `Theo P. Head, who has …`: somebody is called by this word, unless it is said of a child's family.
pub(super) fn so_called(text: &Text<'_>, at: usize) -> bool {
    let word = text.word(at);
    let who = |next: &Token| next.gap.has(Gap::COMMA) && matches!(text.norm(next), "who" | "whose" | "whom");
    !is(CHILD, word) && !is(KIN, word) && text.tokens.get(at + 1).is_some_and(who)
}

/// `Faith Y`, not `Will I` and not `give Grace A big hand`.
fn initial_stands(text: &Text<'_>, at: usize) -> bool {
    let token = &text.tokens[at];
    let word = text.norm(token);
    let next = text.tokens.get(at + 1);
    let follows_blank = next.is_some_and(|n| n.gap.blank());
    // `Zaahid A now lives …`, `Shekoni I also has …`
    let verb = text.word(at + 1 + usize::from(is(ADVERBS, text.word(at + 1))));
    match word {
        "i" => {
            !follows_blank
                || text.tokens[at].possessive
                || is(&["is", "was", "has", "had"], verb)
                || (is(ACTS, verb) && verb.ends_with('s'))
        }
        "a" => !follows_blank || token.possessive || is(ACTS, verb) || next.is_some_and(|n| n.gap.has(Gap::NEWLINE)),
        "mr" | "mrs" | "pe" | "re" | "it" | "ict" | "rse" | "ta" | "tas" | "pta" | "sen" | "uk" | "tv" | "ok"
        | "am" | "pm" | "x" | "xx" => word == "x",
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, detect};
    use crate::people::{Pupil, School};
    use crate::text::{Document, Halt, Kind};

    #[test]
    fn an_initial_is_a_surnames_unless_a_surname_follows() {
        let pupil = |id: &str, forename: &str, surname: &str| Pupil {
            id: id.into(),
            forename: forename.into(),
            surname: surname.into(),
            year_group: "7".into(),
            form: "7K".into(),
            ..Pupil::default()
        };
        let pupils = vec![pupil("S", "Sophie", "Smith"), pupil("D", "Daisy", "Okafor"), pupil("J", "Jakub", "Nowak")];
        let school = School { pupils, ..School::default() }.indexed();
        for (text, want) in [
            ("Sophie S has a detention.", "S"),
            ("Sophie S. has a detention.", "S"),
            ("I spoke to Sophie S. She was upset.", "S"),
            ("I spoke to Sophie S. There was a fight.", "S"),
            ("I spoke to Sophie S. Mum rang later.", "S"),
            ("I spoke to Sophie S. Please ring home.", "S"),
            ("Sophie S Detention Friday", "S"),
            ("Sophie S EHCP", "S"),
            ("Sophie S Year 7", "S"),
            ("Sophie S 7K", "S"),
            ("Absent: Sophie S, Daisy O and Jakub N", "SDJ"),
            ("Absent:\nSophie S\nDaisy O\nJakub N", "SDJ"),
            ("Absent: Sophie S Daisy O Jakub N", "SDJ"),
            ("Sophie S's Mentor is away", "S"),
            ("Sophie S. Miss Hall has rung home about the detention.", "S"),
            ("I spoke to Sophie S. March was hard for her.", "S"),
            ("Our speaker is Sophie S. Head, who has dyslexia", ""),
            ("Sophie S Lord has an EHCP", ""),
            ("by Sophie S. March of the council", ""),
            ("Sophie S. Ollerenshaw has a detention.", ""),
            ("Sophie S Ollerenshaw sends the books", ""),
            ("Our speaker is Sophie S. J. Ollerenshaw, who has dyslexia", ""),
            ("by Daisy O. Featherstonehaugh (Year 7)", ""),
            ("From Jakub N. Whitcombe, in reply to 7K", ""),
            ("SOPHIE S OLLERENSHAW", ""),
            ("Sophie S. Hall of the council has asthma", ""),
            ("Sophie S. Ollerenshaw came, and Sophie S has a detention.", "S"),
        ] {
            let documents = [Document::of_text(Kind::Body, "body", text)];
            let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
            let ids: String = found.pupils.iter().map(|p| school.pupil(p.pupil).unwrap().id.as_str()).collect();
            assert_eq!(ids, want, "{text}");
        }
    }
}
