//! What is said in plain words that are on no list, of pupils of whom nothing else is said.
//!
//! Read are the sentence that names the pupil, those after it that go on by pronoun, the cells of the pupil's row with their
//! headings, and short documents about one pupil. It only ever raises a mention.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use super::fiction::Fiction;
use super::{About, Context, DENIALS, Said, general, is};
use crate::detect::meaning::features::{OTHER, spoken, words};
use crate::detect::meaning::{MODEL, Model, Reader, Reading};
use crate::detect::scene::{Line, Scene};
use crate::detect::vocabulary::{Predicate, VOCABULARY};
use crate::detect::words::{COUNTS, GOES_ON, OF_ONE_PERSON, PRONOUNS, SUBJECT_LEFT_OUT};
use crate::detect::{Confidence, Finding, Listed, Tier};
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
    /// The sentence names the pupil, or speaks of one person.
    of_one: bool,
    /// A sentence: the cells of a column say the same over and over, which makes nothing likelier.
    prose: bool,
    pupils: Vec<PupilIndex>,
}

/// Categories that are known by their form, which other detectors read: in a cell any date looks like a date of birth here, and below a name
/// any number like an identifier.
const BY_FORM: &[&str] = &["address", "contact", "date-of-birth", "identifier"];

/// What words on a list have settled already, so that the model is not believed about it.
pub(super) struct Settled {
    /// What is told in a work.
    pub fiction: Fiction,
    /// Lines and categories of which another thing was found to be meant.
    pub elsewhere: Vec<(usize, usize)>,
    /// Lines and sentences that deny what they name: `has no allergies`.
    pub denied: HashSet<(usize, u32)>,
}

impl Settled {
    /// In this line, what would be of the category means another thing, or is told of nobody.
    fn otherwise(&self, scene: &Scene<'_>, context: &Context<'_>, line: usize, category: &str) -> bool {
        self.elsewhere.iter().any(|of| Some(*of) == VOCABULARY.id(category).map(|id| (line, id)))
            || self.fiction.in_a_work(scene, context, line, category)
    }
}

/// What several sentences say of a pupil, none of which is enough alone.
#[derive(Default)]
struct Together {
    sentences: usize,
    /// How likely it is that none of them says anything.
    none: f32,
    /// The sentence that says the most, and what is made of it.
    strongest: Option<(usize, Reading)>,
}

impl Together {
    fn add(&mut self, passage: usize, reading: &Reading) {
        if reading.said < limits::MEANING_HEARD {
            return;
        }
        self.none = if self.sentences == 0 { 1.0 } else { self.none } * (1.0 - reading.said);
        self.sentences += 1;
        if self.strongest.as_ref().is_none_or(|(_, strongest)| reading.said > strongest.said) {
            self.strongest = Some((passage, reading.clone()));
        }
    }

    /// The strongest sentence, read as likely as all together are.
    fn reading(self) -> Option<(usize, Reading)> {
        let enough = self.sentences > 1 && 1.0 - self.none >= limits::MEANING_TOGETHER;
        let (passage, strongest) = self.strongest.filter(|_| enough)?;
        Some((passage, Reading { said: 1.0 - self.none, ..strongest }))
    }
}

