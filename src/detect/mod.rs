//! Text to findings with place, offsets and confidence.
//!
//! Knows text and people, never mail or rules. Every finding can say why it stands. The way of a message: [`detect`] lays
//! it out once (`scene`), finds who is named (`names`) and numbered (`identifiers`), then what is said of them
//! (`attributes`); credentials, language and photographs stand apart. Time grows with the message, not with the roster.

mod adults;
mod attributes;
mod cells;
mod credentials;
mod dates;
mod deeds;
mod evidence;
mod excerpt;
mod forenames;
mod identifiers;
mod initials;
mod joined;
mod labels;
pub mod language;
mod layout;
mod mailboxes;
mod marks;
pub mod meaning;
mod middles;
mod names;
mod neighbours;
mod photographs;
mod rows;
mod scene;
mod small;
pub mod traits;
mod unlisted;
pub mod vocabulary;
mod whole;
mod words;
mod work;
mod world;
mod youths;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub use adults::AdultMatter;
pub use evidence::{EvidenceError, Weighed};
pub use excerpt::Excerpt;

use hashbrown::{HashMap, HashSet};

use crate::limits;
use crate::people::{PupilIndex, School};
use crate::text::{Document, Halt, Image, Run, TextBuf};

/// What is said of a pupil, mildest first; a message's tier is the highest of its pupils'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Identified, and nothing else is said.
    Mention,
    /// With at least one attribute in context.
    Record,
    /// With a special-category or safeguarding attribute in context.
    Sensitive,
}

impl Tier {
    /// The word that reports print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::Record => "record",
            Self::Sensitive => "sensitive",
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Recorded, decides nothing.
    Low,
    /// Enough to act on.
    Medium,
    /// No reasonable doubt.
    High,
}

impl Confidence {
    /// The word that reports print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One thing found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `pupil-name`, `upn`, `uln`, `nhs-number`, `date-of-birth`, `health`, `ni-number`, `payment-card`, `password`, …
    pub kind: &'static str,
    /// What stands in the text, as it stands there. For the report and the encrypted store alone: never logged.
    pub text: String,
    /// Place of the document, as in [`crate::text::Document::place`].
    pub place: String,
    /// Finer place, where there is one ("Sheet 'Data', hidden, row 14").
    pub detail: Option<String>,
    /// How sure.
    pub confidence: Confidence,
    /// The pupil it is about, where it is about one.
    pub pupil: Option<PupilIndex>,
    /// Evidence for and against, in plain words; of the text single words at most, for the report alone: never logged.
    pub because: String,
    /// The line it stands in, and the octets of its source.
    at: Option<(usize, Range<usize>)>,
    /// What stands around it; for the first [`limits::EXCERPTS`] of a message, what is said of pupils before who is named.
    pub excerpt: Option<Excerpt>,
}

/// A pupil identified in the message.
#[derive(Debug, Clone)]
pub struct PupilFinding {
    /// Who.
    pub pupil: PupilIndex,
    /// What is said.
    pub tier: Tier,
    /// Categories of `rules/vocabulary.toml`, in order of name.
    pub categories: BTreeSet<String>,
    /// Places in which the pupil is identified or spoken of, in document order, without repeats.
    pub places: Vec<String>,
    /// Nothing identifies the pupil but a name that another pupil bears too: perhaps only that other one is meant.
    pub shared_name: bool,
    /// A record by what plain words were read as saying, and not beyond doubt.
    pub doubtful: bool,
}

impl PupilFinding {
    /// What is said beyond doubt.
    pub fn tier_beyond_doubt(&self) -> Tier {
        if self.doubtful { Tier::Mention } else { self.tier }
    }
}

/// All that the detectors found in one message.
#[derive(Debug, Default)]
pub struct Findings {
    /// Pupils of the roster, in roster order.
    pub pupils: Vec<PupilFinding>,
    /// Valid pupil identifiers (UPN, ULN) that are on no roster, and rows of a table of children who are on none: as many
    /// unlisted pupils, each of tier `record`.
    pub unlisted_pupils: usize,
    /// National Insurance number, bank account, card, passport, driving licence or NHS number of an adult.
    pub adult_identifier: bool,
    /// A password, passcode, door or alarm code or secret key is written out.
    pub credentials: bool,
    /// Abusive, discriminatory, threatening or sexually explicit language.
    pub offensive: bool,
    /// A camera picture is attached.
    pub photograph: bool,
    /// Confidential matters of members of staff, of parents and of the school itself.
    pub adult_matters: Vec<AdultMatter>,
    /// Each thing found, in document order; of each kind the first [`limits::FINDINGS`] of a document.
    pub findings: Vec<Finding>,
    /// Further things of these kinds that were found and are not in the list.
    pub more_findings: usize,
}

