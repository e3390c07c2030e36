//! What is said, and of whom: hits of the vocabulary, column headings, dates of birth, addresses and numbers, each given to
//! the pupils in whose context it stands.
//!
//! Context, nearest first: the same sentence; the row; the same paragraph; the document, when it is short or speaks of one
//! pupil; the message, for a pupil whom the subject or the file's name names. What is said of the school, of staff or in a
//! footer is nobody's.

mod columns;
mod plain;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use self::subject::Clause;
use super::identifiers::{Number, Whose};
use super::marks::Marks;
use super::names::Mention;
use super::scene::Scene;
use super::vocabulary::VOCABULARY;
use super::words::{DENIALS, GENERAL, is};
use super::{Confidence, Finding, Tier};
use crate::limits;
use crate::people::index::{Fact, streets};
use crate::people::{PupilIndex, School};
use crate::text::normalise::{Gap, TokenKind, token_hash};
use crate::text::{Kind, Text};

/// What is known of one pupil.
#[derive(Debug, Default)]
pub(super) struct About {
    pub tier: Option<Tier>,
    pub categories: BTreeSet<String>,
}

/// Something said, at its place.
struct Said {
    line: usize,
    from: usize,
    to: usize,
    category: usize,
    tier: Tier,
    weak: bool,
    /// The value in a column of this category that says no.
    denies: bool,
}

/// Attributes of the identified pupils, with the findings they rest on.
pub(super) fn attribute(
    scene: &Scene<'_>,
    school: &School,
    mentions: &[Mention],
    numbers: &[Number],
) -> (BTreeMap<PupilIndex, About>, Vec<Finding>) {
    let context = Context::new(scene, mentions, numbers);
    let mut about: BTreeMap<PupilIndex, About> = BTreeMap::new();
    let mut findings = Vec::new();
    for &pupil in &context.identified {
        about.entry(pupil).or_default();
    }
    let said = everything_said(scene, school, &context, numbers);
    // What a pupil's own row denies, the title of the list does not say of that pupil.
    let mut denied: HashSet<(PupilIndex, usize)> = HashSet::new();
    for said in said.iter().filter(|said| said.denies) {
        denied.extend(context.whose(scene, said).into_iter().map(|pupil| (pupil, said.category)));
    }
    for mut said in said {
        let title = !denied.is_empty() && context.listed_below(scene, &said).is_some();
        let full = said.tier;
        for pupil in context.whose(scene, &said) {
            said.tier = if title && denied.contains(&(pupil, said.category)) { Tier::Record.min(full) } else { full };
            let entry = about.entry(pupil).or_default();
            let category = &VOCABULARY.categories[said.category];
            entry.tier = entry.tier.max(Some(said.tier));
            if entry.categories.insert(category.id.to_owned()) {
                let line = &scene.lines[said.line];
                findings.push(Finding {
                    kind: category.id,
                    text: line.text.slice(said.from, said.to).to_owned(),
                    place: scene.place(said.line).to_owned(),
                    detail: scene.detail(said.line),
                    confidence: if said.weak { Confidence::Medium } else { Confidence::High },
                    pupil: Some(pupil),
                    because: match said.tier {
                        Tier::Sensitive => "said of the pupil; special category or safeguarding".into(),
                        _ => "said of the pupil".into(),
                    },
                    at: Some((said.line, line.text.span_of(said.from, said.to))),
                    excerpt: None,
                });
            }
        }
    }
    plain::raise(scene, &context, &mut about, &mut findings);
    (about, findings)
}

/// Reads the lists of nouns that are built into the program.
pub(super) fn check() -> Result<(), toml::de::Error> {
    subject::Nouns::embedded().map(|_| ())
}

/// Who is spoken of where.
struct Context {
    identified: BTreeSet<PupilIndex>,
    /// Those of them who are meant without reasonable doubt.
    sure: BTreeSet<PupilIndex>,
    /// Mentions by line: token, sentence, pupils.
    by_line: HashMap<usize, Vec<(usize, u32, Vec<PupilIndex>)>>,
    by_row: HashMap<(usize, usize, usize), Vec<PupilIndex>>,
    by_block: HashMap<(usize, usize), BTreeSet<PupilIndex>>,
    by_document: HashMap<usize, BTreeSet<PupilIndex>>,
    /// Pupils whom the subject names.
    subject: BTreeSet<PupilIndex>,
    /// Pupils whom a file's name names, by place.
    files: HashMap<String, BTreeSet<PupilIndex>>,
    lengths: HashMap<usize, usize>,
    /// Tokens that are part of a name.
    names: HashSet<(usize, usize)>,
}

