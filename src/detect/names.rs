//! Who is named: runs of name tokens to candidates, candidates to mentions by evidence.
//!
//! A full name is a candidate by the roster index alone; when its parts are also words it must be written as a name,
//! not stand where places and things stand, and have evidence beside it. Forenames alone are the work of `forenames`.

use hashbrown::HashMap;

use super::Confidence;
use super::forenames::{by_initial, forenames, scopes};
use super::scene::{Line, Scene, guardian_facts};
use super::vocabulary::{Hit, VOCABULARY};
use super::words::{ACTS, ANNOUNCES, ARTICLES, CHILD, LANDSCAPE, PLACES, PREPOSITIONS, TITLES, is};
use crate::people::index::{Adult, Fact, Part};
use crate::people::names::{NAMES, Wordness};
use crate::people::{PupilIndex, School};
use crate::text::normalise::{Case, EMPTY_RUN, Gap, TokenKind, extend};
use crate::text::{Kind, Text};

/// A pupil (or pupils, where nothing tells them apart) at a place.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub line: usize,
    pub from: usize,
    pub to: usize,
    pub pupils: Vec<PupilIndex>,
    /// It identifies by itself; otherwise it refers to a pupil identified elsewhere in the message.
    pub identifies: bool,
    pub confidence: Confidence,
    pub because: String,
}

/// A run of tokens that is a forename or a surname of somebody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub from: usize,
    pub to: usize,
    pub run: u64,
    pub part: Part,
}

#[derive(Debug)]
struct Candidate {
    from: usize,
    to: usize,
    forename: Span,
    surname: Span,
    pupils: Vec<PupilIndex>,
    adults: Vec<Adult>,
    exact: bool,
    comma: bool,
    middle: bool,
}

/// Names of the sender and the recipients, as runs: they sign and greet, and so do not identify.
pub(super) struct Writers {
    pub sender: Vec<u64>,
    pub recipient: Vec<u64>,
}

/// All mentions of the message, in order of place.
pub(super) fn find(scene: &mut Scene<'_>, school: &School, writers: &Writers) -> Vec<Mention> {
    let spans: Vec<Vec<Span>> = scene.lines.iter().map(|line| spans(&line.text, school)).collect();
    let mut candidates: Vec<Vec<Candidate>> = Vec::with_capacity(spans.len());
    let mut guardians = Vec::new();
    for (at, line) in scene.lines.iter().enumerate() {
        let loose_joints = matches!(scene.kind(at), Kind::FileName);
        let found = full_names(line, &spans[at], school, loose_joints);
        for candidate in &found {
            guardians.extend(guardian_facts(at, candidate.from, candidate.to, &candidate.adults));
        }
        candidates.push(found);
    }
    scene.add_facts(guardians);
    scene.gather();
    let mut mentions = Vec::new();
    let mut taken: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
    judge_full_names(scene, school, writers, &spans, candidates, &mut mentions, &mut taken);
    joined_names(scene, school, &mut mentions);
    table_names(scene, school, &spans, &mut mentions, &mut taken);
    forenames(scene, school, writers, &spans, &mut mentions, &taken);
    mentions.sort_by_key(|mention| (mention.line, mention.from));
    mentions
}

fn spans(text: &Text<'_>, school: &School) -> Vec<Span> {
    let inside = Gap::SPACE.or(Gap::NEWLINE).or(Gap::HYPHEN).or(Gap::UNDERSCORE);
    let mut out = Vec::new();
    for from in 0..text.tokens.len() {
        let longest = school.index().longest_from(text.tokens[from].hash);
        let mut run = EMPTY_RUN;
        for at in from..(from + longest).min(text.tokens.len()) {
            let token = &text.tokens[at];
            if at > from && !token.gap.only(inside) {
                break;
            }
            run = extend(run, token.hash);
            if let Some(part) = school.index().part_of(run) {
                out.push(Span { from, to: at + 1, run, part });
            }
        }
    }
    out
}

