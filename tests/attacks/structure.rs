//! Sections 1 to 3: the structure of a message, transfer encodings, headers.

use crate::support::compose::{base64, base64_line, docx, gzip, message};
use crate::{RECORD, Row, file, judge, multipart, single};

const PART: &str = "Content-Type: text/plain\n\nLottie Fenn, UPN J998441726117, has a plan for epilepsy\n";

/// All of it in the shifted form of UTF-7 (RFC 2152).
fn utf_7(text: &str) -> String {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    format!("+{}-", base64_line(&units).trim_end_matches('='))
}

fn quoted_printable(text: &str) -> String {
    text.bytes().map(|b| format!("={b:02X}")).collect::<Vec<_>>().join("=\n").replace("=\n=\n", "=\n")
}

/// Relay checklist, rows 130 and 131.
#[test]
fn section_1_mime_structure() {
    let encoded = base64(RECORD.as_bytes());
    let qp = quoted_printable(RECORD);
    let other = "Content-Type: text/plain\n\nNothing here.\n";
    let mut rows = vec![
        Row(
            "M01 base64, qp",
            single("Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: quoted-printable", &encoded),
        ),
        Row(
            "M01 qp, base64",
            single("Content-Transfer-Encoding: quoted-printable\nContent-Transfer-Encoding: base64", &qp),
        ),
        Row(
            "M03 first tree",
            message(
                "Subject: Trip\nContent-Type: multipart/mixed; boundary=X\nContent-Type: multipart/mixed; boundary=Y",
                &format!("--X\n{PART}--X--\n--Y\n{other}--Y--\n"),
            ),
        ),
        Row(
            "M03 second tree",
            message(
                "Subject: Trip\nContent-Type: multipart/mixed; boundary=X\nContent-Type: multipart/mixed; boundary=Y",
                &format!("--X\n{other}--X--\n--Y\n{PART}--Y--\n"),
            ),
        ),
        Row(
            "M03 text, then tree",
            message(
                "Subject: Trip\nContent-Type: text/plain\nContent-Type: multipart/mixed; boundary=X",
                &format!("--X\nContent-Transfer-Encoding: base64\n\n{encoded}\n--X--\n"),
            ),
        ),
        Row(
            "M03 tree, then text",
            message(
                "Subject: Trip\nContent-Type: multipart/mixed; boundary=X\nContent-Type: text/plain",
                &format!("{RECORD}\n--X\n{other}--X--\n"),
            ),
        ),
        Row("M04 first", multipart("boundary=X; boundary=Y", &format!("--X\n{PART}--X--\n--Y\n{other}--Y--\n"))),
        Row("M04 second", multipart("boundary=X; boundary=Y", &format!("--X\n{other}--X--\n--Y\n{PART}--Y--\n"))),
        Row("M06", multipart("boundary=\"abc=?us-ascii?Q?def?=\"", &format!("--abcdef\n{PART}--abcdef--\n"))),
        Row("M07 odd parameter", multipart("x:y=1; boundary=X", &format!("--X\n{PART}--X--\n"))),
        Row("M07 8-bit parameter", multipart("n\u{e9}=1; boundary=X", &format!("--X\n{PART}--X--\n"))),
        Row("M08 comment in name", multipart("boundary((c))=\"A\"", &format!("--A\n{PART}--A--\n"))),
        Row("M08 comment in value", multipart("boundary=(boundary=foo)bar", &format!("--bar\n{PART}--bar--\n"))),
        Row(
            "M08 comment in field",
            message(
                "Subject: Trip\nContent-Type(meow): multipart/mixed; boundary=X",
                &format!("--X\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{encoded}\n--X--\n"),
            ),
        ),
        Row(
            "M09",
            message(
                "Subject: Trip\nContent-Type: multipart/mixed; boundary=X\nContent-Disposition: inline; boundary=Y",
                &format!("--X\n{PART}--X--\n"),
            ),
        ),
        Row(
            "M11 re-used",
            multipart(
                "boundary=X",
                &format!("--X\nContent-Type: multipart/mixed; boundary=X\n\n--X\n{PART}--X--\n--X--\n"),
            ),
        ),
        Row(
            "M11 prefix",
            multipart(
                "boundary=outer",
                &format!(
                    "--outer\nContent-Type: multipart/mixed; boundary=out\n\n--out\n{other}--out--\n--outer\n{PART}--outer--\n"
                ),
            ),
        ),
        Row(
            "M11 inner end missing",
            multipart(
                "boundary=X",
                &format!("--X\nContent-Type: multipart/mixed; boundary=Y\n\n--Y\n{other}--X\n{PART}--X--\n"),
            ),
        ),
        Row("M11 outer end missing", multipart("boundary=X", &format!("--X\n{PART}"))),
        Row("M12 preamble", multipart("boundary=X", &format!("{PART}--X\n{other}--X--\n"))),
        Row("M12 epilogue", multipart("boundary=X", &format!("--X\n{other}--X--\n{PART}"))),
        Row(
            "M12 base64 behind the end",
            multipart("boundary=X", &format!("--X\n{other}--X--\n{}\n", base64(RECORD.repeat(6).as_bytes()))),
        ),
        Row("M13 no blank line", multipart("boundary=X", &format!("--X\nContent-Type: text/plain\n{RECORD}\n--X--\n"))),
        Row(
            "M13 blank of spaces",
            multipart(
                "boundary=X",
                &format!("--X\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n \t\n{encoded}\n--X--\n"),
            ),
        ),
        Row(
            "M15 other name",
            message(
                "Subject: Trip\nContent-Type: x-multipart/mixed; boundary=X",
                &format!("--X\nContent-Transfer-Encoding: base64\n\n{encoded}\n--X--\n"),
            ),
        ),
        Row(
            "M15 cut name",
            message(
                "Subject: Trip\nContent-Type: ulti/part; boundary=X",
                &format!("--X\nContent-Transfer-Encoding: base64\n\n{encoded}\n--X--\n"),
            ),
        ),
        Row(
            "M15 upper case",
            message(
                "Subject: Trip\nContent-Type: MULTIPART/MIXED; BOUNDARY=X",
                &format!("--X\nContent-Transfer-Encoding: BASE64\n\n{encoded}\n--X--\n"),
            ),
        ),
        Row(
            "M16",
            message(
                "Subject: Trip\nContent-Type: multipart/mixed; boundary=X\nContent-Transfer-Encoding: base64",
                &base64(format!("--X\r\n{PART}--X--\r\n").as_bytes()),
            ),
        ),
        Row(
            "M17 base64",
            multipart(
                "boundary=X",
                &format!(
                    "--X\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{}\n--X--\n",
                    base64(format!("Subject: x\r\n\r\n{RECORD}\r\n").as_bytes())
                ),
            ),
        ),
        Row(
            "M17 global",
            multipart("boundary=X", &format!("--X\nContent-Type: message/global\n\nSubject: x\n\n{RECORD}\n--X--\n")),
        ),
        Row(
            "M17 digest",
            message(
                "Subject: Trip\nContent-Type: multipart/digest; boundary=X",
                &format!("--X\n\nSubject: x\n\n{RECORD}\n--X--\n"),
            ),
        ),
        Row(
            "M18 first",
            single("Content-Type: message/partial; id=\"a\"; number=1; total=2", &format!("Subject: x\n\n{RECORD}\n")),
        ),
        Row("M18", single("Content-Type: message/partial; id=\"a\"; number=2; total=3", &encoded)),
        Row(
            "M19 URL",
            single(
                "Content-Type: message/external-body; access-type=URL; URL=\"http://x.example/a\"",
                "Content-Type: text/plain\n\n",
            ),
        ),
        Row(
            "M19 file",
            single(
                "Content-Type: message/external-body; access-type=local-file; name=\"/etc/list\"",
                "Content-Type: text/plain\n\n",
            ),
        ),
        Row(
            "M21 docx as text",
            single("Content-Type: text/plain\nContent-Transfer-Encoding: base64", &base64(&docx(&[RECORD]))),
        ),
        Row("M21 text as octets", single("Content-Type: application/octet-stream", RECORD)),
        Row("M21 no type", message("Subject: Trip", RECORD)),
        Row(
            "M22 uuencode pasted",
            single("Content-Type: text/plain", &format!("See below\n\n{}\nBye", uuencode("a.txt", RECORD.as_bytes()))),
        ),
        Row(
            "M22 x-uuencode",
            single(
                "Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode",
                &uuencode("a.txt", RECORD.as_bytes()),
            ),
        ),
        Row(
            "M22 uuencode of base64",
            single(
                "Content-Type: text/plain\nContent-Transfer-Encoding: base64",
                &base64(format!("begin-base64 644 a.txt\n{encoded}\n====\n").as_bytes()),
            ),
        ),
        Row(
            "M22 gzip",
            single("Content-Type: text/plain\nContent-Transfer-Encoding: x-gzip64", &base64(&gzip(RECORD.as_bytes()))),
        ),
        Row(
            "M22 binhex",
            single(
                "Content-Type: text/plain\nContent-Transfer-Encoding: mac-binhex40",
                "(This file must be converted with BinHex 4.0)\n:$f*TEQKPH#jdH(PhFh9c:",
            ),
        ),
        Row(
            "M23 inline",
            multipart(
                "boundary=X",
                &format!(
                    "--X\nContent-Type: application/octet-stream\nContent-Disposition: inline\n\n{RECORD}\n--X--\n"
                ),
            ),
        ),
        Row(
            "M23 Content-ID only",
            multipart(
                "boundary=X",
                &format!("--X\nContent-Type: application/octet-stream\nContent-ID: <a@b>\n\n{RECORD}\n--X--\n"),
            ),
        ),
        Row(
            "M24 split name",
            multipart(
                "boundary=X",
                "--X\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename*1=\"J998441726117.txt\"; filename*0=\"Lottie Fenn \"\n\nx\n--X--\n",
            ),
        ),
        Row(
            "M24 encoded name",
            multipart(
                "boundary=X",
                "--X\nContent-Type: application/octet-stream; name=\"=?utf-8?Q?Lottie_Fenn_J998441726117?=.txt\"\n\nx\n--X--\n",
            ),
        ),
        Row(
            "M24 two names",
            multipart(
                "boundary=X",
                "--X\nContent-Type: application/octet-stream; name=\"menu.txt\"\nContent-Disposition: attachment; filename*=utf-8'en-US'Lottie%20Fenn%20J998441726117.txt\n\nx\n--X--\n",
            ),
        ),
        Row("M25 path", file("../../etc/cron.d/a.txt", RECORD.as_bytes())),
        Row("M25 override", file("a\u{202e}txt.exe", RECORD.as_bytes())),
        Row("M25 long", file(&"n".repeat(4096), RECORD.as_bytes())),
        Row("M25 device", file("CON", RECORD.as_bytes())),
    ];
    for (id, encoding) in [
        ("M02 list", "base64, quoted-printable"),
        ("M02 quoted", "\"base64\""),
        ("M02 comment", "BASE64 (x)"),
        ("M02 base645", "base645"),
        ("M02 -base64", "-base64"),
        ("M02 NUL", "base\0 64"),
    ] {
        rows.push(Row(id, single(&format!("Content-Transfer-Encoding: {encoding}"), &encoded)));
    }
    for (id, boundary, line) in [
        ("M05 extended", "boundary*=utf-8''X", "X"),
        ("M05 pieces", "boundary*0=a; boundary*1=b", "ab"),
        ("M05 reversed", "boundary*1=b; boundary*0=a", "ab"),
        ("M05 gap", "boundary*0=a; boundary*2=b", "a"),
        ("M05 repeated", "boundary*0=a; boundary*0=b", "b"),
        ("M10 semicolon", "boundary=\"X;\"", "X;"),
        ("M10 tail", "boundary=\"X\"Y", "X"),
        ("M10 half quoted", "boundary=\"X", "X"),
        ("M10 escaped", "boundary=\"X\\\"Y\"", "X\"Y"),
        ("M10 blank", "boundary=\" X\"", " X"),
        ("M10 trailing blank", "boundary=\"X \"", "X"),
        ("M10 NUL", "boundary=\"X\0Y\"", "X"),
        ("M10 empty", "boundary=\"\"", ""),
    ] {
        let body =
            format!("--{line}\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{encoded}\n--{line}--\n");
        rows.push(Row(id, multipart(boundary, &body)));
    }
    for (id, line) in [
        ("M14 bare CR", "X-A: b\rContent-Type: text/plain"),
        ("M14 NUL", "X-A\0: b"),
        ("M14 blank before colon", "Content-Transfer-Encoding : base64"),
        ("M14 fold in word", "Content-Transfer-Encoding: base\n 64"),
    ] {
        rows.push(Row(id, single(line, &encoded)));
    }
    for (id, depth) in [("M17 5 deep", 5), ("M17 50 deep", 50), ("M17 5,000 deep", 5000)] {
        let nested = format!("{}Subject: x\n\n{RECORD}\n", "Content-Type: message/rfc822\n\n".repeat(depth));
        rows.push(Row(id, single("", &nested).into_iter().collect()));
        rows.push(Row(id, message("Subject: Trip\nContent-Type: message/rfc822", &nested)));
    }
    let many = format!("--X\n{other}").repeat(10_000);
    rows.push(Row("M20 10,000 parts", multipart("boundary=X", &format!("{many}--X\n{PART}--X--\n"))));
    rows.push(Row(
        "M20 header of 1 MB",
        single(&format!("X-A: {}\nContent-Transfer-Encoding: base64", "a ".repeat(600_000)), &encoded),
    ));
    rows.push(Row(
        "M20 50,000 header lines",
        single(&format!("{}Content-Transfer-Encoding: base64", "X-A: b\n".repeat(50_000)), &encoded),
    ));
    rows.push(Row(
        "M20 line of 200 kB",
        single("Content-Type: text/plain", &format!("{} {RECORD} {}", "a ".repeat(50_000), "b ".repeat(50_000))),
    ));
    judge(rows);
}

