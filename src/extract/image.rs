//! Pictures: their format, size and the marks of a camera; and the words in their metadata.

use std::io::{Cursor, Read};

use exif::{In, Tag, Value};

use crate::limits;
use crate::text::{Block, Image};

/// What only a camera writes.
const CAMERA_TAGS: &[Tag] = &[
    Tag::Make,
    Tag::Model,
    Tag::ExposureTime,
    Tag::FNumber,
    Tag::PhotographicSensitivity,
    Tag::FocalLength,
    Tag::LensModel,
    Tag::ShutterSpeedValue,
    Tag::GPSLatitude,
];

/// Where people write captions.
const WORD_TAGS: &[Tag] = &[Tag::ImageDescription, Tag::UserComment, Tag::Artist, Tag::Copyright];

/// Reads a picture's facts and the words of its metadata.
pub fn read(place: &str, format: &'static str, bytes: &[u8], inline: bool) -> (Image, Vec<Block>) {
    let exif = exif::Reader::new().continue_on_error(true).read_from_container(&mut Cursor::new(bytes));
    let exif = match exif {
        Ok(exif) => Some(exif),
        Err(exif::Error::PartialResult(partial)) => Some(partial.into_inner().0),
        Err(_) => None,
    };
    let field = |tag: Tag| exif.as_ref().and_then(|e| e.get_field(tag, In::PRIMARY));
    let camera = CAMERA_TAGS.iter().any(|tag| field(*tag).is_some());
    let number = |tag: Tag| field(tag).and_then(|f| f.value.get_uint(0));
    let (width, height) = size(format, bytes)
        .or_else(|| Some((number(Tag::PixelXDimension)?, number(Tag::PixelYDimension)?)))
        .or_else(|| Some((number(Tag::ImageWidth)?, number(Tag::ImageLength)?)))
        .unwrap_or((0, 0));
    let mut words = Vec::new();
    for tag in WORD_TAGS {
        let text = match field(*tag).map(|f| &f.value) {
            Some(Value::Ascii(lines)) => {
                lines.iter().map(|l| crate::message::guess_text(l)).collect::<Vec<_>>().join(" ")
            }
            // Eight bytes name the charset.
            Some(Value::Undefined(bytes, _)) if bytes.len() > 8 => crate::message::guess_text(&bytes[8..]),
            _ => continue,
        };
        let text = text.trim_matches(['\0', ' ']).to_owned();
        if text.chars().any(char::is_alphabetic) {
            words.push(Block::paragraph_at(text, "caption"));
        }
    }
    for text in comments(format, bytes) {
        if text.chars().any(char::is_alphabetic) {
            words.push(Block::paragraph_at(text, "caption"));
        }
    }
    let image = Image { place: place.to_owned(), format, width, height, bytes: bytes.len(), camera, inline };
    (image, words)
}

/// What programs write beside the picture: comments of PNG and JPEG, and descriptions in XMP.
fn comments(format: &str, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    match format {
        "png" => {
            let mut at = 8;
            while let Some(length) = bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes) {
                let start = at + 8;
                let Some(data) = bytes.get(start..start.saturating_add(length as usize)) else { break };
                match &bytes[at + 4..start] {
                    b"tEXt" => found.extend(after_nul(data).map(latin)),
                    b"zTXt" => found.extend(after_nul(data).and_then(|d| inflated(d.get(1..)?)).map(|d| latin(&d))),
                    b"iTXt" => found.extend(international(data)),
                    _ => {}
                }
                at = start + length as usize + 4;
            }
        }
        "jpeg" => {
            let mut at = 2;
            while let Some([0xff, marker, high, low]) = bytes.get(at..at + 4) {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let data = bytes.get(at + 4..at + 2 + length).unwrap_or_default();
                match marker {
                    0xfe => found.push(crate::message::guess_text(data)),
                    0xe1 => found.extend(data.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0").and_then(described)),
                    0xda => break,
                    _ => {}
                }
                at += 2 + length.max(2);
            }
        }
        _ => {}
    }
    found
}

fn after_nul(data: &[u8]) -> Option<&[u8]> {
    memchr::memchr(0, data).map(|at| &data[at + 1..])
}

fn latin(data: &[u8]) -> String {
    crate::message::guess_text(data)
}

fn inflated(data: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    flate2::read::ZlibDecoder::new(data).take(limits::PICTURE_COMMENT).read_to_end(&mut out).ok()?;
    Some(out)
}

/// Keyword, flags, language and translated keyword stand before the text (PNG 11.3.3.4).
fn international(data: &[u8]) -> Option<String> {
    let flags = after_nul(data)?;
    let text = after_nul(after_nul(flags.get(2..)?)?)?;
    let text = if flags[0] == 1 { inflated(text)? } else { text.to_vec() };
    if data.starts_with(b"XML:com.adobe.xmp") { described(&text) } else { String::from_utf8(text).ok() }
}

