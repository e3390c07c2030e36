//! `schoolgate replay`: runs the rules over mail that was sent before, with all cores, and shows what would have happened.
//!
//! Envelopes are gone from kept mail, so they are read off the headers: Return-Path or From, and To, Cc and Bcc.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use rayon::prelude::*;
use serde::Serialize;

use super::mailbox::{Kept, messages, natural};
use super::terminal::{self, safe, safe_json, say};
use crate::config::{self, Config};
use crate::extract::Pool;
use crate::inspect::{Ground, inspect_isolated};
use crate::message;
use crate::policy::{Action, RulePack};
use crate::smtp::{Address, Envelope};

/// Run the rules over a folder of .eml files, an mbox or a Maildir, and show what would have happened
///
/// Exit status 10 when some of it is no mail or cannot be read; the rest is decided all the same.
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// A second rule pack: also show what it would change
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Name every message that would not be delivered, or that the second pack would decide otherwise
    #[arg(long)]
    list: bool,
    /// With --list, also show subjects and Message-IDs to a file or another program; a terminal shows them anyhow
    #[arg(long, requires = "list")]
    subjects: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
    /// Folder, mbox or Maildir
    path: PathBuf,
}

/// What a replay found.
#[derive(Debug, Default, Serialize)]
struct Summary {
    /// Messages read.
    messages: usize,
    /// Messages without a sender or a recipient that could be read off their headers.
    skipped: usize,
    /// Messages that could not be read from disk, or are no mail.
    unreadable: usize,
    /// Which those are, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    /// Messages by action.
    actions: BTreeMap<&'static str, usize>,
    /// Messages by rule that fired.
    rules: BTreeMap<String, usize>,
    /// Likely breaches.
    breaches: usize,
    /// With a second pack: messages by `action -> other action`, where they differ.
    changes: BTreeMap<String, usize>,
    /// With `--list`: a line a message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    list: Vec<String>,
}

impl Summary {
    fn merge(mut self, other: Self) -> Self {
        self.messages += other.messages;
        self.skipped += other.skipped;
        self.unreadable += other.unreadable;
        self.breaches += other.breaches;
        for (action, n) in other.actions {
            *self.actions.entry(action).or_default() += n;
        }
        for (into, from) in [(&mut self.rules, other.rules), (&mut self.changes, other.changes)] {
            for (key, n) in from {
                *into.entry(key).or_default() += n;
            }
        }
        self.list.extend(other.list);
        self.problems.extend(other.problems);
        self
    }
}

/// Runs the command.
pub fn run(args: &Replay) -> Result<ExitCode> {
    let config = Config::load(&args.config)?;
    let ground = super::ground::load(&config)?.ground;
    let against = args.against.as_deref().map(RulePack::load).transpose()?;
    let other = against
        .map(|pack| super::ground::load(&config).map(|l| Ground { pack, version: Default::default(), ..l.ground }))
        .transpose()?;
    let (count, kept) = messages(&args.path)?;
    let subjects = args.subjects || (!args.json && std::io::stdout().is_terminal());
    let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} messages, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    let workers = Pool::lazy(rayon::current_num_threads());
    let mut summary = kept
        .par_bridge()
        .map(|kept| {
            let one = decide(&workers, &ground, other.as_ref(), kept, args.list.then_some(subjects));
            bar.inc(1);
            one
        })
        .reduce(Summary::default, Summary::merge);
    bar.finish_and_clear();
    workers.sound().context(super::NO_WORKER)?;
    summary.list.sort_by(|a, b| natural(a, b));
    summary.problems.sort_by(|a, b| natural(a, b));
    if args.json {
        say!("{}", safe_json(&summary)?)?;
    } else {
        terminal::print(&told(&summary, other.is_some()))?;
    }
    if summary.unreadable == summary.messages {
        bail!("{}: nothing in it is mail", args.path.display());
    }
    Ok(if summary.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(10) })
}