/// Relay checklist, row 131.
#[test]
fn section_2_transfer_encodings() {
    let encoded = base64(RECORD.as_bytes());
    let mut rows = Vec::new();
    let as_base64 = |body: &str| single("Content-Type: text/plain\nContent-Transfer-Encoding: base64", body);
    for (id, junk) in [
        ("D01 dot", "."),
        ("D01 dash", "-"),
        ("D01 blank", " "),
        ("D01 hash", "#"),
        ("D01 dots", "...."),
        ("D01 pads", "===="),
    ] {
        let mut body = encoded.clone();
        body.insert_str(12, junk);
        rows.push(Row(id, as_base64(&body)));
    }
    let chunked: String = RECORD.as_bytes().chunks(2).map(base64_line).collect();
    rows.push(Row("D02", as_base64(&chunked)));
    let narrow: String =
        encoded.chars().collect::<Vec<_>>().chunks(3).map(|c| c.iter().collect::<String>() + "\n").collect();
    rows.push(Row("D03 narrow lines", as_base64(&narrow)));
    rows.push(Row("D03 no pad", as_base64(encoded.trim_end_matches('='))));
    rows.push(Row("D03 behind the pad", as_base64(&format!("QQ==\n{encoded}"))));
    rows.push(Row(
        "D04",
        as_base64(&base64_line(format!("{RECORD}???>>>").as_bytes()).replace('+', "-").replace('/', "_")),
    ));
    for (id, body) in [
        ("D05 lower case", quoted_printable(RECORD).to_lowercase()),
        ("D05 blank before break", RECORD.replace("Fenn", "Fe= \nnn")),
        ("D05 end without CRLF", format!("{RECORD}=")),
        ("D05 broken code", format!("=0=XY {RECORD}")),
        ("D05 plain", RECORD.replace(' ', "=20")),
    ] {
        rows.push(Row(id, single("Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable", &body)));
    }
    rows.push(Row("D08 UTF-7", single("Content-Type: text/plain; charset=utf-7", &utf_7(RECORD))));
    rows.push(Row(
        "D08 UTF-7 in base64",
        single(
            "Content-Type: text/plain; charset=utf-7\nContent-Transfer-Encoding: base64",
            &base64(utf_7(RECORD).as_bytes()),
        ),
    ));
    rows.push(Row(
        "D08 UTF-7 in HTML",
        single("Content-Type: text/html; charset=UTF-7", &format!("<p>{}</p>", utf_7(RECORD))),
    ));
    rows.push(Row("D06 no encoding named", single("Content-Type: text/plain", &encoded)));
    rows.push(Row(
        "D06 pasted",
        single("Content-Type: text/plain", &format!("Here it is: {} bye", base64_line(RECORD.as_bytes()))),
    ));
    rows.push(Row(
        "D06 docx pasted",
        single("Content-Type: text/plain", &format!("Here:\n{}\n", base64(&docx(&[RECORD])))),
    ));
    for (id, uri) in [
        ("D07 docx", format!("data:application/octet-stream;base64,{}", base64_line(&docx(&[RECORD])))),
        ("D07 text", format!("data:,{}", RECORD.replace(' ', "%20"))),
    ] {
        rows.push(Row(id, single("Content-Type: text/html", &format!("<p>See <a href=\"{uri}\">this</a></p>"))));
    }
    judge(rows);
}

