//! What the objects of a PDF hold beside its pages (ISO 32000-1): notes, field values, properties, XFA forms, and files,
//! wherever they hang.
//!
//! Never knows what is drawn. Each object is looked at once; what stands in it directly is followed to a bounded depth, a
//! reference never.

use hashbrown::HashSet;
use hayro_syntax::Pdf;
use hayro_syntax::object::{
    Array, Dict, MaybeRef, Name, ObjRef, Object, ObjectIdentifier, Stream, String as PdfString,
};

use super::file::Content;
use super::sniff::{self, Format};
use super::xml::{self, Element, Node};
use super::{Why, markup};
use crate::limits;
use crate::text::Block;

/// Keys under which words stand, and what they are.
const WORDS: &[(&str, &str)] = &[
    ("Contents", "annotation"),
    ("RC", "annotation"),
    ("Subj", "annotation"),
    ("T", "annotation"),
    ("TU", "form field"),
    ("V", "form field"),
    ("DV", "form field"),
    ("RV", "form field"),
    ("URI", "link"),
    ("Title", "title"),
    ("Author", "document properties"),
    ("Subject", "document properties"),
    ("Keywords", "document properties"),
    ("Desc", "document properties"),
    ("Alt", "alternative text"),
    ("ActualText", "alternative text"),
];

/// Keys of arrays that hold numbers and names alone.
const NUMBERS: &[&str] =
    &["W", "W2", "Widths", "Index", "Differences", "Rect", "ID", "Limits", "Parent", "P", "MediaBox"];

/// Keys of a file specification under which its names and its files stand.
const SYSTEMS: &[&str] = &["UF", "F", "Unix", "Mac", "DOS"];

/// What was found, so that nothing is given twice.
#[derive(Default)]
struct Found {
    texts: HashSet<(String, &'static str)>,
    files: HashSet<ObjectIdentifier>,
    /// Files of which no specification has told the name yet.
    nameless: Vec<(ObjectIdentifier, Result<Vec<u8>, Why>)>,
    /// Octets of further streams that were looked at.
    looked: usize,
    /// What keys refer to, where it was followed: thousands of objects may share one.
    followed: HashSet<(&'static str, ObjRef)>,
}

/// Adds what pages do not draw.
pub fn read(pdf: &Pdf, content: &mut Content) {
    let mut found = Found::default();
    for object in pdf.objects() {
        if let Object::Stream(stream) = &object {
            found.stream(stream, content);
        }
        let mut waiting = vec![(object, 0usize)];
        while let Some((object, depth)) = waiting.pop() {
            let (dict, inside): (Option<Dict<'_>>, Vec<Object<'_>>) = match object {
                Object::Dict(dict) => (Some(dict.clone()), direct(&dict)),
                Object::Stream(stream) => (Some(stream.dict().clone()), direct(stream.dict())),
                Object::Array(array) => (None, array.raw_iter().filter_map(not_reference).collect()),
                _ => continue,
            };
            if let Some(dict) = dict {
                found.dict(&dict, content);
            }
            if depth < limits::PDF_NESTING {
                waiting.extend(inside.into_iter().map(|object| (object, depth + 1)));
            } else if !inside.is_empty() {
                content.incomplete = content.incomplete.or(Some(Why::BeyondLimit));
            }
        }
    }
    for (id, file) in std::mem::take(&mut found.nameless) {
        if found.files.insert(id) {
            add_file("embedded file".to_owned(), file, content);
        }
    }
}

fn not_reference<'a>(object: MaybeRef<Object<'a>>) -> Option<Object<'a>> {
    match object {
        MaybeRef::NotRef(object @ (Object::Dict(_) | Object::Array(_))) => Some(object),
        _ => None,
    }
}

fn direct<'a>(dict: &Dict<'a>) -> Vec<Object<'a>> {
    let keys = dict.keys().filter(|key| !NUMBERS.contains(&key.as_str()));
    keys.filter_map(|key| dict.get_raw::<Object<'a>>(&*key).and_then(not_reference)).collect()
}

