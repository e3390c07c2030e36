//! Rich Text Format 1.9: control words undone; hidden text, notes and the words of drawings read, each as a text of its own;
//! objects handed on; pictures and tables of styles left out.
//!
//! Never knows what is inside an object. Groups are kept on a stack of their own with a bound, never by recursion; a file
//! that ends inside a group, or inside the octets that it announced, is damaged.

use hashbrown::HashMap;

use super::file::Content;
use super::rtf_words::{self, Destination};
use super::{Why, ole, records};
use crate::limits;
use crate::message::decode_text;
use crate::text::{Block, Row, Table};

#[derive(Clone)]
struct Group {
    to: Destination,
    /// Characters to leave out behind a `\u`.
    fallback: usize,
    /// Of the font that is on; the document's own where none is.
    encoding: Option<&'static str>,
}

/// A text by itself: the document, a note, a header, what is hidden in a destination.
#[derive(Default)]
struct Flow {
    text: String,
    cells: Vec<String>,
    rows: Vec<Row>,
    detail: Option<&'static str>,
    /// How many groups are open around it.
    depth: usize,
}

struct Reader {
    content: Content,
    /// The one that is read, and those that it interrupts.
    flow: Flow,
    interrupted: Vec<Flow>,
    /// Bytes in a code page that wait for decoding.
    pending: Vec<u8>,
    code_page: &'static str,
    fonts: HashMap<i32, Option<&'static str>>,
    /// The font that is being defined, and the one that is on from the start.
    font: i32,
    first_font: i32,
    /// The digits of an object.
    object: Vec<u8>,
    /// What stands for readers that know no Unicode, where that is long.
    fallback: Vec<u8>,
}

/// Reads a file.
pub fn read(bytes: &[u8]) -> Content {
    let mut reader = Reader {
        content: Content::default(),
        flow: Flow::default(),
        interrupted: Vec::new(),
        pending: Vec::new(),
        code_page: "windows-1252",
        fonts: HashMap::new(),
        font: 0,
        first_font: 0,
        object: Vec::new(),
        fallback: Vec::new(),
    };
    reader.run(bytes);
    reader.content
}

