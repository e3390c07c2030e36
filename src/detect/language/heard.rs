//! Offensive language in words that are on no list: a small model (`rules/language.bin`), trained by `schoolgate language train` from the
//! labelled lines in `language/`, as `detect::meaning` is for what is said of pupils.
//!
//! Words that stand in offensive lines much more often than elsewhere are marked. A sentence that holds one, and whose words together are
//! more often found there, is read by a linear model over pieces of words, and where that does not rule it out, by the encoder with a head of
//! its own. What both say together decides.

use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::detect::attributes::of_a_role;
use crate::detect::marks::Marks;
use crate::detect::meaning::features::words;
use crate::detect::meaning::file::Rest;
use crate::detect::meaning::linear::{Linear, both, sha256, softmax};
use crate::detect::meaning::model::ModelError;
use crate::detect::meaning::{encoder_hash, sense};
use crate::detect::scene::{Line, Scene};
use crate::limits;
use crate::text::Kind;
use crate::text::normalise::token_hash;

/// Begins the file; the last two digits are the version of its shape.
const MAGIC: &[u8] = b"schoolgate language 01\n";
const EMBEDDED: &[u8] = include_bytes!("../../../rules/language.bin");
const HASH: &str = include_str!("../../../rules/language.sha256");

static HEARD: LazyLock<Option<Heard>> = LazyLock::new(|| Heard::read(EMBEDDED, HASH).ok());

/// The model as it stands in its file.
#[derive(Debug)]
pub(super) struct Heard {
    weights: WordWeights,
    quick: Linear,
    head: Head,
}

/// How much more often each word stands in offensive lines than in others, by its hash: ten times the natural logarithm.
#[derive(Debug, Default)]
pub(super) struct WordWeights(HashMap<u64, i8>);

impl WordWeights {
    pub fn new(words: impl Iterator<Item = (u64, i8)>) -> Self {
        Self(words.collect())
    }

    fn of(&self, word: u64) -> i8 {
        self.0.get(&word).copied().unwrap_or_default()
    }

    /// A word without which no sentence is read.
    fn heats(weight: i8) -> bool {
        f32::from(weight) >= limits::LANGUAGE_HEATED * 10.0
    }

    /// What the words of a sentence, by their hashes, weigh together, where they are such as offensive lines are made of.
    pub fn suspect(&self, words: impl Iterator<Item = u64>) -> Option<Weight> {
        let (mut sum, mut heated) = (0, false);
        for word in words {
            let weight = self.of(word);
            heated |= Self::heats(weight);
            sum += i32::from(weight).clamp(-limits::LANGUAGE_LEAST_WORD, limits::LANGUAGE_MOST_WORD);
        }
        (heated && sum >= limits::LANGUAGE_SUSPECTED).then_some(Weight(sum))
    }
}

/// What suspected words weigh together, in tenths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight(i32);

impl Weight {
    /// The quick half finds so little that no encoder is asked; of words that weigh much it must find less.
    pub fn rules_out(self, quick: f32) -> bool {
        let heavy = self.0 >= limits::LANGUAGE_HEAVY;
        quick < if heavy { limits::LANGUAGE_RULED_OUT_HEAVY } else { limits::LANGUAGE_RULED_OUT }
    }
}

/// What the encoder's sense of a sentence says of each class.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// For each class a bias, and as many weights as a sense has numbers.
    pub rows: Vec<(f32, Vec<f32>)>,
}

impl Head {
    /// How likely each class is.
    pub fn likely(&self, sense: &[f32]) -> Vec<f32> {
        let row = |(bias, weights): &(f32, Vec<f32>)| {
            bias + weights.iter().zip(sense).map(|(weight, number)| weight * number).sum::<f32>()
        };
        softmax(&self.rows.iter().map(row).collect::<Vec<f32>>())
    }
}

/// What stands in a sentence, and how likely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// That it is meant to hurt.
    pub offends: f32,
    /// Place of the likeliest class.
    pub class: usize,
}

impl Reading {
    pub fn of(likely: &[f32]) -> Self {
        let best =
            |best: (usize, f32), (at, likely): (usize, &f32)| if *likely > best.1 { (at, *likely) } else { best };
        let (class, _) = likely.iter().enumerate().skip(1).fold((0, 0.0), best);
        Self { offends: 1.0 - likely.first().copied().unwrap_or(1.0), class }
    }
}

impl Heard {
    /// Reads a file, whose SHA-256 must be the first word of `hash`.
    ///
    /// # Errors
    /// [`ModelError::Hash`] where it was changed, [`ModelError::Shape`] where it is cut or of another version, [`ModelError::Classes`] where it was
    /// trained on another encoder, or tells other kinds apart than the program.
    pub(super) fn read(bytes: &[u8], hash: &str) -> Result<Self, ModelError> {
        let own = sha256(bytes);
        if hash.split_whitespace().next() != Some(own.as_str()) {
            return Err(ModelError::Hash(own));
        }
        let mut rest = Rest::new(bytes, MAGIC)?;
        let [of_hash, of_words, of_quick, classes, width] = [(); 5].map(|()| rest.number());
        if rest.text(of_hash?)? != encoder_hash() {
            return Err(ModelError::Classes);
        }
        let line = |line: &str| {
            let (word, weight) = line.split_once('\t')?;
            Some((token_hash(word), weight.parse().ok()?))
        };
        let words: Option<HashMap<u64, i8>> = rest.text(of_words?)?.split('\n').map(line).collect();
        let weights = WordWeights(words.ok_or(ModelError::Shape)?);
        let quick = Linear::read_unchecked(rest.take(of_quick?)?)?;
        if !quick.classes.iter().map(String::as_str).eq(super::classes()) {
            return Err(ModelError::Classes);
        }
        let width = width?;
        let row = |_| Ok((rest.floats(1)?[0], rest.floats(width)?));
        let head = Head { rows: (0..classes?).map(row).collect::<Result<_, ModelError>>()? };
        rest.end()?;
        if head.rows.len() == quick.classes.len() { Ok(Self { weights, quick, head }) } else { Err(ModelError::Shape) }
    }

