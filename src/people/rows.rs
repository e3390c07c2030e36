//! Delimited text to records with the line each begins on.
//!
//! An opening quotation mark that is never closed would take the rows behind it into its cell, people and all. One whose
//! cell cannot be meant is read as if it were not there, and reported.

use std::borrow::Cow;

use csv::StringRecord;

use super::furniture::furniture;
use super::repair::repair;
use crate::limits;

/// A list: its heading, and the rows below it.
#[derive(Debug, Default)]
pub struct Table {
    /// Cells of the heading, as written.
    pub heading: StringRecord,
    /// Line and cells of each row that is not blank.
    pub rows: Vec<(u64, StringRecord)>,
    /// What is wrong.
    pub faults: Vec<Remark>,
    /// What was put right, and what was passed over.
    pub notes: Vec<Remark>,
}

/// Something that is said of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remark {
    /// Line of the file.
    pub line: u64,
    /// Place of the column, from 0.
    pub column: usize,
    /// In plain words.
    pub words: &'static str,
}

/// Reads a list. The heading stands on the line that is given, else it is the first row; what is above it is passed over.
pub fn table(text: &str, separator: u8, heading_line: Option<u64>) -> Table {
    let head = start(text, separator, limits::ROSTER_TITLE_ROWS);
    let Some(found) = head.into_iter().find(|(line, _)| heading_line.is_none_or(|wanted| *line == wanted)) else {
        return Table::default();
    };
    let (heading_line, heading) = found;
    let written = text.lines().nth(usize::try_from(heading_line - 1).unwrap_or(usize::MAX)).unwrap_or_default();
    let shape = Shape::of(&heading, written.as_bytes(), separator);
    let (text, faults) = without_open_quotes(text, separator, shape);
    let mut table = Table { heading, faults, ..Table::default() };
    for (line, record) in rows(&text, separator, usize::MAX) {
        if line > heading_line {
            let record = table.repaired(line, record);
            table.rows.push((line, record));
        }
    }
    table
}

impl Table {
    fn repaired(&mut self, line: u64, record: StringRecord) -> StringRecord {
        let mut put_right = Vec::new();
        for (column, cell) in record.iter().enumerate() {
            if let Some((meant, words)) = repair(cell) {
                self.notes.push(Remark { line, column, words });
                put_right.push((column, meant));
            }
        }
        if put_right.is_empty() {
            return record;
        }
        let mut cells: Vec<Cow<'_, str>> = record.iter().map(Cow::Borrowed).collect();
        for (column, meant) in put_right {
            cells[column] = Cow::Owned(meant);
        }
        cells.iter().map(AsRef::as_ref).collect::<Vec<&str>>().into()
    }

    /// Passes over the rows that belong to the report and list nobody.
    pub fn without_furniture(mut self) -> Self {
        let (heading, notes) = (&self.heading, &mut self.notes);
        self.rows.retain(|(line, record)| match furniture(record, heading) {
            Some(words) => {
                let column = record.iter().position(|cell| !cell.is_empty()).unwrap_or(0);
                notes.push(Remark { line: *line, column, words });
                false
            }
            None => true,
        });
        notes.sort_by_key(|note| note.line);
        self
    }
}

/// The first rows, up to `most`, for whoever looks for the heading.
pub fn start(text: &str, separator: u8, most: usize) -> Vec<(u64, StringRecord)> {
    let lines = most.saturating_mul(usize::try_from(limits::ROSTER_ROW_LINES).unwrap_or(usize::MAX));
    let end = text.split_inclusive('\n').take(lines).map(str::len).sum();
    let (head, _) = without_open_quotes(&text[..end], separator, Shape::default());
    rows(&head, separator, most)
}

/// Line (from 1) and cells of each row that is not blank, up to `most` rows; cells are trimmed, and rows may be of any
/// length. The line is that of a text editor, whether lines end with LF, CR LF or CR.
fn rows(text: &str, separator: u8, most: usize) -> Vec<(u64, StringRecord)> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let bytes = text.as_bytes();
    let (mut line, mut at) = (1u64, 0usize);
    let mut out = Vec::new();
    // The text is UTF-8 and rows may be of any length: there is nothing left that could fail.
    for record in reader.records().flatten() {
        if out.len() >= most {
            break;
        }
        let start = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(at);
        // The reader's own count stops before the LF of a CR LF, and before blank lines.
        let blank = bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += line_ends(&bytes[at..start + blank]);
        at = start + blank;
        if record.iter().any(|cell| !cell.is_empty()) {
            out.push((line, record));
        }
    }
    out
}

