//! `schoolgate disclose`: what was sent is found, approved by a second person, and handed over when the law asks for it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ground;
use super::journal::Days;
use super::quarantine::purpose;
use super::store::{Because, Desk, One, hex, unexpected};
use super::terminal::{print, safe, safe_json, say};
use crate::config::{self, Config};
use crate::relay::control::{Answer, DisclosureAnswer, DisclosureRequest, OnBehalf, Request};
use crate::review::disclosures::bundle::{Bundle, Folder};
use crate::review::disclosures::evidence::evidence;
use crate::review::disclosures::make::{Source, make};
use crate::review::disclosures::verify::{Verified, verify};
use crate::smtp::Address;
use crate::store::{
    AuditLink, Disclosure, DisclosureKind, DisclosureState, Export as Taken, Incident, LawfulPurpose, Listed, Made,
    NewDisclosure, QueueId, Search,
};

/// Find what was sent, have it approved, and hand it over when the law asks for it.
#[derive(Debug, clap::Subcommand)]
pub enum Disclose {
    /// Ask for a disclosure: what is given must all fit. A second person approves it
    Ask(Box<Ask>),
    /// List requests, the newest first
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a request with what was found, without content; recorded in the audit
    Show {
        #[command(flatten)]
        one: One,
        /// Who looks
        #[arg(long, value_name = "NAME")]
        who: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Approve a request that somebody else made, for 30 days
    Approve {
        #[command(flatten)]
        one: One,
        /// Who approves it: the name of an account of the desk with the role dpo or head
        #[arg(long, value_name = "NAME")]
        who: String,
    },
    /// Refuse a request that somebody else made
    Refuse {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
    },
    /// Leave a message out of a disclosure, or take it in again
    LeaveOut {
        #[command(flatten)]
        one: One,
        /// Reference of the message
        message: String,
        /// Take it in again
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        because: Because,
    },
    /// Write an approved disclosure into a folder: messages, index, audit, incidents, and a manifest of hashes
    Export {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        taking: Taking,
    },
    /// Write one message with its report, its record and hashes into a folder
    Evidence {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        taking: Taking,
    },
    /// Check that an export is as it was made, and its lines as they stand in the audit. Exit status 1 where it is not
    Verify {
        /// Folder of the export
        folder: PathBuf,
        /// Configuration file; where it is there, lines are compared with the store
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
    },
}

/// What is asked for.
#[derive(Debug, clap::Args)]
pub struct Ask {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// Words that stand in the mail, in any place and in attachments too
    words: Vec<String>,
    /// What for: `subject-access`, `freedom-of-information`, `proceedings` or `disciplinary`
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: DisclosureKind,
    /// It is about this pupil: id of the roster
    #[arg(long, value_name = "ID")]
    pupil: Option<String>,
    /// It is from or to this mailbox
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    mailbox: Option<Address>,
    /// The mailbox of who asked the school, where it is another one
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    applicant: Option<Address>,
    #[command(flatten)]
    days: Days,
    #[command(flatten)]
    because: Because,
}

/// Who takes something away, where to and what for.
#[derive(Debug, clap::Args)]
pub struct Taking {
    /// A new folder, or an empty one
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// What it is opened for: `compliance`, `facts`, `standards`, `crime`, `unauthorised-use` or `operation`
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: LawfulPurpose,
    #[command(flatten)]
    because: Because,
}

fn kind(word: &str) -> Result<DisclosureKind, String> {
    word.parse().map_err(|()| format!("one of {}", DisclosureKind::ALL.map(DisclosureKind::as_str).join(", ")))
}

/// Runs the command.
pub fn run(command: &Disclose) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        if let Disclose::Verify { folder, config } = command {
            return check(folder, config).await;
        }
        let config = Config::load(command.config())?;
        let mut desk = Desk::of(config.clone())?;
        let done = command.carry_out(&mut desk, &config).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

async fn ask(desk: &mut Desk, request: DisclosureRequest) -> Result<DisclosureAnswer> {
    match desk.ask(Request::Disclosure(Box::new(request))).await? {
        Answer::Disclosure(answer) => Ok(*answer),
        _ => unexpected(),
    }
}

async fn done(desk: &mut Desk, request: DisclosureRequest, words: &str) -> Result<()> {
    match ask(desk, request).await? {
        DisclosureAnswer::Done => Ok(say!("{words}")?),
        _ => unexpected(),
    }
}

/// The account of this name, with every mailbox that the directory knows of the person.
async fn on_behalf(desk: &mut Desk, config: &Config, who: &str) -> Result<OnBehalf> {
    let Answer::Accounts(accounts) = desk.ask(Request::Accounts).await? else { return unexpected() };
    let name = who.trim().to_lowercase();
    let account = accounts.iter().find(|account| account.name == name);
    let account = account.ok_or_else(|| anyhow!("--who {}: no account of the desk has this name", safe(who)))?;
    let own = match Address::parse(&account.address) {
        Ok(address) => ground::school(config)?.school.mailboxes_of(&address),
        Err(_) => Vec::new(),
    };
    Ok(OnBehalf { who: who.trim().to_owned(), own })
}

impl Disclose {
    fn config(&self) -> &Path {
        match self {
            Self::Ask(ask) => &ask.config,
            Self::List { config, .. } | Self::Verify { config, .. } => config,
            Self::Show { one, .. }
            | Self::Approve { one, .. }
            | Self::Refuse { one, .. }
            | Self::LeaveOut { one, .. }
            | Self::Export { one, .. }
            | Self::Evidence { one, .. } => &one.config,
        }
    }

