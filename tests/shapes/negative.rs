//! The same shapes without a pupil of the roster: what must go out.

use super::{Content, Roster, Shape};
use crate::support::Seeded;

/// Why there is no pupil in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Headings with nothing under them.
    Blank,
    /// Figures by group.
    Statistics,
    /// Names that nobody here has, some with a forename that is a word.
    OtherPeople,
    /// The school's own staff, those left out who share a name with a pupil.
    Staff,
    /// Authors and titles.
    Books,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Blank, Kind::Statistics, Kind::OtherPeople, Kind::Staff, Kind::Books];
}

const FORENAMES: &[&str] = &[
    "Corwin",
    "Isolde",
    "Bertram",
    "Leontyne",
    "Cosmo",
    "Ottoline",
    "Peregrine",
    "Sunniva",
    "Tancred",
    "Will",
    "May",
    "Grace",
    "Hope",
    "Mark",
    "Rose",
    "Summer",
    "Joy",
    "Penny",
    "Hunter",
    "Miles",
];
const SURNAMES: &[&str] = &[
    "Quillfeather",
    "Thistlewood",
    "Ravensbourne",
    "Abernethy",
    "Featherstonehaugh",
    "Pettigrew",
    "Mandeville",
    "Oglethorpe",
    "Trelawney",
    "Vavasour",
    "Wolstenholme",
    "Yelverton",
];
const BOOKS: &[[&str; 3]] = &[
    ["Harper Lee", "To Kill a Mockingbird", "30"],
    ["Emily Brontë", "Wuthering Heights", "30"],
    ["Charlotte Brontë", "Jane Eyre", "15"],
    ["William Blake", "Songs of Innocence and of Experience", "12"],
    ["Mary Shelley", "Frankenstein", "60"],
    ["Wilfred Owen", "The War Poems", "10"],
    ["Daisy Meadows", "Rainbow Magic: the Weather Fairies", "6"],
    ["John Steinbeck", "Of Mice and Men", "28"],
    ["Michael Morpurgo", "War Horse", "31"],
];

/// A message of this shape, and nobody of this roster in it.
pub fn negative(shape: Shape, kind: Kind, roster: &Roster, rng: &mut Seeded) -> Content {
    let columns: &[&str] = match shape {
        Shape::ClassList => &["Name", "Class", "DOB"],
        Shape::SenRegister => &["Name", "Class", "SEN status", "Primary need"],
        Shape::EhcpLetter => &["Name", "Diagnosis", "Provision"],
        Shape::Ctf | Shape::Census => &["UPN", "Name", "Ethnicity", "FSM eligible"],
        Shape::Attendance => &["Name", "% attendance", "Lates"],
        Shape::Safeguarding => &["Name", "Concern", "Action taken"],
        Shape::TripMedical => &["Name", "Medical", "Diet"],
        Shape::ExamEntries => &["Name", "Candidate no", "Paper"],
        Shape::ParentThread => &["Name", "Complaint", "Reply"],
    };
    let mut content = Content {
        subject: "for you".into(),
        title: title(shape).into(),
        covering: "Here you are. It will do for May.".into(),
        ..Content::default()
    };
    let heads = |columns: &[&str]| columns.iter().map(|&c| c.to_owned()).collect::<Vec<_>>();
    match kind {
        Kind::Blank => {
            content.table.push(heads(columns));
            (0..6).for_each(|_| content.table.push(vec![String::new(); columns.len()]));
        }
        Kind::Statistics => {
            content.table.push(heads(&["Form", "On roll", columns[columns.len() - 1], "Change"]));
            for form in roster.forms() {
                let cells =
                    [form, (8 + rng.below(20)).to_string(), rng.below(12).to_string(), format!("+{}", rng.below(4))];
                content.table.push(cells.into());
            }
        }
        Kind::OtherPeople => {
            content.table.push(heads(columns));
            for _ in 0..4 + rng.below(14) {
                let (forename, surname) = (*rng.pick(FORENAMES), *rng.pick(SURNAMES));
                assert!(!roster.has(forename, surname), "{forename} {surname} is a pupil");
                let mut row = vec![format!("{forename} {surname}")];
                row.extend(columns[1..].iter().map(|_| (*rng.pick(&["–", "see file", "n/a", "Hornbeam"])).to_owned()));
                content.table.push(row);
            }
        }
        Kind::Staff => {
            content.table.push(heads(&["Title", "Forename", "Surname", "Role", "E-mail"]));
            for adult in roster.staff.iter().filter(|a| !roster.has(&a.forename, &a.surname)) {
                let cells =
                    [&adult.title, &adult.forename, &adult.surname, &adult.note, &adult.email].map(String::clone);
                content.table.push(cells.into());
            }
        }
        Kind::Books => {
            content.title = "Book order".into();
            content.table.push(heads(&["Author", "Title", "Copies"]));
            for book in BOOKS.iter().filter(|_| !rng.one_in(4)) {
                content.table.push(book.map(String::from).into());
            }
        }
    }
    content
}

fn title(shape: Shape) -> &'static str {
    match shape {
        Shape::ClassList => "Class list",
        Shape::SenRegister => "SEN register",
        Shape::EhcpLetter => "Education, Health and Care Plans",
        Shape::Ctf | Shape::Census => "School census",
        Shape::Attendance => "Attendance report",
        Shape::Safeguarding => "Cause for concern",
        Shape::TripMedical => "Residential: medical list",
        Shape::ExamEntries => "Exam entries",
        Shape::ParentThread => "Complaints log",
    }
}
