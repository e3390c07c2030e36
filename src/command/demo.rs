//! `schoolgate demo`: the gateway on its embedded defaults, with a made-up school and a handful of telling messages.
//!
//! Everything is real but the smarthost: in its place a capture on loopback takes what would leave, so that nothing can
//! leave the machine. Store, key and roster live in a temporary directory that goes with the process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use rust_embed::RustEmbed;
use serde::Deserialize;
use tokio::sync::watch;

use super::demo_live::{self, Refused};
use super::desk;
use super::terminal::{safe, say};
use crate::config::{Config, ListenerConfig, LogFormat};
use crate::limits;
use crate::message;
use crate::relay::gateway::Gateway;
use crate::relay::gateway::StartError;
use crate::relay::health::Health;
use crate::relay::listen::{ListenError, ListenOptions, Listener, Pace, Places, Submission, TakeIn};
use crate::relay::parts::PartError;
use crate::relay::{log, monitor};
use crate::smtp::Reply;
use crate::store::{QueueId, Shown, State};

/// Run the gateway with a made-up school and see mail delivered, returned and held; nothing leaves this machine.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2525")]
    listen: SocketAddr,
    /// End when the messages are sent instead of waiting for more
    #[arg(long)]
    once: bool,
}

#[derive(RustEmbed)]
#[folder = "fixtures"]
#[include = "school/school.toml"]
#[include = "school/roster/*.csv"]
#[include = "demo/*"]
struct Fixtures;

/// One message of the demonstration.
#[derive(Debug, Deserialize)]
struct Scene {
    /// Below `fixtures/demo`.
    file: String,
    mail_from: String,
    rcpt: Vec<String>,
    /// What happens in it, in one line.
    story: String,
}

/// Runs the command.
pub fn run(args: &Demo) -> Result<ExitCode> {
    if std::env::var_os(log::FILTER_VARIABLE).is_some() {
        log::init(LogFormat::Plain)?;
    }
    let refused = Refused::default();
    refused.listen();
    monitor::install()?;
    super::runtime()?.block_on(play(args, &refused))?;
    Ok(ExitCode::SUCCESS)
}

async fn play(args: &Demo, refused: &Refused) -> Result<()> {
    let folder = tempfile::tempdir().context("no temporary directory can be made")?;
    let (captured, capture_address, stop_capture) = capture(folder.path()).await?;
    let mut config = configuration(folder.path(), args.listen, capture_address)?;
    let desk = if args.once { None } else { Some(desk::on_this_machine(&mut config).await?) };
    // What decisions rest on forgets the names; the visitor is to be told some.
    let people = super::ground::school(&config)?.school;
    let loaded = super::ground::load(&config)?;
    let school = &loaded.ground.school;
    say!(
        "{}, a made-up school: {} pupils, {} guardians, {} staff.",
        school.name,
        school.pupils.len(),
        school.guardians.len(),
        school.staff.len()
    )?;
    let mut gateway = Gateway::start(&config, loaded.ground).await.map_err(|error| match error {
        StartError::Part(PartError::Listen { error: ListenError::Bind(address, why), .. }) => {
            anyhow!("{address} cannot be listened on: {why}; name another address with --listen, as 127.0.0.1:2526")
        }
        other => other.into(),
    })?;
    let address = gateway.addresses.first().copied().ok_or_else(|| anyhow!("nothing to listen on"))?;
    say!("schoolgate listens on {address}. What would leave is captured on this machine.\n")?;
    let fixture = |name: &str| Fixtures::get(name).with_context(|| format!("fixtures/{name} is not embedded"));
    let scenes = fixture("demo/demo.jsonl")?;
    let scenes = std::str::from_utf8(&scenes.data)?;
    for (number, line) in scenes.lines().filter(|l| !l.trim().is_empty()).enumerate() {
        let scene: Scene = serde_json::from_str(line).with_context(|| format!("demo.jsonl, line {}", number + 1))?;
        let raw = fixture(&format!("demo/{}", scene.file))?.data;
        perform(number + 1, &scene, &raw, address, &gateway).await?;
    }
    settle(&gateway).await?;
    tell_captured(&captured)?;
    if args.once {
        say!("\nThat was all.")?;
    } else {
        if let Some(socket) = desk {
            let sbm = config.roles.get("sbm").and_then(|mailboxes| mailboxes.first());
            let sbm = sbm.context("the made-up school names nobody as sbm")?;
            let person = desk::made_up(&gateway.store, sbm).await?;
            desk::open(&config, &mut gateway, socket, Vec::new(), None)?;
            demo_live::show_desk(&config, &person)?;
        }
        demo_live::invite(&people, address, &config.file)?;
        demo_live::watch(&mut gateway, &captured, refused).await?;
    }
    gateway.stop().await;
    let _ = stop_capture.send(true);
    Ok(())
}

