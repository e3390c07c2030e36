//! Excel workbooks (ECMA-376 SpreadsheetML): every sheet as a table, hidden ones too, with dates as dates.

mod formats;
mod sheet;

use std::collections::{HashMap, HashSet};

use super::Why;
use super::file::Content;
use super::office;
use super::package::Package;
use super::relations::{self, Relation};
use super::xml::{self, Element, Piece};
use crate::text::Block;
use formats::Shown;

struct Book {
    strings: Strings,
    /// For each cell style, how its numbers are shown.
    styles: Vec<Shown>,
    /// Words that formats of numbers show beside the number, or in its place.
    words: Vec<String>,
    /// Days count from 1904.
    from_1904: bool,
}

/// The texts that the cells of all sheets share.
#[derive(Default)]
struct Strings {
    buffer: String,
    /// One past the last octet of each.
    ends: Vec<usize>,
}

impl Strings {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(at).and_then(|&end| self.buffer.get(start..end)).unwrap_or_default()
    }
}

struct Sheet {
    name: String,
    state: &'static str,
    part: String,
}

/// Reads a package.
pub fn read(package: &Package) -> Result<Content, Why> {
    if let Some(why) = package.trouble(|n| n.starts_with("xl/") && n.ends_with(".xml")) {
        return Err(why);
    }
    let main = relations::main_part(package).unwrap_or_else(|| "xl/workbook.xml".to_owned());
    if main.ends_with(".bin") || package.get("xl/workbook.bin").is_some() {
        return Err(Why::UnknownType);
    }
    let folder = relations::folder(&main);
    let related = relations::of(package, &main);
    // What the workbook says of its strings and styles, or where they are as a rule.
    let part = |kind: &str| {
        let said = related.iter().find(|r| r.kind == kind && package.get(&r.target).is_some());
        said.map_or_else(|| format!("{folder}{kind}.xml"), |r| r.target.clone())
    };
    let workbook = xml::parse(package.need(&main)?)?;
    let mut done: Vec<String> = (workbook.name == "workbook").then(|| main.clone()).into_iter().collect();
    let (styles, words) = formats::styles(package, &part("styles"))?;
    let mut fault = None;
    let book = Book {
        strings: strings(package, &part("sharedStrings"), &mut fault),
        styles,
        words,
        from_1904: workbook
            .child("workbookPr")
            .and_then(|p| p.attribute("date1904"))
            .is_some_and(|v| v == "1" || v == "true"),
    };
    done.push(part("sharedStrings"));
    let mut content = Content { incomplete: fault, ..Content::default() };
    let mut known = HashSet::new();
    for sheet in sheets(&workbook, folder, &related) {
        content.names.push(sheet.name.clone());
        // A part that is several sheets says the same in each.
        if !known.insert(sheet.part.clone()) {
            continue;
        }
        let Some(bytes) = package.get(&sheet.part) else {
            content.incomplete = Some(Why::Damaged);
            continue;
        };
        if let Err(why) = sheet::read(&book, &sheet, bytes, &mut content.blocks) {
            content.incomplete = Some(why);
        }
        done.push(sheet.part);
    }
    let mut names = Vec::new();
    workbook.descendants("definedName", &mut names);
    for name in names {
        let said = name.attribute("name").unwrap_or_default();
        // A name has no blanks: strokes stand for them.
        let said = if said.starts_with("_xlnm.") { String::new() } else { said.replace('_', " ") };
        let hints = ["comment", "description"].map(|hint| name.attribute(hint).unwrap_or_default());
        let text = [said.as_str(), &name.text(), hints[0], hints[1]].join(" ").trim().to_owned();
        if !said.is_empty() || text.contains('"') || hints.iter().any(|hint| !hint.is_empty()) {
            content.blocks.push(Block::paragraph_at(text, "defined name"));
        }
    }
    let words = book.words.into_iter().map(|words| Block::paragraph_at(words, "number format"));
    content.blocks.extend(words);
    office::sweep(package, &done, &mut content);
    Ok(content)
}

fn sheets(workbook: &Element, folder: &str, related: &[Relation]) -> Vec<Sheet> {
    let by_id: HashMap<&str, &Relation> = related.iter().rev().map(|r| (r.id.as_str(), r)).collect();
    let target = |id: &str| by_id.get(id).map(|r| r.target.clone());
    let mut found = Vec::new();
    let mut elements = Vec::new();
    workbook.descendants("sheet", &mut elements);
    for (number, sheet) in elements.into_iter().enumerate() {
        let id = sheet.attribute("id").unwrap_or_default();
        found.push(Sheet {
            name: sheet.attribute("name").unwrap_or_default().to_owned(),
            state: match sheet.attribute("state") {
                Some("hidden") => ", hidden",
                Some("veryHidden") => ", very hidden",
                _ => "",
            },
            part: target(id).unwrap_or_else(|| format!("{folder}worksheets/sheet{}.xml", number + 1)),
        });
    }
    found
}

