//! What the commands on queue and quarantine share: the way to the store, lists, and showing one message.
//!
//! A command asks the running gateway, and opens the store itself only while none runs, with the lock in its hand. Root
//! and the gateway's own user may; anybody else is told so before anything is touched.

use std::path::{Path, PathBuf};

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::check;
use super::terminal::{safe, safe_json, say};
use crate::config::{self, Config};
use crate::limits;
use crate::relay::control::{self, Answer, CallError, Request, Verb};
use crate::relay::parts;
use crate::store::{Decision, Lock, Purpose, QueueId, Shown, Store, StoreError, Summary};

/// Which store, and which message of it.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    pub config: PathBuf,
    /// Reference of the message as notices and the log give it, or id of what is allowed as the list gives it
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
    pub fn checked(&self) -> Result<control::Because> {
        let (who, why) = (self.who.trim(), self.why.trim());
        if who.is_empty() || why.is_empty() {
            return Err(anyhow!("--who and --why must say something: both go into the audit"));
        }
        Ok(control::Because { who: who.to_owned(), why: why.to_owned(), classification: None })
    }
}

/// The way to a school's store.
pub struct Desk {
    config: Config,
    directory: PathBuf,
    /// Open while no gateway runs.
    own: Option<Store>,
}

/// Who can do what is asked.
pub enum Reached {
    /// The gateway has answered.
    Gateway(Answer),
    /// Nobody else writes for as long as this is held.
    Alone(Lock),
}

impl Desk {
    /// Reads the configuration, and checks that whoever runs the command may go to its store. Opens nothing.
    pub fn at(file: &Path) -> Result<Self> {
        Self::of(Config::load(file)?)
    }

    /// As [`Desk::at`], of a configuration that was read already.
    pub fn of(config: Config) -> Result<Self> {
        let file = config.file.display();
        let place = config.store.as_ref().ok_or_else(|| anyhow!("{file}: [store] is missing"))?;
        let directory = place.path.clone();
        permitted(&directory)?;
        Ok(Self { config, directory, own: None })
    }

    /// Whether a gateway answered; otherwise we opened the store ourselves, or have asked nothing yet.
    pub fn is_answered_by_gateway(&self) -> bool {
        self.own.is_none()
    }

    /// Where browsers find the desk, where it is on: links stand below it.
    pub fn public_url(&self) -> Option<&str> {
        self.config.review.as_ref().map(|review| review.public_url.as_str())
    }

    /// The school's own mail domains, lower case.
    pub fn own_domains(&self) -> &[String] {
        &self.config.school.domains
    }

    /// What the gateway answers, or what we find ourselves while none runs.
    pub async fn ask(&mut self, request: Request) -> Result<Answer> {
        if self.own.is_none() {
            match reach(&self.directory, &request, Store::exists).await? {
                Reached::Gateway(answer) => return answered(answer),
                Reached::Alone(lock) => self.own = Some(self.open(lock, &request).await?),
            }
        }
        let store = self.own.as_ref().ok_or_else(|| anyhow!("the store is closed"))?;
        // A look tells nobody anything: a template that a school broke is no reason not to have it.
        let mut config = self.config.clone();
        config.notices.templates = config.notices.templates.filter(|_| request.changes());
        let notifier = parts::notifier(&config)?;
        answered(control::execute(store, &notifier, rustix::process::geteuid().as_raw(), request).await)
    }

    async fn open(&self, lock: Lock, request: &Request) -> Result<Store> {
        let place = self.config.store.as_ref().ok_or_else(|| anyhow!("[store] is missing"))?;
        let key = parts::key(&self.config, place)?;
        let purpose = if request.changes() { Purpose::Change } else { Purpose::Look };
        let opened = Store::open_alone(&self.directory, key, lock, purpose).await;
        let store = opened.with_context(|| self.directory.display().to_string())?;
        store.use_school_time(self.config.school_time.clone());
        Ok(store)
    }

    /// Asks for a decision and says what became of it.
    pub async fn decide(&mut self, one: &One, what: Verb, because: control::Because) -> Result<()> {
        let done = match &what {
            Verb::Retry => "will be tried at once",
            Verb::Hold => "is held",
            Verb::Drop => "is dropped",
            Verb::Release { only } if !only.is_empty() => "is released to these recipients alone",
            Verb::Release { .. } => "is released",
            Verb::Return { .. } => "is returned to its sender",
            Verb::Discard => "is discarded",
        };
        match self.ask(Request::Decide { id: one.id(), what, because }).await? {
            Answer::Decision(decision) => print_decision(&decision, &one.id(), done),
            _ => unexpected(),
        }
    }

