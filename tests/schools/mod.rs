//! Six kinds of schools, made anew from a seed: pupils in families, with what a roster says of them, their guardians and the staff.
//!
//! Names come from published lists (the `.txt` files beside this one say which), the frequent ones frequently.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

mod lists;

use std::collections::BTreeSet;

use lists::{Lists, Names};
use schoolgate::people::{Guardian, Pupil, PupilIndex, School, Staff};

use crate::support::Seeded;

/// A kind of school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 1,300 pupils of years 7 to 13, most with English names.
    Secondary,
    /// 210 pupils of reception to year 6.
    Primary,
    /// Welsh, Irish and Scottish names, with and without accents.
    Celtic,
    /// An inner city: names of many languages.
    City,
    /// Forename and surname are words too.
    Words,
    /// 90 pupils of few families: siblings, cousins and namesakes.
    Rural,
}

/// Where a pupil's names come from: one in so many parts of a school, sections of forenames, and of surnames.
type Share = (u64, &'static str, &'static str);

impl Kind {
    pub const ALL: [Self; 6] = [Self::Secondary, Self::Primary, Self::Celtic, Self::City, Self::Words, Self::Rural];

    pub fn name(self) -> &'static str {
        match self {
            Self::Secondary => "secondary",
            Self::Primary => "primary",
            Self::Celtic => "celtic",
            Self::City => "city",
            Self::Words => "words",
            Self::Rural => "rural",
        }
    }

    fn pupils(self) -> usize {
        match self {
            Self::Secondary => 1300,
            Self::Primary => 210,
            Self::Celtic => 400,
            Self::City => 900,
            Self::Words => 300,
            Self::Rural => 90,
        }
    }

    /// Years, reception being 0.
    fn years(self) -> std::ops::Range<u64> {
        match self {
            Self::Secondary | Self::City => 7..14,
            Self::Celtic | Self::Words => 7..12,
            Self::Primary | Self::Rural => 0..7,
        }
    }

    fn shares(self) -> &'static [Share] {
        match self {
            Self::Secondary | Self::Primary => &[
                (80, "english", "english"),
                (2, "english", "english particles"),
                (4, "irish", "irish"),
                (3, "english", "scottish"),
                (2, "pakistani", "asian frequent"),
                (2, "indian", "indian"),
                (3, "polish", "polish"),
                (2, "yoruba", "yoruba"),
                (1, "romanian", "romanian"),
                (1, "chinese", "chinese"),
            ],
            Self::Rural => &[(9, "english", "english"), (1, "english", "english particles")],
            Self::Celtic => &[
                (40, "welsh", "welsh"),
                (18, "scottish", "scottish"),
                (14, "irish", "irish"),
                (14, "gaelic", "gaelic"),
                (8, "english", "welsh"),
                (6, "irish", "english particles"),
            ],
            Self::City => &[
                (14, "pakistani", "asian frequent"),
                (6, "pakistani", "pakistani"),
                (10, "indian", "indian"),
                (4, "indian", "asian frequent"),
                (7, "yoruba", "yoruba"),
                (3, "igbo", "igbo"),
                (2, "hausa", "hausa"),
                (6, "ghanaian", "ghanaian"),
                (8, "algerian", "algerian"),
                (9, "polish", "polish"),
                (5, "romanian", "romanian"),
                (6, "turkish", "turkish"),
                (5, "portuguese", "portuguese"),
                (4, "chinese", "chinese"),
                (3, "vietnamese", "vietnamese"),
                (4, "algerian", "city particles"),
                (12, "english", "english"),
            ],
            Self::Words => &[(1, "words", "words")],
        }
    }
}

/// A school of this kind, ready to be asked.
pub fn school(kind: Kind, rng: &mut Seeded) -> School {
    let mut made = Making {
        kind,
        names: Names::new(Lists::read(), rng),
        school: School::default(),
        taken: BTreeSet::new(),
        families: Vec::new(),
    };
    made.school.name = "Quarry Hill School".into();
    made.school.domains = vec!["quarryhill.example".into()];
    while made.school.pupils.len() < kind.pupils() {
        made.family(rng);
    }
    for at in 0..kind.pupils().div_ceil(12) {
        made.member_of_staff(at, rng);
    }
    made.school.indexed()
}

