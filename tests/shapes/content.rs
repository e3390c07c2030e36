//! The ten shapes with pupils in them.

use super::files::escaped;
use super::{Content, Pupil, Roster, Shape};
use crate::support::Seeded;

const COVERING: &[&str] = &[
    "As promised, see below.\n\nThanks",
    "Hi, this is what you asked for. Shout if anything is missing.",
    "Please find attached. Sorry for the delay, it has been one of those weeks!\n\nKind regards",
    "fyi\n\nSent from my iPhone",
    "Morning, latest version, ignore the one from Tuesday.",
];

/// A message of this shape about pupils of this roster.
pub fn positive(shape: Shape, roster: &Roster, rng: &mut Seeded) -> Content {
    let mut content = match shape {
        Shape::ClassList => class_list(roster, rng),
        Shape::SenRegister => sen_register(roster, rng),
        Shape::EhcpLetter => ehcp_letter(roster, rng),
        Shape::Ctf => ctf(roster, rng),
        Shape::Census => census(roster, rng),
        Shape::Attendance => attendance(roster, rng),
        Shape::Safeguarding => safeguarding(roster, rng),
        Shape::TripMedical => trip_medical(roster, rng),
        Shape::ExamEntries => exam_entries(roster, rng),
        Shape::ParentThread => parent_thread(roster, rng),
    };
    content.covering = (*rng.pick(COVERING)).to_owned();
    content
}

/// So many different pupils, in an order of their own.
fn some<'a>(roster: &'a Roster, rng: &mut Seeded, least: u64, most: u64) -> Vec<&'a Pupil> {
    let count = least + rng.below(most - least + 1);
    let mut taken: Vec<&Pupil> = Vec::new();
    while (taken.len() as u64) < count {
        let pupil = rng.pick(&roster.pupils);
        if !taken.iter().any(|p| p.id == pupil.id) {
            taken.push(pupil);
        }
    }
    taken
}

/// What stands in the columns that say who it is.
type Cells = fn(&Pupil) -> Vec<String>;

/// The columns that say who it is, and what stands in them. The form is always among them: two pupils may share a name.
fn who(rng: &mut Seeded) -> (Vec<&'static str>, Cells) {
    match rng.below(4) {
        0 => (vec!["Surname", "Forename", "Form"], |p| vec![p.surname.clone(), p.forename.clone(), p.form.clone()]),
        1 => (vec!["Name", "Class"], |p| vec![p.full(), p.form.clone()]),
        2 => (vec!["Reg", "Legal surname", "Preferred forename"], |p| {
            let forename = if p.known_as.is_empty() { &p.forename } else { &p.known_as };
            vec![p.form.clone(), p.surname.clone(), forename.clone()]
        }),
        _ => (vec!["Pupil", "Reg group"], |p| {
            vec![format!("{}, {}", p.surname.to_uppercase(), p.forename), p.form.clone()]
        }),
    }
}

/// A table: who it is, then these columns.
fn table(
    rng: &mut Seeded,
    columns: &[&str],
    pupils: &[&Pupil],
    mut row: impl FnMut(&Pupil, &mut Seeded) -> (Vec<String>, &'static str),
) -> Content {
    let (heads, cells) = who(rng);
    let mut content = Content::default();
    content.table.push(heads.iter().chain(columns).map(|&h| h.to_owned()).collect());
    for pupil in pupils {
        let (said, tier) = row(pupil, rng);
        content.table.push(cells(pupil).into_iter().chain(said).collect());
        content.wanted.insert(pupil.id.clone(), tier);
    }
    content
}

fn class_list(roster: &Roster, rng: &mut Seeded) -> Content {
    let form = rng.pick(&roster.forms()).clone();
    let pupils: Vec<&Pupil> = roster.pupils.iter().filter(|p| p.form == form).collect();
    let mut content = table(rng, &["DOB"], &pupils, |p, _| (vec![p.born_as_written()], "record"));
    content.subject = format!("{form} list");
    content.title = format!("Class list {form} – autumn term");
    content
}

fn sen_register(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupils = some(roster, rng, 3, 14);
    let needs = ["Autism (ASD)", "SEMH", "Dyslexia", "Hearing impairment", "ADHD", "Speech and language"];
    let mut content = table(rng, &["SEN status", "Primary need"], &pupils, |_, rng| match rng.below(5) {
        0 => (vec!["N".into(), String::new()], "record"),
        1 | 2 => (vec!["E".into(), (*rng.pick(&needs)).into()], "sensitive"),
        _ => (vec!["K".into(), (*rng.pick(&needs)).into()], "sensitive"),
    });
    content.subject = "register".into();
    content.title = "SEN register".into();
    content
}

fn ehcp_letter(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupil = some(roster, rng, 1, 1)[0];
    let first = &pupil.forename;
    let opening = match rng.below(3) {
        0 => format!(
            "Education, Health and Care Plan for {}, {}, born {}",
            pupil.full(),
            pupil.form,
            pupil.born_as_written()
        ),
        1 => format!("Name: {}\nForm: {}\nDate of birth: {}", pupil.full(), pupil.form, pupil.born_as_written()),
        _ => format!("Re: {} {} ({}), final EHCP", first, pupil.surname.to_uppercase(), pupil.form),
    };
    let needs = [
        "has a diagnosis of autism and finds busy corridors very hard",
        "has epilepsy and needs somebody trained in rescue medication close by",
        "is registered blind in one eye and uses a screen reader",
        "has significant speech and language needs",
    ];
    let prose = vec![
        opening,
        format!("{first} {}.", rng.pick(&needs)),
        format!(
            "The panel has agreed 20 hours of support for {first}. The plan will be reviewed within twelve months."
        ),
    ];
    Content {
        subject: "plan".into(),
        title: roster.name.into(),
        prose,
        wanted: [(pupil.id.clone(), "sensitive")].into(),
        ..Content::default()
    }
}

fn ctf(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupils = some(roster, rng, 2, 14);
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CTfile><Header><DocumentName>Common Transfer File</DocumentName>\
         <CTFversion>25.0</CTFversion><SourceSchool><LEA>998</LEA><Estab>4021</Estab></SourceSchool></Header>\n<CTFpupilData>\n",
    );
    for pupil in &pupils {
        xml.push_str(&format!(
            "<Pupil><UPN>{}</UPN><Surname>{}</Surname><Forename>{}</Forename><DOB>{}</DOB><BasicDetails><NCyearActual>{}</NCyearActual></BasicDetails></Pupil>\n",
            pupil.upn, escaped(&pupil.surname), escaped(&pupil.forename), pupil.born, pupil.year
        ));
    }
    Content {
        subject: "transfer".into(),
        xml: Some(xml + "</CTFpupilData></CTfile>\n"),
        wanted: pupils.iter().map(|p| (p.id.clone(), "record")).collect(),
        ..Content::default()
    }
}

