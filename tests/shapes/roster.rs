//! The made-up schools of `fixtures/` as the generator sees them: read from their CSV by itself, not by the product.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A school: its people, and words it calls itself by.
pub struct Roster {
    /// Folder of its configuration.
    pub folder: PathBuf,
    pub name: &'static str,
    pub domain: &'static str,
    pub pupils: Vec<Pupil>,
    pub staff: Vec<Adult>,
    pub guardians: Vec<Adult>,
    full: BTreeMap<String, usize>,
}

/// A pupil as the CSV has it; empty where nothing stands.
#[derive(Debug, Clone)]
pub struct Pupil {
    pub id: String,
    pub upn: String,
    pub uln: String,
    pub forename: String,
    pub surname: String,
    pub known_as: String,
    /// ISO 8601.
    pub born: String,
    /// `N`, `R` or a number.
    pub year: String,
    pub form: String,
    pub postcode: String,
}

/// A member of staff or a guardian.
#[derive(Debug, Clone)]
pub struct Adult {
    pub title: String,
    pub forename: String,
    pub surname: String,
    pub email: String,
    /// Role of staff, pupil ids of a guardian.
    pub note: String,
}

impl Pupil {
    pub fn full(&self) -> String {
        format!("{} {}", self.forename, self.surname)
    }

    /// 14/03/2012, as people write it.
    pub fn born_as_written(&self) -> String {
        let mut parts = self.born.split('-').rev();
        [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default).join("/")
    }
}

impl Roster {
    pub fn of(school: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(school);
        let pupils: Vec<Pupil> = table(&folder.join("roster/pupils.csv"))
            .into_iter()
            .map(|mut row| {
                let mut take = |column: &str| row.remove(column).unwrap_or_default();
                Pupil {
                    id: take("id"),
                    upn: take("upn"),
                    uln: take("uln"),
                    forename: take("forename"),
                    surname: take("surname"),
                    known_as: take("known_as"),
                    born: take("date_of_birth"),
                    year: take("year_group"),
                    form: take("form"),
                    postcode: take("postcode"),
                }
            })
            .collect();
        let adults = |file: &str, note: &str| -> Vec<Adult> {
            table(&folder.join("roster").join(file))
                .into_iter()
                .map(|mut row| {
                    let mut take = |column: &str| row.remove(column).unwrap_or_default();
                    Adult {
                        title: take("title"),
                        forename: take("forename"),
                        surname: take("surname"),
                        email: take("email"),
                        note: take(note),
                    }
                })
                .collect()
        };
        let mut full = BTreeMap::new();
        for pupil in &pupils {
            *full.entry(pupil.full()).or_default() += 1;
        }
        let staff = adults("staff.csv", "role");
        let domain = if school == "secondary" { "thornmoor.example" } else { "saltmere.example" };
        let name = if school == "secondary" { "Thornmoor High School" } else { "Saltmere Primary School" };
        let guardians = adults("guardians.csv", "pupil_ids");
        Self { folder, name, domain, pupils, staff, guardians, full }
    }

    /// Whether no other pupil has this full name.
    pub fn is_only(&self, pupil: &Pupil) -> bool {
        self.full.get(&pupil.full()) == Some(&1)
    }

    /// Whether a pupil has this full name.
    pub fn has(&self, forename: &str, surname: &str) -> bool {
        self.full.contains_key(&format!("{forename} {surname}"))
    }

    /// Forenames of its pupils, each once.
    pub fn forenames(&self) -> Vec<String> {
        self.pupils.iter().map(|p| p.forename.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Forms, each once.
    pub fn forms(&self) -> Vec<String> {
        self.pupils.iter().map(|p| p.form.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn table(file: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    reader.deserialize().map(|row| row.unwrap_or_else(|e| panic!("{}: {e}", file.display()))).collect()
}
