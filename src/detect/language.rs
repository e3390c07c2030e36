//! Abusive, discriminatory, threatening and sexually explicit language, masked letters included.
//!
//! A report of what was said (in quotation marks, or with a verb of saying before it) is no offence, nor is talk about
//! words. Whole words alone count: Scunthorpe, Dick Turpin and a hen's cockerel pass.

use std::ops::Range;
use std::sync::LazyLock;

use hashbrown::HashMap;

use super::marks::Marks;
use super::scene::Scene;
use crate::text::normalise::token_hash;
use crate::text::{Run, Text, TextBuf};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    words: HashMap2,
    phrases: HashMap2,
}
type HashMap2 = std::collections::BTreeMap<String, Vec<String>>;

/// Words with their categories, by first letter and length, for masked spellings.
type Masked = HashMap<(char, usize), Vec<(Vec<char>, &'static str)>>;

#[derive(Default)]
struct Language {
    words: HashMap<u64, &'static str>,
    masked: Masked,
    phrases: HashMap<u64, &'static str>,
    first: HashMap<u64, usize>,
}

const EMBEDDED: &str = include_str!("../../rules/language.toml");

/// Reads the file built into the program.
pub(super) fn check() -> Result<(), toml::de::Error> {
    read(EMBEDDED).map(|_| ())
}

static LANGUAGE: LazyLock<Language> = LazyLock::new(|| read(EMBEDDED).unwrap_or_default());

fn kind(category: &str) -> &'static str {
    match category {
        "discriminatory" => "discriminatory-language",
        "threat" => "threat",
        "sexual" => "sexual-language",
        _ => "abusive-language",
    }
}

fn read(toml: &str) -> Result<Language, toml::de::Error> {
    let file: File = toml::from_str(toml)?;
    let mut out = Language::default();
    for (category, words) in &file.words {
        for word in words {
            for form in [
                word.clone(),
                format!("{word}s"),
                format!("{word}ed"),
                format!("{word}er"),
                format!("{word}ers"),
                format!("{word}ing"),
                format!("{word}in"),
                format!("{word}y"),
            ] {
                let letters: Vec<char> = form.chars().collect();
                out.words.insert(token_hash(&form), kind(category));
                if let Some(&first) = letters.first() {
                    out.masked.entry((first, letters.len())).or_default().push((letters, kind(category)));
                }
            }
        }
    }
    for (category, phrases) in &file.phrases {
        // What is threatened to `you` is a threat to him, her and them as well.
        let spread = phrases.iter().flat_map(|phrase| {
            let others: &[&str] =
                if category == "threat" && phrase.contains("your ") { &["his ", "her ", "their "] } else { &[] };
            std::iter::once(phrase.clone()).chain(others.iter().map(|other| phrase.replace("your ", other)))
        });
        for phrase in spread {
            let text = TextBuf::new(&phrase);
            let text = text.text();
            out.phrases.insert(text.run(0, text.tokens.len()).hash, kind(category));
            if let Some(first) = text.tokens.first() {
                let longest = out.first.entry(first.hash).or_default();
                *longest = (*longest).max(text.tokens.len());
            }
        }
    }
    Ok(out)
}

/// First tokens of the words and phrases, by hash.
pub(super) fn begins() -> impl Iterator<Item = u64> {
    LANGUAGE.words.keys().chain(LANGUAGE.first.keys()).copied()
}

