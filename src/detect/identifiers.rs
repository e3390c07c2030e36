//! Numbers that name a person: pupils' (UPN, ULN, NHS number, candidate identifier) and adults'.
//!
//! A UPN stands by its check letter. Ten digits pass a check by chance one time in eleven, so NHS numbers and ULNs want
//! the roster or a word beside them; so do passports, account numbers and National Insurance numbers, which have no check
//! of their own. Digits in a link, in a telephone number or in a longer code are no NHS number.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;

use super::Confidence;
use super::marks::Marks;
use super::scene::{Line, Scene};
use super::work::step;
use crate::limits;
use crate::people::{PupilIndex, School};
use crate::text::checks;
use crate::text::normalise::{Token, TokenKind};

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
    pub because: &'static str,
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
pattern!(IBAN, r"(?i)\b[a-z]{2}\d{2}[ -]?[a-z0-9]");
pattern!(CARD, r"\b\d(?:[ -]?\d){12,18}\b");
pattern!(MRZ, r"\b[0-9A-Z<]{9}[0-9]GBR\d{7}[MFX<]\d{7}[0-9A-Z<]{16}");
pattern!(PASSPORT, r"(?i)\b[0-9a-z]\d{8}\b");
pattern!(SORT_CODE, r"\b\d{2}[- ]\d{2}[- ]\d{2}\b|\b\d{6}\b");
pattern!(ACCOUNT, r"\b\d{8}\b|\b\d{4} \d{4}\b");
// What stands before the last eight digits of a telephone: `020 7946 0018`, `+44 (0)20 7946 0018`.
pattern!(AREA, r"(?:\b0|\+44[ -]?(?:\(0\)[ -]?)?)\d{2,4}\)?[ -]?\z");
// Telephones: a country code, or the word, before the digits.
pattern!(
    TELEPHONE,
    r"(?i)(?:\+|\b00)[ \d().-]{0,8}\z|\b(?:tel|telephone|phone|mobile|mob|fax|ext)(?: ?(?:no|number))?\.?:?[ (+]*\z"
);
pattern!(LAST_DIGITS, r"(?i)\b(?:upn|uln|nhs)\b[^.\n]{0,30}\b(?:ends?|ending|last)\b[^.\n]{0,25}?(\d{3,6})\b");

/// All numbers of the message.
pub(super) fn find(scene: &Scene<'_>, school: &School) -> Vec<Number> {
    let (mut out, mut silent) = (Vec::new(), Vec::new());
    for (at, line) in scene.lines() {
        if line.all_marks.has(Marks::DIGIT) {
            let number = line.text_number();
            if silent.len() <= number {
                silent.resize(number + 1, Silent::default());
            }
            Finder { scene, school, at, line, start: out.len(), silent: &mut silent[number], out: &mut out }.line();
        }
    }
    out
}

/// The words just before and behind a number, and in a table those of the column's heading and of the cells beside it.
fn words_beside(scene: &Scene<'_>, at: usize, range: &Range<usize>) -> String {
    let folded = scene.lines[at].text.folded();
    let before = last_of(&folded[..range.start]);
    let behind = first_of(&folded[range.end..], limits::IDENTIFIER_REACH / 2);
    format!("{before} {behind}").to_lowercase() + &words_around(scene, at, range)
}

/// Those of the heading and of the cells.
fn words_around(scene: &Scene<'_>, at: usize, range: &Range<usize>) -> String {
    let line = &scene.lines[at];
    let mut beside = String::new();
    let mut add = |words: &str| {
        beside.push(' ');
        beside.push_str(&words.to_lowercase());
    };
    if let Some((row, _)) = line.cell() {
        let lines = &scene.of_document[line.document()];
        let same = |other: &usize| {
            scene.lines[*other].block() == line.block() && scene.lines[*other].cell().is_some_and(|cell| cell.0 == row)
        };
        for other in (lines.start..at).rev().take(limits::CELLS_BEFORE).filter(same) {
            add(last_of(scene.lines[other].text.folded()));
        }
        for other in (at + 1..lines.end).take(limits::CELLS_BEHIND).filter(same) {
            add(first_of(scene.lines[other].text.folded(), limits::IDENTIFIER_REACH));
        }
        // The heading is the first filled cell of the column.
        let heading = line.top().filter(|&top| scene.lines[top].cell().is_some_and(|top| top.0 < row));
        if let Some(heading) = heading {
            add(first_of(scene.lines[heading].text.folded(), limits::IDENTIFIER_REACH));
        }
    } else if at > 0
        && scene.lines[at - 1].document() == line.document()
        && scene.lines[at - 1].heading()
        && range.start < limits::IDENTIFIER_REACH
    {
        add(last_of(scene.lines[at - 1].text.folded()));
    }
    step(beside.len());
    beside
}

