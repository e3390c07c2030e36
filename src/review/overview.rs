//! What mail came to, week by week and rule by rule: bars, the same numbers in tables, and as a table to save. Numbers alone: no
//! message, no name.

use axum::extract::State as From;
use axum::http::header;
use axum::response::IntoResponse;
use minijinja::context;

use super::State;
use super::access::{Reach, Task};
use super::chart::Chart;
use super::csv;
use super::pages::{Answer, not_found, page};
use super::person::Person;
use crate::limits;
use crate::store::{Overview, Pace, RuleEffect, WeekFigures};

/// Seconds in words that fit: "25 minutes", "3 hours", "2 days".
pub fn duration(seconds: u64) -> String {
    let of = |many: u64, word: &str| if many == 1 { format!("1 {word}") } else { format!("{many} {word}s") };
    match seconds {
        0..60 => "under a minute".to_owned(),
        60..5_400 => of(seconds / 60, "minute"),
        5_400..172_800 => of((seconds + 1_800) / 3_600, "hour"),
        _ => of((seconds + 43_200) / 86_400, "day"),
    }
}

fn pace(pace: &Pace) -> minijinja::Value {
    context! { decisions => pace.decisions, median => duration(pace.median), slowest => duration(pace.slowest_tenth) }
}

fn figures(figures: &WeekFigures) -> minijinja::Value {
    let WeekFigures { messages, sent, returned, held, released } = *figures;
    context! { messages, sent, returned, held, released }
}

fn rule(effect: &RuleEffect) -> minijinja::Value {
    context! {
        words => effect.rule.replace('-', " "),
        returned => effect.returned,
        held => effect.held,
        decided => effect.decided,
        released => effect.released,
        false_holds => effect.false_holds,
        percent => effect.false_hold_percent(),
        would_return => effect.would_return,
        would_hold => effect.would_hold,
    }
}

/// GET `/overview`.
pub async fn show(From(desk): From<State>, person: Person) -> Answer {
    if person.reach(Task::Overview) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    let overview = desk.store.overview().await?;
    let last = overview.weeks.len().saturating_sub(1);
    let label = |begins: &jiff::civil::Date| begins.strftime("%-d %b").to_string();
    let chart = |parts: fn(&WeekFigures) -> Vec<u64>| {
        Chart::of(overview.weeks.iter().map(|week| (label(&week.begins), parts(&week.figures))))
    };
    let sent = chart(|week| vec![week.sent]);
    let stopped = chart(|week| vec![week.returned, week.held.saturating_sub(week.released), week.released]);
    let weeks = overview.weeks.iter().enumerate().rev();
    let weeks: Vec<_> = weeks
        .map(|(at, week)| {
            context! {
                begins => week.begins.strftime("%-d %B %Y").to_string(),
                so_far => at == last,
                figures => figures(&week.figures),
                pace => pace(&week.pace),
                rules => week.rules.iter().map(rule).collect::<Vec<_>>(),
            }
        })
        .collect();
    let own = context! {
        any => overview.weeks.iter().any(|week| week.figures.messages > 0),
        stopped_any => !stopped.is_empty(),
        sent,
        stopped,
        weeks,
        pace => pace(&overview.pace),
        rules => overview.rules.iter().map(rule).collect::<Vec<_>>(),
        kept => limits::OVERVIEW_WEEKS,
        few => limits::FALSE_HOLD_DECIDED,
    };
    page(&desk, Some(&person), "overview.html", "/overview", own)
}

/// GET `/overview.csv`.
pub async fn save(From(desk): From<State>, person: Person) -> Answer {
    if person.reach(Task::Overview) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"overview.csv\""),
    ];
    Ok((headers, table(&desk.store.overview().await?)).into_response())
}

/// A line for each week, where the rule is empty, and one for each rule that did anything in it.
pub fn table(overview: &Overview) -> String {
    let mut out = csv::line([
        "week from",
        "rule",
        "messages",
        "sent",
        "returned",
        "held",
        "decided",
        "released",
        "released as neither",
        "would have returned",
        "would have held",
        "seconds to decide, median",
        "seconds to decide, slowest tenth",
    ]);
    for week in &overview.weeks {
        let (begins, of) = (week.begins.to_string(), &week.figures);
        let [messages, sent, returned, held, decided, released] =
            [of.messages, of.sent, of.returned, of.held, week.pace.decisions, of.released].map(|n| n.to_string());
        let (median, slowest) = (week.pace.median.to_string(), week.pace.slowest_tenth.to_string());
        let numbers = [messages, sent, returned, held, decided, released];
        let line = [begins.clone(), String::new()].into_iter().chain(numbers);
        out += &csv::line(line.chain([String::new(), String::new(), String::new(), median, slowest]));
        for rule in &week.rules {
            let numbers = [
                rule.returned,
                rule.held,
                rule.decided,
                rule.released,
                rule.false_holds,
                rule.would_return,
                rule.would_hold,
            ];
            let line = [begins.clone(), rule.rule.clone(), String::new(), String::new()].into_iter();
            out += &csv::line(line.chain(numbers.map(|n| n.to_string())).chain([String::new(), String::new()]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OverviewWeek;

    #[test]
    fn times_are_said_as_people_say_them() {
        for (seconds, words) in [
            (0, "under a minute"),
            (60, "1 minute"),
            (1_500, "25 minutes"),
            (5_399, "89 minutes"),
            (5_400, "2 hours"),
            (47 * 3_600, "47 hours"),
            (48 * 3_600, "2 days"),
            (10 * 86_400, "10 days"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }

    #[test]
    fn the_table_has_a_line_a_week_and_a_rule_and_no_cell_is_a_formula() {
        let figures = WeekFigures { messages: 9, sent: 5, returned: 2, held: 2, released: 1 };
        let rule = RuleEffect { rule: "=cmd".to_owned(), held: 2, decided: 1, would_hold: 3, ..RuleEffect::default() };
        let pace = Pace { decisions: 1, median: 60, slowest_tenth: 90 };
        let week =
            OverviewWeek { begins: jiff::civil::date(2026, 11, 2), figures, pace: pace.clone(), rules: vec![rule] };
        let table = table(&Overview { weeks: vec![week], pace, rules: Vec::new() });
        let lines: Vec<&str> = table.split("\r\n").collect();
        assert_eq!(lines[1], "\"2026-11-02\",\"\",\"9\",\"5\",\"2\",\"2\",\"1\",\"1\",\"\",\"\",\"\",\"60\",\"90\"");
        assert_eq!(lines[2], "\"2026-11-02\",\"'=cmd\",\"\",\"\",\"0\",\"2\",\"1\",\"0\",\"0\",\"0\",\"3\",\"\",\"\"");
        assert!(lines.iter().take(3).all(|line| line.matches("\",\"").count() == 12), "{table}");
    }
}
