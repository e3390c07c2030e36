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
const WIDE_END: &[u8] = b"PK\x06\x06";
const WIDE_LOCATOR: &[u8] = b"PK\x06\x07";

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// In place of a number that stands elsewhere, since it may be longer.
const ELSEWHERE: usize = u32::MAX as usize;

/// What the second reading adds to the first.
#[derive(Default)]
pub struct Second {
    /// The two readings disagree, or a third is possible.
    pub contradictory: bool,
    /// Members that the directory does not name, or names otherwise.
    pub hidden: Vec<Member>,
    /// How many members the directory names, where there is one.
    pub named: Option<usize>,
    /// What stands behind the end of the directory: the archive's comment, and whatever follows.
    pub behind: Vec<u8>,
}

struct Directory {
    start: usize,
    entries: Vec<Entry>,
    /// Its two ends, the short and the long one, tell different stories.
    contradictory: bool,
}

struct Entry {
    name: Vec<u8>,
    second_name: Option<Vec<u8>>,
    flags: u16,
    method: u16,
    packed: usize,
    unpacked: usize,
    /// Of the local header.
    offset: usize,
}

struct Local {
    name: Vec<u8>,
    second_name: Option<Vec<u8>>,
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
        .and_then(|at| directory(bytes, at, &mut bytes.len()))
        .is_some_and(|directory| !directory.entries.is_empty())
}

/// Walks an archive that the first reading has taken for one.
pub fn read(bytes: &[u8], budget: &mut Budget) -> Second {
    let mut second = Second::default();
    // Directories that stand apart have no more entries together than fit into the file; those that share theirs are looked at
    // as long as that lasts.
    let mut entries_left = bytes.len() / 46 * 2 + 1;
    let mut last: Option<(usize, Directory)> = None;
    let mut others: Vec<usize> = Vec::new();
    for end in memchr::memmem::rfind_iter(bytes, END) {
        match (directory(bytes, end, &mut entries_left), &last) {
            (Some(_), Some(_)) => others.push(end),
            (Some(directory), None) => last = Some((end, directory)),
            (None, _) => {}
        }
        if entries_left == 0 {
            second.contradictory = true;
            break;
        }
    }
    let Some((end, Directory { start, entries, contradictory })) = last else {
        // Members, and no directory where the end says that it is: found by one program, not by another.
        second.contradictory |= memchr::memmem::find(bytes, CENTRAL).is_some();
        return second;
    };
    second.contradictory |= contradictory;
    second.named = Some(entries.len());
    second.behind = bytes.get(end + 22..).unwrap_or_default().to_vec();
    let mut names: HashMap<&[u8], usize> = HashMap::new();
    let mut covered: Vec<(usize, usize)> = vec![(start, bytes.len())];
    for entry in &entries {
        *names.entry(&entry.name).or_default() += 1;
        let Some(local) = local(bytes, entry.offset) else {
            second.contradictory = true;
            continue;
        };
        // Who writes without turning back puts the sizes behind the data.
        let described_later = local.flags & 8 != 0;
        let packed = if described_later { entry.packed } else { local.packed };
        covered.push((entry.offset, local.data.saturating_add(packed)));
        let agrees = |here: usize, there: usize| here == there || described_later && matches!(here, 0 | ELSEWHERE);
        let sizes = agrees(local.packed, entry.packed) && agrees(local.unpacked, entry.unpacked);
        let sealed = local.flags & 1 == entry.flags & 1;
        // A second name, for programs that know of it (APPNOTE 4.6.9); not all write it in both places.
        let second_name =
            local.second_name.is_none() || entry.second_name.is_none() || local.second_name == entry.second_name;
        if local.name != entry.name || local.method != entry.method || !sizes || !sealed || !second_name {
            second.contradictory = true;
            if budget.part().is_err() {
                return second;
            }
            second.hidden.push(member(bytes, &local, packed, budget));
        }
    }
    if names.values().any(|count| *count > 1) {
        second.contradictory = true;
        for entry in entries.iter().filter(|e| names[e.name.as_slice()] > 1) {
            if let Some(local) = local(bytes, entry.offset) {
                if budget.part().is_err() {
                    return second;
                }
                second.hidden.push(member(bytes, &local, entry.packed, budget));
            }
        }
    }
    covered.sort_unstable();
    if covered.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        second.contradictory = true;
    }
    // The furthest that anything reaches which begins no later.
    let reach: Vec<usize> = covered
        .iter()
        .scan(0, |reach, (_, to)| {
            *reach = (*reach).max(*to);
            Some(*reach)
        })
        .collect();
    let inside = |at: usize| {
        let before = covered.partition_point(|(from, _)| *from <= at);
        before.checked_sub(1).and_then(|last| reach.get(last)).is_some_and(|reach| at < *reach)
    };
    // A directory that is neither the last one nor part of a member is one that another program may take.
    second.contradictory |= others.iter().any(|at| !inside(*at));
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

