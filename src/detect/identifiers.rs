//! Numbers that name a person: pupils' (UPN, ULN, NHS number, candidate identifier) and adults'.
//!
//! A UPN stands by its check letter. Ten digits pass a check by chance one time in eleven, so NHS numbers and ULNs want
//! the roster or a word beside them; so do passports and account numbers, which have no check of their own.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Confidence;
use super::scene::{Line, Scene};
use crate::people::{PupilIndex, School};
use crate::text::checks;

/// How far a word may stand from the number it speaks of, in bytes of folded text.
const NEAR: usize = 80;

/// What kind of number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A pupil of the roster.
    Pupil(PupilIndex),
    /// A pupil of no roster.
    Unlisted,
    /// An adult.
    Adult,
}

/// A number found.
#[derive(Debug)]
pub(super) struct Number {
    pub line: usize,
    /// Bytes of the folded text.
    pub range: Range<usize>,
    pub kind: &'static str,
    pub whose: Whose,
    pub confidence: Confidence,
    pub because: String,
    /// Without separators; used to count distinct ones, never reported.
    pub value: String,
}

/// Kind, whose, how sure, and why.
type Verdict = (&'static str, Whose, Confidence, &'static str);

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($text).ok());
    };
}
pattern!(UPN, r"(?i)\b[a-hj-np-rt-z](?:[ .-]?\d){11}[ .-]?[0-9a-hj-np-rt-z]\b");
pattern!(TEN, r"\b\d(?:[ .-]?\d){9}\b");
pattern!(UCI, r"(?i)\b\d{5}[ -]?[0-9a-p][ -]?\d{2}[ -]?\d{4}[ -]?[a-z]\b");
pattern!(NINO, r"(?i)\b[a-z]{2}[ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[a-d]\b");
pattern!(LICENCE, r"(?i)\b[a-z][a-z9]{4}[ -]?\d{6}[ -]?[a-z][a-z9]\d[a-z0-9]{2}\b");
pattern!(IBAN, r"(?i)\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}\b");
pattern!(CARD, r"\b\d(?:[ -]?\d){12,18}\b");
pattern!(MRZ, r"\b[0-9A-Z<]{9}[0-9]GBR\d{7}[MFX<]\d{7}[0-9A-Z<]{16}");
pattern!(PASSPORT, r"(?i)\b[0-9a-z]\d{8}\b");
pattern!(SORT_CODE, r"\b\d{2}[- ]\d{2}[- ]\d{2}\b|\b\d{6}\b");
pattern!(ACCOUNT, r"\b\d{8}\b|\b\d{4} \d{4}\b");
pattern!(LAST_DIGITS, r"(?i)\b(?:upn|uln|nhs)\b[^.\n]{0,30}\b(?:ends?|ending|last)\b[^.\n]{0,25}?(\d{3,6})\b");

/// All numbers of the message.
pub(super) fn find(scene: &Scene<'_>, school: &School) -> Vec<Number> {
    let mut out = Vec::new();
    for at in 0..scene.lines.len() {
        let text = scene.lines[at].text.folded();
        if text.bytes().filter(u8::is_ascii_digit).count() >= 3 {
            in_line(scene, at, school, &mut out);
        }
    }
    out
}

/// The line's own words, and in a table the heading of its column and the cells to the left.
fn words_beside(scene: &Scene<'_>, at: usize, range: &Range<usize>) -> String {
    let line = &scene.lines[at];
    let folded = line.text.folded();
    let mut from = range.start.saturating_sub(NEAR);
    while !folded.is_char_boundary(from) {
        from -= 1;
    }
    let mut to = (range.end + NEAR / 2).min(folded.len());
    while !folded.is_char_boundary(to) {
        to += 1;
    }
    let mut beside = folded[from..range.start].to_lowercase();
    beside.push(' ');
    beside.push_str(&folded[range.end..to].to_lowercase());
    if let Some((row, column)) = line.cell {
        let lines = &scene.of_document[line.document];
        // Cells of the same row stand just before; the heading is the first filled cell of the column.
        for other in (lines.start..at).rev().take(12).chain(at + 1..(at + 3).min(lines.end)) {
            if scene.lines[other].block == line.block && scene.lines[other].cell.is_some_and(|c| c.0 == row) {
                beside.push(' ');
                beside.push_str(&scene.lines[other].text.folded().to_lowercase());
            }
        }
        let heading = lines.clone().find(|&other| {
            scene.lines[other].block == line.block
                && scene.lines[other].cell.is_some_and(|c| c.1 == column && c.0 < row)
        });
        if let Some(heading) = heading {
            beside.push(' ');
            beside.push_str(&scene.lines[heading].text.folded().to_lowercase());
        }
    } else if at > 0
        && scene.lines[at - 1].document == line.document
        && scene.lines[at - 1].heading()
        && range.start < NEAR
    {
        beside.push(' ');
        beside.push_str(&scene.lines[at - 1].text.folded().to_lowercase());
    }
    beside
}

fn says(beside: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        beside.match_indices(word).any(|(at, _)| {
            let before = beside[..at].chars().next_back();
            let after = beside[at + word.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(|c| c.is_alphanumeric() && c != 's')
        })
    })
}

/// Digits of the shortest identifier.
const FEWEST_DIGITS: usize = 4;

