//! Rows of a CSV file to typed rows, by the meaning of their columns.

use std::path::Path;

use super::columns::{Column, Field, Whose};
use super::sheet::{self, Sheet};
use super::{ContactRow, Format, ImportError, Of, Place, PupilRow, Rows, Which, values};
use crate::people::answers::{self, Answer, Bar};
use crate::people::{Guardian, Pupil, Staff};
use crate::text::checks;

/// Reads a file whose heading says what it is.
pub fn read(file: &Path, bytes: &[u8]) -> Result<(Format, Rows), ImportError> {
    let sheet = sheet::read(file, bytes)?;
    let format = profile(&sheet.heading);
    let bars = |column: &Column| column.meaning.is_some_and(|(_, field)| field == Field::Barred);
    let mut rows = Rows { tells_bars: sheet.columns.iter().any(bars), ..Rows::default() };
    let mut last: Option<usize> = None;
    let reader = Reader { file, sheet: &sheet };
    for (line, cells) in &sheet.rows {
        let row = Row { reader: &reader, line: *line, cells };
        if reader.about(Whose::Staff) {
            row.staff(&mut rows);
            continue;
        }
        let pupil = row.pupil(&mut rows);
        // Reports print a pupil once and leave the cells blank where the same pupil's next contact follows.
        if let Some(at) = pupil {
            last = Some(at);
        }
        row.contacts(pupil.or(last), &mut rows);
    }
    rows.faults.extend(sheet.faults.iter().cloned());
    rows.notes.extend(sheet.notes.iter().cloned());
    rows.faults.sort_by_key(|fault| fault.row);
    Ok((format, rows))
}

/// Whose export it looks like; it decides nothing but how the report names it.
fn profile(heading: &[String]) -> Format {
    let has = |wanted: &[&str]| heading.iter().any(|cell| wanted.contains(&cell.trim()));
    if has(&["Adno", "Reg", "Reg Group", "YrGrp", "Year Taught In"]) {
        Format::Sims
    } else if has(&["Registration form", "Registration Form", "Arbor ID", "Attendance %", "Primary Guardian"]) {
        Format::Arbor
    } else if has(&["FirstName", "StudentEmail", "YearGroup"]) && has(&["LastName"]) {
        Format::Bromcom
    } else {
        Format::Csv
    }
}

struct Reader<'a> {
    file: &'a Path,
    sheet: &'a Sheet,
}

impl Reader<'_> {
    fn about(&self, whose: Whose) -> bool {
        self.sheet.columns.iter().any(|column| column.meaning.is_some_and(|(w, _)| w == whose))
    }

    /// The contacts of the heading, in its order.
    fn contacts(&self) -> Vec<Whose> {
        let mut out: Vec<Whose> = Vec::new();
        for (whose, _) in self.sheet.columns.iter().filter_map(|column| column.meaning) {
            if matches!(whose, Whose::Contact(_)) && !out.contains(&whose) {
                out.push(whose);
            }
        }
        out
    }
}

struct Row<'a> {
    reader: &'a Reader<'a>,
    line: u64,
    cells: &'a [String],
}

impl<'a> Row<'a> {
    /// Cells of a meaning, with their columns, blank ones left out.
    fn all(&self, whose: Whose, field: Field) -> impl Iterator<Item = (&'a Column, &'a str)> {
        let meaning = Some((whose, field));
        let columns = self.reader.sheet.columns.iter().zip(self.cells);
        columns
            .filter(move |(column, cell)| column.meaning == meaning && !cell.is_empty())
            .map(|(c, v)| (c, v.as_str()))
    }

    fn text(&self, whose: Whose, field: Field) -> String {
        self.all(whose, field).next().map(|(_, cell)| values::tidy(cell)).unwrap_or_default()
    }

    fn joined(&self, whose: Whose, field: Field) -> String {
        let parts: Vec<String> =
            self.all(whose, field).map(|(_, cell)| values::tidy(&cell.replace('\n', ", "))).collect();
        parts.join(", ")
    }

    fn list(&self, whose: Whose, field: Field) -> Vec<String> {
        let cells = self.all(whose, field).flat_map(|(_, cell)| cell.split(';').map(values::tidy));
        cells.filter(|part| !part.is_empty()).collect()
    }

    fn place(&self, column: &Column) -> Place {
        Place { file: self.reader.file.to_owned(), row: self.line, column: column.label.clone() }
    }

