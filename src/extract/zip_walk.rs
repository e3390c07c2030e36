//! The second reading of a ZIP archive: its local headers, one after the other, against its directory.
//!
//! Programs differ in which of the two they believe, in which of several directories they take, and in what they do with
//! names that come twice. What one of them may show is read here; that they may differ is told beside it (APPNOTE 4.3).

use std::collections::HashMap;

use super::Why;
use super::package::{Budget, Member};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// What the second reading adds to the first.
#[derive(Default)]
pub struct Second {
    /// The two readings disagree, or a third is possible.
    pub contradictory: bool,
    /// Members that the directory does not name, or names otherwise.
    pub hidden: Vec<Member>,
}

struct Entry {
    name: Vec<u8>,
    method: u16,
    packed: usize,
    unpacked: usize,
    /// Of the local header.
    offset: usize,
}

struct Local {
    name: Vec<u8>,
    method: u16,
    flags: u16,
    packed: usize,
    unpacked: usize,
    data: usize,
}

/// Whether the file, whatever it begins with, ends as an archive does; `after` octets may follow, which some programs
/// pass over.
pub fn ends_as_archive(bytes: &[u8], after: usize) -> bool {
    let tail = bytes.len().saturating_sub(22 + 0xffff);
    memchr::memmem::rfind(&bytes[tail..], END)
        .map(|at| tail + at)
        .filter(|at| number16(bytes, at + 20).is_some_and(|comment| at + 22 + comment + after >= bytes.len()))
        .and_then(|at| directory(bytes, at))
        .is_some_and(|entries| !entries.is_empty())
}

/// Walks an archive that the first reading has taken for one.
pub fn read(bytes: &[u8], budget: &mut Budget) -> Second {
    let mut second = Second::default();
    let ends: Vec<(usize, Vec<Entry>)> =
        memchr::memmem::find_iter(bytes, END).filter_map(|at| Some((at, directory(bytes, at)?))).collect();
    let Some((end, entries)) = ends.last() else {
        // Members, and no directory where the end says that it is: found by one program, not by another.
        second.contradictory = memchr::memmem::find(bytes, CENTRAL).is_some();
        return second;
    };
    // Archives of more than 65,535 members or 4 GiB say so elsewhere; only the first reading reads those.
    if entries.iter().any(|e| e.packed == u32::MAX as usize || e.offset == u32::MAX as usize) {
        return second;
    }
    let mut names: HashMap<&[u8], usize> = HashMap::new();
    let mut covered: Vec<(usize, usize)> = vec![(end.saturating_sub(directory_length(bytes, *end)), bytes.len())];
    for entry in entries {
        *names.entry(&entry.name).or_default() += 1;
        let Some(local) = local(bytes, entry.offset) else {
            second.contradictory = true;
            continue;
        };
        // In the first case the sizes stand behind the data, in the second in an extra field.
        let described_later = local.flags & 8 != 0 || local.packed == u32::MAX as usize;
        let packed = if described_later { entry.packed } else { local.packed };
        covered.push((entry.offset, local.data.saturating_add(packed)));
        let sizes = described_later && matches!(local.packed, 0 | 0xffff_ffff)
            || (local.packed, local.unpacked) == (entry.packed, entry.unpacked);
        if local.name != entry.name || local.method != entry.method || !sizes {
            second.contradictory = true;
            second.hidden.push(member(bytes, &local, packed, budget));
        }
    }
    if names.values().any(|count| *count > 1) {
        second.contradictory = true;
        for entry in entries.iter().filter(|e| names[e.name.as_slice()] > 1) {
            if let Some(local) = local(bytes, entry.offset) {
                second.hidden.push(member(bytes, &local, entry.packed, budget));
            }
        }
    }
    covered.sort_unstable();
    if covered.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        second.contradictory = true;
    }
    let inside = |at: usize| covered.iter().any(|(from, to)| (*from..*to).contains(&at));
    // A directory that is neither the last one nor part of a member is one that another program may take.
    second.contradictory |= ends.iter().any(|(at, _)| at != end && !inside(*at));
    let mut from = 0;
    for (start, stop) in covered.iter().copied().chain([(bytes.len(), bytes.len())]) {
        let start = start.min(bytes.len());
        while from < start {
            let Some(at) = memchr::memmem::find(&bytes[from..start], LOCAL).map(|n| from + n) else { break };
            from = at + LOCAL.len();
            let Some(local) = local(bytes, at).filter(|l| l.data <= start) else { continue };
            second.contradictory = true;
            if budget.part().is_err() {
                return second;
            }
            let packed = if local.packed > 0 { local.packed } else { start - local.data };
            from = local.data.saturating_add(packed).clamp(from, start);
            second.hidden.push(member(bytes, &local, packed, budget));
        }
        from = from.max(stop.min(bytes.len()));
    }
    second
}

fn number16(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(|b| usize::from(u16::from_le_bytes(b)))
}

fn number32(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(|b| u32::from_le_bytes(b) as usize)
}

