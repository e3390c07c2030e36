//! Sentences that tell a confidence of an adult, and sentences with the same names and words that tell none.

use super::*;
use crate::detect::{Correspondence, detect};
use crate::people::{Guardian, Pupil, PupilIndex, Staff};
use crate::text::{Block, Document, Halt, Row, Table};

fn school() -> School {
    let staff = |title: &str, forename: &str, surname: &str, email: &str| Staff {
        title: title.into(),
        forename: forename.into(),
        surname: surname.into(),
        email: email.into(),
        ..Staff::default()
    };
    let guardian = |title: &str, forename: &str, surname: &str| Guardian {
        title: title.into(),
        forename: forename.into(),
        surname: surname.into(),
        pupils: vec![PupilIndex(0)],
        ..Guardian::default()
    };
    let pupil = |forename: &str, surname: &str| Pupil {
        forename: forename.into(),
        surname: surname.into(),
        form: "4B".into(),
        year_group: "4".into(),
        ..Pupil::default()
    };
    School {
        staff: vec![
            staff("Mrs", "Marian", "Tressell", "m.tressell@school.example"),
            staff("Mr", "Daniel", "Obembe", "d.obembe@school.example"),
            staff("Miss", "Kate", "Dunmore", "k.dunmore@school.example"),
            staff("Mr", "Ian", "Ward", "i.ward@school.example"),
            staff("Mr", "Neil", "Ward", "n.ward@school.example"),
            staff("Dr", "Priya", "Nair", "p.nair@school.example"),
        ],
        guardians: vec![guardian("Mrs", "Lorna", "Pickersgill"), guardian("Mr", "Amir", "Haddad")],
        pupils: vec![pupil("Ella", "Pickersgill"), pupil("Samir", "Haddad")],
        ..School::default()
    }
    .indexed()
}

fn document(kind: Kind, place: &str, text: &str) -> Document {
    let blocks = text.split("\n\n").map(|text| Block::Paragraph { text: text.to_owned(), detail: None }).collect();
    Document { place: place.to_owned(), kind, blocks }
}

fn matters_of(documents: &[Document], sender: Option<&str>) -> Vec<AdultMatter> {
    let correspondence = Correspondence { sender_address: sender.map(str::to_owned), ..Correspondence::default() };
    let found = detect(documents, &[], &school(), &correspondence, &Halt::default());
    let findings = found.findings.iter().filter(|finding| finding.kind == "adult-matter").count();
    assert_eq!(findings, found.adult_matters.len(), "each matter is shown once");
    found.adult_matters
}

fn matters(text: &str) -> Vec<AdultMatter> {
    matters_of(&[document(Kind::Body, "body", text)], None)
}

