//! What a file is, by its content. Its name and declared type decide only between kinds of plain text.

use super::archive::Packing;
use super::opening::{self, Opening};
use super::{companion, package, relations, xml, zip_walk};
use crate::limits;

/// The formats told apart here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Pdf,
    Docx,
    Xlsx,
    Pptx,
    OpenDocument,
    Zip,
    /// An OLE compound file: doc, xls, ppt, msg, or an encrypted office file.
    Compound,
    Rtf,
    Html,
    Xml,
    Message,
    Calendar,
    Contact,
    Delimited,
    Text,
    Image(&'static str),
    Font,
    Packed(Packing),
    Tar,
    Mbox,
    SevenZip,
    Rar,
    Tnef,
    /// S/MIME in DER.
    Cms,
    Pgp,
    /// What a program has put beside the files of people.
    Companion,
    /// Objects of a page that Office has written.
    PageObjects,
    /// A message that only a server of rights opens ([MS-OXORMMS]).
    Rights,
    /// A file of a Mac as text (RFC 1741).
    BinHex,
    Empty,
    Unknown,
}

/// Tells the format; `name` and `declared` are what the part claims.
pub fn format(bytes: &[u8], name: &str, declared: &str) -> Format {
    let head = &bytes[..bytes.len().min(1024)];
    if bytes.is_empty() {
        return Format::Empty;
    }
    if let Some(binary) = binary(bytes, head) {
        return binary;
    }
    if memchr::memmem::find(head, b"%PDF-").is_some() {
        return Format::Pdf;
    }
    if !is_text(bytes) {
        return by_crate(bytes);
    }
    textual(bytes, name, declared)
}

/// Whether only foreign code can read such a file, or it is large: then a worker reads it. Looks at its first octets only.
pub fn needs_isolation(bytes: &[u8], name: &str, declared: &str) -> bool {
    if bytes.is_empty() {
        return false;
    }
    let head = &bytes[..bytes.len().min(1024)];
    let foreign = memchr::memmem::find(head, b"%PDF-").is_some() || head.starts_with(b"PK") || !is_text(bytes);
    foreign
        // An archive behind a text is unpacked too.
        || zip_walk::ends_as_archive(bytes, usize::from(u16::MAX))
        || bytes.len() > limits::TEXT_IN_PROCESS
        || !matches!(
            format(bytes, name, declared),
            Format::Text
                | Format::Delimited
                | Format::Html
                | Format::Message
                | Format::Mbox
                | Format::Calendar
                | Format::Contact
                | Format::Pgp
        )
}

fn binary(bytes: &[u8], head: &[u8]) -> Option<Format> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    Some(if starts(b"%PDF-") {
        Format::Pdf
    } else if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") || starts(b"PK\x07\x08") {
        zip_kind(bytes)
    } else if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        Format::Compound
    } else if starts(b"{\\rtf") {
        Format::Rtf
    } else if starts(b"\xff\xd8\xff") {
        Format::Image("jpeg")
    } else if starts(b"\x89PNG\r\n\x1a\n") {
        Format::Image("png")
    } else if starts(b"GIF8") {
        Format::Image("gif")
    } else if starts(b"II*\0") || starts(b"MM\0*") {
        Format::Image("tiff")
    } else if starts(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Format::Image("webp")
    } else if head.get(4..8) == Some(b"ftyp") && matches!(head.get(8..11), Some(b"hei" | b"hev" | b"mif")) {
        Format::Image("heic")
    } else if head.get(4..8) == Some(b"ftyp") && head.get(8..12) == Some(b"avif") {
        Format::Image("avif")
    } else if starts(b"BM") && head.get(6..10) == Some(&[0; 4]) {
        Format::Image("bmp")
    } else if starts(b"\xd7\xcd\xc6\x9a") || head.get(40..44) == Some(b" EMF") {
        Format::Image("metafile")
    } else if starts(b"\x00\x00\x01\x00") && head.len() > 22 {
        Format::Image("icon")
    } else if starts(b"\x1f\x8b") {
        Format::Packed(Packing::Gzip)
    } else if starts(b"BZh") && head.get(4..10) == Some(b"1AY&SY") {
        Format::Packed(Packing::Bzip2)
    } else if starts(b"\xfd7zXZ\0") {
        Format::Packed(Packing::Xz)
    } else if starts(b"\x28\xb5\x2f\xfd") {
        Format::Packed(Packing::Zstd)
    } else if starts(b"7z\xbc\xaf\x27\x1c") {
        Format::SevenZip
    } else if starts(b"Rar!\x1a\x07") {
        Format::Rar
    } else if starts(b"\x78\x9f\x3e\x22") {
        Format::Tnef
    } else if head.get(257..262) == Some(b"ustar") {
        Format::Tar
    } else if starts(b"\x30") && memchr::memmem::find(head, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07").is_some() {
        Format::Cms
    } else if companion::is_of_finder(bytes) {
        Format::Companion
    } else if starts(companion::PAGE_OBJECTS) {
        Format::PageObjects
    } else if starts(b"\x76\xe8\x04\x60\xc4\x11\xe3\x86") {
        Format::Rights
    } else if starts(b"-----BEGIN PGP MESSAGE") {
        Format::Pgp
    } else {
        return None;
    })
}

