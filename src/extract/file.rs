//! One file, told by its content and handed to the reader of its format; archives and packages are followed inwards.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::package::{self, Budget, Package};
use super::sniff::{self, Format};
use super::{
    Done, Isolation, Reading, Task, Unread, Why, calendar, cms, compound, delimited, docx, html, image, lines, markup,
    opendocument, pdf, pptx, rtf, tar, tnef, xlsx,
};
use crate::limits;
use crate::message::{Part, decode_text};

use crate::text::{Block, Document, Kind};

/// Reads the files of one message into one [`Reading`], within one budget.
#[derive(Default)]
pub struct Reader<'i> {
    pub reading: Reading,
    pub budget: Budget,
    /// Where files are read that only foreign code can read; here, where there is none.
    pub isolation: Option<&'i dyn Isolation>,
    /// Words of the message that may be passwords, the likeliest first.
    pub passwords: Vec<String>,
}

/// What a part says about its content.
#[derive(Debug, Clone, Copy, Default)]
pub struct Declared<'a> {
    /// Empty where nothing is said.
    pub content_type: &'a str,
    pub charset: Option<&'a str>,
}

impl<'a> From<&'a Part> for Declared<'a> {
    fn from(part: &'a Part) -> Self {
        Self { content_type: &part.content_type, charset: part.charset.as_deref() }
    }
}

/// Where a file stands.
#[derive(Debug, Clone)]
pub struct At {
    /// `pack.zip/list.csv`; empty for the message that is being sent.
    pub place: String,
    /// How many files or messages it is inside of.
    pub depth: usize,
}

impl At {
    /// The place of something inside this.
    pub fn of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}/{name}", self.place) }
    }

    /// One level further in; an error where the limit is reached.
    pub fn deeper(&self, place: String) -> Result<At, At> {
        let inner = At { place, depth: self.depth + 1 };
        if inner.depth > limits::EXTRACT_DEPTH { Err(inner) } else { Ok(inner) }
    }

    fn name(&self) -> &str {
        self.place.rsplit('/').next().unwrap_or_default()
    }
}

impl Format {
    /// Whether a text part with such content is really a file.
    pub fn is_file(self) -> bool {
        !matches!(
            self,
            Format::Text
                | Format::Delimited
                | Format::Empty
                | Format::Message
                | Format::Html
                | Format::Xml
                | Format::Unknown
        )
    }
}

/// What the readers of formats return: blocks, and what of the file they could not read.
#[derive(Default)]
pub struct Content {
    pub blocks: Vec<Block>,
    /// Files inside, with their names.
    pub inner: Vec<(String, Vec<u8>)>,
    /// Something is missing although the rest was read.
    pub incomplete: Option<Why>,
}

