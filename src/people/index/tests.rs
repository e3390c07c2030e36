//! Names of a small school, in the forms people write, looked up in its index.

use super::*;
use crate::people::{Guardian, Pupil, School};

#[test]
fn the_index_holds_no_name() {
    let school = School {
        pupils: vec![Pupil {
            id: "P1".into(),
            forename: "Zoë".into(),
            middle_names: "Grace".into(),
            surname: "O'Brien-Smith".into(),
            known_as: Some("Zozo".into()),
            other_surnames: vec!["Quist".into()],
            address: "14 Frost Lane".into(),
            postcode: "SX2 6HW".into(),
            form: "Plum".into(),
            upn: Some("J998441726117".into()),
            phone: "01632 960443".into(),
            email: Some("zoe@pupils.example".into()),
            ..Pupil::default()
        }],
        ..School::default()
    };
    let told = format!("{:?}", RosterIndex::build(&school)).to_lowercase();
    assert!(told.contains("bearers") && told.len() > 1_000, "the index is shown whole");
    for word in ["zo", "grace", "brien", "smith", "quist", "frost", "sx2", "plum", "j998", "01632", "pupils.example"] {
        // The names of fields are ours, and hold none of these.
        assert!(!told.contains(word), "{word}");
    }
}

#[test]
fn a_class_is_no_other_class() {
    let forms: Vec<String> =
        (7..=13).flat_map(|year| ('A'..='Z').map(move |letter| format!("{year}{letter}"))).collect();
    let pupil = |(at, form): (usize, &String)| Pupil {
        id: format!("P{at}"),
        forename: "Rose".into(),
        surname: "Hill".into(),
        form: form.clone(),
        ..Pupil::default()
    };
    let school = School { pupils: forms.iter().enumerate().map(pupil).collect(), ..School::default() };
    let index = RosterIndex::build(&school);
    for (at, form) in forms.iter().enumerate() {
        let class = index.class(Run::of(form)).expect("a class of the school");
        let found = index.forename_with(Run::of("Rose"), Fact::Class(class));
        assert_eq!(found, [PupilIndex(at as u32)], "{form}");
    }
}

fn school() -> School {
    let pupil = |forename: &str, surname: &str, form: &str| Pupil {
        id: format!("{forename}{surname}"),
        forename: forename.into(),
        surname: surname.into(),
        form: form.into(),
        year_group: "6".into(),
        ..Pupil::default()
    };
    School {
        pupils: vec![
            pupil("Zoë", "O'Brien-Smith", "6K"),
            pupil("Theodora", "van der Linde", "Plum"),
            pupil("Edward", "McIntyre", "6K"),
            pupil("Zoe", "Quist", "Plum"),
        ],
        guardians: vec![Guardian {
            id: "G".into(),
            forename: "Deborah".into(),
            surname: "Quist".into(),
            pupils: vec![PupilIndex(3)],
            ..Guardian::default()
        }],
        ..School::default()
    }
    .indexed()
}

#[test]
fn full_names_in_many_forms() {
    let school = school();
    for (forename, surname, want) in [
        ("Zoë", "O'Brien-Smith", vec![0]),
        ("ZOE", "OBRIEN SMITH", vec![0]),
        ("Zoe", "O Brien Smith", vec![0]),
        ("zoe", "obriensmith", vec![0]),
        ("Zoe", "Smith", vec![0]),
        ("Theodora", "Linde", vec![1]),
        ("Ted", "McIntyre", vec![2]),
        ("Eddie", "Mac Intyre", vec![2]),
        ("Eddie", "MacIntyre", vec![2]),
        ("Edward", "Mc Intyre", vec![2]),
        ("Edward", "Quist", vec![]),
    ] {
        let found: Vec<u32> = school.index.full_name(Run::of(forename), Run::of(surname)).iter().map(|p| p.0).collect();
        assert_eq!(found, want, "{forename} {surname}");
    }
}

#[test]
fn forename_with_a_fact() {
    let school = school();
    let zoe = Run::of("Zoë");
    let ids = |fact| school.index.forename_with(zoe, fact).iter().map(|p| p.0).collect::<Vec<_>>();
    let class = |name| Fact::Class(school.index.class(Run::of(name)).unwrap());
    assert_eq!(ids(class("6K")), [0]);
    assert_eq!(ids(class("6 k")), [0]);
    assert_eq!(ids(class("Y6K")), [0]);
    assert_eq!(ids(Fact::Year(6)), [0, 3]);
    assert_eq!(ids(Fact::Initial(token_hash("q"))), [3]);
    assert_eq!(ids(Fact::Initial(token_hash("ob"))), [0]);
    assert_eq!(ids(Fact::Guardian(0)), [3]);
    assert_eq!(school.index.adults(Run::of("Debbie"), Run::of("Quist")), [Adult::Guardian(0)]);
}
