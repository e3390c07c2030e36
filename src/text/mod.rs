//! What was read, in the shape that detection needs: documents of paragraphs and tables, each with its place.
//!
//! Knows characters, never mail, file formats, people or rules. [`document`] holds the types, `normalise` the one
//! normaliser and tokeniser that both the roster index and the detectors use, so that what is indexed and what is
//! looked up can never differ.

pub mod document;

pub use document::{Block, Document, Image, Kind, Row, Table};
