//! A set that answers "certainly not" at the cost of one look into memory.

use super::normalise::spread;
use crate::limits;

/// See the module's documentation.
#[derive(Debug)]
pub struct Filter {
    words: Box<[u64]>,
    shift: u32,
}

impl Default for Filter {
    fn default() -> Self {
        Self::for_members(0)
    }
}

impl Filter {
    /// An empty set with room for about so many members.
    pub fn for_members(many: usize) -> Self {
        let bits = (many * limits::FILTER_BITS_A_MEMBER).next_power_of_two().max(limits::FILTER_FEWEST_BITS);
        Self { words: vec![0; bits / 64].into(), shift: 64 - bits.trailing_zeros() }
    }

    /// Adds a hash.
    pub fn insert(&mut self, hash: u64) {
        let (word, bit) = self.place(spread(hash));
        self.words[word] |= bit;
    }

    /// Whether a hash may have been added; `false` is certain.
    #[inline]
    pub fn may_hold(&self, hash: u64) -> bool {
        self.may_hold_spread(spread(hash))
    }

    /// As [`Filter::may_hold`], for a hash that is spread already.
    #[inline]
    pub fn may_hold_spread(&self, spread: u64) -> bool {
        let (word, bit) = self.place(spread);
        self.words[word] & bit != 0
    }

    #[inline]
    fn place(&self, spread: u64) -> (usize, u64) {
        let at = spread >> self.shift;
        (usize::try_from(at / 64).unwrap_or_default(), 1 << (at % 64))
    }

    /// Octets on the heap.
    pub fn heap(&self) -> usize {
        self.words.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::super::normalise::token_hash;
    use super::*;

    #[test]
    fn members_pass_and_most_strangers_do_not() {
        let hash = |n: u32| token_hash(&n.to_string());
        let mut filter = Filter::for_members(10_000);
        (0..10_000).for_each(|n| filter.insert(hash(n)));
        assert!((0..10_000).all(|n| filter.may_hold(hash(n))));
        let passed = (10_000..20_000).filter(|&n| filter.may_hold(hash(n))).count();
        assert!(passed < 2_000, "{passed}");
    }
}
