//! What is seen of a name, and what it weighs: `rules/evidence.toml`, compiled.
//!
//! Knows the words for what speaks for and against a name, not how they are found.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::detect::Confidence;

/// The file built into the program.
pub(super) const EMBEDDED: &str = include_str!("../../../rules/evidence.toml");

/// The file as it ships; one that is faulty stops the start (see [`check`]).
static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| Weights::read(EMBEDDED).unwrap_or_default());

/// Reads the file as it ships.
///
/// # Errors
/// Where it is no TOML, lacks a word, has one that nobody sees, or has a weight on the wrong side.
pub(in crate::detect) fn check() -> Result<(), EvidenceError> {
    Weights::read(EMBEDDED).map(drop)
}

/// What is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Not TOML of its shape.
    #[error("the weights of evidence: {0}")]
    Shape(#[from] toml::de::Error),
    /// A word that nothing in the program sees.
    #[error("the weights of evidence: nothing sees {0:?}")]
    Unknown(String),
    /// A word without a weight.
    #[error("the weights of evidence: {0:?} has no weight")]
    Missing(&'static str),
    /// What speaks for a pupil weighs against, or the other way about.
    #[error("the weights of evidence: {0:?} weighs on the wrong side")]
    Side(&'static str),
}

/// An enumeration whose values have a word each, and a place in the order of all.
macro_rules! words {
    ($(#[$doc:meta])* $kind:ident { $($value:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::detect) enum $kind { $($value),* }

        impl $kind {
            pub(super) const ALL: &[Self] = &[$(Self::$value),*];

            /// The word in the file.
            pub(super) fn word(self) -> &'static str {
                match self { $(Self::$value => $word),* }
            }
        }
    };
}

words! {
    /// What else the words of a name are, before anything around them is looked at.
    Prior {
        Plain = "plain",
        OneWord = "one-word",
        CommonForename = "common-forename",
        Words = "words",
        CommonWords = "common-words",
        Place = "place",
        Famous = "famous",
        SmallRare = "small-rare",
        Small = "small",
        SmallWords = "small-words",
    }
}

words! {
    /// What is seen of a name and around it; the file says in words what each means.
    Seen {
        Particle = "particle",
        Possessive = "possessive",
        YoungTitle = "young-title",
        MiddleName = "middle-name",
        Comma = "comma",
        Acts = "acts",
        Deed = "deed",
        Verb = "verb",
        ToldOf = "told-of",
        LongSurname = "long-surname",
        Announced = "announced",
        InTable = "in-table",
        Alone = "alone",
        AloneOnLine = "alone-on-line",
        HeadsItem = "heads-item",
        HeadsPlaceItem = "heads-place-item",
        Others = "others",
        Listed = "listed",
        ToTheParent = "to-the-parent",
        Family = "family",
        Child = "child",
        Attribute = "attribute",
        WeakAttribute = "weak-attribute",
        Fact = "fact",
        FactBeside = "fact-beside",
        Labelled = "labelled",
        SaidBelow = "said-below",
        ToldBelow = "told-below",
        PersonBelow = "person-below",
        FactBelow = "fact-below",
        SaidElsewhere = "said-elsewhere",
        SmallActs = "small-acts",
        SmallSaid = "small-said",
        SmallFact = "small-fact",
        SmallDeed = "small-deed",
        SmallSubject = "small-subject",
        SmallNamed = "small-named",
        Scenery = "scenery",
        LongerName = "longer-name",
        WordsElsewhere = "words-elsewhere",
        Renown = "renown",
        HistoryYear = "history-year",
        Maker = "maker",
        SmallVerb = "small-verb",
        Adult = "adult",
        WithinLonger = "within-longer",
        CommaList = "comma-list",
        TwoClasses = "two-classes",
        MadeBy = "made-by",
        NamedAfter = "named-after",
        PlaceBehind = "place-behind",
        PointedAt = "pointed-at",
        NobodySingledOut = "nobody-singled-out",
        SmallPlace = "small-place",
        SmallPointedAt = "small-pointed-at",
    }
}

/// One line of the file.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    weight: f64,
    /// What a person thought right; for whoever fits the weights.
    #[serde(default, rename = "set")]
    _set: Option<f64>,
    /// Not fitted; likewise.
    #[serde(default, rename = "held")]
    _held: bool,
    because: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    threshold: Threshold,
    prior: BTreeMap<String, Entry>,
    #[serde(rename = "for")]
    pro: BTreeMap<String, Entry>,
    against: BTreeMap<String, Entry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Threshold {
    act: f64,
    sure: f64,
}

/// A weight, in tenths of a deciban, and what it is for in words.
type Weight = (i32, String);

/// The compiled file.
#[derive(Debug, Default)]
struct Weights {
    act: i32,
    sure: i32,
    priors: Vec<Weight>,
    seen: Vec<Weight>,
}

impl Weights {
    fn read(toml: &str) -> Result<Self, EvidenceError> {
        #[expect(clippy::cast_possible_truncation, reason = "weights have two digits")]
        let tenths = |weight: f64| (weight * 10.0).round() as i32;
        let mut file: File = toml::from_str(toml)?;
        let mut out = Self { act: tenths(file.threshold.act), sure: tenths(file.threshold.sure), ..Self::default() };
        for prior in Prior::ALL {
            let entry = file.prior.remove(prior.word()).ok_or(EvidenceError::Missing(prior.word()))?;
            out.priors.push((tenths(entry.weight), entry.because));
        }
        for seen in Seen::ALL {
            let word = seen.word();
            let (pro, against) = (file.pro.remove(word), file.against.remove(word));
            let right = pro.as_ref().is_none_or(|entry| entry.weight >= 0.0)
                && against.as_ref().is_none_or(|entry| entry.weight <= 0.0)
                && !(pro.is_some() && against.is_some());
            if !right {
                return Err(EvidenceError::Side(word));
            }
            let entry = pro.or(against).ok_or(EvidenceError::Missing(word))?;
            out.seen.push((tenths(entry.weight), entry.because));
        }
        let unknown = file.prior.into_keys().chain(file.pro.into_keys()).chain(file.against.into_keys()).next();
        unknown.map_or(Ok(out), |word| Err(EvidenceError::Unknown(word)))
    }
}

/// What is seen of one name, and so how likely a pupil is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Evidence {
    prior: Prior,
    /// A bit for each of [`Seen::ALL`].
    seen: u64,
}

impl Evidence {
    pub(in crate::detect) fn new(prior: Prior) -> Self {
        Self { prior, seen: 0 }
    }

    pub(in crate::detect) fn see(&mut self, seen: Seen) {
        self.seen |= 1 << seen as u64;
    }

    /// As it is, with this as well.
    pub(in crate::detect) fn with(mut self, seen: Seen) -> Self {
        self.see(seen);
        self
    }

    fn all(self) -> impl Iterator<Item = Seen> {
        Seen::ALL.iter().copied().filter(move |&seen| self.seen & 1 << seen as u64 != 0)
    }

    /// In tenths of a deciban.
    fn sum(self) -> i32 {
        let weight = |weights: &[Weight], at: usize| weights.get(at).map_or(0, |weight| weight.0);
        let seen: i32 = self.all().map(|seen| weight(&WEIGHTS.seen, seen as usize)).sum();
        weight(&WEIGHTS.priors, self.prior as usize) + seen
    }

    /// How sure it is that the pupil is meant; nothing where it is not likely enough.
    pub(super) fn confidence(self) -> Option<Confidence> {
        // A name in small letters is never beyond doubt.
        let small = matches!(self.prior, Prior::SmallRare | Prior::Small | Prior::SmallWords);
        let sum = self.sum();
        (sum >= WEIGHTS.act).then(|| if sum >= WEIGHTS.sure && !small { Confidence::High } else { Confidence::Medium })
    }

    /// What was seen, with the weight of each and their sum; of a name that is nothing but a name only that.
    pub(super) fn because(self) -> String {
        let Some((prior, words)) = WEIGHTS.priors.get(self.prior as usize) else { return String::new() };
        if self.seen == 0 {
            return words.clone();
        }
        let decibans = |tenths: i32| f64::from(tenths) / 10.0;
        let mut out = format!("{words} {:+}", decibans(*prior));
        for (weight, words) in self.all().filter_map(|seen| WEIGHTS.seen.get(seen as usize)) {
            out.push_str(&format!(", {words} {:+}", decibans(*weight)));
        }
        out + &format!(": {} decibans", decibans(self.sum()))
    }

    /// The words of the file for what was seen, the prior first.
    pub(super) fn words(self) -> Vec<&'static str> {
        std::iter::once(self.prior.word()).chain(self.all().map(Seen::word)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_ships_is_sound() {
        check().unwrap();
        assert!(Seen::ALL.len() <= 64, "a bit for each");
    }

    #[test]
    fn a_faulty_file_is_refused_with_what_is_wrong_in_it() {
        let pro = EMBEDDED.replace("\nacts = { weight = ", "\nacts = { weight = -");
        let against = EMBEDDED.replace("\nmaker = { weight = -", "\nmaker = { weight = ");
        for (file, want) in [
            (EMBEDDED.replace("\nacts = ", "\nsleeps = "), "the weights of evidence: \"acts\" has no weight"),
            (
                EMBEDDED.replace("[against]", "sleeps = { weight = 1.0, because = \"\" }\n[against]"),
                "the weights of evidence: nothing sees \"sleeps\"",
            ),
            (pro, "the weights of evidence: \"acts\" weighs on the wrong side"),
            (against, "the weights of evidence: \"maker\" weighs on the wrong side"),
        ] {
            assert_eq!(Weights::read(&file).unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn a_sum_says_what_it_is_made_of() {
        let evidence = Evidence::new(Prior::Words).with(Seen::Adult);
        assert_eq!(evidence.confidence(), None);
        let because = evidence.because();
        assert!(because.starts_with("full name of words "), "{because}");
        assert!(because.contains(", an adult is meant -90: "), "{because}");
        assert!(because.ends_with(" decibans"), "{because}");
        assert_eq!(Evidence::new(Prior::Plain).because(), "full name");
        assert_eq!(Evidence::new(Prior::Plain).confidence(), Some(Confidence::High));
        assert_eq!(Evidence::new(Prior::SmallRare).confidence(), Some(Confidence::Medium));
        assert_eq!(evidence.words(), ["words", "adult"]);
    }
}