#[test]
fn what_is_said_of_an_adult_in_confidence_is_found() {
    let mut missed = Vec::new();
    let sentences = [
        // Health.
        "Mrs Tressell has been signed off for six weeks.",
        "Just so you know, Marian Tressell was diagnosed with breast cancer in May.",
        "Mr Obembe is on a phased return until half term.",
        "Daniel Obembe, our Year 4 teacher, has been referred to occupational health.",
        "Miss Dunmore's sickness absence now stands at 41 days.",
        "Please find attached the occupational health report for Daniel Obembe.",
        "Occupational health referral - Kate Dunmore",
        "Kate Dunmore: sickness record",
        "Dr Nair is undergoing chemotherapy and will need cover.",
        "Mr D Obembe is off with stress again.",
        "I spoke to Mrs Tressell on Friday. She has been signed off with anxiety.",
        "Spoke to Priya Nair. Her diagnosis came through yesterday.",
        "Lorna Pickersgill has depression and is struggling with the school run.",
        "Mrs Tressell came back in June and has been signed off again.",
        "mrs tressell has been signed off, gp says till xmas",
        "Miss Dunmore had a miscarriage last week so please be kind.",
        "Mr Obembe's fit note runs out on the 12th.",
        "Dr Priya Nair suffers from depression.",
        "Mr Obembe is now long term sick.",
        // Conduct.
        "Mr Obembe has been suspended pending an investigation.",
        "Daniel Obembe was suspended on Thursday.",
        "We have received an allegation against Mr Obembe.",
        "The disciplinary hearing for Miss Dunmore is on 3 March.",
        "Disciplinary: Kate Dunmore",
        "Kate Dunmore received a final written warning.",
        "Mrs Tressell has raised a grievance about the rota.",
        "A grievance by Marian Tressell was lodged in the autumn.",
        "Mr Obembe is under investigation by the LADO.",
        "Dr Nair's capability meeting went badly.",
        "Capability procedure for Priya Nair, stage two",
        "Miss Dunmore was dismissed for gross misconduct.",
        "Marian Tressell's settlement agreement needs two signatures.",
        "Mr Obembe's probation review is overdue.",
        "Mr Obembe is facing a disciplinary over the trip money.",
        "Miss Dunmore (Year 2) was given a written warning.",
        "The allegation made against Daniel Obembe is unproven.",
        "Mrs Tressell has been accused of shouting at a child.",
        // Pay.
        "Mrs Tressell's salary is £38,400.",
        "Marian Tressell earns more than the deputy.",
        "Dr Nair's current salary is on the upper scale.",
        "Miss Dunmore is on scale point 14.",
        "Kate Dunmore is at risk of redundancy.",
        "Redundancy: Marian Tressell",
        "Mr Obembe has been made redundant from July.",
        "The redundancy payment for Mr Obembe comes to £11,200.",
        "Daniel Obembe's payslip is attached.",
        "Mr Obembe was refused pay progression.",
        "Please check the pension estimate for Mrs Tressell.",
        "Salary details for Kate Dunmore below.",
        // Home address.
        "Mrs Tressell lives at 14 Marram Road.",
        "Mr Obembe's home address is 2 Quay Street.",
        "Home address of Kate Dunmore: 9 Dunlin Drive",
        "Amir Haddad lives at 4 Mill Lane now.",
        // Family.
        "Lorna Pickersgill is going through a divorce.",
        "Mr Amir Haddad has been evicted and is in a hostel.",
        "Miss Dunmore is pregnant but has told nobody.",
        "Dr Nair is getting divorced.",
        "Amir Haddad's bankruptcy came up in the meeting.",
        "Mrs Lorna Pickersgill is a victim of domestic abuse.",
        // Criminal matters and characteristics.
        "Kate Dunmore's DBS disclosure shows a caution.",
        "Mr Obembe was arrested on Saturday night.",
        "Mr Obembe has a conviction from 1998.",
        "DBS disclosure - Daniel Obembe",
        "Miss Dunmore is transitioning and will be away in May.",
        "Marian Tressell's religious beliefs were raised.",
        "Amir Haddad's immigration status is uncertain.",
    ];
    for text in sentences {
        if matters(text).len() != 1 {
            missed.push(text);
        }
    }
    assert!(missed.is_empty(), "{} of {} missed: {missed:#?}", missed.len(), sentences.len());
    assert!(sentences.len() >= 60);
}

/// A word of which a mark says by chance that a name may begin there is nobody.
#[test]
fn what_only_might_be_a_name_is_nobody() {
    for number in 0..200_u8 {
        let letter = |part: u8| char::from(b'a' + part);
        let word = format!("Q{}{}rth", letter(number % 20), letter(number / 20));
        for text in [
            format!("I spoke to Mrs Tressell on {word}. She has been signed off with anxiety."),
            format!("Mrs Tressell came back in {word} and has been signed off again."),
        ] {
            assert_eq!(matters(&text).len(), 1, "{text}");
        }
    }
}

