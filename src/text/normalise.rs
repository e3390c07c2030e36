//! The one normaliser and tokeniser, used by the roster index and by every detector.
//!
//! Two steps, one pass each. *Folding* (`fold`) makes text that looks alike be alike. *Tokenising* (`tokens`) cuts the folded text into
//! words and numbers, drops apostrophes and a possessive ending, and lowers the
//! case; words are then compared by their keyed hashes (`run`).
//!
//! Invariants: every offset handed out lies on a character boundary of the source; tokens are in order and do not
//! overlap; plain ASCII is neither copied nor mapped.

use std::borrow::Cow;
use std::ops::Range;

pub use super::fold::latin_for;
use super::fold::{fold, is_plain};
pub use super::run::{Run, compact_hash, spread, token_hash};
use super::tokens::tokenise;
pub use super::tokens::{Case, Gap, Token, TokenKind};
pub use super::words::{WordId, Words};

/// A text, folded and cut into tokens, as [`Texts`] holds it.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    source: &'a str,
    folded: &'a str,
    /// For each byte of the folded text its byte in the source, and the source's length at the end; empty when equal.
    map: &'a [u32],
    words: &'a Words,
    /// In order.
    pub tokens: &'a [Token],
}

impl<'a> Text<'a> {
    /// The text as it was written.
    #[inline]
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// The folded text; detectors with patterns of their own search this.
    #[inline]
    pub fn folded(&self) -> &'a str {
        self.folded
    }

    /// The token as compared.
    #[inline]
    pub fn norm(&self, token: &Token) -> &'a str {
        self.words.letters(token.word)
    }

    /// Keyed hash of the token as compared.
    #[inline]
    pub fn hash(&self, token: &Token) -> u64 {
        self.words.hash(token.word)
    }

    /// Octets of the token as compared.
    #[inline]
    pub fn length(&self, token: &Token) -> usize {
        self.words.length(token.word)
    }

    /// The run of one token.
    #[inline]
    pub fn run_of(&self, token: &Token) -> Run {
        self.words.run(token.word)
    }

    /// The token at `index` as compared; empty beyond the end.
    #[inline]
    pub fn word(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| self.norm(token))
    }

    /// The run of tokens `from..to`; what lies beyond the end adds nothing.
    pub fn run(&self, from: usize, to: usize) -> Run {
        let to = to.min(self.tokens.len());
        self.tokens[from.min(to)..to].iter().fold(Run::EMPTY, |run, token| run.then(self.run_of(token)))
    }

    /// The range of the source that a range of the folded text came from.
    pub fn span(&self, folded: Range<usize>) -> Range<usize> {
        let Some(last) = self.map.len().checked_sub(1) else { return folded };
        let start = self.map[folded.start.min(last)] as usize;
        // The end is where the next folded character begins; invisible characters between belong to neither, but
        // a range that ended before them still ends on a boundary.
        let end = self.map[folded.end.min(last)] as usize;
        start..end.max(start)
    }

    /// The range of the source that tokens `from..to` came from; an empty one where there are none.
    pub fn span_of(&self, from: usize, to: usize) -> Range<usize> {
        match (self.tokens.get(from), self.tokens.get(to.wrapping_sub(1))) {
            (Some(a), Some(b)) if a.start() <= b.end() => self.span(a.start()..b.end()),
            _ => 0..0,
        }
    }

    /// What stands in the source for tokens `from..to`.
    pub fn slice(&self, from: usize, to: usize) -> &'a str {
        &self.source[self.span_of(from, to)]
    }

    /// What stands in the source for a range of the folded text.
    pub fn source_slice(&self, folded: Range<usize>) -> &'a str {
        &self.source[self.span(folded)]
    }

    /// The first token that begins at or after a byte of the folded text.
    pub fn token_at(&self, folded: usize) -> usize {
        self.tokens.partition_point(|token| token.end() <= folded)
    }
}

/// A text folded and not cut into tokens.
pub fn folded(source: &str) -> Cow<'_, str> {
    if is_plain(source) {
        return Cow::Borrowed(source);
    }
    let (mut out, mut map) = (String::with_capacity(source.len()), Vec::new());
    fold(source, &mut out, &mut map);
    Cow::Owned(out)
}

/// Texts laid out one behind the other, so that a table of ten thousand cells costs a handful of allocations.
#[derive(Debug, Default)]
pub struct Texts<'a> {
    extents: Vec<Extent<'a>>,
    folded: String,
    map: Vec<u32>,
    words: Words,
    tokens: Vec<Token>,
}

#[derive(Debug)]
struct Extent<'a> {
    source: &'a str,
    /// Nothing where folding changed nothing.
    folded: Option<(Range<usize>, Range<usize>)>,
    tokens: Range<usize>,
}

impl<'a> Texts<'a> {
    /// Folds and cuts a text; its place is the number of texts before it.
    pub fn push(&mut self, source: &'a str) {
        let tokens = self.tokens.len();
        let folded = if is_plain(source) {
            tokenise(source, &mut self.words, &mut self.tokens);
            None
        } else {
            let (start, map) = (self.folded.len(), self.map.len());
            fold(source, &mut self.folded, &mut self.map);
            tokenise(&self.folded[start..], &mut self.words, &mut self.tokens);
            Some((start..self.folded.len(), map..self.map.len()))
        };
        self.extents.push(Extent { source, folded, tokens: tokens..self.tokens.len() });
    }

    /// The tokens of a text by its place, among those of all texts.
    pub fn tokens_of(&self, at: usize) -> Range<usize> {
        self.extents.get(at).map_or(0..0, |extent| extent.tokens.clone())
    }

