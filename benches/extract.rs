//! How long documents of about 300 KB take to read, one at a time, on one core.
//!
//! They are made here and are like those that schools send: a letter with a table and a picture, a list of 4,300 pupils
//! with eight columns, ten printed pages with a picture. `cargo bench --bench extract`; a line for each document.

#[path = "../tests/support/compose.rs"]
#[allow(dead_code)]
mod compose;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use schoolgate::extract;

const WORDS: &[&str] = &[
    "the",
    "of",
    "and",
    "to",
    "school",
    "pupils",
    "meeting",
    "homework",
    "attendance",
    "assembly",
    "library",
    "maths",
    "timetable",
    "behaviour",
    "progress",
    "deadline",
    "reception",
    "governor",
    "thursday",
    "afternoon",
    "coach",
];

/// Small pseudo-random numbers (SplitMix64) from a fixed seed: every run reads the same documents.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn sentence(&mut self, words: usize) -> String {
        let words: Vec<&str> = (0..words).map(|_| WORDS[self.next() as usize % WORDS.len()]).collect();
        words.join(" ")
    }

    fn row(&mut self) -> [String; 8] {
        let n = self.next();
        [
            format!("A{:012}", n % 1_000_000_000_000),
            format!("Forename{}", n % 97),
            format!("Surname{}", n % 89),
            format!("{:02}/{:02}/{}", n % 28 + 1, n % 12 + 1, 2008 + n % 12),
            (n % 13 + 1).to_string(),
            format!("forename.surname{}@guardian{}.invalid", n % 97, n % 41),
            format!("{:03} {:03} {:04}", n % 1000, n % 997, n % 9999),
            "Nut allergy".to_owned(),
        ]
    }

    /// Octets that do not pack, behind the beginning of a JPEG.
    fn picture(&mut self, length: usize) -> Vec<u8> {
        let mut out = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xda".to_vec();
        out.extend((0..length).map(|_| (self.next() % 255) as u8));
        out.extend(b"\xff\xd9");
        out
    }
}

fn docx() -> Vec<u8> {
    let mut numbers = Numbers(1);
    let cell = |text: &str| {
        format!("<w:tc><w:tcPr><w:tcW w:w=\"1080\"/></w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>")
    };
    let mut body: String =
        (0..12).map(|_| format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", numbers.sentence(60))).collect();
    body.push_str("<w:tbl>");
    for _ in 0..60 {
        let cells: String = numbers.row().iter().map(|text| cell(text)).collect();
        body.push_str(&format!("<w:tr>{cells}</w:tr>"));
    }
    body.push_str("</w:tbl>");
    let document = format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
    compose::zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", document.as_bytes()),
        ("word/media/image1.jpg", &numbers.picture(270_000)),
    ])
}

fn xlsx() -> Vec<u8> {
    let mut numbers = Numbers(2);
    let rows: Vec<[String; 8]> = (0..4300).map(|_| numbers.row()).collect();
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let rows: Vec<&[&str]> = cells.iter().map(Vec::as_slice).collect();
    compose::xlsx(&rows, &[])
}

/// Ten pages of a table each, and a picture. One content stream for each page.
fn pdf() -> Vec<u8> {
    let mut numbers = Numbers(3);
    let mut pages: Vec<Vec<u8>> = Vec::new();
    for _ in 0..10 {
        let mut content = String::new();
        for line in 0..36 {
            for (column, text) in numbers.row().iter().enumerate() {
                let (x, y) = (30 + column * 68, 800 - line * 20);
                content.push_str(&format!("BT /F1 7 Tf {x} {y} Td ({text}) Tj ET {x} {y} 68 20 re S\n"));
            }
        }
        pages.push(content.into_bytes());
    }
    let picture = numbers.picture(280_000);
    compose::pdf_pages(&pages, &picture)
}

fn documents(bench: &mut Criterion) {
    for (name, bytes) in [("letter.docx", docx()), ("list.xlsx", xlsx()), ("ten-pages.pdf", pdf())] {
        let reading = extract::read_file(name, &bytes);
        assert!(reading.unread.is_empty() && !reading.documents.is_empty(), "{name}: {:?}", reading.unread);
        let label = format!("{name} ({} KB)", bytes.len() / 1000);
        bench.bench_function(&label, |run| run.iter(|| black_box(extract::read_file(name, black_box(&bytes)))));
    }
}

criterion_group!(benches, documents);
criterion_main!(benches);