/// Whether ten digits are a number of their own: in no link and no address, no telephone, no part of a longer code.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let (before, behind) = (&text[..range.start], &text[range.end..]);
    // In a cell nothing is beside it, nearly always.
    if before.is_empty() && behind.is_empty() {
        return true;
    }
    let word_before = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word_behind = behind.split(char::is_whitespace).next().unwrap_or_default();
    let labelled = ["nhs", "chi", "no", "number"].iter().any(|label| {
        word_before.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase().ends_with(label)
            && !word_before.contains(['.', '?', '&', '@'])
    });
    let link =
        |word: &str| word.contains(['@', '?', '&', '%', '_', '=']) || word.contains("//") || word.contains("www.");
    let path = word_before.contains('/') && word_before.contains('.') || word_behind.starts_with('/');
    let joined = |c: Option<char>, next: Option<char>| {
        matches!(c, Some('-' | '.' | '/' | '#')) && next.is_some_and(char::is_alphanumeric)
    };
    let mut backwards = before.chars().rev();
    let mut forwards = behind.chars();
    let in_code = joined(backwards.next(), backwards.next());
    let goes_on = joined(forwards.next(), forwards.next());
    let telephone = TELEPHONE.as_ref().is_some_and(|pattern| pattern.is_match(last_of(before)));
    !(telephone || goes_on || link(word_behind)) && (labelled || !(in_code || path || link(word_before)))
}

/// The end of a text, as far as a word beside an identifier may stand from it.
fn last_of(text: &str) -> &str {
    let from = text.len().saturating_sub(limits::IDENTIFIER_REACH);
    (from..=text.len()).find_map(|from| text.get(from..)).unwrap_or_default()
}

/// The beginning of a text, about so many octets.
fn first_of(text: &str, reach: usize) -> &str {
    (reach.min(text.len())..=text.len()).find_map(|to| text.get(..to)).unwrap_or_default()
}

/// Whether one of the words stands there whole, in the plural perhaps.
fn says(beside: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        memmem::find_iter(beside.as_bytes(), word).any(|at| {
            let before = beside[..at].chars().next_back();
            let after = beside[at + word.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(|c| c.is_alphanumeric() && c != 's')
        })
    })
}

/// Digits of the shortest identifier, four digits of a number of which the rest is not written apart.
const FEWEST_DIGITS: usize = 4;

/// Digits beside each other, with the single letters and pairs of letters among them: what an identifier that is set in
/// groups can be. Most are the number of a house, a date or a telephone, and are too short for most patterns.
struct Chain {
    /// Bytes of the folded text; goes on to the end of the word.
    range: Range<usize>,
    digits: usize,
    letters: usize,
    /// The longest token.
    longest: usize,
}

/// The chains of a line, in order.
fn chains(line: &Line<'_>, mut each: impl FnMut(Chain)) {
    let tokens = line.text.tokens;
    let folded = line.text.folded().as_bytes();
    let in_chain = |token: &Token| token.kind != TokenKind::Word || line.text.length(token) <= 2;
    let mut at = 0;
    while at < tokens.len() {
        if !in_chain(&tokens[at]) {
            at += 1;
            continue;
        }
        let mut chain = Chain { range: tokens[at].start()..tokens[at].end(), digits: 0, letters: 0, longest: 0 };
        loop {
            let token = &tokens[at];
            let bytes = &folded[token.start()..token.end()];
            let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
            chain.digits += digits;
            chain.letters += bytes.len() - digits;
            chain.longest = chain.longest.max(bytes.len());
            chain.range.end = token.end();
            at += 1;
            let Some(next) = tokens.get(at) else { break };
            let between = folded.get(token.end()..next.start()).unwrap_or_default();
            if !in_chain(next) || !matches!(between, [] | [b' ' | b'.' | b'-']) {
                break;
            }
        }
        if chain.digits >= FEWEST_DIGITS {
            // What follows without a gap belongs to the same word, and tells where a number may not end.
            let rest = folded[chain.range.end..].iter();
            chain.range.end += rest.take_while(|&&b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80).count();
            each(chain);
        }
    }
}

