//! Bytes to rows of cells: encoding, separator, and the heading row wherever it stands.
//!
//! School systems print titles above the heading, write UTF-16 or Windows-1252, and separate by comma, semicolon or tab;
//! nothing in the file says which. The heading is the row of the first few that has most headings we know.

use std::path::Path;

use super::columns::{self, Column};
use super::{ImportError, Place, RowFault};
use crate::limits;
use crate::message::decode_text;
use crate::people::rows::{self, Remark, letter};

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
    /// What was put right, and what was passed over.
    pub notes: Vec<RowFault>,
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

/// The separator, and the line of the heading; the most headings known win, then the first.
fn find_heading(text: &str) -> Option<(u8, u64)> {
    let mut best: Option<(usize, u8, u64)> = None;
    for separator in [b',', b';', b'\t', b'|'] {
        for (line, cells) in rows::start(text, separator, limits::ROSTER_TITLE_ROWS) {
            let score = columns::score(&strings(&cells));
            if score > best.map_or(0, |(score, ..)| score) {
                best = Some((score, separator, line));
            }
        }
    }
    best.map(|(_, separator, line)| (separator, line))
}

/// Reads a file.
pub fn read(file: &Path, bytes: &[u8]) -> Result<Sheet, ImportError> {
    let text = decode(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let unusable = |problem| ImportError::Unusable { file: file.to_owned(), problem };
    let (separator, line) = find_heading(text).ok_or_else(|| {
        unusable(
            "no heading row is known: columns such as Surname, Forename, UPN, Date of Birth and Email are looked for",
        )
    })?;
    let table = rows::table(text, separator, Some(line)).without_furniture();
    let heading = strings(&table.heading);
    let columns = columns::meanings(&heading);
    let place = |row: u64, column: usize| Place {
        file: file.to_owned(),
        row,
        column: columns.get(column).map_or_else(|| letter(column), |c| c.label.clone()),
    };
    let said = |remark: &Remark| place(remark.line, remark.column).fault(remark.words);
    let mut faults: Vec<RowFault> = table.faults.iter().map(said).collect();
    let notes = table.notes.iter().map(said).collect();
    let rows: Vec<(u64, Vec<String>)> = table.rows.iter().map(|(line, cells)| (*line, strings(cells))).collect();
    for (line, cells) in &rows {
        if let Some(column) = cells.iter().position(|cell| cell.contains('\u{fffd}')) {
            let problem = "has characters that cannot be read; save the file as 'CSV UTF-8'";
            faults.push(place(*line, column).fault(problem));
        }
        let extra = cells.iter().skip(heading.len()).position(|cell| !cell.is_empty());
        if let Some(extra) = extra {
            let problem = "stands beyond the last heading; columns may have moved";
            faults.push(place(*line, heading.len() + extra).fault(problem));
        }
    }
    Ok(Sheet { heading, columns, rows, faults, notes })
}

fn strings(record: &csv::StringRecord) -> Vec<String> {
    record.iter().map(str::to_owned).collect()
}
