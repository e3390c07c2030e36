//! The days, hours and deadlines of `[review]`, checked.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use toml::Spanned;

use super::check::Check;
use super::file::RawReview;
use crate::limits;
use crate::school_time::{SchoolTime, london, weekday};

impl Check<'_> {
    /// What the section says, the defaults for what it does not say. Without it nothing is put off to a digest: only the
    /// letter about each message tells how to decide on it by command.
    pub(super) fn school_time(&mut self, raw: Option<&Spanned<RawReview>>) -> SchoolTime {
        let mut times = SchoolTime::default();
        let Some(raw) = raw.map(Spanned::as_ref) else {
            times.digest_at.clear();
            return times;
        };
        if let Some(days) = &raw.school_days {
            times.days = [false; 7];
            for day in days.as_ref() {
                let parsed = weekday(day.as_ref());
                if let Some(day) = self.parsed("review.school_days", "day of the week, as Monday", day, parsed)
                    && let Some(is) =
                        times.days.get_mut(usize::try_from(day.to_monday_zero_offset()).unwrap_or_default())
                {
                    *is = true;
                }
            }
            if days.as_ref().is_empty() {
                self.wrong(days, "review.school_days: name at least one day: what is held waits for a school day");
            }
        }
        if let Some(text) = &raw.school_hours {
            let parsed = text.as_ref().split_once('-').and_then(|(from, to)| Some((clock(from)?, clock(to)?)));
            let parsed = parsed.filter(|(opens, closes)| opens < closes);
            if let Some((opens, closes)) =
                self.parsed("review.school_hours", "hours of a day, as 08:00-16:30", text, parsed)
            {
                (times.opens, times.closes) = (opens, closes);
            }
        }
        if let Some(text) = &raw.time_zone {
            let wanted = "time zone of this machine, as Europe/London";
            times.zone = self.parsed("review.time_zone", wanted, text, zone(text.as_ref())).unwrap_or_else(london);
        }
        if let Some(text) = raw.holidays.get(limits::HOLIDAYS) {
            self.wrong(text, format!("review.holidays: more than {} entries", limits::HOLIDAYS));
        }
        let mut places = Vec::new();
        for text in raw.holidays.iter().take(limits::HOLIDAYS) {
            let wanted = "date or range of dates, as 2026-12-25 or 2026-10-26 to 2026-10-30";
            if let Some(holiday) = self.parsed("review.holidays", wanted, text, holiday(text.as_ref())) {
                times.holidays.push(holiday);
                places.push((holiday.0, text));
            }
        }
        // Without a school day nothing is a holiday either, and that was said.
        if times.days != [false; 7]
            && let Some(first) = times.endless()
            && let Some((_, text)) = places.iter().find(|(day, _)| *day == first)
        {
            self.wrong(
                text,
                format!(
                    "review.holidays: from {first} on there is no school day for more than {} days, and what is held would \
                     wait as long",
                    limits::HOLIDAY_LONGEST_DAYS
                ),
            );
        }
        let hours = usize::try_from(limits::DECIDE_WITHIN_HOURS).unwrap_or(limits::DECIDE_WITHIN_FEWEST);
        let range = limits::DECIDE_WITHIN_FEWEST..=limits::DECIDE_WITHIN_MOST;
        let hours = self.number("review.decide_within_hours", raw.decide_within_hours.clone(), hours, range);
        times.decide_within_hours = u32::try_from(hours).unwrap_or(limits::DECIDE_WITHIN_HOURS);
        if let Some(digests) = &raw.digest_at {
            times.digest_at.clear();
            for text in digests {
                times.digest_at.extend(self.parsed(
                    "review.digest_at",
                    "time of day, as 08:30",
                    text,
                    clock(text.as_ref()),
                ));
            }
        }
        times
    }
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// British time is known here; others are looked up on the machine.
fn zone(name: &str) -> Option<TimeZone> {
    if name == "Europe/London" { Some(london()) } else { TimeZone::get(name).ok() }
}

fn holiday(text: &str) -> Option<(Date, Date)> {
    let (first, last) = text.split_once(" to ").unwrap_or((text, text));
    let (first, last) = (first.trim().parse::<Date>().ok()?, last.trim().parse::<Date>().ok()?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;
    use crate::school_time::SchoolTime;

    fn of(review: &str) -> Result<SchoolTime, String> {
        let rest = "[school]\nname = \"Saltmere\"\ndomains = [\"saltmere.example\"]\n[directory]\npupils = \"p.csv\"\n";
        let url = "[review]\npublic_url = \"https://desk.saltmere.example\"\n";
        let parsed = Config::parse(Path::new("x.toml"), &format!("{rest}{url}{review}"));
        parsed.map(|config| config.school_time).map_err(|e| e.to_string())
    }

    #[test]
    fn the_school_says_when_it_is_at_work() {
        assert_eq!(of(""), Ok(SchoolTime::default()));
        let own = of("school_days = [\"Sunday\", \"mon\"]\nschool_hours = \"07:30 - 15:00\"\ntime_zone = \"Europe/London\"\n\
                      holidays = [\"2026-12-25\", \"2026-10-26 to 2026-10-30\"]\ndecide_within_hours = 24\ndigest_at = []\n")
        .expect("sound");
        assert_eq!(own.days, [true, false, false, false, false, false, true]);
        assert_eq!((own.opens.to_string(), own.closes.to_string()), ("07:30:00".to_owned(), "15:00:00".to_owned()));
        assert_eq!((own.holidays.len(), own.decide_within_hours, own.digest_at.len()), (2, 24, 0));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (review, words) in [
            ("school_days = [\"Mon\", \"Frieday\"]", "x.toml:8:23: review.school_days: `Frieday` is no day"),
            ("school_days = []", "8:15: review.school_days: name at least one"),
            ("school_hours = \"16:30-08:00\"", "8:16: review.school_hours: `16:30-08:00` is no hours"),
            ("school_hours = \"8-16\"", "review.school_hours"),
            ("time_zone = \"Europe/Lundun\"", "8:13: review.time_zone: `Europe/Lundun` is no time zone"),
            ("holidays = [\"2026-02-29\"]", "8:13: review.holidays: `2026-02-29` is no date"),
            ("holidays = [\"2026-10-30 to 2026-10-26\"]", "is no date or range"),
            (
                "holidays = [\"2026-10-26 to 9999-12-31\"]",
                "8:13: review.holidays: from 2026-10-26 on there is no school day",
            ),
            ("decide_within_hours = 2", "8:23: review.decide_within_hours: wants a number from 24"),
            ("keep_returned_hours = 0", "8:23: review.keep_returned_hours: wants a number from 1 to 336"),
            ("digest_at = [\"08:30\", \"25:00\"]", "8:23: review.digest_at: `25:00` is no time of day"),
        ] {
            let told = of(review).expect_err(review);
            assert!(told.contains(words), "{review}: {told}");
        }
    }
}