fn full_names(line: &Line<'_>, spans: &[Span], school: &School, loose_joints: bool) -> Vec<Candidate> {
    let text = &line.text;
    let tokens = &text.tokens;
    let mut by_start: HashMap<usize, Vec<&Span>> = HashMap::new();
    for span in spans {
        by_start.entry(span.from).or_default().push(span);
    }
    let index = school.index();
    let mut found: Vec<Candidate> = Vec::new();
    for first in spans {
        for skip in 0..=3usize {
            let at = first.to + skip;
            let Some(seconds) = by_start.get(&at) else { continue };
            if !tokens[first.to..at].iter().all(|token| middle_like(text, token, loose_joints)) {
                break;
            }
            let gap = tokens[at].gap;
            let comma = tokens[first.to].gap.has(Gap::COMMA);
            for second in seconds {
                for swapped in [false, true] {
                    let (forename, surname) = if swapped { (**second, *first) } else { (*first, **second) };
                    if !joint(gap, loose_joints, swapped, skip, tokens[first.to].gap) {
                        continue;
                    }
                    let mut pupils = if forename.part.pupil_forename && surname.part.pupil_surname {
                        index.full_name(forename.run, surname.run)
                    } else {
                        Vec::new()
                    };
                    let middle = skip > 0;
                    if middle {
                        pupils.retain(|&pupil| {
                            tokens[first.to..at].iter().all(|token| {
                                text.norm(token).chars().count() == 1 || index.is_middle_name(pupil, token.hash)
                            })
                        });
                    }
                    let adults = index.adults(forename.run, surname.run).to_vec();
                    if pupils.is_empty() && adults.is_empty() {
                        continue;
                    }
                    if swapped && !comma && !surname_first(text, first, second) {
                        continue;
                    }
                    found.push(Candidate {
                        from: first.from,
                        to: second.to,
                        forename,
                        surname,
                        exact: index.full_name_is_exact(forename.run, surname.run),
                        pupils,
                        adults,
                        comma: swapped && comma,
                        middle,
                    });
                }
            }
        }
    }
    // Longest first at each place, forename first before surname first; then no overlaps.
    found.sort_by_key(|c| (c.from, std::cmp::Reverse(c.to), c.forename.from != c.from));
    let mut out: Vec<Candidate> = Vec::new();
    for candidate in found {
        if out.last().is_none_or(|last| candidate.from >= last.to) {
            out.push(candidate);
        }
    }
    out
}

fn middle_like(text: &Text<'_>, token: &crate::text::normalise::Token, loose_joints: bool) -> bool {
    let gap = token.gap;
    token.kind == TokenKind::Word
        && (loose_joints || token.case != Case::Lower)
        && !gap.has(Gap::WIDE.or(Gap::COLON).or(Gap::SEMICOLON).or(Gap::AT))
        && !text.norm(token).is_empty()
}

/// Whether what stands between two parts joins them into one name.
fn joint(gap: Gap, loose: bool, swapped: bool, skip: usize, first_gap: Gap) -> bool {
    let mut allowed = Gap::SPACE.or(Gap::NEWLINE).or(Gap::UNDERSCORE);
    if loose {
        allowed = allowed.or(Gap::HYPHEN).or(Gap::STOP).or(Gap::COMMA).or(Gap::WIDE);
    }
    if swapped {
        allowed = allowed.or(Gap::COMMA);
    }
    let dotted = gap.only(Gap::STOP.or(Gap::UNDERSCORE)) && !gap.joined();
    if skip > 0 {
        // `Amy J. Smith`, `Robert (Bob) Smith`, `SMITH, Amy Jane`
        let after = allowed.or(Gap::STOP).or(Gap::CLOSE).or(Gap::OTHER);
        return gap.only(after) && first_gap.only(allowed.or(Gap::OPEN).or(Gap::OTHER).or(Gap::COMMA));
    }
    gap.joined() || gap.only(allowed) || gap.only(Gap::SPACE.or(Gap::COLUMN)) || dotted
}

