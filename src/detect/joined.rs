//! Names without blanks: mailbox names and file names in which forename and surname are joined in either order, and pupils'
//! own mailboxes.

use std::ops::Range;

use super::Confidence;
use super::marks::Marks;
use super::names::Mention;
use super::scene::{Line, Scene};
use crate::limits;
use crate::people::{PupilIndex, School};
use crate::text::normalise::TokenKind;
use crate::text::{Kind, Run};

/// All that a message has of them.
pub(super) fn names(scene: &Scene<'_>, school: &School, mentions: &mut Vec<Mention>) {
    let index = school.index();
    for (at, line) in scene.lines() {
        let address = line.all_marks.has(Marks::ADDRESS);
        let reversed = address || matches!(scene.kind(at), Kind::FileName);
        if !reversed && !line.all_marks.has(Marks::NAME) {
            continue;
        }
        for (from, token) in line.text.tokens.iter().enumerate() {
            if token.kind == TokenKind::Word && token.length() >= limits::JOINED_WORD {
                let mut pupils = Vec::new();
                if line.marks[from].has(Marks::NAME) {
                    pupils = index.joined_name(line.text.norm(token), false);
                }
                if pupils.is_empty() && reversed {
                    pupils = index.joined_name(line.text.norm(token), true);
                }
                if !pupils.is_empty() {
                    let because = "forename and surname run together".to_owned();
                    mentions.push(Mention {
                        line: at,
                        from,
                        to: from + 1,
                        pupils,
                        identifies: true,
                        confidence: Confidence::Medium,
                        because,
                    });
                }
            }
        }
        if address {
            mailboxes(school, at, line, mentions);
        }
    }
}

/// The addresses of a line: a pupil's own, or one whose name is a pupil's full name.
fn mailboxes(school: &School, at: usize, line: &Line<'_>, mentions: &mut Vec<Mention>) {
    let folded = line.text.folded();
    for (found, _) in folded.match_indices('@') {
        let around = |c: char| c.is_whitespace() || "<>(),;:\"".contains(c);
        // The character before the first byte of a match may be longer than one byte.
        let head =
            folded[..found].rfind(around).map_or(0, |p| p + folded[p..].chars().next().map_or(1, char::len_utf8));
        let tail = folded[found..].find(around).map_or(folded.len(), |p| found + p);
        let Some(address) = folded.get(head..tail) else { continue };
        let tokens = |octets: Range<usize>| {
            let from = line.text.token_at(octets.start);
            (from, (line.text.token_at(octets.end.saturating_sub(1)) + 1).min(line.text.tokens.len()))
        };
        let own = school.index().mailbox(address.trim_end_matches('.'));
        let (pupils, (from, to), confidence, because) = match own {
            Some(pupil) => (vec![pupil], tokens(head..tail), Confidence::High, "the pupil's own mailbox"),
            None => {
                let pupils = named_by_mailbox(school, &folded[head..found]);
                (pupils, tokens(head..found), Confidence::Medium, "the name of a mailbox")
            }
        };
        let known = |mention: &Mention| mention.line == at && mention.from < to && mention.to > from && own.is_none();
        if !pupils.is_empty() && !mentions.iter().rev().take_while(|mention| mention.line == at).any(known) {
            let because = because.to_owned();
            mentions.push(Mention { line: at, from, to, pupils, identifies: true, confidence, because });
        }
    }
}

/// Pupils whose full name is the name of a mailbox: in either order, joined by a stop, a hyphen or an underscore, perhaps
/// with a middle name or its initial between them and a number behind. A name that an adult bears too is the adult's.
fn named_by_mailbox(school: &School, mailbox: &str) -> Vec<PupilIndex> {
    let index = school.index();
    let name = mailbox.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['.', '-', '_']);
    let parts: Vec<Run> = name.split(['.', '-', '_']).map(Run::of).collect();
    if !(2..=limits::MAILBOX_PARTS).contains(&parts.len()) {
        return Vec::new();
    }
    let run = |parts: &[Run]| parts.iter().fold(Run::EMPTY, |run, part| run.then(*part));
    let full_name = |one: Run, other: Run| -> Vec<PupilIndex> {
        for (forename, surname) in [(one, other), (other, one)] {
            if index.adults(forename, surname).is_empty() {
                let pupils = index.full_name(forename, surname);
                if !pupils.is_empty() {
                    return pupils;
                }
            }
        }
        Vec::new()
    };
    let splits = (1..parts.len()).map(|at| full_name(run(&parts[..at]), run(&parts[at..])));
    if let Some(pupils) = splits.into_iter().find(|pupils| !pupils.is_empty()) {
        return pupils;
    }
    let [first, middle, last] = parts[..] else { return Vec::new() };
    let initial = name.split(['.', '-', '_']).nth(1).is_some_and(|part| part.chars().nth(1).is_none());
    let mut pupils = full_name(first, last);
    pupils.retain(|&pupil| initial || index.is_middle_name(pupil, middle.hash));
    pupils
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, detect};
    use crate::people::{Pupil, School, Staff};
    use crate::text::{Document, Halt, Kind};

    #[test]
    fn the_name_of_a_mailbox_is_a_full_name_in_either_order() {
        let pupil = |id: &str, forename: &str, surname: &str| Pupil {
            id: id.into(),
            forename: forename.into(),
            surname: surname.into(),
            ..Pupil::default()
        };
        let mut pupils = vec![
            pupil("Z", "Zara", "Harris"),
            pupil("R", "Ruby", "Stone"),
            pupil("C", "Caoimhe", "Nowak-Doyle"),
            pupil("N", "Nadia", "Iqbal"),
        ];
        pupils[0].middle_names = "Grace".into();
        let staff = Staff {
            forename: "Nadia".into(),
            surname: "Iqbal".into(),
            email: "n.iqbal@quarryhill.example".into(),
            ..Staff::default()
        };
        let school = School { pupils, staff: vec![staff], ..School::default() }.indexed();
        for (mailbox, want) in [
            ("zara.harris", "Z"),
            ("harris.zara", "Z"),
            ("zara-harris", "Z"),
            ("harris-zara", "Z"),
            ("zara_harris", "Z"),
            ("HARRIS_ZARA", "Z"),
            ("zaraharris", "Z"),
            ("harriszara", "Z"),
            ("zara.harris14", "Z"),
            ("zara_harris_2012", "Z"),
            ("zara.g.harris", "Z"),
            ("zara.grace.harris", "Z"),
            ("zara.paulina.harris", ""),
            ("ruby.stone", "R"),
            ("stone-ruby", "R"),
            ("caoimhe.nowak-doyle", "C"),
            ("nowak-doyle.caoimhe", "C"),
            ("h.zara", ""),
            ("z.harris", ""),
            ("zharris6k", ""),
            ("zara.whitcombe", ""),
            ("whitcombe-zara", ""),
            ("graham.harris", ""),
            ("zara", ""),
            ("harris", ""),
            ("iqbal-nadia", ""),
        ] {
            for text in [format!("Please copy in {mailbox}@gmail.com."), format!("<{mailbox}@pupils.example>")] {
                let documents = [Document::of_text(Kind::Body, "body", text.as_str())];
                let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
                let ids: String = found.pupils.iter().map(|p| school.pupil(p.pupil).unwrap().id.as_str()).collect();
                assert_eq!(ids, want, "{text}");
            }
        }
    }
}
