//! Word documents (ECMA-376 WordprocessingML): text in order, tables, headers and footers, notes, comments, text
//! boxes, tracked changes, hidden text.

use std::collections::HashSet;

use super::Why;
use super::file::Content;
use super::office;
use super::package::Package;
use super::relations;
use super::rtf_words;
use super::xml::{self, Element, Node};
use crate::text::{Block, RowPlace, TableWriter, TextId};

/// Reads a package.
pub fn read(package: &Package) -> Result<Content, Why> {
    let main = relations::main_part(package).unwrap_or_else(|| "word/document.xml".to_owned());
    let folder = relations::folder(&main).to_owned();
    let is_text = |name: &str| name.strip_prefix(&folder).is_some_and(|n| n.ends_with(".xml") && !n.contains('/'));
    if let Some(why) = package.trouble(|name| is_text(name)) {
        return Err(why);
    }
    let mut content = Content::default();
    let root = xml::kept(package.need(&main)?, &mut content.incomplete)?;
    blocks(&root, None, &mut content.blocks);
    let mut beside = Beside::default();
    beside.read(&root);
    // What is no document is looked through once more, whatever the relation says.
    let mut done: Vec<String> = (root.name == "document").then(|| main.clone()).into_iter().collect();
    let mut names: Vec<&str> = package.members.iter().map(|m| m.name.as_str()).filter(|n| is_text(n)).collect();
    names.sort_unstable();
    let mut further: Vec<(&str, &'static str)> = names
        .into_iter()
        .filter_map(|name| Some((name, detail_of(name[folder.len()..].trim_end_matches(".xml"))?)))
        .collect();
    let related = relations::of(package, &main);
    for relation in &related {
        if let Some(detail) = detail_of(&relation.kind)
            && !further.iter().any(|(name, _)| name.eq_ignore_ascii_case(&relation.target))
        {
            further.push((&relation.target, detail));
        }
    }
    for (name, detail) in further {
        let root = package.get(name).map(|bytes| xml::kept(bytes, &mut content.incomplete));
        if let Some(root) = root.transpose()? {
            blocks(&root, Some(detail), &mut content.blocks);
            beside.read(&root);
            done.push(name.to_owned());
        }
    }
    content.blocks.append(&mut beside.blocks);
    office::sweep(package, &done, &mut content);
    Ok(content)
}

/// Reads a document that is one file of XML: that of Word 2003.
pub fn flat(root: &Element) -> Content {
    let mut content = Content::default();
    blocks(root, None, &mut content.blocks);
    let mut beside = Beside::default();
    beside.read(root);
    content.blocks.append(&mut beside.blocks);
    content
}

/// What a part is to the document, by its relation or by its name, which numbers follow.
fn detail_of(kind: &str) -> Option<&'static str> {
    Some(match kind.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "header" => "header",
        "footer" => "footer",
        "footnotes" => "footnote",
        "endnotes" => "endnote",
        "comments" => "comment",
        _ => return None,
    })
}

/// Fields that are told nothing but names of the document's own.
const WORDLESS_FIELDS: &[&str] =
    &["PAGEREF", "REF", "NOTEREF", "SEQ", "STYLEREF", "TOC", "PAGE", "NUMPAGES", "DATE", "TIME"];

/// What Word shows beside the text: who commented or changed something, what a control is called and what may be chosen in it,
/// where fields lead.
#[derive(Default)]
struct Beside {
    /// What the field that is open is told so far.
    field: String,
    known: HashSet<String>,
    blocks: Vec<Block>,
}

impl Beside {
    fn read(&mut self, root: &Element) {
        self.gather(root);
        self.end_field();
    }

    fn end_field(&mut self) {
        let field = std::mem::take(&mut self.field);
        let kind = field.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let said = rtf_words::instruction(&field);
        // Marks that Word sets itself begin with a stroke.
        let wordless = WORDLESS_FIELDS.contains(&kind.as_str()) || said.is_empty() || said.starts_with('_');
        if !wordless && self.known.insert(said.clone()) {
            self.blocks.push(Block::paragraph_at(said, rtf_words::FIELD));
        }
    }

