//! OneRoster CSV bundles, 1.1 and 1.2 (IMS Global, now 1EdTech): a folder or a ZIP archive with `users.csv` and its
//! companions.
//!
//! 1.2 moved roles to `roles.csv`. `agentSourcedIds` ties people together and is read both ways: exporters name the
//! parents beside the pupil, or the pupils beside the parent. The form is the class of type `homeroom` that the pupil is
//! enrolled in. Of the columns that the standard leaves to exporters (`metadata.…`) those are read whose last name is known:
//! consent, parental responsibility, court orders, address, leaving date.

use std::path::{Path, PathBuf};

use hashbrown::{HashMap, HashSet};

use super::columns::{self, Field};
use super::{ContactRow, ImportError, Of, Place, PupilRow, RowFault, Rows, Which, sheet, values};
use crate::extract::package;
use crate::limits;
use crate::people::answers::{self, Answer, Bar};
use crate::people::rows;
use crate::people::{Guardian, Pupil, Staff};
use crate::text::checks;

const FILES: [&str; 5] = ["users.csv", "roles.csv", "classes.csv", "enrollments.csv", "demographics.csv"];

/// Reads a folder.
pub fn folder(folder: &Path) -> Result<Rows, ImportError> {
    let unreadable = |source| ImportError::Unreadable { file: folder.to_owned(), source };
    let mut files = HashMap::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if FILES.contains(&name.as_str()) {
            files.insert(name, (path.clone(), super::bytes_of(&path)?));
        }
    }
    bundle(folder, &files)
}

/// Reads a ZIP archive.
pub fn archive(file: &Path, bytes: &[u8]) -> Result<Rows, ImportError> {
    let unusable = |problem| ImportError::Unusable { file: file.to_owned(), problem };
    let bytes_at_most = usize::try_from(limits::ROSTER_FILE).unwrap_or(usize::MAX);
    let mut budget = package::Budget { bytes: bytes_at_most, ..package::Budget::default() };
    let package = package::read(bytes, &mut budget, &[]).map_err(|_| unusable("is no ZIP archive that can be read"))?;
    let mut files = HashMap::new();
    for member in package.members {
        let name = member.name.rsplit('/').next().unwrap_or_default().to_lowercase();
        if FILES.contains(&name.as_str()) {
            let bytes = member.content.map_err(|_| unusable("a file in it is encrypted, damaged or too large"))?;
            files.insert(name, (file.join(&member.name), bytes));
        }
    }
    bundle(file, &files)
}

/// One file of the bundle.
struct Csv {
    file: PathBuf,
    columns: HashMap<String, usize>,
    /// As written.
    heading: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
    faults: Vec<RowFault>,
    notes: Vec<RowFault>,
}

impl Csv {
    fn read(file: &Path, bytes: &[u8], required: &[&str]) -> Result<Self, ImportError> {
        let unusable = |problem| ImportError::Unusable { file: file.to_owned(), problem };
        let text = sheet::decode(bytes);
        let table = rows::table(text.trim_start_matches('\u{feff}'), b',', None);
        let heading = &table.heading;
        let columns: HashMap<String, usize> =
            heading.iter().enumerate().map(|(at, name)| (name.to_lowercase(), at)).collect();
        if required.iter().any(|name| !columns.contains_key(&name.to_lowercase())) {
            return Err(unusable(
                "lacks a column that OneRoster asks for: sourcedId, and the ids that tie rows together",
            ));
        }
        let said = |remark: &rows::Remark| {
            let column = heading.get(remark.column).map_or_else(|| rows::letter(remark.column), str::to_owned);
            Place { file: file.to_owned(), row: remark.line, column }.fault(remark.words)
        };
        let faults = table.faults.iter().map(said).collect();
        let notes = table.notes.iter().map(said).collect();
        let heading = heading.iter().map(str::to_owned).collect();
        Ok(Self { file: file.to_owned(), columns, heading, rows: table.rows, faults, notes })
    }

