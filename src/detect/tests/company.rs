//! Words and names that say something in company alone: who signs and is greeted, namesakes, and words that are no sign.

use super::*;

fn school() -> School {
    let pupils = [
        ("Rose-Oak", "Rose", "Harris", "4", "Oak", "2017-10-01"),
        ("Rose-Elm", "Rose", "Okafor", "5", "Elm", "2016-10-01"),
        ("Zara", "Zara", "Harris", "5", "Elm", "2016-03-02"),
        ("Grace", "Grace", "Bello", "4", "Oak", "2018-01-05"),
        ("Grace-Elm", "Grace", "Dunmore", "5", "Elm", "2016-12-05"),
        ("May", "May", "Petrov", "4", "Oak", "2018-02-05"),
        ("Isla-3", "Isla", "Reid", "3", "Tern", "2018-11-20"),
        ("Isla-5", "Isla", "Reid", "5", "Kestrel", "2016-09-12"),
        ("Dominik", "Dominik", "Sutcliffe", "6", "Kestrel", "2015-09-12"),
        ("Summer", "Summer", "Holliday", "6", "Kestrel", "2015-07-12"),
        ("Faith", "Faith", "Summers", "6", "Kestrel", "2015-06-12"),
    ];
    let adult = |forename: &str, surname: &str, of: u32| Guardian {
        id: surname.into(),
        forename: forename.into(),
        surname: surname.into(),
        pupils: vec![PupilIndex(of)],
        ..Guardian::default()
    };
    School {
        pupils: pupils
            .map(|(id, forename, surname, year, form, born)| pupil(id, forename, surname, year, form, born))
            .into(),
        guardians: vec![adult("Anita", "Harris", 2), adult("Femi", "Bello", 3)],
        staff: vec![Staff { forename: "Rose".into(), surname: "Tully".into(), ..Staff::default() }],
        ..School::default()
    }
    .indexed()
}

fn ids(text: &str) -> Vec<(String, Tier)> {
    let paragraph = |text: &str| Block::Paragraph { text: text.into(), detail: None };
    let blocks = text.split("\n\n").map(paragraph).collect();
    found(&school(), &[Document { kind: Kind::Body, place: "body".into(), blocks }])
}

fn names(text: &str) -> String {
    ids(text).into_iter().map(|(id, _)| id).collect::<Vec<_>>().join(", ")
}

#[test]
fn who_signs_and_who_is_greeted_tell_whom_a_colleagues_forename_or_a_word_means() {
    for (text, want) in [
        ("Hello,\n\nRose forgot her inhaler today.\n\nKind regards\nA. Penn\nOak class teacher", "Rose-Oak"),
        ("Hello,\n\nRose has asthma.\n\nKind regards\nA. Penn\nElm class teacher", "Rose-Elm"),
        ("Dear Mrs Harris,\n\nRose was upset and her coat is lost.\n\nRegards\nA. Penn", "Rose-Oak"),
        ("Dear Mr and Mrs Harris,\n\nZara hit her head at lunch.\n\nRegards\nA. Penn", "Zara"),
        ("Dear Ms Harris\n\nZara was away, can you ring us about her?", "Zara"),
        ("Dear Ms Harris\n\nZara will bring the chairs.", ""),
        ("Dear Mr Bello,\n\nGrace has asthma, we hear.", "Grace"),
        ("Hello,\n\nGrace, as you know, has asthma.\n\nA. Penn\nOak class", "Grace"),
        ("Hello,\n\nDominik forgot his bag.\n\nA. Penn\nClass Teacher, Year 6", "Dominik"),
        ("Hello,\n\nDominik forgot his bag.\n\nA. Penn\nClass Teacher, Year 5", ""),
        ("Hello,\n\nDominik forgot his bag.\n\nThe hall is for Year 6.\nA. Penn", ""),
        // Nobody tells which.
        ("Hello,\n\nRose forgot her inhaler today.\n\nKind regards\nA. Penn", ""),
        ("Dear Mrs Whitlock,\n\nZara was away.", ""),
        ("Dear Mrs Harris,\n\nDominik was away.", ""),
        // Of colleagues, virtues and months.
        ("Hello,\n\nRose and I will cover the break.\n\nKind regards\nA. Penn\nOak class teacher", ""),
        ("Dear Mrs Harris,\n\nThank you. Rose will print the labels.\n\nA. Penn", ""),
        ("Hello,\n\nWith grace and patience we got there.\n\nA. Penn\nOak class", ""),
        ("Hello,\n\nMay is a busy month for every child.\n\nA. Penn\nOak class", ""),
        ("Dear Mrs Harris,\n\nThe hall is booked for the fair.\n\nRegards\nRose", ""),
    ] {
        assert_eq!(names(text), want, "{text}");
    }
}