fn zip_kind(bytes: &[u8]) -> Format {
    let Ok(names) = package::names(bytes) else { return Format::Zip };
    let has = |prefix: &str| names.iter().any(|n| n.to_ascii_lowercase().starts_with(prefix));
    if has("[content_types].xml") {
        if let Some(format) = office_kind(bytes) {
            return format;
        }
        if has("word/") {
            return Format::Docx;
        }
        if has("xl/") {
            return Format::Xlsx;
        }
        if has("ppt/") {
            return Format::Pptx;
        }
    }
    if has("meta-inf/manifest.xml") && (has("content.xml") || has("encrypted-package")) {
        return Format::OpenDocument;
    }
    Format::Zip
}

/// What the package says that the part is with which it begins; folders of their own are habit.
fn office_kind(bytes: &[u8]) -> Option<Format> {
    let [relations, types] = package::heads(bytes, ["_rels/.rels", "[Content_Types].xml"]);
    let main = relations::read(&relations?, "").into_iter().find(|r| r.kind == "officeDocument")?.target;
    let types = xml::parse(&types?).ok()?;
    let named = types.elements().find(|entry| {
        let name = entry.attribute("PartName").unwrap_or_default();
        name.trim_start_matches('/').eq_ignore_ascii_case(&main)
    });
    let ending = main.rsplit('.').next().unwrap_or_default();
    let by_ending =
        || types.elements().find(|e| e.attribute("Extension").is_some_and(|x| x.eq_ignore_ascii_case(ending)));
    let content_type = named.or_else(by_ending)?.attribute("ContentType")?.to_ascii_lowercase();
    let is = |words: [&str; 2]| words.iter().any(|word| content_type.contains(word));
    if is(["wordprocessingml", "ms-word"]) {
        Some(Format::Docx)
    } else if is(["spreadsheetml", "ms-excel"]) {
        Some(Format::Xlsx)
    } else if is(["presentationml", "ms-powerpoint"]) {
        Some(Format::Pptx)
    } else {
        None
    }
}

/// Text has no control characters but those of lines and pages; UTF-16 has them in every second byte.
fn is_text(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return true;
    }
    let text = crate::message::decode_text(&bytes[..bytes.len().min(4096)], None);
    let odd = text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}')).count();
    odd * 200 <= text.chars().count()
}

fn textual(bytes: &[u8], name: &str, declared: &str) -> Format {
    let text = crate::message::decode_text(&bytes[..bytes.len().min(8192)], None);
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let lower = start.chars().take(2048).collect::<String>().to_ascii_lowercase();
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    if lower.starts_with("begin:vcalendar") {
        return Format::Calendar;
    }
    if lower.starts_with("begin:vcard") {
        return Format::Contact;
    }
    if lower.starts_with("-----begin pgp message") {
        return Format::Pgp;
    }
    if lower.starts_with("{\\rtf") {
        return Format::Rtf;
    }
    if is_binhex(start) {
        return Format::BinHex;
    }
    match opening::of(&text) {
        Opening::Html => {
            let xml = matches!(extension.as_str(), "xml" | "svg") && !lower.contains("<html");
            return if xml && lower.starts_with('<') { Format::Xml } else { Format::Html };
        }
        Opening::Xml => return Format::Xml,
        Opening::Tag if matches!(extension.as_str(), "xml" | "svg" | "xhtml") => return Format::Xml,
        Opening::Tag | Opening::Text => {}
    }
    if is_mbox(start) {
        return Format::Mbox;
    }
    if declared == "message/rfc822" || extension == "eml" || looks_like_message(start) {
        return Format::Message;
    }
    if declared == "text/html" || matches!(extension.as_str(), "htm" | "html") {
        return Format::Html;
    }
    // Programs that open such names take a page for a sheet or a letter, whatever stands above the first tag.
    if matches!(extension.as_str(), "xls" | "doc" | "xlsx" | "docx" | "xlt" | "dot") && opening::holds_page(&text) {
        return Format::Html;
    }
    if matches!(extension.as_str(), "csv" | "tsv" | "tab") || declared.ends_with("csv") || looks_delimited(start) {
        return Format::Delimited;
    }
    Format::Text
}

/// The line that says so, and a colon at the beginning of what follows.
fn is_binhex(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.any(|line| line.starts_with("(This file must be converted with BinHex"))
        && lines.next().is_some_and(|line| line.starts_with(':'))
}

/// A line that parts messages, with headers behind it (RFC 4155).
fn is_mbox(text: &str) -> bool {
    let Some((first, rest)) = text.split_once('\n') else { return false };
    first.starts_with("From ") && first.bytes().any(|b| b.is_ascii_digit()) && looks_like_message(rest)
}

