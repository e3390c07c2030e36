//! PDF: the text of each page as drawn, shown or not; annotations, form fields, properties and embedded files.
//!
//! hayro interprets the page, our device notes every glyph; nothing is rendered. Glyphs without a Unicode value are
//! counted: where most are, the file could not be read.

use std::sync::Arc;

use hayro_interpret::font::GlyphRun;
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, interpret_page,
};
use hayro_syntax::object::{Dict, Name, Object, Stream, String as PdfString};
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use super::Why;
use super::file::Content;
use super::office::Seen;
use super::password::try_each;
use super::pdf_layout::{self, Glyph};
use crate::limits;
use crate::text::Block;

/// What unwinds out of the interpreter when a file draws without end.
pub struct TooMuch;

/// Reads a file.
pub fn read(bytes: &[u8], passwords: &[String]) -> Result<Content, Why> {
    let data = Arc::new(bytes.to_vec());
    let mut right = "";
    let unlock = |password: &str| {
        Pdf::new_with_password(Arc::clone(&data), password).map_err(|error| match error {
            LoadPdfError::Decryption(DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm) => {
                Why::Encrypted
            }
            _ => Why::Damaged,
        })
    };
    let (pdf, opened_with_password) = match unlock("") {
        Err(Why::Encrypted) => {
            let (pdf, password) = try_each(passwords, |password| Ok((unlock(password)?, password.to_owned())))?;
            right = passwords.iter().find(|p| **p == password).map_or("", String::as_str);
            (pdf, true)
        }
        other => (other?, false),
    };
    let open = |bytes: &[u8]| Pdf::new_with_password(bytes.to_vec(), right).ok();
    if pdf.pages().is_empty() {
        return Err(Why::Damaged);
    }
    let mut content = Content { opened_with_password, ..Content::default() };
    let mut drawn = Drawn::default();
    content.blocks = drawn.pages(&pdf, "");
    if (drawn.unknown > 20 && drawn.unknown > drawn.known / 10) || drawn.scanned {
        content.incomplete = Some(Why::UnknownType);
    }
    objects(&pdf, &mut content);
    earlier_versions(bytes, &open, &mut drawn, &mut content);
    // The end of the file is what a cut takes away first; what is left was read, but it is not all.
    let tail = &bytes[bytes.len().saturating_sub(limits::PDF_TAIL)..];
    if memchr::memmem::find(tail, b"%%EOF").is_none() {
        content.incomplete = Some(Why::Damaged);
    }
    Ok(content)
}

/// What was counted while pages were drawn.
#[derive(Default)]
struct Drawn {
    operations: usize,
    known: usize,
    unknown: usize,
    /// A page is a picture: a scan, whose text nobody has read.
    scanned: bool,
}

impl Drawn {
    /// The text of all pages; `version` stands behind each page's number.
    fn pages(&mut self, pdf: &Pdf, version: &str) -> Vec<Block> {
        let mut blocks = Vec::new();
        for (number, page) in pdf.pages().iter().enumerate() {
            let cache = InterpreterCache::new();
            let bounds = Rect::new(-1e6, -1e6, 1e6, 1e6);
            let mut context =
                Context::new(Affine::IDENTITY, bounds, &cache, pdf.xref(), InterpreterSettings::default());
            let mut device = TextDevice { glyphs: Vec::new(), unknown: 0, operations: self.operations, pixels: 0 };
            interpret_page(page, &mut context, &mut device);
            self.operations = device.operations;
            self.known += device.glyphs.len();
            self.unknown += device.unknown;
            self.scanned |= device.pixels >= limits::PDF_SCANNED_PIXELS && device.glyphs.len() < limits::PDF_FEW_GLYPHS;
            blocks.extend(pdf_layout::blocks(&device.glyphs, &format!("page {}{version}", number + 1)));
        }
        blocks
    }
}

