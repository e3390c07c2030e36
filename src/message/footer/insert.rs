//! The words put into one body: in its own charset and transfer encoding, as one run.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::{charset, transfer};
use super::seek::{Body, Transfer};
use super::{Why, page, words};
use crate::limits;

/// The body as it stands in the raw bytes, with the words; `text` is what it says now.
pub fn below(body: &Body, encoded: &[u8], text: &str, footers: &[&str]) -> Result<Vec<u8>, Why> {
    let at = if body.page { page::place(&body.decoded).ok_or(Why::Page)? } else { body.decoded.len() };
    let (before, after) = body.decoded.split_at(at);
    for (told, bytes) in runs(body, before, after, footers) {
        let decoded = [before, &bytes, after].concat();
        if !says(&decoded, body.charset.as_deref(), &told, text) {
            continue;
        }
        let mut with = match body.transfer {
            Transfer::Plain => decoded.clone(),
            Transfer::Base64 => base64(&decoded, encoded.ends_with(b"\n")),
            Transfer::QuotedPrintable => {
                let Some(place) = place_in_codes(encoded, at) else { continue };
                let run = quoted_printable(&encoded[..place], &bytes);
                let with = [&encoded[..place], &run, &encoded[place..]].concat();
                if transfer::quoted_printable(&with).0 != decoded {
                    continue;
                }
                with
            }
        };
        if body.tight {
            with.extend_from_slice(b"\r\n");
        }
        return Ok(with);
    }
    Err(Why::Characters)
}

/// What may be put in there, best first: what it says, and its bytes.
fn runs(body: &Body, before: &[u8], after: &[u8], footers: &[&str]) -> Vec<(String, Vec<u8>)> {
    let at_line_start = before.is_empty() || before.ends_with(b"\n");
    let mut run = String::new();
    if !at_line_start {
        run.push_str("\r\n");
    }
    if body.page {
        run.push_str(&words::page(footers));
    } else {
        if !before.is_empty() && !before.ends_with(b"\n\r\n") && !before.ends_with(b"\n\n") {
            run.push_str("\r\n");
        }
        run.push_str(&words::lines(footers, body.flowed));
    }
    // A line that went on goes on in the next; a text without a line end behind it has none again.
    if at_line_start || !after.is_empty() {
        run.push_str("\r\n");
    }
    let seven_bits = body.transfer == Transfer::Plain && body.decoded.is_ascii();
    let own = body.charset.as_deref().filter(|_| !seven_bits).and_then(|label| words::said(&run, label));
    let ascii = words::ascii(&run).map(|plain| (plain.clone(), plain.into_bytes()));
    own.into_iter().chain(ascii).collect()
}

/// Whether these bytes say what was said before, and the run once, as whoever gets them reads them.
fn says(decoded: &[u8], label: Option<&str>, run: &str, before: &str) -> bool {
    let says = charset::decode(decoded, label);
    says.rfind(run).is_some_and(|at| {
        says.len() == before.len() + run.len() && [&says[..at], &says[at + run.len()..]].concat() == before
    })
}

/// Lines of base64 (RFC 2045 6.8).
fn base64(decoded: &[u8], line_end: bool) -> Vec<u8> {
    let encoded = STANDARD.encode(decoded);
    let lines: Vec<&[u8]> = encoded.as_bytes().chunks(limits::FOOTER_LINE).collect();
    let mut out = lines.join(&b"\r\n"[..]);
    if line_end {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Where the octet of this number begins in quoted-printable; all of it behind the last. Reads codes as [`transfer::quoted_printable`] does.
fn place_in_codes(encoded: &[u8], octet: usize) -> Option<usize> {
    let hex = |at: usize| encoded.get(at).is_some_and(u8::is_ascii_hexdigit);
    let (mut at, mut octets) = (0, 0);
    while at < encoded.len() {
        let (width, gives) = match encoded[at] {
            b'=' if hex(at + 1) && hex(at + 2) => (3, 1),
            b'=' => {
                let blanks = encoded[at + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                match &encoded[at + 1 + blanks..] {
                    [] => (1 + blanks, 0),
                    [b'\r', b'\n', ..] => (3 + blanks, 0),
                    [b'\r' | b'\n', ..] => (2 + blanks, 0),
                    _ => (1, 1),
                }
            }
            _ => (1, 1),
        };
        if octets == octet && gives == 1 {
            return Some(at);
        }
        at += width;
        octets += gives;
    }
    (octets == octet).then_some(encoded.len())
}

/// The run in quoted-printable, to stand behind `before` (RFC 2045 6.7).
fn quoted_printable(before: &[u8], run: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(run.len() * 2);
    if before.ends_with(b"=") {
        // A soft break whose line end is the boundary's.
        out.extend_from_slice(b"\r\n");
    } else if !before.is_empty() && !before.ends_with(b"\n") && (!run.starts_with(b"\r\n") || before.ends_with(b" ")) {
        out.extend_from_slice(b"=\r\n");
    }
    let mut column = 0;
    let mut at = 0;
    while at < run.len() {
        let rest = &run[at..];
        if rest.starts_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
            (column, at) = (0, at + 2);
            continue;
        }
        let byte = rest[0];
        let at_line_end = rest.len() == 1 || rest[1..].starts_with(b"\r\n");
        let as_it_is = match byte {
            b' ' | b'\t' => !at_line_end,
            // What transport has taken for something else at the beginning of a line.
            b'.' | b'F' | b'-' => column > 0,
            b'=' => false,
            byte => byte.is_ascii_graphic(),
        };
        let code = if as_it_is { vec![byte] } else { format!("={byte:02X}").into_bytes() };
        // The `=` of a soft break has a place too.
        if column + code.len() + 1 > limits::FOOTER_LINE {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        column += code.len();
        out.extend_from_slice(&code);
        at += 1;
    }
    out
}
