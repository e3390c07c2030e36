//! Values as pages print them: times in the school's own, counts and kinds in words.

use jiff::{Timestamp, Zoned};
use serde::Serialize;

use crate::people::RecipientKind;
use crate::store::HeldLine;

/// Values that templates print as they serialise.
macro_rules! printed {
    ($($kind:ty),* $(,)?) => {
        $(impl ::std::convert::From<$kind> for minijinja::Value {
            fn from(value: $kind) -> Self {
                Self::from(minijinja::value::Serde(value))
            }
        })*
    };
}
pub(super) use printed;

printed!(Trouble, Time, Row);

/// What is wrong with a form, and at which field.
#[derive(Debug, Clone, Serialize)]
pub struct Trouble {
    field: Option<&'static str>,
    words: String,
}

impl Trouble {
    /// At a field.
    pub fn at(field: &'static str, words: String) -> Self {
        Self { field: Some(field), words }
    }
}

/// A time: how it is said, and exactly.
#[derive(Debug, Clone, Serialize)]
pub struct Time {
    words: String,
    exact: String,
}

/// `at` as somebody says it at `now`, in the time of that place: "today 14:05", "yesterday 09:30", "Tue 3 November, 16:20".
pub fn time(at: Timestamp, now: &Zoned) -> Time {
    let at = at.to_zoned(now.time_zone().clone());
    let words = if at.date() == now.date() {
        at.strftime("today %H:%M")
    } else if now.date().yesterday().is_ok_and(|yesterday| yesterday == at.date()) {
        at.strftime("yesterday %H:%M")
    } else if at.year() == now.year() {
        at.strftime("%a %-d %B, %H:%M")
    } else {
        at.strftime("%-d %B %Y, %H:%M")
    };
    Time { words: words.to_string(), exact: at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string() }
}

/// The same as text alone.
pub fn said(at: Timestamp, now: &Zoned) -> String {
    time(at, now).words
}

