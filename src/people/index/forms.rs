//! The written forms under which a name, a class or an address is looked up.

use crate::limits;
use crate::people::names::{NAMES, Wordness};
use crate::text::normalise::token_hash;
use crate::text::{Run, Text, TextBuf};

/// A written form of a forename or a surname.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub run: Run,
    /// Its first token.
    pub first: u64,
    /// A part of a double name, or another spelling of its prefix.
    pub loose: bool,
    pub wordness: Wordness,
}

/// Words before a surname that are no name by themselves.
const PARTICLES: [&str; 20] = [
    "van", "der", "den", "de", "la", "le", "da", "dos", "di", "el", "al", "bin", "bint", "ibn", "von", "ter", "o",
    "ni", "mc", "mac",
];

/// All forms of one name: the whole, however it is broken by apostrophes, hyphens and spaces, and, loosely, each part of a
/// double name.
pub(super) fn forms(name: &str, parts_alone: bool) -> Vec<Form> {
    let mut out = Vec::new();
    forms_of(&TextBuf::new(name).text(), parts_alone, &mut out);
    out
}

/// As [`forms`], of a name that is cut already; onto the end of `out`, where a form of the same name that stands there
/// already stays alone, exact if either is.
pub(super) fn forms_of(text: &Text<'_>, parts_alone: bool, out: &mut Vec<Form>) {
    let tokens = text.tokens;
    let Some(first) = tokens.first() else { return };
    let whole = text.run(0, tokens.len());
    let mut add = |form: Form| match out.iter_mut().find(|o| o.run == form.run && o.first == form.first) {
        Some(other) => other.loose &= form.loose,
        None => out.push(form),
    };
    if tokens.len() <= limits::NAME_PART {
        let wordness = tokens.iter().map(|token| NAMES.wordness(text.hash(token))).min().unwrap_or_default();
        add(Form { run: whole, first: text.hash(first), loose: false, wordness });
        if text.folded().contains('\'') {
            let broken = text.folded().replace('\'', " ");
            let broken = TextBuf::new(&broken);
            let broken = broken.text();
            if let Some(first) = broken.tokens.first() {
                add(Form { run: whole, first: broken.hash(first), loose: false, wordness });
            }
        }
        if let [word] = tokens {
            let word = text.norm(word);
            for (prefix, other) in [("mc", "mac"), ("mac", "mc")] {
                if let Some(rest) = word.strip_prefix(prefix)
                    && rest.len() >= limits::AFTER_MAC
                {
                    add(Form { run: whole, first: token_hash(prefix), loose: false, wordness });
                    let respelt = Run::of_token(other).then(Run::of_token(rest));
                    add(Form { run: respelt, first: respelt.hash, loose: true, wordness });
                }
            }
        }
    }
    if parts_alone && tokens.len() > 1 {
        for token in tokens {
            let word = text.norm(token);
            if word.len() >= limits::DOUBLE_NAME_PART && !PARTICLES.contains(&word) {
                let wordness = NAMES.wordness(text.hash(token));
                add(Form { run: text.run_of(token), first: text.hash(token), loose: true, wordness });
            }
        }
    }
}

/// The initials of a pupil's surname in three letters of five bits, the last letter lowest; 0 for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Initials(u16);

impl Initials {
    /// Initials of a surname, where it is so simple: no apostrophe, and three letters of the alphabet at most.
    pub fn of(surname: &Text<'_>) -> Option<Self> {
        if surname.folded().contains('\'') || surname.tokens.len() > 3 {
            return None;
        }
        let letters = surname.tokens.iter().filter_map(|token| surname.norm(token).chars().next());
        let packed = letters.into_iter().try_fold(0u16, |packed, letter| {
            let value = u16::try_from(u32::from(letter)).ok()?.checked_sub(u16::from(b'a') - 1)?;
            (value <= 26).then_some(packed << 5 | value)
        });
        packed.map(Self)
    }

    /// Whether a token is how the surname is shortened: `Y`, for a double name each initial, and all of them together.
    pub fn stand_for(self, token: u64) -> bool {
        let mut buffer = [0u8; 3];
        let mut length = 0;
        for shift in [10, 5, 0] {
            let letter = u8::try_from(self.0 >> shift & 31).unwrap_or_default();
            if letter != 0 {
                buffer[length] = b'a' + letter - 1;
                length += 1;
            }
        }
        let is = |letters: &[u8]| std::str::from_utf8(letters).is_ok_and(|letters| token_hash(letters) == token);
        let letters = &buffer[..length];
        letters.chunks(1).any(is) || (length > 1 && is(letters)) || (length > 2 && is(&letters[..2]))
    }
}

/// The first letter of each part.
fn letters(name: &str) -> Vec<char> {
    let text = TextBuf::new(name);
    let text = text.text();
    text.tokens.iter().filter_map(|token| text.norm(token).chars().next()).collect()
}

/// `Y`, for a double name each initial, and all of them together; for `O'Brien-Smith` also `OB` and `OBS`.
pub(super) fn initials(surname: &str) -> Vec<String> {
    let broken = surname.replace(['\'', '\u{2019}'], " ");
    let (whole, parts) = (letters(surname), letters(&broken));
    let mut out: Vec<String> = whole.iter().map(char::to_string).collect();
    for group in [whole, parts] {
        if group.len() > 1 {
            out.push(group.iter().collect());
        }
        if group.len() > 2 {
            out.push(group[..2].iter().collect());
        }
    }
    out.sort();
    out.dedup();
    out
}

/// Runs that name a class, with the first token of each: as written, and `10B` also as `Y10B` and `10 B`.
pub(super) fn class_forms(form: &str) -> Vec<(u64, Run)> {
    let plain = compact(form);
    let whole = Run::of(form);
    let compacted = Run::of_token(&plain);
    let mut out: Vec<(u64, Run)> = Vec::new();
    let text = TextBuf::new(form);
    let text = text.text();
    out.extend(text.tokens.first().map(|first| (text.hash(first), whole)));
    out.push((compacted.hash, compacted));
    let digits: String = plain.chars().take_while(char::is_ascii_digit).collect();
    if !digits.is_empty() && digits.len() < plain.len() {
        out.push((token_hash(&digits), compacted));
        for prefix in ["y", "yr"] {
            let run = Run::of_token(prefix).then(compacted);
            out.push((run.hash, run));
        }
    }
    out
}

/// Year group as in [`super::Fact::Year`].
pub(super) fn year_of(text: &str) -> Option<i8> {
    let lower = text.trim().to_lowercase();
    match lower.as_str() {
        "n" | "n1" | "n2" | "nursery" => Some(-1),
        "r" | "reception" | "yr" => Some(0),
        _ => {
            lower.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok().filter(|year| (0..=14).contains(year))
        }
    }
}

/// Letters and digits alone, in small letters.
pub(super) fn compact(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// House number (or name) and street of an address: the runs under which it is looked up.
pub(crate) fn streets(address: &str) -> Vec<u64> {
    let mut out = Vec::new();
    for part in address.split(',') {
        let text = TextBuf::new(part);
        let text = text.text();
        // A number and at least one further word: `14 Frost Lane`; two words of the street are enough.
        if text.tokens.len() >= 2 && text.word(0).starts_with(|c: char| c.is_ascii_digit()) {
            out.push(text.run(0, 3).hash);
        }
    }
    out
}
