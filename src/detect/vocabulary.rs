//! What is said of pupils, as data (`rules/vocabulary.toml`): categories of phrases, acronyms and column headings.

use std::sync::LazyLock;

use hashbrown::{HashMap, HashSet};

use super::Tier;
use crate::limits;
use crate::text::normalise::{Case, Gap};
use crate::text::{Run, Text, TextBuf};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    category: Vec<Entry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    tier: Tier,
    basis: String,
    phrases: Vec<String>,
    acronyms: Vec<String>,
    weak: Vec<String>,
    #[serde(default)]
    weak_acronyms: Vec<String>,
    #[serde(default)]
    predicates: Vec<String>,
    #[serde(default)]
    weak_predicates: Vec<String>,
    headings: Vec<String>,
    #[serde(default)]
    codes: std::collections::BTreeMap<String, bool>,
    #[serde(default)]
    pairs: Vec<PairEntry>,
    #[serde(default)]
    sequences: Vec<SequenceEntry>,
    #[serde(default)]
    elsewhere: Vec<ElsewhereEntry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SequenceEntry {
    words: Vec<String>,
    #[serde(default)]
    predicate: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ElsewhereEntry {
    said: Vec<String>,
    beside: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PairEntry {
    one: Vec<String>,
    other: Vec<String>,
}

/// Words that say it together, in either order, where neither does alone.
#[derive(Debug)]
struct Pair {
    category: u16,
    one: HashSet<u64>,
    other: HashSet<u64>,
}

/// Words one behind the other, of a list each: `broke his left wrist`.
#[derive(Debug)]
struct Sequence {
    category: u16,
    predicate: Predicate,
    places: Vec<Place>,
}

/// One place of a sequence.
#[derive(Debug)]
struct Place {
    /// One or two words each.
    words: HashSet<u64>,
    /// Nothing may stand there too.
    optional: bool,
}

/// What a phrase says of its grammatical subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predicate {
    /// Nothing: whoever is spoken of has it.
    No,
    /// What the subject did or what happened to it: `collapsed`.
    Verb,
    /// What the subject is: `(is) away`, with a verb before it.
    State,
}

/// Before a predicate of the file: a verb stands before it.
const STATE: &str = "(is) ";

/// One category.
#[derive(Debug)]
pub struct Category {
    /// `health`, `attainment`, …; also the kind of its findings.
    pub id: &'static str,
    /// What it makes of a pupil who is spoken of.
    pub tier: Tier,
    /// The law or guidance that makes it personal or special.
    pub basis: String,
    /// Column codes: `K` says yes, `N` says no.
    codes: HashMap<String, bool>,
    /// Runs beside which its ambiguous phrases mean something else.
    elsewhere: HashSet<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Phrase {
    category: u16,
    capitals: bool,
    weak: bool,
    predicate: Predicate,
    ambiguous: bool,
}

/// What may begin with a word.
#[derive(Debug, Clone, Copy, Default)]
struct Begins {
    /// Tokens of the longest phrase.
    longest: u8,
    /// It is a phrase by itself.
    alone: bool,
    /// A pair begins with it.
    pair: bool,
    /// A sequence begins with it.
    sequence: bool,
    /// First letters of the second words, as [`letter`] has them: most words that follow end the search at once.
    next: u64,
}

/// The bit of a word's first letter.
fn letter(word: &str) -> u64 {
    word.bytes().next().map_or(0, |byte| 1 << (byte % 64))
}

/// The compiled lists.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// In the order of the file.
    pub categories: Vec<Category>,
    phrases: HashMap<u64, Vec<Phrase>>,
    first: HashMap<u64, Begins>,
    headings: HashMap<u64, u16>,
    pairs: Vec<Pair>,
    sequences: Vec<Sequence>,
}

/// A phrase found.
#[derive(Debug, Clone, Copy)]
pub struct Hit {
    /// Place in [`Vocabulary::categories`].
    pub category: usize,
    /// First token.
    pub from: usize,
    /// One past the last token.
    pub to: usize,
    /// Counts only in the same sentence or row as the pupil.
    pub weak: bool,
    /// What it says of its subject.
    pub predicate: Predicate,
    /// May mean something else, see [`Vocabulary::elsewhere`].
    pub ambiguous: bool,
}

/// Why a vocabulary file is refused.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// Not the shape of `rules/vocabulary.toml`.
    #[error("the vocabulary: {0}")]
    Shape(#[from] toml::de::Error),
    /// A category id stands twice, or a phrase has no word.
    #[error("the vocabulary: category '{0}' stands twice or has an empty phrase")]
    Category(String),
}

/// The file built into the program.
pub(super) const EMBEDDED: &str = include_str!("../../rules/vocabulary.toml");

/// The vocabulary that ships with the program.
pub static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::read(EMBEDDED).unwrap_or_default());