    fn gather(&mut self, element: &Element) {
        match element.name.as_str() {
            "instrText" | "delInstrText" => self.field.push_str(&element.text()),
            // A field begins, shows its result, or ends.
            "fldChar" => self.end_field(),
            "fldSimple" => {
                self.end_field();
                self.field.push_str(element.attribute("instr").unwrap_or_default());
                self.end_field();
            }
            _ => {}
        }
        for (name, value) in &element.attributes {
            let detail = match (element.name.as_str(), name.as_str()) {
                (_, "author") => "author of a comment or change",
                ("alias" | "helpText" | "statusText", "val") => "label of a control",
                ("listItem", "displayText" | "value") | ("listEntry", "val") => "choice of a control",
                (_, "tooltip") => "label of a link",
                // Word 2003 has no relations.
                ("hlink", "dest") => office::LINK,
                _ => continue,
            };
            if value.chars().any(char::is_alphanumeric) && self.known.insert(value.clone()) {
                self.blocks.push(Block::paragraph_at(value.as_str(), detail));
            }
        }
        element.elements().for_each(|child| self.gather(child));
    }
}

/// The paragraphs and tables below an element, in order.
fn blocks(element: &Element, detail: Option<&str>, out: &mut Vec<Block>) {
    for child in element.elements() {
        match child.name.as_str() {
            "p" => paragraph(child, detail, out),
            "tbl" => table(child, detail, out),
            "Fallback" | "sectPr" | "pPr" | "rPr" => {}
            _ => blocks(child, detail, out),
        }
    }
}

/// A paragraph as it stands now, then as it stood before tracked changes, then the text boxes anchored in it.
fn paragraph(element: &Element, detail: Option<&str>, out: &mut Vec<Block>) {
    let mut now = Text { deleted: false, inserted: true, ..Text::default() };
    now.read(element);
    push(now.out, detail, out);
    if now.has_deletions {
        let mut before = Text { deleted: true, inserted: false, ..Text::default() };
        before.read(element);
        push(before.out, Some("tracked deletion"), out);
    }
    for alternative in now.alternatives {
        push(alternative, Some("alternative text"), out);
    }
    let mut boxes = Vec::new();
    text_boxes(element, &mut boxes);
    for text_box in boxes {
        blocks(text_box, Some("text box"), out);
    }
}

fn push(text: String, detail: Option<&str>, out: &mut Vec<Block>) {
    if !text.trim().is_empty() {
        out.push(Block::Paragraph { text, detail: detail.map(str::to_owned) });
    }
}

/// Text boxes come twice, as drawing and as its fallback; the fallback is for old programs.
fn text_boxes<'e>(element: &'e Element, found: &mut Vec<&'e Element>) {
    for child in element.elements() {
        match child.name.as_str() {
            "txbxContent" => found.push(child),
            "Fallback" => {}
            _ => text_boxes(child, found),
        }
    }
}

#[derive(Default)]
struct Text {
    out: String,
    deleted: bool,
    inserted: bool,
    has_deletions: bool,
    alternatives: Vec<String>,
}

impl Text {
    fn read(&mut self, element: &Element) {
        for node in &element.children {
            let Node::Element(child) = node else { continue };
            match child.name.as_str() {
                "t" => self.out.push_str(&child.text()),
                "delText" => {
                    self.has_deletions = true;
                    if self.deleted {
                        self.out.push_str(&child.text());
                    }
                }
                "ins" | "moveTo" if !self.inserted => {}
                "del" | "moveFrom" => {
                    self.has_deletions = true;
                    if self.deleted {
                        self.read(child);
                    }
                }
                "tab" | "ptab" => self.out.push('\t'),
                "br" | "cr" => self.out.push('\n'),
                "noBreakHyphen" => self.out.push('-'),
                "sym" => self.out.push(' '),
                "docPr" => {
                    let texts = ["descr", "title"].into_iter().filter_map(|name| child.attribute(name));
                    self.alternatives.extend(texts.map(str::to_owned));
                }
                "pPr" | "rPr" | "instrText" | "delInstrText" | "txbxContent" | "Fallback" => {}
                _ => self.read(child),
            }
        }
    }
}