impl Reader {
    fn run(&mut self, bytes: &[u8]) {
        let mut group = Group { to: Destination::Same, fallback: 1, encoding: None };
        let mut outer: Vec<Group> = Vec::new();
        // Groups beyond the bound, which are not told apart any more.
        let mut beyond = 0usize;
        let (mut at, mut drop) = (0, 0usize);
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'{' if outer.len() >= limits::RTF_DEPTH => {
                    beyond += 1;
                    self.content.incomplete = Some(Why::BeyondLimit);
                }
                b'{' => {
                    self.flush(&group);
                    drop = 0;
                    outer.push(group.clone());
                }
                b'}' if beyond > 0 => beyond -= 1,
                b'}' => {
                    self.flush(&group);
                    drop = 0;
                    if let Some(before) = outer.pop() {
                        self.leave(&group, &before, outer.len());
                        group = before;
                    }
                }
                b'\\' => {
                    let (word, number, next) = control(bytes, at);
                    at = next;
                    match word {
                        "'" => {
                            let code = bytes.get(at..at + 2).and_then(|h| std::str::from_utf8(h).ok());
                            at = (at + 2).min(bytes.len());
                            if let Some(code) = code.and_then(|h| u8::from_str_radix(h, 16).ok()) {
                                self.octet(code, &mut drop, &group);
                            } else if group.to == Destination::Same {
                                // What stands here were letters of the text.
                                self.content.incomplete = self.content.incomplete.or(Some(Why::Damaged));
                            }
                        }
                        "u" => {
                            if group.to == Destination::Same {
                                self.flush(&group);
                                // Negative numbers are the upper half of 16 bits.
                                self.unit(number.unwrap_or(0) as u16);
                            }
                            drop = group.fallback;
                        }
                        "uc" => group.fallback = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(16),
                        "bin" => {
                            let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
                            let end = at.saturating_add(length).min(bytes.len());
                            if end - at < length {
                                self.content.incomplete = Some(Why::Damaged);
                            }
                            self.binary(&bytes[at..end], &group);
                            at = end;
                        }
                        "*" => {
                            // The word behind it names the destination.
                            let (name, _, next) = control(bytes, at + usize::from(bytes.get(at) == Some(&b'\\')));
                            at = next;
                            self.enter(rtf_words::destination(name, true), &mut group, outer.len());
                            self.word(name, None, &mut group);
                        }
                        name => {
                            self.enter(rtf_words::destination(name, false), &mut group, outer.len());
                            self.word(name, number, &mut group);
                        }
                    }
                }
                b'\r' | b'\n' | 0 => {}
                byte => self.octet(byte, &mut drop, &group),
            }
        }
        self.flush(&group);
        if !outer.is_empty() || beyond > 0 {
            self.content.incomplete = self.content.incomplete.or(Some(Why::Damaged));
        }
        while let Some(before) = outer.pop() {
            self.leave(&group, &before, outer.len());
            group = before;
        }
        self.finish_flow();
        let dropped = std::mem::take(&mut self.fallback);
        self.hidden(records::runs(&dropped));
    }

    /// One octet of text.
    fn octet(&mut self, octet: u8, drop: &mut usize, group: &Group) {
        if *drop > 0 {
            *drop -= 1;
            // One or two letters stand for the one that was given; more are a text that some readers show.
            if group.fallback > 2 && group.to == Destination::Same {
                self.fallback.push(octet);
            }
            return;
        }
        match group.to {
            Destination::Same => self.pending.push(octet),
            Destination::Object if octet.is_ascii_hexdigit() => self.object.push(octet),
            _ => {}
        }
    }

    /// Octets that stand as they are: of an object, or of a picture. In the midst of text they belong to nothing.
    fn binary(&mut self, octets: &[u8], group: &Group) {
        match group.to {
            Destination::Object => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let digits = octets.iter().flat_map(|o| [DIGITS[usize::from(o >> 4)], DIGITS[usize::from(o & 15)]]);
                self.object.extend(digits);
            }
            Destination::Same => self.hidden(records::runs(octets)),
            _ => {}
        }
    }

    fn hidden(&mut self, texts: Vec<String>) {
        self.content.blocks.extend(texts.into_iter().map(|text| Block::paragraph_at(text, "hidden part")));
    }

    /// A destination begins, unless it stands inside machinery; objects and the words of drawings are looked for there too.
    fn enter(&mut self, to: Option<Destination>, group: &mut Group, depth: usize) {
        let Some(to) = to else { return };
        self.flush(group);
        let inside = matches!(to, Destination::Object | Destination::Aside("drawing"));
        if group.to != Destination::Same && !inside || group.to == Destination::Object {
            return;
        }
        group.to = to;
        if let Destination::Aside(detail) = to {
            group.to = Destination::Same;
            let flow = Flow { detail: Some(detail), depth, ..Flow::default() };
            self.interrupted.push(std::mem::replace(&mut self.flow, flow));
        }
    }

    /// A group has ended; `depth` are still open.
    fn leave(&mut self, group: &Group, before: &Group, depth: usize) {
        if group.to == Destination::Object && before.to != Destination::Object {
            let digits = std::mem::take(&mut self.object);
            let digit = |c: u8| char::from(c).to_digit(16).unwrap_or(0) as u8;
            let octets: Vec<u8> = digits.chunks_exact(2).map(|d| digit(d[0]) << 4 | digit(d[1])).collect();
            if !octets.is_empty() {
                ole::embedded(&octets, &mut self.content);
            }
        }
        while self.flow.detail.is_some() && self.flow.depth > depth {
            self.finish_flow();
            self.flow = self.interrupted.pop().unwrap_or_default();
        }
    }

    fn finish_flow(&mut self) {
        if !self.flow.cells.is_empty() {
            // A row without an end is a row.
            self.end_row();
        }
        self.end_paragraph();
        self.end_table();
    }

    fn word(&mut self, name: &str, number: Option<i32>, group: &mut Group) {
        match (name, group.to) {
            ("ansicpg", _) => self.code_page = rtf_words::code_page(number.unwrap_or(1252)),
            ("mac", _) => self.code_page = "macintosh",
            ("deff", _) => self.first_font = number.unwrap_or(0),
            ("f", Destination::Fonts) => self.font = number.unwrap_or(0),
            ("fcharset", Destination::Fonts) => {
                self.fonts.insert(self.font, rtf_words::charset(number.unwrap_or(1)));
            }
            ("cpg", Destination::Fonts) => {
                self.fonts.insert(self.font, number.map(rtf_words::code_page));
            }
            ("f" | "plain", Destination::Same) => {
                self.flush(group);
                let font = if name == "f" { number.unwrap_or(0) } else { self.first_font };
                group.encoding = self.fonts.get(&font).copied().flatten();
            }
            (name, Destination::Same) => self.text_word(name, group),
            _ => {}
        }
    }

    fn text_word(&mut self, name: &str, group: &Group) {
        let sign = match name {
            "par" | "sect" | "page" => {
                self.flush(group);
                return self.end_paragraph();
            }
            "cell" | "nestcell" => {
                self.flush(group);
                return self.end_cell();
            }
            "row" | "nestrow" => {
                self.flush(group);
                return self.end_row();
            }
            "line" => '\n',
            "tab" => '\t',
            "~" => ' ',
            "_" => '-',
            "\\" => '\\',
            "{" => '{',
            "}" => '}',
            "lquote" => '‘',
            "rquote" => '’',
            "ldblquote" => '“',
            "rdblquote" => '”',
            "endash" => '–',
            "emdash" => '—',
            "bullet" => '•',
            _ => return,
        };
        self.flush(group);
        self.flow.text.push(sign);
    }

    fn unit(&mut self, unit: u16) {
        let text = &mut self.flow.text;
        // Pairs of surrogates come as two control words; the first waits as a private mark.
        match char::from_u32(u32::from(unit)) {
            Some(c) => text.push(c),
            None => {
                if (0xd800..0xdc00).contains(&unit) {
                    text.push(char::from_u32(0xf_0000 + u32::from(unit - 0xd800)).unwrap_or(' '));
                } else if let Some(high) = text.pop() {
                    let high = u32::from(high).wrapping_sub(0xf_0000);
                    let joined = 0x10000u32.wrapping_add(high << 10).wrapping_add(u32::from(unit) - 0xdc00);
                    text.push(char::from_u32(joined).unwrap_or(' '));
                }
            }
        }
    }

    fn flush(&mut self, group: &Group) {
        if !self.pending.is_empty() {
            let bytes = std::mem::take(&mut self.pending);
            if bytes.is_ascii() {
                self.flow.text.push_str(&String::from_utf8_lossy(&bytes));
            } else {
                let encoding = group.encoding.unwrap_or(self.code_page);
                self.flow.text.push_str(&decode_text(&bytes, Some(encoding)));
            }
        }
    }

    fn end_cell(&mut self) {
        let cell = std::mem::take(&mut self.flow.text);
        self.flow.cells.push(cell.trim().to_owned());
    }

    fn end_row(&mut self) {
        // Words between the last cell and the end of its row stand in no cell, but there they stand.
        if !self.flow.text.trim().is_empty() {
            self.end_cell();
        }
        self.flow.text.clear();
        let row = Row::of(std::mem::take(&mut self.flow.cells));
        if row.is_filled() {
            self.flow.rows.push(row);
        }
    }

    fn end_paragraph(&mut self) {
        if !self.flow.cells.is_empty() {
            self.flow.text.push('\n');
            return;
        }
        let mut text = std::mem::take(&mut self.flow.text);
        if self.flow.detail == Some(rtf_words::FIELD) {
            text = rtf_words::instruction(&text);
        }
        let said = match self.flow.detail {
            // Sizes and colours are properties of a drawing as its description is.
            Some("drawing") => text.chars().filter(|c| c.is_alphabetic()).count() > 1,
            _ => !text.trim().is_empty(),
        };
        if said {
            self.end_table();
            self.content.blocks.push(Block::Paragraph { text, detail: self.flow.detail.map(str::to_owned) });
        }
    }

    fn end_table(&mut self) {
        if !self.flow.rows.is_empty() {
            let rows = std::mem::take(&mut self.flow.rows);
            self.content.blocks.push(Block::Table(Table::of(self.flow.detail.map(str::to_owned), rows)));
        }
    }
}