#[test]
fn what_nobody_in_particular_has_is_nobodys() {
    let all = |school: &School, text: &str| found(school, &[Document::of_text(Kind::Body, "body", text)]);
    for (text, want) in [
        (
            "Dominik Sutcliffe takes pictures, Zara Harris hangs the lines. Last year someone had nightmares.",
            Tier::Mention,
        ),
        ("Dominik Sutcliffe and Zara Harris lead. Nobody has had any seizures so far.", Tier::Mention),
        ("Dominik Sutcliffe and Zara Harris go. I'll drive them home.", Tier::Mention),
        ("Dominik Sutcliffe was there. He had nightmares.", Tier::Sensitive),
        ("Dominik Sutcliffe is away. He is ill with asthma.", Tier::Sensitive),
        ("Somebody has nightmares, and it is Dominik Sutcliffe.", Tier::Sensitive),
    ] {
        assert_eq!(all(&school(), text)[0].1, want, "{text}");
    }
}

#[test]
fn of_two_namesakes_each_is_singled_out_where_it_stands() {
    for text in [
        "Isla Reid in Tern has asthma. Isla Reid in Kestrel has none.",
        "Isla Reid in Tern was away, and Isla Reid in Kestrel was late.",
        "Isla Reid (Year 3) and Isla Reid (Year 5) swapped coats.",
        "Isla Reid (Tern) lost a shoe; Isla Reid (Kestrel) found it.",
        "In Tern, Isla Reid reads well. In Kestrel, Isla Reid reads better.",
        "Isla Reid, born 20/11/2018, is allergic to nuts. Isla Reid, born 12/09/2016, is not.",
        "REID, Isla (Tern) and REID, Isla (Kestrel)",
        "Isla in Tern and Isla in Kestrel",
        "Isla Reid is late",
    ] {
        assert_eq!(names(text), "Isla-3, Isla-5", "{text}");
    }
    for (text, want) in [
        ("Isla Reid in Tern was away. The lunch is in Kestrel.", "Isla-3"),
        ("Isla Reid in Kestrel was away.", "Isla-5"),
        ("Isla Reid has a coat. It is in Tern.", "Isla-3"),
    ] {
        assert_eq!(names(text), want, "{text}");
    }
    let tiers = ids("Isla Reid in Tern has asthma. Isla Reid in Kestrel is in the choir.");
    assert_eq!(tiers, [("Isla-3".to_owned(), Tier::Sensitive), ("Isla-5".to_owned(), Tier::Mention)]);
}

#[test]
fn a_name_of_words_is_told_by_its_verb_or_its_class() {
    for (text, want) in [
        ("Summer Holliday screams if the face changes.", "Summer"),
        ("Summer Holliday tried the door.", "Summer"),
        ("The Summer Holliday camp is full.", ""),
        ("Could you fit in Faith Summers, Year 6, on Tuesday?", "Faith"),
        ("Could you fit in Faith Summers (Kestrel) on Tuesday?", "Faith"),
        ("We believe in faith summers, Year 6.", ""),
        ("Could you bring in Faith Summers on Tuesday?", ""),
    ] {
        assert_eq!(names(text), want, "{text}");
    }
}

#[test]
fn time_that_is_counted_is_no_year_group() {
    for (text, want) in [
        ("Dominik has a reading age of 9 years 6 months.", ""),
        ("Dominik has a reading age of 6 years 6 months", ""),
        ("Dominik, aged 6, enjoyed the trip", ""),
        ("Dominik sang after 6 years of service", ""),
        ("Dominik saw the plan for Year 6 of the contract", ""),
        ("Dominik counts in Year 6 of our building project", ""),
        ("Dominik in Year 6 enjoyed the trip", "Dominik"),
        ("Dominik (Y6) enjoyed the trip", "Dominik"),
        ("Dominik enjoyed the trip with years 5 and 6, that is Year 6", "Dominik"),
        ("In 2026 Year 6 went to Kent, and Dominik too", "Dominik"),
        ("Dominik, Year 6 of our school, sang", "Dominik"),
    ] {
        assert_eq!(names(text), want, "{text}");
    }
}

