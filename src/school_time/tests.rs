use super::*;

/// A local time in London.
fn at(text: &str) -> Timestamp {
    text.parse::<jiff::civil::DateTime>().unwrap().to_zoned(london()).unwrap().timestamp()
}

fn said(at: Timestamp) -> String {
    at.to_zoned(london()).strftime("%a %Y-%m-%d %H:%M").to_string()
}

fn days(first: &str, last: &str) -> (Date, Date) {
    (first.parse().unwrap(), last.parse().unwrap())
}

/// A year with its holidays.
fn school() -> SchoolTime {
    let holidays = [
        ("2026-10-26", "2026-10-30"),
        ("2026-12-21", "2027-01-01"),
        ("2028-02-21", "2028-02-25"),
        ("2026-05-04", "2026-05-04"),
    ];
    SchoolTime { holidays: holidays.map(|(first, last)| days(first, last)).into(), ..SchoolTime::default() }
}

#[test]
fn a_terms_timetable() {
    let school = school();
    for (held, remind, escalate, due) in [
        // The plain case: the same time of day, two school days later.
        ("2026-10-05T10:00", "Tue 2026-10-06 10:00", "Wed 2026-10-07 08:00", "Wed 2026-10-07 10:00"),
        ("2026-10-05T14:05", "Tue 2026-10-06 14:05", "Wed 2026-10-07 08:00", "Wed 2026-10-07 14:05"),
        // Over a weekend, and on it.
        ("2026-10-08T14:05", "Fri 2026-10-09 14:05", "Mon 2026-10-12 08:00", "Mon 2026-10-12 14:05"),
        ("2026-10-09T10:00", "Mon 2026-10-12 10:00", "Tue 2026-10-13 08:00", "Tue 2026-10-13 10:00"),
        ("2026-10-09T18:00", "Mon 2026-10-12 16:30", "Tue 2026-10-13 08:00", "Wed 2026-10-14 08:00"),
        ("2026-10-10T12:00", "Tue 2026-10-13 08:00", "Tue 2026-10-13 12:00", "Wed 2026-10-14 08:00"),
        // What ends with Friday ends on Monday.
        ("2026-10-08T00:00", "Fri 2026-10-09 08:00", "Fri 2026-10-09 12:00", "Mon 2026-10-12 08:00"),
        // Before the school opens: the last warning comes the evening before the end.
        ("2026-10-05T06:00", "Tue 2026-10-06 08:00", "Tue 2026-10-06 16:30", "Wed 2026-10-07 08:00"),
        // A minute before the end is no warning.
        ("2026-10-05T08:01", "Tue 2026-10-06 08:01", "Tue 2026-10-06 16:30", "Wed 2026-10-07 08:01"),
        // Half term, in which summer time ends.
        ("2026-10-23T10:00", "Mon 2026-11-02 10:00", "Tue 2026-11-03 08:00", "Tue 2026-11-03 10:00"),
        // Summer time begins on Sunday 29 March and ends on Sunday 25 October: the time of day stays.
        ("2026-03-27T10:00", "Mon 2026-03-30 10:00", "Tue 2026-03-31 08:00", "Tue 2026-03-31 10:00"),
        ("2025-10-24T10:00", "Mon 2025-10-27 10:00", "Tue 2025-10-28 08:00", "Tue 2025-10-28 10:00"),
        // A bank holiday, and the year's end.
        ("2026-05-01T10:00", "Tue 2026-05-05 10:00", "Wed 2026-05-06 08:00", "Wed 2026-05-06 10:00"),
        ("2026-12-18T15:00", "Mon 2027-01-04 15:00", "Tue 2027-01-05 08:00", "Tue 2027-01-05 15:00"),
        // A leap day.
        ("2028-02-28T10:00", "Tue 2028-02-29 10:00", "Wed 2028-03-01 08:00", "Wed 2028-03-01 10:00"),
    ] {
        let plan = school.plan(at(held));
        let got = [plan.remind_at, plan.escalate_at, plan.due_at].map(said);
        assert_eq!(got, [remind, escalate, due], "held {held}");
    }
}

#[test]
fn who_is_told_late_has_a_quarter_of_the_time() {
    let school = school();
    for (told, end) in [
        ("2026-10-05T10:00", "Tue 2026-10-06 08:00"),
        ("2026-10-05T19:00", "Wed 2026-10-07 08:00"),
        ("2026-10-09T18:00", "Tue 2026-10-13 08:00"),
        ("2026-10-24T12:00", "Tue 2026-11-03 08:00"),
    ] {
        assert_eq!(said(school.last_quarter(at(told))), end, "told {told}");
    }
}

