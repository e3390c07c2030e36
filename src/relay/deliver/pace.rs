//! The cap on messages a minute: never more than so many in any window of 60 seconds, as who counts them at the other end sees it.
//!
//! A message has a place from before its first octet until a minute after its answer, so that whatever lies between, two that had the
//! same place are a minute apart where they arrive. Pure: the time is given.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::lock;
use crate::limits;
use crate::store::Clock;

const WINDOW: SignedDuration = SignedDuration::from_secs(limits::PACE_SECONDS);

/// The places there are.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    /// Of messages that are being sent.
    taken: usize,
    /// When the others may be taken again, the soonest first.
    free_at: VecDeque<Timestamp>,
}

/// A place; what was not sent leaves it free at once.
pub(super) struct Place {
    pace: Arc<Pace>,
    clock: Clock,
    sent: bool,
}

impl Pace {
    /// A place among so many, or when there may be one; `None` stands for no cap, and is counted all the same: there may be one
    /// after a change of the configuration.
    pub fn take(self: &Arc<Self>, cap: Option<usize>, clock: &Clock) -> Result<Place, Option<Timestamp>> {
        let now = clock.now();
        let mut places = lock(&self.0);
        // A clock that was put back makes nobody wait for longer than a minute.
        let latest = now.saturating_add(WINDOW).unwrap_or(Timestamp::MAX);
        for at in &mut places.free_at {
            *at = (*at).min(latest);
        }
        while places.free_at.front().is_some_and(|at| *at <= now) {
            places.free_at.pop_front();
        }
        if cap.is_some_and(|cap| places.taken + places.free_at.len() >= cap) {
            return Err(places.free_at.front().copied());
        }
        places.taken += 1;
        Ok(Place { pace: Arc::clone(self), clock: clock.clone(), sent: false })
    }
}

impl Place {
    /// The content is about to leave or has left.
    pub fn sent(&mut self) {
        self.sent = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = lock(&self.pace.0);
        places.taken = places.taken.saturating_sub(1);
        if self.sent {
            let at = self.clock.now().saturating_add(WINDOW).unwrap_or(Timestamp::MAX);
            let behind = places.free_at.partition_point(|other| *other <= at);
            places.free_at.insert(behind, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// What happens next: time goes by, a message begins, or the one that began first of those under way ends.
    #[derive(Debug, Clone)]
    enum Step {
        Wait(u64),
        Begin,
        End { sent: bool },
        Cap(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..30_000_u64).prop_map(Step::Wait),
            6 => Just(Step::Begin),
            6 => any::<bool>().prop_map(|sent| Step::End { sent }),
            1 => (1..8_usize).prop_map(Step::Cap),
        ];
        proptest::collection::vec(step, 1..300)
    }

    proptest! {
        // Relay checklist, row 97.
        #[test]
        fn no_window_of_a_minute_has_more_and_a_free_place_is_given(steps in steps(), cap in 1..8_usize) {
            let clock = Clock::manual(Timestamp::UNIX_EPOCH);
            let pace = Arc::new(Pace::default());
            let mut cap = cap;
            let mut under_way: VecDeque<(Place, Timestamp)> = VecDeque::new();
            // Each message that was sent: from when to when it may have arrived.
            let mut sent: Vec<(Timestamp, Timestamp)> = Vec::new();
            for step in steps {
                let now = clock.now();
                match step {
                    Step::Wait(millis) => clock.advance(Duration::from_millis(millis)),
                    Step::Cap(other) => cap = other,
                    Step::Begin => {
                        // The model: what is under way counts, and what ended less than a minute ago.
                        let recent = sent.iter().filter(|(_, end)| now.duration_since(*end) < WINDOW).count();
                        let free = under_way.len() + recent < cap;
                        match pace.take(Some(cap), &clock) {
                            Ok(place) => {
                                prop_assert!(free);
                                under_way.push_back((place, now));
                            }
                            Err(at) => {
                                prop_assert!(!free);
                                prop_assert!(at.is_some() || recent == 0);
                                prop_assert!(at.is_none_or(|at| at > now && at.duration_since(now) <= WINDOW));
                            }
                        }
                    }
                    Step::End { sent: left } => {
                        if let Some((mut place, began)) = under_way.pop_front()
                            && left
                        {
                            place.sent();
                            sent.push((began, now));
                        }
                    }
                }
            }
        }

        // Relay checklist, row 97.
        #[test]
        fn wherever_a_message_arrives_between_its_first_octet_and_its_answer_no_window_has_more(
            waits in proptest::collection::vec((0..40_000_u64, 0..90_000_u64, 0.0..1.0_f64), 1..200),
            cap in 1..6_usize,
        ) {
            let clock = Clock::manual(Timestamp::UNIX_EPOCH);
            let pace = Arc::new(Pace::default());
            let mut under_way: Vec<(Timestamp, Timestamp, Place)> = Vec::new();
            let mut arrived: Vec<Timestamp> = Vec::new();
            for (pause, long, share) in waits {
                clock.advance(Duration::from_millis(pause));
                let now = clock.now();
                if let Ok(mut place) = pace.take(Some(cap), &clock) {
                    place.sent();
                    let end = now + Duration::from_millis(long);
                    arrived.push(now + Duration::from_millis((long as f64 * share) as u64));
                    under_way.push((now, end, place));
                }
                under_way.retain(|(_, end, _)| *end > now);
            }
            arrived.sort();
            for window in arrived.windows(cap + 1) {
                prop_assert!(window[cap].duration_since(window[0]) >= WINDOW, "{window:?}");
            }
        }
    }

    #[test]
    fn what_was_not_sent_and_a_clock_that_was_put_back_cost_nothing() {
        let late = Clock::manual(Timestamp::from_second(1_000_000).unwrap());
        let pace = Arc::new(Pace::default());
        drop(pace.take(Some(1), &late).expect("free"));
        let mut place = pace.take(Some(1), &late).expect("nothing was sent");
        assert!(matches!(pace.take(Some(1), &late), Err(None)), "its end tells when");
        place.sent();
        drop(place);
        assert!(matches!(pace.take(Some(1), &late), Err(Some(_))));
        assert!(pace.take(Some(2), &late).is_ok() && pace.take(None, &late).is_ok(), "another cap holds at once");
        let early = Clock::manual(Timestamp::from_second(5).unwrap());
        let at = pace.take(Some(1), &early).err().expect("taken");
        assert_eq!(at, Timestamp::from_second(65).ok());
        early.advance(Duration::from_secs(60));
        assert!(pace.take(Some(1), &early).is_ok());
    }
}