    /// Shuts the store again where we opened it.
    pub async fn leave(self) {
        if let Some(store) = self.own {
            store.close().await;
        }
    }
}

/// Asks the gateway, or takes the lock while none runs. A gateway that starts, and a command that is done in a moment, are
/// waited for. `there` says whether a directory has what the request needs.
pub async fn reach(directory: &Path, request: &Request, there: impl Fn(&Path) -> bool) -> Result<Reached> {
    let patience = Instant::now() + Duration::from_secs(limits::CONTROL_START_SECONDS);
    loop {
        match control::call(directory, request).await {
            Ok(answer) => return Ok(Reached::Gateway(answer)),
            Err(CallError::NobodyThere) => {}
            Err(error) => return Err(error.into()),
        }
        if !there(directory) {
            return Err(StoreError::Missing(directory.display().to_string()).into());
        }
        match Lock::take(directory) {
            Ok(lock) => return Ok(Reached::Alone(lock)),
            Err(StoreError::InUse(_)) if Instant::now() < patience => {
                tokio::time::sleep(Duration::from_millis(limits::CONTROL_AGAIN_MILLIS)).await;
            }
            Err(error @ StoreError::InUse(_)) => {
                bail!("{error}, which does not answer on its control socket: nothing was done")
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Only root and the owner of the store may go to it; where there is none yet, the owner is still to come.
pub fn permitted(directory: &Path) -> Result<()> {
    let me = rustix::process::geteuid();
    if me.is_root() {
        return Ok(());
    }
    match std::fs::metadata(directory) {
        Ok(about) if about.uid() != me.as_raw() => {
            let owner = about.uid();
            let owner = control::name_of(owner).unwrap_or_else(|| format!("the user with id {owner}"));
            bail!("the store at {} belongs to {owner}: run this as root or as {owner}", directory.display())
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            bail!(
                "the store at {} is not yours to see: run this as root or as the gateway's own user",
                directory.display()
            )
        }
        _ => Ok(()),
    }
}

/// An answer that says no is an error like any other.
pub fn answered(answer: Answer) -> Result<Answer> {
    match answer {
        Answer::Refused(why) => Err(anyhow!(why)),
        answer => Ok(answer),
    }
}

/// An answer of another kind than its request's.
pub fn unexpected<T>() -> Result<T> {
    Err(anyhow!("the gateway answers something else than was asked: restart it"))
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
        "decide by",
        "rules",
    ]);
    for m in messages {
        let waits = m.leaves.is_some_and(|leaves| leaves.at > Timestamp::now());
        let state = match (&m.damaged, waits) {
            (Some(_), _) => format!("{}, set aside", m.state.as_str()),
            (None, true) => format!("{}, waits", m.state.as_str()),
            (None, false) => m.state.as_str().to_owned(),
        };
        table.add_row([
            m.id.to_string(),
            state,
            time(m.at),
            safe(&sender(m)),
            format!("{} recipients, {} open", m.recipients, m.due),
            m.size.div_ceil(1024).to_string(),
            m.next_due.map(time).unwrap_or_default(),
            m.due_at.map(time).unwrap_or_default(),
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
    if let Some(leaves) = &summary.leaves {
        say!("leaves {}", time(leaves.at))?;
        if let Some(until) = leaves.second_look_until {
            say!("  until {} its sender can look at it again and take it back", time(until))?;
        }
        if let Some(opens) = leaves.opens_at {
            say!("  the school opens {}", time(opens))?;
        }
        let rules = report.as_ref().map(|report| report.duties.wait_rules.join(", ")).unwrap_or_default();
        say!("  it waits by the rule {}", safe(&rules))?;
    }
    say!("from {}", safe(&sender(summary)))?;
    for r in recipients {
        let reply = r.reply.as_ref().map_or(String::new(), |reply| format!(": {reply}"));
        say!("to   {}", safe(&format!("{} ({}, {} tries){reply}", r.address, r.state, r.attempts)))?;
    }
    if let Some(report) = report {
        say!("\n{}", check::told(report, findings))?;
    }
    if let Some(version) = &summary.rules_version {
        say!("decided by version {} of the rules", safe(version))?;
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
        "leaves": m.leaves, "due_at": m.due_at, "attempts": m.attempts, "rules_version": m.rules_version, "damaged": m.damaged,
    })
}

fn sender(m: &Summary) -> String {
    m.mail_from.as_ref().map_or("<>".to_owned(), ToString::to_string)
}

/// Local time to the minute.
fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
