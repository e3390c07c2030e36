//! What a model is worth on lines that it was not trained on: each group of paraphrases is left out once.

use super::data::Example;
use super::train::{Dice, train};
use super::{Model, NONE, Reading, tier};
use crate::limits;

/// A line and what a model that never saw its group made of it.
#[derive(Debug)]
pub struct Judged {
    /// The label.
    pub category: String,
    /// A line of no school with a name put in.
    pub background: bool,
    /// The line, for looking at what went wrong.
    pub text: String,
    /// What was read.
    pub reading: Reading,
}

/// The part in which a line is left out: all paraphrases of one thing in the same.
pub(in crate::detect) fn fold(example: &Example) -> usize {
    let hash = example.group.bytes().fold(limits::MEANING_SEED, |hash, byte| Dice::new(hash ^ u64::from(byte)).roll());
    Dice::new(hash).below(limits::MEANING_FOLDS)
}

/// Judges all lines, by as many models as there are folds.
pub fn assess(examples: &[Example]) -> Vec<Judged> {
    let one = |left_out: usize| -> Vec<Judged> {
        let seen: Vec<Example> = examples.iter().filter(|example| fold(example) != left_out).cloned().collect();
        let Ok(model) = Model::new(train(&seen)) else { return Vec::new() };
        let mut dice = Dice::new(limits::MEANING_SEED);
        let unseen = examples.iter().filter(|example| fold(example) == left_out);
        unseen
            .map(|example| {
                let shown = if example.background { example.with_name(dice.roll()) } else { example.clone() };
                let words = shown.words();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                Judged {
                    category: example.category.clone(),
                    background: example.background,
                    text: shown.text,
                    reading: model.read_words(&words),
                }
            })
            .collect()
    };
    use rayon::prelude::*;
    (0..limits::MEANING_FOLDS).into_par_iter().flat_map_iter(one).collect()
}

/// Area under the curve: how often a line that says something is read higher than one that says nothing.
pub fn area(judged: &[Judged]) -> f64 {
    let mut ordered: Vec<(f32, bool)> =
        judged.iter().filter(|line| !line.background).map(|line| (line.reading.said, line.category != NONE)).collect();
    ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut pairs, mut said) = (0u64, 0u64, 0u64);
    for (_, says) in ordered {
        if says {
            said += 1;
            pairs += below;
        } else {
            below += 1;
        }
    }
    share(pairs, said * below)
}

/// Part of a whole; of nothing, nothing.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Of the lines that `which` picks, how many were raised, how many to the label's tier, and how many there are.
pub fn count(judged: &[Judged], threshold: f32, which: impl Fn(&Judged) -> bool) -> (u64, u64, u64) {
    judged.iter().filter(|line| which(line)).fold((0, 0, 0), |(up, right, all), line| {
        let got = line.reading.tier(threshold);
        (up + u64::from(got.is_some()), right + u64::from(got == tier(&line.category)), all + 1)
    })
}
