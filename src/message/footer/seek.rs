//! Which parts are the text that a reader sees, and where their bodies stand in the raw bytes (RFC 2046 5.1, RFC 2387).

use std::ops::Range;

use mail_parser::{MessageParser, PartType};

use super::super::header;
use super::super::parameters::{self, Value};
use super::super::{Part, PartKind, transfer, tree};
use super::Why;

/// How a body stands in the raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// As it is.
    Plain,
    QuotedPrintable,
    Base64,
}

/// A text that a reader sees.
#[derive(Debug)]
pub struct Body {
    /// HTML; otherwise plain.
    pub page: bool,
    pub charset: Option<String>,
    /// Lines may be flowed (RFC 3676).
    pub flowed: bool,
    pub transfer: Transfer,
    /// Where it stands, without the line end that belongs to the boundary below it.
    pub range: Range<usize>,
    /// A boundary follows at once, without a line end between.
    pub tight: bool,
    pub decoded: Vec<u8>,
}

/// The texts of a message in which nothing is contradictory, at least one.
pub fn bodies(raw: &[u8]) -> Result<Vec<Body>, Why> {
    let parsed = MessageParser::default().parse(raw).ok_or(Why::Contradictory)?;
    let mut found = Vec::new();
    let seeker = Seeker { raw, parsed: &parsed };
    if seeker.is_invitation() {
        return Err(Why::Invitation);
    }
    seeker.seek(0, &mut found)?;
    found.sort_by_key(|body| body.range.start);
    if found.is_empty() { Err(Why::NoText) } else { Ok(found) }
}

struct Seeker<'s> {
    raw: &'s [u8],
    parsed: &'s mail_parser::Message<'s>,
}

/// A part with its parameters, and where its body stands.
struct Seen {
    part: Part,
    content_type: Value,
    body: Range<usize>,
}

impl Seeker<'_> {
    fn part(&self, id: u32) -> Option<Seen> {
        let part = self.parsed.parts.get(id as usize)?;
        let end = if id == 0 { self.raw.len() } else { part.offset_end as usize }.min(self.raw.len());
        let start = (part.offset_header as usize).min(end);
        let block = header::read_block(&self.raw[start..end], start);
        let body = start + block.body;
        let content_type = block.headers.iter().rfind(|field| field.is("Content-Type"));
        let content_type = content_type.map(|field| parameters::parse(&field.raw_value)).unwrap_or_default();
        let part = Part::of(block.headers, &content_type, None);
        Some(Seen { part, content_type, body: body.min(end)..end })
    }

    /// A calendar's entry that is not just a file beside the text.
    fn is_invitation(&self) -> bool {
        (0..self.parsed.parts.len()).filter_map(|id| self.part(u32::try_from(id).ok()?)).any(|seen| {
            seen.part.content_type == "text/calendar"
                && (!seen.part.attachment || seen.content_type.first("method").is_some())
        })
    }

    /// Adds the texts of a part; whether there are any.
    fn seek(&self, id: u32, found: &mut Vec<Body>) -> Result<bool, Why> {
        let Some(seen) = self.part(id) else { return Err(Why::Contradictory) };
        let children: &[u32] = match self.parsed.parts.get(id as usize).map(|part| &part.body) {
            Some(PartType::Multipart(children)) => children,
            _ => &[],
        };
        let content_type = seen.part.content_type.clone();
        match content_type.as_str() {
            "multipart/signed" => Err(Why::Signed),
            "multipart/encrypted" | "application/pgp-encrypted" => Err(Why::Encrypted),
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => Err(Why::Encrypted),
            "multipart/report" | "message/delivery-status" | "message/disposition-notification" => Err(Why::Report),
            "multipart/digest" => Ok(false),
            "multipart/alternative" => {
                let mut any = false;
                for child in children {
                    any |= self.seek(*child, found)?;
                }
                Ok(any)
            }
            "multipart/related" => match self.start(&seen, children) {
                Some(start) => self.seek(start, found),
                None => Ok(false),
            },
            other if other.starts_with("multipart/") => {
                for child in children {
                    if self.seek(*child, found)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            "text/plain" | "text/html" if seen.part.kind == PartKind::Text => {
                found.push(self.body(seen, id == 0)?);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The part of a `multipart/related` that the others belong to (RFC 2387 3.2).
    fn start(&self, seen: &Seen, children: &[u32]) -> Option<u32> {
        let named = seen.content_type.first("start").map(|id| id.trim().trim_matches(['<', '>']).to_owned());
        let is_named =
            |child: &&u32| named.is_some() && self.part(**child).is_some_and(|child| child.part.content_id == named);
        children.iter().find(is_named).or(children.first()).copied()
    }

    fn body(&self, seen: Seen, root: bool) -> Result<Body, Why> {
        let Range { start, mut end } = seen.body;
        let mut tight = false;
        if !root {
            let follows = self.raw.get(end..).unwrap_or_default();
            let boundary = follows.strip_prefix(b"\r\n").or(follows.strip_prefix(b"\n"));
            match boundary {
                Some(boundary) if boundary.starts_with(b"--") => {}
                _ if follows.starts_with(b"--") => {
                    let inside = &self.raw[start..end];
                    let line_end = if inside.ends_with(b"\r\n") { 2 } else { usize::from(inside.ends_with(b"\n")) };
                    end -= line_end;
                    tight = line_end == 0;
                }
                _ => return Err(Why::Contradictory),
            }
        }
        let encoded = &self.raw[start..end];
        let encodings = tree::encodings_of(&seen.part.headers);
        let transfer = match encodings.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["" | "7bit" | "8bit" | "binary"] => Transfer::Plain,
            ["quoted-printable"] => Transfer::QuotedPrintable,
            ["base64"] => Transfer::Base64,
            _ => return Err(Why::Contradictory),
        };
        let decoded = match transfer {
            Transfer::Plain => encoded.to_vec(),
            Transfer::QuotedPrintable => transfer::quoted_printable(encoded).0,
            Transfer::Base64 => transfer::base64(encoded).0,
        };
        Ok(Body {
            page: seen.part.content_type == "text/html",
            charset: seen.part.charset,
            flowed: seen.part.flowed.is_some(),
            transfer,
            range: start..end,
            tight,
            decoded,
        })
    }
}
