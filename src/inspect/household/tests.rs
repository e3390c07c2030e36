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
        forename: if title == "Mr" { "Lee" } else { "Becky" }.to_owned(),
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
        pupils: vec![Pupil {
            id: "P1".to_owned(),
            forename: "Oliver".to_owned(),
            surname: "Stone".to_owned(),
            ..Pupil::default()
        }],
        guardians: vec![parent("Mrs", "Mother", MUM, "07700 900111", home.mum), dad],
        ..School::default()
    }
    .indexed()
}

fn tells(home: &Home, to: &str, text: &str) -> bool {
    let documents = [Document::of_text(crate::text::Kind::Body, "body", text)];
    reads(&school(home), to, &documents, &[])
}

fn reads(school: &School, to: &str, documents: &[Document], shown: &[&str]) -> bool {
    let shown = shown.iter().map(|&mailbox| mailbox.to_owned());
    Contacts::of(documents, shown).tell_of_the_other_household(school, &Address::parse(to).unwrap()).is_some()
}

fn text(kind: Kind, text: &str) -> Document {
    Document { kind, place: "x".to_owned(), blocks: text.split("\n\n").map(Block::paragraph).collect() }
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

#[test]
fn what_is_no_news_of_a_parent_is_right_mail_in_every_home() {
    for text in [
        "Mum has a new car, 12 of us saw it.",
        "Dad moved to the front row. 12 of us go to the park.",
        "Dad has moved to row 12, seat 4.",
        "Dad moved the car at 9am to make way for 2 coaches.",
        "Mum lives for the 12 days of Christmas way.",
        "Dad has now moved the meeting to 12th May, place to be agreed.",
        "Dad is staying for 3 hours in the park.",
        "Ben's dad has a new number, 07700 900444.",
        "Ben's mum has moved to 14 Quay Road.",
        "The trip goes on 12 May. Ring the school on 01632 960700 if Dad or Mum is late.",
        "Gran picks up today; her number is 07700 900555.",
        "Please tell us of any new number for mum or dad by 12 May.",
    ] {
        for home in [&APART, &KEPT, &TOGETHER, &NOT_RECORDED] {
            for to in [MUM, DAD] {
                assert!(!tells(home, to, text), "to {to}: {text}");
            }
        }
    }
    // The same of the child's own.
    assert!(tells(&NOT_RECORDED, MUM, "Oliver's dad has a new number, 07700 900444."));
    assert!(tells(&NOT_RECORDED, MUM, "Oliver\u{2019}s dad has moved to 7 The Green."));
}

#[test]
fn the_other_parents_mailbox_in_to_and_cc() {
    for (home, shown, to_mum) in [
        (&APART, &[MUM, DAD][..], true),
        (&APART, &["Mum@A.example", "DAD@B.EXAMPLE"], true),
        (&KEPT, &[MUM, DAD], true),
        (&APART, &[DAD], true),
        (&APART, &[MUM], false),
        (&APART, &[], false),
        (&APART, &[MUM, "office@school.example"], false),
        (&TOGETHER, &[MUM, DAD], false),
        (&NOT_RECORDED, &[MUM, DAD], false),
    ] {
        let body = [text(Kind::Body, "The trip leaves at nine. Ring 01632 960700.")];
        assert_eq!(reads(&school(home), MUM, &body, shown), to_mum, "{shown:?}");
    }
    // A parent who teaches here is in the school's own address book.
    let mut teacher = school(&APART);
    teacher.domains = vec!["b.example".to_owned()];
    let teacher = teacher.indexed();
    assert!(!reads(&teacher, MUM, &[text(Kind::Body, "Hello")], &[MUM, DAD]));
}

#[test]
fn what_a_reader_wrote_or_was_sent_is_known_to_that_reader() {
    let home = &APART;
    for (case, below, to_mum, to_dad) in [
        (
            "mum gave it",
            "On Mon, 2 Nov 2026 at 10:04, Becky <mum@a.example> wrote:\nRing Lee on 07700 900222.",
            false,
            // Mum's mailbox is news to dad.
            true,
        ),
        ("dad gave his own", "On Mon, 2 Nov 2026, Lee <dad@b.example> wrote:\nI am on 07700 900222.", true, false),
        ("dad's, by name", "From: Lee Stone\nSent: Monday\nTo: Office\n\nI am on 07700 900222 now.", true, false),
        ("mum's, by name", "From: Becky Stone\nSent: Monday\nTo: Office\n\nLee is on 07700 900222 now.", false, false),
        (
            "mum got it",
            "From: Lee <dad@b.example>\nTo: office@school.example\nCc: mum@a.example\n\nI am on 07700 900222.",
            false,
            false,
        ),
        (
            "below mum's own",
            "From: Becky <mum@a.example>\nTo: office@school.example\n\nHis is below.\n\n\
             From: Lee <dad@b.example>\nTo: mum\n\nI am on 07700 900222.",
            false,
            true,
        ),
        (
            "above mum's own",
            "From: Lee <dad@b.example>\nTo: office@school.example\n\nI am on 07700 900222.\n\n\
             From: Becky <mum@a.example>\nTo: dad@b.example\n\nWhat is your number?",
            true,
            false,
        ),
        ("the office's", "From: office@school.example\nTo: head@school.example\n\nDad: 07700 900222.", true, false),
    ] {
        let documents = [text(Kind::Body, "Thank you."), text(Kind::Quoted, below)];
        assert_eq!(reads(&school(home), MUM, &documents, &[]), to_mum, "to mum: {case}");
        assert_eq!(reads(&school(home), DAD, &documents, &[]), to_dad, "to dad: {case}");
    }
    // The answer may say again what mum gave, and nothing else.
    let asked = text(
        Kind::Quoted,
        "On Mon, 2 Nov 2026 at 10:04, Becky <mum@a.example> wrote:\nDad's new number is 07700 900999, he moved to 14 Quay Road. Write to dad@b.example.",
    );
    for (answer, tells) in [
        ("We have put down that Dad's new number is 07700 900999.", false),
        ("We have put down that Dad has moved to 14 Quay Road.", false),
        ("We have written to dad@b.example.", false),
        ("We rang 07700 900222.", true),
        ("Dad's new number is 07700 900998.", true),
    ] {
        let documents = [text(Kind::Body, answer), asked.clone()];
        assert_eq!(reads(&school(home), MUM, &documents, &[]), tells, "{answer}");
    }
    assert!(!reads(&school(home), MUM, &[text(Kind::Body, "Yes."), asked], &[MUM, DAD]), "mum gave the mailbox too");
}

#[test]
fn a_form_that_both_filled_in_is_known_to_both() {
    let form = |said: &str| {
        text(Kind::Attachment, &format!("Emergency contacts\n\nMother 07700 900111\n\nFather 07700 900222\n\n{said}"))
    };
    for (said, to_mum) in [
        ("Completed by both parents on 2 September.", false),
        ("Signed by both parents", false),
        ("To be signed by both parents", true),
        ("Must be completed by both parents", true),
        ("Completed by the office", true),
    ] {
        assert_eq!(reads(&school(&APART), MUM, &[form(said)], &[]), to_mum, "{said}");
        assert!(
            !reads(&school(&TOGETHER), MUM, &[form(said)], &[])
                && !reads(&school(&NOT_RECORDED), MUM, &[form(said)], &[])
        );
    }
}

#[test]
fn of_whom_the_rule_speaks_is_the_rosters_to_say() {
    let with = |change: &dyn Fn(&mut Guardian)| {
        let mut school = school(&APART);
        change(&mut school.guardians[1]);
        school.indexed()
    };
    let at = |postcode: &'static str, address: &'static str| {
        let mut school = with(&|dad| (dad.address, dad.postcode) = (address.to_owned(), postcode.to_owned()));
        school.guardians[0].postcode = "SM1 2AB".to_owned();
        school.indexed()
    };
    let body = [text(Kind::Body, "We rang 07700 900222.")];
    for (case, school, tells) in [
        ("a grandparent", with(&|dad| dad.relationship = "Maternal Grandfather".to_owned()), false),
        ("an aunt", with(&|dad| dad.relationship = "aunt".to_owned()), false),
        ("a neighbour", with(&|dad| dad.relationship = "Neighbour".to_owned()), false),
        ("a foster carer", with(&|dad| dad.relationship = "Foster carer".to_owned()), true),
        ("not said", with(&|dad| dad.relationship = String::new()), true),
        ("the same, written shorter", at("sm12ab", "9 Near Rd"), false),
        ("a flat in it", at("SM1 2AB", "Flat 2, 9 Near Row"), false),
        ("next door", at("SM1 2AB", "11 Near Row"), true),
        ("a house with a name elsewhere", at("SM9 9ZZ", "Rose Cottage"), true),
        ("a house with a name, nobody knows where", at("", "Rose Cottage"), false),
        (
            "kept from the child, and no more",
            with(&|dad| (dad.pupils, dad.barred_from, dad.address) = (vec![], vec![PupilIndex(0)], String::new())),
            true,
        ),
    ] {
        assert_eq!(reads(&school, MUM, &body, &[]), tells, "{case}");
    }
    // What goes to one who is kept from the child.
    let kept = with(&|dad| (dad.pupils, dad.barred_from) = (vec![], vec![PupilIndex(0)]));
    assert!(reads(&kept, DAD, &[text(Kind::Body, "We rang 07700 900111.")], &[]));
}

#[test]
fn where_it_stands_is_said() {
    let at = |documents: &[Document], shown: &[&str]| {
        let shown = shown.iter().map(|&mailbox| mailbox.to_owned());
        let address = Address::parse(MUM).unwrap();
        let seen = Contacts::of(documents, shown).tell_of_the_other_household(&school(&APART), &address).unwrap();
        (seen.place, seen.detail.unwrap_or_default(), seen.text)
    };
    let body = Document::of_text(Kind::Body, "body", "Dear Mrs Stone,\n\nOn the day\nwe rang 07700 900222.");
    let want = |place: &str, detail: &str, text: &str| (place.to_owned(), detail.to_owned(), text.to_owned());
    assert_eq!(at(&[body], &[]), want("body", "line 3", "we rang 07700 900222."));
    let file = Document::of_text(Kind::Attachment, "form.docx", "Form\n12 High Street");
    assert_eq!(at(&[file], &[]), want("form.docx", "line 2", "12 high street"));
    assert_eq!(at(&[], &[MUM, DAD]), want("list of recipients", "", DAD));
}
