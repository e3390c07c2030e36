//! Whether the records of Word 97, Excel 97 and PowerPoint 97 files ([MS-DOC], [MS-XLS], [MS-PPT]) hold together, so that
//! a reader which walks them has met every text; and the texts that stand in their lists, whether anything shows them or not.
//!
//! Never knows what the texts mean. A reader that meets a record of a wrong length walks on among letters and numbers as if
//! they were records, or stops; both look like a file that says little. A reader that goes by the formats of paragraphs
//! passes over a text of which the format is broken.

use crate::message::decode_text;

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
/// Adds the list of strings as far as it goes: what no cell points to may be what one pointed to before.
pub fn workbook_is_sound(stream: &[u8], texts: &mut Vec<String>) -> bool {
    let mut strings = Vec::new();
    let asked = workbook(stream, &mut strings);
    let known = if strings.is_empty() { Some(0) } else { shared_strings(&strings, texts) };
    matches!((asked, known), (Some(asked), Some(known)) if asked <= known)
}

/// How many strings the cells ask for; adds the records of the list of strings.
fn workbook<'s>(stream: &'s [u8], strings: &mut Vec<&'s [u8]>) -> Option<usize> {
    let (mut at, mut depth) = (0usize, 0usize);
    let (mut begun, mut listed) = (Vec::new(), Vec::new());
    let (mut in_strings, mut asked) = (false, 0);
    while at < stream.len() {
        let (Some(kind), Some(length)) = (number16(stream, at), number16(stream, at + 2)) else {
            return is_room(stream, at).then_some(asked);
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
    Some(asked)
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

    /// So many letters, behind those in `text`; a record that continues them begins with their width ([MS-XLS] 2.5.293).
    fn letters(&mut self, mut count: usize, mut wide: bool, text: &mut String) -> Option<()> {
        while count > 0 {
            let record = self.records.first()?;
            let left = record.get(self.at..)?;
            if left.is_empty() {
                self.settle();
                let mark = self.octet()?;
                if mark > 1 {
                    return None;
                }
                wide = mark == 1;
                continue;
            }
            let width = 1 + usize::from(wide);
            let here = (left.len() / width).min(count);
            if here == 0 {
                return None;
            }
            let octets = &left[..here * width];
            if wide {
                text.push_str(&decode_text(octets, Some("utf-16le")));
            } else {
                text.extend(octets.iter().map(|octet| char::from(*octet)));
            }
            self.at += octets.len();
            count -= here;
        }
        Some(())
    }
}

/// How many strings the list of strings has, if it has all that it promises and nothing more.
fn shared_strings(records: &[&[u8]], texts: &mut Vec<String>) -> Option<usize> {
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
        let mut text = String::new();
        let read = list.letters(letters, marks & 1 != 0, &mut text);
        texts.push(text);
        read?;
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
    let mut found = Vec::new();
    pieces(stream, tables, &mut found).is_some_and(|letters| {
        let lengths = LENGTHS.iter().map(|at| number32(stream, *at)).sum::<Option<usize>>();
        // A paragraph's end of nobody stands behind the last text where there are several.
        letters.is_none_or(|letters| lengths.is_some_and(|lengths| letters == lengths || letters == lengths + 1))
    })
}

/// The octets of one piece, and whether its letters have one each.
type Piece<'s> = (&'s [u8], bool);

/// Adds the pieces of a Word document; how many letters there are up to the last, where it is known.
fn pieces<'s>(stream: &'s [u8], tables: &[Option<Vec<u8>>; 2], found: &mut Vec<Piece<'s>>) -> Option<Option<usize>> {
    if number16(stream, 2)? < WORD_97 {
        return Some(None);
    }
    let table = tables[usize::from(stream.get(11)? >> 1 & 1)].as_deref()?;
    let (start, length) = (number32(stream, PIECES)?, number32(stream, PIECES + 4)?);
    if length == 0 {
        return Some(None);
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
        found.push((stream.get(begin..begin.checked_add(octets)?)?, narrow));
        from = to;
    }
    Some(Some(from))
}

/// The paragraphs of all pieces of a Word document, whatever formats say of them: text boxes, notes and headers too. Of a
/// field what it shows, and the texts that its instruction quotes; beside the paragraphs, where links lead.
pub fn document_texts(stream: &[u8], tables: &[Option<Vec<u8>>; 2]) -> (Vec<String>, Vec<String>) {
    let mut found = Vec::new();
    // Where the list of pieces breaks off, the others are read all the same.
    let _ = pieces(stream, tables, &mut found);
    let mut text = String::new();
    // No two pieces of a writer's share letters; a hostile one's may, without end.
    let mut left = stream.len();
    for (octets, narrow) in found {
        let Some(rest) = left.checked_sub(octets.len()) else { break };
        left = rest;
        text.push_str(&decode_text(octets, Some(if narrow { "windows-1252" } else { "utf-16le" })));
    }
    paragraphs(&text)
}

/// Marks of [MS-DOC] 2.4.1 in a text: ends of paragraphs, cells and pages; lines; hyphens; and the three marks of a field.
fn paragraphs(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut found, mut links) = (Vec::new(), Vec::new());
    let (mut open, mut instruction) = (String::new(), String::new());
    // For each field that is open, whether its instruction has ended.
    let mut fields: Vec<bool> = Vec::new();
    for c in text.chars() {
        let in_instruction = fields.last() == Some(&false);
        match c {
            '\u{13}' => fields.push(false),
            '\u{14}' | '\u{15}' => {
                if in_instruction {
                    told(&instruction, &mut found, &mut links);
                    instruction.clear();
                }
                fields.pop();
                if c == '\u{14}' {
                    fields.push(true);
                }
            }
            '\r' | '\u{7}' | '\u{c}' => found.push(std::mem::take(&mut open)),
            c if in_instruction => instruction.push(c),
            '\u{b}' => open.push('\n'),
            '\t' => open.push('\t'),
            '\u{1e}' => open.push('-'),
            c if c.is_control() => {}
            c => open.push(c),
        }
    }
    found.push(open);
    // An instruction that no mark ends hides what follows it.
    found.push(instruction);
    found.retain(|text| text.chars().any(char::is_alphanumeric));
    (found, links)
}