    /// The file.
    pub(super) fn write(weights: &[(String, i8)], quick: &Linear, head: &Head) -> Vec<u8> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        let words: Vec<String> = weights.iter().map(|(word, weight)| format!("{word}\t{weight}")).collect();
        let (words, quick) = (words.join("\n"), quick.write());
        let width = head.rows.first().map_or(0, |row| row.1.len());
        let mut out = MAGIC.to_vec();
        let counts = [encoder_hash().len(), words.len(), quick.len(), head.rows.len(), width];
        out.extend(counts.into_iter().flat_map(count));
        out.extend(encoder_hash().as_bytes());
        out.extend(words.as_bytes());
        out.extend(quick);
        for (bias, weights) in &head.rows {
            out.extend([bias].into_iter().chain(weights).flat_map(|number| number.to_le_bytes()));
        }
        out
    }

    /// What the words say; the encoder is asked where the quick half does not rule it out and `closely` allows it.
    fn reading(&self, words: &[&str], weight: Weight, closely: impl FnOnce() -> bool) -> Option<Reading> {
        let quick = self.quick.likely(words);
        if weight.rules_out(Reading::of(&quick).offends) || !closely() {
            return None;
        }
        Some(Reading::of(&both(&quick, &self.head.likely(&sense(words)?), limits::LANGUAGE_QUICK_SHARE)))
    }
}

/// The model built into the program is whole and fits the program.
pub(super) fn check() -> Result<(), ModelError> {
    Heard::read(EMBEDDED, HASH).map(drop)
}

/// Words one of which stands in each sentence that is read.
pub(super) fn heated() -> impl Iterator<Item = u64> {
    let heats = |(word, weight): (&u64, &i8)| WordWeights::heats(*weight).then_some(*word);
    HEARD.iter().flat_map(move |heard| heard.weights.0.iter().filter_map(heats))
}

/// Sentences of what the writer wrote (the subject and the text itself, neither what is quoted nor what is attached) that are meant to hurt:
/// line, first token and one past the last, and kind.
pub(super) fn find(scene: &Scene<'_>) -> Vec<(usize, usize, usize, &'static str)> {
    let mut out = Vec::new();
    let Some(heard) = HEARD.as_ref() else { return out };
    let mut asked = 0;
    // By their words: most messages say the same as text and as a page.
    let mut read: HashMap<Vec<&str>, Option<Reading>> = HashMap::new();
    // Of sentences none of which is enough alone, how likely it is that none is meant to hurt, and the strongest.
    let (mut none, mut nearly) = (1.0, Vec::new());
    for (at, line) in scene.lines().filter(|(_, line)| line.all_marks.has(Marks::HEATED) && line.cell().is_none()) {
        if !matches!(scene.kind(at), Kind::Body | Kind::Subject) || line.footer {
            continue;
        }
        for (from, to) in sentences(line) {
            if !line.marks[from..to].iter().any(|marks| marks.has(Marks::HEATED)) {
                continue;
            }
            let hashes = line.text.tokens[from..to].iter().map(|token| line.text.hash(token));
            let Some(weight) = heard.weights.suspect(hashes) else { continue };
            let words = words(&line.text, from, to, true, |_| false);
            if words.len() < limits::LANGUAGE_FEWEST_WORDS {
                continue;
            }
            let reading = *read.entry(words).or_insert_with_key(|words| {
                let closely = || {
                    asked += 1;
                    asked <= limits::LANGUAGE_READ_CLOSELY
                };
                heard.reading(words, weight, closely)
            });
            let Some(reading) = reading else { continue };
            if reading.offends < limits::LANGUAGE_NEARLY || of_a_role(line, from) {
                continue;
            }
            let found = (at, from, to, super::kind(reading.class));
            if reading.offends >= limits::LANGUAGE_THRESHOLD {
                out.push(found);
            }
            none *= 1.0 - reading.offends;
            nearly.push((reading.offends, found));
        }
    }
    if out.is_empty() && nearly.len() > 1 && 1.0 - none >= limits::LANGUAGE_TOGETHER {
        let strongest = nearly.into_iter().max_by(|one, other| one.0.total_cmp(&other.0));
        out.extend(strongest.map(|(_, found)| found));
    }
    out
}

/// The sentences of a line, a short one together with the next: `You. Are. Useless.`
fn sentences(line: &Line<'_>) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for at in 0..line.text.tokens.len() {
        match out.last_mut() {
            Some((from, to))
                if line.sentence[at] == line.sentence[*to - 1] || *to - *from < limits::LANGUAGE_FEWEST_WORDS =>
            {
                *to = at + 1;
            }
            _ => out.push((at, at + 1)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_model_is_the_one_trained_on_this_encoder() {
        check().unwrap();
        let mut changed = EMBEDDED.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        assert!(matches!(Heard::read(&changed, HASH), Err(ModelError::Hash(_))));
        for cut in [10, 30, 2_000, EMBEDDED.len() - 1] {
            let cut = &EMBEDDED[..cut];
            assert!(matches!(Heard::read(cut, &sha256(cut)), Err(ModelError::Shape)), "{}", cut.len());
        }
        // Its hash stands behind five counts; of another encoder, the head would tell nothing.
        let mut another = EMBEDDED.to_vec();
        another[MAGIC.len() + 20] = b'x';
        assert!(matches!(Heard::read(&another, &sha256(&another)), Err(ModelError::Classes)));
    }
}
