//! Rosters as schools have them, to one [`Roster`]: reports and exports of SIMS, Arbor, Bromcom and others as CSV,
//! OneRoster 1.1 and 1.2 bundles (a folder or a ZIP archive), and Common Transfer Files.
//!
//! Each reader turns its format into the same typed rows ([`Rows`]); [`gather`](self) then puts them together: rows of
//! one pupil become one pupil with every name that was written, siblings share one guardian. A row that is wrong is a
//! [`RowFault`] by file, line and column, never by its value, and everything else loads. Only a file of which
//! nothing can be used stops the import.
//!
//! Never knows where a roster is kept, nor messages.

mod columns;
mod ctf;
mod diff;
mod gather;
mod oneroster;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod told_tests;
mod values;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use diff::{Change, Diff};

use super::answers::{self, Bar};
use super::foreign::foreign;
use super::{Guardian, Pupil, RowFault, Staff};
use crate::limits;

/// Everybody whom an import knows. Serialised, it is what is kept sealed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    /// Everybody on roll.
    pub pupils: Vec<Pupil>,
    /// Their guardians, by place in `pupils`.
    pub guardians: Vec<Guardian>,
    /// The staff directory, where the sources have one.
    pub staff: Vec<Staff>,
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Any CSV file with a heading row.
    Csv,
    /// A CSV report of SIMS.
    Sims,
    /// A CSV report of Arbor.
    Arbor,
    /// A CSV report of Bromcom.
    Bromcom,
    /// A OneRoster CSV bundle, 1.1 or 1.2: a folder or a ZIP archive.
    Oneroster,
    /// A Common Transfer File of the Department for Education.
    Ctf,
}

impl Format {
    /// As reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Sims => "SIMS CSV",
            Self::Arbor => "Arbor CSV",
            Self::Bromcom => "Bromcom CSV",
            Self::Oneroster => "OneRoster",
            Self::Ctf => "CTF",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "sims" => Ok(Self::Sims),
            "arbor" => Ok(Self::Arbor),
            "bromcom" => Ok(Self::Bromcom),
            "oneroster" => Ok(Self::Oneroster),
            "ctf" => Ok(Self::Ctf),
            _ => Err("the formats are csv, sims, arbor, bromcom, oneroster and ctf"),
        }
    }
}

/// A source of which nothing can be used.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Cannot be opened or read.
    #[error("{} cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Larger than [`limits::ROSTER_FILE`].
    #[error("{} is larger than {} MiB", file.display(), limits::ROSTER_FILE / (1024 * 1024))]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// Not what it seemed, or a part of it is missing.
    #[error("{}: {problem}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What is wrong, in plain words.
        problem: &'static str,
    },
}

/// What became of one source.
#[derive(Debug, Clone)]
pub struct SourceReport {
    /// The file or folder.
    pub file: PathBuf,
    /// As recognised, or as told.
    pub format: Format,
    /// Rows of pupils that were read.
    pub pupils: usize,
    /// Contacts that were read; siblings each name theirs.
    pub contacts: usize,
    /// Rows of staff that were read.
    pub staff: usize,
}

/// What an import gives.
#[derive(Debug)]
pub struct Imported {
    /// Everybody, put together.
    pub roster: Roster,
    /// In the order of the sources.
    pub sources: Vec<SourceReport>,
    /// In the order of the sources, then of their lines.
    pub faults: Vec<RowFault>,
    /// What was put right in a row, and rows of a report that list nobody; in the same order.
    pub notes: Vec<RowFault>,
    /// Kinds that no source speaks of, and that were taken from the earlier roster: `guardians`, `staff`, `pupils`, `court
    /// orders`.
    pub kept: Vec<&'static str>,
}

/// Reads every source and puts them together. A kind of people (pupils, guardians, staff) that no source speaks of is taken
/// from the `earlier` roster, and so is who is kept from whom: an export without that column ends no court order.
pub fn import(sources: &[PathBuf], format: Option<Format>, earlier: Option<&Roster>) -> Result<Imported, ImportError> {
    let mut all = Rows::default();
    let mut reports = Vec::new();
    for file in sources {
        let (format, rows) = read(file, format)?;
        reports.push(SourceReport {
            file: file.clone(),
            format,
            pupils: rows.pupils.len(),
            contacts: rows.contacts.len(),
            staff: rows.staff.len(),
        });
        all.append(rows);
    }
    let notes = std::mem::take(&mut all.notes);
    let (roster, faults, kept) = gather::gather(all, earlier);
    Ok(Imported { roster, sources: reports, faults, notes, kept })
}

