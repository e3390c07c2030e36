//! Excel workbooks (ECMA-376 SpreadsheetML): every sheet as a table, hidden ones too, with dates as dates.

use std::collections::{HashMap, HashSet};

use super::Why;
use super::file::Content;
use super::office;
use super::package::Package;
use super::records;
use super::relations::{self, Relation};
use super::xml::{self, Element};
use crate::limits;
use crate::text::{Block, Row, Table};

struct Book {
    strings: Vec<String>,
    /// For each cell style, how its numbers are shown.
    styles: Vec<Shown>,
    /// Words that formats of numbers show beside the number, or in its place.
    words: Vec<String>,
    /// Days count from 1904.
    from_1904: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Shown {
    Plain,
    Date,
    /// Zeros in front up to so many digits.
    Padded(usize),
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
    let (styles, words) = styles(package, &part("styles"))?;
    let book = Book {
        strings: strings(package, &part("sharedStrings"))?,
        styles,
        words,
        from_1904: workbook
            .child("workbookPr")
            .and_then(|p| p.attribute("date1904"))
            .is_some_and(|v| v == "1" || v == "true"),
    };
    done.push(part("sharedStrings"));
    let mut content = Content::default();
    for sheet in sheets(&workbook, folder, &related) {
        content.names.push(sheet.name.clone());
        let Some(bytes) = package.get(&sheet.part) else {
            content.incomplete = Some(Why::Damaged);
            continue;
        };
        book.sheet(&sheet, bytes, &mut content.blocks)?;
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
    let target = |id: &str| related.iter().find(|r| r.id == id).map(|r| r.target.clone());
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

fn strings(package: &Package, part: &str) -> Result<Vec<String>, Why> {
    let mut strings = Vec::new();
    if let Some(bytes) = package.get(part) {
        xml::walk(bytes, |name| name == "si", |item| strings.push(rich_text(&item)))?;
    }
    Ok(strings)
}

/// The text of a string item; phonetic runs repeat it in another script and are left to the sweep.
fn rich_text(item: &Element) -> String {
    let mut out = String::new();
    for child in item.elements() {
        match child.name.as_str() {
            "t" => out.push_str(&child.text()),
            "r" => child.elements().filter(|e| e.name == "t").for_each(|t| out.push_str(&t.text())),
            _ => {}
        }
    }
    out
}

/// How numbers are shown, by cell style; and the words that the formats hold.
fn styles(package: &Package, part: &str) -> Result<(Vec<Shown>, Vec<String>), Why> {
    let Some(bytes) = package.get(part) else { return Ok((Vec::new(), Vec::new())) };
    let root = xml::parse(bytes)?;
    let mut codes: HashMap<&str, &str> = HashMap::new();
    let mut formats = Vec::new();
    root.descendants("numFmt", &mut formats);
    let root_codes: Vec<&str> = formats.iter().filter_map(|format| format.attribute("formatCode")).collect();
    for format in formats {
        if let (Some(id), Some(code)) = (format.attribute("numFmtId"), format.attribute("formatCode")) {
            codes.insert(id, code);
        }
    }
    let mut words: Vec<String> = Vec::new();
    for code in root_codes {
        for section in words_of(code) {
            if !words.contains(&section) && words.len() < limits::TABLE_COLUMNS {
                words.push(section);
            }
        }
    }
    let Some(cells) = root.child("cellXfs") else { return Ok((Vec::new(), words)) };
    let shown = cells.elements().map(|style| {
        let id = style.attribute("numFmtId").unwrap_or("0");
        match codes.get(id) {
            Some(code) => shown_by(code),
            None if matches!(id.parse(), Ok(14..=22 | 27..=36 | 45..=47 | 50..=58)) => Shown::Date,
            None => Shown::Plain,
        }
    });
    Ok((shown.collect(), words))
}

/// What each section of a number format says in words.
fn words_of(code: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        let section = sections.last_mut().filter(|_| c != ';');
        match (c, section) {
            ('"', Some(section)) => section.extend(chars.by_ref().take_while(|c| *c != '"')),
            ('\\', Some(section)) => section.extend(chars.next()),
            // A condition or a colour; the width of a letter; a letter that fills the cell.
            ('[', Some(_)) => chars.by_ref().take_while(|c| *c != ']').for_each(drop),
            ('_' | '*', Some(_)) => drop(chars.next()),
            (' ', Some(section)) => section.push(' '),
            (_, Some(_)) => {}
            (_, None) => sections.push(String::new()),
        }
    }
    let said = sections.into_iter().map(|section| section.trim().to_owned());
    said.filter(|section| section.chars().filter(|c| c.is_alphabetic()).count() > 1).collect()
}

/// What a number format makes of a number (ECMA-376 18.8.31), as far as reading needs it.
fn shown_by(code: &str) -> Shown {
    let mut plain = String::new();
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                chars.by_ref().take_while(|c| *c != '"').for_each(drop);
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                if matches!(inside.to_ascii_lowercase().as_str(), "h" | "hh" | "m" | "mm" | "s" | "ss") {
                    plain.push('h');
                }
            }
            '\\' | '_' | '*' => {
                chars.next();
            }
            c => plain.push(c.to_ascii_lowercase()),
        }
    }
    if plain.chars().any(|c| "ymdhs".contains(c)) && !plain.contains("general") {
        return Shown::Date;
    }
    let first = plain.split(';').next().unwrap_or_default();
    if first.len() > 1 && first.chars().all(|c| c == '0') { Shown::Padded(first.len()) } else { Shown::Plain }
}

