//! A made-up school whose names are words more often than not, and what is to be found in one text of it.

mod company;

use super::*;
use crate::people::{Guardian, Pupil, Staff};
use crate::text::{Block, Kind, Row, Table};

fn school() -> School {
    let pupil = |id: &str, forename: &str, surname: &str, year: &str, form: &str, born: &str| Pupil {
        id: id.into(),
        forename: forename.into(),
        surname: surname.into(),
        year_group: year.into(),
        form: form.into(),
        date_of_birth: born.parse().ok(),
        ..Pupil::default()
    };
    let mut pupils = vec![
        pupil("A", "Zoë", "O'Brien-Smith", "9", "9K", "2012-05-14"),
        pupil("B", "Summer", "Field", "7", "7R", "2014-06-01"),
        pupil("C", "Łukasz", "Wrona", "8", "8B", "2013-02-03"),
        pupil("D", "Mason", "Cutler", "9", "9K", "2012-01-30"),
        pupil("E", "Edward", "Nkemelu", "10", "10B", "2011-11-11"),
        pupil("F", "Grace", "Adebisi", "10", "10B", "2011-03-09"),
        pupil("G", "Will", "Marks", "8", "8B", "2012-12-12"),
        pupil("H", "Ava", "Tran", "8", "8B", "2013-04-04"),
        pupil("I", "Ava", "Tran", "11", "11C", "2010-04-04"),
    ];
    pupils[0].middle_names = "Grace".into();
    pupils[3].upn = Some("B801200005001".into());
    pupils[4].known_as = Some("Teddy".into());
    School {
        pupils,
        guardians: vec![Guardian {
            id: "G1".into(),
            forename: "Deborah".into(),
            surname: "Wrona".into(),
            pupils: vec![PupilIndex(2)],
            ..Guardian::default()
        }],
        staff: vec![Staff {
            forename: "Rose".into(),
            surname: "Tully".into(),
            email: "r.tully@quarryhill.example".into(),
            ..Staff::default()
        }],
        ..School::default()
    }
    .indexed()
}

fn found(school: &School, documents: &[Document]) -> Vec<(String, Tier)> {
    let findings = detect(documents, &[], school, &Correspondence::default(), &Halt::default());
    findings.pupils.iter().map(|p| (school.pupil(p.pupil).unwrap().id.clone(), p.tier)).collect()
}