    /// The place of the first column of these meanings, filled or not.
    fn place_of(&self, whose: Whose, fields: &[Field]) -> Place {
        let columns = &self.reader.sheet.columns;
        let found = fields.iter().find_map(|&field| columns.iter().find(|c| c.meaning == Some((whose, field))));
        Place {
            file: self.reader.file.to_owned(),
            row: self.line,
            column: found.map_or_else(|| "column A".to_owned(), |column| column.label.clone()),
        }
    }

    fn number(&self, field: Field, good: fn(&str) -> bool, problem: &'static str, rows: &mut Rows) -> Option<String> {
        let (column, cell) = self.all(Whose::Pupil, field).next()?;
        let value = values::number(cell);
        if good(&value) {
            return Some(value);
        }
        rows.faults.push(self.place(column).fault(problem));
        None
    }

    /// The pupil of this row, by place in `rows`; none where the row names nobody.
    fn pupil(&self, rows: &mut Rows) -> Option<usize> {
        use Field::*;
        const NAMES: [Field; 5] = [Surname, FullName, LegalSurname, PreferredSurname, Forename];
        let own = Whose::Pupil;
        let whole = values::full_name(&self.text(own, FullName));
        let first_of = |fields: &[Field], otherwise: String| {
            fields.iter().map(|&field| self.text(own, field)).find(|name| !name.is_empty()).unwrap_or(otherwise)
        };
        let forename = first_of(&[Forename, LegalForename, PreferredForename], whole.1);
        let surname = first_of(&[Surname, LegalSurname, PreferredSurname], whole.2);
        let has = |fields: &[Field]| fields.iter().any(|&field| self.all(own, field).next().is_some());
        // A name without a letter is a number that slipped into the column.
        let nobody = !forename.chars().chain(surname.chars()).any(char::is_alphabetic);
        if nobody {
            // A row of the pupils' list without a name is wrong; a row for the next contact of the pupil above is not.
            let only_contact = !has(&[Id, Upn, BirthDate])
                && self.reader.contacts().iter().any(|&c| self.named(c) || self.all(c, Email).next().is_some());
            let names_pupils = NAMES.iter().any(|&name| self.reader.about_field(own, name));
            if names_pupils && !only_contact {
                rows.faults.push(self.place_of(own, &NAMES).fault("no name is given; the row is left out"));
            }
            return None;
        }
        if surname.is_empty() {
            let at = self.place_of(own, &NAMES);
            rows.faults.push(at.fault("is missing; the pupil is loaded, but is hard to find by name"));
        }
        let upn = self.number(Upn, checks::upn, "is no valid UPN; the pupil is loaded without it", rows);
        let uln = self.number(Uln, checks::uln, "is no valid ULN; the pupil is loaded without it", rows);
        let nhs_number = self.number(Nhs, checks::nhs, "is no valid NHS number; the pupil is loaded without it", rows);
        let date_of_birth = self.all(own, BirthDate).next().and_then(|(column, cell)| {
            let date = values::date(cell);
            if date.is_none() {
                let problem = "is no date (day, month, year); the pupil is loaded without it";
                rows.faults.push(self.place(column).fault(problem));
            }
            date
        });
        let year_group = self.all(own, Year).next().and_then(|(column, cell)| {
            let year = values::year_group(cell);
            if year.is_none() {
                rows.faults.push(self.place(column).fault("is no year group; the pupil is loaded without it"));
            }
            year
        });
        let email =
            self.emails(own, Email, "is no mail address; the pupil is loaded without it", rows).into_iter().next();
        let mut pupil = Pupil {
            id: self.text(own, Id),
            upn,
            uln,
            nhs_number,
            forename,
            middle_names: self.text(own, MiddleNames),
            surname,
            known_as: None,
            other_forenames: Vec::new(),
            other_surnames: Vec::new(),
            date_of_birth,
            gender: self.text(own, Gender),
            year_group: year_group.unwrap_or_default(),
            form: first_of(&[Form, Class], String::new()),
            address: self.joined(own, Address),
            postcode: self.text(own, Postcode),
            phone: self.text(own, Phone),
            email,
            photo_consent: self.agreed(own, PhotoConsent, PhotoRefusal, rows),
            left: self.left(rows),
        };
        let known_as = self.text(own, PreferredForename);
        pupil.also_known_as(&known_as);
        for field in [LegalForename, FormerForename] {
            pupil.also_forename(&self.text(own, field));
        }
        for field in [LegalSurname, PreferredSurname, FormerSurname] {
            pupil.also_surname(&self.text(own, field));
        }
        self.list(own, OtherForenames).iter().for_each(|name| pupil.also_forename(name));
        self.list(own, OtherSurnames).iter().for_each(|name| pupil.also_surname(name));
        let former_upn = self.all(own, FormerUpn).next().map(|(_, cell)| values::number(cell));
        let at = self.place_of(own, &[Id, Upn, Surname, FullName, LegalSurname]);
        rows.pupils.push(PupilRow { at, pupil, former_upn: former_upn.filter(|upn| checks::upn(upn)) });
        Some(rows.pupils.len() - 1)
    }

