//! The part tree: mail-parser's structure, our own headers and decoding, and the checks of one against the other.
//!
//! No single parser sees what every mail program sees. Where mail-parser, mailparse and our own look at the boundary
//! lines disagree, the message says so in its faults and is never taken for read.

use std::collections::HashSet;

use mail_parser::{MessageParser, PartType};

use super::faults::Faults;
use super::header::{self, Header};
use super::parameters::{self, Value};
use super::transfer::{self, Fit};
use super::{Part, PartKind, charset, other, pieces};
use crate::limits;

/// What reading the tree yields, collected over all levels.
#[derive(Default)]
pub struct Tree {
    pub parts: Vec<Part>,
    pub faults: Faults,
    pub outside: Vec<String>,
    /// How many messages and parts were read once more in another way.
    again: usize,
}

/// Reads `raw` and all it holds. `depth` counts messages inside messages.
pub fn read(raw: &[u8], parent: Option<usize>, depth: usize, tree: &mut Tree) {
    let parsed = if pieces::are_too_many(raw) {
        tree.faults.push("more pieces of parameters than are read");
        None
    } else {
        MessageParser::default().parse(raw)
    };
    let Some(parsed) = parsed.filter(|p| !p.parts.is_empty()) else {
        let block = header::read_block(raw, 0);
        let body = raw[block.body..].to_vec();
        tree.faults.extend(block.faults.0);
        tree.parts.push(Part::leaf(block.headers, body, parent));
        return;
    };
    let mut reader = Reader { raw, parsed: &parsed, depth, leaves: 0, boundaries: Vec::new(), tree };
    reader.part(0, parent, false);
    let (leaves, boundaries) = (reader.leaves, std::mem::take(&mut reader.boundaries));
    check_with_mailparse(raw, leaves, &boundaries, tree);
}

struct Reader<'r> {
    raw: &'r [u8],
    parsed: &'r mail_parser::Message<'r>,
    depth: usize,
    leaves: usize,
    boundaries: Vec<String>,
    tree: &'r mut Tree,
}