impl Reader<'_> {
    /// Notes what could not be read, once.
    pub fn unread(&mut self, part: &str, why: Why) {
        let unread = Unread { part: part.to_owned(), why };
        if !self.reading.unread.contains(&unread) {
            self.reading.unread.push(unread);
        }
    }

    /// Adds a document, if there is anything in it.
    pub fn document(&mut self, kind: Kind, place: &str, blocks: Vec<Block>) {
        if !blocks.is_empty() {
            self.reading.documents.push(Document { kind, place: place.to_owned(), blocks });
        }
    }

    /// The document that a file's name is, without its extension.
    pub fn file_name(&mut self, name: &str, place: &str) {
        let last = name.rsplit('/').next().unwrap_or_default();
        let stem = match last.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && extension.len() <= 5 && !extension.contains(' ') => stem,
            _ => last,
        };
        if stem.chars().any(char::is_alphanumeric) {
            self.reading.documents.push(Document::of_text(Kind::FileName, place, stem));
        }
    }

    /// Reads one file, in isolation where it needs that.
    pub fn file(&mut self, bytes: &[u8], declared: Declared<'_>, inline: bool, at: &At) {
        match self.isolation {
            Some(isolation) if sniff::needs_isolation(bytes, at.name(), declared.content_type) => {
                self.file_in(isolation, bytes, declared, inline, at);
            }
            _ => self.file_here(bytes, declared, inline, at),
        }
    }

    fn file_in(&mut self, isolation: &dyn Isolation, bytes: &[u8], declared: Declared<'_>, inline: bool, at: &At) {
        if self.budget.parts == 0 || self.budget.time.is_zero() {
            return self.unread(&at.place, Why::BeyondLimit);
        }
        let started = Instant::now();
        let Declared { content_type, charset } = declared;
        let (place, passwords, budget) = (at.place.as_str(), self.passwords.as_slice(), self.budget);
        let task = Task { bytes, place, depth: at.depth, inline, content_type, charset, passwords, budget };
        match isolation.read(&task) {
            Ok(Done { mut reading, budget }) => {
                self.reading.documents.append(&mut reading.documents);
                self.reading.images.append(&mut reading.images);
                self.reading.opened_with_password.append(&mut reading.opened_with_password);
                reading.unread.iter().for_each(|unread| self.unread(&unread.part, unread.why));
                // What a worker answers may lower what is left, never raise it.
                self.budget.parts = self.budget.parts.min(budget.parts);
                self.budget.bytes = self.budget.bytes.min(budget.bytes);
            }
            Err(why) => self.unread(&at.place, why),
        }
        self.budget.time = self.budget.time.saturating_sub(started.elapsed());
    }

    /// Reads one file in this process.
    pub fn file_here(&mut self, bytes: &[u8], declared: Declared<'_>, inline: bool, at: &At) {
        if self.budget.part().is_err() {
            return self.unread(&at.place, Why::BeyondLimit);
        }
        let read = catch_unwind(AssertUnwindSafe(|| self.format(bytes, declared, inline, at)));
        match read {
            Ok(Ok(())) => {}
            Ok(Err(why)) => self.unread(&at.place, why),
            Err(cause) => {
                let why = if cause.is::<pdf::TooMuch>() { Why::BeyondLimit } else { Why::Damaged };
                self.unread(&at.place, why);
            }
        }
    }

    fn format(&mut self, bytes: &[u8], declared: Declared<'_>, inline: bool, at: &At) -> Result<(), Why> {
        let text = || decode_text(bytes, declared.charset);
        let format = sniff::format(bytes, at.name(), declared.content_type);
        let content = match format {
            Format::Empty => return self.empty(at),
            Format::Pdf => pdf::read(bytes)?,
            Format::Docx => docx::read(&self.package(bytes, at)?)?,
            Format::Xlsx => xlsx::read(&self.package(bytes, at)?)?,
            Format::Pptx => pptx::read(&self.package(bytes, at)?)?,
            Format::OpenDocument => opendocument::read(&self.package(bytes, at)?)?,
            Format::Zip => return self.archive(bytes, at),
            Format::Compound => compound::read(bytes)?,
            Format::Rtf => rtf::read(bytes),
            Format::Html => Content { blocks: lines::blocks(html::pieces(&text())), ..Content::default() },
            Format::Xml => {
                if memchr::memmem::find(&bytes[..bytes.len().min(2048)], b"<svg").is_some() {
                    self.reading.images.push(image::svg(&at.place, bytes, inline));
                }
                Content { blocks: markup::read(bytes)?, ..Content::default() }
            }
            Format::Message => {
                self.attached_message(bytes, at);
                return Ok(());
            }
            Format::Calendar | Format::Contact => Content { blocks: calendar::read(&text()), ..Content::default() },
            Format::Delimited => Content { blocks: delimited::read(&text()), ..Content::default() },
            Format::Text => Content { blocks: lines::blocks(lines::of_plain(&text(), None)), ..Content::default() },
            Format::Image(format) => {
                let (image, words) = image::read(&at.place, format, bytes, inline);
                self.reading.images.push(image);
                Content { blocks: words, ..Content::default() }
            }
            Format::Gzip => {
                let unpacked = self.budget.unpack(bytes.len(), flate2::read::MultiGzDecoder::new(bytes))?;
                let name = at.name().trim_end_matches(".gz").replace(".tgz", ".tar");
                Content { inner: vec![(name, unpacked)], ..Content::default() }
            }
            Format::SevenZip => return Err(seven_zip(bytes)),
            Format::Rar => return Err(rar(bytes)),
            Format::Cms => cms::read(bytes)?,
            Format::Tar => tar::read(bytes)?,
            Format::Tnef => tnef::read(bytes)?,
            Format::Pgp => return Err(Why::Encrypted),
            Format::Unknown => return Err(damaged_or_unknown(at.name())),
        };
        self.document(Kind::Attachment, &at.place, content.blocks);
        // In an office package most of what is inside is the package's own; elsewhere people put it there and named it.
        let package = matches!(format, Format::Docx | Format::Xlsx | Format::Pptx | Format::OpenDocument);
        for (name, bytes) in content.inner {
            let place = at.of(&name);
            if !package && format != Format::Cms {
                self.file_name(&name, &place);
            }
            match at.deeper(place) {
                Ok(inner) if package => self.package_file(&name, &bytes, &inner),
                Ok(inner) => self.file(&bytes, Declared::default(), false, &inner),
                Err(inner) => self.unread(&inner.place, Why::BeyondLimit),
            }
        }
        content.incomplete.map_or(Ok(()), Err)
    }

    /// A file inside an office package: what is of no known type there is machinery, unless a person embedded it.
    fn package_file(&mut self, name: &str, bytes: &[u8], at: &At) {
        let machinery = matches!(sniff::format(bytes, name, ""), Format::Unknown | Format::Empty);
        if !machinery || name.contains("embeddings/") {
            self.file(bytes, Declared::default(), false, at);
        }
    }

    fn empty(&mut self, at: &At) -> Result<(), Why> {
        // Nothing to read in an empty text file; a document cannot be empty and whole.
        if declares_document(at.name()) { Err(Why::Damaged) } else { Ok(()) }
    }

    fn package(&mut self, bytes: &[u8], at: &At) -> Result<Package, Why> {
        let package = package::read(bytes, &mut self.budget)?;
        if package.contradictory {
            self.unread(&at.place, Why::Contradictory);
        }
        Ok(package)
    }

    fn archive(&mut self, bytes: &[u8], at: &At) -> Result<(), Why> {
        let package = match self.package(bytes, at) {
            Err(Why::Damaged) => return Err(Why::Damaged),
            other => other?,
        };
        for member in package.members {
            let place = at.of(&member.name);
            self.file_name(&member.name, &place);
            match (member.content, at.deeper(place)) {
                (Ok(content), Ok(inner)) => self.file(&content, Declared::default(), false, &inner),
                (Err(why), Ok(inner)) => self.unread(&inner.place, why),
                (_, Err(inner)) => self.unread(&inner.place, Why::BeyondLimit),
            }
        }
        Ok(())
    }

    /// A text part of a kind other than plain and HTML, as blocks.
    pub fn plain_format(&mut self, bytes: &[u8], part: &Part) -> Vec<Block> {
        let text = decode_text(bytes, part.charset.as_deref());
        match sniff::format(bytes, "", &part.content_type) {
            Format::Calendar | Format::Contact => calendar::read(&text),
            Format::Delimited => delimited::read(&text),
            Format::Rtf => rtf::read(bytes).blocks,
            Format::Html => lines::blocks(html::pieces(&text)),
            Format::Xml => markup::read(bytes).unwrap_or_else(|_| lines::blocks(lines::of_plain(&text, None))),
            _ => lines::blocks(lines::of_plain(&text, None)),
        }
    }
}

