//! A seeded generator of the bulk shapes in which pupils' data leaves a school, each with its label: which pupils of the
//! roster are identified, and how much is said of each. Every shape has a matched negative: the same layout without a
//! pupil of the roster.
//!
//! It knows the lists of `fixtures/` and the words of policy, never the product's own rules.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code, unused_imports)]

mod content;
mod files;
mod negative;
mod roster;

use std::collections::BTreeMap;

pub use content::positive;
pub use files::{Form, message};
pub use negative::{Kind, negative};
pub use roster::{Adult, Pupil, Roster};

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    ClassList,
    SenRegister,
    EhcpLetter,
    /// Common Transfer File.
    Ctf,
    Census,
    Attendance,
    Safeguarding,
    TripMedical,
    ExamEntries,
    ParentThread,
}

impl Shape {
    pub const ALL: [Shape; 10] = [
        Shape::ClassList,
        Shape::SenRegister,
        Shape::EhcpLetter,
        Shape::Ctf,
        Shape::Census,
        Shape::Attendance,
        Shape::Safeguarding,
        Shape::TripMedical,
        Shape::ExamEntries,
        Shape::ParentThread,
    ];

    /// The forms it comes in: a letter is no spreadsheet, and a transfer file is always XML.
    pub fn forms(self) -> &'static [Form] {
        match self {
            Shape::EhcpLetter | Shape::Safeguarding | Shape::ParentThread => &[Form::Text, Form::Html, Form::Docx],
            Shape::Ctf => &[Form::Csv],
            Shape::Census => &[Form::Csv, Form::Xlsx],
            _ => &Form::ALL,
        }
    }
}

/// What a message says, before it is put into a form.
#[derive(Debug, Default)]
pub struct Content {
    pub subject: String,
    /// Heading of the list or letter.
    pub title: String,
    /// The words that go with it.
    pub covering: String,
    pub prose: Vec<String>,
    /// First row: the headings.
    pub table: Vec<Vec<String>>,
    /// A transfer file instead.
    pub xml: Option<String>,
    /// Pupils identified: roster id to tier.
    pub wanted: BTreeMap<String, &'static str>,
}
