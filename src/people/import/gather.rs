//! Typed rows to one roster: rows of one pupil become one pupil, contacts of siblings one guardian.
//!
//! Two rows are one pupil by UPN (the former one too), by the roster's id, or by name with date of birth, where nothing
//! contradicts it. Rows that say least are put in last, so that a name alone can be compared with all there is.

use hashbrown::HashMap;
use ring::digest::{SHA256, digest};

use super::{ContactRow, Of, PupilRow, Roster, Rows, Which, values};
use crate::people::answers;
use crate::people::{Guardian, Pupil, PupilIndex, RowFault};

/// The roster, the faults of its rows, and the kinds taken from the earlier roster.
pub fn gather(rows: Rows, earlier: Option<&Roster>) -> (Roster, Vec<RowFault>, Vec<&'static str>) {
    let mut kept = Vec::new();
    let mut files: Vec<std::path::PathBuf> = Vec::new();
    for fault in &rows.faults {
        if !files.contains(&fault.file) {
            files.push(fault.file.clone());
        }
    }
    let mut gather = Gather { faults: rows.faults, ..Gather::default() };
    if let Some(earlier) = earlier.filter(|earlier| rows.pupils.is_empty() && !earlier.pupils.is_empty()) {
        kept.push("pupils");
        earlier.pupils.iter().for_each(|pupil| {
            gather.insert(pupil.clone(), None);
        });
    }
    let mut order: Vec<usize> = (0..rows.pupils.len()).collect();
    order.sort_by_key(|&at| rows.pupils[at].pupil.upn.is_none() && rows.pupils[at].pupil.id.is_empty());
    let mut places: Vec<Option<PupilIndex>> = vec![None; rows.pupils.len()];
    for at in order {
        places[at] = gather.pupil(&rows.pupils[at]);
    }
    gather.name_the_nameless();
    for contact in &rows.contacts {
        gather.contact(contact, &places);
    }
    if let Some(earlier) = earlier {
        if !rows.contacts.is_empty() && !rows.tells_bars && gather.keep_bars(earlier) {
            kept.push("court orders");
        }
        if rows.contacts.is_empty() && !earlier.guardians.is_empty() {
            kept.push("guardians");
            gather.keep_guardians(earlier);
        }
        if rows.staff.is_empty() && !earlier.staff.is_empty() {
            kept.push("staff");
            gather.roster.staff.clone_from(&earlier.staff);
        }
    }
    for (at, staff) in rows.staff {
        let email = staff.email.to_lowercase();
        let again = |known: &crate::people::Staff| {
            (!staff.id.is_empty() && known.id == staff.id) || (!email.is_empty() && known.email.to_lowercase() == email)
        };
        if gather.roster.staff.iter().any(again) {
            gather.faults.push(at.fault("stands on an earlier row too; this row is left out"));
        } else {
            gather.roster.staff.push(staff);
        }
    }
    let mut faults = gather.faults;
    let place = |file: &std::path::PathBuf| files.iter().position(|f| f == file).unwrap_or(usize::MAX);
    faults.sort_by(|a, b| (place(&a.file), &a.file, a.row).cmp(&(place(&b.file), &b.file, b.row)));
    (gather.roster, faults, kept)
}

#[derive(Default)]
struct Gather {
    roster: Roster,
    faults: Vec<RowFault>,
    by_id: HashMap<String, usize>,
    by_upn: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
    guardians: HashMap<String, Vec<usize>>,
}

/// The pairs of names by which a pupil is compared.
fn name_keys(pupil: &Pupil) -> Vec<String> {
    let forenames: Vec<String> = pupil.forenames().map(values::folded).collect();
    let mut out = Vec::new();
    for surname in pupil.surnames().map(values::folded) {
        for forename in &forenames {
            let key = format!("{forename} {surname}");
            if !out.contains(&key) {
                out.push(key);
            }
        }
    }
    out
}

/// Nothing that both say differs.
fn agree(one: &Pupil, other: &Pupil) -> bool {
    let same = |a: &str, b: &str| a.is_empty() || b.is_empty() || a.eq_ignore_ascii_case(b);
    let no_clash = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    no_clash(&one.upn, &other.upn)
        && no_clash(&one.uln, &other.uln)
        && (one.date_of_birth.is_none() || other.date_of_birth.is_none() || one.date_of_birth == other.date_of_birth)
        && same(&one.year_group, &other.year_group)
        && same(&values::folded(&one.form), &values::folded(&other.form))
}

