//! Bytes to rows of cells: encoding, separator, and the heading row wherever it stands.
//!
//! School systems print titles above the heading, write UTF-16 or Windows-1252, and separate by comma, semicolon or tab;
//! nothing in the file says which. The heading is the row of the first few that has most headings we know.

use std::path::Path;

use super::columns::{self, Column};
use super::{ImportError, Place, RowFault};
use crate::limits;
use crate::message::decode_text;

/// A file as rows.
pub struct Sheet {
    /// The heading, cell by cell, as written.
    pub heading: Vec<String>,
    /// What each column of the heading means.
    pub columns: Vec<Column>,
    /// Line and cells of each row below the heading that is not blank.
    pub rows: Vec<(u64, Vec<String>)>,
    /// Rows that could not be read rightly.
    pub faults: Vec<RowFault>,
}

/// Text of a file of which nothing is declared: by byte order mark, as UTF-16 by its zero bytes, as UTF-8, else as
/// Windows-1252. Where a few bytes spoil a text that is otherwise UTF-8 they become U+FFFD, and are reported.
pub fn decode(bytes: &[u8]) -> String {
    let text = decode_text(bytes, Some("windows-1252"));
    if std::str::from_utf8(bytes).is_ok() || bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return text;
    }
    let lossy = String::from_utf8_lossy(bytes);
    let bad = lossy.chars().filter(|&c| c == '\u{fffd}').count();
    let good = lossy.chars().filter(|&c| !c.is_ascii() && c != '\u{fffd}').count();
    // Two accented letters in a row that happen to be UTF-8 are rare in Western text: many mean that it is UTF-8.
    if good > 3 * bad { lossy.into_owned() } else { text }
}

/// Rows of the text by one separator: line and cells. Blank rows are left out.
fn rows(text: &str, separator: u8, most: usize) -> Vec<(u64, Vec<String>)> {
    let rows = crate::people::rows::rows(text, separator, most).into_iter();
    rows.map(|(line, record)| (line, record.iter().map(str::to_owned).collect())).collect()
}

/// The separator and the place of the heading among the rows; the most headings known win, then the first.
fn find_heading(text: &str) -> Option<(u8, usize)> {
    let mut best: Option<(usize, u8, usize)> = None;
    for separator in [b',', b';', b'\t', b'|'] {
        for (at, (_, cells)) in rows(text, separator, limits::ROSTER_TITLE_ROWS).iter().enumerate() {
            let score = columns::score(cells);
            if score > best.map_or(0, |(score, ..)| score) {
                best = Some((score, separator, at));
            }
        }
    }
    best.map(|(_, separator, at)| (separator, at))
}

/// Reads a file.
pub fn read(file: &Path, bytes: &[u8]) -> Result<Sheet, ImportError> {
    let text = decode(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let unusable = |problem| ImportError::Unusable { file: file.to_owned(), problem };
    let (separator, at) = find_heading(text).ok_or_else(|| {
        unusable(
            "no heading row is known: columns such as Surname, Forename, UPN, Date of Birth and Email are looked for",
        )
    })?;
    let mut rows = rows(text, separator, usize::MAX);
    let heading = rows.remove(at).1;
    rows.drain(..at);
    let columns = columns::meanings(&heading);
    let mut faults = Vec::new();
    let lines = text.lines().count() as u64 + 1;
    for (at, (line, cells)) in rows.iter().enumerate() {
        let place = |column: usize| Place {
            file: file.to_owned(),
            row: *line,
            column: columns.get(column).map_or_else(|| letter(column), |c| c.label.clone()),
        };
        let next = rows.get(at + 1).map_or(lines, |(next, _)| *next);
        if next.saturating_sub(*line) > limits::ROSTER_ROW_LINES
            && let Some(column) = cells.iter().position(|cell| cell.lines().count() as u64 > limits::ROSTER_ROW_LINES)
        {
            faults.push(place(column).fault("a quotation mark is not closed; the lines below it are missing"));
        }
        if let Some(column) = cells.iter().position(|cell| cell.contains('\u{fffd}')) {
            faults.push(place(column).fault("has characters that cannot be read; save the file as 'CSV UTF-8'"));
        }
        let extra = cells.iter().skip(heading.len()).position(|cell| !cell.is_empty());
        if let Some(extra) = extra {
            faults.push(place(heading.len() + extra).fault("stands beyond the last heading; columns may have moved"));
        }
    }
    Ok(Sheet { heading, columns, rows, faults })
}

/// `column C`, `column AB`.
pub fn letter(mut at: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.insert(0, char::from(b'A' + u8::try_from(at % 26).unwrap_or(0)));
        match at / 26 {
            0 => return format!("column {letters}"),
            rest => at = rest - 1,
        }
    }
}
