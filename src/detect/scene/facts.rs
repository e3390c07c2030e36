//! Facts that a line states and that narrow who is meant: classes, years, birth dates, post codes, streets, guardians' names.

use super::{FactAt, Line};
use crate::detect::marks::Marks;
use crate::detect::words::is;
use crate::detect::world::PLACES;
use crate::limits;
use crate::people::School;
use crate::people::index::{Adult, Fact};
use crate::text::normalise::{Gap, TokenKind};
use crate::text::{Run, Text};

/// Letters and digits of the first half of a post code at most.
const OUTWARD: usize = 4;
/// Letters and digits of its second half.
const INWARD: usize = 3;

/// The facts of a line, onto the end of `out`.
pub(super) fn facts(line: &Line<'_>, at: usize, school: &School, out: &mut Vec<FactAt>) {
    if !line.all_marks.has(Marks::CLASS.or(Marks::YEAR).or(Marks::DIGIT)) {
        return;
    }
    let text = &line.text;
    let tokens = text.tokens;
    let mut add = |from: usize, to: usize, fact: Fact| out.push(FactAt { line: at, from, to, fact });
    for from in 0..tokens.len() {
        let marks = line.marks[from];
        if marks.has(Marks::CLASS) {
            classes(line, from, school, &mut add);
        }
        if marks.has(Marks::YEAR)
            && let Some((year, length)) = year(text, from)
            && !of_staff(text, from, from + length)
        {
            add(from, from + length, Fact::Year(year));
        }
        if !line.all_marks.has(Marks::DIGIT) {
            continue;
        }
        let word = text.word(from);
        if word.len() <= OUTWARD
            && tokens.get(from + 1).is_some_and(|next| {
                next.kind == TokenKind::Mixed
                    && text.length(next) == INWARD
                    && (next.gap.only(Gap::SPACE) || next.gap.joined())
            })
        {
            let run = text.run(from, from + 2).hash;
            if school.index().postcode(run) || crate::text::checks::postcode(&format!("{word}{}", text.word(from + 1)))
            {
                add(from, from + 2, Fact::Postcode(run));
            }
        }
        if tokens[from].kind == TokenKind::Mixed
            && (school.index().postcode(text.hash(&tokens[from])) || crate::text::checks::postcode(word))
        {
            add(from, from + 1, Fact::Postcode(text.hash(&tokens[from])));
        }
        if marks.has(Marks::DIGIT) && word.starts_with(|c: char| c.is_ascii_digit()) {
            for length in [2, 3] {
                if from + length <= tokens.len()
                    && tokens[from + 1..from + length].iter().all(|t| t.gap.only(Gap::SPACE))
                {
                    add(from, from + length, Fact::Street(text.run(from, from + length).hash));
                }
            }
        }
    }
    if line.all_marks.has(Marks::DIGIT) {
        crate::detect::dates::dates(text, |from, to, date| add(from, to, Fact::Born(date)));
    }
}

/// Classes: up to four tokens; a class that is a word must be written as a name.
fn classes(line: &Line<'_>, from: usize, school: &School, add: &mut impl FnMut(usize, usize, Fact)) {
    let text = &line.text;
    let tokens = text.tokens;
    let mut run = Run::EMPTY;
    for to in from + 1..=(from + limits::CLASS_TOKENS).min(tokens.len()) {
        run = run.then(text.run_of(&tokens[to - 1]));
        let Some(class) = school.index().class(run) else { continue };
        let word_like = tokens[from].kind == TokenKind::Word;
        let lower = tokens[from].case == crate::text::normalise::Case::Lower;
        let next = text.word(to);
        let said = matches!(
            next,
            "class" | "form" | "set" | "group" | "pupils" | "children" | "parents" | "tutor" | "teacher"
        ) || (from > 0
            && matches!(text.word(from - 1), "class" | "form" | "klasa" | "klasy" | "klasie" | "set" | "tutor"));
        // The class's own room is named for the class as well.
        let place = is(PLACES, next) && !said && next != "room" && tokens.get(to).is_some_and(|t| t.gap.blank());
        if (!word_like || !lower || said) && !place {
            add(from, to, Fact::Class(class));
        }
    }
}

