use super::compound::tests::workbook;
use super::package::tests::archive;
use super::pdf::tests::file as pdf_file;
use super::records::tests::record;
use super::storage::tests::compound;
use super::*;
use crate::text::{Block, Kind};

/// A message with one attachment, encoded as mail programs do.
fn with_file(name: &str, declared: &str, bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut base64 = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |g, b| g << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let used = place <= chunk.len();
            base64.push(if used { ALPHABET[(group >> (18 - 6 * place) & 63) as usize] as char } else { '=' });
        }
        if base64.len() % 77 == 76 {
            base64.push('\n');
        }
    }
    format!("Subject: Trip\nContent-Type: multipart/mixed; boundary=xx\n\n--xx\nContent-Type: text/plain\n\nSee attached.\n--xx\nContent-Type: {declared}\nContent-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{base64}\n--xx--\n").into_bytes()
}

fn read_file(name: &str, declared: &str, bytes: &[u8]) -> Reading {
    let raw = with_file(name, declared, bytes);
    let message = crate::message::read(&raw);
    assert!(message.faults.is_empty(), "{:?}", message.faults);
    read(&message)
}

fn has_text(reading: &Reading, place: &str, wanted: &str) -> bool {
    reading.documents.iter().filter(|d| d.place == place).flat_map(|d| &d.blocks).any(|block| match block {
        Block::Paragraph { text, .. } => text.contains(wanted),
        Block::Table(table) => table.texts().any(|c| c.contains(wanted)),
    })
}

#[test]
fn told_to_stop_it_begins_no_further_part() {
    let raw = with_file("list.csv", "text/csv", b"Name,Class\nAmy Smith,6K\n");
    let message = crate::message::read(&raw);
    let halt = Halt::default();
    assert!(read_with(None, &halt, &message).unread.is_empty());
    halt.set();
    let reading = read_with(None, &halt, &message);
    assert!(!has_text(&reading, "list.csv", "Amy") && !has_text(&reading, "body", "attached"));
    assert!(reading.unread.iter().any(|unread| unread.part == "list.csv"), "{:?}", reading.unread);
}

#[test]
fn the_parts_of_a_message_and_their_kinds() {
    let raw = b"Subject: =?utf-8?Q?Zo=C3=AB?=\nTo: Amy Smith <a@b.example>\nComments: about Ben Jones\nX-Note: please see Cal\nX-Mailer: Some Mailer Program\nContent-Type: multipart/alternative; boundary=q\n\n--q\nContent-Type: text/plain; charset=utf-8\n\nNew words.\n\nOn 2 Nov 2026 J wrote:\n> old words\n--q\nContent-Type: text/html\n\n<p>New <b>w</b>ords.</p><blockquote>old words</blockquote>\n--q--\n";
    let reading = read(&crate::message::read(raw));
    let found: Vec<(Kind, &str)> = reading.documents.iter().map(|d| (d.kind, d.place.as_str())).collect();
    assert_eq!(
        found,
        [
            (Kind::Subject, "subject"),
            (Kind::Header, "header"),
            (Kind::Header, "header"),
            (Kind::Body, "body"),
            (Kind::Quoted, "quoted thread"),
            (Kind::Body, "body"),
            (Kind::Quoted, "quoted thread"),
        ]
    );
    assert_eq!(reading.documents[3].blocks, reading.documents[5].blocks);
    assert!(reading.unread.is_empty());
}

