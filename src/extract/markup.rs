//! XML files of any kind: elements that repeat, or a pupil's element, become rows; all else becomes lines
//! "Name: value". Common transfer files of English schools are read this way, one row for each pupil.

use hashbrown::{HashMap, HashSet};

use super::file::Content;
use super::xml::{self, Element, Node};
use super::{Why, docx, opendocument, spreadsheet_xml};
use crate::limits;
use crate::text::{Block, Row, Table};

/// Reads a file: what office programs write as one file of mark-up by what it is, all else as records and lines.
pub fn content(root: &Element) -> Content {
    if spreadsheet_xml::is_workbook(root) {
        return spreadsheet_xml::read(root);
    }
    if root.name == "wordDocument" {
        return docx::flat(root);
    }
    if root.attribute("mimetype").is_some_and(|m| m.contains("opendocument")) {
        return opendocument::flat(root);
    }
    Content { blocks: blocks(root), ..Content::default() }
}

/// The blocks of a file.
pub fn read(bytes: &[u8]) -> Result<Vec<Block>, Why> {
    xml::parse(bytes).map(|root| content(&root).blocks)
}

/// Reads an element with all that it holds as records and lines.
pub fn blocks(root: &Element) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = Vec::new();
    walk(root, &mut lines, &mut blocks);
    flush(&mut lines, &mut blocks);
    blocks
}

fn walk(element: &Element, lines: &mut Vec<String>, blocks: &mut Vec<Block>) {
    let mut records = records_of(element);
    own_words(element, lines);
    for child in element.elements() {
        match records.get_mut(child.name.as_str()).map(std::mem::take) {
            None => walk(child, lines, blocks),
            // All of one name were told where the first of them stands.
            Some(told) if told.is_empty() => {}
            Some(all) => {
                flush(lines, blocks);
                table(&child.name, &all, blocks);
            }
        }
    }
    if element.elements().any(|c| c.elements().next().is_some()) {
        flush(lines, blocks);
    }
}

/// Attributes and text of an element itself.
fn own_words(element: &Element, lines: &mut Vec<String>) {
    for (name, value) in &element.attributes {
        if value.chars().any(char::is_alphanumeric) && !value.starts_with("http") && element.children.len() < 64 {
            lines.push(format!("{name}: {value}"));
        }
    }
    let text: String =
        element.children.iter().filter_map(|n| if let Node::Text(t) = n { Some(t.as_str()) } else { None }).collect();
    if text.chars().any(char::is_alphanumeric) {
        let text = text.trim();
        lines.push(if element.children.len() == 1 { format!("{}: {text}", element.name) } else { text.to_owned() });
    }
}

fn flush(lines: &mut Vec<String>, blocks: &mut Vec<Block>) {
    if !lines.is_empty() {
        blocks.push(Block::paragraph(std::mem::take(lines).join("\n")));
    }
}

/// Children that are records, by name: several of one name, or a pupil, each with fields of its own.
fn records_of(element: &Element) -> HashMap<&str, Vec<&Element>> {
    let mut by_name: HashMap<&str, Vec<&Element>> = HashMap::new();
    let mut with_fields = HashSet::new();
    for child in element.elements() {
        let name = child.name.as_str();
        by_name.entry(name).or_default().push(child);
        if child.attributes.len() >= 2 || child.elements().nth(1).is_some() {
            with_fields.insert(name);
        }
    }
    by_name.retain(|name, all| {
        let person = matches!(name.to_ascii_lowercase().as_str(), "pupil" | "student" | "learner" | "child");
        with_fields.contains(name) && (person || all.len() > 1)
    });
    by_name
}

