//! The one normaliser and tokeniser, used by the roster index and by every detector.
//!
//! Two steps, one pass each. *Folding* makes text that looks alike be alike: compatibility forms (NFKD by character, so
//! that NFC and NFD come out the same), marks stripped, letters that do not decompose mapped by hand, one apostrophe, one
//! hyphen, one space, ASCII digits, nothing invisible, and Cyrillic or Greek look-alikes inside an otherwise Latin word
//! read as the Latin letters they imitate. Case is kept, because it is evidence. *Tokenising* cuts the folded text into
//! words and numbers, drops apostrophes and a possessive ending, and lowers the case.
//!
//! Invariants: every offset handed out lies on a character boundary of the source; tokens are in order and do not
//! overlap; plain ASCII is neither copied nor mapped. The hash of a token is keyed by a secret of this process, so no
//! table built from it can be read back or made to collide.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::sync::LazyLock;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// The hash key of this process; roster index and vocabulary share it, so that one hash per token serves both.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Hash of a normalised token.
pub fn token_hash(norm: &str) -> u64 {
    let mut hasher = KEY.build_hasher();
    hasher.write(norm.as_bytes());
    hasher.finish()
}

/// Start value of a run of tokens, see [`extend`].
pub const EMPTY_RUN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Adds one token to the hash of a run.
pub fn extend(run: u64, token: u64) -> u64 {
    (run.rotate_left(23) ^ token).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// Hash of a whole text as a run of tokens: what the index is built from.
pub fn run_hash(text: &str) -> u64 {
    Text::new(text).tokens.iter().fold(EMPTY_RUN, |run, token| extend(run, token.hash))
}

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
    pub fn has(self, other: Gap) -> bool {
        self.0 & other.0 != 0
    }
    /// Nothing between: one run of characters cut into two tokens.
    pub fn joined(self) -> bool {
        self.0 == 0
    }
    /// Nothing but the marks of `allowed`.
    pub fn only(self, allowed: Gap) -> bool {
        self.0 & !allowed.0 == 0
    }
    /// Both sets together.
    pub const fn or(self, other: Gap) -> Gap {
        Gap(self.0 | other.0)
    }
    /// Space and line break alone: words that follow each other.
    pub fn blank(self) -> bool {
        self.0 != 0 && self.only(Gap::SPACE.or(Gap::NEWLINE).or(Gap::WIDE))
    }
}

/// A word or number.
#[derive(Debug, Clone)]
pub struct Token {
    /// Bytes of the folded text.
    pub folded: Range<usize>,
    /// Bytes of the normalised text, see [`Text::norm`].
    norm: Range<usize>,
    /// Keyed hash of the normalised token.
    pub hash: u64,
    /// What it is made of.
    pub kind: TokenKind,
    /// How it is written.
    pub case: Case,
    /// It ended in `'s` or `s'`, which is stripped from the first form.
    pub possessive: bool,
    /// What stands before it.
    pub gap: Gap,
    /// First of its sentence or line.
    pub sentence_start: bool,
}

/// A text, folded and cut into tokens.
#[derive(Debug)]
pub struct Text<'a> {
    source: &'a str,
    folded: Cow<'a, str>,
    /// For each byte of the folded text its byte in the source, and the source's length at the end; nothing when equal.
    map: Option<Vec<u32>>,
    norm: String,
    /// In order.
    pub tokens: Vec<Token>,
}

impl<'a> Text<'a> {
    /// Folds and tokenises.
    pub fn new(source: &'a str) -> Self {
        let (folded, map) = fold(source);
        let mut text = Self { source, folded, map, norm: String::with_capacity(source.len()), tokens: Vec::new() };
        text.tokenise();
        text
    }

    /// The folded text; detectors with patterns of their own search this.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The token as compared.
    pub fn norm(&self, token: &Token) -> &str {
        &self.norm[token.norm.clone()]
    }

