//! `winmail.dat` ([MS-OXTNEF]): the message and the files that Outlook packs into one part.

use super::Why;
use super::file::Content;
use super::mapi::{Properties, id, kind};

const ATTACH_REND_DATA: u16 = 0x9002;
const ATTACH_TITLE: u16 = 0x8010;
const ATTACH_DATA: u16 = 0x800f;
const ATTACHMENT: u16 = 0x9005;
const MAPI_PROPERTIES: u16 = 0x9003;
const BODY: u16 = 0x800c;
const SUBJECT: u16 = 0x8004;

#[derive(Default)]
struct File {
    title: String,
    data: Option<Vec<u8>>,
    properties: Properties,
}

/// Reads a file.
pub fn read(bytes: &[u8]) -> Result<Content, Why> {
    let mut at = 6;
    let mut message = Properties::default();
    let mut files: Vec<File> = Vec::new();
    let mut incomplete = None;
    while at < bytes.len() {
        // Level, identifier, type, length; data; checksum.
        let Some(header) = bytes.get(at..at + 9) else {
            incomplete = Some(Why::Damaged);
            break;
        };
        let attribute = u16::from_le_bytes([header[1], header[2]]);
        let length = u32::from_le_bytes([header[5], header[6], header[7], header[8]]) as usize;
        let Some(data) = bytes.get(at + 9..(at + 9).saturating_add(length)) else {
            incomplete = Some(Why::Damaged);
            break;
        };
        at += 9 + length + 2;
        match attribute {
            ATTACH_REND_DATA => files.push(File::default()),
            MAPI_PROPERTIES => message = properties(data).unwrap_or_default(),
            BODY => message.values.push((id::BODY, kind::ANSI, data.to_vec())),
            SUBJECT => message.values.push((id::SUBJECT, kind::ANSI, data.to_vec())),
            ATTACH_TITLE | ATTACH_DATA | ATTACHMENT => {
                if files.is_empty() {
                    files.push(File::default());
                }
                let Some(file) = files.last_mut() else { continue };
                match attribute {
                    ATTACH_TITLE => file.title = crate::message::guess_text(data).trim_end_matches('\0').to_owned(),
                    ATTACH_DATA => file.data = Some(data.to_vec()),
                    _ => file.properties = properties(data).unwrap_or_default(),
                }
            }
            _ => {}
        }
    }
    let mut content = Content { incomplete, ..Content::default() };
    message.message(&mut content);
    for file in files {
        let name = match file.properties.text(id::LONG_NAME) {
            Some(_) => file.properties.name(),
            None if file.title.is_empty() => "attachment".to_owned(),
            None => file.title.clone(),
        };
        // An embedded message stands in the properties, behind the 16 octets of its interface.
        let data = file.data.filter(|d| !d.is_empty());
        let inner = || file.properties.bytes(id::DATA).map(|d| d.get(16..).unwrap_or(d).to_vec());
        if let Some(data) = data.or_else(inner) {
            content.inner.push((name, data));
        }
    }
    Ok(content)
}

/// A list of MAPI properties; nothing where it breaks off in a way that cannot be followed.
fn properties(bytes: &[u8]) -> Option<Properties> {
    let mut reader = Cursor { bytes, at: 0 };
    let mut found = Properties::default();
    for _ in 0..reader.u32()? {
        let Some((id, kind, value)) = reader.property() else { break };
        found.values.push((id, kind, value));
    }
    Some(found)
}

struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes)
    }

    fn property(&mut self) -> Option<(u16, u16, Vec<u8>)> {
        let tag = self.u32()?;
        let (kind, id) = (tag as u16, (tag >> 16) as u16);
        if id >= 0x8000 {
            self.take(16)?;
            if self.u32()? == 0 {
                self.u32()?;
            } else {
                let length = self.u32()? as usize;
                self.take(length.checked_next_multiple_of(4)?)?;
            }
        }
        let (multiple, plain) = (kind & 0x1000 != 0, kind & 0x0fff);
        let variable = matches!(plain, 0x001e | 0x001f | 0x0102 | 0x000d);
        let count = if multiple || variable { self.u32()? } else { 1 };
        let mut value = Vec::new();
        for _ in 0..count {
            let length = match plain {
                _ if variable => self.u32()? as usize,
                0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => 8,
                0x0048 => 16,
                _ => 4,
            };
            let bytes = self.take(length)?.to_vec();
            self.take(length.checked_next_multiple_of(4)? - length)?;
            if value.is_empty() {
                value = bytes;
            }
        }
        Some((id, plain, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Block;

    fn attribute(id: u16, data: &[u8]) -> Vec<u8> {
        let mut out = vec![1];
        out.extend(id.to_le_bytes());
        out.extend([6, 0]);
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        out.extend([0, 0]);
        out
    }

    #[test]
    fn a_message_with_a_file() {
        let mut bytes = b"\x78\x9f\x3e\x22\x01\x00".to_vec();
        let text: Vec<u8> = "Amy Smith".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut mapi = 1u32.to_le_bytes().to_vec();
        mapi.extend((u32::from(id::BODY) << 16 | u32::from(kind::UNICODE)).to_le_bytes());
        mapi.extend(1u32.to_le_bytes());
        mapi.extend((text.len() as u32).to_le_bytes());
        mapi.extend(&text);
        mapi.extend([0, 0]);
        bytes.extend(attribute(MAPI_PROPERTIES, &mapi));
        bytes.extend(attribute(ATTACH_REND_DATA, &[0; 14]));
        bytes.extend(attribute(ATTACH_TITLE, b"list.csv\0"));
        bytes.extend(attribute(ATTACH_DATA, b"a,b\n"));
        let content = read(&bytes).unwrap();
        assert_eq!(content.blocks, [Block::paragraph("Amy Smith")]);
        assert_eq!(content.inner, [("list.csv".to_owned(), b"a,b\n".to_vec())]);
        assert_eq!(read(&bytes[..bytes.len() - 8]).unwrap().incomplete, Some(Why::Damaged));
    }
}
