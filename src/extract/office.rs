//! What the package formats share: document properties, the sweep over every other XML part, and the files inside.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use hashbrown::HashSet;

use super::Why;
use super::file::Content;
use super::package::Package;
use super::relations;
use super::xml::{self, Element, Node};
use crate::limits;
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

/// The detail of where a link leads.
pub const LINK: &str = "link";

/// Elements that hold a paragraph: what stands in them is parted by formatting, not by meaning.
const PARAGRAPHS: &[&str] = &["p", "h", "si", "is", "text", "div"];

/// Elements inside a paragraph that only format a part of it; of those that hold properties the names end in `Pr`.
const INLINE: &[&str] = &[
    "r",
    "t",
    "fld",
    "rPh",
    "span",
    "font",
    "b",
    "i",
    "u",
    "s",
    "em",
    "strong",
    "sub",
    "sup",
    "a",
    "hyperlink",
    "ins",
    "del",
    "delText",
    "moveTo",
    "moveFrom",
    "smartTag",
    "sdt",
    "sdtContent",
    "ruby",
    "rt",
    "rubyBase",
    "m",
    "oMath",
];

/// What was already read of a document, so that the sweep says nothing twice.
#[derive(Default)]
pub struct Seen {
    words: HashSet<String>,
    /// Hashes of whole paragraphs and cells: the words of a sentence may all stand elsewhere, one by one.
    texts: HashSet<u64>,
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
                Block::Table(table) => table.texts().for_each(|text| seen.add(text)),
            }
        }
        seen
    }

    /// Remembers further blocks.
    pub fn remember(&mut self, blocks: &[Block]) {
        let other = Self::of(blocks);
        self.words.extend(other.words);
        self.texts.extend(other.texts);
    }

    /// Whether a block has a word that is not remembered.
    pub fn is_new(&self, block: &Block) -> bool {
        match block {
            Block::Paragraph { text, .. } => self.has_new(text),
            Block::Table(table) => table.texts().any(|text| self.has_new(text)),
        }
    }

    fn add(&mut self, text: &str) {
        self.texts.insert(hash(text));
        // A long list has a hundred thousand words and a tenth of them once: only those are kept.
        for word in words(text) {
            lowercase(word, &mut self.word);
            if !self.words.contains(self.word.as_str()) {
                self.words.insert(self.word.clone());
            }
        }
    }

    /// Whether the text says something that was not said: a single word by itself, several in this order.
    fn says_new(&self, text: &str) -> bool {
        if words(text).nth(1).is_some() { !self.texts.contains(&hash(text)) } else { self.has_new(text) }
    }

    /// Whether the text has a word that is not remembered.
    pub fn has_new(&self, text: &str) -> bool {
        words(text).any(|w| w.chars().count() > 1 && !self.words.contains(&w.to_lowercase()))
    }
}

