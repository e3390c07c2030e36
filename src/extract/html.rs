//! HTML to pieces of text. Inline mark-up never separates letters, blocks always do; hidden text is read like shown
//! text; alternative texts and comments are asides. Tables become tables unless they only lay the page out.
//!
//! Works on the tokens of html5ever without building a tree, so depth costs nothing.

mod style;

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::attributes;
use super::lines::Piece;
use crate::limits;
use crate::text::{Row, Table};
use style::written_by_style;

/// Reads a document or fragment.
pub fn pieces(html: &str) -> Vec<Piece> {
    read(html, State::new(true))
}

/// As [`pieces`], with where links lead: those of a page that is a file are not looked for elsewhere.
pub fn pieces_of_file(html: &str) -> Vec<Piece> {
    read(html, State { links: true, ..State::new(true) })
}

fn read(html: &str, state: State) -> Vec<Piece> {
    let sink = Sink { state: RefCell::new(state) };
    let bounded = attributes::bounded(html);
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(&bounded));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    // The sink never asks to pause, so one feeding reaches the end.
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    let mut pieces = tokenizer.sink.state.into_inner().finish();
    if matches!(bounded, Cow::Owned(_)) {
        // Where a tag was ended, words may have been parted.
        pieces.push(Piece::Aside { text: html.to_owned(), detail: "source" });
    }
    pieces
}

