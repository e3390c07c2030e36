//! Queue ids: short enough to be read out on the telephone, sortable by time, never the same twice.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

use jiff::Timestamp;

/// Digits and small letters without `i`, `l`, `o` and `u`: in this order they sort as they count, and none looks like
/// another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The gateway's own id of a message: the queue id of our 250, of logs, of notices. 16 letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct QueueId(pub String);

impl QueueId {
    /// A new id: 48 bits of milliseconds, and 32 that are a counter and chance.
    ///
    /// Ids sort by time. Within one process no two are the same unless more than 65,536 are made in one millisecond.
    pub fn generate(now: Timestamp) -> Self {
        static COUNTER: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(chance()));
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0) & 0xffff_ffff_ffff;
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let number = u128::from(millis) << 32 | u128::from(count) << 16 | u128::from(chance());
        let digit = |i: u32| char::from(ALPHABET[(number >> (75 - 5 * i) & 31) as usize]);
        Self((0..16).map(digit).collect())
    }
}

impl std::fmt::Display for QueueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sixteen bits that differ from process to process and call to call; no secret.
fn chance() -> u16 {
    RandomState::new().build_hasher().finish() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_by_time_and_never_twice() {
        let at: Timestamp = "2026-11-21T09:05:00Z".parse().unwrap();
        let ids: std::collections::HashSet<_> = (0..20_000).map(|_| QueueId::generate(at).0).collect();
        assert_eq!(ids.len(), 20_000);
        assert!(ids.iter().all(|id| id.len() == 16 && id.bytes().all(|b| ALPHABET.contains(&b))));
        let later = QueueId::generate("2026-11-21T09:05:00.001Z".parse().unwrap());
        assert!(ids.iter().all(|id| *id < later.0));
        assert!(QueueId::generate(Timestamp::MIN).0.starts_with("000000"));
    }
}
