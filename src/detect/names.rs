//! Who is named: runs of name tokens to candidates, candidates to mentions by evidence.
//!
//! A full name is a candidate by the roster index alone; when its parts are also words it must be written as a name,
//! not stand where places and things stand, and have evidence beside it. Forenames alone are the work of `forenames`.

use std::borrow::Cow;
use std::ops::{Index, Range};

use hashbrown::{HashMap, HashSet};

use super::Confidence;
use super::cells;
use super::evidence::{self, Weighed};
use super::forenames::{forenames, scopes};
use super::initials::by_initial;
use super::joined;
use super::labels;
use super::mailboxes;
use super::marks::Marks;
use super::middles;
use super::neighbours;
use super::scene::{Line, Scene, guardian_facts};
use super::whole::Whole;
use super::words::{ROLE_TITLES, TITLES, is};
use super::work::step;
use super::world::REGAL;
use super::youths;
use crate::limits;
use crate::people::index::{Adult, Part};
use crate::people::names::Wordness;
use crate::people::{PupilIndex, School};
use crate::text::normalise::{Case, Gap, Token, TokenKind};
use crate::text::{Kind, Run, Text};

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
    pub because: Cow<'static, str>,
}

/// A run of tokens that is a forename or a surname of somebody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub from: usize,
    pub to: usize,
    pub run: Run,
    pub part: Part,
}

/// The spans of every line; those of a text are kept once, however often it stands in the message.
pub(super) struct Spans {
    all: Vec<Span>,
    /// By text, those of its first line.
    of_texts: Vec<Range<u32>>,
    /// By line, the number of its text.
    texts: Vec<u32>,
}

impl Spans {
    fn of(scene: &Scene<'_>, school: &School) -> Self {
        let mut out = Self { all: Vec::new(), of_texts: Vec::new(), texts: Vec::with_capacity(scene.lines.len()) };
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        for line in &scene.lines {
            let number = line.text_number();
            // A text's first line comes before that of every later text.
            if number == out.of_texts.len() {
                let from = narrow(out.all.len());
                if !scene.halt.is_set() {
                    out.all.extend(spans(line, school));
                }
                out.of_texts.push(from..narrow(out.all.len()));
            }
            out.texts.push(narrow(number));
        }
        out
    }

    /// The lines with their spans.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &[Span])> {
        (0..self.texts.len()).map(|line| (line, &self[line]))
    }
}

impl Index<usize> for Spans {
    type Output = [Span];

    fn index(&self, line: usize) -> &[Span] {
        let Range { start, end } = self.of_texts[self.texts[line] as usize];
        &self.all[start as usize..end as usize]
    }
}

/// A full name of somebody the school knows, as it stands.
#[derive(Debug)]
pub(super) struct Candidate {
    pub from: usize,
    pub to: usize,
    pub forename: Span,
    pub surname: Span,
    pub pupils: Vec<PupilIndex>,
    pub adults: Vec<Adult>,
    /// Written as the roster has it, not by a short form or a part.
    pub exact: bool,
    /// Surname first, with a comma.
    pub comma: bool,
    /// With a middle name or initial.
    pub middle: bool,
    /// Stands in a list of pupils' names: joined to the next or the one before by a comma, a line's end or `and`.
    pub listed: bool,
}

/// Names of the sender and the recipients, as runs: they sign and greet, and so do not identify.
pub(super) struct Writers {
    pub sender: Vec<Run>,
    pub recipient: Vec<Run>,
    /// Pupils whose guardian is written to: no proof that they are meant, but evidence for a name that could be a word.
    pub children: Vec<PupilIndex>,
    /// Surnames that stand behind a title in the message, as tokens.
    pub titled: HashSet<u64>,
}

/// Tokens that belong to a name already, by line; what is of one name is free for no other.
#[derive(Default)]
pub(super) struct Taken(HashSet<(u32, u32)>);

impl Taken {
    pub(super) fn take(&mut self, line: usize, tokens: Range<usize>) {
        self.0.extend(tokens.map(|token| Self::key(line, token)));
    }

    /// Whether none of the tokens is taken.
    pub(super) fn leaves(&self, line: usize, mut tokens: Range<usize>) -> bool {
        tokens.all(|token| !self.0.contains(&Self::key(line, token)))
    }