/// Patterns of which is known that they stand nowhere in a text, by their places in the order in which they are asked of a chain: a
/// text of one chain that stands in many cells is asked once.
#[derive(Clone, Copy, Default)]
struct Silent(u8);

/// Looks for numbers in one line.
struct Finder<'a, 'b> {
    scene: &'a Scene<'b>,
    school: &'a School,
    at: usize,
    line: &'a Line<'b>,
    /// Numbers of earlier lines in `out`.
    start: usize,
    /// Of the line's text.
    silent: &'a mut Silent,
    out: &'a mut Vec<Number>,
}

impl Finder<'_, '_> {
    fn line(&mut self) {
        let text = self.line.text.folded();
        if self.line.text.tokens.iter().any(|token| iban_like(self.line.text.norm(token))) {
            self.ibans();
        }
        let mut found = Vec::new();
        chains(self.line, |chain| found.push(chain));
        if found.iter().any(|chain| chain.digits >= 7) && text.contains("GBR") {
            self.each(&MRZ, 0..text.len(), |_, value, _| {
                let because = "machine-readable zone, check digits right";
                checks::passport_mrz(value).then_some(("passport", Whose::Adult, Confidence::High, because))
            });
        }
        let one = found.len() == 1;
        for chain in found {
            self.chain(chain, one);
        }
        if self.line.all_marks.has(Marks::IDENTIFIER) {
            self.last_digits();
        }
    }

    /// Patterns in the order in which they are believed; each wants so many digits and letters.
    fn chain(&mut self, Chain { range, digits, letters, longest }: Chain, one: bool) {
        if digits >= 11 && letters >= 1 {
            self.once(0, one, &UPN, range.clone(), Self::upn);
            self.once(1, one, &UCI, range.clone(), Self::candidate);
        }
        // The letters of a licence may be a word before the digits.
        if digits >= 7 && letters >= 1 {
            let from = self.line.text.tokens.partition_point(|token| token.end() < range.start).saturating_sub(1);
            let from = self.line.text.tokens.get(from).map_or(range.start, |token| token.start());
            self.once(2, one, &LICENCE, from.min(range.start)..range.end, |_, value, _| {
                let because = "shape and date of a driving licence";
                let right = checks::driving_licence(value);
                right.then_some(("driving-licence", Whose::Adult, Confidence::High, because))
            });
        }
        if digits >= 6 && letters >= 3 {
            self.once(3, one, &NINO, range.clone(), |finder, value, range| {
                let because = "shape and prefix of a National Insurance number, its word beside it";
                let right = checks::national_insurance(value) && finder.in_sentence(range, OF_INSURANCE);
                right.then_some(("ni-number", Whose::Adult, Confidence::High, because))
            });
        }
        if digits >= 13 {
            self.once(4, one, &CARD, range.clone(), |_, value, _| {
                checks::card(value).then_some(("payment-card", Whose::Adult, Confidence::High, "check digit right"))
            });
        }
        if digits >= 10 {
            self.once(5, one, &TEN, range.clone(), Self::ten_digits);
        }
        if digits >= 8 && longest >= 9 {
            self.once(6, one, &PASSPORT, range.clone(), |finder, _, range| {
                let because = "nine characters, a word beside it";
                finder.beside(range, &["passport"]).then_some(("passport", Whose::Adult, Confidence::Medium, because))
            });
        }
        if digits >= 8 {
            self.once(7, one, &ACCOUNT, range, Self::account);
        }
    }

    /// As [`Finder::each`], unless what is looked at is one number whole already, or the pattern of this place is known to stand nowhere in
    /// the text, of which the chain is the only `one`.
    fn once(
        &mut self,
        place: u8,
        one: bool,
        pattern: &LazyLock<Option<Regex>>,
        within: Range<usize>,
        judge: impl Fn(&Self, &str, &Range<usize>) -> Option<Verdict>,
    ) {
        let bit = 1 << place;
        let whole = |number: &Number| number.range.start <= within.start && within.end <= number.range.end;
        if self.out[self.start..].last().is_some_and(whole) || one && self.silent.0 & bit != 0 {
            return;
        }
        if !self.each(pattern, within, judge) {
            self.silent.0 |= bit;
        }
    }

