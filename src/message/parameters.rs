//! A structured value with parameters, as of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2231).
//!
//! Keeps every parameter in order, doubled ones too, so that a caller can see that two readings are possible.

use super::{charset, encoded_word};

/// `text/plain; charset=utf-8` taken apart.
#[derive(Debug, Default)]
pub struct Value {
    /// What stands before the first semicolon, in lower case, without comments.
    pub main: String,
    /// Names in lower case with their decoded values, in order; RFC 2231 pieces are joined.
    pub parameters: Vec<(String, String)>,
    /// A parameter written in a way that mail programs read differently.
    pub odd: bool,
}

impl Value {
    /// All values given for a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.parameters.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The first value given for a name.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// One piece of a parameter that RFC 2231 splits or encodes.
struct Piece {
    name: String,
    index: usize,
    encoded: bool,
    value: String,
}

/// Takes an unfolded, undecoded value apart.
pub fn parse(raw: &str) -> Value {
    let mut value = Value::default();
    let mut pieces: Vec<Piece> = Vec::new();
    for (number, section) in sections(raw).into_iter().enumerate() {
        if number == 0 {
            value.main = section.text.trim().to_ascii_lowercase();
            value.odd |= section.quoted || section.comment;
            continue;
        }
        let Some((name, text)) = section.text.split_once('=') else {
            continue;
        };
        let name = name.trim().to_ascii_lowercase();
        value.odd |= section.comment && name.starts_with("boundary");
        let text = section.value(text);
        match name.split_once('*') {
            None => value.parameters.push((name, encoded_word::decode(text))),
            Some((base, marks)) => {
                let encoded = marks.is_empty() || marks.ends_with('*');
                let index = marks.trim_end_matches('*').parse().unwrap_or(0);
                pieces.push(Piece { name: base.to_owned(), index, encoded, value: text.to_owned() });
            }
        }
    }
    join_pieces(pieces, &mut value);
    value
}

fn join_pieces(mut pieces: Vec<Piece>, value: &mut Value) {
    pieces.sort_by(|a, b| a.name.cmp(&b.name).then(a.index.cmp(&b.index)));
    for group in pieces.chunk_by(|a, b| a.name == b.name) {
        let mut label = None;
        let mut bytes = Vec::new();
        for (number, piece) in group.iter().enumerate() {
            let mut text = piece.value.as_str();
            if number == 0 && piece.encoded {
                let mut marks = text.splitn(3, '\'');
                if let (Some(charset), Some(_language), Some(rest)) = (marks.next(), marks.next(), marks.next()) {
                    label = Some(charset.to_owned());
                    text = rest;
                }
            }
            if piece.encoded {
                bytes.extend(percent(text));
            } else {
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        value.odd |= group[0].name == "boundary";
        value.parameters.push((group[0].name.clone(), charset::decode(&bytes, label.as_deref())));
    }
}

fn percent(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| (*b as char).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[derive(Default)]
struct Section {
    text: String,
    quoted: bool,
    comment: bool,
    /// Where the text stood that the first quotation marks began with and the last ended with: blanks in it are its own.
    inside: Option<std::ops::Range<usize>>,
}

impl Section {
    fn opens(&mut self) {
        self.quoted = true;
        self.inside.get_or_insert(self.text.len()..usize::MAX);
    }

    fn closes(&mut self) {
        if let Some(inside) = &mut self.inside {
            inside.end = self.text.len();
        }
    }

    /// The value, which is the end of the text, without the blanks around it that no quotation marks hold.
    fn value<'t>(&self, value: &'t str) -> &'t str {
        let Some(inside) = &self.inside else { return value.trim() };
        let before = self.text.len().saturating_sub(value.len());
        let kept = |at: usize| at.saturating_sub(before).min(value.len());
        let (start, end) = (kept(inside.start), kept(inside.end));
        let blanks = |text: &str| text.len() - text.trim_start().len();
        let start = blanks(value).min(start);
        let end = value.trim_end().len().max(end);
        value.get(start..end).unwrap_or_default()
    }
}

/// Splits at semicolons outside quotes and comments; quotes and escapes are undone, comments dropped.
fn sections(raw: &str) -> Vec<Section> {
    let mut out = Vec::new();
    let mut section = Section::default();
    let (mut in_quotes, mut depth) = (false, 0usize);
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_quotes => {
                // Some programs write Windows paths into names without escaping them: keep the backslash of those.
                match chars.next() {
                    Some(next @ ('"' | '\\')) => section.text.push(next),
                    Some(next) => section.text.extend(['\\', next]),
                    None => {}
                }
            }
            '"' if depth == 0 => {
                in_quotes = !in_quotes;
                if in_quotes { section.opens() } else { section.closes() }
            }
            '(' if !in_quotes && (depth > 0 || !section.text.contains('=') || section.text.ends_with([' ', '='])) => {
                depth += 1;
                section.comment = true;
            }
            ')' if !in_quotes && depth > 0 => depth -= 1,
            ';' if !in_quotes && depth == 0 => {
                out.push(std::mem::take(&mut section));
            }
            _ if depth > 0 => {}
            c => section.text.push(c),
        }
    }
    out.push(section);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_all_their_forms() {
        for (raw, name, expected) in [
            ("attachment; filename=a.docx", "filename", "a.docx"),
            ("attachment; filename=\"Amy; Smith.docx\"", "filename", "Amy; Smith.docx"),
            ("attachment; filename*=utf-8'en'Zo%C3%AB.pdf", "filename", "Zoë.pdf"),
            ("attachment; filename*1=\"b.pdf\"; filename*0=\"a\"", "filename", "ab.pdf"),
            ("attachment; filename*0*=iso-8859-1''Zo%EB; filename*1=.pdf", "filename", "Zoë.pdf"),
            ("attachment; filename=\"=?utf-8?Q?Zo=C3=AB.pdf?=\"", "filename", "Zoë.pdf"),
            ("attachment; filename=list(1).csv", "filename", "list(1).csv"),
            (
                "attachment; filename*0=\"Targets for Keira\";\r\n filename*1=\" Doyle.txt\"",
                "filename",
                "Targets for Keira Doyle.txt",
            ),
            (
                "attachment; filename*0=\"Targets for Keira \"; filename*1=\"Doyle.txt\"",
                "filename",
                "Targets for Keira Doyle.txt",
            ),
            ("attachment; filename*0 = \"a\" ; filename*1 = \" b\" ", "filename", "a b"),
            ("attachment; filename*0=a ; filename*1= b", "filename", "ab"),
            ("attachment; filename = \"a b\" ", "filename", "a b"),
            ("attachment; filename=\"  \"", "filename", "  "),
            ("attachment; filename=\" open", "filename", " open"),
            ("multipart/mixed; BOUNDARY=\"a\\\"b\"", "boundary", "a\"b"),
        ] {
            assert_eq!(parse(raw).first(name), Some(expected), "{raw}");
        }
    }

    #[test]
    fn doubled_and_odd() {
        let value = parse("multipart/mixed; boundary=X; boundary=Y");
        assert_eq!(value.all("boundary").collect::<Vec<_>>(), ["X", "Y"]);
        assert!(parse("multipart/mixed; boundary((c))=A").odd);
        assert!(parse("multipart/mixed; boundary*=utf-8''X").odd);
        assert!(!parse("text/plain; charset=utf-8; format=flowed").odd);
    }
}
