//! `rules/evidence.toml` as a table, and what fits its weights to labelled names.
//!
//! A logistic regression whose weights may not change sides and are drawn towards what a person set: where labelled mail says
//! little of something, its weight stays. Priors are not fitted: how often two words are a name at all is a matter of mail, of
//! which mail that somebody made up to be labelled is no sample.

use std::collections::BTreeMap;

use crate::spans::{Count, Seen, Spans};

/// Decibans in one unit of the natural logarithm of the odds.
const DECIBANS: f64 = 10.0 / std::f64::consts::LN_10;

/// How far a weight may be expected from what was set, in decibans; chosen by leaving a school out.
pub const SPREAD: f64 = 1.0;

/// Labelled mail counts name by name, made-up mail of one school as so many names at the most.
const MADE_UP: f64 = 300.0;

/// What a needless stop counts, beside one pupil missed: most of a message's pupils are named more than once, and what ordinary mail is
/// made of was hardly ever labelled.
const NEEDLESS: f64 = 2.0;

const ROUNDS: usize = 4_000;

#[derive(Debug, Clone)]
pub struct Weight {
    pub weight: f64,
    /// What a person set, from which the labels may move it.
    pub set: Option<f64>,
    /// It decides alone, so labels show one side of it only.
    pub held: bool,
    /// 1 for what speaks for a pupil, -1 for what speaks against, 0 for a prior.
    pub side: i8,
}

/// Weights by their words.
#[derive(Debug, Clone)]
pub struct Weights {
    pub all: BTreeMap<String, Weight>,
    /// From here on a pupil is meant, in decibans.
    pub act: f64,
}

impl Weights {
    pub fn read(text: &str) -> Self {
        let file: toml::Table = text.parse().expect("TOML");
        let act = file["threshold"]["act"].as_float().expect("a number with a point");
        let mut all = BTreeMap::new();
        for (section, side) in [("prior", 0), ("for", 1), ("against", -1)] {
            for (word, entry) in file[section].as_table().expect("a table of weights") {
                let number = |name: &str| {
                    let value = entry.get(name)?;
                    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
                };
                let weight = number("weight").expect("a weight");
                let (set, held) = (number("set"), entry.get("held").is_some());
                assert!(side == 0 || held != set.is_some(), "{word} is held, or was set");
                all.insert(word.clone(), Weight { weight, set, held, side });
            }
        }
        Self { all, act }
    }

    /// The same file with these weights.
    pub fn write(&self, text: &str) -> String {
        let line = |line: &str| {
            let Some((word, rest)) = line.split_once(" = { weight = ") else { return line.to_owned() };
            let Some(weight) = self.all.get(word) else { return line.to_owned() };
            let (_, rest) = rest.split_once(',').expect("more than a weight");
            format!("{word} = {{ weight = {:.1},{rest}", weight.weight)
        };
        let lines: Vec<String> = text.lines().map(line).collect();
        lines.join("\n") + "\n"
    }

    /// The weights as a person set them.
    pub fn set(&self) -> Self {
        let set = |weight: &Weight| Weight { weight: weight.set.unwrap_or(weight.weight), ..weight.clone() };
        Self { all: self.all.iter().map(|(word, weight)| (word.clone(), set(weight))).collect(), ..*self }
    }

    /// Without what one word says.
    pub fn without(&self, word: &str) -> Self {
        let mut out = self.clone();
        out.all.get_mut(word).expect("a word").weight = 0.0;
        out
    }

    /// In decibans.
    pub fn sum(&self, words: &[&str]) -> f64 {
        words.iter().map(|word| self.all[*word].weight).sum()
    }

    /// Whether evidence is weighed for a name, because nothing was seen of it that decides alone.
    pub fn weighs(&self, words: &[&str]) -> bool {
        words.iter().all(|word| !self.all[*word].held)
    }

