//! One message a form: what the office writes about a pupil, and what it writes about others or about no person at all.

use schoolgate::text::{Document, Kind};

use super::School;
use crate::support::Seeded;

/// The documents of a message about one pupil; nothing where the form does not suit the name.
type Write = fn(&School, usize, &mut Seeded) -> Option<Vec<Document>>;

/// Forms in which a pupil is named and something is said.
pub const FORMS: &[(&str, Write)] = &[
    ("sentence", sentence),
    ("whole subject", subject),
    ("whole subject, surname first", subject_surname_first),
    ("subject with more", subject_with_more),
    ("initial as the subject", initial_as_subject),
    ("file name with a word", file_name),
    ("file name joined with more", file_name_joined),
    ("file name in small letters", file_name_small),
    ("file name alone", file_name_alone),
    ("body, fact attached", body_fact_attached),
    ("subject, fact attached", subject_fact_attached),
    ("attached, fact in the body", attached_fact_in_body),
    ("miss and master", miss),
    ("comma", comma),
    ("surname in capitals first", surname_first),
    ("address, forename first", address_forename_first),
    ("address, surname first", address_surname_first),
    ("address, run together", address_run_together),
    ("initial", initial),
];

/// Forms in which no pupil is named.
pub const STRANGERS: &[(&str, Write)] = &[
    ("initial before a stranger's surname", initial_before_surname),
    ("forename with a stranger's surname", other_surname),
    ("surname with an adult's forename", other_forename),
    ("teacher by title", teacher),
    ("address of a stranger", stranger_address),
    ("words in a sentence", words_in_sentence),
    ("words as the subject", words_as_subject),
    ("words as the subject above staff matters", words_above_staff_matters),
    ("words as the subject of a letter to all", words_above_letter_to_all),
    ("words as a file name", words_as_file_name),
];

const FACTS: [&str; 8] = [
    "The EHCP annual review is on Tuesday at ten, and the speech therapist has asked for large print.",
    "A detention was set on Friday for fighting in the corridor.",
    "The hospital has changed the epilepsy medication again.",
    "There was a safeguarding concern this morning and the social worker has been told.",
    "Dyslexia was diagnosed last week, so extra time is wanted in tests.",
    "She told us that she has an inhaler in her bag for her asthma.",
    "He was excluded for two days after the fight.",
    "CAMHS has sent the letter about self-harm that we had asked for.",
];

const SAID: [&str; 5] = [
    "has an EHCP and needs large print.",
    "was given a detention on Friday for fighting.",
    "has epilepsy and carries medication.",
    "was excluded for two days after the fight.",
    "is known to social services, and there is a safeguarding concern.",
];

const NOTHING: [&str; 4] = [
    "Please see attached. Many thanks, the office.",
    "As discussed on the telephone.\n\nKind regards\n\nThe school office",
    "Attached as promised.",
    "For your records.",
];

fn one<'a>(rng: &mut Seeded, of: &[&'a str]) -> &'a str {
    rng.pick::<&str>(of)
}

fn body(text: &str) -> Document {
    letter(Kind::Body, "body", text)
}

fn letter(kind: Kind, place: &str, text: &str) -> Document {
    let blocks = text.split("\n\n").map(schoolgate::text::Block::paragraph).collect();
    Document { kind, place: place.into(), blocks }
}

fn with_subject(subject: String, text: &str) -> Vec<Document> {
    vec![Document::of_text(Kind::Subject, "subject", subject), body(text)]
}

fn greeted(text: &str) -> String {
    format!("Hello,\n\n{text}\n\nKind regards\n\nThe school office")
}

fn attached(name: String, text: &str) -> [Document; 2] {
    let place = format!("{name}.docx");
    [Document::of_text(Kind::FileName, place.clone(), name), letter(Kind::Attachment, &place, text)]
}

fn marker(rng: &mut Seeded) -> &'static str {
    one(rng, &["", "Confidential: ", "RE: ", "FW: ", "CONFIDENTIAL - ", "[Confidential] ", "Re: Confidential: "])
}