/// The school's own configuration, with the ports of this run and a key made for it.
fn configuration(folder: &Path, listen: SocketAddr, smarthost: SocketAddr) -> Result<Config> {
    for name in Fixtures::iter().filter(|n| n.starts_with("school/")) {
        let file = folder.join(name.as_ref());
        std::fs::create_dir_all(file.parent().unwrap_or(folder))?;
        std::fs::write(&file, Fixtures::get(&name).map(|f| f.data).unwrap_or_default())?;
    }
    let file = folder.join("school/school.toml");
    // Written down, so that other commands can be pointed at it.
    let mut table: toml::Table = std::fs::read_to_string(&file)?.parse()?;
    table.remove("monitor");
    table.remove("review");
    let mut set = |section: &str, key: &str, value: toml::Value| {
        if let Some(section) = table.get_mut(section).and_then(toml::Value::as_table_mut) {
            section.insert(key.to_owned(), value);
        }
    };
    set("listen", "addresses", vec![listen.to_string()].into());
    set("smarthost", "host", smarthost.ip().to_string().into());
    set("smarthost", "port", i64::from(smarthost.port()).into());
    std::fs::write(&file, toml::to_string(&table)?)?;
    let config = Config::load(&file)?;
    if let Some(key_file) = config.store.as_ref().and_then(|s| s.key_file.as_ref()) {
        let mut key = [0u8; 32];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut key)
            .map_err(|_| anyhow!("no random numbers"))?;
        std::fs::write(key_file, key)?;
    }
    Ok(config)
}

/// Sends one message as a mail program would, and tells what became of it.
async fn perform(number: usize, scene: &Scene, raw: &[u8], address: SocketAddr, gateway: &Gateway) -> Result<()> {
    let client =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string()).port(address.port()).build();
    let to = scene.rcpt.iter().map(|r| r.parse()).collect::<Result<Vec<lettre::Address>, _>>()?;
    let envelope = lettre::address::Envelope::new(Some(scene.mail_from.parse()?), to)?;
    let answer = client.send_raw(&envelope, &with_crlf(raw)).await;
    say!("{number:2}. {}", scene.story)?;
    say!("    {} -> {}", scene.mail_from, scene.rcpt.join(", "))?;
    match answer {
        Err(error) => {
            say!("    REFUSED, the sender's mail program says:")?;
            let words = error.to_string();
            say!("        {}", safe(words.trim_start_matches("permanent error ").trim()))?;
        }
        Ok(reply) => {
            let words: String = reply.message().collect();
            let id = QueueId(words.rsplit(' ').next().unwrap_or_default().to_owned());
            let shown = gateway.store.show(&id).await?;
            return outcome(&shown);
        }
    }
    say!("")?;
    Ok(())
}

