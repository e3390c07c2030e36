//! Outlook messages ([MS-OXMSG]): a compound file with a stream for each property and a storage for each attachment.

use std::io::Cursor;

use office_oxide::cfb::CfbReader;

use super::file::Content;
use super::mapi::{Properties, id, kind};
use crate::limits;

type File<'b> = CfbReader<Cursor<&'b [u8]>>;

/// Reads the message that a compound file holds.
pub fn read(file: &mut File<'_>) -> Content {
    let mut content = Content::default();
    message(file, "", 0, &mut content);
    content
}

fn message(file: &mut File<'_>, path: &str, depth: usize, content: &mut Content) {
    const WORDS: &[u16] = &[
        id::SUBJECT,
        id::SENDER_NAME,
        id::SENDER_ADDRESS,
        id::DISPLAY_TO,
        id::DISPLAY_CC,
        id::BODY,
        id::HTML,
        id::RTF,
    ];
    properties(file, path, WORDS).message(content);
    for number in 0..limits::EXTRACT_PARTS {
        let storage = format!("{path}__attach_version1.0_#{number:08X}");
        if file.find_entry_by_path(&storage).is_none() {
            break;
        }
        let inside = format!("{storage}/");
        let attachment = properties(file, &inside, &[id::LONG_NAME, id::SHORT_NAME, id::DATA]);
        let embedded = format!("{inside}__substg1.0_3701000D/");
        if file.find_entry_by_path(embedded.trim_end_matches('/')).is_some() && depth < limits::EXTRACT_DEPTH {
            message(file, &embedded, depth + 1, content);
        } else if let Some(data) = attachment.bytes(id::DATA) {
            content.inner.push((attachment.name(), data.to_vec()));
        }
    }
}

fn properties(file: &mut File<'_>, path: &str, wanted: &[u16]) -> Properties {
    let mut found = Properties::default();
    for id in wanted {
        for kind in [kind::UNICODE, kind::ANSI, kind::BINARY] {
            if let Ok(value) = file.open_stream_by_path(&format!("{path}__substg1.0_{id:04X}{kind:04X}")) {
                found.values.push((*id, kind, value));
                break;
            }
        }
    }
    found
}
