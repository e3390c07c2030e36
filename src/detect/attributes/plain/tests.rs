//! Sentences that stand in no file of `meaning/`, of both sides.

use std::path::Path;

use crate::detect::meaning::MODEL;
use crate::detect::meaning::features::words;
use crate::detect::{Correspondence, Findings, Tier, detect};
use crate::people::{Pupil, School};
use crate::text::{Block, Document, Halt, Kind, Row, Table, TextBuf};

fn school() -> School {
    let pupil = |id: &str, forename: &str, surname: &str| Pupil {
        id: id.into(),
        forename: forename.into(),
        surname: surname.into(),
        year_group: "9".into(),
        form: "9K".into(),
        ..Pupil::default()
    };
    let pupils = vec![
        pupil("A", "Oluwaseun", "Adebisi"),
        pupil("B", "Zoë", "O'Brien-Smith"),
        pupil("C", "Callum", "Featherstone"),
        pupil("D", "Priya", "Ramanathan"),
    ];
    School { pupils, ..School::default() }.indexed()
}

fn findings(documents: &[Document]) -> Findings {
    detect(documents, &[], &school(), &Correspondence::default(), &Halt::default())
}

/// The first pupil's tier in a message of one paragraph.
fn tier(text: &str) -> Tier {
    findings(&[Document::of_text(Kind::Body, "body", text)]).pupils[0].tier
}

/// What says something of a pupil, with what the policy makes of it.
const SAID: &[(Tier, &str)] = &[
    (
        Tier::Sensitive,
        "@ has to have the patch changed every morning before lessons and can't see the board with the good eye covered.",
    ),
    (Tier::Sensitive, "@ is back from the clinic and must not run until the bandage comes off."),
    (Tier::Sensitive, "@ takes two puffs from the blue one before running."),
    (Tier::Sensitive, "@ needs to drink every hour and go to the toilet whenever asked."),
    (Tier::Sensitive, "@ came over dizzy and had to lie down in the medical room."),
    (Tier::Sensitive, "@ has pins in the leg and will come in on crutches."),
    (Tier::Sensitive, "@ reads like a child two years younger."),
    (Tier::Sensitive, "@ needs someone beside him to get a sentence down on paper."),
    (Tier::Sensitive, "@ cannot cope with the noise of the hall and wears ear defenders."),
    (Tier::Sensitive, "@ works with an adult for every lesson and has a laptop instead of writing."),
    (Tier::Sensitive, "@ has not eaten a proper lunch for weeks and says there is no point in anything."),
    (Tier::Sensitive, "@ panics before every lesson and shakes."),
    (Tier::Sensitive, "@ has been scratching her arms again."),
    (Tier::Sensitive, "@ told me that he is scared to go home when his stepdad has been drinking."),
    (Tier::Sensitive, "@ has turned up with marks on both arms and would not say how they got there."),
    (Tier::Sensitive, "@ came in hungry and in the same dirty shirt as last week."),
    (Tier::Record, "@ is living at her nan's since mum and dad split up."),
    (Tier::Record, "@'s dad lost his job and they have to leave the house."),
    (Tier::Record, "@ refused to work and walked out of the lesson twice."),
    (Tier::Record, "@ threw a chair and swore at the cover teacher."),
    (Tier::Record, "@ is a long way behind the others and will not pass maths."),
    (Tier::Record, "@ came bottom in the spelling test again."),
    (Tier::Record, "@ has only come in two days out of five since half term."),
    (Tier::Record, "@ keeps turning up late and missing registration."),
    (Tier::Sensitive, "@ is going to live with new carers next week and the social worker will collect him."),
    (Tier::Sensitive, "@ was picked up by two officers on Friday night."),
];

