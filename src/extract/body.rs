//! The message itself: subject, headers that carry words, bodies and their quoted threads; and messages attached to it.

use std::collections::HashSet;

use super::file::{At, Declared, Reader};
use super::sniff::Format;
use super::{Why, html, lines, pasted};
use crate::limits;
use crate::message::{Header, Message, Part, PartKind, decode_text};
use crate::text::{Block, Document, Kind};

/// Headers of other programs that hold prose of the writer seldom enough to be left out; all unknown X- headers with
/// more than one word are read.
const MACHINE_HEADERS: &[&str] = &["x-mailer", "x-originating", "x-ms-", "x-microsoft", "x-google", "x-gm-", "x-spam"];

impl Reader<'_> {
    /// Reads a whole message as it arrived.
    pub(super) fn message(&mut self, message: &Message<'_>) {
        if !message.faults.is_empty() {
            self.unread("message", Why::Contradictory);
        }
        let subject = message.subject();
        if !subject.trim().is_empty() {
            self.reading.documents.push(Document::of_text(Kind::Subject, "subject", subject));
        }
        // Many headers, each looked for in a subject without end, would be many times the whole of it.
        let said = Some(message.subject()).filter(|said| said.len() <= limits::SUBJECT_LOOKED_IN);
        let is_said = |h: &Header| said.as_ref().is_some_and(|said| said.contains(h.value.trim()));
        for header in message.headers.iter().filter(|h| carries_words(h) && !is_said(h)) {
            let text = header.value.clone();
            self.reading.documents.push(Document::of_text(Kind::Header, "header", text));
        }
        let at = At { place: String::new(), depth: 0 };
        self.parts(&message.parts, 0, &at);
        for text in &message.outside {
            self.reading.documents.push(Document::of_text(Kind::Body, "body", text));
        }
    }

    /// Reads a message that is a file: its headers, its text and its own attachments all belong to that file.
    pub(super) fn attached_message(&mut self, bytes: &[u8], at: &At) {
        let message = crate::message::read(bytes);
        if !message.faults.is_empty() {
            self.unread(&at.place, Why::Contradictory);
        }
        self.parts(&message.parts, 0, at);
        for text in &message.outside {
            self.reading.documents.push(Document::of_text(Kind::Attachment, &at.place, text));
        }
    }

    /// Reads the message whose root part stands at `root`. An empty place is the message that is being sent.
    fn parts(&mut self, parts: &[Part], root: usize, at: &At) {
        let outermost = at.place.is_empty();
        if !outermost {
            self.headers_of_attached(&parts[root], at);
        }
        let inside = members(parts, root);
        let shown: HashSet<String> = inside.iter().flat_map(|i| cids(&parts[*i])).collect();
        let mut unnamed = 0;
        // Texts first: the password of a file may stand in any of them.
        let (texts, others): (Vec<usize>, Vec<usize>) =
            inside.into_iter().partition(|index| parts[*index].kind == PartKind::Text);
        for index in texts {
            self.text_part(&parts[index], at);
        }
        if others.iter().any(|index| parts[*index].kind != PartKind::Multipart) {
            self.passwords = self.candidates.with(&self.reading.documents);
        }
        for index in others {
            let part = &parts[index];
            match part.kind {
                PartKind::Multipart | PartKind::Text => {}
                PartKind::Message => {
                    let place = at.of(&name_of(part, "attached message", &mut unnamed, true));
                    self.names(part, &place);
                    let nested = parts.iter().position(|p| p.parent == Some(index));
                    match (nested, at.deeper(place)) {
                        (Some(nested), Ok(inner)) => self.parts(parts, nested, &inner),
                        (_, Err(inner)) => self.unread(&inner.place, Why::BeyondLimit),
                        (None, Ok(inner)) => self.unread(&inner.place, Why::Damaged),
                    }
                }
                PartKind::Attachment => {
                    let place = at.of(&name_of(part, "part", &mut unnamed, false));
                    self.names(part, &place);
                    let inline = part.content_id.as_ref().is_some_and(|id| shown.contains(id));
                    match at.deeper(place) {
                        Ok(inner) => self.file(&part.body, part.into(), inline, &inner),
                        Err(inner) => self.unread(&inner.place, Why::BeyondLimit),
                    }
                }
            }
        }
    }

    fn headers_of_attached(&mut self, root: &Part, at: &At) {
        let mut blocks = Vec::new();
        if let Some(subject) = root.header("Subject") {
            blocks.push(Block::paragraph_at(&subject.value, "subject"));
        }
        let names = ["From", "To", "Cc", "Date"].into_iter().filter_map(|n| root.header(n));
        let lines: Vec<String> = names.map(|h| format!("{}: {}", h.name, h.value)).collect();
        if !lines.is_empty() {
            blocks.push(Block::paragraph_at(lines.join("\n"), "headers"));
        }
        for header in root.headers.iter().filter(|h| carries_words(h)) {
            blocks.push(Block::paragraph_at(&header.value, "headers"));
        }
        self.document(Kind::Attachment, &at.place, blocks);
    }

    /// A text part that mail programs show, as the body and the thread quoted in it.
    fn text_part(&mut self, part: &Part, at: &At) {
        if self.halt.is_set() {
            return self.unread(&at.place, Why::BeyondLimit);
        }
        let outermost = at.place.is_empty();
        let pieces = match part.content_type.as_str() {
            "text/html" => {
                let text = html_text(&part.body, part.charset.as_deref());
                let pieces = html::pieces(&text);
                self.pasted_in_page(&text, &pieces, at);
                pieces
            }
            "text/plain" | "text/enriched" => {
                // A file declared as text is still told by its content.
                if super::sniff::format(&part.body, "", "").is_file() {
                    return self.file_as_text(part, at);
                }
                let text = decode_text(&part.body, part.charset.as_deref());
                self.pasted(&part.body, &text, at);
                lines::of_plain(&text, part.flowed)
            }
            _ => {
                let format = super::sniff::format(&part.body, "", &part.content_type);
                if format.is_file() && !matches!(format, Format::Calendar | Format::Contact | Format::Rtf) {
                    return self.file_as_text(part, at);
                }
                let place = if outermost { "body" } else { &at.place };
                let kind = if outermost { Kind::Body } else { Kind::Attachment };
                let blocks = self.plain_format(&part.body, part, at);
                self.document(kind, place, blocks);
                return;
            }
        };
        let (body, quoted) = lines::split(pieces);
        if outermost {
            self.document(Kind::Body, "body", body);
            self.document(Kind::Quoted, "quoted thread", quoted);
        } else {
            self.document(Kind::Attachment, &at.place, body);
            self.document(Kind::Attachment, &at.place, quoted);
        }
    }

    /// A file that is declared as text.
    fn file_as_text(&mut self, part: &Part, at: &At) {
        match at.deeper(at.of("part")) {
            Ok(inner) => self.file(&part.body, part.into(), false, &inner),
            Err(inner) => self.unread(&inner.place, Why::BeyondLimit),
        }
    }

    /// Files and encoded texts that stand in a text, in its octets or in what they are decoded to.
    pub(super) fn pasted(&mut self, bytes: &[u8], text: &str, at: &At) {
        let mut found = pasted::find(bytes);
        if bytes != text.as_bytes() {
            add(&mut found, pasted::find(text.as_bytes()));
        }
        add(&mut found, pasted::unquoted(text.as_bytes()));
        self.found(found, at);
        self.short(pasted::short_texts(text.as_bytes()), at);
    }

    /// What short words in a text are when they are decoded, as one text beside it.
    fn short(&mut self, texts: Vec<String>, at: &At) {
        let place = at.of("short words of base64");
        if texts.len() > limits::PASTED_SHORT_TEXTS {
            self.unread(&place, Why::BeyondLimit);
        }
        self.document(Kind::Attachment, &place, texts.into_iter().map(Block::paragraph).collect());
    }

    /// The same in a page: in its source, in what it shows, and in its links.
    pub(super) fn pasted_in_page(&mut self, html: &str, pieces: &[lines::Piece], at: &At) {
        let mut found = pasted::find(html.as_bytes());
        let shown = lines::shown(pieces);
        add(&mut found, pasted::find(shown.as_bytes()));
        add(&mut found, pasted::unquoted(shown.as_bytes()));
        self.found(found, at);
        let short = [html.as_bytes(), shown.as_bytes()].map(pasted::short_texts).concat();
        let mut known = HashSet::new();
        self.short(short.into_iter().filter(|text| known.insert(text.clone())).collect(), at);
        for (number, bytes) in pasted::data_uris(html).into_iter().enumerate() {
            self.found_file(&bytes, true, at, at.of(&format!("file in a link {}", number + 1)));
        }
    }

    fn found(&mut self, files: Vec<pasted::Pasted>, at: &At) {
        for (number, file) in files.into_iter().enumerate() {
            if self.budget.parts == 0 {
                return self.unread(&at.of("pasted file"), Why::BeyondLimit);
            }
            let name = file.name.filter(|n| !n.is_empty());
            let place = at.of(name.as_deref().unwrap_or(&format!("pasted file {}", number + 1)));
            if let Some(name) = name {
                self.file_name(&name, &place);
            }
            self.found_file(&file.bytes, false, at, place);
        }
    }

    fn found_file(&mut self, bytes: &[u8], inline: bool, at: &At, place: String) {
        match at.deeper(place) {
            Ok(inner) => self.file(bytes, Declared::default(), inline, &inner),
            Err(inner) => self.unread(&inner.place, Why::BeyondLimit),
        }
    }

    /// A name is a document of its own, without the extension; where headers disagree, each name is.
    fn names(&mut self, part: &Part, place: &str) {
        for name in &part.names {
            self.file_name(name, place);
        }
        let described = part.header("Content-Description").map(|h| h.value.trim()).filter(|d| d.contains(' '));
        if let Some(text) = described.filter(|d| !part.names.iter().any(|n| n == d)) {
            self.reading.documents.push(Document::of_text(Kind::FileName, place, text));
        }
    }
}