/// The words of an XMP packet; its attributes are the machine's.
fn described(packet: &[u8]) -> Option<String> {
    let text = super::xml::parse(packet).ok()?.text();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A drawing in SVG; it has no pixels of its own.
pub fn svg(place: &str, bytes: &[u8], inline: bool) -> Image {
    Image { place: place.to_owned(), format: "svg", width: 0, height: 0, bytes: bytes.len(), camera: false, inline }
}

/// Width and height as the file's own header declares them.
fn size(format: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    let be32 = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let le16 = |at: usize| bytes.get(at..at + 2)?.try_into().ok().map(|b| u32::from(u16::from_le_bytes(b)));
    let le24 =
        |at: usize| bytes.get(at..at + 3).map(|b| u32::from(b[0]) | u32::from(b[1]) << 8 | u32::from(b[2]) << 16);
    let le32 = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(i32::from_le_bytes);
    match format {
        "png" => Some((be32(16)?, be32(20)?)),
        "gif" => Some((le16(6)?, le16(8)?)),
        "bmp" => Some((le32(18)?.unsigned_abs(), le32(22)?.unsigned_abs())),
        "icon" => bytes.get(6..8).map(|b| (u32::from(b[0]), u32::from(b[1]))),
        "webp" => match bytes.get(12..16)? {
            b"VP8 " => Some((le16(26)? & 0x3fff, le16(28)? & 0x3fff)),
            b"VP8L" => {
                let bits = le32(21)? as u32;
                Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
            }
            _ => Some((le24(24)? + 1, le24(27)? + 1)),
        },
        "jpeg" => jpeg_size(bytes),
        "heic" | "avif" => {
            // The largest of the image spatial extents; small ones are thumbnails and tiles.
            let mut found = None;
            for at in memchr::memmem::find_iter(&bytes[..bytes.len().min(64 << 10)], b"ispe") {
                let size = (be32(at + 8)?, be32(at + 12)?);
                if found.is_none_or(|(w, h): (u32, u32)| {
                    u64::from(size.0) * u64::from(size.1) > u64::from(w) * u64::from(h)
                }) {
                    found = Some(size);
                }
            }
            found
        }
        _ => None,
    }
}

/// The start-of-frame segment (ITU T.81 B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let be16 = |at: usize| bytes.get(at..at + 2).map(|b| u32::from(b[0]) << 8 | u32::from(b[1]));
    let mut at = 2;
    loop {
        while *bytes.get(at)? != 0xff {
            at += 1;
        }
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let marker = *bytes.get(at)?;
        at += 1;
        match marker {
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => return Some((be16(at + 5)?, be16(at + 3)?)),
            0xd0..=0xd9 | 0x01 => {}
            _ => at += be16(at)?.max(2) as usize,
        }
    }
}

/// Whether a TIFF holds one picture and no second (TIFF 6.0, section 2).
pub fn is_single(bytes: &[u8]) -> bool {
    let little = bytes.starts_with(b"II*\0");
    let number = |at: usize, octets: usize| {
        let read = bytes.get(at..at.checked_add(octets)?)?.iter();
        let joined = |number: usize, octet: &u8| number << 8 | usize::from(*octet);
        Some(if little { read.rev().fold(0, joined) } else { read.fold(0, joined) })
    };
    let next = || {
        let first = number(4, 4)?;
        number(first.checked_add(2)?.checked_add(number(first, 2)?.checked_mul(12)?)?, 4)
    };
    (little || bytes.starts_with(b"MM\0*")) && next() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_from_headers() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 2, 0, 0, 0, 1, 0]);
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08\x01\x00\x02\x00\x03";
        for (format, bytes, expected) in [
            ("png", png.as_slice(), (512, 256)),
            ("jpeg", jpeg, (512, 256)),
            ("gif", b"GIF89a\x00\x02\x00\x01", (512, 256)),
            ("jpeg", b"\xff\xd8\xff", (0, 0)),
        ] {
            let (image, words) = read("a", format, bytes, false);
            assert_eq!(((image.width, image.height), image.camera, words.len()), (expected, false, 0), "{format}");
        }
    }

    #[test]
    fn a_camera_signs_its_pictures() {
        let field =
            exif::Field { tag: Tag::Model, ifd_num: In::PRIMARY, value: Value::Ascii(vec![b"Phone 5".to_vec()]) };
        let caption = exif::Field {
            tag: Tag::ImageDescription,
            ifd_num: In::PRIMARY,
            value: Value::Ascii(vec![b"Amy Smith".to_vec()]),
        };
        let mut writer = exif::experimental::Writer::new();
        writer.push_field(&field);
        writer.push_field(&caption);
        let mut tiff = Cursor::new(Vec::new());
        writer.write(&mut tiff, true).unwrap();
        let (image, words) = read("a.tif", "tiff", &tiff.into_inner(), true);
        assert!(image.camera && image.inline);
        assert_eq!(words, [Block::paragraph_at("Amy Smith", "caption")]);
    }
}