    /// Room for so many more texts and tokens, so that a large text is not copied as it grows.
    pub fn reserve(&mut self, texts: usize, tokens: usize) {
        self.extents.reserve(texts);
        self.tokens.reserve(tokens);
    }

    /// Forgets all texts and keeps their words.
    pub fn keep_words(&mut self) {
        self.extents.clear();
        self.folded.clear();
        self.map.clear();
        self.tokens.clear();
    }

    /// Forgets all texts and keeps the room they took.
    pub fn clear(&mut self) {
        self.keep_words();
        self.words.clear();
    }

    /// The words of all texts.
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.extents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.extents.is_empty()
    }

    /// A text by its place; an empty one beyond the end.
    pub fn get(&self, at: usize) -> Text<'_> {
        let Some(extent) = self.extents.get(at) else {
            return Text { source: "", folded: "", map: &[], words: &self.words, tokens: &[] };
        };
        let (folded, map) = match &extent.folded {
            None => (extent.source, &[][..]),
            Some((folded, map)) => (&self.folded[folded.clone()], &self.map[map.clone()]),
        };
        Text { source: extent.source, folded, map, words: &self.words, tokens: &self.tokens[extent.tokens.clone()] }
    }
}

/// One text by itself.
#[derive(Debug)]
pub struct TextBuf<'a>(Texts<'a>);

impl<'a> TextBuf<'a> {
    /// Folds and tokenises.
    pub fn new(source: &'a str) -> Self {
        let mut texts = Texts::default();
        texts.push(source);
        Self(texts)
    }

    /// To look at.
    pub fn text(&self) -> Text<'_> {
        self.0.get(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn norms(text: &str) -> Vec<String> {
        let text = TextBuf::new(text);
        let text = text.text();
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
    fn a_word_is_kept_once_however_it_is_written() {
        let mut texts = Texts::default();
        for text in ["Amy's hat", "AMY, amy", "Āmy Hat", "hat hats"] {
            texts.push(text);
        }
        let words: Vec<(&str, u64)> = texts.words().from(0).collect();
        assert_eq!(words.iter().map(|(letters, _)| *letters).collect::<Vec<_>>(), ["amy", "hat", "hats"]);
        assert!(words.iter().all(|(letters, hash)| token_hash(letters) == *hash));
        let of = |at: usize| texts.get(at).tokens.iter().map(|token| token.word.place()).collect::<Vec<_>>();
        assert_eq!([of(0), of(1), of(2), of(3)], [[0, 1], [0, 0], [0, 1], [1, 2]]);
        texts.keep_words();
        texts.push("Amy has hats");
        assert_eq!(texts.get(0).tokens.iter().map(|token| token.word.place()).collect::<Vec<_>>(), [0, 3, 2]);
        texts.clear();
        texts.push("hats");
        assert_eq!((texts.get(0).word(0), texts.words().len()), ("hats", 1));
    }

    #[test]
    fn a_word_of_any_length_has_the_hash_of_its_letters() {
        let letters = "QuickBrownFoxJumpsOverTheLazyDog";
        for length in 1..=letters.len() {
            for written in [&letters[..length], &"12345678901234567890123456789012"[..length]] {
                let text = TextBuf::new(written);
                let text = text.text();
                assert_eq!(text.hash(&text.tokens[0]), token_hash(&written.to_lowercase()), "{written}");
            }
        }
    }

    #[test]
    fn what_goes_on_without_a_break_is_cut() {
        for written in ["a", "Q", "7", "é", "a7", "'a"] {
            let long = written.repeat(limits::WORD_OCTETS + 1);
            let text = TextBuf::new(&long);
            let text = text.text();
            let tokens = text.tokens;
            assert!(tokens.len() > 1, "{written}");
            assert!(tokens.iter().all(|token| (1..=limits::WORD_OCTETS).contains(&(token.end() - token.start()))));
            assert!(tokens.windows(2).all(|pair| pair[0].end() <= pair[1].start()));
            assert_eq!(tokens.last().map(Token::end), Some(text.folded().len()), "{written}");
        }
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
        let text = TextBuf::new("SMITH, Amy\nwill come. James' hat");
        let text = text.text();
        let gaps: Vec<_> = text.tokens.iter().map(|t| (t.gap, t.case, t.possessive)).collect();
        assert_eq!(gaps[0], (Gap::default(), Case::Upper, false));
        assert!(gaps[1].0.has(Gap::COMMA) && gaps[1].1 == Case::Capitalised);
        assert!(text.tokens[2].sentence_start && gaps[2].1 == Case::Lower);
        assert!(gaps[4].2 && text.tokens[4].sentence_start);
    }

    #[test]
    fn a_run_is_its_letters() {
        for (a, b, same) in [
            ("O'Brien-Smith", "obriensmith", true),
            ("Mc Donald", "McDonald", true),
            ("de Souza", "DESOUZA", true),
            ("Amy Smith", "Smith Amy", false),
            ("Ana", "Anna", false),
            ("", "a", false),
        ] {
            assert_eq!(Run::of(a) == Run::of(b), same, "{a} and {b}");
        }
        let long = "a".repeat(crate::limits::READY_POWERS * 2 + 1);
        assert_eq!(Run::of(&long), Run::of(&long[1..]).then(Run::of("a")));
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_offsets_inside_it(source in "\\PC{0,60}|[a-zA-Z'’ .,\\-\u{301}а-я0-9\u{200b}]{0,60}") {
            let text = TextBuf::new(&source);
            let text = text.text();
            let mut last = 0;
            for (i, token) in text.tokens.iter().enumerate() {
                let span = text.span(token.start()..token.end());
                proptest::prop_assert!(source.get(span.clone()).is_some());
                proptest::prop_assert!(span.start >= last);
                last = span.start;
                text.slice(i, i + 1);
            }
        }
    }
}
