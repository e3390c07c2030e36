//! Abusive, discriminatory, threatening and sexually explicit language, masked letters included.
//!
//! A report of what was said (in quotation marks, or with a verb of saying before it) is no offence, nor is talk about
//! words. Whole words alone count, each in its own forms; one that is also a name, an animal or a term (Offa's Dyke, the bitch and
//! her puppies) counts only where it is aimed at somebody. A threat or a request needs no such word: it is a pattern. What is on no list
//! is heard by a small model (`heard`).

mod heard;
pub mod train;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use hashbrown::{HashMap, HashSet};

use super::marks::Marks;
use super::meaning::NONE;
use super::meaning::model::ModelError;
use super::scene::{Line, Scene};
use super::words::{CHILD, KIN, ROLES, is};
use crate::limits;
use crate::text::Run;
use crate::text::normalise::{Case, Gap, token_hash};

/// The shape of `rules/language.toml`, which explains itself.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lists: BTreeMap<String, Vec<String>>,
    near: BTreeMap<String, Vec<String>>,
    entry: Vec<Entry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: Kind,
    says: Vec<String>,
    #[serde(default)]
    endings: Vec<String>,
    #[serde(default)]
    against: bool,
    #[serde(default)]
    calls: bool,
    #[serde(default)]
    unless: Vec<String>,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Abuse,
    Discriminatory,
    Threat,
    Sexual,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Abuse, Self::Discriminatory, Self::Sexual, Self::Threat];

    /// Its word in the lists and in labelled lines.
    fn word(self) -> &'static str {
        match self {
            Self::Abuse => "abuse",
            Self::Discriminatory => "discriminatory",
            Self::Threat => "threat",
            Self::Sexual => "sexual",
        }
    }

    fn of_finding(self) -> &'static str {
        match self {
            Self::Abuse => "abusive-language",
            Self::Discriminatory => "discriminatory-language",
            Self::Threat => "threat",
            Self::Sexual => "sexual-language",
        }
    }
}

/// What a model tells apart: what is not meant to hurt, and each kind.
pub(super) fn classes() -> impl Iterator<Item = &'static str> {
    std::iter::once(NONE).chain(Kind::ALL.into_iter().map(Kind::word))
}

/// The kind of finding of a class by its place.
fn kind(class: usize) -> &'static str {
    Kind::ALL[class.clamp(1, Kind::ALL.len()) - 1].of_finding()
}

/// How what an entry says is judged where it stands.
struct Sense {
    kind: &'static str,
    against: bool,
    calls: bool,
    /// Tokens near which it is something else.
    unless: HashSet<u64>,
}

/// Words with their kinds, by first letter and length, for masked spellings.
type Masked = HashMap<(char, usize), Vec<(Vec<char>, &'static str)>>;

#[derive(Default)]
struct Language {
    senses: Vec<Sense>,
    /// Senses of a run of so many tokens.
    says: HashMap<(u64, usize), usize>,
    /// By first token, the most tokens.
    first: HashMap<u64, usize>,
    masked: Masked,
}

const EMBEDDED: &str = include_str!("../../rules/language.toml");

/// Reads the list built into the program.
pub(super) fn check() -> Result<(), toml::de::Error> {
    read(EMBEDDED).map(|_| ())
}

/// Reads the model built into the program.
pub(super) fn check_model() -> Result<(), ModelError> {
    heard::check()
}

static LANGUAGE: LazyLock<Language> = LazyLock::new(|| read(EMBEDDED).unwrap_or_default());

fn read(toml: &str) -> Result<Language, toml::de::Error> {
    let file: File = toml::from_str(toml)?;
    let unknown = |name: &str| serde::de::Error::custom(format!("there is no list '{name}'"));
    let mut out = Language::default();
    for entry in &file.entry {
        let mut unless = HashSet::new();
        for name in &entry.unless {
            let words = file.near.get(name).ok_or_else(|| unknown(name))?;
            unless.extend(words.iter().map(|word| token_hash(word)));
        }
        let kind = entry.kind.of_finding();
        for says in &entry.says {
            let mut slots: Vec<Vec<&str>> = Vec::new();
            for slot in says.split(' ') {
                slots.push(match slot.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
                    Some(name) => {
                        file.lists.get(name).ok_or_else(|| unknown(name))?.iter().map(String::as_str).collect()
                    }
                    None => slot.split('/').collect(),
                });
            }
            out.add(&slots, &mut Vec::new());
            if let [words] = &slots[..] {
                for word in words {
                    let forms = entry.endings.iter().map(|ending| format!("{word}{ending}"));
                    forms.chain([(*word).to_owned()]).for_each(|form| out.add_word(&form, kind));
                }
            }
        }
        out.senses.push(Sense { kind, against: entry.against, calls: entry.calls, unless });
    }
    Ok(out)
}

