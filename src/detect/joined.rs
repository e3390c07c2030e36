//! Forename and surname run together (`ZaraHarris`, `zaraharris_report.docx`), and pupils' own mailboxes.
//!
//! A word of English, a place or a surname (`rules/words.txt`) is no joined name, unless a capital inside shows the joint. In a
//! mailbox or a file name the joined name stands by itself where it is the whole of it, or where neither part is a word;
//! everywhere else its joint must show or
//! neither part be a word, and it is weighed as any other full name is.

use hashbrown::HashMap;

use super::Confidence;
use super::evidence;
use super::marks::Marks;
use super::names::{Candidate, Mention, Span, Writers, single_out};
use super::scene::{Line, Scene};
use crate::limits;
use crate::people::School;
use crate::people::names::Wordness;
use crate::text::normalise::{Gap, Token, TokenKind, WordId};
use crate::text::{Kind, Run};

/// In order, so that it is searched as it stands.
static WORDS: &str = include_str!("../../rules/words.txt");

/// Joined names and pupils' own mailboxes, onto the end of `mentions`.
pub(super) fn names(scene: &Scene<'_>, school: &School, writers: &Writers, mentions: &mut Vec<Mention>) {
    let mut split = HashMap::new();
    for (at, line) in scene.lines() {
        let address = line.all_marks.has(Marks::ADDRESS);
        let named = address || matches!(scene.kind(at), Kind::FileName);
        if !named && !line.all_marks.has(Marks::NAME) {
            continue;
        }
        for from in (0..line.text.tokens.len()).filter(|&from| named || line.marks[from].has(Marks::NAME)) {
            let joined = joined(scene, school, writers, (at, from), named, &mut split);
            let double =
                || matches!(scene.kind(at), Kind::FileName).then(|| double(scene, school, (at, from))).flatten();
            mentions.extend(joined.or_else(double));
        }
        if address {
            mailboxes(line, at, school, mentions);
        }
    }
}

/// Forename and surname of a word, or of one with the surname first; a word of a message is split once.
type Splits = HashMap<(WordId, bool), Option<(Run, Run)>>;

/// The mention that one token is, where it is one; `named` allows the surname first.
fn joined(
    scene: &Scene<'_>,
    school: &School,
    writers: &Writers,
    (at, from): (usize, usize),
    named: bool,
    split: &mut Splits,
) -> Option<Mention> {
    let line = &scene.lines[at];
    let token = &line.text.tokens[from];
    if token.kind != TokenKind::Word || line.text.length(token) < limits::JOINED_WORD {
        return None;
    }
    let index = school.index();
    let norm = line.text.norm(token);
    let mut split = |swapped| *split.entry((token.word, swapped)).or_insert_with(|| index.joined_name(norm, swapped));
    let forename_first = if line.marks[from].has(Marks::NAME) { split(false) } else { None };
    let (forename, surname) = forename_first.or_else(|| if named { split(true) } else { None })?;
    let shows = joint_shows(line.text.slice(from, from + 1));
    if !shows && (ordinary(norm) || index.part_of(line.text.run_of(token)).is_some()) {
        return None;
    }
    let span = |run| Some(Span { from, to: from + 1, run, part: index.part_of(run)? });
    let candidate = Candidate {
        from,
        to: from + 1,
        forename: span(forename)?,
        surname: span(surname)?,
        pupils: index.full_name(forename, surname),
        adults: index.adults(forename, surname),
        exact: true,
        comma: false,
        middle: false,
        listed: false,
    };
    let plain = [candidate.forename, candidate.surname].iter().all(|span| span.part.wordness == Wordness::Name);
    // A file name with a capital inside shows a name, whatever else stands there.
    let file = shows && matches!(scene.kind(at), Kind::FileName);
    if !(named && (plain || file || whole(line, from, scene.kind(at)))) {
        // `Summerfield` is a place or a family sooner than Summer Field.
        if !plain && !shows {
            return None;
        }
        let hits = line.hits_near(from, from + 1);
        let around = evidence::Around { others: false, hits, whole: None };
        evidence::verdict(evidence::weigh(scene, school, writers, at, &candidate, &around))?;
    }
    Some(Mention {
        line: at,
        from,
        to: from + 1,
        pupils: single_out(scene, school, (at, from), forename, &candidate.pupils),
        identifies: true,
        confidence: Confidence::Medium,
        because: "forename and surname run together".into(),
    })
}

