//! Words of a message that may be the password of a file sent with it.
//!
//! People write the password into the message, the subject or the next line. What stands near a word like "password" is
//! likelier than the rest, and what looks like one (digits among letters) is likelier than prose.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Why;
use crate::limits;
use crate::text::{Block, Document, Kind};

/// Words that announce a password.
const CUES: &[&str] = &[
    "password",
    "passwords",
    "passcode",
    "passphrase",
    "pass",
    "pwd",
    "pw",
    "pin",
    "key",
    "code",
    "unlock",
    "open",
    "opens",
    "protected",
    "encrypted",
];

/// Words that may be passwords, the likeliest of them; each document is looked at once.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Rank and order by word.
    found: HashMap<String, (u8, usize)>,
    /// How many words were ever found, and how many documents were looked at.
    order: usize,
    documents: usize,
}

impl Candidates {
    /// The candidates of all documents read of the message so far, of which there are more each time: the likeliest first, at
    /// most [`limits::PASSWORD_TRIES`].
    pub fn with(&mut self, documents: &[Document]) -> Vec<String> {
        let new = documents.get(self.documents..).unwrap_or_default();
        self.documents = documents.len();
        let texts = new.iter().filter(|d| matches!(d.kind, Kind::Subject | Kind::Body | Kind::Quoted));
        for block in texts.flat_map(|d| &d.blocks) {
            match block {
                Block::Paragraph { text, .. } => self.text(text),
                Block::Table(table) => {
                    table.rows().for_each(|row| self.text(&row.joined(" ")));
                }
            }
        }
        for document in new.iter().filter(|d| d.kind == Kind::FileName) {
            for block in &document.blocks {
                if let Block::Paragraph { text, .. } = block {
                    self.add(3, text);
                    text.split(['_', ' ', '-']).for_each(|word| self.add(3, word));
                }
            }
        }
        self.list()
    }

    fn text(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let is_cue = |word: &str| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            // "Password:Oak-12" without a blank.
            let first = bare.split([':', '=']).next().unwrap_or_default();
            CUES.contains(&first)
        };
        for line in text.lines() {
            for separator in [": ", " is ", "= ", " - ", " – "] {
                // A password of several words stands between the announcement and the end of the line or sentence.
                let Some((before, after)) = line.split_once(separator) else { continue };
                if before.split_whitespace().any(is_cue) {
                    self.add(0, after);
                    if let Some((sentence, _)) = after.split_once(". ") {
                        self.add(0, sentence);
                    }
                }
            }
        }
        for quoted in text.split(['"', '“', '”', '‘', '’', '\'', '`']).skip(1).step_by(2).take(50) {
            if quoted.len() <= 64 {
                self.add(1, quoted);
            }
        }
        let mut since_cue = usize::MAX;
        for (at, word) in words.iter().enumerate() {
            let cue_after = words[at + 1..].iter().take(4).any(|w| is_cue(w));
            let rank = match (since_cue, cue_after) {
                (0..=8, _) => 1,
                (_, true) => 2,
                _ => 3,
            };
            if let Some((_, value)) = word.split_once([':', '=']) {
                self.add(if is_cue(word) { 0 } else { rank }, value);
            }
            self.add(rank, word);
            since_cue = if is_cue(word) { 0 } else { since_cue.saturating_add(1) };
        }
    }

    fn add(&mut self, rank: u8, word: &str) {
        let word = word.trim();
        let bare = word.trim_matches(['"', '\'', '“', '”', '‘', '’', '(', ')', '[', ']', '<', '>', '`', ',', ';']);
        for form in [bare, bare.trim_end_matches(['.', '!', '?', ':']), word] {
            let plain = form.chars().all(|c| c.is_lowercase());
            let mixed = form.chars().any(|c| c.is_ascii_digit()) || form.chars().any(|c| !c.is_alphanumeric());
            let long = form.chars().count();
            if !(3..=128).contains(&long) {
                continue;
            }
            let rank = rank * 2 + u8::from(plain || !mixed && long < 6);
            self.order += 1;
            let order = self.order;
            match self.found.get_mut(form) {
                Some(known) => known.0 = known.0.min(rank),
                None => {
                    self.found.insert(form.to_owned(), (rank, order));
                }
            }
        }
    }

    /// The likeliest, and none but those are kept.
    fn list(&mut self) -> Vec<String> {
        let mut found: Vec<_> = self.found.drain().map(|(word, likely)| (likely, word)).collect();
        found.sort();
        found.truncate(limits::PASSWORD_TRIES);
        self.found.extend(found.iter().map(|(likely, word)| (word.clone(), *likely)));
        found.into_iter().map(|(_, word)| word).collect()
    }
}

/// Tries passwords one after the other until one opens something or the time is over; what it opened.
///
/// # Errors
/// [`Why::Encrypted`] where none does, and any other reason as soon as a try gives it.
pub fn try_each<T>(passwords: &[String], mut open: impl FnMut(&str) -> Result<T, Why>) -> Result<T, Why> {
    let until = Instant::now() + Duration::from_secs(limits::PASSWORD_SECONDS);
    for password in passwords {
        match open(password) {
            Err(Why::Encrypted) if Instant::now() < until => {}
            other => return other,
        }
    }
    Err(Why::Encrypted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_comes_first() {
        for (text, password) in [
            ("The password is Oak-Tree12.", "Oak-Tree12"),
            ("Password: correct horse battery", "correct horse battery"),
            ("pw=Winter2026!", "Winter2026!"),
            ("Use “Elm.77” to open the file", "Elm.77"),
            ("It opens with saltmere.\nThanks", "saltmere"),
            ("Please find it attached. Qz81kk unlocks it, the key", "Qz81kk"),
        ] {
            let found = Candidates::default().with(&[Document::of_text(Kind::Body, "body", text)]);
            let rank = found.iter().position(|w| w == password);
            assert!(rank.is_some_and(|r| r < 16), "{text}: {found:?}");
        }
        let prose = "We went to the museum and saw many things there. ".repeat(2000);
        let documents =
            [Document::of_text(Kind::Body, "body", prose), Document::of_text(Kind::FileName, "a", "Elm_77")];
        let mut found = Candidates::default();
        assert!(found.with(&documents[..1]).len() <= limits::PASSWORD_TRIES);
        // Each document is looked at once, and what was likely stays.
        let before = (found.order, found.with(&documents[..1]));
        assert_eq!((found.order, found.with(&documents[..1])), before);
        found.with(&documents);
        assert!(found.order > before.0 && found.order < before.0 + 20);
    }
}
