//! Common Transfer Files of the Department for Education: XML with one `Pupil` element for each pupil, under
//! `CTFpupilData` or, in admissions files, `ATFpupilData`. Contacts become guardians.
//!
//! A fault's line is that of the pupil's element; its column is the path of the element in it.

use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{ContactRow, ImportError, Of, Place, PupilRow, Rows, Which, sheet, values};
use crate::extract::xml::{self, Element, Node};
use crate::people::answers::{self, Answer};
use crate::people::repair::repair;
use crate::people::{Guardian, Pupil};
use crate::text::checks;

/// Reads a file.
pub fn read(file: &Path, bytes: &[u8]) -> Result<Rows, ImportError> {
    let unusable = |problem| ImportError::Unusable { file: file.to_owned(), problem };
    let damaged = |_| unusable("is no well-formed XML; it may be cut short");
    let text = sheet::decode(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = Reader::from_str(text);
    let mut rows = Rows::default();
    let (mut open, mut known, mut line, mut counted) = (Vec::<String>::new(), false, 1u64, 0usize);
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event().map_err(damaged)? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                let name = String::from_utf8_lossy(name.as_ref()).into_owned();
                known |= matches!(name.as_str(), "CTFpupilData" | "ATFpupilData");
                let inside = open.last().is_some_and(|outer| matches!(outer.as_str(), "CTFpupilData" | "ATFpupilData"));
                if inside && name == "Pupil" {
                    let end = start.to_end().into_owned();
                    reader.read_to_end(end.name()).map_err(damaged)?;
                    let after = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
                    let slice = text.get(before..after).ok_or_else(|| unusable("is no well-formed XML"))?;
                    line += lines(text, counted, before);
                    counted = before;
                    let mut pupil = xml::parse(slice.as_bytes())
                        .map_err(|_| unusable("a pupil's element is nested too deep or damaged"))?;
                    let note = |column: &str, words| {
                        let at = Place { file: file.to_owned(), row: line, column: column.to_owned() };
                        rows.notes.push(at.fault(words));
                    };
                    put_right(&mut pupil, note);
                    One { file, line, element: &pupil }.read(&mut rows);
                } else {
                    open.push(name);
                }
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !open.is_empty() {
        return Err(unusable("ends in the middle of an element: it is cut short"));
    }
    if !known {
        return Err(unusable("has neither CTFpupilData nor ATFpupilData: it is no Common Transfer File"));
    }
    Ok(rows)
}

fn lines(text: &str, from: usize, to: usize) -> u64 {
    text.as_bytes()[from..to].iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Undoes what a program has spoilt in the values of an element, each told by its path.
fn put_right(pupil: &mut Element, mut note: impl FnMut(&str, &'static str)) {
    let mut open = vec![(pupil, String::new())];
    while let Some((element, path)) = open.pop() {
        if element.elements().next().is_none() {
            if let Some((meant, words)) = repair(&element.text()) {
                element.children = vec![Node::Text(meant)];
                note(&path, words);
            }
            continue;
        }
        // Backwards, so that notes come in the order of the file.
        for node in element.children.iter_mut().rev() {
            if let Node::Element(inner) = node {
                let path = if path.is_empty() { inner.name.clone() } else { format!("{path}/{}", inner.name) };
                open.push((inner, path));
            }
        }
    }
}

struct One<'a> {
    file: &'a Path,
    line: u64,
    element: &'a Element,
}

/// The text of an element by its path, single spaces; empty where there is none.
fn at(element: &Element, path: &str) -> String {
    let mut found = Some(element);
    for name in path.split('/') {
        found = found.and_then(|element| element.child(name));
    }
    found.map(|element| values::tidy(&element.text())).unwrap_or_default()
}

/// Lines of an address, and its postcode.
fn address(element: &Element) -> (String, String) {
    let Some(address) = element.child("Address") else { return Default::default() };
    let mut lines: Vec<String> = Vec::new();
    let mut postcode = String::new();
    let mut stack: Vec<&Element> = address.elements().collect();
    stack.reverse();
    // BS 7666 addresses have a level more than plain lines.
    while let Some(element) = stack.pop() {
        let inner: Vec<&Element> = element.elements().collect();
        if !inner.is_empty() {
            stack.extend(inner.into_iter().rev());
            continue;
        }
        let text = values::tidy(&element.text());
        match element.name.as_str() {
            "PostCode" | "Postcode" => postcode = text,
            "AddressAsPupil" | "UPRN" | "Easting" | "Northing" | "Country" => {}
            _ if !text.is_empty() => lines.push(text),
            _ => {}
        }
    }
    (lines.join(", "), postcode)
}

fn phone(element: &Element) -> String {
    let phones: Vec<&Element> = element.child("Phones").into_iter().flat_map(Element::elements).collect();
    let of = |kind: &str| phones.iter().find(|phone| at(phone, "TelephoneType") == kind);
    of("M").or_else(|| of("H")).or_else(|| phones.first()).map(|phone| at(phone, "PhoneNo")).unwrap_or_default()
}

impl One<'_> {
    fn place(&self, column: &str) -> Place {
        Place { file: self.file.to_owned(), row: self.line, column: column.to_owned() }
    }

    fn number(&self, path: &str, good: fn(&str) -> bool, problem: &'static str, rows: &mut Rows) -> Option<String> {
        let value = values::number(&at(self.element, path));
        if value.is_empty() {
            return None;
        }
        if !good(&value) {
            rows.faults.push(self.place(path).fault(problem));
            return None;
        }
        Some(value)
    }

    fn read(&self, rows: &mut Rows) {
        let text = |path: &str| at(self.element, path);
        let (forename, surname) = (text("Forename"), text("Surname"));
        if forename.is_empty() && surname.is_empty() {
            rows.faults.push(self.place("Surname").fault("no name is given; the pupil is left out"));
            return;
        }
        for (column, value) in [("Forename", &forename), ("Surname", &surname)] {
            if value.is_empty() {
                let problem = "is missing; the pupil is loaded, but is hard to find by name";
                rows.faults.push(self.place(column).fault(problem));
            }
        }
        let upn = self.number("UPN", checks::upn, "is no valid UPN; the pupil is loaded without it", rows);
        let problem = "is no valid ULN; the pupil is loaded without it";
        let uln = self.number("UniqueLearnerNumber", checks::uln, problem, rows);
        let former_upn = values::number(&text("BasicDetails/FormerUPN"));
        let born = text("DOB");
        let date_of_birth = values::date(&born);
        if date_of_birth.is_none() && !born.is_empty() {
            rows.faults.push(self.place("DOB").fault("is no date (yyyy-mm-dd); the pupil is loaded without it"));
        }
        let year = values::year_group(&text("BasicDetails/NCyearActual"));
        if year.is_none() {
            let problem = "is no year group; the pupil is loaded without it";
            rows.faults.push(self.place("BasicDetails/NCyearActual").fault(problem));
        }
        let (address, postcode) = address(self.element);
        let gender = text("Sex");
        let mut pupil = Pupil {
            id: text("ApplicationReference"),
            upn,
            uln,
            forename,
            middle_names: text("BasicDetails/MiddleNames"),
            surname,
            date_of_birth,
            gender: if gender.is_empty() { text("Gender") } else { gender },
            year_group: year.unwrap_or_default(),
            form: text("BasicDetails/RegGroup"),
            address,
            postcode,
            phone: phone(self.element),
            email: self.email(self.element, "Email", rows).0,
            ..Pupil::default()
        };
        pupil.also_known_as(&text("BasicDetails/PreferredForename"));
        pupil.also_forename(&text("BasicDetails/FormerForename"));
        pupil.also_surname(&text("BasicDetails/PreferredSurname"));
        pupil.also_surname(&text("BasicDetails/FormerSurname"));
        let home = pupil.phone.clone();
        rows.pupils.push(PupilRow {
            at: self.place("UPN"),
            pupil,
            former_upn: Some(former_upn).filter(|upn| checks::upn(upn)),
        });
        let of = rows.pupils.len() - 1;
        let mut contacts: Vec<&Element> =
            self.element.child("Contacts").into_iter().flat_map(Element::elements).collect();
        contacts.sort_by_key(|contact| at(contact, "Order").parse::<u32>().unwrap_or(u32::MAX));
        for contact in contacts {
            self.contact(contact, of, &home, rows);
        }
    }

    /// The one answer that the file has of a contact beside the address; it knows no court orders.
    fn responsible(&self, contact: &Element, rows: &mut Rows) -> Option<Which> {
        let answer = answers::answer(&at(contact, "Responsibility"));
        if answer == Answer::Unclear {
            rows.faults.push(self.place("Contacts/Contact/Responsibility").fault(answers::UNCLEAR));
        }
        answer.known().map(|has| if has { Which::Everybody } else { Which::Nobody })
    }

    fn email(&self, element: &Element, path: &str, rows: &mut Rows) -> (Option<String>, Vec<String>) {
        let (found, bad) = values::emails(&at(element, "Email"));
        if bad {
            rows.faults.push(self.place(path).fault("is no mail address; the person is loaded without it"));
        }
        let mut found = found.into_iter();
        (found.next(), found.collect())
    }

    fn contact(&self, contact: &Element, of: usize, home: &str, rows: &mut Rows) {
        let (email, more_emails) = self.email(contact, "Contacts/Contact/Email", rows);
        let (forename, surname) = (at(contact, "Forename"), at(contact, "Surname"));
        if surname.is_empty() && forename.is_empty() && email.is_none() {
            let problem = "neither a name nor a mail address is given; the contact is left out";
            rows.faults.push(self.place("Contacts/Contact/Surname").fault(problem));
            return;
        }
        // A contact at the pupil's address without a telephone of their own shares the pupil's.
        let shared = contact.child("Address").is_some_and(|a| at(a, "AddressAsPupil").eq_ignore_ascii_case("true"));
        let own = phone(contact);
        let (lines, postcode) = address(if shared { self.element } else { contact });
        let guardian = Guardian {
            title: at(contact, "Title"),
            forename,
            surname,
            email,
            phone: if own.is_empty() && shared { home.to_owned() } else { own },
            relationship: relationship(&at(contact, "Relationship")),
            address: lines,
            postcode,
            ..Guardian::default()
        };
        let responsible = self.responsible(contact, rows);
        rows.contacts.push(ContactRow {
            at: self.place("Contacts/Contact"),
            guardian,
            more_emails,
            of: vec![Of::Row(of)],
            responsible,
            barred: Which::Nobody,
        });
    }
}

/// Codes of the Common Basic Data Set in words; others as they stand.
fn relationship(code: &str) -> String {
    match code {
        "PAM" => "mother",
        "PAF" => "father",
        "STM" => "stepmother",
        "STF" => "stepfather",
        "FOM" => "foster mother",
        "FOF" => "foster father",
        "CAR" => "carer",
        "SWR" => "social worker",
        other => other,
    }
    .to_owned()
}
