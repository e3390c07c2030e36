//! A message with the word Confidential in front of its subject, and every other octet as it was.

use std::ops::Range;

use crate::limits;
use crate::message::header::read_block;

const WORD: &str = "Confidential";

/// Puts `Confidential: ` in front of the first subject; a message without one gets a subject of that word alone, as the last
/// line of its header. Folding and encoded words stay as they are: what is put in is plain text before them, which both
/// allow (RFC 5322 2.2.3, RFC 2047 5).
pub fn with_confidential(raw: &[u8]) -> Vec<u8> {
    let block = read_block(raw, 0);
    let (at, put_in) = match block.headers.iter().find(|header| header.is("Subject")) {
        Some(header) => in_front(raw, header.span.clone()),
        None => {
            // Behind the last field: before the line that ends the header, or at the end of a header without a body.
            let at = block.headers.last().map_or(0, |header| header.span.end);
            (at, format!("Subject: {WORD}\r\n"))
        }
    };
    let (before, behind) = raw.split_at(at.min(raw.len()));
    [before, put_in.as_bytes(), behind].concat()
}

/// Where in the field what is put in.
fn in_front(raw: &[u8], field: Range<usize>) -> (usize, String) {
    let line = raw.get(field.clone()).unwrap_or_default();
    let colon = memchr::memchr(b':', line).unwrap_or_default() + 1;
    let blanks = line[colon..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let first = memchr::memchr(b'\n', line).unwrap_or(line.len());
    let nothing_there = line[colon..].iter().all(u8::is_ascii_whitespace);
    let space = if blanks == 0 { " " } else { "" };
    let put_in = if nothing_there {
        format!("{space}{WORD}")
    } else if line.get(colon + blanks).is_none_or(|byte| matches!(byte, b'\r' | b'\n')) {
        // The text begins on the next line, with the blank that folding wants.
        format!("{space}{WORD}:")
    } else if first + WORD.len() + 3 > limits::HEADER_LINE_OCTETS {
        format!("{space}{WORD}:\r\n ")
    } else {
        format!("{space}{WORD}: ")
    };
    (field.start + colon + blanks, put_in)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message;

    #[test]
    fn one_word_is_put_in_and_nothing_else_changes() {
        let long = format!("Subject: {}\r\n\r\nx", "y".repeat(985));
        let long_marked = format!("Subject: Confidential:\r\n {}\r\n\r\nx", "y".repeat(985));
        for (raw, marked, subject) in [
            (
                "A: b\r\nSubject: plan\r\nC: d\r\n\r\nx",
                "A: b\r\nSubject: Confidential: plan\r\nC: d\r\n\r\nx",
                "Confidential: plan",
            ),
            ("subject:plan\r\n\r\nx", "subject: Confidential: plan\r\n\r\nx", "Confidential: plan"),
            ("Subject: a\r\n b\r\n\r\nx", "Subject: Confidential: a\r\n b\r\n\r\nx", "Confidential: a b"),
            ("Subject:\r\n a\r\n\r\nx", "Subject: Confidential:\r\n a\r\n\r\nx", "Confidential: a"),
            (
                "Subject: =?utf-8?Q?Zo=C3=AB?=\r\n =?utf-8?Q?_S?=\r\n\r\nx",
                "Subject: Confidential: =?utf-8?Q?Zo=C3=AB?=\r\n =?utf-8?Q?_S?=\r\n\r\nx",
                "Confidential: Zoë S",
            ),
            ("A: b\r\n\r\nx", "A: b\r\nSubject: Confidential\r\n\r\nx", "Confidential"),
            ("A: b\r\nSubject: \r\n\r\nx", "A: b\r\nSubject: Confidential\r\n\r\nx", "Confidential"),
            ("A: b\r\nSubject:\r\n\r\nx", "A: b\r\nSubject: Confidential\r\n\r\nx", "Confidential"),
            ("A: b\r\n", "A: b\r\nSubject: Confidential\r\n", "Confidential"),
            (
                "A: b\r\n\r\nSubject: in the body\r\n",
                "A: b\r\nSubject: Confidential\r\n\r\nSubject: in the body\r\n",
                "Confidential",
            ),
            (&long, &long_marked, &format!("Confidential: {}", "y".repeat(985))),
        ] {
            let got = with_confidential(raw.as_bytes());
            assert_eq!(String::from_utf8_lossy(&got), marked, "{raw}");
            assert_eq!(message::read(&got).subject(), subject, "{raw}");
            assert!(message::markers::subject_markers(subject, &[]).confidential, "{raw}");
        }
    }
}
