//! What an encoder is made of: rows of numbers, one row a piece, that go through layers of weights.
//!
//! Weights are whole numbers of seven bits and what they are multiplied with is made whole numbers of eight, row by row: a quarter of the bytes
//! to fetch, and sums that come out the same on every processor. Seven bits, because processors without VNNI add two products in sixteen.

use std::fmt;

use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_tensor::NdTensorView;
use rten_vecmath::{ApproxGelu, Normalize, NormalizeOptions, Softmax, Sum, SumSquareSub};

use crate::detect::meaning::file::Rest;
use crate::detect::meaning::model::ModelError;
use crate::limits;

/// Multiplies whole numbers, in the way that is quickest on this processor. Made anew for each sentence, for it belongs to one thread.
pub(super) type Product = GemmExecutor<u8, i8, i32>;

/// Numbers in rows of one width, row by row.
pub(super) type Rows = Vec<f32>;

/// The most that a weight may be, either way.
const MOST_WEIGHT: i8 = 63;
/// Steps on either side of nothing in a row that is made whole numbers, and the whole number that stands for nothing.
const STEPS: f32 = 127.0;
const NOTHING: u8 = 128;

/// Weights between each number of a row that comes in and each of the row that goes out.
pub(super) struct Dense {
    panels: Vec<PackedBMatrix<i8>>,
    /// How wide a row is that comes in.
    from: usize,
    /// What a row of nothing comes to, in each column that goes out.
    nothing: Vec<i32>,
    /// What one stands for, in each column that goes out.
    scale: Vec<f32>,
    bias: Vec<f32>,
}

impl fmt::Debug for Dense {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Dense").field("from", &self.from).field("to", &self.scale.len()).finish_non_exhaustive()
    }
}

impl Dense {
    /// Several of a width of `to` each, whose rows go out side by side.
    pub(super) fn read(rest: &mut Rest<'_>, several: usize, from: usize, to: usize) -> Result<Self, ModelError> {
        let (mut numbers, mut scale, mut bias) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..several {
            let small = rest.small(to, from)?;
            numbers.extend(small.numbers);
            scale.extend(small.scale);
            bias.extend(rest.floats(to)?);
        }
        if numbers.iter().any(|number| number.unsigned_abs() > MOST_WEIGHT.unsigned_abs()) {
            return Err(ModelError::Shape);
        }
        let sum_of = |weights: &[i8]| weights.iter().map(|weight| i32::from(*weight)).sum::<i32>();
        let nothing = numbers.chunks_exact(from).map(|weights| i32::from(NOTHING) * sum_of(weights)).collect();
        let product = Product::default();
        let panel = |numbers: &[i8]| {
            let rows = NdTensorView::try_from_data([numbers.len() / from, from], numbers);
            rows.map(|rows| product.prepack_b(rows.transposed())).map_err(|_| ModelError::Shape)
        };
        let panels = numbers.chunks(limits::MEANING_PANEL * from).map(panel).collect::<Result<_, _>>()?;
        Ok(Self { panels, from, nothing, scale, bias })
    }

    /// # Errors
    /// [`ModelError::Shape`] where `rows` are of another width.
    pub(super) fn of(&self, product: &Product, rows: &[f32]) -> Result<Rows, ModelError> {
        let many = rows.len() / self.from;
        let mut steps = Vec::with_capacity(many);
        let mut whole = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(self.from) {
            let most = row.iter().fold(f32::MIN_POSITIVE, |most, number| most.max(number.abs()));
            steps.push(most / STEPS);
            whole.extend(row.iter().map(|number| (number * (STEPS / most) + (f32::from(NOTHING) + 0.5)) as u8));
        }
        let whole = NdTensorView::try_from_data([many, self.from], &whole[..]).map_err(|_| ModelError::Shape)?;
        let whole = product.prepack_a(whole);
        let to = self.scale.len();
        let mut out = vec![0.0; many * to];
        for (at, panel) in self.panels.iter().enumerate() {
            let mut sums = vec![0; many * panel.cols()];
            let (whole, weights) = (GemmInputA::Packed(&whole), GemmInputB::Packed(panel));
            product.gemm(&mut sums, whole, weights, GemmOptions::default()).map_err(|_| ModelError::Shape)?;
            let columns = at * limits::MEANING_PANEL..at * limits::MEANING_PANEL + panel.cols();
            let (nothing, scale) = (&self.nothing[columns.clone()], &self.scale[columns.clone()]);
            for ((sums, out), step) in sums.chunks_exact(panel.cols()).zip(out.chunks_exact_mut(to)).zip(&steps) {
                let each = out[columns.clone()].iter_mut().zip(&self.bias[columns.clone()]).zip(sums);
                for (((out, bias), sum), (nothing, scale)) in each.zip(nothing.iter().zip(scale)) {
                    *out = (sum - nothing) as f32 * (step * scale) + bias;
                }
            }
        }
        Ok(out)
    }
}

