//! What was read, in the shape that detection needs: documents of paragraphs and tables, each with its place.
//!
//! Knows characters, never mail, file formats, people or rules. [`document`] holds the types, [`checks`]
//! the arithmetic of check digits, [`normalise`] the one normaliser and tokeniser that both the roster index and the
//! detectors use, so that what is indexed and what is looked up can never differ.

pub mod checks;
pub mod document;
pub mod normalise;

pub use document::{Block, Document, Image, Kind, Row, Table};
pub use normalise::Text;

/// Line and column, from 1, of a byte offset; columns count characters.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
