//! `schoolgate report`: what the school's leadership is to know of its mail as a whole, in numbers.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use comfy_table::{Table, presets};

use super::store::{Desk, unexpected};
use super::terminal::{print, safe, safe_json, say};
use crate::config::{self, Config};
use crate::limits;
use crate::relay::control::{Answer, Request};
use crate::review::{csv, overview};
use crate::store::{MonthOfUse, Overview};

/// Reports on the school's mail as a whole, in numbers.
#[derive(Debug, clap::Subcommand)]
pub enum Report {
    /// How much mail of the staff was marked personal, month by month. Who marked much in a month is named, by `[review]
    /// personal_use_names_from`; that somebody looks is recorded
    PersonalUse {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Who looks: a name or a mailbox; goes into the audit
        #[arg(long, value_name = "NAME")]
        who: String,
        /// Print a table for a spreadsheet
        #[arg(long)]
        csv: bool,
    },
    /// What mail came to, week by week and rule by rule: sent, returned, held and released, how long decisions took, and what
    /// rules that only observe would have done
    Overview {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Print a table for a spreadsheet
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(command: &Report) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        match command {
            Report::PersonalUse { config, who, csv } => personal_use(config, who.trim(), *csv).await,
            Report::Overview { config, csv, json } => overview(config, *csv, *json).await,
        }
    })
}

async fn overview(config: &Path, csv: bool, json: bool) -> Result<ExitCode> {
    let mut desk = Desk::at(config)?;
    let answer = desk.ask(Request::Overview).await;
    desk.leave().await;
    let Answer::Overview(overview) = answer? else { return unexpected() };
    match (csv, json) {
        (true, _) => print(&overview::table(&overview))?,
        (_, true) => say!("{}", safe_json(&overview)?)?,
        _ => overview_for_people(&overview)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn overview_for_people(overview: &Overview) -> Result<()> {
    let mut weeks = Table::new();
    weeks.load_style(presets::ASCII_MARKDOWN).set_header([
        "week from",
        "messages",
        "sent",
        "returned",
        "held",
        "released",
        "decided",
        "median",
        "slowest tenth",
    ]);
    for week in &overview.weeks {
        let of = &week.figures;
        let numbers = [of.messages, of.sent, of.returned, of.held, of.released, week.pace.decisions];
        let times = match week.pace.decisions {
            0 => [String::new(), String::new()],
            _ => [week.pace.median, week.pace.slowest_tenth].map(overview::duration),
        };
        let begins = week.begins.to_string();
        weeks.add_row(std::iter::once(begins).chain(numbers.map(|n| n.to_string())).chain(times));
    }
    let mut rules = Table::new();
    rules.load_style(presets::ASCII_MARKDOWN).set_header([
        "rule",
        "returned",
        "held",
        "decided",
        "released",
        "for nothing",
        "would have returned",
        "would have held",
    ]);
    for rule in &overview.rules {
        let share = rule.false_hold_percent().map(|percent| format!(" ({percent} %)")).unwrap_or_default();
        rules.add_row([
            safe(&rule.rule).to_string(),
            rule.returned.to_string(),
            rule.held.to_string(),
            rule.decided.to_string(),
            rule.released.to_string(),
            format!("{}{share}", rule.false_holds),
            rule.would_return.to_string(),
            rule.would_hold.to_string(),
        ]);
    }
    say!(
        "{weeks}\n\nby rule, in all these weeks; for nothing is what was released as neither a breach nor a near miss:"
    )?;
    Ok(say!("\n{rules}")?)
}

async fn personal_use(config: &Path, who: &str, csv: bool) -> Result<ExitCode> {
    if who.is_empty() {
        bail!("--who must say something: it goes into the audit");
    }
    let config = Config::load(config)?;
    let review = config.review.as_ref();
    let names_from = review.map_or(limits::PERSONAL_USE_NAMES_FROM, |review| review.personal_use_names_from);
    let mut desk = Desk::of(config)?;
    let answer = desk.ask(Request::PersonalUse { names_from, who: who.to_owned() }).await;
    desk.leave().await;
    let Answer::PersonalUse(months) = answer? else { return unexpected() };
    match csv {
        true => print(&for_a_spreadsheet(&months))?,
        false => for_people(&months, names_from)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn for_people(months: &[MonthOfUse], names_from: usize) -> Result<()> {
    if months.is_empty() {
        return Ok(say!("no mail has been counted yet")?);
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "month",
        "messages",
        "from mailboxes",
        "marked personal",
        "by mailboxes",
        "private, not marked",
    ]);
    for month in months {
        table.add_row([
            month.month.strftime("%Y-%m").to_string(),
            month.messages.to_string(),
            month.senders.to_string(),
            month.marked.to_string(),
            month.marked_by.to_string(),
            month.asked.to_string(),
        ]);
    }
    say!("{table}")?;
    say!("named is who marked {names_from} messages or more in a month:")?;
    for month in months {
        for one in &month.named {
            say!("{} {}: {}", month.month.strftime("%Y-%m"), safe(&one.mailbox), one.marked)?;
        }
    }
    if months.iter().all(|month| month.named.is_empty()) {
        say!("nobody")?;
    }
    Ok(())
}

/// A line for each month, where the mailbox is empty, and one for each who is named in it.
fn for_a_spreadsheet(months: &[MonthOfUse]) -> String {
    let mut out = csv::line(["month", "mailbox", "messages", "mailboxes", "marked", "marked by", "asked"]);
    for month in months {
        let of = month.month.strftime("%Y-%m").to_string();
        out += &csv::line([
            of.as_str(),
            "",
            &month.messages.to_string(),
            &month.senders.to_string(),
            &month.marked.to_string(),
            &month.marked_by.to_string(),
            &month.asked.to_string(),
        ]);
        for one in &month.named {
            out += &csv::line([of.as_str(), &safe(&one.mailbox), "", "", &one.marked.to_string(), "", ""]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Amount, NamedSender};

    #[test]
    fn a_hostile_mailbox_is_text_in_a_spreadsheet_and_on_a_terminal() {
        let named = |mailbox: &str| NamedSender { mailbox: mailbox.to_owned(), marked: 7 };
        let month = MonthOfUse {
            month: jiff::civil::date(2026, 11, 1),
            messages: 30,
            senders: 4,
            marked: Amount::FewerThan(25),
            marked_by: 3,
            asked: Amount::Exactly(0),
            named: vec![named("=cmd|' /c calc'!a1@school.example"), named("\"a\u{1b}[2j,b\"@school.example")],
        };
        assert_eq!(
            for_a_spreadsheet(&[month]),
            "\"month\",\"mailbox\",\"messages\",\"mailboxes\",\"marked\",\"marked by\",\"asked\"\r\n\
             \"2026-11\",\"\",\"30\",\"4\",\"fewer than 25\",\"3\",\"0\"\r\n\
             \"2026-11\",\"'=cmd|' /c calc'!a1@school.example\",\"\",\"\",\"7\",\"\",\"\"\r\n\
             \"2026-11\",\"\"\"a\\u{1b}[2j,b\"\"@school.example\",\"\",\"\",\"7\",\"\",\"\"\r\n"
        );
    }
}
