//! The tables of the roster index: small, and as fast for a million pupils as for a hundred.
//!
//! None of them holds a key. A key is hashed under the secret of the process; where it leads is picked by some bits of the
//! hash, and whether it stands there is told by others. So a key that was never put in is taken for one that was about
//! once in 2^28 look-ups in a school, and once in 2^16 in an authority of a million pupils; what follows a look-up by name is
//! always a further one.

use crate::limits;
use crate::text::normalise::spread;

/// Set on an entry made from a short form or a part of a double name: it counts only where no exact one exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub whose: u32,
    pub loose: bool,
}

/// Keys to those whom they lead to, in the order of the roster.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// Where each bucket begins, and the end of the last.
    starts: Box<[u32]>,
    /// Whose, whether loose, and as many bits of the key as there is room for.
    entries: Box<[u32]>,
    /// Eight further bits of the key.
    tags: Box<[u8]>,
    /// Bits that say whose.
    bits: u32,
}

/// What a [`Postings`] is made from.
#[derive(Debug, Default)]
pub(super) struct Gathered(Vec<(u64, u32)>);

const LOOSE: u32 = 1 << 31;

impl Gathered {
    /// To be called in the order of the roster; the same key twice for the same one counts once, exact before loose.
    pub fn add(&mut self, key: u64, entry: Entry) {
        let same = |other: &&mut (u64, u32)| other.0 == key;
        let own = self.0.iter_mut().rev().take_while(|other| other.1 & !LOOSE == entry.whose).find(same);
        match own {
            Some(other) if !entry.loose => other.1 &= !LOOSE,
            Some(_) => {}
            None => self.0.push((key, entry.whose | if entry.loose { LOOSE } else { 0 })),
        }
    }

    /// Packs what was gathered. `many` is one more than the highest of those whom entries belong to.
    pub fn pack(self, many: usize) -> Postings {
        let bits = usize::BITS - many.leading_zeros();
        let buckets = self.0.len().div_ceil(limits::POSTINGS_BUCKET);
        let mut starts = vec![0u32; buckets + 1];
        let place = |key: u64| slot(spread(key), buckets);
        for (key, _) in &self.0 {
            starts[place(*key) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut entries = vec![0u32; self.0.len()];
        let mut tags = vec![0u8; self.0.len()];
        for (key, entry) in self.0 {
            let at = &mut next[place(key)];
            let packed = pack(spread(key), entry & !LOOSE, entry & LOOSE != 0, bits);
            (entries[*at as usize], tags[*at as usize]) = packed;
            *at += 1;
        }
        Postings { starts: starts.into(), entries: entries.into(), tags: tags.into(), bits }
    }
}

/// A place among `many`, by the high bits of a spread hash.
fn slot(spread: u64, many: usize) -> usize {
    usize::try_from((u128::from(spread) * many as u128) >> 64).unwrap_or_default()
}

/// An entry and its tag: from the low end whose, loose, and low bits of the hash.
#[allow(clippy::cast_possible_truncation)]
fn pack(spread: u64, whose: u32, loose: bool, bits: u32) -> (u32, u8) {
    let known = spread as u32;
    let room = known.checked_shl(bits + 1).unwrap_or_default();
    (room | u32::from(loose) << bits | whose, (spread >> 32) as u8)
}

impl Postings {
    /// All entries of a key, in the order of the roster.
    pub fn get(&self, key: u64) -> impl Iterator<Item = Entry> {
        let spread = spread(key);
        let at = slot(spread, self.starts.len().saturating_sub(1));
        let range = match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&from), Some(&to)) => from as usize..to as usize,
            _ => 0..0,
        };
        let bits = self.bits;
        let (want, tag) = pack(spread, 0, false, bits);
        let whose = (1u32 << bits).wrapping_sub(1);
        range.filter_map(move |at| {
            let entry = self.entries[at];
            let loose = entry & (1 << bits) != 0;
            let known = entry & !whose & !(1 << bits);
            (self.tags[at] == tag && known == want).then_some(Entry { whose: entry & whose, loose })
        })
    }

    /// Whether a key leads to anybody.
    pub fn has(&self, key: u64) -> bool {
        self.get(key).next().is_some()
    }

    /// Octets on the heap.
    pub fn heap(&self) -> usize {
        self.starts.len() * 4 + self.entries.len() * 4 + self.tags.len()
    }
}