fn census(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupils = some(roster, rng, 6, 25);
    let mut content = Content { subject: "autumn return".into(), title: "School census".into(), ..Content::default() };
    content.table.push(["UPN", "Surname", "Forename", "DOB", "Ethnicity", "FSM eligible"].map(String::from).into());
    for pupil in pupils {
        let ethnicity = *rng.pick(&["WBRI", "APKN", "ABAN", "BAFR", "WIRI", "MWBC"]);
        let free = if rng.one_in(3) { "Y" } else { "N" };
        let cells =
            [&pupil.upn, &pupil.surname, &pupil.forename, &pupil.born_as_written(), ethnicity, free].map(String::from);
        content.table.push(cells.into());
        content.wanted.insert(pupil.id.clone(), "sensitive");
    }
    content
}

fn attendance(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupils = some(roster, rng, 4, 20);
    let mut content = table(rng, &["% attendance", "Unauthorised", "Lates"], &pupils, |_, rng| {
        let cells = vec![
            format!("{}.{}", 60 + rng.below(40), rng.below(10)),
            rng.below(12).to_string(),
            rng.below(9).to_string(),
        ];
        (cells, "record")
    });
    content.subject = "below 96".into();
    content.title = "Attendance report to 9 October".into();
    content
}

fn safeguarding(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupil = some(roster, rng, 1, 1)[0];
    let concerns = [
        "said that his uncle hits him when he is drunk; bruises on both arms, body map done",
        "has been cutting again and showed the marks to the first aider",
        "was seen getting into a car with two older men; police log opened",
        "told me that there is no food at home and mum has been taken to refuge",
    ];
    let opening = match rng.below(3) {
        0 => format!("Concern about {} ({})", pupil.full(), pupil.form),
        1 => format!("Child: {}, {}\nForm: {}", pupil.surname, pupil.forename, pupil.form),
        _ => format!("Record of a talk with {}, {}, on 12 October", pupil.full(), pupil.form),
    };
    let prose = vec![
        opening,
        format!("{} {}.", pupil.forename, rng.pick(&concerns)),
        "Passed to the DSL, who has rung social care. MASH reference to follow.".into(),
    ];
    Content {
        subject: "note".into(),
        title: "Cause for concern".into(),
        prose,
        wanted: [(pupil.id.clone(), "sensitive")].into(),
        ..Content::default()
    }
}

fn trip_medical(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupils = some(roster, rng, 4, 20);
    let conditions =
        ["asthma, blue inhaler", "nut allergy - EpiPen", "Type 1 diabetes", "epilepsy", "hay fever, antihistamine"];
    let mut content = table(rng, &["Medical", "Swims"], &pupils, |_, rng| match rng.below(2) {
        0 => (vec!["none".into(), "Y".into()], "record"),
        _ => (vec![(*rng.pick(&conditions)).into(), "N".into()], "sensitive"),
    });
    content.subject = "trip".into();
    content.title = "Residential: medical list".into();
    content
}

fn exam_entries(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupils = some(roster, rng, 5, 20);
    let mut number = 4000 + rng.below(400);
    let mut content = table(rng, &["Candidate no", "Paper", "Tier"], &pupils, |_, rng| {
        number += 1;
        let paper = *rng.pick(&["8461/1", "8300/2", "8700/1", "7402/3"]);
        (vec![number.to_string(), paper.into(), (*rng.pick(&["F", "H"])).into()], "record")
    });
    content.subject = "entries".into();
    content.title = "Exam entries, June series".into();
    content
}

fn parent_thread(roster: &Roster, rng: &mut Seeded) -> Content {
    let pupil = some(roster, rng, 1, 1)[0];
    let said = [
        "had a detention on Tuesday for answering back",
        "got 14 out of 50 in the maths test",
        "has only 82% attendance so far",
        "was late for the third time this week",
    ];
    let person = if roster.is_only(pupil) && rng.one_in(2) {
        pupil.full()
    } else {
        format!("{} ({})", pupil.full(), pupil.form)
    };
    let prose = vec![
        "Could you look into this? See the mails underneath.".into(),
        "From: The office\nSent: Monday 12 October\nSubject: RE: a word".into(),
        format!("Dear all, {person} {}. I have told home.", rng.pick(&said)),
        "On Sunday somebody wrote:\n> Please ring me about my child.\n> Thanks".into(),
    ];
    Content {
        subject: "FW: RE: a word".into(),
        title: "Forwarded".into(),
        prose,
        wanted: [(pupil.id.clone(), "record")].into(),
        ..Content::default()
    }
}
