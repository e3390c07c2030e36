//! Children who are on no list of the school, by the table that lists them: an incoming class, a visiting school.
//!
//! Each row is a child that holds a name beside a date of birth, a class, a year, a UPN or a parent's contact, in a table
//! of ten or more such rows of which a heading or the birth dates say that they are children. A row with somebody of the
//! roster, or with an adult of the school, is none: that one is found by name.

use hashbrown::{HashMap, HashSet};

use super::dates;
use super::identifiers::{Number, Whose};
use super::names::Mention;
use super::scene::Scene;
use super::words::{TITLES, is};
use crate::limits;
use crate::people::School;
use crate::text::Text;
use crate::text::normalise::{Case, TokenKind};

/// What a column holds, by its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// A whole name, of children where the heading says so.
    Name {
        of_children: bool,
    },
    Forename,
    Surname,
    Birth,
    /// Class, year, UPN, or a parent's contact.
    Other,
}

const CHILDREN: &[&str] = &["pupil", "pupils", "child", "children", "student", "students", "learner", "learners"];
const FORENAME: &[&str] = &["forename", "forenames", "first", "given"];
const SURNAME: &[&str] = &["surname", "last", "family"];
const BIRTH: &[&str] = &["dob", "birth", "born", "birthday", "birthdate"];
const PARENT: &[&str] =
    &["parent", "parents", "guardian", "carer", "mother", "father", "mum", "dad", "contact", "emergency"];
const PLACED: &[&str] = &["class", "form", "year", "tutor", "reg", "registration", "yr", "upn"];
/// A child's things that have names of their own.
const NOT_THEIRS: &[&str] =
    &["school", "teacher", "services", "id", "number", "no", "notes", "needs", "email", "mail", "phone", "address"];

/// One cell of each row that is a child on no list, in document order.
pub(super) fn children(scene: &Scene<'_>, school: &School, mentions: &[Mention], numbers: &[Number]) -> Vec<usize> {
    let named: HashSet<_> =
        mentions.iter().filter(|m| !m.pupils.is_empty()).filter_map(|m| row_of(scene, m.line)).collect();
    // A number of the roster names its pupil; any other UPN or ULN is counted as an unlisted pupil by itself.
    let counted = |n: &&Number| matches!(n.whose, Whose::Pupil(_)) || matches!(n.kind, "upn" | "uln");
    let numbered: HashSet<_> = numbers.iter().filter(counted).filter_map(|n| row_of(scene, n.line)).collect();
    let born = school
        .index()
        .years_of_birth()
        .map(|(first, last)| (first - limits::UNLISTED_OLDER, last + limits::UNLISTED_YOUNGER));
    let mut found = Vec::new();
    let mut columns = Columns::default();
    let mut start = 0;
    while start < scene.lines.len() {
        let table = |at: usize| scene.lines[at].cell().map(|_| (scene.lines[at].document(), scene.lines[at].block()));
        let end = (start..scene.lines.len()).find(|&at| table(at) != table(start)).unwrap_or(scene.lines.len());
        if table(start).is_some() {
            let (mut by_heading, mut by_birth, mut of_children) = (Vec::new(), Vec::new(), false);
            let mut row_start = start;
            while row_start < end {
                let row = |at: usize| scene.lines[at].cell().map(|(row, _)| row);
                let row_end = (row_start..end).find(|&at| row(at) != row(row_start)).unwrap_or(end);
                let listed =
                    row_of(scene, row_start).is_some_and(|row| named.contains(&row) || numbered.contains(&row));
                if !listed && let Some(child) = child(scene, school, &mut columns, row_start..row_end, born) {
                    of_children |= child.said;
                    by_heading.push(child.cell);
                    by_birth.extend(child.young.then_some(child.cell));
                }
                row_start = row_end;
            }
            let rows = if of_children { by_heading } else { by_birth };
            if rows.len() >= limits::UNLISTED_ROWS {
                found.extend(rows);
            }
        }
        start = end;
    }
    found
}

