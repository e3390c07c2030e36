//! Subject markers: whether a decoded subject is marked Confidential, Urgent, or Personal or Private, and how plainly.
//!
//! The meaning is that of the core policy: whole words in any case; a Personal marker satisfies a rule wherever it
//! stands, but has consequences only where it stands out.

use unicode_normalization::UnicodeNormalization;

/// The markers of one subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Markers {
    /// `Confidential` or one of its aliases.
    pub confidential: bool,
    /// `Personal` or `Private`, anywhere, other than in `Private and Confidential`.
    pub personal: bool,
    /// A Personal marker is alone or set off by brackets, colon, dash, slash, comma or the end.
    pub personal_stands_out: bool,
    /// `Urgent`, other than in `non-urgent` and `not urgent`.
    pub urgent: bool,
}

/// A word of the subject with what stands before and behind it.
struct Word {
    text: String,
    before: String,
    after: String,
}

/// Finds the markers in a decoded subject. An alias may be of several words.
pub fn subject_markers(subject: &str, confidential_aliases: &[String]) -> Markers {
    let words = words(subject);
    let mut markers = Markers::default();
    let mut phrases: Vec<Vec<String>> = vec![vec!["confidential".into()]];
    phrases.extend(confidential_aliases.iter().map(|a| self::words(a).into_iter().map(|w| w.text).collect()));
    phrases.retain(|phrase: &Vec<String>| !phrase.is_empty());
    for at in 0..words.len() {
        let negated = at > 0 && words[at - 1].text == "non" && is_hyphen(&words[at].before);
        markers.confidential |= !negated && phrases.iter().any(|phrase| phrase_at(&words, at, phrase));
        markers.urgent |= words[at].text == "urgent" && !(at > 0 && is_no(&words[at - 1].text));
        if !matches!(words[at].text.as_str(), "personal" | "private") || is_private_and_confidential(&words, at) {
            continue;
        }
        markers.personal = true;
        markers.personal_stands_out |=
            sets_off_before(&words[at].before, at == 0) && sets_off_after(&words[at].after, at + 1 == words.len());
    }
    markers
}

/// Says that what follows does not hold.
fn is_no(word: &str) -> bool {
    matches!(word, "non" | "not" | "isn't" | "isn’t" | "never" | "less")
}

fn phrase_at(words: &[Word], at: usize, phrase: &[String]) -> bool {
    words.len() >= at + phrase.len()
        && phrase.iter().zip(&words[at..]).all(|(wanted, word)| *wanted == word.text)
        && words[at + 1..at + phrase.len()].iter().all(|w| w.before.chars().all(|c| c == ' ' || is_dash(c)))
}

/// `Private and Confidential`, also with `&`, is the Confidential marker alone.
fn is_private_and_confidential(words: &[Word], at: usize) -> bool {
    let next = |n: usize| words.get(at + n).map(|w| w.text.as_str());
    words[at].text == "private"
        && (next(1) == Some("and") && next(2) == Some("confidential")
            || next(1) == Some("confidential") && words[at + 1].before.trim() == "&")
}

/// Splits into lower-case words, with compatibility forms and invisible characters undone.
fn words(subject: &str) -> Vec<Word> {
    let invisible = |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{fe00}'..='\u{fe0f}');
    let plain: String = subject.chars().filter(|c| !invisible(c)).nfkc().flat_map(char::to_lowercase).collect();
    let mut words: Vec<Word> = Vec::new();
    let mut between = String::new();
    let mut inside = false;
    let plain = plain.replace("&amp;", "&");
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        // An apostrophe inside a word belongs to it: "private's" is no marker.
        let apostrophe = matches!(c, '\'' | '’') && inside && chars.peek().is_some_and(|n| n.is_alphanumeric());
        if c.is_alphanumeric() || c == '_' && inside && chars.peek().is_some_and(|n| n.is_alphanumeric()) || apostrophe
        {
            if !inside {
                words.push(Word { text: String::new(), before: std::mem::take(&mut between), after: String::new() });
                inside = true;
            }
            if let Some(word) = words.last_mut() {
                word.text.push(c);
            }
        } else {
            inside = false;
            between.push(c);
            if let Some(word) = words.last_mut() {
                word.after.push(c);
            }
        }
    }
    words
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn is_hyphen(between: &str) -> bool {
    let mut chars = between.chars();
    chars.next().is_some_and(is_dash) && chars.next().is_none()
}

