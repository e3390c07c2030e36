//! A message's parts to documents with their places, and a list of what could not be read, with the reason.
//!
//! Never knows people, rules or network. Types are told by content, not by name. Nothing passes as clean unread:
//! what is not in [`Reading::documents`] is in [`Reading::unread`] or is known to hold no text.
//!
//! Sizes, depth and numbers are bounded by [`crate::limits`]; a reader that panics on a file makes that file damaged,
//! never the message lost.

mod body;
mod calendar;
mod cms;
mod compound;
mod delimited;
mod docx;
mod file;
mod html;
mod image;
mod lines;
mod mapi;
mod markup;
mod office;
mod opendocument;
mod outlook;
pub(crate) mod package;
mod pdf;
mod pdf_layout;
mod pptx;
mod rtf;
mod sniff;
mod tar;
mod tnef;
mod xlsx;
pub(crate) mod xml;

use crate::message::Message;
use crate::text::{Document, Image};

/// All that was read of a message, and all that was not.
#[derive(Debug, Default)]
pub struct Reading {
    /// Every text found.
    pub documents: Vec<Document>,
    /// Every picture found.
    pub images: Vec<Image>,
    /// Every part, file or member that could not be read.
    pub unread: Vec<Unread>,
}

/// A part that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its place, as a document's.
    pub part: String,
    /// Why.
    pub why: Why,
}

/// Why a part could not be read; the rules treat encryption apart from all else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
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
    let mut reader = file::Reader::default();
    reader.message(message);
    reader.reading
}

#[cfg(test)]
mod tests;