fn add_file(name: String, file: Result<Vec<u8>, Why>, content: &mut Content) {
    match file {
        Ok(octets) => content.inner.push((name, octets)),
        Err(why) => {
            content.blocks.push(Block::paragraph_at(name, "name of an embedded file"));
            content.incomplete = Some(why);
        }
    }
}

impl Found {
    /// Whether what stands under a key stands there itself, or was not followed from such a key before.
    fn is_first(&mut self, dict: &Dict<'_>, key: &'static str) -> bool {
        dict.get_ref(key).is_none_or(|to| self.followed.insert((key, to)))
    }

    fn dict(&mut self, dict: &Dict<'_>, content: &mut Content) {
        for (key, detail) in WORDS {
            // Of what writes a note its name is shown; that of a field is for programs. A signature is no text.
            let shown = match *key {
                "T" => dict.contains_key("Contents"),
                "Contents" => !dict.contains_key("ByteRange"),
                _ => true,
            };
            if !shown || !self.is_first(dict, key) {
                continue;
            }
            let text = match dict.get::<Object<'_>>(*key) {
                Some(Object::String(text)) if matches!(*key, "RC" | "RV") => rich(&text_string(text.as_bytes())),
                Some(Object::String(text)) => text_string(text.as_bytes()),
                // The value of a field may be a stream, and several where several may be chosen.
                Some(Object::Stream(stream)) if matches!(*key, "V" | "DV" | "RV" | "RC") => {
                    rich(&stream.decoded().map(|octets| text_string(&octets)).unwrap_or_default())
                }
                Some(Object::Array(array)) if matches!(*key, "V" | "DV") => {
                    let texts = array.iter::<Object<'_>>().filter_map(|object| match object {
                        Object::String(text) => Some(text_string(text.as_bytes())),
                        _ => None,
                    });
                    texts.collect::<Vec<_>>().join("\n")
                }
                _ => continue,
            };
            self.text(text, detail, content);
        }
        // Choices of a field; the second of a pair is what is shown.
        if dict.contains_key("FT")
            && self.is_first(dict, "Opt")
            && let Some(options) = dict.get::<Array<'_>>("Opt")
        {
            for option in options.iter::<Object<'_>>() {
                let shown = match option {
                    Object::Array(pair) => pair.iter::<Object<'_>>().last(),
                    other => Some(other),
                };
                if let Some(Object::String(text)) = shown {
                    self.text(text_string(text.as_bytes()), "form field", content);
                }
            }
        }
        self.specification(dict, content);
        if self.is_first(dict, "XFA")
            && let Some(form) = dict.get::<Object<'_>>("XFA")
        {
            self.form(&form, content);
        }
    }

    fn text(&mut self, text: String, detail: &'static str, content: &mut Content) {
        if text.chars().any(char::is_alphanumeric) && self.texts.insert((text.clone(), detail)) {
            content.blocks.push(Block::paragraph_at(text, detail));
        }
    }

    /// The files of a file specification: one for each system, where they differ.
    fn specification(&mut self, dict: &Dict<'_>, content: &mut Content) {
        let Some(files) = dict.get::<Dict<'_>>("EF") else { return };
        let names = SYSTEMS.iter().filter_map(|key| dict.get::<PdfString<'_>>(*key));
        let names: Vec<String> =
            names.map(|name| text_string(name.as_bytes())).filter(|name| !name.is_empty()).collect();
        let first = names.first().cloned().unwrap_or_else(|| "embedded file".to_owned());
        for other in names.into_iter().skip(1).filter(|name| *name != first) {
            self.text(other, "name of an embedded file", content);
        }
        for key in files.keys() {
            match files.get::<Stream<'_>>(&*key) {
                Some(stream) if self.files.insert(stream.obj_id()) => {
                    add_file(first.clone(), decoded(&stream), content);
                }
                Some(_) => {}
                None => add_file(first.clone(), Err(Why::Damaged), content),
            }
        }
    }

    /// A stream of another kind than pages, fonts and colours.
    fn stream(&mut self, stream: &Stream<'_>, content: &mut Content) {
        let dict = stream.dict();
        let (kind, subtype) = (dict.get::<Name<'_>>("Type"), dict.get::<Name<'_>>("Subtype"));
        let kind = kind.as_ref().map_or("", |name| name.as_str());
        let subtype = subtype.as_ref().map_or("", |name| name.as_str());
        match (kind, subtype) {
            (_, "Image") => {
                // Photographs stand in PDFs as JPEG streams.
                if dict.get::<Name<'_>>("Filter").is_some_and(|n| n.as_str() == "DCTDecode") {
                    let octets = stream.raw_data().into_owned();
                    content.inner.push((format!("image {}.jpg", content.inner.len() + 1), octets));
                }
            }
            ("EmbeddedFile", _) => self.nameless.push((stream.obj_id(), decoded(stream))),
            ("Metadata", _) | (_, "XML") => {
                if let Some(root) = decoded(stream).ok().and_then(|octets| xml::parse(&octets).ok()) {
                    self.properties(&root, content);
                }
            }
            // Models, sounds and films.
            ("3D" | "Sound", _) => content.incomplete = content.incomplete.or(Some(Why::UnknownType)),
            ("ObjStm" | "XRef" | "Pattern" | "CMap" | "Font", _) | (_, "Form") => {
                // A table of letters' meanings and the objects in one that holds others count as well.
                if !matches!(kind, "Pattern" | "Font") && ends_early(stream) {
                    content.incomplete = Some(Why::Damaged);
                }
            }
            _ => self.other(stream),
        }
    }

    /// A stream that says nothing of itself: pages and fonts are among them, and so may be files.
    fn other(&mut self, stream: &Stream<'_>) {
        let dict = stream.dict();
        let machinery =
            ["Length1", "Length2", "Length3", "FunctionType", "ShadingType", "PatternType", "N", "CIDToGIDMap"];
        if machinery.iter().any(|key| dict.contains_key(*key)) || self.looked > limits::PDF_LOOKED {
            return;
        }
        let Ok(octets) = decoded(stream) else { return };
        self.looked = self.looked.saturating_add(octets.len());
        let is_file = match sniff::format(&octets, "", "") {
            // Pictures of pages stand in such streams too, where a writer forgot to say so.
            Format::Image(_) | Format::Font => false,
            format => format.is_file(),
        };
        if is_file {
            self.nameless.push((stream.obj_id(), Ok(octets)));
        }
    }

    /// Titles, descriptions, authors and keywords of the metadata.
    fn properties(&mut self, root: &Element, content: &mut Content) {
        for name in ["title", "description", "creator", "subject", "Keywords", "rights", "Headline", "CaptionWriter"] {
            let mut elements = Vec::new();
            root.descendants(name, &mut elements);
            for element in elements {
                let words = element.text().split_whitespace().collect::<Vec<_>>().join(" ");
                self.text(words, "document properties", content);
            }
        }
    }

    /// An XFA form: packets of XML, in an array with their names or all in one stream.
    fn form(&mut self, form: &Object<'_>, content: &mut Content) {
        let mut packets: Vec<Result<Vec<u8>, Why>> = Vec::new();
        match form {
            Object::Stream(stream) => packets.push(decoded(stream)),
            Object::Array(array) => {
                // A name that no packet follows has lost its packet.
                let mut named = 0usize;
                for object in array.iter::<Object<'_>>() {
                    match object {
                        Object::String(_) => named += 1,
                        Object::Stream(stream) => packets.push(decoded(&stream)),
                        _ => packets.push(Err(Why::Damaged)),
                    }
                }
                if named > packets.len() {
                    content.incomplete = Some(Why::Damaged);
                }
            }
            _ => packets.push(Err(Why::Damaged)),
        }
        let mut whole = Vec::new();
        for packet in &packets {
            match packet {
                Ok(octets) => whole.extend_from_slice(octets),
                Err(why) => content.incomplete = Some(*why),
            }
        }
        let mut roots = Vec::new();
        // Packets without a frame are several roots after one another.
        let walked = if whole.len() > limits::XML_TREE_BYTES {
            Err(Why::BeyondLimit)
        } else {
            xml::walk(&whole, |_| true, |root| roots.push(root))
        };
        match walked {
            Ok(()) if !roots.is_empty() => {}
            Ok(()) => content.incomplete = Some(Why::Damaged),
            Err(Why::Damaged) => {
                // Packets may well be documents of their own; the first and the last are halves of a frame.
                roots.clear();
                roots.extend(packets.iter().flatten().filter_map(|octets| xml::parse(octets).ok()));
                if roots.is_empty() {
                    content.incomplete = Some(Why::Damaged);
                }
            }
            Err(why) => content.incomplete = Some(why),
        }
        for root in &roots {
            for (name, detail) in [("datasets", "form data"), ("template", "form"), ("form", "form")] {
                let mut parts = Vec::new();
                if root.name == name {
                    parts.push(root)
                } else {
                    root.descendants(name, &mut parts)
                }
                for part in parts {
                    if name == "datasets" {
                        content.blocks.extend(markup::blocks(part).into_iter().map(|block| placed(block, detail)));
                    } else {
                        self.labels(part, detail, content);
                    }
                }
            }
        }
    }

    /// The words of a form's pages: captions, fixed texts, what fields are filled with from the start.
    fn labels(&mut self, part: &Element, detail: &'static str, content: &mut Content) {
        let mut waiting = vec![part];
        while let Some(element) = waiting.pop() {
            if matches!(element.name.as_str(), "text" | "exData" | "toolTip" | "speak") {
                self.text(element.text().trim().to_owned(), detail, content);
            } else if element.name != "script" {
                waiting.extend(element.children.iter().rev().filter_map(|node| match node {
                    Node::Element(child) => Some(child),
                    Node::Text(_) => None,
                }));
            }
        }
    }
}

