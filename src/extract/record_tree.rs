//! Whether the records of Word 97, Excel 97 and PowerPoint 97 files ([MS-DOC], [MS-XLS], [MS-PPT]) hold together, so that
//! a reader which walks them has met every text.
//!
//! Never knows the texts. A reader that meets a record of a wrong length walks on among letters and numbers as if they were
//! records, or stops; both look like a file that says little.

/// Of [MS-XLS] 2.3.
const BEGINNINGS: &[u16] = &[0x0009, 0x0209, 0x0409, 0x0809];
const EOF: u16 = 0x000a;
const CONTINUE: u16 = 0x003c;
const SHEET: u16 = 0x0085;
const STRINGS: u16 = 0x00fc;
const STRING_CELL: u16 = 0x00fd;
/// Of [MS-PPT] 2.3.1: version of a record that holds others.
const CONTAINER: u16 = 0xf;
/// The first version of [MS-DOC] 2.5.2 that has the table which is looked at here.
const WORD_97: u16 = 0x00c1;
/// Places in the header of a Word document ([MS-DOC] 2.5.1): lengths of its texts, and its table of pieces.
const LENGTHS: &[usize] = &[76, 80, 84, 92, 96, 100, 104];
const PIECES: usize = 418;

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

fn number32(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(|b| u32::from_le_bytes(b) as usize)
}

/// A stream of Excel's: every sheet begins where the list of sheets says, each record ends inside, every string is there.
pub fn workbook_is_sound(stream: &[u8]) -> bool {
    workbook(stream).is_some()
}

fn workbook(stream: &[u8]) -> Option<()> {
    let (mut at, mut depth) = (0usize, 0usize);
    let (mut begun, mut listed) = (Vec::new(), Vec::new());
    let mut strings: Vec<&[u8]> = Vec::new();
    let (mut in_strings, mut asked) = (false, 0);
    while at < stream.len() {
        let (Some(kind), Some(length)) = (number16(stream, at), number16(stream, at + 2)) else {
            return is_room(stream, at).then_some(());
        };
        let begins = BEGINNINGS.contains(&kind);
        if depth == 0 && !begins {
            if !is_room(stream, at) {
                return None;
            }
            break;
        }
        let data = stream.get(at + 4..at + 4 + usize::from(length))?;
        if begins {
            if depth == 0 {
                begun.push(at);
            }
            depth += 1;
        }
        in_strings = kind == STRINGS || in_strings && kind == CONTINUE;
        if in_strings {
            strings.push(data);
        }
        match kind {
            // Of no version that has a list of sheets.
            0 => return None,
            EOF => depth -= 1,
            SHEET => listed.push(number32(data, 0)?),
            STRING_CELL => asked = asked.max(number32(data, 6)? + 1),
            _ => {}
        }
        at += 4 + data.len();
    }
    if depth > 0 || begun.is_empty() {
        return None;
    }
    let old = number16(stream, 0)? != BEGINNINGS[3];
    listed.sort_unstable();
    // The first is the workbook itself.
    if !old && begun[1..] != listed[..] {
        return None;
    }
    let known = if strings.is_empty() { 0 } else { shared_strings(&strings)? };
    (asked <= known).then_some(())
}

/// What stands behind the last record is nothing.
fn is_room(stream: &[u8], at: usize) -> bool {
    stream[at..].iter().all(|octet| *octet == 0)
}

/// The octets of records that continue one another.
struct Continued<'r, 'b> {
    records: &'r [&'b [u8]],
    at: usize,
}

impl Continued<'_, '_> {
    /// Goes on to the next record at the end of one.
    fn settle(&mut self) {
        while self.records.first().is_some_and(|record| self.at >= record.len()) {
            self.records = &self.records[1..];
            self.at = 0;
        }
    }

    fn octet(&mut self) -> Option<u8> {
        self.settle();
        let octet = *self.records.first()?.get(self.at)?;
        self.at += 1;
        Some(octet)
    }

    fn number(&mut self, octets: u32) -> Option<usize> {
        (0..octets).try_fold(0, |sum, place| Some(sum | usize::from(self.octet()?) << (8 * place)))
    }

    fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            self.settle();
            let here = (self.records.first()?.len() - self.at).min(count);
            self.at += here;
            count -= here;
        }
        Some(())
    }

    /// So many letters; a record that continues them begins with their width ([MS-XLS] 2.5.293).
    fn letters(&mut self, mut count: usize, mut wide: bool) -> Option<()> {
        while count > 0 {
            let left = self.records.first()?.len() - self.at;
            if left == 0 {
                self.settle();
                let mark = self.octet()?;
                if mark > 1 {
                    return None;
                }
                wide = mark == 1;
                continue;
            }
            let width = 1 + usize::from(wide);
            let here = (left / width).min(count);
            if here == 0 {
                return None;
            }
            self.at += here * width;
            count -= here;
        }
        Some(())
    }
}

