//! Glyphs with their places to lines, cells, paragraphs and tables.
//!
//! A line ends where the baseline moves by more than 0.45 em, a word where the gap is above 0.13 em, a cell where it is
//! wider than any space between words. Distances are measured along the run's own direction, so turned text reads too.

use crate::limits;
use crate::text::{Block, Row, Table};

/// One glyph's text as drawn.
#[derive(Debug, Clone)]
pub struct Glyph {
    pub text: String,
    /// Place on the page in points, y upwards.
    pub x: f64,
    pub y: f64,
    /// Unit vector along the line.
    pub direction: (f64, f64),
    /// Size of one em in points.
    pub em: f64,
    /// Width in points.
    pub width: f64,
}

#[derive(Debug, Clone)]
struct Cell {
    text: String,
    start: f64,
    end: f64,
}

#[derive(Debug, Clone)]
struct Line {
    cells: Vec<Cell>,
    /// Across the line's direction.
    baseline: f64,
    em: f64,
    direction: (f64, f64),
}

/// The blocks of one page.
pub fn blocks(glyphs: &[Glyph], detail: &str) -> Vec<Block> {
    let lines = merge(lines(glyphs));
    let mut out = Vec::new();
    let mut open: Vec<&Line> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let rows = lines[at..].iter().take_while(|l| l.cells.len() > 1).count();
        if rows >= 2 {
            paragraph(&mut open, detail, &mut out);
            out.push(Block::Table(table(&lines[at..at + rows], detail)));
            at += rows;
            continue;
        }
        let line = &lines[at];
        if let Some(before) = open.last() {
            let step = (before.baseline - line.baseline).abs();
            if step > limits::PDF_PARAGRAPH_EM * before.em.max(line.em) || before.direction != line.direction {
                paragraph(&mut open, detail, &mut out);
            }
        }
        open.push(line);
        at += 1;
    }
    paragraph(&mut open, detail, &mut out);
    out
}

/// Glyphs in the order of the page's own drawing to lines and cells.
fn lines(glyphs: &[Glyph]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for glyph in glyphs {
        let (dx, dy) = glyph.direction;
        let along = glyph.x * dx + glyph.y * dy;
        let across = glyph.y * dx - glyph.x * dy;
        let em = glyph.em.max(0.01);
        let same = lines.last_mut().filter(|line| {
            (line.baseline - across).abs() <= limits::PDF_LINE_EM * em.max(line.em)
                && line.direction.0 * dx + line.direction.1 * dy > 0.95
        });
        let end = along + glyph.width;
        match same {
            Some(line) => {
                let em = em.max(line.em);
                let gap = line.cells.last().map_or(0.0, |c| along - c.end);
                // Drawn a second time a hair beside itself, as bold print.
                let redrawn = line.cells.last().is_some_and(|c| {
                    c.text.ends_with(&glyph.text) && (along - (c.end - glyph.width)).abs() < 0.08 * em
                });
                if redrawn && !glyph.text.trim().is_empty() {
                    continue;
                }
                if gap > limits::PDF_CELL_EM * em || gap < -limits::PDF_CELL_EM * em {
                    line.cells.push(Cell { text: glyph.text.clone(), start: along, end });
                } else if let Some(cell) = line.cells.last_mut() {
                    if gap > limits::PDF_SPACE_EM * em && !cell.text.ends_with(' ') && glyph.text != " " {
                        cell.text.push(' ');
                    }
                    cell.text.push_str(&glyph.text);
                    cell.end = end;
                }
            }
            None => lines.push(Line {
                cells: vec![Cell { text: glyph.text.clone(), start: along, end }],
                baseline: across,
                em,
                direction: glyph.direction,
            }),
        }
    }
    for line in &mut lines {
        line.cells.retain(|cell| !cell.text.trim().is_empty());
    }
    lines.retain(|line| !line.cells.is_empty());
    lines
}

/// Cells of one row drawn apart from one another come together again; columns of running text stay apart.
fn merge(lines: Vec<Line>) -> Vec<Line> {
    let short = |line: &Line| line.cells.iter().all(|c| c.text.chars().count() <= limits::PDF_CELL_CHARS);
    let mut out: Vec<Line> = Vec::new();
    for line in lines {
        let recent = out.len().saturating_sub(limits::PDF_ROW_LINES);
        let partner = out[recent..].iter_mut().rev().find(|other| {
            (other.baseline - line.baseline).abs() <= limits::PDF_ROW_EM * line.em
                && other.direction == line.direction
                && short(other)
                && short(&line)
                && other
                    .cells
                    .iter()
                    .all(|a| line.cells.iter().all(|b| a.end <= b.start + 0.5 || b.end <= a.start + 0.5))
        });
        match partner {
            Some(other) => {
                other.cells.extend(line.cells);
                other.cells.sort_by(|a, b| a.start.total_cmp(&b.start));
            }
            None => out.push(line),
        }
    }
    out
}