/// How many things of each kind were put on the list, by document.
#[derive(Default)]
struct Listed {
    counts: HashMap<(usize, &'static str), usize>,
    left_out: usize,
}

impl Listed {
    /// Whether one more of a kind is put on the list, which the caller then does.
    fn takes(&mut self, document: usize, kind: &'static str) -> bool {
        let count = self.counts.entry((document, kind)).or_default();
        *count += 1;
        let takes = *count <= limits::FINDINGS;
        self.left_out += usize::from(!takes);
        takes
    }
}

/// What detection may know of the people who write and are written to; it subtracts, it never identifies.
#[derive(Debug, Default)]
pub struct Correspondence {
    /// Display names and addresses of the sender: From, Sender and the envelope.
    pub sender_names: Vec<String>,
    /// The envelope sender's address.
    pub sender_address: Option<String>,
    /// Display names of To and Cc.
    pub recipient_names: Vec<String>,
    /// Envelope recipients.
    pub recipient_addresses: Vec<String>,
}

/// A list built into the program is not of its shape.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// `rules/vocabulary.toml`.
    #[error(transparent)]
    Vocabulary(#[from] vocabulary::VocabularyError),
    /// `rules/adults.toml`.
    #[error("the list of adults' matters: {0}")]
    Adults(vocabulary::VocabularyError),
    /// `rules/language.toml`.
    #[error("the list of offensive language: {0}")]
    Language(toml::de::Error),
    /// `rules/nouns.toml`.
    #[error("the lists of nouns: {0}")]
    Nouns(toml::de::Error),
    /// `rules/names.toml` or `rules/providers.toml`.
    #[error("the lists of names and mail providers: {0}")]
    People(toml::de::Error),
    /// `rules/meaning.bin`.
    #[error(transparent)]
    Meaning(#[from] meaning::ModelError),
    /// `rules/evidence.toml`.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// `rules/language.bin`.
    #[error("the model of offensive language: {0}")]
    Heard(meaning::ModelError),
    /// `rules/links.toml` or `rules/business.toml`.
    #[error("the lists of the message's own traits: {0}")]
    Traits(String),
}

/// Reads the lists that are built into the program; a faulty one must stop the start, not count as empty.
pub fn check_embedded_lists() -> Result<(), ListError> {
    vocabulary::Vocabulary::read(vocabulary::EMBEDDED)?;
    adults::check().map_err(ListError::Adults)?;
    meaning::check()?;
    evidence::check()?;
    language::check().map_err(ListError::Language)?;
    language::check_model().map_err(ListError::Heard)?;
    attributes::check().map_err(ListError::Nouns)?;
    traits::check().map_err(ListError::Traits)?;
    crate::people::check_embedded_lists().map_err(ListError::People)
}

/// How many pupils' names and how many numbers that name a person stand in the documents: what a pattern engine with a list
/// of names would find, before anything is weighed. For measuring beside such engines.
pub fn names_and_numbers(documents: &[Document], school: &School) -> (usize, usize) {
    let halt = Halt::default();
    let layout = layout::Layout::new(documents, school, &halt);
    let laid = scene::Laid::all(&layout);
    let scene = scene::Scene::new(documents, &layout, &laid, school, &halt);
    (names::count(&scene, school), identifiers::find(&scene, school).len())
}

/// Every full name of the roster that stands in the documents, with what speaks for and against it: for measuring, and for fitting
/// what evidence weighs.
pub fn weighed(documents: &[Document], school: &School, correspondence: &Correspondence) -> Vec<Weighed> {
    let halt = Halt::default();
    let layout = layout::Layout::new(documents, school, &halt);
    let laid = scene::Laid::all(&layout);
    let mut scene = scene::Scene::new(documents, &layout, &laid, school, &halt);
    let mut weighed = Vec::new();
    names::find(&mut scene, school, writers(school, correspondence), Some(&mut weighed));
    weighed
}

/// What documents take when they are laid out, in octets and about; nothing where that is little.
pub fn room_wanted(documents: &[Document]) -> Option<usize> {
    let (texts, octets) = layout::size(documents);
    let wanted = texts * limits::LAID_OUT_TEXT + octets * limits::LAID_OUT_OCTET;
    (wanted > limits::LAID_OUT_LIGHT).then_some(wanted)
}

/// Finds everything of interest in one message. Once `halt` is set, no further line is looked at and the findings are of
/// no use.
pub fn detect(
    documents: &[Document],
    images: &[Image],
    school: &School,
    correspondence: &Correspondence,
    halt: &Halt,
) -> Findings {
    let layout = layout::Layout::new(documents, school, halt);
    let laid = scene::Laid::all(&layout);
    let mut scene = scene::Scene::new(documents, &layout, &laid, school, halt);
    let writers = writers(school, correspondence);
    let mentions = names::find(&mut scene, school, writers, None);
    let numbers = identifiers::find(&scene, school);
    let mut listed = Listed::default();
    let (about, mut said) = attributes::attribute(&scene, school, &mentions, &numbers, &mut listed);

    let mut out = Findings::default();
    let mut places: BTreeMap<PupilIndex, Vec<(usize, String)>> = BTreeMap::new();
    let mut place = |pupil: PupilIndex, line: usize, name: &str| {
        let list = places.entry(pupil).or_default();
        // The last one nearly always: mentions come in the order of their places.
        if !list.iter().rev().any(|(_, other)| other == name) {
            list.push((line, name.to_owned()));
        }
    };
    let mut ordered: Vec<(usize, usize, Finding)> = Vec::new();
    // Those whom something tells from every namesake. That one of the namesakes is the child of the parent who is written to
    // does not: the parent may have been picked by the very name, and be the wrong one's.
    let mut singled_out: BTreeSet<PupilIndex> = BTreeSet::new();
    for mention in &mentions {
        if let ([pupil], true) = (mention.pupils.as_slice(), mention.identifies) {
            singled_out.insert(*pupil);
        }
        let line = &scene.lines[mention.line];
        for &pupil in &mention.pupils {
            place(pupil, mention.line, scene.place(mention.line));
            if mention.identifies && listed.takes(line.document(), "pupil-name") {
                ordered.push((
                    mention.line,
                    mention.from,
                    Finding {
                        kind: "pupil-name",
                        text: line.text.slice(mention.from, mention.to).to_owned(),
                        place: scene.place(mention.line).to_owned(),
                        detail: scene.detail(mention.line),
                        confidence: mention.confidence,
                        pupil: Some(pupil),
                        because: mention.because.clone().into_owned(),
                        at: Some((mention.line, line.text.span_of(mention.from, mention.to))),
                        excerpt: None,
                    },
                ));
            }
        }
    }
    let rows = unlisted::children(&scene, school, &mentions, &numbers);
    for &line in &rows {
        let text = &scene.lines[line].text;
        if !listed.takes(scene.lines[line].document(), "unlisted-pupil") {
            continue;
        }
        ordered.push((
            line,
            0,
            Finding {
                kind: "unlisted-pupil",
                text: text.slice(0, text.tokens.len()).to_owned(),
                place: scene.place(line).to_owned(),
                detail: scene.detail(line),
                confidence: Confidence::Medium,
                pupil: None,
                because: "a row of a table of children, on no list of the school".into(),
                at: Some((line, text.span_of(0, text.tokens.len()))),
                excerpt: None,
            },
        ));
    }
    let mut unlisted = BTreeSet::new();
    for number in numbers {
        let line = &scene.lines[number.line];
        let pupil = match number.whose {
            identifiers::Whose::Pupil(pupil) => {
                place(pupil, number.line, scene.place(number.line));
                singled_out.insert(pupil);
                Some(pupil)
            }
            identifiers::Whose::Unlisted => {
                if matches!(number.kind, "upn" | "uln") {
                    unlisted.insert(number.value.clone());
                }
                None
            }
            identifiers::Whose::Adult => {
                out.adult_identifier = true;
                None
            }
        };
        if !listed.takes(line.document(), number.kind) {
            continue;
        }
        ordered.push((
            number.line,
            line.text.token_at(number.range.start),
            Finding {
                kind: number.kind,
                text: line.text.source_slice(number.range.clone()).to_owned(),
                place: scene.place(number.line).to_owned(),
                detail: scene.detail(number.line),
                confidence: number.confidence,
                pupil,
                because: number.because.to_owned(),
                at: Some((number.line, line.text.span(number.range))),
                excerpt: None,
            },
        ));
    }
    out.unlisted_pupils = unlisted.len() + rows.len();
    let credentials = credentials::find(&scene).into_iter();
    let credentials = credentials.map(|(line, range, kind)| (true, line, range, kind, "written out"));
    let language = language::find(&scene).into_iter();
    let language = language.map(|offence| (false, offence.line, offence.range, offence.kind, offence.because));
    for (credential, line, range, kind, because) in credentials.chain(language) {
        out.credentials |= credential;
        out.offensive |= !credential;
        let at = &scene.lines[line];
        if !listed.takes(at.document(), kind) {
            continue;
        }
        ordered.push((
            line,
            at.text.token_at(range.start),
            Finding {
                kind,
                text: at.text.source_slice(range.clone()).to_owned(),
                place: scene.place(line).to_owned(),
                detail: scene.detail(line),
                confidence: Confidence::High,
                pupil: None,
                because: because.into(),
                at: Some((line, at.text.span(range))),
                excerpt: None,
            },
        ));
    }
    ordered.sort_by_key(|(line, from, _)| (*line, *from));
    out.findings = ordered.into_iter().map(|(.., finding)| finding).collect();
    // What is said tells most, so it is shown first where not everything can be.
    for finding in said.iter_mut().chain(&mut out.findings).take(limits::EXCERPTS) {
        finding.excerpt = finding.at.take().map(|(line, range)| scene.excerpt(line, range));
    }
    out.findings.extend(said);
    out.more_findings = listed.left_out;
    let own = staff_of(school, correspondence.sender_address.as_deref());
    let (matters, found) = adults::find(&scene, school, own);
    out.adult_matters = matters;
    out.findings.extend(found);
    for image in images.iter().filter(|image| photographs::is_photograph(image)) {
        out.photograph = true;
        out.findings.push(Finding {
            kind: "photograph",
            text: String::new(),
            place: image.place.clone(),
            detail: None,
            confidence: if image.camera { Confidence::High } else { Confidence::Medium },
            pupil: None,
            because: if image.camera { "a camera's marks in the file" } else { "size and density of a photograph" }
                .into(),
            at: None,
            excerpt: None,
        });
    }
    out.pupils = about
        .into_iter()
        .map(|(pupil, about)| PupilFinding {
            pupil,
            tier: about.tier.unwrap_or(Tier::Mention),
            categories: about.categories,
            places: places.remove(&pupil).unwrap_or_default().into_iter().map(|(_, name)| name).collect(),
            shared_name: !singled_out.contains(&pupil),
            doubtful: about.doubtful,
        })
        .collect();
    out
}

/// The place of the member of staff whose mailbox it is.
fn staff_of(school: &School, address: Option<&str>) -> Option<u32> {
    let address = crate::smtp::Address::parse(address?).ok()?;
    school.adults_at(&address).into_iter().find_map(|adult| match adult {
        crate::people::index::Adult::Staff(at) => Some(at),
        crate::people::index::Adult::Guardian(_) => None,
    })
}

/// The writers' names as runs: whole display names, forenames, and the directory's name of the sender.
fn writers(school: &School, correspondence: &Correspondence) -> names::Writers {
    let forms = |names: &[String]| {
        let mut out = Vec::new();
        for name in names {
            let text = TextBuf::new(name);
            let text = text.text();
            out.push(text.run(0, text.tokens.len()));
            out.extend(text.tokens.first().map(|token| text.run_of(token)));
        }
        out
    };
    let mut sender = forms(&correspondence.sender_names);
    let address = correspondence.sender_address.as_deref().and_then(|text| crate::smtp::Address::parse(text).ok());
    if let Some(staff) = address.and_then(|address| school.staff_by_address(&address)) {
        let forename = Run::of(&staff.forename);
        sender.extend([forename.then(Run::of(&staff.surname)), forename]);
        sender.extend(crate::people::names::NAMES.short_forms(&staff.forename).iter().map(|short| Run::of(short)));
    }
    // Who writes to many parents writes a newsletter, and not of their children.
    let few = correspondence.recipient_addresses.len() <= limits::FEW_RECIPIENTS;
    let children = correspondence
        .recipient_addresses
        .iter()
        .filter(|_| few)
        .filter_map(|text| crate::smtp::Address::parse(text).ok())
        .flat_map(|address| school.children_of(&address))
        .collect();
    names::Writers { sender, recipient: forms(&correspondence.recipient_names), children, titled: HashSet::new() }
}

#[cfg(test)]
mod tests;