/// `list` is `None` without a list, and otherwise says whether it has subjects.
fn decide(workers: &Pool, ground: &Ground, other: Option<&Ground>, kept: Kept, list: Option<bool>) -> Summary {
    let mut one = Summary { messages: 1, ..Summary::default() };
    let raw = match kept.raw {
        Ok(raw) => raw,
        Err(error) => {
            one.unreadable = 1;
            one.problems.push(format!("{}: {error:#}", kept.name));
            return one;
        }
    };
    let Some(envelope) = envelope_of_headers(&raw) else {
        one.skipped = 1;
        return one;
    };
    let at = Timestamp::now();
    let report = inspect_isolated(workers, ground, &envelope, &raw, at);
    one.breaches = usize::from(report.breach);
    one.actions.insert(report.action.as_str(), 1);
    let ids: Vec<&str> = report.rules.iter().map(|r| r.id.as_str()).collect();
    one.rules = ids.iter().map(|id| ((*id).to_owned(), 1)).collect();
    let mut line = format!("{}: {} ({})", kept.name, report.action.as_str(), ids.join(", "));
    let mut listed = report.action != Action::Deliver;
    if let Some(other) = other {
        let changed = inspect_isolated(workers, other, &envelope, &raw, at).action;
        listed = changed != report.action;
        if listed {
            let change = format!("{} -> {}", report.action.as_str(), changed.as_str());
            line.push_str(&format!(", {change}"));
            one.changes.insert(change, 1);
        }
    }
    if let Some(subjects) = list
        && listed
    {
        if subjects {
            let message = message::read(&raw);
            let id = message.header("Message-ID").map(|header| header.value.trim().to_owned()).unwrap_or_default();
            line.push_str(&format!(": {} {id}", message.subject()));
        }
        one.list.push(line.trim_end().to_owned());
    }
    one
}

/// Sender and recipients as the headers tell them; `None` where one of the two is missing.
fn envelope_of_headers(raw: &[u8]) -> Option<Envelope> {
    let message = message::read(raw);
    let return_path =
        message.header("Return-Path").map(|h| h.value.trim().trim_start_matches('<').trim_end_matches('>').to_owned());
    let sender = match return_path.as_deref() {
        Some("") => None,
        Some(path) => Some(Address::parse(path).ok()?),
        None => Some(Address::parse(&message.from_addresses().first()?.address).ok()?),
    };
    let mut recipients: Vec<Address> = Vec::new();
    for mailbox in message.to_addresses().into_iter().chain(message.cc_addresses()).chain(message.addresses_in("Bcc")) {
        if let Ok(address) = Address::parse(&mailbox.address)
            && !recipients.contains(&address)
        {
            recipients.push(address);
        }
    }
    (!recipients.is_empty()).then(|| Envelope::new(sender, recipients))
}

fn told(summary: &Summary, compared: bool) -> String {
    let decided = summary.messages - summary.skipped - summary.unreadable;
    let mut out = format!(
        "{} messages: {decided} decided, {} without sender or recipient, {} not readable\n",
        summary.messages, summary.skipped, summary.unreadable
    );
    let mut actions = Table::new();
    actions.load_style(presets::ASCII_MARKDOWN).set_header(["action", "messages", "of all"]);
    for action in [Action::Deliver, Action::Warn, Action::Hold, Action::Reject] {
        let n = summary.actions.get(action.as_str()).copied().unwrap_or(0);
        let part = format!("{:.2} %", 100.0 * n as f64 / decided.max(1) as f64);
        actions.add_row([action.as_str(), &n.to_string(), &part]);
    }
    out.push_str(&format!("\n{actions}\n\nlikely breaches: {}\n", summary.breaches));
    if !summary.rules.is_empty() {
        let mut rules = Table::new();
        rules.load_style(presets::ASCII_MARKDOWN).set_header(["rule", "messages"]);
        for (rule, n) in &summary.rules {
            rules.add_row([rule.as_str(), &n.to_string()]);
        }
        out.push_str(&format!("\n{rules}\n"));
    }
    if compared {
        out.push_str(&format!("\nThe second pack would change {} messages\n", summary.changes.values().sum::<usize>()));
        for (change, n) in &summary.changes {
            out.push_str(&format!("  {change}: {n}\n"));
        }
    }
    for line in summary.list.iter().chain(&summary.problems) {
        out.push_str(&format!("{}\n", safe(line)));
    }
    out
}
