//! What the files of a model are made of: counts, fractions, text, and rows of small whole numbers.

use super::model::ModelError;

/// What is left of a file to be read.
pub(in crate::detect) struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    /// Of a file that must begin with `magic`.
    pub(in crate::detect) fn new(bytes: &'b [u8], magic: &[u8]) -> Result<Self, ModelError> {
        bytes.strip_prefix(magic).map(Self).ok_or(ModelError::Shape)
    }

    /// The next octets.
    pub(in crate::detect) fn take(&mut self, count: usize) -> Result<&'b [u8], ModelError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(ModelError::Shape)?;
        self.0 = rest;
        Ok(head)
    }

    /// Words of four bytes.
    pub(super) fn words(&mut self, many: usize) -> Result<impl Iterator<Item = [u8; 4]> + use<'b>, ModelError> {
        let size = many.checked_mul(4).ok_or(ModelError::Shape)?;
        Ok(self.take(size)?.as_chunks::<4>().0.iter().copied())
    }

    pub(in crate::detect) fn number(&mut self) -> Result<usize, ModelError> {
        let word = self.words(1)?.next().ok_or(ModelError::Shape)?;
        usize::try_from(u32::from_le_bytes(word)).map_err(|_| ModelError::Shape)
    }

    pub(in crate::detect) fn floats(&mut self, many: usize) -> Result<Vec<f32>, ModelError> {
        Ok(self.words(many)?.map(f32::from_le_bytes).collect())
    }

    pub(in crate::detect) fn text(&mut self, bytes: usize) -> Result<&'b str, ModelError> {
        std::str::from_utf8(self.take(bytes)?).map_err(|_| ModelError::Shape)
    }

    pub(super) fn signed(&mut self, many: usize) -> Result<Vec<i8>, ModelError> {
        Ok(self.take(many)?.iter().map(|byte| byte.cast_signed()).collect())
    }

    /// Rows of small whole numbers: the scale of each row, then all numbers.
    pub(super) fn small(&mut self, rows: usize, columns: usize) -> Result<Small, ModelError> {
        let scale = self.floats(rows)?;
        let size = rows.checked_mul(columns).ok_or(ModelError::Shape)?;
        Ok(Small { scale, numbers: self.signed(size)?, columns })
    }

    /// Nothing may be left.
    pub(in crate::detect) fn end(&self) -> Result<(), ModelError> {
        if self.0.is_empty() { Ok(()) } else { Err(ModelError::Shape) }
    }
}

/// Rows of small whole numbers, each row with its scale.
#[derive(Debug)]
pub(super) struct Small {
    pub scale: Vec<f32>,
    pub numbers: Vec<i8>,
    columns: usize,
}

impl Small {
    /// The numbers of a row.
    pub(super) fn row(&self, at: usize) -> impl Iterator<Item = f32> + '_ {
        let scale = self.scale[at];
        self.numbers[at * self.columns..(at + 1) * self.columns].iter().map(move |number| f32::from(*number) * scale)
    }

    /// All numbers, row by row.
    pub(super) fn unrounded(&self) -> Vec<f32> {
        (0..self.scale.len()).flat_map(|at| self.row(at)).collect()
    }
}
