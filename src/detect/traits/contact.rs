//! Private telephones and mailboxes of staff: those of the directory wherever they stand, and what the sender says is
//! his or her own.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use hashbrown::HashSet;
use regex::Regex;

use super::addresses::{Known, found};
use crate::limits;
use crate::people::School;

/// A run of digits with what people write between them.
static RUN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\+?\d[\d ().\u{a0}/\u{2010}-\u{2015}-]{7,}\d").ok());

/// "My mobile is 07…", "ring me at home on …", and the number.
static OWN_PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let number = r"(\+?\(?\d[\d ().\u{a0}/\u{2013}-]{7,}\d)";
    let mine = r"\bmy (?:own |personal |private |home |new )*(?:mobile|mob|cell|phone|telephone|landline|number|whatsapp)(?: (?:phone|number|no))*\.?(?:[ :,(\u{2013}-]|\b(?:is|on|at|number)\b)*";
    let reach = r"\b(?:call|ring|phone|text|whatsapp|message|reach|contact|get|give me a (?:call|ring)) ?(?:hold of )?(?:or (?:call|ring|phone|text|whatsapp|message) )?me (?:any ?time |directly |at home |on whatsapp |instead |later )*(?:on|at|via)?(?: my)?(?: own| personal| private| home| mobile| number| phone)* ?[:(]? ?";
    Regex::new(&format!("(?i)(?:{mine}|{reach}){number}")).ok()
});

/// "My personal e-mail is …"; "my email", where the mailbox is private.
static OWN_MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\bmy (?:own |personal |private |home |other |gmail |hotmail |new )*(?:e-?mail|mail|address|account|gmail|hotmail)(?: (?:address|account))?(?:[ :,(<\u{2013}-]|\b(?:is|on|at)\b)*$").ok()
});

/// Said of a telephone that the school gave.
static OF_WORK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:school|work|office|classroom|duty)\b").ok());

/// Private telephones of the directory, as national numbers without their leading nought.
pub(super) struct Phones {
    staff: HashSet<String>,
    lengths: BTreeSet<usize>,
    school: Option<String>,
}

impl Phones {
    pub(super) fn of(school: &School) -> Self {
        let own = national(&school.telephone);
        let private = school.staff.iter().filter_map(|staff| national(staff.private_phone.as_deref()?));
        let staff: HashSet<String> = private.filter(|number| Some(number) != own.as_ref()).collect();
        let lengths = staff.iter().map(String::len).collect();
        Self { staff, lengths, school: own }
    }

    /// A private telephone of the directory stands in the line.
    pub(super) fn stand_in(&self, line: &str) -> bool {
        let Some(run) = RUN.as_ref().filter(|_| !self.staff.is_empty()) else { return false };
        run.find_iter(line).any(|at| {
            let mut digits = String::new();
            // Digits with something between them and the one before.
            let mut parted = BTreeSet::new();
            for c in at.as_str().chars() {
                match c.is_ascii_digit() {
                    true => digits.push(c),
                    false => _ = parted.insert(digits.len()),
                }
            }
            // The run may hold more than one number; each begins and ends where something parts it.
            let begins = |from: usize| {
                parted.contains(&from)
                    || ["", "0", "44", "440"].iter().any(|code| whole(&digits[..from], code, &parted))
            };
            let ends = |to: usize| to == digits.len() || parted.contains(&to);
            self.lengths.iter().any(|&length| {
                (0..=digits.len().saturating_sub(length))
                    .filter(|&from| digits.get(from..from + length).is_some_and(|number| self.staff.contains(number)))
                    .any(|from| begins(from) && ends(from + length))
            })
        })
    }
}

/// The digits before a number end in this code, which begins the run or where something parts it.
fn whole(before: &str, code: &str, parted: &BTreeSet<usize>) -> bool {
    before.strip_suffix(code).is_some_and(|rest| rest.is_empty() || rest == "00" || parted.contains(&rest.len()))
}

/// The digits behind the nought or the country code; `None` for what is too short to be somebody's number.
fn national(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let abroad = phone.trim_start().starts_with('+') || digits.starts_with("00");
    let rest = digits.trim_start_matches('0');
    let rest = if abroad { rest.strip_prefix("44").unwrap_or(rest).trim_start_matches('0') } else { rest };
    (rest.len() >= limits::PRIVATE_PHONE_DIGITS).then(|| rest.to_owned())
}

/// The sender gives a telephone or a mailbox as his or her own that is not the school's.
pub(super) fn gives_own(sentence: &str, known: &Known<'_>, phones: &Phones) -> bool {
    let phone = OWN_PHONE.as_ref().is_some_and(|own| {
        own.captures_iter(sentence).any(|said| {
            let (Some(whole), Some(number)) = (said.get(0), said.get(1)) else { return false };
            let words = &sentence[whole.start()..number.start()];
            // Of a number that is merely to be rung only a mobile is somebody's own.
            let own = words.to_lowercase().starts_with("my ") || words.to_lowercase().contains("home");
            let number = national(number.as_str());
            let mobile = number.as_ref().is_some_and(|n| n.starts_with('7') && n.len() == limits::MOBILE_DIGITS);
            let of_work =
                OF_WORK.as_ref().is_some_and(|w| w.is_match(words) || w.is_match(before(sentence, whole.start())));
            number.is_some() && number != phones.school && (own || mobile) && !of_work
        })
    });
    phone
        || sentence.contains('@')
            && found(sentence).iter().any(|(at, address)| {
                known.is_private(address)
                    && !known.is_recipient(address)
                    && OWN_MAIL.as_ref().is_some_and(|own| own.is_match(&sentence[..*at]))
            })
}

/// The word before a place.
fn before(sentence: &str, at: usize) -> &str {
    sentence[..at].split_whitespace().next_back().unwrap_or_default()
}