impl Vocabulary {
    /// Compiles and checks a file of the shape of `rules/vocabulary.toml`.
    pub fn read(toml: &str) -> Result<Self, VocabularyError> {
        let file: File = toml::from_str(toml)?;
        let mut out = Self::default();
        for entry in file.category {
            if out.categories.iter().any(|category| category.id == entry.id) {
                return Err(VocabularyError::Category(entry.id));
            }
            let at = u16::try_from(out.categories.len()).unwrap_or(u16::MAX);
            for (list, capitals, weak, predicate) in [
                (&entry.phrases, false, false, false),
                (&entry.acronyms, true, false, false),
                (&entry.weak, false, true, false),
                (&entry.weak_acronyms, true, true, false),
                (&entry.predicates, false, false, true),
                (&entry.weak_predicates, false, true, true),
            ] {
                for phrase in list.iter().flat_map(|phrase| alternatives(phrase)) {
                    let phrase = &phrase;
                    let (phrase, predicate) = match phrase.strip_prefix(STATE) {
                        Some(state) if predicate => (state, Predicate::State),
                        _ if predicate => (phrase.as_str(), Predicate::Verb),
                        _ => (phrase.as_str(), Predicate::No),
                    };
                    let ambiguous = entry.elsewhere.iter().any(|other| other.said.iter().any(|said| said == phrase));
                    if !out.add(phrase, Phrase { category: at, capitals, weak, predicate, ambiguous }) {
                        return Err(VocabularyError::Category(entry.id));
                    }
                }
            }
            for heading in &entry.headings {
                out.headings.insert(Run::of(heading).hash, at);
            }
            for pair in entry.pairs {
                let words = |words: &[String]| words.iter().map(|word| Run::of(word).hash).collect::<HashSet<_>>();
                let pair = Pair { category: at, one: words(&pair.one), other: words(&pair.other) };
                // A pair is looked for from its first word, whichever that is.
                for &word in pair.one.iter().chain(&pair.other) {
                    out.first.entry(word).or_default().pair = true;
                }
                out.pairs.push(pair);
            }
            for sequence in entry.sequences {
                let predicate = if sequence.predicate { Predicate::Verb } else { Predicate::No };
                let places: Vec<Place> = sequence.words.iter().map(|words| Place::of(words)).collect();
                if places.first().is_none_or(|first| first.optional) {
                    return Err(VocabularyError::Category(entry.id));
                }
                for &word in &places[0].words {
                    out.first.entry(word).or_default().sequence = true;
                }
                out.sequences.push(Sequence { category: at, predicate, places });
            }
            // Category ids are few and live as long as the program; findings carry them as kinds.
            out.categories.push(Category {
                id: Box::leak(entry.id.into_boxed_str()),
                tier: entry.tier,
                basis: entry.basis,
                codes: entry.codes.into_iter().collect(),
                elsewhere: entry
                    .elsewhere
                    .iter()
                    .flat_map(|other| &other.beside)
                    .map(|run| Run::of(run).hash)
                    .collect(),
            });
        }
        Ok(out)
    }

    /// Hashes of the tokens with which phrases begin.
    pub fn begins(&self) -> impl Iterator<Item = u64> {
        self.first.keys().copied()
    }

    fn add(&mut self, phrase: &str, meaning: Phrase) -> bool {
        let text = TextBuf::new(phrase);
        let text = text.text();
        let Some((last, head)) = text.tokens.split_last() else { return false };
        let word = text.norm(last);
        let mut endings = vec![text.run_of(last)];
        // `reading ages`; a short word alone has too many other forms.
        if !meaning.capitals && word.len() >= if head.is_empty() { 4 } else { 3 } && !word.ends_with('s') {
            endings.push(Run::of_token(&format!("{word}s")));
        }
        let length = u8::try_from(text.tokens.len()).unwrap_or(u8::MAX);
        let start = text.run(0, head.len());
        for ending in endings {
            self.phrases.entry(start.then(ending).hash).or_default().push(meaning);
            let first = head.first().map_or(ending.hash, |token| text.hash(token));
            let begins = self.first.entry(first).or_default();
            begins.longest = begins.longest.max(length);
            begins.alone |= head.is_empty();
            begins.next |= letter(text.word(1));
        }
        true
    }