fn paragraph(open: &mut Vec<&Line>, detail: &str, out: &mut Vec<Block>) {
    let mut text = String::new();
    for line in open.drain(..) {
        let words = line.cells.iter().map(|c| c.text.trim()).collect::<Vec<_>>().join("\t");
        if text.is_empty() {
            text = words;
        } else if text.ends_with('-') && !text.ends_with(" -") && words.starts_with(char::is_alphabetic) {
            // A broken word loses its hyphen, a double-barrelled name keeps it.
            if words.starts_with(char::is_lowercase) {
                text.pop();
            }
            text.push_str(&words);
        } else {
            text.push('\n');
            text.push_str(&words);
        }
    }
    if !text.trim().is_empty() {
        out.push(Block::paragraph_at(text, detail));
    }
}

/// Rows with their cells put into columns by where they start.
fn table(lines: &[Line], detail: &str) -> Table {
    let mut starts: Vec<(f64, f64)> = lines.iter().flat_map(|l| l.cells.iter().map(|c| (c.start, l.em))).collect();
    starts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns: Vec<f64> = Vec::new();
    for (start, em) in starts {
        if columns.last().is_none_or(|last| start - last > limits::PDF_COLUMN_EM * em) {
            columns.push(start);
        }
    }
    let mut rows = Vec::new();
    for line in lines {
        let mut cells = vec![String::new(); columns.len()];
        for cell in &line.cells {
            let column = columns.iter().rposition(|start| *start <= cell.start + 0.01).unwrap_or(0);
            if !cells[column].is_empty() {
                cells[column].push(' ');
            }
            cells[column].push_str(cell.text.trim());
        }
        rows.push(Row::of(cells));
    }
    Table::of(Some(detail.to_owned()), rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text drawn at a place, half an em for each letter.
    fn draw(x: f64, y: f64, text: &str) -> Vec<Glyph> {
        let glyph = |(i, c): (usize, char)| Glyph {
            text: c.to_string(),
            x: x + 5.0 * i as f64,
            y,
            direction: (1.0, 0.0),
            em: 10.0,
            width: 5.0,
        };
        text.chars().enumerate().filter(|(_, c)| *c != '_').map(glyph).collect()
    }

    #[test]
    fn lines_words_paragraphs_tables() {
        let p = |t: &str| Block::paragraph_at(t, "page 1");
        let page = |texts: &[(f64, f64, &str)]| texts.iter().flat_map(|(x, y, t)| draw(*x, *y, t)).collect::<Vec<_>>();
        let row = |cells: &[&str]| Row::of(cells.iter().map(|c| c.to_string()).collect());
        for (texts, expected) in [
            (vec![(0.0, 100.0, "Amy_Smith"), (0.0, 88.0, "is")], vec![p("Amy Smith\nis")]),
            (vec![(0.0, 100.0, "one"), (0.0, 60.0, "two")], vec![p("one"), p("two")]),
            (
                vec![(0.0, 100.0, "Smith-"), (0.0, 88.0, "Jones exam-"), (0.0, 76.0, "ple")],
                vec![p("Smith-Jones example")],
            ),
            (
                vec![(0.0, 100.0, "Name"), (100.0, 100.0, "Form"), (0.0, 88.0, "Amy"), (100.0, 88.0, "Oak")],
                vec![Block::Table(Table::of(Some("page 1".into()), [row(&["Name", "Form"]), row(&["Amy", "Oak"])]))],
            ),
            (
                // Drawn column by column, and one cell left empty.
                vec![
                    (0.0, 100.0, "Name"),
                    (0.0, 88.0, "Amy"),
                    (0.0, 76.0, "Ben"),
                    (100.0, 100.0, "Form"),
                    (200.0, 100.0, "Diet"),
                    (200.0, 88.0, "halal"),
                    (100.0, 76.0, "Elm"),
                ],
                vec![Block::Table(Table::of(
                    Some("page 1".into()),
                    [row(&["Name", "Form", "Diet"]), row(&["Amy", "", "halal"]), row(&["Ben", "Elm", ""])],
                ))],
            ),
        ] {
            assert_eq!(blocks(&page(&texts), "page 1"), expected, "{texts:?}");
        }
    }
}