/// `PoppyGardner-Sharpe_Letter`: in a file name, where the surname goes on behind a hyphen or a space.
fn double(scene: &Scene<'_>, school: &School, (at, from): (usize, usize)) -> Option<Mention> {
    let text = &scene.lines[at].text;
    let written = text.slice(from, from + 1);
    let joint = written
        .char_indices()
        .zip(written.chars().skip(1))
        .find(|((_, before), after)| before.is_lowercase() && after.is_uppercase());
    let (head, tail) = written.split_at_checked(joint.map(|((at, before), _)| at + before.len_utf8())?)?;
    let forename = Run::of(head);
    let goes_on = |token: &&Token| token.kind == TokenKind::Word && token.gap.only(Gap::HYPHEN.or(Gap::SPACE));
    let mut surname = Run::of(tail);
    let mut found = None;
    for (behind, token) in text.tokens[from + 1..].iter().take(limits::NAME_PART).take_while(goes_on).enumerate() {
        surname = surname.then(text.run_of(token));
        if school.index().full_name_is_exact(forename, surname) {
            found = Some((from + 2 + behind, school.index().full_name(forename, surname)));
        }
    }
    let (to, pupils) = found?;
    Some(Mention {
        line: at,
        from,
        to,
        pupils: single_out(scene, school, (at, from), forename, &pupils),
        identifies: true,
        confidence: Confidence::Medium,
        because: "forename and surname run together".into(),
    })
}

/// A capital behind a small letter: `ZaraHarris`.
fn joint_shows(written: &str) -> bool {
    written.chars().zip(written.chars().skip(1)).any(|(before, after)| before.is_lowercase() && after.is_uppercase())
}

/// A word that stands in `rules/words.txt`.
pub(super) fn ordinary(word: &str) -> bool {
    let mut left = WORDS;
    while !left.is_empty() {
        // Words are of small letters alone; the lines above them begin with `#`, which stands before every letter.
        let middle = left.len() / 2;
        let from = left[..middle].rfind('\n').map_or(0, |end| end + 1);
        let to = left[middle..].find('\n').map_or(left.len(), |end| middle + end);
        match left[from..to].cmp(word) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => left = left.get(to + 1..).unwrap_or_default(),
            std::cmp::Ordering::Greater => left = &left[..from],
        }
    }
    false
}

/// The joined name is the whole mailbox or file name, but for figures and the file's ending.
fn whole(line: &Line<'_>, from: usize, kind: Kind) -> bool {
    let tokens = line.text.tokens;
    let next = (from + 1..tokens.len()).find(|&at| tokens[at].kind != TokenKind::Number);
    if matches!(kind, Kind::FileName) {
        let before = tokens[..from].iter().all(|token| token.kind == TokenKind::Number);
        return before && next.is_none_or(|next| next + 1 == tokens.len() && tokens[next].gap.has(Gap::STOP));
    }
    let continues = Gap::STOP.or(Gap::HYPHEN).or(Gap::UNDERSCORE);
    let begins = from == 0 || !tokens[from].gap.only(continues);
    begins && next.is_some_and(|next| tokens[next].gap.has(Gap::AT))
}

/// The mailboxes that the school gave its pupils.
fn mailboxes(line: &Line<'_>, at: usize, school: &School, mentions: &mut Vec<Mention>) {
    let folded = line.text.folded();
    let ends = |c: char| c.is_whitespace() || beside_an_address(c);
    for (found, _) in folded.match_indices('@') {
        let head = folded[..found].rfind(ends).map_or(0, |p| p + 1);
        let tail = folded[found..].find(ends).map_or(folded.len(), |p| found + p);
        // The character before the first byte of a match may be longer than one byte.
        let Some(address) = folded.get(head..tail) else { continue };
        if let Some(pupil) = school.index().mailbox(address.trim_end_matches('.')) {
            mentions.push(Mention {
                line: at,
                from: line.text.token_at(head),
                to: (line.text.token_at(tail.saturating_sub(1)) + 1).min(line.text.tokens.len()),
                pupils: vec![pupil],
                identifies: true,
                confidence: Confidence::High,
                because: "the pupil's own mailbox".into(),
            });
        }
    }
}

