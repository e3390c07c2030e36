//! Answers in the columns of a roster: whether there is consent, whether a parent has parental responsibility, whether a
//! parent is kept from a pupil.
//!
//! Never guesses: what it cannot read is [`Answer::Unclear`], and whoever reads the list names the cell. What keeps a parent
//! away is read the other way round: all but a clear "no" does ([`bar`]).

use crate::text::TextBuf;

/// What a cell answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Consent given, yes, a tick.
    Yes,
    /// Consent refused or withdrawn, no, a cross.
    No,
    /// Nothing is recorded: blank, unknown, no reply yet.
    Blank,
    /// Something that is neither, or both.
    Unclear,
}

impl Answer {
    /// Yes and no; nothing for all else.
    pub fn known(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Blank | Self::Unclear => None,
        }
    }

    /// The answer to the opposite question: a column "opted out of photographs" asks for refusals.
    #[must_use]
    pub fn inverted(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            other => other,
        }
    }
}

const TICKS: &[&str] = &["✓", "✔", "☑", "✅", "🗸"];
const CROSSES: &[&str] = &["✗", "✘", "☒", "❌"];
/// A form that did not come back is no refusal.
const OPEN: &[&str] = &[
    "unknown",
    "known",
    "pending",
    "awaiting",
    "awaited",
    "recorded",
    "obtained",
    "asked",
    "yet",
    "response",
    "reply",
    "answer",
    "answered",
    "returned",
    "applicable",
    "na",
    "tbc",
];
const NO: &[&str] = &[
    "n",
    "no",
    "f",
    "false",
    "0",
    "none",
    "not",
    "never",
    "without",
    "refused",
    "refuses",
    "refuse",
    "declined",
    "declines",
    "denied",
    "withdrawn",
    "withheld",
    "dissent",
    "objects",
    "objected",
    "out",
    "dont",
    "nonconsent",
];
const YES: &[&str] = &[
    "y",
    "yes",
    "t",
    "true",
    "1",
    "consent",
    "consents",
    "consented",
    "given",
    "gives",
    "granted",
    "agreed",
    "agrees",
    "allowed",
    "permitted",
    "permission",
    "approved",
    "accepted",
    "in",
    "ok",
    "full",
];

fn words(text: &str) -> Vec<String> {
    let text = text.replace(['\'', '\u{2019}'], "").replace(['/', '.'], "");
    let text = TextBuf::new(&text);
    let text = text.text();
    text.tokens.iter().map(|token| text.norm(token).to_owned()).collect()
}

/// Reads a cell that answers yes or no, in whatever words.
pub fn answer(cell: &str) -> Answer {
    let cell = cell.trim();
    if TICKS.contains(&cell) {
        return Answer::Yes;
    }
    if CROSSES.contains(&cell) {
        return Answer::No;
    }
    let words = words(cell);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let plain_yes = words.first().is_some_and(|word| matches!(word.as_str(), "y" | "yes" | "t" | "true" | "1"));
    match () {
        () if words.is_empty() && cell.chars().all(|c| c.is_whitespace() || c.is_ascii_punctuation() || c == '–') => {
            Answer::Blank
        }
        () if any(OPEN) => Answer::Blank,
        // "Yes, but not on the website" is no answer to a general question.
        () if any(NO) && plain_yes => Answer::Unclear,
        () if any(NO) => Answer::No,
        () if any(YES) => Answer::Yes,
        () => Answer::Unclear,
    }
}

/// What a cell under "court order" or "no contact" says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// Nobody is kept away.
    No,
    /// The parent is kept from the pupil.
    Yes,
    /// Something else stands there: the parent is kept from the pupil, and the cell is to be looked at.
    Unclear,
}

