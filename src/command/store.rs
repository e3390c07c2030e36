//! What the commands on queue and quarantine share: opening the store, lists, and showing one message.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::check;
use super::terminal::{safe, safe_json, say};
use crate::config::Config;
use crate::relay::notify::Notifier;
use crate::store::{Decision, QueueId, Shown, Store, StoreKey, Summary};

/// Which store, and which message of it.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Reference of the message, as notices and the log give it
    pub id: String,
}

impl One {
    /// The reference as the store knows it.
    pub fn id(&self) -> QueueId {
        QueueId(self.id.trim().to_owned())
    }
}

/// Who does something, and why; both go into the audit.
#[derive(Debug, clap::Args)]
pub struct Because {
    /// Who decides: a name or a mailbox
    #[arg(long, value_name = "NAME")]
    pub who: String,
    /// Why
    #[arg(long, value_name = "WORDS")]
    pub why: String,
}

impl Because {
    /// Both must say something: the audit is read long afterwards.
    pub fn checked(&self) -> Result<(&str, &str)> {
        let (who, why) = (self.who.trim(), self.why.trim());
        if who.is_empty() || why.is_empty() {
            return Err(anyhow!("--who and --why must say something: both go into the audit"));
        }
        Ok((who, why))
    }
}

/// The configuration and its store, opened beside a gateway that may be running.
pub async fn open(file: &Path) -> Result<(Config, Store)> {
    let config = Config::load(file)?;
    let place = config.store.clone().ok_or_else(|| anyhow!("{}: [store] is missing", file.display()))?;
    let key = StoreKey::load(place.key_file.as_deref())?;
    let store = Store::open(&place.path, key).await.with_context(|| place.path.display().to_string())?;
    Ok((config, store))
}

/// Composes the notices that follow a decision.
pub fn notifier(config: &Config) -> Result<Notifier> {
    let from = config.notice_from().ok_or_else(|| anyhow!("[notices] from is missing"))?;
    Ok(Notifier::new(
        &config.school.name,
        &config.school.telephone,
        &config.listen.hostname,
        from,
        config.notices.templates.as_deref(),
        config.roles.clone(),
    )?)
}

/// The list, for people or as JSON.
pub fn print_list(messages: &[Summary], json: bool) -> Result<()> {
    if json {
        say!("{}", safe_json(&messages.iter().map(as_json).collect::<Vec<_>>())?)?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "reference",
        "state",
        "taken in",
        "from",
        "to",
        "KB",
        "next try",
        "rules",
    ]);
    for m in messages {
        let state =
            if m.damaged.is_some() { format!("{}, set aside", m.state.as_str()) } else { m.state.as_str().to_owned() };
        table.add_row([
            m.id.to_string(),
            state,
            time(m.at),
            safe(&sender(m)),
            format!("{} recipients, {} open", m.recipients, m.due),
            m.size.div_ceil(1024).to_string(),
            m.next_due.map(time).unwrap_or_default(),
            m.rules.join(", "),
        ]);
    }
    say!("{table}\n{} messages", messages.len())?;
    Ok(())
}

/// One message with its recipients, the decision and the audit; what was found only with `findings`.
pub fn print_one(shown: &Shown, findings: bool, json: bool) -> Result<()> {
    let Shown { summary, recipients, audit, report, sha256 } = shown;
    if json {
        let mut value = as_json(summary);
        value["sha256"] = hex(sha256).into();
        value["to"] = recipients
            .iter()
            .map(|r| serde_json::json!({ "address": r.address.to_string(), "state": r.state, "attempts": r.attempts, "reply": r.reply }))
            .collect();
        value["audit"] = audit.iter().map(|line| serde_json::json!({ "line": line.to_string() })).collect();
        if let Some(report) = report {
            let mut report = serde_json::to_value(report)?;
            if !findings {
                report["findings"] = serde_json::Value::Array(Vec::new());
            }
            value["report"] = report;
        }
        say!("{}", safe_json(&value)?)?;
        return Ok(());
    }
    say!("{} ({}), {}", summary.id, summary.class.as_str(), summary.state.as_str())?;
    say!("taken in {}, {} octets, SHA-256 {}", time(summary.at), summary.size, hex(sha256))?;
    if let Some(reason) = &summary.damaged {
        say!("set aside: {}", safe(reason))?;
    }
    say!("from {}", safe(&sender(summary)))?;
    for r in recipients {
        let reply = r.reply.as_ref().map_or(String::new(), |reply| format!(": {reply}"));
        say!("to   {}", safe(&format!("{} ({}, {} tries){reply}", r.address, r.state, r.attempts)))?;
    }
    if let Some(report) = report {
        say!("\n{}", check::told(report, findings))?;
    }
    say!("\nwhat was done with it:")?;
    for line in audit {
        say!("  {}", safe(&line.to_string()))?;
    }
    Ok(())
}

/// Says what became of a decision.
pub fn print_decision(decision: &Decision, id: &QueueId, done: &str) -> Result<()> {
    match decision {
        Decision::Done => say!("{id} {done}")?,
        Decision::Already(line) => {
            say!("{id}: nothing changed, it was decided before: {}", safe(&line.to_string()))?;
        }
    }
    Ok(())
}

fn as_json(m: &Summary) -> serde_json::Value {
    serde_json::json!({
        "id": m.id, "class": m.class, "about": m.about, "state": m.state,
        "mail_from": m.mail_from.as_ref().map(ToString::to_string), "recipients": m.recipients, "due": m.due,
        "size": m.size, "rules": m.rules, "at": m.at, "changed_at": m.changed_at, "next_due": m.next_due,
        "attempts": m.attempts, "damaged": m.damaged,
    })
}

fn sender(m: &Summary) -> String {
    m.mail_from.as_ref().map_or("<>".to_owned(), ToString::to_string)
}

/// Local time to the minute.
fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