fn sentence(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    Some(with_subject("Update".into(), &greeted(&format!("{forename} {surname} {}", one(rng, &SAID)))))
}

fn subject(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    Some(with_subject(format!("{}{forename} {surname}", marker(rng)), &greeted(one(rng, &FACTS))))
}

fn subject_surname_first(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    Some(with_subject(format!("{}{surname}, {forename}", marker(rng)), &greeted(one(rng, &FACTS))))
}

fn subject_with_more(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let subject = match rng.below(5) {
        0 => format!("{forename} {surname} - review"),
        1 => format!("Query about {forename} {surname}"),
        2 => format!("Meeting: {forename} {surname} (Year {})", school.school.pupils[at].year_group),
        3 => format!("{}{forename} {surname}, EHCP", marker(rng)),
        _ => format!("{forename} {surname}'s review"),
    };
    Some(with_subject(subject, &greeted(one(rng, &FACTS))))
}

fn file_name_joined(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let joint = one(rng, &["_", "-", " "]);
    let name = match rng.below(4) {
        0 => format!("{surname}{joint}{forename}{joint}EHCP{joint}2026"),
        1 => format!("EHCP{joint}{forename}{joint}{surname}"),
        2 => format!("{forename}{joint}{surname}{joint}Letter"),
        _ => format!("2026-11-02{joint}{forename}{joint}{surname}"),
    };
    let mut out = with_subject("Documents".into(), one(rng, &NOTHING));
    out.extend(attached(name, one(rng, &FACTS)));
    Some(out)
}

fn file_name_small(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let joint = one(rng, &["_", "-", " "]);
    let word = one(rng, &["ehcp", "letter", "report", "2026"]);
    let name = format!("{forename}{joint}{surname}{joint}{word}").to_lowercase();
    let mut out = with_subject("Documents".into(), one(rng, &NOTHING));
    out.extend(attached(name, one(rng, &FACTS)));
    Some(out)
}

fn file_name(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let word = one(rng, &["EHCP", "report", "IEP", "review 2026", "medical"]);
    let mut out = with_subject("Documents".into(), one(rng, &NOTHING));
    out.extend(attached(format!("{forename} {surname} {word}"), one(rng, &FACTS)));
    Some(out)
}

fn file_name_alone(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let joint = one(rng, &["_", "-", " ", "."]);
    let (first, second) = if rng.one_in(2) { (forename, surname) } else { (surname, forename) };
    let mut out = with_subject("Documents".into(), one(rng, &NOTHING));
    out.extend(attached(format!("{first}{joint}{second}"), one(rng, &FACTS)));
    Some(out)
}

fn body_fact_attached(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let text = match rng.below(3) {
        0 => format!("Please find attached the letter about {forename} {surname}."),
        1 => format!("{forename} {surname}"),
        _ => format!("I attach what we have on {forename} {surname}."),
    };
    let mut out = with_subject("Letter".into(), &greeted(&text));
    out.extend(attached("letter".into(), one(rng, &FACTS)));
    Some(out)
}

fn subject_fact_attached(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let mut out = with_subject(format!("{}{forename} {surname}", marker(rng)), one(rng, &NOTHING));
    out.extend(attached("letter".into(), one(rng, &FACTS)));
    Some(out)
}

fn attached_fact_in_body(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let mut out = with_subject("Letter".into(), &greeted(one(rng, &FACTS)));
    let text = match rng.below(3) {
        0 => format!("{forename} {surname}\n\nSigned on Monday by the office."),
        1 => format!("Consent form\n\nThis is about {forename} {surname}.\n\nSigned on Monday."),
        _ => format!("Re: {forename} {surname}\n\nThank you for your letter of Monday."),
    };
    out.extend(attached("letter".into(), &text));
    Some(out)
}

