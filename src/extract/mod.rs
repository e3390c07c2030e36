//! A message's parts to documents with their places, and a list of what could not be read, with the reason.
//!
//! Never knows people, rules or network. Types are told by content, not by name. Nothing passes as clean unread:
//! what is not in [`Reading::documents`] is in [`Reading::unread`] or is known to hold no text.
//!
//! Sizes, depth, numbers and time are bounded by [`crate::limits`]; a reader that panics on a file makes that file damaged,
//! never the message lost. What only foreign code can read (documents, pictures, archives) is read in a [`worker`] process
//! where a [`Pool`] is given; subjects, bodies and small texts are read where we are, by code that is ours and bounded.

mod archive;
mod attributes;
mod behind;
mod body;
mod calendar;
mod cms;
mod companion;
mod compound;
mod delimited;
mod docx;
mod file;
mod flat;
mod html;
mod image;
mod json;
mod lines;
mod mapi;
mod markup;
mod ocr;
mod offcrypto;
mod office;
mod ole;
mod opendocument;
mod opening;
mod outlook;
pub(crate) mod package;
mod page_likeness;
mod password;
mod pasted;
mod pdf;
mod pdf_layout;
mod pdf_objects;
mod picture;
mod pool;
mod pptx;
mod record_tree;
mod records;
mod relations;
mod rtf;
mod rtf_words;
mod sectors;
mod sniff;
mod spreadsheet_xml;
mod storage;
mod tar;
mod tnef;
mod wire;
pub mod worker;
mod xlsx;
pub(crate) mod xml;
mod zip_walk;

pub use body::{first_own_line, own_text};
pub use ocr::{PROGRAM as OCR_PROGRAM, VARIABLE as OCR_VARIABLE, program as ocr_program};
pub use package::Budget;
pub use pool::Pool;
pub use worker::give_way;

use crate::message::Message;
use crate::text::{Document, Halt, Image};

/// All that was read of a message, and all that was not.
#[derive(Debug, Default)]
pub struct Reading {
    /// Every text found.
    pub documents: Vec<Document>,
    /// Every picture found.
    pub images: Vec<Image>,
    /// Every part, file or member that could not be read.
    pub unread: Vec<Unread>,
    /// Places of encrypted files that a password standing in this message has opened; what is in them was read.
    pub opened_with_password: Vec<String>,
    /// Pages that are pictures, found while files were read; none is left once the whole message was.
    pages: Vec<Page>,
}

/// A page that is a picture, and still to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Page {
    /// The file's, as a document's.
    place: String,
    /// A finer place, where there is one: `page 3`.
    detail: Option<String>,
    /// In PNG.
    picture: Vec<u8>,
}

/// Somewhere else than in this process where a file can be read without harm to anything but itself.
pub trait Isolation: Send + Sync {
    /// Reads one file and all that it holds, within the task's budget.
    ///
    /// # Errors
    /// The reason for which the whole file counts as unread: its reader came to an end before the file did.
    fn read(&self, task: &Task<'_>) -> Result<Done, Why>;
}

/// One file to be read in isolation.
#[derive(Debug, Clone)]
pub struct Task<'a> {
    /// The file, transfer encoding undone.
    pub bytes: &'a [u8],
    /// Its place, as a document's.
    pub place: &'a str,
    /// How many files or messages it is inside of.
    pub depth: usize,
    /// Shown inside the text.
    pub inline: bool,
    /// As its part declares it; empty where nothing is.
    pub content_type: &'a str,
    /// As its part declares it.
    pub charset: Option<&'a str>,
    /// To be tried where the file is encrypted, the likeliest first.
    pub passwords: &'a [String],
    /// What may still be used for this message.
    pub budget: Budget,
}

/// What became of a [`Task`].
#[derive(Debug)]
pub struct Done {
    /// All that was read of the file.
    pub reading: Reading,
    /// What of the budget is left.
    pub budget: Budget,
}

/// A part that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unread {
    /// Its place, as a document's.
    pub part: String,
    /// Why.
    pub why: Why,
}

/// Why a part could not be read; the rules treat encryption apart from all else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// A password or key is wanted.
    Encrypted,
    /// The content is broken or cut short.
    Damaged,
    /// Two readings of its structure disagree.
    Contradictory,
    /// A limit of [`crate::limits`] was reached.
    BeyondLimit,
    /// The type is not one that is read here.
    UnknownType,
}

impl Why {
    /// The word that reports print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Damaged => "damaged",
            Self::Contradictory => "contradictory",
            Self::BeyondLimit => "beyond-limit",
            Self::UnknownType => "unknown-type",
        }
    }
}

/// Reads everything a message holds. Never fails: what could not be read is in [`Reading::unread`].
pub fn read(message: &Message<'_>) -> Reading {
    read_with(None, &Halt::default(), message)
}

/// Reads one file by itself, in this process.
pub fn read_file(name: &str, bytes: &[u8]) -> Reading {
    read_file_with(None, name, bytes)
}

/// As [`read_file`], in `isolation` where one is given and the file needs it.
pub fn read_file_with(isolation: Option<&dyn Isolation>, name: &str, bytes: &[u8]) -> Reading {
    let mut reader = file::Reader { isolation, ..file::Reader::default() };
    reader.file_name(name, name);
    reader.file(bytes, file::Declared::default(), false, &file::At { place: name.to_owned(), depth: 0 });
    reader.finish()
}

/// As [`read`], with files that only foreign code can read handed to `isolation`, where one is given. Once `halt` is set,
/// no further part is begun and the reading is of no use.
pub fn read_with(isolation: Option<&dyn Isolation>, halt: &Halt, message: &Message<'_>) -> Reading {
    let mut reader = file::Reader { isolation, halt: halt.clone(), ..file::Reader::default() };
    reader.message(message);
    reader.finish()
}

#[cfg(test)]
mod tests;
