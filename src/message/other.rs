//! The other way in which a part's headers can be taken: the bytes of the part as some programs understand it, made so that
//! they can be read like any part.
//!
//! Two kinds are known: headers of MIME that stand at the beginning of the body, behind a blank line too early, and headers
//! of MIME that are a folded line of another header (RFC 5322 2.2, RFC 2045 3).

use std::ops::Range;

use super::header::{self, Header};

/// The part with those headers of its own that its folding had made the rest of others; `blanks` stand before them.
pub fn unfolded(part: &[u8], blanks: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len());
    let mut from = 0;
    for range in blanks {
        out.extend_from_slice(part.get(from..range.start).unwrap_or_default());
        from = range.end;
    }
    out.extend_from_slice(part.get(from..).unwrap_or_default());
    out
}

/// The part that the headers at the beginning of its body make of it, `None` where there are none. `headers` are those of
/// the part, whose spans count from `base`; where both name a thing, those of the body hold.
pub fn headed_inside(part: &[u8], headers: &[Header], base: usize, body: &[u8]) -> Option<Vec<u8>> {
    let blank = |line: &&[u8]| line.trim_ascii().is_empty();
    let blanks: usize = body.split_inclusive(|b| *b == b'\n').take_while(blank).map(<[u8]>::len).sum();
    let rest = &body[blanks..];
    let first = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
    if !begins_header(first) {
        return None;
    }
    let block = header::read_block(rest, 0);
    if !block.headers.iter().any(|field| rest.get(field.span.clone()).is_some_and(header::is_mime_field)) {
        return None;
    }
    let named_inside = |name: &str| block.headers.iter().any(|inner| inner.is(name));
    let mut out = Vec::with_capacity(part.len());
    for field in headers.iter().filter(|field| !named_inside(&field.name)) {
        let span = field.span.start.saturating_sub(base)..field.span.end.saturating_sub(base);
        push_line(&mut out, part.get(span).unwrap_or_default());
    }
    for field in &block.headers {
        push_line(&mut out, rest.get(field.span.clone()).unwrap_or_default());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(rest.get(block.body..).unwrap_or_default());
    Some(out)
}

fn push_line(out: &mut Vec<u8>, field: &[u8]) {
    out.extend_from_slice(field);
    if !field.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
}

/// `Content-…:` or `MIME-Version:`.
fn begins_header(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else { return false };
    let name = line[..colon].trim_ascii_end().to_ascii_lowercase();
    let letters = |name: &[u8]| !name.is_empty() && name.iter().all(|b| b.is_ascii_lowercase() || *b == b'-');
    name == b"mime-version" || name.strip_prefix(b"content-").is_some_and(letters)
}

#[cfg(test)]
mod tests {
    use crate::message::{Message, read};

    fn shows(message: &Message<'_>, name: Option<&str>, body: &str) -> bool {
        message.parts.iter().any(|part| {
            let named = name.is_none_or(|name| part.names.iter().any(|n| n == name));
            named && String::from_utf8_lossy(&part.body).trim() == body
        })
    }

    fn multipart(part: &str) -> Vec<u8> {
        let text = format!(
            "Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n--b\n{part}\n--b--\n"
        );
        text.replace('\n', "\r\n").into_bytes()
    }

    #[test]
    fn headers_that_stand_in_the_body_are_read_both_ways() {
        let named = "Content-Type: text/csv\nContent-Disposition: attachment; filename=\"a.csv\"\n";
        let encoding = "Content-Transfer-Encoding: base64\n";
        for (raw, name, body) in [
            (multipart(&format!("{named}\n{encoding}\nQW15IFNtaXRo")), Some("a.csv"), "Amy Smith"),
            (multipart(&format!("\n{named}{encoding}\nQW15IFNtaXRo")), Some("a.csv"), "Amy Smith"),
            (multipart(&format!("\n\n{encoding}{named}\nQW15IFNtaXRo")), Some("a.csv"), "Amy Smith"),
            (multipart(&format!("\nContent-ID: <1>\n{encoding}\nQW15IFNtaXRo")), None, "Amy Smith"),
            (format!("Subject: x\n\n{encoding}\nQW15IFNtaXRo").into_bytes(), None, "Amy Smith"),
            (format!("Subject: x\n\nMIME-Version: 1.0\n{encoding}\nQW15IFNtaXRo").into_bytes(), None, "Amy Smith"),
            (
                b"Subject: x\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nAmy\n--b\nContent-Transfer-Encoding: base64\n\nQW15IFNtaXRo\n--b--\n".to_vec(),
                None,
                "Amy Smith",
            ),
            (
                b"Subject: x\n Content-Transfer-Encoding: base64\n\nQW15IFNtaXRo\n".to_vec(),
                None,
                "Amy Smith",
            ),
            (
                b"Subject: x\r\n Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nQW15IFNtaXRo\r\n--b--\r\n".to_vec(),
                None,
                "Amy Smith",
            ),
            (
                multipart("Content-Type: text/plain;\n Content-Transfer-Encoding: base64\n\nQW15IFNtaXRo"),
                None,
                "Amy Smith",
            ),
        ] {
            let message = read(&raw);
            let text = String::from_utf8_lossy(&raw);
            assert!(!message.faults.is_empty(), "{text}");
            assert!(shows(&message, name, body), "{text}: {:#?}", message.parts);
            // The first reading stays.
            assert!(message.parts.iter().any(|part| String::from_utf8_lossy(&part.body).contains("QW15IFNtaXRo")), "{text}");
        }
    }

    #[test]
    fn prose_that_begins_alike_is_no_fault() {
        for body in [
            "Content: what we teach\n\nMaths.",
            "Content-wise: all is well.\n",
            "Content-Type: a heading that some programs write\n",
            "From: the heart\nContent-Type: text/plain\n",
            "The header was\nContent-Transfer-Encoding: base64\n",
            "contents: 1\n",
            "",
        ] {
            let raw = format!("Subject: x\n\n{body}");
            assert_eq!(read(raw.as_bytes()).faults, Vec::<String>::new(), "{body}");
            assert_eq!(
                read(&multipart(&format!("Content-Type: text/plain\n\n{body}"))).faults,
                Vec::<String>::new(),
                "{body}"
            );
        }
    }

    #[test]
    fn readings_upon_readings_come_to_an_end() {
        let raw = format!("Subject: x\n\n{}QW15", "Content-Transfer-Encoding: base64\n\n".repeat(50));
        let message = read(raw.as_bytes());
        assert!(!message.faults.is_empty() && message.parts.len() <= 1 + crate::limits::READ_AGAIN);
    }
}