/// Reads the texts; phonetic runs repeat one in another script and are left to the sweep.
fn strings(package: &Package, part: &str, fault: &mut Option<Why>) -> Strings {
    let mut strings = Strings::default();
    let Some(bytes) = package.get(part) else { return strings };
    // An item and a run in it hold texts; inside a text all is text.
    let mut open: Vec<Inside> = Vec::new();
    let read = xml::stream(bytes, |piece| {
        match piece {
            Piece::Start(tag) => {
                let inside = match (open.last().copied().unwrap_or(Inside::Outside), tag.name()) {
                    (Inside::Outside, "si") => Inside::Item,
                    (Inside::Outside, _) => Inside::Outside,
                    (Inside::Item | Inside::Run, "t") | (Inside::Text, _) => Inside::Text,
                    (Inside::Item, "r") => Inside::Run,
                    _ => Inside::Passed,
                };
                open.push(inside);
            }
            Piece::Text(text) if open.last() == Some(&Inside::Text) => strings.buffer.push_str(text),
            Piece::Text(_) => {}
            Piece::End if open.pop() == Some(Inside::Item) => strings.ends.push(strings.buffer.len()),
            Piece::End => {}
        }
        Ok(())
    });
    // A text that a fault has cut off ends there.
    if strings.buffer.len() > strings.ends.last().copied().unwrap_or(0) {
        strings.ends.push(strings.buffer.len());
    }
    *fault = fault.or(read.err());
    strings
}

/// Where in the mark-up of the workbook's texts the reader is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Inside {
    Outside,
    Item,
    Run,
    Text,
    Passed,
}

#[cfg(test)]
mod tests {
    use super::super::package::{Budget, read as read_package, tests::archive};
    use super::*;
    use crate::text::{Row, Table};

