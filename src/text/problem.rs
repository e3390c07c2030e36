//! What is wrong with a file that a person wrote, and where in it: configuration and rule packs are refused whole, with every
//! problem at once.

use std::path::{Path, PathBuf};

/// Every problem of one file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct FileProblems(pub Vec<FileProblem>);

/// One problem, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file, or the name of one that is compiled in.
    pub file: PathBuf,
    /// Line and column from 1, where the problem has a place in the file.
    pub place: Option<(usize, usize)>,
    /// What is wrong, naming the key.
    pub problem: String,
}

impl FileProblems {
    /// The one problem of a file as a whole.
    pub fn one(file: &Path, problem: impl Into<String>) -> Self {
        Self(vec![FileProblem { file: file.to_owned(), place: None, problem: problem.into() }])
    }

    /// What keeps `text` from being TOML of the shape that is wanted.
    pub fn toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map(|span| line_and_column(text, span.start));
        let problem = error.message().trim().replace('\n', ", ");
        Self(vec![FileProblem { file: file.to_owned(), place, problem }])
    }
}

impl std::fmt::Display for FileProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Line and column, from 1, of a byte offset; columns count characters.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