    /// All phrases of a text, the longest at each place.
    pub fn hits(&self, text: &Text<'_>) -> Vec<Hit> {
        self.hits_at(text, 0..text.tokens.len())
    }

    /// As [`Vocabulary::hits`], of the phrases that begin at these tokens.
    pub fn hits_at(&self, text: &Text<'_>, places: impl Iterator<Item = usize>) -> Vec<Hit> {
        let mut hits = Vec::new();
        for from in places {
            let Some(begins) = self.first.get(&text.hash(&text.tokens[from])) else { continue };
            if begins.pair {
                hits.extend(self.pairs.iter().filter_map(|pair| pair.at(text, from)));
            }
            if begins.sequence {
                hits.extend(self.sequences.iter().filter_map(|sequence| sequence.at(text, from)));
            }
            let goes_on = begins.next & letter(text.word(from + 1)) != 0;
            let longest = if goes_on { begins.longest } else { u8::from(begins.alone) };
            let mut run = Run::EMPTY;
            let mut best: Option<(usize, &Vec<Phrase>)> = None;
            for (at, token) in text.tokens.iter().enumerate().skip(from).take(usize::from(longest)) {
                run = run.then(text.run_of(token));
                if let Some(phrases) = self.phrases.get(&run.hash) {
                    best = Some((at + 1, phrases));
                }
            }
            if let Some((to, phrases)) = best {
                for phrase in phrases {
                    let upper =
                        text.tokens[from..to].iter().all(|token| matches!(token.case, Case::Upper | Case::None));
                    let cased = upper
                        || text.tokens[from..to].iter().any(|t| t.case == Case::Capitalised && text.norm(t).len() > 3);
                    if !phrase.capitals || (upper || (cased && text.norm(&text.tokens[from]).len() > 4)) {
                        hits.push(Hit {
                            category: usize::from(phrase.category),
                            from,
                            to,
                            weak: phrase.weak,
                            predicate: phrase.predicate,
                            ambiguous: phrase.ambiguous,
                        });
                    }
                }
            }
        }
        hits
    }

    /// The category of a column heading: the whole heading, else its first or last words.
    pub fn heading(&self, heading: &Text<'_>) -> Option<usize> {
        let many = heading.tokens.len();
        if !(1..=limits::HEADING_LENGTH).contains(&many) {
            return None;
        }
        let of = |from: usize, to: usize| self.headings.get(&heading.run(from, to).hash).map(|&at| usize::from(at));
        of(0, many).or_else(|| {
            (1..many.min(limits::HEADING_ENDS + 1))
                .rev()
                .find_map(|length| of(0, length).or_else(|| of(many - length, many)))
        })
    }

    /// What a code says in a column of this category; nothing when it is no code of it.
    pub fn code(&self, category: usize, value: &str) -> Option<bool> {
        self.categories.get(category)?.codes.get(&value.trim().to_uppercase()).copied()
    }

    /// A text holds words beside which ambiguous phrases of the category mean something else: the placement of work experience.
    pub fn elsewhere(&self, category: usize, text: &Text<'_>) -> bool {
        let Some(category) = self.categories.get(category) else { return false };
        let runs = |from| (1..=3).map(move |length| text.run(from, from + length).hash);
        (0..text.tokens.len()).flat_map(runs).any(|run| category.elsewhere.contains(&run))
    }

    /// The place of a category.
    pub fn id(&self, id: &str) -> Option<usize> {
        self.categories.iter().position(|category| category.id == id)
    }
}

/// `carries/carry the/- pen` as each phrase that it stands for.
fn alternatives(phrase: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for word in phrase.split_whitespace() {
        let with = |either: &str, before: &String| match (either, before.as_str()) {
            ("-", before) => before.to_owned(),
            (word, "") => word.replace('_', " "),
            (word, before) => format!("{before} {}", word.replace('_', " ")),
        };
        out = word.split('/').flat_map(|either| out.iter().map(move |before| with(either, before))).collect();
    }
    out
}

