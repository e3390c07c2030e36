//! When to try again, and when to give up. Pure: no clock, no randomness but what is given.
//!
//! A message that was put off waits by the number of its own tries. The smarthost as a whole has a schedule of its own:
//! while it cannot be reached, one message probes it and all others wait without being tried (RFC 5321 4.5.4.1).

use std::time::Duration;

use jiff::Timestamp;

use crate::config::QueueConfig;
use crate::limits;
use crate::store::Outage;

/// The wait after the `tries`-th failed try (from 1); `random` is in 0..1.
pub fn wait_after(tries: u32, queue: &QueueConfig, random: f64) -> Duration {
    let step = (tries.max(1) - 1) as usize;
    let wait = queue.retry.get(step).or(queue.retry.last()).copied().unwrap_or(queue.give_up);
    wait.mul_f64(1.0 - limits::RETRY_JITTER + 2.0 * limits::RETRY_JITTER * random.clamp(0.0, 1.0))
}

/// The time of the next try after the `tries`-th failed one at `now`.
pub fn next_try(tries: u32, now: Timestamp, queue: &QueueConfig, random: f64) -> Timestamp {
    now.saturating_add(wait_after(tries, queue, random)).unwrap_or(Timestamp::MAX)
}

/// A message taken in at `taken_in` is no longer tried at `now`.
pub fn is_given_up(taken_in: Timestamp, now: Timestamp, queue: &QueueConfig) -> bool {
    taken_in <= give_up_before(now, queue)
}

/// What was taken in at this time or before is given up at `now`.
pub fn give_up_before(now: Timestamp, queue: &QueueConfig) -> Timestamp {
    now.saturating_sub(queue.give_up).unwrap_or(Timestamp::MIN)
}

/// What is known of the smarthost.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Destination {
    outage: Option<Outage>,
}

/// Whether the smarthost may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// As much as the limits allow.
    Open,
    /// By one message.
    Probe,
    /// Not before this time.
    Closed(Timestamp),
}

impl Destination {
    /// As it was kept when the gateway ended. No wait is longer than one that begins now would be.
    pub fn kept(outage: Option<Outage>, now: Timestamp, queue: &QueueConfig) -> Self {
        let outage = outage.map(|outage| Outage {
            until: outage.until.min(next_try(outage.failures, now, queue, 1.0)),
            failed_at: outage.failed_at.min(now),
            ..outage
        });
        Self { outage }
    }

    /// What is to be kept of it.
    pub fn outage(&self) -> Option<Outage> {
        self.outage
    }

    /// Whether it may be tried at `now`.
    pub fn admission(&self, now: Timestamp) -> Admission {
        match self.outage {
            None => Admission::Open,
            Some(outage) if outage.until <= now => Admission::Probe,
            Some(outage) => Admission::Closed(outage.until),
        }
    }

    /// It could not be used: gives the time of the next probe, and whether that is news. Tries that were under way
    /// together count once.
    pub fn failed(&mut self, now: Timestamp, queue: &QueueConfig, random: f64) -> (Timestamp, bool) {
        let failures = match self.outage {
            Some(outage) if outage.until > now => return (outage.until, false),
            Some(outage) => outage.failures,
            None => 0,
        };
        let news = self.outage.is_none();
        let failures = failures.saturating_add(1);
        let until = next_try(failures, now, queue, random);
        self.outage = Some(Outage { failures, failed_at: now, until });
        (until, news)
    }

    /// A person asked at `at` that mail be tried at once: what failed since is an answer, otherwise it is probed.
    pub fn asked(&mut self, at: Timestamp) {
        if let Some(outage) = &mut self.outage
            && at > outage.failed_at
        {
            outage.until = outage.until.min(at);
        }
    }