/// A control word or symbol at `at`, its number, and where the text goes on.
fn control(bytes: &[u8], at: usize) -> (&str, Option<i32>, usize) {
    let letters = bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_alphabetic()).take(32).count();
    if letters == 0 {
        let symbol = bytes.get(at..at + 1).and_then(|s| std::str::from_utf8(s).ok()).unwrap_or("");
        return (symbol, None, (at + 1).min(bytes.len()));
    }
    let word = std::str::from_utf8(&bytes[at..at + letters]).unwrap_or("");
    let mut end = at + letters;
    let sign = usize::from(bytes.get(end) == Some(&b'-'));
    let digits = bytes[end + sign..].iter().take_while(|b| b.is_ascii_digit()).take(10).count();
    let mut number = None;
    if digits > 0 {
        number = std::str::from_utf8(&bytes[end..end + sign + digits]).ok().and_then(|n| n.parse().ok());
        end += sign + digits;
    }
    (word, number, end + usize::from(bytes.get(end) == Some(&b' ')))
}

#[cfg(test)]
mod tests {
    use super::super::ole::tests::packaged;
    use super::*;

    fn table(rows: &[&[&str]]) -> Block {
        let rows = rows.iter().map(|row| Row::of(row.iter().map(|cell| (*cell).to_owned()).collect()));
        Block::Table(Table::of(None, rows))
    }

