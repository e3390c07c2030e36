//! PDF: the text of each page as drawn, shown or not; annotations, form fields, properties and embedded files.
//!
//! hayro interprets the page, our device notes every glyph; nothing is rendered. Glyphs without a Unicode value are
//! counted: where most are, the file could not be read.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashSet;
use hayro_interpret::font::{GlyphRun, PositionedGlyph};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, interpret_page,
};
use hayro_syntax::object::ObjRef;
use hayro_syntax::page::Page;
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use image::{DynamicImage, GrayImage, RgbImage};

use super::Why;
use super::file::Content;
use super::office::Seen;
use super::password::try_each;
use super::pdf_layout::{self, Glyph};
use super::pdf_objects;
use super::picture;
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
    if drawn.meaningless || (drawn.unknown > 20 && drawn.unknown > drawn.known / 10) || drawn.scanned {
        content.incomplete = Some(Why::UnknownType);
    }
    let mut whole = HashSet::new();
    if pdf.pages().iter().any(|page| pdf_objects::page_is_cut(page.raw(), &mut whole)) {
        content.incomplete = Some(Why::Damaged);
    }
    pdf_objects::read(&pdf, &mut content);
    earlier_versions(bytes, &open, &mut drawn, &mut content);
    content.pages = drawn.pages_shown;
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
    /// Words stand in a font that does not say what its letters mean.
    meaningless: bool,
    /// A page is a picture that cannot be made ready to be read.
    scanned: bool,
    /// Pages that are pictures and can, with their names.
    pages_shown: Vec<(Option<String>, Vec<u8>)>,
}

impl Drawn {
    /// The text of all pages; `version` stands behind each page's number.
    fn pages(&mut self, pdf: &Pdf, version: &str) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut alike = Alike::default();
        for (number, page) in pdf.pages().iter().enumerate() {
            // What several pages draw alike is read once: at the first of them.
            if alike.was_drawn(page) {
                continue;
            }
            let cache = InterpreterCache::new();
            let bounds = Rect::new(-1e6, -1e6, 1e6, 1e6);
            let mut context =
                Context::new(Affine::IDENTITY, bounds, &cache, pdf.xref(), InterpreterSettings::default());
            let pictures = limits::OCR_PAGES.saturating_sub(self.pages_shown.len());
            let mut device = TextDevice { operations: self.operations, pictures, ..TextDevice::default() };
            interpret_page(page, &mut context, &mut device);
            self.operations = device.operations;
            self.known += device.glyphs.len();
            self.unknown += device.unknown;
            self.meaningless |= device.meaningless;
            let name = format!("page {}{version}", number + 1);
            if device.pixels >= limits::PDF_SCANNED_PIXELS && device.glyphs.len() < limits::PDF_FEW_GLYPHS {
                match device.page() {
                    Some(page) if self.pages_shown.iter().any(|(_, known)| *known == page) => {}
                    Some(page) => self.pages_shown.push((Some(name.clone()), page)),
                    None => self.scanned = true,
                }
            }
            blocks.extend(pdf_layout::blocks(&device.glyphs, &name));
        }
        blocks
    }
}

/// What pages have drawn, and with what.
#[derive(Default)]
struct Alike {
    /// Keyed anew for each file, so that nobody can write two pages of one hash.
    keys: RandomState,
    /// Contents that several pages may refer to, each with what it draws with.
    shared: HashSet<(ObjRef, u64)>,
    /// Hashes of both.
    drawn: HashSet<u64>,
}

impl Alike {
    /// Whether a page before this one has drawn the same; notes what this one draws.
    fn was_drawn(&mut self, page: &Page<'_>) -> bool {
        // What annotations draw is each page's own.
        if page.raw().contains_key("Annots") {
            return false;
        }
        let with = page.resources();
        let with = [
            &with.ext_g_states,
            &with.fonts,
            &with.properties,
            &with.color_spaces,
            &with.x_objects,
            &with.patterns,
            &with.shadings,
        ];
        let with = self.keys.hash_one(with.map(|dict| dict.data()));
        // What is known by its number need not be unpacked once more.
        if page.raw().get_ref("Contents").is_some_and(|to| !self.shared.insert((to, with))) {
            return true;
        }
        // Contents in several pieces have a blank behind each.
        let content = page.page_stream().map(<[u8]>::trim_ascii_end);
        content.is_some_and(|content| !self.drawn.insert(self.keys.hash_one((content, with))))
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
        pdf_objects::read(&pdf, &mut earlier);
        let new: Vec<Block> = earlier.blocks.into_iter().filter(|block| seen.is_new(block)).collect();
        seen.remember(&new);
        content.blocks.extend(new);
        for (name, file) in earlier.inner {
            if content.inner.iter().all(|(_, known)| *known != file) {
                content.inner.push((name, file));
            }
        }
    }
}

