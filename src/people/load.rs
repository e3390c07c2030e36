//! The school's four files to a [`School`]: UTF-8 (a byte order mark is fine), a heading row, columns in any order.
//!
//! A file that cannot be read, or lacks a column it cannot do without, stops the load. A row that is wrong is
//! reported by file, line and column, never by its value, and everything else still loads.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use hashbrown::{HashMap, HashSet};

use super::answers::{self, Answer, Bar};
use super::{Correspondent, Guardian, Pupil, PupilIndex, Roster, School, Staff};

/// Where pupils come from.
#[derive(Debug, Clone, Copy)]
pub enum PupilSource<'a> {
    /// `id, upn, uln, nhs_number, forename, middle_names, surname, known_as, date_of_birth, gender, year_group, form,
    /// address, postcode, phone, email, photo_consent, leaving_date`, and `other_forenames, other_surnames` (separated by
    /// `;`); `id`, `forename` and `surname` are required.
    File(&'a Path),
    /// An imported roster, with its guardians, and with its staff where no file lists them.
    Imported(&'a Roster),
}

/// Where the lists are.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The pupils.
    pub pupils: PupilSource<'a>,
    /// `id, title, forename, surname, email, phone, relationship, pupil_ids, address, postcode, email_consent,
    /// parental_responsibility, barred_from`; `id`, `surname` and `pupil_ids` are required.
    pub guardians: Option<&'a Path>,
    /// `id, title, forename, surname, email, private_email, private_phone, role, may_send_as`; `surname` and `email` are
    /// required.
    pub staff: Option<&'a Path>,
    /// `kind, match, name`; `kind` and `match` are required.
    pub correspondents: Option<&'a Path>,
    /// The school's name.
    pub name: &'a str,
    /// Its mail domains.
    pub domains: &'a [String],
    /// Its telephone.
    pub telephone: &'a str,
    /// Its own bank accounts.
    pub bank_accounts: &'a [String],
}

/// A school, and the rows that were wrong.
#[derive(Debug)]
pub struct Loaded {
    /// Indexed and ready.
    pub school: School,
    /// In file order.
    pub faults: Vec<RowFault>,
    /// What was put right in a row, and rows of a report that list nobody; in file order.
    pub notes: Vec<RowFault>,
}

/// One row that is wrong, or of which something is to be said; it never quotes the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The file.
    pub file: PathBuf,
    /// Line of the file, the heading being line 1.
    pub row: u64,
    /// The column's heading.
    pub column: Cow<'static, str>,
    /// What is wrong, in plain words.
    pub problem: &'static str,
}

impl std::fmt::Display for RowFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}, {}: {}", self.file.display(), self.row, self.column, self.problem)
    }
}

/// A file that cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Cannot be opened or read.
    #[error("{} cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not UTF-8.
    #[error("{} is not UTF-8 text (line {line}); save it as 'CSV UTF-8'", file.display())]
    Encoding {
        /// The file.
        file: PathBuf,
        /// The first line that is not.
        line: usize,
    },
    /// A spreadsheet or a document in place of a list.
    #[error("{} {problem}", file.display())]
    Workbook {
        /// The file.
        file: PathBuf,
        /// What it is, and how to make a list of it.
        problem: &'static str,
    },
    /// A required column is missing.
    #[error("{} has no column '{column}'", file.display())]
    Column {
        /// The file.
        file: PathBuf,
        /// The heading looked for.
        column: &'static str,
    },
}

impl LoadError {
    /// The file that cannot be used.
    pub fn file(&self) -> &Path {
        match self {
            Self::Unreadable { file, .. }
            | Self::Encoding { file, .. }
            | Self::Workbook { file, .. }
            | Self::Column { file, .. } => file,
        }
    }
}

