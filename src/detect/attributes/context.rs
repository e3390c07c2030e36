//! Who is spoken of where: by line, row, paragraph, document and message, and whom something said there is about.
//!
//! Nearest first: the same sentence; the row; the same paragraph; the document, when it is short or speaks of one pupil; the
//! message, for a pupil whom the subject or the file's name names.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};

use super::Said;
use super::items::Items;
use super::subject::Clause;
use crate::detect::Confidence;
use crate::detect::identifiers::{Number, Whose};
use crate::detect::marks::Marks;
use crate::detect::names::Mention;
use crate::detect::scene::{Line, Scene};
use crate::detect::words::{GOES_ON, OF_ONE_PERSON, is};
use crate::detect::work::step;
use crate::limits;
use crate::people::PupilIndex;
use crate::text::Kind;
use crate::text::normalise::{Gap, Token, TokenKind};

/// Who is named at a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'m> {
    pub(super) line: u32,
    pub(super) token: u32,
    pub(super) sentence: u32,
    pub(super) pupils: &'m [PupilIndex],
}

/// Who is spoken of where.
pub(super) struct Context<'m> {
    pub(super) identified: BTreeSet<PupilIndex>,
    /// Those of them who are meant without reasonable doubt.
    pub(super) sure: HashSet<PupilIndex>,
    /// In order of line; of a line names first, then numbers.
    named: Vec<Named<'m>>,
    /// By line, and one more: where its part of `named` begins.
    of_line: Vec<u32>,
    rows: Rows,
    /// Each once, in roster order.
    pub(super) by_block: HashMap<(usize, usize), Vec<PupilIndex>>,
    /// Each once, in roster order.
    pub(super) by_document: HashMap<usize, Vec<PupilIndex>>,
    /// Pupils whom the subject names.
    pub(super) subject: BTreeSet<PupilIndex>,
    /// Pupils whom a file's name names, by place.
    pub(super) files: HashMap<String, BTreeSet<PupilIndex>>,
    pub(super) lengths: HashMap<usize, usize>,
    pub(super) names: Names,
}

/// Tokens that are part of a name.
pub(super) struct Names {
    /// Line, first token, and one past the last of all names of the line up to this one; in order.
    all: Vec<(u32, u32, u32)>,
}

impl Names {
    fn of(mentions: &[Mention]) -> Self {
        let mut all: Vec<(u32, u32, u32)> = Vec::with_capacity(mentions.len());
        // In order of place, as `names::find` gives them.
        for mention in mentions {
            let line = narrow(mention.line);
            let before = all.last().filter(|(of, ..)| *of == line).map_or(0, |(.., to)| *to);
            all.push((line, narrow(mention.from), narrow(mention.to).max(before)));
        }
        Self { all }
    }

    /// Whether a token is part of one.
    pub(super) fn contains(&self, line: usize, token: usize) -> bool {
        let (line, token) = (narrow(line), narrow(token));
        let behind = self.all.partition_point(|(of, from, _)| (*of, *from) <= (line, token));
        behind.checked_sub(1).is_some_and(|at| self.all[at].0 == line && token < self.all[at].2)
    }
}

/// Who is named in each row of a table.
struct Rows {
    /// By line, the number of its row among all rows.
    of_line: Vec<u32>,
    /// By row, and one more: where its part of `pupils` begins.
    starts: Vec<u32>,
    pupils: Vec<PupilIndex>,
}

impl Rows {
    /// What is no cell is in no row.
    const NONE: u32 = u32::MAX;