/// Bits of a hash that a [`Flags`] keeps of each key.
const KEPT: u32 = 24;

/// Keys to eight flags each, of which one at least is set.
#[derive(Debug, Default)]
pub(super) struct Flags(Box<[u32]>);

impl Flags {
    /// Packs keys with their flags; the flags of a key that stands more than once are put together.
    pub fn pack(keys: impl IntoIterator<Item = (u64, u8)>, many: usize) -> Self {
        let mut out = Self(vec![0u32; many + many / 4 + 1].into());
        for (key, flags) in keys {
            let (mut at, kept) = out.place(key);
            while out.0[at] != 0 && out.0[at] >> (32 - KEPT) != kept {
                at = (at + 1) % out.0.len();
            }
            out.0[at] |= kept << (32 - KEPT) | u32::from(flags);
        }
        out
    }

    #[allow(clippy::cast_possible_truncation)]
    fn place(&self, key: u64) -> (usize, u32) {
        let spread = spread(key);
        (slot(spread, self.0.len()), spread as u32 & ((1 << KEPT) - 1))
    }

    /// The flags of a key, 0 when it is not known.
    #[allow(clippy::cast_possible_truncation)]
    pub fn get(&self, key: u64) -> u8 {
        if self.0.is_empty() {
            return 0;
        }
        let (mut at, kept) = self.place(key);
        while self.0[at] != 0 {
            if self.0[at] >> (32 - KEPT) == kept {
                return self.0[at] as u8;
            }
            at = (at + 1) % self.0.len();
        }
        0
    }

    /// Octets on the heap.
    pub fn heap(&self) -> usize {
        self.0.len() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalise::token_hash;

    fn key(n: u32) -> u64 {
        token_hash(&format!("key{n}"))
    }

    #[test]
    fn what_was_put_in_is_found_in_order() {
        for many in [0u32, 1, 7, 100, 5_000] {
            let mut gathered = Gathered::default();
            for whose in 0..many {
                for n in [whose, whose / 3] {
                    gathered.add(key(n), Entry { whose, loose: n != whose });
                }
            }
            let postings = gathered.pack(many as usize);
            for n in 0..many {
                let mut want: Vec<Entry> = (n * 3..n * 3 + 3)
                    .filter(|&whose| whose < many)
                    .map(|whose| Entry { whose, loose: whose != n })
                    .chain((n % 3 != 0 || n != n / 3).then_some(Entry { whose: n, loose: false }))
                    .collect();
                want.sort_by_key(|entry| entry.whose);
                want.dedup();
                assert_eq!(postings.get(key(n)).collect::<Vec<_>>(), want, "{n} of {many}");
            }
            let strangers = (many..many + 20_000).filter(|&n| postings.has(key(n))).count();
            assert!(strangers <= 1, "{strangers} of 20,000 strangers found among {many}");
        }
    }

    #[test]
    fn flags_of_a_key_come_together() {
        let keys: Vec<(u64, u8)> =
            (0..1_000).flat_map(|n| [(key(n), 1), (key(n), if n % 2 == 0 { 4 } else { 1 })]).collect();
        let flags = Flags::pack(keys.iter().copied(), 1_000);
        for n in 0..1_000 {
            assert_eq!(flags.get(key(n)), if n % 2 == 0 { 5 } else { 1 }, "{n}");
        }
        let strangers = (1_000..50_000).filter(|&n| flags.get(key(n)) != 0).count();
        assert!(strangers <= 3, "{strangers}");
        assert_eq!(Flags::default().get(key(1)), 0);
    }
}
