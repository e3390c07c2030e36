//! Section 5: attached files.

use crate::support::compose::{deflate, docx, docx_of, gzip, pdf, pdf_line, tar, with_files, xlsx, zip, zip_with};
use crate::{RECORD, Row, file, judge, single};

/// A Word document with further parts.
fn docx_with(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let types = b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    let body = b"<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:r><w:t>Menu</w:t></w:r></w:p></w:body></w:document>";
    let mut all: Vec<(&str, &[u8])> = vec![("[Content_Types].xml", types), ("word/document.xml", body)];
    all.extend_from_slice(parts);
    zip(&all)
}

fn wrapped(root: &str, paragraph: &str) -> Vec<u8> {
    format!("<w:{root} xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">{paragraph}</w:{root}>")
        .into_bytes()
}

#[test]
fn section_5_office_files() {
    let run = format!("<w:p><w:r><w:t>{RECORD}</w:t></w:r></w:p>");
    let plain: &[&[&str]] = &[&["Menu", "Soup"]];
    let sheet = |inner: &str| {
        format!("<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">{inner}</worksheet>")
    };
    let data = format!(
        "<sheetData><row r=\"14\" hidden=\"1\"><c r=\"XFD14\" t=\"inlineStr\"><is><t>{RECORD}</t></is></c></row></sheetData>"
    );
    let pivot = format!(
        "<pivotCacheDefinition><cacheFields><cacheField name=\"Pupil\"><sharedItems><s v=\"{RECORD}\"/></sharedItems></cacheField></cacheFields></pivotCacheDefinition>"
    );
    let comments = format!(
        "<comments><commentList><comment ref=\"A1\"><text><r><t>{RECORD}</t></r></text></comment></commentList></comments>"
    );
    let external = format!(
        "<externalLink><externalBook><sheetDataSet><sheetData><row><cell><v>{RECORD}</v></cell></row></sheetData></sheetDataSet></externalBook></externalLink>"
    );
    let slide = |text: &str| {
        format!(
            "<p:sld xmlns:p=\"p\" xmlns:a=\"a\" show=\"0\"><p:sp><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sp></p:sld>"
        )
    };
    let pptx = |parts: &[(&str, &[u8])]| {
        let mut all: Vec<(&str, &[u8])> = vec![("[Content_Types].xml", b"<Types/>"), ("ppt/presentation.xml", b"<p/>")];
        all.extend_from_slice(parts);
        zip(&all)
    };
    let core = format!(
        "<cp:coreProperties xmlns:cp=\"cp\" xmlns:dc=\"dc\"><dc:description>{RECORD}</dc:description></cp:coreProperties>"
    );
    let hidden = docx_of(&format!("<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{RECORD}</w:t></w:r></w:p>"));
    let deleted =
        docx_of(&format!("<w:p><w:del w:author=\"A\"><w:r><w:delText>{RECORD}</w:delText></w:r></w:del></w:p>"));
    let rows = vec![
        Row(
            "F01 second, far, hidden",
            file("a.xlsx", &xlsx(plain, &[("xl/worksheets/sheet2.xml", sheet(&data).as_bytes())])),
        ),
        Row(
            "F02 pivot cache",
            file("a.xlsx", &xlsx(plain, &[("xl/pivotCache/pivotCacheDefinition1.xml", pivot.as_bytes())])),
        ),
        Row("F02 comments", file("a.xlsx", &xlsx(plain, &[("xl/comments1.xml", comments.as_bytes())]))),
        Row(
            "F02 external cache",
            file("a.xlsx", &xlsx(plain, &[("xl/externalLinks/externalLink1.xml", external.as_bytes())])),
        ),
        Row(
            "F02 custom XML",
            file("a.xlsx", &xlsx(plain, &[("customXml/item1.xml", format!("<a>{RECORD}</a>").as_bytes())])),
        ),
        Row("F02 properties", file("a.xlsx", &xlsx(plain, &[("docProps/core.xml", core.as_bytes())]))),
        Row(
            "F02 text box",
            file(
                "a.xlsx",
                &xlsx(plain, &[("xl/drawings/drawing1.xml", format!("<d><p><t>{RECORD}</t></p></d>").as_bytes())]),
            ),
        ),
        Row(
            "F02 header",
            file(
                "a.xlsx",
                &xlsx(
                    plain,
                    &[(
                        "xl/worksheets/sheet2.xml",
                        sheet(&format!(
                            "<sheetData/><headerFooter><oddHeader>&amp;C{RECORD}</oddHeader></headerFooter>"
                        ))
                        .as_bytes(),
                    )],
                ),
            ),
        ),
        Row(
            "F03 protected sheet",
            file("a.xlsx", &xlsx(&[&[RECORD]], &[("xl/x.xml", b"<sheetProtection password=\"CC1A\" sheet=\"1\"/>")])),
        ),
        Row("F04 deletion", file("a.docx", &deleted)),
        Row("F04 hidden text", file("a.docx", &hidden)),
        Row(
            "F04 comments",
            file(
                "a.docx",
                &docx_with(&[("word/comments.xml", &wrapped("comments", &format!("<w:comment>{run}</w:comment>")))]),
            ),
        ),
        Row("F04 header", file("a.docx", &docx_with(&[("word/header1.xml", &wrapped("hdr", &run))]))),
        Row(
            "F04 footnote",
            file(
                "a.docx",
                &docx_with(&[(
                    "word/footnotes.xml",
                    &wrapped("footnotes", &format!("<w:footnote>{run}</w:footnote>")),
                )]),
            ),
        ),
        Row(
            "F04 text box",
            file(
                "a.docx",
                &docx_of(&format!(
                    "<w:p><w:r><w:pict><v:textbox xmlns:v=\"v\"><w:txbxContent>{run}</w:txbxContent></v:textbox></w:pict></w:r></w:p>"
                )),
            ),
        ),
        Row(
            "F04 altChunk",
            file("a.docx", &docx_with(&[("word/afchunk.html", format!("<html><p>{RECORD}</p></html>").as_bytes())])),
        ),
        Row(
            "F04 glossary",
            file("a.docx", &docx_with(&[("word/glossary/document.xml", &wrapped("glossaryDocument", &run))])),
        ),
        Row("F05 hidden slide", file("a.pptx", &pptx(&[("ppt/slides/slide1.xml", slide(RECORD).as_bytes())]))),
        Row(
            "F05 notes",
            file(
                "a.pptx",
                &pptx(&[
                    ("ppt/slides/slide1.xml", slide("x").as_bytes()),
                    ("ppt/notesSlides/notesSlide1.xml", slide(RECORD).as_bytes()),
                ]),
            ),
        ),
        Row(
            "F06 embedded workbook",
            file("a.docx", &docx_with(&[("word/embeddings/Sheet1.xlsx", &xlsx(&[&[RECORD]], &[]))])),
        ),
        Row(
            "F06 embedded object",
            file("a.docx", &docx_with(&[("word/embeddings/oleObject1.bin", b"\x01\x02\x03\x04\x05")])),
        ),
        Row("F14 billion laughs", file("a.docx", &docx_with(&[("word/comments.xml", &laughs())]))),
        Row(
            "F14 in the main part",
            file("a.docx", &zip(&[("[Content_Types].xml", b"<T/>"), ("word/document.xml", &laughs())])),
        ),
        Row("F14 SVG", file("a.svg", &laughs())),
        Row(
            "F13 sheet of 300 MB",
            file("a.xlsx", &xlsx(plain, &[("xl/worksheets/sheet2.xml", &vec![b' '; 300 << 20])])),
        ),
    ];
    judge(rows);
}

/// Entities that unfold to 10⁹ times their length.
fn laughs() -> Vec<u8> {
    let mut out = "<?xml version=\"1.0\"?><!DOCTYPE w [<!ENTITY a \"Lottie Fenn\">".to_owned();
    for (inner, outer) in "abcdefghi".chars().zip("bcdefghij".chars()) {
        out.push_str(&format!("<!ENTITY {outer} \"{}\">", format!("&{inner};").repeat(10)));
    }
    (out + "]><svg><w>&j;</w></svg>").into_bytes()
}

#[test]
fn section_5_pdf() {
    let shown = format!("BT /F1 12 Tf 72 720 Td ({RECORD}) Tj ET");
    let menu = b"BT /F1 12 Tf 72 720 Td (Menu) Tj ET";
    let note = format!("<< /Type /Annot /Subtype /Text /Contents ({RECORD}) >>");
    let field = format!("<< /FT /Tx /T (a) /V ({RECORD}) >>");
    let text = RECORD.as_bytes();
    let embedded = format!("<< /Length {} >>\nstream\n{RECORD}\nendstream", text.len());
    // Saved twice: the second page tree no longer shows the first content.
    let first = pdf(shown.as_bytes(), false, &[]);
    let start = memchr::memmem::rfind(&first, b"startxref\n").expect("a table");
    let previous: String = String::from_utf8_lossy(&first[start + 10..]).lines().next().unwrap_or_default().into();
    let mut saved_twice = first.clone();
    let object = saved_twice.len();
    saved_twice.extend(format!("4 0 obj\n<< /Length {} >>\nstream\n", menu.len()).bytes());
    saved_twice.extend(menu);
    saved_twice.extend(b"\nendstream\nendobj\n");
    let table = saved_twice.len();
    saved_twice.extend(format!("xref\n4 1\n{object:010} 00000 n \ntrailer\n<< /Size 6 /Root 1 0 R /Prev {previous} >>\nstartxref\n{table}\n%%EOF\n").bytes());
    let rows = vec![
        Row(
            "F08 under a black box",
            file("a.pdf", &pdf(format!("{shown} 0 g 60 700 500 40 re f").as_bytes(), true, &[])),
        ),
        Row("F08 white", file("a.pdf", &pdf(format!("1 g {shown}").as_bytes(), true, &[]))),
        Row(
            "F08 invisible",
            file("a.pdf", &pdf(format!("BT 3 Tr /F1 1 Tf 72 720 Td ({RECORD}) Tj ET").as_bytes(), true, &[])),
        ),
        Row(
            "F08 hidden layer",
            file("a.pdf", &pdf(format!("/OC /MC0 BDC {shown} EMC").as_bytes(), true, &["<< /Type /OCG /Name (x) >>"])),
        ),
        Row("F08 off the page", file("a.pdf", &pdf(shown.replace("72 720", "-900 720").as_bytes(), true, &[]))),
        Row("F08 annotation", file("a.pdf", &pdf(menu, true, &[&note]))),
        Row("F08 form field", file("a.pdf", &pdf(menu, true, &[&field]))),
        Row(
            "F08 attachment",
            file("a.pdf", &pdf(menu, true, &["<< /Type /Filespec /F (a.txt) /EF << /F 7 0 R >> >>", &embedded])),
        ),
        Row("F08 older revision", file("a.pdf", &saved_twice)),
        Row("F08 cut short", file("a.pdf", &first[..first.len() - 60])),
    ];
    judge(rows);
}

/// Relay checklist, row 130.
#[test]
fn section_5_archives() {
    use zip::unstable::write::FileOptionsExt as _;
    let text = RECORD.as_bytes();
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let list = zip_with(&[("list.txt", text)], stored);
    let menu = zip_with(&[("menu.txt", b"Soup")], stored);
    let sealed = zip_with(&[("a.txt", text)], stored.with_aes_encryption(zip::AesMode::Aes256, "Oak-Tree12"));
    let sealed_old = zip_with(&[("a.txt", text)], stored.with_deprecated_encryption(b"Oak-Tree12").expect("options"));
    let mut nested = zip(&[("a.txt", text)]);
    let mut deep = nested.clone();
    (0..3).for_each(|_| nested = zip(&[("z.zip", &nested)]));
    (0..12).for_each(|_| deep = zip(&[("z.zip", &deep)]));
    let letter = format!("From: a@b.example\nSubject: x\nDate: y\n\n{RECORD}\n");
    let tape = gzip(&tar(&[("mail.eml", letter.as_bytes())]));
    // The directory says "menu.txt", the local header says "list.txt".
    let mut renamed = list.clone();
    let at = memchr::memmem::rfind(&renamed, b"list.txt").expect("the directory");
    renamed[at..at + 4].copy_from_slice(b"menu");
    let mut twice = zip_with(&[("a.txt", b"Soup"), ("b.txt", text)], stored);
    for at in memchr::memmem::find_iter(&twice.clone(), b"b.txt") {
        twice[at] = b'a';
    }
    let mut twice_other = zip_with(&[("a.txt", text), ("b.txt", b"Soup")], stored);
    for at in memchr::memmem::find_iter(&twice_other.clone(), b"b.txt") {
        twice_other[at] = b'a';
    }
    // A member that the directory leaves out: its local header stands before the first that is named.
    let left_out = [list.as_slice(), &menu].concat();
    let utf16: Vec<u8> = format!("\u{feff}Name\tUPN\r\n{}\r\nA B\tx\r\n", RECORD.replace(',', "\t"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let ctf = "<?xml version=\"1.0\"?><CTfile><CTFpupilData><Pupil><UPN>J998441726117</UPN><Surname>Fenn</Surname><Forename>Lottie</Forename><DOB>2023-02-08</DOB></Pupil></CTFpupilData></CTfile>";
    let signed = {
        let oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
        let inner = format!("Content-Type: text/plain\r\n\r\n{RECORD}\r\n");
        [
            b"\x30\x80".as_slice(),
            &oid,
            b"\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80",
            &oid,
            b"\x01\xa0\x80\x04\x82",
            &(inner.len() as u16).to_be_bytes(),
            inner.as_bytes(),
        ]
        .concat()
    };
    let enveloped = [b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80".as_slice(), &[7; 40]].concat();
    let calendar = format!(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDESCRIPTION:{}\n {}\nEND:VEVENT\nEND:VCALENDAR\n",
        &RECORD[..9],
        &RECORD[9..]
    );
    let mbox = format!(
        "From a@b.example Tue Oct  6 09:00:00 2026\nFrom: a@b.example\nSubject: x\nDate: y\n\nNothing\n\nFrom c@d.example Tue Oct  6 09:00:00 2026\n{letter}"
    );
    let bomb = gzip(&vec![0u8; 400 << 20]);
    let rows = vec![
        Row("F10 zip AES", file("a.zip", &sealed)),
        Row("F10 zip ZipCrypto", file("a.zip", &sealed_old)),
        Row("F10 7z", file("a.7z", &seven_zip(text, Some("Oak-Tree12")))),
        Row("F11 zip AES", with_files("Trip", "The password is Oak-Tree12.", &[("a.zip", &sealed)])),
        Row("F11 zip ZipCrypto", with_files("password: Oak-Tree12", "See attached", &[("a.zip", &sealed_old)])),
        Row(
            "F11 7z",
            with_files("Trip", "It opens with Oak-Tree12", &[("a.7z", &seven_zip(text, Some("Oak-Tree12")))]),
        ),
        Row("F12 3 deep", file("a.zip", &nested)),
        Row("F12 13 deep", file("a.zip", &deep)),
        Row("F12 tar.gz.eml.zip", file("a.zip", &zip(&[("a.tar.gz", &tape)]))),
        Row("F13 gzip", file("a.gz", &bomb)),
        Row("F13 nested gzip", file("a.gz", &gzip(&bomb))),
        Row("F13 zip", file("a.zip", &zip(&[("zeros", &vec![0u8; 300 << 20])]))),
        Row("F13 overlap", file("a.zip", &overlapping())),
        Row("F15 local name", file("a.zip", &renamed)),
        Row("F15 twice, last", file("a.zip", &twice)),
        Row("F15 twice, first", file("a.zip", &twice_other)),
        Row("F15 two directories", file("a.zip", &left_out)),
        Row("F15 behind the end", file("a.zip", &[menu.as_slice(), &list].concat())),
        Row("F16 xlsx as jpg", file("a.jpg", &xlsx(&[&[RECORD]], &[]))),
        Row("F16 double extension", file("a.pdf.txt", &pdf_line(RECORD))),
        Row("F16 GIF and ZIP", file("a.gif", &[b"GIF89a\x01\0\x01\0\0\0\0;".as_slice(), &list].concat())),
        Row("F16 HTML and ZIP", file("a.html", &[b"<html><p>Menu</p></html>".as_slice(), &list].concat())),
        Row("F16 PDF and ZIP", file("a.pdf", &[pdf_line("Menu").as_slice(), &list].concat())),
        Row("F16 program and ZIP", file("a.exe", &[b"MZ\x90\0\x03\0\0\0".as_slice(), &[0; 64], &list].concat())),
        Row("F17 .z01", file("a.z01", &[b"\x50\x4b\x07\x08".as_slice(), &list[..list.len() / 2]].concat())),
        Row("F17 .001", file("a.7z.001", &seven_zip(&RECORD.repeat(50).into_bytes(), None)[..100])),
        Row("F18 TNEF", file("winmail.dat", &tnef("list.txt", RECORD.as_bytes()))),
        Row("F18 TNEF under another name", file("menu.jpg", &tnef("list.txt", RECORD.as_bytes()))),
        Row("F18 docx in TNEF", file("winmail.dat", &tnef("a.docx", &docx(&[RECORD])))),
        Row("F18 name in TNEF", file("winmail.dat", &tnef("Lottie Fenn J998441726117.txt", b"x"))),
        Row("F18 broken TNEF", file("winmail.dat", b"\x78\x9f\x3e\x22\x01\0\x01\x06\x90\x08\0\x04")),
        Row("F19 eml", file("a.eml", letter.as_bytes())),
        Row("F19 mbox", file("a.mbox", mbox.as_bytes())),
        Row("F20 ics", file("a.ics", calendar.as_bytes())),
        Row("F20 vcf", file("a.vcf", format!("BEGIN:VCARD\nFN:x\nNOTE:{RECORD}\nEND:VCARD\n").as_bytes())),
        Row(
            "F21 OneNote",
            file(
                "a.one",
                &[b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3".as_slice(), &[0; 64]].concat(),
            ),
        ),
        Row("F21 Access", file("a.accdb", &[b"\0\x01\0\0Standard ACE DB\0".as_slice(), &[0; 64]].concat())),
        Row("F21 SQLite", file("a.db", &[b"SQLite format 3\0".as_slice(), &[0; 84]].concat())),
        Row("F21 link", file("a.url", format!("[InternetShortcut]\nURL=https://x.example/?q={}", RECORD).as_bytes())),
        Row("F22 UTF-16 rows", file("a.csv", &utf16)),
        Row("F23 CTF", file("a.xml", ctf.as_bytes())),
        Row("F24 opaque-signed", file("smime.p7m", &signed)),
        Row("F24 enveloped", file("smime.p7m", &enveloped)),
        Row("F24 PGP", file("a.asc", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n")),
        Row(
            "F24 inline PGP",
            single("Content-Type: text/plain", "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"),
        ),
        Row(
            "F25 rights-managed",
            file("message_v2.rpmsg", &[b"\x76\xe8\x04\x60\xc4\x11\xe3\x86".as_slice(), &[9; 64]].concat()),
        ),
        Row("F27 text in PNG", file("a.png", &png_with_text(RECORD))),
    ];
    judge(rows);
}

/// Two entries of the directory that share one member's octets.
fn overlapping() -> Vec<u8> {
    let stored = zip::write::SimpleFileOptions::default();
    let mut bytes = zip_with(&[("a.txt", b"Soup")], stored);
    let end = memchr::memmem::rfind(&bytes, b"PK\x05\x06").expect("an end");
    let start = memchr::memmem::rfind(&bytes, b"PK\x01\x02").expect("a directory");
    let mut second = bytes[start..end].to_vec();
    let name = memchr::memmem::find(&second, b"a.txt").expect("a name");
    second[name] = b'b';
    let tail = bytes.split_off(end);
    bytes.extend(&second);
    bytes.extend(&tail);
    let end = bytes.len() - tail.len();
    for at in [end + 8, end + 10] {
        bytes[at] = 2;
    }
    let length = (2 * second.len() as u32).to_le_bytes();
    bytes[end + 12..end + 16].copy_from_slice(&length);
    bytes
}

fn seven_zip(content: &[u8], password: Option<&str>) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(std::io::Cursor::new(Vec::new())).expect("a writer");
    if let Some(password) = password {
        writer.set_content_methods(vec![
            sevenz_rust2::encoder_options::AesEncoderOptions::new(password.into()).into(),
            sevenz_rust2::EncoderMethod::LZMA2.into(),
        ]);
    }
    writer.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file("a.txt"), Some(content)).expect("a member");
    writer.finish().expect("an archive").into_inner()
}

/// A picture with a tEXt chunk.
fn png_with_text(text: &str) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let data = deflate(&[0, 0], flate2::Compression::fast());
    for (kind, content) in [
        (b"IHDR", b"\0\0\0\x01\0\0\0\x01\x08\0\0\0\0".to_vec()),
        (b"tEXt", [b"Comment\0", text.as_bytes()].concat()),
        (b"IDAT", data),
        (b"IEND", Vec::new()),
    ] {
        out.extend((content.len() as u32).to_be_bytes());
        let start = out.len();
        out.extend(kind);
        out.extend(content);
        let mut crc = flate2::Crc::new();
        crc.update(&out[start..]);
        out.extend(crc.sum().to_be_bytes());
    }
    out
}

/// A file as Outlook wraps it (MS-OXTNEF 2.1.3).
fn tnef(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\x78\x9f\x3e\x22\x01\0".to_vec();
    let title = [name.as_bytes(), b"\0"].concat();
    // attAttachRenddata begins a file, attAttachTitle names it, attAttachData is it.
    for (id, data) in [(0x9002u16, &[0; 14][..]), (0x8010, &title), (0x800f, bytes)] {
        out.push(2);
        out.extend(id.to_le_bytes());
        out.extend([6, 0]);
        out.extend(u32::try_from(data.len()).expect("a small file").to_le_bytes());
        out.extend(data);
        let sum = data.iter().fold(0u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
        out.extend(sum.to_le_bytes());
    }
    out
}
