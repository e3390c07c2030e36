//! The index made from a school, in one pass over its people. A roster of a whole authority is read while mail waits, so a
//! name that many share is cut once.

use hashbrown::HashMap;

use super::forms::{Form, Initials, class_forms, forms, forms_of, initials, streets, year_of};
use super::{Columns, Fact, Flags, LOOSE, Part, RosterIndex, home};
use crate::people::names::{NAMES, Wordness};
use crate::people::tables::{Entry, Gathered};
use crate::people::{Pupil, PupilIndex, School};
use crate::text::filter::Filter;
use crate::text::normalise::{compact_hash, token_hash};
use crate::text::{Run, Texts};

/// The distinct names of a roster with what they are, as they come in.
#[derive(Default)]
struct Names {
    parts: HashMap<u64, u8>,
    begins: Vec<u64>,
}

impl Names {
    fn add(&mut self, form: &Form, flags: u8) {
        let known = self.parts.entry(form.run.hash).or_insert_with(|| {
            self.begins.push(form.first);
            match form.wordness {
                Wordness::Name => 0,
                Wordness::Word => Part::WORD,
                Wordness::Common => Part::COMMON,
            }
        });
        *known |= flags;
        // Written apart and run together, a name has one hash and two beginnings.
        if form.first != form.run.hash {
            self.begins.extend([form.first, form.run.hash]);
        }
    }
}

impl RosterIndex {
    pub(in crate::people) fn build(school: &School) -> Self {
        let mut index = Self::default();
        let mut names = Names::default();
        Pupils::new(school.pupils.len()).all(school, &mut index, &mut names);
        index.add_adults(school, &mut names);
        let many = names.parts.len();
        index.parts = Flags::pack(names.parts, many);
        index.begins = Filter::for_members(names.begins.len());
        names.begins.iter().for_each(|&begin| index.begins.insert(begin));
        index
    }

    fn add_adults(&mut self, school: &School, names: &mut Names) {
        let mut pack =
            |list: &mut dyn Iterator<Item = (&String, &String)>, many: usize, [own_forename, own_surname]: [u8; 2]| {
                let mut out = Gathered::default();
                for (at, (forename, surname)) in list.enumerate() {
                    let whose = u32::try_from(at).unwrap_or(u32::MAX) & !LOOSE;
                    let (forenames, surnames) = (forms(forename, false), forms(surname, false));
                    forenames.iter().for_each(|form| names.add(form, Part::ADULT_FORENAME | own_forename));
                    surnames.iter().for_each(|form| names.add(form, Part::ADULT_SURNAME | own_surname));
                    for short in NAMES.short_forms(forename) {
                        forms(short, false).iter().for_each(|form| names.add(form, Part::ADULT_FORENAME));
                    }
                    for forename in &forenames {
                        for surname in &surnames {
                            out.add(forename.run.then(surname.run).hash, Entry { whose, loose: false });
                        }
                    }
                }
                out.pack(many)
            };
        let (guardians, staff) = (&school.guardians, &school.staff);
        self.guardians = pack(&mut guardians.iter().map(|g| (&g.forename, &g.surname)), guardians.len(), [0, 0]);
        let own = [Part::STAFF_FORENAME, Part::STAFF_SURNAME];
        self.staff = pack(&mut staff.iter().map(|s| (&s.forename, &s.surname)), staff.len(), own);
    }
}

/// Pupils as they come in.
struct Pupils<'a> {
    /// What is cut just now.
    cut: Texts<'a>,
    /// Forms of the surnames of one pupil.
    forms: Vec<Form>,
    /// Forms of each forename seen.
    forenames: HashMap<&'a str, Vec<Form>>,
    classes: HashMap<&'a str, u32>,
    class_begins: Vec<u64>,
    surnames: Gathered,
    homes: Gathered,
    numbers: Gathered,
    mailboxes: Gathered,
    phones: Gathered,
    bearers: HashMap<u64, Vec<u32>>,
    born: Vec<u16>,
    year: Vec<i8>,
    class: Vec<u32>,
    initials: Vec<Initials>,
    middles: Vec<(u32, u32)>,
}

impl<'a> Pupils<'a> {
    fn new(many: usize) -> Self {
        Self {
            cut: Texts::default(),
            forms: Vec::new(),
            forenames: HashMap::new(),
            classes: HashMap::new(),
            class_begins: Vec::new(),
            surnames: Gathered::default(),
            homes: Gathered::default(),
            numbers: Gathered::default(),
            mailboxes: Gathered::default(),
            phones: Gathered::default(),
            bearers: HashMap::new(),
            born: vec![0; many],
            year: vec![Columns::NO_YEAR; many],
            class: vec![0; many],
            initials: vec![Initials::default(); many],
            middles: Vec::new(),
        }
    }

    fn all(mut self, school: &'a School, index: &mut RosterIndex, names: &mut Names) {
        for (at, pupil) in school.pupils.iter().enumerate() {
            let whose = u32::try_from(at).unwrap_or(u32::MAX) & !LOOSE;
            pupil.forenames().for_each(|name| self.forename(name, whose, names));
            self.surnames(pupil, whose, index, names);
            self.facts(pupil, whose, index);
        }
        for (at, guardian) in school.guardians.iter().enumerate() {
            // A guardian who is named tells whose child is meant; one who is only a mailbox does not.
            if guardian.forename.is_empty() || guardian.surname.is_empty() {
                continue;
            }
            let key = home(Fact::Guardian(u32::try_from(at).unwrap_or(u32::MAX))).unwrap_or_default();
            for &PupilIndex(pupil) in &guardian.pupils {
                self.homes.add(key, Entry { whose: pupil, loose: false });
            }
        }
        let years = || school.pupils.iter().filter_map(|pupil| Some(pupil.date_of_birth?.year()));
        index.years_of_birth = years().min().zip(years().max());
        self.pack(school.pupils.len(), index);
    }