#[test]
fn files_are_read_by_their_content() {
    let docx = archive(&[("[Content_Types].xml", b"<T/>"), ("word/document.xml", b"<d><p><t>Amy Smith</t></p></d>")]);
    let inner = archive(&[("list.csv", b"Name,Form\nAmy Smith,Oak\n")]);
    let outer = archive(&[("more/inner.zip", &inner), ("photo.jpg", b"\xff\xd8\xff\xe0\0\x02")]);
    let utf16: Vec<u8> = "\u{feff}Name\tForm\r\nAmy Smith\tOak\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, declared, bytes, place) in [
        ("notes.txt", "text/plain", b"Amy Smith".as_slice(), "notes.txt"),
        ("notes.jpg", "image/jpeg", &docx, "notes.jpg"),
        ("list.csv", "text/csv", &utf16, "list.csv"),
        ("page.html", "application/octet-stream", b"<html><p>Amy S<b>mith</b>", "page.html"),
        ("fwd.eml", "application/octet-stream", b"From: a@b\nSubject: x\nDate: y\n\nAmy Smith\n", "fwd.eml"),
        ("letter.rtf", "application/msword", br"{\rtf1 Amy S{\b mith}}", "letter.rtf"),
        ("entry.ics", "text/calendar", b"BEGIN:VCALENDAR\nSUMMARY:Amy Smith\nEND:VCALENDAR", "entry.ics"),
        ("pack.zip", "application/zip", &outer, "pack.zip/more/inner.zip/list.csv"),
    ] {
        let reading = read_file(name, declared, bytes);
        assert!(has_text(&reading, place, "Amy Smith"), "{name}: {:#?}", reading.documents);
        assert!(reading.unread.is_empty(), "{name}: {:?}", reading.unread);
    }
    let reading = read_file("pack.zip", "application/zip", &outer);
    assert_eq!(reading.images[0].place, "pack.zip/photo.jpg");
    let names: Vec<_> =
        reading.documents.iter().filter(|d| d.kind == Kind::FileName).map(|d| d.place.as_str()).collect();
    assert_eq!(
        names,
        [
            "pack.zip",
            "pack.zip/more/inner.zip",
            "pack.zip/more/inner.zip",
            "pack.zip/more/inner.zip/list.csv",
            "pack.zip/photo.jpg"
        ]
    );
}

#[test]
fn names_and_comments_inside_an_archive_are_texts() {
    let zip = archive(&[("SEN/Amy Smith/plan.txt", b"Soup"), ("__MACOSX/menu.txt", b"Soup")]);
    let names = |reading: &Reading| -> Vec<String> {
        let documents = reading.documents.iter().filter(|d| d.kind == Kind::FileName);
        let blocks = documents.flat_map(|d| &d.blocks).filter_map(|b| match b {
            Block::Paragraph { text, .. } => Some(text.clone()),
            Block::Table(_) => None,
        });
        blocks.collect()
    };
    assert_eq!(names(&read_file("pack.zip", "", &zip)), ["pack", "plan", "SEN", "Amy Smith", "menu"]);
    let behind = "pack.zip/what stands behind its end";
    let with = |comment: &[u8]| {
        let mut bytes = zip.clone();
        let end = bytes.len();
        bytes[end - 2..].copy_from_slice(&u16::try_from(comment.len()).unwrap().to_le_bytes());
        [bytes.as_slice(), comment].concat()
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, b"Amy Smith").unwrap();
    let packed = packed.finish().unwrap();
    for (bytes, place) in [
        (with(b"Amy Smith"), behind.to_owned()),
        ([zip.as_slice(), b"\0\0Amy Smith"].concat(), behind.to_owned()),
        (with(&packed), format!("{behind}/what stands behind its end")),
    ] {
        let reading = read_file("pack.zip", "", &bytes);
        assert!(has_text(&reading, &place, "Amy Smith"), "{:#?}", reading.documents);
        assert!(reading.unread.is_empty(), "{:?}", reading.unread);
    }
    // An archive in the comment of an archive: the two of them have two readings.
    let reading = read_file("pack.zip", "", &with(&archive(&[("list.txt", b"Amy Smith")])));
    assert!(reading.unread.iter().any(|u| u.why == Why::Contradictory), "{:?}", reading.unread);
    assert!(read_file("pack.zip", "", &[zip.as_slice(), &[0; 512]].concat()).unread.is_empty());
}

/// Relay checklist, row 130.
#[test]
fn what_is_not_read_says_why() {
    let bomb = archive(&[("zeros.txt", &vec![b'0'; 64 << 20])]);
    let cut = archive(&[("[Content_Types].xml", b"<T/>"), ("word/document.xml", b"<d><p><t>Amy</t></p></d>")]);
    let broken = archive(&[("[Content_Types].xml", b"<T/>"), ("word/document.xml", b"<d><p><t>Amy")]);
    let mut deep = archive(&[("a.txt", b"Amy")]);
    for _ in 0..crate::limits::EXTRACT_DEPTH + 1 {
        deep = archive(&[("z.zip", &deep)]);
    }
    let sealed = archive(&[("content.xml", b"??"), ("META-INF/manifest.xml", b"<m><encryption-data/></m>")]);
    for (name, bytes, why) in [
        ("bomb.zip", bomb.as_slice(), Why::BeyondLimit),
        ("cut.docx", &cut[..cut.len() / 2], Why::Damaged),
        ("broken.docx", &broken, Why::Damaged),
        ("deep.zip", &deep, Why::BeyondLimit),
        ("sealed.odt", &sealed, Why::Encrypted),
        ("report.pdf", b"%PDF-1.4\nnothing", Why::Damaged),
        ("report.docx", b"\x01\x02\x03\x04\x05\x06\x00\x00", Why::Damaged),
        ("data.xyz", b"\x01\x02\x03\x04\x05\x06\x00\x00", Why::UnknownType),
        ("note.asc", b"-----BEGIN PGP MESSAGE-----\n\nabc\n", Why::Encrypted),
        ("empty.docx", b"", Why::Damaged),
    ] {
        let reading = read_file(name, "application/octet-stream", bytes);
        assert!(
            reading.unread.iter().any(|u| u.why == why && u.part.starts_with(name)),
            "{name}: {:?}",
            reading.unread
        );
    }
    assert!(read_file("empty.txt", "text/plain", b"").unread.is_empty());
}