/// Raises the pupils of whom plain words say something; about what is `settled` they are not believed.
pub(super) fn raise<'t>(
    scene: &Scene<'t>,
    context: &Context<'_>,
    settled: &Settled,
    reader: &mut Reader<'t>,
    about: &mut HashMap<PupilIndex, About>,
    findings: &mut Vec<Finding>,
    listed: &mut Listed,
) {
    let below = |about: &About| about.tier.is_none_or(|tier| tier < Tier::Sensitive);
    let mentioned: BTreeSet<PupilIndex> =
        about.iter().filter(|(_, about)| below(about)).map(|(pupil, _)| *pupil).collect();
    let recorded = |about: &About| about.tier == Some(Tier::Record);
    let recorded: BTreeSet<PupilIndex> =
        about.iter().filter(|(_, about)| recorded(about)).map(|(pupil, _)| *pupil).collect();
    if mentioned.is_empty() {
        return;
    }
    let Some(model) = MODEL.as_ref() else { return };
    let passages = passages(scene, context, &mentioned, &recorded);
    let mut found =
        |pupil: PupilIndex, passage: &Passage<'_>, reading: &Reading, (tier, category): (Tier, &'static str)| {
            let entry = about.entry(pupil).or_default();
            let doubted = entry.doubtful || entry.tier < Some(Tier::Record);
            entry.doubtful = doubted && reading.is_doubtful();
            entry.tier = entry.tier.max(Some(tier));
            if !entry.categories.insert(category.to_owned())
                || !listed.takes(scene.lines[passage.line].document(), category)
            {
                return;
            }
            findings.push(Finding {
                kind: category,
                text: scene.lines[passage.line].text.slice(passage.from, passage.to).to_owned(),
                place: scene.place(passage.line).to_owned(),
                detail: scene.detail(passage.line),
                confidence: Confidence::Medium,
                pupil: Some(pupil),
                because: format!(
                    "read as said of the pupil, most of all by: {}",
                    model.linear.because(&passage.words, limits::MEANING_REASONS).join(", ")
                ),
                at: Some((passage.line, scene.lines[passage.line].text.span_of(passage.from, passage.to))),
                excerpt: None,
            });
        };
    let mut together: BTreeMap<PupilIndex, Together> = BTreeMap::new();
    let mut raised: BTreeSet<PupilIndex> = BTreeSet::new();
    for (at, passage) in passages.iter().enumerate() {
        // Of whom a record is found already, only something sensitive says more.
        let known = passage.pupils.iter().all(|pupil| recorded.contains(pupil));
        let closely = |quick: &Reading| passage.prose && (!known || quick.sensitive >= limits::MEANING_FURTHER_ASKED);
        let reading = reader.read(model, &passage.words, closely);
        let understood = understood(model, &reading).filter(|(_, category)| {
            (passage.of_one || !is(BY_FORM, category)) && !settled.otherwise(scene, context, passage.line, category)
        });
        // Whoever is more than mentioned already is raised by a plain sentence alone.
        let clear = reading.said >= limits::MEANING_FURTHER && reading.sensitive >= limits::MEANING_FURTHER_SHARE;
        let sentence = scene.lines[passage.line].sentence.get(passage.from).copied().unwrap_or_default();
        let denied = settled.denied.contains(&(passage.line, sentence));
        let further = |tier: Tier| passage.prose && tier == Tier::Sensitive && clear && !denied;
        for &pupil in &passage.pupils {
            if recorded.contains(&pupil) {
                if let Some(understood) = understood.filter(|(tier, _)| further(*tier)) {
                    found(pupil, passage, &reading, understood);
                }
            } else if let Some(understood) = understood {
                found(pupil, passage, &reading, understood);
                if !reading.is_doubtful() {
                    raised.insert(pupil);
                }
            }
            if passage.prose && !recorded.contains(&pupil) && !raised.contains(&pupil) {
                together.entry(pupil).or_default().add(at, &reading);
            }
        }
    }
    let decided = |pupil: &PupilIndex| raised.contains(pupil) || !context.sure.contains(pupil);
    for (pupil, together) in together.into_iter().filter(|(pupil, _)| !decided(pupil)) {
        if let Some((at, reading)) = together.reading()
            && let Some(understood) = understood(model, &reading)
            && !settled.otherwise(scene, context, passages[at].line, understood.1)
        {
            found(pupil, &passages[at], &reading, understood);
        }
    }
}

/// A phrase of the vocabulary stands in a sentence that, read as a whole, says nothing of anybody: `a talk on diabetes`, `the goat was sick`.
pub(super) fn rules_out<'t>(reader: &mut Reader<'t>, scene: &Scene<'t>, context: &Context<'_>, said: &Said) -> bool {
    let (Some(predicate), Some(model)) = (said.phrase, MODEL.as_ref()) else { return false };
    let line = &scene.lines[said.line];
    let name = |token: usize| context.names.contains(said.line, token);
    let (from, to) = sentence_around(line, said.from);
    let named = (from..to).any(name);
    // Whose a predicate is, its subject tells, and where a pupil is named that is believed.
    if (named && predicate != Predicate::No) || speaks_of_itself(line, from, to) {
        return false;
    }
    let words = words(&line.text, from, to, true, name);
    // Where the quick half hears something already, the phrase stands.
    if spoken(&words) < limits::MEANING_FEWEST_WORDS || reader.quick(model, &words).said >= limits::MEANING_HEARD {
        return false;
    }
    let bound = if named { limits::MEANING_SAYS_NOTHING } else { limits::MEANING_SAYS_NOTHING_BELOW };
    reader.said(model, &words).is_some_and(|said| said < bound)
}