fn in_line(scene: &Scene<'_>, at: usize, school: &School, out: &mut Vec<Number>) {
    let line: &Line<'_> = &scene.lines[at];
    let text = line.text.folded();
    // Most lines hold no number at all, and no identifier has fewer digits.
    if text.bytes().filter(u8::is_ascii_digit).take(FEWEST_DIGITS).count() < FEWEST_DIGITS {
        return;
    }
    let start = out.len();
    let index = school.index();
    let mut each = |pattern: &LazyLock<Option<Regex>>, judge: &mut dyn FnMut(&str, Range<usize>) -> Option<Verdict>| {
        let Some(pattern) = pattern.as_ref() else { return };
        for found in pattern.find_iter(text) {
            let value: String = found
                .as_str()
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '<')
                .collect::<String>()
                .to_uppercase();
            let range = found.range();
            let overlaps = out[start..]
                .iter()
                .any(|other: &Number| other.range.start < range.end && range.start < other.range.end);
            if overlaps {
                continue;
            }
            if let Some((kind, whose, confidence, because)) = judge(&value, range.clone()) {
                out.push(Number { line: at, range, kind, whose, confidence, because: because.into(), value });
            }
        }
    };
    each(&UPN, &mut |value, range| {
        if !checks::upn(value) {
            return None;
        }
        match index.identifier(value) {
            Some(pupil) => Some(("upn", Whose::Pupil(pupil), Confidence::High, "check letter right, on the roster")),
            None => {
                // Spaced out, a chance run of words and digits passes one time in 23.
                let compact = !text[range.clone()].contains([' ', '.', '-']);
                let said = says(&words_beside(scene, at, &range), &["upn", "unique pupil number", "pupil number"]);
                (compact || said).then_some((
                    "upn",
                    Whose::Unlisted,
                    Confidence::High,
                    "check letter right, on no roster",
                ))
            }
        }
    });
    each(&MRZ, &mut |value, _| {
        checks::passport_mrz(value).then_some((
            "passport",
            Whose::Adult,
            Confidence::High,
            "machine-readable zone, check digits right",
        ))
    });
    each(&IBAN, &mut |value, _| {
        let own = school.bank_accounts.iter().any(|account| value.contains(account.as_str()) && account.len() >= 8);
        (checks::iban(value) && !own).then_some((
            "bank-account",
            Whose::Adult,
            Confidence::High,
            "IBAN, check digits right",
        ))
    });
    each(&UCI, &mut |value, range| {
        (checks::uci(value) && says(&words_beside(scene, at, &range), &["uci", "candidate", "entry", "exam"]))
            .then_some(("uci", Whose::Unlisted, Confidence::Medium, "check letter right, a word beside it"))
    });
    each(&LICENCE, &mut |value, _| {
        checks::driving_licence(value).then_some((
            "driving-licence",
            Whose::Adult,
            Confidence::High,
            "shape and date of a driving licence",
        ))
    });
    each(&NINO, &mut |value, _| {
        checks::national_insurance(value).then_some((
            "ni-number",
            Whose::Adult,
            Confidence::High,
            "shape and prefix of a National Insurance number",
        ))
    });
    each(&CARD, &mut |value, _| {
        checks::card(value).then_some(("payment-card", Whose::Adult, Confidence::High, "check digit right"))
    });
    each(&TEN, &mut |value, range| {
        let beside = words_beside(scene, at, &range);
        if let Some(pupil) = index.identifier(value) {
            let kind = if checks::nhs(value) { "nhs-number" } else { "uln" };
            return Some((kind, Whose::Pupil(pupil), Confidence::High, "check digit right, on the roster"));
        }
        if checks::nhs(value) && says(&beside, &["nhs", "nhs no", "national health", "chi number"]) {
            return Some((
                "nhs-number",
                Whose::Adult,
                Confidence::High,
                "check digit right, a word beside it, on no roster",
            ));
        }
        if checks::uln(value) && says(&beside, &["uln", "unique learner", "learner number"]) {
            return Some((
                "uln",
                Whose::Unlisted,
                Confidence::High,
                "check digit right, a word beside it, on no roster",
            ));
        }
        None
    });
    each(&PASSPORT, &mut |_, range| {
        says(&words_beside(scene, at, &range), &["passport"]).then_some((
            "passport",
            Whose::Adult,
            Confidence::Medium,
            "nine characters, a word beside it",
        ))
    });
    each(&ACCOUNT, &mut |value, range| {
        let beside = words_beside(scene, at, &range);
        let said = says(&beside, &["account", "acc", "a/c", "acct", "acc no", "bank", "sort code", "sort"]);
        let sort =
            SORT_CODE.as_ref().and_then(|pattern| pattern.find_iter(&beside).last().map(|m| m.as_str().to_owned()));
        let sort = sort.map(|sort| sort.chars().filter(char::is_ascii_digit).collect::<String>());
        match sort {
            Some(sort) if said || text[range.clone()].len() == 8 && says(&beside, &["sc", "bacs", "pay", "paid"]) => {
                let own = school
                    .bank_accounts
                    .iter()
                    .any(|account| *account == format!("{sort}{value}") || account.ends_with(value));
                (!own).then_some(("bank-account", Whose::Adult, Confidence::High, "sort code with an account number"))
            }
            _ => None,
        }
    });
    if let Some(pattern) = LAST_DIGITS.as_ref() {
        for found in pattern.captures_iter(text) {
            if let Some(digits) = found.get(1) {
                let because = "last digits of an identifier".to_owned();
                let value = digits.as_str().to_owned();
                out.push(Number {
                    line: at,
                    range: digits.range(),
                    kind: "identifier-part",
                    whose: Whose::Unlisted,
                    confidence: Confidence::Low,
                    because,
                    value,
                });
            }
        }
    }
}
