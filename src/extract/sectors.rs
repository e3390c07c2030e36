//! Whether the sectors of a compound file ([MS-CFB]) hold together: chains that end inside the file, as long as their streams
//! and each sector in one of them alone, and a tree in which every entry of the directory hangs.
//!
//! Never knows what the streams mean, and reads none. Readers of compound files pass over a chain that leads nowhere and
//! a branch that is broken off, and show the rest as if it were all: here it is found out that there was more. What writers
//! do differently without harm (marks of tables, room behind the last stream, times) is no fault.

const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0";
/// Ends a chain of sectors; what is above marks sectors of tables, and free ones.
const END: u32 = u32::MAX - 1;
const LAST_SECTOR: u32 = u32::MAX - 6;
/// No entry.
const NONE: u32 = u32::MAX;
/// What the header names of the table of sectors itself.
const IN_HEADER: usize = 109;
const ENTRY: usize = 128;
const MINI: usize = 64;

/// Whether nothing of such a file can be lost for a reader that follows its chains.
pub fn are_sound(bytes: &[u8]) -> bool {
    Sectors::new(bytes).and_then(|mut sectors| sectors.tree()).is_some()
}

struct Sectors<'b> {
    bytes: &'b [u8],
    size: usize,
    /// The next sector of each.
    table: Vec<u32>,
    used: Vec<bool>,
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|n| u32::from_le_bytes([n[0], n[1], n[2], n[3]]))
}

impl<'b> Sectors<'b> {
    fn new(bytes: &'b [u8]) -> Option<Self> {
        if !bytes.starts_with(MAGIC) || bytes.get(32..34) != Some(&[6, 0]) {
            return None;
        }
        let size = match bytes.get(30..32)? {
            [9, 0] => 512,
            [12, 0] => 4096,
            _ => return None,
        };
        let mut sectors = Self { bytes, size, table: Vec::new(), used: vec![false; bytes.len() / size + 1] };
        let count = number(bytes, 44)? as usize;
        if count > sectors.used.len() {
            return None;
        }
        let mut places: Vec<u32> = numbers(bytes.get(76..76 + 4 * IN_HEADER)?).take(count).collect();
        let mut further = number(bytes, 68)?;
        while places.len() < count {
            sectors.take(further)?;
            let (more, next) = sectors.sector(further)?.split_at_checked(size - 4)?;
            places.extend(numbers(more).take(count - places.len()));
            further = number(next, 0)?;
        }
        for place in places {
            sectors.take(place)?;
            let sector = sectors.sector(place)?;
            sectors.table.extend(numbers(sector));
        }
        Some(sectors)
    }

    fn sector(&self, at: u32) -> Option<&'b [u8]> {
        let start = (at as usize).checked_add(1)?.checked_mul(self.size)?;
        let end = start.checked_add(self.size)?.min(self.bytes.len());
        self.bytes.get(start..end).filter(|sector| !sector.is_empty())
    }

    /// Notes that a sector is in use; none may be in two.
    fn take(&mut self, at: u32) -> Option<()> {
        let used = self.used.get_mut(at as usize)?;
        (!std::mem::replace(used, true)).then_some(())
    }

    /// The octets of a chain to its end, which has to hold as many as are `wanted`.
    fn chain(&mut self, start: u32, wanted: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut at = start;
        while at <= LAST_SECTOR {
            self.take(at)?;
            out.extend(self.sector(at)?);
            at = *self.table.get(at as usize)?;
        }
        (at == END && out.len() >= wanted).then_some(out)
    }

    /// Every stream of the tree.
    fn tree(&mut self) -> Option<()> {
        let directory = self.chain(number(self.bytes, 48)?, ENTRY)?;
        let entries: Vec<&[u8]> = directory.chunks_exact(ENTRY).collect();
        // In files of small sectors only half of the length counts.
        let length = |entry: &[u8]| number(entry, 0x78).map(|n| n as usize);
        let root = entries.first().filter(|entry| entry[0x42] == 5)?;
        let cutoff = number(self.bytes, 56)? as usize;
        let (small, small_size) = (number(root, 0x74)?, length(root)?);
        let has_small = small <= LAST_SECTOR && small_size > 0;
        let mut minis: Vec<u32> = Vec::new();
        if has_small {
            self.chain(small, small_size)?;
            minis = numbers(&self.chain(number(self.bytes, 60)?, 0)?).collect();
        }
        let mut small_used = vec![false; minis.len()];
        let mut seen = vec![false; entries.len()];
        seen[0] = true;
        let mut waiting = vec![number(root, 0x4c)?];
        while let Some(at) = waiting.pop() {
            if at == NONE {
                continue;
            }
            let entry = *entries.get(at as usize)?;
            if std::mem::replace(&mut seen[at as usize], true) {
                return None;
            }
            is_named(entry).then_some(())?;
            waiting.extend([number(entry, 0x44)?, number(entry, 0x48)?]);
            let wanted = length(entry)?;
            match entry[0x42] {
                1 => waiting.push(number(entry, 0x4c)?),
                2 if wanted == 0 => {}
                2 if wanted >= cutoff || !has_small => drop(self.chain(number(entry, 0x74)?, wanted)?),
                2 => mini_chain(&minis, &mut small_used, number(entry, 0x74)?, wanted, small_size)?,
                _ => return None,
            }
        }
        // A stream that no branch leads to is one that was lost.
        entries.iter().zip(&seen).all(|(entry, seen)| *seen || !matches!(entry[0x42], 1 | 2)).then_some(())
    }
}