#[test]
fn what_tells_no_confidence_is_not_found() {
    let mut wrong = Vec::new();
    let sentences = [
        // The adult deals with it, or is to be asked.
        "Mrs Tressell will chair the disciplinary hearing.",
        "Please send your fit note to Mrs Tressell.",
        "Mr Obembe is handling the allegation.",
        "Speak to Miss Dunmore about sick pay.",
        "Return the occupational health form to Kate Dunmore.",
        "Mrs Tressell is leading the training on managing sickness absence.",
        "Dr Nair wrote the capability procedure.",
        "Any grievance should be sent to Marian Tressell.",
        "Mrs Tressell looks after payroll, pensions and sickness absence.",
        "Mr Obembe and the union discussed the redundancy policy.",
        "Questions about your payslip? Ask Mrs Tressell.",
        "Mr Obembe will sit on the grievance panel with two governors.",
        "Miss Dunmore attended a course on disciplinary procedure.",
        "Mrs Tressell asked for the redundancy figures by Friday.",
        // General prose.
        "The staff pay award was agreed; Mrs Tressell will explain it.",
        "Mrs Tressell will speak about healthy eating in assembly.",
        "Mr Obembe's policy on sickness absence is on the website.",
        "If Mrs Tressell is signed off, supply will be needed.",
        "We advertise for a teaching assistant, salary on scale point 4. Apply to Mrs Tressell.",
        "The salary is £24,000. Contact Kate Dunmore for an application form.",
        "Miss Dunmore teaches about mental health and depression in PSHE.",
        "Mr Obembe's class learned about the suspension bridge.",
        "Dr Nair's talk on chemotherapy for the sixth form was superb.",
        "The suspension on the minibus is broken, says Mr Obembe.",
        "Mrs Tressell has ordered the pay and display tickets.",
        "Mr Obembe presented the operation of the new boiler.",
        // Everyday absence, told to parents.
        "Mr Obembe is ill today so there is no football.",
        "Miss Dunmore is off sick, so swimming is cancelled.",
        "Mrs Tressell is away until Monday.",
        "Mr Obembe has a cold and will not be at the fair.",
        "Kate Dunmore is unwell; parents' evening moves to Thursday.",
        "Dr Nair is at a hospital appointment this morning and will ring you later.",
        "Mr Obembe hurt his ankle at the fathers' race.",
        // Farewell and joy.
        "Congratulations to Miss Dunmore, who is pregnant with her first child!",
        "We are delighted to tell you that Miss Dunmore is pregnant.",
        "Miss Dunmore starts her maternity leave at Easter; we wish her well.",
        "Mrs Tressell retires in July after thirty years.",
        "Mr Obembe married in August and is now back.",
        "We say goodbye to Kate Dunmore, who joins a school in Leeds.",
        "Mrs Tressell earned her long service award.",
        // Of somebody else beside the adult.
        "Mrs Tressell told us that the driver was suspended.",
        "Mr Obembe said the fixture had been suspended.",
        "Miss Dunmore rang the caterers, who have been made redundant.",
        "Mrs Tressell met the family. He has been arrested.",
        "Dr Nair's husband is a doctor and her son was arrested.",
        "Miss Dunmore saw that a player was sacked.",
        "Mrs Tressell's daughter said she was charged with the tickets.",
        "I met Mrs Tressell and her son. He has been signed off.",
        "Mr Obembe marked the essay. The hero is accused of theft.",
        // Denied.
        "Mr Obembe has not been suspended.",
        "Mrs Tressell was never dismissed.",
        "No disciplinary action against Kate Dunmore was needed.",
        "There is no allegation against Mr Obembe.",
        // Nobody known, or nobody in particular.
        "Mr Ward has been suspended.",
        "Mrs Winterbottom has been signed off.",
        "The head of another school was suspended.",
        "A member of staff has been signed off.",
        "Tressell Road lives at the heart of the town.",
        "Obembe has been suspended.",
        // Addresses and pay in ordinary business.
        "Please deliver the paper to Mrs Tressell at the school's address.",
        "Mr Obembe lives and breathes cricket.",
        "Mrs Tressell has paid the invoice of £420.",
        "Pay Mrs Tressell at the office, please.",
        "Kate Dunmore is on playground duty.",
        "Mr Obembe is on the pay committee as staff governor.",
        // Writers, and what is one's own.
        "I have been signed off for two weeks.\n\nKate Dunmore",
        "Dear Mrs Tressell,\n\nI have been made redundant and cannot pay for the trip.",
        "My salary was wrong last month, Mrs Tressell.",
        "Ella Pickersgill has a diagnosis of asthma.",
    ];
    for text in sentences {
        if !matters(text).is_empty() {
            wrong.push(text);
        }
    }
    assert!(wrong.is_empty(), "{} of {} found: {wrong:#?}", wrong.len(), sentences.len());
    assert!(sentences.len() >= 60);
}

fn table(rows: &[&[&str]]) -> Document {
    let cells = |row: &&[&str]| Row { cells: row.iter().map(|cell| (*cell).into()).collect(), ..Row::default() };
    let table = Table::of(None, rows.iter().map(cells));
    Document { place: "staff.xlsx".into(), kind: Kind::Attachment, blocks: vec![Block::Table(table)] }
}