/// Adds what is not there yet.
fn add(found: &mut Vec<pasted::Pasted>, more: impl IntoIterator<Item = pasted::Pasted>) {
    let mut more = more.into_iter().peekable();
    if more.peek().is_none() {
        return;
    }
    let known: HashSet<Vec<u8>> = found.iter().map(|file| file.bytes.clone()).collect();
    found.extend(more.filter(|file| !known.contains(&file.bytes)));
}

/// The part indices of one message, without those of messages attached to it. What stands beside the root is another
/// reading of it.
fn members(parts: &[Part], root: usize) -> Vec<usize> {
    let mut inside = vec![root];
    for index in root + 1..parts.len() {
        let parent = parts[index].parent;
        let held = parent.is_some_and(|p| inside.contains(&p) && parts[p].kind == PartKind::Multipart);
        if held || parent == parts[root].parent {
            inside.push(index);
        }
    }
    inside
}

/// The `Content-ID`s that an HTML part shows.
fn cids(part: &Part) -> Vec<String> {
    if part.content_type != "text/html" {
        return Vec::new();
    }
    let html = html_text(&part.body, part.charset.as_deref());
    let end = |c: char| matches!(c, '"' | '\'' | ' ' | '>' | ')' | '&');
    html.split("cid:").skip(1).filter_map(|rest| rest.split(end).next()).map(str::to_owned).collect()
}