/// `'I was in hospital for a year,' says …`: whoever is named says it of himself, which the encoder never learnt.
fn speaks_of_itself(line: &Line<'_>, from: usize, to: usize) -> bool {
    let any = |words: &[&str]| (from..to).any(|at| words.contains(&line.text.word(at)));
    any(&["i", "im", "ive", "my"]) && any(&["says", "said", "told", "tells", "writes", "wrote"])
}

/// The first token of a token's sentence, and one past the last.
fn sentence_around(line: &Line<'_>, at: usize) -> (usize, usize) {
    let sentence = line.sentence[at];
    let from = at - line.sentence[..at].iter().rev().take_while(|&&other| other == sentence).count();
    let to = at + line.sentence[at..].iter().take_while(|&&other| other == sentence).count();
    (from, to)
}

/// A weak word stands in a sentence that the model reads as saying nothing.
pub(super) fn doubted(line: &Line<'_>, at: usize, name: &dyn Fn(usize) -> bool) -> bool {
    let Some(model) = MODEL.as_ref() else { return false };
    let (from, to) = sentence_around(line, at);
    if !(from..to).any(name) {
        return false;
    }
    let words = words(&line.text, from, to, true, name);
    spoken(&words) >= limits::MEANING_FEWEST_DOUBTED && model.read_words(&words).said < limits::MEANING_DOUBT
}

/// The tier and category that a reading is enough for.
fn understood(model: &Model, reading: &Reading) -> Option<(Tier, &'static str)> {
    let tier = reading.understood()?;
    let category = VOCABULARY.id(model.linear.classes.get(reading.class())?)?;
    Some((tier, VOCABULARY.categories[category].id))
}

/// All that is to be read, in order: sentences about those who are mentioned, and the cells of those of whom nothing is on record.
fn passages<'t>(
    scene: &Scene<'t>,
    context: &Context<'_>,
    mentioned: &BTreeSet<PupilIndex>,
    recorded: &BTreeSet<PupilIndex>,
) -> Vec<Passage<'t>> {
    let mut out = Vec::new();
    let of_these = |pupils: &[PupilIndex]| -> Vec<PupilIndex> {
        let mut of: Vec<PupilIndex> = pupils.iter().copied().filter(|pupil| mentioned.contains(pupil)).collect();
        of.sort_unstable();
        of.dedup();
        of
    };
    // Of the last row that was asked for, whom its cells may say something of.
    let mut of_row: ((usize, usize, usize), Vec<PupilIndex>) = ((usize::MAX, 0, 0), Vec::new());
    for (at, line) in scene.lines().filter(|(_, line)| !line.footer) {
        if scene.kind(at) == Kind::FileName {
            continue;
        }
        let named = context.here(at);
        if let Some((row, _)) = line.cell().filter(|_| named.is_empty()) {
            let row = (line.document(), line.block(), row);
            if of_row.0 != row {
                let mut pupils = of_these(context.row(at));
                // Few words under a heading and a doubtful name are two doubts.
                pupils.retain(|pupil| context.sure.contains(pupil) && !recorded.contains(pupil));
                of_row = (row, pupils);
            }
            if !of_row.1.is_empty() {
                out.extend(cell(scene, at, of_row.1.clone()));
            }
            continue;
        }
        let alone = || alone(scene, context, at).map_or(Vec::new(), |pupil| of_these(&[pupil]));
        let only = alone();
        // Of a report under its pupil's name, every sentence is about that pupil.
        let nameless = !context.by_document.contains_key(&line.document());
        let mut whom = if named.is_empty() { only.clone() } else { Vec::new() };
        if named.is_empty() && whom.is_empty() {
            continue;
        }
        let mut from = 0;
        while from < line.text.tokens.len() {
            let sentence = line.sentence[from];
            let to = from + line.sentence[from..].iter().take_while(|&&other| other == sentence).count();
            let here: Vec<PupilIndex> = named
                .iter()
                .filter(|named| named.sentence == sentence)
                .flat_map(|named| named.pupils)
                .copied()
                .collect();
            let of_one = |token: usize| is(OF_ONE_PERSON, line.text.word(token));
            // Below the name in its own paragraph, whatever is said is said of the only pupil.
            let first = line.text.word(from);
            let goes_on = (!named.is_empty() && !whom.is_empty() && whom == only)
                || is(GOES_ON, first)
                || ((!named.is_empty() || nameless) && (from..to).any(of_one))
                || (nameless && is(SUBJECT_LEFT_OUT, first));
            if !here.is_empty() {
                whom = of_these(&here);
            } else if context.introduces(line, at, from) {
                whom.clear();
            }
            let own = here.is_empty() && of_the_writer(line, from, to);
            if !whom.is_empty() && (!here.is_empty() || goes_on) && !own && !general(line, sentence) {
                let words = words(&line.text, from, to, true, |token| context.names.contains(at, token));
                // `Kirsty struggled but got there` goes on about Kirsty.
                let of_another =
                    here.is_empty() && words.contains(&OTHER) && !is(GOES_ON, first) && !(from..to).any(of_one);
                if spoken(&words) >= limits::MEANING_FEWEST_WORDS && !of_another {
                    let of_one = !here.is_empty() || (from..to).any(of_one);
                    out.push(Passage { line: at, from, to, words, of_one, prose: true, pupils: whom.clone() });
                }
            }
            from = to;
        }
    }
    out
}

