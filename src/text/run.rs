//! Words as they are compared: hashes keyed by a secret of this process, so that no table built from them can be read
//! back without it.
//!
//! The hash of a run of words is that of the words written together: `O'Brien Smith`, `obrien-smith` and `obriensmith` are
//! one run, which is how mailboxes, file names and hasty lists write names.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use super::normalise::TextBuf;
use crate::limits;

/// The key of this process: the base of the polynomial that a word's hash is, and what spreads it over a table.
struct Key {
    base: u64,
    powers: [u64; limits::READY_POWERS],
    mask: u64,
}

static KEY: LazyLock<Key> = LazyLock::new(|| {
    let random = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u8(1);
        hasher.finish()
    };
    // 5 modulo 8: powers of the base then repeat as late as they can.
    let base = (random() & !7) | 5;
    let mut powers = [1u64; limits::READY_POWERS];
    for at in 1..limits::READY_POWERS {
        powers[at] = powers[at - 1].wrapping_mul(base);
    }
    Key { base, powers, mask: random() }
});

impl Key {
    #[inline]
    fn power(&self, length: usize) -> u64 {
        self.powers
            .get(length)
            .copied()
            .unwrap_or_else(|| self.base.wrapping_pow(u32::try_from(length).unwrap_or(u32::MAX)))
    }
}

/// Hash of a normalised token.
pub fn token_hash(norm: &str) -> u64 {
    hash_with(KEY.base, norm.as_bytes())
}

/// Hash of the ASCII letters and digits of a text alone, in small letters: a number or a post code however it is spaced.
pub fn compact_hash(text: &str) -> u64 {
    let bytes = text.bytes().filter(u8::is_ascii_alphanumeric);
    bytes.fold(0, |hash: u64, byte| step(hash, KEY.base, byte.to_ascii_lowercase()))
}

/// The hash with one more byte behind it.
#[inline]
pub(super) fn step(hash: u64, base: u64, byte: u8) -> u64 {
    hash.wrapping_mul(base).wrapping_add(u64::from(byte))
}

/// As [`token_hash`], for the tokeniser.
#[inline]
pub(super) fn hash_with(base: u64, norm: &[u8]) -> u64 {
    norm.iter().fold(0, |hash, &byte| step(hash, base, byte))
}

/// As [`hash_with`], for ASCII letters and digits however they are written. Four steps are taken as one, for each waits for the one before.
#[inline]
pub(super) fn hash_of_ascii(base: u64, written: &[u8]) -> u64 {
    // The bit that makes a letter small is set in every digit.
    let small = |byte: u8| u64::from(byte | b' ');
    let square = base.wrapping_mul(base);
    let (cube, fourth) = (square.wrapping_mul(base), square.wrapping_mul(square));
    let mut fours = written.chunks_exact(4);
    let hash = fours.by_ref().fold(0u64, |hash, four| {
        let [a, b, c, d] = [four[0], four[1], four[2], four[3]].map(small);
        let first = a.wrapping_mul(cube).wrapping_add(b.wrapping_mul(square));
        hash.wrapping_mul(fourth).wrapping_add(first).wrapping_add(c.wrapping_mul(base).wrapping_add(d))
    });
    fours.remainder().iter().fold(hash, |hash, &byte| hash.wrapping_mul(base).wrapping_add(small(byte)))
}

/// The base of every hash of this process.
pub(super) fn base() -> u64 {
    KEY.base
}

/// An odd number whose bits are mixed well: multiplied by it, what differs in low bits differs in high ones.
pub(super) const SPREADING: u64 = 0xD6E8_FEB8_6659_FD93;

/// Spreads a hash over 64 bits, all of which depend on all of it: what tables pick their places by.
#[inline]
pub fn spread(hash: u64) -> u64 {
    let mut spread = hash ^ KEY.mask;
    spread = (spread ^ (spread >> 32)).wrapping_mul(SPREADING);
    spread = (spread ^ (spread >> 32)).wrapping_mul(SPREADING);
    spread ^ (spread >> 32)
}

/// A run of tokens as it is compared: the hash of all its letters, whatever the breaks between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    /// Hash of the letters.
    pub hash: u64,
    /// The base to the power of their number.
    power: u64,
}

impl Run {
    /// No token.
    pub const EMPTY: Run = Run { hash: 0, power: 1 };

    /// The run of one normalised token.
    pub fn of_token(norm: &str) -> Run {
        Run { hash: token_hash(norm), power: KEY.power(norm.len()) }
    }

    /// The run of one normalised token of so many octets, by its hash.
    #[inline]
    pub(super) fn of_hash(hash: u64, length: usize) -> Run {
        Run { hash, power: KEY.power(length) }
    }

    /// The run of all tokens of a text: what the index is built from.
    pub fn of(text: &str) -> Run {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Run::of_token(&text.to_ascii_lowercase());
        }
        let text = TextBuf::new(text);
        let text = text.text();
        text.run(0, text.tokens.len())
    }

    /// This run and then another.
    #[must_use]
    #[inline]
    pub fn then(self, next: Run) -> Run {
        Run {
            hash: self.hash.wrapping_mul(next.power).wrapping_add(next.hash),
            power: self.power.wrapping_mul(next.power),
        }
    }
}