/// What stands around an address but blanks.
pub(super) fn beside_an_address(c: char) -> bool {
    matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Correspondence, detect};
    use crate::people::Pupil;
    use crate::text::{Document, Halt};

    fn school() -> School {
        let pupil = |(forename, surname): &(&str, &str)| Pupil {
            id: format!("{forename} {surname}"),
            forename: (*forename).into(),
            surname: (*surname).into(),
            ..Pupil::default()
        };
        let names = [
            ("Kit", "Chen"),
            ("Pat", "Tern"),
            ("Tim", "Ber"),
            ("Ash", "Ford"),
            ("Mar", "Ket"),
            ("Jack", "Son"),
            ("Anna", "Bell"),
            ("Rob", "Ertson"),
            ("Zara", "Harris"),
            ("Łukasz", "Wrona"),
            ("Mei", "Ling"),
            ("Summer", "Field"),
            ("Grace", "Hall"),
            ("Poppy", "Gardner-Sharpe"),
            ("Glen", "Ó Baoill"),
        ];
        School { pupils: names.iter().map(pupil).collect(), ..School::default() }.indexed()
    }

    fn found(school: &School, kind: Kind, text: &str) -> String {
        let documents = [Document::of_text(kind, "place", text)];
        let found = detect(&documents, &[], school, &Correspondence::default(), &Halt::default());
        let ids = found.pupils.iter().map(|found| school.pupil(found.pupil).unwrap().id.clone());
        ids.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn names_run_together_and_the_words_that_are_made_like_them() {
        let school = school();
        for (text, want) in [
            ("The kitchen has a nut allergy notice.", ""),
            ("Kitchen staff wear gloves because of allergies.", ""),
            ("KITCHEN: nut allergy notice", ""),
            ("Write to kitchen@school.example about allergies", ""),
            ("The pattern is on the timber, see Pattern and TIMBER.", ""),
            ("We meet at Ashford International.", ""),
            ("The market opens at nine, the Market Hall at ten.", ""),
            ("Mr Jackson and Ms Robertson have asthma training.", ""),
            ("jackson@firm.example and info@robertson.example", ""),
            ("Summerfield is the house that won, and summerfield has a medical room.", ""),
            ("orders@summerfield-catering.example", ""),
            ("KitChen has a nut allergy", "Kit Chen"),
            ("AnnaBell is allergic", "Anna Bell"),
            ("JackSon and PatTern were away", "Pat Tern, Jack Son"),
            ("ZaraHarris has asthma", "Zara Harris"),
            ("ZARAHARRIS has asthma", "Zara Harris"),
            ("her login is zaraharris", "Zara Harris"),
            ("saved as zaraharris_report.docx", "Zara Harris"),
            ("Zaraharris's folder", "Zara Harris"),
            ("lukaszwrona@mail.example", "Łukasz Wrona"),
            ("wronalukasz99@mail.example", "Łukasz Wrona"),
            ("gracehall@mail.example", "Grace Hall"),
            ("hallgrace07@mail.example", "Grace Hall"),
            ("meiling@mail.example wrote", "Mei Ling"),
        ] {
            assert_eq!(found(&school, Kind::Body, text), want, "{text}");
        }
        for (name, want) in [
            ("kitchen_rota.docx", ""),
            ("Kitchen.pdf", ""),
            ("market-stall-timber.xlsx", ""),
            ("jackson.docx", ""),
            ("summerfield_day_poster.pdf", ""),
            ("annabell.docx", "Anna Bell"),
            ("KitChen.docx", "Kit Chen"),
            ("zaraharris_report.docx", "Zara Harris"),
            ("HarrisZara-2024.pdf", "Zara Harris"),
            ("harriszara.pdf", "Zara Harris"),
            ("GraceHall_Letter.docx", "Grace Hall"),
            ("PoppyGardner-Sharpe_Letter.docx", "Poppy Gardner-Sharpe"),
            ("GlenÓ Baoill_Letter.docx", "Glen Ó Baoill"),
            ("PoppyGardner-Whitcombe_Letter.docx", ""),
            ("PoppyGardnerLetter-Sharpe.docx", ""),
            ("summerfield.docx", "Summer Field"),
            ("2024_gracehall.jpg", "Grace Hall"),
        ] {
            assert_eq!(found(&school, Kind::FileName, name), want, "{name}");
        }
    }

    #[test]
    fn the_list_of_words_is_in_order_and_found_from_end_to_end() {
        let words: Vec<&str> = WORDS.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(words.is_sorted() && words.len() > 60_000);
        assert!(words.iter().step_by(997).chain(words.last()).chain(words.first()).all(|word| ordinary(word)));
        for none in ["", "a", "zzzzzzzz", "zaraharris", "kitche", "kitchenx"] {
            assert!(!ordinary(none), "{none}");
        }
    }
}
