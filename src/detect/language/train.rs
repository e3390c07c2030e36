//! Trains the model of offensive language, the same for the same lines and seed, and tells what it is worth.

use std::path::PathBuf;

use hashbrown::HashMap;
use rayon::prelude::*;

use super::classes;
use super::heard::{Head, Heard, Reading, Weight, WordWeights};
use crate::detect::meaning::assess::fold;
use crate::detect::meaning::data::{DataError, Example, read_known};
use crate::detect::meaning::linear::{Linear, both};
use crate::detect::meaning::train::{Dice, fit};
use crate::detect::meaning::{NONE, sense};
use crate::limits;
use crate::text::normalise::token_hash;

/// Lines of `language/*.tsv`, and of other files as what offends nobody.
///
/// # Errors
/// As of lines of meaning.
pub fn read(files: &[PathBuf]) -> Result<Vec<Example>, DataError> {
    let (own, other): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|file| {
        file.parent().is_some_and(|folder| folder.file_name().is_some_and(|name| name == "language"))
    });
    let mut lines = read_known(&own, |kind| classes().any(|class| class == kind))?;
    let peaceful = |line: Example| Example { category: NONE.to_owned(), ..line };
    lines.extend(crate::detect::meaning::data::read(&other)?.into_iter().map(peaceful));
    Ok(lines)
}

/// A line's words as both halves see them.
pub fn words(example: &Example) -> Vec<String> {
    example.unnamed().words()
}

/// A line as both halves see it.
struct Seen<'e> {
    example: &'e Example,
    words: Vec<String>,
    sense: Vec<f32>,
    class: usize,
}

fn seen(examples: &[Example]) -> Vec<Seen<'_>> {
    let place = |example: &Example| classes().position(|class| class == example.category).unwrap_or_default();
    let see = |example| {
        let words = words(example);
        let sense = sense(&refs(&words)).unwrap_or_default();
        Seen { example, words, sense, class: place(example) }
    };
    examples.par_iter().map(see).collect()
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The file of a model of these lines.
pub fn train(examples: &[Example]) -> Vec<u8> {
    let all = seen(examples);
    let all: Vec<&Seen<'_>> = all.iter().collect();
    let (quick, head) = halves(&all);
    Heard::write(&weights(&all), &quick, &head)
}

fn halves(lines: &[&Seen<'_>]) -> (Linear, Head) {
    let unnamed: Vec<Example> = lines.iter().map(|line| line.example.unnamed()).collect();
    (fit(&unnamed, &classes().collect::<Vec<_>>()), head(lines))
}

/// Words, in order, and ten times the logarithm of how much more often each stands in offensive lines.
fn weights(lines: &[&Seen<'_>]) -> Vec<(String, i8)> {
    let mut counts: HashMap<&str, [f32; 2]> = HashMap::new();
    let mut all = [0f32; 2];
    for line in lines {
        let mut once: Vec<&str> = line.words.iter().map(String::as_str).collect();
        once.sort_unstable();
        once.dedup();
        let offends = usize::from(line.class > 0);
        all[offends] += 1.0;
        once.into_iter().for_each(|word| counts.entry(word).or_default()[offends] += 1.0);
    }
    let weight = |[calm, offends]: &[f32; 2]| {
        let often = ((offends + 0.5) / (all[1] + 1.0)) / ((calm + 0.5) / (all[0] + 1.0));
        // Within the bounds of the type: no corpus has e to the twelfth lines.
        (often.ln() * 10.0).round() as i8
    };
    let known =
        |(word, [calm, offends]): &(&&str, &[f32; 2])| word.starts_with(char::is_alphabetic) && calm + offends >= 2.0;
    let mut out: Vec<(String, i8)> = counts
        .iter()
        .filter(known)
        .map(|(word, count)| ((*word).to_owned(), weight(count)))
        .filter(|(_, weight)| weight.abs() >= 3)
        .collect();
    out.sort_unstable();
    out
}

/// Multinomial logistic regression over senses by AdaGrad.
fn head(lines: &[&Seen<'_>]) -> Head {
    let width = lines.first().map_or(0, |line| line.sense.len());
    let many = classes().count();
    let mut dice = Dice::new(limits::MEANING_SEED);
    let mut head = Head { rows: vec![(0f32, vec![0f32; width]); many] };
    let mut past = vec![(1e-6f32, vec![1e-6f32; width]); many];
    let mut order: Vec<&Seen<'_>> = lines.to_vec();
    let step = |weight: &mut f32, past: &mut f32, slope: f32| {
        *past += slope * slope;
        *weight -= limits::LANGUAGE_STEP * slope / past.sqrt();
    };
    for _ in 0..limits::LANGUAGE_ROUNDS {
        for at in (1..order.len()).rev() {
            order.swap(at, dice.below(at + 1));
        }
        for line in &order {
            let likely = head.likely(&line.sense);
            for (class, ((bias, weights), (bias_past, pasts))) in head.rows.iter_mut().zip(&mut past).enumerate() {
                let slope = likely[class] - f32::from(u8::from(class == line.class));
                step(bias, bias_past, slope);
                for ((weight, past), number) in weights.iter_mut().zip(pasts).zip(&line.sense) {
                    step(weight, past, slope * number + limits::LANGUAGE_DECAY * *weight);
                }
            }
        }
    }
    head
}

/// A line, and how likely models that never saw its group say that it offends: quick half, encoder, both.
#[derive(Debug)]
pub struct Judged {
    /// The line.
    pub text: String,
    /// Its kind.
    pub kind: String,
    /// Of `language/`, or of lines of something else.
    pub own: bool,
    /// Its words are such that it is read.
    suspected: Option<Weight>,
    /// By the quick half.
    pub quick: f32,
    /// By the encoder.
    pub slow: f32,
    /// By both.
    pub both: f32,
}

impl Judged {
    /// Its words are such as offensive lines are made of.
    pub fn suspected(&self) -> bool {
        self.suspected.is_some()
    }

    /// By the quick half.
    pub fn quick(&self) -> f32 {
        self.quick
    }

    /// By the encoder.
    pub fn slow(&self) -> f32 {
        self.slow
    }

    /// As a message is read: the encoder is asked where the quick half does not rule it out.
    pub fn both(&self) -> f32 {
        if self.suspected.is_some_and(|weight| !weight.rules_out(self.quick)) { self.both } else { 0.0 }
    }
}

/// Judges all lines, by as many models as there are folds.
pub fn assess(examples: &[Example]) -> Vec<Judged> {
    let all = seen(examples);
    let one = |left_out: usize| -> Vec<Judged> {
        let (unseen, known): (Vec<&Seen<'_>>, Vec<&Seen<'_>>) =
            all.iter().partition(|line| fold(line.example) == left_out);
        let (quick, head) = halves(&known);
        let told = WordWeights::new(weights(&known).iter().map(|(word, weight)| (token_hash(word), *weight)));
        let judge = |line: &Seen<'_>| {
            let fast = quick.likely(&refs(&line.words));
            let slow = head.likely(&line.sense);
            Judged {
                text: line.example.text.clone(),
                kind: line.example.category.clone(),
                own: line.example.group.starts_with("ev-"),
                suspected: told.suspect(line.words.iter().map(|word| token_hash(word))),
                quick: Reading::of(&fast).offends,
                slow: Reading::of(&slow).offends,
                both: Reading::of(&both(&fast, &slow, limits::LANGUAGE_QUICK_SHARE)).offends,
            }
        };
        unseen.into_iter().map(judge).collect()
    };
    (0..limits::MEANING_FOLDS).into_par_iter().flat_map_iter(one).collect()
}