/// Programs that save by appending leave every earlier version in the file, each with an end of its own (ISO 32000-1
/// 7.5.6). What such a version says beyond the last one is read too.
fn earlier_versions(bytes: &[u8], open: &impl Fn(&[u8]) -> Option<Pdf>, drawn: &mut Drawn, content: &mut Content) {
    let linearized = memchr::memmem::find(&bytes[..bytes.len().min(1024)], b"/Linearized").is_some();
    let mut ends: Vec<usize> = memchr::memmem::find_iter(bytes, b"%%EOF").map(|at| at + 5).collect();
    ends.pop();
    // The first end of a linearized file closes no version but its first page.
    let ends: Vec<usize> = ends.into_iter().skip(usize::from(linearized)).collect();
    if ends.len() > limits::PDF_VERSIONS {
        content.incomplete = Some(Why::BeyondLimit);
    }
    let mut seen = Seen::of(&content.blocks);
    for end in ends.into_iter().rev().take(limits::PDF_VERSIONS) {
        let Some(pdf) = open(&bytes[..end]) else { continue };
        let mut earlier = Content { blocks: drawn.pages(&pdf, ", earlier version"), ..Content::default() };
        objects(&pdf, &mut earlier);
        let new: Vec<Block> = earlier.blocks.into_iter().filter(|block| seen.is_new(block)).collect();
        seen.remember(&new);
        content.blocks.extend(new);
    }
}

/// What pages do not draw: notes, field values, properties, files.
fn objects(pdf: &Pdf, content: &mut Content) {
    let mut seen = std::collections::HashSet::new();
    for object in pdf.objects() {
        let dict = match &object {
            Object::Dict(dict) => dict.clone(),
            Object::Stream(stream) => {
                embedded(stream, content);
                stream.dict().clone()
            }
            _ => continue,
        };
        for (key, detail) in [
            ("Contents", "annotation"),
            ("TU", "form field"),
            ("V", "form field"),
            ("DV", "form field"),
            ("Title", "title"),
            ("Author", "document properties"),
            ("Subject", "document properties"),
            ("Keywords", "document properties"),
            ("Alt", "alternative text"),
            ("ActualText", "alternative text"),
        ] {
            let Some(text) = dict.get::<PdfString<'_>>(key) else { continue };
            let text = text_string(text.as_bytes());
            if text.chars().any(char::is_alphanumeric) && seen.insert((text.clone(), detail)) {
                content.blocks.push(Block::paragraph_at(text, detail));
            }
        }
        if let Some(name) = file_name(&dict)
            && let Some(stream) = dict.get::<Dict<'_>>("EF").and_then(|ef| ef.get::<Stream<'_>>("F"))
        {
            match stream.decoded() {
                Ok(bytes) => content.inner.push((name, bytes.into_owned())),
                Err(_) => content.incomplete = Some(Why::Damaged),
            }
        }
    }
}

fn file_name(dict: &Dict<'_>) -> Option<String> {
    dict.get::<Dict<'_>>("EF")?;
    let name = dict.get::<PdfString<'_>>("UF").or_else(|| dict.get::<PdfString<'_>>("F"));
    Some(name.map(|n| text_string(n.as_bytes())).filter(|n| !n.is_empty()).unwrap_or_else(|| "embedded file".into()))
}

/// Photographs stand in PDFs as JPEG streams.
fn embedded(stream: &Stream<'_>, content: &mut Content) {
    let dict = stream.dict();
    let is_image = dict.get::<Name<'_>>("Subtype").is_some_and(|n| n.as_str() == "Image");
    if is_image && dict.get::<Name<'_>>("Filter").is_some_and(|n| n.as_str() == "DCTDecode") {
        let bytes = stream.raw_data().into_owned();
        content.inner.push((format!("image {}.jpg", content.inner.len() + 1), bytes));
    }
}

/// A text string: UTF-16 or UTF-8 with a mark, else PDFDocEncoding, which is Latin-1 near enough (ISO 32000-1 7.9.2).
fn text_string(bytes: &[u8]) -> String {
    let text = if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xef\xbb\xbf")
    {
        crate::message::decode_text(bytes, None)
    } else {
        crate::message::decode_text(bytes, Some("windows-1252"))
    };
    text.replace('\r', "\n")
}

struct TextDevice {
    glyphs: Vec<Glyph>,
    unknown: usize,
    operations: usize,
    /// Of all pictures drawn.
    pixels: u64,
}

impl TextDevice {
    fn count(&mut self, more: usize) {
        self.operations += more;
        if self.operations > limits::PDF_OPERATIONS {
            // The interpreter has no way to be told to stop; unwinding is caught where files are read.
            std::panic::resume_unwind(Box::new(TooMuch));
        }
    }
}