impl Context {
    fn new(scene: &Scene<'_>, mentions: &[Mention], numbers: &[Number]) -> Self {
        let mut out = Self {
            identified: BTreeSet::new(),
            sure: BTreeSet::new(),
            by_line: HashMap::new(),
            by_row: HashMap::new(),
            by_block: HashMap::new(),
            by_document: HashMap::new(),
            subject: BTreeSet::new(),
            files: HashMap::new(),
            lengths: HashMap::new(),
            names: HashSet::new(),
        };
        for mention in mentions {
            if mention.identifies {
                out.identified.extend(mention.pupils.iter().copied());
                if mention.confidence == Confidence::High {
                    out.sure.extend(mention.pupils.iter().copied());
                }
            }
            out.add(scene, mention.line, mention.from, &mention.pupils);
            out.names.extend((mention.from..mention.to).map(|token| (mention.line, token)));
        }
        for number in numbers {
            if let Whose::Pupil(pupil) = number.whose {
                out.identified.insert(pupil);
                out.sure.insert(pupil);
                let token = scene.lines[number.line].text.token_at(number.range.start);
                out.add(scene, number.line, token, &[pupil]);
            }
        }
        for (document, lines) in scene.of_document.iter().enumerate() {
            out.lengths.insert(document, lines.clone().map(|line| scene.lines[line].text.tokens.len()).sum());
        }
        out
    }

    fn add(&mut self, scene: &Scene<'_>, at: usize, token: usize, pupils: &[PupilIndex]) {
        let line = &scene.lines[at];
        let sentence = line.sentence.get(token).copied().unwrap_or_default();
        self.by_line.entry(at).or_default().push((token, sentence, pupils.to_vec()));
        if let Some((row, _)) = line.cell {
            self.by_row.entry((line.document, line.block, row)).or_default().extend(pupils);
        }
        self.by_block.entry((line.document, line.block)).or_default().extend(pupils);
        self.by_document.entry(line.document).or_default().extend(pupils);
        match scene.kind(at) {
            Kind::Subject => self.subject.extend(pupils),
            Kind::FileName => self.files.entry(scene.place(at).to_owned()).or_default().extend(pupils),
            _ => {}
        }
    }

    /// `These have free meals:` with the names below, in the same paragraph, the next ones, or the rows of a table.
    fn listed_below(&self, scene: &Scene<'_>, said: &Said) -> Option<Vec<PupilIndex>> {
        let line = &scene.lines[said.line];
        let sentence = line.sentence.get(said.from).copied().unwrap_or_default();
        let named = |at: usize, after: Option<u32>| -> Vec<PupilIndex> {
            let here = self.by_line.get(&at).map_or(&[][..], Vec::as_slice);
            here.iter()
                .filter(|(_, s, _)| after.is_none_or(|after| *s > after))
                .flat_map(|(.., pupils)| pupils.clone())
                .collect()
        };
        let end = line.sentence.iter().rposition(|&s| s == sentence).unwrap_or(said.from);
        let tokens = &line.text.tokens;
        let stop = tokens
            .get(end + 1)
            .map_or_else(|| line.text.folded().trim_end().ends_with(':'), |next| next.gap.has(Gap::COLON));
        let title = match line.cell {
            // A row of one cell above the pupils.
            Some((row, _)) => !self.by_row.contains_key(&(line.document, line.block, row)),
            None => {
                stop || (line.heading()
                    && said.from < 8
                    && scene.lines.get(said.line + 1).is_some_and(|next| next.cell.is_some()))
            }
        };
        if !title
            || said.weak
            || (line.cell.is_none()
                && self.by_line.get(&said.line).is_some_and(|here| here.iter().any(|(_, s, _)| *s == sentence)))
        {
            return None;
        }
        if line.cell.is_some() {
            let alone = |at: usize| {
                scene
                    .lines
                    .get(at)
                    .is_none_or(|other| other.block != line.block || other.cell.map(|c| c.0) != line.cell.map(|c| c.0))
            };
            if !(alone(said.line + 1) && said.line.checked_sub(1).is_none_or(alone)) {
                return None;
            }
        }
        let mut out = if line.cell.is_none() { named(said.line, Some(sentence)) } else { Vec::new() };
        if out.is_empty() {
            let range = &scene.of_document[line.document];
            for at in (said.line + 1..range.end).take(limits::TITLED_LIST) {
                let other = &scene.lines[at];
                let below = named(at, None);
                if other.cell.is_none() && below.is_empty() {
                    break;
                }
                if line.cell.is_some() && other.block != line.block {
                    break;
                }
                out.extend(below);
            }
        }
        (!out.is_empty()).then_some(out)
    }

