//! One file, told by its content and handed to the reader of its format; archives and packages are followed inwards.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::body::html_text;
use super::package::{self, Budget, Member, Package};
use super::password::{Candidates, try_each};
use super::sniff::{self, Format};
use super::{
    Done, Isolation, Page, Reading, Task, Unread, Why, archive, behind, calendar, cms, companion, compound, delimited,
    docx, flat, html, image, json, lines, markup, ocr, offcrypto, opendocument, pdf, picture, pptx, rtf, tar, tnef,
    xlsx, xml, zip_walk,
};
use crate::limits;
use crate::message::{Part, decode_text};
use crate::text::{Block, Document, Halt, Kind};

/// Reads the files of one message into one [`Reading`], within one budget.
#[derive(Default)]
pub struct Reader<'i> {
    pub reading: Reading,
    pub budget: Budget,
    /// Where files are read that only foreign code can read; here, where there is none.
    pub isolation: Option<&'i dyn Isolation>,
    /// Words of the message that may be passwords, the likeliest first.
    pub passwords: Vec<String>,
    /// Once set, no further file is begun.
    pub halt: Halt,
    /// What is in the reading's list of what was not read.
    pub told: HashSet<Unread>,
    /// Words that may be passwords, of the documents that were looked at so far.
    pub candidates: Candidates,
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

impl Format {
    /// Whether programs that show this format pass over an archive that stands at its end.
    fn may_hide_archive(self) -> bool {
        !matches!(self, Format::Zip | Format::Docx | Format::Xlsx | Format::Pptx | Format::OpenDocument | Format::Empty)
            // What these hold, stored archives at their end included, is read in any case.
            && !matches!(self, Format::Tar | Format::SevenZip | Format::Rar | Format::Tnef | Format::Compound | Format::Mbox | Format::Message)
    }
}

/// What the readers of formats return: blocks, and what of the file they could not read.
#[derive(Default)]
pub struct Content {
    pub blocks: Vec<Block>,
    /// Of sheets and the like: each is searched as the name of a file is.
    pub names: Vec<String>,
    /// Files inside, with their names.
    pub inner: Vec<(String, Vec<u8>)>,
    /// Pages that are pictures, in PNG, with their finer places.
    pub pages: Vec<(Option<String>, Vec<u8>)>,
    /// Something is missing although the rest was read.
    pub incomplete: Option<Why>,
    /// It was encrypted, and a password of the message has opened it.
    pub opened_with_password: bool,
}