impl Reader<'_> {
    /// Reads the part `root` of mail-parser's list and everything below it, parents before children.
    fn part(&mut self, root: u32, parent: Option<usize>, in_digest: bool) {
        let mut waiting = vec![(root, parent, in_digest, 0usize)];
        let mut others: Vec<(Vec<u8>, Option<usize>)> = Vec::new();
        while let Some((id, parent, in_digest, inside)) = waiting.pop() {
            if self.tree.parts.len() >= limits::EXTRACT_PARTS {
                self.tree.faults.push("more parts than are read in one message");
                break;
            }
            if inside > limits::MULTIPART_DEPTH {
                self.tree.faults.push("multiparts nested deeper than is read");
                continue;
            }
            let Some(part) = self.parsed.parts.get(id as usize) else { continue };
            let end = if id == 0 { self.raw.len() } else { part.offset_end as usize }.min(self.raw.len());
            let start = (part.offset_header as usize).min(end);
            let block = header::read_block(&self.raw[start..end], start);
            let body_start = start + block.body;
            if body_start != (part.offset_body as usize).min(end) && end > body_start {
                self.tree.faults.push("two readings differ in where a part's headers end");
            }
            self.tree.faults.extend(block.faults.0.iter().cloned());
            let content_type = self.content_type(&block.headers, in_digest);
            let encoded = &self.raw[body_start.min(end)..end];
            if !block.swallowed.is_empty() {
                others.push((other::unfolded(&self.raw[start..end], &block.swallowed), parent));
            }
            let mut new = Part::of(block.headers, &content_type, parent);
            match &part.body {
                PartType::Multipart(children) => {
                    new.kind = PartKind::Multipart;
                    let index = self.tree.parts.len();
                    self.check_container_encoding(&new.headers);
                    self.check_multipart(encoded, &content_type, children.len());
                    let digest = new.content_type == "multipart/digest";
                    self.tree.parts.push(new);
                    waiting.extend(children.iter().rev().map(|child| (*child, Some(index), digest, inside + 1)));
                }
                PartType::Message(_) => self.message(new, encoded),
                _ if is_message(&new.content_type) => self.message(new, encoded),
                _ => {
                    self.leaves += 1;
                    if new.content_type.starts_with("multipart/") {
                        self.tree.faults.push("a multipart whose parts cannot be told apart");
                    }
                    if new.content_type == "message/partial" {
                        self.tree.faults.push("one fragment of a message that was split");
                    }
                    if new.content_type == "message/external-body" {
                        self.tree.faults.push("content that is not in the message but fetched from elsewhere");
                    }
                    if let Some(other) = other::headed_inside(&self.raw[start..end], &new.headers, start, encoded) {
                        self.tree.faults.push("headers of MIME at the beginning of a part's body");
                        others.push((other, parent));
                    }
                    let mut encodings = encodings_of(&new.headers);
                    if encodings.len() > limits::TRANSFER_ENCODINGS {
                        self.tree.faults.push("more transfer encodings than are read");
                        encodings.truncate(limits::TRANSFER_ENCODINGS);
                    }
                    for encoding in encodings {
                        // Two encodings that differ are two contents; either may be what the recipient sees.
                        let body = self.undo_encoding(&encoding, encoded);
                        self.tree.parts.push(Part { body, ..new.clone() });
                    }
                }
            }
        }
        for (other, parent) in others {
            self.read_again(&other, parent);
        }
    }

    /// Reads what a message or part is to programs that take its headers in another way; beside the first reading.
    fn read_again(&mut self, other: &[u8], parent: Option<usize>) {
        if self.tree.again >= limits::READ_AGAIN || self.depth >= limits::EXTRACT_DEPTH {
            // The fault is told already.
            return;
        }
        self.tree.again += 1;
        read(other, parent, self.depth + 1, self.tree);
    }

    fn message(&mut self, mut part: Part, encoded: &[u8]) {
        self.leaves += 1;
        let encoding = encodings_of(&part.headers).pop().unwrap_or_default();
        let body = self.undo_encoding(&encoding, encoded);
        if self.depth + 1 > limits::EXTRACT_DEPTH {
            self.tree.faults.push("messages nested deeper than is read");
            part.body = body;
            self.tree.parts.push(part);
            return;
        }
        part.kind = PartKind::Message;
        if header::read_block(&body, 0).headers.iter().any(|header| header.is("DKIM-Signature")) {
            part.body.clone_from(&body);
        }
        let index = self.tree.parts.len();
        self.tree.parts.push(part);
        read(&body, Some(index), self.depth + 1, self.tree);
    }

    /// The content type in force, with the contradictions that can hide content.
    fn content_type(&mut self, headers: &[Header], in_digest: bool) -> Value {
        for name in ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"] {
            self.check_single(headers, name);
        }
        let Some(header) = headers.iter().rfind(|h| h.is("Content-Type")) else {
            let main = if in_digest { "message/rfc822" } else { "text/plain" };
            return Value { main: main.into(), ..Value::default() };
        };
        let value = parameters::parse(&header.raw_value);
        if value.main.starts_with("multipart/") {
            let boundaries: Vec<&str> = value.all("boundary").collect();
            let other = mailparse::parse_content_type(&header.raw_value).params.remove("boundary");
            let one = boundaries.len() == 1 && !boundaries[0].is_empty() && !boundaries[0].contains("=?");
            if !one || value.odd || other.as_deref() != boundaries.first().copied() {
                self.tree.faults.push("a boundary that mail programs read differently");
            }
        } else if value.main.is_empty() || !value.main.contains('/') {
            // `Content-Type: text` is an old habit of some programs; anything else is odd enough to say so.
            if !value.main.is_empty() && !["text", "plain", "html"].contains(&value.main.as_str()) {
                self.tree.faults.push("a content type that is none");
            }
        } else if value.main.ends_with("/mixed") || value.main.ends_with("ulti/part") {
            self.tree.faults.push("a content type that some programs take for a multipart");
        }
        value
    }

    fn check_single(&mut self, headers: &[Header], name: &str) {
        if let Some(fault) = doubled(headers, name) {
            self.tree.faults.push(fault);
        }
    }

    fn check_container_encoding(&mut self, headers: &[Header]) {
        let plain = |encoding: &String| matches!(encoding.as_str(), "" | "7bit" | "8bit" | "binary");
        if !encodings_of(headers).iter().all(plain) {
            self.tree.faults.push("a multipart that says it is encoded");
        }
    }

    fn undo_encoding(&mut self, encoding: &str, encoded: &[u8]) -> Vec<u8> {
        let (body, fit) = match encoding {
            "" | "7bit" | "8bit" | "binary" => (encoded.to_vec(), Fit::Sound),
            "base64" => transfer::base64(encoded),
            "quoted-printable" => transfer::quoted_printable(encoded),
            other => {
                self.tree.faults.push("a transfer encoding that is none of the known ones");
                if other.contains("base64") {
                    transfer::base64(encoded)
                } else if other.contains("quoted") {
                    transfer::quoted_printable(encoded)
                } else {
                    (encoded.to_vec(), Fit::Sound)
                }
            }
        };
        if fit == Fit::Doubtful {
            let encoding = if encoding.contains("quoted") { "quoted-printable" } else { "base64" };
            self.tree.faults.push(format!("{encoding} that mail programs decode differently"));
        }
        body
    }

    /// Counts the boundary lines ourselves, and keeps what stands before the first and after the last.
    fn check_multipart(&mut self, encoded: &[u8], content_type: &Value, children: usize) {
        let Some(boundary) = content_type.first("boundary").filter(|b| !b.is_empty()) else { return };
        self.boundaries.push(boundary.to_owned());
        let (mut opened, mut at) = (0, 0);
        let mut margins: Vec<&[u8]> = Vec::new();
        let mut closed = false;
        while at < encoded.len() {
            let end = memchr::memchr(b'\n', &encoded[at..]).map_or(encoded.len(), |n| at + n + 1);
            if let Some(closing) = boundary_line(&encoded[at..end], boundary.as_bytes()) {
                if opened == 0 {
                    margins.push(&encoded[..at]);
                }
                if closing {
                    closed = true;
                    margins.push(&encoded[end..]);
                    break;
                }
                opened += 1;
            }
            at = end;
        }
        if !closed {
            self.tree.faults.push("a multipart that is not closed");
        }
        if opened != children {
            self.tree.faults.push("two readings see a different number of parts");
        }
        for margin in margins.into_iter().map(<[u8]>::trim_ascii).filter(|m| !m.is_empty()) {
            let text = charset::guess(margin).replace("\r\n", "\n");
            if looks_like_part(&text) {
                self.tree.faults.push("something like a part outside every part");
            }
            self.tree.outside.push(text);
        }
    }
}

