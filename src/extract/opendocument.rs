//! OpenDocument texts, sheets and slides (ISO/IEC 26300): one walk for all three.

use std::collections::HashSet;

use super::Why;
use super::file::Content;
use super::office;
use super::package::Package;
use super::xml::{self, Element, Node};
use crate::limits;
use crate::text::{Block, RowPlace, TableWriter};

/// Reads a package.
pub fn read(package: &Package) -> Result<Content, Why> {
    let manifest = package.get("META-INF/manifest.xml").unwrap_or_default();
    if memchr::memmem::find(manifest, b"encryption-data").is_some() || package.get("encrypted-package").is_some() {
        return Err(Why::Encrypted);
    }
    if let Some(why) = package.trouble(|name| name.ends_with(".xml")) {
        return Err(why);
    }
    let mut incomplete = None;
    let main = xml::kept(package.get("content.xml").ok_or(Why::Damaged)?, &mut incomplete)?;
    let mut walk = Walk { hidden: hidden_styles(&main), ..Walk::default() };
    if let Some(body) = main.child("body") {
        walk.blocks(body, None);
    }
    let mut done = vec!["content.xml".to_owned()];
    let styles = package.get("styles.xml").map(|bytes| xml::kept(bytes, &mut incomplete));
    if let Some(styles) = styles.transpose()? {
        // Headers and footers belong to the page styles.
        if let Some(pages) = styles.child("master-styles") {
            walk.blocks(pages, Some("header or footer"));
        }
        done.push("styles.xml".to_owned());
    }
    links(&main, &mut walk.out);
    let mut content = Content { blocks: walk.out, names: walk.names, incomplete, ..Content::default() };
    office::sweep(package, &done, &mut content);
    Ok(content)
}

/// Reads a document that is one file of XML.
pub fn flat(root: &Element) -> Content {
    let mut walk = Walk { hidden: hidden_styles(root), ..Walk::default() };
    if let Some(body) = root.child("body") {
        walk.blocks(body, None);
    }
    if let Some(pages) = root.child("master-styles") {
        walk.blocks(pages, Some("header or footer"));
    }
    for field in root.child("meta").into_iter().flat_map(Element::elements) {
        let words = matches!(field.name.as_str(), "title" | "subject" | "description" | "keyword" | "user-defined");
        if words || matches!(field.name.as_str(), "creator" | "initial-creator") {
            walk.push(field.text(), Some("document properties"));
        }
    }
    links(root, &mut walk.out);
    Content { blocks: walk.out, names: walk.names, ..Content::default() }
}

/// Styles of sheets that are not shown.
fn hidden_styles(root: &Element) -> HashSet<String> {
    let mut styles = Vec::new();
    root.descendants("style", &mut styles);
    let hidden =
        |style: &&Element| style.child("table-properties").and_then(|p| p.attribute("display")) == Some("false");
    styles.into_iter().filter(hidden).filter_map(|s| s.attribute("name").map(str::to_owned)).collect()
}

#[derive(Default)]
struct Walk {
    hidden: HashSet<String>,
    out: Vec<Block>,
    /// Of sheets and tables.
    names: Vec<String>,
}

impl Walk {
    fn blocks(&mut self, element: &Element, detail: Option<&str>) {
        let mut slides = 0;
        for child in element.elements() {
            match child.name.as_str() {
                "p" | "h" => self.paragraph(child, detail),
                "table" => self.table(child, detail),
                "page" => {
                    slides += 1;
                    let name = child.attribute("name").unwrap_or_default();
                    if !is_programs_own(name) {
                        self.push(name.to_owned(), Some(&format!("slide {slides}, its name")));
                    }
                    self.blocks(child, Some(&format!("slide {slides}")));
                }
                "notes" => {
                    let notes = detail.map_or("notes".to_owned(), |d| format!("notes, {d}"));
                    self.blocks(child, Some(&notes));
                }
                "tracked-changes" => self.blocks(child, Some("tracked deletion")),
                "annotation" => self.blocks(child, Some("comment")),
                "creator" => self.push(child.text(), Some("who commented or changed")),
                "date" | "forms" | "sequence-decls" | "calculation-settings" => {}
                "title" | "desc" => self.push(child.text(), Some("alternative text")),
                _ => self.blocks(child, detail),
            }
        }
    }

    fn push(&mut self, text: String, detail: Option<&str>) {
        if !text.trim().is_empty() {
            self.out.push(Block::Paragraph { text, detail: detail.map(str::to_owned) });
        }
    }

    fn paragraph(&mut self, element: &Element, detail: Option<&str>) {
        let mut text = String::new();
        let mut asides = Vec::new();
        inline(element, &mut text, &mut asides);
        self.push(text, detail);
        for (aside, what) in asides {
            self.blocks(aside, Some(what));
        }
    }

