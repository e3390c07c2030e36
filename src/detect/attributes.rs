//! What is said, and of whom: hits of the vocabulary, column headings, dates of birth, addresses and numbers, each given to
//! the pupils in whose context it stands. What is said of the school, of staff or in a footer is nobody's.

mod columns;
mod context;
mod fiction;
mod items;
mod plain;
mod quoted;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use self::context::Context;
pub(super) use self::context::general;
pub(super) use self::fiction::of_a_role;
use self::subject::Clause;
use super::deeds;
use super::identifiers::{Number, Whose};
use super::marks::Marks;
use super::meaning::Reader;
use super::names::Mention;
use super::scene::{Line, Scene};
use super::vocabulary::{Hit, Predicate, VOCABULARY};
use super::words::{CHILD, DENIALS, KIN, OF_ONE_PERSON, is, is_in_any_case};
use super::{Confidence, Finding, Listed, Tier};
use crate::limits;
use crate::people::index::{Fact, streets};
use crate::people::{PupilIndex, School};
use crate::text::normalise::{Case, Gap, TokenKind, token_hash};
use crate::text::{Kind, Text};

/// What is known of one pupil.
#[derive(Debug, Default)]
pub(super) struct About {
    pub tier: Option<Tier>,
    pub categories: BTreeSet<String>,
    /// See [`super::PupilFinding::doubtful`].
    pub doubtful: bool,
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
    /// A phrase of the vocabulary in prose, and what it is of: its sentence, read as a whole, may rule it out.
    phrase: Option<Predicate>,
}

impl Said {
    /// What makes a record of whoever it is said of, and is no phrase that a sentence may rule out.
    fn record(line: usize, from: usize, to: usize, category: usize, weak: bool) -> Self {
        Self { line, from, to, category, tier: Tier::Record, weak, denies: false, phrase: None }
    }
}