#[test]
fn a_faulty_structure_is_unread() {
    let reading = read(&crate::message::read(b"Subject: a\nSubject: b\n\nx\n"));
    assert_eq!(reading.unread, [Unread { part: "message".into(), why: Why::Contradictory }]);
    assert!(has_text(&reading, "subject", "a b"));
}

fn anywhere(reading: &Reading, wanted: &str) -> bool {
    reading.documents.iter().any(|document| has_text(reading, &document.place, wanted))
}

fn with_part(headers: &str, body: &str) -> Vec<u8> {
    format!("Subject: Trip\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=xx\n\n--xx\n{headers}\n{body}\n--xx--\n")
        .replace('\n', "\r\n")
        .into_bytes()
}

#[test]
fn what_is_encoded_though_nothing_says_so_is_read() {
    let base64 = "TmFtZSxG\nb3JtCkFt\neSBTbWl0\naCxPYWsK\nQmVuIEpv\nbmVzLEVs\nbQo=";
    let one = base64.replace('\n', "");
    let quoted = "Amy=20Smith=20has=20asthma=20and=20an=20EHCP=20and=20more";
    for (headers, body) in [
        ("Content-Type: text/plain\n", base64.to_owned()),
        ("Content-Type: text/plain\n", format!("Dear all,\n--foo--\n{base64}\n--foo--\n")),
        ("Content-Type: text/html\n", format!("<p>{}</p>", base64.replace('\n', "<br>\n"))),
        ("Content-Type: text/csv\n", format!("a,b\n1,{one}\n")),
        ("Content-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n", format!("a,b\n1,{one}\n")),
        (
            "Content-Type: text/xml\nContent-Disposition: attachment; filename=a.xml\n",
            format!("<?xml version='1.0'?><a>{one}</a>"),
        ),
        (
            "Content-Type: application/json\nContent-Disposition: attachment; filename=a.json\n",
            format!("{{\"a\": \"{one}\"}}"),
        ),
        (
            "Content-Type: text/calendar\n",
            format!(
                "BEGIN:VCALENDAR\nATTACH;ENCODING=BASE64;VALUE=BINARY:{}\nEND:VCALENDAR\n",
                base64.replace('\n', "\n ")
            ),
        ),
        ("Content-Type: text/x-notes\nContent-Transfer-Encoding: base64\n", base64.to_owned()),
        ("Content-Type: text/plain\n", quoted.to_owned()),
        ("Content-Type: text/html\n", format!("<p>{quoted}</p>")),
        ("Content-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n", format!("a,b\n1,{quoted}\n")),
    ] {
        let raw = with_part(headers, &body);
        let reading = read(&crate::message::read(&raw));
        let found = anywhere(&reading, "Amy Smith");
        let table = reading.documents.iter().flat_map(|d| &d.blocks).any(
            |block| matches!(block, Block::Table(table) if table.rows().any(|row| row.aligned() == ["Amy Smith", "Oak"])),
        );
        assert!(found || table, "{headers}{body}: {:#?}", reading.documents);
        assert!(reading.unread.is_empty(), "{headers}{body}: {:?}", reading.unread);
    }
}

#[test]
fn a_second_reading_of_the_whole_message_is_read_too() {
    for raw in [
        "Subject: x\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\nQW15IFNtaXRo\n",
        "Subject: x\n\nContent-Transfer-Encoding: base64\n\nQW15IFNtaXRo\n",
        "Subject: x\n Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/csv; name=a.csv\nContent-Transfer-Encoding: base64\n\nQW15IFNtaXRo\n--b--\n",
        "Content-Type: message/rfc822\n\nSubject: x\n\nContent-Transfer-Encoding: base64\n\nQW15IFNtaXRo\n",
    ] {
        let reading = read(&crate::message::read(raw.as_bytes()));
        assert!(anywhere(&reading, "Amy Smith"), "{raw}: {:#?}", reading.documents);
        assert!(reading.unread.iter().any(|unread| unread.why == Why::Contradictory), "{raw}");
    }
}

