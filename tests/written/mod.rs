//! One pupil, one written form of the name, one thing said: the documents of a message.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

mod contexts;
mod documents;
pub mod floors;
mod strangers;
mod text;

pub use contexts::{CONTEXTS, Context};
use std::collections::HashMap;

use schoolgate::people::names::NAMES;
use schoolgate::people::{Pupil, School};
use schoolgate::text::{Block, Document, Kind};

use crate::support::Seeded;

/// A pupil to be named, and what is to be said.
pub struct Case<'a> {
    pub roster: &'a Roster,
    pub at: usize,
    pub context: &'a Context,
    pub rng: &'a mut Seeded,
}

/// The documents of a message; nothing where the form does not suit the name, or would leave more than one pupil.
pub type Write = fn(&mut Case) -> Option<Vec<Document>>;

/// A written form.
pub struct Form {
    pub name: &'static str,
    /// The form itself says something: a date of birth, an address.
    pub says: bool,
    pub write: Write,
}

const fn plain(name: &'static str, write: Write) -> Form {
    Form { name, says: false, write }
}

const fn saying(name: &'static str, write: Write) -> Form {
    Form { name, says: true, write }
}

/// Every form in which a pupil is meant.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    text::FORMS.iter().chain(documents::FORMS)
}

/// Every form that looks like a pupil's name and is none.
pub fn strangers() -> impl Iterator<Item = &'static (&'static str, Write)> {
    strangers::FORMS.iter()
}

/// As names are compared here: small letters without accents and marks.
pub fn folded(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let stripped = name.nfd().filter(|c| c.is_alphabetic() || *c == ' ' || *c == '-');
    stripped.flat_map(char::to_lowercase).map(|c| if c == '-' { ' ' } else { unstroked(c) }).collect()
}

/// Letters that no decomposition takes apart.
fn unstroked(c: char) -> char {
    match c {
        'ł' => 'l',
        'ı' => 'i',
        'ø' => 'o',
        'đ' => 'd',
        _ => c,
    }
}

/// A school, and who in it answers to which forename.
pub struct Roster {
    pub school: School,
    /// Pupils by their own forenames.
    own: HashMap<String, Vec<usize>>,
    /// Pupils by the short forms of these.
    short: HashMap<String, Vec<usize>>,
}

impl Roster {
    pub fn new(school: School) -> Self {
        let (mut own, mut short) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (at, pupil) in school.pupils.iter().enumerate() {
            for forename in pupil.forenames() {
                own.entry(folded(forename)).or_default().push(at);
                for form in NAMES.short_forms(forename) {
                    short.entry(folded(form)).or_default().push(at);
                }
            }
        }
        Self { school, own, short }
    }

    /// Who is called so, or by a name of which one is short for the other.
    fn called(&self, forename: &str) -> impl Iterator<Item = usize> {
        let name = folded(forename);
        let longer = NAMES.short_forms(forename).iter().filter_map(|form| self.own.get(&folded(form)));
        [self.own.get(&name), self.short.get(&name)].into_iter().flatten().chain(longer).flatten().copied()
    }
}

/// Whether a word of one surname is a word of the other.
fn is_kin(a: &str, b: &str) -> bool {
    let (a, b) = (folded(a), folded(b));
    a.split(' ').any(|part| b.split(' ').any(|other| part == other))
}

impl<'a> Case<'a> {
    pub fn school(&self) -> &'a School {
        &self.roster.school
    }

    pub fn pupil(&self) -> &'a Pupil {
        &self.school().pupils[self.at]
    }

    fn forename(&self) -> &'a str {
        &self.pupil().forename
    }

    fn surname(&self) -> &'a str {
        &self.pupil().surname
    }

    fn full(&self) -> String {
        format!("{} {}", self.forename(), self.surname())
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        self.rng.pick::<&str>(of)
    }

    /// Nobody else is called so and fits the rest.
    fn alone(&self, forename: &str, fits: impl Fn(&Pupil) -> bool) -> bool {
        !self.roster.called(forename).any(|at| at != self.at && fits(&self.school().pupils[at]))
    }

    /// The name, in either order, is nobody else's.
    pub fn has_own_name(&self) -> bool {
        self.alone(self.forename(), |other| is_kin(&other.surname, self.surname()))
            && self.alone(self.surname(), |other| is_kin(&other.surname, self.forename()))
    }

    fn said(&self) -> &'static str {
        self.context.said
    }

    fn fact(&self) -> &'static str {
        self.context.fact
    }

    /// The name in a sentence of the body.
    fn told(&mut self, name: &str) -> Vec<Document> {
        let before = self.one(&["", "", "We wanted you to know that ", "Just to let you know: ", "As of today "]);
        self.mail("Update", &format!("{before}{name} {}", self.said()))
    }

    /// The name as the body's own line, with what is said below.
    fn headed(&self, line: &str) -> Vec<Document> {
        self.mail("Update", &format!("{line}\n\n{}", self.fact()))
    }

    fn mail(&self, subject: &str, text: &str) -> Vec<Document> {
        let body = format!("Hello,\n\n{text}\n\nKind regards\n\nThe school office");
        vec![Document::of_text(Kind::Subject, "subject", subject), letter(Kind::Body, "body", &body)]
    }
}

fn letter(kind: Kind, place: &str, text: &str) -> Document {
    Document { kind, place: place.into(), blocks: text.split("\n\n").map(Block::paragraph).collect() }
}

fn attached(name: &str, text: &str) -> [Document; 2] {
    let place = format!("{name}.docx");
    [Document::of_text(Kind::FileName, place.clone(), name), letter(Kind::Attachment, &place, text)]
}