/// The first line that its writer wrote in a text, above all that is quoted; `None` where nothing is written there, or what is
/// quoted comes first.
pub fn first_own_line(part: &Part) -> Option<String> {
    lines::first_own(&pieces_of(part)?)
}

/// All lines that its writer wrote in a text, above what is quoted; `None` where it is no text.
pub fn own_text(part: &Part) -> Option<String> {
    Some(lines::own(&pieces_of(part)?))
}

fn pieces_of(part: &Part) -> Option<Vec<lines::Piece>> {
    Some(match part.content_type.as_str() {
        "text/html" => html::pieces(&html_text(&part.body, part.charset.as_deref())),
        "text/plain" => lines::of_plain(&decode_text(&part.body, part.charset.as_deref()), part.flowed),
        _ => return None,
    })
}

/// The text of a page. The charset of a MIME header comes before the one that the mark-up names.
pub(super) fn html_text(bytes: &[u8], charset: Option<&str>) -> String {
    let declared = charset.map(str::to_owned).or_else(|| {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_ascii_lowercase();
        let after = head.split("charset=").nth(1)?;
        let label = after.trim_start_matches(['"', '\'', ' ']);
        label.split(['"', '\'', ' ', '>', ';', '/']).next().map(str::to_owned)
    });
    decode_text(bytes, declared.as_deref())
}

fn name_of(part: &Part, otherwise: &str, unnamed: &mut usize, message: bool) -> String {
    if let Some(name) = part.names.first() {
        return name.clone();
    }
    *unnamed += 1;
    if message { otherwise.to_owned() } else { format!("{otherwise} {unnamed}") }
}

fn carries_words(header: &Header) -> bool {
    if header.is("Comments") || header.is("Keywords") || header.is("Thread-Topic") {
        return !header.value.trim().is_empty();
    }
    let name = header.name.to_ascii_lowercase();
    let words = || {
        let is_word = |w: &str| w.len() > 1 && w.chars().all(|c| c.is_alphabetic() || "'’-.,:".contains(c));
        header.value.split_whitespace().filter(|w| is_word(w)).count()
    };
    name.starts_with("x-") && !MACHINE_HEADERS.iter().any(|m| name.starts_with(m)) && words() >= 2
}
