//! Parameters in pieces (RFC 2231 3), counted before a parser joins them.
//!
//! mail-parser copies a parameter anew for each of its pieces, so that a header of many pieces costs the product of their
//! number and its length. Never knows what the pieces say.

use crate::limits;

/// Whether joining the pieces of all headers costs more than is spent.
pub fn are_too_many(raw: &[u8]) -> bool {
    let mut work = 0usize;
    let mut start = 0;
    let mut paragraph = Paragraph::default();
    for end in memchr::memchr_iter(b'\n', raw).map(|at| at + 1).chain([raw.len()]) {
        let line = &raw[start..end];
        if line.trim_ascii().is_empty() {
            work = work.saturating_add(std::mem::take(&mut paragraph).work());
        } else {
            paragraph.line(line);
        }
        start = end;
    }
    work.saturating_add(paragraph.work()) > limits::PARAMETER_PIECES_WORK
}

/// Lines without a blank one between them: a header, or something else.
#[derive(Default)]
struct Paragraph {
    /// A header with parameters stands in it.
    structured: bool,
    octets: usize,
    pieces: usize,
}

impl Paragraph {
    fn line(&mut self, line: &[u8]) {
        let begins = |name: &str| line.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()));
        self.structured |= begins("content-");
        self.octets += line.len();
        self.pieces += memchr::memchr_iter(b'*', line).filter(|at| is_piece(&line[at + 1..])).count();
    }

    fn work(self) -> usize {
        if self.structured { self.pieces.saturating_mul(self.octets) } else { 0 }
    }
}

/// Whether what stands behind an asterisk makes it the mark of a piece: `*0=`, `*0*=`.
fn is_piece(after: &[u8]) -> bool {
    after.trim_ascii_start().first().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pieces_of_a_long_parameter_are_too_many() {
        let pieces = |count: usize, end: &str| {
            (0..count).map(|n| format!(";\r\n name*{n}{end}=aaaaaaaaaaaaaaaaaaaa")).collect::<String>()
        };
        let long = "x".repeat(limits::PARAMETER_PIECES_WORK / 20);
        for (raw, expected) in [
            (format!("Content-Type: text/plain{}\r\n\r\nhello", pieces(50, "")), false),
            (format!("Content-Type: text/plain{}\r\n\r\nhello", pieces(50, "*")), false),
            (format!("Content-Type: text/plain{}\r\n\r\nhello", pieces(8_000, "")), true),
            (format!("To: a\n\n--b\ncontent-disposition: x{}", pieces(8_000, "*")), true),
            (format!("Content-Type: text/plain{}; name*50={long}", pieces(50, "")), true),
            (format!("Content-Type: text/plain\n\n{}", "2*3=6\n".repeat(50_000)), false),
            (format!("Content-Type: text/plain; name={long}{}", pieces(2, "")), false),
        ] {
            assert_eq!(are_too_many(raw.as_bytes()), expected, "{}", &raw[..raw.len().min(60)]);
        }
    }

    #[test]
    fn a_message_of_many_pieces_is_told() {
        let pieces: String = (0..20_000).map(|n| format!(";\r\n name*{n}=aaaaaaaaaaaaaa")).collect();
        let raw = format!("Content-Type: text/plain{pieces}\r\n\r\nhello");
        let message = crate::message::read(raw.as_bytes());
        assert_eq!(message.faults, ["more pieces of parameters than are read"]);
        assert_eq!(message.parts.len(), 1);
        assert_eq!(message.parts[0].body, b"hello");
    }
}
