//! Bytes to text: by byte order mark, by declared charset, by guess, in that order, never failing.
//!
//! A label that the bytes contradict is not believed (UTF-8 text labelled Latin-1, UTF-16 labelled ASCII).

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::limits;

/// Decodes a text; `label` is the charset as declared, in any case.
pub fn decode(bytes: &[u8], label: Option<&str>) -> String {
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[bom..]).0.into_owned();
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    let Some(label) = label.map(str::trim).filter(|l| !l.is_empty()) else { return guess(bytes) };
    let known = Encoding::for_label_no_replacement(label.as_bytes());
    let wide = known.is_some_and(|encoding| encoding == UTF_16LE || encoding == UTF_16BE);
    // Text in another code page is hardly ever sound UTF-8 by chance, and a label is often a default that lies.
    // ASCII is left to the label: escapes of ISO-2022-JP are ASCII too.
    let contradicted = if wide { is_not_wide(bytes) } else { is_plain_utf8(bytes) };
    if contradicted {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match known {
        // Bytes that break a declared UTF-8 are guessed at.
        Some(encoding) if encoding == UTF_8 && std::str::from_utf8(bytes).is_err() => guess(bytes),
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        None => match mail_parser::decoders::charsets::map::charset_decoder(label.as_bytes()) {
            Some(decoder) => decoder(bytes),
            None => guess(bytes),
        },
    }
}

/// Decodes a text of which nothing is declared.
pub fn guess(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    if is_utf8_with_slips(bytes) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    // British senders: what is not UTF-8 is most likely a Western code page.
    detector.guess(Some(b"uk"), Utf8Detection::Allow).decode_without_bom_handling(bytes).0.into_owned()
}

/// UTF-8 with a letter beyond ASCII.
fn is_plain_utf8(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

/// UTF-8 with a few octets that spoil it: letters beyond ASCII are many times as many, which no other code page brings
/// about by chance.
fn is_utf8_with_slips(bytes: &[u8]) -> bool {
    let (mut letters, mut slips) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        letters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        slips += usize::from(!chunk.invalid().is_empty());
    }
    letters > limits::CHARSET_SLIPS * slips
}

/// Text that is said to be UTF-16 and is none: sound UTF-8 without control characters.
fn is_not_wide(bytes: &[u8]) -> bool {
    let text = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    bytes.len() >= limits::CHARSET_NOT_WIDE && bytes.iter().all(text) && std::str::from_utf8(bytes).is_ok()
}

/// Plain Latin text in UTF-16 has a zero in every second byte.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let look = &bytes[..bytes.len().min(limits::CHARSET_LOOK)];
    if look.len() < 4 {
        return None;
    }
    let zeros = |offset: usize| look.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), look.len() / 2);
    if odd * 10 > pairs * 7 && even * 10 < pairs {
        Some(UTF_16LE)
    } else if even * 10 > pairs * 7 && odd * 10 < pairs {
        Some(UTF_16BE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_and_none() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let cases: Vec<(Vec<u8>, Option<&str>, &str)> = vec![
            (b"Zo\xc3\xab".to_vec(), None, "Zoë"),
            (b"Zo\xc3\xab".to_vec(), Some("us-ascii"), "Zoë"),
            (b"Zo\xc3\xab".to_vec(), Some("ISO-8859-1"), "Zoë"),
            (b"Zo\xeb".to_vec(), Some("iso-8859-1"), "Zoë"),
            (b"Zo\xeb Smith is in class 4".to_vec(), Some("utf-8"), "Zoë Smith is in class 4"),
            ("Siân".into(), Some("iso-8859-15"), "Siân"),
            ("Siân".into(), Some("windows-1251"), "Siân"),
            ("Siân".into(), Some("gb18030"), "Siân"),
            ("Siân".into(), Some("iso-2022-jp"), "Siân"),
            ("Siân".into(), Some("koi8-r"), "Siân"),
            (b"\x1b$B;3ED\x1b(B Amy".to_vec(), Some("iso-2022-jp"), "山田 Amy"),
            (b"\xc0\xed\xed\xe0".to_vec(), Some("windows-1251"), "Анна"),
            (b"\xc9\xbd\xcc\xef".to_vec(), Some("gb18030"), "山田"),
            (b"Sz\xf6cs \xa4".to_vec(), Some("iso-8859-15"), "Szöcs €"),
            (b"\xef\xbb\xbfAmy".to_vec(), Some("iso-8859-15"), "Amy"),
            (utf16("Amy Smith"), Some("us-ascii"), "Amy Smith"),
            (utf16("\u{feff}Amy"), None, "Amy"),
            (b"Zo+AOs-".to_vec(), Some("utf-7"), "Zoë"),
            (b"Siobh\xe1n O\x92Neill".to_vec(), None, "Siobhán O’Neill"),
            (b"Amy".to_vec(), Some("x-no-such-charset"), "Amy"),
            ("Siân Zoë".into(), Some("big5"), "Siân Zoë"),
            ("Siân".into(), Some("cp850"), "Siân"),
            ("Siân".into(), Some("ibm437"), "Siân"),
            ("Siân".into(), Some("utf-7"), "Siân"),
            ("Siân Evans has asthma and a plan.".into(), Some("utf-16"), "Siân Evans has asthma and a plan."),
            (b"Amy Evans has asthma and a plan.".to_vec(), Some("utf-16le"), "Amy Evans has asthma and a plan."),
            ("山田".encode_utf16().flat_map(u16::to_le_bytes).collect(), Some("utf-16le"), "山田"),
            (
                ["Siân, Zoë, Chloë, Renée".as_bytes(), b"\xff Br\xc3\xa2n"].concat(),
                Some("utf-8"),
                "Siân, Zoë, Chloë, Renée\u{fffd} Brân",
            ),
            (["Siân, Zoë, Chloë, Renée".as_bytes(), b"\xff"].concat(), None, "Siân, Zoë, Chloë, Renée\u{fffd}"),
            (b"\xa4\xc0\xa4\xd1".to_vec(), Some("big5"), "分天"),
        ];
        for (bytes, label, expected) in cases {
            assert_eq!(decode(&bytes, label), expected, "{bytes:?} as {label:?}");
        }
    }
}