    /// Whether the pattern stands there at all comes back.
    fn each(
        &mut self,
        pattern: &LazyLock<Option<Regex>>,
        within: Range<usize>,
        judge: impl Fn(&Self, &str, &Range<usize>) -> Option<Verdict>,
    ) -> bool {
        let Some(pattern) = pattern.as_ref() else { return false };
        // What stands before is looked at for where a number may begin.
        let Some(text) = self.line.text.folded().get(..within.end) else { return false };
        let (mut from, mut stands) = (within.start, false);
        while let Some(found) = pattern.find_at(text, from) {
            (from, stands) = (found.end(), true);
            let value: String =
                found.as_str().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '<').collect::<String>();
            let value = value.to_uppercase();
            let range = found.range();
            let overlaps = self.out[self.start..]
                .iter()
                .inspect(|_| step(1))
                .any(|other| other.range.start < range.end && range.start < other.range.end);
            if overlaps {
                continue;
            }
            if let Some((kind, whose, confidence, because)) = judge(self, &value, &range) {
                let line = self.at;
                self.out.push(Number { line, range, kind, whose, confidence, because, value });
            }
        }
        stands
    }

    fn beside(&self, range: &Range<usize>, words: &[&str]) -> bool {
        says(&words_beside(self.scene, self.at, range), words)
    }

    /// As [`Finder::beside`], where the line's own words must stand in the number's sentence.
    fn in_sentence(&self, range: &Range<usize>, words: &[&str]) -> bool {
        const STOPS: [&str; 3] = [". ", "! ", "? "];
        let text = self.line.text.folded();
        let (before, behind) = (&text[..range.start], &text[range.end..]);
        // `N.I. no` goes on.
        let letter =
            |at: usize| before[..at].rsplit(|c: char| !c.is_alphanumeric()).next().is_some_and(|w| w.len() == 1);
        let stops = STOPS.iter().flat_map(|stop| before.match_indices(stop)).map(|(at, _)| at);
        let from = stops.filter(|&at| !letter(at)).max().unwrap_or(0);
        let to = STOPS.iter().filter_map(|stop| behind.find(stop)).min().unwrap_or(behind.len());
        let own = format!("{} {}", last_of(&before[from..]), first_of(&behind[..to], limits::IDENTIFIER_REACH));
        let around = words_around(self.scene, self.at, range);
        says(&own.to_lowercase(), words) || says(&around, words)
    }

    fn upn(&self, value: &str, range: &Range<usize>) -> Option<Verdict> {
        if !checks::upn(value) {
            return None;
        }
        if let Some(pupil) = self.school.index().identifier(value) {
            return Some(("upn", Whose::Pupil(pupil), Confidence::High, "check letter right, on the roster"));
        }
        // Spaced out, a chance run of words and digits passes one time in 23.
        let compact = !self.line.text.folded()[range.clone()].contains([' ', '.', '-']);
        let because = "check letter right, on no roster";
        (compact || self.beside(range, &["upn", "unique pupil number", "pupil number"])).then_some((
            "upn",
            Whose::Unlisted,
            Confidence::High,
            because,
        ))
    }

    fn candidate(&self, value: &str, range: &Range<usize>) -> Option<Verdict> {
        let because = "check letter right, a word beside it";
        (checks::uci(value) && self.beside(range, &["uci", "candidate", "entry", "exam"])).then_some((
            "uci",
            Whose::Unlisted,
            Confidence::Medium,
            because,
        ))
    }

    /// Where an IBAN ends is told by its country; words may follow.
    fn ibans(&mut self) {
        let (Some(pattern), text) = (IBAN.as_ref(), self.line.text.folded()) else { return };
        let accounts = &self.school.bank_accounts;
        let own = |value: &str| {
            accounts.iter().any(|account| account.len() >= ACCOUNT_DIGITS && value.contains(account.as_str()))
        };
        for begin in pattern.find_iter(text).map(|found| found.start()) {
            let Some((value, end)) = iban_at(text, begin).filter(|(value, _)| checks::iban(value) && !own(value))
            else {
                continue;
            };
            self.out.push(Number {
                line: self.at,
                range: begin..end,
                kind: "bank-account",
                whose: Whose::Adult,
                confidence: Confidence::High,
                because: "IBAN, check digits right",
                value,
            });
        }
    }

    fn ten_digits(&self, value: &str, range: &Range<usize>) -> Option<Verdict> {
        let (nhs, uln) = (checks::nhs(value), checks::uln(value));
        if let Some(pupil) = self.school.index().identifier(value) {
            let kind = if nhs { "nhs-number" } else { "uln" };
            return Some((kind, Whose::Pupil(pupil), Confidence::High, "check digit right, on the roster"));
        }
        let because = "check digit right, a word beside it, on no roster";
        if nhs
            && stands_alone(self.line.text.folded(), range)
            && self.beside(range, &["nhs", "nhs no", "national health", "chi number"])
        {
            return Some(("nhs-number", Whose::Adult, Confidence::High, because));
        }
        (uln && self.beside(range, &["uln", "unique learner", "learner number"])).then_some((
            "uln",
            Whose::Unlisted,
            Confidence::High,
            because,
        ))
    }

    fn account(&self, value: &str, range: &Range<usize>) -> Option<Verdict> {
        if AREA.as_ref()?.is_match(last_of(&self.line.text.folded()[..range.start])) {
            return None;
        }
        let beside = words_beside(self.scene, self.at, range);
        let sort = SORT_CODE.as_ref()?.find_iter(&beside).last()?.as_str();
        let said = says(&beside, &["account", "acc", "a/c", "acct", "acc no", "bank", "sort code", "sort"])
            || (range.len() == ACCOUNT_DIGITS && says(&beside, &["sc", "bacs", "pay", "paid"]));
        let both = sort.chars().filter(char::is_ascii_digit).collect::<String>() + value;
        let own = self.school.bank_accounts.iter().any(|account| *account == both || account.ends_with(value));
        (said && !own).then_some(("bank-account", Whose::Adult, Confidence::High, "sort code with an account number"))
    }

    fn last_digits(&mut self) {
        let Some(pattern) = LAST_DIGITS.as_ref() else { return };
        for digits in pattern.captures_iter(self.line.text.folded()).filter_map(|found| found.get(1)) {
            self.out.push(Number {
                line: self.at,
                range: digits.range(),
                kind: "identifier-part",
                whose: Whose::Unlisted,
                confidence: Confidence::Low,
                because: "last digits of an identifier",
                value: digits.as_str().to_owned(),
            });
        }
    }
}

