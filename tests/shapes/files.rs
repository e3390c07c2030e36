//! The forms in which a list travels. The packages are written here, byte by byte, so that the reader is not tested
//! against a writer of its own family: ZIP entries are stored, and the XML is the least that Word and Excel open.

use super::Content;

/// How the content stands in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Lines of the body, columns two blanks apart.
    Text,
    /// A table of the HTML body.
    Html,
    /// An attachment of comma-separated values.
    Csv,
    /// A workbook, shared strings.
    Xlsx,
    /// A Word document: paragraphs and a table.
    Docx,
}

impl Form {
    pub const ALL: [Form; 5] = [Form::Text, Form::Html, Form::Csv, Form::Xlsx, Form::Docx];
}

/// The whole message, CRLF line ends.
pub fn message(content: &Content, form: Form, from: &str, to: &str) -> Vec<u8> {
    let head = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {}\r\nDate: Tue, 13 Oct 2026 09:14:00 +0100\r\nMIME-Version: 1.0\r\n",
        encoded(&content.subject)
    );
    let part = |kind: &str, body: &str| {
        format!(
            "Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64(body.as_bytes())
        )
    };
    let attached = |name: &str, kind: &str, bytes: &[u8]| {
        format!(
            "{head}Content-Type: multipart/mixed; boundary=edge\r\n\r\n--edge\r\n{}\r\n--edge\r\nContent-Type: {kind}\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--edge--\r\n",
            part("text/plain", &content.covering),
            base64(bytes)
        )
    };
    let office = "application/vnd.openxmlformats-officedocument";
    if let Some(xml) = &content.xml {
        return attached("9984021_CTF.xml", "application/xml", xml.as_bytes()).into_bytes();
    }
    match form {
        Form::Text => format!("{head}{}", part("text/plain", &format!("{}\n\n{}", content.covering, text(content)))),
        Form::Html => format!("{head}{}", part("text/html", &html(content))),
        Form::Csv => attached("list.csv", "text/csv", csv(content).as_bytes()),
        Form::Xlsx => attached("list.xlsx", &format!("{office}.spreadsheetml.sheet"), &xlsx(content)),
        Form::Docx => attached("document.docx", &format!("{office}.wordprocessingml.document"), &docx(content)),
    }
    .into_bytes()
}

fn rows(content: &Content) -> impl Iterator<Item = &Vec<String>> {
    content.table.iter()
}

fn text(content: &Content) -> String {
    let mut out = format!("{}\n\n", content.title);
    for paragraph in &content.prose {
        out.push_str(paragraph);
        out.push_str("\n\n");
    }
    for row in rows(content) {
        out.push_str(&row.join("\t"));
        out.push('\n');
    }
    out
}

fn html(content: &Content) -> String {
    let mut out = format!("<html><body><p>{}</p><h3>{}</h3>", escaped(&content.covering), escaped(&content.title));
    for paragraph in &content.prose {
        out.push_str(&format!("<p>{}</p>", escaped(paragraph).replace('\n', "<br>\n")));
    }
    out.push_str("<table border=1>");
    for row in rows(content) {
        out.push_str("<tr>");
        row.iter().for_each(|cell| out.push_str(&format!("<td>{}</td>", escaped(cell))));
        out.push_str("</tr>\n");
    }
    out + "</table></body></html>"
}

fn csv(content: &Content) -> String {
    let cell = |text: &String| match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.clone(),
    };
    let prose = content.prose.iter().map(|p| vec![p.clone()]);
    let lines = prose.chain(rows(content).cloned());
    lines.map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n").collect()
}

fn xlsx(content: &Content) -> Vec<u8> {
    let mut shared: Vec<String> = Vec::new();
    let mut sheet = String::new();
    let prose = content.prose.iter().map(|p| vec![p.clone()]);
    let title = std::iter::once(vec![content.title.clone()]);
    for (r, row) in title.chain(prose).chain(rows(content).cloned()).enumerate() {
        sheet.push_str(&format!("<row r=\"{}\">", r + 1));
        for (c, cell) in row.iter().enumerate() {
            let at = format!("{}{}", char::from(b'A' + c as u8), r + 1);
            if !cell.is_empty() && cell.len() < 5 && cell.bytes().all(|b| b.is_ascii_digit()) {
                sheet.push_str(&format!("<c r=\"{at}\"><v>{cell}</v></c>"));
            } else {
                sheet.push_str(&format!("<c r=\"{at}\" t=\"s\"><v>{}</v></c>", shared.len()));
                shared.push(cell.clone());
            }
        }
        sheet.push_str("</row>");
    }
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let strings: String =
        shared.iter().map(|s| format!("<si><t xml:space=\"preserve\">{}</t></si>", escaped(s))).collect();
    package(&[
        (
            "[Content_Types].xml",
            types(
                &[
                    ("/xl/workbook.xml", "sheet.main"),
                    ("/xl/worksheets/sheet1.xml", "worksheet"),
                    ("/xl/sharedStrings.xml", "sharedStrings"),
                ],
                "spreadsheetml",
            ),
        ),
        ("_rels/.rels", relations(&[("officeDocument", "xl/workbook.xml")])),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            relations(&[("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")]),
        ),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>")),
        ("xl/sharedStrings.xml", format!("<sst xmlns=\"{main}\">{strings}</sst>")),
    ])
}

