//! Forms of a name that lean on the message: its subject, its attachments and their names, tables, addresses.

use schoolgate::text::{Block, Document, Kind, Row, Table};

use super::{Case, Form, attached, folded, plain, saying};

type Written = Option<Vec<Document>>;

#[rustfmt::skip]
pub const FORMS: &[Form] = &[
    plain("subject, fact in the body", |case| Some(case.mail(&case.full(), case.fact()))),
    plain("subject surname first", |case| Some(case.mail(&format!("{}, {}", case.surname(), case.forename()), case.fact()))),
    plain("subject in small letters", |case| Some(case.mail(&format!("re: {}", case.full().to_lowercase()), case.fact()))),
    plain("subject in capitals", |case| Some(case.mail(&case.full().to_uppercase(), case.fact()))),
    plain("subject with more", subject_with_more),
    plain("subject with an initial", subject_with_initial),
    plain("subject, fact attached", |case| {
        let mut out = case.mail(&case.full(), "Please see attached.");
        out.extend(attached("letter", case.fact()));
        Some(out)
    }),
    plain("body, fact attached", |case| {
        let text = format!("I attach what we have on {}.", case.full());
        let mut out = case.mail("Letter", &text);
        out.extend(attached("letter", case.fact()));
        Some(out)
    }),
    plain("attached, fact in the body", |case| {
        let mut out = case.mail("Letter", case.fact());
        out.extend(attached("letter", &format!("Re: {}\n\nThank you for your letter of Monday.", case.full())));
        Some(out)
    }),
    plain("file name", |case| file(case, |f, s| format!("{f} {s}"))),
    plain("file name, surname first", |case| file(case, |f, s| format!("{s}_{f}"))),
    plain("file name with more", |case| file(case, |f, s| format!("{f}_{s}_letter_2026"))),
    plain("file name in small letters", |case| file(case, |f, s| format!("{f}-{s}-letter").to_lowercase())),
    plain("file name run together", |case| file(case, |f, s| format!("{f}{s}_Letter"))),
    plain("file name without accents", |case| {
        let folded = |name: &str| super::folded(name).replace(' ', "-");
        (folded(&case.full()) != case.full().to_lowercase().replace(' ', "-")).then_some(())?;
        let name = format!("{}_{}", folded(case.surname()), folded(case.forename()));
        file(case, |_, _| name.clone())
    }),
    plain("cells", |case| table(case, &["Forename", "Surname", "Note"], &[case.forename(), case.surname(), case.said()])),
    plain("cells, surname first", |case| table(case, &["Surname", "Forename", "Note"], &[case.surname(), case.forename(), case.said()])),
    plain("cells without headings", |case| table(case, &["", "", ""], &[case.surname(), case.forename(), case.said()])),
    plain("cells of forename and class", |case| {
        let (forename, form) = (case.forename(), &case.pupil().form);
        case.alone(forename, |other| other.form == *form).then_some(())?;
        table(case, &["Forename", "Class", "Note"], &[forename, form, case.said()])
    }),
    saying("cells of forename and date of birth", |case| {
        let (forename, born) = (case.forename(), case.pupil().date_of_birth);
        case.alone(forename, |other| other.date_of_birth == born).then_some(())?;
        let date = born?.strftime("%d/%m/%Y").to_string();
        table(case, &["Forename", "Date of birth", "Note"], &[forename, &date, case.said()])
    }),
    plain("one cell", |case| table(case, &["Name", "Note"], &[&case.full(), case.said()])),
    plain("one cell, surname comma forename", |case| {
        table(case, &["Pupil", "Note"], &[&format!("{}, {}", case.surname(), case.forename()), case.said()])
    }),
    plain("address forename.surname", |case| address(case, |f, s| format!("{f}.{s}"))),
    plain("address surname.forename", |case| address(case, |f, s| format!("{s}.{f}"))),
    plain("address run together", |case| address(case, |f, s| format!("{f}{s}"))),
    plain("address with digits", |case| address(case, |f, s| format!("{f}.{s}12"))),
    plain("address with year in front", |case| address(case, |f, s| format!("25{f}{s}"))),
    plain("address with underscore", |case| address(case, |f, s| format!("{f}_{s}"))),
];

fn subject_with_more(case: &mut Case) -> Written {
    let (full, form) = (case.full(), &case.pupil().form);
    let subject = match case.rng.below(5) {
        0 => format!("Re: {full}"),
        1 => format!("{full} - update"),
        2 => format!("Query about {full}"),
        3 => format!("{full} ({form})"),
        _ => format!("Confidential: {full}"),
    };
    Some(case.mail(&subject, case.fact()))
}

fn subject_with_initial(case: &mut Case) -> Written {
    let initial = case.surname().chars().next().filter(|c| c.is_uppercase())?;
    let own = folded(&initial.to_string());
    let same = |surname: &str| folded(surname).split(' ').any(|part| part.starts_with(&own));
    (!case.surname().contains(' ') && case.alone(case.forename(), |other| same(&other.surname))).then_some(())?;
    Some(case.mail(&format!("{} {initial}", case.forename()), case.fact()))
}

fn file(case: &mut Case, name: impl Fn(&str, &str) -> String) -> Written {
    let mut out = case.mail("Documents", "Please see attached.");
    out.extend(attached(&name(case.forename(), case.surname()), case.fact()));
    Some(out)
}

/// A sheet of one row; without headings where these are empty.
fn table(case: &Case, headings: &[&str], cells: &[&str]) -> Written {
    let row = |cells: &[&str]| Row::of(cells.iter().map(|&cell| cell.to_owned()).collect());
    let rows = [headings, cells].into_iter().map(row);
    let mut out = case.mail("List", "The list is attached.");
    out.push(Document {
        kind: Kind::Attachment,
        place: "list.xlsx".into(),
        blocks: vec![Block::Table(Table::of(None, rows))],
    });
    Some(out)
}

fn address(case: &mut Case, local: impl Fn(&str, &str) -> String) -> Written {
    let part = |name: &str| folded(name).replace(' ', "");
    let (forename, surname) = (part(case.forename()), part(case.surname()));
    (forename.len() > 2 && surname.len() > 2 && local(&forename, &surname).is_ascii()).then_some(())?;
    let host = case.one(&["gmail.com", "outlook.com", "pupils.quarryhill.example"]);
    let text = format!("{} Please copy it to {}@{host}.", case.fact(), local(&forename, &surname));
    Some(case.mail("Update", &text))
}