/// What was decided, and why.
pub(super) fn outcome(shown: &Shown) -> Result<()> {
    let word = match shown.summary.state {
        State::Queued | State::Delivered => "DELIVERED",
        State::Returned => "NOT SENT, returned to the sender",
        State::Held => "NOT SENT, held for the School Business Manager",
        other => other.as_str(),
    };
    say!("    {word}")?;
    for rule in shown.report.iter().flat_map(|r| &r.rules) {
        let observes = match (&rule.confirmed, rule.observed_only) {
            _ if rule.exempt.is_some() => " (the sender is exempt)",
            (Some(_), _) => " (confirmed before)",
            (None, true) => " (only observes)",
            (None, false) => "",
        };
        say!("        {}{observes}: {}", rule.id, safe(&rule.why))?;
    }
    say!("")?;
    Ok(())
}

/// Who sends what to whom, on one line.
pub(super) fn captured_line(submission: &Submission) -> String {
    let from = submission.envelope.mail_from.as_ref().map_or("a notice".to_owned(), |a| format!("mail from {a}"));
    let to = submission.envelope.recipients.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    safe(&format!("{from} to {to}: {}", message::read(&submission.content).subject()))
}

/// Waits until nothing is left to deliver.
async fn settle(gateway: &Gateway) -> Result<()> {
    for _ in 0..limits::DEMO_LOOKS {
        let waiting = gateway.store.counts().await?;
        if waiting.iter().all(|c| !matches!(c.state, State::Pending | State::Queued) || c.messages == 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(limits::DEMO_LOOK_MILLIS)).await;
    }
    Ok(())
}

fn tell_captured(captured: &Captured) -> Result<()> {
    let captured = captured.0.lock().unwrap_or_else(PoisonError::into_inner);
    let subject = |s: &Submission| safe(&message::read(&s.content).subject());
    say!("What reached the smarthost's place:")?;
    for submission in captured.iter() {
        say!("    {}", captured_line(submission))?;
    }
    let returned = captured.iter().find(|s| s.envelope.mail_from.is_none() && subject(s).starts_with("NOT SENT"));
    if let Some(notice) = returned {
        say!("\nWhat a member of staff reads, for example:\n")?;
        let read = message::read(&notice.content);
        let text = read.parts.iter().find(|p| p.content_type == "text/plain");
        for line in text.map(|p| String::from_utf8_lossy(&p.body).into_owned()).unwrap_or_default().lines() {
            say!("    | {}", safe(line))?;
        }
    }
    Ok(())
}

/// The messages that would have left.
#[derive(Default)]
pub(super) struct Captured(Mutex<Vec<Arc<Submission>>>);

impl Captured {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// All but the first `told`.
    pub(super) fn since(&self, told: usize) -> Vec<Arc<Submission>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().skip(told).cloned().collect()
    }
}

impl TakeIn for Captured {
    async fn take_in(&self, submission: Submission) -> Reply {
        let id = submission.id.clone();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(submission));
        Reply::queued(&id)
    }
}

/// A listener on loopback that keeps what it is given in memory.
async fn capture(folder: &Path) -> Result<(Arc<Captured>, SocketAddr, watch::Sender<bool>)> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let door = ListenerConfig::plain("listen", vec![address], vec!["127.0.0.0/8".parse()?]);
    let options = ListenOptions {
        hostname: "capture.invalid".to_owned(),
        postmaster_domain: "capture.invalid".to_owned(),
        doors: vec![Arc::new(door)],
        message_size: limits::MESSAGE_SIZE,
        spool: folder.to_owned(),
        store_key: [0; 32],
        health: Health::new(),
        places: Places::default(),
        pace: Pace::default(),
    };
    let listener = Listener::bind(options).await?;
    let address = listener.addresses().first().copied().ok_or_else(|| anyhow!("the capture has no port"))?;
    let captured = Arc::new(Captured::default());
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(listener.serve(Arc::clone(&captured), stopped));
    Ok((captured, address, stop))
}

/// The message with CRLF line ends: files in a repository may have lost them.
fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 40);
    for line in raw.split_inclusive(|&b| b == b'\n') {
        let bare = line.strip_suffix(b"\n").map_or(line, |l| l.strip_suffix(b"\r").unwrap_or(l));
        out.extend_from_slice(bare);
        out.extend_from_slice(b"\r\n");
    }
    out
}