fn docx(content: &Content) -> Vec<u8> {
    let paragraph = |text: &str| {
        // Word cuts a line into runs where somebody has edited it.
        let middle = text.char_indices().map(|(i, _)| i).nth(text.chars().count() / 2).unwrap_or(0);
        let (a, b) = text.split_at(middle);
        let run = |t: &str| format!("<w:r><w:t xml:space=\"preserve\">{}</w:t></w:r>", escaped(t));
        format!("<w:p>{}{}</w:p>", run(a), run(b))
    };
    let mut body = paragraph(&content.title);
    content.prose.iter().flat_map(|p| p.lines()).for_each(|line| body.push_str(&paragraph(line)));
    if !content.table.is_empty() {
        body.push_str("<w:tbl>");
        for row in rows(content) {
            let cells: String = row.iter().map(|cell| format!("<w:tc>{}</w:tc>", paragraph(cell))).collect();
            body.push_str(&format!("<w:tr>{cells}</w:tr>"));
        }
        body.push_str("</w:tbl>");
    }
    package(&[
        ("[Content_Types].xml", types(&[("/word/document.xml", "document.main")], "wordprocessingml")),
        ("_rels/.rels", relations(&[("officeDocument", "word/document.xml")])),
        (
            "word/document.xml",
            format!(
                "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
            ),
        ),
    ])
}

fn types(parts: &[(&str, &str)], family: &str) -> String {
    let overrides: String = parts
        .iter()
        .map(|(name, kind)| format!("<Override PartName=\"{name}\" ContentType=\"application/vnd.openxmlformats-officedocument.{family}.{kind}+xml\"/>"))
        .collect();
    format!(
        "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" \
         ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
         ContentType=\"application/xml\"/>{overrides}</Types>"
    )
}

fn relations(to: &[(&str, &str)]) -> String {
    let kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let all: String = to
        .iter()
        .enumerate()
        .map(|(i, (kind, target))| {
            format!("<Relationship Id=\"rId{}\" Type=\"{kinds}/{kind}\" Target=\"{target}\"/>", i + 1)
        })
        .collect();
    format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{all}</Relationships>"
    )
}

/// A ZIP archive of stored entries (APPNOTE 4.3.7, 4.3.12, 4.3.16).
fn package(entries: &[(&str, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let content = format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>{content}");
        let at = out.len() as u32;
        let mut common = Vec::new();
        for word in [20_u16, 0, 0, 0, 0x5B21] {
            common.extend(word.to_le_bytes());
        }
        for long in [crc32(content.as_bytes()), content.len() as u32, content.len() as u32] {
            common.extend(long.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.bytes());
        out.extend(content.bytes());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.bytes());
    }
    let (start, size, count) = (out.len() as u32, directory.len() as u32, entries.len() as u16);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |mut crc, &byte| {
        crc ^= u32::from(byte);
        (0..8).for_each(|_| crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()));
        crc
    })
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A header value, as one RFC 2047 word for each 30 characters where it is not plain ASCII.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let words = characters
        .chunks(10)
        .map(|c| format!("=?utf-8?B?{}?=", base64(c.iter().collect::<String>().as_bytes()).trim()));
    words.collect::<Vec<_>>().join("\r\n ")
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (i, three) in bytes.chunks(3).enumerate() {
        if i > 0 && i % 19 == 0 {
            out.push_str("\r\n");
        }
        let bits = three.iter().fold(0_u32, |sum, &b| sum << 8 | u32::from(b)) << (8 * (3 - three.len()));
        for k in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * k) & 63) as usize];
            out.push(if k <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}