/// How many strings the list of strings has, if it has all that it promises and nothing more.
fn shared_strings(records: &[&[u8]]) -> Option<usize> {
    let mut list = Continued { records, at: 0 };
    list.skip(4)?;
    let count = list.number(4)?;
    for _ in 0..count {
        let letters = list.number(2)?;
        let marks = list.octet()?;
        if marks & 0xf2 != 0 {
            return None;
        }
        let runs = if marks & 8 != 0 { list.number(2)? } else { 0 };
        let more = if marks & 4 != 0 { list.number(4)? } else { 0 };
        list.letters(letters, marks & 1 != 0)?;
        list.skip(runs * 4)?;
        list.skip(more)?;
    }
    list.settle();
    list.records.is_empty().then_some(count)
}

/// A stream of PowerPoint's: each record ends inside of the one that holds it.
pub fn presentation_is_sound(stream: &[u8]) -> bool {
    let mut ends = vec![stream.len()];
    let mut at = 0usize;
    while let Some(end) = ends.last().copied() {
        if at == end {
            ends.pop();
            continue;
        }
        let (Some(first), Some(length)) = (number16(stream, at), number32(stream, at + 4)) else {
            return ends.len() == 1 && is_room(stream, at);
        };
        // No record has this number.
        if number16(stream, at + 2) == Some(0) {
            return ends.len() == 1 && is_room(stream, at);
        }
        let Some(own) = at.checked_add(8).and_then(|at| at.checked_add(length)).filter(|own| *own <= end) else {
            return false;
        };
        if first & 0xf == CONTAINER {
            at += 8;
            ends.push(own);
        } else {
            at = own;
        }
    }
    true
}

/// A Word document: its pieces hold as many letters as its texts have, and stand in its stream. `tables` are its streams
/// of tables, by number.
pub fn document_is_sound(stream: &[u8], tables: &[Option<Vec<u8>>; 2]) -> bool {
    document(stream, tables).is_some()
}