impl<'a> Device<'a> for TextDevice {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        self.count(run.glyphs().len().max(1));
        for glyph in run.glyphs() {
            let text = match glyph.as_unicode() {
                Some(BfString::Char(c)) => c.to_string(),
                Some(BfString::String(s)) => s,
                None => {
                    self.unknown += 1;
                    continue;
                }
            };
            let place = props.transform * glyph.transform();
            let origin = place * Point::ZERO;
            // Glyph space has 1000 units to the em.
            let along = place * Point::new(1000.0, 0.0) - origin;
            let up = place * Point::new(0.0, 1000.0) - origin;
            let length = along.hypot();
            let direction = if length > 1e-9 { (along.x / length, along.y / length) } else { (1.0, 0.0) };
            let text = if text == "\u{a0}" || text == "\0" { " ".to_owned() } else { text };
            let advance = match &**glyph {
                hayro_interpret::font::Glyph::Outline(outline) => outline.advance_width(),
                hayro_interpret::font::Glyph::Type3(drawn) => drawn.advance_width(),
            };
            // Without a width of its own a glyph counts as half an em wide.
            let width = advance.map_or(0.5, |a| f64::from(a) / 1000.0) * length;
            self.glyphs.push(Glyph { text, x: origin.x, y: origin.y, direction, em: up.hypot(), width });
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.count(1);
    }

    fn draw_image(&mut self, image: Image<'a, '_>, _: ImageDrawProps<'a>) {
        self.count(1);
        self.pixels += u64::from(image.width()) * u64::from(image.height());
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.count(1);
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.count(1);
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of one page with a content stream and further objects, numbered from 6.
    fn file(content: &str, more: &[&str]) -> Vec<u8> {
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
            format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        ];
        objects.extend(more.iter().map(|o| o.to_string()));
        let mut out = b"%PDF-1.4\n".to_vec();
        let mut offsets = Vec::new();
        for (number, object) in objects.iter().enumerate() {
            offsets.push(out.len());
            out.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
        }
        let start = out.len();
        out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
        offsets.iter().for_each(|o| out.extend(format!("{o:010} 00000 n \n").bytes()));
        out.extend(
            format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1).bytes(),
        );
        out
    }

    #[test]
    fn pages_turned_text_and_what_pages_do_not_show() {
        let page = "BT /F1 12 Tf 3 Tr 72 720 Td (Amy ) Tj (Sm) Tj [(i) 20 (th)] TJ 0 -14 Td (is ill) Tj ET BT /F1 12 Tf 0 1 -1 0 300 300 Tm (turned text) Tj ET";
        let bytes = file(
            page,
            &[
                "<< /Type /Annot /Subtype /Text /Contents (see Ben) >>",
                "<< /FT /Tx /T (f) /V <FEFF0043006F007300740061> >>",
            ],
        );
        let content = read(&bytes, &[]).unwrap();
        assert_eq!(
            content.blocks,
            [
                Block::paragraph_at("Amy Smith\nis ill", "page 1"),
                Block::paragraph_at("turned text", "page 1"),
                Block::paragraph_at("see Ben", "annotation"),
                Block::paragraph_at("Costa", "form field"),
            ]
        );
        assert_eq!(content.incomplete, None);
        assert!(read(&bytes[..bytes.len() - 40], &[]).is_ok_and(|c| c.incomplete == Some(Why::Damaged)));
        assert_eq!(read(b"%PDF-1.4\n", &[]).err(), Some(Why::Damaged));
    }

    #[test]
    fn a_page_that_is_a_picture_is_not_read() {
        let picture = |width: usize, height: usize| {
            let bits = "00".repeat(width / 8 * height);
            format!("q 595 0 0 842 0 0 cm BI /W {width} /H {height} /BPC 1 /CS /G /F /AHx ID {bits}> EI Q")
        };
        let text = "BT /F1 12 Tf 72 720 Td (The letter itself, with a picture beside it) Tj ET";
        for (page, incomplete) in [
            (picture(600, 800), Some(Why::UnknownType)),
            (format!("{} {text}", picture(600, 800)), None),
            (picture(200, 80), None),
        ] {
            assert_eq!(read(&file(&page, &[]), &[]).unwrap().incomplete, incomplete);
        }
    }
}