/// Attributes of the identified pupils, with the findings they rest on.
pub(super) fn attribute(
    scene: &Scene<'_>,
    school: &School,
    mentions: &[Mention],
    numbers: &[Number],
    listed: &mut Listed,
) -> (BTreeMap<PupilIndex, About>, Vec<Finding>) {
    let context = Context::new(scene, mentions, numbers);
    let mut about: HashMap<PupilIndex, About> = HashMap::new();
    let mut findings = Vec::new();
    for &pupil in &context.identified {
        about.entry(pupil).or_default();
    }
    let fiction = fiction::Fiction::default();
    let (mut said, elsewhere) = everything_said(scene, school, &context, numbers, &fiction);
    let denies =
        |said: &&Said| said.tier < VOCABULARY.categories[said.category].tier && scene.lines[said.line].cell().is_none();
    let sentence =
        |said: &Said| (said.line, scene.lines[said.line].sentence.get(said.from).copied().unwrap_or_default());
    let denied_there = said.iter().filter(denies).map(sentence).collect();
    let settled = plain::Settled { fiction, elsewhere, denied: denied_there };
    // What a pupil's own row denies, the title of the list does not say of that pupil.
    let mut denied: HashSet<(PupilIndex, usize)> = HashSet::new();
    for said in said.iter().filter(|said| said.denies) {
        denied.extend(context.whose(scene, said).into_iter().map(|pupil| (pupil, said.category)));
    }
    let mut reader = Reader::default();
    // What stands whatever its sentence says goes first: it may spare the reading of others.
    said.sort_by_key(|said| said.phrase.is_some());
    for mut said in said {
        let pupils = context.whose(scene, &said);
        let known = |about: &About| {
            about.tier >= Some(said.tier) && about.categories.contains(VOCABULARY.categories[said.category].id)
        };
        // The encoder is asked last, and only about what would change something.
        if pupils.iter().all(|pupil| about.get(pupil).is_some_and(known))
            || plain::rules_out(&mut reader, scene, &context, &said)
        {
            continue;
        }
        let title = !denied.is_empty() && context.listed_below(scene, &said).is_some();
        let full = said.tier;
        for pupil in pupils {
            said.tier = if title && denied.contains(&(pupil, said.category)) { Tier::Record.min(full) } else { full };
            let entry = about.entry(pupil).or_default();
            let category = &VOCABULARY.categories[said.category];
            entry.tier = entry.tier.max(Some(said.tier));
            let line = &scene.lines[said.line];
            if !entry.categories.contains(category.id) {
                entry.categories.insert(category.id.to_owned());
                if !listed.takes(line.document(), category.id) {
                    continue;
                }
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
    plain::raise(scene, &context, &settled, &mut reader, &mut about, &mut findings, listed);
    (about.into_iter().collect(), findings)
}

/// Reads the lists of nouns that are built into the program.
pub(super) fn check() -> Result<(), toml::de::Error> {
    subject::Nouns::embedded().map(|_| ())
}

/// All that is said, and of which lines and categories it was found that another thing is meant.
fn everything_said(
    scene: &Scene<'_>,
    school: &School,
    context: &Context<'_>,
    numbers: &[Number],
    fiction: &fiction::Fiction,
) -> (Vec<Said>, Vec<(usize, usize)>) {
    let mut out = Vec::new();
    let mut ambiguous = Vec::new();
    let (attainment, origin) = (VOCABULARY.id("attainment"), VOCABULARY.id("ethnicity-religion"));
    for (at, line) in scene.lines() {
        if line.footer {
            continue;
        }
        for hit in line.hits() {
            // Faith, Christian and Polly Gay are names where they name somebody.
            if context.names.contains(at, hit.from) {
                continue;
            }
            let category = &VOCABULARY.categories[hit.category];
            let name = |token| context.names.contains(at, token);
            let clause = Clause { text: &line.text, sentence: line.sentence, name: &name };
            if of_the_writer(&line.text, hit.from)
                || clause.of_another(hit)
                || contracted(&line.text, hit)
                || quoted::title(scene, &line.text, hit, &name)
                || fiction.tells(scene, context, at, hit)
                || (hit.weak && line.cell().is_none() && plain::doubted(line, hit.from, &name))
                || (hit.weak && Some(hit.category) == origin && is_language(&line.text, hit.from))
            {
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
                phrase: Some(hit.predicate).filter(|_| !hit.weak && line.cell().is_none()),
            });
        }
        if let Some(category) = attainment
            && line.all_marks.has(Marks::DIGIT)
        {
            measures(at, &line.text, category, &mut out);
            if context.identified.len() == 1 {
                figures(at, line, [category, VOCABULARY.id("attendance").unwrap_or(category)], &mut out);
            }
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
            out.push(Said::record(number.line, from, to, category, false));
        }
    }
    let elsewhere = said_elsewhere(scene, &ambiguous, &mut out);
    (out, elsewhere)
}

/// Takes out the placement of work experience: of ambiguous words what the rest of the message gives another meaning. Gives the lines and
/// categories of what it took out.
fn said_elsewhere(scene: &Scene<'_>, ambiguous: &[usize], said: &mut Vec<Said>) -> Vec<(usize, usize)> {
    let mut elsewhere: BTreeSet<usize> = ambiguous.iter().map(|&at| said[at].category).collect();
    let sensitive = |(at, said): (usize, &Said)| {
        let told = !said.weak || elsewhere.contains(&said.category);
        told && said.tier == Tier::Sensitive && ambiguous.binary_search(&at).is_err()
    };
    if ambiguous.is_empty() || said.iter().enumerate().any(sensitive) {
        return Vec::new();
    }
    elsewhere.retain(|&category| scene.lines().any(|(_, line)| VOCABULARY.elsewhere(category, &line.text)));
    let mut places = 0_usize..;
    let another = said.extract_if(.., |said| {
        let place = places.next().unwrap_or(usize::MAX);
        elsewhere.contains(&said.category) && ambiguous.binary_search(&place).is_ok()
    });
    another.map(|said| (said.line, said.category)).collect()
}

/// `counted to 100 in Polish` names a language.
fn is_language(text: &Text<'_>, from: usize) -> bool {
    from.checked_sub(1).is_some_and(|before| matches!(text.word(before), "in" | "into"))
}

/// `I'll drive them back` names nobody ill.
fn contracted(text: &Text<'_>, hit: &Hit) -> bool {
    const CUT_OFF: [&str; 5] = ["ll", "re", "ve", "d", "m"];
    let written = text.tokens.get(hit.from).map_or("", |token| &text.folded()[token.start()..token.end()]);
    hit.to == hit.from + 1 && written.rsplit_once('\'').is_some_and(|(_, end)| CUT_OFF.contains(&end))
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
    // `7y 2m`, a reading age.
    let unit = |at: usize, units: &[&str]| {
        let word = text.word(at);
        let letters = word.trim_start_matches(|c: char| c.is_ascii_digit());
        text.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Mixed) && is(units, letters)
    };
    for (index, token) in text.tokens.iter().enumerate() {
        if unit(index, &["y", "yr", "yrs"]) && unit(index + 1, &["m", "mth", "mths"]) {
            let to = index + 2;
            out.push(Said::record(at, index, to, category, true));
        }
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
        // `got all 60 in the check`
        let all = index > 1
            && matches!(text.word(index - 1), "all" | "only" | "just" | "full")
            && matches!(text.word(index - 2), "got" | "gets" | "scored" | "achieved");
        if percent || fraction || out_of || got || all {
            out.push(Said::record(at, index, index + 1, category, true));
        }
    }
}

/// `The attendance this term is 82%` in a message about one pupil: that pupil's, though nothing else in the sentence says so.
fn figures(at: usize, line: &Line<'_>, [attainment, attendance]: [usize; 2], out: &mut Vec<Said>) {
    let text = &line.text;
    for (from, &sentence) in line.sentence.iter().enumerate().filter(|(from, _)| deeds::measure(text, *from)) {
        let first = line.sentence.partition_point(|&other| other < sentence);
        if !deeds::figure(line, sentence, first) {
            continue;
        }
        let of = |word: &str| matches!(word, "attendance" | "absence" | "absences");
        let present =
            (first..text.tokens.len()).take_while(|&at| line.sentence[at] == sentence).any(|at| of(text.word(at)));
        let category = if present { attendance } else { attainment };
        out.push(Said::record(at, from, from + 1, category, false));
    }
}

/// Columns whose heading is an attribute, and rows that begin with a label.
fn headings(scene: &Scene<'_>, context: &Context<'_>, out: &mut Vec<Said>) {
    // Of the table at hand: where its headings stand, and what each column is.
    let mut table = None;
    let mut heading_row: Option<usize> = None;
    let mut columns: HashMap<usize, (usize, usize)> = HashMap::new();
    let mut named_row = (usize::MAX, false);
    for (at, line) in scene.lines() {
        let Some((row, column)) = line.cell() else { continue };
        if table != Some((line.document(), line.block())) {
            table = Some((line.document(), line.block()));
            heading_row = None;
            columns.clear();
            named_row.0 = usize::MAX;
        }
        // Faith and Chance in a list of names head no column.
        if named_row.0 != row {
            named_row = (row, !context.row(at).is_empty());
        }
        let named = named_row.1;
        if heading_row.is_none_or(|heading| heading == row) && !named {
            // A row of one cell is the table's title.
            let beside = |other: Option<usize>| {
                other.and_then(|other| scene.lines.get(other)).is_some_and(|other| {
                    Some((other.document(), other.block())) == table && other.cell().map(|cell| cell.0) == Some(row)
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
            let beside = left.document() == line.document()
                && left.block() == line.block()
                && left.cell() == Some((row, column.checked_sub(1)?));
            (beside && column == 1 && !named).then(|| VOCABULARY.heading(&left.text)).flatten()
        };
        let heading = columns.get(&column).filter(|(at, _)| *at < row).map(|(_, c)| *c).or_else(label);
        let Some(category) = heading else { continue };
        let denied = is_in_any_case(DENIALS, value)
            || matches!(value, "-" | "–" | "" | "x" | "n/a" | "N/A" | "F" | "No" | "None");
        let tier = match VOCABULARY.code(category, value) {
            Some(true) => VOCABULARY.categories[category].tier,
            Some(false) => Tier::Record,
            None if denied => Tier::Record,
            None => VOCABULARY.categories[category].tier,
        };
        let denies = tier < VOCABULARY.categories[category].tier;
        out.push(Said { tier, denies, ..Said::record(at, 0, line.text.tokens.len(), category, true) });
    }
}

/// `Baz 07700 900720`, or the number below the name, at the end of what somebody writes: the writer's own.
fn signs_off(scene: &Scene<'_>, context: &Context<'_>, at: usize, from: usize, to: usize) -> bool {
    let line = &scene.lines[at];
    let tokens = line.text.tokens;
    let mut behind = at + 1..scene.of_document[line.document()].end;
    let last = to == tokens.len() && behind.all(|other| scene.lines[other].footer);
    if line.cell().is_some() || !matches!(scene.kind(at), Kind::Body | Kind::Quoted) || !last {
        return false;
    }
    let opens = |at: &usize| tokens[*at].gap.has(Gap::NEWLINE);
    let row = |end: usize| (0..=end).rev().find(opens).unwrap_or(0);
    let mut first = row(from);
    if first == from && from > 0 {
        first = row(from - 1);
    }
    let own = |token: usize| {
        let word = line.text.word(token);
        tokens[token].kind == TokenKind::Word
            && tokens[token].case != Case::Lower
            && !context.names.contains(at, token)
            && ![KIN, CHILD, OF_ONE_PERSON].iter().any(|list| is(list, word))
    };
    (1..=limits::SIGNED_WITH).contains(&(from - first)) && (first..from).all(own)
}

/// A pupil's own birth date, address or telephone, and labelled ones in the pupil's sentence.
fn personal_facts(scene: &Scene<'_>, school: &School, context: &Context<'_>, out: &mut Vec<Said>) {
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
            out.push(Said::record(fact.line, fact.from, fact.to, category, false));
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
                if home || !signs_off(scene, context, at, from, to) {
                    out.push(Said::record(at, from, to, contact, !home));
                }
            }
            from = to;
        }
    }
}