/// Reads the files and builds the index.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, LoadError> {
    let mut said = Said::default();
    let mut school = School {
        name: sources.name.to_owned(),
        domains: sources.domains.iter().map(|domain| domain.trim().trim_end_matches('.').to_lowercase()).collect(),
        telephone: sources.telephone.to_owned(),
        bank_accounts: sources
            .bank_accounts
            .iter()
            .map(|account| account.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_uppercase())
            .collect(),
        ..School::default()
    };
    let pupils = match sources.pupils {
        PupilSource::File(file) => read_pupils(file, &mut school, &mut said)?,
        PupilSource::Imported(roster) => {
            school.pupils.clone_from(&roster.pupils);
            school.guardians.clone_from(&roster.guardians);
            if sources.staff.is_none() {
                school.staff.clone_from(&roster.staff);
            }
            let place = |at: usize| PupilIndex(u32::try_from(at).unwrap_or(u32::MAX));
            roster.pupils.iter().enumerate().map(|(at, pupil)| (pupil.id.clone(), place(at))).collect()
        }
    };
    if let Some(file) = sources.guardians {
        read_guardians(file, &pupils, &mut school, &mut said)?;
    }
    if let Some(file) = sources.staff {
        read_staff(file, &mut school, &mut said)?;
    }
    if let Some(file) = sources.correspondents {
        read_correspondents(file, &mut school, &mut said)?;
    }
    let Said { mut faults, notes } = said;
    // What the reader of the file said stands before what its rows gave.
    faults.chunk_by_mut(|a, b| a.file == b.file).for_each(|list| list.sort_by_key(|fault| fault.row));
    Ok(Loaded { school: school.indexed(), faults, notes })
}

/// What is said of the rows.
#[derive(Debug, Default)]
struct Said {
    faults: Vec<RowFault>,
    notes: Vec<RowFault>,
}

/// Every column of the four files.
const KNOWN: &[&str] = &[
    "id",
    "upn",
    "uln",
    "nhs_number",
    "forename",
    "middle_names",
    "surname",
    "known_as",
    "other_forenames",
    "other_surnames",
    "date_of_birth",
    "gender",
    "year_group",
    "form",
    "address",
    "postcode",
    "phone",
    "email",
    "title",
    "relationship",
    "pupil_ids",
    "private_email",
    "private_phone",
    "role",
    "may_send_as",
    "kind",
    "match",
    "name",
    "photo_consent",
    "leaving_date",
    "email_consent",
    "parental_responsibility",
    "barred_from",
    "court_order",
    "no_contact",
];

/// What keeps a parent from a pupil, in the order in which it is looked for.
const BARS: [&str; 3] = ["barred_from", "court_order", "no_contact"];

/// A CSV file with its heading looked up.
struct Sheet {
    file: PathBuf,
    columns: HashMap<String, usize>,
    rows: Vec<(u64, csv::StringRecord)>,
}

impl Sheet {
    fn read(file: &Path, required: &[&'static str], said: &mut Said) -> Result<Self, LoadError> {
        let bytes = std::fs::read(file).map_err(|source| LoadError::Unreadable { file: file.to_owned(), source })?;
        if let Some(problem) = super::foreign::foreign(&bytes) {
            return Err(LoadError::Workbook { file: file.to_owned(), problem });
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count();
            LoadError::Encoding { file: file.to_owned(), line }
        })?;
        let table = super::rows::table(text, b',', None).without_furniture();
        let columns: HashMap<String, usize> = table
            .heading
            .iter()
            .enumerate()
            .map(|(at, name)| (name.to_lowercase().replace([' ', '-'], "_"), at))
            .collect();
        for &column in required {
            if !columns.contains_key(column) {
                return Err(LoadError::Column { file: file.to_owned(), column });
            }
        }
        let of = |remark: super::rows::Remark| {
            // A heading that is not known may be anything: only its letter is repeated.
            let known = columns.iter().find(|(name, at)| **at == remark.column && KNOWN.contains(&name.as_str()));
            let column = known.map_or_else(|| super::rows::letter(remark.column), |(name, _)| name.clone());
            RowFault { file: file.to_owned(), row: remark.line, column: column.into(), problem: remark.words }
        };
        said.faults.extend(table.faults.into_iter().map(of));
        said.notes.extend(table.notes.into_iter().map(of));
        Ok(Self { file: file.to_owned(), columns, rows: table.rows })
    }

