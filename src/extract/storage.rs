//! The tree of an OLE compound file ([MS-CFB]): what stands in a storage, and a storage written out as a file of its own.
//!
//! Never knows what the streams mean. Each entry of the directory is visited once, whatever shape its author gave the
//! tree, and no more is copied out of a file than a file that shares nothing can hold.

use std::collections::{HashMap, HashSet};
use std::io::Cursor;

use office_oxide::cfb::{CfbReader, DirEntry, EntryType};

use super::Why;

/// A compound file that is open.
pub type File<'b> = CfbReader<Cursor<&'b [u8]>>;

/// Where a chain of sectors or siblings ends; also an entry that is none.
const NONE: u32 = u32::MAX;
/// Ends a chain of sectors.
const END: u32 = u32::MAX - 1;
/// A sector that holds part of the table of sectors, and of the table of that table.
const TABLE: u32 = u32::MAX - 2;
const TABLE_OF_TABLE: u32 = u32::MAX - 3;
const SECTOR: usize = 512;
/// An entry of the directory.
const ENTRY: usize = 128;
/// What the header names of the table of sectors itself.
const IN_HEADER: usize = 109;

/// The entries of a file that were not yet visited, and the octets that may still be copied out of it.
pub struct Walk {
    seen: Vec<bool>,
    left: usize,
    /// Of the whole file.
    length: usize,
}

impl Walk {
    /// The whole of a file of `length` octets.
    pub fn new(file: &File<'_>, length: usize) -> Self {
        // The smallest stream takes 64 octets and an entry of 128 there, and a sector and the same entry here.
        Self { seen: vec![false; file.entries().len()], left: length.saturating_mul(4), length }
    }

    /// The entries in a storage, as far as they were not visited before.
    pub fn children(&mut self, entries: &[DirEntry], storage: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut waiting = vec![entries.get(storage).map_or(NONE, |entry| entry.child)];
        while let Some(at) = waiting.pop() {
            let at = at as usize;
            if self.seen.get(at).is_none_or(|seen| *seen) {
                continue;
            }
            self.seen[at] = true;
            if matches!(entries[at].entry_type, EntryType::Stream | EntryType::Storage) {
                found.push(at);
            }
            waiting.extend([entries[at].right_sibling, entries[at].left_sibling]);
        }
        found
    }

    /// A stream's octets.
    pub fn stream(&mut self, file: &mut File<'_>, entry: usize) -> Result<Vec<u8>, Why> {
        let size = file.entries().get(entry).map_or(0, |e| e.stream_size);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.left = self.left.checked_sub(size.max(1)).ok_or(Why::Damaged)?;
        let octets = file.read_stream_by_index(entry).map_err(|_| Why::Damaged)?;
        if octets.len() < size { Err(Why::Damaged) } else { Ok(octets) }
    }

    /// What stands in a storage, by its name in lower case; it does not count as visited. An honest file has each entry in one
    /// storage, so that looking costs what is left to be copied.
    pub fn named(&mut self, entries: &[DirEntry], storage: usize) -> Result<HashMap<String, usize>, Why> {
        let mut found = HashMap::new();
        let mut met = HashSet::new();
        let mut waiting = vec![entries.get(storage).map_or(NONE, |entry| entry.child)];
        while let Some(at) = waiting.pop() {
            let at = at as usize;
            let Some(entry) = entries.get(at).filter(|_| met.insert(at)) else { continue };
            self.left = self.left.checked_sub(ENTRY).ok_or(Why::Damaged)?;
            if matches!(entry.entry_type, EntryType::Stream | EntryType::Storage) {
                found.entry(entry.name.to_ascii_lowercase()).or_insert(at);
            }
            waiting.extend([entry.right_sibling, entry.left_sibling]);
        }
        Ok(found)
    }

    /// As many of a stream's octets as are there.
    pub fn octets(&mut self, file: &mut File<'_>, entry: usize) -> Result<Vec<u8>, Why> {
        let size = file.entries().get(entry).map_or(0, |e| e.stream_size);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        // A size may lie; what is copied is no longer than the file.
        self.left = self.left.checked_sub(size.min(self.length).max(1)).ok_or(Why::Damaged)?;
        file.read_stream_by_index(entry).map_err(|_| Why::Damaged)
    }

