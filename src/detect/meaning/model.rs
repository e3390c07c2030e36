//! The trained file: for each class a bias and a scale, for each known feature one small weight a class.

use sha2::{Digest, Sha256};

use super::encoder::Encoder;
use super::features::features;
use super::file::Rest;
use super::{NONE, tier};
use crate::detect::Tier;
use crate::limits;

/// Begins every file; the last two digits are the version of the features.
const MAGIC: &[u8] = b"schoolgate meaning 01\n";

/// A model as it stands in its file.
#[derive(Debug, Default)]
pub struct Model {
    /// `none` and the categories, in the order of the weights.
    pub classes: Vec<String>,
    /// What each class makes of a pupil; nothing for `none`.
    pub(super) tiers: Vec<Option<Tier>>,
    pub(super) bias: Vec<f32>,
    pub(super) scale: Vec<f32>,
    pub(super) rows: Rows,
}

/// The known features, and of each a weight a class.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// In order.
    hashes: Vec<u32>,
    weights: Vec<i8>,
    classes: usize,
    /// Where in `hashes` those begin that share their first bits, and where the last of them end: a feature is found, or seen to be
    /// unknown, by two looks.
    starts: Vec<u32>,
}

impl Rows {
    /// Hashes in order, and as many weights a hash as there are classes.
    pub(super) fn new(hashes: Vec<u32>, weights: Vec<i8>, classes: usize) -> Self {
        let mut starts = vec![0u32; (1 << limits::MEANING_FIRST_BITS) + 1];
        for hash in &hashes {
            starts[Self::first_bits(*hash) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { hashes, weights, classes, starts }
    }

    fn first_bits(hash: u32) -> usize {
        (hash >> (u32::BITS - limits::MEANING_FIRST_BITS)) as usize
    }

    /// The weights of a feature.
    fn get(&self, hash: u32) -> Option<&[i8]> {
        let first = Self::first_bits(hash);
        let (from, to) = (*self.starts.get(first)? as usize, *self.starts.get(first + 1)? as usize);
        let at = from + self.hashes[from..to].iter().position(|known| *known == hash)?;
        self.weights.get(at * self.classes..(at + 1) * self.classes)
    }
}

/// What a model makes of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// How likely something is said that makes a record of it.
    pub said: f32,
    /// Share of the sensitive categories in that.
    pub sensitive: f32,
    /// The likeliest category of record, and the likeliest sensitive one: places in [`Model::classes`].
    pub record_class: usize,
    /// See `record_class`.
    pub sensitive_class: usize,
    /// The encoder was asked too.
    pub closely: bool,
}

impl Reading {
    /// The likelihood from which it makes a record of a pupil. The encoder is surer of itself, right or wrong.
    pub fn threshold(&self) -> f32 {
        if self.closely { limits::MEANING_CLOSE_THRESHOLD } else { limits::MEANING_THRESHOLD }
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

/// SHA-256 as `sha256sum` writes it.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Model {
    /// Reads a file, whose SHA-256 must be the first word of `hash`.
    pub fn read(bytes: &[u8], hash: &str) -> Result<Self, ModelError> {
        let own = sha256(bytes);
        if hash.split_whitespace().next() != Some(own.as_str()) {
            return Err(ModelError::Hash(own));
        }
        let mut rest = Rest::new(bytes, MAGIC)?;
        let (classes, rows, names) = (rest.number()?, rest.number()?, rest.number()?);
        let names: Vec<String> = rest.text(names)?.split('\n').map(str::to_owned).collect();
        let size = rows.checked_mul(classes).ok_or(ModelError::Shape)?;
        let out = Self {
            tiers: names.iter().map(|class| tier(class)).collect(),
            classes: names,
            bias: rest.floats(classes)?,
            scale: rest.floats(classes)?,
            rows: {
                let hashes = rest.words(rows)?.map(u32::from_le_bytes).collect();
                Rows::new(hashes, rest.signed(size)?, classes)
            },
        };
        rest.end()?;
        if out.classes.len() != classes || out.classes.first().is_none_or(|first| first != NONE) {
            return Err(ModelError::Shape);
        }
        match out.tiers.iter().skip(1).position(Option::is_none) {
            Some(at) => Err(ModelError::Category(out.classes[at + 1].clone())),
            None => Ok(out),
        }
    }

    /// The file.
    pub fn write(&self) -> Vec<u8> {
        let names = self.classes.join("\n");
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        let mut out = MAGIC.to_vec();
        out.extend([self.classes.len(), self.rows.hashes.len(), names.len()].into_iter().flat_map(count));
        out.extend(names.as_bytes());
        out.extend(self.bias.iter().chain(&self.scale).flat_map(|number| number.to_le_bytes()));
        out.extend(self.rows.hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        out.extend(self.rows.weights.iter().map(|weight| weight.cast_unsigned()));
        out
    }

    /// What the words say; `words` as [`super::features::words`] gives them.
    pub fn read_words(&self, words: &[&str]) -> Reading {
        self.reading(&softmax(&self.logits(words)))
    }

    /// What the words say to both halves together, at the cost of some milliseconds.
    ///
    /// # Errors
    /// As [`Encoder::logits`].
    pub(super) fn read_closely(&self, words: &[&str], encoder: &Encoder) -> Result<Reading, ModelError> {
        let (quick, slow) = (softmax(&self.logits(words)), softmax(&encoder.logits(words)?));
        let log = |likely: f32| likely.max(f32::MIN_POSITIVE).ln();
        let share = limits::MEANING_QUICK_SHARE;
        let both = quick.iter().zip(&slow).map(|(quick, slow)| share * log(*quick) + (1.0 - share) * log(*slow));
        Ok(Reading { closely: true, ..self.reading(&softmax(&both.collect::<Vec<f32>>())) })
    }

    /// How likely it is by the encoder alone that they say something.
    pub(super) fn read_whole(&self, words: &[&str], encoder: &Encoder) -> Result<f32, ModelError> {
        Ok(self.reading(&softmax(&encoder.logits(words)?)).said)
    }

    /// How much the words speak for each class.
    fn logits(&self, words: &[&str]) -> Vec<f32> {
        let mut sums = vec![0i32; self.classes.len()];
        let mut many = 0;
        features(words, |feature| {
            many += 1;
            for (sum, weight) in sums.iter_mut().zip(self.rows.get(feature.hash).into_iter().flatten()) {
                *sum += i32::from(*weight);
            }
        });
        let norm = norm(many);
        let parts = sums.iter().zip(self.scale.iter().zip(&self.bias));
        parts.map(|(sum, (scale, bias))| *sum as f32 * scale * norm + bias).collect()
    }

    /// The same from the likelihood of each class.
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

    /// The words that speak the most for what was read, strongest first.
    pub fn because<'w>(&self, words: &[&'w str], many: usize) -> Vec<&'w str> {
        let mut weights: Vec<(f32, usize)> = (0..words.len()).map(|at| (0.0, at)).collect();
        features(words, |feature| {
            let Some(row) = self.rows.get(feature.hash) else { return };
            // The best category against none.
            let weight = |at: usize| f32::from(row[at]) * self.scale[at];
            let best = (1..row.len()).map(weight).fold(f32::MIN, f32::max) - weight(0);
            weights[feature.word as usize].0 += best;
        });
        weights.retain(|(weight, at)| *weight > 0.0 && words[*at].starts_with(char::is_alphabetic));
        weights.sort_by(|a, b| b.0.total_cmp(&a.0));
        weights.into_iter().take(many).map(|(_, at)| words[at]).collect()
    }
}

/// One over the length of a vector of so many features.
pub(super) fn norm(features: usize) -> f32 {
    1.0 / (features.max(1) as f32).sqrt()
}

pub(super) fn softmax(logits: &[f32]) -> Vec<f32> {
    let top = logits.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - top).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