/// What a National Insurance number is called, and the forms that ask for it (GOV.UK, 'P45, P60 and P11D forms' and 'Starter
/// checklist for PAYE').
const OF_INSURANCE: &[&str] = &[
    "ni",
    "n.i",
    "nino",
    "national insurance",
    "nat ins",
    "nat. ins",
    "insurance no",
    "insurance number",
    "p11d",
    "p45",
    "p46",
    "p60",
    "starter checklist",
    "payroll",
    "paye",
    "hmrc",
];

/// Digits of a bank account.
const ACCOUNT_DIGITS: usize = 8;

/// What may be the IBAN that begins at an octet, without separators, and where it ends. It is written whole or in groups of four;
/// in other groups (`GB29 NWBK 601613 31926819`) where there are but digits behind the bank's letters, as words have not.
fn iban_at(text: &str, begin: usize) -> Option<(String, usize)> {
    let text = &text[begin..];
    let length = checks::iban_length(text.get(..2)?)?;
    let mut value = String::new();
    let (mut fours, mut parted) = (true, true);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if value.len() == length {
            let digits = value.bytes().skip(8).all(|c| c.is_ascii_digit());
            return (!c.is_alphanumeric() && (fours || digits)).then_some((value, begin + at));
        }
        let separator = matches!(c, ' ' | '-');
        if !(c.is_ascii_alphanumeric() || separator && !parted) {
            return None;
        }
        parted = separator;
        if separator {
            fours &= value.len().is_multiple_of(4);
        } else {
            value.extend(c.to_uppercase());
        }
    }
    None
}

/// Two letters of a country and two check digits.
fn iban_like(token: &str) -> bool {
    matches!(token.as_bytes(), [a, b, c, d, ..]
        if a.is_ascii_lowercase() && b.is_ascii_lowercase() && c.is_ascii_digit() && d.is_ascii_digit())
}