fn directory_length(bytes: &[u8], end: usize) -> usize {
    number32(bytes, end + 12).unwrap_or(0)
}

/// The entries of the directory that ends at `end`; nothing where there is none.
fn directory(bytes: &[u8], end: usize) -> Option<Vec<Entry>> {
    let (count, length, offset) = (number16(bytes, end + 10)?, number32(bytes, end + 12)?, number32(bytes, end + 16)?);
    let is_directory = |at: &usize| bytes.get(*at..at.saturating_add(4)) == Some(CENTRAL);
    // Octets before the archive shift all that it says of places; a longer form of the end may stand before this one.
    let (start, shift) = match end.checked_sub(length).filter(is_directory) {
        Some(start) => (start, start.checked_sub(offset)?),
        None => (Some(offset).filter(is_directory)?, 0),
    };
    let mut entries = Vec::new();
    let mut at = start;
    while at < end && bytes.get(at..at + 4)? == CENTRAL {
        let (name, extra, comment) = (number16(bytes, at + 28)?, number16(bytes, at + 30)?, number16(bytes, at + 32)?);
        entries.push(Entry {
            name: bytes.get(at + 46..at + 46 + name)?.to_vec(),
            method: number16(bytes, at + 10)? as u16,
            packed: number32(bytes, at + 20)?,
            unpacked: number32(bytes, at + 24)?,
            offset: number32(bytes, at + 42)?.checked_add(shift)?,
        });
        at += 46 + name + extra + comment;
    }
    (entries.len() == count || !entries.is_empty()).then_some(entries)
}

fn local(bytes: &[u8], at: usize) -> Option<Local> {
    if bytes.get(at..at.checked_add(4)?)? != LOCAL {
        return None;
    }
    let (name, extra) = (number16(bytes, at + 26)?, number16(bytes, at + 28)?);
    Some(Local {
        name: bytes.get(at + 30..at + 30 + name)?.to_vec(),
        flags: number16(bytes, at + 6)? as u16,
        method: number16(bytes, at + 8)? as u16,
        packed: number32(bytes, at + 18)?,
        unpacked: number32(bytes, at + 22)?,
        data: at + 30 + name + extra,
    })
}

fn member(bytes: &[u8], local: &Local, packed: usize, budget: &mut Budget) -> Member {
    let end = local.data.saturating_add(packed).min(bytes.len());
    let data = bytes.get(local.data..end).unwrap_or_default();
    let content = match (local.flags & 1, local.method) {
        (1, _) => Err(Why::Encrypted),
        (_, STORED) => budget.unpack(data.len(), data),
        (_, DEFLATED) => budget.unpack(data.len(), flate2::read::DeflateDecoder::new(data)),
        _ => Err(Why::UnknownType),
    };
    Member { name: crate::message::guess_text(&local.name).replace('\\', "/"), content }
}

#[cfg(test)]
mod tests {
    use super::super::package::tests::archive;
    use super::*;

    fn names(second: &Second) -> Vec<&str> {
        second.hidden.iter().map(|m| m.name.as_str()).collect()
    }

    #[test]
    fn an_honest_archive_has_one_reading() {
        let inner = archive(&[("list.csv", b"Amy Smith")]);
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        writer.start_file("inner.zip", stored).unwrap();
        std::io::Write::write_all(&mut writer, &inner).unwrap();
        writer.add_directory("folder", stored).unwrap();
        let outer = writer.finish().unwrap().into_inner();
        for bytes in [&inner, &outer, &[b"MZ stub".as_slice(), &inner].concat()] {
            let second = read(bytes, &mut Budget::default());
            assert!(!second.contradictory && second.hidden.is_empty(), "{:?}", names(&second));
        }
    }

    #[test]
    fn each_way_to_hide_a_member_is_seen() {
        let menu = archive(&[("menu.txt", b"Soup")]);
        let list = archive(&[("list.txt", b"Amy Smith")]);
        // Two archives one behind the other: the first one's directory is passed over by some.
        let joined = [list.as_slice(), &menu].concat();
        let second = read(&joined, &mut Budget::default());
        assert!(second.contradictory);
        assert_eq!(names(&second), ["list.txt"]);
        assert_eq!(second.hidden[0].content.as_deref(), Ok(b"Amy Smith".as_slice()));
        // A local header that names the file otherwise.
        let mut renamed = list.clone();
        renamed[30..38].copy_from_slice(b"menu.txt");
        let second = read(&renamed, &mut Budget::default());
        assert!(second.contradictory);
        assert_eq!(names(&second), ["menu.txt"]);
        // A name that comes twice.
        let mut twice = archive(&[("a.txt", b"Amy Smith"), ("b.txt", b"Soup")]);
        for at in memchr::memmem::find_iter(&twice.clone(), b"b.txt") {
            twice[at] = b'a';
        }
        let second = read(&twice, &mut Budget::default());
        assert!(second.contradictory && second.hidden.len() == 2);
        assert!(ends_as_archive(&[b"GIF89a".as_slice(), &list].concat(), 0) && !ends_as_archive(b"PK\x05\x06", 0));
    }
}
