//! Labelled lines: `meaning/*.tsv` and `meaning/everyday/*.tsv`, and `meaning/background.tsv` for lines that have nothing to do with schools.

use std::path::{Path, PathBuf};

use super::features::{PUPIL, words};
use super::{NONE, tier};
use crate::text::TextBuf;

/// A name that is a name and nothing else.
const STAND_IN_NAME: &str = "Tamsin";

/// One labelled line.
#[derive(Debug, Clone)]
pub struct Example {
    /// With `@` for the pupil's name.
    pub text: String,
    /// `none` or a category.
    pub category: String,
    /// Paraphrases of one thing: never on both sides of a trial.
    pub group: String,
    /// A line of no school, into which a name is put.
    pub background: bool,
    /// A heading with its cell: no prose.
    pub heading: bool,
}

/// Why a data file is refused.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Cannot be read.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// A line of another shape or an unknown category.
    #[error("{0}:{1}: {2}")]
    Line(PathBuf, usize, &'static str),
}

/// Reads files with a row of headings: `text category group kind`, or `text source licence`.
///
/// # Errors
/// Where a file cannot be read, or a line is of another shape or has a category that the program does not know.
pub fn read(files: &[PathBuf]) -> Result<Vec<Example>, DataError> {
    read_known(files, |category| tier(category).is_some())
}

/// The same, of other categories.
///
/// # Errors
/// As [`read`].
pub(in crate::detect) fn read_known(
    files: &[PathBuf],
    known: impl Fn(&str) -> bool,
) -> Result<Vec<Example>, DataError> {
    let mut out = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| DataError::File(file.clone(), error))?;
        read_one(file, &text, &known, &mut out)?;
    }
    Ok(out)
}

fn read_one(file: &Path, text: &str, known: &impl Fn(&str) -> bool, out: &mut Vec<Example>) -> Result<(), DataError> {
    let mut lines = text.lines().enumerate();
    let head = lines.next().map(|(_, head)| head.split('\t').collect::<Vec<_>>()).unwrap_or_default();
    let background = head.get(1).is_some_and(|second| !matches!(*second, "category" | "kind"));
    for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let wrong = |why| DataError::Line(file.to_owned(), at + 1, why);
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != head.len() {
            return Err(wrong("another number of columns than the headings"));
        }
        let (category, group) = if background {
            (NONE, format!("background/{}", cells[0]))
        } else {
            let category = if cells[1].ends_with("-denied") { NONE } else { cells[1] };
            (category, cells.get(2).ok_or_else(|| wrong("no group"))?.to_string())
        };
        if category != NONE && !known(category) {
            return Err(wrong("an unknown category"));
        }
        out.push(Example {
            text: cells[0].to_owned(),
            category: category.to_owned(),
            group,
            background,
            heading: cells.get(3) == Some(&"heading"),
        });
    }
    Ok(())
}

impl Example {
    /// With a name that no roster knows in place of the pupil's.
    pub(in crate::detect) fn unnamed(&self) -> Self {
        Self { text: self.text.replace(PUPIL, STAND_IN_NAME), ..self.clone() }
    }

    /// The line's words as a model sees them.
    pub fn words(&self) -> Vec<String> {
        // A word that is in no line stands for the mask, which itself is no word.
        const STAND_IN: &str = "Qzxq";
        let text = self.text.replace(PUPIL, STAND_IN);
        let text = TextBuf::new(&text);
        let text = text.text();
        let named = |at: usize| text.word(at).starts_with("qzxq");
        words(&text, 0, text.tokens.len(), !self.heading, named).into_iter().map(str::to_owned).collect()
    }

    /// A line of no school with the mask put in: for its subject, else at one of its words.
    pub fn with_name(&self, place: u64) -> Self {
        let mut parts: Vec<&str> = self.text.split(' ').collect();
        let subject = parts.iter().position(|word| matches!(word.to_lowercase().as_str(), "he" | "she" | "him"));
        match subject {
            Some(at) => parts[at] = PUPIL,
            None => {
                let many = u64::try_from(parts.len()).unwrap_or(1);
                parts.insert(usize::try_from(place % many).unwrap_or_default(), PUPIL);
            }
        }
        Self { text: parts.join(" "), ..self.clone() }
    }
}