/// `Head of Year 10`, `the Year 10 office`: a year group that names a post or a place.
fn of_staff(text: &Text<'_>, from: usize, to: usize) -> bool {
    let before = |back: usize| from.checked_sub(back).map_or("", |at| text.word(at));
    let post = matches!(before(2), "head" | "leader" | "director" | "heads" | "lead" | "manager" | "head's")
        && matches!(before(1), "of" | "for");
    let after = text.tokens.get(to).is_some_and(|next| next.gap.only(Gap::SPACE))
        && matches!(
            text.word(to),
            "tutor"
                | "tutors"
                | "leader"
                | "lead"
                | "teacher"
                | "teachers"
                | "coordinator"
                | "office"
                | "team"
                | "staff"
                | "manager"
        );
    post || after
}

/// A year group at a token, with the number of tokens it takes.
fn year(text: &Text<'_>, at: usize) -> Option<(i8, usize)> {
    const WORDS: [&str; 14] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen",
    ];
    let word = text.word(at);
    let number = |word: &str| -> Option<i8> {
        let digits = word.trim_end_matches('s');
        digits
            .parse()
            .ok()
            .filter(|n| (1..=13).contains(n))
            .or_else(|| WORDS.iter().position(|w| *w == word).and_then(|n| i8::try_from(n).ok()).filter(|&n| n > 0))
    };
    match word {
        "year" | "yr" | "y" | "years" | "yrs" => {
            let next = text.tokens.get(at + 1)?;
            let near = next.gap.only(Gap::SPACE.or(Gap::STOP).or(Gap::HYPHEN)) && !of_time(text, at);
            near.then(|| number(text.norm(next))).flatten().map(|n| (n, 2))
        }
        "reception" | "nursery" => {
            let written = text.tokens[at].case != crate::text::normalise::Case::Lower
                || (at > 0
                    && (text.tokens[at].gap.has(Gap::OPEN) || matches!(text.word(at - 1), "our" | "from" | "in"))
                    && text.word(at + 1) != "area");
            written.then_some((if word == "reception" { 0 } else { -1 }, 1))
        }
        _ => {
            let rest = word.strip_prefix("yr").or_else(|| word.strip_prefix('y'))?;
            rest.chars().all(|c| c.is_ascii_digit()).then(|| number(rest)).flatten().map(|n| (n, 1))
        }
    }
}

/// `6 years 4 months`, `Year 2 of the contract`: time that is counted, and no year group.
fn of_time(text: &Text<'_>, at: usize) -> bool {
    let counted = at > 0
        && text.tokens[at].gap.only(Gap::SPACE.or(Gap::HYPHEN))
        && (text.tokens[at - 1].kind == TokenKind::Number || matches!(text.word(at), "years" | "yrs"))
        && matches!(text.word(at + 2), "month" | "months" | "mth" | "mths" | "m" | "mo" | "weeks" | "days");
    let of = text.word(at + 2) == "of" && (3..=6).any(|far| is(UNDERTAKINGS, text.word(at + far)));
    counted || of
}

/// What runs for years of its own.
const UNDERTAKINGS: &[&str] = &[
    "contract",
    "plan",
    "project",
    "programme",
    "lease",
    "licence",
    "agreement",
    "subscription",
    "scheme",
    "strategy",
    "war",
    "reign",
    "research",
    "study",
    "funding",
    "grant",
    "warranty",
    "partnership",
    "pilot",
    "cycle",
    "apprenticeship",
    "degree",
    "course",
    "loan",
    "budget",
    "framework",
    "term",
];

/// Full names of adults, as facts: a guardian's name beside a forename tells whose child is meant.
pub(in crate::detect) fn guardian_facts(line: usize, from: usize, to: usize, adults: &[Adult]) -> Vec<FactAt> {
    adults
        .iter()
        .filter_map(|adult| match adult {
            Adult::Guardian(at) => Some(FactAt { line, from, to, fact: Fact::Guardian(*at) }),
            Adult::Staff(_) => None,
        })
        .collect()
}
