//! What stands in the records of Excel 97 and PowerPoint 97 files beside cells and slides ([MS-XLS], [MS-PPT],
//! [MS-ODRAW]): page headers, text boxes, caches, masters, comments, drawn words, and objects.
//!
//! Never knows what was read already. Records are walked from the first to the last, each once; where one is longer than
//! what is left, the walk ends there.

use flate2::read::ZlibDecoder;

use super::Why;
use super::file::Content;
use super::package::Budget;
use crate::limits;
use crate::message::decode_text;

/// Records of [MS-XLS] 2.3 that hold words.
const HEADER: u16 = 0x0014;
const FOOTER: u16 = 0x0015;
const CONTINUE: u16 = 0x003c;
const CACHED_ROW: u16 = 0x005a;
const PIVOT_STRING: u16 = 0x00cd;
const DRAWING: u16 = 0x00ec;
const TEXT_OBJECT: u16 = 0x01b6;
const LINK: u16 = 0x01b8;
const LABEL: u16 = 0x0204;
const MORE_HEADERS: u16 = 0x089c;
const CHART_TEXT: u16 = 0x100d;

/// Records of [MS-PPT] 2.13.24 and [MS-ODRAW] that hold words or objects.
const TEXT_CHARS: u16 = 0x0fa0;
const TEXT_BYTES: u16 = 0x0fa8;
const STRING: u16 = 0x0fba;
const OBJECT: u16 = 0x1011;
const SHAPE_PROPERTIES: &[u16] = &[0xf00b, 0xf121, 0xf122];
/// Version of a record that holds others.
const CONTAINER: u16 = 0xf;

/// The words of a stream of Excel's records.
pub fn sheets(stream: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    // Letters that the record behind a text object still owes, and what they belong to.
    let mut owed = 0usize;
    let mut boxed = String::new();
    while let Some(head) = stream.get(at..at + 4) {
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        at += 4;
        let data = &stream[at..(at + length).min(stream.len())];
        at += length;
        if kind == CONTINUE && owed > 0 {
            let (text, letters) = characters(data, owed);
            boxed.push_str(&text);
            owed -= letters.min(owed);
            // A record without letters ends the text whatever was promised.
            owed = if letters == 0 { 0 } else { owed };
        }
        if (kind != CONTINUE || owed == 0) && !boxed.is_empty() {
            found.push(std::mem::take(&mut boxed));
        }
        match kind {
            TEXT_OBJECT => owed = data.get(10..12).map_or(0, |n| usize::from(u16::from_le_bytes([n[0], n[1]]))),
            HEADER | FOOTER => found.extend(string(data).map(|text| codes_undone(&text))),
            PIVOT_STRING => found.extend(string(data)),
            LABEL => found.extend(data.get(6..).and_then(string)),
            CHART_TEXT => found.extend(data.get(2..).and_then(short_string)),
            CACHED_ROW | MORE_HEADERS => found.extend(runs(data)),
            LINK => found.extend(target(data)),
            DRAWING => found.extend(wide_runs(data)),
            CONTINUE => {}
            _ => owed = 0,
        }
    }
    found.extend(Some(boxed).filter(|text| !text.is_empty()));
    found.retain(|text| text.chars().any(char::is_alphanumeric));
    found
}

/// Marks the address of a link ([MS-OSHARED] 2.3.7.6): its length in octets and UTF-16 follow.
pub const ADDRESS: &[u8] = &[0xe0, 0xc9, 0xea, 0x79, 0xf9, 0xba, 0xce, 0x11, 0x8c, 0x82, 0, 0xaa, 0, 0x4b, 0xa9, 0x0b];

