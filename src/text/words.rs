//! The words of a message, each kept once: what a token says, by a number.
//!
//! A word is its normalised letters and their keyed hash (`run`). Two words are the same when their hashes are: whoever compares
//! words compares hashes. Invariant: a [`WordId`] is handed out by the [`Words`] that knows it, and stays good until they are cleared.

use hashbrown::HashTable;

use super::run::{Run, hash_with, spread};
use crate::limits;

/// The number of a word among those of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WordId(u32);

impl WordId {
    /// Its place among the words of the message, counted from 0.
    #[inline]
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone, Copy)]
struct Word {
    hash: u64,
    /// Octets of [`Words::letters`].
    start: u32,
    length: u32,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Words {
    words: Vec<Word>,
    letters: String,
    numbers: HashTable<WordId>,
    /// Words that were met of late, by a part of their hashes: most of a text is the same few hundred words.
    recent: Vec<WordId>,
}

impl Words {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.letters.clear();
        self.numbers.clear();
        self.recent.clear();
    }

    /// Every word's number, letters and hash from the place `from` on.
    pub fn from(&self, from: usize) -> impl Iterator<Item = (&str, u64)> {
        self.words.iter().skip(from).map(|word| (self.slice(word), word.hash))
    }

    /// The letters of a word, normalised.
    #[inline]
    pub fn letters(&self, word: WordId) -> &str {
        self.words.get(word.place()).map_or("", |word| self.slice(word))
    }

    /// Its keyed hash.
    #[inline]
    pub fn hash(&self, word: WordId) -> u64 {
        self.words.get(word.place()).map_or(0, |word| word.hash)
    }

    /// Octets of its letters.
    #[inline]
    pub fn length(&self, word: WordId) -> usize {
        self.words.get(word.place()).map_or(0, |word| word.length as usize)
    }

    /// The run of this word alone.
    #[inline]
    pub fn run(&self, word: WordId) -> Run {
        self.words.get(word.place()).map_or(Run::EMPTY, |word| Run::of_hash(word.hash, word.length as usize))
    }

    #[inline]
    fn slice(&self, word: &Word) -> &str {
        let start = word.start as usize;
        self.letters.get(start..start + word.length as usize).unwrap_or_default()
    }

    /// The word of plain letters and digits whose hash in small letters is known.
    #[inline]
    pub(super) fn ascii(&mut self, hash: u64, written: &str) -> WordId {
        let recent = self.recent_place(hash);
        if let Some(&word) = recent.and_then(|at| self.recent.get(at))
            && self.hash(word) == hash
        {
            return word;
        }
        let word = self.ascii_anew(hash, written);
        if let Some(slot) = recent.and_then(|at| self.recent.get_mut(at)) {
            *slot = word;
        }
        word
    }

    /// As [`Words::ascii`], for a word that was not met of late.
    fn ascii_anew(&mut self, hash: u64, written: &str) -> WordId {
        let spread = spread(hash);
        if let Some(known) = self.known(spread, hash) {
            return known;
        }
        let start = self.letters.len();
        self.letters.push_str(written);
        if let Some(new) = self.letters.get_mut(start..) {
            new.make_ascii_lowercase();
        }
        self.add(spread, hash, start)
    }

    /// The word of these letters, which are normalised.
    pub(super) fn of_letters(&mut self, base: u64, letters: impl Iterator<Item = char>) -> WordId {
        let start = self.letters.len();
        self.letters.extend(letters);
        let hash = hash_with(base, &self.letters.as_bytes()[start..]);
        let spread = spread(hash);
        if let Some(known) = self.known(spread, hash) {
            self.letters.truncate(start);
            return known;
        }
        self.add(spread, hash, start)
    }

    /// The place of a hash in [`Words::recent`], which a text of few words does without.
    #[inline]
    fn recent_place(&self, hash: u64) -> Option<usize> {
        let bits = self.recent.len().checked_ilog2()?;
        usize::try_from(hash.wrapping_mul(super::run::SPREADING) >> (u64::BITS - bits)).ok()
    }

    #[inline]
    fn known(&self, spread: u64, hash: u64) -> Option<WordId> {
        self.numbers.find(spread, |word| self.words.get(word.place()).is_some_and(|word| word.hash == hash)).copied()
    }

    fn add(&mut self, spread_hash: u64, hash: u64, start: usize) -> WordId {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let id = WordId(place(self.words.len()));
        self.words.push(Word { hash, start: place(start), length: place(self.letters.len() - start) });
        let words = &self.words;
        let again = |word: &WordId| words.get(word.place()).map_or(0, |word| spread(word.hash));
        self.numbers.insert_unique(spread_hash, id, again);
        if self.recent.is_empty() && self.words.len() > limits::FEW_WORDS {
            self.recent = vec![id; limits::RECENT_WORDS];
        }
        id
    }
}