/// `Smith Amy` without a comma: both written as names, the surname perhaps in capitals.
fn surname_first(text: &Text<'_>, surname: &Span, forename: &Span) -> bool {
    let case = |span: &Span| text.tokens[span.from].case;
    case(surname) != Case::Lower && case(forename) != Case::Lower
}

/// One candidate's evidence, for and against.
fn weigh(
    scene: &Scene<'_>,
    school: &School,
    at: usize,
    candidate: &Candidate,
    others: bool,
    hits: &[Hit],
) -> Option<(Confidence, String)> {
    let line = &scene.lines[at];
    let text = &line.text;
    let tokens = &text.tokens;
    let whole = candidate.from == 0 && candidate.to == tokens.len();
    let (forename, surname) = (candidate.forename.part.wordness, candidate.surname.part.wordness);
    let case = |span: &Span| tokens[span.from].case;
    let written = case(&candidate.forename) != Case::Lower && case(&candidate.surname) != Case::Lower;
    let previous = candidate.from.checked_sub(1).map_or("", |before| text.word(before));
    let directly = tokens.get(candidate.from).is_some_and(|t| t.gap.only(Gap::SPACE.or(Gap::STOP).or(Gap::NEWLINE)));
    if directly && is(TITLES, previous) {
        return None;
    }
    let in_name = !matches!(scene.kind(at), Kind::FileName);
    let hyphened =
        |index: usize| in_name && tokens.get(index).is_some_and(|t| t.gap.only(Gap::HYPHEN) && !t.gap.joined());
    if hyphened(candidate.to)
        && tokens.get(candidate.to).is_some_and(|t| t.kind == TokenKind::Word && t.case != Case::Lower)
        || (candidate.from > 0 && hyphened(candidate.from) && tokens[candidate.from - 1].kind == TokenKind::Word)
    {
        return None;
    }
    if candidate.comma && in_comma_list(line, candidate) {
        return None;
    }
    let class = |span: &Span| school.index().class(span.run).is_some();
    if candidate.comma && class(&candidate.forename) && class(&candidate.surname) && line.cell.is_none() {
        return None;
    }
    if forename == Wordness::Name && surname == Wordness::Name {
        return Some((Confidence::High, "full name".into()));
    }
    let next = text.word(candidate.to);
    let next_token = tokens.get(candidate.to);
    let follows = next_token.is_some_and(|t| t.gap.blank());
    let possessive = tokens[candidate.to - 1].possessive;
    let place_after = follows && is(PLACES, next) && (next_token.is_some_and(|t| t.case != Case::Lower) || !possessive);
    let surname_word = text.word(candidate.surname.from);
    let place_like = is(PLACES, surname_word) || is(LANDSCAPE, surname_word);
    let pointed = directly && (is(ARTICLES, previous) || (place_like && is(PREPOSITIONS, previous)));
    let both = forename > Wordness::Name && surname > Wordness::Name;
    if place_after && !possessive {
        return None;
    }
    if both && pointed {
        return None;
    }
    if !both && written && forename != Wordness::Common {
        return Some((Confidence::High, "full name".into()));
    }
    if !written {
        // In small letters a name must be nothing else.
        let rare = (forename == Wordness::Name
            && surname != Wordness::Common
            && candidate.surname.part.wordness < Wordness::Common)
            || (surname == Wordness::Name && forename == Wordness::Word);
        return (rare && !both && (case(&candidate.forename) == case(&candidate.surname)))
            .then(|| (Confidence::Medium, "full name in small letters".into()));
    }
    // A capital that only the start of a sentence gave is no evidence; nor are capitals of a heading in capitals.
    let run = tokens[candidate.from..candidate.to].iter().fold(EMPTY_RUN, |run, token| extend(run, token.hash));
    let famous = NAMES.famous(run);
    let mut score = 0;
    let mut reasons: Vec<&str> = vec!["full name of words"];
    let mut add = |points: i32, reason: &'static str| {
        score += points;
        reasons.push(reason);
    };
    if possessive {
        add(2, "possessive");
    }
    if candidate.middle {
        add(3, "with a middle name");
    }
    if candidate.comma {
        add(2, "surname first, with a comma");
    }
    if follows && is(ACTS, next) {
        add(1, "acts");
    }
    if is(ANNOUNCES, previous) && tokens[candidate.from].gap.only(Gap::SPACE.or(Gap::COLON)) {
        add(1, "announced");
    }
    if line.cell.is_some() {
        add(2, "in a table");
    }
    if whole && line.cell.is_none() && !matches!(scene.kind(at), Kind::Subject) {
        add(2, "stands alone");
    }
    let sentence = line.sentence[candidate.from];
    if !whole && line.sentence.iter().filter(|&&s| s == sentence).count() == candidate.to - candidate.from {
        add(1, "alone on its line");
    }
    if others {
        add(2, "among other pupils");
    }
    let near = |at: usize| line.sentence[at].abs_diff(sentence) <= 1;
    if (0..tokens.len()).any(|at| near(at) && is(CHILD, text.word(at))) {
        add(1, "spoken of as a child");
    }
    if hits.iter().any(|hit| {
        !hit.weak && line.sentence[hit.from] == sentence && (hit.to <= candidate.from || hit.from >= candidate.to)
    }) {
        add(2, "with an attribute");
    }
    for &pupil in &candidate.pupils {
        let fits = scene.facts_of(at).iter().any(|fact| {
            (fact.to <= candidate.from || fact.from >= candidate.to)
                && match fact.fact {
                    Fact::Guardian(_) => false,
                    other => school.index().forename_with(candidate.forename.run, other).contains(&pupil),
                }
        });
        if fits {
            add(3, "class, year or birth date fits");
            break;
        }
    }
    let wanted = match (famous, forename == Wordness::Common || surname == Wordness::Common, both) {
        (true, ..) => 3,
        (_, true, true) => 2,
        (_, true, false) => 1,
        (_, false, true) => 1 + i32::from(place_like),
        (_, false, false) => 0,
    };
    (score >= wanted).then(|| (if score > wanted { Confidence::High } else { Confidence::Medium }, reasons.join(", ")))
}