    /// Fitted to all schools but one.
    pub fn fit(&self, spans: &Spans, left_out: &str, spread: f64) -> Self {
        let words: Vec<&str> =
            self.all.iter().filter(|(_, w)| w.set.is_some()).map(|(word, _)| word.as_str()).collect();
        let place: BTreeMap<&str, usize> = words.iter().enumerate().map(|(at, word)| (*word, at)).collect();
        // What is not fitted, the places of what is, and how often a pupil was meant.
        let mut rows: Vec<(f64, Vec<usize>, Count)> = Vec::new();
        for (school, seen) in spans.iter().filter(|(school, _)| *school != left_out) {
            let mine = || seen.iter().filter(|(words, _)| self.weighs(words));
            let all: f64 = mine().map(|(_, count)| count.all()).sum();
            let share = if school.starts_with("made up") { (MADE_UP / all).min(1.0) } else { 1.0 };
            rows.extend(mine().map(|(words, count)| {
                let places: Vec<usize> = words.iter().filter_map(|word| place.get(word).copied()).collect();
                let apart: f64 =
                    words.iter().filter(|word| !place.contains_key(*word)).map(|word| self.all[*word].weight).sum();
                (apart / DECIBANS, places, Count { meant: count.meant * share, other: count.other * share * NEEDLESS })
            }));
        }
        let set: Vec<f64> = words.iter().map(|word| self.all[*word].set.expect("fitted") / DECIBANS).collect();
        let side: Vec<i8> = words.iter().map(|word| self.all[*word].side).collect();
        let spread = spread / DECIBANS;
        let mut weights = set.clone();
        // The curvature is at most a quarter of what each weight is seen with, so a step of its own for each converges.
        let mut curvature = vec![1.0 / (spread * spread); words.len()];
        for (_, places, count) in &rows {
            for &at in places {
                curvature[at] += count.all() * places.len() as f64 / 4.0;
            }
        }
        for _ in 0..ROUNDS {
            let mut slope: Vec<f64> =
                weights.iter().zip(&set).map(|(weight, set)| (weight - set) / (spread * spread)).collect();
            for (apart, places, count) in &rows {
                let sum: f64 = apart + places.iter().map(|&at| weights[at]).sum::<f64>();
                let likely = 1.0 / (1.0 + (-sum).exp());
                let error = count.all() * likely - count.meant;
                places.iter().for_each(|&at| slope[at] += error);
            }
            for at in 0..weights.len() {
                weights[at] -= slope[at] / curvature[at];
                weights[at] = match side[at] {
                    1 => weights[at].max(0.0),
                    _ => weights[at].min(0.0),
                };
            }
        }
        let mut out = self.clone();
        for (word, weight) in words.iter().zip(weights) {
            out.all.get_mut(*word).expect("a word").weight = (weight * DECIBANS * 10.0).round() / 10.0 + 0.0;
        }
        out
    }
}

/// What weights make of names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    pub names: f64,
    /// A pupil is meant and not seen.
    pub missed: f64,
    /// Somebody or something else is meant, and a pupil is seen.
    pub mistaken: f64,
    /// Mean of the negative logarithm of how likely what is so was said to be.
    pub loss: f64,
}

/// How a part of names that is weighed comes out.
pub fn figures(weights: &Weights, seen: &Seen) -> Figures {
    let mut out = Figures::default();
    for (words, count) in seen.iter().filter(|(words, _)| weights.weighs(words)) {
        let sum = weights.sum(words);
        out.names += count.all();
        if sum < weights.act {
            out.missed += count.meant;
        } else {
            out.mistaken += count.other;
        }
        let likely = (1.0 / (1.0 + (-sum / DECIBANS).exp())).clamp(1e-9, 1.0 - 1e-9);
        out.loss -= count.meant * likely.ln() + count.other * (1.0 - likely).ln();
    }
    out.loss /= out.names.max(1.0);
    out
}

/// How likely a sum says that a pupil is meant.
pub fn likelihood(decibans: f64) -> f64 {
    1.0 / (1.0 + (-decibans / DECIBANS).exp())
}