fn declares_document(name: &str) -> bool {
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    matches!(
        extension.as_str(),
        "pdf" | "doc" | "docx" | "docm" | "xls" | "xlsx" | "xlsm" | "ppt" | "pptx" | "odt" | "ods" | "odp" | "zip"
    )
}

/// A file that is named like a document but begins like none is a damaged one.
fn damaged_or_unknown(name: &str) -> Why {
    if declares_document(name) { Why::Damaged } else { Why::UnknownType }
}

/// The end header of a 7z archive says whether its files are encrypted (the AES coder) or only packed; it may itself
/// be packed, and then nothing is said.
fn seven_zip(bytes: &[u8]) -> Why {
    const AES: &[u8] = &[0x06, 0xf1, 0x07, 0x01];
    let number = |at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let (Some(offset), Some(length)) = (number(12), number(20)) else { return Why::Damaged };
    let start = usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(32);
    let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
    match bytes.get(start..end) {
        None => Why::Damaged,
        Some(header) if memchr::memmem::find(header, AES).is_some() => Why::Encrypted,
        Some(_) => Why::UnknownType,
    }
}

/// The headers of RAR 4 and 5, as far as they say that something is encrypted.
fn rar(bytes: &[u8]) -> Why {
    let mut cursor = Cursor::new(bytes);
    let encrypted = if bytes.starts_with(b"Rar!\x1a\x07\x01\x00") {
        // RAR 5: an encryption header (type 4), or an encryption record of a file header.
        cursor.set_position(8);
        bytes.get(8 + 4..8 + 32).is_some_and(|head| head.get(1) == Some(&4))
    } else {
        // RAR 4: flag 0x80 of the archive header at 7, flag 0x04 of the first file header at 20.
        bytes.get(10).is_some_and(|flags| flags & 0x80 != 0) || bytes.get(23).is_some_and(|flags| flags & 0x04 != 0)
    };
    if encrypted { Why::Encrypted } else { Why::UnknownType }
}