    fn key(line: usize, token: usize) -> (u32, u32) {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (narrow(line), narrow(token))
    }
}

/// All mentions of the message, in order of place. Where `weighed` is given, full names are put there with their evidence.
pub(super) fn find(
    scene: &mut Scene<'_>,
    school: &School,
    mut writers: Writers,
    weighed: Option<&mut Vec<Weighed>>,
) -> Vec<Mention> {
    writers.titled = titled_surnames(scene);
    let writers = &writers;
    let spans = Spans::of(scene, school);
    let mut candidates: Vec<(usize, Vec<Candidate>)> = Vec::new();
    let mut guardians = Vec::new();
    for (at, line) in scene.lines() {
        let loose_joints = matches!(scene.kind(at), Kind::FileName);
        let mut found = full_names(line, &spans[at], school, loose_joints);
        found.retain(|candidate| !of_two_people(scene, school, at, candidate));
        for candidate in &found {
            guardians.extend(guardian_facts(at, candidate.from, candidate.to, &candidate.adults));
        }
        if !found.is_empty() {
            // One cell of a sheet has one nearly always, and a sheet has very many.
            found.shrink_to_fit();
            candidates.push((at, found));
        }
    }
    scene.add_facts(guardians);
    scene.gather(school);
    let mut mentions = Vec::new();
    let mut taken = Taken::default();
    judge_full_names(scene, school, writers, &spans, candidates, &mut mentions, &mut taken, weighed);
    joined::names(scene, school, writers, &mut mentions);
    mailboxes::names(scene, school, &mut mentions);
    cells::names(scene, school, &spans, &mut mentions, &mut taken);
    labels::names(scene, school, &spans, &mut mentions, &mut taken);
    youths::names(scene, school, &spans, &mut mentions, &mut taken);
    middles::names(scene, school, &spans, &mut mentions, &mut taken);
    forenames(scene, school, writers, &spans, &mut mentions, &taken);
    mentions.sort_by_key(|mention| (mention.line, mention.from));
    mentions
}

/// Full names of pupils as they stand, before evidence is weighed.
pub(super) fn count(scene: &Scene<'_>, school: &School) -> usize {
    let of_line = |(at, line): (usize, &Line<'_>)| {
        let found = full_names(line, &spans(line, school), school, matches!(scene.kind(at), Kind::FileName));
        found.iter().filter(|candidate| !candidate.pupils.is_empty()).count()
    };
    scene.lines.iter().enumerate().map(of_line).sum()
}

/// Where a line names an adult in full, and all adults of that name; what is a pupil's name too wants a title before it.
pub(super) fn adults_named(line: &Line<'_>, school: &School) -> Vec<(usize, usize, Vec<Adult>)> {
    full_names(line, &spans(line, school), school, false)
        .into_iter()
        .filter(|found| !found.adults.is_empty() && (found.pupils.is_empty() || titled(&line.text, found.from)))
        .map(|found| (found.from, found.to, found.adults))
        .collect()
}

/// Surnames behind a title, as `Mrs Field`.
fn titled_surnames(scene: &Scene<'_>) -> HashSet<u64> {
    let mut out = HashSet::new();
    for line in scene.lines.iter().filter(|line| !line.footer && line.all_marks.has(Marks::TITLE)) {
        for from in (1..line.text.tokens.len()).filter(|from| line.marks[from - 1].has(Marks::TITLE)) {
            if line.text.tokens[from].case != Case::Lower && titled(&line.text, from) {
                out.insert(line.text.hash(&line.text.tokens[from]));
            }
        }
    }
    out
}

fn spans(line: &Line<'_>, school: &School) -> Vec<Span> {
    const INSIDE: Gap = Gap::SPACE.or(Gap::NEWLINE).or(Gap::HYPHEN).or(Gap::UNDERSCORE);
    let mut out = Vec::new();
    if !line.all_marks.has(Marks::NAME) {
        return out;
    }
    let tokens = line.text.tokens;
    for from in (0..tokens.len()).filter(|&from| line.marks[from].has(Marks::NAME)) {
        let mut run = Run::EMPTY;
        for (at, token) in tokens.iter().enumerate().skip(from).take(limits::NAME_PART) {
            if at > from && !token.gap.only(INSIDE) {
                break;
            }
            run = run.then(line.text.run_of(token));
            if let Some(part) = school.index().part_of(run) {
                out.push(Span { from, to: at + 1, run, part });
            }
        }
    }
    out
}