impl Book {
    fn sheet(&self, sheet: &Sheet, bytes: &[u8], out: &mut Vec<Block>) -> Result<(), Why> {
        let mut table = Table::default();
        let mut hidden_columns: Vec<String> = Vec::new();
        let mut other = Vec::new();
        let mut said = HashSet::new();
        let mut number = 0usize;
        let wanted = |name: &str| matches!(name, "row" | "col" | "headerFooter" | "dataValidation");
        xml::walk(bytes, wanted, |element| match element.name.as_str() {
            "row" => {
                number = element.attribute("r").and_then(|r| r.parse().ok()).unwrap_or(number + 1);
                let row = self.row(&element, number);
                formulas(&element, &row, &mut said, &mut other);
                if row.is_filled() {
                    table.rows.push(row);
                }
            }
            "col" if is_hidden(&element, "width") => hidden_columns.push(columns(&element)),
            "headerFooter" => {
                let texts = element.elements().map(|e| (records::codes_undone(&e.text()), "header or footer"));
                other.extend(texts);
            }
            "dataValidation" => {
                let texts = element.elements().map(Element::text).filter(|t| t.starts_with('"'));
                other.extend(texts.map(|t| (t, "list of allowed values")));
            }
            _ => {}
        })?;
        let mut detail = format!("Sheet '{}'{}", sheet.name, sheet.state);
        if !hidden_columns.is_empty() {
            detail.push_str(&format!(", hidden columns {}", hidden_columns.join(", ")));
        }
        if !table.rows.is_empty() {
            out.push(Block::Table(Table { detail: Some(detail.clone()), ..table }));
        }
        let words = other.into_iter().filter(|(text, _)| text.chars().any(char::is_alphanumeric));
        out.extend(words.map(|(text, what)| Block::paragraph_at(text, format!("{detail}, {what}"))));
        Ok(())
    }

    fn row(&self, element: &Element, number: usize) -> Row {
        let mut cells: Vec<String> = Vec::new();
        for cell in element.elements().filter(|e| e.name == "c") {
            let column = cell.attribute("r").and_then(column_of).unwrap_or(cells.len());
            // A cell far off to the right is read, but does not stretch the row.
            while cells.len() < column.min(limits::TABLE_COLUMNS) {
                cells.push(String::new());
            }
            cells.push(self.value(cell));
        }
        let hidden = if is_hidden(element, "ht") { ", hidden" } else { "" };
        Row { cells, detail: Some(format!("row {number}{hidden}")) }
    }

