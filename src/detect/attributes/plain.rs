//! What is said in plain words that are on no list, of pupils of whom nothing else is said.
//!
//! Read are the sentence that names the pupil, those after it that go on by pronoun, the cells of the pupil's row with their
//! headings, and short documents about one pupil. It only ever raises a mention.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::{About, Context, DENIALS, general, is};
use crate::detect::meaning::features::{spoken, words};
use crate::detect::meaning::{MODEL, Model, Reading};
use crate::detect::scene::Scene;
use crate::detect::vocabulary::VOCABULARY;
use crate::detect::words::{COUNTS, GOES_ON};
use crate::detect::{Confidence, Finding, Tier};
use crate::limits;
use crate::people::PupilIndex;
use crate::text::Kind;

/// A sentence or a cell, and whom it is about.
struct Passage<'t> {
    line: usize,
    /// Its tokens.
    from: usize,
    to: usize,
    words: Vec<&'t str>,
    pupils: Vec<PupilIndex>,
}

/// Raises the pupils of whom plain words say something.
pub(super) fn raise(
    scene: &Scene<'_>,
    context: &Context,
    about: &mut BTreeMap<PupilIndex, About>,
    findings: &mut Vec<Finding>,
) {
    let mentions = |(_, about): &(&PupilIndex, &About)| about.tier.is_none_or(|tier| tier == Tier::Mention);
    let mentioned: BTreeSet<PupilIndex> = about.iter().filter(mentions).map(|(pupil, _)| *pupil).collect();
    if mentioned.is_empty() {
        return;
    }
    let Some(model) = MODEL.as_ref() else { return };
    // The cells of a column say the same over and over.
    let mut read: HashMap<Vec<&str>, Option<(Tier, &'static str)>> = HashMap::new();
    for passage in passages(scene, context, &mentioned) {
        let known = read.get(passage.words.as_slice()).copied();
        let understood = known.unwrap_or_else(|| {
            let understood = meaning(model, &model.read_words(&passage.words));
            read.insert(passage.words.clone(), understood);
            understood
        });
        let Some((tier, category)) = understood else { continue };
        for &pupil in &passage.pupils {
            let entry = about.entry(pupil).or_default();
            entry.tier = entry.tier.max(Some(tier));
            if entry.categories.insert(category.to_owned()) {
                findings.push(Finding {
                    kind: category,
                    text: scene.lines[passage.line].text.slice(passage.from, passage.to).to_owned(),
                    place: scene.place(passage.line).to_owned(),
                    detail: scene.detail(passage.line),
                    confidence: Confidence::Medium,
                    pupil: Some(pupil),
                    because: format!(
                        "read as said of the pupil, most of all by: {}",
                        model.because(&passage.words, limits::MEANING_REASONS).join(", ")
                    ),
                });
            }
        }
    }
}

/// The tier and category that a reading is enough for.
fn meaning(model: &Model, reading: &Reading) -> Option<(Tier, &'static str)> {
    let tier = reading.tier(limits::MEANING_THRESHOLD)?;
    let class = if tier == Tier::Sensitive { reading.sensitive_class } else { reading.record_class };
    let category = VOCABULARY.id(model.classes.get(class)?)?;
    Some((tier, VOCABULARY.categories[category].id))
}

/// All that is to be read, in order.
fn passages<'t>(scene: &Scene<'t>, context: &Context, mentioned: &BTreeSet<PupilIndex>) -> Vec<Passage<'t>> {
    let mut out = Vec::new();
    let of_these = |pupils: &[PupilIndex]| -> Vec<PupilIndex> {
        let mut of: Vec<PupilIndex> = pupils.iter().copied().filter(|pupil| mentioned.contains(pupil)).collect();
        of.sort_unstable();
        of.dedup();
        of
    };
    for (at, line) in scene.lines().filter(|(_, line)| !line.footer) {
        if scene.kind(at) == Kind::FileName {
            continue;
        }
        let named = context.by_line.get(&at);
        if let (Some((row, _)), None) = (line.cell, named) {
            let pupils = context.by_row.get(&(line.document, line.block, row));
            let pupils = of_these(pupils.map_or(&[], Vec::as_slice));
            if !pupils.is_empty() {
                out.extend(cell(scene, at, pupils));
            }
            continue;
        }
        let alone = || alone(scene, context, at).map_or(Vec::new(), |pupil| of_these(&[pupil]));
        let mut whom = if named.is_some() { Vec::new() } else { alone() };
        if named.is_none() && whom.is_empty() {
            continue;
        }
        let mut from = 0;
        while from < line.text.tokens.len() {
            let sentence = line.sentence[from];
            let to = from + line.sentence[from..].iter().take_while(|&&other| other == sentence).count();
            let here: Vec<PupilIndex> = named
                .into_iter()
                .flatten()
                .filter(|(_, other, _)| *other == sentence)
                .flat_map(|(.., pupils)| pupils.iter().copied())
                .collect();
            let goes_on = is(GOES_ON, line.text.word(from));
            if !here.is_empty() {
                whom = of_these(&here);
            }
            if !whom.is_empty() && (!here.is_empty() || goes_on) && !general(&line.text, line.sentence, sentence) {
                let words = words(&line.text, from, to, true, |token| context.names.contains(&(at, token)));
                if spoken(&words) >= limits::MEANING_FEWEST_WORDS {
                    out.push(Passage { line: at, from, to, words, pupils: whom.clone() });
                }
            }
            from = to;
        }
    }
    out
}

/// The only pupil of a short document, or of the message for a document that names nobody.
fn alone(scene: &Scene<'_>, context: &Context, at: usize) -> Option<PupilIndex> {
    let document = scene.lines[at].document;
    let short = context.lengths.get(&document).is_some_and(|length| *length <= limits::SHORT_DOCUMENT);
    let pupils = context.by_document.get(&document).unwrap_or(&context.identified);
    pupils.first().copied().filter(|_| short && pupils.len() == 1)
}

/// A cell of a pupil's row under its heading.
fn cell<'t>(scene: &Scene<'t>, at: usize, pupils: Vec<PupilIndex>) -> Option<Passage<'t>> {
    let line = &scene.lines[at];
    let value = line.text.folded().trim();
    if value.is_empty() || value == "-" || is(DENIALS, &value.to_lowercase()) {
        return None;
    }
    let to = line.text.tokens.len();
    let heading = scene.column_heading(at).map(|heading| scene.lines[heading].text);
    if heading.is_some_and(|heading| is(COUNTS, &heading.folded().trim().to_lowercase())) {
        return None;
    }
    let nobody = |_: usize| false;
    let mut all = heading.map_or(Vec::new(), |text| words(&text, 0, text.tokens.len(), false, nobody));
    let beside = words(&line.text, 0, to, heading.is_none(), nobody);
    let enough = heading.is_some() || spoken(&beside) >= limits::MEANING_FEWEST_WORDS;
    all.extend(beside);
    enough.then_some(Passage { line: at, from: 0, to, words: all, pupils })
}

#[cfg(test)]
mod tests;