/// How a row of the list looks, by its heading: cells hold separators too, but hardly as many, and with blanks behind them.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    /// Separators of a row; 0 where it is not known.
    separators: usize,
    /// The list itself has blanks behind its separators.
    spaced: bool,
}

impl Shape {
    fn of(heading: &StringRecord, written: &[u8], separator: u8) -> Self {
        let separators = heading.len().saturating_sub(1);
        let blanks = written.windows(2).filter(|pair| pair == &[separator, b' ']).count();
        Self { separators, spaced: separators > 0 && blanks >= separators }
    }

    /// Whether a line looks like a whole row. With two columns any line with one separator would.
    fn is_row(self, line: &[u8], separator: u8) -> bool {
        let counts = |at: usize| line[at] == separator && (self.spaced || line.get(at + 1) != Some(&b' '));
        self.separators >= 2 && (0..line.len()).filter(|&at| counts(at)).count() == self.separators
    }
}

/// The text with a blank in place of every opening quotation mark whose cell cannot be meant, and where those stood.
fn without_open_quotes(text: &str, separator: u8, shape: Shape) -> (Cow<'_, str>, Vec<Remark>) {
    let bytes = text.as_bytes();
    let (mut open, mut remarks) = (Vec::new(), Vec::new());
    let (mut line, mut line_start, mut column, mut fresh) = (1u64, 0, 0, true);
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'"' && fresh {
            fresh = false;
            if let Some(end) = end_of_quoted(bytes, line_start, at, separator, shape) {
                line += line_ends(&bytes[at..end]);
                line_start = bytes[..end].iter().rposition(|b| matches!(b, b'\r' | b'\n')).map_or(0, |at| at + 1);
                at = end;
                continue;
            }
            open.push(at);
            let words = "a quotation mark is opened and not closed; the row is read without it";
            remarks.push(Remark { line, column, words });
        } else if byte == separator {
            (column, fresh) = (column + 1, true);
        } else if matches!(byte, b'\r' | b'\n') {
            line += line_ends(&bytes[at..=at]) * u64::from(!(byte == b'\r' && bytes.get(at + 1) == Some(&b'\n')));
            (line_start, column, fresh) = (at + 1, 0, true);
        } else {
            fresh = false;
        }
        at += 1;
    }
    if open.is_empty() {
        return (Cow::Borrowed(text), remarks);
    }
    let mut mended = String::with_capacity(text.len());
    let mut from = 0;
    for at in open {
        mended.push_str(&text[from..at]);
        mended.push(' ');
        from = at + 1;
    }
    mended.push_str(&text[from..]);
    (Cow::Owned(mended), remarks)
}

/// Where the quoted cell that begins at `open` ends, behind its closing mark; `None` where it has none that can be meant.
fn end_of_quoted(bytes: &[u8], line_start: usize, open: usize, separator: u8, shape: Shape) -> Option<usize> {
    let (mut at, mut lines) = (open + 1, 0u64);
    let close = loop {
        match *bytes.get(at)? {
            b'"' if bytes.get(at + 1) == Some(&b'"') => at += 1,
            b'"' => break at,
            b'\n' => lines += 1,
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => lines += 1,
            _ => {}
        }
        if lines > limits::ROSTER_ROW_LINES {
            return None;
        }
        at += 1;
    };
    if lines == 0 {
        return Some(close + 1);
    }
    // A mark with a word behind it opens the next cell: it does not close this one.
    let behind = bytes[close + 1..].iter().find(|byte| **byte != b' ');
    if behind.is_some_and(|&byte| byte != separator && !matches!(byte, b'\r' | b'\n')) {
        return None;
    }
    let end = bytes[close..].iter().position(|b| matches!(b, b'\r' | b'\n')).map_or(bytes.len(), |at| close + at);
    let lines: Vec<&[u8]> =
        bytes[line_start..end].split(|b| matches!(b, b'\r' | b'\n')).filter(|line| !line.is_empty()).collect();
    let row = |line: &&[u8]| shape.is_row(line, separator);
    let swallowed = match lines[..] {
        [first, ref between @ .., last] => between.iter().any(row) || (row(&first) && row(&last)),
        _ => false,
    };
    (!swallowed).then_some(close + 1)
}