    /// What stands in a storage, whose `children` were looked up, as a file of its own. A stream that is cut short stays
    /// cut short.
    pub fn copy(&mut self, file: &mut File<'_>, children: &[usize]) -> Result<Vec<u8>, Why> {
        let mut nodes = vec![Node { name: "Root Entry".to_owned(), storage: true, ..Node::default() }];
        let mut waiting: Vec<(usize, usize)> = children.iter().rev().map(|child| (0, *child)).collect();
        while let Some((parent, entry)) = waiting.pop() {
            let found = &file.entries()[entry];
            let (name, storage) = (found.name.clone(), found.entry_type == EntryType::Storage);
            let mut node = Node { name, storage, ..Node::default() };
            if storage {
                let number = nodes.len();
                waiting.extend(self.children(file.entries(), entry).into_iter().rev().map(|child| (number, child)));
            } else {
                let size = file.entries()[entry].stream_size;
                let size = usize::try_from(size).unwrap_or(usize::MAX).max(1).checked_next_multiple_of(SECTOR);
                self.left = size.and_then(|size| self.left.checked_sub(size)).ok_or(Why::Damaged)?;
                node.content = file.read_stream_by_index(entry).map_err(|_| Why::Damaged)?;
                node.size = file.entries()[entry].stream_size;
            }
            nodes.push(node);
            let number = nodes.len() - 1;
            nodes[parent].children.push(number);
        }
        Ok(written(&nodes))
    }
}

/// A storage or a stream of a file to be written.
#[derive(Default)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// A storage; a stream otherwise.
    pub storage: bool,
    /// A stream's octets.
    pub content: Vec<u8>,
    /// A stream's length as its entry tells it.
    pub size: u64,
    /// Of a storage, by number.
    pub children: Vec<usize>,
}

