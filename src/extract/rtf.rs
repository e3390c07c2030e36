//! Rich Text Format: control words undone, hidden text and notes read, pictures and tables of fonts left out.

use super::file::Content;
use crate::message::decode_text;
use crate::text::{Block, Row, Table};

/// Destinations that hold no words of the writer.
const SKIPPED: &[&str] = &[
    "fonttbl",
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "rsidtbl",
    "generator",
    "pict",
    "themedata",
    "colorschememapping",
    "datastore",
    "latentstyles",
    "xmlnstbl",
    "filetbl",
    "revtbl",
    "fldinst",
    "objdata",
    "bkmkstart",
    "bkmkend",
    "mmathPr",
    "panose",
    "falt",
    "nonshppict",
    "wgrffmtfilter",
    "pnseclvl",
    "listpicture",
];

#[derive(Clone)]
struct Group {
    skip: bool,
    /// Characters to leave out behind a `\u`.
    fallback: usize,
}

struct Reader {
    blocks: Vec<Block>,
    /// Bytes in the document's code page that wait for decoding.
    pending: Vec<u8>,
    text: String,
    cells: Vec<String>,
    rows: Vec<Row>,
    code_page: &'static str,
}

/// Reads a file; every file can be read.
pub fn read(bytes: &[u8]) -> Content {
    let mut reader = Reader {
        blocks: Vec::new(),
        pending: Vec::new(),
        text: String::new(),
        cells: Vec::new(),
        rows: Vec::new(),
        code_page: "windows-1252",
    };
    reader.run(bytes);
    reader.end_paragraph();
    reader.end_table();
    Content { blocks: reader.blocks, ..Content::default() }
}