fn full_names(line: &Line<'_>, spans: &[Span], school: &School, loose_joints: bool) -> Vec<Candidate> {
    if spans.len() < 2 {
        return Vec::new();
    }
    let text = &line.text;
    let tokens = &text.tokens;
    // The longest first.
    let starting = |at: usize| {
        let from = spans.partition_point(|span| span.from < at);
        let to = spans.partition_point(|span| span.from <= at);
        spans[from..to].iter().rev()
    };
    let index = school.index();
    let mut found: Vec<Candidate> = Vec::new();
    for first in spans {
        for skip in 0..=3usize {
            let at = first.to + skip;
            if at >= tokens.len() {
                break;
            }
            if !tokens[first.to..at].iter().all(|token| middle_like(text, token, loose_joints)) {
                break;
            }
            if !line.marks[at].has(Marks::NAME) {
                continue;
            }
            let gap = tokens[at].gap;
            let comma = tokens[first.to].gap.has(Gap::COMMA);
            for swapped in [false, true] {
                if !joint(gap, loose_joints, swapped, skip, tokens[first.to].gap) {
                    continue;
                }
                for second in starting(at) {
                    let (forename, surname) = if swapped { (*second, *first) } else { (*first, *second) };
                    let of_pupil = forename.part.pupil_forename && surname.part.pupil_surname;
                    let of_adult = forename.part.adult_forename && surname.part.adult_surname;
                    if !of_pupil && !of_adult {
                        continue;
                    }
                    if swapped && (titled(text, first.from) || (!comma && !surname_first(text, first, second))) {
                        continue;
                    }
                    let mut pupils = if of_pupil { index.full_name(forename.run, surname.run) } else { Vec::new() };
                    let middle = skip > 0;
                    if middle {
                        pupils.retain(|&pupil| {
                            tokens[first.to..at].iter().all(|token| {
                                text.norm(token).chars().count() == 1 || index.is_middle_name(pupil, text.hash(token))
                            })
                        });
                    }
                    let adults = if of_adult { index.adults(forename.run, surname.run) } else { Vec::new() };
                    if pupils.is_empty() && adults.is_empty() {
                        continue;
                    }
                    let longest = !pupils.is_empty();
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
                        listed: false,
                    });
                    // A part of a double name says nothing beside the whole.
                    if longest {
                        break;
                    }
                }
            }
        }
    }
    // Longest first at each place, forename first before surname first; then no overlaps.
    found.sort_by_key(|c| (c.from, std::cmp::Reverse(c.to), c.forename.from != c.from));
    // `Dear Rose, Amy Field …`: what stands together goes before what a comma joins, unless the surname is in capitals.
    let together: Vec<(usize, usize)> = found
        .iter()
        .filter(|c| !c.comma && !c.pupils.is_empty() && !tokens[c.surname.from].gap.has(Gap::NEWLINE))
        .filter(|c| c.forename.from < c.surname.from)
        .map(|c| (c.from, c.to))
        .collect();
    found.retain(|c| {
        !c.comma
            || line.cell().is_some()
            || tokens[c.surname.from].case == Case::Upper
            || !together[together.partition_point(|&(from, _)| from <= c.from)..]
                .iter()
                .take_while(|&&(from, _)| from < c.to)
                .inspect(|_| step(1))
                .any(|&(_, to)| c.to < to)
    });
    let mut out: Vec<Candidate> = Vec::new();
    for candidate in found {
        if out.last().is_none_or(|last| candidate.from >= last.to) {
            out.push(candidate);
        }
    }
    mark_lists(text, &mut out);
    out
}

