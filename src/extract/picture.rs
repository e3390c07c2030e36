//! Pictures as they look: decoded, brought to shades of grey, and those that show a page made ready to be read.
//!
//! Never knows words. What a decoder may take is bounded before it begins; a picture that cannot be decoded shows nothing.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops::{self, FilterType as Scaling};
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};

use super::Why;
use super::page_likeness::{self, Grey};
use crate::limits;

/// The page that a picture file shows, as PNG in shades of grey; nothing where it shows none.
///
/// # Errors
/// Where the picture is too large to be looked at.
pub fn page(format: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, Why> {
    match decoded(format, bytes)? {
        Some(grey) => page_of(&grey),
        None => Ok(None),
    }
}

/// As [`page`], of a picture that has been decoded.
pub fn page_of(grey: &GrayImage) -> Result<Option<Vec<u8>>, Why> {
    let (width, height) = grey.dimensions();
    if width.min(height) < limits::PAGE_SIDE_LEAST {
        return Ok(None);
    }
    let longer = width.max(height);
    let looked_at = scaled(grey, (f64::from(limits::PAGE_SIDE) / f64::from(longer)).min(1.0));
    let (w, h) = looked_at.dimensions();
    let pixels = looked_at.into_raw();
    let Some(letters) = page_likeness::letters_of_page(&Grey { width: w as usize, height: h as usize, pixels }) else {
        return Ok(None);
    };
    // To the size at which letters are read best, within what may be read.
    let here = letters as f64 * f64::from(longer) / f64::from(w.max(h));
    let most = (limits::OCR_PIXELS as f64 / (f64::from(width) * f64::from(height))).sqrt();
    let ready = scaled(grey, (limits::OCR_LETTER_HEIGHT / here).min(limits::OCR_ENLARGED).min(most));
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Sub)
        .write_image(ready.as_raw(), ready.width(), ready.height(), ExtendedColorType::L8)
        .map_err(|_| Why::Damaged)?;
    Ok(Some(png))
}

fn scaled(grey: &GrayImage, by: f64) -> GrayImage {
    let side = |length: u32| ((f64::from(length) * by) as u32).max(1);
    let (width, height) = (side(grey.width()), side(grey.height()));
    if (width, height) == grey.dimensions() {
        grey.clone()
    } else if by < 1.0 {
        imageops::thumbnail(grey, width, height)
    } else {
        imageops::resize(grey, width, height, Scaling::CatmullRom)
    }
}

/// A picture in shades of grey as it is shown: turned as the camera says, on white where it is transparent.
fn decoded(format: &str, bytes: &[u8]) -> Result<Option<GrayImage>, Why> {
    let format = match format {
        "jpeg" => ImageFormat::Jpeg,
        "png" => ImageFormat::Png,
        "gif" => ImageFormat::Gif,
        "bmp" => ImageFormat::Bmp,
        "webp" => ImageFormat::WebP,
        "tiff" => ImageFormat::Tiff,
        _ => return Ok(None),
    };
    let mut limited = Limits::default();
    limited.max_alloc = Some(limits::PICTURE_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limited);
    let Ok(mut decoder) = reader.into_decoder() else { return Ok(None) };
    let (width, height) = decoder.dimensions();
    if width.min(height) < limits::PAGE_SIDE_LEAST {
        return Ok(None);
    }
    let too_large =
        u64::from(width) * u64::from(height) > limits::PICTURE_PIXELS || decoder.total_bytes() > limits::PICTURE_MEMORY;
    if too_large {
        return Err(Why::BeyondLimit);
    }
    let turned = decoder.orientation();
    let Ok(mut picture) = DynamicImage::from_decoder(decoder) else { return Ok(None) };
    if let Ok(turned) = turned {
        picture.apply_orientation(turned);
    }
    Ok(Some(grey(picture)))
}

fn grey(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let both = picture.into_luma_alpha8();
    let (width, height) = both.dimensions();
    let on_white = |pixel: &[u8]| {
        let (shade, cover) = (u32::from(pixel[0]), u32::from(pixel[1]));
        ((shade * cover + 255 * (255 - cover)) / 255) as u8
    };
    let pixels = both.into_raw().chunks_exact(2).map(on_white).collect();
    GrayImage::from_raw(width, height, pixels).unwrap_or_default()
}