    fn cell<'r>(&self, record: &'r csv::StringRecord, column: &str) -> &'r str {
        self.columns.get(column).and_then(|&at| record.get(at)).unwrap_or("").trim()
    }

    fn text(&self, record: &csv::StringRecord, column: &str) -> String {
        self.cell(record, column).to_owned()
    }

    fn filled(&self, record: &csv::StringRecord, column: &str) -> Option<String> {
        Some(self.text(record, column)).filter(|text| !text.is_empty())
    }

    fn fault(&self, row: u64, column: &'static str, problem: &'static str) -> RowFault {
        RowFault { file: self.file.clone(), row, column: column.into(), problem }
    }

    /// Yes, no, or nothing recorded; a cell that cannot be read is named.
    fn answer(
        &self,
        row: u64,
        record: &csv::StringRecord,
        column: &'static str,
        faults: &mut Vec<RowFault>,
    ) -> Option<bool> {
        let answer = answers::answer(self.cell(record, column));
        if answer == Answer::Unclear {
            faults.push(self.fault(row, column, answers::UNCLEAR));
        }
        answer.known()
    }

    /// The pupils whom a cell names by their ids, where it is nothing but ids. A `1` is one only in the row of that pupil.
    fn ids(cell: &str, (pupils, own): OfRow<'_>) -> Option<Vec<PupilIndex>> {
        let ids = list(cell);
        let found: Option<Vec<PupilIndex>> = ids.iter().map(|id| pupils.get(id).copied()).collect();
        let found = found.filter(|found| !found.is_empty())?;
        let answers = answers::answer(cell) != Answer::Unclear;
        (!answers || found.iter().all(|pupil| own.contains(pupil))).then_some(found)
    }

    /// For which pupils there is parental responsibility: yes or no for all of the row's, or the ids of those.
    fn responsibility(
        &self,
        row: u64,
        record: &csv::StringRecord,
        of: OfRow<'_>,
        faults: &mut Vec<RowFault>,
    ) -> Answers {
        let column = "parental_responsibility";
        if let Some(ids) = Self::ids(self.cell(record, column), of) {
            return of.1.iter().map(|pupil| (*pupil, ids.contains(pupil))).collect();
        }
        let known = self.answer(row, record, column, faults);
        known.map(|has| of.1.iter().map(|&pupil| (pupil, has)).collect()).unwrap_or_default()
    }

    /// From whom the guardian is kept: yes for all of the row's pupils, or the ids of those.
    fn barred(
        &self,
        row: u64,
        record: &csv::StringRecord,
        of: OfRow<'_>,
        faults: &mut Vec<RowFault>,
    ) -> Vec<PupilIndex> {
        let mut barred = Vec::new();
        for column in BARS {
            let cell = self.cell(record, column);
            if let Some(ids) = Self::ids(cell, of) {
                barred.extend(ids);
                continue;
            }
            match answers::bar(cell) {
                Bar::No => continue,
                Bar::Yes => {}
                Bar::Unclear => faults.push(self.fault(row, column, answers::UNCLEAR_BAR)),
            }
            barred.extend(of.1);
        }
        barred.sort();
        barred.dedup();
        barred
    }
}

/// All pupils by id, and those of the row.
type OfRow<'a> = (&'a HashMap<String, PupilIndex>, &'a [PupilIndex]);

/// For each pupil, yes or no.
type Answers = Vec<(PupilIndex, bool)>;