/// More than one field of a name, with different values.
pub fn doubled(headers: &[Header], name: &str) -> Option<String> {
    let mut values = headers.iter().filter(|h| h.is(name)).map(|h| h.raw_value.trim());
    let first = values.next()?;
    values.any(|other| other != first).then(|| format!("more than one {name} header, and they differ"))
}

/// The transfer encodings that a part declares, each once, in lower case; the empty one where it declares none.
pub(super) fn encodings_of(headers: &[Header]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for header in headers.iter().filter(|h| h.is("Content-Transfer-Encoding")) {
        let mut encoding = header.raw_value.trim().to_ascii_lowercase();
        // `7-bit` and `8 bits` are slips that no program reads otherwise.
        let letters: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
        if matches!(letters.trim_end_matches('s'), "7bit" | "8bit") {
            letters.trim_end_matches('s').clone_into(&mut encoding);
        }
        if known.insert(encoding.clone()) {
            found.push(encoding);
        }
    }
    if found.is_empty() {
        found.push(String::new());
    }
    found
}

fn is_message(content_type: &str) -> bool {
    matches!(content_type, "message/rfc822" | "message/global")
}

/// `--boundary` or `--boundary--`, trailing blanks allowed (RFC 2046 5.1.1); whether it closes.
fn boundary_line(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let rest = rest.trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// Headers of a part, uuencoding, or lines of base64.
fn looks_like_part(text: &str) -> bool {
    let mut base64_lines = 0;
    text.lines().any(|line| {
        let line = line.trim_end();
        let dense = line.len() >= 60 && line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
        base64_lines = if dense { base64_lines + 1 } else { 0 };
        let lower = line.to_ascii_lowercase();
        base64_lines >= 3
            || (lower.starts_with("content-") && lower.contains(':'))
            || (lower.starts_with("begin ") && lower[6..].starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// mailparse as the second opinion on how many leaves there are. Its one known error, a boundary that begins another,
/// is left to our own count.
fn check_with_mailparse(raw: &[u8], leaves: usize, boundaries: &[String], tree: &mut Tree) {
    let prefixed = boundaries
        .iter()
        .enumerate()
        .any(|(i, a)| boundaries.iter().enumerate().any(|(j, b)| i != j && b.starts_with(a.as_str())));
    if prefixed || boundaries.is_empty() {
        return;
    }
    match mailparse::parse_mail(raw) {
        Ok(mail) => {
            let mut seen = 0;
            let mut waiting = vec![&mail];
            while let Some(part) = waiting.pop() {
                waiting.extend(&part.subparts);
                seen += usize::from(part.subparts.is_empty());
            }
            if seen != leaves {
                tree.faults.push("two readings see a different number of parts");
            }
        }
        Err(_) => tree.faults.push("a structure that one of two readings refuses"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::read;

    #[test]
    fn each_kind_of_too_many_is_told_and_costs_no_more_than_its_length() {
        let encodings: String = (0..20_000).map(|n| format!("Content-Transfer-Encoding: x{n}\r\n")).collect();
        let names: String = (0..40_000).map(|n| format!("; name=a{n}")).collect();
        let nested: String =
            (0..1_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}x\r\n\r\n--b{n}x\r\n")).collect();
        for (raw, fault, most) in [
            (format!("{encodings}\r\nAmy"), Some("more transfer encodings than are read"), limits::TRANSFER_ENCODINGS),
            (format!("Content-Type: text/plain{names}\r\n\r\nAmy"), None, 1),
            (format!("{nested}\r\nAmy"), Some("multiparts nested deeper than is read"), limits::MULTIPART_DEPTH + 1),
            ("x\n".repeat(200_000), Some("a line among the headers that is no header"), 1),
            ("A: b\n".to_owned() + &"x\n".repeat(200_000), Some("a line among the headers that is no header"), 1),
        ] {
            let message = read(raw.as_bytes());
            let told = fault.is_none_or(|fault| message.faults.iter().any(|known| known == fault));
            assert!(told && message.faults.len() < 10, "{}: {:?}", &raw[..2], message.faults.len());
            assert!(message.parts.len() <= most, "{fault:?}: {}", message.parts.len());
        }
    }
}