/// A hyphen tight between two words joins them; every other dash sets off.
fn sets_off(between: &str) -> bool {
    let tight_hyphen = matches!(between, "-" | "\u{2010}" | "\u{2011}");
    !tight_hyphen && between.chars().any(|c| is_dash(c) || "()[]{}<>:/\\,;|*".contains(c))
}

fn sets_off_before(before: &str, first: bool) -> bool {
    first || sets_off(before)
}

fn sets_off_after(after: &str, last: bool) -> bool {
    last || sets_off(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_policy_words_it() {
        let aliases = vec!["Official-Sensitive".to_owned()];
        // Subject; confidential, personal, stands out.
        for (subject, confidential, personal, stands_out) in [
            ("", false, false, false),
            ("Thursday's trip", false, false, false),
            ("Confidential", true, false, false),
            ("CONFIDENTIAL: Amy", true, false, false),
            ("re: [confidential] notes", true, false, false),
            ("Confidentiality form", false, false, false),
            ("Non-confidential summary", false, false, false),
            ("In confidence: list", false, false, false),
            ("OFFICIAL-SENSITIVE: strategy", true, false, false),
            ("Official Sensitive - strategy", true, false, false),
            ("Official: sensitive matter", false, false, false),
            ("Official visit", false, false, false),
            ("Private and Confidential", true, false, false),
            ("PRIVATE & CONFIDENTIAL - letter", true, false, false),
            ("Private &amp; Confidential", true, false, false),
            ("Strictly private and confidential", true, false, false),
            ("Private: confidential", true, true, true),
            ("Confidential - personal", true, true, true),
            ("Personal", false, true, true),
            ("personal: dentist", false, true, true),
            ("[Private] keys", false, true, true),
            ("Lunch - personal", false, true, true),
            ("Lunch – Private", false, true, true),
            ("Lunch (personal)", false, true, true),
            ("Re: Personal", false, true, true),
            ("FW: private / lift home", false, true, true),
            ("Lift home, personal", false, true, true),
            ("Personal!", false, true, true),
            ("Personal Education Plan", false, true, false),
            ("Personal dentist", false, true, false),
            ("A private matter", false, true, false),
            ("Lunch personal", false, true, false),
            ("Notes for Personal-development week", false, true, false),
            ("Personalised mugs", false, false, false),
            ("Privately run", false, false, false),
            ("Impersonal", false, false, false),
            ("The private's uniform", false, false, false),
            ("\u{ff30}\u{ff32}\u{ff29}\u{ff36}\u{ff21}\u{ff34}\u{ff25}: x", false, true, true),
            ("Confi\u{ad}dential", true, false, false),
            ("Con\u{200b}fidential", true, false, false),
        ] {
            let expected = Markers { confidential, personal, personal_stands_out: stands_out, urgent: false };
            assert_eq!(subject_markers(subject, &aliases), expected, "{subject}");
        }
        assert!(!subject_markers("Official-Sensitive: x", &[]).confidential);
    }

    #[test]
    fn urgent_is_a_word_of_its_own_that_nothing_takes_back() {
        for (subject, urgent) in [
            ("URGENT", true),
            ("Urgent: Amy is ill", true),
            ("Re: [urgent] please ring", true),
            ("Tomorrow's trip - urgent!", true),
            ("Ur\u{ad}gent", true),
            ("Is this urgent", true),
            ("Urgently needed", false),
            ("Insurgent armies, year 6", false),
            ("Non-urgent: the trip", false),
            ("Not urgent", false),
            ("It isn't urgent", false),
            ("Trip", false),
        ] {
            assert_eq!(subject_markers(subject, &[]), Markers { urgent, ..Markers::default() }, "{subject}");
        }
    }

    #[test]
    fn markers_split_over_encoded_words() {
        let raw = b"Subject: =?utf-8?Q?=5BConfi?= =?utf-8?Q?dential=5D_and_pri?=\r\n =?utf-8?B?dmF0ZQ==?=\r\n\r\n";
        let markers = subject_markers(&super::super::read(raw).subject(), &[]);
        assert!(markers.confidential && markers.personal);
    }
}