/// Text with XML in it, or without.
fn rich(text: &str) -> String {
    xml::parse(text.as_bytes()).map_or_else(|_| text.to_owned(), |root| root.text())
}

fn placed(block: Block, place: &str) -> Block {
    match block {
        Block::Paragraph { text, .. } => Block::paragraph_at(text, place),
        Block::Table(mut table) => {
            table.detail = Some(place.to_owned());
            Block::Table(table)
        }
    }
}

fn decoded(stream: &Stream<'_>) -> Result<Vec<u8>, Why> {
    stream.decoded().map(|octets| octets.into_owned()).map_err(|_| Why::Damaged)
}

/// Whether the content of a page is missing, cannot be undone, or ends before its end.
/// `whole` holds the contents of earlier pages that are not, which pages may share.
pub fn page_is_cut(page: &Dict<'_>, whole: &mut HashSet<ObjRef>) -> bool {
    if !page.contains_key("Contents") || page.get_ref("Contents").is_some_and(|to| !whole.insert(to)) {
        // A blank page, or one like another.
        return false;
    }
    match page.get::<Object<'_>>("Contents") {
        Some(Object::Stream(stream)) => {
            ends_early(&stream) || stream.decoded().is_ok_and(|content| ends_inside(&content))
        }
        Some(Object::Array(array)) => {
            let named = array.raw_iter().count();
            let streams: Vec<Stream<'_>> = array.iter::<Stream<'_>>().collect();
            let mut new = streams.iter().filter(|stream| whole.insert(stream.obj_id().into()));
            let cut = streams.len() < named || new.any(ends_early);
            let last = streams.last().and_then(|stream| stream.decoded().ok());
            cut || last.is_some_and(|content| streams.len() == 1 && ends_inside(&content))
        }
        Some(Object::Null(_)) => page.get_ref("Contents").is_some(),
        _ => true,
    }
}