    async fn carry_out(&self, desk: &mut Desk, config: &Config) -> Result<()> {
        let zone = &config.school_time.zone;
        match self {
            Self::Ask(asked) => {
                let because = asked.because.checked()?;
                let by = on_behalf(desk, config, &because.who).await?;
                let (since, until) = asked.days.times(zone)?;
                let mailbox = asked.mailbox.as_ref().map(ToString::to_string);
                let search = Search { words: asked.words.join(" "), pupil: asked.pupil.clone(), mailbox, since, until };
                let applicant = asked.applicant.as_ref().map(ToString::to_string);
                let new = NewDisclosure { kind: asked.kind, search, applicant, reason: because.why };
                match ask(desk, DisclosureRequest::Ask { new, by }).await? {
                    DisclosureAnswer::Asked(id) => {
                        Ok(say!("asked: {}\nnow somebody else with the role dpo or head approves it", safe(&id.0))?)
                    }
                    _ => unexpected(),
                }
            }
            Self::List { json, .. } => {
                let DisclosureAnswer::All(all) = ask(desk, DisclosureRequest::List).await? else { return unexpected() };
                if *json {
                    // What is looked for holds names: it is shown for one request, which is recorded.
                    let lines = all.iter().map(|one| {
                        serde_json::json!({"id": one.id, "kind": one.what.kind, "asked_by": one.asked_by, "asked_at": one.asked_at,
                            "state": one.state, "decided_by": one.decided_by, "until": one.until, "messages": one.messages,
                            "left_out": one.left_out, "exported": one.exported})
                    });
                    return Ok(say!("{}", safe_json(&lines.collect::<Vec<_>>())?)?);
                }
                if all.is_empty() {
                    return Ok(say!("there is no request for disclosure")?);
                }
                for one in &all {
                    say!("{}", safe(&line(one, zone)))?;
                }
                Ok(())
            }
            Self::Show { one, who, json } => {
                let request = DisclosureRequest::Show { id: one.id(), who: who.clone() };
                let DisclosureAnswer::One(one, messages) = ask(desk, request).await? else { return unexpected() };
                match json {
                    true => Ok(say!("{}", safe_json(&serde_json::json!({"request": one, "messages": messages}))?)?),
                    false => show(&one, &messages, zone),
                }
            }
            Self::Approve { one, who } => {
                let by = on_behalf(desk, config, who).await?;
                let request = DisclosureRequest::Decide { id: one.id(), approve: true, why: String::new(), by };
                done(desk, request, "approved: it may be exported from now on").await
            }
            Self::Refuse { one, because } => {
                let because = because.checked()?;
                let by = on_behalf(desk, config, &because.who).await?;
                let request = DisclosureRequest::Decide { id: one.id(), approve: false, why: because.why, by };
                done(desk, request, "refused: nothing of it is handed over").await
            }
            Self::LeaveOut { one, message, undo, because } => {
                let because = because.checked()?;
                let by = on_behalf(desk, config, &because.who).await?;
                let message = QueueId(message.trim().to_owned());
                let why = (!undo).then_some(because.why);
                let request = DisclosureRequest::LeaveOut { id: one.id(), message, why, by };
                done(desk, request, if *undo { "it is in again" } else { "it is left out" }).await
            }
            Self::Export { one, taking } => export(desk, config, &one.id(), taking).await,
            Self::Evidence { one, taking } => take_evidence(desk, config, &one.id(), taking).await,
            Self::Verify { .. } => Ok(()),
        }
    }
}

fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// One, in a line, with nothing of what it looks for.
fn line(one: &Disclosure, zone: &TimeZone) -> String {
    let by = one.decided_by.as_deref().unwrap_or_default();
    let standing = match (one.state, one.until) {
        (DisclosureState::Asked, _) => "waits for a second person".to_owned(),
        (DisclosureState::Refused, _) => format!("refused by {by}"),
        (DisclosureState::Approved, Some(until)) => format!("approved by {by} until {}", time(until, zone)),
        (DisclosureState::Approved, None) => format!("approved by {by}"),
    };
    let exported = one.exported.as_ref().map_or(String::new(), |made| format!(", exported {}", time(made.at, zone)));
    let (kind, asked) = (one.what.kind.in_words(), time(one.asked_at, zone));
    let counts = format!("{} messages, {} left out", one.messages, one.left_out);
    format!("{} {kind}, {counts}, asked by {} {asked}: {standing}{exported}", one.id, one.asked_by)
}

fn show(one: &Disclosure, messages: &[Listed], zone: &TimeZone) -> Result<()> {
    say!("{}", safe(&line(one, zone)))?;
    say!("why: {}", safe(&one.what.reason))?;
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "reference",
        "came in",
        "from",
        "to",
        "state",
        "copy",
        "decision",
    ]);
    for message in messages {
        let at = message.at.map_or("(gone)".to_owned(), |at| time(at, zone));
        let decision = match (&message.left_out, message.sealed) {
            (Some(why), _) => format!("out: {why}"),
            (None, true) => "sealed".to_owned(),
            (None, false) => "in".to_owned(),
        };
        let cells = [
            message.id.0.as_str(),
            &at,
            message.mail_from.as_deref().unwrap_or("(nobody)"),
            &message.recipients.join(", "),
            message.state.map_or("", |state| state.as_str()),
            if message.content { "there" } else { "none" },
            &decision,
        ];
        table.add_row(cells.map(safe));
    }
    Ok(print(&format!("{table}\n"))?)
}