    fn has(&self, column: &str) -> bool {
        self.columns.contains_key(&column.to_lowercase())
    }

    fn cell<'r>(&self, record: &'r csv::StringRecord, column: &str) -> &'r str {
        self.columns.get(&column.to_lowercase()).and_then(|&at| record.get(at)).unwrap_or("").trim()
    }

    fn text(&self, record: &csv::StringRecord, column: &str) -> String {
        values::tidy(self.cell(record, column))
    }

    fn place(&self, row: u64, column: &str) -> Place {
        Place { file: self.file.clone(), row, column: column.to_owned() }
    }

    /// Rows that are not marked as deleted.
    fn live(&self) -> impl Iterator<Item = (u64, &csv::StringRecord)> {
        let live = |record: &csv::StringRecord| !self.cell(record, "status").eq_ignore_ascii_case("tobedeleted");
        self.rows.iter().filter(move |(_, record)| live(record)).map(|(row, record)| (*row, record))
    }
}

/// What a user is to the school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Pupil,
    Guardian,
    Staff,
}

fn part(role: &str) -> Option<Part> {
    Some(match role.to_lowercase().as_str() {
        "student" => Part::Pupil,
        "parent" | "guardian" | "relative" => Part::Guardian,
        "teacher"
        | "administrator"
        | "aide"
        | "proctor"
        | "counselor"
        | "principal"
        | "siteadministrator"
        | "districtadministrator"
        | "systemadministrator" => Part::Staff,
        _ => return None,
    })
}