fn shared<'a>(one: impl Iterator<Item = &'a str>, other: impl Iterator<Item = &'a str>) -> bool {
    let other: Vec<String> = other.map(values::folded).collect();
    one.map(values::folded).any(|name| !name.is_empty() && other.contains(&name))
}

/// A surname or a forename in common: enough beside a number that only one pupil in the country has.
fn related(one: &Pupil, other: &Pupil) -> bool {
    shared(one.surnames(), other.surnames()) || shared(one.forenames(), other.forenames())
}

/// Beside a school's own number more is asked for: it may be the family's, and siblings share a surname.
fn same_person(one: &Pupil, other: &Pupil) -> bool {
    let born = one.date_of_birth.is_some() && one.date_of_birth == other.date_of_birth;
    let clash = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
    let clash = clash(&one.upn, &other.upn)
        || (one.date_of_birth.is_some() && other.date_of_birth.is_some() && one.date_of_birth != other.date_of_birth);
    !clash && (shared(one.forenames(), other.forenames()) || (born && shared(one.surnames(), other.surnames())))
}

impl Gather {
    fn pupil(&mut self, row: &PupilRow) -> Option<PupilIndex> {
        let mut pupil = row.pupil.clone();
        let mut former = row.former_upn.as_deref();
        let by_upn = pupil.upn.as_deref().into_iter().chain(former).find_map(|upn| self.by_upn.get(upn).copied());
        if let Some(known) = by_upn {
            if related(&self.roster.pupils[known], &pupil) {
                self.merge(known, &pupil, former);
                return index(known);
            }
            (pupil.upn, former) = (None, None);
            self.faults
                .push(row.at.fault("the UPN is another pupil's on an earlier row; the pupil is loaded without it"));
        }
        if let Some(known) = self.by_id.get(&pupil.id).copied() {
            if same_person(&self.roster.pupils[known], &pupil) {
                self.merge(known, &pupil, former);
                return index(known);
            }
            pupil.id = String::new();
            self.faults
                .push(row.at.fault("the id is another pupil's on an earlier row; the pupil is loaded without it"));
        }
        let mut fits: Vec<usize> =
            name_keys(&pupil).iter().filter_map(|key| self.by_name.get(key)).flatten().copied().collect();
        fits.sort_unstable();
        fits.dedup();
        fits.retain(|&known| {
            let other = &self.roster.pupils[known];
            let sure = pupil.date_of_birth.is_some() && other.date_of_birth.is_some();
            // Two ids of one system are two pupils, of two systems one: only the date of birth can tell.
            agree(other, &pupil) && (pupil.id.is_empty() || other.id.is_empty() || sure)
        });
        match fits[..] {
            [] => index(self.insert(pupil, former)),
            [known] => {
                self.merge(known, &pupil, former);
                index(known)
            }
            _ => {
                self.faults.push(row.at.fault("the name fits more than one pupil; this row is left out"));
                None
            }
        }
    }

    fn insert(&mut self, pupil: Pupil, former_upn: Option<&str>) -> usize {
        let at = self.roster.pupils.len();
        self.roster.pupils.push(pupil);
        self.register(at, former_upn);
        at
    }

    fn register(&mut self, at: usize, former_upn: Option<&str>) {
        let pupil = &self.roster.pupils[at];
        if !pupil.id.is_empty() {
            self.by_id.insert(pupil.id.clone(), at);
        }
        for upn in pupil.upn.as_deref().into_iter().chain(former_upn) {
            self.by_upn.insert(upn.to_owned(), at);
        }
        for key in name_keys(pupil) {
            let list = self.by_name.entry(key).or_default();
            if !list.contains(&at) {
                list.push(at);
            }
        }
    }

    fn merge(&mut self, at: usize, other: &Pupil, former_upn: Option<&str>) {
        fn fill(own: &mut String, other: &str) {
            if own.is_empty() {
                other.clone_into(own);
            }
        }
        fn fill_some<T: Clone>(own: &mut Option<T>, other: &Option<T>) {
            if own.is_none() {
                own.clone_from(other);
            }
        }
        let pupil = &mut self.roster.pupils[at];
        if !other.id.is_empty() {
            // Another system's id of the same pupil: contacts may name it.
            self.by_id.insert(other.id.clone(), at);
        }
        fill(&mut pupil.id, &other.id);
        fill_some(&mut pupil.upn, &other.upn);
        fill_some(&mut pupil.uln, &other.uln);
        fill_some(&mut pupil.nhs_number, &other.nhs_number);
        fill(&mut pupil.forename, &other.forename);
        fill(&mut pupil.surname, &other.surname);
        fill(&mut pupil.middle_names, &other.middle_names);
        pupil.also_forename(&other.forename);
        pupil.also_known_as(other.known_as.as_deref().unwrap_or_default());
        other.other_forenames.iter().for_each(|name| pupil.also_forename(name));
        other.surnames().for_each(|name| pupil.also_surname(name));
        fill_some(&mut pupil.date_of_birth, &other.date_of_birth);
        fill(&mut pupil.gender, &other.gender);
        fill(&mut pupil.year_group, &other.year_group);
        fill(&mut pupil.form, &other.form);
        fill(&mut pupil.address, &other.address);
        fill(&mut pupil.postcode, &other.postcode);
        fill(&mut pupil.phone, &other.phone);
        fill_some(&mut pupil.email, &other.email);
        fill_some(&mut pupil.left, &other.left);
        pupil.photo_consent = answers::stricter(pupil.photo_consent, other.photo_consent);
        self.register(at, former_upn);
    }