impl Language {
    /// Every phrase that the slots can make, as the next sense.
    fn add<'a>(&mut self, slots: &[Vec<&'a str>], words: &mut Vec<&'a str>) {
        let Some((slot, rest)) = slots.split_first() else {
            let run = words.iter().fold(Run::EMPTY, |run, word| run.then(Run::of_token(word)));
            self.says.entry((run.hash, words.len())).or_insert(self.senses.len());
            if let Some(first) = words.first() {
                let longest = self.first.entry(token_hash(first)).or_default();
                *longest = (*longest).max(words.len());
            }
            return;
        };
        for choice in slot {
            let before = words.len();
            words.extend(choice.split('_').filter(|word| *word != "-"));
            self.add(rest, words);
            words.truncate(before);
        }
    }

    fn add_word(&mut self, word: &str, kind: &'static str) {
        let hash = token_hash(word);
        self.says.entry((hash, 1)).or_insert(self.senses.len());
        self.first.entry(hash).or_insert(1);
        let letters: Vec<char> = word.chars().collect();
        if let Some(&first) = letters.first() {
            self.masked.entry((first, letters.len())).or_default().push((letters, kind));
        }
    }
}

/// Words one of which stands in each sentence that the model reads, by hash.
pub(super) fn heated() -> impl Iterator<Item = u64> {
    heard::heated()
}

/// First tokens of the words and phrases, by hash.
pub(super) fn begins() -> impl Iterator<Item = u64> {
    LANGUAGE.first.keys().copied()
}

/// Offensive language where it stands.
#[derive(Debug)]
pub(super) struct Offence {
    pub line: usize,
    /// Of the folded text.
    pub range: Range<usize>,
    pub kind: &'static str,
    pub because: &'static str,
}

/// Where such language stands.
pub(super) fn find(scene: &Scene<'_>) -> Vec<Offence> {
    let mut out = Vec::new();
    let listed = |line: usize, range: Range<usize>, kind: &'static str| Offence {
        line,
        range,
        kind,
        because: "not reported speech",
    };
    for (at, line) in scene.lines() {
        let text = &line.text;
        let offences = if line.all_marks.has(Marks::OFFENCE) { text.tokens } else { &[] };
        for (from, token) in offences.iter().enumerate().filter(|(from, _)| line.marks[*from].has(Marks::OFFENCE)) {
            let Some(&longest) = LANGUAGE.first.get(&text.hash(token)) else { continue };
            let mut run = Run::EMPTY;
            for (to, other) in text.tokens.iter().enumerate().skip(from).take(longest) {
                run = run.then(text.run_of(other));
                let Some(&sense) = LANGUAGE.says.get(&(run.hash, to + 1 - from)) else { continue };
                let sense = &LANGUAGE.senses[sense];
                let range = token.start()..other.end();
                if meant(line, sense, from, to + 1) && !reported(line, &range, from) {
                    out.push(listed(at, range, sense.kind));
                    break;
                }
            }
        }
        // What hides a letter is one of a few signs, or a figure among letters.
        let folded = text.folded().as_bytes();
        let hides = (line.all_marks.has(Marks::DIGIT) && folded.iter().any(u8::is_ascii_alphabetic))
            || memchr::memchr3(b'*', b'@', b'#', folded).is_some()
            || memchr::memchr3(b'$', b'!', b'_', folded).is_some();
        for (range, kind) in if hides { masked(text.folded()) } else { Vec::new() } {
            if !reported(line, &range, text.token_at(range.start)) {
                out.push(listed(at, range, kind));
            }
        }
    }
    for (line, from, to, kind) in heard::find(scene) {
        let text = &scene.lines[line].text;
        let range = text.tokens[from].start()..text.tokens[to - 1].end();
        let known = out.iter().any(|other: &Offence| other.line == line && range.contains(&other.range.start));
        if !known && !reported(&scene.lines[line], &range, from) {
            out.push(Offence { line, range, kind, because: "read as meant to hurt" });
        }
    }
    out
}