    fn value(&self, cell: &Element) -> String {
        let raw = cell.child("v").map(Element::text).unwrap_or_default();
        if raw.is_empty() && cell.attribute("t") != Some("inlineStr") {
            // No program has reckoned yet: what the formula says itself is what will be shown.
            return cell.child("f").map(|formula| strings_of(&formula.text()).concat()).unwrap_or_default();
        }
        match cell.attribute("t") {
            Some("s") => {
                raw.trim().parse::<usize>().ok().and_then(|i| self.strings.get(i)).cloned().unwrap_or_default()
            }
            Some("inlineStr") => cell.child("is").map(rich_text).unwrap_or_default(),
            Some("b") => {
                if raw.trim() == "1" {
                    "TRUE".into()
                } else {
                    "FALSE".into()
                }
            }
            Some("str" | "e" | "d") => raw,
            _ => {
                let style = cell.attribute("s").and_then(|s| s.parse::<usize>().ok()).and_then(|s| self.styles.get(s));
                number(&raw, style.unwrap_or(&Shown::Plain), self.from_1904)
            }
        }
    }
}

/// Strings in the formulas of a row that the row does not show now; each once.
fn formulas(element: &Element, row: &Row, said: &mut HashSet<String>, out: &mut Vec<(String, &'static str)>) {
    for formula in element.elements().filter_map(|cell| cell.child("f")) {
        let strings = strings_of(&formula.text());
        let joined = strings.concat();
        let shown = |text: &str| row.cells.iter().any(|cell| cell.contains(text));
        let words = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count() > 1;
        if words(&joined) && !shown(&joined) && !said.contains(&joined) {
            let together = strings.len() > 1 && joined.contains(' ');
            let each = strings.into_iter().filter(|text| words(text) && !shown(text));
            for text in together.then(|| joined.clone()).into_iter().chain(each) {
                if said.insert(text.clone()) {
                    out.push((text, "formula"));
                }
            }
            said.insert(joined);
        }
    }
}

/// The strings that stand in a formula; a doubled quote is one.
fn strings_of(formula: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = formula.chars().peekable();
    while chars.any(|c| c == '"') {
        let mut text = String::new();
        while let Some(c) = chars.next() {
            if c == '"' && chars.next_if_eq(&'"').is_none() {
                break;
            }
            text.push(c);
        }
        found.push(text);
    }
    found
}

/// A number as the sheet shows it, near enough: dates in ISO form, long numbers without exponent.
fn number(raw: &str, shown: &Shown, from_1904: bool) -> String {
    let raw = raw.trim();
    let Ok(value) = raw.parse::<f64>() else { return raw.to_owned() };
    match shown {
        Shown::Date => date(value, from_1904).unwrap_or_else(|| raw.to_owned()),
        Shown::Padded(digits) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:0digits$}"),
        _ if raw.contains(['e', 'E']) && value.fract() == 0.0 && value.abs() < 1e17 => format!("{value:.0}"),
        // 0.1 + 0.2 is stored with seventeen digits and shown with fifteen.
        _ if raw.len() > 16 && raw.contains('.') => {
            format!("{:.10}", value).trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => raw.to_owned(),
    }
}

/// A day number of Excel, which believes in 29 February 1900 (ECMA-376 18.17.4.1).
pub fn date(value: f64, from_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    let minutes = ((value.fract() * 1440.0).round() as i64).min(1439);
    let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let days = value.trunc() as i64;
    if days == 0 && !from_1904 {
        return Some(time);
    }
    let epoch = match (from_1904, days < 60) {
        (true, _) => jiff::civil::date(1904, 1, 1),
        (false, true) => jiff::civil::date(1899, 12, 31),
        (false, false) => jiff::civil::date(1899, 12, 30),
    };
    let day = epoch.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    Some(if minutes == 0 { day.to_string() } else { format!("{day} {time}") })
}

fn is_hidden(element: &Element, size: &str) -> bool {
    element.attribute("hidden").is_some_and(|h| h == "1" || h == "true")
        || element.attribute(size).and_then(|s| s.parse::<f64>().ok()).is_some_and(|s| s == 0.0)
}

fn columns(element: &Element) -> String {
    let number = |name: &str| element.attribute(name).and_then(|n| n.parse::<usize>().ok()).unwrap_or(1).max(1);
    let (first, last) = (letters(number("min") - 1), letters(number("max") - 1));
    if first == last { first } else { format!("{first}-{last}") }
}

fn letters(mut index: usize) -> String {
    let mut out = String::new();
    loop {
        out.insert(0, (b'A' + (index % 26) as u8) as char);
        if index < 26 {
            return out;
        }
        index = index / 26 - 1;
    }
}

/// The column of a cell reference, `C7` as 2.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.take(4).fold(0usize, |n, b| n * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1);
    number.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::super::package::{Budget, read as read_package, tests::archive};
    use super::*;

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
                Block::Table(Table {
                    detail: Some(club.into()),
                    rows: vec![
                        row(&["Name", "", "DOB"], "row 1"),
                        row(&["Amy Smith", "", "2015-11-03", "0123456789"], "row 14, hidden"),
                    ]
                }),
                Block::paragraph_at("Class list", format!("{club}, header or footer")),
                Block::Table(Table {
                    detail: Some("Sheet 'Data', very hidden".into()),
                    rows: vec![row(&["secret"], "row 1")]
                }),
                Block::paragraph_at("asthma", "comment"),
                Block::paragraph_at("Jones", "pivot table's source"),
            ]
        );
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
            Block::Table(Table {
                detail: Some(at.into()),
                rows: vec![Row { cells: vec![text.into()], detail: Some("row 1".into()) }],
            })
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
                vec![Block::Table(Table {
                    detail: Some(at.into()),
                    rows: vec![Row { cells: vec!["Yes".into(), "1".into()], detail: Some("row 1".into()) }],
                })],
            ),
        ] {
            let content = book(names, formats, cells);
            assert_eq!(content.blocks, expected, "{names}{formats}{cells}");
            assert_eq!(content.names, ["Ruby Stone"]);
        }
        assert_eq!(strings_of("A&\"say \"\"x\"\"\"&\"\""), ["say \"x\"", ""]);
    }

    #[test]
    fn numbers_and_dates() {
        for (raw, code, expected) in [
            ("42311", "yyyy-mm-dd", "2015-11-03"),
            ("42311.5", "d mmm yyyy h:mm", "2015-11-03 12:00"),
            ("0.5", "h:mm", "12:00"),
            ("59", "dd/mm/yy", "1900-02-28"),
            ("42311", "General", "42311"),
            ("42311", "#,##0\" days\"", "42311"),
            ("7", "000", "007"),
            ("1.23456789012E11", "General", "123456789012"),
            ("0.30000000000000004", "General", "0.3"),
            ("42311", "[$-809]dd mmmm yyyy;@", "2015-11-03"),
        ] {
            assert_eq!(number(raw, &shown_by(code), false), expected, "{raw} {code}");
        }
        assert_eq!(date(0.0, true).as_deref(), Some("1904-01-01"));
        assert_eq!(
            (letters(0), letters(25), letters(26), letters(16383)),
            ("A".into(), "Z".into(), "AA".into(), "XFD".into())
        );
        assert_eq!((column_of("A1"), column_of("XFD9"), column_of("7")), (Some(0), Some(16383), None));
    }
}
