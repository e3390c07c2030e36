//! The lists of names, and names drawn from them.

use std::collections::BTreeMap;

use crate::support::Seeded;

const TEXTS: [&str; 4] =
    [include_str!("english.txt"), include_str!("celtic.txt"), include_str!("city.txt"), include_str!("words.txt")];

/// How far down a list the most frequent name still is not much more frequent than its neighbours.
const FLAT: u64 = 20;

/// Names of one section, each with how often it is drawn.
struct Section {
    names: Vec<(&'static str, u64)>,
    /// No order of the source says which are the frequent ones.
    unranked: bool,
}

/// The sections by name: "girls english", "surnames welsh".
pub struct Lists(BTreeMap<String, Section>);

impl Lists {
    pub fn read() -> Self {
        let mut sections: BTreeMap<String, Section> = BTreeMap::new();
        let mut current = None;
        for line in TEXTS.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                let name = heading.trim_end_matches(" ranked").trim_end_matches(" counted");
                let unranked = name == heading;
                sections.insert(name.to_owned(), Section { names: Vec::new(), unranked });
                current = Some((name.to_owned(), heading.ends_with(" counted")));
                continue;
            }
            let (name, counted) = current.as_ref().expect("a heading first");
            let section = sections.get_mut(name).expect("just made");
            for name in line.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let rank = section.names.len() as u64;
                section.names.push(match name.split_once('=').filter(|_| *counted) {
                    Some((name, share)) => (name, share.parse().expect("a share")),
                    None => (name, share_of(rank)),
                });
            }
        }
        Self(sections)
    }

    /// Every name of a section.
    pub fn all(&self, section: &str) -> impl Iterator<Item = &'static str> {
        self.0[section].names.iter().map(|(name, _)| *name)
    }
}

fn share_of(rank: u64) -> u64 {
    100_000 / (rank + FLAT)
}

/// The lists as one school has them: what no source orders is in an order of its own, so that there, too, some names are frequent.
pub struct Names(Lists);

impl Names {
    pub fn new(mut lists: Lists, rng: &mut Seeded) -> Self {
        for section in lists.0.values_mut().filter(|section| section.unranked) {
            for at in (1..section.names.len()).rev() {
                section.names.swap(at, rng.below(at as u64 + 1) as usize);
            }
            for (rank, name) in section.names.iter_mut().enumerate() {
                name.1 = share_of(rank as u64);
            }
        }
        Self(lists)
    }

    fn draw(&self, section: &str, rng: &mut Seeded) -> String {
        let names = &self.0.0.get(section).unwrap_or_else(|| panic!("no section {section}")).names;
        let mut at = rng.below(names.iter().map(|(_, share)| share).sum());
        for &(name, share) in names {
            match at.checked_sub(share) {
                Some(rest) => at = rest,
                None => return name.to_owned(),
            }
        }
        unreachable!("below the sum of all shares")
    }

    pub fn child(&self, section: &str, girl: bool, rng: &mut Seeded) -> String {
        match section {
            "words" => self.draw("forenames words", rng),
            _ => self.draw(&format!("{} {section}", if girl { "girls" } else { "boys" }), rng),
        }
    }

    pub fn adult(&self, woman: bool, rng: &mut Seeded) -> String {
        self.draw(if woman { "women english" } else { "men english" }, rng)
    }

    pub fn surname(&self, section: &str, rng: &mut Seeded) -> String {
        self.draw(&format!("surnames {section}"), rng)
    }
}
