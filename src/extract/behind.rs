//! Where a picture or a PDF ends, so that what stands behind its end can be read as the file that it may be.
//!
//! Programs that show the file pass over it; others open it. Knows no more of a format than how long it is.

use memchr::memmem;

/// Archives that their programs find wherever they begin.
const FOUND_ANYWHERE: &[&[u8]] = &[b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\x01\0", b"7z\xbc\xaf\x27\x1c\0"];

/// The end of a picture; nothing where it has none or it is not known.
pub fn of_picture(format: &str, bytes: &[u8]) -> Option<usize> {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(|b| u32::from_le_bytes(b) as usize);
    match format {
        "jpeg" => jpeg(bytes),
        "png" => png(bytes),
        "gif" => gif(bytes),
        "webp" => number(4)?.checked_add(8).map(|end| end + end % 2),
        "bmp" => number(2).filter(|end| *end > 26),
        _ => None,
    }
    .filter(|end| *end <= bytes.len())
}

/// The end of a PDF: its last end mark.
pub fn of_pdf(bytes: &[u8]) -> Option<usize> {
    memmem::rfind(bytes, b"%%EOF").map(|at| at + 5)
}

/// Where an archive begins inside a file that is none.
pub fn archive_inside(bytes: &[u8]) -> Option<usize> {
    FOUND_ANYWHERE.iter().filter_map(|mark| memmem::find(bytes, mark)).min()
}

/// Segments up to the end mark (ITU T.81 B.1); pictures that follow at once belong to it (CIPA DC-007).
fn jpeg(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        while bytes.get(at)? == &0xff && bytes.get(at + 1)? == &0xff {
            at += 1;
        }
        if bytes.get(at)? != &0xff {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        at += 2;
        match marker {
            0xd9 => {
                let next = bytes[at..].iter().position(|b| *b != 0).map_or(bytes.len(), |n| at + n);
                if !bytes[next..].starts_with(b"\xff\xd8\xff") {
                    return Some(at);
                }
                at = next + 2;
            }
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
                at += length.max(2);
                if marker == 0xda {
                    // The picture itself: to the next mark that is neither data nor a restart.
                    let mark = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff | 0xd0..=0xd7);
                    at += bytes.get(at..)?.windows(2).position(mark)?;
                }
            }
        }
    }
}

fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let next = at.checked_add(12)?.checked_add(length)?;
        if bytes.get(at + 4..at + 8)? == b"IEND" {
            return Some(next);
        }
        at = next;
    }
}

/// Blocks up to the trailer (GIF89a 27).
fn gif(bytes: &[u8]) -> Option<usize> {
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + colours(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x3b => return Some(at + 1),
            0x2c => at += 11 + colours(*bytes.get(at + 9)?),
            0x21 => at += 2,
            _ => return None,
        }
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, Why, package::tests::archive, read_file};
    use super::*;
    use crate::text::Block;

    fn says(reading: &Reading, wanted: &str) -> bool {
        let texts = reading.documents.iter().flat_map(|d| &d.blocks);
        texts.into_iter().any(|b| matches!(b, Block::Paragraph { text, .. } if text.contains(wanted)))
    }

    fn pictures() -> Vec<(&'static str, Vec<u8>)> {
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xda\0\x04ab\x01\xff\0\x02\xff\xd0\x03\xff\xd9".to_vec();
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x01IHDRxcrc!\0\0\0\0IENDcrc!".to_vec();
        let gif = b"GIF89a\x01\0\x01\0\x80\0\0abcdef\x21\xf9\x01x\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02ab\0\x3b".to_vec();
        vec![("a.jpg", jpeg), ("a.png", png), ("a.gif", gif)]
    }

    #[test]
    fn what_stands_behind_a_picture_is_read() {
        let film = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42\x01\x02\x03\x04\x05\x06\x07\x08".as_slice();
        let list = archive(&[("list.txt", b"Amy Smith")]);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packed, b"Amy Smith").unwrap();
        let packed = packed.finish().unwrap();
        for (name, picture) in pictures() {
            for (behind, found) in [
                (b"".as_slice(), false),
                (b"\0\0\0\r\n", false),
                (film, false),
                (&picture, false),
                (b"Amy Smith", true),
                (b"\0\0\nAmy Smith", true),
                (&list, true),
                (&packed, true),
            ] {
                let reading = read_file(name, &[picture.as_slice(), behind].concat());
                assert_eq!(says(&reading, "Amy Smith"), found, "{name} {behind:?}: {:?}", reading.documents);
                // A picture that a ZIP follows has two readings; all else is what it is.
                assert_eq!(reading.unread.is_empty(), behind != list, "{name} {behind:?}: {:?}", reading.unread);
                assert!(!reading.images.is_empty());
            }
            let reading = read_file(name, &[picture.as_slice(), b"\x01\x02Rar!\x1a\x07\0broken"].concat());
            assert!(reading.unread.iter().any(|u| u.why == Why::Damaged), "{name}: {:?}", reading.unread);
        }
    }

    #[test]
    fn ends() {
        for (name, picture) in pictures() {
            let format = if name == "a.jpg" { "jpeg" } else { &name[2..] };
            let longer = [picture.as_slice(), b"behind"].concat();
            assert_eq!(of_picture(format, &longer), Some(picture.len()), "{name}");
            for cut in 0..picture.len() {
                assert_eq!(of_picture(format, &picture[..cut]), None, "{name} {cut}");
            }
        }
        assert_eq!(of_pdf(b"%PDF-1.4\n%%EOF\n1 0 obj\n%%EOF\nx"), Some(28));
    }
}
