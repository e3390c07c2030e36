//! A linear model over pieces of words, and its file: for each class a bias and a scale, for each known feature one small weight a class.
//!
//! It knows nothing of what its classes mean.

use sha2::{Digest, Sha256};

use super::features::features;
use super::file::Rest;
use super::model::ModelError;
use crate::limits;

/// Begins every file; the last two digits are the version of the features.
const MAGIC: &[u8] = b"schoolgate meaning 01\n";

/// A linear model as it stands in its file.
#[derive(Debug, Default)]
pub struct Linear {
    /// What it tells apart, in the order of the weights.
    pub classes: Vec<String>,
    bias: Vec<f32>,
    scale: Vec<f32>,
    rows: Rows,
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

/// SHA-256 as `sha256sum` writes it.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Linear {
    /// Weights of features, by their hashes in order, as many as there are classes for each; a weight counts times the scale of its class.
    pub(super) fn new(classes: Vec<String>, bias: Vec<f32>, scale: Vec<f32>, rows: Rows) -> Self {
        Self { classes, bias, scale, rows }
    }

    /// Reads a file, whose SHA-256 must be the first word of `hash`.
    ///
    /// # Errors
    /// [`ModelError::Hash`] where it was changed, [`ModelError::Shape`] where it is cut or of another version.
    pub fn read(bytes: &[u8], hash: &str) -> Result<Self, ModelError> {
        let own = sha256(bytes);
        if hash.split_whitespace().next() != Some(own.as_str()) {
            return Err(ModelError::Hash(own));
        }
        Self::read_unchecked(bytes)
    }

    /// Reads a file that is a part of another, whose hash was compared.
    ///
    /// # Errors
    /// [`ModelError::Shape`] where it is cut or of another version.
    pub(in crate::detect) fn read_unchecked(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut rest = Rest::new(bytes, MAGIC)?;
        let (classes, rows, names) = (rest.number()?, rest.number()?, rest.number()?);
        let names: Vec<String> = rest.text(names)?.split('\n').map(str::to_owned).collect();
        let size = rows.checked_mul(classes).ok_or(ModelError::Shape)?;
        let out = Self {
            classes: names,
            bias: rest.floats(classes)?,
            scale: rest.floats(classes)?,
            rows: {
                let hashes = rest.words(rows)?.map(u32::from_le_bytes).collect();
                Rows::new(hashes, rest.signed(size)?, classes)
            },
        };
        rest.end()?;
        if out.classes.len() == classes { Ok(out) } else { Err(ModelError::Shape) }
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

    /// How likely each class is; `words` as [`super::features::words`] gives them.
    pub fn likely(&self, words: &[&str]) -> Vec<f32> {
        softmax(&self.logits(words))
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

pub(in crate::detect) fn softmax(logits: &[f32]) -> Vec<f32> {
    let top = logits.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - top).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// What two halves say together: the weighed geometric mean of both likelihoods of each class.
pub(in crate::detect) fn both(quick: &[f32], slow: &[f32], share_of_quick: f32) -> Vec<f32> {
    let log = |likely: f32| likely.max(f32::MIN_POSITIVE).ln();
    let mean = |(quick, slow): (&f32, &f32)| share_of_quick * log(*quick) + (1.0 - share_of_quick) * log(*slow);
    softmax(&quick.iter().zip(slow).map(mean).collect::<Vec<f32>>())
}
