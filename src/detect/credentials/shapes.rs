//! What a credential may look like.

/// Said of a password, or of the field for one; a password is none of these.
const ORDINARY: &[&str] = &[
    "above",
    "account",
    "again",
    "admin",
    "anyone",
    "attached",
    "below",
    "blank",
    "broken",
    "case",
    "click",
    "confidential",
    "confirm",
    "correct",
    "different",
    "easy",
    "email",
    "fine",
    "follows",
    "good",
    "hard",
    "help",
    "here",
    "hidden",
    "home",
    "important",
    "incorrect",
    "invalid",
    "just",
    "lost",
    "mine",
    "missing",
    "must",
    "name",
    "needed",
    "never",
    "none",
    "okay",
    "once",
    "only",
    "optional",
    "password",
    "please",
    "policy",
    "private",
    "ready",
    "right",
    "safe",
    "same",
    "secret",
    "secure",
    "sent",
    "separate",
    "settings",
    "simple",
    "soon",
    "strong",
    "that",
    "their",
    "there",
    "this",
    "unique",
    "unknown",
    "user",
    "username",
    "weak",
    "what",
    "when",
    "with",
    "work",
    "works",
    "wrong",
    "your",
    "yours",
];

/// Ends of participles, adverbs and adjectives, which are said of a password as well.
const SAID: &[&str] = &["ed", "ing", "ly", "able", "ible", "ive", "ous", "ary", "ory", "less", "est", "-sensitive"];

/// Marks of program text and of addresses, which no credential in a message holds.
const FOREIGN: &[char] = &['(', ')', '{', '}', '[', ']', ';', '<', '>', '\\', '|', '`', '/', ':', '"', '\''];

/// Without the marks that end a sentence or a bracket.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_end_matches(['.', ',', ';', ')', '!', '?', ':', '"', '\''])
}

/// A file's name, a link, an address or program text.
fn foreign(value: &str) -> bool {
    let end = value.rsplit_once('.').map_or("", |(_, end)| end);
    let file = (2..=5).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric());
    let address = value.split_once('@').is_some_and(|(_, domain)| domain.contains('.'));
    file || address || value.starts_with(['-', '$', '%', '=', '&', '+']) || value.contains(FOREIGN)
}

/// Mixes letters with digits or signs as secrets do, and is no address, link, date, class or reference.
pub(super) fn mixed(value: &str) -> bool {
    let digit = value.bytes().any(|b| b.is_ascii_digit());
    let lower = value.bytes().any(|b| b.is_ascii_lowercase());
    let upper = value.bytes().any(|b| b.is_ascii_uppercase());
    let sign = value.bytes().any(|b| b"!$%^&*#@?~+=_".contains(&b));
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    (5..=40).contains(&value.chars().count())
        && !foreign(value)
        && letters >= 3
        && ((digit && lower) || (digit && upper && value.len() >= 6) || (sign && (digit || upper)))
}

/// Mixed beyond a name with a number behind it, as `Office365` is one: by a sign, or by digits and letters in turns.
pub(super) fn strong(value: &str) -> bool {
    let plain = value.trim_end_matches(|c: char| c.is_ascii_digit()).bytes().all(|b| b.is_ascii_alphabetic());
    mixed(value) && !plain
}

/// `4471C`, `2580`, `C1357X`, `1234#`.
pub(super) fn code(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (4..=10).contains(&value.len())
        && digits >= 3
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"*#".contains(&b))
        && value.len() - digits <= 2
}

/// A code that is no year.
pub(super) fn code_alone(value: &str) -> bool {
    code(value) && !(value.len() == 4 && (value.starts_with("19") || value.starts_with("20")))
}

/// One word that is a password only because it is stated to be one, and stands where nothing follows.
pub(super) fn word(value: &str) -> bool {
    let lower = value.to_lowercase();
    (4..=40).contains(&value.len())
        && !foreign(value)
        && value.bytes().filter(u8::is_ascii_alphanumeric).count() >= 4
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_!.#*&$@%^+~?".contains(&b))
        && !ORDINARY.contains(&lower.as_str())
        && !SAID.iter().any(|end| lower.ends_with(end))
}

/// A long key in one piece.
pub(super) fn key(value: &str) -> bool {
    (8..=64).contains(&value.len()) && !foreign(value) && {
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        digits >= 2 && value.len() - digits >= 2
    }
}
