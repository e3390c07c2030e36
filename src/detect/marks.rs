//! What a single token may be the beginning of, told by one look: detectors look closer only where they must.
//!
//! A mark never decides anything, but for [`Marks::KNOWN`]. It is set wherever what it stands for could be, and on one stranger's word in
//! eight by chance, on other words at each start; whoever asks further decides.

use std::sync::LazyLock;

use hashbrown::HashMap;

use super::adults::ADULTS;
use super::vocabulary::VOCABULARY;
use super::words::{FOOTERS, GENERAL, ROLE_TITLES, TITLES};
use super::world::REGAL;
use super::{credentials, language};
use crate::people::School;
use crate::text::filter::Filter;
use crate::text::normalise::{self as text, Gap, TokenKind, spread};
use crate::text::{Run, Text, TextBuf};

/// A set of marks, of a token or of all tokens of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks(u16);

macro_rules! marks {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => {
        impl Marks { $($(#[$doc])* pub(super) const $name: Marks = Marks(1 << $bit);)* }
    };
}
marks! {
    /// A name begins here, or forename and surname run together.
    NAME = 0;
    /// A class or form.
    CLASS = 1;
    /// A year group.
    YEAR = 2;
    /// A phrase of the vocabulary.
    PHRASE = 3;
    /// A word or phrase of the list of offensive language.
    OFFENCE = 4;
    /// Words beside which a password, a code or a key is written out.
    SECRET = 5;
    /// Words that speak of passwords, codes and locks.
    LOCK = 6;
    /// A phrase of the footers that mail systems add.
    FOOTER = 7;
    /// Holds a digit.
    DIGIT = 8;
    /// The name of an identifier, beside which its last digits may stand.
    IDENTIFIER = 9;
    /// Stands beside the sign of an address.
    ADDRESS = 10;
    /// A title, a role or what kings are called: an adult's name may follow.
    TITLE = 11;
    /// A phrase of what is said in confidence of adults.
    ADULT = 12;
    /// A word of sentences that speak of the school, its staff or everybody.
    GENERAL = 13;
    /// Stands much more often in language that is meant to hurt than elsewhere.
    HEATED = 14;
    /// A forename or a surname of the roster, and not by chance.
    KNOWN = 15;
}

impl Marks {
    #[inline]
    pub(super) fn has(self, other: Marks) -> bool {
        self.0 & other.0 != 0
    }

    #[inline]
    pub(super) const fn or(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

/// Marks of the words that no roster changes.
struct Words {
    filter: Filter,
    marks: HashMap<u64, Marks>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut marks: HashMap<u64, Marks> = HashMap::new();
    let mut set = |hash: u64, mark: Marks| {
        let known = marks.entry(hash).or_default();
        *known = known.or(mark);
    };
    let first = |text: &str| {
        let text = TextBuf::new(text);
        let text = text.text();
        text.tokens.first().map_or(0, |token| text.hash(token))
    };
    for phrase in FOOTERS {
        set(first(phrase), Marks::FOOTER);
    }
    for word in ["year", "yr", "y", "years", "yrs", "reception", "nursery"] {
        set(first(word), Marks::YEAR);
    }
    for word in ["upn", "uln", "nhs"] {
        set(first(word), Marks::IDENTIFIER);
    }
    for word in [TITLES, ROLE_TITLES, REGAL].into_iter().flatten() {
        set(first(word), Marks::TITLE);
    }
    for word in GENERAL {
        set(first(word), Marks::GENERAL);
    }
    for word in credentials::BESIDE {
        set(first(word), Marks::SECRET);
    }
    for word in credentials::OF_LOCKS {
        set(first(word), Marks::LOCK);
    }
    language::begins().for_each(|hash| set(hash, Marks::OFFENCE));
    language::heated().for_each(|hash| set(hash, Marks::HEATED));
    ADULTS.begins().for_each(|hash| set(hash, Marks::ADULT));
    VOCABULARY.begins().for_each(|hash| set(hash, Marks::PHRASE));
    let mut filter = Filter::for_members(marks.len());
    marks.keys().for_each(|&hash| filter.insert(hash));
    Words { filter, marks }
});

/// Marks of words that are not marked yet, by their places in the message, onto the end of `out`.
pub(super) fn mark_words(words: &text::Words, school: &School, out: &mut Vec<Marks>) {
    let index = school.index();
    let known = &*WORDS;
    for (letters, hash) in words.from(out.len()) {
        let spread = spread(hash);
        let mut marks = Marks::default();
        if known.filter.may_hold_spread(spread)
            && let Some(found) = known.marks.get(&hash)
        {
            marks = *found;
        }
        if index.begins_name(spread) {
            marks = marks.or(Marks::NAME);
            if index.part_of(Run::of_token(letters)).is_some() {
                marks = marks.or(Marks::KNOWN);
            }
        }
        if index.begins_class(spread) {
            marks = marks.or(Marks::CLASS);
        }
        if letters.bytes().any(|byte| byte.is_ascii_digit()) && letters.starts_with('y') {
            marks = marks.or(Marks::YEAR);
        }
        out.push(marks);
    }
}

/// Marks every token of a text by the marks of its words, onto the end of `out`; the marks of all together come back.
pub(super) fn mark(text: &Text<'_>, of_words: &[Marks], out: &mut Vec<Marks>) -> Marks {
    let mut all = Marks::default();
    let start = out.len();
    for token in text.tokens {
        let mut marks = of_words.get(token.word.place()).copied().unwrap_or_default();
        if token.kind != TokenKind::Word {
            marks = marks.or(Marks::DIGIT);
        }
        if token.gap.has(Gap::AT) {
            marks = marks.or(Marks::ADDRESS);
            if let Some(before) = out[start..].last_mut() {
                *before = before.or(Marks::ADDRESS);
            }
        }
        all = all.or(marks);
        out.push(marks);
    }
    all
}
