//! The walk through an OpenDocument's mark-up: what stands open is on stacks, and what is done is a block.
//!
//! Invariants: a level, an output, a paragraph or a table is on its stack exactly while the element that it came with is
//! open; the first output is the document's.

use std::collections::HashSet;
use std::rc::Rc;

use super::super::file::Content;
use super::super::xml::{self, Piece, Tag};
use super::super::{Why, office};
use super::sheet::{OpenTable, repeated};
use crate::limits;
use crate::text::Block;

/// What an open element is to the walk.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Inside {
    /// Above the body and the page styles.
    Outside,
    /// A style outside the body.
    Style,
    /// The properties of a document that is one file.
    Properties,
    /// Holds paragraphs, tables and what holds them.
    Blocks,
    /// As [`Self::Blocks`], and stands in the middle of a paragraph.
    Aside,
    Paragraph,
    /// A run of a paragraph.
    Inline,
    Table,
    /// What lies on a sheet and in none of its cells.
    Shapes,
    /// A group of rows or columns.
    Group,
    Row,
    Cell,
    /// All text in it is caught, and told as this.
    Caught(&'static str),
    /// Says nothing.
    Passed,
}

/// What is open and holds paragraphs.
#[derive(Default)]
struct Level {
    /// The finer place of what it holds.
    detail: Option<Rc<str>>,
    slides: usize,
}

/// A paragraph that is open, and what stands in it by itself.
#[derive(Default)]
struct Paragraph {
    text: String,
    asides: Vec<Block>,
}

/// Where the walk is, and what it has found.
pub(super) struct Walk {
    open: Vec<Inside>,
    levels: Vec<Level>,
    outputs: Vec<Vec<Block>>,
    paragraphs: Vec<Paragraph>,
    tables: Vec<OpenTable>,
    caught: String,
    /// The name of the style that is open.
    style: String,
    /// Styles of sheets that are not shown.
    hidden: HashSet<String>,
    /// Of sheets and tables.
    names: Vec<String>,
    begun: bool,
    /// Where links lead, each once.
    links: Vec<String>,
    known_links: HashSet<String>,
    /// Why a part was not read to its end.
    incomplete: Option<Why>,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            levels: Vec::new(),
            outputs: vec![Vec::new()],
            paragraphs: Vec::new(),
            tables: Vec::new(),
            caught: String::new(),
            style: String::new(),
            hidden: HashSet::new(),
            names: Vec::new(),
            begun: false,
            links: Vec::new(),
            known_links: HashSet::new(),
            incomplete: None,
        }
    }
}

impl Walk {
    /// A walk that is inside the root already.
    pub(super) fn below_root() -> Self {
        Self { open: vec![Inside::Outside], ..Self::default() }
    }

    /// Walks through one part of a package; what was found before a fault stays.
    pub(super) fn part(&mut self, bytes: &[u8]) -> Result<(), Why> {
        self.begun = false;
        let read = xml::stream(bytes, |piece| self.piece(piece));
        if !self.begun {
            return Err(read.err().unwrap_or(Why::Damaged));
        }
        if let Err(why) = read {
            // What a fault has cut off ends there.
            while let Some(ended) = self.open.pop() {
                self.end(ended);
            }
            self.incomplete = self.incomplete.or(Some(why));
        }
        Ok(())
    }

    /// All that was found.
    pub(super) fn finish(mut self) -> Content {
        let mut blocks = self.outputs.pop().unwrap_or_default();
        blocks.extend(self.links.into_iter().map(|target| Block::paragraph_at(target, office::LINK)));
        Content { blocks, names: self.names, incomplete: self.incomplete, ..Content::default() }
    }

