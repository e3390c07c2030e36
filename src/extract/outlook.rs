//! Outlook messages ([MS-OXMSG]): a compound file with a stream for each property and a storage for each attachment.

use super::file::Content;
use super::mapi::{Properties, id, kind};
use super::storage::{File, Walk};
use super::{Why, ole};
use crate::limits;

/// Reads the message that a compound file of `length` octets holds.
pub fn read(file: &mut File<'_>, length: usize) -> Content {
    let mut content = Content::default();
    let mut walk = Walk::new(file, length);
    message(file, "", 0, &mut walk, &mut content);
    content
}

fn message(file: &mut File<'_>, path: &str, depth: usize, walk: &mut Walk, content: &mut Content) {
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
    // Their numbers may have gaps, where an attachment was taken out.
    let own = if path.is_empty() { Some(0) } else { file.find_entry_by_path(path.trim_end_matches('/')) };
    let children = walk.children(file.entries(), own.unwrap_or_default());
    let names: Vec<String> = children.into_iter().map(|child| file.entries()[child].name.clone()).collect();
    if names.iter().any(|name| !is_known(name)) || !has_all(file, path, if path.is_empty() { 32 } else { 24 }) {
        content.incomplete = content.incomplete.or(Some(Why::Damaged));
    }
    for name in names.iter().filter(|name| name.to_ascii_lowercase().starts_with("__attach_version1.0_#")) {
        let inside = format!("{path}{name}/");
        let attachment = properties(file, &inside, &[id::LONG_NAME, id::SHORT_NAME, id::DATA]);
        if !has_all(file, &inside, 8) {
            content.incomplete = content.incomplete.or(Some(Why::Damaged));
        }
        let embedded = format!("{inside}__substg1.0_3701000D");
        if let Some(storage) = file.find_entry_by_path(&embedded) {
            if file.find_entry_by_path(&format!("{embedded}/__properties_version1.0")).is_none() {
                ole::objects(file, vec![storage], walk, content);
            } else if depth < limits::EXTRACT_DEPTH {
                message(file, &format!("{embedded}/"), depth + 1, walk, content);
            } else {
                content.incomplete = Some(Why::BeyondLimit);
            }
        } else if let Some(data) = attachment.bytes(id::DATA) {
            content.inner.push((attachment.name(), data.to_vec()));
        }
    }
}

/// Whether an entry of a message has a name that one may have, where it is Outlook's at all ([MS-OXMSG] 2.2).
fn is_known(name: &str) -> bool {
    const KNOWN: &[&str] =
        &["__attach_version1.0_#", "__recip_version1.0_#", "__nameid_version1.0", "__properties_version1.0"];
    let lower = name.to_ascii_lowercase();
    let hex = |text: &str| text.len() >= 8 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    !lower.starts_with("__")
        || KNOWN.iter().any(|known| lower.starts_with(known))
        || lower.strip_prefix("__substg1.0_").is_some_and(hex)
}

/// Whether each property that carries words or a file, as the list behind so many octets of `header` names it, has a stream
/// as long as it is said to be ([MS-OXMSG] 2.4.2).
fn has_all(file: &mut File<'_>, path: &str, header: usize) -> bool {
    const WANTED: &[u16] =
        &[id::SUBJECT, id::SENDER_NAME, id::BODY, id::HTML, id::RTF, id::LONG_NAME, id::SHORT_NAME, id::DATA];
    let Ok(list) = file.open_stream_by_path(&format!("{path}__properties_version1.0")) else { return true };
    list.get(header..).unwrap_or_default().chunks_exact(16).take(limits::EXTRACT_PARTS).all(|entry| {
        let number = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
        let (kind, id) = (number(0), number(2));
        let size = usize::from(number(8)) | usize::from(number(10)) << 16;
        // Texts are counted with their end, which their streams do not have.
        let end = match kind {
            kind::UNICODE => 2,
            kind::ANSI => 1,
            kind::BINARY => 0,
            _ => return true,
        };
        if !WANTED.contains(&id) || size <= end {
            return true;
        }
        let stream = file.find_entry_by_path(&format!("{path}__substg1.0_{id:04X}{kind:04X}"));
        stream
            .and_then(|at| file.entries().get(at))
            .is_some_and(|stream| usize::try_from(stream.stream_size).unwrap_or(usize::MAX) >= size - end)
    })
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::ole::tests::{packaged, stream};
    use super::super::storage::tests::compound;
    use super::*;

    #[test]
    fn attachments_with_gaps_and_objects() {
        let package = stream(&packaged("list.csv", b"Amy"));
        let deep = "__attach_version1.0_#00000000/__substg1.0_3701000D/".repeat(limits::EXTRACT_DEPTH + 1);
        for (streams, inner, incomplete) in [
            (vec![("__attach_version1.0_#00000002/__substg1.0_37010102".to_owned(), b"Amy".as_slice())], 1, None),
            (
                vec![("__attach_version1.0_#00000000/__substg1.0_3701000D/\u{1}Ole10Native".to_owned(), &package)],
                1,
                None,
            ),
            (
                (0..=limits::EXTRACT_DEPTH)
                    .map(|depth| {
                        let path = &deep[..deep.len() / (limits::EXTRACT_DEPTH + 1) * (depth + 1)];
                        (format!("{path}__properties_version1.0"), b"x".as_slice())
                    })
                    .collect(),
                0,
                Some(Why::BeyondLimit),
            ),
        ] {
            let streams: Vec<(&str, &[u8])> = streams.iter().map(|(path, octets)| (path.as_str(), *octets)).collect();
            let bytes = compound(&streams);
            let content = read(&mut File::new(Cursor::new(&bytes)).unwrap(), bytes.len());
            assert_eq!((content.inner.len(), content.incomplete), (inner, incomplete), "{streams:?}");
        }
    }
}