    /// A pupil without an id gets the UPN as one, or else a number that name and date of birth give, the same at the next
    /// import.
    fn name_the_nameless(&mut self) {
        for at in 0..self.roster.pupils.len() {
            let pupil = &self.roster.pupils[at];
            if !pupil.id.is_empty() {
                continue;
            }
            let born = pupil.date_of_birth.map_or(String::new(), |date| date.to_string());
            let named =
                || format!("X{}", short(&[&values::folded(&pupil.forename), &values::folded(&pupil.surname), &born]));
            let wanted = pupil.upn.clone().unwrap_or_else(named);
            let id = unused(&wanted, |id| self.by_id.contains_key(id));
            self.by_id.insert(id.clone(), at);
            self.roster.pupils[at].id = id;
        }
    }

    fn contact(&mut self, row: &ContactRow, places: &[Option<PupilIndex>]) {
        let mut of: Vec<PupilIndex> = Vec::new();
        for pupil in &row.of {
            let found = match pupil {
                // The pupil's own row is wrong, and has its fault already.
                Of::Row(at) => match places.get(*at).copied().flatten() {
                    Some(found) => Some(found),
                    None => continue,
                },
                Of::Id(id) => {
                    self.by_id.get(id).or_else(|| self.by_upn.get(&values::number(id))).and_then(|&at| index(at))
                }
            };
            match found {
                Some(found) if !of.contains(&found) => of.push(found),
                Some(_) => {}
                None => self.faults.push(row.at.fault("names a pupil who is not on the pupils' list")),
            }
        }
        if of.is_empty() {
            return;
        }
        let mut guardian = row.guardian.clone();
        guardian.barred_from = self.which(&row.barred, &of).unwrap_or_else(|| {
            self.faults.push(row.at.fault(answers::UNCLEAR_BAR));
            of.clone()
        });
        if let Some(has) = row.responsible.as_ref().and_then(|which| self.which(which, &of)) {
            guardian.responsibility = of.iter().map(|pupil| (*pupil, has.contains(pupil))).collect();
        }
        let emails = row.guardian.email.iter().chain(&row.more_emails).map(|email| Some(email.clone()));
        let emails: Vec<Option<String>> = if row.guardian.email.is_none() { vec![None] } else { emails.collect() };
        for email in emails {
            self.guardian(Guardian { email, pupils: of.clone(), ..guardian.clone() });
        }
    }

    /// The pupils meant of those of a row; nothing where an id is nobody's.
    fn which(&self, which: &Which, of: &[PupilIndex]) -> Option<Vec<PupilIndex>> {
        match which {
            Which::Nobody => Some(Vec::new()),
            Which::Everybody => Some(of.to_vec()),
            Which::Ids(ids) => ids
                .iter()
                .map(|id| self.by_id.get(id).or_else(|| self.by_upn.get(&values::number(id))).and_then(|&at| index(at)))
                .collect(),
        }
    }

