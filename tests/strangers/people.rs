//! Strangers and staff, and whether words are a pupil's full name.

use std::collections::{BTreeMap, BTreeSet};

use schoolgate::people::School;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::support::Seeded;

/// Of so many names one is from the published lists; the others are names of the roster.
const PUBLISHED: u64 = 3;

/// Of so many published names one is not English.
const ABROAD: u64 = 3;

/// Words that a full name has at most.
const WORDS: usize = 4;

#[derive(Debug, Clone)]
pub struct Person {
    forename: String,
    surname: String,
}

/// The people of one message by letter.
#[derive(Default)]
pub struct Cast(BTreeMap<char, Person>);

/// Names to draw from, and the full names that mean pupils.
pub struct Names<'a> {
    forenames: Vec<&'a str>,
    surnames: Vec<&'a str>,
    staff: Vec<Person>,
    published: BTreeMap<&'static str, Vec<&'static str>>,
    /// Full names of pupils and of those who look after them, in either order.
    meant: BTreeSet<String>,
    /// With what these begin.
    begins: BTreeSet<String>,
}

impl Person {
    pub fn full(&self) -> String {
        format!("{} {}", self.forename, self.surname)
    }

    pub fn part(&self, part: &str, rng: &mut Seeded) -> String {
        match part {
            "" => self.full(),
            "first" => self.forename.clone(),
            "last" => self.surname.clone(),
            "i" => self.forename.chars().take(1).collect(),
            "rev" => format!("{}, {}", self.surname, self.forename),
            "caps" => self.full().to_uppercase(),
            "mail" => self.local_part(rng),
            _ => panic!("a person has no {part}"),
        }
    }

    /// What stands before the at-sign of this person's mailbox.
    pub fn local_part(&self, rng: &mut Seeded) -> String {
        let plain = |name: &str| folded(name).chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        let (forename, surname) = (plain(&self.forename), plain(&self.surname));
        let initial: String = forename.chars().take(1).collect();
        match rng.below(5) {
            0 => format!("{forename}.{surname}"),
            1 => format!("{initial}.{surname}"),
            2 => format!("{initial}{surname}"),
            3 => format!("{forename}{}", 10 + rng.below(90)),
            _ => format!("{surname}.{initial}"),
        }
    }
}

impl Cast {
    /// Who has this letter: `s` and `t` are staff, `x` is somebody else each time, all others stay who they are.
    pub fn of(&mut self, names: &Names<'_>, letter: char, rng: &mut Seeded) -> &Person {
        if letter == 'x' {
            self.0.remove(&letter);
        }
        self.0.entry(letter).or_insert_with(|| match letter {
            's' | 't' => rng.pick(&names.staff).clone(),
            _ => names.stranger(rng),
        })
    }
}

impl<'a> Names<'a> {
    pub fn of(school: &'a School) -> Self {
        let mut meant = BTreeSet::new();
        let mut both = |forename: &str, surname: &str| {
            for surname in std::iter::once(surname).chain(surname.split('-')) {
                meant.insert(folded(&format!("{forename} {surname}")));
                meant.insert(folded(&format!("{surname} {forename}")));
            }
        };
        for pupil in &school.pupils {
            pupil.forenames().for_each(|forename| pupil.surnames().for_each(|surname| both(forename, surname)));
        }
        school.guardians.iter().for_each(|guardian| both(&guardian.forename, &guardian.surname));
        let staff =
            school.staff.iter().map(|one| Person { forename: one.forename.clone(), surname: one.surname.clone() });
        let mut staff: Vec<Person> = staff.collect();
        staff.retain(|one| !meant.contains(&folded(&one.full())));
        let begins = meant.iter().filter_map(|name| name.split(' ').next()).map(str::to_owned).collect();
        Self {
            forenames: school.pupils.iter().map(|pupil| pupil.forename.as_str()).collect(),
            surnames: school.pupils.iter().map(|pupil| pupil.surname.as_str()).collect(),
            staff,
            published: super::lists(include_str!("names.txt")),
            meant,
            begins,
        }
    }

    pub fn forename(&self, rng: &mut Seeded) -> String {
        self.name("forenames", &self.forenames, rng)
    }

    pub fn surname(&self, rng: &mut Seeded) -> String {
        self.name("surnames", &self.surnames, rng)
    }

    fn name(&self, part: &str, roster: &[&str], rng: &mut Seeded) -> String {
        if !rng.one_in(PUBLISHED) {
            return (*rng.pick(roster)).to_owned();
        }
        let lists: Vec<_> = self.published.iter().filter(|(name, _)| name.ends_with(part)).collect();
        let english = || lists.iter().find(|(name, _)| name.starts_with("en_GB")).expect("English names");
        let (_, lines) = if rng.one_in(ABROAD) { rng.pick(&lists) } else { english() };
        let line = rng.pick(lines);
        let names: Vec<&str> = line.split(' ').collect();
        (*rng.pick(&names)).to_owned()
    }

    fn stranger(&self, rng: &mut Seeded) -> Person {
        loop {
            let person = Person { forename: self.forename(rng), surname: self.surname(rng) };
            if !self.means_somebody(&person.full()) {
                return person;
            }
        }
    }

    /// Forename and surname of a pupil, or of somebody who looks after one, stand next to each other with nothing between.
    pub fn means_somebody(&self, text: &str) -> bool {
        text.lines().any(|line| {
            let line = folded(line).replace('/', " / ");
            let words: Vec<&str> = line.split(' ').collect();
            let outer = |c: char| !c.is_alphabetic();
            words
                .windows(2)
                .enumerate()
                .filter(|(_, pair)| self.begins.contains(pair[0].trim_start_matches(outer)))
                .any(|(at, _)| {
                    (at + 2..=words.len().min(at + WORDS)).any(|end| {
                        let name = words[at..end].join(" ");
                        let name = name.trim_matches(outer);
                        self.meant.contains(name.strip_suffix("'s").unwrap_or(name))
                    })
                })
        })
    }
}

/// Small letters without accents, with one kind of apostrophe.
pub fn folded(text: &str) -> String {
    text.nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c == '’' { '\'' } else { c })
        .collect()
}
