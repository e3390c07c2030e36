//! Full names that stand in labelled and in made-up mail, each with what is seen of it and whether the pupil is meant.

use std::collections::BTreeMap;
use std::path::Path;

use schoolgate::command::score::Case;
use schoolgate::command::{check, ground};
use schoolgate::config::Config;
use schoolgate::detect::{Correspondence, Weighed, weighed};
use schoolgate::inspect;
use schoolgate::people::School;
use schoolgate::text::{Block, Document, Kind as Part};

use crate::names;
use crate::ordinary::Grammar;
use crate::schools::{Kind, school};
use crate::strangers::Strangers;
use crate::support::Seeded;
use crate::written::{CONTEXTS, Case as Written, Roster, forms, strangers};

/// Labelled schools, and the tag of the cases that may be looked at (with `-` before it, of those that may not).
const SCHOOLS: &[(&str, &str)] =
    &[("school", ""), ("secondary", "-held-aside"), ("plain", "dev"), ("coastal", "dev"), ("city", "dev")];

/// Pupils of each made-up school for each form, and strangers.
const TRIED: usize = 16;

/// Messages of strangers under each roster, and of the grammar of ordinary mail.
const MESSAGES: usize = 800;

/// How often the same things were seen of a name: where the pupil was meant, and where not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Count {
    pub meant: f64,
    pub other: f64,
}

impl Count {
    pub fn all(self) -> f64 {
        self.meant + self.other
    }
}

/// All names of one school by what was seen of them; the word of the prior comes first.
pub type Seen = BTreeMap<Vec<&'static str>, Count>;

/// Names of each school.
pub type Spans = BTreeMap<String, Seen>;

fn add(seen: &mut Seen, weighed: &[Weighed], meant: impl Fn(usize) -> bool) {
    for name in weighed {
        let count = seen.entry(name.words()).or_default();
        if name.pupils.iter().any(|pupil| meant(pupil.0 as usize)) {
            count.meant += 1.0;
        } else {
            count.other += 1.0;
        }
    }
}

fn of(school: &School, documents: &[Document]) -> Vec<Weighed> {
    weighed(documents, school, &Correspondence::default())
}

/// Names in the labelled mail of a school.
fn labelled(name: &str, tag: &str) -> Seen {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let config = Config::load(&folder.join("school.toml")).expect("a sound configuration");
    let ground = ground::load(&config).expect("a sound roster").ground;
    let cases = std::fs::read_to_string(folder.join("cases.jsonl")).expect("labelled cases");
    let mut seen = Seen::new();
    for line in cases.lines().filter(|line| !line.trim().is_empty()) {
        let case: Case = serde_json::from_str(line).expect("a labelled case");
        let tagged = |tag: &str| case.tags.iter().any(|other| other == tag);
        if !tag.strip_prefix('-').map_or(tag.is_empty() || tagged(tag), |tag| !tagged(tag)) {
            continue;
        }
        let raw = std::fs::read(folder.join(&case.file)).expect("a message");
        let envelope = check::envelope(&case.mail_from, &case.rcpt).expect("an envelope");
        add(&mut seen, &inspect::weighed(&ground, &envelope, &raw), |pupil| {
            case.pupils.contains(&ground.school.pupils[pupil].id)
        });
    }
    seen
}

/// Names of a made-up school in every written form, and of strangers in forms that look alike.
fn written(kind: Kind, rng: &mut Seeded, seen: &mut Seen) {
    let roster = Roster::new(school(kind, &mut rng.branch()));
    for form in forms() {
        let mut rng = rng.branch();
        for _ in 0..TRIED {
            let at = rng.below(roster.school.pupils.len() as u64) as usize;
            let context = rng.pick(CONTEXTS);
            let mut case = Written { roster: &roster, at, context, rng: &mut rng };
            let Some(documents) = case.has_own_name().then(|| (form.write)(&mut case)).flatten() else { continue };
            add(seen, &of(&roster.school, &documents), |pupil| pupil == at);
        }
    }
    for (_, write) in strangers() {
        let mut rng = rng.branch();
        for _ in 0..TRIED {
            let at = rng.below(roster.school.pupils.len() as u64) as usize;
            let context = rng.pick(CONTEXTS);
            let mut case = Written { roster: &roster, at, context, rng: &mut rng };
            let Some(documents) = write(&mut case) else { continue };
            add(seen, &of(&roster.school, &documents), |_| false);
        }
    }
    let strangers = Strangers::of(&roster.school);
    for number in 0..MESSAGES {
        let text = strangers.mail(number, rng).text;
        add(seen, &of(&roster.school, &message(&text, "\n")), |_| false);
    }
}

/// A subject, and below it paragraphs.
fn message(text: &str, break_behind_subject: &str) -> [Document; 2] {
    let (subject, body) = text.split_once(break_behind_subject).unwrap_or(("", text));
    let paragraphs = |text: &str| text.split("\n\n").map(Block::paragraph).collect();
    [
        Document { kind: Part::Subject, place: "subject".into(), blocks: paragraphs(subject) },
        Document { kind: Part::Body, place: "body".into(), blocks: paragraphs(body) },
    ]
}

/// Names of small schools in the forms that fail most, and of strangers in the same.
fn by_form(rng: &mut Seeded) -> Seen {
    let mut seen = Seen::new();
    let school = names::School::new(rng);
    for at in 0..school.school.pupils.len() {
        for (_, write) in names::FORMS {
            let Some(documents) = write(&school, at, rng) else { continue };
            add(&mut seen, &of(&school.school, &documents), |pupil| pupil == at);
        }
        for (_, write) in names::STRANGERS {
            let Some(documents) = write(&school, at, rng) else { continue };
            add(&mut seen, &of(&school.school, &documents), |_| false);
        }
    }
    seen
}

/// Ordinary mail that means nobody, full of words that are names.
fn ordinary(rng: &mut Seeded) -> Seen {
    let mut seen = Seen::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/secondary/school.toml");
    let config = Config::load(&folder).expect("a sound configuration");
    let school = ground::load(&config).expect("a sound roster").ground.school;
    let pupils: Vec<_> = school.pupils.iter().map(|p| (p.forename.clone(), p.surname.clone())).collect();
    let grammar = Grammar::open(&pupils);
    for number in 0..MESSAGES {
        let kind = grammar.mails[number % grammar.mails.len()];
        let text = grammar.expand(rng.pick::<&str>(&grammar.lists[kind]), rng);
        add(&mut seen, &of(&school, &message(&text, " // ")), |_| false);
    }
    seen
}

/// All names, by school.
pub fn all() -> Spans {
    let mut spans: Spans = SCHOOLS.iter().map(|(name, tag)| ((*name).to_owned(), labelled(name, tag))).collect();
    let mut rng = Seeded::fixed(20_261_130);
    for kind in Kind::ALL {
        written(kind, &mut rng.branch(), spans.entry(format!("made up: {}", kind.name())).or_default());
    }
    spans.insert("made up: forms that fail".to_owned(), by_form(&mut rng.branch()));
    spans.insert("made up: ordinary mail".to_owned(), ordinary(&mut rng.branch()));
    spans
}