/// Surnames of the families a rural school has.
const RURAL_SURNAMES: usize = 22;

struct Making {
    kind: Kind,
    names: Names,
    school: School,
    taken: BTreeSet<(String, String)>,
    families: Vec<String>,
}

impl Making {
    fn share(&self, rng: &mut Seeded) -> Share {
        let shares = self.kind.shares();
        let mut at = rng.below(shares.iter().map(|share| share.0).sum());
        *shares
            .iter()
            .find(|share| {
                at < share.0 || {
                    at -= share.0;
                    false
                }
            })
            .expect("a share")
    }

    fn surname(&mut self, section: &str, rng: &mut Seeded) -> String {
        if self.kind == Kind::Rural && self.families.len() >= RURAL_SURNAMES {
            return rng.pick(&self.families).clone();
        }
        let mut surname = self.names.surname(section, rng);
        if self.kind != Kind::Words && !surname.contains([' ', '-']) && rng.one_in(25) {
            surname = format!("{surname}-{}", self.names.surname("english", rng));
        }
        self.families.push(surname.clone());
        surname
    }

    /// One to three children of one name and address in different years, and one or two who look after them.
    fn family(&mut self, rng: &mut Seeded) {
        let (_, forenames, surnames) = self.share(rng);
        let surname = self.surname(surnames, rng);
        let postcode = format!(
            "QH{} {}{}{}",
            1 + rng.below(9),
            1 + rng.below(9),
            rng.pick(&['A', 'B', 'D', 'L']),
            rng.pick(&['N', 'P', 'T', 'X'])
        );
        let street =
            rng.pick(&["Mill Lane", "Station Road", "Quarry Close", "Church Street", "Victoria Avenue", "The Green"]);
        let address = format!("{} {street}, Quarry Hill", 1 + rng.below(140));
        let children = if rng.one_in(20) {
            3
        } else if rng.one_in(4) {
            2
        } else {
            1
        };
        let mut years: Vec<u64> = self.kind.years().collect();
        let mut pupils = Vec::new();
        for _ in 0..children.min(self.kind.pupils() - self.school.pupils.len()) {
            let year = years.swap_remove(rng.below(years.len() as u64) as usize);
            if let Some(pupil) = self.pupil(forenames, &surname, year, rng) {
                pupils.push(PupilIndex(u32::try_from(self.school.pupils.len()).expect("few pupils")));
                self.school.pupils.push(Pupil { address: address.clone(), postcode: postcode.clone(), ..pupil });
            }
        }
        if !pupils.is_empty() {
            self.guardians(&surname, &pupils, &address, &postcode, rng);
        }
    }

    fn pupil(&mut self, section: &str, surname: &str, year: u64, rng: &mut Seeded) -> Option<Pupil> {
        let girl = rng.one_in(2);
        let forename = self.names.child(section, girl, rng);
        // Namesakes are few; and no name says the same twice.
        let new = self.taken.insert((forename.clone(), surname.to_owned()));
        if forename == surname || !(new || rng.one_in(3)) {
            return None;
        }
        let at = self.school.pupils.len();
        let middle_names = match rng.below(20) {
            0..9 => self.names.child(section, girl, rng),
            9 => format!("{} {}", self.names.child(section, girl, rng), self.names.child(section, girl, rng)),
            _ => String::new(),
        };
        // Drawn whether there is a short form or not, so that a new one changes nobody else.
        let (shortened, mut which) = (rng.one_in(8), rng.branch());
        let short = schoolgate::people::names::NAMES.short_forms(&forename);
        let known_as = (shortened && !short.is_empty()).then(|| which.pick(short).clone());
        // Whose year this is began in September of the year before it, eleven years old in year 7.
        let month = 1 + rng.below(12);
        let born = 2021 - year + u64::from(month < 9);
        let birth = jiff::civil::date(born as i16, month as i8, 1 + rng.below(28) as i8);
        let entered = (2026 - year.saturating_sub(7).min(5)) % 100;
        Some(Pupil {
            id: format!("P{at:04}"),
            upn: Some(upn(entered, at)),
            middle_names: if middle_names == forename { String::new() } else { middle_names },
            known_as,
            date_of_birth: Some(birth),
            gender: if girl { "F" } else { "M" }.into(),
            year_group: if year == 0 { "R".into() } else { year.to_string() },
            form: self.form(year, rng),
            email: (year > 6).then(|| format!("{entered}p{at:04}@quarryhill.example")),
            forename,
            surname: surname.to_owned(),
            ..Pupil::default()
        })
    }