/// The same for texts that differ in case, blanks and marks alone. Keyed anew at each start, so that nobody can write two texts of one hash,
/// of which the second would count as said.
fn hash(text: &str) -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut hasher = KEYS.build_hasher();
    for word in words(text) {
        word.chars().flat_map(char::to_lowercase).for_each(|c| hasher.write_u32(c.into()));
        hasher.write_u8(b' ');
    }
    hasher.finish()
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
        if lower.ends_with(".rels") {
            for target in relations::outside(bytes) {
                if seen.says_new(&target) {
                    seen.add(&target);
                    content.blocks.push(Block::paragraph_at(target, LINK));
                }
            }
            continue;
        }
        if read.iter().any(|r| r.eq_ignore_ascii_case(&member.name)) {
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
        match xml::kept(bytes, &mut content.incomplete) {
            Ok(root) => {
                let mut texts = Vec::new();
                if detail == PROPERTIES {
                    fields(&root, &mut texts);
                } else {
                    let mut open = String::new();
                    gather(&root, false, &mut open, &mut texts);
                    flush(&mut open, &mut texts);
                }
                for text in texts {
                    if seen.says_new(&text) {
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

/// The place that a sheet or table is: its name, its state, and its columns that are hidden. It stands beside every text of the
/// table, so that it is kept short whatever the table says.
pub fn table_place(named: &str, hidden_columns: &[String]) -> String {
    let mut place = named.to_owned();
    if let Some((first, rest)) = hidden_columns.split_first() {
        place.push_str(&format!(", hidden columns {first}"));
        rest.iter().take(limits::HIDDEN_COLUMNS_TOLD).for_each(|column| place.extend([", ", column]));
        if rest.len() > limits::HIDDEN_COLUMNS_TOLD {
            place.push_str(" and more");
        }
    }
    place
}

/// A sheet's name as its place says it.
pub fn sheet_place(name: &str, state: &str) -> String {
    match name.char_indices().nth(limits::SHEET_NAME_TOLD) {
        None => format!("Sheet '{name}'{state}"),
        Some((end, _)) => format!("Sheet '{}…'{state}", &name[..end]),
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
        ("xl/revisions/", "log of changes"),
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

/// Paragraphs, their runs joined, and the text of any other element by itself; and attributes that hold cached words.
fn gather(element: &Element, inside: bool, open: &mut String, texts: &mut Vec<String>) {
    for name in ["v", "name", "descr", "title", "caption", "oldName", "newName"] {
        let holds_words = match name {
            // The items of a pivot cache.
            "v" => element.name == "s",
            // The log of a shared workbook says who has changed it, and how sheets were called.
            "name" => matches!(element.name.as_str(), "cacheField" | "userInfo"),
            _ => true,
        };
        if let Some(value) = element.attribute(name).filter(|v| holds_words && v.chars().any(char::is_alphabetic)) {
            texts.push(value.to_owned());
        }
    }
    if element.children.is_empty() {
        match element.name.as_str() {
            "br" | "cr" => open.push('\n'),
            "tab" => open.push('\t'),
            _ => {}
        }
        return;
    }
    let paragraph = PARAGRAPHS.contains(&element.name.as_str());
    let name = element.name.as_str();
    let joins = inside && !paragraph && (INLINE.contains(&name) || name.ends_with("Pr"));
    if !joins {
        flush(open, texts);
    }
    for node in &element.children {
        match node {
            Node::Text(text) => open.push_str(text),
            Node::Element(child) => gather(child, inside || paragraph, open, texts),
        }
    }
    if !joins {
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

#[cfg(test)]
mod tests {
    use super::super::package::{Budget, read as read_package, tests::archive};
    use super::*;

    #[test]
    fn formatting_does_not_part_a_name() {
        for (part, xml, expected) in [
            (
                "xl/drawings/drawing1.xml",
                "<w><a:p><a:r><a:rPr b='1'><a:latin typeface='x'/></a:rPr><a:t>Kei</a:t></a:r><a:r><a:t>ra Doyle</a:t></a:r></a:p><a:p><a:r><a:t>Oak</a:t></a:r></a:p></w>",
                vec!["Keira Doyle", "Oak"],
            ),
            (
                "xl/charts/chart1.xml",
                "<c><c:rich><a:p><a:r><a:t>Of Keira</a:t></a:r><a:fld><a:t> Doyle</a:t></a:fld></a:p></c:rich><c:pt><c:v>Amy</c:v></c:pt><c:pt><c:v>Ben</c:v></c:pt></c>",
                vec!["Of Keira Doyle", "Amy", "Ben"],
            ),
            (
                "xl/comments1.xml",
                "<c><authors><author>AM</author></authors><comment><text><r><rPr><b/></rPr><t>Kei</t></r><r><t>ra</t></r></text></comment></c>",
                vec!["AM", "Keira"],
            ),
            (
                "word/diagrams/data1.xml",
                "<d><pt><t><a:p><a:r><a:t>Kei</a:t></a:r><a:r><a:t>ra</a:t></a:r><a:br/><a:r><a:t>Doyle</a:t></a:r></a:p></t></pt></d>",
                vec!["Keira\nDoyle"],
            ),
            (
                "xl/drawings/vmlDrawing1.vml",
                "<x><v:textbox><div><font>Kei</font><b>ra</b></div><div>Doyle</div></v:textbox></x>",
                vec!["Keira", "Doyle"],
            ),
            (
                "xl/threadedComments/threadedComment1.xml",
                "<T><threadedComment><text>Keira</text></threadedComment></T>",
                vec!["Keira"],
            ),
            (
                "xl/revisions/revisionLog1.xml",
                "<revisions><rcc rId='1' sId='1'><oc r='A1' t='inlineStr'><is><t>Kei</t></is></oc><nc r='A1' t='inlineStr'><is><r><t>Do</t></r><r><t>yle</t></r></is></nc></rcc><rsnm sheetId='1' oldName='[a.xls]Amy' newName='Oak'/></revisions>",
                vec!["Kei", "Doyle", "[a.xls]Amy", "Oak"],
            ),
            ("customXml/item1.xml", "<r><a>Amy</a><b>Smith</b><t>x y</t></r>", vec!["Amy", "Smith", "x y"]),
        ] {
            let package = read_package(&archive(&[(part, xml.as_bytes())]), &mut Budget::default(), &[]).unwrap();
            let mut content = Content::default();
            sweep(&package, &[], &mut content);
            let texts: Vec<&str> = content
                .blocks
                .iter()
                .map(|b| if let Block::Paragraph { text, .. } = b { text.as_str() } else { "" })
                .collect();
            assert_eq!(texts, expected, "{part}");
            assert_eq!(content.incomplete, None);
        }
    }

    /// SmartArt: what is said stands in the model, and once more in the drawing that older programs show.
    #[test]
    fn diagrams_say_each_text_once() {
        let run = |text: &str| format!("<a:r><a:rPr lang='en-GB'/><a:t>{text}</a:t></a:r>");
        let point = |text: &str| {
            format!(
                "<dgm:pt modelId='1'><dgm:prSet phldrT='[Text]'/><dgm:spPr/><dgm:t><a:bodyPr/><a:lstStyle/>{text}</dgm:t></dgm:pt>"
            )
        };
        let split = format!(
            "<a:p>{}{}<a:endParaRPr lang='en-GB'/></a:p><a:p>{}</a:p>",
            run("Kei"),
            run("ra Doyle"),
            run("has asthma")
        );
        let single = format!("<a:p>{}</a:p>", run("Ben"));
        let model = format!(
            "<dgm:dataModel><dgm:ptLst>{}{}</dgm:ptLst><dgm:cxnLst/></dgm:dataModel>",
            point(&split),
            point(&single)
        );
        let drawing = format!("<dsp:drawing><dsp:sp><dsp:txBody>{split}</dsp:txBody></dsp:sp></dsp:drawing>");
        let layout = "<dgm:layoutDef uniqueId='x'><dgm:title val=''/><dgm:layoutNode name='Name0'/></dgm:layoutDef>";
        for folder in ["word", "xl", "ppt"] {
            let place = |part: &str| format!("{folder}/diagrams/{part}1.xml");
            let (data, drawn, laid) = (place("data"), place("drawing"), place("layout"));
            let parts = [
                (data.as_str(), model.as_bytes()),
                (drawn.as_str(), drawing.as_bytes()),
                (laid.as_str(), layout.as_bytes()),
            ];
            let package = read_package(&archive(&parts), &mut Budget::default(), &[]).unwrap();
            let mut content = Content::default();
            sweep(&package, &[], &mut content);
            let said = ["Keira Doyle", "has asthma", "Ben"].map(|text| Block::paragraph_at(text, "diagram"));
            assert_eq!(content.blocks, said, "{folder}");
        }
    }

    #[test]
    fn a_sentence_of_words_that_stand_elsewhere_is_said() {
        let part = b"<w><a:p><a:t>Keira has asthma</a:t></a:p><a:p><a:t>Keira, Doyle</a:t></a:p><a:p><a:t>asthma</a:t></a:p></w>";
        let package =
            read_package(&archive(&[("xl/drawings/drawing1.xml", part)]), &mut Budget::default(), &[]).unwrap();
        let said = ["Keira", "has", "asthma", "Keira Doyle"].map(Block::paragraph);
        let mut content = Content { blocks: said.to_vec(), ..Content::default() };
        sweep(&package, &[], &mut content);
        assert_eq!(content.blocks[said.len()..], [Block::paragraph_at("Keira has asthma", "text box")]);
    }
}
