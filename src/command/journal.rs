//! `schoolgate journal`: copies of mail that left, looking for kept mail, and what must not be deleted.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::store::{Because, Desk, One, unexpected};
use super::terminal::{print, safe, safe_json, say};
use crate::config::{self, Config};
use crate::limits;
use crate::relay::control::{Answer, Request};
use crate::smtp::Address;
use crate::store::{Fit, Found, Hit, NewHold, Search};

/// Which journal.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Mail of which days.
#[derive(Debug, Clone, clap::Args)]
pub struct Days {
    /// Mail from this day on, as 2027-09-01
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,
    /// Mail up to the end of this day
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
}

impl Days {
    /// From its first moment to the moment after its last, in the school's own time.
    pub fn times(&self, zone: &TimeZone) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let at = |day: Date| day.to_zoned(zone.clone()).map(|day| day.timestamp());
        let since = self.since.map(at).transpose()?;
        Ok((since, self.until.map(|day| at(day.tomorrow()?)).transpose()?))
    }
}

/// See what the journal keeps, look for kept mail, and keep mail from being deleted.
#[derive(Debug, clap::Subcommand)]
pub enum Journal {
    /// How much is kept, and when the next copy is deleted
    Status {
        #[command(flatten)]
        which: Which,
    },
    /// Look for mail: what is given must all fit. What is listed is read by its reference with `quarantine show --message`
    Search {
        #[command(flatten)]
        which: Which,
        /// Words that stand in it, in any place and in attachments too
        words: Vec<String>,
        /// It is about this pupil: id of the roster
        #[arg(long, value_name = "ID")]
        pupil: Option<String>,
        /// It is from or to this mailbox
        #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
        mailbox: Option<Address>,
        #[command(flatten)]
        days: Days,
        #[command(flatten)]
        because: Because,
    },
    /// Keep mail from being deleted (a legal hold): of one mailbox or of all, of some days or of all
    Hold {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Mail from or to this mailbox; without, all mail
        #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
        mailbox: Option<Address>,
        #[command(flatten)]
        days: Days,
        #[command(flatten)]
        because: Because,
    },
    /// List what must not be deleted, the newest first
    Holds {
        #[command(flatten)]
        which: Which,
    },
    /// End a legal hold; what is over by its own time is deleted soon after
    EndHold {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
    },
}

/// Runs the command.
pub fn run(command: &Journal) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        let config = Config::load(command.config())?;
        // Who may not go to the store is told so before anything is read.
        let mut desk = Desk::of(config.clone())?;
        let done = command.carry_out(&mut desk, &config).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

impl Journal {
    fn config(&self) -> &Path {
        match self {
            Self::Status { which } | Self::Search { which, .. } | Self::Holds { which } => &which.config,
            Self::Hold { config, .. } => config,
            Self::EndHold { one, .. } => &one.config,
        }
    }

    async fn carry_out(&self, desk: &mut Desk, config: &Config) -> Result<()> {
        let zone = &config.school_time.zone;
        match self {
            Self::Status { which } => status(desk, which, zone).await,
            Self::Search { which, words, pupil, mailbox, days, because } => {
                let (since, until) = days.times(zone)?;
                let mailbox = mailbox.as_ref().map(ToString::to_string);
                let search = Search { words: words.join(" "), pupil: pupil.clone(), mailbox, since, until };
                let answer = desk.ask(Request::Search { search, because: because.checked()? }).await?;
                let Answer::Found(found) = answer else { return unexpected() };
                match which.json {
                    true => Ok(say!("{}", safe_json(&found)?)?),
                    false => list(&found, zone),
                }
            }
            Self::Hold { mailbox, days, because, .. } => {
                let (since, until) = days.times(zone)?;
                let because = because.checked()?;
                let mailbox = mailbox.as_ref().map(ToString::to_string);
                let new = NewHold { mailbox, since, until, reason: because.why };
                match desk.ask(Request::LegalHold { new, who: because.who }).await? {
                    Answer::OnHold => Ok(say!("nothing of it is deleted from now on, by time or by anybody")?),
                    _ => unexpected(),
                }
            }
            Self::Holds { which } => holds(desk, which, zone).await,
            Self::EndHold { one, because } => {
                let request = Request::EndLegalHold { id: one.id.clone(), because: because.checked()? };
                match desk.ask(request).await? {
                    Answer::HoldEnded(true) => Ok(say!("ended: what is over by its own time is deleted soon")?),
                    Answer::HoldEnded(false) => bail!("no legal hold that is on has the id {}", safe(&one.id)),
                    _ => unexpected(),
                }
            }
        }
    }
}