/// `I'm the one who is stung`: the writer speaks of nobody else.
fn of_the_writer(line: &Line<'_>, from: usize, to: usize) -> bool {
    let word = |at: usize| line.text.word(at);
    let states = |at: usize| word(at) == "im" || (word(at) == "i" && matches!(word(at + 1), "am" | "was" | "have"));
    (from..to).any(states) && !(from..to).any(|at| is(OF_ONE_PERSON, word(at)) || is(PRONOUNS, word(at)))
}

/// The only pupil of a short document; for one that names nobody, that of its file's name, of the subject line or of the message.
fn alone(scene: &Scene<'_>, context: &Context<'_>, at: usize) -> Option<PupilIndex> {
    let document = scene.lines[at].document();
    let short = context.lengths.get(&document).is_some_and(|length| *length <= limits::SHORT_DOCUMENT);
    let of_file = || context.files.get(scene.place(at)).filter(|_| scene.kind(at) == Kind::Attachment);
    let of_subject = || Some(&context.subject).filter(|pupils| !pupils.is_empty());
    let only = match context.by_document.get(&document) {
        Some(pupils) => pupils.first().filter(|_| pupils.len() == 1),
        None => {
            let pupils = of_file().or_else(of_subject).unwrap_or(&context.identified);
            pupils.first().filter(|_| pupils.len() == 1)
        }
    };
    only.copied().filter(|_| short)
}

/// A cell of a pupil's row under its heading.
fn cell<'t>(scene: &Scene<'t>, at: usize, pupils: Vec<PupilIndex>) -> Option<Passage<'t>> {
    let line = &scene.lines[at];
    let value = line.text.folded().trim();
    if value.is_empty() || value == "-" || is(DENIALS, &value.to_lowercase()) || time_of_day(value) {
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
    enough.then_some(Passage { line: at, from: 0, to, words: all, of_one: false, prose: heading.is_none(), pupils })
}

/// `9.10`, `14:35`: when a lesson is, and nothing of whoever has it.
fn time_of_day(value: &str) -> bool {
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((hour, minute)) = value.split_once(['.', ':']) else { return false };
    let hour = Some(hour).filter(|hour| hour.len() <= 2).and_then(|hour| hour.parse::<u8>().ok());
    hour.is_some_and(|hour| limits::SCHOOL_HOURS.contains(&hour))
        && two(minute)
        && minute.parse::<u8>().is_ok_and(|minute| minute < 60 && minute.is_multiple_of(5))
}

#[cfg(test)]
mod tests;
