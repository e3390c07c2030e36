//! What the package formats share: document properties, the sweep over every other XML part, and the files inside.

use hashbrown::HashSet;

use super::Why;
use super::file::Content;
use super::package::Package;
use super::xml::{self, Element, Node};
use crate::text::Block;

/// Parts that hold names of styles, fonts and settings and nothing that a person wrote.
const MACHINERY: &[&str] = &[
    "[content_types].xml",
    "styles.xml",
    "theme",
    "fonttable.xml",
    "settings.xml",
    "numbering.xml",
    "stylesWithEffects",
    "calcchain.xml",
    "presprops.xml",
    "viewprops.xml",
    "tablestyles.xml",
    "manifest",
    "slidelayouts/",
    "slidemasters/",
    "thumbnails/",
    "configurations2/",
    "metadata.xml",
    "handoutmasters/",
    "notesmasters/",
    "docprops/app.xml",
];

/// The detail of title, author, keywords and the like.
const PROPERTIES: &str = "document properties";

/// Elements that end a run of words in any of these formats.
const ENDS: &[&str] = &["p", "h", "si", "comment", "text", "row", "c", "title", "author", "v"];

/// The words already read of a document, so that the sweep says nothing twice.
#[derive(Default)]
pub struct Seen {
    words: HashSet<String>,
    /// Room for one word.
    word: String,
}

impl Seen {
    /// Remembers all words of the blocks.
    pub fn of(blocks: &[Block]) -> Self {
        let mut seen = Self::default();
        for block in blocks {
            match block {
                Block::Paragraph { text, .. } => seen.add(text),
                Block::Table(table) => table.rows.iter().flat_map(|r| &r.cells).for_each(|cell| seen.add(cell)),
            }
        }
        seen
    }

    /// Remembers further blocks.
    pub fn remember(&mut self, blocks: &[Block]) {
        self.words.extend(Self::of(blocks).words);
    }

    /// Whether a block has a word that is not remembered.
    pub fn is_new(&self, block: &Block) -> bool {
        match block {
            Block::Paragraph { text, .. } => self.has_new(text),
            Block::Table(table) => table.rows.iter().flat_map(|r| &r.cells).any(|cell| self.has_new(cell)),
        }
    }

    fn add(&mut self, text: &str) {
        // A long list has a hundred thousand words and a tenth of them once: only those are kept.
        for word in words(text) {
            lowercase(word, &mut self.word);
            if !self.words.contains(self.word.as_str()) {
                self.words.insert(self.word.clone());
            }
        }
    }

    /// Whether the text has a word that is not remembered.
    pub fn has_new(&self, text: &str) -> bool {
        words(text).any(|w| w.chars().count() > 1 && !self.words.contains(&w.to_lowercase()))
    }
}

fn lowercase(word: &str, into: &mut String) {
    into.clear();
    if word.is_ascii() {
        into.push_str(word);
        into.make_ascii_lowercase();
    } else {
        into.push_str(&word.to_lowercase());
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty())
}

/// Adds what no reader of the format has read: properties, any other XML part, and the files inside the package.
/// `read` names the parts that were read already.
pub fn sweep(package: &Package, read: &[String], content: &mut Content) {
    let mut seen = Seen::of(&content.blocks);
    for member in &package.members {
        let lower = member.name.to_ascii_lowercase();
        let bytes = match &member.content {
            Ok(bytes) => bytes,
            Err(why) => {
                content.incomplete.get_or_insert(*why);
                continue;
            }
        };
        if lower.ends_with(".rels") || read.iter().any(|r| r.eq_ignore_ascii_case(&member.name)) {
            continue;
        }
        if !lower.ends_with(".xml") && !lower.ends_with(".vml") {
            if !is_machinery_file(&lower) {
                content.inner.push((member.name.clone(), bytes.clone()));
            }
            continue;
        }
        if MACHINERY.iter().any(|m| lower.contains(&m.to_ascii_lowercase())) {
            continue;
        }
        let detail = detail_of(&lower);
        match xml::parse(bytes) {
            Ok(root) => {
                let mut texts = Vec::new();
                if detail == PROPERTIES {
                    fields(&root, &mut texts);
                } else {
                    let mut open = String::new();
                    gather(&root, &mut open, &mut texts);
                    flush(&mut open, &mut texts);
                }
                for text in texts {
                    if seen.has_new(&text) {
                        seen.add(&text);
                        content.blocks.push(Block::paragraph_at(text, detail));
                    }
                }
            }
            Err(why @ (Why::BeyondLimit | Why::Contradictory)) => {
                content.incomplete.get_or_insert(why);
            }
            // A part that is no document text may be broken without harm only if it is no XML at all.
            Err(_) => {
                content.incomplete.get_or_insert(Why::Damaged);
            }
        }
    }
}

fn detail_of(name: &str) -> &'static str {
    for (part, detail) in [
        ("comment", "comment"),
        ("docprops/", PROPERTIES),
        ("meta.xml", PROPERTIES),
        ("drawing", "text box"),
        ("chart", "chart"),
        ("pivot", "pivot table's source"),
        ("externallink", "linked workbook"),
        ("diagram", "diagram"),
        ("footnotes", "footnote"),
        ("endnotes", "endnote"),
        ("customxml", "custom data"),
        ("glossary", "building block"),
        ("notes", "notes"),
    ] {
        if name.contains(part) {
            return detail;
        }
    }
    "hidden part"
}

fn is_machinery_file(lower: &str) -> bool {
    let ends = [
        ".odttf",
        ".fntdata",
        "printersettings",
        "vbaproject.bin",
        "mimetype",
        ".ttf",
        ".rdf",
        ".psmdcp",
        "layout-cache",
    ];
    ends.iter().any(|e| lower.ends_with(e)) || lower.contains("printersettings") || lower.contains("thumbnail")
}

/// Fields of document properties that no person writes.
const MACHINE_FIELDS: &[&str] = &[
    "created",
    "modified",
    "revision",
    "lastPrinted",
    "generator",
    "creation-date",
    "date",
    "editing-cycles",
    "editing-duration",
    "print-date",
    "document-statistic",
    "language",
    "template",
];

/// Runs of text, each ended by an element that separates; and attributes that hold cached words.
fn gather(element: &Element, open: &mut String, texts: &mut Vec<String>) {
    for name in ["v", "name", "descr", "title", "caption"] {
        let holds_words = match name {
            // The items of a pivot cache.
            "v" => element.name == "s",
            "name" => element.name == "cacheField",
            _ => true,
        };
        if let Some(value) = element.attribute(name).filter(|v| holds_words && v.chars().any(char::is_alphabetic)) {
            texts.push(value.to_owned());
        }
    }
    for node in &element.children {
        match node {
            Node::Text(text) => open.push_str(text),
            Node::Element(child) => gather(child, open, texts),
        }
    }
    if ENDS.contains(&element.name.as_str()) || !element.children.iter().any(|n| matches!(n, Node::Text(_))) {
        flush(open, texts);
    }
}

/// Each field by itself.
fn fields(element: &Element, texts: &mut Vec<String>) {
    for child in element.elements().filter(|c| !MACHINE_FIELDS.contains(&c.name.as_str())) {
        if child.elements().next().is_some() {
            fields(child, texts);
        } else {
            flush(&mut child.text(), texts);
        }
    }
}

fn flush(open: &mut String, texts: &mut Vec<String>) {
    let text = std::mem::take(open).trim().to_owned();
    if text.chars().any(char::is_alphanumeric) {
        texts.push(text);
    }
}