impl Place {
    /// `left/right/-`: either, or nothing; `_` joins two words.
    fn of(words: &str) -> Self {
        let (none, some): (Vec<&str>, Vec<&str>) = words.split('/').partition(|word| *word == "-");
        let words = some.iter().map(|word| Run::of(&word.replace('_', " ")).hash).collect();
        Self { words, optional: !none.is_empty() }
    }

    /// How many words from this token on stand in this place, the most first.
    fn takes(&self, text: &Text<'_>, from: usize) -> Option<usize> {
        let within =
            |to: usize| text.tokens.get(from + 1..to).is_some_and(|inner| inner.iter().all(|token| token.gap.blank()));
        let two = || within(from + 2) && self.words.contains(&text.run(from, from + 2).hash);
        let one = || text.tokens.get(from).is_some_and(|token| self.words.contains(&text.hash(token)));
        if two() {
            return Some(2);
        }
        one().then_some(1).or(self.optional.then_some(0))
    }
}

impl Sequence {
    /// The sequence that begins with this token; not `the broken leg of the table`.
    fn at(&self, text: &Text<'_>, from: usize) -> Option<Hit> {
        let mut to = from;
        for place in &self.places {
            let apart =
                to > from && text.tokens.get(to).is_some_and(|token| !token.gap.only(Gap::SPACE.or(Gap::NEWLINE)));
            to += place.takes(text, to).filter(|taken| *taken == 0 || !apart)?;
        }
        (text.word(to) != "of").then_some(Hit {
            category: usize::from(self.category),
            from,
            to,
            weak: false,
            predicate: self.predicate,
            ambiguous: false,
        })
    }
}

impl Pair {
    /// The pair that begins with this token, its other word not far behind in the same sentence.
    fn at(&self, text: &Text<'_>, from: usize) -> Option<Hit> {
        let first = text.hash(&text.tokens[from]);
        let behind = match (self.one.contains(&first), self.other.contains(&first)) {
            (true, _) => &self.other,
            (_, true) => &self.one,
            _ => return None,
        };
        let near = text.tokens[from + 1..].iter().take(limits::PAIR_APART);
        let mut near = near.take_while(|token| !token.gap.has(Gap::STOP.or(Gap::BULLET)));
        let apart = near.position(|token| behind.contains(&text.hash(token)))?;
        Some(Hit {
            category: usize::from(self.category),
            from,
            to: from + apart + 2,
            weak: false,
            predicate: Predicate::No,
            ambiguous: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_sound() {
        let vocabulary = Vocabulary::read(include_str!("../../rules/vocabulary.toml")).unwrap();
        for (text, want) in [
            ("she has her inhaler", Some("health")),
            ("an EHCP review", Some("send")),
            ("her lips swelled up", Some("health")),
            ("came up in hives", Some("health")),
            ("comes out in a rash", Some("health")),
            ("came out in force", None),
            ("a pep talk", None),
            ("on a child protection plan", Some("safeguarding")),
            ("his mock results", Some("attainment")),
            ("was excluded for two days for hitting another child", Some("exclusion-violence")),
            ("after punching a boy he has been suspended", Some("exclusion-violence")),
            ("a three-day exclusion for violence", Some("exclusion-violence")),
            ("the fight ended in a fixed-term suspension", Some("exclusion-violence")),
            ("was excluded. Nobody was hitting anybody", Some("behaviour")),
            ("he was hitting and punching", Some("behaviour")),
            ("broke his left wrist at football", Some("health")),
            ("has hurt her ankle", Some("health")),
            ("with a fractured collar bone", Some("health")),
            ("cut his chin open", Some("health")),
            ("a broken right arm", Some("health")),
            ("mended the broken leg of the table", None),
            ("broke his pencil", None),
            ("broke. His wrist", None),
            ("cut her hair", None),
        ] {
            let text = TextBuf::new(text);
            let text = text.text();
            let hits = vocabulary.hits(&text);
            assert_eq!(hits.iter().find(|hit| !hit.weak).map(|hit| vocabulary.categories[hit.category].id), want);
        }
        let heading = TextBuf::new("SEN Status");
        assert_eq!(vocabulary.heading(&heading.text()), vocabulary.id("send"));
    }
}