#[derive(Default)]
struct TextDevice {
    glyphs: Vec<Glyph>,
    unknown: usize,
    /// The codes of letters without a meaning that follow one another.
    run: Vec<u32>,
    meaningless: bool,
    /// A font stands in the place of another.
    in_place: bool,
    operations: usize,
    /// Of all pictures drawn.
    pixels: u64,
    /// The largest picture drawn while there was no text, if it may be a page.
    picture: Option<GrayImage>,
    /// How many pictures may still be decoded.
    pictures: usize,
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

impl TextDevice {
    /// The page that the one picture of this page shows, ready to be read.
    fn page(&self) -> Option<Vec<u8>> {
        let picture = self.picture.as_ref()?;
        let pixels = u64::from(picture.width()) * u64::from(picture.height());
        // Where more is drawn in pictures than this one, it is not all that there is to read.
        if pixels * 10 < self.pixels * 9 { None } else { picture::page_of(picture).ok().flatten() }
    }

    /// Keeps a picture that may be the whole page.
    fn keep(&mut self, image: &Image<'_, '_>) {
        let pixels = u64::from(image.width()) * u64::from(image.height());
        let kept = self.picture.as_ref().map_or(0, |p| u64::from(p.width()) * u64::from(p.height()));
        let may_be = (limits::PDF_SCANNED_PIXELS..=limits::PICTURE_PIXELS).contains(&pixels) && pixels > kept;
        if !may_be || self.pictures == 0 || self.glyphs.len() >= limits::PDF_FEW_GLYPHS {
            return;
        }
        self.pictures -= 1;
        let mut grey = None;
        match image {
            Image::Stencil(stencil) => stencil.with_stencil(
                |mask, _| {
                    let pixels = mask.data.iter().map(|painted| 255 - painted).collect();
                    grey = GrayImage::from_raw(mask.width, mask.height, pixels);
                },
                None,
            ),
            Image::Raster(raster) => raster.with_rgba(
                |data, _| {
                    grey = match data {
                        ImageData::Luma(luma) => GrayImage::from_raw(luma.width, luma.height, luma.data),
                        ImageData::Rgb(rgb) => RgbImage::from_raw(rgb.width, rgb.height, rgb.data)
                            .map(|colours| DynamicImage::from(colours).into_luma8()),
                    };
                },
                None,
            ),
        }
        self.picture = grey.or(self.picture.take());
    }

    /// Whether a letter has a meaning; bullets and pictures of a font have none, but do not come in words.
    fn meaning(&mut self, code: u32, text: Option<&str>) {
        let private = |c: char| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fffd}');
        match text {
            Some(text) if !text.chars().any(private) => {
                // Blanks part words, they do not give them a meaning.
                if !text.trim().is_empty() {
                    self.run.clear();
                }
            }
            _ => {
                if self.run.len() < limits::PDF_MEANINGLESS_RUN {
                    self.run.push(code);
                }
                // Dots that lead to a number and rules made of letters are one letter again and again.
                let different: std::collections::HashSet<u32> = self.run.iter().copied().collect();
                self.meaningless |=
                    self.run.len() >= limits::PDF_MEANINGLESS_RUN && different.len() > self.run.len() / 2;
                if self.run.len() >= limits::PDF_MEANINGLESS_RUN {
                    self.run.remove(0);
                }
            }
        }
    }
}