fn bundle(from: &Path, files: &HashMap<String, (PathBuf, Vec<u8>)>) -> Result<Rows, ImportError> {
    let mut rows = Rows::default();
    let mut open = |name: &str, required: &[&str]| {
        let csv = files.get(name).map(|(file, bytes)| Csv::read(file, bytes, required)).transpose()?;
        if let Some(csv) = &csv {
            rows.faults.extend(csv.faults.iter().cloned());
            rows.notes.extend(csv.notes.iter().cloned());
        }
        Ok::<_, ImportError>(csv)
    };
    let unusable = |problem| ImportError::Unusable { file: from.to_owned(), problem };
    let users = open("users.csv", &["sourcedId", "givenName", "familyName"])?
        .ok_or_else(|| unusable("has no users.csv: it is no OneRoster bundle"))?;
    let roles = open("roles.csv", &["userSourcedId", "role"])?;
    if !users.has("role") && roles.is_none() {
        return Err(unusable("has neither a role in users.csv (1.1) nor a roles.csv (1.2)"));
    }
    let demographics = open("demographics.csv", &["sourcedId", "birthDate"])?;
    let classes = open("classes.csv", &["sourcedId", "title"])?;
    let enrollments = open("enrollments.csv", &["classSourcedId", "userSourcedId"])?;
    rows.tells_bars = users.heading.iter().any(|heading| self::told(heading) == Some(Field::Barred));
    let mut told: HashMap<String, (Part, bool, String)> = HashMap::new();
    for (roles, (row, record)) in roles.iter().flat_map(|roles| roles.live().map(move |row| (roles, row))) {
        let Some(part) = part(roles.cell(record, "role")) else {
            rows.faults.push(roles.place(row, "role").fault("is no role of OneRoster; the row is left out"));
            continue;
        };
        // A pupil stays a pupil whatever else they do; otherwise the primary role wins, then the first.
        let primary = roles.cell(record, "roleType").eq_ignore_ascii_case("primary");
        let role = roles.text(record, "role");
        let known = told.entry(roles.text(record, "userSourcedId")).or_insert((part, primary, role.clone()));
        if part == Part::Pupil || (primary && !known.1 && known.0 != Part::Pupil) {
            *known = (part, primary, role);
        }
    }
    let born = births(demographics, &mut rows);
    let forms = homerooms(classes, enrollments);
    let mut seen: HashSet<String> = HashSet::new();
    let mut parts: HashMap<String, Part> = HashMap::new();
    let mut people: Vec<(u64, &csv::StringRecord, String, Part)> = Vec::new();
    for (row, record) in users.live() {
        let id = users.text(record, "sourcedId");
        if id.is_empty() || !seen.insert(id.clone()) {
            let problem = "is missing or stands on an earlier row too; this row is left out";
            rows.faults.push(users.place(row, "sourcedId").fault(problem));
            continue;
        }
        let by_role = told.get(&id).map(|(part, ..)| *part);
        let by_user = || users.cell(record, "role").split(',').find_map(|role| part(role.trim()));
        let Some(part) = by_role.or_else(by_user) else {
            let column = if users.has("role") { "role" } else { "sourcedId" };
            rows.faults
                .push(users.place(row, column).fault("no role that OneRoster knows is given; the row is left out"));
            continue;
        };
        parts.insert(id.clone(), part);
        people.push((row, record, id, part));
    }
    let mut links: HashMap<String, Vec<String>> = HashMap::new();
    for (row, record, id, own) in &people {
        for agent in users.cell(record, "agentSourcedIds").split([',', ';']).map(str::trim).filter(|a| !a.is_empty()) {
            match (own, parts.get(agent)) {
                (Part::Pupil, Some(Part::Guardian)) => links.entry(agent.to_owned()).or_default().push(id.clone()),
                (Part::Guardian, Some(Part::Pupil)) => links.entry(id.clone()).or_default().push(agent.to_owned()),
                (_, Some(_)) => {}
                (_, None) => {
                    let problem = "names somebody who is not in users.csv";
                    rows.faults.push(users.place(*row, "agentSourcedIds").fault(problem));
                }
            }
        }
    }
    // An order that is told of the pupil names nobody: then nobody of the row is to be written to about the pupil.
    let kept: HashSet<String> = people
        .iter()
        .filter(|(row, record, id, part)| {
            let user = User { users: &users, row: *row, record, id };
            *part == Part::Pupil && user.told(Field::Barred).any(|(_, cell)| answers::bar(cell) != Bar::No)
        })
        .map(|(_, _, id, _)| id.clone())
        .collect();
    for (row, record, id, part) in people {
        let user = User { users: &users, row, record, id: &id };
        match part {
            Part::Pupil => user.pupil(born.get(&id).copied(), forms.get(&id), &mut rows),
            Part::Guardian => user.guardian(links.remove(&id).unwrap_or_default(), &kept, &mut rows),
            Part::Staff => user.staff(told.get(&id).map(|(.., role)| role), &mut rows),
        }
    }
    rows.faults.sort_by(|a, b| (&a.file, a.row).cmp(&(&b.file, b.row)));
    Ok(rows)
}

/// What one of the exporter's own columns means; of `metadata.xy.courtOrder` the last name counts.
fn told(heading: &str) -> Option<Field> {
    let name = heading.trim().strip_prefix("metadata.")?;
    columns::told(name.rsplit('.').next().unwrap_or(name))
}

fn births(demographics: Option<Csv>, rows: &mut Rows) -> HashMap<String, jiff::civil::Date> {
    let mut born = HashMap::new();
    let Some(csv) = demographics else { return born };
    for (row, record) in csv.live() {
        let cell = csv.cell(record, "birthDate");
        match values::date(cell) {
            Some(date) => {
                born.insert(csv.text(record, "sourcedId"), date);
            }
            None if cell.is_empty() => {}
            None => {
                let problem = "is no date (yyyy-mm-dd); the pupil is loaded without it";
                rows.faults.push(csv.place(row, "birthDate").fault(problem));
            }
        }
    }
    born
}

