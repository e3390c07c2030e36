//! What is told of the other household, and what is right mail.

use super::*;
use crate::people::Pupil;

const MUM: &str = "mum@a.example";
const DAD: &str = "dad@b.example";

struct Home {
    mum: &'static str,
    dad: &'static str,
    barred: bool,
}

const APART: Home = Home { mum: "9 Near Row, Saltmere", dad: "12 High Street, Saltmere", barred: false };
const TOGETHER: Home = Home { mum: "9 Near Row, Saltmere", dad: "9 Near Row, Saltmere", barred: false };
const NOT_RECORDED: Home = Home { mum: "", dad: "", barred: false };
const KEPT: Home = Home { mum: "", dad: "", barred: true };

fn school(home: &Home) -> School {
    let parent = |title: &str, relationship: &str, email: &str, phone: &str, address: &str| Guardian {
        title: title.to_owned(),
        surname: "Stone".to_owned(),
        relationship: relationship.to_owned(),
        email: Some(email.to_owned()),
        phone: phone.to_owned(),
        address: address.to_owned(),
        pupils: vec![PupilIndex(0)],
        ..Guardian::default()
    };
    let mut dad = parent("Mr", "Father", DAD, "+44 7700 900222", home.dad);
    dad.barred_from = if home.barred { vec![PupilIndex(0)] } else { Vec::new() };
    School {
        telephone: "01632 960700".to_owned(),
        pupils: vec![Pupil { id: "P1".to_owned(), ..Pupil::default() }],
        guardians: vec![parent("Mrs", "Mother", MUM, "07700 900111", home.mum), dad],
        ..School::default()
    }
    .indexed()
}

fn tells(home: &Home, to: &str, text: &str) -> bool {
    let documents = [Document::of_text(crate::text::Kind::Body, "body", text)];
    Contacts::of(&documents).tell_of_the_other_household(&school(home), &Address::parse(to).unwrap())
}

#[test]
fn what_the_roster_has_of_a_parent_who_lives_apart_does_not_go_to_the_other() {
    for (text, to_mum, to_dad) in [
        ("We rang 07700 900222 at noon.", true, false),
        ("We rang 07700900222.", true, false),
        ("We rang +44 (0)7700 900-222, twice", true, false),
        ("Ring 0044 7700 900222 please", true, false),
        ("We rang 07700 900111 at noon.", false, true),
        ("He wrote from dad@b.example.", true, false),
        ("From: Lee Stone <Dad@B.example>\nSent: Monday", true, false),
        ("The letter went to 12 High Street.", true, false),
        ("The letter went to 12, High Street, Saltmere", true, false),
        ("The letter went to 12 High Lane.", false, false),
        ("The letter went to 9 Near Row, Saltmere.", false, true),
        ("The office is on 01632 960700, room 12.", false, false),
        ("Ring us on 07700 900333.", false, false),
        ("Trip on 12 May, £12.50, 07:30 at 12 Dock Road.", false, false),
        ("Oliver read with Dad on 12 May.", false, false),
    ] {
        assert_eq!(tells(&APART, MUM, text), to_mum, "to mum: {text}");
        assert_eq!(tells(&APART, DAD, text), to_dad, "to dad: {text}");
        assert_eq!(tells(&KEPT, MUM, text), to_mum && !text.contains("High Street"), "kept, to mum: {text}");
        for to in [MUM, DAD] {
            assert!(!tells(&TOGETHER, to, text), "one household: {text}");
            assert!(!tells(&NOT_RECORDED, to, text), "nobody knows: {text}");
        }
        assert!(!tells(&APART, "x@gmail.com", text), "{text}");
    }
}

#[test]
fn a_sentence_that_gives_a_parents_new_telephone_or_home() {
    for (text, to_mum) in [
        ("Dad's new number is 07700 900999.", true),
        ("His father\u{2019}s new mobile number is 07700 900999", true),
        ("Please note dad has a new phone. It is 07700 900999.", true),
        ("Dad has changed his number, it is now 07700900999", true),
        ("Mr Stone's new email address is lee@new.example.", true),
        ("Dad has moved to 14 Quay Road.", true),
        ("Dad is now living at Flat 3, 14 Quay Road", true),
        ("Dad's new address is 14 Quay Road, Saltmere", true),
        ("Mum's new number is 07700 900999.", false),
        ("Mrs Stone has moved to 14 Quay Road.", false),
        ("Mr Pike's new number is 07700 900999.", false),
        ("We have no new number for Dad.", false),
        ("Dad's new number is not on our records; please ask him to ring 01632.", false),
        ("Dad has moved the parents' evening to 14 May.", false),
        ("Is your new number 07700 900999?", false),
        ("Dad's class assembly number is song 12 on the list.", false),
        ("The school has moved to 14 Quay Road.", false),
    ] {
        for home in [&NOT_RECORDED, &APART, &KEPT] {
            assert_eq!(tells(home, MUM, text), to_mum, "{text}");
        }
        assert!(!tells(&TOGETHER, MUM, text), "one household: {text}");
        // To the parent of whom it is said, it is the own.
        assert_eq!(tells(&APART, DAD, text), text.starts_with("Mum's") || text.starts_with("Mrs"), "to dad: {text}");
    }
    // Not new: only where they are known to live apart.
    let text = "Dad's mobile is 07700 900999.";
    assert!(tells(&APART, MUM, text) && !tells(&NOT_RECORDED, MUM, text));
}

#[test]
fn telephones_as_people_write_them() {
    for (text, want) in [
        ("07700 900123", &["07700900123"][..]),
        ("ring 07700 900123. 12 of us", &["07700900123"]),
        ("+447700900123", &["07700900123"]),
        ("+44 (0) 7700 900123", &["07700900123"]),
        ("0044 1632 960700", &["01632960700"]),
        ("(01632) 960 700", &["01632960700"]),
        ("01632 96070", &["0163296070"]),
        ("01632 960700 or 07700-900123", &["01632960700", "07700900123"]),
        ("0800", &[]),
        ("2026-05-01 09:00", &[]),
        ("A07700900123", &[]),
    ] {
        assert_eq!(phones(text), want, "{text}");
    }
}
