//! When a school is at work, and what that makes of a deadline. Pure: no clock but the time that is given.
//!
//! Knows days, hours and holidays; never knows mail or the store. Time is counted on school days alone: each gives its 24
//! hours (23 or 25 where summer time begins or ends on one), every other day gives none. A deadline always falls inside
//! school hours: what would end at night ends when the school opens next. Warnings come inside school hours too, and before
//! the end.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::limits;

/// The days and hours of a school, and how long a decision may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolTime {
    /// School days of the week, from Monday.
    pub days: [bool; 7],
    /// When it opens.
    pub opens: Time,
    /// When it closes; later than it opens.
    pub closes: Time,
    /// Where it is.
    pub zone: TimeZone,
    /// Holidays: first and last day of each.
    pub holidays: Vec<(Date, Date)>,
    /// Hours of school days in which a held message is to be decided on.
    pub decide_within_hours: u32,
    /// Hours of a school day at which a digest goes; with none, each held message is told of at once.
    pub digest_at: Vec<Time>,
}

/// What is due on a held message, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Half of the time is over: its deciders are reminded.
    pub remind_at: Timestamp,
    /// Three quarters are over: the next rung of the ladder is told.
    pub escalate_at: Timestamp,
    /// The end: it goes back to its sender.
    pub due_at: Timestamp,
}

/// British time, written out so that it does not hang on the machine's files (SI 2002/262: last Sundays, 01:00 UTC).
pub fn london() -> TimeZone {
    TimeZone::posix("GMT0BST,M3.5.0/1,M10.5.0/2").unwrap_or(TimeZone::UTC)
}

/// `Friday 2 October 2026 at 16:31`, in the local time of this zone.
pub fn in_words(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%A %-d %B %Y at %H:%M").to_string()
}

/// What is left of a time that ends at `ends`, in whole hours of the clock: `41 hours are left`, `Less than an hour is left`;
/// nothing once it is over.
pub fn left_in_words(ends: Timestamp, now: Timestamp) -> Option<String> {
    let left = ends.duration_since(now);
    match left.as_hours() {
        _ if left <= jiff::SignedDuration::ZERO => None,
        0 => Some("Less than an hour is left".to_owned()),
        1 => Some("1 hour is left".to_owned()),
        hours => Some(format!("{hours} hours are left")),
    }
}

impl Default for SchoolTime {
    fn default() -> Self {
        Self {
            days: [true, true, true, true, true, false, false],
            opens: Time::constant(8, 0, 0, 0),
            closes: Time::constant(16, 30, 0, 0),
            zone: london(),
            holidays: Vec::new(),
            decide_within_hours: limits::DECIDE_WITHIN_HOURS,
            digest_at: vec![Time::constant(8, 30, 0, 0), Time::constant(13, 0, 0, 0)],
        }
    }
}

impl SchoolTime {
    /// A day of the week on which there is school, and no holiday.
    pub fn is_school_day(&self, day: Date) -> bool {
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        self.days.get(weekday).copied().unwrap_or_default()
            && !self.holidays.iter().any(|(first, last)| (*first..=*last).contains(&day))
    }

    /// Somebody may be expected at a desk.
    pub fn is_school_time(&self, at: Timestamp) -> bool {
        let at = at.to_zoned(self.zone.clone());
        self.is_school_day(at.date()) && (self.opens..self.closes).contains(&at.time())
    }

    /// What is due on a message that is held from `held_at` on.
    pub fn plan(&self, held_at: Timestamp) -> Plan {
        let seconds = i64::from(self.decide_within_hours) * 3_600;
        let due_at = self.opening(self.counted(held_at, seconds));
        // In time for somebody to act on it: rather the evening before than together with what comes after.
        let warning = |seconds, before: Timestamp| {
            let at = self.counted(held_at, seconds);
            let next = self.opening(at);
            if next.saturating_add(limits::WARNING_MINUTES.minutes()).unwrap_or(before) < before {
                next
            } else {
                self.closing_before(at).max(held_at)
            }
        };
        let escalate_at = warning(seconds / 4 * 3, due_at);
        Plan { remind_at: warning(seconds / 2, escalate_at), escalate_at, due_at }
    }