/// `James, Oliver, Thomas`: forenames in a row, not a surname before a forename.
fn in_comma_list(line: &Line<'_>, candidate: &Candidate) -> bool {
    let tokens = &line.text.tokens;
    if tokens[candidate.surname.from].case == Case::Upper && tokens[candidate.forename.from].case != Case::Upper {
        return false;
    }
    let before = candidate.from > 0 && tokens[candidate.from].gap.has(Gap::COMMA);
    let after = tokens.get(candidate.to).is_some_and(|t| t.gap.has(Gap::COMMA) && !t.gap.has(Gap::NEWLINE));
    before || (after && line.cell.is_none() && candidate.surname.part.pupil_forename)
}

fn judge_full_names(
    scene: &Scene<'_>,
    school: &School,
    writers: &Writers,
    spans: &[Vec<Span>],
    candidates: Vec<Vec<Candidate>>,
    mentions: &mut Vec<Mention>,
    taken: &mut HashMap<usize, Vec<(usize, usize)>>,
) {
    // First those that need no company, then those that do.
    let mut sure: HashMap<(usize, usize), usize> = HashMap::new();
    for (at, found) in spans.iter().enumerate() {
        for span in found.iter().filter(|span| span.part.pupil_forename) {
            if by_initial(scene, school, at, span).is_some_and(|fits| fits.len() == 1) {
                *sure.entry((scene.lines[at].document, scene.lines[at].block)).or_default() += 1;
            }
        }
    }
    for second_round in [false, true] {
        for (at, found) in candidates.iter().enumerate() {
            let hits =
                if second_round && !found.is_empty() { VOCABULARY.hits(&scene.lines[at].text) } else { Vec::new() };
            for candidate in found {
                let words = candidate.forename.part.wordness > Wordness::Name
                    && candidate.surname.part.wordness > Wordness::Name
                    || candidate.forename.part.wordness == Wordness::Common;
                if words != second_round {
                    continue;
                }
                let key = (scene.lines[at].document, scene.lines[at].block);
                let verdict = (!candidate.pupils.is_empty() && (candidate.exact || candidate.adults.is_empty()))
                    .then(|| weigh(scene, school, at, candidate, sure.contains_key(&key), &hits))
                    .flatten();
                let Some((confidence, because)) = verdict else {
                    if !candidate.adults.is_empty() || !words {
                        taken.entry(at).or_default().push((candidate.from, candidate.to));
                    }
                    continue;
                };
                taken.entry(at).or_default().push((candidate.from, candidate.to));
                if own_signature(scene, at, candidate, writers) {
                    continue;
                }
                *sure.entry(key).or_default() += 1;
                let pupils = single_out(scene, school, at, candidate.forename.run, &candidate.pupils);
                mentions.push(Mention {
                    line: at,
                    from: candidate.from,
                    to: candidate.to,
                    pupils,
                    identifies: true,
                    confidence,
                    because,
                });
            }
        }
    }
}

