//! The slow half of a model: an encoder that reads a sentence as a whole (J. Devlin et al., BERT, NAACL 2019, in the small form of W. Wang et
//! al., MiniLM, NeurIPS 2020). `meaning/README.md` tells where its weights come from.
//!
//! It is given words as [`super::features::words`] makes them, and knows nothing of pupils or messages. A sentence of twenty words costs two
//! or three milliseconds, so it is asked only where the quick half is in doubt.

mod layers;
mod pieces;

use super::file::{Rest, Small};
use super::model::ModelError;
use crate::limits;
use layers::{Dense, Layer, Norm, Product};
use pieces::Pieces;

/// Begins the file; the last two digits are the version of its shape.
const MAGIC: &[u8] = b"schoolgate encoder 02\n";

/// An encoder with its classes.
#[derive(Debug)]
pub(super) struct Encoder {
    pieces: Pieces,
    width: usize,
    /// One row a piece.
    embeddings: Small,
    /// One row a place in the sentence.
    positions: Vec<f32>,
    first: Norm,
    layers: Vec<Layer>,
    heads: usize,
    classes: Dense,
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
        if heads == 0 || width == 0 || !width.is_multiple_of(heads) || pieces.known.len() != many {
            return Err(ModelError::Shape);
        }
        let embeddings = rest.small(many, width)?;
        let places = limits::MEANING_MOST_PIECES;
        let positions = rest.small(places, width)?.unrounded();
        let out = Self {
            pieces,
            width,
            embeddings,
            positions,
            first: Norm::read(&mut rest, width)?,
            layers: (0..layers).map(|_| Layer::read(&mut rest, width, wide)).collect::<Result<_, _>>()?,
            heads,
            classes: Dense::read(&mut rest, 1, 2 * width, classes.len())?,
        };
        rest.end().map(|()| out)
    }

    /// How much the words speak for each class.
    ///
    /// # Errors
    /// [`ModelError::Shape`] where parts of the file do not fit each other.
    pub(super) fn logits(&self, words: &[&str]) -> Result<Vec<f32>, ModelError> {
        self.classes.of(&Product::default(), &self.sense(words)?)
    }

    /// What the words mean, in twice as many numbers as the encoder is wide: the mean of its places, and the most.
    ///
    /// # Errors
    /// As [`Encoder::logits`].
    pub(super) fn sense(&self, words: &[&str]) -> Result<Vec<f32>, ModelError> {
        crate::detect::work::read_closely();
        let product = Product::default();
        let pieces = self.pieces.of(words);
        let places = self.positions.chunks_exact(self.width);
        let placed = pieces
            .iter()
            .zip(places)
            .flat_map(|(piece, place)| self.embeddings.row(*piece).zip(place).map(|(number, place)| number + place));
        let rows = self.first.of(placed.collect());
        let rows = self.layers.iter().try_fold(rows, |rows, layer| layer.of(&product, rows, self.heads))?;
        let (mut mean, mut most) = (vec![0.0; self.width], vec![f32::MIN; self.width]);
        for row in rows.chunks_exact(self.width) {
            for ((mean, most), number) in mean.iter_mut().zip(&mut most).zip(row) {
                *mean += number / pieces.len() as f32;
                *most = most.max(*number);
            }
        }
        Ok([mean, most].concat())
    }
}
