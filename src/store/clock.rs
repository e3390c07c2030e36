//! The time that leases and schedules go by. A daemon's clock is the system's; a test has one that only it moves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where the store, and delivery with it, take their time from. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<Mutex<Manual>>>);

/// Both times of a manual clock; they move together.
#[derive(Debug)]
struct Manual {
    time: Timestamp,
    instant: Instant,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `start` until it is moved.
    pub fn manual(start: Timestamp) -> Self {
        Self(Some(Arc::new(Mutex::new(Manual { time: start, instant: Instant::now() }))))
    }

    /// The time it shows.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::now(),
            Some(manual) => manual.lock().unwrap_or_else(PoisonError::into_inner).time,
        }
    }

    /// The time that only goes forward, for how long something takes: nobody sets it.
    pub fn instant(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(manual) => manual.lock().unwrap_or_else(PoisonError::into_inner).instant,
        }
    }

    /// Moves a manual clock on; the system's moves by itself and is left alone.
    pub fn advance(&self, by: Duration) {
        if let Some(manual) = &self.0 {
            let mut manual = manual.lock().unwrap_or_else(PoisonError::into_inner);
            manual.time = manual.time.saturating_add(by).unwrap_or(Timestamp::MAX);
            manual.instant += by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_for_all_its_clones_and_only_when_told() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let other = clock.clone();
        assert_eq!(other.now(), Timestamp::UNIX_EPOCH);
        let began = other.instant();
        clock.advance(Duration::from_secs(5));
        assert_eq!(other.instant() - began, Duration::from_secs(5));
        assert_eq!(other.now(), Timestamp::from_second(5).unwrap());
        let (before, system) = (Timestamp::now(), Clock::system());
        system.advance(Duration::from_secs(1_000_000));
        assert!(system.now() >= before && system.now() <= Timestamp::now());
    }
}