fn table(element: &Element, detail: Option<&str>, out: &mut Vec<Block>) {
    let mut writer = TableWriter::default();
    // What stands in the row above, by column.
    let mut above: Vec<Option<TextId>> = Vec::new();
    let mut nested = Vec::new();
    let mut lines = Vec::new();
    collect(element, "tr", &mut lines);
    for line in lines {
        writer.row(RowPlace::Unnamed);
        let mut row: Vec<Option<TextId>> = Vec::new();
        let mut parts = Vec::new();
        collect(line, "tc", &mut parts);
        for cell in parts {
            let properties = cell.child("tcPr");
            let merged =
                properties.and_then(|p| p.child("vMerge")).is_some_and(|m| m.attribute("val") != Some("restart"));
            let text = if merged {
                // The cell above reaches down into this row.
                above.get(row.len()).copied().flatten()
            } else {
                Some(cell_text(cell, &mut nested)).filter(|text| !text.trim().is_empty()).map(|text| writer.text(&text))
            };
            text.into_iter().for_each(|text| writer.cell_of(row.len(), text));
            row.push(text);
            let span = properties.and_then(|p| p.child("gridSpan")).and_then(|s| s.attribute("val"));
            let span = span.and_then(|s| s.parse().ok()).unwrap_or(1usize).min(64);
            row.extend((1..span).map(|_| None));
        }
        if writer.is_row_filled() {
            above = row;
        }
    }
    let table = writer.finish(detail.map(str::to_owned));
    if table.rows().all(|row| row.ids().len() <= 1) {
        table.texts().for_each(|text| push(text.to_owned(), detail, out));
    } else {
        out.push(Block::Table(table));
    }
    out.append(&mut nested);
}

/// Elements of a name below, through whatever wraps them (content controls, tracked changes), not inside a table.
fn collect<'e>(element: &'e Element, name: &str, found: &mut Vec<&'e Element>) {
    for child in element.elements() {
        if child.name == name {
            found.push(child);
        } else if child.name != "tbl" && !child.name.ends_with("Pr") {
            collect(child, name, found);
        }
    }
}