struct Sink {
    state: RefCell<State>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.open(&tag),
            Token::TagToken(tag) => state.close(&tag.name),
            Token::CommentToken(text) => state.comment(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// A table being read.
#[derive(Default)]
struct OpenTable {
    rows: Vec<Vec<Cell>>,
    /// Holds another table: its cells lay out the page.
    layout: bool,
}

struct Cell {
    pieces: Vec<Piece>,
    span: usize,
}

struct State {
    /// Where pieces go while no table is open.
    pieces: Vec<Piece>,
    tables: Vec<OpenTable>,
    /// Tables open inside the innermost that is told apart.
    beyond: usize,
    /// Empty cells that may still stand for covered ones.
    covered: usize,
    line: String,
    /// A blank that is written only if more text follows on the line.
    space: bool,
    quotes: Vec<String>,
    depth: usize,
    skipping: Option<String>,
    preformatted: usize,
    /// The paragraph that is open keeps a distance from what follows; Outlook's do not.
    close_gap: bool,
    comments: bool,
    /// Whether where links lead is told.
    links: bool,
    /// How many pages this one stands in.
    inside: usize,
    /// What the script or the style that is open says.
    source: String,
}

impl State {
    fn new(comments: bool) -> Self {
        Self {
            pieces: Vec::new(),
            tables: Vec::new(),
            beyond: 0,
            covered: limits::PAGE_COVERED,
            line: String::new(),
            space: false,
            quotes: Vec::new(),
            depth: 0,
            skipping: None,
            preformatted: 0,
            close_gap: true,
            comments,
            links: false,
            inside: 0,
            source: String::new(),
        }
    }

    /// Reads a page that stands in this one.
    fn page(&self, html: &str, comments: bool) -> Vec<Piece> {
        read(html, State { inside: self.inside + 1, links: self.links, ..State::new(comments) })
    }

    fn text(&mut self, text: &str) {
        if self.skipping.is_some() {
            self.source.push_str(text);
            return;
        }
        for c in text.chars() {
            match c {
                '\n' if self.preformatted > 0 => self.end_line(),
                ' ' | '\t' | '\n' | '\r' | '\u{c}' => self.space = true,
                c => {
                    if self.space && !self.line.is_empty() {
                        self.line.push(' ');
                    }
                    self.space = false;
                    self.line.push(if c == '\u{a0}' { ' ' } else { c });
                }
            }
        }
    }

    fn here(&mut self) -> &mut Vec<Piece> {
        match self.tables.last_mut().and_then(|t| t.rows.last_mut()).and_then(|r| r.last_mut()) {
            Some(cell) => &mut cell.pieces,
            None => &mut self.pieces,
        }
    }

    fn end_line(&mut self) {
        self.space = false;
        let text = std::mem::take(&mut self.line);
        if text.is_empty() {
            return;
        }
        let depth = self.depth;
        // A line of no-break spaces alone is how editors write an empty one.
        let piece = if text.trim().is_empty() { Piece::Gap } else { Piece::Line { text, depth } };
        self.here().push(piece);
    }

    fn gap(&mut self) {
        self.end_line();
        self.part();
    }

    /// One gap parts as well as several.
    fn part(&mut self) {
        let here = self.here();
        if here.last() != Some(&Piece::Gap) {
            here.push(Piece::Gap);
        }
    }

    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let attribute = |wanted: &str| {
            tag.attrs.iter().find(|a| &*a.name.local == wanted).map(|a| a.value.to_string()).unwrap_or_default()
        };
        for (wanted, detail) in [
            ("alt", "alternative text"),
            ("title", "title text"),
            ("aria-label", "label"),
            ("summary", "summary"),
            ("placeholder", "placeholder"),
            ("label", "label"),
        ] {
            let text = attribute(wanted);
            if text.chars().any(char::is_alphanumeric) {
                self.here().push(Piece::Aside { text, detail });
            }
        }
        if name == "meta" && describes(&[attribute("name"), attribute("property"), attribute("itemprop")]) {
            let text = attribute("content");
            if text.chars().any(char::is_alphanumeric) {
                self.here().push(Piece::Aside { text, detail: "what the page says of itself" });
            }
        }
        // No mark-up is in other letters: words that a tag has swallowed, or a tag that is none.
        let attributes = tag.attrs.iter().map(|attribute| &*attribute.name.local);
        let words: Vec<&str> = [name].into_iter().chain(attributes).filter(|word| !word.is_ascii()).collect();
        if !words.is_empty() {
            self.here().push(Piece::Aside { text: words.join(" "), detail: "words in a tag" });
        }
        let leads = match name {
            "a" | "area" => "href",
            "form" => "action",
            "iframe" => "src",
            _ => "",
        };
        let target = if self.links && !leads.is_empty() { attribute(leads) } else { String::new() };
        if target.contains("://") {
            self.here().push(Piece::Aside { text: target, detail: "link" });
        }
        let srcdoc = attribute("srcdoc");
        if !srcdoc.is_empty() && self.inside < limits::PAGE_DEPTH {
            let pieces = self.page(&srcdoc, true);
            self.gap();
            self.here().extend(pieces);
            self.gap();
        } else if !srcdoc.is_empty() {
            self.here().push(Piece::Aside { text: srcdoc, detail: "page inside" });
        }
        let style = attribute("style").to_ascii_lowercase().replace(' ', "");
        let (id, class) = (attribute("id"), attribute("class"));
        if is_start_of_earlier(name, &id, &class, &style) {
            self.end_line();
            self.here().push(Piece::Earlier);
        }
        match name {
            "script" => {
                self.skip(name);
                return TokenSinkResult::RawData(RawKind::ScriptData);
            }
            "style" | "xmp" => {
                if name == "style" {
                    self.skip(name);
                }
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            "title" | "textarea" => {
                self.gap();
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "br" => {
                if self.line.is_empty() {
                    // An empty line: the second of two breaks, or `<div><br></div>`.
                    self.gap();
                } else {
                    self.end_line();
                }
            }
            "p" if class.contains("MsoNormal") || style.contains("margin:0") || style.contains("margin-top:0") => {
                self.end_line();
                self.close_gap = false;
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "li" | "dl" | "dd" | "dt" | "hr"
            | "figure" | "pre" | "fieldset" | "option" => {
                self.gap();
                self.close_gap = true;
                self.preformatted += usize::from(name == "pre");
            }
            "blockquote" => {
                self.gap();
                self.depth += 1;
                self.quotes.push(name.to_owned());
            }
            "table" => {
                self.gap();
                if let Some(outer) = self.tables.last_mut() {
                    outer.layout = true;
                }
                if self.tables.len() < limits::PAGE_TABLES {
                    self.tables.push(OpenTable::default());
                } else {
                    self.beyond += 1;
                }
            }
            "tr" => {
                self.end_line();
                if let Some(table) = self.tables.last_mut() {
                    table.rows.push(Vec::new());
                }
            }
            "td" | "th" => {
                self.end_line();
                let span = attribute("colspan").parse().unwrap_or(1usize).clamp(1, 64);
                if let Some(table) = self.tables.last_mut() {
                    if table.rows.is_empty() {
                        table.rows.push(Vec::new());
                    }
                    if let Some(row) = table.rows.last_mut() {
                        row.push(Cell { pieces: Vec::new(), span });
                    }
                }
            }
            "input" => {
                let value = attribute("value");
                self.text(&format!(" {value} "));
            }
            name if is_block(name) => self.end_line(),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn close(&mut self, name: &str) {
        if self.skipping.as_deref() == Some(name) {
            self.end_of_source(name);
            return;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "li" | "title" | "textarea" | "dd" | "dt"
            | "option" => self.gap(),
            "p" if self.close_gap => self.gap(),
            "p" => self.end_line(),
            "pre" => {
                self.gap();
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            "blockquote" => {
                self.gap();
                if self.quotes.pop().is_some() {
                    self.depth -= 1;
                }
            }
            "table" => self.close_table(),
            "td" | "th" | "tr" => self.end_line(),
            name if is_block(name) => self.end_line(),
            _ => {}
        }
    }

    fn close_table(&mut self) {
        self.end_line();
        if self.beyond > 0 {
            self.beyond -= 1;
            return self.part();
        }
        let Some(table) = self.tables.pop() else { return };
        let filled = |row: &Vec<Cell>| row.iter().filter(|c| c.has_text()).count();
        let depth = self.depth;
        if table.layout || table.rows.iter().map(filled).max().unwrap_or(0) <= 1 {
            for cell in table.rows.into_iter().flatten() {
                self.part();
                self.here().extend(cell.pieces);
            }
            self.part();
            return;
        }
        let mut rows = Vec::new();
        let mut starts_earlier = false;
        let mut asides = Vec::new();
        for row in table.rows {
            let mut cells = Vec::new();
            for cell in row {
                starts_earlier |= cell.pieces.contains(&Piece::Earlier);
                asides.extend(cell.pieces.iter().filter(|p| matches!(p, Piece::Aside { .. })).cloned());
                let span = cell.span;
                cells.push(cell.into_text());
                let covered = (span - 1).min(self.covered);
                self.covered -= covered;
                cells.extend((0..covered).map(|_| String::new()));
            }
            rows.push(Row::of(cells));
        }
        if starts_earlier {
            self.here().push(Piece::Earlier);
        }
        self.here().push(Piece::Table { table: Table::of(None, rows), depth });
        self.here().extend(asides);
        self.part();
    }

    fn comment(&mut self, text: &str) {
        if !self.comments || self.skipping.is_some() {
            return;
        }
        // Comments of office programs hold mark-up of their own.
        for piece in read(text, State { inside: self.inside, links: self.links, ..State::new(false) }) {
            if let Piece::Line { text, .. } | Piece::Aside { text, .. } = piece
                && text.chars().filter(|c| c.is_alphabetic()).count() > 1
                && !is_condition(&text)
            {
                self.here().push(Piece::Aside { text, detail: "comment" });
            }
        }
    }

    fn skip(&mut self, name: &str) {
        self.skipping = Some(name.to_owned());
    }

    /// What a script writes into the page, and what a style puts before or behind an element, is seen by whoever opens it.
    fn end_of_source(&mut self, name: &str) {
        self.skipping = None;
        let source = std::mem::take(&mut self.source);
        let (lines, detail) = match name {
            "style" => (written_by_style(&source), "style"),
            _ => {
                let source = super::json::undone(&source, false);
                let mut lines: Vec<String> = source.lines().map(|line| line.trim().to_owned()).collect();
                if source.contains("</") && self.inside < limits::PAGE_DEPTH {
                    // Mark-up in its strings parts the words no more than elsewhere.
                    lines.extend(self.page(&source, false).into_iter().filter_map(|piece| match piece {
                        Piece::Line { text, .. } | Piece::Aside { text, .. } => Some(text),
                        _ => None,
                    }));
                }
                (lines, "script")
            }
        };
        for text in lines {
            if text.chars().filter(|c| c.is_alphabetic()).count() > 1 {
                self.here().push(Piece::Aside { text, detail });
            }
        }
    }

    fn finish(mut self) -> Vec<Piece> {
        self.beyond = 0;
        while !self.tables.is_empty() {
            self.close_table();
        }
        self.end_line();
        if let Some(name) = self.skipping.clone() {
            self.end_of_source(&name);
        }
        self.pieces
    }
}

impl Cell {
    fn has_text(&self) -> bool {
        self.pieces.iter().any(|p| matches!(p, Piece::Line { .. } | Piece::Table { .. }))
    }

    fn into_text(self) -> String {
        let lines = self.pieces.into_iter().filter_map(|piece| match piece {
            Piece::Line { text, .. } => Some(text),
            _ => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// `[if mso]>` and `<![endif]` of conditional comments.
fn is_condition(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("[if ") && text.ends_with([']', '>'])
        || text == "[endif]"
        || text == "StartFragment"
        || text == "EndFragment"
}

/// The marks with which mail programs begin an earlier message.
/// Whether a `meta` of these names is for people: titles, descriptions and keywords, also those for links to the page.
fn describes(names: &[String]) -> bool {
    names.iter().any(|name| {
        let name = name.to_ascii_lowercase();
        let shown = name.strip_prefix("og:").or_else(|| name.strip_prefix("twitter:")).unwrap_or(&name);
        matches!(
            shown,
            "description"
                | "keywords"
                | "title"
                | "subject"
                | "author"
                | "abstract"
                | "summary"
                | "headline"
                | "site_name"
                | "image:alt"
        )
    })
}

fn is_start_of_earlier(name: &str, id: &str, class: &str, style: &str) -> bool {
    let id = id.trim_start_matches("x_");
    let outlook_line = name == "div"
        && style.contains("border:none")
        && style.contains("border-top:solid")
        && (style.contains("#b5c4df") || style.contains("#e1e1e1"));
    outlook_line
        || matches!(id, "divRplyFwdMsg" | "appendonsend" | "reply-intro" | "mail-editor-reference-message-container")
        || class.contains("gmail_quote")
        || class.contains("moz-forward-container")
        || class.contains("yahoo_quoted")
        || name == "div" && class.contains("OutlookMessageHeader")
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "nav"
            | "aside"
            | "address"
            | "center"
            | "body"
            | "html"
            | "head"
            | "form"
            | "caption"
            | "thead"
            | "tbody"
            | "tfoot"
            | "template"
            | "noscript"
            | "figcaption"
            | "details"
            | "summary"
            | "dialog"
            | "hgroup"
            | "search"
            | "menu"
            | "dir"
            | "optgroup"
            | "legend"
            | "select"
    )
}

#[cfg(test)]
mod tests;
