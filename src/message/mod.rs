//! Bytes to a [`Message`]: raw headers and their duplicates, the part tree, decoded text, subject markers.
//!
//! Never knows network, disk, people or policy. The structure is mail-parser's; headers, parameters and transfer
//! encodings are read by ourselves from the raw bytes, and both are checked with mailparse (RFC 5322, 2045 to 2047,
//! 2231). Where readings disagree in a way that could hide content, the message says so in [`Message::faults`].
//!
//! Invariants: [`read`] never fails and never panics, whatever the bytes; `parts[0]` always exists; a part stands
//! before its children.

pub mod automatic;
mod charset;
mod encoded_word;
mod faults;
pub mod footer;
pub mod header;
mod mailbox;
pub mod markers;
mod other;
mod parameters;
mod pieces;
pub mod signed;
mod transfer;
mod tree;

pub use charset::{decode as decode_text, guess as guess_text};
pub use header::Header;
pub use mailbox::Mailbox;

use crate::limits;

/// Base64 undone, whatever stands between its characters.
pub fn decode_base64(text: &[u8]) -> Vec<u8> {
    transfer::base64(text).0
}

/// Quoted-printable undone; an `=` that starts no code stays.
pub fn decode_quoted_printable(text: &[u8]) -> Vec<u8> {
    transfer::quoted_printable(text).0
}

/// A message as read. Nothing here changes the bytes.
#[derive(Debug)]
pub struct Message<'a> {
    /// All of it, as received.
    pub raw: &'a [u8],
    /// The header lines, in order, read by ourselves from the raw bytes.
    pub headers: Vec<Header>,
    /// Leaves and containers, in document order; `parts[0]` is the message itself.
    pub parts: Vec<Part>,
    /// What stands in multiparts outside every part: preambles and epilogues, which mail programs do not show.
    pub outside: Vec<String>,
    /// What is damaged or contradictory in the structure, in plain words; empty for all ordinary mail.
    pub faults: Vec<String>,
}

/// One MIME part (RFC 2045).
#[derive(Debug, Clone)]
pub struct Part {
    /// The part's own header lines. The spans count from the start of the message that holds the part.
    pub headers: Vec<Header>,
    /// `type/subtype` in lower case, as declared; `text/plain` where nothing is.
    pub content_type: String,
    /// The declared charset, in lower case.
    pub charset: Option<String>,
    /// `format=flowed` and `delsp=yes` (RFC 3676).
    pub flowed: Option<Flowed>,
    /// File names that the part claims, decoded, without any directory; more than one where the headers disagree.
    pub names: Vec<String>,
    /// `Content-Disposition: attachment`.
    pub attachment: bool,
    /// The `Content-ID`, without angle brackets.
    pub content_id: Option<String>,
    /// The body with its transfer encoding undone; empty for containers, save a message that is signed (RFC 6376).
    pub body: Vec<u8>,
    /// Index of the part that holds this one.
    pub parent: Option<usize>,
    /// What the part is.
    pub kind: PartKind,
}

/// How lines that a sender's program broke are to be joined again (RFC 3676).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flowed {
    /// The blank before the break is not part of the text.
    pub delete_space: bool,
}

/// What a part is to its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A multipart; its children follow with it as parent.
    Multipart,
    /// A `message/rfc822`; its only child is the root part of that message, whose headers are the message's.
    Message,
    /// A leaf that mail programs show as the message's text.
    Text,
    /// A leaf that mail programs show as a file.
    Attachment,
}

/// Reads a message. Never fails: what cannot be read is in `faults`.
pub fn read(raw: &[u8]) -> Message<'_> {
    let mut tree = tree::Tree::default();
    // The parsers promise not to panic; should one, the message is held, not lost.
    let read = std::panic::catch_unwind(|| {
        let mut tree = tree::Tree::default();
        tree::read(raw, None, 0, &mut tree);
        tree
    });
    match read {
        Ok(done) => tree = done,
        Err(_) => tree.faults.push("a structure that cannot be read"),
    }
    if tree.parts.is_empty() {
        let block = header::read_block(raw, 0);
        tree.parts.push(Part::leaf(block.headers, raw[block.body..].to_vec(), None));
    }
    let headers = tree.parts[0].headers.clone();
    for name in ["Subject", "From", "Sender", "To", "Cc", "Date"] {
        tree.faults.extend(tree::doubled(&headers, name));
    }
    if headers.len() > limits::HEADER_LINES || headers.last().is_some_and(|h| h.span.end > limits::HEADER_BYTES) {
        tree.faults.push("more header lines than are read");
    }
    Message { raw, headers, parts: tree.parts, outside: tree.outside, faults: tree.faults.0 }
}

