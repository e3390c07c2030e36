//! What colleagues say of a pupil in plain words that are on no list: a small linear model over pieces of words, names
//! masked, trained by `schoolgate meaning train` from the labelled lines in `meaning/` and built into the program.
//!
//! It may only raise a pupil who would else be a mention, and it can say which words moved it.

pub mod assess;
pub mod data;
pub mod features;
pub mod model;
pub mod train;

use std::sync::LazyLock;

use super::Tier;
use super::vocabulary::VOCABULARY;
pub use model::{Model, ModelError, Reading};

const EMBEDDED: &[u8] = include_bytes!("../../../rules/meaning.bin");
const HASH: &str = include_str!("../../../rules/meaning.sha256");

/// The model built into the program; none where it is not the one that was shipped, which [`check`] tells at the start.
pub static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| Model::read(EMBEDDED, HASH).ok());

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
