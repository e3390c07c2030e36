//! Messages and files made in test code: nothing hostile is stored, all of it is generated.

use std::io::Write;

/// Base64 in lines of 76 characters.
pub fn base64(bytes: &[u8]) -> String {
    let line: String = base64_line(bytes);
    let lines: Vec<&str> = line.as_bytes().chunks(76).map(|c| std::str::from_utf8(c).expect("ASCII")).collect();
    lines.join("\r\n")
}

/// Base64 in one line.
pub fn base64_line(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |g, b| g << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let used = place <= chunk.len();
            out.push(if used { ALPHABET[(group >> (18 - 6 * place) & 63) as usize] as char } else { '=' });
        }
    }
    out
}

/// A message to `to` with these header lines and this body, both with plain `\n` line ends.
pub fn message(headers: &str, body: &str) -> Vec<u8> {
    let text = format!(
        "From: w.carr@saltmere.example\nTo: someone@elsewhere.example\nDate: Tue, 6 Oct 2026 09:00:00 +0100\nMessage-ID: <{}@saltmere.example>\nMIME-Version: 1.0\n{}\n\n{body}",
        headers.len() * 31 + body.len(),
        headers.trim_end()
    );
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

/// A message with a text and files, each with its name.
pub fn with_files(subject: &str, text: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = format!("--=_b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n");
    for (name, bytes) in files {
        body.push_str(&format!(
            "--=_b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{}\n",
            base64(bytes)
        ));
    }
    body.push_str("--=_b--\n");
    message(&format!("Subject: {subject}\nContent-Type: multipart/mixed; boundary=\"=_b\""), &body)
}

/// An archive of files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(files, zip::write::SimpleFileOptions::default())
}

/// As [`zip`], with options for every file.
pub fn zip_with(files: &[(&str, &[u8])], options: zip::write::SimpleFileOptions) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, options).expect("a member");
        writer.write_all(bytes).expect("its content");
    }
    writer.finish().expect("an archive").into_inner()
}

/// A Word document of paragraphs.
pub fn docx(paragraphs: &[&str]) -> Vec<u8> {
    let body: String = paragraphs.iter().map(|p| format!("<w:p><w:r><w:t>{p}</w:t></w:r></w:p>")).collect();
    docx_of(&body)
}

/// A Word document with this body in WordprocessingML, and further parts.
pub fn docx_of(body: &str) -> Vec<u8> {
    let document = format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
    );
    zip(&[
        ("[Content_Types].xml", b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"),
        ("word/document.xml", document.as_bytes()),
    ])
}

/// A workbook of one sheet with these rows of texts, and further parts of the package.
pub fn xlsx(rows: &[&[&str]], more: &[(&str, &[u8])]) -> Vec<u8> {
    let cells = |row: &&[&str]| -> String {
        row.iter().map(|c| format!("<c t=\"inlineStr\"><is><t>{c}</t></is></c>")).collect()
    };
    let rows: String = rows.iter().map(|r| format!("<row>{}</row>", cells(r))).collect();
    let sheet = format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"
    );
    let workbook = b"<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>";
    let relations = b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>";
    let mut files: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ];
    files.extend_from_slice(more);
    zip(&files)
}

/// A PDF of one page whose content stream is this, compressed where `packed`; further objects are numbered from 6.
pub fn pdf(content: &[u8], packed: bool, more: &[&str]) -> Vec<u8> {
    let mut objects: Vec<Vec<u8>> = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page(4),
        stream(content, packed, ""),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ];
    objects.extend(more.iter().map(|o| o.as_bytes().to_vec()));
    pdf_of(&objects)
}

/// A PDF of these pages, and a picture in JPEG that none of them shows.
pub fn pdf_pages(contents: &[Vec<u8>], picture: &[u8]) -> Vec<u8> {
    let first = 6;
    let kids: String = (0..contents.len()).map(|n| format!("{} 0 R ", first + 2 * n)).collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", contents.len()).into_bytes(),
        stream(picture, false, " /Type /XObject /Subtype /Image /Width 512 /Height 600 /Filter /DCTDecode"),
        b"null".to_vec(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ];
    for (number, content) in contents.iter().enumerate() {
        objects.push(page(first + 2 * number + 1));
        objects.push(stream(content, true, ""));
    }
    pdf_of(&objects)
}

fn page(content: usize) -> Vec<u8> {
    format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {content} 0 R /Resources << /Font << /F1 5 0 R >> >> >>").into_bytes()
}

fn stream(content: &[u8], packed: bool, more: &str) -> Vec<u8> {
    let (stream, filter) = match packed {
        true => (deflate(content, flate2::Compression::best()), " /Filter /FlateDecode"),
        false => (content.to_vec(), ""),
    };
    [format!("<< /Length {}{filter}{more} >>\nstream\n", stream.len()).as_bytes(), &stream, b"\nendstream"].concat()
}

/// Numbered objects from 1 on, of which the first is the catalogue, with their table.
fn pdf_of(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n", number + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).bytes());
    for offset in &offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    out.extend(format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", offsets.len() + 1).bytes());
    out
}

/// A page that shows a line.
pub fn pdf_line(text: &str) -> Vec<u8> {
    pdf(format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET").as_bytes(), false, &[])
}

/// A zlib stream.
pub fn deflate(bytes: &[u8], level: flate2::Compression) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("it packs");
    encoder.finish().expect("it packs")
}

/// A gzip file.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("it packs");
    encoder.finish().expect("it packs")
}

/// A tape archive of files (POSIX.1 ustar).
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
        header[156] = b'0';
        header[257..262].copy_from_slice(b"ustar");
        out.extend(header);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}
