//! What a model sees of a sentence: its words with names masked and figures reduced to their shape, then hashes of one and
//! two words and of groups of letters.
//!
//! Training and detection use these same functions, so what is learnt and what is looked up can never differ.

use crate::detect::forenames::calendar;
use crate::limits;
use crate::text::Text;
use crate::text::normalise::{Case, Gap, TokenKind};

/// A pupil's name.
pub const PUPIL: &str = "@";
/// A pupil's name as an owner: `Ruby's`.
pub const OWNER: &str = "@s";
/// Any other name.
pub const OTHER: &str = "^";

/// Written with a capital inside a sentence, and no name of a person or place; so are the days and months.
const NO_NAMES: &[&str] = &[
    "i",
    "im",
    "ive",
    "ill",
    "id",
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "sir",
    "mum",
    "mums",
    "dad",
    "dads",
    "nan",
    "gran",
    "year",
    "reception",
    "nursery",
    "head",
    "english",
    "maths",
    "science",
    "history",
    "geography",
    "french",
    "german",
    "spanish",
    "music",
    "drama",
    "art",
    "pe",
    "re",
];

/// The words of `text` from token `from` to `to`, as a model sees them. `named` tells tokens that are part of a pupil's name; `prose` that a
/// capital inside a sentence makes a name, which is not so in headings.
pub fn words<'t>(text: &Text<'t>, from: usize, to: usize, prose: bool, named: impl Fn(usize) -> bool) -> Vec<&'t str> {
    const STARTS: Gap = Gap::STOP.or(Gap::NEWLINE).or(Gap::COLON).or(Gap::COLUMN).or(Gap::BULLET);
    let mut out: Vec<&'t str> = Vec::with_capacity(to.saturating_sub(from));
    let push_name = |out: &mut Vec<&'t str>, name: &'t str| {
        match out.last_mut() {
            Some(last) if is_name(last) && *last != OWNER => *last = name,
            _ => out.push(name),
        };
    };
    for (at, token) in text.tokens.iter().enumerate().take(to).skip(from) {
        if at > from && token.gap.has(Gap::SLASH) {
            out.push("/");
        }
        let word = text.norm(token);
        let written = &text.folded()[token.start()..token.end()];
        if named(at) {
            push_name(&mut out, if written.ends_with("'s") || written.ends_with("’s") { OWNER } else { PUPIL });
        } else if token.kind == TokenKind::Number {
            out.push(match word.len() {
                1 => "0",
                2 => "00",
                3 => "000",
                _ => "0000",
            });
            if text.folded()[token.end()..].starts_with('%') {
                out.push("%");
            }
        } else if prose
            && token.case == Case::Capitalised
            && at > from
            && !token.gap.has(STARTS)
            && !NO_NAMES.contains(&word)
            && !calendar(word)
        {
            push_name(&mut out, OTHER);
        } else {
            out.push(word);
        }
    }
    out
}

fn is_name(word: &str) -> bool {
    matches!(word, PUPIL | OWNER | OTHER)
}

/// Words that are prose: no names, figures or marks.
pub fn spoken(words: &[&str]) -> usize {
    words.iter().filter(|word| word.starts_with(char::is_alphabetic)).count()
}

/// A feature, and the word with which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// What it is known by.
    pub hash: u32,
    /// Place of its word among the words.
    pub word: u32,
}

/// FNV-1a, to the end of time the same.
#[derive(Clone, Copy)]
struct Fnv(u32);

impl Fnv {
    fn new(kind: u8) -> Self {
        Self(0x811c_9dc5).with(&[kind])
    }

    fn with(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        self
    }
}

/// Gives all features of the words, word by word and with repeats. Nothing is allocated: this is done for every sentence that names
/// a pupil.
pub fn features(words: &[&str], mut each: impl FnMut(Feature)) {
    const LONGEST: usize = limits::MEANING_MOST_LETTERS;
    for (at, word) in words.iter().enumerate() {
        let mut add = |hash: Fnv| {
            let word = u32::try_from(at).unwrap_or(u32::MAX);
            each(Feature { hash: hash.0, word });
        };
        add(Fnv::new(1).with(word.as_bytes()));
        let next = words.get(at + 1).copied().unwrap_or("");
        add(Fnv::new(2).with(word.as_bytes()).with(b" ").with(next.as_bytes()));
        if !word.starts_with(char::is_alphabetic) {
            continue;
        }
        // Groups of letters that have begun and may go on, each at the place of its first letter.
        let mut open = [Fnv::new(3); LONGEST];
        let letters = std::iter::once('<').chain(word.chars()).chain(std::iter::once('>'));
        for (place, letter) in letters.enumerate() {
            open[place % LONGEST] = Fnv::new(3);
            let mut buffer = [0; 4];
            let letter = letter.encode_utf8(&mut buffer).as_bytes();
            for length in 1..=LONGEST.min(place + 1) {
                let group = &mut open[(place + 1 - length) % LONGEST];
                *group = group.with(letter);
                if length >= limits::MEANING_FEWEST_LETTERS {
                    add(*group);
                }
            }
        }
    }
}