    /// The token at `index` as compared; empty beyond the end.
    pub fn word(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| self.norm(token))
    }

    /// The range of the source that a range of the folded text came from.
    pub fn span(&self, folded: Range<usize>) -> Range<usize> {
        match &self.map {
            None => folded,
            Some(map) => {
                let start = map[folded.start.min(map.len() - 1)] as usize;
                // The end is where the next folded character begins; invisible characters between belong to neither, but
                // a range that ended before them still ends on a boundary.
                let end = map[folded.end.min(map.len() - 1)] as usize;
                start..end.max(start)
            }
        }
    }

    /// What stands in the source for tokens `from..to`.
    pub fn slice(&self, from: usize, to: usize) -> &'a str {
        match (self.tokens.get(from), self.tokens.get(to.wrapping_sub(1))) {
            (Some(a), Some(b)) if a.folded.start <= b.folded.end => {
                &self.source[self.span(a.folded.start..b.folded.end)]
            }
            _ => "",
        }
    }

    /// What stands in the source for a range of the folded text.
    pub fn source_slice(&self, folded: Range<usize>) -> &'a str {
        &self.source[self.span(folded)]
    }

    /// The first token that begins at or after a byte of the folded text.
    pub fn token_at(&self, folded: usize) -> usize {
        self.tokens.partition_point(|token| token.folded.end <= folded)
    }

    fn tokenise(&mut self) {
        let bytes_end = self.folded.len();
        let mut chars = self.folded.char_indices().peekable();
        let mut gap = Gap::default();
        let mut blanks = 0u32;
        let mut previous = ' ';
        while let Some(&(start, c)) = chars.peek() {
            if !c.is_alphanumeric() {
                // CR LF is one line break.
                if c == '\r' && self.folded[start + 1..].starts_with('\n') {
                    chars.next();
                    continue;
                }
                let mark = classify(c);
                if mark.has(Gap::SPACE.or(Gap::NEWLINE)) {
                    blanks += u32::from(previous == c && c != '\r');
                    if blanks > 0 && mark.has(Gap::NEWLINE) {
                        gap = gap.or(Gap::WIDE);
                    }
                }
                gap = gap.or(mark);
                previous = c;
                chars.next();
                continue;
            }
            // One stretch of letters, digits and inner apostrophes.
            let mut end = start;
            while let Some(&(at, c)) = chars.peek() {
                let inner_apostrophe = c == '\''
                    && self.folded[at + 1..].chars().next().is_some_and(char::is_alphabetic)
                    && self.folded[..at].chars().next_back().is_some_and(char::is_alphabetic);
                if !(c.is_alphanumeric() || inner_apostrophe) {
                    break;
                }
                end = at + c.len_utf8();
                chars.next();
            }
            // `James'` keeps its s; the mark is a possessive all the same.
            let trailing =
                end < bytes_end && self.folded[end..].starts_with('\'') && self.folded[..end].ends_with(['s', 'S']);
            for (piece, first) in cut(&self.folded[start..end]) {
                let range = start + piece.start..start + piece.end;
                let gap_here = if first { gap } else { Gap::default() };
                push_token(&self.folded, &mut self.norm, &mut self.tokens, range, gap_here, trailing);
            }
            gap = Gap::default();
            blanks = 0;
            previous = ' ';
        }
    }
}

