//! The words themselves: as lines of a plain text or of a page, in the characters that a part can say, and folded for comparison.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use crate::limits;

/// Letters and digits alone, in small letters: blanks, line ends, marks of quotation and other signs do not count.
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match look_alike(c) {
            Some(plain) => out.extend(plain.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)),
            None if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            None => {}
        }
    }
    out
}

/// As a plain text holds them: broken between words, a blank line between one footer and the next, no line end behind the last.
pub fn lines(footers: &[&str], flowed: bool) -> String {
    let mut all: Vec<String> = Vec::new();
    for (number, footer) in footers.iter().enumerate() {
        if number > 0 {
            all.push(String::new());
        }
        for line in footer.lines() {
            all.extend(
                broken(line, limits::FOOTER_LINE).into_iter().map(|line| if flowed { stuffed(line) } else { line }),
            );
        }
    }
    all.join("\r\n")
}

/// As a page holds them, in ASCII alone: whatever else is written as a reference, which every charset can say.
pub fn page(footers: &[&str]) -> String {
    let mut out = String::from("<div>");
    for footer in footers {
        for line in footer.lines() {
            out.push_str("<br>\r\n");
            let escaped = broken(line, limits::FOOTER_LINE).into_iter().map(|line| references(&line));
            out.push_str(&escaped.collect::<Vec<_>>().join("\r\n"));
        }
        out.push_str("<br>");
    }
    out.push_str("\r\n</div>");
    out
}

/// A line in pieces of so many characters at most, broken at blanks where there are any.
fn broken(line: &str, most: usize) -> Vec<String> {
    let (mut pieces, mut piece, mut length) = (Vec::new(), String::new(), 0);
    for word in line.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for (number, run) in letters.chunks(most).enumerate() {
            let blank = usize::from(number == 0 && length > 0);
            if length > 0 && (number > 0 || length + blank + run.len() > most) {
                pieces.push(std::mem::take(&mut piece));
                length = 0;
            } else if blank > 0 {
                piece.push(' ');
                length += 1;
            }
            piece.extend(run);
            length += run.len();
        }
    }
    pieces.push(piece);
    pieces
}

/// RFC 3676 4.4: what a reader of flowed text would take for something else is moved by a blank. No line ends in a blank: all are fixed.
fn stuffed(line: String) -> String {
    if line.starts_with([' ', '>']) || line.starts_with("From ") { format!(" {line}") } else { line }
}

fn references(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out
}

/// The text in ASCII, by what looks alike; `None` where there is nothing alike.
pub fn ascii(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(&look_alike(c)?);
        }
    }
    Some(out)
}

/// The text as such a charset says it, by what looks alike where it cannot; with its bytes. `None` where it says ASCII alone, or is not
/// known.
pub fn said(text: &str, label: &str) -> Option<(String, Vec<u8>)> {
    let label = label.trim();
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    if encoding == UTF_8 {
        return Some((text.to_owned(), text.as_bytes().to_vec()));
    }
    if label.contains("ascii") || label.starts_with("ansi") || !encoding.is_single_byte() {
        return None;
    }
    // What programs read as Windows-1252 says it is ISO 8859-1, which has control characters where that has typographer's marks.
    let latin = encoding == WINDOWS_1252 && !label.contains("1252");
    let (mut told, mut bytes) = (String::with_capacity(text.len()), Vec::with_capacity(text.len()));
    for c in text.chars() {
        let mut buffer = [0; 4];
        let written: &str = c.encode_utf8(&mut buffer);
        let can = !latin || c.is_ascii() || ('\u{a0}'..='\u{ff}').contains(&c);
        let (encoded, _, unmappable) = encoding.encode(written);
        if can && !unmappable {
            told.push(c);
            bytes.extend_from_slice(&encoded);
        } else {
            let plain = look_alike(c)?;
            told.push_str(&plain);
            bytes.extend_from_slice(plain.as_bytes());
        }
    }
    Some((told, bytes))
}

/// What a character beyond ASCII looks like in ASCII.
fn look_alike(c: char) -> Option<String> {
    let by_hand = match c {
        c if c.is_ascii() => return None,
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
        '\u{2022}' | '\u{b7}' | '\u{25cf}' => "*",
        '\u{a3}' => "GBP ",
        '\u{20ac}' => "EUR ",
        '\u{a9}' => "(c)",
        '\u{ae}' => "(R)",
        '\u{d7}' => "x",
        '\u{df}' => "ss",
        '\u{e6}' => "ae",
        '\u{c6}' => "AE",
        '\u{153}' => "oe",
        '\u{152}' => "OE",
        '\u{f8}' => "o",
        '\u{d8}' => "O",
        '\u{142}' => "l",
        '\u{141}' => "L",
        '\u{ad}' | '\u{200b}' | '\u{feff}' => "",
        _ => {
            let mut plain = String::new();
            decompose_compatible(c, |d| match d {
                d if is_combining_mark(d) => {}
                '\u{2044}' => plain.push('/'),
                d => plain.push(d),
            });
            return (plain.is_ascii() && !plain.is_empty()).then_some(plain);
        }
    };
    Some(by_hand.to_owned())
}