/// What says nothing.
const NOTHING: &[&str] = &[
    "@ will read the second lesson at the carol service on Sunday.",
    "@ has left a blue coat in the changing room.",
    "@ would like to borrow the keyboard for the concert.",
    "@ is playing in goal on Saturday, so we need the bigger gloves.",
    "@ and the others did a brilliant job at the bake sale.",
    "@ is bringing the tent and two sleeping bags.",
    "@ will be collected by the minibus at half past three.",
    "@ has paid for the theatre trip, please tick the list.",
    "@ asked whether the library is open on Friday.",
    "@ can have the part of the narrator if he wants it.",
    "@ wants to join the chess club after the holidays.",
    "@ won the poster competition and gets a book token.",
    "Could you please send @ the link to the homework page?",
    "Thank you for helping @ find the lost trainer.",
    "@ needs a new locker key.",
    "Please remind @ to bring the signed form by Thursday.",
    "@ took the photographs for the yearbook.",
    "@ is on the list for the coach, seat 14.",
    "@ gave a lovely talk about volcanoes in assembly.",
    "I met @ and the team at the station this morning.",
    "@ sold eleven raffle tickets.",
    "The parcel for @ is at the office.",
    "@ will show visitors round on open evening.",
];

const FULL: &str = "Oluwaseun Adebisi";

#[test]
fn plain_words_raise_a_mention() {
    let missed: Vec<&str> = SAID
        .iter()
        .filter(|(_, text)| tier(&text.replace('@', FULL)) == Tier::Mention)
        .map(|(_, text)| *text)
        .collect();
    assert!(missed.len() * 100 <= SAID.len() * 15, "missed {} of {}: {missed:#?}", missed.len(), SAID.len());
}

#[test]
fn what_is_no_more_than_a_record_is_not_made_sensitive() {
    for (_, text) in SAID.iter().filter(|(want, _)| *want == Tier::Record) {
        assert!(tier(&text.replace('@', FULL)) <= Tier::Record, "{text}");
    }
}