/// Whether what is packed in a stream stops before it says that it ends, or what is plain runs on into other objects.
fn ends_early(stream: &Stream<'_>) -> bool {
    let octets = stream.raw_data();
    if octets.is_empty() {
        return false;
    }
    if stream.decoded().is_err() {
        return true;
    }
    let dict = stream.dict();
    let first = dict.get::<Name<'_>>("Filter").or_else(|| dict.get::<Array<'_>>("Filter")?.iter::<Name<'_>>().next());
    match first {
        None => memchr::memmem::find(&octets, b"endobj")
            .is_some_and(|at| memchr::memmem::find(&octets[at..], b" obj").is_some()),
        Some(name) if matches!(name.as_str(), "FlateDecode" | "Fl") => !ends(&octets),
        _ => false,
    }
}

/// Whether a page's content ends in a text or in a row of texts: then there was more.
fn ends_inside(content: &[u8]) -> bool {
    let (mut at, mut rows, mut image) = (0usize, 0usize, false);
    let is_apart = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, 0 | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'/' | b'%')
    };
    while let Some(byte) = content.get(at) {
        let rest = &content[at..];
        at += match byte {
            b'%' => memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len()),
            b'(' => match text_length(rest) {
                Some(length) => length,
                None => return true,
            },
            b'<' if rest.starts_with(b"<<") => 2,
            b'<' => match memchr::memchr(b'>', rest) {
                Some(length) => length + 1,
                None => return true,
            },
            b'[' | b']' => {
                rows = if *byte == b'[' { rows + 1 } else { rows.saturating_sub(1) };
                1
            }
            // A name is no operator.
            b'/' => 1 + rest[1..].iter().position(is_apart).unwrap_or(rest.len() - 1),
            byte if is_apart(byte) => 1,
            _ => {
                let word = &rest[..rest.iter().position(is_apart).unwrap_or(rest.len())];
                if word.first().is_some_and(u8::is_ascii_alphabetic) && !matches!(word, b"true" | b"false" | b"null") {
                    rows = 0;
                }
                image |= word == b"BI";
                if image && word == b"ID" {
                    // Octets of a picture follow, of any kind.
                    image = false;
                    match memchr::memmem::find_iter(rest, b"EI").find(|end| is_word(rest, *end)) {
                        Some(end) => end + 2,
                        None => return false,
                    }
                } else {
                    word.len()
                }
            }
        };
    }
    rows > 0
}

