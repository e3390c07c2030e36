//! OLE compound files: Word 97, Excel 97, PowerPoint 97, Outlook messages, the shell of encrypted office files, and objects
//! that stand by themselves.
//!
//! Never knows what is inside the objects of a document: they are handed on as files. What the reader of a format leaves
//! out is looked for in its records and added as hidden text.

use std::collections::HashSet;
use std::io::Cursor;

use office_oxide::cfb::{DirEntry, EntryType};
use office_oxide::ir::{Element, Section, Table as IrTable, inline_to_text};
use office_oxide::options::ParseOptions;
use office_oxide::{Document, DocumentFormat};

use super::file::Content;
use super::office::{LINK, Seen};
use super::storage::{File, Walk};
use super::{Why, companion, ole, outlook, record_tree, records, sectors};
use crate::text::{Block, Row, Table};

/// Entries of the root that make a file one that only a key opens ([MS-OFFCRYPTO] 1.3.2 and 2.2).
const SEALED: &[&str] =
    &["EncryptedPackage", "DRMEncryptedDataSpace", "DRMContent", "\u{9}DRMContent", "\u{9}DRMViewerContent"];

/// Streams that are documents of programs read here; more than one of them where a file wants to be several.
const DOCUMENTS: &[(&str, DocumentFormat)] = &[
    ("WordDocument", DocumentFormat::Doc),
    ("Workbook", DocumentFormat::Xls),
    ("Book", DocumentFormat::Xls),
    ("PowerPoint Document", DocumentFormat::Ppt),
];

/// Reads a compound file. Where its sectors do not hold together, some of it may have got lost unseen.
pub fn read(bytes: &[u8]) -> Result<Content, Why> {
    let mut content = parts(bytes)?;
    if !sectors::are_sound(bytes) {
        content.incomplete.get_or_insert(Why::Damaged);
    }
    Ok(content)
}

fn parts(bytes: &[u8]) -> Result<Content, Why> {
    let mut container = File::new(Cursor::new(bytes)).map_err(|_| Why::Damaged)?;
    if SEALED.iter().any(|name| container.has_root_entry(name)) {
        return Err(Why::Encrypted);
    }
    let mut found: Vec<(&str, DocumentFormat)> = Vec::new();
    for (stream, format) in DOCUMENTS {
        // A workbook for two generations of Excel has both of its streams; one reader takes them.
        if container.has_root_entry(stream) && found.iter().all(|(_, other)| other != format) {
            found.push((stream, *format));
        }
    }
    if found.is_empty() && container.has_root_entry("__properties_version1.0") {
        return Ok(outlook::read(&mut container, bytes.len()));
    }
    if found.is_empty() && companion::is_of_folder(&container) {
        return Ok(Content::default());
    }
    let mut content = Content::default();
    for (stream, format) in &found {
        document(bytes, &mut container, stream, *format, &mut content)?;
    }
    if found.len() > 1 {
        // One program shows the one, another the other.
        content.incomplete = Some(Why::Contradictory);
    }
    inside(&mut container, bytes.len(), found.is_empty(), &mut content);
    Ok(content)
}

/// What stands in the storages of a document: objects, the sources of pivot tables, data of its controls. A file that is
/// no document is an object itself.
fn inside(container: &mut File<'_>, length: usize, object: bool, content: &mut Content) {
    let mut walk = Walk::new(container, length);
    if object {
        return ole::objects(container, vec![0], &mut walk, content);
    }
    let mut storages = Vec::new();
    for entry in walk.children(container.entries(), 0) {
        let DirEntry { name, entry_type, .. } = &container.entries()[entry];
        if *entry_type != EntryType::Storage || ole::is_machine_storage(name) {
            continue;
        }
        if !name.eq_ignore_ascii_case("_SX_DB_CUR") {
            storages.push(entry);
            continue;
        }
        let mut cached = Vec::new();
        for cache in walk.children(container.entries(), entry) {
            match walk.stream(container, cache) {
                Ok(stream) => cached.extend(records::sheets(&stream)),
                Err(why) => content.incomplete = Some(why),
            }
        }
        add_hidden(cached, "pivot table's source", content);
    }
    ole::objects(container, storages, &mut walk, content);
}

/// Adds what was not yet said.
fn add_hidden(texts: Vec<String>, detail: &str, content: &mut Content) {
    let mut seen = Seen::of(&content.blocks);
    for text in texts {
        let block = Block::paragraph_at(text, detail);
        if seen.is_new(&block) {
            seen.remember(std::slice::from_ref(&block));
            content.blocks.push(block);
        }
    }
}