/// A page of the lines of the audit about these messages and this request.
async fn page(desk: &mut Desk, request: Option<&QueueId>, messages: &[QueueId], after: i64) -> Result<Vec<AuditLink>> {
    let asked = DisclosureRequest::Audit { request: request.cloned(), messages: messages.to_vec(), after };
    match ask(desk, asked).await? {
        DisclosureAnswer::Lines(page) => Ok(page),
        _ => unexpected(),
    }
}

/// All lines of the audit about one message.
async fn lines(desk: &mut Desk, message: &QueueId) -> Result<Vec<AuditLink>> {
    let mut all: Vec<AuditLink> = Vec::new();
    loop {
        let after = all.last().map_or(0, |link| link.line.seq);
        match page(desk, None, std::slice::from_ref(message), after).await? {
            page if page.is_empty() => return Ok(all),
            page => all.extend(page),
        }
    }
}

fn octets(letters: &str) -> Result<Vec<u8>> {
    Ok(letters.chars().map(|letter| u8::try_from(u32::from(letter))).collect::<Result<_, _>>()?)
}

/// What an export is made of, as the gateway gives it.
struct Asking<'d> {
    desk: &'d mut Desk,
    id: &'d QueueId,
    by: OnBehalf,
    purpose: LawfulPurpose,
}

impl Source for Asking<'_> {
    type Error = anyhow::Error;

    async fn content(&mut self, message: &QueueId) -> Result<Vec<u8>> {
        let (id, message, purpose, by) = (self.id.clone(), message.clone(), self.purpose, self.by.clone());
        match ask(self.desk, DisclosureRequest::Take { id, message, purpose, by }).await? {
            DisclosureAnswer::Content(letters) => octets(&letters),
            _ => unexpected(),
        }
    }

    async fn lines(&mut self, messages: &[QueueId], after: i64) -> Result<Vec<AuditLink>> {
        page(self.desk, Some(self.id), messages, after).await
    }

    async fn incidents(&mut self, pupil: &str) -> Result<Vec<Incident>> {
        let (pupil, who) = (Some(pupil.to_owned()), self.by.who.clone());
        match self.desk.ask(Request::ExportIncidents { what: Taken::Dossier, pupil, who }).await? {
            Answer::IncidentsExported(all) => Ok(all),
            _ => unexpected(),
        }
    }

    async fn record(&mut self, made: Made) -> Result<()> {
        match ask(self.desk, DisclosureRequest::Exported { id: self.id.clone(), made, by: self.by.clone() }).await? {
            DisclosureAnswer::Done => Ok(()),
            _ => unexpected(),
        }
    }
}

