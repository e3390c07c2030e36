//! What was read, in the shape that detection needs: documents of paragraphs and tables, each with its place.
//!
//! Knows characters, never mail, file formats, people or rules. [`document`] holds the types, [`checks`]
//! the arithmetic of check digits, [`normalise`] the one normaliser and tokeniser that both the roster index and the
//! detectors use, so that what is indexed and what is looked up can never differ, [`problem`] what is wrong with a text that a
//! person wrote, and where.

pub mod checks;
pub mod document;
pub mod filter;
mod fold;
mod halt;
pub mod normalise;
pub mod problem;
mod room;
mod run;
mod table;
mod tokens;
mod twice;
mod words;

pub use document::{Block, Document, Image, Kind};
pub use halt::Halt;
pub use normalise::{Run, Text, TextBuf, Texts};
pub use room::{Room, Share};
pub(crate) use table::Parts;
pub use table::{Cell, Row, RowPlace, RowView, Table, TableWriter, TextId};
pub use twice::decoded_again;
