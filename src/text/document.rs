//! Documents: the texts of one message, each a run of paragraphs and tables with places a person understands.

use super::table::Table;

/// What a document is to its message; it decides how far what it says reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The decoded subject line.
    Subject,
    /// Any other header that carries words of the writer (Comments, Keywords, an unknown X- header).
    Header,
    /// What the sender wrote, the sign-off included. Every alternative (plain, HTML, calendar) is a document of its own.
    Body,
    /// An earlier message quoted below or inside the body, its From and To lines included.
    Quoted,
    /// An attached file, or one inside an archive or an attached message.
    Attachment,
    /// The name of an attached file.
    FileName,
}

/// One text of the message.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it is to the message.
    pub kind: Kind,
    /// Its place as reports print it: `subject`, `body`, `quoted thread`, or the file as the recipient would reach it,
    /// `report.docx` or `pack.zip/list.csv`. A `FileName` document has the place of its file.
    pub place: String,
    /// In reading order.
    pub blocks: Vec<Block>,
}

/// A piece of a document that stands by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A paragraph, a heading, a list item, a text box, a comment.
    Paragraph {
        /// The text; white space is as read, and single line breaks inside a paragraph are kept.
        text: String,
        /// A finer place ("comment", "page 3", "tracked deletion"), when there is one.
        detail: Option<String>,
    },
    /// Rows that belong together: a sheet, a table in a document, a CSV file.
    Table(Table),
}

/// A picture that came with the message, as far as the photograph rule needs to know it.
#[derive(Debug, Clone)]
pub struct Image {
    /// As for a document.
    pub place: String,
    /// The format found in the content: `jpeg`, `png`, `heic`, `gif`, `tiff`, `webp`, `svg`, …
    pub format: &'static str,
    /// In pixels, as the file declares them.
    pub width: u32,
    /// In pixels, as the file declares them.
    pub height: u32,
    /// Size of the file in octets.
    pub bytes: usize,
    /// Make or model of a camera, exposure, or another mark that only a camera writes, stands in its metadata.
    pub camera: bool,
    /// Shown inside the text (a `cid:` image of the HTML body), as logos and signatures are.
    pub inline: bool,
}

impl Document {
    /// A document of one paragraph.
    pub fn of_text(kind: Kind, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind, place: place.into(), blocks: vec![Block::Paragraph { text: text.into(), detail: None }] }
    }
}

impl Document {
    /// Undoes one level of double encoding ([`super::decoded_again`]) in every text.
    pub fn undo_double_encoding(&mut self) {
        for block in &mut self.blocks {
            match block {
                Block::Paragraph { text, .. } => undo(text),
                Block::Table(table) => table.change_texts(super::decoded_again),
            }
        }
    }
}

fn undo(text: &mut String) {
    if let Some(meant) = super::decoded_again(text) {
        *text = meant;
    }
}

impl Block {
    /// A paragraph without a finer place.
    pub fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph { text: text.into(), detail: None }
    }

    /// A paragraph with its finer place.
    pub fn paragraph_at(text: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Paragraph { text: text.into(), detail: Some(detail.into()) }
    }
}
