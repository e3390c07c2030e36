//! Who is spoken of where: by line, row, paragraph, document and message, and whom something said there is about.
//!
//! Nearest first: the same sentence; the row; the same paragraph; the document, when it is short or speaks of one pupil; the
//! message, for a pupil whom the subject or the file's name names.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};

use super::Said;
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
use crate::text::normalise::Gap;

/// Who is spoken of where.
pub(super) struct Context {
    pub(super) identified: BTreeSet<PupilIndex>,
    /// Those of them who are meant without reasonable doubt.
    pub(super) sure: HashSet<PupilIndex>,
    /// Mentions by line: token, sentence, pupils.
    pub(super) by_line: HashMap<usize, Vec<(usize, u32, Vec<PupilIndex>)>>,
    pub(super) by_row: HashMap<(usize, usize, usize), Vec<PupilIndex>>,
    /// Each once, in roster order.
    pub(super) by_block: HashMap<(usize, usize), Vec<PupilIndex>>,
    /// Each once, in roster order.
    pub(super) by_document: HashMap<usize, Vec<PupilIndex>>,
    /// Pupils whom the subject names.
    pub(super) subject: BTreeSet<PupilIndex>,
    /// Pupils whom a file's name names, by place.
    pub(super) files: HashMap<String, BTreeSet<PupilIndex>>,
    pub(super) lengths: HashMap<usize, usize>,
    /// Tokens that are part of a name.
    pub(super) names: HashSet<(usize, usize)>,
}

impl Context {
    pub(super) fn new(scene: &Scene<'_>, mentions: &[Mention], numbers: &[Number]) -> Self {
        let mut out = Self {
            identified: BTreeSet::new(),
            sure: HashSet::new(),
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
        for pupils in out.by_block.values_mut().chain(out.by_document.values_mut()) {
            pupils.sort_unstable();
            pupils.dedup();
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
        if let Some((row, _)) = line.cell() {
            // Forename, surname and number of a row name the same pupil.
            let of_row = self.by_row.entry((line.document(), line.block(), row)).or_default();
            if !of_row.ends_with(pupils) {
                of_row.extend(pupils);
            }
        }
        self.by_block.entry((line.document(), line.block())).or_default().extend(pupils);
        self.by_document.entry(line.document()).or_default().extend(pupils);
        match scene.kind(at) {
            Kind::Subject => self.subject.extend(pupils),
            Kind::FileName => self.files.entry(scene.place(at).to_owned()).or_default().extend(pupils),
            _ => {}
        }
    }

    /// `These have free meals:` with the names below, in the same paragraph, the next ones, or the rows of a table.
    pub(super) fn listed_below(&self, scene: &Scene<'_>, said: &Said) -> Option<Vec<PupilIndex>> {
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
        let title = match line.cell() {
            // A row of one cell above the pupils.
            Some((row, _)) => !self.by_row.contains_key(&(line.document(), line.block(), row)),
            None => {
                stop || (line.heading()
                    && said.from < 8
                    && scene.lines.get(said.line + 1).is_some_and(|next| next.cell().is_some()))
            }
        };
        if !title
            || said.weak
            || (line.cell().is_none()
                && self.by_line.get(&said.line).is_some_and(|here| here.iter().any(|(_, s, _)| *s == sentence)))
        {
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

    pub(super) fn whose(&self, scene: &Scene<'_>, said: &Said) -> Vec<PupilIndex> {
        let line = &scene.lines[said.line];
        if line.footer {
            return Vec::new();
        }
        let sentence = line.sentence.get(said.from).copied().unwrap_or_default();
        if let Some(list) = self.listed_below(scene, said) {
            return list;
        }
        if let Some((row, _)) = line.cell() {
            if let Some(pupils) = self.by_row.get(&(line.document(), line.block(), row)) {
                return pupils.clone();
            }
            // A form: one pupil in the whole table.
            if let Some(pupils) = self.by_block.get(&(line.document(), line.block())) {
                return if pupils.len() == 1 { pupils.to_vec() } else { Vec::new() };
            }
        }
        if let Some(here) = self.by_line.get(&said.line) {
            let same: Vec<PupilIndex> =
                here.iter().filter(|(_, s, _)| *s == sentence).flat_map(|(.., p)| p.clone()).collect();
            if !same.is_empty() {
                return same;
            }
            if general(line, sentence) {
                return Vec::new();
            }
            let before = here.iter().map(|(_, s, _)| *s).filter(|&s| s < sentence).max();
            let after = here.iter().map(|(_, s, _)| *s).filter(|&s| s > sentence).min();
            let near = before.or(after).filter(|s| !said.weak || s.abs_diff(sentence) <= 1);
            if let Some(near) = near {
                return here.iter().filter(|(_, s, _)| *s == near).flat_map(|(.., p)| p.clone()).collect();
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
            Some(pupils) if pupils.len() == 1 && length <= limits::SHORT_DOCUMENT * 2 => pupils.to_vec(),
            Some(pupils) if length <= limits::SHORT_DOCUMENT && line.cell().is_none() => {
                // Several pupils: the nearest paragraph that names one.
                let near = (0..=2).find_map(|back| {
                    self.by_line
                        .get(&said.line.checked_sub(back)?)
                        .filter(|_| scene.lines[said.line - back].document() == line.document())
                });
                match near.and_then(|here| here.last()) {
                    Some((.., pupils)) => pupils.clone(),
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