/// Relay checklist, row 131.
#[test]
fn section_3_headers() {
    let record = "Lottie Fenn J998441726117";
    let body = "See the subject.";
    let rows = vec![
        Row(
            "H01 split words",
            message("Subject: Lottie =?utf-8?q?Fe?= =?utf-8?q?nn_J9984?= =?utf-8?q?41726117?=", body),
        ),
        Row("H02 two subjects", message(&format!("Subject: Menu\nSubject: {record}"), body)),
        Row("H02 two froms", message("From: r.ellery@saltmere.example\nSubject: Menu", RECORD)),
        Row("H03 subject", message(&format!("Subject: {record}"), body)),
        Row("H03 name of a file", file(&format!("{record}.txt"), b"x")),
        Row("H03 Comments", message(&format!("Subject: Menu\nComments: {record}"), body)),
        Row("H03 X- header", message(&format!("Subject: Menu\nX-Note: about {record}"), body)),
        Row("H04 unknown charset", message("Subject: =?unicode-1-1?Q?Lottie_Fenn_J998441726117?=", body)),
        Row("H04 UTF-7", message("Subject: =?utf-7?Q?Lottie_Fenn_J998441726117?=", body)),
        Row("H04 UTF-7, shifted", message(&format!("Subject: =?utf-7?Q?{}?=", utf_7(record)), body)),
        Row(
            "H04 UTF-7 in B",
            message(&format!("Subject: =?utf-7?B?{}?=", base64_line(utf_7(record).as_bytes())), body),
        ),
        Row("H04 5 MB of =?", message("Subject: Menu", &format!("{}\n{RECORD}", "=?".repeat(2_500_000)))),
        Row("H07 another sender", message("Sender: r.ellery@saltmere.example\nSubject: Menu", body)),
        Row("H08 forged release", message("Subject: Menu\nX-DLP-Released: yes\nX-Quarantine-Token: 1", RECORD)),
    ];
    judge(rows);
}

fn uuencode(name: &str, bytes: &[u8]) -> String {
    let character = |value: u32| char::from(if value == 0 { b'`' } else { value as u8 + 32 });
    let mut out = format!("begin 644 {name}\n");
    for line in bytes.chunks(45) {
        out.push(character(line.len() as u32));
        for group in line.chunks(3) {
            let bits = (0..3).fold(0u32, |bits, n| bits << 8 | u32::from(group.get(n).copied().unwrap_or(0)));
            (0..4).for_each(|n| out.push(character(bits >> (18 - 6 * n) & 63)));
        }
        out.push('\n');
    }
    out + "`\nend\n"
}
