//! What Outlook's own formats share ([MS-OXCDATA], [MS-OXRTFCP]): a message as properties, with its attachments.

use super::file::Content;
use super::{html, lines, rtf};
use crate::message::decode_text;
use crate::text::Block;

/// Identifiers of the properties that carry words.
pub mod id {
    pub const SUBJECT: u16 = 0x0037;
    pub const SENDER_NAME: u16 = 0x0c1a;
    pub const SENDER_ADDRESS: u16 = 0x0c1f;
    pub const DISPLAY_TO: u16 = 0x0e04;
    pub const DISPLAY_CC: u16 = 0x0e03;
    pub const BODY: u16 = 0x1000;
    pub const RTF: u16 = 0x1009;
    pub const HTML: u16 = 0x1013;
    pub const DATA: u16 = 0x3701;
    pub const SHORT_NAME: u16 = 0x3704;
    pub const LONG_NAME: u16 = 0x3707;
}

/// Property types.
pub mod kind {
    pub const ANSI: u16 = 0x001e;
    pub const UNICODE: u16 = 0x001f;
    pub const BINARY: u16 = 0x0102;
}

/// A message or attachment as far as it has words.
#[derive(Default)]
pub struct Properties {
    /// Identifier, type and value.
    pub values: Vec<(u16, u16, Vec<u8>)>,
}

impl Properties {
    /// A property as text.
    pub fn text(&self, wanted: u16) -> Option<String> {
        let (_, kind, bytes) = self.values.iter().find(|(id, ..)| *id == wanted)?;
        let text = if *kind == kind::UNICODE { decode_text(bytes, Some("utf-16le")) } else { decode_text(bytes, None) };
        Some(text.trim_end_matches('\0').to_owned()).filter(|t| !t.trim().is_empty())
    }

    /// A property as bytes.
    pub fn bytes(&self, wanted: u16) -> Option<&[u8]> {
        self.values.iter().find(|(id, ..)| *id == wanted).map(|(.., bytes)| bytes.as_slice())
    }

    /// A message's words: subject, names, and each form of its body.
    pub fn message(&self, content: &mut Content) {
        if let Some(subject) = self.text(id::SUBJECT) {
            content.blocks.push(Block::paragraph_at(subject, "subject"));
        }
        let names = [id::SENDER_NAME, id::SENDER_ADDRESS, id::DISPLAY_TO, id::DISPLAY_CC];
        let names: Vec<String> = names.into_iter().filter_map(|n| self.text(n)).collect();
        if !names.is_empty() {
            content.blocks.push(Block::paragraph_at(names.join("\n"), "headers"));
        }
        if let Some(body) = self.text(id::BODY) {
            content.blocks.extend(lines::blocks(lines::of_plain(&body, None)));
        }
        if let Some(body) = self.text(id::HTML) {
            content.blocks.extend(lines::blocks(html::pieces(&body)));
        }
        if let Some(packed) = self.bytes(id::RTF)
            && self.bytes(id::HTML).is_none()
            && self.text(id::BODY).is_none()
        {
            let body = rtf::read(&unpack_rtf(packed));
            content.blocks.extend(body.blocks);
            content.inner.extend(body.inner);
            content.incomplete = content.incomplete.or(body.incomplete);
        }
    }

    /// An attachment's name.
    pub fn name(&self) -> String {
        let name = self.text(id::LONG_NAME).or_else(|| self.text(id::SHORT_NAME));
        name.unwrap_or_else(|| "attachment".to_owned()).replace(['/', '\\'], "_")
    }
}

/// What the dictionary of compressed RTF holds at the start ([MS-OXRTFCP] 2.1.2.1).
const DICTIONARY: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Unpacks compressed RTF; what is no such thing comes back as it is.
pub fn unpack_rtf(packed: &[u8]) -> Vec<u8> {
    if packed.get(8..12) == Some(b"MELA") {
        return packed[16.min(packed.len())..].to_vec();
    }
    if packed.get(8..12) != Some(b"LZFu") {
        return packed.to_vec();
    }
    let mut ring = DICTIONARY.to_vec();
    let mut write = ring.len();
    ring.resize(4096, b' ');
    let mut out = Vec::new();
    let mut input = packed.iter().skip(16).copied();
    let mut put = |byte: u8, ring: &mut Vec<u8>, out: &mut Vec<u8>| {
        ring[write] = byte;
        write = (write + 1) % 4096;
        out.push(byte);
        write
    };
    let mut at = DICTIONARY.len();
    while let Some(control) = input.next() {
        for bit in 0..8 {
            if control & (1 << bit) == 0 {
                let Some(byte) = input.next() else { return out };
                at = put(byte, &mut ring, &mut out);
                continue;
            }
            let (Some(high), Some(low)) = (input.next(), input.next()) else { return out };
            let reference = usize::from(high) << 8 | usize::from(low);
            let (offset, length) = (reference >> 4, (reference & 15) + 2);
            if offset == at {
                return out;
            }
            for step in 0..length {
                let byte = ring[(offset + step) % 4096];
                at = put(byte, &mut ring, &mut out);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_rtf() {
        // The second example of [MS-OXRTFCP] 4.1: a reference into the dictionary, then plain letters.
        let packed = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72,
            0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62,
            0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        assert_eq!(unpack_rtf(&packed), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    }
}
