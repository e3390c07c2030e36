//! `schoolgate check`: decides one message without sending it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;

use super::terminal::{self, safe, safe_json, say};
use crate::config::{self, Config};
use crate::extract::Pool;
use crate::inspect::{Report, inspect_isolated, view};
use crate::policy::Action;
use crate::smtp::{Address, Envelope};

/// Decide one message without sending it. Exit status: 0 deliver, 10 warn, 20 hold, 30 reject; 1 when it could not be decided.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// Envelope sender; `<>` or nothing between the brackets is the null sender
    #[arg(long, value_name = "ADDRESS")]
    mail_from: String,
    /// Envelope recipient; may stand several times, or take several addresses
    #[arg(long, value_name = "ADDRESS", required = true, num_args = 1.., action = clap::ArgAction::Append)]
    rcpt: Vec<String>,
    /// Decide as of this time (RFC 3339); now by default
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Say of each finding why it stands
    #[arg(long)]
    explain: bool,
    /// The message; `-` reads standard input
    message: Option<PathBuf>,
}

impl Check {
    /// `--rcpt` takes all words up to the next option, so a message right behind it is its last word.
    fn recipients_and_message(&self) -> Result<(&[String], &Path)> {
        match (&self.message, self.rcpt.as_slice()) {
            (Some(message), recipients) => Ok((recipients, message)),
            (None, [recipients @ .., message]) if !recipients.is_empty() => Ok((recipients, Path::new(message))),
            _ => Err(anyhow!("no message is named: its file comes last, or - for standard input")),
        }
    }
}

/// Runs the command.
pub fn run(args: &Check) -> Result<ExitCode> {
    let config = Config::load(&args.config)?;
    let loaded = super::ground::load(&config)?;
    let (recipients, message) = args.recipients_and_message()?;
    let envelope = envelope(&args.mail_from, recipients)?;
    let at = time(args.at.as_deref())?;
    let raw = if message.as_os_str() == "-" {
        let mut raw = Vec::new();
        std::io::stdin().read_to_end(&mut raw).context("standard input could not be read")?;
        raw
    } else {
        std::fs::read(message).with_context(|| format!("{}: cannot be read", message.display()))?
    };
    let workers = Pool::lazy(1);
    let report = inspect_isolated(&workers, &loaded.ground, &envelope, &raw, at);
    workers.sound().context(super::NO_WORKER)?;
    if args.json {
        say!("{}", safe_json(&report)?)?;
    } else {
        terminal::print(&told(&report, args.explain))?;
    }
    Ok(ExitCode::from(status(report.action)))
}

/// The exit status for an action.
fn status(action: Action) -> u8 {
    match action {
        Action::Deliver => 0,
        Action::Warn => 10,
        Action::Hold => 20,
        Action::Reject => 30,
    }
}

/// An envelope from what a command line or a corpus line says.
pub fn envelope(mail_from: &str, rcpt: &[String]) -> Result<Envelope> {
    let address = |text: &str| {
        let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
        Address::parse(bare).map_err(|e| anyhow!("{}: no e-mail address: {e}", safe(text)))
    };
    let mail_from = match mail_from.trim() {
        "" | "<>" => None,
        text => Some(address(text)?),
    };
    Ok(Envelope::new(mail_from, rcpt.iter().map(|r| address(r)).collect::<Result<_>>()?))
}

/// A time as RFC 3339 writes it; now when there is none.
pub fn time(text: Option<&str>) -> Result<Timestamp> {
    match text {
        None => Ok(Timestamp::now()),
        Some(text) => text.parse().with_context(|| format!("{}: no time as RFC 3339 writes it", safe(text))),
    }
}

/// The report for a person at a terminal.
pub fn told(report: &Report, explain: bool) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&safe(&text));
        out.push('\n');
    };
    let headline = match report.action {
        Action::Deliver if report.rules.iter().any(|rule| rule.observed_only && rule.confirmed.is_none()) => {
            "DELIVER: it may leave; the rules below only observe"
        }
        Action::Deliver => "DELIVER: it may leave",
        Action::Warn => "WARN: it goes back to the sender with the way to put it right",
        Action::Hold => "HOLD: it waits for somebody who may decide on it",
        Action::Reject => "REJECT: it is refused while the sending server is connected",
    };
    line(format!("{headline}{}", if report.breach { " (a likely breach, had it left)" } else { "" }));
    for recipient in &report.recipients {
        line(format!("  to {} ({})", recipient.address, recipient.kind));
    }
    for rule in &report.rules {
        let would = if rule.observed_only { "observes; would " } else { "" };
        line(format!("  {} ({would}{}): {}", rule.id, rule.action.as_str(), rule.why));
        if let Some(confirmed) = &rule.confirmed {
            let day = confirmed.at.strftime("%-d %B %Y");
            line(format!("      does not ask: confirmed on {day} by {}", confirmed.by));
        }
        if let Some(exempt) = &rule.exempt {
            let until = exempt.until.strftime("%-d %B %Y, %H:%M UTC");
            line(format!("      does not stop it: exempt until {until} by {}", exempt.by));
        }
        for found in &rule.found {
            line(format!("      found: {}", view::in_words(found)));
        }
        for clause in &rule.clauses {
            line(format!("      policy: {clause}"));
        }
    }
    for duty in report.duties.in_words() {
        line(format!("  once it goes: {duty}"));
    }
    for pupil in &report.pupils {
        let categories =
            if pupil.categories.is_empty() { String::new() } else { format!(" ({})", pupil.categories.join(", ")) };
        line(format!("  about {}: {}{categories} in {}", pupil.id, pupil.tier, pupil.places.join(", ")));
    }
    if report.unlisted_pupils > 0 {
        line(format!("  about pupils who are not on the roster: {}", report.unlisted_pupils));
    }
    for unread in &report.unreadable {
        line(format!("  not read: {} ({})", unread.part, unread.why));
    }
    if explain {
        for finding in &report.findings {
            let place = finding.detail.as_ref().map_or(finding.place.clone(), |d| format!("{}, {d}", finding.place));
            let pupil = finding.pupil.as_ref().map_or(String::new(), |p| format!(" of {p}"));
            line(format!(
                "  found {}{pupil}, {} confidence, in {place}: {}",
                finding.kind, finding.confidence, finding.text
            ));
            line(format!("      because {}", finding.because));
        }
        if report.more_findings > 0 {
            line(format!("  found {} more of these kinds, which are not listed", report.more_findings));
        }
    }
    out
}