/// The two parts are of two people, or of a person and a firm: `Ann Jones, Amelia Cole`, and a line that ends in a forename
/// above one that begins `Jones Minibus Hire`.
fn of_two_people(scene: &Scene<'_>, school: &School, at: usize, candidate: &Candidate) -> bool {
    if matches!(scene.kind(at), Kind::FileName) {
        return false;
    }
    let tokens = scene.lines[at].text.tokens;
    if candidate.surname.from > candidate.forename.from {
        // `Lisa`, and below it `Wilson's of Great Taylor lend the tape`.
        let firm = tokens[candidate.to - 1].possessive && scene.lines[at].text.word(candidate.to) == "of";
        return tokens[candidate.surname.from].gap.has(Gap::NEWLINE)
            && (firm || neighbours::surname_behind(scene, at, candidate.to));
    }
    let first = &tokens[candidate.from];
    // A hasty list in small letters begins its lines with the surname; inside a sentence nobody writes so.
    let inside = candidate.comma
        && tokens[candidate.forename.from].case == Case::Lower
        && !first.sentence_start
        && !first.gap.has(Gap::COLON.or(Gap::SEMICOLON))
        && scene.lines[at].cell().is_none();
    let between = neighbours::stands_between(scene, at, candidate.from, candidate.to);
    // `| Jones | Amelia Cole |`: two columns, unless the second word is a middle name.
    let own = |token: &Token| {
        let hash = scene.lines[at].text.hash(token);
        candidate.pupils.iter().any(|&pupil| school.index().is_middle_name(pupil, hash))
    };
    let columns = tokens[candidate.forename.from].gap.has(Gap::COLUMN)
        && neighbours::surname_behind(scene, at, candidate.to)
        && !tokens.get(candidate.to).is_some_and(own);
    inside || between || columns || neighbours::forename_before(scene, school, at, candidate.from)
}

/// Marks names that stand in a row with other pupils' names; a famous name is no company for another.
fn mark_lists(text: &Text<'_>, candidates: &mut [Candidate]) {
    for at in 1..candidates.len() {
        let (before, after) = (&candidates[at - 1], &candidates[at]);
        let gap = text.tokens[after.from].gap;
        let joined = match after.from - before.to {
            0 => gap.has(Gap::COMMA.or(Gap::NEWLINE).or(Gap::SEMICOLON).or(Gap::BULLET)) && !gap.has(Gap::STOP),
            1 => matches!(text.word(before.to), "and" | "or") && gap.only(Gap::SPACE.or(Gap::NEWLINE)),
            _ => false,
        };
        // `Amy Field - Dorothy`, `Leo Bell - Tin Man`: each opens a line of its own.
        let opens = |candidate: &Candidate| {
            candidate.from == 0 || text.tokens[candidate.from].gap.has(Gap::NEWLINE.or(Gap::BULLET))
        };
        let set_off = |candidate: &Candidate| {
            text.tokens.get(candidate.to).is_none_or(|next| !next.gap.only(Gap::SPACE) && !next.gap.joined())
        };
        // `Ned Rudd 7.2`
        let measured = |candidate: &Candidate| {
            text.tokens
                .get(candidate.to)
                .is_some_and(|next| next.kind == TokenKind::Number && next.gap.only(Gap::SPACE))
        };
        let breaks = (before.to..=after.from).filter(|&at| text.tokens[at].gap.has(Gap::NEWLINE)).count();
        let rows = breaks == 1 && opens(before) && opens(after) && set_off(before) && set_off(after);
        let figures = breaks == 1 && opens(before) && opens(after) && measured(before) && measured(after);
        if !(joined || rows || figures) || before.pupils.is_empty() || after.pupils.is_empty() {
            continue;
        }
        // `Rose Hill 8.10` may be where a bus stops, as long as nobody stands beside it who is nothing but somebody.
        let plain = |part: &Span| part.part.wordness == Wordness::Name;
        let person = |candidate: &Candidate| plain(&candidate.forename) && plain(&candidate.surname);
        let company = |candidate: &Candidate| !evidence::famous(candidate) && (!figures || person(candidate));
        let (first, second) = (company(after), company(before));
        candidates[at - 1].listed |= first;
        candidates[at].listed |= second;
    }
}

/// A title stands directly before: what follows is an adult's name.
pub(super) fn titled(text: &Text<'_>, from: usize) -> bool {
    let Some(before) = from.checked_sub(1) else { return false };
    let directly = text.tokens[from].gap.only(Gap::SPACE.or(Gap::STOP).or(Gap::NEWLINE));
    let word = text.word(before);
    directly
        && (is(TITLES, word)
            || (is(REGAL, word) && text.tokens[before].case == Case::Capitalised)
            || (is(ROLE_TITLES, word)
                && text.tokens[before].case == Case::Capitalised
                && !text.tokens[before].sentence_start))
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
        return gap.only(after) && first_gap.only(allowed.or(Gap::OPEN).or(Gap::OTHER));
    }
    gap.joined() || gap.only(allowed) || gap.only(Gap::SPACE.or(Gap::COLUMN)) || dotted
}