async fn export(desk: &mut Desk, config: &Config, id: &QueueId, taking: &Taking) -> Result<()> {
    let because = taking.because.checked()?;
    let by = on_behalf(desk, config, &because.who).await?;
    let answer = ask(desk, DisclosureRequest::Prepare { id: id.clone(), by: by.clone() }).await?;
    let DisclosureAnswer::Prepared(disclosing) = answer else { return unexpected() };
    let school = ground::school(config)?.school;
    let now = Timestamp::now().to_zoned(config.school_time.zone.clone());
    let place = Folder::new(&taking.output)?;
    let mut source = Asking { desk, id, by, purpose: taking.purpose };
    let handed = make(&disclosing, (&school, now), (taking.purpose, because.why), place, &mut source).await?;
    let folder = taking.output.display().to_string();
    say!("{} of {} messages are in {}", handed.copies, disclosing.messages.len(), safe(&folder))?;
    Ok(say!("SHA-256 of the index: {}", hex(&handed.index_sha256))?)
}

async fn take_evidence(desk: &mut Desk, config: &Config, id: &QueueId, taking: &Taking) -> Result<()> {
    let because = taking.because.checked()?;
    let purpose = taking.purpose;
    let mut bundle = Bundle::into(Folder::new(&taking.output)?);
    let (who, why) = (because.who.clone(), because.why.clone());
    let content = match ask(desk, DisclosureRequest::Open { message: id.clone(), purpose, who, why }).await? {
        DisclosureAnswer::Content(letters) => Some(octets(&letters)?),
        DisclosureAnswer::NoCopy => None,
        _ => return unexpected(),
    };
    // With what was found: the look is recorded.
    let request = Request::Show { id: id.clone(), look: Some(because.clone()) };
    let Answer::Message(shown) = desk.ask(request).await? else { return unexpected() };
    let audit = lines(desk, id).await?;
    let now = Timestamp::now().to_zoned(config.school_time.zone.clone());
    let (manifest, hash) = evidence(&mut bundle, &shown, content.as_deref(), &audit, &now)?;
    let (who, why) = (because.who, because.why);
    match ask(desk, DisclosureRequest::Evidence { message: id.clone(), manifest: hash, purpose, who, why }).await? {
        DisclosureAnswer::Done => {}
        _ => return unexpected(),
    }
    bundle.close(&manifest)?;
    let folder = taking.output.display().to_string();
    if content.is_none() {
        say!("no copy of the message is kept: its record alone is handed over")?;
    }
    Ok(say!("the record of {id} is in {}; SHA-256 of its manifest: {}", safe(&folder), hex(&hash))?)
}

/// Goes through an export, and where there is a store, compares its lines with it.
pub async fn check(folder: &Path, config: &Path) -> Result<ExitCode> {
    let mut found = verify(folder).with_context(|| {
        format!("{}: there is no manifest that can be read: it is no export, or half of one", folder.display())
    })?;
    let compared = match config.exists() {
        false => None,
        true => {
            let mut desk = Desk::at(config)?;
            let compared = compare(&mut desk, &mut found).await;
            desk.leave().await;
            Some(compared?)
        }
    };
    for fault in &found.faults {
        say!("{}", safe(fault))?;
    }
    if !found.faults.is_empty() {
        say!("the export is not as it was made: {} faults", found.faults.len())?;
        return Ok(ExitCode::FAILURE);
    }
    say!("the export is as it was made: {} files, {} lines of the audit", found.files, found.links.len())?;
    match compared {
        None => say!("there is no {}: the lines were not compared with a store", safe(&config.display().to_string()))?,
        Some(by) => say!("its lines stand in the audit as they are here; it was recorded in line {by}")?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares every line with the store's; gives the line in which this export is recorded.
async fn compare(desk: &mut Desk, found: &mut Verified) -> Result<i64> {
    let (mut after, mut recorded) = (0, None);
    let mut ours = found.links.iter().peekable();
    let mut faults = Vec::new();
    loop {
        let Answer::AuditPage(page) = desk.ask(Request::AuditPage(after)).await? else { return unexpected() };
        let Some(last) = page.last() else { break };
        after = last.line.seq;
        for link in &page {
            while let Some(own) = ours.next_if(|own| own.line.seq <= link.line.seq) {
                if own != link {
                    faults.push(format!("audit.jsonl: line {} is another one in the store", own.line.seq));
                }
            }
            let made = ["disclosure-exported", "evidence-exported"].contains(&link.line.event.as_str());
            if made && link.line.detail.contains(&found.manifest) {
                recorded = Some(link.line.seq);
            }
        }
    }
    faults.extend(ours.map(|own| format!("audit.jsonl: line {} is not in the store", own.line.seq)));
    if recorded.is_none() {
        faults.push("manifest.json: no export of the store has this manifest".to_owned());
    }
    found.faults.extend(faults);
    Ok(recorded.unwrap_or_default())
}