impl Reader {
    fn run(&mut self, bytes: &[u8]) {
        let mut group = Group { skip: false, fallback: 1 };
        let mut outer: Vec<Group> = Vec::new();
        let (mut at, mut drop) = (0, 0usize);
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'{' => outer.push(group.clone()),
                b'}' => {
                    if let Some(before) = outer.pop() {
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
                            match code.and_then(|h| u8::from_str_radix(h, 16).ok()) {
                                _ if drop > 0 => drop -= 1,
                                Some(code) if !group.skip => self.pending.push(code),
                                _ => {}
                            }
                        }
                        "u" => {
                            if !group.skip {
                                self.flush();
                                // Negative numbers are the upper half of 16 bits.
                                self.unit(number.unwrap_or(0) as u16);
                            }
                            drop = group.fallback;
                        }
                        "uc" => group.fallback = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(16),
                        "bin" => at = at.saturating_add(usize::try_from(number.unwrap_or(0)).unwrap_or(0)),
                        "*" => {
                            // An optional destination; notes and comments are among them, the rest is skipped by name.
                            let (name, ..) = control(bytes, at + usize::from(bytes.get(at) == Some(&b'\\')));
                            group.skip |=
                                !matches!(name, "annotation" | "atnauthor" | "shpinst" | "shptxt" | "ud" | "footnote");
                        }
                        "ansicpg" => self.code_page = code_page(number.unwrap_or(1252)),
                        name if SKIPPED.contains(&name) => group.skip = true,
                        _ if group.skip => {}
                        name => self.word(name),
                    }
                }
                b'\r' | b'\n' => {}
                _ if drop > 0 => drop -= 1,
                _ if group.skip => {}
                byte => self.pending.push(byte),
            }
        }
    }

    fn word(&mut self, name: &str) {
        match name {
            "par" | "sect" | "page" => {
                self.end_paragraph();
            }
            "line" => self.push('\n'),
            "tab" => self.push('\t'),
            "~" => self.push(' '),
            "_" => self.push('-'),
            "\\" | "{" | "}" => self.push(name.chars().next().unwrap_or(' ')),
            "lquote" => self.push('‘'),
            "rquote" => self.push('’'),
            "ldblquote" => self.push('“'),
            "rdblquote" => self.push('”'),
            "endash" => self.push('–'),
            "emdash" => self.push('—'),
            "bullet" => self.push('•'),
            "cell" | "nestcell" => {
                self.flush();
                let cell = std::mem::take(&mut self.text);
                self.cells.push(cell.trim().to_owned());
            }
            "row" | "nestrow" => {
                self.flush();
                let row = Row::of(std::mem::take(&mut self.cells));
                if row.is_filled() {
                    self.rows.push(row);
                }
            }
            "footnote" | "header" | "footer" | "headerl" | "headerr" | "footerl" | "footerr" | "annotation" => {
                self.end_paragraph();
            }
            _ => {}
        }
    }

    fn push(&mut self, c: char) {
        self.flush();
        self.text.push(c);
    }

    fn unit(&mut self, unit: u16) {
        // Pairs of surrogates come as two control words; the first waits as a private mark.
        match char::from_u32(u32::from(unit)) {
            Some(c) => self.text.push(c),
            None => {
                if (0xd800..0xdc00).contains(&unit) {
                    self.text.push(char::from_u32(0xf_0000 + u32::from(unit - 0xd800)).unwrap_or(' '));
                } else if let Some(high) = self.text.pop() {
                    let high = u32::from(high).wrapping_sub(0xf_0000);
                    let joined = 0x10000u32.wrapping_add(high << 10).wrapping_add(u32::from(unit) - 0xdc00);
                    self.text.push(char::from_u32(joined).unwrap_or(' '));
                }
            }
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let bytes = std::mem::take(&mut self.pending);
            let decoded = if bytes.is_ascii() {
                String::from_utf8_lossy(&bytes).into_owned()
            } else {
                decode_text(&bytes, Some(self.code_page))
            };
            self.text.push_str(&decoded);
        }
    }

    fn end_paragraph(&mut self) {
        self.flush();
        if !self.cells.is_empty() {
            // A paragraph inside a cell.
            self.text.push('\n');
            return;
        }
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            self.end_table();
            self.blocks.push(Block::paragraph(text));
        }
    }

    fn end_table(&mut self) {
        if !self.rows.is_empty() {
            let rows = std::mem::take(&mut self.rows);
            self.blocks.push(Block::Table(Table { detail: None, rows }));
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

fn code_page(number: i32) -> &'static str {
    match number {
        1250 => "windows-1250",
        1251 => "windows-1251",
        1253 => "windows-1253",
        1254 => "windows-1254",
        1257 => "windows-1257",
        10000 => "macintosh",
        932 => "shift_jis",
        936 => "gbk",
        65001 => "utf-8",
        _ => "windows-1252",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_codes_and_tables() {
        for (rtf, expected) in [
            (
                r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}Smi{\b th}\par Two\line three}",
                vec![Block::paragraph("Smith"), Block::paragraph("Two\nthree")],
            ),
            (r"{\rtf1\ansicpg1252 Zo\'eb \u8217?s{\v hidden}}", vec![Block::paragraph("Zoë ’shidden")]),
            (r"{\rtf1\uc0 \u-10179 \u-8704 x\{y\}}", vec![Block::paragraph("\u{1f600}x{y}")]),
            (r"{\rtf1{\*\generator Word;}{\info{\author Jo}}{\pict ffd8}a}", vec![Block::paragraph("Joa")]),
            (
                r"{\rtf1\trowd Name\cell Form\cell\row Amy\cell Oak\cell\row\pard after\par}",
                vec![
                    Block::Table(Table {
                        detail: None,
                        rows: vec![
                            Row::of(vec!["Name".into(), "Form".into()]),
                            Row::of(vec!["Amy".into(), "Oak".into()]),
                        ],
                    }),
                    Block::paragraph("after"),
                ],
            ),
            (r"{\rtf1 cut \'e", vec![Block::paragraph("cut ")]),
        ] {
            assert_eq!(read(rtf.as_bytes()).blocks, expected, "{rtf}");
        }
    }
}