    /// The end for somebody who is told late, at `told_at`: a quarter of the time, counted from when the school is open.
    pub fn last_quarter(&self, told_at: Timestamp) -> Timestamp {
        self.opening(self.counted(self.opening(told_at), i64::from(self.decide_within_hours) * 3_600 / 4))
    }

    /// The first time of a digest after `after`; nothing where there are none.
    pub fn next_digest(&self, after: Timestamp) -> Option<Timestamp> {
        let mut day = after.to_zoned(self.zone.clone()).date();
        for _ in 0..limits::SCHOOL_DAYS_LOOK {
            if self.is_school_day(day) {
                let next = self.digest_at.iter().map(|time| self.at(day, *time)).filter(|at| *at > after).min();
                if next.is_some() {
                    return next;
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The school days of a week: `Monday to Friday`, `Monday, Tuesday and Thursday`.
    pub fn days_in_words(&self) -> String {
        let days: Vec<usize> =
            (0..NAMES.len()).filter(|&day| self.days.get(day).copied().unwrap_or_default()).collect();
        let name = |day: &usize| {
            let mut name = NAMES[*day].to_owned();
            name[..1].make_ascii_uppercase();
            name
        };
        match days.as_slice() {
            [] => "no day".to_owned(),
            [one] => name(one),
            [first, .., last] if days.len() > 2 && last - first + 1 == days.len() => {
                format!("{} to {}", name(first), name(last))
            }
            [first @ .., last] => {
                format!("{} and {}", first.iter().map(name).collect::<Vec<_>>().join(", "), name(last))
            }
        }
    }

    /// The first day of a stretch of more than [`limits::HOLIDAY_LONGEST_DAYS`] without school, where there is one.
    pub fn endless(&self) -> Option<Date> {
        self.holidays.iter().map(|(first, _)| *first).find(|first| {
            let mut day = *first;
            for _ in 0..=limits::HOLIDAY_LONGEST_DAYS {
                if self.is_school_day(day) {
                    return false;
                }
                day = day.saturating_add(1.day());
            }
            true
        })
    }

    /// `seconds` of school days after `from`. What ends with a school day ends as the next one begins.
    fn counted(&self, from: Timestamp, seconds: i64) -> Timestamp {
        let (mut at, mut left) = (from, seconds);
        for _ in 0..limits::SCHOOL_DAYS_LOOK {
            let day = at.to_zoned(self.zone.clone()).date();
            let Some(end) = day.tomorrow().ok().map(|next| self.at(next, Time::midnight())) else { break };
            if self.is_school_day(day) {
                let here = end.as_second().saturating_sub(at.as_second());
                if left < here {
                    return at.saturating_add(left.seconds()).unwrap_or(end);
                }
                left -= here;
            }
            at = end;
        }
        at
    }

    /// `at`, where it is in school time; otherwise when the school opens next.
    pub fn opening(&self, at: Timestamp) -> Timestamp {
        if self.is_school_time(at) {
            return at;
        }
        let mut day = at.to_zoned(self.zone.clone()).date();
        for _ in 0..limits::SCHOOL_DAYS_LOOK {
            let opens = self.at(day, self.opens);
            if self.is_school_day(day) && opens >= at {
                return opens;
            }
            day = day.saturating_add(1.day());
        }
        at
    }

    /// When the school last closed before `at`.
    fn closing_before(&self, at: Timestamp) -> Timestamp {
        let mut day = at.to_zoned(self.zone.clone()).date();
        for _ in 0..limits::SCHOOL_DAYS_LOOK {
            let closes = self.at(day, self.closes);
            if self.is_school_day(day) && closes <= at {
                return closes;
            }
            day = day.saturating_sub(1.day());
        }
        at
    }

    /// An hour of a day here; one that summer time leaves out is an hour later.
    fn at(&self, day: Date, time: Time) -> Timestamp {
        day.to_datetime(time).to_zoned(self.zone.clone()).map_or(Timestamp::MAX, |zoned: Zoned| zoned.timestamp())
    }
}

const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A day of the week by its English name, whole or its first three letters.
pub fn weekday(word: &str) -> Option<Weekday> {
    let word = word.trim().to_lowercase();
    let found = NAMES.iter().position(|name| *name == word || (word.len() == 3 && name.starts_with(&word)))?;
    Weekday::from_monday_zero_offset(i8::try_from(found).ok()?).ok()
}

#[cfg(test)]
mod tests;