    fn table(&mut self, element: &Element, detail: Option<&str>) {
        let name = element.attribute("name").unwrap_or_default();
        self.names.push(name.to_owned());
        let hidden = element.attribute("style-name").is_some_and(|s| self.hidden.contains(s));
        let mut lines = Vec::new();
        let mut columns = Vec::new();
        through(element, "table-row", &mut lines);
        through(element, "table-column", &mut columns);
        let mut detail = match detail {
            Some(detail) => detail.to_owned(),
            None if name.is_empty() => String::new(),
            None => format!("Sheet '{name}'{}", if hidden { ", hidden" } else { "" }),
        };
        let hidden_columns = hidden_columns(&columns);
        if !hidden_columns.is_empty() {
            detail.push_str(&format!(", hidden columns {}", hidden_columns.join(", ")));
        }
        let mut writer = TableWriter::default();
        let mut number = 1usize;
        let mut asides = Vec::new();
        for line in lines {
            let hidden = matches!(line.attribute("visibility"), Some("collapse" | "filter"));
            writer.row(RowPlace::Numbered { number: u32::try_from(number).unwrap_or(u32::MAX), hidden });
            self.row(line, &mut writer, &mut asides);
            number = number.saturating_add(repeated(line, "number-rows-repeated"));
        }
        let detail = (!detail.is_empty()).then_some(detail);
        let table = writer.finish(detail);
        if table.rows().all(|row| row.ids().len() <= 1) {
            let place = table.detail.as_deref();
            table.texts().for_each(|cell| self.push(cell.to_owned(), place));
        } else {
            self.out.push(Block::Table(table));
        }
        self.out.append(&mut asides);
    }

    fn row(&mut self, line: &Element, writer: &mut TableWriter, asides: &mut Vec<Block>) {
        let mut column = 0usize;
        for cell in line.elements().filter(|e| matches!(e.name.as_str(), "table-cell" | "covered-table-cell")) {
            let outer = std::mem::take(&mut self.out);
            self.blocks(cell, None);
            let inside = std::mem::replace(&mut self.out, outer);
            let mut text = Vec::new();
            for block in inside {
                match block {
                    Block::Paragraph { text: line, detail: None } => text.push(line),
                    other => asides.push(other),
                }
            }
            let value = match cell.attribute("date-value") {
                Some(date) => {
                    let date = date.trim_end_matches("T00:00:00");
                    let more = text.iter().filter(|line| says_more_than_a_date(line)).map(String::as_str);
                    [date].into_iter().chain(more).collect::<Vec<_>>().join(" ")
                }
                None => text.join("\n"),
            };
            let repeated = repeated(cell, "number-columns-repeated");
            if !value.trim().is_empty() {
                let text = writer.text(&value);
                let times = repeated.min(limits::TABLE_COLUMNS.saturating_sub(column)).max(1);
                (column..column + times).for_each(|column| writer.cell_of(column, text));
            }
            column = column.saturating_add(repeated);
        }
    }
}

/// What a program calls a page of its own accord.
fn is_programs_own(name: &str) -> bool {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_ascii_lowercase();
    matches!(bare.as_str(), "" | "page" | "slide" | "folie" | "diapo" | "seite")
}

/// Whether what a cell with a date shows has words beside the name of a month.
fn says_more_than_a_date(text: &str) -> bool {
    const MONTHS: &[&str] = &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "am", "pm", "st", "nd",
        "rd", "th",
    ];
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().nth(1).is_some());
    words.into_iter().any(|word| !MONTHS.iter().any(|month| word.to_lowercase().starts_with(month)))
}

fn hidden_columns(columns: &[&Element]) -> Vec<String> {
    let mut at = 0;
    let mut hidden = Vec::new();
    for column in columns {
        let times = repeated(column, "number-columns-repeated");
        if matches!(column.attribute("visibility"), Some("collapse" | "filter")) {
            hidden.push(if times == 1 { (at + 1).to_string() } else { format!("{}-{}", at + 1, at + times) });
        }
        at += times;
    }
    hidden
}

fn repeated(element: &Element, name: &str) -> usize {
    element.attribute(name).and_then(|n| n.parse().ok()).unwrap_or(1usize).clamp(1, 1 << 24)
}

/// Adds where links of texts and drawings lead, each once.
fn links(element: &Element, out: &mut Vec<Block>) {
    let mut found = Vec::new();
    element.descendants("a", &mut found);
    let mut known = HashSet::new();
    for target in found.into_iter().filter_map(|link| link.attribute("href")) {
        // A link to somewhere in the document has no scheme.
        if target.contains(':') && known.insert(target) {
            out.push(Block::paragraph_at(target, office::LINK));
        }
    }
}