/// Where a link leads, if out of the workbook.
fn target(data: &[u8]) -> Option<String> {
    let behind = &data[memchr::memmem::find(data, ADDRESS)? + ADDRESS.len()..];
    let (length, rest) = behind.split_first_chunk()?;
    let letters = &rest[..rest.len().min(u32::from_le_bytes(*length) as usize)];
    let units =
        letters.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).take_while(|unit| *unit != 0);
    Some(char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// `owed` letters behind their mark of width, and how many there were.
fn characters(data: &[u8], owed: usize) -> (String, usize) {
    let Some((mark, rest)) = data.split_first() else { return (String::new(), 0) };
    if mark & 1 == 1 {
        let letters = owed.min(rest.len() / 2);
        (decode_text(&rest[..letters * 2], Some("utf-16le")), letters)
    } else {
        let letters = owed.min(rest.len());
        (rest[..letters].iter().map(|octet| char::from(*octet)).collect(), letters)
    }
}

/// A string with its length in two octets; before Excel 97 in one, and without a mark.
fn string(data: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes([*data.first()?, *data.get(1)?]));
    let needed = length.saturating_mul(1 + usize::from(data.get(2).is_some_and(|mark| mark & 1 == 1)));
    if data.len() >= 3 + needed {
        Some(characters(&data[2..], length).0)
    } else {
        let length = usize::from(data[0]);
        data.get(1..1 + length).map(|text| decode_text(text, Some("windows-1252")))
    }
}

fn short_string(data: &[u8]) -> Option<String> {
    let (length, rest) = data.split_first()?;
    Some(characters(rest, usize::from(*length)).0)
}

