//! What has no place in a school's mail: the sender's own trade, a prize, a wager, party politics (`rules/business.toml`).
//!
//! A sign is an offer or a call in one sentence of the sender's own, mostly with a price or a way to order beside it; what
//! is a school's business anyway (fund-raising, lessons, the school council) clears the kind for the whole message.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::seen::kind;

/// What has no place in a school's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Business {
    /// The sender's own trade.
    Trade,
    /// A prize, a quick gain.
    Prize,
    /// A wager.
    Gambling,
    /// Party politics.
    Politics,
}

impl Business {
    /// The kind of a finding of it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Trade => kind::TRADE,
            Self::Prize => kind::PRIZE,
            Self::Gambling => kind::GAMBLING,
            Self::Politics => kind::POLITICS,
        }
    }
}

/// The shape of `rules/business.toml`, which explains itself.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lists: BTreeMap<String, Vec<String>>,
    unless: BTreeMap<Business, String>,
    sign: Vec<RawSign>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSign {
    kind: Business,
    says: String,
    with: Option<String>,
    #[serde(default)]
    capitals: bool,
}

struct Sign {
    kind: Business,
    says: Regex,
    with: Option<Regex>,
}

#[derive(Default)]
struct Signs {
    signs: Vec<Sign>,
    unless: BTreeMap<Business, Regex>,
}

/// The file built into the program.
const EMBEDDED: &str = include_str!("../../../rules/business.toml");

static SIGNS: LazyLock<Signs> = LazyLock::new(|| Signs::read(EMBEDDED).unwrap_or_default());

impl Signs {
    /// The list, or why it is not of its shape.
    fn read(toml: &str) -> Result<Self, String> {
        let file: File = toml::from_str(toml).map_err(|e| e.to_string())?;
        let regex = |pattern: &str, capitals: bool| {
            let flags = if capitals { "" } else { "(?i)" };
            Regex::new(&format!("{flags}{pattern}")).map_err(|e| e.to_string())
        };
        let mut signs = Vec::new();
        for raw in file.sign {
            let says = file.lists.iter().fold(raw.says, |says, (name, words)| {
                says.replace(&format!("{{{name}}}"), &format!("(?:{})", words.join("|")))
            });
            let with = raw.with.map(|with| regex(&with, false)).transpose()?;
            signs.push(Sign { kind: raw.kind, says: regex(&says, raw.capitals)?, with });
        }
        let unless = file.unless.into_iter().map(|(kind, words)| Ok((kind, regex(&words, false)?)));
        Ok(Self { signs, unless: unless.collect::<Result<_, String>>()? })
    }
}

/// Whether the list built into the program is of its shape.
pub(super) fn check() -> Result<(), String> {
    Signs::read(EMBEDDED).map(drop)
}

/// What the sender's own sentences are about, and by which of them it is told.
pub(super) fn find(sentences: &[&str]) -> BTreeMap<Business, usize> {
    let mut found = BTreeMap::new();
    // Put together once a sentence fits: mostly none does.
    let whole = LazyLock::new(|| sentences.join(" \n"));
    for sign in &SIGNS.signs {
        let cleared = || SIGNS.unless.get(&sign.kind).is_some_and(|unless| unless.is_match(&whole));
        if found.contains_key(&sign.kind) {
            continue;
        }
        let Some(at) = sentences.iter().position(|sentence| sign.says.is_match(sentence)) else { continue };
        if sign.with.as_ref().is_none_or(|with| with.is_match(&whole)) && !cleared() {
            found.insert(sign.kind, at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_of_its_shape_and_a_faulty_one_says_so() {
        assert_eq!(check(), Ok(()));
        assert!(SIGNS.signs.iter().all(|sign| SIGNS.unless.contains_key(&sign.kind)), "every kind can be cleared");
        assert!(
            SIGNS
                .signs
                .iter()
                .all(|sign| !sign.says.as_str().contains("{made") && !sign.says.as_str().contains("{part"))
        );
        assert!(Signs::read("[lists]\n[unless]\n[[sign]]\nkind = 'trade'\nsays = '('").is_err());
        assert!(Signs::read("[lists]\n[unless]\n[[sign]]\nkind = 'barter'\nsays = 'x'").is_err());
    }
}
