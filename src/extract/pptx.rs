//! PowerPoint presentations (ECMA-376 PresentationML): slides in order, their tables, the speaker's notes.

use std::collections::{HashMap, HashSet};

use super::Why;
use super::file::Content;
use super::office;
use super::package::Package;
use super::relations::{self, Relation};
use super::xml::{self, Element, Node};
use crate::text::{Block, Row, Table};

/// Reads a package.
pub fn read(package: &Package) -> Result<Content, Why> {
    let main = relations::main_part(package).unwrap_or_else(|| "ppt/presentation.xml".to_owned());
    let folder = relations::folder(&main);
    if let Some(why) =
        package.trouble(|n| ["slides/", "notesSlides/"].iter().any(|f| n.starts_with(&format!("{folder}{f}"))))
    {
        return Err(why);
    }
    let presentation = xml::parse(package.need(&main)?)?;
    let mut content = Content::default();
    let mut done: Vec<String> = (presentation.name == "presentation").then(|| main.clone()).into_iter().collect();
    let slides = slides(package, &presentation, &main);
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut notes = Vec::new();
    let mut known = HashSet::new();
    for (number, part) in slides {
        // A part that is several slides says the same on each.
        if !known.insert(part.clone()) {
            continue;
        }
        let own = relations::of(package, &part).into_iter().find(|r| r.kind == "notesSlide");
        notes.extend(own.map(|r| (format!("notes, slide {number}"), r.target)));
        parts.push((format!("slide {number}"), part));
    }
    parts.append(&mut notes);
    let number = |name: &str| {
        let name = name.strip_prefix(folder)?.strip_prefix("notesSlides/notesSlide")?;
        name.strip_suffix(".xml")?.parse::<u32>().ok()
    };
    let mut others: Vec<(u32, &str)> =
        package.members.iter().filter_map(|m| Some((number(&m.name)?, m.name.as_str()))).collect();
    others.sort_unstable();
    parts.extend(others.into_iter().map(|(number, name)| (format!("notes, slide {number}"), name.to_owned())));
    for (what, name) in parts {
        if done.contains(&name) {
            continue;
        }
        let root = package.get(&name).map(|bytes| xml::kept(bytes, &mut content.incomplete));
        if let Some(root) = root.transpose()? {
            let hidden = if root.attribute("show") == Some("0") { ", hidden" } else { "" };
            blocks(&root, &format!("{what}{hidden}"), &mut content.blocks);
            done.push(name);
        }
    }
    for (name, detail) in patterns(package, &main) {
        // What a part of another kind holds is swept up whatever points to it.
        let root = package.get(&name).map(|bytes| xml::kept(bytes, &mut content.incomplete));
        if let Some(root) = root.transpose()?
            && PATTERNS.iter().any(|(_, element, _)| *element == root.name)
        {
            own_shapes(&root, detail, &mut content.blocks);
        }
    }
    office::sweep(package, &done, &mut content);
    Ok(content)
}

/// Kinds of parts that slides are made after: relation, element, and what they are to a person.
const PATTERNS: &[(&str, &str, &str)] = &[
    ("slideMaster", "sldMaster", "master"),
    ("slideLayout", "sldLayout", "layout"),
    ("notesMaster", "notesMaster", "master of the notes"),
    ("handoutMaster", "handoutMaster", "master of the handout"),
];

