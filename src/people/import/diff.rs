//! What an import changes, by roster id and column; names only for who asks for them.

use hashbrown::HashMap;

use super::Roster;
use crate::people::{Guardian, Pupil};

/// One pupil who is new, gone or changed, by place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// By place in the new roster.
    New(usize),
    /// By place in the earlier roster.
    Gone(usize),
    /// By place in the new roster, with the columns that changed.
    Changed(usize, Vec<&'static str>),
}

/// Earlier and new roster compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Pupils, the new ones first.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Compares. Pupils are the same by UPN, else by id.
    pub fn between(earlier: &Roster, new: &Roster) -> Self {
        let mut by_upn: HashMap<&str, usize> = HashMap::new();
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for (at, pupil) in earlier.pupils.iter().enumerate() {
            by_id.insert(&pupil.id, at);
            by_upn.extend(pupil.upn.as_deref().map(|upn| (upn, at)));
        }
        let before = contacts(earlier);
        let after = contacts(new);
        let mut seen = vec![false; earlier.pupils.len()];
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for (at, pupil) in new.pupils.iter().enumerate() {
            let known = pupil.upn.as_deref().and_then(|upn| by_upn.get(upn)).or_else(|| by_id.get(pupil.id.as_str()));
            match known.copied().filter(|&known| !seen[known]) {
                None => added.push(Change::New(at)),
                Some(known) => {
                    seen[known] = true;
                    let mut columns = columns(&earlier.pupils[known], pupil);
                    if before[known] != after[at] {
                        columns.push("guardians");
                    }
                    if !columns.is_empty() {
                        changed.push(Change::Changed(at, columns));
                    }
                }
            }
        }
        let gone = seen.iter().enumerate().filter(|(_, seen)| !**seen).map(|(at, _)| Change::Gone(at));
        Self { changes: added.into_iter().chain(gone).chain(changed).collect() }
    }

    /// Pupils who were not there before.
    pub fn added(&self) -> usize {
        self.changes.iter().filter(|change| matches!(change, Change::New(_))).count()
    }

    /// Pupils who are there no longer.
    pub fn gone(&self) -> usize {
        self.changes.iter().filter(|change| matches!(change, Change::Gone(_))).count()
    }

    /// Pupils of whom something changed.
    pub fn changed(&self) -> usize {
        self.changes.iter().filter(|change| matches!(change, Change::Changed(..))).count()
    }
}

/// Each pupil's guardians as they are compared.
fn contacts(roster: &Roster) -> Vec<Vec<String>> {
    let mut out = vec![Vec::new(); roster.pupils.len()];
    let line = |g: &Guardian| {
        [&g.title, &g.forename, &g.surname, g.email.as_ref().unwrap_or(&String::new()), &g.phone, &g.relationship]
            .map(String::as_str)
            .join("\0")
    };
    for guardian in &roster.guardians {
        let mut of = guardian.pupils.clone();
        of.extend(guardian.barred_from.iter().filter(|pupil| !guardian.pupils.contains(pupil)));
        for pupil in of {
            if let Some(list) = out.get_mut(pupil.0 as usize) {
                let has = guardian.responsibility.iter().find(|(of, _)| *of == pupil).map(|(_, has)| *has);
                let told = (guardian.barred_from.contains(&pupil), has, guardian.email_consent);
                let home = [&guardian.address[..], &guardian.postcode].join("\0");
                list.push(format!("{}\0{home}\0{told:?}", line(guardian)));
            }
        }
    }
    out.iter_mut().for_each(|list| list.sort());
    out
}

fn columns(a: &Pupil, b: &Pupil) -> Vec<&'static str> {
    [
        ("id", a.id != b.id),
        ("upn", a.upn != b.upn),
        ("uln", a.uln != b.uln),
        ("nhs_number", a.nhs_number != b.nhs_number),
        ("forename", a.forename != b.forename),
        ("middle_names", a.middle_names != b.middle_names),
        ("surname", a.surname != b.surname),
        ("known_as", a.known_as != b.known_as),
        ("other_forenames", a.other_forenames != b.other_forenames),
        ("other_surnames", a.other_surnames != b.other_surnames),
        ("date_of_birth", a.date_of_birth != b.date_of_birth),
        ("gender", a.gender != b.gender),
        ("year_group", a.year_group != b.year_group),
        ("form", a.form != b.form),
        ("address", a.address != b.address),
        ("postcode", a.postcode != b.postcode),
        ("phone", a.phone != b.phone),
        ("email", a.email != b.email),
        ("photo_consent", a.photo_consent != b.photo_consent),
        ("leaving_date", a.left != b.left),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}
