//! A made-up school whose names are words more often than not, and what is to be found in one text of it.

mod company;
mod matters;

use super::*;
use crate::people::{Guardian, Pupil, Staff};
use crate::text::{Block, Kind, Row, Table};

fn pupil(id: &str, forename: &str, surname: &str, year: &str, form: &str, born: &str) -> Pupil {
    Pupil {
        id: id.into(),
        forename: forename.into(),
        surname: surname.into(),
        year_group: year.into(),
        form: form.into(),
        date_of_birth: born.parse().ok(),
        ..Pupil::default()
    }
}

fn school() -> School {
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
    findings.pupils.iter().map(|p| (school.pupil(p.pupil).unwrap().id.clone(), p.tier_beyond_doubt())).collect()
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
        ("Miss Grace Adebisi", "F"),
        ("Miss Grace Adebisi, teacher of French", ""),
        ("Miss Adebisi has asthma", ""),
        ("Miss Rose Tully (Year 7)", ""),
        ("Miss Deborah Wrona", ""),
        ("Mrs Grace Adebisi", ""),
        ("Ms Grace Adebisi (10B)", ""),
        ("Master Mason Cutler (Year 9)", "D"),
        ("Miss Summer Field (Year 7)", "B"),
        ("We did not miss Summer Field", ""),
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

/// Subject, body, and what is attached under which name: one message.
#[test]
fn a_name_of_words_is_weighed_with_the_whole_message() {
    let school = school();
    let (fact, order) = ("The EHCP review is on Tuesday.", "The invoice is enclosed. Tea is at four.");
    for (subject, body, file, attached, want) in [
        ("Summer Field", fact, "", "", "B"),
        ("Confidential: Summer Field", fact, "", "", "B"),
        ("RE: Summer Field", fact, "", "", "B"),
        ("[Confidential] Summer Field - review", fact, "", "", "B"),
        ("Update: Field, Summer", fact, "", "", "B"),
        ("FW: Mason Cutler", "He was excluded for two days.", "", "", "D"),
        ("Confidential: Mason Cutler", "See attached.", "letter", fact, "D"),
        ("Papers", "See attached.", "Summer Field EHCP", fact, "B"),
        ("Papers", "See attached.", "Cutler_Mason", fact, "D"),
        ("Papers", "See attached.", "Summer Field report", fact, "B"),
        ("Papers", "See attached.", "summer_field_letter", fact, "B"),
        ("Papers", "See attached.", "2026-11-02 Mason Cutler Letter", fact, "D"),
        ("Papers", "See attached.", "grace adebisi letter", fact, "F"),
        ("Papers", "I attach the letter about Summer Field.", "letter", fact, "B"),
        ("Papers", fact, "letter", "Re: Summer Field", "B"),
        ("Summer Field", order, "", "", ""),
        ("RE: Summer Field", order, "", "", ""),
        ("Summer Field", "The summer field is wet. The EHCP review is on Tuesday.", "", "", ""),
        ("Summer Field", "Meet at the Summer Field. Bring an inhaler if you have asthma.", "", "", ""),
        ("Summer Field", "All staff have epilepsy training on Monday.", "", "", ""),
        ("Summer Field", "Please tell us of any allergies by Friday.", "", "", ""),
        ("Summer Field", "Pupils with a detention serve it first.", "", "", ""),
        ("Papers", "See attached.", "summer_field", order, ""),
        ("Summer Field Day", fact, "", "", ""),
        ("Trip to Summer Field on Monday", "Please tell us of allergies.", "", "", ""),
        ("Papers", "See attached.", "Summer Field", "The summer field is wet.", ""),
        ("Trip", "We meet in Summer Field.", "form", "Please tell us of allergies.", ""),
        ("Confidential: Mason Whitcombe", "He was excluded for two days.", "", "", ""),
    ] {
        let mut documents =
            vec![Document::of_text(Kind::Subject, "subject", subject), Document::of_text(Kind::Body, "body", body)];
        if !file.is_empty() {
            let place = format!("{file}.docx");
            documents.push(Document::of_text(Kind::FileName, place.as_str(), file));
            documents.push(Document::of_text(Kind::Attachment, place, attached));
        }
        let ids: String = found(&school, &documents).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, want, "{subject} / {body} / {file} / {attached}");
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
        // The writer, and titles.
        ("Lukasz Wrona saw the nest first. I am the one who swells up.", Tier::Mention),
        ("Lukasz Wrona swells up when he is stung.", Tier::Sensitive),
        ("Three poems: 'A Hospital for Broken Clocks' by Lukasz Wrona, the rest by Year 4.", Tier::Mention),
        ("Debate: Lukasz Wrona against ('farms are prisons').", Tier::Mention),
        ("A story from Lukasz Wrona, who is on a 'Child in Need' plan.", Tier::Sensitive),
        ("A story: 'I was in hospital for a year,' says Lukasz Wrona.", Tier::Sensitive),
        // Somebody in a contest.
        ("The judges gave Lukasz Wrona first prize in the competition.", Tier::Mention),
        ("The judge will see Lukasz Wrona and his mother on Monday.", Tier::Sensitive),
    ] {
        let tiers = found(&school, &[Document::of_text(Kind::Body, "body", text)]);
        assert_eq!(tiers.first().map(|(_, tier)| *tier), Some(want), "{text}");
    }
}

