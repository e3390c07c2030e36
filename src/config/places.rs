//! Where each key stands in the file, so that what is found wrong only later, by start or `doctor`, still has its line.

use std::collections::BTreeMap;

use toml::de::{DeArray, DeTable, DeValue};

use crate::text::problem::line_and_column;

/// Line and column of each value by its dotted key, as `listen.addresses`; of a section, those of its name.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<String, (usize, usize)>);

impl Places {
    /// Reads the places of a text; of one that is no TOML there are none.
    pub(super) fn of(text: &str) -> Self {
        let mut places = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            places.add(text, "", table.get_ref());
        }
        places
    }

    fn add(&mut self, text: &str, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let at = match value.get_ref() {
                DeValue::Table(inner) => {
                    self.add(text, &format!("{key}."), inner);
                    name.span()
                }
                DeValue::Array(entries) => {
                    self.add_named(text, &key, entries);
                    value.span()
                }
                _ => value.span(),
            };
            self.0.insert(key, line_and_column(text, at.start));
        }
    }

    /// Of `[[listener]]` and the like: each entry by its name, as `listener.staff.addresses`, or by its host.
    fn add_named(&mut self, text: &str, key: &str, entries: &DeArray<'_>) {
        for entry in entries {
            let DeValue::Table(table) = entry.get_ref() else { continue };
            if let Some(DeValue::String(name)) = table.get("name").or(table.get("host")).map(|name| name.get_ref()) {
                let key = format!("{key}.{name}");
                self.add(text, &format!("{key}."), table);
                self.0.insert(key, line_and_column(text, entry.span().start));
            }
        }
    }

    /// The place of a key, or of the section that it would stand in.
    pub(super) fn find(&self, key: &str) -> Option<(usize, usize)> {
        let mut key = key;
        loop {
            if let Some(place) = self.0.get(key) {
                return Some(*place);
            }
            key = key.rsplit_once('.')?.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_and_else_its_section() {
        let text = "[listen]\naddresses = [\"a\"]\n\n[policy]\nmodes = { x = \"warn\" }\n[policy.more]\n\
            [[listener]]\nname = \"a\"\n[[listener]]\nname = \"b\"\ntls = \"none\"\n";
        let places = Places::of(text);
        for (key, place) in [
            ("listen.addresses", Some((2, 13))),
            ("listen.hostname", Some((1, 2))),
            ("policy.modes.x", Some((5, 15))),
            ("policy.modes.y", Some((5, 1))),
            ("listener.a.tls", Some((7, 1))),
            ("listener.b.tls", Some((11, 7))),
            ("listener.c.tls", Some((7, 1))),
            ("store.path", None),
        ] {
            assert_eq!(places.find(key), place, "{key}");
        }
    }
}