    fn named(&self, whose: Whose) -> bool {
        [Field::Forename, Field::Surname].iter().any(|&field| self.all(whose, field).next().is_some())
            || !self.contact_name(whose).is_empty()
    }

    /// The whole name in one cell. A heading such as `Guardian 1` may stand over a tick instead.
    fn contact_name(&self, whose: Whose) -> String {
        const TICKS: [&str; 10] = ["yes", "no", "true", "false", "y", "n", "t", "f", "x", "✓"];
        let name = self.text(whose, Field::FullName);
        let tick = TICKS.contains(&name.to_lowercase().as_str()) || !name.chars().any(char::is_alphabetic);
        if tick { String::new() } else { name }
    }

    fn emails(&self, whose: Whose, field: Field, problem: &'static str, rows: &mut Rows) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for (column, cell) in self.all(whose, field) {
            let (found, bad) = values::emails(cell);
            if bad {
                rows.faults.push(self.place(column).fault(problem));
            }
            out.extend(
                found
                    .into_iter()
                    .filter(|email| !out.iter().any(|other| other.eq_ignore_ascii_case(email)))
                    .collect::<Vec<_>>(),
            );
        }
        out
    }

    /// Whether there is consent, by the columns that ask for it and those that ask for a refusal. A no stays.
    fn agreed(&self, whose: Whose, consent: Field, refusal: Field, rows: &mut Rows) -> Option<bool> {
        let mut out = None;
        for (column, cell, refused) in self
            .all(whose, consent)
            .map(|(at, cell)| (at, cell, false))
            .chain(self.all(whose, refusal).map(|(at, cell)| (at, cell, true)))
        {
            let answer = answers::answer(cell);
            if answer == Answer::Unclear {
                rows.faults.push(self.place(column).fault(answers::UNCLEAR));
            }
            out = answers::stricter(out, if refused { answer.inverted() } else { answer }.known());
        }
        out
    }

    fn left(&self, rows: &mut Rows) -> Option<jiff::civil::Date> {
        let (column, cell) = self.all(Whose::Pupil, Field::Left).next()?;
        let date = values::date(cell);
        if date.is_none() {
            let problem = "is no date (day, month, year); the pupil is loaded without it";
            rows.faults.push(self.place(column).fault(problem));
        }
        date
    }

    /// From whom a contact is kept. What is said of the pupil alone is said of every contact of the row.
    fn barred(&self, whose: Whose, own: &[String], rows: &mut Rows) -> Which {
        let cells = || self.all(whose, Field::Barred).chain(self.all(Whose::Pupil, Field::Barred));
        super::barred(cells().map(|(_, cell)| cell), own, |unclear| {
            let column = cells().find(|(_, cell)| *cell == unclear);
            rows.faults.extend(column.map(|(column, _)| self.place(column).fault(answers::UNCLEAR_BAR)));
        })
    }

    /// A court order that is told of the pupil does not say whom it keeps away: the technician looks at it.
    fn whom_it_bars(&self, contacts: usize, rows: &mut Rows) {
        for (column, cell) in self.all(Whose::Pupil, Field::Barred) {
            if answers::bar(cell) == Bar::No || contacts == 1 {
                continue;
            }
            let problem = if contacts == 0 {
                "says that somebody is kept from this pupil, and not who; nobody is"
            } else {
                "says that somebody is kept from this pupil, and not who; every contact of the row is taken to be"
            };
            rows.faults.push(self.place(column).fault(problem));
        }
    }

    fn contacts(&self, pupil: Option<usize>, rows: &mut Rows) {
        use Field::*;
        let before = rows.contacts.len();
        self.read_contacts(pupil, rows);
        if self.reader.about_field(Whose::Pupil, Barred) {
            self.whom_it_bars(rows.contacts.len() - before, rows);
        }
    }

    fn read_contacts(&self, pupil: Option<usize>, rows: &mut Rows) {
        use Field::*;
        for whose in self.reader.contacts() {
            let problem = "is no mail address; the contact is loaded without it";
            let mut emails = self.emails(whose, Email, problem, rows);
            emails.extend(self.emails(whose, PrivateEmail, problem, rows));
            if !self.named(whose) && emails.is_empty() {
                continue;
            }
            let whole = values::full_name(&self.contact_name(whose));
            let or = |field: Field, otherwise: &String| {
                Some(self.text(whose, field)).filter(|text| !text.is_empty()).unwrap_or_else(|| otherwise.clone())
            };
            let columns = &self.reader.sheet.columns;
            let told = columns.iter().filter(|c| c.meaning.is_some_and(|(w, _)| w == whose)).find_map(|c| c.relation);
            let told = told.unwrap_or_default().to_owned();
            let mut emails = emails.into_iter();
            let guardian = Guardian {
                id: self.text(whose, Id),
                title: or(Title, &whole.0),
                forename: or(Forename, &whole.1),
                surname: or(Surname, &whole.2),
                email: emails.next(),
                phone: self.text(whose, Phone),
                relationship: or(Relationship, &told),
                address: self.joined(whose, Address),
                postcode: self.text(whose, Postcode),
                email_consent: answers::stricter(
                    self.agreed(whose, EmailConsent, EmailRefusal, rows),
                    self.agreed(Whose::Pupil, EmailConsent, EmailRefusal, rows),
                ),
                ..Guardian::default()
            };
            let at = self.place_of(whose, &[PupilIds, Id, Email, Surname, FullName, Forename]);
            let by_id = self.list(whose, PupilIds);
            let barred = self.barred(whose, &by_id, rows);
            let responsible = self.responsible(whose, &by_id, rows);
            let of: Vec<Of> = if !by_id.is_empty() {
                by_id.into_iter().map(Of::Id).collect()
            } else if let Some(pupil) = pupil {
                vec![Of::Row(pupil)]
            } else if let Some(upn) = self.all(Whose::Pupil, Upn).chain(self.all(Whose::Pupil, Id)).next() {
                vec![Of::Id(values::tidy(upn.1))]
            } else {
                rows.faults.push(at.fault("nothing says whose contact this is; the contact is left out"));
                continue;
            };
            rows.contacts.push(ContactRow { at, guardian, more_emails: emails.collect(), of, responsible, barred });
        }
    }

    /// For whom a contact has parental responsibility: yes or no, or in our own lists the pupils' ids.
    fn responsible(&self, whose: Whose, own: &[String], rows: &mut Rows) -> Option<Which> {
        let ids = self.list(whose, Field::Responsibility);
        if !ids.is_empty() && ids.iter().all(|id| own.contains(id)) {
            return Some(Which::Ids(ids));
        }
        let (column, cell) = self.all(whose, Field::Responsibility).next()?;
        let answer = answers::answer(cell);
        if answer == Answer::Unclear {
            rows.faults.push(self.place(column).fault(answers::UNCLEAR));
        }
        answer.known().map(|has| if has { Which::Everybody } else { Which::Nobody })
    }

    fn staff(&self, rows: &mut Rows) {
        use Field::*;
        let own = Whose::Staff;
        let whole = values::full_name(&self.text(own, FullName));
        let or = |field: Field, otherwise: &String| {
            Some(self.text(own, field)).filter(|text| !text.is_empty()).unwrap_or_else(|| otherwise.clone())
        };
        let problem = "is no mail address; the member of staff is loaded without it";
        let emails = self.emails(own, Email, problem, rows);
        let private = self.emails(own, PrivateEmail, problem, rows);
        let surname = or(Surname, &whole.2);
        let at = self.place_of(own, &[Surname, FullName, Email]);
        if surname.is_empty() && emails.is_empty() {
            rows.faults.push(at.fault("neither a name nor a mail address is given; the row is left out"));
            return;
        }
        let mut emails = emails.into_iter();
        let staff = Staff {
            id: self.text(own, Id),
            title: or(Title, &whole.0),
            forename: or(Forename, &whole.1),
            surname,
            email: emails.next().unwrap_or_default(),
            private_email: private.into_iter().next(),
            private_phone: Some(self.text(own, PrivatePhone)).filter(|text| !text.is_empty()),
            role: self.text(own, Role),
            may_send_as: self.list(own, MaySendAs),
        };
        rows.staff.push((at, staff));
    }
}

impl Reader<'_> {
    fn about_field(&self, whose: Whose, field: Field) -> bool {
        self.sheet.columns.iter().any(|column| column.meaning == Some((whose, field)))
    }
}
