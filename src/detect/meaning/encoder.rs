//! The slow half of a model: an encoder that reads a sentence as a whole (J. Devlin et al., BERT, NAACL 2019, in the small form of W. Wang et
//! al., MiniLM, NeurIPS 2020). `meaning/README.md` tells where its weights come from.
//!
//! It is given words as [`super::features::words`] makes them, and knows nothing of pupils or messages. A sentence of twenty words costs some
//! milliseconds, so it is asked only where the quick half is in doubt.

use hashbrown::HashMap;
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, s};

use super::features;
use super::file::{Rest, Small};
use super::model::ModelError;
use crate::limits;

/// Begins the file; the last two digits are the version of its shape.
const MAGIC: &[u8] = b"schoolgate encoder 01\n";
/// Pieces that are no words: those that begin and end a sentence, the unknown one, and what stands for the masks.
const BEGIN: &str = "[CLS]";
const END: &str = "[SEP]";
const UNKNOWN: &str = "[UNK]";
const MASKS: [(&str, &str); 3] =
    [(features::PUPIL, "[unused0]"), (features::OWNER, "[unused1]"), (features::OTHER, "[unused2]")];
/// Begins a piece that goes on a word.
const GOES_ON: &str = "##";

/// An encoder with its classes.
#[derive(Debug)]
pub(super) struct Encoder {
    pieces: Pieces,
    /// One row a piece.
    embeddings: Small,
    /// One row a place in the sentence.
    positions: Array2<f32>,
    first: Norm,
    layers: Vec<Layer>,
    heads: usize,
    classes: Dense,
}

/// Words and parts of words.
#[derive(Debug)]
struct Pieces {
    known: HashMap<String, usize>,
    begin: usize,
    end: usize,
    unknown: usize,
}

impl Pieces {
    fn new(lines: &str) -> Result<Self, ModelError> {
        let known: HashMap<String, usize> = lines.lines().zip(0..).map(|(piece, at)| (piece.to_owned(), at)).collect();
        let of = |piece: &str| known.get(piece).copied().ok_or(ModelError::Shape);
        let (begin, end, unknown) = (of(BEGIN)?, of(END)?, of(UNKNOWN)?);
        Ok(Self { known, begin, end, unknown })
    }

