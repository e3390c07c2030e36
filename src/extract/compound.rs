//! OLE compound files: Word 97, Excel 97, PowerPoint 97, Outlook messages, and the shell of encrypted office files.

use std::io::Cursor;

use office_oxide::cfb::CfbReader;
use office_oxide::ir::{Element, Section, Table as IrTable, inline_to_text};
use office_oxide::options::ParseOptions;
use office_oxide::{Document, DocumentFormat};

use super::file::Content;
use super::{Why, companion, outlook};
use crate::text::{Block, Row, Table};

/// Reads a compound file.
pub fn read(bytes: &[u8]) -> Result<Content, Why> {
    let mut container = CfbReader::new(Cursor::new(bytes)).map_err(|_| Why::Damaged)?;
    if container.has_root_entry("EncryptedPackage") || container.has_root_entry("DRMEncryptedDataSpace") {
        return Err(Why::Encrypted);
    }
    let format = if container.has_root_entry("WordDocument") {
        // FIB: bit 8 of the flags at 10 says encrypted ([MS-DOC] 2.5.2).
        let stream = container.open_stream("WordDocument").map_err(|_| Why::Damaged)?;
        if stream.get(11).is_some_and(|flags| flags & 1 != 0) {
            return Err(Why::Encrypted);
        }
        DocumentFormat::Doc
    } else if container.has_root_entry("Workbook") || container.has_root_entry("Book") {
        DocumentFormat::Xls
    } else if container.has_root_entry("PowerPoint Document") {
        DocumentFormat::Ppt
    } else if container.has_root_entry("__properties_version1.0") {
        return Ok(outlook::read(&mut container));
    } else {
        return companion::of_program(&mut container).ok_or(Why::UnknownType);
    };
    let mut options = ParseOptions::default();
    options.limits = office_oxide::limits::Limits::strict();
    options.include_hidden_text = true;
    options.include_deleted_text = true;
    let document = Document::from_reader_with(Cursor::new(bytes.to_vec()), format, &options).map_err(|error| {
        let words = error.to_string().to_lowercase();
        if words.contains("encrypt") || words.contains("password") { Why::Encrypted } else { Why::Damaged }
    })?;
    let mut content = Content::default();
    let whole = document.to_ir();
    for section in &whole.sections {
        section_blocks(section, format, &mut content.blocks);
    }
    for (name, value) in whole.metadata.properties() {
        content.blocks.push(Block::paragraph_at(format!("{name}: {value}"), "document properties"));
    }
    if document.damage().iter().any(|damage| damage.is_loss()) {
        content.incomplete = Some(Why::Damaged);
    }
    Ok(content)
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
                    Block::Table(table) => table.rows.iter().map(|r| r.cells.join("\t")).collect::<Vec<_>>().join("\n"),
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
        out.push(Block::Table(Table { detail: detail.map(str::to_owned), rows }));
    }
}