/// Whether an entry's name ends where it says that it ends: one of another name is not found by who looks for it.
fn is_named(entry: &[u8]) -> bool {
    let length = usize::from(u16::from_le_bytes([entry[0x40], entry[0x41]]));
    let Some(name) = entry.get(..length).filter(|_| length <= 0x40 && length.is_multiple_of(2)) else { return false };
    let mut units = name.chunks_exact(2).map(|unit| unit == [0, 0]);
    units.next_back() == Some(true) && units.len() > 0 && !units.any(|zero| zero)
}

/// A chain in the table of small sectors, inside of the stream that holds them.
fn mini_chain(table: &[u32], used: &mut [bool], start: u32, wanted: usize, size: usize) -> Option<()> {
    let (mut at, mut count) = (start, 0usize);
    while at <= LAST_SECTOR {
        let place = at as usize;
        if std::mem::replace(used.get_mut(place)?, true) || place.checked_mul(MINI)? >= size {
            return None;
        }
        count += 1;
        at = *table.get(place)?;
    }
    (at == END && count * MINI >= wanted).then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::storage::tests::compound;
    use super::*;

    #[test]
    fn what_is_broken_off_is_told() {
        let large = vec![7u8; 100_000];
        let sound = compound(&[("Workbook", &large), ("Pool/_1/CONTENTS", b"one"), ("empty", b"")]);
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = sound.clone();
            change(&mut bytes);
            bytes
        };
        let directory = 512 + 512 * number(&sound, 48).unwrap() as usize;
        let table = 512 + 512 * number(&sound, 76).unwrap() as usize;
        for (bytes, expected, what) in [
            (sound.clone(), true, "as written"),
            (with(&|b| b.extend([0; 700])), true, "room behind the end"),
            (with(&|b| b[600] = 1), true, "another word in a stream"),
            (with(&|b| b.truncate(directory)), false, "cut before the directory"),
            (with(&|b| b.truncate(4)), false, "cut in its header"),
            (with(&|b| b.truncate(900)), false, "cut in a stream"),
            (with(&|b| drop(b.drain(900..901))), false, "an octet taken out"),
            (with(&|b| b.insert(900, 0)), false, "an octet too many"),
            (with(&|b| b[48] ^= 1), false, "the directory elsewhere"),
            (with(&|b| b[table + 8..table + 12].fill(0xff)), false, "a chain that ends in a free sector"),
            (with(&|b| b[table + 8] = 1), false, "a chain that turns back"),
            (with(&|b| b[table + 8..table + 12].copy_from_slice(&END.to_le_bytes())), false, "a chain that ends early"),
            (with(&|b| b[directory + 0x4c..][..4].fill(0xff)), false, "a tree without branches"),
            (with(&|b| b[directory + 128 + 0x48..][..4].fill(0xff)), false, "a branch broken off"),
            (with(&|b| b[directory + 128 + 0x7a] = 9), false, "a stream that claims to be longer"),
            (with(&|b| b[directory + 128 + 4..][..2].fill(0)), false, "a name with a hole"),
            (with(&|b| b[directory + 128 + 0x40] -= 2), false, "a name that is cut"),
        ] {
            assert_eq!(are_sound(&bytes), expected, "{what}");
        }
    }

    #[test]
    fn small_streams_have_a_table_of_their_own() {
        // One sector each: small streams, their table, the directory, the table of sectors.
        let name = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let entry = |text: &str, kind: u8, child: u32, start: u32, size: u32| {
            let mut entry = vec![0u8; ENTRY];
            entry[..text.len() * 2].copy_from_slice(&name(text));
            (entry[0x40], entry[0x42]) = (text.len() as u8 * 2 + 2, kind);
            for (at, value) in [(0x44, NONE), (0x48, NONE), (0x4c, child), (0x74, start), (0x78, size)] {
                entry[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            entry
        };
        let sector = |numbers: &[u32]| {
            let mut out: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            out.resize(512, 0xff);
            out
        };
        for (minis, size, expected) in [
            ([1, END], 100, true),
            ([END, END], 100, false),
            ([0, END], 100, false),
            ([1, 7], 100, false),
            ([1, END], 129, false),
        ] {
            let mut bytes = MAGIC.to_vec();
            bytes.resize(512, 0xff);
            bytes[30..34].copy_from_slice(&[9, 0, 6, 0]);
            for (at, value) in [(44, 1), (48, 2), (56, 4096), (60, 1), (68, END), (76, 3)] {
                bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
            }
            bytes.extend([b'a'; 512]);
            bytes.extend(sector(&minis));
            bytes.extend([entry("Root Entry", 5, 1, 0, 128), entry("Book", 2, NONE, 0, size)].concat());
            bytes.extend([0; 256]);
            bytes.extend(sector(&[END, END, END, u32::MAX - 2]));
            assert_eq!(are_sound(&bytes), expected, "{minis:?} {size}");
        }
    }
}