#[test]
fn tables_speak_by_row_and_column() {
    let school = school();
    let table = |rows: &[&[&str]]| {
        let rows = rows.iter().map(|row| Row::of(row.iter().map(|c| (*c).to_owned()).collect()));
        [Document { kind: Kind::Attachment, place: "x.csv".into(), blocks: vec![Block::Table(Table::of(None, rows))] }]
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
        ("Pay GB29NWBK60161331926819 please", true),
        ("Pay GB29 NWBK 6016 1331 9268 19 please, and thanks for the hall", true),
        ("GB29 NWBK 601613 31926819", true),
        ("The IBAN is DE89 3704 0044 0532 0130 00 of our partner", true),
        ("Sc24 will not wake", false),
        ("MD19 is cold and so is the hall", false),
        ("account: ring 020 7946 0246, sort code 12-34-56 to follow", false),
        ("account: ring +44 (0)20 7946 0246, sort code 12-34-56 to follow", false),
        ("sort code 12 34 56 account 1234 5678", true),
        ("4111 1111 1111 1111", true),
        ("my NHS number is 943 476 5870", true),
        ("order 9434765870", false),
        ("NHS no: 9434765870.", true),
        ("NHS:9434765870, as on the letter", true),
        ("The NHS numbers are 943-476-5870 and 943-476-5919", true),
        ("patient (NHS 943 476 5870)", true),
        ("9434765870 is the NHS number", true),
        ("NHS page https://wiki.nhs.example/pages?pageId=9434765870", false),
        ("NHS page https://wiki.nhs.example/pages/9434765870", false),
        ("NHS page www.nhs.example/9434765870/print", false),
        ("see NHS pageId=9434765870", false),
        ("NHS desk 9434765870@nhs.example", false),
        ("NHS line +44 943 476 5870", false),
        ("NHS line +44 (0) 943 476 5870", false),
        ("NHS line 0044 943 476 5870", false),
        ("NHS line tel: 943 476 5870", false),
        ("NHS line, tel:9434765870", false),
        ("NHS order 12-9434765870", false),
        ("NHS order AB-9434765870-2", false),
        ("NHS order 129434765870", false),
        ("NINO: AB123456C", true),
        ("National Insurance number\nAB123456C", true),
        ("AB123456C (NI number)", true),
        ("my N.I. no is AB 12 34 56 C", true),
        ("for the P60: AB 12 34 56 C", true),
        ("part AB123456C", false),
        ("AB123456C", false),
        ("The NI office wrote. The part is AB123456C", false),
        ("order AB 12 34 56 C is on its way", false),
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

#[test]
fn a_national_insurance_number_stands_below_its_heading() {
    let school = school();
    for (heading, want) in [("NI number", true), ("National Insurance", true), ("NINO", true), ("Part no", false)] {
        let row = |cells: [&str; 2]| Row { cells: cells.map(String::from).to_vec(), ..Row::default() };
        let rows = vec![row(["Line", heading]), row(["1", "AB123456C"]), row(["2", "AB123457C"])];
        let document = Document {
            kind: Kind::Attachment,
            place: "list.xlsx".into(),
            blocks: vec![Block::Table(Table::of(None, rows))],
        };
        let found = detect(&[document], &[], &school, &Correspondence::default(), &Halt::default());
        assert_eq!(found.adult_identifier, want, "{heading}");
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

#[test]
fn a_table_of_children_who_are_on_no_list_counts_each_row() {
    let school = school();
    const FORENAMES: [&str; 12] =
        ["Tamsin", "Idris", "Priti", "Leon", "Hattie", "Caspian", "Yasmin", "Rory", "Edie", "Marek", "Dolly", "Kit"];
    const SURNAMES: [&str; 12] = [
        "Oakes",
        "Vaughan",
        "Chandra",
        "Marsden",
        "Furlong",
        "Birkett",
        "Osei",
        "Tennant",
        "Sowerby",
        "Zajac",
        "Wray",
        "Penhallow",
    ];
    // A row is made of F (forename), S (surname), N (both), B (a child's date of birth), A (an adult's) or text as it stands.
    let table = |headings: &[&str], row: &[&str], count: usize| {
        let cell = |kind: &str, at: usize| match kind {
            "F" => FORENAMES[at].to_owned(),
            "S" => SURNAMES[at].to_owned(),
            "N" => format!("{} {}", FORENAMES[at], SURNAMES[at]),
            "B" => format!("{:02}/03/2016", at + 1),
            "A" => format!("{:02}/03/1979", at + 1),
            text => text.to_owned(),
        };
        let rows = (0..count).map(|at| row.iter().map(|kind| cell(kind, at)).collect::<Vec<_>>());
        let heading = headings.iter().map(|text| (*text).to_owned()).collect();
        let rows = std::iter::once(heading).chain(rows).map(Row::of);
        let table = Block::Table(Table::of(None, rows));
        let list = Document { kind: Kind::Attachment, place: "list.csv".into(), blocks: vec![table] };
        detect(&[list], &[], &school, &Correspondence::default(), &Halt::default()).unlisted_pupils
    };
    for (headings, row, count, want) in [
        (&["Forename", "Surname", "Date of birth"][..], &["F", "S", "B"][..], 12, 12),
        (&["Last name", "First name", "DOB", "Note"], &["S", "F", "B", "sibling at school"], 10, 10),
        (&["Name", "Born"], &["N", "B"], 12, 12),
        (&["Pupil", "Class"], &["N", "Hedgehogs"], 12, 12),
        (&["Name of child", "Parent's email"], &["N", "somebody@home.example"], 11, 11),
        (&["Student name", "Year"], &["N", "9"], 12, 12),
        // Fewer than ten are found by name or not at all.
        (&["Forename", "Surname", "Date of birth"], &["F", "S", "B"], 9, 0),
        // Adults, by their birth or because nothing says that they are children.
        (&["Forename", "Surname", "Date of birth"], &["F", "S", "A"], 12, 0),
        (&["Name", "Class"], &["N", "Yoga"], 12, 0),
        (&["First name", "Last name", "Contact number"], &["F", "S", "01632 960001"], 12, 0),
        (&["Name", "Joined"], &["N", "B"], 12, 0),
        // Nothing beside the name, or no name.
        (&["Pupil"], &["N"], 12, 0),
        (&["Pupil", "Lunch"], &["N", "ham"], 12, 0),
        (&["Pupil premium", "Year"], &["Total spend", "2025"], 12, 0),
        (&["Student services", "Contact"], &["N", "01632 960001"], 12, 0),
        (&["Teacher", "Class"], &["N", "7R"], 12, 0),
        // Adults and pupils of the school are on its lists.
        (&["Pupil", "Class"], &["Rose Tully", "7R"], 12, 0),
        (&["Pupil", "Class"], &["Lukasz Wrona", "8B"], 12, 0),
    ] {
        assert_eq!(table(headings, row, count), want, "{headings:?} {row:?} {count}");
    }
}

#[test]
fn a_placement_at_work_is_no_placement_in_care() {
    let school = school();
    for (text, want) in [
        ("Mason Cutler has a placement. It is his work experience, from Monday.", Tier::Mention),
        ("The employer confirms the placement of Mason Cutler.", Tier::Mention),
        ("Mason Cutler's placement is in the diary.\n\nR Tully, Careers", Tier::Mention),
        ("Mason Cutler has a placement.", Tier::Sensitive),
        ("Mason Cutler has a placement from Monday.", Tier::Sensitive),
        ("Mason Cutler's placement has changed; his foster carer knows. Careers will ring.", Tier::Sensitive),
        ("Mason Cutler's social worker rang the careers office about his placement.", Tier::Sensitive),
    ] {
        let found = found(&school, &[Document::of_text(Kind::Body, "body", text)]);
        assert_eq!(found, [("D".to_owned(), want)], "{text}");
    }
}

#[test]
fn what_befell_a_thing_is_not_said_of_the_pupil_beside_it() {
    let school = school();
    for (text, want) in [
        ("Mason Cutler saw how the stage collapsed.", Tier::Mention),
        ("Mason Cutler saw the stage and collapsed.", Tier::Sensitive),
        ("Mason Cutler is bringing the damaged one.", Tier::Mention),
        ("Mason Cutler is bringing the one he damaged.", Tier::Record),
        ("Mason Cutler's trombone will be away until May.", Tier::Mention),
        ("Mason Cutler will be away until May.", Tier::Record),
    ] {
        let found = found(&school, &[Document::of_text(Kind::Body, "body", text)]);
        assert_eq!(found, [("D".to_owned(), want)], "{text}");
    }
}

/// A sheet of two columns.
fn sheet(place: &str, rows: &[[&str; 2]]) -> Document {
    let rows = rows.iter().map(|row| Row::of(row.map(str::to_owned).to_vec()));
    Document { kind: Kind::Attachment, place: place.into(), blocks: vec![Block::Table(Table::of(None, rows))] }
}

#[test]
fn cells_that_say_the_same_are_judged_by_what_stands_around_each() {
    let school = school();
    let names = [["Surname", "Forename"], ["Field", "Summer"], ["Cutler", "Mason"]];
    let numbered = [["UPN", "Reference"], ["B801200005001", "T12 345 678"], ["B801200005001", "T12 345 678"]];
    let health = [["Name", "NHS number"], ["Somebody", "943 476 5919"], ["Somebody else", "943 476 5919"]];
    let stock = [["Name", "Catalogue"], ["Somebody", "943 476 5919"], ["Somebody else", "943 476 5919"]];
    let places = [["Place", "Crop"], ["Field", "Summer"], ["Wood", "Autumn"]];
    let sheets: Vec<Document> = [&names[..], &numbered, &health, &stock, &places]
        .iter()
        .enumerate()
        .map(|(at, rows)| sheet(&format!("{at}.xlsx"), rows))
        .collect();
    let found = |documents: &[Document], place: &str| -> Vec<(&str, String, Confidence)> {
        let findings = detect(documents, &[], &school, &Correspondence::default(), &Halt::default());
        let here = findings.findings.into_iter().filter(|finding| finding.place == place);
        // What is said of a pupil is told once a message.
        let who =
            here.filter(|finding| finding.kind == "pupil-name" || finding.pupil.is_none() || finding.kind == "upn");
        who.map(|finding| (finding.kind, finding.text, finding.confidence)).collect()
    };
    let alone: Vec<_> = sheets.iter().map(|one| found(std::slice::from_ref(one), &one.place)).collect();
    assert_eq!(alone.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 0, 0], "{alone:?}");
    // Whatever comes first, the same is found in each.
    for from in 0..sheets.len() {
        let mut together = sheets.clone();
        together.rotate_left(from);
        for (one, alone) in sheets.iter().zip(&alone) {
            assert_eq!(found(&together, &one.place), *alone, "{} after {from}", one.place);
        }
    }
}

#[test]
fn only_what_is_much_wants_room() {
    let most = limits::LAID_OUT_LIGHT;
    let octets = (most - limits::LAID_OUT_TEXT) / limits::LAID_OUT_OCTET;
    let cells = most / limits::LAID_OUT_TEXT;
    let of_cells = |cells: usize| sheet("sheet.xlsx", &vec![["a", ""]; cells]);
    let of_text = |octets: usize| Document::of_text(Kind::Body, "body", "a".repeat(octets));
    for (documents, wants) in [
        (vec![], false),
        (vec![of_text(octets)], false),
        (vec![of_text(octets + 1)], true),
        (vec![of_text(octets / 2), of_text(octets / 2 + 200)], true),
        (vec![of_cells(cells - 1)], false),
        (vec![of_cells(cells + 1)], true),
    ] {
        assert_eq!(room_wanted(&documents).is_some(), wants);
    }
}