/// Each user's registration class.
fn homerooms(classes: Option<Csv>, enrollments: Option<Csv>) -> HashMap<String, String> {
    let mut out: HashMap<String, (String, bool)> = HashMap::new();
    let (Some(classes), Some(enrollments)) = (classes, enrollments) else { return HashMap::new() };
    let mut names: HashMap<String, String> = HashMap::new();
    for (_, record) in classes.live() {
        if classes.cell(record, "classType").eq_ignore_ascii_case("homeroom") {
            let code = classes.text(record, "classCode");
            let name = if code.is_empty() { classes.text(record, "title") } else { code };
            names.insert(classes.text(record, "sourcedId"), name);
        }
    }
    for (_, record) in enrollments.live() {
        let Some(name) = names.get(&enrollments.text(record, "classSourcedId")) else { continue };
        let primary = enrollments.cell(record, "primary").eq_ignore_ascii_case("true");
        let own = out.entry(enrollments.text(record, "userSourcedId")).or_insert((name.clone(), primary));
        if primary && !own.1 {
            *own = (name.clone(), true);
        }
    }
    out.into_iter().map(|(user, (name, _))| (user, name)).collect()
}

struct User<'a> {
    users: &'a Csv,
    row: u64,
    record: &'a csv::StringRecord,
    id: &'a str,
}