/// Makes rows alike in mean and spread (J. L. Ba et al., Layer Normalization, 2016).
#[derive(Debug)]
pub(super) struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Norm {
    pub(super) fn read(rest: &mut Rest<'_>, width: usize) -> Result<Self, ModelError> {
        Ok(Self { scale: rest.floats(width)?, shift: rest.floats(width)? })
    }

    /// Each row with mean nothing and spread one, then scaled and shifted.
    pub(super) fn of(&self, mut rows: Rows) -> Rows {
        let width = self.scale.len();
        for row in rows.chunks_exact_mut(width) {
            let mean = Sum::new(row).dispatch() / width as f32;
            let spread = (SumSquareSub::new(row, mean).dispatch() / width as f32 + 1e-12).sqrt();
            let options = NormalizeOptions {
                pre_scale_bias: mean,
                scale: spread.recip(),
                element_scale: Some(&self.scale),
                element_bias: Some(&self.shift),
                ..NormalizeOptions::default()
            };
            Normalize::new_mut(row, options).dispatch();
        }
        rows
    }
}

/// A layer: each piece hears the others, then is thought over by itself.
#[derive(Debug)]
pub(super) struct Layer {
    /// What each piece asks, what it answers to and what it tells, side by side.
    asked: Dense,
    joined: Dense,
    heard: Norm,
    wide: Dense,
    narrow: Dense,
    said: Norm,
}

impl Layer {
    pub(super) fn read(rest: &mut Rest<'_>, width: usize, wide: usize) -> Result<Self, ModelError> {
        Ok(Self {
            asked: Dense::read(rest, 3, width, width)?,
            joined: Dense::read(rest, 1, width, width)?,
            heard: Norm::read(rest, width)?,
            wide: Dense::read(rest, 1, width, wide)?,
            narrow: Dense::read(rest, 1, wide, width)?,
            said: Norm::read(rest, width)?,
        })
    }

    /// # Errors
    /// As [`Dense::of`].
    pub(super) fn of(&self, product: &Product, rows: Rows, heads: usize) -> Result<Rows, ModelError> {
        let heard = attention(&self.asked.of(product, &rows)?, self.joined.from, heads);
        let rows = self.heard.of(sum(self.joined.of(product, &heard)?, &rows));
        let mut wide = self.wide.of(product, &rows)?;
        ApproxGelu {}.map_mut(&mut wide);
        Ok(self.said.of(sum(self.narrow.of(product, &wide)?, &rows)))
    }
}

fn sum(mut rows: Rows, more: &[f32]) -> Rows {
    rows.iter_mut().zip(more).for_each(|(number, more)| *number += more);
    rows
}

/// Each row the mean of what all rows tell, weighed by how well what they answer to fits what it asks; in each head for itself (A. Vaswani et
/// al., Attention Is All You Need, NeurIPS 2017). A row of `asked` holds the three, `width` each.
fn attention(asked: &[f32], width: usize, heads: usize) -> Rows {
    let many = asked.len() / (3 * width);
    let part = width / heads;
    let mut heard = vec![0.0; many * width];
    let mut answers = vec![0.0; many * part];
    let mut weights = vec![0.0; many];
    for head in 0..heads {
        let of = |row: usize, which: usize| &asked[(3 * row + which) * width + head * part..][..part];
        // Turned, so that the innermost loops below run over numbers that lie side by side.
        for row in 0..many {
            for (place, number) in of(row, 1).iter().enumerate() {
                answers[place * many + row] = *number;
            }
        }
        for (row, heard) in heard.chunks_exact_mut(width).enumerate() {
            weights.fill(0.0);
            for (asks, answers) in of(row, 0).iter().zip(answers.chunks_exact(many)) {
                let asks = asks / (part as f32).sqrt();
                weights.iter_mut().zip(answers).for_each(|(weight, answer)| *weight += asks * answer);
            }
            Softmax::new_mut(&mut weights).dispatch();
            let heard = &mut heard[head * part..][..part];
            for (other, weight) in weights.iter().enumerate() {
                heard.iter_mut().zip(of(other, 2)).for_each(|(heard, told)| *heard += weight * told);
            }
        }
    }
    heard
}