/// The sender's own name standing by itself is a sign-off.
fn own_signature(scene: &Scene<'_>, at: usize, candidate: &Candidate, writers: &Writers) -> bool {
    let line = &scene.lines[at];
    let tokens = &line.text.tokens[candidate.from..candidate.to];
    let run = tokens.iter().fold(EMPTY_RUN, |run, token| extend(run, token.hash));
    let alone = line.sentence.iter().filter(|&&s| s == line.sentence[candidate.from]).count() == tokens.len();
    matches!(scene.kind(at), Kind::Body) && writers.sender.contains(&run) && alone
}

/// Of several pupils of one name, those whom a class, year, birth date or guardian nearby singles out; else all.
fn single_out(scene: &Scene<'_>, school: &School, at: usize, forename: u64, pupils: &[PupilIndex]) -> Vec<PupilIndex> {
    if pupils.len() < 2 {
        return pupils.to_vec();
    }
    for scope in scopes(scene, at, 0) {
        for fact in scope {
            let fits: Vec<PupilIndex> = school
                .index()
                .forename_with(forename, fact.fact)
                .into_iter()
                .filter(|pupil| pupils.contains(pupil))
                .collect();
            if fits.len() == 1 {
                return fits;
            }
        }
    }
    pupils.to_vec()
}

/// Mailbox names and file names that run forename and surname together; and pupils' own mailboxes.
fn joined_names(scene: &Scene<'_>, school: &School, mentions: &mut Vec<Mention>) {
    for (at, line) in scene.lines.iter().enumerate() {
        for (from, token) in line.text.tokens.iter().enumerate() {
            if token.kind == TokenKind::Word && line.text.norm(token).len() >= 6 {
                let pupils = school.index().joined_name(token.hash);
                if !pupils.is_empty() {
                    let because = "forename and surname run together".to_owned();
                    mentions.push(Mention {
                        line: at,
                        from,
                        to: from + 1,
                        pupils,
                        identifies: true,
                        confidence: Confidence::Medium,
                        because,
                    });
                }
            }
        }
        for (found, _) in line.text.folded().match_indices('@') {
            let folded = line.text.folded();
            let head =
                folded[..found].rfind(|c: char| c.is_whitespace() || "<>(),;:\"".contains(c)).map_or(0, |p| p + 1);
            let tail = folded[found..]
                .find(|c: char| c.is_whitespace() || "<>(),;:\"".contains(c))
                .map_or(folded.len(), |p| found + p);
            // The character before the first byte of a match may be longer than one byte.
            let Some(address) = folded.get(head..tail) else { continue };
            if let Some(pupil) = school.index().mailbox(address.trim_end_matches('.')) {
                let from = line.text.token_at(head);
                let to = (line.text.token_at(tail.saturating_sub(1)) + 1).min(line.text.tokens.len());
                let because = "the pupil's own mailbox".to_owned();
                mentions.push(Mention {
                    line: at,
                    from,
                    to,
                    pupils: vec![pupil],
                    identifies: true,
                    confidence: Confidence::High,
                    because,
                });
            }
        }
    }
}