    /// It answered. Says whether that is news.
    pub fn reached(&mut self) -> bool {
        std::mem::take(self).outage.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;

    fn queue() -> QueueConfig {
        let retry = crate::limits::RETRY_MINUTES.iter().map(|m| Duration::from_secs(m * MINUTE)).collect();
        QueueConfig {
            retry,
            give_up: Duration::from_secs(crate::limits::GIVE_UP_HOURS * 3_600),
            delay_notice: Duration::from_secs(crate::limits::DELAY_NOTICE_HOURS * 3_600),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Relay checklist, row 100.
    #[test]
    fn waits_grow_to_thirty_minutes_and_stay_there() {
        for (tries, minutes) in [(0, 1), (1, 1), (2, 2), (3, 5), (4, 10), (5, 20), (6, 30), (7, 30), (1_000, 30)] {
            assert_eq!(next_try(tries, at(1_000), &queue(), 0.5), at(1_000 + minutes * 60), "after {tries} tries");
        }
    }

    /// Relay checklist, row 100.
    #[test]
    fn jitter_stays_within_a_tenth() {
        for (random, seconds) in [(0.0, 1_620.0), (0.25, 1_710.0), (1.0, 1_980.0), (7.0, 1_980.0), (-1.0, 1_620.0)] {
            let wait = wait_after(6, &queue(), random).as_secs_f64();
            assert!((wait - seconds).abs() < 0.01, "{random}: {wait}");
        }
    }

    #[test]
    fn mail_is_given_up_at_five_days_and_not_before() {
        let five_days = 5 * 24 * 3_600;
        for (age, given_up) in [(0, false), (five_days - 1, false), (five_days, true), (five_days + 1, true)] {
            assert_eq!(is_given_up(at(0), at(age), &queue()), given_up, "{age} s");
        }
    }

    #[test]
    fn a_dead_smarthost_is_probed_by_one() {
        let mut destination = Destination::default();
        assert_eq!(destination.admission(at(0)), Admission::Open);
        assert_eq!(destination.failed(at(0), &queue(), 0.5), (at(60), true));
        assert_eq!(destination.failed(at(1), &queue(), 0.5), (at(60), false), "tried at the same time: counted once");
        assert_eq!(destination.admission(at(59)), Admission::Closed(at(60)));
        assert_eq!(destination.admission(at(60)), Admission::Probe);
        assert_eq!(destination.failed(at(60), &queue(), 0.5), (at(180), false), "the same outage");
        assert!(destination.reached());
        assert_eq!(destination.admission(at(61)), Admission::Open);
        assert!(!destination.reached());
        assert_eq!(destination.failed(at(100), &queue(), 0.5), (at(160), true), "it starts anew");
    }

    #[test]
    fn a_person_may_have_a_dead_smarthost_probed_at_once() {
        let mut destination = Destination::default();
        destination.asked(at(1));
        assert_eq!(destination, Destination::default(), "there is nothing to probe");
        destination.failed(at(10), &queue(), 0.5);
        destination.asked(at(9));
        assert_eq!(destination.admission(at(20)), Admission::Closed(at(70)), "it failed since");
        destination.asked(at(15));
        assert_eq!(destination.admission(at(20)), Admission::Probe);
        assert_eq!(destination.failed(at(20), &queue(), 0.5), (at(140), false));
        destination.asked(at(15));
        assert_eq!(destination.admission(at(21)), Admission::Closed(at(140)), "asked once, probed once");
    }

    /// Relay checklist, row 100.
    #[test]
    fn an_outage_lasts_over_a_restart_but_no_wait_outgrows_its_schedule() {
        let mut before = Destination::default();
        for second in [0, 100, 300] {
            before.failed(at(second), &queue(), 0.5);
        }
        let after = Destination::kept(before.outage(), at(310), &queue());
        assert_eq!(after, before);
        // The clock was put back by a day.
        let early = Destination::kept(before.outage(), at(-86_400), &queue());
        assert_eq!(early.admission(at(-86_400)), Admission::Closed(at(-86_400 + 330)));
        assert_eq!(Destination::kept(None, at(0), &queue()), Destination::default());
    }
}