#[test]
fn a_school_day_gives_the_hours_that_it_has() {
    // A school that is open on Sundays: that of 25 October 2026 has 25 hours, that of 29 March 23.
    let school = SchoolTime { days: [true; 7], opens: Time::midnight(), closes: Time::MAX, ..SchoolTime::default() };
    assert_eq!(said(school.plan(at("2026-10-24T10:00")).due_at), "Mon 2026-10-26 09:00");
    assert_eq!(said(school.plan(at("2026-03-28T10:00")).due_at), "Mon 2026-03-30 11:00");
}

#[test]
fn warnings_come_in_order_and_everything_in_school_time() {
    let begin = at("2026-09-01T00:07");
    for hours in [24, 48, 100] {
        let school = SchoolTime { decide_within_hours: hours, ..school() };
        for step in 0..2_000 {
            let held = begin + (step * 97).minutes();
            let Plan { remind_at, escalate_at, due_at } = school.plan(held);
            assert!(held <= remind_at && remind_at <= escalate_at && escalate_at < due_at, "{held} within {hours}");
            assert!(school.is_school_time(due_at), "{held} within {hours}");
            let left = due_at.duration_since(escalate_at).as_mins();
            assert!(left >= limits::WARNING_MINUTES, "{held} within {hours}: {left} minutes are left");
        }
    }
}

#[test]
fn school_time_begins_and_ends() {
    let school = school();
    for (time, is) in [
        ("2026-10-05T07:59", false),
        ("2026-10-05T08:00", true),
        ("2026-10-05T16:29", true),
        ("2026-10-05T16:30", false),
        ("2026-10-10T10:00", false),
        ("2026-10-26T10:00", false),
        ("2026-10-30T10:00", false),
        ("2026-11-02T10:00", true),
    ] {
        assert_eq!(school.is_school_time(at(time)), is, "{time}");
    }
}

#[test]
fn digests_go_on_school_days() {
    let school = school();
    for (after, next) in [
        ("2026-10-05T07:00", Some("Mon 2026-10-05 08:30")),
        ("2026-10-05T08:30", Some("Mon 2026-10-05 13:00")),
        ("2026-10-05T13:00", Some("Tue 2026-10-06 08:30")),
        ("2026-10-09T13:00", Some("Mon 2026-10-12 08:30")),
        ("2026-10-23T13:00", Some("Mon 2026-11-02 08:30")),
    ] {
        assert_eq!(school.next_digest(at(after)).map(said).as_deref(), next, "{after}");
    }
    let never = SchoolTime { digest_at: Vec::new(), ..school };
    assert_eq!(never.next_digest(at("2026-10-05T07:00")), None);
}

#[test]
fn a_holiday_without_end_is_found_and_ends_a_count() {
    assert_eq!(school().endless(), None);
    // Together they leave no school day for half a year.
    let holidays = vec![days("2026-07-01", "2026-09-30"), days("2026-10-01", "2026-12-31")];
    let school = SchoolTime { holidays, ..SchoolTime::default() };
    assert_eq!(school.endless(), Some("2026-07-01".parse().unwrap()));
    let for_ever = SchoolTime { holidays: vec![days("2026-01-01", "9999-12-31")], ..SchoolTime::default() };
    let plan = for_ever.plan(at("2026-10-05T10:00"));
    assert!(plan.due_at > at("2027-10-05T10:00"), "bounded, and not at once");
    assert_eq!(for_ever.next_digest(at("2026-10-05T10:00")), None);
}

#[test]
fn days_have_names() {
    for (word, day) in [("Monday", Some(Weekday::Monday)), ("sun", Some(Weekday::Sunday)), ("Mo", None), ("", None)] {
        assert_eq!(weekday(word), day, "{word}");
    }
}

#[test]
fn the_days_of_a_week_in_words() {
    let days = |wanted: &[usize]| {
        let mut days = [false; 7];
        wanted.iter().for_each(|&day| days[day] = true);
        SchoolTime { days, ..SchoolTime::default() }.days_in_words()
    };
    for (wanted, words) in [
        (&[0, 1, 2, 3, 4][..], "Monday to Friday"),
        (&[0, 1, 3], "Monday, Tuesday and Thursday"),
        (&[5, 6], "Saturday and Sunday"),
        (&[2], "Wednesday"),
        (&[], "no day"),
    ] {
        assert_eq!(days(wanted), words);
    }
}
