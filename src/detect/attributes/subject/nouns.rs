//! Nouns by what they stand for, as data (`rules/nouns.toml`).

use std::collections::HashSet;
use std::sync::LazyLock;

/// The lists of the file, each as the file describes it.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::detect::attributes) struct Nouns {
    pub(super) persons: HashSet<String>,
    pub(super) elliptic: HashSet<String>,
    pub(super) body: HashSet<String>,
    pub(super) things_too: HashSet<String>,
    pub(super) groups: HashSet<String>,
    pub(super) adults: HashSet<String>,
    pub(super) parts: HashSet<String>,
    pub(super) spans: HashSet<String>,
    pub(super) vague: HashSet<String>,
}

/// The file built into the program.
const EMBEDDED: &str = include_str!("../../../../rules/nouns.toml");

pub(super) static NOUNS: LazyLock<Nouns> = LazyLock::new(|| Nouns::embedded().unwrap_or_default());

impl Nouns {
    /// Reads and checks the file.
    pub(in crate::detect::attributes) fn embedded() -> Result<Self, toml::de::Error> {
        toml::from_str(EMBEDDED)
    }
}
