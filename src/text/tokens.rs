//! Tokens: what a folded text is cut into, and the cutting.
//!
//! A token is a stretch of letters, digits and inner apostrophes. Where three or more letters meet digits it is cut in two.
//! Its normalised form has no apostrophe, no possessive ending, no combining mark and no capital.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use super::run::{base, hash_of_ascii};
use super::words::{WordId, Words};
use crate::limits;

/// What a token is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Letters alone.
    Word,
    /// Digits alone.
    Number,
    /// Both, `4b` or `s47`.
    Mixed,
}

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Begins with a small letter.
    Lower,
    /// Begins with a capital and has a small letter.
    Capitalised,
    /// Capitals alone.
    Upper,
    /// No letter that has case.
    None,
}

/// What stands between a token and the one before it: a set of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gap(u16);

macro_rules! gap {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => { impl Gap { $($(#[$doc])* pub const $name: Gap = Gap(1 << $bit);)* } };
}
gap! {
    /// A space or tab.
    SPACE = 0;
    /// A line break.
    NEWLINE = 1;
    /// A comma.
    COMMA = 2;
    /// Full stop, question or exclamation mark, ellipsis.
    STOP = 3;
    /// A hyphen or dash.
    HYPHEN = 4;
    /// A colon.
    COLON = 5;
    /// A semicolon.
    SEMICOLON = 6;
    /// An opening bracket.
    OPEN = 7;
    /// A closing bracket.
    CLOSE = 8;
    /// A slash.
    SLASH = 9;
    /// The sign of an address.
    AT = 10;
    /// An underscore.
    UNDERSCORE = 11;
    /// A tab or a bar, as between columns.
    COLUMN = 12;
    /// A bullet.
    BULLET = 13;
    /// More than one space or line break.
    WIDE = 14;
    /// Anything else.
    OTHER = 15;
}

impl Gap {
    /// Holds all marks of `other`.
    #[inline]
    pub fn has(self, other: Gap) -> bool {
        self.0 & other.0 != 0
    }
    /// Nothing between: one run of characters cut into two tokens.
    #[inline]
    pub fn joined(self) -> bool {
        self.0 == 0
    }
    /// Nothing but the marks of `allowed`.
    #[inline]
    pub fn only(self, allowed: Gap) -> bool {
        self.0 & !allowed.0 == 0
    }
    /// Both sets together.
    #[inline]
    pub const fn or(self, other: Gap) -> Gap {
        Gap(self.0 | other.0)
    }
    /// Space and line break alone: words that follow each other.
    #[inline]
    pub fn blank(self) -> bool {
        self.0 != 0 && self.only(Gap::SPACE.or(Gap::NEWLINE).or(Gap::WIDE))
    }
}

/// A word or number at its place: sixteen octets, for a text has one every six or seven.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// First byte of the folded text.
    start: u32,
    /// What it says.
    pub word: WordId,
    /// Bytes of the folded text.
    length: u16,
    /// What stands before it.
    pub gap: Gap,
    /// What it is made of.
    pub kind: TokenKind,
    /// How it is written.
    pub case: Case,
    /// It ended in `'s` or `s'`, which is stripped from the first form.
    pub possessive: bool,
    /// First of its sentence or line.
    pub sentence_start: bool,
}

impl Token {
    /// First byte of the folded text.
    #[inline]
    pub fn start(&self) -> usize {
        self.start as usize
    }

    /// One past the last byte of the folded text.
    #[inline]
    pub fn end(&self) -> usize {
        self.start as usize + usize::from(self.length)
    }
}

mod class {
    //! What a byte is to the tokeniser.
    pub const LOWER: u8 = 1;
    pub const UPPER: u8 = 2;
    pub const DIGIT: u8 = 4;
    pub const APOSTROPHE: u8 = 8;
    pub const FOREIGN: u8 = 16;
    pub const WORD: u8 = LOWER | UPPER | DIGIT;

    pub const OF: [u8; 256] = {
        let mut table = [0u8; 256];
        let mut byte = 0;
        while byte < 256 {
            #[allow(clippy::cast_possible_truncation)]
            let b = byte as u8;
            table[byte] = match b {
                b'a'..=b'z' => LOWER,
                b'A'..=b'Z' => UPPER,
                b'0'..=b'9' => DIGIT,
                b'\'' => APOSTROPHE,
                0x80.. => FOREIGN,
                _ => 0,
            };
            byte += 1;
        }
        table
    };
}

/// Cuts a folded text, onto the end of `tokens`.
pub(super) fn tokenise(folded: &str, words: &mut Words, tokens: &mut Vec<Token>) {
    let base = base();
    let bytes = folded.as_bytes();
    let first_token = tokens.len();
    let mut cutter = Cutter { base, folded, words, tokens, first_token };
    let mut gap = Gap::default();
    let mut blanks = false;
    let mut previous = ' ';
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let kind = class::OF[usize::from(byte)];
        if kind & class::WORD != 0 {
            at = cutter.stretch(at, gap);
        } else if kind != class::FOREIGN {
            at += 1;
            // CR LF is one line break.
            if byte == b'\r' && bytes.get(at) == Some(&b'\n') {
                continue;
            }
            let mark = GAPS[usize::from(byte & 0x7f)];
            gap = gap.or(mark);
            if mark.has(Gap::SPACE.or(Gap::NEWLINE)) {
                blanks |= previous == char::from(byte) && byte != b'\r';
                if blanks && mark.has(Gap::NEWLINE) {
                    gap = gap.or(Gap::WIDE);
                }
            }
            previous = char::from(byte);
            continue;
        } else {
            let c = folded[at..].chars().next().unwrap_or(' ');
            if !c.is_alphanumeric() {
                at += c.len_utf8();
                gap = gap.or(classify(c));
                previous = c;
                continue;
            }
            at = cutter.stretch(at, gap);
        }
        gap = Gap::default();
        blanks = false;
        previous = ' ';
    }
}

/// Where tokens go.
struct Cutter<'a> {
    base: u64,
    folded: &'a str,
    words: &'a mut Words,
    tokens: &'a mut Vec<Token>,
    first_token: usize,
}

impl Cutter<'_> {
    /// Takes the stretch of letters, digits and inner apostrophes that begins here; its end comes back.
    #[inline]
    fn stretch(&mut self, start: usize, gap: Gap) -> usize {
        let bytes = self.folded.as_bytes();
        let (mut at, mut kinds) = (start, 0);
        while let Some(&byte) = bytes.get(at) {
            let kind = class::OF[usize::from(byte)];
            if kind & class::WORD == 0 {
                if kind != 0 {
                    return self.foreign_stretch(start, gap);
                }
                break;
            }
            kinds |= kind;
            at += 1;
        }
        if (kinds & class::DIGIT != 0 && kinds != class::DIGIT) || at - start > limits::WORD_OCTETS {
            self.cut(start..at, gap, kinds, false);
            return at;
        }
        // A plain word or a plain number: nearly all that there is.
        let case = match kinds {
            class::LOWER => Case::Lower,
            class::DIGIT => Case::None,
            class::UPPER => Case::Upper,
            _ if bytes[start].is_ascii_lowercase() => Case::Lower,
            _ => Case::Capitalised,
        };
        let kind = if kinds == class::DIGIT { TokenKind::Number } else { TokenKind::Word };
        let token = Token {
            start: place(start),
            word: self.words.ascii(hash_of_ascii(self.base, &bytes[start..at]), &self.folded[start..at]),
            length: short(at - start),
            gap,
            kind,
            case,
            possessive: false,
            sentence_start: self.opens(gap),
        };
        self.tokens.push(token);
        at
    }

    /// As [`Cutter::stretch`], for what has an apostrophe or a letter beyond ASCII in it or behind it.
    fn foreign_stretch(&mut self, start: usize, gap: Gap) -> usize {
        let (folded, bytes) = (self.folded, self.folded.as_bytes());
        let (mut at, mut kinds) = (start, 0);
        while let Some(&byte) = bytes.get(at) {
            let kind = class::OF[usize::from(byte)];
            if kind & class::WORD != 0 {
                at += 1;
            } else if kind == class::FOREIGN {
                let c = folded[at..].chars().next().unwrap_or(' ');
                if !c.is_alphanumeric() {
                    break;
                }
                at += c.len_utf8();
            } else if kind == class::APOSTROPHE && between_letters(folded, at) {
                at += 1;
            } else {
                break;
            }
            kinds |= kind;
        }
        // `James'` keeps its s; the mark is a possessive all the same.
        let trailing = bytes.get(at) == Some(&b'\'') && at > start && matches!(bytes[at - 1], b's' | b'S');
        self.cut(start..at, gap, kinds, trailing);
        at
    }

    /// Takes a stretch, in pieces where letters meet digits.
    fn cut(&mut self, stretch: Range<usize>, gap: Gap, kinds: u8, trailing: bool) {
        let mixed = kinds & class::DIGIT != 0 && kinds & (class::LOWER | class::UPPER) != 0;
        if !mixed || kinds & class::FOREIGN != 0 {
            return self.piece(stretch, gap, kinds, trailing);
        }
        let bytes = self.folded.as_bytes();
        for (piece, first) in cut(&self.folded[stretch.clone()]) {
            let range = stretch.start + piece.start..stretch.start + piece.end;
            let kinds = bytes[range.clone()].iter().fold(0, |all, byte| all | class::OF[usize::from(*byte)]);
            self.piece(range, if first { gap } else { Gap::default() }, kinds, trailing);
        }
    }

    /// Takes a piece, in several tokens where no word is as long.
    fn piece(&mut self, range: Range<usize>, gap: Gap, kinds: u8, trailing: bool) {
        let (mut start, mut gap) = (range.start, gap);
        loop {
            let mut end = range.end.min(start + limits::WORD_OCTETS);
            while !self.folded.is_char_boundary(end) {
                end -= 1;
            }
            let sentence_start = self.opens(gap);
            let token = token(self.base, self.folded, self.words, start..end, kinds, trailing);
            self.tokens.push(Token { gap, sentence_start, ..token });
            if end == range.end {
                return;
            }
            (start, gap) = (end, Gap::default());
        }
    }

    /// Whether a sentence or line begins behind a gap.
    #[inline]
    fn opens(&self, gap: Gap) -> bool {
        self.tokens.len() == self.first_token
            || gap.has(Gap::NEWLINE.or(Gap::BULLET))
            || (gap.has(Gap::STOP) && gap.has(Gap::SPACE.or(Gap::CLOSE)))
    }
}