    /// The words in their longest known pieces, from the left; a word of which a part is unknown is unknown, and so is one too long to be
    /// a word. However much it is given, it looks at a bounded part of it.
    fn of(&self, words: &[&str]) -> Vec<usize> {
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

#[derive(Debug)]
struct Dense {
    /// One row for each number that comes in.
    weights: Array2<f32>,
    bias: Array1<f32>,
}

impl Dense {
    fn read(rest: &mut Rest<'_>, from: usize, to: usize) -> Result<Self, ModelError> {
        let weights = rest.small(to, from)?.unrounded();
        let weights = Array2::from_shape_vec((to, from), weights).map_err(|_| ModelError::Shape)?;
        // Turned once and for all: fetching them is most of the work, and goes quicker in the order in which they lie.
        let weights = weights.reversed_axes().as_standard_layout().into_owned();
        Ok(Self { weights, bias: rest.floats(to)?.into() })
    }

    fn of(&self, rows: ArrayView2<'_, f32>) -> Array2<f32> {
        rows.dot(&self.weights) + &self.bias
    }
}

#[derive(Debug)]
struct Norm {
    scale: Array1<f32>,
    shift: Array1<f32>,
}

impl Norm {
    fn read(rest: &mut Rest<'_>, width: usize) -> Result<Self, ModelError> {
        Ok(Self { scale: rest.floats(width)?.into(), shift: rest.floats(width)?.into() })
    }

    /// Each row with mean nothing and spread one, then scaled and shifted.
    fn of(&self, mut rows: Array2<f32>) -> Array2<f32> {
        for mut row in rows.rows_mut() {
            let many = row.len() as f32;
            let mean = row.sum() / many;
            row -= mean;
            let spread = (row.iter().map(|number| number * number).sum::<f32>() / many + 1e-12).sqrt();
            row /= spread;
            row *= &self.scale;
            row += &self.shift;
        }
        rows
    }
}

#[derive(Debug)]
struct Layer {
    query: Dense,
    key: Dense,
    value: Dense,
    joined: Dense,
    heard: Norm,
    wide: Dense,
    narrow: Dense,
    said: Norm,
}

impl Layer {
    fn read(rest: &mut Rest<'_>, width: usize, wide: usize) -> Result<Self, ModelError> {
        Ok(Self {
            query: Dense::read(rest, width, width)?,
            key: Dense::read(rest, width, width)?,
            value: Dense::read(rest, width, width)?,
            joined: Dense::read(rest, width, width)?,
            heard: Norm::read(rest, width)?,
            wide: Dense::read(rest, width, wide)?,
            narrow: Dense::read(rest, wide, width)?,
            said: Norm::read(rest, width)?,
        })
    }

    fn of(&self, rows: Array2<f32>, heads: usize) -> Array2<f32> {
        let (query, key, value) = (self.query.of(rows.view()), self.key.of(rows.view()), self.value.of(rows.view()));
        let width = query.ncols() / heads;
        let mut heard = Array2::zeros(query.raw_dim());
        for head in 0..heads {
            let part = s![.., head * width..(head + 1) * width];
            let mut weights = query.slice(part).dot(&key.slice(part).t()) / (width as f32).sqrt();
            for mut row in weights.rows_mut() {
                let top = row.iter().copied().fold(f32::MIN, f32::max);
                row.mapv_inplace(|number| (number - top).exp());
                let sum = row.sum();
                row /= sum;
            }
            heard.slice_mut(part).assign(&weights.dot(&value.slice(part)));
        }
        let rows = self.heard.of(self.joined.of(heard.view()) + rows);
        let wide = self.wide.of(rows.view()).mapv_into(gelu);
        self.said.of(self.narrow.of(wide.view()) + rows)
    }
}

/// D. Hendrycks and K. Gimpel, Gaussian Error Linear Units, 2016: the form by tanh, here by the exponential that it is made of.
fn gelu(number: f32) -> f32 {
    const TWICE_ROOT_OF_TWO_OVER_PI: f32 = std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::SQRT_2;
    number / (1.0 + (-TWICE_ROOT_OF_TWO_OVER_PI * (number + 0.044_715 * number * number * number)).exp())
}

impl Encoder {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ModelError::Shape`] where it is cut or of another version, [`ModelError::Classes`] where it tells other classes apart than `classes`.
    pub(super) fn read(bytes: &[u8], classes: &[String]) -> Result<Self, ModelError> {
        let mut rest = Rest::new(bytes, MAGIC)?;
        let [width, wide, layers, heads, many, letters] = [(); 6].map(|()| rest.number());
        let (width, wide, layers, heads, many, letters) = (width?, wide?, layers?, heads?, many?, letters?);
        let pieces = Pieces::new(rest.text(letters)?)?;
        let names = rest.number()?;
        if !rest.text(names)?.split('\n').eq(classes) {
            return Err(ModelError::Classes);
        }
        if heads == 0 || !width.is_multiple_of(heads) || pieces.known.len() != many {
            return Err(ModelError::Shape);
        }
        let embeddings = rest.small(many, width)?;
        let places = limits::MEANING_MOST_PIECES;
        let positions = rest.small(places, width)?.unrounded();
        let positions = Array2::from_shape_vec((places, width), positions).map_err(|_| ModelError::Shape)?;
        let out = Self {
            pieces,
            embeddings,
            positions,
            first: Norm::read(&mut rest, width)?,
            layers: (0..layers).map(|_| Layer::read(&mut rest, width, wide)).collect::<Result<_, _>>()?,
            heads,
            classes: Dense::read(&mut rest, 2 * width, classes.len())?,
        };
        rest.end().map(|()| out)
    }

    /// How much the words speak for each class.
    pub(super) fn logits(&self, words: &[&str]) -> Vec<f32> {
        let pieces = self.pieces.of(words);
        let mut rows = self.positions.slice(s![..pieces.len(), ..]).to_owned();
        for (mut row, piece) in rows.rows_mut().into_iter().zip(pieces) {
            row += &Array1::from_iter(self.embeddings.row(piece));
        }
        let rows = self.layers.iter().fold(self.first.of(rows), |rows, layer| layer.of(rows, self.heads));
        let many = rows.nrows() as f32;
        let mean = rows.sum_axis(Axis(0)) / many;
        let most = rows.fold_axis(Axis(0), f32::MIN, |most, number| most.max(*number));
        let both = concatenate![Axis(0), mean, most].insert_axis(Axis(0));
        self.classes.of(both.view()).into_raw_vec_and_offset().0
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