fn number64(bytes: &[u8], at: usize) -> Option<usize> {
    let number: [u8; 8] = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
    usize::try_from(u64::from_le_bytes(number)).ok()
}

/// The long end of a directory (APPNOTE 4.3.14), which stands before the short one and the note of where it is.
fn wide_end(bytes: &[u8], end: usize) -> Option<usize> {
    let locator = end.checked_sub(20)?;
    if bytes.get(locator..locator + 4)? != WIDE_LOCATOR {
        return None;
    }
    // Octets before the archive shift what the note says; without a field of its own the long end has 56.
    let places = [number64(bytes, locator + 8), locator.checked_sub(56)];
    places.into_iter().flatten().find(|at| *at < locator && bytes[*at..].starts_with(WIDE_END))
}

/// The directory that ends at `end`; nothing where there is none, or where it has more entries than are `left` to look at.
fn directory(bytes: &[u8], end: usize, left: &mut usize) -> Option<Directory> {
    let short = (number16(bytes, end + 10)?, number32(bytes, end + 12)?, number32(bytes, end + 16)?);
    let wide = wide_end(bytes, end);
    let (count, length, offset) = match wide {
        Some(at) => (number64(bytes, at + 32)?, number64(bytes, at + 40)?, number64(bytes, at + 48)?),
        None => short,
    };
    // Some programs read the short end only, where it says something.
    let differs = |said: usize, nothing: usize, long: usize| said != nothing && said != long;
    let contradictory = differs(short.0, usize::from(u16::MAX), count)
        || differs(short.1, ELSEWHERE, length)
        || differs(short.2, ELSEWHERE, offset);
    let end = wide.unwrap_or(end);
    let is_directory = |at: &usize| bytes.get(*at..at.saturating_add(4)) == Some(CENTRAL);
    // Octets before the archive shift all that it says of places; a longer form of the end may stand before this one.
    let (start, shift) = match end.checked_sub(length).filter(is_directory) {
        Some(start) => (start, start.checked_sub(offset)?),
        None => (Some(offset).filter(is_directory)?, 0),
    };
    let mut entries = Vec::new();
    let mut at = start;
    while at < end && bytes.get(at..at + 4)? == CENTRAL {
        *left = left.checked_sub(1)?;
        let (name, extra, comment) = (number16(bytes, at + 28)?, number16(bytes, at + 30)?, number16(bytes, at + 32)?);
        let field = bytes.get(at + 46 + name..at + 46 + name + extra)?;
        let [unpacked, packed, offset] =
            wide_numbers(field, [number32(bytes, at + 24)?, number32(bytes, at + 20)?, number32(bytes, at + 42)?]);
        entries.push(Entry {
            name: bytes.get(at + 46..at + 46 + name)?.to_vec(),
            second_name: second_name(field),
            flags: number16(bytes, at + 8)? as u16,
            method: number16(bytes, at + 10)? as u16,
            packed,
            unpacked,
            offset: offset.checked_add(shift)?,
        });
        at += 46 + name + extra + comment;
    }
    (entries.len() == count || !entries.is_empty()).then_some(Directory { start, entries, contradictory })
}