#[test]
fn what_was_encoded_twice_is_read_as_it_was_meant() {
    let spoilt = "SiÃ¢n Evans";
    let docx = archive(&[
        ("[Content_Types].xml", b"<T/>"),
        ("word/document.xml", format!("<d><p><t>{spoilt}</t></p></d>").as_bytes()),
    ]);
    for (name, bytes) in [
        ("a.txt", spoilt.as_bytes()),
        ("a.csv", format!("a,b\n1,{spoilt}\n").as_bytes()),
        ("a.html", format!("<p>{spoilt}").as_bytes()),
        ("a.docx", &docx),
    ] {
        let reading = super::read_file(name, bytes);
        assert!(anywhere(&reading, "Siân Evans"), "{name}: {:#?}", reading.documents);
    }
    let raw = format!("Subject: {spoilt}\nContent-Type: text/plain; charset=koi8-r\n\nZoÃ« Rowley\n");
    let reading = read(&crate::message::read(raw.as_bytes()));
    assert!(anywhere(&reading, "Siân Evans") && anywhere(&reading, "Zoë Rowley"), "{:#?}", reading.documents);
}

#[test]
fn what_is_not_read_is_told_once_however_much_it_is() {
    let mailbox = "From a 1\nFrom: a@b\nSubject: x\nDate: y\n\nz\n\n".repeat(60_000);
    let reading = super::read_file("a.mbox", mailbox.as_bytes());
    assert!(reading.unread.len() > 50_000, "{}", reading.unread.len());
    // An archive behind a text is foreign code's.
    let text = [b"Dear all\n".repeat(600).as_slice(), &super::package::tests::archive(&[("a.txt", b"Amy")])].concat();
    assert!(super::sniff::needs_isolation(&text, "a.txt", "text/plain"));
    assert!(!super::sniff::needs_isolation(&text[..5_000], "a.txt", "text/plain"));
}

/// One package with a part that leads elsewhere.
fn linking(part: &str, body: &[u8], relations: &str) -> Vec<u8> {
    let (folder, name) = part.rsplit_once('/').unwrap();
    let relations = format!("<Relationships>{relations}</Relationships>");
    let own = format!("{folder}/_rels/{name}.rels");
    let mut parts = vec![("[Content_Types].xml", b"<Types/>".as_slice()), (part, body), (&own, relations.as_bytes())];
    match part.split('/').next() {
        Some("xl") => parts.push(("xl/workbook.xml", b"<workbook><sheets><sheet name='Oak'/></sheets></workbook>")),
        Some("ppt") => parts.push(("ppt/presentation.xml", b"<presentation/>")),
        _ => {}
    }
    archive(&parts)
}

