//! Steps of the loops that look around a place, and sentences that the encoder reads, counted in tests alone: twice the message may take about
//! twice the steps, and what changes nothing is not read closely.

/// One more look at something.
#[cfg(not(test))]
#[inline]
pub(super) fn step(_steps: usize) {}

/// The encoder reads a sentence.
#[cfg(not(test))]
#[inline]
pub(super) fn read_closely() {}

#[cfg(test)]
pub(super) use counted::{read_closely, step};

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    use super::super::{Correspondence, detect};
    use crate::people::{Pupil, School};
    use crate::text::{Block, Document, Halt, Kind, Row, Table};

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    pub(in crate::detect) fn step(steps: usize) {
        STEPS.with(|all| all.set(all.get() + steps));
    }

    pub(in crate::detect) fn read_closely() {
        READ.with(|all| all.set(all.get() + 1));
    }

    /// Steps that documents take.
    fn work(school: &School, documents: &[Document]) -> usize {
        STEPS.with(|all| all.set(0));
        detect(documents, &[], school, &Correspondence::default(), &Halt::default());
        STEPS.with(Cell::get)
    }

    fn sheets(sheets: Vec<Vec<Vec<String>>>) -> Document {
        let row = |cells| Row { cells, ..Row::default() };
        let table = |rows: Vec<_>| Table::of(None, rows.into_iter().map(row));
        Document {
            kind: Kind::Attachment,
            place: "list.xlsx".into(),
            blocks: sheets.into_iter().map(|rows| Block::Table(table(rows))).collect(),
        }
    }

    /// A name of letters alone for each number.
    fn name(first: &str, number: usize) -> String {
        let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
        format!("{first}{}{}{}", letter(number), letter(number / 26), letter(number / 676))
    }

    /// As many pupils with forenames and surnames of their own.
    fn school(pupils: usize) -> School {
        let pupil = |n| Pupil {
            id: format!("P{n}"),
            forename: name("Quor", n),
            surname: name("Zandor", n),
            year_group: "9".into(),
            form: "9K".into(),
            ..Pupil::default()
        };
        School { pupils: (0..pupils).map(pupil).collect(), ..School::default() }.indexed()
    }

    /// An NHS number with its word.
    fn nhs() -> String {
        "943 476 5870".into()
    }

    #[test]
    fn twice_the_message_takes_twice_the_steps() {
        let school = school(1_200);
        let forename = |n: usize| name("Quor", n % 1_200);
        let full = |n: usize| format!("{} {}", name("Quor", n), name("Zandor", n));
        type Case<'a> = (&'a str, usize, Box<dyn Fn(usize) -> Document + 'a>);
        let cases: Vec<Case<'_>> = vec![
            ("one column", 300, Box::new(|n| sheets(vec![(0..n).map(|n| vec![full(n)]).collect()]))),
            ("one row", 900, Box::new(|n| sheets(vec![vec![(0..n).map(forename).collect()]]))),
            (
                "tables of one row",
                300,
                Box::new(|n| sheets((0..n).map(|n| vec![vec![forename(n), "9K".into()]]).collect())),
            ),
            (
                "numbers behind a filled sheet",
                300,
                Box::new(|n| {
                    let filled = vec![vec!["word".to_owned()]; n * 4];
                    let numbers = std::iter::once(vec!["NHS".to_owned()]).chain((0..n).map(|_| vec![nhs()]));
                    sheets(vec![filled, numbers.collect()])
                }),
            ),
            (
                "numbers under a long heading",
                300,
                Box::new(|n| {
                    let heading = vec!["word ".repeat(n * 10), "NHS".to_owned()];
                    let rows = std::iter::once(heading).chain((0..n).map(|_| vec![nhs(), nhs()]));
                    sheets(vec![rows.collect()])
                }),
            ),
            (
                "names under a long heading",
                300,
                Box::new(|n| {
                    let heading = vec!["word ".repeat(n), "Notes".to_owned()];
                    let rows = std::iter::once(heading).chain((0..n).map(|n| vec![full(n), "has asthma".into()]));
                    sheets(vec![rows.collect()])
                }),
            ),
            (
                "numbers in one cell beside a long one",
                1_500,
                Box::new(|n| sheets(vec![vec![vec!["word ".repeat(n * 10), format!("{}, ", nhs()).repeat(n)]]])),
            ),
            (
                "forenames after full names",
                300,
                Box::new(|n| {
                    let names: Vec<String> = (0..n).map(full).chain((0..n).map(forename)).collect();
                    Document::of_text(Kind::Body, "body", names.join(".\n\n"))
                }),
            ),
            (
                "all on the second sheet",
                300,
                Box::new(|n| {
                    let names = (0..n).map(|n| vec![full(n), "has asthma".into()]).collect();
                    sheets(vec![vec![vec!["word".to_owned()]], names])
                }),
            ),
            (
                "one giant paragraph of names",
                300,
                Box::new(|n| paragraph((0..n).map(|n| format!("{} has asthma.", full(n))))),
            ),
            ("one giant paragraph of forenames", 300, Box::new(|n| paragraph((0..n).map(forename)))),
            (
                "one giant paragraph of labelled names",
                300,
                Box::new(|n| {
                    let labelled = |n| format!("Forename: {}, Surname: {}.", name("Quor", n), name("Zandor", n));
                    paragraph((0..n).map(labelled))
                }),
            ),
            (
                "one giant paragraph of forenames and middle names",
                300,
                Box::new(|n| paragraph((0..n).map(|n| format!("{} {} was in 9K.", forename(n), name("Mid", n))))),
            ),
            (
                "one giant paragraph of titles and surnames",
                300,
                Box::new(|n| paragraph((0..n).map(|n| format!("Miss {} (9K)", name("Zandor", n))))),
            ),
            (
                "one giant sentence of small letters",
                300,
                Box::new(|n| {
                    let said = (0..n).map(|n| format!("{} is on the way and", full(n).to_lowercase()));
                    paragraph(said)
                }),
            ),
            ("every cell a class", 300, Box::new(|n| sheets(vec![vec![vec!["9K".to_owned(); 4]; n]]))),
            (
                "every cell of one row a class",
                900,
                Box::new(|n| sheets(vec![vec![(0..n).map(|_| "9K".to_owned()).collect()]])),
            ),
            (
                "strangers with classes under headings",
                300,
                Box::new(|n| {
                    let heading = vec!["Pupil name".to_owned(), "Class".to_owned()];
                    let rows = (0..n).map(|n| vec![format!("{} Quist", name("Tom", n)), "9K".to_owned()]);
                    sheets(vec![std::iter::once(heading).chain(rows).collect()])
                }),
            ),
        ];
        for (what, size, document) in cases {
            grows(what, work(&school, &[document(size)]), work(&school, &[document(size * 2)]));
        }
    }

    #[test]
    fn twice_the_documents_take_twice_the_steps() {
        let school = school(1_200);
        let tiny = |n: usize| {
            let text = format!("{} {} has asthma.", name("Quor", n % 1_200), name("Zandor", n % 1_200));
            Document::of_text(Kind::Attachment, format!("{n}.txt"), text)
        };
        let documents = |n: usize| (0..n).map(tiny).collect::<Vec<_>>();
        grows("tiny documents", work(&school, &documents(500)), work(&school, &documents(1_000)));
    }

    #[test]
    fn twice_the_roster_takes_no_more_steps() {
        let (small, large) = (school(600), school(1_200));
        let full = |n: usize| format!("{} {}", name("Quor", n), name("Zandor", n));
        let said = (0..300).map(|n| format!("{} has asthma. {} is in 9K.", full(n), name("Quor", n)));
        let documents = [paragraph(said), sheets(vec![(0..300).map(|n| vec![full(n), "9K".into()]).collect()])];
        grows("roster", work(&small, &documents), work(&large, &documents));
    }

    #[test]
    fn what_stands_twice_is_read_once() {
        let school = school(3);
        let named = format!("{} {}", name("Quor", 1), name("Zandor", 1));
        let said = format!(
            "{named} came to the talk on diabetes in the hall after lunch.\n\nYour whole family is rotten and everybody in the village knows it."
        );
        let read = |bodies: usize| {
            let documents = vec![Document::of_text(Kind::Body, "body", said.clone()); bodies];
            READ.with(|all| all.set(0));
            let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
            assert!(found.offensive && found.pupils.len() == 1);
            READ.with(Cell::get)
        };
        let once = read(1);
        assert!(once > 1, "both models read");
        assert_eq!(read(2), once);
    }

    #[test]
    fn the_encoder_reads_what_would_change_something() {
        let school = school(3);
        let named = format!("{} {}", name("Quor", 1), name("Zandor", 1));
        let general = [
            "There is a talk on diabetes in the hall after lunch.",
            "The films about asthma and epilepsy came by post today.",
        ];
        let read = |text: String| {
            READ.with(|all| all.set(0));
            detect(
                &[Document::of_text(Kind::Body, "body", text)],
                &[],
                &school,
                &Correspondence::default(),
                &Halt::default(),
            );
            READ.with(Cell::get)
        };
        assert_eq!(read(general.join("\n\n").repeat(20)), 0, "of nobody");
        let known = format!("{named} has asthma and diabetes.");
        assert_eq!(read(format!("{known}\n\n{}", general.join("\n\n"))), 0, "of somebody of whom it is known");
        let list = sheets(vec![vec![vec!["Name".into(), "Notes".into()], vec![named.clone(), "diabetes".into()]]]);
        let spoken = format!("{named} came to the talk on diabetes in the hall after lunch.");
        let letter = Document::of_text(Kind::Body, "body", spoken.as_str());
        READ.with(|all| all.set(0));
        detect(&[letter, list], &[], &school, &Correspondence::default(), &Halt::default());
        assert_eq!(READ.with(Cell::get), 0, "of somebody of whom a list below says it");
        // For the phrase and for all that the sentence says, once.
        assert_eq!(read(spoken), 1);
    }

    /// Sentences of one paragraph.
    fn paragraph(sentences: impl Iterator<Item = String>) -> Document {
        Document::of_text(Kind::Body, "body", sentences.collect::<Vec<_>>().join(" "))
    }

    fn grows(what: &str, once: usize, twice: usize) {
        println!("{what}: {once} steps, then {twice}");
        assert!(once > 0, "{what}: nothing is counted");
        assert!(twice * 10 <= once * 22, "{what}: {once} steps, and of twice as much {twice}");
    }
}
