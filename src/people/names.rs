//! Names as data (`rules/names.toml`): which are words, which are shortened how, which belong to everybody.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hashbrown::{HashMap, HashSet};

use crate::text::Run;
use crate::text::normalise::token_hash;

/// How likely a name is to stand in a text as an ordinary word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Wordness {
    /// A name and nothing else.
    #[default]
    Name,
    /// Also a plant, virtue, place or trade.
    Word,
    /// A common word of any sentence.
    Common,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    words: Words,
    famous: Famous,
    short: BTreeMap<String, Vec<String>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    forenames_high: Vec<String>,
    forenames: Vec<String>,
    surnames: Vec<String>,
    common: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Famous {
    names: Vec<String>,
}

/// The compiled lists.
#[derive(Debug, Default)]
pub struct Names {
    words: HashMap<u64, Wordness>,
    famous: HashSet<u64>,
    short: HashMap<u64, Vec<String>>,
    full: HashMap<u64, Vec<Run>>,
}

/// The file built into the program.
pub(super) const EMBEDDED: &str = include_str!("../../rules/names.toml");

/// The lists that ship with the program.
pub static NAMES: LazyLock<Names> = LazyLock::new(|| Names::read(EMBEDDED).unwrap_or_default());

impl Names {
    /// Compiles a file of the shape of `rules/names.toml`.
    pub fn read(toml: &str) -> Result<Self, toml::de::Error> {
        let file: File = toml::from_str(toml)?;
        let mut names = Self::default();
        let plain = file.words.forenames.iter().chain(&file.words.surnames).chain(&file.words.common);
        for name in plain {
            names.words.insert(token_hash(&name.to_lowercase()), Wordness::Word);
        }
        for name in &file.words.forenames_high {
            names.words.insert(token_hash(&name.to_lowercase()), Wordness::Common);
        }
        names.famous = file.famous.names.iter().map(|name| Run::of(name).hash).collect();
        for (name, short) in &file.short {
            let full = Run::of(name);
            for short in short {
                names.full.entry(Run::of(short).hash).or_default().push(full);
            }
        }
        names.short = file.short.into_iter().map(|(name, forms)| (Run::of(&name).hash, forms)).collect();
        Ok(names)
    }

    /// Whether a token, by its hash, is also a word.
    pub fn wordness(&self, token: u64) -> Wordness {
        self.words.get(&token).copied().unwrap_or_default()
    }

    /// Whether a run of tokens is the name of a figure everybody knows.
    pub fn famous(&self, run: Run) -> bool {
        self.famous.contains(&run.hash)
    }

    /// Short forms and other spellings of a forename.
    pub fn short_forms(&self, forename: &str) -> &[String] {
        self.short.get(&Run::of(forename).hash).map_or(&[], Vec::as_slice)
    }

    /// The forenames of which a run, by its hash, is a short form or another spelling.
    pub fn full_forms(&self, short: u64) -> &[Run] {
        self.full.get(&short).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_sound() {
        let names = Names::read(include_str!("../../rules/names.toml")).unwrap();
        assert_eq!(names.wordness(token_hash("will")), Wordness::Common);
        assert_eq!(names.wordness(token_hash("rose")), Wordness::Word);
        assert_eq!(names.wordness(token_hash("oluwaseun")), Wordness::Name);
        assert!(names.short_forms("EDWARD").iter().any(|s| s == "Teddy"));
    }
}