/// Reads a cell that says whether a parent is kept from a pupil. All that is not a clear "no" keeps them away: a mother whose
/// mail is held once asks the office; what a barred father reads cannot be taken back.
pub fn bar(cell: &str) -> Bar {
    let cell = cell.trim();
    if TICKS.contains(&cell) {
        return Bar::Yes;
    }
    if CROSSES.contains(&cell) || cell == "☐" {
        return Bar::No;
    }
    let words = words(cell).concat();
    match words.as_str() {
        "" if cell.chars().all(|c| c.is_whitespace() || c.is_ascii_punctuation() || c == '–') => Bar::No,
        "n" | "no" | "f" | "false" | "0" | "none" | "nil" | "na" | "notapplicable" | "unknown" | "notknown"
        | "noneknown" | "nonerecorded" | "noneinplace" | "nocourtorder" | "nocourtorders" | "noorder" | "noorders"
        | "norestriction" | "norestrictions" => Bar::No,
        "y" | "yes" | "t" | "true" | "1" | "x" | "nocontact" | "courtorder" | "courtorderinplace" | "barred" => {
            Bar::Yes
        }
        _ => Bar::Unclear,
    }
}

/// What a fault says of an answer that cannot be read.
pub const UNCLEAR: &str = "is neither yes nor no; it counts as not recorded";

/// What a fault says of a cell that keeps a parent away by what it does not say.
pub const UNCLEAR_BAR: &str = "is neither yes nor no; the parent is taken to be kept from the pupil";

/// A later answer beside an earlier one of the same person: a no stays.
pub fn stricter(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_in_many_words() {
        for (want, cells) in [
            (
                Answer::Yes,
                &[
                    "Yes",
                    "y",
                    "TRUE",
                    "T",
                    "1",
                    "✓",
                    " ✔ ",
                    "Consent given",
                    "Consent Granted",
                    "Permission given",
                    "agreed",
                    "Opted in",
                    "Given 03/09/2025",
                    "OK",
                ][..],
            ),
            (
                Answer::No,
                &[
                    "No",
                    "N",
                    "false",
                    "0",
                    "✗",
                    "Refused",
                    "Consent refused",
                    "Consent not given",
                    "No consent",
                    "declined",
                    "Withdrawn",
                    "Opted out",
                    "Don't photograph",
                    "do not photograph",
                    "Permission denied",
                    "None",
                ],
            ),
            (
                Answer::Blank,
                &[
                    "",
                    "  ",
                    "-",
                    "–",
                    "?",
                    "Unknown",
                    "Not known",
                    "n/a",
                    "N.A.",
                    "Not yet asked",
                    "No response",
                    "Pending",
                    "no reply",
                    "Form not returned",
                ],
            ),
            (Answer::Unclear, &["Yes - not website", "see file", "x", "7", "Mrs Lowe", "☐"]),
        ] {
            for cell in cells {
                assert_eq!(answer(cell), want, "{cell:?}");
            }
        }
        assert_eq!(answer("Yes").inverted(), Answer::No);
        assert_eq!(answer("").inverted().known(), None);
    }

    #[test]
    fn all_but_a_clear_no_keeps_a_parent_away() {
        for (want, cells) in [
            (
                Bar::No,
                &["", " - ", "No", "n", "FALSE", "0", "None", "N/A", "none known", "No court order", "✗", "☐"][..],
            ),
            (Bar::Yes, &["Yes", "Y", "true", "1", "✓", "x", "No contact", "NO CONTACT", "Barred"]),
            (
                Bar::Unclear,
                &[
                    "12/03/2024",
                    "not to collect",
                    "No access to records",
                    "Prohibited steps order, see file",
                    "pending hearing",
                    "Mother only",
                    "♦",
                    "No, except by letter",
                ],
            ),
        ] {
            for cell in cells {
                assert_eq!(bar(cell), want, "{cell:?}");
            }
        }
    }

    #[test]
    fn a_refusal_stays() {
        assert_eq!(stricter(Some(true), Some(false)), Some(false));
        assert_eq!(stricter(Some(false), Some(true)), Some(false));
        assert_eq!(stricter(None, Some(true)), Some(true));
        assert_eq!(stricter(None, None), None);
    }
}