#[inline]
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// No token is longer than [`limits::WORD_OCTETS`].
#[inline]
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// [`classify`] for ASCII.
static GAPS: [Gap; 128] = {
    let mut table = [Gap::OTHER; 128];
    let mut byte = 0;
    while byte < 128 {
        #[allow(clippy::cast_possible_truncation)]
        let c = byte as u8 as char;
        table[byte] = classify(c);
        byte += 1;
    }
    table
};

fn between_letters(folded: &str, at: usize) -> bool {
    folded[at + 1..].chars().next().is_some_and(char::is_alphabetic)
        && folded[..at].chars().next_back().is_some_and(char::is_alphabetic)
}

/// A token without what stands around it; its normalised form goes onto the end of `norm`.
fn token(base: u64, folded: &str, words: &mut Words, range: Range<usize>, kinds: u8, trailing: bool) -> Token {
    let raw = &folded[range.clone()];
    let (mut kind, case, mut possessive) = (TokenKind::Word, case_of(raw, kinds), trailing);
    let word = if kinds & (class::APOSTROPHE | class::FOREIGN) == 0 {
        if kinds & class::DIGIT != 0 {
            kind = if kinds == class::DIGIT { TokenKind::Number } else { TokenKind::Mixed };
        }
        words.ascii(hash_of_ascii(base, raw.as_bytes()), raw)
    } else {
        let (body, stripped) = match raw.strip_suffix("'s").or_else(|| raw.strip_suffix("'S")) {
            Some(body) if !body.is_empty() => (body, true),
            _ => (raw, false),
        };
        possessive |= stripped;
        let letters = body.chars().any(char::is_alphabetic);
        let digits = body.bytes().any(|b| b.is_ascii_digit());
        kind = match (letters, digits) {
            (true, true) => TokenKind::Mixed,
            (false, _) => TokenKind::Number,
            (true, false) => TokenKind::Word,
        };
        let letters = body.chars().filter(|&c| c != '\'').flat_map(char::to_lowercase);
        words.of_letters(base, letters.filter(|c| c.is_ascii() || !is_combining_mark(*c)))
    };
    Token {
        start: place(range.start),
        word,
        length: short(range.len()),
        gap: Gap::default(),
        kind,
        case,
        possessive,
        sentence_start: false,
    }
}

