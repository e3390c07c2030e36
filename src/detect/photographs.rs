//! Photographs: a camera wrote it, or it has a photograph's format, size and shape and is no part of the layout.

use crate::limits;
use crate::text::Image;

/// Whether a picture is a photograph.
pub(super) fn is_photograph(image: &Image) -> bool {
    if image.camera || image.format == "heic" {
        return true;
    }
    let shape = f64::from(image.width.max(image.height)) / f64::from(image.width.min(image.height).max(1));
    let pixels = f64::from(image.width) * f64::from(image.height);
    #[allow(clippy::cast_precision_loss)]
    let density = image.bytes as f64 / pixels.max(1.0);
    matches!(image.format, "jpeg" | "webp")
        && !image.inline
        && image.width.min(image.height) >= limits::PHOTOGRAPH_SIDE
        && shape <= 2.5
        && density >= limits::PHOTOGRAPH_FLAT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures() {
        let image = |format, width, height, bytes, camera, inline| Image {
            place: "x".into(),
            format,
            width,
            height,
            bytes,
            camera,
            inline,
        };
        for (picture, want) in [
            (image("jpeg", 4000, 3000, 2_000_000, true, false), true),
            (image("jpeg", 4000, 3000, 2_000_000, false, false), true),
            (image("jpeg", 300, 100, 9_000, false, false), false),
            (image("jpeg", 1600, 1200, 30_000, false, false), false),
            (image("jpeg", 1600, 1200, 400_000, false, true), false),
            (image("png", 1600, 1200, 400_000, false, false), false),
            (image("heic", 4000, 3000, 900_000, false, false), true),
        ] {
            assert_eq!(is_photograph(&picture), want, "{picture:?}");
        }
    }
}