/// What an entry says is meant as it says, where it stands.
fn meant(line: &Line<'_>, sense: &Sense, from: usize, to: usize) -> bool {
    let aim = if sense.against { against(line, from, to, sense.kind) } else { Aim::Nobody };
    // What is said to somebody's face is no term of a trade.
    if aim == Aim::Face {
        return true;
    }
    if sense.against && aim == Aim::Nobody || sense.calls && !called_for(line, from) {
        return false;
    }
    if sense.unless.is_empty() {
        return true;
    }
    let tokens = line.text.tokens;
    let near = |at: usize| line.sentence[at].abs_diff(line.sentence[from]) <= limits::NEAR_SENTENCES;
    let year = |at: usize| line.text.word(at).parse().is_ok_and(|n: u32| (1000..limits::HISTORY_BEFORE).contains(&n));
    let mut around = (0..from).chain(to..tokens.len()).filter(|&at| near(at));
    !around.any(|at| sense.unless.contains(&line.text.hash(&tokens[at])) || year(at))
}

/// At whom a word is aimed that is often nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Aim {
    #[default]
    Nobody,
    /// `stupid …`, `he is a …`, `those little …`
    Somebody,
    /// `you …`, `you are a …`
    Face,
}

/// Behind these and before a noun: `you absolute …`, `she is such a little …`.
const FILLERS: &[&str] = &[
    "a",
    "an",
    "the",
    "such",
    "just",
    "nothing",
    "but",
    "really",
    "being",
    "complete",
    "total",
    "absolute",
    "utter",
    "right",
    "little",
    "old",
    "fat",
    "big",
    "huge",
    "massive",
    "ugly",
    "stupid",
    "dirty",
    "filthy",
    "lazy",
    "fucking",
    "bloody",
    "sodding",
    "ignorant",
    "lying",
    "cheating",
    "nasty",
    "horrible",
    "disgusting",
    "useless",
    "thick",
    "selfish",
    "crazy",
    "evil",
    "rude",
    "mean",
    "miserable",
    "moaning",
    "pathetic",
    "worthless",
    "sad",
    "smug",
    "cold",
    "hearted",
    "arrogant",
    "greedy",
    "two",
    "faced",
    "silly",
    "bunch",
    "of",
    "pair",
    "lot",
    "load",
];

/// Directly before a noun these are said of nobody but to hurt.
const INSULTS: &[&str] = &[
    "stupid",
    "fucking",
    "filthy",
    "ignorant",
    "lying",
    "cheating",
    "disgusting",
    "useless",
    "selfish",
    "pathetic",
    "worthless",
    "arrogant",
    "absolute",
    "utter",
    "bloody",
    "sodding",
    "miserable",
    "moaning",
];

/// Of these the thing is said as often: `the oven is an absolute pig`.
const STRESS: &[&str] = &["absolute", "utter", "bloody", "fucking", "sodding", "miserable"];