    /// The next piece.
    pub(super) fn piece(&mut self, piece: Piece<'_>) -> Result<(), Why> {
        match piece {
            Piece::Start(tag) => {
                if self.open.len() >= limits::XML_DEPTH {
                    return Err(Why::BeyondLimit);
                }
                self.begun = true;
                let inside = self.start(&tag);
                self.open.push(inside);
            }
            Piece::Text(text) => self.text(text),
            Piece::End => {
                if let Some(ended) = self.open.pop() {
                    self.end(ended);
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'_>) -> Inside {
        let Some(&inside) = self.open.last() else { return Inside::Outside };
        match (inside, tag.name()) {
            (Inside::Outside, name) if self.open.len() == 1 => match name {
                "body" => self.level(None),
                "master-styles" => self.level(Some("header or footer".into())),
                "meta" => Inside::Properties,
                _ => Inside::Outside,
            },
            (Inside::Outside, "style") => {
                let [name] = tag.values(["name"]);
                self.style = name.unwrap_or_default().into_owned();
                Inside::Style
            }
            (Inside::Outside, _) => Inside::Outside,
            (Inside::Style, "table-properties") => {
                if tag.values(["display"])[0].as_deref() == Some("false") {
                    self.hidden.insert(std::mem::take(&mut self.style));
                }
                Inside::Passed
            }
            (
                Inside::Properties,
                "title" | "subject" | "description" | "keyword" | "user-defined" | "creator" | "initial-creator",
            ) => Inside::Caught("document properties"),
            (Inside::Blocks | Inside::Aside | Inside::Cell | Inside::Shapes, _) => self.block(tag),
            (Inside::Paragraph | Inside::Inline, _) => self.inline(tag),
            (Inside::Table | Inside::Group, _) => self.of_table(tag),
            (Inside::Row, "table-cell" | "covered-table-cell") => {
                if let Some(table) = self.tables.last_mut() {
                    table.begin_cell(tag);
                }
                self.outputs.push(Vec::new());
                self.level(None);
                Inside::Cell
            }
            (Inside::Caught(_), _) => inside,
            _ => Inside::Passed,
        }
    }

    /// Where a link leads; one to somewhere in the document has no scheme.
    fn link(&mut self, tag: &Tag<'_>) {
        let [target] = tag.values(["href"]);
        let target = target.unwrap_or_default();
        if tag.name() == "a" && target.contains(':') && self.known_links.insert(target.to_string()) {
            self.links.push(target.into_owned());
        }
    }

    fn level(&mut self, detail: Option<Rc<str>>) -> Inside {
        self.levels.push(Level { detail, slides: 0 });
        Inside::Blocks
    }

    fn detail(&self) -> Option<Rc<str>> {
        self.levels.last().and_then(|level| level.detail.clone())
    }

    /// What begins where paragraphs may stand.
    fn block(&mut self, tag: &Tag<'_>) -> Inside {
        self.link(tag);
        match tag.name() {
            "p" | "h" => {
                self.paragraphs.push(Paragraph::default());
                Inside::Paragraph
            }
            "table" => {
                let table = OpenTable::begin(tag, &self.hidden);
                self.names.push(table.name.clone());
                self.tables.push(table);
                Inside::Table
            }
            "page" => {
                let number = self.levels.last_mut().map_or(1, |level| {
                    level.slides += 1;
                    level.slides
                });
                let name = tag.values(["name"])[0].as_deref().unwrap_or_default().to_owned();
                if !is_programs_own(&name) {
                    self.push(name, Some(&format!("slide {number}, its name")));
                }
                self.level(Some(format!("slide {number}").into()))
            }
            "notes" => {
                let notes = self.detail().map_or("notes".into(), |detail| format!("notes, {detail}").into());
                self.level(Some(notes))
            }
            "tracked-changes" => self.level(Some("tracked deletion".into())),
            "annotation" => self.level(Some("comment".into())),
            "creator" => Inside::Caught("who commented or changed"),
            "date" | "forms" | "sequence-decls" | "calculation-settings" => Inside::Passed,
            "title" | "desc" => Inside::Caught("alternative text"),
            _ => {
                let detail = self.detail();
                self.level(detail)
            }
        }
    }

    /// What begins in a paragraph.
    fn inline(&mut self, tag: &Tag<'_>) -> Inside {
        self.link(tag);
        let Some(Paragraph { text, .. }) = self.paragraphs.last_mut() else { return Inside::Passed };
        match tag.name() {
            "s" => text.extend(std::iter::repeat_n(' ', repeated(tag.values(["c"])[0].as_deref()).min(64))),
            "tab" => text.push('\t'),
            "line-break" => text.push('\n'),
            "annotation" => return self.aside("comment"),
            "note" => return self.aside("footnote"),
            "frame" | "custom-shape" | "g" => return self.aside("text box"),
            "ruby-text" => {}
            _ => return Inside::Inline,
        }
        Inside::Passed
    }

    fn aside(&mut self, what: &str) -> Inside {
        self.outputs.push(Vec::new());
        self.level(Some(what.into()));
        Inside::Aside
    }

    /// What begins in a table outside its rows: rows and columns stand in groups and headers.
    fn of_table(&mut self, tag: &Tag<'_>) -> Inside {
        let Some(table) = self.tables.last_mut() else { return Inside::Passed };
        match tag.name() {
            "table-row" => {
                table.begin_row(tag);
                Inside::Row
            }
            "table-column" => {
                table.column(tag);
                Inside::Group
            }
            "shapes" => {
                let place = table.place() + ", text box";
                self.outputs.push(Vec::new());
                self.level(Some(place.into()));
                Inside::Shapes
            }
            "title" | "desc" => Inside::Caught("alternative text"),
            name if name.starts_with("table-") => Inside::Group,
            _ => Inside::Passed,
        }
    }

    fn text(&mut self, words: &str) {
        match self.open.last() {
            Some(Inside::Paragraph | Inside::Inline) => {
                let Some(Paragraph { text, .. }) = self.paragraphs.last_mut() else { return };
                let mut lines = words.split(['\n', '\r', '\t']);
                text.push_str(lines.next().unwrap_or_default());
                for line in lines {
                    text.push(' ');
                    text.push_str(line);
                }
            }
            Some(Inside::Caught(_)) => self.caught.push_str(words),
            _ => {}
        }
    }

    fn end(&mut self, ended: Inside) {
        match ended {
            Inside::Blocks => drop(self.levels.pop()),
            Inside::Aside => {
                self.levels.pop();
                if let (Some(mut said), Some(paragraph)) = (self.outputs.pop(), self.paragraphs.last_mut()) {
                    paragraph.asides.append(&mut said);
                }
            }
            Inside::Shapes => {
                self.levels.pop();
                if let (Some(said), Some(table)) = (self.outputs.pop(), self.tables.last_mut()) {
                    table.beside(said);
                }
            }
            Inside::Paragraph => {
                let Paragraph { text, mut asides } = self.paragraphs.pop().unwrap_or_default();
                self.push(text, self.detail().as_deref());
                self.output().append(&mut asides);
            }
            Inside::Cell => {
                self.levels.pop();
                if let (Some(said), Some(table)) = (self.outputs.pop(), self.tables.last_mut()) {
                    table.end_cell(said);
                }
            }
            Inside::Row => {
                if let Some(table) = self.tables.last_mut() {
                    table.end_row();
                }
            }
            Inside::Table => {
                let detail = self.detail();
                if let Some(table) = self.tables.pop() {
                    table.finish(detail.as_deref(), self.output());
                }
            }
            // What is caught ends with the outermost element.
            Inside::Caught(what) if self.open.last() != Some(&ended) => {
                let text = std::mem::take(&mut self.caught);
                self.push(text, Some(what));
            }
            _ => {}
        }
    }

    fn output(&mut self) -> &mut Vec<Block> {
        if self.outputs.is_empty() {
            self.outputs.push(Vec::new());
        }
        let last = self.outputs.len() - 1;
        &mut self.outputs[last]
    }

    fn push(&mut self, text: String, detail: Option<&str>) {
        if !text.trim().is_empty() {
            self.output().push(Block::Paragraph { text, detail: detail.map(str::to_owned) });
        }
    }
}

/// What a program calls a page of its own accord.
fn is_programs_own(name: &str) -> bool {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_ascii_lowercase();
    matches!(bare.as_str(), "" | "page" | "slide" | "folie" | "diapo" | "seite")
}