fn miss(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let title = one(rng, &["Miss", "Master"]);
    let year = &school.school.pupils[at].year_group;
    let text = match rng.below(3) {
        0 => format!("{title} {forename} {surname} (Year {year}) {}", one(rng, &SAID)),
        1 => format!("We write about {title} {forename} {surname}, Year {year}. {}", one(rng, &FACTS)),
        _ => format!("{title} {forename} {surname} {}", one(rng, &SAID)),
    };
    Some(with_subject("Update".into(), &greeted(&text)))
}

fn comma(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    Some(with_subject("Update".into(), &greeted(&format!("{surname}, {forename}\n\n{}", one(rng, &FACTS)))))
}

fn surname_first(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let text = format!("{} {forename} {}", surname.to_uppercase(), one(rng, &SAID));
    Some(with_subject("Update".into(), &greeted(&text)))
}

fn to_address(local: &str, rng: &mut Seeded) -> Vec<Document> {
    let host = one(rng, &["gmail.com", "outlook.com", "pupils.quarryhill.example"]);
    let text = format!("{} Please copy the letter to {}@{host}.", one(rng, &FACTS), local.to_lowercase());
    with_subject("Update".into(), &greeted(&text))
}

fn address_forename_first(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let joint = one(rng, &[".", "-", "_"]);
    Some(to_address(&format!("{forename}{joint}{surname}"), rng))
}

fn address_surname_first(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let joint = one(rng, &[".", "-", "_"]);
    Some(to_address(&format!("{surname}{joint}{forename}"), rng))
}

fn address_run_together(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let (first, second) = if rng.one_in(2) { (forename, surname) } else { (surname, forename) };
    (forename.len() > 2 && surname.len() > 2).then(|| to_address(&format!("{first}{second}"), rng))
}

/// Forename and initial, only where the initial leaves one pupil of the school.
fn with_initial(school: &School, at: usize) -> Option<String> {
    let (forename, surname) = school.name(at);
    let letter = &surname[..1];
    let same = |other: usize| {
        let (f, s) = school.name(other);
        f == forename && s.starts_with(letter)
    };
    let alone = (0..school.school.pupils.len()).filter(|&other| same(other)).count() == 1;
    alone.then(|| format!("{forename} {letter}"))
}

fn initial(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let name = with_initial(school, at)?;
    Some(with_subject("Update".into(), &greeted(&format!("{name} {}", one(rng, &SAID)))))
}

fn initial_as_subject(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let name = with_initial(school, at)?;
    Some(with_subject(format!("{}{name}", marker(rng)), &greeted(one(rng, &FACTS))))
}

fn stranger<'a>(school: &'a School, list: &str, rng: &mut Seeded) -> &'a str {
    one(rng, &school.lists[list])
}

fn initial_before_surname(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let other = stranger(school, "stranger surnames", rng);
    let initial = &surname[..1];
    let text = match rng.below(4) {
        0 => format!("{forename} {initial}. {other} {}", one(rng, &SAID)),
        1 => format!("The review was written by {forename} {initial}. {other} of the council."),
        2 => format!("{forename} {initial} {other} sends the book list."),
        _ => format!("Our speaker on Monday is {forename} {initial}. {other}, who has dyslexia."),
    };
    Some(with_subject("Update".into(), &greeted(&text)))
}

fn other_surname(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, _) = school.name(at);
    let other = stranger(school, "stranger surnames", rng);
    if rng.one_in(2) {
        return Some(with_subject(format!("{}{forename} {other}", marker(rng)), &greeted(one(rng, &FACTS))));
    }
    Some(with_subject("Update".into(), &greeted(&format!("{forename} {other} {}", one(rng, &SAID)))))
}

fn other_forename(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (_, surname) = school.name(at);
    let other = stranger(school, "adult forenames", rng);
    let text = format!("{other} {surname} came in on Monday. {}", one(rng, &["All is well.", "Tea was had."]));
    Some(with_subject(format!("{}{other} {surname}", marker(rng)), &greeted(&text)))
}