fn document(
    bytes: &[u8],
    container: &mut File<'_>,
    stream: &str,
    format: DocumentFormat,
    content: &mut Content,
) -> Result<(), Why> {
    let stream = container.open_stream(stream).map_err(|_| Why::Damaged)?;
    // FIB: bit 8 of the flags at 10 says encrypted ([MS-DOC] 2.5.2).
    if format == DocumentFormat::Doc && stream.get(11).is_some_and(|flags| flags & 1 != 0) {
        return Err(Why::Encrypted);
    }
    let mut options = ParseOptions::default();
    options.limits = office_oxide::limits::Limits::strict();
    options.include_hidden_text = true;
    options.include_deleted_text = true;
    let document = Document::from_reader_with(Cursor::new(bytes.to_vec()), format, &options).map_err(|error| {
        let words = error.to_string().to_lowercase();
        if words.contains("encrypt") || words.contains("password") { Why::Encrypted } else { Why::Damaged }
    })?;
    let whole = document.to_ir();
    for section in &whole.sections {
        section_blocks(section, format, &mut content.blocks);
        if format == DocumentFormat::Xls {
            content.names.extend(section.title.clone());
        }
    }
    for (name, value) in whole.metadata.properties() {
        content.blocks.push(Block::paragraph_at(format!("{name}: {value}"), "document properties"));
    }
    if document.damage().iter().any(|damage| damage.is_loss()) {
        content.incomplete = Some(Why::Damaged);
    }
    let (sound, hidden) = match format {
        DocumentFormat::Xls => {
            let mut texts = Vec::new();
            let sound = record_tree::workbook_is_sound(&stream, &mut texts);
            add_hidden(texts, "text of no cell", content);
            (sound, (records::sheets(&stream), "header, text box or cache"))
        }
        DocumentFormat::Ppt => {
            (record_tree::presentation_is_sound(&stream), (records::slides(&stream, content), "hidden part"))
        }
        _ => {
            let tables = ["0Table", "1Table"].map(|name| container.open_stream(name).ok());
            let (texts, links) = record_tree::document_texts(&stream, &tables);
            let mut known = HashSet::new();
            let links = links.into_iter().filter(|target| known.insert(target.clone()));
            content.blocks.extend(links.map(|target| Block::paragraph_at(target, LINK)));
            (record_tree::document_is_sound(&stream, &tables), (texts, "text box or hidden part"))
        }
    };
    if !sound {
        content.incomplete = Some(Why::Damaged);
    }
    add_hidden(hidden.0, hidden.1, content);
    Ok(())
}

fn section_blocks(section: &Section, format: DocumentFormat, out: &mut Vec<Block>) {
    let title = section.title.as_deref().unwrap_or_default();
    let hidden = if section.hidden { ", hidden" } else { "" };
    let detail = match format {
        DocumentFormat::Xls => Some(format!("Sheet '{title}'{hidden}")),
        _ if section.hidden => Some("hidden".to_owned()),
        _ => None,
    };
    if format != DocumentFormat::Xls && !title.is_empty() {
        push(title.to_owned(), detail.as_deref(), out);
    }
    elements(&section.elements, detail.as_deref(), out);
    let edges = [
        &section.header,
        &section.footer,
        &section.first_page_header,
        &section.first_page_footer,
        &section.even_page_header,
        &section.even_page_footer,
    ];
    for edge in edges.into_iter().flatten() {
        elements(&edge.content, Some("header or footer"), out);
    }
    elements(section.speaker_notes.as_deref().unwrap_or_default(), Some("notes"), out);
}

fn elements(list: &[Element], detail: Option<&str>, out: &mut Vec<Block>) {
    for element in list {
        match element {
            Element::Heading(heading) => push(inline_to_text(&heading.content), detail, out),
            Element::Paragraph(paragraph) => push(inline_to_text(&paragraph.content), detail, out),
            Element::Table(table) => {
                if let Some(caption) = &table.caption {
                    push(caption.clone(), detail, out);
                }
                self::table(table, detail, out);
            }
            Element::List(list) => {
                // Nested lists one after another; depth is bounded by the reader's own limits.
                let mut waiting = vec![list];
                while let Some(list) = waiting.pop() {
                    for item in &list.items {
                        elements(&item.content, detail, out);
                        waiting.extend(&item.nested);
                    }
                }
            }
            Element::TextBox(text_box) => elements(&text_box.content, Some("text box"), out),
            Element::Footnote(note) => elements(&note.content, Some("footnote"), out),
            Element::Endnote(note) => elements(&note.content, Some("comment or endnote"), out),
            Element::CodeBlock(code) => push(code.content.clone(), detail, out),
            _ => {}
        }
    }
}

