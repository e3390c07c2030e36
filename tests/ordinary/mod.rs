//! Messages of school life without a pupil, made from a grammar.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use crate::support::Seeded;

/// Adults' forenames that no pupil of the roster has, in any form.
const ADULTS: &[&str] = &[
    "Martin", "Graham", "Sheila", "Deborah", "Trevor", "Yvonne", "Clive", "Brenda", "Nigel", "Maureen", "Janet",
    "Barry", "Doreen", "Malcolm", "Geoffrey", "Pauline", "Terence", "Norma",
];

/// Places that are spelt like pupils, each with what makes it one, and plain ones.
const PLACES: &[&str] = &[
    "the Rose Hill gate",
    "the corner of Ivy Lane",
    "14 Rose Hill",
    "the Grace Field pavilion",
    "Holly Bush Farm",
    "Preston Hall car park",
    "Hunter Wood Timber",
    "Heather Moor nature reserve",
    "Sandy Shore campsite",
    "Hope Chapel car park",
    "Dean Close School",
    "Amber Stone quarry",
    "Crystal Waters leisure pool",
    "Lincoln and Wells",
    "Station Road",
    "the Bell Yard bakery",
    "Reading station",
    "Church Lane",
    "Hall Farm",
    "the town park",
    "Summer Hall hotel",
    "Olive Marsh bird hide",
    "Jordan Price Coaches",
    "Thornmoor library",
];

/// Lists of alternatives by name, and the names of whole messages.
pub struct Grammar {
    pub lists: BTreeMap<&'static str, Vec<&'static str>>,
    pub mails: Vec<&'static str>,
    surnames: Vec<String>,
    pupils: BTreeSet<String>,
}

impl Grammar {
    /// The first grammar, for a school of these pupils, by forename and surname.
    pub fn open(pupils: &[(String, String)]) -> Self {
        let lists = lists(include_str!("grammar.txt"));
        let mails: Vec<&str> = lists.keys().filter(|name| name.starts_with("mail ")).copied().collect();
        assert!(mails.len() >= 20, "the grammar holds {} kinds of mail", mails.len());
        Self::of(lists, mails, pupils)
    }

    /// The second grammar: its own lists before those of the first, and its own messages alone.
    pub fn held_aside(pupils: &[(String, String)]) -> Self {
        let own = lists(include_str!("aside.txt"));
        let mails = own.keys().filter(|name| name.starts_with("mail ")).copied().collect();
        let mut all = lists(include_str!("grammar.txt"));
        all.extend(own);
        Self::of(all, mails, pupils)
    }

    fn of(
        lists: BTreeMap<&'static str, Vec<&'static str>>,
        mails: Vec<&'static str>,
        pupils: &[(String, String)],
    ) -> Self {
        let surnames = pupils.iter().map(|(_, surname)| surname.clone()).collect();
        let pupils = pupils.iter().map(|(forename, surname)| format!("{forename} {surname}")).collect();
        Self { lists, mails, surnames, pupils }
    }

    /// Subject and body of one message of this kind.
    pub fn message(&self, kind: &str, rng: &mut Seeded) -> (String, String) {
        let text = self.expand(rng.pick::<&str>(&self.lists[kind]), rng);
        let (subject, body) = text.split_once(" // ").expect("subject and body");
        (subject.replace('\n', " "), body.to_owned())
    }

    pub fn expand(&self, text: &str, rng: &mut Seeded) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, tail) = after.split_once('}').unwrap_or_else(|| panic!("no closing brace in {text:?}"));
            out.push_str(before);
            rest = tail;
            match slot {
                "number" => out.push_str(&(2 + rng.below(97)).to_string()),
                "place" => out.push_str(rng.pick::<&str>(PLACES)),
                "surname" => out.push_str(rng.pick::<String>(&self.surnames)),
                "adult" => {
                    let (forename, surname) = (*rng.pick(ADULTS), rng.pick(&self.surnames));
                    let full = format!("{forename} {surname}");
                    assert!(!self.pupils.contains(&full), "{full} is a pupil");
                    out.push_str(&full);
                }
                _ => {
                    let list = self.lists.get(slot).unwrap_or_else(|| panic!("the grammar has no [{slot}]"));
                    out.push_str(&self.expand(rng.pick::<&str>(list), rng));
                }
            }
        }
        out.push_str(rest);
        out.replace("\\n", "\n")
    }
}

fn lists(grammar: &'static str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in grammar.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        // A subject may start with a bracket as well; it has more after it.
        match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            Some(section) => name = section,
            None => lists.entry(name).or_default().push(line),
        }
    }
    lists
}
