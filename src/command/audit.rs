//! `schoolgate audit`: whether it holds, its lines for people, and all of it for somebody else to verify.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::store::{Desk, unexpected};
use super::terminal::{safe, safe_json, say};
use crate::config;
use crate::relay::control::{Answer, Request};
use crate::store::{AuditCheck, AuditFilter, AuditLine, QueueId};

/// Look at the audit of all that was done with messages.
#[derive(Debug, clap::Subcommand)]
pub enum Audit {
    /// Go through the whole audit. Exit status 1 when a line was changed or removed, or what protects it is gone
    Verify {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Go through what was handed over in this folder instead, as `disclose verify` does
        #[arg(long, value_name = "FOLDER")]
        export: Option<PathBuf>,
    },
    /// List lines, the newest last
    List(List),
    /// Write every line with its hashes, as JSON Lines, for somebody else to verify
    Export {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// A new file that only you can read; standard output without it
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Which lines are listed.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// Only lines about this message
    #[arg(long, value_name = "ID")]
    message: Option<String>,
    /// Only from this day or time on: 2026-11-21, or 2026-11-21T09:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Only up to this day, which counts, or time
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,
    /// Only what somebody with this in their name did
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Only this event: accepted, released, returned, viewed and so on
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(command: &Audit) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        if let Audit::Verify { config, export: Some(folder) } = command {
            return super::disclose::check(folder, config).await;
        }
        let mut desk = Desk::at(command.config())?;
        let done = command.carry_out(&mut desk).await;
        desk.leave().await;
        done
    })
}

impl Audit {
    fn config(&self) -> &Path {
        match self {
            Self::Verify { config, .. } | Self::Export { config, .. } => config,
            Self::List(list) => &list.config,
        }
    }

    async fn carry_out(&self, desk: &mut Desk) -> Result<ExitCode> {
        match self {
            Self::Verify { .. } => {
                let check = check(desk).await?;
                for fault in &check.faults {
                    say!("{}", safe(&fault.to_string()))?;
                }
                if check.faults.is_empty() {
                    say!("the audit holds: {} lines", check.lines)?;
                    return Ok(ExitCode::SUCCESS);
                }
                say!("the audit does not hold: {} faults in {} lines", check.faults.len(), check.lines)?;
                Ok(ExitCode::FAILURE)
            }
            Self::List(list) => list.print(desk).await,
            Self::Export { output, .. } => export(desk, output.as_deref()).await,
        }
    }
}

/// Has the whole audit gone through.
pub async fn check(desk: &mut Desk) -> Result<AuditCheck> {
    match desk.ask(Request::AuditCheck).await? {
        Answer::AuditCheck(check) => Ok(check),
        _ => unexpected(),
    }
}

impl List {
    async fn print(&self, desk: &mut Desk) -> Result<ExitCode> {
        let filter = AuditFilter {
            message: self.message.as_ref().map(|id| QueueId(id.trim().to_owned())),
            since: self.since,
            until: self.until,
            who: self.who.clone(),
            event: self.event.clone(),
            ..AuditFilter::default()
        };
        let Answer::Audit(lines) = desk.ask(Request::Audit(filter)).await? else { return unexpected() };
        if self.json {
            let lines = lines.iter().map(as_json).collect::<Vec<_>>();
            say!("{}", safe_json(&lines)?)?;
        } else {
            for line in &lines {
                say!("{:>6}  {:16}  {}", line.seq, safe(&line.message.0), safe(&line.to_string()))?;
            }
            say!("{} lines", lines.len())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A line with its detail as JSON rather than as text.
fn as_json(line: &AuditLine) -> serde_json::Value {
    serde_json::json!({
        "seq": line.seq, "at": line.at, "message": line.message, "event": line.event, "who": line.who,
        "detail": serde_json::from_str::<serde_json::Value>(&line.detail).unwrap_or_default(),
    })
}

async fn export(desk: &mut Desk, output: Option<&Path>) -> Result<ExitCode> {
    let mut to: Box<dyn Write> = match output {
        None => Box::new(std::io::stdout().lock()),
        Some(file) => Box::new(create(file).with_context(|| file.display().to_string())?),
    };
    let (mut after, mut count) = (0, 0);
    loop {
        let Answer::AuditPage(page) = desk.ask(Request::AuditPage(after)).await? else { return unexpected() };
        let Some(last) = page.last() else { break };
        after = last.line.seq;
        count += page.len();
        for link in &page {
            writeln!(to, "{}", link.as_json())?;
        }
    }
    to.flush()?;
    if let Some(file) = output {
        say!("{count} lines are in {}", safe(&file.display().to_string()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn create(file: &Path) -> std::io::Result<std::io::BufWriter<std::fs::File>> {
    use std::os::unix::fs::OpenOptionsExt;
    let options = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    options.map(std::io::BufWriter::new)
}

fn since(text: &str) -> Result<Timestamp> {
    time(text, 0)
}

fn until(text: &str) -> Result<Timestamp> {
    time(text, 1)
}

/// A time as written, or the start of the day so many days after a date, in local time.
fn time(text: &str, days: i64) -> Result<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let date: Date =
        text.parse().map_err(|_| anyhow!("it is no day like 2026-11-21, nor a time like 2026-11-21T09:00:00Z"))?;
    Ok(date.checked_add(days.days())?.to_zoned(TimeZone::system())?.timestamp())
}