fn line_ends(bytes: &[u8]) -> u64 {
    let lone = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    (0..bytes.len()).filter(|&at| bytes[at] == b'\n' || lone(at)).count() as u64
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

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn an_open_quotation_mark_takes_nobody_with_it() {
        let cells = |text: &str| {
            let table = table(text, b',', None);
            let rows: Vec<String> =
                table.rows.iter().map(|(_, row)| row.iter().collect::<Vec<_>>().join("|")).collect();
            (rows, table.faults.iter().map(|fault| (fault.line, fault.column)).collect::<Vec<_>>())
        };
        for (what, text, rows, faults) in [
            ("sound", "a,b,c\n1,\"x, y\",2\n3,\"a \"\"b\"\"\",4\n", vec!["1|x, y|2", "3|a \"b\"|4"], vec![]),
            (
                "an address of many lines",
                "a,b,c,d\n1,\"Flat 2, 1 Row, Sea, SX\n2 Lane, Top, Saltmere, Kent\nKent\",2,3\n",
                vec!["1|Flat 2, 1 Row, Sea, SX\n2 Lane, Top, Saltmere, Kent\nKent|2|3"],
                vec![],
            ),
            ("two lines in the first cell", "a,b,c\n\"1\n2\",x,y\n", vec!["1\n2|x|y"], vec![]),
            ("open to the end", "a,b,c\n1,\"x,2\n3,y,4\n", vec!["1|x|2", "3|y|4"], vec![(2, 1)]),
            ("open on the last row", "a,b,c\n1,x,2\n3,y,\"4", vec!["1|x|2", "3|y|4"], vec![(3, 2)]),
            ("closed by the next one", "a,b,c\n1,\"x,2\n3,\"y\",4\n", vec!["1|x|2", "3|y|4"], vec![(2, 1)]),
            ("closed by a stray one", "a,b,c\n1,\"x,2\n3,y\",4\n", vec!["1|x|2", "3|y\"|4"], vec![(2, 1)]),
            (
                "whole rows within",
                "a,b,c\r\n1,\"x,2\r\n3,y,4\r\n5,z,6\"\r\n",
                vec!["1|x|2", "3|y|4", "5|z|6\""],
                vec![(2, 1)],
            ),
            (
                "two of them",
                "a,b,c\n1,\"x,2\n3,y,4\n5,\"z,6\n7,u,8\n",
                vec!["1|x|2", "3|y|4", "5|z|6", "7|u|8"],
                vec![(2, 1), (4, 1)],
            ),
            ("in the heading", "a,\"b,c\n1,x,2\n", vec!["1|x|2"], vec![(1, 1)]),
        ] {
            let (got, at) = cells(text);
            assert_eq!(
                (&got[..], &at[..]),
                (&rows.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>()[..], &faults[..]),
                "{what}"
            );
        }
        let long: String = (0..50).map(|n| format!("{n}\n")).collect();
        let (rows, faults) = cells(&format!("a,b\n1,\"x\n{long}y\",2\n"));
        assert_eq!((rows.len(), &faults[..]), (52, &[(2, 1)][..]));
    }

    #[test]
    fn lines_as_an_editor_counts_them() {
        for (text, want) in [
            ("a,b\n\n\nc,\"d\ne\"\nf\n", vec![1, 4, 6]),
            ("a,b\r\n\r\n\r\nc,\"d\r\ne\"\r\nf\r\n", vec![1, 4, 6]),
            ("a,b\r\r\rc,\"d\re\"\rf", vec![1, 4, 6]),
            ("\r\n\r\na\r\n,,\r\nb", vec![3, 5]),
            ("", vec![]),
        ] {
            let lines: Vec<u64> = super::rows(text, b',', usize::MAX).into_iter().map(|(line, _)| line).collect();
            assert_eq!(lines, want, "{text:?}");
        }
    }
}