    #[test]
    fn words_codes_and_tables() {
        for (rtf, expected) in [
            (
                r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}Smi{\b th}\par Two\line three}",
                vec![Block::paragraph("Smith"), Block::paragraph("Two\nthree")],
            ),
            (r"{\rtf1\ansicpg1252 Zo\'eb \u8217?s{\v hidden}}", vec![Block::paragraph("Zoë ’shidden")]),
            (r"{\rtf1\uc0 \u-10179 \u-8704 x\{y\}}", vec![Block::paragraph("\u{1f600}x{y}")]),
            (
                r"{\rtf1{\*\generator Word;}{\info{\author Jo}}{\pict ffd8}a}",
                vec![Block::paragraph_at("Jo", "document properties"), Block::paragraph("a")],
            ),
            (
                r"{\rtf1\trowd Name\cell Form\cell\row Amy\cell Oak\cell\row\pard after\par}",
                vec![table(&[&["Name", "Form"], &["Amy", "Oak"]]), Block::paragraph("after")],
            ),
            // Words behind the last cell of a row, and a row without an end.
            (r"{\rtf1 Amy\cell Oak\cell nuts\row}", vec![table(&[&["Amy", "Oak", "nuts"]])]),
            (r"{\rtf1 Amy\cell Oak\cell nuts}", vec![table(&[&["Amy", "Oak", "nuts"]])]),
            (r"{\rtf1 Amy\nestcell{\*\nesttableprops\nestrow}x\cell\row}", vec![table(&[&["Amy"], &["x"]])]),
            // What a field is told, without what programs tell it.
            (
                r#"{\rtf1 See {\field{\*\fldinst {HYPERLINK "http://x.example/amy" \\o "Amy Smith" \\* MERGEFORMAT}}{\fldrslt here}}}"#,
                vec![
                    Block::paragraph_at("http://x.example/amy Amy Smith", "field, hidden"),
                    Block::paragraph("See here"),
                ],
            ),
            (
                r#"{\rtf1 {\field{\*\fldinst PAGE \\* roman}{\fldrslt iv}} {\field{\*\fldinst DATE \\@ "d MMMM yyyy"}{\fldrslt x}}{\field{\*\fldinst TOC \\o "1-3" \\h}}}"#,
                vec![Block::paragraph("iv x")],
            ),
            // The text goes on around a note.
            (
                r"{\rtf1 Amy{\footnote ill\par} Smith}",
                vec![Block::paragraph_at("ill", "footnote"), Block::paragraph("Amy Smith")],
            ),
            // What stands for a letter ends with its group.
            (r"{\rtf1{\u8217}Amy}", vec![Block::paragraph("’Amy")]),
            (
                r"{\rtf1\uc9\u32 Amy Smith is}",
                vec![Block::paragraph("  is"), Block::paragraph_at("Amy Smith", "hidden part")],
            ),
        ] {
            let content = read(rtf.as_bytes());
            assert_eq!((content.blocks, content.incomplete), (expected, None), "{rtf}");
        }
    }

    #[test]
    fn destinations_known_and_unknown() {
        let hidden = |text: &str| vec![Block::paragraph_at(text, "hidden part")];
        for (rtf, expected) in [
            (r"{\rtf1{\*\strange Amy Smith}}", hidden("Amy Smith")),
            (
                r"{\rtf1{\shp{\*\shpinst{\sp{\sn posh}{\sv 12}}{\sp{\sn wz}{\sv Amy}}}}}",
                vec![Block::paragraph_at("Amy", "drawing")],
            ),
            (r"{\rtf1{\pict{\*\picprop{\sp{\sn wz}{\sv Amy}}}ffd8}}", vec![Block::paragraph_at("Amy", "drawing")]),
            (r"{\rtf1{\shp{\*\shpinst{\shptxt Amy\par}}}}", vec![Block::paragraph_at("Amy", "text box")]),
            (r"{\rtf1{\*\themedata 504b}{\*\datastore 0105}{\*\latentstyles Normal;}{\*\blipuid ab}}", vec![]),
            (r"{\rtf1{\*\htmltag64 <p>}Amy{\*\htmltag72 </p>}}", vec![Block::paragraph("Amy")]),
            (r"{\rtf1{\stylesheet{\s1 Heading;}}{\*\listtable{\list{\listname x;}}}}", vec![]),
        ] {
            let content = read(rtf.as_bytes());
            assert_eq!((content.blocks, content.incomplete), (expected, None), "{rtf}");
        }
    }

    #[test]
    fn a_font_says_how_its_letters_are_written() {
        let fonts = r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}{\f2\fcharset128 x;}{\f3\fcharset2 S;}}";
        for (text, expected) in [
            (r"\f1 \'c0\'ed\'ed\'e0", "Анна"),
            (r"{\f1 \'c0}\'e9", "Аé"),
            (r"\f2 \'82\'a0", "あ"),
            (r"\f1\plain\f0 Zo\'eb", "Zoë"),
            (r"\f3 Zo\'eb", "Zoë"),
        ] {
            let rtf = format!(r"{{\rtf1\ansicpg1252\deff0{fonts}{text}}}");
            assert_eq!(read(rtf.as_bytes()).blocks, [Block::paragraph(expected)], "{rtf}");
        }
    }

    #[test]
    fn objects_are_handed_on() {
        let data = packaged("list.csv", b"Amy");
        let object = [
            b"\x01\x05\0\0\x02\0\0\0\x08\0\0\0Package\0\0\0\0\0\0\0\0\0".as_slice(),
            &(data.len() as u32).to_le_bytes(),
            &data,
        ]
        .concat();
        let digits: String = object.iter().map(|octet| format!("{octet:02x}\n")).collect();
        let plain =
            format!(r"{{\rtf1{{\object\objemb{{\*\objclass Package}}{{\*\objdata {digits}}}{{\result seen}}}}}}");
        let split = plain.replace("objdata 01", "objdata {\\*\\strange}01").replace("Package", "Pack");
        let mut raw = format!(r"{{\rtf1{{\object{{\*\objdata \bin{} ", object.len()).into_bytes();
        raw.extend(&object);
        raw.extend(b"}}}");
        for rtf in [plain.as_bytes(), split.as_bytes(), &raw] {
            let content = read(rtf);
            assert_eq!(content.inner, [("list.csv".to_owned(), b"Amy".to_vec())], "{}", String::from_utf8_lossy(rtf));
            assert_eq!(content.incomplete, None);
        }
        assert_eq!(read(&plain.as_bytes()[..plain.len() - 60]).incomplete, Some(Why::Damaged));
    }

    #[test]
    fn cut_short_and_without_end() {
        let deep = "{".repeat(limits::RTF_DEPTH + 2) + "Amy" + &"}".repeat(limits::RTF_DEPTH + 2);
        for (rtf, text, incomplete) in [
            (r"{\rtf1 cut \'e", "cut ", Some(Why::Damaged)),
            (r"{\rtf1 Amy{\b Smith}", "AmySmith", Some(Why::Damaged)),
            (r"{\rtf1 Amy\bin99 Smith}", "Smith}", Some(Why::Damaged)),
            (&format!(r"{{\rtf1 {deep}}}"), "Amy", Some(Why::BeyondLimit)),
            (r"{\rtf1 Amy}}", "Amy", None),
            (r"{\rtf1 Amy{\pict\bin3 {{{}}", "Amy", None),
        ] {
            let content = read(rtf.as_bytes());
            let said = content.blocks.iter().any(|b| matches!(b, Block::Paragraph { text: t, .. } if t == text));
            assert!(said, "{rtf} {:?}", content.blocks);
            assert_eq!(content.incomplete, incomplete, "{rtf}");
        }
    }
}