async fn status(desk: &mut Desk, which: &Which, zone: &TimeZone) -> Result<()> {
    let Answer::Journal(figures) = desk.ask(Request::Journal).await? else { return unexpected() };
    if which.json {
        return Ok(say!("{}", safe_json(&figures)?)?);
    }
    let copies =
        if figures.messages == 1 { "1 copy is".to_owned() } else { format!("{} copies are", figures.messages) };
    say!("{copies} kept, {} MB", figures.octets.div_ceil(1_000_000))?;
    if let Some(next) = figures.next_ends {
        say!("the next is deleted on {}", day(next, zone))?;
    }
    if figures.on_hold > 0 {
        say!("{} more would be deleted by now and are kept by a legal hold", figures.on_hold)?;
    }
    Ok(())
}

async fn holds(desk: &mut Desk, which: &Which, zone: &TimeZone) -> Result<()> {
    let Answer::LegalHolds(holds) = desk.ask(Request::LegalHolds).await? else { return unexpected() };
    if which.json {
        return Ok(say!("{}", safe_json(&holds)?)?);
    }
    if holds.is_empty() {
        return Ok(say!("nothing is kept from being deleted")?);
    }
    for hold in holds {
        let whose = hold.what.mailbox.map_or("all mail".to_owned(), |mailbox| format!("mail from or to {mailbox}"));
        let since = hold.what.since.map_or(String::new(), |at| format!(" since {}", day(at, zone)));
        let last = hold.what.until.map(|at| at.saturating_sub(jiff::Span::new().seconds(1)).unwrap_or(at));
        let until = last.map_or(String::new(), |at| format!(" up to {}", day(at, zone)));
        let (by, given) = (&hold.given_by, day(hold.given_at, zone));
        let line =
            format!("{whose}{since}{until}, {} kept now, by {by} on {given}: {}", hold.messages, hold.what.reason);
        say!("{} {}", hold.id, safe(&line))?;
    }
    Ok(())
}

fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%-d %B %Y").to_string()
}

/// What was found, for a person at a terminal.
fn list(found: &Found, zone: &TimeZone) -> Result<()> {
    if found.hits.is_empty() {
        return Ok(say!("nothing that is kept fits")?);
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["reference", "came in", "from", "to", "state", "copy"]);
    for hit in &found.hits {
        let at = hit.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let from = hit.mail_from.as_deref().unwrap_or("(nobody)");
        let row = [&hit.id.0, &at, from, &recipients(&hit.recipients), hit.state.as_str(), &copy(hit, zone)];
        table.add_row(row.map(safe));
    }
    print(&format!("{table}\n"))?;
    let unknown = found.hits.iter().filter(|hit| hit.fit == Fit::WordsUnknown).count();
    if unknown > 0 {
        say!("the words of {unknown} of them (?) are not all known: somebody has to look")?;
    }
    if found.more {
        say!("there are more than {}: give fewer days or more words", limits::SEARCH_HITS)?;
    }
    Ok(())
}

fn recipients(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [one, more @ ..] => format!("{one} and {} more", more.len()),
    }
}

fn copy(hit: &Hit, zone: &TimeZone) -> String {
    let unsure = if hit.fit == Fit::WordsUnknown { " ?" } else { "" };
    match (hit.content, hit.kept_until) {
        (false, _) => "none".to_owned(),
        (true, None) => format!("there{unsure}"),
        (true, Some(until)) => format!("until {}{unsure}", day(until, zone)),
    }
}