/// The parts that slides are made after, by name and by relation.
fn patterns(package: &Package, main: &str) -> Vec<(String, &'static str)> {
    let detail = |kind: &str| PATTERNS.iter().find(|(known, ..)| *known == kind).map(|(.., detail)| *detail);
    let folder = relations::folder(main);
    let by_name = |name: &str| {
        let kind = name.strip_prefix(folder)?.split_once('/')?.0.strip_suffix('s')?;
        name.ends_with(".xml").then(|| detail(kind))?
    };
    let mut found: Vec<(String, &'static str)> =
        package.members.iter().filter_map(|m| Some((m.name.clone(), by_name(&m.name)?))).collect();
    let mut known: HashSet<String> = found.iter().map(|(name, _)| name.clone()).collect();
    // Masters hang at the presentation, layouts at the masters.
    known.insert(main.to_owned());
    let mut waiting: Vec<String> = known.iter().cloned().collect();
    while let Some(part) = waiting.pop() {
        for Relation { kind, target, .. } in relations::of(package, &part) {
            if let Some(detail) = detail(&kind)
                && known.insert(target.clone())
            {
                waiting.push(target.clone());
                found.push((target, detail));
            }
        }
    }
    found
}

/// The shapes of a pattern that stand on every slide as they are. What stands in its placeholders ("Click to edit") does not,
/// but for headers and footers.
fn own_shapes(element: &Element, detail: &str, out: &mut Vec<Block>) {
    for child in element.elements() {
        let mut placeholders = Vec::new();
        if let Some(head) = child.elements().find(|e| e.name.starts_with("nv")) {
            head.descendants("ph", &mut placeholders);
        }
        let stays = |place: &&Element| matches!(place.attribute("type"), Some("hdr" | "ftr"));
        if placeholders.iter().all(stays) {
            match child.name.as_str() {
                "sp" | "pic" | "graphicFrame" | "cxnSp" => blocks(child, detail, out),
                _ => own_shapes(child, detail, out),
            }
        }
    }
}

/// The slides in the order in which they are shown, by the presentation's own list; then those that only lie in the
/// folder of slides, by their names.
fn slides(package: &Package, presentation: &Element, main: &str) -> Vec<(u32, String)> {
    let related = relations::of(package, main);
    let mut listed = Vec::new();
    presentation.descendants("sldId", &mut listed);
    let mut found: Vec<(u32, String)> = Vec::new();
    let by_id: HashMap<&str, &Relation> = related.iter().rev().map(|r| (r.id.as_str(), r)).collect();
    for slide in listed {
        // It has two attributes of this local name: a number of its own, and that of the relation.
        let mut ids = slide.attributes.iter().filter(|(name, _)| name == "id");
        if let Some(relation) = ids.find_map(|(_, id)| by_id.get(id.as_str())) {
            found.push((found.len() as u32 + 1, relation.target.clone()));
        }
    }
    let folder = relations::folder(main);
    let number =
        |name: &str| name.strip_prefix(folder)?.strip_prefix("slides/slide")?.strip_suffix(".xml")?.parse::<u32>().ok();
    let mut others: Vec<(u32, String)> =
        package.members.iter().filter_map(|m| Some((number(&m.name)?, m.name.clone()))).collect();
    let known: HashSet<String> = found.iter().map(|(_, name)| name.to_ascii_lowercase()).collect();
    others.retain(|(_, name)| !known.contains(&name.to_ascii_lowercase()));
    others.sort_unstable();
    found.append(&mut others);
    found
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
        out.push(Block::Table(Table::of(Some(detail.to_owned()), rows)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::package::{Budget, read as read_package, tests::archive};
    use super::*;

    #[test]
    fn slides_stand_in_the_order_of_their_list() {
        const R: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let slide = |t: &str| format!("<p:sld><a:p><a:r><a:t>{t}</a:t></a:r></a:p></p:sld>");
        let rels = |list: &[(&str, &str, &str)]| {
            let one = |(id, kind, target): &(&str, &str, &str)| {
                format!("<Relationship Id='{id}' Type='{R}/{kind}' Target='{target}'/>")
            };
            format!("<R>{}</R>", list.iter().map(one).collect::<String>())
        };
        let bytes = archive(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("_rels/.rels", rels(&[("a", "officeDocument", "ppt/deck.xml")]).as_bytes()),
            ("ppt/deck.xml", b"<p:presentation><p:sldIdLst><p:sldId id='256' r:id='r2'/><p:sldId id='257' r:id='r1'/></p:sldIdLst></p:presentation>"),
            ("ppt/_rels/deck.xml.rels", rels(&[("r1", "slide", "pages/one.xml"), ("r2", "slide", "slides/slide7.xml")]).as_bytes()),
            ("ppt/pages/one.xml", slide("last").as_bytes()),
            ("ppt/pages/_rels/one.xml.rels", rels(&[("r1", "notesSlide", "../said/theme1.xml")]).as_bytes()),
            ("ppt/said/theme1.xml", slide("say it").as_bytes()),
            ("ppt/slides/slide7.xml", slide("first").as_bytes()),
        ]);
        let content = read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap();
        let expected = [("first", "slide 1"), ("last", "slide 2"), ("say it", "notes, slide 2")];
        assert_eq!(content.blocks, expected.map(|(text, detail)| Block::paragraph_at(text, detail)));
    }

    #[test]
    fn what_stands_on_a_master_is_on_every_slide() {
        const R: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let shape = |place: &str, text: &str| {
            format!(
                "<p:sp><p:nvSpPr><p:nvPr>{place}</p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
            )
        };
        let tree = [
            shape("", "Oak class of Amy Smith"),
            shape("<p:ph type='title'/>", "Click to edit"),
            shape("<p:ph type='ftr'/>", "For Ben"),
            shape("<p:ph/>", "First level"),
            format!("<p:grpSp>{}</p:grpSp>", shape("", "in a group")),
        ]
        .concat();
        let said = ["Oak class of Amy Smith", "For Ben", "in a group"];
        for (part, root, kind, detail) in [
            ("ppt/slideMasters/slideMaster1.xml", "sldMaster", "", "master"),
            ("ppt/slideLayouts/slideLayout7.xml", "sldLayout", "", "layout"),
            ("ppt/notesMasters/notesMaster1.xml", "notesMaster", "", "master of the notes"),
            ("ppt/theme/theme1.xml", "sldMaster", "slideMaster", "master"),
            // A theme is one, whoever calls it a master; it has no shapes.
            ("ppt/theme/theme2.xml", "theme", "slideMaster", ""),
        ] {
            let own = format!("<p:{root}><p:cSld><p:spTree>{tree}</p:spTree></p:cSld></p:{root}>");
            let target = part.trim_start_matches("ppt/");
            let related = format!("<R><Relationship Id='1' Type='{R}/{kind}' Target='{target}'/></R>");
            let bytes = archive(&[
                ("[Content_Types].xml", b"<Types/>"),
                ("ppt/presentation.xml", b"<p:presentation/>"),
                ("ppt/_rels/presentation.xml.rels", related.as_bytes()),
                (part, own.as_bytes()),
            ]);
            let content = read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap();
            let expected: Vec<Block> =
                said.iter().filter(|_| !detail.is_empty()).map(|text| Block::paragraph_at(*text, detail)).collect();
            assert_eq!(content.blocks, expected, "{part}");
        }
    }

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
                Block::Table(Table::of(Some(hidden.into()), [Row::of(vec!["a".into(), "b".into()])])),
                Block::paragraph_at("last", "slide 10"),
                Block::paragraph_at("say it", "notes, slide 2"),
            ]
        );
    }
}
