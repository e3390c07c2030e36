//! Words taken apart into the pieces that an encoder knows (M. Schuster and K. Nakajima, Japanese and Korean Voice Search, ICASSP 2012).

use hashbrown::HashMap;

use crate::detect::meaning::features;
use crate::detect::meaning::model::ModelError;
use crate::limits;

/// Pieces that are no words: those that begin and end a sentence, the unknown one, and what stands for the masks.
const BEGIN: &str = "[CLS]";
const END: &str = "[SEP]";
const UNKNOWN: &str = "[UNK]";
const MASKS: [(&str, &str); 3] =
    [(features::PUPIL, "[unused0]"), (features::OWNER, "[unused1]"), (features::OTHER, "[unused2]")];
/// Begins a piece that goes on a word.
const GOES_ON: &str = "##";

/// Words and parts of words.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) known: HashMap<String, usize>,
    begin: usize,
    end: usize,
    unknown: usize,
}

impl Pieces {
    /// One a line, each known by its place.
    ///
    /// # Errors
    /// [`ModelError::Shape`] where one is missing that stands for no word.
    pub(super) fn new(lines: &str) -> Result<Self, ModelError> {
        let known: HashMap<String, usize> = lines.lines().zip(0..).map(|(piece, at)| (piece.to_owned(), at)).collect();
        let of = |piece: &str| known.get(piece).copied().ok_or(ModelError::Shape);
        let (begin, end, unknown) = (of(BEGIN)?, of(END)?, of(UNKNOWN)?);
        Ok(Self { known, begin, end, unknown })
    }

    /// The words in their longest known pieces, from the left; a word of which a part is unknown is unknown, and so is one too long to be
    /// a word. However much it is given, it looks at a bounded part of it.
    pub(super) fn of(&self, words: &[&str]) -> Vec<usize> {
        let mut out = vec![self.begin];
        for word in words {
            if out.len() >= limits::MEANING_MOST_PIECES {
                break;
            }
            if word.len() > limits::MEANING_LONGEST_WORD {
                out.push(self.unknown);
                continue;
            }
            let word = MASKS.iter().find(|(mask, _)| mask == word).map_or(*word, |(_, piece)| piece);
            let before = out.len();
            let mut rest = word;
            let mut piece = String::new();
            while !rest.is_empty() {
                let longest = rest.char_indices().rev().map(|(at, letter)| at + letter.len_utf8()).find_map(|end| {
                    piece.clear();
                    piece.push_str(if rest.len() == word.len() { "" } else { GOES_ON });
                    piece.push_str(&rest[..end]);
                    self.known.get(&piece).map(|known| (end, *known))
                });
                let Some((end, known)) = longest else {
                    out.truncate(before);
                    out.push(self.unknown);
                    break;
                };
                out.push(known);
                rest = &rest[end..];
            }
        }
        out.truncate(limits::MEANING_MOST_PIECES - 1);
        out.push(self.end);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_from_the_left_within_bounds() {
        let pieces = Pieces::new("[CLS]\n[SEP]\n[UNK]\n[unused0]\nward\n##robe\nw\n##s").unwrap();
        let long = "ward".repeat(limits::MEANING_LONGEST_WORD);
        for (words, want) in [
            (&["ward"][..], &[0, 4, 1][..]),
            (&["wardrobes", "@"], &[0, 4, 5, 7, 3, 1]),
            (&["wards", "robe", "ward"], &[0, 4, 7, 2, 4, 1]),
            (&["漢"], &[0, 2, 1]),
            (&[long.as_str(), "ward"], &[0, 2, 4, 1]),
            (&[], &[0, 1]),
        ] {
            assert_eq!(pieces.of(words), want, "{words:?}");
        }
        let many = vec!["ward"; 10_000];
        assert_eq!(pieces.of(&many).len(), limits::MEANING_MOST_PIECES);
    }
}
