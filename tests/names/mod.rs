//! Schools by seed, whose pupils have names that are words in no, one or both parts; and messages that name one pupil, or
//! somebody else, in one form.

mod messages;

use std::collections::{BTreeMap, BTreeSet};

pub use messages::{FORMS, STRANGERS};
use schoolgate::people::{Guardian, Pupil, PupilIndex, Staff};

use crate::support::Seeded;

/// Pupils of one school; a quarter of them of each kind of name.
const PUPILS: usize = 160;

/// A school, and what it was made of.
pub struct School {
    pub school: schoolgate::people::School,
    lists: BTreeMap<&'static str, Vec<&'static str>>,
}

/// The lists of `names.txt` by name.
fn lists() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in include_str!("names.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(section) => name = section,
            None => lists.entry(name).or_default().extend(line.split_whitespace()),
        }
    }
    lists
}

impl School {
    pub fn new(rng: &mut Seeded) -> Self {
        let lists = lists();
        let mut school = schoolgate::people::School::default();
        let mut taken = BTreeSet::new();
        while school.pupils.len() < PUPILS {
            let at = school.pupils.len();
            let kind = |word: bool| if word { "word" } else { "plain" };
            let forename = *rng.pick(&lists[format!("{} forenames", kind(at & 1 == 1)).as_str()]);
            let surname = *rng.pick(&lists[format!("{} surnames", kind(at & 2 == 2)).as_str()]);
            if forename == surname || !taken.insert((forename, surname)) {
                continue;
            }
            let year = 7 + rng.below(5);
            let form = format!("{year}{}", rng.pick(&["K", "R", "B"]));
            school.pupils.push(Pupil {
                id: format!("P{at}"),
                forename: forename.into(),
                surname: surname.into(),
                year_group: year.to_string(),
                form,
                ..Pupil::default()
            });
            if rng.one_in(2) {
                let pupil = PupilIndex(u32::try_from(at).expect("few pupils"));
                school.guardians.push(Guardian {
                    id: format!("G{at}"),
                    forename: (*rng.pick(&lists["adult forenames"])).into(),
                    surname: surname.into(),
                    pupils: vec![pupil],
                    ..Guardian::default()
                });
            }
        }
        for at in 0..12 {
            let surname = *rng.pick(&lists["plain surnames"]);
            school.staff.push(Staff {
                forename: (*rng.pick(&lists["adult forenames"])).into(),
                surname: surname.into(),
                email: format!("staff{at}@quarryhill.example"),
                ..Staff::default()
            });
        }
        Self { school: school.indexed(), lists }
    }

    /// 0 for a plain name, 1 for a forename, 2 for a surname and 3 for both parts that are words too.
    pub fn wordness(&self, at: usize) -> usize {
        at & 3
    }

    /// Forename and surname.
    fn name(&self, at: usize) -> (&str, &str) {
        let pupil = &self.school.pupils[at];
        (&pupil.forename, &pupil.surname)
    }
}
