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

/// The categories and what each makes of a pupil, as in `rules/vocabulary.toml`.
pub const CATEGORIES: &[(&str, Tier)] = &[
    ("address", Tier::Record),
    ("attainment", Tier::Record),
    ("attendance", Tier::Record),
    ("behaviour", Tier::Record),
    ("biometric", Tier::Sensitive),
    ("contact", Tier::Record),
    ("date-of-birth", Tier::Record),
    ("diet", Tier::Record),
    ("ethnicity-religion", Tier::Sensitive),
    ("exclusion-violence", Tier::Sensitive),
    ("family", Tier::Record),
    ("free-meals", Tier::Record),
    ("health", Tier::Sensitive),
    ("identifier", Tier::Record),
    ("looked-after", Tier::Sensitive),
    ("mental-health", Tier::Sensitive),
    ("police", Tier::Sensitive),
    ("safeguarding", Tier::Sensitive),
    ("send", Tier::Sensitive),
    ("sexuality-gender", Tier::Sensitive),
];

/// What a category makes of a pupil.
pub fn tier(category: &str) -> Option<Tier> {
    CATEGORIES.iter().find(|(id, _)| *id == category).map(|(_, tier)| *tier)
}

#[cfg(test)]
mod tests;