fn push_token(folded: &str, norm: &mut String, tokens: &mut Vec<Token>, range: Range<usize>, gap: Gap, trailing: bool) {
    let raw = &folded[range.clone()];
    let (body, possessive) = match raw.strip_suffix("'s").or_else(|| raw.strip_suffix("'S")) {
        Some(body) if !body.is_empty() => (body, true),
        _ => (raw, trailing),
    };
    let from = norm.len();
    for c in body.chars().filter(|&c| c != '\'') {
        if c.is_ascii() {
            norm.push(c.to_ascii_lowercase());
        } else {
            norm.extend(c.to_lowercase().filter(|c| !is_combining_mark(*c)));
        }
    }
    let letters = body.chars().any(char::is_alphabetic);
    let digits = body.chars().any(|c| c.is_ascii_digit());
    let kind = match (letters, digits) {
        (true, true) => TokenKind::Mixed,
        (false, _) => TokenKind::Number,
        (true, false) => TokenKind::Word,
    };
    let mut cased = body.chars().filter(|c| c.is_uppercase() || c.is_lowercase());
    let case = match cased.next() {
        None => Case::None,
        Some(c) if c.is_lowercase() => Case::Lower,
        Some(_) if cased.any(char::is_lowercase) => Case::Capitalised,
        Some(_) => Case::Upper,
    };
    let sentence_start = tokens.is_empty()
        || gap.has(Gap::NEWLINE.or(Gap::BULLET))
        || (gap.has(Gap::STOP) && gap.has(Gap::SPACE.or(Gap::CLOSE)));
    let hash = token_hash(&norm[from..]);
    tokens.push(Token { folded: range, norm: from..norm.len(), hash, kind, case, possessive, gap, sentence_start });
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

fn classify(c: char) -> Gap {
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

/// Folds a text; the map is absent when nothing changed.
fn fold(source: &str) -> (Cow<'_, str>, Option<Vec<u32>>) {
    if source.is_ascii() && !source.bytes().any(|b| b.is_ascii_control() && !matches!(b, b'\n' | b'\r' | b'\t')) {
        return (Cow::Borrowed(source), None);
    }
    let mut out = String::with_capacity(source.len());
    let mut map: Vec<u32> = Vec::with_capacity(source.len() + 1);
    let mut word: Range<usize> = 0..0;
    for (at, c) in source.char_indices() {
        let before = out.len();
        fold_char(c, &mut out);
        map.resize(out.len(), u32::try_from(at).unwrap_or(u32::MAX));
        let in_word = out[before..].chars().all(|c| c.is_alphabetic() || c == '\'');
        if !in_word {
            unmask(&mut out, word.clone(), &mut map);
            word = out.len()..out.len();
        } else {
            word.end = out.len();
        }
    }
    unmask(&mut out, word, &mut map);
    map.push(u32::try_from(source.len()).unwrap_or(u32::MAX));
    (Cow::Owned(out), Some(map))
}

fn fold_char(c: char, out: &mut String) {
    if c.is_ascii() {
        match c {
            '\n' | '\r' | '\t' => out.push(c),
            '`' => out.push('\''),
            c if c.is_ascii_control() => {}
            c => out.push(c),
        }
        return;
    }
    if invisible(c) {
        return;
    }
    if let Some(plain) = by_hand(c) {
        out.push_str(plain);
        return;
    }
    let mut stop = false;
    decompose_compatible(c, |d| {
        if stop || is_combining_mark(d) || invisible(d) {
            return;
        }
        if d != c
            && let Some(plain) = by_hand(d)
        {
            out.push_str(plain);
        } else if let Some(digit) = digit_value(d) {
            out.push(char::from(b'0' + digit));
        } else if d.is_whitespace() {
            out.push(if matches!(d, '\u{85}' | '\u{2028}' | '\u{2029}') { '\n' } else { ' ' });
        } else if d.is_control() {
            stop = true;
        } else {
            out.push(d);
        }
    });
}

/// Characters that show nothing: default-ignorables, soft hyphen, zero-width, direction marks, variation selectors, tags.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Letters without a decomposition, and the many forms of apostrophe, quote and dash.
fn by_hand(c: char) -> Option<&'static str> {
    Some(match c {
        'Ł' => "L",
        'ł' => "l",
        'Ø' => "O",
        'ø' => "o",
        'ß' => "ss",
        'ẞ' => "SS",
        'Æ' => "Ae",
        'æ' => "ae",
        'Œ' => "Oe",
        'œ' => "oe",
        'ı' => "i",
        'Đ' | 'Ð' => "D",
        'đ' | 'ð' => "d",
        'Þ' => "Th",
        'þ' => "th",
        'Ħ' => "H",
        'ħ' => "h",
        'Ŧ' => "T",
        'ŧ' => "t",
        'Ŋ' => "N",
        'ŋ' => "n",
        'ĸ' => "k",
        'ə' => "e",
        'Ə' => "E",
        '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{2BC}' | '\u{2B9}' | '\u{2BB}' | '\u{2BD}'
        | '\u{2C8}' | '\u{2032}' | '\u{B4}' | '\u{FF07}' | '\u{1FBF}' | '\u{A78C}' => "'",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' | '\u{2027}' => "-",
        '\u{201C}'..='\u{201F}' | '\u{AB}' | '\u{BB}' => "\"",
        '\u{2022}' => "•",
        '\u{2026}' => "…",
        _ => return None,
    })
}

fn digit_value(c: char) -> Option<u8> {
    // First digits of the decimal ranges that occur in UK families' scripts; full-width digits decompose by themselves.
    const ZEROS: [u32; 16] = [
        0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20, 0x1040,
    ];
    let code = c as u32;
    ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&code)).and_then(|zero| u8::try_from(code - zero).ok())
}