#[test]
fn rows_of_staff_under_a_telling_heading_count() {
    for (rows, want) in [
        (&[&["Name", "Role", "Annual salary"][..], &["Kate Dunmore", "Teacher", "£31,650"][..]][..], 1),
        (&[&["Forename", "Surname", "Scale point"], &["Kate", "Dunmore", "M4"], &["Daniel", "Obembe", "UPS1"]], 2),
        (&[&["Surname", "Forename", "Sickness days"], &["Dunmore", "Kate", "17"]], 1),
        (&[&["Staff", "Home address"], &["Mrs Tressell", "14 Marram Road"]], 1),
        (&[&["Name", "Disciplinary"], &["Kate Dunmore", "none"]], 0),
        (&[&["Name", "Salary"], &["Kate Dunmore", ""]], 0),
        (&[&["Name", "Duty"], &["Kate Dunmore", "Playground"]], 0),
        (&[&["Post", "Salary"], &["Teaching assistant", "£24,000"]], 0),
        (&[&["Name", "Ethnicity"], &["Ella Pickersgill", "White British"]], 0),
    ] {
        assert_eq!(matters_of(&[table(rows)], None).len(), want, "{rows:?}");
    }
}

#[test]
fn confidential_papers_want_a_title_and_a_name_or_a_sum() {
    let paper = |title: &str, file: &str, body: &str, text: &str| {
        let mut documents = vec![document(Kind::Subject, "subject", title), document(Kind::Body, "body", body)];
        if !file.is_empty() {
            documents.push(document(Kind::FileName, file, file));
            documents.push(document(Kind::Attachment, file, text));
        }
        matters_of(&documents, Some("m.tressell@school.example"))
    };
    let own = |place| vec![AdultMatter { whose: vec![Adult::Staff(place)] }];
    let schools = vec![AdultMatter { whose: Vec::new() }];
    for (title, file, body, text, want) in [
        ("Part II minutes", "", "Mr Obembe and Miss Dunmore were discussed.", "", schools.clone()),
        ("Papers", "Confidential minutes 12 May.docx", "See attached.", "The budget gap is £48,000.", schools.clone()),
        ("Staffing Committee minutes", "", "Kate Dunmore asked to reduce her hours.", "", own(2)),
        (
            "Papers",
            "Pay Committee report.pdf",
            "As discussed.",
            "Daniel Obembe moves up.\n\nKate Dunmore does not.",
            schools.clone(),
        ),
        ("Settlement agreement", "", "Terms for Dr Nair are below.", "", own(5)),
        ("Redundancy consultation", "", "Savings of £ 31,000 are wanted.", "", schools.clone()),
        ("Papers", "x.docx", "See attached.", "Part B minutes\n\nMr Obembe left the room.", own(1)),
        // A date, an invitation, a policy; the sender's own name and the one who is greeted.
        ("Part II minutes", "", "Please find these in the portal.", "", vec![]),
        ("Staffing committee on Thursday", "", "Mr Obembe will be there.", "", vec![]),
        ("Pay committee", "", "We meet at five.", "", vec![]),
        (
            "Redundancy consultation",
            "",
            "Dear Mr Obembe,\n\nThe policy is in the portal.\n\nMarian Tressell",
            "",
            vec![],
        ),
        ("Minutes of the PTA", "", "Kate Dunmore thanked all; the fair made £612.", "", vec![]),
        ("Brochure", "x.docx", "See attached.", "Our capability\n\nWe installed boilers for £48,000.", vec![]),
    ] {
        assert_eq!(paper(title, file, body, text), want, "{title} {file}: {body} {text}");
    }
}

#[test]
fn whose_matter_it_is_and_that_the_senders_own_is_nobody_elses() {
    let body = |text| [document(Kind::Body, "body", text)];
    let text = "Kate Dunmore's salary is wrong.";
    assert_eq!(matters(text), [AdultMatter { whose: vec![Adult::Staff(2)] }]);
    assert_eq!(matters_of(&body(text), Some("k.dunmore@school.example")), []);
    assert_eq!(matters_of(&body(text), Some("d.obembe@school.example")).len(), 1);
    assert_eq!(matters("Lorna Pickersgill is pregnant."), [AdultMatter { whose: vec![Adult::Guardian(0)] }]);
    let two = "Kate Dunmore has been suspended. Mr Obembe has been suspended. Miss Dunmore was arrested.";
    assert_eq!(matters(two).len(), 2, "one for each adult");
    let footer = "Mr Obembe has been suspended. If you are not the intended recipient, tell us.";
    assert_eq!(matters(footer), [], "a footer says nothing");
}