/// The end of a day written as 2026-11-17, from today on and at most so many days ahead.
pub fn end_of_day(day: &str, now: &Zoned, most: u32) -> Option<Timestamp> {
    let day: jiff::civil::Date = day.trim().parse().ok()?;
    let today = now.date();
    let last = today.checked_add(jiff::Span::new().days(i64::from(most))).ok()?;
    if day < today || day > last {
        return None;
    }
    Some(day.tomorrow().ok()?.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

/// The day so many days ahead, as a form's field for a day holds it.
pub fn day_ahead(now: &Zoned, days: u32) -> String {
    now.date().saturating_add(jiff::Span::new().days(i64::from(days))).to_string()
}

/// The last day of what holds before `until`: "24 March 2027".
pub fn last_day(until: Timestamp, now: &Zoned) -> String {
    let last = until.saturating_sub(jiff::Span::new().seconds(1)).unwrap_or(until);
    last.to_zoned(now.time_zone().clone()).strftime("%-d %B %Y").to_string()
}

/// Midnight of this week's Monday.
pub fn week_begins(now: &Zoned) -> Timestamp {
    let back = i64::from(now.weekday().to_monday_zero_offset());
    let monday = now.date().saturating_sub(jiff::Span::new().days(back));
    monday.to_zoned(now.time_zone().clone()).map_or(now.timestamp(), |monday| monday.timestamp())
}

/// How many, in words that fit: "1 pupil", "3 pupils".
pub fn count(many: u32, one: &str, more: &str) -> String {
    if many == 1 { format!("1 {one}") } else { format!("{many} {more}") }
}

/// A kind of recipient, as the list says it.
pub fn kind(word: &str) -> &str {
    match RecipientKind::of_word(word) {
        Some(kind) => kind.listed(),
        // Of a program that knows more kinds.
        None => word,
    }
}

/// The kinds that a list can be filtered by, in the order of the form.
pub const KINDS: [RecipientKind; RecipientKind::ALL.len()] = [
    RecipientKind::Guardian,
    RecipientKind::Personal,
    RecipientKind::StaffPersonal,
    RecipientKind::Trusted,
    RecipientKind::Contact,
    RecipientKind::External,
    RecipientKind::Disposable,
    RecipientKind::Lookalike,
    RecipientKind::Internal,
];

/// What was decided, in a word.
pub fn decision(word: &str) -> &str {
    match word {
        "released" => "sent on",
        "released-in-part" => "sent to some",
        "returned" => "returned to the sender",
        "discarded" => "discarded",
        other => other,
    }
}

/// A line of the list.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    id: String,
    headline: String,
    breach: bool,
    sealed: bool,
    from: String,
    to: String,
    held: Time,
    due: Option<Time>,
    decided: Option<String>,
}

/// One line of the list for a page.
pub fn row(line: &HeldLine, now: &Zoned) -> Row {
    let whom =
        if line.pupils == 0 { String::new() } else { format!(" about {}", count(line.pupils, "pupil", "pupils")) };
    let kinds: Vec<&str> = line.kinds.iter().map(|word| kind(word)).collect();
    let to = match (&line.to, line.recipients) {
        (None, _) => "nobody".to_owned(),
        (Some(address), 0 | 1) => address.to_string(),
        (Some(address), many) => format!("{address} and {}", count(many - 1, "other", "others")),
    };
    let headline = if kinds.is_empty() { format!("Mail{whom}") } else { format!("Mail{whom} to {}", kinds.join(", ")) };
    Row {
        id: line.id.to_string(),
        headline,
        breach: line.breach,
        sealed: line.sealed,
        from: line.mail_from.as_ref().map_or_else(|| "the mail system".to_owned(), ToString::to_string),
        to,
        held: time(line.held_at, now),
        due: line.due_at.map(|due| time(due, now)),
        decided: line.decided.as_ref().map(|decided| {
            format!("{} by {}, {}", decision(&decided.decision), decided.by, time(decided.at, now).words)
        }),
    }
}

/// An event of the record, in words.
pub fn event(word: &str) -> &str {
    match word {
        "accepted" => "came in",
        "decided" => "was looked at",
        "held" => "was held",
        "released" => "was sent on",
        "returned" => "was returned to the sender",
        "discarded" => "was discarded",
        "came-too-late" => "was decided on by somebody after it had been decided",
        "retried" => "was tried again",
        "delivered" => "was delivered",
        "deferred" => "could not be delivered yet",
        "failed" => "could not be delivered",
        "waits" => "waits before it leaves",
        "sent-now" => "was sent on at once by its sender",
        "delay-told" => "takes longer: its sender was told",
        "withdrawn" => "was not sent: it was no longer true",
        "inspection-failed" => "could not be looked at",
        "damaged" => "was found damaged",
        "recovered" => "was taken up again after a restart",
        "viewed" => "was opened",
        "opened" => "was opened",
        "viewed-again" => "was looked at again",
        "opening-asked" => "was asked to be opened",
        "opening-approved" => "was opened to somebody by the chair",
        "reminded" => "was called to mind: its time is half over",
        "escalated" => "was put to the next in line",
        "put-off" => "was given more time, because it cannot go back",
        "allowed" => "was allowed from now on",
        "allowance-ended" => "is no longer allowed from now on",
        "exempted" => "exempted a sender from a rule",
        "exemption-ended" => "ended an exemption",
        "journalled" => "left; a copy is kept",
        "journal-ended" => "was kept for its time: the copy was erased",
        "legal-hold" => "forbade that mail is erased (a legal hold)",
        "legal-hold-ended" => "ended a legal hold",
        "searched" => "looked for kept mail",
        "incident-opened" => "opened an incident",
        "incident-written" => "wrote on an incident",
        "incident-aware" => "said since when the school is aware of a breach",
        "incident-closed" => "closed an incident",
        "incident-reminded" => "reminded of the 72 hours of an incident",
        "incident-seen" => "looked at an incident",
        "incidents-exported" => "took incidents away",
        "mode-proposed" => "proposed another mode for a rule",
        "mode-approved" => "approved another mode for a rule",
        "mode-put" => "put another mode of a rule in force",
        "mode-dropped" => "dropped a mode that was proposed for a rule",
        "disclosure-asked" => "asked for a disclosure",
        "disclosure-approved" => "approved a disclosure",
        "disclosure-refused" => "refused a disclosure",
        "disclosure-left-out" => "left a message out of a disclosure",
        "disclosure-taken-in" => "took a message into a disclosure again",
        "disclosure-seen" => "looked at a request for disclosure",
        "disclosed" => "was handed over in a disclosure",
        "disclosure-exported" => "took a disclosure away",
        "evidence-exported" => "was taken away as evidence",
        "personal-use-seen" => "looked at the report on personal use",
        "forgotten" => "was erased after its time",
        "erased" => "was kept no longer: its content was erased",
        "noted" => "was given a note by its sender",
        "answer-ignored" => "was answered to no effect",
        "answer-not-understood" => "was answered by its sender in words that ask for nothing possible",
        "account-created" => "made an account",
        "account-roles" => "changed what somebody may do",
        "account-reset" => "gave somebody a new link to sign up",
        "account-disabled" => "closed an account",
        "account-enabled" => "opened an account again",
        "sender-created" => "made an account that may sign in to send",
        "sender-password" => "gave an account that signs in to send another password",
        "sender-senders" => "changed as whom an account that signs in may send",
        "sender-disabled" => "closed an account that signs in to send",
        "sender-enabled" => "opened an account that signs in to send again",
        "sender-removed" => "removed an account that signed in to send",
        "signed-up" => "signed up",
        "signed-in" => "signed in",
        "signed-out" => "signed out",
        "sign-in-failed" => "could not sign in",
        "sessions-ended" => "ended all sessions of an account",
        "password-changed" => "changed the password",
        "recovery-codes-made" => "made new recovery codes",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn british(at: &str) -> Zoned {
        at.parse::<Timestamp>().unwrap().to_zoned(crate::school_time::london())
    }

    #[test]
    fn a_day_ends_at_its_midnight_and_lies_ahead() {
        let now = &british("2026-11-17T23:30:00Z");
        for (day, want) in [
            ("2026-11-17", Some("2026-11-18T00:00:00Z")),
            ("2027-07-01", Some("2027-07-01T23:00:00Z")),
            ("2026-11-16", None),
            ("2027-11-18", Some("2027-11-19T00:00:00Z")),
            ("2027-11-19", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(end_of_day(day, now, limits::REMEMBER_DAYS_MOST), want.map(|at| at.parse().unwrap()), "{day}");
        }
        assert_eq!(last_day(end_of_day("2027-02-15", now, 100).unwrap(), now), "15 February 2027");
        assert_eq!(day_ahead(now, 90), "2027-02-15");
    }

    /// Every word that the store writes into the record is found in its source, and has words of its own.
    #[test]
    fn every_event_has_words() {
        fn sources(directory: &std::path::Path, out: &mut Vec<String>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() && name != "tests" {
                    sources(&path, out);
                } else if name.ends_with(".rs") && name != "tests.rs" {
                    out.push(std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut files = Vec::new();
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"), &mut files);
        let mut words = std::collections::BTreeSet::new();
        for file in &files {
            for (begins, ends) in [
                (".audit(", ".await"),
                (".audit_account(", ".await"),
                ("let event = ", ";"),
                ("fn event(self) -> &'static str {", "\n    }\n"),
            ] {
                for call in file.split(begins).skip(1) {
                    // What stands in a line's detail is no event.
                    let call = call.split(ends).next().unwrap().split("json!").next().unwrap();
                    words.extend(call.split('"').skip(1).step_by(2).filter(|word| !word.is_empty()).map(str::to_owned));
                }
            }
        }
        // A message's state is the event of a delivery that ended.
        words.extend(["delivered".to_owned(), "failed".to_owned()]);
        words.remove("unknown");
        for known in ["reminded", "escalated", "put-off", "allowed", "allowance-ended", "opened", "viewed", "deferred"]
        {
            assert!(words.contains(known), "{known} was not found: {words:?}");
        }
        for word in &words {
            assert_ne!(event(word), word, "no words for {word}");
        }
    }

    #[test]
    fn times_in_words() {
        let now = &british("2026-11-17T13:00:00Z");
        for (at, words, exact) in [
            ("2026-11-17T09:05:00Z", "today 09:05", "2026-11-17T09:05:00+00:00"),
            ("2026-11-16T23:59:00Z", "yesterday 23:59", "2026-11-16T23:59:00+00:00"),
            ("2026-07-01T08:00:00Z", "Wed 1 July, 09:00", "2026-07-01T09:00:00+01:00"),
            ("2025-12-31T10:00:00Z", "31 December 2025, 10:00", "2025-12-31T10:00:00+00:00"),
        ] {
            let got = time(at.parse().unwrap(), now);
            assert_eq!((got.words.as_str(), got.exact.as_str()), (words, exact));
        }
        assert_eq!(week_begins(now), "2026-11-16T00:00:00Z".parse().unwrap());
        assert_eq!(
            week_begins(&british("2026-07-05T22:59:00Z")),
            "2026-06-28T23:00:00Z".parse().unwrap(),
            "Sunday 23:59 in summer is of the week that began on 29 June"
        );
        // A school elsewhere: its own day and hour.
        let elsewhere = now.with_time_zone(jiff::tz::TimeZone::fixed(jiff::tz::offset(12)));
        let got = time("2026-11-17T13:05:00Z".parse().unwrap(), &elsewhere);
        assert_eq!((got.words.as_str(), got.exact.as_str()), ("today 01:05", "2026-11-18T01:05:00+12:00"));
    }
}