/// Rows and columns stand in groups and headers; rows of a table inside a cell are not this table's.
fn through<'e>(element: &'e Element, name: &str, found: &mut Vec<&'e Element>) {
    for child in element.elements() {
        if child.name == name {
            found.push(child);
        } else if child.name.starts_with("table-") && child.name != "table-row" {
            through(child, name, found);
        }
    }
}

fn inline<'e>(element: &'e Element, text: &mut String, asides: &mut Vec<(&'e Element, &'static str)>) {
    for node in &element.children {
        match node {
            Node::Text(words) => text.push_str(&words.replace(['\n', '\r', '\t'], " ")),
            Node::Element(child) => match child.name.as_str() {
                "s" => text.extend(std::iter::repeat_n(' ', repeated(child, "c").min(64))),
                "tab" => text.push('\t'),
                "line-break" => text.push('\n'),
                "annotation" => asides.push((child, "comment")),
                "note" => asides.push((child, "footnote")),
                "frame" | "custom-shape" | "g" => asides.push((child, "text box")),
                "ruby-text" => {}
                _ => inline(child, text, asides),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::package::{Budget, read as read_package, tests::archive};
    use super::*;
    use crate::text::{Row, Table};

    fn document(body: &str, manifest: &str) -> Result<Vec<Block>, Why> {
        let main = format!("<office:document-content><office:body>{body}</office:body></office:document-content>");
        let bytes = archive(&[("content.xml", main.as_bytes()), ("META-INF/manifest.xml", manifest.as_bytes())]);
        read(&read_package(&bytes, &mut Budget::default(), &[])?).map(|c| c.blocks)
    }

    #[test]
    fn texts_and_sheets() {
        let sheet = "<table:table table:name='Club'><table:table-column/><table:table-column table:visibility='collapse'/><table:table-header-rows><table:table-row><table:table-cell><text:p>Name</text:p></table:table-cell><table:table-cell><text:p>DOB</text:p></table:table-cell></table:table-row></table:table-header-rows><table:table-row table:visibility='collapse'><table:table-cell><text:p>Amy</text:p></table:table-cell><table:table-cell office:date-value='2015-11-03'><text:p>3/11</text:p></table:table-cell><table:table-cell table:number-columns-repeated='16000'/></table:table-row><table:table-row table:number-rows-repeated='1048000'><table:table-cell/></table:table-row></table:table>";
        let row = |cells: &[&str], detail: &str| Row {
            cells: cells.iter().map(|c| c.to_string()).collect(),
            detail: Some(detail.into()),
        };
        for (body, expected) in [
            (
                "<text:p>Smi<text:span>th</text:span><text:s text:c='2'/>x<office:annotation><text:p>why</text:p></office:annotation></text:p>",
                vec![Block::paragraph("Smith  x"), Block::paragraph_at("why", "comment")],
            ),
            (
                sheet,
                vec![Block::Table(Table::of(
                    Some("Sheet 'Club', hidden columns 2".into()),
                    [row(&["Name", "DOB"], "row 1"), row(&["Amy", "2015-11-03"], "row 2, hidden")],
                ))],
            ),
        ] {
            assert_eq!(document(body, "<m/>"), Ok(expected), "{body}");
        }
        assert_eq!(document("", "<m><manifest:encryption-data/></m>"), Err(Why::Encrypted));
    }

    #[test]
    fn who_says_it_what_pages_are_called_and_what_dates_show() {
        let cells = |shown: &str| {
            format!(
                "<table:table table:name='C'><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell><table:table-cell office:date-value='2015-11-03'><text:p>{shown}</text:p></table:table-cell></table:table-row></table:table>"
            )
        };
        let row = |date: &str| {
            let row = Row { cells: vec!["x".into(), date.into()], detail: Some("row 1".into()) };
            Block::Table(Table::of(Some("Sheet 'C'".into()), [row]))
        };
        for (body, expected) in [
            (
                "<text:p>x<office:annotation><dc:creator>Amy</dc:creator><dc:date>2015</dc:date><text:p>why</text:p></office:annotation></text:p>".to_owned(),
                vec![
                    Block::paragraph("x"),
                    Block::paragraph_at("Amy", "who commented or changed"),
                    Block::paragraph_at("why", "comment"),
                ],
            ),
            (
                "<draw:page draw:name='Amy Smith'/><draw:page draw:name='page2'/><draw:page draw:name='Slide 3'/>".to_owned(),
                vec![Block::paragraph_at("Amy Smith", "slide 1, its name")],
            ),
            (cells("3 November 2015"), vec![row("2015-11-03")]),
            (cells("Tuesday"), vec![row("2015-11-03 Tuesday")]),
            (cells("3rd May, Amy is ill"), vec![row("2015-11-03 3rd May, Amy is ill")]),
        ] {
            assert_eq!(document(&body, "<m/>"), Ok(expected), "{body}");
        }
    }
}