/// Whether a word is aimed at somebody.
fn against(line: &Line<'_>, from: usize, to: usize, kind: &str) -> Aim {
    let text = &line.text;
    let token = &text.tokens[from];
    // Dick, Offa's Dyke, a Maine Coon.
    if token.case == Case::Capitalised && !token.sentence_start {
        return Aim::Nobody;
    }
    let sentence = line.sentence[from];
    let same = |at: usize| line.sentence[at] == sentence;
    let next =
        if to < text.tokens.len() && same(to) && text.tokens[to].gap.only(Gap::SPACE) { text.word(to) } else { "" };
    // `if you prick the potatoes`, `you cock your head`
    if matches!(
        next,
        "the" | "a" | "an" | "your" | "his" | "her" | "their" | "it" | "them" | "each" | "some" | "all" | "of"
    ) {
        return Aim::Nobody;
    }
    let close = |at: usize| same(at) && (at == from || text.tokens[at + 1].gap.blank());
    let Some(head) = (0..from).rev().take_while(|&at| close(at)).find(|&at| !FILLERS.contains(&text.word(at))) else {
        let insulted = from > 0 && close(from - 1) && INSULTS.contains(&text.word(from - 1));
        return if insulted { Aim::Somebody } else { Aim::Nobody };
    };
    let between = from - head - 1;
    let before = |back: usize| head.checked_sub(back).filter(|&at| same(at)).map_or("", |at| text.word(at));
    let insult = between > 0 && INSULTS.contains(&text.word(from - 1));
    match text.word(head) {
        "you" | "u" | "ya" if !matches!(before(1), "thank" | "to" | "if" | "when" | "as" | "do" | "can" | "would") => {
            Aim::Face
        }
        "youre" | "your" if between > 0 => Aim::Face,
        "are" if before(1) == "you" && between > 0 => Aim::Face,
        // `he's a …`
        "he" | "she" | "who" | "they" if between > 0 && text.tokens[head].possessive => Aim::Somebody,
        "hes" | "shes" | "theyre" | "theyve" if between > 0 => Aim::Somebody,
        "is" | "was" | "are" | "were"
            if between > 0
                && !matches!(before(1), "" | "it" | "this" | "that" | "there" | "here" | "which" | "what") =>
        {
            let person = matches!(before(1), "they" | "who" | "boss" | "man" | "woman" | "neighbour")
                || [KIN, ROLES, CHILD].iter().any(|list| is(list, before(1)));
            let named = head.checked_sub(1).is_some_and(|at| text.tokens[at].case == Case::Capitalised);
            // `the referee is a useless …`
            let despised = insult && !STRESS.contains(&text.word(from - 1));
            if person || named || despised { Aim::Somebody } else { Aim::Nobody }
        }
        // `he plays like a …`
        "like" if between > 0 && kind == Kind::Discriminatory.of_finding() => {
            let person = (1..=3).any(|back| matches!(before(back), "he" | "she" | "they" | "you" | "who"));
            if person { Aim::Somebody } else { Aim::Nobody }
        }
        "what" if text.word(head + 1) == "a" => Aim::Somebody,
        "that" | "this" | "those" | "these" | "with" | "by" | "from" if between > 0 && insult => Aim::Somebody,
        "hate" | "hates" | "despise" => Aim::Somebody,
        _ if insult => Aim::Somebody,
        _ => Aim::Nobody,
    }
}

/// What is called for: it opens its sentence, or somebody says that it be done.
fn called_for(line: &Line<'_>, from: usize) -> bool {
    const CALLS: &[&str] = &[
        "should", "lets", "must", "just", "please", "go", "ill", "well", "gonna", "will", "would", "and", "then",
        "can", "could", "you", "now",
    ];
    let text = &line.text;
    let Some(before) = from.checked_sub(1).filter(|&at| line.sentence[at] == line.sentence[from]) else { return true };
    let word = text.word(before);
    // `I want to`, `we are going to`; what others wanted to do is told, not called for.
    let wish = word == "to"
        && before
            .checked_sub(1)
            .is_some_and(|at| matches!(text.word(at), "want" | "going" | "ought" | "need" | "like" | "love"));
    let comma = text.tokens[from].gap.has(Gap::COMMA.or(Gap::COLON).or(Gap::HYPHEN));
    CALLS.contains(&word) || wish || comma
}