/// Rows in which forename and surname stand in cells of their own.
fn table_names(
    scene: &Scene<'_>,
    school: &School,
    spans: &[Vec<Span>],
    mentions: &mut Vec<Mention>,
    taken: &mut HashMap<usize, Vec<(usize, usize)>>,
) {
    let mut row: Vec<usize> = Vec::new();
    for at in 0..=scene.lines.len() {
        let key = |line: usize| {
            let line = &scene.lines[line];
            line.cell.map(|(row, _)| (line.document, line.block, row))
        };
        let same = at < scene.lines.len() && row.last().is_some_and(|&last| key(last) == key(at) && key(at).is_some());
        if !same {
            split_name(scene, school, spans, &row, mentions, taken);
            row.clear();
        }
        if at < scene.lines.len() && scene.lines[at].cell.is_some() {
            row.push(at);
        }
    }
}

fn split_name(
    scene: &Scene<'_>,
    school: &School,
    spans: &[Vec<Span>],
    row: &[usize],
    mentions: &mut Vec<Mention>,
    taken: &mut HashMap<usize, Vec<(usize, usize)>>,
) {
    // A cell that is one whole name part; trailing middle names are allowed after a forename.
    let whole = |at: usize| {
        let length = scene.lines[at].text.tokens.len();
        let written = |from: usize| {
            scene.lines[at].text.tokens[from..].iter().all(|t| t.kind == TokenKind::Word && t.case != Case::Lower)
        };
        spans[at]
            .iter()
            .filter(move |span| span.from == 0 && (span.to == length || (length <= 4 && written(0))))
            .max_by_key(|span| span.to)
    };
    let column = |at: usize| scene.lines[at].cell.map_or(0, |(_, column)| column);
    for (position, &a) in row.iter().enumerate() {
        for &b in &row[position + 1..] {
            if column(b) - column(a) > 4 {
                break;
            }
            let (Some(first), Some(second)) = (whole(a), whole(b)) else { continue };
            let taken_here = |at: usize| taken.get(&at).is_some_and(|list| !list.is_empty());
            if taken_here(a) || taken_here(b) {
                continue;
            }
            for (forename, surname) in [(first, second), (second, first)] {
                let pupils = school.index().full_name(forename.run, surname.run);
                let words = forename.part.wordness > Wordness::Name && surname.part.wordness > Wordness::Name;
                if pupils.is_empty() || (words && !names_head_the_table(scene, a)) {
                    continue;
                }
                let pupils = single_out(scene, school, a, forename.run, &pupils);
                for at in [a, b] {
                    taken.entry(at).or_default().push((0, scene.lines[at].text.tokens.len()));
                }
                let because = "forename and surname in two cells of one row".to_owned();
                mentions.push(Mention {
                    line: a,
                    from: 0,
                    to: scene.lines[a].text.tokens.len(),
                    pupils,
                    identifies: true,
                    confidence: Confidence::High,
                    because,
                });
                return;
            }
        }
    }
}

/// The table's first row says that its columns are names.
fn names_head_the_table(scene: &Scene<'_>, at: usize) -> bool {
    const HEADINGS: [&str; 10] =
        ["surname", "forename", "first", "last", "family", "given", "name", "names", "pupil", "student"];
    let line = &scene.lines[at];
    let lines = &scene.of_document[line.document];
    let first = lines.start + scene.lines[lines.clone()].partition_point(|other| other.block < line.block);
    let row = scene.lines[first].cell.map(|cell| cell.0);
    scene.lines[first..=at]
        .iter()
        .take_while(|other| other.cell.map(|cell| cell.0) == row)
        .any(|other| other.text.tokens.iter().any(|token| HEADINGS.contains(&other.text.norm(token))))
}