fn case_of(raw: &str, kinds: u8) -> Case {
    let body = if kinds & class::APOSTROPHE == 0 {
        if kinds & class::FOREIGN == 0 {
            return match kinds & (class::LOWER | class::UPPER) {
                0 => Case::None,
                class::LOWER => Case::Lower,
                class::UPPER => Case::Upper,
                _ if raw.bytes().find(u8::is_ascii_alphabetic).is_some_and(|b| b.is_ascii_lowercase()) => Case::Lower,
                _ => Case::Capitalised,
            };
        }
        raw
    } else {
        raw.strip_suffix("'s").or_else(|| raw.strip_suffix("'S")).filter(|body| !body.is_empty()).unwrap_or(raw)
    };
    let mut cased = body.chars().filter(|c| c.is_uppercase() || c.is_lowercase());
    match cased.next() {
        None => Case::None,
        Some(c) if c.is_lowercase() => Case::Lower,
        Some(_) if cased.any(char::is_lowercase) => Case::Capitalised,
        Some(_) => Case::Upper,
    }
}

/// Cuts a stretch where three or more letters meet digits (`smith25`, `25zobrien`, `year6`); `4b` and `s47` stay whole.
fn cut(stretch: &str) -> Vec<(Range<usize>, bool)> {
    let bytes = stretch.as_bytes();
    if !stretch.is_ascii() || !bytes.iter().any(u8::is_ascii_digit) {
        return vec![(0..stretch.len(), true)];
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if bytes[run.start].is_ascii_digit() == byte.is_ascii_digit() => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    let long = |run: &Range<usize>| !bytes[run.start].is_ascii_digit() && run.len() >= 3;
    let mut pieces: Vec<(Range<usize>, bool)> = Vec::new();
    let mut open = false;
    for run in runs {
        match pieces.last_mut() {
            Some((piece, _)) if open && !long(&run) => piece.end = run.end,
            _ => {
                let first = pieces.is_empty();
                pieces.push((run.clone(), first));
            }
        }
        open = !long(&run);
    }
    pieces
}

const fn classify(c: char) -> Gap {
    match c {
        ' ' => Gap::SPACE,
        '\t' => Gap::SPACE.or(Gap::COLUMN),
        '|' => Gap::COLUMN,
        '\n' | '\r' => Gap::NEWLINE,
        ',' => Gap::COMMA,
        '.' | '!' | '?' | '…' => Gap::STOP,
        '-' => Gap::HYPHEN,
        ':' => Gap::COLON,
        ';' => Gap::SEMICOLON,
        '(' | '[' | '{' | '<' => Gap::OPEN,
        ')' | ']' | '}' | '>' => Gap::CLOSE,
        '/' | '\\' => Gap::SLASH,
        '@' => Gap::AT,
        '_' => Gap::UNDERSCORE,
        '•' | '·' | '‣' | '◦' | '*' => Gap::BULLET,
        _ => Gap::OTHER,
    }
}