#[test]
fn where_links_of_files_lead_is_read() {
    const LINK: &str = "https://www.dropbox.com/s/ab12/list.xlsx?dl=0";
    let relation = format!("<Relationship Id='r1' Type='x/hyperlink' TargetMode='External' Target='{LINK}'/>");
    let docx = |relation: &str| {
        let body = b"<w:document><w:body><w:p><w:hyperlink r:id='r1'><w:r><w:t>here</w:t></w:r></w:hyperlink></w:p></w:body></w:document>";
        linking("word/document.xml", body, relation)
    };
    let in_field = format!(
        "<w:document><w:p><w:fldSimple w:instr='HYPERLINK &quot;{LINK}&quot;'><w:r><w:t>here</w:t></w:r></w:fldSimple></w:p></w:document>"
    );
    let formula = format!("<c r='A1' t='str'><f>HYPERLINK(\"{LINK}\",\"here\")</f><v>here</v></c>");
    let sheet =
        |cell: &str| format!("<worksheet><sheetData><row r='1'>{cell}</row></sheetData></worksheet>").into_bytes();
    let odt = format!("<d><body><text><p>See <a xlink:href='{LINK}'>here</a></p></text></body></d>");
    let odf =
        |content: &str| archive(&[("content.xml", content.as_bytes()), ("META-INF/manifest.xml", b"<manifest/>")]);
    let pdf = |action: &str| {
        let page = "BT /F1 12 Tf 72 700 Td (See here) Tj ET";
        pdf_file(page, &["<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A 7 0 R >>", action])
    };
    let wide: Vec<u8> = LINK.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let moniker = [super::records::ADDRESS, &(wide.len() as u32).to_le_bytes(), &wide].concat();
    let xls = compound(&[("Workbook", &workbook(&record(0x01b8, &moniker)))]);
    for (name, bytes) in [
        ("a.docx", docx(&relation)),
        ("b.docx", linking("word/document.xml", in_field.as_bytes(), "")),
        ("c.pptx", linking("ppt/slides/slide1.xml", b"<s><p><t>here</t></p></s>", &relation)),
        ("d.xlsx", linking("xl/worksheets/sheet1.xml", &sheet("<c r='A1' t='str'><v>here</v></c>"), &relation)),
        ("e.xlsx", linking("xl/worksheets/sheet1.xml", &sheet(&formula), "")),
        ("f.odt", odf(&odt)),
        (
            "g.rtf",
            format!(r#"{{\rtf1 See {{\field{{\*\fldinst HYPERLINK "{LINK}"}}{{\fldrslt here}}}}}}"#).into_bytes(),
        ),
        ("h.pdf", pdf(&format!("<< /S /URI /URI ({LINK}) >>"))),
        ("i.xls", xls),
        ("j.html", format!("<html><p><a href=\"{LINK}\">here</a></p>").into_bytes()),
        ("k.html", format!("<html><iframe srcdoc='<form action=\"{LINK}\"></form>'></iframe>").into_bytes()),
        ("l.ics", format!("BEGIN:VCALENDAR\nURL:{LINK}\nEND:VCALENDAR").into_bytes()),
        (
            "m.ics",
            format!("BEGIN:VCALENDAR\nATTACH;FMTTYPE=application/pdf:{LINK}&{}\nEND:VCALENDAR", "x".repeat(200))
                .into_bytes(),
        ),
        ("n.ics", format!("BEGIN:VCALENDAR\nDESCRIPTION;ALTREP=\"{LINK}\":here\nEND:VCALENDAR").into_bytes()),
        ("o.vcf", format!("BEGIN:VCARD\nPHOTO;VALUE=uri:{LINK}\nEND:VCARD").into_bytes()),
        ("s.xml", format!("<?xml version='1.0'?><w:wordDocument xmlns:w='x'><w:body><w:p><w:hlink w:dest='{LINK}'><w:r><w:t>here</w:t></w:r></w:hlink></w:p></w:body></w:wordDocument>").into_bytes()),
        ("t.fodt", format!("<?xml version='1.0'?><office:document office:mimetype='application/vnd.oasis.opendocument.text'><office:body><office:text><text:p><text:a xlink:href='{LINK}'>here</text:a></text:p></office:text></office:body></office:document>").into_bytes()),
        ("p.url", format!("[InternetShortcut]\r\nURL={LINK}\r\n").into_bytes()),
        (
            "q.webloc",
            format!("<?xml version=\"1.0\"?><plist><dict><key>URL</key><string>{LINK}</string></dict></plist>")
                .into_bytes(),
        ),
        ("r.desktop", format!("[Desktop Entry]\nType=Link\nURL={LINK}\n").into_bytes()),
    ] {
        let reading = read_file(name, "application/octet-stream", &bytes);
        assert!(has_text(&reading, name, LINK), "{name}: {:#?}", reading.documents);
        assert!(reading.unread.is_empty(), "{name}: {:?}", reading.unread);
    }
    // What leads to another part or place of the same file, or to the author's template, is no link.
    let template = "<Relationship Type='x/attachedTemplate' TargetMode='External' Target='file:///C:/Elsewhere.dotx'/>";
    for (name, bytes) in [
        ("a.docx", docx("<Relationship Id='r1' Type='x/hyperlink' Target='Elsewhere'/>")),
        ("b.docx", docx(template)),
        ("f.odt", odf(&odt.replace(LINK, "#Elsewhere"))),
        ("h.pdf", pdf("<< /S /GoTo /D (Elsewhere) >>")),
        ("j.html", b"<html><p><a href='#Elsewhere'>here</a><img src='https://Elsewhere'></p>".to_vec()),
    ] {
        let reading = read_file(name, "application/octet-stream", &bytes);
        assert!(!has_text(&reading, name, "Elsewhere"), "{name}: {:#?}", reading.documents);
        assert!(reading.unread.is_empty(), "{name}: {:?}", reading.unread);
    }
}