/// Document, block and row of a cell.
fn row_of(scene: &Scene<'_>, line: usize) -> Option<(usize, usize, usize)> {
    let line = &scene.lines[line];
    line.cell().map(|(row, _)| (line.document(), line.block(), row))
}

/// A row that holds a name and something that goes with a child.
struct Child {
    cell: usize,
    /// The heading of the name says that they are children.
    said: bool,
    /// The date of birth is a child's.
    young: bool,
}

fn child(
    scene: &Scene<'_>,
    school: &School,
    columns: &mut Columns,
    row: std::ops::Range<usize>,
    born: Option<(i16, i16)>,
) -> Option<Child> {
    let (mut name, mut forename, mut surname, mut beside, mut said, mut young) =
        (None, None, None, false, false, false);
    for at in row {
        match columns.of(scene, at) {
            Some(Column::Name { of_children }) if written_as_name(scene, at, 2) => {
                name.get_or_insert(at);
                said |= of_children;
            }
            Some(Column::Forename) if written_as_name(scene, at, 1) => forename = forename.or(Some(at)),
            Some(Column::Surname) if written_as_name(scene, at, 1) => surname = surname.or(Some(at)),
            Some(Column::Birth) => dates::dates(&scene.lines[at].text, |_, _, date| {
                beside = true;
                young |= born.is_some_and(|(first, last)| (first..=last).contains(&date.year()));
            }),
            Some(Column::Other) => beside = true,
            _ => {}
        }
    }
    let run = |at: usize| scene.lines[at].text.run(0, scene.lines[at].text.tokens.len());
    let cell = match (name, forename, surname) {
        (_, Some(forename), Some(surname)) => {
            (school.index().adults(run(forename), run(surname)).is_empty()).then_some(forename)
        }
        (Some(name), ..) => {
            let text = &scene.lines[name].text;
            let adult = (1..text.tokens.len()).any(|cut| {
                let (first, second) = (text.run(0, cut), text.run(cut, text.tokens.len()));
                !school.index().adults(first, second).is_empty() || !school.index().adults(second, first).is_empty()
            });
            (!adult).then_some(name)
        }
        _ => None,
    };
    cell.filter(|_| beside).map(|cell| Child { cell, said, young })
}

/// So many words or a few more, none of them small, and no title before.
fn written_as_name(scene: &Scene<'_>, at: usize, words: usize) -> bool {
    let text = &scene.lines[at].text;
    (words..=words + 2).contains(&text.tokens.len())
        && text.tokens.iter().all(|token| token.kind == TokenKind::Word && token.case != Case::Lower)
        && !is(TITLES, text.word(0))
}

/// What the columns of the message hold, by the lines of their headings: each heading is read once.
#[derive(Default)]
struct Columns(HashMap<usize, Option<Column>>);

impl Columns {
    fn of(&mut self, scene: &Scene<'_>, at: usize) -> Option<Column> {
        let heading = scene.column_heading(at)?;
        *self.0.entry(heading).or_insert_with(|| column(&scene.lines[heading].text))
    }
}

fn column(heading: &Text<'_>) -> Option<Column> {
    let has = |words: &[&str]| {
        heading.tokens.iter().any(|token| {
            let word = heading.norm(token);
            words.contains(&word.strip_suffix("'s").unwrap_or(word))
        })
    };
    let (of_children, of_parents) = (has(CHILDREN), has(PARENT));
    Some(match () {
        () if has(BIRTH) || heading.folded().trim() == "d.o.b." => Column::Birth,
        () if of_parents || has(PLACED) => Column::Other,
        () if has(NOT_THEIRS) => return None,
        () if has(FORENAME) => Column::Forename,
        () if has(SURNAME) => Column::Surname,
        () if of_children || has(&["name", "names"]) => Column::Name { of_children },
        () => return None,
    })
}