    #[test]
    fn sheets_hidden_and_shown() {
        let bytes = archive(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("xl/workbook.xml", b"<workbook><sheets><sheet name='Club' r:id='r1'/><sheet name='Data' state='veryHidden' r:id='r2'/></sheets></workbook>"),
            ("xl/_rels/workbook.xml.rels", b"<R><Relationship Id='r1' Target='worksheets/sheet1.xml'/><Relationship Id='r2' Target='/xl/worksheets/sheet2.xml'/></R>"),
            ("xl/sharedStrings.xml", b"<sst><si><t>Name</t></si><si><r><t>Amy </t></r><r><t>Smith</t></r></si></sst>"),
            ("xl/styles.xml", b"<styleSheet><numFmts><numFmt numFmtId='164' formatCode='dd/mm/yyyy'/><numFmt numFmtId='165' formatCode='0000000000'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='165'/></cellXfs></styleSheet>"),
            ("xl/worksheets/sheet1.xml", b"<worksheet><cols><col min='2' max='3' hidden='1'/></cols><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='inlineStr'><is><t>DOB</t></is></c></row><row r='14' hidden='1'><c r='A14' t='s'><v>1</v></c><c r='C14' s='1'><v>42311</v></c><c r='D14' s='2'><v>123456789</v></c></row></sheetData><headerFooter><oddHeader>&amp;CClass list</oddHeader></headerFooter></worksheet>"),
            ("xl/worksheets/sheet2.xml", b"<worksheet><sheetData><row><c t='str'><v>secret</v></c></row></sheetData></worksheet>"),
            ("xl/comments1.xml", b"<comments><commentList><comment><text><r><t>asthma</t></r></text></comment></commentList></comments>"),
            ("xl/pivotCache/pivotCacheRecords1.xml", b"<p><r><s v='Jones'/></r></p>"),
        ]);
        let content = read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap();
        let row = |cells: &[&str], detail: &str| Row {
            cells: cells.iter().map(|c| c.to_string()).collect(),
            detail: Some(detail.into()),
        };
        let club = "Sheet 'Club', hidden columns B-C";
        assert_eq!(
            content.blocks,
            [
                Block::Table(Table::of(
                    Some(club.into()),
                    [
                        row(&["Name", "", "DOB"], "row 1"),
                        row(&["Amy Smith", "", "2015-11-03", "0123456789"], "row 14, hidden"),
                    ]
                )),
                Block::paragraph_at("Class list", format!("{club}, header or footer")),
                Block::Table(Table::of(Some("Sheet 'Data', very hidden".into()), [row(&["secret"], "row 1")])),
                Block::paragraph_at("asthma", "comment"),
                Block::paragraph_at("Jones", "pivot table's source"),
            ]
        );
    }

    #[test]
    fn a_part_that_is_several_sheets_is_read_once() {
        let bytes = archive(&[
            ("xl/workbook.xml", b"<workbook><sheets><sheet name='Club' r:id='r1'/><sheet name='Amy' r:id='r2'/><sheet name='Ben' r:id='r3'/></sheets></workbook>"),
            ("xl/_rels/workbook.xml.rels", b"<R><Relationship Id='r1' Target='worksheets/sheet1.xml'/><Relationship Id='r2' Target='/xl/worksheets/sheet1.xml'/><Relationship Id='r3' Target='worksheets/sheet2.xml'/></R>"),
            ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row><c t='str'><v>one</v></c></row></sheetData></worksheet>"),
            ("xl/worksheets/sheet2.xml", b"<worksheet><sheetData><row><c t='str'><v>two</v></c></row></sheetData></worksheet>"),
        ]);
        let content = read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap();
        let row = |cell: &str| Row { cells: vec![cell.into()], detail: Some("row 1".into()) };
        let sheet = |name: &str, cell| Block::Table(Table::of(Some(format!("Sheet '{name}'")), [row(cell)]));
        assert_eq!(content.blocks, [sheet("Club", "one"), sheet("Ben", "two")]);
        assert_eq!((content.names, content.incomplete), (["Club", "Amy", "Ben"].map(str::to_owned).to_vec(), None));
    }

    #[test]
    fn what_only_a_name_a_format_or_a_formula_says() {
        let book = |names: &str, formats: &str, cells: &str| {
            let workbook = format!(
                "<workbook><sheets><sheet name='Ruby Stone' r:id='r1'/></sheets><definedNames>{names}</definedNames></workbook>"
            );
            let styles =
                format!("<styleSheet><numFmts>{formats}</numFmts><cellXfs><xf numFmtId='0'/></cellXfs></styleSheet>");
            let sheet = format!("<worksheet><sheetData><row r='1'>{cells}</row></sheetData></worksheet>");
            let bytes = archive(&[
                ("[Content_Types].xml", b"<Types/>"),
                ("xl/workbook.xml", workbook.as_bytes()),
                ("xl/styles.xml", styles.as_bytes()),
                ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
            ]);
            read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap()
        };
        let at = "Sheet 'Ruby Stone'";
        let cell = |text: &str| {
            Block::Table(Table::of(Some(at.into()), [Row { cells: vec![text.into()], detail: Some("row 1".into()) }]))
        };
        for (names, formats, cells, expected) in [
            (
                "<definedName name='Amy_Smith'>x!$A$1</definedName><definedName name='_xlnm.Print_Area'>x!$A$1</definedName>",
                "",
                "",
                vec![Block::paragraph_at("Amy Smith x!$A$1", "defined name")],
            ),
            (
                "<definedName name='_xlnm.Print_Area'>\"Amy Smith\"</definedName>",
                "",
                "",
                vec![Block::paragraph_at("\"Amy Smith\"", "defined name")],
            ),
            (
                "",
                "<numFmt numFmtId='164' formatCode='[Red]&quot;Amy &quot;\\S\\m\\i;0.00;d mmm;&quot;a&quot;'/>",
                "",
                vec![Block::paragraph_at("Amy Smi", "number format")],
            ),
            ("", "<numFmt numFmtId='164' formatCode='_-* #,##0.00_-;dd/mm/yyyy'/>", "", vec![]),
            ("", "", "<c r='A1'><f>\"Amy\"&amp;\" Smith\"</f></c>", vec![cell("Amy Smith")]),
            (
                "",
                "",
                "<c r='A1'><f>\"Amy Smith\"</f><v>0</v></c>",
                vec![cell("0"), Block::paragraph_at("Amy Smith", format!("{at}, formula"))],
            ),
            (
                "",
                "",
                "<c r='A1' t='str'><f>IF(B1,\"Yes\",\"\")</f><v>Yes</v></c><c r='B1'><f>SUM(C1)</f><v>1</v></c>",
                vec![Block::Table(Table::of(
                    Some(at.into()),
                    [Row { cells: vec!["Yes".into(), "1".into()], detail: Some("row 1".into()) }],
                ))],
            ),
        ] {
            let content = book(names, formats, cells);
            assert_eq!(content.blocks, expected, "{names}{formats}{cells}");
            assert_eq!(content.names, ["Ruby Stone"]);
        }
    }
}