    fn of(scene: &Scene<'_>, named: &[Named<'_>]) -> Self {
        let mut of_line = Vec::with_capacity(scene.lines.len());
        let (mut rows, mut last) = (0, None);
        // Cells of a row stand one behind the other.
        for line in scene.lines.iter() {
            let row = line.cell().map(|(row, _)| (line.document(), line.block(), row));
            rows += u32::from(row.is_some() && row != last);
            of_line.push(if row.is_some() { rows - 1 } else { Self::NONE });
            last = row;
        }
        let row_of = |named: &&Named<'_>| of_line[named.line as usize];
        let mut in_rows: Vec<&Named<'_>> = named.iter().filter(|named| row_of(named) != Self::NONE).collect();
        in_rows.sort_by_key(row_of);
        let (mut starts, mut pupils) = (Vec::with_capacity(rows as usize + 1), Vec::new());
        for named in in_rows {
            while starts.len() <= row_of(&named) as usize {
                starts.push(narrow(pupils.len()));
            }
            // Forename, surname and number of a row name the same pupil.
            let own = &pupils[starts.last().map_or(0, |start| *start as usize)..];
            if !own.ends_with(named.pupils) {
                pupils.extend(named.pupils);
            }
        }
        starts.resize(rows as usize + 1, narrow(pupils.len()));
        Self { of_line, starts, pupils }
    }

    fn at(&self, line: usize) -> &[PupilIndex] {
        match self.of_line.get(line) {
            Some(&row) if row != Self::NONE => {
                let [from, to] = [row, row + 1].map(|at| self.starts[at as usize] as usize);
                &self.pupils[from..to]
            }
            _ => &[],
        }
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<'m> Context<'m> {
    pub(super) fn new(scene: &Scene<'_>, mentions: &'m [Mention], numbers: &'m [Number]) -> Self {
        let mut out = Self {
            identified: BTreeSet::new(),
            sure: HashSet::new(),
            named: Vec::with_capacity(mentions.len() + numbers.len()),
            of_line: Vec::with_capacity(scene.lines.len() + 1),
            rows: Rows { of_line: Vec::new(), starts: Vec::new(), pupils: Vec::new() },
            by_block: HashMap::new(),
            by_document: HashMap::new(),
            subject: BTreeSet::new(),
            files: HashMap::new(),
            lengths: HashMap::new(),
            names: Names::of(mentions),
        };
        for mention in mentions {
            if mention.identifies {
                out.identified.extend(mention.pupils.iter().copied());
                if mention.confidence == Confidence::High {
                    out.sure.extend(mention.pupils.iter().copied());
                }
            }
            out.add(scene, mention.line, mention.from, &mention.pupils);
        }
        for number in numbers {
            if let Whose::Pupil(pupil) = &number.whose {
                out.identified.insert(*pupil);
                out.sure.insert(*pupil);
                let token = scene.lines[number.line].text.token_at(number.range.start);
                out.add(scene, number.line, token, std::slice::from_ref(pupil));
            }
        }
        for pupils in out.by_block.values_mut().chain(out.by_document.values_mut()) {
            pupils.sort_unstable();
            pupils.dedup();
        }
        out.named.sort_by_key(|named| named.line);
        let mut at = 0;
        for line in 0..=scene.lines.len() {
            at += out.named[at..].iter().take_while(|named| (named.line as usize) < line).count();
            out.of_line.push(narrow(at));
        }
        out.rows = Rows::of(scene, &out.named);
        for (document, lines) in scene.of_document.iter().enumerate() {
            out.lengths.insert(document, lines.clone().map(|line| scene.lines[line].text.tokens.len()).sum());
        }
        out
    }

    fn add(&mut self, scene: &Scene<'_>, at: usize, token: usize, pupils: &'m [PupilIndex]) {
        let line = &scene.lines[at];
        let sentence = line.sentence.get(token).copied().unwrap_or_default();
        self.named.push(Named { line: narrow(at), token: narrow(token), sentence, pupils });
        self.by_block.entry((line.document(), line.block())).or_default().extend(pupils);
        self.by_document.entry(line.document()).or_default().extend(pupils);
        match scene.kind(at) {
            Kind::Subject => self.subject.extend(pupils),
            Kind::FileName => self.files.entry(scene.place(at).to_owned()).or_default().extend(pupils),
            _ => {}
        }
    }

    /// Who is named in a line.
    pub(super) fn here(&self, line: usize) -> &[Named<'m>] {
        let bound = |at: usize| self.of_line.get(at).map_or(self.named.len(), |at| *at as usize);
        &self.named[bound(line)..bound(line + 1)]
    }

    /// Who is named in the row of a table to which a line belongs.
    pub(super) fn row(&self, line: usize) -> &[PupilIndex] {
        self.rows.at(line)
    }

    /// `These have free meals:` with the names below, in the same paragraph, the next ones, or the rows of a table.
    pub(super) fn listed_below(&self, scene: &Scene<'_>, said: &Said) -> Option<Vec<PupilIndex>> {
        let line = &scene.lines[said.line];
        // The title of a table is a row of one cell above the pupils.
        if said.weak || line.cell().is_some() && !self.row(said.line).is_empty() {
            return None;
        }
        let sentence = line.sentence.get(said.from).copied().unwrap_or_default();
        let named = |at: usize, after: Option<u32>| -> Vec<PupilIndex> {
            let here = self.here(at).iter().filter(|named| after.is_none_or(|after| named.sentence > after));
            here.flat_map(|named| named.pupils).copied().collect()
        };
        let end = line.sentence.iter().rposition(|&s| s == sentence).unwrap_or(said.from);
        let tokens = &line.text.tokens;
        let stop = tokens
            .get(end + 1)
            .map_or_else(|| line.text.folded().trim_end().ends_with(':'), |next| next.gap.has(Gap::COLON));
        let title = line.cell().is_some()
            || stop
            || (line.heading()
                && said.from < 8
                && scene.lines.get(said.line + 1).is_some_and(|next| next.cell().is_some()));
        if !title || (line.cell().is_none() && self.here(said.line).iter().any(|named| named.sentence == sentence)) {
            return None;
        }
        if line.cell().is_some() {
            let alone = |at: usize| {
                scene.lines.get(at).is_none_or(|other| {
                    other.block() != line.block() || other.cell().map(|c| c.0) != line.cell().map(|c| c.0)
                })
            };
            if !(alone(said.line + 1) && said.line.checked_sub(1).is_none_or(alone)) {
                return None;
            }
        }
        let mut out = if line.cell().is_none() { named(said.line, Some(sentence)) } else { Vec::new() };
        if out.is_empty() {
            let range = &scene.of_document[line.document()];
            for at in (said.line + 1..range.end).take(limits::TITLED_LIST) {
                let other = &scene.lines[at];
                let below = named(at, None);
                if other.cell().is_none() && below.is_empty() {
                    break;
                }
                if line.cell().is_some() && other.block() != line.block() {
                    break;
                }
                out.extend(below);
            }
        }
        (!out.is_empty()).then_some(out)
    }

    /// `Reading ages` above a paragraph whose rows are a name and a figure each, or in the subject of a message that has one.
    fn measured_below(&self, scene: &Scene<'_>, said: &Said) -> Option<Vec<PupilIndex>> {
        let line = &scene.lines[said.line];
        let last = line.sentence.last().copied().unwrap_or_default();
        if line.cell().is_some()
            || !self.here(said.line).is_empty()
            || line.sentence.get(said.from).is_none_or(|&sentence| sentence != last)
        {
            return None;
        }
        let below = match scene.kind(said.line) {
            Kind::Subject => {
                scene.lines().map(|(at, _)| at).find(|&at| scene.kind(at) == Kind::Body && !self.here(at).is_empty())?
            }
            _ => said.line + 1,
        };
        let own = scene.kind(said.line) == Kind::Subject || scene.lines.get(below)?.document() == line.document();
        (own && self.rows_of_figures(scene, below))
            .then(|| self.here(below).iter().flat_map(|named| named.pupils).copied().collect())
    }

    /// Each row of a paragraph, two at the least, is a pupil's name and one to four figures or marks.
    fn rows_of_figures(&self, scene: &Scene<'_>, at: usize) -> bool {
        let Some(line) = scene.lines.get(at).filter(|line| line.cell().is_none()) else { return false };
        let tokens = line.text.tokens;
        let mut rows = 0;
        let mut from = 0;
        while from < tokens.len() {
            let breaks = |to: &usize| tokens[*to].gap.has(Gap::NEWLINE);
            let end = (from + 1..tokens.len()).find(breaks).unwrap_or(tokens.len());
            step(end - from);
            let value = (from..end).find(|&token| !self.names.contains(at, token)).unwrap_or(end);
            let figures = tokens[value..end].iter().any(|token| token.kind != TokenKind::Word);
            let short = |token: &Token| token.kind != TokenKind::Word || line.text.norm(token).len() <= 3;
            let marks = end - value <= limits::FIGURES_OF_A_ROW && tokens[value..end].iter().all(short);
            if value == from || !figures || !marks {
                return false;
            }
            rows += 1;
            from = end;
        }
        rows > 1
    }

    pub(super) fn whose(&self, scene: &Scene<'_>, said: &Said) -> Vec<PupilIndex> {
        let line = &scene.lines[said.line];
        if line.footer {
            return Vec::new();
        }
        let sentence = line.sentence.get(said.from).copied().unwrap_or_default();
        if let Some(list) = self.listed_below(scene, said).or_else(|| self.measured_below(scene, said)) {
            return list;
        }
        if line.cell().is_some() {
            let row = self.row(said.line);
            if !row.is_empty() {
                return row.to_vec();
            }
            // A form: one pupil in the whole table.
            if let Some(pupils) = self.by_block.get(&(line.document(), line.block())) {
                return if pupils.len() == 1 { pupils.to_vec() } else { Vec::new() };
            }
        }
        let here = self.here(said.line);
        if !here.is_empty() {
            let of = |wanted: u32| -> Vec<PupilIndex> {
                here.iter().filter(|named| named.sentence == wanted).flat_map(|named| named.pupils).copied().collect()
            };
            let same = of(sentence);
            if !same.is_empty() {
                return same;
            }
            if general(line, sentence) || self.goes_on_about_another(line, said.line, said.from) {
                return Vec::new();
            }
            let items = Items::of(line);
            let others = here.iter().filter(|named| !items.apart(said.from, named.token as usize));
            let before = others.clone().map(|named| named.sentence).filter(|&s| s < sentence).max();
            let after = others.map(|named| named.sentence).filter(|&s| s > sentence).min();
            // A word that may mean anything is not said of somebody who is named only later.
            let near = if said.weak { before.filter(|s| s.abs_diff(sentence) <= 1) } else { before.or(after) };
            match near {
                Some(near) => return of(near),
                None if items.at(said.from).is_some() => return Vec::new(),
                None => {}
            }
        }
        if general(line, sentence) {
            return Vec::new();
        }
        let named: Option<&BTreeSet<PupilIndex>> = match scene.kind(said.line) {
            Kind::Attachment | Kind::FileName => {
                self.files.get(scene.place(said.line)).or_else(|| (!self.subject.is_empty()).then_some(&self.subject))
            }
            _ => (!self.subject.is_empty()).then_some(&self.subject),
        };
        // `He has been late on 31 days` below the name of one pupil, in a text that names nobody.
        let goes_on = || {
            let first = line.sentence.partition_point(|&other| other < sentence);
            is(GOES_ON, line.text.word(first)) && !self.by_document.contains_key(&line.document())
        };
        if let Some(pupils) = named
            && (!said.weak || (pupils.len() == 1 && goes_on()))
        {
            return pupils.iter().copied().collect();
        }
        if said.weak {
            return Vec::new();
        }
        let length = self.lengths.get(&line.document()).copied().unwrap_or_default();
        match self.by_document.get(&line.document()) {
            Some(pupils) if pupils.len() == 1 && length <= limits::SHORT_DOCUMENT * 2 => {
                if self.is_another_item(scene, said) { Vec::new() } else { pupils.to_vec() }
            }
            Some(pupils) if length <= limits::SHORT_DOCUMENT && line.cell().is_none() => {
                // Several pupils: the nearest paragraph that names one.
                let near = (0..=2).find_map(|back| {
                    let at = said.line.checked_sub(back)?;
                    self.here(at).last().filter(|_| scene.lines[at].document() == line.document())
                });
                match near {
                    _ if self.is_another_item(scene, said) => Vec::new(),
                    Some(named) => named.pupils.to_vec(),
                    None if pupils.len() <= 2 => pupils.to_vec(),
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

    /// The sentence that begins with this token tells of somebody who is no pupil, and says so: `Gerald is a bear`.
    pub(super) fn introduces(&self, line: &Line<'_>, at: usize, from: usize) -> bool {
        // A name of the roster may be a pupil's, though it is not clear whose.
        if line.marks[from].has(Marks::KNOWN) {
            return false;
        }
        let name = |token: usize| self.names.contains(at, token);
        Clause { text: &line.text, sentence: line.sentence, name: &name }.introduces(from)
    }

    /// Since a pupil was last named in the line, somebody else was told of.
    fn goes_on_about_another(&self, line: &Line<'_>, at: usize, token: usize) -> bool {
        let last = self.here(at).iter().map(|named| named.token as usize).filter(|&named| named < token).max();
        let Some(last) = last else { return false };
        let begins = |at: &usize| line.sentence[*at] != line.sentence[*at - 1];
        (last + 1..=token).filter(begins).inspect(|_| step(1)).any(|from| self.introduces(line, at, from))
    }

    /// It stands in an item of a numbered list, as of minutes, and whoever is named stands in others; not where it goes on about
    /// somebody (`2. He has asthma`).
    fn is_another_item(&self, scene: &Scene<'_>, said: &Said) -> bool {
        let line = &scene.lines[said.line];
        if Items::of(line).at(said.from).is_none_or(|begins| is(GOES_ON, line.text.word(begins + 1))) {
            return false;
        }
        let lines = scene.of_document[line.document()].clone();
        let mut naming = lines.filter(|at| !self.here(*at).is_empty());
        naming.all(|at| {
            step(1);
            let items = Items::of(&scene.lines[at]);
            self.here(at).iter().all(|named| items.at(named.token as usize).is_some())
        })
    }
}

/// The sentence speaks of the school, its staff or everybody; not where it begins with him or her (`His effort in workshop is excellent`).
pub(in crate::detect) fn general(line: &Line<'_>, sentence: u32) -> bool {
    if !line.all_marks.has(Marks::GENERAL) {
        return false;
    }
    let first = line.sentence.partition_point(|&other| other < sentence);
    if is(OF_ONE_PERSON, line.text.word(first)) {
        return false;
    }
    let own = line.marks[first..].iter().zip(&line.sentence[first..]).take_while(|(_, other)| **other == sentence);
    own.inspect(|_| step(1)).any(|(marks, _)| marks.has(Marks::GENERAL))
}
