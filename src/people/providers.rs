//! Mailbox providers as data (`rules/providers.toml`).

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    personal: HashSet<String>,
    dots_ignored: HashSet<String>,
    tags_ignored: HashSet<String>,
    same_mailbox: Vec<Vec<String>>,
    big: Vec<String>,
    disposable: HashSet<String>,
}

/// The compiled lists; all domains in lower case.
#[derive(Debug, Default)]
pub(super) struct Providers {
    personal: HashSet<String>,
    dots_ignored: HashSet<String>,
    tags_ignored: HashSet<String>,
    aliases: HashMap<String, String>,
    pub(super) big: Vec<String>,
    disposable: HashSet<String>,
}

/// The file built into the program.
pub(super) const EMBEDDED: &str = include_str!("../../rules/providers.toml");

pub(super) static PROVIDERS: LazyLock<Providers> = LazyLock::new(|| Providers::read(EMBEDDED).unwrap_or_default());

impl Providers {
    pub(super) fn read(toml: &str) -> Result<Self, toml::de::Error> {
        let file: File = toml::from_str(toml)?;
        let mut aliases = HashMap::new();
        for group in file.same_mailbox {
            if let Some((first, others)) = group.split_first() {
                aliases.extend(others.iter().map(|other| (other.clone(), first.clone())));
            }
        }
        Ok(Self {
            personal: file.personal,
            dots_ignored: file.dots_ignored,
            tags_ignored: file.tags_ignored,
            aliases,
            big: file.big,
            disposable: file.disposable,
        })
    }

    pub(super) fn personal(&self, domain: &str) -> bool {
        self.personal.contains(domain)
    }

    /// Throw-away domains, and whatever lies below them.
    pub(super) fn disposable(&self, domain: &str) -> bool {
        let mut rest = domain;
        loop {
            if self.disposable.contains(rest) {
                return true;
            }
            match rest.split_once('.') {
                Some((_, tail)) if tail.contains('.') => rest = tail,
                _ => return false,
            }
        }
    }

    /// The address as compared: lower case, and without what its provider ignores.
    pub(super) fn fold(&self, local: &str, domain: &str) -> String {
        let mut local = local.trim_matches('"').to_lowercase();
        if self.tags_ignored.contains(domain)
            && let Some(plus) = local.find('+')
            && plus > 0
        {
            local.truncate(plus);
        }
        if self.dots_ignored.contains(domain) {
            local.retain(|c| c != '.');
        }
        let domain = self.aliases.get(domain).map_or(domain, String::as_str);
        format!("{local}@{domain}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_sound() {
        let providers = Providers::read(include_str!("../../rules/providers.toml")).unwrap();
        assert!(providers.big.iter().all(|domain| providers.personal(domain)), "every big provider is personal");
        assert!(providers.disposable("x.mailinator.com") && !providers.disposable("gmail.com"));
        assert_eq!(providers.fold("A.b+School", "googlemail.com"), "ab@gmail.com");
        assert_eq!(providers.fold("a.b+c", "school.example"), "a.b+c@school.example");
    }
}
