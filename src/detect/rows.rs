//! Tables that are written as plain text: lines whose columns are set apart by tabs, bars or wide gaps, and comma-separated
//! lines under a row of headings. Cut into cells here, so that a column's heading speaks for its values.

use super::vocabulary::VOCABULARY;
use crate::limits;
use crate::text::TextBuf;

/// A piece of a paragraph.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Prose(&'a str),
    /// Rows of cells, trimmed, empty ones included.
    Table(Vec<Vec<&'a str>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Tab,
    Bar,
    Wide,
    Comma,
}

/// The paragraph in pieces, in order.
pub(super) fn pieces(paragraph: &str) -> Vec<Piece<'_>> {
    let hints = paragraph.contains('\n')
        && (paragraph.contains('\t') || paragraph.contains('|') || paragraph.contains("  ") || paragraph.contains(','));
    if !hints {
        return vec![Piece::Prose(paragraph)];
    }
    let mut out = Vec::new();
    let mut prose = 0;
    let lines: Vec<(usize, &str)> = lines_of(paragraph).collect();
    let mut at = 0;
    while at < lines.len() {
        match table(&lines[at..]) {
            Some((separator, length)) => {
                if prose < lines[at].0 {
                    out.push(Piece::Prose(&paragraph[prose..lines[at].0]));
                }
                let rows = &lines[at..at + length];
                out.push(Piece::Table(rows.iter().map(|(_, line)| cells(line, separator)).collect()));
                at += length;
                prose = lines.get(at).map_or(paragraph.len(), |(start, _)| *start);
            }
            None => at += 1,
        }
    }
    if prose < paragraph.len() {
        out.push(Piece::Prose(&paragraph[prose..]));
    }
    out
}

fn lines_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0usize, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end_matches(['\r', '\n'])))
    })
}

/// The separator of the table that begins with the first line, and how many lines it has.
fn table(lines: &[(usize, &str)]) -> Option<(Separator, usize)> {
    let first = lines.first()?.1;
    let separator = separator(first)?;
    let columns = cells(first, separator).len();
    let like = |line: &str| match separator {
        Separator::Tab => line.contains('\t'),
        Separator::Bar => line.contains('|'),
        Separator::Wide => cells(line, separator).len() == columns && !line.trim_end().ends_with('.'),
        Separator::Comma => cells(line, separator).len().abs_diff(columns) <= 1 && line.len() <= limits::COMMA_ROW,
    };
    let length = lines.iter().take_while(|(_, line)| like(line)).count();
    let enough = match separator {
        Separator::Wide if columns < 3 => 3,
        _ => 2,
    };
    (length >= enough).then_some((separator, length))
}

fn separator(line: &str) -> Option<Separator> {
    let filled = |separator: Separator| cells(line, separator).iter().filter(|cell| !cell.is_empty()).count();
    if line.contains('\t') && filled(Separator::Tab) >= 2 {
        Some(Separator::Tab)
    } else if line.contains('|') && filled(Separator::Bar) >= 2 {
        Some(Separator::Bar)
    } else if line.trim().contains("  ") && filled(Separator::Wide) >= 2 {
        Some(Separator::Wide)
    } else if line.contains(',') && line.len() <= limits::COMMA_ROW && headings(line) {
        Some(Separator::Comma)
    } else {
        None
    }
}

/// `Name,Class,SEN status`: two or more of the cells are headings that tables have.
fn headings(line: &str) -> bool {
    const OF_PERSONS: [&str; 17] = [
        "user",
        "username",
        "login",
        "email",
        "password",
        "name",
        "surname",
        "forename",
        "first name",
        "last name",
        "pupil",
        "student",
        "class",
        "form",
        "year",
        "reg",
        "candidate",
    ];
    let cells = cells(line, Separator::Comma);
    cells.len() >= 2
        && cells.iter().all(|cell| cell.len() <= 30)
        && cells
            .iter()
            .filter(|cell| {
                OF_PERSONS.contains(&cell.to_lowercase().as_str())
                    || VOCABULARY.heading(&TextBuf::new(cell).text()).is_some()
            })
            .count()
            >= 2
}

fn cells(line: &str, separator: Separator) -> Vec<&str> {
    match separator {
        Separator::Tab => line.split('\t').map(str::trim).collect(),
        Separator::Bar => line.trim().trim_matches('|').split('|').map(str::trim).collect(),
        Separator::Comma => line.split(',').map(|cell| cell.trim().trim_matches('"')).collect(),
        Separator::Wide => line.trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_in_prose() {
        for (text, want) in [
            ("one line only", "P"),
            ("Dear all,\nas promised, see below,\nwith thanks", "P"),
            ("Name\tForm\nA B\t7K\nC D\t8L", "T3"),
            ("See below\nName\tForm\r\nA B\t7K\nThanks", "PT2P"),
            ("Name | SEN\nA B | K", "T2"),
            ("Surname   Form   Mark\nSmith     7K     31", "T2"),
            ("It rained.  We left.\nThen home.  Tea.", "P"),
            ("Name,Class,SEN\nSmith,7K,N\nJones,7K,K", "T3"),
            ("Amy, Bob, Cy\nDi, Ed, Flo", "P"),
        ] {
            let got: String = pieces(text)
                .iter()
                .map(|piece| match piece {
                    Piece::Prose(_) => "P".to_owned(),
                    Piece::Table(rows) => format!("T{}", rows.len()),
                })
                .collect();
            assert_eq!(got, want, "{text}");
        }
    }
}
