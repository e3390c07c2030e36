//! Multinomial logistic regression by AdaGrad, the same for the same lines and seed.

use hashbrown::HashMap;

use super::data::Example;
use super::features::features;
use super::linear::{Linear, Rows, norm, softmax};
use super::{NONE, categories};
use crate::limits;

/// Numbers that look random and are the same every time (SplitMix64).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `many`.
    pub fn below(&mut self, many: usize) -> usize {
        let many = u64::try_from(many.max(1)).unwrap_or(1);
        usize::try_from(self.roll() % many).unwrap_or_default()
    }
}

/// A line in numbers.
struct Row {
    features: Vec<u32>,
    norm: f32,
    class: usize,
}

/// Trains a model of what is said of pupils; half of the background gets a name put in.
pub fn train(examples: &[Example]) -> Linear {
    let classes: Vec<&str> = std::iter::once(NONE).chain(categories()).collect();
    fit(examples, &classes)
}

/// Trains a model that tells these classes apart, of which the first is what says nothing.
pub(in crate::detect) fn fit(examples: &[Example], classes: &[&str]) -> Linear {
    let mut dice = Dice::new(limits::MEANING_SEED);
    let (hashes, mut rows) = rows(examples, classes, &mut dice);
    let telling = telling(&rows, hashes.len());
    let many = classes.len();
    let mut weights = vec![0f32; hashes.len() * many];
    let mut seen = vec![0f32; hashes.len() * many];
    let (mut bias, mut bias_seen) = (vec![0f32; many], vec![0f32; many]);
    let mut logits = vec![0f32; many];
    let step = |weight: &mut f32, seen: &mut f32, slope: f32| {
        *seen += slope * slope;
        *weight -= limits::MEANING_STEP * slope / (seen.sqrt() + 1e-6);
    };
    for _ in 0..limits::MEANING_ROUNDS {
        for at in (1..rows.len()).rev() {
            rows.swap(at, dice.below(at + 1));
        }
        for row in &rows {
            logits.copy_from_slice(&bias);
            for &feature in &row.features {
                let from = feature as usize * many;
                let value = row.norm * telling[feature as usize];
                for (logit, weight) in logits.iter_mut().zip(&weights[from..from + many]) {
                    *logit += weight * value;
                }
            }
            let mut slopes = softmax(&logits);
            slopes[row.class] -= 1.0;
            for class in 0..many {
                step(&mut bias[class], &mut bias_seen[class], slopes[class]);
            }
            for &feature in &row.features {
                let from = feature as usize * many;
                let value = row.norm * telling[feature as usize];
                let weights = weights[from..from + many].iter_mut().zip(&mut seen[from..from + many]);
                for ((weight, seen), slope) in weights.zip(&slopes) {
                    step(weight, seen, slope * value + limits::MEANING_DECAY * *weight);
                }
            }
        }
    }
    for (weights, telling) in weights.chunks_exact_mut(many).zip(&telling) {
        for weight in weights {
            *weight *= telling;
        }
    }
    quantise(classes, bias, &hashes, &weights)
}

/// The lines in numbers, with the hashes of the features that stand in more than one line.
fn rows(examples: &[Example], classes: &[&str], dice: &mut Dice) -> (Vec<u32>, Vec<Row>) {
    let mut lines: Vec<(Vec<u32>, usize)> = Vec::new();
    let mut count: HashMap<u32, u32> = HashMap::new();
    for example in examples {
        let (half, place) = (dice.below(2) == 0, dice.roll());
        let words = if example.background && half { example.with_name(place).words() } else { example.words() };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut hashes = Vec::new();
        features(&words, |feature| hashes.push(feature.hash));
        let mut once = hashes.clone();
        once.sort_unstable();
        once.dedup();
        for hash in once {
            *count.entry(hash).or_default() += 1;
        }
        lines.push((hashes, classes.iter().position(|class| *class == example.category).unwrap_or_default()));
    }
    let mut known: Vec<u32> =
        count.iter().filter(|(_, count)| **count >= limits::MEANING_FEWEST_LINES).map(|(hash, _)| *hash).collect();
    known.sort_unstable();
    let place: HashMap<u32, u32> = known.iter().zip(0..).map(|(hash, at)| (*hash, at)).collect();
    let rows = lines.into_iter().map(|(hashes, class)| Row {
        // As long as with the features that are unknown: so it is when a sentence is read.
        norm: norm(hashes.len()),
        features: hashes.iter().filter_map(|hash| place.get(hash).copied()).collect(),
        class,
    });
    (known, rows.collect())
}

/// How much more often each feature stands in lines that say something than in those that do not, or the other way round, as a
/// logarithm: what is as common in both is learnt little from (S. Wang and C. Manning, Baselines and Bigrams, ACL 2012).
fn telling(rows: &[Row], features: usize) -> Vec<f32> {
    let (mut said, mut silent) = (vec![1u32; features], vec![1u32; features]);
    for row in rows {
        let counts = if row.class == 0 { &mut silent } else { &mut said };
        let mut once = row.features.clone();
        once.sort_unstable();
        once.dedup();
        for feature in once {
            counts[feature as usize] += 1;
        }
    }
    let sum = |counts: &[u32]| counts.iter().map(|count| f64::from(*count)).sum::<f64>();
    let (all_said, all_silent) = (sum(&said), sum(&silent));
    let log = |(said, silent): (&u32, &u32)| ((f64::from(*said) / all_said) / (f64::from(*silent) / all_silent)).ln();
    said.iter().zip(&silent).map(|pair| log(pair).abs() as f32 + limits::MEANING_LEAST_TELLING).collect()
}

/// The heaviest features, their weights as small whole numbers.
fn quantise(classes: &[&str], bias: Vec<f32>, hashes: &[u32], weights: &[f32]) -> Linear {
    let many = classes.len();
    let row = |at: usize| &weights[at * many..(at + 1) * many];
    let weight = |at: usize| row(at).iter().map(|weight| weight * weight).sum::<f32>();
    let mut kept: Vec<usize> = (0..hashes.len()).collect();
    kept.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)).then(a.cmp(b)));
    kept.truncate(limits::MEANING_FEATURES);
    kept.sort_unstable();
    let scale: Vec<f32> = (0..many)
        .map(|class| {
            let most = kept.iter().map(|&at| row(at)[class].abs()).fold(0.0, f32::max);
            most.max(f32::MIN_POSITIVE) / f32::from(i8::MAX)
        })
        .collect();
    // Rounded, it is within the bounds of the type by how the scale was made.
    let small = |(weight, scale): (&f32, &f32)| (weight / scale).round() as i8;
    let rows = Rows::new(
        kept.iter().map(|&at| hashes[at]).collect(),
        kept.iter().flat_map(|&at| row(at).iter().zip(&scale).map(small)).collect(),
        many,
    );
    Linear::new(classes.iter().map(|class| (*class).to_owned()).collect(), bias, scale, rows)
}