/// With `SCHOOLGATE_UPDATE_GOLDEN` set, what the model makes of each sentence is written anew, to be read before it is committed.
#[test]
fn each_sentence_is_read_as_it_was() {
    let model = MODEL.as_ref().unwrap();
    let read = |text: &str| {
        let buffer = TextBuf::new(text);
        let text = buffer.text();
        let reading =
            model.read_words(&words(&text, 0, text.tokens.len(), true, |at| text.word(at).starts_with("qqq")));
        let (said, sensitive) = (reading.said, reading.sensitive);
        format!(
            "{said:.2}\t{sensitive:.2}\t{}\t{}",
            model.linear.classes[reading.record_class], model.linear.classes[reading.sensitive_class]
        )
    };
    let all = SAID.iter().map(|(_, text)| *text).chain(NOTHING.iter().copied());
    let found: String = all.map(|text| format!("{}\t{text}\n", read(&text.replace('@', "Qqq")))).collect();
    let found = format!("said\tsensitive\trecord class\tsensitive class\tsentence\n{found}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/meaning.tsv");
    if std::env::var_os("SCHOOLGATE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(found, expected, "if that is meant, set SCHOOLGATE_UPDATE_GOLDEN=1");
}

#[test]
fn ordinary_sentences_raise_nobody() {
    for text in NOTHING {
        assert_eq!(tier(&text.replace('@', FULL)), Tier::Mention, "{text}");
    }
}

#[test]
fn another_name_changes_nothing() {
    for text in SAID.iter().map(|(_, text)| *text).chain(NOTHING.iter().copied()) {
        let said = |name: &str| {
            let text = text.replace('@', name);
            let mut found = findings(&[Document::of_text(Kind::Body, "body", text)]);
            let pupil = found.pupils.remove(0);
            (pupil.tier, pupil.categories)
        };
        let first = said(FULL);
        for other in ["Zoë O'Brien-Smith", "Callum Featherstone", "Priya Ramanathan", "ADEBISI, Oluwaseun"] {
            assert_eq!(said(other), first, "{other}: {text}");
        }
    }
}

#[test]
fn sentences_that_go_on_are_of_the_pupil() {
    const LEG: &str = "has only come in two days out of five since half term.";
    for (text, want) in [
        (format!("Oluwaseun Adebisi was here today. He {LEG}"), true),
        (format!("Oluwaseun Adebisi was here today. Then we left. He {LEG}"), true),
        (format!("Oluwaseun Adebisi was here today. Mum says: {LEG}"), true),
        (format!("Oluwaseun Adebisi was here today.\n\nThe table {LEG}"), false),
        (format!("Oluwaseun Adebisi was here today. Sadly Kirsty {LEG}"), false),
        (format!("Oluwaseun Adebisi was here today. As Kirsty says, he {LEG}"), true),
        (format!("Oluwaseun Adebisi and Priya Ramanathan were here. Sadly he {LEG}"), true),
        (format!("Oluwaseun Adebisi and Priya Ramanathan were here. The table {LEG}"), false),
        (format!("We met today. He {LEG}\n\nOluwaseun Adebisi has the blue bag."), true),
        (format!("Oluwaseun Adebisi and Priya Ramanathan were here. All pupils {LEG}"), false),
    ] {
        let blocks = text.split("\n\n").map(Block::paragraph).collect();
        let document = Document { blocks, ..Document::of_text(Kind::Body, "body", "") };
        let pupils = findings(&[document]).pupils;
        assert_eq!(pupils.iter().any(|pupil| pupil.tier > Tier::Mention), want, "{text}");
    }
}

#[test]
fn what_stands_below_a_pupils_name_is_of_the_pupil() {
    const LEFT_OUT: &str = "Has only come in two days out of five since half term.";
    const BY_PRONOUN: &str = "At his nan's again since mum and dad split up, two trains away.";
    const FILE: &str = "Oluwaseun Adebisi.docx";
    for (subject, body, attached, want) in [
        ("Reference: Oluwaseun Adebisi", LEFT_OUT, "", true),
        ("Reference: Oluwaseun Adebisi", BY_PRONOUN, "", true),
        ("Reference: Oluwaseun Adebisi", "The table has only come in two days out of five.", "", false),
        ("Reference: Oluwaseun Adebisi, Priya Ramanathan", LEFT_OUT, "", false),
        ("Reference", "As promised.", LEFT_OUT, true),
        ("Reference", "Priya Ramanathan has the blue bag.", LEFT_OUT, true),
        ("Reference", "As promised.", "Will bring the blue bag on Sunday.", false),
        ("Reference", "As promised.", "He has been late on 31 days and his effort in workshop is excellent.", true),
        ("Reference", "As promised.", "The coach has been late on 31 days.", false),
    ] {
        let documents = [
            Document::of_text(Kind::Subject, "subject", subject),
            Document::of_text(Kind::Body, "body", body),
            Document::of_text(Kind::FileName, FILE, if attached.is_empty() { "" } else { "Oluwaseun Adebisi" }),
            Document::of_text(Kind::Attachment, FILE, attached),
        ];
        let pupils = findings(&documents).pupils;
        let raised = pupils.iter().filter(|pupil| pupil.tier > Tier::Mention).count();
        assert_eq!(raised, usize::from(want), "{subject} / {body} / {attached}");
    }
}

#[test]
fn a_row_with_its_headings_is_of_the_pupil() {
    for (heading, cell, want) in [
        ("To know", "at her nan's since mum and dad split up", true),
        ("To know", "brings the blue bag", false),
        ("Seat", "14", false),
        ("No", "3", false),
        ("#", "3", false),
        ("Bus", "Route 2", false),
        ("Date", "21/10/2026", false),
        ("Match", "14 November, 2 pm", false),
        ("Kites /30", "17", true),
        ("Kites (out of 30)", "17.5", true),
        ("Kites", "17", false),
        ("Kites", "31/40", true),
        ("Kites", "82%", true),
        ("Autumn", "B+", true),
        ("Autumn", "WTS", true),
        ("Team", "B", false),
        ("Effort", "3", true),
        ("Sessions missed", "12", true),
        ("Extra time", "25%", true),
    ] {
        let row = |cells: [&str; 3]| Row::of(cells.iter().map(|cell| (*cell).to_owned()).collect());
        let rows = vec![row(["Name", "Form", heading]), row([FULL, "9K", cell]), row(["Priya Ramanathan", "9K", ""])];
        let table = Block::Table(Table::of(None, rows));
        let document = Document { blocks: vec![table], ..Document::of_text(Kind::Attachment, "list.xlsx", "") };
        assert_eq!(findings(&[document]).pupils[0].tier > Tier::Mention, want, "{heading}: {cell}");
    }
}

#[test]
fn a_reason_names_words_and_no_pupil() {
    let text = "Oluwaseun Adebisi has only come in two days out of five since half term.";
    let found = findings(&[Document::of_text(Kind::Body, "body", text)]);
    let reason = found.findings.iter().find(|finding| finding.because.starts_with("read as")).unwrap();
    assert!(reason.because.contains("days"), "{}", reason.because);
    assert!(!reason.because.to_lowercase().contains("oluwaseun"), "{}", reason.because);
}

#[test]
fn the_hour_of_a_lesson_says_nothing_of_whoever_has_it() {
    let row = |cells: &[&str]| Row::of(cells.iter().map(|cell| (*cell).to_owned()).collect());
    let at = |times: [&str; 3]| {
        let rows = vec![
            row(&["Time", "Who", "Instrument"]),
            row(&[times[0], "Oluwaseun Adebisi", "cello"]),
            row(&[times[1], "Callum Featherstone", "flute"]),
            row(&[times[2], "Priya Ramanathan", "voice"]),
        ];
        let table = Block::Table(Table::of(None, rows));
        findings(&[Document { blocks: vec![table], ..Document::of_text(Kind::Attachment, "lessons.xlsx", "") }])
    };
    for times in [["9.10", "10.00", "11.20"], ["9:10", "11:50", "14:35"], ["9.10", "10.00", "11.50"]] {
        let found = at(times);
        assert_eq!(found.pupils.len(), 3);
        assert!(found.pupils.iter().all(|pupil| pupil.tier == Tier::Mention), "{times:?} {:?}", found.pupils);
    }
}

#[test]
fn whoever_is_introduced_is_gone_on_about() {
    for (text, want) in [
        (
            "Callum Featherstone takes Gerald home. Gerald is a bear. He has been sick twice and he cannot be left alone.",
            Tier::Mention,
        ),
        (
            "Callum Featherstone takes Bruno home. Bruno's our rabbit. He has no friends and will not eat.",
            Tier::Mention,
        ),
        // No name, an adult, a child, one who is named again, and a name that may be a pupil's.
        ("Callum Featherstone is here. Lunch is a problem. He has been sick twice.", Tier::Sensitive),
        ("Callum Featherstone lives with Kev. Kev is a plumber. He has been sick twice.", Tier::Sensitive),
        (
            "Callum Featherstone sits with Gerald. Gerald is a boy of few words. He has been sick twice.",
            Tier::Sensitive,
        ),
        (
            "Callum Featherstone takes Gerald home. Gerald is a bear. Callum Featherstone has been sick twice.",
            Tier::Sensitive,
        ),
        ("Callum Featherstone is here. Callum is a worry. He has been sick twice.", Tier::Sensitive),
    ] {
        assert_eq!(tier(text), want, "{text}");
    }
}

#[test]
fn a_number_below_the_text_is_the_writers() {
    for (text, want) in [
        ("Callum Featherstone's grandad drives the digger.\nBaz 07700 900720", Tier::Mention),
        ("Callum Featherstone's grandad drives the digger.\nBaz Oldroyd\n07700 900720", Tier::Mention),
        ("Callum Featherstone's things are here.\nMum 07700 900720", Tier::Record),
        ("Callum Featherstone's things are here. Ring Louise on 07700 900720", Tier::Record),
        ("Callum Featherstone\n07700 900720", Tier::Record),
    ] {
        assert_eq!(tier(text), want, "{text}");
    }
}