fn read_pupils(file: &Path, school: &mut School, said: &mut Said) -> Result<HashMap<String, PupilIndex>, LoadError> {
    let sheet = Sheet::read(file, &["id", "forename", "surname"], said)?;
    let faults = &mut said.faults;
    let mut ids = HashMap::with_capacity(sheet.rows.len());
    for (row, record) in &sheet.rows {
        let row = *row;
        let id = sheet.text(record, "id");
        if id.is_empty() {
            faults.push(sheet.fault(row, "id", "is missing; the row is left out"));
            continue;
        }
        if ids.contains_key(&id) {
            faults.push(sheet.fault(row, "id", "stands on an earlier row too; this row is left out"));
            continue;
        }
        let (forename, surname) = (sheet.text(record, "forename"), sheet.text(record, "surname"));
        // A name without a letter is a number that slipped into the column.
        if !forename.chars().chain(surname.chars()).any(char::is_alphabetic) {
            faults.push(sheet.fault(row, "forename", "no name is given; the row is left out"));
            continue;
        }
        for (column, value) in [("forename", &forename), ("surname", &surname)] {
            if value.is_empty() {
                faults.push(sheet.fault(row, column, "is missing; the pupil is loaded, but is hard to find by name"));
            }
        }
        let mut number = |column: &'static str, good: fn(&str) -> bool, problem: &'static str| {
            let value: String = sheet
                .cell(record, column)
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_uppercase();
            if value.is_empty() {
                return None;
            }
            if !good(&value) {
                faults.push(sheet.fault(row, column, problem));
                return None;
            }
            Some(value)
        };
        let upn = number("upn", crate::text::checks::upn, "is no valid UPN; the pupil is loaded without it");
        let uln = number("uln", crate::text::checks::uln, "is no valid ULN; the pupil is loaded without it");
        let nhs_number =
            number("nhs_number", crate::text::checks::nhs, "is no valid NHS number; the pupil is loaded without it");
        let born = sheet.cell(record, "date_of_birth");
        let date_of_birth = read_date(born);
        if !born.is_empty() && date_of_birth.is_none() {
            faults.push(sheet.fault(row, "date_of_birth", "is no date; the pupil is loaded without it"));
        }
        let leaving = sheet.cell(record, "leaving_date");
        let left = read_date(leaving);
        if !leaving.is_empty() && left.is_none() {
            faults.push(sheet.fault(row, "leaving_date", "is no date; the pupil is loaded without it"));
        }
        let photo_consent = sheet.answer(row, record, "photo_consent", faults);
        let index = PupilIndex(u32::try_from(school.pupils.len()).unwrap_or(u32::MAX));
        ids.insert(id.clone(), index);
        school.pupils.push(Pupil {
            id,
            upn,
            uln,
            nhs_number,
            forename,
            middle_names: sheet.text(record, "middle_names"),
            surname,
            known_as: sheet.filled(record, "known_as"),
            other_forenames: list(sheet.cell(record, "other_forenames")),
            other_surnames: list(sheet.cell(record, "other_surnames")),
            date_of_birth,
            gender: sheet.text(record, "gender"),
            year_group: sheet.text(record, "year_group"),
            form: sheet.text(record, "form"),
            address: sheet.text(record, "address"),
            postcode: sheet.text(record, "postcode"),
            phone: sheet.text(record, "phone"),
            email: sheet.filled(record, "email"),
            photo_consent,
            left,
        });
    }
    Ok(ids)
}

fn read_guardians(
    file: &Path,
    pupils: &HashMap<String, PupilIndex>,
    school: &mut School,
    said: &mut Said,
) -> Result<(), LoadError> {
    let sheet = Sheet::read(file, &["id", "surname", "pupil_ids"], said)?;
    let faults = &mut said.faults;
    let mut seen = HashSet::new();
    for (row, record) in &sheet.rows {
        let row = *row;
        let id = sheet.text(record, "id");
        if id.is_empty() || !seen.insert(id.clone()) {
            faults.push(sheet.fault(row, "id", "is missing or stands on an earlier row too; this row is left out"));
            continue;
        }
        let mut of = Vec::new();
        for pupil in sheet.cell(record, "pupil_ids").split(';').map(str::trim).filter(|id| !id.is_empty()) {
            match pupils.get(pupil) {
                Some(&index) if !of.contains(&index) => of.push(index),
                Some(_) => {}
                None => faults.push(sheet.fault(row, "pupil_ids", "names a pupil who is not on the pupils' list")),
            }
        }
        let email = sheet.filled(record, "email");
        if email.as_ref().is_some_and(|email| crate::smtp::Address::parse(email).is_err()) {
            faults.push(sheet.fault(row, "email", "is no mail address; the guardian is loaded without it"));
        }
        let responsibility = sheet.responsibility(row, record, (pupils, &of), faults);
        let barred_from = sheet.barred(row, record, (pupils, &of), faults);
        school.guardians.push(Guardian {
            id,
            title: sheet.text(record, "title"),
            forename: sheet.text(record, "forename"),
            surname: sheet.text(record, "surname"),
            email: email.filter(|email| crate::smtp::Address::parse(email).is_ok()),
            phone: sheet.text(record, "phone"),
            relationship: sheet.text(record, "relationship"),
            address: sheet.text(record, "address"),
            postcode: sheet.text(record, "postcode"),
            email_consent: sheet.answer(row, record, "email_consent", faults),
            responsibility,
            barred_from,
            pupils: of,
        });
    }
    Ok(())
}