impl User<'_> {
    fn text(&self, column: &str) -> String {
        self.users.text(self.record, column)
    }

    fn place(&self, column: &str) -> Place {
        self.users.place(self.row, column)
    }

    /// Filled cells of the exporter's own columns that mean this, with their headings.
    fn told(&self, field: Field) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.users.heading.iter().map(String::as_str).zip(self.record.iter().map(str::trim));
        columns.filter(move |(heading, cell)| !cell.is_empty() && told(heading) == Some(field))
    }

    /// Whether there is consent, by the columns that ask for it and those that ask for a refusal. A no stays.
    fn agreed(&self, consent: Field, refusal: Field, rows: &mut Rows) -> Option<bool> {
        let mut out = None;
        let asked = self.told(consent).map(|at| (at, false));
        for ((column, cell), refused) in asked.chain(self.told(refusal).map(|at| (at, consent != refusal))) {
            let answer = answers::answer(cell);
            if answer == Answer::Unclear && !refused {
                rows.faults.push(self.place(column).fault(answers::UNCLEAR));
            }
            out = answers::stricter(out, if refused { answer.inverted() } else { answer }.known());
        }
        out
    }

    fn email(&self, rows: &mut Rows) -> Option<String> {
        let (found, bad) = values::emails(self.users.cell(self.record, "email"));
        if bad {
            rows.faults.push(self.place("email").fault("is no mail address; the person is loaded without it"));
        }
        found.into_iter().next()
    }

    fn phone(&self) -> String {
        Some(self.text("phone")).filter(|phone| !phone.is_empty()).unwrap_or_else(|| self.text("sms"))
    }

    /// `{type:id}` lists and plain identifiers: whichever is a UPN.
    fn upn(&self) -> Option<String> {
        let told = [self.text("userIds"), self.text("identifier"), self.text("userMasterIdentifier")].join(",");
        let numbers = told.split([',', ':', '{', '}', ';']).map(values::number);
        numbers.into_iter().find(|number| checks::upn(number))
    }

    fn pupil(&self, born: Option<jiff::civil::Date>, form: Option<&String>, rows: &mut Rows) {
        let (forename, surname) = (self.text("givenName"), self.text("familyName"));
        if forename.is_empty() && surname.is_empty() {
            rows.faults.push(self.place("familyName").fault("no name is given; the row is left out"));
            return;
        }
        for (column, value) in [("givenName", &forename), ("familyName", &surname)] {
            if value.is_empty() {
                let problem = "is missing; the pupil is loaded, but is hard to find by name";
                rows.faults.push(self.place(column).fault(problem));
            }
        }
        // Of several grades the first is the pupil's own.
        let grades = self.text("grades");
        let year = values::year_group(grades.split(',').next().unwrap_or_default());
        if year.is_none() {
            rows.faults.push(self.place("grades").fault("is no year group; the pupil is loaded without it"));
        }
        let mut pupil = Pupil {
            id: self.id.to_owned(),
            upn: self.upn(),
            forename,
            middle_names: self.text("middleName"),
            surname,
            date_of_birth: born,
            year_group: year.unwrap_or_default(),
            form: form.cloned().unwrap_or_default(),
            phone: self.phone(),
            email: self.email(rows),
            ..Pupil::default()
        };
        pupil.photo_consent = self.agreed(Field::PhotoConsent, Field::PhotoRefusal, rows);
        if let Some((column, cell)) = self.told(Field::Left).next() {
            pupil.left = values::date(cell);
            if pupil.left.is_none() {
                let problem = "is no date (yyyy-mm-dd); the pupil is loaded without it";
                rows.faults.push(self.place(column).fault(problem));
            }
        }
        for (column, cell) in self.told(Field::Barred) {
            if answers::bar(cell) != Bar::No {
                let problem = "says that somebody is kept from this pupil, and not who; every contact of the pupil is";
                rows.faults.push(self.place(column).fault(problem));
            }
        }
        pupil.also_known_as(&self.text("preferredGivenName"));
        pupil.also_surname(&self.text("preferredFamilyName"));
        rows.pupils.push(PupilRow { at: self.place("sourcedId"), pupil, former_upn: None });
    }

    fn guardian(&self, of: Vec<String>, kept: &HashSet<String>, rows: &mut Rows) {
        let guardian = Guardian {
            id: self.id.to_owned(),
            forename: self.text("givenName"),
            surname: self.text("familyName"),
            email: self.email(rows),
            phone: self.phone(),
            address: self.told(Field::Address).map(|(_, cell)| values::tidy(cell)).collect::<Vec<_>>().join(", "),
            postcode: self.told(Field::Postcode).map(|(_, cell)| values::tidy(cell)).next().unwrap_or_default(),
            email_consent: self.agreed(Field::EmailConsent, Field::EmailRefusal, rows),
            ..Guardian::default()
        };
        if of.is_empty() {
            let problem = "nobody's guardian: no agentSourcedIds tie this person to a pupil; the row is left out";
            rows.faults.push(self.place("agentSourcedIds").fault(problem));
            return;
        }
        let own: Vec<String> = of.iter().filter(|pupil| kept.contains(*pupil)).cloned().collect();
        let of = of.into_iter().map(Of::Id).collect();
        let mut unclear = Vec::new();
        let barred = super::barred(self.told(Field::Barred).map(|(_, cell)| cell), &[], |cell| unclear.push(cell));
        for (column, _) in self.told(Field::Barred).filter(|(_, cell)| unclear.contains(cell)) {
            rows.faults.push(self.place(column).fault(answers::UNCLEAR_BAR));
        }
        let barred = match barred {
            Which::Nobody if !own.is_empty() => Which::Ids(own),
            Which::Ids(ids) => Which::Ids([ids, own].concat()),
            whoever => whoever,
        };
        let responsible = self.agreed(Field::Responsibility, Field::Responsibility, rows);
        rows.contacts.push(ContactRow {
            at: self.place("agentSourcedIds"),
            guardian,
            more_emails: Vec::new(),
            of,
            responsible: responsible.map(|has| if has { Which::Everybody } else { Which::Nobody }),
            barred,
        });
    }

    fn staff(&self, role: Option<&String>, rows: &mut Rows) {
        let staff = Staff {
            id: self.id.to_owned(),
            forename: self.text("givenName"),
            surname: self.text("familyName"),
            email: self.email(rows).unwrap_or_default(),
            role: role.cloned().unwrap_or_else(|| self.text("role")),
            ..Staff::default()
        };
        rows.staff.push((self.place("sourcedId"), staff));
    }
}
