//! Bytes to a [`Message`]: raw headers and their duplicates, the part tree, decoded text.
//!
//! Never knows network, disk, people or policy. Reads with mail-parser and checks with mailparse; where the two
//! disagree in a way that could hide content, the message says so in [`Message::faults`].

use std::ops::Range;

/// A message as read. Nothing here changes the bytes.
#[derive(Debug)]
pub struct Message<'a> {
    /// All of it, as received.
    pub raw: &'a [u8],
    /// The header lines, in order, read by ourselves from the raw bytes.
    pub headers: Vec<Header>,
    /// Leaves and containers, in document order; `parts[0]` is the message itself.
    pub parts: Vec<Part>,
    /// What is damaged or contradictory in the structure, in plain words; empty for all ordinary mail.
    pub faults: Vec<String>,
}

/// One header line (RFC 5322 2.2).
#[derive(Debug, Clone)]
pub struct Header {
    /// As written.
    pub name: String,
    /// The value with folding undone and encoded words decoded (RFC 2047).
    pub value: String,
    /// Where the whole field stands in the raw bytes.
    pub span: Range<usize>,
}

/// One MIME part (RFC 2045).
#[derive(Debug, Clone)]
pub struct Part {
    /// `type/subtype` in lower case, as declared; `text/plain` where nothing is.
    pub content_type: String,
    /// The declared charset, in lower case.
    pub charset: Option<String>,
    /// File names that the part claims, decoded, without any directory; more than one where the headers disagree.
    pub names: Vec<String>,
    /// `Content-Disposition: attachment`.
    pub attachment: bool,
    /// The `Content-ID`, without angle brackets.
    pub content_id: Option<String>,
    /// The body with its transfer encoding undone; empty for containers.
    pub body: Vec<u8>,
    /// Index of the part that holds this one.
    pub parent: Option<usize>,
    /// What the part is.
    pub kind: PartKind,
}

/// What a part is to its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A multipart; its children follow with it as parent.
    Multipart,
    /// A `message/rfc822` whose parts follow as children.
    Message,
    /// A leaf that mail programs show as the message's text.
    Text,
    /// A leaf that mail programs show as a file.
    Attachment,
}