impl Reader<'_> {
    /// All that was read, as it was meant.
    pub fn finish(mut self) -> Reading {
        self.read_pages();
        self.reading.documents.iter_mut().for_each(Document::undo_double_encoding);
        self.reading
    }

    /// Reads the pages that were found to be pictures, one after the other, in what is left of the message's time.
    fn read_pages(&mut self) {
        let pages = std::mem::take(&mut self.reading.pages);
        if !pages.is_empty() && ocr::program().is_some() && !self.halt.may_wait() {
            return;
        }
        for Page { place, detail, picture } in pages {
            let time = &mut self.budget.time;
            let read = match ocr::program() {
                None => Err(Why::UnknownType),
                Some(_) if time.is_zero() || self.halt.is_set() => Err(Why::BeyondLimit),
                Some(program) => ocr::lines(program, &picture, time, &self.halt),
            };
            match read {
                Ok(lines) => {
                    let detail = detail.map_or(String::new(), |detail| format!("{detail}, ")) + "words in the picture";
                    let blocks = lines.into_iter().map(|line| Block::paragraph_at(line, detail.as_str())).collect();
                    self.document(Kind::Attachment, &place, blocks);
                }
                Err(why) => self.unread(&place, why),
            }
        }
    }

    /// Keeps a page that is a picture for later; one too many is told now.
    fn page(&mut self, page: Page) {
        // The picture of a scanned PDF also comes as a file in it.
        if self.reading.pages.iter().any(|known| known.picture == page.picture) {
            return;
        }
        let octets: usize = self.reading.pages.iter().map(|page| page.picture.len()).sum();
        if self.reading.pages.len() >= limits::OCR_PAGES || octets + page.picture.len() > limits::OCR_OCTETS {
            self.unread(&page.place, Why::BeyondLimit);
        } else {
            self.reading.pages.push(page);
        }
    }

    /// Notes what could not be read, once.
    pub fn unread(&mut self, part: &str, why: Why) {
        let unread = Unread { part: part.to_owned(), why };
        if self.told.insert(unread.clone()) {
            self.reading.unread.push(unread);
        }
    }

    /// Adds a document, if there is anything in it.
    pub fn document(&mut self, kind: Kind, place: &str, blocks: Vec<Block>) {
        if blocks.is_empty() {
            return;
        }
        let octets = |block: &Block| match block {
            Block::Paragraph { text, .. } => text.len(),
            Block::Table(table) => table.octets(),
        };
        match self.budget.text.checked_sub(blocks.iter().map(octets).sum()) {
            Some(left) => {
                self.budget.text = left;
                self.reading.documents.push(Document { kind, place: place.to_owned(), blocks });
            }
            None => self.unread(place, Why::BeyondLimit),
        }
    }

    /// The document that a file's name is, without its extension; and the names of the folders that it lies in.
    pub fn file_name(&mut self, name: &str, place: &str) {
        let (folders, last) = name.rsplit_once('/').unwrap_or(("", name));
        let stem = match last.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && extension.len() <= 5 && !extension.contains(' ') => stem,
            _ => last,
        };
        if stem.chars().any(char::is_alphanumeric) {
            self.reading.documents.push(Document::of_text(Kind::FileName, place, stem));
        }
        self.folder_names(folders, place);
    }

    /// The document that the names of folders are, one inside the other.
    fn folder_names(&mut self, folders: &str, place: &str) {
        let words = folders.split('/').filter(|name| name.chars().any(char::is_alphabetic) && *name != "__MACOSX");
        let blocks = words.map(|name| Block::paragraph_at(name, "name of a folder")).collect();
        self.document(Kind::FileName, place, blocks);
    }

    /// Names inside a file, of its sheets for one, beside the file's own.
    fn inner_names(&mut self, names: &[String], at: &At) {
        let mut known = HashSet::new();
        let mut said: Vec<&str> = Vec::new();
        for name in names.iter().map(|name| name.trim()) {
            // What a program calls a sheet of its own accord.
            let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_ascii_lowercase();
            let own = matches!(bare.as_str(), "" | "sheet" | "table" | "chart" | "tabelle" | "feuil" | "feuille");
            if !own && name.chars().any(char::is_alphabetic) && known.insert(name) {
                said.push(name);
            }
        }
        if !said.is_empty() {
            let blocks = said.into_iter().map(|name| Block::paragraph_at(name, "name of a sheet")).collect();
            self.document(Kind::FileName, &at.place, blocks);
        }
    }

    /// Reads one file, in isolation where it needs that.
    pub fn file(&mut self, bytes: &[u8], declared: Declared<'_>, inline: bool, at: &At) {
        if self.halt.is_set() {
            return self.unread(&at.place, Why::BeyondLimit);
        }
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
                reading.pages.into_iter().for_each(|page| self.page(page));
                // What a worker answers may lower what is left, never raise it.
                self.budget.parts = self.budget.parts.min(budget.parts);
                self.budget.bytes = self.budget.bytes.min(budget.bytes);
                self.budget.text = self.budget.text.min(budget.text);
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
        // A PDF may well have an archive attached near its end; of any other file what follows is no part.
        let after = if format == Format::Pdf { 16 } else { usize::from(u16::MAX) };
        if format.may_hide_archive() && zip_walk::ends_as_archive(bytes, after) {
            // Two files in one: one program opens the picture, another the archive.
            self.unread(&at.place, Why::Contradictory);
            self.archive(bytes, at)?;
        }
        let mut kept_flat = false;
        let content = match format {
            Format::Empty => return self.empty(at),
            // Shapes of letters, as mail in HTML brings along; no text.
            Format::Font => return Ok(()),
            Format::Pdf => pdf::read(bytes, &self.passwords)?,
            Format::Docx => docx::read(&self.package(bytes, at)?)?,
            Format::Xlsx => xlsx::read(&self.package(bytes, at)?)?,
            Format::Pptx => pptx::read(&self.package(bytes, at)?)?,
            Format::OpenDocument => opendocument::read(&self.package(bytes, at)?)?,
            Format::Zip => return self.archive(bytes, at),
            Format::Compound => match offcrypto::package(bytes) {
                Some(sealed) => return self.sealed_office(&sealed, at),
                None => compound::read(bytes)?,
            },
            Format::Rtf => rtf::read(bytes),
            Format::Html => {
                let text = html_text(bytes, declared.charset);
                let pieces = html::pieces_of_file(&text);
                self.pasted_in_page(&text, &pieces, at);
                Content { blocks: lines::blocks(pieces), ..Content::default() }
            }
            Format::Xml => {
                self.pasted(bytes, &text(), at);
                if memchr::memmem::find(&bytes[..bytes.len().min(2048)], b"<svg").is_some() {
                    self.reading.images.push(image::svg(&at.place, bytes, inline));
                }
                let mut root = xml::parse(bytes)?;
                match flat::package(&root) {
                    Some(package) => {
                        let has = |folder: &str| package.members.iter().any(|m| m.name.starts_with(folder));
                        kept_flat = true;
                        if has("xl/") {
                            xlsx::read(&package)?
                        } else if has("ppt/") {
                            pptx::read(&package)?
                        } else {
                            docx::read(&package)?
                        }
                    }
                    None => {
                        let mut content = Content::default();
                        flat::take_files(&mut root, &mut content);
                        let read = markup::content(&root);
                        content.inner.extend(read.inner);
                        Content { inner: content.inner, incomplete: content.incomplete.or(read.incomplete), ..read }
                    }
                }
            }
            Format::Message => {
                // Blank lines above the headers are passed over: else the headers would be empty and all else text.
                let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
                self.attached_message(bytes, at);
                return Ok(());
            }
            Format::Calendar | Format::Contact | Format::Delimited | Format::Text => {
                let text = text();
                self.pasted(bytes, &text, at);
                let blocks = match format {
                    Format::Calendar | Format::Contact => calendar::read(&text),
                    Format::Delimited => delimited::read(&text),
                    _ => lines::blocks(lines::of_plain(&json::unescaped(text), None)),
                };
                Content { blocks, ..Content::default() }
            }
            Format::Companion => companion::read(bytes),
            Format::PageObjects => companion::page_objects(bytes, &mut self.budget)?,
            Format::Image(format) => {
                let (image, words) = image::read(&at.place, format, bytes, inline);
                self.reading.images.push(image);
                let page = picture::page(format, bytes);
                // Scanners and fax machines write TIFF, nobody else in a school does: what it shows beside a page that is
                // read has not been read.
                let whole = matches!(page, Ok(Some(_))) && image::is_single(bytes);
                let unread = (format == "tiff" && !whole).then_some(Why::UnknownType);
                let (page, incomplete) = match page {
                    Ok(page) => (page, unread),
                    Err(why) => (None, Some(why)),
                };
                let pages = page.map(|picture| (None, picture)).into_iter().collect();
                Content { blocks: words, incomplete, pages, ..Content::default() }
            }
            Format::Packed(packing) => {
                let unpacked = archive::unpacked(bytes, packing, &mut self.budget)?;
                Content { inner: vec![(packing.inner_name(at.name()), unpacked)], ..Content::default() }
            }
            Format::SevenZip => {
                let (members, opened) = archive::seven_zip(bytes, &mut self.budget, &self.passwords)?;
                return self.members(members, opened, at);
            }
            Format::Rar => {
                let (members, opened) = archive::rar(bytes, &mut self.budget, &self.passwords)?;
                return self.members(members, opened, at);
            }
            Format::Mbox => Content { inner: mailbox_messages(bytes), ..Content::default() },
            Format::Cms => cms::read(bytes)?,
            Format::Tar => tar::read(bytes)?,
            Format::Tnef => tnef::read(bytes)?,
            Format::Pgp | Format::Rights => return Err(Why::Encrypted),
            Format::BinHex => {
                // The words around it are read; what it holds is not.
                let blocks = lines::blocks(lines::of_plain(&text(), None));
                Content { blocks, incomplete: Some(Why::UnknownType), ..Content::default() }
            }
            Format::Unknown => return Err(damaged_or_unknown(at.name())),
        };
        if content.opened_with_password {
            self.reading.opened_with_password.push(at.place.clone());
        }
        self.inner_names(&content.names, at);
        self.document(Kind::Attachment, &at.place, content.blocks);
        for (detail, picture) in content.pages {
            self.page(Page { place: at.place.clone(), detail, picture });
        }
        // In an office package most of what is inside is the package's own; elsewhere people put it there and named it.
        let package = kept_flat || matches!(format, Format::Docx | Format::Xlsx | Format::Pptx | Format::OpenDocument);
        for (name, bytes) in content.inner {
            let place = at.of(&name);
            if !package && !matches!(format, Format::Cms | Format::Mbox | Format::Packed(_)) {
                self.file_name(&name, &place);
            }
            match at.deeper(place) {
                Ok(inner) if package => self.package_file(&name, &bytes, &inner),
                Ok(inner) => self.file(&bytes, Declared::default(), false, &inner),
                Err(inner) => self.unread(&inner.place, Why::BeyondLimit),
            }
        }
        self.behind_end(format, bytes, at);
        content.incomplete.map_or(Ok(()), Err)
    }

    /// What stands behind the end of a picture or a PDF, if it is text or a file of a known kind: films that telephones put
    /// there, and pictures of the same moment, say nothing.
    fn behind_end(&mut self, format: Format, bytes: &[u8], at: &At) {
        let end = match format {
            Format::Image(kind) => behind::of_picture(kind, bytes),
            Format::Pdf => behind::of_pdf(bytes),
            _ => return,
        };
        let rest = end.and_then(|end| bytes.get(end..)).unwrap_or_default();
        let start = rest.iter().position(|b| !b.is_ascii_whitespace() && *b != 0).unwrap_or(rest.len());
        let speaks = |rest: &[u8]| {
            !matches!(sniff::format(rest, "", ""), Format::Unknown | Format::Empty | Format::Image(_) | Format::Font)
        };
        // Of a ZIP it has been said already that there are two readings.
        if speaks(&rest[start..]) && !zip_walk::ends_as_archive(rest, usize::from(u16::MAX)) {
            self.behind(&rest[start..], at);
        } else if let Some(start) = behind::archive_inside(bytes).filter(|_| matches!(format, Format::Image(_))) {
            self.behind(&bytes[start..], at);
        }
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
        let package = package::read(bytes, &mut self.budget, &self.passwords)?;
        if package.contradictory {
            self.unread(&at.place, Why::Contradictory);
        }
        let said = package.comments.iter().map(|text| Block::paragraph_at(text, "comment of the archive"));
        self.document(Kind::Attachment, &at.place, said.collect());
        for folder in &package.folders {
            self.folder_names(folder, &at.of(folder));
        }
        self.behind(&package.behind, at);
        Ok(package)
    }

    /// What stands behind the end of an archive: read as a file of its own.
    fn behind(&mut self, bytes: &[u8], at: &At) {
        // Blocks of disks and the end mark of old texts are no content.
        let empty = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0 | 0x1a);
        let Some(first) = bytes.iter().position(|b| !empty(b)) else { return };
        let last = bytes.iter().rposition(|b| !empty(b)).unwrap_or(first);
        // A packed file may end in such octets, a text does not.
        let end = if sniff::format(&bytes[first..], "", "") == Format::Unknown { last + 1 } else { bytes.len() };
        match at.deeper(at.of("what stands behind its end")) {
            Ok(inner) => self.file(&bytes[first..end], Declared::default(), false, &inner),
            Err(inner) => self.unread(&inner.place, Why::BeyondLimit),
        }
    }

    /// An office file that a password seals: read where one of the message, or the one that Office itself uses, opens it.
    fn sealed_office(&mut self, sealed: &offcrypto::Sealed, at: &At) -> Result<(), Why> {
        let (package, by_message) = match sealed.open(offcrypto::DEFAULT_PASSWORD) {
            Err(Why::Encrypted) => (try_each(&self.passwords, |password| sealed.open(password))?, true),
            other => (other?, false),
        };
        if by_message {
            self.reading.opened_with_password.push(at.place.clone());
        }
        // What is sealed is a package, never sealed again: so this does not go on without end.
        match sniff::format(&package, "", "") {
            Format::Docx | Format::Xlsx | Format::Pptx => self.format(&package, Declared::default(), false, at),
            _ => Err(Why::UnknownType),
        }
    }

    fn archive(&mut self, bytes: &[u8], at: &At) -> Result<(), Why> {
        let package = match self.package(bytes, at) {
            Err(Why::Damaged) => return Err(Why::Damaged),
            other => other?,
        };
        self.members(package.members, package.opened_with_password, at)
    }

    /// Reads the members of an archive, each by itself.
    fn members(&mut self, members: Vec<Member>, opened: bool, at: &At) -> Result<(), Why> {
        if opened {
            self.reading.opened_with_password.push(at.place.clone());
        }
        for member in members {
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
    pub fn plain_format(&mut self, bytes: &[u8], part: &Part, at: &At) -> Vec<Block> {
        let text = decode_text(bytes, part.charset.as_deref());
        let format = sniff::format(bytes, "", &part.content_type);
        if format != Format::Rtf {
            self.pasted(bytes, &text, at);
        }
        match format {
            Format::Calendar | Format::Contact => calendar::read(&text),
            Format::Delimited => delimited::read(&text),
            Format::Rtf => rtf::read(bytes).blocks,
            Format::Html => lines::blocks(html::pieces(&html_text(bytes, part.charset.as_deref()))),
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

/// The messages of a mailbox file, each behind its `From ` line (RFC 4155); `>From` in a body stays as it is.
fn mailbox_messages(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut starts: Vec<usize> = Vec::new();
    let mut blank_before = true;
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if blank_before && line.starts_with(b"From ") {
            starts.push(at);
        }
        blank_before = line.trim_ascii().is_empty();
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let messages = starts.iter().zip(ends).map(|(start, end)| {
        let line = memchr::memchr(b'\n', &bytes[*start..end]).map_or(end, |n| start + n + 1);
        bytes[line..end].to_vec()
    });
    messages.enumerate().map(|(n, message)| (format!("message {}.eml", n + 1), message)).collect()
}