fn read(file: &Path, format: Option<Format>) -> Result<(Format, Rows), ImportError> {
    let unreadable = |source| ImportError::Unreadable { file: file.to_owned(), source };
    let about = std::fs::metadata(file).map_err(unreadable)?;
    if about.is_dir() {
        return Ok((Format::Oneroster, oneroster::folder(file)?));
    }
    let bytes = bytes_of(file)?;
    if let Some(problem) = foreign(&bytes) {
        return Err(ImportError::Unusable { file: file.to_owned(), problem });
    }
    match format.unwrap_or_else(|| guess(&bytes)) {
        Format::Oneroster => Ok((Format::Oneroster, oneroster::archive(file, &bytes)?)),
        Format::Ctf => Ok((Format::Ctf, ctf::read(file, &bytes)?)),
        _ => {
            let (guessed, rows) = table::read(file, &bytes)?;
            Ok((format.unwrap_or(guessed), rows))
        }
    }
}

/// By content: an archive, XML, or else rows of text.
fn guess(bytes: &[u8]) -> Format {
    if bytes.starts_with(b"PK\x03\x04") {
        return Format::Oneroster;
    }
    let head = sheet::decode(&bytes[..bytes.len().min(1024)]);
    if head.trim_start_matches(['\u{feff}', ' ', '\r', '\n']).starts_with('<') { Format::Ctf } else { Format::Csv }
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, ImportError> {
    let unreadable = |source| ImportError::Unreadable { file: file.to_owned(), source };
    let about = std::fs::metadata(file).map_err(unreadable)?;
    if about.len() > limits::ROSTER_FILE {
        return Err(ImportError::TooLarge { file: file.to_owned() });
    }
    std::fs::read(file).map_err(unreadable)
}

/// Where a row stands, and how its file names a column of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    file: PathBuf,
    row: u64,
    /// The column to name when the row as a whole is at fault.
    column: String,
}

impl Place {
    fn fault(&self, problem: &'static str) -> RowFault {
        RowFault { file: self.file.clone(), row: self.row, column: self.column.clone().into(), problem }
    }
}

/// What the readers produce: typed rows, not yet put together.
#[derive(Debug, Default)]
struct Rows {
    pupils: Vec<PupilRow>,
    contacts: Vec<ContactRow>,
    staff: Vec<(Place, Staff)>,
    faults: Vec<RowFault>,
    notes: Vec<RowFault>,
    /// A column says who is kept from whom.
    tells_bars: bool,
}

#[derive(Debug)]
struct PupilRow {
    at: Place,
    /// `id` may be empty.
    pupil: Pupil,
    /// UPN that the pupil had before; another file may still have it.
    former_upn: Option<String>,
}

#[derive(Debug)]
struct ContactRow {
    at: Place,
    /// `id` and `email` may be empty, `pupils` is.
    guardian: Guardian,
    /// Further mailboxes of the same person.
    more_emails: Vec<String>,
    of: Vec<Of>,
    /// For whom there is parental responsibility; `None` where nothing is recorded.
    responsible: Option<Which>,
    /// From whom the contact is kept.
    barred: Which,
}

/// Which of a contact's pupils.
#[derive(Debug, Default, PartialEq, Eq)]
enum Which {
    #[default]
    Nobody,
    Everybody,
    /// By roster id or UPN.
    Ids(Vec<String>),
}

/// What keeps a contact from a pupil, from the cells that say so; a cell that is neither yes nor no is told.
fn barred<'a>(cells: impl Iterator<Item = &'a str>, own: &[String], mut unclear: impl FnMut(&'a str)) -> Which {
    let mut ids: Vec<String> = Vec::new();
    let mut everybody = false;
    for cell in cells {
        let named: Vec<String> = cell.split(';').map(values::tidy).filter(|id| !id.is_empty()).collect();
        if !named.is_empty() && named.iter().all(|id| own.contains(id)) {
            ids.extend(named);
            continue;
        }
        match answers::bar(cell) {
            Bar::No => {}
            Bar::Yes => everybody = true,
            Bar::Unclear => {
                everybody = true;
                unclear(cell);
            }
        }
    }
    match (everybody, ids.is_empty()) {
        (true, _) => Which::Everybody,
        (false, false) => Which::Ids(ids),
        (false, true) => Which::Nobody,
    }
}

/// Whose contact it is.
#[derive(Debug)]
enum Of {
    /// By place in [`Rows::pupils`].
    Row(usize),
    /// By roster id or UPN.
    Id(String),
}

impl Rows {
    fn append(&mut self, mut other: Self) {
        let before = self.pupils.len();
        for contact in &mut other.contacts {
            for of in &mut contact.of {
                if let Of::Row(at) = of {
                    *at += before;
                }
            }
        }
        self.pupils.append(&mut other.pupils);
        self.contacts.append(&mut other.contacts);
        self.staff.append(&mut other.staff);
        self.faults.append(&mut other.faults);
        self.notes.append(&mut other.notes);
        self.tells_bars |= other.tells_bars;
    }
}
