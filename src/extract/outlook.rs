//! Outlook messages ([MS-OXMSG]): a compound file with a stream for each property and a storage for each attachment.

use std::collections::HashMap;

use super::file::Content;
use super::mapi::{Properties, id, kind};
use super::storage::{File, Walk};
use super::{Why, ole};
use crate::limits;

/// Reads the message that a compound file of `length` octets holds.
pub fn read(file: &mut File<'_>, length: usize) -> Content {
    let mut content = Content::default();
    let mut walk = Walk::new(file, length);
    if let Err(why) = message(file, 0, 0, &mut walk, &mut content) {
        content.incomplete = Some(why);
    }
    content
}

/// Reads the message in a storage; an error where so much is shared that no honest program has written it.
fn message(
    file: &mut File<'_>,
    storage: usize,
    depth: usize,
    walk: &mut Walk,
    content: &mut Content,
) -> Result<(), Why> {
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
    let own = walk.named(file.entries(), storage)?;
    properties(file, &own, WORDS, walk)?.message(content);
    // Their numbers may have gaps, where an attachment was taken out.
    let children = walk.children(file.entries(), storage);
    let names = children.iter().map(|&child| file.entries()[child].name.as_str());
    let header = if storage == 0 { 32 } else { 24 };
    if !names.into_iter().all(is_known) || !has_all(file, &own, header, walk)? {
        content.incomplete = content.incomplete.or(Some(Why::Damaged));
    }
    for child in children {
        if !file.entries()[child].name.to_ascii_lowercase().starts_with("__attach_version1.0_#") {
            continue;
        }
        let inside = walk.named(file.entries(), child)?;
        let attachment = properties(file, &inside, &[id::LONG_NAME, id::SHORT_NAME, id::DATA], walk)?;
        if !has_all(file, &inside, 8, walk)? {
            content.incomplete = content.incomplete.or(Some(Why::Damaged));
        }
        if let Some(&embedded) = inside.get("__substg1.0_3701000d") {
            if !walk.named(file.entries(), embedded)?.contains_key("__properties_version1.0") {
                ole::objects(file, vec![embedded], walk, content);
            } else if depth < limits::EXTRACT_DEPTH {
                message(file, embedded, depth + 1, walk, content)?;
            } else {
                content.incomplete = Some(Why::BeyondLimit);
            }
        } else if let Some(data) = attachment.bytes(id::DATA) {
            content.inner.push((attachment.name(), data.to_vec()));
        }
    }
    Ok(())
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
fn has_all(file: &mut File<'_>, inside: &HashMap<String, usize>, header: usize, walk: &mut Walk) -> Result<bool, Why> {
    const WANTED: &[u16] =
        &[id::SUBJECT, id::SENDER_NAME, id::BODY, id::HTML, id::RTF, id::LONG_NAME, id::SHORT_NAME, id::DATA];
    let Some(&list) = inside.get("__properties_version1.0") else { return Ok(true) };
    let list = walk.octets(file, list)?;
    let entries = list.get(header..).unwrap_or_default().chunks_exact(16).take(limits::EXTRACT_PARTS);
    Ok(entries.into_iter().all(|entry| {
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
        let stream = inside.get(&format!("__substg1.0_{id:04x}{kind:04x}")).and_then(|&at| file.entries().get(at));
        stream.is_some_and(|stream| usize::try_from(stream.stream_size).unwrap_or(usize::MAX) >= size - end)
    }))
}

fn properties(
    file: &mut File<'_>,
    inside: &HashMap<String, usize>,
    wanted: &[u16],
    walk: &mut Walk,
) -> Result<Properties, Why> {
    let mut found = Properties::default();
    for id in wanted {
        for kind in [kind::UNICODE, kind::ANSI, kind::BINARY] {
            let Some(&entry) = inside.get(&format!("__substg1.0_{id:04x}{kind:04x}")) else { continue };
            let value = walk.octets(file, entry)?;
            found.values.push((*id, kind, value));
            break;
        }
    }
    Ok(found)
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

    #[test]
    fn attachments_that_are_all_the_same_octets_are_not_all_copied() {
        let data = vec![b'x'; 8192];
        let names: Vec<String> =
            (0..20).map(|n| format!("__attach_version1.0_#{n:08X}/__substg1.0_37010102")).collect();
        for (shared, read_all) in [(false, true), (true, false)] {
            let streams: Vec<(&str, &[u8])> = names
                .iter()
                .enumerate()
                .map(|(n, name)| (name.as_str(), if shared && n > 0 { &data[..0] } else { data.as_slice() }))
                .collect();
            let mut bytes = compound(&streams);
            if shared {
                share_first_stream(&mut bytes, data.len());
            }
            let content = read(&mut File::new(Cursor::new(&bytes)).unwrap(), bytes.len());
            assert_eq!(content.inner.len() == names.len(), read_all, "{}", content.inner.len());
            assert_eq!(content.incomplete, (!read_all).then_some(Why::Damaged));
        }
    }

    /// Every stream is the first one that is not empty.
    fn share_first_stream(bytes: &mut [u8], size: usize) {
        let name: Vec<u8> = "__substg1.0_37010102".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let places: Vec<usize> = memchr::memmem::find_iter(bytes, &name).collect();
        let size = (size as u32).to_le_bytes();
        let full = places.iter().find(|&&at| bytes[at + 0x78..at + 0x7c] == size).copied().unwrap();
        let start: [u8; 4] = bytes[full + 0x74..full + 0x78].try_into().unwrap();
        for at in places {
            bytes[at + 0x74..at + 0x78].copy_from_slice(&start);
            bytes[at + 0x78..at + 0x7c].copy_from_slice(&size);
        }
    }
}