/// Header lines first: several of those that only mail has, or the two that a page saved as one file begins with, which
/// say what it holds and what parts it.
fn looks_like_message(text: &str) -> bool {
    let mut known = 0;
    let mut of_mime = 0;
    let mut boundary = None;
    let mut typed = false;
    for line in text.lines().take(60) {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            boundary = boundary.or_else(|| boundary_in(line).filter(|_| typed));
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { return false };
        if name.is_empty() || name.contains(' ') {
            return false;
        }
        let name = name.to_ascii_lowercase();
        known += usize::from(matches!(
            name.as_str(),
            "received" | "return-path" | "message-id" | "mime-version" | "content-type" | "from" | "date" | "subject"
        ));
        of_mime += usize::from(matches!(name.as_str(), "mime-version" | "content-type"));
        typed = name == "content-type";
        boundary = boundary.or_else(|| boundary_in(value).filter(|_| typed));
    }
    let parted = |boundary: &str| text.contains(&format!("\n--{boundary}"));
    known >= 3 || of_mime == 2 || boundary.is_some_and(parted)
}

/// What a line of `Content-Type` names as that which parts the text.
fn boundary_in(line: &str) -> Option<&str> {
    let at = line.to_ascii_lowercase().find("boundary=")?;
    let value = line[at..].split_once('=')?.1.trim_start();
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ', '\t']).next()?,
    };
    (!value.is_empty()).then_some(value)
}

/// The same number of a delimiter, two at least, in each of the first lines.
fn looks_delimited(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(6).collect();
    lines.len() >= 3
        && ['\t', ';', ','].iter().any(|d| {
            let count = |line: &str| line.matches(*d).count();
            count(lines[0]) >= 2 && lines[1..lines.len() - 1].iter().all(|l| count(l) == count(lines[0]))
        })
}

fn by_crate(bytes: &[u8]) -> Format {
    let format = file_format::FileFormat::from_bytes(bytes);
    match format.kind() {
        file_format::Kind::Image => Format::Image("other"),
        file_format::Kind::Font => Format::Font,
        _ => Format::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_content_not_by_name() {
        let docx = package::tests::archive(&[("[Content_Types].xml", b"<a/>"), ("word/document.xml", b"<a/>")]);
        let zip = package::tests::archive(&[("a.txt", b"x")]);
        for (bytes, name, declared, expected) in [
            (docx.as_slice(), "holiday.jpg", "image/jpeg", Format::Docx),
            (zip.as_slice(), "a.docx", "application/octet-stream", Format::Zip),
            (b"%PDF-1.4\n", "a.txt", "text/plain", Format::Pdf),
            (b"\xff\xd8\xff\xe0", "a.docx", "", Format::Image("jpeg")),
            (b"name,form\nAmy,Oak\n", "list.csv", "", Format::Delimited),
            (b"a;b;c\nd;e;f\ng;h;i\n", "list.dat", "", Format::Delimited),
            (b"Dear all, hello\n", "note", "application/octet-stream", Format::Text),
            (b"<?xml version='1.0'?><a/>", "x", "", Format::Xml),
            (b"<html><p>x", "x.xls", "application/vnd.ms-excel", Format::Html),
            (b"From: a@b\nSubject: x\nDate: y\n\nz", "x.txt", "", Format::Message),
            (b"<style>td{a:b}</style><table><tr><td>x", "report.xls", "", Format::Html),
            (b"<meta charset=utf-8><table>", "report.xls", "application/vnd.ms-excel", Format::Html),
            (b"<tr><td>x</td></tr>", "report.xls", "", Format::Html),
            (b"Report of May\n<table><tr><td>x", "report.xls", "", Format::Html),
            (b"Report of May: a < b\n", "report.xls", "", Format::Text),
            (b"<address><name>x</name></address>", "a.xml", "", Format::Xml),
            (
                b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=\"x\"\n\n--x\n",
                "letter.doc",
                "",
                Format::Message,
            ),
            (b"Content-Type: multipart/related;\n\tboundary=\"x\"\n\n--x\n", "letter.doc", "", Format::Message),
            (b"Content-Type: a word of the web\nMore: no\n\n", "notes.txt", "", Format::Text),
            (b"BEGIN:VCALENDAR\n", "", "", Format::Calendar),
            (b"\x00\x01\x02\x03\x04\x05\x06\x07", "x.txt", "text/plain", Format::Unknown),
            (b"", "x.txt", "", Format::Empty),
            (b"Hello\n(This file must be converted with BinHex 4.0)\n\n:$f\"", "x.txt", "", Format::BinHex),
            (b"(This file must be converted with BinHex 4.0)\nsaid the note\n", "x.txt", "", Format::Text),
            (b"\x76\xe8\x04\x60\xc4\x11\xe3\x86\0\0", "message.rpmsg", "", Format::Rights),
        ] {
            assert_eq!(format(bytes, name, declared), expected, "{name} {declared}");
        }
    }
}