impl<'a> Device<'a> for TextDevice {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        self.count(run.glyphs().len().max(1));
        // Letters of a font that takes the place of one which is missing or broken are squeezed, each in its own way, into the
        // width that they ought to have; that width is no part of the squeezing.
        let squeezed = |glyph: &PositionedGlyph<'_>| {
            let place = props.transform * glyph.transform();
            let length = |x: f64, y: f64| (place * Point::new(x, y) - place * Point::ZERO).hypot();
            length(1.0, 0.0) / length(0.0, 1.0)
        };
        let mut ratios = run.glyphs().iter().map(squeezed);
        let first = ratios.next().unwrap_or(1.0);
        self.in_place |= ratios.any(|ratio| (ratio - first).abs() > limits::PDF_SQUEEZED);
        for glyph in run.glyphs() {
            let text = glyph.as_unicode().map(|text| match text {
                BfString::Char(c) => c.to_string(),
                BfString::String(s) => s,
            });
            self.meaning(glyph.char_code(), text.as_deref());
            let Some(text) = text else {
                self.unknown += 1;
                continue;
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
            let scale = if self.in_place { up.hypot() } else { length };
            let width = advance.map_or(0.5, |a| f64::from(a) / 1000.0) * scale;
            self.glyphs.push(Glyph { text, x: origin.x, y: origin.y, direction, em: up.hypot(), width });
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.count(1);
    }

    fn draw_image(&mut self, image: Image<'a, '_>, _: ImageDrawProps<'a>) {
        self.count(1);
        self.pixels += u64::from(image.width()) * u64::from(image.height());
        self.keep(&image);
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
pub mod tests {
    use super::*;

    /// A file of one page with a content stream and further objects, numbered from 6.
    pub fn file(content: &str, more: &[&str]) -> Vec<u8> {
        file_of(&format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()), more)
    }

    /// The same with the object that the page's content is; letters are octets.
    pub fn file_of(content: &str, more: &[&str]) -> Vec<u8> {
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
            content.to_owned(),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        ];
        objects.extend(more.iter().map(|o| o.to_string()));
        let mut out = b"%PDF-1.4\n".to_vec();
        let mut offsets = Vec::new();
        for (number, object) in objects.iter().enumerate() {
            offsets.push(out.len());
            out.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).chars().map(|c| c as u8));
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

    /// Drawn once for each page, so much would be beyond every limit.
    #[test]
    fn what_pages_share_is_read_once() {
        let large = format!("BT /F1 12 Tf 72 720 Td (Amy Smith) Tj {} ET", "(is ill) Tj ".repeat(2_000));
        let own = |text: &str| format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len());
        let page = |contents: &str, more: &str| {
            format!(
                "<< /Type /Page /Parent 2 0 R /Contents {contents} /Resources << /Font << /F1 5 0 R >> >> {more} >>"
            )
        };
        for (objects, count, pages) in [
            (vec![page("4 0 R", "")], 2_000, vec!["page 1"]),
            (vec![page("[4 0 R]", "")], 400, vec!["page 1"]),
            (vec![page("7 0 R", ""), own(&large)], 2, vec!["page 1"]),
            (vec![page("7 0 R", ""), own(&large.replace("Amy", "Ben"))], 2, vec!["page 1", "page 2"]),
            (vec![page("4 0 R", "/Annots []")], 2, vec!["page 1", "page 2"]),
            (
                vec![
                    page("4 0 R", "").replace("5 0 R", "7 0 R"),
                    "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>".into(),
                ],
                2,
                vec!["page 1", "page 2"],
            ),
        ] {
            let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
            let kids = format!("/Kids [3 0 R {}]", "6 0 R ".repeat(count - 1));
            let bytes = String::from_utf8(file(&large, &objects)).unwrap();
            let bytes = bytes.replace("/Kids [3 0 R]", &kids).replace("/Count 1", &format!("/Count {count}"));
            let start = bytes.find("xref").unwrap();
            // Without a table of places, which are others now, a reader looks for the objects.
            let bytes = format!("{}trailer\n<< /Root 1 0 R >>\n%%EOF\n", &bytes[..start]);
            let content = read(bytes.as_bytes(), &[]).unwrap();
            let mut said: Vec<&str> = content
                .blocks
                .iter()
                .filter_map(|block| match block {
                    Block::Paragraph { detail, .. } => detail.as_deref(),
                    Block::Table(table) => table.detail.as_deref(),
                })
                .collect();
            said.dedup();
            assert_eq!((said, content.incomplete), (pages, None), "{objects:?} {count}");
        }
    }

    #[test]
    fn letters_of_a_font_that_is_missing_stand_where_they_would() {
        let widths = "500 ".repeat(95);
        for (base, text, expected) in [
            ("Unheardof", "(WiW) Tj (WWi) Tj (WWl) Tj", "WiWWWiWWl"),
            ("Unheardof", "(WiW) Tj -1 0 Td 30 0 Td (WWi) Tj", "WiW WWi"),
            ("Helvetica", "(WiW) Tj (WWi) Tj", "WiWWWi"),
        ] {
            let font = format!(
                "<< /Type /Font /Subtype /TrueType /BaseFont /{base} /Encoding /WinAnsiEncoding /FirstChar 32 /LastChar 126 /Widths [{widths}] >>"
            );
            let page = format!("BT /F1 12 Tf 72 720 Td {text} ET");
            let bytes = String::from_utf8(file(&page, &[&font])).unwrap().replace("/F1 5 0 R", "/F1 6 0 R");
            let content = read(bytes.as_bytes(), &[]).unwrap();
            assert_eq!(content.blocks, [Block::paragraph_at(expected, "page 1")], "{base} {text}");
        }
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

    #[test]
    fn words_in_a_font_without_meanings_are_told() {
        let letters = |codes: &[u32], text: Option<&'static str>| codes.iter().map(|c| (*c, text)).collect::<Vec<_>>();
        for (run, told) in [
            (letters(&[1, 2, 3, 4, 5, 6, 7], None), true),
            (letters(&[1, 2, 3, 4, 5, 6, 7], Some("\u{f041}")), true),
            ([letters(&[1, 2, 3], None), letters(&[9], Some(" ")), letters(&[4, 5, 6], None)].concat(), true),
            ([letters(&[1, 2, 3], None), letters(&[9], Some("a")), letters(&[4, 5, 6], None)].concat(), false),
            (letters(&[7; 90], None), false),
            (letters(&[1, 2, 3, 4], None), false),
            (letters(&[1, 2, 3, 4, 5, 6, 7], Some("a")), false),
        ] {
            let mut device = TextDevice::default();
            run.iter().for_each(|(code, text)| device.meaning(*code, *text));
            assert_eq!(device.meaningless, told, "{run:?}");
        }
    }
}