/// Whether two letters stand by themselves.
fn is_word(octets: &[u8], at: usize) -> bool {
    let blank = |at: usize| octets.get(at).is_none_or(u8::is_ascii_whitespace);
    at > 0 && blank(at - 1) && blank(at + 2)
}

/// How long a text in brackets is, if it ends.
fn text_length(octets: &[u8]) -> Option<usize> {
    let (mut depth, mut escaped) = (0usize, false);
    for (at, byte) in octets.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at + 1),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether packed octets come to their end, and are those that were packed. A checksum that is missing harms no words.
fn ends(packed: &[u8]) -> bool {
    // Some writers leave the header out (RFC 1950 2.2).
    let header =
        matches!(packed, [first, second, ..] if first & 15 == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0);
    if !header {
        return inflates(packed, false) == Some(true);
    }
    match inflates(packed, true) {
        Some(whole) => whole,
        // Cut short, if only by its checksum.
        None => inflates(&packed[2..], false) == Some(true),
    }
}

/// Whether packed octets can be unpacked to their end, and have the checksum that stands there; nothing where they are cut short.
fn inflates(packed: &[u8], checked: bool) -> Option<bool> {
    let mut state = flate2::Decompress::new(checked);
    let mut room = vec![0u8; 32 * 1024];
    loop {
        let (read, written) = (state.total_in(), state.total_out());
        let rest = &packed[usize::try_from(read).unwrap_or(usize::MAX).min(packed.len())..];
        match state.decompress(rest, &mut room, flate2::FlushDecompress::None) {
            Ok(flate2::Status::StreamEnd) => return Some(true),
            Ok(_) if (state.total_in(), state.total_out()) != (read, written) => {}
            Ok(_) => return None,
            Err(_) => return Some(false),
        }
    }
}

/// A text string: UTF-16 or UTF-8 with a mark, else PDFDocEncoding, which is Latin-1 near enough (ISO 32000-1 7.9.2).
fn text_string(bytes: &[u8]) -> String {
    let text = if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xef\xbb\xbf")
    {
        crate::message::decode_text(bytes, None)
    } else {
        crate::message::decode_text(bytes, Some("windows-1252"))
    };
    text.replace('\r', "\n")
}

#[cfg(test)]
mod tests;
