//! Files that programs put beside those of people, of their own accord: AppleDouble (RFC 1740), the folder settings of
//! Finder, the pictures that Windows keeps of a folder, the objects of a page that Office has written.
//!
//! They are told by their structure alone; no program shows them. Words in them (names of files, remarks) are read.

use std::io::Cursor;

use office_oxide::cfb::{CfbReader, EntryType};

use super::Why;
use super::file::Content;
use super::package::Budget;
use crate::limits;
use crate::text::Block;

const APPLE_DOUBLE: &[u8] = b"\0\x05\x16\x07\0\x02\0\0";
const FOLDER_SETTINGS: &[u8] = b"\0\0\0\x01Bud1";
/// Before the objects of a page, packed.
pub const PAGE_OBJECTS: &[u8] = b"ActiveMime\0";

/// Whether the file is one that macOS puts beside each file, or in each folder.
pub fn is_of_finder(bytes: &[u8]) -> bool {
    if bytes.starts_with(FOLDER_SETTINGS) {
        return true;
    }
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(|b| u32::from_be_bytes(b) as usize);
    let count = bytes.get(24..26).map_or(0, |b| usize::from(u16::from_be_bytes([b[0], b[1]])));
    // Each entry says what it is, where and how long; the first kind would be a file's own content.
    let entry = |n: usize| Some((number(26 + 12 * n)?, number(30 + 12 * n)?.checked_add(number(34 + 12 * n)?)?));
    bytes.starts_with(APPLE_DOUBLE)
        && (1..=16).contains(&count)
        && (0..count).all(|n| entry(n).is_some_and(|(kind, end)| kind > 1 && end <= bytes.len()))
}

/// What a file of Finder says.
pub fn read(bytes: &[u8]) -> Content {
    Content { blocks: words(bytes), ..Content::default() }
}

/// The objects of a page that Office has written: packed, and in a compound file.
pub fn page_objects(bytes: &[u8], budget: &mut Budget) -> Result<Content, Why> {
    let packed = bytes.get(PAGE_OBJECTS.len()..).unwrap_or_default();
    let start = (0..packed.len().min(limits::ACTIVE_MIME_HEAD))
        .find(|at| matches!(packed.get(*at..*at + 2), Some([0x78, 0x01 | 0x5e | 0x9c | 0xda])))
        .ok_or(Why::Damaged)?;
    let packed = &packed[start..];
    let inside = budget.unpack(packed.len(), flate2::read::ZlibDecoder::new(packed))?;
    Ok(Content { inner: vec![("objects of a page".to_owned(), inside)], ..Content::default() })
}

/// Whether a compound file is one that Windows puts into a folder of its own accord: the small pictures of the files in it.
pub fn is_of_folder(container: &CfbReader<Cursor<&[u8]>>) -> bool {
    let mut used = container
        .entries()
        .iter()
        .filter(|e| matches!(e.entry_type, EntryType::Stream | EntryType::Storage))
        .peekable();
    let small_picture = |name: &str| {
        let (size, hash) = name.split_once('_').unwrap_or((name, ""));
        !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit()) && hash.bytes().all(|b| b.is_ascii_hexdigit())
    };
    used.peek().is_some()
        && used.all(|e| e.entry_type == EntryType::Stream && (e.name == "Catalog" || small_picture(&e.name)))
}

/// Runs of letters, of one octet each or of two.
fn words(bytes: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let letter = |high: u8, low: u8| {
        char::from_u32(u32::from(high) << 8 | u32::from(low)).filter(|c| high < 4 && !c.is_control())
    };
    let mut at = 0;
    while at < bytes.len() {
        let mut text = String::new();
        let mut wide = at;
        while let Some(c) = bytes.get(wide..wide + 2).and_then(|pair| letter(pair[0], pair[1])) {
            text.push(c);
            wide += 2;
        }
        let end = bytes[at..].iter().position(u8::is_ascii_control).map_or(bytes.len(), |n| at + n);
        // Whichever goes on for longer: letters of two octets begin with one that is none.
        let next = if text.chars().count() >= limits::COMPANION_RUN {
            wide
        } else {
            text = crate::message::guess_text(&bytes[at..end]);
            end.max(at + 1)
        };
        if text.chars().filter(|c| c.is_alphabetic()).count() >= limits::COMPANION_RUN {
            blocks.push(Block::paragraph_at(text.trim(), "kept by a program"));
        }
        at = next;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::super::{read_file, sniff};
    use super::*;

    fn apple_double(content: &[u8], kind: u8) -> Vec<u8> {
        let mut file = APPLE_DOUBLE.to_vec();
        file.extend(b"Mac OS X        \0\x01\0\0\0");
        file.extend([kind, 0, 0, 0, 38, 0, 0, 0, content.len() as u8]);
        file.extend(content);
        file
    }

    #[test]
    fn told_by_structure() {
        let mut settings = FOLDER_SETTINGS.to_vec();
        settings.extend([0; 24]);
        "Amy Smith.docx".encode_utf16().for_each(|unit| settings.extend(unit.to_be_bytes()));
        settings.extend(b"Ilocblob\0\0\0\x10");
        for (name, bytes, unread) in [
            ("._list.txt", apple_double(b"\0\0\x01\x02", 9), false),
            (".DS_Store", settings.clone(), false),
            ("folder", settings, false),
            // The content of a file of somebody's, and an entry that leads out of the file.
            ("._list.txt", apple_double(b"\0\0\x01\x02", 1), true),
            ("._list.txt", apple_double(b"\0\0\x01\x02", 9)[..39].to_vec(), true),
            ("__MACOSX/._x", b"\0\x01\x02\x03\x04\x05\x06\x07".to_vec(), true),
            ("Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), true),
        ] {
            let reading = read_file(name, &bytes);
            assert_eq!(!reading.unread.is_empty(), unread, "{name}: {:?}", reading.unread);
            let told = matches!(sniff::format(&bytes, name, ""), sniff::Format::Companion);
            assert_eq!(told, !unread, "{name}");
        }
    }

    #[test]
    fn words_in_them_are_read() {
        let mut settings = FOLDER_SETTINGS.to_vec();
        settings.extend([0, 0, 0, 1]);
        "Zo\u{eb} Smith.docx".encode_utf16().for_each(|unit| settings.extend(unit.to_be_bytes()));
        settings.extend([0xff, 0xff]);
        settings.extend(apple_double(b"Amy Smith", 9));
        let texts: Vec<Block> = words(&settings);
        for wanted in ["Zo\u{eb} Smith.docx", "Amy Smith"] {
            let found = texts.iter().any(|b| matches!(b, Block::Paragraph { text, .. } if text.contains(wanted)));
            assert!(found, "{wanted}: {texts:?}");
        }
    }
}