fn teacher(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let text = match rng.below(4) {
        0 => format!("Miss {surname} teaches Year 8 and leads the asthma training."),
        1 => format!("Please ask Miss {surname} for the detention list."),
        2 => format!("Mrs {forename} {surname} leads the asthma training."),
        _ => format!("Ms {forename} {surname} of the council rang about the detention policy."),
    };
    Some(with_subject("Update".into(), &greeted(&text)))
}

fn stranger_address(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = school.name(at);
    let other = stranger(school, "stranger surnames", rng);
    let adult = stranger(school, "adult forenames", rng);
    let initial = &forename[..1];
    let local = match rng.below(5) {
        0 => format!("{initial}{surname}6k"),
        1 => format!("{forename}.{other}"),
        2 => format!("{adult}_{surname}"),
        3 => format!("{initial}.{surname}"),
        _ => format!("{other}-{forename}"),
    };
    Some(to_address(&local, rng))
}

/// Those whose names are words in both parts.
fn both_words(school: &School, at: usize) -> Option<(&str, &str)> {
    (school.wordness(at) == 3).then(|| school.name(at))
}

fn words_in_sentence(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = both_words(school, at)?;
    let (f, s) = (forename.to_lowercase(), surname.to_lowercase());
    let text = match rng.below(4) {
        0 => format!("The {f} {s} is open on Monday, and the detention list hangs there."),
        1 => format!("We meet at the {forename} {surname} on Monday for asthma training."),
        2 => format!("{forename} {s} costs more than we thought. Detentions are at four."),
        _ => format!("We bought a {f} and a {s}. First aid is in the office."),
    };
    Some(with_subject("Update".into(), &greeted(&text)))
}

const ORDINARY: [&str; 4] = [
    "Tickets are in the office from Monday at three pounds each. All are welcome.",
    "The order has arrived and the invoice is enclosed. Please pay within thirty days.",
    "The minutes of Monday are attached. Our next meeting is in the library at four.",
    "Please bring a chair. Tea and cake will be served in the hall afterwards.",
];

/// Of one message in three the body speaks of the same thing in small letters.
fn ordinary(forename: &str, surname: &str, rng: &mut Seeded) -> String {
    let again = format!("The {} {} is on Saturday. ", forename.to_lowercase(), surname.to_lowercase());
    greeted(&format!("{}{}", if rng.one_in(3) { again.as_str() } else { "" }, one(rng, &ORDINARY)))
}

fn words_as_subject(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = both_words(school, at)?;
    let subject = format!("{}{forename} {surname}", one(rng, &["", "RE: ", "FW: "]));
    Some(with_subject(subject, &ordinary(forename, surname, rng)))
}

fn words_above_staff_matters(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = both_words(school, at)?;
    let matter = one(
        rng,
        &[
            "All staff have epilepsy training on Monday.",
            "The new behaviour policy with its detentions is on the website.",
            "Colleagues who teach SEN pupils meet at four.",
        ],
    );
    let (f, s) = (forename.to_lowercase(), surname.to_lowercase());
    let text = greeted(&format!("The {f} {s} is on Saturday. {matter}"));
    Some(with_subject(format!("{forename} {surname}"), &text))
}

fn words_above_letter_to_all(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = both_words(school, at)?;
    let matter = one(
        rng,
        &[
            "Please tell us of any allergies by Friday. Lunch is included.",
            "All children who have an inhaler bring it to the coach.",
            "Pupils who have a detention on that day serve it on the next. The coach leaves at nine.",
        ],
    );
    Some(with_subject(format!("{}{forename} {surname}", one(rng, &["", "RE: "])), &greeted(matter)))
}

fn words_as_file_name(school: &School, at: usize, rng: &mut Seeded) -> Option<Vec<Document>> {
    let (forename, surname) = both_words(school, at)?;
    let joint = one(rng, &["_", "-", " "]);
    let mut out = with_subject("Documents".into(), one(rng, &NOTHING));
    out.extend(attached(format!("{forename}{joint}{surname}"), &ordinary(forename, surname, rng)));
    Some(out)
}