/// What a field is told: the texts that it quotes, and where it leads, in quotes or not.
fn told(instruction: &str, found: &mut Vec<String>, links: &mut Vec<String>) {
    let leads = instruction.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("HYPERLINK"));
    let mut before = "";
    for (number, piece) in instruction.split('"').enumerate() {
        if number % 2 == 0 {
            // Neither a switch nor the field's own name.
            let bare = piece.split_whitespace().skip(usize::from(number == 0)).filter(|word| !word.starts_with('\\'));
            links.extend(bare.filter(|word| leads && word.len() > 1).map(str::to_owned));
            before = piece.trim_end();
        } else if leads
            && piece.contains(char::is_alphanumeric)
            && before.split_whitespace().next_back().is_none_or(|word| !word.starts_with('\\'))
        {
            links.push(piece.to_owned());
        } else if !before.ends_with("\\@") {
            // What a date looks like is no text.
            found.push(piece.to_owned());
        }
    }
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
            assert_eq!(workbook_is_sound(&stream, &mut Vec::new()), expected, "{what}");
        }
        for (stream, expected) in [
            // No cell points to the second; the fault behind it takes nothing away.
            (book(two, &[], 0, 0, &[], &[]), vec!["Amy", "ë"]),
            (book(split, &rest, 0, 0, &[], &[]), vec!["Amy"]),
            (book(&two[..two.len() - 1], &[], 0, 0, &note[1..], &[]), vec!["Amy", ""]),
            (book(split, &[], 0, 0, &[], &[]), vec!["A"]),
        ] {
            let mut texts = Vec::new();
            workbook_is_sound(&stream, &mut texts);
            assert_eq!(texts, expected);
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

    #[test]
    fn what_the_marks_of_a_document_part() {
        for (text, expected) in [
            ("Amy\rSmith\u{7}Oak\u{c}", vec!["Amy", "Smith", "Oak"]),
            ("of \u{13} QUOTE \"Ben\" \u{14}Amy\u{15} Smith\r", vec!["Ben", "of Amy Smith"]),
            ("\u{13} DATE \\@ \"d\" \\* \"Ben\" \u{14}3 May\u{15}\r", vec!["Ben", "3 May"]),
            ("on \u{13} DATE \\@ \"d MMMM\" \u{14}3 May\u{15}\r", vec!["on 3 May"]),
            ("\u{13} IF \u{13} PAGE \u{14}1\u{15} = 1 \"Amy\" \u{14}x\u{15}\r", vec!["Amy", "1x"]),
            ("Am\u{1f}y\u{1}\u{b}Smith\u{1e}Oak", vec!["Amy\nSmith-Oak"]),
            ("\u{13} never ended", vec![" never ended"]),
            ("\u{1}\r \r", vec![]),
        ] {
            assert_eq!(paragraphs(text), (expected.into_iter().map(str::to_owned).collect(), Vec::new()), "{text:?}");
        }
        let mut stream = vec![0u8; 700];
        stream[2..4].copy_from_slice(&WORD_97.to_le_bytes());
        stream[600..606].copy_from_slice(b"A\0m\0y\0");
        stream[650..653].copy_from_slice(b"Oak");
        let places = [0u32, 3, 6].map(u32::to_le_bytes).concat();
        let at = |place: u32| [[0, 0].as_slice(), &place.to_le_bytes(), &[0, 0]].concat();
        let plan = [places, at(600), at(1300 | 1 << 30)].concat();
        let list = [[2].as_slice(), &(plan.len() as u32).to_le_bytes(), &plan].concat();
        stream[422..426].copy_from_slice(&(list.len() as u32).to_le_bytes());
        assert_eq!(document_texts(&stream, &[Some(list), None]).0, ["AmyOak"]);
    }

    #[test]
    fn where_the_links_of_a_document_lead() {
        for (text, links, texts) in [
            ("of \u{13} HYPERLINK \"a.org\" \u{14}Amy\u{15} Smith\r", vec!["a.org"], vec!["of Amy Smith"]),
            (
                "\u{13}hyperlink http://a.org/x \\t \"_blank\" \u{14}Amy\u{15}\r",
                vec!["http://a.org/x"],
                vec!["_blank", "Amy"],
            ),
            (
                "\u{13} HYPERLINK \"a.org\" \\l \"part\" \\o \"of Amy\" \u{14}x\u{15}\r",
                vec!["a.org"],
                vec!["part", "of Amy", "x"],
            ),
            ("\u{13} HYPERLINK \"a.org/\\@\" \\o \"Ben\" \u{14}x\u{15}\r", vec!["a.org/\\@"], vec!["Ben", "x"]),
            ("\u{13} HYPERLINK \\n a.org \u{15}\r", vec!["a.org"], vec![]),
            ("\u{13} PAGE \u{14}1\u{15} of a.org\r", vec![], vec!["1 of a.org"]),
        ] {
            let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(paragraphs(text), (owned(texts), owned(links)), "{text:?}");
        }
    }
}
