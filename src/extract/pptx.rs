//! PowerPoint presentations (ECMA-376 PresentationML): slides in order, their tables, the speaker's notes.

use super::Why;
use super::file::Content;
use super::office;
use super::package::Package;
use super::xml::{self, Element, Node};
use crate::text::{Block, Row, Table};

/// Reads a package.
pub fn read(package: &Package) -> Result<Content, Why> {
    if let Some(why) = package.trouble(|n| n.starts_with("ppt/slides/") || n.starts_with("ppt/notesSlides/")) {
        return Err(why);
    }
    if package.get("ppt/presentation.xml").is_none() {
        return Err(Why::Damaged);
    }
    let mut content = Content::default();
    let mut done = vec!["ppt/presentation.xml".to_owned()];
    for (folder, what) in [("ppt/slides/slide", "slide"), ("ppt/notesSlides/notesSlide", "notes, slide")] {
        let number = |name: &str| name.strip_prefix(folder)?.strip_suffix(".xml")?.parse::<u32>().ok();
        let mut slides: Vec<(u32, &str)> =
            package.members.iter().filter_map(|m| Some((number(&m.name)?, m.name.as_str()))).collect();
        slides.sort_unstable();
        for (number, name) in slides {
            if let Some(root) = package.get(name).map(xml::parse).transpose()? {
                let hidden = if root.attribute("show") == Some("0") { ", hidden" } else { "" };
                blocks(&root, &format!("{what} {number}{hidden}"), &mut content.blocks);
                done.push(name.to_owned());
            }
        }
    }
    office::sweep(package, &done, &mut content);
    Ok(content)
}

fn blocks(element: &Element, detail: &str, out: &mut Vec<Block>) {
    for child in element.elements() {
        match child.name.as_str() {
            "p" => push(text(child), detail, out),
            "tbl" => table(child, detail, out),
            "cNvPr" => {
                for name in ["descr", "title"] {
                    push(
                        child.attribute(name).unwrap_or_default().to_owned(),
                        &format!("{detail}, alternative text"),
                        out,
                    );
                }
            }
            "Fallback" => {}
            _ => blocks(child, detail, out),
        }
    }
}

fn push(text: String, detail: &str, out: &mut Vec<Block>) {
    if text.chars().any(char::is_alphanumeric) {
        out.push(Block::paragraph_at(text, detail));
    }
}

fn text(paragraph: &Element) -> String {
    let mut out = String::new();
    for node in &paragraph.children {
        let Node::Element(child) = node else { continue };
        match child.name.as_str() {
            "t" => out.push_str(&child.text()),
            "br" => out.push('\n'),
            "tab" => out.push('\t'),
            _ => out.push_str(&text(child)),
        }
    }
    out
}

fn table(element: &Element, detail: &str, out: &mut Vec<Block>) {
    let mut rows = Vec::new();
    for line in element.elements().filter(|e| e.name == "tr") {
        let cells = line.elements().filter(|e| e.name == "tc").map(|cell| {
            let mut paragraphs = Vec::new();
            cell.descendants("p", &mut paragraphs);
            paragraphs.into_iter().map(text).collect::<Vec<_>>().join("\n")
        });
        let row = Row::of(cells.collect());
        if row.is_filled() {
            rows.push(row);
        }
    }
    if !rows.is_empty() {
        out.push(Block::Table(Table { detail: Some(detail.to_owned()), rows }));
    }
}

#[cfg(test)]
mod tests {
    use super::super::package::{Budget, read as read_package, tests::archive};
    use super::*;

    #[test]
    fn slides_tables_and_notes() {
        let bytes = archive(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("ppt/presentation.xml", b"<p/>"),
            ("ppt/slides/slide10.xml", b"<s><a:p><a:r><a:t>last</a:t></a:r></a:p></s>"),
            ("ppt/slides/slide2.xml", b"<p:sld show='0'><a:p><a:r><a:t>Smi</a:t></a:r><a:r><a:t>th</a:t></a:r></a:p><a:tbl><a:tr><a:tc><a:p><a:r><a:t>a</a:t></a:r></a:p></a:tc><a:tc><a:p><a:r><a:t>b</a:t></a:r></a:p></a:tc></a:tr></a:tbl></p:sld>"),
            ("ppt/notesSlides/notesSlide2.xml", b"<n><a:p><a:r><a:t>say it</a:t></a:r></a:p></n>"),
        ]);
        let content = read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap();
        let hidden = "slide 2, hidden";
        assert_eq!(
            content.blocks,
            [
                Block::paragraph_at("Smith", hidden),
                Block::Table(Table { detail: Some(hidden.into()), rows: vec![Row::of(vec!["a".into(), "b".into()])] }),
                Block::paragraph_at("last", "slide 10"),
                Block::paragraph_at("say it", "notes, slide 2"),
            ]
        );
    }
}