    fn whose(&self, scene: &Scene<'_>, said: &Said) -> Vec<PupilIndex> {
        let line = &scene.lines[said.line];
        if line.footer {
            return Vec::new();
        }
        let sentence = line.sentence.get(said.from).copied().unwrap_or_default();
        if let Some(list) = self.listed_below(scene, said) {
            return list;
        }
        if let Some((row, _)) = line.cell {
            if let Some(pupils) = self.by_row.get(&(line.document, line.block, row)) {
                return pupils.clone();
            }
            // A form: one pupil in the whole table.
            if let Some(pupils) = self.by_block.get(&(line.document, line.block)) {
                return if pupils.len() == 1 { pupils.iter().copied().collect() } else { Vec::new() };
            }
        }
        if let Some(here) = self.by_line.get(&said.line) {
            let same: Vec<PupilIndex> =
                here.iter().filter(|(_, s, _)| *s == sentence).flat_map(|(.., p)| p.clone()).collect();
            if !same.is_empty() {
                return same;
            }
            if general(&line.text, line.sentence, sentence) {
                return Vec::new();
            }
            let before = here.iter().map(|(_, s, _)| *s).filter(|&s| s < sentence).max();
            let after = here.iter().map(|(_, s, _)| *s).filter(|&s| s > sentence).min();
            let near = before.or(after).filter(|s| !said.weak || s.abs_diff(sentence) <= 1);
            if let Some(near) = near {
                return here.iter().filter(|(_, s, _)| *s == near).flat_map(|(.., p)| p.clone()).collect();
            }
        }
        if general(&line.text, line.sentence, sentence) {
            return Vec::new();
        }
        let named: Option<&BTreeSet<PupilIndex>> = match scene.kind(said.line) {
            Kind::Attachment | Kind::FileName => {
                self.files.get(scene.place(said.line)).or_else(|| (!self.subject.is_empty()).then_some(&self.subject))
            }
            _ => (!self.subject.is_empty()).then_some(&self.subject),
        };
        if let Some(pupils) = named
            && !said.weak
        {
            return pupils.iter().copied().collect();
        }
        if said.weak {
            return Vec::new();
        }
        let length = self.lengths.get(&line.document).copied().unwrap_or_default();
        match self.by_document.get(&line.document) {
            Some(pupils) if pupils.len() == 1 && length <= limits::SHORT_DOCUMENT * 2 => {
                pupils.iter().copied().collect()
            }
            Some(pupils) if length <= limits::SHORT_DOCUMENT && line.cell.is_none() => {
                // Several pupils: the nearest paragraph that names one.
                let near = (0..=2).find_map(|back| {
                    self.by_line
                        .get(&said.line.checked_sub(back)?)
                        .filter(|_| scene.lines[said.line - back].document == line.document)
                });
                match near.and_then(|here| here.last()) {
                    Some((.., pupils)) => pupils.clone(),
                    None if pupils.len() <= 2 => pupils.iter().copied().collect(),
                    None => Vec::new(),
                }
            }
            // A short reply above or below what names the pupil.
            None if matches!(scene.kind(said.line), Kind::Body | Kind::Quoted | Kind::Subject | Kind::FileName)
                && length <= limits::SHORT_DOCUMENT =>
            {
                let all: BTreeSet<PupilIndex> = self.identified.clone();
                if all.len() == 1 { all.into_iter().collect() } else { Vec::new() }
            }
            // An attachment that names nobody, in a message about one pupil only, is about that pupil.
            None if self.identified.len() == 1 && length <= limits::SHORT_DOCUMENT => {
                self.identified.iter().copied().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The sentence speaks of the school, its staff or everybody.
pub(super) fn general(text: &Text<'_>, sentences: &[u32], sentence: u32) -> bool {
    text.tokens.iter().zip(sentences).any(|(token, &s)| s == sentence && is(GENERAL, text.norm(token)))
}

fn everything_said(scene: &Scene<'_>, school: &School, context: &Context, numbers: &[Number]) -> Vec<Said> {
    let mut out = Vec::new();
    let mut ambiguous = Vec::new();
    let attainment = VOCABULARY.id("attainment");
    for (at, line) in scene.lines() {
        if line.footer {
            continue;
        }
        let hits = if line.all_marks.has(Marks::PHRASE) { VOCABULARY.hits(&line.text) } else { Vec::new() };
        for hit in hits {
            // Faith, Christian and Polly Gay are names where they name somebody.
            if context.names.contains(&(at, hit.from)) {
                continue;
            }
            let category = &VOCABULARY.categories[hit.category];
            let name = |token| context.names.contains(&(at, token));
            let clause = Clause { text: &line.text, sentence: line.sentence, name: &name };
            if of_the_writer(&line.text, hit.from) || clause.of_another(&hit) {
                continue;
            }
            let tier = if denied(&line.text, line.sentence, hit.from, hit.to) {
                Tier::Record.min(category.tier)
            } else {
                category.tier
            };
            if hit.ambiguous {
                ambiguous.push(out.len());
            }
            out.push(Said {
                line: at,
                from: hit.from,
                to: hit.to,
                category: hit.category,
                tier,
                weak: hit.weak,
                denies: false,
            });
        }
        if let Some(category) = attainment
            && line.all_marks.has(Marks::DIGIT)
        {
            measures(at, &line.text, category, &mut out);
        }
    }
    headings(scene, context, &mut out);
    if let Some(category) = attainment {
        columns::results(scene, context, category, &mut out);
    }
    personal_facts(scene, school, context, &mut out);
    for number in numbers {
        let category = match number.whose {
            Whose::Pupil(_) => VOCABULARY.id("identifier"),
            Whose::Unlisted => VOCABULARY.id("identifier"),
            Whose::Adult => None,
        };
        if let Some(category) = category {
            let text = &scene.lines[number.line].text;
            let from = text.token_at(number.range.start);
            let to = (text.token_at(number.range.end.saturating_sub(1)) + 1).min(text.tokens.len());
            out.push(Said { line: number.line, from, to, category, tier: Tier::Record, weak: false, denies: false });
        }
    }
    said_elsewhere(scene, &ambiguous, &mut out);
    out
}

/// Takes out the placement of work experience: of ambiguous words what the rest of the message gives another meaning.
fn said_elsewhere(scene: &Scene<'_>, ambiguous: &[usize], said: &mut Vec<Said>) {
    let mut elsewhere: BTreeSet<usize> = ambiguous.iter().map(|&at| said[at].category).collect();
    let sensitive = |(at, said): (usize, &Said)| {
        let told = !said.weak || elsewhere.contains(&said.category);
        told && said.tier == Tier::Sensitive && ambiguous.binary_search(&at).is_err()
    };
    if ambiguous.is_empty() || said.iter().enumerate().any(sensitive) {
        return;
    }
    elsewhere.retain(|&category| scene.lines().any(|(_, line)| VOCABULARY.elsewhere(category, &line.text)));
    let mut places = 0_usize..;
    said.retain(|said| {
        let place = places.next().unwrap_or(usize::MAX);
        !(elsewhere.contains(&said.category) && ambiguous.binary_search(&place).is_ok())
    });
}

/// `my hospital appointment` is the writer's own.
pub(super) fn of_the_writer(text: &Text<'_>, from: usize) -> bool {
    (1..=2).any(|back| {
        from.checked_sub(back).is_some_and(|at| {
            matches!(text.word(at), "my" | "our" | "im" | "ive")
                && !text.tokens[at + 1..=from].iter().any(|t| t.gap.has(Gap::STOP.or(Gap::COMMA)))
        })
    })
}

/// `no allergies`, `SEN: N`, `asthma - none`.
fn denied(text: &Text<'_>, sentences: &[u32], from: usize, to: usize) -> bool {
    let same = |at: usize| sentences.get(at) == sentences.get(from);
    let before = (1..=3).any(|back| {
        from.checked_sub(back).is_some_and(|at| {
            same(at)
                && matches!(
                    text.word(at),
                    "no" | "not" | "without" | "never" | "nil" | "isnt" | "doesnt" | "hasnt" | "brak"
                )
                && !text.tokens[at + 1..=from].iter().any(|t| t.gap.has(Gap::COMMA.or(Gap::SEMICOLON)))
        })
    });
    let after = text.tokens.get(to).is_some_and(|token| {
        same(to) && token.gap.has(Gap::COLON.or(Gap::HYPHEN).or(Gap::COLUMN)) && is(DENIALS, text.norm(token))
    });
    before || after
}

/// `91.2%`, `31/40`, `14 out of 20`: a result or a figure of attendance.
fn measures(at: usize, text: &Text<'_>, category: usize, out: &mut Vec<Said>) {
    let folded = text.folded();
    for (index, token) in text.tokens.iter().enumerate() {
        if token.kind != TokenKind::Number {
            continue;
        }
        let percent = folded[token.end()..].starts_with('%');
        let next = text.tokens.get(index + 1);
        let number = |i: usize| text.word(i).parse::<u32>().unwrap_or(u32::MAX);
        let fraction = next.is_some_and(|n| n.gap.only(Gap::SLASH) && n.kind == TokenKind::Number)
            && !token.gap.has(Gap::SLASH)
            && !text.tokens.get(index + 2).is_some_and(|n| n.gap.only(Gap::SLASH))
            && number(index) <= number(index + 1)
            && (13..=200).contains(&number(index + 1));
        let out_of = text.word(index + 1) == "out" && text.word(index + 2) == "of" && number(index + 3) <= 200;
        let got = index > 0 && matches!(text.word(index - 1), "got" | "scored" | "achieved" | "level");
        if percent || fraction || out_of || got {
            out.push(Said {
                line: at,
                from: index,
                to: index + 1,
                category,
                tier: Tier::Record,
                weak: true,
                denies: false,
            });
        }
    }
}

/// Columns whose heading is an attribute, and rows that begin with a label.
fn headings(scene: &Scene<'_>, context: &Context, out: &mut Vec<Said>) {
    // Of the table at hand: where its headings stand, and what each column is.
    let mut table = None;
    let mut heading_row: Option<usize> = None;
    let mut columns: HashMap<usize, (usize, usize)> = HashMap::new();
    let mut named_row = (usize::MAX, false);
    for (at, line) in scene.lines() {
        let Some((row, column)) = line.cell else { continue };
        if table != Some((line.document, line.block)) {
            table = Some((line.document, line.block));
            heading_row = None;
            columns.clear();
            named_row.0 = usize::MAX;
        }
        // Faith and Chance in a list of names head no column.
        if named_row.0 != row {
            named_row = (row, context.by_row.contains_key(&(line.document, line.block, row)));
        }
        let named = named_row.1;
        if heading_row.is_none_or(|heading| heading == row) && !named {
            // A row of one cell is the table's title.
            let beside = |other: Option<usize>| {
                other.and_then(|other| scene.lines.get(other)).is_some_and(|other| {
                    Some((other.document, other.block)) == table && other.cell.map(|cell| cell.0) == Some(row)
                })
            };
            let title = !beside(at.checked_sub(1)) && !beside(at.checked_add(1));
            if !title && let Some(category) = VOCABULARY.heading(&line.text) {
                heading_row = Some(row);
                columns.insert(column, (row, category));
                continue;
            }
        }
        let value = line.text.folded().trim();
        let label = || {
            // `Reason | kicked a member of staff`: the cell to the left is the label.
            let left = at.checked_sub(1).map(|left| &scene.lines[left])?;
            let beside = left.document == line.document
                && left.block == line.block
                && left.cell == Some((row, column.checked_sub(1)?));
            (beside && column == 1 && !named).then(|| VOCABULARY.heading(&left.text)).flatten()
        };
        let heading = columns.get(&column).filter(|(at, _)| *at < row).map(|(_, c)| *c).or_else(label);
        let Some(category) = heading else { continue };
        let denied = is(DENIALS, &value.to_lowercase())
            || matches!(value, "-" | "–" | "" | "x" | "n/a" | "N/A" | "F" | "No" | "None");
        let tier = match VOCABULARY.code(category, value) {
            Some(true) => VOCABULARY.categories[category].tier,
            Some(false) => Tier::Record,
            None if denied => Tier::Record,
            None => VOCABULARY.categories[category].tier,
        };
        let denies = tier < VOCABULARY.categories[category].tier;
        out.push(Said { line: at, from: 0, to: line.text.tokens.len(), category, tier, weak: true, denies });
    }
}

/// A pupil's own birth date, address or telephone, and labelled ones in the pupil's sentence.
fn personal_facts(scene: &Scene<'_>, school: &School, context: &Context, out: &mut Vec<Said>) {
    let (Some(birth), Some(address), Some(contact)) =
        (VOCABULARY.id("date-of-birth"), VOCABULARY.id("address"), VOCABULARY.id("contact"))
    else {
        return;
    };
    let mut births = HashSet::new();
    let mut codes = HashSet::new();
    let mut homes = HashSet::new();
    for pupil in context.identified.iter().filter_map(|&pupil| school.pupil(pupil)) {
        births.extend(pupil.date_of_birth);
        let plain: String =
            pupil.postcode.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        codes.insert(token_hash(&plain));
        homes.extend(streets(&pupil.address));
    }
    for fact in &scene.facts {
        let category = match fact.fact {
            Fact::Born(date) => {
                let text = &scene.lines[fact.line].text;
                let labelled =
                    (1..=4).any(|back| {
                        fact.from
                            .checked_sub(back)
                            .is_some_and(|at| matches!(text.word(at), "dob" | "born" | "birth" | "birthday"))
                    }) || (fact.from >= 3 && text.word(fact.from - 3) == "d" && text.word(fact.from - 2) == "o");
                (labelled || births.contains(&date)).then_some(birth)
            }
            Fact::Postcode(code) => codes.contains(&code).then_some(address),
            Fact::Street(street) => homes.contains(&street).then_some(address),
            _ => None,
        };
        if let Some(category) = category {
            out.push(Said {
                line: fact.line,
                from: fact.from,
                to: fact.to,
                category,
                tier: Tier::Record,
                weak: false,
                denies: false,
            });
        }
    }
    let own: String = school.telephone.chars().filter(char::is_ascii_digit).collect();
    // Telephones: eleven digits that begin with 0, or with the country code.
    for (at, line) in scene.lines.iter().enumerate().filter(|(_, line)| line.all_marks.has(Marks::DIGIT)) {
        let tokens = &line.text.tokens;
        let mut from = 0;
        let mut digits = String::new();
        while from < tokens.len() {
            digits.clear();
            let mut to = from;
            while to < tokens.len()
                && tokens[to].kind == TokenKind::Number
                && (to == from || tokens[to].gap.only(Gap::SPACE.or(Gap::HYPHEN).or(Gap::OPEN).or(Gap::CLOSE)))
                && digits.len() < 13
            {
                digits.push_str(line.text.word(to));
                to += 1;
            }
            if to == from {
                from += 1;
                continue;
            }
            let shaped =
                (digits.len() == 11 && digits.starts_with('0')) || (digits.len() == 12 && digits.starts_with("44"));
            if shaped && digits != own {
                let home = !school.index().telephone(&digits).is_empty();
                out.push(Said {
                    line: at,
                    from,
                    to,
                    category: contact,
                    tier: Tier::Record,
                    weak: !home,
                    denies: false,
                });
            }
            from = to;
        }
    }
}