/// The codes that part a header in three and name fonts are no words.
pub fn codes_undone(header: &str) -> String {
    let mut out = String::new();
    let mut letters = header.chars().peekable();
    while let Some(c) = letters.next() {
        if c != '&' {
            out.push(c);
            continue;
        }
        match letters.next() {
            Some('&') => out.push('&'),
            Some('"') => while letters.next().is_some_and(|c| c != '"') {},
            Some(digit) if digit.is_ascii_digit() => while letters.next_if(char::is_ascii_digit).is_some() {},
            _ => out.push(' '),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of PowerPoint's stream; its objects are added to what stands inside.
pub fn slides(stream: &[u8], content: &mut Content) -> Vec<String> {
    let mut found = Vec::new();
    let mut budget = Budget::default();
    let mut at = 0;
    while let Some(head) = stream.get(at..at + 8) {
        let first = u16::from_le_bytes([head[0], head[1]]);
        let kind = u16::from_le_bytes([head[2], head[3]]);
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        at += 8;
        if first & 0xf == CONTAINER {
            continue;
        }
        let end = at.saturating_add(length).min(stream.len());
        let data = &stream[at..end];
        at = end;
        match kind {
            TEXT_CHARS | STRING => {
                found.push(decode_text(data, Some("utf-16le")));
            }
            TEXT_BYTES => found.push(data.iter().map(|octet| char::from(*octet)).collect()),
            OBJECT => stored_object(first >> 4, data, length > data.len(), &mut budget, content),
            kind if SHAPE_PROPERTIES.contains(&kind) => found.extend(wide_runs(data)),
            _ => {}
        }
    }
    found
        .into_iter()
        .map(|text| text.replace(['\r', '\u{b}'], "\n").trim_matches(|c: char| c.is_control() || c == ' ').to_owned())
        .filter(|text| text.chars().any(char::is_alphanumeric) && !text.starts_with("___PPT"))
        .collect()
}

/// An object's own compound file, as it is or packed behind its length.
fn stored_object(packed: u16, data: &[u8], cut: bool, budget: &mut Budget, content: &mut Content) {
    let unpacked = match (packed, data.get(4..)) {
        (0, _) => Ok(data.to_vec()),
        (_, Some(rest)) => budget.unpack(rest.len(), ZlibDecoder::new(rest)),
        _ => Err(Why::Damaged),
    };
    match unpacked {
        Ok(file) => {
            content.inner.push((format!("object {}", content.inner.len() + 1), file));
            if cut {
                content.incomplete = Some(Why::Damaged);
            }
        }
        Err(why) => content.incomplete = Some(why),
    }
}

/// Runs of letters in data of no known shape, of one octet each or of two.
pub fn runs(data: &[u8]) -> Vec<String> {
    let mut found = wide_runs(data);
    let mut open = String::new();
    for octet in data.iter().copied().chain([0]) {
        if matches!(octet, 0x20..0x7f | 0xc0..) {
            open.push(char::from(octet));
        } else {
            keep(&mut open, &mut found);
        }
    }
    found
}

/// As [`runs`], in UTF-16 alone, on even and on odd places.
fn wide_runs(data: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for start in 0..2 {
        let mut open = String::new();
        for pair in data.get(start..).unwrap_or_default().chunks_exact(2).chain([[0, 0].as_slice()]) {
            let unit = u16::from_le_bytes([pair[0], pair[1]]);
            // Alphabets of Europe; others look like any two octets.
            let letter =
                char::from_u32(u32::from(unit)).filter(|_| matches!(unit, 0x20..0x7f | 0xa0..0x530 | 0x2010..0x2030));
            match letter {
                Some(letter) => open.push(letter),
                None => keep(&mut open, &mut found),
            }
        }
    }
    found
}

fn keep(open: &mut String, found: &mut Vec<String>) {
    let text = std::mem::take(open);
    let letters = text.chars().filter(|c| c.is_alphanumeric() || *c == ' ').count();
    if letters >= limits::HIDDEN_RUN && letters * 4 >= text.chars().count() * 3 {
        found.push(text.trim().to_owned());
    }
}

#[cfg(test)]
pub mod tests {
    use std::io::Write;

    use super::*;

    /// One of Excel's records.
    pub fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes(), &(data.len() as u16).to_le_bytes(), data].concat()
    }

    /// One of PowerPoint's records.
    pub fn atom(first: u16, kind: u16, data: &[u8]) -> Vec<u8> {
        [&first.to_le_bytes(), &kind.to_le_bytes(), (data.len() as u32).to_le_bytes().as_slice(), data].concat()
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn headers_text_boxes_and_caches() {
        let promised = |letters: u8| record(TEXT_OBJECT, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, letters, 0, 0, 0, 0, 0, 0, 0]);
        let wide = [[3, 0, 1].as_slice(), &utf16("Zoë")].concat();
        for (stream, expected) in [
            (record(HEADER, b"\x17\0\0&L&\"Arial\"&12Amy && Oak"), vec!["Amy & Oak"]),
            (record(FOOTER, b"\x03Amy"), vec!["Amy"]),
            (record(PIVOT_STRING, &wide), vec!["Zoë"]),
            (record(CHART_TEXT, b"\0\0\x03\0Amy"), vec!["Amy"]),
            (
                [promised(6), record(CONTINUE, b"\0Amy"), record(CONTINUE, &[&[1], utf16("Oak").as_slice()].concat())]
                    .concat(),
                vec!["AmyOak"],
            ),
            ([promised(3), record(CONTINUE, b"\0Amy"), record(CONTINUE, &[0; 16])].concat(), vec!["Amy"]),
            (record(DRAWING, &utf16("Amy is ill")), vec!["Amy is ill"]),
            (record(0x0009, b"Amy is ill"), vec![]),
            (vec![0x14, 0, 0xff, 0xff, 3, 0, 0, b'A', b'm', b'y'], vec!["Amy"]),
        ] {
            assert_eq!(sheets(&stream), expected, "{stream:?}");
        }
    }

    #[test]
    fn words_anywhere_in_a_presentation() {
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(b"\xd0\xcf\x11\xe0object").unwrap();
        let packed = [&[10, 0, 0, 0], packed.finish().unwrap().as_slice()].concat();
        let inside = [
            atom(0, TEXT_CHARS, &utf16("Zoë\rOak")),
            atom(0, TEXT_BYTES, b"Amy"),
            atom(0, STRING, &utf16("___PPT10")),
            atom(0x10, OBJECT, &packed),
            atom(0, OBJECT, b"\xd0\xcf\x11\xe0plain"),
            atom(3, 0xf00b, &utf16("drawn words")),
        ]
        .concat();
        let mut content = Content::default();
        assert_eq!(slides(&atom(0xf, 0x3f8, &inside), &mut content), ["Zoë\nOak", "Amy", "drawn words"]);
        let inner: Vec<&[u8]> = content.inner.iter().map(|(_, file)| file.as_slice()).collect();
        assert_eq!(inner, [b"\xd0\xcf\x11\xe0object", b"\xd0\xcf\x11\xe0plain".as_slice()]);
        assert_eq!(content.incomplete, None);
        slides(&atom(0x10, OBJECT, &packed[..9]), &mut content);
        assert_eq!(content.incomplete, Some(Why::Damaged));
    }
}