/// Bytes that stand for a hidden letter.
const HIDES: &[u8] = b"*#@$!1340_";

const HIDDEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < HIDES.len() {
        table[HIDES[at] as usize] = true;
        at += 1;
    }
    table
};

/// Words with letters hidden: a letter at the front, the length right, every letter that shows in its place.
fn masked(text: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut out = Vec::new();
    let ends =
        |c: char| c.is_whitespace() || matches!(c, ',' | '.' | ';' | ':' | '?' | '(' | ')' | '"' | '\'' | '/' | '-');
    let mut from = 0;
    while let Some(hidden) = text.bytes().skip(from).position(|byte| HIDDEN[usize::from(byte)]) {
        let hidden = from + hidden;
        let start = from
            + text[from..hidden]
                .rfind(ends)
                .map_or(0, |at| at + text[from + at..].chars().next().map_or(0, char::len_utf8));
        let end = text[hidden..].find(ends).map_or(text.len(), |at| hidden + at);
        from = end;
        let piece = &text[start..end];
        // At least a letter at the front and one more, and something hidden; a figure alone is a number.
        if piece.len() < 4 || !piece.starts_with(char::is_alphabetic) {
            continue;
        }
        let masks = piece.bytes().filter(|byte| HIDDEN[usize::from(*byte)]).count();
        let letters = piece.chars().flat_map(char::to_lowercase);
        let first = letters.clone().next().unwrap_or_default();
        let length = if piece.is_ascii() { piece.len() } else { letters.clone().count() };
        if length < 4 || length - masks < 2 {
            continue;
        }
        let stands_for = |shown: char, meant: char| match shown {
            '*' | '#' | '_' => true,
            '@' => meant == 'a',
            '$' => meant == 's',
            '!' | '1' => meant == 'i' || meant == 'l',
            '3' => meant == 'e',
            '4' => meant == 'a',
            '0' => meant == 'o',
            shown => shown == meant,
        };
        let of_word = |word: &[char]| letters.clone().zip(word).all(|(shown, &meant)| stands_for(shown, meant));
        let found =
            LANGUAGE.masked.get(&(first, length)).and_then(|words| words.iter().find(|(word, _)| of_word(word)));
        if let Some((_, kind)) = found {
            out.push((start..end, *kind));
        }
    }
    out
}

/// Quoted or reported: the writer tells what somebody said.
fn reported(line: &Line<'_>, range: &Range<usize>, token: usize) -> bool {
    const SAYING: [&str; 26] = [
        "said", "says", "called", "calling", "calls", "shouted", "shouting", "told", "wrote", "written", "word",
        "words", "heard", "using", "used", "muttered", "yelled", "repeated", "term", "slur", "spelt", "message",
        "graffiti", "reads", "language", "novel",
    ];
    let text = &line.text;
    let folded = text.folded();
    let before = &folded[..range.start];
    let opened = before.matches('"').count() % 2 == 1
        || before.rfind('\'').is_some_and(|at| {
            at + 40 > range.start && before[..at].chars().next_back().is_none_or(char::is_whitespace)
        });
    let saying = |at: usize| SAYING.contains(&text.word(at));
    let said = (1..=14).any(|back| token.checked_sub(back).is_some_and(saying));
    // `wanted to know what a … was`: of the word, and of nobody.
    let before = |back: usize| token.checked_sub(back).map_or("", |at| text.word(at));
    let behind = text.tokens.partition_point(|token| token.start() < range.end);
    let asked = before(2) == "what"
        && matches!(before(1), "a" | "an")
        && matches!(text.word(behind), "is" | "was" | "means" | "meant");
    if asked {
        return true;
    }
    // `called another pupil a stupid …`: what fills the insult brings it no further from who said it.
    let just_said = (0..token).rev().filter(|&at| !FILLERS.contains(&text.word(at))).take(4).any(saying);
    said && (opened || just_said)
}

#[cfg(test)]
mod tests;