/// Reads the header alone: a message without parts, for what is asked before anybody looks into them.
pub fn read_head(raw: &[u8]) -> Message<'_> {
    let block = header::read_block(raw, 0);
    Message { raw, headers: block.headers, parts: Vec::new(), outside: Vec::new(), faults: block.faults.0 }
}

impl Message<'_> {
    /// The first header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&Header> {
        self.headers.iter().find(|h| h.is(name))
    }

    /// All headers of a name, in any case, in order.
    pub fn headers_named<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Header> + 'm {
        self.headers.iter().filter(move |h| h.is(name))
    }

    /// The decoded subject; several are joined by a space, so that nothing is overlooked. Empty where there is none.
    pub fn subject(&self) -> String {
        self.headers_named("Subject").map(|h| h.value.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Every mailbox of every From line.
    pub fn from_addresses(&self) -> Vec<Mailbox> {
        self.addresses_in("From")
    }

    /// Every mailbox of every Sender line.
    pub fn sender_addresses(&self) -> Vec<Mailbox> {
        self.addresses_in("Sender")
    }

    /// Every mailbox of every To line.
    pub fn to_addresses(&self) -> Vec<Mailbox> {
        self.addresses_in("To")
    }

    /// Every mailbox of every Cc line.
    pub fn cc_addresses(&self) -> Vec<Mailbox> {
        self.addresses_in("Cc")
    }

    /// How many Received lines there are: the hops so far (RFC 5321 6.3).
    pub fn received_count(&self) -> usize {
        self.headers_named("Received").count()
    }

    /// Every mailbox of every header line of this name.
    pub fn addresses_in(&self, name: &str) -> Vec<Mailbox> {
        self.headers_named(name).flat_map(|h| mailbox::parse_list(&h.raw_value)).collect()
    }
}

impl Part {
    /// A part with what its headers say; the body is for the caller.
    fn of(headers: Vec<Header>, content_type: &parameters::Value, parent: Option<usize>) -> Self {
        let find = |name: &str| headers.iter().rfind(|h| h.is(name));
        let disposition = find("Content-Disposition").map(|h| parameters::parse(&h.raw_value)).unwrap_or_default();
        let mut known = std::collections::HashSet::new();
        let claimed = disposition.all("filename").chain(content_type.all("name"));
        let claimed = claimed.map(file_name).filter(|n| !n.is_empty());
        let names: Vec<String> = claimed.filter(|name| known.insert(name.clone())).collect();
        let attachment = disposition.main == "attachment";
        let main = if content_type.main.contains('/') { content_type.main.clone() } else { "text/plain".to_owned() };
        let kind = match main.starts_with("text/") && !attachment && names.is_empty() {
            true => PartKind::Text,
            false => PartKind::Attachment,
        };
        let says = |name: &str, value: &str| content_type.first(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
        Self {
            charset: content_type.first("charset").map(str::to_ascii_lowercase),
            flowed: says("format", "flowed").then(|| Flowed { delete_space: says("delsp", "yes") }),
            names,
            attachment,
            content_id: find("Content-ID").map(|h| h.raw_value.trim().trim_matches(['<', '>']).to_owned()),
            body: Vec::new(),
            parent,
            kind,
            content_type: main,
            headers,
        }
    }

    /// A leaf of whose structure nothing is known.
    fn leaf(headers: Vec<Header>, body: Vec<u8>, parent: Option<usize>) -> Self {
        let content_type = parameters::Value { main: "text/plain".into(), ..Default::default() };
        Self { body, ..Self::of(headers, &content_type, parent) }
    }

    /// The first header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&Header> {
        self.headers.iter().find(|h| h.is(name))
    }
}

/// The last component of a name, with control characters and direction marks taken out: a name is shown, never used as
/// a path.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    last.chars().filter(|c| !hidden(*c)).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
