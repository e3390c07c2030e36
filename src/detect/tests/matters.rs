//! Of whom something is said that stands in another sentence, item or list than the name.

use super::*;

fn school() -> School {
    let pupils = [("Kian", "Kian", "Moody"), ("Leah", "Leah", "Marlow"), ("Hana", "Hana", "Zelenka")];
    School {
        pupils: pupils.map(|(id, forename, surname)| pupil(id, forename, surname, "4", "Oak", "2017-10-01")).into(),
        ..School::default()
    }
    .indexed()
}

#[test]
fn what_stands_elsewhere_is_said_of_whom_it_is_about() {
    use Tier::{Record, Sensitive};
    for (text, want) in [
        // Items of minutes speak of different matters.
        (
            "1. Health. Asthma and epilepsy of midday staff.\n2. EHCPs have grown by eleven.\n3. Thanks to Kian Moody and Leah Marlow, who served tea.",
            vec![None, None],
        ),
        ("1. Lunch. The queue.\n\n2. The EHCP budget.\n\n3. Thanks to Kian Moody and Leah Marlow.", vec![None, None]),
        ("1. Kian Moody has been in.\n2. He has asthma and carries an inhaler.", vec![Some(Sensitive)]),
        ("Kian Moody:\n1. has asthma\n2. has an EHCP", vec![Some(Sensitive)]),
        // A language that is spoken, and where somebody is from.
        ("Hana Zelenka counted to 100 in Polish and English this morning and then asked for more.", vec![None]),
        ("Hana Zelenka is Polish.", vec![Some(Sensitive)]),
        // What may mean anything is not said of who is named only later.
        ("Running 40 minutes late, roadworks. Everybody well, Kian Moody has just won the sing-song.", vec![None]),
        ("Kian Moody was late.", vec![Some(Record)]),
        // Reading ages, and results in full.
        ("Kian Moody 7y 2m\nLeah Marlow 11y 9m", vec![Some(Record), Some(Record)]),
        ("Kian Moody got all 60 in the check.", vec![Some(Record)]),
        ("Kian Moody got all the way to Ely.", vec![None]),
        // A firm below a forename is nobody of both names.
        ("The flag is with Leah\nMarlow's of Ely lend the tape. Her address is on the gate.", vec![]),
        // Injuries.
        ("Kian Moody fell from the climbing frame and broke his left wrist.", vec![Some(Sensitive)]),
        ("Kian Moody mended the broken leg of the table.", vec![None]),
    ] {
        let blocks = text.split("\n\n").map(|text| Block::Paragraph { text: text.into(), detail: None }).collect();
        let document = Document { kind: Kind::Body, place: "body".into(), blocks };
        let found = found(&school(), &[document]);
        let got: Vec<Option<Tier>> =
            found.into_iter().map(|(_, tier)| Some(tier).filter(|tier| *tier > Tier::Mention)).collect();
        assert_eq!(got, want, "{text}");
    }
}