    fn form(&self, year: u64, rng: &mut Seeded) -> String {
        if self.kind.years().start == 0 {
            return (*rng.pick(&["Oak", "Ash", "Beech", "Willow", "Maple", "Elm", "Birch"])).into();
        }
        format!("{year}{}", rng.pick(&["A", "B", "K", "R", "S", "QH", "MT"]))
    }

    fn guardians(&mut self, surname: &str, pupils: &[PupilIndex], address: &str, postcode: &str, rng: &mut Seeded) {
        for at in 0..1 + rng.below(2) {
            let id = self.school.guardians.len();
            let woman = at == 0;
            let forename = self.names.adult(woman, rng);
            let surname = if rng.one_in(4) { self.names.surname("english", rng) } else { surname.to_owned() };
            let local = local_part(&format!("{forename}.{surname}"));
            self.school.guardians.push(Guardian {
                id: format!("G{id:04}"),
                title: if woman { "Mrs" } else { "Mr" }.into(),
                email: (!rng.one_in(5))
                    .then(|| format!("{local}{id}@{}", rng.pick(&["gmail.com", "outlook.com", "hotmail.co.uk"]))),
                relationship: if woman { "mother" } else { "father" }.into(),
                pupils: pupils.to_vec(),
                address: address.into(),
                postcode: postcode.into(),
                forename,
                surname,
                ..Guardian::default()
            });
        }
    }

    /// A third of the staff have the surname of some family.
    fn member_of_staff(&mut self, at: usize, rng: &mut Seeded) {
        let woman = !rng.one_in(3);
        let forename = self.names.adult(woman, rng);
        let surname = if rng.one_in(3) { rng.pick(&self.families).clone() } else { self.names.surname("english", rng) };
        let local = local_part(&format!("{}.{surname}", &forename[..1]));
        self.school.staff.push(Staff {
            id: format!("S{at:03}"),
            title: if woman { "Ms" } else { "Mr" }.into(),
            email: format!("{local}{at}@quarryhill.example"),
            role: (*rng.pick(&["Teacher", "Teaching assistant", "Office", "Head of year"])).into(),
            forename,
            surname,
            ..Staff::default()
        });
    }
}

/// What of a name an address can hold.
fn local_part(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect()
}

/// A unique pupil number with its check letter: local authority 908, a school, the year of entry, a serial number.
fn upn(entered: u64, serial: usize) -> String {
    const LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPQRTUVWXYZ";
    let digits = format!("908{}{entered:02}{:03}", 4012 + serial / 1000, serial % 1000);
    let sum: usize = digits.bytes().zip(2..).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    format!("{}{digits}", char::from(LETTERS[sum % 23]))
}

/// Every surname of a section of the lists.
pub fn surnames(section: &str) -> Vec<&'static str> {
    Lists::read().all(&format!("surnames {section}")).collect()
}

/// Forenames and surnames that are words too.
pub fn words() -> [BTreeSet<&'static str>; 2] {
    let lists = Lists::read();
    [lists.all("forenames words").collect(), lists.all("surnames words").collect()]
}
