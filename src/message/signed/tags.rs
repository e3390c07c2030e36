//! Lists of tags (RFC 6376 3.2), in signatures and in records of keys.

use std::collections::BTreeMap;

/// The values by name, without the blanks that fold them.
pub(super) struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Reads a list. `None` for what is none: something that is no `name=value`, or a name that stands there twice, after which
    /// nothing in the list counts.
    pub(super) fn read(list: &str) -> Option<Self> {
        let mut tags = BTreeMap::new();
        for tag in list.split(';').filter(|tag| !tag.trim().is_empty()) {
            let (name, value) = tag.split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            if name.is_empty() || tags.insert(name, value.split_whitespace().collect()).is_some() {
                return None;
            }
        }
        Some(Self(tags))
    }

    /// A tag's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A tag is not there, or one of its values, which colons part, is among these.
    pub(super) fn allows(&self, name: &str, values: &[&str]) -> bool {
        self.get(name).is_none_or(|list| list.split(':').any(|one| values.iter().any(|v| one.eq_ignore_ascii_case(v))))
    }

    /// A tag is there and names this value.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.get(name).is_some() && self.allows(name, &[value])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_what_is_none() {
        let tags = Tags::read("v=1; A = rsa-\r\n sha256;\tb=x=y==; s=*:email; t=; ").expect("a list");
        assert_eq!(
            ["v", "a", "b", "t", "z"].map(|n| tags.get(n)),
            [Some("1"), Some("rsa-sha256"), Some("x=y=="), Some(""), None]
        );
        assert!(tags.allows("s", &["email"]) && !tags.allows("s", &["tlsrpt"]) && tags.allows("h", &["sha256"]));
        assert!(tags.has("s", "*") && !tags.has("t", "y") && !tags.has("h", "sha256"));
        for none in ["v=1; v=1", "v=1; V=2", "v=1; word", "=1"] {
            assert!(Tags::read(none).is_none(), "{none}");
        }
    }
}