/// A heading row of field names, then one row for each record; lines where the records have hardly a field in common.
fn table(name: &str, records: &[&Element], blocks: &mut Vec<Block>) {
    let mut heading: Vec<String> = Vec::new();
    let mut columns: HashMap<String, usize> = HashMap::new();
    let mut filled: Vec<Vec<(usize, String)>> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    for record in records {
        let mut fields = Vec::new();
        leaves(record, "", &mut fields);
        let mut row: Vec<(usize, String)> = Vec::new();
        places.clear();
        for (field, value) in fields {
            let column = columns.get(&field).copied().unwrap_or_else(|| {
                columns.insert(field.clone(), heading.len());
                heading.push(field);
                heading.len() - 1
            });
            match places.get(&column).and_then(|place| row.get_mut(*place)) {
                Some((_, before)) => {
                    before.push_str("; ");
                    before.push_str(&value);
                }
                None => {
                    places.insert(column, row.len());
                    row.push((column, value));
                }
            }
        }
        filled.push(row);
    }
    let width = heading.len();
    let cells = width.saturating_mul(filled.len());
    let told: usize = filled.iter().map(Vec::len).sum();
    if cells > limits::RECORD_CELLS && cells / limits::RECORD_SPARSE > told {
        let line = |(column, value): (usize, String)| format!("{}: {value}", heading[column]);
        for (number, row) in filled.into_iter().enumerate().filter(|(_, row)| !row.is_empty()) {
            let text = row.into_iter().map(line).collect::<Vec<_>>().join("\n");
            blocks.push(Block::paragraph_at(text, format!("{name} {}", number + 1)));
        }
        return;
    }
    let mut rows = vec![Row::of(heading)];
    for (number, row) in filled.into_iter().enumerate() {
        let mut cells = vec![String::new(); width];
        row.into_iter().for_each(|(column, value)| cells[column] = value);
        rows.push(Row { cells, detail: Some(format!("{name} {}", number + 1)) });
    }
    blocks.push(Block::Table(Table::of(None, rows)));
}

/// Fields with their names; a field deeper down carries the name of what holds it, `Contact Surname`.
fn leaves(element: &Element, holder: &str, out: &mut Vec<(String, String)>) {
    let named = |name: &str| if holder.is_empty() { name.to_owned() } else { format!("{holder} {name}") };
    for (name, value) in &element.attributes {
        out.push((named(name), value.clone()));
    }
    for node in &element.children {
        match node {
            Node::Text(text) if text.trim().is_empty() => {}
            Node::Text(text) => out.push((named("text"), text.trim().to_owned())),
            Node::Element(child) if child.elements().next().is_none() => {
                let text = child.text().trim().to_owned();
                if !text.is_empty() {
                    out.push((named(&child.name), text));
                }
                child.attributes.iter().for_each(|(n, v)| out.push((format!("{} {n}", named(&child.name)), v.clone())));
            }
            Node::Element(child) => leaves(child, &child.name, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pupils_are_rows() {
        let blocks = read(b"<CTfile><Header><LEA>998</LEA></Header><Data><Pupil><UPN>A1</UPN><Surname>Nowak</Surname><Contacts><Contact><Surname>Lis</Surname></Contact></Contacts></Pupil></Data></CTfile>").unwrap();
        let row = |cells: [&str; 3], detail: Option<&str>| Row {
            cells: cells.map(str::to_owned).to_vec(),
            detail: detail.map(str::to_owned),
        };
        assert_eq!(
            blocks,
            [
                Block::paragraph("LEA: 998"),
                Block::Table(Table::of(
                    None,
                    [row(["UPN", "Surname", "Contact Surname"], None), row(["A1", "Nowak", "Lis"], Some("Pupil 1")),]
                )),
            ]
        );
        let repeated = read(b"<list><e id='1' n='Amy'/><e id='2' n='Ben' x='y'/></list>").unwrap();
        assert!(
            matches!(&repeated[..], [Block::Table(t)] if t.rows().nth(2).is_some_and(|row| row.aligned() == ["2", "Ben", "y"]))
        );
    }

    #[test]
    fn records_without_a_field_in_common_are_lines() {
        let many = |n: usize| (0..n).map(|n| format!("<r a{n}='x' b{n}='Amy{n}'/>")).collect::<String>();
        for (n, table) in [(10, true), (20_000, false)] {
            let read = read(format!("<all>{}</all>", many(n)).as_bytes()).unwrap();
            assert_eq!(matches!(read[0], Block::Table(_)), table, "{n}");
            let last = format!("Amy{}", n - 1);
            assert!(format!("{:?}", read.last()).contains(&last), "{n}");
        }
        // Of each name one table, where its first record stands.
        let kinds: String = (0..20_000).map(|n| format!("<r{n} a='x' b='y'/><r{n} a='x' b='y'/>")).collect();
        assert_eq!(read(format!("<all>{kinds}</all>").as_bytes()).unwrap().len(), 20_000);
    }
}