/// Numbers that stand in the extra field of an entry (APPNOTE 4.5.3) in place of those that say so, in their order.
fn wide_numbers<const N: usize>(extra: &[u8], short: [usize; N]) -> [usize; N] {
    let Some(field) = extra_field(extra, 1) else { return short };
    let mut from = 0;
    short.map(|number| {
        if number != ELSEWHERE {
            return number;
        }
        let wide = number64(field, from).unwrap_or(number);
        from += 8;
        wide
    })
}

/// The name in Unicode that an extra field gives beside that of the header, behind a version and a check of that one.
fn second_name(extra: &[u8]) -> Option<Vec<u8>> {
    extra_field(extra, 0x7075)?.get(5..).map(<[u8]>::to_vec)
}

/// What stands in the extra field under a number.
fn extra_field(extra: &[u8], wanted: usize) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        let (kind, length) = (number16(extra, at)?, number16(extra, at + 2)?);
        let field = extra.get(at + 4..at + 4 + length)?;
        if kind == wanted {
            return Some(field);
        }
        at += 4 + length;
    }
}

fn local(bytes: &[u8], at: usize) -> Option<Local> {
    if bytes.get(at..at.checked_add(4)?)? != LOCAL {
        return None;
    }
    let (name, extra) = (number16(bytes, at + 26)?, number16(bytes, at + 28)?);
    let field = bytes.get(at + 30 + name..at + 30 + name + extra)?;
    let [unpacked, packed] = wide_numbers(field, [number32(bytes, at + 22)?, number32(bytes, at + 18)?]);
    Some(Local {
        name: bytes.get(at + 30..at + 30 + name)?.to_vec(),
        second_name: second_name(field),
        flags: number16(bytes, at + 6)? as u16,
        method: number16(bytes, at + 8)? as u16,
        packed,
        unpacked,
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

    /// The same archive with the long end before the short one, which then says nothing.
    fn with_wide_end(bytes: &[u8]) -> Vec<u8> {
        let end = memchr::memmem::rfind(bytes, END).unwrap();
        let (count, length, offset) = (
            number16(bytes, end + 10).unwrap(),
            number32(bytes, end + 12).unwrap(),
            number32(bytes, end + 16).unwrap(),
        );
        let mut out = bytes[..end].to_vec();
        out.extend(WIDE_END);
        out.extend(44u64.to_le_bytes());
        out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        [count, count, length, offset].iter().for_each(|n| out.extend((*n as u64).to_le_bytes()));
        out.extend(WIDE_LOCATOR);
        out.extend([0; 4]);
        out.extend((end as u64).to_le_bytes());
        out.extend(1u32.to_le_bytes());
        out.extend(END);
        out.extend([0, 0, 0, 0]);
        out.extend([0xff; 12]);
        out.extend([0, 0]);
        out
    }

    #[test]
    fn long_ends_and_sizes_behind_the_data() {
        let list = archive(&[("list.txt", b"Amy Smith")]);
        let wide = with_wide_end(&list);
        let second = read(&wide, &mut Budget::default());
        assert!(!second.contradictory && second.hidden.is_empty() && second.named == Some(1), "{:?}", names(&second));
        // Two archives with long ends: the first one's member is named by no directory that counts.
        let joined = [wide.as_slice(), &with_wide_end(&archive(&[("menu.txt", b"Soup")]))].concat();
        let second = read(&joined, &mut Budget::default());
        assert!(second.contradictory);
        assert_eq!(names(&second), ["list.txt"]);
        // The short end says something else than the long one.
        let mut two = wide.clone();
        let end = two.len() - 22;
        two[end + 10] = 2;
        two[end + 11] = 0;
        assert!(read(&two, &mut Budget::default()).contradictory);
        // Streamed: nothing in the local header, sizes of eight octets behind the data.
        let mut streamed = list.clone();
        streamed[6] |= 8;
        streamed[18..26].fill(0xff);
        let central = memchr::memmem::find(&streamed, CENTRAL).unwrap();
        streamed[central + 8] |= 8;
        let mut sizes = b"PK\x07\x08".to_vec();
        sizes.extend(&list[14..18]);
        [18, 22].iter().for_each(|at| sizes.extend((number32(&list, *at).unwrap() as u64).to_le_bytes()));
        streamed.splice(central..central, sizes.clone());
        let end = streamed.len() - 22;
        let moved = (number32(&list, list.len() - 22 + 16).unwrap() + sizes.len()) as u32;
        streamed[end + 16..end + 20].copy_from_slice(&moved.to_le_bytes());
        let second = read(&streamed, &mut Budget::default());
        assert!(!second.contradictory && second.hidden.is_empty(), "{:?}", names(&second));
        let package = super::super::package::read(&streamed, &mut Budget::default(), &[]).unwrap();
        assert!(!package.contradictory);
        assert_eq!(package.members[0].content.as_deref(), Ok(b"Amy Smith".as_slice()));
        // A second name that differs in the two places, or stands in one of them.
        let named = |local: &str, central: &str| {
            let field = |name: &str| {
                let rest = [&[1, 0, 0, 0, 0], name.as_bytes()].concat();
                [b"\x75\x70".as_slice(), &(rest.len() as u16).to_le_bytes(), &rest].concat()
            };
            let at = memchr::memmem::find(&list, CENTRAL).unwrap();
            let (mut header, mut directory) = (list[..at].to_vec(), list[at..list.len() - 22].to_vec());
            for (bytes, length, from, name) in [(&mut header, 28, 38, local), (&mut directory, 30, 54, central)] {
                if !name.is_empty() {
                    let more = field(name);
                    bytes[length..length + 2].copy_from_slice(&(more.len() as u16).to_le_bytes());
                    bytes.splice(from..from, more);
                }
            }
            let mut end = list[list.len() - 22..].to_vec();
            end[12..16].copy_from_slice(&(directory.len() as u32).to_le_bytes());
            end[16..20].copy_from_slice(&(header.len() as u32).to_le_bytes());
            read(&[header, directory, end].concat(), &mut Budget::default()).contradictory
        };
        for (local, central, differ) in [("a.txt", "a.txt", false), ("", "a.txt", false), ("a.txt", "b.txt", true)] {
            assert_eq!(named(local, central), differ, "{local} {central}");
        }
        // Sealed in one place, open in the other.
        let mut sealed = list.clone();
        sealed[6] |= 1;
        assert!(read(&sealed, &mut Budget::default()).contradictory);
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

    #[test]
    fn directories_that_share_their_entries_are_looked_at_once() {
        let names: Vec<String> = (0..2_000).map(|n| format!("{n}.txt")).collect();
        let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
        let mut bytes = archive(&members);
        let end = bytes[bytes.len() - 22..].to_vec();
        (0..20_000).for_each(|_| bytes.extend(&end));
        let mut budget = Budget { parts: 10_000, ..Budget::default() };
        let second = read(&bytes, &mut budget);
        assert!(second.contradictory);
        assert!(second.hidden.len() <= 10_000);
        // An archive of archives, each with a directory of its own, is none of that.
        let inner: Vec<Vec<u8>> = (0..200).map(|_| archive(&[("a.txt", b"x")])).collect();
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (n, inner) in inner.iter().enumerate() {
            writer.start_file(format!("{n}.zip"), stored).unwrap();
            std::io::Write::write_all(&mut writer, inner).unwrap();
        }
        let outer = writer.finish().unwrap().into_inner();
        assert!(!read(&outer, &mut Budget::default()).contradictory);
        let empty = archive(&[]);
        assert!(!read(&empty, &mut Budget::default()).contradictory);
    }
}