/// Reads Cyrillic and Greek look-alikes as Latin where the word has a Latin letter of its own.
fn unmask(out: &mut String, word: Range<usize>, map: &mut Vec<u32>) {
    let slice = &out[word.clone()];
    if slice.is_ascii() || !slice.bytes().any(|b| b.is_ascii_alphabetic()) {
        return;
    }
    let mut plain = String::with_capacity(slice.len());
    let mut plain_map = Vec::with_capacity(slice.len());
    for (at, c) in slice.char_indices() {
        plain.push(latin_for(c).unwrap_or(c));
        plain_map.resize(plain.len(), map[word.start + at]);
    }
    if plain != slice {
        out.replace_range(word.clone(), &plain);
        map.splice(word, plain_map);
    }
}

/// The Latin letter that a Cyrillic or Greek one is drawn like.
pub fn latin_for(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' | 'Ϲ' => 'C',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'һ' => 'h',
        'і' | 'ι' => 'i',
        'І' | 'Ι' => 'I',
        'ј' => 'j',
        'Ј' => 'J',
        'к' | 'κ' => 'k',
        'К' | 'Κ' => 'K',
        'ӏ' => 'l',
        'м' => 'm',
        'М' | 'Μ' => 'M',
        'п' | 'η' => 'n',
        'Ν' => 'N',
        'о' | 'ο' | 'σ' => 'o',
        'О' | 'Ο' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'т' | 'τ' => 't',
        'Т' | 'Τ' => 'T',
        'υ' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norms(text: &str) -> Vec<String> {
        let text = Text::new(text);
        text.tokens.iter().map(|t| text.norm(t).to_owned()).collect()
    }

    #[test]
    fn written_forms_come_out_the_same() {
        for (a, b) in [
            ("Zoë", "Zoe\u{308}"),
            ("O'Brien", "O\u{2019}Brien"),
            ("O'Brien", "O\u{2BC}Brien"),
            ("O'Brien", "obrien"),
            ("Łukasz", "lukasz"),
            ("A\u{200B}my\u{AD}", "amy"),
            ("Smith\u{2011}Jones", "smith-jones"),
            ("Аmу", "amy"),
            ("ＡＭＹ", "amy"),
            ("Yıldız", "yildiz"),
            ("Amy\u{A0}Lee", "amy lee"),
            ("Amy's", "amy"),
        ] {
            assert_eq!(norms(a), norms(b), "{a:?} and {b:?}");
        }
        assert_eq!(norms("Иван"), ["иван"]);
    }

    #[test]
    fn cuts_letters_from_digits() {
        for (text, want) in [
            ("smith25", vec!["smith", "25"]),
            ("25zobrien", vec!["25", "zobrien"]),
            ("4B", vec!["4b"]),
            ("Year6", vec!["year", "6"]),
            ("s47", vec!["s47"]),
            ("Amy_Smith.pdf", vec!["amy", "smith", "pdf"]),
        ] {
            assert_eq!(norms(text), want, "{text}");
        }
    }

    #[test]
    fn gaps_and_case() {
        let text = Text::new("SMITH, Amy\nwill come. James' hat");
        let gaps: Vec<_> = text.tokens.iter().map(|t| (t.gap, t.case, t.possessive)).collect();
        assert_eq!(gaps[0], (Gap::default(), Case::Upper, false));
        assert!(gaps[1].0.has(Gap::COMMA) && gaps[1].1 == Case::Capitalised);
        assert!(text.tokens[2].sentence_start && gaps[2].1 == Case::Lower);
        assert!(gaps[4].2 && text.tokens[4].sentence_start);
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_offsets_inside_it(source in "\\PC{0,60}|[a-zA-Z'’ .,\\-\u{301}а-я0-9\u{200b}]{0,60}") {
            let text = Text::new(&source);
            let mut last = 0;
            for (i, token) in text.tokens.iter().enumerate() {
                let span = text.span(token.folded.clone());
                proptest::prop_assert!(source.get(span.clone()).is_some());
                proptest::prop_assert!(span.start >= last);
                last = span.start;
                text.slice(i, i + 1);
            }
        }
    }
}
