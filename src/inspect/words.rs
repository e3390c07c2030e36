//! The words of a message as a journal is searched by them: each once, as the one normaliser has them, attachments, names of files and
//! quoted threads included.
//!
//! Never knows how they are kept. Only in memory: the store makes keyed hashes of them.

use std::collections::BTreeSet;

use crate::limits;
use crate::text::{Block, Document, Texts};

/// Words of a message, each once and in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// As compared, without those of one letter.
    pub all: BTreeSet<String>,
    /// There are more than are kept: whoever finds nothing here has not looked at everything.
    pub cut: bool,
}

impl Words {
    /// All of these texts.
    pub fn of(documents: &[Document]) -> Self {
        let mut words = Gathered::default();
        for document in documents {
            // What stands at a part is text too: a name of a file, a sheet, a folder.
            words.add(&document.place);
            for block in &document.blocks {
                match block {
                    Block::Paragraph { text, detail } => {
                        words.add(text);
                        detail.iter().for_each(|detail| words.add(detail));
                    }
                    Block::Table(table) => {
                        table.detail.iter().for_each(|detail| words.add(detail));
                        table.texts().for_each(|text| words.add(text));
                    }
                }
            }
        }
        words.all()
    }

    /// The words of what somebody looks for.
    pub fn of_text(text: &str) -> Self {
        let mut words = Gathered::default();
        words.add(text);
        words.all()
    }
}

/// Words as texts come in, put in order at the end: one by one that would cost more than to find them.
#[derive(Default)]
struct Gathered<'a> {
    texts: Texts<'a>,
    /// Each once.
    words: Vec<String>,
    cut: bool,
}

impl<'a> Gathered<'a> {
    fn add(&mut self, text: &'a str) {
        if self.cut {
            return;
        }
        let known = self.texts.words().len();
        self.texts.push(text);
        for (word, _) in self.texts.words().from(known).filter(|(word, _)| word.chars().nth(1).is_some()) {
            if self.words.len() >= limits::INDEX_WORDS {
                self.cut = true;
                break;
            }
            self.words.push(word.to_owned());
        }
        self.texts.keep_words();
    }

    fn all(self) -> Words {
        Words { all: self.words.into_iter().collect(), cut: self.cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Row, Table};

    #[test]
    fn words_of_every_place_are_there_once_as_they_are_compared() {
        let mut sheet = Document::of_text(Kind::Attachment, "Plan Zoë.xlsx", "");
        let rows = vec![Row::of(vec!["Name".into(), "O'Brien".into()]), Row::of(vec!["name".into(), "17".into()])];
        sheet.blocks.push(Block::Table(Table::of(Some("Sheet 'Hidden'".to_owned()), rows)));
        let words = Words::of(&[Document::of_text(Kind::Subject, "subject", "A plan for ZOE, zoe's plan"), sheet]);
        for wanted in ["plan", "zoe", "hidden", "obrien", "name", "17", "for", "xlsx"] {
            assert!(words.all.contains(wanted), "{wanted}: {words:?}");
        }
        assert!(!words.all.contains("a"), "one letter says nothing");
        assert_eq!(Words::of_text("Zoë O’BRIEN").all, BTreeSet::from(["obrien".to_owned(), "zoe".to_owned()]));
    }

    #[test]
    fn more_than_are_kept_is_said() {
        let many: String = (0..=limits::INDEX_WORDS).map(|n| format!("w{n}x ")).collect();
        let words = Words::of_text(&many);
        assert!(words.cut && words.all.len() == limits::INDEX_WORDS);
    }
}