/// A compound file of these, the first of them its root. Streams of any length stand in sectors of their own, which
/// readers take where a file has no stream of small ones.
pub fn written(nodes: &[Node]) -> Vec<u8> {
    let mut body: Vec<u8> = Vec::new();
    let mut table: Vec<u32> = Vec::new();
    let mut starts = Vec::new();
    for node in nodes {
        starts.push(if node.content.is_empty() { END } else { table.len() as u32 });
        append(&node.content, &mut body, &mut table);
    }
    let mut next = vec![NONE; nodes.len()];
    let mut first = vec![NONE; nodes.len()];
    for (number, node) in nodes.iter().enumerate() {
        first[number] = node.children.first().map_or(NONE, |child| *child as u32);
        node.children.windows(2).for_each(|pair| next[pair[0]] = pair[1] as u32);
    }
    let mut directory = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let mut entry = [0u8; 128];
        let name: Vec<u8> = node.name.encode_utf16().take(31).flat_map(u16::to_le_bytes).collect();
        entry[..name.len()].copy_from_slice(&name);
        entry[0x40] = name.len() as u8 + 2;
        entry[0x42] = if number == 0 { 5 } else { 2 - u8::from(node.storage) };
        entry[0x43] = 1;
        for (at, value) in [(0x44, NONE), (0x48, next[number]), (0x4c, first[number]), (0x74, starts[number])] {
            entry[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        entry[0x78..0x80].copy_from_slice(&node.size.to_le_bytes());
        directory.extend(entry);
    }
    let directory_at = table.len() as u32;
    append(&directory, &mut body, &mut table);
    finish(body, table, directory_at)
}

fn append(content: &[u8], body: &mut Vec<u8>, table: &mut Vec<u32>) {
    body.extend(content);
    body.resize(body.len().next_multiple_of(SECTOR), 0);
    let sectors = content.len().div_ceil(SECTOR);
    let from = table.len() as u32;
    table.extend((1..=sectors as u32).map(|number| if number as usize == sectors { END } else { from + number }));
}

/// The table of sectors, the table of that table, and the header before all.
fn finish(mut body: Vec<u8>, mut table: Vec<u32>, directory_at: u32) -> Vec<u8> {
    let numbers = SECTOR / 4;
    let (mut of_table, mut beyond) = (0usize, 0usize);
    // Both tables have room for themselves too.
    while of_table * numbers < table.len() + of_table + beyond {
        of_table += 1;
        beyond = of_table.saturating_sub(IN_HEADER).div_ceil(numbers - 1);
    }
    let table_at = table.len();
    table.extend(std::iter::repeat_n(TABLE, of_table));
    table.extend(std::iter::repeat_n(TABLE_OF_TABLE, beyond));
    table.resize(of_table * numbers, NONE);
    body.extend(table.iter().flat_map(|number| number.to_le_bytes()));
    let places: Vec<u32> = (table_at..table_at + of_table).map(|at| at as u32).collect();
    let (near, far) = places.split_at(places.len().min(IN_HEADER));
    for (number, some) in far.chunks(numbers - 1).enumerate() {
        let last = number + 1 == beyond;
        let next = if last { END } else { (table_at + of_table + number + 1) as u32 };
        let filled = some.iter().copied().chain(std::iter::repeat_n(NONE, numbers - 1 - some.len())).chain([next]);
        body.extend(filled.flat_map(u32::to_le_bytes));
    }
    let mut out = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    out.resize(24, 0);
    for field in [0x3eu16, 3, 0xfffe, 9, 6] {
        out.extend(field.to_le_bytes());
    }
    out.resize(44, 0);
    let beyond_at = if beyond == 0 { END } else { (table_at + of_table) as u32 };
    for field in [of_table as u32, directory_at, 0, 4096, END, 0, beyond_at, beyond as u32] {
        out.extend(field.to_le_bytes());
    }
    out.extend(
        near.iter().copied().chain(std::iter::repeat_n(NONE, IN_HEADER - near.len())).flat_map(u32::to_le_bytes),
    );
    out.extend(body);
    out
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A compound file of streams, named with the storages that hold them: `ObjectPool/_1/CONTENTS`.
    pub fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
        let mut nodes = vec![Node { name: "Root Entry".to_owned(), storage: true, ..Node::default() }];
        for (path, content) in streams {
            let mut parent = 0;
            let parts: Vec<&str> = path.split('/').collect();
            for (number, part) in parts.iter().enumerate() {
                let last = number + 1 == parts.len();
                let found = nodes[parent].children.iter().copied().find(|child| nodes[*child].name == *part);
                parent = found.unwrap_or_else(|| {
                    let content = if last { content.to_vec() } else { Vec::new() };
                    let size = content.len() as u64;
                    nodes.push(Node { name: (*part).to_owned(), storage: !last, content, size, ..Node::default() });
                    let number = nodes.len() - 1;
                    nodes[parent].children.push(number);
                    number
                });
            }
        }
        written(&nodes)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let large = vec![7u8; 8 << 20];
        let bytes = compound(&[("a", b"one"), ("Pool/_1/large", &large), ("Pool/_1/inner/b", b"two"), ("c", b"")]);
        let mut file = File::new(Cursor::new(&bytes)).unwrap();
        let mut walk = Walk::new(&file, bytes.len());
        let storage = file.find_entry_by_path("Pool/_1").unwrap();
        let children = walk.children(file.entries(), storage);
        let copy = walk.copy(&mut file, &children).unwrap();
        let mut copied = File::new(Cursor::new(&copy)).unwrap();
        assert!(copied.open_stream("large").unwrap() == large);
        assert_eq!(copied.open_stream_by_path("inner/b").unwrap(), b"two");
        assert_eq!(file.open_stream("a").unwrap(), b"one");
        // Once visited, a storage is empty: trees that share their branches come to an end.
        assert!(walk.children(file.entries(), storage).is_empty());
    }

    #[test]
    fn no_more_is_copied_than_can_stand_in_a_file() {
        let streams: Vec<(String, Vec<u8>)> = (0..64).map(|n| (format!("s{n}"), vec![0; 4096])).collect();
        let streams: Vec<(&str, &[u8])> = streams.iter().map(|(n, c)| (n.as_str(), c.as_slice())).collect();
        let bytes = compound(&streams);
        let mut file = File::new(Cursor::new(&bytes)).unwrap();
        for (length, whole) in [(bytes.len(), true), (bytes.len() / 8, false)] {
            let mut walk = Walk::new(&file, length);
            let children = walk.children(file.entries(), 0);
            assert_eq!(children.len(), 64);
            assert_eq!(walk.copy(&mut file, &children).is_ok(), whole);
        }
    }
}