/// `Smith Amy` without a comma: both written as names, the surname perhaps in capitals.
fn surname_first(text: &Text<'_>, surname: &Span, forename: &Span) -> bool {
    let case = |span: &Span| text.tokens[span.from].case;
    if case(surname) != Case::Lower && case(forename) != Case::Lower {
        return true;
    }
    // A hasty list in small letters: the two open the line, and neither is anything but a name.
    text.tokens[surname.from].sentence_start
        && case(surname) == case(forename)
        && surname.part.wordness == Wordness::Name
        && forename.part.wordness == Wordness::Name
        && text.tokens.get(forename.to).is_none_or(|next| !next.gap.blank() || next.gap.has(Gap::NEWLINE))
}

#[expect(clippy::too_many_arguments, reason = "what is known, what is found and what is put down")]
fn judge_full_names(
    scene: &Scene<'_>,
    school: &School,
    writers: &Writers,
    spans: &Spans,
    candidates: Vec<(usize, Vec<Candidate>)>,
    mentions: &mut Vec<Mention>,
    taken: &mut Taken,
    mut weighed: Option<&mut Vec<Weighed>>,
) {
    // First those that need no company, then those that do.
    let mut sure: HashMap<(usize, usize), usize> = HashMap::new();
    for (at, found) in spans.lines() {
        for span in found.iter().filter(|span| span.part.pupil_forename) {
            if by_initial(scene, school, at, span).is_some_and(|fits| fits.len() == 1) {
                *sure.entry((scene.lines[at].document(), scene.lines[at].block())).or_default() += 1;
            }
        }
    }
    let company = |(at, found): &(usize, Vec<Candidate>)| {
        found.iter().any(|candidate| evidence::wants_company(&scene.lines[*at].text, candidate))
    };
    let whole = candidates.iter().any(company).then(|| Whole::of(scene, &candidates));
    for second_round in [false, true] {
        for (at, found) in &candidates {
            let at = *at;
            for candidate in found {
                let words = evidence::wants_company(&scene.lines[at].text, candidate);
                if words != second_round {
                    continue;
                }
                let key = (scene.lines[at].document(), scene.lines[at].block());
                let hits = if second_round { scene.lines[at].hits_near(candidate.from, candidate.to) } else { &[] };
                let around = evidence::Around { others: sure.contains_key(&key), hits, whole: whole.as_ref() };
                let evidence = (!candidate.pupils.is_empty() && (candidate.exact || candidate.adults.is_empty()))
                    .then(|| evidence::weigh(scene, school, writers, at, candidate, &around));
                if let (Some(weighed), Some(evidence)) = (weighed.as_deref_mut(), evidence) {
                    weighed.push(Weighed::new(evidence, candidate.pupils.clone()));
                }
                let Some((confidence, because)) = evidence.and_then(evidence::verdict) else {
                    if !candidate.adults.is_empty() || !words {
                        taken.take(at, candidate.from..candidate.to);
                    }
                    continue;
                };
                taken.take(at, candidate.from..candidate.to);
                if evidence::own_signature(scene, at, candidate, writers) {
                    continue;
                }
                *sure.entry(key).or_default() += 1;
                let pupils = single_out(scene, school, (at, candidate.from), candidate.forename.run, &candidate.pupils);
                mentions.push(Mention {
                    line: at,
                    from: candidate.from,
                    to: candidate.to,
                    pupils,
                    identifies: true,
                    confidence,
                    because: because.into(),
                });
            }
        }
    }
}

/// Of several pupils of one name, those whom a class, year, birth date or guardian nearby singles out; else all.
pub(super) fn single_out(
    scene: &Scene<'_>,
    school: &School,
    (at, token): (usize, usize),
    forename: Run,
    pupils: &[PupilIndex],
) -> Vec<PupilIndex> {
    if pupils.len() < 2 {
        return pupils.to_vec();
    }
    for scope in scopes(scene, at, token) {
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
