//! What colleagues say of a pupil in plain words that are on no list: a small linear model over pieces of words, names
//! masked, trained by `schoolgate meaning train` from the labelled lines in `meaning/` and built into the program.
//!
//! It may only raise a pupil who would else be a mention, and it can say which words moved it.

pub mod assess;
pub mod data;
mod encoder;
pub mod features;
pub(in crate::detect) mod file;
pub mod linear;
pub mod model;
pub mod train;

use std::sync::LazyLock;

use hashbrown::HashMap;

use super::Tier;
use super::vocabulary::VOCABULARY;
use crate::limits;
use encoder::Encoder;
use linear::softmax;
pub use model::{Model, ModelError, Reading};

const EMBEDDED: &[u8] = include_bytes!("../../../rules/meaning.bin");
const HASH: &str = include_str!("../../../rules/meaning.sha256");

/// The model built into the program; none where it is not the one that was shipped, which [`check`] tells at the start.
pub static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| Model::read(EMBEDDED, HASH).ok());

const ENCODER_FILE: &[u8] = include_bytes!("../../../rules/encoder.bin");
/// The slow half, made ready when a sentence is first in doubt; none where it does not fit the quick one, which a test rules out.
static ENCODER: LazyLock<Option<Encoder>> =
    LazyLock::new(|| Encoder::read(ENCODER_FILE, &MODEL.as_ref()?.linear.classes).ok());

/// Reads the sentences of one message: none twice by either half, and no more than [`limits::MEANING_READ_CLOSELY`] of them by the encoder.
#[derive(Default)]
pub struct Reader<'w> {
    /// By its words.
    known: HashMap<Vec<&'w str>, Likely>,
    /// Sentences that the encoder was asked of.
    asked: usize,
}

/// How likely each class is.
struct Likely {
    quick: Vec<f32>,
    /// By the encoder alone, once it was asked; nothing in it where it could not answer.
    slow: Option<Option<Vec<f32>>>,
}

impl<'w> Reader<'w> {
    /// What the words say by the quick half alone.
    pub fn quick(&mut self, model: &Model, words: &[&'w str]) -> Reading {
        model.reading(&self.known(model, words).quick)
    }

    /// What the words say; where the quick half does not rule out that they say something, and `closely` allows it, both halves are asked.
    pub fn read(&mut self, model: &Model, words: &[&'w str], closely: impl FnOnce(&Reading) -> bool) -> Reading {
        let reading = self.quick(model, words);
        if reading.said < limits::MEANING_RULED_OUT || !closely(&reading) {
            return reading;
        }
        let Likely { quick, slow } = self.closely(model, words, limits::MEANING_READ_CLOSELY);
        slow.iter().flatten().next().map_or(reading, |slow| model.reading_of_both(quick, slow))
    }

    /// How likely it is by the encoder alone that the words say something; nothing once [`limits::MEANING_PHRASES_CLOSELY`] are read.
    pub fn said(&mut self, model: &Model, words: &[&'w str]) -> Option<f32> {
        let likely = self.closely(model, words, limits::MEANING_PHRASES_CLOSELY);
        likely.slow.iter().flatten().next().map(|slow| model.reading(slow).said)
    }

    /// What is known of the words, after the encoder was asked too, unless it has read `most` sentences.
    fn closely(&mut self, model: &Model, words: &[&'w str], most: usize) -> &Likely {
        let encoder = ENCODER.as_ref().filter(|_| self.asked < most && self.known(model, words).slow.is_none());
        if let Some(encoder) = encoder {
            self.asked += 1;
            self.known(model, words).slow = Some(encoder.logits(words).ok().map(|logits| softmax(&logits)));
        }
        self.known(model, words)
    }

    fn known(&mut self, model: &Model, words: &[&'w str]) -> &mut Likely {
        let quick = || Likely { quick: model.linear.likely(words), slow: None };
        self.known.entry_ref(words).or_insert_with(quick)
    }
}

/// What the encoder makes of the words before it tells its classes apart: so many numbers, of which another model may tell other things.
pub(in crate::detect) fn sense(words: &[&str]) -> Option<Vec<f32>> {
    ENCODER.as_ref()?.sense(words).ok()
}

/// SHA-256 of the file of the encoder, whose senses a model was trained on.
pub(in crate::detect) fn encoder_hash() -> &'static str {
    include_str!("../../../rules/encoder.sha256").split_whitespace().next().unwrap_or_default()
}

/// The model built into the program is whole and fits the program.
pub fn check() -> Result<(), ModelError> {
    Model::read(EMBEDDED, HASH).map(|_| ())
}

/// The class of what says nothing of a pupil.
pub const NONE: &str = "none";

/// Categories that a model may tell apart: those of `rules/vocabulary.toml`, in order of name.
pub fn categories() -> Vec<&'static str> {
    let mut ids: Vec<&str> = VOCABULARY.categories.iter().map(|category| category.id).collect();
    ids.sort_unstable();
    ids
}

/// What a category makes of a pupil.
pub fn tier(category: &str) -> Option<Tier> {
    VOCABULARY.id(category).map(|at| VOCABULARY.categories[at].tier)
}

#[cfg(test)]
mod tests;