/// Where such language stands: line, range of the folded text, kind.
pub(super) fn find(scene: &Scene<'_>) -> Vec<(usize, Range<usize>, &'static str)> {
    let mut out = Vec::new();
    for (at, line) in scene.lines() {
        let text = &line.text;
        let offences = if line.all_marks.has(Marks::OFFENCE) { text.tokens } else { &[] };
        for (from, token) in offences.iter().enumerate().filter(|(from, _)| line.marks[*from].has(Marks::OFFENCE)) {
            let mut hit = LANGUAGE.words.get(&token.hash).map(|kind| (token.start()..token.end(), *kind));
            if hit.is_none()
                && let Some(&longest) = LANGUAGE.first.get(&token.hash)
            {
                let mut run = Run::EMPTY;
                for other in text.tokens.iter().skip(from).take(longest) {
                    run = run.then(other.run());
                    if let Some(kind) = LANGUAGE.phrases.get(&run.hash) {
                        hit = Some((token.start()..other.end(), kind));
                    }
                }
            }
            if let Some((range, kind)) = hit
                && !reported(text, &range, from)
            {
                out.push((at, range, kind));
            }
        }
        for (range, kind) in masked(text.folded()) {
            if !reported(text, &range, text.token_at(range.start)) {
                out.push((at, range, kind));
            }
        }
    }
    out
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
    const ENDS: fn(char) -> bool = |c| c.is_whitespace() || ",.;:?()\"'/-".contains(c);
    let mut from = 0;
    while let Some(hidden) = text.bytes().skip(from).position(|byte| HIDDEN[usize::from(byte)]) {
        let hidden = from + hidden;
        let start = from
            + text[from..hidden]
                .rfind(ENDS)
                .map_or(0, |at| at + text[from + at..].chars().next().map_or(0, char::len_utf8));
        let end = text[hidden..].find(ENDS).map_or(text.len(), |at| hidden + at);
        from = end;
        let piece = &text[start..end];
        // At least a letter at the front and one more, and something hidden; a figure alone is a number.
        if piece.len() < 4 || !piece.starts_with(char::is_alphabetic) {
            continue;
        }
        let masks = piece.bytes().filter(|byte| HIDES.contains(byte)).count();
        let letters: Vec<char> = piece.to_lowercase().chars().collect();
        if letters.len() < 4 || letters.len() - masks < 2 || !letters[0].is_alphabetic() {
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
        let found = LANGUAGE
            .masked
            .get(&(letters[0], letters.len()))
            .and_then(|words| words.iter().find(|(word, _)| letters.iter().zip(word).all(|(&s, &m)| stands_for(s, m))));
        if let Some((_, kind)) = found {
            out.push((start..end, *kind));
        }
    }
    out
}

/// Quoted or reported: the writer tells what somebody said.
fn reported(text: &Text<'_>, range: &Range<usize>, token: usize) -> bool {
    const SAYING: [&str; 26] = [
        "said", "says", "called", "calling", "calls", "shouted", "shouting", "told", "wrote", "written", "word",
        "words", "heard", "using", "used", "muttered", "yelled", "repeated", "term", "slur", "spelt", "message",
        "graffiti", "reads", "language", "novel",
    ];
    let folded = text.folded();
    let before = &folded[..range.start];
    let opened = before.matches('"').count() % 2 == 1
        || before.rfind('\'').is_some_and(|at| {
            at + 40 > range.start && before[..at].chars().next_back().is_none_or(char::is_whitespace)
        });
    let said = (1..=14).any(|back| token.checked_sub(back).is_some_and(|at| SAYING.contains(&text.word(at))));
    let just_said = (1..=4).any(|back| token.checked_sub(back).is_some_and(|at| SAYING.contains(&text.word(at))));
    said && (opened || just_said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::layout::Layout;
    use crate::people::School;
    use crate::text::Halt;
    use crate::text::{Document, Kind};

    #[test]
    fn offence_and_its_look_alikes() {
        for (text, want) in [
            ("You are a f***ing disgrace", true),
            ("what a r*tard", true),
            ("I will break your legs", true),
            ("He is such a w@nker", true),
            ("The coach leaves for Scunthorpe via Penistone", false),
            ("Dick Turpin and the cockerel", false),
            ("He called her a 'bitch' in the corridor", false),
            ("She shouted \"fuck off\" at the TA", false),
            ("5 * 4 = 20 and 3*3", false),
        ] {
            let documents = [Document::of_text(Kind::Body, "body", text)];
            let school = School::default();
            let halt = Halt::default();
            let layout = Layout::new(&documents, &school, &halt);
            let scene = Scene::new(&documents, &layout, &school, &halt);
            assert_eq!(!find(&scene).is_empty(), want, "{text}");
        }
    }
}
