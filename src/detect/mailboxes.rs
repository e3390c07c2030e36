//! Addresses whose mailbox is named for a pupil: forename and surname in either order, with any joint between them.

use hashbrown::HashSet;

use super::Confidence;
use super::joined;
use super::marks::Marks;
use super::names::Mention;
use super::scene::Scene;
use crate::limits;
use crate::people::{PupilIndex, School};
use crate::text::{Run, TextBuf};

/// The addresses of a message that name a pupil and are nobody's own by the roster.
pub(super) fn names(scene: &Scene<'_>, school: &School, mentions: &mut Vec<Mention>) {
    let around = |c: char| c.is_whitespace() || joined::beside_an_address(c);
    let tokens = |mention: &Mention| (mention.from..mention.to).map(|token| (mention.line, token)).collect::<Vec<_>>();
    let of_addresses = mentions.iter().filter(|mention| scene.lines[mention.line].all_marks.has(Marks::ADDRESS));
    let known: HashSet<(usize, usize)> = of_addresses.flat_map(tokens).collect();
    for (at, line) in scene.lines().filter(|(_, line)| line.all_marks.has(Marks::ADDRESS)) {
        let folded = line.text.folded();
        let mut rest = 0;
        for (found, _) in folded.match_indices('@') {
            let before = &folded[rest..found];
            let mailbox = before.rsplit(around).next().unwrap_or(before);
            let head = found - mailbox.len();
            let address = folded[head..].split(around).next().unwrap_or_default();
            rest = found + 1;
            let pupils = match school.index().mailbox(address.trim_end_matches('.')) {
                Some(_) => Vec::new(),
                None => named_by_mailbox(school, mailbox),
            };
            let (from, to) = (line.text.token_at(head), line.text.token_at(found.saturating_sub(1)) + 1);
            let to = to.min(line.text.tokens.len());
            if !pupils.is_empty() && !(from..to).any(|token| known.contains(&(at, token))) {
                mentions.push(Mention {
                    line: at,
                    from,
                    to,
                    pupils,
                    identifies: true,
                    confidence: Confidence::Medium,
                    because: "full name as the name of a mailbox".into(),
                });
            }
        }
    }
}

/// Pupils whose full name is the name of a mailbox: in either order, joined by a stop, a hyphen or an underscore, perhaps
/// with a middle name or its initial between them and a number behind. A name that an adult bears too is the adult's.
fn named_by_mailbox(school: &School, mailbox: &str) -> Vec<PupilIndex> {
    const JOINTS: [char; 3] = ['.', '-', '_'];
    let index = school.index();
    let digit = |c: char| c.is_ascii_digit();
    let name = mailbox.trim_matches(digit).trim_matches(JOINTS);
    if !name.contains(JOINTS) {
        return if name.len() < mailbox.len() { run_together(school, name) } else { Vec::new() };
    }
    let parts: Vec<Run> = name.split(JOINTS).map(Run::of).collect();
    if parts.len() > limits::MAILBOX_PARTS {
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
    // `z.harris.25`: of a pupil's year; staff have no number.
    if name.chars().nth(1).is_some_and(|c| JOINTS.contains(&c)) && of_a_year(mailbox) {
        let fits = index.of_surname(run(&parts[1..]));
        let initial =
            |pupil: &PupilIndex| school.pupil(*pupil).is_some_and(|pupil| begins_alike(&pupil.forename, name));
        let fits: Vec<PupilIndex> = fits.into_iter().filter(initial).collect();
        return if fits.len() == 1 { fits } else { Vec::new() };
    }
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

/// Forename and surname run together with a number before or behind: `25zaraharris`. An ordinary word is no name.
fn run_together(school: &School, name: &str) -> Vec<PupilIndex> {
    let index = school.index();
    let found = [false, true].into_iter().find_map(|surname_first| index.joined_name(name, surname_first));
    let Some((forename, surname)) = found.filter(|_| !joined::ordinary(name)) else { return Vec::new() };
    if index.adults(forename, surname).is_empty() { index.full_name(forename, surname) } else { Vec::new() }
}

/// A number set off at either end that a year may be shortened to, in which pupils came or leave.
fn of_a_year(mailbox: &str) -> bool {
    let not_digit = |c: char| !c.is_ascii_digit();
    let digits = mailbox.rsplit(not_digit).next().filter(|d| !d.is_empty()).or_else(|| mailbox.split(not_digit).next());
    let year = digits.filter(|digits| digits.len() == 2).and_then(|digits| digits.parse::<u32>().ok());
    year.is_some_and(|year| limits::MAILBOX_YEARS.contains(&year))
}

fn begins_alike(name: &str, other: &str) -> bool {
    let first = |name: &str| TextBuf::new(name).text().folded().chars().next().map(|c| c.to_ascii_lowercase());
    first(name) == first(other)
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
            ("25zaraharris", "Z"),
            ("harriszara25", "Z"),
            ("25rubystone", "R"),
            ("rubystone25", "R"),
            ("25.zara.harris", "Z"),
            ("z.harris.25", "Z"),
            ("25.z.harris", "Z"),
            ("z.harris.84", ""),
            ("y.harris.25", ""),
            ("25harris", ""),
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