fn ids(school: &School, text: &str) -> String {
    found(school, &[Document::of_text(Kind::Body, "body", text)]).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn told_to_stop_it_looks_at_no_further_line() {
    let school = school();
    let documents = [Document::of_text(Kind::Body, "body", "Mason Cutler in 9K has asthma.")];
    let halt = Halt::default();
    let found = |halt: &Halt| detect(&documents, &[], &school, &Correspondence::default(), halt);
    assert!(!found(&halt).findings.is_empty());
    halt.set();
    let halted = found(&halt);
    assert!(halted.findings.is_empty() && halted.pupils.is_empty());
}

#[test]
fn written_forms_of_names() {
    let school = school();
    for (text, want) in [
        ("Zoë O'Brien-Smith was here", "A"),
        ("zoe o’brien smith was here", "A"),
        ("O'BRIEN-SMITH, Zoë", "A"),
        ("OBRIEN-SMITH Zoe", "A"),
        ("Zoe\u{308} Grace O\u{2bc}Brien\u{2011}Smith's coat", "A"),
        ("Zoe G. O'Brien-Smith", "A"),
        ("Z. O'Brien has left", ""),
        ("Zoe O is in the play", "A"),
        ("Zoe OBS is in the play", "A"),
        ("L\u{200b}ukasz W\u{ad}rona", "C"),
        ("Lukasz Wrona", "C"),
        ("Mail to lukasz.wrona@gmail.com", "C"),
        ("Teddy Nkemelu and Ed Nkemelu", "E"),
        ("Teddy in 10B", "E"),
        ("Teddy (Y10) forgot his kit", "E"),
        ("Grace (10B) forgot her kit", "F"),
        ("Teddy Smythe in 10B", ""),
        ("Miss Grace Adebisi", ""),
        ("Please ask Łukasz, born 3/2/13, in", "C"),
        ("Debbie Wrona rang about Lukasz", "C"),
        ("We thank Mr Wrona", ""),
        ("Mason has it, UPN B801200005001", "D"),
        ("Ava Tran", "HI"),
        ("Ava Tran in 8B", "H"),
        ("Ava Tran, d.o.b. 04/04/2010", "I"),
    ] {
        assert_eq!(ids(&school, text), want, "{text}");
    }
}

#[test]
fn names_that_are_words() {
    let school = school();
    for (text, want) in [
        ("Summer Field Day is in June.", ""),
        ("We meet at Summer Field on Monday.", ""),
        ("The summer field is wet.", ""),
        ("Summer Field has lost her coat, can her mum ring?", "B"),
        ("Field, Summer (7R)", "B"),
        ("Will marks be sent home?", ""),
        ("Will Marks got his detention.", "G"),
        ("I wanted to say that Mason Cutler has two detentions", "D"),
        ("Mason Cutler Road is closed", ""),
        ("With grace and patience", ""),
        ("Regards\nRose Tully", ""),
    ] {
        assert_eq!(ids(&school, text), want, "{text}");
    }
}

#[test]
fn tiers() {
    let school = school();
    for (text, want) in [
        ("Lukasz Wrona is in the school play.", Tier::Mention),
        ("Lukasz Wrona scored 31/40 in the test.", Tier::Record),
        ("Lukasz Wrona has no allergies.", Tier::Record),
        ("Lukasz Wrona needs his inhaler.", Tier::Sensitive),
        ("Lukasz Wrona came in. He had a seizure at lunch.", Tier::Sensitive),
        ("Lukasz Wrona is in the play. All staff have epilepsy training on Monday.", Tier::Mention),
        ("Lukasz Wrona, a social worker rang", Tier::Sensitive),
    ] {
        let tiers = found(&school, &[Document::of_text(Kind::Body, "body", text)]);
        assert_eq!(tiers.first().map(|(_, tier)| *tier), Some(want), "{text}");
    }
}

#[test]
fn tables_speak_by_row_and_column() {
    let school = school();
    let table = |rows: &[&[&str]]| {
        let rows =
            rows.iter().map(|row| Row { cells: row.iter().map(|c| (*c).to_owned()).collect(), detail: None }).collect();
        [Document {
            kind: Kind::Attachment,
            place: "x.csv".into(),
            blocks: vec![Block::Table(Table { detail: None, rows })],
        }]
    };
    let found = found(
        &school,
        &table(&[
            &["Surname", "Forename", "Form", "SEN", "FSM"],
            &["Wrona", "Lukasz", "8B", "K", ""],
            &["Field", "Summer", "7R", "N", ""],
            &["Nkemelu", "Edward", "10B", "", ""],
        ]),
    );
    let want = [("B", Tier::Record), ("C", Tier::Sensitive), ("E", Tier::Mention)];
    assert_eq!(found.iter().map(|(id, tier)| (id.as_str(), *tier)).collect::<Vec<_>>(), want);
}

#[test]
fn adults_numbers_want_a_check_or_a_word() {
    let school = school();
    for (text, want) in [
        ("NI number AB 12 34 56 C", true),
        ("sort code 12-34-56 account 12345678", true),
        ("GB29 NWBK 6016 1331 9268 19", true),
        ("4111 1111 1111 1111", true),
        ("my NHS number is 943 476 5870", true),
        ("order 9434765870", false),
        ("QQ123456C", false),
        ("call 01632 960123 or 07700 900123", false),
        ("passport 123456789", true),
        ("parcel 123456789", false),
    ] {
        let documents = [Document::of_text(Kind::Body, "body", text)];
        assert_eq!(
            detect(&documents, &[], &school, &Correspondence::default(), &Halt::default()).adult_identifier,
            want,
            "{text}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_and_line_ends_change_nothing(text in "([A-Za-zëŁ' ,.()0-9@\\-]{0,12}|Zoë |Field|Summer |Wrona|Ava Tran|\n){0,24}") {
        let school = school();
        let unix = ids(&school, &text);
        proptest::prop_assert_eq!(&unix, &ids(&school, &text.replace('\n', "\r\n")));
        let decomposed: String = unicode_normalization::UnicodeNormalization::nfd(text.as_str()).collect();
        proptest::prop_assert_eq!(&unix, &ids(&school, &decomposed));
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,120}") {
        ids(&school(), &text);
    }
}
