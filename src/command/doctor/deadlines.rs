//! When the school is at work, by when what is held now would have to be decided on, and when the next digest goes.

use jiff::Timestamp;

use super::Findings;
use crate::config::Config;
use crate::school_time::in_words;

/// Says it in words, so that a wrong day, hour or zone is seen.
pub fn look(config: &Config, now: Timestamp, findings: &mut Findings) {
    let times = &config.school_time;
    let said = |at| in_words(at, &times.zone);
    let holidays =
        match times.holidays.iter().filter(|(_, last)| *last >= now.to_zoned(times.zone.clone()).date()).count() {
            0 => "no holidays ahead".to_owned(),
            1 => "1 holiday ahead".to_owned(),
            many => format!("{many} holidays ahead"),
        };
    findings.well(format!(
        "deadlines: {} hours of school days; {}, {} to {}, {holidays}; what is held now is to be decided on by {}",
        times.decide_within_hours,
        times.days_in_words(),
        times.opens.strftime("%H:%M"),
        times.closes.strftime("%H:%M"),
        said(times.plan(now).due_at),
    ));
    findings.well(match times.next_digest(now) {
        Some(next) => {
            format!("digest: the next list of what waits goes {}; likely breaches are told of at once", said(next))
        }
        None => "digest: there is none; each held message is told of at once".to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn deadlines_and_digests_are_said_in_words() {
        let rest = "[school]\nname = \"Saltmere\"\ndomains = [\"saltmere.example\"]\n[directory]\npupils = \"p.csv\"\n";
        let url = "[review]\npublic_url = \"https://desk.saltmere.example\"\n";
        // A Friday, 18:00.
        let now: Timestamp = "2026-10-02T17:00:00Z".parse().unwrap();
        for (review, words) in [
            (
                url.to_owned(),
                [
                    "deadlines: 48 hours of school days; Monday to Friday, 08:00 to 16:30, no holidays ahead; what is held \
                     now is to be decided on by Wednesday 7 October 2026 at 08:00",
                    "digest: the next list of what waits goes Monday 5 October 2026 at 08:30; likely breaches are told of at \
                     once",
                ],
            ),
            (
                format!(
                    "{url}holidays = [\"2026-05-25\", \"2026-10-05\"]\ndecide_within_hours = 24\ndigest_at = []\n\
                     school_hours = \"09:00-15:30\"\nschool_days = [\"Monday\", \"Tuesday\"]\n"
                ),
                [
                    "deadlines: 24 hours of school days; Monday and Tuesday, 09:00 to 15:30, 1 holiday ahead; what is held \
                     now is to be decided on by Monday 12 October 2026 at 09:00",
                    "digest: there is none; each held message is told of at once",
                ],
            ),
        ] {
            let config = Config::parse(Path::new("x.toml"), &format!("{rest}{review}")).unwrap();
            let mut findings = Findings::default();
            look(&config, now, &mut findings);
            assert_eq!(findings.0.iter().map(|(_, told)| told.as_str()).collect::<Vec<_>>(), words);
        }
    }
}