fn list(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn read_staff(file: &Path, school: &mut School, said: &mut Said) -> Result<(), LoadError> {
    let sheet = Sheet::read(file, &["surname", "email"], said)?;
    let faults = &mut said.faults;
    for (row, record) in &sheet.rows {
        let email = sheet.text(record, "email");
        if !email.is_empty() && crate::smtp::Address::parse(&email).is_err() {
            faults.push(sheet.fault(*row, "email", "is no mail address; the row is left out"));
            continue;
        }
        school.staff.push(Staff {
            id: sheet.text(record, "id"),
            title: sheet.text(record, "title"),
            forename: sheet.text(record, "forename"),
            surname: sheet.text(record, "surname"),
            email,
            private_email: sheet.filled(record, "private_email"),
            private_phone: sheet.filled(record, "private_phone"),
            role: sheet.text(record, "role"),
            may_send_as: list(sheet.cell(record, "may_send_as")),
        });
    }
    Ok(())
}

fn read_correspondents(file: &Path, school: &mut School, said: &mut Said) -> Result<(), LoadError> {
    let sheet = Sheet::read(file, &["kind", "match"], said)?;
    let faults = &mut said.faults;
    for (row, record) in &sheet.rows {
        let trusted = match sheet.cell(record, "kind").to_lowercase().as_str() {
            "trusted" => true,
            "contact" => false,
            _ => {
                faults.push(sheet.fault(*row, "kind", "is neither 'trusted' nor 'contact'; the row is left out"));
                continue;
            }
        };
        let pattern = sheet.text(record, "match").to_lowercase();
        let domain = pattern.strip_prefix("*.").unwrap_or(&pattern);
        if domain.is_empty() || !domain.contains('.') || domain.contains(['*', ' ']) {
            faults.push(sheet.fault(*row, "match", "is no address, domain or *.suffix; the row is left out"));
            continue;
        }
        school.correspondents.push(Correspondent { trusted, pattern, name: sheet.text(record, "name") });
    }
    Ok(())
}

/// ISO 8601 as documented; the day-first form that spreadsheets leave behind is read too.
fn read_date(text: &str) -> Option<jiff::civil::Date> {
    text.get(..10)
        .and_then(|head| head.parse().ok())
        .or_else(|| {
            let mut parts = text.split(['/', '.']).map(|part| part.trim().parse::<i16>().ok());
            let (day, month, year) = (parts.next()??, parts.next()??, parts.next()??);
            jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
        })
        .filter(|date: &jiff::civil::Date| (1900..=2200).contains(&date.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
        let file = dir.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    fn sources<'a>(pupils: &'a Path, guardians: Option<&'a Path>) -> Sources<'a> {
        Sources {
            pupils: PupilSource::File(pupils),
            guardians,
            staff: None,
            correspondents: None,
            name: "Brackenhurst School",
            domains: &[],
            telephone: "",
            bank_accounts: &[],
        }
    }

    #[test]
    fn bad_rows_are_reported_and_the_rest_loads() {
        let dir = tempfile::tempdir().unwrap();
        let pupils = write(
            dir.path(),
            "pupils.csv",
            "\u{feff}surname,Forename,id,upn,date_of_birth\nLowe,Mina,A1,B801200005001,2014-02-03\n,,A2,,\nOkafor,Ben,A1,,\n\
             Okafor,Ben,A3,A801200005001,31/31/2014\n",
        );
        let guardians = write(dir.path(), "g.csv", "id,surname,pupil_ids,email\nG1,Lowe,A1;A9,mina.mum@gmail.com\n");
        let loaded = load(&sources(&pupils, Some(&guardians))).unwrap();
        let faults: Vec<_> = loaded.faults.iter().map(|f| (f.row, f.column.as_ref())).collect();
        assert_eq!(faults, [(3, "forename"), (4, "id"), (5, "upn"), (5, "date_of_birth"), (2, "pupil_ids")]);
        assert_eq!(loaded.school.pupils.len(), 2);
        assert_eq!(loaded.school.pupils[0].upn.as_deref(), Some("B801200005001"));
        assert_eq!(loaded.school.pupils[1].upn, None);
        assert_eq!(loaded.school.guardians[0].pupils, [PupilIndex(0)]);
        assert!(loaded.faults.iter().all(|f| !f.to_string().contains("Okafor")));
    }

    #[test]
    fn unusable_files_name_file_and_column() {
        let dir = tempfile::tempdir().unwrap();
        let pupils = write(dir.path(), "p.csv", "id,forename\nA1,Mina\n");
        let error = load(&sources(&pupils, None)).unwrap_err().to_string();
        assert!(error.contains("p.csv") && error.contains("surname"), "{error}");
        let error = load(&sources(&dir.path().join("absent.csv"), None)).unwrap_err().to_string();
        assert!(error.contains("absent.csv"), "{error}");
    }
}