fn push(text: String, detail: Option<&str>, out: &mut Vec<Block>) {
    if !text.trim().is_empty() {
        out.push(Block::Paragraph { text, detail: detail.map(str::to_owned) });
    }
}

fn table(table: &IrTable, detail: Option<&str>, out: &mut Vec<Block>) {
    let mut rows = Vec::new();
    for (number, line) in table.rows.iter().enumerate() {
        let mut cells = Vec::new();
        for cell in &line.cells {
            let mut inside = Vec::new();
            elements(&cell.content, None, &mut inside);
            let lines: Vec<String> = inside
                .into_iter()
                .map(|block| match block {
                    Block::Paragraph { text, .. } => text,
                    Block::Table(table) => table.rows().map(|row| row.joined("\t")).collect::<Vec<_>>().join("\n"),
                })
                .collect();
            cells.push(lines.join("\n"));
            cells.extend((1..cell.col_span.min(64)).map(|_| String::new()));
        }
        let row = Row { cells, detail: Some(format!("row {}", number + 1)) };
        if row.is_filled() {
            rows.push(row);
        }
    }
    if !rows.is_empty() {
        out.push(Block::Table(Table::of(detail.map(str::to_owned), rows)));
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::ole::tests::{packaged, stream};
    use super::super::records::tests::record;
    use super::super::storage::tests::compound;
    use super::*;

    /// A workbook of one empty sheet, named after a class, with further records.
    pub fn workbook(more: &[u8]) -> Vec<u8> {
        let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0xbb, 0x0d, 0xcc, 0x07, 0, 0, 0, 0, 6, 0, 0, 0]);
        let sheet = [begin(0x10).as_slice(), more, &record(0x000a, &[])].concat();
        let place = (begin(5).len() + 4 + 17 + 4) as u32;
        let name = [place.to_le_bytes().as_slice(), &[0, 0, 9, 0], b"Oak Class"].concat();
        [begin(5), record(0x0085, &name), record(0x000a, &[]), sheet].concat()
    }

    #[test]
    fn what_stands_beside_the_cells() {
        let package = stream(&packaged("list.csv", b"Amy"));
        let odd = [1u8, 2, 3, 4, 5, 6, 7, 0];
        let header = workbook(&record(0x0014, b"\x05\0\0&LAmy"));
        let plain = workbook(&[]);
        let cache = record(0x00cd, b"\x03\0\0Amy");
        for (streams, inner, text, incomplete) in [
            (vec![("Workbook", plain.as_slice())], 0, None, None),
            (vec![("Workbook", header.as_slice())], 0, Some("Amy"), None),
            (vec![("Workbook", plain.as_slice()), ("_SX_DB_CUR/0001", &cache)], 0, Some("Amy"), None),
            (vec![("Workbook", plain.as_slice()), ("MBD0001/\u{1}Ole10Native", &package)], 1, None, None),
            (vec![("Workbook", plain.as_slice()), ("MBD0001/Workbook", &plain)], 1, None, None),
            (vec![("Workbook", plain.as_slice()), ("MBD0001/Odd", &odd)], 0, None, Some(Why::UnknownType)),
            (vec![("Workbook", plain.as_slice()), ("_VBA_PROJECT_CUR/Odd", &odd)], 0, None, None),
            (vec![("\u{1}Ole10Native", package.as_slice())], 1, None, None),
        ] {
            let content = read(&compound(&streams)).unwrap();
            let named = if streams[0].0 == "Workbook" { vec!["Oak Class"] } else { Vec::new() };
            assert_eq!(content.names, named);
            let said = content
                .blocks
                .iter()
                .any(|b| matches!(b, Block::Paragraph { text: t, .. } if Some(t.as_str()) == text));
            assert_eq!(
                (content.inner.len(), said, content.incomplete),
                (inner, text.is_some(), incomplete),
                "{streams:?} {:?}",
                content.blocks
            );
        }
        for name in ["\u{9}DRMContent", "DRMContent", "EncryptedPackage"] {
            assert_eq!(read(&compound(&[(name, &odd)])).err(), Some(Why::Encrypted));
        }
    }
}
