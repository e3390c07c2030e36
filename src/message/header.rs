//! The header lines of a message or part, read by ourselves from the raw bytes (RFC 5322 2.2).
//!
//! Both line ends are understood. Nothing is dropped: a line that is no header is reported, not skipped in silence.

use std::ops::Range;

use super::faults::Faults;
use super::{charset, encoded_word};

/// One header line (RFC 5322 2.2).
#[derive(Debug, Clone)]
pub struct Header {
    /// As written.
    pub name: String,
    /// The value with folding undone and encoded words decoded (RFC 2047).
    pub value: String,
    /// The value with folding undone and nothing decoded: addresses and parameters are taken from here.
    pub raw_value: String,
    /// Where the whole field stands in the raw bytes.
    pub span: Range<usize>,
}

impl Header {
    /// Compares names without regard to case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A header block as read.
#[derive(Debug, Default)]
pub struct Block {
    /// Its fields in order.
    pub headers: Vec<Header>,
    /// Where the body starts, from the start of the bytes given.
    pub body: usize,
    /// What is wrong with it, in plain words.
    pub faults: Faults,
    /// Where the blanks stand without which a folded line would be a header of MIME.
    pub swallowed: Vec<Range<usize>>,
}

/// The bytes without such fields of the block at their start.
pub fn without(raw: &[u8], unwanted: impl Fn(&Header) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = 0;
    for field in read_block(raw, 0).headers.iter().filter(|field| unwanted(field)) {
        out.extend_from_slice(raw.get(rest..field.span.start).unwrap_or_default());
        rest = field.span.end;
    }
    out.extend_from_slice(raw.get(rest..).unwrap_or_default());
    out
}

/// Reads the block at the start of `raw`; spans count from `base`.
pub fn read_block(raw: &[u8], base: usize) -> Block {
    let mut block = Block::default();
    let mut fields: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    let mut ended = false;
    while at < raw.len() {
        let end = memchr::memchr(b'\n', &raw[at..]).map_or(raw.len(), |n| at + n + 1);
        let line = trim_line_end(&raw[at..end]);
        if line.is_empty() {
            at = end;
            ended = true;
            break;
        }
        if matches!(line[0], b' ' | b'\t') && !fields.is_empty() {
            if line.iter().all(|b| matches!(b, b' ' | b'\t')) && raw.get(end).is_some_and(|b| !b.is_ascii_whitespace())
            {
                block.faults.push("a header line of blanks alone, which some programs take for the end");
            }
            let unfolded = line.trim_ascii_start();
            // Its value may stand on a folded line of its own.
            let value_end = match raw.get(end) {
                Some(b' ' | b'\t') => memchr::memchr(b'\n', &raw[end..]).map_or(raw.len(), |n| end + n),
                _ => end,
            };
            if is_mime_field(&raw[at + line.len() - unfolded.len()..value_end]) {
                block.faults.push("a header of MIME inside another one that is folded");
                block.swallowed.push(at..at + line.len() - unfolded.len());
            }
            if let Some(last) = fields.last_mut() {
                last.end = end;
            }
        } else if is_field(line) {
            fields.push(at..end);
        } else if at == 0 && (line.starts_with(b"From ") || line.starts_with(b">From ")) {
            // The separator line of a mailbox file.
        } else {
            block.faults.push("a line among the headers that is no header");
            if fields.is_empty() {
                // Not a header block at all: everything is body.
                at = 0;
                ended = true;
                break;
            }
        }
        at = end;
    }
    block.body = if ended { at } else { raw.len() };
    for field in fields {
        let bytes = &raw[field.clone()];
        if let Some(fault) = control_fault(bytes) {
            block.faults.push(fault);
        }
        let colon = memchr::memchr(b':', bytes).unwrap_or(0);
        let name = String::from_utf8_lossy(&bytes[..colon]).trim_end().to_owned();
        if name.len() != colon && name.len() >= 7 && name[..7].eq_ignore_ascii_case("content") {
            block.faults.push("blanks between a Content header's name and its colon");
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if name.len() > 7 && name[..7].eq_ignore_ascii_case("content") && !name.bytes().all(plain) {
            block.faults.push("a header that some programs take for a Content header");
        }
        let raw_value = charset::guess(&unfold(&bytes[(colon + 1).min(bytes.len())..]));
        let raw_value = raw_value.trim().to_owned();
        let value = encoded_word::decode(&raw_value);
        block.headers.push(Header { name, value, raw_value, span: base + field.start..base + field.end });
    }
    block
}

/// A field name is printable ASCII without a colon (RFC 5322 2.2); blanks before the colon are the obsolete form.
fn is_field(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else { return false };
    let name = line[..colon].trim_ascii_end();
    !name.is_empty() && name.iter().all(|b| (33..=126).contains(b))
}

/// Whether such a line is a header that decides how content is shown, with a value that it can have: a list of names of
/// headers, as signatures hold it over several lines, is none.
pub fn is_mime_field(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else { return false };
    let name = line[..colon].trim_ascii_end().to_ascii_lowercase();
    let mut value = line[colon + 1..].trim_ascii_start();
    while let Some(comment) = value.strip_prefix(b"(") {
        let Some(end) = memchr::memchr(b')', comment) else { break };
        value = comment[end + 1..].trim_ascii_start();
    }
    let value = value.strip_prefix(b"\"").unwrap_or(value).to_ascii_lowercase();
    let begins = |with: &[&str]| with.iter().any(|start| value.starts_with(start.as_bytes()));
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.+_".contains(byte);
    match name.as_slice() {
        b"content-type" => {
            let main = value.iter().take_while(|byte| word(byte)).count();
            main > 0 && value.get(main) == Some(&b'/') && value.get(main + 1).is_some_and(word)
        }
        b"content-transfer-encoding" => begins(&["7bit", "8bit", "binary", "base64", "quoted-printable", "x-"]),
        b"content-disposition" => begins(&["attachment", "inline", "form-data"]),
        b"mime-version" => value.first().is_some_and(u8::is_ascii_digit),
        _ => false,
    }
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Takes the line ends out of a folded value (RFC 5322 2.2.3); the white space that follows them stays.
fn unfold(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect()
}

fn control_fault(field: &[u8]) -> Option<&'static str> {
    for (at, &byte) in field.iter().enumerate() {
        match byte {
            b'\r' if field.get(at + 1) != Some(&b'\n') => {
                return Some("a carriage return by itself inside a header");
            }
            // ESC switches charsets in raw ISO-2022-JP.
            0..=8 | 11 | 12 | 14..=26 | 28..=31 | 127 => return Some("a control character inside a header"),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_encoding_and_spans() {
        let raw = b"Subject: =?utf-8?Q?Zo=C3=AB?=\r\n =?utf-8?Q?_Smith?=\r\nX-Raw: Zo\xeb Brown\r\n\r\nbody";
        let block = read_block(raw, 100);
        assert!(block.faults.is_empty(), "{:?}", block.faults);
        assert_eq!(block.headers[0].value, "Zoë Smith");
        assert_eq!(block.headers[1].value, "Zoë Brown");
        assert_eq!(block.headers[1].span.start, 100 + raw.windows(5).position(|w| w == b"X-Raw").unwrap());
        assert_eq!(&raw[block.body..], b"body");
    }

    #[test]
    fn faults_and_none() {
        for (raw, faulty) in [
            (&b"A: b\nC: d\n\nx"[..], false),
            (b"From x Mon\nA: b\n\n", false),
            (b"A: b\n\tc\n\n", false),
            (b"A: b\n", false),
            (b"A: b\x00c\n\n", true),
            (b"A: b\rC: d\n\n", true),
            (b"A: b\nno header here\n\n", true),
            (b"Content-Type : text/plain\n\n", true),
            (b"A: b\n \nContent-Type: text/html\n\n", true),
            (b"Subject: x\r\n Content-Type: multipart/mixed; boundary=b\r\n\r\n", true),
            (b"A: b\n\tcontent-transfer-encoding:base64\n\n", true),
            (b"A: b\n MIME-Version: 1.0\n\n", true),
            (b"A: b\n Content-Type:\n  text/html\n\n", true),
            (b"A: b\n Content-Transfer-Encoding: (x) \"base64\"\n\n", true),
            (b"A: b\n Content-Type:\nX-Y: text/html\n\n", false),
            (b"DKIM-Signature: v=1; h=From:Subject:\n Content-Type:MIME-Version:Content-Transfer-Encoding:\n MIME-Version:To; b=x\n\n", false),
            (b"Subject: About the\n Content-Type: header, and others\n\n", false),
        ] {
            assert_eq!(!read_block(raw, 0).faults.is_empty(), faulty, "{}", String::from_utf8_lossy(raw));
        }
    }
}
