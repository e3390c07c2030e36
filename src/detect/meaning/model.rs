//! What a sentence makes of a pupil: a linear model whose classes are `none` and categories, and the tier of each.

use super::linear::{Linear, both};
use super::{NONE, tier};
use crate::detect::Tier;
use crate::limits;

/// A model of what is said of a pupil.
#[derive(Debug, Default)]
pub struct Model {
    /// `none` and the categories.
    pub linear: Linear,
    /// What each class makes of a pupil; nothing for `none`.
    tiers: Vec<Option<Tier>>,
}

/// What a model makes of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// How likely something is said that makes a record of it.
    pub said: f32,
    /// Share of the sensitive categories in that.
    pub sensitive: f32,
    /// The likeliest category of record, and the likeliest sensitive one: places in [`Linear::classes`].
    pub record_class: usize,
    /// See `record_class`.
    pub sensitive_class: usize,
    /// The encoder was asked too.
    pub closely: bool,
}

impl Reading {
    /// The tier that it is enough for. The encoder is surer of itself, right or wrong: of what it reads a pupil is sensitive, or a record
    /// beyond doubt, from a higher likelihood on.
    pub fn understood(&self) -> Option<Tier> {
        let perhaps = || (self.closely && self.said >= limits::MEANING_PERHAPS).then_some(Tier::Record);
        let threshold = if self.closely { limits::MEANING_CLOSE_THRESHOLD } else { limits::MEANING_THRESHOLD };
        self.tier(threshold).or_else(perhaps)
    }

    /// The likeliest class of what is said: a place in [`super::linear::Linear::classes`].
    pub fn class(&self) -> usize {
        if self.sensitive > limits::MEANING_SENSITIVE_SHARE { self.sensitive_class } else { self.record_class }
    }

    /// It makes a record of a pupil, and not beyond doubt.
    pub fn is_doubtful(&self) -> bool {
        self.closely && self.said < limits::MEANING_PLAINLY && self.understood() == Some(Tier::Record)
    }

    /// The tier that it is enough for; sensitive only by a clear share.
    pub fn tier(&self, threshold: f32) -> Option<Tier> {
        let sensitive = self.sensitive > limits::MEANING_SENSITIVE_SHARE;
        (self.said >= threshold).then_some(if sensitive { Tier::Sensitive } else { Tier::Record })
    }
}

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Changed since it was trained.
    #[error("the model of meaning is not the one that was shipped: its SHA-256 is {0}")]
    Hash(String),
    /// Cut, or of another version.
    #[error("the model of meaning is cut short or of another version")]
    Shape,
    /// Trained for a category that the program does not know.
    #[error("the model of meaning has an unknown category '{0}'")]
    Category(String),
    /// Its two halves tell other classes apart.
    #[error("the encoder of meaning was tuned for other categories than the model was trained for")]
    Classes,
}

impl Model {
    /// A model of these classes.
    ///
    /// # Errors
    /// [`ModelError::Shape`] where the first is not `none`, [`ModelError::Category`] where one is no category of the program.
    pub fn new(linear: Linear) -> Result<Self, ModelError> {
        if linear.classes.first().is_none_or(|first| first != NONE) {
            return Err(ModelError::Shape);
        }
        let tiers: Vec<Option<Tier>> = linear.classes.iter().map(|class| tier(class)).collect();
        match tiers.iter().skip(1).position(Option::is_none) {
            Some(at) => Err(ModelError::Category(linear.classes[at + 1].clone())),
            None => Ok(Self { linear, tiers }),
        }
    }

    /// Reads a file, whose SHA-256 must be the first word of `hash`.
    ///
    /// # Errors
    /// As [`Linear::read`] and [`Model::new`].
    pub fn read(bytes: &[u8], hash: &str) -> Result<Self, ModelError> {
        Self::new(Linear::read(bytes, hash)?)
    }

    /// What the words say; `words` as [`super::features::words`] gives them.
    pub fn read_words(&self, words: &[&str]) -> Reading {
        self.reading(&self.linear.likely(words))
    }

    /// What both halves together say, from the likelihood of each class by either.
    pub(super) fn reading_of_both(&self, quick: &[f32], slow: &[f32]) -> Reading {
        Reading { closely: true, ..self.reading(&both(quick, slow, limits::MEANING_QUICK_SHARE)) }
    }

    /// What is said, from the likelihood of each class.
    pub(super) fn reading(&self, likely: &[f32]) -> Reading {
        // The likeliest class of a tier, how likely it is, and how likely all of that tier are together.
        let of = |wanted: Tier| {
            let mut best = (0, 0.0, 0.0);
            let classes = self.tiers.iter().zip(likely).enumerate();
            for (at, (_, &likely)) in classes.filter(|(_, (tier, _))| **tier == Some(wanted)) {
                best.2 += likely;
                if likely > best.1 {
                    best = (at, likely, best.2);
                }
            }
            best
        };
        let (record, sensitive) = (of(Tier::Record), of(Tier::Sensitive));
        let said = record.2 + sensitive.2;
        Reading {
            said,
            sensitive: if said > 0.0 { sensitive.2 / said } else { 0.0 },
            record_class: record.0,
            sensitive_class: sensitive.0,
            closely: false,
        }
    }
}