    /// Adds a guardian, or the pupils to one who is known by mailbox, by id, or by name and telephone.
    fn guardian(&mut self, guardian: Guardian) {
        let (forename, surname) = (values::folded(&guardian.forename), values::folded(&guardian.surname));
        let digits: String = guardian.phone.chars().filter(char::is_ascii_digit).collect();
        let key = match &guardian.email {
            Some(email) => format!("@{}", email.to_lowercase()),
            None if !guardian.id.is_empty() => format!("#{}", guardian.id),
            None if digits.len() >= 8 => format!("{forename} {surname} {digits}"),
            None => format!("{forename} {surname} of {:?}", guardian.pupils),
        };
        let list = self.guardians.entry(key).or_default();
        for &at in list.iter() {
            let known = &mut self.roster.guardians[at];
            // Two parents may share a mailbox; both names then stand, each with it.
            let same_surname =
                values::folded(&known.surname) == surname || known.surname.is_empty() || surname.is_empty();
            let other = values::folded(&known.forename);
            let same_forename = other.starts_with(&forename) || forename.starts_with(&other);
            if same_surname && same_forename {
                known.also(&guardian);
                for pupil in guardian.pupils {
                    if !known.pupils.contains(&pupil) {
                        known.pupils.push(pupil);
                    }
                }
                if known.forename.len() < guardian.forename.len() {
                    known.forename = guardian.forename;
                }
                if known.surname.is_empty() {
                    known.surname = guardian.surname;
                }
                for (own, other) in [
                    (&mut known.title, guardian.title),
                    (&mut known.phone, guardian.phone),
                    (&mut known.relationship, guardian.relationship),
                    (&mut known.address, guardian.address),
                    (&mut known.postcode, guardian.postcode),
                ] {
                    if own.is_empty() {
                        *own = other;
                    }
                }
                return;
            }
        }
        list.push(self.roster.guardians.len());
        let email = guardian.email.clone().unwrap_or_default().to_lowercase();
        let wanted = if guardian.id.is_empty() {
            format!("G{}", short(&[&forename, &surname, &digits, &email]))
        } else {
            guardian.id.clone()
        };
        let id = unused(&wanted, |id| self.guardians.contains_key(&format!("id {id}")));
        self.guardians.insert(format!("id {id}"), Vec::new());
        self.roster.guardians.push(Guardian { id, ..guardian });
    }

    /// The earlier guardians of pupils who are still there.
    fn keep_guardians(&mut self, earlier: &Roster) {
        let now = self.now(earlier);
        let moved = |pupil: &PupilIndex| now.get(pupil.0 as usize).copied().flatten();
        for guardian in &earlier.guardians {
            let pupils: Vec<PupilIndex> = guardian.pupils.iter().filter_map(moved).collect();
            let barred_from: Vec<PupilIndex> = guardian.barred_from.iter().filter_map(moved).collect();
            let has = guardian.responsibility.iter();
            let responsibility = has.filter_map(|(pupil, has)| Some((moved(pupil)?, *has))).collect();
            if !pupils.is_empty() || !barred_from.is_empty() {
                self.roster.guardians.push(Guardian { pupils, barred_from, responsibility, ..guardian.clone() });
            }
        }
    }

    /// Where each pupil of the earlier roster is now.
    fn now(&self, earlier: &Roster) -> Vec<Option<PupilIndex>> {
        let pupils = earlier.pupils.iter();
        pupils
            .map(|pupil| {
                let by_upn = pupil.upn.as_ref().and_then(|upn| self.by_upn.get(upn));
                by_upn.or_else(|| self.by_id.get(&pupil.id)).and_then(|&at| index(at))
            })
            .collect()
    }

    /// Keeps those from a pupil who were kept from that pupil before, known again by id, mailbox or name; whether any was.
    fn keep_bars(&mut self, earlier: &Roster) -> bool {
        let now = self.now(earlier);
        let name = |g: &Guardian| format!("{} {}", values::folded(&g.forename), values::folded(&g.surname));
        let email = |g: &Guardian| g.email.as_ref().map(|email| email.to_lowercase());
        let mut any = false;
        for before in earlier.guardians.iter().filter(|guardian| !guardian.barred_from.is_empty()) {
            let barred: Vec<PupilIndex> =
                before.barred_from.iter().filter_map(|pupil| now.get(pupil.0 as usize).copied().flatten()).collect();
            for known in &mut self.roster.guardians {
                let same = known.id == before.id
                    || (email(known).is_some() && email(known) == email(before))
                    || (name(known) == name(before) && known.pupils.iter().any(|pupil| barred.contains(pupil)));
                if same {
                    known.also(&Guardian { barred_from: barred.clone(), ..Guardian::default() });
                    any = true;
                }
            }
        }
        any
    }
}

fn index(at: usize) -> Option<PupilIndex> {
    u32::try_from(at).ok().map(PupilIndex)
}

fn unused(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut id = wanted.to_owned();
    let mut more = 1;
    while taken(&id) {
        more += 1;
        id = format!("{wanted}-{more}");
    }
    id
}

fn short(parts: &[&str]) -> String {
    let sum = digest(&SHA256, parts.join("\0").as_bytes());
    sum.as_ref().iter().take(5).map(|byte| format!("{byte:02X}")).collect()
}