    /// Short forms of a forename are only made known: whose they are is looked up by the full form.
    fn forename(&mut self, name: &'a str, whose: u32, names: &mut Names) {
        let forms = self.forenames.entry(name).or_insert_with(|| {
            let own = forms(name, true);
            own.iter().for_each(|form| names.add(form, Part::PUPIL_FORENAME));
            for short in NAMES.short_forms(name) {
                forms(short, false).iter().for_each(|form| names.add(form, Part::PUPIL_FORENAME));
            }
            own
        });
        for form in forms.iter() {
            let list = self.bearers.entry(form.run.hash).or_default();
            match list.last_mut() {
                Some(last) if *last & !LOOSE == whose => *last &= if form.loose { u32::MAX } else { !LOOSE },
                _ => list.push(whose | if form.loose { LOOSE } else { 0 }),
            }
        }
    }

    fn surnames(&mut self, pupil: &'a Pupil, whose: u32, index: &mut RosterIndex, names: &mut Names) {
        self.forms.clear();
        self.cut.clear();
        for name in pupil.surnames() {
            self.cut.push(name);
            forms_of(&self.cut.get(self.cut.len() - 1), true, &mut self.forms);
        }
        for form in &self.forms {
            names.add(form, Part::PUPIL_SURNAME);
            self.surnames.add(form.run.hash, Entry { whose, loose: form.loose });
        }
        let exact = |form: &&Form| !form.loose;
        for forename in pupil.forenames().filter_map(|name| self.forenames.get(name)).flatten().filter(exact) {
            let joined = self.forms.iter().filter(exact).map(|surname| forename.run.then(surname.run).hash);
            names.begins.extend(joined);
        }
        let simple = if self.cut.len() == 1 { Initials::of(&self.cut.get(0)) } else { None };
        self.initials[whose as usize] = simple.unwrap_or_else(|| {
            let all = pupil.surnames().flat_map(initials).map(|all| token_hash(&all)).collect();
            index.odd_initials.insert(whose, all);
            Initials::default()
        });
    }

    fn facts(&mut self, pupil: &'a Pupil, whose: u32, index: &mut RosterIndex) {
        let at = whose as usize;
        let entry = Entry { whose, loose: false };
        if !pupil.form.is_empty() {
            self.class[at] = *self.classes.entry(&pupil.form).or_insert_with(|| {
                let key = Run::of(&pupil.form).hash;
                for (first, run) in class_forms(&pupil.form) {
                    index.classes.insert(run.hash, key);
                    self.class_begins.push(first);
                }
                Columns::class(key)
            });
        }
        self.year[at] = year_of(&pupil.year_group).unwrap_or(Columns::NO_YEAR);
        self.born[at] = pupil.date_of_birth.and_then(Columns::day).unwrap_or_default();
        if !pupil.postcode.is_empty() {
            self.homes.add(home(Fact::Postcode(compact_hash(&pupil.postcode))).unwrap_or_default(), entry);
        }
        for street in streets(&pupil.address) {
            self.homes.add(home(Fact::Street(street)).unwrap_or_default(), entry);
        }
        for number in [&pupil.upn, &pupil.uln, &pupil.nhs_number].into_iter().flatten() {
            self.numbers.add(compact_hash(number), entry);
        }
        if let Some(email) = &pupil.email {
            self.mailboxes.add(token_hash(&email.to_lowercase()), entry);
        }
        if pupil.phone.len() >= 8 {
            self.phones.add(compact_hash(&pupil.phone), entry);
        }
        if !pupil.middle_names.is_empty() {
            self.cut.clear();
            self.cut.push(&pupil.middle_names);
            let text = self.cut.get(0);
            self.middles.extend(text.tokens.iter().map(|token| (whose, Columns::class(text.hash(token)))));
        }
    }

    fn pack(self, many: usize, index: &mut RosterIndex) {
        index.surnames = self.surnames.pack(many);
        index.homes = self.homes.pack(many);
        index.identifiers = self.numbers.pack(many);
        index.mailboxes = self.mailboxes.pack(many);
        index.phones = self.phones.pack(many);
        index.middles = self.middles.into();
        index.class_begins = Filter::for_members(self.class_begins.len());
        self.class_begins.iter().for_each(|&begin| index.class_begins.insert(begin));
        index.columns = Columns {
            born: Columns::pack(self.born, 0),
            year: Columns::pack(self.year, Columns::NO_YEAR),
            class: Columns::pack(self.class, 0),
            initials: Columns::pack(self.initials, Initials::default()),
        };
        let mut all = Vec::with_capacity(self.bearers.values().map(Vec::len).sum());
        for (run, list) in self.bearers {
            let from = u32::try_from(all.len()).unwrap_or(u32::MAX);
            all.extend(list);
            index.forenames.insert(run, (from, u32::try_from(all.len()).unwrap_or(u32::MAX)));
        }
        index.forenames.shrink_to_fit();
        index.bearers = all.into();
    }
}