fn document(stream: &[u8], tables: &[Option<Vec<u8>>; 2]) -> Option<()> {
    if number16(stream, 2)? < WORD_97 {
        return Some(());
    }
    let table = tables[usize::from(stream.get(11)? >> 1 & 1)].as_deref()?;
    let (start, length) = (number32(stream, PIECES)?, number32(stream, PIECES + 4)?);
    if length == 0 {
        return Some(());
    }
    let mut list = table.get(start..start.checked_add(length)?)?;
    // What formats a piece stands before the list of pieces.
    while list.first() == Some(&1) {
        list = list.get(3 + usize::from(number16(list, 1)?)..)?;
    }
    let size = (list.first() == Some(&2)).then(|| number32(list, 1))??;
    let list = list.get(5..)?.get(..size)?;
    let count = size.checked_sub(4)? / 12;
    let mut from = number32(list, 0)?;
    for piece in 0..count {
        let to = number32(list, 4 * (piece + 1))?;
        let letters = to.checked_sub(from)?;
        let place = number32(list, 4 * (count + 1) + 8 * piece + 2)?;
        let narrow = place >> 30 & 1 == 1;
        let place = place & 0x3fff_ffff;
        let (begin, octets) = if narrow { (place / 2, letters) } else { (place, letters.checked_mul(2)?) };
        stream.get(begin..begin.checked_add(octets)?)?;
        from = to;
    }
    let lengths = LENGTHS.iter().map(|at| number32(stream, *at)).sum::<Option<usize>>()?;
    // A paragraph's end of nobody stands behind the last text where there are several.
    (from == lengths || from == lengths + 1).then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::records::tests::{atom, record};
    use super::*;

    #[test]
    fn a_workbook_has_all_that_it_lists() {
        let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0]);
        let book = |strings: &[u8], more: &[u8], cell: u32, shift: u32, sheet: &[u8], behind: &[u8]| {
            let list = record(STRINGS, strings);
            let place = (begin(5).len() + 4 + 8 + list.len() + more.len() + 4) as u32 + shift;
            let listed = record(SHEET, &[&place.to_le_bytes(), [0, 0, 1, 0].as_slice()].concat());
            let cell = record(STRING_CELL, &[&[0; 6], cell.to_le_bytes().as_slice()].concat());
            let end = record(EOF, &[]);
            [begin(5).as_slice(), &listed, &list, more, &end, &begin(16), &cell, sheet, &end, behind].concat()
        };
        let two = b"\x02\0\0\0\x02\0\0\0\x03\0\0Amy\x01\0\x01\xeb\0";
        // Rich text, and a name that goes on in the next record, there with wide letters.
        let rich = b"\x01\0\0\0\x01\0\0\0\x03\0\x08\x01\0Amy\0\0\0\0";
        let split = b"\x01\0\0\0\x01\0\0\0\x03\0\0A";
        let rest = record(CONTINUE, b"\x01m\0y\0");
        let note = record(0x0208, &[0; 16]);
        for (stream, expected, what) in [
            (book(two, &[], 1, 0, &[], &[]), true, "two strings"),
            (book(two, &[], 1, 0, &note, &[0; 40]), true, "room behind the end"),
            (book(rich, &[], 0, 0, &[], &[]), true, "rich text"),
            (book(split, &rest, 0, 0, &[], &[]), true, "continued"),
            (book(two, &[], 2, 0, &[], &[]), false, "a string that is not there"),
            (book(&two[..two.len() - 1], &[], 1, 0, &[], &[]), false, "a string cut short"),
            (book(split, &[], 0, 0, &[], &[]), false, "continued nowhere"),
            (book(&[two.as_slice(), b"more"].concat(), &[], 1, 0, &[], &[]), false, "more than is counted"),
            (book(two, &[], 1, 7, &[], &[]), false, "a sheet elsewhere"),
            (book(two, &[], 1, 0, &note[1..], &[]), false, "an octet taken out"),
            (book(two, &[], 1, 0, &[0; 8], &[]), false, "a hole"),
            (book(two, &[], 1, 0, &[], b"more"), false, "records behind the end"),
            (book(two, &[], 1, 0, &[], &record(0x0809, &[0, 6, 16, 0])), false, "a sheet without an end"),
            (Vec::new(), false, "nothing"),
        ] {
            assert_eq!(workbook_is_sound(&stream), expected, "{what}");
        }
    }

    #[test]
    fn records_of_a_presentation_stand_inside_one_another() {
        let inner = atom(0, 0x0fa8, b"Amy");
        let sound = atom(0xf, 0x3e8, &[atom(0xf, 0x3f8, &inner), inner.clone()].concat());
        let mut long = sound.clone();
        long[20] += 1;
        for (stream, expected, what) in [
            (sound.clone(), true, "as written"),
            ([sound.as_slice(), &[0; 5]].concat(), true, "room behind the end"),
            ([sound.as_slice(), &[0; 50]].concat(), true, "much room behind the end"),
            (sound[..sound.len() - 1].to_vec(), false, "cut short"),
            (sound[1..].to_vec(), false, "an octet taken out"),
            (long, false, "longer than what holds it"),
            ([sound.as_slice(), b"more of it"].concat(), false, "something behind the end"),
        ] {
            assert_eq!(presentation_is_sound(&stream), expected, "{what}");
        }
    }

    #[test]
    fn pieces_of_a_document() {
        let file = |letters: u32, text: u32, place: u32, version: u16| {
            let mut stream = vec![0u8; 700];
            stream[2..4].copy_from_slice(&version.to_le_bytes());
            stream[11] = 2;
            stream[76..80].copy_from_slice(&text.to_le_bytes());
            let plan =
                [[0, letters].map(u32::to_le_bytes).concat(), vec![0, 0], place.to_le_bytes().to_vec(), vec![0, 0]]
                    .concat();
            // A format of two octets stands first.
            let list = [[1, 2, 0, 9, 9, 2].as_slice(), &(plan.len() as u32).to_le_bytes(), &plan].concat();
            stream[422..426].copy_from_slice(&(list.len() as u32).to_le_bytes());
            (stream, [None, Some(list)])
        };
        for (letters, text, place, version, expected) in [
            (10, 10, 600, WORD_97, true),
            (11, 10, 600, WORD_97, true),
            (90, 90, 1200 | 1 << 30, WORD_97, true),
            // Fewer letters than the text has, or more; a piece that stands outside.
            (10, 12, 600, WORD_97, false),
            (12, 10, 600, WORD_97, false),
            (90, 90, 600, WORD_97, false),
            // Older ones have another header.
            (10, 12, 600, 0x65, true),
        ] {
            let (stream, tables) = file(letters, text, place, version);
            assert_eq!(document_is_sound(&stream, &tables), expected, "{letters} {text} {place}");
            assert_eq!(document_is_sound(&stream, &[None, None]), version < WORD_97);
        }
    }
}