#[test]
fn orders_courts_and_families_want_their_company() {
    for (text, want) in [
        ("Dominik Sutcliffe helped to put the books in order.", Tier::Mention),
        ("Dominik Sutcliffe needs a ticket in order to come.", Tier::Mention),
        ("The purchase order for Dominik Sutcliffe is here.", Tier::Mention),
        ("The order for Dominik Sutcliffe's jumper has come.", Tier::Mention),
        ("Dominik Sutcliffe plays on the tennis court.", Tier::Mention),
        ("Meet Dominik Sutcliffe at the food court, the court is by the lift.", Tier::Mention),
        ("Dominik Sutcliffe is on court 2 and Hampton Court comes next.", Tier::Mention),
        ("Family name: Sutcliffe, Dominik Sutcliffe", Tier::Mention),
        ("Dominik Sutcliffe comes to the family picnic.", Tier::Mention),
        ("Dominik Sutcliffe drew a family of ducks.", Tier::Mention),
        ("There is a court order about Dominik Sutcliffe.", Tier::Sensitive),
        ("Dominik Sutcliffe is under a care order.", Tier::Sensitive),
        ("The family court decided about Dominik Sutcliffe.", Tier::Sensitive),
        ("Dominik Sutcliffe's mum goes to court on Monday.", Tier::Sensitive),
        ("The court has ordered that Dominik Sutcliffe lives with dad.", Tier::Sensitive),
        ("Dominik Sutcliffe's father is in breach of the order.", Tier::Sensitive),
        ("Dominik Sutcliffe has family problems.", Tier::Record),
    ] {
        let tiers = ids(text);
        assert_eq!(tiers.first().map(|(_, tier)| *tier), Some(want), "{text}");
    }
    let table = |heads: &[&str], row: &[&str]| {
        let rows = [heads, row].map(|cells| Row { cells: cells.iter().map(|&c| c.into()).collect(), detail: None });
        let blocks = vec![Block::Table(Table::of(None, rows))];
        found(&school(), &[Document { kind: Kind::Attachment, place: "x.csv".into(), blocks }])
    };
    let of = |tier: Tier| vec![("Dominik".to_owned(), tier)];
    assert_eq!(table(&["Family name", "Forename", "Part"], &["Sutcliffe", "Dominik", "Drummer"]), of(Tier::Mention));
    assert_eq!(table(&["Given name", "Family name", "Order"], &["Dominik", "Sutcliffe", "12"]), of(Tier::Mention));
    assert_eq!(table(&["Name", "Court order"], &["Dominik Sutcliffe", "yes"]), of(Tier::Sensitive));
}

#[test]
fn whom_a_text_has_named_in_full_its_forename_means() {
    for (text, want) in [
        ("Grace Bello Oak and Zara Harris Elm - reports to print at home, Grace was top", "Zara, Grace"),
        ("Grace Bello and Zara Harris of Elm class. Grace has asthma.", "Zara, Grace"),
        // What stands right beside it says that another is meant.
        ("Grace Bello and Zara Harris of Elm class. Grace (Elm) has asthma.", "Zara, Grace, Grace-Elm"),
        ("Grace (Elm) has asthma. Grace Bello has not.", "Grace, Grace-Elm"),
    ] {
        assert_eq!(names(text), want, "{text}");
    }
}

#[test]
fn a_colleagues_forename_wants_its_class_in_the_text() {
    let of = |kind: Kind, text: &str| Document { kind, place: "x".into(), blocks: vec![Block::paragraph(text)] };
    for (subject, body, want) in [
        ("Changing room, Oak", "They told me about home and I told Rose about it.", 0),
        ("Changing room, Oak", "Rose of Oak told me about home.", 1),
        ("Changing room, Oak", "Grace told me about home.", 1),
    ] {
        let found = found(&school(), &[of(Kind::Subject, subject), of(Kind::Body, body)]);
        assert_eq!(found.len(), want, "{subject}: {body}");
    }
}

#[test]
fn a_title_above_names_with_figures_says_what_they_are() {
    let tier = |text: &str| ids(text).into_iter().map(|(_, tier)| tier).max();
    for (text, want) in [
        ("reading ages to type up at home\n\nIsla Reid 7.2\nGrace Bello 6.1\nZara Harris 9.4", Some(Tier::Record)),
        ("sizes for the sweatshirts\n\nGrace Bello 7.2\nZara Harris 9.4", Some(Tier::Mention)),
        // Where a bus stops.
        ("Times of the bus\n\nRose Harris 8.10\nSummer Holliday 8.20", Some(Tier::Mention)),
    ] {
        assert_eq!(tier(text), want, "{text}");
    }
}

#[test]
fn an_answer_and_what_it_answers_are_about_the_same_families() {
    const ASKED: &str = "Can she stay till six on both days? I am at the office. Femi Bello";
    for (answer, kind, asked, want) in [
        ("That is booked for Grace.", Kind::Quoted, ASKED, "Grace"),
        // Of another family, of nobody's, and what is attached is no question.
        ("That is booked for Rose.", Kind::Quoted, ASKED, ""),
        ("That is booked for Grace.", Kind::Quoted, "Can she stay till six? F. Mensah", ""),
        ("That is booked for Grace.", Kind::Attachment, ASKED, ""),
    ] {
        let documents =
            [Document::of_text(Kind::Body, "body", answer), Document::of_text(kind, "what is asked", asked)];
        let named: Vec<String> = found(&school(), &documents).into_iter().map(|(id, _)| id).collect();
        assert_eq!(named.join(", "), want, "{answer} {kind:?} {asked}");
    }
}