/// The paragraphs of a cell as lines; what stands in it beside them (a table, a text box) goes behind the table.
fn cell_text(cell: &Element, nested: &mut Vec<Block>) -> String {
    let mut inside = Vec::new();
    blocks(cell, None, &mut inside);
    let mut lines = Vec::new();
    for block in inside {
        match block {
            Block::Paragraph { text, detail: None } => lines.push(text),
            other => nested.push(other),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::package::{Budget, read as read_package, tests::archive};
    use super::*;
    use crate::text::{Row, Table};

    fn document(body: &str) -> Vec<Block> {
        let main = format!("<w:document><w:body>{body}</w:body></w:document>");
        let comments = "<w:comments><w:comment w:author='T Bright'><w:p><w:r><w:t>Ask mum</w:t></w:r></w:p></w:comment></w:comments>";
        let bytes = archive(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("word/document.xml", main.as_bytes()),
            ("word/comments.xml", comments.as_bytes()),
            ("docProps/core.xml", b"<a><creator>Jo Author</creator></a>"),
        ]);
        read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap().blocks
    }

    #[test]
    fn parts_are_found_by_their_relations() {
        const R: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let p = |t: &str| format!("<w:p><w:r><w:t>{t}</w:t></w:r></w:p>");
        let document = format!("<w:document><w:body>{}</w:body></w:document>", p("Main"));
        let header = format!("<w:hdr>{}</w:hdr>", p("Above"));
        for (main, head) in [("word/document2.xml", "word/header1.xml"), ("doc/main.xml", "doc/x/styles.xml")] {
            let types = format!(
                "<Types><Override PartName='/{main}' ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/></Types>"
            );
            let rels = format!("<R><Relationship Id='1' Type='{R}/officeDocument' Target='/{main}'/></R>");
            let own = format!("<R><Relationship Id='1' Type='{R}/header' Target='/{head}'/></R>");
            let (folder, name) = main.rsplit_once('/').unwrap();
            let bytes = archive(&[
                ("[Content_Types].xml", types.as_bytes()),
                ("_rels/.rels", rels.as_bytes()),
                (&format!("{folder}/_rels/{name}.rels"), own.as_bytes()),
                (main, document.as_bytes()),
                (head, header.as_bytes()),
            ]);
            assert_eq!(super::super::sniff::format(&bytes, "", ""), super::super::sniff::Format::Docx, "{main}");
            let content = read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap();
            assert_eq!(content.blocks, [Block::paragraph("Main"), Block::paragraph_at("Above", "header")], "{main}");
            assert_eq!(content.incomplete, None);
        }
    }

    #[test]
    fn a_document_of_word_2003_is_read_like_a_package() {
        let body = "<w:body><w:p><w:r><w:t>Amy Smi</w:t></w:r><w:r><w:t>th</w:t></w:r></w:p></w:body>";
        let file = format!("<?xml version='1.0'?><w:wordDocument xmlns:w='x'>{body}</w:wordDocument>");
        assert_eq!(super::super::markup::read(file.as_bytes()).unwrap(), [Block::paragraph("Amy Smith")]);
    }

    #[test]
    fn what_stands_beside_the_text() {
        for (body, expected) in [
            ("<w:p><w:ins w:author='Jo Author'><w:r><w:t>x</w:t></w:r></w:ins></w:p>", vec!["x", "Jo Author"]),
            ("<w:sdt><w:sdtPr><w:alias w:val='Pupil'/><w:tag w:val='t1'/></w:sdtPr></w:sdt>", vec!["Pupil"]),
            (
                "<w:p><w:sdt><w:sdtPr><w:dropDownList><w:listItem w:displayText='Amy' w:value='Amy'/><w:listItem w:value='Ben'/></w:dropDownList></w:sdtPr></w:sdt></w:p>",
                vec!["Amy", "Ben"],
            ),
            (
                "<w:p><w:ffData><w:helpText w:val='Ask Amy'/><w:ddList><w:listEntry w:val='Oak'/></w:ddList></w:ffData></w:p>",
                vec!["Ask Amy", "Oak"],
            ),
            ("<w:p><w:hyperlink w:tooltip='Of Amy'><w:r><w:t>x</w:t></w:r></w:hyperlink></w:p>", vec!["x", "Of Amy"]),
            // A field may be told in several pieces; what it shows is text.
            (
                "<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText> HYPERLINK \"https://x.exam</w:instrText></w:r><w:r><w:instrText>ple/amy\" \\o \"Of Amy\"</w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r><w:r><w:t>here</w:t></w:r><w:r><w:fldChar w:fldCharType='end'/></w:r></w:p>",
                vec!["here", "https://x.example/amy Of Amy"],
            ),
            (
                "<w:p><w:fldSimple w:instr='HYPERLINK &quot;https://x.example/ben&quot;'><w:r><w:t>x</w:t></w:r></w:fldSimple></w:p>",
                vec!["x", "https://x.example/ben"],
            ),
            (
                "<w:p><w:fldSimple w:instr=' PAGE \\* MERGEFORMAT '><w:r><w:t>1</w:t></w:r></w:fldSimple><w:fldSimple w:instr='PAGEREF _Toc12 \\h'/><w:fldSimple w:instr='HYPERLINK \\l &quot;_Toc12&quot;'/></w:p>",
                vec!["1"],
            ),
            // Numbers and names of the program's own are no words.
            ("<w:p w:rsidR='00A'><w:pPr><w:pStyle w:val='Heading'/></w:pPr><w:r><w:t>x</w:t></w:r></w:p>", vec!["x"]),
        ] {
            let main = format!("<w:document><w:body>{body}</w:body></w:document>");
            let bytes = archive(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", main.as_bytes())]);
            let blocks = read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap().blocks;
            let texts: Vec<&str> =
                blocks.iter().map(|b| if let Block::Paragraph { text, .. } = b { text.as_str() } else { "" }).collect();
            assert_eq!(texts, expected, "{body}");
        }
    }

    #[test]
    fn everything_a_document_can_say() {
        let author = Block::paragraph_at("T Bright", "author of a comment or change");
        let tail = [
            Block::paragraph_at("Ask mum", "comment"),
            author,
            Block::paragraph_at("Jo Author", "document properties"),
        ];
        let p = |t: &str| format!("<w:p><w:r><w:t>{t}</w:t></w:r></w:p>");
        for (body, expected) in [
            ("<w:p><w:r><w:t>Smi</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>th</w:t></w:r></w:p>".to_owned(), vec![Block::paragraph("Smith")]),
            (
                "<w:p><w:r><w:t>He </w:t></w:r><w:del><w:r><w:delText>was ill</w:delText></w:r></w:del><w:ins><w:r><w:t>came</w:t></w:r></w:ins></w:p>".to_owned(),
                vec![Block::paragraph("He came"), Block::paragraph_at("He was ill", "tracked deletion")],
            ),
            (
                format!("<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent>{}</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>{}</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>", p("Boxed"), p("Boxed")),
                vec![Block::paragraph_at("Boxed", "text box")],
            ),
            (
                format!("<w:tbl><w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr><w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr></w:tc><w:sdt><w:sdtContent><w:tc>{}{}</w:tc></w:sdtContent></w:sdt></w:tr></w:tbl>", p("Amy"), p("nuts"), p("milk"), p("eggs")),
                vec![Block::Table(Table::of(None, [
                    Row::of(vec!["Amy".into(), "nuts".into()]),
                    Row::of(vec!["Amy".into(), "milk\neggs".into()]),
                ]))],
            ),
        ] {
            let mut all = expected;
            all.extend(tail.iter().cloned());
            assert_eq!(document(&body), all, "{body}");
        }
    }
}
